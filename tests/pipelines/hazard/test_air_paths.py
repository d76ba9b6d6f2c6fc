"""Air and gas of the air paths."""

from __future__ import annotations

import pytest
from literal_mine import Make, answers, area, of, point, series

from minefusion.pipelines.hazard.air_paths import air_quantity_m3_s, transport_lag_min


def test_quantity_at_a_station():
    assert answers(x=air_quantity_m3_s(of(-2.0), of(12.0)))["x"] == 24.0


@pytest.mark.parametrize(
    ("length", "quantity", "section", "minutes"),
    [
        (1200.0, 20.0, 10.0, 10),  # 2 m/s
        (150.0, 10.0, 10.0, 3),  # 1 m/s: 2.5 min count as 3
        (149.0, 10.0, 10.0, 2),
        (9000.0, 1.0, 10.0, 30),  # 1500 min: as good as still air
        (1200.0, 0.0, 10.0, 0),
        (1200.0, None, 10.0, 0),
        (None, 20.0, 10.0, 0),
    ],
)
def test_lag(length: float | None, quantity: float | None, section: float, minutes: int):
    assert answers(x=transport_lag_min(of(length), of(quantity), of(section)))["x"] == minutes


EDGES = [
    {"edge_id": "in", "area_id": "IN", "length_m": 60.0, "section_m2": 12.0},
    {"edge_id": "out", "area_id": "F1", "length_m": 60.0, "section_m2": 10.0},
]
PATHS = [{"area_id": "F1", "intake_edge": "in", "return_edge": "out", "air_factor": 1.4}]


def test_points_of_one_roadway_are_averaged_and_a_dead_one_left_out(make: Make):
    points = [point(name, "ch4", "F1", edge_id="out") for name in ("G1", "G2", "dead")] + [
        point("V", "air_velocity", "F1", edge_id="out"),
        point("Q", "air_quantity", "F1", edge_id="out"),
    ]
    steady = {"G1": 0.4, "G2": 0.6, "V": 2.0, "Q": 1320.0}
    readings = [row for name, value in steady.items() for row in series(name, [value] * 4)]
    inputs = make(
        points=points, readings=readings, areas=[area("F1", "heading")], edges=EDGES, air_paths=PATHS, minutes=(0, 1)
    )
    row = inputs.paths.collect().to_arrow().to_pylist()[0]
    assert row["ch4_return"] == 0.5
    assert row["q_m3_s"] == 21.0  # 2.0·10 = 20 and 1320 ÷ 60 = 22
    assert (row["q_coverage"], row["ch4_coverage"], row["has_ch4_intake"], row["ch4_intake"]) == (1.0, 1.0, False, 0.0)
