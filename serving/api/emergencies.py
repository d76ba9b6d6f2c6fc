"""Emergencies over HTTP: signs, plans ranked, the declared ones with people, air, steps and messages."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from minefusion.schemas.errors import InputError
from minefusion.schemas.persons import masked_name
from minefusion.schemas.site import Site
from minefusion.schemas.site_escape import SELF_RESCUER_MIN
from minefusion.serving.accounts.users import User
from minefusion.serving.alarms.changes import plain, read
from minefusion.serving.alarms.classes import CHANNELS
from minefusion.serving.api.answers import Json, cursor_to, older
from minefusion.serving.api.problems import ProblemError, not_there
from minefusion.serving.api.service import API, Caller, Service, Serving, mines_asked, write_down_look
from minefusion.serving.api.site_files import site_of
from minefusion.serving.emergency import events
from minefusion.serving.emergency.conditions import conditions_of, people_in
from minefusion.serving.emergency.kinds import kinds, signs
from minefusion.serving.emergency.outbox import drafts
from minefusion.serving.emergency.people import counts, fixes, people_of, roster
from minefusion.serving.emergency.plan_book import Matched, Plan, matched, plans_of
from minefusion.serving.emergency.records import Emergency, Says
from minefusion.serving.journal.tables import EMERGENCY
from minefusion.serving.text import Text

router = APIRouter(prefix=API, tags=["emergencies"])

MOST_ROWS = 200

Mine = Annotated[str, Query(description="煤矿编码 · Mine.", max_length=32)]
Name = Annotated[str, Field(max_length=64)]
Words = Annotated[str, Field(max_length=2000)]
Severity = Annotated[int, Field(ge=1, le=4, description="1 蓝 … 4 红 · 1 blue … 4 red.")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DeclaredOf(_Body):
    """What is known of it. Everybody who may be underground is put on the roster."""

    mine_code: Annotated[str, Field(max_length=32)]
    area_id: Name
    kind: Name
    severity: Severity
    words: Words
    is_drill: bool = False


class JudgedOf(_Body):
    area_id: Name
    kind: Name
    severity: Severity
    why: Words


class PlanOf(_Body):
    plan_id: Name


class StepOf(_Body):
    note: Words = ""


class MessageOf(_Body):
    channel: Name
    to: Annotated[str, Field(max_length=128)]
    text: Words


class UnderstoodOf(_Body):
    """Who said that the message was understood."""

    who: Annotated[str, Field(max_length=128)]


class AnswerOf(_Body):
    """What somebody said of themselves, or that they did not answer."""

    person_hash: Annotated[str, Field(min_length=32, max_length=32, pattern="^[0-9a-f]+$")]
    says: Says
    channel: Name
    note: Words = ""


class OutOf(_Body):
    person_hash: Annotated[str, Field(min_length=32, max_length=32, pattern="^[0-9a-f]+$")]
    note: Words = ""


class EndOf(_Body):
    """Why it is ended; needed where somebody is not out."""

    why: Words = ""


@router.get("/emergencies/options", summary="险情种类与通知方式 · Kinds of emergencies, channels and answers")
def options(_: Caller) -> Response:
    says = {
        "safe": Text("安全", "safe"), "injured": Text("受伤", "injured"), "trapped": Text("被困", "trapped"),
        "no_answer": Text("无应答", "no answer"),
    }  # fmt: skip
    return Json({"kinds": plain(dict(kinds())), "channels": plain(CHANNELS), "says": plain(says)})


@router.get("/emergencies/signs", summary="险情征兆 · Active alarms that may be the beginning of an emergency")
def emergency_signs(service: Serving, user: Caller, mine: Mine) -> Response:
    """Nothing is declared by itself: a person judges."""
    mines_asked(user, mine)
    active = [each for each in service.room.board.alarms.values() if each.mine_code == mine and each.is_active]
    return Json({"rows": plain(signs(active))})


@router.get("/emergencies/plans", summary="预案匹配 · Plans ranked for such an emergency, with reasons")
def emergency_plans(
    service: Serving,
    user: Caller,
    mine: Mine,
    kind: Annotated[str, Query(max_length=64)],
    area_id: Annotated[str, Query(max_length=64)],
    severity: Annotated[int, Query(ge=1, le=4)],
) -> Response:
    mines_asked(user, mine)
    if kind not in kinds():
        raise ProblemError(422, "险情种类不在列表", f"expected a kind, one of {', '.join(kinds())}, got '{kind}'")
    return Json({"rows": [_plan(each) for each in _matched(service, mine, kind, area_id, severity)]})


@router.get("/emergencies", summary="险情 · Emergencies, the newest first")
def emergencies(
    service: Serving,
    user: Caller,
    mine: Annotated[str | None, Query(max_length=32)] = None,
    is_open: Annotated[bool | None, Query(description="尚未结束 · Still going on.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
    cursor: Annotated[str | None, Query(description="上一页的 next · `next` of a page.", max_length=2000)] = None,
) -> Response:
    mines = mines_asked(user, mine)
    query = select(EMERGENCY.c.body, EMERGENCY.c.declared_at, EMERGENCY.c.emergency_id)
    if mines:
        query = query.where(EMERGENCY.c.mine_code.in_(sorted(mines)))
    if is_open is not None:
        query = query.where(EMERGENCY.c.ended_at.is_(None) if is_open else EMERGENCY.c.ended_at.is_not(None))
    if cursor:
        query = query.where(older(EMERGENCY.c.declared_at, EMERGENCY.c.emergency_id, cursor))
    query = query.order_by(EMERGENCY.c.declared_at.desc(), EMERGENCY.c.emergency_id).limit(limit + 1)
    with service.room.database.reading() as connection:
        rows = connection.execute(query).all()
    shown = [_brief(read(Emergency, json.loads(each.body))) for each in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return Json({"rows": shown, "next": cursor_to([last.declared_at, last.emergency_id]) if last else None})


@router.post("/emergencies", summary="宣布险情 · Declare an emergency", status_code=201)
def declare(service: Serving, user: Caller, body: DeclaredOf) -> Response:
    mine = body.mine_code
    mines_asked(user, mine)
    _known_area(service, mine, body.area_id)
    found = fixes(service.reader, service.person_key, mine, service.room.clock())
    event = events.Declare(
        mine, body.area_id, body.kind, body.severity, body.words, roster(found), user.login, body.is_drill
    )
    (line,) = service.room.handle(event)
    return Json(_shown(service, _emergency(service, user, line.subject)), status_code=201)


@router.get("/emergencies/{emergency_id}", summary="一个险情 · One emergency: clock, plan and steps, outbox")
def emergency(service: Serving, user: Caller, emergency_id: str) -> Response:
    return Json(_shown(service, _emergency(service, user, emergency_id)))


@router.get("/emergencies/{emergency_id}/people", summary="人员（逐次留痕）· Who is where, and how they come out")
def emergency_people(service: Serving, user: Caller, emergency_id: str) -> Response:
    """Everybody of the roster and whoever came later: place, age of the fix, way out against the self-rescuer, answer.
    Who needs somebody most stands first."""
    one = _emergency(service, user, emergency_id)
    write_down_look(service, user, "emergency", frozenset({one.mine_code}), emergency=emergency_id)
    at = one.ended_at or service.room.clock()
    rows = _people(service, one, at)
    shown = [row | {"name": _name(user, row["name"])} for row in rows]
    return Json({"at": at, "counts": counts(rows), "rows": shown})


@router.get("/emergencies/{emergency_id}/conditions", summary="气体与风流 · Gas and air now and by forecast, causes")
def emergency_conditions(service: Serving, user: Caller, emergency_id: str) -> Response:
    one = _emergency(service, user, emergency_id)
    at = one.ended_at or service.room.clock()
    active = [each for each in service.room.board.alarms.values() if each.is_active]
    told: dict[str, Any] = conditions_of(service.reader, one, active, at)
    site, fault = _site(service, one.mine_code)
    chambers = plain(site.refuge_chambers) if site else []
    return Json(told | {"at": at, "refuge_chambers": chambers, "exits": plain(site.exits) if site else [],
                        "site_fault": fault})  # fmt: skip


@router.post("/emergencies/{emergency_id}/judged", summary="改判 · Judge kind, place or severity anew")
def judged(service: Serving, user: Caller, emergency_id: str, body: JudgedOf) -> Response:
    one = _emergency(service, user, emergency_id)
    _known_area(service, one.mine_code, body.area_id)
    event = events.Reassess(emergency_id, body.area_id, body.kind, body.severity, body.why, user.login)
    return _done(service, user, event)


@router.post("/emergencies/{emergency_id}/plan", summary="选定预案 · Go by a plan; its messages are prepared")
def choose_plan(service: Serving, user: Caller, emergency_id: str, body: PlanOf) -> Response:
    one = _emergency(service, user, emergency_id)
    plan = _plan_named(service, one, body.plan_id)
    now = service.room.clock()
    people = people_in(service.reader, one.mine_code, one.area_id, now)
    prepared = drafts(plan, one, _place(service, one), people, now)
    return _done(service, user, events.ChoosePlan(emergency_id, plan.plan_id, prepared, user.login))


@router.post("/emergencies/{emergency_id}/steps/{step_id}/done", summary="步骤已完成 · A step was done")
def step_done(service: Serving, user: Caller, emergency_id: str, step_id: str, body: StepOf) -> Response:
    one = _emergency(service, user, emergency_id)
    if one.plan_id is not None:
        plan = _plan_named(service, one, one.plan_id)
        if step_id not in {each.step_id for each in plan.steps}:
            raise not_there("此步骤", "step of the chosen plan")
    return _done(service, user, events.ReportStep(emergency_id, step_id, user.login, body.note))


@router.post("/emergencies/{emergency_id}/messages", summary="拟消息 · Prepare a message of one's own")
def prepare(service: Serving, user: Caller, emergency_id: str, body: MessageOf) -> Response:
    _emergency(service, user, emergency_id)
    return _done(service, user, events.Prepare(emergency_id, body.channel, body.to, body.text, user.login))


@router.post("/emergencies/{emergency_id}/messages/{number}/sent", summary="已发出 · A person sent it")
def sent(service: Serving, user: Caller, emergency_id: str, number: int) -> Response:
    _emergency(service, user, emergency_id)
    return _done(service, user, events.ReportSent(emergency_id, number, user.login))


@router.post("/emergencies/{emergency_id}/messages/{number}/understood", summary="已回执 · It was understood")
def understood(service: Serving, user: Caller, emergency_id: str, number: int, body: UnderstoodOf) -> Response:
    _emergency(service, user, emergency_id)
    return _done(service, user, events.ReportUnderstood(emergency_id, number, body.who, user.login))


@router.post("/emergencies/{emergency_id}/answers", summary="呼叫结果 · Somebody was called")
def answer(service: Serving, user: Caller, emergency_id: str, body: AnswerOf) -> Response:
    _known_person(service, _emergency(service, user, emergency_id), body.person_hash)
    event = events.Hear(emergency_id, body.person_hash, body.says, body.channel, user.login, body.note)
    return _done(service, user, event)


@router.post("/emergencies/{emergency_id}/out", summary="清点出井 · Somebody was counted out by a person")
def counted_out(service: Serving, user: Caller, emergency_id: str, body: OutOf) -> Response:
    _known_person(service, _emergency(service, user, emergency_id), body.person_hash)
    return _done(service, user, events.CountOutPerson(emergency_id, body.person_hash, user.login, body.note))


@router.post("/emergencies/{emergency_id}/end", summary="结束 · End it; with a reason where somebody is not out")
def end(service: Serving, user: Caller, emergency_id: str, body: EndOf) -> Response:
    one = _emergency(service, user, emergency_id)
    inside = counts(_people(service, one, service.room.clock()))["inside"]
    return _done(service, user, events.End(emergency_id, inside, user.login, body.why))


# ── what they share ─────────────────────────────────────────────────────────────────────────────────────────────────


def _done(service: Service, user: User, event: Any) -> Response:
    """Let it happen; answers the emergency as it is then, with the numbers of the lines in the journal."""
    lines = service.room.handle(event)
    one = _emergency(service, user, event.emergency_id)
    return Json(_shown(service, one) | {"journal": [each.seq for each in lines]})


def _emergency(service: Service, user: User, emergency_id: str) -> Emergency:
    """The emergency, if the user may see it; also one that is long over."""
    one = service.room.board.emergencies.get(emergency_id)
    if one is None:
        with service.room.database.reading() as connection:
            query = select(EMERGENCY.c.body).where(EMERGENCY.c.emergency_id == emergency_id)
            body = connection.execute(query).scalar()
        one = read(Emergency, json.loads(body)) if body else None
    if one is None or not user.sees(one.mine_code):
        raise not_there("此险情", "emergency")
    return one


def _brief(one: Emergency) -> dict[str, Any]:
    """An emergency without its people."""
    left_out = ("roster", "answers", "brought_out", "steps", "messages")
    text = kinds()[one.kind]
    rest = {name: value for name, value in plain(one).items() if name not in left_out}
    return rest | {"kind_zh": text.zh, "kind_en": text.en, "is_open": one.is_open, "on_roster": len(one.roster)}


def _shown(service: Service, one: Emergency) -> dict[str, Any]:
    """An emergency with its clock, its plan's steps and its outbox."""
    now = service.room.clock()
    place = _place(service, one)
    plan = _plan_named(service, one, one.plan_id) if one.plan_id is not None else None
    done = {each.step_id: each for each in one.steps if each.plan_id == one.plan_id}
    steps = [
        plain(each)
        | {
            "number": number,
            "due_s": None if each.within_min is None else 60 * each.within_min,
            "done": plain(done.get(each.step_id)),
            "is_overdue": each.step_id not in done and each.within_min is not None
            and (now - one.declared_at).total_seconds() > 60 * each.within_min and one.is_open,
        }
        for number, each in enumerate(plan.steps if plan else (), 1)
    ]  # fmt: skip
    return _brief(one) | {
        "now": now,
        "elapsed_s": ((one.ended_at or now) - one.declared_at).total_seconds(),
        "area_zh": place.zh,
        "area_en": place.en,
        "plan": {"plan_id": plan.plan_id, "zh": plan.zh, "en": plan.en, "source": plan.source} if plan else None,
        "steps": steps,
        "messages": [
            plain(each) | {"channel_zh": CHANNELS[each.channel].zh, "channel_en": CHANNELS[each.channel].en}
            for each in one.messages
        ],
    }


def _plan(found: Matched) -> dict[str, Any]:
    told: dict[str, Any] = plain(found.plan)
    return told | {"is_own": found.is_own, "reasons": plain(found.reasons)}


def _matched(service: Service, mine: str, kind: str, area_id: str, severity: int) -> list[Matched]:
    plans, own = plans_of(service.reader.lake, mine)
    return matched(plans, own, kind, _area_kinds(service, mine).get(area_id), severity)


def _plan_named(service: Service, one: Emergency, plan_id: str) -> Plan:
    plans, _ = plans_of(service.reader.lake, one.mine_code)
    plan = next((each for each in plans if each.plan_id == plan_id), None)
    if plan is None:
        raise not_there("此预案", "plan")
    return plan


def _areas(service: Service, mine: str) -> dict[str, dict[str, Any]]:
    rows = service.reader.sql(
        "SELECT area_id, name_zh, name_en, kind FROM silver.area WHERE mine_code = $mine", mine=mine
    )
    return {row["area_id"]: row for row in rows}


def _area_kinds(service: Service, mine: str) -> dict[str, str | None]:
    return {area_id: row["kind"] for area_id, row in _areas(service, mine).items()}


def _place(service: Service, one: Emergency) -> Text:
    area = _areas(service, one.mine_code).get(one.area_id, {})
    return Text(area.get("name_zh") or one.area_id, area.get("name_en") or one.area_id)


def _known_area(service: Service, mine: str, area_id: str) -> None:
    if area_id not in _areas(service, mine):
        raise ProblemError(422, "没有此区域", f"expected an area of mine {mine}, got '{area_id}'; see /areas")


def _known_person(service: Service, one: Emergency, person_hash: str) -> None:
    """On the roster, or a card of the mine: rescuers and late cards are heard of, too."""
    if person_hash not in one.roster and person_hash not in service.cards.of(one.mine_code):
        raise not_there("此人员", "person")


def _people(service: Service, one: Emergency, at: datetime) -> list[dict[str, Any]]:
    site, _ = _site(service, one.mine_code)
    lasts = (site.self_rescuer_min if site else None) or SELF_RESCUER_MIN
    return people_of(service.reader, service.person_key, one, lasts, at)


def _name(user: User, name: str | None) -> str | None:
    return name if user.sees_names or name is None else masked_name(name)


def _site(service: Service, mine: str) -> tuple[Site | None, str | None]:
    """The site and what is wrong with its file: in an emergency the rest is shown all the same."""
    try:
        return site_of(service.reader, mine), None
    except InputError as error:
        return None, str(error)
