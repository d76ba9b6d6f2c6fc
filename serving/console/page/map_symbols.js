// Symbols of the roadway map as ECharts draws them: plain descriptions of shapes, at a place in pixels.

import {shapePath} from './shapes.js';

/** Colours of the page as they are now; a canvas knows no CSS names. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const known = {};
  return (name) => (known[name] ??= style.getPropertyValue(`--${name}`).trim());
}

export const line = (points, stroke, lineWidth, more = {}) => ({
  type: 'polyline', shape: {points}, silent: true, style: {stroke, lineWidth, fill: 'none', lineCap: 'butt', lineJoin: 'round', ...more},
});
export const circle = (x, y, r, style, more = {}) => ({type: 'circle', shape: {cx: x, cy: y, r}, style, ...more});
export const path = (d, x, y, size, style, more = {}) => ({
  type: 'path', shape: {pathData: d, x: x - size / 2, y: y - size / 2, width: size, height: size, layout: 'center'}, style, ...more,
});
export const box = ({x, y, w, h}, style, more = {}) => ({type: 'rect', shape: {x, y, width: w, height: h, r: more.r ?? 2}, style, ...more});
export const text = (words, x, y, fill, font, more = {}) => ({
  type: 'text', silent: true, style: {text: words, x, y, fill, font, textVerticalAlign: 'middle', ...more},
});

/** Shapes drawn round 0,0, moved, turned and made larger. */
export const placedGroup = (children, x, y, {angle = 0, scale = 1, info, silent} = {}) => ({
  type: 'group', x, y, rotation: -angle, scaleX: scale, scaleY: scale, info, silent, children,
});

const stroke = (d, color, lineWidth = 1.5, more = {}) => ({type: 'path', shape: {pathData: d}, silent: true, style: {stroke: color, lineWidth, fill: 'none', ...more}});

export const arrow = (isReturn, color) => [
  stroke('M-8 0H8M4 -3.6L8.4 0L4 3.6', color, 1.5),
  ...(isReturn ? [{type: 'circle', shape: {cx: -8, cy: 0, r: 2.4}, silent: true, style: {fill: 'none', stroke: color, lineWidth: 1.3}}] : []),
];
export const door = (isOpen, ink) => [
  ...(isOpen ? [stroke('M-4 -7L-9 -1M4 -7L-1 -1', ink, 2.2)] : [stroke('M-3 -7V7M3 -7V7', ink, 2.2)]),
];
export const fan = (isRunning, ground, ink) => [
  {type: 'circle', shape: {cx: 0, cy: 0, r: 6.5}, style: {fill: ground, stroke: ink, lineWidth: 1.5}},
  isRunning
    ? stroke('M0 0C1.5 -5 5 -3.4 2.6 -.6M0 0C5 1 4 4.6 1 2.6M0 0C-3.4 4.4 -5.4 1 -2.4 -.4', ink, 1.4)
    : {type: 'rect', shape: {x: -2.8, y: -2.8, width: 5.6, height: 5.6}, silent: true, style: {fill: ink}},
];
export const camera = (ink) => [{type: 'path', shape: {pathData: 'M-7 -3.5H2V3.5H-7ZM3 -1.1L7 -3.5V3.5L3 1.1Z'}, style: {fill: ink}}];
export const pawn = (fill, edge, isHollow) => [{
  type: 'path',
  shape: {pathData: 'M0 -5.4a2.7 2.7 0 0 1 1.6 4.9c1.7.7 2.5 2.6 2.5 5.7H-4.1c0-3.1.8-5 2.5-5.7A2.7 2.7 0 0 1 0 -5.4z'},
  style: {fill: isHollow ? edge : fill, stroke: isHollow ? fill : edge, lineWidth: 1},
}];
export const person = (ink) => [
  {type: 'circle', shape: {cx: 0, cy: -3, r: 2.4}, silent: true, style: {fill: ink}},
  {type: 'path', shape: {pathData: 'M-4.4 5.4c0-3.6 1.8-5.2 4.4-5.2s4.4 1.6 4.4 5.2z'}, silent: true, style: {fill: ink}},
];
export const shaft = (isReturn, ground, ink) => [
  {type: 'circle', shape: {cx: 0, cy: 0, r: 8}, style: {fill: ground, stroke: ink, lineWidth: 2}},
  isReturn ? {type: 'path', shape: {pathData: 'M-8 0a8 8 0 0 0 16 0z'}, silent: true, style: {fill: ink}}
    : {type: 'circle', shape: {cx: 0, cy: 0, r: 3}, silent: true, style: {fill: ink}},
];
export const refuge = (ground, ink) => [
  {type: 'path', shape: {pathData: 'M-9 8V-2L0 -9L9 -2V8Z'}, style: {fill: ground, stroke: ink, lineWidth: 1.6}},
  stroke('M0 -4V5M-4 .5H4', ink, 1.8),
];

export const levelShape = (level, x, y, size, color) => path(shapePath(level), x, y, size, {fill: color(`risk-${level}`), stroke: color(`risk-${level}-line`), lineWidth: 1.2}, {silent: true});
