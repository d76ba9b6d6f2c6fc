// Calls to the service. A token to work with lasts for minutes and is renewed by one that lasts for a shift and a half.

import {isEnglish} from './words.js';

const API = '/api/v1';
const KEPT = 'minefusion-session';
// Renewed when so little of it is left.
const RENEW_BEFORE_MS = 180e3;

let session = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
let renewing = null;
let onLoginNeeded = () => {};

/** What the service answered with instead of what was asked for; its text is in the language of the page. */
class Problem extends Error {
  constructor(status, told) {
    super((isEnglish() ? told.detail_en : told.detail_zh) ?? told.detail ?? `HTTP ${status}`);
    this.status = status;
    this.told = told;
  }
}

export const user = () => session?.user ?? null;
export const whenLoginNeeded = (act) => { onLoginNeeded = act; };

function keep(told) {
  session = told && {...told, endsAt: Date.now() + told.expires_in_s * 1000};
  if (session) sessionStorage.setItem(KEPT, JSON.stringify(session));
  else sessionStorage.removeItem(KEPT);
}

export async function login(name, password) {
  keep(await answered(await post('/login', {login: name, password})));
  return session.user;
}

export async function changePassword(old, fresh) {
  await call('/me/password', {method: 'POST', body: {old, new: fresh}});
  return login(session.user.login, fresh);
}

export async function logout() {
  const ended = session;
  keep(null);
  if (ended) await fetch(`${API}/logout`, {method: 'POST', headers: bearer(ended.token)});
}

/** One call; gives the answer's document. */
export async function call(path, {method = 'GET', body, params, signal} = {}) {
  return answered(await ask(path, {method, body, params, signal}));
}

/** The bytes of an answer, such as a picture. */
export async function bytes(path, params) {
  const response = await ask(path, {params});
  if (!response.ok) await answered(response);
  return response.blob();
}

/** The answer as it comes, for streams. */
export async function ask(path, {method = 'GET', body, params, signal, headers = {}} = {}) {
  const query = new URLSearchParams(Object.entries(params ?? {}).filter(([, value]) => value !== null && value !== undefined));
  const address = `${API}${path}${query.size ? `?${query}` : ''}`;
  const token = await freshToken();
  const isForm = body instanceof FormData;
  const response = await fetch(address, {
    method,
    signal,
    headers: {...bearer(token), ...(body && !isForm ? {'Content-Type': 'application/json'} : {}), ...headers},
    body: body && !isForm ? JSON.stringify(body) : body,
  });
  if (response.status === 401) {
    keep(null);
    onLoginNeeded();
  }
  return response;
}

async function freshToken() {
  if (!session) {
    onLoginNeeded();
    throw new Problem(401, {detail_zh: '请先登录', detail_en: 'log in first'});
  }
  if (session.endsAt - Date.now() > RENEW_BEFORE_MS) return session.token;
  renewing ??= renew().finally(() => { renewing = null; });
  await renewing;
  return session?.token ?? '';
}

async function renew() {
  const response = await fetch(`${API}/refresh`, {method: 'POST', headers: bearer(session.renew)});
  if (response.ok) keep(await response.json());
  else if (response.status === 401) {
    keep(null);
    onLoginNeeded();
  }
}

const bearer = (token) => ({Authorization: `Bearer ${token}`});
const post = (path, body) => fetch(`${API}${path}`, {
  method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body),
});

async function answered(response) {
  if (response.status === 204) return null;
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, told);
  return told;
}
