"""Instants in expressions that run on both engines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import narwhals as nw

from minefusion.schemas.exchange.grammar import MINE_UTC_OFFSET_H
from minefusion.schemas.window import Window

UTC_MICROSECONDS = nw.Datetime("us", "UTC")


def floor_minutes(instant: nw.Expr, minutes: int) -> nw.Expr:
    """Start of the clock-aligned window of `minutes` (a divisor of 60) that holds the instant.

    Spark's truncation knows whole units only, so the hour is truncated and the part of the hour added back.
    """
    hour = instant.dt.truncate("1h")
    part = instant.dt.minute() // minutes
    start = hour
    for index in range(1, 60 // minutes):
        start = nw.when(part == index).then(hour.dt.offset_by(f"{index * minutes}m")).otherwise(start)
    return start


def from_mine_local(text: nw.Expr) -> nw.Expr:
    """`yyyy-MM-dd HH:mm:ss` in mine local time as a UTC instant; null stays null."""
    local = text.str.to_datetime(format="%Y-%m-%d %H:%M:%S")
    return local.dt.offset_by(f"{-MINE_UTC_OFFSET_H}h").dt.replace_time_zone("UTC").cast(UTC_MICROSECONDS)


def utc_day(instant: nw.Expr) -> nw.Expr:
    """The partition of an instant."""
    return instant.dt.to_string("%Y-%m-%d")


def runs(instants: Iterable[datetime], step: timedelta, apart: timedelta = timedelta(hours=2)) -> list[Window]:
    """Spans that cover windows of length `step` from `instants` on; those less than `apart` from another are one."""
    spans: list[Window] = []
    for start in sorted(instants):
        if spans and start - spans[-1].end <= apart:
            spans[-1] = Window(spans[-1].start, max(spans[-1].end, start + step))
        else:
            spans.append(Window(start, start + step))
    return spans
