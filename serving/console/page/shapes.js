// Shapes: level and priority are told by shape, word and place, and never by colour alone.

import {html} from '/pages/html.js';
import {L, levelName} from './words.js';

const PATHS = {
  4: 'M8 .8L15.2 8 8 15.2.8 8z',
  3: 'M8 1.2L15.4 14.6H.6z',
  2: 'M8 1a7 7 0 1 0 .01 0z',
  1: 'M1.8 1.8h12.4v12.4H1.8z',
};

/** The path of a level's shape in a box of 16 by 16. */
export const shapePath = (level) => PATHS[level] ?? 'M8 4.4a3.6 3.6 0 1 0 .01 0z';

/** A risk level: filled shape with its outline; normal is a small grey ring, unknown a dashed one. */
export function riskShape(level, extra = '') {
  const name = levelName(level);
  if (level === null || level === undefined) {
    return html`<svg class="shp ${extra}" viewBox="0 0 16 16" role="img" aria-label="${name}"><circle cx="8" cy="8" r="5.4" fill="none" stroke="var(--risk-0-line)" stroke-width="1.5" stroke-dasharray="2.4 2"/></svg>`;
  }
  if (!level) {
    return html`<svg class="shp ${extra}" viewBox="0 0 16 16" role="img" aria-label="${name}"><circle cx="8" cy="8" r="3.2" fill="none" stroke="var(--risk-0-line)" stroke-width="2"/></svg>`;
  }
  return html`<svg class="shp ${extra}" viewBox="0 0 16 16" role="img" aria-label="${name}"><path d="${PATHS[level]}" fill="var(--risk-${level})" stroke="var(--risk-${level}-line)" stroke-width="1.4"/></svg>`;
}

const MARKS = {
  latched: html`<path d="M5.4 7.2h5.2v4H5.4zM6.4 7V5.8a1.6 1.6 0 0 1 3.2 0V7" fill="none" stroke="currentColor" stroke-width="1.2"/>`,
  shelved: html`<path d="M8 5v3.4l2 1.4" fill="none" stroke="currentColor" stroke-width="1.4"/>`,
  suppressed_by_design: html`<path d="M4.6 11.4l6.8-6.8" stroke="currentColor" stroke-width="1.4"/>`,
  out_of_service: html`<path d="M4.8 8.6h6.4" stroke="currentColor" stroke-width="1.6"/>`,
};
const PRIORITY_NAMES = [['一级 紧急', 'urgent, 1'], ['二级 高', 'high, 2'], ['三级 中', 'medium, 3'], ['四级 低', 'low, 4']];

/** An alarm: the shape of its priority with its digit; filled while active, hollow once over, grey on hold. */
export function alarmShape(alarm) {
  const level = 5 - alarm.priority;
  const mark = MARKS[alarm.state];
  const isHeld = mark && alarm.state !== 'latched';
  const isFilled = alarm.state.startsWith('active');
  const fill = isFilled ? `var(--risk-${level})` : 'var(--panel-2)';
  const line = isHeld ? 'var(--risk-0-line)' : `var(--risk-${level}-line)`;
  const ink = isFilled ? `var(--risk-${level}-on)` : isHeld ? 'var(--ink-3)' : `var(--risk-${level}-ink)`;
  const name = `${L(...PRIORITY_NAMES[alarm.priority - 1])} ${stateName(alarm.state)}`;
  const y = level === 3 ? 13.2 : 11.6;
  return html`<svg class="shp" viewBox="0 0 16 16" role="img" aria-label="${name}"><path d="${PATHS[level]}" fill="${fill}" stroke="${line}" stroke-width="${isFilled ? 1.2 : 1.8}"/>${mark
    ? html`<g color="${ink}">${mark}</g>`
    : html`<text x="8" y="${y}" fill="${ink}">${alarm.priority}</text>`}</svg>`;
}

const STATES = {
  active_unacked: ['未确认', 'unacked'], active_acked: ['已确认', 'acked'], cleared_unacked: ['已恢复，未确认', 'cleared, unacked'],
  latched: ['锁存，待复位', 'latched'], shelved: ['已搁置', 'shelved'], suppressed_by_design: ['设计抑制', 'suppressed'],
  out_of_service: ['停用', 'out of service'], normal: ['已恢复', 'cleared'],
};
export const stateName = (state) => L(...STATES[state]);

export const personMark = html`<svg class="ico" viewBox="0 0 10 11" aria-hidden="true"><circle cx="5" cy="2.6" r="2.4" fill="currentColor"/><path d="M.6 11c0-3.6 1.8-5.2 4.4-5.2s4.4 1.6 4.4 5.2z" fill="currentColor"/></svg>`;
export const cameraMark = html`<svg class="ico wide" viewBox="0 0 14 11" aria-hidden="true"><path d="M0 2h9v7H0zM10 4.4L14 2v7l-4-2.4z" fill="currentColor"/></svg>`;
export const forecastMark = html`<svg class="ico wide" viewBox="0 0 16 16" aria-hidden="true"><path d="M1.5 11.5L6 8.5" stroke="currentColor" stroke-width="1.8" fill="none"/><path d="M6 8.5L14.5 2.5V11.5Z" fill="currentColor" opacity=".4"/><path d="M6 8.5L14.5 7" stroke="currentColor" stroke-width="1.4" stroke-dasharray="2 1.6"/></svg>`;
export const homeMark = html`<svg class="ico home" viewBox="0 0 16 16" aria-hidden="true"><path d="M2 8.2L8 2.6l6 5.6M4 7v6.4h8V7" fill="none" stroke="currentColor" stroke-width="1.6"/></svg>`;

/** CH4 with its lowered digits: the bundled font has none of its own. */
export const gasSign = (text) => {
  const parts = String(text).split(/(?<=CH|O|CO)([24])(?!\d)/);
  return parts.map((part, at) => (at % 2 ? html`<sub>${part}</sub>` : part));
};
