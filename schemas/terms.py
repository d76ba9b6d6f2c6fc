"""The field's words: the names that tables and code use, the Chinese beside, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from minefusion.schemas.facts import rows

# Topics of terms.csv, in the order of docs/terms.md.
TOPICS = {
    "places": "地点 · Places",
    "gas": "瓦斯与火灾气体 · Gas and fire gases",
    "air": "通风 · Air",
    "people": "人员 · People",
    "monitoring": "安全监控 · Monitoring",
    "exchange": "联网数据 · Exchange files",
    "tables": "数据表 · Tables",
    "alarms": "指标与报警 · Indices and alarms",
}


@dataclass(frozen=True)
class Term:
    """One word: its name in code, the Chinese term, its meaning in English, and the topic it stands under."""

    term: str
    zh: str
    en: str
    topic: str


@cache
def all_terms() -> tuple[Term, ...]:
    """Every term, as listed."""
    return tuple(Term(**row) for row in rows("terms"))  # type: ignore[arg-type]


def as_row(term: Term) -> dict[str, Any]:
    """Row of reference.term."""
    return {"term": term.term, "zh": term.zh, "en": term.en}
