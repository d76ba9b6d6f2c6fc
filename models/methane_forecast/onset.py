"""The chance that a point below its alarm limit reaches it within 3, 10 and 30 min.

A mine has few onsets, so the models also learn from neighbouring limits: features say how far a limit is, not which it
is. Three models that differ (extremely random trees, boosted trees, logistic regression) are averaged in log-odds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.distribution import Cdf, Grid
from minefusion.models.methane_forecast.experts import MISSING, at_once, boosting, predicted, scaled
from minefusion.models.methane_forecast.features import LOOKBACK, Features, max_ahead, recent_max, recent_mean
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, WITHIN_MIN, Floats, steps
from minefusion.models.methane_forecast.trees import Trees, from_forest
from minefusion.models.seismic_hazard import logistic

# Limits that are learned from, as shares of the point's own.
LIMITS_NEAR = (0.8, 0.9, 1.0, 1.1, 1.2)
# Fewer onsets than this cannot be learned from.
FEWEST_ONSETS = 30
# Last digits of floats must not decide whether a limit is reached.
TINY_PCT = 1e-6
# Features of the level itself would tell the limits apart.
_LEVELS = ("own", "near0", "near1")
# The logistic weights are held small: inputs are many and alike.
_RIDGE = 100.0
# No model is surer than this of anything.
_SMALLEST = 1e-4
_FARTHEST = float(np.log((1 - _SMALLEST) / _SMALLEST))


@dataclass(frozen=True)
class OnsetModel:
    """Fitted for one point; columns of probabilities are WITHIN_MIN."""

    trees: Trees
    boosted: tuple[Any, ...]
    slopes: Floats
    offsets: Floats
    mean: Floats
    spread: Floats

    def probability(self, x: NDArray[np.float32]) -> Floats:
        """Chance of onset from rows of `limit_features`; shape (n, windows)."""
        if not len(x):
            return np.empty((0, len(WITHIN_MIN)))
        filled = np.nan_to_num(x, nan=MISSING)
        inside = scaled(filled, self.mean, self.spread)
        each = (
            _log_odds(self.trees.mean(filled)),
            _log_odds(np.stack([predicted(model, filled) for model in self.boosted], axis=1)),
            np.clip(self._linear(inside), -_FARTHEST, _FARTHEST),
        )
        found = 1 / (1 + np.exp(-sum(each) / len(each)))
        return np.maximum.accumulate(found, axis=1)  # what comes within 3 min comes within 10

    def _linear(self, inside: NDArray[np.float32]) -> Floats:
        """Row by row: a matrix product may give other last bits where other rows come along."""
        return np.stack([(inside * slope).sum(axis=1) for slope in self.slopes.T], axis=1) + self.offsets


def fit_onset(
    rows: Features, own_pct: Floats, limit_pct: float, until: int, config: ForecastConfig
) -> OnsetModel | None:
    """Learn from the instants before `until`; None where too few onsets were seen."""
    import lightgbm
    from sklearn.ensemble import ExtraTreesRegressor

    peaks = np.stack([max_ahead(own_pct[:until], steps(minutes)) for minutes in WITHIN_MIN], axis=1)
    parts = []
    for share in LIMITS_NEAR:
        limit = share * limit_pct
        asked = np.flatnonzero((rows.base_pct[:until] < limit - TINY_PCT) & np.isfinite(peaks).all(axis=1))
        # Rows far below a limit are many and alike: one in four says the same.
        asked = asked[(rows.context[asked] > 0) | (asked % 4 == 0)]
        parts.append((limit_features(rows, own_pct, limit, asked), peaks[asked] >= limit - TINY_PCT))
    x, came = (np.concatenate(part) for part in zip(*parts, strict=True))
    if came.sum(axis=0).min() < FEWEST_ONSETS or (~came).sum(axis=0).min() < FEWEST_ONSETS:
        return None
    x = np.nan_to_num(x, nan=MISSING)
    mean, spread = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64) + 1e-3
    inside = scaled(x, mean, spread)
    forest = ExtraTreesRegressor(
        100, min_samples_leaf=25, max_features=0.3, n_jobs=config.threads, random_state=config.seed
    ).fit(x, came.astype(np.float64))
    wanted = {"objective": "binary", "num_leaves": 6, "min_data_in_leaf": 150, "feature_fraction": 0.4}
    boosted = tuple(
        at_once(
            lambda window: lightgbm.train(boosting(config) | wanted, lightgbm.Dataset(x, window.astype(int)), 60),
            came.T,
            config,
        )
    )
    design = np.column_stack([inside, np.ones(len(inside))]).astype(np.float64)
    even, ridge = np.ones(len(design)), np.r_[np.full(inside.shape[1], _RIDGE), 1e-6]
    weights = np.stack([logistic.fit(design, each, even, ridge, np.zeros(len(ridge))) for each in came.T], axis=1)
    return OnsetModel(
        from_forest(forest, has_values=True),
        boosted,
        weights[:-1],
        weights[-1],
        mean,
        spread,
    )


def limit_features(rows: Features, own_pct: Floats, limit_pct: float, asked: NDArray[np.int64]) -> NDArray[np.float32]:
    """The rows' features without levels, and how far and how lately the limit was from them; shape (asked, columns)."""
    kept = [place for place, name in enumerate(rows.columns) if name not in _LEVELS]
    reached = (own_pct >= limit_pct - TINY_PCT).astype(float)
    instants = np.arange(len(own_pct))
    last = np.maximum.accumulate(np.where(reached > 0, instants, -LOOKBACK))
    about = (
        limit_pct - rows.base_pct,
        limit_pct - recent_max(own_pct, 20),
        limit_pct - recent_max(own_pct, 120),
        limit_pct - recent_mean(own_pct, 20),
        limit_pct - recent_mean(own_pct, 120),
        np.minimum(instants - last, LOOKBACK),
        recent_mean(reached, 120),
        recent_mean(reached, 480),
    )
    return np.hstack([rows.values[asked][:, kept], np.stack(about, axis=1)[asked]]).astype(np.float32)


def from_distribution(cdf: Cdf, base_pct: Floats, limit_pct: float, grid: Grid) -> Floats:
    """Chance of being at the limit at the horizons that are also windows: what is said of a point that has seen too few
    onsets to learn from; shape (n, windows)."""
    need = np.ceil((limit_pct - base_pct) / grid.step_pct - TINY_PCT)
    below = np.clip(np.nan_to_num(need, nan=grid.size) - 1 + grid.reach, 0, grid.size - 1).astype(np.int64)
    at = [HORIZONS_MIN.index(minutes) for minutes in WITHIN_MIN]
    found = 1.0 - np.take_along_axis(cdf[:, at], below[:, None, None], axis=2)[..., 0].astype(np.float64)
    return np.maximum.accumulate(np.where(need[:, None] > grid.reach, 0.0, found), axis=1)


def _log_odds(probability: Floats) -> Floats:
    inside = np.clip(probability, _SMALLEST, 1 - _SMALLEST)
    return np.log(inside / (1 - inside))
