"""Inrush (W-01), safe head (W-02), inflow (W-03), wells (W-04) and rain (W-05), by hand and on literal rows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from ground_and_water import site, value
from hypothesis import given
from hypothesis import strategies as st
from literal_mine import MINE_CODE, Row, answers, area, at, collect, make_history, of, point

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.hours import HISTORY_H, Span
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.rainfall import antecedent_index
from minefusion.pipelines.hazard.water import (
    corrected_level_m,
    cusum,
    drainage_margin,
    head_pressure_mpa,
    inflow_change,
    inrush_coefficient,
    rain_response,
    safe_head_mpa,
    sump_inflow_m3_h,
    w01,
    w02,
    w03,
    w04,
    w05,
)
from minefusion.schemas.site import AquiferCell, Pump, Site, Sump, WaterWell


def rows_of(light: LightEngine, index: Any, **parts: Any) -> list[Row]:
    return collect(index(make_history(light, **parts)))


def row_of(light: LightEngine, index: Any, entity: str, **parts: Any) -> Row:
    return next(row for row in rows_of(light, index, **parts) if row["entity"] == entity)


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [
        ("W-01", "disturbed", [(0.0359, 0), (0.036, 2), (0.0479, 2), (0.048, 3), (0.0599, 3), (0.06, 4), (9.0, 4)]),
        ("W-01", "sound", [(0.0, 0), (0.0599, 0), (0.06, 2), (0.0799, 2), (0.08, 3), (0.0999, 3), (0.1, 4)]),
        ("W-02", "", [(0.99, 0), (1.0, 4), (1.01, 4)]),
        ("W-03", "lasting", [(0.3, 0), (0.31, 2), (5.0, 2)]),
        ("W-03", "", [(0.6, 0), (0.61, 3), (-1.0, 0)]),
        ("W-03", "doubling", [(1.99, 0), (2.0, 3)]),
        ("W-03", "margin", [(1.21, 0), (1.2, 0), (1.19, 3), (1.0, 3), (0.99, 4)]),
        ("W-04", "", [(0.49, 0), (0.5, 1), (0.99, 1), (1.0, 2), (-3.0, 0)]),
        ("W-04", "together", [(0.29, 0), (0.3, 3)]),
        ("W-05", "", [(49.9, 0), (50.0, 2), (300.0, 2)]),
        ("W-05", "residual", [(2.9, 0), (3.0, 1), (4.9, 1), (5.0, 2), (-9.0, 0)]),
    ],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for amount, level in values:
        assert answers(x=listed_level(of(amount), index_id, scope))["x"] == level, amount
    assert answers(x=listed_level(of(None), index_id, scope))["x"] is None


# ── W-01, W-02 ──


def test_catalogue_vector_of_the_inrush_coefficient():
    """3.2 MPa on 45 m: 0.0711 MPa/m, over what a disturbed floor bears and under what a sound one does."""
    found = answers(x=inrush_coefficient(of(3.2), of(45.0), of(None)))["x"]
    assert found == pytest.approx(0.0711, abs=5e-5)
    levels = answers(**{name: listed_level(of(found), "W-01", name) for name in ("disturbed", "sound")})
    assert levels == {"disturbed": 4, "sound": 2}


def test_pressure_acts_on_the_top_of_the_aquifer():
    """Head 860, floor 700, 25 m under it: 0.0098·185 = 1.813 MPa; a head under the aquifer's top presses on nothing."""
    assert answers(x=head_pressure_mpa(of(860.0), of(700.0), of(25.0)))["x"] == pytest.approx(1.813)
    assert answers(x=head_pressure_mpa(of(600.0), of(700.0), of(25.0)))["x"] == 0.0


def test_what_mining_breaks_is_taken_off_only_where_it_is_stated():
    """3.2/(45 - 13) = 0.1; nothing left has no coefficient, and no infinity."""
    assert answers(x=inrush_coefficient(of(3.2), of(45.0), of(13.0)))["x"] == pytest.approx(0.1)
    assert answers(x=inrush_coefficient(of(3.2), of(13.0), of(13.0)))["x"] is None
    assert answers(x=inrush_coefficient(of(3.2), of(0.0), of(None)))["x"] is None


def test_safe_head_by_hand():
    """2·0.2·5²/4² = 0.625 and 0.0098·2.5·5 = 0.1225: 0.7475 MPa."""
    assert answers(x=safe_head_mpa(of(0.2), of(5.0), of(4.0), of(2.5)))["x"] == pytest.approx(0.7475)
    assert answers(x=safe_head_mpa(of(0.2), of(0.0), of(4.0), of(2.5)))["x"] is None


@given(st.floats(0.1, 10), st.floats(1, 100), st.floats(0, 0.9))
def test_a_broken_floor_is_never_safer(pressure: float, thickness: float, share: float):
    whole, broken = answers(
        whole=inrush_coefficient(of(pressure), of(thickness), of(None)),
        broken=inrush_coefficient(of(pressure), of(thickness), of(share * thickness)),
    ).values()
    assert broken >= whole


CELL = AquiferCell("c1", "F1", 860.0, 700.0, 25.0, well="W1", tensile_mpa=0.2, road_width_m=4.0)
THICK = AquiferCell("c2", "F1", 860.0, 700.0, 60.0, is_disturbed=True)


def test_the_worst_cell_speaks_for_its_area(light: LightEngine):
    """c1: 1.813/25 = 0.0725, yellow of a sound floor; c2: 2.156/60 = 0.0359, normal of a disturbed one."""
    (row,) = rows_of(light, w01, site=site(aquifer_cells=(THICK, CELL)))
    told = json.loads(row["inputs"])
    assert (row["value"], row["level"], row["area_id"]) == (pytest.approx(0.07252), 2, "F1")
    assert (told["cell"], told["cells"], told["pressure_mpa"]) == ("c1", 2, 1.813)
    assert row["limit_confidence"] == "inferred"
    assert row["sentence_en"] == "Area F1: inrush coefficient 0.073 MPa/m (cell c1); yellow (advisory limit)."


@pytest.mark.parametrize(
    ("cell", "level"),
    [
        (AquiferCell("c3", "F1", 860.0, 700.0, 0.0), 4),
        (AquiferCell("c3", "F1", 860.0, 700.0, -2.0), 4),
        (AquiferCell("c3", "F1", 860.0, 700.0, 12.0, failure_depth_m=12.0), 4),
        (AquiferCell("c3", "F1", 600.0, 700.0, 30.0), 2),
    ],
)
def test_a_cell_without_aquiclude_is_red_without_a_number(light: LightEngine, cell: AquiferCell, level: int):
    (row,) = rows_of(light, w01, site=site(aquifer_cells=(CELL, cell)))
    assert row["level"] == level
    if level == 4:
        assert (row["value"], row["null_reason"]) == (None, "NO_AQUICLUDE")
        assert row["sentence_en"].startswith("Area F1: no aquiclude left in cell c3; red")


@pytest.mark.parametrize(
    ("hour", "metres", "quality", "head"),
    [
        (0, 900.0, "GOOD", 900.0),  # 0.0882: the well reads higher than what is declared
        (-20, 900.0, "GOOD", 900.0),
        (-30, 900.0, "GOOD", 860.0),  # a day old
        (0, 900.0, "BAD", 860.0),
        (0, 800.0, "GOOD", 860.0),  # a falling well does not make the declared head less
    ],
)
def test_a_well_counts_where_it_reads_higher(light: LightEngine, hour: float, metres: float, quality: str, head: float):
    level = value("W1", "water_level", hour, metres, quality=quality)
    (row,) = rows_of(light, w01, feeds={"water": [level]}, site=site(aquifer_cells=(CELL,)))
    assert json.loads(row["inputs"])["head_m"] == head
    assert row["level"] == (3 if head == 900 else 2)


def test_the_share_of_the_safe_head(light: LightEngine):
    """0.0098·(708 - 700 + 5) = 0.1274 of 0.7475; at 771.3 m the head is the safe one."""
    for head, level in ((708.0, 0), (771.0, 0), (771.5, 4)):
        cell = AquiferCell("c1", "F1", head, 700.0, 5.0, tensile_mpa=0.2, road_width_m=4.0)
        (row,) = rows_of(light, w02, site=site(aquifer_cells=(cell,)))
        assert row["value"] == pytest.approx(0.0098 * (head - 695) / 0.7475, abs=1e-6)
        assert row["level"] == level


def test_a_cell_without_strength_is_not_judged_by_safe_head(light: LightEngine):
    (row,) = rows_of(light, w02, site=site(aquifer_cells=(THICK,)))
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_ROAD_STRENGTH")
    open_cell = AquiferCell("c1", "F1", 860.0, 700.0, 0.0, tensile_mpa=0.2, road_width_m=4.0)
    assert rows_of(light, w02, site=site(aquifer_cells=(open_cell, THICK)))[0]["level"] == 4


# ── W-03 ──

ONE = Span(0, HISTORY_H, HISTORY_H + 1)


def hourly(*newest: float, usual: float = 100.0) -> np.ndarray:
    """A month of the usual inflow, and the last hours."""
    hours = np.full(ONE.hours, usual)
    hours[len(hours) - len(newest) :] = newest
    return hours


def test_change_by_hand():
    found = inflow_change(hourly(140.0, 150.0, 135.0), ONE)
    assert (found["change"][0], found["lasting"][0]) == (pytest.approx(0.35), pytest.approx(0.35))
    assert (found["step"][0], found["rate"][0]) == (pytest.approx(0.9), pytest.approx(-15.0))
    assert (found["median"][0], found["inflow_peak"][0]) == (100.0, 150.0)
    assert found["inflow_day"][0] == pytest.approx((21 * 100 + 425) / 24)


def test_the_cumulative_sum_by_hand():
    """0 + 1 - 0.5 = 0.5; 1.0; 0 after -3; 1.5."""
    assert [cusum(np.array([1.0, 1.0, -3.0, 2.0][:n])) for n in (1, 2, 3, 4)] == [0.5, 1.0, 0.0, 1.5]


def test_a_silent_hour_breaks_what_lasts_and_what_doubles():
    found = inflow_change(hourly(140.0, math.nan, 250.0), ONE)
    assert found["change"][0] == pytest.approx(1.5)
    assert np.isnan([found["lasting"][0], found["step"][0], found["rate"][0]]).all()
    assert np.isnan(inflow_change(np.full(ONE.hours, math.nan), ONE)["inflow_peak"]).all()


def test_water_in_a_dry_place_is_seen():
    """Nothing for a month, then 1.7 m³/h: against 1 m³/h, not against nothing."""
    assert inflow_change(hourly(1.7, usual=0.0), ONE)["change"][0] == pytest.approx(1.7)
    assert inflow_change(hourly(0.2, usual=0.0), ONE)["change"][0] == pytest.approx(0.2)


@given(st.lists(st.floats(2, 500), min_size=30, max_size=60), st.floats(1, 50))
def test_the_unit_of_the_meter_does_not_matter(inflow: list[float], times: float):
    series = np.full(ONE.hours, math.nan)
    series[-len(inflow) :] = inflow
    one, other = inflow_change(series, ONE), inflow_change(times * series, ONE)
    for name in ("change", "step"):
        assert other[name] == pytest.approx(one[name], nan_ok=True)


def flows(changes: Mapping[int, float | None], *, point_id: str = "Q1", first: int = -48, **more: Any) -> list[Row]:
    """100 m³/h every hour from `first` on, but in the hours given; None is silent."""
    inflow = dict.fromkeys(range(first, 1), 100.0) | dict(changes)
    return [
        value(point_id, "water_inflow", hour, amount, **more) for hour, amount in inflow.items() if amount is not None
    ]


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, 0),
        ({0: 130.0, -1: 130.0, -2: 130.0}, 0),  # at 0.3
        ({0: 131.0, -1: 131.0, -2: 131.0}, 2),
        ({0: 131.0, -1: 131.0}, 0),  # two hours
        ({0: 160.0}, 0),  # at 0.6
        ({0: 161.0}, 3),
        ({0: 120.0, -1: 60.0}, 3),  # doubles
        ({0: 119.0, -1: 60.0}, 0),
        ({0: 20.0}, 0),  # falls
        ({0: 100.0, -1: None, -2: None}, 0),  # the meter starts again after three hours
    ],
)
def test_levels_of_a_meter(light: LightEngine, changes: dict[int, float | None], level: int):
    (row,) = rows_of(light, w03, feeds={"water": flows(changes)})
    assert (row["entity"], row["level"], row["coverage"]) == ("Q1", level, 1.0)
    assert row["value"] == pytest.approx((changes.get(0) or 100.0) / 100 - 1, abs=1e-6)


def test_uneven_samples_count_once_an_hour_and_bad_ones_not_at_all(light: LightEngine):
    """Sixty samples of one hour are one hour; a frozen meter's 900, marked bad, change nothing."""
    many = [value("Q1", "water_inflow", -5 + n / 60, 500.0) for n in range(60)]
    bad = [value("Q1", "water_inflow", 0.2 + n / 10, 900.0, quality="BAD", quality_reasons="STUCK") for n in range(5)]
    (row,) = rows_of(light, w03, feeds={"water": flows({-5: None}) + many + bad})
    assert (row["value"], row["level"], json.loads(row["inputs"])["median_m3_h"]) == (0.0, 0, 100.0)


def test_a_new_or_silent_meter_has_no_value(light: LightEngine):
    (row,) = rows_of(light, w03, feeds={"water": flows({}, first=-20)})
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_HISTORY")
    (row,) = rows_of(light, w03, feeds={"water": flows({0: None})})
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DATA")


def test_pumped_water_comes_in_bursts_and_is_judged_by_the_day(light: LightEngine):
    """600 m³/h for one hour in six is 100; a burst is no doubling."""
    bursts = [value("D1", "water_drained", hour, 600.0 if hour % 6 == 0 else 0.0) for hour in range(-72, 1)]
    (row,) = rows_of(light, w03, feeds={"water": bursts})
    assert (row["value"], row["level"]) == (0.0, 0)
    assert json.loads(row["inputs"])["inflow_m3_h"] == 100.0


SUMP = site(
    sumps=(Sump("SC1", "F1", 400.0, level_point="L1"),),
    pumps=(Pump("P1", "SC1", 190.0), Pump("P2", "SC1", 190.0, is_standby=True)),
)


def sump(levels: Mapping[int, float], running: Mapping[int, float], pump: str = "P1") -> list[Row]:
    return [value("L1", "water_level", hour, metres) for hour, metres in levels.items()] + [
        value(pump, "equipment_on", hour, on) for hour, on in running.items()
    ]


def test_mass_balance_by_hand():
    """400 m² that fall by 0.1 m while 190 m³ are lifted: 150 m³ came in; a silent hour is not known."""
    found = sump_inflow_m3_h(np.array([2.0, 1.9, 1.9, math.nan]), np.array([0.0, 190.0, 0.0, 190.0]), 400.0)
    assert found[1:3].tolist() == pytest.approx([150.0, 0.0])
    assert np.isnan(found[[0, 3]]).all()


def test_a_sump_is_judged_by_what_comes_in_however_its_pump_runs(light: LightEngine):
    """100 m³/h come in; the pump lifts 190 every second hour, so the level swings by 0.25 and 0.225 m."""
    hours = range(-48, 1)
    running = {hour: float(hour % 2 == 0) for hour in hours}
    levels, level = {}, 2.0
    for hour in hours:
        level += (100 - 190 * running[hour]) / 400
        levels[hour] = level
    row = row_of(light, w03, "SC1", feeds={"water": sump(levels, running)}, site=SUMP)
    told = json.loads(row["inputs"])
    assert (row["value"], row["level"]) == (pytest.approx(0.0, abs=1e-9), 0)
    assert (told["inflow_m3_h"], told["working_m3_h"], told["with_standby_m3_h"]) == (100.0, 190, 380)
    assert told["capacity_over_inflow"] == 1.9
    assert row["sentence_zh"].startswith(
        "F1区水仓 SC1：涌水量 100.0 m³/h，较 30 d 中位数变化 0 %，排水能力为涌水量的 1.9"
    )


@pytest.mark.parametrize(("inflow", "level"), [(158.0, 0), (160.0, 3), (189.0, 3), (191.0, 4)])
def test_pumps_that_hardly_clear_the_inflow(light: LightEngine, inflow: float, level: int):
    """190 over the inflow: 1.2 at 158.3 m³/h, 1 at 190. It stands so always, so nothing else changes."""
    hours = range(-48, 1)
    levels = {hour: 2.0 + (inflow - 190) / 400 * (hour + 48) for hour in hours}
    rows = sump(levels, dict.fromkeys(hours, 1.0))
    assert row_of(light, w03, "SC1", feeds={"water": rows}, site=SUMP)["level"] == level


def test_a_meter_tells_of_more_than_the_pumps_can_lift(light: LightEngine):
    """The pump runs without a pause and tells 190; the mine's meter tells 200."""
    pumping = [value("P1", "equipment_on", hour, 1.0) for hour in range(-72, 1)]
    metered = flows(dict.fromkeys(range(-48, 1), 200.0))
    alone = row_of(light, w03, "SC1", feeds={"water": pumping}, site=SUMP)
    assert (alone["level"], json.loads(alone["inputs"])["capacity_over_inflow"]) == (3, 1.0)
    both = row_of(light, w03, "SC1", feeds={"water": pumping + metered}, site=SUMP)
    assert (both["level"], json.loads(both["inputs"])["capacity_over_inflow"]) == (4, 0.95)


def test_a_sump_with_a_silent_pump_is_not_known(light: LightEngine):
    """Two pumps lift together; one stops to tell. Its share is not taken for nothing."""
    hours = range(-48, 1)
    both = dict.fromkeys(hours, 1.0)
    level = dict.fromkeys(hours, 2.0)
    whole = sump(level, both) + sump({}, both, "P2")
    assert json.loads(row_of(light, w03, "SC1", feeds={"water": whole}, site=SUMP)["inputs"])["inflow_m3_h"] == 380.0
    lost = sump(level, both) + sump({}, {hour: 1.0 for hour in hours if hour < -4}, "P2")
    row = row_of(light, w03, "SC1", feeds={"water": lost}, site=SUMP)
    assert (row["value"], row["null_reason"]) == (None, "NO_DATA")
    short = sump(level, both) + sump({}, {hour: 1.0 for hour in hours if hour < -1}, "P2")
    assert row_of(light, w03, "SC1", feeds={"water": short}, site=SUMP)["value"] == 0.0


def test_margin_by_hand():
    """Working 190 over normal 100 is 1.9, all 380 over the highest 300 is 1.27; no inflow needs no pump."""
    assert drainage_margin(np.array([100.0]), np.array([300.0]), 190.0, 380.0).tolist() == [pytest.approx(380 / 300)]
    assert np.isnan(drainage_margin(np.array([0.0]), np.array([0.0]), 190.0, 380.0)).all()


# ── W-04 ──


def test_air_pressure_is_taken_off_by_hand():
    """Efficiency 0.5: a kilopascal over the mean had pressed the level down by 0.5/9.80665 m."""
    found = corrected_level_m(np.array([10.0, 10.0, 10.0]), np.array([99.0, 101.0, math.nan]), 0.5)
    assert found == pytest.approx([10 - 0.5 / 9.80665, 10 + 0.5 / 9.80665, 10.0])


def well(name: str, falls: Mapping[int, float], usual: float = 868.0, first: int = -30) -> list[Row]:
    """A level that stands, but in the hours given."""
    return [value(name, "water_level", hour, usual - falls.get(hour, 0.0)) for hour in range(first, 1)]


def sinks(by: float, over: int = 6) -> dict[int, float]:
    return {hour: by * (hour + over) / over for hour in range(-over, 1)}


TWO = site(water_wells=(WaterWell("W1", "O2"), WaterWell("W2", "O2"), WaterWell("W3", "sand")))


@pytest.mark.parametrize(
    ("falls", "levels"),
    [
        ({"W1": sinks(0.4)}, {"W1": 0, "W2": 0}),
        ({"W1": sinks(0.5)}, {"W1": 1, "W2": 0}),
        ({"W1": sinks(1.0)}, {"W1": 2, "W2": 0}),
        ({"W1": sinks(-2.0)}, {"W1": 0, "W2": 0}),
        ({"W1": sinks(0.3), "W2": sinks(0.4)}, {"W1": 3, "W2": 3}),
        ({"W1": sinks(0.29), "W2": sinks(0.4)}, {"W1": 0, "W2": 0}),
        ({"W1": sinks(0.4), "W3": sinks(0.4)}, {"W1": 0, "W3": 0}),  # not of one aquifer
        ({"W1": sinks(0.6), "W2": sinks(0.6, over=20)}, {"W1": 1, "W2": 1}),  # the second by 0.18 m in six hours
    ],
)
def test_levels_of_wells(light: LightEngine, falls: dict[str, dict[int, float]], levels: dict[str, int]):
    rows = [row for name in ("W1", "W2", "W3") for row in well(name, falls.get(name, {}))]
    found = {row["entity"]: row["level"] for row in rows_of(light, w04, feeds={"water": rows}, site=TWO)}
    assert {name: found[name] for name in levels} == levels


def test_without_a_site_file_each_well_stands_alone(light: LightEngine):
    rows = well("W1", sinks(0.4)) + well("W2", sinks(0.4))
    assert [row["level"] for row in rows_of(light, w04, feeds={"water": rows})] == [0, 0]


def test_a_well_that_the_site_file_does_not_name_is_no_observation_well(light: LightEngine):
    rows = well("W1", {}) + well("SUMP", sinks(0.6))
    assert [row["entity"] for row in rows_of(light, w04, feeds={"water": rows}, site=TWO)] == ["W1"]


def test_a_well_that_answers_the_air_is_freed_of_it(light: LightEngine):
    """The air presses 2 kPa more for the last day, and the level falls by 0.6·2/9.80665 = 0.12 m: nothing was lost."""
    sunk = 0.6 * 2 / 9.80665
    rows = well("W1", dict.fromkeys(range(-20, 1), sunk))
    air = [
        {"point_id": "B", "quantity": "pressure", "area_id": "TOP", "value_mean": 102.0 if hour >= -20 else 100.0,
         "readings": 10, "window_start": at(60 * hour + minute)}
        for hour in range(-30, 1) for minute in range(0, 60, 5)
    ]  # fmt: skip
    own = site(water_wells=(WaterWell("W1", "O2", 0.6),))
    more = {"five": air, "points": [point("B", "pressure", "TOP")], "areas": [area("F1"), area("TOP", "surface")]}
    (bare,) = rows_of(light, w04, feeds={"water": rows}, site=own)
    (freed,) = rows_of(light, w04, feeds={"water": rows}, site=own, **more)
    assert (bare["value"], freed["value"]) == (pytest.approx(sunk, abs=1e-6), pytest.approx(0.0, abs=1e-6))
    assert json.loads(freed["inputs"])["level_m"] == pytest.approx(868 - sunk, abs=1e-3)


def test_a_young_and_a_silent_well(light: LightEngine):
    (row,) = rows_of(light, w04, feeds={"water": well("W1", {}, first=-10)})
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_HISTORY")
    silent = [row for row in well("W1", {}) if row["observed_at"] < at(-60 * 3)]
    (row,) = rows_of(light, w04, feeds={"water": silent})
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DATA")


# ── W-05 ──


def test_antecedent_index_by_hand():
    """10; 0.85·10 = 8.5; 0.85·8.5 + 5 = 12.225; an unknown day counts as dry."""
    assert antecedent_index(np.array([10.0, 0.0, 5.0, math.nan])) == pytest.approx([10.0, 8.5, 12.225, 10.39125])


def test_inflow_two_days_behind_the_rain():
    """Inflow 50 + 2·API of two days before: lag 2, correlation 1. Ten deviations more on the last day is off it."""
    rain = np.array([0, 30, 0, 0, 12, 0, 0, 0, 45, 0, 0, 5, 0, 0, 0, 20, 0, 0, 0, 0, 8, 0, 0, 0, 0], dtype=float)
    api = antecedent_index(rain)
    inflow = 50 + 2 * np.concatenate([[0.0, 0.0], api[:-2]]) + np.where(np.arange(25) % 2 == 0, 1.0, -1.0)
    inflow[-1] = 50 + 2 * api[-3]
    lag, correlation, z = rain_response(rain, inflow)
    assert (lag, correlation) == (2.0, pytest.approx(1.0, abs=0.01))
    assert abs(z) < 1
    inflow[-1] += 30
    assert rain_response(rain, inflow)[2] > 10


def test_few_days_or_an_inflow_that_never_changes_have_no_model():
    rain = np.zeros(20)
    assert np.isnan(rain_response(rain[:13], np.full(13, 50.0))).all()
    silent_today = np.where(np.arange(20) == 19, math.nan, 50.0)
    assert np.isnan(rain_response(rain, silent_today)).all()
    assert np.isnan(rain_response(rain, np.full(20, 50.0))).all()


def rain(mm_an_hour: float, hours: Sequence[int] = range(-30, 1), point_id: str = "R1", **more: Any) -> list[Row]:
    return [value(point_id, "rainfall", hour, mm_an_hour, **more) for hour in hours]


@pytest.mark.parametrize(("mm", "level"), [(0.0, 0), (49.92, 0), (50.04, 2)])
def test_a_day_of_rain(light: LightEngine, mm: float, level: int):
    (row,) = rows_of(light, w05, feeds={"water": rain(mm / 24)})
    assert (row["entity"], row["value"], row["level"]) == (MINE_CODE, pytest.approx(mm, abs=1e-6), level)


def test_a_mine_that_rain_cannot_reach_is_told_and_not_judged(light: LightEngine):
    deep = Site(
        mine_code=MINE_CODE, name_zh="矿", name_en="Mine", severe_hazard=False, areas=(), nodes=(), edges=(),
        rain_prone=False,
    )  # fmt: skip
    (row,) = rows_of(light, w05, feeds={"water": rain(4.0)}, site=deep)
    assert (row["value"], row["level"], json.loads(row["inputs"])["rain_prone"]) == (96.0, 0, False)


def test_gauges_are_averaged_and_a_bad_reading_is_no_rain(light: LightEngine):
    two = rain(1.0) + rain(3.0, point_id="R2")
    burst = [value("R1", "rainfall", 0.5, 500.0, quality="BAD")]
    (row,) = rows_of(light, w05, feeds={"water": two + burst})
    assert row["value"] == pytest.approx(48.0)


def test_a_gauge_that_was_silent_for_a_third_of_the_day(light: LightEngine):
    (row,) = rows_of(light, w05, feeds={"water": rain(4.0, hours=range(-40, -7))})
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DATA")
