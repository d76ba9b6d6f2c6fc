"""How hard the mine is to ventilate (V-03): resistance and equivalent orifice at each main fan, and their drift."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import (
    DAY_H,
    Floats,
    Series,
    Span,
    hour_grid,
    no_point,
    per_hour,
    placed,
    site_rows,
    trailing_count,
    trailing_mean,
)
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.rows import Index, index_rows, number, quoted
from minefusion.pipelines.rounding import rounded

# Equivalent orifices [m²] under which a mine is hard, and up to which it is middling, to ventilate; recalled.
HARD_M2, EASY_M2 = 1.0, 2.0
# Hours of the last day that a drift needs, and of the time before for a reference of the place's own.
_LEAST_OF_DAY, _LEAST_BEFORE = 12, 48

V_03 = Index(
    id="V-03",
    name_zh="矿井总风阻与等积孔",
    name_en="mine resistance and equivalent orifice",
    unit="N·s²/m⁸",
    minutes=60,
    source="Atkinson's law; own steps for the drift",
    confidence="advisory",
    doc=(
        "Resistance of the mine at a main fan and the orifice that would resist alike: under 1 m² hard, over 2 m² easy "
        "to ventilate. Judged is the drift of the last 24 hours from the reference of the site file, or from the "
        "median of the time before: yellow over 10 %, orange over 25 %: a fall, a blockage or a short circuit."
    ),
    formula=(
        r"R = \frac{h}{Q^2}, \quad A = 1.19\,\frac{Q}{\sqrt{h}}, \quad "
        r"d = \left|\frac{R_{24\,h}}{R_{ref}} - 1\right|"
    ),
    reads=("pressure at the main fan [Pa or kPa]", "air in the fan drift [m³/s]"),
    scenario="fan_surge",
    edges=(
        "a fan that stands has no resistance: hours without air are left out",
        "less than 12 hours of the day, or no reference yet: a value and no level, NO_HISTORY",
    ),
)


def resistance_ns2_m8(pressure_pa: nw.Expr, quantity_m3_s: nw.Expr) -> nw.Expr:
    """R = h/Q² [N·s²/m⁸]; null where no air moves."""
    moving = nw.when(quantity_m3_s > 0).then(quantity_m3_s)
    return pressure_pa / (moving * moving)


def equivalent_orifice_m2(pressure_pa: nw.Expr, quantity_m3_s: nw.Expr) -> nw.Expr:
    """A = 1.19·Q/√h [m²], h in Pa and Q in m³/s; null without pressure."""
    return 1.19 * quantity_m3_s / nw.when(pressure_pa > 0).then(pressure_pa).sqrt()


def v03(history: History) -> nw.LazyFrame:
    """Resistance at each main fan, by hour."""
    text, amount = pa.string(), pa.float64()
    fields = {"fan_id": text, "area_id": text, "edge_id": text, "reference_ns2_m8": amount}
    fans = history.frame(site_rows(history.sites, "main_fans", list(fields)), pa.schema({"mine_code": text, **fields}))
    hours = history.cached(_by_hour(history, fans))
    fan = ["mine_code", "fan_id"]
    known = hours.filter(~nw.col("value").is_null()).with_columns(nw.lit("resistance").alias("quantity"))
    drift = per_hour(history, known, fan, day_and_before, ("of_day", "before")).select(*fan, "hour", "of_day", "before")
    rows = fans.join(hour_grid(history), how="cross").join(hours, on=[*fan, "hour"], how="left")
    rows = rows.join(drift, on=[*fan, "hour"], how="left")
    reference = nw.coalesce("reference_ns2_m8", "before")
    off = 100 * (nw.col("of_day") / nw.when(reference > 0).then(reference) - 1)
    rows = rows.with_columns(
        nw.col("fan_id").alias("entity"),
        no_point().alias("point_id"),
        rounded(off).alias("_off"),
        reference.alias("_ref"),
    )
    rows = placed(history, rows, "主要通风机", "main fan")
    value, orifice = nw.col("value"), nw.col("orifice")
    drift_pct = nw.when(~value.is_null()).then(nw.col("_off").abs())
    rows = judged(history, rows, V_03.id, ("drift", drift_pct))
    kind = nw.when(orifice > EASY_M2).then(nw.lit("easy")).otherwise(nw.lit("medium"))
    kind = nw.when(orifice < HARD_M2).then(nw.lit("hard")).otherwise(kind)
    shown = number(value, 4)
    off_text = number(nw.col("_off"), 1)
    return index_rows(
        rows,
        V_03,
        value=value,
        level=nw.col("level"),
        coverage=nw.min_horizontal(nw.col("readings").fill_null(0) / 12, nw.lit(1.0)),
        reason=nw.when(value.is_null()).then(nw.lit("NO_FAN_PRESSURE")).otherwise(nw.lit("NO_HISTORY")),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "pressure_pa": number(nw.col("pressure"), 0),
            "q_m3_s": number(nw.col("q"), 2),
            "equivalent_orifice_m2": number(orifice, 2),
            "class": quoted(nw.when(~orifice.is_null()).then(kind)),
            "reference": number(nw.col("_ref"), 4),
            "drift_pct": off_text,
        },
        finding_zh=nw.concat_str(nw.lit("风阻 "), shown, nw.lit("，24 小时偏离基准 "), off_text, nw.lit(" %")),
        finding_en=nw.concat_str(
            nw.lit("resistance "), shown, nw.lit(", off its reference by "), off_text, nw.lit(" %")
        ),
    )


def _by_hour(history: History, fans: nw.LazyFrame) -> nw.LazyFrame:
    """Pressure, air, resistance and orifice at each fan, by hour of the history: means of the five-minute means."""
    sections = history.edges.select("mine_code", "edge_id", nw.col("section_m2").alias("_section"))
    wanted = ["air_pressure", "negative_pressure", "air_velocity", "air_quantity"]
    five = history.five.filter(nw.col("quantity").is_in(wanted), ~nw.col("value_mean").is_null())
    rows = fans.join(five.drop("area_id"), on=["mine_code", "edge_id"], how="inner")
    rows = rows.join(sections, on=["mine_code", "edge_id"], how="left")
    amount, quantity = nw.col("value_mean").abs(), nw.col("quantity")
    of_kilopascal = nw.when(quantity == "negative_pressure").then(1000 * amount)
    pressure = nw.when(quantity == "air_pressure").then(amount).otherwise(of_kilopascal)
    by_velocity = nw.when(quantity == "air_velocity").then(amount * nw.col("_section"))
    air = nw.when(quantity == "air_quantity").then(amount / 60).otherwise(by_velocity)
    hours = rows.with_columns(
        (nw.col("start_us") // 3_600_000_000).cast(nw.Int64).alias("hour"), pressure.alias("_h"), air.alias("_q")
    )
    hours = hours.group_by("mine_code", "fan_id", "hour").agg(
        nw.col("_h").mean().alias("pressure"),
        nw.col("_q").mean().alias("q"),
        nw.col("start_us").n_unique().cast(nw.Int64).alias("readings"),
    )
    h, q = nw.col("pressure"), nw.col("q")
    return hours.with_columns(
        rounded(resistance_ns2_m8(h, q)).alias("value"), equivalent_orifice_m2(h, q).alias("orifice")
    )


def day_and_before(series: Series, span: Span) -> dict[str, Floats]:
    """Mean resistance of the last 24 hours, and median of the time before them: what it is as a rule."""
    values = series["resistance"]
    mean, count = trailing_mean(values, DAY_H), trailing_count(values, DAY_H)
    of_day = np.where(count >= _LEAST_OF_DAY, mean, np.nan)
    before = np.full(len(span.judged), np.nan)
    for row, place in enumerate(span.judged):
        earlier = values[: max(place + 1 - DAY_H, 0)]
        earlier = earlier[np.isfinite(earlier)]
        if len(earlier) >= _LEAST_BEFORE:
            before[row] = np.median(earlier)
    return {"of_day": of_day[list(span.judged)], "before": before}
