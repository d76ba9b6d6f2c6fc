"""Alarm load by month on the mine's clock, after ISA-18.2 and EEMUA 191."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

from minefusion.schemas.table import Column
from minefusion.serving.alarms.kpi import kpis
from minefusion.serving.analyst.view import Asked, Source, View
from minefusion.serving.text import Text

_COLUMNS = (
    Column("month", "string", "Month on the mine's clock.", "月份"),
    Column("begin", "timestamp", "Its begin, or that of the span.", "开始"),
    Column("end", "timestamp", "Its end, or that of the span.", "结束"),
    Column("alarms", "long", "Alarms that came into sight, returns included.", "报警数"),
    Column("per_hour", "double", "By hour.", "每小时"),
    Column("per_10_min", "double", "By ten minutes.", "每10分钟"),
    Column("most_in_10_min", "long", "Most in ten minutes.", "10分钟最多"),
    Column("share_of_10_min_over_10", "double", "Ten-minute spans with more than ten.", "超10条时段占比"),
    Column("floods", "long", "Floods.", "洪峰次数"),
    Column("share_of_time_in_flood", "double", "Time in flood.", "洪峰时间占比"),
    Column("standing", "long", "Standing at the end.", "长期未消除"),
    Column("stale", "long", "Of these for a day or longer.", "陈旧报警"),
    Column("chattering", "long", "Chattering.", "抖动报警"),
    Column("top_ten_share", "double", "Share of the ten most frequent.", "前十占比"),
    *(
        Column(f"priority_{each}_share", "double", f"Share of priority {each}.", f"优先级{each}占比")
        for each in (1, 2, 3, 4)
    ),
    Column("acknowledged", "long", "Acknowledged by a person.", "已确认"),
    Column("acknowledge_p50_s", "double", "Time to acknowledge, median.", "确认用时中位", unit="s"),
    Column("acknowledge_p95_s", "double", "Time to acknowledge, 95th percentile.", "确认用时95分位", unit="s"),
    Column("late", "long", "Known too late to make a noise.", "迟到"),
    Column("advisories", "long", "Advisories of models, apart.", "智能提示"),
    Column("advisories_per_hour", "double", "By hour.", "提示每小时"),
    Column("confirmed", "long", "Advisories confirmed.", "提示确认"),
    Column("rejected", "long", "Advisories rejected.", "提示误报"),
)


def month_row(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """One month's figures as a flat row."""
    took = found["acknowledge_s"].get("all", {"count": 0, "p50": None, "p95": None})
    same = (
        "alarms", "per_hour", "per_10_min", "most_in_10_min", "share_of_10_min_over_10", "share_of_time_in_flood",
        "standing", "top_ten_share", "late",
    )  # fmt: skip
    return {
        "month": name,
        "begin": found["from"],
        "end": found["to"],
        **{each: found[each] for each in same},
        **{each: len(found[each]) for each in ("floods", "stale", "chattering")},
        **{f"priority_{each}_share": found["priority_mix"][str(each)]["share"] for each in (1, 2, 3, 4)},
        "acknowledged": took["count"],
        "acknowledge_p50_s": took["p50"],
        "acknowledge_p95_s": took["p95"],
        "advisories": found["advisories"]["alarms"],
        "advisories_per_hour": found["advisories"]["per_hour"],
        **{each: found["advisories"][each] for each in ("confirmed", "rejected")},
    }


def _months(source: Source, asked: Asked) -> pl.DataFrame:
    rows = []
    for month in source.clock.months(asked.begin, asked.end):
        begin, end = max(month.begin, asked.begin), min(month.end, asked.end)
        rows.append(month_row(month.name.zh, kpis(source.alarms(begin, end), begin, end)))
    return pl.DataFrame(rows, infer_schema_length=None)


VIEWS = (
    View(
        "alarms/months",
        Text("报警考核（按月）", "Alarm load by month"),
        Text(
            "ISA-18.2、EEMUA 191 的指标；目标值为指南的常用值，不是法定值；时段首尾的月份按所含部分",
            "figures of ISA-18.2 and EEMUA 191; targets are the usual ones of those guides, no law; a month that the "
            "span cuts counts with its part",
        ),
        _COLUMNS,
        _months,
        usual=timedelta(days=92),
        longest=timedelta(days=366),
    ),
)
