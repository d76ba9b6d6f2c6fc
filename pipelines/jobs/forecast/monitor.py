"""gold.methane_forecast beside the readings that came → gold.model_health: does each forecast keep its promise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import narwhals as nw
import polars as pl
import pyarrow as pa

from minefusion.pipelines.conform.readings import is_usable
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.jobs.due import Steps, Work
from minefusion.pipelines.jobs.forecast.score_methane import MODEL
from minefusion.pipelines.jobs.gold_inputs import Computed, Master
from minefusion.pipelines.jobs.hazard import Job
from minefusion.pipelines.jobs.new_files import Stage
from minefusion.schemas import gold, silver

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
HOURS_OF_DAY = DAY // HOUR
# The longest horizon: a reading tells of forecasts that were issued so long before.
LONGEST = timedelta(hours=1)
STEPS = Steps(HOUR, HOUR, only_passed=True, after=DAY + LONGEST)
# Fewer readings to compare with than two hours' worth judge nothing.
LEAST_FORECASTS = 120
# What went in is seen at once: an hour of it is enough.
LEAST_ISSUED = 60
# It does worse than doing without: the quantile loss is by a tenth over that of the last good value, and by more than
# a fifth of the step of a 0.01 % sensor.
WORSE, WORSE_PCT = 1.10, 0.002
# Of a promised 80 %: readings hang together, so a day's share scatters by some 5 to 10 %.
LEAST_HELD = 0.65
MOST_OUT_OF_RANGE, MOST_MISSING = 0.20, 0.50
_SLOT_US = 30_000_000
_HOUR_US = 3_600_000_000
_POINT = ["mine_code", "point_id"]
ROWS = pa.schema(
    [each for each in gold.MODEL_HEALTH.arrow_schema() if each.name not in ("computed_at", "revision", "day")]
)


def job() -> Job:
    """Bring gold.model_health up to date with the forecasts."""
    return Job(gold.MODEL_HEALTH, (Stage(gold.METHANE_FORECAST),), STEPS, health)


def health(engine: Engine, work: Work, master: Master) -> Iterator[Computed]:  # noqa: ARG001
    """One row per point, horizon and whole hour of the span."""
    window, mines = work.window, work.mines
    part = engine.part(gold.MODEL_HEALTH, window=window, mines=mines)
    # A row of hour h tells of the day that ends with it; a forecast belongs to the hour that it speaks of.
    span = window.widened(before=DAY - HOUR)
    issued = engine.read(gold.METHANE_FORECAST, window=span.widened(before=LONGEST), mines=mines)
    readings = engine.read(silver.READING, window=span.widened(before=HOUR), mines=mines)
    readings = readings.filter(
        nw.col("quantity") == "ch4", is_usable(nw.col("quality"), nw.col("quality_reasons")), ~nw.col("value").is_null()
    )
    readings = engine.with_epoch(readings, "observed_at", "us")
    slot = ((nw.col("us") + _SLOT_US - 1) // _SLOT_US * _SLOT_US).alias("target_us")
    readings = readings.select(*_POINT, "us", "value", slot)
    last = readings.group_by(*_POINT, "target_us").agg(nw.col("us").max())
    truth = readings.join(last, on=[*_POINT, "target_us", "us"], how="inner").select(*_POINT, "target_us", "value")
    asked = ("horizon_min", "model_version", "base_pct", *gold.QUANTILES, "low_pct", "high_pct", "is_out_of_range")
    rows = engine.with_epoch(issued, "target_at", "target_us").select(*_POINT, *asked, "target_us")
    rows = rows.join(truth, on=[*_POINT, "target_us"], how="left")
    found = engine.grouped(rows, ["mine_code"], health_of_mine, ROWS)
    start, end = (nw.lit(instant, dtype=nw.Datetime("us", "UTC")) for instant in (window.start, window.end))
    yield found.filter(nw.col("hour") >= start, nw.col("hour") < end), part


def health_of_mine(rows: pa.Table) -> pa.Table:
    """Health by point, horizon and hour, of forecasts with the reading that came (`value`, null where none did).

    Forecasts of an earlier version than that of the hour itself are left out: each version answers for its own.
    """
    frame = pl.DataFrame(pl.from_arrow(rows))
    truth = pl.col("value")
    known = truth.is_not_null() & pl.col("q50_pct").is_not_null()

    def pinball(of: dict[str, float], name: str | None = None) -> pl.Expr:
        off = {column: truth - pl.col(name or column) for column in of}
        return pl.mean_horizontal(
            *(pl.max_horizontal(level * off[column], (level - 1) * off[column]) for column, level in of.items())
        )

    sums = {
        "forecasts": known,
        "error": pl.when(known).then((truth - pl.col("q50_pct")).abs()),
        "persistence_error": pl.when(known).then((truth - pl.col("base_pct")).abs()),
        "loss": pl.when(known).then(pinball(gold.QUANTILES)),
        "persistence_loss": pl.when(known).then(pinball(gold.QUANTILES, "base_pct")),
        "held": known & (truth >= pl.col("low_pct") - 1e-9) & (truth <= pl.col("high_pct") + 1e-9),
        "out": pl.col("is_out_of_range").fill_null(False),
        "missing": pl.col("q50_pct").is_null(),
        "all": pl.col("target_us").is_not_null(),
    }
    key = ["mine_code", "point_id", "horizon_min"]
    hour = pl.col("target_us") // _HOUR_US
    hourly = (
        frame.with_columns(hour.alias("of_hour"))
        .group_by(*key, "model_version", "of_hour")
        .agg(*(each.sum().cast(pl.Float64).alias(name) for name, each in sums.items()))
    )
    # The version that answers for an hour: of two in the hour of a change, the one that was asked more.
    answers = (
        hourly.sort(*key, "of_hour", "all", "model_version")
        .group_by(*key, "of_hour", maintain_order=True)
        .last()
        .select(*key, pl.col("of_hour").alias("at_hour"), "model_version")
    )
    offsets = pl.DataFrame({"back": list(range(HOURS_OF_DAY))})
    day = answers.join(offsets, how="cross").with_columns((pl.col("at_hour") - pl.col("back")).alias("of_hour"))
    day = day.join(hourly, on=[*key, "model_version", "of_hour"], how="inner")
    total = day.group_by(*key, "at_hour", "model_version").agg(*(pl.col(name).sum() for name in sums))
    return _judged(total).select(ROWS.names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(ROWS)


def _judged(total: pl.DataFrame) -> pl.DataFrame:
    def mean(name: str) -> pl.Expr:
        return pl.when(pl.col("forecasts") > 0).then(pl.col(name) / pl.col("forecasts")).round(6)

    rows = total.with_columns(
        mean("error").alias("mae_pct"),
        mean("persistence_error").alias("persistence_mae_pct"),
        mean("loss").alias("pinball_pct"),
        mean("persistence_loss").alias("persistence_pinball_pct"),
        mean("held").alias("interval_held"),
        (pl.col("out") / pl.col("all")).round(6).alias("out_of_range_share"),
        (pl.col("missing") / pl.col("all")).round(6).alias("missing_share"),
    )
    enough = pl.col("forecasts") >= LEAST_FORECASTS
    worse = pl.col("pinball_pct") - pl.col("persistence_pinball_pct")
    faults = {
        "ERROR": enough & (worse > WORSE_PCT) & (pl.col("pinball_pct") > WORSE * pl.col("persistence_pinball_pct")),
        "COVERAGE": enough & (pl.col("interval_held") < LEAST_HELD),
        "DRIFT": (pl.col("all") >= LEAST_ISSUED) & (pl.col("out_of_range_share") > MOST_OUT_OF_RANGE),
        "MISSING": (pl.col("all") >= LEAST_ISSUED) & (pl.col("missing_share") > MOST_MISSING),
    }

    def listed(words: dict[str, str], separator: str) -> pl.Expr:
        told = (pl.when(faults[code].fill_null(False)).then(pl.lit(word)) for code, word in words.items())
        return pl.concat_str(*told, separator=separator, ignore_nulls=True)

    codes = listed({code: code for code in faults}, ",")
    zh = listed({code: words[0] for code, words in gold.MODEL_FAULTS.items()}, "，")
    en = listed({code: words[1] for code, words in gold.MODEL_FAULTS.items()}, "; ")
    held = (100 * pl.col("interval_held")).round(0).cast(pl.Int64).cast(pl.String).fill_null("–")
    error = pl.col("mae_pct").round(3).cast(pl.String).fill_null("–")
    without = pl.col("persistence_mae_pct").round(3).cast(pl.String).fill_null("–")
    return rows.with_columns(
        pl.lit(MODEL).alias("model"),
        pl.col("point_id").alias("entity"),
        pl.from_epoch(pl.col("at_hour") * 3600, time_unit="s")
        .dt.cast_time_unit("us")
        .dt.replace_time_zone("UTC")
        .alias("hour"),
        pl.col("forecasts").cast(pl.Int32),
        codes.alias("faults"),
        (codes != "").alias("is_degraded"),
        pl.concat_str(
            pl.format("误差 {} %（不用模型 {} %），80 % 区间包含 {} %", error, without, held),
            pl.when(codes != "").then(pl.format("；降级：{}", zh)).otherwise(pl.lit("")),
        ).alias("sentence_zh"),
        pl.concat_str(
            pl.format("error {} % (doing without {} %), the 80 % interval held {} %", error, without, held),
            pl.when(codes != "").then(pl.format("; degraded: {}", en)).otherwise(pl.lit("")),
        ).alias("sentence_en"),
    )
