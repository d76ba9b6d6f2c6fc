// Numbers and times as they stand on the screen. Instants are milliseconds since 1970; the mine has its own clock.

const THIN = '\u2009';
const MINUS = '\u2212';
let offsetMs = 8 * 3600e3;

export const setMineOffset = (hours) => { offsetMs = hours * 3600e3; };

/** A value with its decimals; null is a dash and never 0. */
export function number(value, decimals = 2) {
  if (value === null || value === undefined || Number.isNaN(value)) return '—';
  const [whole, part] = Math.abs(value).toFixed(decimals).split('.');
  const grouped = whole.length > 3 ? whole.replace(/\B(?=(\d{3})+$)/g, THIN) : whole;
  const sign = value < 0 && Number(whole + (part ?? '')) !== 0 ? MINUS : '';
  return sign + grouped + (part ? `.${part}` : '');
}

const UNITS = {'m3/min': 'm³/min', 'm3/h': 'm³/h', degC: '℃', person: ''};
export const unitName = (unit) => UNITS[unit] ?? unit ?? '';

export function withUnit(value, unit, decimals) {
  const told = number(value, decimals);
  return value === null || value === undefined || !unit ? told : `${told} ${unitName(unit)}`;
}

const local = (ms) => new Date(ms + offsetMs).toISOString();
export const clock = (ms) => local(ms).slice(11, 19);
export const hourMinute = (ms) => local(ms).slice(11, 16);
export const day = (ms) => local(ms).slice(0, 10);
export const weekday = (ms) => new Date(ms + offsetMs).getUTCDay();
/** The time of day, with the date where it is another day than `now`. */
export const stamp = (ms, now) => (day(ms) === day(now) ? clock(ms) : `${local(ms).slice(5, 10)} ${hourMinute(ms)}`);

/** 00:48 under an hour, then 1 h 44, then 3 d 04 h. */
export function age(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, '0');
  if (s < 3600) return `${two(Math.floor(s / 60))}:${two(s % 60)}`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))}`;
  return `${Math.floor(s / 86400)} d ${two(Math.floor((s % 86400) / 3600))} h`;
}

export const instant = (text) => (text ? Date.parse(text) : null);
