"""What a site file may say of a chemical plant: its units, the rule packs that hold there, and its own values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RulePack:
    """A set of declared rules that is checked at this site, by its name in schemas/rules."""

    pack: str


@dataclass(frozen=True)
class ProcessUnit:
    """A unit of the plant: an area, and what it is in the words of the rule pack. An area may be several things."""

    area_id: str
    unit: str


@dataclass(frozen=True)
class RuleValue:
    """The plant's own value for a rule that prints none; for one area, or with a null area for all."""

    rule_id: str
    value: float
    source: str
    area_id: str | None = None
