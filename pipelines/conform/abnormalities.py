"""From the mine's own alarm files, of every family, to silver.reported_abnormality.

A slope's alarm is cleared by a record of its own kind (`clearalarm`): it has the alarm's device and begin, and the end.
"""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw

from minefusion.pipelines.conform.codes import point_id
from minefusion.pipelines.conform.definitions import in_force
from minefusion.pipelines.conform.records import Layout, columns, keep_latest, number
from minefusion.pipelines.times import from_mine_local, utc_day
from minefusion.schemas.exchange.grammar import equipment_prefixes
from minefusion.schemas.silver import REPORTED_ABNORMALITY

OF_FAMILIES = (
    "ZKYC", "LCYC", "CGKCDYC", "PSLCDYC", "gnssalarm", "clearalarm", *(f"{each}_YC" for each in equipment_prefixes()),
)  # fmt: skip
CLEARED, CLEARING = "gnssalarm", "clearalarm"
PROVINCIAL = ("AQBJ", "RYSC", "RYTZ", "RYYC")
LAYOUTS = (
    ("YCBJ", ""), ("YCBJ", "i"), ("YCBJ", "i-short"), ("RYCS", ""), ("RYCY", ""), ("RYCY", "old"), ("RYCY", "prov"),
    ("RYXZ", ""), ("RYQJ", ""), *((kind, "") for kind in (*OF_FAMILIES, *PROVINCIAL)), ("PSLCDYC", "b1"),
)  # fmt: skip
KINDS = tuple(dict.fromkeys(kind for kind, _ in LAYOUTS))
# A slope alarm's values, the most telling first.
_GNSS = tuple(f"alarm_value.horizontal_{each}" for each in ("displacement", "velocity", "acceleration"))


def to_abnormalities(records: nw.LazyFrame, points: nw.LazyFrame, layouts: Sequence[Layout] = LAYOUTS) -> nw.LazyFrame:
    """One row per abnormality; it is sent when it opens and again when it closes, and the one sent last counts."""
    kept = ("mine_code", "kind", "sent_at", "file_id", "position")
    wanted = {
        "point_code": ("point_code", "equip_no", "sensor_code"),
        "type_text": ("sensor_type",),
        "card": ("card_code",),
        "area_code": ("area_code",),
        "type_code": ("abnormal_type", "alarm_kind", "state"),
        "began": ("begin_time", "alarm_start_time", "alarm_time", "expected_time", "data_time"),
        "ended": ("end_time", "alarm_end_time", "actual_time"),
        # What ends it where no end is told: the equipment's values are normal again, the slope's alarm was cleared.
        "normal_at": ("recovery_time",),
        "handled": ("handle_time",),
        "highest": ("max_value", "peak_value", *_GNSS),
        "highest_at": ("max_time", "peak_time"),
        "lowest": ("min_value",),
        "mean": ("avg_value",),
        "present": ("current_count",),
        "told_unit": ("unit",),
        "cause": ("cause",),
        "measure": ("measure",),
        "description": ("description", "data_kind", "expected_place"),
        "sent_level": ("level_or_state", "alarm_level"),
    }
    rows = columns(records, layouts, wanted, kept)
    rows = rows.with_columns(point_id({kind for kind, _ in layouts}).alias("point_id"))
    began = nw.coalesce(from_mine_local(nw.col("began")), nw.col("sent_at"))
    # Over capacity is about an area, also where each person in it is listed.
    of_area = nw.when(nw.col("source_kind") == "RYCY").then(nw.col("area_code"))
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
        nw.coalesce(nw.col("point_id"), of_area, nw.col("card"), nw.col("area_code"), nw.col("mine_code")).alias(
            "entity_id"
        ),
        nw.col("type_code").fill_null("").alias("abnormal_type"),
        nw.coalesce(
            from_mine_local(nw.col("ended")),
            from_mine_local(nw.col("normal_at")),
            nw.when(nw.col("source_kind") == "clearalarm").then(from_mine_local(nw.col("handled"))),
        ).alias("ended_at"),
        from_mine_local(nw.col("handled")).alias("handled_at"),
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


def cleared(reported: nw.LazyFrame) -> nw.LazyFrame:
    """The same without the records that only clear an alarm; what they clear has their end."""
    ends = reported.filter(nw.col("kind") == CLEARING).select(
        "mine_code", "entity_id", "began_at", nw.col("ended_at").alias("_cleared_at")
    )
    rows = reported.filter(nw.col("kind") != CLEARING)
    rows = rows.join(ends, on=["mine_code", "entity_id", "began_at"], how="left")
    ended = nw.when(nw.col("kind") == CLEARED).then(nw.col("_cleared_at"))
    return rows.with_columns(nw.coalesce(nw.col("ended_at"), ended).alias("ended_at")).drop("_cleared_at")
