"""Hand-over sheets over HTTP: made from what stands, signed by who goes and by who comes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select

from minefusion.serving.accounts.users import User
from minefusion.serving.alarms.changes import plain, read
from minefusion.serving.api.answers import Json, cursor_to, older
from minefusion.serving.api.problems import ProblemError, not_there
from minefusion.serving.api.service import API, Caller, Service, Serving, mines_asked
from minefusion.serving.handover import events
from minefusion.serving.handover.records import Handover
from minefusion.serving.handover.sheet import sheet_of
from minefusion.serving.journal.tables import HANDOVER

router = APIRouter(prefix=API, tags=["handovers"])

MOST_ROWS = 200
# A shift, where it is not told when it began.
USUAL_SHIFT, LONGEST_SHIFT = timedelta(hours=8), timedelta(hours=24)

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SheetOf(_Body):
    """`begin`: since when the shift ran; without it eight hours back."""

    mine_code: Annotated[str, Field(max_length=32)]
    begin: AwareDatetime | None = None


class SignedOf(_Body):
    """`sheet_sha256`: of the sheet that is signed, as it was shown."""

    sheet_sha256: Digest
    remarks: Annotated[str, Field(max_length=2000)] = ""


@router.get("/handovers", summary="交接单 · Hand-over sheets, the newest first")
def handovers(
    service: Serving,
    user: Caller,
    mine: Annotated[str | None, Query(max_length=32)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 20,
    cursor: Annotated[str | None, Query(description="上一页的 next · `next` of a page.", max_length=2000)] = None,
) -> Response:
    mines = mines_asked(user, mine)
    query = select(HANDOVER.c.body, HANDOVER.c.made_at, HANDOVER.c.handover_id)
    if mines:
        query = query.where(HANDOVER.c.mine_code.in_(sorted(mines)))
    if cursor:
        query = query.where(older(HANDOVER.c.made_at, HANDOVER.c.handover_id, cursor))
    query = query.order_by(HANDOVER.c.made_at.desc(), HANDOVER.c.handover_id).limit(limit + 1)
    with service.room.database.reading() as connection:
        rows = connection.execute(query).all()
    last = rows[limit - 1] if len(rows) > limit else None
    shown = [json.loads(each.body) for each in rows[:limit]]
    return Json({"rows": shown, "next": cursor_to([last.made_at, last.handover_id]) if last else None})


@router.post("/handovers", summary="生成交接单 · Make the sheet of the shift that ends", status_code=201)
def make(service: Serving, user: Caller, body: SheetOf) -> Response:
    """From open alarms, dispositions, holds, emergencies, suspect sensors and degraded models. It takes the place of
    one that was not signed to the end."""
    mines_asked(user, body.mine_code)
    now, room = service.room.clock(), service.room
    begin = body.begin or now - USUAL_SHIFT
    if not timedelta(0) < now - begin <= LONGEST_SHIFT:
        raise ProblemError(422, "班次须已开始且不超过 24 小时", "expected a shift that began within the last 24 h")
    sheet = sheet_of(service.reader, room.board, body.mine_code, begin, now, room.head)
    lines = room.handle(events.MakeSheet(body.mine_code, begin, sheet, user.login))
    return Json(_shown(_handover(service, user, lines[-1].subject)), status_code=201)


@router.get("/handovers/{handover_id}", summary="一份交接单 · One sheet with its signatures")
def handover(service: Serving, user: Caller, handover_id: str) -> Response:
    return Json(_shown(_handover(service, user, handover_id)))


@router.post("/handovers/{handover_id}/outgoing", summary="交班签字 · Who goes signs")
def sign_out(service: Serving, user: Caller, handover_id: str, body: SignedOf) -> Response:
    _handover(service, user, handover_id)
    service.room.handle(events.SignOut(handover_id, body.sheet_sha256, user.login, body.remarks))
    return Json(_shown(_handover(service, user, handover_id)))


@router.post("/handovers/{handover_id}/incoming", summary="接班签字 · Who comes signs")
def sign_in(service: Serving, user: Caller, handover_id: str, body: SignedOf) -> Response:
    _handover(service, user, handover_id)
    service.room.handle(events.SignIn(handover_id, body.sheet_sha256, user.login, body.remarks))
    return Json(_shown(_handover(service, user, handover_id)))


def _handover(service: Service, user: User, handover_id: str) -> Handover:
    with service.room.database.reading() as connection:
        body = connection.execute(select(HANDOVER.c.body).where(HANDOVER.c.handover_id == handover_id)).scalar()
    found = read(Handover, json.loads(body)) if body else None
    if found is None or not user.sees(found.mine_code):
        raise not_there("此交接单", "hand-over sheet")
    return found


def _shown(found: Handover) -> dict[str, Any]:
    told: dict[str, Any] = plain(found)
    return told | {"is_open": found.is_open}
