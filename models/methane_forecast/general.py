"""The network as ONNX: forecasts any point from two hours of its readings, also one that nothing was trained on.

Its fan is rounded to the sensor's step and its 80 % interval is set to hold 80 % of the readings on a part of the
training data that the network did not learn. What a mine's own experience adds, comes with a point's own model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.explain import drivers
from minefusion.models.methane_forecast.features import HOLD, contexts, last_good
from minefusion.models.methane_forecast.forecast import (
    HORIZONS_MIN,
    LEVELS,
    Floats,
    Forecast,
    Readings,
    side_by_side,
)
from minefusion.models.methane_forecast.onset import TINY_PCT
from minefusion.models.methane_forecast.windows import CHANNELS, FAN, TARGETS, unit_of, windows

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

COARSE_PCT, FINE_PCT = 0.1, 0.01
_FAN = np.array(FAN)
_OF_FORECAST = [FAN.index(level) for level in LEVELS]
# Every call of the network has this shape: the last bits of a row then do not hang on how many come along.
_AT_ONCE = 256


@dataclass(frozen=True)
class Calibration:
    """What was set on data that the network did not learn.

    Attributes:
        half_width: of the 80 % interval in probability, by regime (idle, active) and horizon; shape (2, horizons).
        threshold: onset probability within 30 min at which a point is warned of.
        low, high: range in training of what `ranged` gives; shape (channels + 1,).
    """

    half_width: Floats
    threshold: float
    low: Floats
    high: Floats


@dataclass(frozen=True)
class GeneralNetwork:
    """A network for any point; `model` is its ONNX form."""

    model: bytes
    calibration: Calibration

    @cached_property
    def session(self) -> InferenceSession:
        """ONNX Runtime on the CPU."""
        import onnxruntime

        asked = onnxruntime.SessionOptions()
        asked.log_severity_level = 3
        return onnxruntime.InferenceSession(self.model, asked, providers=["CPUExecutionProvider"])

    @property
    def threshold(self) -> float:
        """Onset probability within 30 min at which any point is warned of."""
        return self.calibration.threshold

    def __getstate__(self) -> dict[str, Any]:
        """Without the session, which no other process can use."""
        return {name: value for name, value in self.__dict__.items() if name != "session"}

    def fan(self, inputs: NDArray[np.float32]) -> Floats:
        """Quantiles [%] at FAN of windows (n, CHANNELS, LENGTH); shape (n, targets, FAN)."""
        found = np.empty((len(inputs), len(TARGETS), len(FAN)))
        whole = np.zeros((_AT_ONCE, *inputs.shape[1:]), np.float32)
        for start in range(0, len(inputs), _AT_ONCE):
            part = inputs[start : start + _AT_ONCE]
            whole[: len(part)] = part
            found[start : start + len(part)] = self.session.run(None, {"windows": whole})[0][: len(part)]
        return found

    def forecast(self, readings: Readings, origins: NDArray[np.int64], points: Sequence[int]) -> Forecast:
        """Forecast some points of the readings at some rows."""
        return side_by_side([self._of_point(readings, origins, point) for point in points])

    def _of_point(self, readings: Readings, origins: NDArray[np.int64], point: int) -> Forecast:
        own = last_good(readings.ch4_pct[:, point], HOLD)
        inputs = windows(readings, point, origins)
        producing = readings.producing if readings.producing.size else np.full(len(readings), np.nan)
        _, is_active = contexts(producing, own)
        driver, driver_min = drivers(readings, point)
        found = self.issue(inputs, is_active[origins], np.full(len(origins), readings.limits_pct[point]))
        base = own[origins]
        known = np.isfinite(base)
        return Forecast(
            issued_s=readings.times_s[origins],
            names=(readings.names[point],),
            base_pct=base[:, None],
            quantiles_pct=np.where(known[:, None, None], found.quantiles_pct, np.nan)[:, None],
            interval_pct=np.where(known[:, None, None], found.interval_pct, np.nan)[:, None],
            onset=np.where(known[:, None], found.onset, np.nan)[:, None],
            is_warning=(known & found.is_warning)[:, None],
            is_out_of_range=found.is_out_of_range[:, None],
            driver=driver[origins, None],
            driver_min=driver_min[origins, None],
        )

    def issue(self, inputs: NDArray[np.float32], is_active: NDArray[np.bool_], limit_pct: Floats) -> WindowForecast:
        """Forecast from windows alone; one row each."""
        fan = self.fan(inputs)
        at, peak = fan[:, : len(HORIZONS_MIN)], fan[:, len(HORIZONS_MIN) :]
        base = inputs[:, 0, -1].astype(np.float64)
        step = sensor_step(inputs[:, 0])
        half = self.calibration.half_width[is_active.astype(int)]
        edges = np.stack([quantile_at(at, 0.5 - half), quantile_at(at, 0.5 + half)], axis=-1)
        onset = np.where((base >= limit_pct - TINY_PCT)[:, None], np.nan, chance_of(peak, limit_pct))
        return WindowForecast(
            quantiles_pct=rounded(at[..., _OF_FORECAST], base, step),
            interval_pct=rounded(edges, base, step),
            onset=onset,
            is_warning=np.nan_to_num(onset[:, -1], nan=-1.0) >= self.calibration.threshold,
            is_out_of_range=self._is_beyond(inputs),
        )

    def _is_beyond(self, inputs: NDArray[np.float32]) -> NDArray[np.bool_]:
        seen = ranged(inputs)
        beyond: NDArray[np.bool_] = (seen < self.calibration.low) | (seen > self.calibration.high)
        return np.any(beyond, axis=1)


@dataclass(frozen=True)
class WindowForecast:
    """As in `Forecast`, one row per window, without instants and points."""

    quantiles_pct: Floats
    interval_pct: Floats
    onset: Floats
    is_warning: NDArray[np.bool_]
    is_out_of_range: NDArray[np.bool_]


def ranged(inputs: NDArray[np.float32]) -> Floats:
    """What must lie within the range of training: the newest value of each channel, and the unrest.

    Shape (n, channels + 1).
    """
    return np.column_stack([inputs[:, each, -1] for each in range(CHANNELS)] + [unit_of(inputs)]).astype(np.float64)


def sensor_step(own: NDArray[np.float32]) -> Floats:
    """Step of the sensor as its last two hours show it: tenths where all values are whole tenths, else hundredths."""
    is_coarse = (np.abs(own / COARSE_PCT - np.rint(own / COARSE_PCT)) < 0.02).all(axis=1)
    return np.where(is_coarse, COARSE_PCT, FINE_PCT)


def rounded(values: Floats, base_pct: Floats, step_pct: Floats) -> Floats:
    """Moves from the base rounded to whole steps; methane is never below zero. The first axis is that of the base."""
    shape = (-1,) + (1,) * (values.ndim - 1)
    base, step = base_pct.reshape(shape), step_pct.reshape(shape)
    return np.maximum(np.round(base + np.rint((values - base) / step) * step, 6), 0.0)


def quantile_at(fan: Floats, level: Floats) -> Floats:
    """Quantile at one level per row and horizon, straight between those of the fan; shape (n, horizons)."""
    above = np.clip(np.searchsorted(_FAN, level), 1, len(_FAN) - 1)
    share = np.clip((level - _FAN[above - 1]) / (_FAN[above] - _FAN[above - 1]), 0, 1)
    low, high = (np.take_along_axis(fan, each[..., None], axis=-1)[..., 0] for each in (above - 1, above))
    return low + share * (high - low)


def chance_of(peak: Floats, limit_pct: Floats) -> Floats:
    """Chance that the peak reaches the limit, from the quantiles of the peak; shape (n, windows)."""
    limit = limit_pct[:, None]
    reached = (peak < limit[..., None]).sum(axis=-1)
    above, below = np.clip(reached, 1, len(_FAN) - 1), np.clip(reached, 1, len(_FAN) - 1) - 1
    low, high = (np.take_along_axis(peak, each[..., None], axis=-1)[..., 0] for each in (below, above))
    share = np.clip((limit - low) / np.maximum(high - low, 1e-6), 0, 1)
    level = _FAN[below] + share * (_FAN[above] - _FAN[below])
    # Beyond the outermost quantiles nothing is known but the side.
    level = np.where(reached == 0, _FAN[0] / 2, np.where(reached == len(_FAN), 1 - (1 - _FAN[-1]) / 2, level))
    return np.maximum.accumulate(1 - level, axis=1)


def off_middle(fan: Floats, truth: Floats) -> Floats:
    """How far from the middle of the distribution the truth fell, 0 … ½; NaN where it is not known; (n, horizons)."""
    found = np.stack(
        [
            np.array(
                [np.interp(value, row, _FAN) for row, value in zip(fan[:, horizon], truth[:, horizon], strict=True)]
            )
            for horizon in range(fan.shape[1])
        ],
        axis=1,
    )
    return np.where(np.isfinite(truth), np.abs(found - 0.5), np.nan)
