"""The alarm engine: one pure function from board, event and clock to the next board and what changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from minefusion.serving.alarms import disposing, events, handling, raising, timers
from minefusion.serving.alarms.changes import Change
from minefusion.serving.alarms.records import Board
from minefusion.serving.alarms.work import Work
from minefusion.serving.emergency.conducting import conduct
from minefusion.serving.emergency.events import EmergencyEvent
from minefusion.serving.handover.events import HandoverEvent
from minefusion.serving.handover.signing import sign


@dataclass(frozen=True)
class Outcome:
    """The board after an event, and the changes that lead there from the board before."""

    board: Board
    changes: tuple[Change, ...]


def step(board: Board, event: events.Event, now: datetime) -> Outcome:
    """What the event makes of the board at `now`.

    Raises:
        RefusedError: the rules do not allow what a person asked for; nothing is changed then.
    """
    work = Work(board, now)
    match event:
        case events.Found():
            raising.take(work, event.candidates, event.since)
        case events.Tick():
            timers.tick(work)
        case events.Acknowledge():
            handling.acknowledge(work, event)
        case events.Assign():
            handling.assign(work, event)
        case events.Remark():
            handling.remark(work, event)
        case events.Reset():
            handling.reset(work, event)
        case events.PutOnHold():
            handling.put_on_hold(work, event)
        case events.Lift():
            handling.lift(work, event.tag, event.by)
        case events.Decide():
            handling.decide(work, event)
        case events.Tell():
            disposing.tell(work, event)
        case events.JudgeCause():
            disposing.judge_cause(work, event)
        case events.PlanAction():
            disposing.plan_action(work, event)
        case events.ReportDone():
            disposing.report_done(work, event)
        case events.CountOut():
            disposing.count_out(work, event)
        case events.Restore():
            disposing.restore(work, event)
        case events.Attach():
            disposing.attach(work, event)
        case events.Submit():
            disposing.submit(work, event)
        case events.GiveCheck():
            disposing.give_check(work, event)
        case _ if isinstance(event, EmergencyEvent):
            conduct(work, event)
        case _ if isinstance(event, HandoverEvent):
            sign(work, event)
    return Outcome(work.board, tuple(work.changes))
