"""People: who is where, and where somebody was. Cards are hashed, names masked, looks written down (PC-88)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from minefusion.schemas.persons import masked_name, person_hash
from minefusion.serving.accounts.users import User
from minefusion.serving.api.answers import Json
from minefusion.serving.api.problems import ProblemError, not_there
from minefusion.serving.api.service import API, Caller, Service, Serving, mines_asked, write_down_look
from minefusion.serving.lookback import day_of

router = APIRouter(prefix=API, tags=["people"])

# A card that was not heard of for so long is nowhere that is known.
FRESH = timedelta(minutes=5)
LONGEST_TRACK = timedelta(days=7)
MOST_ROWS = 5000

Mine = Annotated[str, Query(description="煤矿编码 · Mine.", max_length=32)]


@router.get("/persons", summary="人员 · People, by hashed card")
def persons(service: Serving, user: Caller, mine: Mine) -> Response:
    """Everybody whom a definition names: trade, duty, team; the name masked unless the role may see it."""
    mines_asked(user, mine)
    write_down_look(service, user, "persons", frozenset({mine}))
    rows = service.reader.sql(
        "SELECT card_code, name, work_type, duty, department, is_leader, is_special_worker FROM silver.person "
        "WHERE mine_code = $mine ORDER BY card_code",
        mine=mine,
    )
    return Json({"rows": [_unnamed(service, user, mine, row) for row in rows]})


@router.get("/positions", summary="当时各人位置 · Where everybody was at an instant")
def positions(
    service: Serving,
    user: Caller,
    mine: Mine,
    at: Annotated[AwareDatetime | None, Query(description="时刻 · Instant; without it now.")] = None,
    area_id: Annotated[str | None, Query(description="区域 · Area.", max_length=64)] = None,
) -> Response:
    """The last position of each card in the five minutes before, of those underground; `age_s` since then."""
    mines_asked(user, mine)
    at = at or service.room.clock()
    write_down_look(service, user, "positions", frozenset({mine}))
    begin = _before(at, FRESH)
    rows = service.reader.sql(
        "WITH ranked AS (SELECT *, row_number() OVER (PARTITION BY card_code ORDER BY observed_at DESC) AS newest "
        "FROM silver.position WHERE mine_code = $mine AND observed_at > $begin AND observed_at <= $at "
        "AND day >= $first) "
        "SELECT r.card_code, r.observed_at, r.in_out_flag, r.area_id, r.edge_id, r.chainage_m, r.station_code, "
        "r.entered_mine_at, r.entered_area_at, r.is_calling, r.is_leader, r.quality, p.name, p.work_type, p.duty, "
        "p.department FROM ranked r LEFT JOIN silver.person p ON p.mine_code = $mine AND p.card_code = r.card_code "
        f"WHERE r.newest = 1 AND r.in_out_flag = 1 {'AND r.area_id = $area' if area_id else ''} ORDER BY r.card_code",
        mine=mine,
        begin=begin,
        at=at,
        first=day_of(begin),
        **({"area": area_id} if area_id else {}),
    )
    people = [_unnamed(service, user, mine, row) | {"age_s": (at - row["observed_at"]).total_seconds()} for row in rows]
    return Json({"at": at, "rows": people})


@router.get("/persons/{person_hash}/track", summary="人员轨迹（逐次留痕）· A person's track, each look written down")
def track(
    service: Serving,
    user: Caller,
    person_hash: str,
    mine: Mine,
    begin: Annotated[AwareDatetime, Query(alias="from")],
    end: Annotated[AwareDatetime, Query(alias="to")],
    why: Annotated[
        str, Query(description="查看原因，记入日志 · Why; it is written down.", min_length=2, max_length=200)
    ],
) -> Response:
    """Where the card was from one instant to another, seven days at most."""
    mines_asked(user, mine)
    if not timedelta(0) < end - begin <= LONGEST_TRACK:
        raise ProblemError(
            422,
            f"时段须大于 0、不超过 {LONGEST_TRACK.days} 天",
            f"expected from before to, {LONGEST_TRACK.days} days at most",
        )
    card = card_of(service, user, mine, person_hash, why, begin, end)
    rows = service.reader.sql(
        "SELECT observed_at, in_out_flag, area_id, edge_id, chainage_m, station_code, is_calling, quality "
        "FROM silver.position WHERE mine_code = $mine AND card_code = $card AND observed_at >= $begin "
        f"AND observed_at < $end ORDER BY observed_at LIMIT {MOST_ROWS + 1}",
        mine=mine,
        card=card,
        begin=begin,
        end=end,
    )
    found = list(rows)
    return Json({"person_hash": person_hash, "rows": found[:MOST_ROWS], "is_cut": len(found) > MOST_ROWS})


def card_of(service: Service, user: User, mine: str, person_hash: str, why: str, begin: datetime, end: datetime) -> str:
    """The card that a hash stands for; that it was looked at, by whom and why, is written down first (PC-88)."""
    card = service.cards.of(mine).get(person_hash)
    told = {"from": begin, "to": end, "why": why, "found": card is not None}
    service.room.note("look.track", person_hash[:64], mine, user.login, told)
    if card is None:
        raise not_there("此人员", "person")
    return card


def _before(at: datetime, span: timedelta) -> datetime:
    try:
        return at - span
    except OverflowError:
        return at


def _unnamed(service: Service, user: User, mine: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row with the card hashed and the name masked, unless the role may see names."""
    card, name = row["card_code"], row["name"]
    shown = name if user.sees_names or name is None else masked_name(name)
    rest = {key: value for key, value in row.items() if key not in ("card_code", "name")}
    return {"person_hash": person_hash(service.person_key, mine, card), "name": shown, **rest}
