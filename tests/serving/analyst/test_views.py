"""Each view, asked at random, says what plain SQL or a plain loop over the rows says."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from random_mine import ANALOGUE, AREAS, BEGIN, END, NEEDED, OFFSET, SITE, SWITCHES
from two_mines import KEY, MINE, OTHER, Site

from minefusion.schemas.json_text import as_json
from minefusion.schemas.persons import person_hash
from minefusion.serving.analyst.hazards import STEPS_MIN, step_for
from minefusion.serving.analyst.views import VIEWS
from minefusion.serving.reader import Reader

QUESTIONS = 4
US = timedelta(microseconds=1)
Row = dict[str, Any]
Span = tuple[datetime, datetime]
Check = Callable[..., list[Row]]  # reader, span, what else is asked → rows


def seconds(begin: datetime, end: datetime) -> float:
    return max((end - begin) / timedelta(seconds=1), 0.0)


def sql(reader: Reader, query: str, span: Span) -> list[Row]:
    return list(reader.sql(query, mine=MINE, begin=span[0], end=span[1]))


# ── hazards ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def cells(reader: Reader, span: Span, **params: Any) -> list[Row]:
    begin, end = span
    step = timedelta(minutes=params["step_min"]) if "step_min" in params else step_for(begin, end)
    rows = sql(
        reader,
        "SELECT * FROM gold.hazard_index WHERE mine_code = $mine AND window_start < $end AND window_end > $begin",
        span,
    )
    of: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        at = max(row["window_start"], begin)
        start = cell_start(at, step)
        while start < min(row["window_end"], end):
            of.setdefault((row["area_id"], row["index_id"], start), []).append(row)
            start += step
    found = []
    for (area, index, start), there in sorted(of.items()):
        known = [row["level"] for row in there if row["level"] is not None]
        level = max(known, default=None)
        level = level if level or len(known) >= 0.6 * len(there) else None
        values = [row["value"] for row in there if row["value"] is not None]
        worst = min(
            there,
            key=lambda row: (
                row["level"] is None,
                -(row["level"] or 0),
                not row["legal_exceeded"],
                row["window_start"],
                row["entity"],
            ),
        )
        found.append(
            {
                "area_id": area,
                "index_id": index,
                "cell_start": start,
                "level": level,
                "windows": len(there),
                "known": len(known),
                "legal_exceeded": any(row["legal_exceeded"] for row in there),
                "value_min": min(values, default=None),
                "value_max": max(values, default=None),
                "worst_at": worst["window_start"],
                "value": worst["value"],
                "sentence_zh": worst["sentence_zh"],
                "null_reason": worst["null_reason"],
            }
        )
    if params.get("level_min"):
        found = [row for row in found if row["level"] is not None and row["level"] >= params["level_min"]]
    return [row for row in found if row["legal_exceeded"]] if params.get("legal_only") else found


def cell_start(at: datetime, step: timedelta) -> datetime:
    zero = datetime(1970, 1, 1, tzinfo=UTC)
    return at - (at - zero + OFFSET) % step


def why(reader: Reader, span: Span) -> list[Row]:
    return sql(
        reader,
        "SELECT area_id, index_id, entity, window_start, value, level, sentence_zh, inputs FROM gold.hazard_index "
        "WHERE "
        "mine_code = $mine AND window_start < $end AND window_end >= $end ORDER BY level DESC NULLS LAST, "
        "legal_exceeded DESC NULLS LAST, index_id, entity, area_id",
        span,
    )


# ── methane ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def over(reader: Reader, span: Span) -> list[Row]:
    begin, end = span
    rows = sql(
        reader,
        "SELECT a.alarm_id, a.kind, a.point_id, a.area_id, a.raised_at, a.cleared_at, a.peak_value, a.integral, "
        "a.peak_at, "
        "p.location, p.cut, c.cause, c.score AS cause_score FROM gold.alarm a "
        "JOIN silver.point p ON p.point_id = a.point_id AND p.mine_code = a.mine_code LEFT JOIN gold.alarm_cause c "
        "ON c.alarm_id = a.alarm_id AND c.mine_code = a.mine_code AND c.rank = 1 "
        "WHERE a.mine_code = $mine AND p.quantity = 'ch4' AND a.kind IN ('G-01', 'YCBJ-001') AND a.raised_at < $end "
        "AND (a.cleared_at IS NULL OR a.cleared_at > $begin) ORDER BY a.raised_at, a.point_id, a.kind",
        span,
    )
    for row in rows:
        until = row["cleared_at"] or end
        row |= {
            "told_by": "index" if row.pop("kind") == "G-01" else "mine",
            "is_open": row["cleared_at"] is None or row["cleared_at"] > end,
            "duration_s": seconds(row["raised_at"], until),
            "within_s": seconds(max(row["raised_at"], begin), min(until, end)),
            "is_cut": row["peak_value"] >= row.pop("cut"),
        }
    return rows


def durations(reader: Reader, span: Span) -> list[Row]:
    begin, end = span
    rows = [row for row in over(reader, span) if row["told_by"] == "index"]
    found = []
    for point in {row["point_id"] for row in rows}:
        own = [row for row in rows if row["point_id"] == point]
        covered = {
            each
            for row in own
            for each in range(
                int(seconds(begin, max(row["raised_at"], begin))),
                int(seconds(begin, min(row["cleared_at"] or end, end))),
            )
        }
        found.append(
            {
                "point_id": point,
                "episodes": len(own),
                "over_s": float(len(covered)),
                "cuts": sum(row["is_cut"] for row in own),
                "longest_s": max(row["within_s"] for row in own),
                "peak_value": max(row["peak_value"] for row in own),
                "still_open": any(row["is_open"] for row in own),
            }
        )
    return sorted(found, key=lambda row: (-row["over_s"], row["point_id"]))


def days(span: Span) -> list[tuple[str, datetime, datetime]]:
    begin, end = span
    found, day = [], (begin + OFFSET).replace(hour=0, minute=0, second=0, microsecond=0) - OFFSET
    while day < end:
        found.append((f"{day + OFFSET:%Y-%m-%d}", max(day, begin), min(day + timedelta(days=1), end)))
        day += timedelta(days=1)
    return found


def usable(row: Row) -> bool:
    is_saturated = row["quality"] == "SUSPECT" and "SATURATED" in row["quality_reasons"]
    return row["value"] is not None and (row["quality"] == "GOOD" or is_saturated)


def read(reader: Reader, span: Span) -> list[Row]:
    return sql(
        reader,
        "SELECT * FROM silver.reading WHERE mine_code = $mine AND observed_at >= $begin AND observed_at < $end ORDER "
        "BY point_id, observed_at",
        span,
    )


def analogue_days(reader: Reader, span: Span) -> list[Row]:
    found = []
    readings = read(reader, span)
    reports = sql(
        reader,
        "SELECT * FROM silver.reported_abnormality WHERE mine_code = $mine AND kind = 'YCBJ' AND began_at < $end",
        span,
    )
    for name, begin, end in days(span):
        for point in ANALOGUE:
            own = [row for row in readings if row["point_id"] == point and begin <= row["observed_at"] < end]
            good = [row for row in own if usable(row)]
            if not own:
                continue
            values = [row["value"] for row in good]
            row = {
                "day": name,
                "point_id": point,
                "samples": len(own),
                "usable": len(good),
                "expected": round(seconds(begin, end) / 60),
                "value_min": min(values, default=None),
                "value_max": max(values, default=None),
                "value_mean": sum(values) / len(values) if values else None,
                "value_max_at": next((row["observed_at"] for row in good if row["value"] == max(values)), None),
                "area_id": AREAS[ANALOGUE.index(point) % 2],
            }
            for kind, types in {
                "alarm": ("001",),
                "cut": ("002",),
                "feed": ("003",),
                "calibration": ("007",),
                "fault": ("004", "005", "006"),
            }.items():
                spans = [
                    (each["began_at"], min(each["ended_at"] or span[1], span[1]))
                    for each in reports
                    if each["point_id"] == point and each["abnormal_type"] in types
                ]
                touching = [(a, b) for a, b in spans if a < end and (b > begin or a >= begin)]
                row |= {
                    f"{kind}_times": len(touching),
                    f"{kind}_s": sum(seconds(max(a, begin), min(b, end)) for a, b in touching),
                }
            found.append(row)
    return sorted(found, key=lambda row: (row["day"], row["area_id"], row["point_id"]))


def switch_states(reader: Reader, span: Span) -> list[Row]:
    found: list[Row] = []
    readings = [row for row in read(reader, span) if usable(row)]
    for point in SWITCHES:
        own = [row for row in readings if row["point_id"] == point]
        last = None
        for place, row in enumerate(own):
            at, state = row["observed_at"], int(row["value"])
            held = min(
                own[place + 1]["observed_at"] if place + 1 < len(own) else span[1], at + timedelta(seconds=180), span[1]
            )
            is_silent = place == 0 or at - own[place - 1]["observed_at"] > timedelta(seconds=180)
            if is_silent or state != last["state"]:  # type: ignore[index]
                last = {"point_id": point, "began_at": at, "state": state, "was": None if is_silent else last["state"]}  # type: ignore[index]
                found.append(last)
            last["until"] = held  # type: ignore[index]
    for row in found:
        row |= {"seconds": seconds(row["began_at"], row["until"]), "is_change": row["was"] is not None}
        on = "运行" if row["point_id"] == "S1" else "开着"
        row["state_zh"] = on if row["state"] else "停"
    return sorted(found, key=lambda row: (row["began_at"], row["point_id"]))


def switch_days(reader: Reader, span: Span) -> list[Row]:
    found = []
    states = switch_states(reader, span)
    for name, begin, end in days(span):
        for point in SWITCHES:
            own = [row for row in states if row["point_id"] == point and row["began_at"] < end and row["until"] > begin]
            if own:
                held = [(row, seconds(max(row["began_at"], begin), min(row["until"], end))) for row in own]
                on, off = (sum(length for row, length in held if row["state"] == state) for state in (1, 0))
                found.append(
                    {
                        "day": name,
                        "point_id": point,
                        "on_s": on,
                        "off_s": off,
                        "unknown_s": seconds(begin, end) - on - off,
                        "changes": sum(row["is_change"] and row["began_at"] >= begin for row in own),
                        "last_state": own[-1]["state"],
                    }
                )
    return found


def reported(*types: str) -> Check:
    def check(reader: Reader, span: Span) -> list[Row]:
        begin, end = span
        wanted = ", ".join(f"'{each}'" for each in types)
        rows = sql(
            reader,
            f"SELECT point_id, abnormal_type, began_at, ended_at, max_value, cause FROM silver.reported_abnormality "
            f"WHERE mine_code = $mine AND kind = 'YCBJ' AND abnormal_type IN ({wanted}) AND began_at < $end "
            "AND (ended_at IS NULL OR ended_at > $begin OR began_at >= $begin) ORDER BY began_at, point_id, "
            "abnormal_type",
            span,
        )
        for row in rows:
            until = row["ended_at"] or end
            row |= {
                "duration_s": seconds(row["began_at"], until),
                "within_s": seconds(max(row["began_at"], begin), min(until, end)),
            }
        return rows

    return check


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def counts(spans: Callable[[Span], list[Span]]) -> Check:
    def check(reader: Reader, span: Span) -> list[Row]:
        rows = sql(
            reader,
            "SELECT * FROM silver.headcount WHERE mine_code = $mine AND observed_at >= $begin AND observed_at < $end "
            "ORDER BY observed_at",
            span,
        )
        found = []
        for begin, end in spans(span):
            for area in (MINE, *AREAS):
                own = [row for row in rows if row["area_id"] == area and begin <= row["observed_at"] < end]
                if not own:
                    continue
                held = [
                    seconds(row["observed_at"], min(following, row["observed_at"] + timedelta(seconds=180), end))
                    for row, following in zip(own, [*(row["observed_at"] for row in own[1:]), end], strict=True)
                ]
                cap = None if area == MINE else 9
                found.append(
                    {
                        "begin": begin,
                        "end": end,
                        "area_id": area,
                        "snapshots": len(own),
                        "most": max(row["people_count"] for row in own),
                        "least": min(row["people_count"] for row in own),
                        "known_s": sum(held),
                        "cap": cap,
                        "mean": sum(row["people_count"] * each for row, each in zip(own, held, strict=True))
                        / sum(held),
                        "over_cap_s": sum(
                            each for row, each in zip(own, held, strict=True) if cap and row["people_count"] > cap
                        ),
                        "no_leader_s": sum(
                            each
                            for row, each in zip(own, held, strict=True)
                            if row["people_count"] and not row["leaders_count"]
                        ),
                    }
                )
        return found

    return check


def shifts(span: Span) -> list[Span]:
    found = []
    for day in range(-2, 3):
        for shift in SITE.shifts:
            begin = datetime(2026, 3, 1, int(shift.start[:2]), tzinfo=UTC) - OFFSET + timedelta(days=day)
            if begin < span[1] and begin + timedelta(hours=8) > span[0]:
                found.append((begin, begin + timedelta(hours=8)))
    return sorted(found)


def whole_hours(span: Span) -> list[Span]:
    first = span[0].replace(minute=0, second=0, microsecond=0)
    starts = [first + timedelta(hours=number) for number in range(40)]
    return [(each, each + timedelta(hours=1)) for each in starts if each < span[1]]


def underground(reader: Reader, span: Span) -> list[Row]:
    rows = sql(
        reader,
        "SELECT card_code, entered_mine_at, max(observed_at) AS last_at, count(*) AS snapshots FROM silver.position "
        "WHERE mine_code = $mine AND observed_at < $end GROUP BY 1, 2 HAVING max(observed_at) >= $begin AND "
        "bool_or(in_out_flag = 1)",
        span,
    )
    for row in rows:
        entered, card = row["entered_mine_at"], row.pop("card_code")
        hours = None if entered is None else seconds(entered, row["last_at"]) / 3600
        row |= {
            "person_hash": person_hash(KEY, MINE, card),
            "hours": hours,
            "is_over": None if hours is None else hours >= 9.0,
        }
        row["name"] = {"C4": None}.get(card, f"张强{card[1]}")
    return sorted(rows, key=lambda row: -(row["hours"] or -1))


def trajectory(reader: Reader, span: Span) -> list[Row]:
    rows = sql(
        reader,
        "SELECT observed_at, area_id, in_out_flag FROM silver.position WHERE mine_code = $mine AND card_code = 'C1' "
        "AND observed_at >= $begin AND observed_at < $end ORDER BY observed_at",
        span,
    )
    for row, following in zip(rows, [*(each["observed_at"] for each in rows[1:]), span[1]], strict=True):
        row["until"] = min(following, row["observed_at"] + timedelta(minutes=5), span[1])
    return rows


# ── video, quality, models, alarms ──────────────────────────────────────────────────────────────────────────────────


def events(reader: Reader, span: Span, level_min: int = 0) -> list[Row]:
    return sql(
        reader,
        "SELECT * FROM (SELECT event_id, 'sender' AS told_by, camera_code, event_type, began_at, ended_at, 5 - level "
        "AS level, "
        "state, object_count AS people FROM silver.video_event WHERE mine_code = $mine UNION ALL SELECT event_id, "
        "'minefusion', "
        "camera_code, event_type, began_at, ended_at, level, NULL, people FROM gold.unsafe_behaviour WHERE mine_code "
        "= $mine) "
        f"WHERE began_at >= $begin AND began_at < $end AND level >= {level_min} "
        "ORDER BY began_at, camera_code, event_id",
        span,
    )


def verdicts(reader: Reader, span: Span) -> list[Row]:
    rows = sql(
        reader,
        "SELECT date_trunc('week', began_at + INTERVAL '8 hours') - INTERVAL '8 hours' AS week_start, camera_code, "
        "event_type, "
        "count(*) AS events, sum(CAST(state = 1 AS INT)) AS confirmed, sum(CAST(state = 2 AS INT)) AS rejected "
        "FROM silver.video_event WHERE mine_code = $mine AND began_at >= $begin AND began_at < $end GROUP BY 1, 2, 3 "
        "ORDER BY 1, 2, 3",
        span,
    )
    return [
        row | {"precision": row["confirmed"] / judged if (judged := row["confirmed"] + row["rejected"]) else None}
        for row in rows
    ]


_SCORES = (
    "sum(CASE WHEN expected > 0 THEN expected ELSE 0 END) AS expected, sum(received) AS received, "
    "sum(CASE WHEN expected > 0 THEN least(received, expected) ELSE 0 END) * 1.0 / "
    "nullif(sum(CASE WHEN expected > 0 THEN expected ELSE 0 END), 0) AS completeness, "
    "sum(accuracy * received) / nullif(sum(CASE WHEN accuracy IS NOT NULL THEN received ELSE 0 END), 0) AS accuracy"
)
_QUALITY = "FROM gold.data_quality WHERE mine_code = $mine AND hour >= $begin AND hour < $end"


def quality_hours(reader: Reader, span: Span) -> list[Row]:
    return sql(reader, f"SELECT dataset, hour, {_SCORES} {_QUALITY} GROUP BY 1, 2 ORDER BY 1, 2", span)


def quality_points(reader: Reader, span: Span) -> list[Row]:
    return sql(
        reader,
        f"WITH q AS (SELECT dataset, entity, {_SCORES} {_QUALITY} GROUP BY 1, 2), h AS (SELECT point_id, verdict, "
        "row_number() OVER "
        "(PARTITION BY point_id ORDER BY hour DESC) AS place FROM gold.sensor_health WHERE mine_code = $mine AND "
        "hour >= $begin AND hour < $end) "
        "SELECT q.*, h.verdict FROM q LEFT JOIN h ON h.point_id = q.entity AND h.place = 1 "
        "ORDER BY completeness NULLS LAST, accuracy NULLS LAST, dataset, entity",
        span,
    )


def balance(reader: Reader, span: Span) -> list[Row]:
    names = ("stored", "quarantined", "rejected", "duplicate", "aside", "waiting")
    sums = ", ".join(f"sum(records_{name}) AS {name}" for name in names)
    rows = sql(
        reader,
        f"SELECT coalesce(kind, name_kind) AS kind, count(*) AS files, sum(records_sent) AS sent, {sums} FROM "
        "bronze.exchange_file "
        "WHERE mine_code = $mine AND header_time >= $begin AND header_time < $end GROUP BY 1 ORDER BY 1",
        span,
    )
    return [row | {"is_even": row["sent"] == sum(row[name] for name in names)} for row in rows]


def latest(reader: Reader, span: Span) -> list[Row]:
    return sql(
        reader,
        "SELECT model, entity, horizon_min, hour, forecasts, mae_pct, is_degraded, 1 - mae_pct / "
        "nullif(persistence_mae_pct, 0) AS skill FROM "
        "(SELECT *, row_number() OVER (PARTITION BY model, entity, horizon_min ORDER BY hour DESC) AS place FROM "
        "gold.model_health "
        "WHERE mine_code = $mine AND hour >= $begin AND hour < $end) WHERE place = 1 ORDER BY model, horizon_min, "
        "entity",
        span,
    )


def horizons(reader: Reader, span: Span) -> list[Row]:
    found = []
    rows = latest(reader, span)
    for horizon in sorted({row["horizon_min"] for row in rows}):
        own = [row for row in rows if row["horizon_min"] == horizon]
        known = [row for row in own if row["mae_pct"] is not None]
        weight = sum(row["forecasts"] for row in known)
        mae = sum(row["mae_pct"] * row["forecasts"] for row in known) / weight if weight else None
        found.append(
            {
                "horizon_min": horizon,
                "points": len(own),
                "degraded": sum(row["is_degraded"] for row in own),
                "mae_pct": mae,
            }
        )
    return found


CHECKS: dict[str, Check] = {
    "hazards/cells": cells,
    "hazards/why": why,
    "methane/over-limit": over,
    "methane/durations": durations,
    "methane/analogue-days": analogue_days,
    "methane/switch-days": switch_days,
    "methane/switch-states": switch_states,
    "methane/cut-and-feed": reported("002", "003"),
    "methane/faults": reported("004", "005", "006"),
    "methane/calibrations": reported("007"),
    "people/shifts": counts(shifts),
    "people/hours": counts(whole_hours),
    "people/time-underground": underground,
    "people/trajectory": trajectory,
    "video/events": events,
    "video/verdicts": verdicts,
    "quality/hours": quality_hours,
    "quality/points": quality_points,
    "quality/balance": balance,
    "models/horizons": horizons,
    "models/points": latest,
}


def question(chance: random.Random, path: str) -> tuple[Span, dict[str, Any]]:
    """A span, from before the rows to behind them, and what else the view takes."""
    begin = BEGIN + timedelta(minutes=chance.randrange(-60, 400))
    span = begin, min(begin + timedelta(minutes=chance.randrange(20, 600)), END)
    params: dict[str, Any] = {}
    takes = VIEWS[path].takes
    if "step" in takes and chance.random() < 0.7:
        params["step_min"] = chance.choice(STEPS_MIN[1:6])
    if "level_min" in takes and path != "hazards/why" and chance.random() < 0.4:
        params["level_min"] = chance.randrange(1, 5)
    if "is_legal_only" in takes and chance.random() < 0.2:
        params["legal_only"] = "true"
    return span, params


def through_json(value: Any) -> Any:
    return json.loads(as_json(value))


@pytest.mark.parametrize("path", CHECKS)
def test_a_view_is_what_plain_sql_says(desk: Site, path: str):
    chance, reader = random.Random(path), desk.service.reader
    answered = 0
    for number in range(QUESTIONS):
        span, params = ((BEGIN, END), {}) if number == 0 else question(chance, path)
        expected = through_json(CHECKS[path](reader, span, **params))
        asked = {"mine": MINE, "from": span[0].isoformat(), "to": span[1].isoformat(), **params, **NEEDED.get(path, {})}
        rows = desk.get("admin@all", f"/analysis/{path}", **asked)["rows"]
        assert len(rows) == len(expected)
        for got, wanted in zip(rows, expected, strict=True):
            assert {name: got[name] for name in wanted} == pytest.approx(wanted), (span, params)
        answered += bool(expected)
    assert answered


def test_every_view_is_checked():
    assert set(CHECKS) == set(VIEWS) - {"alarms/months"}


def test_a_months_load_is_what_the_alarms_say(desk: Site):
    (row,) = desk.get("analyst", "/analysis/alarms/months", mine=MINE, **{"from": BEGIN.isoformat()})["rows"]
    told = desk.get("analyst", "/alarms/kpi", mine=MINE, **{"from": BEGIN.isoformat(), "to": END.isoformat()})
    assert row["alarms"] == told["alarms"] > 0
    assert row["per_hour"] == told["per_hour"]
    assert row["standing"] == told["standing"]
    assert row["priority_1_share"] == told["priority_mix"]["1"]["share"]


def test_a_month_is_one_of_the_mines_clock(desk: Site):
    asked = {"mine": MINE, "from": "2026-01-31T15:59:00+00:00", "to": "2026-03-01T00:00:00+00:00"}
    rows = desk.get("analyst", "/analysis/alarms/months", **asked)["rows"]
    assert [row["month"] for row in rows] == ["2026-01", "2026-02", "2026-03"]
    begins = [datetime.fromisoformat(row["begin"]) for row in rows[1:]]
    assert begins == [datetime(2026, 1, 31, 16, tzinfo=UTC), datetime(2026, 2, 28, 16, tzinfo=UTC)]


@pytest.mark.parametrize("path", VIEWS)
def test_what_a_view_may_fix_narrows_it(desk: Site, path: str):
    asked = {"mine": MINE, "from": BEGIN.isoformat(), **NEEDED.get(path, {})}
    whole = desk.get("admin", f"/analysis/{path}", **asked)["rows"]
    assert OTHER not in str(whole)
    for name in VIEWS[path].narrows:
        value = next((row[name] for row in whole if row[name] is not None), None)
        if value is None:
            continue
        said = str(value).lower() if isinstance(value, bool) else value
        part = desk.get("admin", f"/analysis/{path}", **asked, **{name: said})["rows"]
        if path.startswith("hazards/"):  # windows of the area alone, the same cells
            assert {row[name] for row in part} == {value}
        else:
            assert part == [row for row in whole if row[name] == value]


def test_a_span_is_refused_that_is_none_or_too_long(desk: Site):
    for begin, end in (
        (END, BEGIN),
        (BEGIN - timedelta(days=400), END),
        (END + timedelta(days=1), END + timedelta(days=2)),
    ):
        asked = {"mine": MINE, "from": begin.isoformat(), "to": end.isoformat()}
        refused = desk.call("analyst", "GET", "/api/v1/analysis/quality/hours", params=asked)
        assert refused.status_code == 422
        assert "时段" in refused.json()["detail_zh"]


def test_the_future_is_not_counted(desk: Site):
    """What is open lasts until now, whatever end is asked for."""
    asked = {"mine": MINE, "from": BEGIN.isoformat(), "to": (END + timedelta(days=3)).isoformat()}
    told = desk.get("analyst", "/analysis/methane/over-limit", **asked)
    assert datetime.fromisoformat(told["to"]) == END
    assert max(row["within_s"] for row in told["rows"]) <= seconds(BEGIN, END)


def test_names_are_masked_and_each_look_at_people_is_written_down(desk: Site, monkeypatch: pytest.MonkeyPatch):
    from minefusion.serving.accounts.roles import RIGHT, access

    names = access() | {(RIGHT, "names"): frozenset({"admin"})}
    monkeypatch.setattr("minefusion.serving.accounts.roles.access", lambda: names)
    asked = {"mine": MINE, "from": BEGIN.isoformat()}
    masked = desk.get("dispatcher", "/analysis/people/time-underground", **asked)["rows"]
    shown = desk.get("admin", "/analysis/people/time-underground", **asked)["rows"]
    assert {row["name"] for row in masked if row["name"]} == {f"张*{each}" for each in range(4)}
    assert {row["name"] for row in shown if row["name"]} == {f"张强{each}" for each in range(4)}
    assert not any("card_code" in row for row in shown)
    looks = desk.get("admin@all", "/journal", what="look.people.time-underground")["rows"]
    assert {each["by"] for each in looks} >= {"dispatcher", "admin"}


def test_a_look_at_a_track_says_why_and_is_a_line_of_its_own(desk: Site):
    asked = {"mine": MINE, "from": BEGIN.isoformat(), **NEEDED["people/trajectory"]}
    before = len(desk.get("admin@all", "/journal", what="look.track")["rows"])
    desk.get("dispatcher", "/analysis/people/trajectory", **asked)
    looks = desk.get("admin@all", "/journal", what="look.track")["rows"]
    assert len(looks) == before + 1
    assert looks[0]["facts"]["note"]["why"] == "复查"
    for missing in ("why", "person_hash"):
        told = {name: it for name, it in asked.items() if name != missing}
        assert desk.call("dispatcher", "GET", "/api/v1/analysis/people/trajectory", params=told).status_code == 422
