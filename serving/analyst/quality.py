"""Data quality: by dataset and hour, by point, and the balance of what was sent and what became of it."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from minefusion.schemas import bronze, gold
from minefusion.schemas.exchange.grammar import kinds
from minefusion.schemas.table import Column
from minefusion.serving.analyst.view import AREA, AREA_NAMES, LOCATION, SENTENCES, Asked, Source, View, with_area
from minefusion.serving.text import Text

COUNTS = ("stored", "quarantined", "rejected", "duplicate", "aside", "waiting")
_WORST_FIRST = {"fault": 0, "watch": 1, "unknown": 2, "ok": 3}


def _filled() -> pl.Expr:
    """What came of what was expected; what came twice fills no gap."""
    return pl.min_horizontal(pl.col("received").fill_null(0), "expected").filter(pl.col("expected") > 0).sum()


def _scores() -> dict[str, pl.Expr]:
    """Completeness, accuracy and timeliness of several rows, weighted by what was expected or came."""
    expected = pl.col("expected").filter(pl.col("expected") > 0).sum()

    def weighted(name: str) -> pl.Expr:
        is_known = pl.col(name).is_not_null() & (pl.col("received") > 0)
        weight = pl.col("received").filter(is_known).sum()
        return pl.when(weight > 0).then((pl.col(name) * pl.col("received")).filter(is_known).sum() / weight)

    return {
        "expected": expected,
        "received": pl.col("received").sum(),
        "completeness": pl.when(expected > 0).then(_filled() / expected),
        "accuracy": weighted("accuracy"),
        "timeliness": weighted("timeliness"),
    }


def by_hour(quality: pl.DataFrame) -> pl.DataFrame:
    """One row per dataset and hour."""
    return (
        quality.group_by("dataset", "hour")
        .agg(**_scores(), entities=pl.col("entity").n_unique(), lacking=(pl.col("completeness") < 1).sum())
        .sort("dataset", "hour")
    )


def by_entity(quality: pl.DataFrame, health: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """One row per dataset and point (or area, or kind of file) over the span, the least complete first; with the last
    verdict on the sensor."""
    last = health.sort("hour").group_by("point_id", maintain_order=True).agg(
        *(pl.col(name).last() for name in ("verdict", "leading_check", "sentence_zh", "sentence_en")),
    )  # fmt: skip
    worst = health.with_columns(place=pl.col("verdict").replace_strict(_WORST_FIRST, default=9, return_dtype=pl.Int8))
    worst = worst.sort("place").group_by("point_id", maintain_order=True).agg(worst_verdict=pl.col("verdict").first())
    return (
        quality.group_by("dataset", "entity")
        .agg(pl.col("area_id").first(), **_scores(), hours=pl.len())
        .join(points.select(entity="point_id", location="location"), on="entity", how="left")
        .join(last, left_on="entity", right_on="point_id", how="left")
        .join(worst, left_on="entity", right_on="point_id", how="left")
        .sort("completeness", "accuracy", "dataset", "entity", nulls_last=True)
    )


def balance(files: pl.DataFrame) -> pl.DataFrame:
    """By kind of file: records sent and what became of them, as the ledger has it. `is_even`: it adds up.

    The ledger's own count; `minefusion balance` counts what was sent apart from it.
    """
    parts = [pl.col(f"records_{name}").sum().alias(name) for name in COUNTS]
    return (
        files.group_by(kind=pl.coalesce("kind", "name_kind", pl.lit("unknown")))
        .agg(*parts, files=pl.len(), sent=pl.col("records_sent").sum())
        .with_columns(
            is_even=pl.col("sent") == pl.sum_horizontal(COUNTS),
            kind_zh=pl.col("kind").replace_strict({code: it.zh for code, it in kinds().items()}, default=None),
            kind_en=pl.col("kind").replace_strict({code: it.en for code, it in kinds().items()}, default=None),
        )
        .sort("kind")
    )


def _hours(source: Source, asked: Asked) -> pl.DataFrame:
    return by_hour(source.frame(gold.DATA_QUALITY, asked.begin, asked.end))


def _entities(source: Source, asked: Asked) -> pl.DataFrame:
    rows = by_entity(
        source.frame(gold.DATA_QUALITY, asked.begin, asked.end),
        source.frame(gold.SENSOR_HEALTH, asked.begin, asked.end),
        source.points(),
    )
    return with_area(rows, source.areas())


def _balance(source: Source, asked: Asked) -> pl.DataFrame:
    return balance(source.frame(bronze.EXCHANGE_FILE, asked.begin, asked.end))


_DATASET = Column("dataset", "string", "Table it is about.", "数据集")
_SCORES = (
    Column("expected", "long", "Values expected.", "应到数"),
    Column("received", "long", "Values that came.", "实到数"),
    Column("completeness", "double", "What came of what was expected.", "完整性"),
    Column("accuracy", "double", "Share of GOOD among what came.", "准确性"),
    Column("timeliness", "double", "Share that came in time.", "及时性"),
)

VIEWS = (
    View(
        "quality/hours",
        Text("数据集 × 小时", "By dataset and hour"),
        Text("完整性 = 实到 ÷ 应到（重复不补缺）", "completeness: what came of what was expected; twice fills no gap"),
        (
            _DATASET,
            Column("hour", "timestamp", "Start of the hour.", "小时"),
            *_SCORES,
            Column("entities", "long", "Points, areas or kinds of file.", "对象数"),
            Column("lacking", "long", "Of these not complete.", "不完整对象数"),
        ),
        _hours,
        narrows=("dataset",),
    ),
    View(
        "quality/points",
        Text("最差测点", "Worst points"),
        Text("最不完整的在前，并列最后一次传感器健康结论", "the least complete first, with the verdict on the sensor"),
        (
            _DATASET,
            Column("entity", "string", "Point, area or kind of file.", "对象"),
            LOCATION, AREA, *AREA_NAMES,
            Column("hours", "long", "Hours looked at.", "小时数"),
            *_SCORES,
            Column("verdict", "string", "Last verdict: fault, watch, unknown, ok.", "最后结论"),
            Column("worst_verdict", "string", "Worst verdict of the span.", "最差结论"),
            Column("leading_check", "string", "What decided the last one.", "主要问题"),
            *SENTENCES,
        ),
        _entities,
        narrows=("dataset", "area_id", "verdict"),
    ),
    View(
        "quality/balance",
        Text("记录平衡（台账）", "Row balance (ledger)"),
        Text(
            "发出 = 入库 + 隔离 + 拒收 + 重复 + 搁置 + 等待；为台账数，发出数的另行清点见 minefusion balance",
            "sent = stored + quarantined + rejected + duplicate + aside + waiting, by the ledger; minefusion balance "
            "counts what was sent apart from it",
        ),
        (
            Column("kind", "string", "Kind of file.", "文件类型"),
            Column("kind_zh", "string", "Its name in Chinese.", "名称"),
            Column("kind_en", "string", "Its name in English.", "名称（英文）"),
            Column("files", "long", "Files.", "文件数"),
            Column("sent", "long", "Records sent.", "发出"),
            Column("stored", "long", "Stored.", "入库"),
            Column("quarantined", "long", "Quarantined.", "隔离"),
            Column("rejected", "long", "Rejected.", "拒收"),
            Column("duplicate", "long", "Sent again.", "重复"),
            Column("aside", "long", "Of unknown files.", "搁置"),
            Column("waiting", "long", "Of files not complete.", "等待"),
            Column("is_even", "boolean", "It adds up.", "是否平衡"),
        ),
        _balance,
        narrows=("kind",),
        usual=timedelta(days=1),
    ),
)  # fmt: skip
