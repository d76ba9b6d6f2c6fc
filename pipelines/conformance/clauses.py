"""The clauses of conformance: what each check found, as counts and as examples that name file, record and way out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from minefusion.schemas.quality import QualityRule, quality_rules

if TYPE_CHECKING:
    from minefusion.pipelines.conformance.feed import Feed

# So many violations of a clause are shown; their number is told in full.
MOST_EXAMPLES = 20
Check = Callable[["Feed"], "list[Found]"]


@dataclass(frozen=True)
class Example:
    """One violation. `record` is the place in the file, from 1; null where the whole file or feed is meant."""

    file: str
    record: int | None
    mine_code: str | None
    kind: str | None
    entity: str | None
    problem_zh: str
    problem_en: str
    mend_zh: str
    mend_en: str


@dataclass(frozen=True)
class Found:
    """What one check found about one clause.

    Attributes:
        checked: things that were looked at.
        rows: what breaks it. Columns, each of which may be missing: file_index or file; position; mine_code, kind,
            entity; zh and en, what is wrong; mend_zh and mend_en, where the rule's own words are not right.
    """

    clause: str
    checked: int
    rows: pl.DataFrame = field(default_factory=pl.DataFrame)


@dataclass(frozen=True)
class Clause:
    """One clause answered. Nothing to check is no violation."""

    rule: QualityRule
    checked: int
    violations: int
    examples: tuple[Example, ...]

    @property
    def ok(self) -> bool:
        return not self.violations

    def as_row(self) -> dict[str, Any]:
        """Its keys in the command's JSON."""
        rule = self.rule
        return {
            "clause": rule.rule,
            "title_zh": rule.title_zh,
            "title_en": rule.title_en,
            "ok": self.ok,
            "checked": self.checked,
            "violations": self.violations,
            "examples": [vars(example) for example in self.examples],
            "subject": rule.subject,
            "dimension": rule.dimension,
            "check_zh": rule.check_zh,
            "check_en": rule.check_en,
            "action": rule.action,
            "source": rule.source,
            "confidence": rule.confidence,
        }


@dataclass(frozen=True)
class Conformance:
    """Every clause, in the order of the rules."""

    clauses: tuple[Clause, ...]
    files: int
    records: int
    mines: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return all(clause.ok for clause in self.clauses)


def conformance(feed: Feed, checks: Sequence[Check]) -> Conformance:
    """Check a feed against every clause."""
    found = [each for check in checks for each in check(feed)]
    clauses = tuple(
        _clause(rule, [each for each in found if each.clause == rule.rule], feed) for rule in quality_rules().values()
    )
    return Conformance(clauses, len(feed.files), int(feed.files["records_sent"].sum() or 0), tuple(feed.mines()))


def _clause(rule: QualityRule, found: Sequence[Found], feed: Feed) -> Clause:
    examples = [example for each in found for example in _examples(rule, each.rows, feed)]
    return Clause(
        rule,
        checked=sum(each.checked for each in found),
        violations=sum(len(each.rows) for each in found),
        examples=tuple(examples[:MOST_EXAMPLES]),
    )


def _examples(rule: QualityRule, rows: pl.DataFrame, feed: Feed) -> list[Example]:
    """The first violations, in the order of the files."""
    if rows.is_empty():
        return []
    if "file_index" in rows.columns:
        by = ["file_index", *(["position"] if "position" in rows.columns else [])]
        rows = rows.sort(by, maintain_order=True, nulls_last=True).head(MOST_EXAMPLES)
        about = feed.files.select(
            "file_index", pl.col("path").alias("file"), pl.col("mine_code").alias("_mine"), "named"
        )
        rows = rows.join(about, on="file_index", how="left", maintain_order="left")
    shown = []
    for row in rows.head(MOST_EXAMPLES).iter_rows(named=True):
        shown.append(
            Example(
                file=row.get("file") or "",
                record=row.get("position"),
                mine_code=row.get("mine_code") or row.get("_mine"),
                kind=row.get("kind") or row.get("named"),
                entity=row.get("entity"),
                problem_zh=row["zh"],
                problem_en=row["en"],
                mend_zh=row.get("mend_zh") or rule.mend_zh,
                mend_en=row.get("mend_en") or rule.mend_en,
            )
        )
    return shown
