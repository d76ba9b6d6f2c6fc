"""What samples alone tell: literal series, one every 30 s."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.pipelines.hazard.sensor_checks import last_digit, noise, pulses, spikes, standing, steps

HALF_MINUTE_US = 30_000_000


def clock(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.int64) * HALF_MINUTE_US


def restless(count: int, level: float = 0.30) -> np.ndarray:
    """A sensor that shows level, level + 0.01, level - 0.01 … in turn."""
    return level + 0.01 * np.array([(0, 1, 0, -1)[n % 4] for n in range(count)])


def with_test_gas() -> np.ndarray:
    """Three minutes of air without gas, two and a half of 1.5 %, then as before."""
    values = restless(120)
    values[60:66] = [0.1, 0.02, 0.0, 0.0, 0.0, 0.0]
    values[66:71] = [1.4, 1.5, 1.5, 1.5, 1.49]
    values[71] = 0.5
    return values


def test_test_gas_is_a_square_pulse_with_the_zero_before_it():
    (pulse,) = pulses(clock(120), with_test_gas(), 0.5)
    assert 60 <= pulse.begin <= 61
    assert pulse.end in (71, 72)
    assert pulse.height == pytest.approx(1.2, abs=0.02)


def test_gas_that_comes_and_goes_by_minutes_is_no_pulse():
    values = restless(120)
    values[50:60], values[60:70] = np.linspace(0.3, 1.5, 10), np.linspace(1.5, 0.3, 10)
    assert list(pulses(clock(120), values, 0.5)) == []


def test_a_pulse_that_has_not_ended_is_none_yet():
    assert list(pulses(clock(70), with_test_gas()[:70], 0.5)) == []


def test_a_stillness_is_ended_by_a_change_and_by_a_gap():
    values = np.array([0.3, 0.3, 0.3, 0.4, 0.4, 0.4, 0.4])
    at = clock(7)
    assert [(run.begin, run.end, run.height) for run in standing(at, values, 90_000_000)] == [(0, 3, 0.3), (3, 7, 0.4)]
    at[5:] += 10 * HALF_MINUTE_US
    assert [(run.begin, run.end) for run in standing(at, values, 90_000_000)] == [(0, 3), (3, 5), (5, 7)]


def test_one_or_two_samples_that_stand_out_are_spikes_and_three_are_not():
    values = restless(60)
    values[20], values[40:42] = 1.9, (1.7, 1.8)
    assert spikes(values, 0.15) == [20, 40, 41]
    values[40:44] = 1.8
    assert spikes(values, 0.15) == [20]


def test_a_jump_that_stays_is_a_step_and_a_ramp_is_none():
    values = restless(120)
    values[60:] += 0.2
    (step,) = steps(clock(120), values, 0.1)
    assert step.begin == 60
    assert step.height == pytest.approx(0.2, abs=0.01)
    ramp = restless(120)
    ramp[50:70] += np.linspace(0, 0.2, 20)
    ramp[70:] += 0.2
    assert list(steps(clock(120), ramp, 0.1)) == []


def test_a_jump_that_is_taken_back_within_minutes_is_no_step():
    values = restless(120)
    values[60:66] += 0.5
    assert list(steps(clock(120), values, 0.1)) == []


def test_noise_and_last_digit():
    assert last_digit(np.array([0.3, 0.31, 0.33])) == pytest.approx(0.01)
    assert last_digit(np.array([2.0, 2.0])) == 0
    rng = np.random.default_rng(1)
    assert noise(0.5 + 0.02 * rng.standard_normal(4000)) == pytest.approx(0.02, rel=0.1)
    # A slow change of the air is no noise.
    assert noise(np.linspace(0, 5, 4000) + 0.02 * rng.standard_normal(4000)) == pytest.approx(0.02, rel=0.1)


@given(st.lists(st.floats(0.2, 0.35), min_size=30, max_size=80))
def test_what_stays_within_its_usual_range_has_no_pulse_step_or_spike(values: list[float]):
    series = np.array(values)
    assert list(pulses(clock(len(series)), series, 0.5)) == []
    assert list(steps(clock(len(series)), series, 0.2)) == []
    assert spikes(series, 0.2) == []


@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=60))
def test_still_stretches_do_not_overlap_and_hold_one_value(values: list[int | None]):
    series = np.array([np.nan if value is None else float(value) for value in values])
    runs = standing(clock(len(series)), series, 90_000_000)
    for run in runs:
        inside = series[run.begin : run.end]
        assert set(inside[~np.isnan(inside)]) == {run.height}
    assert all(one.end <= two.begin for one, two in pairwise(runs))
