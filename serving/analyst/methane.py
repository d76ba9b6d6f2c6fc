"""Methane and monitoring statistics: over-limit list and durations, daily analogue and switch reports, and what the
mine's own system reports: power cuts, feed abnormal, faults, calibrations.

The forms follow what a monitoring system has to print by day and shift (AQ 6201): mean, highest with its instant,
times and durations of alarm, power cut and feed abnormal; changes of switches. The standard's own tables were not
read again: convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from minefusion.schemas import gold, silver
from minefusion.schemas.exchange.grammar import dictionary
from minefusion.schemas.table import Column
from minefusion.serving.analyst.mine_clock import Span
from minefusion.serving.analyst.view import (
    AREA,
    AREA_NAMES,
    LOCATION,
    POINT,
    SENTENCES,
    Asked,
    Source,
    View,
    seconds,
    with_area,
)
from minefusion.serving.report.charts import STATES
from minefusion.serving.report.facts import LONGEST_ALARM
from minefusion.serving.text import Text

INDEX, REPORTED = "G-01", "YCBJ-001"
# Kinds of abnormality that the mine's own system reports of a point.
OVER_LIMIT, CUT, FEED, CALIBRATION = "001", "002", "003", "007"
FAULTS = ("004", "005", "006")
# A state holds until the next sample, but no longer than so many periods.
HOLDS_PERIODS = 3
# Readings are looked at one by one; a longer span is asked for in parts, or by SQL.
LONGEST_OF_READINGS = timedelta(days=8)
_UTC = pl.Datetime("us", "UTC")


def usable() -> pl.Expr:
    """Passed the sample gate; over range counts, as at least the end of the range."""
    is_over_range = (pl.col("quality") == "SUSPECT") & pl.col("quality_reasons").fill_null("").str.contains("SATURATED")
    return pl.col("value").is_not_null() & ((pl.col("quality") == "GOOD") | is_over_range)


# ── over the limit ──────────────────────────────────────────────────────────────────────────────────────────────────


def over_limits(
    alarms: pl.DataFrame, points: pl.DataFrame, causes: pl.DataFrame, begin: datetime, end: datetime
) -> pl.DataFrame:
    """One row per methane episode that touches [begin, end): by our index, and as the mine itself reports it.

    `duration_s`: of the whole episode, until `end` where it still goes on; `within_s`: of what lies in the span.
    """
    methane = points.filter(pl.col("quantity") == "ch4").select("point_id", "location", "alarm", "cut")
    first = causes.filter(pl.col("rank") == 1).select(
        "alarm_id", "cause", cause_score="score", cause_zh="sentence_zh", cause_en="sentence_en"
    )
    begin_at, end_at = pl.lit(begin, _UTC), pl.lit(end, _UTC)
    until = pl.min_horizontal(pl.col("cleared_at").fill_null(end_at), end_at)
    return (
        alarms.filter(pl.col("kind").is_in([INDEX, REPORTED]), pl.col("raised_at") < end)
        .filter(pl.col("cleared_at").is_null() | (pl.col("cleared_at") > begin))
        .join(methane, on="point_id", how="inner")
        .join(first, on="alarm_id", how="left")
        .with_columns(
            told_by=pl.when(pl.col("kind") == INDEX).then(pl.lit("index")).otherwise(pl.lit("mine")),
            is_open=pl.col("cleared_at").is_null() | (pl.col("cleared_at") > end),
            duration_s=seconds(pl.col("raised_at"), pl.col("cleared_at").fill_null(end_at)),
            within_s=seconds(pl.max_horizontal("raised_at", begin_at), until),
            is_cut=pl.col("peak_value") >= pl.col("cut"),
        )
        .sort("raised_at", "point_id", "kind", "alarm_id")
    )


def durations(over: pl.DataFrame, begin: datetime, end: datetime) -> pl.DataFrame:
    """Per point, of its episodes by our index: how many, how long together, the longest, the worst.

    Time that two episodes share counts once.
    """
    begin_at, end_at = pl.lit(begin, _UTC), pl.lit(end, _UTC)
    spans = (
        over.filter(pl.col("told_by") == "index")
        .with_columns(
            start=pl.max_horizontal("raised_at", begin_at),
            stop=pl.min_horizontal(pl.col("cleared_at").fill_null(end_at), end_at),
        )
        .sort("point_id", "start", "stop")
    )
    covered = pl.col("stop").cum_max().shift(1).over("point_id")
    added = seconds(pl.max_horizontal("start", covered), pl.col("stop"))
    worst = pl.col("peak_value").arg_max()
    return (
        spans.with_columns(added_s=added)
        .group_by("point_id", maintain_order=True)
        .agg(
            pl.col("area_id").first(),
            pl.col("location").first(),
            pl.col("alarm").first(),
            pl.col("cut").first(),
            episodes=pl.len(),
            over_s=pl.col("added_s").sum(),
            longest_s=pl.col("within_s").max(),
            peak_value=pl.col("peak_value").max(),
            peak_at=pl.col("peak_at").get(worst, null_on_oob=True),
            integral=pl.col("integral").sum(),
            cuts=pl.col("is_cut").sum(),
            still_open=pl.col("is_open").any(),
        )
        .sort("over_s", "point_id", descending=[True, False])
    )


# ── by day ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def analogue_days(
    readings: pl.DataFrame, points: pl.DataFrame, reported: pl.DataFrame, days: Sequence[Span], end: datetime
) -> pl.DataFrame:
    """One row per analogue point and day that has samples: extremes with their instants, mean, and how often and how
    long the mine's system reported alarm, power cut and feed abnormal.

    Args:
        days: parts of the span asked for; an abnormality counts in each day it touches, with the time inside it.
        end: what is still open lasts until then.
    """
    analogue = points.filter(pl.col("value_kind") == "MN").select(
        "point_id", "area_id", "location", "quantity", "unit", "period_s", "alarm", "cut"
    )
    counted = usable()
    value, at = pl.col("value"), pl.col("observed_at")
    by_day = (
        _by_span(readings.select("point_id", "observed_at", "value", "quality", "quality_reasons"), "observed_at", days)
        .sort("point_id", "observed_at")
        .group_by("day", "day_begin", "day_end", "point_id")
        .agg(
            samples=pl.len(),
            usable=counted.sum(),
            value_min=value.filter(counted).min(),
            value_min_at=at.filter(counted).get(value.filter(counted).arg_min(), null_on_oob=True),
            value_max=value.filter(counted).max(),
            value_max_at=at.filter(counted).get(value.filter(counted).arg_max(), null_on_oob=True),
            value_mean=value.filter(counted).mean(),
        )
    )
    told = {"alarm": (OVER_LIMIT,), "cut": (CUT,), "feed": (FEED,), "calibration": (CALIBRATION,), "fault": FAULTS}
    rows = by_day.join(analogue, on="point_id", how="inner")
    for name, types in told.items():
        rows = rows.join(_reported_by_day(reported, types, days, end, name), on=["day", "point_id"], how="left")
    length_s = (pl.col("day_end") - pl.col("day_begin")).dt.total_microseconds() / 1e6
    return rows.with_columns(
        expected=(length_s / pl.col("period_s")).round().cast(pl.Int64),
        **{f"{name}_times": pl.col(f"{name}_times").fill_null(0) for name in told},
        **{f"{name}_s": pl.col(f"{name}_s").fill_null(0.0) for name in told},
    ).sort("day", "area_id", "point_id")


def _by_span(rows: pl.DataFrame, time: str, spans: Sequence[Span]) -> pl.DataFrame:
    """Rows with the span in which their time lies; what lies in none is left out. Spans follow each other."""
    frame = _span_frame(spans)
    joined = rows.sort(time).join_asof(frame, left_on=time, right_on="day_begin", strategy="backward")
    return joined.filter(pl.col(time) < pl.col("day_end"))


def _span_frame(spans: Sequence[Span]) -> pl.DataFrame:
    return pl.DataFrame(
        [(each.name.zh, each.begin, each.end) for each in spans],
        schema={"day": pl.String, "day_begin": _UTC, "day_end": _UTC},
        orient="row",
    ).sort("day_begin")


def _reported_by_day(
    reported: pl.DataFrame, types: Sequence[str], days: Sequence[Span], end: datetime, name: str
) -> pl.DataFrame:
    """By point and day: abnormalities of those types that touch it, and their time inside it."""
    until = pl.min_horizontal(pl.col("ended_at").fill_null(pl.lit(end, _UTC)), pl.lit(end, _UTC))
    spans = reported.filter(pl.col("kind") == "YCBJ", pl.col("abnormal_type").is_in(types), pl.col("began_at") < end)
    inside = spans.select("point_id", "began_at", until=until).join(_span_frame(days), how="cross")
    touches = (pl.col("began_at") < pl.col("day_end")) & (
        (pl.col("until") > pl.col("day_begin")) | (pl.col("began_at") >= pl.col("day_begin"))
    )
    part = seconds(pl.max_horizontal("began_at", "day_begin"), pl.min_horizontal("until", "day_end"))
    return (
        inside.filter(touches)
        .group_by("day", "point_id")
        .agg(pl.len().alias(f"{name}_times"), part.sum().alias(f"{name}_s"))
    )


# ── switches ────────────────────────────────────────────────────────────────────────────────────────────────────────


def switch_states(readings: pl.DataFrame, points: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """Stretches of one state per switch, in order: from its first sample until the next state, or until nothing was
    heard for HOLDS_PERIODS.

    `was`: the state before; null at the begin and after a silence. `is_change`: it differs from the one before.
    """
    switches = points.filter(pl.col("value_kind") == "KG").select(
        "point_id", "area_id", "location", "quantity", "period_s", "on_desc", "off_desc"
    )
    holds = pl.duration(microseconds=pl.col("period_s") * HOLDS_PERIODS * 1_000_000)
    samples = (
        readings.filter(usable())
        .select("point_id", "observed_at", "value")
        .join(switches, on="point_id", how="inner")
        .sort("point_id", "observed_at")
    )
    before = pl.col("observed_at").shift(1).over("point_id")
    is_silent = (pl.col("observed_at") - before > holds).fill_null(True)
    following = pl.col("observed_at").shift(-1).over("point_id").fill_null(pl.lit(end, _UTC))
    marked = samples.with_columns(
        is_silent=is_silent,
        is_new=is_silent | (pl.col("value") != pl.col("value").shift(1).over("point_id")),
        until=pl.min_horizontal(following, pl.col("observed_at") + holds, pl.lit(end, _UTC)),
    ).with_columns(run=pl.col("is_new").cast(pl.Int64).cum_sum().over("point_id"))
    runs = marked.group_by("point_id", "run", maintain_order=True).agg(
        *(pl.col(name).first() for name in ("area_id", "location", "quantity", "on_desc", "off_desc", "is_silent")),
        began_at=pl.col("observed_at").first(),
        until=pl.col("until").last(),
        state=pl.col("value").first().cast(pl.Int32),
        samples=pl.len(),
    )
    was = pl.when(~pl.col("is_silent")).then(pl.col("state").shift(1).over("point_id"))
    return (
        runs.with_columns(was=was, seconds=seconds(pl.col("began_at"), pl.col("until")))
        .with_columns(
            is_change=pl.col("was").is_not_null(),
            state_zh=_in_words("zh"),
            state_en=_in_words("en"),
        )
        .sort("began_at", "point_id")
    )


def _in_words(lang: str) -> pl.Expr:
    """What a state is called: as the mine says, else as its kind of switch has it."""
    is_on = pl.col("state") == 1
    usual = pl.lit(None, pl.String)
    for quantity, (on, off) in STATES.items():
        words = pl.when(is_on).then(pl.lit(getattr(on, lang))).otherwise(pl.lit(getattr(off, lang)))
        usual = pl.when(pl.col("quantity") == quantity).then(words).otherwise(usual)
    told = pl.when(is_on).then("on_desc").otherwise("off_desc")
    number = pl.col("state").cast(pl.String)
    return pl.coalesce(told, usual, number) if lang == "zh" else pl.coalesce(usual, told, number)


def switch_days(states: pl.DataFrame, days: Sequence[Span]) -> pl.DataFrame:
    """One row per switch and day: changes, time in 1, in 0 and in nothing known [s]."""
    parts = (
        states.join(_span_frame(days), how="cross")
        .filter(pl.col("began_at") < pl.col("day_end"), pl.col("until") > pl.col("day_begin"))
        .with_columns(
            inside_s=seconds(pl.max_horizontal("began_at", "day_begin"), pl.min_horizontal("until", "day_end")),
            changed=pl.col("is_change") & (pl.col("began_at") >= pl.col("day_begin")),
        )
        .sort("began_at", "point_id")
    )
    return (
        parts.group_by("day", "day_begin", "day_end", "point_id", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in ("area_id", "location", "quantity")),
            changes=pl.col("changed").sum(),
            on_s=pl.col("inside_s").filter(pl.col("state") == 1).sum(),
            off_s=pl.col("inside_s").filter(pl.col("state") != 1).sum(),
            last_state=pl.col("state").last(),
        )
        .with_columns(unknown_s=seconds(pl.col("day_begin"), pl.col("day_end")) - pl.col("on_s") - pl.col("off_s"))
        .sort("day", "area_id", "point_id")
    )


# ── as the mine's own system reports ────────────────────────────────────────────────────────────────────────────────


def reported_of(
    reported: pl.DataFrame, points: pl.DataFrame, types: Sequence[str], begin: datetime, end: datetime
) -> pl.DataFrame:
    """Abnormalities of those types that touch [begin, end), in order of their begin."""
    names = dictionary("abnormal_type")
    told = pl.DataFrame(
        [(code, names[code].zh, names[code].en) for code in types],
        schema=["abnormal_type", "type_zh", "type_en"],
        orient="row",
    )
    end_at = pl.lit(end, _UTC)
    until = pl.min_horizontal(pl.col("ended_at").fill_null(end_at), end_at)
    return (
        reported.filter(pl.col("kind") == "YCBJ", pl.col("began_at") < end)
        .filter(pl.col("ended_at").is_null() | (pl.col("ended_at") > begin) | (pl.col("began_at") >= begin))
        .join(told, on="abnormal_type", how="inner")
        .join(points.select("point_id", "location", "quantity"), on="point_id", how="left")
        .with_columns(
            is_open=pl.col("ended_at").is_null() | (pl.col("ended_at") > end),
            duration_s=seconds(pl.col("began_at"), pl.col("ended_at").fill_null(end_at)),
            within_s=seconds(pl.max_horizontal("began_at", pl.lit(begin, _UTC)), until),
        )
        .sort("began_at", "point_id", "abnormal_type")
    )


# ── the views ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _over(source: Source, asked: Asked) -> pl.DataFrame:
    earliest = asked.begin - LONGEST_ALARM
    rows = over_limits(
        source.frame(gold.ALARM, earliest, asked.end),
        source.points(),
        source.frame(gold.ALARM_CAUSE, earliest, asked.end),
        asked.begin,
        asked.end,
    )
    return with_area(rows, source.areas())


def _durations(source: Source, asked: Asked) -> pl.DataFrame:
    return with_area(durations(_over(source, asked), asked.begin, asked.end), source.areas())


def _reported(source: Source, asked: Asked) -> pl.DataFrame:
    return source.frame(silver.REPORTED_ABNORMALITY, asked.begin - LONGEST_ALARM, asked.end)


def _days(source: Source, asked: Asked) -> list[Span]:
    """Days of the mine's clock, cut to the span."""
    days = source.clock.days(asked.begin, asked.end)
    return [Span(max(each.begin, asked.begin), min(each.end, asked.end), each.name) for each in days]


def _analogue(source: Source, asked: Asked) -> pl.DataFrame:
    rows = analogue_days(
        _readings(source, asked, "MN"),
        source.points(),
        _reported(source, asked),
        _days(source, asked),
        asked.end,
    )
    return with_area(rows, source.areas())


def _readings(source: Source, asked: Asked, value_kind: str) -> pl.DataFrame:
    """Readings of that kind of point, with what the reports look at."""
    points = source.points().filter(pl.col("value_kind") == value_kind)
    fixed = [pl.col(name) == it for name, it in asked.only.items() if name in ("point_id", "quantity")]
    wanted = points.filter(*fixed)["point_id"] if fixed else points["point_id"]
    rows = source.lazy(silver.READING, asked.begin, asked.end, pl.col("point_id").is_in(wanted.implode()))
    return rows.select("point_id", "observed_at", "value", "quality", "quality_reasons").collect()


def _states(source: Source, asked: Asked) -> pl.DataFrame:
    return with_area(switch_states(_readings(source, asked, "KG"), source.points(), asked.end), source.areas())


def _switch_days(source: Source, asked: Asked) -> pl.DataFrame:
    states = _states(source, asked).drop("area_zh", "area_en")
    return with_area(switch_days(states, _days(source, asked)), source.areas())


def _reported_view(path: str, text: Text, types: tuple[str, ...]) -> View:
    def rows(source: Source, asked: Asked) -> pl.DataFrame:
        found = reported_of(_reported(source, asked), source.points(), types, asked.begin, asked.end)
        return with_area(found, source.areas())

    about = Text("矿方监控系统上报，与时段有交集的", "as the mine's own system reports, of what touches the span")
    return View(path, text, about, _REPORTED, rows, ("area_id", "point_id", "abnormal_type"))


def _s(name: str, doc: str, zh: str) -> Column:
    return Column(name, "double", doc, zh, unit="s")


_ALARM_LIMIT = Column("alarm", "double", "Alarm limit that holds.", "报警值")
_CUT_LIMIT = Column("cut", "double", "Power-cut limit that holds.", "断电值")
_QUANTITY = Column("quantity", "string", "Quantity.", "测量量")
_UNIT = Column("unit", "string", "Unit.", "单位")
_DAY = Column("day", "string", "Day on the mine's clock.", "日期")
_REPORTED = (
    POINT, LOCATION, AREA, *AREA_NAMES, _QUANTITY,
    Column("abnormal_type", "string", "Code of the type.", "类型编码"),
    Column("type_zh", "string", "Type in Chinese.", "类型"),
    Column("type_en", "string", "Type in English.", "类型（英文）"),
    Column("began_at", "timestamp", "Begin.", "开始时间"),
    Column("ended_at", "timestamp", "End; null while open.", "结束时间"),
    Column("is_open", "boolean", "It goes on at the end of the span.", "是否未结束"),
    _s("duration_s", "Of the whole; until the end of the span where it goes on.", "历时"),
    _s("within_s", "Of what lies in the span.", "时段内历时"),
    Column("max_value", "double", "Highest value.", "最大值"),
    Column("max_at", "timestamp", "When it was highest.", "最大值时刻"),
    Column("min_value", "double", "Lowest value.", "最小值"),
    Column("mean_value", "double", "Mean value.", "平均值"),
    _UNIT,
    Column("cause", "string", "Cause as entered.", "异常原因"),
    Column("measure", "string", "Measure as entered.", "处理措施"),
)  # fmt: skip
_COUNTED = (("alarm", "报警"), ("cut", "断电"), ("feed", "馈电异常"), ("calibration", "标校"), ("fault", "故障"))

VIEWS = (
    View(
        "methane/over-limit",
        Text("超限清单", "Over-limit list"),
        Text(
            "甲烷超限过程：平台指标 G-01 与矿方上报 YCBJ-001，与时段有交集的",
            "methane episodes that touch the span: by index G-01, and as the mine reports (YCBJ-001)",
        ),
        (
            Column("alarm_id", "string", "Episode.", "报警标识"),
            Column("told_by", "string", "index or mine.", "来源"),
            POINT, LOCATION, AREA, *AREA_NAMES,
            Column("raised_at", "timestamp", "First sample over the limit.", "开始时间"),
            Column("cleared_at", "timestamp", "End; null while open.", "结束时间"),
            Column("is_open", "boolean", "It goes on at the end of the span.", "是否未结束"),
            _s("duration_s", "Of the whole; until the end of the span where it goes on.", "历时"),
            _s("within_s", "Of what lies in the span.", "时段内历时"),
            Column("peak_value", "double", "Highest value.", "峰值"),
            Column("peak_at", "timestamp", "When it was highest.", "峰值时刻"),
            _UNIT,
            Column("integral", "double", "Area over the limit.", "超限积分", unit="%·min"),
            _ALARM_LIMIT, _CUT_LIMIT,
            Column("is_cut", "boolean", "The power-cut limit was reached.", "是否达断电值"),
            Column("legal_exceeded", "boolean", "The legal limit was reached.", "是否超法定限值"),
            Column("people_in_area", "int", "People in the area when it was raised.", "区域人数"),
            Column("cause", "string", "Likeliest cause.", "可能原因"),
            Column("cause_score", "double", "How well it is supported.", "原因得分"),
            Column("cause_zh", "string", "The cause in Chinese.", "原因说明"),
            Column("cause_en", "string", "The cause in English.", "原因说明（英文）"),
            Column("marks", "string", "SATURATED, NO_DATA ….", "标记"),
            *SENTENCES,
        ),
        _over,
        narrows=("area_id", "point_id", "told_by"),
    ),
    View(
        "methane/durations",
        Text("超限统计", "Time over the limit"),
        Text(
            "按测点合计平台指标 G-01 的超限过程；同时段只计一次",
            "episodes of index G-01 by point; time that two share counts once",
        ),
        (
            POINT, LOCATION, AREA, *AREA_NAMES, _ALARM_LIMIT, _CUT_LIMIT,
            Column("episodes", "int", "Episodes that touch the span.", "超限次数"),
            _s("over_s", "Over the limit inside the span.", "累计超限"),
            _s("longest_s", "Longest episode inside the span.", "最长一次"),
            Column("peak_value", "double", "Highest value of these episodes.", "峰值"),
            Column("peak_at", "timestamp", "When it was highest.", "峰值时刻"),
            Column("integral", "double", "Areas over the limit together.", "超限积分", unit="%·min"),
            Column("cuts", "int", "Episodes that reached the power-cut limit.", "达断电值次数"),
            Column("still_open", "boolean", "One of them goes on at the end of the span.", "是否未结束"),
        ),
        _durations,
        narrows=("area_id", "point_id"),
    ),
    View(
        "methane/analogue-days",
        Text("模拟量日报", "Daily analogue report"),
        Text(
            "按矿区时钟分日；极值与平均只取可用读数，超量程按不低于量程上限计；报警、断电、馈电异常按矿方上报",
            "by day of the mine's clock; extremes and mean of usable readings, over range as at least the end of the "
            "range; alarms, cuts and feed abnormal as the mine reports",
        ),
        (
            _DAY, POINT, LOCATION, AREA, *AREA_NAMES, _QUANTITY, _UNIT, _ALARM_LIMIT, _CUT_LIMIT,
            Column("expected", "long", "Samples expected from the period.", "应到数"),
            Column("samples", "long", "Samples that came.", "实到数"),
            Column("usable", "long", "Of these usable.", "可用数"),
            Column("value_min", "double", "Lowest.", "最小值"),
            Column("value_min_at", "timestamp", "When, the first time.", "最小值时刻"),
            Column("value_max", "double", "Highest.", "最大值"),
            Column("value_max_at", "timestamp", "When, the first time.", "最大值时刻"),
            Column("value_mean", "double", "Mean of the usable readings.", "平均值"),
            *(
                column
                for name, zh in _COUNTED
                for column in (
                    Column(f"{name}_times", "long", f"Reports of {name} that touch the day.", f"{zh}次数"),
                    _s(f"{name}_s", f"Time of {name} inside the day.", f"{zh}累计"),
                )
            ),
        ),
        _analogue,
        narrows=("area_id", "point_id", "quantity"),
        longest=LONGEST_OF_READINGS,
    ),
    View(
        "methane/switch-days",
        Text("开关量日报", "Daily switch report"),
        Text(
            "按矿区时钟分日；状态保持到下一读数，超过三个周期无读数为未知",
            "by day of the mine's clock; a state holds until the next sample, unknown after three periods of silence",
        ),
        (
            _DAY, POINT, LOCATION, AREA, *AREA_NAMES, _QUANTITY,
            Column("changes", "long", "Changes of state.", "变动次数"),
            _s("on_s", "In state 1.", "状态1累计"),
            _s("off_s", "In state 0.", "状态0累计"),
            _s("unknown_s", "Nothing known.", "未知累计"),
            Column("last_state", "int", "Last state of the day.", "最后状态"),
        ),
        _switch_days,
        narrows=("area_id", "point_id", "quantity"),
        longest=LONGEST_OF_READINGS,
    ),
    View(
        "methane/switch-states",
        Text("开关量变动", "Switch states"),
        Text("每段一行；“原状态”为空的是时段之初或中断之后", "a row per stretch; no state before it: begin or silence"),
        (
            POINT, LOCATION, AREA, *AREA_NAMES, _QUANTITY,
            Column("began_at", "timestamp", "First sample in this state.", "开始时间"),
            Column("until", "timestamp", "Until when it is known to have held.", "止于"),
            _s("seconds", "From one to the other.", "历时"),
            Column("state", "int", "State.", "状态"),
            Column("state_zh", "string", "State in Chinese.", "状态说明"),
            Column("state_en", "string", "State in English.", "状态说明（英文）"),
            Column("was", "int", "State before; null at the begin and after a silence.", "原状态"),
            Column("is_change", "boolean", "The state changed here.", "是否变动"),
        ),
        _states,
        narrows=("area_id", "point_id", "quantity", "is_change"),
        longest=LONGEST_OF_READINGS,
    ),
    _reported_view("methane/cut-and-feed", Text("断电与馈电异常", "Power cuts, feed abnormal"), (CUT, FEED)),
    _reported_view("methane/faults", Text("设备故障", "Faults"), FAULTS),
    _reported_view("methane/calibrations", Text("标校", "Calibrations"), (CALIBRATION,)),
)  # fmt: skip
