"""Distributions of how far methane moves, on the grid of the sensor's own step: a forecast is a whole number of steps.

A distribution is its cumulative form F over the grid's moves: F[k] = P(move ≤ moves[k]). Averaging F pools forecasts,
and its quantiles are on the grid by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.features import ahead
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, LEVELS, Floats, steps

# Of a sensor that never moved nobody can say the step; methane sensors show two decimals at best.
FINEST_STEP_PCT = 0.01
LEAST_REACH, MOST_REACH = 10, 80
# Rounding of sums of floats must not push a level over the next move.
_TINY = 1e-6

Cdf = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Moves of −reach … reach steps of `step_pct` [%]; what moves farther counts as the farthest."""

    step_pct: float
    reach: int

    @property
    def moves(self) -> NDArray[np.int64]:
        return np.arange(-self.reach, self.reach + 1)

    @property
    def size(self) -> int:
        return 2 * self.reach + 1

    def bins(self, moves: Floats) -> NDArray[np.int64]:
        """Place of each move on the grid; the moves must be numbers."""
        return np.clip(np.rint(moves), -self.reach, self.reach).astype(np.int64) + self.reach


def grid_of(own_pct: Floats) -> Grid:
    """The grid of a point from its values so far: the sensor's step, and room for moves half as large again as seen."""
    seen = own_pct[np.isfinite(own_pct)]
    gaps = np.diff(np.unique(np.round(seen, 3)))
    step = max(FINEST_STEP_PCT, round(float(gaps.min()), 3)) if len(gaps) else FINEST_STEP_PCT
    moved = np.abs(ahead(own_pct, steps(HORIZONS_MIN[-1])) - own_pct)
    largest = float(np.nanmax(moved)) if np.isfinite(moved).any() else 0.0
    reach = max(LEAST_REACH, int(np.ceil(1.5 * largest / step)))
    coarser = int(np.ceil(reach / MOST_REACH))
    return Grid(step * coarser, int(np.ceil(reach / coarser)))


def moves_ahead(own_pct: Floats, base_pct: Floats, grid: Grid) -> Floats:
    """Move from the last good value to the reading at each horizon [steps], NaN where there is none; (n, horizons)."""
    return np.stack(
        [np.rint((ahead(own_pct, steps(horizon)) - base_pct) / grid.step_pct) for horizon in HORIZONS_MIN], axis=1
    )


def from_counts(counts: NDArray[np.floating] | NDArray[np.integer]) -> Cdf:
    """Cumulative form of counts per move (last axis)."""
    total = np.cumsum(counts, axis=-1)
    return (total / np.maximum(total[..., -1:], _TINY)).astype(np.float32)


def from_fan(fan: Floats, grid: Grid, levels: Sequence[float] = LEVELS) -> Cdf:
    """Cumulative form of quantiles [steps], straight between them and in the tails; fan of shape (n, levels).

    A move of k steps stands for all that rounds to it, so F[k] is read at k + ½.
    """
    fan = np.sort(fan, axis=1)
    low = fan[:, :1] - np.maximum(fan[:, 2:3] - fan[:, :1], 0.2)
    high = fan[:, -1:] + np.maximum(fan[:, -1:] - fan[:, -3:-2], 0.2)
    knots = np.hstack([low, fan, high])
    shares = np.diff([0.0, *levels, 1.0])
    edges = grid.moves + 0.5
    cdf = np.zeros((len(fan), grid.size))
    for number, share in enumerate(shares):
        start, width = knots[:, number, None], np.maximum(knots[:, number + 1, None] - knots[:, number, None], _TINY)
        cdf += share * np.clip((edges - start) / width, 0, 1)
    cdf[:, -1] = 1.0
    return cdf.astype(np.float32)


def quantile(cdf: Cdf, level: float) -> NDArray[np.int64]:
    """Index on the grid of the smallest move whose F reaches the level; the grid is the last axis."""
    return (cdf >= level - _TINY).argmax(axis=-1)


def middle(cdf: Cdf) -> Cdf:
    """Probability below each move plus half of that of the move itself."""
    below = np.concatenate([np.zeros_like(cdf[..., :1]), cdf[..., :-1]], axis=-1)
    return (cdf + below) / 2


def crps(cdf: Cdf, moves: Floats, grid: Grid) -> Floats:
    """Continuous ranked probability score [steps] of each row; the lower, the better; NaN where the move is not known.

    Args:
        cdf: shape (n, grid); moves: shape (n,).
    """
    known = np.isfinite(moves)
    reached = grid.moves[None, :] >= np.where(known, np.clip(moves, -grid.reach, grid.reach), 0)[:, None]
    return np.where(known, ((cdf - reached) ** 2).sum(axis=1, dtype=np.float64), np.nan)
