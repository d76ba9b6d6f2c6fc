"""Distributions on the grid of a sensor's steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minefusion.models.methane_forecast.distribution import (
    Grid,
    crps,
    from_counts,
    from_fan,
    grid_of,
    middle,
    moves_ahead,
    quantile,
)
from minefusion.models.methane_forecast.forecast import LEVELS

GRID = Grid(0.1, 2)
# One in four falls by a step, half stay, one in four rises by two.
CDF = from_counts(np.array([[0, 1, 2, 0, 1]]))


def test_worked_example():
    assert CDF[0] == pytest.approx([0, 0.25, 0.75, 0.75, 1])
    assert [int(quantile(CDF, level)[0]) - GRID.reach for level in (0.1, 0.25, 0.5, 0.75, 0.9)] == [-1, -1, 0, 0, 2]
    assert middle(CDF)[0] == pytest.approx([0, 0.125, 0.5, 0.75, 0.875])
    # Truth 0: (0.25)² below it, (0.25)² + (0.25)² from it on.
    assert crps(CDF, np.array([0.0]), GRID)[0] == pytest.approx(3 * 0.25**2)
    assert np.isnan(crps(CDF, np.array([np.nan]), GRID)[0])


def test_the_grid_is_the_sensors_step_with_room_for_what_was_seen():
    own = np.r_[np.full(200, 0.3), np.full(200, 0.7), np.full(10, np.nan)]
    assert grid_of(own) == Grid(0.4, 10)
    fine = np.round(0.3 + 0.01 * np.arange(200), 2)
    grid = grid_of(fine)
    assert grid.step_pct == pytest.approx(0.03)  # 120 steps are moved in an hour: more than the grid has room for
    assert grid.reach * grid.step_pct >= 1.5 * 1.2 - 0.03
    assert grid_of(np.full(50, np.nan)) == Grid(0.01, 10)


def test_moves_are_whole_steps_and_open_at_the_end():
    own = np.round(np.arange(10) * 0.1, 1)
    moves = moves_ahead(own, own, Grid(0.1, 10))
    assert list(moves[:4, 0]) == [6, 6, 6, 6]
    assert np.isnan(moves[4:, 0]).all()
    assert np.isnan(moves[:, 1:]).all()


@given(arrays(np.float64, (3, len(LEVELS)), elements=st.floats(-8, 8)))
def test_a_fan_becomes_a_distribution_with_its_quantiles(fan):
    fan = np.sort(fan, axis=1)
    grid = Grid(0.1, 12)
    cdf = from_fan(fan, grid)
    assert np.all(np.diff(cdf, axis=1) >= -1e-6)
    assert cdf[:, -1] == pytest.approx(1)
    for place, level in enumerate(LEVELS):
        found = quantile(cdf, level) - grid.reach
        assert np.all(np.abs(found - fan[:, place]) <= 1)


@given(st.lists(st.integers(0, 9), min_size=5, max_size=5).filter(any), st.integers(-2, 2))
def test_the_truth_itself_scores_best(counts, truth):
    sure = np.zeros((1, 5))
    sure[0, truth + 2] = 1
    other = crps(from_counts(np.array([counts])), np.array([float(truth)]), GRID)[0]
    assert crps(from_counts(sure), np.array([float(truth)]), GRID)[0] == 0 <= other
