// The roadway map: what stands still, then what is the case now. ECharts draws the shapes and tells what was clicked; the
// view is ours, since symbols and words keep their size at any zoom.

import {explorerAddress} from '/pages/links.js';
import * as echarts from './vendor/echarts/echarts.esm.min.mjs';

import {html, show} from '/pages/html.js';
import {placed} from './labels.js';
import * as draw from './map_symbols.js';
import {areaName, areaOf, areaRow, decimals, gridOf, gridOfPlace, middleOf, mine, pointShort, pointsOf, standing} from './mine.js';
import {number, withUnit} from './numbers.js';
import {hasLayer, kindAndId, placeOf, state, toggleLayer} from './selection.js';
import {homeMark} from './shapes.js';
import {turnOf, View} from './view.js';
import {L, of, quantityName} from './words.js';

const LAYERS = [['people', '人员', 'People'], ['sensors', '测点', 'Sensors'], ['air', '风流', 'Air'], ['equipment', '设备', 'Equip.'], ['cameras', '摄像', 'Video'], ['escape', '避灾路线', 'Escape']];
const RETURNS = ['return_airway', 'district_return', 'total_return'];
const WORKPLACES = ['longwall_face', 'heading'];
// Individuals are drawn from so many pixels a metre on, and in the selected area.
const INDIVIDUALS_FROM = 1.2;
const VALUES_FROM = 0.55;
const NO_FIX_S = 300;
const ARROW_EACH_PX = 150;

export class RoadwayMap {
  constructor(element, {select, refreshPeople}) {
    this.element = element;
    this.select = select;
    this.refreshPeople = refreshPeople;
    element.innerHTML = String(html`<div class="ph"></div><div class="mapb"><div class="canvas" tabindex="0" role="application"></div><div class="zoom"></div><div class="legend"></div><div class="twin" hidden></div></div>`);
    this.head = element.firstElementChild;
    [this.holder, this.zoomBox, this.legend, this.twin] = element.lastElementChild.children;
    this.chart = echarts.init(this.holder, null, {renderer: 'canvas'});
    this.things = [];
    this.painted = 0;
    this.chart.on('click', ({info, event}) => { if (info?.place) select(info.place, {isAdded: event?.event?.shiftKey}); });
    this.listen();
    new ResizeObserver(() => this.resized()).observe(this.holder);
  }

  listen() {
    const {holder} = this;
    let drag = null;
    holder.addEventListener('wheel', (event) => {
      event.preventDefault();
      const {left, top} = holder.getBoundingClientRect();
      this.view?.zoom(Math.exp(-event.deltaY / 400), [event.clientX - left, event.clientY - top]);
      this.paint();
    }, {passive: false});
    holder.addEventListener('pointerdown', (event) => { drag = [event.clientX, event.clientY]; });
    addEventListener('pointermove', (event) => {
      if (!drag || !this.view) return;
      const [dx, dy] = [event.clientX - drag[0], event.clientY - drag[1]];
      if (Math.hypot(dx, dy) < 3) return;
      drag = [event.clientX, event.clientY];
      this.view.pan(dx, dy);
      this.paint();
    });
    addEventListener('pointerup', () => { drag = null; });
    holder.addEventListener('dblclick', () => this.zoomBy(1.6));
    this.zoomBox.addEventListener('click', (event) => {
      const {zoom} = event.target.closest('button')?.dataset ?? {};
      if (zoom === 'home') this.home();
      else if (zoom) this.zoomBy(zoom === 'in' ? 1.5 : 1 / 1.5);
    });
    this.head.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (button?.dataset.layer) toggleLayer(button.dataset.layer);
      if (button?.dataset.place !== undefined) this.select(button.dataset.place);
    });
  }

  zoomBy(factor) { this.view?.zoom(factor); this.paint(); }
  pan(dx, dy) { this.view?.pan(dx, dy); this.paint(); }
  home() { this.view?.fit(); this.paint(); }
  showTwin() { this.twin.hidden = !this.twin.hidden; this.paint(); }

  /** The mine was loaded: its roadways and the view on them. */
  take() {
    const ends = [...mine.edges.values()].map((edge) => [mine.nodes.get(edge.from_node), mine.nodes.get(edge.to_node), edge]).filter(([a, b]) => a && b);
    this.roads = ends.map(([from, to, edge]) => ({edge, from, to, isLevel: Math.hypot(to.x - from.x, to.y - from.y) > 0.25 * edge.length_m}));
    const used = this.roads.flatMap(({from, to}) => [[from.x, from.y], [to.x, to.y]]);
    this.view = new View(used, turnOf(this.roads.map(({from, to}) => ({dx: to.x - from.x, dy: to.y - from.y}))));
    this.roadsOf = new Map();
    for (const road of this.roads) this.roadsOf.set(road.edge.area_id, [...(this.roadsOf.get(road.edge.area_id) ?? []), road]);
    this.resized();
  }

  resized() {
    const {clientWidth: width, clientHeight: height} = this.holder;
    if (!width || !height || !this.view) return;
    this.chart.resize({width, height});
    this.view.resize(width, height);
    this.paint();
  }

  draw(told) {
    this.last = told;
    const area = areaOf(kindAndId(state.place));
    show(this.head, html`<h2>${L('巷道图', 'Roadways')}</h2><span class="crumbs sm"><button data-place="">${L('全矿', 'Mine')}</button>${area ? html` › <button data-place="area:${area}">${areaName(area)}</button>` : ''}</span>${area ? html`<a class="sm nw" href="${this.explorer(area)}">${L('在分析页打开', 'Open in analysis')}</a>` : ''}<span class="sp"></span>
      <span class="lay" role="group" aria-label="${L('图层', 'Layers')}">${LAYERS.map(([name, zh, en]) => html`<button data-layer="${name}" data-key="layer-${name}" aria-pressed="${hasLayer(name)}">${L(zh, en)}</button>`)}</span>`);
    show(this.zoomBox, html`<button data-zoom="in" aria-label="${L('放大', 'Zoom in')}">+</button><button data-zoom="out" aria-label="${L('缩小', 'Zoom out')}">−</button><button data-zoom="home" aria-label="${L('全图', 'Whole map')}">${homeMark}</button>`);
    this.holder.setAttribute('aria-label', L('巷道图，Alt T 显示同内容的表格', 'Roadway map, Alt T shows it as a table'));
    this.paint();
  }

  /** The hazard explorer at the place and the instant that the page is about, to the minute. */
  explorer(area) {
    const about = state.replay ?? state.cursor ?? this.last.nowMs;
    return explorerAddress({lang: state.lang, mine: mine.code, area, atMs: Math.floor(about / 60e3) * 60e3});
  }

  /** The selection moved: bring its place into the middle of the view. */
  follow() {
    const at = gridOfPlace(kindAndId(state.place));
    if (at && this.view?.bringIn(at)) this.paint();
  }

  // ── painting ──

  paint() {
    if (!this.view || !mine.picture || !this.last) return;
    const began = performance.now();
    const color = draw.colours();
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    this.drawLegend();
    const scene = new Scene(this, color, rem / 16);
    scene.build(this.last.nowMs);
    this.things = scene.things.map((each) => carried(each));
    // A new name each time, so that no shape inherits a place or a dash from the one that was drawn before it.
    this.painted += 1;
    this.chart.setOption({
      animation: false,
      series: [{type: 'custom', id: `map ${this.painted}`, coordinateSystem: 'none', animation: false, data: this.things.map((_, at) => at), renderItem: (params) => this.things[params.dataIndex]}],
    }, {replaceMerge: ['series'], silent: true});
    this.holder.dataset.labels = JSON.stringify(scene.labels.map(({box, words}) => [words, ...[box.x, box.y, box.w, box.h].map(Math.round)]));
    this.holder.dataset.people = String(scene.peopleDrawn);
    this.holder.dataset.ms = (performance.now() - began).toFixed(1);
    if (!this.twin.hidden) this.drawTwin(scene);
  }

  drawLegend() {
    const metres = niceLength(110 / this.view.scale);
    const length = metres * this.view.scale;
    const turn = this.view.turn * 180 / Math.PI;
    show(this.legend, html`<span class="scale"><svg width="${length.toFixed(0)}" height="8" aria-hidden="true"><path d="M.7 1V7H${(length - 0.7).toFixed(1)}V1" fill="none" stroke="var(--ink-3)" stroke-width="1.4"/></svg>${number(metres, 0)} m</span>
      <svg class="north" viewBox="-10 -12 20 24" role="img" aria-label="${L('北', 'North')}"><g transform="rotate(${(-turn).toFixed(1)})"><path d="M0 -10L4 4L0 1L-4 4Z" fill="var(--ink-3)"/></g></svg><span>${L('北', 'N')}</span>
      <span class="keys wide-only">${[
        ['<path d="M-8 0H8M4 -3.6L8.4 0L4 3.6"/>', '进风', 'intake'], ['<circle cx="-6" r="2.2"/><path d="M-4 0H8M4 -3.6L8.4 0L4 3.6"/>', '回风', 'return'],
        ['<path d="M-3 -6V6M3 -6V6" stroke-width="2.2"/>', '风门', 'doors'], ['<path d="M-9 0H9" stroke-dasharray="5 3"/>', '带式输送机', 'belt'], ['<circle r="3"/>', '测点', 'sensor'],
      ].map(([inner, zh, en]) => html`<span><svg viewBox="-10 -8 20 16" aria-hidden="true"><g fill="none" stroke="var(--symbol)" stroke-width="1.5">${markup(inner)}</g></svg>${L(zh, en)}</span>`)}</span>`);
  }

  drawTwin(scene) {
    show(this.twin, html`<table><caption>${L('巷道图内容', 'What the map shows')}</caption>${scene.labels.map(({words, info}) => html`<tr><td>${words}</td><td>${info?.place ? areaName(areaOf(kindAndId(info.place))) : ''}</td></tr>`)}</table>`);
  }
}

const markup = (text) => Object.assign(Object.create(Object.getPrototypeOf(html``)), {text});

function niceLength(metres) {
  const power = 10 ** Math.floor(Math.log10(metres));
  return [5, 2, 1].map((each) => each * power).find((each) => each <= metres) ?? power;
}

/** The thing with what it is about on every part of it: the part under the pointer is asked, not the whole. */
const carried = ({children, ...thing}, info = thing.info) => ({...thing, info, ...(children ? {children: children.map((each) => carried(each, info))} : {})});

/** One painting of the map: shapes below, labels above, and what must not be covered. */
class Scene {
  constructor(map, color, unit) {
    Object.assign(this, {map, view: map.view, color, unit, things: [], obstacles: [], wanted: [], labels: [], peopleDrawn: 0});
    this.area = areaOf(kindAndId(state.place));
    this.font = `${12 * unit}px ${getComputedStyle(document.documentElement).getPropertyValue('--font')}`;
    this.boldFont = `700 ${this.font}`;
    Scene.ruler ??= document.createElement('canvas').getContext('2d');
  }

  widthOf(words, font) {
    Scene.ruler.font = font;
    return Scene.ruler.measureText(words).width;
  }

  build(nowMs) {
    this.nowMs = nowMs;
    const {width, height} = this.view;
    for (const corner of [this.map.legend, this.map.zoomBox]) {
      const {offsetLeft: x, offsetTop: y, offsetWidth: w, offsetHeight: h} = corner;
      if (w && x < width && y < height) this.obstacles.push({x: x - 4, y: y - 4, w: w + 8, h: h + 8});
    }
    this.goafs();
    this.washes();
    this.roads();
    if (hasLayer('air')) this.air();
    if (hasLayer('escape')) this.escape();
    this.shafts();
    if (hasLayer('equipment')) this.equipment();
    if (hasLayer('cameras')) this.cameras();
    if (hasLayer('sensors')) this.sensors();
    if (hasLayer('people')) this.people();
    this.areaNames();
    this.place();
    this.selection();
  }

  levelOfArea(id) { return areaRow(id)?.level ?? null; }
  ends(road) { return [this.view.at(road.from.x, road.from.y), this.view.at(road.to.x, road.to.y)]; }
  block(x, y, w, h = w) { this.obstacles.push({x: x - w / 2, y: y - h / 2, w, h}); }

  goafs() {
    for (const road of this.map.roads.filter((each) => mine.areas.get(each.edge.area_id)?.kind === 'goaf')) {
      const [a, b] = this.ends(road);
      this.things.push(draw.line([a, b], this.color('road-edge'), 9 * this.unit, {lineDash: [2, 4], opacity: 0.8}));
    }
  }

  washes() {
    for (const [areaId, roads] of this.map.roadsOf) {
      const level = this.levelOfArea(areaId);
      if (level > 0) roads.forEach((road) => this.things.push(draw.line(this.ends(road), this.color(`risk-${level}-wash`), 26 * this.unit, {lineCap: 'round'})));
    }
  }

  roads() {
    const roads = this.map.roads.filter((each) => mine.areas.get(each.edge.area_id)?.kind !== 'goaf');
    const isIn = (road) => this.area && road.edge.area_id === this.area;
    const info = (road) => ({place: placeOf('area', road.edge.area_id)});
    const wide = 6 * this.unit;
    for (const road of roads) this.things.push({...draw.line(this.ends(road), this.color(isIn(road) ? 'road-sel' : 'road-edge'), wide + 2.4 * this.unit, {lineCap: 'round'}), silent: false, info: info(road)});
    for (const road of roads) this.things.push(draw.line(this.ends(road), this.color(isIn(road) ? 'map' : 'road'), wide, {lineCap: 'round'}));
    if (!hasLayer('equipment')) return;
    for (const road of roads.filter((each) => each.edge.has_conveyor)) {
      const state_ = this.beltState(road.edge.area_id);
      const ends = this.ends(road);
      if (state_ === 0) this.things.push(draw.line(ends, this.color('symbol'), 4 * this.unit), draw.line(ends, this.color('road'), 2 * this.unit));
      else this.things.push(draw.line(ends, this.color('symbol'), 1.4 * this.unit, {lineDash: [7, 4]}));
    }
  }

  /** 1 runs, 0 stands, null where no switch tells. */
  beltState(areaId) {
    const belts = pointsOf(areaId).filter((each) => each.quantity === 'equipment_on' && /带|输送|皮带|belt/i.test(each.location ?? ''));
    const told = belts.map((each) => standing(each, this.nowMs)).filter((each) => each.state === 'good');
    return told.length ? Math.max(...told.map((each) => each.value)) : null;
  }

  air() {
    for (const road of this.map.roads) {
      const area = mine.areas.get(road.edge.area_id);
      if (area?.kind === 'goaf') continue;
      const [[x1, y1], [x2, y2]] = this.ends(road);
      const length = Math.hypot(x2 - x1, y2 - y1);
      if (length < 60 * this.unit) continue;
      const speed = pointsOf(road.edge.area_id).find((each) => each.quantity === 'air_velocity' && each.edge_id === road.edge.edge_id);
      const isReversed = speed && standing(speed, this.nowMs).value < -0.1;
      const isReturn = RETURNS.includes(area?.kind) || road.edge.gas_class?.includes('RETURN');
      const angle = Math.atan2(y2 - y1, x2 - x1) + (isReversed ? Math.PI : 0);
      const count = Math.max(1, Math.min(3, Math.floor(length / (ARROW_EACH_PX * 1.6 * this.unit))));
      for (let at = 0; at < count; at += 1) {
        const share = (at + 0.5) / count;
        const [x, y] = [x1 + (x2 - x1) * share, y1 + (y2 - y1) * share];
        if (x < -20 || y < -20 || x > this.view.width + 20 || y > this.view.height + 20) continue;
        // Beside the roadway, so that neither a belt's line nor a dark core hides it.
        const [nx, ny] = [-Math.sin(angle) * 9 * this.unit, Math.cos(angle) * 9 * this.unit];
        this.things.push(draw.placedGroup(draw.arrow(isReturn, this.color(isReversed ? 'risk-4' : 'symbol')), x + nx, y + ny, {angle, scale: this.unit, silent: true}));
        this.block(x + nx, y + ny, 14 * this.unit);
        if (isReversed && !at) this.want({at: [x + nx, y + ny], words: L('反风', 'reversed'), level: 4, rank: 90, mustShow: true, info: {place: placeOf('point', speed.point_id)}});
      }
    }
  }

  escape() {
    const routes = (mine.routes ?? []).filter((each) => !this.area || each.area_id === this.area);
    const drawn = new Set();
    let longest = null;
    for (const route of routes) {
      if (!longest || route.length_m > longest.length_m) longest = route;
      for (const edge of JSON.parse(route.roadways || '[]')) drawn.add(edge);
    }
    const shift = 8 * this.unit;
    for (const id of drawn) {
      const road = this.map.roads.find((each) => each.edge.edge_id === id);
      if (!road) continue;
      const [[x1, y1], [x2, y2]] = this.ends(road);
      const angle = Math.atan2(y2 - y1, x2 - x1);
      const [nx, ny] = [Math.sin(angle) * shift, -Math.cos(angle) * shift];
      this.things.push(draw.line([[x1 + nx, y1 + ny], [x2 + nx, y2 + ny]], this.color('guide'), 2.6 * this.unit, {lineDash: [9, 5]}));
    }
    if (longest && drawn.size) {
      const at = middleOf(longest.area_id);
      if (at) this.want({at: this.view.at(...at), words: `${L('避灾路线', 'Escape')} ${number(longest.length_m, 0)} m ≈ ${number(longest.walk_min, 0)} min`, tone: 'guide', rank: 62, reach: 22 * this.unit});
    }
  }

  shafts() {
    for (const road of this.map.roads.filter((each) => mine.areas.get(each.edge.area_id)?.kind === 'shaft')) {
      const area = mine.areas.get(road.edge.area_id);
      const isReturn = road.edge.air_class === 'SHAFT_NO_HOIST' || /回风|upcast/i.test(`${area.name_zh} ${area.name_en}`);
      const end = isReturn ? road.from : road.to;
      const [x, y] = this.view.at(end.x, end.y);
      this.things.push(draw.placedGroup(draw.shaft(isReturn, this.color('panel-2'), this.color('ink-2')), x, y, {scale: this.unit, info: {place: placeOf('area', area.area_id)}}));
      this.block(x, y, 18 * this.unit);
    }
    for (const chamber of mine.row.refuge_chambers ?? []) {
      const at = gridOf(chamber.edge_id, chamber.chainage_m);
      if (!at) continue;
      const [x, y] = this.view.at(at.x, at.y);
      const top = y + 20 * this.unit;
      this.things.push(draw.placedGroup(draw.refuge(this.color('panel-2'), this.color('guide')), x, top, {scale: this.unit}));
      this.block(x, top, 20 * this.unit);
      this.want({at: [x, top], words: of(chamber, 'name'), tone: 'guide', isBare: true, rank: 40, reach: 12 * this.unit});
    }
  }

  equipment() {
    const pairs = (mine.row.door_pairs ?? []).map((pair) => ({...pair, rows: pair.points.map((id) => mine.points.get(id)).filter(Boolean)}));
    for (const pair of pairs) {
      if (!pair.rows.length) continue;
      const states = pair.rows.map((each) => standing(each, this.nowMs));
      const open = states.filter((each) => each.value === 1).length;
      const at = gridOf(pair.rows[0].edge_id, pair.rows[0].chainage_m);
      if (!at) continue;
      const [x, y] = this.view.at(at.x, at.y);
      const angle = this.onScreen(at);
      if (open < pair.rows.length) this.things.push(draw.placedGroup(draw.door(open > 0, this.color('ink-2')), x, y, {angle, scale: this.unit, info: {place: placeOf('point', pair.rows[0].point_id)}}));
      this.block(x, y, 16 * this.unit);
      const since = open ? Math.min(...states.map((each) => each.atMs ?? Infinity)) : null;
      if (open === pair.rows.length) this.want({at: [x, y], words: L(`风门 ${pair.pair_id} 同开`, `Doors ${pair.pair_id} both open`), level: 3, rank: 88, mustShow: true, info: {place: placeOf('point', pair.rows[0].point_id)}, since});
      else this.want({at: [x, y], words: pair.pair_id, isBare: true, rank: 20, reach: 11 * this.unit, info: {place: placeOf('point', pair.rows[0].point_id)}});
    }
    for (const point of mine.points.values()) {
      if (!['aux_fan', 'main_fan'].includes(point.quantity)) continue;
      const at = gridOf(point.edge_id, point.chainage_m);
      if (!at) continue;
      const {value, state: told} = standing(point, this.nowMs);
      const partner = [...mine.points.values()].find((each) => each !== point && each.quantity === point.quantity && each.edge_id === point.edge_id && standing(each, this.nowMs).value === 1);
      if (value !== 1 && partner) continue; // the stand-by of one that runs
      const [x, y] = this.view.at(at.x, at.y);
      const angle = this.onScreen(at);
      const [nx, ny] = [-Math.sin(angle) * 13 * this.unit, Math.cos(angle) * 13 * this.unit];
      this.things.push(draw.placedGroup(draw.fan(value === 1, this.color('panel-2'), this.color('symbol')), x + nx, y + ny, {scale: this.unit, info: {place: placeOf('point', point.point_id)}}));
      this.block(x + nx, y + ny, 15 * this.unit);
      if (value === 0) this.want({at: [x + nx, y + ny], words: L('风机停', 'fan stopped'), level: 4, rank: 89, mustShow: true, info: {place: placeOf('point', point.point_id)}});
      if (told === 'stale' || told === 'missing') this.want({at: [x + nx, y + ny], words: L('无数据', 'no data'), tone: 'stale', rank: 30, info: {place: placeOf('point', point.point_id)}});
    }
  }

  onScreen(at) {
    const [x1, y1] = this.view.at(at.x, at.y);
    const [x2, y2] = this.view.at(at.x + Math.cos(at.angle), at.y + Math.sin(at.angle));
    return Math.atan2(y2 - y1, x2 - x1);
  }

  cameras() {
    for (const camera of mine.cameras.values()) {
      const at = gridOf(camera.edge_id, camera.chainage_m);
      if (!at) continue;
      const angle = this.onScreen(at);
      const [x, y] = this.view.at(at.x, at.y);
      const [px, py] = [x - Math.sin(angle) * 14 * this.unit, y + Math.cos(angle) * 14 * this.unit];
      const info = {place: placeOf('camera', camera.camera_code)};
      this.things.push(draw.placedGroup(draw.camera(this.color(camera.is_online === false ? 'ink-off' : 'symbol')), px, py, {scale: this.unit, info}));
      this.block(px, py, 15 * this.unit, 9 * this.unit);
      if (this.area === camera.area_id || this.view.scale > VALUES_FROM * 2) this.want({at: [px, py], words: camera.name || camera.camera_code.slice(-4), isBare: true, rank: 18, info, reach: 10 * this.unit});
    }
  }

  sensors() {
    for (const point of mine.points.values()) {
      if (!['ch4', 'co', 'air_velocity', 'temperature', 'o2', 'smoke', 'feed_detector', 'power_cutoff'].includes(point.quantity)) continue;
      const at = gridOf(point.edge_id, point.chainage_m);
      if (!at) continue;
      const [x, y] = this.view.at(at.x, at.y);
      if (x < -30 || y < -30 || x > this.view.width + 30 || y > this.view.height + 30) continue;
      const found = standing(point, this.nowMs);
      const isSwitch = ['smoke', 'feed_detector', 'power_cutoff'].includes(point.quantity);
      const level = isSwitch ? 0 : found.level;
      const info = {place: placeOf('point', point.point_id)};
      const isDoubtful = ['suspect', 'bad', 'calibration'].includes(found.state);
      const isCut = point.quantity === 'power_cutoff' && found.value === 0;
      if (isSwitch && !isCut) continue;
      const main = point.quantity === 'ch4' || level > 0 || isDoubtful || isCut;
      if (!main && this.area !== point.area_id && this.view.scale < VALUES_FROM) continue;
      const r = (main ? 3.2 : 2.4) * this.unit;
      this.things.push(draw.circle(x, y, r, {
        fill: level ? this.color(`risk-${level}`) : this.color('panel-2'),
        stroke: level ? this.color(`risk-${level}-line`) : this.color(isDoubtful ? 'quality' : found.state === 'stale' ? 'stale' : 'symbol'), lineWidth: 1.6 * this.unit,
      }, {info}));
      this.block(x, y, 2 * r + 1);
      const isSelected = state.place === info.place;
      const isNear = this.area === point.area_id;
      const told = pointText(point, found, isCut);
      if (level || isSelected || isCut) this.want({at: [x, y], words: told, level, tone: isCut ? 'strong' : undefined, rank: 80 + level + (isSelected ? 15 : 0), mustShow: level > 0 || isSelected, info});
      else if (isDoubtful && point.quantity === 'ch4') this.want({at: [x, y], words: told, tone: 'quality', rank: 66, info});
      else if ((isNear && point.quantity === 'ch4') || this.view.scale > VALUES_FROM) this.want({at: [x, y], words: told, rank: isNear ? 34 : 10, info, tone: found.state === 'stale' ? 'stale' : undefined});
    }
  }

  people() {
    const individuals = new Set();
    for (const person of mine.people ?? []) {
      const isIn = this.area && person.area_id === this.area;
      if (!isIn && this.view.scale < INDIVIDUALS_FROM) continue;
      const at = gridOf(person.edge_id, person.chainage_m);
      if (!at) continue;
      individuals.add(person.area_id);
      const [x, y] = this.view.at(at.x, at.y);
      if (x < -10 || y < -10 || x > this.view.width + 10 || y > this.view.height + 10) continue;
      const isSelected = state.place === `person:${person.person_hash}`;
      const isOld = person.age_s > NO_FIX_S;
      this.things.push(draw.placedGroup(draw.pawn(this.color(isSelected ? 'guide' : 'ink'), this.color('map'), isOld), x, y, {scale: this.unit, info: {place: placeOf('person', person.person_hash)}}));
      this.peopleDrawn += 1;
      this.block(x, y, 9 * this.unit, 12 * this.unit);
      if (isSelected) this.want({at: [x, y], words: `${person.name ?? L('未登记', 'not registered')} ${person.work_type ?? ''}`, rank: 97, tone: 'guide', mustShow: true, info: {place: placeOf('person', person.person_hash)}});
    }
    for (const area of mine.areas.values()) {
      const row = areaRow(area.area_id);
      const at = row?.people_count > 0 ? middleOf(area.area_id) : null;
      if (!at) continue;
      const cap = row.people_cap ?? area.cap;
      const isOver = cap && row.people_count > cap;
      this.want({
        at: this.view.at(...at), words: `${row.people_count}${cap && WORKPLACES.includes(area.kind) ? ` / ${cap}` : ''}`, isPill: true, isClose: !isOver, level: isOver ? 3 : 0,
        rank: isOver ? 70 : WORKPLACES.includes(area.kind) ? 52 : 44, mustShow: Boolean(isOver), reach: 11 * this.unit, isCentered: !WORKPLACES.includes(area.kind) && !individuals.has(area.area_id),
        info: {place: placeOf('area', area.area_id)},
      });
    }
  }

  areaNames() {
    for (const area of mine.areas.values()) {
      const at = middleOf(area.area_id);
      if (!at || area.kind === 'goaf') continue;
      const level = this.levelOfArea(area.area_id) ?? 0;
      const isSelected = area.area_id === this.area;
      const isWorkplace = WORKPLACES.includes(area.kind);
      const isMain = ['belt_road', 'main_intake', 'total_return', 'shaft', 'pit_bottom', 'chamber'].includes(area.kind);
      this.want({
        at: this.view.at(...at), words: areaName(area.area_id), level, isBare: !level, isStrong: isSelected || level > 0, isClose: !level,
        rank: level ? 72 + level : isSelected ? 74 : isWorkplace ? 56 : isMain ? 36 : 26, mustShow: level > 0, reach: 13 * this.unit, info: {place: placeOf('area', area.area_id)},
      });
    }
  }

  // ── labels ──

  want(label) {
    const font = label.isStrong || label.level || label.tone === 'strong' ? this.boldFont : this.font;
    const pad = label.isBare ? 2 : 5;
    const mark = label.isPill || label.level ? 15 : 0;
    const w = this.widthOf(label.words, font) + (2 * pad + mark) * this.unit;
    const h = (label.isBare ? 15 : 18) * this.unit;
    this.wanted.push({reach: 8 * this.unit, ...label, font, pad: pad * this.unit, mark: mark * this.unit, w, h});
  }

  place() {
    this.labels = placed(this.wanted, this.obstacles, this.view);
    for (const label of this.labels) if (label.isLed && !label.isBare) this.things.push(this.leader(label));
    for (const label of this.labels) this.things.push(this.labelShape(label));
  }

  leader({at: [px, py], box}) {
    const x = Math.max(box.x, Math.min(px, box.x + box.w));
    const y = Math.max(box.y, Math.min(py, box.y + box.h));
    return draw.line([[px, py], [x, y]], this.color('ink-3'), 1);
  }

  labelShape(label) {
    const {box, level, tone, font, words, pad, mark} = label;
    const {x, y, w, h} = box;
    const ink = level && !label.isPill ? this.color(`risk-${level}-ink`) : tone && tone !== 'strong' ? this.color(tone) : this.color(label.isStrong ? 'ink' : label.isBare ? 'ink-2' : 'ink');
    const children = [];
    if (label.isBare) children.push(draw.text(words, x + pad, y + h / 2, ink, font, {stroke: this.color('map'), lineWidth: 4 * this.unit}), draw.text(words, x + pad, y + h / 2, ink, font));
    else {
      const edge = level ? this.color(`risk-${level}-line`) : tone && tone !== 'strong' ? this.color(tone) : this.color('line-2');
      children.push(draw.box(box, {fill: this.color(level && !label.isPill ? `risk-${level}-wash` : 'panel-2'), stroke: edge, lineWidth: (level ? 1.5 : 1) * this.unit}, {r: label.isPill ? h / 2 : 2 * this.unit}));
      if (label.isPill) children.push(draw.placedGroup(draw.person(this.color('symbol')), x + pad + 5 * this.unit, y + h / 2, {scale: this.unit * 0.95, silent: true}));
      else if (level) children.push(draw.levelShape(level, x + pad + 5 * this.unit, y + h / 2, 11 * this.unit, this.color));
      children.push(draw.text(words, x + pad + mark, y + h / 2 + 0.5, label.isPill && level ? this.color(`risk-${level}-ink`) : ink, font));
    }
    // A clear ground, so that a click beside the letters counts.
    children.push(draw.box(box, {fill: 'rgba(0,0,0,0)'}));
    return {type: 'group', info: label.info, children};
  }

  selection() {
    const at = gridOfPlace(kindAndId(state.place));
    if (!at || kindAndId(state.place)[0] === 'area') return;
    const [x, y] = this.view.at(...at);
    this.things.push(draw.circle(x, y, 8.5 * this.unit, {fill: 'none', stroke: this.color('guide'), lineWidth: 2.4 * this.unit}, {silent: true}));
  }
}

function pointText(point, found, isCut) {
  if (isCut) return L('已断电', 'power cut');
  const name = point.quantity === 'ch4' ? pointShort(point) : quantityName(point.quantity);
  const value = found.state === 'over' ? `≥ ${withUnit(point.range_high, point.unit, decimals(point))}` : withUnit(found.value, point.unit, decimals(point));
  const mark = {suspect: L('疑 ', '? '), bad: L('坏 ', 'BAD '), calibration: L('标校 ', 'CAL ')}[found.state] ?? '';
  return `${name} ${mark}${value}`;
}
