// The alarm list: incidents first, unacknowledged on top, eight fixed slots a row; advisories of models apart.

import {user} from '/pages/session.js';
import {alarmSentence, lasted, stateWords, thingOf} from './alarm_words.js';
import {html, show, showRows} from '/pages/html.js';
import {areaName, mayDo, mine} from './mine.js';
import {age, clock, instant, number, stamp} from './numbers.js';
import {kindAndId, state} from './selection.js';
import {alarmShape, cameraMark, forecastMark} from './shapes.js';
import {className, L, of} from './words.js';

const QUIET_MS = 3000;
const ADVISORY_TARGET = 6;
const ADVISORIES_SHOWN = 4;
const TABS = [
  ['active', '活动', 'Active', () => true],
  ['unacked', '未确认', 'Unacked', (each) => each.state.includes('unacked')],
  ['own', '我的', 'Mine', (each) => [each.acked_by, each.assigned_to].includes(user()?.login)],
  ['held', '搁置', 'Held', (each) => HELD.includes(each.state)],
];
const HELD = ['shelved', 'suppressed_by_design', 'out_of_service'];

export class Alarms {
  constructor(element, {select, act}) {
    this.element = element;
    element.innerHTML = String(html`<div class="ph"></div><div class="note" hidden></div><div class="rows" role="list"></div><div class="advice"></div><div class="live" aria-live="assertive"></div>`);
    [this.head, this.note, this.list, this.advice, this.live] = element.children;
    this.tab = 'active';
    this.touchedAt = 0;
    this.folded = new Set();
    this.heard = new Set();
    for (const box of [this.list, this.advice]) {
      box.addEventListener('pointermove', () => { this.touchedAt = Date.now(); });
      box.addEventListener('keydown', () => { this.touchedAt = Date.now(); });
      box.addEventListener('click', (event) => {
        const row = event.target.closest('[data-key]');
        const button = event.target.closest('[data-act]');
        if (button) act(button.dataset.act, row.dataset.key, button.dataset.value);
        else if (row?.classList.contains('gh')) this.fold(row.dataset.key);
        else if (row) select(`alarm:${row.dataset.key}`);
      });
    }
    this.head.addEventListener('click', (event) => {
      const {tab} = event.target.closest('[data-tab]')?.dataset ?? {};
      if (tab) { this.tab = tab; this.touchedAt = 0; this.draw(this.last); }
      if (event.target.closest('[data-act="mute"]')) act('mute');
    });
  }

  fold(key) {
    if (!this.folded.delete(key)) this.folded.add(key);
    this.draw(this.last);
  }

  /** Alarms of the list as it stands, in its order. */
  get shown() { return [...this.list.querySelectorAll('.am')].map((each) => each.dataset.key); }

  draw(told) {
    this.last = told;
    const alarms = (mine.picture?.alarms ?? []).filter((each) => !each.is_advisory);
    const held = alarms.filter((each) => HELD.includes(each.state));
    const listed = alarms.filter((each) => !HELD.includes(each.state));
    const filter = TABS.find(([name]) => name === this.tab)[3];
    const wanted = this.tab === 'held' ? held : listed.filter(filter);
    show(this.head, html`<h2>${L('报警', 'Alarms')}</h2><span class="tabs" role="group">${TABS.map(([name, zh, en, fits]) => html`<button data-tab="${name}" data-key="tab-${name}" aria-pressed="${this.tab === name}">${L(zh, en)} ${name === 'held' ? held.length : listed.filter(fits).length}</button>`)}</span><span class="sp"></span><button class="quiet wide-only" data-act="mute" data-key="mute">${told.sound}</button>`);
    this.mark(alarms, told);
    this.list.setAttribute('aria-label', L('报警', 'Alarms'));
    const hidden = listed.filter((each) => !wanted.includes(each) && each.is_regulator && each.state.includes('unacked')).length;
    this.note.hidden = !(hidden || mine.picture?.flood_since);
    show(this.note, html`${mine.picture?.flood_since ? html`<b>${L(`报警洪峰：${mine.picture.shown_in_10_min} 条 / 10 min，已按事件归并`, `Alarm flood: ${mine.picture.shown_in_10_min} in 10 min, grouped by incident`)}</b>` : ''}${hidden ? html` ${L(`此筛选之外还有 ${hidden} 条监管类未确认`, `${hidden} unacked of regulator class outside this filter`)}` : ''}`);
    if (!wanted.length) {
      showRows(this.list, [{key: 'none', markup: html`<div class="empty"><div>${mine.picture ? this.tab === 'active' ? L('无活动报警', 'No active alarm') : L('此列表为空', 'Nothing in this list') : ''}<small>${mine.picture ? L(`搁置与停用 ${held.length}`, `held or out of service ${held.length}`) : ''}</small></div></div>`}]);
    } else showRows(this.list, this.rows(wanted, told));
    this.drawAdvice(told);
  }

  rows(alarms, told) {
    const incidents = grouped(alarms);
    const rank = (list) => {
      const unacked = list.filter((each) => each.state.includes('unacked'));
      return Math.min(...(unacked.length ? unacked : list).map((each) => each.priority)) - (unacked.length ? 10 : 0);
    };
    const sorted = [...incidents].sort(([, a], [, b]) => rank(a) - rank(b) || begin(a) - begin(b));
    if (Date.now() - this.touchedAt < QUIET_MS && this.order) {
      const place = new Map(this.order.map((key, at) => [key, at]));
      sorted.sort(([a], [b]) => (place.get(a) ?? 1e9) - (place.get(b) ?? 1e9));
    }
    this.order = sorted.map(([key]) => key);
    return sorted.flatMap(([key, list]) => {
      const rows = [...list].sort((a, b) => b.state.includes('unacked') - a.state.includes('unacked')
        || (a.state.includes('unacked') ? a.priority - b.priority : b.is_active - a.is_active || a.priority - b.priority)
        || b.is_regulator - a.is_regulator || instant(b.raised_at) - instant(a.raised_at));
      const head = {key: `incident ${key}`, markup: this.incident(list, told)};
      const all = rows.map((each) => ({key: each.alarm_id, markup: this.row(each, told)}));
      if (list.length === 1 && !causeOf(list)) return all;
      return this.folded.has(head.key) ? [head] : [head, ...all];
    });
  }

  incident(list, {nowMs}) {
    const weight = (each) => each.is_regulator * 10 + each.level;
    const worst = list.reduce((a, b) => (weight(a) >= weight(b) ? a : b));
    const disposition = mine.picture.dispositions.find((each) => list.some((alarm) => alarm.disposition_id === each.disposition_id));
    const number_ = disposition ? disposition.disposition_id.split('-').slice(-2).join('-') : '';
    const cause = causeOf(list);
    return html`<div class="gh"><div class="t"><b class="ell">${L('事件', 'Incident')} ${number_ ? `${number_} · ` : ''}${areaName(worst.area_id)}${L(' ', ', ')}${className(worst)}</b><span class="sp"></span>
      <span class="sec nw">${L(`${list.length} 条 · 自 ${stamp(begin(list), nowMs)}`, `${list.length} · since ${stamp(begin(list), nowMs)}`)}</span></div>
      ${cause ? html`<div class="min mut ell" title="${of(cause, 'sentence')}">${L('疑因', 'Likely cause')} ${number(100 * cause.score, 0)} %${L('：', ': ')}${of(cause, 'sentence').replace(/^[^：:]*[：:]\s*/, '')}</div>` : ''}</div>`;
  }

  row(alarm, {nowMs}) {
    const unacked = alarm.state.includes('unacked');
    const [kind, id] = kindAndId(state.place);
    const isSelected = kind === 'alarm' && id === alarm.alarm_id;
    const may = mayDo('dispatcher') && state.replay === null;
    return html`<div class="am p${alarm.priority} ${unacked ? 'un' : ''} ${isSelected ? 'sel' : ''} ${unacked && alarm.is_active && alarm.priority === 1 ? 'flash' : ''} ${HELD.includes(alarm.state) ? 'held' : ''}" role="listitem" aria-current="${isSelected}" tabindex="${isSelected ? 0 : -1}">
      ${alarmShape(alarm)}<span class="tm">${stamp(instant(alarm.raised_at), nowMs)}</span><span class="pl ell" title="${areaName(alarm.area_id)} ${thingOf(alarm)}">${areaName(alarm.area_id)} ${thingOf(alarm)}</span><span class="ag">${lasted(alarm, nowMs)}</span>
      <span class="ky"></span><span class="tx ell" title="${of(alarm, 'sentence')}"><b>${className(alarm)}</b> ${alarmSentence(alarm)}</span><span class="st">${stateWords(alarm, nowMs)}</span>
      ${isSelected ? html`<div class="act">${unacked ? html`<button class="btn p" data-act="ack" ${may ? '' : 'disabled'}>${L('确认', 'Ack')} <kbd>A</kbd></button>` : ''}
        <button class="btn" data-act="assign" ${may ? '' : 'disabled'}>${L('指派', 'Assign')} <kbd>S</kbd></button>
        ${alarm.disposition_id ? html`<button class="btn" data-act="dispose">${L('处置', 'Dispose')} <kbd>D</kbd></button>` : html`<button class="btn" data-act="shelve" ${may || mayDo('engineer') ? '' : 'disabled'}>${L('搁置', 'Shelve')} <kbd>V</kbd></button>`}
        ${alarm.state === 'latched' && !alarm.disposition_id ? html`<button class="btn" data-act="reset" ${may ? '' : 'disabled'}>${L('复位', 'Reset')}</button>` : ''}
        <span class="min mut ell">${state.replay !== null ? L('回放中不可操作', 'off while replaying') : !may ? L('无权处置：需要“调度员”角色', 'not allowed: needs the dispatcher role') : alarm.is_regulator ? L('监管类：不可搁置、不可批量确认', 'Regulator class: cannot be shelved') : ''}</span></div>` : ''}</div>`;
  }

  drawAdvice({nowMs}) {
    const rows = (mine.picture?.alarms ?? []).filter((each) => each.is_advisory && !HELD.includes(each.state));
    const hour = rows.filter((each) => nowMs - instant(each.raised_at) < 3600e3).length;
    const may = mayDo('dispatcher', 'analyst', 'engineer') && state.replay === null;
    show(this.advice, html`<div class="aih"><b>${L('AI 提示', 'AI advisories')}</b><span class="mut min">${L('仅供参考，不计入报警', 'advice only, not counted as alarms')}</span><span class="sp"></span><span class="min mut nw">${L(`${hour} 条 / h · 目标 ≤ ${ADVISORY_TARGET}`, `${hour} per h · target ≤ ${ADVISORY_TARGET}`)}</span></div>
      ${rows.length ? rows.slice(0, ADVISORIES_SHOWN).map((each) => {
        const isSelected = state.place === `alarm:${each.alarm_id}`;
        return html`<div class="ai ${isSelected ? 'sel' : ''}" data-key="${each.alarm_id}" tabindex="${isSelected ? 0 : -1}">${each.class_name === 'forecast' ? forecastMark : cameraMark}<span class="tm">${stamp(instant(each.raised_at), nowMs)}</span>
          <span class="ell" title="${of(each, 'sentence')}">${areaName(each.area_id)} ${alarmSentence(each)}</span>${isSelected && may && !each.verdict
            ? html`<span class="nw"><button class="btn s" data-act="verdict" data-value="confirmed">${L('属实', 'True')} <kbd>Y</kbd></button> <button class="btn s" data-act="verdict" data-value="rejected">${L('误报', 'False')} <kbd>X</kbd></button></span>`
            : html`<span class="min mut nw">${each.verdict ? L('已属实', 'confirmed') : age(nowMs - instant(each.raised_at))}</span>`}</div>`;
      }) : html`<div class="min mut none">${L('无提示', 'none')}</div>`}`);
  }

  /** Tell a reader who does not look: each new urgent alarm once. */
  mark(alarms, {nowMs}) {
    const urgent = alarms.filter((each) => each.state === 'active_unacked' && each.priority === 1);
    const fresh = urgent.filter((each) => !this.heard.has(each.alarm_id));
    fresh.forEach((each) => this.heard.add(each.alarm_id));
    if (fresh.length) this.live.textContent = `${areaName(fresh[0].area_id)} ${thingOf(fresh[0])} ${className(fresh[0])} ${clock(nowMs)}`;
  }
}

/** The likeliest cause of one of the alarms; null where none is known. */
const causeOf = (list) => list.flatMap((each) => each.findings).map((each) => mine.causes?.get(each.candidate_id)).find(Boolean) ?? null;

const begin = (list) => Math.min(...list.map((each) => instant(each.raised_at)));

function grouped(alarms) {
  const found = new Map();
  for (const each of alarms) found.set(each.incident_id, [...(found.get(each.incident_id) ?? []), each]);
  return found;
}
