"""From bronze records to columns: each layout's fields under the names that its rows in the grammar give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals as nw

from minefusion.schemas.exchange.grammar import FIELD_SEPARATOR, record_columns

Layout = tuple[str, str]  # file kind, dialect


def layouts_of(kinds: Sequence[str]) -> list[Layout]:
    """Every record layout of these kinds: main forms and dialects."""
    return [layout for layout in record_columns() if layout[0] in kinds]


def columns(
    records: nw.LazyFrame, layouts: Sequence[Layout], wanted: Mapping[str, Sequence[str]], kept: Sequence[str]
) -> nw.LazyFrame:
    """The records of `layouts` as text columns.

    Args:
        wanted: new column → the layout columns that may hold it, the first one that a layout has is taken; a layout
            with none of them gives null.
        kept: columns of the records that stay.
    """
    if not layouts:
        nothing = [nw.lit(None, dtype=nw.String).alias(name) for name in ("source_kind", *wanted)]
        return records.filter(nw.col("kind").is_null()).select(*kept, *nothing)
    parts = []
    names = record_columns()
    fields = nw.coalesce(nw.col("fixed"), nw.col("raw")).str.split(FIELD_SEPARATOR)
    for kind, dialect in layouts:
        order = names[kind, dialect]
        rows = records.filter(nw.col("kind") == kind, nw.col("dialect") == dialect)
        rows = rows.with_columns(fields.alias("_fields"))
        taken = []
        for column, candidates in wanted.items():
            source = next((name for name in candidates if name in order), None)
            if source is None:
                taken.append(nw.lit(None, dtype=nw.String).alias(column))
            else:
                text = nw.col("_fields").list.get(order.index(source))
                taken.append(nw.when(text != "").then(text).alias(column))
        parts.append(rows.select(*kept, nw.col("kind").alias("source_kind"), *taken))
    return nw.concat(parts, how="vertical")


def number(column: str) -> nw.Expr:
    """The canonical text of a number as a double."""
    return nw.col(column).cast(nw.Float64)


def keep_latest(rows: nw.LazyFrame, key: Sequence[str]) -> nw.LazyFrame:
    """One row per key: the one sent last, whatever the order of arrival.

    Gateways resend their buffer after an outage, so the same key can come in several files.
    """
    if not rows.implementation.is_polars():
        return _last(rows, key)
    # Few keys come twice: where looking twice costs little, only these are put in order.
    twice = rows.group_by(*key).agg(nw.len().alias("_times")).filter(nw.col("_times") > 1).select(*key)
    once, again = (rows.join(twice, on=list(key), how=how) for how in ("anti", "semi"))
    return nw.concat([once, _last(again, key)], how="vertical")


def _last(rows: nw.LazyFrame, key: Sequence[str]) -> nw.LazyFrame:
    return rows.unique(list(key), keep="last", order_by=["sent_at", "file_id", "position"])
