"""Scores with answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.models import skill

TRUTH = np.array([False, True, False, True])
SCORE = np.array([0.1, 0.9, 0.5, 0.5])


def test_worked_example():
    # Pairs (positive, negative): .9>.1, .9>.5, .5>.1, and .5=.5 that counts half: 3.5 of 4.
    assert skill.auc(TRUTH, SCORE) == 3.5 / 4
    # One of one, then two of three, each for half of the positives.
    assert skill.average_precision(TRUTH, SCORE) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert skill.brier(TRUTH, SCORE) == pytest.approx((0.01 + 0.01 + 0.25 + 0.25) / 4)
    assert skill.alarms_per_100(TRUTH, SCORE, 0.5) == 25
    assert skill.alarms_per_100(TRUTH, SCORE, 0.7) == 75  # the tie brings the negative along


def test_recall_asks_for_no_more_than_it_says():
    truth = np.ones(10, dtype=bool)
    assert skill.alarms_per_100(truth, np.arange(10.0), 0.7) == 70


def test_nothing_to_find_has_no_score():
    nothing = np.zeros(3, dtype=bool)
    assert np.isnan(skill.auc(nothing, np.arange(3.0)))
    assert np.isnan(skill.average_precision(nothing, np.arange(3.0)))
    assert np.isnan(skill.alarms_per_100(nothing, np.arange(3.0), 0.5))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=30))
def test_ranking_is_what_counts(rows: list[tuple[bool, int]]):
    truth = np.array([row[0] for row in rows])
    score = np.array([row[1] for row in rows], dtype=float)
    if truth.all() or not truth.any():
        return
    area = skill.auc(truth, score)
    assert 0 <= area <= 1
    assert skill.auc(truth, 3 * score - 7) == pytest.approx(area)
    assert skill.auc(truth, -score) == pytest.approx(1 - area)
    assert 0 < skill.average_precision(truth, score) <= 1


def test_interval_holds_the_score_and_widens_with_blocks():
    random = np.random.default_rng(1)
    level = np.repeat(random.normal(size=40), 25)  # rows of one block are alike
    low, high = skill.interval_by_blocks(len(level), lambda at: float(level[at].mean()), block=25, seed=0, draws=300)
    assert low < level.mean() < high
    narrow = skill.interval_by_blocks(len(level), lambda at: float(level[at].mean()), block=1, seed=0, draws=300)
    assert high - low > 3 * (narrow[1] - narrow[0])
