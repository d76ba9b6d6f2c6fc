"""An invented longwall: methane that follows the cutting with a delay, a neighbour that follows later, and the air."""

from __future__ import annotations

import numpy as np

from minefusion.models.methane_forecast.forecast import Readings

NAMES = ("m/corner", "m/face")


def longwall(count: int, seed: int = 1, *, limit_pct: float = 0.9) -> Readings:
    """Half minutes of a longwall that cuts two hours in three; the corner shows tenths, the face hundredths."""
    random = np.random.default_rng(seed)
    clock = np.arange(count)
    producing = ((clock // 120) % 3 < 2).astype(float)
    released = np.zeros(count)
    for row in range(1, count):
        released[row] = 0.97 * released[row - 1] + 0.012 * producing[row - 1] + random.normal(0, 0.006)
    corner = np.round(0.5 + released + random.normal(0, 0.03, count), 1)
    face = np.round(0.3 + 0.5 * np.r_[np.zeros(6), released][:count] + random.normal(0, 0.01, count), 2)
    air = np.round(2.2 + random.normal(0, 0.05, count), 1)
    return Readings(
        30.0 * clock,
        np.column_stack([corner, face]),
        NAMES,
        np.array([limit_pct, 1.0]),
        air[:, None],
        np.full(count, 1000.0),
        producing,
    )


def then_noise(readings: Readings, row: int, seed: int = 9) -> Readings:
    """The same up to and with `row`; everything after it is noise."""
    random = np.random.default_rng(seed)

    def mixed(values: np.ndarray, low: float, high: float) -> np.ndarray:
        found = values.copy()
        found[row + 1 :] = random.uniform(low, high, found[row + 1 :].shape)
        return found

    return Readings(
        readings.times_s,
        mixed(readings.ch4_pct, 0.0, 3.0),
        readings.names,
        readings.limits_pct,
        mixed(readings.air_m_s, 0.0, 5.0),
        mixed(readings.pressure_hpa, 900.0, 1100.0),
        np.round(mixed(readings.producing, 0.0, 1.0)),
    )
