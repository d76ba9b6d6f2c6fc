"""Heat at the place of work (H-01 to H-03), by published and hand-worked examples."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats
from literal_mine import MINE_CODE, Make, answers, area, collect, of, point, series

from minefusion.pipelines.hazard.heat import (
    arctan,
    effective_temperature_c,
    h01,
    h02,
    h03,
    wet_bulb_c,
    wet_bulb_globe_c,
)
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.schemas.site import Site
from minefusion.schemas.site_air import HeatWork


def test_catalogue_vectors():
    found = answers(wbgt=wet_bulb_globe_c(of(27.5), of(30.0)), et=effective_temperature_c(of(30.0), of(90.0), of(1.0)))
    assert found == {"wbgt": pytest.approx(28.25), "et": pytest.approx(28.09, abs=0.005)}


def test_the_wet_bulb_of_the_published_example():
    """Stull (2011): 20 ℃ and 50 % give 13.7 ℃; outside of 5 to 99 % it says nothing."""
    assert answers(x=wet_bulb_c(of(20.0), of(50.0)))["x"] == pytest.approx(13.7, abs=0.01)
    assert answers(x=wet_bulb_c(of(20.0), of(99.5)))["x"] is None
    assert answers(x=wet_bulb_c(of(51.0), of(50.0)))["x"] is None


@settings(max_examples=30, deadline=None)
@given(floats(-200.0, 200.0))
def test_arctan_is_as_good_as_the_mathematical_one(x: float):
    assert answers(x=arctan(of(x)))["x"] == pytest.approx(math.atan(x), abs=2e-8)


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [
        ("H-01", "III-100", [(23.9, 0), (24.0, 2), (24.9, 2), (25.0, 3), (25.9, 3), (26.0, 4), (30.0, 4)]),
        ("H-01", "I-25", [(30.9, 0), (31.0, 2), (32.0, 3), (32.9, 3), (33.0, 4)]),
        ("H-02", "", [(27.9, 0), (28.0, 2), (29.9, 2), (30.0, 3), (31.9, 3), (32.0, 4)]),
        ("H-03", "face", [(26.0, 0), (26.1, 3), (30.0, 3)]),
        ("H-03", "face_stop", [(29.9, 0), (30.0, 4), (30.1, 4)]),
        ("H-03", "chamber", [(30.0, 0), (30.1, 3)]),
        ("H-03", "chamber_stop", [(33.9, 0), (34.0, 4)]),
    ],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for value, level in values:
        assert answers(x=listed_level(of(value), index_id, scope))["x"] == level, value
    assert answers(x=listed_level(of(None), index_id, scope))["x"] is None


POINTS = [point("T", "temperature"), point("H", "humidity"), point("V", "air_velocity")]


def climate_of(make: Make, index, values: dict[str, float], points=POINTS, **parts) -> list[dict]:
    readings = [row for name, value in values.items() for row in series(name, [value] * 20)]
    return collect(index(make(points=points, readings=readings, **parts)))


def test_a_hot_face(make: Make):
    """27.5 ℃ and 80 %: wet bulb 24.73 by Stull, 0.7 · 24.73 + 0.3 · 27.5 = 25.56: orange for heavy work."""
    (row,) = climate_of(make, h01, {"T": 27.5, "H": 80.0})
    assert (row["value"], row["level"], row["entity"]) == (pytest.approx(25.56, abs=0.02), 3, "F1")
    assert row["sentence_zh"] == "F1区：湿球黑球温度 25.6 ℃；橙色（参考限值）。"


def test_the_site_file_says_how_heavy_the_work_is(make: Make):
    site = Site(
        mine_code=MINE_CODE, name_zh="试验矿", name_en="Test", severe_hazard=True, areas=(), nodes=(), edges=(),
        heat_works=(HeatWork("F1", "I", 50),),
    )  # fmt: skip
    (row,) = climate_of(make, h01, {"T": 28.0, "H": 80.0}, site=site)
    assert row["level"] == 0


def test_saturated_air_has_its_own_temperature_as_wet_bulb(make: Make):
    (row,) = climate_of(make, h01, {"T": 27.0, "H": 100.0})
    assert (row["value"], row["level"]) == (27.0, 4)


def test_effective_temperature_of_a_face(make: Make):
    (row,) = climate_of(make, h02, {"T": 30.0, "H": 90.0, "V": -1.0})  # the air may flow the other way
    assert (row["value"], row["level"]) == (pytest.approx(28.09, abs=0.005), 2)


def test_the_dry_bulb_rule_by_kind_of_place(make: Make):
    places = {"F1": "longwall_face", "C1": "chamber", "R1": "return_airway"}
    points = [point(f"T-{name}", "temperature", name) for name in places]
    values = {f"T-{name}": 30.5 for name in places}
    rows = climate_of(make, h03, values, points, areas=[area(name, kind) for name, kind in places.items()])
    assert [(row["entity"], row["level"], row["legal_exceeded"]) for row in rows] == [("C1", 3, True), ("F1", 4, True)]
    (row,) = climate_of(make, h03, {"T-F1": 26.0}, points[:1])
    assert (row["level"], row["legal_exceeded"]) == (0, False)


def test_what_is_missing_is_named(make: Make):
    assert climate_of(make, h01, {"T": 28.0})[0]["null_reason"] == "NO_HUMIDITY"
    assert climate_of(make, h01, {"H": 80.0})[0]["null_reason"] == "NO_TEMPERATURE"
    assert climate_of(make, h02, {"T": 28.0, "H": 80.0})[0]["null_reason"] == "NO_AIR_VELOCITY"
    for index, points in ((h01, POINTS[:1]), (h02, POINTS[:2]), (h03, POINTS[1:])):
        assert climate_of(make, index, {}, points) == [], "an area without all of its sensors is not judged"
