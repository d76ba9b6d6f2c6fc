"""CF-05 and DQ-13: clocks that disagree, and data that come late.

A clock that is wrong is wrong in every record: a point whose records all lie equally far from their file's time has a
wrong clock, and is not late. What lies far back in some files only came late.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from minefusion.pipelines.conformance.clauses import Found
from minefusion.pipelines.conformance.feed import LOADED, Feed, local_text
from minefusion.schemas.exchange.grammar import AHEAD_S, kinds
from minefusion.schemas.exchange.owed import references
from minefusion.schemas.quality import quality_rule

# A clock is judged by so many records at least.
FEWEST_RECORDS = 3


def clocks_agree(feed: Feed) -> list[Found]:
    """CF-05: header against name, steady offsets of points and stations, single records ahead of their file."""
    apart = feed.originals.filter("is_apart", pl.col("verdict").is_in(LOADED)).select(
        "file_index",
        pl.format("文件头时间{}与文件名时间{}不符", local_text("header_time"), local_text("stamp")).alias("zh"),
        pl.format("the header says {}, the name {}", local_text("header_time"), local_text("stamp")).alias("en"),
    )
    timed, steady = _timed(feed), _steady(feed)
    of_clock = (
        timed.join(steady, on=_CLOCK, how="inner")
        .sort("file_index", "position")
        .unique(_CLOCK, keep="first", maintain_order=True)
    )
    turned = pl.when(pl.col("clock_s") > 0)
    offset = pl.col("clock_s").abs().round(0).cast(pl.Int64)
    of_clock = of_clock.select(
        "file_index",
        "position",
        "entity",
        pl.format("其时钟{}{}秒", turned.then(pl.lit("快")).otherwise(pl.lit("慢")), offset).alias("zh"),
        pl.format("its clock is {} s {}", offset, turned.then(pl.lit("fast")).otherwise(pl.lit("slow"))).alias("en"),
    )
    limit = quality_rule("CF-05").threshold
    ahead = timed.join(steady, on=_CLOCK, how="anti", maintain_order="left").filter(
        pl.col("ahead_s") > limit, pl.col("ahead_s") <= AHEAD_S
    )
    seconds = pl.col("ahead_s").round(0).cast(pl.Int64)
    ahead = ahead.select(
        "file_index",
        "position",
        "entity",
        pl.format("记录时间比文件头时间超前{}秒", seconds).alias("zh"),
        pl.format("the record's time is {} s ahead of the header's", seconds).alias("en"),
    )
    clocks = timed.select(_CLOCK).unique()
    rows = pl.concat([apart, of_clock, ahead], how="diagonal")
    return [Found("CF-05", len(feed.originals) + len(clocks), rows)]


def not_late(feed: Feed) -> list[Found]:
    """DQ-13: upload time − sample time against the late-after time of the kind."""
    late = late_records(feed)
    behind = (-pl.col("ahead_s")).round(0).cast(pl.Int64)
    rows = late.select(
        "file_index",
        "position",
        "entity",
        pl.format("{}的数据{}秒后才上传，时限{}秒", local_text("observed_at"), behind, "late_s").alias("zh"),
        pl.format("of {}, sent {} s later; the limit is {} s", local_text("observed_at"), behind, "late_s").alias("en"),
    )
    return [Found("DQ-13", len(_timed(feed)), rows)]


@lru_cache(maxsize=1)
def late_records(feed: Feed) -> pl.DataFrame:
    """Records that came later than their kind allows, by a clock that is right."""
    limits = pl.DataFrame(
        [(name, kind.late_s) for name, kind in kinds().items() if kind.late_s and kind.nature != "master"],
        schema={"kind": pl.String, "late_s": pl.Float64},
        orient="row",
    )
    timed = _timed(feed).join(limits, on="kind", how="inner", maintain_order="left")
    return timed.filter(-pl.col("ahead_s") > pl.col("late_s")).join(
        _steady(feed), on=_CLOCK, how="anti", maintain_order="left"
    )


def skewed_records(feed: Feed) -> pl.DataFrame:
    """file_index and position of the records of wrong clocks."""
    return _timed(feed).join(_steady(feed), on=_CLOCK, how="semi").select("file_index", "position")


_CLOCK = ["mine_code", "kind", "entity"]


@lru_cache(maxsize=1)
def _timed(feed: Feed) -> pl.DataFrame:
    """Records that carry a time of their own: how far it is ahead of their file's upload time [s]."""
    parts = []
    for column in dict.fromkeys(each.column for each in references()):
        timed = {kind for kind, dialect in feed.layouts if _is_timed(kind, dialect)}
        names = {each.kind for each in references() if each.column == column} & timed
        names -= {part for part in names if _first_column(part) != column}
        if names:
            parts.append(feed.columns(column, kinds=names).rename({column: "entity"}))
    if not parts:
        return (
            feed.columns("point_code", kinds=())
            .rename({"point_code": "entity"})
            .with_columns(pl.lit(0.0).alias("ahead_s"))
        )
    ahead = (pl.col("observed_at") - pl.col("at")).dt.total_seconds(fractional=True)
    return pl.concat(parts).with_columns(ahead.alias("ahead_s")).filter(pl.col("ahead_s").is_not_null())


def _first_column(kind: str) -> str:
    return next(each.column for each in references() if each.kind == kind)


def _is_timed(kind: str, dialect: str) -> bool:
    told = kinds()[kind]
    return told.nature in ("snapshot", "aggregate") and bool(told.layout(dialect).having("time"))


@lru_cache(maxsize=1)
def _steady(feed: Feed) -> pl.DataFrame:
    """Clocks that are off: `clock_s` [s], where at least half of a point's records are equally far off.

    Off against the clock of most points of its kind, which may lag as their link does; ahead of its file a time is off
    in any case.
    """
    limit = quality_rule("CF-05").threshold
    timed = _timed(feed)
    of_clock = timed.group_by(_CLOCK).agg(pl.col("ahead_s").median().alias("clock_s"), pl.len().alias("records"))
    of_kind = of_clock.group_by("mine_code", "kind").agg(pl.col("clock_s").median().alias("usual_s"))
    of_clock = of_clock.join(of_kind, on=["mine_code", "kind"])
    near = (
        timed.join(of_clock, on=_CLOCK)
        .group_by(_CLOCK)
        .agg((pl.col("ahead_s") - pl.col("clock_s")).abs().le(limit).mean().alias("near"))
    )
    usual = pl.col("usual_s").clip(upper_bound=0.0)
    is_off = (pl.col("clock_s") - usual).abs() > limit
    return (
        of_clock.join(near, on=_CLOCK)
        .filter(is_off, pl.col("near") >= 0.5, pl.col("records") >= FEWEST_RECORDS)
        .select(*_CLOCK, "clock_s")
    )
