"""Alarms as the engine holds them, and what people do with them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import or_, select

from minefusion.serving.accounts.users import User
from minefusion.serving.alarms import events
from minefusion.serving.alarms.changes import plain, read
from minefusion.serving.alarms.classes import (
    CHANNELS,
    PRIORITIES,
    REJECTIONS,
    causes,
    classes,
    clocks,
    ladder,
    priority_of,
)
from minefusion.serving.alarms.kpi import kpis
from minefusion.serving.alarms.records import Alarm, HoldKind, State
from minefusion.serving.api.answers import Json, cursor_to, known_already, older, tag_of
from minefusion.serving.api.problems import ProblemError, not_there
from minefusion.serving.api.service import API, Caller, Service, Serving, mines_asked
from minefusion.serving.journal.tables import ALARM, HOLD, JOURNAL

router = APIRouter(prefix=API, tags=["alarms"])

MOST_ROWS = 1000
LONGEST_KPI = timedelta(days=366)
USUAL_KPI = timedelta(days=30)

AlarmId = Annotated[str, Field(max_length=256)]
Words = Annotated[str, Field(max_length=2000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Acknowledged(_Body):
    """Regulator-class alarms one at a time, with a note."""

    alarm_ids: Annotated[list[AlarmId], Field(min_length=1, max_length=500)]
    note: Words = ""


class Assigned(_Body):
    to: Annotated[str, Field(max_length=64)]


class Noted(_Body):
    text: Words


class Shelved(_Body):
    until: AwareDatetime
    reason: Words


class Held(_Body):
    reason: Words


class Lifted(_Body):
    tag: Annotated[str, Field(max_length=256)]


class Judged(_Body):
    """Of an advisory; a rejection says why."""

    verdict: Literal["confirmed", "rejected"]
    why: Literal["not_there", "bad_input", "known_work"] | None = None


@router.get("/alarms", summary="报警 · Alarms, the newest first")
def alarms(
    request: Request,
    service: Serving,
    user: Caller,
    mine: Annotated[str | None, Query(max_length=32)] = None,
    area_id: Annotated[str | None, Query(max_length=64)] = None,
    state: Annotated[State | None, Query(description="状态 · State.")] = None,
    level: Annotated[int | None, Query(ge=1, le=4, description="等级 · Level.")] = None,
    priority: Annotated[int | None, Query(ge=1, le=4, description="优先级 1 紧急 · Priority, 1 urgent.")] = None,
    is_open: Annotated[bool | None, Query(description="还须处理 · Still asks for something.")] = None,
    is_advisory: Annotated[bool | None, Query(description="智能提示 · Advisories of models, or not.")] = None,
    class_name: Annotated[str | None, Query(max_length=32)] = None,
    incident_id: Annotated[str | None, Query(max_length=256)] = None,
    begin: Annotated[AwareDatetime | None, Query(alias="from", description="raised_at ≥")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to", description="raised_at <")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    mines = mines_asked(user, mine)
    equals = {
        "area_id": area_id, "state": state, "level": level, "priority": priority, "is_open": is_open,
        "is_advisory": is_advisory, "class_name": class_name, "incident_id": incident_id,
    }  # fmt: skip
    tag = tag_of("alarms", service.room.head, mines, equals, begin, end, limit, cursor)
    if (same := known_already(request, tag)) is not None:
        return same
    query = select(ALARM.c.alarm_id, ALARM.c.raised_at, ALARM.c.state, ALARM.c.priority, ALARM.c.is_open, ALARM.c.body)
    if mines:
        query = query.where(ALARM.c.mine_code.in_(sorted(mines)))
    query = query.where(*(ALARM.c[name] == value for name, value in equals.items() if value is not None))
    if begin is not None:
        query = query.where(ALARM.c.raised_at >= begin)
    if end is not None:
        query = query.where(ALARM.c.raised_at < end)
    if cursor:
        query = query.where(older(ALARM.c.raised_at, ALARM.c.alarm_id, cursor))
    query = query.order_by(ALARM.c.raised_at.desc(), ALARM.c.alarm_id).limit(limit + 1)
    with service.room.database.reading() as connection:
        rows = connection.execute(query).all()
    page = rows[:limit]
    further = cursor_to([page[-1].raised_at, page[-1].alarm_id]) if len(rows) > limit else None
    return Json({"rows": [_shown(each) for each in page], "next": further}, headers={"ETag": tag})


@router.get("/alarms/kpi", summary="报警考核（ISA-18.2、EEMUA 191）· Alarm load and handling")
def alarm_kpis(
    service: Serving,
    user: Caller,
    mine: Annotated[str | None, Query(max_length=32)] = None,
    begin: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> Response:
    """Of the alarms that came into sight from `from` (without it 30 days before the end) to `to` (without it now)."""
    end = end or service.room.clock()
    try:
        begin = begin or end - USUAL_KPI
    except OverflowError:
        begin = end
    if not timedelta(0) < end - begin <= LONGEST_KPI:
        raise ProblemError(422, "时段须大于 0、不超过一年", "expected from before to, a year at most")
    mines = mines_asked(user, mine)
    return Json(kpis(alarms_between(service, mines, begin, end), begin, end))


def alarms_between(service: Service, mines: frozenset[str], begin: datetime, end: datetime) -> list[Alarm]:
    """Alarms that were shown, stood or were dealt with from one instant to another; without mines of all."""
    query = select(ALARM.c.body).where(
        ALARM.c.shown_at < end,
        or_(ALARM.c.shown_at >= begin, ALARM.c.is_open, ALARM.c.cleared_at >= begin, ALARM.c.acked_at >= begin),
    )
    if mines:
        query = query.where(ALARM.c.mine_code.in_(sorted(mines)))
    with service.room.database.reading() as connection:
        return [read(Alarm, json.loads(body)) for (body,) in connection.execute(query)]


@router.get("/alarms/{alarm_id:path}/journal", summary="报警日志 · The journal of one alarm")
def alarm_journal(service: Serving, user: Caller, alarm_id: str) -> Response:
    alarm = _alarm(service, user, alarm_id)
    subjects = [alarm_id, alarm["tag"], *([alarm["disposition_id"]] if alarm["disposition_id"] else [])]
    query = select(JOURNAL).where(JOURNAL.c.subject.in_(subjects)).order_by(JOURNAL.c.seq)
    with service.room.database.reading() as connection:
        rows = [dict(each._mapping) for each in connection.execute(query)]
    return Json({"rows": [each | {"facts": json.loads(each["facts"])} for each in rows]})


@router.get("/alarms/{alarm_id:path}", summary="一条报警 · One alarm")
def alarm(service: Serving, user: Caller, alarm_id: str) -> Response:
    return Json(_alarm(service, user, alarm_id))


@router.post("/alarms/acknowledge", summary="确认 · Acknowledge")
def acknowledge(service: Serving, user: Caller, body: Acknowledged) -> Response:
    for each in body.alarm_ids:
        _alarm(service, user, each)
    return _done(service, events.Acknowledge(tuple(body.alarm_ids), user.login, body.note))


@router.post("/alarms/{alarm_id:path}/assign", summary="指派 · Assign")
def assign(service: Serving, user: Caller, alarm_id: str, body: Assigned) -> Response:
    _alarm(service, user, alarm_id)
    return _done(service, events.Assign(alarm_id, body.to, user.login))


@router.post("/alarms/{alarm_id:path}/note", summary="备注 · Note")
def note(service: Serving, user: Caller, alarm_id: str, body: Noted) -> Response:
    _alarm(service, user, alarm_id)
    return _done(service, events.Remark(alarm_id, body.text, user.login))


@router.post("/alarms/{alarm_id:path}/reset", summary="复位 · Reset a latched alarm")
def reset(service: Serving, user: Caller, alarm_id: str) -> Response:
    _alarm(service, user, alarm_id)
    return _done(service, events.Reset(alarm_id, user.login))


@router.post("/alarms/{alarm_id:path}/shelve", summary="搁置 · Shelve its source")
def shelve(service: Serving, user: Caller, alarm_id: str, body: Shelved) -> Response:
    return _hold(service, user, alarm_id, "shelved", body.reason, body.until)


@router.post("/alarms/{alarm_id:path}/suppress", summary="设计抑制 · Suppress its source by design")
def suppress(service: Serving, user: Caller, alarm_id: str, body: Held) -> Response:
    return _hold(service, user, alarm_id, "suppressed_by_design", body.reason)


@router.post("/alarms/{alarm_id:path}/out-of-service", summary="停用 · Take its source out of service")
def out_of_service(service: Serving, user: Caller, alarm_id: str, body: Held) -> Response:
    return _hold(service, user, alarm_id, "out_of_service", body.reason)


@router.post("/alarms/{alarm_id:path}/verdict", summary="判定智能提示 · Confirm or reject an advisory")
def verdict(service: Serving, user: Caller, alarm_id: str, body: Judged) -> Response:
    _alarm(service, user, alarm_id)
    return _done(service, events.Decide(alarm_id, body.verdict, user.login, body.why))


@router.get("/holds", summary="搁置、抑制、停用 · Sources on hold")
def holds(service: Serving, user: Caller, mine: Annotated[str | None, Query(max_length=32)] = None) -> Response:
    mines = mines_asked(user, mine)
    query = select(HOLD.c.body).where(HOLD.c.is_lifted.is_(False)).order_by(HOLD.c.tag)
    if mines:
        query = query.where(HOLD.c.mine_code.in_(sorted(mines)))
    with service.room.database.reading() as connection:
        return Json({"rows": [json.loads(body) for (body,) in connection.execute(query)]})


@router.post("/holds/lift", summary="解除搁置或抑制 · Lift a hold")
def lift(service: Serving, user: Caller, body: Lifted) -> Response:
    hold = service.room.board.hold_on(body.tag)
    if hold is None or not user.sees(hold.mine_code):
        raise not_there("此搁置", "hold")
    return _done(service, events.Lift(body.tag, user.login))


@router.get("/options", summary="各选项 · Classes, causes, channels and clocks to choose from")
def options(_: Caller) -> Response:
    return Json(
        {
            "classes": [
                plain(each) | {"dead_band": each.dead_band.total_seconds(), "causes": plain(causes(each.name))}
                | {"ladders": {
                    str(priority): [[rung.after.total_seconds(), rung.to.zh, rung.to.en]
                                    for rung in ladder(each, priority)] for priority in PRIORITIES
                }}
                for each in classes().values()
            ],
            "priorities": plain(PRIORITIES),
            "channels": plain(CHANNELS),
            "rejections": plain(REJECTIONS),
            "clocks": {name: each.within.total_seconds() for name, each in clocks().items()},
        }
    )  # fmt: skip


def _alarm(service: Service, user: User, alarm_id: str) -> dict[str, Any]:
    """The alarm as it is shown, if the user may see it."""
    columns = (ALARM.c.mine_code, ALARM.c.state, ALARM.c.priority, ALARM.c.is_open, ALARM.c.body)
    with service.room.database.reading() as connection:
        row = connection.execute(select(*columns).where(ALARM.c.alarm_id == alarm_id)).first()
    if row is None or not user.sees(row.mine_code):
        raise not_there("此报警", "alarm")
    return _shown(row)


def _hold(
    service: Service, user: User, alarm_id: str, kind: HoldKind, reason: str, until: datetime | None = None
) -> Response:
    _alarm(service, user, alarm_id)
    return _done(service, events.PutOnHold(alarm_id, kind, reason, user.login, until))


def _done(service: Service, event: events.Event) -> Response:
    """What came of it: the numbers of the lines in the journal."""
    return Json({"journal": [each.seq for each in service.room.handle(event)]})


def _shown(row: Any) -> dict[str, Any]:
    """A row of the table as it is shown."""
    return shown(read(Alarm, json.loads(row.body)), row.state, row.is_open)


def shown(record: Alarm, state: State, is_open: bool) -> dict[str, Any]:
    """An alarm as it is shown: the record, where it stands, and what its lead finding says."""
    lead, name, number = record.lead, record.alarm_class.text, priority_of(record.level)
    priority = PRIORITIES[number]
    return plain(record) | {
        "state": state, "is_open": is_open, "level": record.level, "is_active": record.is_active,
        "priority": number, "priority_zh": priority.zh, "priority_en": priority.en,
        "class_zh": name.zh, "class_en": name.en, "is_regulator": record.alarm_class.is_regulator,
        "is_advisory": record.alarm_class.is_advisory, "kind": lead.kind, "raised_at": record.raised_at,
        "cleared_at": record.cleared_at, "value": lead.value, "unit": lead.unit,
        "legal_exceeded": any(each.legal_exceeded for each in record.findings),
        "people_in_area": lead.people_in_area, "sentence_zh": lead.sentence_zh, "sentence_en": lead.sentence_en,
    }  # fmt: skip
