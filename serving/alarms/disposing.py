"""The disposition loop: who was told, the cause, what was done, who is out, given back, and a second person's check.

A disposition is a draft until somebody records something, then it is handled, submitted, and closed by another person
or sent back. What is missing before it may be submitted is told item by item.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minefusion.serving.alarms import events
from minefusion.serving.alarms.classes import CHANNELS, causes
from minefusion.serving.alarms.handling import LEAST_NOTE
from minefusion.serving.alarms.records import (
    Action,
    Alarm,
    Attachment,
    Board,
    Check,
    Disposition,
    Judged,
    Restoration,
    Told,
    Withdrawal,
)
from minefusion.serving.alarms.work import RefusedError, Work
from minefusion.serving.text import Text


def missing(disposition: Disposition, board: Board) -> tuple[Text, ...]:
    """What must still be there before the disposition may be submitted, item by item; empty: nothing."""
    alarms = [board.alarms[each] for each in disposition.alarm_ids if each in board.alarms]
    lacks = [
        (any(each.is_active for each in alarms), Text("报警条件仍在", "an alarm is still active")),
        (any(each.acked_at is None for each in alarms), Text("有报警未确认", "an alarm is not acknowledged")),
        (not disposition.told, Text("未记录通知", "nobody was told")),
        (not disposition.judged, Text("未判定原因", "no cause is judged")),
        (not disposition.actions, Text("未记录措施", "no action is recorded")),
        (
            any(each.done_at is None for each in disposition.actions),
            Text("措施待回报", "an action is not reported done"),
        ),
        (not _is_withdrawn(disposition, alarms), Text("撤人未完成", "not everybody is out")),
        (
            any(each.alarm_class.needs_restoring for each in alarms) and not disposition.restorations,
            Text("未记录恢复", "nothing is recorded of restoring"),
        ),
        (any(each.is_latched for each in alarms), Text("有报警未复位", "an alarm is latched")),
    ]
    return tuple(text for holds, text in lacks if holds)


def unmet(disposition: Disposition, board: Board) -> tuple[Text, ...]:
    """What stands in the way of giving power or air back."""
    alarms = [board.alarms[each] for each in disposition.alarm_ids if each in board.alarms]
    still = [
        Text(f"{each.alarm_class.text.zh}未解除：{each.lead.sentence_zh}", f"still active: {each.lead.sentence_en}")
        for each in alarms
        if each.is_active
    ]
    if not _is_withdrawn(disposition, alarms):
        still.append(Text("撤人未完成", "not everybody is out"))
    return tuple(still)


def tell(work: Work, event: events.Tell) -> None:
    disposition = _handled(work, event)
    if event.channel not in CHANNELS:
        raise RefusedError(
            "通知方式不在列表", f"expected a channel, one of {', '.join(CHANNELS)}, got '{event.channel}'"
        )
    if not event.who.strip():
        raise RefusedError("未写明通知了谁", "expected who was told, got nothing")
    if event.told_at > work.now:
        raise RefusedError("通知时间在将来", f"expected a time that has passed, got {event.told_at.isoformat()}")
    told = Told(
        event.who.strip(), event.role.strip(), event.channel, event.told_at, event.has_answered, event.by, work.now
    )
    _put(work, "told", disposition, event.by, told=(*disposition.told, told))


def judge_cause(work: Work, event: events.JudgeCause) -> None:
    disposition = _handled(work, event)
    known = {name for each in disposition.alarm_ids for name in causes(work.alarm(each).class_name)}
    if event.cause not in known:
        raise RefusedError("原因不在列表", f"expected a cause, one of {', '.join(sorted(known))}, got '{event.cause}'")
    if event.cause == "other" and len(event.note.strip()) < LEAST_NOTE:
        raise RefusedError("“其他”须写明", "expected a note that says what the other cause is, got none")
    judged = Judged(event.cause, event.evidence, event.note.strip(), event.by, work.now)
    _put(work, "judged", disposition, event.by, judged=(*disposition.judged, judged))


def plan_action(work: Work, event: events.PlanAction) -> None:
    disposition = _handled(work, event)
    if len(event.text.strip()) < LEAST_NOTE:
        raise RefusedError("未写明措施", f"expected what is to be done, got '{event.text}'")
    number = len(disposition.actions) + 1
    action = Action(number, event.text.strip(), event.assigned_to.strip(), event.by, work.now)
    _put(work, "planned", disposition, event.by, actions=(*disposition.actions, action))


def report_done(work: Work, event: events.ReportDone) -> None:
    disposition = _handled(work, event)
    if not 1 <= event.number <= len(disposition.actions):
        raise RefusedError(
            f"没有第 {event.number} 项措施", f"expected an action 1 to {len(disposition.actions)}, got {event.number}"
        )
    action = disposition.actions[event.number - 1]
    if action.done_at is not None:
        raise RefusedError("该措施已回报", f"action {event.number} was reported done already; not recorded twice")
    done = replace(action, done_at=work.now, done_by=event.by, result=event.result.strip())
    actions = (*disposition.actions[: event.number - 1], done, *disposition.actions[event.number :])
    _put(work, "done", disposition, event.by, actions=actions)


def count_out(work: Work, event: events.CountOut) -> None:
    disposition = _handled(work, event)
    if not 0 <= event.out <= event.of:
        raise RefusedError("撤出人数不合理", f"expected 0 ≤ out ≤ of, got {event.out} of {event.of}")
    withdrawal = Withdrawal(event.out, event.of, event.by, work.now)
    _put(work, "withdrawn", disposition, event.by, withdrawals=(*disposition.withdrawals, withdrawal))


def restore(work: Work, event: events.Restore) -> None:
    """Power or air was given back: only once the conditions hold; it resets what was latched."""
    disposition = _handled(work, event)
    still = unmet(disposition, work.board)
    if still:
        raise RefusedError(
            "恢复条件未满足：" + "；".join(each.zh for each in still),
            "conditions to restore do not hold: " + "; ".join(each.en for each in still),
        )
    if event.restored_at > work.now:
        raise RefusedError("恢复时间在将来", f"expected a time that has passed, got {event.restored_at.isoformat()}")
    if not event.inspector.strip():
        raise RefusedError("未写明瓦斯检查员", "expected who inspected the gas, got nothing")
    restoration = Restoration(event.restored_at, event.inspector.strip(), event.ch4_pct, event.by, work.now)
    _put(work, "restored", disposition, event.by, restorations=(*disposition.restorations, restoration))
    for alarm_id in disposition.alarm_ids:
        alarm = work.alarm(alarm_id)
        if alarm.is_latched and alarm.acked_at is not None:
            work.put("reset", replace(alarm, is_reset=True), event.by, disposition=disposition.disposition_id)


def attach(work: Work, event: events.Attach) -> None:
    disposition = _handled(work, event)
    attachment = Attachment(event.sha256, event.name, event.media_type, event.size, event.by, work.now)
    _put(work, "attached", disposition, event.by, attachments=(*disposition.attachments, attachment))


def submit(work: Work, event: events.Submit) -> None:
    disposition = _handled(work, event)
    still = missing(disposition, work.board)
    if still:
        raise RefusedError(
            "不能提交复核：" + "；".join(each.zh for each in still),
            "cannot be submitted: " + "; ".join(each.en for each in still),
        )
    submitted = replace(disposition, state="submitted", submitted_at=work.now, submitted_by=event.by)
    work.put("submitted", submitted, event.by)


def give_check(work: Work, event: events.GiveCheck) -> None:
    disposition = work.disposition(event.disposition_id)
    if disposition.state != "submitted":
        raise RefusedError("处置单未提交复核", f"expected a submitted disposition, got one that is {disposition.state}")
    if event.by in disposition.handlers:
        raise RefusedError("复核人不能是处置人", "expected another person than those who handled it to check it")
    if not event.is_agreed and len(event.reason.strip()) < LEAST_NOTE:
        raise RefusedError("退回须写明原因", "expected why it is sent back, got nothing")
    check = Check(event.is_agreed, event.reason.strip(), event.by, work.now)
    checked = replace(disposition, checks=(*disposition.checks, check))
    if event.is_agreed:
        work.put("closed", replace(checked, state="closed", closed_at=work.now), event.by)
    else:
        work.put("returned", replace(checked, state="handling", submitted_at=None, submitted_by=None), event.by)


def _handled(work: Work, event: Any) -> Disposition:
    """The disposition that an event is about, where it may still be written to."""
    disposition = work.disposition(event.disposition_id)
    if disposition.state in ("submitted", "closed"):
        raise RefusedError(
            "处置单已提交或已关闭，更正须另写一行",
            f"expected a disposition that is being handled, got one that is {disposition.state}",
        )
    return disposition


def _put(work: Work, what: str, disposition: Disposition, by: str, **parts: Any) -> None:
    first = disposition.first_act_at or work.now
    work.put(what, replace(disposition, state="handling", first_act_at=first, **parts), by)


def _is_withdrawn(disposition: Disposition, alarms: list[Alarm]) -> bool:
    """Whether everybody who had to leave is out; nobody had to where nobody was there."""
    if not any(each.alarm_class.needs_withdrawal and _had_people(each) for each in alarms):
        return True
    return bool(disposition.withdrawals) and disposition.withdrawals[-1].out == disposition.withdrawals[-1].of


def _had_people(alarm: Alarm) -> bool:
    """People were in the area, or that is not known."""
    return any(each.people_in_area is None or each.people_in_area > 0 for each in alarm.findings)
