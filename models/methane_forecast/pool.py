"""How experts are combined and how wide the interval is: functions of forecasts whose truth is already known.

Both look at a sliding window of past rows of the same kind (production context for weights, idle or active for the
interval), so that the state at t follows from the readings before t and needs no book of its own. After a long idle
spell the rows of the last production are still there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.distribution import Cdf, Grid, crps, middle
from minefusion.models.methane_forecast.features import CONTEXTS
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, Floats, steps

# Share of the readings that the interval is to hold.
HELD = 0.80
# A regime begins with so many rows as a calibrated forecast would have them.
_ASSUMED = np.linspace(0.0, 0.5, 51)
# An expert's weight moves from even to earned over about so many rows.
_SLOW = 120.0


@dataclass(frozen=True)
class Past:
    """Forecasts of one point that were made before their truth was known, and how good they were.

    Attributes:
        times_s: when issued; shape (n,).
        context, is_active: the row's production context and regime; shape (n,).
        losses: CRPS [steps] per expert; NaN while the truth is not known; shape (n, horizons, experts).
        off_middle: how far from the middle of the pooled distribution the truth fell, 0 … ½; NaN likewise; shape
            (n, horizons).
        cdfs: distributions of the last rows, whose truth is still to come: the experts', then the pooled one; shape
            (m ≤ n, experts + 1, horizons, grid).
    """

    times_s: Floats
    context: NDArray[np.int8]
    is_active: NDArray[np.bool_]
    losses: Floats
    off_middle: Floats
    cdfs: Cdf

    def settled(self, times_s: Floats, moves: Floats, grid: Grid) -> Past:
        """With the losses of those rows whose truth has come: `moves` [steps] of the instants `times_s`."""
        count = len(self.cdfs)
        if not count:
            return self
        start = len(self.times_s) - count
        place = np.searchsorted(times_s, self.times_s[start:])
        there = (place < len(times_s)) & (times_s[np.minimum(place, len(times_s) - 1)] == self.times_s[start:])
        moved = np.where(there[:, None], moves[np.minimum(place, len(moves) - 1)], np.nan)
        losses, off_middle = self.losses.copy(), self.off_middle.copy()
        losses[start:] = _losses(self.cdfs[:, :-1], moved, grid)
        off_middle[start:] = _off_middle(self.cdfs[:, -1], moved, grid)
        return replace(self, losses=losses, off_middle=off_middle)

    def before(self, time_s: float) -> Past:
        """Only the rows issued before an instant."""
        keep = self.times_s < time_s
        if keep.all():
            return self
        names = ("times_s", "context", "is_active", "losses", "off_middle")
        open_rows = keep[len(keep) - len(self.cdfs) :]
        return Past(**{name: getattr(self, name)[keep] for name in names}, cdfs=self.cdfs[open_rows])

    def then(self, later: Past) -> Past:
        """With later rows behind these, no longer than the windows need."""
        names = ("times_s", "context", "is_active", "losses", "off_middle")
        both = {name: np.concatenate([getattr(self, name), getattr(later, name)]) for name in names}
        cdfs = np.concatenate([self.cdfs, later.cdfs])[-steps(HORIZONS_MIN[-1]) :]
        return Past(**both, cdfs=cdfs)

    def trimmed(self, config: ForecastConfig) -> Past:
        """Only the rows that a window can reach: the last ones of each context, and those still open."""
        keep = np.zeros(len(self.times_s), dtype=bool)
        keep[len(keep) - len(self.cdfs) :] = True
        for each in range(len(CONTEXTS)):
            keep[np.flatnonzero(self.context == each)[-2 * max(config.pool_steps, config.band_steps) :]] = True
        names = ("times_s", "context", "is_active", "losses", "off_middle")
        return Past(**{name: getattr(self, name)[keep] for name in names}, cdfs=self.cdfs)


def no_past(experts: int, grid: Grid) -> Past:
    """Of a point that was never forecast."""
    horizons = len(HORIZONS_MIN)
    return Past(
        np.empty(0),
        np.empty(0, np.int8),
        np.empty(0, bool),
        np.empty((0, horizons, experts)),
        np.empty((0, horizons)),
        np.empty((0, experts + 1, horizons, grid.size), np.float32),
    )


@dataclass(frozen=True)
class Pooled:
    """What the pool makes of the experts at some rows: the distribution, its weights, and the band's half width in
    probability."""

    cdf: Cdf
    weights: Floats
    half_width: Floats


def pool(
    cdfs: Cdf,
    moves: Floats,
    rows: tuple[Floats, NDArray[np.int8], NDArray[np.bool_]],
    past: Past,
    grid: Grid,
    config: ForecastConfig,
) -> tuple[Pooled, Past]:
    """Combine the experts at consecutive rows, each by what was known when it was issued.

    Args:
        cdfs: the experts' distributions; shape (experts, n, horizons, grid).
        moves: what came [steps], NaN where not known yet; shape (n, horizons).
        rows: instants, contexts and regimes of the rows.
        past: earlier rows, settled.

    Returns:
        The pooled rows, and the rows as a past of their own.
    """
    times_s, context, is_active = rows
    losses = _losses(np.moveaxis(cdfs, 0, 1), moves, grid)
    all_times, all_context = np.r_[past.times_s, times_s], np.r_[past.context, context]
    all_losses = np.concatenate([past.losses, losses])
    weights = _weights(all_times, all_context, all_losses, times_s, context, config)
    pooled = np.einsum("enhg,nhe->nhg", cdfs, weights.astype(np.float32))
    off_middle = _off_middle(pooled, moves, grid)
    half_width = _half_width(
        all_times,
        np.r_[past.is_active, is_active],
        np.concatenate([past.off_middle, off_middle]),
        times_s,
        is_active,
        config,
    )
    own = Past(
        times_s,
        context,
        is_active,
        losses,
        off_middle,
        np.concatenate([np.moveaxis(cdfs, 0, 1), pooled[:, None]], axis=1)[-steps(HORIZONS_MIN[-1]) :],
    )
    return Pooled(pooled, weights, half_width), own


def band(cdf: Cdf, half_width: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last move (index on the grid) within `half_width` of the middle of the distribution.

    A reading falls on the grid, so whole moves are in or out; which ones, differs from row to row, and the share of the
    readings that the band holds follows `half_width` smoothly.
    """
    off = np.abs(middle(cdf) - 0.5)
    inside = off <= np.maximum(half_width[..., None], off.min(axis=-1, keepdims=True))
    return inside.argmax(axis=-1), inside.shape[-1] - 1 - inside[..., ::-1].argmax(axis=-1)


def _losses(cdfs: Cdf, moves: Floats, grid: Grid) -> Floats:
    """Shape (n, horizons, experts) of distributions (n, experts, horizons, grid)."""
    return np.stack(
        [
            np.stack([crps(cdfs[:, each, horizon], moves[:, horizon], grid) for each in range(cdfs.shape[1])], axis=1)
            for horizon in range(cdfs.shape[2])
        ],
        axis=1,
    )


def _off_middle(cdf: Cdf, moves: Floats, grid: Grid) -> Floats:
    known = np.isfinite(moves)
    bins = grid.bins(np.where(known, moves, 0))
    found = np.take_along_axis(middle(cdf), bins[..., None], axis=-1)[..., 0]
    return np.where(known, np.abs(found.astype(np.float64) - 0.5), np.nan)


def _weights(
    times_s: Floats,
    context: NDArray[np.int8],
    losses: Floats,
    at_s: Floats,
    at_context: NDArray[np.int8],
    config: ForecastConfig,
) -> Floats:
    """Weights at some instants; shape (instants, horizons, experts)."""
    count = losses.shape[2]
    weights = np.full((len(at_s), losses.shape[1], count), 1 / count)
    for horizon, minutes in enumerate(HORIZONS_MIN):
        for each in range(len(CONTEXTS)):
            asked = np.flatnonzero(at_context == each)
            rows = np.flatnonzero((context == each) & np.isfinite(losses[:, horizon]).all(axis=1))
            if not len(asked) or not len(rows):
                continue
            total = np.concatenate([np.zeros((1, count)), np.cumsum(losses[rows, horizon], axis=0)])
            stop = np.searchsorted(times_s[rows] + 60.0 * minutes, at_s[asked], side="right")
            start = np.maximum(0, stop - config.pool_steps)
            seen = (stop - start)[:, None]
            mean = (total[stop] - total[start]) / np.maximum(seen, 1)
            worse = mean / np.maximum(mean.min(axis=1, keepdims=True), 1e-9) - 1
            earned = np.exp(-config.pool_sharpness * np.minimum(worse, 5.0))
            earned /= earned.sum(axis=1, keepdims=True)
            even = np.maximum(config.pool_even, _SLOW / (_SLOW + seen))
            weights[asked, horizon] = even / count + (1 - even) * earned
    return weights


def _half_width(
    times_s: Floats,
    regime: NDArray[np.bool_],
    off_middle: Floats,
    at_s: Floats,
    at_regime: NDArray[np.bool_],
    config: ForecastConfig,
) -> Floats:
    """Half width of the band in probability; shape (instants, horizons)."""
    found = np.full((len(at_s), off_middle.shape[1]), HELD / 2)
    for horizon, minutes in enumerate(HORIZONS_MIN):
        for each in (False, True):
            asked = np.flatnonzero(at_regime == each)
            rows = np.flatnonzero((regime == each) & np.isfinite(off_middle[:, horizon]))
            if not len(asked):
                continue
            seen = np.r_[_ASSUMED, off_middle[rows, horizon]]
            stop = len(_ASSUMED) + np.searchsorted(times_s[rows] + 60.0 * minutes, at_s[asked], side="right")
            window = stop[:, None] - 1 - np.arange(config.band_steps)[None, :]
            values = np.where(window >= 0, seen[np.maximum(window, 0)], np.nan)
            found[asked, horizon] = np.nanquantile(values, HELD, axis=1)
    return found
