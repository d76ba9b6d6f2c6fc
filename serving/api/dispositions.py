"""Dispositions: what is done about an incident, step by step, until a second person has checked it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response, UploadFile
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import insert, select

from minefusion.serving.accounts.users import User
from minefusion.serving.alarms import events
from minefusion.serving.alarms.changes import plain, read
from minefusion.serving.alarms.classes import clocks
from minefusion.serving.alarms.disposing import missing, unmet
from minefusion.serving.alarms.records import Alarm, Board, Disposition
from minefusion.serving.api.answers import Json, cursor_to, older
from minefusion.serving.api.problems import ProblemError, not_there
from minefusion.serving.api.service import API, Caller, Service, Serving, mines_asked
from minefusion.serving.journal.tables import ALARM, ATTACHMENT, DISPOSITION

router = APIRouter(prefix=API, tags=["dispositions"])

MOST_ROWS = 500
MOST_BYTES = 8 << 20
# What a browser shows or saves and never runs.
MEDIA_TYPES = ("image/png", "image/jpeg", "application/pdf", "video/mp4", "text/plain", "text/csv")

Name = Annotated[str, Field(max_length=64)]
Words = Annotated[str, Field(max_length=2000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ToldOf(_Body):
    """Who was told, as what, by which channel, when, and whether there was an answer."""

    who: Name
    role: Name = ""
    channel: Name
    told_at: AwareDatetime
    has_answered: bool | None = None


class CauseOf(_Body):
    cause: Name
    evidence: Annotated[list[Words], Field(max_length=50)] = []
    note: Words = ""


class ActionOf(_Body):
    text: Words
    assigned_to: Name = ""


class DoneOf(_Body):
    result: Words = ""


class OutOf(_Body):
    """How many are out, of how many."""

    out: Annotated[int, Field(ge=0, le=100_000)]
    of: Annotated[int, Field(ge=0, le=100_000)]


class RestoredOf(_Body):
    restored_at: AwareDatetime
    inspector: Name
    ch4_pct: Annotated[float, Field(ge=0, le=100)] | None = None


class CheckOf(_Body):
    is_agreed: bool
    reason: Words = ""


@router.get("/dispositions", summary="处置单 · Dispositions, the newest first")
def dispositions(
    service: Serving,
    user: Caller,
    mine: Annotated[str | None, Query(max_length=32)] = None,
    state: Annotated[Literal["draft", "handling", "submitted", "closed"] | None, Query()] = None,
    incident_id: Annotated[str | None, Query(max_length=256)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
    cursor: Annotated[str | None, Query(description="上一页的 next · `next` of a page.", max_length=2000)] = None,
) -> Response:
    mines = mines_asked(user, mine)
    query = select(DISPOSITION.c.body, DISPOSITION.c.opened_at, DISPOSITION.c.disposition_id)
    if mines:
        query = query.where(DISPOSITION.c.mine_code.in_(sorted(mines)))
    if state:
        query = query.where(DISPOSITION.c.state == state)
    if incident_id:
        query = query.where(DISPOSITION.c.incident_id == incident_id)
    if cursor:
        query = query.where(older(DISPOSITION.c.opened_at, DISPOSITION.c.disposition_id, cursor))
    query = query.order_by(DISPOSITION.c.opened_at.desc(), DISPOSITION.c.disposition_id).limit(limit + 1)
    with service.room.database.reading() as connection:
        rows = connection.execute(query).all()
        page = [json.loads(each.body) for each in rows[:limit]]
        shown = [_shown(service, each, _alarms(connection, each)) for each in page]
    last = rows[limit - 1] if len(rows) > limit else None
    return Json({"rows": shown, "next": cursor_to([last.opened_at, last.disposition_id]) if last else None})


@router.get("/dispositions/{disposition_id}", summary="一张处置单 · One disposition")
def disposition(service: Serving, user: Caller, disposition_id: str) -> Response:
    """With its clocks, what is missing before it may be submitted, and what stands in the way of restoring."""
    return Json(_seen(service, user, disposition_id))


@router.post("/dispositions/{disposition_id}/told", summary="通知 · Somebody was told")
def told(service: Serving, user: Caller, disposition_id: str, body: ToldOf) -> Response:
    event = events.Tell(disposition_id, body.who, body.role, body.channel, body.told_at, user.login, body.has_answered)
    return _done(service, user, event)


@router.post("/dispositions/{disposition_id}/cause", summary="判定原因 · Judge the cause")
def cause(service: Serving, user: Caller, disposition_id: str, body: CauseOf) -> Response:
    return _done(
        service, user, events.JudgeCause(disposition_id, body.cause, user.login, tuple(body.evidence), body.note)
    )


@router.post("/dispositions/{disposition_id}/actions", summary="措施 · Something to be done")
def action(service: Serving, user: Caller, disposition_id: str, body: ActionOf) -> Response:
    return _done(service, user, events.PlanAction(disposition_id, body.text, body.assigned_to, user.login))


@router.post("/dispositions/{disposition_id}/actions/{number}/done", summary="回报 · It was done")
def done(service: Serving, user: Caller, disposition_id: str, number: int, body: DoneOf) -> Response:
    return _done(service, user, events.ReportDone(disposition_id, number, body.result, user.login))


@router.post("/dispositions/{disposition_id}/withdrawal", summary="撤人 · How many are out")
def withdrawal(service: Serving, user: Caller, disposition_id: str, body: OutOf) -> Response:
    return _done(service, user, events.CountOut(disposition_id, body.out, body.of, user.login))


@router.post("/dispositions/{disposition_id}/restoration", summary="恢复 · Power or air was given back")
def restoration(service: Serving, user: Caller, disposition_id: str, body: RestoredOf) -> Response:
    event = events.Restore(disposition_id, body.restored_at, body.inspector, user.login, body.ch4_pct)
    return _done(service, user, event)


@router.post("/dispositions/{disposition_id}/attachments", summary="附件 · Attach a file")
def attach(service: Serving, user: Caller, disposition_id: str, file: UploadFile) -> Response:
    """A picture, PDF, clip or text of 8 MiB at most."""
    _seen(service, user, disposition_id)
    if file.content_type not in MEDIA_TYPES:
        raise ProblemError(
            415, "不接受此类文件", f"expected a file of {', '.join(MEDIA_TYPES)}, got {file.content_type}"
        )
    content = file.file.read(MOST_BYTES + 1)
    if not content or len(content) > MOST_BYTES:
        raise ProblemError(413, "文件为空或超过 8 MiB", f"expected 1 to {MOST_BYTES} bytes, got {len(content)} or more")
    digest = hashlib.sha256(content).hexdigest()
    row = {"sha256": digest, "media_type": file.content_type, "size": len(content), "content": content}
    with service.room.database.writing() as connection:
        if connection.execute(select(ATTACHMENT.c.size).where(ATTACHMENT.c.sha256 == digest)).first() is None:
            connection.execute(insert(ATTACHMENT), row)
    name = (file.filename or digest)[:128]
    event = events.Attach(disposition_id, digest, name, file.content_type, len(content), user.login)
    return _done(service, user, event)


@router.get("/dispositions/{disposition_id}/attachments/{sha256}", summary="取附件 · A file that was attached")
def attachment(service: Serving, user: Caller, disposition_id: str, sha256: str) -> Response:
    listed = {each["sha256"] for each in _seen(service, user, disposition_id)["attachments"]}
    with service.room.database.reading() as connection:
        row = connection.execute(select(ATTACHMENT).where(ATTACHMENT.c.sha256 == sha256)).first()
    if sha256 not in listed or row is None:
        raise not_there("此附件", "attachment")
    headers = {"Content-Disposition": f'attachment; filename="{sha256[:12]}"', "X-Content-Type-Options": "nosniff"}
    return Response(row.content, media_type=row.media_type, headers=headers)


@router.post("/dispositions/{disposition_id}/submit", summary="提交复核 · Submit for the second check")
def submit(service: Serving, user: Caller, disposition_id: str) -> Response:
    return _done(service, user, events.Submit(disposition_id, user.login))


@router.post("/dispositions/{disposition_id}/check", summary="复核 · The second person's check")
def check(service: Serving, user: Caller, disposition_id: str, body: CheckOf) -> Response:
    return _done(service, user, events.GiveCheck(disposition_id, body.is_agreed, user.login, body.reason))


def _done(service: Service, user: User, event: Any) -> Response:
    """Let it happen; answers the disposition as it is then, with the numbers of the lines in the journal."""
    _seen(service, user, event.disposition_id)
    lines = service.room.handle(event)
    return Json(_seen(service, user, event.disposition_id) | {"journal": [each.seq for each in lines]})


def _seen(service: Service, user: User, disposition_id: str) -> dict[str, Any]:
    """The disposition as it is shown, if the user may see it."""
    query = select(DISPOSITION.c.body).where(DISPOSITION.c.disposition_id == disposition_id)
    with service.room.database.reading() as connection:
        body = connection.execute(query).scalar()
        row = json.loads(body) if body else None
        if row is None or not user.sees(row["mine_code"]):
            raise not_there("此处置单", "disposition")
        return _shown(service, row, _alarms(connection, row))


def _alarms(connection: Any, row: dict[str, Any]) -> list[Alarm]:
    bodies = connection.execute(select(ALARM.c.body).where(ALARM.c.alarm_id.in_(row["alarm_ids"])))
    return [read(Alarm, json.loads(body)) for (body,) in bodies]


def _shown(service: Service, row: dict[str, Any], alarms: list[Alarm]) -> dict[str, Any]:
    record = read(Disposition, row)
    return shown(record, Board().having(record, *alarms), service.room.clock())


def shown(record: Disposition, board: Board, now: datetime) -> dict[str, Any]:
    """A disposition as it is shown at an instant, with the clocks that run on it and what it lacks."""
    acks = [board.alarms[each].acked_at for each in record.alarm_ids if each in board.alarms]
    ends = {
        "acknowledge": max((each for each in acks if each), default=None) if all(acks) else None,
        "act": record.first_act_at,
        "close": record.closed_at,
    }
    return plain(record) | {
        "missing": plain(missing(record, board)),
        "unmet": plain(unmet(record, board)),
        "handlers": sorted(record.handlers),
        "clocks": {
            name: {
                "within_s": clock.within.total_seconds(),
                "took_s": ((ends[name] or now) - record.opened_at).total_seconds(),
                "is_done": ends[name] is not None,
                "is_over": name in record.overdue,
            }
            for name, clock in clocks().items()
        },
    }
