// What the page is about: one place, one time, one span, for every pane. All of it stands in the address, so that a link
// opens the same again.

const DEEP = 10;
const DEFAULTS = {
  mine: '', place: '', cursor: null, replay: null, speed: 1, span: 90, lang: 'zh', theme: 'light', profile: 'desk',
  tab: '', layers: 'people,sensors,air,equipment,cameras,escape', extra: '', freeze: null,
};
// What of it is the way the page looks, and no step that Escape takes back.
const LOOK = ['lang', 'theme', 'profile', 'layers', 'speed'];
const NUMBERS = ['cursor', 'replay', 'speed', 'span', 'freeze'];
// Kept for the next visit on this machine.
const REMEMBERED = {lang: 'minefusion-lang', theme: 'minefusion-theme', layers: 'minefusion-layers'};

const listeners = [];
const before = [];
export const state = {...DEFAULTS, ...remembered(), ...inAddress()};

function remembered() {
  const found = Object.entries(REMEMBERED).map(([name, key]) => [name, localStorage.getItem(key)]);
  return Object.fromEntries(found.filter(([, value]) => value !== null));
}

function inAddress() {
  const found = {};
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (!(name in DEFAULTS)) continue;
    found[name] = NUMBERS.includes(name) ? (value === '' || Number.isNaN(Number(value)) ? null : Number(value)) : value;
  }
  return found;
}

/** Call `heard(state, changed)` after each change; `changed` has the names of what is different. */
export const onChange = (heard) => listeners.push(heard);

/** Change what the page is about. */
export function change(parts, {isStep = true} = {}) {
  const changed = Object.keys(parts).filter((name) => state[name] !== parts[name]);
  if (!changed.length) return;
  if (isStep && changed.some((name) => ['place', 'span'].includes(name))) {
    before.push({place: state.place, cursor: state.cursor, span: state.span, extra: state.extra, tab: state.tab});
    if (before.length > DEEP) before.shift();
  }
  Object.assign(state, parts);
  for (const name of changed) if (REMEMBERED[name]) localStorage.setItem(REMEMBERED[name], state[name]);
  writeAddress();
  listeners.forEach((heard) => heard(state, new Set(changed)));
}

/** One step back through what was selected; false where there is none. */
export function back() {
  const step = before.pop();
  if (step) change(step, {isStep: false});
  return Boolean(step);
}

function writeAddress() {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (value !== null && value !== DEFAULTS[name] && name !== 'freeze') query.set(name, value);
  }
  const hash = `#${query}`;
  if (hash !== location.hash) history.replaceState(null, '', hash);
}

addEventListener('hashchange', () => change({...DEFAULTS, ...remembered(), ...inAddress()}));

/** A place as the address has it: `area:…`, `point:…`, `camera:…`, `person:…`, `alarm:…`; '' is the whole mine. */
export const placeOf = (kind, id) => `${kind}:${id}`;
export function kindAndId(place) {
  const at = place.indexOf(':');
  return at < 0 ? ['mine', ''] : [place.slice(0, at), place.slice(at + 1)];
}
export const hasLayer = (name) => state.layers.split(',').includes(name);
export function toggleLayer(name) {
  const layers = state.layers.split(',').filter(Boolean);
  change({layers: (layers.includes(name) ? layers.filter((each) => each !== name) : [...layers, name]).join(',')});
}
export const isLookOnly = (changed) => [...changed].every((name) => LOOK.includes(name));
