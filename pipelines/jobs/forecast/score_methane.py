"""silver.reading → gold.methane_forecast: each minute's forecast of each methane point.

A forecast at t is a function of the model's files and of the readings from the start of the six hours that t lies in,
less a day, up to t. So the numbers are the same whether they are worked out minute by minute, a shift at once or months
later, on one machine or on many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa

from minefusion.models.methane_forecast import explain
from minefusion.models.methane_forecast import predict as methane
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, LEVELS, WITHIN_MIN, Forecast
from minefusion.pipelines.conform.readings import is_usable
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.hazard.inputs import Sites
from minefusion.pipelines.hazard.sensor_series import POINT_KEY, Sensor, other_rows, sensors_of, series_frame
from minefusion.pipelines.jobs.due import MINUTE, SILVER, Steps, Work
from minefusion.pipelines.jobs.forecast.air_groups import (
    QUANTITIES,
    SECOND_US,
    AirGroup,
    air_groups,
    name_of,
    readings_of,
)
from minefusion.pipelines.jobs.forecast.champions import Champions
from minefusion.pipelines.jobs.forecast.reigns import EPOCH, MICROSECOND, Reign, reigns_of
from minefusion.pipelines.jobs.gold_inputs import Computed, Master, points_at
from minefusion.pipelines.jobs.hazard import Job
from minefusion.pipelines.jobs.master_data import sites_of
from minefusion.schemas import gold, silver
from minefusion.schemas.window import Window

MODEL = "methane_forecast"
# Forecasts of one block begin from the same state: that of HISTORY before the block.
BLOCK, HISTORY = timedelta(hours=6), timedelta(hours=24)
_BLOCK_US = BLOCK // MICROSECOND
STEPS = Steps(MINUTE, after=BLOCK + HISTORY)
LIMIT = "limit"
NO_DATA = "NO_DATA"
ROWS = pa.schema(
    [each for each in gold.METHANE_FORECAST.arrow_schema() if each.name not in ("computed_at", "revision", "day")]
)


def job(champions: Champions) -> Job:
    """Bring gold.methane_forecast up to date with silver."""
    return Job(gold.METHANE_FORECAST, (SILVER,), STEPS, partial(forecasts, champions=champions))


def forecasts(engine: Engine, work: Work, master: Master, *, champions: Champions) -> Iterator[Computed]:
    """The rows of one span, and the part that they stand for."""
    window, mines = work.window, work.mines
    part = engine.part(gold.METHANE_FORECAST, window=window, mines=mines)
    reigns = reigns_of(engine, gold.METHANE_FORECAST, window, mines, champions, MINUTE)
    span = Window(_block_start(window.start) - HISTORY, window.end)
    points = points_at(engine, window.start, mines, master).filter(nw.col("quantity").is_in(list(QUANTITIES)))
    usable = nw.when(is_usable(nw.col("quality"), nw.col("quality_reasons"))).then(nw.col("value"))
    readings = engine.read(silver.READING, window=span, mines=mines).with_columns(usable.alias("value"))
    limits = points.select(*POINT_KEY, nw.lit(0, dtype=nw.Int64).alias("us"), nw.col("alarm").alias("value"))
    rows = series_frame(points, engine.with_epoch(readings, "observed_at", "observed_us"), {LIMIT: limits})
    plan = partial(forecasts_of_mine, reigns=reigns, sites=dict(sites_of(engine.settings, mines)))
    yield engine.grouped(rows, ["mine_code"], plan, ROWS), part


def forecasts_of_mine(rows: pa.Table, reigns: Mapping[str, Sequence[Reign]], sites: Sites) -> pa.Table:
    """The forecasts of all methane points of one mine: Arrow in, Arrow out."""
    sensors = sensors_of(rows)
    if not sensors:
        return ROWS.empty_table()
    mine = sensors[0].mine_code
    limits = {point: float(values[0]) for point, (_, values) in other_rows(rows, LIMIT).items()}
    found = []
    for group in air_groups(sensors, sites.get(mine)):
        of = [limits.get(sensor.point_id, np.nan) for sensor in group.gas]
        for reign in reigns[mine]:
            for start_us, end_us in _blocks(reign.start_us, reign.end_us):
                found.append(_of_block(group, of, reign, start_us, end_us))
    return pa.concat_tables(found) if found else ROWS.empty_table()


def _of_block(group: AirGroup, limits_pct: Sequence[float], reign: Reign, start_us: int, end_us: int) -> pa.Table:
    """Forecasts issued in [start_us, end_us), a part of one block."""
    model = reign.files.loaded(methane.load)
    block_us = start_us // _BLOCK_US * _BLOCK_US
    minute_us = MINUTE // MICROSECOND
    readings = readings_of(group, limits_pct, block_us - HISTORY // MICROSECOND, end_us - minute_us, block_us)
    issued_us = np.arange(start_us, end_us, minute_us)
    origins = np.searchsorted(readings.times_s, issued_us / SECOND_US)
    return as_rows(group.gas, limits_pct, methane.predict(model, readings, origins), reign.version)


def as_rows(sensors: Sequence[Sensor], limits_pct: Sequence[float], forecast: Forecast, version: str) -> pa.Table:
    """One row per point, minute and horizon, in that order."""
    minutes, points, horizons = len(forecast.issued_s), len(sensors), len(HORIZONS_MIN)
    assert forecast.names == tuple(name_of(sensor) for sensor in sensors)
    count = minutes * points * horizons

    def each(values: np.ndarray) -> np.ndarray:
        """Of (minutes, points, …) to rows by point, minute and horizon."""
        whole = np.broadcast_to(np.asarray(values), (minutes, points, horizons))
        return np.ascontiguousarray(np.swapaxes(whole, 0, 1)).reshape(count)

    def by_point(values: Sequence[Any]) -> list[Any]:
        return [value for value in values for _ in range(minutes * horizons)]

    issued_us = np.rint(forecast.issued_s * SECOND_US).astype(np.int64)
    ahead_min = np.array(HORIZONS_MIN)
    reach = np.full((minutes, points, horizons), np.nan)
    for place, minutes_ahead in enumerate(WITHIN_MIN):
        reach[..., HORIZONS_MIN.index(minutes_ahead)] = forecast.onset[..., place]
    columns: dict[str, Any] = {
        "mine_code": by_point([sensor.mine_code for sensor in sensors]),
        "point_id": by_point([sensor.point_id for sensor in sensors]),
        "area_id": by_point([sensor.area_id for sensor in sensors]),
        "limit_pct": by_point(list(limits_pct)),
        "issued_at": each(issued_us[:, None, None]),
        "horizon_min": each(ahead_min),
        "target_at": each(issued_us[:, None, None] + ahead_min * 60 * SECOND_US),
        "base_pct": each(forecast.base_pct[..., None]),
        "low_pct": each(forecast.interval_pct[..., 0]),
        "high_pct": each(forecast.interval_pct[..., 1]),
        "reach_chance": np.round(each(reach), 6),
        "is_warning": each(forecast.is_warning[..., None]),
        "is_out_of_range": each(forecast.is_out_of_range[..., None]),
        "driver": each(forecast.driver[..., None]),
        "driver_min": np.round(each(forecast.driver_min[..., None]), 1),
        "model": [MODEL] * count,
        "model_version": [version] * count,
    }
    columns |= {name: each(forecast.quantiles_pct[..., LEVELS.index(level)]) for name, level in gold.QUANTILES.items()}
    table = pl.DataFrame({name: _column(values) for name, values in columns.items()})
    return _told(table).select(ROWS.names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(ROWS)


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    """With sentences, and with a reason in place of a forecast that could not be made."""
    lacking = pl.col("q50_pct").is_null()
    known = dict(explain.DRIVERS)
    zh = pl.col("driver").replace_strict({key: words[0] for key, words in known.items()}, default="")
    en = pl.col("driver").replace_strict({key: words[1] for key, words in known.items()}, default="")
    since = pl.col("driver_min").round(0).cast(pl.Int64)

    def pct(name: str) -> pl.Expr:
        return pl.col(name).round(2).cast(pl.String)

    chance = (100 * pl.col("reach_chance")).round(0).cast(pl.Int64)
    sentence_zh = pl.concat_str(
        pl.format(
            "{} 分钟后甲烷 {} %（80 % 区间 {}～{} %）",
            "horizon_min", pct("q50_pct"), pct("low_pct"), pct("high_pct"),
        ),
        pl.when(pl.col("reach_chance").is_not_null())
        .then(pl.format("，达到报警限值 {} % 的概率 {} %", pl.col("limit_pct"), chance))
        .otherwise(pl.lit("")),
        pl.when(zh != "").then(pl.format("；{}", zh)).otherwise(pl.lit("")),
        pl.when((zh != "") & since.is_not_null()).then(pl.format("（{} min 前起）", since)).otherwise(pl.lit("")),
        pl.when(pl.col("is_out_of_range")).then(pl.lit("；输入超出训练范围")).otherwise(pl.lit("")),
    )  # fmt: skip
    sentence_en = pl.concat_str(
        pl.format(
            "methane {} % in {} min (80 % interval {} to {} %)",
            pct("q50_pct"), "horizon_min", pct("low_pct"), pct("high_pct"),
        ),
        pl.when(pl.col("reach_chance").is_not_null())
        .then(pl.format(", chance of reaching the alarm limit of {} %: {} %", pl.col("limit_pct"), chance))
        .otherwise(pl.lit("")),
        pl.when(en != "").then(pl.format("; {}", en)).otherwise(pl.lit("")),
        pl.when((en != "") & since.is_not_null()).then(pl.format(" ({} min ago)", since)).otherwise(pl.lit("")),
        pl.when(pl.col("is_out_of_range")).then(pl.lit("; inputs outside the training range")).otherwise(pl.lit("")),
    )  # fmt: skip
    none_zh, none_en = "十分钟内没有有效值，不预测", "no good value for ten minutes: no forecast"
    return rows.with_columns(
        pl.when(lacking).then(pl.lit(NO_DATA)).alias("null_reason"),
        pl.when(lacking).then(pl.lit(none_zh)).otherwise(sentence_zh).alias("sentence_zh"),
        pl.when(lacking).then(pl.lit(none_en)).otherwise(sentence_en).alias("sentence_en"),
        *(pl.when(~lacking).then(pl.col(name)).alias(name) for name in ("is_warning", "is_out_of_range", "driver")),
    )


def _column(values: Any) -> pl.Series:
    """As a column; NaN is null."""
    series = pl.Series(values)
    return series.fill_nan(None) if series.dtype == pl.Float64 else series


def _blocks(start_us: int, end_us: int) -> Iterator[tuple[int, int]]:
    """The span cut where blocks begin."""
    while start_us < end_us:
        stop = min(end_us, (start_us // _BLOCK_US + 1) * _BLOCK_US)
        yield start_us, stop
        start_us = stop


def _block_start(instant: datetime) -> datetime:
    return EPOCH + (instant - EPOCH) // BLOCK * BLOCK
