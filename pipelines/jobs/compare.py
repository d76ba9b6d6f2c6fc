"""Are two lakes the same? Table by table and row by row, but for the columns that say when a row was written."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import polars as pl

from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas.catalog import TABLES
from minefusion.schemas.settings import Settings, load_settings
from minefusion.schemas.table import Table

# Engines sum in different order, which moves the last digits of a mean.
SAME_WITHIN = 1e-9
# So many rows of a table that differ are shown.
SHOWN = 3


def differences(
    one: Path | Settings,
    other: Path | Settings,
    *,
    tables: Iterable[Table] | None = None,
    ignoring: Collection[str] = (),
) -> dict[str, list[str]]:
    """What differs between two lakes, by table; empty where nothing does.

    Args:
        one: the lake's folder, or settings where its tables lie in an object store; as `other`.
        tables: these alone, else every declared one that either lake holds.
        ignoring: columns that may differ beside each table's volatile ones.
    """
    found: dict[str, list[str]] = {}
    for table in tables if tables is not None else TABLES.values():
        told = _compared(_rows(one, table), _rows(other, table), table, ignoring)
        if told:
            found[table.name] = told
    return found


def _rows(lake: Path | Settings, table: Table) -> pl.DataFrame:
    """The table's rows; none where it was never written, which is the same as written and empty."""
    engine = LightEngine(lake if isinstance(lake, Settings) else load_settings(lake=lake))
    return pl.DataFrame(pl.from_arrow(engine.to_arrow(engine.read(table))))


def _compared(one: pl.DataFrame, other: pl.DataFrame, table: Table, ignoring: Collection[str]) -> list[str]:
    key = list(table.key)
    told = []
    for rows, place in ((one, "first"), (other, "second")):
        if (twice := len(rows) - rows.select(key).n_unique()) > 0:
            told.append(f"{twice} rows with a key that is there already, in the {place}")
    values = [name for name in table.names if name not in (*key, *table.volatile, *ignoring)]
    for rows, others, place in ((one, other, "first"), (other, one, "second")):
        lone = rows.select(key).join(others.select(key), on=key, how="anti", nulls_equal=True)
        if len(lone):
            told.append(f"{len(lone)} rows only in the {place}, such as {lone.head(SHOWN).to_dicts()}")
    both = one.select(*key, *values).join(
        other.select(*key, *values), on=key, how="inner", nulls_equal=True, suffix="_2"
    )
    for name in values:
        differs = both.filter(~_same(name, both.schema[name]))
        if len(differs):
            shown = differs.select(*key, name, f"{name}_2").head(SHOWN).to_dicts()
            told.append(f"{name} differs in {len(differs)} rows, such as {shown}")
    return told


def _same(name: str, kind: pl.DataType) -> pl.Expr:
    this, that = pl.col(name), pl.col(f"{name}_2")
    same = this.eq_missing(that)
    if kind.is_float():
        near = (this - that).abs() <= SAME_WITHIN * pl.max_horizontal(this.abs(), that.abs(), pl.lit(1.0))
        same = same | near.fill_null(False)
    return same
