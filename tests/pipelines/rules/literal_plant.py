"""A chemical plant of one area, and what its sensors and people say, as literal rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from literal_mine import MINE_CODE, area, at, make_feeds, make_inputs

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.rules.findings import rule_findings, site_rules
from minefusion.schemas.site import Area, Site
from minefusion.schemas.site_plant import ProcessUnit, RulePack, RuleValue

Row = dict[str, Any]
UNIT = f"{MINE_CODE}01"


def plant(*units: str, values: dict[str, float] | None = None) -> Site:
    """A plant whose one area is all of these units; `values`: rule → the plant's own value."""
    return Site(
        mine_code=MINE_CODE,
        name_zh="试验厂",
        name_en="Test plant",
        severe_hazard=True,
        areas=(Area(UNIT, "装置区", "Unit", "process_unit"),),
        nodes=(),
        edges=(),
        rule_packs=(RulePack("chemical"),),
        process_units=tuple(ProcessUnit(UNIT, unit) for unit in units),
        rule_values=tuple(RuleValue(rule, value, "plant procedure") for rule, value in (values or {}).items()),
    )


def said(variable: str, *points: tuple[float, float], source: str = "plant_operator") -> list[Row]:
    """Facts of a variable: (minute, value)."""
    return [
        {"kind": source, "record_id": f"{variable}{n}", "quantity": variable, "measured_at": at(minute), "value": value,
         "area_id": UNIT}
        for n, (minute, value) in enumerate(points)
    ]  # fmt: skip


def measured(variable: str, *values: float, start: float = 0.0, every: float = 1.0) -> list[Row]:
    """Values of a sensor, one every so many minutes."""
    points = [(start + number * every, value) for number, value in enumerate(values)]
    return said(variable, *points, source="plant_sensor")


def findings(
    engine: Engine, site: Site, facts: Sequence[Row], minutes: tuple[float, float], headcount: Sequence[Row] = ()
) -> list[Row]:
    """Rows of the rules, in the order of rule and time."""
    inputs = make_inputs(
        engine,
        points=[],
        readings=[],
        areas=[area(UNIT, "process_unit")],
        minutes=minutes,
        site=site,
        headcount=[{"area_id": UNIT, "leaders_count": 0, **row} for row in headcount],
    )
    known = [row for row in facts if row["measured_at"] < at(minutes[1])]
    rows = rule_findings(inputs, make_feeds(engine, {"records": known}).records, site_rules({MINE_CODE: site}))
    return sorted(engine.to_arrow(rows).to_pylist(), key=lambda row: (row["index_id"], row["window_start"]))


def raised(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Rule → minutes in which it is raised."""
    found: dict[str, list[int]] = {}
    for row in rows:
        if row["level"]:
            minute = int((row["window_start"] - at(0)).total_seconds() // 60)
            found.setdefault(row["index_id"], []).append(minute)
    return found
