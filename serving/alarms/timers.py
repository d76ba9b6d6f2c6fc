"""What happens because time passed and nothing else did: shelves that end, ladders that are climbed, clocks run out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from minefusion.serving.alarms.classes import clocks, ladder, priority_of
from minefusion.serving.alarms.handling import lift
from minefusion.serving.alarms.raising import FLOOD_SPAN, FLOOD_UNTIL
from minefusion.serving.alarms.records import SYSTEM
from minefusion.serving.alarms.work import Work

# A source that did not come back for so long no longer chatters.
CALM = timedelta(minutes=10)


def tick(work: Work) -> None:
    """Let everything happen that is due by now. A second call at the same instant does nothing."""
    _end_shelves(work)
    _climb_ladders(work)
    _calm_down(work)
    _end_floods(work)
    _run_out(work)


def _end_shelves(work: Work) -> None:
    for hold in list(work.board.holds.values()):
        if hold.lifted_at is None and hold.until is not None and hold.until <= work.now:
            lift(work, hold.tag, SYSTEM, why="expired")


def _climb_ladders(work: Work) -> None:
    """Tell the next in line; all rungs that are due, one after the other, where the service had stood still."""
    for alarm in list(work.board.alarms.values()):
        if alarm.waiting_since is None or not (alarm.is_active or alarm.alarm_class.is_regulator):
            continue
        for rung in ladder(alarm.alarm_class, priority_of(alarm.level)):
            if rung.number > alarm.rung and alarm.waiting_since + rung.after <= work.now:
                alarm = replace(alarm, rung=rung.number)
                work.put("escalated", alarm, SYSTEM, to_zh=rung.to.zh, to_en=rung.to.en)


def _calm_down(work: Work) -> None:
    for alarm in list(work.board.alarms.values()):
        if alarm.is_chattering and work.now - max(alarm.returns) >= CALM:
            work.put("calmed", replace(alarm, is_chattering=False), SYSTEM)


def _end_floods(work: Work) -> None:
    for desk in list(work.board.desks.values()):
        shown = tuple(at for at in desk.shown if work.now - at < FLOOD_SPAN)
        if desk.flood_since is not None and len(shown) < FLOOD_UNTIL:
            work.put("flood_ended", replace(desk, shown=shown, flood_since=None), SYSTEM)


def _run_out(work: Work) -> None:
    """Write down, once, each clock of a disposition that ran out before its step was done."""
    for disposition in list(work.board.dispositions.values()):
        alarms = [work.board.alarms[each] for each in disposition.alarm_ids if each in work.board.alarms]
        is_done = {
            "acknowledge": all(each.acked_at is not None for each in alarms),
            "act": disposition.first_act_at is not None,
            "close": disposition.state == "closed",
        }
        for name, clock in clocks().items():
            is_due = disposition.opened_at + clock.within <= work.now
            if is_due and not is_done[name] and name not in disposition.overdue:
                disposition = replace(disposition, overdue=(*disposition.overdue, name))
                work.put("overdue", disposition, SYSTEM, clock=name)
