// The console: one picture of the mine, one selection, and panes that show both. This file says how they hang together.

import {Alarms} from './alarms.js';
import {call, logout, user, whenLoginNeeded} from '/pages/session.js';
import {Areas} from './areas.js';
import {Ask} from './ask.js';
import {Band} from './band.js';
import {Curves} from './curves.js';
import {Drawer} from './drawer.js';
import {Evidence} from './evidence.js';
import {Find} from './find.js';
import {html, show} from '/pages/html.js';
import {Help, listen} from './keys.js';
import {Login} from './login.js';
import {RoadwayMap} from './map.js';
import {alarmOf, areaOf, loadMine, look, lookForPeople, mayDo, maySeePeople, mine} from './mine.js';
import {age, clock, day, instant} from './numbers.js';
import {back, change, isLookOnly, kindAndId, onChange, state, toggleLayer} from './selection.js';
import {Sound} from './sound.js';
import {follow} from './stream.js';
import {nextSpeed, TimeBar} from './timebar.js';
import {selectedDisposition, Timeline} from './timeline.js';
import {pageLinks, TopBar} from './topbar.js';
import {className, L, of, setLanguage} from './words.js';

const PICTURE_EACH_MS = 5000;
const PEOPLE_EACH_MS = 15e3;
const SLOW_EACH_MS = 30e3;
const NEWS_MS = 10e3;

const root = document.documentElement;
const page = {
  link: {isUp: true, since: null, tries: 0, news: ''}, serverMs: null, takenAt: 0, isStarted: false, looking: null, wanted: false, peopleAt: 0, slowAt: 0, caught: null,
};
const panes = {};

// ── the shell ──

function build() {
  setLanguage(state.lang);
  document.body.innerHTML = String(html`<div class="app"><header class="top"></header><section class="focus"></section><div class="replay" hidden></div>
    <main class="main"><section class="pane areas"></section><section class="pane mapp"></section>
      <div class="low"><section class="pane curves"></section><section class="pane evidence"></section></div>
      <div class="right"><section class="pane alarms"></section><section class="pane ask" hidden></section><section class="pane timeline"></section></div></main>
    <footer class="tb"></footer></div>
    <aside class="drawer" role="dialog" hidden><div class="dh"></div><div class="dclk"></div><div class="db"></div><div class="df"></div></aside>
    <div class="help" hidden></div><div class="find" role="search" hidden></div><div class="menu" hidden></div><div class="login" hidden></div><div class="lost-line" role="alert" hidden></div>`);
  const at = (name) => document.querySelector(`.${name}`);
  panes.top = new TopBar(at('top'));
  panes.band = new Band(at('focus'), {select, act: actOn});
  panes.areas = new Areas(at('areas'), {select});
  panes.map = new RoadwayMap(at('mapp'), {select});
  panes.alarms = new Alarms(at('alarms'), {select, act});
  panes.curves = new Curves(at('curves'));
  panes.evidence = new Evidence(at('evidence'), {select});
  panes.timeline = new Timeline(at('timeline'), {act});
  panes.time = new TimeBar(at('tb'), {travel, live, select});
  const recorded = {done: refresh, say, now: nowMs};
  panes.ask = new Ask(at('ask'), recorded);
  panes.drawer = new Drawer(at('drawer'), recorded);
  panes.help = new Help(at('help'));
  panes.find = new Find(at('find'), select);
  panes.sound = new Sound();
  panes.login = new Login(at('login'), start);
  panes.replay = at('replay');
  panes.lost = at('lost-line');
  panes.menu = at('menu');
  at('top').addEventListener('click', (event) => { if (event.target.closest('[data-act="user"]')) toggleMenu(); });
  panes.menu.addEventListener('click', async (event) => {
    const {mineCode, act: what} = event.target.closest('button')?.dataset ?? {};
    panes.menu.hidden = true;
    if (what === 'logout') { await logout(); panes.login.open(); }
    if (mineCode) { change({mine: mineCode, place: '', replay: null, cursor: null}); start(); }
  });
  panes.replay.addEventListener('click', (event) => { if (event.target.closest('button')) live(); });
}

function toggleMenu() {
  panes.menu.hidden = !panes.menu.hidden;
  if (panes.menu.hidden) return;
  show(panes.menu, html`${(mine.row?.mines ?? []).length > 1 ? mine.row.mines.map((each) => html`<button data-mine-code="${each.mine_code}">${of(each, 'name')}</button>`) : ''}<span class="pages">${pageLinks()}</span><button data-act="logout">${L('退出登录', 'Log out')}</button>`);
  panes.menu.querySelector('button').focus();
}

function dress() {
  setLanguage(state.lang);
  root.lang = state.lang === 'en' ? 'en' : 'zh-CN';
  root.dataset.theme = state.theme;
  root.dataset.profile = state.profile;
  document.title = `minefusion ${L('调度台', 'console')}`;
}

// ── time ──

/** The service's clock, of which the page's own is a copy. */
function nowMs() {
  return page.serverMs === null ? Date.now() : page.serverMs + (performance.now() - page.takenAt);
}

function setClock(ms) {
  page.serverMs = ms;
  page.takenAt = performance.now();
}

/** Leave live: every pane shows that instant, as it was known then. */
function travel(ms) {
  const now = nowMs();
  if (ms >= now - 1000) { live(); return; }
  page.replayedAt = performance.now();
  change({replay: Math.round(ms), cursor: null, freeze: null}, {isStep: false});
}

function live() { change({replay: null, cursor: null, freeze: null}, {isStep: false}); }

// ── what is selected ──

/** Make everything on the page be about that place and, where it happened at a time, that time. */
function select(place, {isAdded = false} = {}) {
  const [kind, id] = kindAndId(place);
  if (isAdded && kind === 'point') {
    const points = state.extra.split(',').filter(Boolean);
    change({extra: (points.includes(id) ? points.filter((each) => each !== id) : [...points, id].slice(-6)).join(',')});
    return;
  }
  const alarm = kind === 'alarm' ? alarmOf(id) : null;
  const parts = {place, extra: ''};
  if (alarm && state.replay === null) parts.cursor = instant(alarm.raised_at);
  else if (kind !== 'point' && kind !== 'camera' && kind !== 'person') parts.cursor = null;
  change(parts);
}

// ── what is done ──

const isActing = () => state.replay === null && page.link.isUp;

function act(what, id, value) {
  if (what === 'mute') { panes.sound.mute(); draw(); return undefined; }
  if (what === 'dispose') return dispose(alarmOf(id) ?? null);
  return actOn(what, alarmOf(id), value);
}

/** What a key or a button does with an alarm; where the rules forbid it, that is said. */
async function actOn(what, alarm, value) {
  if (!alarm) return;
  if (what === 'dispose') { dispose(alarm); return; }
  if (!isActing()) { say(L('此时不可操作', 'off just now')); return; }
  const may = what === 'verdict' ? mayDo('dispatcher', 'analyst', 'engineer') : what === 'shelve' ? mayDo('dispatcher', 'engineer') : mayDo('dispatcher');
  if (!may) { say(L('无权处置：需要“调度员”角色', 'Not allowed: needs the dispatcher role')); return; }
  if (what === 'ack') {
    if (!alarm.state.includes('unacked')) { say(L('此报警已确认', 'It is acknowledged already')); return; }
    if (alarm.is_regulator) panes.ask.open('ack', alarm);
    else await record('/alarms/acknowledge', {alarm_ids: [alarm.alarm_id], note: ''});
  } else if (what === 'assign') panes.ask.open('assign', alarm);
  else if (what === 'shelve') {
    if (alarm.is_regulator) say(L(`不能搁置：${className(alarm)}属监管类，须处置`, `Cannot shelve: ${className(alarm)} is regulator class, dispose of it`));
    else panes.ask.open('shelve', alarm);
  } else if (what === 'reset') await record(`/alarms/${encodeURIComponent(alarm.alarm_id)}/reset`, undefined);
  else if (what === 'verdict' && value === 'rejected') panes.ask.open('reject', alarm);
  else if (what === 'verdict') await record(`/alarms/${encodeURIComponent(alarm.alarm_id)}/verdict`, {verdict: 'confirmed'});
}

async function record(path, body) {
  try {
    const told = await call(path, {method: 'POST', body});
    say(L('已写入日志', 'Recorded'), told?.journal);
    await refresh();
  } catch (problem) {
    say(problem.message);
  }
}

function dispose(alarm) {
  const id = alarm?.disposition_id ?? selectedDisposition()?.disposition_id;
  if (!id) { say(L('此报警无须处置单', 'This alarm needs no disposal')); return; }
  panes.ask.isOpen && panes.ask.close();
  panes.drawer.open(id);
}

/** A line in the top bar for some seconds; nothing covers what is shown. */
function say(words, lines) {
  page.link.news = lines?.length ? `${words} #${lines.at(-1)}` : words;
  clearTimeout(page.newsTimer);
  page.newsTimer = setTimeout(() => { page.link.news = ''; draw(); }, NEWS_MS);
  draw();
}

// ── looking ──

/** A new picture of the mine; one at a time, and once more where something changed meanwhile. */
async function refresh() {
  if (page.looking) { page.wanted = true; return page.looking; }
  page.looking = (async () => {
    do {
      page.wanted = false;
      const asked = state.replay;
      const picture = await look(asked);
      if (page.serverMs === null && picture.is_live) setClock(picture.atMs);
      if (page.caught) caughtUp();
      if (Date.now() - page.peopleAt > (asked === null ? PEOPLE_EACH_MS : 2000) || page.peopleFor !== peopleKey()) await people();
      if (Date.now() - page.slowAt > SLOW_EACH_MS) await slow();
      if (asked !== state.replay) page.wanted = true;
    } while (page.wanted);
  })().catch(() => {
    // The link's own sign tells that it is down; what is shown gets old and says so.
  }).finally(() => { page.looking = null; draw(); });
  return page.looking;
}

const peopleKey = () => `${state.replay} ${state.cursor}`;

async function people() {
  page.peopleFor = peopleKey();
  page.peopleAt = Date.now();
  await lookForPeople(state.replay ?? state.cursor);
}

/** What changes with the minutes: what cameras saw, likely causes, ways out. */
async function slow() {
  page.slowAt = Date.now();
  const at = state.replay ?? nowMs();
  const span = {mine: mine.code, from: new Date(at - 4 * 3600e3).toISOString(), to: new Date(at).toISOString(), limit: 1000};
  const [causes] = await Promise.all([call('/alarm-causes', {params: span}), panes.evidence.look(state.replay ?? state.cursor ?? at), waysOut(at)]);
  mine.causes = new Map(causes.rows.filter((each) => each.rank === 1).map((each) => [each.alarm_id, each]));
}

/** The newest ways out of areas in which an alarm asks to withdraw, and of the selected one. */
async function waysOut(at) {
  mine.routes = [];
  if (!maySeePeople()) return;
  const selected = areaOf(kindAndId(state.place));
  const areas = new Set((mine.picture?.areas ?? []).filter((each) => each.level === 4 && each.people_count > 0).map((each) => each.area_id));
  if (selected) areas.add(selected);
  const span = {mine: mine.code, from: new Date(at - 11 * 60e3).toISOString(), to: new Date(at).toISOString(), limit: 1000};
  for (const area_id of [...areas].slice(0, 6)) {
    const {rows} = await call('/escape-routes', {params: {...span, area_id}});
    const last = rows.reduce((a, each) => (a && a >= each.minute ? a : each.minute), null);
    mine.routes.push(...rows.filter((each) => each.minute === last && ['exit', 'refuge'].includes(each.answer)));
  }
}

function caughtUp() {
  const {missed, before} = page.caught;
  const fresh = mine.picture.alarms.filter((each) => instant(each.shown_at) > before && !each.is_advisory).length;
  page.caught = null;
  say(L(`已恢复，补齐 ${missed} 条，期间新报警 ${fresh} 条`, `Back; ${missed} changes caught up, ${fresh} new alarms`));
}

function linked(told) {
  const wasUp = page.link.isUp;
  Object.assign(page.link, told);
  if (told.isUp && told.wasDown) {
    page.caught = {missed: told.missed, before: page.lostMs ?? nowMs()};
    refresh();
  }
  if (!told.isUp && wasUp) {
    page.lostMs = nowMs();
    panes.sound.play(2);
  }
  draw();
}

function heard({event, data}) {
  if (event === 'hello') setClock(instant(data.now));
  if (event === 'change' && state.replay !== null && data.what === 'alarm.raised') page.liveAlarms = (page.liveAlarms ?? 0) + 1;
  if (event !== 'hello' && state.replay === null) {
    clearTimeout(page.soon);
    page.soon = setTimeout(refresh, 120);
  }
}

// ── painting ──

function draw(changed, {isTick = false} = {}) {
  dress();
  const now = nowMs();
  const told = {nowMs: state.replay ?? now, liveMs: now, link: page.link, sound: panes.sound.mutedForS ? `${L('静音', 'muted')} ${panes.sound.mutedForS} s` : L('声音 开', 'Sound on')};
  root.classList.toggle('lost', !page.link.isUp);
  root.classList.toggle('replaying', state.replay !== null);
  drawReplay(now);
  drawLost();
  if (!mine.picture) return;
  panes.top.draw(told);
  panes.band.draw(told);
  panes.areas.draw(told);
  panes.alarms.draw(told);
  panes.timeline.draw(told);
  panes.time.draw({...told, nowMs: now});
  panes.curves.draw(told);
  panes.evidence.draw(told);
  if (!isTick || state.replay !== null) panes.map.draw(told);
  panes.drawer.draw();
  if (changed?.has('place')) {
    panes.map.follow();
    document.querySelector('.ar.sel')?.scrollIntoView({block: 'nearest'});
    document.querySelector('.am.sel')?.scrollIntoView({block: 'nearest'});
  }
}

function drawReplay(now) {
  panes.replay.hidden = state.replay === null;
  if (state.replay === null) return;
  const urgent = page.liveAlarms ?? 0;
  show(panes.replay, html`<b>${L('历史回放', 'Replay')} ${day(state.replay)} ${clock(state.replay)}</b><span>${L('非实时 · 落后', 'not live · behind by')} ${age(now - state.replay)} · ×${state.speed}</span><span class="sp"></span>${urgent ? html`<span>${L(`实时另有 ${urgent} 条新报警`, `${urgent} new alarms are live now`)}</span>` : ''}<button class="btn" data-key="to-live">${L('回到实时', 'Back to live')} <kbd>L</kbd></button>`);
}

function drawLost() {
  const {isUp, since, tries} = page.link;
  panes.lost.hidden = isUp;
  if (!isUp) show(panes.lost, html`<b>${L(`与服务器断开 ${age(Date.now() - since)}，第 ${tries} 次重连…`, `Server lost ${age(Date.now() - since)}, retry ${tries}…`)}</b> ${mine.picture ? L(`以下为 ${clock(mine.picture.atMs)} 的最后值；确认与处置暂不可用，请用电话`, `last values of ${clock(mine.picture.atMs)}; ack and disposal are off, use the phone`) : ''}`);
}

// ── keys ──

const selectedAlarm = () => alarmOf(kindAndId(state.place)[1]) ?? null;

function step(direction) {
  const box = document.activeElement?.closest('.al') ? '.ar' : '.am, .ai';
  const rows = [...document.querySelectorAll(box)];
  const at = rows.findIndex((each) => each.classList.contains('sel'));
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + direction))];
  if (!next) return;
  select(`${box === '.ar' ? 'area' : 'alarm'}:${next.dataset.key}`);
  (document.querySelector(`${box.split(',')[0]}.sel`) ?? document.querySelector('.ai.sel'))?.focus();
}

function unacked(direction) {
  const rows = panes.alarms.shown.filter((id) => alarmOf(id)?.state.includes('unacked'));
  if (!rows.length) return;
  const at = rows.indexOf(kindAndId(state.place)[1]);
  select(`alarm:${rows[(at + direction + rows.length) % rows.length]}`);
  document.querySelector('.am.sel')?.focus();
}

function alarmInTime(direction) {
  const about = state.replay ?? state.cursor ?? nowMs();
  const rows = (mine.picture?.alarms ?? []).map((each) => instant(each.raised_at)).sort((a, b) => a - b);
  const next = direction > 0 ? rows.find((each) => each > about + 500) : rows.findLast((each) => each < about - 500);
  if (next) travel(next);
}

function escape() {
  if (panes.help.isOpen) panes.help.toggle();
  else if (panes.find.isOpen) panes.find.close();
  else if (!panes.menu.hidden) panes.menu.hidden = true;
  else if (panes.ask.isOpen) panes.ask.close();
  else if (panes.drawer.isOpen) panes.drawer.close();
  else return back();
  return true;
}

const focusOn = (name) => () => (document.querySelector(`.${name} [tabindex="0"], .${name} button`) ?? document.querySelector(`.${name} [tabindex], .${name}`))?.focus();
const onAlarm = (what, value) => () => { actOn(what, selectedAlarm() ?? panes.band.alarm, value); };
const arrow = (dx, dy, direction) => (event) => {
  if (event.target.closest?.('.mapp')) panes.map.pan(dx, dy);
  else if (direction) step(direction);
  else return false;
  return true;
};

function bindKeys() {
  listen({
    a: onAlarm('ack'), s: onAlarm('assign'), v: onAlarm('shelve'), y: onAlarm('verdict', 'confirmed'), x: onAlarm('verdict', 'rejected'),
    d: () => dispose(selectedAlarm()), n: () => unacked(1), 'Shift N': () => unacked(-1),
    1: focusOn('focus'), 2: focusOn('al'), 3: focusOn('canvas'), 4: focusOn('alarms .rows'), 5: focusOn('curves'), 6: focusOn('evidence'),
    Escape: escape, Home: () => { change({place: '', cursor: null, replay: null, extra: '', span: 90}); panes.map.home(); },
    t: () => { if (state.replay === null) travel(nowMs() - 60e3); }, l: live, r: () => { if (state.replay !== null) change({speed: nextSpeed(state.speed)}); },
    '[': () => travel((state.replay ?? nowMs()) - 60e3), ']': () => { if (state.replay !== null) travel(state.replay + 60e3); },
    '{': () => alarmInTime(-1), '}': () => alarmInTime(1),
    '+': () => panes.map.zoomBy(1.5), '=': () => panes.map.zoomBy(1.5), '-': () => panes.map.zoomBy(1 / 1.5), 0: () => panes.map.home(),
    p: () => toggleLayer('people'), g: () => toggleLayer('sensors'), e: () => toggleLayer('escape'),
    f: () => panes.find.open(), '/': () => panes.find.open(), m: () => { panes.sound.mute(); draw(); },
    ' ': () => change({freeze: state.freeze === null ? Math.round(state.replay ?? nowMs()) : null}, {isStep: false}),
    'Alt T': () => panes.map.showTwin(), 'Ctrl Enter': () => (panes.drawer.isOpen ? panes.drawer.saveAll() : false), '?': () => panes.help.toggle(),
    ArrowUp: arrow(0, 60, -1), ArrowDown: arrow(0, -60, 1), ArrowLeft: arrow(60, 0), ArrowRight: arrow(-60, 0),
  });
}

// ── going ──

async function start() {
  page.stop?.();
  mine.picture = null;
  try {
    await loadMine(state.mine);
    await refresh();
    if (!mine.picture) throw new Error(L('服务器没有回答', 'the service does not answer'));
  } catch (problem) {
    if (problem.status === 401 || !user()) { panes.login.open(); return; }
    panes.lost.hidden = false;
    show(panes.lost, html`<b>${problem.message}</b>`);
    setTimeout(start, 5000);
    return;
  }
  panes.map.take();
  page.stop = follow(mine.code, {hear: heard, link: linked});
  page.isStarted = true;
  draw(new Set(['place']));
  root.dataset.ready = 'yes';
}

let lastSecond = 0;
function beat() {
  if (!page.isStarted) return;
  const second = Math.floor(performance.now() / 1000);
  if (second === lastSecond) return;
  lastSecond = second;
  if (state.replay !== null) {
    const passed = performance.now() - (page.replayedAt ?? performance.now());
    page.replayedAt = performance.now();
    const next = state.replay + passed * state.speed;
    if (next >= nowMs()) live();
    else change({replay: Math.round(next)}, {isStep: false});
  } else {
    page.liveAlarms = 0;
    if (page.link.isUp && second % Math.round(PICTURE_EACH_MS / 1000) === 0) refresh();
    panes.sound.hear(mine.picture?.alarms ?? []);
  }
  draw(undefined, {isTick: true});
}

onChange((_, changed) => {
  if (changed.has('mine')) return;
  if (!isLookOnly(changed) && (changed.has('replay') || changed.has('cursor'))) {
    page.slowAt = 0;
    refresh();
  }
  if (changed.has('place')) page.slowAt = 0;
  draw(changed);
  if (changed.has('theme') || changed.has('lang') || changed.has('profile')) panes.curves.rebuild();
});

dress();
build();
bindKeys();
whenLoginNeeded(() => panes.login.open());
setInterval(beat, 250);
if (user() && !user().must_change) start();
else panes.login.open();
