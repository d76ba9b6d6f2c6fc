"""A folder of exchange files as frames: its files, and their records field by field."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import polars as pl

from minefusion.schemas.exchange.grammar import (
    AHEAD_S,
    FIELD_SEPARATOR,
    MINE_UTC_OFFSET_H,
    Kind,
    kinds,
    record_columns,
)

LOADED = ("accepted", "partial")
UTC_TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True, eq=False)
class Feed:
    """What the files of a folder hold.

    Attributes:
        files: a row per file, in order of stamp and name, with the reader's columns and: `file_index`; `path` inside
            the folder; `named`, its kind by content, else by name; `at`, when it was sent: the header's time, or the
            name's where the two lie apart or the header cannot be read; `is_copy`: an earlier file has the same
            content, and its records are left out.
        records: a row per record, as the reader gives them, with `text` (canonical) and `at` of its file. Also those
            of a file that was refused because too many of its records are bad.
    """

    files: pl.DataFrame
    records: pl.DataFrame

    @cached_property
    def good(self) -> pl.DataFrame:
        """Records that can be used."""
        return self.records.filter(~pl.col("quarantined"))

    @cached_property
    def bad(self) -> pl.DataFrame:
        """Records in quarantine."""
        return self.records.filter("quarantined")

    @cached_property
    def originals(self) -> pl.DataFrame:
        """Files that repeat no other."""
        return self.files.filter(~pl.col("is_copy"))

    @cached_property
    def layouts(self) -> Mapping[tuple[str, str], pl.DataFrame]:
        """Usable records by kind and dialect."""
        parts = self.good.partition_by("kind", "dialect", as_dict=True)
        return {(str(kind), str(dialect)): part for (kind, dialect), part in parts.items()}

    def columns(self, *names: str, kinds: Collection[str] | None = None) -> pl.DataFrame:
        """Fields of every record whose layout has the first of them, as text; null where empty or not in the layout.

        Beside them: file_index, position, kind, mine_code, observed_at and at.
        """
        parts = []
        for layout, rows in self.layouts.items():
            order = record_columns()[layout]
            if names[0] in order and (kinds is None or layout[0] in kinds):
                parts.append(_fields(rows, order, names))
        return pl.concat(parts) if parts else _fields(self.good.clear(), (), names)

    def mines(self) -> Sequence[str]:
        return sorted(self.files["mine_code"].drop_nulls().unique())


_BESIDE = ("file_index", "position", "kind", "mine_code", "observed_at", "at")


def _fields(rows: pl.DataFrame, order: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    cells = rows["text"].str.split(FIELD_SEPARATOR)
    taken = []
    for name in names:
        if name in order:
            text = cells.list.get(order.index(name), null_on_oob=True)
            taken.append(pl.select(pl.when(text != "").then(text)).to_series().alias(name))
        else:
            taken.append(pl.repeat(None, len(rows), dtype=pl.String, eager=True).alias(name))
    return rows.select(*_BESIDE).with_columns(taken)


def feed_of(files: pl.DataFrame, records: pl.DataFrame, heads: Mapping[int, datetime]) -> Feed:
    """A feed from what the reader gave.

    Args:
        files: with file_index and `path`, in order.
        heads: the time at the head of files whose name tells no kind, by file_index.
    """
    stamp, header = pl.col("stamp"), pl.col("header_time")
    told = pl.DataFrame(
        {"file_index": list(heads), "head": list(heads.values())}, schema={"file_index": pl.Int32, "head": UTC_TIME}
    )
    is_apart = ((header - stamp).dt.total_seconds(fractional=True).abs() > AHEAD_S).fill_null(False)
    is_loaded = pl.col("verdict").is_in(LOADED)
    files = (
        files.sort("file_index")
        .join(told, on="file_index", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("kind", "name_kind").alias("named"),
            pl.when(is_apart).then(stamp).otherwise(pl.coalesce(header, stamp, "head")).alias("at"),
            is_apart.alias("is_apart"),
            (is_loaded & pl.col("sha256").is_duplicated() & ~pl.col("sha256").is_first_distinct()).alias("is_copy"),
        )
    )
    own = files.filter(~pl.col("is_copy")).select("file_index", pl.col("at"))
    records = records.join(own, on="file_index", how="inner", maintain_order="left").with_columns(
        pl.coalesce("fixed", "raw").alias("text")
    )
    return Feed(files, records)


def kind_named(name: str | None) -> Kind | None:
    return kinds().get(name or "")


def mine_local(at: datetime) -> str:
    """In mine local time, as the files write it."""
    return f"{at + timedelta(hours=MINE_UTC_OFFSET_H):%Y-%m-%d %H:%M:%S}"


def local_text(column: str) -> pl.Expr:
    """The same of a column."""
    return pl.col(column).dt.offset_by(f"{MINE_UTC_OFFSET_H}h").dt.strftime("%Y-%m-%d %H:%M:%S")
