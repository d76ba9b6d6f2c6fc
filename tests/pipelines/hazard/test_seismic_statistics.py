"""b-value, chance of a large event, strain release and energy index, by hand and by simulated catalogues."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.pipelines.hazard.seismic_statistics import (
    accelerating_release,
    aki_utsu_b,
    apparent_stress_pa,
    apparent_volume_m3,
    benioff_strain,
    complete_part,
    completeness,
    energy_index,
    energy_moment_fit,
    large_event_probability,
    magnitude_of_energy,
    shi_bolt_sigma,
    stress_equivalent,
    tinti_mulargia_b,
)

TWENTY = np.array([0.5, 0.5, 0.6, 0.5, 0.7, 0.9, 0.5, 0.6, 1.1, 0.8, 0.5, 0.6, 0.7, 0.5, 1.4, 0.6, 0.5, 0.8, 0.5, 1.0])


def test_catalogue_vector_of_twenty_magnitudes():
    """m_c 0.5, Δm 0.1: Aki–Utsu 1.810, for bins 1.836, σ 0.416; without the correction 2.286, far too high."""
    b = aki_utsu_b(TWENTY, 0.5)
    assert b == pytest.approx(1.810, abs=5e-4)
    assert tinti_mulargia_b(TWENTY, 0.5) == pytest.approx(1.836, abs=5e-4)
    assert shi_bolt_sigma(b, TWENTY) == pytest.approx(0.416, abs=5e-4)
    assert aki_utsu_b(TWENTY, 0.5, bin_width=0.0) == pytest.approx(2.286, abs=5e-4)


@pytest.mark.parametrize("true_b", [0.6, 1.0, 1.4])
def test_b_is_recovered_from_rounded_magnitudes(true_b: float):
    """20 000 magnitudes over m_c = 0.5, rounded to 0.1: within three standard errors, by both formulas."""
    rng = np.random.default_rng(int(10 * true_b))
    magnitudes = np.round(0.45 + rng.exponential(1 / (true_b * math.log(10)), 20_000), 1)
    b = tinti_mulargia_b(magnitudes, 0.5)
    sigma = shi_bolt_sigma(b, magnitudes)
    assert abs(b - true_b) < 3 * sigma
    assert abs(aki_utsu_b(magnitudes, 0.5) - true_b) < 5 * sigma


def test_completeness_is_the_fullest_bin_and_a_fifth():
    magnitudes = np.array([0.1, 0.2, 0.2, 0.3, 0.3, 0.3, 0.4, 0.5])
    assert completeness(magnitudes) == pytest.approx(0.5)
    assert complete_part(magnitudes, 0.5).tolist() == [False] * 7 + [True]
    assert math.isnan(completeness(np.array([])))


def test_of_equally_full_bins_the_higher_counts():
    assert completeness(np.array([0.1, 0.1, 0.4, 0.4])) == pytest.approx(0.6)


def test_one_event_has_no_error_and_none_no_slope():
    assert math.isnan(shi_bolt_sigma(1.0, np.array([0.7])))
    assert math.isnan(tinti_mulargia_b(np.array([0.5, 0.5]), 0.5))


def test_magnitude_of_a_megajoule():
    """(6 - 1.8)/1.9 = 2.2105; nothing radiated has none."""
    assert magnitude_of_energy(np.array([1e6]))[0] == pytest.approx(2.2105, abs=1e-4)
    assert not np.isfinite(magnitude_of_energy(np.array([0.0]))[0])


def test_chance_of_a_large_event_by_hand():
    """20 a day over m_c 0.5, b = 1, m = 2.5: 20·10^-2 = 0.2 a day, 1 - e^-0.2 = 0.1813."""
    assert large_event_probability(20.0, 1.0, 1.0, 2.5, 0.5) == pytest.approx(0.18127, abs=1e-5)
    assert large_event_probability(0.0, 1.0, 1.0, 2.5, 0.5) == 0.0


@given(st.floats(0.1, 100), st.floats(0.1, 30), st.floats(0.5, 2), st.floats(0, 4))
def test_the_chance_falls_with_the_magnitude(rate: float, days: float, b: float, magnitude: float):
    chance = large_event_probability(rate, days, b, magnitude, 0.0)
    assert 0 <= large_event_probability(rate, days, b, magnitude + 0.5, 0.0) <= chance <= 1


def test_catalogue_vector_of_source_parameters():
    """μ 3e10, E 1e5, M0 1e12: 3000 Pa and 1.667e8 m³."""
    energy, moment = np.array([1e5]), np.array([1e12])
    assert apparent_stress_pa(3e10, energy, moment)[0] == pytest.approx(3000.0)
    assert apparent_volume_m3(3e10, energy, moment)[0] == pytest.approx(1.6667e8, rel=1e-4)


def test_energy_index_of_a_line_is_one():
    """Energies on lg E = -7 + lg M0: every index is 1; ten times the energy gives 10."""
    moment = np.array([1e9, 1e10, 1e11, 1e12])
    c, d = energy_moment_fit(1e-7 * moment, moment)
    assert (c, d) == (pytest.approx(-7.0), pytest.approx(1.0))
    assert energy_index(1e-6 * moment, moment, c, d) == pytest.approx([10.0] * 4)


def test_moments_that_do_not_differ_have_no_line():
    assert all(math.isnan(each) for each in energy_moment_fit(np.array([1.0, 2.0]), np.array([1e9, 1e9])))


def test_strain_release_by_hand():
    """√100 + √400 = 30; over 6 m² and 5 days it is 1."""
    assert benioff_strain(np.array([100.0, 400.0])) == 30.0
    assert stress_equivalent(np.array([100.0, 400.0]), 6.0, 5.0) == 1.0


def test_an_acceleration_is_told_by_its_exponent():
    """Steady release has exponent 1; one that runs into t = 10 d has a small one, and its time is found."""
    steady = np.linspace(0, 8, 60)
    assert accelerating_release(steady, np.ones(60))[1] == pytest.approx(1.0)
    runaway = 10 - 10 * (1 - np.linspace(0, 0.995, 200)) ** (1 / 0.3)
    ahead, exponent, r2 = accelerating_release(runaway, np.ones(200))
    assert exponent < 0.6
    assert r2 > 0.99
    assert ahead < 1.0


def test_few_events_have_no_acceleration():
    assert all(math.isnan(each) for each in accelerating_release(np.arange(5.0), np.ones(5)))
