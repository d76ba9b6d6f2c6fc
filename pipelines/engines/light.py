"""Polars and delta-rs in one process: the embedded default, no JVM."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import narwhals as nw
import polars as pl
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake

from minefusion.pipelines.engines.engine import DELETE, OP, TABLE_PROPERTIES, Consumed, Engine
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

_ZSTD = WriterProperties(compression="ZSTD", compression_level=1)


class LightEngine(Engine):
    name = "light"

    def from_arrow(self, rows: pa.Table) -> nw.LazyFrame:
        return nw.from_native(pl.from_arrow(rows).lazy())

    def to_arrow(self, frame: nw.LazyFrame) -> pa.Table:
        return frame.to_native().collect().to_arrow(compat_level=pl.CompatLevel.oldest())

    def cached(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        return nw.from_native(frame.to_native().collect().lazy())

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

    def _open(self, table: Table) -> DeltaTable:
        return DeltaTable(str(self.path(table)))

    def _scan(self, table: Table, days: Sequence[str] | None, window: Window | None) -> nw.LazyFrame:
        delta = self._open(table)
        self.rows_read += _rows_behind(delta, table, days, window)
        return nw.from_native(pl.scan_delta(delta))

    def _create(self, table: Table) -> None:
        DeltaTable.create(
            str(self.path(table)),
            schema=table.arrow_schema(),
            mode="ignore",
            partition_by=list(table.partition) or None,
            configuration=dict(TABLE_PROPERTIES),
        )

    def _append(self, table: Table, rows: nw.LazyFrame, consumed: Consumed | None) -> None:
        write_deltalake(
            self._open(table),
            self.to_arrow(rows).cast(table.arrow_schema()),
            mode="append",
            writer_properties=_ZSTD,
            commit_properties=_commit(consumed),
        )

    def _mark(self, table: Table, consumed: Consumed) -> None:
        self._append(table, self.empty(table), consumed)

    def _merge(self, table: Table, changes: nw.LazyFrame, days: Sequence[str], consumed: Consumed | None) -> None:
        same_key = " AND ".join(f"t.{name} = s.{name}" for name in table.key)
        literal_days = f" AND t.day IN ({', '.join(repr(day) for day in days)})" if table.partition else ""
        every = {name: f"s.{name}" for name in table.names}
        (
            self._open(table)
            .merge(
                source=self.to_arrow(changes),
                predicate=same_key + literal_days,
                source_alias="s",
                target_alias="t",
                writer_properties=_ZSTD,
                commit_properties=_commit(consumed),
            )
            .when_matched_delete(predicate=f"s.{OP} = '{DELETE}'")
            .when_matched_update(updates=every, predicate=f"s.{OP} <> '{DELETE}'")
            .when_not_matched_insert(updates=every, predicate=f"s.{OP} <> '{DELETE}'")
            .execute()
        )


def _commit(consumed: Consumed | None) -> CommitProperties | None:
    if consumed is None:
        return None
    return CommitProperties(app_transactions=[Transaction(consumed.app, consumed.version)])


def _rows_behind(delta: DeltaTable, table: Table, days: Sequence[str] | None, window: Window | None) -> int:
    """Rows in the data files that pruning by day and by the time's statistics leaves to be read."""
    actions = pl.from_arrow(pa.table(delta.get_add_actions(flatten=True)))
    if actions.is_empty():
        return 0
    if days is not None and table.partition:
        actions = actions.filter(pl.col("partition.day").is_in(list(days)))
    low, high = f"min.{table.time}", f"max.{table.time}"
    if window is not None and low in actions.columns:
        actions = actions.filter(
            pl.col(high).is_null() | ((pl.col(high) >= window.start) & (pl.col(low) < window.end))
        )
    return int(actions["num_records"].sum() or 0)
