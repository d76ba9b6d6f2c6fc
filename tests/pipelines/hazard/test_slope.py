"""Slopes that move, accelerate, stand in rain and are seen from above (S-01 to S-05, S-10), on literal rows."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from ground_and_water import record, site, value
from literal_mine import Row, answers, area, at, collect, make_history, of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.rainfall import caine_intensity_mm_h, caine_ratio, fallen
from minefusion.pipelines.hazard.slope import disagreement, s01, s02, s03, s04, s05, s10
from minefusion.schemas.site import SlopePoint

# Shares of a movement along the slope: east, north, up.
DIRECTION = (0.72, 0.42, -0.55)
PIT = [area("F1"), area("PIT", "surface")]


def rows_of(light: LightEngine, index: Any, slope: Sequence[Row] = (), **parts: Any) -> list[Row]:
    feeds = {"slope": slope} | parts.pop("feeds", {})
    return collect(index(make_history(light, feeds=feeds, areas=PIT, **parts)))


def told(row: Row) -> dict[str, Any]:
    return json.loads(row["inputs"])


def gnss(
    moved: Callable[[float], float], *, first: int = -14 * 24, last: int = 0, sigma: float = 0.5, seed: int = 1,
    point_id: str = "G1", hours: Sequence[int] | None = None, **more: Any,
) -> list[Row]:  # fmt: skip
    """Hourly solutions of a receiver that has moved so many mm along DIRECTION, height twice as noisy."""
    rng = np.random.default_rng(seed)
    rows = []
    for hour in hours if hours is not None else range(first, last + 1):
        for axis, share in zip("xyz", DIRECTION, strict=True):
            noise = rng.normal(0, sigma * (2 if axis == "z" else 1))
            rows.append(
                value(point_id, f"surface_disp_{axis}", hour, round(share * moved(hour) + noise, 2), "PIT", **more)
            )
    return rows


def stands(mm: float) -> Callable[[float], float]:
    return lambda _hour: mm


def line(moved: Callable[[float], float], quantity: str = "radar_disp", **more: Any) -> list[Row]:
    """One axis, in hundredths of a millimetre."""
    rng = np.random.default_rng(3)
    return [
        value("L1", quantity, hour, round(moved(hour) + rng.normal(0, 0.2), 2), "PIT", **more)
        for hour in range(-14 * 24, 1)
    ]


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [
        ("S-01", "", [(0.99, 0), (1.0, 1), (4.99, 1), (5.0, 2), (19.9, 2), (20.0, 3), (49.9, 3), (50.0, 4)]),
        ("S-01", "accelerating", [(4.99, 0), (5.0, 4)]),
        ("S-02", "", [(168.0, 0), (167.9, 2), (48.0, 2), (47.9, 3), (12.0, 3), (11.9, 4), (0.0, 4)]),
        ("S-03", "", [(168.0, 0), (167.9, 2), (48.0, 2), (47.9, 3), (0.0, 3)]),
        ("S-04", "", [(44.9, 0), (45.0, 2), (79.9, 2), (80.0, 3), (84.9, 3), (85.0, 4), (-80.0, 0)]),
        ("S-05", "", [(24.9, 0), (25.0, 1), (49.9, 1), (50.0, 2), (99.9, 2), (100.0, 3), (249.9, 3), (250.0, 4)]),
        ("S-05", "tailings", [(49.9, 0), (50.0, 2), (400.0, 2)]),
        ("S-05", "intensity_duration", [(0.99, 0), (1.0, 2)]),
        ("S-10", "", [(10.0, 0), (10.1, 2), (90.0, 2)]),
        ("S-10", "sudden_on_the_ground", [(10.0, 0), (10.1, 3)]),
    ],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for amount, level in values:
        assert answers(x=listed_level(of(amount), index_id, scope))["x"] == level, amount
    assert answers(x=listed_level(of(None), index_id, scope))["x"] is None


# ── S-01 ──


@pytest.mark.parametrize(("mm_d", "level"), [(0.0, 0), (0.7, 0), (2.0, 1), (8.0, 2), (30.0, 3), (80.0, 4)])
def test_speed_and_its_level(light: LightEngine, mm_d: float, level: int):
    (row,) = rows_of(light, s01, gnss(lambda hour: mm_d * hour / 24))
    assert (row["point_id"], row["area_id"], row["level"]) == ("G1", "PIT", level)
    assert row["value"] == pytest.approx(mm_d, abs=3 * told(row)["error_mm_d"] + 0.05)
    assert told(row)["grows_for_three_days"] is False
    assert ("(within the noise)" in row["sentence_en"]) == (mm_d == 0)


def test_displacement_is_that_of_all_axes(light: LightEngine):
    rows = [
        value("G1", f"surface_disp_{axis}", hour, amount, "PIT")
        for hour in range(-30, 1)
        for axis, amount in zip("xyz", (3.0, 4.0, 12.0), strict=True)
    ]
    (row,) = rows_of(light, s01, rows)
    assert (told(row)["displacement_mm"], told(row)["noise_mm"]) == (13.0, 0.0)
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_HISTORY")  # a day is no rest yet


def test_a_stuck_receiver_does_not_move(light: LightEngine):
    (row,) = rows_of(light, s01, gnss(stands(7.0), sigma=0.0))
    assert (row["value"], row["level"]) == (0.0, 0)


def test_a_radar_counts_what_comes_towards_it_down(light: LightEngine):
    """The same speed as one that counts up, and a time of failure."""
    (up,) = rows_of(light, s01, line(lambda hour: 30 * hour / 24))
    (down,) = rows_of(light, s01, line(lambda hour: -30 * hour / 24))
    assert (up["level"], down["level"]) == (3, 3)
    assert (up["value"], down["value"]) == (pytest.approx(30, abs=2), pytest.approx(30, abs=2))
    (row,) = rows_of(light, s02, line(lambda hour: -20 * math.log(1000 / (31 - hour))))
    assert row["level"] == 3


def test_growth_over_three_days_is_red_from_5_mm_a_day(light: LightEngine):
    """Speeds of 2, 4 and 6 mm/d on the last days: yellow by its speed, red because it grows."""

    def moved(hour: float) -> float:
        t = max(hour + 72, 0) / 24
        return t + t * t

    (row,) = rows_of(light, s01, gnss(moved, sigma=0.1))
    assert 5 < row["value"] < 9
    assert (row["level"], told(row)["grows_for_three_days"]) == (4, True)
    assert told(row)["acceleration_mm_d2"] == pytest.approx(2.0, abs=0.3)
    (row,) = rows_of(light, s01, gnss(lambda hour: 6 * hour / 24, sigma=0.1))
    assert row["level"] == 2


def test_the_first_days_of_a_calm_slope_are_calm(light: LightEngine):
    """Noise of 1.5 mm and a daily cycle of 2 mm on a slope that creeps: no level in the first three days, and no rest
    before half of three days is known."""
    rows = [
        row
        for number in range(4)
        for row in gnss(
            lambda hour: 0.25 * hour / 24 + 2 * math.sin(hour / 24 * 2 * math.pi), first=0, last=72, sigma=1.5,
            seed=number, point_id=f"G{number}",
        )
    ]  # fmt: skip
    found = rows_of(light, s01, rows, hours=(0, 72))
    assert {row["level"] for row in found} == {None, 0}
    known = {(row["window_start"] - at(0)).total_seconds() / 3600 for row in found if row["level"] is not None}
    assert min(known) == 35
    assert {row["null_reason"] for row in found if row["level"] is None} == {"LOW_COVERAGE", "NO_HISTORY"}


def test_a_slope_that_breaks_away_on_its_second_day_is_red_within_hours(light: LightEngine):
    """It is seen before its daily cycle can be known."""
    rows = gnss(lambda hour: 500 * max(hour - 30, 0) / 24, first=0, last=36, sigma=1.5)
    found = rows_of(light, s01, rows, hours=(30, 37))
    assert found[0]["level"] is None
    assert [row["level"] for row in found][-2:] == [4, 4]


def test_poor_coverage_bad_quality_and_silence(light: LightEngine):
    """Less than 75 % of the last day is not judged; bad solutions are none, so the jump in them is not seen."""
    hours = [hour for hour in range(-14 * 24, 1) if hour % 2 or hour < -30]
    (row,) = rows_of(light, s01, gnss(lambda hour: 30 * hour / 24, hours=hours))
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "LOW_COVERAGE")
    good = gnss(stands(0.0), last=-4)
    bad = gnss(stands(900.0), first=-3, quality="BAD", quality_reasons="SENSOR_FAULT")
    (row,) = rows_of(light, s01, good + bad)
    assert (row["level"], row["coverage"]) == (0, pytest.approx(20 / 24, abs=1e-6))


def test_uneven_samples_of_an_hour_are_one(light: LightEngine):
    """Solutions of every ten minutes, more of them in some hours, one wild in each: medians of the hour."""
    rng = np.random.default_rng(1)
    rows = []
    for hour in range(-14 * 24, 1):
        for n in range(3 if hour % 2 else 6):
            wild = 80.0 if n == 2 and hour % 3 == 0 else 0.0
            amount = 8 * hour / 24 + rng.normal(0, 0.5) + wild
            rows.append(value("L1", "crack_width", hour + n / 7, amount, "PIT"))
    (row,) = rows_of(light, s01, rows)
    assert row["value"] == pytest.approx(8.0, abs=3 * told(row)["error_mm_d"])
    assert (row["level"], row["coverage"]) == (2, 1.0)


def test_a_changed_monument_is_no_movement(light: LightEngine):
    rows = gnss(lambda hour: 400.0 if hour >= -3 else 0.0)
    change = record("monument_change", "offset", -3, 1.0, "M1", sample_id="G1")
    assert rows_of(light, s01, rows)[0]["level"] == 4
    assert rows_of(light, s01, rows, feeds={"records": [change]})[0]["level"] == 0


def test_a_step_after_rain_is_told_and_no_speed(light: LightEngine):
    rows = gnss(lambda hour: 30.0 if hour >= -5 else 0.0)
    wet = [value("R1", "rainfall", hour, 1.0, "PIT") for hour in range(-40, 1)]
    (row,) = rows_of(light, s01, rows + wet)
    assert (row["level"], told(row)["rain_steps_mm"] > 30) == (0, True)
    assert rows_of(light, s01, rows)[0]["level"] >= 3


def test_an_area_whose_points_move_one_way_is_coherent(light: LightEngine):
    def together(other: float) -> float:
        rows = gnss(lambda hour: 20 * hour / 24) + gnss(lambda hour: other * hour / 24, point_id="G2", seed=2)
        return told(rows_of(light, s01, rows)[0])["coherence_of_area"]

    assert together(20.0) == pytest.approx(1.0, abs=0.01)
    assert together(-20.0) == pytest.approx(0.0, abs=0.1)
    assert told(rows_of(light, s01, gnss(lambda hour: 20 * hour / 24))[0])["coherence_of_area"] is None


def test_the_sites_noise_counts_instead_of_the_seen_one(light: LightEngine):
    own = site(slope_points=(SlopePoint("G1", noise_mm=9.0),))
    (row,) = rows_of(light, s01, gnss(lambda hour: 3 * hour / 24), site=own)
    assert told(row)["noise_mm"] > 9


def test_what_comes_later_changes_nothing(light: LightEngine):
    rows = gnss(lambda hour: 10 * hour / 24)
    later = gnss(stands(900.0), first=1, last=5)
    assert rows_of(light, s01, rows) == rows_of(light, s01, rows + later)


# ── S-02, S-03 ──


def failing(hours_left: float, mm: float = 20.0) -> list[Row]:
    """1/v = (t_f - t)/mm, in hours: fails so many hours after the judged one's solution."""
    return gnss(lambda hour: -mm * math.log((hours_left - hour) / 1000), sigma=0.02)


@pytest.mark.parametrize(("hours_left", "level"), [(8.0, 4), (30.0, 3), (100.0, 2), (300.0, 0)])
def test_time_of_failure_and_its_level(light: LightEngine, hours_left: float, level: int):
    (row,) = rows_of(light, s02, failing(hours_left))
    (slo,) = rows_of(light, s03, failing(hours_left))
    assert row["value"] == pytest.approx(hours_left, rel=0.15, abs=2.0)
    assert slo["value"] == pytest.approx(hours_left, rel=0.25, abs=2.0)
    assert (row["level"], slo["level"]) == (level, min(level, 3))
    assert told(row)["low_h"] <= row["value"] <= told(row)["high_h"]
    assert told(row)["r2"] >= 0.8
    assert told(row)["speeds"] >= 5


def test_a_failure_is_told_in_words(light: LightEngine):
    (row,) = rows_of(light, s02, failing(30.0))
    assert row["sentence_en"].startswith(f"Area PIT, point G1: would fail in {row['value']:.1f} h (5 to 95 %: ")
    assert row["sentence_zh"].endswith("橙色（参考限值）。")


@pytest.mark.parametrize("mm_d", [0.0, 30.0, -30.0])
def test_a_slope_that_does_not_accelerate_is_normal_and_has_no_time(light: LightEngine, mm_d: float):
    for index in (s02, s03):
        (row,) = rows_of(light, index, gnss(lambda hour: mm_d * hour / 24))
        assert (row["value"], row["level"], row["null_reason"]) == (None, 0, "NOT_ACCELERATING")


def test_a_slope_slower_than_blue_has_no_time(light: LightEngine):
    """It accelerates cleanly, but at 0.04·24/30 = 0.03 mm/d."""
    (row,) = rows_of(light, s02, failing(30.0, mm=0.04))
    assert (row["value"], row["level"], row["null_reason"]) == (None, 0, "NOT_ACCELERATING")


def test_a_silent_or_new_point_has_no_time_either(light: LightEngine):
    (row,) = rows_of(light, s02, gnss(stands(0.0), last=-10))
    assert (row["level"], row["null_reason"]) == (None, "LOW_COVERAGE")
    (row,) = rows_of(light, s02, gnss(stands(0.0), first=-25))
    assert (row["level"], row["null_reason"]) == (None, "NO_HISTORY")


def test_how_far_the_two_methods_lie_apart():
    """10 and 20 hours: half of the longer."""
    assert answers(x=disagreement(of(10.0), of(20.0)))["x"] == 0.5
    assert answers(x=disagreement(of(10.0), of(None)))["x"] is None
    assert answers(x=disagreement(of(0.0), of(0.0)))["x"] is None


# ── S-04 ──


@pytest.mark.parametrize(("mm_d", "level"), [(1.0, 0), (3.0, 2), (5.5, 2), (7.0, 3), (20.0, 4)])
def test_tangent_angle_against_the_sites_constant_stage(light: LightEngine, mm_d: float, level: int):
    """1 mm/d is the constant stage: 45°, steady; 5.67 times is 80°, 11.4 times 85°."""
    own = site(slope_points=(SlopePoint("G1", constant_mm_d=1.0),))
    (row,) = rows_of(light, s04, gnss(lambda hour: mm_d * hour / 24, sigma=0.05), site=own)
    assert row["value"] == pytest.approx(math.degrees(math.atan(mm_d)), abs=2.0)
    assert row["level"] == level


def test_the_constant_stage_is_that_of_the_days_before_the_last_three(light: LightEngine):
    """2 mm/d for eleven days, then 30."""
    rows = gnss(lambda hour: 2 * hour / 24 + 28 * max(hour + 48, 0) / 24, sigma=0.1)
    (row,) = rows_of(light, s04, rows)
    assert told(row)["constant_mm_d"] == pytest.approx(2.0, abs=0.1)
    assert (row["value"], row["level"]) == (pytest.approx(86.2, abs=0.5), 4)


def test_a_slope_that_rested_has_no_constant_stage(light: LightEngine):
    (row,) = rows_of(light, s04, gnss(stands(0.0)))
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_CONSTANT_STAGE")


# ── S-05 ──


def test_the_bound_of_caine_by_hand():
    """14.82·1^-0.39 = 14.82; a day 14.82·24^-0.39 = 4.291 mm/h. 14.82 mm in an hour reach it."""
    assert caine_intensity_mm_h(1.0) == 14.82
    assert caine_intensity_mm_h(24.0) == pytest.approx(4.291, abs=1e-3)
    rain = np.zeros(80)
    rain[-1] = 14.82
    assert caine_ratio(rain)[-1] == pytest.approx(1.0)
    assert fallen(rain, 24)[-1] == 14.82


def rain(amounts: dict[int, float], point_id: str = "R1", **more: Any) -> list[Row]:
    """A gauge that tells every hour, nothing but in the hours given."""
    return [value(point_id, "rainfall", hour, amounts.get(hour, 0.0), "PIT", **more) for hour in range(-80, 1)]


@pytest.mark.parametrize(
    ("amounts", "day", "level"),
    [
        ({}, 0.0, 0),
        ({-10: 12.0, -40: 50.0}, 12.0, 0),
        ({-10: 12.0, -5: 12.9}, 24.9, 0),
        ({-10: 12.0, -5: 13.0}, 25.0, 1),
        (dict.fromkeys(range(-23, 1), 2.1), 50.4, 2),
        (dict.fromkeys(range(-23, 1), 4.2), 100.8, 3),
        (dict.fromkeys(range(-23, 1), 11.0), 264.0, 4),
        ({0: 14.8}, 14.8, 0),
        ({0: 14.9}, 14.9, 2),  # over the bound of an hour
    ],
)
def test_levels_of_rain_on_a_slope(light: LightEngine, amounts: dict[int, float], day: float, level: int):
    (row,) = rows_of(light, s05, rain(amounts))
    assert (row["value"], row["level"]) == (pytest.approx(day), level)
    assert told(row)["at_tailings_pond"] is False


def test_a_rainstorm_at_a_tailings_pond_has_a_confirmed_limit(light: LightEngine):
    gauge = rain(dict.fromkeys(range(-23, 1), 2.1), "R2")
    (row,) = rows_of(light, s05, feeds={"tailings": gauge})
    assert (row["level"], row["limit_confidence"], told(row)["at_tailings_pond"]) == (2, "confirmed", True)


def test_a_gauge_that_is_silent_or_bad_for_a_third_of_the_day(light: LightEngine):
    wet = rain(dict.fromkeys(range(-23, 1), 2.1))
    silent = [row for row in wet if row["observed_at"] < at(-60 * 8)]
    (row,) = rows_of(light, s05, silent)
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DATA")
    bad = [row | {"quality": "BAD"} for row in wet if row["observed_at"] >= at(-60 * 8)]
    assert rows_of(light, s05, silent + bad)[0]["level"] is None
    cloudburst = [value("R1", "rainfall", 0, 20.0, "PIT")]
    (row,) = rows_of(light, s05, silent[:-5] + cloudburst)
    assert (row["value"], row["level"]) == (None, 2)  # what is known reaches the bound of an hour


# ── S-10 ──


def insar(hour: float, rate: float, number: str = "I1", **more: Any) -> Row:
    return record("insar", "insar_rate", hour, rate, number, **({"area_id": "PIT", "place": "crest"} | more))


@pytest.mark.parametrize(
    ("records", "value_mm_a", "level"),
    [
        ([insar(-100, 9.0)], 9.0, 0),
        ([insar(-100, 10.0)], 10.0, 0),
        ([insar(-100, -14.0)], 14.0, 2),
        ([insar(-300, 40.0), insar(-100, 9.0)], 9.0, 0),  # the newest of a place
        ([insar(-300, 40.0, place="toe"), insar(-100, 9.0)], 40.0, 2),  # the worst place
        ([insar(-31 * 24 + 2, 40.0)], 40.0, 2),
    ],
)
def test_rates_from_above(light: LightEngine, records: list[Row], value_mm_a: float, level: int):
    (row,) = rows_of(light, s10, feeds={"records": records})
    assert (row["entity"], row["value"], row["level"]) == ("PIT", value_mm_a, level)


def test_an_old_rate_says_nothing(light: LightEngine):
    (row,) = rows_of(light, s10, feeds={"records": [insar(-31 * 24 - 1, 40.0)]})
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_INSAR")


@pytest.mark.parametrize(("mm_d", "rate", "level"), [(30.0, 14.0, 3), (8.0, 14.0, 2), (30.0, 9.0, 0)])
def test_a_sudden_change_on_the_ground_raises_it(light: LightEngine, mm_d: float, rate: float, level: int):
    ground = gnss(lambda hour: mm_d * hour / 24)
    (row,) = rows_of(light, s10, ground, feeds={"records": [insar(-100, rate)]})
    assert row["level"] == level
