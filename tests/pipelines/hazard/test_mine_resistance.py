"""Resistance of the mine and its drift (V-03), by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from literal_mine import MINE_CODE, Row, answers, area, at, collect, make_history, of, point

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.mine_resistance import equivalent_orifice_m2, resistance_ns2_m8, v03
from minefusion.schemas.site import Site
from minefusion.schemas.site_air import MainFan

POINTS = [point("V", "air_velocity", edge_id="drift"), point("P", "negative_pressure", edge_id="drift")]
EDGES = [{"edge_id": "drift", "area_id": "F1", "from_node": "a", "to_node": "b", "length_m": 50.0, "section_m2": 10.0}]


def test_catalogue_vector():
    """Q 80 m³/s at 2000 Pa."""
    found = answers(a=equivalent_orifice_m2(of(2000.0), of(80.0)), r=resistance_ns2_m8(of(2000.0), of(80.0)))
    assert found == {"a": pytest.approx(2.129, abs=0.001), "r": pytest.approx(0.3125)}


def test_still_air_has_no_resistance():
    assert answers(r=resistance_ns2_m8(of(2000.0), of(0.0)), a=equivalent_orifice_m2(of(0.0), of(80.0))) == {
        "r": None,
        "a": None,
    }


def hours(pressure_kpa: float, first: int, last: int, every: int = 1) -> list[Row]:
    """8 m/s and so much pressure from hour to hour, twelve readings in each."""
    return [
        {"point_id": name, "quantity": quantity, "value_mean": value, "window_start": at(60 * hour + 5 * n)}
        for hour in range(first, last, every)
        for n in range(12)
        for name, quantity, value in (("V", "air_velocity", -8.0), ("P", "negative_pressure", pressure_kpa))
    ]  # fmt: skip


Run = Callable[..., list[Row]]


@pytest.fixture
def run(light: LightEngine) -> Run:
    def rows(readings: Sequence[Row], reference: float | None = None, **parts) -> list[Row]:
        fan = MainFan("M1", "F1", "drift", reference_ns2_m8=reference)
        site = Site(
            mine_code=MINE_CODE, name_zh="试验矿", name_en="Test", severe_hazard=True, areas=(), nodes=(), edges=(),
            main_fans=(fan,),
        )  # fmt: skip
        history = make_history(light, five=readings, points=POINTS, edges=EDGES, areas=[area("F1")], site=site, **parts)
        return collect(v03(history))

    return rows


@pytest.mark.parametrize(
    ("reference", "level", "drift"), [(0.3125, 0, 0.0), (0.27, 2, 15.7), (0.24, 3, 30.2), (0.45, 3, -30.6)]
)
def test_the_drift_from_the_sites_reference(run: Run, reference: float, level: int, drift: float):
    (row,) = run(hours(-2.0, -23, 1), reference)
    assert (row["value"], row["level"], row["entity"]) == (0.3125, level, "M1")
    inputs = json.loads(row["inputs"])
    assert (inputs["drift_pct"], inputs["equivalent_orifice_m2"], inputs["class"]) == (drift, 2.13, "easy")


def test_the_time_before_is_the_reference_where_none_is_stated(run: Run):
    """2.0 kPa for three days, then a day of 2.4: 20 % over."""
    (row,) = run(hours(-2.0, -96, -23) + hours(-2.4, -23, 1))
    assert (row["level"], json.loads(row["inputs"])["drift_pct"]) == (2, 20.0)
    assert row["sentence_zh"] == "F1区主要通风机 M1：风阻 0.3750，24 小时偏离基准 20.0 %；黄色（参考限值）。"


def test_too_little_history_has_a_value_and_no_level(run: Run):
    (row,) = run(hours(-2.0, -23, 1))
    assert (row["value"], row["level"], row["null_reason"]) == (0.3125, None, "NO_HISTORY")
    (row,) = run([])
    assert (row["value"], row["null_reason"]) == (None, "NO_FAN_PRESSURE")


def test_a_mine_without_a_main_fan_in_its_site_file(light: LightEngine):
    assert collect(v03(make_history(light))) == []
