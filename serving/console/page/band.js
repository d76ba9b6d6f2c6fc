// The focus band: where, why, who and what next, for the worst place; always there and always as high.

import {html, show} from '/pages/html.js';
import {areaName, areasWorstFirst, decimals, dispositionOf, mayDo, mine, nearestToLimit, pointShort, pointsOf, standing} from './mine.js';
import {age, instant, number, unitName, withUnit} from './numbers.js';
import {riskShape} from './shapes.js';
import {className, L, levelName, of, quantityName} from './words.js';
import {alarmSentence, stepsOf} from './alarm_words.js';

export class Band {
  constructor(element, {select, act}) {
    this.element = element;
    this.turn = 0;
    element.addEventListener('click', (event) => {
      const button = event.target.closest('[data-act]');
      if (button?.dataset.act === 'turn') {
        this.turn += 1;
        this.draw(this.last);
      } else if (button) act(button.dataset.act, this.alarm);
      else if (this.area) select(`area:${this.area.area_id}`);
    });
  }

  draw(told) {
    this.last = told;
    const ranked = areasWorstFirst();
    const reds = ranked.filter((each) => each.now?.level > 0 && each.now.level === ranked[0].now?.level);
    const worst = reds.length ? reds[this.turn % reds.length] : null;
    this.area = worst;
    const level = worst?.now.level ?? 0;
    this.element.className = `focus l${level}`;
    show(this.element, worst ? this.event(worst, reds, told) : this.calm(ranked, told));
  }

  event(area, reds, {nowMs}) {
    const {now} = area;
    const alarms = mine.picture.alarms.filter((each) => each.area_id === area.area_id && !each.is_advisory);
    const urgent = [...alarms].sort((a, b) => a.state.includes('unacked') === b.state.includes('unacked')
      ? a.priority - b.priority || (b.class_name === 'methane') - (a.class_name === 'methane') : a.state.includes('unacked') ? -1 : 1);
    this.alarm = urgent[0] ?? null;
    const lead = mine.picture.alarms.find((each) => each.alarm_id === now.worst_alarm) ?? urgent.find((each) => each.is_active) ?? null;
    const point = mine.points.get(lead?.point_id) ?? worstPoint(area, nowMs);
    const second = alarms.filter((each) => each !== lead && each.is_active).sort((a, b) => b.level - a.level)[0];
    const disposition = dispositionOf(alarms.find((each) => each.disposition_id)?.disposition_id ?? '');
    const steps = stepsOf(this.alarm, disposition, nowMs);
    const unacked = this.alarm?.state.includes('unacked');
    return html`
      <div class="fc where">${riskShape(now.level, 'huge')}<div><span class="lb">${L('哪里', 'WHERE')} · <b class="r${now.level}">${levelName(now.level)}</b>${reds.length > 1
        ? html` <button class="turn" data-act="turn" title="${L('下一处同级', 'next of the same level')}">${(this.turn % reds.length) + 1}/${reds.length} ▸</button>` : ''}</span>
        <b class="place" title="${areaName(area.area_id)}">${areaName(area.area_id)}</b><span class="sm sec ell">${point ? pointShort(point) : ''}</span></div></div>
      <div class="fc"><span class="lb">${L('为什么', 'WHY')} · ${point ? quantityName(point.quantity) : L('指标', 'index')}</span>
        ${point ? this.value(point, lead, now, nowMs) : html`<div class="row"><b class="lead r${now.level}">${of(now, 'why').split('：')[0].slice(0, 40)}</b></div>`}
        <span class="sm ell" title="${of(now, 'why')}">${second ? html`<b class="r${second.level}">${className(second)}</b> ${alarmSentence(second, nowMs)}` : of(now, 'why')}</span></div>
      ${this.who(area, disposition)}
      <div class="fc next"><div class="steps"><span class="lb">${L('下一步', 'NEXT')}</span>${steps.slice(0, 3).map((step, at) => html`<div class="${at ? '' : 'now'}"><span class="n">${at + 1}</span><span class="ell" title="${step}">${step}</span></div>`)}</div>
        <div class="do">${unacked && mayDo('dispatcher') ? html`<button class="btn p" data-act="ack">${L('确认', 'Ack')} <kbd>A</kbd></button>` : ''}
        ${this.alarm?.disposition_id ? html`<button class="btn" data-act="dispose">${L('处置', 'Dispose')} <kbd>D</kbd></button>` : ''}</div></div>`;
  }

  value(point, lead, now, nowMs) {
    const found = standing(point, nowMs);
    const level = Math.max(found.level, lead?.level ?? 0);
    const limits = [point.alarm, point.cut].filter((each) => each !== null && each !== undefined);
    const top = Math.max(...limits, found.value ?? 0, 0) * 1.3 || 1;
    const reached = [...limits].sort((a, b) => b - a).find((each) => found.value !== null && found.value >= each);
    const slope = point.quantity === 'ch4' && now.ch4_pct_trend_per_h !== null ? now.ch4_pct_trend_per_h / 60 : null;
    const told = [
      reached !== undefined ? `≥ ${number(reached, decimals(point))} ${reached === point.cut ? L('断电值', 'cut-off') : L('报警值', 'alarm')}` : '',
      lead ? `${L('已', 'for')} ${age(nowMs - instant(lead.raised_at))}` : '',
    ].filter(Boolean).join(' · ');
    return html`<div class="row"><b class="big r${level}" data-band="value">${found.state === 'over' ? '≥ ' : ''}${withUnit(found.value, point.unit, decimals(point))}</b>
      <svg class="limits" viewBox="0 0 190 24" aria-hidden="true"><rect x="0" y="3" width="190" height="9" fill="var(--line)"/>${found.value === null ? ''
        : html`<rect x="0" y="3" width="${Math.min(190, 190 * found.value / top).toFixed(1)}" height="9" fill="${level ? `var(--risk-${level})` : 'var(--symbol)'}"/>`}
        ${limits.map((each) => html`<path d="M${(190 * each / top).toFixed(1)} 0V14" stroke="var(--ink)" stroke-width="1.6"/>`)}</svg>
      <span class="sm nw">${told}${slope !== null && Math.abs(slope) >= 0.005 ? html` · <b>${slope > 0 ? '↑' : '↓'} ${number(Math.abs(slope), 2)} %/min</b>` : ''}</span></div>
      <span class="ticks" aria-hidden="true">${limits.length ? `${L('限值', 'limits')} ${limits.map((each) => number(each, decimals(point))).join(' · ')} ${unitName(point.unit)}` : L('限值未配置', 'no limit set')}</span>`;
  }

  who(area, disposition) {
    const {people_count: count, people_cap: cap} = area.now;
    const out = disposition?.withdrawals.at(-1);
    const share = out?.of ? out.out / out.of : cap ? Math.min(1, count / cap) : 0;
    return html`<div class="fc"><span class="lb">${L('谁在 · 现场人数', 'WHO · people on site')}</span>
      <div class="row"><b class="big" data-band="people">${count ?? '—'}</b><span class="sm nw">${cap ? `/ ${L('核定', 'cap')} ${cap}` : L('未核定', 'no cap')}</span>
      <svg class="share" viewBox="0 0 60 8" aria-hidden="true"><rect width="60" height="8" fill="var(--line)"/><rect width="${(60 * share).toFixed(1)}" height="8" fill="var(--symbol)"/></svg>
      ${out ? html`<b class="sm nw">${L('已撤', 'out')} ${out.out}/${out.of}</b>` : ''}</div>
      <span class="sm sec ell">${wayOut(area) ?? (out ? '' : L('撤人尚未清点', 'not counted out yet'))}</span></div>`;
  }

  calm(ranked, {nowMs}) {
    this.alarm = null;
    const near = nearestToLimit(nowMs);
    const unknown = ranked.filter((each) => (each.now?.level ?? null) === null && each.kind !== 'goaf').length;
    const over = ranked.filter((each) => each.now?.people_cap && each.now.people_count > each.now.people_cap).length;
    const count = mine.picture?.underground?.people_count;
    return html`
      <div class="fc where">${riskShape(0, 'tall')}<div><span class="lb">${L('最危险地点', 'WHERE')}</span><b class="place">${mine.picture ? L('全矿正常', 'Whole mine normal') : '—'}</b>
        <span class="sm sec">${unknown ? L(`数据不足 ${unknown} 处`, `${unknown} with insufficient data`) : L('数据齐全', 'data complete')}</span></div></div>
      <div class="fc"><span class="lb">${L('最接近限值', 'Closest to a limit')}</span><span>${near ? html`${areaName(near.point.area_id)} ${pointShort(near.point)} ${quantityName(near.point.quantity)} ${withUnit(near.value, near.point.unit, decimals(near.point))}${L('，报警值 ', ', alarm ')}${withUnit(near.point.alarm, near.point.unit, decimals(near.point))}` : '—'}</span></div>
      <div class="fc"><span class="lb">${L('人员', 'People')}</span><span>${count ?? '—'} ${L('人', 'people')}${over ? L(`，超员 ${over} 处`, `, ${over} over cap`) : L('，无超员', ', none over cap')}</span></div>
      <div class="fc"><span class="lb">${L('下一步', 'NEXT')}</span><span>${L('无待办', 'Nothing to do')}</span></div>`;
  }
}

function worstPoint(area, nowMs) {
  const found = pointsOf(area.area_id).filter((each) => each.alarm !== null)
    .map((point) => ({point, share: (standing(point, nowMs).value ?? 0) / point.alarm}))
    .sort((a, b) => b.share - a.share)[0];
  return found?.share > 0.8 ? found.point : null;
}

/** The way out of the area as the lake has it for the people there, in words; null where none was asked for or told. */
function wayOut(area) {
  const routes = (mine.routes ?? []).filter((each) => each.area_id === area.area_id && each.length_m);
  if (!routes.length) return null;
  const far = routes.reduce((a, b) => (a.walk_min > b.walk_min ? a : b));
  const goal = [...(mine.row.exits ?? []), ...(mine.row.refuge_chambers ?? [])].find((each) => (each.node_id ?? each.chamber_id) === far.goal_id);
  return L(`至${of(goal, 'name') || '出口'} ${number(far.length_m, 0)} m ≈ ${number(far.walk_min, 0)} min`,
    `to ${of(goal, 'name') || 'exit'} ${number(far.length_m, 0)} m ≈ ${number(far.walk_min, 0)} min`);
}
