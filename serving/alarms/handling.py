"""What people do with alarms: acknowledge, assign, note, reset, put out of sight, and judge advisories."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from minefusion.serving.alarms import events
from minefusion.serving.alarms.classes import REJECTIONS
from minefusion.serving.alarms.raising import come_in_sight
from minefusion.serving.alarms.records import Alarm, Hold, Note
from minefusion.serving.alarms.work import RefusedError, UnknownError, Work

LEAST_NOTE = 2
# A shelf is for a shift at most: what is kept out of sight for longer is a matter of design or of service.
LONGEST_SHELF = timedelta(hours=12)
_HELD = {"shelved": "搁置", "suppressed_by_design": "设计抑制", "out_of_service": "停用"}


def acknowledge(work: Work, event: events.Acknowledge) -> None:
    """Take alarms on; all of them or none."""
    alarms = [work.alarm(each) for each in dict.fromkeys(event.alarm_ids)]
    regulated = [each for each in alarms if each.alarm_class.is_regulator]
    if not alarms:
        raise RefusedError("没有选中报警", "expected at least one alarm to acknowledge, got none")
    if regulated and len(alarms) > 1:
        name = regulated[0].alarm_class.text
        raise RefusedError(
            f"不能批量确认：{name.zh}属监管类，须逐条确认",
            f"cannot acknowledge in bulk: {name.en} is regulator class; acknowledge it by itself",
        )
    if regulated and len(event.note.strip()) < LEAST_NOTE:
        raise RefusedError("监管类报警确认须写备注", f"expected a note of {LEAST_NOTE} or more characters, got none")
    for alarm in alarms:
        if alarm.acked_at is not None:
            raise RefusedError(
                f"{alarm.acked_by} 已于 {alarm.acked_at.isoformat()} 确认，未重复记录",
                f"{alarm.acked_by} acknowledged at {alarm.acked_at.isoformat()}; not recorded twice",
            )
    for alarm in alarms:
        notes = (*alarm.notes, Note(event.note.strip(), event.by, work.now)) if event.note.strip() else alarm.notes
        acked = replace(alarm, acked_at=work.now, acked_by=event.by, waiting_since=None, notes=notes)
        work.put("acknowledged", acked, event.by)


def assign(work: Work, event: events.Assign) -> None:
    alarm = work.alarm(event.alarm_id)
    if not event.to.strip():
        raise RefusedError("没有写明指派给谁", "expected whom to assign it to, got nothing")
    work.put("assigned", replace(alarm, assigned_to=event.to.strip()), event.by)


def remark(work: Work, event: events.Remark) -> None:
    alarm = work.alarm(event.alarm_id)
    if len(event.text.strip()) < LEAST_NOTE:
        raise RefusedError("备注太短", f"expected a note of {LEAST_NOTE} or more characters, got '{event.text}'")
    work.put("noted", replace(alarm, notes=(*alarm.notes, Note(event.text.strip(), event.by, work.now))), event.by)


def reset(work: Work, event: events.Reset) -> None:
    """Let a latched alarm go; not while its condition lasts, and not before somebody took it on."""
    alarm = work.alarm(event.alarm_id)
    if not alarm.is_latched:
        why_zh, why_en = ("条件仍在", "its condition lasts") if alarm.is_active else ("没有锁存", "it is not latched")
        raise RefusedError(f"不能复位：{why_zh}", f"cannot reset: {why_en}")
    if alarm.acked_at is None:
        raise RefusedError("不能复位：尚未确认", "cannot reset: it is not acknowledged yet")
    work.put("reset", replace(alarm, is_reset=True), event.by, note=event.note)


def put_on_hold(work: Work, event: events.PutOnHold) -> None:
    """Keep a source's alarms out of sight; never those of the regulator class."""
    alarm, held = work.alarm(event.alarm_id), _HELD[event.kind]
    name = alarm.alarm_class.text
    if alarm.alarm_class.is_regulator:
        raise RefusedError(
            f"不能{held}：{name.zh}属监管类，须处置",
            f"cannot be {event.kind}: {name.en} is regulator class, dispose of it",
        )
    if len(event.reason.strip()) < LEAST_NOTE:
        raise RefusedError(f"{held}须写明原因", f"expected a reason of {LEAST_NOTE} or more characters, got none")
    if event.kind == "shelved" and (event.until is None or not work.now < event.until <= work.now + LONGEST_SHELF):
        hours = LONGEST_SHELF // timedelta(hours=1)
        raise RefusedError(
            f"搁置须有期限，最长 {hours} 小时", f"expected an end within {hours} hours from now, got {event.until}"
        )
    if work.board.hold_on(alarm.tag) is not None:
        raise RefusedError("该报警源已被搁置或抑制", "its source is on hold already; lift that first")
    hold = Hold(alarm.tag, alarm.mine_code, event.kind, event.reason.strip(), event.by, work.now, event.until)
    work.put(event.kind, hold, event.by)
    for each in _of_source(work, alarm.tag):
        if each.waiting_since is not None:
            work.put("out_of_sight", replace(each, waiting_since=None), event.by)


def lift(work: Work, tag: str, by: str, why: str = "") -> None:
    """End a hold; what still waits to be acknowledged comes in sight again, with a clock of its own."""
    hold = work.board.hold_on(tag)
    if hold is None:
        raise UnknownError(f"报警源 {tag} 没有搁置或抑制", f"expected a source on hold, got '{tag}'")
    work.put("lifted", replace(hold, lifted_at=work.now, lifted_by=by), by, why=why)
    for each in _of_source(work, tag):
        if each.acked_at is None and each.verdict is None:
            shown = replace(each, waiting_since=work.now, rung=0)
            work.put("in_sight", shown, by)
            come_in_sight(work, shown)


def decide(work: Work, event: events.Decide) -> None:
    """Confirm or reject an advisory; either takes it on, a rejection ends it."""
    alarm = work.alarm(event.alarm_id)
    if not alarm.alarm_class.is_advisory:
        raise RefusedError("只有智能提示可判定真伪", "only an advisory of a model is confirmed or rejected")
    if alarm.verdict is not None:
        raise RefusedError("该提示已判定", f"it was {alarm.verdict} already; not recorded twice")
    if event.verdict == "rejected" and event.why not in REJECTIONS:
        raise RefusedError("否定须选原因", f"expected why as one of {', '.join(REJECTIONS)}, got {event.why!r}")
    why = event.why if event.verdict == "rejected" else None
    judged = replace(alarm, verdict=event.verdict, verdict_why=why, waiting_since=None)
    if judged.acked_at is None:
        judged = replace(judged, acked_at=work.now, acked_by=event.by)
    work.put(event.verdict, judged, event.by)


def _of_source(work: Work, tag: str) -> list[Alarm]:
    return [each for each in work.board.alarms.values() if each.tag == tag]
