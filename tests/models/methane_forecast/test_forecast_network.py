"""The network's training: the same weights by the same seed, in one go or in pieces."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from invented import longwall

from minefusion.models.methane_forecast.network import Network, PausedError, fit, say
from minefusion.models.methane_forecast.weights import arrays_of, read_weights, write_weights
from minefusion.models.methane_forecast.windows import FAN, newest_windows, truths, windows

ASKED = {"epochs": 4, "rate": 1e-3, "seed": 3, "batch": 64}


@pytest.fixture(scope="module")
def some() -> tuple[np.ndarray, np.ndarray]:
    readings, rows = longwall(700), np.arange(240, 580)
    return windows(readings, 0, rows), truths(readings.ch4_pct[:, 0], rows)


def fresh() -> Network:
    torch.manual_seed(5)
    return Network(width=16)


def test_in_pieces_the_weights_are_the_same(some, tmp_path):
    whole, pieces = fresh(), fresh()
    losses = fit(whole, *some, **ASKED)
    keep, done = tmp_path / "deep" / "checkpoint.pt", []
    told: list[float] = []
    while not told:
        try:
            told = fit(pieces, *some, keep=keep, budget_s=0, **ASKED)
        except PausedError as paused:
            done.append((paused.done, paused.steps))
            pieces = fresh()  # another process knows of nothing but the file
    assert done == [(step, 21) for step in range(1, 21)]
    assert told == losses
    assert losses[-1] < losses[0]
    assert not keep.exists()
    for name, value in arrays_of(whole).items():
        assert np.array_equal(value, arrays_of(pieces)[name])


def test_quantiles_never_cross_and_gaps_do_not_count(some):
    inputs, truth = some
    fan = say(fresh().eval(), inputs)
    assert fan.shape == (len(inputs), truth.shape[1], len(FAN))
    assert np.all(np.diff(fan, axis=2) >= 0)
    holes = truth.copy()
    holes[::2] = np.nan
    assert np.isfinite(fit(fresh(), inputs, holes, **ASKED)).all()


def test_weights_come_back(tmp_path):
    network = Network()
    write_weights(network, tmp_path / "weights.npz")
    inputs = np.ones((2, 6, 240), np.float32)
    assert np.array_equal(say(read_weights(tmp_path / "weights.npz"), inputs), say(network.eval(), inputs))


@pytest.mark.parametrize("count", [1, 100, 240, 300])
def test_the_newest_windows_are_those_of_each_point(count):
    readings = longwall(count)
    values = readings.ch4_pct.copy()
    values[count // 2 :: 3, 0] = np.nan
    broken = type(readings)(
        readings.times_s, values, readings.names, readings.limits_pct, readings.air_m_s, readings.pressure_hpa,
        readings.producing,
    )  # fmt: skip
    for each in (readings, broken):
        found, base = newest_windows(each)
        for point in range(2):
            expected = windows(each, point, np.array([count - 1]))[0]
            assert np.array_equal(found[point], expected, equal_nan=True)
            assert base[point] == pytest.approx(found[point, 0, -1], nan_ok=True)
