"""From which values a roadway is avoided on the way out, and from which nobody is sent through it, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from minefusion.schemas.facts import number, rows


@dataclass(frozen=True)
class AirLimit:
    """One quantity. `comparison`: how a value stands to a step that it reaches, >= or <."""

    quantity: str
    name_zh: str
    name_en: str
    comparison: str
    avoided: float
    forbidden: float
    unit: str
    source: str
    confidence: str
    note: str | None


@cache
def air_limits() -> dict[str, AirLimit]:
    """By quantity."""
    found = {}
    for row in rows("escape_limits"):
        steps = {name: number(row[name]) or 0.0 for name in ("avoided", "forbidden")}
        found[row["quantity"] or ""] = AirLimit(**(row | steps))  # type: ignore[arg-type]
    return found
