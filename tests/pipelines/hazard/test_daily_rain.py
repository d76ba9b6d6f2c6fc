"""Gauges that tell their rain less often than every hour: a day's total is no cloudburst, nor known before its end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.pipelines.hazard.rainfall import caine_ratio, fallen, known_share

SILENT = np.nan


def told(hours: int, readings: dict[int, float]) -> np.ndarray:
    rain = np.full(hours, SILENT)
    for hour, millimetres in readings.items():
        rain[hour] = millimetres
    return rain


def test_a_total_of_a_day_is_the_rain_of_the_24_hours_that_end_with_it():
    rain = told(73, {0: 5.0, 24: 34.0, 48: 0.0, 72: 12.0})
    assert fallen(rain, 24)[[24, 48, 72]] == pytest.approx([34.0, 0.0, 12.0])
    assert known_share(rain, 24)[[24, 30, 31]] == pytest.approx([1.0, 18 / 24, 17 / 24])
    assert np.isnan(fallen(rain, 24)[31])
    # 34 mm within an hour would reach the bound over which slopes come down; over a day they are far from it.
    assert caine_ratio(rain)[24] == pytest.approx(34 / 24 / (14.82 * 24**-0.39), abs=1e-9)


def test_the_first_total_does_not_say_of_how_long_it_is():
    assert np.isnan(fallen(told(25, {0: 5.0}), 24)).all()


def test_after_a_silence_a_reading_is_of_its_usual_time():
    rain = told(100, dict.fromkeys((*range(40), *range(60, 100)), 1.0))
    assert known_share(rain, 24)[[60, 83]] == pytest.approx([4 / 24, 1.0])
    assert np.isnan(fallen(rain, 24)[60])


@given(st.lists(st.none() | st.floats(0, 50), min_size=30, max_size=90), st.integers(1, 29))
def test_what_comes_later_changes_nothing(readings: list[float | None], hour: int):
    rain = np.array([SILENT if each is None else each for each in readings])
    now = fallen(rain[: hour + 1], 24)
    np.testing.assert_allclose(fallen(rain, 24)[: hour + 1], now, atol=1e-9)
