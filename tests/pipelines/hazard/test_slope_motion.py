"""Speed out of noisy displacements and the time of failure, by hand and on drawn curves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.pipelines.hazard.slope_motion import (
    UNKNOWN_CYCLE_MM,
    accelerating_part,
    block_speeds,
    cycle_speed_mm_d,
    daily_speeds,
    inverse_velocity,
    noise_mm,
    rain_steps,
    rebased,
    slope_gradient,
    speed,
    speed_error_mm_d,
    tangent_angle_deg,
    time_of_failure,
    without_daily_cycle,
)

HOURS = np.arange(14 * 24)


def noisy(values: np.ndarray, sigma: float, seed: int = 1) -> np.ndarray:
    return values + np.random.default_rng(seed).normal(0, sigma, len(values))


# ── time of failure ──

VECTOR_T = np.array([0.0, 2.0, 4.0, 6.0, 8.0, 10.0])
VECTOR_V = 1 / (0.02 * (12 - VECTOR_T))


def test_catalogue_vector_of_inverse_velocity():
    """1/v = 0.02·(12 - t) meets zero at t = 12; the SLO method says the same of it."""
    at, slope, r2 = inverse_velocity(VECTOR_T, VECTOR_V)
    assert (at, slope, r2) == (pytest.approx(12.0), pytest.approx(-0.02), pytest.approx(1.0))
    assert slope_gradient(VECTOR_T, VECTOR_V) == pytest.approx(12.0)


@given(st.floats(-1e4, 1e4))
def test_the_time_of_failure_moves_with_the_clock(shift: float):
    at, slope, _ = inverse_velocity(VECTOR_T + shift, VECTOR_V)
    assert (at - shift, slope) == (pytest.approx(12.0, abs=1e-6), pytest.approx(-0.02))
    assert slope_gradient(VECTOR_T + shift, VECTOR_V) - shift == pytest.approx(12.0, abs=1e-6)


def test_a_slope_that_slows_down_or_keeps_its_speed_does_not_fail():
    assert math.isnan(inverse_velocity(VECTOR_T, VECTOR_V[::-1])[0])
    assert math.isnan(slope_gradient(VECTOR_T, np.full(6, 5.0)))


def failing(hours_left: float, rate: float = 20.0) -> np.ndarray:
    """Displacement [mm] of 1/v = (t_f - t)/rate at the ends of HOURS."""
    return rate * np.log(1000 / (hours_left + HOURS[-1] - HOURS))


@pytest.mark.parametrize("hours_left", [5.0, 20.0, 100.0])
def test_failure_is_foretold_on_a_clean_curve(hours_left: float):
    """Told a little early, never late: the moving average of a speed that grows is too high."""
    found = time_of_failure(failing(hours_left), 0.001)
    assert hours_left - 1.5 < found.hours <= hours_left
    assert found.slo_hours == pytest.approx(found.hours, abs=0.5)
    assert found.low <= found.hours <= found.high
    assert found.r2 > 0.99


def test_failure_out_of_noise_has_a_band_that_repeats_itself():
    """Of forty slopes that fail in 20 hours the band holds the time in most; half are told within a quarter."""
    found = [time_of_failure(noisy(failing(20.0), 0.2, seed), 0.2) for seed in range(40)]
    assert np.mean([each.low <= 20 <= each.high for each in found]) >= 0.65
    assert np.median([abs(each.hours - 20) for each in found]) < 5
    assert found[0] == time_of_failure(noisy(failing(20.0), 0.2, 0), 0.2)


def test_a_speed_counts_by_how_well_it_is_known():
    """One slow speed off by half moves the time of the vector by 4 %; with all taken alike by 15 %."""
    off = VECTOR_V * np.array([1.5, 1, 1, 1, 1, 1])
    slope, intercept = np.polyfit(VECTOR_T, 1 / off, 1)
    assert -intercept / slope > 12 * 1.15
    assert inverse_velocity(VECTOR_T, off)[0] == pytest.approx(12.0, rel=0.04)


@pytest.mark.parametrize(
    "moved",
    [
        np.zeros(len(HOURS)),
        0.1 * HOURS,  # steady
        20 * np.log(1 + HOURS),  # dies away
        np.full(len(HOURS), math.nan),
    ],
)
def test_what_does_not_accelerate_has_no_time(moved: np.ndarray):
    assert math.isnan(time_of_failure(noisy(moved, 0.05), 0.05).hours)


def test_the_acceleration_begins_where_the_short_mean_crosses_the_long():
    """Long of seven: ten steady speeds, then six that grow; with the first of them the short mean is the higher."""
    assert accelerating_part(np.array([1.0] * 10 + [2.0, 3.0, 4.0, 5.0, 6.0, 7.0])) == 6
    assert accelerating_part(np.array([7.0, 6, 5, 4, 3, 2, 1, 1, 1])) == 0


# ── noise and speed ──


@pytest.mark.parametrize("sigma", [0.5, 3.0])
def test_noise_is_told_whatever_the_movement(sigma: float):
    steady = noise_mm(noisy(np.zeros(700), sigma))
    assert steady == pytest.approx(sigma, rel=0.3)
    assert noise_mm(noisy(0.2 * np.arange(700.0), sigma)) == pytest.approx(steady)


def test_of_a_few_hours_the_noise_is_taken_for_larger():
    few = [noise_mm(noisy(np.zeros(20), 1.0, seed)) for seed in range(200)]
    assert np.mean(np.array(few) < 1.0) < 0.1
    assert math.isnan(noise_mm(np.zeros(13)))


def test_a_receiver_that_rounds_has_the_noise_of_its_rounding():
    """Steps of 1 mm, one in two days: half a millimetre. A series that never changes has none."""
    assert noise_mm(np.floor(HOURS / 48)) == 0.5
    assert noise_mm(np.full(50, 7.0)) == 0.0


def test_error_of_a_speed_by_hand():
    """1.5 mm, 24 samples over a day: 1.5·√12/(1·√24) = 1.0607 mm/d."""
    assert speed_error_mm_d(1.5, 24, 24) == pytest.approx(1.0607, abs=1e-4)
    assert math.isnan(speed_error_mm_d(1.5, 24, 0))


@pytest.mark.parametrize("window_h", [6, 12, 24, 72, 168])
def test_speed_of_a_daily_cycle_is_that_of_the_worst_phase(window_h: int):
    t = (np.arange(20 * window_h) + 0.5) / 20
    phases = np.linspace(0, 2 * np.pi, 49)
    fits = [abs(np.polyfit(t / 24, 2.0 * np.sin(2 * np.pi * t / 24 + phase), 1)[0]) for phase in phases]
    assert cycle_speed_mm_d(2.0, window_h) == pytest.approx(max(fits), rel=0.01)


@pytest.mark.parametrize("mm_d", [0.0, 0.4, 2.0, 8.0, 60.0, -30.0])
def test_speed_by_the_shortest_window_that_shows_it(mm_d: float):
    found = speed(noisy(mm_d * HOURS / 24, 1.0), 1.0)
    assert found.mm_d == pytest.approx(mm_d, abs=3 * found.error_mm_d + 0.02)
    assert found.is_clear == (mm_d != 0)


def test_a_faster_slope_shows_in_a_shorter_time():
    windows = [speed(noisy(mm_d * HOURS / 24, 1.0), 1.0).window_h for mm_d in (0.0, 0.6, 8.0, 200.0)]
    assert windows == sorted(windows, reverse=True)
    assert (windows[0], windows[-1]) == (336.0, 6.0)


def test_a_slope_that_breaks_away_shows_within_hours_though_it_stood_for_weeks():
    """1000 mm/d for the last three hours: over 6 hours without doubt, while 12 hours still look like rest."""
    moved = noisy(1000 * np.clip(HOURS - HOURS[-4], 0, None) / 24, 1.5)
    found = speed(moved, 1.5)
    assert (found.is_clear, found.window_h, found.mm_d > 50) == (True, 6.0, True)


def test_a_chance_of_the_noise_is_not_taken_for_a_speed():
    wrong = [speed(noisy(np.zeros(len(HOURS)), 1.0, seed), 1.0) for seed in range(150)]
    assert sum(each.is_clear and abs(each.mm_d) >= 1 for each in wrong) <= 1


def test_constant_silent_and_short_series():
    still = speed(np.full(400, 12.0), 0.0)
    assert (still.mm_d, still.is_clear) == (0.0, False)
    assert math.isnan(speed(np.full(400, math.nan), 1.0).mm_d)
    assert math.isnan(speed(np.zeros(5), 1.0).mm_d)


def test_until_the_daily_cycle_is_known_only_what_is_faster_counts():
    """A cycle of ±3 mm alone is no speed at any hour of the second day; 100 mm/d on top of it is one within eight."""
    day = np.arange(48.0)
    cycle = 3.0 * np.sin(2 * np.pi * day / 24)
    for last in range(18, 48):
        assert not speed(noisy(cycle, 0.5)[: last + 1], 0.5, UNKNOWN_CYCLE_MM).is_clear
    moved = noisy(cycle + 100 * np.clip(day - 39, 0, None) / 24, 0.5)
    assert speed(moved, 0.5, UNKNOWN_CYCLE_MM).mm_d > 50


def test_a_slope_is_not_said_to_rest_before_half_of_three_days_is_known():
    rests = [speed(noisy(np.zeros(hours), 1.0), 1.0, UNKNOWN_CYCLE_MM).mm_d for hours in (20, 35, 72)]
    assert [math.isnan(each) for each in rests] == [True, True, False]


def test_speeds_of_blocks_are_exact_on_lines():
    bent = np.concatenate([np.zeros(24), np.arange(1.0, 25.0)])
    assert daily_speeds(bent, 5).tolist() == pytest.approx([0.0, 24.0])
    holes = np.where(np.arange(48) % 3 == 0, math.nan, bent)
    assert block_speeds(holes, 24, 2).tolist() == pytest.approx([0.0, 24.0])
    assert np.isnan(block_speeds(np.where(np.arange(48) % 4 > 0, math.nan, bent), 24, 2)).all()
    assert len(block_speeds(np.zeros(5), 24, 3)) == 0


# ── cleaning ──


def test_the_daily_cycle_is_taken_off_and_the_movement_kept():
    moved = 2.0 * HOURS / 24 + 3.0 * np.sin(2 * np.pi * (HOURS % 24) / 24)
    found = without_daily_cycle(moved, HOURS % 24)
    left = found - 2.0 * HOURS / 24
    assert np.ptp(left) < 0.05
    assert without_daily_cycle(moved[:100], HOURS[:100] % 24).tolist() == moved[:100].tolist()


def test_a_changed_monument_goes_on_from_before():
    values = np.where(HOURS >= 100, 500.0, 20.0) + 0.1 * HOURS
    found = rebased(values, np.array([100]))
    assert found[:100].tolist() == values[:100].tolist()
    assert found[150] == pytest.approx(20 + 0.1 * 150, abs=0.5)
    assert rebased(values, np.array([], dtype=int)).tolist() == values.tolist()


def test_a_lone_jump_after_rain_is_a_step_and_a_failing_slope_is_none():
    wet, dry = np.ones(60, dtype=bool), np.zeros(60, dtype=bool)
    lone = np.where(np.arange(60) >= 30, 25.0, 0.0)
    assert rain_steps(lone, wet, 1.0)[30] == 25.0
    assert not rain_steps(lone, dry, 1.0).any()
    assert not rain_steps(np.clip(np.arange(60.0) - 30, 0, None) * 25, wet, 1.0)[31:].any()


# ── tangent angle ──


@pytest.mark.parametrize(
    ("times", "degrees"), [(0.0, 0.0), (1.0, 45.0), (5.6713, 80.0), (11.4301, 85.0), (-1.0, -45.0)]
)
def test_tangent_angle_by_hand(times: float, degrees: float):
    """The constant speed itself is 45°, whatever it is; 5.67 times is 80°, 11.43 times 85°."""
    assert tangent_angle_deg(times * 0.7, 0.7) == pytest.approx(degrees, abs=1e-3)
