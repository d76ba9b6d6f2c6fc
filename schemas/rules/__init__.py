"""Rule packs as rows: what must not happen at a plant, what is to be done then, and where it is written.

A pack is a CSV here, named for it. A new rule is a new row; a plant's own values are in its site file (`rule_values`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from minefusion.schemas.errors import InputError
from minefusion.schemas.facts import rows

if TYPE_CHECKING:
    from minefusion.schemas.site import Site

# How the main variable is judged. Numbers: against the threshold; a range is left; over a time; states: true or not.
TESTS = (
    ">", ">=", "<", "<=", "outside", "rising", "falling", "not_falling", "fluctuating", "frequent", "confirmed",
    "dwell", "is", "is_not", "both",
)  # fmt: skip
# The action that a rule asks for → level of the risk scale. Limits and warnings are notices; what is forbidden and
# happens, and what stops a unit, is red.
LEVEL_OF = {
    "trip": 4, "emergency_stop": 4, "stop_system": 4, "evacuate": 4, "safe_state": 4, "prohibit": 4,
    "stop_feed": 3, "stop_heat": 3, "stop_unit": 3, "interlock_action": 3, "emergency_action": 3, "limit": 3,
    "recheck": 2, "warning": 2,
}  # fmt: skip
# Holds at every unit of the plant.
ANY = "any"
# The plant has to say.
SITE = "site"
# A rule that leaves its delay to the plant waits so long where the plant says nothing [s]: our own debounce.
DEBOUNCE_S = 60.0


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        unit: process unit that it holds for, or ANY.
        variable: the main one; for `both` the rule whose state it is.
        threshold: number of the comparison, null where the plant supplies it or none is needed; `upper` of a range.
        when: variables and the values that they must have, 0 where nothing is known of them.
        after: (what has to come, what it has to come after): broken while it has not.
        hold_s: it must hold so long to be raised.
        action: one of LEVEL_OF. `escalate_min`: after so long it is one level more.
        is_proof: not known counts as not proven.
        origin: `text`: the number is printed; `site`: the plant supplies a value or a detector; `logic`: none needed.
        zh, en: what is wrong. `do_zh`, `do_en`: what is to be done.
    """

    pack: str
    rule_id: str
    unit: str
    variable: str
    test: str
    threshold: float | None
    upper: float | None
    value_unit: str
    when: tuple[tuple[str, float], ...]
    after: tuple[str, str] | None
    hold_s: float
    action: str
    escalate_min: float | None
    is_proof: bool
    zh: str
    en: str
    do_zh: str
    do_en: str
    clause: str
    origin: str
    confidence: str

    @property
    def level(self) -> int:
        return LEVEL_OF[self.action]


def packs() -> list[str]:
    """The packs that there are."""
    here = files("minefusion.schemas.rules")
    return sorted(each.name.removesuffix(".csv") for each in here.iterdir() if each.name.endswith(".csv"))


@cache
def rules_of(pack: str) -> tuple[Rule, ...]:
    """The rules of a pack as they are listed.

    Raises:
        InputError: no such pack, or a row that does not hold together.
    """
    if pack not in packs():
        raise InputError(f"expected a rule pack, got '{pack}'; there are: {', '.join(packs())}")
    return tuple(_read(pack, row) for row in rows(f"rules/{pack}"))


@dataclass(frozen=True)
class Applied:
    """A rule at one place of a plant; `is_configured` is false where the plant has not said what the rule needs."""

    rule: Rule
    area_id: str
    threshold: float | None
    hold_s: float
    is_configured: bool
    source: str
    source_zh: str
    confidence: str


def applied_rules(site: Site) -> list[Applied]:
    """Every rule of the site's packs at every place that it holds for, with the plant's own values."""
    units: dict[str, list[str]] = {}
    for each in site.process_units:
        units.setdefault(each.unit, []).append(each.area_id)
    everywhere = list(dict.fromkeys(each.area_id for each in site.process_units))
    found = []
    for chosen in site.rule_packs:
        for rule in rules_of(chosen.pack):
            for area in everywhere if rule.unit == ANY else units.get(rule.unit, []):
                found.append(_at(rule, area, site))
    return found


def _at(rule: Rule, area: str, site: Site) -> Applied:
    """The value for the area comes before the one for the plant; it is the threshold, else the delay [s]."""
    own = [each for each in site.rule_values if each.rule_id == rule.rule_id and each.area_id in (area, None)]
    value = next(iter(sorted(own, key=lambda each: each.area_id is None)), None)
    threshold, hold_s = rule.threshold, rule.hold_s
    if value is not None and (rule.threshold is None and rule.test not in ("is", "is_not", "both")):
        threshold = value.value
    elif value is not None:
        hold_s = value.value
    return Applied(
        rule,
        area,
        threshold,
        hold_s,
        is_configured=value is not None or rule.origin != SITE,
        source=value.source if value else f"{_SOURCES[rule.pack][1]}, {rule.clause}",
        source_zh=value.source if value else f"{_SOURCES[rule.pack][0]} {rule.clause.replace('App.', '附录')}",
        confidence="mine" if value else rule.confidence,
    )


_SOURCES = {
    "chemical": ("化工异常工况安全处置准则（试行）", "Guideline on abnormal conditions in chemical plants (2024)")
}


def _read(pack: str, row: dict[str, str | None]) -> Rule:
    def text(name: str) -> str:
        return row[name] or ""

    def refuse(expected: str, got: str) -> InputError:
        return InputError(f"schemas/rules/{pack}.csv {row['rule_id']}: expected {expected}, got '{got}'; mend the row")

    if text("test") not in TESTS:
        raise refuse(f"a test of {', '.join(TESTS)}", text("test"))
    if text("action") not in LEVEL_OF:
        raise refuse(f"an action of {', '.join(LEVEL_OF)}", text("action"))
    low, _, high = text("threshold").partition("-")
    hold = text("hold_s")
    after = text("sequence").split(" after ")
    return Rule(
        pack=pack,
        rule_id=text("rule_id"),
        unit=text("unit"),
        variable=text("variable"),
        test=text("test"),
        threshold=float(low) if low and low != SITE else None,
        upper=float(high) if high else None,
        value_unit=text("value_unit"),
        when=tuple(_condition(part) for part in text("when").split("&") if part),
        after=(after[0], after[1]) if len(after) == 2 else None,
        hold_s=DEBOUNCE_S if hold == SITE else 0.0 if hold in ("", "audit") else float(hold),
        action=text("action"),
        escalate_min=float(text("escalate_min")) if row["escalate_min"] else None,
        is_proof=text("proof") == "yes",
        zh=text("zh"),
        en=text("en"),
        do_zh=text("do_zh"),
        do_en=text("do_en"),
        clause=text("clause"),
        origin=text("origin"),
        # Trends and delays that the text leaves open are judged by our own detectors.
        confidence="advisory" if text("test") in _OWN_DETECTORS or hold == SITE else "confirmed",
    )


_OWN_DETECTORS = ("rising", "falling", "not_falling", "fluctuating", "frequent")


def _condition(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)
