"""Readings by minute: what holds, for how long, and that nothing is seen before it happened."""

from __future__ import annotations

from datetime import timedelta
from math import inf

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from literal_mine import T0, Make, at, collect, point, series

GAS = [point("G", "ch4", gas_class="LW_FACE_T1")]


def minutes_of(make: Make, values, *, every_s=30.0, start=0.0, span=(0, 6), points=GAS):
    inputs = make(points=points, readings=series("G", values, every_s=every_s, start=start), minutes=span)
    return [row for row in collect(inputs.minutes) if row["window_start"] >= at(span[0])]


def test_two_samples_a_minute(make: Make):
    first, second = minutes_of(make, [0.2, 0.4, 0.6, 0.5], span=(0, 2))
    assert (first["value_max"], first["value_min"], first["mean"]) == (0.4, 0.2, 0.3)
    assert (first["samples"], first["coverage"]) == (2, 1.0)
    # 0.6 is the highest; two of the last three reach 0.4 (with 0.4) and then 0.5 (with 0.6).
    assert (second["value_max"], second["high"]) == (0.6, 0.5)


def test_a_lone_sample_confirms_nothing(make: Make):
    first = minutes_of(make, [2.0], span=(0, 1))[0]
    assert (first["value_max"], first["high"], first["low"]) == (2.0, -inf, inf)


def test_a_value_holds_for_three_periods_and_no_longer(make: Make):
    # One sample at 0:30; with a period of 30 s it holds until 2:00.
    rows = minutes_of(make, [None, 0.7], span=(0, 4))
    assert [row["coverage"] for row in rows] == [0.5, 1.0, 0.0, 0.0]
    assert [row["mean"] for row in rows] == [0.7, 0.7, None, None]
    assert [row["samples"] for row in rows] == [1, 0, 0, 0]
    assert [row["last_value"] for row in rows] == [0.7] * 4


def test_the_mean_is_weighted_by_time(make: Make):
    # 0.2 from 0:00 to 0:45, 1.0 from 0:45 to 1:00: (0.2·45 + 1.0·15) ÷ 60 = 0.4
    inputs = make(points=GAS, readings=series("G", [0.2, 1.0], every_s=45), minutes=(0, 1))
    row = next(row for row in collect(inputs.minutes) if row["window_start"] == T0)
    assert row["mean"] == pytest.approx(0.4)


def test_readings_that_fail_the_gate_count_for_nothing(make: Make):
    rows = minutes_of(make, [0.2, (2.0, "BAD", "CALIBRATION"), (0.3, "SUSPECT", "STUCK"), 0.2], span=(0, 2))
    assert [row["value_max"] for row in rows] == [0.2, 0.2]


def test_what_came_before_the_window_is_held(make: Make):
    rows = minutes_of(make, [0.5] * 4, start=-2, span=(0, 2))
    assert [row["coverage"] for row in rows] == [1.0, 0.0]  # the last one, at -0:30, holds until 1:00


@given(
    values=st.lists(st.one_of(st.none(), st.integers(0, 400)), min_size=1, max_size=60),
    every_s=st.sampled_from([15.0, 30.0, 47.0]),
    cut=st.integers(1, 9),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_minute_does_not_depend_on_what_comes_after_it(make: Make, values, every_s, cut):
    readings = series("G", [None if value is None else value / 100 for value in values], every_s=every_s)
    whole = {row["window_start"]: row for row in collect(make(points=GAS, readings=readings, minutes=(0, 10)).minutes)}
    short = collect(make(points=GAS, readings=readings, minutes=(0, cut)).minutes)
    assert short
    for row in short:
        assert row == whole[row["window_start"]]


@given(
    values=st.lists(st.one_of(st.none(), st.integers(0, 400)), min_size=1, max_size=60),
    every_s=st.sampled_from([15.0, 30.0, 47.0]),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_minutes_equal_a_plain_loop(make: Make, values, every_s):
    readings = series("G", [None if value is None else value / 100 for value in values], every_s=every_s)
    rows = collect(make(points=GAS, readings=readings, minutes=(0, 10)).minutes)
    samples = [(row["observed_at"], row["value"]) for row in readings]
    for row in rows:
        begins, ends = row["window_start"], row["window_start"] + timedelta(minutes=1)
        inside = [value for when, value in samples if begins <= when < ends]
        covered = weighted = 0.0
        for number, (when, value) in enumerate(samples):
            until = min(
                when + timedelta(seconds=90), ends, samples[number + 1][0] if number + 1 < len(samples) else ends
            )
            seconds = (until - max(when, begins)).total_seconds()
            if seconds > 0 and when < ends:
                covered += seconds
                weighted += seconds * value
        assert row["samples"] == len(inside)
        assert row["coverage"] == pytest.approx(covered / 60)
        assert row["mean"] == (pytest.approx(weighted / covered, abs=2e-6) if covered else None)
        if inside:
            assert (row["value_min"], row["value_max"]) == (min(inside), max(inside))
