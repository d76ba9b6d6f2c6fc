"""What an engine can do, and the write protocol that both share.

A write is exactly once because (1) it is computed as the difference between the rows that should be there and the
rows that are, so a repeated run finds nothing to do, (2) it is committed on the very version of the table that the
difference was computed from, so a second writer cannot slip in between, and (3) a job's last commit carries the
version of the input it has used up as Delta's own application transaction, so a job knows how far every table is.
"""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import narwhals as nw
import polars as pl
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from minefusion.schemas.catalog import table_uri
from minefusion.schemas.errors import MissingError
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

if TYPE_CHECKING:
    from minefusion.pipelines.engines.light import LightEngine
    from minefusion.pipelines.exchange.packs import OnDisk
    from minefusion.schemas.settings import Settings

logger = logging.getLogger(__name__)

INSERT, UPDATE, DELETE, SAME = "insert", "update", "delete", "same"
OP = "_op"
WAS_ON = "_was_on"

# A day with so many small files gets them joined into files of about so many bytes.
COMPACT_FROM, JOINED_BYTES = 48, 64 << 20
# Earlier versions, and the log of how they came to be, are kept so long: no reader takes longer over one.
KEPT_HOURS = 6

TABLE_PROPERTIES = {
    "delta.checkpointInterval": "50",
    "delta.dataSkippingNumIndexedCols": "8",
    "delta.enableDeletionVectors": "false",
    "delta.logRetentionDuration": f"interval {KEPT_HOURS} hours",
    "delta.deletedFileRetentionDuration": f"interval {KEPT_HOURS} hours",
}


class BeatenError(RuntimeError):
    """Another writer changed the table first: what was computed from it no longer holds, so compute it again."""


@dataclass(frozen=True)
class Consumed:
    """The input that a commit has used up: application name and version, Delta's own checkpoint."""

    app: str
    version: int


@dataclass(frozen=True)
class Written:
    """What a write did: `changed` rows inserted, updated and deleted; `rows` is how many the part holds now."""

    changed: int
    rows: int


@dataclass(frozen=True)
class Filters:
    """Which rows of a table are wanted. What is None does not filter.

    Attributes:
        window: rows whose `table.time` lies in it; its days are the partitions read.
        days: partitions.
        mines: mine codes.
        batches: rows of the ingest batches after the first number, up to and with the second.
    """

    window: Window | None = None
    days: tuple[str, ...] | None = None
    mines: tuple[str, ...] | None = None
    batches: tuple[int, int] | None = None

    def expressions(self, table: Table) -> list[nw.Expr]:
        wanted = []
        if self.days is not None and table.partition:
            wanted.append(nw.col("day").is_in(list(self.days)))
        if self.window is not None and table.time:
            wanted += [nw.col(table.time) >= self.window.start, nw.col(table.time) < self.window.end]
        if self.mines is not None:
            wanted.append(nw.col("mine_code").is_in(list(self.mines)))
        if self.batches is not None:
            wanted += [nw.col("batch") > self.batches[0], nw.col("batch") <= self.batches[1]]
        return wanted


@dataclass(frozen=True)
class Part:
    """A part of a table as it was read, and the version that it was read from.

    `is_empty`: the table's log alone says that it holds no rows.
    """

    table: Table
    rows: nw.LazyFrame
    version: int
    is_empty: bool = False

    def filter(self, *wanted: nw.Expr) -> Part:
        return replace(self, rows=self.rows.filter(*wanted))


@dataclass(frozen=True)
class Exchange:
    """What exchange files hold: one row per file, here, and one per record, on the engine.

    Columns as in `exchange.packs.read_pack`; `file_index` is a file's place among those that were asked for.
    """

    files: pa.Table
    records: nw.LazyFrame


class Engine(ABC):
    """One way to run transformations and keep Delta tables.

    Attributes:
        rows_read: rows in the data files that reads had to look at, after days and statistics ruled others out. It
            shows that the cost of a job follows what is new and not what is there.
    """

    name: str
    # Hazard indices that one plan may hold.
    indices_at_once: int

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rows_read = 0
        self._handles: dict[str, DeltaTable] = {}

    @property
    @abstractmethod
    def in_process(self) -> LightEngine:
        """The engine for what is small on any machine, such as the ledger of a batch or a mine's points."""

    def expects(self, rows: int) -> None:  # noqa: B027
        """Be told how many rows come next, where an engine may work differently on few and on many."""

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
    def together(self, frames: Sequence[nw.LazyFrame]) -> nw.LazyFrame:
        """The rows of several plans with the same columns, in the form in which the engine works them out fastest."""

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

    # ── exchange files ──────────────────────────────────────────────────────────────────────────────────────────
    @abstractmethod
    def read_exchange(self, files: Sequence[OnDisk]) -> Exchange:
        """Read exchange files; the reader runs where the engine runs."""

    # ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────
    @abstractmethod
    def _scan(self, table: Table, files: Sequence[str]) -> nw.LazyFrame:
        """The table's rows; those that are wanted lie in these data files."""

    @abstractmethod
    def _append(self, delta: DeltaTable, table: Table, rows: nw.LazyFrame, consumed: Consumed | None) -> None:
        """Add rows on the version that `delta` stands at. Raises BeatenError where the table moved on."""

    @abstractmethod
    def _merge(
        self, delta: DeltaTable, table: Table, changes: nw.LazyFrame, days: Sequence[str], consumed: Consumed | None
    ) -> None:
        """Carry out the changes on the version that `delta` stands at. Raises BeatenError where the table moved on."""

    @abstractmethod
    def _create(self, table: Table) -> None: ...

    def uri(self, table: Table) -> str:
        return table_uri(self.settings.tables_root, table)

    def exists(self, table: Table) -> bool:
        return self._newest(table) is not None

    def consumed(self, table: Table, app: str) -> int:
        """The last version of `app`'s input that the table holds; 0 when none. Needs no JVM on either engine."""
        return self.consumed_by(table, [app])[app]

    def consumed_by(self, table: Table, apps: Iterable[str]) -> dict[str, int]:
        """The same of several applications at once."""
        delta = self._newest(table)
        return {app: _consumed(delta, app) if delta else 0 for app in apps}

    def days(self, table: Table) -> list[str]:
        """The partitions that hold data, in order; the log says so, no row is read."""
        return sorted(self._files_by_day(table))

    def rows_in(self, table: Table) -> int:
        """How many rows the table holds; the log says so, no row is read."""
        delta = self._newest(table)
        return sum(files_behind(delta, table, Filters()).values()) if delta else 0

    def compact(self, table: Table, *, newest_day: bool = False, from_files: int | None = None) -> int:
        """Join the many small files of the days before the newest one, or of that one too; rows stay as they are.

        Each minute adds files; a table is as fast as its log is short. A stream, which adds some each second, does not
        wait for the day to end. Returns how many files were joined.

        Args:
            from_files: a day with so many small files gets them joined; COMPACT_FROM where left out.
        """
        by_day = self._files_by_day(table, up_to_bytes=JOINED_BYTES // 2)
        joined = 0
        for day in sorted(by_day)[: None if newest_day else -1]:
            if by_day[day] >= (from_files or COMPACT_FROM):
                filters = [("day", "=", day)] if table.partition else None
                self._opened(table).optimize.compact(partition_filters=filters, target_size=JOINED_BYTES)
                joined += by_day[day]
        return joined

    def trim(self, table: Table, *, orphans: bool = False) -> int:
        """Remove the data files that no version of the last hours needs; commits remove their own log by themselves.

        Returns how many there were.

        Args:
            orphans: also files that no version ever named, as a killed writer leaves them; the folder is listed.
        """
        delta = self._opened(table)
        if any(delta.metadata().configuration.get(key) != value for key, value in TABLE_PROPERTIES.items()):
            delta.alter.set_table_properties(dict(TABLE_PROPERTIES))
        vacuum = partial(delta.vacuum, retention_hours=KEPT_HOURS, enforce_retention_duration=False, full=orphans)
        # The log goes on naming files that are gone already.
        gone = [
            file for file in vacuum(dry_run=True) if in_object_store(self.uri(table)) or self._is_there(table, file)
        ]
        if gone:
            vacuum(dry_run=False)
        return len(gone)

    def checkpoint(self, table: Table) -> None:
        """Write the state of the table, with what its jobs have used up, in one file; remove the log behind it that no
        version of the last hours needs."""
        delta = self._opened(table)
        delta.create_checkpoint()
        delta.cleanup_metadata()

    def _is_there(self, table: Table, file: str) -> bool:
        return os.path.isfile(os.path.join(self.uri(table), unquote(file)))

    def _files_by_day(self, table: Table, *, up_to_bytes: int | None = None) -> Counter[str]:
        delta = self._newest(table)
        if delta is None:
            return Counter()
        files = pl.DataFrame(pl.from_arrow(pa.table(delta.get_add_actions(flatten=True))))
        if files.is_empty():
            return Counter()
        if up_to_bytes is not None:
            files = files.filter(pl.col("size_bytes") <= up_to_bytes)
        return Counter(files["partition.day"].to_list() if table.partition else [""] * len(files))

    def read(
        self,
        table: Table,
        *,
        window: Window | None = None,
        days: Sequence[str] | None = None,
        mines: Sequence[str] | None = None,
        batches: tuple[int, int] | None = None,
    ) -> nw.LazyFrame:
        """The rows that pass these `Filters`; none where the table was never written."""
        return self.part(table, window=window, days=days, mines=mines, batches=batches).rows

    def part(
        self,
        table: Table,
        *,
        window: Window | None = None,
        days: Sequence[str] | None = None,
        mines: Sequence[str] | None = None,
        batches: tuple[int, int] | None = None,
    ) -> Part:
        """As `read`, to be made equal to other rows by `replace`."""
        delta = self._newest(table)
        if delta is None:
            return Part(table, self.empty(table), -1, is_empty=True)
        if window is not None and table.partition and days is None:
            days = window.days()
        filters = Filters(window, _fixed(days), _fixed(mines), batches)
        files = files_behind(delta, table, filters)
        looked_at = sum(files.values())
        self.rows_read += looked_at
        if looked_at == 0:
            return Part(table, self.empty(table), delta.version(), is_empty=True)
        rows = self._scan(table, list(files))
        for wanted in filters.expressions(table):
            rows = rows.filter(wanted)
        return Part(table, rows.select(*table.names), delta.version())

    def append(self, table: Table, rows: nw.LazyFrame, consumed: Consumed | None = None) -> None:
        """Add rows once: nothing is done where the table already holds `consumed`.

        Raises:
            BeatenError: another writer was faster.
        """
        delta = self._opened(table)
        if consumed is not None and _consumed(delta, consumed.app) >= consumed.version:
            logger.info("%s already holds %s %d", table.name, consumed.app, consumed.version)
            return
        self._append(delta, table, rows.select(*table.names), consumed)

    def mark(self, table: Table, *consumed: Consumed) -> None:
        """Commit no rows, only how far the table has come; nothing where it has come so far.

        Raises:
            BeatenError: another writer was faster.
        """
        delta = self._opened(table)
        due = [each for each in consumed if _consumed(delta, each.app) < each.version]
        if due:
            self.in_process.commit(delta, table, None, due)

    def replace(self, part: Part, rows: nw.LazyFrame, *, consumed: Consumed | None = None) -> Written:
        """Make the part equal to `rows`; write nothing where it already is.

        A changed row keeps its key and, where the table has one, gets a revision one higher. The part must hold every
        row of the table that `rows` stands for, and is what was read before `rows` were computed.

        Raises:
            BeatenError: another writer changed the table since the part was read.
        """
        table = part.table
        delta = self._opened(table)
        if part.version not in (delta.version(), -1) or (part.version == -1 and delta.version() > 0):
            raise BeatenError(f"{table.name} moved from version {part.version} to {delta.version()} meanwhile")
        if consumed is not None and _consumed(delta, consumed.app) >= consumed.version:
            consumed = None
        if part.is_empty:
            changes = self.cached(first_rows(rows, table))
            counts = {INSERT: self.to_arrow(changes.select(nw.len().alias("n")))["n"][0].as_py()}
        else:
            changes = self.cached(changes_between(rows, part.rows, table))
            counted = self.to_arrow(changes.group_by(OP).agg(nw.len().alias("n")))
            counts = {row[OP]: row["n"] for row in counted.to_pylist()}
        changed = sum(counts.get(op, 0) for op in (INSERT, UPDATE, DELETE))
        if changed and set(counts) <= {INSERT, SAME}:
            new = changes if part.is_empty else changes.filter(nw.col(OP) == INSERT)
            self._append(delta, table, new.select(*table.names), consumed)
        elif changed:
            moved = changes.filter(nw.col(OP) != SAME)
            self._merge(delta, table, moved, self._days(moved) if table.partition else [], consumed)
        elif consumed is not None:
            self.mark(table, consumed)
        if changed:
            logger.info("%s: %s", table.name, ", ".join(f"{n} {op}" for op, n in sorted(counts.items())))
        return Written(changed=changed, rows=sum(n for op, n in counts.items() if op != DELETE))

    def _days(self, changes: nw.LazyFrame) -> list[str]:
        """The partitions that the changes touch: those that rows go to and those that they leave."""
        days = self.to_arrow(changes.select("day", WAS_ON).unique())
        return sorted({day for name in ("day", WAS_ON) for day in days[name].to_pylist() if day is not None})

    def _opened(self, table: Table) -> DeltaTable:
        """The table at its newest version; made where it was never written."""
        delta = self._newest(table)
        if delta is None:
            self._create(table)
            delta = self._newest(table)
        assert delta is not None
        return delta

    def _newest(self, table: Table) -> DeltaTable | None:
        """The table at its newest version; None where it was never written.

        One handle a table is kept and moved on, which is several times faster than opening it.
        """
        uri = self.uri(table)
        delta = self._handles.get(uri)
        if delta is not None and (
            in_object_store(uri) or os.path.isfile(f"{uri}/_delta_log/{delta.version():020}.json")
        ):
            delta.update_incremental()
            return delta
        self._handles.pop(uri, None)
        delta = _open(uri)
        if delta is not None:
            self._handles[uri] = delta
        return delta


def in_object_store(uri: str) -> bool:
    return uri.startswith("s3://")


def _open(uri: str) -> DeltaTable | None:
    try:
        return DeltaTable(uri)
    except TableNotFoundError:
        return None
    except (OSError, DeltaError) as error:
        if not in_object_store(uri):
            raise
        raise MissingError(
            f"expected an S3-compatible store to answer for {uri}, got: {' '.join(str(error).split())[:300]}; "
            "give its address and keys by AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION"
        ) from error


def root_of(delta: DeltaTable) -> str:
    """The table's folder, or its address in an object store, as it was named and without a final /."""
    return unquote(delta.table_uri.removeprefix("file://")).rstrip("/")


def first_rows(rows: nw.LazyFrame, table: Table) -> nw.LazyFrame:
    """The rows as they are inserted where there were none."""
    if "revision" in table.names:
        rows = rows.with_columns(nw.lit(0).cast(nw.Int32).alias("revision"))
    return rows.select(*table.names)


def changes_between(rows: nw.LazyFrame, existing: nw.LazyFrame, table: Table) -> nw.LazyFrame:
    """Each row with what is to be done to it, insert, update, delete or same, and the day that it was on before.

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
    op = nw.when(~known).then(nw.lit(INSERT)).otherwise(nw.when(same).then(nw.lit(SAME)).otherwise(nw.lit(UPDATE)))
    joined = joined.with_columns(op.alias(OP))
    if revised:
        before_revision = nw.col("_before_revision").fill_null(-1)
        raised = nw.when(nw.col(OP) == SAME).then(before_revision).otherwise(before_revision + 1)
        joined = joined.with_columns(raised.cast(nw.Int32).alias("revision"))
    was_on = nw.col("_before_day" if "day" in values else "day") if table.partition else nw.lit(None, dtype=nw.String)
    joined = joined.with_columns(was_on.alias(WAS_ON))
    gone = existing.join(rows.select(*key), on=key, how="anti")
    gone = gone.with_columns(nw.lit(DELETE).alias(OP), nw.lit(None, dtype=nw.String).alias(WAS_ON))
    return nw.concat([part.select(*table.names, OP, WAS_ON) for part in (joined, gone)], how="vertical")


def merge_condition(table: Table, days: Sequence[str]) -> str:
    """SQL by which a change `s` finds its row `t`. Naming the days keeps the search out of the history."""
    same_key = " AND ".join(f"t.{name} = s.{name}" for name in table.key)
    return same_key + (f" AND t.day IN ({', '.join(repr(day) for day in days)})" if table.partition else "")


def files_behind(delta: DeltaTable, table: Table, filters: Filters) -> dict[str, int]:
    """The data files that days and the files' statistics leave to be read, and the rows in each."""
    files = pl.DataFrame(pl.from_arrow(pa.table(delta.get_add_actions(flatten=True))))
    if files.is_empty():
        return {}
    if filters.days is not None and table.partition:
        files = files.filter(pl.col("partition.day").is_in(filters.days))
    spans: list[tuple[str | None, Any, Any]] = []
    if filters.window:
        spans.append((table.time, filters.window.start, filters.window.end))
    if filters.mines:
        spans.append(("mine_code", min(filters.mines), max(filters.mines) + "\0"))
    if filters.batches:
        spans.append(("batch", filters.batches[0] + 1, filters.batches[1] + 1))
    for name, start, end in spans:
        low, high = f"min.{name}", f"max.{name}"
        if low in files.columns and high in files.columns:
            apart = (pl.col(high) < start) | (pl.col(low) >= end)
            files = files.filter(~apart.fill_null(False))
    root = root_of(delta)
    return {f"{root}/{unquote(path)}": rows or 0 for path, rows in files.select("path", "num_records").iter_rows()}


def _consumed(delta: DeltaTable, app: str) -> int:
    return delta.transaction_version(app) or 0


def _fixed(values: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
