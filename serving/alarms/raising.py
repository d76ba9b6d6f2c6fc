"""From what gold says to alarms: one per breach, grouped by incident, joined while a breach comes and goes.

The same candidate told again changes nothing, so gold may be read as often as one likes, and again after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime, timedelta

from minefusion.serving.alarms.classes import AlarmClass, class_of, priority_of
from minefusion.serving.alarms.records import SYSTEM, Alarm, Candidate, Desk, Disposition, Finding
from minefusion.serving.alarms.work import Work
from minefusion.serving.numbering import numbered

# Alarms of one place belong to one incident while they follow each other within so long.
INCIDENT = timedelta(minutes=30)
# Over for longer than this when the engine first hears of it: nobody could have acted on it.
LATE = timedelta(minutes=30)
# A finding whose value alone moves is written down no more often than this.
QUIET = timedelta(minutes=1)
# ISA-18.2: a source that alarms three times in a minute chatters.
CHATTER_COUNT, CHATTER_SPAN = 3, timedelta(minutes=1)
RETURNS_KEPT = 10
# EEMUA 191: ten alarms in ten minutes are a flood, until fewer than five are.
FLOOD_SPAN, FLOOD_FROM, FLOOD_UNTIL = timedelta(minutes=10), 10, 5

_FINDING = tuple(each.name for each in fields(Finding) if each.name != "is_retracted")


def take(work: Work, candidates: Iterable[Candidate], since: datetime | None) -> None:
    """Bring the board up to what gold says; see `events.Found`."""
    told = sorted(candidates, key=lambda each: (each.raised_at, each.candidate_id))
    for candidate in told:
        known = work.board.found_in.get(candidate.candidate_id)
        if known is not None:
            _update(work, work.board.alarms[known], candidate)
        elif (alarm := _same_breach(work, candidate)) is not None:
            _join(work, alarm, candidate)
        else:
            _raise(work, candidate)
    if since is not None:
        _retract(work, {each.candidate_id for each in told}, since)


def class_of_candidate(candidate: Candidate) -> AlarmClass:
    return class_of(
        candidate.kind,
        candidate.level,
        is_of_area=candidate.entity == candidate.area_id,
        quantity=candidate.quantity,
    )


def breach_of(candidate: Candidate) -> str:
    """The source that a candidate's alarm has: its class at its place, else the candidate's own."""
    alarm_class = class_of_candidate(candidate)
    if not alarm_class.one_per_place:
        return candidate.tag
    return f"{alarm_class.name}:{candidate.mine_code}:{candidate.point_id or candidate.entity}"


def come_in_sight(work: Work, alarm: Alarm) -> None:
    """Count an alarm that begins to wait for a person; ten in ten minutes are a flood."""
    if alarm.waiting_since is None or alarm.alarm_class.is_advisory:
        return
    desk = work.board.desks.get(alarm.mine_code) or Desk(alarm.mine_code)
    shown = (*(at for at in desk.shown if work.now - at < FLOOD_SPAN), work.now)
    begins = desk.flood_since is None and len(shown) >= FLOOD_FROM
    desk = replace(desk, shown=shown, flood_since=work.now if begins else desk.flood_since)
    work.put("flood_began" if begins else "counted", desk, SYSTEM)


# ── new ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _raise(work: Work, candidate: Candidate) -> None:
    alarm_class, tag = class_of_candidate(candidate), breach_of(candidate)
    is_late = _is_late(work, candidate)
    is_held = work.board.hold_on(tag) is not None
    is_over = is_late and not alarm_class.is_regulator
    alarm = Alarm(
        alarm_id=candidate.candidate_id,
        tag=tag,
        class_name=alarm_class.name,
        mine_code=candidate.mine_code,
        area_id=candidate.area_id,
        entity=candidate.entity,
        point_id=candidate.point_id,
        findings=(_finding(candidate),),
        incident_id=_incident(work, candidate, alarm_class),
        shown_at=work.now,
        waiting_since=None if is_late or is_held else work.now,
        acked_at=work.now if is_over else None,
        acked_by=SYSTEM if is_over else None,
        is_late=is_late,
    )
    work.put("raised", alarm, SYSTEM)
    come_in_sight(work, alarm)
    _must_be_disposed_of(work, alarm.alarm_id)


def _is_late(work: Work, candidate: Candidate) -> bool:
    return candidate.cleared_at is not None and work.now - candidate.cleared_at > LATE


def _finding(candidate: Candidate) -> Finding:
    return Finding(**{name: getattr(candidate, name) for name in _FINDING})


def _incident(work: Work, candidate: Candidate, alarm_class: AlarmClass) -> str:
    """That of the newest alarm of the place within half an hour; an advisory makes and joins none."""
    if alarm_class.is_advisory:
        return candidate.candidate_id
    near = [
        each
        for each in work.board.alarms.values()
        if each.mine_code == candidate.mine_code
        and each.area_id == candidate.area_id
        and not each.alarm_class.is_advisory
        and abs(each.findings[-1].raised_at - candidate.raised_at) <= INCIDENT
    ]
    if not near:
        return candidate.candidate_id
    return max(near, key=lambda each: (each.findings[-1].raised_at, each.alarm_id)).incident_id


def _must_be_disposed_of(work: Work, alarm_id: str) -> None:
    """A regulator-class alarm joins the open disposition of its incident, else opens one as a draft.

    One that comes back after its disposition was submitted gets another.
    """
    alarm = work.board.alarms[alarm_id]
    if not alarm.alarm_class.is_regulator:
        return
    under = work.board.dispositions.get(alarm.disposition_id or "")
    if under is not None and (under.state in ("draft", "handling") or not alarm.is_active):
        return
    dispositions = work.board.dispositions.values()
    open_one = next(
        (
            each
            for each in dispositions
            if each.incident_id == alarm.incident_id and each.state in ("draft", "handling")
        ),
        None,
    )
    if open_one is not None:
        work.put("joined", replace(open_one, alarm_ids=(*open_one.alarm_ids, alarm_id)), SYSTEM)
        disposition_id = open_one.disposition_id
    else:
        disposition_id = numbered("D", alarm.mine_code, work.now, work.board.dispositions)
        opened = Disposition(
            disposition_id, alarm.mine_code, alarm.area_id, alarm.incident_id, (alarm_id,), opened_at=work.now
        )
        work.put("opened", opened, SYSTEM)
    work.put("put_under", replace(alarm, disposition_id=disposition_id), SYSTEM)


# ── the same breach ─────────────────────────────────────────────────────────────────────────────────────────────────


def _same_breach(work: Work, candidate: Candidate) -> Alarm | None:
    """The alarm of the same source that the candidate overlaps, or follows within the dead band; null: none.

    An alarm whose disposition was submitted is a finished story: what comes then is a new alarm.
    """
    tag, dead_band = breach_of(candidate), class_of_candidate(candidate).dead_band
    of_source = [
        each
        for each in work.board.alarms.values()
        if each.tag == tag
        and each.mine_code == candidate.mine_code
        and each.area_id == candidate.area_id
        and each.verdict != "rejected"
        and (each.disposition_id is None or work.board.dispositions[each.disposition_id].state in ("draft", "handling"))
        and _touches(each, candidate, dead_band)
    ]
    return max(of_source, key=lambda each: (each.raised_at, each.alarm_id), default=None)


def _touches(alarm: Alarm, candidate: Candidate, dead_band: timedelta) -> bool:
    ends = alarm.cleared_at
    if ends is None and not alarm.is_active:  # all of it was retracted
        ends = max(each.raised_at for each in alarm.findings)
    begins_in_time = ends is None or candidate.raised_at <= ends + dead_band
    return begins_in_time and (candidate.cleared_at is None or candidate.cleared_at >= alarm.raised_at - dead_band)


def _join(work: Work, alarm: Alarm, candidate: Candidate) -> None:
    """One more finding of a breach that stands or stood, or a breach that comes again, even if it is over by now."""
    joined = replace(alarm, findings=(*alarm.findings, _finding(candidate)))
    is_new = alarm.cleared_at is None or candidate.raised_at > alarm.cleared_at
    if not alarm.is_active and (joined.is_active or is_new):
        _settle(work, "returned", alarm, _again(alarm, joined, candidate.raised_at), candidate)
    else:
        _settle(work, "joined", alarm, joined, candidate)


def _again(alarm: Alarm, joined: Alarm, at: datetime) -> Alarm:
    returns = (*alarm.returns, at)[-RETURNS_KEPT:]
    times = sorted((alarm.raised_at, *returns))
    chatters = any(
        later - earlier <= CHATTER_SPAN for earlier, later in zip(times, times[CHATTER_COUNT - 1 :], strict=False)
    )
    return replace(joined, returns=returns, is_reset=False, is_chattering=alarm.is_chattering or chatters)


def _update(work: Work, alarm: Alarm, candidate: Candidate) -> None:
    """What gold now says of a finding that is known."""
    told = _finding(candidate)
    place, known = next(
        (place, each) for place, each in enumerate(alarm.findings) if each.candidate_id == told.candidate_id
    )
    if told == known:
        return
    is_only_value = not known.is_retracted and (known.level, known.cleared_at, known.legal_exceeded) == (
        told.level, told.cleared_at, told.legal_exceeded,
    )  # fmt: skip
    if is_only_value and alarm.updated_at is not None and work.now - alarm.updated_at < QUIET:
        return
    updated = replace(alarm, findings=(*alarm.findings[:place], told, *alarm.findings[place + 1 :]))
    if alarm.is_active and not updated.is_active:
        _settle(work, "cleared", alarm, updated, candidate)
    elif updated.is_active and not alarm.is_active:
        _settle(work, "returned", alarm, _again(alarm, updated, candidate.raised_at), candidate)
    else:
        _settle(work, "updated", alarm, updated, candidate)


def _settle(work: Work, what: str, old: Alarm, new: Alarm, candidate: Candidate) -> None:
    """Write the new alarm down, and call for a person again where it came back, got worse or is of a graver class."""
    told_class = class_of_candidate(candidate)
    is_graver = told_class.is_regulator and not old.alarm_class.is_regulator
    if is_graver:
        new = replace(new, class_name=told_class.name)
    is_worse = new.is_active and priority_of(new.level) < priority_of(old.level)
    is_news = not new.is_chattering and (new.is_active or not _is_late(work, candidate))
    is_back = what == "returned" and (new.alarm_class.is_regulator or is_news)
    hold = work.board.hold_on(new.tag)
    if is_graver and hold is not None:
        work.put("lifted", replace(hold, lifted_at=work.now, lifted_by=SYSTEM), SYSTEM, why="regulator class")
        hold = None
    calls = is_back or is_worse or is_graver
    if calls:
        waits = None if hold else old.waiting_since or work.now
        new = replace(new, acked_at=None, acked_by=None, waiting_since=waits, rung=0, is_late=False)
    what = "worsened" if is_worse and what in ("updated", "joined") else what
    work.put(what, replace(new, updated_at=work.now), SYSTEM)
    if calls and old.waiting_since is None:
        come_in_sight(work, work.board.alarms[new.alarm_id])
    _must_be_disposed_of(work, new.alarm_id)


def _retract(work: Work, told: set[str], since: datetime) -> None:
    """Gold was worked out anew and no longer holds a finding: it ends, and the alarm still asks to be dealt with."""
    for alarm in list(work.board.alarms.values()):
        if not work.board.is_open(alarm):
            continue
        findings = tuple(
            replace(each, is_retracted=True)
            if each.raised_at >= since and each.candidate_id not in told and not each.is_retracted
            else each
            for each in alarm.findings
        )
        if findings != alarm.findings:
            work.put("retracted", replace(alarm, findings=findings, updated_at=work.now), SYSTEM)
