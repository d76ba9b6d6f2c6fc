"""Records of the safety-monitoring kinds: definitions, snapshots, switch changes, statistics and abnormalities.

Each function gives one kind as a frame: `sent_s` (second of the run at which its file is made) and the columns of the
kind's main layout as text, in the order of the records.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from minefusion.pipelines.simulate.air import STEP_S
from minefusion.pipelines.simulate.instruments import CALIBRATION, Observed
from minefusion.pipelines.simulate.monitoring import CAUSES, Abnormality, Monitored
from minefusion.pipelines.simulate.points import Instruments
from minefusion.pipelines.simulate.texts import Clock, chosen, fixed

SNAPSHOT_S = 30
WINDOW_S = 300
RESENT_S = 60
DEFINED_AT = (0, 5)  # definitions are sent at 00:05 each day
AFTER_LINK_S = 7  # kept records follow so soon after the link is back
SYSTEM = {
    "system_model": "KJ90X",
    "system_name": "煤矿安全监控系统",
    "manufacturer": "示范厂家",
    "safety_mark_expiry": "2028-12-31",
}


@dataclass(frozen=True)
class SafetySystem:
    """All that the safety-monitoring system knows of a run of `seconds`."""

    mine_code: str
    instruments: Instruments
    observed: Observed
    monitored: Monitored
    clock: Clock
    seconds: float

    @property
    def steps(self) -> int:
        return len(self.monitored.value)

    def decimals(self, number: NDArray[np.intp]) -> NDArray[np.int64]:
        return np.array([point.kind.decimals for point in self.instruments.points])[number]

    def names(self, number: NDArray[np.intp]) -> dict[str, pl.Series]:
        """Code, type and place of points, as every kind repeats them."""
        points = self.instruments.points
        return {
            "point_code": chosen([point.code for point in points], number),
            "sensor_type_name": chosen([point.kind.name_zh for point in points], number),
            "location": chosen([point.location for point in points], number),
        }

    def units(self, number: NDArray[np.intp]) -> pl.Series:
        return chosen([point.kind.unit or None for point in self.instruments.points], number)

    def link_back(self) -> NDArray[np.int64]:
        """steps × substations: the second at which a record of that step can be sent: at once, or when the link is."""
        step = np.arange(self.steps)[:, None]
        late = self.observed.late
        free_at = np.where(late, self.steps, step)
        next_free = np.minimum.accumulate(free_at[::-1], axis=0)[::-1]
        return np.where(late, next_free * STEP_S + AFTER_LINK_S, step * STEP_S)


def definition_times(clock: Clock, seconds: float, at: tuple[int, int]) -> list[int]:
    """Seconds of the run at which definitions are sent: at first, and at that time of each day."""
    midnight = clock.local.replace(hour=0, minute=0, second=0, microsecond=0)
    daily = int((midnight - clock.local).total_seconds()) + at[0] * 3600 + at[1] * 60
    return [0, *(second for second in range(daily, int(seconds) + 1, 86_400) if second > 0)]


def _defined(rows: list[dict[str, str | None]], system: SafetySystem) -> pl.DataFrame:
    parts = []
    for second in definition_times(system.clock, system.seconds, DEFINED_AT):
        part = pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.lit(second).alias("sent_s"))
        parts.append(part.with_columns(pl.lit(system.clock.one(second)).alias("data_time")))
    return pl.concat(parts)


def _number(value: float | None, decimals: int = 2) -> str | None:
    return None if value is None else f"{value:.{decimals}f}"


def cddy(system: SafetySystem) -> pl.DataFrame:
    """Point definitions."""
    rows = []
    for point in system.instruments.points:
        kind, (x, y, z) = point.kind, point.coordinates or (None, None, None)
        analog, switch = kind.value_kind == "MN", kind.value_kind == "KG"
        digits = kind.decimals
        high, low = point.alarm_high, point.alarm_low
        rows.append(
            {
                "point_code": point.code,
                "system_code": point.system,
                "substation_code": point.substation,
                "sensor_type_code": kind.code,
                "value_kind": kind.value_kind,
                "unit": kind.unit or None,
                "range_high": _number(kind.high, 0) if analog else None,
                "range_low": _number(kind.low, 0) if analog else None,
                "alarm_high": _number(high),
                "alarm_high_clear": None if high is None else _number(high - kind.step),
                "alarm_low": _number(low),
                "alarm_low_clear": None if low is None else _number(low + kind.step, max(digits, 2)),
                "cutoff_high": _number(point.cut),
                "restore_high": _number(point.restore),
                "cutoff_low": None,
                "restore_low": None,
                "on_desc": kind.on_zh if switch else None,
                "off_desc": kind.off_zh if switch else None,
                "location": point.location,
                "x": _number(x),
                "y": _number(y),
                "z": _number(z),
                "relations": system.instruments.relations.get(point.code),
            }
        )
    return _defined(rows, system)


def fzdy(system: SafetySystem) -> pl.DataFrame:
    """Substation definitions."""
    rows: list[dict[str, str | None]] = []
    for station in system.instruments.substations:
        x, y, z = (_number(value) for value in station.coordinates)
        rows.append({"substation_code": station.code, "location": station.location, "x": x, "y": y, "z": z})
    return _defined(rows, system)


def repeated(system: SafetySystem, share: float, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(step, number of the point) of the records of CDSS that are sent again with the next file."""
    steps = np.arange(0, system.steps, SNAPSHOT_S // STEP_S)
    points = len(system.instruments.points)
    step, number = np.repeat(steps, points), np.tile(np.arange(points), len(steps))
    sent = system.link_back()[step, system.observed.substation[number]]
    again = np.flatnonzero((rng.random(len(step)) < share) & (sent + SNAPSHOT_S <= system.seconds))
    return step[again], number[again]


def cdss(system: SafetySystem, again: tuple[NDArray[np.intp], NDArray[np.intp]]) -> pl.DataFrame:
    """Values of all points every 30 s. What a substation kept while its link was down comes in a file of its own;
    some records are sent `again` with the next file."""
    every = SNAPSHOT_S // STEP_S
    steps = np.arange(0, system.steps, every)
    points = len(system.instruments.points)
    step = np.repeat(steps, points)
    number = np.tile(np.arange(points), len(steps))
    sent = system.link_back()[step, system.observed.substation[number]]
    step, number = np.concatenate((step, again[0])), np.concatenate((number, again[1]))
    sent = np.concatenate((sent, again[0] * STEP_S + SNAPSHOT_S))
    order = np.lexsort((number, step, sent))
    step, number, sent = step[order], number[order], sent[order]
    value = system.monitored.value[step, number]
    frame = pl.DataFrame(
        {
            "sent_s": sent,
            **system.names(number),
            "value": fixed(value, system.decimals(number)),
            "unit": system.units(number),
            "status": _whole(system.monitored.status[step, number]),
            "data_time": system.clock(step * STEP_S + system.observed.skew_s[number]),
        }
    )
    return _within(frame, system)


def fzss(system: SafetySystem) -> pl.DataFrame:
    """Run and supply state of the substations every 30 s, as the surface sees them."""
    stations = len(system.instruments.substations)
    steps = np.arange(0, system.steps, SNAPSHOT_S // STEP_S)
    step, number = np.repeat(steps, stations), np.tile(np.arange(stations), len(steps))
    outage, late = system.observed.outage[step, number], system.observed.late[step, number]
    return pl.DataFrame(
        {
            "sent_s": step * STEP_S,
            "substation_code": chosen([station.code for station in system.instruments.substations], number),
            "run_state": _whole((outage | late).astype(int)),
            "power_state": _whole((~outage).astype(int)),
            "data_time": system.clock(step * STEP_S),
        }
    )


def kgbh(system: SafetySystem) -> pl.DataFrame:
    """Changes of switches, each in the file of its moment."""
    analog = np.array([point.kind.value_kind == "MN" for point in system.instruments.points])
    value = np.where(analog, 0.0, system.monitored.value)
    held = _held(value)
    changed = np.zeros(value.shape, dtype=bool)
    changed[1:] = (value[1:] != held[:-1]) & ~np.isnan(value[1:]) & ~np.isnan(held[:-1])
    step, number = np.nonzero(changed)
    frame = pl.DataFrame(
        {
            "sent_s": system.link_back()[step, system.observed.substation[number]],
            **system.names(number),
            "value": _whole(value[step, number].astype(int)),
            "status": _whole(system.monitored.status[step, number]),
            "change_time": system.clock(step * STEP_S + system.observed.skew_s[number]),
        }
    )
    return _within(frame, system)


def tjsj(system: SafetySystem) -> pl.DataFrame:
    """Five-minute extremes and mean of the analog points, from all that the substations sampled.

    A record belongs to the window of its own time, as its substation's clock tells it. Test gas is left out.
    """
    observed, clock = system.observed, system.clock
    to_window = -int((clock.local - clock.local.replace(hour=0, minute=0, second=0)).total_seconds()) % WINDOW_S
    windows = int((system.seconds - to_window) // WINDOW_S)
    analog = np.array([point.kind.value_kind == "MN" for point in system.instruments.points])
    if windows < 1:
        return pl.DataFrame(schema={name: pl.Int64 if name == "sent_s" else pl.String for name in _TJSJ})
    usable = np.where(system.monitored.status & CALIBRATION, np.nan, system.monitored.value)
    per = WINDOW_S // STEP_S
    parts = []
    for skew in np.unique(observed.skew_s[analog]):
        number = np.flatnonzero(analog & (observed.skew_s == skew))
        first = -(-(to_window - int(skew)) // STEP_S)
        padded = np.full((windows * per, len(number)), np.nan)
        low, high = max(first, 0), min(first + windows * per, system.steps)
        padded[low - first : high - first] = usable[low:high, number]
        cube = padded.reshape(windows, per, len(number))
        window, which = np.nonzero(~np.isnan(cube).all(axis=1))
        samples = cube[window, :, which]
        highest, lowest = np.nanargmax(samples, axis=1), np.nanargmin(samples, axis=1)
        every = np.arange(len(samples))
        begin = to_window + window * WINDOW_S
        at = (first + window * per)[:, None] + np.column_stack((highest, lowest))
        decimals = system.decimals(number[which])
        parts.append(
            pl.DataFrame(
                {
                    "number": number[which],
                    "sent_s": _after_link(system, begin + WINDOW_S, number[which]),
                    **system.names(number[which]),
                    "unit": system.units(number[which]),
                    "begin_time": clock(begin),
                    "end_time": clock(begin + WINDOW_S),
                    "max_value": fixed(samples[every, highest], decimals),
                    "max_time": clock(at[:, 0] * STEP_S + skew),
                    "min_value": fixed(samples[every, lowest], decimals),
                    "min_time": clock(at[:, 1] * STEP_S + skew),
                    "avg_value": fixed(np.nanmean(samples, axis=1), np.minimum(decimals + 1, 3)),
                    "data_time": clock(begin + WINDOW_S),
                }
            )
        )
    rows = pl.concat(parts).sort("sent_s", "begin_time", "number")
    return _within(rows.select(_TJSJ), system)


_TJSJ = (
    "sent_s", "point_code", "sensor_type_name", "location", "unit", "begin_time", "end_time", "max_value", "max_time",
    "min_value", "min_time", "avg_value", "data_time",
)  # fmt: skip


def _after_link(system: SafetySystem, at_s: NDArray[np.int64], number: NDArray[np.intp]) -> NDArray[np.int64]:
    """When a window's statistics reach the surface: with its end, or the first window's end after the link is back."""
    step = np.minimum(at_s // STEP_S, system.steps - 1)
    back = system.link_back()[step, system.observed.substation[number]]
    return at_s + np.maximum(0, -(-(back - at_s) // WINDOW_S)) * WINDOW_S


def ycbj(system: SafetySystem) -> pl.DataFrame:
    """Abnormalities: when they open, every minute while they are open, and when they close."""
    rows = [row for number in system.monitored.abnormalities for row in _told(system, number)]
    return pl.DataFrame(rows, schema=_YCBJ, orient="row").sort("sent_s", maintain_order=True)


_YCBJ = {
    "sent_s": pl.Int64,
    **dict.fromkeys(
        (
            "point_code", "sensor_type_name", "location", "unit", "abnormal_type", "begin_time", "end_time",
            "max_value", "max_time", "min_value", "min_time", "avg_value", "cause", "measure", "entry_time",
            "entry_person", "data_time",
        ),
        pl.String,
    ),
}  # fmt: skip


def _told(system: SafetySystem, abnormal: Abnormality) -> Iterator[tuple[object, ...]]:
    point, clock = system.instruments.points[abnormal.point], system.clock
    skew = int(system.observed.skew_s[abnormal.point])
    begin_s = abnormal.begin * STEP_S
    last_s = (abnormal.end if abnormal.end is not None else system.steps - 1) * STEP_S
    moments = {begin_s, last_s, *range(-(-begin_s // RESENT_S) * RESENT_S, last_s, RESENT_S)}
    if last_s > system.seconds:
        return
    digits = point.kind.decimals
    for moment in sorted(moments):
        closed = abnormal.end is not None and moment == last_s
        value = system.monitored.value[abnormal.begin : max(moment // STEP_S, abnormal.begin + 1), abnormal.point]
        stats: tuple[str | None, ...] = (None,) * 5
        if point.kind.value_kind == "MN" and not np.isnan(value).all():
            high, low = int(np.nanargmax(value)), int(np.nanargmin(value))
            stats = (
                f"{value[high]:.{digits}f}",
                clock.one((abnormal.begin + high) * STEP_S + skew),
                f"{value[low]:.{digits}f}",
                clock.one((abnormal.begin + low) * STEP_S + skew),
                f"{np.nanmean(value):.{min(digits + 1, 3)}f}",
            )
        yield (
            moment,
            point.code,
            point.kind.name_zh,
            point.location,
            point.kind.unit or None,
            abnormal.type_code,
            clock.one(begin_s + skew),
            clock.one(last_s + skew) if closed else None,
            *stats,
            CAUSES[abnormal.type_code] or None,
            None,
            None,
            None,
            clock.one(moment),
        )


def _held(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The last value that was sent, at each step."""
    rows = np.arange(len(value))[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(value), -1, rows), axis=0)
    return np.where(last >= 0, np.take_along_axis(value, np.maximum(last, 0), axis=0), np.nan)


def _whole(values: NDArray[np.integer]) -> pl.Series:
    return pl.Series(values.astype(np.int32)).cast(pl.String)


def _within(frame: pl.DataFrame, system: SafetySystem) -> pl.DataFrame:
    """What is sent before the run ends, in the order of sending."""
    return frame.filter(pl.col("sent_s") <= int(system.seconds)).sort("sent_s", maintain_order=True)
