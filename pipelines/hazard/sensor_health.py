"""Whether a sensor can be believed, by point and hour: eight checks, each with a score, a verdict and a sentence.

A check looks at the samples alone where they tell enough (`sensor_checks`), and else at the neighbours in the same air
(`sensor_consensus`). What the air does is no fault: where neighbours or the air flow move too, a step, a pulse or a
sensor that stands still is believed.
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

from minefusion.pipelines.hazard.air_ways import AirWays
from minefusion.pipelines.hazard.inputs import Grouped, Sites
from minefusion.pipelines.hazard.minutes import HELD_PERIODS
from minefusion.pipelines.hazard.sensor_checks import (
    MINUTE_US,
    Floats,
    Ints,
    Stretch,
    last_digit,
    noise,
    pulses,
    roughness,
    spikes,
    standing,
    steps,
)
from minefusion.pipelines.hazard.sensor_consensus import (
    WINDOW_MIN,
    Departure,
    Pair,
    aged_alone,
    departures,
    rise_of,
)
from minefusion.pipelines.hazard.sensor_series import NOTHING, POINT_KEY, Sensor, other_rows, sensors_of, series_frame
from minefusion.schemas.accuracy import Accuracy, accuracy_of
from minefusion.schemas.gold import HEALTH_CHECKS, SENSOR_HEALTH
from minefusion.schemas.window import Window

HOUR_US = 60 * MINUTE_US
# Samples are looked at so far back, five-minute means farther, calibrations that the mine reports farthest.
RAW_BACK = timedelta(hours=6)
MEANS_BACK = timedelta(hours=48)
CALIBRATIONS_BACK = timedelta(days=31)

OK, WATCH, FAULT, UNKNOWN = "ok", "watch", "fault", "unknown"
VERDICTS = (FAULT, WATCH, UNKNOWN, OK)  # the worst first
VERDICT_ZH = {OK: "正常", WATCH: "关注", FAULT: "故障", UNKNOWN: "无法判定"}

# Less than this share of the hour's values is worth a look, or a fault.
COMPLETE, HALF_GONE = 0.99, 0.75
# A sensor stands still for so long at least before anybody doubts it, and so many times as long as it usually does;
# longer where it often repeats a value, since then a small change of the air may end its restlessness.
STILL_MIN, STILL_TIMES, STILL_TIMES_COARSE = 20.0, 3.5, 6.0
COARSE_FROM = 0.6
# A stillness as unlikely as this, by the sensor's own habit, proves itself.
STILL_CHANCE = 1e-6
# Neighbours must have moved by so many of the sensor's own steps, and it have stood for so long, to prove it.
STILL_PEER_STEPS, STILL_PEER_MIN = 4.0, 30.0
# Noise over so many times the usual is worth a look, or a fault.
NOISY, VERY_NOISY = 2.5, 5.0
# So many spikes in an hour are a fault.
MANY_SPIKES = 3
# Neighbours answer a step or a pulse when they move so share of it, up to so long after the air's own time.
ANSWER_SHARE, ANSWER_SLACK_MIN = 0.3, 4.0
# The air flow changes when a velocity changes by this share.
FLOW_SHARE = 0.15
# So long after a fan was switched the air is still finding its way.
SWITCHED_MIN = 5
# Gases that come with a loss of oxygen.
DISPLACING = ("ch4", "co", "co2")
# Quantities of which channels are tested for a swap; levels agree within this share, and contradict each other by more
# than this when something is wrong, both on a logarithmic scale.
SWAPPABLE = ("ch4", "air_velocity")
SAME_SHARE, CONTRADICTION = 0.35, 0.5
# A level that left its neighbours without a step must have done so for this long.
LASTS_MIN = 75.0
# Neighbours no farther than this can answer a step or a pulse.
NEAR_MIN = 12.0

ROWS = pa.schema(
    [field for field in SENSOR_HEALTH.arrow_schema() if field.name not in ("computed_at", "revision", "day")]
)
# Switches that tell of a fan that stops; they are no sensors to judge.
FLOW_SWITCHES = ("aux_fan", "duct_state", "main_fan")
# A mean of fewer readings is no witness.
LEAST_READINGS = 3
MEAN, CALIBRATED = "mean", "calibrated"


@dataclass(frozen=True)
class HealthInputs:
    """What the check reads, all on one engine.

    Attributes:
        readings: silver.reading from RAW_BACK before the window to its end, with `observed_us`.
        means: silver.reading_5min from MEANS_BACK before the window, with `start_us`.
        points: silver.point at the window's start.
        calibrations: silver.reported_abnormality from CALIBRATIONS_BACK before the window, of calibrations alone, with
            `began_us`.
        sites: mine → its site file, null where there is none.
        window: rows are wanted for its whole hours.
        grouped: as in `inputs.Inputs`.
    """

    readings: nw.LazyFrame
    means: nw.LazyFrame
    points: nw.LazyFrame
    calibrations: nw.LazyFrame
    sites: Sites
    window: Window
    grouped: Grouped


def sensor_health(inputs: HealthInputs) -> nw.LazyFrame:
    """Rows of gold.sensor_health for the hours of the window, but for the columns that the job adds."""
    wanted = (nw.col("value_kind") == "MN") | nw.col("quantity").is_in(list(FLOW_SWITCHES))
    means = inputs.means.filter(nw.col("readings") >= LEAST_READINGS)
    rows = series_frame(
        inputs.points.filter(wanted),
        inputs.readings,
        {
            MEAN: means.select(*POINT_KEY, nw.col("start_us").alias("us"), nw.col("value_mean").alias("value")),
            CALIBRATED: inputs.calibrations.select(*POINT_KEY, nw.col("began_us").alias("us")),
        },
    )
    hours = [int(at.timestamp()) * 1_000_000 for at in _hours(inputs.window)]
    return inputs.grouped(rows, ["mine_code"], partial(_of_mine, sites=dict(inputs.sites), hours=hours), ROWS)


def _hours(window: Window) -> list[datetime]:
    return [window.start + n * timedelta(hours=1) for n in range((window.end - window.start) // timedelta(hours=1))]


# ── one mine ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Sign:
    """What one check says: a score from 0 (no sign of a fault) to 1 (certain), null where it cannot tell."""

    verdict: str
    score: float | None
    zh: str = ""
    en: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


FINE = Sign(OK, 0.0)


@dataclass(frozen=True)
class Stuck:
    """A stretch in which a sensor stood still and should not have.

    Attributes:
        usual: samples that it repeats at most by habit, where that proves it; else null.
        moved: by how much its neighbours moved meanwhile, where that proves it; else null.
        witnesses: those neighbours.
    """

    run: Stretch
    minutes: float
    usual: float | None
    moved: float | None
    witnesses: Sequence[str]


def _of_mine(rows: pa.Table, sites: Sites, hours: Sequence[int]) -> pa.Table:
    """Rows of one mine."""
    every = sensors_of(rows)
    sensors = [sensor for sensor in every if sensor.quantity not in FLOW_SWITCHES]
    if not sensors or not hours:
        return ROWS.empty_table()
    site = sites.get(sensors[0].mine_code)
    switches = [sensor for sensor in every if sensor.quantity in FLOW_SWITCHES]
    told = other_rows(rows, CALIBRATED)
    mine = _Mine(sensors, switches, AirWays(site) if site else None, _means(rows, sensors, hours), told)
    found = [row for hour in hours for row in mine.hour(hour)]
    return pa.Table.from_pylist(found, schema=ROWS)


@dataclass(frozen=True)
class Means:
    """Five-minute means: windows × sensors, the first window at `first_us`."""

    first_us: int
    values: Floats

    def until(self, end_us: int) -> Floats:
        """The windows from MEANS_BACK before the last hour that ends then."""
        end = (end_us - self.first_us) // (WINDOW_MIN * MINUTE_US)
        back = int((MEANS_BACK + timedelta(hours=1)) / timedelta(minutes=WINDOW_MIN))
        return self.values[max(0, end - back) : end]


def _means(rows: pa.Table, sensors: Sequence[Sensor], hours: Sequence[int]) -> Means:
    means = other_rows(rows, MEAN)
    first = hours[0] - int(MEANS_BACK / timedelta(microseconds=1))
    count = (hours[-1] + HOUR_US - first) // (WINDOW_MIN * MINUTE_US)
    values = np.full((count, len(sensors)), np.nan)
    for number, sensor in enumerate(sensors):
        at, value = means.get(sensor.point_id, NOTHING)
        window = (at - first) // (WINDOW_MIN * MINUTE_US)
        fits = (window >= 0) & (window < count)
        values[window[fits], number] = value[fits]
    return Means(first, values)


class _Mine:
    """The sensors of one mine and what lies between them."""

    def __init__(
        self,
        sensors: Sequence[Sensor],
        switches: Sequence[Sensor],
        ways: AirWays | None,
        means: Means,
        told: Mapping[str, tuple[Ints, Floats]],
    ) -> None:
        self.sensors, self.switches, self.ways, self.means, self.told = sensors, switches, ways, means, told
        self.groups: dict[str, list[int]] = {}
        for number, sensor in enumerate(sensors):
            if sensor.accuracy is not None and sensor.quantity is not None:
                self.groups.setdefault(sensor.quantity, []).append(number)
        self.pairs = {quantity: list(self._pairs(quantity, members)) for quantity, members in self.groups.items()}
        self.near: dict[int, list[Pair]] = {}
        for quantity, pairs in self.pairs.items():
            members = self.groups[quantity]
            for pair in pairs:
                self.near.setdefault(members[pair.sensor], []).append(pair)
        self.flows = self.groups.get("air_velocity", [])

    def _pairs(self, quantity: str, members: Sequence[int]) -> Iterator[Pair]:
        """Every sensor of one quantity beside those that share its air, up or down the way."""
        placed = [(n, self.sensors[m].place) for n, m in enumerate(members)]
        if self.ways is None:
            return
        for n, place in placed:
            for other, there in placed:
                if n == other or place is None or there is None:
                    continue
                up, down = self.ways.way(there, place), self.ways.way(place, there)
                way = up if up is not None else down
                if way is not None:
                    # Gas that joins on the way changes no velocity.
                    is_same_air = not way.mixes if quantity == "air_velocity" else way.is_same_air
                    yield Pair(n, other, way, up is not None, is_same_air)

    def hour(self, hour_us: int) -> Iterator[dict[str, Any]]:
        """One row per sensor."""
        seen = [_Seen(sensor, hour_us) for sensor in self.sensors]
        if not any(each.received or each.calibrated for each in seen):
            return
        began_us = max(hour_us, min(int(each.times[0]) for each in seen if len(each.times)))
        velocity = self._velocity(seen)
        stuck = [self._stuck_runs(number, seen) for number in range(len(seen))]
        means = self._trusted_means(seen, stuck, hour_us)
        wrong: dict[int, Departure] = {}
        judged: set[int] = set()
        for quantity, members in self.groups.items():
            accuracies = [self.sensors[m].accuracy for m in members]
            assert all(accuracies)
            found, able = departures(means[:, members], accuracies, self.pairs[quantity], velocity)  # type: ignore[arg-type]
            wrong |= {members[n]: departure for n, departure in found.items()}
            judged |= {members[n] for n in able}
        swapped = self._swapped(seen)
        for number, each in enumerate(seen):
            signs = {
                "completeness": _completeness(each, began_us),
                "stuck": self._stuck(each, stuck[number]),
                "noise": _noise(each),
                "spikes": self._spikes(number, seen),
                "calibration": self._calibration(number, seen, velocity),
                "swapped": swapped.get(number, FINE if number in judged else _NOBODY),
            }
            signs |= self._level(number, seen, velocity, wrong, judged, means)
            yield _row(each, signs)

    def _velocity(self, seen: Sequence[_Seen]) -> dict[str, float]:
        """Median velocity by roadway."""
        by_edge: dict[str, list[float]] = {}
        for number in self.flows:
            place, values = self.sensors[number].place, seen[number].values
            if place is not None and np.isfinite(values).any():
                by_edge.setdefault(place.edge_id, []).append(abs(float(np.nanmedian(values))))
        return {edge: float(np.median(found)) for edge, found in by_edge.items()}

    def _trusted_means(self, seen: Sequence[_Seen], stuck: Sequence[Sequence[Stuck]], hour_us: int) -> Floats:
        """The five-minute means without those in which a sensor stood still or saw test gas."""
        means = self.means.until(hour_us + HOUR_US).copy()
        end = hour_us + HOUR_US
        for number, each in enumerate(seen):
            for span in (*each.pulses, *(one.run for one in stuck[number])):
                begin_us, end_us = int(each.times[span.begin]), int(each.times[span.end - 1])
                first = len(means) - -(-(end - begin_us) // (WINDOW_MIN * MINUTE_US))
                last = len(means) - (end - end_us) // (WINDOW_MIN * MINUTE_US)
                means[max(first, 0) : last + 1, number] = np.nan
        return means

    # ── the checks that need neighbours ─────────────────────────────────────────────────────────────────────────────

    def _stuck_runs(self, number: int, seen: Sequence[_Seen]) -> list[Stuck]:
        """Stretches in which the sensor stood still and should not have, an hour that is past among them."""
        each = seen[number]
        found = []
        for run in each.still:
            minutes = each.minutes(run)
            if minutes < STILL_MIN:
                continue
            length = each.count(run)
            usual, chance = self._habit(number, seen, run)
            times = STILL_TIMES if chance <= COARSE_FROM else STILL_TIMES_COARSE
            unlikely = chance**length * len(each.values) <= STILL_CHANCE
            # At the low end of its range a sensor may stand for good: what it would show lies under it.
            by_habit = usual is not None and run.height != 0 and length >= times * usual and unlikely
            moved, witnesses = self._neighbours_moved(number, seen, run)
            by_peers = minutes >= STILL_PEER_MIN and moved >= STILL_PEER_STEPS * self._step(number, seen)
            if by_habit or by_peers:
                found.append(Stuck(run, minutes, usual if by_habit else None, moved if by_peers else None, witnesses))
        return found

    def _stuck(self, each: _Seen, stuck: Sequence[Stuck]) -> Sign:
        if each.received == 0:
            return _SILENT
        found = next((one for one in reversed(stuck) if one.run.end > each.hour_begin), None)
        if found is None:
            return FINE
        run, minutes, usual, moved = found.run, found.minutes, found.usual, found.moved
        zh = f"{minutes:.0f} 分钟数值停在 {run.height:g} {each.unit}不变"
        en = f"has stood at {run.height:g} {each.unit} for {minutes:.0f} min"
        if moved is not None:
            zh, en = (
                f"{zh}，同风路测点同期变化 {moved:.2f}",
                f"{en} while neighbours in the same air moved by {moved:.2f}",
            )
        else:
            zh, en = (
                f"{zh}，平时最多约 {usual:.0f} 个采样不变",
                f"{en}; it usually repeats at most some {usual:.0f} samples",
            )
        begin = _clock(int(each.times[run.begin]))
        facts = {"since": begin, "minutes": round(minutes, 1), "value": run.height, "witnesses": found.witnesses}
        return Sign(FAULT, 1.0 if usual is not None and moved is not None else 0.9, zh, en, facts)

    def _habit(self, number: int, seen: Sequence[_Seen], run: Stretch) -> tuple[float | None, float]:
        """Samples that the sensor repeats at most by habit (its third-longest other run), and the chance to repeat one.

        A sensor that was not seen for long enough otherwise takes the habit of its type, where that is a restless one.
        """
        own = seen[number].habit(run)
        if own is not None:
            return own
        others = [habit for each in self._of_type(number, seen) if (habit := each.habit(None)) is not None]
        chance = float(np.median([chance for _, chance in others])) if others else 1.0
        if chance > COARSE_FROM:
            return None, 1.0
        return float(np.median([usual for usual, _ in others])), chance

    def _of_type(self, number: int, seen: Sequence[_Seen]) -> Iterator[_Seen]:
        """The other sensors of the same type."""
        for other, each in enumerate(seen):
            if other != number and each.sensor.sensor_type == self.sensors[number].sensor_type:
                yield each

    def _step(self, number: int, seen: Sequence[_Seen]) -> float:
        """The last digit that sensors of this type write, as far as any was seen to move."""
        steps = [each.step for each in (seen[number], *self._of_type(number, seen)) if each.step > 0]
        return min(steps, default=float("inf"))

    def _neighbours_moved(self, number: int, seen: Sequence[_Seen], run: Stretch) -> tuple[float, list[str]]:
        """By how much the neighbours' ten-sample means moved meanwhile, the median of them, in their unit."""
        each = seen[number]
        begin, end = int(each.times[run.begin]), int(each.times[run.end - 1]) + 1
        moved: list[tuple[float, str]] = []
        members = self.groups.get(self.sensors[number].quantity or "", [])
        for pair in self.near.get(number, ()):
            if pair.way.mixes:
                continue
            other = seen[members[pair.witness]]
            inside = other.sensor.span(begin, end)
            values = other.sensor.values[inside]
            values = values[np.isfinite(values)]
            if len(values) >= 30:
                blocks = values[: len(values) // 10 * 10].reshape(-1, 10).mean(axis=1)
                moved.append((float(blocks.max() - blocks.min()), other.sensor.point_id))
        if len(moved) < 2:
            return 0.0, []
        return float(np.median([amount for amount, _ in moved])), [name for _, name in moved]

    def _spikes(self, number: int, seen: Sequence[_Seen]) -> Sign:
        """Spikes to which no neighbour answers."""
        each = seen[number]
        if each.received == 0:
            return _SILENT
        found = [place for place in each.spikes if place >= each.hour_begin]
        found = [
            place
            for place in found
            if not self._others_moved(number, seen, int(each.times[place]))
            if not self._flow_changed(number, int(each.times[place]))
            if not any(pulse.begin - 4 <= place <= pulse.end + 4 for pulse in each.pulses)
        ]
        if not found:
            return FINE
        score = min(1.0, 0.6 + 0.1 * len(found))
        facts = {"at": [_clock(int(each.times[place])) for place in found[:5]], "count": len(found)}
        zh, en = f"出现 {len(found)} 个孤立尖峰，邻近测点无响应", f"{len(found)} lone spikes that no neighbour answers"
        return Sign(FAULT if len(found) >= MANY_SPIKES else WATCH, round(score, 4), zh, en, facts)

    def _others_moved(self, number: int, seen: Sequence[_Seen], at_us: int) -> bool:
        """Another sensor of the quantity in the same area, or any nearby, stands out at the same moment."""
        members = self.groups.get(self.sensors[number].quantity or "", [])
        area = self.sensors[number].area_id
        for other in members:
            if other != number and self.sensors[other].area_id == area:
                times, places = seen[other].times, seen[other].spikes
                if any(abs(int(times[place]) - at_us) <= MINUTE_US for place in places):
                    return True
        return False

    def _flow_changed(self, number: int, at_us: int) -> bool:
        """A fan was switched, or the air velocity in the sensor's area changed, within minutes of an instant."""
        own = self.sensors[number]
        for switch in self.switches:
            if switch.area_id == own.area_id or switch.quantity == "main_fan":
                near = switch.values[switch.span(at_us - SWITCHED_MIN * MINUTE_US, at_us + SWITCHED_MIN * MINUTE_US)]
                near = near[np.isfinite(near)]
                if len(near) and near.min() != near.max():
                    return True
        for other in self.flows:
            if other == number:
                continue
            sensor = self.sensors[other]
            if sensor.area_id != own.area_id and own.quantity != "air_velocity":
                continue
            before = sensor.values[sensor.span(at_us - 10 * MINUTE_US, at_us - MINUTE_US)]
            after = sensor.values[sensor.span(at_us + MINUTE_US, at_us + 6 * MINUTE_US)]
            if np.isfinite(before).sum() < 5 or np.isfinite(after).sum() < 3:
                continue
            was, now = float(np.nanmedian(before)), float(np.nanmedian(after))
            if abs(now - was) > max(FLOW_SHARE * abs(was), 6 * noise(before) / 3, 0.05):
                return True
        return False

    def _answers(
        self, number: int, begin_us: int, end_us: int, height: float, velocity: Mapping[str, float]
    ) -> tuple[bool, list[str]]:
        """Whether a neighbour moved the same way when the air brought it there, and who was asked."""
        members = self.groups.get(self.sensors[number].quantity or "", [])
        asked = []
        for pair in self.near.get(number, ()):
            minutes = pair.way.minutes(velocity)
            if minutes > NEAR_MIN:
                continue
            lag = int(minutes * MINUTE_US) * (-1 if pair.is_downstream else 1)
            slack = int(ANSWER_SLACK_MIN * MINUTE_US)
            other = self.sensors[members[pair.witness]]
            before = other.values[other.span(begin_us + lag - 12 * MINUTE_US, begin_us + lag - slack)]
            during = other.values[other.span(begin_us + lag - slack, end_us + lag + slack)]
            before, during = before[np.isfinite(before)], during[np.isfinite(during)]
            if len(before) < 4 or len(during) < 4:
                continue
            asked.append(other.point_id)
            level, sigma = float(np.median(before)), noise(before)
            far = float(np.quantile(during, 0.9 if height > 0 else 0.1)) - level
            if far * np.sign(height) >= max(ANSWER_SHARE * abs(height), 5 * sigma):
                return True, asked
        return False, asked

    def _calibration(self, number: int, seen: Sequence[_Seen], velocity: Mapping[str, float]) -> Sign:
        each = seen[number]
        if each.accuracy is None or each.accuracy.pulse is None:
            return _NO_RULE
        for pulse in each.pulses:
            if pulse.end <= each.hour_begin:
                continue
            begin_us, end_us = int(each.times[pulse.begin]), int(each.times[pulse.end - 1])
            answered, asked = self._answers(number, begin_us, end_us, pulse.height, velocity)
            if answered or self._flow_changed(number, begin_us):
                continue
            facts = {"begin": _clock(begin_us), "end": _clock(end_us), "height": round(pulse.height, 3), "asked": asked}
            at, amount = _clock(begin_us, True), f"{pulse.height:.2f} {each.unit}"
            zh = f"{at} 起出现 {amount} 的方波脉冲，邻近测点无响应、风量无变化：疑为未标记的标校"
            en = f"square pulse of {amount} at {at} that no neighbour answers, air flow unchanged: "
            en += "a calibration that was not flagged"
            return Sign(FAULT, 1.0 if asked else 0.8, zh, en, facts)
        every_d = each.accuracy.calibrated_every_d
        if every_d is None or every_d > CALIBRATIONS_BACK.days:
            return FINE
        end = each.hour_us + HOUR_US
        told, _ = self.told.get(each.sensor.point_id, NOTHING)
        told = told[told < end]
        if len(told):
            days = (end - int(told[-1])) / (24 * HOUR_US)
            if days > every_d:
                zh = f"距上次标校 {days:.0f} 天，超过 {every_d:.0f} 天的周期"
                en = f"last calibrated {days:.0f} days ago, due every {every_d:.0f}"
                return Sign(WATCH, round(min(0.6, 0.3 * days / every_d), 4), zh, en, {"days": round(days, 1)})
        return FINE

    def _level(
        self,
        number: int,
        seen: Sequence[_Seen],
        velocity: Mapping[str, float],
        wrong: Mapping[int, Departure],
        judged: set[int],
        means: Floats,
    ) -> dict[str, Sign]:
        """Offset and drift: a level that jumped without the air, or left its neighbours by and by."""
        each = seen[number]
        if each.received == 0:
            return {"offset": _SILENT, "drift": _SILENT}
        departure = wrong.get(number)
        step = self._lone_step(number, seen, velocity)
        nobody = FINE if number in judged else _NOBODY
        end_us = each.hour_us + HOUR_US
        if departure is not None:
            since_us = end_us - (len(means) - departure.since) * WINDOW_MIN * MINUTE_US
            if step is not None and abs(int(each.times[step.begin]) - since_us) <= HOUR_US:
                return self._departed(each, departure, int(each.times[step.begin]), True)
            # What passes within the hour may be the air's doing.
            if end_us - since_us >= LASTS_MIN * MINUTE_US:
                return self._departed(each, departure, since_us, departure.is_jump)
        if step is not None:
            at = int(each.times[step.begin])
            facts = {"since": _clock(at), "shift": round(step.height, 3)}
            zh = f"{_clock(at, True)} 数值突变 {step.height:+.2f} {each.unit} 且未恢复，风量无变化"
            en = f"jumped by {step.height:+.2f} {each.unit} at {_clock(at, True)} and stayed, air flow unchanged"
            return {"offset": Sign(FAULT, 0.7, zh, en, facts), "drift": _NOBODY}
        return {"offset": nobody, "drift": self._aged(number, means, end_us) or nobody}

    def _aged(self, number: int, means: Floats, end_us: int) -> Sign | None:
        """Oxygen that fell by and by at one sensor while no other gas in its area took the place: the cell ages.

        It may be true all the same (blackdamp carries neither methane nor carbon monoxide), so it is watched, no fault.
        """
        sensor = self.sensors[number]
        if sensor.quantity != "o2" or sensor.accuracy is None:
            return None
        aged = aged_alone(means[:, number], sensor.accuracy)
        if aged is None:
            return None
        for other, each in enumerate(self.sensors):
            if each.area_id == sensor.area_id and each.quantity in DISPLACING and each.accuracy is not None:
                rose = rise_of(means[:, other])
                if rose >= each.accuracy.departure(0.0):
                    return None
        since_us = end_us - (len(means) - aged.since) * WINDOW_MIN * MINUTE_US
        amount = f"{aged.shift:+.2f} {sensor.unit or ''}"
        at = _clock(since_us, True)
        zh = f"{at} 前后起氧气缓慢下降 {amount}，同区域其他气体无变化：传感器老化或氧气确被消耗，请立即核对"
        en = f"oxygen has crept down by {amount} since about {at} while no other gas of the area changed: "
        en += "the cell ages, or the oxygen is really used up; check at once"
        facts = {"since": _clock(since_us), "shift": round(aged.shift, 3), "expected": round(aged.expected, 3)}
        return Sign(WATCH, round(min(0.6, 0.3 + 0.1 * aged.ratio), 4), zh, en, facts)

    def _departed(self, each: _Seen, departure: Departure, since_us: int, is_jump: bool) -> dict[str, Sign]:
        peers = [self.sensors[n].point_id for n in departure.witnesses]
        facts = {
            "since": _clock(since_us),
            "shift": round(departure.shift, 3),
            "expected": round(departure.expected, 3),
            "witnesses": len(peers),
        }
        score = round(min(1.0, 0.5 + 0.2 * departure.ratio), 4)
        amount, at = f"{departure.shift:+.2f} {each.unit}", _clock(since_us, True)
        if is_jump:
            zh = f"{at} 起比同风路测点推算值突变 {amount}"
            en = f"has shown {amount} against what its neighbours in the air say, all at once from {at}"
        else:
            zh = f"{at} 前后开始偏离，现比同风路测点推算值差 {amount}"
            en = f"has drifted to {amount} against what its neighbours in the air say, since about {at}"
        sign = Sign(FAULT, score, zh, en, facts)
        return {"offset": sign, "drift": FINE} if is_jump else {"offset": FINE, "drift": sign}

    def _lone_step(self, number: int, seen: Sequence[_Seen], velocity: Mapping[str, float]) -> Stretch | None:
        """The last step of the sensor that neither air flow nor a neighbour explains and that nothing took back."""
        each = seen[number]
        if each.accuracy is None:
            return None
        alone = []
        for step in each.steps:
            at = int(each.times[step.begin])
            if any(abs(step.begin - run.end) <= 2 for run in each.still if each.minutes(run) >= STILL_MIN):
                continue
            if any(pulse.begin - 4 <= step.begin <= pulse.end + 4 for pulse in each.pulses):
                continue
            if self._flow_changed(number, at) or _takes_back(each, step):
                continue
            answered, _ = self._answers(number, at, at + 10 * MINUTE_US, step.height, velocity)
            if not answered:
                alone.append(step)
        left: list[Stretch] = []
        for step in alone:
            if left and abs(left[-1].height + step.height) <= 0.4 * abs(left[-1].height):
                left.pop()
            else:
                left.append(step)
        return left[-1] if left else None

    def _swapped(self, seen: Sequence[_Seen]) -> dict[int, Sign]:
        """Two sensors of one type and area whose levels contradict the way of the air, and would not if exchanged."""
        found: dict[int, tuple[float, Sign]] = {}
        for quantity in SWAPPABLE:
            members = self.groups.get(quantity, [])
            level = [float(np.nanmedian(v)) if np.isfinite(v := seen[m].values).sum() >= 120 else None for m in members]
            pairs = [pair for pair in self.pairs.get(quantity, ()) if pair.is_downstream and not pair.way.mixes]
            for first, one in enumerate(members):
                for second, two in enumerate(members[:first]):
                    a, b = self.sensors[one], self.sensors[two]
                    if a.sensor_type != b.sensor_type or a.area_id != b.area_id:
                        continue
                    gain = self._gain_of_exchange(quantity, members, pairs, level, first, second)
                    if gain < 1:
                        continue
                    for number, other in ((one, b), (two, a)):
                        zh = f"与 {other.name_zh} 的数值不合风流顺序，互换后相符：疑为通道接反"
                        en = f"contradicts the way of the air, and would not if exchanged with point {other.point_id}: "
                        en += "channels swapped"
                        if gain > found.get(number, (0.0, FINE))[0]:
                            score = round(min(1.0, 0.5 + 0.2 * gain), 4)
                            found[number] = gain, Sign(FAULT, score, zh, en, {"with": other.point_id})
        return {number: sign for number, (_, sign) in found.items()}

    def _gain_of_exchange(
        self,
        quantity: str,
        members: Sequence[int],
        pairs: Sequence[Pair],
        level: Sequence[float | None],
        first: int,
        second: int,
    ) -> float:
        """By how much less the levels contradict each other when two are exchanged; 0 where much is left."""
        asked = [pair for pair in pairs if {pair.sensor, pair.witness} & {first, second}]
        changed = list(level)
        changed[first], changed[second] = level[second], level[first]
        before = sum(self._contradiction(quantity, members, pair, level) for pair in asked)
        after = sum(self._contradiction(quantity, members, pair, changed) for pair in asked)
        return (before - after) / CONTRADICTION if after <= 0.3 * before else 0.0

    def _contradiction(self, quantity: str, members: Sequence[int], pair: Pair, level: Sequence[float | None]) -> float:
        """How far two levels contradict the air that flows from the witness to the sensor, on a logarithmic scale.

        In one air they are the same. Where gas joins it can only grow; where air leaves its quantity can only shrink.
        """
        up, down = level[pair.witness], level[pair.sensor]
        if up is None or down is None:
            return 0.0
        if quantity == "air_velocity":
            sections = [self._section(self.sensors[members[n]]) for n in (pair.witness, pair.sensor)]
            return max(0.0, float(np.log((down * sections[1] + 1) / (up * sections[0] + 1))) - SAME_SHARE)
        zero = 0.03
        fall = float(np.log((up + zero) / (down + zero)))
        return max(0.0, (fall if pair.way.meets_source else abs(fall)) - SAME_SHARE)

    def _section(self, sensor: Sensor) -> float:
        assert self.ways is not None
        assert sensor.place is not None
        return next(edge.section_m2 for edge in self.ways.site.edges if edge.edge_id == sensor.place.edge_id)


@dataclass(frozen=True)
class _Seen:
    """One sensor up to the end of one hour."""

    sensor: Sensor
    hour_us: int

    @cached_property
    def _inside(self) -> slice:
        back = int(RAW_BACK / timedelta(microseconds=1))
        return self.sensor.span(self.hour_us - back, self.hour_us + HOUR_US)

    @cached_property
    def times(self) -> Ints:
        return self.sensor.times[self._inside]

    @cached_property
    def values(self) -> Floats:
        """NaN while it was being calibrated."""
        values = self.sensor.values[self._inside].copy()
        values[self.sensor.calibrating[self._inside]] = np.nan
        return values

    @property
    def unit(self) -> str:
        return self.sensor.unit or ""

    @property
    def accuracy(self) -> Accuracy | None:
        return self.sensor.accuracy

    @cached_property
    def hour_begin(self) -> int:
        """Place of the hour's first sample."""
        return int(np.searchsorted(self.times, self.hour_us))

    @cached_property
    def received(self) -> int:
        return int(np.isfinite(self.values[self.hour_begin :]).sum())

    @cached_property
    def calibrated(self) -> int:
        return int(self.sensor.calibrating[self._inside][self.hour_begin :].sum())

    @cached_property
    def step(self) -> float:
        return last_digit(self.values)

    @cached_property
    def still(self) -> list[Stretch]:
        return standing(self.times, self.values, int(HELD_PERIODS * self.sensor.period_s * 1_000_000))

    @cached_property
    def pulses(self) -> list[Stretch]:
        if self.accuracy is None or self.accuracy.pulse is None:
            return []
        return list(pulses(self.times, self.values, self.accuracy.pulse))

    @cached_property
    def spikes(self) -> list[int]:
        least = accuracy_of(self.sensor.quantity, None)
        return spikes(self.values, max(1.5 * least.error_abs if least else 0.0, 8 * self.step))

    @cached_property
    def steps(self) -> list[Stretch]:
        least = accuracy_of(self.sensor.quantity, None)
        return list(steps(self.times, self.values, least.error_abs)) if least else []

    def count(self, run: Stretch) -> int:
        return int(np.isfinite(self.values[run.begin : run.end]).sum())

    def minutes(self, run: Stretch) -> float:
        return float(self.times[run.end - 1] - self.times[run.begin]) / MINUTE_US

    def habit(self, run: Stretch | None) -> tuple[float, float] | None:
        """The third-longest run of equal samples beside `run`, and the chance that a sample repeats the one before.

        None where too little is known.
        """
        outside = np.isfinite(self.values)
        if run is not None:
            outside[run.begin : run.end] = False
        total = int(outside.sum())
        if total < 120:
            return None
        lengths = sorted((self.count(each) for each in self.still if each != run), reverse=True)
        longest = float(lengths[2]) if len(lengths) > 2 else 1.0
        repeats = sum(length - 1 for length in lengths)
        return max(longest, 1.0), min(1.0, (repeats + 1) / (total + 2))


def _takes_back(each: _Seen, step: Stretch) -> bool:
    """Whether the step brings the sensor back to where it stood before: what left it there was the air, or is over."""
    before = each.values[: step.begin]
    before = before[np.isfinite(before)]
    if len(before) < 40:
        return False
    usual = float(np.median(before[: len(before) // 2]))
    return abs(float(np.median(before[-10:])) + step.height - usual) <= 0.4 * abs(step.height)


_SILENT = Sign(UNKNOWN, None, "本小时无数据", "no data in this hour")
_NOBODY = Sign(UNKNOWN, None, "同风路没有可比测点", "no neighbour in the same air to compare with")
_NO_RULE = Sign(OK, 0.0)


def _completeness(each: _Seen, began_us: int) -> Sign:
    """What came of what should have, since the mine's data began."""
    expected = max(1.0, (each.hour_us + HOUR_US - began_us) / 1e6 / each.sensor.period_s)
    share = min(1.0, (each.received + each.calibrated) / expected)
    verdict = OK if share >= COMPLETE else WATCH if share >= HALF_GONE else FAULT
    facts = {"received": each.received, "calibrating": each.calibrated, "expected": round(expected)}
    zh = en = ""
    if verdict != OK:
        zh, en = f"应到数据只来了 {100 * share:.1f} %", f"only {100 * share:.1f} % of the values came"
    return Sign(verdict, round(1 - share, 4), zh, en, facts)


def _noise(each: _Seen) -> Sign:
    restless = each.values.copy()
    for run in each.still:
        if each.minutes(run) >= STILL_MIN:
            restless[run.begin : run.end] = np.nan
    before, now = restless[: each.hour_begin], restless[each.hour_begin :]
    if np.isfinite(now).sum() < 20:
        return _SILENT if each.received == 0 else Sign(UNKNOWN, None, "样本不足", "too few samples")
    if np.isfinite(before).sum() < 60:
        return Sign(UNKNOWN, None, "此前样本不足", "too few samples before")
    usual = max(roughness(before), 0.3 * each.step)
    ratio = roughness(now) / usual if usual > 0 else 1.0
    least = 3 * each.step
    if ratio < NOISY or roughness(now) < least:
        return Sign(OK, round(min(0.4, 0.4 * ratio / NOISY), 4), facts={"ratio": round(ratio, 2)})
    zh, en = f"噪声为平时的 {ratio:.1f} 倍", f"{ratio:.1f} times as noisy as usual"
    verdict = FAULT if ratio >= VERY_NOISY else WATCH
    return Sign(verdict, round(min(1.0, 0.5 + 0.1 * ratio), 4), zh, en, {"ratio": round(ratio, 2)})


def _clock(us: int, short: bool = False) -> str:
    """An instant, ISO 8601 in UTC; `short` for a sentence."""
    at = datetime.fromtimestamp(us / 1e6, UTC)
    return f"{at:%H:%M} UTC" if short else at.isoformat()


def _row(each: _Seen, signs: Mapping[str, Sign]) -> dict[str, Any]:
    """One row of gold.sensor_health."""
    sensor = each.sensor
    worst = min(signs.values(), key=lambda sign: (VERDICTS.index(sign.verdict), -(sign.score or 0)))
    if worst.verdict == UNKNOWN and any(sign.verdict == OK for sign in signs.values()) and each.received:
        worst = FINE
    leading = next((name for name in HEALTH_CHECKS if signs[name] is worst), None) if worst.verdict != OK else None
    told = [(name, signs[name]) for name in HEALTH_CHECKS if signs[name].verdict in (FAULT, WATCH)]
    told.sort(key=lambda pair: (VERDICTS.index(pair[1].verdict), -(pair[1].score or 0)))
    zh = "；".join(sign.zh for _, sign in told) or ("仪表正常" if worst.verdict == OK else worst.zh)
    en = "; ".join(sign.en for _, sign in told) or ("in order" if worst.verdict == OK else worst.en)
    findings = [
        {"check": name, "verdict": sign.verdict, "score": sign.score, "zh": sign.zh, "en": sign.en, **sign.facts}
        for name, sign in signs.items()
        if sign.verdict != OK
    ]
    row: dict[str, Any] = {
        "mine_code": sensor.mine_code,
        "point_id": sensor.point_id,
        "hour": datetime.fromtimestamp(each.hour_us / 1e6, UTC),
        "area_id": sensor.area_id or "unplaced",
        "quantity": sensor.quantity,
        "verdict": worst.verdict,
        "leading_check": leading,
        "score": max((sign.score for sign in signs.values() if sign.score is not None), default=None),
        "findings": json.dumps(findings, ensure_ascii=False),
        "sentence_zh": f"{sensor.name_zh}：{zh}；{VERDICT_ZH[worst.verdict]}。",
        "sentence_en": f"Point {sensor.point_id}: {en}; {worst.verdict}.",
    }
    for name, sign in signs.items():
        row[f"{name}_score"], row[f"{name}_verdict"] = sign.score, sign.verdict
    return row
