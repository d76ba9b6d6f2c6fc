"""Model performance: error by horizon beside persistence, whether intervals keep their promise, drift."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from minefusion.schemas import gold
from minefusion.schemas.table import Column
from minefusion.serving.analyst.view import LOCATION, SENTENCES, Asked, Source, View
from minefusion.serving.text import Text

PROMISED = 0.8  # share of readings that the interval is to hold


def latest(health: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """The last hour told of each model, point and horizon: figures are of the day that ends with it.

    `skill`: 1 − error ÷ persistence's error; under 0 the model is worse than the last good value.
    """
    skill = 1 - pl.col("mae_pct") / pl.col("persistence_mae_pct")
    return (
        health.sort("hour")
        .group_by("model", "entity", "horizon_min", maintain_order=True)
        .last()
        .with_columns(skill=pl.when(pl.col("persistence_mae_pct") > 0).then(skill))
        .join(points.select(entity="point_id", location="location"), on="entity", how="left")
        .sort("model", "horizon_min", "entity")
    )


def by_horizon(last: pl.DataFrame) -> pl.DataFrame:
    """All points together by model, version and horizon, weighted by the forecasts whose reading came."""
    weight = pl.col("forecasts")

    def mean(name: str) -> pl.Expr:
        is_known = pl.col(name).is_not_null() & (weight > 0)
        total = weight.filter(is_known).sum()
        return pl.when(total > 0).then((pl.col(name) * weight).filter(is_known).sum() / total)

    names = ("mae_pct", "persistence_mae_pct", "pinball_pct", "persistence_pinball_pct", "interval_held")
    return (
        last.group_by("model", "model_version", "horizon_min")
        .agg(
            **{name: mean(name) for name in names},
            points=pl.len(),
            degraded=pl.col("is_degraded").sum(),
            forecasts=weight.sum(),
            out_of_range_share=mean("out_of_range_share"),
            missing_share=pl.col("missing_share").mean(),
            hour=pl.col("hour").max(),
        )
        .with_columns(
            promised=pl.lit(PROMISED),
            skill=pl.when(pl.col("persistence_mae_pct") > 0).then(
                1 - pl.col("mae_pct") / pl.col("persistence_mae_pct")
            ),
        )
        .sort("model", "model_version", "horizon_min", nulls_last=True)
    )


def _latest(source: Source, asked: Asked) -> pl.DataFrame:
    return latest(source.frame(gold.MODEL_HEALTH, asked.begin, asked.end), source.points())


def _horizons(source: Source, asked: Asked) -> pl.DataFrame:
    return by_horizon(_latest(source, asked))


_MODEL = (
    Column("model", "string", "Model.", "模型"),
    Column("model_version", "string", "Its version.", "模型版本"),
    Column("horizon_min", "int", "How far ahead.", "预测时长", unit="min"),
    Column("hour", "timestamp", "End of the day it is about.", "统计至"),
)
_FIGURES = (
    Column("forecasts", "long", "Forecasts whose reading came.", "可验证预测数"),
    Column("mae_pct", "double", "Mean absolute error.", "平均绝对误差", unit="%"),
    Column("persistence_mae_pct", "double", "The same of the last good value.", "持续性误差", unit="%"),
    Column("skill", "double", "1 − error ÷ persistence's; under 0 worse than it.", "技巧评分"),
    Column("pinball_pct", "double", "Pinball loss.", "分位数损失", unit="%"),
    Column("persistence_pinball_pct", "double", "The same of persistence.", "持续性损失", unit="%"),
    Column("interval_held", "double", "Readings inside the 80 % interval.", "区间包含率"),
    Column("out_of_range_share", "double", "On inputs outside the training range.", "超范围比例"),
    Column("missing_share", "double", "Minutes without a forecast.", "缺失比例"),
)

VIEWS = (
    View(
        "models/horizons",
        Text("按预测时长", "By horizon"),
        Text(
            "每测点取时段内最后一个统计日，按可验证预测数加权", "the last day told of each point, weighted by forecasts"
        ),
        (
            *_MODEL,
            Column("points", "long", "Points.", "测点数"),
            Column("degraded", "long", "Of these degraded.", "降级测点数"),
            *_FIGURES,
            Column("promised", "double", "Promised share.", "承诺包含率"),
        ),
        _horizons,
        narrows=("model", "horizon_min"),
    ),
    View(
        "models/points",
        Text("按测点", "By point"),
        Text("每测点取时段内最后一个统计日", "the last day told of each point"),
        (
            *_MODEL,
            Column("entity", "string", "Point.", "测点编码"),
            LOCATION,
            *_FIGURES,
            Column("is_degraded", "boolean", "It does not keep its promise.", "是否降级"),
            Column("faults", "string", "What is wrong.", "问题"),
            *SENTENCES,
        ),
        _latest,
        narrows=("model", "entity", "horizon_min", "is_degraded"),
        usual=timedelta(days=2),
    ),
)
