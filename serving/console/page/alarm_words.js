// What an alarm says and what comes next, in words: place, value, limit, since, state, next.

import {decimals, mine, pointShort} from './mine.js';
import {age, instant, number, withUnit} from './numbers.js';
import {stateName} from './shapes.js';
import {className, L, of, quantityName} from './words.js';

/** What the alarm is about, without its area's name. */
export function thingOf(alarm) {
  const point = mine.points.get(alarm.point_id);
  if (point) return alarm.class_name === 'methane' ? pointShort(point) : `${pointShort(point)} ${quantityName(point.quantity)}`;
  const camera = mine.cameras.get(alarm.entity);
  if (camera) return camera.name || camera.camera_code.slice(-6);
  return alarm.entity === alarm.area_id || alarm.entity === alarm.mine_code ? '' : alarm.entity;
}

// How long it lasted stands in the row's own place.
const LASTING = /[，；;,]?\s*(持续|for)\s*[\d.]+\s*(分钟|秒|小时|min|s|h)[^，；;,。.]*[。.]?$/;

/** Value against its limit where there is one, else the finding's own sentence without the place before it. */
export function alarmSentence(alarm) {
  const point = mine.points.get(alarm.point_id);
  const value = alarm.value ?? (alarm.is_active ? mine.values.get(alarm.point_id)?.value ?? null : null);
  if (point && value !== null && ['methane', 'power_cut'].includes(alarm.class_name)) {
    const limit = alarm.level >= 4 && point.cut ? point.cut : point.alarm;
    const name = limit === point.cut && alarm.level >= 4 ? L('断电值', 'cut-off') : L('报警值', 'alarm');
    const sign = value >= (limit ?? Infinity) ? '≥' : '<';
    return `${withUnit(value, point.unit, decimals(point))}${limit ? ` ${sign} ${number(limit, decimals(point))} ${name}${point.limit_confidence === 'confirmed' || !point.limit_confidence ? '' : L('（建议）', ' (advisory)')}` : ''}`;
  }
  const sentence = of(alarm, 'sentence');
  const said = sentence.includes('：') ? sentence.slice(sentence.indexOf('：') + 1) : sentence.includes(': ') ? sentence.slice(sentence.indexOf(': ') + 2) : sentence;
  return said.replace(LASTING, '') || className(alarm);
}

/** Who has it, or how long until it is escalated. */
export function stateWords(alarm, nowMs) {
  if (alarm.state === 'active_unacked' || alarm.state === 'cleared_unacked') {
    const next = nextRung(alarm, nowMs);
    return next ? L(`${stateName(alarm.state)} · ${next.inS} s 后升级`, `${stateName(alarm.state)} · escalates in ${next.inS} s`)
      : alarm.rung ? L(`${stateName(alarm.state)} · 已升至${lastRung(alarm)}`, `${stateName(alarm.state)} · at ${lastRung(alarm)}`) : stateName(alarm.state);
  }
  const who = alarm.assigned_to ? L(`已指派 · ${alarm.assigned_to}`, `assigned · ${alarm.assigned_to}`) : alarm.acked_by ?? '';
  return [alarm.assigned_to ? '' : stateName(alarm.state), who].filter(Boolean).join(' · ');
}

function ladderOf(alarm) {
  const row = mine.options?.classes.find((each) => each.name === alarm.class_name);
  return row?.ladders[String(alarm.priority)] ?? [];
}

/** The next rung of the ladder, where it comes within ten minutes. */
function nextRung(alarm, nowMs) {
  const rung = ladderOf(alarm)[alarm.rung];
  const since = instant(alarm.waiting_since);
  if (!rung || since === null) return null;
  const inS = Math.round(rung[0] - (nowMs - since) / 1000);
  return inS > 0 && inS < 600 ? {inS, to: L(rung[1], rung[2])} : null;
}

const lastRung = (alarm) => {
  const rung = ladderOf(alarm)[alarm.rung - 1];
  return rung ? L(rung[1], rung[2]) : '';
};

/** At most a few steps, the open one first. */
export function stepsOf(alarm, disposition, nowMs) {
  const steps = [];
  if (alarm?.state.includes('unacked')) {
    const next = nextRung(alarm, nowMs);
    steps.push(L(`确认${className(alarm)}${next ? `（${next.inS} s 后升级至${next.to}）` : ''}`, `Ack ${of(alarm, 'class')}${next ? ` (${next.inS} s to escalation)` : ''}`));
  }
  if (disposition) {
    const out = disposition.withdrawals.at(-1);
    if (!disposition.told.length) steps.push(L('通知跟班队长与带班矿领导', 'Tell the foreman and the duty leader'));
    if (disposition.missing.some((each) => each.zh.startsWith('撤人'))) {
      steps.push(out ? L(`清点撤人 ${out.out}/${out.of}`, `Count people out ${out.out}/${out.of}`) : L('撤人并清点人数', 'Withdraw and count people out'));
    }
    const open = disposition.actions.find((each) => !each.done_at);
    if (open) steps.push(L(`核实：${open.text}`, `Verify: ${open.text}`));
    if (!disposition.judged.length) steps.push(L('判定原因并附证据', 'Judge the cause, with evidence'));
    if (!disposition.actions.length) steps.push(L('记录措施', 'Record what is done'));
    if (disposition.state === 'submitted') steps.push(L('等待另一人复核', 'Waits for a second person’s check'));
    else if (!disposition.missing.length) steps.push(L('提交复核', 'Submit for the second check'));
    else if (!steps.length) steps.push(L(disposition.missing[0].zh, disposition.missing[0].en));
  }
  if (!steps.length) steps.push(L('关注趋势', 'Watch the trend'));
  return steps;
}

/** How long it lasts, or lasted. */
export const lasted = (alarm, nowMs) => age((instant(alarm.cleared_at) ?? nowMs) - instant(alarm.raised_at));
