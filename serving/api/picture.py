"""What a mine looks like at an instant, in one answer: levels, last values, head counts, alarms and dispositions.

The console paints itself from it, live and when a past minute is looked at: alarms and dispositions are as they were
known then, from the journal, and nothing that was measured later is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime
from sqlalchemy import func, select

from minefusion.schemas import gold, silver
from minefusion.schemas.catalog import TABLES
from minefusion.serving.alarms.raising import FLOOD_SPAN
from minefusion.serving.alarms.records import Alarm, Board
from minefusion.serving.api import alarms, dispositions
from minefusion.serving.api.answers import Json, known_already, tag_of
from minefusion.serving.api.problems import ProblemError
from minefusion.serving.api.service import API, Caller, Service, Serving, mines_asked
from minefusion.serving.control_room import board_at
from minefusion.serving.journal.tables import ALARM
from minefusion.serving.lookback import day_of
from minefusion.serving.reader import Row

router = APIRouter(prefix=API, tags=["picture"])

# A value that is older is no longer shown: the point stands there without one.
OLDEST_VALUE = timedelta(hours=2)
TREND_SPAN = timedelta(hours=1)
LONGEST_WORST = timedelta(days=31)
# What an area is watched by, the first that it has: column of gold.area_minute → unit.
MAIN = {
    "ch4_pct_max": "%", "co_ppm_max": "ppm", "air_velocity_m_s": "m/s", "temperature_c": "℃", "o2_pct_min": "%",
}  # fmt: skip
_MINUTE = (
    "area_id", "minute", "level", "why_zh", "why_en", "people_count", "people_cap", "ch4_pct_max",
    "ch4_pct_trend_per_h", "co_ppm_max", "o2_pct_min", "air_velocity_m_s", "temperature_c", "machines_running",
    "readings_expected", "readings_good",
)  # fmt: skip


@router.get("/picture", summary="某一时刻的全矿 · What a mine looks like at an instant")
def picture(
    request: Request,
    service: Serving,
    user: Caller,
    mine: Annotated[str, Query(description="煤矿编码 · Mine.", max_length=32)],
    at: Annotated[AwareDatetime | None, Query(description="时刻 · Instant; without it now.")] = None,
) -> Response:
    """`areas` with level, sentence, head count and the last hour's trend by minute; as `values` the last of each point
    in the two hours before (point, quantity, milliseconds since 1970, value, quality, reasons); `alarms` still open
    and the `dispositions` they belong to, as they were known then; the head count."""
    mines_asked(user, mine)
    now = service.room.clock().replace(microsecond=0)
    is_live = at is None or at >= now
    instant = now if at is None or at >= now else at
    tag = tag_of("picture", mine, instant, service.room.head, sorted(service.versions.items()))
    if (same := known_already(request, tag)) is not None:
        return same
    return service.answers.answer(tag, lambda: picture_of(service, mine, instant, is_live=is_live))


@router.get("/worst-minutes", summary="逐分钟全矿最高瓦斯与等级 · The mine's worst methane and level, minute by minute")
def worst_minutes(
    service: Serving,
    user: Caller,
    mine: Annotated[str, Query(description="煤矿编码 · Mine.", max_length=32)],
    begin: Annotated[AwareDatetime, Query(alias="from")],
    end: Annotated[AwareDatetime, Query(alias="to")],
) -> Response:
    """`at_ms`, `ch4_pct` (null: none came) and `level` of each minute from `from` to `to`, at most 31 days, not beyond
    now: what the time bar of a shift is drawn from."""
    mines_asked(user, mine)
    if not timedelta(0) < end - begin <= LONGEST_WORST:
        raise ProblemError(422, "时段须大于 0、不超过 31 天", "expected from before to, 31 days at most")
    rows = list(
        service.reader.sql(
            f"SELECT minute, max(ch4_pct_max) AS ch4, max(level) AS level FROM {gold.AREA_MINUTE.name} "
            "WHERE mine_code = $mine AND minute >= $begin AND minute < $end AND day >= $first AND day <= $last "
            "GROUP BY minute ORDER BY minute",
            mine=mine,
            begin=begin,
            end=min(end, service.room.clock()),
            first=day_of(begin),
            last=day_of(end),
        )
    )
    return Json(
        {
            "at_ms": [int(each["minute"].timestamp() * 1000) for each in rows],
            "ch4_pct": [each["ch4"] for each in rows],
            "level": [each["level"] for each in rows],
        }
    )


def picture_of(service: Service, mine: str, at: datetime, *, is_live: bool) -> dict[str, Any]:
    """The mine at `at`; `is_live`: that is now, and the board need not be made from the journal."""
    with service.room.database.reading() as connection:
        board = service.room.board if is_live else board_at(connection, mine, at)
        shown = select(func.count()).where(
            ALARM.c.mine_code == mine, ~ALARM.c.is_advisory, ALARM.c.shown_at > at - FLOOD_SPAN, ALARM.c.shown_at <= at
        )
        in_ten_min = connection.execute(shown).scalar()
    standing = [each for each in board.alarms.values() if each.mine_code == mine and board.is_open(each)]
    standing.sort(key=lambda each: (each.raised_at, each.alarm_id), reverse=True)
    wanted = {each.disposition_id for each in standing}
    desk = board.desks.get(mine)
    return {
        "mine_code": mine,
        "at": at,
        "is_live": is_live,
        "areas": _areas(service, mine, at, board, standing),
        "values": _values(service, mine, at),
        "underground": _headcount(service, mine, at),
        "alarms": [alarms.shown(each, board.state_of(each), True) for each in standing],
        "dispositions": [
            dispositions.shown(each, board, at) for key, each in board.dispositions.items() if key in wanted
        ],
        "shown_in_10_min": in_ten_min,
        "flood_since": desk.flood_since if desk else None,
    }


def _areas(service: Service, mine: str, at: datetime, board: Board, standing: Sequence[Alarm]) -> list[dict[str, Any]]:
    """Each area that has minutes in the last hour: its last whole minute, and the trend of what it is watched by."""
    names = ", ".join(_MINUTE)
    rows = service.reader.sql(
        f"SELECT {names} FROM {gold.AREA_MINUTE.name} WHERE mine_code = $mine AND minute > $begin AND minute <= $last "
        "AND day >= $first ORDER BY area_id, minute",
        mine=mine,
        begin=at - TREND_SPAN - timedelta(minutes=1),
        last=at - timedelta(minutes=1),  # a minute is told when it is over
        first=day_of(at - TREND_SPAN),
    )
    of_area: dict[str, list[Row]] = {}
    for row in rows:
        of_area.setdefault(row["area_id"], []).append(row)
    worst: dict[str, Alarm] = {}
    for alarm in standing:
        counts = alarm.is_active and not alarm.alarm_class.is_advisory and board.hold_on(alarm.tag) is None
        if counts and (alarm.area_id not in worst or alarm.level > worst[alarm.area_id].level):
            worst[alarm.area_id] = alarm
    return [_area(minutes, worst.get(area_id)) for area_id, minutes in of_area.items()]


def _area(minutes: list[Row], worst: Alarm | None) -> dict[str, Any]:
    """The area's last minute, its level raised to that of the worst alarm that stands in it."""
    last = dict(minutes[-1])
    main = next((name for name in MAIN if any(each[name] is not None for each in minutes)), None)
    if worst is not None and worst.level > (last["level"] or 0):
        lead = worst.lead
        last |= {"level": worst.level, "why_zh": lead.sentence_zh, "why_en": lead.sentence_en}
    return last | {
        "worst_alarm": worst.alarm_id if worst else None,
        "main": main,
        "main_unit": MAIN.get(main or ""),
        "main_value": last[main] if main else None,
        "trend": _by_minute(minutes, main),
    }


def _by_minute(minutes: list[Row], column: str | None) -> list[float | None]:
    """The column minute after minute up to the last row, null where a minute is missing."""
    values = {each["minute"]: each[column] for each in minutes} if column else {}
    step, last = timedelta(minutes=1), minutes[-1]["minute"]
    return [values.get(last - back * step) for back in range(TREND_SPAN // step - 1, -1, -1)] if values else []


def _values(service: Service, mine: str, at: datetime) -> list[list[Any]]:
    """[point, quantity, milliseconds since 1970, value, quality, reasons] of the last that came of each point."""
    begin = at - OLDEST_VALUE
    found: list[list[Any]] = []
    for name in _feeds(service, mine):
        last = (
            service.reader.scan(TABLES[name])
            .filter(pl.col("day").is_between(pl.lit(day_of(begin)), pl.lit(day_of(at))))
            .filter(pl.col("observed_at") > begin, pl.col("observed_at") <= at, pl.col("mine_code") == mine)
            .group_by("point_id", "quantity")
            .agg(pl.col("observed_at", "value", "quality", "quality_reasons").sort_by("observed_at").last())
            .with_columns(pl.col("observed_at").dt.epoch("ms"))
            .sort("point_id", "quantity")
            .select("point_id", "quantity", "observed_at", "value", "quality", "quality_reasons")
            .collect()
        )
        found += map(list, last.iter_rows())
    return found


def _feeds(service: Service, mine: str) -> Iterable[str]:
    """Tables in which values of the mine's points stand."""
    rows = service.reader.sql("SELECT DISTINCT feed FROM silver.point WHERE mine_code = $mine", mine=mine)
    return sorted({row["feed"] or silver.READING.name for row in rows} & TABLES.keys())


def _headcount(service: Service, mine: str, at: datetime) -> dict[str, Any] | None:
    """How many are underground, and when that was told; null where it was not in the last two hours."""
    rows = list(
        service.reader.sql(
            "SELECT observed_at, people_count, leaders_count FROM silver.headcount WHERE mine_code = $mine "
            "AND area_id = $mine AND observed_at > $begin AND observed_at <= $at AND day >= $first "
            "ORDER BY observed_at DESC LIMIT 1",
            mine=mine,
            at=at,
            begin=at - OLDEST_VALUE,
            first=day_of(at - OLDEST_VALUE),
        )
    )
    return rows[0] if rows else None
