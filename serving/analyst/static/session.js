// Login and calls. Tokens live as long as the tab; a call renews the short one by the long one, once.
const API = "/api/v1";
const kept = { token: "minefusion.token", renew: "minefusion.renew" };

export class Problem extends Error {
  constructor(status, told) {
    super(told.detail_en || told.detail || String(status));
    this.status = status;
    this.zh = told.detail_zh || this.message;
  }
}

const keep = (told) => {
  sessionStorage.setItem(kept.token, told.token);
  if (told.renew) sessionStorage.setItem(kept.renew, told.renew);
};

export const forget = () => Object.values(kept).forEach((name) => sessionStorage.removeItem(name));

export const logIn = async (login, password) => {
  const answer = await fetch(`${API}/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ login, password }),
  });
  if (!answer.ok) throw new Problem(answer.status, await answer.json());
  keep(await answer.json());
};

const renewed = async () => {
  const renew = sessionStorage.getItem(kept.renew);
  if (!renew) return false;
  const answer = await fetch(`${API}/refresh`, { method: "POST", headers: { Authorization: `Bearer ${renew}` } });
  if (answer.ok) keep(await answer.json());
  return answer.ok;
};

export const call = async (path, { method = "GET", params = {}, body } = {}) => {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== "" && value != null));
  const asked = () =>
    fetch(`${API}${path}${query.size ? `?${query}` : ""}`, {
      method,
      headers: {
        Authorization: `Bearer ${sessionStorage.getItem(kept.token) || ""}`,
        ...(body ? { "Content-Type": "application/json" } : {}),
      },
      body: body ? JSON.stringify(body) : undefined,
    });
  let answer = await asked();
  if (answer.status === 401 && (await renewed())) answer = await asked();
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return answer;
};

export const json = async (path, options) => (await call(path, options)).json();

export const save = async (answer, fallback) => {
  const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = named ? named[1] : fallback;
  link.click();
  URL.revokeObjectURL(link.href);
};
