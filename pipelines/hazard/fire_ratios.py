"""The ratios by which air tells of burning coal: F-01 to F-07, by place and hour.

An air path's sensors give a set of gases every five minutes, a chromatograph one a sample. Each set gives a ratio; the
hour's value is the highest that the middle one of three sets on end reaches, so that one outlier raises nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import narwhals as nw
import numpy as np

from minefusion.pipelines.hazard.gas_analyses import AIR_N2_PCT, AIR_O2_PCT
from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import (
    DAY_H,
    HOUR_US,
    Floats,
    Series,
    Span,
    hour_grid,
    no_point,
    per_hour,
)
from minefusion.pipelines.hazard.rows import Index, index_rows, number
from minefusion.pipelines.hazard.trend import theil_sen_slopes
from minefusion.pipelines.rounding import rounded

# ── formulas: all gases in % unless said ────────────────────────────────────────────────────────────────────────────

# Under so little oxygen used [%] the instruments' errors outweigh it: every ratio explodes.
LEAST_DEFICIENCY_PCT = 0.3
# Under so little carbon dioxide made [%] its ratio is noise.
LEAST_CO2_PCT = 0.05
LEAST_OXYGEN_PCT = 0.1
# Over this no fuel burns so: the sample is wrong (Jones & Trickett).
MOST_JONES_TRICKETT = 1.6
# Errors (one sigma) of CO [ppm] and of the oxygen deficiency [%], by sensors and by chromatograph.
CO_ERROR_PPM, SAMPLE_CO_ERROR_PPM = 2.0, 1.0
DEFICIENCY_ERROR_PCT, SAMPLE_DEFICIENCY_ERROR_PCT = 0.15, 0.05


def oxygen_deficiency_pct(
    o2: nw.Expr, n2: nw.Expr, o2_in: nw.Expr | float = AIR_O2_PCT, n2_in: nw.Expr | float = AIR_N2_PCT
) -> nw.Expr:
    """ΔO2 = (O2ᵢ/N2ᵢ)·N2 − O2 [%]: oxygen that was used; 0.2648·N2 − O2 in plain air. N2 counts argon in."""
    return o2_in / n2_in * n2 - o2


def grahams_ratio(d_co: nw.Expr, d_o2: nw.Expr) -> nw.Expr:
    """ICO = 100·ΔCO/ΔO2 (Graham 1920)."""
    return 100 * d_co / d_o2


def youngs_ratio(d_co2: nw.Expr, d_o2: nw.Expr) -> nw.Expr:
    """100·ΔCO2/ΔO2."""
    return 100 * d_co2 / d_o2


def jones_trickett_ratio(d_co2: nw.Expr, d_co: nw.Expr, h2: nw.Expr, d_o2: nw.Expr) -> nw.Expr:
    """(ΔCO2 + 0.75·ΔCO − 0.25·H2)/ΔO2."""
    return (d_co2 + 0.75 * d_co - 0.25 * h2) / d_o2


def oxides_of_carbon_ratio(d_co: nw.Expr, d_co2: nw.Expr) -> nw.Expr:
    """ΔCO/ΔCO2: more or less air does not change it."""
    return d_co / d_co2


def willetts_ratio(d_co: nw.Expr, co2: nw.Expr, excess_n2: nw.Expr, combustible: nw.Expr) -> nw.Expr:
    """100·ΔCO/(blackdamp + combustible gas), blackdamp = CO2 + excess N2; null where these are not above 0."""
    rest = co2 + excess_n2 + combustible
    return 100 * d_co / nw.when(rest > 0).then(rest)


def morriss_ratio(excess_n2: nw.Expr, co: nw.Expr, co2: nw.Expr) -> nw.Expr:
    """Excess N2/(CO + CO2); only the way that it changes tells."""
    return excess_n2 / nw.when(co + co2 > 0).then(co + co2)


def carbon_to_hydrogen(co2: nw.Expr, co: nw.Expr, ch4: nw.Expr, c2h4: nw.Expr, h2: nw.Expr, d_o2: nw.Expr) -> nw.Expr:
    """C/H = 6·(CO2 + CO + CH4 + 2·C2H4)/[2·(ΔO2 − CO2 + C2H4 + CH4) + H2 − CO]; null where that is not above 0."""
    hydrogen = 2 * (d_o2 - co2 + c2h4 + ch4) + h2 - co
    return 6 * (co2 + co + ch4 + 2 * c2h4) / nw.when(hydrogen > 0).then(hydrogen)


def residual_gas_pct(o2: nw.Expr, ch4: nw.Expr) -> nw.Expr:
    """Rg = 100 − 4.774·O2 − CH4 [%]: what is neither air nor methane."""
    return 100 - 4.774 * o2 - ch4


def littons_ratio(co_ppm: nw.Expr, o2: nw.Expr, ch4: nw.Expr) -> nw.Expr:
    """R_L = ⅓·CO·Rg^(−3/2)·O2^(−1/2), CO in ppm (Litton 1986); null where Rg or the oxygen is too little."""
    rest = residual_gas_pct(o2, ch4)
    rest = nw.when(rest > 0).then(rest)
    o2 = nw.when(o2 > LEAST_OXYGEN_PCT).then(o2)
    return co_ppm / (3 * rest * rest.sqrt() * o2.sqrt())


def relative_error(d_co_ppm: nw.Expr, d_o2: nw.Expr, is_sample: nw.Expr) -> nw.Expr:
    """u(r)/r = √((u_CO/CO)² + (u_Δ/ΔO2)²) of a ratio of carbon monoxide to oxygen; null without carbon monoxide."""
    u_co = nw.when(is_sample).then(nw.lit(SAMPLE_CO_ERROR_PPM)).otherwise(nw.lit(CO_ERROR_PPM))
    u_o2 = nw.when(is_sample).then(nw.lit(SAMPLE_DEFICIENCY_ERROR_PCT)).otherwise(nw.lit(DEFICIENCY_ERROR_PCT))
    of_co = u_co / nw.when(d_co_ppm > 0).then(d_co_ppm)
    of_o2 = u_o2 / nw.when(d_o2 > 0).then(d_o2)
    return (of_co * of_co + of_o2 * of_o2).sqrt()


# ── what all of them share ──────────────────────────────────────────────────────────────────────────────────────────

PLACE = ["mine_code", "area_id", "entity"]
_SETS_AN_HOUR = 12
# An earlier set confirms a later one within so long.
_CONFIRMS_US = DAY_H * HOUR_US
_LEAST_HOURS = 6
# Days of history that make a place's own normal value.
NORMAL_DAYS = 30
# What an hour's row tells beside the ratio: means over the hour.
_TOLD = ("o2", "n2", "co", "co2", "ch4", "h2", "d_o2", "d_co", "d_co2", "co_in", "o2_in")


def sets(history: History) -> nw.LazyFrame:
    """The analyses with ΔO2, ΔCO and ΔCO2 [%]; hydrogen that is not measured counts as none."""
    o2, n2 = nw.col("o2"), nw.col("n2")
    return history.gas_series.with_columns(
        oxygen_deficiency_pct(o2, n2, nw.col("o2_in"), nw.col("n2_in")).alias("d_o2"),
        (nw.col("co") - nw.col("co_in")).alias("d_co"),
        (nw.col("co2") - nw.col("co2_in")).alias("d_co2"),
        nw.col("h2").fill_null(0.0),
        (n2 - AIR_N2_PCT / AIR_O2_PCT * o2).alias("excess_n2"),
    )


@dataclass(frozen=True)
class Ratio:
    """One ratio: what it is of a set, and why a set may not have it.

    Attributes:
        value: of one set; null where the set cannot give it.
        checks: code of rows.REASONS → where it holds; the last that holds is told, and no value then.
        more: further numbers of a set, told as means over the hour.
    """

    value: nw.Expr
    checks: Mapping[str, nw.Expr]
    more: Mapping[str, nw.Expr]


def lacks(name: str) -> nw.Expr:
    return nw.col(name).is_null()


def needs_deficiency() -> dict[str, nw.Expr]:
    """Why a set has no ratio to the oxygen used."""
    return {
        "DEFICIENCY_TOO_SMALL": nw.col("d_o2") < LEAST_DEFICIENCY_PCT,
        "NO_OXYGEN": lacks("o2"),
        "NO_CARBON_DIOXIDE": ~lacks("o2") & lacks("n2"),
        "INERT_GAS": ~lacks("inert"),
    }


def hourly(of_sets: nw.LazyFrame, ratio: Ratio) -> nw.LazyFrame:
    """The ratio by place and hour over the whole history.

    Columns: mine_code, area_id, entity, place words, is_sample, hour, value, why (code), samples, the means _TOLD and
    those of `more`.
    """
    codes = list(ratio.checks)
    why = nw.lit(0)
    for place, holds in enumerate(ratio.checks.values(), start=1):
        why = nw.when(holds.fill_null(False)).then(nw.lit(place)).otherwise(why)
    rows = of_sets.with_columns(why.alias("_why"), *(each.alias(name) for name, each in ratio.more.items()))
    rows = rows.with_columns(
        nw.when(nw.col("_why") == 0).then(rounded(ratio.value)).alias("_ratio"),
        (nw.col("at_us") // HOUR_US).cast(nw.Int64).alias("hour"),
    )
    keys = [*PLACE, "place_zh", "place_en", "is_sample", "hour"]
    told = [*_TOLD, *ratio.more]
    hours = rows.group_by(keys).agg(
        nw.col("_why").max().alias("_why"),
        nw.len().cast(nw.Int64).alias("samples"),
        *(nw.col(name).mean().alias(name) for name in told),
    )
    good = rows.filter(~nw.col("_ratio").is_null()).select(*PLACE, "hour", "at_us", "_ratio")
    over = {"order_by": ["at_us"]}
    good = good.with_columns(
        *(nw.col("_ratio").shift(n).over(*PLACE, **over).alias(f"_r{n}") for n in (1, 2)),
        *(nw.col("at_us").shift(n).over(*PLACE, **over).alias(f"_t{n}") for n in (1, 2)),
    )
    earlier = [
        nw.when((nw.col("at_us") - nw.col(f"_t{n}") <= _CONFIRMS_US).fill_null(False)).then(nw.col(f"_r{n}"))
        for n in (1, 2)
    ]
    good = good.with_columns(middle_of_three(nw.col("_ratio"), *earlier).alias("_middle"))
    best = good.group_by(*PLACE, "hour").agg(nw.col("_middle").max().alias("value"))
    hours = hours.join(best, on=[*PLACE, "hour"], how="left")
    named = nw.lit(None, dtype=nw.String)
    for place, code in enumerate(codes, start=1):
        named = nw.when(nw.col("_why") == place).then(nw.lit(code)).otherwise(named)
    return hours.with_columns(nw.when(lacks("value")).then(named).alias("why")).drop("_why")


def middle_of_three(now: nw.Expr, before: nw.Expr, earlier: nw.Expr) -> nw.Expr:
    """Middle one of three; of two the lower, of one itself."""
    middle = now + before + earlier - nw.max_horizontal(now, before, earlier) - nw.min_horizontal(now, before, earlier)
    of_two = nw.min_horizontal(now, before)
    return rounded(nw.when(~earlier.is_null() & ~before.is_null()).then(middle).otherwise(of_two))


def in_window(history: History, hours: nw.LazyFrame) -> nw.LazyFrame:
    """The hours of the window: of places with sensors every hour, of samples those that have one."""
    words = ["place_zh", "place_en", "is_sample"]
    steady = hours.filter(~nw.col("is_sample")).select(*PLACE, *words).unique()
    grid = steady.join(hour_grid(history), how="cross")
    rows = grid.join(hours.drop(words), on=[*PLACE, "hour"], how="left")
    sampled = hours.filter(nw.col("is_sample")).join(hour_grid(history), on="hour", how="inner")
    rows = nw.concat([rows, sampled.select(rows.collect_schema().names())], how="vertical")
    covered = nw.when(nw.col("is_sample")).then(nw.lit(1.0)).otherwise(nw.col("samples") / _SETS_AN_HOUR)
    share = nw.min_horizontal(covered, nw.lit(1.0)).fill_null(0.0)
    return rows.with_columns(share.alias("covered"), no_point().alias("point_id"))


def own_normal(series: Series, span: Span) -> dict[str, Floats]:
    """What a place's ratio is as a rule, and where it goes.

    Returns:
        normal: median over the history before the last day, plus three median deviations (scaled to sigmas); not known
            with less than NORMAL_DAYS of it.
        per_day: Theil–Sen slope over the last 24 hours.
    """
    (values,) = series.values()
    judged_hours = span.judged
    normal, per_day = np.full(len(judged_hours), np.nan), np.full(len(judged_hours), np.nan)
    for row, place in enumerate(judged_hours):
        before = values[max(place + 1 - NORMAL_DAYS * DAY_H, 0) : place + 1]
        there = np.flatnonzero(np.isfinite(before))
        if len(there) and len(before) - there[0] >= (NORMAL_DAYS - 1) * DAY_H and len(there) >= NORMAL_DAYS:
            middle = np.median(before[there])
            normal[row] = middle + 3 * 1.4826 * np.median(np.abs(before[there] - middle))
        per_day[row] = slope_per_day(values, place)
    return {"normal": normal, "per_day": per_day}


def slope_per_day(values: Floats, place: int, hours: int = DAY_H) -> float:
    """Theil–Sen slope [per day] over the hours that end with a place; NaN with fewer than six values."""
    last = values[max(place + 1 - hours, 0) : place + 1]
    there = np.flatnonzero(np.isfinite(last))
    if len(there) < _LEAST_HOURS:
        return np.nan
    return float(theil_sen_slopes(there[None, :] / DAY_H, last[there][None, :])[0])


def trended(history: History, hours: nw.LazyFrame, value: str = "value") -> nw.LazyFrame:
    """`normal` and `per_day` of a column by place and hour of the window."""
    known = hours.filter(~nw.col(value).is_null()).with_columns(nw.lit("ratio").alias("quantity"))
    found = per_hour(history, known, PLACE, own_normal, ("normal", "per_day"), value)
    return found.select(*PLACE, "hour", "normal", "per_day")


def told(**more: nw.Expr) -> dict[str, nw.Expr]:
    """Inputs that each ratio tells."""
    shown = {f"{name}_pct": number(nw.col(name), 4) for name in ("o2", "n2", "ch4", "co2", "d_o2", "d_co", "d_co2")}
    return {**shown, "samples": number(nw.col("samples"), 0), **more}


def ratio_rows(
    index: Index,
    rows: nw.LazyFrame,
    *,
    name_zh: str,
    name_en: str,
    decimals: int = 2,
    unit: str = "",
    more: Mapping[str, nw.Expr] | None = None,
) -> nw.LazyFrame:
    """Rows of an index from rows of `in_window` with level, limit_source and limit_confidence."""
    value = number(nw.col("value"), decimals)
    return index_rows(
        rows,
        index,
        value=nw.col("value"),
        level=nw.col("level"),
        coverage=nw.col("covered"),
        reason=nw.col("why"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs=told(**(more or {})),
        finding_zh=nw.concat_str(nw.lit(f"{name_zh} "), value, nw.lit(unit)),
        finding_en=nw.concat_str(nw.lit(f"{name_en} "), value, nw.lit(unit)),
    )
