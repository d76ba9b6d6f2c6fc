"""Outburst indices (G-09) and gas set free by a blast (G-10), by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from literal_mine import MINE_CODE, Row, answers, area, at, collect, make_history, of, point

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.outburst import (
    combined_index,
    comprehensive_index,
    g09,
    g10,
    is_threatened,
    set_free,
)
from minefusion.schemas.site import Site, SiteLevel
from minefusion.schemas.site_air import OutburstPlace

# ── formulas ──


def test_catalogue_vectors():
    """S 6.5 L/m and q 5.2: (6.5 − 1.8)(5.2 − 4) = 5.64; H 600, f 0.5, p 1.2: (9 − 3)·0.46 = 2.76."""
    found = answers(r=combined_index(of(6.5), of(5.2)), d=comprehensive_index(of(600.0), of(0.5), of(1.2)))
    assert found == {"r": pytest.approx(5.64), "d": pytest.approx(2.76)}


def test_two_negative_brackets_mean_nothing():
    """S 1.0 and q 2: (−0.8)(−2) = 1.6 counts as −1.6; H 100, f 1, p 0.5: threatened and no D."""
    found = answers(
        r=combined_index(of(1.0), of(2.0)), one=combined_index(of(1.0), of(6.0)),
        d=comprehensive_index(of(100.0), of(1.0), of(0.5)), threatened=is_threatened(of(100.0), of(1.0), of(0.5)),
        not_threatened=is_threatened(of(600.0), of(0.5), of(0.5)), unknown=is_threatened(of(None), of(0.5), of(0.5)),
    )  # fmt: skip
    assert found == {
        "r": pytest.approx(-1.6), "one": pytest.approx(-1.6), "d": None, "threatened": True, "not_threatened": False,
        "unknown": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [
        ("G-09", "", [(0.59, 0), (0.6, 2), (0.79, 2), (0.8, 3), (0.99, 3), (1.0, 4), (2.0, 4)]),
        ("G-09", "k1_dry", [(0.49, 0), (0.5, 4)]),
        ("G-09", "k1_wet", [(0.39, 0), (0.4, 4)]),
        ("G-09", "dh2_dry", [(199.0, 0), (200.0, 4)]),
        ("G-09", "k_anthracite", [(19.9, 0), (20.0, 4)]),
        ("G-10", "baseline", [(3.0, 0), (3.1, 2)]),
        ("G-10", "content", [(0.39, 0), (0.4, 3), (0.59, 3), (0.6, 4)]),
    ],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for value, level in values:
        assert answers(x=listed_level(of(value), index_id, scope))["x"] == level, value


# ── G-09 ──


def site(*places: OutburstPlace, **sections: Any) -> Site:
    return Site(
        mine_code=MINE_CODE, name_zh="试验矿", name_en="Test", severe_hazard=True, areas=(), nodes=(), edges=(),
        outburst_places=places, **sections,
    )  # fmt: skip


def hole(hour: float, **values: float) -> list[Row]:
    return [
        {"record_id": f"h{hour}", "kind": "drill_cuttings", "quantity": name, "measured_at": at(60 * hour),
         "value": value, "area_id": "F1"}
        for name, value in values.items()
    ]  # fmt: skip


Run = Callable[..., list[Row]]


@pytest.fixture
def predicted(light: LightEngine) -> Run:
    def rows(records: Sequence[Row] = (), of_site: Site | None = None, **parts: Any) -> list[Row]:
        return collect(g09(make_history(light, feeds={"records": records}, site=of_site, **parts)))

    return rows


@pytest.mark.parametrize(
    ("values", "is_wet", "value", "level", "worst"),
    [
        ({"desorption_k1": 0.29}, False, 0.58, 0, "k1"),
        ({"desorption_k1": 0.30}, False, 0.6, 2, "k1"),
        ({"desorption_k1": 0.40}, False, 0.8, 3, "k1"),
        ({"desorption_k1": 0.40}, True, 1.0, 4, "k1"),
        ({"desorption_k1": 0.30, "desorption_dh2": 190.0}, False, 0.95, 3, "dh2"),
        ({"cuttings_mass": 6.0}, False, 1.0, 4, "s_mass"),
        ({"cuttings_volume": 4.0, "hole_gas_flow": 4.2}, False, 0.84, 3, "q"),  # S 0.74, R 0.44/6
        ({"cuttings_volume": 6.5, "hole_gas_flow": 5.2}, False, 1.203704, 4, "s_volume"),
    ],
)
def test_the_worst_index_of_a_hole(
    predicted: Run, values: dict[str, float], is_wet: bool, value: float, level: int, worst: str
):
    (row,) = predicted(hole(0.5, **values), site(OutburstPlace("F1", is_wet=is_wet)))
    assert (row["entity"], row["value"], row["level"]) == ("F1", pytest.approx(value, abs=1e-6), level)
    assert json.loads(row["inputs"])["worst"] == worst


def test_a_seam_by_its_facts(predicted: Run):
    """D 2.76 is eleven times 0.25; a threatened seam is marked and its D left out; K 8/0.5 = 16 of anthracite's 20."""
    (row,) = predicted(of_site=site(OutburstPlace("F1", depth_m=600.0, firmness=0.5, seam_pressure_mpa=1.2)))
    assert (row["value"], row["level"], json.loads(row["inputs"])["worst"]) == (pytest.approx(11.04), 4, "d")
    safe = OutburstPlace("F1", depth_m=100.0, firmness=1.0, seam_pressure_mpa=0.37)
    (row,) = predicted(of_site=site(safe))
    assert (row["value"], row["level"]) == (0.5, 0)  # 0.37 of 0.74 MPa
    assert json.loads(row["inputs"])["marks"] == "THREATENED"
    (row,) = predicted(of_site=site(OutburstPlace("F1", is_anthracite=True, firmness=0.5, diffusion_mmhg=8.0)))
    assert (row["value"], row["level"]) == (0.8, 3)


def test_a_hole_holds_for_a_day(predicted: Run):
    rows = predicted(hole(0.5, desorption_k1=0.5), hours=(0, 26))
    assert [row["level"] for row in rows] == [4] * 24 + [None] * 2
    assert rows[-1]["null_reason"] == "NO_DRILL_CUTTINGS"


def test_critical_values_of_the_mine_go_first(predicted: Run):
    own = SiteLevel("G-09", "measured 2026", "k1_dry", red=0.8)
    (row,) = predicted(hole(0.5, desorption_k1=0.5), site(levels=(own,)))
    assert (row["value"], row["level"]) == (0.625, 2)
    assert row["sentence_zh"] == "F1区：突出指标达到临界值的 k1 63 %；黄色（参考限值）。"


def test_a_mine_without_records_or_facts(predicted: Run):
    assert predicted() == []


# ── G-10 ──

PATHS = [{"area_id": "F1", "intake_edge": "in", "return_edge": "out", "air_factor": 1.4}]
EDGES = [{"edge_id": "out", "area_id": "OUT", "length_m": 600.0, "section_m2": 10.0}]
POINTS = [
    point("G", "ch4", "OUT", gas_class="HD_FACE_T1", edge_id="out"),
    point("V", "air_velocity", "OUT", edge_id="out"),
]
PULSE = [0.2, 0.5, 0.8, 0.6, 0.45, 0.3]


def shot(record: str, minute: float, coal: float | None = 60.0) -> list[Row]:
    return [
        {"record_id": record, "kind": "blast", "quantity": "broken_coal", "measured_at": at(minute), "value": coal,
         "area_id": "F1"}
    ]  # fmt: skip


def gas(first_min: int, values: Sequence[float]) -> list[Row]:
    rows = []
    for n, value in enumerate(values):
        when = {"window_start": at(first_min + 5 * n), "area_id": "OUT"}
        rows.append({"point_id": "G", "quantity": "ch4", "value_mean": value, "value_max": value, **when})
        rows.append({"point_id": "V", "quantity": "air_velocity", "value_mean": 2.0, "value_max": 2.0, **when})
    return rows


@pytest.fixture
def blasted(light: LightEngine) -> Run:
    def rows(records: Sequence[Row], five: Sequence[Row], of_site: Site | None = None, **parts: Any) -> list[Row]:
        mine = {"points": POINTS, "edges": EDGES, "air_paths": PATHS, "areas": [area("F1", "heading")]} | parts
        return collect(g10(make_history(light, five=five, feeds={"records": records}, site=of_site, **mine)))

    return rows


def test_the_gas_of_one_shot(blasted: Run):
    """20 m³/s with 0, 0.3, 0.6, 0.4, 0.25 and 0.1 % above 0.2: 1.65 %·5 min · 20 · 0.6 = 99 m³ from 60 t: 1.65 m³/t."""
    (row,) = blasted(shot("b1", 15), gas(-15, [0.2] * 6 + PULSE + [0.2] * 6))
    assert (row["entity"], row["value"], row["level"]) == ("b1", pytest.approx(1.65), 0)
    inputs = json.loads(row["inputs"])
    assert (inputs["before_pct"], inputs["peak_pct"], inputs["peak_ratio"]) == (0.2, 0.8, 4.0)
    assert (inputs["minutes_to_peak"], inputs["minutes_to_half"]) == (10, 10)
    assert row["sentence_zh"].endswith("爆破后 30 min 吨煤涌出瓦斯 1.65 m³/t；正常。")


def test_a_shot_inside_five_minutes_counts_its_share():
    """Shot at minute 3 of a steady 0.1 % above: 30 minutes at 20 m³/s are 36 m³ whatever the cut."""
    series = {
        "ch4": dict.fromkeys(range(-30, 0, 5), 0.2) | dict.fromkeys(range(0, 60, 5), 0.3),
        "air": dict.fromkeys(range(-30, 60, 5), 20.0), "peak": {},
    }  # fmt: skip
    assert set_free(series, 3.0, 33.0, 10.0)["v30"] == pytest.approx(3.6)


@pytest.mark.parametrize(("desorbable", "level"), [(4.2, 0), (4.0, 3), (2.8, 3), (2.7, 4)])
def test_the_share_of_what_the_coal_can_give_off(blasted: Run, desorbable: float, level: int):
    """1.65 of 4.2 m³/t are 0.39, of 4.0 0.41, of 2.8 0.59, of 2.7 0.61."""
    place = site(OutburstPlace("F1", desorbable_m3_t=desorbable))
    (row,) = blasted(shot("b1", 15), gas(-15, [0.2] * 6 + PULSE + [0.2] * 6), place)
    assert row["level"] == level


def test_shots_close_together_are_one_and_what_is_usual_is_known_after_five(blasted: Run):
    """Five shots of 0.9 … 1.1 times the pulse, then one of three times it: over the usual by more than three."""
    records, five = [], []
    for n, times in enumerate((0.9, 1.0, 1.1, 1.0, 0.95, 3.0)):
        minute = 15 - 24 * 60 * (5 - n)
        records += shot(f"b{n}", minute)
        pulse = [0.2 + times * (value - 0.2) for value in PULSE]
        five += gas(minute - 30, [0.2] * 6 + pulse + [0.2] * 6)
    (row,) = blasted(records, five)
    inputs = json.loads(row["inputs"])
    assert (row["value"], row["level"], inputs["usual_m3_t"]) == (pytest.approx(4.95), 2, 1.65)
    twice = [*shot("b1", 15), *shot("b2", 25, 40.0)]
    (row,) = blasted(twice, gas(-15, [0.2] * 6 + PULSE + [0.2] * 6))
    assert (row["entity"], row["value"]) == ("b1", pytest.approx(0.99))  # 99 m³ from 100 t
    assert json.loads(row["inputs"])["shots"] == 2


def test_what_a_shot_lacks_is_named(blasted: Run):
    pulse = gas(-15, [0.2] * 6 + PULSE + [0.2] * 6)
    (row,) = blasted(shot("b1", 15, None), pulse)
    assert (row["value"], row["null_reason"]) == (None, "NO_BROKEN_COAL")
    (row,) = blasted(shot("b1", 15), [])
    assert (row["value"], row["null_reason"]) == (None, "NO_RETURN_GAS")
    assert blasted([], pulse) == []
