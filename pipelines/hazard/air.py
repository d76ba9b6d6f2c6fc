"""Ventilation: is there air enough (V-01), and does it run at an allowed speed (V-02)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.air_paths import missing_in_path
from minefusion.pipelines.hazard.gas import absolute_emission_m3_min, ventilation_emission_m3_min
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import steps
from minefusion.pipelines.hazard.minutes import first_minute, minute_no, placed_points, window_minutes
from minefusion.pipelines.hazard.rows import BLUE, NORMAL, ORANGE, RED, YELLOW, Index, index_rows, number, quoted
from minefusion.pipelines.rounding import rounded
from minefusion.schemas.levels import NAMES, listed_step
from minefusion.schemas.limits import velocity_range
from minefusion.schemas.site import AirClass

# ── V-01 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
WINDOW_MIN = 10
# Air per unit of need [m³/min], as the ventilation design reckons it; recalled, not read again.
PER_GAS, PER_CO2, PER_PERSON = 100.0, 67.0, 4.0
# Velocity that a face wants whose intake air has this temperature [℃], in m/s: the low end of each customary range;
# recalled.
COMFORT_M_S = ((15.0, 0.5), (18.0, 0.8), (20.0, 1.0), (23.0, 1.5), (26.0, 1.8))
COOL_M_S = 0.3
# Shares of the required quantity under which the levels up to orange begin; what has been under that of red for five
# minutes on end is red.
SUPPLY_STEPS = tuple(listed_step("V-01", level) for level in NAMES[:3])
RED_MINUTES = 5
V_01 = Index(
    id="V-01",
    name_zh="风量供需比",
    name_en="air supply against need",
    unit="1",
    minutes=WINDOW_MIN,
    source="required quantity after the Coal Mine Safety Regulation and AQ 1028, recalled; own steps but for 1.00",
    confidence="inferred",
    doc=(
        "Air in the return of a working area over the air that it needs, ten-minute means. The need is the "
        "greatest of: gas 100·q·K, carbon dioxide 67·q·K, 4 m³/min a person, at a face the velocity that warm "
        "intake air wants, and the lowest allowed velocity. Blue under 1.10, yellow under 1.05, orange under "
        "1.00, red under 0.90 for five minutes on end. Explosives are not counted: no feed names them."
    ),
    formula=(
        r"\eta = \frac{Q}{Q_{req}}, "
        r"\quad Q_{req} = \max(100\,q_{CH_4} K,\ 67\,q_{CO_2} K,\ 4N,\ 60\,v_T S K,\ 60\,v_{min} S)"
    ),
    reads=(
        "air in the return [m³/s]",
        "CH4, CO2 in return and intake [%]",
        "people",
        "temperature of the intake [℃]",
    ),
    scenario="low_air",
    edges=(
        "without the need of the gas there is no answer",
        "red only after five minutes on end under 0.9",
        "explosives are not counted: no feed names them",
    ),
)


def required_quantity_m3_min(*needs: nw.Expr) -> nw.Expr:
    """The greatest of the needs; a need that is not known is left out."""
    return nw.max_horizontal(*needs)


def comfort_velocity_m_s(temperature_c: nw.Expr) -> nw.Expr:
    """Velocity that a face wants whose intake air has this temperature; null where the temperature is."""
    velocity = nw.lit(COOL_M_S)
    for from_c, wanted in COMFORT_M_S:
        velocity = nw.when((temperature_c >= from_c).fill_null(False)).then(nw.lit(wanted)).otherwise(velocity)
    return nw.when(~temperature_c.is_null()).then(velocity)


def supply_level(
    ratio: nw.Expr, minutes_under_red: nw.Expr, under: Sequence[nw.Expr | float] = SUPPLY_STEPS
) -> nw.Expr:
    """Level of supply ÷ need; `minutes_under_red`: longest run of minutes in which it was under the step of red.

    Args:
        under: shares under which blue, yellow and orange begin.
    """
    level = nw.lit(NORMAL)
    for number_, step in zip((BLUE, YELLOW, ORANGE), under, strict=True):
        level = nw.when((ratio < step).fill_null(False)).then(nw.lit(number_)).otherwise(level)
    level = nw.when((minutes_under_red >= RED_MINUTES).fill_null(False)).then(nw.lit(RED)).otherwise(level)
    return nw.when(~ratio.is_null()).then(level)


def v01(inputs: Inputs) -> nw.LazyFrame:
    """Air supply against need, by working area and ten minutes."""
    key, window = ["mine_code", "area_id"], (nw.col("minute_no") // WINDOW_MIN).cast(nw.Int64).alias("_window")
    q = nw.col("q_m3_s")
    carried = absolute_emission_m3_min(q, nw.col("ch4_return"), nw.col("ch4_intake"), nw.lit(0.0))
    carried_co2 = nw.max_horizontal(
        ventilation_emission_m3_min(q, nw.col("co2_return"), nw.col("co2_intake")), nw.lit(0.0)
    )
    carried_co2 = nw.when(~nw.col("co2_return").is_null()).then(carried_co2)
    minutes = inputs.paths.with_columns(window, (60 * q).alias("_q"), carried.alias("_ch4"), carried_co2.alias("_co2"))
    facts = ["place_zh", "place_en", "area_kind", "air_factor"]
    windows = minutes.group_by(*key, "_window", *facts).agg(
        rounded(nw.col("_q").mean()).alias("_q"),
        rounded(nw.col("_ch4").mean()).alias("_ch4"),
        rounded(nw.col("_co2").mean()).alias("_co2"),
        *(nw.col(name).mean() for name in ("q_m3_s", "ch4_return", "ch4_intake")),
        nw.min_horizontal("q_coverage", "ch4_coverage").mean().alias("coverage"),
        nw.col("window_start").min().alias("window_start"),
    )
    windows = windows.join(_floor_of_area(inputs), on=key, how="left")
    windows = windows.join(_people(inputs), on=[*key, "_window"], how="left")
    windows = windows.join(_intake_temperature(inputs), on=[*key, "_window"], how="left")
    factor = nw.col("air_factor")
    is_face = nw.col("area_kind") == "longwall_face"
    windows = windows.with_columns(
        (PER_GAS * nw.col("_ch4") * factor).alias("_for_gas"),
        (PER_CO2 * nw.col("_co2") * factor).alias("_for_co2"),
        (PER_PERSON * nw.col("_people").cast(nw.Float64)).alias("_for_people"),
        nw.when(is_face)
        .then(60 * comfort_velocity_m_s(nw.col("_temperature")) * nw.col("_section") * factor)
        .alias("_for_warmth"),
        (60 * nw.col("_lowest")).alias("_for_velocity"),
    )
    needs = ("_for_gas", "_for_co2", "_for_people", "_for_warmth", "_for_velocity")
    # What the gas needs is the reason for the index: without it there is no answer, however many people there are.
    need = nw.when(~nw.col("_for_gas").is_null()).then(
        rounded(required_quantity_m3_min(*(nw.col(name) for name in needs)))
    )
    windows = steps(inputs, windows.with_columns(need.alias("_need")), V_01.id)
    runs = minutes.join(windows.select(*key, "_window", "_need", "red"), on=[*key, "_window"], how="left")
    short = (nw.col("_q") < nw.col("red") * nw.col("_need")).fill_null(False).cast(nw.Int64)
    runs = runs.with_columns(short.alias("_short"))
    run = nw.col("_short").rolling_sum(RED_MINUTES, min_samples=1).over(*key, "_window", order_by=["minute_no"])
    runs = runs.with_columns(run.alias("_run")).group_by(*key, "_window").agg(nw.col("_run").max().alias("_run"))
    rows = windows.join(runs, on=[*key, "_window"], how="left").with_columns(
        nw.when(nw.col("_need") > 0).then(rounded(nw.col("_q") / nw.col("_need"))).alias("_ratio"),
        nw.col("area_id").alias("entity"),
        nw.lit(None, dtype=nw.String).alias("point_id"),
    )
    ratio = nw.col("_ratio")
    return index_rows(
        rows,
        V_01,
        value=ratio,
        level=supply_level(ratio, nw.col("_run"), [nw.col(name) for name in NAMES[:3]]),
        coverage=nw.col("coverage"),
        reason=missing_in_path("ch4"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "q_m3_min": number(nw.col("_q"), 1),
            "need_m3_min": number(nw.col("_need"), 1),
            "for_gas": number(nw.col("_for_gas"), 1),
            "for_co2": number(nw.col("_for_co2"), 1),
            "for_people": number(nw.col("_for_people"), 1),
            "for_warmth": number(nw.col("_for_warmth"), 1),
            "for_velocity": number(nw.col("_for_velocity"), 1),
            "ch4_m3_min": number(nw.col("_ch4"), 3),
            "people": number(nw.col("_people"), 0),
            "temperature_c": number(nw.col("_temperature"), 1),
            "factor": number(factor, 2),
            "minutes_short": number(nw.col("_run"), 0),
        },
        finding_zh=_supply("风量 {} m³/min，需风量 {} m³/min，供需比 {}", "，其中连续 5 min 低于 "),
        finding_en=_supply("air {} m³/min, needed {} m³/min, ratio {}", ", five minutes on end under "),
    )


def _supply(pattern: str, long_short: str) -> nw.Expr:
    amounts = (number(nw.col("_q"), 0), number(nw.col("_need"), 0), number(nw.col("_ratio"), 2))
    words = pattern.split("{}")
    parts = [part for word, amount in zip(words, amounts, strict=False) for part in (nw.lit(word), amount)]
    lasts = (nw.col("_run") >= RED_MINUTES).fill_null(False)
    told = nw.concat_str(nw.lit(long_short), number(nw.col("red")))
    return nw.concat_str(*parts, nw.when(lasts).then(told).otherwise(nw.lit("")))


def _velocity_law(inputs: Inputs) -> nw.LazyFrame:
    """Allowed air velocity by roadway class; null where the class has no such limit."""
    found = []
    for code in get_args(AirClass):
        low, high = velocity_range(code)
        rule = next((limit for limit in (high, low) if limit), None)
        found.append(
            {
                "air_class": code,
                "law_low": low.alarm if low else None,
                "law_high": high.alarm if high else None,
                "law_source": rule.source if rule else None,
                "law_confidence": rule.confidence if rule else None,
            }
        )
    fields = [("air_class", pa.string()), ("law_low", pa.float64()), ("law_high", pa.float64())]
    return inputs.frame(found, pa.schema([*fields, ("law_source", pa.string()), ("law_confidence", pa.string())]))


def _floor_of_area(inputs: Inputs) -> nw.LazyFrame:
    """Greatest section [m²] and the quantity of the lowest allowed velocity [m³/s] in each area."""
    edges = inputs.edges.join(_velocity_law(inputs), on="air_class", how="left")
    return edges.group_by("mine_code", "area_id").agg(
        nw.col("section_m2").max().alias("_section"), (nw.col("law_low") * nw.col("section_m2")).max().alias("_lowest")
    )


def _people(inputs: Inputs) -> nw.LazyFrame:
    """Most people in each area at a snapshot of the ten minutes."""
    window = (minute_no(nw.col("observed_us")) // WINDOW_MIN).cast(nw.Int64).alias("_window")
    rows = inputs.headcount.with_columns(window)
    return rows.group_by("mine_code", "area_id", "_window").agg(nw.col("people_count").max().alias("_people"))


def _intake_temperature(inputs: Inputs) -> nw.LazyFrame:
    """Mean temperature of the air that each working area gets, over the ten minutes."""
    paths = inputs.air_paths.select("mine_code", "area_id", nw.col("intake_edge").alias("edge_id"))
    rows = window_minutes(inputs, "temperature").select("mine_code", "edge_id", "minute_no", "mean")
    rows = rows.join(paths, on=["mine_code", "edge_id"], how="inner").with_columns(
        (nw.col("minute_no") // WINDOW_MIN).cast(nw.Int64).alias("_window")
    )
    return rows.group_by("mine_code", "area_id", "_window").agg(rounded(nw.col("mean").mean()).alias("_temperature"))


# ── V-02 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
OUTSIDE = "minutes_outside"
LONG_OUTSIDE_MIN = int(listed_step("V-02", "red", OUTSIDE))
V_02 = Index(
    id="V-02",
    name_zh="井巷风速",
    name_en="air velocity",
    unit="m/s",
    minutes=1,
    source="Coal Mine Safety Regulation: air velocities by roadway",
    confidence="confirmed",
    doc=(
        "Mean air velocity of a point in a minute, whichever way it flows, against the lowest and highest allowed"
        " in its roadway, or the mine's own where stricter. Outside them orange, for more than ten minutes on end"
        " red."
    ),
    formula=r"v_{min} \le |v| \le v_{max}",
    reads=("air velocity [m/s]",),
    scenario="high_velocity",
    edges=(
        "at a limit is inside",
        "the mine's own limits count where they are stricter",
        "a road without a limit: no level, NO_LIMIT",
    ),
)


def velocity_level(
    velocity_m_s: nw.Expr,
    low: nw.Expr,
    high: nw.Expr,
    minutes_outside: nw.Expr,
    red_after_min: nw.Expr | float = LONG_OUTSIDE_MIN,
) -> nw.Expr:
    """Orange outside the allowed range, red after so many minutes; null where no limit holds."""
    outside = is_outside(velocity_m_s, low, high)
    long = (minutes_outside > red_after_min).fill_null(False)
    level = nw.when(outside).then(nw.when(long).then(nw.lit(RED)).otherwise(nw.lit(ORANGE))).otherwise(nw.lit(NORMAL))
    return nw.when(~velocity_m_s.is_null() & ~(low.is_null() & high.is_null())).then(level)


def is_outside(velocity_m_s: nw.Expr, low: nw.Expr, high: nw.Expr) -> nw.Expr:
    """Under the lowest or over the highest; at a limit is inside."""
    return (velocity_m_s < low).fill_null(False) | (velocity_m_s > high).fill_null(False)


def v02(inputs: Inputs) -> nw.LazyFrame:
    """Air velocity against its limits, by point and minute."""
    points = placed_points(inputs, ["air_velocity"]).join(_velocity_law(inputs), on="air_class", how="left")
    own_high = nw.when(nw.col("alarm") > 0).then(nw.col("alarm"))
    own_low = nw.when(nw.col("low_alarm") > 0).then(nw.col("low_alarm"))
    points = points.with_columns(
        nw.min_horizontal(own_high, nw.col("law_high")).alias("_high"),
        nw.max_horizontal(own_low, nw.col("law_low")).alias("_low"),
    )
    stricter = (nw.col("_high") < nw.col("law_high")).fill_null(nw.col("law_high").is_null() & ~own_high.is_null())
    stricter = stricter | (nw.col("_low") > nw.col("law_low")).fill_null(
        nw.col("law_low").is_null() & ~own_low.is_null()
    )
    points = points.select(
        "mine_code", "point_id", "place_zh", "place_en", "air_class", "_high", "_low", "law_high", "law_low",
        nw.when(stricter).then(nw.lit("CDDY")).otherwise(nw.col("law_source")).alias("_source"),
        nw.when(stricter).then(nw.lit("mine")).otherwise(nw.col("law_confidence")).alias("_confidence"),
    )  # fmt: skip
    rows = inputs.minutes.filter(nw.col("quantity") == "air_velocity").join(
        points, on=["mine_code", "point_id"], how="left"
    )
    rows = rows.with_columns(nw.col("mean").abs().alias("_velocity"), nw.col("point_id").alias("entity"))
    velocity, low, high = nw.col("_velocity"), nw.col("_low"), nw.col("_high")
    rows = rows.with_columns(is_outside(velocity, low, high).cast(nw.Int64).alias("_outside"))
    # A run longer than so many minutes shows as that many and one.
    run = (
        nw.col("_outside")
        .rolling_sum(LONG_OUTSIDE_MIN + 1, min_samples=1)
        .over("mine_code", "point_id", order_by=["minute_no"])
    )
    rows = rows.with_columns(run.alias("_run")).filter(nw.col("minute_no") >= first_minute(inputs.window))
    # No mine may wait longer than the law, so a run that is seen as far as that is seen far enough.
    rows = steps(inputs, rows, V_02.id, OUTSIDE).drop("limit_source", "limit_confidence")
    no_limit = low.is_null() & high.is_null()
    return index_rows(
        rows,
        V_02,
        value=velocity,
        level=velocity_level(velocity, low, high, nw.col("_run"), nw.col("red")),
        coverage=nw.col("coverage"),
        reason=nw.when(no_limit & ~velocity.is_null()).then(nw.lit("NO_LIMIT")),
        legal=is_outside(velocity, nw.col("law_low"), nw.col("law_high")),
        inputs={
            "air_class": quoted(nw.col("air_class")),
            "lowest_m_s": number(low, 2),
            "highest_m_s": number(high, 2),
            "minutes_outside": number(nw.when(nw.col("_outside") == 1).then(nw.col("_run")).otherwise(nw.lit(0)), 0),
            "samples": number(nw.col("samples"), 0),
        },
        limit_source=nw.col("_source"),
        limit_confidence=nw.col("_confidence"),
        finding_zh=_velocity_finding("风速 ", "，允许 ", " 至 ", "，允许不超过 ", "，允许不低于 "),
        finding_en=_velocity_finding("air velocity ", ", allowed ", " to ", ", allowed up to ", ", allowed from "),
    )


def _velocity_finding(word: str, between: str, to: str, up_to: str, above: str) -> nw.Expr:
    low, high, unit = number(nw.col("_low")), number(nw.col("_high")), nw.lit(" m/s")
    both = nw.concat_str(nw.lit(between), low, nw.lit(to), high, unit)
    one = nw.coalesce(nw.concat_str(nw.lit(up_to), high, unit), nw.concat_str(nw.lit(above), low, unit))
    return nw.concat_str(nw.lit(word), number(nw.col("_velocity")), unit, nw.coalesce(both, one))
