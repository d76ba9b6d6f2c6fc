"""Rules of data quality as rows: what a feed and a table are measured by, and what is done where they fall short.

`quality_rules.csv` holds the clauses of `minefusion conform`: CF-01 to CF-07 about the feed, DQ-01 to DQ-15 about its
data (PC-87). `quality_findings.csv` says which rule each finding of gold.data_quality belongs to, in words. A new rule
or finding is a new row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from minefusion.schemas.errors import InputError
from minefusion.schemas.facts import number, rows

# The dimensions of GB/T 36344 and, for DQ-14, uniqueness.
DIMENSIONS = (
    "standardness", "completeness", "accuracy", "consistency", "timeliness", "uniqueness", "accessibility",
)  # fmt: skip
CONFIDENCES = ("confirmed", "inferred", "convention")


@dataclass(frozen=True)
class QualityRule:
    """One rule.

    Attributes:
        subject: what it is about, in few words.
        check_zh, check_en: when it is kept.
        action: what is done with what breaks it. `mark`: the word for that in tables.
        limit: its number, in `unit`; null where it has none, or where the kind of file gives it.
        mend_zh, mend_en: what to do.
    """

    rule: str
    dimension: str
    subject: str
    title_zh: str
    title_en: str
    check_zh: str
    check_en: str
    action: str
    mark: str
    limit: float | None
    unit: str | None
    mend_zh: str
    mend_en: str
    source: str
    confidence: str

    @property
    def threshold(self) -> float:
        """The limit of a rule that has one. Raises InputError where it has none."""
        if self.limit is None:
            raise InputError(f"expected a limit of {self.rule} in schemas/quality_rules.csv, got none; add it there")
        return self.limit


@dataclass(frozen=True)
class Finding:
    """What gold.data_quality may find: its rule, and its words. The count beside it says of how many."""

    code: str
    rule: str
    zh: str
    en: str


@cache
def quality_rules() -> Mapping[str, QualityRule]:
    """Every rule by its number, in the order of the table."""
    found = {}
    for row in rows("quality_rules"):
        given = row | {"limit": number(row["limit"])}
        found[row["rule"] or ""] = QualityRule(**given)  # type: ignore[arg-type]
    return MappingProxyType(found)


def quality_rule(rule: str) -> QualityRule:
    """Raises InputError for a rule that the table lacks."""
    if rule not in quality_rules():
        raise InputError(
            f"expected a rule of schemas/quality_rules.csv, got '{rule}'; there are: {', '.join(quality_rules())}"
        )
    return quality_rules()[rule]


@cache
def findings() -> Mapping[str, Finding]:
    """Every finding of gold.data_quality by its code."""
    return MappingProxyType({row["code"] or "": Finding(**row) for row in rows("quality_findings")})  # type: ignore[arg-type]
