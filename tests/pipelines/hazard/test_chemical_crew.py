"""P-06: at, below and above the numbers of people that each job at an abnormal unit allows."""

from __future__ import annotations

from typing import Any

import pytest
from literal_mine import MINE_CODE, area, at, make_inputs

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.chemical_crew import p06
from minefusion.schemas.site import Area, Site
from minefusion.schemas.site_plant import ProcessUnit

Row = dict[str, Any]
UNIT = f"{MINE_CODE}01"
PLANT = Site(
    mine_code=MINE_CODE, name_zh="厂", name_en="Plant", severe_hazard=True, nodes=(), edges=(),
    areas=(Area(UNIT, "中和装置", "Neutralisation", "process_unit"),),
    process_units=(ProcessUnit(UNIT, "neutraliser"),),
)  # fmt: skip


def rows_of(
    light: LightEngine,
    facts: dict[str, float],
    *,
    heads: int | None = None,
    minute: float = 0.0,
    site: Site | None = PLANT,
) -> list[Row]:
    records = [
        {"kind": "plant_operator", "record_id": name, "quantity": name, "measured_at": at(minute), "value": value,
         "area_id": UNIT}
        for name, value in facts.items()
    ]  # fmt: skip
    counted = [] if heads is None else [
        {"area_id": UNIT, "observed_at": at(minute), "people_count": heads, "leaders_count": 0}
    ]  # fmt: skip
    inputs = make_inputs(
        light, points=[], readings=[], areas=[area(UNIT, "process_unit")], headcount=counted, site=site,
        feeds={"records": records}, minutes=(0, 1),
    )  # fmt: skip
    return p06(inputs).collect().to_arrow().to_pylist()


@pytest.mark.parametrize(
    ("job", "people", "level"),
    [
        ({"disposal_under_way": 1.0}, 2, 0),
        ({"disposal_under_way": 1.0}, 3, 2),
        ({"disposal_under_way": 1.0}, 6, 2),
        ({"disposal_under_way": 1.0}, 7, 4),
        ({"situation_unclear": 1.0}, 2, 0),
        ({"situation_unclear": 1.0}, 3, 4),
        ({"situation_unclear": 1.0, "assessed": 1.0}, 3, 0),
        ({"leak_job": 1.0, "disposal_under_way": 1.0}, 2, 0),
        ({"leak_job": 1.0, "disposal_under_way": 1.0}, 3, 4),
        ({"bed_or_filter_change": 1.0}, 6, 0),
        ({"bed_or_filter_change": 1.0}, 7, 4),
        ({}, 40, 0),
    ],
)
def test_people_at_an_abnormal_unit(light: LightEngine, job: dict[str, float], people: int, level: int):
    row = rows_of(light, job | {"persons": float(people)})[0]
    assert (row["value"], row["level"], row["legal_exceeded"]) == (people, level, level == 4)


def test_the_larger_of_what_is_told_and_what_is_located(light: LightEngine):
    row = rows_of(light, {"disposal_under_way": 1.0, "persons": 2.0}, heads=7)[0]
    assert (row["value"], row["level"]) == (7, 4)
    assert row["sentence_zh"] == f"{UNIT}区：异常处置 7 人；红色。"
    assert row["sentence_en"] == f"Area {UNIT}: disposal, 7 people; red."


def test_a_head_count_that_is_old_is_none(light: LightEngine):
    row = rows_of(light, {"disposal_under_way": 1.0}, heads=7, minute=-30)[0]
    assert (row["value"], row["null_reason"]) == (None, "NO_SNAPSHOT")


def test_a_mine_has_no_process_unit(light: LightEngine):
    assert rows_of(light, {}, site=None) == []
