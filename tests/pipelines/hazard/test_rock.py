"""Cuttings and stress (R-06), roof separation (R-08) and the composite rockburst index (R-09), by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ground_and_water import record, site, value
from literal_mine import Row, answers, collect, make_history, of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.rock import composite_index, cuttings_class, r06, r08, r09
from minefusion.schemas.site import CuttingsNorm, RockFactor, SiteLevel


def rows_of(light: LightEngine, index: Any, **parts: Any) -> list[Row]:
    return collect(index(make_history(light, **parts)))


@pytest.mark.parametrize(
    ("depth_m", "name"),
    [(4.4, "shallow"), (4.5, "middle"), (9.0, "middle"), (9.1, "deep"), (0.0, "shallow")],
)
def test_depths_are_counted_in_mining_heights(depth_m: float, name: str):
    """Of 3 m: 1.5 heights are 4.5 m, 3 are 9 m."""
    assert answers(x=cuttings_class(of(depth_m), of(3.0)))["x"] == f"cuttings_{name}"


@pytest.mark.parametrize(
    ("scope", "amount", "level"),
    [
        ("cuttings_shallow", 1.49, 0), ("cuttings_shallow", 1.5, 4), ("cuttings_middle", 1.99, 0),
        ("cuttings_middle", 2.0, 4), ("cuttings_deep", 3.99, 0), ("cuttings_deep", 4.0, 4),
        ("stress_rate", 0.99, 0), ("stress_rate", 1.0, 2), ("stress_rate", 2.0, 3), ("cuttings_deep", None, None),
    ],
)  # fmt: skip
def test_levels_of_cuttings_and_stress(scope: str, amount: float | None, level: int | None):
    assert answers(x=listed_level(of(amount), "R-06", scope))["x"] == level


NORM = site(cuttings_norms=(CuttingsNorm("F1", 2.0, 3.0),))


def test_the_worst_metre_of_each_depth_is_judged_by_its_own_limit(light: LightEngine):
    """3.2 kg/m at 10 m is 1.6 times normal and harmless there; 3.0 at 3 m is 1.5 times and red."""
    deep = record("drill_cuttings", "cuttings_mass", -2, 3.2, "C1", depth_m=10.0)
    shallow = record("drill_cuttings", "cuttings_mass", -2, 3.0, "C2", depth_m=3.0)
    (row,) = rows_of(light, r06, feeds={"records": [deep]}, site=NORM)
    assert (row["value"], row["level"]) == (1.6, 0)
    (row,) = rows_of(light, r06, feeds={"records": [deep, shallow]}, site=NORM)
    assert (row["value"], row["level"], row["limit_confidence"]) == (1.6, 4, "inferred")
    assert json.loads(row["inputs"]) == {"metres_measured": 2, "shallow": 1.5, "middle": None, "deep": 1.6}


def test_a_hole_without_a_depth_counts_as_shallow(light: LightEngine):
    hole = record("drill_cuttings", "cuttings_mass", -2, 3.0, "C1")
    assert rows_of(light, r06, feeds={"records": [hole]}, site=NORM)[0]["level"] == 4


def test_holes_of_yesterday_and_areas_without_a_norm(light: LightEngine):
    old = record("drill_cuttings", "cuttings_mass", -24, 3.0, "C1", depth_m=3.0)
    assert rows_of(light, r06, feeds={"records": [old]}, site=NORM)[0]["null_reason"] == "NO_DRILL_CUTTINGS"
    new = record("drill_cuttings", "cuttings_mass", -2, 3.0, "C1", depth_m=3.0)
    assert rows_of(light, r06, feeds={"records": [new]})[0]["null_reason"] == "NO_CUTTINGS_NORM"


def test_stress_by_its_rise_and_by_the_sites_own_values(light: LightEngine):
    """0.05 MPa an hour is 1.2 MPa a day; the mine's own red of 12 MPa counts besides."""
    rising = [value("Z1", "borehole_stress", hour, 12 + 0.05 * hour) for hour in range(-24, 1)]
    (row,) = rows_of(light, r06, feeds={"pressure": rising})
    assert (row["value"], row["unit"], row["level"]) == (12.0, "MPa", 2)
    assert json.loads(row["inputs"])["rate_mpa_d"] == 1.2
    own = site(levels=(SiteLevel("R-06", "site rules", "stress", yellow=10.0, red=12.0),))
    (row,) = rows_of(light, r06, feeds={"pressure": rising}, site=own)
    assert (row["level"], row["limit_source"], row["limit_confidence"]) == (4, "site rules", "mine")


def test_a_few_hours_have_no_rise(light: LightEngine):
    few = [value("Z1", "rock_stress", hour, 12.0) for hour in range(-8, 1)]
    (row,) = rows_of(light, r06, feeds={"pressure": few})
    assert (row["value"], row["level"], row["null_reason"]) == (12.0, None, "TOO_FEW_SAMPLES")


@pytest.mark.parametrize("index", [r06, r08, r09])
def test_a_mine_without_the_input_is_not_judged(light: LightEngine, index: Any):
    assert rows_of(light, index) == []


# ── R-08 ──


@pytest.mark.parametrize(("rate", "level"), [(4.9, 0), (5.0, 2), (9.9, 2), (10.0, 3), (-9.0, 0), (None, None)])
def test_levels_of_separation(rate: float | None, level: int | None):
    assert answers(x=listed_level(of(rate), "R-08"))["x"] == level


def test_separation_by_hand(light: LightEngine):
    """0.25 mm an hour is 6 mm a day; one wild reading does not move it; deep and shallow are rows of their own."""
    deep = [
        value("L1", "roof_separation", hour, 30 + 0.25 * hour + (400 if hour == -9 else 0)) for hour in range(-24, 1)
    ]
    shallow = [value("L1", "roof_separation_shallow", hour, 8.0) for hour in range(-24, 1)]
    first, second = rows_of(light, r08, feeds={"pressure": deep + shallow})
    assert (first["entity"], first["level"], first["value"]) == ("L1", 2, pytest.approx(6.0))
    assert (second["entity"], second["level"], second["value"]) == ("L1/shallow", 0, 0.0)


def test_the_sites_cumulative_limit_is_red(light: LightEngine):
    own = site(levels=(SiteLevel("R-08", "design", "cumulative", red=30.0),))
    still = [value("L1", "roadway_convergence", hour, 30.0) for hour in range(-24, 1)]
    (row,) = rows_of(light, r08, feeds={"pressure": still}, site=own)
    assert (row["value"], row["level"], row["limit_confidence"]) == (0.0, 4, "mine")


def test_a_silent_point_is_not_known(light: LightEngine):
    silent = [value("L1", "roof_separation", hour, 30.0) for hour in range(-24, -3)]
    (row,) = rows_of(light, r08, feeds={"pressure": silent})
    assert (row["level"], row["null_reason"]) == (None, "NO_DATA")


# ── R-09 ──


@pytest.mark.parametrize(
    ("index", "level"), [(0.25, 0), (0.26, 1), (0.5, 1), (0.51, 2), (0.75, 2), (0.76, 4), (None, None)]
)
def test_levels_of_the_composite_index(index: float | None, level: int | None):
    assert answers(x=listed_level(of(index), "R-09"))["x"] == level


def test_composite_index_by_hand():
    """Geological (2 + 1)/(3 + 3) = 0.5; mining 3/3 with one factor not scored; three of four scored."""
    scores = [("geological", 2.0, 3.0), ("geological", 1.0, 3.0), ("mining", 3.0, 3.0), ("mining", None, 3.0)]
    assert composite_index(scores) == (0.5, 1.0, 0.75)
    assert composite_index([("mining", None, 3.0)]) == (None, None, 0.0)


def test_the_larger_group_counts(light: LightEngine):
    factors = (
        RockFactor("F1", "geological", "埋深", 1.0),
        RockFactor("F1", "mining", "煤柱", 2.0),
        RockFactor("F1", "mining", "采高", None),
    )
    (row,) = rows_of(light, r09, site=site(rock_factors=factors))
    assert (row["value"], row["level"]) == (pytest.approx(2 / 3, abs=1e-6), 2)
    assert row["sentence_en"] == "Area F1: composite index 0.67 (67 % of the factors scored); yellow (advisory limit)."


def test_a_site_may_take_medium_as_orange(light: LightEngine):
    own = SiteLevel("R-09", "mine policy", blue=0.25, orange=0.5, red=0.75)
    factors = (RockFactor("F1", "mining", "煤柱", 2.0),)
    (row,) = rows_of(light, r09, site=site(rock_factors=factors, levels=(own,)))
    assert (row["level"], row["limit_confidence"]) == (3, "mine")
