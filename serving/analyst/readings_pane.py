"""Readings around a picked instant, as the shift report draws them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from minefusion.schemas.window import Window
from minefusion.serving.analyst.shown import Shown, note
from minefusion.serving.report.charts import gas_figure
from minefusion.serving.report.facts import around
from minefusion.serving.report.markup import Text, both, same

BEFORE, AFTER = timedelta(hours=1), timedelta(minutes=30)
MOST_CURVES = 4


def curves(shown: Shown, area_id: str, points: Sequence[str]) -> str:
    """Points around the picked instant: readings, limits, gaps, doubtful spans, the area's switches and people."""
    source, at = shown.source, shown.asked.at
    assert at is not None
    # A question ends by now at the latest: what is still to come is no gap.
    window = Window(at - BEFORE, min(at + AFTER, max(at, shown.asked.end)))
    facts = around(source.reader, source.mine, window, area_id, points)
    drawn = facts.gas.get(area_id, [])
    if not drawn:
        return note("此处此时没有读数可画。|No readings to draw there and then.")
    figure, hidden = gas_figure(facts, area_id, drawn, "curve")
    begin, end = source.clock.local(window.start), source.clock.local(window.end)
    title = Text("读数", "Readings") + same(f" {begin:%m-%d %H:%M}–{end:%H:%M}")
    told = (
        f"每像素保留最小、最大；{hidden} 个读数未逐点画出|"
        f"lowest and highest of each pixel kept; {hidden} readings not drawn one by one"
    )
    return f'<figure><h3 id="curve">{both(title)}</h3>{figure}{note(told)}</figure>'


def of_point(shown: Shown) -> str:
    """The picked point's curve; nothing where none is picked."""
    asked = shown.asked
    if asked.pick is None or asked.at is None:
        return ""
    point = shown.source.points().filter(pl.col("point_id") == asked.pick)
    return curves(shown, point["area_id"][0], [asked.pick]) if len(point) else ""
