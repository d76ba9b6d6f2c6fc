// The keyboard: everything that a dispatcher does can be done without a pointer. Single letters count outside of fields.

import {html, show} from '/pages/html.js';
import {L} from './words.js';

const KEYS = [
  ['↑ ↓', '列表内移动并选中', 'move in the list and select'], ['A', '确认', 'acknowledge'], ['S', '指派', 'assign'], ['D', '处置单', 'disposal'],
  ['V', '搁置（非监管类）', 'shelve (not regulator class)'], ['N  Shift N', '下一条 / 上一条未确认', 'next / previous unacked'], ['Y  X', 'AI 提示：属实 / 误报', 'advisory: true / false'],
  ['1 – 6', '重点带、区域、地图、报警、曲线、证据', 'band, areas, map, alarms, curves, evidence'], ['Esc', '退一步，收起处置单（草稿保留）', 'step back, close the drawer (draft kept)'],
  ['Home', '全矿，实时', 'whole mine, live'], ['T  L', '回放，实时', 'time travel, live'], ['[ ]  { }', '前后 1 min，上 / 下一条报警', '1 min, previous / next alarm'], ['R', '回放速度', 'speed of the replay'],
  ['+ − 0', '地图放大、缩小、全图', 'map: zoom, fit'], ['P G E', '图层：人员、测点、避灾路线', 'layers: people, sensors, escape'], ['F  /', '查找', 'find'],
  ['M', '静音 60 s', 'mute 60 s'], ['Space', '冻结曲线', 'freeze the curves'], ['Alt T', '地图的表格', 'the map as a table'], ['Ctrl Enter', '保存处置单', 'save the disposal'], ['?', '本表', 'this table'],
];

const isField = (element) => element?.matches?.('input, select, textarea, [contenteditable]');

/** Listen for keys; `does` maps a key to what it does. */
export function listen(does) {
  addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const name = event.altKey && event.code === 'KeyT' ? 'Alt T' : event.ctrlKey && event.key === 'Enter' ? 'Ctrl Enter'
      : event.ctrlKey || event.metaKey || event.altKey ? null : event.shiftKey && event.key === 'N' ? 'Shift N' : event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!name) return;
    if (isField(event.target) && !['Escape', 'Ctrl Enter'].includes(name)) return;
    if (name === ' ' && event.target.closest?.('button, a')) return;
    if (name === 'Enter' && event.target.closest?.('button, a')) return;
    const act = does[name];
    if (act && act(event) !== false) event.preventDefault();
  });
}

/** The table of keys, over the lower corner. */
export class Help {
  constructor(element) { this.element = element; }

  get isOpen() { return !this.element.hidden; }

  toggle() {
    this.element.hidden = !this.element.hidden;
    if (this.isOpen) show(this.element, html`<h2>${L('键盘', 'Keyboard')}</h2><dl>${KEYS.map(([keys, zh, en]) => html`<div><dt><kbd>${keys}</kbd></dt><dd>${L(zh, en)}</dd></div>`)}</dl>`);
  }
}
