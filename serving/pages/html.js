// Markup from data: everything that is filled in is escaped, unless it is markup already.

const ENTITIES = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'};

class Markup {
  constructor(text) { this.text = text; }
  toString() { return this.text; }
}

/** Template tag: `html`<b>${name}</b>``; null and false leave nothing, lists are joined. */
export function html(parts, ...values) {
  let text = parts[0];
  values.forEach((value, at) => {
    const isAttribute = typeof value === 'boolean' && parts[at].endsWith('="'); // aria-pressed="false" is not aria-pressed=""
    text += (isAttribute ? String(value) : filled(value)) + parts[at + 1];
  });
  return new Markup(text);
}

function filled(value) {
  if (value === null || value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(filled).join('');
  return value instanceof Markup ? value.text : String(value).replace(/[&<>"']/g, (sign) => ENTITIES[sign]);
}

/** Show markup in an element, where it is not what the element shows already; the focus stays on what had it. */
export function show(element, markup) {
  const text = filled(markup);
  if (element.shownText === text) return false;
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const kept = focused && keptFocus(focused);
  element.innerHTML = text;
  element.shownText = text;
  kept?.(element);
  return true;
}

function keptFocus(focused) {
  const {key, field} = focused.dataset;
  const {value, selectionStart, selectionEnd} = focused;
  return (element) => {
    const name = field ? `[data-field="${CSS.escape(field)}"]` : key && `[data-key="${CSS.escape(key)}"]`;
    const again = name && element.querySelector(name);
    if (!again) return;
    again.focus({preventScroll: true});
    if (typeof value === 'string' && field && again.value !== value) again.value = value;
    if (typeof selectionStart === 'number' && again.setSelectionRange) again.setSelectionRange(selectionStart, selectionEnd);
  };
}

/** Rows with keys: only those that changed are made anew, so that a pointer or a focus on another is not disturbed. */
export function showRows(list, rows) {
  const known = new Map([...list.children].map((each) => [each.dataset.key, each]));
  const focusedKey = list.contains(document.activeElement) ? document.activeElement.closest('[data-key]')?.dataset.key : null;
  let place = list.firstElementChild;
  for (const {key, markup} of rows) {
    const text = String(markup);
    let row = known.get(key);
    known.delete(key);
    if (row?.rowText !== text) {
      const holder = document.createElement('template');
      holder.innerHTML = text.trim();
      const made = holder.content.firstElementChild;
      made.rowText = text;
      made.dataset.key = key;
      if (row === place) place = made;
      if (row) row.replaceWith(made);
      row = made;
    }
    if (row !== place) list.insertBefore(row, place);
    place = row.nextElementSibling;
  }
  known.forEach((gone) => gone.remove());
  if (focusedKey && !list.contains(document.activeElement)) {
    list.querySelector(`[data-key="${CSS.escape(focusedKey)}"]`)?.focus({preventScroll: true});
  }
}
