"""Sensor types: what a point of each type code measures, in which unit and within which plausible range.

Codes and names come from the exchange standards as working programs read them; the ranges are this project's own. Each
says so (`confidence`). Adding a sensor type is adding a row to sensor_types.csv.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal

from minefusion.schemas.facts import number, rows
from minefusion.schemas.units import unit_factor

Kind = Literal["analog", "digital", "cumulative"]


@dataclass(frozen=True)
class SensorType:
    """One type of sensor.

    Attributes:
        unit: of the values in silver; null for switches and bare numbers.
        valid_min, valid_max: closed range of plausible values; null where open.
        confidence: of code and name: confirmed (read in a working program), inferred, convention (our own).
        unit_confidence, range_confidence: the same of the unit and the range; null where there is none.
        other_codes, other_names: what some senders write for it.
    """

    code: str
    name_zh: str
    name_en: str
    quantity: str
    unit: str | None
    kind: Kind
    valid_min: float | None
    valid_max: float | None
    source: str
    confidence: str
    unit_confidence: str | None
    range_confidence: str | None
    other_codes: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()

    def factor_from(self, sent_unit: str | None) -> float | None:
        """Sent value × factor = value in the type's unit. 1 where either names none; null where they do not fit."""
        if not sent_unit or not self.unit:
            return 1.0
        return unit_factor(sent_unit, self.unit)


@cache
def all_sensor_types() -> tuple[SensorType, ...]:
    """Every type, as listed."""
    return tuple(_read(row) for row in rows("sensor_types"))


def sensor_type(code: str | None) -> SensorType | None:
    """The type of a code, also of one that only some senders use; null where unknown."""
    return _by_code().get((code or "").strip())


def sensor_type_by_name(name: str | None) -> SensorType | None:
    """The type of a Chinese name as senders write it ("甲烷", "CO传感器"); null where unknown.

    Where several types have one name, as ground pressure and safety monitoring do, the one listed first is meant.
    """
    return _by_name().get(_plain(name or ""))


def as_row(kind: SensorType) -> dict[str, Any]:
    """Row of reference.sensor_type."""
    left_out = {"other_codes", "other_names"}
    return {field.name: getattr(kind, field.name) for field in fields(kind) if field.name not in left_out}


def _read(row: dict[str, str | None]) -> SensorType:
    lists = {name: tuple((row[name] or "").split()) for name in ("other_codes", "other_names")}
    numbers = {name: number(row[name]) for name in ("valid_min", "valid_max")}
    return SensorType(**row | numbers | lists)  # type: ignore[arg-type]


@cache
def _by_code() -> dict[str, SensorType]:
    return {code: kind for kind in all_sensor_types() for code in (kind.code, *kind.other_codes)}


@cache
def _by_name() -> dict[str, SensorType]:
    found: dict[str, SensorType] = {}
    # Official names first: no short form of one type may hide the name of another.
    for kind in all_sensor_types():
        found.setdefault(_plain(kind.name_zh), kind)
    for kind in all_sensor_types():
        for name in kind.other_names:
            found.setdefault(_plain(name), kind)
    return found


def _plain(name: str) -> str:
    """Without what stands in brackets and without the word "sensor"; full-width letters as plain ones."""
    text = unicodedata.normalize("NFKC", name).strip()
    return re.sub(r"\(.*?\)", "", text).removesuffix("传感器").strip().upper()
