"""What goes into a forecast and what comes out: plain arrays in physical units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from minefusion.schemas.errors import InputError

Floats = NDArray[np.float64]

HORIZONS_MIN = (3, 10, 30, 60)
WITHIN_MIN = (3, 10, 30)
LEVELS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
MEDIAN = LEVELS.index(0.50)
# Samples farther apart than this are not the same step of the clock; all models look at half minutes.
PERIOD_S = 30


@dataclass(frozen=True)
class Readings:
    """What was measured along one air path, on an even clock of PERIOD_S.

    Attributes:
        times_s: instants [s since any fixed zero], even; shape (n,).
        ch4_pct: methane [%] per instant and point; NaN where there is no good value; shape (n, points).
        names: the points' names.
        limits_pct: each point's alarm limit [%].
        air_m_s: air velocities near the points [m/s], NaN where missing; shape (n, any number).
        pressure_hpa: barometer [hPa], NaN where missing; shape (n,), or empty where there is none.
        producing: 1 while coal is cut, 0 while not, NaN where not known; shape (n,), or empty where there is none.
        restarted_s: instant since which a point has measured without a calibration or a restart; shape (points,), NaN
            where not known.
    """

    times_s: Floats
    ch4_pct: Floats
    names: tuple[str, ...]
    limits_pct: Floats
    air_m_s: Floats = field(default_factory=lambda: np.empty((0, 0)))
    pressure_hpa: Floats = field(default_factory=lambda: np.empty(0))
    producing: Floats = field(default_factory=lambda: np.empty(0))
    restarted_s: Floats = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        count, points = len(self.times_s), len(self.names)
        expected = {
            "ch4_pct": (count, points),
            "limits_pct": (points,),
            "air_m_s": (count, *self.air_m_s.shape[1:]) if self.air_m_s.size else self.air_m_s.shape,
            "pressure_hpa": (count,) if self.pressure_hpa.size else (0,),
            "producing": (count,) if self.producing.size else (0,),
            "restarted_s": (points,) if self.restarted_s.size else (0,),
        }
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise InputError(f"expected {name} of shape {shape}, got {getattr(self, name).shape}; align the arrays")
        if count > 1 and not np.all(np.diff(self.times_s) == PERIOD_S):
            raise InputError(
                f"expected times_s every {PERIOD_S} s, got other steps; put the readings on the clock first"
            )

    def __len__(self) -> int:
        return len(self.times_s)

    def until(self, stop: int) -> Readings:
        """The first `stop` instants."""
        return Readings(
            self.times_s[:stop],
            self.ch4_pct[:stop],
            self.names,
            self.limits_pct,
            self.air_m_s[:stop],
            self.pressure_hpa[:stop],
            self.producing[:stop],
            self.restarted_s,
        )


@dataclass(frozen=True)
class Forecast:
    """Forecasts issued at some instants for all points of some readings.

    A forecast that could not be made (no good value for ten minutes) is NaN throughout and says so in `driver`.

    Attributes:
        issued_s: instants of issue; shape (n,).
        names: the points.
        base_pct: the last good value [%], from which the forecast starts; shape (n, points).
        quantiles_pct: methane [%] at LEVELS; shape (n, points, HORIZONS_MIN, LEVELS); never falling along LEVELS.
        interval_pct: low and high edge [%] of the interval that is promised to hold 80 % of the readings, both edges
            included; shape (n, points, HORIZONS_MIN, 2).
        onset: probability that the alarm limit is reached within WITHIN_MIN; NaN where it is reached already; shape
            (n, points, WITHIN_MIN).
        is_warning: the onset probability within 30 min is over the model's warning threshold; (n, points).
        is_out_of_range: an input lies outside what the model was trained on; (n, points).
        driver: what drove the forecast: a key of `explain.DRIVERS`; (n, points).
        driver_min: minutes since that began; NaN where it has no begin; (n, points).
    """

    issued_s: Floats
    names: tuple[str, ...]
    base_pct: Floats
    quantiles_pct: Floats
    interval_pct: Floats
    onset: Floats
    is_warning: NDArray[np.bool_]
    is_out_of_range: NDArray[np.bool_]
    driver: NDArray[np.str_]
    driver_min: Floats


def on_clock(
    times_s: Floats, values: Floats, clock_s: Floats, *, good: NDArray[np.bool_] | None = None, hold_s: float = 0.0
) -> Floats:
    """The last good sample of each step of an even clock, as any sampling gives it; NaN where a step has none.

    Args:
        times_s, values: samples in time order, at any spacing.
        clock_s: the steps' instants; a step holds the samples after the instant before it up to its own.
        good: which samples count; a missing, SUSPECT or BAD one is left out.
        hold_s: a slow channel (barometer, machine state) keeps its last value this long [s].
    """
    kept = np.isfinite(values) if good is None else np.isfinite(values) & good
    times_s, values = times_s[kept], values[kept]
    if not len(times_s):
        return np.full(len(clock_s), np.nan)
    last = np.searchsorted(times_s, clock_s, side="right") - 1
    age_s = clock_s - times_s[np.maximum(last, 0)]
    return np.where((last >= 0) & (age_s < max(PERIOD_S, hold_s)), values[np.maximum(last, 0)], np.nan)


def clock(first_s: float, last_s: float) -> Floats:
    """The even clock that reaches from one instant to another."""
    start = np.ceil(first_s / PERIOD_S) * PERIOD_S
    return start + PERIOD_S * np.arange(max(0, int((last_s - start) // PERIOD_S) + 1), dtype=np.float64)


def steps(minutes: float) -> int:
    """Steps of the clock in so many minutes."""
    return round(minutes * 60 / PERIOD_S)


def joined(parts: Sequence[Forecast]) -> Forecast:
    """Forecasts of the same points, one after another."""
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in Forecast.__dataclass_fields__
        if name != "names"
    }
    return Forecast(names=parts[0].names, **columns)


def side_by_side(points: Sequence[Forecast]) -> Forecast:
    """Forecasts of single points, issued at the same instants, as one."""
    columns = {
        name: np.concatenate([getattr(each, name) for each in points], axis=1)
        for name in Forecast.__dataclass_fields__
        if name not in ("names", "issued_s")
    }
    return Forecast(issued_s=points[0].issued_s, names=tuple(each.names[0] for each in points), **columns)
