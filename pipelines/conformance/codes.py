"""CF-06, DQ-02 and DQ-10: codes are in their tables, sensor types are known, and what is sent is defined."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import polars as pl

from minefusion.pipelines.conformance.clauses import Found
from minefusion.pipelines.conformance.feed import Feed
from minefusion.schemas.exchange.grammar import POINT_CODE, POINT_CODE_TYPE, dictionary
from minefusion.schemas.exchange.owed import references
from minefusion.schemas.sensors import sensor_type

# Codes that the reader takes as text, by the column that holds them: column → dictionary, kinds.
_TABLES = {
    "system_code": ("system_code", ("CDDY", "NCDDY")),
    "area_type": ("area_type", ("RYQY",)),
    "work_state": ("work_state", ("RYSS",)),
}
# What a point code says beside its mine, and the dictionary of each part.
_PARTS = {"sys": "system_code", "kind": "value_kind"}
_POINT_KINDS = ("CDDY", "NCDDY", "CDSS", "NCDSS", "KGBH", "TJSJ", "YCBJ")
_SENSOR_TYPES = "sensor_type_code"


def codes_in_tables(feed: Feed) -> list[Found]:
    """CF-06, beside what the reader checks: codes in text fields, and the parts of point codes."""
    checked, parts = 0, []
    for column, (name, of) in _TABLES.items():
        rows = feed.columns(column, kinds=of).filter(pl.col(column).is_not_null())
        checked += len(rows)
        known = list(dictionary(name))
        wrong = rows.filter(~pl.col(column).is_in(known))
        parts.append(
            wrong.select(
                "file_index",
                "position",
                pl.col(column).alias("entity"),
                pl.format("{}“{}”不在代码表中", pl.lit(column), column).alias("zh"),
                pl.format("{} '{}' is not in its table", pl.lit(column), column).alias("en"),
            )
        )
    distinct = feed.columns("point_code", kinds=_POINT_KINDS).filter(pl.col("point_code").is_not_null())
    first = distinct.sort("file_index", "position").unique(["kind", "point_code"], keep="first", maintain_order=True)
    checked += len(first)
    for group, name in _PARTS.items():
        part = first.with_columns(pl.col("point_code").str.extract_groups(POINT_CODE).struct.field(group).alias("part"))
        wrong = part.filter(pl.col("part").is_not_null(), ~pl.col("part").is_in(list(dictionary(name))))
        parts.append(
            wrong.select(
                "file_index",
                "position",
                pl.col("point_code").alias("entity"),
                pl.format("测点编码中的“{}”不在代码表{}中", "part", pl.lit(name)).alias("zh"),
                pl.format("'{}' in the point code is not in table {}", "part", pl.lit(name)).alias("en"),
            )
        )
    return [Found("CF-06", checked, pl.concat(parts))]


def types_known(feed: Feed) -> list[Found]:
    """DQ-02: the sensor type that a definition or a value names is in the table of types."""
    unknown = of_unknown_type(feed)
    rows = unknown.select(
        "file_index",
        "position",
        pl.col("point_code").alias("entity"),
        pl.format("传感器类型“{}”不在类型表中", "type").alias("zh"),
        pl.format("sensor type '{}' is not in the table", "type").alias("en"),
    )
    return [Found("DQ-02", len(_typed(feed)), rows)]


@lru_cache(maxsize=1)
def of_unknown_type(feed: Feed) -> pl.DataFrame:
    """Records whose sensor type the table lacks, with `type`."""
    typed = _typed(feed)
    unknown = [code for code in typed["type"].unique().drop_nulls() if sensor_type(code) is None]
    return typed.filter(pl.col("type").is_in(unknown))


def _typed(feed: Feed) -> pl.DataFrame:
    """Records that name a sensor type: in a field of their own, else, in definitions, in the point code."""
    rows = feed.columns("point_code", _SENSOR_TYPES).filter(
        pl.col(_SENSOR_TYPES).is_not_null() | pl.col("kind").is_in(["CDDY", "NCDDY"])
    )
    coded = pl.col("point_code").str.extract(POINT_CODE, POINT_CODE_TYPE)
    return rows.with_columns(pl.coalesce(_SENSOR_TYPES, coded).alias("type")).filter(pl.col("type").is_not_null())


def codes_registered(feed: Feed) -> list[Found]:
    """DQ-10: codes that definition files define. Where a mine sent no such file at all, CF-01 tells it."""
    checked, parts = 0, []
    for each, rows, defined in used_and_defined(feed):
        used = rows.join(defined.select("mine_code").unique(), on="mine_code", how="semi", maintain_order="left")
        checked += len(used)
        lacking = used.join(
            defined, left_on=["mine_code", each.column], right_on=["mine_code", each.defined_as], how="anti",
            maintain_order="left",
        )  # fmt: skip
        names = "/".join(each.defined_in)
        parts.append(
            lacking.select(
                "file_index",
                "position",
                pl.col(each.column).alias("entity"),
                pl.format("{}“{}”不在{}中", pl.lit(each.column), each.column, pl.lit(names)).alias("zh"),
                pl.format("{} '{}' is not in {}", pl.lit(each.column), each.column, pl.lit(names)).alias("en"),
            )
        )
    return [Found("DQ-10", checked, pl.concat(parts) if parts else pl.DataFrame())]


def used_and_defined(feed: Feed) -> Iterator[tuple]:
    """Each reference with the records that use its code, and the codes that are defined, by mine.

    Codes whose form is wrong are left out: DQ-01 tells them.
    """
    for each in references():
        rows = feed.columns(each.column, kinds=(each.kind,))
        if rows.is_empty():
            continue
        rows = rows.filter(pl.col(each.column).is_not_null()).join(
            malformed(feed), on=["file_index", "position"], how="anti", maintain_order="left"
        )
        defined = feed.columns(each.defined_as, kinds=each.defined_in)
        yield each, rows, defined.select("mine_code", each.defined_as).drop_nulls().unique()


@lru_cache(maxsize=1)
def malformed(feed: Feed) -> pl.DataFrame:
    """Records with a code of another form."""
    marked = feed.good.filter(pl.col("marks").str.contains("CODE_FORMAT", literal=True))
    return marked.select("file_index", "position", "kind")
