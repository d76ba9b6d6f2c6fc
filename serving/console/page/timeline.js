// What was done about the selected alarm's incident, by whom, what is still open, and the clocks that run on it.

import {thingOf} from './alarm_words.js';
import {html, show} from '/pages/html.js';
import {alarmOf, areaName, areaOf, dispositionOf, mine} from './mine.js';
import {age, instant, stamp} from './numbers.js';
import {kindAndId, state} from './selection.js';
import {className, L} from './words.js';

const STATES = {draft: ['草稿', 'draft'], handling: ['处置中', 'in progress'], submitted: ['待复核', 'to be checked'], closed: ['已关闭', 'closed']};
export const dispositionState = (name) => L(...STATES[name]);
const CLOCK_NAMES = {acknowledge: ['确认', 'Ack'], act: ['首次措施', 'First action'], close: ['关闭', 'Close']};

/** The disposition of the selected alarm, else the newest open one of the selected area. */
export function selectedDisposition() {
  const selected = kindAndId(state.place);
  const alarm = selected[0] === 'alarm' ? alarmOf(selected[1]) : null;
  if (alarm) return dispositionOf(alarm.disposition_id ?? '');
  const area = areaOf(selected);
  const rows = (mine.picture?.dispositions ?? []).filter((each) => !area || each.area_id === area || each.alarm_ids.some((id) => alarmOf(id)?.area_id === area));
  return rows.sort((a, b) => instant(b.opened_at) - instant(a.opened_at))[0] ?? null;
}

export class Timeline {
  constructor(element, {act}) {
    element.innerHTML = String(html`<div class="ph"></div><div class="tl"></div><div class="clk"></div>`);
    [this.head, this.list, this.clocks] = element.children;
    this.head.addEventListener('click', (event) => { if (event.target.closest('[data-act]')) act('dispose'); });
  }

  draw({nowMs}) {
    const disposition = selectedDisposition();
    show(this.head, html`<h2>${L('处置时间线', 'Disposal timeline')}</h2><span class="sm sec">${disposition ? shortId(disposition) : ''}</span><span class="sp"></span>${disposition ? html`<button class="tag" data-act="dispose" data-key="open-drawer">${dispositionState(disposition.state)}</button>` : ''}`);
    if (!disposition) {
      const alarm = alarmOf(kindAndId(state.place)[1]);
      show(this.list, html`<div class="empty"><div>${alarm ? L('此报警无须处置单', 'This alarm needs no disposal') : L('未选择报警', 'No alarm selected')}</div></div>`);
      show(this.clocks, html``);
      return;
    }
    show(this.list, html`${happened(disposition, nowMs).slice(-6).map(({at, mark, words, by}) => html`<div class="tle"><span class="min mut">${at}</span><span class="d ${mark}"></span><span class="ell ${mark === 'w' ? 'strong' : ''}" title="${words}">${words}</span><span class="min mut nw">${by}</span></div>`)}`);
    show(this.clocks, html`${clockWords(disposition).map(({name, took, within, tone}) => html`<span>${name} <b class="${tone}">${took}</b> / ${within}</span>`)}`);
  }
}

export const shortId = (disposition) => disposition.disposition_id.replace(/-\d{10,}-/, '-');

/** The clocks of a disposition in words; orange from 80 % of the time, red when it ran out. */
export function clockWords(disposition) {
  return Object.entries(disposition.clocks).map(([name, each]) => ({
    key: name,
    name: L(...CLOCK_NAMES[name]),
    took: age(each.took_s * 1000),
    within: each.within_s >= 3600 ? `${each.within_s / 3600} h` : age(each.within_s * 1000),
    tone: each.is_over || each.took_s > each.within_s ? 'r4' : each.took_s > 0.8 * each.within_s ? 'r3' : '',
  }));
}

/** Everything that was written in it, in order, then what is open. */
function happened(disposition, nowMs) {
  const alarms = disposition.alarm_ids.map(alarmOf).filter(Boolean);
  const found = [];
  const add = (at, words, by, mark = '') => found.push({ms: instant(at), at: stamp(instant(at), nowMs), words, by, mark});
  const system = L('系统', 'system');
  for (const alarm of alarms) {
    add(alarm.raised_at, `${thingOf(alarm)} ${className(alarm)}`.trim(), system);
    if (alarm.acked_at) add(alarm.acked_at, L(`已确认 ${thingOf(alarm)} ${className(alarm)}`, `Acknowledged ${thingOf(alarm)} ${className(alarm)}`), alarm.acked_by);
  }
  const channels = mine.options?.channels ?? {};
  for (const each of disposition.told) add(each.told_at, L(`通知 ${each.role || ''} ${each.who}，${channels[each.channel]?.zh ?? each.channel}${answer(each.has_answered)}`, `Told ${each.role || ''} ${each.who}, ${channels[each.channel]?.en ?? each.channel}${answer(each.has_answered)}`), each.by, each.has_answered === false ? 'o' : '');
  for (const each of disposition.judged) add(each.at, `${L('原因', 'Cause')}${L('：', ': ')}${causeName(alarms, each.cause)}`, each.by);
  for (const each of disposition.actions) add(each.done_at ?? each.at, `${each.text}${each.done_at ? L('：已完成', ': done') : L('：待回报', ': not reported yet')}`, each.done_by ?? each.assigned_to ?? each.by, each.done_at ? '' : 'o');
  for (const each of disposition.withdrawals) add(each.at, L(`撤人 ${each.out}/${each.of}`, `Out ${each.out}/${each.of}`), each.by);
  for (const each of disposition.restorations) add(each.restored_at, L(`恢复，瓦检员 ${each.inspector}`, `Restored, gas inspector ${each.inspector}`), each.by);
  for (const each of disposition.checks) add(each.at, each.is_agreed ? L('复核同意', 'Check agreed') : L(`复核退回：${each.reason}`, `Sent back: ${each.reason}`), each.by);
  found.sort((a, b) => a.ms - b.ms);
  const waiting = alarms.filter((each) => each.state.includes('unacked'));
  if (waiting.length) found.push({at: age(nowMs - instant(waiting.at(-1).raised_at)), words: L(`${waiting.length} 条报警待确认：${areaName(waiting[0].area_id)} ${className(waiting[0])}`, `${waiting.length} waiting for acknowledgement: ${className(waiting[0])}`), by: '', mark: 'w'});
  else if (disposition.missing.length && disposition.state !== 'closed') found.push({at: '', words: disposition.missing.map((each) => L(each.zh, each.en)).join(L('；', '; ')), by: '', mark: 'o'});
  return found;
}

const answer = (has) => (has === null ? '' : has ? L('，已接听', ', answered') : L('，未接听', ', no answer'));

export function causeName(alarms, cause) {
  for (const alarm of alarms) {
    const text = mine.options?.classes.find((each) => each.name === alarm.class_name)?.causes[cause];
    if (text) return L(text.zh, text.en);
  }
  return cause;
}
