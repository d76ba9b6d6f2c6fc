"""Methane: how high it stands (G-01), how fast it rises (G-02) and how much the workings give off (G-07)."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.air_paths import missing_in_path
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged, listed_level, steps
from minefusion.pipelines.hazard.minutes import (
    BEFORE,
    MINUTE_US,
    first_minute,
    minute_grid,
    placed_points,
    window_minutes,
)
from minefusion.pipelines.hazard.rows import (
    BLUE,
    NORMAL,
    ORANGE,
    RED,
    YELLOW,
    Index,
    index_rows,
    number,
    quoted,
    rising_level,
)
from minefusion.pipelines.hazard.trend import LONG_MIN, OUT_OF_SERVICE, TREND, trend_of_point
from minefusion.pipelines.rounding import rounded
from minefusion.schemas.levels import NAMES, listed_step
from minefusion.schemas.limits import all_limits, gas_law

# ── G-01 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Steps ahead of the alarm limit, as shares of it: our own choice, advisory.
OF_ALARM = "share_of_alarm"
NEAR_ALARM, CLOSE_TO_ALARM = (listed_step("G-01", level, OF_ALARM) for level in ("blue", "yellow"))
G_01 = Index(
    id="G-01",
    name_zh="甲烷超限",
    name_en="methane exceedance",
    unit="%",
    minutes=1,
    source="Coal Mine Safety Regulation, AQ 1029: alarm and power-cut values by place",
    confidence="confirmed",
    doc=(
        "Highest methane of a point in a minute. Blue from 0.8 and yellow from 0.9 of the alarm limit (advisory),"
        " orange from the alarm limit, red from the power-cut limit, or from the alarm limit where nothing is "
        "cut. A level needs two of the last three good samples. Over range counts as at least the end of the "
        "range; a point that falls silent above the alarm limit keeps its level. A calibration without its flag "
        "is shown as gas: gas is never hidden."
    ),
    formula=r"E = \int \max(C - L,\, 0)\,dt, \quad C \ge L_{alarm}\ \text{or}\ L_{cut}",
    reads=("CH4 [%]",),
    scenario="gas_event",
    edges=(
        "a level needs two of the last three good samples",
        "over range counts as at least the end of the range: SATURATED",
        "a point that falls silent above its alarm limit keeps its level: NO_DATA",
        "calibration without its flag is shown as gas: sensor health and the likely cause tell it apart",
    ),
)


def gas_level(
    ch4_pct: nw.Expr,
    alarm_pct: nw.Expr,
    cut_pct: nw.Expr,
    near: nw.Expr | float = NEAR_ALARM,
    close: nw.Expr | float = CLOSE_TO_ALARM,
) -> nw.Expr:
    """Level of a methane value against its alarm and power-cut limits; reaching a limit is enough.

    Args:
        near, close: shares of the alarm limit at which blue and yellow begin.
    """
    return rising_level(
        ch4_pct,
        blue=rounded(near * alarm_pct),
        yellow=rounded(close * alarm_pct),
        orange=alarm_pct,
        red=nw.coalesce(cut_pct, alarm_pct),
    )


def g01(inputs: Inputs) -> nw.LazyFrame:
    """Methane exceedance by point and minute."""
    facts = placed_points(inputs, ["ch4"]).select(
        "mine_code",
        "point_id",
        "gas_class",
        "alarm",
        "cut",
        "limit_rule",
        nw.col("limit_source").alias("_source"),
        nw.col("limit_confidence").alias("_confidence"),
        "place_zh",
        "place_en",
    )
    classes = sorted({row.location_code for row in all_limits() if row.quantity == "ch4"})
    law = inputs.frame(
        [{"gas_class": code, "law_alarm": gas_law(code).alarm} for code in classes],
        pa.schema([("gas_class", pa.string()), ("law_alarm", pa.float64())]),
    )
    rows = window_minutes(inputs, "ch4").join(facts, on=["mine_code", "point_id"], how="left")
    rows = rows.join(law, on="gas_class", how="left").with_columns(
        nw.col("law_alarm").fill_null(gas_law(None).alarm), nw.col("point_id").alias("entity")
    )
    alarm, cut = nw.col("alarm"), nw.col("cut")
    silent = nw.col("value_max").is_null()
    above = ((nw.col("last_value") >= alarm) & (nw.col("last_high") >= alarm)).fill_null(False)
    judged = nw.when(~silent).then(nw.col("high")).otherwise(nw.when(above).then(nw.col("last_high")))
    rows = rows.with_columns(
        judged.alias("_judged"),
        (silent & above).alias("_kept"),
        nw.when(~silent).then(nw.col("saturated")).otherwise(nw.lit(False)).alias("saturated"),
    )
    rows = steps(inputs, rows, G_01.id, OF_ALARM)
    level = gas_level(nw.col("_judged"), alarm, cut, nw.col("blue"), nw.col("yellow"))
    rows = rows.with_columns(level.alias("_level"))
    level, kept, saturated = nw.col("_level"), nw.col("_kept"), nw.col("saturated")
    between = (level > NORMAL) & (level < ORANGE)
    # A point without limits cannot be judged; that is said, and never counted as normal.
    no_limit = alarm.is_null()
    marks = nw.when(kept).then(nw.lit("NO_DATA")).otherwise(nw.when(saturated).then(nw.lit("SATURATED")))
    return index_rows(
        rows,
        G_01,
        value=nw.col("value_max"),
        level=nw.when(~no_limit).then(level),
        coverage=nw.col("coverage"),
        reason=nw.when(no_limit & ~silent).then(nw.lit("NO_LIMIT")),
        legal=nw.col("_judged") >= nw.col("law_alarm"),
        inputs={
            "min_pct": number(nw.col("value_min"), 3),
            "mean_pct": number(nw.col("mean"), 3),
            "max_pct": number(nw.col("value_max"), 3),
            "confirmed_pct": number(nw.when(nw.col("high").is_finite()).then(nw.col("high")), 3),
            "last_pct": number(nw.col("last_value"), 3),
            "samples": number(nw.col("samples"), 0),
            "alarm_pct": number(alarm, 3),
            "cut_pct": number(cut, 3),
            "law_alarm_pct": number(nw.col("law_alarm"), 3),
            "rule": quoted(nw.col("limit_rule")),
            "marks": quoted(marks),
        },
        limit_source=nw.when(between).then(nw.col("limit_source")).otherwise(nw.col("_source")),
        limit_confidence=nw.when(between).then(nw.col("limit_confidence")).otherwise(nw.col("_confidence")),
        finding_zh=_gas_finding(_ZH),
        finding_en=_gas_finding(_EN),
        stands_from=BLUE,
    )


@dataclass(frozen=True)
class _Words:
    """The words of a finding about methane, in one language."""

    methane: str
    over_range: str
    silent: str
    unconfirmed: str
    cut: str
    alarm: str
    near: str
    limit: str
    comma: str


_ZH = _Words(
    methane="甲烷 ",
    over_range="（满量程）",
    silent="无数据，此前甲烷 ",
    unconfirmed="单个样本",
    cut="达到断电值",
    alarm="达到报警值",
    near="接近报警值",
    limit="报警值",
    comma="，",
)
_EN = _Words(
    methane="methane ",
    over_range=" (over range)",
    silent="no data, methane was ",
    unconfirmed="a single sample",
    cut="at or over the power-cut limit",
    alarm="at or over the alarm limit",
    near="close to the alarm limit",
    limit="alarm limit",
    comma=", ",
)


def _gas_finding(words: _Words) -> nw.Expr:
    level, alarm, cut, value = nw.col("_level"), nw.col("alarm"), nw.col("cut"), nw.col("value_max")
    saturated = nw.col("saturated")
    at_least = nw.when(saturated).then(nw.lit("≥ ")).otherwise(nw.lit(""))
    suffix = nw.when(saturated).then(nw.lit(words.over_range)).otherwise(nw.lit(""))
    now = nw.concat_str(nw.lit(words.methane), at_least, number(value), nw.lit(" %"), suffix)
    before = nw.concat_str(nw.lit(words.silent), number(nw.col("last_value")), nw.lit(" %"))

    def limit(word: str, amount: nw.Expr) -> nw.Expr:
        return nw.concat_str(nw.lit(f"{words.comma}{word} "), number(amount), nw.lit(" %"))

    doubted = (level == NORMAL) & (value >= rounded(nw.col("blue") * alarm))
    unconfirmed = nw.lit(words.comma + words.unconfirmed)
    against = nw.when(doubted.fill_null(False)).then(unconfirmed).otherwise(limit(words.limit, alarm))
    against = nw.when((level > NORMAL) & (level < ORANGE)).then(limit(words.near, alarm)).otherwise(against)
    against = nw.when(level == ORANGE).then(limit(words.alarm, alarm)).otherwise(against)
    reds = nw.when(cut.is_null()).then(limit(words.alarm, alarm)).otherwise(limit(words.cut, cut))
    against = nw.when(level == RED).then(reds).otherwise(against)
    return nw.concat_str(nw.when(nw.col("_kept")).then(before).otherwise(now), against)


# ── G-02 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Minutes to the alarm limit from which the time that is left is told.
TIME_TOLD = listed_step("G-02", "yellow", "time")
# Under this mean the relative rise says nothing.
LEAST_MEAN_PCT = 0.05
G_02 = Index(
    id="G-02",
    name_zh="甲烷上升速率与到限时间",
    name_en="methane rise and time to limit",
    unit="%/min",
    minutes=1,
    source="own definition with the slope of Sen (1968); start values until the site's own quantiles are known",
    confidence="advisory",
    doc=(
        "Theil–Sen slope of a point's methane over the five minutes that end with the row's minute; ten minutes "
        "where they hold fewer than six samples or values come in steps of 0.1 %. Yellow from 0.05 %/min or less "
        "than 15 min to the alarm limit, orange from 0.10 %/min or less than 6 min. Not judged within 30 min of "
        "the instrument's return to service. Red comes through G-01 alone."
    ),
    formula=r"s = \mathrm{med}_{i<j}\frac{C_j - C_i}{t_j - t_i}, \quad TTL = \frac{L_{alarm} - C}{s}",
    reads=("CH4 [%]",),
    scenario="rapid_rise",
    edges=(
        "fewer than six good samples: no value, TOO_FEW_SAMPLES",
        "values in steps of 0.1 %: ten minutes instead of five",
        "within 30 minutes of a return to service: no value, RESTARTED",
    ),
)


def time_to_limit_min(ch4_pct: nw.Expr, slope_pct_per_min: nw.Expr, alarm_pct: nw.Expr) -> nw.Expr:
    """Minutes until the alarm limit at the present rise; null where it does not rise or the limit is reached."""
    rises = (slope_pct_per_min > 0) & (ch4_pct < alarm_pct)
    return nw.when(rises.fill_null(False)).then(rounded((alarm_pct - ch4_pct) / slope_pct_per_min))


def relative_rise(mean_5_pct: nw.Expr, mean_30_pct: nw.Expr) -> nw.Expr:
    """How far the last 5 minutes stand above the last 30, as a share of these."""
    return (mean_5_pct - mean_30_pct) / nw.max_horizontal(mean_30_pct, nw.lit(LEAST_MEAN_PCT))


def rise_level(slope_pct_per_min: nw.Expr, time_min: nw.Expr) -> nw.Expr:
    """Level of a rise: by the slope, or by the time that is left."""
    by_rise, by_time = listed_level(slope_pct_per_min, "G-02", "rise"), listed_level(time_min, "G-02", "time")
    return nw.when(~slope_pct_per_min.is_null()).then(nw.max_horizontal(by_rise, by_time))


def g02(inputs: Inputs) -> nw.LazyFrame:
    """Rate of rise by point and minute."""
    first = first_minute(inputs.window)
    last = first + int((inputs.window.end - inputs.window.start).total_seconds()) // 60
    out = nw.lit(False)
    for code in OUT_OF_SERVICE:
        out = out | nw.col("quality_reasons").str.contains(code, literal=True)
    oldest = (first - BEFORE) * MINUTE_US
    readings = inputs.readings.filter(nw.col("quantity") == "ch4", nw.col("observed_us") >= oldest).select(
        "mine_code", "point_id", "observed_us", "value", "usable", out.fill_null(False).alias("out"), "period_s"
    )
    trend = inputs.grouped(readings, ["mine_code", "point_id"], trend_of_point(first, last), TREND)
    facts = placed_points(inputs, ["ch4"]).select("mine_code", "point_id", "area_id", "alarm", "place_zh", "place_en")
    rows = facts.join(minute_grid(inputs), how="cross").join(
        trend, on=["mine_code", "point_id", "minute_no"], how="left"
    )
    now = window_minutes(inputs, "ch4").select(
        "mine_code", "point_id", "minute_no", "last_value", nw.col("coverage").alias("_now")
    )
    rows = rows.join(now, on=["mine_code", "point_id", "minute_no"], how="left").with_columns(
        # A point without a reading in reach is told like one whose readings are too old to count.
        nw.col("span_min").fill_null(float(LONG_MIN)),
        nw.col("trend_samples").fill_null(0),
    )
    current = nw.when(nw.col("_now") > 0).then(nw.col("last_value"))
    restarted = nw.col("restarted").fill_null(False)
    rows = rows.with_columns(
        nw.when(~restarted).then(nw.col("slope")).alias("_slope"),
        current.alias("_ch4"),
        nw.col("point_id").alias("entity"),
    )
    slope = nw.col("_slope")
    rows = rows.with_columns(time_to_limit_min(nw.col("_ch4"), slope, nw.col("alarm")).alias("_time"))
    reason = (
        nw.when(restarted)
        .then(nw.lit("RESTARTED"))
        .otherwise(nw.when(nw.col("trend_samples") > 0).then(nw.lit("TOO_FEW_SAMPLES")).otherwise(nw.lit("NO_DATA")))
    )
    time = nw.col("_time")
    rows = judged(inputs, rows, G_02.id, ("rise", slope), ("time", nw.when(~slope.is_null()).then(time)))
    is_soon = (time < TIME_TOLD).fill_null(False)
    left_zh = nw.when(is_soon).then(
        nw.concat_str(
            nw.lit("，约 "), number(time, 1), nw.lit(" min 后到报警值 "), number(nw.col("alarm")), nw.lit(" %")
        )
    )
    left_en = nw.when(is_soon).then(
        nw.concat_str(
            nw.lit(", about "),
            number(time, 1),
            nw.lit(" min to the alarm limit "),
            number(nw.col("alarm")),
            nw.lit(" %"),
        )
    )
    return index_rows(
        rows,
        G_02,
        value=slope,
        level=nw.col("level"),
        coverage=nw.col("trend_coverage"),
        reason=reason,
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "ch4_pct": number(nw.col("_ch4"), 3),
            "mean_5min_pct": number(nw.col("mean_5"), 3),
            "mean_30min_pct": number(nw.col("mean_30"), 3),
            "relative_rise": number(relative_rise(nw.col("mean_5"), nw.col("mean_30")), 3),
            "minutes_to_alarm": number(time, 1),
            "alarm_pct": number(nw.col("alarm"), 3),
            "window_min": number(nw.col("span_min"), 0),
            "samples": number(nw.col("trend_samples"), 0),
        },
        finding_zh=nw.concat_str(nw.lit("甲烷变化 "), number(slope, 3), nw.lit(" %/min"), left_zh.fill_null("")),
        finding_en=nw.concat_str(
            nw.lit("methane changes by "), number(slope, 3), nw.lit(" %/min"), left_en.fill_null("")
        ),
    )


# ── G-07 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
MINE = "mine"
G_07 = Index(
    id="G-07",
    name_zh="绝对瓦斯涌出量",
    name_en="absolute gas emission",
    unit="m3/min",
    minutes=1,
    source="Coal Mine Safety Regulation, AQ 1028: values of the high-gas class; recalled, not read again",
    confidence="inferred",
    doc=(
        "Methane that a working area gives to its air, from air quantity and methane in return and intake (the "
        "intake's as long ago as the air needs), and what is drained. Yellow over the value that makes a mine a "
        "high-gas one: face 5, heading 3, mine 40 m³/min; blue from 0.8 of it. The value classifies a mine, it is"
        " no limit of the moment. The mine's row is the sum of its working areas. Air at the sensor's own "
        "density."
    ),
    formula=(
        r"q_v = 60\,Q\,\frac{C_{ret} - C_{in}}{100}, \quad q_{abs} = q_v + q_d, "
        r"\quad q_{rel} = \frac{1440\,q_{abs}}{A}"
    ),
    reads=(
        "air in the return [m³/s]",
        "CH4 in return and intake [%]",
        "drained methane [m³/min], output [t/d] of the site file",
    ),
    scenario="high_emission",
    edges=(
        "an intake above the return counts as 0 and is marked INTAKE_ABOVE_RETURN",
        "the intake is read as long ago as the air needs from there",
        "no output: no relative emission",
    ),
)


def ventilation_emission_m3_min(quantity_m3_s: nw.Expr, return_pct: nw.Expr, intake_pct: nw.Expr) -> nw.Expr:
    """Methane that the air carries off: q_v = 60·Q·(C_return − C_intake)/100; negative where the intake holds more."""
    return 60 * quantity_m3_s * (return_pct - intake_pct) / 100


def absolute_emission_m3_min(
    quantity_m3_s: nw.Expr, return_pct: nw.Expr, intake_pct: nw.Expr, drained_m3_min: nw.Expr
) -> nw.Expr:
    """q_abs = q_v + q_drained; a negative q_v counts as 0."""
    carried = ventilation_emission_m3_min(quantity_m3_s, return_pct, intake_pct)
    return nw.when(carried < 0).then(drained_m3_min).otherwise(carried + drained_m3_min)


def relative_emission_m3_t(absolute_m3_min: nw.Expr, output_t_per_day: nw.Expr) -> nw.Expr:
    """q_rel = 1440·q_abs/A; null without output."""
    return nw.when(output_t_per_day > 0).then(1440 * absolute_m3_min / output_t_per_day)


def emission_level(absolute_m3_min: nw.Expr, class_m3_min: nw.Expr, near_share: nw.Expr | float) -> nw.Expr:
    """Blue from a share of the class value, yellow over it; normal where the place has no class value."""
    over = (absolute_m3_min > class_m3_min).fill_null(False)
    near = (absolute_m3_min >= rounded(near_share * class_m3_min)).fill_null(False)
    level = nw.when(over).then(nw.lit(YELLOW)).otherwise(nw.when(near).then(nw.lit(BLUE)).otherwise(nw.lit(NORMAL)))
    return nw.when(~absolute_m3_min.is_null()).then(level)


def g07(inputs: Inputs) -> nw.LazyFrame:
    """Gas emission by working area and minute, and of the mine's working areas together."""
    rows = inputs.paths
    q, back, into = nw.col("q_m3_s"), nw.col("ch4_return"), nw.col("ch4_intake")
    drained = nw.col("drained_ch4_m3_min").fill_null(0.0)
    rows = _with_class(inputs, rows, nw.col("area_kind"))
    carried = ventilation_emission_m3_min(q, back, into)
    rows = rows.with_columns(
        rounded(absolute_emission_m3_min(q, back, into, drained)).alias("_emission"),
        nw.min_horizontal("q_coverage", "ch4_coverage").alias("_coverage"),
        nw.when((carried < 0).fill_null(False)).then(nw.lit("INTAKE_ABOVE_RETURN")).alias("_note"),
        nw.col("area_id").alias("entity"),
        nw.lit(None, dtype=nw.String).alias("point_id"),
        missing_in_path("ch4").alias("_reason"),
    )
    emission, output = nw.col("_emission"), nw.col("output_t_per_day")
    places = _emission_rows(
        rows,
        {
            "q_m3_s": number(q, 3),
            "return_pct": number(back, 3),
            "intake_pct": number(into, 3),
            "intake_measured": nw.when(nw.col("has_ch4_intake")).then(nw.lit("true")).otherwise(nw.lit("false")),
            "lag_min": number(nw.col("lag_min"), 0),
            "drained_m3_min": number(drained, 3),
            "relative_m3_t": number(relative_emission_m3_t(emission, output), 2),
            "output_t_per_day": number(output, 0),
            "note": quoted(nw.col("_note")),
        },
    )
    names = inputs.mines.select("mine_code", nw.col("name_zh").alias("place_zh"), nw.col("mine_code").alias("place_en"))
    known = ~emission.is_null()
    mine = rows.group_by("mine_code", "window_start").agg(
        rounded(emission.sum()).alias("_emission"),
        nw.when(known).then(nw.col("_coverage")).otherwise(nw.lit(0.0)).mean().alias("_coverage"),
        known.cast(nw.Int64).sum().alias("_known"),
        output.fill_null(0.0).sum().alias("_output"),
    )
    mine = mine.join(names, on="mine_code", how="left").with_columns(
        nw.when(nw.col("_known") > 0).then(emission).alias("_emission"),
        nw.col("mine_code").alias("area_id"),
        nw.col("mine_code").alias("entity"),
        nw.lit(None, dtype=nw.String).alias("point_id"),
        nw.lit("NO_AIR_QUANTITY").alias("_reason"),
    )
    whole = _emission_rows(
        _with_class(inputs, mine, MINE),
        {
            "areas": number(nw.col("_known"), 0),
            "relative_m3_t": number(relative_emission_m3_t(emission, nw.col("_output")), 2),
            "output_t_per_day": number(nw.col("_output"), 0),
        },
    )
    return nw.concat([places, whole], how="vertical")


def _with_class(inputs: Inputs, rows: nw.LazyFrame, scope: nw.Expr | str) -> nw.LazyFrame:
    """Adds `_class`, the value [m³/min] over which a place makes its mine a high-gas one, null where there is none;
    and `_near`, the share of it from which the place is near it."""
    for of, name, step in ((scope, "_class", "yellow"), ("near_class", "_near", "blue")):
        rows = steps(inputs, rows, G_07.id, of).with_columns(
            nw.col(step).alias(name),
            nw.col("limit_source").alias(f"{name}_source"),
            nw.col("limit_confidence").alias(f"{name}_confidence"),
        )
        rows = rows.drop(*NAMES, "limit_source", "limit_confidence")
    return rows


def _emission_rows(rows: nw.LazyFrame, inputs: dict[str, nw.Expr]) -> nw.LazyFrame:
    emission, class_value = nw.col("_emission"), nw.col("_class")
    over = (emission > class_value).fill_null(False)
    amount = number(class_value, 0)
    more_zh = (
        nw.when(over)
        .then(nw.concat_str(nw.lit("，超过高瓦斯等级值 "), amount, nw.lit(" m³/min")))
        .otherwise(nw.lit(""))
    )
    more_en = (
        nw.when(over)
        .then(nw.concat_str(nw.lit(", over the high-gas class value "), amount, nw.lit(" m³/min")))
        .otherwise(nw.lit(""))
    )
    return index_rows(
        rows,
        G_07,
        value=emission,
        level=emission_level(emission, class_value, nw.col("_near")),
        coverage=nw.col("_coverage"),
        reason=nw.col("_reason"),
        limit_source=nw.when(over).then(nw.col("_class_source")).otherwise(nw.col("_near_source")),
        limit_confidence=nw.when(over).then(nw.col("_class_confidence")).otherwise(nw.col("_near_confidence")),
        inputs=inputs,
        finding_zh=nw.concat_str(nw.lit("绝对瓦斯涌出量 "), number(emission), nw.lit(" m³/min"), more_zh),
        finding_en=nw.concat_str(nw.lit("gas emission "), number(emission), nw.lit(" m³/min"), more_en),
    )
