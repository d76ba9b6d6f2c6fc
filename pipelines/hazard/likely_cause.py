"""The likely cause of a methane alarm: each known cause with its evidence, the best supported one first.

Evidence is what came before the alarm on the way of the air: test gas at the one sensor, a sensor that jumps alone, a
fan that stops, doors that stand open, air that slackens, coal that is cut, a barometer that falls, gas that was up the
air first. A cause that another cause brings with it (gas up the air, where a fan stopped) stands behind it. Where no
cause is supported well, or two are alike, the first row says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.air_ways import AirWays, Place, Way
from minefusion.pipelines.hazard.inputs import Grouped, Sites
from minefusion.pipelines.hazard.sensor_checks import MINUTE_US, Floats, pulses, steps
from minefusion.pipelines.hazard.sensor_series import POINT_KEY, Sensor, other_rows, sensors_of, series_frame
from minefusion.schemas.accuracy import accuracy_of
from minefusion.schemas.gold import ALARM_CAUSE, CAUSES
from minefusion.schemas.window import Window

# Samples are looked at so long before an alarm and after it.
BEFORE, AFTER = timedelta(hours=6), timedelta(minutes=15)
# What happened longer ago than this did not cause it.
RECENT_MIN = 45
# A first cause must reach this score, and lead the next by so much.
CLEAR, LEAD = 0.5, 0.08
UNCLEAR = "unclear"
# The level from which gas rose: the lower quartile of this span before the alarm.
LEVEL_FROM_MIN, LEVEL_TO_MIN = 120, 10
# Shares of a rise that make a neighbour's one of its own, and a velocity's fall one of the air.
RISE_SHARE, FALL_SHARE = 0.35, 0.15
# In the very air of the sensor less of its rise is an answer, but never less than this [%].
ANSWER_SHARE, LEAST_ANSWER_PCT = 0.25, 0.04
# People pass a pair of doors within this time [min].
DOORS_OPEN_MIN = 2.0
# Coal that was cut gives off its gas over about this time [min].
CUT_MEMORY_MIN = 15.0
# Fall of the barometer that begins to matter, and that counts in full [Pa/h].
FALL_PA_H, STEEP_PA_H = 60.0, 200.0
# It is looked at over so many hours; a front that has just come shows in the shortest.
FALL_OVER_H = (0.4, 1.0, 3.0)

GAS, VELOCITY, DOOR, MACHINE, BAROMETER = "ch4", "air_velocity", "air_door", "equipment_on", "pressure"
FANS = ("aux_fan", "duct_state", "main_fan")
QUANTITIES = (GAS, VELOCITY, DOOR, MACHINE, BAROMETER, *FANS)
ALARMED, DOUBTED = "alarm", "doubted"

ROWS = pa.schema([each for each in ALARM_CAUSE.arrow_schema() if each.name not in ("computed_at", "revision", "day")])


@dataclass(frozen=True)
class CauseInputs:
    """What is read, all on one engine.

    Attributes:
        alarms: rows of gold.alarm of kind G-01 that were raised in the window, with `raised_us`.
        readings: silver.reading from BEFORE the window to AFTER it, with `observed_us`.
        points: silver.point.
        health: gold.sensor_health of the span, of sensors with a fault other than a gap, with `hour_us`.
        sites: mine → its site file, null where there is none.
        window: alarms that were raised in it.
        grouped: as in `inputs.Inputs`.
    """

    alarms: nw.LazyFrame
    readings: nw.LazyFrame
    points: nw.LazyFrame
    health: nw.LazyFrame
    sites: Sites
    window: Window
    grouped: Grouped


def likely_causes(inputs: CauseInputs) -> nw.LazyFrame:
    """Rows of gold.alarm_cause, without what the job adds."""
    raised = inputs.alarms.select(*POINT_KEY, nw.col("raised_us").alias("us"), nw.lit(0.0).alias("value"))
    doubted = inputs.health.select(*POINT_KEY, nw.col("hour_us").alias("us"), nw.lit(1.0).alias("value"))
    wanted = nw.col("quantity").is_in(list(QUANTITIES))
    mines = inputs.alarms.select("mine_code").unique()
    points = inputs.points.filter(wanted).join(mines, on="mine_code", how="semi")
    rows = series_frame(points, inputs.readings, {ALARMED: raised, DOUBTED: doubted})
    found = inputs.grouped(rows, ["mine_code"], partial(_of_mine, sites=dict(inputs.sites)), ROWS)
    told = inputs.alarms.select("alarm_id", *POINT_KEY, "raised_at", nw.col("area_id"))
    found = found.drop("alarm_id", "area_id")
    return found.join(told, on=[*POINT_KEY, "raised_at"], how="inner").select(*ROWS.names)


@dataclass(frozen=True)
class Cause:
    """One cause with how well it is supported (0 to 1) and by what."""

    code: str
    score: float
    zh: str
    en: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def _of_mine(rows: pa.Table, sites: Sites) -> pa.Table:
    """The causes of all alarms of one mine."""
    sensors = sensors_of(rows)
    if not sensors:
        return ROWS.empty_table()
    site = sites.get(sensors[0].mine_code)
    raised, doubted = other_rows(rows, ALARMED), other_rows(rows, DOUBTED)
    mine = _Mine(sensors, AirWays(site) if site else None)
    found: list[dict[str, Any]] = []
    for sensor in sensors:
        for at_us in raised.get(sensor.point_id, (np.empty(0, dtype=np.int64), None))[0]:
            hours = doubted.get(sensor.point_id, (np.empty(0, dtype=np.int64), None))[0]
            scene = _Scene(mine, sensor, int(at_us), tuple(int(hour) for hour in hours))
            found += _rows(scene, ranked(scene.causes()))
    return pa.Table.from_pylist(found, schema=ROWS)


def ranked(causes: Sequence[Cause]) -> list[Cause]:
    """The best supported first; before them all "unclear" where none is supported well or two are alike."""
    order = sorted((cause for cause in causes if cause.score > 0), key=lambda cause: (-cause.score, cause.code))
    best = order[0].score if order else 0.0
    second = order[1].score if len(order) > 1 else 0.0
    if best >= CLEAR and best - second >= LEAD:
        return order
    why = {"best": round(best, 3), "second": round(second, 3)}
    zh, en = (
        ("没有证据充分的原因", "no cause is supported well") if best < CLEAR else ("多个原因相当", "causes are alike")
    )
    return [Cause(UNCLEAR, 0.0, zh, en, why), *order]


class _Mine:
    """The sensors of a mine that tell of gas, air and machines."""

    def __init__(self, sensors: Sequence[Sensor], ways: AirWays | None) -> None:
        self.sensors, self.ways = sensors, ways
        self.by_quantity: dict[str, list[Sensor]] = {}
        for sensor in sensors:
            self.by_quantity.setdefault(sensor.quantity or "", []).append(sensor)

    def of(self, *quantities: str) -> list[Sensor]:
        return [sensor for quantity in quantities for sensor in self.by_quantity.get(quantity, ())]

    def way(self, first: Place | None, last: Place | None) -> Way | None:
        if self.ways is None or first is None or last is None:
            return None
        return self.ways.way(first, last)


@dataclass(frozen=True)
class _Scene:
    """One alarm and what happened around it."""

    mine: _Mine
    sensor: Sensor
    at_us: int
    doubted: tuple[int, ...]

    def causes(self) -> list[Cause]:
        roots = [
            self._calibration(),
            self._sensor_fault(),
            self._doors_and_fans(),
            self._production(),
            self._barometer(),
        ]
        best_root = max((cause.score for cause in roots), default=0.0)
        return [*roots, *self._gas_elsewhere(best_root)]

    # ── the rise ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ago(self, minutes: float) -> int:
        return self.at_us - int(minutes * MINUTE_US)

    def _level(self, sensor: Sensor, lag_min: float = 0.0) -> float:
        values = sensor.known(self._ago(LEVEL_FROM_MIN + lag_min), self._ago(LEVEL_TO_MIN + lag_min))
        return float(np.quantile(values, 0.25)) if len(values) >= 10 else float("nan")

    @cached_property
    def rise(self) -> float:
        """By how much the gas at the sensor rose."""
        now = self.sensor.known(self._ago(1), self._ago(-4))
        level = self._level(self.sensor)
        return float(np.median(now)) - level if len(now) and np.isfinite(level) else float("nan")

    @cached_property
    def velocity(self) -> dict[str, float]:
        """By roadway, in the hour before."""
        found: dict[str, list[float]] = {}
        for sensor in self.mine.of(VELOCITY):
            values = sensor.known(self._ago(90), self._ago(10))
            if sensor.place is not None and len(values):
                found.setdefault(sensor.place.edge_id, []).append(abs(float(np.median(values))))
        return {edge: float(np.median(values)) for edge, values in found.items()}

    def _half_rise_us(self, sensor: Sensor, level: float, rise: float, begin_us: int, end_us: int) -> int | None:
        """When the gas first stood at half of its rise, for three samples on end."""
        inside = sensor.span(begin_us, end_us)
        values, times = sensor.values[inside], sensor.times[inside]
        over = values >= level + rise / 2
        for place in range(len(values) - 2):
            if over[place : place + 3].all():
                return int(times[place])
        return None

    @cached_property
    def neighbours(self) -> list[tuple[Sensor, Way, bool]]:
        """Other gas sensors up (true) or down the air, with the way."""
        found = []
        for other in self.mine.of(GAS):
            if other.point_id == self.sensor.point_id:
                continue
            up = self.mine.way(other.place, self.sensor.place)
            down = self.mine.way(self.sensor.place, other.place) if up is None else None
            if up is not None:
                found.append((other, up, True))
            elif down is not None:
                found.append((other, down, False))
        return found

    @cached_property
    def answers(self) -> list[str]:
        """Neighbours within a quarter of an hour's air that rose too."""
        found = []
        for other, way, is_up in self.neighbours:
            minutes = way.minutes(self.velocity)
            if minutes > 15:
                continue
            lag = minutes if is_up else -minutes
            level = self._level(other, lag)
            during = other.known(self._ago(lag + 20), self._ago(lag - 10))
            if np.isfinite(level) and len(during) >= 5:
                rose = float(np.quantile(during, 0.9)) - level
                share = RISE_SHARE if way.mixes else ANSWER_SHARE
                if rose >= max(share * self.rise, LEAST_ANSWER_PCT):
                    found.append(other.point_id)
        return found

    @property
    def has_near_neighbours(self) -> bool:
        return any(way.minutes(self.velocity) <= 15 and not way.mixes for _, way, _ in self.neighbours)

    # ── causes at the sensor ────────────────────────────────────────────────────────────────────────────────────────

    def _window(self, before_min: float, after_min: float) -> tuple[Any, Floats]:
        inside = self.sensor.span(self._ago(before_min), self._ago(-after_min))
        return self.sensor.times[inside], self.sensor.values[inside]

    def _calibration(self) -> Cause:
        accuracy = self.sensor.accuracy
        least = accuracy.pulse if accuracy and accuracy.pulse else 0.5
        times, values = self._window(40, 15)
        for pulse in pulses(times, values, least):
            begin_us, end_us = int(times[pulse.begin]), int(times[pulse.end - 1])
            if not begin_us - MINUTE_US <= self.at_us <= end_us + MINUTE_US:
                continue
            if self.answers or self.slackened[0] >= FALL_SHARE:
                break
            facts = {"begin": _iso(begin_us), "end": _iso(end_us), "height": round(pulse.height, 3)}
            return Cause(
                "calibration",
                0.95 if self.has_near_neighbours else 0.8,
                f"{pulse.height:.2f} % 的方波脉冲只出现在该测点，邻近测点无响应，风量无变化",
                f"a square pulse of {pulse.height:.2f} % at this sensor alone, the air as usual",
                facts,
            )
        return Cause("calibration", 0.0, "", "")

    def _sensor_fault(self) -> Cause:
        least = accuracy_of(GAS, None)
        times, values = self._window(60, 15)
        alone = not self.answers and self.slackened[0] < FALL_SHARE and not self.fan_stopped
        if least is not None and alone:
            for step in steps(times, values, least.error_abs):
                at_us = int(times[step.begin])
                if self._others_jumped(at_us, step.height):
                    continue
                if step.height > 0 and abs(at_us - self.at_us) <= 10 * MINUTE_US:
                    return Cause(
                        "sensor_fault",
                        0.85 if self.has_near_neighbours else 0.65,
                        f"数值一个采样内突变 {step.height:+.2f} % 且未恢复，邻近测点无响应，风量无变化",
                        f"jumped by {step.height:+.2f} % from one sample to the next and stayed, no neighbour answers, "
                        "air flow unchanged",
                        {"at": _iso(at_us), "height": round(step.height, 3)},
                    )
        hour_us = 60 * MINUTE_US
        if alone and any(hour - hour_us <= self.at_us < hour + 2 * hour_us for hour in self.doubted):
            text = (
                "该测点近期被判为故障，邻近测点无响应",
                "the sensor was found faulty at that time, and no neighbour answers",
            )
            return Cause("sensor_fault", 0.6, *text, {"sensor_health": [_iso(hour) for hour in self.doubted]})
        return Cause("sensor_fault", 0.0, "", "")

    def _others_jumped(self, at_us: int, height: float) -> bool:
        """Gas elsewhere jumped at the same time: that is no single sensor's fault."""
        for other in self.mine.of(GAS):
            if other.point_id != self.sensor.point_id:
                before = other.known(at_us - 6 * MINUTE_US, at_us - MINUTE_US)
                after = other.known(at_us + MINUTE_US, at_us + 6 * MINUTE_US)
                if len(before) >= 4 and len(after) >= 4 and np.median(after) - np.median(before) >= 0.5 * height:
                    return True
        return False

    # ── causes in the air ───────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def slackened(self) -> tuple[float, str]:
        """Largest share by which the air slackened at the place or up the air before the alarm, and at which point."""
        worst = (0.0, "")
        for sensor in self.mine.of(VELOCITY):
            if not self._is_before_us(sensor):
                continue
            usual = sensor.known(self._ago(150), self._ago(RECENT_MIN))
            if len(usual) < 20 or np.median(np.abs(usual)) < 0.1:
                continue
            recent = np.abs(sensor.known(self._ago(RECENT_MIN), self._ago(-2)))
            blocks = recent[: len(recent) // 4 * 4].reshape(-1, 4)
            if len(blocks):
                fall = 1 - float(np.median(blocks, axis=1).min() / np.median(np.abs(usual)))
                worst = max(worst, (fall, sensor.point_id))
        return worst

    def _is_before_us(self, sensor: Sensor) -> bool:
        """In the area of the alarm, or up its air."""
        if sensor.area_id == self.sensor.area_id:
            return True
        way = self.mine.way(sensor.place, self.sensor.place)
        return way is not None and way.length_m <= 1500

    @cached_property
    def fan_stopped(self) -> list[dict[str, Any]]:
        """Fans that stood, and ducts without air, at some moment of the time that counts."""
        found = []
        for switch in self.mine.of(*FANS):
            if not (switch.quantity == "main_fan" or self._is_before_us(switch)):
                continue
            ever = switch.known(self._ago(BEFORE / timedelta(minutes=1)), self._ago(-1))
            recent = switch.known(self._ago(RECENT_MIN), self._ago(-1))
            # One that never runs stands by; one that starts again drives out what had gathered.
            if len(recent) and recent.min() == 0 and ever.max() == 1:
                inside = switch.span(self._ago(RECENT_MIN), self._ago(-1))
                off = switch.times[inside][np.flatnonzero(switch.values[inside] == 0)[0]]
                found.append({"point": switch.point_id, "quantity": switch.quantity, "at": _iso(int(off))})
        return found

    @cached_property
    def doors_open(self) -> tuple[float, str]:
        """Longest time [min] for which both doors of a pair up the air stood open, and which pair."""
        worst = (0.0, "")
        doors = {sensor.point_id: sensor for sensor in self.mine.of(DOOR)}
        for pair in self.mine.ways.site.door_pairs if self.mine.ways else ():
            both = [doors.get(point) for point in pair.points]
            if None in both or not self._shares_air(both[0]):  # type: ignore[arg-type]
                continue
            one, two = (
                sensor.values[sensor.span(self._ago(RECENT_MIN), self._ago(-1))]
                for sensor in both
                if sensor is not None
            )
            count = min(len(one), len(two))
            open_min = float(((one[:count] == 1) & (two[:count] == 1)).sum()) * self.sensor.period_s / 60
            worst = max(worst, (open_min, pair.pair_id))
        return worst

    def _shares_air(self, door: Sensor) -> bool:
        """A short cut at the doors takes air from the alarm's place: it leaves a roadway's end up the air of it."""
        if door.place is None or self.sensor.place is None or self.mine.ways is None:
            return door.area_id == self.sensor.area_id
        edges = {edge.edge_id: edge for edge in self.mine.ways.site.edges}
        begin = edges[door.place.edge_id].from_node
        beside = (edge for edge in edges.values() if edge.from_node == begin and edge.edge_id != door.place.edge_id)
        return any(self.mine.way(Place(edge.edge_id, 0.0), self.sensor.place) is not None for edge in beside)

    def _doors_and_fans(self) -> Cause:
        fall, where = self.slackened
        open_min, pair = self.doors_open
        slack = min(1.0, max(0.0, fall) / 0.3) if fall >= FALL_SHARE else 0.0
        facts: dict[str, Any] = {"air_fell_by": round(fall, 3), "at_point": where}
        if self.fan_stopped:
            score = 0.7 + 0.25 * slack
            zh = f"此前风机停转或风筒无风，风速下降 {100 * fall:.0f} %"
            en = f"a fan stopped or a duct lost its air before, the air slackened by {100 * fall:.0f} %"
            facts["stopped"] = self.fan_stopped
        elif open_min >= DOORS_OPEN_MIN and fall >= FALL_SHARE / 2:
            score = 0.6 + 0.3 * slack
            zh = f"此前 {pair} 号两道风门同时打开 {open_min:.0f} 分钟，风速下降 {100 * fall:.0f} %"
            en = f"both doors of pair {pair} stood open for {open_min:.0f} min, the air slackened by {100 * fall:.0f} %"
            facts |= {"pair": pair, "open_min": round(open_min, 1)}
        else:
            score = 0.3 + 0.5 * slack if slack else 0.0
            zh, en = f"此前风速下降 {100 * fall:.0f} %", f"the air slackened by {100 * fall:.0f} % before"
        return Cause("doors_and_fans", round(score, 4), zh, en, facts)

    def _barometer(self) -> Cause:
        falls = [(0.0, "", 0.0)]
        for sensor in self.mine.of(BAROMETER):
            to_pa = {"kPa": 1000.0, "hPa": 100.0}.get(sensor.unit or "", 1.0)
            # What falls just after the alarm has begun to fall with it.
            now = sensor.known(self._ago(-8), self._ago(-14))
            for hours in FALL_OVER_H:
                before = sensor.known(self._ago(60 * hours - 8), self._ago(60 * hours - 14))
                if len(before) and len(now):
                    fall = float(np.median(before) - np.median(now)) * to_pa / hours
                    falls.append((fall, sensor.point_id, hours))
        fall, where, hours = max(falls)
        if fall < FALL_PA_H:
            return Cause("barometer", 0.0, "", "")
        share = min(1.0, (fall - FALL_PA_H) / (STEEP_PA_H - FALL_PA_H))
        score = 0.5 + 0.3 * share
        zh = f"此前 {60 * hours:.0f} 分钟气压每小时下降 {fall:.0f} Pa"
        en = f"the barometer fell by {fall:.0f} Pa/h over {60 * hours:.0f} min before"
        return Cause("barometer", round(score, 4), zh, en, {"fall_pa_h": round(fall, 1), "at_point": where})

    @cached_property
    def _is_sudden(self) -> bool:
        """Most of the rise came within minutes."""
        before = self.sensor.known(self._ago(9), self._ago(5))
        level = self._level(self.sensor)
        if not len(before) or not np.isfinite(level) or not np.isfinite(self.rise):
            return False
        return float(np.median(before)) - level < 0.3 * self.rise

    def _production(self) -> Cause:
        """Coal that was cut up the air, followed as it gives off its gas and as the air carries it here."""
        best = Cause("production", 0.0, "", "")
        begin, end = self._ago(BEFORE / timedelta(minutes=1)), self._ago(-2)
        minutes = np.arange(begin, end, MINUTE_US)
        gas = _by_minute(self.sensor, minutes)
        for machine in self.mine.of(MACHINE):
            way = self.mine.way(machine.place, self.sensor.place)
            if way is None and machine.area_id != self.sensor.area_id:
                continue
            if way is not None and not way.meets_source:
                continue
            runs = _by_minute(machine, minutes)
            known = np.isfinite(runs)
            if known.sum() < 60:
                continue
            runs = np.where(known, runs, 0.0)
            keep = np.exp(-1 / CUT_MEMORY_MIN)
            fresh = np.zeros(len(runs))
            for n in range(1, len(runs)):
                fresh[n] = keep * fresh[n - 1] + (1 - keep) * runs[n]
            lag = round(way.minutes(self.velocity)) if way is not None else 0
            carried = np.concatenate([np.full(lag, np.nan), fresh])[: len(fresh)]
            both = np.isfinite(gas) & np.isfinite(carried)
            now = carried[-1] if np.isfinite(carried[-1]) else 0.0
            if both.sum() < 60 or np.ptp(carried[both]) < 0.2 or now < 0.4:
                continue
            likeness = float(np.corrcoef(gas[both], carried[both])[0, 1])
            score = 0.25 + 0.55 * max(0.0, likeness) - (0.25 if self._is_sudden else 0.0)
            if score > best.score:
                zh = f"上风侧设备割煤后瓦斯随之升高（相关 {likeness:.2f}）"
                en = f"gas follows the cutting up the air (correlation {likeness:.2f})"
                facts = {"machine": machine.point_id, "correlation": round(likeness, 3), "lag_min": lag}
                best = Cause("production", round(score, 4), zh, en, facts)
        return best

    # ── gas that came from elsewhere, or came out here ──────────────────────────────────────────────────────────────

    def _gas_elsewhere(self, best_root: float) -> Iterator[Cause]:
        """Gas up the air first, or here first; less where another cause explains it."""
        if not np.isfinite(self.rise) or self.rise <= 0:
            return
        level = self._level(self.sensor)
        here = self._half_rise_us(self.sensor, level, self.rise, self._ago(90), self._ago(-4))
        sources = []
        for other, way, is_up in self.neighbours:
            minutes = way.minutes(self.velocity)
            if not is_up or way.length_m < 40 or minutes > 30:
                continue
            base = self._level(other, minutes)
            during = other.known(self._ago(minutes + 20), self._ago(minutes - 3))
            if not np.isfinite(base) or len(during) < 5 or here is None:
                continue
            rose = float(np.quantile(during, 0.9)) - base
            if rose < RISE_SHARE * self.rise:
                continue
            there = self._half_rise_us(other, base, rose, self._ago(90 + minutes), self._ago(-4))
            lead = (here - there) / MINUTE_US if there is not None else -99.0
            if lead >= min(0.3 * minutes, 3.0) and lead > 0.4 and lead <= minutes + 12:
                sources.append((min(1.0, rose / self.rise), lead, minutes, other))
        if sources:
            share, lead, minutes, other = max(sources, key=lambda source: source[0])
            score = 0.5 + 0.35 * share
            score = score if best_root < CLEAR else min(score, best_root - LEAD - 0.02)
            yield Cause(
                "upstream_source",
                round(max(score, 0.0), 4),
                f"上风侧 {other.name_zh} 早 {lead:.0f} 分钟升高（风流需 {minutes:.0f} 分钟），"
                f"幅度为本处的 {100 * share:.0f} %",
                f"point {other.point_id} up the air rose {lead:.0f} min before (the air needs {minutes:.0f} min), "
                f"by {100 * share:.0f} % of the rise here",
                {"source": other.point_id, "lead_min": round(lead, 1), "air_min": round(minutes, 1)},
            )
        else:
            score = (0.55 if self.answers else 0.35) if best_root < CLEAR else 0.3
            yield Cause(
                "local_source",
                score,
                "上风侧没有先升高的测点，瓦斯在本处涌出" + ("，下风侧测点随后升高" if self.answers else ""),
                "nothing up the air rose first, so gas came out here"
                + ("; neighbours rose with it" if self.answers else ""),
                {"answers": self.answers},
            )


def _by_minute(sensor: Sensor, minutes: Any) -> Floats:
    """Means of the samples of each minute; NaN where none came."""
    inside = sensor.span(int(minutes[0]), int(minutes[-1]) + MINUTE_US)
    values, times = sensor.values[inside], sensor.times[inside]
    good = np.isfinite(values) & ~sensor.calibrating[inside]
    place = (times[good] - minutes[0]) // MINUTE_US
    count = np.bincount(place, minlength=len(minutes))[: len(minutes)]
    total = np.bincount(place, weights=values[good], minlength=len(minutes))[: len(minutes)]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _iso(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).isoformat()


def _rows(scene: _Scene, causes: Sequence[Cause]) -> Iterator[dict[str, Any]]:
    sensor = scene.sensor
    for rank, cause in enumerate(causes, start=1):
        en_name, zh_name = CAUSES[cause.code]
        yield {
            "alarm_id": "",
            "mine_code": sensor.mine_code,
            "rank": rank,
            "point_id": sensor.point_id,
            "area_id": "",
            "raised_at": datetime.fromtimestamp(scene.at_us / 1e6, UTC),
            "cause": cause.code,
            "score": cause.score,
            "evidence": json.dumps(dict(cause.evidence), ensure_ascii=False),
            "sentence_zh": f"{sensor.name_zh}甲烷报警的可能原因：{zh_name}。{cause.zh}。",
            "sentence_en": f"Likely cause of the methane alarm at point {sensor.point_id}: {en_name}; {cause.en}.",
        }
