"""Five-minute statistics: recomputed from the readings, beside what the mine reported (TJSJ, WFSJ)."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from minefusion.pipelines.conform.codes import point_id
from minefusion.pipelines.conform.definitions import in_force
from minefusion.pipelines.conform.readings import is_usable
from minefusion.pipelines.conform.records import Layout, columns, keep_latest, number
from minefusion.pipelines.rounding import rounded
from minefusion.pipelines.times import UTC_MICROSECONDS, floor_minutes, from_mine_local, utc_day
from minefusion.schemas.silver import READING_5MIN

LAYOUTS = (("TJSJ", ""), ("WFSJ", ""), ("AQFZ", ""))
KINDS = ("TJSJ", "WFSJ", "AQFZ")
MINUTES = 5
OUTSIDE = "OUTSIDE_REPORTED"
# The last digit that senders write, by unit: a recomputed extreme may differ from the reported one by so much.
RESOLUTION = {"ppm": 1.0, "℃": 0.1, "Pa": 1.0}
FINEST = 0.01

REPORTED = (
    "mine_code",
    "point_id",
    "window_start",
    "reported_max",
    "reported_min",
    "reported_mean",
    "sent_at",
    "file_id",
    "position",
)


def to_reported(records: nw.LazyFrame, layouts: Sequence[Layout] = LAYOUTS) -> nw.LazyFrame:
    """What the mine reported per point and window; WFSJ and AQFZ carry no window, their time ends it."""
    kept = ("mine_code", "observed_at", "sent_at", "file_id", "position")
    wanted = {
        "point_code": ("point_code", "sensor_code"),
        "type_text": ("sensor_type",),
        "begin": ("begin_time",),
        "max_text": ("max_value",),
        "min_text": ("min_value",),
        "avg_text": ("avg_value",),
    }
    rows = columns(records, layouts, wanted, kept)
    # A provincial record has its own time, WFSJ its file's.
    told_at = nw.when(nw.col("source_kind") == "AQFZ").then(nw.col("observed_at")).otherwise(nw.col("sent_at"))
    ended = floor_minutes(told_at, MINUTES).dt.offset_by(f"-{MINUTES}m").cast(UTC_MICROSECONDS)
    begun = floor_minutes(from_mine_local(nw.col("begin")), MINUTES).cast(UTC_MICROSECONDS)
    rows = rows.with_columns(
        point_id({kind for kind, _ in layouts}).alias("point_id"),
        nw.coalesce(begun, ended).alias("window_start"),
        number("max_text").alias("reported_max"),
        number("min_text").alias("reported_min"),
        number("avg_text").alias("reported_mean"),
    )
    return rows.select(*REPORTED)


def five_minutes(readings: nw.LazyFrame, reported: nw.LazyFrame, points: nw.LazyFrame) -> nw.LazyFrame:
    """silver.reading_5min of whole windows.

    Args:
        readings: silver.reading of every window that is wanted.
        reported: rows of `to_reported` for these windows, new ones and those already in silver.
        points: silver.point by time, with `is_analog`.
    """
    key = ["mine_code", "point_id", "window_start"]
    known = points.select("mine_code", "point_id", "holds_from", "holds_to", "is_analog", "area_id", "quantity", "unit")
    analog = known.filter(nw.col("is_analog")).select("mine_code", "point_id").unique()
    usable = readings.filter(is_usable(nw.col("quality"), nw.col("quality_reasons"))).select(
        "mine_code",
        "point_id",
        "value",
        floor_minutes(nw.col("observed_at"), MINUTES).cast(UTC_MICROSECONDS).alias("window_start"),
    )
    recomputed = (
        usable.join(analog, on=["mine_code", "point_id"], how="semi")
        .group_by(*key)
        .agg(
            nw.col("value").max().alias("value_max"),
            nw.col("value").min().alias("value_min"),
            rounded(nw.col("value").mean()).alias("value_mean"),
            nw.len().cast(nw.Int32).alias("readings"),
        )
    )
    told = keep_latest(reported, key).select(
        *key, "reported_max", "reported_min", "reported_mean", "sent_at", "file_id"
    )
    every = nw.concat([recomputed.select(*key), told.select(*key)], how="vertical").unique()
    rows = every.join(recomputed, on=key, how="left").join(told, on=key, how="left")
    rows = in_force(rows, known, key[:2], "window_start")
    # A switch's point may be reported, never recomputed; one that became a switch has no windows from then on.
    rows = rows.filter(nw.col("is_analog").fill_null(False) | ~nw.col("sent_at").is_null())
    step = nw.lit(FINEST)
    for unit, resolution in RESOLUTION.items():
        step = nw.when(nw.col("unit") == unit).then(nw.lit(resolution)).otherwise(step)
    above = nw.col("value_max") > nw.col("reported_max") + step + 1e-9
    below = nw.col("value_min") < nw.col("reported_min") - step - 1e-9
    return rows.with_columns(
        nw.when((above | below).fill_null(False))
        .then(nw.lit(OUTSIDE))
        .otherwise(nw.lit(None, dtype=nw.String))
        .alias("finding"),
        nw.col("window_start").dt.offset_by(f"{MINUTES}m").cast(UTC_MICROSECONDS).alias("window_end"),
        nw.col("readings").fill_null(0),
        nw.col("area_id").fill_null("unplaced"),
        utc_day(nw.col("window_start")).alias("day"),
    ).select(*READING_5MIN.names)
