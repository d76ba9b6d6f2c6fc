"""An emergency and a hand-over step by step on the board: what happens, and what the rules refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.serving.alarms.changes import applied, plain, read
from minefusion.serving.alarms.engine import step
from minefusion.serving.alarms.records import Board
from minefusion.serving.alarms.work import RefusedError
from minefusion.serving.emergency import events
from minefusion.serving.emergency.outbox import drafts
from minefusion.serving.emergency.plan_book import Plan, PlannedMessage, Step
from minefusion.serving.emergency.records import Emergency
from minefusion.serving.handover.events import MakeSheet, SignIn, SignOut
from minefusion.serving.text import Text

MINE, NOW = "620000000001", datetime(2026, 3, 1, 2, tzinfo=UTC)
DECLARE = events.Declare(MINE, "a1", "fire", 4, "皮带冒烟", ("h1", "h2", "h1"), "ann")
DRAFT = events.Draft("phone", "救护队", "rescue", "着火", "fire")
KEY = "E-620000000001-260301-01"


def driven(*done: Any, board: Board | None = None) -> Board:
    board = board or Board()
    for number, event in enumerate(done):
        board = step(board, event, NOW + timedelta(minutes=number)).board
    return board


def one(board: Board) -> Emergency:
    (emergency,) = board.emergencies.values()
    return emergency


def test_an_emergency_from_its_declaration_to_its_end():
    board = driven(
        DECLARE,
        events.ChoosePlan(KEY, "belt_fire", (DRAFT, DRAFT), "ann"),
        events.ReportStep(KEY, "call_rescue", "ann", "已出动"),
        events.ReportSent(KEY, 1, "ben"),
        events.ReportUnderstood(KEY, 1, "救护队值班", "ben"),
        events.Prepare(KEY, "radio", "二队", "撤离", "ann"),
        events.Hear(KEY, "h1", "no_answer", "phone", "ann"),
        events.Hear(KEY, "h1", "injured", "phone", "ann"),
        events.CountOutPerson(KEY, "h1", "ben"),
    )
    emergency = one(board)
    assert emergency.roster == ("h1", "h2")
    assert [(each.step_id, each.by) for each in emergency.steps] == [("call_rescue", "ann")]
    assert [bool(each.acknowledged_at) for each in emergency.messages] == [True, False, False]
    answer = emergency.answer_of("h1")
    assert answer is not None
    assert answer.says == "injured"
    assert emergency.answer_of("h2") is None
    assert emergency.counted_out == {"h1"}
    with pytest.raises(RefusedError, match="1 people are not out yet"):
        step(board, events.End(KEY, 1, "ann"), NOW)
    over = one(driven(events.End(KEY, 1, "ann", "按方案转入搜救"), board=board))
    assert (over.is_open, over.inside_at_end) == (False, 1)
    assert not one(driven(events.End(KEY, 0, "ann"), board=board)).is_open


def test_another_plan_withdraws_what_was_not_sent():
    board = driven(
        DECLARE,
        events.ChoosePlan(KEY, "belt_fire", (DRAFT, DRAFT), "ann"),
        events.ReportSent(KEY, 1, "ann"),
        events.ReportStep(KEY, "count", "ann"),
        events.ChoosePlan(KEY, "fire", (DRAFT,), "ann"),
    )
    assert [each.is_withdrawn for each in one(board).messages] == [False, True, False]
    with pytest.raises(RefusedError, match="withdrawn with its plan"):
        step(board, events.ReportSent(KEY, 2, "ann"), NOW)
    again = driven(events.ReportStep(KEY, "count", "ann"), board=board)
    assert len(one(again).steps) == 2, "a step of another plan is another step"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (DECLARE, "declared already"),
        (replace(DECLARE, kind="flood"), "expected a kind, one of"),
        (replace(DECLARE, severity=5), "severity of 1 to 4"),
        (replace(DECLARE, area_id="a2", words=" "), "what is known of it"),
        (events.ReportStep(KEY, "a", "ann"), "expected a chosen plan"),
        (events.ReportSent(KEY, 1, "ann"), "expected a message 1 to 0"),
        (events.Prepare(KEY, "pigeon", "二队", "撤离", "ann"), "expected a channel"),
        (events.Prepare(KEY, "phone", "", "撤离", "ann"), "whom to tell"),
        (events.Hear(KEY, "h1", "safe", "pigeon", "ann"), "expected a channel"),
        (events.Reassess(KEY, "a1", "fire", 3, "", "ann"), "why it is judged anew"),
        (events.End("E-none", 0, "ann"), "expected a known emergency"),
    ],
)
def test_what_is_refused(event: Any, said: str):
    board = driven(DECLARE)
    with pytest.raises(RefusedError) as told:
        step(board, event, NOW)
    assert said in str(told.value)
    assert told.value.text.zh


@pytest.mark.parametrize(
    "event",
    [
        events.ChoosePlan(KEY, "fire", (), "ann"),
        events.ReportStep(KEY, "a", "ann"),
        events.ReportSent(KEY, 1, "ann"),
        events.ReportUnderstood(KEY, 1, "队长", "ann"),
        events.CountOutPerson(KEY, "h1", "ann"),
    ],
)
def test_nothing_is_recorded_twice(event: Any):
    board = driven(
        DECLARE,
        *(events.ChoosePlan(KEY, "fire", (DRAFT,), "ann"), events.ReportStep(KEY, "a", "ann")),
        *(events.ReportSent(KEY, 1, "ann"), events.ReportUnderstood(KEY, 1, "队长", "ann")),
        events.CountOutPerson(KEY, "h1", "ann"),
    )
    with pytest.raises(RefusedError):
        step(board, event, NOW)
    over = driven(events.End(KEY, 0, "ann"), board=board)
    with pytest.raises(RefusedError, match="goes on"):
        step(over, event, NOW)


def test_messages_are_filled_in_and_nothing_else_is():
    message = PlannedMessage("phone", "队", "team", "{place}{what}{people}{time}{0.__class__}", "{people} at {place}")
    plan = Plan("p", "预案", "plan", (Step("a", "x", "x", "x", "x"),), messages=(message,))
    emergency = one(driven(replace(DECLARE, is_drill=True)))
    (draft,) = drafts(plan, emergency, Text("皮带巷", "belt road"), None, NOW)
    assert draft.zh == "【演练】皮带巷火灾人数不明10:00{0.__class__}"
    assert draft.en == "[DRILL] unknown at belt road"


CALLS = st.sampled_from(
    [
        DECLARE, replace(DECLARE, area_id="a2"), events.ChoosePlan(KEY, "fire", (DRAFT,), "ann"),
        events.ChoosePlan(KEY, "belt_fire", (DRAFT,), "ann"), events.ReportStep(KEY, "a", "ann"),
        events.ReportSent(KEY, 1, "ann"), events.ReportUnderstood(KEY, 1, "队长", "ann"),
        events.Prepare(KEY, "radio", "二队", "撤离", "ann"), events.Hear(KEY, "h1", "safe", "phone", "ann"),
        events.CountOutPerson(KEY, "h2", "ann"), events.Reassess(KEY, "a1", "fire", 3, "火势减小", "ann"),
        events.End(KEY, 0, "ann"), MakeSheet(MINE, NOW - timedelta(hours=8), {"alarms": []}, "ann"),
    ]
)  # fmt: skip


@given(st.lists(CALLS, max_size=12))
def test_the_changes_give_the_board_again_in_any_order(calls: list[Any]):
    board, told = Board(), Board()
    for number, event in enumerate(calls):
        try:
            outcome = step(board, event, NOW + timedelta(minutes=number))
        except RefusedError:
            continue
        board, told = outcome.board, applied(told, outcome.changes)
    assert told == board
    for emergency in board.emergencies.values():
        assert read(Emergency, plain(emergency)) == emergency
        assert [each.number for each in emergency.messages] == list(range(1, len(emergency.messages) + 1))


# ── hand-over ───────────────────────────────────────────────────────────────────────────────────────────────────────

SHEET = MakeSheet(MINE, NOW - timedelta(hours=8), {"alarms": [{"alarm_id": "x"}]}, "ann")
SHEET_KEY = "H-620000000001-260301-01"


def digest(board: Board) -> str:
    return board.handovers[SHEET_KEY].sheet_sha256


def test_a_sheet_is_signed_by_two_persons_in_turn():
    board = driven(SHEET)
    sha = digest(board)
    with pytest.raises(RefusedError, match="who goes has signed"):
        step(board, SignIn(SHEET_KEY, sha, "ben"), NOW)
    with pytest.raises(RefusedError, match="hash of the sheet"):
        step(board, SignOut(SHEET_KEY, "0" * 64, "ann"), NOW)
    board = driven(SignOut(SHEET_KEY, sha, "ann", "注意 3 号测点"), board=board)
    with pytest.raises(RefusedError, match="another person"):
        step(board, SignIn(SHEET_KEY, sha, "ann"), NOW)
    with pytest.raises(RefusedError, match="signed it already"):
        step(board, SignOut(SHEET_KEY, sha, "cid"), NOW)
    done = driven(SignIn(SHEET_KEY, sha, "ben"), board=board).handovers[SHEET_KEY]
    assert done.outgoing is not None
    assert done.incoming is not None
    assert (done.outgoing.by, done.incoming.by, done.outgoing.remarks) == ("ann", "ben", "注意 3 号测点")


def test_an_old_sheet_is_made_anew_and_a_new_one_voids_it():
    board = driven(SHEET)
    with pytest.raises(RefusedError, match="make it anew"):
        step(board, SignOut(SHEET_KEY, digest(board), "ann"), NOW + timedelta(minutes=31))
    both = driven(SHEET, board=board).handovers
    assert [each.is_void for each in both.values()] == [True, False]
    with pytest.raises(RefusedError, match="has begun"):
        step(board, replace(SHEET, begin=NOW), NOW)
