"""The alarm engine under any order of findings, handling and clock: what always holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from mine_alarms import FACE, HEADING, START, after, candidate

from minefusion.serving.alarms import events
from minefusion.serving.alarms.changes import Change, applied
from minefusion.serving.alarms.engine import step
from minefusion.serving.alarms.records import Alarm, Board, Candidate, Disposition
from minefusion.serving.alarms.work import RefusedError

PEOPLE = st.sampled_from(["ann", "ben", "eve"])
SOURCES = st.sampled_from(
    [
        ("G-01", "MN1", FACE), ("YCBJ-001", "MN1", FACE), ("YCBJ-002", "MN1", FACE), ("F-10", "CO1", FACE),
        ("P-03", FACE, FACE), ("V-04", "FAN", HEADING), ("V-08", HEADING, HEADING), ("V101", "CAM", HEADING),
    ]
)  # fmt: skip
HANDLING: list[Callable[[str, str], Any]] = [
    lambda number, by: events.Tell(number, "孙强", "领导", "phone", START, by),
    lambda number, by: events.JudgeCause(number, "unclear", by),
    lambda number, by: events.PlanAction(number, "断电挂牌", "变电所", by),
    lambda number, by: events.ReportDone(number, 1, "完成", by),
    lambda number, by: events.CountOut(number, 5, 5, by),
    lambda number, by: events.Restore(number, START, "李明", by, 0.4),
    lambda number, by: events.Submit(number, by),
    lambda number, by: events.GiveCheck(number, True, by),
    lambda number, by: events.GiveCheck(number, False, by, "缺照片"),
]


class AlarmDesk(RuleBasedStateMachine):
    """Gold as a set of candidates, an engine that is told of it, people and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.board, self.changes = Board(), list[Change]()
        self.gold: dict[str, Candidate] = {}
        self.now, self.is_told = START, True

    def do(self, event: events.Event) -> bool:
        """Whether it was allowed; a refusal leaves all as it was."""
        before = self.board
        try:
            outcome = step(self.board, event, self.now)
        except RefusedError:
            assert self.board is before
            return False
        self.board = outcome.board
        self.changes += outcome.changes
        return True

    def alarm(self, data: st.DataObject) -> Alarm:
        return data.draw(st.sampled_from(sorted(self.board.alarms.values(), key=lambda each: each.alarm_id)))

    def disposition(self, data: st.DataObject) -> Disposition:
        return data.draw(
            st.sampled_from(sorted(self.board.dispositions.values(), key=lambda each: each.disposition_id))
        )

    @rule(source=SOURCES, level=st.sampled_from([3, 4]), people=st.sampled_from([None, 0, 5]))
    def begins(self, source: tuple[str, str, str], level: int, people: int | None) -> None:
        kind, entity, area = source
        minute = (self.now - START) / timedelta(minutes=1)
        one = candidate(kind, entity, minute, area_id=area, level=level, people_in_area=people)
        self.gold.setdefault(one.candidate_id, one)
        self.is_told = False

    @precondition(lambda self: self.gold)
    @rule(data=st.data(), how=st.sampled_from(["ends", "worse", "gone", "open again"]))
    def moves(self, data: st.DataObject, how: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.gold)))
        one = self.gold[key]
        if how == "gone":
            del self.gold[key]
        elif how == "worse":
            self.gold[key] = replace(one, level=4)
        else:
            self.gold[key] = replace(one, cleared_at=self.now if how == "ends" else None)
        self.is_told = False

    @rule()
    def is_read(self) -> None:
        rows = tuple(self.gold.values())
        assert self.do(events.Found(rows, START))
        done = len(self.changes)
        assert self.do(events.Found(rows[::-1], START))
        assert len(self.changes) == done, "the same told again changed something"
        self.is_told = True

    @rule(seconds=st.sampled_from([1, 30, 90, 400, 3000, 40_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        assert self.do(events.Tick())
        done = len(self.changes)
        assert self.do(events.Tick())
        assert len(self.changes) == done, "the same instant did something twice"

    @precondition(lambda self: self.board.alarms)
    @rule(data=st.data(), by=PEOPLE, note=st.sampled_from(["", "已知"]))
    def acknowledged(self, data: st.DataObject, by: str, note: str) -> None:
        alarm = self.alarm(data)
        allowed = alarm.acked_at is None and (bool(note) or not alarm.alarm_class.is_regulator)
        assert self.do(events.Acknowledge((alarm.alarm_id,), by, note)) == allowed

    @precondition(lambda self: len(self.board.alarms) > 1)
    @rule(by=PEOPLE)
    def acknowledged_in_bulk(self, by: str) -> None:
        was_allowed = self.do(events.Acknowledge(tuple(self.board.alarms), by, "全部已知"))
        assert not (was_allowed and any(each.alarm_class.is_regulator for each in self.board.alarms.values()))

    @precondition(lambda self: self.board.alarms)
    @rule(data=st.data(), by=PEOPLE, kind=st.sampled_from(["shelved", "suppressed_by_design", "out_of_service"]))
    def held(self, data: st.DataObject, by: str, kind: Any) -> None:
        alarm = self.alarm(data)
        until = self.now + timedelta(minutes=15) if kind == "shelved" else None
        was_allowed = self.do(events.PutOnHold(alarm.alarm_id, kind, "标校", by, until))
        assert not (was_allowed and alarm.alarm_class.is_regulator)

    @precondition(lambda self: self.board.alarms)
    @rule(data=st.data(), by=PEOPLE, what=st.sampled_from(["lift", "reset", "reject", "confirm"]))
    def handled(self, data: st.DataObject, by: str, what: str) -> None:
        alarm = self.alarm(data)
        if what == "lift":
            self.do(events.Lift(alarm.tag, by))
        elif what == "reset":
            self.do(events.Reset(alarm.alarm_id, by))
        else:
            verdict = "rejected" if what == "reject" else "confirmed"
            assert self.do(events.Decide(alarm.alarm_id, verdict, by, "not_there")) == (
                alarm.alarm_class.is_advisory and alarm.verdict is None
            )

    @precondition(lambda self: self.board.dispositions)
    @rule(data=st.data(), by=PEOPLE, make=st.sampled_from(HANDLING))
    def disposed(self, data: st.DataObject, by: str, make: Callable[[str, str], Any]) -> None:
        self.do(make(self.disposition(data).disposition_id, by))

    @precondition(lambda self: self.board.dispositions)
    @rule(data=st.data())
    def disposed_of_as_it_should_be(self, data: st.DataObject) -> None:
        """It is over, and all steps follow one after the other, so that whole loops are seen too."""
        self.is_read()
        chosen = self.disposition(data)
        for key, one in self.gold.items():
            if self.board.found_in.get(key) in chosen.alarm_ids and one.cleared_at is None:
                self.gold[key] = replace(one, cleared_at=self.now)
        self.is_read()
        for alarm_id in chosen.alarm_ids:
            self.do(events.Acknowledge((alarm_id,), "ann", "已知"))
        for make in HANDLING[:5]:
            self.do(make(chosen.disposition_id, "ann"))
        for action in self.board.dispositions[chosen.disposition_id].actions:
            self.do(events.ReportDone(chosen.disposition_id, action.number, "完成", "ann"))
        self.do(events.Restore(chosen.disposition_id, self.now, "李明", "ann", 0.4))
        self.do(events.Submit(chosen.disposition_id, "ann"))
        for by in ("ann", "ben", "eve", "fay"):
            self.do(events.GiveCheck(chosen.disposition_id, True, by))
        assert self.board.dispositions[chosen.disposition_id].state == "closed"

    @invariant()
    def the_changes_give_the_board(self) -> None:
        assert applied(Board(), self.changes) == self.board

    @invariant()
    def nothing_that_gold_says_is_lost_or_told_twice(self) -> None:
        findings = [each.candidate_id for alarm in self.board.alarms.values() for each in alarm.findings]
        assert len(findings) == len(set(findings))
        if self.is_told:
            for key, one in self.gold.items():
                alarm = self.board.alarms[self.board.found_in[key]]
                assert alarm.is_active or one.cleared_at is not None or alarm.verdict == "rejected"

    @invariant()
    def regulator_class_is_in_sight_and_disposed_of(self) -> None:
        for alarm in self.board.alarms.values():
            if alarm.alarm_class.is_regulator:
                assert self.board.hold_on(alarm.tag) is None
                under = self.board.dispositions[alarm.disposition_id or ""]
                assert alarm.alarm_id in under.alarm_ids
                assert not alarm.is_active or under.state in ("draft", "handling")

    @invariant()
    def what_waits_is_in_sight_and_not_acknowledged(self) -> None:
        for alarm in self.board.alarms.values():
            if alarm.waiting_since is not None:
                assert alarm.acked_at is None
                assert self.board.hold_on(alarm.tag) is None
            elif alarm.acked_at is None:
                assert alarm.is_late or self.board.hold_on(alarm.tag) is not None

    @invariant()
    def nobody_closes_alone(self) -> None:
        for each in self.board.dispositions.values():
            assert (each.closed_at is not None) == (each.state == "closed")
            if each.state == "closed":
                assert each.checks[-1].is_agreed
                assert each.checks[-1].by not in each.handlers
                assert each.told
                assert each.judged
                assert all(action.done_at for action in each.actions)

    @invariant()
    def forgetting_loses_nothing_that_is_open(self) -> None:
        kept = self.board.without_finished(after(1_000_000))
        assert all(key in kept.alarms for key, alarm in self.board.alarms.items() if self.board.is_open(alarm))
        assert all(
            number in kept.dispositions for number, each in self.board.dispositions.items() if each.state != "closed"
        )


AlarmDesk.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAlarmDesk = AlarmDesk.TestCase
