"""Main fans, air balance, recirculation and junctions (V-04 to V-07), by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from literal_mine import MINE_CODE, Make, Row, answers, area, at, collect, of, point, series

from minefusion.pipelines.hazard.flow_balance import free_flows, passed_roads, standard_residuals
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.network import (
    deviation_pct,
    fan_efficiency,
    leakage,
    needed_at_fan_m3_s,
    recirculated_share,
    surge_margin_pct,
    v04,
    v05,
    v06,
    v07,
)
from minefusion.schemas.site import Site
from minefusion.schemas.site_air import AirLoop, AirRoad, FanCurvePoint, LocalFan, LoopRoad, MainFan


def edge(edge_id: str, from_node: str, to_node: str, section: float = 10.0, area_id: str = "F1") -> Row:
    return {
        "edge_id": edge_id, "from_node": from_node, "to_node": to_node, "area_id": area_id, "length_m": 100.0,
        "section_m2": section, "air_class": "MAIN_AIRWAY",
    }  # fmt: skip


def site(**sections: Any) -> Site:
    return Site(
        mine_code=MINE_CODE,
        name_zh="试验矿",
        name_en="Test",
        severe_hazard=True,
        areas=(),
        nodes=(),
        edges=(),
        **sections,
    )


def run(make: Make, index, points: Sequence[Row], values: dict[str, Any], **parts: Any) -> list[Row]:
    """Rows of ten minutes in which each point holds its value, or has a list of them."""
    readings = [
        row
        for name, value in values.items()
        for row in series(name, value if isinstance(value, list) else [value] * 20)
    ]
    return collect(index(make(points=points, readings=readings, **parts)))


def wind(edge_id: str) -> Row:
    return point(f"V-{edge_id}", "air_velocity", edge_id=edge_id)


# ── formulas ──


def test_formulas_by_hand():
    found = answers(
        off=deviation_pct(of(2100.0), of(2000.0)), margin=surge_margin_pct(of(80.0), of(60.0)),
        efficiency=fan_efficiency(of(2000.0), of(80.0), of(200.0)), leak=leakage(of(80.0), of(76.0)),
        share=recirculated_share(of(0.25), of(0.2), of(0.7)), needed=needed_at_fan_m3_s(of(6.0), of(0.25), of(12.0)),
        unclear=recirculated_share(of(0.25), of(0.2), of(0.29)),
    )  # fmt: skip
    assert found == {
        "off": pytest.approx(5.0), "margin": pytest.approx(25.0), "efficiency": pytest.approx(0.8),
        "leak": pytest.approx(0.05), "share": pytest.approx(0.1), "needed": pytest.approx(9.0), "unclear": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [
        ("V-03", "drift", [(10.0, 0), (10.1, 2), (25.0, 2), (25.1, 3)]),
        ("V-04", "stopped", [(0.0, 0), (0.1, 4), (600.0, 4)]),
        ("V-04", "deviation", [(5.0, 0), (5.1, 2), (10.0, 2), (10.1, 3)]),
        ("V-04", "surge", [(10.1, 0), (10.0, 0), (9.9, 3), (-5.0, 3)]),
        ("V-05", "effective", [(0.86, 0), (0.85, 0), (0.84, 2)]),
        ("V-05", "leakage", [(0.05, 0), (0.051, 2)]),
        ("V-05", "leakage_hoisting", [(0.15, 0), (0.151, 2)]),
        ("V-06", "", [(0.05, 0), (0.051, 2), (0.1, 2), (0.101, 3)]),
        ("V-06", "quantity", [(1.0, 0), (0.99, 3)]),
        ("V-07", "", [(10.0, 0), (10.1, 2), (20.0, 2), (20.1, 3)]),
    ],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for value, level in values:
        assert answers(x=listed_level(of(value), index_id, scope))["x"] == level, value
    assert answers(x=listed_level(of(None), index_id, scope))["x"] is None


# ── V-04 ──

FAN_POINTS = [
    wind("drift"), point("P", "negative_pressure", edge_id="drift"),
    point("A", "main_fan", value_kind="KG"), point("B", "main_fan", value_kind="KG"),
]  # fmt: skip
DRIFT = [edge("drift", "n1", "n2")]
CURVE = (FanCurvePoint("M1", 60.0, 2400.0), FanCurvePoint("M1", 100.0, 1600.0))
FAN = site(main_fans=(MainFan("M1", "F1", "drift", surge_m3_s=60.0),), fan_curve=CURVE)
RUNS = {"A": 1.0, "B": 0.0}


def test_a_fan_on_its_curve(make: Make):
    """8 m/s × 10 m² = 80 m³/s: the curve gives 2000 Pa; 2.0 kPa lie on it, 2.12 kPa by 6 % off."""
    rows = run(make, v04, FAN_POINTS, RUNS | {"V-drift": 8.0, "P": -2.0}, edges=DRIFT, site=FAN)
    assert {(row["value"], row["level"], row["unit"], row["entity"]) for row in rows} == {(0.0, 0, "%", "M1")}
    assert json.loads(rows[0]["inputs"])["surge_margin_pct"] == 25.0
    rows = run(make, v04, FAN_POINTS, RUNS | {"V-drift": 8.0, "P": 2.12}, edges=DRIFT, site=FAN)
    assert {(row["value"], row["level"]) for row in rows} == {(6.0, 2)}
    assert rows[0]["sentence_zh"] == "F1区 主要通风机 M1：风压偏离特性曲线 6.0 %，距喘振 25 %；黄色（参考限值）。"


def test_a_fan_near_its_surge(make: Make):
    """65 m³/s: (65 − 60)/65 = 7.7 % of margin, on the curve at 2300 Pa."""
    rows = run(make, v04, FAN_POINTS, RUNS | {"V-drift": 6.5, "P": 2.3}, edges=DRIFT, site=FAN)
    assert {(row["value"], row["level"]) for row in rows} == {(0.0, 3)}


def test_a_stopped_fan_is_red_at_once_and_a_spare_that_stands_is_not(make: Make):
    """A stops at 0:05 with B standing by: red from that minute on."""
    values = {"V-drift": 8.0, "P": 2.0, "A": [1.0] * 10 + [0.0] * 10, "B": 0.0}
    rows = run(make, v04, FAN_POINTS, values, edges=DRIFT, site=FAN)
    assert [row["level"] for row in rows] == [0] * 5 + [4] * 5
    assert (rows[5]["value"], rows[5]["unit"]) == (60.0, "s")
    assert rows[5]["sentence_en"].startswith("Area F1, main fan M1: has stood for 60 s; red")


def test_without_a_curve_the_state_is_judged(make: Make):
    bare = site(main_fans=(MainFan("M1", "F1", "drift"),))
    rows = run(make, v04, FAN_POINTS, RUNS, edges=DRIFT, site=bare)
    assert {(row["value"], row["level"], row["unit"]) for row in rows} == {(0.0, 0, "s")}
    rows = run(make, v04, FAN_POINTS, {"V-drift": 8.0}, edges=DRIFT, site=bare)
    assert {(row["value"], row["null_reason"]) for row in rows} == {(None, "NO_FAN_PRESSURE")}


def test_the_efficiency_of_a_fan_with_power(make: Make):
    power = [
        {"point_id": "PW", "quantity": "active_power", "observed_at": at(0.5), "value": 200.0, "equipment_id": "M1"}
    ]
    rows = run(
        make, v04, FAN_POINTS, RUNS | {"V-drift": 8.0, "P": 2.0}, edges=DRIFT, site=FAN, feeds={"equipment": power}
    )
    assert json.loads(rows[0]["inputs"])["efficiency"] == 0.8


# ── V-05 ──

ROADS = [
    edge("in", "n0", "n1"),
    edge("a", "n1", "n2"),
    edge("b", "n1", "n2"),
    edge("out", "n2", "n3"),
    edge("drift", "n3", "n4"),
]
BALANCE = site(
    air_roads=(AirRoad("in", "intake"), AirRoad("a", "use"), AirRoad("b", "use")),
    main_fans=(MainFan("M1", "F1", "drift", return_edge="out"),),
)


def test_air_put_to_use_and_leakage(make: Make):
    """50 m³/s come in, 30 and 10 are put to use: 0.8, yellow; the fan moves 56, 50 of them the mine's: 0.107."""
    values = {"V-in": 5.0, "V-a": 3.0, "V-b": 1.0, "V-out": 5.0, "V-drift": 5.6}
    points = [wind(name["edge_id"]) for name in ROADS]
    rows = run(make, v05, points, values, edges=ROADS, site=BALANCE)
    assert [(row["entity"], row["value"], row["level"]) for row in rows] == [
        (MINE_CODE, 0.8, 2), ("M1", pytest.approx(0.107143), 2),
    ]  # fmt: skip
    assert rows[0]["sentence_zh"] == "试验矿：有效风量率 80.0 %；黄色（参考限值）。"
    hoisting = site(main_fans=(MainFan("M1", "F1", "drift", return_edge="out", has_hoisting=True),))
    (row,) = run(make, v05, points, values, edges=ROADS, site=hoisting)
    assert (row["entity"], row["level"]) == ("M1", 0)


def test_a_balance_with_a_silent_road_is_not_known(make: Make):
    rows = run(make, v05, [wind("in"), wind("a")], {"V-in": 5.0, "V-a": 3.0}, edges=ROADS, site=BALANCE)
    assert {(row["value"], row["null_reason"]) for row in rows} == {(None, "NO_AIR_QUANTITY")}


# ── V-06 ──

HEADING = [edge("road", "n0", "n1", 12.0), edge("fresh", "n1", "n2"), edge("back", "n2", "n3")]
LOCAL = site(local_fans=(LocalFan("L1", "F1", "road", "fresh", "back", rated_m3_s=6.0),))
GAS = [point(f"G-{name}", "ch4", edge_id=name) for name in ("road", "fresh", "back")]


@pytest.mark.parametrize(
    ("inlet", "velocity", "value", "level", "reason"),
    [
        (0.20, 1.0, 0.0, 0, None),  # 12 m³/s at the fan, 9 needed
        (0.23, 1.0, 0.06, 2, None),
        (0.26, 1.0, 0.12, 3, None),
        (0.20, 0.7, 0.0, 3, None),  # 8.4 m³/s at the fan
    ],
)
def test_recirculation(make: Make, inlet: float, velocity: float, value: float, level: int, reason: str | None):
    """Intake 0.2 %, return 0.7 %: of 0.5 % each 0.03 % at the inlet are 6 % of the air."""
    values = {"G-road": inlet, "G-fresh": 0.2, "G-back": 0.7, "V-road": velocity}
    (row,) = run(make, v06, [*GAS, wind("road")], values, edges=HEADING, site=LOCAL)
    assert (row["value"], row["level"], row["null_reason"]) == (pytest.approx(value), level, reason)


def test_too_little_methane_to_tell_but_too_little_air_too(make: Make):
    values = {"G-road": 0.2, "G-fresh": 0.2, "G-back": 0.29, "V-road": 0.7}
    (row,) = run(make, v06, [*GAS, wind("road")], values, edges=HEADING, site=LOCAL)
    assert (row["value"], row["level"], row["null_reason"]) == (None, 3, "NO_TRACER")
    assert "循环风无法以甲烷判定，风机前风量 8.4 m³/s，应不低于 9.0 m³/s；橙色" in row["sentence_zh"]


# ── V-07 ──


def test_a_junction_that_does_not_add_up(make: Make):
    """50 m³/s come in, 30 and 12 leave: 8 of 50 are 16 %. Road b leads to it, but its air runs back."""
    roads = [edge("in", "n0", "n1"), edge("a", "n1", "n2"), edge("b", "n3", "n1")]
    points = [wind(road["edge_id"]) for road in roads]
    rows = run(make, v07, points, {"V-in": 5.0, "V-a": 3.0, "V-b": -1.2}, edges=roads)
    node = next(row for row in rows if row["entity"] == "n1")
    assert (node["value"], node["level"]) == (pytest.approx(16.0), 2)
    assert node["sentence_en"].startswith("140000000001, junction n1: out of balance by 16.0 %; yellow")


def test_a_loop_against_its_fan(make: Make):
    """0.5 · 50² + 0.1 · 50² = 1500 Pa against 1200 of the fan and 50 of warm air: 250 of 1200 are 20.8 %, orange."""
    roads = [edge("in", "n0", "n1"), edge("drift", "n1", "n2")]
    loop = site(
        main_fans=(MainFan("M1", "F1", "drift"),), air_loops=(AirLoop("L1", "M1", 50.0),),
        loop_roads=(LoopRoad("L1", "in", 0.5), LoopRoad("L1", "drift", 0.1)),
    )  # fmt: skip
    points = [wind("in"), wind("drift"), point("P", "air_pressure", edge_id="drift")]
    rows = run(make, v07, points, {"V-in": 5.0, "V-drift": 5.0, "P": -1200.0}, edges=roads, site=loop)
    found = next(row for row in rows if row["entity"] == "L1")
    assert (found["value"], found["level"]) == (pytest.approx(20.833333), 3)


def test_the_reading_that_fits_least_is_named(make: Make):
    """Five stations of one way say 50 m³/s, one says 30: its road is suspected, off by 40 % of what the others say."""
    roads = [edge(f"r{n}", f"n{n}", f"n{n + 1}") for n in range(6)]
    values = {f"V-r{n}": 3.0 if n == 3 else 5.0 for n in range(6)}
    rows = run(make, v07, [wind(road["edge_id"]) for road in roads], values, edges=roads)
    whole = next(row for row in rows if row["entity"] == MINE_CODE)
    assert (whole["value"], whole["level"]) == (pytest.approx(40.0), 3)
    assert json.loads(whole["inputs"])["suspect"] == "r3"
    assert "可疑测点所在巷道 r3" in whole["sentence_zh"]
    rows = run(make, v07, [wind(road["edge_id"]) for road in roads], dict.fromkeys(values, 5.0), edges=roads)
    assert next(row for row in rows if row["entity"] == MINE_CODE)["value"] == 0.0


def test_blind_headings_are_no_part_of_the_network():
    """From the shaft by n1 to the shaft; h1 and h2 are a heading; without a shaft every end is open."""
    rows = [("down", "s0", "n1", True), ("road", "n1", "n2", False), ("up", "n2", "s1", True),
            ("h1", "n1", "h", False), ("h2", "h", "face", False)]  # fmt: skip
    names = ("edge_id", "from_node", "to_node", "is_open")
    roads = [{"mine_code": MINE_CODE, **dict(zip(names, row, strict=True))} for row in rows]
    assert passed_roads(pa.Table.from_pylist(roads))["edge_id"].to_pylist() == ["down", "road", "up"]
    closed = [road | {"is_open": False} for road in roads]
    assert len(passed_roads(pa.Table.from_pylist(closed))) == 5


def test_a_headings_air_does_not_disturb_its_junction(make: Make):
    """50 m³/s pass the mouth of a heading whose road carries 8 back."""
    roads = [
        edge("down", "s0", "n0", area_id="S"), edge("a", "n0", "n1"), edge("b", "n1", "n2"), edge("h", "face", "n1"),
        edge("up", "n2", "s1", area_id="S"),
    ]  # fmt: skip
    points = [wind(road["edge_id"]) for road in roads]
    values = {"V-down": 5.0, "V-a": 5.0, "V-b": 5.0, "V-h": 0.8, "V-up": 5.0}
    rows = run(make, v07, points, values, edges=roads, areas=[area("F1"), area("S", "shaft")])
    assert {(row["entity"], row["value"]) for row in rows} == {
        ("n0", 0.0), ("n1", 0.0), ("n2", 0.0), (MINE_CODE, 0.0),
    }  # fmt: skip


def test_free_flows_lose_no_air():
    """A square with two open ends: whatever the flow, each junction's sum is 0."""
    start, end = np.array([0, 1, 1, 2, 3, 4]), np.array([1, 2, 3, 4, 4, 5])
    basis = free_flows(start, end)
    assert basis.shape == (6, 2)
    for node in (1, 2, 3, 4):
        assert basis[end == node].sum(axis=0) - basis[start == node].sum(axis=0) == pytest.approx([0, 0], abs=1e-12)


def test_a_reading_that_nothing_checks_cannot_be_suspected():
    basis = free_flows(np.array([0, 1, 1]), np.array([1, 2, 3]))
    balanced, residual = standard_residuals(basis, np.array([50.0, 30.0, np.nan]))
    assert np.isnan(residual).all()
    assert balanced == pytest.approx([50.0, 30.0, 20.0])


@pytest.mark.parametrize("index", [v04, v05, v06, v07])
def test_a_mine_whose_site_file_says_nothing_is_not_judged(make: Make, index):
    assert collect(index(make(points=[], readings=[], areas=[area("F1")]))) == []
