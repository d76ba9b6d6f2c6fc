"""Write the reference pages in docs/ from the declarations: `python -m minefusion.schemas.docs`, or `make docs`.

The pages are generated, so they cannot drift from the code; a test compares the committed ones with what this makes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from minefusion.schemas.behaviour_words import in_words
from minefusion.schemas.behaviours import all_behaviours
from minefusion.schemas.catalog import TABLES, asset_uri
from minefusion.schemas.exchange.grammar import FIELD_TYPES, Kind, header_forms, kinds, reports
from minefusion.schemas.governance import (
    cards,
    data_domains,
    device_model,
    domains,
    element_code,
    interfaces,
    maskings,
    security_levels,
    steps,
    topics,
)
from minefusion.schemas.limits import Limit, all_limits
from minefusion.schemas.quality import findings, quality_rules
from minefusion.schemas.sensors import all_sensor_types
from minefusion.schemas.site_cameras import ZONE_KINDS
from minefusion.schemas.table import Column, Table
from minefusion.schemas.terms import TOPICS, all_terms

GENERATED = "<!-- Written by `make docs` from the declarations in schemas/; change those, not this page. -->"
# Folders of docs/ that hold generated pages only.
OWN_FOLDERS = ("tables", "file-kinds")

# Parts of docs/limits.md: title, and the quantities in it.
_LIMIT_PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("甲烷 · Methane", ("ch4",)),
    ("其他气体 · Other gases", ("co", "o2", "co2", "h2s", "no2", "so2", "nh3", "h2")),
    ("温度 · Temperature", ("temperature",)),
    ("风速 · Air velocity", ("air_velocity",)),
    ("粉尘 · Dust", ("dust",)),
    ("人员 · People", ("headcount", "headcount_ratio", "underground_hours")),
    ("视频分析 · Video analysis", ("latency", "false_alarm_rate", "miss_rate")),
)
_LAYERS = {
    "bronze": "原始层：到达的数据 · what arrived, as it arrived",
    "silver": "规范层：每键一行 · one row per key, in UTC, with unit, quality and place",
    "gold": "应用层：含义 · what it means, each row with its reason",
    "reference": "参考：规范与矿井档案 · what the specification and the site files say",
}


def pages() -> dict[str, str]:
    """Every generated page by its path inside docs/."""
    made = {f"tables/{table.name}.md": table_page(table) for table in TABLES.values()}
    made["tables/README.md"] = table_index()
    made["terms.md"] = terms_page()
    made["limits.md"] = limits_page()
    made["sensor-types.md"] = sensor_types_page()
    made["file-kinds.md"] = file_kinds_page()
    made |= {f"file-kinds/{alike[0].kind}.md": file_kind_page(alike) for alike in _kinds_of_one_form()}
    made["report-codes.md"] = report_codes_page()
    made["quality-rules.md"] = quality_rules_page()
    made["governance.md"] = governance_page()
    made["behaviours.md"] = behaviours_page()
    return made


def table_page(table: Table) -> str:
    """What one table holds: its key, its partition and each column."""
    layer, short = table.name.split(".")
    facts = [
        ("key", ", ".join(code(name) for name in table.key)),
        ("cut into windows by", code(table.time) if table.time else "not cut: small, always whole"),
        ("partition", ", ".join(code(name) for name in table.partition) or "none"),
        ("folder in the lake", code(f"{layer}/{short}")),
        ("Airflow asset", code(asset_uri(table))),
        *_governed(table),
    ]
    told = [name for name in table.volatile if name in table.names]
    if told:
        facts.append(("tell when, not what", ", ".join(code(name) for name in told)))
    rows = [
        (
            code(column.name),
            column.type,
            column.unit or "",
            _range(column),
            column.zh,
            column.doc + _masked(table, column),
            element_code(table.name, column.name),
        )
        for column in table.columns
    ]
    return page(
        f"{table.name} · {table.zh}",
        table.doc,
        grid(("", ""), facts),
        grid(("column", "type", "unit", "valid", "中文", "meaning", "element"), rows),
        'Instants are UTC with microseconds. A null means "not known", never zero.',
    )


def _governed(table: Table) -> list[tuple[str, str]]:
    """Data domain, owner, security level and time of keeping."""
    card, domain = cards()[table.name], data_domains()[table.domain]
    level = security_levels()[table.level]
    kept = "as long as the lake"
    if card.keep_days is not None:
        kept = f"{card.keep_days} days at least ({card.keep_source}; {card.keep_confidence})"
    return [
        (
            "data domain",
            f"[{card.code}](../governance.md) {domains()[domain.domain].zh} · {domain.zh} "
            f"({domains()[domain.domain].en}, {domain.en})",
        ),
        ("owner", f"{card.owner_zh} · {card.owner}"),
        ("security level", f"**{level.level}** {level.class_zh}：{level.handling_zh} · {level.handling_en}"),
        ("kept", kept),
    ]


def _masked(table: Table, column: Column) -> str:
    masking = maskings().get((table.name, column.name))
    return f" **Personal: {masking.masking_zh} · {masking.masking_en}.**" if masking else ""


def table_index() -> str:
    """All tables by layer."""
    parts = [f"{len(TABLES)} tables in the lake, each a Delta table that Spark and delta-rs both read and write."]
    for layer, words in _LAYERS.items():
        rows = [
            (f"[{table.name}]({table.name}.md)", table.zh, table.doc, table.level, table.owner)
            for table in TABLES.values()
            if table.layer == layer
        ]
        parts += [f"## {layer}\n\n{words}", grid(("table", "中文", "holds", "level", "owner"), rows)]
    return page("数据表 · Tables", *parts)


def terms_page() -> str:
    """The field's words by topic."""
    parts = ["The field's words as tables and code use them, the Chinese term beside, and what they mean."]
    for topic, title in TOPICS.items():
        rows = [(code(term.term), term.zh, term.en) for term in all_terms() if term.topic == topic]
        parts += [f"## {title}", grid(("name", "中文", "meaning"), rows)]
    return page("术语 · Terms", *parts)


def limits_page() -> str:
    """Every limit with its source and how sure it is."""
    advisory = sum(limit.is_advisory for limit in all_limits())
    parts = [
        f"{len(all_limits())} limits, {advisory} of them **advisory** (参考): not read again in a source, superseded, "
        "or no law at all. They come from the 2016 and 2022 editions of the Coal Mine Safety Regulation "
        "(煤矿安全规程), which was issued anew in 2025. **Check every row against the edition in force before using it "
        "as law.**",
        "The limit that holds at a point is the stricter of the row here and the mine's own setting; a looser setting "
        "is reported as `LIMIT_LOOSER_THAN_LAW`. A methane point whose place matches no row is judged by CH4-900 and "
        "listed. Power may be restored only below the restore value.",
    ]
    for title, quantities in _LIMIT_PARTS:
        parts += [f"## {title}", _limit_grid(limit for limit in all_limits() if limit.quantity in quantities)]
    return page("限值 · Limits", *parts)


def sensor_types_page() -> str:
    """Every sensor type with unit, plausible range and how sure each is."""
    rows = [
        (
            code(kind.code),
            kind.name_zh,
            kind.name_en,
            code(kind.quantity),
            kind.unit or "",
            _span(kind.valid_min, kind.valid_max),
            kind.kind,
            kind.confidence,
            kind.unit_confidence or "",
            kind.source,
        )
        for kind in all_sensor_types()
    ]
    return page(
        "传感器类型 · Sensor types",
        f"{len(rows)} types. Ranges are plausibility limits of this project, not ranges of a standard; values outside "
        "are BAD, but for gas at the end of its instrument's range, which counts as at least that value.",
        grid(
            ("code", "中文", "English", "quantity", "unit", "range", "kind", "code and name", "unit is", "source"), rows
        ),
    )


def file_kinds_page() -> str:
    """Every kind of exchange file, by family."""
    forms = _kinds_of_one_form()
    layouts = sum(len(kind.layouts) for kind, *_ in forms)
    parts = [
        f"{len(forms)} file kinds with {layouts} record layouts, counting the forms in which real programs depart from "
        "the standard (dialects). Reader and writer derive from these rows; adding a kind or a dialect is adding rows "
        "in `schemas/exchange/`. *Confidence* says how a row is known: confirmed (read in at least one working "
        "program), one writer, one reader, inferred, convention (our own). What can be wrong with a file: "
        "[report codes](report-codes.md)."
    ]
    for family in dict.fromkeys(kind.family for kind, *_ in forms):
        rows = [
            (
                f"[{_alike_name(alike)}](file-kinds/{alike[0].kind}.md)",
                alike[0].zh,
                alike[0].en,
                alike[0].nature,
                code(alike[0].folder),
                ", ".join(code(layout.dialect or "main") for layout in alike[0].layouts),
                _seconds(alike[0].period_s),
                alike[0].confidence,
            )
            for alike in forms
            if alike[0].family == family
        ]
        head = ("kind", "中文", "English", "nature", "folder", "layouts", "period", "confidence")
        parts += [f"## {family.replace('_', ' ').capitalize()}", grid(head, rows)]
    return page("文件类型 · File kinds", *parts)


def file_kind_page(alike: Sequence[Kind]) -> str:
    """Header and records of one kind; of kinds that differ in their name only, one page for all."""
    kind = alike[0]
    facts = [
        ("family", kind.family.replace("_", " ")),
        ("nature", kind.nature),
        ("customary folder", code(kind.folder)),
        ("envelope", kind.envelope),
        ("period", _seconds(kind.period_s)),
        ("late after", _seconds(kind.late_s)),
        ("confidence", kind.confidence),
    ]
    parts = [f"{kind.en}.", grid(("", ""), [fact for fact in facts if fact[1]])]
    if len(alike) > 1:
        parts.append("The same form: " + ", ".join(code(other.kind) for other in alike))
    forms = dict.fromkeys(form for form in (kind.header, *kind.dialect_headers.values()) if form)
    for form in forms:
        users = [
            dialect or "main" for dialect, named in {"": kind.header, **kind.dialect_headers}.items() if named == form
        ]
        rows = [
            (str(place), field.zh, code(field.column), field.type, field.confidence)
            for place, field in enumerate(header_forms()[form])
        ]
        title = f"## 文件头 · Header `{form}` ({', '.join(users)})"
        parts += [title, grid(("#", "字段", "column", "type", "confidence"), rows)]
    for layout in kind.layouts:
        records = [
            (
                str(place),
                field.zh,
                ", ".join(code(column) for column in field.columns),
                " ".join([FIELD_TYPES[field.type].en, ", ".join(code(value) for value in field.allowed)]).strip(),
                field.length,
                field.unit,
                ", ".join(sorted(field.roles)),
                field.confidence,
            )
            for place, field in enumerate(layout.fields)
        ]
        head = ("#", "字段", "column", "holds", "length", "unit", "role", "confidence")
        parts += [f"## 记录 · Record {code(layout.dialect or 'main')}", grid(head, records)]
    return page(f"{_alike_name(alike)} · {kind.zh}", *parts)


def report_codes_page() -> str:
    """What the reader and the ledger report about files and records, and what to do."""
    rows = [
        (
            code(told.code),
            told.scope,
            told.level,
            told.clause,
            f"{told.text_zh}<br>{told.text_en}",
            f"{told.mend_zh}<br>{told.mend_en}",
        )
        for told in reports().values()
    ]
    return page(
        "报告代码 · Report codes",
        "What is reported about a file or a record, what that does to it, and what to do. Warnings change no verdict.",
        grid(("code", "about a", "which is then", "clause", "原因 · reason", "处理 · what to do"), rows),
    )


def behaviours_page() -> str:
    """Unsafe behaviours on video: what is looked for, and when it counts."""
    about = {
        "person": lambda _: "每个人<br>each person",
        "zone": lambda zone: "每个{}<br>each {}".format(*ZONE_KINDS[zone]),
        "camera": lambda _: "整个画面<br>the whole picture",
    }
    rows = [
        (
            code(each.code),
            f"{each.zh}<br>{each.en}",
            each.event_type,
            str(each.level),
            about[each.of](each.zone) + ("<br>仅限点名的摄像机<br>where a camera names it" if each.where_named else ""),
            "<br>".join(in_words(each.when)),
            f"{each.cool_down_s:g} s",
            f"{each.source} ({each.confidence})",
        )
        for each in all_behaviours()
    ]
    kinds_of_zone = [(code(kind), zh, en) for kind, (zh, en) in ZONE_KINDS.items()]
    return page(
        "不安全行为 · Unsafe behaviours",
        "Rules over people, zones, lines and the state of machines, declared in `schemas/behaviours.yaml`. A zone's "
        "`after_s` stands in place of the rule's seconds. Levels: 1 blue, 2 yellow, 3 orange, 4 red. The numbers are "
        "conventions of this project; a safety officer may change them.",
        grid(("rule", "behaviour", "event", "level", "about", "when it counts", "again after", "source"), rows),
        "## 区域种类 · Kinds of zone",
        grid(("kind", "中文", "English"), kinds_of_zone),
    )


def quality_rules_page() -> str:
    """The clauses of `minefusion conform`, and what gold.data_quality finds under each."""
    rows = [
        (
            code(rule.rule),
            f"{rule.title_zh}<br>{rule.title_en}",
            rule.dimension,
            f"{rule.check_zh}<br>{rule.check_en}",
            rule.action,
            code(rule.mark),
            f"{rule.source} ({rule.confidence})",
        )
        for rule in quality_rules().values()
    ]
    found = [(code(each.code), each.rule, each.zh, each.en) for each in findings().values()]
    return page(
        "质量规则 · Quality rules",
        "CF-01 to CF-07 ask about a feed as a whole, DQ-01 to DQ-15 about its data. `minefusion conform DIR` answers "
        "each for a folder of exchange files and needs no lake; a fault is told once, under the clause nearest to its "
        "cause. What is marked convention is this project's own choice, because the rules of the specification could "
        "not be read.",
        grid(("rule", "", "dimension", "is kept when", "else", "mark", "source"), rows),
        "## 数据质量表的发现 · Findings of gold.data_quality\n\nThe same rules, per point and hour, once the data "
        "are in the lake ([gold.data_quality](tables/gold.data_quality.md)).",
        grid(("finding", "rule", "中文", "meaning"), found),
    )


def governance_page() -> str:
    """The data model of the specification: domains, levels, duties, interfaces, topics, device model."""
    tables = {domain: [t for t in TABLES.values() if t.domain == domain] for domain in data_domains()}
    of_domains = [
        (
            name,
            f"{domains()[domain.domain].zh} · {domain.zh}",
            f"{domains()[domain.domain].en}, {domain.en}",
            "<br>".join(f"[{table.name}](tables/{table.name}.md)" for table in tables[name]),
        )
        for name, domain in data_domains().items()
    ]
    return page(
        "数据模型与治理 · Data model and governance",
        "The specification sorts data by business domain → data domain → object → attribute → data element. Its own "
        "codes could not be read, so the codes here are a convention of this project: `03.01.004.012.01` is domain 03, "
        "data domain 01, object 004 (a table), attribute 012, element 01. A column has the same attribute and element "
        "in every table.",
        "## 业务域 · Business domains",
        grid(
            ("code", "中文", "domain", "fed by"),
            [(each.code, each.zh, each.en, each.fed_by) for each in domains().values()],
        ),
        "## 数据域 · Data domains",
        grid(("code", "中文", "domain", "tables"), of_domains),
        "## 安全级别 · Security levels",
        grid(
            ("level", "class", "examples", "handling"),
            [
                (
                    f"**{each.level}**",
                    f"{each.class_zh} · {each.class_en}",
                    f"{each.examples_zh}<br>{each.examples_en}",
                    f"{each.handling_zh}<br>{each.handling_en}",
                )
                for each in security_levels().values()
            ],
        ),
        "## 各处理环节的义务 · Duty at each step",
        grid(
            ("step", "duty", "kept by"),
            [(f"{each.zh} · {each.en}", f"{each.duty_zh}<br>{each.duty_en}", each.kept_by) for each in steps()],
        ),
        "## 设备模型 · Device model",
        grid(
            ("part", "content", "held in"),
            [
                (
                    f"{each.zh} · {each.en}",
                    f"{each.content_zh}<br>{each.content_en}",
                    "<br>".join(code(name) for name in (each.held_in or "").split()),
                )
                for each in device_model()
            ],
        ),
        "## 服务接口 · Interfaces",
        grid(
            ("call", "returns", "level"),
            [
                (code(f"{each.method} {each.path}"), f"{each.returns_zh}<br>{each.returns_en}", each.level)
                for each in interfaces()
            ],
        ),
        "## 规范的主题 · Topics of the specification\n\nThere are 6 topics with 40 parts. The list of the 40 "
        "names was not found in an open source; here stand those that are proven.",
        grid(
            ("topic", "slug", "name", "part", "what is known", "source"),
            [
                (
                    each.topic,
                    code(each.slug),
                    f"{each.zh} · {each.en}",
                    f"{each.part_zh} · {each.part_en}" if each.part_zh else "",
                    each.what_is_known,
                    f"{each.source} ({each.confidence})",
                )
                for each in topics()
            ],
        ),
    )


def write(folder: Path, made: Mapping[str, str], own_folders: Sequence[str]) -> list[Path]:
    """Write every page whose text differs and remove pages that nothing makes any more; the paths it touched.

    Args:
        made: pages by their path inside `folder`.
        own_folders: folders in it that hold nothing but such pages.
    """
    pages_of = {folder / name: text for name, text in made.items()}
    there = {path for own in own_folders for path in (folder / own).glob("*.md")}
    touched = sorted(there - pages_of.keys())
    for path in touched:
        path.unlink()
    for path, text in pages_of.items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            touched.append(path)
    return touched


def _kinds_of_one_form() -> list[list[Kind]]:
    """File kinds; those that differ in their name only, such as one per sort of key equipment, together."""
    forms: dict[tuple[str, ...], list[Kind]] = {}
    for kind in kinds().values():
        forms.setdefault((kind.folder, kind.zh, kind.en), []).append(kind)
    return list(forms.values())


def _alike_name(alike: Sequence[Kind]) -> str:
    """`CDSS`; of several `*_SS`, what their names share."""
    first, *others = [kind.kind for kind in alike]
    shared = first
    while not all(name.endswith(shared) for name in others):
        shared = shared[1:]
    return f"*{shared}" if others else first


def _seconds(span: float | None) -> str:
    """A span in the largest unit that it is a whole number of."""
    if span is None:
        return ""
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if span >= seconds and span % seconds == 0:
            return f"{span / seconds:g} {unit}"
    return f"{span:g} s"


def _limit_grid(limits: Iterable[Limit]) -> str:
    rows = [
        (
            code(limit.rule_id),
            code(limit.location_code),
            f"{limit.location_zh}<br>{limit.location_en}",
            limit.unit,
            _value(limit.comparison, limit.alarm),
            _value(limit.comparison, limit.power_off),
            _value("<", limit.restore),
            f"{limit.scope_zh}<br>{limit.scope_en}",
            "**advisory**" if limit.is_advisory else "",
            limit.confidence,
            f"{limit.source}; {limit.note}" if limit.note else limit.source,
        )
        for limit in limits
    ]
    return grid(
        ("rule", "place", "", "unit", "alarm", "power-off", "restore", "action", "", "confidence", "source"), rows
    )


def _value(comparison: str, value: float | None) -> str:
    return "" if value is None else f"{ {'>=': '≥'}.get(comparison, comparison) } {value:g}"


def _range(column: Column) -> str:
    return _span(*column.valid) if column.valid else ""


def _span(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    return f"{'' if low is None else f'{low:,.12g}'} … {'' if high is None else f'{high:,.12g}'}".strip()


def code(text: str) -> str:
    """Set as code."""
    return f"`{text}`"


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    return "\n".join([line(head), line(["---"] * len(head)), *(line(row) for row in rows)])


def page(title: str, *parts: str) -> str:
    """A page with its title and the note that it is generated."""
    return "\n\n".join([f"# {title}", GENERATED, *parts]) + "\n"


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    made = pages()
    touched = write(folder, made, OWN_FOLDERS)
    print(f"{len(made)} pages in {folder}, {len(touched)} changed")


if __name__ == "__main__":
    main()
