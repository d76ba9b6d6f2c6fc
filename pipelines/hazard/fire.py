"""Spontaneous combustion and fire: CO that an area makes (F-09), CO and warmth at a point (F-10)."""

from __future__ import annotations

import narwhals as nw

from minefusion.pipelines.hazard.air_paths import missing_in_path
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged, listed_level
from minefusion.pipelines.hazard.minutes import first_minute, placed_points
from minefusion.pipelines.hazard.rows import Index, index_rows, number
from minefusion.pipelines.rounding import rounded

# ── F-09 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
F_09 = Index(
    id="F-09",
    name_zh="一氧化碳产生量",
    name_en="CO make",
    unit="L/min",
    minutes=1,
    source="steps of CO make in use for longwall panels; recalled, not read again",
    confidence="inferred",
    doc=(
        "Carbon monoxide that a working area makes, which more or less air does not change: (CO return − CO "
        "intake)·Q. Over 10 L/min look for the cause (yellow), over 20 coal heats (orange), over 30 serious "
        "(red). The blue step, the site's own median and three deviations over weeks, is not drawn here: two "
        "hours of history cannot tell it."
    ),
    formula=r"M = (CO_{ret} - CO_{in}) \cdot 10^{-6} \cdot Q \cdot 60\,000",
    reads=(
        "CO in return and intake [ppm]",
        "air in the return [m³/s]",
    ),
    scenario="heating",
    edges=(
        "more or less air does not change it",
        "an intake without a sensor counts as 0",
        "an intake above the return gives a negative make and level 0",
    ),
)


def co_make_l_min(return_ppm: nw.Expr, intake_ppm: nw.Expr, quantity_m3_s: nw.Expr) -> nw.Expr:
    """CO make M = (CO_return − CO_intake)·1e-6·Q·60 000 [L/min]; negative where the intake holds more."""
    return (return_ppm - intake_ppm) * 1e-6 * quantity_m3_s * 60_000


def make_level(make_l_min: nw.Expr) -> nw.Expr:
    return listed_level(make_l_min, "F-09")


def f09(inputs: Inputs) -> nw.LazyFrame:
    """CO make by working area and minute."""
    q, back, into = nw.col("q_m3_s"), nw.col("co_return"), nw.col("co_intake")
    rows = inputs.paths.with_columns(
        rounded(co_make_l_min(back, into, q)).alias("_make"),
        nw.col("area_id").alias("entity"),
        nw.lit(None, dtype=nw.String).alias("point_id"),
    )
    make = nw.col("_make")
    rows = judged(inputs, rows, F_09.id, ("", make))
    return index_rows(
        rows,
        F_09,
        value=make,
        level=nw.col("level"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        coverage=nw.min_horizontal("q_coverage", "co_coverage"),
        reason=missing_in_path("co"),
        inputs={
            "q_m3_s": number(q, 3),
            "return_ppm": number(back, 2),
            "intake_ppm": number(into, 2),
            "intake_measured": nw.when(nw.col("has_co_intake")).then(nw.lit("true")).otherwise(nw.lit("false")),
            "lag_min": number(nw.col("lag_min"), 0),
        },
        finding_zh=nw.concat_str(nw.lit("一氧化碳产生量 "), number(make, 1), nw.lit(" L/min")),
        finding_en=nw.concat_str(nw.lit("CO make "), number(make, 1), nw.lit(" L/min")),
    )


# ── F-10 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
RATE_MIN = 5
# CO of burning coal per heat release [ppm·m³/s per kW]: 2 to 4 in test fires.
CO_PER_KW = 3.0
# Areas whose air has not met the workings: their CO is the background.
INTAKE_KINDS = ("shaft", "pit_bottom", "main_intake", "intake_airway")
F_10 = Index(
    id="F-10",
    name_zh="火灾监测一氧化碳与温度",
    name_en="fire detection by CO and temperature",
    unit="ppm",
    minutes=1,
    source="30 CFR 75.351 for CO, recalled; own start values for temperature",
    confidence="advisory",
    doc=(
        "Per point and minute. Carbon monoxide above that of the mine's intake air: yellow from 5 ppm, orange "
        "from 10 ppm; without a sensor in the intake the background counts as 0. Temperature above that of half "
        "an hour ago at the same point: blue from 5 K, yellow from 10 K, orange from 20 K, or from 1 K/min over "
        "five minutes; in a goaf the temperature itself: yellow from 60, orange from 80, red from 120 ℃. The "
        "occupational cap of CO is T-01's."
    ),
    formula=(
        r"\Delta CO = CO - CO_{amb}, \quad \Delta T = T - T_{30\,min}, "
        r"\quad HRR \approx \frac{Q\,\Delta CO}{B}"
    ),
    reads=(
        "CO [ppm]",
        "temperature [℃]",
        "air [m³/s]",
    ),
    scenario="heating",
    edges=(
        "no sensor in the intake air: the background counts as 0",
        "no earlier temperature: no value, NO_AMBIENT, but in a goaf",
        "after half an hour the new temperature is the background",
    ),
)


def co_level(co_above_ambient_ppm: nw.Expr) -> nw.Expr:
    return listed_level(co_above_ambient_ppm, "F-10", "co")


def warming_level(warmer_k: nw.Expr, rate_k_min: nw.Expr) -> nw.Expr:
    """Level by what a point has warmed, or by how fast it warms; null where neither is known."""
    return nw.max_horizontal(listed_level(warmer_k, "F-10", "warmer"), listed_level(rate_k_min, "F-10", "rate"))


def goaf_level(temperature_c: nw.Expr) -> nw.Expr:
    return listed_level(temperature_c, "F-10", "goaf")


def heat_release_kw(quantity_m3_s: nw.Expr, co_above_ambient_ppm: nw.Expr) -> nw.Expr:
    """Heat release that would make so much CO, Q·ΔCO/B: an order of magnitude, not a measurement."""
    return quantity_m3_s * co_above_ambient_ppm / CO_PER_KW


def f10(inputs: Inputs) -> nw.LazyFrame:
    """CO above ambient and warming, by point and minute."""
    return nw.concat([_by_carbon_monoxide(inputs), _by_temperature(inputs)], how="vertical")


def _by_carbon_monoxide(inputs: Inputs) -> nw.LazyFrame:
    facts = placed_points(inputs, ["co"]).select("mine_code", "point_id", "area_kind", "place_zh", "place_en")
    minutes = inputs.minutes.filter(nw.col("quantity") == "co", nw.col("minute_no") >= first_minute(inputs.window))
    minutes = minutes.join(facts, on=["mine_code", "point_id"], how="left")
    fresh = minutes.filter(nw.col("area_kind").is_in(list(INTAKE_KINDS)), ~nw.col("mean").is_null())
    ambient = fresh.group_by("mine_code", "minute_no").agg(nw.col("mean").median().alias("_ambient"))
    air = inputs.edge_air.select("mine_code", "edge_id", "minute_no", "q_m3_s")
    rows = minutes.join(ambient, on=["mine_code", "minute_no"], how="left").join(
        air, on=["mine_code", "edge_id", "minute_no"], how="left"
    )
    above = rounded(nw.max_horizontal(nw.col("mean") - nw.col("_ambient").fill_null(0.0), nw.lit(0.0)))
    rows = rows.with_columns(
        nw.when(~nw.col("mean").is_null()).then(above).alias("_above"), nw.col("point_id").alias("entity")
    )
    excess = nw.col("_above")
    rows = judged(inputs, rows, F_10.id, ("co", excess))
    return index_rows(
        rows,
        F_10,
        value=excess,
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        inputs={
            "co_ppm": number(nw.col("mean"), 2),
            "ambient_ppm": number(nw.col("_ambient").fill_null(0.0), 2),
            "ambient_measured": nw.when(nw.col("_ambient").is_null()).then(nw.lit("false")).otherwise(nw.lit("true")),
            "q_m3_s": number(nw.col("q_m3_s"), 2),
            "heat_release_kw": number(heat_release_kw(nw.col("q_m3_s"), excess), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("一氧化碳高于背景 "), number(excess, 1), nw.lit(" ppm")),
        finding_en=nw.concat_str(nw.lit("CO "), number(excess, 1), nw.lit(" ppm above ambient")),
    )


def _by_temperature(inputs: Inputs) -> nw.LazyFrame:
    facts = placed_points(inputs, ["temperature"]).select("mine_code", "point_id", "area_kind", "place_zh", "place_en")
    series = {"over": ["mine_code", "point_id"], "order": ["minute_no"]}
    rows = inputs.minutes.filter(nw.col("quantity") == "temperature")
    smooth = nw.col("mean").rolling_mean(RATE_MIN, min_samples=1).over(*series["over"], order_by=series["order"])
    rows = rows.with_columns(
        rounded(smooth).alias("_smooth"),
        nw.col("mean").shift(RATE_MIN).over(*series["over"], order_by=series["order"]).alias("_five_ago"),
    )
    # Five minutes that ended 25, 15 or 5 minutes ago: the oldest there is.
    rows = rows.with_columns(
        *(
            nw.col("_smooth").shift(ago).over(*series["over"], order_by=series["order"]).alias(f"_ago_{ago}")
            for ago in (26, 16, 6)
        )
    )
    rows = rows.filter(nw.col("minute_no") >= first_minute(inputs.window)).join(
        facts, on=["mine_code", "point_id"], how="left"
    )
    temperature = nw.col("mean")
    rows = rows.with_columns(
        nw.coalesce("_ago_26", "_ago_16", "_ago_6").alias("_ambient"), nw.col("point_id").alias("entity")
    )
    rows = rows.with_columns(
        rounded(temperature - nw.col("_ambient")).alias("_warmer"),
        rounded((temperature - nw.col("_five_ago")) / RATE_MIN).alias("_rate"),
        (nw.col("area_kind") == "goaf").fill_null(False).alias("_goaf"),
    )
    warmer, rate, goaf = nw.col("_warmer"), nw.col("_rate"), nw.col("_goaf")
    # A goaf is judged by its temperature too; elsewhere nothing is without a background.
    is_judged = goaf | ~warmer.is_null()
    rows = judged(
        inputs,
        rows,
        F_10.id,
        ("warmer", nw.when(is_judged).then(warmer)),
        ("rate", nw.when(is_judged).then(rate)),
        ("goaf", nw.when(goaf).then(temperature)),
    )
    no_background = ~temperature.is_null() & warmer.is_null()
    rise = nw.concat_str(number(warmer, 1), nw.lit(" K"))
    per_minute_zh = nw.concat_str(nw.lit("，每分钟 "), number(rate, 2), nw.lit(" K")).fill_null("")
    per_minute_en = nw.concat_str(nw.lit(", "), number(rate, 2), nw.lit(" K/min")).fill_null("")
    in_goaf = nw.concat_str(number(temperature, 1), nw.lit(" ℃"))
    return index_rows(
        rows,
        F_10,
        value=nw.when(goaf).then(temperature).otherwise(warmer),
        level=nw.col("level"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        coverage=nw.col("coverage"),
        reason=nw.when(no_background & ~goaf).then(nw.lit("NO_AMBIENT")),
        unit=nw.when(goaf).then(nw.lit("℃")).otherwise(nw.lit("K")),
        inputs={
            "temperature_c": number(temperature, 2),
            "ambient_c": number(nw.col("_ambient"), 2),
            "rate_k_min": number(rate, 2),
        },
        finding_zh=nw.when(goaf)
        .then(nw.concat_str(nw.lit("温度 "), in_goaf))
        .otherwise(nw.concat_str(nw.lit("温度较背景变化 "), rise, per_minute_zh)),
        finding_en=nw.when(goaf)
        .then(nw.concat_str(nw.lit("temperature "), in_goaf))
        .otherwise(nw.concat_str(nw.lit("temperature "), rise, nw.lit(" from its background"), per_minute_en)),
    )
