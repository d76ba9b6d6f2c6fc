// Find a place, a point, a person or an alarm by a part of its name.

import {alarmSentence, thingOf} from './alarm_words.js';
import {html, show} from '/pages/html.js';
import {areaName, mine, pointName} from './mine.js';
import {placeOf} from './selection.js';
import {className, L} from './words.js';

const MOST = 12;

export class Find {
  constructor(element, select) {
    this.element = element;
    this.select = select;
    element.addEventListener('input', () => this.search());
    element.addEventListener('click', (event) => {
      const {place} = event.target.closest('[data-place]')?.dataset ?? {};
      if (place) { this.close(); select(place); }
    });
    element.addEventListener('keydown', (event) => {
      const rows = [...element.querySelectorAll('[data-place]')];
      const at = rows.indexOf(document.activeElement);
      if (event.key === 'ArrowDown') (rows[at + 1] ?? rows[0])?.focus();
      else if (event.key === 'ArrowUp') (rows[at - 1] ?? element.querySelector('input')).focus();
      else if (event.key === 'Enter' && at < 0) rows[0]?.click();
      else return;
      event.preventDefault();
    });
  }

  get isOpen() { return !this.element.hidden; }

  open() {
    this.element.hidden = false;
    show(this.element, html`<label class="sr" for="find">${L('查找', 'Find')}</label><input id="find" class="field" autocomplete="off" placeholder="${L('地点、测点、人员、报警', 'place, point, person, alarm')}"><ul class="list"></ul>`);
    const field = this.element.querySelector('input');
    field.value = '';
    this.search();
    field.focus();
  }

  close() {
    this.element.hidden = true;
    show(this.element, html``);
  }

  search() {
    const words = this.element.querySelector('input').value.trim().toLowerCase();
    const found = [];
    const look = (rows, name, place) => {
      for (const row of rows) {
        if (found.length >= MOST) return;
        const told = name(row);
        if (words && told.toLowerCase().includes(words)) found.push({told, place: place(row)});
      }
    };
    look(mine.picture?.alarms ?? [], (each) => `${areaName(each.area_id)} ${thingOf(each)} ${className(each)} ${alarmSentence(each)}`, (each) => placeOf('alarm', each.alarm_id));
    look(mine.areas.values(), (each) => areaName(each.area_id), (each) => placeOf('area', each.area_id));
    look(mine.points.values(), (each) => `${pointName(each)} ${each.point_id}`, (each) => placeOf('point', each.point_id));
    look(mine.cameras.values(), (each) => each.name ?? each.camera_code, (each) => placeOf('camera', each.camera_code));
    look(mine.people ?? [], (each) => `${each.name ?? ''} ${each.work_type ?? ''} ${areaName(each.area_id)}`, (each) => placeOf('person', each.person_hash));
    show(this.element.querySelector('ul'), html`${found.map(({told, place}) => html`<li><button data-place="${place}"><span class="ell">${told}</span></button></li>`)}`);
  }
}
