// The time bar: the shift with its worst methane and its alarms; dragging the handle leaves live and shows a past minute.

import {call} from '/pages/session.js';
import {html, show} from '/pages/html.js';
import {mine} from './mine.js';
import {hourMinute, instant} from './numbers.js';
import {state} from './selection.js';
import {riskShape} from './shapes.js';
import {shiftSpan} from './topbar.js';
import {L} from './words.js';

const REFRESH_MS = 20e3;
const SPEEDS = [1, 4, 16, 60];

export class TimeBar {
  constructor(element, {travel, live, select}) {
    element.innerHTML = String(html`<div class="left"></div><div class="strip"><svg viewBox="0 0 1000 32" preserveAspectRatio="none" aria-hidden="true"></svg><div class="marks"></div><div class="hours"></div><div class="handle" role="slider" tabindex="0"></div></div><div class="right"></div>`);
    [this.left, this.strip, this.right] = element.children;
    [this.svg, this.marks, this.hours, this.handle] = this.strip.children;
    this.worst = {at_ms: [], ch4_pct: [], level: []};
    this.askedAt = 0;
    this.askedFor = null;
    this.left.addEventListener('click', (event) => {
      const {act} = event.target.closest('[data-act]')?.dataset ?? {};
      if (act === 'live') live();
      if (act === 'back') travel((state.replay ?? this.last.nowMs) - 10 * 60e3);
    });
    this.marks.addEventListener('click', (event) => {
      const mark = event.target.closest('[data-place]');
      if (mark) select(mark.dataset.place);
    });
    const go = (event) => {
      const {left, width} = this.strip.getBoundingClientRect();
      const ms = this.begin + ((event.clientX - left) / width) * (this.end - this.begin);
      if (ms < this.last.nowMs - 1000) travel(Math.round(Math.max(this.begin, ms)));
      else if (state.replay !== null) live();
    };
    this.strip.addEventListener('pointerdown', (event) => {
      if (event.target.closest('[data-place]')) return;
      this.isDragged = true;
      this.strip.setPointerCapture(event.pointerId);
      go(event);
    });
    this.strip.addEventListener('pointermove', (event) => { if (this.isDragged) go(event); });
    this.strip.addEventListener('pointerup', () => { this.isDragged = false; });
  }

  draw(told) {
    this.last = told;
    const about = state.replay ?? told.nowMs;
    const {begin, hours} = shiftSpan(mine.row, about);
    [this.begin, this.end] = [begin, begin + hours * 3600e3];
    if (this.askedFor !== begin || Date.now() - this.askedAt > REFRESH_MS) this.load(begin);
    const isLive = state.replay === null;
    show(this.left, html`<button class="live ${isLive ? '' : 'off'}" data-act="live" data-key="live" aria-pressed="${isLive}"><i class="dot"></i>${L('实时', 'Live')}${isLive ? '' : html` <kbd>L</kbd>`}</button><button class="btn s wall-hidden" data-act="back" data-key="back">−10 min</button>`);
    show(this.right, html`<span class="min mut wide-only">${L('拖动回放任意一分钟', 'drag to replay any minute')} <kbd>T</kbd></span>`);
    const x = (ms) => (1000 * (ms - this.begin)) / (this.end - this.begin);
    this.drawLine(x);
    const alarms = (mine.picture?.alarms ?? []).filter((each) => !each.is_advisory && instant(each.raised_at) >= this.begin && instant(each.raised_at) <= this.end);
    const marks = new Map();
    for (const each of alarms) {
      const key = `${Math.round(x(instant(each.raised_at)) / 9)}`;
      if (!marks.has(key) || marks.get(key).level < each.level) marks.set(key, each);
    }
    if (show(this.marks, html`${[...marks.values()].map((each) => html`<button class="mark" tabindex="-1" data-place="alarm:${each.alarm_id}" data-x="${x(instant(each.raised_at)).toFixed(1)}" title="${hourMinute(instant(each.raised_at))}">${riskShape(each.level)}</button>`)}`)) {
      for (const mark of this.marks.children) mark.style.left = `${mark.dataset.x / 10}%`;
    }
    const ticks = [];
    for (let at = Math.ceil(this.begin / 3600e3) * 3600e3; at <= this.end; at += 3600e3) ticks.push(at);
    if (show(this.hours, html`${ticks.map((at) => html`<span data-x="${x(at).toFixed(2)}">${hourMinute(at)}</span>`)}`)) {
      for (const tick of this.hours.children) {
        const share = tick.dataset.x / 10;
        tick.style.left = `${share}%`;
        tick.classList.toggle('first', share < 1.5);
        tick.classList.toggle('last', share > 98.5);
      }
    }
    const handle = state.replay ?? state.cursor ?? told.nowMs;
    this.handle.style.left = `${Math.min(100, Math.max(0, x(handle) / 10))}%`;
    this.handle.setAttribute('aria-label', L('所看时刻', 'instant in view'));
    this.handle.setAttribute('aria-valuetext', hourMinute(handle));
    this.handle.setAttribute('aria-valuenow', String(Math.round(handle / 60e3)));
    this.handle.dataset.at = String(Math.round(handle));
  }

  drawLine(x) {
    const {at_ms: times, ch4_pct: values} = this.worst;
    const top = Math.max(1, ...values.filter((each) => each !== null));
    let path = '';
    let before = null;
    times.forEach((at, place) => {
      if (values[place] === null) { before = null; return; }
      path += `${before !== null && at - before <= 180e3 ? 'L' : 'M'}${x(at).toFixed(1)} ${(18 - (15 * values[place]) / top).toFixed(1)}`;
      before = at;
    });
    const now = x(this.last.nowMs);
    show(this.svg, html`<rect x="${Math.max(0, now).toFixed(1)}" y="2" width="${Math.max(0, 1000 - Math.max(0, now)).toFixed(1)}" height="22" fill="var(--line)" opacity=".5"/><path d="M0 19.5H1000" stroke="var(--line-2)" vector-effect="non-scaling-stroke"/><path d="${path}" fill="none" stroke="var(--symbol)" stroke-width="1.2" vector-effect="non-scaling-stroke"/>`);
  }

  async load(begin) {
    this.askedAt = Date.now();
    this.askedFor = begin;
    try {
      this.worst = await call('/worst-minutes', {params: {mine: mine.code, from: new Date(begin).toISOString(), to: new Date(this.end).toISOString()}});
    } catch {
      // the line of the shift stays as it was; the link's own sign tells that it is down
    }
  }
}

export const nextSpeed = (speed) => SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length];
