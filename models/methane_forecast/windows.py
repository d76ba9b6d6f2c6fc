"""What the network looks at: two hours of raw samples, and what it is to say of them. Arrays only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.features import HOLD, ahead, last_good, max_ahead
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, LEVELS, WITHIN_MIN, Readings, steps

LENGTH = steps(2 * 60)
# The point, its first and second neighbour, the air [m/s], the barometer [hPa], whether coal is cut.
CHANNELS = 6
# What a missing channel is filled with: no change.
_ABSENT = (np.nan, 0.0, 0.0, 1.0, 1000.0, 0.5)
TARGETS = (*(f"at_{minutes}" for minutes in HORIZONS_MIN), *(f"peak_{minutes}" for minutes in WITHIN_MIN))
# Levels of the network: those of a forecast, and farther tails for the chance of a peak.
FAN = (0.01, 0.025, *LEVELS, 0.975, 0.99)
# A point's unrest is its mean move over ten minutes, and this at least [%].
UNREST_STEPS = 20
LEAST_UNIT_PCT = 0.02


def windows(readings: Readings, point: int, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The last two hours before each row, gaps held; shape (n, CHANNELS, LENGTH).

    What lies before the first good value repeats it.
    """
    near = [each for each in range(len(readings.names)) if each != point][:2]
    columns: list[NDArray[np.float64] | None] = [readings.ch4_pct[:, point]]
    columns += [readings.ch4_pct[:, each] for each in near] + [None] * (2 - len(near))
    columns.append(_mean_air(readings.air_m_s) if readings.air_m_s.size else None)
    columns += [each if each.size else None for each in (readings.pressure_hpa, readings.producing)]
    found = np.empty((len(rows), CHANNELS, LENGTH), np.float32)
    for channel, column in enumerate(columns):
        if column is None:
            found[:, channel] = _ABSENT[channel]
        else:
            held = last_good(column, HOLD if channel < 4 else len(column))
            padded = np.r_[np.full(LENGTH - 1, np.nan), held]
            found[:, channel] = filled(np.lib.stride_tricks.sliding_window_view(padded, LENGTH)[rows], _ABSENT[channel])
    return found


def filled(values: NDArray[np.floating], absent: float) -> NDArray[np.floating]:
    """Rows without gaps: the last value before a gap, else the first after it, else `absent`; shape (n, LENGTH)."""
    good = np.isfinite(values)
    if good.all():
        return values
    place = np.arange(values.shape[1])
    last = np.maximum.accumulate(np.where(good, place, -1), axis=1)
    first = np.where(good.any(axis=1), good.argmax(axis=1), 0)
    chosen = np.where(last >= 0, last, first[:, None])
    found = np.take_along_axis(values, chosen, axis=1)
    return np.where(good.any(axis=1)[:, None], found, absent)


def unit_of(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """The unrest by which the network scales a window [%]; shape (n,)."""
    own = inputs[:, 0]
    return np.abs(own[:, UNREST_STEPS:] - own[:, :-UNREST_STEPS]).mean(axis=1) + LEAST_UNIT_PCT


def truths(own_pct: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """What the network is to say at each row: TARGETS [%]; NaN where not known; shape (n, targets)."""
    columns = [ahead(own_pct, steps(minutes)) for minutes in HORIZONS_MIN]
    columns += [max_ahead(own_pct, steps(minutes)) for minutes in WITHIN_MIN]
    return np.stack(columns, axis=1)[rows].astype(np.float32)


def _mean_air(air_m_s: NDArray[np.float64]) -> NDArray[np.float64]:
    good = np.isfinite(air_m_s)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(good, air_m_s, 0.0).sum(axis=1) / np.where(good.any(axis=1), good.sum(axis=1), np.nan)
