"""Caps of toxic gases (T-01) and oxygen (T-04), by hand."""

from __future__ import annotations

import json

import pytest
from literal_mine import Make, answers, area, collect, of, point, series

from minefusion.pipelines.hazard.toxic import cap_level, oxygen_level, t01, t04

PATHS = [{"area_id": "F1", "intake_edge": "in", "return_edge": "out", "air_factor": 1.4}]
AREAS = [area("F1"), area("IN", "intake_airway"), area("OUT", "return_airway"), area("TR", "total_return")]


def capped(make: Make, row: dict, values: list, minutes=(0, 2)) -> list[dict]:
    return collect(t01(make(points=[row], readings=series("X", values), areas=AREAS, air_paths=PATHS, minutes=minutes)))


@pytest.mark.parametrize(
    ("gas", "value", "level", "legal"),
    [
        ("co", 11.9, 0, False), ("co", 12.0, 2, False), ("co", 19.1, 2, False), ("co", 19.2, 3, False),
        ("co", 23.9, 3, False), ("co", 24.0, 4, True), ("co", 24.1, 4, True),
        ("no2", 1.24, 0, False), ("no2", 1.25, 2, False), ("no2", 2.0, 3, False), ("no2", 2.49, 3, False),
        ("no2", 2.5, 4, True),
        ("so2", 2.5, 2, False), ("so2", 4.0, 3, False), ("so2", 5.0, 4, True),
        ("h2s", 3.29, 0, False), ("h2s", 3.3, 2, False), ("h2s", 5.28, 3, False), ("h2s", 6.6, 4, True),
        ("nh3", 19.9, 0, False), ("nh3", 20.0, 2, False), ("nh3", 32.0, 3, False), ("nh3", 40.0, 4, True),
    ],
)  # fmt: skip
def test_levels_at_half_four_fifths_and_the_whole_of_the_cap(
    make: Make, gas: str, value: float, level: int, legal: bool
):
    row = capped(make, point("X", gas), [value] * 4)[-1]
    assert (row["value"], row["level"], row["legal_exceeded"], row["unit"]) == (value, level, legal, "ppm")


def test_cap_level_without_a_cap_or_a_value():
    assert answers(x=cap_level(of(1.0), of(None)), y=cap_level(of(None), of(24.0))) == {"x": None, "y": None}


@pytest.mark.parametrize(
    ("area_id", "edge", "value", "level"),
    [
        ("IN", "in", 0.24, 0), ("IN", "in", 0.25, 2), ("IN", "in", 0.4, 3), ("IN", "in", 0.5, 4),
        ("OUT", "out", 0.74, 0), ("OUT", "out", 0.75, 2), ("OUT", "out", 1.2, 3), ("OUT", "out", 1.5, 4),
        ("TR", "tr", 0.74, 3), ("TR", "tr", 0.75, 4),
    ],
)  # fmt: skip
def test_carbon_dioxide_goes_by_place(make: Make, area_id: str, edge: str, value: float, level: int):
    """0.5 % in the intake of a face, 1.5 % in its return, 0.75 % in the total return."""
    assert capped(make, point("X", "co2", area_id, edge_id=edge), [value] * 4)[-1]["level"] == level


def test_carbon_dioxide_elsewhere_has_no_cap(make: Make):
    row = capped(make, point("X", "co2", "F1", edge_id="face"), [0.9] * 4)[-1]
    assert (row["value"], row["level"], row["null_reason"]) == (0.9, None, "NO_LIMIT")
    assert row["sentence_en"].endswith("no limit holds for this place.")


@pytest.mark.parametrize(("value", "level"), [(20.01, 0), (20.0, 0), (19.99, 4)])
def test_oxygen_in_a_face_intake(make: Make, value: float, level: int):
    row = capped(make, point("X", "o2", "IN", edge_id="in"), [value] * 4)[-1]
    assert (row["level"], row["legal_exceeded"]) == (level, level == 4)


def test_oxygen_elsewhere_is_not_capped(make: Make):
    assert capped(make, point("X", "o2", "OUT", edge_id="out"), [19.0] * 4) == []


def test_a_stricter_mine_moves_the_level_and_not_the_law(make: Make):
    row = capped(make, point("X", "co", alarm=20.0), [20.0] * 4)[-1]
    assert (row["level"], row["legal_exceeded"], row["limit_confidence"]) == (4, False, "mine")
    row = capped(make, point("X", "co", alarm=30.0), [24.0] * 4)[-1]  # looser than the law: the law holds
    assert (row["level"], row["legal_exceeded"], row["limit_confidence"]) == (4, True, "confirmed")


def test_steps_ahead_of_the_cap_are_advisory(make: Make):
    row = capped(make, point("X", "co"), [13.0] * 4)[-1]
    assert row["limit_confidence"] == "advisory"
    assert row["sentence_zh"] == "X测点：一氧化碳 13.00 ppm，限值 24.00 ppm；黄色（参考限值）。"


def test_one_sample_alone_is_shown_and_gives_no_level(make: Make):
    row = capped(make, point("X", "co"), [1.0, 1.0, 30.0, 1.0])[-1]
    assert (row["value"], row["level"]) == (30.0, 0)


def test_silent_point_of_a_gas(make: Make):
    row = capped(make, point("X", "co"), [])[-1]
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DATA")


# ── T-04 ──


@pytest.mark.parametrize(
    ("o2", "level"),
    [(20.9, 0), (20.0, 0), (19.99, 2), (19.5, 2), (19.49, 3), (18.0, 3), (17.99, 4), (5.0, 4), (None, None)],
)
def test_oxygen_levels_begin_under_their_steps(o2: float | None, level: int | None):
    assert answers(x=oxygen_level(of(o2)))["x"] == level


@pytest.mark.parametrize(("edge", "legal"), [("in", True), ("out", False)])
def test_the_law_on_oxygen_holds_in_face_intakes(make: Make, edge: str, legal: bool):
    points = [point("X", "o2", "IN", edge_id=edge)]
    row = collect(
        t04(make(points=points, readings=series("X", [19.6] * 4), areas=AREAS, air_paths=PATHS, minutes=(0, 2)))
    )[-1]
    assert (row["value"], row["level"], row["legal_exceeded"]) == (19.6, 2, legal)
    assert json.loads(row["inputs"])["face_intake"] is legal
    assert row["sentence_en"] == "Area IN, point X: oxygen 19.60 %; yellow (advisory limit)."


def test_the_lowest_oxygen_of_a_minute_counts_if_confirmed(make: Make):
    points = [point("X", "o2", "IN", edge_id="in")]
    rows = collect(
        t04(make(points=points, readings=series("X", [20.8, 17.0, 20.8, 17.0]), areas=AREAS, minutes=(0, 2)))
    )
    assert [(row["value"], row["level"]) for row in rows] == [(17.0, 0), (17.0, 4)]
