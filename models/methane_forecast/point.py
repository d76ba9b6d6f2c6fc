"""One point's own model: experts fitted to its past, the pool's state, the onset model, and what training saw."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.distribution import Cdf, Grid, grid_of, moves_ahead, quantile
from minefusion.models.methane_forecast.experts import FITS, Expert
from minefusion.models.methane_forecast.features import Features
from minefusion.models.methane_forecast.forecast import LEVELS, WITHIN_MIN, Floats
from minefusion.models.methane_forecast.onset import TINY_PCT, OnsetModel, fit_onset, from_distribution, limit_features
from minefusion.models.methane_forecast.pool import Past, Pooled, band, no_past, pool

# An input this share of its range outside what training saw is new.
_BEYOND = 0.05
# Inputs whose range counts; short differences are noise of the same kind everywhere.
_RANGED = ("own", "near0", "near1", "air0", "air1", "own_diff_60", "near0_diff_60", "pressure_rose_240")


@dataclass(frozen=True)
class PointModel:
    """All that was learned of one point from the instants before `until_s`.

    Attributes:
        columns: names of the features that the experts know.
        low, high: range of each feature in training.
    """

    name: str
    limit_pct: float
    grid: Grid
    columns: tuple[str, ...]
    experts: tuple[Expert, ...]
    onset: OnsetModel | None
    past: Past
    low: Floats
    high: Floats
    until_s: float


@dataclass(frozen=True)
class Issued:
    """Forecasts of one point at consecutive rows; as in `Forecast`, without its axis of points."""

    quantiles_pct: Floats
    interval_pct: Floats
    onset: Floats
    is_out_of_range: NDArray[np.bool_]
    experts: Cdf
    pooled: Pooled


def fit_point(
    name: str,
    limit_pct: float,
    rows: Features,
    own_pct: Floats,
    times_s: Floats,
    until: int,
    config: ForecastConfig,
    past: Past | None = None,
    grid: Grid | None = None,
) -> PointModel:
    """Fit the experts to what was known just before row `until`; a past that was kept goes on with its grid."""
    from threadpoolctl import threadpool_limits

    known = rows.at(np.arange(until))
    grid = grid or grid_of(own_pct[:until])
    moves = moves_ahead(own_pct[:until], known.base_pct, grid)
    with threadpool_limits(1):  # threads of a matrix product that wait for each other cost more than they bring
        experts = tuple(FITS[each](known, moves, grid, config) for each in config.experts)
        onset = fit_onset(rows, own_pct, limit_pct, until, config)
    with np.errstate(all="ignore"):
        low = np.nanmin(np.where(np.isnan(known.values), np.inf, known.values), axis=0)
        high = np.nanmax(np.where(np.isnan(known.values), -np.inf, known.values), axis=0)
    return PointModel(
        name,
        limit_pct,
        grid,
        rows.columns,
        experts,
        onset,
        past or no_past(len(experts), grid),
        low,
        high,
        float(times_s[until - 1]),
    )


def issue(
    model: PointModel, rows: Features, own_pct: Floats, times_s: Floats, start: int, stop: int, config: ForecastConfig
) -> tuple[Issued, PointModel]:
    """Forecast the rows start … stop, each from what was known at it, and the model with them in its past.

    The pool may look at truths that came between start and the row, never at later ones.
    """
    here = np.arange(start, stop)
    block = rows.at(here)
    moves = moves_ahead(own_pct[:stop], rows.base_pct[:stop], model.grid)
    cdfs = np.stack([expert.cdf(block) for expert in model.experts])
    past = model.past.settled(times_s[:stop], moves, model.grid)
    pooled, added = pool(cdfs, moves[start:], (times_s[here], block.context, block.is_active), past, model.grid, config)
    base = block.base_pct[:, None]
    fan = np.stack([quantile(pooled.cdf, level) for level in LEVELS], axis=-1)
    edges = np.stack(band(pooled.cdf, pooled.half_width), axis=-1)
    asked = block.base_pct < model.limit_pct - TINY_PCT
    onset = np.full((len(here), len(WITHIN_MIN)), np.nan)
    if model.onset is None:
        onset[asked] = from_distribution(pooled.cdf, block.base_pct, model.limit_pct, model.grid)[asked]
    else:
        onset[asked] = model.onset.probability(limit_features(rows, own_pct, model.limit_pct, here[asked]))
    issued = Issued(
        _value(base, fan, model.grid),
        _value(base, edges, model.grid),
        onset,
        _is_beyond(block, model),
        cdfs,
        pooled,
    )
    return issued, replace(model, past=past.then(added).trimmed(config))


def _value(base_pct: Floats, places: NDArray[np.int64], grid: Grid) -> Floats:
    """Values [%] of places on the grid; methane is never below zero. NaN where there is no base."""
    moved = base_pct[..., None] + (places - grid.reach) * grid.step_pct
    return np.maximum(np.round(moved, 6), 0.0)


def _is_beyond(rows: Features, model: PointModel) -> NDArray[np.bool_]:
    ranged = np.array([place for place, name in enumerate(model.columns) if name in _RANGED])
    low, high = model.low[ranged], model.high[ranged]
    room = _BEYOND * np.where(np.isfinite(high - low), high - low, 0.0)
    values = rows.values[:, ranged]
    return ((values < low - room) | (values > high + room)).any(axis=1)
