"""From video payloads (MT/T 1201.6) and media messages (PC-85) to silver.video_event and the camera registry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import narwhals as nw

from minefusion.pipelines.conform.definitions import in_force
from minefusion.pipelines.conform.place import Gazetteer
from minefusion.pipelines.conform.quality import graded
from minefusion.pipelines.conform.records import Layout, columns, keep_latest, number
from minefusion.pipelines.times import from_mine_local, utc_day
from minefusion.schemas.silver import VIDEO_EVENT

Row = dict[str, Any]

EVENT_KINDS = ("videoAnomaly", "countingRecog", "undergroundCount", "importPersonCount", "message")
CAMERA_KINDS = ("camera", "cameraStatus")
KINDS = (*CAMERA_KINDS, *EVENT_KINDS)
LAYOUTS = tuple((kind, "") for kind in EVENT_KINDS)
CAMERA_UNKNOWN = "CAMERA_UNKNOWN"
# Codes of MT/T 1201.6 → the event types that silver knows (PC-43).
PICTURE_LOST, PICTURE_BAD, STREAM_LOST, COUNTED = "0007", "V901", "V902", "V501"
# Which way the counted persons went: in at 04, 06 and a transport's 01, out at 05, 07 and 02.
_INWARDS, _OUTWARDS = ("04", "06", "01"), ("05", "07", "02")
_KEPT = ("mine_code", "observed_at", "received_at", "sent_at", "file_id", "position", "marks")


def to_events(records: nw.LazyFrame, cameras: nw.LazyFrame, layouts: Sequence[Layout] = LAYOUTS) -> nw.LazyFrame:
    """Events of every payload that tells one; of media messages those that carry an event.

    Args:
        cameras: `camera_facts` by time; an event of a camera that nobody announced is kept and marked.
    """
    wanted = {
        "camera_code": ("cameraCode", "device_code"),
        "analysis_type": ("analysisType",),
        "analysis_case": ("analysisCase",),
        "position_code": ("positionCode",),
        "direction_code": ("direction",),
        "person_count": ("personCount",),
        "pictures": ("imagesBase64", "snapshot_uri"),
        "files": ("localFiles", "clip_uri"),
        "media": ("media",),
        "told_id": ("event_id",),
        "told_type": ("event_type",),
        "began": ("dataTime", "begin"),
        "ended": ("end",),
        "reported": ("report_time",),
        "confidence_text": ("confidence",),
        "objects_text": ("object_count",),
        "boxes": ("boxes",),
        "level_text": ("level",),
        "area_code": ("area_code",),
        "model_version": ("model_version",),
        "state_text": ("state",),
        "remark": ("remark",),
    }
    rows = columns(records, layouts, wanted, _KEPT)
    rows = rows.filter(nw.col("media").is_null() | (nw.col("media") == "event"))
    kind, case = nw.col("source_kind"), nw.col("analysis_case")
    anomaly = nw.when(case == PICTURE_LOST).then(nw.lit(STREAM_LOST)).otherwise(nw.lit(PICTURE_BAD))
    event_type: nw.Expr = nw.when(kind == "message").then(nw.col("told_type"))
    event_type = nw.when(kind == "videoAnomaly").then(anomaly).otherwise(event_type)
    event_type = nw.when(kind.is_in(["countingRecog", "undergroundCount", "importPersonCount"])).then(
        nw.lit(COUNTED)
    ).otherwise(event_type)  # fmt: skip
    counted = nw.when(kind.is_in(["countingRecog", "undergroundCount"])).then(case)
    way = nw.coalesce(nw.col("direction_code"), nw.col("analysis_type"))
    way = nw.when(kind.is_in(["countingRecog", "importPersonCount"])).then(way)
    # What has no number of its own is known by what it says and when.
    parts = ("camera_code", "source_kind", "analysis_type", "position_code", "direction_code")
    identity = nw.concat_str(
        *(nw.col(name).fill_null("") for name in parts),
        nw.when(kind == "videoAnomaly").then(case).fill_null(""),
        nw.col("observed_at").dt.to_string("%Y%m%d%H%M%S"),
        separator="/",
    )
    known = cameras.select(
        "mine_code",
        "camera_code",
        nw.col("area_id").alias("camera_area"),
        "edge_id",
        nw.lit(True).alias("_is_known"),
        "holds_from",
        "holds_to",
    )
    rows = in_force(rows, known, ["mine_code", "camera_code"], "observed_at")
    quality, reasons = graded(
        {},
        {
            CAMERA_UNKNOWN: nw.col("_is_known").is_null(),
            "CODE_UNKNOWN": nw.col("marks").str.contains("CODE_UNKNOWN", literal=True),
        },
    )
    return rows.with_columns(
        nw.coalesce(nw.col("told_id"), identity).alias("event_id"),
        event_type.alias("event_type"),
        nw.col("observed_at").alias("began_at"),
        # Parts of a second are kept of the beginning alone.
        from_mine_local(nw.col("ended").str.slice(0, 19)).alias("ended_at"),
        from_mine_local(nw.col("reported").str.slice(0, 19)).alias("reported_at"),
        nw.coalesce(nw.col("objects_text"), nw.col("person_count"), counted)
        .cast(nw.Float64)
        .cast(nw.Int32)
        .alias("object_count"),
        nw.when(way.is_in(list(_INWARDS)))
        .then(nw.lit("in"))
        .otherwise(nw.when(way.is_in(list(_OUTWARDS))).then(nw.lit("out")))
        .alias("direction"),
        number("confidence_text").alias("event_confidence"),
        nw.col("level_text").cast(nw.Int32).alias("level"),
        nw.col("state_text").cast(nw.Int32).alias("state"),
        nw.col("pictures").alias("snapshot_uri"),
        nw.col("files").alias("clip_uri"),
        nw.coalesce(nw.col("area_code"), nw.col("camera_area"), nw.lit("unplaced")).alias("area_id"),
        quality.alias("quality"),
        reasons.alias("quality_reasons"),
        utc_day(nw.col("observed_at")).alias("day"),
    ).select(*VIDEO_EVENT.names)


def latest_events(rows: nw.LazyFrame) -> nw.LazyFrame:
    return keep_latest(rows, VIDEO_EVENT.key)


def camera_row(told: Row, gazetteer: Gazetteer) -> Row:
    """silver.camera of one camera, but for whether it is on line; the site file places it, else its words do."""
    code = told["camera_code"]
    place = gazetteer.place(code, None, None, None, told.get("location"))
    name = gazetteer.camera_name(code)
    return {
        "mine_code": told["mine_code"],
        "camera_code": code,
        "name": name or told.get("location"),
        "location": told.get("location"),
        **dict.fromkeys(("x", "y", "z")),
        "area_id": place.area_id,
        "edge_id": place.edge_id,
        "chainage_m": place.chainage_m,
        "place_method": place.method,
        "station_code": told.get("station_code"),
        "position_type": told.get("position_type"),
        "algorithms": told.get("algorithms"),
        **dict.fromkeys(("scene_type", "monitored_content", "is_underground", "is_explosion_proof")),
        **dict.fromkeys(("width_px", "height_px", "fps", "codec", "is_online", "online_told_at")),
        "is_defined": told["is_defined"],
        "sent_at": told["sent_at"],
        "file_id": told["file_id"],
    }


def with_states(cameras: Iterable[Row], states: dict[str, Row]) -> list[Row]:
    """The cameras with what was told last of their state, by code."""
    rows = []
    for row in cameras:
        state = states.get(row["camera_code"])
        told = {"is_online": state["online"] == "1", "online_told_at": state["sent_at"]} if state else {}
        rows.append(row | told)
    return rows
