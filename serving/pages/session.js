// The login of this tab, for every page of the service, and calls with it. A token to work with lasts for minutes and is
// renewed by one that lasts for a shift and a half.

const API = '/api/v1';
const KEPT = 'minefusion-session';
// Renewed when so little of it is left.
const RENEW_BEFORE_MS = 180e3;

let renewing = null;
let loginNeeded = () => {};

/** What the service answered with instead of what was asked for; its message is in the language of the page. */
export class Problem extends Error {
  constructor(status, told) {
    const en = told.detail_en ?? told.detail ?? `HTTP ${status}`;
    const zh = told.detail_zh ?? told.detail ?? `HTTP ${status}`;
    super(document.documentElement.lang === 'en' ? en : zh);
    Object.assign(this, {status, told, zh, en});
  }
}

// Read each time: another page of the tab, left and come back to, may have renewed or ended it.
const session = () => JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');

function keep(told) {
  if (told) sessionStorage.setItem(KEPT, JSON.stringify({...told, endsAt: Date.now() + told.expires_in_s * 1000}));
  else sessionStorage.removeItem(KEPT);
}

/** Who is logged in; null: nobody. */
export const user = () => session()?.user ?? null;
export const whenLoginNeeded = (act) => { loginNeeded = act; };

/** Log in for the tab; gives the user, who with a one-time password must choose another before anything else. */
export async function login(name, password) {
  keep(await tokens(name, password));
  return user();
}

/** Log in where a page cannot ask for a new password: who has a one-time one is sent to the console. */
export async function loginWithOwnPassword(name, password) {
  const told = await tokens(name, password);
  if (told.user.must_change) {
    throw new Problem(403, {
      detail_zh: '这是一次性密码：请先在调度台登录并设置新密码',
      detail_en: 'this is a one-time password: log in at the console first and choose your own',
    });
  }
  keep(told);
  return told.user;
}

/** A token of another person than the one logged in, who signs here once; it is not kept. */
export async function guestToken(name, password) {
  return (await tokens(name, password)).token;
}

export async function changePassword(old, fresh) {
  await call('/me/password', {method: 'POST', body: {old, new: fresh}});
  return login(user().login, fresh);
}

/** Log out of every page. */
export async function logout() {
  const ended = session();
  keep(null);
  if (ended) await send('/logout', {method: 'POST', token: ended.token}).catch(() => null); // here it is over either way
}

/** One call; gives the answer's document. `token`: another person's than the one who is logged in. */
export async function call(path, options) {
  return documentOf(await ask(path, options));
}

/** One call; gives the answer itself, such as a file or markup. */
export async function answer(path, options) {
  const response = await ask(path, options);
  if (!response.ok) await documentOf(response);
  return response;
}

/** The answer as it comes, refused or not, for streams. */
export async function ask(path, {token, ...options} = {}) {
  const response = await send(path, {...options, token: token ?? await freshToken()});
  if (response.status === 401 && !token) {
    keep(null);
    loginNeeded();
  }
  return response;
}

async function freshToken() {
  const now = session();
  if (!now) {
    loginNeeded();
    throw new Problem(401, {detail_zh: '请先登录', detail_en: 'log in first'});
  }
  if (now.endsAt - Date.now() > RENEW_BEFORE_MS) return now.token;
  renewing ??= renew(now).finally(() => { renewing = null; });
  await renewing;
  return session()?.token ?? '';
}

async function renew({renew: token}) {
  const response = await send('/refresh', {method: 'POST', token});
  if (response.ok) keep(await response.json());
  else if (response.status === 401) {
    keep(null);
    loginNeeded();
  }
}

async function tokens(login, password) {
  return documentOf(await send('/login', {method: 'POST', body: {login, password}}));
}

function send(path, {method = 'GET', body, params = {}, signal, headers = {}, token}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '' && value !== null && value !== undefined));
  const isDocument = body && !(body instanceof FormData);
  return fetch(`${API}${path}${query.size ? `?${query}` : ''}`, {
    method,
    signal,
    headers: {...(token ? {Authorization: `Bearer ${token}`} : {}), ...(isDocument ? {'Content-Type': 'application/json'} : {}), ...headers},
    body: isDocument ? JSON.stringify(body) : body,
  });
}

async function documentOf(response) {
  if (response.status === 204) return null;
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, told);
  return told;
}
