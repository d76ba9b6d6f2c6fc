"""The journal over HTTP: pages of lines, and the stream of what is new."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from sqlalchemy import select
from sse_starlette import EventSourceResponse, ServerSentEvent

from minefusion.schemas.json_text import as_json
from minefusion.serving.accounts.roles import may
from minefusion.serving.accounts.users import User
from minefusion.serving.alarms.changes import TYPES
from minefusion.serving.api.answers import Json
from minefusion.serving.api.news import News
from minefusion.serving.api.service import API, Caller, Service, Serving, mines_asked
from minefusion.serving.journal.chain import Line
from minefusion.serving.journal.tables import JOURNAL

router = APIRouter(prefix=API, tags=["journal"])

MOST_ROWS = 1000
# A line of the stream at least so often, so that both ends know that the other is there.
PING_S = 15
# A token may have ended, or a role changed, since the stream began.
ASK_AGAIN_S = 60.0
# Records that not everybody may see → the endpoint that one must be allowed to call.
_NEEDS = {"emergency": f"{API}/emergencies", "handover": f"{API}/handovers"}

Mine = Annotated[str | None, Query(max_length=32, description="煤矿编码 · Mine.")]


@router.get("/journal", summary="日志 · The journal, the newest line first")
def journal(
    service: Serving,
    user: Caller,
    mine: Mine = None,
    by: Annotated[str | None, Query(max_length=64, description="谁 · Who.")] = None,
    what: Annotated[str | None, Query(max_length=64, description="何事，如 alarm.raised · What.")] = None,
    subject: Annotated[str | None, Query(max_length=256, description="对象 · About what.")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="上一页的 next · `next` of a page.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
) -> Response:
    """Lines of the mines that the user sees; lines about no mine, such as logins, are the administrator's."""
    mines = mines_asked(user, mine)
    query = select(JOURNAL).order_by(JOURNAL.c.seq.desc()).limit(limit + 1)
    if user.role != "admin":
        query = query.where(JOURNAL.c.mine_code != "")
    if mines:
        seen = [*sorted(mines), *([""] if user.role == "admin" and mine is None else [])]
        query = query.where(JOURNAL.c.mine_code.in_(seen))
    for column, value in ((JOURNAL.c.by, by), (JOURNAL.c.what, what), (JOURNAL.c.subject, subject)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(JOURNAL.c.seq < before)
    with service.room.database.reading() as connection:
        rows = [dict(each._mapping) for each in connection.execute(query)]
    page = [each | {"facts": json.loads(each["facts"])} for each in rows[:limit]]
    return Json({"rows": page, "next": page[-1]["seq"] if len(rows) > limit else None})


@router.get("/stream", summary="变化推送（SSE）· What changes, as it changes")
async def stream(
    request: Request,
    service: Serving,
    user: Caller,
    mine: Mine = None,
    last_event_id: Annotated[str | None, Header(max_length=32)] = None,
) -> Response:
    """Server-Sent Events. `hello` first: the time, the newest line of the journal, the version of each table. Then
    `change` for each line of the journal, with its number as id: a client that comes back with Last-Event-ID gets what
    it missed. `tables` says which tables of the lake have a new version; it needs no id, `hello` tells it again."""
    mines = mines_asked(user, mine)
    after = int(last_event_id) if last_event_id and last_event_id.isdecimal() else service.room.head.seq
    news: News = request.app.state.news
    return EventSourceResponse(_told(service, news, user, mines, after), ping=PING_S)


async def _told(
    service: Service, news: News, user: User, mines: frozenset[str], after: int
) -> AsyncIterator[ServerSentEvent]:
    versions = dict(service.versions)
    hello = {"now": service.room.clock(), "seq": service.room.head.seq, "tables": versions}
    yield ServerSentEvent(as_json(hello), event="hello")
    is_current = asyncio.get_running_loop().time() + ASK_AGAIN_S
    while True:
        heard = news.number
        lines = await asyncio.to_thread(service.room.lines_after, after)
        for line in lines:
            after = line.seq
            if is_for(line, user, mines):
                yield ServerSentEvent(as_json(_shown(line)), event="change", id=str(line.seq))
        moved = {name: number for name, number in service.versions.items() if versions.get(name) != number}
        if moved:
            versions |= moved
            yield ServerSentEvent(as_json(moved), event="tables")
        if asyncio.get_running_loop().time() >= is_current:
            now = await asyncio.to_thread(service.users.get, user.login)
            if now is None or now.tokens_from != user.tokens_from:
                return
            is_current += ASK_AGAIN_S
        if not lines:
            await news.wait(heard, ASK_AGAIN_S)


def is_for(line: Line, user: User, mines: frozenset[str]) -> bool:
    """Changes of what stands on the board, in the mines that are asked for; of emergencies for who may see them."""
    kind = line.what.partition(".")[0]
    if kind in _NEEDS and not may(user.role, "GET", _NEEDS[kind]):
        return False
    return kind in TYPES and (not mines or line.mine_code in mines)


def _shown(line: Line) -> dict[str, Any]:
    return {
        "seq": line.seq, "at": line.at, "what": line.what, "subject": line.subject, "mine_code": line.mine_code,
        "by": line.by, "facts": json.loads(line.facts),
    }  # fmt: skip
