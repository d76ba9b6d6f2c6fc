"""Boxes become people with a number, and gear goes to who wears it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from minefusion.models.unsafe_behaviour.detections import Detections
from minefusion.models.unsafe_behaviour.tracking import Tracker, TrackingConfig, lying_by_outline, one_each, worn

CLASSES = ("person", "helmet", "bare_head", "vest", "no_vest")
ASPECT = 16 / 9
Row = tuple[str, float, tuple[float, float, float, float]]


def seen(*rows: Row) -> Detections:
    """Label, confidence, box."""
    ordered = sorted(rows, key=lambda row: -row[1])
    return Detections(
        np.array([row[2] for row in ordered], dtype=np.float64).reshape(-1, 4),
        np.array([row[1] for row in ordered], dtype=np.float64),
        np.array([CLASSES.index(row[0]) for row in ordered], dtype=np.int64),
        CLASSES,
    )


def body(x: float, sure: float = 0.9) -> Row:
    return "person", sure, (x, 0.3, x + 0.1, 0.9)


def test_nobody_counts_before_they_were_seen_in_several_pictures():
    tracker = Tracker(5.0, TrackingConfig(confirmed_after=3))
    counts = [len(tracker.follow(seen(body(0.2 + 0.01 * n)), n * 0.2, ASPECT)) for n in range(6)]
    assert counts == [0, 0, 1, 1, 1, 1]


def test_a_ghost_of_one_picture_is_nobody():
    tracker = Tracker(5.0)
    found = [tracker.follow(seen(body(0.2)) if n % 5 == 0 else seen(), n * 0.2, ASPECT) for n in range(30)]
    assert not any(found)


def test_two_people_keep_their_numbers_while_they_pass():
    tracker = Tracker(5.0)
    numbers = []
    for n in range(30):
        people = tracker.follow(seen(body(0.1 + 0.02 * n), ("person", 0.8, (0.75, 0.2, 0.85, 0.8))), n * 0.2, ASPECT)
        numbers.append({person.track: round(person.box[0], 2) for person in people})
    tracks = set().union(*numbers[3:])
    assert len(tracks) == 2
    for track in tracks:
        places = [each[track] for each in numbers[3:] if track in each]
        assert len(places) >= 25
        assert max(abs(b - a) for a, b in pairwise(places)) < 0.1


def test_a_weak_box_goes_on_with_a_track_but_begins_none():
    tracker = Tracker(5.0)
    for n in range(4):
        tracker.follow(seen(body(0.2)), n * 0.2, ASPECT)
    assert len(tracker.follow(seen(body(0.2, sure=0.25)), 0.8, ASPECT)) == 1
    other = Tracker(5.0)
    assert not any(other.follow(seen(body(0.2, sure=0.25)), n * 0.2, ASPECT) for n in range(10))


def test_someone_hidden_for_a_second_keeps_their_number():
    tracker = Tracker(5.0)
    numbers = [
        [person.track for person in tracker.follow(seen() if 10 <= n < 15 else seen(body(0.2)), n * 0.2, ASPECT)]
        for n in range(20)
    ]
    assert numbers[9] == numbers[-1] != []


def test_gear_goes_to_who_wears_it():
    bodies = np.array([[0.1, 0.3, 0.2, 0.9], [0.18, 0.32, 0.28, 0.92]])
    found = seen(
        ("helmet", 0.8, (0.13, 0.28, 0.17, 0.34)),
        ("bare_head", 0.7, (0.21, 0.32, 0.25, 0.38)),
        ("vest", 0.6, (0.11, 0.42, 0.19, 0.6)),
        ("no_vest", 0.5, (0.19, 0.44, 0.27, 0.62)),
        ("helmet", 0.9, (0.6, 0.28, 0.64, 0.34)),  # hangs on a hook
        ("helmet", 0.9, (0.13, 0.8, 0.17, 0.86)),  # lies at their feet
    )
    assert worn(bodies, found) == [{"helmet": 0.8, "vest": 0.6}, {"bare_head": 0.7, "no_vest": 0.5}]


def test_a_person_found_twice_counts_once():
    found = seen(body(0.2), ("person", 0.6, (0.205, 0.3, 0.305, 0.9)), body(0.5))
    assert one_each(found).confidence.tolist() == [0.9, 0.9]


def test_a_looser_box_around_somebody_is_not_another_person():
    # Somebody seated at a table, found once to the table's edge and once, less surely, with the chair.
    found = seen(("person", 0.89, (0.08, 0.51, 0.25, 0.83)), ("person", 0.25, (0.04, 0.54, 0.26, 0.85)))
    assert one_each(found).confidence.tolist() == [0.89]
    behind = seen(("person", 0.89, (0.08, 0.51, 0.25, 0.83)), ("person", 0.6, (0.13, 0.45, 0.27, 0.70)))
    assert len(one_each(behind)) == 2


@pytest.mark.parametrize(("box", "lies"), [
    ((0.4, 0.2, 0.5, 0.9), 0.0),  # stands
    ((0.3, 0.6, 0.6, 0.8), 1.0),  # lies: 2.7 times wider than high
    ((0.7, 0.6, 1.0, 0.8), None),  # the edge of the picture cuts the body off
    ((0.3, 0.8, 0.6, 1.0), None),
])  # fmt: skip
def test_a_body_that_lies(box: tuple[float, float, float, float], lies: float | None):
    assert lying_by_outline(np.array(box), ASPECT) == lies
