// The rescue commander's page: asks again every few seconds, draws what changed, and sends what a person reports.

import {call, user} from '/pages/session.js';
import {html, show} from '/pages/html.js';
import {$, act, clockTime, complain, dayTime, lasting, level, number, said, setUp, t} from './shown.js';

const EVERY_MS = 3000;
// What came longer ago is shown as old.
const OLD_MS = 15000;

const URGENCY = {
  calling: ['求救', 'calls for help', 4], no_way: ['无路可撤', 'no way out', 4], too_far: ['自救器不足', 'self-rescuer too short', 4],
  trapped: ['被困', 'trapped', 4], injured: ['受伤', 'injured', 3], unseen: ['失去定位', 'not seen', 3],
  unplaced: ['位置不明', 'place not known', 3], no_answer: ['未回应', 'no answer yet', 2], inside: ['井下', 'inside', 1],
  gone_up: ['或已升井，待核', 'likely up, to be checked', 1], out: ['已出井', 'out', 0],
};
const SAYS = {safe: ['安全', 'safe'], injured: ['受伤', 'injured'], trapped: ['被困', 'trapped'], no_answer: ['无应答', 'no answer']};
const COUNTS = {
  roster: ['在册', 'on roster'], inside: ['未出井', 'not out'], out: ['已出井', 'out'], no_answer: ['未回应', 'no answer yet'],
  unseen: ['失去定位', 'not seen'], gone_up: ['或已升井', 'likely up'], no_way: ['无路可撤', 'no way out'],
  too_far: ['自救器不足', 'rescuer too short'], moved: ['在向外走', 'moving out'], came_later: ['后来入井', 'came later'],
};

const state = {one: null, people: null, air: null, plans: [], signs: [], over: [], areas: new Map(), offsetMs: 0, heardAt: 0, mayAct: false, seesPeople: false};

const at = (rest = '') => `/emergencies/${encodeURIComponent(state.one.emergency_id)}${rest}`;
const place = (id) => (id ? said(state.areas.get(id), 'name') || id : '—');

async function begin() {
  state.mayAct = user().role === 'dispatcher';
  state.seesPeople = ['dispatcher', 'admin'].includes(user().role);
  const {rows} = await call(`/areas?mine=${$('mine').value}&limit=1000`);
  state.areas = new Map(rows.map((each) => [each.area_id, each]));
  Object.assign(state, {one: null, people: null, air: null, plans: []});
  await refresh();
}

async function refresh() {
  const mine = $('mine').value;
  const open = (await call(`/emergencies?mine=${mine}&is_open=true`)).rows;
  const asked = new URLSearchParams(location.search).get('id');
  const chosen = open.find((each) => each.emergency_id === (state.one?.emergency_id ?? asked)) ?? open[0];
  if (!chosen) {
    Object.assign(state, {one: null, people: null, air: null});
    state.signs = (await call(`/emergencies/signs?mine=${mine}`)).rows;
    state.over = (await call(`/emergencies?mine=${mine}&is_open=false&limit=5`)).rows;
  } else {
    const isOther = state.one?.emergency_id !== chosen.emergency_id;
    const before = state.one && `${state.one.kind} ${state.one.area_id} ${state.one.severity}`;
    state.one = chosen;
    [state.one, state.people, state.air] = await Promise.all([
      call(at()), state.seesPeople ? call(at('/people')) : null, call(at('/conditions')),
    ]);
    if (isOther || before !== `${state.one.kind} ${state.one.area_id} ${state.one.severity}`) {
      const {kind, area_id: area, severity} = state.one;
      const query = new URLSearchParams({mine, kind, area_id: area, severity});
      state.plans = (await call(`/emergencies/plans?${query}`)).rows;
      $('plansBox').open = !state.one.plan;
    }
    state.offsetMs = Date.parse(state.one.now) - Date.now();
  }
  state.heardAt = Date.now();
  draw();
}

function draw() {
  const {one} = state;
  if ($('login').hidden === false) return;
  $('calm').hidden = Boolean(one);
  $('struck').hidden = !one;
  for (const form of document.querySelectorAll('#declare, #judge, #end, #prepare')) form.hidden = !state.mayAct;
  for (const list of document.querySelectorAll('select[name="area_id"]')) {
    show(list, [...state.areas.values()].map((each) => html`<option value="${each.area_id}">${said(each, 'name') || each.area_id}</option>`));
  }
  if (!one) drawCalm();
  else {
    drawHead();
    drawPeople();
    drawPlan();
    drawOutbox();
    drawAir();
  }
}

function drawCalm() {
  show($('what'), t('没有进行中的险情', 'no emergency is going on'));
  $('elapsed').textContent = '—';
  show($('signs'), state.signs.length ? state.signs.map((each) => html`<li>${level(each.level)} <strong>${place(each.area_id)}</strong>
    ${said(each, 'sentence')} ${state.mayAct && html`<button type="button" data-sign="${each.emergency}" data-area="${each.area_id}"
    data-level="${each.level}" data-words="${said(each, 'sentence')}" data-key="sign ${each.alarm_id}">${t('填入', 'Fill in')}</button>`}</li>`)
    : html`<li>${t('无', 'none')}</li>`);
  show($('over'), state.over.map((each) => html`<li>${dayTime(each.declared_at)} – ${dayTime(each.ended_at)}
    ${said(each, 'kind')} · ${place(each.area_id)}${each.inside_at_end ? html` <strong>${t('结束时未出井', 'not out at its end')} ${each.inside_at_end}</strong>` : ''}</li>`));
}

function drawHead() {
  const {one} = state;
  show($('what'), html`${one.is_drill && html`<mark>${t('演练', 'DRILL')}</mark>`} ${level(one.severity)}
    <strong>${said(one, 'kind')} · ${said(one, 'area')}</strong> ${one.words}
    <small>${one.emergency_id} · ${one.declared_by} ${clockTime(one.declared_at)}</small>`);
}

function drawPeople() {
  const {people} = state;
  if (!people) {
    show($('people'), html`<tr><td colspan="6">${t('无权查看人员', 'you may not see people')}</td></tr>`);
    return;
  }
  show($('peopleAt'), `${t('截至', 'as at')} ${clockTime(people.at)}`);
  show($('counts'), Object.entries(COUNTS).map(([name, words]) => html`<div class="${people.counts[name] ? '' : 'zero'}"><dt>${t(...words)}</dt><dd>${people.counts[name]}</dd></div>`));
  show($('people'), people.rows.map((row) => html`<tr class="${row.state === 'out' ? 'done' : ''}">
    <td>${level(URGENCY[row.urgency][2])} ${t(...URGENCY[row.urgency])}</td>
    <td><strong>${row.name ?? row.person_hash.slice(0, 8)}</strong> <small>${row.work_type ?? ''} ${row.department ?? ''}${row.is_on_roster ? '' : ` · ${t('后来', 'later')}`}</small></td>
    <td>${place(row.area_id)} ${row.edge_id ?? ''} ${row.chainage_m === null ? '' : `${number(row.chainage_m)} m`}
      <small class="${row.state === 'underground' ? '' : 'old'}">${row.last_seen_at ? `${clockTime(row.last_seen_at)} · ${t('距今', 'ago')} ${lasting(row.age_s)}` : t('十二小时内无定位', 'no fix for twelve hours')}</small></td>
    <td>${row.way ? said(row.way, 'sentence') : '—'} ${row.nearer_min ? html`<small>${t('已近', 'nearer by')} ${number(row.nearer_min, 1)} min</small>` : ''}</td>
    <td>${rescuer(row)}</td>
    <td>${row.answer ? html`${t(...SAYS[row.answer])} <small>${clockTime(row.answered_at)}</small>` : t('未回应', 'none yet')}${row.calls ? html` <small>${t('未接', 'tries')} ${row.calls}</small>` : ''}
      ${state.mayAct && row.state !== 'out' && html`<span class="acts">${Object.entries(SAYS).map(([says, words]) => html`<button type="button" data-says="${says}" data-person="${row.person_hash}" data-key="${says} ${row.person_hash}">${t(...words)}</button>`)}
      <button type="button" data-out="${row.person_hash}" data-key="out ${row.person_hash}">${t('清点出井', 'Counted out')}</button></span>`}</td></tr>`));
}

function rescuer(row) {
  if (row.worn_share === null) return html`— / ${number(row.rescuer_min)} min`;
  const worn = row.way.self_rescuer_min;
  return html`<meter min="0" max="${row.rescuer_min}" high="${0.8 * row.rescuer_min}" value="${worn}">${worn}</meter>
    ${number(worn, 1)} / ${number(row.rescuer_min)} min <small>${t('全程', 'walk')} ${number(row.way.walk_min, 1)} min</small>`;
}

function drawPlan() {
  const {one} = state;
  show($('plans'), state.plans.map((each) => html`<li><strong>${said({zh_zh: each.zh, zh_en: each.en}, 'zh')}</strong>
    <small>${each.reasons.map((reason) => t(reason.zh, reason.en)).join(' · ')} · ${each.source}</small>
    ${state.mayAct && one.plan?.plan_id !== each.plan_id && html`<button type="button" data-plan="${each.plan_id}" data-key="plan ${each.plan_id}">${t('按此处置', 'Go by it')}</button>`}</li>`));
  const heading = one.plan ? html`<li class="chosen"><strong>${t(one.plan.zh, one.plan.en)}</strong></li>` : html`<li>${t('尚未选定预案', 'no plan is chosen yet')}</li>`;
  show($('steps'), [heading, ...one.steps.map((step) => html`<li class="${step.done ? 'done' : step.is_overdue ? 'late' : ''}">
    <span class="tick" aria-hidden="true">${step.done ? '✓' : step.number}</span>
    <span><strong>${said(step, 'who')}</strong> ${t(step.zh, step.en)}
    <small>${step.done ? `${step.done.by} ${clockTime(step.done.at)} ${step.done.note}` : step.due_s === null ? '' : `${t('时限', 'due')} ${lasting(step.due_s)}${step.is_overdue ? t('，已超时', ', overdue') : ''}`}</small></span>
    ${state.mayAct && !step.done && html`<button type="button" data-step="${step.step_id}" data-key="step ${step.step_id}">${t('已完成', 'Done')}</button>`}</li>`)]);
}

function drawOutbox() {
  show($('messages'), state.one.messages.map((each) => html`<li class="${each.is_withdrawn ? 'withdrawn' : each.acknowledged_at ? 'done' : ''}">
    <span><strong>${said(each, 'channel')} → ${said(each, 'to')}</strong> ${t(each.zh, each.en)}
    <small>${outboxState(each)}</small></span>
    ${state.mayAct && !each.is_withdrawn && !each.sent_at && html`<button type="button" data-sent="${each.number}" data-key="sent ${each.number}">${t('已由人发出', 'Sent by a person')}</button>`}
    ${state.mayAct && each.sent_at && !each.acknowledged_at && html`<button type="button" data-understood="${each.number}" data-key="understood ${each.number}">${t('已回执', 'Understood')}</button>`}</li>`));
}

function outboxState(each) {
  if (each.is_withdrawn) return t('已撤回', 'withdrawn');
  if (each.acknowledged_at) return `${t('回执', 'understood')} ${each.acknowledged_by} ${clockTime(each.acknowledged_at)}`;
  if (each.sent_at) return `${t('已发，待回执', 'sent, not acknowledged')} ${each.sent_by} ${clockTime(each.sent_at)}`;
  return t('待发', 'prepared, not sent');
}

function drawAir() {
  const {air} = state;
  show($('airAt'), `${t('截至', 'as at')} ${clockTime(air.at)}`);
  show($('areas'), air.areas.map((row) => html`<tr class="${row.is_stale ? 'old' : ''}"><td>${level(row.level)} ${place(row.area_id)}
    <small>${said(row, 'why')} ${row.is_stale ? `${t('数据截至', 'data of')} ${clockTime(row.minute)}` : ''}</small></td>
    <td>${number(row.ch4_pct_max, 2)}</td><td>${number(row.ch4_pct_trend_per_h, 2)}</td><td>${number(row.co_ppm_max)}</td><td>${number(row.o2_pct_min, 1)}</td>
    <td>${number(row.air_velocity_m_s, 2)}</td><td>${number(row.temperature_c, 1)}</td><td>${number(row.people_count)}</td></tr>`));
  show($('forecasts'), orNone(air.forecasts.map((row) => html`<li class="${row.is_warning ? 'late' : ''}">${place(row.area_id)} ${row.point_id} +${row.horizon_min} min:
    ${row.q50_pct === null ? row.null_reason : html`${number(row.q50_pct, 2)} % [${number(row.low_pct, 2)}, ${number(row.high_pct, 2)}], ${t('限值', 'limit')} ${number(row.limit_pct, 2)} %`}
    ${row.is_out_of_range ? t('（输入超出训练范围）', '(input out of range)') : ''}</li>`)));
  show($('causes'), orNone(air.causes.map((row) => html`<li>${said(row, 'sentence')}</li>`)));
  show($('evacuation'), orNone([...air.evacuation.map((row) => html`<li>${level(row.level)} ${said(row, 'sentence')}</li>`),
    ...air.refuge_chambers.map((row) => html`<li>${said(row, 'name')} · ${row.edge_id} ${number(row.chainage_m)} m · ${row.places === null ? t('容量不明', 'places not known') : `${row.places} ${t('人', 'places')}`}</li>`),
    ...(air.site_fault ? [html`<li class="late">${air.site_fault}</li>`] : [])]));
  show($('alarms'), orNone(air.alarms.map((row) => html`<li>${level(row.level)} ${place(row.area_id)} ${said(row, 'sentence')} ${row.is_advisory ? t('（智能提示）', '(advisory)') : ''}</li>`)));
}

const orNone = (rows) => (rows.length ? rows : html`<li>${t('无', 'none')}</li>`);

/** Report something, then show what is there now. */
function report(path, body = {}) {
  return act(async () => {
    await call(at(path), {method: 'POST', body});
    await refresh();
  });
}

document.addEventListener('click', (event) => {
  const told = event.target.closest('button')?.dataset ?? {};
  if (told.sign) {
    const form = $('declare').elements;
    form.area_id.value = told.area;
    form.kind.value = told.sign;
    form.severity.value = told.level;
    form.words.value = told.words;
    form.words.focus();
  }
  if (told.says) report('/answers', {person_hash: told.person, says: told.says, channel: $('calledBy').value});
  if (told.out) report('/out', {person_hash: told.out});
  if (told.plan) report('/plan', {plan_id: told.plan}).then((done) => { if (done) $('plansBox').open = false; });
  if (told.step) report(`/steps/${encodeURIComponent(told.step)}/done`, {note: $('stepNote').value}).then((done) => { if (done) $('stepNote').value = ''; });
  if (told.sent) report(`/messages/${told.sent}/sent`);
  if (told.understood) report(`/messages/${told.understood}/understood`, {who: $('who').value});
});

function onSubmit(id, work) {
  $(id).addEventListener('submit', (event) => {
    event.preventDefault();
    work(Object.fromEntries(new FormData(event.target)), event.target);
  });
}

onSubmit('declare', (given, form) => act(async () => {
  await call('/emergencies', {method: 'POST', body: {
    mine_code: $('mine').value, area_id: given.area_id, kind: given.kind, severity: Number(given.severity), words: given.words, is_drill: given.is_drill === 'on',
  }});
  form.reset();
  await refresh();
}));
onSubmit('prepare', async (given, form) => { if (await report('/messages', given)) form.reset(); });
onSubmit('judge', async (given, form) => { if (await report('/judged', {...given, severity: Number(given.severity)})) form.reset(); });
onSubmit('end', async (given, form) => { if (await report('/end', given)) form.reset(); });

setInterval(() => {
  if (state.one) $('elapsed').textContent = lasting((Date.now() + state.offsetMs - Date.parse(state.one.declared_at)) / 1000);
  const isOld = state.heardAt && Date.now() - state.heardAt > OLD_MS;
  document.body.classList.toggle('cut-off', Boolean(isOld));
  $('asOf').textContent = isOld ? `${t('连接中断，数据截至', 'no connection, data of')} ${clockTime(state.heardAt)}` : '';
}, 1000);

async function follow() {
  if (user() && $('login').hidden && !document.hidden) await refresh().catch((error) => { if (error.status && error.status !== 401) complain(error); });
  setTimeout(follow, EVERY_MS);
}

setUp({name: 'emergency', begin, draw, mains: [$('calm'), $('struck')]});
setTimeout(follow, EVERY_MS);
