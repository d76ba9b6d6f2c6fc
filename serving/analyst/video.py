"""Video events: what analysis reports and what our own found, and how often people agreed."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from minefusion.schemas import gold, silver
from minefusion.schemas.table import Column
from minefusion.serving.analyst.view import AREA, AREA_NAMES, SENTENCES, Asked, Source, View, seconds, with_area
from minefusion.serving.text import Text

CONFIRMED, REJECTED = 1, 2


def events(reported: pl.DataFrame, found: pl.DataFrame, cameras: pl.DataFrame) -> pl.DataFrame:
    """Events that a sender reported and events that our own analysis found, in order.

    `level` is ours, 4 red … 1 blue: a sender counts the other way round.
    """
    theirs = reported.with_columns(
        told_by=pl.lit("sender"),
        level=(5 - pl.col("level")).cast(pl.Int32),
        behaviour=pl.lit(None, pl.String),
        people=pl.col("object_count"),
        sentence_zh=pl.lit(None, pl.String),
        sentence_en=pl.lit(None, pl.String),
    )
    ours = found.with_columns(
        told_by=pl.lit("minefusion"),
        state=pl.lit(None, pl.Int32),
        remark=pl.lit(None, pl.String),
        reported_at=pl.col("raised_at"),
        quality=pl.lit("GOOD"),
    )
    names = [
        "event_id", "told_by", "camera_code", "event_type", "behaviour", "began_at", "ended_at", "reported_at", "level",
        "event_confidence", "people", "state", "remark", "quality", "boxes", "snapshot_uri", "clip_uri",
        "model_version", "area_id", "sentence_zh", "sentence_en",
    ]  # fmt: skip
    both = pl.concat([theirs.select(names), ours.select(names)], how="vertical_relaxed")
    return (
        both.join(cameras.select("camera_code", camera="name"), on="camera_code", how="left")
        .with_columns(lasted_s=seconds(pl.col("began_at"), pl.col("ended_at")))
        .with_columns(lasted_s=pl.when(pl.col("ended_at").is_not_null()).then("lasted_s"))
        .sort("began_at", "camera_code", "event_id", "told_by")
    )


def verdicts(reported: pl.DataFrame, offset: timedelta) -> pl.DataFrame:
    """By camera, type and week of the mine's clock: how many events, judged how. `precision`: confirmed ÷ judged, null
    where nobody judged."""
    week = (pl.col("began_at") + offset).dt.truncate("1w") - offset
    return (
        reported.with_columns(week_start=week)
        .group_by("camera_code", "event_type", "week_start")
        .agg(
            pl.col("area_id").first(),
            events=pl.len(),
            confirmed=(pl.col("state") == CONFIRMED).sum(),
            rejected=(pl.col("state") == REJECTED).sum(),
            confidence=pl.col("event_confidence").mean(),
        )
        .with_columns(judged=pl.col("confirmed") + pl.col("rejected"))
        .with_columns(precision=pl.when(pl.col("judged") > 0).then(pl.col("confirmed") / pl.col("judged")))
        .sort("week_start", "camera_code", "event_type")
    )


def _events(source: Source, asked: Asked) -> pl.DataFrame:
    rows = events(
        source.frame(silver.VIDEO_EVENT, asked.begin, asked.end),
        source.frame(gold.UNSAFE_BEHAVIOUR, asked.begin, asked.end),
        source.frame(silver.CAMERA),
    )
    kept = rows.filter(pl.col("level") >= asked.level_min) if asked.level_min else rows
    return with_area(kept, source.areas())


def _verdicts(source: Source, asked: Asked) -> pl.DataFrame:
    reported = source.frame(silver.VIDEO_EVENT, asked.begin, asked.end)
    return with_area(verdicts(reported, source.clock.offset), source.areas())


_CAMERA = Column("camera_code", "string", "Camera.", "摄像机编码")
_TYPE = Column("event_type", "string", "Event type V101 … V902.", "事件类型")

VIEWS = (
    View(
        "video/events",
        Text("视频事件", "Video events"),
        Text(
            "上报的智能分析事件与平台自行识别的不安全行为；均为提示",
            "events that analysis systems report, and unsafe behaviours that our own found; all of it advice",
        ),
        (
            Column("event_id", "string", "Event.", "事件编号"),
            Column("told_by", "string", "sender or minefusion.", "来源"),
            _CAMERA,
            Column("camera", "string", "Name of the camera.", "摄像机"),
            AREA, *AREA_NAMES, _TYPE,
            Column("behaviour", "string", "Rule of our own.", "行为"),
            Column("began_at", "timestamp", "Begin.", "开始时间"),
            Column("ended_at", "timestamp", "End; null while open or where none is sent.", "结束时间"),
            Column("lasted_s", "double", "From begin to end.", "历时", unit="s"),
            Column("reported_at", "timestamp", "When it was reported.", "上报时间"),
            Column("level", "int", "4 red … 1 blue.", "等级"),
            Column("event_confidence", "double", "How sure.", "置信度"),
            Column("people", "int", "People or objects.", "目标数"),
            Column("state", "int", "0 new, 1 confirmed, 2 false alarm, 3 closed.", "处置状态"),
            Column("remark", "string", "Remark as entered.", "处置意见"),
            Column("quality", "string", "GOOD, SUSPECT or BAD.", "质量"),
            Column("boxes", "string", "JSON of boxes in shares of the picture.", "目标框"),
            Column("snapshot_uri", "string", "Picture.", "图片"),
            Column("clip_uri", "string", "Clip.", "录像"),
            Column("model_version", "string", "Model that found it.", "模型版本"),
            *SENTENCES,
        ),
        _events,
        narrows=("camera_code", "event_type", "area_id", "told_by", "state"),
        takes=("level_min",),
    ),
    View(
        "video/verdicts",
        Text("识别准确率（按周）", "Verdicts by week"),
        Text("准确率 = 确认 ÷（确认 + 误报），无人判定的为空", "precision: confirmed ÷ judged; null if none were"),
        (
            Column("week_start", "timestamp", "Monday on the mine's clock.", "周起始"),
            _CAMERA, AREA, *AREA_NAMES, _TYPE,
            Column("events", "long", "Events.", "事件数"),
            Column("confirmed", "long", "Confirmed.", "确认"),
            Column("rejected", "long", "False alarms.", "误报"),
            Column("judged", "long", "Judged.", "已判定"),
            Column("precision", "double", "Confirmed ÷ judged.", "准确率"),
            Column("confidence", "double", "Mean confidence.", "平均置信度"),
        ),
        _verdicts,
        narrows=("camera_code", "event_type", "area_id"),
        usual=timedelta(days=28),
        longest=timedelta(days=366),
    ),
)  # fmt: skip
