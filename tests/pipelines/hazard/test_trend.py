"""The slope of a series, without an engine."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.pipelines.hazard.trend import theil_sen_slopes


def slope(at: list[float], values: list[float]) -> float:
    return float(theil_sen_slopes(np.array([at]), np.array([values]))[0])


def test_by_hand():
    """Points (0, 1), (1, 2), (2, 6): slopes 1, 4 and 2.5; the median is 2.5."""
    assert slope([0, 1, 2], [1, 2, 6]) == 2.5


def test_an_even_number_of_pairs_takes_the_mean_of_the_middle():
    """(0, 0), (1, 1), (2, 4), (3, 9): slopes 1, 3, 5, 2, 4, 3: sorted 1 2 3 3 4 5."""
    assert slope([0, 1, 2, 3], [0, 1, 4, 9]) == 3.0
    """(0, 0), (1, 1), (2, 4), (4, 4): slopes 1, 2, 1, 3, 1, 0: sorted 0 1 1 1 2 3."""
    assert slope([0, 1, 2, 4], [0, 1, 4, 4]) == 1.0


def test_unused_places_do_not_count():
    nan = np.nan
    both = theil_sen_slopes(np.array([[0.0, 1.0, nan], [0.0, nan, nan]]), np.array([[1.0, 3.0, nan], [1.0, nan, nan]]))
    assert both[0] == 2.0
    assert np.isnan(both[1])


def test_no_place_at_all():
    assert np.isnan(theil_sen_slopes(np.empty((2, 0)), np.empty((2, 0)))).all()


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=12))
def test_equals_the_median_of_all_pairs(values: list[float]):
    at = [float(n) for n in range(len(values))]
    pairs = [(values[j] - values[i]) / (at[j] - at[i]) for i in range(len(at)) for j in range(i + 1, len(at))]
    assert slope(at, values) == pytest.approx(median(pairs), abs=1e-12)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=12), st.floats(-3, 3), st.floats(-50, 50))
def test_a_straight_line_is_added_to_the_slope(values: list[float], more: float, shift: float):
    at = [float(n) for n in range(len(values))]
    moved = [value + more * when + shift for value, when in zip(values, at, strict=True)]
    assert slope(at, moved) == pytest.approx(slope(at, values) + more, abs=1e-9)
