"""A view as a pane of the analysts' page: its head, what it draws, its rows as a table, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from minefusion.schemas.table import Column
from minefusion.serving.analyst import hazard_pane, other_panes, readings_pane
from minefusion.serving.analyst.shown import Shown, note, with_pick
from minefusion.serving.analyst.view import Asked, Source, View
from minefusion.serving.report import levels
from minefusion.serving.report.levels import confidence, marked, tag
from minefusion.serving.report.markup import Text, both, escaped, lasting, number, quantity, same, share, table

# So many rows stand on the page; all of them are in the files.
ROWS_SHOWN = 300
YES, NO = Text("是", "yes"), Text("否", "no")
# Columns that a reader of the page finds elsewhere in the row, or as a shape.
_FOLDED = {
    "area_id", "area_en", "alarm_id", "sentence_en", "cause_en", "state_en", "type_en", "span_en", "kind_en", "boxes",
    "inputs", "event_id", "cause",
}  # fmt: skip
_SHARES = {
    "completeness", "accuracy", "timeliness", "coverage", "interval_held", "precision", "promised", "event_confidence",
    "out_of_range_share", "missing_share", "top_ten_share", "share_of_10_min_over_10", "share_of_time_in_flood",
    *(f"priority_{each}_share" for each in (1, 2, 3, 4)),
}  # fmt: skip


def pane(view: View, source: Source, asked: Asked, frame: pl.DataFrame, link: str) -> str:
    """The view as markup in both languages; everything that comes from data is inert in it."""
    shown = Shown(source, asked, frame, link)
    drawn = _DRAWN[view.path](shown) if view.path in _DRAWN else ""
    beside = _BESIDE[view.path](shown) if view.path in _BESIDE else ""
    told = f"{len(frame)} 行 · {_span(shown)}", f"{len(frame)} rows · {_span(shown)}"
    head = f'<header><h2 id="view">{both(view.text)}</h2><span class="aside">{both(Text(*told))}</span></header>'
    about = f'<p class="note">{both(view.about)}</p>'
    body = f"{head}{about}{drawn}{_rows(view, shown)}"
    whole = f'<section class="pane" data-view="{escaped(view.path)}">{body}</section>'
    return f'{levels.SPRITE}<div class="split{" has-beside" if beside else ""}">{whole}{beside}</div>'


def _span(shown: Shown) -> str:
    clock = shown.source.clock
    begin, end = clock.local(shown.asked.begin), clock.local(shown.asked.end)
    return f"{begin:%Y-%m-%d %H:%M}–{end:%Y-%m-%d %H:%M} UTC{clock.utc_offset_h:+g}"


def _rows(view: View, shown: Shown) -> str:
    frame = shown.frame
    if frame.is_empty():
        return note("此时段、此条件下没有数据。|Nothing in this span under these conditions.")
    names = [each for each in view.columns if each.name not in _FOLDED]
    is_number = [each.type in ("double", "int", "long") and each.name != "level" for each in names]
    head = [Text(each.zh, each.name) + same("" if each.unit in (None, "s") else f" {each.unit}") for each in names]
    body = [[_cell(each, row, shown) for each in names] for row in frame.head(ROWS_SHOWN).iter_rows(named=True)]
    left = len(frame) - ROWS_SHOWN
    more = note(f"另有 {left} 行，导出文件中齐全。|{left} more rows; the files hold all of them.") if left > 0 else ""
    return table(head, body, numeric=[place for place, it in enumerate(is_number) if it]) + more


def _cell(column: Column, row: Mapping[str, Any], shown: Shown) -> str:
    """One value as it is read: its unit, its language, its shape; null is a dash."""
    value = row[column.name]
    if column.name == "level":
        return marked(value)
    if value is None:
        return "—"
    if column.name in ("area_zh", "sentence_zh", "cause_zh", "state_zh", "type_zh", "span_zh", "kind_zh"):
        return both(Text(str(value), str(row.get(column.name.replace("_zh", "_en")) or value)))
    if column.name == "point_id" and "point_id" in row:
        at = next((row[name] for name in ("raised_at", "began_at", "value_max_at") if row.get(name)), None)
        address = with_pick(shown.link, pick=value, at=at.isoformat() if at else None)
        return f'<a href="{escaped(address)}">{escaped(value)}</a>'
    if column.name == "limit_confidence":
        return confidence(value)
    if column.type == "boolean":
        strong = value and column.name in ("legal_exceeded", "is_open", "is_over", "is_degraded", "still_open")
        return tag(YES, "legal") if strong else both(YES if value else NO)
    if column.type == "timestamp":
        return f"{shown.source.clock.local(value):%m-%d %H:%M:%S}"
    if column.unit == "s":
        return both(lasting(value / 60))
    if column.name in _SHARES:
        return share(value)
    if column.type == "double":
        return escaped(quantity(value, row.get("unit") or column.unit))
    return number(value) if column.type in ("int", "long") else escaped(value)


Part = Callable[[Shown], str]
_DRAWN: Mapping[str, Part] = {
    "hazards/cells": hazard_pane.explorer,
    "people/shifts": other_panes.people,
    "people/hours": other_panes.people,
    "quality/hours": other_panes.completeness,
    "models/horizons": other_panes.errors,
    "alarms/months": other_panes.alarm_load,
    **{
        f"methane/{name}": readings_pane.of_point
        for name in ("over-limit", "durations", "analogue-days", "cut-and-feed", "faults", "calibrations")
    },
}
_BESIDE: Mapping[str, Part] = {"hazards/cells": hazard_pane.why}
