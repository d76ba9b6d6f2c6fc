"""Readings by point and minute, on a grid without holes: a silent minute is a row that says so.

Only the past counts. A sample holds until the next one, at most three nominal periods, and never reaches back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.rounding import rounded

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.inputs import Frame, Inputs
    from minefusion.schemas.window import Window

MINUTE = timedelta(minutes=1)
MINUTE_US = 60_000_000
# Minutes before the window that an index may look back over: half an hour of history and the air's way from the
# intake, which is followed for half an hour at most.
BEFORE = 40
# A sample holds for so many nominal periods.
HELD_PERIODS = 3
# An earlier sample confirms a later one within this time; at or over the alarm limit it does however old it is, so
# that a point that comes back from silence above the limit is not doubted.
CONFIRMS_FOR_US = 60 * MINUTE_US
QUANTITIES = (
    "ch4", "co", "co2", "o2", "n2", "h2", "c2h4", "c2h6", "no2", "so2", "h2s", "nh3", "temperature", "humidity",
    "air_velocity", "air_quantity", "air_pressure", "negative_pressure",
)  # fmt: skip

_GRID = pa.schema([("window_start", pa.timestamp("us", tz="UTC")), ("minute_no", pa.int64())])
_POINT = ["mine_code", "point_id"]


class HasWindow(Protocol):
    """What the inputs of every cadence have."""

    @property
    def window(self) -> Window: ...
    @property
    def frame(self) -> Frame: ...


def minute_grid(inputs: HasWindow, *, before: int = 0, step: int = 1) -> nw.LazyFrame:
    """Every `step`-th minute of the window, and of `before` minutes ahead of it: window_start and minute_no.

    minute_no counts minutes since 1970, so that a minute some others ago is found by subtraction.
    """
    return inputs.frame(
        [{"window_start": at, "minute_no": int(at.timestamp()) // 60} for at in _minutes(inputs.window, before, step)],
        _GRID,
    )


def _minutes(window: Window, before: int, step: int) -> list:
    start = window.start - before * MINUTE
    return [start + n * MINUTE for n in range(0, (window.end - start) // MINUTE, step)]


def first_minute(window: Window) -> int:
    """minute_no of the window's first minute."""
    return int(window.start.timestamp()) // 60


def minute_no(observed_us: nw.Expr) -> nw.Expr:
    return (observed_us // MINUTE_US).cast(nw.Int64)


def window_minutes(inputs: Inputs, *quantities: str) -> nw.LazyFrame:
    """`inputs.minutes` of these quantities, the window alone."""
    return inputs.minutes.filter(
        nw.col("quantity").is_in(list(quantities)), nw.col("minute_no") >= first_minute(inputs.window)
    )


def placed_points(inputs: Inputs, quantities: Sequence[str]) -> nw.LazyFrame:
    """silver.point of these quantities with the words for its place: area_kind, place_zh, place_en."""
    areas = inputs.areas.select(
        "mine_code",
        "area_id",
        nw.col("kind").alias("area_kind"),
        nw.col("name_zh").alias("_zh"),
        nw.col("name_en").alias("_en"),
    )
    points = inputs.points.filter(nw.col("quantity").is_in(list(quantities)))
    points = points.join(areas, on=["mine_code", "area_id"], how="left")
    named = nw.when(nw.col("location") != "").then(nw.col("location"))
    return points.with_columns(
        nw.coalesce(named, nw.col("point_id")).alias("place_zh"),
        nw.concat_str(nw.coalesce(nw.col("_en"), nw.col("area_id")), nw.lit(", point "), nw.col("point_id")).alias(
            "place_en"
        ),
    ).drop("_zh", "_en")


def confirmed_samples(inputs: Inputs, quantities: Sequence[str]) -> nw.LazyFrame:
    """Usable samples, each with the value that two of the last three reach.

    `high` is the highest value that at least two of the three samples, this one among them, are at or over; `low` the
    same downwards. They are -inf and inf where no sample before it can confirm it.
    """
    samples = inputs.readings.filter(
        nw.col("usable"), nw.col("quantity").is_in(list(quantities)), ~nw.col("value").is_null()
    ).select(*_POINT, "observed_us", "value", "alarm", "quantity", "quality_reasons", "period_s")
    over = {"partition_by": _POINT, "order_by": ["observed_us"]}
    value, at = nw.col("value"), nw.col("observed_us")
    samples = samples.with_columns(
        value.shift(1).over(*over["partition_by"], order_by=over["order_by"]).alias("_v1"),
        value.shift(2).over(*over["partition_by"], order_by=over["order_by"]).alias("_v2"),
        at.shift(1).over(*over["partition_by"], order_by=over["order_by"]).alias("_t1"),
        at.shift(2).over(*over["partition_by"], order_by=over["order_by"]).alias("_t2"),
        at.shift(-1).over(*over["partition_by"], order_by=over["order_by"]).alias("next_us"),
    )
    earlier = {}
    for n in ("1", "2"):
        before, then = nw.col(f"_v{n}"), nw.col(f"_t{n}")
        above = ((before >= nw.col("alarm")) & (nw.col("quantity") == "ch4")).fill_null(False)
        confirms = (at - then <= CONFIRMS_FOR_US).fill_null(False) | above
        earlier[n] = nw.when(confirms).then(before)
    samples = samples.with_columns(earlier["1"].alias("_v1"), earlier["2"].alias("_v2"))
    none = float("inf")
    return samples.with_columns(
        nw.min_horizontal(value, nw.max_horizontal("_v1", "_v2").fill_null(-none)).alias("high"),
        nw.max_horizontal(value, nw.min_horizontal("_v1", "_v2").fill_null(none)).alias("low"),
    ).drop("_v1", "_v2", "_t1", "_t2")


def by_minute(inputs: Inputs) -> nw.LazyFrame:
    """One row per point of QUANTITIES and minute, from BEFORE minutes ahead of the window to its end.

    Columns beside mine_code, point_id, quantity, area_id, edge_id, window_start and minute_no:
        samples: usable samples in the minute; 0 also where a value is held.
        value_max, value_min, mean: of the minute, the mean weighted by time; with no sample in it the value that still
            holds; null where none does.
        high, low: highest and lowest value of the minute that two of the last three samples reach; -inf and inf
            where none is confirmed.
        saturated: over range in this minute, or held from such a sample.
        last_value, last_high, last_us: the newest sample up to the minute's end, however old.
        coverage: share of the minute that samples hold for.
    """
    samples = confirmed_samples(inputs, QUANTITIES).with_columns(minute_no(nw.col("observed_us")).alias("minute_no"))
    at = nw.col("observed_us")
    ends = (nw.col("minute_no") + 1) * MINUTE_US
    until = nw.min_horizontal(
        nw.col("next_us"), ends, at + (HELD_PERIODS * 1_000_000 * nw.col("period_s")).cast(nw.Int64)
    )
    is_last = (nw.col("next_us") >= ends).fill_null(True)
    over_range = nw.col("quality_reasons").str.contains("SATURATED", literal=True)
    samples = samples.with_columns(
        (until - at).alias("_cover"),
        over_range.cast(nw.Int64).alias("_saturated"),
        *(nw.when(is_last).then(nw.col(name)).alias(f"last_{name}") for name in ("value", "high", "low")),
        nw.when(is_last).then(over_range.cast(nw.Int64)).alias("last_saturated"),
    )
    held = ("last_us", "last_value", "last_high", "last_low", "last_saturated")
    minutes = samples.group_by(*_POINT, "minute_no").agg(
        nw.len().cast(nw.Int64).alias("samples"),
        nw.col("value").max().alias("value_max"),
        nw.col("value").min().alias("value_min"),
        nw.col("high").max().alias("high"),
        nw.col("low").min().alias("low"),
        nw.col("_saturated").max().alias("_saturated"),
        nw.col("_cover").sum().alias("_cover"),
        (nw.col("value") * nw.col("_cover")).sum().alias("_weighted"),
        nw.col("observed_us").min().alias("_first_us"),
        nw.col("observed_us").max().alias("last_us"),
        *(nw.col(name).max().alias(name) for name in held[1:]),
    )
    points = inputs.points.filter(nw.col("quantity").is_in(list(QUANTITIES)))
    facts = points.select(*_POINT, "quantity", "area_id", "edge_id", nw.col("period_s").alias("_period"))
    grid = minute_grid(inputs, before=BEFORE)
    start = first_minute(inputs.window) - BEFORE
    full = facts.select(*_POINT).join(grid, how="cross").join(minutes, on=[*_POINT, "minute_no"], how="left")
    older = minutes.filter(nw.col("minute_no") < start)
    blank = [nw.lit(None, dtype=nw.Datetime("us", "UTC")).alias("window_start")]
    full = nw.concat([full, older.with_columns(*blank).select(*full.collect_schema().names())], how="vertical")
    order = {"order_by": ["minute_no"]}
    full = full.with_columns(*(nw.col(name).fill_null(strategy="forward").over(*_POINT, **order) for name in held))
    full = full.with_columns(
        nw.col("last_us").shift(1).over(*_POINT, **order).alias("_before_us"),
        nw.col("last_value").shift(1).over(*_POINT, **order).alias("_before"),
    )
    full = full.filter(nw.col("minute_no") >= start).join(facts, on=_POINT, how="left")
    begins, ends = nw.col("minute_no") * MINUTE_US, (nw.col("minute_no") + 1) * MINUTE_US
    until = nw.min_horizontal(
        nw.col("_before_us") + (HELD_PERIODS * 1_000_000 * nw.col("_period")).cast(nw.Int64), nw.col("_first_us"), ends
    )
    head = nw.when((until > begins).fill_null(False)).then(until - begins).otherwise(nw.lit(0))
    full = full.with_columns(nw.when(nw.col("_before_us").is_null()).then(nw.lit(0)).otherwise(head).alias("_head"))
    full = full.with_columns(
        nw.col("samples").fill_null(0),
        (nw.col("_head") + nw.col("_cover").fill_null(0)).alias("_covered"),
        (nw.col("_before").fill_null(0.0) * nw.col("_head") + nw.col("_weighted").fill_null(0.0)).alias("_weighted"),
    )
    is_held = (nw.col("samples") == 0) & (nw.col("_covered") > 0)
    held_as = {"value_max": "last_value", "value_min": "last_value", "high": "last_high", "low": "last_low"}
    saturated = nw.when(is_held).then(nw.col("last_saturated")).otherwise(nw.col("_saturated"))
    return full.with_columns(
        *(nw.when(is_held).then(nw.col(last)).otherwise(nw.col(name)).alias(name) for name, last in held_as.items()),
        (saturated == 1).fill_null(False).alias("saturated"),
        nw.when(nw.col("_covered") > 0).then(rounded(nw.col("_weighted") / nw.col("_covered"))).alias("mean"),
        (nw.col("_covered") / MINUTE_US).alias("coverage"),
    ).select(
        *_POINT, "quantity", "area_id", "edge_id", "window_start", "minute_no", "samples", "value_max", "value_min",
        "mean", "high", "low", "saturated", "last_value", "last_high", "last_us", "coverage",
    )  # fmt: skip
