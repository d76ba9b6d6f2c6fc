"""What drove a forecast, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from minefusion.models.methane_forecast.explain import DRIVERS, drivers, sentence
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, LEVELS, Forecast, Readings

COUNT = 900


def quiet(points: int = 1) -> Readings:
    """Seven and a half hours in which nothing happens."""
    random = np.random.default_rng(1)
    return Readings(
        30.0 * np.arange(COUNT),
        np.round(0.3 + random.normal(0, 0.01, (COUNT, points)), 2),
        tuple(f"point {number}" for number in range(points)),
        np.ones(points),
        np.round(2 + random.normal(0, 0.02, (COUNT, 1)), 2),
        np.full(COUNT, 1000.0),
        np.zeros(COUNT),
    )


def rising(readings: Readings, point: int, row: int, by_pct: float = 0.02) -> Readings:
    values = readings.ch4_pct.copy()
    values[row:, point] += by_pct * np.arange(COUNT - row)
    return replace(readings, ch4_pct=values)


def test_each_cause_is_named_with_the_minutes_since_it_began():
    calm = rising(quiet(), 0, 880, 0.01)
    producing, air = np.zeros(COUNT), calm.air_m_s.copy()
    producing[860:] = 1
    air[880:] = 1.2
    falling = np.r_[np.full(800, 1000.0), 1000 - 0.02 * np.arange(100)]
    for cause, readings in {
        "own": calm,
        "production": replace(rising(quiet(), 0, 860, 0.0015), producing=producing),
        "air": replace(calm, air_m_s=air),
        "pressure": replace(calm, pressure_hpa=falling),
    }.items():
        names, minutes = drivers(readings, 0)
        assert names[-1] == cause
        assert names[780] == "unclear"
        if cause in ("production", "air"):
            assert minutes[-1] == pytest.approx({"production": 19.5, "air": 9.5}[cause], abs=2)


def test_of_two_causes_none_is_named():
    calm = rising(quiet(), 0, 860, 0.0015)
    producing, air = np.zeros(COUNT), calm.air_m_s.copy()
    producing[880:] = 1
    air[880:] = 1.72
    assert drivers(replace(calm, producing=producing, air_m_s=air), 0)[0][-1] == "unclear"


def test_a_neighbour_is_a_cause_where_it_rose_before():
    later = rising(rising(quiet(2), 1, 860), 0, 880)
    assert drivers(later, 0)[0][-1] == "neighbour"
    assert drivers(later, 1)[0][-1] == "own"


def test_a_sudden_rise_is_not_from_cutting():
    producing = np.zeros(COUNT)
    producing[860:] = 1
    sudden = rising(replace(quiet(), producing=producing), 0, 890, 0.1)
    assert drivers(sudden, 0)[0][-1] == "own"


def told(**changes: object) -> Forecast:
    shape = (1, 1)
    forecast = Forecast(
        np.zeros(1), ("T0",), np.full(shape, 0.8), np.full((*shape, len(HORIZONS_MIN), len(LEVELS)), 0.9),
        np.zeros((*shape, len(HORIZONS_MIN), 2)), np.full((*shape, 3), 0.4), np.ones(shape, bool),
        np.zeros(shape, bool), np.full(shape, "air"), np.full(shape, 12.0),
    )  # fmt: skip
    return replace(forecast, **changes)


def test_sentences():
    assert sentence(told(), 0, 0, "en") == (
        "T0 is 0.80 %, about 0.90 % in an hour; 40% chance of reaching the alarm limit within 30 min; "
        "the airflow fell 12 min ago"
    )
    assert sentence(told(), 0, 0, "zh") == (
        "T0 现为 0.80 %，一小时后约 0.90 %，30 分钟内达到报警限值的概率 40%，风量下降（12 分钟前）"
    )
    beyond = told(
        is_out_of_range=np.ones((1, 1), bool), driver=np.full((1, 1), "unclear"), driver_min=np.full((1, 1), np.nan)
    )
    assert sentence(beyond, 0, 0, "en").endswith("no clear cause; inputs outside the training range")
    nothing = told(base_pct=np.full((1, 1), np.nan))
    assert sentence(nothing, 0, 0, "en") == "T0: no good value for ten minutes, no forecast"
    assert set(DRIVERS) >= {"production", "air", "neighbour", "pressure", "own", "unclear"}
