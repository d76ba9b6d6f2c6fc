// The SQL page: tables with their columns, saved questions, an answer that is text whatever it holds.
import { answer, call } from "/pages/session.js";
import { save } from "./saving.js";
import { both, isEnglish, say, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const SHOWN = 500;
const FILES = ["csv", "parquet", "xlsx"];
let isDrawn = false, remember = () => {}, trouble = () => {};

const element = (name, content, more = {}) => {
  const made = Object.assign(document.createElement(name), more);
  if (content !== undefined) made.append(content);
  return made;
};

const drawTables = async () => {
  const { rows } = await call("/sql/tables");
  $("tables").replaceChildren(
    ...rows.map((table) => {
      const made = element("details");
      const list = element("ul");
      for (const column of table.columns) {
        const unit = column.unit ? ` [${column.unit}]` : "";
        const line = element("li");
        line.append(element("code", column.name), " ", both(`${column.zh}${unit}`, `${column.doc}${unit}`));
        list.append(line);
      }
      made.append(element("summary", table.name), element("p", both(table.zh, table.doc)), list);
      return made;
    }),
  );
};

const drawSaved = async () => {
  const { rows } = await call("/sql/saved");
  $("saved").replaceChildren(
    ...rows.map((each) => {
      const line = element("li");
      const open = element("button", both(each.name_zh, each.name_en), { type: "button" });
      open.onclick = () => {
        $("query").value = each.query;
        run();
      };
      line.append(open);
      if (each.by) {
        const drop = element("button", word("drop"), { type: "button" });
        drop.onclick = () => call(`/sql/saved/${encodeURIComponent(each.name_zh)}`, { method: "DELETE" }).then(drawSaved, trouble);
        line.append(" ", each.by, " ", drop);
      }
      return line;
    }),
  );
};

const run = async () => {
  const query = $("query").value.trim();
  if (!query) return;
  remember(query);
  trouble(null);
  $("answered").textContent = "…";
  $("answer").replaceChildren();
  const began = performance.now();
  try {
    const told = await call("/sql", { method: "POST", body: { query } });
    const took = ((performance.now() - began) / 1000).toFixed(2);
    $("answered").textContent = `${told.rows.length} ${say("rows")} · ${took} s${told.is_cut ? ` · ${say("cut")}` : ""}`;
    const table = element("table"), head = element("tr"), body = element("tbody");
    for (const name of told.columns) head.append(element("th", name, { scope: "col" }));
    for (const row of told.rows.slice(0, SHOWN)) {
      const line = element("tr");
      for (const value of row) line.append(element("td", value === null ? "—" : String(value), { className: typeof value === "number" ? "num" : "" }));
      body.append(line);
    }
    table.append(element("thead", head), body);
    $("answer").replaceChildren(table);
  } catch (error) {
    $("answered").textContent = "";
    trouble(error);
  }
};

export const openSql = async (query, rememberQuery, tellTrouble) => {
  [remember, trouble] = [rememberQuery, tellTrouble];
  if (!isDrawn) {
    isDrawn = true;
    $("run").onclick = run;
    $("query").onkeydown = (event) => event.key === "Enter" && event.ctrlKey && run();
    $("keep").onclick = () =>
      call("/sql/saved", { method: "POST", body: { name: $("name").value, query: $("query").value } }).then(drawSaved, trouble);
    $("sql-files").replaceChildren(
      ...FILES.map((kind) => {
        const made = element("button", kind.toUpperCase(), { type: "button", id: `sql-${kind}` });
        made.onclick = () =>
          answer("/sql", { method: "POST", body: { query: $("query").value, format: kind } }).then((file) => save(file, `query.${kind}`)).catch(trouble);
        return made;
      }),
    );
    await Promise.all([drawTables(), drawSaved()]).catch(trouble);
  }
  if (query && query !== $("query").value) {
    $("query").value = query;
    await run();
  }
};
