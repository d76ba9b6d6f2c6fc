"""Rules of combination against worked numbers, and what must hold for any numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.pipelines.hazard.evidence import (
    Mass,
    combined,
    combined_all,
    comparison_of,
    discounted,
    entropies,
    graded,
    likelihood_of,
    noisy_or,
    normalised,
    probability,
    weights_by_comparison,
    weights_by_entropy,
    weights_together,
)

SHARES = st.floats(0, 1)


def test_comparison_weights_of_the_worked_example():
    found = weights_by_comparison(np.array([[1, 3, 5], [1 / 3, 1, 2], [1 / 5, 1 / 2, 1]]))
    assert found.values == pytest.approx((0.6483, 0.2297, 0.1220), abs=5e-5)
    assert found.largest == pytest.approx(3.0037, abs=5e-5)
    assert found.ratio == pytest.approx(0.0032, abs=5e-5)


def test_comparisons_that_contradict_each_other_have_a_large_ratio():
    circle = np.array([[1, 5, 1 / 5], [1 / 5, 1, 5], [5, 1 / 5, 1]])
    assert weights_by_comparison(circle).ratio > 0.1


def test_comparisons_from_importance_are_consistent_until_the_mine_sets_its_own():
    importance = {"gas": 9.0, "fire": 6.0, "heat": 3.0}
    found = weights_by_comparison(comparison_of(importance, {}))
    assert found.values == pytest.approx((0.5, 1 / 3, 1 / 6))
    assert found.ratio == pytest.approx(0, abs=1e-9)
    own = comparison_of(importance, {("heat", "gas"): 2.0})
    assert (own[2, 0], own[0, 2]) == (2.0, 0.5)


def test_entropy_weights_of_the_worked_example():
    table = np.array([[0.2, 0.5, 0.1], [0.9, 0.6, 0.1], [0.4, 0.55, 0.8], [0.7, 0.5, 0.2]])
    assert entropies(table) == pytest.approx([0.9074, 0.9979, 0.7091], abs=5e-5)
    assert weights_by_entropy(table) == pytest.approx([0.2401, 0.0055, 0.7544], abs=5e-5)


def test_a_constant_or_empty_column_weighs_nothing():
    table = np.array([[0.2, 0.5, 0.0], [0.9, 0.5, 0.0], [0.1, 0.5, 0.0]])
    assert weights_by_entropy(table).tolist() == [1.0, 0.0, 0.0]
    assert weights_by_entropy(np.zeros((40, 2))).tolist() == [0.5, 0.5]


def test_weights_together_fall_back_on_the_comparison():
    assert weights_together(np.array([0.8, 0.2]), np.array([0.2, 0.8])) == pytest.approx([0.5, 0.5])
    assert weights_together(np.array([1.0, 0.0]), np.array([0.0, 1.0])).tolist() == [1.0, 0.0]


def test_two_sources_of_the_worked_example():
    mass, conflict = combined(Mass(abnormal=0.6, normal=0.2, unknown=0.2), Mass(abnormal=0.5, normal=0.3, unknown=0.2))
    assert conflict == pytest.approx(0.28)
    assert (mass.abnormal, mass.normal, mass.unknown) == pytest.approx((0.7222, 0.2222, 0.0556), abs=5e-5)


def test_sources_that_contradict_each_other_are_averaged_and_told():
    sure, denies = Mass(0.95, 0.0, 0.05), Mass(0.0, 0.95, 0.05)
    mass, conflict = combined_all([sure, denies], most_conflict=0.8)
    assert conflict == pytest.approx(0.9025)
    assert mass.abnormal == pytest.approx(mass.normal)
    assert mass.abnormal > 0.45


def test_a_source_without_reliability_says_nothing():
    said = Mass(0.6, 0.2, 0.2)
    mass, conflict = combined(said, discounted(0.9, 0.0))
    assert conflict == 0
    assert (mass.abnormal, mass.normal, mass.unknown) == pytest.approx((0.6, 0.2, 0.2))


def test_probability_by_log_odds():
    # Odds 1:99 times 20 times 4 are 80:99.
    assert probability(0.01, [20.0, 4.0]) == pytest.approx(80 / 179)
    assert probability(0.01, [1e9]) == probability(0.01, [20.0])
    assert probability(0.01, [20.0, 20.0], shrinking=0.5) == pytest.approx(probability(0.01, [20.0]))


def test_noisy_or_of_the_worked_example():
    assert noisy_or([0.6, 0.3, 0.2]) == pytest.approx(0.776)


def test_graded_risk_of_the_worked_example():
    assert graded(6, 6, 15) == 540
    assert (likelihood_of(0.0), likelihood_of(0.5), likelihood_of(1.0)) == pytest.approx((0.1, 1.0, 10.0))


@pytest.mark.parametrize(
    ("value", "share"), [(0.0, 0.0), (0.4, 0.125), (0.8, 0.25), (0.9, 0.5), (1.0, 0.75), (1.5, 1.0), (9.0, 1.0)]
)
def test_normalised_meets_the_anchors(value: float, share: float):
    assert normalised(value, 0.0, (0.8, 0.9, 1.0, 1.5)) == pytest.approx(share)


def test_normalised_where_less_is_worse_and_where_a_step_is_missing():
    assert normalised(19.0, 20.9, (None, 20.0, 19.5, 18.0)) == pytest.approx(0.75 + 0.25 / 3)
    assert normalised(5.0, 0.0, (None, None, None, None)) == 0.0


@given(st.lists(SHARES, min_size=1, max_size=8))
def test_noisy_or_is_never_under_the_largest(shares: list[float]):
    assert noisy_or(shares) >= max(shares) - 1e-12


@given(SHARES, SHARES, st.lists(SHARES, max_size=5))
def test_noisy_or_rises_with_each(first: float, second: float, others: list[float]):
    low, high = sorted((first, second))
    assert noisy_or([high, *others]) >= noisy_or([low, *others]) - 1e-12


@given(st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=6))
def test_masses_stay_masses(sources: list[tuple[float, float]]):
    mass, conflict = combined_all([discounted(share, trust) for share, trust in sources], most_conflict=0.8)
    parts = (mass.abnormal, mass.normal, mass.unknown)
    assert all(-1e-9 <= part <= 1 + 1e-9 for part in parts)
    assert sum(parts) == pytest.approx(1)
    assert 0 <= conflict <= 1
