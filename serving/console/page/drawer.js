// The disposal drawer: eight sections on one page, saved at any time; the draft stays when it is closed.

import {call, user} from '/pages/session.js';
import {alarmSentence, thingOf} from './alarm_words.js';
import {html, show} from '/pages/html.js';
import {alarmOf, areaName, areaRow, dispositionOf, mayDo, mine} from './mine.js';
import {clock, instant, number, stamp} from './numbers.js';
import {state} from './selection.js';
import {alarmShape} from './shapes.js';
import {causeName, clockWords, dispositionState, shortId} from './timeline.js';
import {className, L, of} from './words.js';

const READY_NOTE = ['已知，正在处置', 'known, being dealt with'];
const PEOPLE = [['跟班队长', 'foreman'], ['带班矿领导', 'duty leader'], ['值班电工', 'electrician on duty'], ['瓦检员', 'gas inspector']];
const ACTIONS = [['停止作业，撤出人员', 'Stop work, withdraw people'], ['人工切断上级电源，验电、挂牌', 'Isolate upstream by hand; prove dead, lock and tag'], ['核查风门是否关严', 'Check that the doors are shut'], ['现场检查瓦斯', 'Measure gas on the spot']];

export class Drawer {
  constructor(element, {done, say, now}) {
    Object.assign(this, {element, done, say, now});
    this.id = null;
    this.drafts = new Map();
    this.causes = new Map();
    element.addEventListener('input', (event) => this.keepDraft(event.target));
    element.addEventListener('change', (event) => this.keepDraft(event.target));
    element.addEventListener('submit', (event) => { event.preventDefault(); this.send(event.target); });
    element.addEventListener('click', (event) => {
      const {act, value} = event.target.closest('[data-act]')?.dataset ?? {};
      if (act === 'close') this.close();
      if (act === 'done') this.post(`/actions/${value}/done`, {result: L('已完成', 'done')});
      if (act === 'save') this.saveAll();
      if (act === 'submit') this.post('/submit');
      const {fill, into} = event.target.closest('[data-fill]')?.dataset ?? {};
      if (fill) {
        const field = element.querySelector(`[data-field="${into}"]`);
        field.value = fill;
        this.keepDraft(field);
        field.focus();
      }
    });
  }

  part(name) { return this.element.querySelector(`.${name}`); }
  get isOpen() { return this.id !== null; }
  get disposition() { return this.id ? dispositionOf(this.id) : null; }

  async open(id) {
    this.before = document.activeElement;
    this.id = id;
    this.element.hidden = false;
    document.documentElement.classList.add('disposing');
    this.draw();
    this.part('db').querySelector(':is(input, select, button):not(:disabled)')?.focus();
    const {rows} = await call('/alarm-causes', {params: {mine: mine.code, from: new Date(instant(this.disposition.opened_at) - 864e5).toISOString(), to: new Date(this.now()).toISOString(), limit: 500}}).catch(() => ({rows: []}));
    const own = new Set(this.disposition?.alarm_ids.flatMap((each) => alarmOf(each)?.findings.map((finding) => finding.candidate_id) ?? []));
    this.causes = new Map();
    for (const row of rows.filter((each) => own.has(each.alarm_id))) {
      if (!this.causes.has(row.cause) || this.causes.get(row.cause).score < row.score) this.causes.set(row.cause, row);
    }
    this.draw();
  }

  close() {
    this.id = null;
    this.element.hidden = true;
    document.documentElement.classList.remove('disposing');
    (document.querySelector('.am.sel') ?? (this.before?.isConnected ? this.before : null))?.focus();
  }

  keepDraft(field) {
    if (!field.dataset.field || !this.id) return;
    const draft = this.drafts.get(this.id) ?? {};
    draft[field.dataset.field] = field.type === 'checkbox' ? field.checked : field.value;
    this.drafts.set(this.id, draft);
  }

  draw() {
    const disposition = this.disposition;
    if (!this.isOpen) return;
    if (!disposition) { this.close(); return; }
    const nowMs = this.now();
    const alarms = disposition.alarm_ids.map(alarmOf).filter(Boolean);
    const may = mayDo('dispatcher') && state.replay === null && !document.documentElement.classList.contains('lost');
    const isOpen = ['draft', 'handling'].includes(disposition.state);
    const writes = may && isOpen;
    const unacked = alarms.filter((each) => each.state.includes('unacked'));
    const lead = alarms.find((each) => each.is_active) ?? alarms[0];
    const out = disposition.withdrawals.at(-1);
    const head = html`<div class="row"><b class="title">${L('处置单', 'Disposal')} ${shortId(disposition)}</b><span class="tag">${dispositionState(disposition.state)}</span><span class="tag r4">${L('监管类', 'regulator class')}</span><span class="sp"></span><button class="btn" data-act="close" data-key="close">${L('收起', 'Close panel')} <kbd>Esc</kbd></button></div>
      <div class="ell">${lead ? html`<b class="r${lead.level}">${areaName(disposition.area_id)}</b> ${thingOf(lead)} ${className(lead)} ${alarmSentence(lead)}${L('；现场 ', '; ')}${areaRow(disposition.area_id)?.people_count ?? '—'} ${L('人', 'people on site')}` : ''}</div>`;
    const body = html`
      ${section(1, unacked.length ? 'cur' : 'ok', L('确认', 'Acknowledge'), L(`${alarms.length - unacked.length} / ${alarms.length} 已确认`, `${alarms.length - unacked.length} of ${alarms.length} acknowledged`), unacked.map((alarm) => html`<form class="line ${alarm.is_active ? 'flash' : ''}" data-path="ack" data-alarm="${alarm.alarm_id}">${alarmShape(alarm)}<span class="ell grow" title="${of(alarm, 'sentence')}">${thingOf(alarm)} ${className(alarm)}</span><label class="sr" for="ack-${alarm.alarm_id}">${L('备注', 'Note')}</label><input id="ack-${alarm.alarm_id}" class="field note" data-field="ack-${alarm.alarm_id}" name="note" maxlength="200" placeholder="${L('备注：', 'Note: ')}${L(...READY_NOTE)}" ${may ? '' : 'disabled'}><button class="btn p" ${may ? '' : 'disabled'}>${L('确认', 'Ack')}</button></form>`))}
      ${section(2, disposition.told.length ? 'ok' : '', L('通知', 'Notify'), L('谁、何时、何种方式、是否回复', 'who, when, how, answered'), html`${disposition.told.length ? html`<table class="tbl"><tr><th>${L('对象', 'Who')}</th><th>${L('方式', 'Channel')}</th><th>${L('时间', 'Time')}</th><th>${L('结果', 'Result')}</th><th></th></tr>${disposition.told.map((each) => html`<tr><td>${each.role} ${each.who}</td><td>${channelName(each.channel)}</td><td>${stamp(instant(each.told_at), nowMs)}</td><td>${each.has_answered === null ? '—' : each.has_answered ? L('已接听', 'answered') : html`<b>${L('未接听', 'no answer')}</b>`}</td><td class="mut min">${each.by}</td></tr>`)}</table>` : ''}
        ${writes ? html`<form class="line" data-path="told">${field('told-role', 'role', L('岗位', 'role'), {list: 'roles'})}${field('told-who', 'who', L('姓名', 'name'))}${select('told-channel', 'channel', L('方式', 'channel'), Object.entries(mine.options.channels).map(([code, text]) => [code, L(text.zh, text.en)]))}${select('told-answer', 'answer', L('结果', 'result'), [['yes', L('已接听', 'answered')], ['no', L('未接听', 'no answer')], ['', L('不详', 'not known')]])}<button class="btn">${L('记录', 'Record')}</button></form>
        <datalist id="roles">${PEOPLE.map(([zh, en]) => html`<option value="${L(zh, en)}">`)}</datalist>` : ''}`)}
      ${section(3, disposition.judged.length ? 'ok' : '', L('原因判定', 'Judged cause'), L('选一项，附证据；按支持程度排序', 'pick one with evidence; best supported first'), html`${disposition.judged.map((each) => html`<div class="line"><b>${causeName(alarms, each.cause)}</b><span class="ell grow">${each.note} ${each.evidence.join(L('；', '; '))}</span><span class="min mut">${each.by} ${clock(instant(each.at))}</span></div>`)}
        ${writes ? html`<form data-path="cause"><div class="pick" role="radiogroup" aria-label="${L('原因', 'cause')}">${this.causeChoices(alarms).map(([code, name, score]) => html`<label><input type="radio" name="cause" value="${code}" data-field="cause-${code}">${name}${score === null ? '' : ` ${number(100 * score, 0)} %`}</label>`)}</div>
        ${this.evidence().length ? html`<div class="chips">${L('证据', 'Evidence')} ${this.evidence().map((words, at) => html`<label><input type="checkbox" name="evidence" value="${words}" data-field="evidence-${at}" checked>${words}</label>`)}</div>` : ''}
        <div class="line">${field('cause-note', 'note', L('说明（选“其他”时必填）', 'note (needed for “other”)'))}<button class="btn">${L('判定', 'Judge')}</button></div></form>` : ''}`)}
      ${section(4, disposition.actions.length && disposition.actions.every((each) => each.done_at) ? 'ok' : '', L('措施', 'Actions'), L('由人执行并记录；平台不控制设备', 'done by people and recorded; nothing is controlled from here'), html`${disposition.actions.map((each) => html`<div class="chk"><span class="cb ${each.done_at ? 'on' : ''}">${each.done_at ? tick : ''}</span><span class="ell" title="${each.text}">${each.text}</span><span class="min mut nw">${each.done_at ? `${each.done_by} ${clock(instant(each.done_at))}` : html`${each.assigned_to || L('待回报', 'open')} ${writes ? html`<button class="btn s" data-act="done" data-value="${each.number}" data-key="done-${each.number}">${L('回报完成', 'Report done')}</button>` : ''}`}</span></div>`)}
        ${writes ? html`<form class="line" data-path="actions">${field('action-text', 'text', L('措施', 'what is to be done'), {list: 'actions'})}${field('action-to', 'assigned_to', L('由谁', 'by whom'), {list: 'roles'})}<button class="btn">${L('添加', 'Add')}</button></form><datalist id="actions">${ACTIONS.map(([zh, en]) => html`<option value="${L(zh, en)}">`)}</datalist>` : ''}`)}
      ${section(5, disposition.missing.some((each) => each.zh.startsWith('撤人')) ? '' : 'ok', L('撤人', 'Withdraw'), L(`定位系统：现场 ${areaRow(disposition.area_id)?.people_count ?? '—'} 人`, `positioning: ${areaRow(disposition.area_id)?.people_count ?? '—'} on site`), html`${out ? html`<div class="line"><svg class="share" viewBox="0 0 120 8" aria-hidden="true"><rect width="120" height="8" fill="var(--line)"/><rect width="${out.of ? (120 * out.out) / out.of : 0}" height="8" fill="var(--symbol)"/></svg><b>${out.out} / ${out.of}</b><span class="min mut">${out.by} ${clock(instant(out.at))}</span></div>` : ''}
        ${writes ? html`<form class="line" data-path="withdrawal">${field('out', 'out', L('已撤出', 'out'), {type: 'number'})}<span>/</span>${field('out-of', 'of', L('应撤出', 'of'), {type: 'number'})}<button class="btn">${L('记录清点', 'Record count')}</button></form>` : ''}`)}
      ${section(6, disposition.restorations.length ? 'ok' : '', L('恢复', 'Restore'), L('条件满足后，由人恢复并记录', 'by people, once the conditions hold'), html`${disposition.restorations.map((each) => html`<div class="line"><b>${clock(instant(each.restored_at))}</b><span class="grow">${L('瓦检员', 'inspector')} ${each.inspector}${each.ch4_pct === null ? '' : ` · CH4 ${number(each.ch4_pct, 2)} %`}</span><span class="min mut">${each.by}</span></div>`)}
        ${disposition.unmet.length ? html`<div class="sm sec">${L('未满足：', 'Not met: ')}${disposition.unmet.map((each) => L(each.zh, each.en)).join(L(' · ', ' · '))}</div>` : ''}
        ${writes ? html`<form class="line" data-path="restoration">${field('restored-at', 'time', L('恢复时间 时:分', 'restored at hh:mm'), {locked: disposition.unmet.length})}${field('inspector', 'inspector', L('瓦检员', 'gas inspector'), {locked: disposition.unmet.length})}${field('ch4', 'ch4_pct', 'CH4 %', {locked: disposition.unmet.length})}<button class="btn" ${disposition.unmet.length ? 'disabled' : ''}>${L('记录恢复', 'Record')}</button></form>` : ''}`)}
      ${section(7, disposition.state === 'closed' ? 'ok' : disposition.state === 'submitted' ? 'cur' : '', L('复核', 'Second check'), L('须由另一人登录复核，不得与处置人相同', 'by another person, never one who handled it'), this.check(disposition, may))}
      ${section(8, disposition.state === 'closed' ? 'ok' : '', L('关闭', 'Close'), L('写入哈希链日志，不可修改；可追加更正', 'a chained journal line; a correction is a new line'), html`${disposition.closed_at ? html`<b>${L('已关闭', 'Closed')} ${stamp(instant(disposition.closed_at), nowMs)}</b>` : ''}${disposition.attachments.length ? html`<div class="sm sec">${L('附件', 'Attachments')} ${disposition.attachments.map((each) => each.name).join(L('、', ', '))}</div>` : ''}`)}
      `;
    const foot = html`<span class="fault r4 ell" role="alert">${this.fault ?? ''}</span>${disposition.missing.length && isOpen ? html`<span class="min mut ell" title="${missingWords(disposition)}">${L('尚缺：', 'missing: ')}${missingWords(disposition)}</span>` : ''}<span class="sp"></span>
        ${writes ? html`<label class="btn file">${L('添加附件', 'Attach')}<input type="file" data-file accept="image/png,image/jpeg,application/pdf,video/mp4,text/plain,text/csv"></label><button class="btn p" data-act="save" data-key="save">${L('保存进展', 'Save')} <kbd>Ctrl Enter</kbd></button><button class="btn" data-act="submit" data-key="submit" ${disposition.missing.length ? 'disabled' : ''}>${L('提交复核', 'Submit for check')}</button>`
        : !may ? html`<span class="min mut">${state.replay !== null ? L('回放中不可处置', 'off while replaying') : L('无权处置：需要“调度员”角色', 'not allowed: needs the dispatcher role')}</span>` : ''}`;
    show(this.part('dh'), head);
    this.drawClocks(disposition);
    if (show(this.part('db'), body)) this.fill();
    show(this.part('df'), foot);
    this.element.querySelector('[data-file]')?.addEventListener('change', (event) => this.attach(event.target.files[0]), {once: true});
  }

  drawClocks(disposition) {
    const out = disposition.withdrawals.at(-1);
    const clocks = clockWords(disposition);
    const told = (each) => html`<div>${each.name}<b class="${each.tone}">${each.took} <small>/ ${each.within}</small></b></div>`;
    show(this.part('dclk'), html`${clocks.slice(0, 2).map(told)}<div>${L('撤离完成', 'Evacuation')}<b>${out ? `${out.out} / ${out.of}` : '—'} <small>${L('人', 'people')}</small></b></div>${clocks.slice(2).map(told)}`);
  }

  check(disposition, may) {
    const isHandler = disposition.handlers.includes(user()?.login);
    return html`${disposition.checks.map((each) => html`<div class="line"><b>${each.is_agreed ? L('同意关闭', 'agreed') : L('退回', 'sent back')}</b><span class="grow ell">${each.reason}</span><span class="min mut">${each.by} ${clock(instant(each.at))}</span></div>`)}
      ${disposition.state !== 'submitted' ? '' : isHandler ? html`<div class="sm sec">${L('您参与了处置，须由另一人复核', 'you handled it: another person has to check it')}</div>`
        : may || mayDo('engineer') ? html`<form class="line" data-path="check">${field('check-reason', 'reason', L('退回时写明原因', 'reason, to send it back'))}<button class="btn p" name="agree" value="yes">${L('同意关闭', 'Agree and close')}</button><button class="btn" name="agree" value="no">${L('退回', 'Send back')}</button></form>` : ''}`;
  }

  causeChoices(alarms) {
    const known = new Map();
    for (const alarm of alarms) {
      const row = mine.options.classes.find((each) => each.name === alarm.class_name);
      for (const [code, text] of Object.entries(row?.causes ?? {})) known.set(code, L(text.zh, text.en));
    }
    const score = (code) => this.causes.get(code)?.score ?? null;
    return [...known].map(([code, name]) => [code, name, score(code)]).sort((a, b) => (b[2] ?? -1) - (a[2] ?? -1)).slice(0, 14);
  }

  evidence() {
    return [...this.causes.values()].sort((a, b) => b.score - a.score).slice(0, 2)
      .map((each) => of(each, 'sentence').replace(/^[^：:]*[：:]\s*/, '').slice(0, 120)).filter(Boolean);
  }

  fill() {
    const draft = this.drafts.get(this.id) ?? {};
    for (const each of this.element.querySelectorAll('[data-field]')) {
      const kept = draft[each.dataset.field];
      if (kept === undefined) continue;
      if (each.type === 'radio') each.checked = kept === each.value && kept !== false;
      else if (each.type === 'checkbox') each.checked = kept;
      else each.value = kept;
    }
  }

  async send(form, submitter = document.activeElement, {isLast = true} = {}) {
    const given = Object.fromEntries(new FormData(form));
    const {path, alarm} = form.dataset;
    const bodies = {
      ack: () => ['/alarms/acknowledge', {alarm_ids: [alarm], note: given.note || L(...READY_NOTE)}, true],
      told: () => ['/told', {who: given.who || given.role, role: given.role ?? '', channel: given.channel, told_at: new Date(this.now()).toISOString(), has_answered: given.answer === '' ? null : given.answer === 'yes'}],
      cause: () => ['/cause', {cause: given.cause ?? '', note: given.note ?? '', evidence: new FormData(form).getAll('evidence')}],
      actions: () => ['/actions', {text: given.text, assigned_to: given.assigned_to ?? ''}],
      withdrawal: () => ['/withdrawal', {out: Number(given.out), of: Number(given.of)}],
      restoration: () => ['/restoration', {restored_at: timeToday(given.time, this.now()), inspector: given.inspector, ch4_pct: given.ch4_pct === '' ? null : Number(given.ch4_pct)}],
      check: () => ['/check', {is_agreed: submitter?.value !== 'no', reason: given.reason ?? ''}],
    };
    const [address, body, isOfAlarm] = bodies[path]();
    return this.post(address, body, {form, isOfAlarm, isLast});
  }

  /** Everything that is written in the fields and not yet recorded. */
  async saveAll() {
    const filled = {told: ['who', 'role'], cause: ['cause'], actions: ['text'], withdrawal: ['out', 'of'], restoration: ['time', 'inspector']};
    for (const form of this.element.querySelectorAll('form[data-path]')) {
      const given = new FormData(form);
      const due = filled[form.dataset.path];
      if (due?.some((name) => String(given.get(name) ?? '').trim()) && !(await this.send(form, null, {isLast: false}))) break;
    }
    await this.done();
  }

  async post(address, body, {form, isOfAlarm, isLast = true} = {}) {
    try {
      const told = await call(isOfAlarm ? address : `/dispositions/${encodeURIComponent(this.id)}${address}`, {method: 'POST', body});
      this.fault = null;
      const draft = this.drafts.get(this.id);
      form?.querySelectorAll('[data-field]').forEach((each) => { if (draft) delete draft[each.dataset.field]; each.value = each.type === 'radio' || each.type === 'checkbox' || each.tagName === 'SELECT' ? each.value : ''; });
      this.say(L('已写入日志', 'Recorded'), told?.journal);
      if (isLast) await this.done();
      return true;
    } catch (problem) {
      this.fault = problem.message;
      this.draw();
      return false;
    }
  }

  async attach(file) {
    if (!file) return;
    const body = new FormData();
    body.append('file', file);
    await this.post('/attachments', body);
  }
}

const tick = html`<svg viewBox="0 0 11 11" aria-hidden="true"><path d="M1.5 6L4.5 9L9.5 2.5" fill="none" stroke="currentColor" stroke-width="1.8"/></svg>`;

function section(number_, mark, title, hint, body) {
  return html`<section class="sec-s ${mark}" aria-label="${title}"><div class="n">${mark === 'ok' ? tick : number_}</div><div class="grow"><h3>${title} <small>${hint}</small></h3>${body}</div></section>`;
}

function field(id, name, hint, {type = 'text', list, locked} = {}) {
  return html`<label class="sr" for="f-${id}">${hint}</label><input id="f-${id}" class="field grow" data-field="${id}" name="${name}" type="${type}" placeholder="${hint}" maxlength="200" autocomplete="off" ${type === 'number' ? 'min="0" max="100000"' : ''} ${list ? html`list="${list}"` : ''} ${locked ? 'disabled' : ''}>`;
}

function select(id, name, hint, choices) {
  return html`<label class="sr" for="f-${id}">${hint}</label><select id="f-${id}" class="field" data-field="${id}" name="${name}">${choices.map(([code, words]) => html`<option value="${code}">${words}</option>`)}</select>`;
}

const channelName = (code) => { const text = mine.options.channels[code]; return text ? L(text.zh, text.en) : code; };
const missingWords = (disposition) => disposition.missing.map((each) => L(each.zh, each.en)).join(L('；', '; '));

/** The latest instant that has passed whose time of day, by the mine's clock, is the one given; now where none is. */
function timeToday(words, nowMs) {
  const match = /^(\d{1,2})[:：](\d{2})$/.exec(String(words).trim());
  if (!match) return new Date(nowMs).toISOString();
  const offset = (mine.row.utc_offset_h ?? 8) * 3600e3;
  const day = Math.floor((nowMs + offset) / 864e5) * 864e5 - offset;
  let at = day + (Number(match[1]) * 60 + Number(match[2])) * 60e3;
  if (at > nowMs) at -= 864e5;
  return new Date(at).toISOString();
}
