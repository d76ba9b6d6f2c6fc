"""The network for any point: ONNX beside PyTorch, and forecasts of a point that nothing was trained on."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import longwall, then_noise

from minefusion.models.methane_forecast.export import greatest_difference
from minefusion.models.methane_forecast.general import chance_of, off_middle, quantile_at, rounded, sensor_step
from minefusion.models.methane_forecast.predict import load, predict
from minefusion.models.methane_forecast.scoring_round import newest
from minefusion.models.methane_forecast.weights import read_weights
from minefusion.models.methane_forecast.windows import CHANNELS, FAN, LENGTH, windows
from minefusion.models.registry import shipped
from minefusion.schemas.errors import InputError

MODEL = "methane_forecast"
# What the card of the shipped model claims [%].
PARITY_PCT = 1e-4


@pytest.fixture(scope="module")
def forecaster():
    return load(shipped()[MODEL] / "model")


def test_onnx_says_what_torch_says():
    from minefusion.models.methane_forecast.export import as_onnx

    readings, network = longwall(600), read_weights()
    inputs = windows(readings, 0, np.arange(240, 600))
    random = np.random.default_rng(1).uniform(0, 3, (100, CHANNELS, LENGTH)).astype(np.float32)
    model = as_onnx(network)
    assert greatest_difference(network, model, inputs) < PARITY_PCT
    assert greatest_difference(network, model, random) < 10 * PARITY_PCT  # values that jump by whole per cents


def test_the_shipped_model_is_small_and_says_where_it_comes_from():
    folder = shipped()[MODEL]
    assert sum(path.stat().st_size for path in (folder / "model").iterdir()) < 12e6
    card = (folder / "card.md").read_text(encoding="utf-8")
    for told in ("data:", "split:", "seed:", "made by: minefusion train", "licence"):
        assert told in card


def test_it_forecasts_a_point_that_it_never_saw(forecaster):
    readings = longwall(900)
    found = predict(forecaster, readings, np.arange(300, 900, 5))
    assert found.names == readings.names
    assert np.all(np.diff(found.quantiles_pct, axis=-1) >= 0)
    assert np.all(found.interval_pct[..., 0] <= found.interval_pct[..., 1])
    assert np.allclose(found.quantiles_pct[:, 0], np.round(found.quantiles_pct[:, 0], 1))  # this sensor shows tenths
    known = found.onset[np.isfinite(found.onset[..., 0])]
    assert np.all((known >= 0) & (known <= 1) & (np.diff(known, axis=1, prepend=0) >= 0))


def test_what_comes_after_changes_no_bit(forecaster):
    readings = longwall(700)
    origins = np.arange(380, 401)
    one, other = (predict(forecaster, each, origins) for each in (readings, then_noise(readings, 400)))
    assert np.array_equal(one.quantiles_pct, other.quantiles_pct)
    assert np.array_equal(one.onset, other.onset, equal_nan=True)


def test_by_minute_or_at_once_the_numbers_are_the_same(forecaster):
    inputs = windows(longwall(700), 0, np.arange(250, 700))
    whole = forecaster.general.fan(inputs)
    for place in (0, 5, 255, 256, 449):
        assert np.array_equal(forecaster.general.fan(inputs[place : place + 1])[0], whole[place])
    assert np.array_equal(forecaster.general.fan(inputs[3:110]), whole[3:110])


def test_a_round_over_many_paths_says_what_each_call_says(forecaster):
    paths = [longwall(count, seed, limit_pct=0.6) for seed, count in enumerate((300, 900, 50))]
    values = paths[1].ch4_pct.copy()
    values[-30:, 1] = np.nan
    paths[1] = replace(paths[1], ch4_pct=values, producing=np.empty(0))
    for found, path in zip(newest(forecaster.general, paths), paths, strict=True):
        alone = predict(forecaster, path)
        for name in ("quantiles_pct", "interval_pct", "onset", "base_pct", "is_warning", "is_out_of_range"):
            assert np.array_equal(
                getattr(found, name), getattr(alone, name), equal_nan=getattr(alone, name).dtype.kind == "f"
            ), name
        assert np.all((found.driver == alone.driver) | ~found.is_warning)


def test_gaps_and_strangers_are_normal(forecaster):
    readings = longwall(400)
    values = readings.ch4_pct.copy()
    values[100:350:2, 0] = np.nan
    values[-30:, 1] = np.nan
    bare = replace(readings, ch4_pct=values, air_m_s=np.empty((0, 0)), pressure_hpa=np.empty(0), producing=np.empty(0))
    found = predict(forecaster, bare)
    assert np.isfinite(found.quantiles_pct[0, 0]).all()
    assert np.isnan(found.quantiles_pct[0, 1]).all()
    # A minute of history is little, and enough.
    assert np.isfinite(predict(forecaster, readings.until(2)).quantiles_pct).all()


def test_a_worker_gets_it_without_its_session(forecaster):
    predict(forecaster, longwall(300))
    again = pickle.loads(pickle.dumps(forecaster.general))
    assert "session" not in vars(again)
    assert again.model == forecaster.general.model


def test_the_step_of_a_sensor_is_seen():
    coarse, fine = np.full((1, LENGTH), 0.3, np.float32), np.linspace(0.3, 0.4, LENGTH, dtype=np.float32)[None]
    assert sensor_step(np.concatenate([coarse, np.round(fine, 2)])).tolist() == [0.1, 0.01]
    assert rounded(np.array([[0.44, 0.46]]), np.array([0.3]), np.array([0.1])).tolist() == [[0.4, 0.5]]


@given(st.floats(0.02, 0.98), st.floats(0.1, 2.0))
def test_levels_and_values_are_inverse(level, spread):
    fan = 0.5 + spread * (np.array(FAN) - 0.5)[None, None, :]
    found = quantile_at(fan, np.array([[level]]))
    assert found[0, 0] == pytest.approx(0.5 + spread * (level - 0.5))
    assert off_middle(fan, found)[0, 0] == pytest.approx(abs(level - 0.5), abs=1e-6)
    assert chance_of(np.repeat(fan, 3, axis=1), found[:, 0])[0] == pytest.approx([1 - level] * 3, abs=1e-6)


def test_weights_of_another_network_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", bias=np.zeros(3))
    with pytest.raises(InputError, match="weights of this network"):
        read_weights(tmp_path / "other.npz")
    with pytest.raises(InputError, match="found none"):
        read_weights(tmp_path / "none.npz")
