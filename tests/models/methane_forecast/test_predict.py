"""The one call: nothing ahead is seen, nothing is remembered, nothing is refused that a mine measures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from invented import NAMES, longwall, then_noise

from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.features import features
from minefusion.models.methane_forecast.forecast import Forecast, Readings
from minefusion.models.methane_forecast.package import columns_of
from minefusion.models.methane_forecast.package import load as load_package
from minefusion.models.methane_forecast.predict import load, predict, save
from minefusion.models.methane_forecast.train import Forecaster, grow, train
from minefusion.schemas.errors import InputError

CONFIG = ForecastConfig(fewest_rows=560, refit_steps=540, pool_steps=480, band_steps=480)
COUNT, LATER = 1100, 1700


@pytest.fixture(scope="module")
def forecaster() -> Forecaster:
    """Every expert of the shipped configuration, trained on nine hours."""
    return train(longwall(COUNT), CONFIG)[0]


def same(one: Forecast, other: Forecast) -> None:
    for name in Forecast.__dataclass_fields__:
        assert np.array_equal(
            getattr(one, name), getattr(other, name), equal_nan=np.asarray(getattr(one, name)).dtype.kind == "f"
        ), name


def test_what_comes_after_changes_no_bit(forecaster):
    readings, row = longwall(LATER), COUNT + 300
    origins = np.arange(row - 40, row + 1)
    same(predict(forecaster, readings, origins), predict(forecaster, then_noise(readings, row), origins))
    same(predict(forecaster, readings, origins), predict(forecaster, readings.until(row + 1), origins))


def test_refits_along_a_series_see_nothing_ahead():
    config = replace(CONFIG, experts=("persistence", "class_trees"))
    row = 900  # within the second stretch, after a refit

    def issued(readings: Readings) -> list[np.ndarray]:
        rows = tuple(features(readings, point) for point in range(2))
        found = []
        for stretch, _ in grow(readings, rows, 300, config):
            kept = max(0, min(stretch.stop, row + 1) - stretch.start)
            for each in stretch.issued:
                found += [each.quantiles_pct[:kept], each.interval_pct[:kept], each.onset[:kept]]
        return found

    readings = longwall(1000)
    for one, other in zip(issued(readings), issued(then_noise(readings, row)), strict=True):
        assert np.array_equal(one, other, equal_nan=True)


def test_by_minute_or_at_once_the_numbers_are_the_same(forecaster):
    readings = longwall(LATER)
    origins = np.arange(COUNT + 200, COUNT + 204)
    whole = predict(forecaster, readings, origins)
    for place, origin in enumerate(origins):
        alone = predict(forecaster, readings.until(origin + 1))
        assert np.array_equal(alone.quantiles_pct[0], whole.quantiles_pct[place])
        assert np.array_equal(alone.interval_pct[0], whole.interval_pct[place])
        assert np.array_equal(alone.onset[0], whole.onset[place], equal_nan=True)


def test_what_is_saved_says_the_same(forecaster, tmp_path: Path):
    save(forecaster, tmp_path / "model")
    assert not list((tmp_path / "model").glob("*.pkl"))
    readings = longwall(LATER)
    same(predict(load(tmp_path / "model"), readings), predict(forecaster, readings))


def test_a_forecast_is_in_whole_steps_and_its_edges_are_in_order(forecaster):
    readings = longwall(LATER)
    found = predict(forecaster, readings, np.arange(COUNT, LATER, 7))
    assert np.all(np.diff(found.quantiles_pct, axis=-1) >= 0)
    assert np.all(found.interval_pct[..., 0] <= found.interval_pct[..., 1])
    assert np.all(found.quantiles_pct >= 0)
    assert np.allclose(found.quantiles_pct[:, 0], np.round(found.quantiles_pct[:, 0], 1))
    asked = found.base_pct < readings.limits_pct
    assert np.array_equal(np.isfinite(found.onset[..., 0]), asked)
    known = found.onset[asked]
    assert np.all((known >= 0) & (known <= 1) & (np.diff(known, axis=1, prepend=0) >= 0))


def test_gaps_are_normal_and_a_long_one_has_no_forecast(forecaster):
    readings = longwall(LATER)
    values = readings.ch4_pct.copy()
    values[LATER - 300 : LATER - 200 : 3] = np.nan
    values[LATER - 10 :, 0] = np.nan  # five minutes: the last good value is held
    values[LATER - 40 :, 1] = np.nan  # twenty minutes
    air = np.full_like(readings.air_m_s, np.nan)
    broken = replace(readings, ch4_pct=values, air_m_s=air, producing=np.full(LATER, np.nan))
    found = predict(forecaster, broken)
    assert np.isfinite(found.quantiles_pct[0, 0]).all()
    assert found.base_pct[0, 0] == values[LATER - 11, 0]
    assert np.isnan(found.base_pct[0, 1])
    assert not found.is_warning[0, 1]


def test_two_hours_of_history_are_enough(forecaster):
    found = predict(forecaster, longwall(240))
    assert np.isfinite(found.quantiles_pct).all()
    assert np.isfinite(found.interval_pct).all()


def test_other_inputs_than_in_training_are_said(forecaster):
    readings = longwall(LATER)
    high = replace(readings, ch4_pct=readings.ch4_pct + np.where(np.arange(LATER) > LATER - 60, 2.0, 0.0)[:, None])
    assert predict(forecaster, high).is_out_of_range.all()
    assert not predict(forecaster, readings).is_out_of_range.any()


def test_what_does_not_fit_is_refused(forecaster):
    readings = longwall(300)
    with pytest.raises(InputError, match="origins among the 300 rows"):
        predict(forecaster, readings, np.array([300]))
    with pytest.raises(InputError, match="got m/other; train a model with it"):
        predict(forecaster, replace(readings, names=("m/other", NAMES[1])))
    with pytest.raises(InputError, match="to train on, got 300"):
        train(readings, CONFIG)


def test_the_registrys_package_makes_the_same_call(forecaster, tmp_path: Path):
    save(forecaster, tmp_path / "model")
    readings = longwall(LATER)
    parts: dict[str, list] = {name: [] for name in ("time_s", "channel", "name", "value", "limit_pct")}
    columns = {("ch4", name): readings.ch4_pct[:, place] for place, name in enumerate(NAMES)}
    columns |= {("air_velocity", "v"): readings.air_m_s[:, 0], ("pressure", "b"): readings.pressure_hpa}
    columns |= {("producing", "s"): readings.producing}
    for (channel, name), values in columns.items():
        limit = readings.limits_pct[NAMES.index(name)] if name in NAMES else np.nan
        for key, each in zip(parts, (readings.times_s, channel, name, values, limit), strict=True):
            parts[key].append(np.broadcast_to(each, LATER))
    found = load_package(tmp_path / "model")({key: np.concatenate(each) for key, each in parts.items()})
    expected = columns_of(predict(forecaster, readings))
    assert list(found) == list(expected)
    for name in expected:
        assert np.array_equal(found[name], expected[name], equal_nan=expected[name].dtype.kind == "f"), name
