"""DQ-06 to DQ-09, DQ-11 and DQ-12: units, ranges, frozen values, spikes, and alarm bits that agree with the limits.

A value is told once: outside what is plausible, else outside its instrument's range, else as a spike, else by its bit.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from minefusion.pipelines.conformance.clauses import Found
from minefusion.pipelines.conformance.feed import Feed, local_text
from minefusion.schemas.exchange.grammar import POINT_CODE, POINT_CODE_TYPE
from minefusion.schemas.exchange.measures import measures
from minefusion.schemas.quality import quality_rule
from minefusion.schemas.sensors import SensorType, sensor_type
from minefusion.schemas.units import canonical_unit, unit_factor

SAMPLES = ("CDSS", "NCDSS", "SSSJ")
DEFINED = ("CDDY", "NCDDY")
ANALOG = "MN"
# Status bits: alarm; over range; and those with which a value is not the air's: calibration, faults, not polled.
ALARM_BIT, OVER_RANGE_BIT = 1, 8
NOT_OF_THE_AIR = (4, 16, 32, 64, 128)
# Systems hold an alarm for a while after the value is back inside, so that it does not flutter.
ALARM_HELD_S = 120.0
# Samples that lie so many usual spans apart do not follow each other.
FOLLOWS = 1.5

_SERIES = ("mine_code", "point_code")


def units_fit(feed: Feed) -> list[Found]:
    """DQ-12: in definitions and in values, wherever a unit is sent beside a point of a known type."""
    rows = feed.columns("point_code", "unit", "sensor_type_code").filter(pl.col("unit").is_not_null())
    rows = _with_type(rows, feed)
    pairs = (
        rows.select("type", "unit")
        .unique()
        .with_columns(pl.struct("type", "unit").map_elements(_misfit, return_dtype=pl.String).alias("misfit"))
    )
    wrong = rows.join(pairs.filter(pl.col("misfit").is_not_null()), on=["type", "unit"], maintain_order="left")
    own = pl.col("misfit")
    found = wrong.select(
        "file_index",
        "position",
        pl.col("point_code").alias("entity"),
        pl.format("单位为“{}”，类型{}的单位是{}", "unit", "type", own).alias("zh"),
        pl.format("the unit is '{}', that of type {} is {}", "unit", "type", own).alias("en"),
    )
    return [Found("DQ-12", len(rows), found)]


def _misfit(pair: dict[str, str]) -> str | None:
    """The type's unit, where what was sent is another one."""
    kind = sensor_type(pair["type"])
    if kind is None or not kind.unit:
        return None
    sent = canonical_unit(pair["unit"])
    return (
        None
        if sent is not None and (sent == canonical_unit(kind.unit) or _factor(kind, pair["unit"]) == 1.0)
        else kind.unit
    )


def _factor(kind: SensorType, unit: str | None) -> float | None:
    return unit_factor(unit, kind.unit) if unit and kind.unit else 1.0


def values_plausible(feed: Feed) -> list[Found]:
    """DQ-06 and DQ-07 of points, and DQ-06 of the families whose value fields have one type."""
    samples = _samples(feed)
    beyond, outside = _is_implausible(), _is_out_of_range()
    implausible = samples.filter(beyond)
    rows = implausible.select(
        "file_index", "position", pl.col("point_code").alias("entity"), *_range_words("value", "valid_min", "valid_max")
    )
    found = [Found("DQ-06", len(samples), rows), _families_plausible(feed)]
    own = samples.filter(~beyond & outside)
    rows = own.select(
        "file_index",
        "position",
        pl.col("point_code").alias("entity"),
        *_range_words("value", "range_low", "range_high"),
    )
    return [*found, Found("DQ-07", len(samples.drop_nulls("range_high")), rows)]


def _families_plausible(feed: Feed) -> Found:
    checked, parts = 0, []
    for measure in measures():
        if len(measure.types) != 1:
            continue
        kind, factor = measure.types[0], measure.factor
        rows = feed.columns(measure.column, "point_code", "device_code", "equip_no", kinds=(measure.kind,))
        value = pl.col(measure.column).cast(pl.Float64, strict=False)
        rows = rows.with_columns(value.alias("value")).filter(pl.col("value").is_not_null())
        checked += len(rows)
        if factor is None or (kind.valid_min is None and kind.valid_max is None):
            continue
        inside = pl.lit(True)
        if kind.valid_min is not None:
            inside &= pl.col("value") * factor >= kind.valid_min
        if kind.valid_max is not None:
            inside &= pl.col("value") * factor <= kind.valid_max
        wrong = rows.filter(~inside).with_columns(
            pl.lit(kind.valid_min, dtype=pl.Float64).alias("valid_min"),
            pl.lit(kind.valid_max, dtype=pl.Float64).alias("valid_max"),
        )
        entity = pl.coalesce("point_code", "device_code", "equip_no").alias("entity")
        parts.append(wrong.select("file_index", "position", entity, *_range_words("value", "valid_min", "valid_max")))
    return Found("DQ-06", checked, pl.concat(parts) if parts else pl.DataFrame())


def _range_words(value: str, low: str, high: str) -> list[pl.Expr]:
    ends = [pl.coalesce(pl.col(name).cast(pl.String), pl.lit("")) for name in (low, high)]
    return [
        pl.format("数值{}不在{}…{}内", value, *ends).alias("zh"),
        pl.format("value {} is not in {} … {}", value, *ends).alias("en"),
    ]


def values_move(feed: Feed) -> list[Found]:
    """DQ-08 and DQ-09: values that stand still for a day, and values that jump and come back."""
    samples = _plausible(feed)
    return [_frozen(samples), Found("DQ-09", len(samples), _spiked(samples))]


def _frozen(samples: pl.DataFrame) -> Found:
    hours = quality_rule("DQ-08").threshold
    analog = samples.filter(pl.col("is_analog"))
    run = (pl.col("value") != pl.col("value").shift(1)).fill_null(True).cum_sum().over(_SERIES)
    runs = (
        analog.with_columns(run.alias("run"))
        .group_by(*_SERIES, "run", maintain_order=True)
        .agg(
            pl.col("value").first(),
            pl.col("observed_at").first().alias("since"),
            pl.col("observed_at").last().alias("until"),
            pl.col("file_index").last(),
            pl.col("position").last(),
        )
    )
    lasting = (pl.col("until") - pl.col("since")).dt.total_seconds() >= hours * 3600
    still = runs.filter(lasting, pl.col("value") != 0)
    span = ((pl.col("until") - pl.col("since")).dt.total_seconds() / 3600).round(1)
    rows = still.select(
        "file_index",
        "position",
        pl.col("point_code").alias("entity"),
        pl.format("自{}起{}小时一直为{}", local_text("since"), span, "value").alias("zh"),
        pl.format("has been {} since {}, for {} h", "value", local_text("since"), span).alias("en"),
    )
    return Found("DQ-08", analog.select(_SERIES).unique().height, rows)


def _spiked(samples: pl.DataFrame) -> pl.DataFrame:
    """Samples that jump; the way back from a spike is not another one."""
    spikes = samples.filter(_is_spike())
    return spikes.select(
        "file_index",
        "position",
        pl.col("point_code").alias("entity"),
        pl.format("由{}跳到{}，量程{}…{}", "before", "value", "range_low", "range_high").alias("zh"),
        pl.format("jumped from {} to {}, range {} … {}", "before", "value", "range_low", "range_high").alias("en"),
    )


def alarm_bits_agree(feed: Feed) -> list[Found]:
    """DQ-11: the alarm bit against the limits that the point's definition gives."""
    judged = _plausible(feed).filter(~_is_spike())
    judged = judged.filter(pl.col("is_analog"), pl.col("alarm_high").is_not_null() | pl.col("alarm_low").is_not_null())
    judged = judged.filter(pl.col("status").is_not_null(), ~_has(OVER_RANGE_BIT))
    over = (pl.col("value") >= pl.col("alarm_high")).fill_null(False)
    under = (pl.col("value") < pl.col("alarm_low")).fill_null(False)
    outside = over | under
    last = pl.when(outside).then("observed_at").forward_fill().over(_SERIES)
    began = pl.col("observed_at").first().over(_SERIES)
    judged = judged.with_columns(
        _has(ALARM_BIT).alias("is_alarm"),
        outside.alias("is_outside"),
        (pl.col("observed_at") - pl.coalesce(last, began)).dt.total_seconds().alias("inside_s"),
    )
    silent = pl.col("is_outside") & ~pl.col("is_alarm")
    groundless = ~pl.col("is_outside") & pl.col("is_alarm") & (pl.col("inside_s") > ALARM_HELD_S)
    limits = [pl.coalesce(pl.col(name).cast(pl.String), pl.lit("—")) for name in ("alarm_low", "alarm_high")]
    wrong = judged.filter(silent | groundless)
    rows = wrong.select(
        "file_index",
        "position",
        pl.col("point_code").alias("entity"),
        pl.when("is_outside")
        .then(pl.format("数值{}达到报警门限（下{}、上{}），报警位未置", "value", *limits))
        .otherwise(pl.format("报警位已置，数值{}在报警门限（下{}、上{}）以内", "value", *limits))
        .alias("zh"),
        pl.when("is_outside")
        .then(pl.format("value {} is at its alarm limit (low {}, high {}) without the alarm bit", "value", *limits))
        .otherwise(pl.format("alarm bit with value {} inside its alarm limits (low {}, high {})", "value", *limits))
        .alias("en"),
    )
    return [Found("DQ-11", len(judged), rows)]


# ── points and samples ──────────────────────────────────────────────────────────────────────────────────────────────


def _points(feed: Feed) -> pl.DataFrame:
    """What the newest definition of each point says; numbers are in the sent unit."""
    names = ("sensor_type_code", "value_kind", "range_low", "range_high", "alarm_low", "alarm_high")
    defined = feed.columns("point_code", *names, kinds=DEFINED).filter(pl.col("point_code").is_not_null())
    newest = defined.sort("at", "file_index", "position").unique(_SERIES, keep="last", maintain_order=True)
    numbers = [pl.col(name).cast(pl.Float64, strict=False) for name in names[2:]]
    return newest.select(*_SERIES, pl.col("sensor_type_code").alias("defined_type"), "value_kind", *numbers)


def _with_type(rows: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """Rows of points whose sensor type is known, with `type`: of the record, its point's definition or code."""
    typed = rows.join(_points(feed).select(*_SERIES, "defined_type"), on=_SERIES, how="left", maintain_order="left")
    coded = pl.col("point_code").str.extract(POINT_CODE, POINT_CODE_TYPE)
    given = [name for name in ("sensor_type_code", "defined_type") if name in typed.columns]
    typed = typed.with_columns(pl.coalesce(*given, coded).alias("type"), coded.alias("coded"))
    # Where field and point code name two types, CF-06 tells it; by neither can a value be judged.
    typed = typed.filter((pl.col("type") == pl.col("coded")).fill_null(True)).drop("coded")
    known = [code for code in typed["type"].unique().drop_nulls() if sensor_type(code) is not None]
    return typed.filter(pl.col("type").is_in(known))


@lru_cache(maxsize=1)
def _samples(feed: Feed) -> pl.DataFrame:
    """Values of points that are of the air, in order of time and once per instant, with type, range and limits."""
    rows = feed.columns("value", "point_code", "unit", "status", kinds=SAMPLES).filter(
        pl.col("point_code").is_not_null()
    )
    rows = rows.with_columns(
        pl.col("value").cast(pl.Float64, strict=False), pl.col("status").cast(pl.Int64, strict=False)
    ).filter(pl.col("value").is_not_null())
    for bit in NOT_OF_THE_AIR:
        rows = rows.filter(~_has(bit))
    rows = _with_type(rows, feed).drop("defined_type")
    types = [(code, kind) for code in rows["type"].unique() if (kind := sensor_type(code)) is not None]
    facts = pl.DataFrame(
        [(code, kind.valid_min, kind.valid_max, kind.kind == "analog") for code, kind in types],
        schema={"type": pl.String, "valid_min": pl.Float64, "valid_max": pl.Float64, "is_analog": pl.Boolean},
        orient="row",
    )
    units = rows.select("type", "unit").unique()
    factors = [
        _factor(kind, unit) if (kind := sensor_type(code)) is not None else None for code, unit in units.iter_rows()
    ]
    units = units.with_columns(pl.Series("factor", factors, dtype=pl.Float64))
    rows = rows.join(facts, on="type", how="left").join(units, on=["type", "unit"], how="left", nulls_equal=True)
    rows = rows.join(_points(feed).drop("defined_type"), on=_SERIES, how="left")
    return rows.sort(*_SERIES, "observed_at", "file_index", "position").unique(
        [*_SERIES, "observed_at"], keep="last", maintain_order=True
    )


@lru_cache(maxsize=1)
def _plausible(feed: Feed) -> pl.DataFrame:
    """Samples inside both ranges, each beside the one before it: `before`, `jumps`, and whether it `is_back`."""
    rows = _samples(feed).filter(~_is_implausible() & ~_is_out_of_range())
    before = pl.col("value").shift(1).over(_SERIES)
    span = (pl.col("observed_at") - pl.col("observed_at").shift(1)).dt.total_seconds(fractional=True).over(_SERIES)
    rows = rows.with_columns(before.alias("before"), span.alias("span_s"))
    rows = rows.with_columns(pl.col("span_s").median().over(_SERIES).alias("usual_s"))
    width = pl.col("range_high") - pl.col("range_low").fill_null(0.0)
    jump = ((pl.col("value") - pl.col("before")).abs() > quality_rule("DQ-09").threshold * width) & (
        pl.col("span_s") <= FOLLOWS * pl.col("usual_s")
    )
    rows = rows.with_columns((jump & (width > 0) & pl.col("is_analog")).fill_null(False).alias("jumps"))
    return rows.with_columns(
        (pl.col("value") - pl.col("before").shift(1).over(_SERIES))
        .abs()
        .le(0.5 * width)
        .fill_null(False)
        .alias("is_back")
    )


def _has(bit: int) -> pl.Expr:
    return ((pl.col("status").fill_null(0) // bit) % 2) == 1


def _is_implausible() -> pl.Expr:
    sent = pl.col("value") * pl.col("factor")
    low = (sent < pl.col("valid_min")).fill_null(False)
    return (low | (sent > pl.col("valid_max")).fill_null(False)) & ~_has(OVER_RANGE_BIT)


def _is_out_of_range() -> pl.Expr:
    low, high = pl.col("range_low").fill_null(0.0), pl.col("range_high")
    outside = (pl.col("value") < low) | (pl.col("value") > high)
    return ((high > low) & outside).fill_null(False) & ~_has(OVER_RANGE_BIT)


def _is_spike() -> pl.Expr:
    """Jumps, and is not the way back of the sample before it."""
    came_back = pl.col("jumps").shift(1).over(_SERIES).fill_null(False) & pl.col("is_back")
    return pl.col("jumps") & ~came_back
