"""From the mine's own alarm files to silver.reported_abnormality."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from minefusion.pipelines.conform.definitions import in_force
from minefusion.pipelines.conform.records import Layout, columns, keep_latest, number
from minefusion.pipelines.times import from_mine_local, utc_day
from minefusion.schemas.silver import REPORTED_ABNORMALITY

LAYOUTS = (
    ("YCBJ", ""), ("YCBJ", "i"), ("YCBJ", "i-short"), ("RYCS", ""), ("RYCY", ""), ("RYCY", "old"), ("RYXZ", ""),
    ("RYQJ", ""),
)  # fmt: skip
KINDS = ("YCBJ", "RYCS", "RYCY", "RYXZ", "RYQJ")


def to_abnormalities(records: nw.LazyFrame, points: nw.LazyFrame, layouts: Sequence[Layout] = LAYOUTS) -> nw.LazyFrame:
    """One row per abnormality; it is sent when it opens and again when it closes, and the one sent last counts."""
    kept = ("mine_code", "kind", "sent_at", "file_id", "position")
    wanted = {
        "point_id": ("point_code",),
        "card": ("card_code",),
        "area_code": ("area_code",),
        "type_code": ("abnormal_type",),
        "began": ("begin_time",),
        "ended": ("end_time",),
        "highest": ("max_value",),
        "highest_at": ("max_time",),
        "lowest": ("min_value",),
        "mean": ("avg_value",),
        "present": ("current_count",),
        "told_unit": ("unit",),
        "cause": ("cause",),
        "measure": ("measure",),
    }
    rows = columns(records, layouts, wanted, kept)
    began = nw.coalesce(from_mine_local(nw.col("began")), nw.col("sent_at"))
    known = points.select(
        "mine_code",
        "point_id",
        "holds_from",
        "holds_to",
        nw.col("area_id").alias("point_area"),
        nw.col("unit").alias("point_unit"),
    )
    rows = in_force(
        rows.with_columns(began.alias("began_at")), known, ["mine_code", "point_id"], "began_at"
    ).with_columns(
        nw.coalesce(nw.col("point_id"), nw.col("card"), nw.col("area_code")).alias("entity_id"),
        nw.col("type_code").fill_null("").alias("abnormal_type"),
        from_mine_local(nw.col("ended")).alias("ended_at"),
        from_mine_local(nw.col("highest_at")).alias("max_at"),
        nw.coalesce(nw.col("area_code"), nw.col("point_area"), nw.lit("unplaced")).alias("area_id"),
        number("highest").alias("max_value"),
        number("lowest").alias("min_value"),
        number("mean").alias("mean_value"),
        nw.coalesce(nw.col("told_unit"), nw.col("point_unit")).alias("unit"),
        nw.col("present").cast(nw.Float64).cast(nw.Int32).alias("count"),
    )
    return rows.with_columns(utc_day(nw.col("began_at")).alias("day")).select(*REPORTED_ABNORMALITY.names)


def latest_abnormalities(rows: nw.LazyFrame) -> nw.LazyFrame:
    return keep_latest(rows, REPORTED_ABNORMALITY.key)
