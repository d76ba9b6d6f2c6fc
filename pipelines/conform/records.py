"""From bronze records to columns: each layout's fields under the names that its rows in the grammar give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals as nw

from minefusion.schemas.exchange.grammar import record_columns

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
    parts = []
    names = record_columns()
    for kind, dialect in layouts:
        order = names[kind, dialect]
        fields = nw.coalesce(nw.col("fixed"), nw.col("raw")).str.split(";")
        rows = records.filter(nw.col("kind") == kind, nw.col("dialect") == dialect).with_columns(
            fields.alias("_fields")
        )
        taken = []
        for column, candidates in wanted.items():
            source = next((name for name in candidates if name in order), None)
            if source is None:
                taken.append(nw.lit(None, dtype=nw.String).alias(column))
            else:
                text = nw.col("_fields").list.get(order.index(source))
                taken.append(nw.when(text != "").then(text).otherwise(nw.lit(None, dtype=nw.String)).alias(column))
        parts.append(rows.select(*kept, nw.col("kind").alias("source_kind"), *taken))
    return nw.concat(parts, how="vertical")


def number(column: str) -> nw.Expr:
    """The canonical text of a number as a double."""
    return nw.col(column).cast(nw.Float64)


def keep_latest(rows: nw.LazyFrame, key: Sequence[str]) -> nw.LazyFrame:
    """One row per key: the one sent last, whatever the order of arrival.

    Gateways resend their buffer after an outage, so the same key can come in several files.
    """
    order = ("sent_at", "file_id", "position")
    rank = nw.col("position").cum_count().over(*key, order_by=list(order))
    total = nw.len().over(*key)
    return (
        rows.with_columns(rank.alias("_rank"), total.alias("_total"))
        .filter(nw.col("_rank") == nw.col("_total"))
        .drop("_rank", "_total")
    )
