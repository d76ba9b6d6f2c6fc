"""What people do in an emergency, and what the rules refuse: pure steps over the board."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minefusion.serving.alarms.classes import CHANNELS
from minefusion.serving.alarms.handling import LEAST_NOTE
from minefusion.serving.alarms.work import RefusedError, UnknownError, Work
from minefusion.serving.emergency import events
from minefusion.serving.emergency.kinds import kinds
from minefusion.serving.emergency.plan_book import MILDEST, WORST
from minefusion.serving.emergency.records import Answer, BroughtOut, Emergency, Message, StepDone
from minefusion.serving.numbering import numbered


def conduct(work: Work, event: events.EmergencyEvent) -> None:
    """Let it happen.

    Raises:
        RefusedError: the rules do not allow it.
    """
    match event:
        case events.Declare():
            _declare(work, event)
        case events.Reassess():
            _reassess(work, event)
        case events.ChoosePlan():
            _choose_plan(work, event)
        case events.ReportStep():
            _report_step(work, event)
        case events.Prepare():
            _prepare(work, event)
        case events.ReportSent():
            _report_sent(work, event)
        case events.ReportUnderstood():
            _report_understood(work, event)
        case events.Hear():
            _hear(work, event)
        case events.CountOutPerson():
            _count_out(work, event)
        case events.End():
            _end(work, event)


def _declare(work: Work, event: events.Declare) -> None:
    _check(event.kind, event.severity)
    if len(event.words.strip()) < LEAST_NOTE:
        raise RefusedError("未写明发生了什么", f"expected what is known of it, got '{event.words}'")
    same = [
        each
        for each in work.board.emergencies.values()
        if each.is_open and each.mine_code == event.mine_code and each.area_id == event.area_id
        and each.kind == event.kind
    ]  # fmt: skip
    if same:
        raise RefusedError(
            f"该处同类险情已在处置：{same[0].emergency_id}",
            f"this emergency is declared already: {same[0].emergency_id}; go on with it",
        )
    emergency_id = numbered("E", event.mine_code, work.now, work.board.emergencies)
    declared = Emergency(
        emergency_id, event.mine_code, event.area_id, event.kind, event.severity, event.words.strip(), event.is_drill,
        work.now, event.by, tuple(dict.fromkeys(event.roster)),
    )  # fmt: skip
    work.put("declared", declared, event.by)


def _reassess(work: Work, event: events.Reassess) -> None:
    emergency = _going_on(work, event.emergency_id)
    _check(event.kind, event.severity)
    if len(event.why.strip()) < LEAST_NOTE:
        raise RefusedError("未写明为何改判", f"expected why it is judged anew, got '{event.why}'")
    _put(work, "reassessed", emergency, event.by, area_id=event.area_id, kind=event.kind, severity=event.severity,
         because=(*emergency.because, event.why.strip()))  # fmt: skip


def _choose_plan(work: Work, event: events.ChoosePlan) -> None:
    """Messages that an earlier plan prepared and nobody sent are withdrawn: nobody is told two plans."""
    emergency = _going_on(work, event.emergency_id)
    if emergency.plan_id == event.plan_id:
        raise RefusedError("已在按此预案处置", "this plan is followed already; not recorded twice")
    kept = tuple(
        replace(each, is_withdrawn=True) if each.plan_id is not None and each.sent_at is None else each
        for each in emergency.messages
    )
    prepared = tuple(
        Message(len(kept) + number, each.channel, each.to_zh, each.to_en, each.zh, each.en, event.by, work.now,
                event.plan_id)
        for number, each in enumerate(event.drafts, 1)
    )  # fmt: skip
    _put(work, "plan_chosen", emergency, event.by, plan_id=event.plan_id, messages=kept + prepared)


def _report_step(work: Work, event: events.ReportStep) -> None:
    emergency = _going_on(work, event.emergency_id)
    if emergency.plan_id is None:
        raise RefusedError("尚未选定预案", "expected a chosen plan, got none; choose one first")
    done = next(
        (each for each in emergency.steps if (each.plan_id, each.step_id) == (emergency.plan_id, event.step_id)), None
    )
    if done is not None:
        raise RefusedError(
            f"{done.by} 已回报此步，未重复记录", f"{done.by} reported this step already; not recorded twice"
        )
    step = StepDone(emergency.plan_id, event.step_id, event.note.strip(), event.by, work.now)
    _put(work, "step_done", emergency, event.by, steps=(*emergency.steps, step))


def _prepare(work: Work, event: events.Prepare) -> None:
    emergency = _going_on(work, event.emergency_id)
    _check_channel(event.channel)
    to, text = event.to.strip(), event.text.strip()
    if not to or len(text) < LEAST_NOTE:
        raise RefusedError("消息须写明对象与内容", f"expected whom to tell and what, got '{to}' and '{text}'")
    message = Message(len(emergency.messages) + 1, event.channel, to, to, text, text, event.by, work.now)
    _put(work, "prepared", emergency, event.by, messages=(*emergency.messages, message))


def _report_sent(work: Work, event: events.ReportSent) -> None:
    emergency = _going_on(work, event.emergency_id)
    message = _message(emergency, event.number)
    if message.is_withdrawn:
        raise RefusedError("此消息已随旧预案撤回", "this message was withdrawn with its plan; prepare another")
    if message.sent_at is not None:
        raise RefusedError(
            f"{message.sent_by} 已发出，未重复记录", f"{message.sent_by} sent it already; not recorded twice"
        )
    _put_message(work, "sent", emergency, replace(message, sent_at=work.now, sent_by=event.by), event.by)


def _report_understood(work: Work, event: events.ReportUnderstood) -> None:
    emergency = _going_on(work, event.emergency_id)
    message = _message(emergency, event.number)
    if message.sent_at is None:
        raise RefusedError("消息尚未发出", "expected a message that was sent, got one that was not")
    if message.acknowledged_at is not None:
        raise RefusedError(f"{message.acknowledged_by} 已回执", f"{message.acknowledged_by} acknowledged it already")
    if not event.who.strip():
        raise RefusedError("未写明谁回执", "expected who said that it was understood, got nothing")
    understood = replace(message, acknowledged_at=work.now, acknowledged_by=event.who.strip())
    _put_message(work, "understood", emergency, understood, event.by)


def _hear(work: Work, event: events.Hear) -> None:
    emergency = _going_on(work, event.emergency_id)
    _check_channel(event.channel)
    answer = Answer(event.person_hash, event.says, event.channel, event.note.strip(), event.by, work.now)
    _put(work, "heard", emergency, event.by, answers=(*emergency.answers, answer))


def _count_out(work: Work, event: events.CountOutPerson) -> None:
    emergency = _going_on(work, event.emergency_id)
    if event.person_hash in emergency.counted_out:
        raise RefusedError("此人已清点出井", "this person was counted out already; not recorded twice")
    out = BroughtOut(event.person_hash, event.note.strip(), event.by, work.now)
    _put(work, "counted_out", emergency, event.by, brought_out=(*emergency.brought_out, out))


def _end(work: Work, event: events.End) -> None:
    """Not while somebody is inside, unless it is said why nobody is looked for any longer."""
    emergency = _going_on(work, event.emergency_id)
    why = event.why.strip()
    if event.inside > 0 and len(why) < LEAST_NOTE:
        raise RefusedError(
            f"尚有 {event.inside} 人未清点出井，须写明为何结束",
            f"{event.inside} people are not out yet: expected why it is ended, got nothing",
        )
    _put(work, "ended", emergency, event.by, ended_at=work.now, ended_by=event.by, ended_because=why,
         inside_at_end=event.inside)  # fmt: skip


def _check(kind: str, severity: int) -> None:
    if kind not in kinds():
        raise RefusedError("险情种类不在列表", f"expected a kind, one of {', '.join(kinds())}, got '{kind}'")
    if not MILDEST <= severity <= WORST:
        raise RefusedError(
            f"严重程度须为 {MILDEST} 至 {WORST}", f"expected a severity of {MILDEST} to {WORST}, got {severity}"
        )


def _check_channel(channel: str) -> None:
    if channel not in CHANNELS:
        raise RefusedError("通知方式不在列表", f"expected a channel, one of {', '.join(CHANNELS)}, got '{channel}'")


def _going_on(work: Work, emergency_id: str) -> Emergency:
    emergency = work.board.emergencies.get(emergency_id)
    if emergency is None:
        raise UnknownError(f"没有险情 {emergency_id}", f"expected a known emergency, got '{emergency_id}'")
    if not emergency.is_open:
        raise RefusedError("险情已结束", "expected an emergency that goes on, got one that is over")
    return emergency


def _message(emergency: Emergency, number: int) -> Message:
    if not 1 <= number <= len(emergency.messages):
        count = len(emergency.messages)
        raise UnknownError(f"没有第 {number} 条消息", f"expected a message 1 to {count}, got {number}")
    return emergency.messages[number - 1]


def _put_message(work: Work, what: str, emergency: Emergency, message: Message, by: str) -> None:
    at = message.number
    messages = (*emergency.messages[: at - 1], message, *emergency.messages[at:])
    _put(work, what, emergency, by, messages=messages)


def _put(work: Work, what: str, emergency: Emergency, by: str, **parts: Any) -> None:
    work.put(what, replace(emergency, **parts), by)
