"""The report's sections, each a drawing with the table that says the same in words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minefusion.schemas.exchange.grammar import kinds
from minefusion.serving.report import levels, subsystems
from minefusion.serving.report.charts import (
    QUANTITY,
    STATES,
    gas_figure,
    minutes_at,
    people_figure,
    stays,
    switches_figure,
    timeline_figure,
    worst_of,
)
from minefusion.serving.report.facts import DRAWN_AHEAD_MIN, Facts, Row
from minefusion.serving.report.levels import confidence, marked, tag
from minefusion.serving.report.markup import (
    Text,
    both,
    columns,
    escaped,
    lasting,
    number,
    quantity,
    same,
    share,
    table,
)

# Index id → its name in Chinese and in English.
Names = Mapping[str, tuple[str, str]]

ALL_LEVELS = (4, 3, 2, 1, 0, None)
COUNTS = ("sent", "stored", "quarantined", "rejected", "duplicate", "aside", "waiting")
# Rows of a table that a page has room for; what is left out is counted beneath it.
MOST_ROWS = 12
# Areas in the timeline, normal ones among them, so that a calm shift shows that it was watched.
FEWEST_AREAS = 8
# Head counts drawn besides the mine's own.
MOST_PEOPLE_LANES = 6
LIMIT_COLUMNS = (
    "unit", "alarm", "low_alarm", "cut", "restore", "limit_rule", "limit_source", "limit_confidence", "limit_note",
)  # fmt: skip
LIMIT_NOTES = {
    "LIMIT_LOOSER_THAN_LAW": Text("矿方设定宽于规定", "the mine's own setting is looser"),
    "LOCATION_UNMATCHED": Text("位置不在限值表中，按较严者", "place not in the table: judged at the stricter setting"),
}
MARKS = {"SATURATED": Text("超量程", "over range"), "NO_DATA": Text("无数据", "no data")}

FORECAST = Text(
    f"浅色带：{DRAWN_AHEAD_MIN} 分钟前预测的 80 % 区间，仅供参考，不代替报警限值",
    f"shaded: the 80 % interval forecast {DRAWN_AHEAD_MIN} min before; advice, never in place of the limits",
)


def worst_first(facts: Facts) -> list[str]:
    """Areas by worst level, then minutes at it, then people; those without enough data before the normal ones."""

    def rank(area_id: str) -> tuple[float, float, int, str]:
        held = stays(facts, area_id)
        worst = worst_of(held)
        return (-(0.5 if worst is None else worst), -minutes_at(held, worst), -_most_people(facts, area_id), area_id)

    return sorted((area for area in facts.minutes if area != facts.mine_code), key=rank)


def timeline(facts: Facts, areas: Sequence[str]) -> str:
    """The areas that were not normal throughout, with a few of the others; the rest is named."""
    legend = "".join(f"<li>{marked(level)}</li>" for level in ALL_LEVELS[:-1])
    legend += f'<li class="level"><i class="swatch"></i>{both(levels.WORDS[None])}</li>'
    restless = [area for area in areas if any(stay.level != levels.NORMAL for stay in stays(facts, area))]
    shown = [*restless, *(area for area in areas if area not in restless)][: max(len(restless), FEWEST_AREAS)]
    rows = []
    for area in shown:
        held = stays(facts, area)
        spent = [number(minutes_at(held, level)) for level in ALL_LEVELS]
        rows.append([both(facts.area(area).name), *spent, both(_why(facts, area, worst_of(held)))])
    head = [
        Text("区域", "Area"),
        *(levels.WORDS[level] for level in ALL_LEVELS),
        Text("最重时的原因", "Why, at the worst"),
    ]
    figure = timeline_figure(facts, shown, "h-timeline")
    body = f'<ul class="legend">{legend}</ul><figure>{figure}</figure>{table(head, rows, numeric=range(1, 7))}'
    calm = [facts.area(area).name for area in areas if area not in shown]
    if calm:
        body += _note(
            Text(
                f"另 {len(calm)} 个区域全程正常：{'、'.join(name.zh for name in calm)}",
                f"{len(calm)} more areas, normal throughout: {', '.join(name.en for name in calm)}",
            )
        )
    aside = Text("按分钟，条越高越重；表中为分钟数", "by minute, the higher the worse; minutes in the table")
    return _section("timeline", Text("风险时间线", "Hazard timeline"), body, aside)


def all_subsystems(facts: Facts) -> str:
    """Every subsystem that sent something, with what was found in it, on one time axis."""
    shown = subsystems.present(facts)
    figure = subsystems.subsystems_figure(facts, shown, "h-subsystems")
    head = columns(
        "子系统|Subsystem", "行数|Rows", "有数据分钟|Minutes with data", "报警|Alarms", "首次报警|First alarm"
    )
    rows = [[both(cell) for cell in row] for row in subsystems.rows_of(facts, shown)]
    body = f"<figure>{figure}</figure>{table(head, rows, numeric=range(1, 4))}"
    aside = Text(f"{len(shown)} 个子系统；细线为有数据", f"{len(shown)} subsystems; a thin line where data came")
    return _section("subsystems", Text("各子系统", "All subsystems"), body, aside)


def alarms(facts: Facts, names: Names) -> str:
    """Every alarm of gold that touches the shift; what the mine's own systems reported stands apart."""
    told = [row for row in facts.alarms if is_reported(row)]
    computed = [row for row in facts.alarms if not is_reported(row)]
    body = (
        _alarm_table(facts, computed, names) if computed else _note(Text("指标没有报警。", "No index raised an alarm."))
    )
    if told:
        title = Text("矿方系统上报", "Reported by the mine's own systems")
        body += f"<h3>{both(title)}</h3>{_alarm_table(facts, told, names)}"
    aside = Text(f"{len(facts.alarms)} 条，重者在前", f"{len(facts.alarms)}, worst first")
    return _section("alarms", Text("报警", "Alarms"), body, aside)


def is_reported(alarm: Row) -> bool:
    """Whether an alarm repeats what the mine's own systems report."""
    return bool(alarm["kind"].startswith(("YCBJ", "RY")))


def gas(facts: Facts) -> str:
    figures, hidden, drawn = [], 0, 0
    for index, (area_id, points) in enumerate(facts.gas.items()):
        label = f"h-gas-{index}"
        figure, not_drawn = gas_figure(facts, area_id, points, label)
        hidden += not_drawn
        drawn += len(points)
        figures.append(f'<figure><h3 id="{label}">{both(facts.area(area_id).name)}</h3>{figure}</figure>')
    if facts.left_out:
        names = ", ".join(facts.left_out)
        figures.append(_note(Text(f"报警而未绘出的测点：{names}", f"alarmed and not drawn for lack of room: {names}")))
    if any(point.forecast for points in facts.gas.values() for point in points):
        figures.append(_note(FORECAST))
    head = columns(
        "测点|Point", "区域|Area", "最低|Lowest", "最高|Highest", "报警值|Alarm", "断电值|Cut-off", "可用|Usable"
    )
    rows = [
        [
            _point(row),
            both(facts.area(row["area_id"]).name),
            *(escaped(quantity(row[name], row["unit"])) for name in ("lowest", "highest")),
            *(_limit(row[name], row["unit"]) for name in ("alarm", "cut")),
            share(row["usable"] / row["samples"]),
        ]
        for row in facts.ranking[:MOST_ROWS]
    ]
    body = "".join(figures) + table(head, rows, numeric=range(2, 7)) + _more(facts.ranking)
    aside = Text(
        f"每像素保留最小与最大 · 隐去 {number(hidden)} 点 · 缺数不连线 · {drawn} 条曲线",
        f"lowest and highest of every pixel kept · {number(hidden)} samples folded · gaps not joined · {drawn} curves",
    )
    return _section("gas", Text("瓦斯", "Gas"), body, aside)


def people(facts: Facts, areas: Sequence[str]) -> str:
    def share_of_cap(area_id: str) -> float:
        return _most_people(facts, area_id) / (facts.area(area_id).cap or float("inf"))

    def rank(area_id: str) -> tuple[float, int, str]:
        return (-share_of_cap(area_id), -_most_people(facts, area_id), area_id)

    peopled = [area for area in sorted(areas, key=rank) if _most_people(facts, area)]
    rows = []
    for area_id in peopled[:MOST_ROWS]:
        area = facts.area(area_id)
        over = [row for row in facts.minutes[area_id] if (row["people_count"] or 0) > (area.cap or 0)]
        rows.append(
            [
                both(area.name),
                number(_most_people(facts, area_id)),
                _limit(area.cap, "person"),
                "—" if area.cap is None else number(len(over)),
                escaped(area.cap_source or "—"),
                confidence(area.cap_confidence),
            ]
        )
    head = columns(
        "区域|Area", "最多|Most", "核定|Cap", "超员分钟|Minutes over", "定员来源|Source of the cap", "可信度|Confidence"
    )
    figure = people_figure(facts, peopled[:MOST_PEOPLE_LANES], "h-people")
    body = f"<figure>{figure}</figure>{table(head, rows, numeric=(1, 2, 3))}"
    if len(peopled) > MOST_ROWS:
        left = len(peopled) - MOST_ROWS
        body += _note(Text(f"另有 {left} 个区域有人。", f"{left} more areas had people in them."))
    aside = Text("人数与核定；不含姓名与卡号", "counts and caps; no names, no cards")
    return _section("people", Text("人员", "People"), body, aside)


def video(facts: Facts) -> str:
    """Unsafe behaviours that cameras showed; nothing where no camera was watched."""
    if not facts.watched and not facts.behaviours:
        return ""
    head = columns("等级|Level", "开始|Began", "发现|Noticed after", "地点与说明|Place and meaning", "把握|Confidence")
    rows = [
        [
            marked(row["level"]),
            f"{facts.local(row['began_at']):%H:%M:%S}",
            escaped(quantity(row["delay_s"], "s")),
            f"<strong>{both(facts.area(row['area_id']).name)}</strong>"
            f"<br>{both(Text(row['sentence_zh'], row['sentence_en']))}",
            share(row["event_confidence"]),
        ]
        for row in facts.behaviours[:MOST_ROWS]
    ]
    nothing = _note(Text("看过的画面中没有不安全行为。", "Nothing unsafe was seen."))
    body = table(head, rows, numeric=(2, 4)) if rows else nothing
    left = len(facts.behaviours) - MOST_ROWS
    body += _note(Text(f"另有 {left} 起。", f"{left} more.")) if left > 0 else ""
    names, minutes = [facts.area(area_id).name for area_id in facts.watched], sum(facts.watched.values())
    aside = Text(
        f"重者在前；看过录像 {minutes} 分钟：{'、'.join(name.zh for name in names)}",
        f"worst first; {minutes} minutes of cameras watched: {', '.join(name.en for name in names)}",
    )
    return _section("video", Text("录像中的不安全行为", "Unsafe behaviours on video"), body, aside)


def air(facts: Facts, areas: Sequence[str]) -> str:
    place = {area: index for index, area in enumerate(areas)}
    points = sorted(facts.air, key=lambda row: (place.get(row["area_id"], len(place)), row["point_id"]))
    rows = [
        [
            _point(row),
            both(facts.area(row["area_id"]).name),
            *(escaped(quantity(row[name], row["unit"])) for name in ("lowest", "mean", "highest")),
            *(_limit(row[name], row["unit"]) for name in ("low_alarm", "alarm")),
        ]
        for row in points[:MOST_ROWS]
    ]
    head = columns(
        "风速测点|Air velocity", "区域|Area", "最低|Lowest", "平均|Mean", "最高|Highest", "下限|Low", "上限|High"
    )
    figure = f"<figure>{switches_figure(facts, 'h-air')}</figure>" if facts.switches else ""
    steady = " · ".join(
        both(QUANTITY[quantity_name] + same(" ") + STATES[quantity_name][0 if state else 1] + same(f" {count}"))
        for (quantity_name, state), count in sorted(facts.steady.items())
    )
    if steady:
        figure += f'<p class="note">{both(Text("全程未变：", "Unchanged throughout: "))}{steady}</p>'
    body = figure + table(head, rows, numeric=range(2, 7)) + _more(points)
    aside = Text("粗条：开、运行、有电、有风", "thick: open, running, live, with air")
    return _section("air", Text("通风与开关量", "Air, fans and doors"), body, aside)


def data_quality(facts: Facts) -> str:
    hours = sorted({row["hour"] for row in facts.quality})
    rows = [
        [
            escaped(dataset),
            *(share(completeness(row for row in told if row["hour"] == hour)) for hour in hours),
            share(_mean_of_received(told, "accuracy")),
            share(_mean_of_received(told, "timeliness")),
        ]
        for dataset, told in _grouped(facts.quality, "dataset").items()
    ]
    clocks = [same(f"{facts.local(hour):%H:%M}") for hour in hours]
    head = [Text("数据集", "Dataset"), *clocks, Text("准确性", "Accuracy"), Text("及时性", "Timeliness")]
    body = table(head, rows, numeric=range(1, len(head))) + _least_complete(facts) + _findings(facts)
    aside = Text("每小时完整性 = 实到 ÷ 应到", "completeness by hour = received ÷ expected")
    return _section("quality", Text("数据质量", "Data quality"), body, aside)


def record_balance(balance: Sequence[Mapping[str, Any]]) -> str:
    head = columns(
        "文件类型|Kind", "文件|Files", "发出|Sent", "入库|Stored", "隔离|Quarantined", "拒收|Rejected",
        "重复|Duplicate", "搁置|Aside", "等待|Waiting", "核对|Check",
    )  # fmt: skip
    rows = [
        [
            _file_kind(row["kind"]),
            number(row["files"]),
            *(number(row[name]) for name in COUNTS),
            both(Text("平", "holds")) if row["ok"] else tag(Text("不平", "fails"), "legal"),
        ]
        for row in balance
    ]
    body = table(head, rows, numeric=range(1, 9)) if rows else _note(Text("没有收到文件。", "No file has come in."))
    aside = Text(
        "发出 = 入库 + 隔离 + 拒收 + 重复 + 搁置 + 等待；发出数另行清点",
        "sent = stored + quarantined + rejected + duplicate + aside + waiting; sent is counted apart",
    )
    return _section("balance", Text("记录平衡", "Record balance"), body, aside)


def limits(facts: Facts, names: Names) -> str:
    by_limits: dict[tuple[Any, ...], list[Row]] = {}
    for points in facts.gas.values():
        for point in points:
            by_limits.setdefault(tuple(point.row[name] for name in LIMIT_COLUMNS), []).append(point.row)
    point_head = columns(
        "测点|Points", "报警|Alarm", "断电|Cut-off", "复电|Restore", "规则|Rule", "来源|Source", "可信度|Confidence"
    )
    point_rows = [_limit_row(alike) for alike in by_limits.values()]
    index_head = columns(
        "指标|Index", "最高等级|Worst level", "时窗|Windows", "无值|Without value", "超法定|Over the law",
        "限值来源与可信度|Sources of its limits and how sure they are",
    )  # fmt: skip
    index_rows = [
        [
            _kind(row["index_id"], names),
            marked(row["level"]),
            *(number(row[name]) for name in ("windows", "empty", "legal")),
            "<br>".join(
                f"{escaped(used['limit_source'] or '—')} {confidence(used['limit_confidence'])}"
                for used in row["limits"]
            ),
        ]
        for row in facts.indices
    ]
    body = table(point_head, point_rows, numeric=(1, 2, 3)) + table(index_head, index_rows, numeric=(2, 3, 4))
    aside = Text(
        "取规定与矿方设定中较严者；未核原文的标为建议值",
        "the stricter of law and mine; what is not checked is advisory",
    )
    return _section("limits", Text("限值与出处", "Limits and their sources"), body, aside)


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _section(name: str, title: Text, body: str, aside: Text) -> str:
    head = f'<header><h2 id="h-{name}">{both(title)}</h2><span class="aside">{both(aside)}</span></header>'
    return f'<section class="pane" id="{name}">{head}{body}</section>'


def _note(text: Text) -> str:
    return f'<p class="note">{both(text)}</p>'


def _more(rows: Sequence[Any]) -> str:
    left = len(rows) - MOST_ROWS
    return _note(Text(f"另有 {left} 个测点。", f"{left} more points.")) if left > 0 else ""


def _point(row: Row) -> str:
    return f"{escaped(row['location'] or '—')} <small>{escaped(row['point_id'])}</small>"


def _kind(kind: str, names: Names) -> str:
    """An index's id and name; what has no name in the catalogue stands by its code."""
    name = f"<br><small>{both(Text(*names[kind]))}</small>" if kind in names else ""
    return f'<span class="code">{escaped(kind)}</span>{name}'


def _file_kind(kind: str) -> str:
    known = kinds().get(kind)
    return escaped(kind) + (f" <small>{both(Text(known.zh, known.en))}</small>" if known else "")


def _limit(value: float | None, unit: str | None) -> str:
    """A limit; where none is set it says so, since no limit is not the same as normal."""
    return both(Text("未配置", "not set")) if value is None else escaped(quantity(value, unit))


def _limit_row(alike: Sequence[Row]) -> list[str]:
    """Points for which the same limits hold."""
    row = alike[0]
    source = escaped(row["limit_source"] or "—")
    if row["limit_note"]:
        source += " " + tag(LIMIT_NOTES.get(row["limit_note"], same(row["limit_note"])), "quality")
    return [
        "<br>".join(_point(one) for one in alike),
        _limit(row["low_alarm"] if row["alarm"] is None else row["alarm"], row["unit"]),
        _limit(row["cut"], row["unit"]),
        "—" if row["restore"] is None else f"&lt; {_limit(row['restore'], row['unit'])}",
        f'<span class="code">{escaped(row["limit_rule"] or "—")}</span>',
        source,
        confidence(row["limit_confidence"]),
    ]


def _most_people(facts: Facts, area_id: str) -> int:
    return max((row["people_count"] or 0 for row in facts.minutes[area_id]), default=0)


def _why(facts: Facts, area_id: str, worst: int | None) -> Text:
    row = next((row for row in facts.minutes[area_id] if row["level"] == worst), None)
    if row is None or worst == levels.NORMAL:
        return same("—")
    return Text(row["why_zh"] or "—", row["why_en"] or "—")


def _alarm_table(facts: Facts, rows: Iterable[Row], names: Names) -> str:
    head = columns(
        "等级|Level", "开始|Raised", "历时|Lasted", "种类|Kind", "地点与说明|Place and meaning", "峰值|Peak",
        "人数|People", "标记|Marks",
    )  # fmt: skip
    return table(head, [_alarm_row(facts, row, names) for row in rows], numeric=(2, 5, 6))


def _alarm_row(facts: Facts, alarm: Row, names: Names) -> list[str]:
    began = facts.local(alarm["raised_at"])
    minutes = ((alarm["cleared_at"] or facts.window.end) - alarm["raised_at"]).total_seconds() / 60
    place = (
        f"<strong>{both(facts.area(alarm['area_id']).name)}</strong> <small>{escaped(alarm['point_id'] or '')}</small>"
    )
    sentence = both(Text(alarm["sentence_zh"] or "—", alarm["sentence_en"] or "—"))
    return [
        marked(alarm["level"]),
        f"{began:%H:%M:%S}" if alarm["raised_at"] >= facts.window.start else f"{began:%m-%d %H:%M}",
        both(lasting(minutes)),
        _kind(alarm["kind"], names),
        f"{place}<br>{sentence}",
        escaped(quantity(alarm["peak_value"], alarm["unit"])),
        number(alarm["people_in_area"]),
        _alarm_marks(alarm),
    ]


def _alarm_marks(alarm: Row) -> str:
    tags = []
    if alarm["legal_exceeded"]:
        tags.append(tag(Text("超法定限值", "legal limit exceeded"), "legal"))
    if alarm["cleared_at"] is None:
        tags.append(tag(Text("未解除", "still active"), "legal"))
    if alarm["limit_confidence"] in levels.UNCERTAIN:
        tags.append(confidence(alarm["limit_confidence"]))
    tags += [tag(MARKS.get(mark, same(mark)), "quality") for mark in (alarm["marks"] or "").split(",") if mark]
    return " ".join(tags)


def completeness(rows: Iterable[Row]) -> float | None:
    """Received ÷ expected over rows of gold.data_quality; what came twice fills no gap."""
    known = [row for row in rows if row["expected"]]
    expected = sum(row["expected"] for row in known)
    return sum(min(row["received"] or 0, row["expected"]) for row in known) / expected if expected else None


def _mean_of_received(rows: Iterable[Row], name: str) -> float | None:
    known = [row for row in rows if row[name] is not None and row["received"]]
    received = sum(row["received"] for row in known)
    return sum(row[name] * row["received"] for row in known) / received if received else None


def _grouped(rows: Iterable[Row], *names: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        key = tuple(row[name] for name in names)
        groups.setdefault(key if len(names) > 1 else key[0], []).append(row)
    return groups


def _least_complete(facts: Facts) -> str:
    ranked = []
    for (dataset, entity), told in _grouped(facts.quality, "dataset", "entity").items():
        part = completeness(told)
        if part is not None and part < 1:
            ranked.append((part, dataset, entity, told))
    if not ranked:
        return ""
    head = columns("最不完整|Least complete", "区域|Area", "数据集|Dataset", "完整性|Completeness", "准确性|Accuracy")
    rows = [
        [
            escaped(entity),
            both(facts.area(told[0]["area_id"]).name if told[0]["area_id"] else same("—")),
            escaped(dataset),
            share(part),
            share(_mean_of_received(told, "accuracy")),
        ]
        for part, dataset, entity, told in sorted(ranked, key=lambda one: one[:3])[: MOST_ROWS // 2]
    ]
    return table(head, rows, numeric=(3, 4))


def _findings(facts: Facts) -> str:
    count: Counter[str] = Counter()
    words: dict[str, Text] = {}
    for row in facts.quality:
        for finding in json.loads(row["findings"] or "[]"):
            count[finding["code"]] += finding["count"]
            words[finding["code"]] = Text(finding["zh"], finding["en"])
    if not count:
        return _note(Text("没有数据质量发现。", "No finding about data quality."))
    rows = [[escaped(code), both(words[code]), number(times)] for code, times in count.most_common()]
    return table(columns("发现|Finding", "说明|Meaning", "次数|Count"), rows, numeric=(2,))
