"""The fused table: gas, air, people, machines and the worst index of every area, minute by minute.

Every figure is what was known at the end of its minute: samples of the minute itself, else the newest one while it is
no older than three nominal periods, else null with the reason. Nothing looks ahead.

An area's level is that of its worst index, with two rules that pull in opposite directions, both to the safe side:

* Too little known is never "normal". With fewer than 60 % of its inputs fresh, with every methane point silent, or
  with no index computed, the level is null and the sentence says "insufficient data".
* A danger that is known is never hidden by what is not. An index at level 3 or more stands however little else came: it
  rests on a usable reading, on one over range, or on the level that a point kept when it fell silent over its limit.
  Between the two, a level of 1 or 2 is not shown where too little is known: it says how bad it is at least, no more.
"""

from __future__ import annotations

from typing import Literal

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.minutes import (
    BEFORE,
    HELD_PERIODS,
    MINUTE_US,
    QUANTITIES,
    first_minute,
    minute_grid,
    minute_no,
)
from minefusion.pipelines.hazard.rows import LEVEL_EN, LEVEL_ZH, NORMAL, ORANGE
from minefusion.pipelines.hazard.snapshots import held_counts
from minefusion.pipelines.rounding import rounded
from minefusion.schemas.gold import AREA_MINUTE

# Fewer fresh inputs than this many of ten: insufficient data.
LEAST_OF_TEN = 6
MACHINES = ("equipment_on", "aux_fan", "main_fan")
TREND_MINUTES = 30
# A trend needs values in three quarters of its minutes, as a mean does.
TREND_LEAST = 23
# Methane counts in whole ten-thousandths of a percent while a trend is summed: sums of whole numbers are exact, so a
# trend is the same to the last digit whichever window computes it.
TREND_SCALE = 10_000.0

# Why a column is null: code → Chinese, English.
NULL_REASONS: dict[str, tuple[str, str]] = {
    "NO_POINT": ("本区域无此类测点", "no such point in this area"),
    "STALE": ("最新有效值已超过 3 个周期", "the newest good value is older than 3 periods"),
    "SHORT_HISTORY": ("最近 30 分钟有效数据不足", "too few good minutes in the last 30"),
    "NO_SNAPSHOT": ("无有效的人员快照", "no fresh snapshot of the positioning system"),
    "NO_CAP": ("未核定人数", "no cap is set"),
    "NO_CAMERA": ("未接入视频分析", "no camera analysis runs"),
    "INSUFFICIENT_DATA": ("数据不足", "insufficient data"),
}

_AREA = ["mine_code", "area_id"]
_CELL = [*_AREA, "minute_no"]
_LATER = pa.schema([("_later", pa.int64())])


def area_minute(
    inputs: Inputs,
    hazard: nw.LazyFrame,
    told: nw.LazyFrame,
    video: tuple[nw.LazyFrame, nw.LazyFrame] | None = None,
) -> nw.LazyFrame:
    """Rows of gold.area_minute, without what the job adds: every area of a mine by every minute of the window that
    lies between the mine's first and last data.

    Args:
        hazard: gold.hazard_index of the window and of two windows of the longest index before it.
        told: silver.reported_abnormality up to the window's end.
        video: gold.unsafe_behaviour up to the window's end, and silver.camera_minute of the window; None: no cameras.
    """
    rows = _cells(inputs)
    rows = rows.join(_sensed(inputs), on=_CELL, how="left")
    rows = _with_trend(held_counts(rows, inputs.headcount))
    rows = rows.filter(nw.col("minute_no") >= first_minute(inputs.window))
    rows = rows.join(_reported(inputs, told), on=_CELL, how="left").with_columns(
        nw.col("reported_abnormalities").fill_null(0)
    )
    rows = rows.join(_worst(inputs, hazard), on=_CELL, how="left")
    rows = _with_level(rows)
    if video is None:
        rows = rows.with_columns(nw.lit(None, dtype=nw.Int32).alias("behaviours"))
    else:
        rows = rows.join(_behaviours(inputs, *video), on=_CELL, how="left")
    rows = rows.with_columns(_null_reasons().alias("null_reasons"))
    return rows.select(*(name for name in AREA_MINUTE.names if name not in ("computed_at", "revision", "day")))


def _cells(inputs: Inputs) -> nw.LazyFrame:
    """Areas × minutes, from the minutes that a trend looks back over to the window's end, where the mine has data."""
    seen = [
        frame.select("mine_code", minute_no(nw.col("observed_us")).alias("minute_no"))
        for frame in (inputs.readings, inputs.headcount)
    ]
    span = (
        nw.concat(seen, how="vertical")
        .group_by("mine_code")
        .agg(nw.col("minute_no").min().alias("_first"), nw.col("minute_no").max().alias("_last"))
    )
    areas = inputs.areas.select(
        *_AREA, nw.col("cap").alias("people_cap"), (~nw.col("area_type").is_null()).cast(nw.Int32).alias("_told")
    )
    # A mine has a positioning system where its area file (RYQY) came, and from its first snapshot on.
    told = areas.group_by("mine_code").agg(nw.col("_told").max().alias("_is_told"))
    counted = inputs.headcount.with_columns(minute_no(nw.col("observed_us")).alias("_counted_from"))
    counted = counted.group_by("mine_code").agg(nw.col("_counted_from").min())
    cells = areas.drop("_told").join(span, on="mine_code", how="inner").join(told, on="mine_code", how="left")
    cells = cells.join(counted, on="mine_code", how="left").join(minute_grid(inputs, before=TREND_MINUTES), how="cross")
    has_positioning = (nw.col("_is_told") == 1) | (nw.col("minute_no") >= nw.col("_counted_from")).fill_null(False)
    return cells.filter(nw.col("minute_no") >= nw.col("_first"), nw.col("minute_no") <= nw.col("_last")).select(
        *_CELL,
        nw.col("window_start").alias("minute"),
        "people_cap",
        has_positioning.cast(nw.Int32).alias("_has_positioning"),
    )


# ── points ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sensed(inputs: Inputs) -> nw.LazyFrame:
    """What the points of each area and minute show, and how many of them show anything."""
    parts = [_analog(inputs), _switches(inputs)]
    points = nw.concat(parts, how="vertical").with_columns(nw.col("area_id").fill_null("unplaced"))

    def of(quantity: str, column: str) -> nw.Expr:
        return nw.when(nw.col("_good") == 1, nw.col("quantity") == quantity).then(nw.col(column))

    def number_of(*quantities: str) -> nw.Expr:
        return nw.col("quantity").is_in(list(quantities)).cast(nw.Int32)

    figures = {
        "ch4_pct_min": (of("ch4", "value_min"), "min"),
        "ch4_pct_mean": (of("ch4", "mean"), "mean"),
        "ch4_pct_max": (of("ch4", "value_max"), "max"),
        "co_ppm_max": (of("co", "value_max"), "max"),
        "o2_pct_min": (of("o2", "value_min"), "min"),
        "air_velocity_m_s": (of("air_velocity", "mean"), "mean"),
        "temperature_c": (of("temperature", "value_max"), "max"),
        "machines_running": (
            nw.when(nw.col("_good") == 1, number_of(*MACHINES) == 1).then((nw.col("value_max") == 1).cast(nw.Int32)),
            "sum",
        ),
        "_gas_points": (number_of("ch4"), "sum"),
        "_gas_good": (number_of("ch4") * nw.col("_good"), "sum"),
        "_co_points": (number_of("co"), "sum"),
        "_o2_points": (number_of("o2"), "sum"),
        "_air_points": (number_of("air_velocity"), "sum"),
        "_temperature_points": (number_of("temperature"), "sum"),
        "_machine_points": (number_of(*MACHINES), "sum"),
        "_machine_good": (number_of(*MACHINES) * nw.col("_good"), "sum"),
        "_points": (nw.lit(1).cast(nw.Int32), "sum"),
        "_points_good": (nw.col("_good"), "sum"),
    }
    points = points.with_columns(*(value.alias(name) for name, (value, _) in figures.items()))
    cells = points.group_by(*_CELL).agg(*(getattr(nw.col(name), how)() for name, (_, how) in figures.items()))
    # A sum over nothing is 0 on one engine and null on the other.
    running = nw.when(nw.col("_machine_good") > 0).then(nw.col("machines_running").cast(nw.Int32))
    means = (rounded(nw.col(name)).alias(name) for name in ("ch4_pct_mean", "air_velocity_m_s"))
    return cells.with_columns(running.alias("machines_running"), *means)


def _analog(inputs: Inputs) -> nw.LazyFrame:
    period = inputs.points.select("mine_code", "point_id", "period_s")
    rows = inputs.minutes.filter(nw.col("minute_no") >= first_minute(inputs.window) - TREND_MINUTES)
    rows = rows.join(period, on=["mine_code", "point_id"], how="left")
    good = (nw.col("samples") > 0) | _is_fresh()
    return rows.select(
        *_CELL, "quantity", "value_min", "mean", "value_max", good.fill_null(False).cast(nw.Int32).alias("_good")
    )


def _switches(inputs: Inputs) -> nw.LazyFrame:
    """The other points: the newest sample of each, while it holds."""
    point = ["mine_code", "point_id"]
    points = inputs.points.filter(~nw.col("quantity").is_in(list(QUANTITIES))).select(
        *point, "area_id", "quantity", "period_s"
    )
    samples = inputs.readings.filter(nw.col("usable"), ~nw.col("value").is_null()).join(
        points.select(*point), on=point, how="semi"
    )
    samples = samples.select(
        *point, "value", nw.col("observed_us").alias("last_us"), minute_no(nw.col("observed_us")).alias("minute_no")
    )
    newest = samples.group_by(*point, "minute_no").agg(nw.col("last_us").max())
    samples = samples.join(newest, on=[*point, "minute_no", "last_us"], how="inner")
    grid = points.join(minute_grid(inputs, before=BEFORE).select("minute_no"), how="cross")
    rows = grid.join(samples, on=[*point, "minute_no"], how="left").with_columns(
        (~nw.col("last_us").is_null()).alias("_is_new"),
        *(
            nw.col(name).fill_null(strategy="forward").over(*point, order_by="minute_no")
            for name in ("last_us", "value")
        ),
    )
    rows = rows.filter(nw.col("minute_no") >= first_minute(inputs.window) - TREND_MINUTES)
    good = (nw.col("_is_new") | _is_fresh()).fill_null(False).cast(nw.Int32).alias("_good")
    return rows.select(
        *_CELL, "quantity", *(nw.col("value").alias(name) for name in ("value_min", "mean", "value_max")), good
    )


def _is_fresh() -> nw.Expr:
    """At the minute's end the newest sample is no older than three nominal periods."""
    age_us = (nw.col("minute_no") + 1) * MINUTE_US - nw.col("last_us")
    return age_us <= HELD_PERIODS * 1_000_000 * nw.col("period_s")


# ── trend ────────────────────────────────────────────────────────────────────────────────────────────────


def _with_trend(rows: nw.LazyFrame) -> nw.LazyFrame:
    """Add ch4_pct_trend_per_h: slope of the least-squares line through the area's highest methane of 30 minutes."""
    known = ~nw.col("ch4_pct_max").is_null()
    # Minutes count from the first one: small whole numbers keep the sums exact, and a slope does not mind the origin.
    x = (nw.col("minute_no") - nw.col("minute_no").min().over(*_AREA)).cast(nw.Float64)
    y = (nw.col("ch4_pct_max") * TREND_SCALE).round(0)
    terms = {"n": nw.lit(1.0), "x": x, "y": y, "xx": x * x, "xy": x * y}
    rows = rows.with_columns(
        *(nw.when(known).then(term).otherwise(nw.lit(0.0)).alias(f"_{name}") for name, term in terms.items())
    )
    sums = (
        nw.col(f"_{name}")
        .rolling_sum(window_size=TREND_MINUTES, min_samples=1)
        .over(*_AREA, order_by="minute_no")
        .alias(f"_{name}")
        for name in terms
    )
    rows = rows.with_columns(*sums)
    n, across = nw.col("_n"), nw.col("_n") * nw.col("_xx") - nw.col("_x") * nw.col("_x")
    slope = (n * nw.col("_xy") - nw.col("_x") * nw.col("_y")) / across
    trend = nw.when(n >= TREND_LEAST).then((slope * (60.0 / TREND_SCALE)).round(4))
    return rows.with_columns(trend.alias("ch4_pct_trend_per_h")).drop(*(f"_{name}" for name in terms))


# ── what the mine reports, and the indices ──────────────────────────────────────────────────────────────────────────


def _reported(inputs: Inputs, told: nw.LazyFrame) -> nw.LazyFrame:
    """How many reports of the mine are open at each minute's end."""
    ends = minute_grid(inputs).with_columns(nw.col("window_start").dt.offset_by("1m").alias("_end"))
    begun = told.select(*_AREA, "began_at", "ended_at").join(ends, how="cross")
    still = nw.col("ended_at").is_null() | (nw.col("ended_at") >= nw.col("_end"))
    opened = begun.filter(nw.col("began_at") < nw.col("_end"), still)
    return opened.group_by(*_CELL).agg(nw.len().cast(nw.Int32).alias("reported_abnormalities"))


def _behaviours(inputs: Inputs, seen: nw.LazyFrame, watched: nw.LazyFrame) -> nw.LazyFrame:
    """How many unsafe behaviours go on in each minute that a camera of the area was watched in."""
    grid = minute_grid(inputs).select("minute_no", "window_start")
    cells = watched.filter(nw.col("pictures") > 0).select(*_AREA, nw.col("minute").alias("window_start")).unique()
    cells = cells.join(grid, on="window_start", how="inner").select(*_CELL)
    ends = grid.with_columns(nw.col("window_start").dt.offset_by("1m").alias("_end"))
    going = seen.select(*_AREA, "began_at", "ended_at").join(ends, how="cross")
    still = nw.col("ended_at").is_null() | (nw.col("ended_at") >= nw.col("window_start"))
    going = going.filter(nw.col("began_at") < nw.col("_end"), still)
    counts = going.group_by(*_CELL).agg(nw.len().cast(nw.Int32).alias("behaviours"))
    return cells.join(counts, on=_CELL, how="left").with_columns(nw.col("behaviours").fill_null(0).cast(nw.Int32))


def _worst(inputs: Inputs, hazard: nw.LazyFrame) -> nw.LazyFrame:
    """The worst index that was known at each area's minute end, with its words.

    An index over a window is known when the window ends and stands until the next one of its kind ends.
    """
    clock = minute_grid(inputs, before=BEFORE).with_columns(
        nw.col("window_start").dt.offset_by("1m").alias("window_end")
    )
    begins = clock.select("window_start", nw.col("minute_no").alias("_begins"))
    ends = clock.select("window_end", "minute_no")
    known = (
        hazard.filter(~nw.col("level").is_null())
        .join(begins, on="window_start", how="inner")
        .join(ends, on="window_end", how="inner")
    )
    known = known.select(
        *_CELL,
        "level",
        "sentence_zh",
        "sentence_en",
        (nw.col("minute_no") + 1 - nw.col("_begins")).alias("_minutes"),
        "index_id",
        # Sorts the worst first and, of equally bad ones, always the same.
        nw.concat_str((9 - nw.col("level")).cast(nw.String), nw.col("index_id"), nw.lit(" "), nw.col("entity")).alias(
            "_order"
        ),
    )
    lasting = known.filter(nw.col("_minutes") > 1).join(
        inputs.frame([{"_later": n} for n in range(BEFORE)], _LATER), how="cross"
    )
    lasting = (
        lasting.filter(nw.col("_later") < nw.col("_minutes"))
        .with_columns(nw.col("minute_no") + nw.col("_later"))
        .drop("_later")
    )
    known = nw.concat(
        [known.filter(nw.col("_minutes") == 1), lasting.select(*known.collect_schema().names())], how="vertical"
    )
    first = known.group_by(*_CELL).agg(nw.col("_order").min(), nw.col("level").max().alias("_index_level"))
    found = known.filter(nw.col("level") > NORMAL).select(*_CELL, "_order", "index_id", "sentence_zh", "sentence_en")
    return first.join(found, on=[*_CELL, "_order"], how="left").drop("_order")


def _with_level(rows: nw.LazyFrame) -> nw.LazyFrame:
    """Add level, why_zh, why_en, readings_expected and readings_good."""
    counts = (
        "_gas_points",
        "_gas_good",
        "_co_points",
        "_o2_points",
        "_air_points",
        "_temperature_points",
        "_machine_points",
        "_points",
        "_points_good",
    )
    rows = rows.with_columns(*(nw.col(name).fill_null(0) for name in counts))
    counted = (~nw.col("people_count").is_null()).cast(nw.Int32) * nw.col("_has_positioning")
    rows = rows.with_columns(
        (nw.col("_points") + nw.col("_has_positioning")).cast(nw.Int32).alias("readings_expected"),
        (nw.col("_points_good") + counted).cast(nw.Int32).alias("readings_good"),
    )
    expected, good, worst = nw.col("readings_expected"), nw.col("readings_good"), nw.col("_index_level")
    gas_silent = (nw.col("_gas_points") > 0) & (nw.col("_gas_good") == 0)
    too_little = (good * 10 < expected * LEAST_OF_TEN) | gas_silent | worst.is_null() | (expected == 0)
    danger = (worst >= ORANGE).fill_null(False)
    rows = rows.with_columns(
        nw.when(danger | ~too_little).then(worst).cast(nw.Int32).alias("level"),
        too_little.alias("_too_little"),
        gas_silent.alias("_gas_silent"),
    )
    return rows.with_columns(_why("zh").alias("why_zh"), _why("en").alias("why_en"))


def _why(language: Literal["zh", "en"]) -> nw.Expr:
    """What the level rests on: the worst index in its own words, or how much is known, and what the mine reports."""
    zh = language == "zh"
    level = nw.col("level")
    words = LEVEL_ZH if zh else LEVEL_EN
    word: nw.Expr = nw.lit(words[NORMAL])
    for number, text in enumerate(words):
        word = nw.when(level == number).then(nw.lit(text)).otherwise(word)
    known = _join(nw.col("readings_good").cast(nw.String), nw.lit("/"), nw.col("readings_expected").cast(nw.String))
    end = nw.lit("。" if zh else ".")
    indexed = _join(word, nw.lit(" "), nw.col("index_id"), nw.lit("：" if zh else ": "), nw.col(f"sentence_{language}"))
    normal = _join(nw.lit("各项指标正常，有效输入 " if zh else "All indices normal, fresh inputs "), known, end)
    too_little = _join(
        nw.when(~level.is_null()).then(nw.lit("" if zh else " ")),
        nw.lit("数据不足：有效输入 " if zh else "Insufficient data: fresh inputs "),
        known,
        nw.when(nw.col("_index_level").is_null()).then(
            nw.lit("，无指标可判定" if zh else ", no index could be judged")
        ),
        nw.when(nw.col("_gas_silent")).then(
            nw.lit("，甲烷测点均无有效数据" if zh else ", no methane point has a fresh value")
        ),
        end,
    )
    reports = nw.col("reported_abnormalities")
    told = _join(
        nw.lit("矿方上报 " if zh else " Open reports of the mine: "),
        reports.cast(nw.String),
        nw.lit(" 项异常未解除。" if zh else "."),
    )
    return _join(
        nw.when(level > NORMAL).then(indexed),
        nw.when(level == NORMAL).then(normal),
        nw.when(level == NORMAL, nw.col("_points") == 0).then(
            nw.lit("本区域没有测点。" if zh else " The area has no points.")
        ),
        nw.when(nw.col("_too_little")).then(too_little),
        nw.when(reports > 0).then(told),
    )


def _join(*parts: nw.Expr) -> nw.Expr:
    """The parts that are there, one behind the other.

    Joining with nulls left out names each part once in Spark's plan; joining that yields null for a null part names it
    twice, and texts joined of texts would grow beyond every memory.
    """
    return nw.concat_str(*parts, ignore_nulls=True)


def _null_reasons() -> nw.Expr:
    """JSON object: each null column and the code of NULL_REASONS that says why."""

    def by_points(count: str) -> nw.Expr:
        return nw.when(nw.col(count) == 0).then(nw.lit("NO_POINT")).otherwise(nw.lit("STALE"))

    gas = by_points("_gas_points")
    reasons = {
        "ch4_pct_min": gas,
        "ch4_pct_mean": gas,
        "ch4_pct_max": gas,
        "ch4_pct_trend_per_h": nw.when(nw.col("_gas_points") == 0)
        .then(nw.lit("NO_POINT"))
        .otherwise(nw.lit("SHORT_HISTORY")),
        "co_ppm_max": by_points("_co_points"),
        "o2_pct_min": by_points("_o2_points"),
        "air_velocity_m_s": by_points("_air_points"),
        "temperature_c": by_points("_temperature_points"),
        "people_count": nw.lit("NO_SNAPSHOT"),
        "people_cap": nw.lit("NO_CAP"),
        "machines_running": by_points("_machine_points"),
        "behaviours": nw.lit("NO_CAMERA"),
        "level": nw.lit("INSUFFICIENT_DATA"),
    }
    pairs = [
        nw.when(nw.col(column).is_null()).then(_join(nw.lit(f', "{column}": "'), code, nw.lit('"')))
        for column, code in reasons.items()
    ]
    return _join(nw.lit("{"), _join(*pairs).str.slice(2), nw.lit("}"))
