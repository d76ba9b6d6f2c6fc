"""Air supply (V-01) and air velocity (V-02), by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from literal_mine import Make, answers, area, at, collect, of, point, series

from minefusion.pipelines.hazard.air import (
    comfort_velocity_m_s,
    required_quantity_m3_min,
    supply_level,
    v01,
    v02,
    velocity_level,
)

# ── V-01 ──

EDGES = [
    {"edge_id": "in", "area_id": "IN", "air_class": "BELT_ROAD", "length_m": 60.0, "section_m2": 12.0},
    {"edge_id": "face", "area_id": "F1", "air_class": "COAL_FACE", "length_m": 60.0, "section_m2": 10.0},
    {"edge_id": "out", "area_id": "OUT", "air_class": "BELT_ROAD", "length_m": 60.0, "section_m2": 10.0},
]
PATH = {"area_id": "F1", "intake_edge": "in", "return_edge": "out", "air_factor": 1.5}
AREAS = [area("F1"), area("IN", "intake_airway"), area("OUT", "return_airway")]
POINTS = [
    point("R", "ch4", "OUT", gas_class="LW_RETURN_T2", edge_id="out"),
    point("I", "ch4", "IN", gas_class="LW_INTAKE_T3", edge_id="in"),
    point("V", "air_velocity", "OUT", edge_id="out", air_class="BELT_ROAD"),
    point("T", "temperature", "IN", edge_id="in"),
    point("warm", "temperature", "F1", edge_id="face"),
]


def supply(
    make: Make, values: dict[str, list[Any]], *, people: int | None = None, minutes=(0, 10), areas=AREAS
) -> dict[str, Any]:
    # Half an hour of the same before the window, for the air that is still on its way.
    readings = [row for name, numbers in values.items() for row in series(name, numbers[:1] * 60 + numbers, start=-30)]
    counts = (
        [] if people is None else [{"area_id": "F1", "observed_at": at(n), "people_count": people} for n in range(10)]
    )
    rows = collect(
        v01(
            make(
                points=POINTS, readings=readings, areas=areas, edges=EDGES, air_paths=[PATH], headcount=counts,
                minutes=minutes,
            )
        )
    )  # fmt: skip
    assert [row["window_start"] for row in rows] == [at(n) for n in range(minutes[0], minutes[1], 10)]
    return rows[0]


def test_gas_asks_for_air(make: Make):
    """2 m/s × 10 m² = 20 m³/s = 1200 m³/min; it carries 60·20·(0.5 - 0)/100 = 6 m³/min: needed are 100·6·1.5 = 900."""
    row = supply(make, {"R": [0.5] * 20, "I": [0.0] * 20, "V": [2.0] * 20})
    assert row["value"] == pytest.approx(1200 / 900, abs=1e-6)
    assert (row["level"], row["coverage"], row["unit"]) == (0, 1.0, "1")
    assert (row["window_end"] - row["window_start"]).total_seconds() == 600
    inputs = json.loads(row["inputs"])
    # The lowest velocity, 0.25 m/s in 10 m², needs 150 m³/min.
    assert (inputs["for_gas"], inputs["for_velocity"], inputs["for_people"], inputs["for_warmth"]) == (
        900.0,
        150.0,
        None,
        None,
    )
    assert row["sentence_en"] == "Area F1: air 1200 m³/min, needed 900 m³/min, ratio 1.33; normal."


def test_people_ask_for_air(make: Make):
    """100 people need 400 m³/min; 0.5 m/s × 10 m² are 300: 0.75, red as it lasts."""
    row = supply(make, {"R": [0.0] * 20, "I": [0.0] * 20, "V": [0.5] * 20}, people=100)
    assert (row["value"], row["level"]) == (0.75, 4)
    assert row["limit_confidence"] == "inferred"


def test_warmth_asks_for_air(make: Make):
    """An intake of 20.5 ℃ wants 1.0 m/s: 60·1.0·10·1.5 = 900 m³/min; there are 60·1.6·10 = 960.

    That the face itself is hotter (a heating) is no question of the air that was planned for it.
    """
    values = {"R": [0.0] * 20, "I": [0.0] * 20, "V": [1.6] * 20, "T": [20.5] * 20, "warm": [35.0] * 20}
    row = supply(make, values)
    assert row["value"] == pytest.approx(960 / 900, abs=1e-6)
    assert row["level"] == 1
    heading = [area("F1", "heading"), *AREAS[1:]]
    row = supply(make, values, areas=heading)
    assert json.loads(row["inputs"])["for_warmth"] is None


def test_nine_tenths_must_be_missed_for_five_minutes(make: Make):
    """100 people need 400 m³/min; 300 are there in four or five minutes, 1200 in the others."""
    values = {"R": [0.0] * 20, "I": [0.0] * 20}
    short = supply(make, values | {"V": [0.5] * 8 + [2.0] * 12}, people=100)  # four minutes at 300 of 400
    long = supply(make, values | {"V": [0.5] * 10 + [2.0] * 10}, people=100)
    assert (short["level"], json.loads(short["inputs"])["minutes_short"]) == (0, 4)
    assert (long["level"], json.loads(long["inputs"])["minutes_short"]) == (4, 5)


@pytest.mark.parametrize(
    ("ratio", "minutes", "level"),
    [
        (1.10, 0, 0), (1.09, 0, 1), (1.05, 0, 1), (1.049, 0, 2), (1.00, 0, 2), (0.999, 0, 3), (0.90, 0, 3),
        (0.89, 4, 3), (0.89, 5, 4),
        (None, 0, None),
    ],
)  # fmt: skip
def test_levels_of_supply(ratio: float | None, minutes: int, level: int | None):
    assert answers(x=supply_level(of(ratio), of(minutes)))["x"] == level


@pytest.mark.parametrize(
    ("temperature", "velocity"),
    [
        (14.9, 0.3),
        (15.0, 0.5),
        (17.9, 0.5),
        (18.0, 0.8),
        (20.0, 1.0),
        (22.9, 1.0),
        (23.0, 1.5),
        (26.0, 1.8),
        (None, None),
    ],
)
def test_velocity_that_warmth_wants(temperature: float | None, velocity: float | None):
    assert answers(x=comfort_velocity_m_s(of(temperature)))["x"] == velocity


def test_the_greatest_need_counts_and_an_unknown_one_does_not():
    assert answers(x=required_quantity_m3_min(of(100.0), of(None), of(300.0)))["x"] == 300.0


@pytest.mark.parametrize(
    ("missing", "reason"), [("V", "NO_AIR_QUANTITY"), ("R", "NO_RETURN_GAS"), ("I", "NO_INTAKE_GAS")]
)
def test_what_is_missing_is_named(make: Make, missing: str, reason: str):
    values = {"R": [0.5] * 20, "I": [0.0] * 20, "V": [2.0] * 20}
    row = supply(make, {name: numbers for name, numbers in values.items() if name != missing}, people=10)
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, reason)


def test_half_a_window_is_not_enough(make: Make):
    row = supply(make, {"R": [0.5] * 10, "I": [0.0] * 10, "V": [2.0] * 10})
    assert (row["value"], row["null_reason"]) == (None, "LOW_COVERAGE")


# ── V-02 ──


def velocities(make: Make, values: list[Any], *, minutes=(0, 2), start: float = 0.0, **place: Any) -> list[dict]:
    row = point("V", "air_velocity", **({"air_class": "BELT_ROAD"} | place))
    return collect(v02(make(points=[row], readings=series("V", values, start=start), minutes=minutes)))


@pytest.mark.parametrize(
    ("air_class", "velocity", "level"),
    [
        ("COAL_FACE", 0.24, 3), ("COAL_FACE", 0.25, 0), ("COAL_FACE", 4.0, 0), ("COAL_FACE", 4.01, 3),
        ("ROCK_HEADING", 0.14, 3), ("ROCK_HEADING", 0.15, 0), ("ROCK_HEADING", 4.01, 3),
        ("BELT_ROAD", 0.24, 3), ("BELT_ROAD", 6.0, 0), ("BELT_ROAD", 6.01, 3),
        ("MAIN_AIRWAY", 0.0, 0), ("MAIN_AIRWAY", 8.0, 0), ("MAIN_AIRWAY", 8.01, 3),
        ("TROLLEY_ROAD", 0.99, 3), ("TROLLEY_ROAD", 1.0, 0), ("AIR_BRIDGE", 10.01, 3), ("SHAFT_MATERIAL", 12.01, 3),
        ("SHAFT_NO_HOIST", 15.0, 0), ("OTHER_ROAD", 0.14, 3), ("OTHER_ROAD", 9.0, 0),
    ],
)  # fmt: skip
def test_velocity_limits_by_roadway(make: Make, air_class: str, velocity: float, level: int):
    row = velocities(make, [velocity] * 4, air_class=air_class)[-1]
    assert (row["value"], row["level"], row["legal_exceeded"]) == (velocity, level, level > 0)


def test_outside_for_more_than_ten_minutes_is_red(make: Make):
    rows = velocities(make, [7.0] * 26, minutes=(0, 13))
    assert [row["level"] for row in rows] == [3] * 10 + [4] * 3
    assert rows[0]["sentence_zh"] == "V测点：风速 7.00 m/s，允许 0.25 至 6.00 m/s；橙色。"
    assert rows[0]["limit_confidence"] == "confirmed"


def test_a_good_minute_starts_the_count_again(make: Make):
    rows = velocities(make, [7.0] * 16 + [3.0] * 2 + [7.0] * 10, minutes=(0, 14))
    assert [row["level"] for row in rows] == [3] * 8 + [0] + [3] * 5


def test_the_count_goes_back_before_the_window(make: Make):
    assert velocities(make, [7.0] * 24, start=-11, minutes=(0, 1))[0]["level"] == 4


def test_the_mines_own_stricter_limit(make: Make):
    row = velocities(make, [5.5] * 4, alarm=5.0)[-1]
    assert (row["level"], row["legal_exceeded"], row["limit_confidence"]) == (3, False, "mine")
    assert velocities(make, [5.5] * 4, alarm=0.0, low_alarm=0.0)[-1]["level"] == 0  # zeros are empty fields
    assert velocities(make, [5.5] * 4, alarm=9.0)[-1]["level"] == 0  # the law is stricter
    assert velocities(make, [0.4] * 4, low_alarm=0.5)[-1]["level"] == 3


def test_direction_is_not_speed(make: Make):
    row = velocities(make, [-2.0] * 4)[-1]
    assert (row["value"], row["level"]) == (2.0, 0)


def test_no_limit_is_said(make: Make):
    row = velocities(make, [2.0] * 4, air_class=None)[-1]
    assert (row["value"], row["level"], row["null_reason"]) == (2.0, None, "NO_LIMIT")


def test_velocity_level_without_a_value():
    no_value = velocity_level(of(None), of(0.25), of(6.0), of(0.0))
    no_limit = velocity_level(of(2.0), of(None), of(None), of(0.0))
    assert answers(x=no_value, y=no_limit) == {"x": None, "y": None}
