"""DQ-15: every table says who answers for it, what it holds and how it is protected."""

from __future__ import annotations

import polars as pl

from minefusion.pipelines.conformance.clauses import Found
from minefusion.pipelines.conformance.feed import Feed
from minefusion.schemas.catalog import TABLES


def catalogue_complete(_feed: Feed) -> list[Found]:
    """About our own tables, whatever the feed holds."""
    lacking = []
    for table in TABLES.values():
        missing = [name for name in ("doc", "owner", "level", "domain") if not getattr(table, name)]
        if missing:
            words = ", ".join(missing)
            lacking.append(
                {"file": "schemas/governance/tables.csv", "entity": table.name, "zh": f"{table.name} 缺少 {words}",
                 "en": f"{table.name} lacks {words}"}
            )  # fmt: skip
    return [Found("DQ-15", len(TABLES), pl.DataFrame(lacking))]
