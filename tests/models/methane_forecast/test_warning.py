"""Warnings: which are false, and how early the others come."""

from __future__ import annotations

import numpy as np
import pytest

from minefusion.models.methane_forecast.warning import NEVER, curve, events, record, threshold_for

DAY = 2880


def shift() -> tuple[np.ndarray, np.ndarray]:
    """A day: a warning 10 min before the limit is reached at row 1000, a false one at row 2000."""
    chance, reached = np.full(DAY, 0.05), np.zeros(DAY, dtype=bool)
    chance[980:1000] = 0.8
    reached[1000:1040] = True
    chance[1000:1040] = np.nan
    chance[2000:2030] = 0.6
    return chance, reached


def test_worked_example():
    found = record(*shift(), 0.5)
    assert (found.warnings, found.false_warnings, found.events) == (2, 1, 1)
    assert (found.false_per_day, found.recall, found.lead_min) == (1.0, 1.0, 10.0)
    strict = record(*shift(), 0.7)
    assert (strict.warnings, strict.false_warnings, strict.recall) == (1, 0, 1.0)
    assert np.isnan(record(*shift(), 0.9).lead_min)


def test_a_warning_speaks_for_half_an_hour_or_until_the_event():
    chance, reached = np.full(210, 0.9), np.zeros(210, dtype=bool)
    reached[150] = True
    found = record(chance, reached, 0.5)
    # At 0, 60 and 120, where the third is right; then at 151.
    assert (found.warnings, found.false_warnings, found.recall, found.lead_min) == (4, 3, 1.0, 15.0)


def test_crossings_close_together_are_one_event():
    reached = np.zeros(200, dtype=bool)
    reached[[10, 15, 30, 100]] = True
    assert list(events(reached)) == [10, 100]
    assert list(events(np.array([True, False]))) == []  # it was reached before we looked


def test_the_threshold_keeps_to_its_false_warnings():
    chance, reached = shift()
    assert threshold_for(chance, reached, 1.0) < threshold_for(chance, reached, 0.0) <= 0.8
    assert record(chance, reached, threshold_for(chance, reached, 0.0)).false_warnings == 0
    always = np.full(DAY, 0.99)
    assert threshold_for(always, np.zeros(DAY, dtype=bool), 0.5) == NEVER


def test_the_curve_runs_from_always_to_never():
    found = curve(*shift())
    assert found[0].false_per_day > 40
    assert found[-1].warnings == 0
    assert found[-1].recall == pytest.approx(0.0)
