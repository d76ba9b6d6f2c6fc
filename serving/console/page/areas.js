// The list of areas: worst first, with the value each is watched by, who is there, and the last hour.

import {html, show, showRows} from '/pages/html.js';
import {areaName, areaOf, areasWorstFirst, pointsOf} from './mine.js';
import {number, unitName} from './numbers.js';
import {kindAndId, state} from './selection.js';
import {gasSign, personMark, riskShape} from './shapes.js';
import {L, of} from './words.js';

const MAIN = {ch4_pct_max: ['CH4', 2, 'ch4'], co_ppm_max: ['CO', 0, 'co'], air_velocity_m_s: ['v', 1, 'air_velocity'], temperature_c: ['', 1, 'temperature'], o2_pct_min: ['O2', 1, 'o2']};
// A row keeps its place while the pointer or a key is at work in the list.
const QUIET_MS = 3000;
// A minute of an area is old after so long.
const OLD_MS = 5 * 60e3;

export class Areas {
  constructor(element, {select}) {
    this.element = element;
    element.innerHTML = String(html`<div class="ph"></div><div class="al" role="listbox" tabindex="-1"></div>`);
    [this.head, this.list] = element.children;
    this.order = [];
    this.touchedAt = 0;
    this.list.addEventListener('pointermove', () => { this.touchedAt = Date.now(); });
    this.list.addEventListener('keydown', () => { this.touchedAt = Date.now(); });
    this.list.addEventListener('click', (event) => {
      const row = event.target.closest('[data-key]');
      if (row) select(`area:${row.dataset.key}`);
    });
  }

  draw({nowMs}) {
    const ranked = areasWorstFirst();
    if (Date.now() - this.touchedAt > QUIET_MS || ranked.length !== this.order.length) this.order = ranked.map((each) => each.area_id);
    const rows = new Map(ranked.map((each) => [each.area_id, each]));
    const selected = areaOf(kindAndId(state.place));
    show(this.head, html`<h2>${L('区域', 'Areas')} <span class="light">${ranked.length}</span></h2><span class="sp"></span><span class="sm sec">${L('按 风险 × 人数', 'by risk × people')}</span>`);
    this.list.setAttribute('aria-label', L('区域', 'Areas'));
    showRows(this.list, this.order.filter((id) => rows.has(id)).map((id) => ({key: id, markup: this.row(rows.get(id), id === selected, nowMs)})));
  }

  row(area, isSelected, nowMs) {
    const now = area.now;
    const level = now?.level ?? null;
    const isOld = now && nowMs - Date.parse(now.minute) > OLD_MS;
    const cap = now?.people_cap ?? area.cap;
    const isOver = cap && now?.people_count > cap;
    const [sign, digits, quantity] = MAIN[now?.main] ?? ['', 2, ''];
    const value = now?.main ? html`${sign ? gasSign(`${sign} `) : ''}${number(now.main_value, digits)} ${unitName(now.main_unit)}` : '—';
    return html`<div class="ar l${level ?? 0} ${isOld ? 'stale' : ''} ${isSelected ? 'sel' : ''}" role="option" tabindex="${isSelected ? 0 : -1}" aria-selected="${isSelected}">
      ${riskShape(level)}<span class="nm ell" title="${areaName(area.area_id)}">${areaName(area.area_id)}</span><span class="pp">${value}</span>
      <span class="why ell">${personMark} <span class="${isOver ? 'r3 strong' : ''}">${now?.people_count ?? '—'}${cap ? ` / ${cap}` : ''}</span>${reason(area, isOver, isOld)}</span>
      ${spark(now, quantity, area)}</div>`;
  }
}

/** Why the area is not simply normal, in few words. */
function reason(area, isOver, isOld) {
  const now = area.now;
  if (area.kind === 'goaf' && !now?.readings_expected) return html` · ${L('密闭', 'sealed')}`;
  if (isOld) return html` · ${L('数据陈旧', 'old data')}`;
  if (!now || now.level === null) return html` · ${L('数据不足', 'insufficient data')}${share(now)}`;
  if (isOver) return html` · ${L('超员', 'over cap')}`;
  if (now.level > 0) return html` · ${short(of(now, 'why'))}`;
  return now.readings_expected && now.readings_good / now.readings_expected < 0.6 ? html` · ${L('数据不足', 'insufficient data')}${share(now)}` : '';
}

const share = (now) => (now?.readings_expected ? ` ${Math.round((100 * now.readings_good) / now.readings_expected)} %` : '');

function short(why) {
  const rest = why.replace(/^[^：:]*[：:]\s*/, '');
  const clause = (/[：:]/.test(rest) ? rest.replace(/^[^：:]*[：:]\s*/, '') : rest).split(/[，,；;。]/)[0];
  return clause.length > 22 ? `${clause.slice(0, 21)}…` : clause;
}

function spark(now, quantity, area) {
  if (!now?.main) return html`<svg class="spk" viewBox="0 0 72 18" aria-hidden="true"><path d="M0 12H72" stroke="var(--ink-off)" stroke-dasharray="2 3"/></svg>`;
  const values = now.trend;
  const limits = pointsOf(area.area_id).filter((each) => each.quantity === quantity && each.alarm).map((each) => each.alarm);
  const limit = limits.length ? Math.min(...limits) : null;
  const known = values.filter((each) => each !== null);
  const low = quantity === 'ch4' || quantity === 'co' ? 0 : Math.min(...known) * 0.9;
  const high = Math.max(limit !== null ? limit * 1.1 : 0, ...known, low + 1e-6) * (limit === null ? 1.1 : 1);
  const y = (value) => (16.5 - (15 * (value - low)) / (high - low || 1)).toFixed(1);
  let path = '';
  let open = false;
  values.forEach((value, at) => {
    if (value === null) { open = false; return; }
    path += `${open ? 'L' : 'M'}${((70 * at) / Math.max(1, values.length - 1)).toFixed(1)} ${y(value)}`;
    open = true;
  });
  const last = known.at(-1);
  const level = now.level > 0 ? now.level : 0;
  const isOver = limit !== null && known.some((each) => each >= limit);
  return html`<svg class="spk" viewBox="0 0 72 18" aria-hidden="true">${limit !== null ? html`<path d="M0 ${y(limit)}H72" stroke="${isOver ? 'var(--risk-4-line)' : 'var(--line-2)'}" stroke-dasharray="3 2.4"/>` : ''}<path d="${path}" fill="none" stroke="var(--ink-2)" stroke-width="1.3"/>${values.at(-1) !== null && values.length ? html`<circle cx="70" cy="${y(last)}" r="1.8" fill="${level ? `var(--risk-${level})` : 'var(--ink-2)'}"/>` : ''}</svg>`;
}
