"""What instruments and the network make of the true air: response, drift, noise, last digit, and their faults.

y = last digit of (gain · (response ∗ true) + offset + noise), clipped to the range. Every point draws from its own
random stream, so that one sensor more changes nothing at the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from minefusion.pipelines.simulate.air import (
    CH4,
    CO,
    CO2,
    DEFICIT,
    FRESH_CO2_PCT,
    FRESH_CO_PPM,
    FRESH_O2_PCT,
    H2,
    HUMIDITY_PCT,
    MOISTURE,
    NAMED,
    RETURN_HUMIDITY_PCT,
    STEP_S,
    WARMTH,
    AirTruth,
)
from minefusion.pipelines.simulate.faults import DAY_S, Fault, dropouts, offset_jumps, spikes, stays, times
from minefusion.pipelines.simulate.layout import Layout
from minefusion.pipelines.simulate.points import Instruments, Point
from minefusion.pipelines.simulate.scenario import Instrumental
from minefusion.pipelines.simulate.streams import stream

Floats = NDArray[np.float64]
Flags = NDArray[np.int16]

ALARM, CUT, CALIBRATION, OVER_RANGE, SUBSTATION_FAULT, SENSOR_FAULT = 1, 2, 4, 8, 16, 128
WEEK_D = 7.0
CALIBRATED_EVERY_D = 15.0
# A calibration: air without the gas, then test gas, then the air of the place again [s].
ZERO_S, GAS_S, BACK_S = 180, 150, 120
TEST_GAS = {"ch4": (1.0, 2.0), "co": (40.0, 60.0)}  # strength drawn between the two
# Gain [per week] and offset [unit per week] by which a sensor drifts since it was last calibrated: mean, deviation.
GAIN_DRIFT = {"ch4": (-0.010, 0.003), "air_velocity": (-0.005, 0.001)}
OFFSET_DRIFT = {"co": (0.0, 0.5), "o2": (-0.03, 0.01)}
# A sensor that goes wrong: share of its gain that it loses in the end, hours until then, jump of its zero, spike; the
# last two in units of the quantity, give or take 30 %.
LOST_GAIN = {"ch4": (0.3, 0.5), "co": (0.35, 0.55), "o2": (0.06, 0.1), "air_velocity": (0.3, 0.45)}
DRIFTS_H = (5.0, 24.0)
JUMP = {"ch4": 0.2, "co": 9.0, "o2": 1.1, "air_velocity": 0.8, "temperature": 5.0}
SPIKE = {"ch4": 1.6, "co": 40.0, "o2": 5.0, "air_velocity": 4.0, "temperature": 25.0}
SPIKE_S = 30
WRONG_CLOCK_S = (100, 300)
LASER_DRIFTS = 0.1  # a laser sensor drifts so much less than a catalytic one
OUTAGE_MIN = (3.0, 10.0)
LATE_MIN = (2.0, 8.0)


@dataclass(frozen=True)
class Observed:
    """What the monitoring system has of its analog points; arrays are steps × points, in the order of the points.

    Attributes:
        true: true value at the sensor's place; NaN for a switch.
        value: as transmitted; NaN where none is.
        status: bits of the instrument layer (calibration, over range, faults).
        skew_s: what the clock of each point's substation is ahead.
        outage, late: steps × substations; while late, a substation keeps its records and sends them afterwards.
    """

    true: Floats
    value: Floats
    status: Flags
    skew_s: NDArray[np.int64]
    substation: NDArray[np.intp]
    outage: NDArray[np.bool_]
    late: NDArray[np.bool_]
    faults: tuple[Fault, ...]


def nothing_observed(steps: int) -> Observed:
    """What a mine without a safety-monitoring feed has."""
    values, switches = np.empty((steps, 0)), np.empty((steps, 0), dtype=bool)
    nowhere = np.empty(0, dtype=np.intp)
    return Observed(values, values, values.astype(np.int16), nowhere.astype(np.int64), nowhere, switches, switches, ())


def true_values(
    layout: Layout, points: Sequence[Point], air: AirTruth, machines: Mapping[str, Floats] = MappingProxyType({})
) -> Floats:
    """What each analog point would show were it perfect; NaN for switches.

    Args:
        machines: steps × machines by quantity, for the points that watch one.
    """
    true = np.full((air.steps, len(points)), np.nan)
    for number, point in enumerate(points):
        seen, quantity = air.seen[:, number], point.kind.quantity
        if point.machine is not None:
            name, which = point.machine
            true[:, number] = machines[name][: air.steps, which]
        elif quantity == "ch4":
            true[:, number] = point.factor * seen[:, CH4]
        elif quantity == "co":
            true[:, number] = FRESH_CO_PPM + seen[:, CO]
        elif quantity == "o2":
            true[:, number] = FRESH_O2_PCT * (1 - seen[:, CH4] / 100) - seen[:, DEFICIT]
        elif quantity == "temperature":
            true[:, number] = air.temperature_c[point.edge] + seen[:, WARMTH]
        elif quantity == "air_velocity":
            section = layout.edges[point.edge].section_m2 * air.narrowed[:, point.edge]
            true[:, number] = np.abs(air.flow[:, point.edge]) / section
        elif quantity == "co2":
            true[:, number] = FRESH_CO2_PCT + seen[:, CO2]
        elif quantity == "n2":  # what the others leave
            oxygen = FRESH_O2_PCT * (1 - seen[:, CH4] / 100) - seen[:, DEFICIT]
            small = FRESH_CO2_PCT + seen[:, CO2] + seen[:, H2] + (FRESH_CO_PPM + seen[:, CO]) / 1e4
            true[:, number] = 100 - oxygen - seen[:, CH4] - small
        elif quantity in _CARRIED:
            true[:, number] = seen[:, NAMED[quantity]]
        elif quantity == "humidity":
            usual = HUMIDITY_PCT.get(layout.roles[point.edge], RETURN_HUMIDITY_PCT)
            true[:, number] = np.clip(usual + seen[:, MOISTURE], 5.0, 99.0)
        elif quantity == "pressure":
            true[:, number] = air.pressure_pa / 1000
        elif quantity == "negative_pressure":
            true[:, number] = machines["fan_pressure"][: air.steps, 0] / 1000
    return true


_CARRIED = ("h2", "c2h4", "c2h6", "no2", "so2", "h2s", "nh3")


def observe(
    layout: Layout,
    instruments: Instruments,
    air: AirTruth,
    settings: Instrumental,
    seed: int,
    machines: Mapping[str, Floats] = MappingProxyType({}),
) -> Observed:
    """Look at the true air, and at the machines by quantity, through the mine's instruments."""
    points = instruments.points
    true = true_values(layout, points, air, machines)
    codes = [substation.code for substation in instruments.substations]
    substation = np.array([codes.index(point.substation) for point in points], dtype=np.intp)
    outage, late, skew, faults = _network(codes, settings, air.steps, seed)
    value, status = np.full_like(true, np.nan), np.zeros(true.shape, dtype=np.int16)
    for number, point in enumerate(points):
        if point.kind.value_kind == "MN":
            own = stream(seed, "instruments", point.code), stream(seed, "faults", point.code)
            seen = _Instrument(point, settings, air.steps, *own)
            value[:, number], status[:, number] = seen.watch(true[:, number])
            faults += seen.faults
    faults += _swapped(points, settings, value, status, seed)
    down = outage[:, substation]
    status[down] = SUBSTATION_FAULT
    value[down] = np.nan
    faults.sort(key=lambda fault: (fault.begin, fault.entity, fault.code))
    return Observed(true, value, status, skew[substation], substation, outage, late, tuple(faults))


def _network(
    codes: Sequence[str], settings: Instrumental, steps: int, seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64], list[Fault]]:
    """Outages, links that come back late, and clocks, per substation."""
    outage = np.zeros((steps, len(codes)), dtype=bool)
    late = np.zeros_like(outage)
    skew = np.zeros(len(codes), dtype=np.int64)
    faults = []
    for number, code in enumerate(codes):
        rng = stream(seed, "network", code)
        skew[number] = rng.integers(-settings.clock_skew_s, settings.clock_skew_s + 1)
        wrong = stream(seed, "faults", code)
        if settings.clocks_wrong and wrong.random() < settings.clocks_wrong:
            skew[number] = wrong.choice((-1, 1)) * wrong.integers(*WRONG_CLOCK_S)
            faults.append(Fault("clock_skew", code, 0, steps, float(skew[number])))
        for rate, minutes, holds, name in (
            (settings.substation_outages, OUTAGE_MIN, outage, "substation_outage"),
            (settings.late_batches, LATE_MIN, late, "late_batch"),
        ):
            for begin in times(rate, steps, STEP_S, rng):
                end = min(steps - 1, begin + int(60 * rng.uniform(*minutes) / STEP_S))
                if end > begin:
                    holds[begin:end, number] = True
                    faults.append(Fault(name, code, begin, end))
    late &= ~outage
    return outage, late, skew, faults


def _swapped(
    points: Sequence[Point], settings: Instrumental, value: Floats, status: Flags, seed: int
) -> Iterator[Fault]:
    """Two sensors of one kind at a substation that have changed places for the whole run: each shows the other's."""
    if not settings.swapped:
        return
    by_kind: dict[tuple[str, str], list[int]] = {}
    for number, point in enumerate(points):
        if point.kind.value_kind == "MN":
            by_kind.setdefault((point.substation, point.kind.code), []).append(number)
    for (substation, code), alike in by_kind.items():
        rng = stream(seed, "faults", substation, code)
        if len(alike) >= 2 and rng.random() < settings.swapped:
            pair = [int(number) for number in rng.choice(alike, 2, replace=False)]
            value[:, pair], status[:, pair] = value[:, pair[::-1]], status[:, pair[::-1]]
            for one, other in (pair, pair[::-1]):
                yield Fault("swapped", points[one].code, 0, len(value), other=points[other].code)


class _Instrument:
    """One analog sensor over the run; the faults that come by chance draw from a stream of their own."""

    def __init__(
        self, point: Point, settings: Instrumental, steps: int, rng: np.random.Generator, chance: np.random.Generator
    ) -> None:
        self.point, self.settings, self.steps, self.rng, self.chance = point, settings, steps, rng, chance
        self.faults: list[Fault] = []

    def watch(self, true: Floats) -> tuple[Floats, Flags]:
        """Transmitted values and their status bits."""
        kind, settings, rng = self.point.kind, self.settings, self.rng
        status = np.zeros(self.steps, dtype=np.int16)
        air, calibrated_at = self._calibrated(true, status)
        seen = _respond(air, settings.lag * kind.response_s)
        gain, offset = self._drift(calibrated_at)
        noise = rng.standard_normal(self.steps) * settings.noise * (kind.noise + kind.noise_share * np.abs(seen))
        value = self._gone_wrong(gain * seen + offset + noise, calibrated_at)
        digits = kind.decimals
        value = np.round(np.round(value / kind.step) * kind.step, digits) + 0.0
        assert kind.low is not None, "an analog sensor has a range"
        assert kind.high is not None, "an analog sensor has a range"
        over = value >= kind.high
        self._spike(value)
        value = np.clip(value, kind.low if kind.quantity == "temperature" else max(kind.low, 0.0), kind.high)
        status[over] |= OVER_RANGE
        self._stick(value)
        self._drop(value, status)
        return value, status

    def _calibrated(self, true: Floats, status: Flags) -> tuple[Floats, list[int]]:
        """The air at the sensor with the test gas of its calibrations, and the steps at which it is set right."""
        gas = TEST_GAS.get(self.point.kind.quantity)
        air = true.copy()
        done: list[int] = []
        if gas is None:
            return air, done
        zero, test, back = (seconds // STEP_S for seconds in (ZERO_S, GAS_S, BACK_S))
        free = 0
        for begin in times(self.settings.calibrations, self.steps, STEP_S, self.rng):
            strength = float(self.rng.uniform(*gas))
            flagged = self.rng.random() >= self.settings.calibrations_unflagged
            end = begin + zero + test + back
            if begin < free or end >= self.steps:
                continue
            free = end
            air[begin : begin + zero] = 0.0
            air[begin + zero : begin + zero + test] = strength
            if flagged:
                status[begin:end] |= CALIBRATION
            code = "calibration" if flagged else "calibration_unflagged"
            self.faults.append(Fault(code, self.point.code, begin, end))
            done.append(begin + zero)
        return air, done

    def _drift(self, calibrated_at: Sequence[int]) -> tuple[Floats, Floats]:
        """Gain and offset at each step; both grow with the time since the last calibration."""
        quantity, rng = self.point.kind.quantity, self.rng
        age_d = float(rng.uniform(0, CALIBRATED_EVERY_D)) + np.arange(self.steps) * STEP_S / DAY_S
        for step in calibrated_at:
            age_d[step:] -= age_d[step]
        scale = self.settings.drift * (LASER_DRIFTS if self.point.kind.code == "0043" else 1.0) / WEEK_D
        slope = {name: rng.normal(*table.get(quantity, (0.0, 0.0))) for name, table in _DRIFTS.items()}
        return 1 + scale * slope["gain"] * age_d, scale * slope["offset"] * age_d

    def _gone_wrong(self, value: Floats, calibrated_at: Sequence[int]) -> Floats:
        """With the slow loss of gain of a poisoned sensor and the jumps of its zero; a calibration mends both."""
        quantity, code, rate = self.point.kind.quantity, self.point.code, self.settings
        for begin in times(rate.drifts if quantity in LOST_GAIN else 0.0, self.steps, STEP_S, self.chance):
            lost = float(self.chance.uniform(*LOST_GAIN[quantity]))
            grows = int(3600 * self.chance.uniform(*DRIFTS_H) / STEP_S)
            end = next((step for step in calibrated_at if step > begin), self.steps)
            share = np.minimum(np.arange(end - begin) / grows, 1.0)
            value[begin:end] *= 1 - lost * share
            self.faults.append(Fault("drift", code, begin, end, round(lost * float(share[-1]), 4)))
        per_day = rate.offset_jumps if quantity in JUMP else 0.0
        jumps = offset_jumps(per_day, self.steps, STEP_S, JUMP.get(quantity, 0.0), self.chance)
        for begin, until, change in jumps:
            end = next((step for step in calibrated_at if begin < step < until), until)
            value[begin:end] += change
            self.faults.append(Fault("offset_jump", code, begin, end, round(change, 4)))
        return value

    def _spike(self, value: Floats) -> None:
        quantity = self.point.kind.quantity
        rate = self.settings.spikes if quantity in SPIKE else 0.0
        for begin, _, change in spikes(rate, self.steps, STEP_S, SPIKE.get(quantity, 0.0), self.chance):
            end = min(begin + SPIKE_S // STEP_S, self.steps)
            value[begin:end] = np.round(value[begin:end] + change, self.point.kind.decimals)
            self.faults.append(Fault("spike", self.point.code, begin, end, round(change, 4)))

    def _stick(self, value: Floats) -> None:
        for begin, end in stays(self.settings.stuck, self.steps, STEP_S, self.rng):
            value[begin:end] = value[begin]
            self.faults.append(Fault("stuck", self.point.code, begin, end))

    def _drop(self, value: Floats, status: Flags) -> None:
        spans = dropouts(self.settings.dropouts, self.settings.dropout_min, self.steps, STEP_S, self.rng)
        for begin, end in spans:
            value[begin:end] = np.nan
            status[begin:end] = SENSOR_FAULT
            self.faults.append(Fault("dropout", self.point.code, begin, end))


_DRIFTS = {"gain": GAIN_DRIFT, "offset": OFFSET_DRIFT}


def _respond(true: Floats, t90_s: float) -> Floats:
    """First-order response that reaches nine tenths of a jump after `t90_s`; none for 0."""
    if t90_s <= 0:
        return true
    keep = math.exp(-STEP_S * math.log(10) / t90_s)
    return lfilter([1 - keep], [1.0, -keep], true, zi=[keep * true[0]])[0]
