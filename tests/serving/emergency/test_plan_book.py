"""Plans: which one comes first for what, where and how badly; a mine's own; what a file may not say."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from minefusion.schemas.catalog import site_path
from minefusion.schemas.errors import InputError
from minefusion.serving.alarms.classes import classes
from minefusion.serving.emergency.kinds import emergency_of, kinds
from minefusion.serving.emergency.plan_book import matched, plans_of, read_plans, shipped

NONE: frozenset[str] = frozenset()
CASES = list(csv.DictReader((Path(__file__).parent / "plan_cases.csv").read_text().splitlines()))
OWN = """format: 1
plans:
- {plan_id: OURS, zh: 本矿火灾预案, en: our fire plan, kinds: [fire],
   steps: [{step_id: a, who_zh: 调度员, who_en: dispatcher, zh: 撤人, en: withdraw}]}
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}-{case['place']}-{case['severity']}")
def test_the_plan_that_comes_first(case: dict[str, str]):
    found = matched(shipped(), NONE, case["kind"], case["place"] or None, int(case["severity"]))
    assert [each.plan.plan_id for each in found][:2] == [each for each in (case["first"], case["second"]) if each]
    assert all(reason.zh and reason.en for each in found for reason in each.reasons)


def test_every_kind_has_a_case_and_a_plan_in_both_languages():
    assert {case["kind"] for case in CASES} == set(kinds())
    for plan in shipped():
        assert plan.zh
        assert plan.en
        assert plan.source
        assert plan.messages
        for step in plan.steps:
            assert min(map(len, (step.who_zh, step.who_en, step.zh, step.en))) > 0


def test_reasons_say_what_fits_and_what_does_not():
    belt, fire = matched(shipped(), NONE, "fire", "chamber", 1)[1], matched(shipped(), NONE, "fire", "chamber", 1)[0]
    assert [each.en for each in fire.reasons] == ["written for: fire", "for any place", "written for graver ones"]
    assert [each.en for each in belt.reasons][1] == "written for other places"
    loss = matched(shipped(), NONE, "air_loss", "heading", 4)[0]
    assert loss.reasons[2].en == "written for lesser ones: may not be enough"


def test_a_mines_own_plans_go_before_ours(tmp_path: Path):
    path = site_path(tmp_path, "620000000001").with_name("620000000001.plans.yaml")
    path.parent.mkdir()
    path.write_text(OWN.replace("OURS", "our_fire"), encoding="utf-8")
    plans, own = plans_of(tmp_path, "620000000001")
    first = matched(plans, own, "fire", "chamber", 4)[0]
    assert (first.plan.plan_id, first.is_own) == ("our_fire", True)
    assert first.reasons[-1].en == "the mine's own plan"
    path.write_text(OWN.replace("OURS", "fire"), encoding="utf-8")
    plans, own = plans_of(tmp_path, "620000000001")
    assert [each.en for each in plans if each.plan_id == "fire"] == ["our fire plan"], "it takes the place of ours"


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("[fire]", "[flood]", "line 3: expected kinds as gas_over_limit"),
        ("steps:", "severity_from: 3, severity_to: 2, steps:", "expected a severity from 1 up to 4, got 3 to 2"),
        ("en: withdraw}]", "en: withdraw}, {step_id: a, who_zh: x, who_en: x, zh: x, en: x}]", "every step_id once"),
        ("kinds:", "messages: [{channel: pigeon, to_zh: x, to_en: x, zh: x, en: x}], kinds:", "got 'pigeon'"),
        ("format: 1", "format: 2", "expected format 1, got 2"),
        ("zh: 本矿火灾预案,", "", "expected 'zh' in plans.plans, got none"),
    ],
)
def test_what_a_file_may_not_say(tmp_path: Path, was: str, now: str, said: str):
    path = tmp_path / "m.plans.yaml"
    path.write_text(OWN.replace(was, now, 1), encoding="utf-8")
    with pytest.raises(InputError) as told:
        read_plans(path)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("class_name", "kind", "level", "sign"),
    [
        ("methane", "G-01", 4, "gas_over_limit"),
        ("methane", "G-01", 3, None),
        ("hazard", "F-10", 3, "fire"),
        ("hazard", "F-02", 3, None),
        ("hazard", "F-02", 4, "heating"),
        ("fan_stop", "V-08", 3, "air_loss"),
        ("personnel", "P-05", 3, "person_missing"),
        ("personnel", "P-01", 4, None),
        ("forecast", "FORECAST", 4, None),
    ],
)
def test_which_alarm_is_a_sign_of_what(class_name: str, kind: str, level: int, sign: str | None):
    assert class_name in classes()
    assert emergency_of(class_name, kind, level) == sign
