"""What instruments and the network make of the true air: response, drift, noise, last digit, and their faults.

y = last digit of (gain · (response ∗ true) + offset + noise), clipped to the range. Every point draws from its own
random stream, so that one sensor more changes nothing at the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from minefusion.pipelines.simulate.air import CH4, CO, DEFICIT, FRESH_CO_PPM, FRESH_O2_PCT, STEP_S, WARMTH, AirTruth
from minefusion.pipelines.simulate.layout import Layout
from minefusion.pipelines.simulate.points import Instruments, Point
from minefusion.pipelines.simulate.scenario import Instrumental
from minefusion.pipelines.simulate.streams import stream

Floats = NDArray[np.float64]
Flags = NDArray[np.int16]

ALARM, CUT, CALIBRATION, OVER_RANGE, SUBSTATION_FAULT, SENSOR_FAULT = 1, 2, 4, 8, 16, 128
DAY_S = 86_400.0
WEEK_D = 7.0
CALIBRATED_EVERY_D = 15.0
# A calibration: air without the gas, then test gas, then the air of the place again [s].
ZERO_S, GAS_S, BACK_S = 180, 150, 120
TEST_GAS = {"ch4": (1.0, 2.0), "co": (40.0, 60.0)}  # strength drawn between the two
# Gain [per week] and offset [unit per week] by which a sensor drifts since it was last calibrated: mean, deviation.
GAIN_DRIFT = {"ch4": (-0.010, 0.003), "air_velocity": (-0.005, 0.001)}
OFFSET_DRIFT = {"co": (0.0, 0.5), "o2": (-0.03, 0.01)}
LASER_DRIFTS = 0.1  # a laser sensor drifts so much less than a catalytic one
STUCK_MIN = (40.0, 150.0)
OUTAGE_MIN = (3.0, 10.0)
LATE_MIN = (2.0, 8.0)
DROPOUT_SPREAD = 0.8  # of the log-normal length


@dataclass(frozen=True)
class Fault:
    """Something wrong or out of the ordinary with a point or substation, from one step to another.

    `code`: calibration, calibration_unflagged, stuck, dropout, substation_outage or late_batch.
    """

    code: str
    entity: str
    begin: int
    end: int


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


def true_values(layout: Layout, points: Sequence[Point], air: AirTruth) -> Floats:
    """What each analog point would show were it perfect; NaN for switches."""
    true = np.full((air.steps, len(points)), np.nan)
    for number, point in enumerate(points):
        seen, quantity = air.seen[:, number], point.kind.quantity
        if quantity == "ch4":
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
    return true


def observe(layout: Layout, instruments: Instruments, air: AirTruth, settings: Instrumental, seed: int) -> Observed:
    """Look at the true air through the mine's instruments."""
    points = instruments.points
    true = true_values(layout, points, air)
    codes = [substation.code for substation in instruments.substations]
    substation = np.array([codes.index(point.substation) for point in points], dtype=np.intp)
    outage, late, skew, faults = _network(codes, settings, air.steps, seed)
    value, status = np.full_like(true, np.nan), np.zeros(true.shape, dtype=np.int16)
    for number, point in enumerate(points):
        if point.kind.value_kind == "MN":
            seen = _Instrument(point, settings, air.steps, stream(seed, "instruments", point.code))
            value[:, number], status[:, number] = seen.watch(true[:, number])
            faults += seen.faults
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
        for rate, minutes, holds, name in (
            (settings.substation_outages, OUTAGE_MIN, outage, "substation_outage"),
            (settings.late_batches, LATE_MIN, late, "late_batch"),
        ):
            for begin in _times(rate, steps, rng):
                end = min(steps - 1, begin + int(60 * rng.uniform(*minutes) / STEP_S))
                if end > begin:
                    holds[begin:end, number] = True
                    faults.append(Fault(name, code, begin, end))
    late &= ~outage
    return outage, late, skew, faults


def _times(per_day: float, steps: int, rng: np.random.Generator) -> list[int]:
    """Steps at which something happens that happens `per_day` times a day on average."""
    count = int(rng.poisson(per_day * steps * STEP_S / DAY_S))
    return sorted(int(step) for step in rng.integers(0, steps, count))


class _Instrument:
    """One analog sensor over the run."""

    def __init__(self, point: Point, settings: Instrumental, steps: int, rng: np.random.Generator) -> None:
        self.point, self.settings, self.steps, self.rng = point, settings, steps, rng
        self.faults: list[Fault] = []

    def watch(self, true: Floats) -> tuple[Floats, Flags]:
        """Transmitted values and their status bits."""
        kind, settings, rng = self.point.kind, self.settings, self.rng
        status = np.zeros(self.steps, dtype=np.int16)
        air, calibrated_at = self._calibrated(true, status)
        seen = _respond(air, settings.lag * kind.response_s)
        gain, offset = self._drift(calibrated_at)
        noise = rng.standard_normal(self.steps) * settings.noise * (kind.noise + kind.noise_share * np.abs(seen))
        value = gain * seen + offset + noise
        digits = kind.decimals
        value = np.round(np.round(value / kind.step) * kind.step, digits) + 0.0
        assert kind.low is not None, "an analog sensor has a range"
        assert kind.high is not None, "an analog sensor has a range"
        over = value >= kind.high
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
        for begin in _times(self.settings.calibrations, self.steps, self.rng):
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

    def _stick(self, value: Floats) -> None:
        for begin in _times(self.settings.stuck, self.steps, self.rng):
            end = min(self.steps, begin + int(60 * self.rng.uniform(*STUCK_MIN) / STEP_S))
            value[begin:end] = value[begin]
            self.faults.append(Fault("stuck", self.point.code, begin, end))

    def _drop(self, value: Floats, status: Flags) -> None:
        for begin in _times(self.settings.dropouts, self.steps, self.rng):
            minutes = math.exp(self.rng.normal(math.log(self.settings.dropout_min), DROPOUT_SPREAD))
            end = min(self.steps, begin + max(1, int(60 * min(minutes, 360.0) / STEP_S)))
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
