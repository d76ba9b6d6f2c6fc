"""Polars and delta-rs in one process: the embedded default, no JVM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError

from minefusion.pipelines.engines.engine import (
    DELETE,
    OP,
    TABLE_PROPERTIES,
    BeatenError,
    Consumed,
    Engine,
    Exchange,
    Part,
    merge_condition,
)
from minefusion.pipelines.exchange.packs import OnDisk, read_pack
from minefusion.schemas.table import Table

POLARS: dict[str, Any] = {
    "string": pl.String,
    "double": pl.Float64,
    "int": pl.Int32,
    "long": pl.Int64,
    "boolean": pl.Boolean,
    "timestamp": pl.Datetime("us", "UTC"),
}
# Spark writes instants in nanoseconds and without a zone.
_AS_SPARK_WRITES = pl.ScanCastOptions(datetime_cast=["nanosecond-downcast", "convert-timezone"])
_ZSTD = WriterProperties(compression="ZSTD", compression_level=1)


# Over few rows each write costs more than it saves; over many, what all indices hold at once costs memory and time.
MANY_ROWS, ALL_AT_ONCE, SOME_AT_ONCE = 500_000, 1_000, 8


class LightEngine(Engine):
    name = "light"
    indices_at_once = ALL_AT_ONCE

    @property
    def in_process(self) -> LightEngine:
        return self

    def expects(self, rows: int) -> None:
        self.indices_at_once = SOME_AT_ONCE if rows >= MANY_ROWS else ALL_AT_ONCE

    def from_arrow(self, rows: pa.Table) -> nw.LazyFrame:
        return nw.from_native(pl.DataFrame(pl.from_arrow(rows)).lazy())

    def to_arrow(self, frame: nw.LazyFrame) -> pa.Table:
        return frame.to_native().collect().to_arrow(compat_level=pl.CompatLevel.oldest())

    def cached(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        return nw.from_native(frame.to_native().collect().lazy())

    def together(self, frames: Sequence[nw.LazyFrame]) -> nw.LazyFrame:
        """One after the other: Polars plans forty at once five times longer than each alone."""
        return nw.concat([self.cached(frame) for frame in frames], how="vertical")

    def release(self) -> None:
        """Nothing to let go: frames are freed with their last use."""

    def with_epoch(self, frame: nw.LazyFrame, column: str, name: str) -> nw.LazyFrame:
        return nw.from_native(frame.to_native().with_columns(pl.col(column).dt.epoch("us").alias(name)))

    def grouped(
        self, frame: nw.LazyFrame, keys: Sequence[str], function: Callable[[pa.Table], pa.Table], schema: pa.Schema
    ) -> nw.LazyFrame:
        groups = frame.to_native().collect().partition_by(*keys, maintain_order=True)
        done = [function(group.to_arrow(compat_level=pl.CompatLevel.oldest())).cast(schema) for group in groups]
        return self.from_arrow(pa.concat_tables(done) if done else schema.empty_table())

    def read_exchange(self, files: Sequence[OnDisk]) -> Exchange:
        read = read_pack(files, range(len(files)))
        return Exchange(read.files, self.from_arrow(read.records))

    def _scan(self, table: Table, files: Sequence[str]) -> nw.LazyFrame:
        """By the files' names: `pl.scan_delta` finds no lake whose path has a blank or a Chinese character in it."""
        rows = pl.scan_parquet(
            list(files),
            glob=False,
            schema={name: POLARS[table.column(name).type] for name in table.names if name not in table.partition},
            hive_partitioning=bool(table.partition),
            hive_schema=dict.fromkeys(table.partition, pl.String) or None,
            cast_options=_AS_SPARK_WRITES,
            missing_columns="insert",
            extra_columns="ignore",
        )
        return nw.from_native(rows)

    def _create(self, table: Table) -> None:
        DeltaTable.create(
            self.uri(table),
            schema=table.arrow_schema(),
            mode="ignore",
            partition_by=list(table.partition) or None,
            configuration=dict(TABLE_PROPERTIES),
        )

    def _append(self, delta: DeltaTable, table: Table, rows: nw.LazyFrame, consumed: Consumed | None) -> None:
        self.commit(delta, table, self.to_arrow(rows).cast(table.arrow_schema()), [consumed] if consumed else [])

    def append_stream(self, table: Table, pieces: Iterable[pa.Table], consumed: Consumed) -> None:
        """As `append`, of rows in the table's columns and types that come piece by piece and are never held together.

        Raises:
            BeatenError: another writer was faster.
        """
        delta = self._opened(table)
        if self.consumed(table, consumed.app) < consumed.version:
            batches = (batch for piece in pieces for batch in piece.to_batches())
            self.commit(delta, table, pa.RecordBatchReader.from_batches(table.arrow_schema(), batches), [consumed])

    def commit(
        self,
        delta: DeltaTable,
        table: Table,
        rows: pa.Table | pa.RecordBatchReader | None,
        consumed: Sequence[Consumed],
    ) -> None:
        """Add these rows, or none, on the version that `delta` stands at, and what they have consumed.

        Raises:
            BeatenError: another writer was faster.
        """
        with _on_this_version(table):
            write_deltalake(
                delta,
                table.arrow_schema().empty_table() if rows is None else rows,
                mode="append",
                writer_properties=_ZSTD,
                commit_properties=_commit(consumed),
            )

    def remove(self, part: Part, condition: str, consumed: Sequence[Consumed]) -> None:
        """Delete the rows that an SQL condition names, on the version that the part was read from.

        Whole days go without a row of them being read.

        Raises:
            BeatenError: another writer changed the table since the part was read.
        """
        delta = self._opened(part.table)
        if delta.version() != part.version:
            raise BeatenError(f"{part.table.name} moved from version {part.version} to {delta.version()} meanwhile")
        with _on_this_version(part.table):
            delta.delete(condition, writer_properties=_ZSTD, commit_properties=_commit(consumed))

    def _merge(
        self, delta: DeltaTable, table: Table, changes: nw.LazyFrame, days: Sequence[str], consumed: Consumed | None
    ) -> None:
        every = {name: f"s.{name}" for name in table.names}
        with _on_this_version(table):
            (
                delta.merge(
                    source=self.to_arrow(changes),
                    predicate=merge_condition(table, days),
                    source_alias="s",
                    target_alias="t",
                    writer_properties=_ZSTD,
                    commit_properties=_commit([consumed] if consumed else []),
                )
                .when_matched_delete(predicate=f"s.{OP} = '{DELETE}'")
                .when_matched_update(updates=every, predicate=f"s.{OP} <> '{DELETE}'")
                .when_not_matched_insert(updates=every, predicate=f"s.{OP} <> '{DELETE}'")
                .execute()
            )


def _commit(consumed: Sequence[Consumed]) -> CommitProperties:
    """No retries: a commit that lost a race would be repeated on a version that its rows were not computed from.

    delta-rs records application transactions and does not compare them; the caller has, on this very version.
    """
    done = [Transaction(each.app, each.version) for each in consumed]
    return CommitProperties(app_transactions=done, max_commit_retries=0)


@contextmanager
def _on_this_version(table: Table) -> Iterator[None]:
    try:
        yield
    except CommitFailedError as error:
        raise BeatenError(f"{table.name}: another writer was faster ({error})") from error
