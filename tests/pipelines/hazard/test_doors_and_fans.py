"""Doors, direction of air and fans (V-08), by hand."""

from __future__ import annotations

from typing import Any

import pytest
from literal_mine import Make, answers, area, by_minute, collect, of, point, series

from minefusion.pipelines.hazard.doors_and_fans import doors_level, reversal_level, stopped_fan_level, v08


@pytest.mark.parametrize(("seconds", "level"), [(0, 0), (10, 0), (10.1, 3), (60, 3), (60.1, 4), (None, None)])
def test_levels_of_open_doors(seconds: float | None, level: int | None):
    assert answers(x=doors_level(of(seconds)))["x"] == level


@pytest.mark.parametrize(("seconds", "level"), [(0, 0), (60, 0), (60.1, 4), (None, None)])
def test_levels_of_reversed_air(seconds: float | None, level: int | None):
    assert answers(x=reversal_level(of(seconds)))["x"] == level


@pytest.mark.parametrize(
    ("seconds", "ch4", "level"),
    [(0, 2.0, 0), (30, 1.49, 3), (30, 1.5, 4), (30, 3.2, 4), (30, None, 3), (None, 2.0, None)],
)
def test_levels_of_a_stopped_fan(seconds: float | None, ch4: float | None, level: int | None):
    assert answers(x=stopped_fan_level(of(seconds), of(ch4)))["x"] == level


PAIR = {"pair_id": "D1", "area_id": "F1", "point_a": "A", "point_b": "B"}
DOORS = [point(name, "air_door", value_kind="KG") for name in ("A", "B")]


def test_both_doors_of_a_pair_open(make: Make):
    """Together from 1:00 to 3:30: after a minute 60 s, orange; after two 120 s, red; 150 s where it ends."""
    readings = series("A", [0, 0, 1, 1, 1, 1, 1, 0, 0, 0]) + series("B", [1, 0] + [1] * 8)
    rows = collect(v08(make(points=DOORS, readings=readings, door_pairs=[PAIR], minutes=(0, 5))))
    assert [(row["value"], row["level"]) for row in rows] == [(0.0, 0), (60.0, 3), (120.0, 4), (150.0, 4), (0.0, 0)]
    assert {(row["entity"], row["area_id"], row["point_id"]) for row in rows} == {("D1", "F1", None)}
    assert rows[2]["sentence_en"] == "Area F1, doors D1: both doors open for 120 s; red (advisory limit)."
    assert rows[0]["sentence_zh"] == "F1区风门 D1：两道风门未同时打开；正常。"


def test_doors_opened_one_after_the_other_are_in_order(make: Make):
    readings = series("A", [1, 1, 0, 0, 0, 0]) + series("B", [0, 0, 1, 1, 0, 0])
    assert by_minute(v08(make(points=DOORS, readings=readings, door_pairs=[PAIR], minutes=(0, 3))), "D1", "level") == [
        0,
        0,
        0,
    ]


def test_a_door_that_says_nothing(make: Make):
    rows = collect(v08(make(points=DOORS, readings=series("A", [1] * 6), door_pairs=[PAIR], minutes=(0, 3))))
    assert {(row["value"], row["level"], row["null_reason"]) for row in rows} == {(None, None, "NO_DATA")}
    lost = {**PAIR, "point_b": "nobody"}
    rows = collect(v08(make(points=DOORS, readings=series("A", [1] * 6), door_pairs=[lost], minutes=(0, 3))))
    assert {row["level"] for row in rows} == {None}


def test_air_that_runs_backwards(make: Make):
    """Negative from 1:00 on: 60 s at 2:00 is not over 60, 120 s at 3:00 is."""
    row = point("V", "air_velocity", air_class="BELT_ROAD")
    rows = collect(v08(make(points=[row], readings=series("V", [2.0, 2.0, *[-1.0] * 6]), minutes=(0, 4))))
    assert [(row["value"], row["level"]) for row in rows] == [(0.0, 0), (60.0, 0), (120.0, 4), (180.0, 4)]
    assert rows[2]["sentence_en"].startswith("Area F1, point V: air reversed for 120 s; red")


def test_still_air_is_not_reversed(make: Make):
    row = point("V", "air_velocity", air_class="BELT_ROAD")
    assert by_minute(v08(make(points=[row], readings=series("V", [-0.1] * 8), minutes=(0, 4))), "V", "level") == [0] * 4


HEADING = [area("H", "heading"), area("IN", "intake_airway")]


def fans(make: Make, points: list[dict], values: dict[str, list[Any]], minutes=(0, 2)) -> list[dict]:
    readings = [row for name, numbers in values.items() for row in series(name, numbers)]
    return collect(v08(make(points=points, readings=readings, areas=HEADING, minutes=minutes)))


DUCT = point("S", "duct_state", "H", value_kind="KG")
GAS = point("G", "ch4", "H", gas_class="HD_FACE_T1")
FANS = [point(name, "aux_fan", "H", value_kind="KG") for name in ("main", "spare")]


@pytest.mark.parametrize(
    ("ch4", "level", "words"),
    [
        (1.4, 3, "no air from the fan for 60 s; orange"),
        (1.5, 4, "no air from the fan for 60 s, methane 1.50 %: do not restart; red"),
        (3.0, 4, "no air from the fan for 60 s, methane 3.00 %: do not restart; red"),
        (3.1, 4, "no air from the fan for 60 s, methane 3.10 %: a degassing plan is needed; red"),
    ],
)
def test_a_heading_without_air(make: Make, ch4: float, level: int, words: str):
    row = fans(make, [DUCT, GAS], {"S": [0, 0], "G": [ch4] * 2}, minutes=(0, 1))[0]
    assert (row["entity"], row["value"], row["level"]) == ("H", 60.0, level)
    assert row["sentence_en"].startswith(f"Area H: {words}")


def test_gas_with_the_fan_running_is_not_the_fans_matter(make: Make):
    assert fans(make, [DUCT, GAS], {"S": [1, 1], "G": [2.0] * 2}, minutes=(0, 1))[0]["level"] == 0


def test_the_duct_tells_where_there_is_one(make: Make):
    values = {"S": [1] * 4, "main": [0] * 4, "spare": [0] * 4}
    assert [row["level"] for row in fans(make, [DUCT, *FANS], values)] == [0, 0]


def test_a_spare_fan_that_stands_is_no_fault(make: Make):
    assert [row["level"] for row in fans(make, FANS, {"main": [1] * 4, "spare": [0] * 4})] == [0, 0]
    assert [row["level"] for row in fans(make, FANS, {"main": [0] * 4, "spare": [0] * 4})] == [3, 3]


def test_fans_outside_a_heading_are_not_judged(make: Make):
    assert fans(make, [{**fan, "area_id": "IN"} for fan in FANS], {"main": [0] * 4}) == []
