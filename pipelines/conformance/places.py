"""CF-04: what is defined has coordinates."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from minefusion.pipelines.conformance.clauses import Found
from minefusion.pipelines.conformance.feed import Feed
from minefusion.schemas.exchange.grammar import kinds

# Pairs of columns that give a place on the ground.
_PAIRS = (("x", "y"), ("longitude", "latitude"))


def coordinates_present(feed: Feed) -> list[Found]:
    """Definitions with a coordinate empty, unreadable, or both 0."""
    rows = without_coordinates(feed).select(
        "file_index",
        "position",
        "entity",
        pl.when(pl.col("is_zero")).then(pl.lit("坐标为 0、0")).otherwise(pl.lit("没有可用的坐标")).alias("zh"),
        pl.when(pl.col("is_zero"))
        .then(pl.lit("its coordinates are 0, 0"))
        .otherwise(pl.lit("it has no usable coordinates"))
        .alias("en"),
    )
    return [Found("CF-04", len(_definitions(feed)), rows)]


@lru_cache(maxsize=1)
def without_coordinates(feed: Feed) -> pl.DataFrame:
    first, second = (pl.col(name).cast(pl.Float64, strict=False) for name in ("first", "second"))
    is_zero = ((first == 0) & (second == 0)).fill_null(False)
    rows = _definitions(feed).with_columns(is_zero.alias("is_zero"))
    return rows.filter(pl.col("is_zero") | first.is_null() | second.is_null())


def _definitions(feed: Feed) -> pl.DataFrame:
    """Records of definition files whose layout has coordinates: entity, first and second."""
    parts = []
    for first, second in _PAIRS:
        for kind, dialect in feed.layouts:
            layout = kinds()[kind].layout(dialect)
            if kinds()[kind].nature == "master" and {first, second} <= set(layout.columns):
                key = layout.having("key")[0].columns[0]
                rows = feed.columns(first, second, key, kinds=(kind,))
                parts.append(rows.rename({first: "first", second: "second", key: "entity"}))
    nothing = feed.columns("x", "y", "point_code", kinds=())
    return pl.concat([nothing.rename({"x": "first", "y": "second", "point_code": "entity"}), *parts]).unique(
        ["file_index", "position"], keep="first", maintain_order=True
    )
