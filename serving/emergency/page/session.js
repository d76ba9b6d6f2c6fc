// Login and calls to the service. The login is kept for the tab, as the dispatcher's page keeps it, so that one opens both.

const API = '/api/v1';
const KEPT = 'minefusion-session';
const RENEW_BEFORE_MS = 180e3;

let session = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
let renewing = null;
let loginNeeded = () => {};

export const isEnglish = () => document.documentElement.lang === 'en';
export const user = () => session?.user ?? null;
export const whenLoginNeeded = (act) => { loginNeeded = act; };

/** What the service answered with instead of what was asked for. */
export class Problem extends Error {
  constructor(status, told) {
    super((isEnglish() ? told.detail_en : told.detail_zh) ?? told.detail ?? `HTTP ${status}`);
    this.status = status;
  }
}

function keep(told) {
  session = told && {...told, endsAt: Date.now() + told.expires_in_s * 1000};
  if (session) sessionStorage.setItem(KEPT, JSON.stringify(session));
  else sessionStorage.removeItem(KEPT);
}

/** Tokens for a login, kept for the tab unless it is another person's, who signs only. */
export async function login(name, password, {isGuest = false} = {}) {
  const told = await answered(await send('/login', {method: 'POST', body: {login: name, password}}));
  if (!isGuest) keep(told);
  return told;
}

export function logout() {
  if (session) send('/logout', {method: 'POST', token: session.token});
  keep(null);
}

/** One call; gives the answer's document. `token`: another person's than the one who is logged in. */
export async function call(path, {method = 'GET', body, token} = {}) {
  const response = await send(path, {method, body, token: token ?? await freshToken()});
  if (response.status === 401 && !token) {
    keep(null);
    loginNeeded();
  }
  return answered(response);
}

async function freshToken() {
  if (!session) {
    loginNeeded();
    throw new Problem(401, {detail_zh: '请先登录', detail_en: 'log in first'});
  }
  if (session.endsAt - Date.now() > RENEW_BEFORE_MS) return session.token;
  renewing ??= send('/refresh', {method: 'POST', token: session.renew})
    .then(async (response) => { if (response.ok) keep(await response.json()); })
    .finally(() => { renewing = null; });
  await renewing;
  return session?.token ?? '';
}

function send(path, {method, body, token}) {
  return fetch(API + path, {
    method,
    headers: {
      ...(token ? {Authorization: `Bearer ${token}`} : {}),
      ...(body ? {'Content-Type': 'application/json'} : {}),
    },
    body: body ? JSON.stringify(body) : undefined,
  });
}

async function answered(response) {
  if (response.status === 204) return null;
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, told);
  return told;
}
