// Evidence of the selected place at its time: what a camera saw, who was there, and how its sensors stand.

import {answer, call} from '/pages/session.js';
import {html, show} from '/pages/html.js';
import {areaName, areaOf, decimals, gridOf, gridOfPlace, maySeePeople, mayDo, mine, pointShort, pointsOf, standing} from './mine.js';
import {age, clock, instant, number, stamp, withUnit} from './numbers.js';
import {change, kindAndId, placeOf, state} from './selection.js';
import {L, of, quantityName} from './words.js';

const TABS = ['video', 'people', 'sensors'];
// Footage this near to the selected instant is taken for it.
const NEAR_MS = 30 * 60e3;
const ROWS_SHOWN = 200;
const NO_FIX_S = 300;

export class Evidence {
  constructor(element, {select}) {
    element.innerHTML = String(html`<div class="ph"></div><div class="ev" tabindex="-1"></div>`);
    [this.head, this.body] = element.children;
    this.tab = 'video';
    this.events = [];
    this.shownEvent = null;
    this.head.addEventListener('click', (event) => {
      const {tab} = event.target.closest('[data-tab]')?.dataset ?? {};
      if (tab) { this.tab = tab; this.draw(this.last); }
    });
    this.body.addEventListener('click', (event) => {
      const row = event.target.closest('[data-place]');
      if (row) select(row.dataset.place);
      const step = event.target.closest('[data-event]');
      if (step) change({cursor: Number(step.dataset.at), place: placeOf('camera', step.dataset.event)});
    });
  }

  get instant() { return state.replay ?? state.cursor ?? this.last.nowMs; }

  draw(told) {
    this.last = told;
    const selected = kindAndId(state.place);
    const [kind] = selected;
    if (state.place !== this.place) {
      this.place = state.place;
      if (kind === 'camera') this.tab = 'video';
      if (kind === 'person') this.tab = 'people';
      if (kind === 'point') this.tab = this.tab === 'people' ? 'sensors' : this.tab;
    }
    const area = areaOf(selected);
    const people = this.peopleIn(area);
    const sensors = area ? pointsOf(area) : [];
    const cameras = camerasNear(selected, area);
    const counts = {video: cameras.filter((each) => !area || each.area_id === area).length, people: people.length, sensors: sensors.length};
    const names = {video: L('视频', 'Video'), people: L('人员', 'People'), sensors: L('测点', 'Sensors')};
    show(this.head, html`<span class="tabs" role="group">${TABS.map((name) => html`<button data-tab="${name}" data-key="ev-${name}" aria-pressed="${this.tab === name}">${names[name]} ${counts[name]}</button>`)}</span><span class="sp"></span><span class="min mut ell">${area ? areaName(area) : L('全矿', 'Mine')}</span>`);
    if (this.tab === 'people') this.drawPeople(people, area);
    else if (this.tab === 'sensors') this.drawSensors(sensors, area);
    else this.drawVideo(cameras, selected);
  }

  peopleIn(area) {
    return (mine.people ?? []).filter((each) => !area || each.area_id === area);
  }

  drawPeople(people, area) {
    if (!maySeePeople()) return this.say(L('无权查看人员位置：需要“调度员”角色', 'Not allowed to see people: needs the dispatcher role'));
    if (!people.length) return this.say(L(`${area ? areaName(area) : '井下'} 此时无人`, `Nobody in ${area ? areaName(area) : 'the mine'} then`));
    const rows = [...people].sort((a, b) => b.age_s - a.age_s).slice(0, ROWS_SHOWN);
    show(this.body, html`<div class="mut min lead">${L(`${clock(mine.peopleAt)} 的位置，${people.length} 人`, `positions of ${clock(mine.peopleAt)}, ${people.length} people`)}</div><ul class="list">${rows.map((each) => html`<li class="${state.place === placeOf('person', each.person_hash) ? 'sel' : ''}"><button data-key="${each.person_hash}" data-place="${placeOf('person', each.person_hash)}"><b class="ell">${each.name ?? L('未登记', 'not registered')}</b><span class="ell">${each.work_type ?? ''}</span><span class="min mut nw ${each.age_s > NO_FIX_S ? 'q' : ''}">${each.is_calling ? html`<b class="r4">${L('呼救', 'calls for help')}</b> ` : ''}${age(each.age_s * 1000)}</span></button></li>`)}</ul>`);
    return undefined;
  }

  drawSensors(sensors, area) {
    if (!area) return this.say(L('选择一处地点，看它的测点', 'Select a place to see its sensors'));
    if (!sensors.length) return this.say(L(`${areaName(area)} 没有测点`, `${areaName(area)} has no sensors`));
    const ordered = [...sensors].sort((a, b) => (b.value_kind === 'MN') - (a.value_kind === 'MN') || a.quantity.localeCompare(b.quantity));
    show(this.body, html`<ul class="list">${ordered.map((point) => html`<li class="${state.place === placeOf('point', point.point_id) ? 'sel' : ''}"><button data-key="${point.point_id}" data-place="${placeOf('point', point.point_id)}"><span class="ell" title="${point.location ?? point.point_id}">${pointShort(point)} ${quantityName(point.quantity)}</span><span></span><span class="nw">${valueMark(point, this.last.nowMs)}</span></button></li>`)}</ul>`);
    return undefined;
  }

  async drawVideo(cameras, [kind, id]) {
    if (!cameras.length) return this.say(L('本矿没有摄像机', 'No camera in this mine'));
    if (!mayDo('dispatcher', 'analyst', 'engineer', 'admin')) return this.say(L('无权查看视频证据：需要“调度员”角色', 'Not allowed to see video: needs the dispatcher role'));
    const alarm = kind === 'alarm' ? mine.picture.alarms.find((each) => each.alarm_id === id) : null;
    const wanted = kind === 'camera' ? id : mine.cameras.has(alarm?.entity) ? alarm.entity : null;
    const at = this.instant;
    const seen = this.events.filter((each) => Math.abs(instant(each.began_at) - at) < NEAR_MS && instant(each.began_at) <= (state.replay ?? this.last.nowMs));
    const from = (code) => seen.filter((each) => each.camera_code === code).sort((a, b) => Math.abs(instant(a.began_at) - at) - Math.abs(instant(b.began_at) - at));
    const [event] = wanted ? from(wanted) : cameras.flatMap((each) => from(each.camera_code));
    if (!event) {
      const camera = mine.cameras.get(wanted) ?? cameras[0];
      return this.say(html`<b>${camera?.name ?? ''}</b><br>${L(`${clock(at)} 前后无录像`, `no footage around ${clock(at)}`)}`, camera && cameras.length > 1 ? cameras : []);
    }
    const camera = mine.cameras.get(event.camera_code);
    const key = event.event_id;
    if (this.body.dataset.event !== key) {
      this.body.dataset.event = key;
      show(this.body, html`<div class="vid"><div class="fr"><div class="frame"></div><span class="over">${camera?.name ?? event.camera_code} ${stamp(instant(event.began_at), this.last.nowMs)} · ${L('片段', 'clip')}</span></div><div class="min sec ell">${of(event, 'sentence') || event.event_type} · ${L('置信度', 'conf.')} ${number(event.event_confidence, 2)}</div></div>`);
      await this.picture(event, key);
    }
    return undefined;
  }

  /** The clip where there is one, else the picture, else that there is none. */
  async picture(event, key) {
    const frame = this.body.querySelector('.frame');
    for (const [kind, tag] of [['clip', 'video'], ['snapshot', 'img']]) {
      if (!event[`${kind}_uri`]) continue;
      try {
        const address = URL.createObjectURL(await (await answer(`/evidence/${encodeURIComponent(event.event_id)}/${kind}`, {params: {mine: mine.code}})).blob());
        if (this.body.dataset.event !== key) { URL.revokeObjectURL(address); return; }
        const shown = document.createElement(tag);
        shown.src = address;
        if (tag === 'video') Object.assign(shown, {controls: true, muted: true, loop: true, preload: 'auto'});
        else shown.alt = of(event, 'sentence');
        shown.addEventListener(tag === 'video' ? 'loadeddata' : 'load', () => { this.body.dataset.loaded = kind; }, {once: true});
        frame.replaceChildren(shown);
        return;
      } catch {
        // the next kind of evidence, or the words below
      }
    }
    if (this.body.dataset.event === key) frame.replaceChildren(Object.assign(document.createElement('p'), {textContent: L('此事件没有保存画面', 'No picture of this event is kept')}));
  }

  say(words, cameras = []) {
    delete this.body.dataset.event;
    delete this.body.dataset.loaded;
    show(this.body, html`<div class="empty"><div>${words}${cameras.length ? html`<ul class="list">${cameras.slice(0, 6).map((each) => html`<li><button data-key="${each.camera_code}" data-place="${placeOf('camera', each.camera_code)}"><span class="ell">${each.name ?? each.camera_code}</span></button></li>`)}</ul>` : ''}</div></div>`);
  }

  /** Ask what cameras saw around an instant. */
  async look(at) {
    if (!mayDo('dispatcher', 'analyst', 'engineer', 'admin')) return;
    const span = {mine: mine.code, from: new Date(at - NEAR_MS).toISOString(), to: new Date(at + NEAR_MS).toISOString(), limit: 500};
    const [ours, theirs] = await Promise.all([call('/unsafe-behaviours', {params: span}), call('/behaviours', {params: span})]);
    this.events = [...ours.rows, ...theirs.rows];
  }
}

/** The area's own cameras first, then by their distance from the selected place. */
function camerasNear(selected, area) {
  const at = gridOfPlace(selected);
  const distance = (camera) => {
    const own = at && gridOf(camera.edge_id, camera.chainage_m);
    return (area && camera.area_id === area ? -1e9 : 0) + (own ? Math.hypot(own.x - at[0], own.y - at[1]) : 0);
  };
  return [...mine.cameras.values()].sort((a, b) => distance(a) - distance(b));
}

/** A value with its quality in words and signs. */
function valueMark(point, nowMs) {
  const found = standing(point, nowMs);
  const value = point.value_kind === 'KG' || point.value_kind === 'DT' ? switchWords(point, found.value) : withUnit(found.value, point.unit, decimals(point));
  switch (found.state) {
    case 'suspect': return html`<span class="suspect">${value}</span> <span class="tag q">${L('疑', '?')}</span>`;
    case 'bad': return html`<span class="q">—</span> <span class="tag filled">${L('坏', 'BAD')}</span>`;
    case 'stale': return html`<span class="old">${value}</span> <span class="tag old">${L('旧', 'old')} ${age(found.ageMs)}</span>`;
    case 'calibration': return html`<span class="old">${value}</span> <span class="tag q">${L('标校', 'CAL')}</span>`;
    case 'over': return html`<b class="r${found.level}">≥ ${withUnit(point.range_high, point.unit, decimals(point))}</b> <span class="tag q">${L('超量程', 'over range')}</span>`;
    case 'missing': return html`<span class="mut">— ${L('两小时内无值', 'none for 2 h')}</span>`;
    default: return html`<b class="r${found.level}">${value}</b>`;
  }
}

function switchWords(point, value) {
  if (value === null || value === undefined) return '—';
  return value ? L(point.on_desc ?? '1', 'on') : L(point.off_desc ?? '0', 'off');
}
