"""CO make (F-09) and fire detection (F-10), by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from literal_mine import Make, answers, area, by_minute, collect, of, point, series

from minefusion.pipelines.hazard.fire import (
    co_level,
    co_make_l_min,
    f09,
    f10,
    goaf_level,
    heat_release_kw,
    make_level,
    warming_level,
)

# ── F-09 ──


def test_catalogue_vector():
    """12 ppm above the intake in 30 m³/s: 12·1e-6·30·60 000 = 21.6 L/min."""
    assert answers(x=co_make_l_min(of(14.0), of(2.0), of(30.0)))["x"] == pytest.approx(21.6)


@pytest.mark.parametrize(
    ("make_l_min", "level"),
    [(9.9, 0), (10.0, 0), (10.1, 2), (20.0, 2), (20.1, 3), (30.0, 3), (30.1, 4), (-3.0, 0), (None, None)],
)
def test_levels_of_co_make_begin_over_their_steps(make_l_min: float | None, level: int | None):
    assert answers(x=make_level(of(make_l_min)))["x"] == level


EDGES = [
    {"edge_id": "in", "area_id": "IN", "air_class": "BELT_ROAD", "length_m": 600.0, "section_m2": 12.0},
    {"edge_id": "face", "area_id": "F1", "air_class": "COAL_FACE", "length_m": 200.0, "section_m2": 10.0},
    {"edge_id": "out", "area_id": "OUT", "air_class": "BELT_ROAD", "length_m": 600.0, "section_m2": 15.0},
]
PATHS = [{"area_id": "F1", "intake_edge": "in", "return_edge": "out", "air_factor": 1.4}]
AREAS = [area("F1"), area("IN", "intake_airway"), area("OUT", "return_airway")]
POINTS = [
    point("R", "co", "OUT", edge_id="out"),
    point("I", "co", "IN", edge_id="in"),
    point("V", "air_velocity", "OUT", edge_id="out"),
]


def test_a_panel_by_hand(make: Make):
    """2 m/s × 15 m² = 30 m³/s and 14 - 2 ppm: the catalogue's 21.6 L/min, orange; more air does not change it."""
    for velocity, back in ((2.0, 14.0), (4.0, 8.0)):
        steady = {"R": back, "I": 2.0, "V": velocity}
        readings = [row for name, value in steady.items() for row in series(name, [value] * 84, start=-40)]
        row = collect(
            f09(make(points=POINTS, readings=readings, areas=AREAS, edges=EDGES, air_paths=PATHS, minutes=(0, 2)))
        )[-1]
        assert (row["value"], row["level"], row["unit"], row["entity"]) == (21.6, 3, "L/min", "F1")
    assert row["sentence_zh"] == "F1区：一氧化碳产生量 21.6 L/min；橙色（参考限值）。"


def test_no_air_quantity_no_make(make: Make):
    readings = series("R", [14.0] * 84, start=-40) + series("I", [2.0] * 84, start=-40)
    rows = collect(
        f09(make(points=POINTS, readings=readings, areas=AREAS, edges=EDGES, air_paths=PATHS, minutes=(0, 2)))
    )
    assert {(row["value"], row["null_reason"]) for row in rows} == {(None, "NO_AIR_QUANTITY")}


# ── F-10 ──


@pytest.mark.parametrize(
    ("above", "level"), [(4.9, 0), (5.0, 2), (5.1, 2), (9.9, 2), (10.0, 3), (40.0, 3), (None, None)]
)
def test_levels_of_co_above_ambient(above: float | None, level: int | None):
    assert answers(x=co_level(of(above)))["x"] == level


@pytest.mark.parametrize(
    ("warmer", "rate", "level"),
    [
        (4.9, 0.0, 0), (5.0, 0.0, 1), (9.9, 0.0, 1), (10.0, 0.0, 2), (19.9, 0.0, 2), (20.0, 0.0, 3),
        (0.0, 0.99, 0), (0.0, 1.0, 3), (None, 1.2, 3), (12.0, None, 2), (None, None, None),
    ],
)  # fmt: skip
def test_levels_of_warming(warmer: float | None, rate: float | None, level: int | None):
    assert answers(x=warming_level(of(warmer), of(rate)))["x"] == level


@pytest.mark.parametrize(
    ("warm", "level"), [(59.9, 0), (60.0, 2), (79.9, 2), (80.0, 3), (119.9, 3), (120.0, 4), (None, None)]
)
def test_levels_in_a_goaf(warm: float | None, level: int | None):
    assert answers(x=goaf_level(of(warm)))["x"] == level


def test_heat_release_of_the_test_fires():
    """1 MW in 43 m³/s gave about 70 ppm: 43·70/3 = 1003 kW."""
    assert answers(x=heat_release_kw(of(43.0), of(70.0)))["x"] == pytest.approx(1003.3, abs=0.1)


def fire_rows(
    make: Make, points: list[dict], series_of: dict[str, list[Any]], *, minutes, start: float, areas=AREAS
) -> list[dict]:
    readings = [row for name, values in series_of.items() for row in series(name, values, start=start)]
    return collect(f10(make(points=points, readings=readings, areas=areas, edges=EDGES, minutes=minutes)))


def test_co_is_counted_from_the_mines_intake(make: Make):
    """Intakes read 2, 2 and 9 ppm: their median, 2, is the background; 12.5 - 2 = 10.5 ppm."""
    intakes = [point(f"I{n}", "co", "IN", edge_id="in") for n in range(3)]
    values = {"R": [12.5] * 4, "I0": [2.0] * 4, "I1": [2.0] * 4, "I2": [9.0] * 4}
    rows = fire_rows(make, [POINTS[0], *intakes], values, minutes=(0, 2), start=0)
    row = next(row for row in rows if row["entity"] == "R")
    assert (row["value"], row["level"], row["unit"]) == (10.5, 3, "ppm")
    assert json.loads(row["inputs"])["ambient_ppm"] == 2.0
    assert next(row for row in rows if row["entity"] == "I0")["value"] == 0.0


def test_without_an_intake_sensor_the_background_is_nothing(make: Make):
    row = fire_rows(make, [POINTS[0]], {"R": [6.0] * 4}, minutes=(0, 2), start=0)[0]
    assert (row["value"], row["level"]) == (6.0, 2)
    assert json.loads(row["inputs"])["ambient_measured"] is False


WARM = [point("T", "temperature", "F1", edge_id="face")]


def test_warming_by_hand(make: Make):
    """20.0 ℃ for 40 min, then 31.0: 11 K above half an hour ago, yellow, and 11 K in 5 min are 2.2 K/min, orange."""
    rows = fire_rows(make, WARM, {"T": [20.0] * 80 + [31.0] * 20}, minutes=(0, 10), start=-40)
    assert [row["value"] for row in rows] == [11.0] * 10
    assert [row["level"] for row in rows] == [3] * 5 + [2] * 5  # after five minutes the rate is over
    assert json.loads(rows[0]["inputs"])["rate_k_min"] == 2.2
    assert rows[0]["unit"] == "K"


def test_half_an_hour_later_it_is_the_new_background(make: Make):
    rows = fire_rows(make, WARM, {"T": [20.0] * 80 + [31.0] * 80}, minutes=(20, 36), start=-40)
    assert [row["level"] for row in rows[:5]] == [2] * 5
    assert rows[-1]["value"] == 0.0


def test_with_less_history_an_earlier_background_does(make: Make):
    rows = fire_rows(make, WARM, {"T": [20.0] * 16 + [26.0] * 14}, minutes=(0, 15), start=0)
    assert {row["null_reason"] for row in rows[:6]} == {"NO_AMBIENT"}
    assert rows[8]["value"] == 6.0


def test_a_goaf_is_judged_by_its_temperature(make: Make):
    goaf = [area("F1", "goaf")]
    rows = fire_rows(make, WARM, {"T": [80.0] * 4}, minutes=(0, 2), start=0, areas=goaf)
    assert [(row["value"], row["level"], row["unit"]) for row in rows] == [(80.0, 3, "℃")] * 2


def test_silence_is_null_with_a_reason(make: Make):
    rows = fire_rows(make, [*WARM, POINTS[0]], {}, minutes=(0, 1), start=0)
    assert {(row["entity"], row["level"], row["null_reason"]) for row in rows} == {
        ("T", None, "NO_DATA"),
        ("R", None, "NO_DATA"),
    }


def test_one_row_per_point_and_minute(make: Make):
    rows = f10(make(points=[*WARM, *POINTS], readings=[], areas=AREAS, minutes=(0, 3)))
    assert len(by_minute(rows, "T", "level")) == len(by_minute(rows, "R", "level")) == 3
    assert by_minute(rows, "V", "level") == []
