"""The forecaster beside its baselines on the part of a series that follows on its training part."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast import baselines
from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.distribution import Cdf, Grid, crps, grid_of, moves_ahead, quantile
from minefusion.models.methane_forecast.experts import LEAVES, ROUNDS
from minefusion.models.methane_forecast.features import Features, ahead, features, max_ahead
from minefusion.models.methane_forecast.forecast import (
    HORIZONS_MIN,
    LEVELS,
    MEDIAN,
    PERIOD_S,
    WITHIN_MIN,
    Floats,
    Forecast,
    Readings,
    steps,
)
from minefusion.models.methane_forecast.onset import TINY_PCT
from minefusion.models.methane_forecast.predict import of_stretches, predict
from minefusion.models.methane_forecast.scores import BLOCK, fan_scores, mean_interval, pinball, ratio_interval
from minefusion.models.methane_forecast.train import Forecaster, Stretch, grow, train
from minefusion.models.methane_forecast.warning import curve, record
from minefusion.models.skill import auc, average_precision, interval_by_blocks
from minefusion.schemas.errors import InputError

Progress = Callable[[float, str], None]
LOW, HIGH = LEVELS.index(0.10), LEVELS.index(0.90)
_DRAWS = 500
# The experts that are baselines too.
_BASELINE_EXPERTS = ("persistence", "quantile_trees")


@dataclass(frozen=True)
class Evaluation:
    """What was found, and the forecasts that it was found on, for pictures.

    Attributes:
        found: what `minefusion evaluate methane_forecast` prints.
        rows: the test rows that the forecasts were issued at.
    """

    found: dict[str, Any]
    forecast: Forecast
    readings: Readings
    rows: NDArray[np.int64]
    is_active: NDArray[np.bool_]


def evaluate(
    readings: Readings,
    split: int,
    *,
    forecaster: Forecaster | None = None,
    config: ForecastConfig | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Train on the rows before `split` (or take a forecaster), then forecast the rest as it comes.

    In the test part the experts are fitted anew every few hours on what is past by then, as the rolling baseline is;
    the other baselines stay as they were fitted on the training part. A forecaster that does not know every point,
    such as the shipped one, is asked as it is. Every choice of `ForecastConfig` is made.

    Raises:
        InputError: the training part is too short, there is no test part, or the forecaster has learned from it.
    """
    say = progress or (lambda _share, _text: None)
    if not 0 < split < len(readings):
        raise InputError(f"expected rows to test on after row {split}, got a series of {len(readings)} rows")
    began = time.monotonic()
    if forecaster is None:
        config = config or ForecastConfig()
        forecaster, _ = train(readings.until(split), config, progress=lambda share, text: say(0.45 * share, text))
    grows = all(name in forecaster.points for name in readings.names)
    _refuse_peeking(forecaster, readings, split)
    config = forecaster.config if grows else replace(forecaster.config, experts=_BASELINE_EXPERTS)
    trained = time.monotonic()
    rows = tuple(features(readings, point) for point in range(len(readings.names)))
    stretches = tuple(
        stretch
        for stretch, _ in grow(
            readings,
            rows,
            split,
            config,
            models=forecaster.points if grows else None,
            progress=lambda share, text: say(0.45 * share + 0.3, text),
        )
    )
    forecasted = time.monotonic()
    here = np.arange(split, len(readings))
    forecast = of_stretches(forecaster, readings, stretches) if grows else predict(forecaster, readings, here)
    found: dict[str, Any] = {
        "model": f"methane_forecast ({', '.join(config.experts) if grows else 'as it is'})",
        "rows_train": split,
        "rows_test": len(here),
        "forecast": [],
        "onset": [],
        "experts": [],
        "warnings": [],
        "baselines": {},
    }
    for point, name in enumerate(readings.names):
        say(0.8 + 0.2 * point / len(readings.names), f"baselines of {name}")
        grid = forecaster.points[name].grid if grows else grid_of(readings.ch4_pct[:split, point])
        case = _Case(readings, point, rows[point], split, here, grid, config)
        issued = _Issued.of(stretches, point)
        fans, sizes = _baseline_fans(case, issued.experts, config)
        found["baselines"][name] = sizes
        found["forecast"] += _forecast_rows(case, forecast, fans)
        found["experts"] += _expert_rows(case, issued, config) if grows else []
        found["onset"] += _onset_rows(case, forecast)
        found["warnings"].append(_warning_row(case, forecast, forecaster.threshold(name)))
    found["seconds"] = {
        "train": round(trained - began, 1),
        "forecast_and_refits": round(forecasted - trained, 1),
        "baselines_and_scores": round(time.monotonic() - forecasted, 1),
    }
    active = np.stack([each.is_active[here] for each in rows], axis=1)
    return Evaluation(found, forecast, readings, here, active)


@dataclass(frozen=True)
class _Case:
    """One point and the test rows."""

    readings: Readings
    point: int
    rows: Features
    split: int
    here: NDArray[np.int64]
    grid: Grid
    config: ForecastConfig

    @property
    def name(self) -> str:
        return self.readings.names[self.point]

    @property
    def own(self) -> Floats:
        return self.readings.ch4_pct[:, self.point]

    @property
    def limit(self) -> float:
        return float(self.readings.limits_pct[self.point])


@dataclass(frozen=True)
class _Issued:
    """What stands behind the forecasts of one point: distributions (experts, n, horizons, grid), pooled, weights."""

    experts: Cdf
    pooled: Cdf
    weights: Floats

    @staticmethod
    def of(stretches: Sequence[Stretch], point: int) -> _Issued:
        parts = [each.issued[point] for each in stretches]
        return _Issued(
            np.concatenate([each.experts for each in parts], axis=1),
            np.concatenate([each.pooled.cdf for each in parts]),
            np.concatenate([each.pooled.weights for each in parts]),
        )


def _refuse_peeking(forecaster: Forecaster, readings: Readings, split: int) -> None:
    begin = readings.times_s[split]
    for name in readings.names:
        if name in forecaster.points and forecaster.points[name].until_s >= begin:
            raise InputError(
                f"expected a model that has learned nothing of the test part, got one of {name} that has; "
                "leave --model out, or give one that was trained on the training part"
            )


def _baseline_fans(
    case: _Case, experts: Cdf, config: ForecastConfig
) -> tuple[dict[str, Floats], dict[str, dict[str, int | str]]]:
    """Fans [%] of the baselines at the test rows, shape (n, horizons, levels); and how large each is."""
    base = case.rows.base_pct[case.here]
    table = baselines.lag_table(case.readings, case.point)
    moves = moves_ahead(case.own[: case.split], case.rows.base_pct[: case.split], case.grid)
    size = baselines.chosen_size(table[: case.split], moves, config)
    trees = baselines.fit_lag_trees(table[: case.split], moves, config, size)
    network = baselines.fit_lag_network(table[: case.split], moves, config)
    persistence = _on_grid(experts[config.experts.index("persistence")], case.grid)
    persistence[..., MEDIAN] = 0.0
    rolling = _on_grid(experts[config.experts.index("quantile_trees")], case.grid)
    fans = {
        "persistence": persistence,
        "lightgbm": trees(table[case.here]),
        "rolling_lightgbm": rolling,
        "neural": network(table[case.here]),
    }
    fits = len(HORIZONS_MIN) * len(LEVELS)
    sizes: dict[str, dict[str, int | str]] = {
        "lightgbm": {"features": table.shape[1], "trees": fits * size.rounds, "leaves": size.leaves},
        "rolling_lightgbm": {
            "features": len(case.rows.columns), "trees": fits * ROUNDS, "leaves": LEAVES,
            "refit_min": round(config.refit_steps * PERIOD_S / 60),
        },
        "neural": {"features": table.shape[1], "width": baselines.WIDTH, "epochs": baselines.EPOCHS},
    }  # fmt: skip
    return {name: baselines.in_pct(fan, base, case.grid) for name, fan in fans.items()}, sizes


def _on_grid(cdf: Cdf, grid: Grid) -> Floats:
    return np.stack([quantile(cdf, level) - grid.reach for level in LEVELS], axis=-1).astype(np.float64)


def _forecast_rows(case: _Case, forecast: Forecast, fans: Mapping[str, Floats]) -> list[dict[str, Any]]:
    found = []
    active = case.rows.is_active[case.here]
    own_fan, edges = forecast.quantiles_pct[:, case.point], forecast.interval_pct[:, case.point]
    for horizon, minutes in enumerate(HORIZONS_MIN):
        truth = ahead(case.own, steps(minutes))[case.here]
        kept = np.isfinite(truth) & np.isfinite(case.own[case.here])
        truth = truth[kept]
        fan, edge, is_active = own_fan[kept, horizon], edges[kept, horizon], active[kept]
        ours = fan_scores(truth, fan, edge)
        while_active = fan_scores(truth[is_active], fan[is_active], edge[is_active])
        error = np.abs(truth - fan[:, MEDIAN])
        row: dict[str, Any] = {"series": case.name, "horizon_min": minutes} | asdict(ours)
        row |= {
            "coverage_80_active": while_active.coverage_80,
            "width_80_active": while_active.width_80,
            "coverage_80_idle": fan_scores(truth[~is_active], fan[~is_active], edge[~is_active]).coverage_80,
            "n_active": while_active.n,
            "mae_active": while_active.mae,
            "fan_coverage_80": fan_scores(truth, fan, fan[:, [LOW, HIGH]]).coverage_80,
            "mae_ci95": mean_interval(error),
            "baselines": {},
        }
        for name, other in fans.items():
            other_fan = other[kept, horizon]
            theirs = asdict(fan_scores(truth, other_fan, other_fan[:, [LOW, HIGH]]))
            theirs["coverage_80_active"] = fan_scores(
                truth[is_active], other_fan[is_active], other_fan[is_active][:, [LOW, HIGH]]
            ).coverage_80
            theirs["mae_ratio_ci95"] = ratio_interval(error, np.abs(truth - other_fan[:, MEDIAN]))
            theirs["pinball_ratio_ci95"] = ratio_interval(
                pinball(truth, fan).mean(axis=1), pinball(truth, other_fan).mean(axis=1)
            )
            row["baselines"][name] = theirs
        found.append(row)
    return found


def _expert_rows(case: _Case, issued: _Issued, config: ForecastConfig) -> list[dict[str, Any]]:
    """What each expert is worth alone, its mean weight, and what the pool loses when it is left out [% of CRPS]."""
    moves = moves_ahead(case.own, case.rows.base_pct, case.grid)[case.here]
    found = []
    for horizon, minutes in enumerate(HORIZONS_MIN):
        whole = np.nanmean(crps(issued.pooled[:, horizon], moves[:, horizon], case.grid))
        for number, name in enumerate(config.experts):
            weights = issued.weights[:, horizon].copy()
            weights[:, number] = 0.0
            weights /= weights.sum(axis=1, keepdims=True)
            without = np.einsum("eng,ne->ng", issued.experts[:, :, horizon], weights.astype(np.float32))
            alone = np.nanmean(crps(issued.experts[number, :, horizon], moves[:, horizon], case.grid))
            lost = np.nanmean(crps(without, moves[:, horizon], case.grid)) / whole - 1
            found.append(
                {
                    "series": case.name,
                    "horizon_min": minutes,
                    "expert": name,
                    "crps_alone": float(alone * case.grid.step_pct),
                    "weight": float(issued.weights[:, horizon, number].mean()),
                    "adds_pct": float(100 * lost),
                }
            )
    return found


def _onset_rows(case: _Case, forecast: Forecast) -> list[dict[str, Any]]:
    """Onset scores among the rows below the limit, whose next minutes are all there."""
    others = [each for each in range(len(case.readings.names)) if each != case.point]
    naive = case.own + (0.01 * case.readings.ch4_pct[:, others[0]] if others else 0.0)
    table = baselines.lag_table(case.readings, case.point)
    lag_model = baselines.fit_lag_onset(table[: case.split], case.own[: case.split], case.limit, case.config)
    lag_scores = lag_model(table[case.here]) if lag_model else None
    found = []
    for window, minutes in enumerate(WITHIN_MIN):
        peak = max_ahead(case.own, steps(minutes))[case.here]
        asked = (case.own[case.here] < case.limit - TINY_PCT) & np.isfinite(peak)
        came = peak[asked] >= case.limit - TINY_PCT
        ours = forecast.onset[asked, case.point, window]
        active = case.rows.is_active[case.here][asked]
        row: dict[str, Any] = {
            "series": case.name,
            "limit": case.limit,
            "within_min": minutes,
            "n": int(asked.sum()),
            "positives": int(came.sum()),
        }
        row |= _skill(came, ours)
        row |= {
            "auc_active": auc(came[active], ours[active]),
            "ap_active": average_precision(came[active], ours[active]),
        }
        row["baselines"] = {"naive": _skill(came, naive[case.here][asked])}
        if lag_scores is not None:
            row["baselines"]["lightgbm"] = _skill(came, lag_scores[asked, window])
        found.append(row)
    return found


def _skill(came: NDArray[np.bool_], score: Floats) -> dict[str, Any]:
    ranks = {"auc": auc(came, score), "ap": average_precision(came, score)}
    if not came.any():
        return ranks
    return ranks | {
        "auc_ci95": interval_by_blocks(
            len(came), lambda rows: auc(came[rows], score[rows]), block=BLOCK, seed=1, draws=_DRAWS
        ),
        "ap_ci95": interval_by_blocks(
            len(came), lambda rows: average_precision(came[rows], score[rows]), block=BLOCK, seed=1, draws=_DRAWS
        ),
    }


def _warning_row(case: _Case, forecast: Forecast, threshold: float) -> dict[str, Any]:
    """What the threshold of training does on the test rows, and the curve over all thresholds."""
    chance = forecast.onset[:, case.point, -1]
    reached = case.own[case.here] >= case.limit - TINY_PCT
    return (
        {"series": case.name}
        | asdict(record(chance, reached, threshold))
        | {"days": len(case.here) * PERIOD_S / 86_400, "curve": [asdict(each) for each in curve(chance, reached)]}
    )
