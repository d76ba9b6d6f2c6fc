"""Every behaviour with a case and a near miss, on tracks written by hand; and what holds for all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from literal_tracks import PICTURES_PER_S, START, at, judged, line, pictures, view, zone

from minefusion.models.unsafe_behaviour.rules import Judge
from minefusion.models.unsafe_behaviour.scene import Scene
from minefusion.schemas.behaviours import Behaviour, Condition, Confirmed, InZone, all_behaviours
from minefusion.schemas.site_cameras import CameraFloor

WALK = 0.15  # of the picture's width per second: 0.9 m/s for a person half as high as the picture


def codes(*found: object) -> list[str]:
    return [event.behaviour.code for event in found]  # type: ignore[attr-defined]


# ── protective gear ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "bad", "good"), [("no_helmet", "bare_head", "helmet"), ("no_vest", "no_vest", "vest")]
)
def test_gear_that_is_missing_for_a_second(code: str, bad: str, good: str):
    (event,) = judged(code, view(), pictures(3, lambda t: at(0.3 + t * WALK, **{bad: 0.8, good: 0.2})))
    assert (event.subject, event.delay_s) == ("1", pytest.approx(1.0, abs=0.21))
    assert event.confidence == pytest.approx(0.8)
    # Worn, seen without for half a second only, too small to tell, cut off by the picture's edge, not sure enough.
    assert not judged(code, view(), pictures(3, lambda _: at(0.3, **{bad: 0.3, good: 0.8})))
    assert not judged(code, view(), pictures(3, lambda t: at(0.3, **({bad: 0.9} if 1 <= t < 1.5 else {good: 0.9}))))
    assert not judged(code, view(), pictures(3, lambda _: at(0.3, height=0.1, **{bad: 0.8})))
    assert not judged(code, view(), pictures(3, lambda _: at(0.01, **{bad: 0.8})))
    assert not judged(code, view(), pictures(3, lambda _: at(0.3, **{bad: 0.2})))


# ── zones and lines ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_forbidden_zone_entered():
    (event,) = judged("zone_intrusion", view(zone("forbidden")), pictures(6, lambda t: at(0.2 + t * 0.1)))
    assert event.zone_id == "Z1"
    assert event.began_at - START == pytest.approx(3.0, abs=0.21)
    assert event.sentence_zh.startswith("东巷：进入警戒区。人员在一号区内，持续")
    assert "起" in event.sentence_zh
    assert event.sentence_en.startswith("east road: inside a forbidden zone. a person is in zone one, for ")
    assert event.sentence_en.endswith("since 08:00:03")  # by the mine's clock


def test_the_head_over_the_zone_with_feet_outside_is_no_intrusion():
    upper = zone("forbidden", corners=((0.0, 0.0), (1.0, 0.0), (1.0, 0.6), (0.0, 0.6)))
    assert not judged("zone_intrusion", view(upper), pictures(5, lambda _: at(0.5, y=0.9, height=0.6)))


def test_a_zone_has_its_own_time_and_hours():
    dwell = view(zone("forbidden", after_s=4.0))
    assert not judged("zone_intrusion", dwell, pictures(3.5, lambda _: at(0.7)))
    assert judged("zone_intrusion", dwell, pictures(5, lambda _: at(0.7)))
    # It is 08:00 by the mine's clock.
    for between, holds in ((("07:00", "09:00"), True), (("22:00", "06:00"), False), (("22:00", "08:30"), True)):
        found = judged("zone_intrusion", view(zone("forbidden", between=between)), pictures(3, lambda _: at(0.7)))
        assert bool(found) == holds


@pytest.mark.parametrize(("way", "from_left", "from_right"),
                         [("both", 1, 1), ("to_left", 1, 0), ("to_right", 0, 1)])  # fmt: skip
def test_a_line_has_a_forbidden_way(way: str, from_left: int, from_right: int):
    seen = view(line(forbidden_way=way))
    assert len(judged("line_crossing", seen, pictures(4, lambda t: at(0.3 + t * 0.1)))) == from_left
    assert len(judged("line_crossing", seen, pictures(4, lambda t: at(0.7 - t * 0.1)))) == from_right


def test_swaying_on_the_line_or_passing_its_end_is_no_crossing():
    sway = view(line(dead_band=0.05))
    assert not judged("line_crossing", sway, pictures(6, lambda t: at(0.5 + 0.02 * (-1) ** round(t * 5))))
    short = view(line(start=(0.5, 0.0), end=(0.5, 0.5)))
    assert not judged("line_crossing", short, pictures(4, lambda t: at(0.3 + t * 0.1, y=0.9)))
    assert judged("line_crossing", short, pictures(4, lambda t: at(0.3 + t * 0.1, y=0.4, height=0.3)))


def test_a_track_that_jumps_faster_than_anybody_walks_crosses_nothing():
    assert not judged("line_crossing", view(line()), pictures(2, lambda t: at(0.05 if t < 1 else 0.95)))


# ── belt and haulage: the state of the machine ──────────────────────────────────────────────────────────────────────

BELT = zone("belt", way=(1.0, 0.0), machine_id="B1")


@pytest.mark.parametrize(
    ("known", "alarms"), [({"B1": True}, True), ({"B1": False}, False), ({"B1": None}, True), ({}, True)]
)
def test_on_the_belt_while_it_runs_and_an_unknown_state_counts_as_running(known: dict[str, bool | None], alarms: bool):
    found = judged("person_on_belt", view(BELT), pictures(3, lambda _: at(0.7), machines=known))
    assert bool(found) == alarms
    if alarms:
        is_known = known.get("B1") is not None
        assert found[0].assumed_running == (() if is_known else ("B1",))
        assert ("状态未知" in found[0].sentence_zh) != is_known
        assert ("not known" in found[0].sentence_en) != is_known


def test_riding_the_belt_is_moving_along_it():
    def riding(t: float) -> object:
        return at(0.52 + t * 0.15)

    running = {"machines": {"B1": True}}
    assert judged("belt_riding", view(BELT), pictures(3, riding, **running))
    assert not judged("belt_riding", view(BELT), pictures(3, lambda _: at(0.7), **running))  # stands beside the drum
    assert not judged("belt_riding", view(BELT), pictures(3, lambda t: at(0.97 - t * 0.15), **running))  # against it
    assert not judged("belt_riding", view(BELT), pictures(3, riding, machines={"B1": False}))


def test_crossing_the_belt_counts_while_it_runs():
    seen = view(line("belt", machine_id="B1"))
    assert judged("belt_crossing", seen, pictures(4, lambda t: at(0.3 + t * 0.1), machines={"B1": True}))
    assert not judged("belt_crossing", seen, pictures(4, lambda t: at(0.3 + t * 0.1), machines={"B1": False}))
    assert not judged("line_crossing", seen, pictures(4, lambda t: at(0.3 + t * 0.1)))


def test_on_foot_while_the_haulage_runs():
    seen = view(zone("haulage", machine_id="W1"))
    assert judged("walking_while_haulage_runs", seen, pictures(2, lambda _: at(0.7), machines={"W1": True}))
    assert not judged("walking_while_haulage_runs", seen, pictures(2, lambda _: at(0.7), machines={"W1": False}))


# ── how people move ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_against_the_prescribed_direction():
    seen = view(zone("one_way", way=(1.0, 0.0)))
    assert judged("wrong_direction", seen, pictures(3, lambda t: at(0.98 - t * WALK)))
    assert not judged("wrong_direction", seen, pictures(3, lambda t: at(0.52 + t * WALK)))
    assert not judged("wrong_direction", seen, pictures(3, lambda _: at(0.8)))
    # Across the way is not against it.
    assert not judged("wrong_direction", seen, pictures(3, lambda t: at(0.7, y=0.95 - t * 0.1, height=0.4)))


def test_running_by_the_persons_own_height_and_by_the_floor():
    # Half as high as the picture is 1.7 m, so the picture is 3.4 m high and 6.04 m wide.
    assert judged("running", view(), pictures(2.4, lambda t: at(0.02 + t * 3.0 / 6.04)))
    assert not judged("running", view(), pictures(4, lambda t: at(0.02 + t * 1.4 / 6.04)))
    # On a floor 20 m wide the second one runs.
    floor = CameraFloor("", ((0, 0, 0, 0), (1, 0, 20, 0), (1, 1, 20, 20), (0, 1, 0, 20)))
    assert judged("running", view(floor=floor), pictures(4, lambda t: at(0.02 + t * 1.4 / 6.04)))


def test_lying_still_for_two_seconds():
    assert judged("lying", view(), pictures(4, lambda _: at(0.5, lying=0.9)))
    assert not judged("lying", view(), pictures(4, lambda t: at(0.5, lying=0.9 if t < 1.0 else 0.1)))  # bends down
    assert not judged("lying", view(), pictures(4, lambda _: at(0.5, lying=None)))
    assert not judged("lying", view(), pictures(4, lambda t: at(0.1 + t * 0.2, lying=0.9)))  # crawls


def test_motionless_at_the_post():
    post = view(zone("post", after_s=20.0))
    assert judged("motionless", post, pictures(25, lambda _: at(0.7)))
    assert not judged("motionless", post, pictures(25, lambda t: at(0.7 + 0.1 * (round(t) // 10 % 2))))
    assert not judged("motionless", post, pictures(25, lambda _: at(0.2)))  # not at the post


# ── how many there are ──────────────────────────────────────────────────────────────────────────────────────────────


def crowd(count: int, x: float = 0.6) -> list[object]:
    return [lambda _, n=n: at(x + 0.08 * n, track=n + 1) for n in range(count)]


def test_more_people_than_the_cap():
    seen = view(zone("gathering", cap=3))
    (event,) = judged("gathering", seen, pictures(12, *crowd(4)))
    assert "4人，核定3人" in event.sentence_zh
    assert (event.subject, event.people, len(event.boxes)) == ("zone Z1", 4, 4)
    assert not judged("gathering", seen, pictures(12, *crowd(3)))
    assert not judged("gathering", seen, pictures(8, *crowd(4)))  # too short
    assert not judged("gathering", seen, pictures(12, *crowd(3), lambda _: at(0.1, track=9)))  # the fourth is outside


def test_an_empty_post():
    seen = view(zone("post", after_s=10.0))
    assert judged("post_empty", seen, pictures(12, lambda _: at(0.2)))
    assert not judged("post_empty", seen, pictures(12, lambda t: at(0.7) if t < 3 or t > 9 else None))


def test_alone_where_two_are_needed():
    seen = view(zone("pair_work", after_s=10.0))
    assert judged("alone", seen, pictures(12, lambda _: at(0.7)))
    assert not judged("alone", seen, pictures(12, *crowd(2)))
    assert not judged("alone", seen, pictures(12))


def test_people_on_video_and_by_positioning():
    whole = view(behaviours=("all", "count_differs"))
    assert judged("count_differs", whole, pictures(35, *crowd(5, 0.1), carried=2))
    assert not judged("count_differs", whole, pictures(35, *crowd(5, 0.1), carried=4))
    assert not judged("count_differs", whole, pictures(35, *crowd(5, 0.1), carried=None))
    # Of a long road a camera sees a piece: the rest of its people are not missing.
    assert not judged("count_differs", view(), pictures(35, *crowd(1, 0.1), carried=21))


# ── what holds for all of them ──────────────────────────────────────────────────────────────────────────────────────


def test_an_event_is_raised_once_and_ends():
    def inside_twice(t: float) -> object:
        return at(0.7 if t < 5 or 8 < t < 12 else 0.2)

    (event,) = judged("zone_intrusion", view(zone("forbidden")), pictures(20, inside_twice))
    assert event.ended_at is not None
    assert event.ended_at - START == pytest.approx(4.8)  # the second time falls in the cool-down of 30 s


def test_after_the_cool_down_it_is_raised_anew():
    found = judged(
        "zone_intrusion", view(zone("forbidden")), pictures(60, lambda t: at(0.7 if t < 5 or t > 45 else 0.2))
    )
    assert [round(event.began_at - START) for event in found] == [0, 45]


def test_who_comes_back_after_leaving_is_a_new_case():
    def away(t: float) -> object:
        return None if 5 < t < 12 else at(0.7, track=1 if t <= 5 else 2)

    found = judged("zone_intrusion", view(zone("forbidden")), pictures(15, away))
    assert [event.subject for event in found] == ["1", "2"]


def test_a_new_number_behind_a_pillar_is_the_same_person():
    def renumbered(t: float) -> object:
        return None if 3 < t < 4.5 else at(0.7, track=1 if t <= 3 else 7)

    (event,) = judged("zone_intrusion", view(zone("forbidden")), pictures(10, renumbered))
    assert event.subject == "1"


def test_a_ghost_of_one_picture_raises_nothing():
    judge = Judge(view(zone("forbidden"), zone("belt", zone_id="Z2"), zone("haulage", zone_id="Z3")))
    events = []
    for scene in pictures(20, lambda t: at(0.7, track=round(t * 5), no_vest=0.9, bare_head=0.9, lying=0.9)
                          if round(t * PICTURES_PER_S) % 20 == 0 else None):  # fmt: skip
        events += judge.look(scene)
    assert not events


def test_confirmed_counts_pictures():
    in_zone = Condition(in_zone=InZone("forbidden"))
    three = Condition(confirmed=Confirmed(3, 5, in_zone))
    rule = Behaviour("in", "V201", 2, "进入", "inside", "person", three, "test", "convention")
    seen = view(zone("forbidden"))
    assert not judged(rule, seen, pictures(1, lambda t: at(0.7 if t < 0.4 else 0.2)))  # two pictures
    (event,) = judged(rule, seen, pictures(1, lambda t: at(0.7 if round(t * 5) in (0, 2, 4) else 0.2)))
    assert "最近5帧中3帧" in event.sentence_zh


def test_any_of_takes_what_holds():
    either = Condition(any_of=(Condition(in_zone=InZone("belt")), Condition(in_zone=InZone("forbidden"))))
    rule = Behaviour("in", "V201", 2, "进入", "inside", "person", either, "test", "convention")
    (event,) = judged(rule, view(zone("forbidden")), pictures(1, lambda _: at(0.7)))
    assert "一号区" in event.sentence_zh


def test_every_behaviour_has_a_case_here():
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    assert [each.code for each in all_behaviours() if f'"{each.code}"' not in text] == []


@given(
    st.lists(
        st.tuples(st.floats(0.05, 0.95), st.floats(0.3, 1.0), st.booleans(), st.booleans()), min_size=1, max_size=60
    )
)
def test_events_lie_in_order_and_in_the_pictures(steps: list[tuple[float, float, bool, bool]]):
    seen = view(zone("forbidden"), zone("gathering", zone_id="Z2", cap=0, after_s=0.5), line())
    judge = Judge(seen)
    events = []
    for number, (x, y, is_there, is_bare) in enumerate(steps):
        person = at(x, y, height=0.3, bare_head=0.9 if is_bare else 0.0)
        scene = Scene(START + number / 5, (person,) if is_there else ())
        events += judge.look(scene)
    last = START + (len(steps) - 1) / 5
    going = judge.close()
    raised = [event for event in events if event.ended_at is None]
    ended = [event for event in (*events, *going) if event.ended_at is not None]
    assert len(raised) == len(ended)
    assert all(START <= event.began_at <= event.raised_at <= last for event in raised)
    assert all(event.began_at <= event.ended_at <= last for event in ended if event.ended_at is not None)
    going_on = [(event.behaviour.code, event.subject) for event in going]
    assert len(going_on) == len(set(going_on))
