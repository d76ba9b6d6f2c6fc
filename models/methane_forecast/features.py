"""What a forecast looks at: hand-made features of one point, its neighbours, the air, the barometer and the works.

Row t uses instants at or before t only. Sums run over whole millionths, so that a window gives the same bits wherever
the series begins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from minefusion.models.methane_forecast.forecast import Floats, Readings, steps

# A point without a good value for longer than this has nothing to start a forecast from.
HOLD = steps(10)
# Past production that makes a row active; longer than this without is an idle spell.
ACTIVE = steps(8 * 60)
# No feature looks farther back.
LOOKBACK = steps(12 * 60)
IDLE, PAUSED, PRODUCING = 0, 1, 2
CONTEXTS = ("idle", "paused", "producing")

_LAGS = (1, 2, 3, 4, 6, 10, 20, 40, 60, 120, 240)
_WINDOWS = (6, 20, 60, 120, 360, LOOKBACK)
_HALF_LIVES = (2, 6, 20, 60)
_WORK_WINDOWS = (6, 20, 60, 120, 360, ACTIVE)
_SCALE = 1e6


@dataclass(frozen=True)
class Features:
    """Rows of one point.

    Attributes:
        values: shape (n, columns); NaN where an input is missing.
        columns: names, such as `own_diff_6` (steps of the clock).
        base_pct: the last good value, NaN where it is too old; shape (n,).
        context: IDLE, PAUSED or PRODUCING; shape (n,).
        is_active: production within the last 8 h; shape (n,).
        readings, point, instants: where the rows come from, for those that look at samples; `instants` of shape (n,).
    """

    values: NDArray[np.float32]
    columns: tuple[str, ...]
    base_pct: Floats
    context: NDArray[np.int8]
    is_active: NDArray[np.bool_]
    readings: Readings
    point: int
    instants: NDArray[np.int64]

    def at(self, chosen: NDArray[np.int64]) -> Features:
        """Some of the rows."""
        return replace(
            self,
            values=self.values[chosen],
            base_pct=self.base_pct[chosen],
            context=self.context[chosen],
            is_active=self.is_active[chosen],
            instants=self.instants[chosen],
        )

    def under(self, columns: tuple[str, ...]) -> Features:
        """The same rows with just these columns; NaN where an input that a model knows is not measured here."""
        if columns == self.columns:
            return self
        place = {name: number for number, name in enumerate(self.columns)}
        missing = np.full(len(self.values), np.nan, dtype=np.float32)
        values = [self.values[:, place[name]] if name in place else missing for name in columns]
        return replace(self, values=np.column_stack(values), columns=columns)


def features(readings: Readings, point: int) -> Features:
    """Features of one point at every instant; shape (n, columns)."""
    count = len(readings)
    held = np.column_stack([last_good(column, HOLD) for column in readings.ch4_pct.T]) if count else readings.ch4_pct
    own = held[:, point]
    found = _own(own)
    others = [each for each in range(len(readings.names)) if each != point]
    for number, other in enumerate(_nearest(others)):
        found |= _neighbour(held[:, other], own, f"near{number}")
    for number, air in enumerate(readings.air_m_s.T if readings.air_m_s.size else ()):
        found |= _air(last_good(air, HOLD), f"air{number}")
    if readings.pressure_hpa.size:
        found |= _pressure(last_good(readings.pressure_hpa, ACTIVE))
    producing = last_good(readings.producing, ACTIVE) if readings.producing.size else np.full(count, np.nan)
    if readings.producing.size:
        found |= _works(producing)
    if readings.restarted_s.size:
        found["since_restart"] = np.clip(readings.times_s - readings.restarted_s[point], 0, None) / 3600
    context, is_active = contexts(producing, own)
    values = np.column_stack(list(found.values())).astype(np.float32)
    return Features(values, tuple(found), own, context, is_active, readings, point, np.arange(count))


def contexts(producing: Floats, own: Floats) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Production context of each row, and whether there was production in the last 8 h.

    Where no production state is known, the point's own unrest stands in for it: a value that changed lately.
    """
    known = np.isfinite(producing)
    changed = np.r_[False, np.abs(np.diff(own)) > 0]
    works = np.where(known, producing > 0.5, recent_max(changed.astype(float), steps(10)) > 0)
    is_active = recent_max(works.astype(float), ACTIVE + 1) > 0
    return np.where(works, PRODUCING, np.where(is_active, PAUSED, IDLE)).astype(np.int8), is_active


def last_good(values: Floats, hold: int) -> Floats:
    """Each value, or the last one that was good, not older than `hold` steps."""
    rows = np.arange(len(values))
    last = np.maximum.accumulate(np.where(np.isfinite(values), rows, -1))
    return np.where((last >= 0) & (rows - last <= hold), values[np.maximum(last, 0)], np.nan)


def recent_max(values: Floats, window: int) -> Floats:
    """Largest of the last `window` values, the present one among them; NaN counts as none."""
    filled = np.where(np.isfinite(values), values, -np.inf)
    found = maximum_filter1d(filled, window, mode="constant", cval=-np.inf, origin=(window - 1) // 2)
    return np.where(np.isfinite(found), found, np.nan)


def recent_min(values: Floats, window: int) -> Floats:
    """Smallest of the last `window` values."""
    return -recent_max(-values, window)


def recent_mean(values: Floats, window: int) -> Floats:
    """Mean of the good ones of the last `window` values; NaN where there is none."""
    good = np.isfinite(values)
    sums = _recent_sum(np.where(good, np.rint(np.where(good, values, 0) * _SCALE), 0).astype(np.int64), window)
    counts = _recent_sum(good.astype(np.int64), window)
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums / _SCALE / counts


def since_change(values: Floats) -> Floats:
    """Steps since the value last changed, LOOKBACK at most."""
    rows = np.arange(len(values))
    changed = np.r_[True, np.diff(np.nan_to_num(values, nan=-1.0)) != 0]
    return np.minimum(rows - np.maximum.accumulate(np.where(changed, rows, 0)), LOOKBACK).astype(float)


def lagged(values: Floats, lag: int) -> Floats:
    """The value `lag` steps ago; NaN before the first."""
    return np.r_[np.full(min(lag, len(values)), np.nan), values[: max(0, len(values) - lag)]]


def ahead(values: Floats, lead: int) -> Floats:
    """The value `lead` steps later; NaN past the end."""
    return np.r_[values[lead:], np.full(min(lead, len(values)), np.nan)]


def max_ahead(values: Floats, lead: int) -> Floats:
    """Largest of the next `lead` values, the present one left out; NaN where the last of them is not there yet."""
    found = np.full(len(values), np.nan)
    if len(values) > lead:
        windows = np.lib.stride_tricks.sliding_window_view(np.where(np.isfinite(values), values, -np.inf), lead)
        found[:-lead] = windows[1:].max(axis=1)
    return np.where(np.isfinite(found), found, np.nan)


def _own(own: Floats) -> dict[str, Floats]:
    found = {"own": own}
    found |= {f"own_diff_{lag}": own - lagged(own, lag) for lag in _LAGS}
    for window in _WINDOWS:
        mean = recent_mean(own, window)
        low, high = recent_min(own, window), recent_max(own, window)
        found[f"own_over_mean_{window}"] = own - mean
        found[f"own_over_min_{window}"] = own - low
        found[f"own_under_max_{window}"] = high - own
        found[f"own_unrest_{window}"] = recent_mean(np.abs(own - lagged(own, 1)), window)
    found |= {f"own_over_smooth_{half}": own - _smooth(own, half) for half in _HALF_LIVES}
    still = since_change(own)
    rows = np.arange(len(own))
    before = own[np.maximum(rows - still.astype(int) - 1, 0)]
    found["own_still"] = still
    found["own_last_move"] = own - before
    return found


def _neighbour(other: Floats, own: Floats, name: str) -> dict[str, Floats]:
    found = {f"{name}": other, f"{name}_gap": other - own}
    found |= {f"{name}_diff_{lag}": other - lagged(other, lag) for lag in (2, 4, 6, 10, 20, 60, 120)}
    found |= {f"{name}_over_mean_{window}": other - recent_mean(other, window) for window in (20, 60, 120, 360)}
    found[f"{name}_over_smooth"] = other - _smooth(other, 6)
    return found


def _air(air: Floats, name: str) -> dict[str, Floats]:
    fast, slow = recent_mean(air, 6), recent_mean(air, 120)
    return {
        f"{name}": recent_mean(air, 20),
        f"{name}_fell_2": fast - recent_mean(air, 20),
        f"{name}_fell_60": fast - slow,
        f"{name}_fell_360": recent_mean(air, 20) - recent_mean(air, 720),
    }


def _pressure(pressure: Floats) -> dict[str, Floats]:
    mean = recent_mean(pressure, 60)
    return {f"pressure_rose_{lag}": mean - lagged(mean, lag) for lag in (60, 240, 720)}


def _works(producing: Floats) -> dict[str, Floats]:
    found = {"works": producing, "works_still": since_change(producing)}
    found |= {f"works_share_{window}": recent_mean(producing, window) for window in _WORK_WINDOWS}
    return found


def _nearest(others: list[int], most: int = 2) -> list[int]:
    """Neighbours in the order of the readings, which is the order along the air path."""
    return others[:most]


def _recent_sum(values: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    total = np.r_[0, np.cumsum(values)]
    rows = np.arange(1, len(values) + 1)
    return total[rows] - total[np.maximum(rows - window, 0)]


def _smooth(values: Floats, half_life: int) -> Floats:
    """Exponential mean over a window of ten half-lives, each window summed by itself."""
    weights = 0.5 ** (np.arange(10 * half_life) / half_life)
    good = np.isfinite(values)
    padded = np.r_[np.zeros(len(weights) - 1), np.where(good, values, 0.0)]
    counted = np.r_[np.zeros(len(weights) - 1), good.astype(float)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.convolve(padded, weights, "valid") / np.convolve(counted, weights, "valid")
