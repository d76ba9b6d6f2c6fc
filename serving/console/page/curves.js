// Curves of the selected place on one time axis: gas, then air, then states; limits with their names, gaps as gaps, and a
// forecast with its band. uPlot draws the lines; what belongs to our rules is drawn around them.

import uPlot from './vendor/uplot/uPlot.esm.js';

import {call} from '/pages/session.js';
import {html, show} from '/pages/html.js';
import {areaName, areaOf, decimals, levelOf, mine, nearestToLimit, pointShort, pointsOf, pointTag, standing} from './mine.js';
import {clock, hourMinute, number, unitName} from './numbers.js';
import {change, kindAndId, state} from './selection.js';
import {gasSign} from './shapes.js';
import {isEnglish, L, quantityName} from './words.js';

const MOST_SERIES = 6;
const DASHES = [[], [6, 2], [10, 3, 2, 3], [2, 3], [12, 4], [6, 2, 1, 2]];
const QUANTITY_ORDER = ['ch4', 'co', 'o2', 'co2', 'air_velocity', 'temperature', 'air_quantity'];
const TOP_PX = 22;
const AXIS_PX = 20;
const SECOND_LANE_PX = 52;
const STRIP_PX = 16;
// A pane that is lower has room for one quantity.
const LOW_PX = 230;
const LEFT_PX = 46;
const GUTTER_PX = 118;
const STEPS_MIN = [1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440, 2880, 7200, 14400];
// New values are asked for no oftener than so.
const REFRESH_MS = 4000;

export class Curves {
  constructor(element) {
    this.element = element;
    element.innerHTML = String(html`<div class="ph"></div><div class="plotb"><div class="plot"></div><div class="gutter"></div><div class="tag" hidden></div><div class="said" hidden></div></div>`);
    this.head = element.firstElementChild;
    [this.holder, this.gutter, this.tag, this.said] = element.lastElementChild.children;
    this.asked = '';
    this.askedAt = 0;
    this.pixel = 1;
    new ResizeObserver(() => this.rebuild()).observe(this.holder);
    element.addEventListener('click', (event) => {
      if (event.target.closest('[data-act="again"]')) { this.asked = ''; this.draw(this.last); }
    });
  }

  /** The span in view: a third of it lies ahead of the instant that the page is about. */
  get window() {
    const at = this.instant;
    return {from: at - state.span * 40e3, to: at + state.span * 20e3};
  }

  get instant() { return state.freeze ?? state.replay ?? state.cursor ?? this.last.nowMs; }

  draw(told) {
    this.last = told;
    if (!mine.picture) return;
    const points = this.chosen();
    const key = JSON.stringify([points.map((each) => each.point_id), state.span, state.cursor, state.replay, state.freeze]);
    const isLive = state.cursor === null && state.replay === null && state.freeze === null;
    if (key !== this.asked || (isLive && Date.now() - this.askedAt > REFRESH_MS)) {
      this.asked = key;
      this.askedAt = Date.now();
      this.load(points, key);
    }
    this.drawHead(points);
  }

  /** The most telling points of the place: the selected one, then gas, then air; and what was added by hand. */
  chosen() {
    const [kind, id] = kindAndId(state.place);
    const alarm = kind === 'alarm' ? mine.picture.alarms.find((each) => each.alarm_id === id) : null;
    const own = mine.points.get(kind === 'point' ? id : alarm?.point_id) ?? null;
    const area = areaOf([kind, id]) || nearestToLimit(this.last.nowMs)?.point.area_id || '';
    const isShown = (each) => QUANTITY_ORDER.includes(each.quantity) && each.value_kind !== 'KG';
    const rank = (each) => QUANTITY_ORDER.indexOf(each.quantity) * 10 - (standing(each, this.last.nowMs).value ?? 0) / (each.alarm || 1e9);
    const here = pointsOf(area).filter(isShown).sort((a, b) => rank(a) - rank(b));
    const first = own && isShown(own) ? own : here[0];
    if (!first) return [];
    const alike = [first, ...here.filter((each) => each !== first && each.quantity === first.quantity)].slice(0, 3);
    const isLow = this.holder.clientHeight < LOW_PX * this.pixel;
    const other = isLow ? null : here.find((each) => each.quantity === 'air_velocity' && each.quantity !== first.quantity) ?? here.find((each) => each.quantity !== first.quantity);
    const added = state.extra.split(',').map((each) => mine.points.get(each)).filter((each) => each && isShown(each));
    return [...new Set([...alike, ...added, ...(other ? [other] : [])])].slice(0, MOST_SERIES);
  }

  async load(points, key) {
    const {from, to} = this.window;
    const end = Math.min(to, state.replay ?? this.last.nowMs);
    if (!points.length || end <= from) { this.data = null; this.rebuild(); return; }
    const span = {from: new Date(from).toISOString(), to: new Date(end).toISOString()};
    const area = points[0].area_id;
    const switches = this.switches(area);
    const analog = points.map((each) => each.point_id);
    const gas = points.find((each) => each.quantity === 'ch4');
    this.element.classList.add('waits');
    try {
      const [curves, minutes, forecast] = await Promise.all([
        call('/series', {params: {mine: mine.code, points: [...analog, ...switches.map((each) => each.point.point_id)].join(','), ...span, most: 1200}}),
        call('/area-minutes', {params: {mine: mine.code, area_id: area, ...span, limit: 1000}}),
        gas ? call('/forecasts', {params: {mine: mine.code, point_id: gas.point_id, from: new Date(this.instant - 20 * 60e3).toISOString(), to: new Date(this.instant + 1).toISOString(), limit: 1000}}) : {rows: []},
      ]);
      if (key !== this.asked) return;
      const byId = new Map(curves.series.map((each) => [each.point_id, each]));
      const last = forecast.rows.reduce((a, each) => (a && a >= each.issued_at ? a : each.issued_at), null);
      this.data = {
        area, points, curves: points.map((each) => byId.get(each.point_id)),
        strips: [...switches.map(({point, name}) => ({name, point, curve: byId.get(point.point_id)})), {name: L('人数', 'People'), minutes: minutes.rows}],
        forecast: forecast.rows.filter((each) => each.issued_at === last).sort((a, b) => a.horizon_min - b.horizon_min),
        gas,
      };
      this.fault = null;
    } catch (problem) {
      if (key !== this.asked) return;
      this.fault = problem.message;
    }
    this.element.classList.remove('waits');
    this.rebuild();
  }

  /** Switches whose state stands under the curves: doors, a machine, power. */
  switches(area) {
    const found = [];
    const pick = (name, rows) => { if (rows.length) found.push({name, point: rows[0]}); };
    const pairs = (mine.row.door_pairs ?? []);
    const openFirst = pairs.flatMap((each) => each.points).map((each) => mine.points.get(each)).filter(Boolean)
      .sort((a, b) => (b.area_id === area) - (a.area_id === area) || (standing(b, this.last.nowMs).value ?? 0) - (standing(a, this.last.nowMs).value ?? 0));
    pick(L('风门', 'Doors'), openFirst);
    pick(L('设备', 'Machine'), pointsOf(area).filter((each) => each.quantity === 'equipment_on'));
    pick(L('供电', 'Power'), pointsOf(area).filter((each) => each.quantity === 'power_cutoff' || each.quantity === 'feed_detector'));
    return found;
  }

  drawHead(points) {
    const area = points[0]?.area_id ?? areaOf(kindAndId(state.place));
    const {from, to} = this.window;
    const hidden = this.data?.curves.reduce((sum, each) => sum + (each?.hidden ?? 0), 0) ?? 0;
    show(this.head, html`<h2>${L('曲线', 'Curves')}</h2><span class="sm sec ell">${area ? areaName(area) : L('全矿', 'Mine')} · ${hourMinute(from)}–${hourMinute(to)}</span>
      ${state.freeze !== null ? html`<span class="tag g">${L('已暂停', 'paused')} ${clock(state.freeze)}</span>` : ''}<span class="sp"></span><span class="min mut ell wide-only">${L(`每像素保留最小/最大 · 隐去 ${number(hidden, 0)} 点`, `min/max kept per pixel · ${number(hidden, 0)} points folded`)}</span>`);
  }

  // ── plotting ──

  rebuild() {
    this.plot?.destroy();
    this.plot = null;
    const {clientWidth: width, clientHeight: height} = this.holder;
    this.said.hidden = !(this.fault || !this.data || !this.data.points.length);
    if (this.fault) show(this.said, html`<div>${L('曲线读取失败：', 'Curve failed: ')}${this.fault}<br><button class="btn" data-act="again">${L('重试', 'Retry')}</button></div>`);
    else if (!this.said.hidden) show(this.said, html`<div>${L('此处没有可画的测点', 'No point to draw here')}</div>`);
    if (!width || !height || !this.data || this.fault || !this.data.points.length) { this.gutter.textContent = ''; this.tag.hidden = true; return; }
    this.pixel = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const lanes = this.lanes(height);
    const {from, to} = this.window;
    const series = this.data.points.map((point, at) => ({
      scale: lanes.of(point).scale, stroke: () => this.css(`ser-${at + 1}`), width: (at ? 1.5 : 2) * this.pixel, dash: DASHES[at].map((each) => each * this.pixel), spanGaps: false,
      points: {show: false}, paths: undefined,
    }));
    this.lanesNow = lanes;
    this.plot = new uPlot({
      width, height, padding: [TOP_PX * this.pixel, GUTTER_PX * this.pixel, 0, LEFT_PX * this.pixel], legend: {show: false},
      cursor: {y: false, points: {show: false}, drag: {x: true, y: false, setScale: false}, bind: {dblclick: () => () => change({span: 90})}},
      scales: {x: {time: false, range: [from / 1000, to / 1000]}, ...Object.fromEntries(lanes.all.map((lane) => [lane.scale, {range: () => lane.range}]))},
      axes: [{size: AXIS_PX * this.pixel, font: this.font(), stroke: () => this.css('ink-3'), grid: {stroke: () => this.css('line'), width: 1}, ticks: {show: false}, gap: 2,
        splits: () => this.splits(from, to), values: (_, splits) => splits.map((each) => hourMinute(each * 1000))}],
      series: [{}, ...series],
      hooks: {
        drawAxes: [(plot) => this.below(plot)], draw: [(plot) => this.above(plot)], setCursor: [(plot) => this.hovered(plot)],
        setSelect: [(plot) => this.brushed(plot)],
      },
    }, this.aligned(), this.holder);
    this.plot.over.addEventListener('click', (event) => {
      if (this.wasBrushed) { this.wasBrushed = false; return; }
      change({cursor: Math.round(this.plot.posToVal(event.offsetX, 'x') * 1000)});
    });
    this.drawGutter(null);
    this.drawTag();
  }

  css(name) { return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim(); }
  font(weight = 400) { return `${weight} ${12 * this.pixel}px ${this.css('font')}`; }

  splits(from, to) {
    const step = STEPS_MIN.find((each) => (to - from) / 60e3 / each <= 8) ?? 1440;
    const offset = (mine.row.utc_offset_h ?? 8) * 3600e3;
    const first = Math.ceil((from + offset) / (step * 60e3)) * step * 60e3 - offset;
    const found = [];
    for (let at = first; at <= to; at += step * 60e3) found.push(at / 1000);
    return found;
  }

  /** Which part of the plot belongs to which quantity, and the range of each so that its values lie in its part. */
  lanes(height) {
    const {points} = this.data;
    const all = height - (TOP_PX + AXIS_PX) * this.pixel;
    const strips = this.data.strips.length * STRIP_PX * this.pixel + 6 * this.pixel;
    const units = [...new Set(points.map((each) => each.quantity))];
    const seconds = units.slice(1).map(() => SECOND_LANE_PX * this.pixel);
    const firstPx = Math.max(40, all - strips - seconds.reduce((a, b) => a + b + 10 * this.pixel, 0));
    let top = 0;
    const lanes = units.map((quantity, at) => {
      const px = at ? seconds[at - 1] : firstPx;
      const lane = {quantity, scale: `y${at}`, top: top / all, bottom: (top + px) / all, points: points.filter((each) => each.quantity === quantity)};
      top += px + 10 * this.pixel;
      [lane.low, lane.high] = this.extent(lane);
      const whole = (lane.high - lane.low) / (lane.bottom - lane.top);
      const max = lane.high + whole * lane.top;
      lane.range = [max - whole, max];
      return lane;
    });
    return {all: lanes, stripTop: (top - 4 * this.pixel) / all, of: (point) => lanes.find((each) => each.quantity === point.quantity)};
  }

  extent(lane) {
    const values = lane.points.flatMap((point) => this.data.curves[this.data.points.indexOf(point)]?.value ?? []).filter((each) => each !== null);
    const limits = lane.points.flatMap((each) => [each.alarm, each.cut]).filter((each) => each !== null && each !== undefined);
    if (lane.quantity === 'ch4' || lane.quantity === 'co') {
      const limit = limits.length ? Math.max(...limits) : 1;
      return [0, Math.min(Math.max(...values, 0, limit * 1.3), 2 * Math.max(limit, ...values.map((each) => each / 1.9)))];
    }
    if (!values.length) return [0, 1];
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const pad = Math.max((high - low) * 0.15, Math.abs(high) * 0.03, 0.05);
    return [low - pad, high + pad];
  }

  /** Values of all curves on one axis of times; null breaks a line, undefined does not. */
  aligned() {
    const maps = this.data.curves.map((curve) => {
      const values = new Map();
      if (!curve) return values;
      const bad = new Set(curve.quality.filter(([, quality]) => quality === 'BAD').map(([at]) => at));
      curve.at_ms.forEach((at, place) => values.set(at / 1000, bad.has(place) ? null : curve.value[place]));
      for (const [begin] of curve.gaps) values.set(Date.parse(begin) / 1000 + 0.001, null);
      return values;
    });
    const times = [...new Set(maps.flatMap((each) => [...each.keys()]))].sort((a, b) => a - b);
    return [times, ...maps.map((values) => times.map((at) => values.get(at)))];
  }

  /** Ground of the future, spans of doubtful data, gaps. */
  below(plot) {
    const {ctx, bbox} = plot;
    const ratio = devicePixelRatio;
    const x = (ms) => plot.valToPos(ms / 1000, 'x', true);
    const lanesBottom = bbox.top + bbox.height * this.lanesNow.stripTop;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const now = state.replay ?? this.last.nowMs;
    if (x(now) < bbox.left + bbox.width) this.hatch(ctx, x(now), bbox.top, bbox.left + bbox.width - x(now), lanesBottom - bbox.top, 'line', 6 * ratio);
    const {points, curves} = this.data;
    curves.forEach((curve, at) => {
      const lane = this.lanesNow.of(points[at]);
      const [top, bottom] = [bbox.top + bbox.height * lane.top, bbox.top + bbox.height * lane.bottom];
      for (const [begin, end, reasons] of doubtful(curve)) {
        this.hatch(ctx, x(begin), top, Math.max(2 * ratio, x(end) - x(begin)), bottom - top, 'quality', 5 * ratio);
        if (x(end) - x(begin) > 30 * ratio) this.words(ctx, /CALIBRATION/.test(reasons) ? L('标校', 'calibr.') : L('可疑', 'suspect'), x(begin) + 3 * ratio, top + 24 * ratio, 'quality');
      }
      for (const [begin, end] of (curve?.gaps ?? []).map((gap) => gap.map((each) => Date.parse(each)))) {
        if (end - begin < 60e3) continue;
        const y = bottom - (6 + 9 * at) * ratio;
        ctx.strokeStyle = this.css('quality');
        ctx.lineWidth = 1.5 * ratio;
        ctx.beginPath();
        ctx.moveTo(x(begin), y - 5 * ratio); ctx.lineTo(x(begin), y + 5 * ratio);
        ctx.moveTo(x(begin), y); ctx.lineTo(x(end), y);
        ctx.moveTo(x(end), y - 5 * ratio); ctx.lineTo(x(end), y + 5 * ratio);
        ctx.stroke();
        const told = `${pointShort(points[at])} ${L('缺', 'gap')} ${Math.round((end - begin) / 60e3)} min`;
        this.words(ctx, told, Math.max(bbox.left + 4 * ratio, x(begin) - 4 * ratio - ctx.measureText(told).width), y - 2 * ratio, 'quality');
      }
    });
    ctx.restore();
  }

  /** Limits, forecast, states, axis words and the line of the instant. */
  above(plot) {
    const {ctx, bbox} = plot;
    const ratio = devicePixelRatio * this.pixel;
    const right = bbox.left + bbox.width;
    const x = (ms) => plot.valToPos(ms / 1000, 'x', true);
    ctx.save();
    this.lanesNow.all.forEach((lane, at) => {
      const y = (value) => plot.valToPos(value, lane.scale, true);
      const [top, bottom] = [y(lane.high), y(lane.low)];
      ctx.strokeStyle = this.css('line');
      ctx.lineWidth = ratio;
      if (at) ctx.strokeRect(bbox.left, top, bbox.width, bottom - top);
      const digits = lane.high - lane.low > 20 ? 0 : lane.high < 10 ? (lane.high - lane.low < 0.5 ? 2 : 1) : 0;
      const low = lane.quantity === 'ch4' || lane.quantity === 'co' ? 0 : lane.low;
      this.words(ctx, number(lane.high, digits), bbox.left - 5 * ratio, top + 9 * ratio, 'ink-3', 'right');
      this.words(ctx, number(low, digits), bbox.left - 5 * ratio, y(low), 'ink-3', 'right');
      this.limits(ctx, lane, y, bbox, ratio);
    });
    this.forecast(ctx, plot, x, ratio);
    this.strips(ctx, bbox, x, ratio);
    const at = this.instant;
    ctx.strokeStyle = this.css('guide');
    ctx.lineWidth = 1.8 * ratio;
    ctx.beginPath();
    ctx.moveTo(x(at), bbox.top - 3 * ratio);
    ctx.lineTo(x(at), bbox.top + bbox.height);
    if (x(at) >= bbox.left && x(at) <= right) ctx.stroke();
    ctx.restore();
  }

  limits(ctx, lane, y, bbox, ratio) {
    const known = new Map();
    for (const point of lane.points) {
      const values = this.data.curves[this.data.points.indexOf(point)]?.value ?? [];
      for (const [value, name, level] of [[point.alarm, L('报警', 'alarm'), 3], [point.cut, L('断电', 'cut-off'), 4], [point.low_alarm, L('低报', 'low'), 3]]) {
        if (value === null || value === undefined || value > lane.high || value < lane.low) continue;
        const isOver = values.some((each) => each !== null && (name === L('低报', 'low') ? each <= value : each >= value));
        const before = known.get(value);
        known.set(value, {name: before ? (before.name === name ? name : `${before.name}/${name}`) : name, level: Math.max(level, before?.level ?? 0), isOver: isOver || before?.isOver,
          isAdvisory: point.limit_confidence && point.limit_confidence !== 'confirmed'});
      }
    }
    for (const [value, {name, level, isOver, isAdvisory}] of known) {
      ctx.strokeStyle = this.css(isOver ? `risk-${level}-line` : 'line-2');
      ctx.lineWidth = 1.3 * ratio;
      ctx.setLineDash(isAdvisory ? [2 * ratio, 3 * ratio] : [7 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y(value));
      ctx.lineTo(bbox.left + bbox.width, y(value));
      ctx.stroke();
      ctx.setLineDash([]);
      this.words(ctx, `${name} ${number(value, decimals(lane.points[0]))}${isAdvisory ? L(' 建议值', ' advisory') : ''}`, bbox.left + 5 * ratio, y(value) - 4 * ratio, isOver ? `risk-${level}-ink` : 'ink-3');
    }
  }

  forecast(ctx, plot, x, ratio) {
    const {forecast, gas, points, curves} = this.data;
    if (!gas || !forecast.length) return;
    const {scale} = this.lanesNow.of(gas);
    const y = (value) => plot.valToPos(value, scale, true);
    const curve = curves[points.indexOf(gas)];
    const place = curve ? curve.value.findLastIndex((each, at) => each !== null && curve.at_ms[at] <= Date.parse(forecast[0].issued_at) + 60e3) : -1;
    const start = place >= 0 ? [{at: curve.at_ms[place], low: curve.value[place], mid: curve.value[place], high: curve.value[place]}] : [];
    const steps = [...start, ...forecast.map((each) => ({at: Date.parse(each.target_at), low: each.low_pct ?? each.q10_pct, mid: each.q50_pct, high: each.high_pct ?? each.q90_pct}))].filter((each) => each.mid !== null);
    ctx.save();
    ctx.beginPath();
    ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height * this.lanesNow.all[0].bottom);
    ctx.clip();
    ctx.fillStyle = this.css('fan');
    ctx.beginPath();
    const band = steps.filter((each) => each.low !== null && each.high !== null);
    band.forEach((each, at) => ctx[at ? 'lineTo' : 'moveTo'](x(each.at), y(each.high)));
    [...band].reverse().forEach((each) => ctx.lineTo(x(each.at), y(each.low)));
    ctx.fill();
    ctx.strokeStyle = this.css(`ser-${points.indexOf(gas) + 1}`);
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.beginPath();
    steps.forEach((each, at) => ctx[at ? 'lineTo' : 'moveTo'](x(each.at), y(each.mid)));
    ctx.stroke();
    ctx.restore();
    this.words(ctx, L('预测', 'forecast'), x(steps[0].at) + 6 * ratio, plot.bbox.top + 12 * ratio, 'ink-3');
  }

  strips(ctx, bbox, x, ratio) {
    const {from} = this.window;
    const end = Math.min(this.window.to, state.replay ?? this.last.nowMs);
    const top = bbox.top + bbox.height * this.lanesNow.stripTop + 4 * ratio;
    const tall = 11 * ratio;
    ctx.save();
    this.data.strips.forEach((strip, at) => {
      const y = top + at * STRIP_PX * ratio;
      if (!isEnglish()) this.words(ctx, strip.name, bbox.left - 5 * ratio, y + tall - ratio, 'ink-3', 'right');
      for (const {begin, stop, share, isBad} of spans(strip, from, end)) {
        const [left, width] = [Math.max(bbox.left, x(begin)), Math.max(ratio, x(stop) - Math.max(bbox.left, x(begin)))];
        ctx.fillStyle = this.css(isBad ? 'risk-4' : 'road-edge');
        const height = Math.max(2 * ratio, tall * share);
        if (width > 0) ctx.fillRect(left, y + tall - height, width, height);
      }
    });
    ctx.restore();
  }

  hatch(ctx, x, y, w, h, color, step) {
    if (w <= 0 || h <= 0) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, y, w, h);
    ctx.clip();
    ctx.strokeStyle = this.css(color);
    ctx.globalAlpha = 0.55;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    for (let at = x - h; at < x + w; at += step) { ctx.moveTo(at, y + h); ctx.lineTo(at + h, y); }
    ctx.stroke();
    ctx.restore();
  }

  words(ctx, told, x, y, color, align = 'left') {
    ctx.font = `${12 * devicePixelRatio * this.pixel}px ${this.css('font')}`;
    ctx.fillStyle = this.css(color);
    ctx.textAlign = align;
    ctx.textBaseline = 'alphabetic';
    ctx.fillText(told, x, y);
  }

  // ── beside the plot ──

  drawGutter(at) {
    const {points, forecast, gas} = this.data;
    const ms = at ?? this.instant;
    let shown = null;
    const lines = points.map((point, place) => {
      const isNew = point.quantity !== shown;
      shown = point.quantity;
      const value = valueAt(this.data.curves[place], ms);
      const level = levelOf(point, value);
      return html`${isNew ? html`<div class="unit">${point.quantity === 'ch4' ? gasSign('CH4 ') : quantityName(point.quantity)} ${unitName(point.unit)}</div>` : ''}<div class="ser"><svg viewBox="0 0 14 6" aria-hidden="true"><path d="M0 3H14" stroke="var(--ser-${place + 1})" stroke-width="2" stroke-dasharray="${DASHES[place].join(' ')}"/></svg><span class="ell" title="${areaName(point.area_id)} ${pointShort(point)}">${pointTag(point)}</span><b class="r${level}">${number(value, decimals(point))}</b></div>`;
    });
    const ahead = gas && forecast.find((each) => each.horizon_min >= 10) || forecast.at(-1);
    show(this.gutter, html`${lines}${ahead ? html`<div class="ahead">+${ahead.horizon_min} min <b>${number(ahead.q50_pct, 2)}</b><br>80 % ${number(ahead.low_pct ?? ahead.q10_pct, 2)}–${number(ahead.high_pct ?? ahead.q90_pct, 2)}</div>` : ''}<div class="states">${this.data.strips.map((strip) => stripWords(strip, ms))}</div>`);
  }

  drawTag() {
    const left = this.plot.valToPos(this.instant / 1000, 'x') + LEFT_PX * this.pixel;
    this.tag.hidden = left < LEFT_PX * this.pixel || left > this.holder.clientWidth - GUTTER_PX * this.pixel + 1;
    this.tag.textContent = clock(this.instant);
    this.tag.style.left = `${left}px`;
  }

  hovered(plot) {
    const {left} = plot.cursor;
    this.drawGutter(left >= 0 ? plot.posToVal(left, 'x') * 1000 : null);
  }

  brushed(plot) {
    const {left, width} = plot.select;
    if (width < 8) return;
    this.wasBrushed = true;
    const [begin, end] = [left, left + width].map((each) => plot.posToVal(each, 'x') * 1000);
    plot.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
    const span = Math.max(5, Math.round((end - begin) / 60e3));
    change({span, cursor: Math.round(begin + span * 40e3)});
  }
}

/** Begin, end and reasons of what came and is doubtful. */
function doubtful(curve) {
  const spans_ = [];
  for (const [place, quality, reasons] of curve?.quality ?? []) {
    if (quality === 'BAD' && !/CALIBRATION/.test(reasons)) continue;
    const at = curve.at_ms[place];
    const last = spans_.at(-1);
    if (last && at - last[1] <= 3 * 1000 * (curve.period_s || 60)) last[1] = at;
    else spans_.push([at, at, reasons]);
  }
  return spans_;
}

function spans({curve, minutes, point}, from, end) {
  if (minutes) {
    const most = Math.max(1, ...minutes.map((each) => each.people_count ?? 0));
    return joined(minutes.filter((each) => each.people_count !== null)
      .map((each) => ({begin: Date.parse(each.minute), stop: Math.min(end, Date.parse(each.minute) + 60e3), share: each.people_count / most})));
  }
  const found = [];
  curve?.at_ms.forEach((at, place) => {
    const stop = Math.min(curve.at_ms[place + 1] ?? end, at + 3 * 1000 * (curve.period_s || 60), end);
    if (curve.value[place] === null || stop <= from) return;
    const isBad = point.quantity === 'power_cutoff' && curve.value[place] === 0;
    const share = isBad || curve.value[place] > 0 ? 1 : 0;
    found.push({begin: at, stop, share, isBad});
  });
  return joined(found);
}

/** Spans that follow each other and say the same, as one. */
function joined(spans_) {
  const found = [];
  for (const each of spans_) {
    const last = found.at(-1);
    if (last && last.share === each.share && last.isBad === each.isBad && each.begin - last.stop < 1000) last.stop = each.stop;
    else found.push({...each});
  }
  return found;
}

/** The stored value that held at an instant; null where none did. */
function valueAt(curve, ms) {
  if (!curve) return null;
  const place = curve.at_ms.findLastIndex((each) => each <= ms);
  if (place < 0 || ms - curve.at_ms[place] > 3 * 1000 * (curve.period_s || 60)) return null;
  return curve.value[place];
}

function stripWords({name, minutes, curve, point}, ms) {
  if (minutes) {
    const row = minutes.findLast((each) => Date.parse(each.minute) <= ms);
    return html`<div>${row?.people_count ?? '—'} ${L('人', 'people')}</div>`;
  }
  const value = valueAt(curve, ms);
  const isCut = point.quantity === 'power_cutoff' && value === 0;
  const words = value === null ? '—' : {air_door: [L('关', 'shut'), L('开', 'open')], equipment_on: [L('停', 'stopped'), L('开', 'running')], power_cutoff: [L('断电', 'cut'), L('有电', 'on')], feed_detector: [L('无电', 'off'), L('有电', 'live')]}[point.quantity]?.[value ? 1 : 0] ?? number(value, 0);
  return html`<div class="${isCut ? 'r4 strong' : ''}">${L('', `${name} `)}${words}</div>`;
}
