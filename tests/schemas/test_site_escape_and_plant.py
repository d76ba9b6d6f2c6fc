"""Exits, refuge chambers and a plant's units in the site file: what is read, written and refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from minefusion.schemas.errors import InputError
from minefusion.schemas.escape_limits import air_limits
from minefusion.schemas.limits import limit
from minefusion.schemas.site import Area, Edge, Exit, Node, RefugeChamber, Site, dump_site, load_site
from minefusion.schemas.site_plant import ProcessUnit, RulePack, RuleValue

MINE = "140000000001"
SITE = Site(
    mine_code=MINE,
    name_zh="矿",
    name_en="Mine",
    severe_hazard=True,
    areas=(Area(f"{MINE}01", "面", "Face", "longwall_face"),),
    nodes=(Node("A", 0.0, 0.0, 0.0), Node("B", 100.0, 0.0, 0.0)),
    edges=(Edge("E", "A", "B", f"{MINE}01", "COAL_FACE", None, 100.0, 10.0),),
    exits=(Exit("A", "副井井底", "Man shaft"),),
    refuge_chambers=(RefugeChamber("R1", "1号硐室", "Chamber 1", "E", 40.0, 50),),
    self_rescuer_min=45.0,
    rule_packs=(RulePack("chemical"),),
    process_units=(ProcessUnit(f"{MINE}01", "neutraliser"),),
    rule_values=(RuleValue("AN-005", 15.0, "procedure", f"{MINE}01"),),
)


def test_what_is_written_reads_back(tmp_path: Path):
    path = tmp_path / "mine.site.yaml"
    path.write_text(dump_site(SITE), encoding="utf-8")
    assert load_site(path) == SITE


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"exits": (Exit("Z", "", ""),)}, "expected node_id to name a declared node, got 'Z'"),
        (
            {"refuge_chambers": (RefugeChamber("R1", "", "", "F", 1.0),)},
            "expected edge_id to name a declared edge, got 'F'",
        ),
        ({"refuge_chambers": (RefugeChamber("R1", "", "", "E", 101.0),)}, "expected chainage_m of 0 to 100"),
        (
            {"refuge_chambers": (RefugeChamber("R1", "", "", "E", 1.0, 0),)},
            "expected places of 1 or more in chamber R1, got 0",
        ),
        ({"self_rescuer_min": 0.0}, "expected self_rescuer_min above 0, got 0"),
        ({"process_units": (ProcessUnit("X", "neutraliser"),)}, "expected area_id to name a declared area, got 'X'"),
        (
            {"rule_packs": (RulePack("chemical"), RulePack("chemical"))},
            "expected every pack once, got 'chemical' again",
        ),
    ],
)
def test_what_does_not_hold_together_is_refused(tmp_path: Path, changed: dict, problem: str):
    path = tmp_path / "mine.site.yaml"
    path.write_text(dump_site(replace(SITE, **changed)), encoding="utf-8")
    with pytest.raises(InputError, match=problem):
        load_site(path)


def test_a_roadway_is_avoided_from_the_limits_of_the_law_on():
    limits = air_limits()
    assert limits["co"].avoided == limit("CO-001").alarm
    assert limits["h2s"].avoided == limit("H2S-001").alarm
    for each in limits.values():
        assert (each.forbidden < each.avoided) == (each.comparison == "<"), each.quantity
        assert each.source
        assert each.confidence in ("confirmed", "inferred", "advisory")
