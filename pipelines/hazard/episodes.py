"""Alarms: from the sample that raises one to the sample that clears it.

Methane (G-01) opens at the sample that makes two of the last three good ones reach the alarm limit, and closes at the
sample with which good samples under the restore value have covered a minute unbroken. Every other index gives one
alarm per stay at level 3 or more, and every report of the mine one of its own.

A point or an index that falls silent while its alarm is open keeps the alarm open, marked NO_DATA: silence is no proof
of safe air. What has happened before the window's start is read again from the frames' earlier rows, so an alarm is the
same however the time is cut into windows.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.inputs import Grouped, Inputs
from minefusion.pipelines.hazard.minutes import CONFIRMS_FOR_US, HELD_PERIODS, MINUTE_US
from minefusion.pipelines.hazard.reports import report_of
from minefusion.pipelines.hazard.rows import ORANGE, RED, UNCERTAIN
from minefusion.pipelines.hazard.snapshots import people_at
from minefusion.schemas.gold import ALARM
from minefusion.schemas.limits import gas_law
from minefusion.schemas.window import Window

GAS = "G-01"
SATURATED, NO_DATA = "SATURATED", "NO_DATA"

SECOND_US = 1_000_000
# k of the last n good samples open an episode; one older than CONFIRMS_FOR_US confirms nothing.
K, N = 2, 3
# Rows from so long before an alarm's start decide it: samples that confirm its first one, and the newest head count.
BEHIND = timedelta(microseconds=CONFIRMS_FOR_US) + timedelta(minutes=5)
# Good samples under the restore value must cover so long to close it.
T_CLEAR_US = MINUTE_US

_UNKNOWN_TO_US = ("people_in_area", "computed_at", "revision", "day")
SCHEMA = pa.schema(
    [field for field in ALARM.arrow_schema() if field.name not in _UNKNOWN_TO_US] + [pa.field("raised_us", pa.int64())]
)


def alarms(inputs: Inputs, hazard: nw.LazyFrame, told: nw.LazyFrame) -> nw.LazyFrame:
    """Rows of gold.alarm that are open at some moment of the window, without what the job adds.

    Args:
        hazard: gold.hazard_index from the lookback's start to the window's end.
        told: silver.reported_abnormality of the same span.
    """
    rows = nw.concat(
        [gas_alarms(inputs), index_alarms(inputs.grouped, inputs.window, hazard), reported_alarms(inputs, told)],
        how="vertical",
    )
    rows = rows.filter(
        nw.col("raised_at") < inputs.window.end,
        nw.col("cleared_at").is_null() | (nw.col("cleared_at") >= inputs.window.start),
    )
    rows = people_at(rows, "raised_us", inputs.headcount)
    return rows.select(*(name for name in ALARM.names if name not in ("computed_at", "revision", "day")))


# ── the state machine of methane ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Span:
    """One episode in a series: places of the samples that opened and closed it; `closed` is null while it is open."""

    opened: int
    closed: int | None


def gas_spans(
    times_us: Sequence[int], values: Sequence[float], period_us: int, alarm: float, restore: float
) -> Iterator[Span]:
    """Episodes in the good samples of one point, in order of time.

    A gap as long as T_CLEAR or longer breaks a run under the restore value: what the gap hides is not known to be safe.
    A shorter one breaks nothing. Samples older than an hour confirm nothing, so that an episode's start does not depend
    on how far back a window reads.
    """
    last: deque[tuple[int, bool]] = deque(maxlen=N)
    opened: int | None = None
    before = covered = 0
    for place, (now, value) in enumerate(zip(times_us, values, strict=True)):
        is_over = value >= alarm
        last.append((now, is_over))
        if opened is None:
            if is_over and sum(over for when, over in last if now - when <= CONFIRMS_FOR_US) >= K:
                opened, covered = place, 0
        elif value >= restore:
            covered = 0
        else:
            unseen = now - before - period_us
            covered = period_us + (0 if unseen >= T_CLEAR_US else covered)
            if covered >= T_CLEAR_US:
                yield Span(opened, place)
                opened = None
        before = now
    if opened is not None:
        yield Span(opened, None)


# ── methane ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def gas_alarms(inputs: Inputs) -> nw.LazyFrame:
    """One row per methane episode at the alarm limit that holds for its point."""
    place = ["mine_code", "point_id"]
    gas = inputs.readings.filter(
        nw.col("quantity") == "ch4", nw.col("usable"), ~nw.col("value").is_null(), ~nw.col("alarm").is_null()
    )
    over = gas.filter(nw.col("value") >= nw.col("alarm")).select(*place).unique()
    named = _named(gas.join(over, on=place, how="semi"), inputs).select(
        *place,
        "area_id",
        "area_zh",
        "area_en",
        "location",
        "observed_us",
        "value",
        "unit",
        "period_s",
        "alarm",
        "cut",
        "restore",
        "gas_class",
        "limit_rule",
        "limit_confidence",
        nw.col("quality_reasons").str.contains(SATURATED, literal=True).alias("is_saturated"),
    )
    return inputs.grouped(named, place, partial(_gas_episodes, end_us=_epoch_us(inputs.window.end)), SCHEMA)


def _gas_episodes(samples: pa.Table, end_us: int) -> pa.Table:
    """The episodes of one point."""
    samples = samples.sort_by("observed_us")
    times, values = samples["observed_us"].to_numpy(), samples["value"].to_numpy()
    saturated = samples["is_saturated"].to_numpy(zero_copy_only=False)
    point = samples.slice(len(samples) - 1).to_pylist()[0]  # limits and names are the same on each row
    period_us = int(point["period_s"] * SECOND_US)
    restore = point["alarm"] if point["restore"] is None else point["restore"]
    ends = np.append(times[1:], end_us)  # what follows each sample: the next one, or the end of what is known
    held = np.minimum(ends - times, HELD_PERIODS * period_us)
    held[-1:] = period_us
    rows = []
    for span in gas_spans(times.tolist(), values.tolist(), period_us, point["alarm"], restore):
        stop = len(times) if span.closed is None else span.closed
        inside = slice(span.opened, stop)
        worst = span.opened + int(values[inside].argmax())
        silent = bool((ends[inside] - times[inside] > HELD_PERIODS * period_us).any())
        marks = [mark for mark, holds in ((SATURATED, saturated[inside].any()), (NO_DATA, silent)) if holds]
        peak = float(values[worst])
        over_pct_min = float((np.maximum(values[inside] - point["alarm"], 0) * held[inside]).sum()) / MINUTE_US
        raised_us, cleared_us = int(times[span.opened]), None if span.closed is None else int(times[span.closed])
        zh, en = _gas_sentences(point, peak, _minutes(raised_us, cleared_us), marks)
        rows.append(
            _row(GAS, point, point["point_id"], raised_us, cleared_us)
            | {
                "point_id": point["point_id"],
                "level": RED if peak >= (point["alarm"] if point["cut"] is None else point["cut"]) else ORANGE,
                "peak_value": peak,
                "peak_at": _instant(int(times[worst])),
                "integral": round(over_pct_min, 6),
                "unit": point["unit"],
                "legal_exceeded": gas_law(point["gas_class"]).is_reached(peak),
                "marks": ",".join(marks),
                "sentence_zh": zh,
                "sentence_en": en,
            }
        )
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _gas_sentences(point: dict[str, Any], peak: float, minutes: float | None, marks: Sequence[str]) -> tuple[str, str]:
    """Place, value, limits, duration and where the limit comes from."""
    zh, en = _place(point, point["location"] or point["point_id"])
    over_range, alarm, cut = SATURATED in marks, point["alarm"], point["cut"]
    rule, is_advisory = point["limit_rule"] or "-", point["limit_confidence"] in UNCERTAIN
    in_chinese = [
        f"{zh}：甲烷{'至少' if over_range else '最高'} {peak:.2f} %{'（超量程）' if over_range else ''}",
        f"，报警值 {alarm:.2f} %{'' if cut is None else f'，断电值 {cut:.2f} %'}",
        f"，{_lasted(minutes, 'zh')}{_silence(marks, 'zh')}",
        f"；依据 {'矿方设定' if rule == 'mine' else rule}{'（参考限值，待核对）' if is_advisory else ''}。",
    ]
    in_english = [
        f"{en}: methane {'at least' if over_range else 'up to'} {peak:.2f} %{' (over range)' if over_range else ''}",
        f", alarm at {alarm:.2f} %{'' if cut is None else f', power cut at {cut:.2f} %'}",
        f", {_lasted(minutes, 'en')}{_silence(marks, 'en')}",
        f"; limit of {'the mine itself' if rule == 'mine' else rule}",
        f"{' (advisory, to be checked)' if is_advisory else ''}.",
    ]
    return "".join(in_chinese), "".join(in_english)


# ── stays of the other indices ──────────────────────────────────────────────────────────────────────────────────────


def index_alarms(grouped: Grouped, window: Window, hazard: nw.LazyFrame) -> nw.LazyFrame:
    """One row per stay of an index at level 3 or more. A window without a level neither begins nor ends a stay."""
    series = ["mine_code", "index_id", "area_id", "entity"]
    others = hazard.filter(nw.col("index_id") != GAS)
    serious = others.filter(nw.col("level") >= ORANGE).select(*series).unique()
    rows = others.join(serious, on=series, how="semi").select(
        *series,
        "point_id",
        "window_start",
        "window_end",
        "value",
        "unit",
        "level",
        "legal_exceeded",
        "sentence_zh",
        "sentence_en",
    )
    return grouped(rows, series, partial(_stays, end_us=_epoch_us(window.end)), SCHEMA)


def _stays(windows: pa.Table, end_us: int) -> pa.Table:
    """The stays of one index at one place."""
    rows: list[dict[str, Any]] = []
    stay: list[dict[str, Any]] = []
    before: float | None = None  # the last value that was no alarm: on which side of it a stay lies is the worse side
    silent = False
    for window in windows.sort_by("window_start").to_pylist():
        start_us, end = _epoch_us(window["window_start"]), _epoch_us(window["window_end"])
        if stay:
            silent |= _is_silence(stay[-1], start_us) or window["level"] is None
        if window["level"] is not None and window["level"] >= ORANGE:
            stay.append(window | {"start_us": start_us, "end_us": end})
        elif window["level"] is not None and stay:
            rows.append(_stay_row(stay, before, start_us, silent))
            stay, silent = [], False
        elif stay:
            stay[-1]["end_us"] = end
        if not stay and window["value"] is not None:
            before = window["value"]
    if stay:
        rows.append(_stay_row(stay, before, None, silent or _is_silence(stay[-1], end_us)))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _is_silence(window: dict[str, Any], next_us: int) -> bool:
    """Whether what follows a window comes later than its level may be held."""
    return next_us - window["end_us"] > HELD_PERIODS * (_epoch_us(window["window_end"]) - window["start_us"])


def _stay_row(
    stay: Sequence[dict[str, Any]], before: float | None, cleared_us: int | None, silent: bool
) -> dict[str, Any]:
    worst = _worst_of(stay, before)
    first, raised_us = stay[0], stay[0]["start_us"]
    marks = [NO_DATA] if silent else []
    minutes = _minutes(raised_us, cleared_us)
    return _row(first["index_id"], first, first["entity"], raised_us, cleared_us) | {
        "point_id": first["point_id"],
        "level": worst["level"],
        "peak_value": worst["value"],
        "peak_at": worst["window_start"],
        "unit": worst["unit"],
        "legal_exceeded": any(window["legal_exceeded"] for window in stay),
        "marks": ",".join(marks),
        "sentence_zh": f"{worst['sentence_zh'].rstrip('。')}；{_lasted(minutes, 'zh')}{_silence(marks, 'zh')}。",
        "sentence_en": f"{worst['sentence_en'].rstrip('.')}; {_lasted(minutes, 'en')}{_silence(marks, 'en')}.",
    }


def _worst_of(stay: Sequence[dict[str, Any]], before: float | None) -> dict[str, Any]:
    """The worst window: of those with the highest level the one whose value went farthest from `before`.

    Whether high or low is bad differs between indices, and for air velocity both are.
    """
    first = stay[0]["value"]
    rises = before is not None and first is not None and first > before
    falls = before is not None and first is not None and first < before

    def badness(window: dict[str, Any]) -> tuple[int, float]:
        value = window["value"]
        if value is None:
            return window["level"], -math.inf
        return window["level"], value if rises else -value if falls else 0.0

    return max(stay, key=badness)


# ── reports of the mine ─────────────────────────────────────────────────────────────────────────────────────────────


def reported_alarms(inputs: Inputs, told: nw.LazyFrame) -> nw.LazyFrame:
    """One row per report of the mine. Reports about persons are told apart by a number: gold holds no card."""
    points = inputs.points.select("mine_code", "point_id", "location", "quantity", "gas_class")
    rows = _named(told.join(points, on=["mine_code", "point_id"], how="left"), inputs)
    person = (
        nw.col("entity_id").cum_count().over("mine_code", "kind", "began_at", order_by=["entity_id", "abnormal_type"])
    )
    rows = rows.with_columns(person.cast(nw.Int32).alias("number")).select(
        "mine_code",
        "kind",
        "abnormal_type",
        "area_id",
        "area_zh",
        "area_en",
        "point_id",
        "location",
        "quantity",
        "gas_class",
        "began_at",
        "ended_at",
        "max_value",
        "max_at",
        "unit",
        "count",
        "cause",
        "measure",
        "number",
    )
    return inputs.grouped(rows, ["mine_code"], _reports, SCHEMA)


def _reports(told: pa.Table) -> pa.Table:
    rows = []
    for row in told.to_pylist():
        report = report_of(row["kind"], row["abnormal_type"])
        raised_us = _epoch_us(row["began_at"])
        cleared_us = None if row["ended_at"] is None else _epoch_us(row["ended_at"])
        entity = row["point_id"] or row["area_id"]
        who = f"person-{row['number']}" if report.is_about_person else entity
        zh, en = _place(row, row["location"] or row["point_id"])
        value, unit = (row["count"], "person") if row["count"] is not None else (row["max_value"], row["unit"])
        figure_zh = "" if value is None else f"，{value:g} {'人' if unit == 'person' else unit or ''}".rstrip()
        figure_en = "" if value is None else f", {value:g} {'people' if unit == 'person' else unit or ''}".rstrip()
        minutes = _minutes(raised_us, cleared_us)
        entered_zh = "".join(
            f"；{name}：{row[key]}" for name, key in (("原因", "cause"), ("措施", "measure")) if row[key]
        )
        entered_en = "".join(f"; {key}: {row[key]}" for key in ("cause", "measure") if row[key])
        is_gas = row["quantity"] == "ch4" and row["max_value"] is not None
        rows.append(
            _row(report.kind, row, entity, raised_us, cleared_us, who)
            | {
                "point_id": row["point_id"],
                "level": report.level,
                "peak_value": None if value is None else float(value),
                "peak_at": row["max_at"],
                "unit": unit,
                "legal_exceeded": is_gas and gas_law(row["gas_class"]).is_reached(row["max_value"]),
                "marks": "",
                "sentence_zh": f"{zh}：矿方上报{report.zh}{figure_zh}，{_lasted(minutes, 'zh')}{entered_zh}。",
                "sentence_en": f"{en}: the mine reports {report.en}{figure_en}, {_lasted(minutes, 'en')}{entered_en}.",
            }
        )
    return pa.Table.from_pylist(rows, schema=SCHEMA)


# ── what all alarms share ───────────────────────────────────────────────────────────────────────────────────────────


def _named(rows: nw.LazyFrame, inputs: Inputs) -> nw.LazyFrame:
    """Add area_zh and area_en; an area that nobody has named is called by its code."""
    names = inputs.areas.select(
        "mine_code", "area_id", nw.col("name_zh").alias("area_zh"), nw.col("name_en").alias("area_en")
    )
    return rows.join(names, on=["mine_code", "area_id"], how="left").with_columns(
        nw.col("area_zh").fill_null(nw.col("area_id")), nw.col("area_en").fill_null(nw.col("area_id"))
    )


def _row(
    kind: str, place: dict[str, Any], entity: str, raised_us: int, cleared_us: int | None, who: str | None = None
) -> dict[str, Any]:
    """The identity of an alarm: kind, mine, place and start, nothing that later data could move."""
    raised = _instant(raised_us)
    return {
        "alarm_id": f"{kind}:{place['mine_code']}:{who or entity}:{raised:%Y%m%dT%H%M%S.%f}",
        "kind": kind,
        "mine_code": place["mine_code"],
        "area_id": place["area_id"],
        "entity": entity,
        "raised_at": raised,
        "raised_us": raised_us,
        "cleared_at": None if cleared_us is None else _instant(cleared_us),
        "integral": None,
    }


def _place(row: dict[str, Any], within: str | None) -> tuple[str, str]:
    """Area and, where it says more, the point's location text, in Chinese and English."""
    zh, en = row["area_zh"], row["area_en"]
    if not within:
        return zh, en
    return (within if zh in within else f"{zh} {within}"), f"{en}, {within}"


def _minutes(raised_us: int, cleared_us: int | None) -> float | None:
    return None if cleared_us is None else (cleared_us - raised_us) / MINUTE_US


def _lasted(minutes: float | None, language: str) -> str:
    """How long it lasted. An open one has no duration yet: its row must not change with every minute that passes."""
    if language == "zh":
        return "尚未解除" if minutes is None else f"持续 {minutes:.1f} 分钟"
    return "still open" if minutes is None else f"for {minutes:.1f} min"


def _silence(marks: Sequence[str], language: str) -> str:
    if NO_DATA not in marks:
        return ""
    return "（其间无有效数据）" if language == "zh" else " (without good data in between)"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _instant(epoch_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=epoch_us)


def _epoch_us(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND
