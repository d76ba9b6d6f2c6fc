"""Classes of alarms and what holds for each: rows of data, so that a mine's own rule is a line and never a branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType
from typing import Any

from minefusion.schemas.facts import rows
from minefusion.serving.text import Text

# Urgent to low; the levels of gold run the other way.
PRIORITIES = {1: Text("紧急", "urgent"), 2: Text("高", "high"), 3: Text("中", "medium"), 4: Text("低", "low")}
# Why an advisory of a model is rejected: one of three.
REJECTIONS = {
    "not_there": Text("未见所述情况", "what it says is not there"),
    "bad_input": Text("画面或数据有问题", "picture or data at fault"),
    "known_work": Text("已知作业", "known work"),
}
# Ways to tell somebody.
CHANNELS = {
    "phone": Text("调度电话", "control-room phone"),
    "broadcast": Text("应急广播", "broadcast"),
    "radio": Text("无线通信", "radio"),
    "positioning_card": Text("定位卡呼叫", "call to positioning cards"),
    "message": Text("短信或应用", "text message or app"),
    "in_person": Text("当面", "in person"),
}


@dataclass(frozen=True)
class AlarmClass:
    """What holds for alarms of one class.

    Attributes:
        is_regulator: must be disposed of; cannot be shelved, suppressed, taken out of service or acknowledged in bulk.
        is_advisory: found by a model; a list and a rate target of its own.
        is_latching: stays after its condition has gone, until a person resets it.
        needs_withdrawal, needs_restoring: what its disposition must record before it may be closed.
        one_per_place: everything of the class at one point, else area, is one breach; else each finding's own source.
        dead_band: a breach that comes back within it is the same alarm again.
    """

    name: str
    text: Text
    is_regulator: bool
    is_advisory: bool
    is_latching: bool
    needs_withdrawal: bool
    needs_restoring: bool
    one_per_place: bool
    dead_band: timedelta
    source: str
    confidence: str


@dataclass(frozen=True)
class Rung:
    """Who hears next of an alarm that nobody acknowledges, and after how long."""

    number: int
    after: timedelta
    to: Text


@dataclass(frozen=True)
class Clock:
    """How soon a step of a disposition is due."""

    name: str
    within: timedelta
    text: Text
    source: str
    confidence: str


@cache
def classes() -> Mapping[str, AlarmClass]:
    """By name."""
    flags = ("is_regulator", "is_advisory", "is_latching", "needs_withdrawal", "needs_restoring", "one_per_place")
    return MappingProxyType(
        {
            row["class"]: AlarmClass(
                row["class"],
                Text(row["zh"], row["en"]),
                **{flag: row[flag] == "yes" for flag in flags},
                dead_band=timedelta(seconds=float(row["dead_band_s"])),
                source=row["source"],
                confidence=row["confidence"],
            )
            for row in _rows("classes")
        }
    )


def class_of(kind: str, level: int, *, is_of_area: bool, quantity: str | None) -> AlarmClass:
    """The class of a finding: the first row of kinds.csv that fits.

    Args:
        kind: index id, kind of report, event type of a camera or FORECAST.
        is_of_area: it is about an area and about no point or device in it.
        quantity: what its point measures; null where it is about none.
    """
    for row in _rows("kinds"):
        fits = (
            fnmatchcase(kind, row["kind"])
            and (not row["of_area"] or is_of_area)
            and (not row["quantity"] or row["quantity"] == quantity)
            and level >= int(row["least_level"] or 0)
        )
        if fits:
            return classes()[row["class"]]
    raise AssertionError("the last row of kinds.csv fits every kind")


@cache
def ladder(alarm_class: AlarmClass, priority: int) -> tuple[Rung, ...]:
    """Who is told, in order, while an alarm of the class and priority stays unacknowledged; none for an advisory."""
    if alarm_class.is_advisory:
        return ()
    wanted = "regulator" if alarm_class.is_regulator else "ordinary"
    return tuple(
        Rung(int(row["rung"]), timedelta(seconds=float(row["after_s"])), Text(row["to_zh"], row["to_en"]))
        for row in _rows("ladder")
        if row["of_class"] == wanted and row["priority"] in (None, str(priority))
    )


@cache
def causes(class_name: str) -> Mapping[str, Text]:
    """What may be judged the cause of an alarm of the class: code → words."""
    return MappingProxyType(
        {row["cause"]: Text(row["zh"], row["en"]) for row in _rows("causes") if row["class"] in (class_name, "*")}
    )


@cache
def clocks() -> Mapping[str, Clock]:
    """Clocks of a disposition: acknowledge, act, close."""
    return MappingProxyType(
        {
            row["clock"]: Clock(
                row["clock"],
                timedelta(seconds=float(row["within_s"])),
                Text(row["zh"], row["en"]),
                row["source"],
                row["confidence"],
            )
            for row in _rows("clocks")
        }
    )


def priority_of(level: int) -> int:
    """1 urgent to 4 low, from a level of 4 red to 1 blue."""
    return min(4, max(1, 5 - level))


@cache
def _rows(name: str) -> tuple[dict[str, Any], ...]:
    return tuple(rows(name, "minefusion.serving.alarms"))
