"""The mine's monitoring system: alarms, power cut and restored, feed detectors, and what it reports as abnormal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.air import CO, STEP_S, AirTruth
from minefusion.pipelines.simulate.burning import SMOKE_AT_CO_PPM
from minefusion.pipelines.simulate.instruments import (
    ALARM,
    CALIBRATION,
    CUT,
    OVER_RANGE,
    SENSOR_FAULT,
    Flags,
    Floats,
    Observed,
)
from minefusion.pipelines.simulate.layout import Layout
from minefusion.pipelines.simulate.points import Instruments, Point
from minefusion.pipelines.simulate.scenario import Event

Bools = NDArray[np.bool_]

CLEAR_AFTER_S = 60  # an alarm ends when its value is back inside for so long
FEED_CHECK_S = 30  # the feed detector must be dead so long after a cut
ON_MAINS, ON_BATTERY = 1, 2

# Types of abnormality.
OVER_LIMIT, POWER_CUT, FEED_ABNORMAL, LINE_BROKEN = "001", "002", "003", "004"
STATION_UNREACHABLE, IN_CALIBRATION, BEYOND_RANGE = "006", "007", "008"
CAUSES = {
    OVER_LIMIT: "",
    POWER_CUT: "",
    FEED_ABNORMAL: "断电后仍有电",
    LINE_BROKEN: "传感器断线",
    STATION_UNREACHABLE: "分站通信中断",
    IN_CALIBRATION: "定期标校",
    BEYOND_RANGE: "超过量程",
}


@dataclass(frozen=True)
class Abnormality:
    """One abnormality of one point, in steps; `end` is the first step without it, None where it is still open."""

    point: int
    type_code: str
    begin: int
    end: int | None


@dataclass(frozen=True)
class Monitored:
    """What the monitoring system sends; arrays are steps × points.

    `value` holds analog values and switch states together, NaN where none is sent.
    """

    value: Floats
    status: Flags
    abnormalities: tuple[Abnormality, ...]
    power: Bools  # steps × groups


def nothing_monitored(steps: int) -> Monitored:
    """What a mine without a safety-monitoring feed sends of it."""
    values = np.empty((steps, 0))
    return Monitored(values, values.astype(np.int16), (), values.astype(bool))


def monitor(
    layout: Layout, instruments: Instruments, events: Sequence[Event], air: AirTruth, observed: Observed
) -> Monitored:
    """Run the alarm and interlock logic over what the instruments show."""
    points = instruments.points
    value, status = observed.value.copy(), observed.status.copy()
    trusted = (status & CALIBRATION) == 0
    alarm, cut = np.zeros(value.shape, dtype=bool), np.zeros(value.shape, dtype=bool)
    for number, point in enumerate(points):
        if point.kind.value_kind != "MN":
            continue
        alarm[:, number] = _alarm(point, value[:, number], trusted[:, number])
        if point.cut is not None and point.cuts is not None:
            shown, restore = value[:, number], point.restore if point.restore is not None else point.cut
            ok = trusted[:, number]
            cut[:, number] = latched((shown >= point.cut) & ok, (shown < restore) & ok)
    status[alarm] |= ALARM
    status[cut] |= CUT

    groups = len(instruments.power_groups)
    power, lamp = np.ones((air.steps, groups), dtype=bool), np.zeros((air.steps, groups), dtype=bool)
    for group in range(groups):
        members = [number for number, point in enumerate(points) if point.cuts == group]
        power[:, group] = ~cut[:, members].any(axis=1)
        lamp[:, group] = alarm[:, members].any(axis=1)
    for unit in range(len(layout.headings)):  # no air, no power
        power[:, len(layout.faces) + unit] &= air.fan[:, unit]
    feed = power | _feed_faults(layout, events, air.steps, groups)
    switches = _switches(layout, air, power, feed, lamp) | {"smoke": _smoke(points, air, len(layout.index("belt")))}
    for number, point in enumerate(points):
        if point.follows is not None:
            what, which = point.follows
            value[:, number] = (
                np.where(observed.outage[:, which], ON_BATTERY, ON_MAINS)
                if what == "supply"
                else switches[what][:, which]
            )
    value[observed.outage[:, observed.substation]] = np.nan
    abnormal = _abnormalities(points, observed, status, power, feed)
    return Monitored(value, status, tuple(abnormal), power)


def _alarm(point: Point, value: Floats, trusted: Bools) -> Bools:
    """Over its upper limit or under its lower one; a value that is missing changes nothing."""
    alarm = np.zeros(len(value), dtype=bool)
    steps = CLEAR_AFTER_S // STEP_S
    if point.alarm_high is not None:
        alarm |= latched((value >= point.alarm_high) & trusted, lasting((value < point.alarm_high) & trusted, steps))
    if point.alarm_low is not None:
        alarm |= latched((value < point.alarm_low) & trusted, lasting((value >= point.alarm_low) & trusted, steps))
    return alarm


def lasting(holds: Bools, steps: int) -> Bools:
    """True where it has held for at least so many steps, this one included."""
    here = np.arange(len(holds))
    return here - np.maximum.accumulate(np.where(holds, -1, here)) >= steps


def latched(on: Bools, off: Bools) -> Bools:
    """A state that `on` sets and `off` clears, and that otherwise stays; off at first."""
    steps = np.arange(len(on))
    last_on = np.maximum.accumulate(np.where(on, steps, -1))
    last_off = np.maximum.accumulate(np.where(off & ~on, steps, -1))
    return last_on > last_off


def _feed_faults(layout: Layout, events: Sequence[Event], steps: int, groups: int) -> Bools:
    """Groups whose power stays on although it was cut."""
    fault = np.zeros((steps, groups), dtype=bool)
    for event in events:
        if "feed_fault" in event.effects:
            group = event.unit + (len(layout.faces) if event.place == "heading" else 0)
            fault[int(event.onset_s // STEP_S) : int(event.end_s // STEP_S), group] = True
    return fault


def _switches(layout: Layout, air: AirTruth, power: Bools, feed: Bools, lamp: Bools) -> dict[str, Bools]:
    """States that switches follow: steps × units."""
    faces, headings = len(layout.faces), len(layout.headings)
    at_face, at_heading = air.cutting_face & feed[:, :faces], air.cutting_heading & feed[:, faces : faces + headings]
    belts = len(layout.index("belt"))
    none = np.zeros((air.steps, max(headings, belts, 1)), dtype=bool)
    coal = np.concatenate((at_face, at_heading), axis=1).any(axis=1, keepdims=True)
    return {
        "fan": air.fan,
        "spare_fan": none,
        "duct": air.fan,
        "main_fan": air.main_fan,
        "spare_main_fan": none,
        "door_a": air.doors_a,
        "door_b": air.doors_b,
        "face_machine": at_face,
        "heading_machine": at_heading,
        "belt": np.repeat(coal, belts, axis=1),
        "power": power,
        "feed": feed,
        "alarm": lamp,
    }


def _smoke(points: Sequence[Point], air: AirTruth, belts: int) -> Bools:
    """Smoke detectors: steps × belts; flames make as much smoke as their carbon monoxide tells."""
    smoke = np.zeros((air.steps, max(belts, 1)), dtype=bool)
    for number, point in enumerate(points):
        if point.follows is not None and point.follows[0] == "smoke":
            smoke[:, point.follows[1]] = air.seen[:, number, CO] >= SMOKE_AT_CO_PPM
    return smoke


def _abnormalities(
    points: Sequence[Point], observed: Observed, status: Flags, power: Bools, feed: Bools
) -> Iterator[Abnormality]:
    kinds = ((ALARM, OVER_LIMIT), (CUT, POWER_CUT), (SENSOR_FAULT, LINE_BROKEN), (CALIBRATION, IN_CALIBRATION))
    for number, point in enumerate(points):
        if point.kind.value_kind == "MN":
            for bit, type_code in (*kinds, (OVER_RANGE, BEYOND_RANGE)):
                holds = (status[:, number] & bit) != 0
                if bit == OVER_RANGE:
                    holds &= (status[:, number] & CALIBRATION) == 0
                for begin, end in spans(holds):
                    yield Abnormality(number, type_code, begin, end)
        elif point.follows is not None and point.follows[0] == "feed":
            wrong = feed[:, point.follows[1]] & ~power[:, point.follows[1]]
            for begin, end in spans(wrong):
                begin += FEED_CHECK_S // STEP_S
                if end is None or end > begin:
                    yield Abnormality(number, FEED_ABNORMAL, begin, end)
        elif point.follows is not None and point.follows[0] == "supply":
            for begin, end in spans(observed.outage[:, point.follows[1]]):
                yield Abnormality(number, STATION_UNREACHABLE, begin, end)


def spans(holds: Bools) -> Iterator[tuple[int, int | None]]:
    """[begin, end) of every stretch of true; end None where it lasts to the end."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], holds, [False])).astype(np.int8)))
    for begin, end in edges.reshape(-1, 2):
        yield int(begin), int(end) if end < len(holds) else None
