"""Kinds of emergencies, and which alarms are signs of which: rows of data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from minefusion.schemas.facts import rows
from minefusion.serving.text import Text

if TYPE_CHECKING:
    from minefusion.serving.alarms.records import Alarm


@dataclass(frozen=True)
class Sign:
    """An alarm that may be the beginning of an emergency. A person judges; nothing is declared by itself."""

    alarm_id: str
    emergency: str
    area_id: str
    level: int
    sentence_zh: str
    sentence_en: str


@cache
def kinds() -> Mapping[str, Text]:
    """Kind → words."""
    found = rows("kinds", "minefusion.serving.emergency")
    return MappingProxyType({row["kind"] or "": Text(row["zh"] or "", row["en"] or "") for row in found})


def emergency_of(class_name: str, kind: str, level: int) -> str | None:
    """The kind of emergency that such an alarm is a sign of: the first row of signs.csv that fits; null: none."""
    for row in _signs():
        fits = (
            row["class"] in (None, class_name)
            and (row["kind"] is None or fnmatchcase(kind, row["kind"]))
            and level >= int(row["least_level"] or 0)
        )
        if fits:
            return row["emergency"]
    return None


def signs(alarms: Iterable[Alarm]) -> list[Sign]:
    """What these alarms are signs of, the gravest first."""
    found = [
        Sign(each.alarm_id, kind, each.area_id, each.level, each.lead.sentence_zh, each.lead.sentence_en)
        for each in alarms
        if (kind := emergency_of(each.class_name, each.lead.kind, each.level)) is not None
    ]
    return sorted(found, key=lambda each: (-each.level, each.alarm_id))


@cache
def _signs() -> tuple[dict[str, str | None], ...]:
    return tuple(rows("signs", "minefusion.serving.emergency"))
