"""The mine's subsystems side by side: when each sent data, and what the indices found in it, on one time axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minefusion.schemas import silver
from minefusion.schemas.table import Table
from minefusion.serving.report import levels
from minefusion.serving.report.charts import (
    ROW,
    TIMELINE_LEFT,
    TIMELINE_RIGHT,
    WIDTH,
    Stay,
    TimeAxis,
    alarm_span,
    bar,
    drawing,
    hours,
    line,
    rect,
)
from minefusion.serving.report.facts import BIN_S, Facts, Row
from minefusion.serving.report.markup import Text, number, svg_text


@dataclass(frozen=True)
class Subsystem:
    """A subsystem: the table that holds what it sends, and the indices that are about it.

    `indices` are ids, or a letter for all ids that begin with it.
    """

    name: Text
    table: Table
    indices: tuple[str, ...] = ()

    def is_about(self, kind: str) -> bool:
        return any(kind == each or kind.startswith(f"{each}-") for each in self.indices)


SUBSYSTEMS = (
    Subsystem(Text("瓦斯", "Gas"), silver.READING, ("G",)),
    Subsystem(Text("火灾", "Fire"), silver.READING, ("F",)),
    Subsystem(Text("通风", "Ventilation"), silver.READING, ("V",)),
    Subsystem(Text("有毒气体与热害", "Toxic gas and heat"), silver.READING, ("T", "H")),
    Subsystem(Text("人员位置", "People"), silver.HEADCOUNT, ("P",)),
    Subsystem(Text("水害防治", "Water"), silver.WATER_READING, ("W",)),
    Subsystem(Text("矿压", "Ground pressure"), silver.SUPPORT_PRESSURE, ("R-06", "R-07", "R-08", "R-09")),
    Subsystem(Text("微震", "Microseismics"), silver.SEISMIC_EVENT, ("R-01", "R-02", "R-03", "R-04", "R-05")),
    Subsystem(Text("边坡", "Slope"), silver.SLOPE_READING, ("S-01", "S-02", "S-03", "S-04", "S-10")),
    Subsystem(Text("尾矿库", "Tailings pond"), silver.TAILINGS_READING, ("S-05", "S-06", "S-07", "S-08", "S-09")),
    Subsystem(Text("设备", "Equipment"), silver.EQUIPMENT_STATE, ("E",)),
    Subsystem(Text("车辆", "Vehicles"), silver.VEHICLE_POSITION),
    Subsystem(Text("人工测量", "Manual records"), silver.FIELD_RECORD),
)


def present(facts: Facts) -> list[tuple[Subsystem, list[int], list[Row]]]:
    """Subsystems that sent something or about which something was found: with the bins of BIN_S that hold data, and
    their alarms."""
    found = []
    for each in SUBSYSTEMS:
        bins = list(facts.sent.get(each.table.name, ()))
        alarms = [row for row in facts.alarms if each.is_about(row["kind"])]
        if bins or alarms:
            found.append((each, bins, alarms))
    return found


def subsystems_figure(facts: Facts, shown: Sequence[tuple[Subsystem, list[int], list[Row]]], label: str) -> str:
    """One lane per subsystem: a thin line while data came, a bar for each alarm, the worst on top."""
    axis = TimeAxis(facts.seconds, TIMELINE_LEFT, WIDTH - TIMELINE_RIGHT)
    parts = [hours(facts, axis, 0, len(shown) * ROW)]
    for index, (subsystem, bins, alarms) in enumerate(shown):
        bottom = (index + 1) * ROW - 3
        parts.append(svg_text(subsystem.name, TIMELINE_LEFT - 10, bottom - 5, "lane", "end"))
        for start, end in _spans(bins):
            parts.append(rect(axis.x(start), bottom - 2, axis.width(start, end), 2, "calm"))
        for alarm in sorted(alarms, key=lambda row: row["level"] or 0):
            start, end = alarm_span(facts, alarm)
            parts.append(bar(axis, Stay(start, end, alarm["level"]), bottom))
        parts.append(svg_text(_told(alarms), axis.right + 8, bottom - 5, "axis"))
        parts.append(line(0, bottom + 3, WIDTH, bottom + 3, "grid"))
    return drawing(len(shown) * ROW + 22.0, parts, label)


def _told(alarms: Sequence[Row]) -> Text:
    """What was found, the worst first."""
    if not alarms:
        return Text("无报警", "no alarm")
    worst = max(row["level"] or 0 for row in alarms)
    kinds = dict.fromkeys(row["kind"] for row in alarms if (row["level"] or 0) == worst)
    listed = ", ".join(list(kinds)[:3])
    return levels.WORDS[worst] + Text(f" {listed}", f" {listed}")


def _spans(bins: Sequence[int]) -> list[tuple[float, float]]:
    """Bins that follow each other as spans [s]."""
    spans: list[tuple[float, float]] = []
    for each in sorted(bins):
        start, end = float(each * BIN_S), float((each + 1) * BIN_S)
        if spans and spans[-1][1] >= start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def rows_of(facts: Facts, shown: Sequence[tuple[Subsystem, list[int], list[Row]]]) -> list[list[Text | str]]:
    """The same in words: subsystem, minutes with data, alarms, the first of them."""
    rows: list[list[Text | str]] = []
    counts: Mapping[str, int] = facts.sent_rows
    for subsystem, bins, alarms in shown:
        first = min(alarms, key=lambda row: row["raised_at"], default=None)
        when = f"{first['kind']} {facts.local(first['raised_at']):%H:%M:%S}" if first else "—"
        rows.append(
            [subsystem.name, number(counts.get(subsystem.table.name, 0)), number(len(bins) * BIN_S / 60),
             number(len(alarms)), when]
        )  # fmt: skip
    return rows
