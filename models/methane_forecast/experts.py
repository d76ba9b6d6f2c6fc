"""The experts: simple forecasters that differ, each giving a whole distribution of the move ahead.

All learn from differences to the last good value: the level of a mine's gas shifts from day to day, and a model of
levels does not follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.distribution import Cdf, Grid, from_counts, from_fan
from minefusion.models.methane_forecast.features import CONTEXTS, Features
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, LEVELS, Floats
from minefusion.models.methane_forecast.trees import Trees, from_forest

if TYPE_CHECKING:
    from minefusion.models.methane_forecast.network import Network

Ints = NDArray[np.int64]
# What stands for a missing input where a method knows none.
MISSING = -9.0


class Expert(Protocol):
    """Fitted; gives distributions of the move ahead."""

    def cdf(self, rows: Features) -> Cdf:
        """F over the grid for every row and horizon; shape (n, horizons, grid)."""


Fit = Callable[[Features, Floats, Grid, ForecastConfig], Expert]


@dataclass(frozen=True)
class Persistence:
    """No change, with the errors that this had so far in the same production context."""

    table: Cdf

    def cdf(self, rows: Features) -> Cdf:
        return self.table[rows.context]


def fit_persistence(rows: Features, moves: Floats, grid: Grid, _config: ForecastConfig) -> Persistence:
    """Empirical moves per context; a context with few rows borrows from all."""
    table = np.empty((len(CONTEXTS), len(HORIZONS_MIN), grid.size), np.float32)
    for horizon in range(len(HORIZONS_MIN)):
        known = np.isfinite(moves[:, horizon])
        bins, context = grid.bins(moves[known, horizon]), rows.context[known]
        overall = np.bincount(bins, minlength=grid.size) / max(1, len(bins))
        overall[grid.reach] += _TRUST_NO_CHANGE / (_TRUST_NO_CHANGE + len(bins))
        for each in range(len(CONTEXTS)):
            counts = np.bincount(bins[context == each], minlength=grid.size)
            table[each, horizon] = from_counts(counts + _BORROWED * overall)
    return Persistence(table)


@dataclass(frozen=True)
class Forest:
    """Quantile forest of extremely random trees: past rows that share leaves with the present one say what may come.

    Attributes:
        leaf_of_row: leaf of each training row in each tree; shape (rows, trees).
        bins: moves of the training rows on the grid; shape (rows, horizons).
    """

    trees: Trees
    leaf_of_row: NDArray[np.int16]
    bins: NDArray[np.int16]
    grid: Grid

    @cached_property
    def tables(self) -> tuple[Cdf, ...]:
        """Per tree, F of the training rows of each leaf; shape (leaves, horizons, grid)."""
        return tuple(
            _leaf_table(self.leaf_of_row[:, tree].astype(np.int64), self.bins, self.grid)
            for tree in range(self.leaf_of_row.shape[1])
        )

    def cdf(self, rows: Features) -> Cdf:
        leaves = self.trees.leaves(_filled(rows.values))
        found = np.zeros((len(leaves), *self.tables[0].shape[1:]), np.float32)
        for tree, table in enumerate(self.tables):
            found += table[leaves[:, tree]]
        return (found / len(self.tables)).astype(np.float32)


def fit_forest(rows: Features, moves: Floats, grid: Grid, config: ForecastConfig) -> Forest:
    """Trees split on all horizons at once; leaves of 20 rows or more."""
    from sklearn.ensemble import ExtraTreesRegressor

    known = np.isfinite(moves).all(axis=1)
    x, y = _filled(rows.values[known]), moves[known]
    forest = ExtraTreesRegressor(
        100, min_samples_leaf=20, max_features=0.4, n_jobs=config.threads, random_state=config.seed
    ).fit(x, y / np.maximum(y.std(axis=0), 1e-9))
    trees = from_forest(forest, has_values=False)
    return Forest(trees, trees.leaves(x).astype(np.int16), grid.bins(y).astype(np.int16), grid)


def _leaf_table(leaf: Ints, bins: NDArray[np.int16], grid: Grid) -> Cdf:
    count = int(leaf.max()) + 1
    return np.stack(
        [
            from_counts(
                np.bincount(leaf * grid.size + bins[:, horizon], minlength=count * grid.size).reshape(count, grid.size)
            )
            for horizon in range(bins.shape[1])
        ],
        axis=1,
    )


@dataclass(frozen=True)
class QuantileTrees:
    """Gradient-boosted trees (LightGBM), one model per horizon and level: also the rolling baseline."""

    models: tuple[tuple[Any, ...], ...]
    grid: Grid

    def cdf(self, rows: Features) -> Cdf:
        fans = (np.stack([predicted(model, rows.values) for model in levels], axis=1) for levels in self.models)
        return np.stack([from_fan(fan, self.grid) for fan in fans], axis=1)


LEAVES, ROUNDS = 8, 40


def fit_quantile_trees(rows: Features, moves: Floats, grid: Grid, config: ForecastConfig) -> QuantileTrees:
    """Few rounds, large leaves, extra randomness: neighbouring rows are nearly the same row."""
    asked = {"num_leaves": LEAVES, "min_data_in_leaf": 80}
    return QuantileTrees(quantile_models(rows.values, moves, asked, rounds=ROUNDS, config=config), grid)


def quantile_models(
    x: NDArray[np.float32],
    moves: Floats,
    asked: Mapping[str, Any],
    *,
    rounds: int,
    config: ForecastConfig,
    levels: Sequence[float] = LEVELS,
) -> tuple[tuple[Any, ...], ...]:
    """LightGBM models by horizon and level, on the rows whose move is known."""
    import lightgbm

    shared = {**boosting(config), **asked}

    def of_horizon(move: Floats) -> tuple[Any, ...]:
        known = np.isfinite(move)
        data = lightgbm.Dataset(x[known], move[known], params={"verbose": -1, "max_bin": shared["max_bin"]})
        return tuple(
            lightgbm.train(shared | {"objective": "quantile", "alpha": level}, data, rounds) for level in levels
        )

    return tuple(at_once(of_horizon, moves.T, config))


def at_once(work: Callable[[Any], Any], parts: Iterable[Any], config: ForecastConfig) -> Iterator[Any]:
    """Work on parts by some threads: LightGBM's own wait for each other after every leaf, which on a busy machine takes
    longer than the work."""
    with ThreadPoolExecutor(config.threads) as threads:
        yield from threads.map(work, parts)


def predicted(model: Any, x: NDArray[np.float32]) -> Floats:
    """What a LightGBM model says, by one thread."""
    return model.predict(x, num_threads=1)


@dataclass(frozen=True)
class ClassTrees:
    """LightGBM that tells classes of moves apart: good at whether a coarse sensor moves at all.

    Attributes:
        within: per horizon, F of the moves of each class; shape (classes, grid).
    """

    models: tuple[Any, ...]
    within: tuple[Cdf, ...]

    def cdf(self, rows: Features) -> Cdf:
        return np.stack(
            [
                (_chances(model, rows.values) @ table).astype(np.float32)
                for model, table in zip(self.models, self.within, strict=True)
            ],
            axis=1,
        )


def fit_class_trees(rows: Features, moves: Floats, grid: Grid, config: ForecastConfig) -> ClassTrees:
    """Classes hold about equal shares of the moves; a coarse sensor has one per move."""
    import lightgbm

    def of_horizon(moved: Floats) -> tuple[Any, Cdf]:
        known = np.isfinite(moved)
        move = moved[known]
        edges = np.unique(np.quantile(move, np.linspace(0.03, 0.97, 10)))
        _, each = np.unique(np.searchsorted(edges, move), return_inverse=True)
        count = int(each.max()) + 1
        counts = np.bincount(each * grid.size + grid.bins(move), minlength=count * grid.size)
        within = from_counts(counts.reshape(count, grid.size))
        if count == 1:  # it never moved
            return None, within
        asked = {"num_leaves": 6, "min_data_in_leaf": 150, "objective": "multiclass", "num_class": count}
        return lightgbm.train(boosting(config) | asked, lightgbm.Dataset(rows.values[known], each), 40), within

    models, within = zip(*at_once(of_horizon, moves.T, config), strict=True)
    return ClassTrees(models, within)


def _chances(model: Any, x: NDArray[np.float32]) -> Floats:
    return np.ones((len(x), 1)) if model is None else predicted(model, x)


@dataclass(frozen=True)
class Neighbours:
    """What followed the most similar past moments."""

    past: NDArray[np.float32]
    bins: Ints
    mean: Floats
    spread: Floats
    chosen: NDArray[np.int64]
    grid: Grid
    count: int = 120

    def cdf(self, rows: Features) -> Cdf:
        now = self._scaled(rows.values)
        apart = (self.past**2).sum(axis=1) - 2 * now @ self.past.T  # the row's own square is the same for all
        count = min(self.count, len(self.past) - 1)
        near = np.argpartition(apart, count, axis=1)[:, :count]
        found = np.empty((len(now), self.bins.shape[1], self.grid.size), np.float32)
        row = np.arange(len(now))[:, None]
        for horizon in range(self.bins.shape[1]):
            counts = np.zeros((len(now), self.grid.size))
            np.add.at(counts, (row, self.bins[near, horizon]), 1)
            found[:, horizon] = from_counts(counts)
        return found

    def _scaled(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        return scaled(values[:, self.chosen], self.mean, self.spread)


_ALIKE = ("own_diff_", "own_over_mean", "own_over_smooth", "own_unrest_60", "near0_diff", "near0_over_mean_20", "works")


def fit_neighbours(rows: Features, moves: Floats, grid: Grid, _config: ForecastConfig) -> Neighbours:
    """Moments are alike by recent differences and production, in units of each input's spread."""
    chosen = np.array(
        [place for place, name in enumerate(rows.columns) if name.startswith(_ALIKE) and not name.endswith("still")]
    )
    known = np.isfinite(moves).all(axis=1)
    values = np.nan_to_num(rows.values[known][:, chosen].astype(np.float64))
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-3
    past = scaled(rows.values[known][:, chosen], mean, spread)
    return Neighbours(past, grid.bins(moves[known]), mean, spread, chosen, grid)


@dataclass(frozen=True)
class Tuned:
    """The network, pre-trained on simulated shifts and tuned to this point's past.

    Attributes:
        weights: arrays by name, as in the file of pre-trained ones.
    """

    weights: Mapping[str, NDArray[Any]]
    grid: Grid

    @cached_property
    def network(self) -> Network:
        """The network with these weights."""
        from minefusion.models.methane_forecast.weights import network_of

        return network_of(self.weights)

    def cdf(self, rows: Features) -> Cdf:
        from minefusion.models.methane_forecast.network import say
        from minefusion.models.methane_forecast.windows import FAN, windows

        fan = say(self.network, windows(rows.readings, rows.point, rows.instants))
        moved = np.nan_to_num((fan[:, : len(HORIZONS_MIN)] - rows.base_pct[:, None, None]) / self.grid.step_pct)
        return np.stack([from_fan(moved[:, each], self.grid, FAN) for each in range(len(HORIZONS_MIN))], axis=1)


def fit_tuned(rows: Features, moves: Floats, grid: Grid, config: ForecastConfig) -> Tuned:
    """A few rounds over every second row: neighbouring rows are nearly the same row."""
    from minefusion.models.methane_forecast.network import fit
    from minefusion.models.methane_forecast.weights import arrays_of, read_weights
    from minefusion.models.methane_forecast.windows import truths, windows

    network = read_weights()
    known = np.flatnonzero(np.isfinite(moves).any(axis=1) & np.isfinite(rows.base_pct))[::2]
    own = rows.readings.ch4_pct[: len(rows.base_pct), rows.point]
    inputs = windows(rows.readings, rows.point, rows.instants[known])
    fit(network, inputs, truths(own, rows.instants[known]), epochs=TUNE_EPOCHS, rate=TUNE_RATE, seed=config.seed)
    return Tuned(arrays_of(network), grid)


def scaled(values: NDArray[np.floating], mean: Floats, spread: Floats) -> NDArray[np.float32]:
    """In units of the spread, four at most; a missing input counts as its mean."""
    return np.clip(np.nan_to_num((values - mean) / spread), -4, 4).astype(np.float32)


FITS: Mapping[str, Fit] = {
    "persistence": fit_persistence,
    "forest": fit_forest,
    "quantile_trees": fit_quantile_trees,
    "class_trees": fit_class_trees,
    "neighbours": fit_neighbours,
    "network": fit_tuned,
}

TUNE_EPOCHS, TUNE_RATE = 15, 1e-3
# Rows that a context borrows from all others, and rows of "no change" that a point begins with.
_BORROWED, _TRUST_NO_CHANGE = 20.0, 5.0


def _filled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.nan_to_num(values, nan=MISSING)


def boosting(config: ForecastConfig) -> dict[str, Any]:
    """What all our LightGBM models share."""
    return {
        "learning_rate": 0.1,
        "extra_trees": True,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "max_bin": 63,
        "verbose": -1,
        "num_threads": 1,
        "seed": config.seed,
        "deterministic": True,
        "force_row_wise": True,
    }
