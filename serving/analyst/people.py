"""People: head counts by shift and by hour, time underground, and where one card was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import polars as pl

from minefusion.schemas import silver
from minefusion.schemas.errors import InputError
from minefusion.schemas.limits import limit
from minefusion.schemas.table import Column
from minefusion.serving.analyst.mine_clock import Span
from minefusion.serving.analyst.view import AREA, AREA_NAMES, Asked, Source, View, seconds, with_area
from minefusion.serving.report.charts import LONGEST_COUNT_S
from minefusion.serving.text import Text

# Nobody stays underground longer than this without a new entry; positions are looked at so far back.
LONGEST_STAY = timedelta(days=2)
# A card that was not heard of for so long is nowhere that is known.
LOST_S = 300
WARNING_RULE, ALARM_RULE = "PER-020", "PER-021"
_UTC = pl.Datetime("us", "UTC")


def counts_by_span(headcount: pl.DataFrame, areas: pl.DataFrame, spans: Sequence[Span]) -> pl.DataFrame:
    """One row per area and span that has snapshots: most, least and mean people, time over the cap, time without a
    leader.

    A snapshot holds until the next, no longer than three minutes (LONGEST_COUNT_S) and not beyond its span; the mean is
    weighted by that time.
    """
    frame = pl.DataFrame(
        [(each.begin, each.end, each.name.zh, each.name.en) for each in spans],
        schema={"begin": _UTC, "end": _UTC, "span_zh": pl.String, "span_en": pl.String},
        orient="row",
    )
    inside = headcount.join_where(
        frame, pl.col("observed_at") >= pl.col("begin"), pl.col("observed_at") < pl.col("end")
    )
    following = pl.col("observed_at").shift(-1).over("begin", "area_id")
    longest = pl.col("observed_at") + pl.duration(seconds=LONGEST_COUNT_S)
    held = (
        inside.join(areas.select("area_id", "cap"), on="area_id", how="left")
        .sort("begin", "area_id", "observed_at")
        .with_columns(held_s=seconds(pl.col("observed_at"), pl.min_horizontal(following, longest, "end")))
    )
    count, held_s = pl.col("people_count"), pl.col("held_s")
    return (
        held.group_by("begin", "end", "span_zh", "span_en", "area_id", maintain_order=True)
        .agg(
            snapshots=pl.len(),
            most=count.max(),
            most_at=pl.col("observed_at").get(count.arg_max(), null_on_oob=True),
            least=count.min(),
            mean=(count * held_s).sum() / held_s.sum(),
            cap=pl.col("cap").first(),
            known_s=held_s.sum(),
            over_cap_s=held_s.filter(count > pl.col("cap")).sum(),
            no_leader_s=held_s.filter((count > 0) & (pl.col("leaders_count") == 0)).sum(),
        )
        .sort("begin", "area_id")
    )


def stays(
    positions: pl.DataFrame, persons: pl.DataFrame, begin: datetime, end: datetime, alarm_h: float, warning_h: float
) -> pl.DataFrame:
    """One row per card and entry that touches [begin, end): how long the person was underground, the longest first.

    `last_at`: when the person had left, else the last time the card was heard. `hours` goes from the entry to there;
    null where the system told no entry.
    """
    flag, at = pl.col("in_out_flag"), pl.col("observed_at")
    return (
        positions.sort("card_code", "observed_at")
        .group_by("card_code", "entered_mine_at", maintain_order=True)
        .agg(
            first_at=at.min(),
            last_at=at.max(),
            was_below=(flag == 1).any(),
            is_below=flag.last() == 1,
            area_id=pl.col("area_id").filter(flag == 1).last(),
            snapshots=pl.len(),
        )
        .filter("was_below", pl.col("last_at") >= begin, pl.col("first_at") < end)
        .join(persons.select("card_code", "name", "work_type", "duty", "department"), on="card_code", how="left")
        .with_columns(hours=seconds(pl.col("entered_mine_at"), pl.col("last_at")) / 3600)
        .with_columns(hours=pl.when(pl.col("entered_mine_at").is_not_null()).then("hours"))
        .with_columns(
            limit_h=pl.lit(alarm_h),
            is_over=pl.col("hours") >= alarm_h,
            is_warned=pl.col("hours") >= warning_h,
        )
        .sort("hours", "card_code", "entered_mine_at", descending=[True, False, False], nulls_last=True)
    )


def trajectory(positions: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """One card's positions in order, each with how long it held: until the next, no longer than LOST_S."""
    following = pl.col("observed_at").shift(-1).fill_null(pl.lit(end, _UTC))
    longest = pl.col("observed_at") + pl.duration(seconds=LOST_S)
    return positions.sort("observed_at").with_columns(until=pl.min_horizontal(following, longest, pl.lit(end, _UTC)))


# ── the views ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _areas(source: Source) -> pl.DataFrame:
    """Areas, and the mine as a whole under its own code."""
    whole = pl.DataFrame({"area_id": [source.mine], "name_zh": ["全矿"], "name_en": ["whole mine"]})
    return pl.concat([source.areas(), whole], how="diagonal_relaxed").unique(
        "area_id", keep="first", maintain_order=True
    )


def _counts(spans: Callable[[Source, Asked], Sequence[Span]]) -> Callable[[Source, Asked], pl.DataFrame]:
    def rows(source: Source, asked: Asked) -> pl.DataFrame:
        areas = _areas(source)
        headcount = source.frame(silver.HEADCOUNT, asked.begin, asked.end)
        return with_area(counts_by_span(headcount, areas, spans(source, asked)), areas)

    return rows


def _hours(source: Source, asked: Asked) -> list[Span]:
    clock, hour = source.clock, timedelta(hours=1)
    first = clock.local(asked.begin).replace(minute=0, second=0, microsecond=0)
    count = -((first - asked.end) // hour)
    starts = [first + number * hour for number in range(count)]
    return [Span(each, each + hour, Text(f"{each:%m-%d %H:%M}", f"{each:%m-%d %H:%M}")) for each in starts]


def _hours_of(rule: str) -> float:
    hours = limit(rule).alarm
    if hours is None:
        raise InputError(f"expected hours as the alarm of rule {rule} in limits.csv, got none; give them there")
    return hours


def _stays(source: Source, asked: Asked) -> pl.DataFrame:
    approved = source.approved_hours
    alarm_h = approved if approved is not None else _hours_of(ALARM_RULE)
    rows = stays(
        source.frame(silver.POSITION, asked.begin - LONGEST_STAY, asked.end),
        source.frame(silver.PERSON),
        asked.begin,
        asked.end,
        alarm_h,
        min(alarm_h, _hours_of(WARNING_RULE)),
    )
    named = rows.with_columns(
        person_hash=pl.Series([source.hash_of(each) for each in rows["card_code"]], dtype=pl.String),
        name=pl.Series([source.shown_name(each) for each in rows["name"]], dtype=pl.String),
    )
    return with_area(named, source.areas())


def _trajectory(source: Source, asked: Asked) -> pl.DataFrame:
    rows = source.frame(silver.POSITION, asked.begin, asked.end, pl.col("card_code") == source.card)
    held = trajectory(rows, asked.end)
    return with_area(held, source.areas())


_HASH = Column("person_hash", "string", "Keyed hash of the card.", "人员卡散列")
_SPAN = (
    Column("begin", "timestamp", "Begin.", "开始"),
    Column("end", "timestamp", "End.", "结束"),
    Column("span_zh", "string", "Name in Chinese.", "时段"),
    Column("span_en", "string", "Name in English.", "时段（英文）"),
)
_COUNTS = (
    *_SPAN, AREA, *AREA_NAMES,
    Column("snapshots", "long", "Snapshots.", "快照数"),
    Column("most", "int", "Most people.", "最多人数"),
    Column("most_at", "timestamp", "When, the first time.", "最多时刻"),
    Column("least", "int", "Fewest people.", "最少人数"),
    Column("mean", "double", "Mean, weighted by time.", "平均人数"),
    Column("cap", "int", "Cap; null where none.", "核定人数"),
    Column("known_s", "double", "Time that snapshots cover.", "有数据时长", unit="s"),
    Column("over_cap_s", "double", "Of it over the cap.", "超员时长", unit="s"),
    Column("no_leader_s", "double", "Of it with people and without a leader.", "无带班领导时长", unit="s"),
)  # fmt: skip

VIEWS = (
    View(
        "people/shifts",
        Text("班次人数", "Head count by shift"),
        Text(
            "班次按煤矿站点文件，没有的按日；快照保持到下一快照，至多三分钟",
            "shifts as the site file declares, else days; a snapshot holds until the next, three minutes at most",
        ),
        _COUNTS,
        _counts(lambda source, asked: list(source.clock.shifts_in(asked.begin, asked.end))),
        narrows=("area_id",),
    ),
    View(
        "people/hours",
        Text("区域 × 小时人数", "Head count by area and hour"),
        Text("每小时最多、最少、平均人数与超员时长", "most, fewest and mean people by hour, and time over the cap"),
        _COUNTS,
        _counts(_hours),
        narrows=("area_id",),
    ),
    View(
        "people/time-underground",
        Text("入井时长与超时（受限）", "Time underground (restricted)"),
        Text(
            "每卡每次入井一行；限值取矿方核定时长，未设时 14 小时报警、12 小时预警（惯例）",
            "a row per card and entry; the mine's approved hours, else 14 h alarm and 12 h warning (convention)",
        ),
        (
            _HASH,
            Column("name", "string", "Name, masked unless the role may see it.", "姓名"),
            Column("work_type", "string", "Trade.", "工种"),
            Column("duty", "string", "Duty.", "职务"),
            Column("department", "string", "Team.", "部门"),
            AREA, *AREA_NAMES,
            Column("entered_mine_at", "timestamp", "Entry; null where none was told.", "入井时刻"),
            Column("last_at", "timestamp", "Left, else last heard.", "最后时刻"),
            Column("is_below", "boolean", "Underground at the last snapshot.", "是否仍在井下"),
            Column("hours", "double", "From entry to the last instant.", "时长", unit="h"),
            Column("limit_h", "double", "Hours allowed.", "限值", unit="h"),
            Column("is_over", "boolean", "At the limit or over.", "是否超时"),
            Column("is_warned", "boolean", "At the warning or over.", "是否预警"),
            Column("snapshots", "long", "Snapshots.", "快照数"),
        ),
        _stays,
        narrows=("area_id", "is_over", "is_below"),
        longest=timedelta(days=7),
        is_of_persons=True,
    ),
    View(
        "people/trajectory",
        Text("人员轨迹（受限，逐次留痕）", "Trajectory (restricted)"),
        Text(
            "一人一段时间的位置；须写明原因，每次查看记入日志",
            "where one card was; the reason has to be given, and each look is a line of the journal",
        ),
        (
            Column("observed_at", "timestamp", "Snapshot.", "时间"),
            Column("until", "timestamp", "Until the next, five minutes at most.", "止于"),
            AREA, *AREA_NAMES,
            Column("edge_id", "string", "Roadway.", "巷道"),
            Column("chainage_m", "double", "Distance from its first node.", "里程", unit="m"),
            Column("station_code", "string", "Base station.", "基站编码"),
            Column("in_out_flag", "int", "1 underground, 2 has left, 0 at the pit mouth.", "出入井标志"),
            Column("is_calling", "boolean", "Distress call.", "是否求救"),
            Column("quality", "string", "GOOD, SUSPECT or BAD.", "质量"),
        ),
        _trajectory,
        narrows=("area_id",),
        usual=timedelta(hours=8),
        longest=timedelta(days=7),
        takes=("person",),
    ),
)  # fmt: skip
