"""What any forecast must beat, fitted once on the training part: LightGBM on raw lags, and a plain network on them.

Persistence and the rolling LightGBM are experts of the pool itself; their own forecasts stand in the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.distribution import Grid
from minefusion.models.methane_forecast.experts import predicted, quantile_models, scaled
from minefusion.models.methane_forecast.features import HOLD, lagged, last_good, max_ahead
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, LEVELS, WITHIN_MIN, Floats, Readings, steps
from minefusion.models.methane_forecast.onset import TINY_PCT

LAGS = 60
EPOCHS, WIDTH = 12, 128


@dataclass(frozen=True)
class Size:
    """How large the boosted trees on raw lags may grow."""

    leaves: int
    least_in_leaf: int
    rounds: int
    extra: bool


# The usual size, and two that are held small as our own trees are: the same number of choices that those had.
SIZES = (Size(31, 20, 120, False), Size(8, 80, 120, False), Size(8, 80, 40, True))
# The training part is walked through: learned up to each of these shares, judged on the fifth that follows.
_WALK, _FIFTH = (0.4, 0.6, 0.8), 0.2
_MEDIAN = (0.5,)

# Rows to quantiles of the move [steps]; shape (n, horizons, levels).
FanOf = Callable[[NDArray[np.float32]], Floats]


def lag_table(readings: Readings, point: int) -> NDArray[np.float32]:
    """Every column now and at lags 1 … LAGS, methane as the difference to the point's value now; shape (n, columns)."""
    own = last_good(readings.ch4_pct[:, point], HOLD)
    parts = [own[:, None]]
    for number, column in enumerate(_columns(readings)):
        held = last_good(column, HOLD)
        is_methane = number < len(readings.names)
        past = np.stack([lagged(held, lag) for lag in range(LAGS + 1)], axis=1)
        parts.append(past - own[:, None] if is_methane else past)
    return np.hstack(parts).astype(np.float32)


def chosen_size(table: NDArray[np.float32], moves: Floats, config: ForecastConfig) -> Size:
    """The size whose medians were nearest on a walk through the training rows; each part is judged, then learned."""
    usual = np.nanmean(np.abs(moves), axis=0) + 1e-6

    def loss(size: Size) -> float:
        errors = []
        for share in _WALK:
            split, stop = round(share * len(table)), round((share + _FIFTH) * len(table))
            models = _lag_models(table[:split], moves[:split], config, size, _MEDIAN)
            said = np.stack([predicted(levels[0], table[split:stop]) for levels in models], axis=1)
            errors.append(np.abs(moves[split:stop] - said) / usual)
        return float(np.nanmean(np.concatenate(errors)))

    return min(SIZES, key=loss)


def fit_lag_trees(table: NDArray[np.float32], moves: Floats, config: ForecastConfig, size: Size = SIZES[0]) -> FanOf:
    """LightGBM quantiles on raw lags."""
    models = _lag_models(table, moves, config, size, LEVELS)
    return lambda rows: np.sort(
        np.stack([np.stack([predicted(model, rows) for model in levels], axis=1) for levels in models], axis=1), axis=2
    )


def _lag_models(
    table: NDArray[np.float32], moves: Floats, config: ForecastConfig, size: Size, levels: Sequence[float]
) -> tuple[tuple[Any, ...], ...]:
    asked: dict[str, Any] = {
        "num_leaves": size.leaves, "min_data_in_leaf": size.least_in_leaf, "extra_trees": size.extra,
    }  # fmt: skip
    asked |= {} if size.extra else {"feature_fraction": 1.0}
    return quantile_models(table, moves, asked, rounds=size.rounds, config=config, levels=levels)


def fit_lag_network(table: NDArray[np.float32], moves: Floats, config: ForecastConfig) -> FanOf:
    """Two hidden layers on the raw lags, trained on the pinball loss of every horizon and level at once."""
    import torch
    from torch import nn

    torch.manual_seed(config.seed)
    known = np.isfinite(moves).all(axis=1)
    mean, spread = np.nanmean(table[known], axis=0), np.nanstd(table[known], axis=0) + 1e-3
    unit = moves[known].std(axis=0) + 1e-3
    x = torch.from_numpy(scaled(table[known], mean, spread))
    y = torch.from_numpy((moves[known] / unit).astype(np.float32))[:, :, None]
    levels = torch.tensor(LEVELS)
    network = nn.Sequential(
        nn.Linear(x.shape[1], WIDTH), nn.ReLU(), nn.Dropout(0.2), nn.Linear(WIDTH, WIDTH), nn.ReLU(),
        nn.Linear(WIDTH, len(HORIZONS_MIN) * len(LEVELS)),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2)
    order = np.random.default_rng(config.seed)
    for _ in range(EPOCHS):
        network.train()
        for rows in np.array_split(order.permutation(len(x)), max(1, len(x) // 256)):
            error = y[rows] - network(x[rows]).view(-1, len(HORIZONS_MIN), len(LEVELS))
            loss = torch.maximum(levels * error, (levels - 1) * error).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    network.eval()

    def fan(rows: NDArray[np.float32]) -> Floats:
        with torch.inference_mode():
            found = network(torch.from_numpy(scaled(rows, mean, spread))).view(-1, len(HORIZONS_MIN), len(LEVELS))
        return np.sort(found.numpy().astype(np.float64) * unit[:, None], axis=2)

    return fan


def fit_lag_onset(
    table: NDArray[np.float32], own_pct: Floats, limit_pct: float, config: ForecastConfig
) -> Callable[[NDArray[np.float32]], Floats] | None:
    """LightGBM on raw lags for onset; None where no onset was seen. Gives (n, windows)."""
    import lightgbm

    models = []
    for minutes in WITHIN_MIN:
        peak = max_ahead(own_pct, steps(minutes))
        asked = (own_pct < limit_pct - TINY_PCT) & np.isfinite(peak)
        came = peak[asked] >= limit_pct - TINY_PCT
        if not came.any():
            return None
        settings = {
            "objective": "binary",
            "num_leaves": SIZES[0].leaves,
            "verbose": -1,
            "seed": config.seed,
            "max_bin": 63,
        }
        settings |= {"num_threads": 1, "deterministic": True, "force_row_wise": True}
        models.append(lightgbm.train(settings, lightgbm.Dataset(table[asked], came.astype(int)), SIZES[0].rounds))
    return lambda rows: np.stack([predicted(model, rows) for model in models], axis=1)


def in_pct(fan: Floats, base_pct: Floats, grid: Grid) -> Floats:
    """Quantiles of the move [steps] as methane [%]."""
    return np.maximum(base_pct[:, None, None] + fan * grid.step_pct, 0.0)


def _columns(readings: Readings) -> list[Floats]:
    found = [*readings.ch4_pct.T]
    found += list(readings.air_m_s.T) if readings.air_m_s.size else []
    return found + [each for each in (readings.pressure_hpa, readings.producing) if each.size]
