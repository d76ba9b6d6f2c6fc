// The hand-over sheet: made from what stands, shown, and signed by who goes and by who comes.

import {call, guestToken, user} from '/pages/session.js';
import {html, show} from '/pages/html.js';
import {$, act, dayTime, level, said, setUp, t} from './shown.js';

const state = {one: null, earlier: [], areas: new Map()};
const place = (id) => (id ? said(state.areas.get(id), 'name') || id : '—');

async function begin() {
  const mine = $('mine').value;
  state.areas = new Map((await call(`/areas?mine=${mine}&limit=1000`)).rows.map((each) => [each.area_id, each]));
  state.earlier = (await call(`/handovers?mine=${mine}`)).rows;
  state.one = state.earlier[0] ?? null;
  draw();
}

function draw() {
  if (!$('login').hidden) return;
  const {one} = state;
  const mayAct = user().role === 'dispatcher';
  $('sheets').hidden = false;
  $('make').querySelector('button').hidden = !mayAct;
  show($('earlier'), state.earlier.map((each) => html`<option value="${each.handover_id}">${each.handover_id} · ${dayTime(each.made_at)}${each.is_void ? t('（作废）', ' (void)') : ''}</option>`));
  if (one) $('earlier').value = one.handover_id;
  const isOpen = Boolean(one && !one.incoming && !one.is_void);
  $('outgoing').hidden = !(mayAct && isOpen && !one.outgoing);
  $('incoming').hidden = !(isOpen && one.outgoing);
  show($('what'), one ? standing(one) : t('尚无交接单', 'no sheet yet'));
  show($('sheet'), one ? sheet(one) : '');
}

function standing(one) {
  if (one.is_void) return t('已作废', 'void');
  if (one.incoming) return t('交接完成', 'handed over');
  return one.outgoing ? t('待接班人签字', 'waits for who comes') : t('待交班人签字', 'waits for who goes');
}

function sheet(one) {
  const told = one.sheet;
  return html`<h2>${t('交接单', 'Hand-over sheet')} ${one.handover_id}</h2>
  <p>${dayTime(told.from)} – ${dayTime(told.to)} · ${t('井下人数', 'underground')} ${told.underground?.people_count ?? '—'} · ${t('本班报警', 'alarms of the shift')} ${told.raised}</p>
  ${part(t('进行中的险情', 'Emergencies'), told.emergencies, (each) => html`${level(each.severity)} ${place(each.area_id)} ${each.words} ${each.is_drill ? t('（演练）', '(drill)') : ''}`)}
  ${part(t('未了报警', 'Open alarms'), told.alarms, (each) => html`${level(5 - each.priority)} ${place(each.area_id)} ${said(each, 'class')}：${said(each, 'sentence')} <small>${dayTime(each.raised_at)} · ${each.acked_by ?? t('未确认', 'not acknowledged')} · ${each.disposition_id ?? ''}</small>`)}
  ${part(t('未关闭处置单', 'Open dispositions'), told.dispositions, (each) => html`<strong>${each.disposition_id}</strong> ${place(each.area_id)} · ${t('尚缺', 'missing')}：${(t(each.missing_zh, each.missing_en)).join('；') || t('无', 'nothing')} <small>${each.handlers.join(', ')}</small>`)}
  ${part(t('搁置、抑制、停用', 'On hold'), told.holds, (each) => html`${each.tag} · ${each.reason} <small>${each.by} – ${each.until ? dayTime(each.until) : '…'}</small>`)}
  ${part(t('可疑传感器', 'Suspect sensors'), told.sensors, (each) => html`${each.point_id} ${place(each.area_id)} · ${said(each, 'sentence')}`)}
  ${part(t('降级模型', 'Degraded models'), told.models, (each) => html`${each.model} ${each.model_version ?? ''} · ${each.entity} ${each.horizon_min ?? ''} · ${said(each, 'sentence')}`)}
  ${part(t('智能提示', 'Advisories'), told.advisories, (each) => html`${place(each.area_id)} ${said(each, 'sentence')}`)}
  <p class="signatures">${signature(t('交班', 'Going'), one.outgoing)} ${signature(t('接班', 'Coming'), one.incoming)}</p>
  <p class="digest">SHA-256 ${one.sheet_sha256}<br>${t('操作日志', 'Journal')} #${told.journal.seq} ${told.journal.hash}</p>`;
}

const part = (title, rows, one) => html`<h3>${title} <small>${rows.length}</small></h3>
  <ul class="rows">${rows.length ? rows.map((each) => html`<li><span>${one(each)}</span></li>`) : html`<li>${t('无', 'none')}</li>`}</ul>`;

const signature = (title, one) => html`<span>${title}：${one ? html`<strong>${one.by}</strong> ${dayTime(one.at)} ${one.remarks}` : '________'}</span>`;

async function sign(which, body, token) {
  await call(`/handovers/${encodeURIComponent(state.one.handover_id)}/${which}`, {
    method: 'POST', body: {...body, sheet_sha256: state.one.sheet_sha256}, token,
  });
  await begin();
}

function onSubmit(id, work) {
  $(id).addEventListener('submit', (event) => {
    event.preventDefault();
    act(async () => {
      await work(Object.fromEntries(new FormData(event.target)));
      event.target.reset();
    });
  });
}

onSubmit('make', async () => {
  await call('/handovers', {method: 'POST', body: {mine_code: $('mine').value}});
  await begin();
});
onSubmit('outgoing', ({remarks}) => sign('outgoing', {remarks}));
onSubmit('incoming', async ({login: name, password, remarks}) => {
  await sign('incoming', {remarks}, await guestToken(name, password));
});
$('earlier').addEventListener('change', () => {
  state.one = state.earlier.find((each) => each.handover_id === $('earlier').value);
  draw();
});
$('print').addEventListener('click', () => window.print());

setUp({name: 'handover', begin, draw, mains: [$('sheets')]});
