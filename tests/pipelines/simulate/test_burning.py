"""Heating coal and open fire: the printed table, the ladder of gases, and which index must see it first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.pipelines.simulate.burning import (
    FLAMING_C,
    co_make_l_min,
    fire_gases,
    heat_release_kw,
    heating_c,
    heating_gases,
    ico_pct,
)

# Heat [kW] → seconds of a slow fire, CO [ppm], oxygen missing [%], warmth [K] in 42.7 m³/s of air.
PRINTED = {
    30: (101, 2.1, 0.004, 0.4), 100: (185, 7.0, 0.013, 1.4), 500: (413, 35, 0.067, 6.8), 1000: (584, 70, 0.134, 13.6),
    3000: (1012, 211, 0.403, 41),
}  # fmt: skip
SLOW_KW_S2 = 0.00293


@pytest.mark.parametrize("heat_kw", PRINTED)
def test_a_fire_gives_what_the_table_says(heat_kw):
    seconds, co_ppm, deficit_pct, warmer_k = PRINTED[heat_kw]
    gases = {name: float(amount) / 42.7 for name, amount in fire_gases(heat_kw).items()}
    assert heat_release_kw(seconds, SLOW_KW_S2, 1e6) == pytest.approx(heat_kw, rel=0.01)
    assert gases["co"] == pytest.approx(co_ppm, rel=0.02)
    assert gases["deficit"] == pytest.approx(deficit_pct, abs=0.0006)
    assert gases["warmth"] == pytest.approx(warmer_k, rel=0.03)
    assert gases["co"] / 1e4 / gases["deficit"] * 100 == pytest.approx(5.2, abs=0.05)  # Graham


def test_the_gases_of_a_heating_come_one_after_another():
    first = {}
    for hot_c in range(30, 221):
        for gas, amount in heating_gases(float(hot_c)).items():
            if amount > 0 and gas not in first:
                first[gas] = hot_c
    assert first["co"] == 30
    assert 85 <= first["c2h6"] < first["h2"] <= first["c2h4"] <= 120 < first["c2h2"] <= 205
    assert co_make_l_min(40.0) == pytest.approx(2 * co_make_l_min(30.0))


def test_a_heating_runs_away():
    share = np.array([0.0, 0.35, 0.6, 0.7, 1.0])
    hot_c = heating_c(share, 150.0)
    assert hot_c[0] == 30
    assert hot_c[1] < 45
    assert hot_c[2] < 75
    assert hot_c[3:] == pytest.approx([150.0, 150.0])


def test_carbon_monoxide_make_warns_before_graham_and_graham_is_high_before_flames():
    """F-09 counts litres of CO whatever the air; F-02 needs 0.3 % of oxygen missing, which takes a hotter coal."""
    rng = np.random.default_rng(1)
    first = []
    for _ in range(200):
        air_m3_s, hottest_c = float(rng.uniform(14, 40)), float(rng.uniform(140, 220))
        hot_c = heating_c(np.linspace(0, 1, 2000), hottest_c)
        gases = heating_gases(hot_c)
        make = gases["co"] * 60_000 / 1e6  # L/min
        measurable = gases["deficit"] / air_m3_s >= 0.3
        graham = np.where(measurable, ico_pct(hot_c), 0.0)
        first.append(int(np.argmax(make > 10)) < (int(np.argmax(graham > 0.4)) if (graham > 0.4).any() else 2000))
    assert np.mean(first) >= 0.9
    assert ico_pct(130.0) >= 2.0
    assert FLAMING_C > 130


@given(st.floats(30, 220), st.floats(0, 40))
def test_hotter_coal_makes_no_less_of_anything(hot_c, more_k):
    colder, hotter = heating_gases(hot_c), heating_gases(min(hot_c + more_k, 220.0))
    for gas in ("co", "h2", "c2h4", "c2h6", "c2h2"):
        assert hotter[gas] >= colder[gas] * (1 - 1e-9), gas
