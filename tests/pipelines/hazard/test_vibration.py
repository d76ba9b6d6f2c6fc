"""Vibration of machines (E-01) and their bearings (E-02), by hand and on literal rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ground_and_water import site, value
from hypothesis import given
from hypothesis import strategies as st
from literal_mine import Row, answers, collect, make_history, of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.vibration import bearing_frequencies_hz, e01, e02
from minefusion.schemas.site import Machine

RIGID = Machine("SB1", "group1_rigid", rated_speed_r_min=1480.0)


def rows_of(light: LightEngine, index: Any, rows: list[Row], machine: Machine | None = RIGID, **more: Any) -> list[Row]:
    own = None if machine is None else site(machines=(machine,))
    return collect(index(make_history(light, feeds={"equipment": rows}, site=own, **more)))


def told(row: Row) -> dict[str, Any]:
    return json.loads(row["inputs"])


def measured(
    amount: float, quantity: str = "vibration_velocity", *, first: float = 0.0, last: float = 1.0, every_min: int = 10,
    point_id: str = "P1", **more: Any,
) -> list[Row]:  # fmt: skip
    """One value every `every_min`, in hours from `first` to before `last`."""
    return [
        value(point_id, quantity, minute / 60, amount, **({"equipment_id": "SB1", "part": "DE"} | more))
        for minute in range(round(60 * first), round(60 * last), every_min)
    ]


def running(*spans: tuple[float, float, int]) -> list[Row]:
    """The machine's state every ten minutes: from, to, on."""
    return [
        row for first, last, on in spans for row in measured(on, "equipment_on", first=first, last=last, point_id="ON")
    ]


# ISO 20816-3 and 10816-1: A/B, B/C and C/D [mm/s].
ZONES = {
    "group1_rigid": (2.3, 4.5, 7.1), "group1_flexible": (3.5, 7.1, 11.0), "group2_rigid": (1.4, 2.8, 4.5),
    "group2_flexible": (2.3, 4.5, 7.1), "class1": (0.71, 1.8, 4.5), "class2": (1.12, 2.8, 7.1),
    "class3": (1.8, 4.5, 11.2), "class4": (2.8, 7.1, 18.0),
}  # fmt: skip


@pytest.mark.parametrize("group", ZONES)
def test_zones_of_each_group(group: str):
    """B blue, C yellow and in its upper half orange, D red; a boundary belongs to the better zone."""
    first, second, third = ZONES[group]
    middle = (second + third) / 2
    for amount, level in (
        (first, 0), (1.01 * first, 1), (second, 1), (1.01 * second, 2), (middle, 2), (1.01 * middle, 3), (third, 3),
        (1.01 * third, 4),
    ):  # fmt: skip
        assert answers(x=listed_level(of(amount), "E-01", group))["x"] == level, amount
    assert answers(x=listed_level(of(None), "E-01", group))["x"] is None


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [("E-01", "change", [(0.25, 0), (0.26, 2)]), ("E-02", "", [(3.0, 0), (4.0, 0), (4.01, 2), (6.0, 2), (6.01, 3)])],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for amount, level in values:
        assert answers(x=listed_level(of(amount), index_id, scope))["x"] == level, amount


# ── E-01 ──


@pytest.mark.parametrize(("mm_s", "level"), [(2.0, 0), (3.0, 1), (5.0, 2), (6.0, 3), (9.0, 4)])
def test_severity_and_its_level(light: LightEngine, mm_s: float, level: int):
    (row,) = rows_of(light, e01, measured(mm_s))
    assert (row["entity"], row["value"], row["level"]) == ("SB1", mm_s, level)
    assert (told(row)["b_c_mm_s"], told(row)["baseline_mm_s"]) == (4.5, None)


def test_the_worst_bearing_counts_by_its_median(light: LightEngine):
    """A lone spike of one bearing is none; the other shakes all the hour."""
    rows = measured(2.0) + measured(40.0, first=0.5, last=0.6) + measured(3.0, point_id="P2", part="NDE")
    (row,) = rows_of(light, e01, rows)
    assert (row["value"], row["level"]) == (3.0, 1)


@pytest.mark.parametrize(("now", "level"), [(1.0, 0), (2.125, 0), (2.13, 2), (0.5, 0), (0.01, 0)])
def test_a_change_from_the_month_is_yellow(light: LightEngine, now: float, level: int):
    """1 mm/s for two days; a quarter of 4.5 more is 2.125. All still within zone A."""
    (row,) = rows_of(light, e01, measured(1.0, first=-72, last=-12, every_min=60) + measured(now))
    assert (told(row)["baseline_mm_s"], row["level"]) == (1.0, level)


def test_a_fall_counts_as_a_change_too(light: LightEngine):
    """Two days at 3 mm/s, now 1.8: 1.2/4.5 = 0.27."""
    (row,) = rows_of(light, e01, measured(3.0, first=-72, last=-12, every_min=60) + measured(1.8))
    assert (told(row)["change_over_b_c"], row["level"]) == (0.267, 2)


def test_the_last_day_is_not_its_own_baseline(light: LightEngine):
    """It has shaken for 20 hours already; the month before was still."""
    rows = measured(1.0, first=-72, last=-24, every_min=60) + measured(4.0, first=-20, last=1, every_min=60)
    (row,) = rows_of(light, e01, rows)
    assert (told(row)["baseline_mm_s"], row["level"]) == (1.0, 2)
    few = measured(1.0, first=-45, last=-24, every_min=60) + measured(4.0)
    assert told(rows_of(light, e01, few)[0])["baseline_mm_s"] is None


def test_start_up_coast_down_and_standstill_are_left_out(light: LightEngine):
    """It starts at 0:20 and stops at 0:50: what shakes before 0:30 and after is no severity."""
    rows = (
        measured(9.0, last=0.5)
        + measured(2.0, first=0.5, last=50 / 60)
        + measured(9.0, first=50 / 60, last=1)
        + running((-1, 20 / 60, 0), (20 / 60, 50 / 60, 1), (50 / 60, 1, 0))
    )
    (row,) = rows_of(light, e01, rows)
    assert (row["value"], row["level"]) == (2.0, 0)


def test_a_machine_that_stands_is_not_judged(light: LightEngine):
    (row,) = rows_of(light, e01, measured(9.0) + running((-1, 1, 0)))
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NOT_RUNNING")


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        (None, "NO_MACHINE_CLASS"),
        (Machine("SB1"), "NO_MACHINE_CLASS"),
        (Machine("SB1", "class1", rated_speed_r_min=599.0), "SLOW_MACHINE"),
    ],
)
def test_what_cannot_be_judged_says_why_and_keeps_its_value(light: LightEngine, machine: Machine | None, reason: str):
    (row,) = rows_of(light, e01, measured(9.0), machine)
    assert (row["value"], row["level"], row["null_reason"]) == (9.0, None, reason)
    fast = Machine("SB1", "class1", rated_speed_r_min=600.0)
    assert rows_of(light, e01, measured(9.0), fast)[0]["level"] == 4


def test_a_silent_or_bad_sensor(light: LightEngine):
    (row,) = rows_of(light, e01, measured(9.0, first=-5, last=-1))
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DATA")
    bad = measured(9.0, first=0.5, quality="BAD", quality_reasons="SENSOR_FAULT")
    assert rows_of(light, e01, measured(2.0, last=0.5) + bad)[0]["value"] == 2.0


# ── E-02 ──


def test_frequencies_of_a_bearing_by_hand():
    """Nine balls of 10 mm on 50 mm, at 25 Hz: 9/2·25·0.8 = 90, ·1.2 = 135; 25/0.4·0.96 = 60; 25/2·0.8 = 10."""
    found = bearing_frequencies_hz(9, 0.2, 1.0, 25.0)
    assert {name: pytest.approx(each) for name, each in found.items()} == {
        "bpfo_hz": 90.0, "bpfi_hz": 135.0, "bsf_hz": 60.0, "ftf_hz": 10.0,
    }  # fmt: skip


@given(st.integers(5, 30), st.floats(0.05, 0.5), st.floats(0.5, 1.0), st.floats(1, 100))
def test_what_holds_for_any_bearing(balls: int, ratio: float, cosine: float, speed: float):
    """Both races together see each ball once a turn; the outer one alone once a ball and turn of the cage."""
    found = bearing_frequencies_hz(balls, ratio, cosine, speed)
    assert found["bpfo_hz"] + found["bpfi_hz"] == pytest.approx(balls * speed)
    assert found["bpfo_hz"] == pytest.approx(balls * found["ftf_hz"])


@pytest.mark.parametrize(("kurtosis", "level"), [(3.0, 0), (4.5, 2), (7.0, 3)])
def test_kurtosis_and_its_level(light: LightEngine, kurtosis: float, level: int):
    bearing = Machine("SB1", balls=9, ball_mm=10.0, pitch_mm=50.0, rated_speed_r_min=1500.0)
    (row,) = rows_of(light, e02, measured(kurtosis, "vibration_kurtosis"), bearing)
    assert (row["value"], row["level"]) == (kurtosis, level)
    assert told(row) == {"bpfo_hz": 90.0, "bpfi_hz": 135.0, "bsf_hz": 60.0, "ftf_hz": 10.0}


def test_a_bearing_of_no_known_geometry_is_judged_all_the_same(light: LightEngine):
    (row,) = rows_of(light, e02, measured(7.0, "vibration_kurtosis"), None)
    assert (row["level"], set(told(row).values())) == (3, {None})


def test_knocking_of_a_machine_that_stands_is_none(light: LightEngine):
    (row,) = rows_of(light, e02, measured(7.0, "vibration_kurtosis") + running((-1, 1, 0)))
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NOT_RUNNING")
