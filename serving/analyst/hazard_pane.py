"""The hazard explorer's pane: heat map, readings of the picked cell, and why it is what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl

from minefusion.schemas import gold
from minefusion.serving.analyst import hazards
from minefusion.serving.analyst.drawings import Cell, Lane, level_cell, matrix, merged
from minefusion.serving.analyst.readings_pane import MOST_CURVES, curves
from minefusion.serving.analyst.shown import Shown, note, with_pick
from minefusion.serving.report import levels
from minefusion.serving.report.levels import confidence, marked, tag
from minefusion.serving.report.markup import Text, both, columns, escaped, lasting, number, quantity, share, table

ALIKE_SPAN = timedelta(days=30)
MOST_ALIKE = 8
# Composite indices sum up an hour: among an area's own they would paint the minutes before a finding with it.
COMPOSITE = "X-"


def explorer(shown: Shown) -> str:
    """The heat map, and under it the readings of the picked place around the picked instant."""
    asked, drawn = shown.asked, _heat_map(shown)
    if asked.pick is None or asked.at is None:
        return drawn
    here = shown.frame.filter(pl.col("area_id") == asked.pick)
    if asked.pick_index:
        here = here.filter(pl.col("index_id") == asked.pick_index)
    entities = here.sort("level", descending=True, nulls_last=True)["entity"].unique(maintain_order=True).to_list()
    points = shown.source.points().filter(pl.col("area_id") == asked.pick)
    named = [each for each in entities if each in points["point_id"]]
    gas = points.filter(pl.col("quantity") == "ch4")["point_id"].to_list()
    return drawn + curves(shown, asked.pick, list(dict.fromkeys([*named, *gas]))[:MOST_CURVES])


def _heat_map(shown: Shown) -> str:
    """Areas over time, the worst first; the picked one opened into its indices."""
    asked, frame = shown.asked, shown.frame
    if frame.is_empty():
        return ""
    # An index of which an area never had data is told of in one line and not drawn.
    known = frame.filter(pl.col("known").sum().over("area_id", "index_id") > 0)
    never = frame.select("area_id", "index_id").n_unique() - known.select("area_id", "index_id").n_unique()
    lanes: list[Lane] = []
    for area in _worst_first(known):
        inside = known.filter(pl.col("area_id") == area)
        link = with_pick(shown.link, pick=None if area == asked.pick else area, pick_index=None, at=None)
        lanes.append(Lane(_name(shown, area, inside), _area_cells(shown, area, inside), link=link))
        if area == asked.pick:
            lanes += _index_lanes(shown, area, inside)
    legend = "".join(f"<li>{marked(level)}</li>" for level in (4, 3, 2, 1, None))
    told = f"另有 {never} 个区域指标整段无数据，未画出|{never} indices of areas had no data at all and are not drawn"
    apart = note(
        "区域行不含综合指标（X）：它们按小时汇总，展开区域可见|"
        "an area's row leaves composite indices (X) out: they sum up an hour; open the area to see them"
    )
    figure = matrix(lanes, asked.begin, asked.end, shown.source.clock, "view")
    return f'<ul class="legend">{legend}</ul><figure>{figure}</figure>{apart}{note(told) if never else ""}'


def _worst_first(known: pl.DataFrame) -> list[str]:
    is_direct = ~pl.col("index_id").str.starts_with(COMPOSITE)
    worst = known.group_by("area_id").agg(direct=pl.col("level").filter(is_direct).max(), level=pl.col("level").max())
    down = [True, True, False]
    return worst.sort("direct", "level", "area_id", descending=down, nulls_last=True)["area_id"].to_list()


def _name(shown: Shown, area: str, inside: pl.DataFrame) -> Text:
    if area == shown.source.mine:
        return Text("全矿", "whole mine")
    row = inside.row(0, named=True)
    return Text(row["area_zh"] or area, row["area_en"] or area)


def _area_cells(shown: Shown, area: str, inside: pl.DataFrame) -> list[Cell]:
    """The indices of an area together, composites apart: the worst; without a finding as known as its indices are."""
    inside = _direct(inside)
    worst = pl.col("index_id", "worst_at").sort_by("level", "index_id", descending=[True, False], nulls_last=True)
    together = inside.group_by("cell_start").agg(
        worst.first(), highest=pl.col("level").max(), known=pl.col("level").count(), indices=pl.len()
    )
    cells = []
    for row in together.sort("cell_start").iter_rows(named=True):
        is_known = (row["highest"] or 0) > 0 or row["known"] >= hazards.KNOWN_ENOUGH * row["indices"]
        cells.append(_cell(shown, row, row["highest"] if is_known else None, area))
    return merged(cells)


def _direct(rows: pl.DataFrame) -> pl.DataFrame:
    """Without composite indices, unless there is nothing else."""
    direct = rows.filter(~pl.col("index_id").str.starts_with(COMPOSITE))
    return rows if direct.is_empty() else direct


def _index_lanes(shown: Shown, area: str, inside: pl.DataFrame) -> list[Lane]:
    lanes = []
    for (index_id,), rows in inside.partition_by("index_id", as_dict=True, maintain_order=True).items():
        cells = [_cell(shown, row, row["level"], area) for row in rows.iter_rows(named=True)]
        lanes.append(Lane(_index(shown, str(index_id)), merged(cells), is_inner=True))
    return lanes


def _index(shown: Shown, index_id: str) -> Text:
    zh, en = shown.source.index_names.get(index_id, ("", ""))
    return Text(f"{index_id} {zh}".strip(), f"{index_id} {en}".strip())


def _cell(shown: Shown, row: Mapping[str, Any], level: int | None, area: str) -> Cell:
    """A cell that opens the explanation of its worst window."""
    asked = shown.asked
    step = asked.step or hazards.step_for(asked.begin, asked.end)
    told = f"{levels.WORDS[level].zh} · {levels.WORDS[level].en} · {row['index_id']}"
    return level_cell(
        level,
        max(row["cell_start"], asked.begin),
        min(row["cell_start"] + step, asked.end),
        told,
        link=_opened(shown, area, row["index_id"], row["worst_at"].isoformat()) if level else None,
        is_picked=(asked.pick, asked.pick_index, asked.at) == (area, row["index_id"], row["worst_at"]),
    )


def _opened(shown: Shown, area: str | None, index_id: str, at: str) -> str:
    return with_pick(shown.link, pick=area, pick_index=index_id, at=at)


def why(shown: Shown) -> str:
    """Why the picked cell is what it is: the sentence, the figures, the limits, what else held there and then, and what
    was alike before."""
    asked, source = shown.asked, shown.source
    if asked.pick is None or asked.at is None:
        return ""
    begin, until = asked.at - hazards.LONGEST_WINDOW, asked.at + timedelta(microseconds=1)
    is_there = (pl.col("area_id") == asked.pick) & (pl.col("window_end") > asked.at)
    there = source.frame(gold.HAZARD_INDEX, begin, until, is_there)
    rows = list(hazards.at_instant(there, asked.at).iter_rows(named=True))
    chosen = next((row for row in rows if row["index_id"] == asked.pick_index), rows[0] if rows else None)
    if chosen is None:
        return ""
    sentence = both(Text(chosen["sentence_zh"] or "—", chosen["sentence_en"] or "—"))
    legal = tag(Text("超法定限值", "legal limit exceeded"), "legal") if chosen["legal_exceeded"] else ""
    others = [row for row in rows if row is not chosen and row["level"]]
    return (
        f'<aside class="pane why" data-why="{escaped(chosen["index_id"])}">'
        f"<header><h2>{marked(chosen['level'])} {legal}</h2></header>"
        f'<p class="sentence">{sentence}</p>{_figures(shown, chosen)}'
        f"<h3>{both(Text('同时同地', 'Same place, same time'))}</h3>{_others(shown, others)}"
        f"<h3>{both(Text('同区域同类（30 天）', 'Alike here in 30 days'))}</h3>{_alike(shown, chosen)}"
        f"<h3>{both(Text('输入', 'Inputs'))}</h3>{_inputs(chosen['inputs'])}</aside>"
    )


def _figures(shown: Shown, chosen: Mapping[str, Any]) -> str:
    begin, end = (shown.source.clock.local(chosen[name]) for name in ("window_start", "window_end"))
    figures = (
        (Text("指标", "Index"), both(_index(shown, chosen["index_id"]))),
        (Text("对象", "Entity"), escaped(chosen["entity"])),
        (Text("时窗", "Window"), f"{begin:%m-%d %H:%M:%S}–{end:%H:%M:%S}"),
        (Text("数值", "Value"), escaped(quantity(chosen["value"], chosen["unit"]))),
        (Text("空值原因", "Why null"), escaped(chosen["null_reason"] or "—")),
        (Text("覆盖率", "Coverage"), share(chosen["coverage"])),
        (Text("限值", "Limits"), f"{escaped(chosen['limit_source'] or '—')} {confidence(chosen['limit_confidence'])}"),
        (Text("修订", "Revision"), number(chosen["revision"])),
    )
    return "<dl>" + "".join(f"<dt>{both(name)}</dt><dd>{value}</dd>" for name, value in figures) + "</dl>"


def _others(shown: Shown, others: list[dict[str, Any]]) -> str:
    if not others:
        return note("没有别的指标有风险。|No other index found anything.")
    asked = shown.asked
    assert asked.at is not None
    rows = [
        [
            f'<a href="{escaped(_opened(shown, asked.pick, row["index_id"], asked.at.isoformat()))}">'
            f"{both(_index(shown, row['index_id']))}</a>",
            escaped(quantity(row["value"], row["unit"])),
            marked(row["level"]),
        ]
        for row in others
    ]
    return table(columns("指标|Index", "值|Value", "等级|Level"), rows, numeric=(1,))


def _alike(shown: Shown, chosen: Mapping[str, Any]) -> str:
    asked, clock = shown.asked, shown.source.clock
    is_alike = (pl.col("area_id") == asked.pick) & (pl.col("kind") == chosen["index_id"])
    found = shown.source.frame(gold.ALARM, asked.end - ALIKE_SPAN, asked.end, is_alike)
    if found.is_empty():
        return note("没有。|None.")
    rows = []
    for row in found.sort("raised_at", descending=True).head(MOST_ALIKE).iter_rows(named=True):
        ended = row["cleared_at"]
        minutes = (ended - row["raised_at"]) / timedelta(minutes=1) if ended else None
        rows.append(
            [
                f"{clock.local(row['raised_at']):%m-%d %H:%M}",
                both(lasting(minutes)) if minutes is not None else "—",
                escaped(quantity(row["peak_value"], row["unit"])),
                marked(row["level"]),
            ]
        )
    return table(columns("开始|Raised", "历时|Lasted", "峰值|Peak", "等级|Level"), rows, numeric=(1, 2))


def _inputs(text: str | None) -> str:
    try:
        told = json.loads(text or "{}")
    except ValueError:
        told = {"": text}
    if not isinstance(told, dict) or not told:
        return note("未记录。|None recorded.")
    return "<dl>" + "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(it)}</dd>" for name, it in told.items()) + "</dl>"
