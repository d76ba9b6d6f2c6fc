"""Every rule of the pack works as it is declared: facts that break it raise it, and the same facts in order do not."""

from __future__ import annotations

from typing import Any

import pytest
from literal_mine import MINE_CODE, area, at, make_feeds, make_inputs

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.rules.findings import rule_findings, site_rules
from minefusion.schemas.errors import InputError
from minefusion.schemas.rules import ANY, LEVEL_OF, Rule, packs, rules_of
from minefusion.schemas.site import Area, Site
from minefusion.schemas.site_plant import ProcessUnit, RulePack, RuleValue

Row = dict[str, Any]
RULES = rules_of("chemical")
# What a plant would set: a limit that the facts below are held against, or a delay of a minute.
OWN = 60.0
# Rules whose breaking is told of in the same facts as others'.
WITH = {"GEN-002": "HP-006", "AN-029": "AN-026"}


def broken(rule: Rule, threshold: float, *, in_order: bool = False) -> list[tuple[str, float, float]]:
    """(variable, minute, value) that break a rule, or that keep it."""
    main, low, high = rule.variable, threshold, rule.upper or threshold
    steady = range(-15, 4)
    out, inside = {
        ">": (low + 1, low), ">=": (low, low - 0.01), "<": (low - 0.01, low), "<=": (low, low + 0.01),
        "outside": (high + 1, (low + high) / 2), "confirmed": (low + 1, low), "is": (1.0, 0.0), "is_not": (0.0, 1.0),
    }.get(rule.test, (0.0, 0.0))  # fmt: skip
    step = {"rising": 2.0, "falling": -2.0}.get(rule.test, 0.0) * threshold
    swings = {"fluctuating": 0.06 * threshold, "frequent": 0.5}
    if rule.test in ("rising", "falling"):
        facts = [(main, m, 9000 + (0.2 if in_order else 1) * step * m) for m in steady]
    elif rule.test == "not_falling":
        facts = [(main, m, threshold + 100 - (2.0 * m if in_order else 0)) for m in steady]
    elif rule.test in swings:
        share = 0.001 if in_order else swings[rule.test]
        times = range(-40, 4) if rule.test == "frequent" else steady
        facts = [
            (main, m + half, 10 * (1 + (share if (2 * m + 2 * half) % 2 else 0))) for m in times for half in (0, 0.5)
        ]
    elif rule.test == "dwell":
        facts = [(main, 0 - (1 if in_order else threshold + 1), 1.0)]
    elif rule.test == "confirmed":
        facts = [(main, -5, out), (main, -2, inside if in_order else out)]
    elif rule.test == "both":
        facts = [("temperature_c", -3, 180.0 if in_order else 186.0), ("irritant_gas_and_smoke_or_overflow", -3, 1.0)]
    else:
        facts = [(main, -4, inside if in_order else out)]
    if rule.after:
        then, first = rule.after
        facts += [(first, -6.0, 1.0)] if first != main else []
        facts += [(then, -3.5, 1.0)] if in_order else []
        facts = [(name, minute, 1.0 if name == main else value) for name, minute, value in facts]
    if rule.rule_id == "GEN-002":
        facts += [("temperature_c", -5, 40.0 if in_order else 61.0)]
        return [(main, -4, 1.0), *facts[1:]]
    if rule.test == "both":
        return facts
    return facts + [(name, -300.0, value) for name, value in rule.when]


def plant_of(rules: tuple[Rule, ...]) -> Site:
    """One area a rule; every value that a plant has to set is set."""
    areas = [f"{MINE_CODE}{number:03d}" for number in range(len(rules))]
    units = [ProcessUnit(area_id, "operating_unit" if rule.unit == ANY else rule.unit)
             for area_id, rule in zip(areas, rules, strict=True)]  # fmt: skip
    units += [ProcessUnit(area_id, "oxidation_tower") for area_id, rule in zip(areas, rules, strict=True)
              if rule.rule_id == "GEN-002"]  # fmt: skip
    return Site(
        mine_code=MINE_CODE,
        name_zh="厂",
        name_en="Plant",
        severe_hazard=True,
        areas=tuple(Area(each, each, each, "process_unit") for each in areas),
        nodes=(),
        edges=(),
        rule_packs=(RulePack("chemical"),),
        process_units=tuple(units),
        rule_values=tuple(RuleValue(rule.rule_id, OWN, "plant") for rule in rules if rule.origin == "site"),
    )


def raised_in(engine: Engine, rules: tuple[Rule, ...], *, in_order: bool = False) -> set[tuple[str, str]]:
    """(rule, area) raised in three minutes."""
    site = plant_of(rules)
    facts = []
    for place, rule in zip(site.areas, rules, strict=True):
        own = rule.origin == "site" and rule.threshold is None
        threshold = OWN if own else rule.threshold or 0.0
        facts += [
            {"kind": "plant_operator", "record_id": f"{rule.rule_id}{n}", "quantity": name, "measured_at": at(minute),
             "value": value, "area_id": place.area_id}
            for n, (name, minute, value) in enumerate(broken(rule, threshold, in_order=in_order))
        ]  # fmt: skip
    inputs = make_inputs(
        engine, points=[], readings=[], areas=[area(each.area_id, "process_unit") for each in site.areas],
        minutes=(0, 3), site=site,
    )  # fmt: skip
    records = make_feeds(engine, {"records": facts}).records
    rows = engine.to_arrow(rule_findings(inputs, records, site_rules({MINE_CODE: site}))).to_pylist()
    return {
        (row["index_id"], row["area_id"]) for row in rows if row["level"] and row["null_reason"] != "NOT_PROVEN"
    }  # fmt: skip


def test_every_rule_is_raised_by_what_breaks_it_and_not_by_what_keeps_it(light: LightEngine):
    place = {rule.rule_id: f"{MINE_CODE}{number:03d}" for number, rule in enumerate(RULES)}
    found = raised_in(light, RULES)
    assert [rule.rule_id for rule in RULES if (rule.rule_id, place[rule.rule_id]) not in found] == []
    kept = raised_in(light, RULES, in_order=True)
    assert [rule.rule_id for rule in RULES if (rule.rule_id, place[rule.rule_id]) in kept] == []


@pytest.mark.usefixtures("spark")
def test_the_same_on_spark(light: LightEngine, tmp_path):
    from minefusion.pipelines.engines.spark import SparkEngine
    from minefusion.schemas.settings import load_settings

    wanted = ["HP-006", "HP-012", "HP-013", "AN-015", "NH-018", "NH-019", "HP-040", "GEN-022", "AN-029", "GEN-002"]
    some = tuple(rule for rule in RULES if rule.rule_id in wanted)
    spark = SparkEngine(load_settings(lake=tmp_path / "lake", spark_master="local[2]", spark_driver_memory="1g"))
    assert raised_in(spark, some) == raised_in(light, some)


def test_the_pack_as_a_whole():
    assert len(RULES) == 145
    assert len({rule.rule_id for rule in RULES}) == 145
    counted = {origin: sum(rule.origin == origin for rule in RULES) for origin in ("text", "site", "logic")}
    assert counted == {"text": 30, "site": 42, "logic": 73}
    for rule in RULES:
        assert rule.action in LEVEL_OF
        assert all((rule.zh, rule.en, rule.do_zh, rule.do_en, rule.clause)), rule.rule_id
        assert rule.test in ("is", "is_not", "both") or rule.value_unit, rule.rule_id
    assert packs() == ["chemical"]
    with pytest.raises(InputError, match="expected a rule pack, got 'nuclear'; there are: chemical"):
        rules_of("nuclear")
