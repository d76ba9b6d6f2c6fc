"""Limits of the law and of practice, as rows with source and confidence. A new limit is a new row in limits.csv.

No row is law by standing here: they come from the 2016 and 2022 editions, and the edition in force must be read before
a number is shown as legal. What was not read in a source, or is no law, is advisory (`Limit.is_advisory`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal

from minefusion.schemas.errors import InputError
from minefusion.schemas.facts import number, rows

Comparison = Literal[">=", ">", "<"]

LOOSER_THAN_LAW = "LIMIT_LOOSER_THAN_LAW"
UNMATCHED = "LOCATION_UNMATCHED"
# Judges methane points whose place matches no row.
_UNMATCHED_CH4 = "UNMATCHED_CH4"


@dataclass(frozen=True)
class Limit:
    """One limit.

    Attributes:
        comparison: how a value stands to `alarm` when the limit is reached; the same holds for `power_off`.
        alarm, power_off, restore: in `unit`; null where the rule has none (a mine's own number, or nothing is cut).
            Power may be restored only below `restore`.
        is_law: a rule in force, not a superseded one, a practice or our own choice.
        confidence: confirmed (read in a source), inferred (recalled, not read again), convention (our own).
    """

    rule_id: str
    location_code: str
    location_zh: str
    location_en: str
    quantity: str
    unit: str
    comparison: Comparison
    alarm: float | None
    power_off: float | None
    restore: float | None
    scope_zh: str
    scope_en: str
    is_law: bool
    source: str
    confidence: str
    note: str | None

    @property
    def direction(self) -> Literal["high", "low"]:
        """Which side of the limit is dangerous."""
        return "low" if self.comparison == "<" else "high"

    @property
    def is_advisory(self) -> bool:
        """To be labelled so wherever it is shown."""
        return self.confidence != "confirmed" or not self.is_law

    def is_reached(self, value: float) -> bool:
        """Whether the value is at or beyond the alarm value, as `comparison` says."""
        if self.alarm is None:
            return False
        return {">=": value >= self.alarm, ">": value > self.alarm, "<": value < self.alarm}[self.comparison]


@dataclass(frozen=True)
class GasLimit:
    """Methane limits that hold at one point, in % CH4: the stricter of the law's and the mine's own.

    Attributes:
        alarm: reached at or over it.
        cut: power is cut at or over it; null where nothing is cut.
        restore: an episode ends under it; never above `alarm`.
        rule: rule of the alarm value, or "mine".
        note: LIMIT_LOOSER_THAN_LAW, LOCATION_UNMATCHED or null.
    """

    alarm: float
    cut: float | None
    restore: float
    rule: str
    source: str
    confidence: str
    note: str | None


@cache
def all_limits() -> tuple[Limit, ...]:
    """Every limit, as listed."""
    return tuple(_read(row) for row in rows("limits"))


def limit(rule_id: str) -> Limit:
    """One limit by its rule. Raises InputError where there is none."""
    found = next((row for row in all_limits() if row.rule_id == rule_id), None)
    if found is None:
        raise InputError(f"expected a rule of limits.csv, got '{rule_id}'; docs/limits.md lists them")
    return found


@cache
def limits_for(location_code: str, quantity: str) -> tuple[Limit, ...]:
    """Limits of a quantity at a place, the strictest first; empty where there is none."""
    found = [row for row in all_limits() if (row.location_code, row.quantity) == (location_code, quantity)]
    return tuple(sorted(found, key=_strictness))


def gas_law(gas_class: str | None) -> Limit:
    """The methane row that judges a place: the strictest of its rows; for a place that matches none, 1.0 and 1.0 %."""
    return next(iter(limits_for(gas_class or "", "ch4") or limits_for(_UNMATCHED_CH4, "ch4")))


def effective_limit(
    gas_class: str | None,
    mine_alarm: float | None = None,
    mine_cut: float | None = None,
    mine_restore: float | None = None,
) -> GasLimit:
    """Methane limits that hold at a point of this location code whose mine has set these values of its own [% CH4].

    The stricter wins, value by value (PC-60). A mine's value of 0 or less means "not set": senders fill empty fields
    with zeros.
    """
    law = gas_law(gas_class)
    mine_alarm, mine_cut, mine_restore = (
        value if value and value > 0 else None for value in (mine_alarm, mine_cut, mine_restore)
    )
    alarm = _lowest(law.alarm, mine_alarm)
    assert alarm is not None, f"{law.rule_id} has no alarm value"
    restore = _lowest(law.restore, mine_restore, alarm)
    assert restore is not None
    pairs = ((mine_alarm, law.alarm), (mine_cut, law.power_off), (mine_restore, law.restore))
    looser = any(own is not None and legal is not None and own > legal for own, legal in pairs)
    by_law = alarm == law.alarm
    return GasLimit(
        alarm=alarm,
        cut=_lowest(law.power_off, mine_cut),
        restore=restore,
        rule=law.rule_id if by_law else "mine",
        source=law.source if by_law else "CDDY",
        confidence=law.confidence if by_law else "mine",
        note=UNMATCHED if law.location_code == _UNMATCHED_CH4 else LOOSER_THAN_LAW if looser and law.is_law else None,
    )


def velocity_range(air_class: str | None) -> tuple[Limit | None, Limit | None]:
    """Lowest and highest allowed air velocity of a roadway class; null where the class has none."""
    found = {row.direction: row for row in limits_for(air_class or "", "air_velocity")}
    return found.get("low"), found.get("high")


def headcount_cap(
    area_kind: str | None, severe_hazard: bool, *, shift: str = "production", blasting: bool = False
) -> Limit | None:
    """National cap of people at a working place in one shift; null where the rule names none for this kind of area.

    The positioning system's approved number, where stricter, goes before it (PC-63). The site file does not say how a
    face is worked: it is taken as mechanised, and a face worked by blasting declares its own cap there. A cap is for
    the whole day unless the shift is named, so the production shift's, the stricter, is the default.
    """
    hazard = "SEVERE" if severe_hazard else "OTHER"
    if area_kind == "longwall_face":
        code = "LW_BLAST" if blasting else f"LW_{'MAINT' if shift == 'maintenance' else 'PROD'}_{hazard}"
    elif area_kind == "heading":
        code = f"HD_{'BLAST' if blasting else 'MECH'}_{hazard}"
    else:
        return None
    return next(iter(limits_for(code, "headcount")))


def as_row(row: Limit) -> dict[str, Any]:
    """Row of reference.limit."""
    return {field.name: getattr(row, field.name) for field in fields(row)} | {
        "direction": row.direction,
        "is_advisory": row.is_advisory,
    }


def _strictness(row: Limit) -> tuple[bool, float, float]:
    """Sorts the strictest first; rules without a number of their own last."""
    if row.alarm is None:
        return True, 0.0, 0.0
    sign = 1.0 if row.direction == "high" else -1.0
    return False, sign * row.alarm, float("inf") if row.power_off is None else sign * row.power_off


def _lowest(*values: float | None) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _read(row: dict[str, str | None]) -> Limit:
    numbers: dict[str, Any] = {name: number(row[name]) for name in ("alarm", "power_off", "restore")}
    return Limit(**row | numbers | {"is_law": row["is_law"] == "true"})
