"""Methane layering number (G-12), by hand."""

from __future__ import annotations

import pytest
from literal_mine import MINE_CODE, Make, answers, collect, of, point, series

from minefusion.pipelines.hazard.gas_layers import g12, layering_number
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.schemas.site import Site
from minefusion.schemas.site_air import RoofEmission

EDGES = [{"edge_id": "road", "area_id": "F1", "from_node": "a", "to_node": "b", "length_m": 50.0, "section_m2": 10.0}]
ROOF = Site(
    mine_code=MINE_CODE, name_zh="试验矿", name_en="Test", severe_hazard=True, areas=(), nodes=(), edges=(),
    roof_emissions=(RoofEmission("road", 0.004, 4.0),),
)  # fmt: skip


def test_by_hand():
    """V/W = 0.004/4 = 0.001, its cube root 0.1: 0.5/(1.635·0.1) = 3.06."""
    assert answers(x=layering_number(of(-0.5), of(0.004), of(4.0)))["x"] == pytest.approx(3.057, abs=0.005)


@pytest.mark.parametrize(
    ("number", "level"), [(5.0, 0), (4.9, 1), (2.0, 1), (1.9, 2), (1.0, 2), (0.9, 3), (0.0, 3), (None, None)]
)
def test_levels_below_at_and_above_each_step(number: float | None, level: int | None):
    assert answers(x=listed_level(of(number), "G-12"))["x"] == level


def test_a_slow_road(make: Make):
    points = [point("V", "air_velocity", edge_id="road")]
    inputs = make(points=points, readings=series("V", [0.25] * 20), edges=EDGES, site=ROOF)
    (row,) = collect(g12(inputs))
    assert (row["entity"], row["value"], row["level"]) == ("road", pytest.approx(1.53, abs=0.005), 2)
    assert row["sentence_zh"] == "F1区巷道 road：层状积聚数 1.53；黄色（参考限值）。"
    (row,) = collect(g12(make(points=points, readings=[], edges=EDGES, site=ROOF)))
    assert row["null_reason"] == "NO_AIR_QUANTITY"
    assert collect(g12(make(points=points, readings=[], edges=EDGES))) == [], "no emission is stated"
