// The login: over a screen that goes on being up to date, where one is there already.

import {changePassword, login} from '/pages/session.js';
import {html, show} from '/pages/html.js';
import {L} from './words.js';

export class Login {
  constructor(element, entered) {
    this.element = element;
    element.addEventListener('submit', async (event) => {
      event.preventDefault();
      const form = new FormData(event.target);
      const fault = element.querySelector('.fault');
      fault.textContent = '';
      try {
        if (this.mustChange) {
          if (form.get('new') !== form.get('again')) throw new Error(L('两次输入不一致', 'the two differ'));
          await changePassword(this.oneTime, form.get('new'));
        } else {
          const user = await login(form.get('login').trim(), form.get('password'));
          this.oneTime = form.get('password');
          if (user.must_change) { this.askForPassword(); return; }
        }
        this.oneTime = null;
        this.element.hidden = true;
        entered();
      } catch (problem) {
        fault.textContent = problem.message;
      }
    });
  }

  open() {
    if (!this.element.hidden) return;
    this.mustChange = false;
    this.element.hidden = false;
    show(this.element, html`<form class="card"><h1>minefusion ${L('调度台', 'console')}</h1>
      <label>${L('登录名', 'Login')}<input class="field" name="login" autocomplete="username" required></label>
      <label>${L('密码', 'Password')}<input class="field" name="password" type="password" autocomplete="current-password" required></label>
      <p class="fault r4" role="alert"></p><button class="btn p">${L('登录', 'Log in')}</button>
      <p class="min mut">${L('平台只监测、建议与记录，不控制设备。', 'It advises and records; it controls nothing.')}</p></form>`);
    this.element.querySelector('input').focus();
  }

  askForPassword() {
    this.mustChange = true;
    this.element.hidden = false;
    show(this.element, html`<form class="card"><h1>${L('请设置新密码', 'Choose a new password')}</h1>
      <p class="sm sec">${L('一次性密码只用一次；新密码至少 10 个字符。', 'The one-time password is used once; 10 characters or more.')}</p>
      <label>${L('新密码', 'New password')}<input class="field" name="new" type="password" autocomplete="new-password" required></label>
      <label>${L('再次输入', 'Once more')}<input class="field" name="again" type="password" autocomplete="new-password" required></label>
      <p class="fault r4" role="alert"></p><button class="btn p">${L('保存并进入', 'Save and enter')}</button></form>`);
    this.element.querySelector('input').focus();
  }
}
