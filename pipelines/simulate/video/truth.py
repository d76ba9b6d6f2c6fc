"""What truly happened in a rendered clip: boxes of what is seen, and events read off places in metres and the script.

The truth does not use the rules of the platform: a person is in a zone when their feet are, on a belt when they stand
on it; only the times that a rule itself asks for (a zone's `after_s`) are part of what counts as the event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.video.acting import Actor, Script
from minefusion.pipelines.simulate.video.figures import BODY, HEAD, PARTS, TRUNK, Pose
from minefusion.pipelines.simulate.video.tunnel import HEIGHT_PX, WIDTH_PX, FloorZone, Tunnel

# A part has a box when so much of it is seen, and so many pixels [share, px].
SEEN_SHARE, LEAST_PX, LEAST_HEAD_PX = 0.35, 40, 6
# Gear can be judged on a person so high and so freely seen [share of the picture, share of the body].
JUDGED_HEIGHT, JUDGED_SEEN, EDGE_PX = 0.18, 0.7, 3
# What holds shorter than this is neither demanded nor wrong to report [s].
DEMANDED_S = 2.0
# Holes in what holds are closed up to this: a person behind a prop [s].
HOLE_S = 2.0
# Places so near to a border count to neither side [m].
BORDER_M = 0.15
RUN_M_S = 2.6


@dataclass(frozen=True)
class Seen:
    """One person in one picture: boxes in pixels, left, top, right, bottom; None where too little is seen."""

    actor: Actor
    pose: Pose
    body: tuple[int, int, int, int] | None
    head: tuple[int, int, int, int] | None
    trunk: tuple[int, int, int, int] | None
    shown: float

    @property
    def is_judgeable(self) -> bool:
        """Whether anybody could say what this person wears."""
        if self.body is None or self.head is None or self.trunk is None or self.shown < JUDGED_SEEN:
            return False
        left, top, right, bottom = self.body
        inside = left >= EDGE_PX and top >= EDGE_PX and right < WIDTH_PX - EDGE_PX and bottom < HEIGHT_PX - EDGE_PX
        return inside and (bottom - top) / HEIGHT_PX >= JUDGED_HEIGHT

    def labelled(self) -> list[tuple[str, tuple[int, int, int, int]]]:
        """Class and box of the person and of what they wear or do not."""
        who, found = self.actor.looks, []
        if self.body:
            found.append(("person", self.body))
        if self.head:
            found.append(("helmet" if who.has_helmet else "bare_head", self.head))
        if self.trunk:
            found.append(("vest" if who.has_vest else "no_vest", self.trunk))
        return found


@dataclass(frozen=True)
class TrueEvent:
    """An event that happened. `is_demanded`: a system that says nothing has missed it; else it may say so or not."""

    behaviour: str
    subject: str
    begins_s: float
    ends_s: float
    is_demanded: bool = True


_Holds = Callable[["Seen", float], bool]
# (behaviour, what certainly is it, what might be, seconds from which it is demanded)
_Add = Callable[..., None]


def seen(owners: NDArray[np.int32], actor: Actor, pose: Pose, drawn_px: int) -> Seen:
    """Boxes of one person from the map of pixels; `drawn_px` is how many they would cover alone."""
    first = actor.number * PARTS
    mine = (owners >= first + BODY) & (owners <= first + TRUNK)
    count = int(mine.sum())
    shown = count / drawn_px if drawn_px else 0.0
    if count < LEAST_PX or shown < SEEN_SHARE:
        return Seen(actor, pose, None, None, None, shown)
    return Seen(
        actor, pose, _box(mine, LEAST_PX),
        _box(owners == first + HEAD, LEAST_HEAD_PX), _box(owners == first + TRUNK, LEAST_HEAD_PX), shown,
    )  # fmt: skip


def _box(mask: NDArray[np.bool_], least_px: int) -> tuple[int, int, int, int] | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows) or int(mask.sum()) < least_px:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def events(
    place: Tunnel, script: Script, times: Sequence[float], pictures: Sequence[Sequence[Seen]]
) -> list[TrueEvent]:
    """What happened, in the order of its beginning."""
    found: list[TrueEvent] = []
    for actor in script.actors:
        mine = [next((each for each in picture if each.actor is actor), None) for picture in pictures]
        found += _of_person(place, script, times, actor, mine)
    for zone in place.zones:
        inside = [
            sum(1 for each in picture if each.body and zone.holds(each.pose.x, each.pose.z)) for picture in pictures
        ]
        of_count: dict[str, tuple[str, Callable[[int], bool]]] = {
            "crew": ("gathering", lambda n, cap=zone.cap or 0: n > cap),  # type: ignore[misc]
            "desk": ("post_empty", lambda n: n == 0),
            "pair": ("alone", lambda n: n == 1),
        }
        if zone.zone_id in of_count and zone.after_s is not None:
            behaviour, holds = of_count[zone.zone_id]
            held = _spans(times, [holds(count) for count in inside], hole_s=0.5)
            found += _after(behaviour, f"zone {zone.zone_id}", held, zone.after_s)
    return sorted(found, key=lambda each: (each.begins_s, each.behaviour, each.subject))


def _of_person(
    place: Tunnel, script: Script, times: Sequence[float], actor: Actor, mine: Sequence[Seen | None]
) -> list[TrueEvent]:
    subject = str(actor.number)
    found: list[TrueEvent] = []

    def add(behaviour: str, certain: _Holds, possible: _Holds | None = None, demanded_s: float = DEMANDED_S) -> None:
        there = [each is not None and each.body is not None for each in mine]

        def spans(holds: _Holds) -> list[tuple[float, float]]:
            held = [
                is_there and each is not None and holds(each, at)
                for each, is_there, at in zip(mine, there, times, strict=True)
            ]
            return _spans(times, held, HOLE_S)

        sure = spans(certain)
        found.extend(TrueEvent(behaviour, subject, *span, span[1] - span[0] >= demanded_s) for span in sure)
        for start, end in spans(possible) if possible else ():
            if not any(start <= later and end >= earlier for earlier, later in sure):
                found.append(TrueEvent(behaviour, subject, start, end, is_demanded=False))

    who = actor.looks
    if not who.has_helmet:
        add("no_helmet", lambda each, _: each.is_judgeable, lambda each, _: each.head is not None)
    if not who.has_vest:
        add("no_vest", lambda each, _: each.is_judgeable, lambda each, _: each.trunk is not None)
    add("lying", lambda each, _: each.pose.posture == "lie")
    add("running", lambda each, _: each.pose.posture == "run" and each.body is not None, demanded_s=1.5)
    belt = place.belt
    if belt:

        def on_belt(each: Seen, at: float) -> bool:
            return (
                abs(each.pose.x - belt.x) <= belt.half_width and each.pose.y > 0.5 * belt.y and script.runs("belt", at)
            )

        def near_belt(each: Seen, at: float) -> bool:
            return abs(each.pose.x - belt.x) <= belt.half_width + 0.3 and each.pose.y > 0.0 and script.runs("belt", at)

        add("person_on_belt", on_belt, near_belt, demanded_s=1.0)
        add("belt_riding", lambda each, at: on_belt(each, at) and each.pose.posture == "sit")
        add("belt_crossing", _never, near_belt)
        found += _passings("belt_crossing", subject, times, mine, lambda pose: pose.x - belt.x, 0,
                           lambda at: script.runs("belt", at))  # fmt: skip
    for zone in place.zones:
        _in_zone(script, zone, add)
    for line in place.lines:
        if line.z is not None:
            found += _passings("line_crossing", subject, times, mine, lambda pose, z=line.z: pose.z - z, line.way)  # type: ignore[misc]
            add("line_crossing", _never, lambda each, _, z=line.z: abs(each.pose.z - z) < 0.3)  # type: ignore[misc]
    found += _still_at_post(place, subject, times, mine)
    return _without_double(found)


def _never(_each: Seen, _at: float) -> bool:
    return False


def _in_zone(script: Script, zone: FloorZone, add: _Add) -> None:
    def inside(margin: float) -> _Holds:
        return lambda each, at: (
            zone.holds(each.pose.x, each.pose.z, margin)
            and (zone.machine_id is None or script.runs(zone.machine_id, at))
        )

    if zone.zone_id == "track":
        add("walking_while_haulage_runs", inside(BORDER_M), inside(-2 * BORDER_M), demanded_s=1.0)
    elif zone.zone_id == "barred":
        add("zone_intrusion", inside(BORDER_M), inside(-2 * BORDER_M), demanded_s=1.0)
    elif zone.zone_id == "passage":

        def against(each: Seen, at: float) -> bool:
            later, now = each.actor.pose(at + 0.2), each.pose
            moved = (later.z - now.z) / 0.2 if later else 0.0
            return zone.holds(now.x, now.z) and moved * (zone.way_z or 1.0) < -0.5

        add("wrong_direction", against)


def _passings(behaviour: str, subject: str, times: Sequence[float], mine: Sequence[Seen | None],
              off: Callable[[Pose], float], way: int, counts: Callable[[float], bool] = lambda _: True,
              ) -> list[TrueEvent]:  # fmt: skip
    """Each time that the person passes a line while seen, in its barred way."""
    found, before = [], 0.0
    for at, each in zip(times, mine, strict=True):
        if each is None or each.body is None:
            continue
        side = off(each.pose)
        if before and side and (side > 0) != (before > 0) and way in (0, 1 if side > 0 else -1) and counts(at):
            found.append(TrueEvent(behaviour, subject, at, at + 1.0))
        before = side or before  # on the line itself is on neither side
    return found


def _still_at_post(place: Tunnel, subject: str, times: Sequence[float], mine: Sequence[Seen | None]) -> list[TrueEvent]:
    zone = next((zone for zone in place.zones if zone.zone_id == "desk"), None)
    if zone is None or zone.after_s is None:
        return []
    spans: list[tuple[float, float]] = []
    start: tuple[float, Pose] | None = None
    for at, each in zip(times, mine, strict=True):
        is_there = each is not None and each.body is not None and zone.holds(each.pose.x, each.pose.z)
        if (
            each is not None
            and is_there
            and start
            and np.hypot(each.pose.x - start[1].x, each.pose.z - start[1].z) < 0.1
        ):
            spans[-1] = (start[0], at)
        elif each is not None and is_there:
            start = (at, each.pose)
            spans.append((at, at))
        else:
            start = None
    return _after("motionless", subject, spans, zone.after_s)


def _after(behaviour: str, subject: str, spans: Iterable[tuple[float, float]], after_s: float) -> list[TrueEvent]:
    """What lasted for its time is an event from then on; what lasted nearly so long may be one."""
    found = []
    for start, end in spans:
        if end - start >= after_s + DEMANDED_S:
            found.append(TrueEvent(behaviour, subject, start + after_s, end))
        elif end - start >= after_s - DEMANDED_S:
            found.append(TrueEvent(behaviour, subject, start + after_s, max(end, start + after_s), is_demanded=False))
    return found


def _spans(times: Sequence[float], holds: Sequence[bool], hole_s: float) -> list[tuple[float, float]]:
    spans: list[tuple[float, float]] = []
    for at, is_so in zip(times, holds, strict=True):
        if not is_so:
            continue
        if spans and at - spans[-1][1] <= hole_s:
            spans[-1] = (spans[-1][0], at)
        else:
            spans.append((at, at))
    return spans


def _without_double(found: Sequence[TrueEvent]) -> list[TrueEvent]:
    """What may be is left out where what must be covers it."""
    demanded = [each for each in found if each.is_demanded]
    return demanded + [
        each
        for each in found
        if not each.is_demanded
        and not any(
            other.behaviour == each.behaviour and other.begins_s <= each.ends_s and other.ends_s >= each.begins_s
            for other in demanded
        )
    ]
