"""Readings on their clock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.models.methane_forecast.forecast import PERIOD_S, Readings, clock, on_clock
from minefusion.schemas.errors import InputError


def test_a_step_holds_the_last_good_sample_since_the_step_before():
    times = np.array([5.0, 20.0, 25.0, 100.0])
    values = np.array([0.1, 0.2, np.nan, 0.4])
    good = np.array([True, True, True, True])
    even = np.array([0.0, 30.0, 60.0, 90.0, 120.0])
    assert np.array_equal(on_clock(times, values, even, good=good), [np.nan, 0.2, np.nan, np.nan, 0.4], equal_nan=True)
    bad = np.array([True, False, True, True])
    assert on_clock(times, values, even, good=bad)[1] == 0.1


def test_a_slow_channel_keeps_its_value():
    assert np.array_equal(
        on_clock(np.array([0.0]), np.array([1.0]), np.array([0.0, 60.0, 120.0]), hold_s=90.0),
        [1.0, 1.0, np.nan],
        equal_nan=True,
    )


@given(st.integers(0, 10**6), st.integers(0, 10**5))
def test_the_clock_is_even_and_lies_within(first, length):
    even = clock(first, first + length)
    assert np.all(np.diff(even) == PERIOD_S)
    assert np.all(even >= first)
    assert np.all(even <= first + length)
    assert len(even) >= length // PERIOD_S


def test_readings_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="expected ch4_pct of shape"):
        Readings(np.arange(3) * 30.0, np.zeros((2, 1)), ("a",), np.ones(1))
    with pytest.raises(InputError, match="every 30 s"):
        Readings(np.array([0.0, 30.0, 90.0]), np.zeros((3, 1)), ("a",), np.ones(1))
