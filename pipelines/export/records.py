"""Rows of silver and gold as records of exchange files: the columns of a kind's main layout, and `file_at`.

`file_at` is the instant at which the record's file is made: records that share it share a file. Each function takes the
rows of one mine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from minefusion.schemas.exchange.grammar import POINT_CODE, POINT_CODE_TYPE
from minefusion.schemas.sensors import all_sensor_types

SNAPSHOT = timedelta(seconds=30)
OVER_LIMIT = "001"
_INNER = 4  # number of the group of POINT_CODE that holds the inner code
_TYPE_NAMES = {kind.code: kind.name_zh for kind in all_sensor_types()}
UTC_TIME = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Silver:
    """Rows of one mine over the span that is exported.

    Attributes:
        points: silver.point; of the values that are in silver.reading.
        readings: silver.reading of the span; before it as far as the statistics' windows reach.
        five: silver.reading_5min of the windows that end in the span.
        reported: silver.reported_abnormality that began or ended in the span.
        alarms: gold.alarm of gas (G-01) that was raised or cleared in the span.
        substations: silver.substation.
        begin, end: the span.
    """

    points: pl.DataFrame
    readings: pl.DataFrame
    five: pl.DataFrame
    reported: pl.DataFrame
    alarms: pl.DataFrame
    substations: pl.DataFrame
    begin: pl.Expr
    end: pl.Expr


Export = Callable[[Silver], pl.DataFrame]


def _step_end(at: str, step: timedelta) -> pl.Expr:
    """End of the step that the instant lies in; an instant at a border begins its own."""
    return pl.col(at).dt.truncate(step) + step


def _described(rows: pl.DataFrame, silver: Silver) -> pl.DataFrame:
    """With the words that files have for a point: name of its type, place, unit."""
    words = silver.points.select(
        "point_id",
        pl.col("sensor_type").replace_strict(_TYPE_NAMES, default=None, return_dtype=pl.String).alias("type_name"),
        pl.col("sensor_type").alias("type_code"),
        "value_kind",
        "location",
    )
    return rows.join(words, on="point_id", how="left")


def _flags() -> pl.Expr:
    """Status bits; those that could not be read are not sent on."""
    return pl.when(pl.col("status_flags") >= 0).then(pl.col("status_flags")).alias("status")


def values(silver: Silver) -> pl.DataFrame:
    """CDSS: every reading of the span, in snapshots of half a minute."""
    rows = silver.readings.filter(pl.col("observed_at") >= silver.begin, pl.col("observed_at") < silver.end)
    rows = _described(rows, silver).sort("observed_at", "point_id")
    return rows.select(
        _step_end("observed_at", SNAPSHOT).alias("file_at"),
        pl.col("point_id").alias("point_code"),
        pl.col("type_name").alias("sensor_type_name"),
        "location",
        "value",
        "unit",
        _flags(),
        pl.col("observed_at").alias("data_time"),
    )


def statistics(silver: Silver) -> pl.DataFrame:
    """TJSJ: highest, lowest and mean of each five minutes, as recomputed from the readings, and when they were."""
    rows = silver.five.filter(pl.col("readings") > 0)
    rows = _described(rows, silver).join(_extremes(silver), on=["point_id", "window_start"], how="left")
    return rows.sort("window_end", "point_id").select(
        pl.col("window_end").alias("file_at"),
        pl.col("point_id").alias("point_code"),
        pl.col("type_name").alias("sensor_type_name"),
        "location",
        "unit",
        pl.col("window_start").alias("begin_time"),
        pl.col("window_end").alias("end_time"),
        pl.col("value_max").alias("max_value"),
        "max_time",
        pl.col("value_min").alias("min_value"),
        "min_time",
        pl.col("value_mean").alias("avg_value"),
        pl.col("window_end").alias("data_time"),
    )


def _extremes(silver: Silver) -> pl.DataFrame:
    """When each point was first highest and first lowest in each window of five minutes."""
    saturated = (pl.col("quality") != "BAD") & pl.col("quality_reasons").str.contains("SATURATED", literal=True)
    usable = silver.readings.filter((pl.col("quality") == "GOOD") | saturated)
    usable = usable.with_columns(pl.col("observed_at").dt.truncate("5m").alias("window_start")).sort("observed_at")
    return usable.group_by("point_id", "window_start").agg(
        pl.col("observed_at").get(pl.col("value").arg_max()).alias("max_time"),
        pl.col("observed_at").get(pl.col("value").arg_min()).alias("min_time"),
    )


def abnormalities(silver: Silver) -> pl.DataFrame:
    """YCBJ: what the mine reported with its cause and measure, and gas over the limit that it did not report.

    A record is sent when its abnormality begins and again when it ends; of these the later one is written.
    """
    told = silver.reported.filter(pl.col("kind") == "YCBJ").select(
        "point_id", "abnormal_type", "began_at", "ended_at", "max_value", "max_at", "min_value", "mean_value", "unit",
        "cause", "measure",
    )  # fmt: skip
    rows = pl.concat([told, _unreported(silver, told)], how="diagonal")
    last = pl.coalesce("ended_at", "began_at")
    rows = rows.with_columns(last.alias("_last")).with_columns(
        _step_end("_last", timedelta(minutes=1)).alias("file_at")
    )
    return (
        _described(rows, silver)
        .sort("file_at", "point_id", "abnormal_type", "began_at")
        .select(
            "file_at",
            pl.col("point_id").alias("point_code"),
            pl.col("type_name").alias("sensor_type_name"),
            "location",
            "unit",
            "abnormal_type",
            pl.col("began_at").alias("begin_time"),
            pl.col("ended_at").alias("end_time"),
            "max_value",
            pl.col("max_at").alias("max_time"),
            "min_value",
            pl.col("mean_value").alias("avg_value"),
            "cause",
            "measure",
            pl.col("file_at").alias("data_time"),
        )
    )


def _unreported(silver: Silver, told: pl.DataFrame) -> pl.DataFrame:
    """Gas alarms of ours that no over-limit report of the same point overlaps."""
    far = pl.lit(silver.alarms["raised_at"].max()) + pl.duration(days=3650)
    reports = told.filter(pl.col("abnormal_type") == OVER_LIMIT).select(
        "point_id", "began_at", pl.col("ended_at").fill_null(far).alias("_ended")
    )
    alarms = silver.alarms.with_columns(pl.col("cleared_at").fill_null(far).alias("_cleared"))
    known = alarms.join(reports, on="point_id").filter(
        pl.col("raised_at") <= pl.col("_ended"), pl.col("began_at") <= pl.col("_cleared")
    )
    return alarms.join(known, on="alarm_id", how="anti").select(
        "point_id",
        pl.lit(OVER_LIMIT).alias("abnormal_type"),
        pl.col("raised_at").alias("began_at"),
        pl.col("cleared_at").alias("ended_at"),
        pl.col("peak_value").alias("max_value"),
        pl.col("peak_at").alias("max_at"),
        "unit",
    )


# ── the provincial family ───────────────────────────────────────────────────────────────────────────────────────────


def _provincial(rows: pl.DataFrame, point: str = "point_id") -> pl.DataFrame:
    """With the point's provincial codes (PC-13): type, sensor, substation. Points of another code have none."""
    code = pl.col(point)
    sensor = code.str.extract(POINT_CODE, _INNER)
    return rows.with_columns(
        code.str.extract(POINT_CODE, POINT_CODE_TYPE).alias("sensor_type"),
        sensor.alias("sensor_code"),
        sensor.str.slice(0, 3).alias("substation_code"),
    ).filter(pl.col("sensor_code").is_not_null())


def analog_points(silver: Silver) -> pl.DataFrame:
    """AQMC: analog points, with the limits that the mine set."""
    rows = silver.points.filter(pl.col("value_kind") == "MN", "is_defined")
    return _provincial(rows.with_columns(silver.begin.alias("file_at"))).sort("point_id").select(
        "file_at", "substation_code", "sensor_code", "sensor_type", "location", "unit", "range_low", "range_high",
        pl.col("mine_alarm").alias("alarm_high"), pl.col("mine_cut").alias("cutoff_high"),
        pl.col("mine_restore").alias("restore_high"), pl.col("file_at").alias("data_time"),
    )  # fmt: skip


def switch_points(silver: Silver) -> pl.DataFrame:
    """AQKC: switches."""
    rows = silver.points.filter(pl.col("value_kind") == "KG", "is_defined")
    return _provincial(rows.with_columns(silver.begin.alias("file_at"))).sort("point_id").select(
        "file_at", "substation_code", "sensor_code", "sensor_type", "location", pl.col("file_at").alias("data_time"),
    )  # fmt: skip


def substations(silver: Silver) -> pl.DataFrame:
    """AQFC: substations."""
    return silver.substations.sort("substation_code").select(
        silver.begin.alias("file_at"), "substation_code", "location"
    )


def provincial_values(silver: Silver) -> pl.DataFrame:
    """AQSS: every reading of the span but those of cumulative points, in snapshots of half a minute."""
    return _provincial_readings(silver, pl.col("value_kind") != "LJ", _flags().alias("sensor_state"))


def provincial_sums(silver: Silver) -> pl.DataFrame:
    """AQLJ: readings of cumulative points."""
    return _provincial_readings(silver, pl.col("value_kind") == "LJ")


def _provincial_readings(silver: Silver, wanted: pl.Expr, *more: pl.Expr) -> pl.DataFrame:
    rows = silver.readings.filter(pl.col("observed_at") >= silver.begin, pl.col("observed_at") < silver.end)
    rows = _provincial(_described(rows.drop("sensor_type"), silver).filter(wanted))
    return rows.sort("observed_at", "point_id").select(
        _step_end("observed_at", SNAPSHOT).alias("file_at"), "substation_code", "sensor_code", "sensor_type",
        "location", "value", *more, pl.col("observed_at").alias("data_time"),
    )  # fmt: skip


def provincial_statistics(silver: Silver) -> pl.DataFrame:
    """AQFZ: five-minute statistics; the time of a record is the end of its window."""
    return _provincial(statistics(silver), "point_code").select(
        "file_at", "substation_code", "sensor_code", "sensor_type", "location", "avg_value", "max_value", "max_time",
        "min_value", "min_time", "data_time",
    )  # fmt: skip


KINDS: dict[str, Export] = {
    "CDSS": values,
    "TJSJ": statistics,
    "YCBJ": abnormalities,
    "AQMC": analog_points,
    "AQKC": switch_points,
    "AQFC": substations,
    "AQSS": provincial_values,
    "AQLJ": provincial_sums,
    "AQFZ": provincial_statistics,
}
