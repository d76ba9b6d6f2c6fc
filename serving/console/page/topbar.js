// The top bar: which mine and shift, the clock, whether the screen is true, and the mine in five numbers.

import {linksFor} from '/pages/links.js';
import {user} from '/pages/session.js';
import {html, show} from '/pages/html.js';
import {areasWorstFirst, mine, pointsOf, standing} from './mine.js';
import {age, clock, day, number, weekday} from './numbers.js';
import {change, state} from './selection.js';
import {riskShape} from './shapes.js';
import {isEnglish, L, levelName, of} from './words.js';

const FLOOD = 10;
// The feed of gas and people comes each half minute.
const FRESH_MS = 90e3;
const DAYS = [['周日', 'Sun'], ['周一', 'Mon'], ['周二', 'Tue'], ['周三', 'Wed'], ['周四', 'Thu'], ['周五', 'Fri'], ['周六', 'Sat']];

export class TopBar {
  constructor(element) {
    this.element = element;
    element.addEventListener('click', (event) => {
      const {toLang: lang, toTheme: theme} = event.target.closest('button')?.dataset ?? {};
      if (lang) change({lang});
      if (theme) change({theme});
    });
  }

  draw({nowMs, link}) {
    const {row, picture} = mine;
    const shift = shiftAt(row, nowMs);
    const dataMs = newestDataMs();
    const dataAge = dataMs === null ? null : nowMs - dataMs;
    const isOld = dataAge === null || dataAge > FRESH_MS;
    show(this.element, html`
      <span class="brand">minefusion</span>
      <nav class="nav" aria-label="${L('页面', 'Pages')}">${pageLinks()}</nav>
      <span class="stack"><b>${of(row, 'name')}</b><small>${shift}</small></span>
      <span class="stack ${state.replay === null ? '' : 'replayed'}"><b class="clock">${clock(nowMs)}</b><small>${day(nowMs)} ${L(...DAYS[weekday(nowMs)])}</small></span>
      <span class="stack link ${link.isUp ? '' : 'down'}"><b><i class="dot"></i>${link.isUp ? L('链路正常', 'Link up') : L('链路中断', 'Link down')}</b>
        <small class="${isOld ? 'old' : ''}">${L('数据时效', 'data age')} ${dataAge === null ? '—' : dataAge < 60e3 ? `${Math.max(0, Math.round(dataAge / 1000))} s` : age(dataAge)}</small></span>
      <span class="news" role="status">${link.news ?? ''}</span>
      <span class="sp"></span>
      ${this.people(picture, row)}
      ${this.alarms(picture)}
      ${this.risk()}
      ${this.fan(nowMs)}
      <span class="kpi wide-only"><small>${L('近 10 min 报警', 'Last 10 min')}</small><span class="v"><b class="${picture?.shown_in_10_min >= FLOOD ? 'r3' : ''}">${picture?.shown_in_10_min ?? '—'}</b><i>${L('洪峰', 'flood')} ≥ ${FLOOD}</i></span></span>
      <span class="kpi controls"><span class="seg" role="group" aria-label="${L('语言', 'Language')}"><button data-to-lang="zh" aria-pressed="${!isEnglish()}">中</button><button data-to-lang="en" aria-pressed="${isEnglish()}">EN</button></span>
      <span class="seg" role="group" aria-label="${L('明暗', 'Theme')}"><button data-to-theme="light" aria-pressed="${state.theme === 'light'}">${L('亮', 'Light')}</button><button data-to-theme="dark" aria-pressed="${state.theme === 'dark'}">${L('暗', 'Dark')}</button></span>
      <button class="who" id="user-menu" data-act="user">${user()?.name ?? ''}<small>${L(user()?.role_zh, user()?.role_en)}</small></button></span>`);
  }

  people(picture, row) {
    const count = picture?.underground?.people_count;
    const cap = row?.underground_cap;
    const isOver = cap && count > cap;
    return html`<span class="kpi"><small>${L('井下人数 / 核定', 'Underground')}</small><span class="v"><b class="${isOver ? 'r3' : ''}" data-kpi="underground">${count ?? '—'}</b><i>/ ${cap ?? L('未配置', 'not set')}${cap ? L(' 人', ' cap') : ''}</i></span></span>`;
  }

  alarms(picture) {
    const active = (picture?.alarms ?? []).filter((each) => !each.is_advisory && each.is_active && !isHeld(each));
    const unacked = (picture?.alarms ?? []).filter((each) => !each.is_advisory && /unacked/.test(each.state)).length;
    const counts = [1, 2, 3, 4].map((priority) => active.filter((each) => each.priority === priority).length);
    return html`<span class="kpi"><small>${L('活动报警（紧急·高·中·低）', 'Active alarms')}</small><span class="v">${counts.map((count, at) => html`<span>${riskShape(count ? 4 - at : 0)}<b data-kpi="priority-${at + 1}">${count}</b></span>`)}<i>${L('未确认', 'unacked')} <b>${unacked}</b></i></span></span>`;
  }

  risk() {
    const level = Math.max(0, ...areasWorstFirst().map((each) => each.now?.level ?? 0));
    return html`<span class="kpi"><small>${L('全矿风险', 'Mine risk')}</small><span class="v r${level}">${riskShape(level)}<b data-kpi="risk">${levelName(level)}</b></span></span>`;
  }

  fan(nowMs) {
    const fans = [...mine.points.values()].filter((each) => each.quantity === 'main_fan');
    const runs = fans.filter((each) => standing(each, nowMs).value === 1).length;
    const quantity = one('air_quantity', nowMs);
    const pressure = one('negative_pressure', nowMs);
    const told = !fans.length ? L('未配置', 'not set') : fans.some((each) => standing(each, nowMs).state === 'missing') && !runs
      ? '—' : runs ? L('运行', 'Running') : L('停', 'Stopped');
    return html`<span class="kpi wide-only"><small>${L('主要通风机', 'Main fan')}</small><span class="v"><b class="${fans.length && !runs ? 'r4' : ''}">${told}</b><i>${[
      quantity && `${number(quantity.value, 0)} m³/min`, pressure && `${number(pressure.value * 1000, 0)} Pa`].filter(Boolean).join(' · ')}</i></span></span>`;
  }
}

/** Links to the pages that the user may open, about the same mine. */
export const pageLinks = () => linksFor(user()?.role, 'dispatch', {lang: state.lang, mine: mine.code})
  .map(({href, zh, en, isCurrent}) => (isCurrent ? html`<a href="${href}" aria-current="page">${L(zh, en)}</a>` : html`<a href="${href}">${L(zh, en)}</a>`));

const isHeld = (alarm) => ['shelved', 'suppressed_by_design', 'out_of_service'].includes(alarm.state);

function one(quantity, nowMs) {
  const point = pointsOf('unplaced').find((each) => each.quantity === quantity)
    ?? [...mine.points.values()].find((each) => each.quantity === quantity);
  const found = point && standing(point, nowMs);
  return found && found.value !== null ? found : null;
}

/** When the newest reading was taken: what the screen is as old as. */
function newestDataMs() {
  let newest = null;
  for (const [id, value] of mine.values) {
    if ((mine.points.get(id)?.feed ?? 'silver.reading') === 'silver.reading' && value.atMs > (newest ?? 0)) newest = value.atMs;
  }
  return newest;
}

/** Begin and length of the shift in which an instant lies, by the mine's own clock. */
export function shiftSpan(row, ms) {
  const offset = (row?.utc_offset_h ?? 8) * 3600e3;
  const dayMs = Math.floor((ms + offset) / 864e5) * 864e5 - offset;
  for (const shift of row?.shifts ?? []) {
    const [hour, minute] = shift.start.split(':').map(Number);
    for (const begin of [dayMs, dayMs - 864e5].map((each) => each + (hour * 60 + minute) * 60e3)) {
      if (begin <= ms && ms < begin + shift.hours * 3600e3) return {begin, hours: shift.hours, shift};
    }
  }
  return {begin: Math.floor(ms / 3600e3) * 3600e3 - 4 * 3600e3, hours: 8, shift: null};
}

function shiftAt(row, ms) {
  const {begin, hours, shift} = shiftSpan(row, ms);
  if (!shift) return '';
  return `${of(shift, 'name')} ${clock(begin).slice(0, 5)}–${clock(begin + hours * 3600e3).slice(0, 5)}`;
}
