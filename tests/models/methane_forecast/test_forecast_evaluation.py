"""The forecaster beside its baselines: the keys that callers read, and that the test part teaches nothing early."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from invented import NAMES, longwall, then_noise

from minefusion.models.methane_forecast import baselines
from minefusion.models.methane_forecast.baselines import Size
from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.evaluate import Evaluation, evaluate
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, WITHIN_MIN, Readings
from minefusion.models.methane_forecast.scores import fan_scores
from minefusion.models.methane_forecast.train import train
from minefusion.schemas.errors import InputError

COUNT, SPLIT = 1150, 900
CONFIG = ForecastConfig(
    experts=("persistence", "quantile_trees"), fewest_rows=400, refit_steps=480, pool_steps=480, band_steps=480
)
BASELINES = {"persistence", "lightgbm", "rolling_lightgbm", "neural"}


@pytest.fixture(scope="module", autouse=True)
def small_trees():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baselines, "SIZES", (Size(4, 40, 5, True), Size(4, 40, 4, True)))
        patch.setattr(baselines, "EPOCHS", 2)
        yield


def of(readings: Readings) -> Evaluation:
    return evaluate(readings, SPLIT, config=CONFIG)


@pytest.fixture(scope="module")
def done() -> Evaluation:
    return of(longwall(COUNT, limit_pct=0.8))


def test_every_series_and_horizon_has_a_row_with_all_baselines(done):
    found = done.found
    assert (found["rows_train"], found["rows_test"]) == (SPLIT, COUNT - SPLIT)
    rows = found["forecast"]
    assert [(row["series"], row["horizon_min"]) for row in rows] == [(n, h) for n in NAMES for h in HORIZONS_MIN]
    for row in rows:
        assert row["n"] == COUNT - SPLIT - 2 * row["horizon_min"]  # the truth is the reading 2 h steps later
        for name in ("mae", "rmse", "r2", "pinball", "crps", "coverage_80", "coverage_80_active", "width_80"):
            assert np.isfinite(row[name]), name
        low, high = row["mae_ci95"]
        assert low <= row["mae"] <= high
        assert set(row["baselines"]) == BASELINES
        assert all({"mae", "pinball", "coverage_80"} <= set(each) for each in row["baselines"].values())
    assert [(row["series"], row["within_min"]) for row in found["onset"]] == [(n, w) for n in NAMES for w in WITHIN_MIN]
    corner = found["onset"][0]
    assert corner["limit"] == 0.8
    assert 0 < corner["positives"] < corner["n"]
    assert {"auc", "ap", "auc_ci95", "baselines"} <= set(corner)
    assert set(corner["baselines"]) == {"naive", "lightgbm"}
    assert found["baselines"][NAMES[0]]["lightgbm"]["features"] == 1 + 61 * 5  # the value, and lags of five columns
    assert {each["expert"] for each in found["experts"]} == set(CONFIG.experts)
    warned = found["warnings"][0]
    assert {"threshold", "false_per_day", "recall", "lead_min", "curve"} <= set(warned)


def test_persistence_is_the_last_good_value(done):
    readings, row = done.readings, done.found["forecast"][0]
    own = readings.ch4_pct[:, 0]
    here = np.arange(SPLIT, COUNT - 6)
    assert row["baselines"]["persistence"]["mae"] == pytest.approx(np.abs(own[here + 6] - own[here]).mean())


def test_what_comes_after_changes_no_forecast_before(done):
    row = SPLIT + 150
    other = of(then_noise(done.readings, row))
    until = row + 1 - SPLIT
    for name in ("quantiles_pct", "interval_pct", "onset"):
        before, after = (getattr(each.forecast, name)[:until] for each in (done, other))
        assert np.array_equal(before, after, equal_nan=True)


def test_a_model_that_has_seen_the_test_part_is_refused():
    readings = longwall(COUNT, limit_pct=9.0)
    seen, _ = train(readings, replace(CONFIG, experts=("persistence",)))
    with pytest.raises(InputError, match="learned nothing of the test part"):
        evaluate(readings, SPLIT, forecaster=seen)
    with pytest.raises(InputError, match="rows to test on"):
        evaluate(readings, COUNT)


def test_worked_scores():
    truth, fan = np.array([1.0, 2.0]), np.array([[0, 0.5, 0.8, 1, 1.2, 1.5, 2], [1, 1, 1, 1, 1, 1, 1.0]])
    found = fan_scores(truth, fan, fan[:, [1, 5]])
    assert (found.n, found.mae, found.coverage_80, found.width_80) == (2, 0.5, 0.5, 0.5)
    assert found.rmse == pytest.approx(np.sqrt(0.5))
    assert found.r2 == pytest.approx(1 - 1 / 0.5)
    levels = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
    below = (levels * np.maximum(1 - fan[0], 0) + (1 - levels) * np.maximum(fan[0] - 1, 0)).mean()
    assert found.pinball == pytest.approx((below + levels.mean()) / 2)
    assert np.isnan(fan_scores(truth[:0], fan[:0], fan[:0, :2]).mae)
