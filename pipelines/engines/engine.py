"""What an engine can do, and the write protocol that both share.

A write is exactly once because (1) it is computed as the difference between the rows that should be there and the
rows that are, so a repeated run finds nothing to do, and (2) each commit carries the version of the input it consumed
as Delta's own application transaction, so a job knows how far every table has come.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pyarrow as pa

from minefusion.schemas.catalog import table_path
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

if TYPE_CHECKING:
    from minefusion.schemas.settings import Settings

logger = logging.getLogger(__name__)

INSERT, UPDATE, DELETE = "insert", "update", "delete"
OP = "_op"

TABLE_PROPERTIES = {
    "delta.checkpointInterval": "50",
    "delta.dataSkippingNumIndexedCols": "8",
    "delta.enableDeletionVectors": "false",
}


@dataclass(frozen=True)
class Consumed:
    """The input that a commit has used up: application name and version, Delta's own checkpoint."""

    app: str
    version: int


@dataclass(frozen=True)
class Written:
    """What a write did: rows inserted, updated and deleted; `rows` is how many the window holds now."""

    changed: int
    rows: int


class Engine(ABC):
    """One way to run transformations and keep Delta tables."""

    name: str

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rows_read = 0

    # ── frames ──────────────────────────────────────────────────────────────────────────────────────────────────
    @abstractmethod
    def from_arrow(self, rows: pa.Table) -> nw.LazyFrame:
        """A frame on this engine."""

    @abstractmethod
    def to_arrow(self, frame: nw.LazyFrame) -> pa.Table:
        """Run the plan and bring its rows here."""

    @abstractmethod
    def cached(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        """The same rows, computed once and kept until `release`."""

    @abstractmethod
    def release(self) -> None:
        """Let go of what `cached` kept."""

    @abstractmethod
    def with_epoch(self, frame: nw.LazyFrame, column: str, name: str) -> nw.LazyFrame:
        """Add `name`: the instant in `column` as whole microseconds since 1970 (int64)."""

    @abstractmethod
    def grouped(
        self, frame: nw.LazyFrame, keys: Sequence[str], function: Callable[[pa.Table], pa.Table], schema: pa.Schema
    ) -> nw.LazyFrame:
        """Run an Arrow-in, Arrow-out function on each group."""

    def frame(self, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> nw.LazyFrame:
        """A small frame from dictionaries."""
        return self.from_arrow(pa.Table.from_pylist(list(rows), schema=schema))

    def empty(self, table: Table) -> nw.LazyFrame:
        return self.from_arrow(table.arrow_schema().empty_table())

    # ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────
    @abstractmethod
    def _scan(self, table: Table, days: Sequence[str] | None, window: Window | None) -> nw.LazyFrame:
        """The table's rows, pruned by day and, as far as statistics go, by time."""

    @abstractmethod
    def _append(self, table: Table, rows: nw.LazyFrame, consumed: Consumed | None) -> None: ...

    @abstractmethod
    def _merge(self, table: Table, changes: nw.LazyFrame, days: Sequence[str], consumed: Consumed | None) -> None: ...

    @abstractmethod
    def _mark(self, table: Table, consumed: Consumed) -> None:
        """Commit no rows, only how far the table has come."""

    @abstractmethod
    def _create(self, table: Table) -> None: ...

    def path(self, table: Table) -> Path:
        return table_path(self.settings.lake, table)

    def exists(self, table: Table) -> bool:
        return (self.path(table) / "_delta_log").is_dir()

    def consumed(self, table: Table, app: str) -> int:
        """The last version of `app`'s input that the table holds; 0 when none. Needs no JVM on either engine."""
        if not self.exists(table):
            return 0
        from deltalake import DeltaTable

        return DeltaTable(str(self.path(table))).transaction_version(app) or 0

    def read(
        self,
        table: Table,
        *,
        window: Window | None = None,
        days: Sequence[str] | None = None,
        mines: Sequence[str] | None = None,
    ) -> nw.LazyFrame:
        """Rows whose `table.time` lies in `window` (or whose partition is in `days`), of `mines` or of all."""
        if not self.exists(table):
            return self.empty(table)
        if window is not None and table.partition:
            days = window.days()
        rows = self._scan(table, days, window)
        if days is not None and table.partition:
            rows = rows.filter(nw.col("day").is_in(list(days)))
        if window is not None and table.time:
            rows = rows.filter(nw.col(table.time) >= window.start, nw.col(table.time) < window.end)
        if mines is not None:
            rows = rows.filter(nw.col("mine_code").is_in(list(mines)))
        return rows.select(*table.names)

    def append(self, table: Table, rows: nw.LazyFrame, consumed: Consumed | None = None) -> None:
        """Add rows once: a commit whose `consumed` the table already holds is skipped."""
        if consumed is not None and self.consumed(table, consumed.app) >= consumed.version:
            logger.info("%s already holds %s %d", table.name, consumed.app, consumed.version)
            return
        if not self.exists(table):
            self._create(table)
        self._append(table, rows.select(*table.names), consumed)

    def replace(
        self,
        table: Table,
        rows: nw.LazyFrame,
        existing: nw.LazyFrame,
        *,
        consumed: Consumed | None = None,
    ) -> Written:
        """Make `existing`, a part of the table, equal to `rows`; write nothing where they already are.

        A changed row keeps its key and, where the table has one, gets a revision one higher. `existing` must hold
        every row of the part that `rows` stands for, read through `read`.
        """
        if not self.exists(table):
            self._create(table)
        changes = self.cached(changes_between(rows, existing, table))
        counts = {
            row[OP]: row["n"] for row in self.to_arrow(changes.group_by(OP).agg(nw.len().alias("n"))).to_pylist()
        }
        changed = sum(counts.get(op, 0) for op in (INSERT, UPDATE, DELETE))
        total = sum(n for op, n in counts.items() if op != DELETE)
        if changed and set(counts) <= {INSERT, "same"}:
            self._append(table, changes.filter(nw.col(OP) == INSERT).select(*table.names), consumed)
        elif changed:
            moved = changes.filter(nw.col(OP) != "same")
            days = sorted(self.to_arrow(moved.select("day").unique())["day"].to_pylist()) if table.partition else []
            self._merge(table, moved, days, consumed)
        elif consumed is not None and self.consumed(table, consumed.app) < consumed.version:
            self._mark(table, consumed)
        if changed:
            logger.info("%s: %s", table.name, ", ".join(f"{n} {op}" for op, n in sorted(counts.items())))
        return Written(changed=changed, rows=total)


def changes_between(rows: nw.LazyFrame, existing: nw.LazyFrame, table: Table) -> nw.LazyFrame:
    """Each row with what is to be done to it: insert, update, delete or same.

    Two rows are the same when all columns but the volatile ones and the revision agree, null with null.
    """
    key = list(table.key)
    values = [name for name in table.content if name not in table.key]
    revised = "revision" in table.names
    kept = [*values, *(["revision"] if revised else [])]
    before = existing.select(
        *key, *(nw.col(name).alias(f"_before_{name}") for name in kept), nw.lit(True).alias("_is_before")
    )
    joined = rows.join(before, on=key, how="left")
    same = nw.lit(True)
    for name in values:
        was, now = nw.col(f"_before_{name}"), nw.col(name)
        same = same & ((was == now).fill_null(False) | (was.is_null() & now.is_null()))
    known = ~nw.col("_is_before").is_null()
    op = nw.when(~known).then(nw.lit(INSERT)).otherwise(nw.when(same).then(nw.lit("same")).otherwise(nw.lit(UPDATE)))
    joined = joined.with_columns(op.alias(OP))
    if revised:
        before_revision = nw.col("_before_revision").fill_null(-1)
        joined = joined.with_columns(
            nw.when(nw.col(OP) == "same").then(before_revision).otherwise(before_revision + 1).cast(nw.Int32).alias("revision")
        )
    gone = existing.join(rows.select(*key), on=key, how="anti").with_columns(nw.lit(DELETE).alias(OP))
    return nw.concat([joined.select(*table.names, OP), gone.select(*table.names, OP)], how="vertical")

