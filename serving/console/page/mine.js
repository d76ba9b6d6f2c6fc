// What is known of the mine: what stands still (areas, roadways, points, cameras), and the newest picture of it.

import {call, user} from '/pages/session.js';
import {instant, setMineOffset} from './numbers.js';
import {decimalsOf, L, of, quantityName} from './words.js';

const PAGE = 1000;
// A value is old once so many of its periods went by without another.
const STALE_PERIODS = 3;

/** The mine as loaded by `loadMine`, and what is known of it now. */
export const mine = {
  code: '', row: null, areas: new Map(), points: new Map(), nodes: new Map(), edges: new Map(), cameras: new Map(),
  options: null, picture: null, values: new Map(), people: null, peopleAt: null,
};

async function all(path, params) {
  const rows = [];
  let cursor = null;
  do {
    const page = await call(path, {params: {...params, limit: PAGE, cursor}});
    rows.push(...page.rows);
    cursor = page.next;
  } while (cursor);
  return rows;
}

/** What stands still of a mine; '' for the first that the user sees. */
export async function loadMine(code) {
  const {rows} = await call('/mines');
  const row = rows.find((each) => each.mine_code === code) ?? rows[0];
  if (!row) throw new Error(L('没有可查看的煤矿：数据湖为空，或账号未分配煤矿', 'no mine to show: the lake is empty, or none is yours'));
  const params = {mine: row.mine_code};
  const [areas, points, nodes, edges, cameras, options] = await Promise.all([
    all('/areas', params), all('/points', params), all('/roadway-nodes', params), all('/roadway-edges', params),
    all('/cameras', params), call('/options'),
  ]);
  setMineOffset(row.utc_offset_h ?? 8);
  Object.assign(mine, {
    code: row.mine_code,
    row: {...row, mines: rows},
    areas: new Map(areas.map((each) => [each.area_id, each])),
    points: new Map(points.map((each) => [each.point_id, each])),
    nodes: new Map(nodes.map((each) => [each.node_id, each])),
    edges: new Map(edges.map((each) => [each.edge_id, each])),
    cameras: new Map(cameras.map((each) => [each.camera_code, each])),
    options,
  });
}

/** The mine at an instant; null: now. */
export async function look(at) {
  const picture = await call('/picture', {params: {mine: mine.code, at: at === null ? null : new Date(at).toISOString()}});
  picture.atMs = instant(picture.at);
  mine.picture = picture;
  mine.values = new Map(picture.values.map(([point, quantity, atMs, value, quality, reasons]) => (
    [point, {quantity, atMs, value, quality, reasons}]
  )));
  return picture;
}

export const mayDo = (...roles) => roles.includes(user()?.role);
export const maySeePeople = () => mayDo('dispatcher', 'admin');

/** Where everybody is at an instant; null: now. */
export async function lookForPeople(at) {
  if (!maySeePeople()) return;
  const told = await call('/positions', {params: {mine: mine.code, at: at === null ? null : new Date(at).toISOString()}});
  mine.people = told.rows;
  mine.peopleAt = instant(told.at);
}

// ── areas ──

export const areaRow = (id) => mine.picture?.areas.find((each) => each.area_id === id) ?? null;
export const areaName = (id) => (id === mine.code ? L('全矿', 'Whole mine') : of(mine.areas.get(id), 'name') || L('位置未定', 'place not known'));

/** Areas under ground, with what the picture says of them, worst first: level, then people times level, then name. */
export function areasWorstFirst() {
  const rows = [...mine.areas.values()]
    .filter((area) => area.area_id !== 'unplaced' && area.kind !== 'surface' || areaRow(area.area_id)?.level > 0)
    .map((area) => ({...area, now: areaRow(area.area_id)}));
  const rank = (row) => {
    const level = row.now?.level ?? null;
    const people = row.now?.people_count ?? 0;
    if (level === null) return people > 0 ? 0.5 : -1;
    return level;
  };
  return rows.sort((a, b) => rank(b) - rank(a)
    || (b.now?.people_count ?? 0) * (rank(b) + 1) - (a.now?.people_count ?? 0) * (rank(a) + 1)
    || a.area_id.localeCompare(b.area_id));
}

// ── points ──

const shortCode = (point) => point.point_id.slice(-3).replace(/^0+(?=.)/, '');

/** A point's own name without those of its area and quantity: "回风隅角T0", "T2". */
export function pointShort(point) {
  const tag = /_(T\d)$/.exec(point.gas_class ?? '')?.[1];
  const code = shortCode(point);
  const zh = (point.location ?? '')
    .replace(mine.areas.get(point.area_id)?.name_zh ?? '', '').replace(/(甲烷|一氧化碳|氧气|风速|温度|风门|开停)$/, '');
  const named = zh && zh.length <= 10 ? zh : '';
  if (point.quantity === 'ch4' && tag) return L(/T\d/.test(named) || !named ? named || tag : named, `${tag}${sameTag(point, tag) ? ` ${code}` : ''}`);
  return L(named || code, code);
}

/** The shortest name of a point: T0, T2, else the end of its code. */
export const pointTag = (point) => {
  const tag = /_(T\d)$/.exec(point.gas_class ?? '')?.[1];
  return point.quantity === 'ch4' && tag && !sameTag(point, tag) ? tag : L(pointShort(point), shortCode(point));
};

const sameTag = (point, tag) => pointsOf(point.area_id).filter((each) => each.quantity === 'ch4' && each.gas_class?.endsWith(tag)).length > 1;

export const pointName = (point) => `${areaName(point.area_id)} ${pointShort(point)} ${quantityName(point.quantity)}`.replace(/\s+/g, ' ');
export const pointsOf = (areaId) => [...mine.points.values()].filter((each) => each.area_id === areaId);
export const decimals = (point) => decimalsOf(point.quantity);

/** How a point stands: its last value with the words for it. */
export function standing(point, nowMs) {
  const last = mine.values.get(point.point_id);
  if (!last) return {state: 'missing', value: null, level: 0, ageMs: null};
  const ageMs = nowMs - last.atMs;
  const base = {...last, ageMs, level: 0};
  const reasons = (last.reasons ?? '').split(',');
  if (ageMs > STALE_PERIODS * 1000 * (point.period_s || 60)) return {...base, state: 'stale'};
  if (reasons.includes('CALIBRATION')) return {...base, state: 'calibration'};
  // Over its range the value is at least the end of the range, and it counts.
  if (reasons.includes('SATURATED')) return {...base, state: 'over', level: levelOf(point, point.range_high ?? last.value)};
  if (last.quality === 'BAD') return {...base, value: null, state: 'bad'};
  if (last.quality === 'SUSPECT') return {...base, state: 'suspect'};
  return {...base, state: 'good', level: levelOf(point, last.value)};
}

/** 4 at the power-cut limit, 3 at the alarm limit, else 0; points without a limit have no level. */
export function levelOf(point, value) {
  if (value === null || value === undefined) return 0;
  if (point.cut !== null && value >= point.cut) return 4;
  if (point.alarm !== null && value >= point.alarm) return 3;
  if (point.low_alarm !== null && value <= point.low_alarm) return 3;
  return 0;
}

/** The gas point whose value is the largest share of its alarm limit; null where none has both. */
export function nearestToLimit(nowMs) {
  let best = null;
  for (const point of mine.points.values()) {
    if (!point.alarm || point.quantity !== 'ch4' && point.quantity !== 'co') continue;
    const {value} = standing(point, nowMs);
    if (value !== null && (!best || value / point.alarm > best.value / best.point.alarm)) best = {point, value};
  }
  return best;
}

// ── places ──

/** The area that a place lies in; '' for the whole mine. */
export function areaOf([kind, id]) {
  if (kind === 'area') return id;
  if (kind === 'point') return mine.points.get(id)?.area_id ?? '';
  if (kind === 'camera') return mine.cameras.get(id)?.area_id ?? '';
  if (kind === 'alarm') return alarmOf(id)?.area_id ?? '';
  if (kind === 'person') return mine.people?.find((each) => each.person_hash === id)?.area_id ?? '';
  return '';
}

export const alarmOf = (id) => mine.picture?.alarms.find((each) => each.alarm_id === id) ?? null;
export const dispositionOf = (id) => mine.picture?.dispositions.find((each) => each.disposition_id === id) ?? null;

/** Where a thing on a roadway lies, in metres of the mine's grid; null where that is not known. */
export function gridOf(edgeId, chainage) {
  const edge = mine.edges.get(edgeId);
  const from = edge && mine.nodes.get(edge.from_node);
  const to = edge && mine.nodes.get(edge.to_node);
  if (!from || !to) return null;
  const share = Math.min(1, Math.max(0, (chainage ?? edge.length_m / 2) / (edge.length_m || 1)));
  return {x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share, angle: Math.atan2(to.y - from.y, to.x - from.x)};
}

/** The middle of an area's longest roadway; null for one that has none. */
export function middleOf(areaId) {
  let longest = null;
  for (const edge of mine.edges.values()) if (edge.area_id === areaId && (!longest || edge.length_m > longest.length_m)) longest = edge;
  const at = longest && gridOf(longest.edge_id, longest.length_m / 2);
  return at && [at.x, at.y];
}

/** Where a place lies in the grid: a thing where it stands, an area in its middle; null where that is not known. */
export function gridOfPlace([kind, id]) {
  const on = (row) => {
    const at = row && gridOf(row.edge_id, row.chainage_m);
    return at && [at.x, at.y];
  };
  if (kind === 'point') return on(mine.points.get(id));
  if (kind === 'camera') return on(mine.cameras.get(id));
  if (kind === 'person') return on(mine.people?.find((each) => each.person_hash === id));
  if (kind === 'area') return middleOf(id);
  const alarm = kind === 'alarm' ? alarmOf(id) : null;
  return alarm && (on(mine.points.get(alarm.point_id)) ?? on(mine.cameras.get(alarm.entity)) ?? middleOf(alarm.area_id));
}
