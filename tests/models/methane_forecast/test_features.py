"""Features look back only."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import longwall, then_noise

from minefusion.models.methane_forecast.features import (
    IDLE,
    PAUSED,
    PRODUCING,
    contexts,
    features,
    last_good,
    max_ahead,
    recent_max,
    recent_mean,
    recent_min,
    since_change,
)

NAN = float("nan")
SERIES = st.lists(st.one_of(st.just(NAN), st.integers(0, 300).map(lambda each: each / 100)), min_size=1, max_size=40)


@given(SERIES, st.integers(1, 12))
def test_windows_are_what_they_say(values, window):
    series = np.array(values)
    for row in range(len(series)):
        seen = series[max(0, row - window + 1) : row + 1]
        seen = seen[np.isfinite(seen)]
        for found, plain in ((recent_max, np.max), (recent_min, np.min), (recent_mean, np.mean)):
            expected = plain(seen) if len(seen) else NAN
            assert found(series, window)[row] == pytest.approx(expected, abs=1e-9, nan_ok=True)


@given(SERIES, st.integers(1, 6))
def test_the_peak_ahead_leaves_the_present_out(values, lead):
    series = np.array(values)
    for row, found in enumerate(max_ahead(series, lead)):
        seen = series[row + 1 : row + 1 + lead]
        complete = len(seen) == lead and np.isfinite(seen).any()
        assert found == pytest.approx(np.nanmax(seen) if complete else NAN, nan_ok=True)


def test_a_gap_is_held_for_a_while():
    assert np.array_equal(last_good(np.array([NAN, 1, NAN, NAN, NAN, 2]), 2), [NAN, 1, 1, 1, NAN, 2], equal_nan=True)
    assert np.array_equal(since_change(np.array([1.0, 1, 2, 2, 2])), [0, 1, 0, 1, 2])


def test_context_is_idle_paused_or_producing():
    works = np.r_[np.zeros(10), np.ones(5), np.zeros(1000)]
    context, is_active = contexts(works, np.full(len(works), 0.5))
    assert list(context[[0, 9, 10, 14, 15, 974, 1000]]) == [IDLE, IDLE, PRODUCING, PRODUCING, PAUSED, PAUSED, IDLE]
    assert is_active[974]  # eight hours after the last cut
    assert not is_active[975]


def test_without_a_production_state_the_points_own_unrest_stands_in():
    own = np.r_[np.full(2000, 0.5), 0.6, np.full(30, 0.6)]
    context, _ = contexts(np.full(len(own), NAN), own)
    assert context[1999] == IDLE
    assert context[2000] == PRODUCING
    assert context[-1] == PAUSED


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 398), st.integers(0, 3))
def test_no_feature_looks_ahead(row, seed):
    readings = longwall(400, seed)
    for point in range(2):
        seen = features(readings, point).values[: row + 1]
        assert np.array_equal(seen, features(then_noise(readings, row), point).values[: row + 1], equal_nan=True)
        # Nor does it matter how long the series goes on.
        assert np.array_equal(seen, features(readings.until(row + 1), point).values, equal_nan=True)
