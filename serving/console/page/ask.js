// A short question about one alarm, docked under the list so that nothing covers what is live: the note of an
// acknowledgement, whom to assign it to, how long it is shelved. Never a window over the screen, never a "yes" in focus.

import {call} from '/pages/session.js';
import {thingOf} from './alarm_words.js';
import {html, show} from '/pages/html.js';
import {areaName, mine} from './mine.js';
import {className, L} from './words.js';

const PHRASES = [['已知，正联系变电所', 'Known, calling the substation'], ['已通知跟班队长', 'Foreman told'], ['已通知瓦检员到场', 'Gas inspector sent'], ['已撤人', 'People withdrawn'], ['正在核实', 'Being verified']];
const ASSIGNEES = [['瓦检员', 'gas inspector'], ['跟班队长', 'foreman'], ['值班电工', 'electrician on duty'], ['机电队', 'E&M team'], ['通防队', 'ventilation team'], ['值班领导', 'duty leader']];
const SHELVES_MIN = [[15, '15 min', '15 min'], [60, '1 h', '1 h'], [240, '4 h', '4 h']];
const LEAST = 2;

export class Ask {
  constructor(element, {done, say, now}) {
    this.element = element;
    Object.assign(this, {done, say, now});
    element.addEventListener('submit', (event) => { event.preventDefault(); this.send(); });
    element.addEventListener('click', (event) => {
      const {phrase, act} = event.target.closest('[data-phrase], [data-act]')?.dataset ?? {};
      if (phrase) { this.field.value = phrase; this.field.focus(); }
      if (act === 'cancel') this.close();
    });
  }

  get isOpen() { return !this.element.hidden; }
  get field() { return this.element.querySelector('input[name="words"]'); }

  open(kind, alarm) {
    this.kind = kind;
    this.alarm = alarm;
    this.before = document.activeElement;
    const [title, hint, phrases] = {
      ack: [L('确认备注', 'Note of acknowledgement'), L('监管类须写备注，至少两个字', 'regulator class needs a note of two characters'), PHRASES],
      assign: [L('指派给', 'Assign to'), L('岗位或人员', 'a role or a person'), ASSIGNEES],
      shelve: [L('搁置原因', 'Reason to shelve'), L('到期自动恢复', 'comes back by itself'), [['标校', 'calibration'], ['检修', 'maintenance'], ['已知作业', 'known work']]],
      reject: [L('为何误报', 'Why it is false'), '', []],
    }[kind];
    show(this.element, html`<form><div class="t"><b class="ell">${title} · ${areaName(alarm.area_id)} ${thingOf(alarm)} ${className(alarm)}</b></div>
      ${kind === 'reject' ? html`<div class="pick" role="radiogroup">${Object.entries(mine.options.rejections).map(([code, text], at) => html`<label><input type="radio" name="why" value="${code}" ${at ? '' : 'data-first'}>${L(text.zh, text.en)}</label>`)}</div>`
        : html`<label class="sr" for="ask-words">${title}</label><input id="ask-words" name="words" class="field" data-field="ask" autocomplete="off" maxlength="200" placeholder="${hint}">`}
      ${kind === 'shelve' ? html`<div class="pick" role="radiogroup" aria-label="${L('多久', 'how long')}">${SHELVES_MIN.map(([minutes, zh, en], at) => html`<label><input type="radio" name="minutes" value="${minutes}" ${at ? '' : 'checked'}>${L(zh, en)}</label>`)}</div>` : ''}
      <div class="phrases">${phrases.map(([zh, en]) => html`<button type="button" class="btn s" data-phrase="${L(zh, en)}">${L(zh, en)}</button>`)}</div>
      <div class="end"><span class="fault r4" role="alert"></span><span class="sp"></span><button type="button" class="btn" data-act="cancel">${L('取消', 'Cancel')} <kbd>Esc</kbd></button><button class="btn p">${L('写入', 'Record')} <kbd>Enter</kbd></button></div></form>`);
    this.element.hidden = false;
    (this.field ?? this.element.querySelector('input')).focus();
  }

  close() {
    this.element.hidden = true;
    show(this.element, html``);
    if (this.before?.isConnected) this.before.focus();
    else document.querySelector('.am.sel')?.focus();
  }

  async send() {
    const form = new FormData(this.element.querySelector('form'));
    const words = String(form.get('words') ?? '').trim();
    const fault = this.element.querySelector('.fault');
    if (this.kind !== 'reject' && words.length < LEAST) { fault.textContent = L('至少两个字', 'two characters at least'); return; }
    if (this.kind === 'reject' && !form.get('why')) { fault.textContent = L('请选一项', 'choose one'); return; }
    const id = encodeURIComponent(this.alarm.alarm_id);
    const until = () => new Date(this.now() + Number(form.get('minutes')) * 60e3).toISOString();
    const [path, body] = {
      ack: () => ['/alarms/acknowledge', {alarm_ids: [this.alarm.alarm_id], note: words}],
      assign: () => [`/alarms/${id}/assign`, {to: words}],
      shelve: () => [`/alarms/${id}/shelve`, {until: until(), reason: words}],
      reject: () => [`/alarms/${id}/verdict`, {verdict: 'rejected', why: form.get('why')}],
    }[this.kind]();
    try {
      const told = await call(path, {method: 'POST', body});
      this.close();
      this.say(L('已写入日志', 'Recorded'), told.journal);
      await this.done();
    } catch (problem) {
      fault.textContent = problem.message;
    }
  }
}
