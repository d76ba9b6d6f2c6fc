// The analysts' page: everything it shows is in its address. Panes come from the service as markup that it made inert.
import { consoleAddress, showLinks } from "/pages/links.js";
import { answer, call, loginWithOwnPassword, logout, user, whenLoginNeeded } from "/pages/session.js";
import { save } from "./saving.js";
import { openSql } from "./sql.js";
import { both, isEnglish, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const FILES = ["csv", "parquet", "xlsx"];
const HOME = "/analyse/hazards/cells";
// The page's own, which the service is not asked.
const OWN = ["lang"];
const areas = new Map();
let views = [], steps = [], mines = [], turn = 0;

const asked = () => Object.fromEntries(new URLSearchParams(location.search));
const pathOf = () => location.pathname.replace(/^\/analyse\/?/, "");
const addressOf = (path, params, lang = asked().lang) => {
  const kept = { ...params, lang };
  const query = new URLSearchParams(Object.entries(kept).filter(([, value]) => value !== "" && value != null));
  return `/analyse/${path}${query.size ? `?${query}` : ""}`;
};

const go = (address, replace = false) => {
  history[replace ? "replaceState" : "pushState"](null, "", address);
  show();
};

const trouble = (error) => {
  $("trouble").replaceChildren(...(error ? [both(error.zh || error.message, error.en || error.message)] : []));
};

const speak = (lang) => {
  document.documentElement.lang = lang === "en" ? "en" : "zh-CN";
  for (const button of document.querySelectorAll("[data-lang]"))
    button.setAttribute("aria-pressed", String((button.dataset.lang === "en") === isEnglish()));
};

const link = (address, content, isCurrent) => {
  const made = document.createElement("a");
  made.href = address;
  made.append(content);
  if (isCurrent) made.setAttribute("aria-current", "page");
  return made;
};

// Instants stand on the mine's clock in the fields, and with their offset in the address.
const offsetOf = (mine) => (mines.find((each) => each.mine_code === mine) || {}).utc_offset_h ?? 8;
const toField = (iso, mine) => (iso ? new Date(Date.parse(iso) + offsetOf(mine) * 3600e3).toISOString().slice(0, 16) : "");
const fromField = (text, mine) => (text ? new Date(Date.parse(`${text}:00Z`) - offsetOf(mine) * 3600e3).toISOString() : "");

const field = (name, label, input) => {
  const made = document.createElement("label");
  input.name = name;
  made.append(label, input);
  return made;
};
const textInput = (value, type = "text") => Object.assign(document.createElement("input"), { type, value: value || "" });
const choice = (options, value) => {
  const made = document.createElement("select");
  for (const [code, told] of options) made.add(new Option(told, code, false, String(code) === String(value ?? "")));
  return made;
};

const areasOf = async (mine) => {
  if (!areas.has(mine)) areas.set(mine, (await call("/areas", { params: { mine, limit: 1000 } })).rows);
  return areas.get(mine).map((each) => [each.area_id, (isEnglish() ? each.name_en : each.name_zh) || each.area_id]);
};

const drawQuestion = async (view, params) => {
  const form = $("question"), mine = params.mine;
  const places = view.narrows.some((each) => each.name === "area_id") ? await areasOf(mine) : [];
  const inputOf = (each) =>
    each.name === "area_id" ? choice([["", "—"], [mine, isEnglish() ? "whole mine" : "全矿"], ...places], params.area_id)
    : each.type === "boolean" ? choice([["", "—"], ["true", "✓"], ["false", "✗"]], params[each.name])
    : textInput(params[each.name]);
  const parts = [
    field("mine", word("mine"), choice(mines.map((each) => [each.mine_code, isEnglish() ? each.name_en : each.name_zh]), mine)),
    field("from", word("from"), textInput(toField(params.from, mine), "datetime-local")),
    field("to", word("to"), textInput(toField(params.to, mine), "datetime-local")),
    ...view.narrows.map((each) => field(each.name, both(each.zh, each.name), inputOf(each))),
  ];
  if (view.takes.includes("person"))
    for (const name of ["person_hash", "why"]) parts.push(field(name, word(name), Object.assign(textInput(params[name]), { required: true })));
  if (view.takes.includes("level_min")) parts.push(field("level_min", word("level_min"), choice([["", "—"], [1, "1 蓝 blue"], [2, "2 黄 yellow"], [3, "3 橙 orange"], [4, "4 红 red"]], params.level_min)));
  if (view.takes.includes("step")) parts.push(field("step_min", word("step_min"), choice([["", "—"], ...steps.map((each) => [each, each])], params.step_min)));
  if (view.takes.includes("is_legal_only")) {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: "true", checked: params.legal_only === "true" });
    const made = field("legal_only", word("legal_only"), box);
    made.className = "check";
    parts.push(made);
  }
  const buttons = document.createElement("span");
  buttons.className = "buttons";
  const button = (id, content, type = "button") => {
    const made = Object.assign(document.createElement("button"), { type, id });
    made.append(content);
    return made;
  };
  const shown = Object.assign(textInput(location.href), { id: "link", readOnly: true, ariaLabel: "链接 · Link" });
  buttons.append(button("ask", word("ask"), "submit"), ...FILES.map((each) => button(`file-${each}`, each.toUpperCase())), button("copy", word("copy")), shown);
  form.replaceChildren(...parts, buttons);
  form.onsubmit = (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(form));
    for (const name of ["from", "to"]) given[name] = fromField(given[name], given.mine);
    go(addressOf(view.path, given));
  };
  for (const each of FILES) $(`file-${each}`).onclick = async () => {
    try {
      await save(await answer(`/analysis/${view.path}`, { params: { ...sent(), format: each } }), `${view.path}.${each}`);
    } catch (error) {
      trouble(error);
    }
  };
  $("copy").onclick = async () => {
    shown.select();
    try {
      await navigator.clipboard.writeText(shown.value);
    } catch {
      document.execCommand("copy");
    }
    $("copy").replaceChildren(word("copied"));
  };
};

const sent = () => Object.fromEntries(Object.entries(asked()).filter(([name]) => !OWN.includes(name)));

// Where the console stands when it is to show the same: the picked instant, else the end of the span where that is past.
const instantOf = ({ at, to }) => {
  const ms = Date.parse(at || to || "");
  return Number.isNaN(ms) || ms > Date.now() ? null : ms;
};

const drawPages = () => {
  const { lang = "zh", mine, pick, area_id: area, ...rest } = asked();
  showLinks($("pages"), user()?.role, "analysis", { lang, mine });
  const picked = [pick, area].find((each) => each && each !== mine);
  const isArea = (areas.get(mine) || []).some((each) => each.area_id === picked);
  const place = picked && `${isArea ? "area" : "point"}:${picked}`;
  $("to-console").href = consoleAddress({ lang, mine, place, atMs: instantOf(rest) });
  $("to-console").hidden = !user();
};

const drawNames = (path) => {
  drawPages();
  const group = path.split("/")[0];
  const first = new Map();
  for (const each of views) if (!first.has(each.group)) first.set(each.group, each);
  const span = { mine: asked().mine, from: asked().from, to: asked().to };
  $("groups").replaceChildren(
    ...[...first.values()].map((each) => link(addressOf(each.path, span), both(each.group_zh, each.group_en), each.group === group)),
    link(addressOf("sql", { mine: asked().mine }), "SQL", path === "sql"),
  );
  $("tabs").replaceChildren(
    ...views.filter((each) => each.group === group).map((each) => link(addressOf(each.path, span), both(each.zh, each.en), each.path === path)),
  );
};

const show = async () => {
  speak(asked().lang);
  const path = pathOf(), view = views.find((each) => each.path === path), own = ++turn;
  if (path === "sql") {
    drawNames(path);
    for (const id of ["question", "pane"]) $(id).hidden = true;
    $("sql").hidden = false;
    trouble(null);
    return openSql(asked().q || "", (q) => history.replaceState(null, "", addressOf("sql", { ...asked(), q })), trouble);
  }
  if (!view) return go(HOME, true);
  if (!asked().mine && mines.length) return go(addressOf(path, { ...asked(), mine: mines[0].mine_code }), true);
  $("sql").hidden = true;
  for (const id of ["question", "pane"]) $(id).hidden = false;
  await areasOf(asked().mine).catch(trouble);
  if (own !== turn) return;
  drawNames(path);
  trouble(null);
  await drawQuestion(view, asked()).catch(trouble);
  if (own !== turn) return;
  $("pane").setAttribute("aria-busy", "true");
  try {
    const markup = await (await answer(`/analysis/${path}`, { params: { ...sent(), format: "html" } })).text();
    // Of two questions the later one counts, whichever is answered first.
    if (own === turn) $("pane").innerHTML = markup;
  } catch (error) {
    if (own === turn) {
      $("pane").replaceChildren();
      trouble(error);
    }
  }
  $("pane").removeAttribute("aria-busy");
};

document.addEventListener("click", (event) => {
  const clicked = event.target.closest("a[href]");
  if (!clicked || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const address = clicked.getAttribute("href");
  if (!address.startsWith("/analyse/")) return;
  event.preventDefault();
  const [path, query = ""] = address.slice("/analyse/".length).split("?");
  go(addressOf(path, Object.fromEntries(new URLSearchParams(query))));
});
window.addEventListener("popstate", show);
for (const button of document.querySelectorAll("[data-lang]"))
  button.addEventListener("click", () => {
    history.replaceState(null, "", addressOf(pathOf(), asked(), button.dataset.lang));
    start();
  });

const start = async () => {
  speak(asked().lang);
  const isIn = Boolean(user()) && !user().must_change;
  $("login").hidden = isIn;
  $("desk").hidden = $("leave").hidden = !isIn;
  $("who").textContent = isIn ? `${user().name} · ${isEnglish() ? user().role_en : user().role_zh}` : "";
  if (!isIn) return drawPages();
  try {
    [{ rows: views, steps_min: steps }, { rows: mines }] = await Promise.all([call("/analysis"), call("/mines")]);
    await show();
  } catch (error) {
    trouble(error);
  }
};

whenLoginNeeded(start);
$("leave").addEventListener("click", async () => {
  await logout();
  start();
});
$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  try {
    await loginWithOwnPassword(form.login.value, form.password.value);
    form.reset();
    form.querySelector("[role=alert]")?.remove();
    await start();
  } catch (error) {
    const told = document.createElement("p");
    told.className = "note";
    told.setAttribute("role", "alert");
    told.append(both(error.zh || error.message, error.en || error.message));
    form.querySelector("[role=alert]")?.remove();
    form.append(told);
  }
});
start();
