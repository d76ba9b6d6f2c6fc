"""Hazard explorer: indices by area and cell of time, each cell as bad as its worst, and why."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from minefusion.schemas import gold
from minefusion.schemas.table import Column
from minefusion.serving.analyst.view import AREA, AREA_NAMES, SENTENCES, Asked, Source, View, with_area
from minefusion.serving.text import Text

# No index looks at a longer span; so far back a window may have begun that still holds.
LONGEST_WINDOW = timedelta(days=1)
# Under this share of known windows a cell without a finding is "insufficient data" and never normal.
KNOWN_ENOUGH = 0.6
STEPS_MIN = (1, 5, 10, 30, 60, 240, 480, 1440)
MOST_CELLS = 60
_NARROW = ("area_id", "index_id", "entity", "window_start", "window_end", "value", "unit", "level", "legal_exceeded")
_TOLD = ("sentence_zh", "sentence_en", "null_reason")
_LEVEL = Column("level", "int", "Worst level, 0 to 4; null: insufficient data.", "风险等级")
_INDEX = Column("index_id", "string", "Index.", "指标")


def step_for(begin: datetime, end: datetime) -> timedelta:
    """The shortest cell by which the span has no more than MOST_CELLS."""
    fits = (timedelta(minutes=each) for each in STEPS_MIN if (end - begin) <= MOST_CELLS * timedelta(minutes=each))
    return next(fits, timedelta(minutes=STEPS_MIN[-1]))


def cells(indices: pl.DataFrame, begin: datetime, end: datetime, step: timedelta, offset: timedelta) -> pl.DataFrame:
    """One row per area, index and cell of time that a window of the index touches.

    Args:
        indices: rows of gold.hazard_index of one mine.
        offset: of the mine's clock; cells begin at whole steps of its day.

    Level: the worst of the cell's windows; without a finding 0 where KNOWN_ENOUGH of them are known, else null.
    """
    step_us, offset_us = step // timedelta(microseconds=1), offset // timedelta(microseconds=1)

    def cell(at: pl.Expr) -> pl.Expr:
        return (at.dt.epoch("us") + offset_us) // step_us

    within = indices.filter(pl.col("window_start") < end, pl.col("window_end") > begin).with_columns(
        first=cell(pl.max_horizontal("window_start", pl.lit(begin, pl.Datetime("us", "UTC")))),
        last=cell(pl.min_horizontal("window_end", pl.lit(end, pl.Datetime("us", "UTC"))) - pl.duration(microseconds=1)),
    )
    spread = within.with_columns(cell=pl.int_ranges("first", pl.col("last") + 1)).explode("cell", empty_as_null=True)
    ordered = spread.sort(
        "level", "legal_exceeded", "window_start", "entity",
        descending=[True, True, False, False], nulls_last=True,
    )  # fmt: skip
    worst = (pl.col(name).first() for name in ("entity", "value", "unit"))
    grouped = ordered.group_by("area_id", "index_id", "cell", maintain_order=True).agg(
        *worst,
        worst_at=pl.col("window_start").first(),
        highest_level=pl.col("level").max(),
        legal_exceeded=pl.col("legal_exceeded").any(),
        windows=pl.len(),
        known=pl.col("level").count(),
        value_min=pl.col("value").min(),
        value_max=pl.col("value").max(),
    )
    is_known = (pl.col("highest_level") > 0) | (pl.col("known") >= KNOWN_ENOUGH * pl.col("windows"))
    return grouped.with_columns(
        cell_start=pl.from_epoch(pl.col("cell") * step_us - offset_us, "us").dt.replace_time_zone("UTC"),
        level=pl.when(is_known).then("highest_level"),
    ).sort("area_id", "index_id", "cell_start")


def at_instant(indices: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """What every index says of the window that holds `at`, the worst first, the unknown last."""
    return indices.filter(pl.col("window_start") <= at, pl.col("window_end") > at).sort(
        "level", "legal_exceeded", "index_id", "entity", descending=[True, True, False, False], nulls_last=True
    )


def _indices(source: Source, asked: Asked) -> pl.LazyFrame:
    fixed = [pl.col(name) == it for name, it in asked.only.items() if name in ("area_id", "index_id")]
    return source.lazy(gold.HAZARD_INDEX, asked.begin - LONGEST_WINDOW, asked.end, *fixed)


def _cells(source: Source, asked: Asked) -> pl.DataFrame:
    """Sentences are long and most are not shown: they are read of the worst windows alone."""
    step = asked.step or step_for(asked.begin, asked.end)
    rows = _indices(source, asked)
    found = cells(rows.select(_NARROW).collect(), asked.begin, asked.end, step, source.clock.offset)
    if asked.level_min:
        found = found.filter(pl.col("level") >= asked.level_min)
    if asked.is_legal_only:
        found = found.filter("legal_exceeded")
    shown = found.select("area_id", "index_id", "entity", window_start="worst_at").unique()
    told = rows.select(*shown.columns, *_TOLD).join(shown.lazy(), on=shown.columns, how="semi").collect()
    keys = ["area_id", "index_id", "entity", "worst_at"]
    whole = found.join(told, left_on=keys, right_on=shown.columns, how="left", maintain_order="left")
    return with_area(whole, source.areas())


def _why(source: Source, asked: Asked) -> pl.DataFrame:
    last = asked.end - timedelta(microseconds=1)
    rows = at_instant(_indices(source, asked).filter(pl.col("window_end") > last).collect(), last)
    return with_area(rows.filter(pl.col("level") >= asked.level_min) if asked.level_min else rows, source.areas())


VIEWS = (
    View(
        "hazards/cells",
        Text("风险热力", "Hazard heat map"),
        Text(
            "区域 × 指标 × 时间格，每格取最坏等级；有值时窗不足六成且无风险的为“数据不足”",
            "area × index × cell of time, each as bad as its worst window; without a finding and with under six tenths "
            "of its windows known it is insufficient data",
        ),
        (
            AREA,
            *AREA_NAMES,
            _INDEX,
            Column("cell_start", "timestamp", "Start of the cell.", "时间格开始"),
            _LEVEL,
            Column("legal_exceeded", "boolean", "A legal limit is reached.", "是否超法定限值"),
            Column("worst_at", "timestamp", "Start of the worst window.", "最坏时窗"),
            Column("entity", "string", "Point or area of the worst window.", "对象"),
            Column("value", "double", "Value of the worst window.", "指标值"),
            Column("value_min", "double", "Lowest value of the cell.", "最小值"),
            Column("value_max", "double", "Highest value of the cell.", "最大值"),
            Column("unit", "string", "Unit.", "单位"),
            Column("windows", "int", "Windows that touch the cell.", "时窗数"),
            Column("known", "int", "Of these with a level.", "有值时窗数"),
            *SENTENCES,
            Column("null_reason", "string", "Why the value is null.", "空值原因"),
        ),
        _cells,
        narrows=("area_id", "index_id"),
        usual=timedelta(hours=8),
        longest=timedelta(days=31),
        takes=("level_min", "is_legal_only", "step"),
    ),
    View(
        "hazards/why",
        Text("同时同地", "Same place, same time"),
        Text("时段末一刻，各指标怎么说", "what every index says of the last instant of the span, and why"),
        (
            AREA,
            *AREA_NAMES,
            _INDEX,
            Column("entity", "string", "Point or area.", "对象"),
            Column("point_id", "string", "Point; null for an area's index.", "测点编码"),
            Column("window_start", "timestamp", "Start of the window.", "窗口开始"),
            Column("window_end", "timestamp", "End of the window.", "窗口结束"),
            Column("value", "double", "Value; null with a reason.", "指标值"),
            Column("unit", "string", "Unit.", "单位"),
            _LEVEL,
            Column("legal_exceeded", "boolean", "A legal limit is reached.", "是否超法定限值"),
            Column("coverage", "double", "Share of the window that good data covers.", "覆盖率"),
            Column("null_reason", "string", "Why the value is null.", "空值原因"),
            Column("limit_source", "string", "Where the limits come from.", "限值来源"),
            Column("limit_confidence", "string", "How sure the limits are.", "限值可信度"),
            Column("inputs", "string", "JSON of the inputs used.", "输入"),
            *SENTENCES,
            Column("revision", "int", "How often it was worked out anew.", "修订号"),
        ),
        _why,
        narrows=("area_id", "index_id"),
        usual=timedelta(hours=8),
        takes=("level_min",),
    ),
)
