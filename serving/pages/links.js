// From each page to the others: the same mine, the same language, and where both know it the same place and time.

// Who may open a page: the roles to which the access table gives what it shows first.
const EVERYBODY = null;
const PAGES = [
  ['dispatch', '调度', 'Dispatch', EVERYBODY, consoleAddress],
  ['analysis', '分析', 'Analysis', EVERYBODY, explorerAddress],
  ['emergency', '应急', 'Emergency', ['dispatcher', 'engineer', 'admin'], (about) => shellAddress('/emergency', about)],
  ['handover', '交接班', 'Hand-over', ['dispatcher', 'analyst', 'engineer', 'admin'], (about) => shellAddress('/handover', about)],
];
// What the hazard explorer shows around an instant of the console.
const BEFORE_MS = 4 * 3600e3;
const AFTER_MS = 3600e3;

/** The links that a role sees: `{href, zh, en, isCurrent}` each. */
export function linksFor(role, current, about) {
  return PAGES.filter(([, , , roles]) => roles === EVERYBODY || roles.includes(role))
    .map(([name, zh, en, , address]) => ({href: address(about), zh, en, isCurrent: name === current}));
}

/** Write the links into a `nav`, in the language of the page. */
export function showLinks(nav, role, current, about) {
  nav.replaceChildren(...linksFor(role, current, about).map(({href, zh, en, isCurrent}) => {
    const link = Object.assign(document.createElement('a'), {href, textContent: about.lang === 'en' ? en : zh});
    if (isCurrent) link.setAttribute('aria-current', 'page');
    return link;
  }));
}

/** The console, live; with `atMs` as it was at that instant. `place`: as the console's address has it, `area:…`. */
export function consoleAddress({lang, mine, place, atMs}) {
  return `/console/#${query({mine, place, replay: atMs, lang})}`;
}

/** The hazard explorer; with `atMs` the hours around it, with an `area` that row opened and why it stood so then. */
export function explorerAddress({lang, mine, area, atMs}) {
  const span = atMs == null ? {} : {from: iso(atMs - BEFORE_MS), to: iso(atMs + AFTER_MS)};
  return `/analyse/hazards/cells?${query({mine, ...span, pick: area, at: area && atMs != null ? iso(atMs) : null, lang})}`;
}

const shellAddress = (path, {lang, mine}) => `${path}?${query({mine})}#${query({lang})}`;
const iso = (ms) => new Date(ms).toISOString();
const query = (params) => new URLSearchParams(Object.entries(params).filter(([, value]) => value !== '' && value != null));
