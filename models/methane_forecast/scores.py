"""Scores of forecasts beside what came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.forecast import LEVELS, MEDIAN, Floats, steps
from minefusion.models.skill import interval_by_blocks

# Neighbouring rows hang together: rows of so many minutes are drawn as one.
BLOCK = steps(60)
TINY_PCT = 1e-6
_LEVELS = np.array(LEVELS)


@dataclass(frozen=True)
class FanScores:
    """Scores over some rows; MAE, RMSE, pinball, CRPS and width in % methane."""

    n: int
    mae: float
    rmse: float
    r2: float
    pinball: float
    crps: float
    coverage_80: float
    width_80: float


def fan_scores(truth: Floats, fan: Floats, edges: Floats) -> FanScores:
    """Scores of quantiles at LEVELS and of an 80 % interval; truth of shape (n,), fan (n, levels), edges (n, 2).

    The pinball loss is the mean over LEVELS. CRPS is twice its integral over all levels, each level standing for those
    nearest to it.
    """
    if not len(truth):
        return FanScores(0, *[float("nan")] * 7)
    error = truth - fan[:, MEDIAN]
    losses = pinball(truth, fan)
    bounds = np.r_[0.0, (_LEVELS[1:] + _LEVELS[:-1]) / 2, 1.0]
    spread = float(np.sum((truth - truth.mean()) ** 2))
    return FanScores(
        n=len(truth),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        r2=1 - float(np.sum(error**2)) / spread if spread else float("nan"),
        pinball=float(losses.mean()),
        crps=float(2 * (losses * np.diff(bounds)).sum(axis=1).mean()),
        coverage_80=float(is_inside(truth, edges).mean()),
        width_80=float((edges[:, 1] - edges[:, 0]).mean()),
    )


def pinball(truth: Floats, fan: Floats) -> Floats:
    """Pinball loss of each row and level; shape (n, levels)."""
    error = truth[:, None] - fan
    return np.maximum(_LEVELS * error, (_LEVELS - 1) * error)


def is_inside(truth: Floats, edges: Floats) -> NDArray[np.bool_]:
    """Whether the reading lies in the interval, both edges included."""
    return (truth >= edges[:, 0] - TINY_PCT) & (truth <= edges[:, 1] + TINY_PCT)


def mean_interval(loss: Floats, seed: int = 1) -> tuple[float, float]:
    """95 % block-bootstrap interval of a mean over rows in time order."""
    return interval_by_blocks(len(loss), lambda rows: float(loss[rows].mean()), block=BLOCK, seed=seed, draws=500)


def ratio_interval(ours: Floats, other: Floats, seed: int = 1) -> tuple[float, float]:
    """95 % block-bootstrap interval of the ratio of two mean losses on the same rows; under 1 is in our favour."""
    return interval_by_blocks(
        len(ours), lambda rows: float(ours[rows].mean() / other[rows].mean()), block=BLOCK, seed=seed, draws=500
    )
