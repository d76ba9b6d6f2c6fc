"""Methane over a day and more: how uneven it comes (G-08) and what the barometer drives out of goafs (G-11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import (
    DAY_H,
    HOUR_US,
    Floats,
    Series,
    Span,
    answer_schema,
    answers_of,
    hour_grid,
    no_point,
    per_hour,
    placed,
    site_rows,
)
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.rows import Index, index_rows, number
from minefusion.pipelines.rounding import rounded

_AREA = ["mine_code", "area_id"]
_POINT = ["mine_code", "point_id"]
FIVE_US = 300_000_000

# ── G-08 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Hours of a day that its unevenness needs, and hours of the two weeks before that make a point's usual volatility.
_LEAST_OF_DAY, _LEAST_USUAL = 18, 72
USUAL_H = 14 * DAY_H
_LEAST_OF_HOUR = 9  # five-minute means
# A sensor of 0.01 % steps moves by this without any gas moving.
LEAST_VOLATILITY_PCT = 0.005
G_08 = Index(
    id="G-08",
    name_zh="瓦斯涌出不均衡系数与波动",
    name_en="unevenness and volatility of gas",
    unit="1",
    minutes=60,
    source="practice of outburst monitoring; own steps",
    confidence="advisory",
    doc=(
        "For a working area: its highest hour of gas emission over its mean of the last 24 hours; blue over 1.5, "
        "yellow over 2. For a methane point: how it swings about its own trend in an hour, against the usual of the "
        "two weeks before; blue over 2, yellow over 3, orange over 5. Gas that comes high and low by turns is a sign "
        "of outburst: swings to both sides count."
    ),
    formula=(
        r"K_u = \frac{\max \bar q_{1h}}{\bar q_{24h}}, \quad CV = \frac{\sigma}{\mu}, \quad "
        r"v = \frac{\sigma_r}{\mathrm{med}_{14d}\,\sigma_r}, \quad \sigma_r = 1.4826\,\mathrm{MAD}(C - \hat C)"
    ),
    reads=("gas emission, G-07 [m³/min]", "CH4 [%]"),
    scenario="outburst",
    edges=(
        "under 18 hours of the day, or 72 of the two weeks: no value, NO_HISTORY",
        "usual swings under 0.005 % count as so much: no sensor stands stiller",
    ),
)


def unevenness(series: Series, span: Span) -> dict[str, Floats]:
    """K_u and CV of hourly emission over the 24 hours that end with each judged hour; NaN where nothing comes."""
    values = series["emission"]
    uneven, variation = np.full(len(span.judged), np.nan), np.full(len(span.judged), np.nan)
    for row, place in enumerate(span.judged):
        day = values[max(place + 1 - DAY_H, 0) : place + 1]
        day = day[np.isfinite(day)]
        if len(day) >= _LEAST_OF_DAY and day.mean() > 0:
            uneven[row] = day.max() / day.mean()
            variation[row] = day.std() / day.mean()
    return {"uneven": uneven, "variation": variation}


def hourly_volatility(five: Floats) -> Floats:
    """σ_r of each hour [same unit]: 1.4826·MAD of its twelve five-minute means about their own straight line.

    Args:
        five: shape (hours, 12), NaN where silent; an hour with fewer than nine of them has none.
    """
    there = np.isfinite(five)
    count = there.sum(axis=1)
    x = np.where(there, np.arange(five.shape[1], dtype=float), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = x - (np.nansum(x, axis=1) / count)[:, None]
        y = five - (np.nansum(five, axis=1) / count)[:, None]
        slope = np.nansum(x * y, axis=1) / np.nansum(x * x, axis=1)
    residual = y - slope[:, None] * x
    found = np.full(len(five), np.nan)
    enough = count >= _LEAST_OF_HOUR
    middle = np.nanmedian(residual[enough], axis=1)[:, None]
    found[enough] = 1.4826 * np.nanmedian(np.abs(residual[enough] - middle), axis=1)
    return found


def volatility_of_point(span: Span) -> Callable[[pa.Table], pa.Table]:
    """What gives one point's volatility and its ratio to the usual, by hour.

    It takes the point's five-minute means: start_us and value_mean.
    """
    first = span.start - USUAL_H

    def volatility(five: pa.Table) -> pa.Table:
        bins = np.full((span.end - first, 12), np.nan)
        place = five["start_us"].to_numpy() // FIVE_US - first * 12
        inside = (place >= 0) & (place < bins.size)
        bins.reshape(-1)[place[inside]] = five["value_mean"].to_numpy(zero_copy_only=False)[inside]
        swings = hourly_volatility(bins)
        ratio = np.full(span.end - span.start, np.nan)
        for row in range(len(ratio)):
            before = swings[row : row + USUAL_H]
            before = before[np.isfinite(before)]
            if len(before) >= _LEAST_USUAL:
                ratio[row] = swings[row + USUAL_H] / max(float(np.median(before)), LEAST_VOLATILITY_PCT)
        return answers_of(five, _POINT, span, {"swing": swings[USUAL_H:], "ratio": ratio}, ("swing", "ratio"))

    return volatility


def emission_by_hour(history: History) -> nw.LazyFrame:
    """Mean gas emission (G-07) of each working area by hour of the history: rows of `per_hour`."""
    rows = history.indices.filter(nw.col("index_id") == "G-07", nw.col("area_id") != nw.col("mine_code"))
    # The hour by its text: gold's rows carry no count of microseconds.
    hour = nw.col("window_start").dt.truncate("1h")
    hours = (
        rows.filter(~nw.col("value").is_null())
        .with_columns(hour.alias("_hour"))
        .group_by(*_AREA, "_hour")
        .agg(nw.col("value").mean().alias("value"))
    )
    return hours.with_columns(nw.lit("emission").alias("quantity"))


def g08(history: History) -> nw.LazyFrame:
    """Unevenness of each working area and volatility of each methane point, by hour."""
    points = history.points.filter(nw.col("quantity") == "ch4").select(*_POINT, "area_id")
    span = Span.of(history.window)
    five = history.five.filter(nw.col("quantity") == "ch4", ~nw.col("value_mean").is_null())
    five = five.filter(nw.col("start_us") >= (span.start - USUAL_H) * HOUR_US).select(*_POINT, "start_us", "value_mean")
    swings = history.grouped(five, _POINT, volatility_of_point(span), answer_schema(_POINT, ("swing", "ratio")))
    of_points = points.join(hour_grid(history), how="cross").join(swings, on=[*_POINT, "hour"], how="left")
    of_points = of_points.with_columns(nw.col("point_id").alias("entity"))
    areas = history.air_paths.select(*_AREA).unique()
    known = history.cached(_emission_series(history))
    uneven = per_hour(history, known, _AREA, unevenness, ("uneven", "variation"))
    of_areas = areas.join(hour_grid(history), how="cross").join(
        uneven.select(*_AREA, "hour", "uneven", "variation"), on=[*_AREA, "hour"], how="left"
    )
    of_areas = of_areas.with_columns(nw.col("area_id").alias("entity"), no_point().alias("point_id"))
    swung = _rows_of_g08(
        history, of_points, nw.col("ratio"), "volatility",
        {"swing_pct": number(nw.col("swing"), 4)},
        ("甲烷波动为平时的 ", " 倍", "methane swings ", " times as much as usual"),
    )  # fmt: skip
    emitted = _rows_of_g08(
        history, of_areas, nw.col("uneven"), "unevenness", {"variation": number(nw.col("variation"), 3)},
        ("瓦斯涌出不均衡系数 ", "", "highest hour of gas over its mean ", ""),
    )  # fmt: skip
    return nw.concat([swung, emitted], how="vertical")


def _emission_series(history: History) -> nw.LazyFrame:
    hours = emission_by_hour(history)
    grid = _hours_by_start(history)
    return hours.join(grid, on="_hour", how="inner").select(*_AREA, "quantity", "hour", "value")


def _hours_by_start(history: History) -> nw.LazyFrame:
    """Start and number of every hour of the history, which gold's rows are joined to."""
    span = Span.of(history.window)
    start = history.window.start
    rows = [{"_hour": start + timedelta(hours=hour - span.start), "hour": hour} for hour in range(span.first, span.end)]
    return history.frame(rows, pa.schema([("_hour", pa.timestamp("us", tz="UTC")), ("hour", pa.int64())]))


def _rows_of_g08(
    history: History,
    rows: nw.LazyFrame,
    value: nw.Expr,
    scope: str,
    inputs: dict[str, nw.Expr],
    words: tuple[str, str, str, str],
) -> nw.LazyFrame:
    rows = judged(history, placed(history, rows), G_08.id, (scope, value))
    before_zh, after_zh, before_en, after_en = words
    shown = number(value)
    return index_rows(
        rows,
        G_08,
        value=value,
        level=nw.col("level"),
        reason=nw.lit("NO_HISTORY"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs=inputs,
        finding_zh=nw.concat_str(nw.lit(before_zh), shown, nw.lit(after_zh)),
        finding_en=nw.concat_str(nw.lit(before_en), shown, nw.lit(after_en)),
    )


# ── G-11 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Where a barometer hangs in the air of outside; what it may show [kPa].
BAROMETER_KINDS = ("surface", "shaft", "pit_bottom", "main_intake")
BAROMETER_KPA = (60.0, 120.0)
# Gas follows the barometer within so many hours; what of it the last week tells.
LONGEST_LAG_H, LAG_SPAN_H, _LEAST_LAG_H = 6, 7 * DAY_H, 2 * DAY_H
# Share of its alarm limit that the return must hold for a falling barometer to matter.
GASSY_SHARE = 0.5
G_11 = Index(
    id="G-11",
    name_zh="气压变化驱动的采空区涌出",
    name_en="barometric forcing",
    unit="Pa/h",
    minutes=60,
    source="ideal-gas breathing of a goaf; own steps",
    confidence="advisory",
    doc=(
        "Fall of the barometer over the hour, for each working area whose return holds at least half of its alarm "
        "limit of methane: blue from 60, yellow from 100, orange from 200 Pa/h. Falling air pressure draws gas out of "
        "goafs, even where roadway sensors show nothing yet. Beside it what the goaf breathes out, where the site "
        "file states its void, and after how many hours the area's gas follows the barometer."
    ),
    formula=(
        r"q_b = -\frac{V_g C_g}{P}\,\frac{dP}{dt}, \quad "
        r"\tau = \arg\max_{0 \le \tau \le 6h} \mathrm{corr}\left(-\tfrac{dP}{dt}(t - \tau),\ q_v(t)\right)"
    ),
    reads=("barometer at the surface or in the intake [kPa]", "CH4 in the return [%]", "gas emission, G-07 [m³/min]"),
    scenario="pressure_front",
    edges=(
        "under half of the alarm limit in the return: level 0 whatever the barometer does; unknown gas: no level",
        "a rising barometer is a negative fall",
        "several barometers: their median",
    ),
)


def breathing_m3_s(void_m3: nw.Expr, ch4_pct: nw.Expr, pressure_pa: nw.Expr, fall_pa_h: nw.Expr) -> nw.Expr:
    """q_b = −(V_g·C_g/P)·dP/dt [m³/s of methane] that a goaf breathes out while the pressure falls."""
    return void_m3 * ch4_pct / 100 / pressure_pa * fall_pa_h / 3600


def barometer(series: Series, span: Span) -> dict[str, Floats]:
    """Pressure [Pa], fall over one and three hours [Pa], and lag [h] and correlation of the emission behind the fall.

    Args:
        series: hourly `pressure` [Pa] and, where known, `emission` [m³/min].
    """
    pressure = series.get("pressure", np.full(span.hours, np.nan))
    emission = series.get("emission", np.full(span.hours, np.nan))
    fall = np.full(span.hours, np.nan)
    fall[1:] = pressure[:-1] - pressure[1:]
    fall_3 = np.full(span.hours, np.nan)
    fall_3[3:] = pressure[:-3] - pressure[3:]
    here = list(span.judged)
    lag, follows = np.full(len(here), np.nan), np.full(len(here), np.nan)
    for row, place in enumerate(here):
        lag[row], follows[row] = _lag(fall[: place + 1], emission[: place + 1])
    return {"pressure": pressure[here], "fall": fall[here], "fall_3": fall_3[here], "lag": lag, "follows": follows}


def _lag(fall: Floats, emission: Floats) -> tuple[float, float]:
    """Hours by which the emission follows the fall over the last week, and how well; NaN with too little of either."""
    best, how_well = np.nan, np.nan
    for lag in range(LONGEST_LAG_H + 1):
        x, y = fall[max(len(fall) - LAG_SPAN_H - lag, 0) : len(fall) - lag], emission[-LAG_SPAN_H:]
        x, y = x[-min(len(x), len(y)) :], y[-min(len(x), len(y)) :]
        both = np.isfinite(x) & np.isfinite(y)
        if both.sum() < _LEAST_LAG_H or np.ptp(x[both]) == 0 or np.ptp(y[both]) == 0:
            continue
        found = float(np.corrcoef(x[both], y[both])[0, 1])
        if np.isnan(how_well) or found > how_well:
            best, how_well = float(lag), found
    return best, how_well


def g11(history: History) -> nw.LazyFrame:
    """Fall of the barometer for each working area, by hour."""
    pressure = history.cached(pressure_by_hour(history))
    paths = history.air_paths.select(*_AREA, nw.col("return_edge").alias("edge_id"))
    of_areas = paths.select(*_AREA).join(pressure, on="mine_code", how="inner")
    series = nw.concat(
        [of_areas.select(*_AREA, "quantity", "hour", "value"), _emission_series(history)], how="vertical"
    )
    names = ("pressure", "fall", "fall_3", "lag", "follows")
    found = per_hour(history, series, _AREA, barometer, names).select(*_AREA, "hour", *names)
    mines = pressure.select("mine_code").unique()
    rows = paths.join(mines, on="mine_code", how="inner").join(hour_grid(history), how="cross")
    rows = rows.join(found, on=[*_AREA, "hour"], how="left").join(
        _gas_of_return(history), on=["mine_code", "edge_id", "hour"], how="left"
    )
    voids = history.frame(
        site_rows(history.sites, "goaf_voids", ("area_id", "void_m3", "ch4_pct")),
        pa.schema(dict.fromkeys(_AREA, pa.string()) | dict.fromkeys(("void_m3", "ch4_pct"), pa.float64())),
    )
    rows = rows.join(voids, on=_AREA, how="left").with_columns(
        nw.col("area_id").alias("entity"), no_point().alias("point_id"), rounded(nw.col("fall")).alias("_fall")
    )
    fall = nw.col("_fall")
    breathed = breathing_m3_s(nw.col("void_m3"), nw.col("ch4_pct"), nw.col("pressure"), fall)
    share = nw.col("share")
    # A return with little gas in it has nothing to fear of the goaf; one that is silent cannot tell.
    harmless = nw.when(~fall.is_null()).then(nw.min_horizontal(fall, nw.lit(0.0)))
    held = nw.when(share >= GASSY_SHARE).then(fall).otherwise(nw.when(~share.is_null()).then(harmless))
    rows = judged(history, placed(history, rows), G_11.id, ("", held))
    shown = number(fall, 0)
    return index_rows(
        rows,
        G_11,
        value=fall,
        level=nw.col("level"),
        reason=nw.when(fall.is_null()).then(nw.lit("NO_BAROMETER")).otherwise(nw.lit("NO_RETURN_GAS")),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "pressure_pa": number(nw.col("pressure"), 0),
            "fall_3h_pa": number(nw.col("fall_3"), 0),
            "return_share_of_alarm": number(share, 2),
            "goaf_breathes_m3_s": number(breathed, 4),
            "lag_h": number(nw.col("lag"), 0),
            "correlation": number(nw.col("follows"), 2),
        },
        finding_zh=nw.concat_str(nw.lit("气压下降 "), shown, nw.lit(" Pa/h")),
        finding_en=nw.concat_str(nw.lit("the barometer falls by "), shown, nw.lit(" Pa/h")),
    )


def pressure_by_hour(history: History) -> nw.LazyFrame:
    """Hourly pressure [Pa] of each mine's outside air."""
    low, high = BAROMETER_KPA
    outside = history.areas.filter(nw.col("kind").is_in(list(BAROMETER_KINDS))).select(*_AREA)
    five = history.five.filter(nw.col("quantity") == "pressure")
    five = five.filter(nw.col("value_mean") >= low, nw.col("value_mean") <= high)
    five = five.join(outside, on=_AREA, how="inner")
    hours = five.with_columns((nw.col("start_us") // HOUR_US).cast(nw.Int64).alias("hour"))
    # The end of an hour tells more of its fall than its mean: its last quarter.
    hours = hours.filter(nw.col("start_us") - nw.col("hour") * HOUR_US >= 9 * FIVE_US)
    return (
        hours.group_by("mine_code", "hour")
        .agg((1000 * nw.col("value_mean").median()).alias("value"))
        .with_columns(nw.lit("pressure").alias("quantity"))
    )


def _gas_of_return(history: History) -> nw.LazyFrame:
    """Highest methane of each roadway in each hour, as a share of its point's alarm limit."""
    five = history.five.filter(nw.col("quantity") == "ch4", ~nw.col("edge_id").is_null(), nw.col("alarm") > 0)
    share = nw.coalesce("value_max", "value_mean") / nw.col("alarm")
    hours = five.with_columns((nw.col("start_us") // HOUR_US).cast(nw.Int64).alias("hour"), share.alias("_share"))
    return hours.group_by("mine_code", "edge_id", "hour").agg(nw.col("_share").max().alias("share"))
