"""The alarm engine over literal findings: states, one alarm per breach, what the clock does, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mine_alarms import CORNER, FACE, HEADING, MINE, START, Driven, after, candidate, cleared

from minefusion.schemas import gold
from minefusion.serving.alarms import events
from minefusion.serving.alarms.changes import applied
from minefusion.serving.alarms.classes import causes, class_of, classes, ladder
from minefusion.serving.alarms.records import Board, Candidate
from minefusion.serving.alarms.work import RefusedError, UnknownError

ANN, BEN, EVE = "ann", "ben", "eve"


@pytest.fixture
def desk() -> Driven:
    return Driven()


def ack(desk: Driven, by: str = ANN, note: str = "已知，正联系变电所") -> list[str]:
    return desk.do(events.Acknowledge((desk.alarm.alarm_id,), by, note))


# ── states ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_from_raised_to_normal(desk: Driven):
    hot = candidate("F-10", "CO1", quantity="co")
    assert desk.found(hot, at=0) == ["alarm.raised", "desk.counted"]
    assert desk.state == "active_unacked"
    ack(desk)
    assert desk.state == "active_acked"
    assert desk.found(cleared(hot, 5), at=5) == ["alarm.cleared"]
    assert desk.state == "normal"
    assert not desk.board.is_open(desk.alarm)


def test_an_alarm_that_is_over_still_waits_for_somebody(desk: Driven):
    hot = candidate("F-10", "CO1", quantity="co")
    desk.found(hot, at=0)
    desk.found(cleared(hot, 5), at=5)
    assert desk.state == "cleared_unacked"
    ack(desk)
    assert desk.state == "normal"


def test_a_latched_alarm_stays_until_a_person_resets_it(desk: Driven):
    cut = candidate("YCBJ-002")
    desk.found(cut, at=0)
    alarm_id = desk.alarm.alarm_id
    with pytest.raises(RefusedError, match="its condition lasts"):
        desk.do(events.Reset(alarm_id, ANN))
    desk.found(cleared(cut, 5), at=5)
    with pytest.raises(RefusedError, match="not acknowledged"):
        desk.do(events.Reset(alarm_id, ANN))
    ack(desk)
    assert desk.state == "latched"
    assert desk.do(events.Reset(alarm_id, ANN)) == ["alarm.reset"]
    assert desk.state == "normal"
    with pytest.raises(RefusedError, match="not latched"):
        desk.do(events.Reset(alarm_id, ANN))


def test_a_level_that_rises_calls_for_a_person_again(desk: Driven):
    warm = candidate("F-10", "CO1", quantity="co", level=3)
    desk.found(warm, at=0)
    ack(desk)
    assert desk.found(replace(warm, level=4), at=2) == ["alarm.worsened", "desk.counted"]
    assert desk.state == "active_unacked"


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("G-01", {}, "methane"),
        ("YCBJ-001", {"quantity": "ch4"}, "methane"),
        ("YCBJ-001", {"quantity": "co"}, "hazard"),
        ("YCBJ-002", {}, "power_cut"),
        ("YCBJ-003", {}, "feed_abnormal"),
        ("V-08", {"is_of_area": True}, "fan_stop"),
        ("V-08", {"is_of_area": False}, "hazard"),
        ("V-04", {"level": 3}, "hazard"),
        ("V-04", {"level": 4}, "fan_stop"),
        ("V101", {}, "behaviour"),
        ("V-01", {}, "hazard"),
        ("P-01", {}, "personnel"),
        ("RYQJ", {}, "personnel"),
        ("E-03", {}, "equipment"),
        ("FORECAST", {}, "forecast"),
        ("what nobody knows", {}, "hazard"),
    ],
)
def test_classes(kind: str, more: dict, expected: str):
    given = {"level": 3, "is_of_area": False, "quantity": None} | more
    assert class_of(kind, given.pop("level"), **given).name == expected


def test_each_regulator_class_has_a_ladder_and_causes_and_no_advisory_is_one():
    for each in classes().values():
        assert not (each.is_regulator and each.is_advisory)
        if each.is_regulator:
            assert ladder(each, 1)
            assert len(causes(each.name)) > 3
    assert set(gold.CAUSES) <= set(causes("methane"))


# ── one alarm per breach ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_told_again_changes_nothing(desk: Driven):
    rows = [candidate(), candidate("P-03", FACE, 1)]
    desk.found(*rows, at=1)
    assert desk.found(*rows, at=2) == []
    assert desk.found(*reversed(rows), at=3) == []


def test_what_we_find_and_what_the_mine_reports_is_one_breach(desk: Driven):
    reported, ours = candidate("YCBJ-001", minute=0), candidate("G-01", minute=1, level=4)
    desk.found(reported, at=0)
    assert desk.found(reported, ours, at=1) == ["alarm.worsened"]
    assert len(desk.alarm.findings) == 2
    assert desk.alarm.lead.kind == "G-01"
    assert desk.found(cleared(reported, 5), ours, at=5) == ["alarm.updated"]
    assert desk.state == "active_unacked"
    desk.found(cleared(reported, 5), cleared(ours, 6), at=6)
    assert desk.state == "cleared_unacked"


def test_a_breach_that_comes_back_within_its_dead_band_is_the_same_alarm_and_calls_again(desk: Driven):
    first = candidate(minute=0)
    desk.found(first, at=0)
    ack(desk)
    desk.found(cleared(first, 5), at=5)
    again = candidate(minute=9)
    assert desk.found(cleared(first, 5), again, at=9) == ["alarm.returned", "desk.counted"]
    assert desk.state == "active_unacked"
    desk.found(cleared(first, 5), cleared(again, 10), at=10)
    desk.found(candidate(minute=16), at=16)
    assert len(desk.board.alarms) == 2
    assert len(desk.board.dispositions) == 1


def test_a_breach_that_came_and_went_between_two_looks_calls_again(desk: Driven):
    first = candidate(ends=1)
    desk.found(first, at=1)
    ack(desk)
    assert desk.found(first, candidate(minute=2, ends=3), at=4) == ["alarm.returned", "desk.counted"]
    assert desk.state == "cleared_unacked"
    ack(desk)
    assert desk.found(candidate("YCBJ-001", minute=2.5, ends=2.8), at=5) == ["alarm.joined"]
    assert desk.state == "normal"


def test_three_in_a_minute_chatter_and_call_no_more_unless_regulator(desk: Driven):
    rows = [candidate("F-10", "CO1", n * 0.2, ends=n * 0.2 + 0.1, quantity="co") for n in range(3)]
    for row in rows:
        desk.found(row, at=2)
    assert desk.alarm.is_chattering
    ack(desk)
    desk.found(candidate("F-10", "CO1", 1.5, quantity="co"), at=2)
    assert desk.state == "active_acked"
    assert desk.tick(5) == []
    assert desk.tick(13) == ["alarm.calmed"]


def test_alarms_of_a_place_are_one_incident_and_share_a_disposition(desk: Driven):
    desk.found(
        candidate("YCBJ-001"),
        candidate("YCBJ-002", minute=1),
        candidate("P-03", FACE, 2),
        candidate("G-01", "MN9", 3, area_id=HEADING),
        candidate("G-01", "MN5", 40),
        at=41,
    )
    incidents = {each.alarm_id: each.incident_id for each in desk.board.alarms.values()}
    assert len(set(incidents.values())) == 3
    assert sorted(len(each.alarm_ids) for each in desk.board.dispositions.values()) == [1, 1, 2]
    assert {each.disposition_id for each in desk.board.dispositions.values()} == {
        f"D-{MINE}-260301-{number:02d}" for number in (1, 2, 3)
    }


def test_a_finding_that_gold_no_longer_holds_ends_but_must_still_be_dealt_with(desk: Driven):
    old, young = candidate(minute=-30), candidate("G-01", "MN5", 0)
    desk.found(old, young, at=0)
    assert desk.found(old, at=5, since=START) == ["alarm.retracted"]
    states = {each.point_id: desk.board.state_of(each) for each in desk.board.alarms.values()}
    assert states == {CORNER: "active_unacked", "MN5": "cleared_unacked"}
    moved = candidate("G-01", "MN5", -1)
    assert "alarm.returned" in desk.found(old, moved, at=6, since=after(-60))
    assert len(desk.board.alarms) == 2


def test_what_was_over_before_it_was_known_is_quiet_but_a_regulator_class_one_is_disposed_of(desk: Driven):
    assert desk.found(candidate(ends=10), candidate("P-03", FACE, ends=10), at=120) == [
        "alarm.raised", "disposition.opened", "alarm.put_under", "alarm.raised",
    ]  # fmt: skip
    states = {each.class_name: desk.board.state_of(each) for each in desk.board.alarms.values()}
    assert states == {"methane": "cleared_unacked", "personnel": "normal"}
    assert not [what for what in desk.tick(130) if what == "alarm.escalated"]


def test_a_class_that_gets_graver_lifts_the_hold_and_opens_a_disposition(desk: Driven):
    fan = candidate("V-04", "FAN1", quantity=None)
    desk.found(fan, at=0)
    desk.do(events.PutOnHold(desk.alarm.alarm_id, "shelved", "曲线标定", ANN, after(60)), 1)
    assert desk.state == "shelved"
    happened = desk.found(replace(fan, level=4), at=2)
    assert {"hold.lifted", "alarm.worsened", "disposition.opened"} <= set(happened)
    assert desk.state == "active_unacked"
    assert desk.alarm.class_name == "fan_stop"


# ── what people do ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_acknowledgement_is_recorded_once(desk: Driven):
    desk.found(candidate(), at=0)
    with pytest.raises(RefusedError, match="a note of 2 or more"):
        ack(desk, note=" ")
    ack(desk)
    with pytest.raises(RefusedError, match=r"ann acknowledged at 2026-03-01T02:00:00\+00:00; not recorded twice"):
        ack(desk, by=BEN)


def test_regulator_class_is_never_acknowledged_in_bulk_others_are(desk: Driven):
    desk.found(candidate(), candidate("P-03", FACE), candidate("F-10", "CO1"), at=0)
    everything = tuple(desk.board.alarms)
    before = desk.board
    with pytest.raises(RefusedError, match="cannot acknowledge in bulk: methane over its limit is regulator class"):
        desk.do(events.Acknowledge(everything, ANN, "全部"))
    assert desk.board == before
    ordinary = tuple(each.alarm_id for each in before.alarms.values() if not each.alarm_class.is_regulator)
    assert desk.do(events.Acknowledge(ordinary, ANN)) == ["alarm.acknowledged"] * 2


@pytest.mark.parametrize("kind", ["shelved", "suppressed_by_design", "out_of_service"])
@pytest.mark.parametrize("report", ["G-01", "YCBJ-002", "YCBJ-003", "RYYC"])
def test_regulator_class_is_never_out_of_sight(desk: Driven, kind: str, report: str):
    desk.found(candidate(report), at=0)
    with pytest.raises(RefusedError, match="is regulator class, dispose of it"):
        desk.do(events.PutOnHold(desk.alarm.alarm_id, kind, "标校", ANN, after(15)))


def test_a_shelf_has_an_end_and_a_reason_and_what_waited_waits_again(desk: Driven):
    desk.found(candidate("F-10", "CO1"), at=0)
    alarm_id, tag = desk.alarm.alarm_id, desk.alarm.tag
    for reason, until in (("", after(15)), ("标校", None), ("标校", after(-1)), ("标校", after(24 * 60))):
        with pytest.raises(RefusedError, match="expected"):
            desk.do(events.PutOnHold(alarm_id, "shelved", reason, ANN, until))
    desk.do(events.PutOnHold(alarm_id, "shelved", "标校", ANN, after(15)))
    assert desk.state == "shelved"
    assert desk.tick(14) == []
    with pytest.raises(RefusedError, match="on hold already"):
        desk.do(events.PutOnHold(alarm_id, "out_of_service", "停用", ANN))
    assert desk.tick(15) == ["hold.lifted", "alarm.in_sight", "desk.counted"]
    assert desk.state == "active_unacked"
    assert desk.alarm.waiting_since == after(15)
    desk.do(events.PutOnHold(alarm_id, "suppressed_by_design", "检修期联动抑制", EVE))
    assert desk.tick(10_000) == []
    assert desk.do(events.Lift(tag, EVE))[0] == "hold.lifted"
    with pytest.raises(UnknownError):
        desk.do(events.Lift(tag, EVE))


def test_what_is_raised_while_its_source_is_held_is_not_shown(desk: Driven):
    desk.found(candidate("F-10", "CO1", ends=1), at=1)
    desk.do(events.PutOnHold(desk.alarm.alarm_id, "shelved", "标校", ANN, after(60)))
    assert desk.found(candidate("F-10", "CO1", 20), at=20) == ["alarm.raised"]
    assert desk.tick(40) == []


def test_an_advisory_is_confirmed_or_rejected_with_a_reason_and_stays_apart(desk: Driven):
    seen = candidate("V101", "CAM1", point_id=None, level=4)
    assert desk.found(seen, at=0) == ["alarm.raised"]
    alarm_id = desk.alarm.alarm_id
    assert desk.tick(60) == []
    with pytest.raises(RefusedError, match="expected why as one of"):
        desk.do(events.Decide(alarm_id, "rejected", ANN))
    desk.do(events.Decide(alarm_id, "rejected", ANN, "known_work"))
    assert desk.state == "normal"
    with pytest.raises(RefusedError, match="it was rejected already"):
        desk.do(events.Decide(alarm_id, "confirmed", ANN))
    desk.found(candidate("G-01", minute=1), at=1)
    methane = next(each for each in desk.board.alarms.values() if each.class_name == "methane")
    assert methane.incident_id == methane.alarm_id
    with pytest.raises(RefusedError, match="only an advisory"):
        desk.do(events.Decide(methane.alarm_id, "rejected", ANN, "not_there"))


# ── the clock ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alarm_that_nobody_takes_on_climbs_its_ladder_once(desk: Driven):
    desk.found(candidate(), at=0)
    assert desk.tick(0.9) == []
    assert desk.tick(1) == ["alarm.escalated", "disposition.overdue"]
    assert desk.changes[-2].note == {"to_zh": "值班领导", "to_en": "duty leader"}
    assert desk.tick(1) == []
    assert desk.tick(10) == ["alarm.escalated", "alarm.escalated", "disposition.overdue"]
    ack(desk)
    assert desk.tick(60) == []


def test_clocks_of_a_disposition_run_out_once(desk: Driven):
    desk.found(candidate(), at=0)
    ack(desk)
    assert desk.tick(3) == ["disposition.overdue"]
    assert desk.disposition.overdue == ("act",)
    desk.tick(8 * 60)
    desk.tick(9 * 60)
    assert desk.disposition.overdue == ("act", "close")


def test_ten_in_ten_minutes_are_a_flood_until_fewer_than_five_are(desk: Driven):
    for number in range(9):
        desk.found(candidate("F-10", f"CO{number}", number * 0.5), at=number * 0.5)
    assert desk.board.desks[MINE].flood_since is None
    assert "desk.flood_began" in desk.found(candidate("F-10", "CO9", 5), at=5)
    assert not [what for what in desk.tick(10.9) if what.startswith("desk")]
    assert [what for what in desk.tick(13) if what.startswith("desk")] == ["desk.flood_ended"]


# ── disposition ─────────────────────────────────────────────────────────────────────────────────────────────────────


def dispose(desk: Driven, by: str = ANN) -> None:
    """Everything that a disposition needs before it is submitted, but giving back."""
    number = desk.disposition.disposition_id
    desk.do(events.Tell(number, "孙强", "带班矿领导", "phone", desk.now, by, True))
    desk.do(events.JudgeCause(number, "doors_and_fans", by, ("FM-07 打开 03:12",)))
    desk.do(events.PlanAction(number, "人工切断上级电源 高爆-04，并验电、挂牌", "变电所", by))
    desk.do(events.ReportDone(number, 1, "已断电挂牌", by))
    desk.do(events.CountOut(number, 5, 5, by))


def test_the_loop_from_raised_to_closed_by_another_person(desk: Driven):
    gas = candidate()
    desk.found(gas, at=0)
    number = desk.disposition.disposition_id
    assert desk.disposition.state == "draft"
    with pytest.raises(RefusedError, match="still active; an alarm is not acknowledged; nobody was told; no cause"):
        desk.do(events.Submit(number, ANN))
    ack(desk)
    desk.now = after(1)
    dispose(desk)
    assert desk.disposition.state == "handling"
    give_back = events.Restore(number, after(1), "李明", ANN, 0.4)
    with pytest.raises(RefusedError, match="conditions to restore do not hold: still active: MN0001T0 alarms"):
        desk.do(give_back)
    desk.found(cleared(gas, 20), at=20)
    desk.do(give_back)
    desk.do(events.Submit(number, ANN), 30)
    with pytest.raises(RefusedError, match="another person"):
        desk.do(events.GiveCheck(number, True, ANN))
    with pytest.raises(RefusedError, match="being handled, got one that is submitted"):
        desk.do(events.CountOut(number, 5, 5, ANN))
    with pytest.raises(RefusedError, match="why it is sent back"):
        desk.do(events.GiveCheck(number, False, BEN))
    assert desk.do(events.GiveCheck(number, False, BEN, "缺现场照片")) == ["disposition.returned"]
    desk.do(events.Attach(number, "a" * 64, "现场.jpg", "image/jpeg", 1000, ANN))
    desk.do(events.Submit(number, ANN))
    assert desk.do(events.GiveCheck(number, True, BEN), 40) == ["disposition.closed"]
    assert desk.disposition.closed_at == after(40)
    assert not desk.board.is_open(desk.alarm)
    assert applied(Board(), desk.changes) == desk.board


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (events.Tell("", "孙强", "领导", "pigeon", START, ANN), "expected a channel, one of phone, broadcast"),
        (events.Tell("", " ", "领导", "phone", START, ANN), "expected who was told"),
        (events.Tell("", "孙强", "领导", "phone", after(9), ANN), "a time that has passed"),
        (events.JudgeCause("", "planned_stop", ANN), "expected a cause, one of barometer"),
        (events.JudgeCause("", "other", ANN), "says what the other cause is"),
        (events.PlanAction("", "", "", ANN), "what is to be done"),
        (events.ReportDone("", 1, "", ANN), "expected an action 1 to 0, got 1"),
        (events.CountOut("", 6, 5, ANN), "expected 0 ≤ out ≤ of, got 6 of 5"),
        (events.GiveCheck("", True, BEN), "expected a submitted disposition, got one that is draft"),
    ],
)
def test_what_a_disposition_refuses(desk: Driven, event: events.Event, said: str):
    desk.found(candidate(), at=0)
    before = desk.board
    with pytest.raises(RefusedError, match=said):
        desk.do(replace(event, disposition_id=desk.disposition.disposition_id))
    assert desk.board == before


def test_restoring_resets_what_was_latched(desk: Driven):
    cut = candidate("YCBJ-002")
    desk.found(cut, at=0)
    ack(desk)
    desk.found(cleared(cut, 5), at=5)
    assert desk.state == "latched"
    desk.do(events.Restore(desk.disposition.disposition_id, after(5), "李明", ANN, 0.3))
    assert desk.state == "normal"


def test_a_breach_after_submission_is_a_new_alarm_with_a_disposition_of_its_own(desk: Driven):
    gas = candidate()
    desk.found(gas, at=0)
    ack(desk)
    dispose(desk)
    desk.found(cleared(gas, 5), at=5)
    number = desk.disposition.disposition_id
    desk.do(events.Restore(number, after(5), "李明", ANN, 0.4))
    desk.do(events.Submit(number, ANN))
    desk.found(cleared(gas, 5), candidate(minute=7), at=7)
    assert len(desk.board.alarms) == 2
    assert len(desk.board.dispositions) == 2


def test_what_is_finished_is_forgotten_only_when_nothing_can_ask_for_it(desk: Driven):
    over, lasting = candidate("F-10", "CO1", ends=1), candidate("F-10", "CO2")
    desk.found(over, lasting, at=1)
    desk.do(events.Acknowledge((over.candidate_id, lasting.candidate_id), ANN))
    kept = desk.board.without_finished(after(10_000))
    assert list(kept.alarms) == [lasting.candidate_id]
    assert list(kept.found_in) == [lasting.candidate_id]
    assert desk.board.without_finished(after(1)).alarms == desk.board.alarms


@pytest.mark.parametrize("event", [events.Acknowledge(("x",), ANN), events.Submit("x", ANN), events.Lift("x", ANN)])
def test_what_is_not_there_is_told(desk: Driven, event: events.Event):
    with pytest.raises(UnknownError, match="'x'"):
        desk.do(event)


def test_candidates_carry_their_start_in_their_identity():
    assert candidate(minute=1).candidate_id != candidate(minute=2).candidate_id
    assert isinstance(candidate(), Candidate)
