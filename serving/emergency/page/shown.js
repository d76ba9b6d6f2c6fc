// What both pages share: words, markup from data, numbers, the language switch, login and problems.

import {html, show} from '/pages/html.js';
import {showLinks} from '/pages/links.js';
import {Problem, call, loginWithOwnPassword, logout, user, whenLoginNeeded} from '/pages/session.js';

// The console's shapes: one shape means one level on every page.
const SHAPES = ['○', '■', '●', '▲', '◆'];
const LEVELS = [['正常', 'normal'], ['蓝', 'blue'], ['黄', 'yellow'], ['橙', 'orange'], ['红', 'red']];

const isEnglish = () => document.documentElement.lang === 'en';
export const $ = (id) => document.getElementById(id);
export const t = (zh, en) => (isEnglish() ? en : zh);
/** The field of a row in the page's language: `sentence` of `sentence_zh` and `sentence_en`. */
export const said = (row, name) => row?.[`${name}_${isEnglish() ? 'en' : 'zh'}`] ?? '';

export const number = (value, decimals = 0) =>
  (value === null || value === undefined ? '—' : value.toFixed(decimals).replace('-', '−'));
// The mines' clock, wherever the browser stands: what is read out over the phone is the same everywhere.
const MINE_CLOCK = {hour12: false, timeZone: 'Asia/Shanghai'};
export const clockTime = (at) => (at ? new Date(at).toLocaleTimeString('zh-CN', MINE_CLOCK) : '—');
export const dayTime = (at) => (at ? new Date(at).toLocaleString('zh-CN', MINE_CLOCK) : '—');

/** 4:05, 1:02:07: minutes and seconds, from an hour on with hours. */
export function lasting(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (each) => String(each).padStart(2, '0');
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A level by shape, colour and word. */
export const level = (value) => html`<span class="level tone-${value ?? 0}"><span aria-hidden="true">${SHAPES[value ?? 0]}</span> ${t(...LEVELS[value ?? 0])}</span>`;

export function complain(error) {
  $('problem').hidden = !error;
  $('problem').textContent = error ? error.message : '';
}

/** Do something that a person asked for; what is refused is said on top of the page. */
export async function act(work) {
  try {
    complain(null);
    await work();
    return true;
  } catch (error) {
    complain(error instanceof Problem ? error : new Error(t('连接中断，操作未记录', 'no connection: nothing was recorded')));
    return false;
  }
}

/** Set up links, language, login and logout. `begin` is called when somebody is logged in, `draw` when the language changes. */
export function setUp({name: pageName, begin, draw, mains}) {
  const linkPages = () => showLinks($('pages'), user()?.role, pageName, {lang: isEnglish() ? 'en' : 'zh', mine: $('mine').value});
  const choose = (lang) => {
    document.documentElement.lang = lang === 'en' ? 'en' : 'zh-CN';
    for (const each of document.querySelectorAll('[data-lang]')) each.setAttribute('aria-pressed', String(each.dataset.lang === lang));
  };
  for (const button of document.querySelectorAll('[data-lang]')) {
    button.addEventListener('click', () => {
      choose(button.dataset.lang);
      history.replaceState(null, '', `#lang=${button.dataset.lang}`);
      linkPages();
      draw();
    });
  }
  choose(/lang=(zh|en)/.exec(location.hash)?.[1] ?? 'zh');
  const ask = () => {
    for (const each of mains) each.hidden = true;
    $('login').hidden = false;
    $('logout').hidden = true;
    linkPages();
    $('login').elements.login.focus();
  };
  whenLoginNeeded(ask);
  const enter = async () => {
    $('login').hidden = true;
    $('logout').hidden = false;
    const {rows} = await call('/mines');
    const kept = $('mine').value || new URLSearchParams(location.search).get('mine');
    show($('mine'), rows.map((each) => html`<option value="${each.mine_code}">${said(each, 'name')}</option>`));
    if (rows.some((each) => each.mine_code === kept)) $('mine').value = kept;
    linkPages();
    await begin();
  };
  $('login').addEventListener('submit', (event) => {
    event.preventDefault();
    const {login: name, password} = Object.fromEntries(new FormData(event.target));
    act(async () => {
      await loginWithOwnPassword(name, password);
      event.target.reset();
      await enter();
    });
  });
  $('logout').addEventListener('click', () => { logout(); ask(); });
  $('mine').addEventListener('change', () => { linkPages(); act(begin); });
  if (user() && !user().must_change) act(enter);
  else ask();
}
