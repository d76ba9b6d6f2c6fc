"""What is said of a mine that lacks an input: once an hour, by every index, and never beside a row about it."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import narwhals as nw
import pytest
from ground_and_water import site
from literal_mine import MINE_CODE, Row, area, at, collect, make_history, make_inputs, point, series

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.catalogue import CATALOGUE, COMPOSITE_IDS, INDICES, TRENDS, compute, index
from minefusion.pipelines.hazard.gas_analyses import GASES
from minefusion.pipelines.hazard.lacking import NEEDS, PEOPLE, RECORD, SECTION, SHOCKS, no_rows, speaking, with_lacking
from minefusion.pipelines.hazard.rows import REASONS
from minefusion.schemas.sensors import all_sensor_types
from minefusion.schemas.site import Site
from minefusion.schemas.site_air import MainFan

BARE: Row = {"name_zh": "试验矿", "severe_hazard": True, "utc_offset_h": 8.0, "has_stations": False}
PLACES = [area("F1"), area("W1", "goaf", is_restricted=True)]


def test_every_index_but_the_composed_ones_says_what_it_needs():
    assert NEEDS.keys() == {each.id for each in INDICES} - set(COMPOSITE_IDS)
    quantities = {each.quantity for each in all_sensor_types()} | set(GASES) | {PEOPLE, SHOCKS}
    sections = {f"{SECTION}{each.name}" for each in fields(Site)}
    for index_id, needs in NEEDS.items():
        for need in needs:
            assert need.reason in REASONS, index_id
            named = {name for name in need.any_of if not name.startswith(RECORD)}
            assert need.any_of, index_id
            assert named <= quantities | sections, index_id


def test_a_mine_that_has_nothing_is_told_of_by_each_index_once_an_hour(light: LightEngine):
    inputs = make_inputs(light, points=[], readings=[], mines=[BARE], areas=PLACES, minutes=(-10, 130))
    assert speaking(inputs, CATALOGUE).called == [], "nothing has to be planned"
    rows = collect(compute(inputs))
    assert sorted((row["index_id"], row["window_start"]) for row in rows) == sorted(
        (declared.id, at(60 * hour)) for declared, _ in CATALOGUE for hour in range(3)
    )
    for row in rows:
        declared, need = index(row["index_id"]), NEEDS[row["index_id"]][0]
        assert (row["area_id"], row["entity"], row["point_id"]) == (MINE_CODE, MINE_CODE, None)
        assert (row["value"], row["level"], row["legal_exceeded"]) == (None, None, False)
        assert (row["coverage"], row["null_reason"], row["inputs"]) == (0.0, need.reason, "{}")
        assert row["window_end"] - row["window_start"] == timedelta(minutes=declared.minutes)
        assert row["sentence_zh"] == f"试验矿：{declared.name_zh}无法判定，{REASONS[need.reason][0]}。"
        assert row["sentence_en"] == f"{MINE_CODE}: {declared.name_en} not known, {REASONS[need.reason][1]}."


def test_and_by_each_slow_index_each_hour(light: LightEngine):
    history = make_history(light, mines=[BARE], areas=PLACES, hours=(0, 2))
    assert speaking(history, TRENDS).called == []
    reasons = speaking(history, TRENDS).reasons
    rows = collect(with_lacking(history, [declared for declared, _ in TRENDS], reasons, no_rows(history)))
    assert sorted((row["index_id"], row["window_start"]) for row in rows) == sorted(
        (declared.id, at(60 * hour)) for declared, _ in TRENDS for hour in range(2)
    )


@pytest.mark.parametrize("slow", [False, True], ids=["minutes", "hours"])
def test_what_is_not_planned_would_have_said_nothing(light: LightEngine, slow: bool):
    """Each index asked all the same, of a mine without anything."""
    catalogue: Any = TRENDS if slow else CATALOGUE
    parts: dict[str, Any] = {"mines": [BARE], "areas": PLACES}
    given: Any = make_history(light, **parts) if slow else make_inputs(light, points=[], readings=[], **parts)
    said = {declared.id: len(collect(function(given))) for declared, function in catalogue}
    assert {index_id for index_id, rows in said.items() if rows} == set()


def test_a_mine_that_has_it_is_not_told_to_lack_it(light: LightEngine):
    """Methane alone, from a quarter past on: the first hour lacks it, the second does not."""
    inputs = make_inputs(light, points=[point("G", "ch4")], readings=series("G", [0.3] * 200, start=15), mines=[BARE],
                         areas=PLACES, minutes=(0, 120))  # fmt: skip
    told = {declared.id for declared, _ in speaking(inputs, CATALOGUE).called}
    assert {"G-01", "G-02", "G-03"} <= told
    assert not {"T-04", "H-01", "V-06", "P-01"} & told
    rows = collect(compute(inputs))
    of_gas = [row for row in rows if row["index_id"] == "G-01"]
    assert {row["entity"] for row in of_gas} == {"G"}
    assert len(of_gas) == 120
    oxygen = [row for row in rows if row["index_id"] == "T-04"]
    assert [(row["entity"], row["window_start"], row["null_reason"]) for row in oxygen] == [
        (MINE_CODE, at(minute), "NO_OXYGEN") for minute in (0, 60)
    ]


def test_an_input_that_comes_within_the_hour_never_stands_beside_its_lack(light: LightEngine):
    """One gas sample at 10:37 of a mine with tubes alone: the hour began without one, and that row says no more."""
    sample = [
        {"record_id": "S1", "kind": "gas_sample", "quantity": gas, "measured_at": at(37), "value": amount, "unit": "%",
         "area_id": "W1", "place": "tube 3"}
        for gas, amount in (("ch4", 2.0), ("o2", 20.0))
    ]  # fmt: skip
    inputs = make_inputs(light, points=[], readings=[], mines=[BARE], areas=PLACES, minutes=(0, 60),
                         feeds={"records": sample})  # fmt: skip
    rows = [row for row in collect(compute(inputs)) if row["index_id"] == "G-04"]
    assert [(row["entity"], row["window_start"], row["value"] is None) for row in rows] == [
        (MINE_CODE, at(0), True), ("GC tube 3", at(37), False),
    ]  # fmt: skip


def test_two_mines_one_of_which_lacks_it(light: LightEngine):
    other = "150000000002"
    mines = [BARE, {**BARE, "mine_code": other, "name_zh": "邻矿"}]
    inputs = make_inputs(light, points=[point("O", "o2")], readings=series("O", [20.5] * 20), mines=mines,
                         areas=PLACES, minutes=(0, 10))  # fmt: skip
    rows = compute(inputs).filter(nw.col("index_id") == "T-04")
    assert {(row["mine_code"], row["null_reason"]) for row in collect(rows)} == {
        (MINE_CODE, None),
        (other, "NO_OXYGEN"),
    }


def test_what_is_said_of_a_mine_does_not_depend_on_its_company(light: LightEngine):
    """Fans in the site file, no air measured: told as lacking, alone or beside a mine whose air is measured."""
    other = "150000000002"
    fan = MainFan("F1", "F1", "drift")
    own = site(main_fans=(fan,))
    alone = make_inputs(light, points=[], readings=[], mines=[BARE], areas=PLACES, minutes=(0, 2), site=own)
    lonely = [row for row in collect(compute(alone)) if row["index_id"] == "V-04"]
    assert [(row["window_start"], row["null_reason"]) for row in lonely] == [(at(0), "NO_FAN_PRESSURE")]
    mines = [BARE, {**BARE, "mine_code": other}]
    measured = point("V", "air_velocity", edge_id="drift", mine_code=other)
    both = make_inputs(light, points=[measured], readings=[], mines=mines, areas=PLACES, minutes=(0, 2), site=own)
    beside = [row for row in collect(compute(both)) if (row["index_id"], row["mine_code"]) == ("V-04", MINE_CODE)]
    assert beside == lonely
