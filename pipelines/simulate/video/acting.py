"""Scripts: who is where and when, and which machines run. Each play stages one behaviour, or something that only looks
like it; the truth is read off the places afterwards, not off the script."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from minefusion.pipelines.simulate.video.figures import Looks, Pose, Posture, looks
from minefusion.pipelines.simulate.video.tunnel import FloorZone, Tunnel

# Metres of a double step.
_STRIDE_M = 1.4
# People come out of the dark, or pass under the camera.
_FAR_BEYOND_M, _NEAR_Z = 6.0, 1.2
# A machine stands still, or runs, so long before and after the play that needs it so [s].
_AROUND_S = 2.0


@dataclass(frozen=True)
class Mark:
    """A place at a time, and the posture from then on."""

    at: float
    x: float
    y: float
    z: float
    posture: Posture
    facing: float | None = None


@dataclass(frozen=True)
class Actor:
    """One person from their first mark to their last."""

    number: int
    looks: Looks
    marks: tuple[Mark, ...]

    def pose(self, at: float) -> Pose | None:
        """Where they are; None before and after."""
        marks = self.marks
        if not marks[0].at <= at < marks[-1].at:
            return None
        index = max(i for i, mark in enumerate(marks) if mark.at <= at)
        here, there = marks[index], marks[index + 1]
        share = (at - here.at) / (there.at - here.at)
        x, y, z = (a + (b - a) * share for a, b in ((here.x, there.x), (here.y, there.y), (here.z, there.z)))
        moved = math.hypot(there.x - here.x, there.z - here.z)
        walked = sum(math.hypot(b.x - a.x, b.z - a.z) for a, b in pairwise(marks[: index + 1]))
        if here.facing is not None:
            facing = here.facing
        elif moved > 0.05:
            facing = math.atan2(there.x - here.x, there.z - here.z)
        else:
            facing = self._faced_before(index)
        if here.posture in ("walk", "run"):
            phase = 2 * math.pi * (walked + moved * share) / _STRIDE_M
        else:
            phase = 0.6 * math.sin(1.1 * at + self.number)  # nobody stands like a post
        return Pose(x, y, z, facing, here.posture, phase)

    def _faced_before(self, index: int) -> float:
        for a, b in zip(reversed(self.marks[:index]), reversed(self.marks[1 : index + 1]), strict=True):
            if math.hypot(b.x - a.x, b.z - a.z) > 0.05:
                return math.atan2(b.x - a.x, b.z - a.z)
        return (self.number * 2.4) % (2 * math.pi)


@dataclass
class Script:
    """One clip: its people, and when each machine runs (it runs where nothing is said)."""

    seconds: float
    actors: list[Actor] = field(default_factory=list)
    stopped: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def runs(self, machine_id: str, at: float) -> bool:
        return not any(start <= at < end for start, end in self.stopped.get(machine_id, ()))

    def ran_s(self, machine_id: str, at: float) -> float:
        """Seconds that it has run since the clip began."""
        return at - sum(max(0.0, min(at, end) - start) for start, end in self.stopped.get(machine_id, ()))


class _Way:
    """Writes an actor's marks, one move after the other."""

    def __init__(self, at: float, x: float, z: float) -> None:
        self.at, self.x, self.y, self.z = at, x, 0.0, z
        self.marks: list[Mark] = []

    def go(self, x: float, z: float, speed: float, posture: Posture = "walk", y: float = 0.0) -> _Way:
        self._mark(posture)
        self.at += max(math.hypot(x - self.x, z - self.z), abs(y - self.y)) / speed
        self.x, self.y, self.z = x, y, z
        return self

    def stay(self, seconds: float, posture: Posture = "stand", facing: float | None = None) -> _Way:
        self._mark(posture, facing)
        self.at += seconds
        return self

    def _mark(self, posture: Posture, facing: float | None = None) -> None:
        self.marks.append(Mark(self.at, self.x, self.y, self.z, posture, facing))

    def done(self) -> tuple[Mark, ...]:
        return (*self.marks, Mark(self.at, self.x, self.y, self.z, "stand"))


# How often each posture is taken by people who only pose.
_POSED: dict[Posture, float] = {"walk": 3, "stand": 3, "lie": 3, "crouch": 1.5, "sit": 1, "run": 1}


def posed(place: Tunnel, dice: random.Random, careless: float) -> Script:
    """One second of one to four people in any posture, facing any way, anywhere; for pictures to learn from."""
    script = Script(1.0)
    for number in range(1, dice.randint(2, 5)):
        posture = dice.choices(list(_POSED), weights=list(_POSED.values()))[0]
        x, y, z = dice.uniform(*place.walk), 0.0, dice.uniform(place.deep[0] - 0.8, place.deep[1] + 1.0)
        if place.belt and dice.random() < 0.3:
            x, y = place.belt.x, place.belt.y
        facing = dice.uniform(-math.pi, math.pi)
        marks = (Mark(0.0, x, y, z, posture, facing), Mark(1.0, x + 0.3 * dice.uniform(-1, 1), y, z, posture))
        who = looks(dice, helmet=dice.random() >= careless, vest=dice.random() >= careless)
        script.actors.append(Actor(number, who, marks))
    return script


class Director:
    """Fills a clip with plays that fit the layout.

    `careless`: share of people who lack a helmet, and of those who lack a vest, whatever the play; 0 in clips, where
    the plays say who does.
    """

    def __init__(self, place: Tunnel, dice: random.Random, careless: float = 0.0) -> None:
        self.place, self.dice, self.careless = place, dice, careless
        self.script = Script(0.0)

    def clip(self, seconds: float, *, quiet: bool) -> Script:
        """A script of so many seconds: plays one after another; only harmless ones in a quiet clip."""
        self.script = Script(seconds)
        if self.place.kind == "chamber":
            self._watchman(seconds)
        at = self.dice.uniform(1.0, 5.0)
        harmless, unsafe = self._plays()
        while at < seconds - 14.0:
            choice = harmless if quiet or self.dice.random() < 0.35 else unsafe
            at = self.dice.choice(choice)(at) + self.dice.uniform(1.0, 4.0)
        return self.script

    def _plays(self) -> tuple[list[Callable[[float], float]], list[Callable[[float], float]]]:
        """Harmless plays, those that only look unsafe among them; and unsafe ones."""
        harmless: list[Callable[[float], float]] = [
            self.pass_by,
            self.pass_by,
            self.pass_together,
            self.kneel,
            self.linger,
        ]
        unsafe: list[Callable[[float], float]] = [
            self.pass_bare_headed,
            self.pass_without_vest,
            self.fall,
            self.run_through,
        ]
        if self.place.kind == "belt":
            harmless += [self.mend_stopped_belt, self.stand_beside_belt]
            unsafe += [self.reach_onto_belt, self.ride_belt, self.ride_belt, self.cross_belt, self.cross_belt]
        elif self.place.kind == "haulage":
            harmless += [self.cross_stopped_track, self.along_the_passage]
            unsafe += [self.walk_on_track, self.walk_on_track, self.against_the_passage, self.against_the_passage]
        elif self.place.kind == "heading":
            harmless += [self.up_to_the_bar, self.meet_within_cap]
            unsafe += [self.beyond_the_bar, self.beyond_the_bar, self.gather, self.gather]
        else:
            harmless += [self.work_in_pair]
            unsafe += [self.work_alone, self.work_alone]
        return harmless, unsafe

    # ── who ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def _cast(self, way: _Way, *, helmet: bool = True, vest: bool = True) -> float:
        number = len(self.script.actors) + 1
        if self.careless:
            helmet, vest = self.dice.random() >= self.careless, self.dice.random() >= self.careless
        self.script.actors.append(Actor(number, looks(self.dice, helmet=helmet, vest=vest), way.done()))
        return way.at

    def _enter(self, at: float, x: float | None = None) -> tuple[_Way, bool]:
        """Somebody who comes from afar or from under the camera, and which."""
        from_far = self.dice.random() < 0.5
        x = self._x() if x is None else x
        z = self.place.deep[1] + _FAR_BEYOND_M if from_far else _NEAR_Z
        way = _Way(at, x, z)
        return way.go(x, self.place.deep[1] if from_far else self.place.deep[0], self._pace()), from_far

    def _leave(self, way: _Way, *, to_far: bool, speed: float | None = None, posture: Posture = "walk") -> _Way:
        z = self.place.deep[1] + _FAR_BEYOND_M if to_far else _NEAR_Z
        return way.go(way.x, z, speed or self._pace(), posture)

    def _x(self) -> float:
        low, high = self.place.walk
        return self.dice.uniform(low + 0.1, high - 0.1)

    def _pace(self) -> float:
        return self.dice.uniform(0.9, 1.4)

    def _middle(self) -> float:
        """Somewhere in the stretch where people are seen well."""
        return self.dice.uniform(self.place.deep[0] + 0.8, min(8.0, self.place.deep[1] - 2.5))

    def _zone(self, zone_id: str) -> FloorZone:
        return next(zone for zone in self.place.zones if zone.zone_id == zone_id)

    def _stopped(self, machine_id: str, start: float, end: float) -> None:
        self.script.stopped.setdefault(machine_id, []).append((start - _AROUND_S, end + _AROUND_S))

    # ── plays everywhere ────────────────────────────────────────────────────────────────────────────────────────
    def pass_by(self, at: float, *, helmet: bool = True, vest: bool = True) -> float:
        way, from_far = self._along(at)
        return self._cast(self._leave(way, to_far=not from_far), helmet=helmet, vest=vest)

    def pass_bare_headed(self, at: float) -> float:
        return self.pass_by(at, helmet=False)

    def pass_without_vest(self, at: float) -> float:
        return self.pass_by(at, vest=False)

    def pass_together(self, at: float) -> float:
        return max(self.pass_by(at), self.pass_by(at + self.dice.uniform(0.5, 2.5)))

    def linger(self, at: float) -> float:
        way, from_far = self._along(at)
        way.go(way.x, self._middle(), self._pace()).stay(self.dice.uniform(2.0, 4.0))
        return self._cast(self._leave(way, to_far=not from_far))

    def kneel(self, at: float) -> float:
        """Works on the floor: no fall."""
        way, from_far = self._along(at)
        way.go(way.x, self._middle(), self._pace()).stay(self.dice.uniform(3.0, 5.0), "crouch")
        return self._cast(self._leave(way, to_far=not from_far))

    def fall(self, at: float) -> float:
        way, from_far = self._along(at)
        # Falls across the roadway: the body is seen from its side.
        facing = self.dice.choice((1, -1)) * math.pi / 2 + self.dice.uniform(-0.5, 0.5)
        way.go(way.x, self._middle(), self._pace()).stay(self.dice.uniform(5.0, 8.0), "lie", facing)
        way.stay(1.0, "crouch")
        return self._cast(self._leave(way, to_far=not from_far))

    def run_through(self, at: float) -> float:
        way, from_far = self._along(at)
        return self._cast(self._leave(way, to_far=not from_far, speed=self.dice.uniform(3.1, 3.8), posture="run"))

    def _along(self, at: float) -> tuple[_Way, bool]:
        """Somebody on their way through, in the prescribed direction where there is one."""
        for zone in self.place.zones:
            if zone.zone_id == "passage":
                from_far = (zone.way_z or 1.0) < 0
                x = self._x()
                way = _Way(at, x, self.place.deep[1] + _FAR_BEYOND_M if from_far else _NEAR_Z)
                return way.go(x, self.place.deep[1] if from_far else self.place.deep[0], self._pace()), from_far
        if self.place.kind == "heading":  # a dead end: from the mouth of the road and back
            x = self._x()
            way = _Way(at, x, _NEAR_Z)
            return way.go(x, self._zone("barred").z[0] - self.dice.uniform(1.2, 3.0), self._pace()), True
        return self._enter(at)

    # ── belt ────────────────────────────────────────────────────────────────────────────────────────────────────
    def reach_onto_belt(self, at: float) -> float:
        """Climbs onto the belt's frame and stays there while it runs."""
        way, from_far = self._to_belt(at)
        self._climb(way).stay(self.dice.uniform(2.5, 4.5), "crouch")
        return self._cast(self._leave(self._down(way), to_far=not from_far))

    def mend_stopped_belt(self, at: float) -> float:
        way, from_far = self._to_belt(at)
        start = way.at
        self._climb(way).stay(self.dice.uniform(2.5, 4.5), "crouch")
        self._down(way)
        self._stopped("belt", start, way.at)
        return self._cast(self._leave(way, to_far=not from_far))

    def stand_beside_belt(self, at: float) -> float:
        way, from_far = self._to_belt(at)
        way.stay(self.dice.uniform(3.0, 6.0))
        return self._cast(self._leave(way, to_far=not from_far))

    def ride_belt(self, at: float) -> float:
        belt = self.place.belt
        assert belt is not None
        low, high = self.place.deep[0] + 0.3, self.place.deep[1] - 1.5
        start, end = (low, high) if belt.speed > 0 else (high, low)
        way, from_far = self._to_belt(at, z=start)
        self._climb(way)
        way.go(belt.x, end, abs(belt.speed), "sit", belt.y)
        return self._cast(self._leave(self._down(way), to_far=not from_far))

    def cross_belt(self, at: float) -> float:
        belt = self.place.belt
        assert belt is not None
        way, from_far = self._to_belt(at)
        side = math.copysign(1.0, belt.x)
        self._climb(way).stay(self.dice.uniform(0.2, 0.6))
        way.go(belt.x + side * (belt.half_width + 0.35), way.z, 0.9, "walk", 0.3)
        return self._cast(self._leave(way, to_far=not from_far))

    def _to_belt(self, at: float, z: float | None = None) -> tuple[_Way, bool]:
        way, from_far = self._along(at)
        return way.go(self._beside(), z or self._middle(), self._pace()), from_far

    def _beside(self) -> float:
        belt = self.place.belt
        assert belt is not None
        return belt.x - math.copysign(belt.half_width + 0.45, belt.x)

    def _climb(self, way: _Way) -> _Way:
        belt = self.place.belt
        assert belt is not None
        return way.go(belt.x, way.z, 0.9, "walk", belt.y)

    def _down(self, way: _Way) -> _Way:
        return way.go(self._beside(), way.z, 0.9, "walk", 0.0)

    # ── track and passage ───────────────────────────────────────────────────────────────────────────────────────
    def walk_on_track(self, at: float) -> float:
        way, from_far = self._along(at)
        return self._cast(self._leave(self._on_track(way), to_far=not from_far))

    def cross_stopped_track(self, at: float) -> float:
        way, from_far = self._along(at)
        start = way.at
        self._on_track(way)
        self._stopped("winch", start, way.at + 1.0)
        return self._cast(self._leave(way, to_far=not from_far))

    def _on_track(self, way: _Way) -> _Way:
        track, z, back = self._zone("track"), self._middle(), way.x
        middle = (track.x[0] + track.x[1]) / 2
        way.go(middle, z, self._pace()).go(middle, z + self.dice.uniform(-0.8, 2.5), self._pace())
        return way.stay(self.dice.uniform(0.5, 2.0)).go(back, way.z, self._pace())

    def along_the_passage(self, at: float) -> float:
        return self.pass_by(at)

    def against_the_passage(self, at: float) -> float:
        from_far = (self._zone("passage").way_z or 1.0) > 0
        x = self._x()
        way = _Way(at, x, self.place.deep[1] + _FAR_BEYOND_M if from_far else _NEAR_Z)
        return self._cast(self._leave(way, to_far=not from_far))

    # ── heading ─────────────────────────────────────────────────────────────────────────────────────────────────
    def beyond_the_bar(self, at: float) -> float:
        barred = self._zone("barred")
        way, _ = self._along(at)
        way.go(way.x, barred.z[0] + self.dice.uniform(0.9, 2.2), self._pace()).stay(self.dice.uniform(2.0, 5.0))
        return self._cast(self._leave(way, to_far=False))

    def up_to_the_bar(self, at: float) -> float:
        way, _ = self._along(at)
        bar = next(line.z for line in self.place.lines if line.line_id == "bar")
        way.go(way.x, (bar or 8.0) - 0.7, self._pace()).stay(self.dice.uniform(2.0, 4.0))
        return self._cast(self._leave(way, to_far=False))

    def gather(self, at: float) -> float:
        return self._meet(at, (self._zone("crew").cap or 2) + self.dice.choice((1, 2)), self.dice.uniform(11.0, 15.0))

    def meet_within_cap(self, at: float) -> float:
        return self._meet(at, self._zone("crew").cap or 2, self.dice.uniform(8.0, 12.0))

    def _meet(self, at: float, count: int, seconds: float) -> float:
        crew = self._zone("crew")
        low, high = self.place.walk
        # Side by side, so that all are seen; those behind stand in the gaps.
        spots = [low + 0.3 + (high - low - 0.6) * (n + 0.5) / count for n in range(count)]
        depth = (crew.z[0] + crew.z[1]) / 2
        arrive = at + 9.0
        ends = []
        for n, x in enumerate(spots):
            z = depth + (0.5 if n % 2 else -0.4)
            way = _Way(arrive - (z - _NEAR_Z) / 1.2 + n * 0.5, x, _NEAR_Z).go(x, z, 1.2)
            way.stay(arrive + seconds - way.at, facing=self.dice.uniform(-math.pi, math.pi))
            ends.append(self._cast(self._leave(way, to_far=False)))
        return max(ends)

    # ── chamber ─────────────────────────────────────────────────────────────────────────────────────────────────
    def _watchman(self, seconds: float) -> None:
        """Somebody at the post. Once in a while they leave it, or do not move, for long or not."""
        desk = self._zone("desk")

        def spot() -> tuple[float, float]:
            return (
                self.dice.uniform(desk.x[0] + 0.35, desk.x[1] - 0.35),
                self.dice.uniform(desk.z[0] + 0.4, desk.z[1] - 0.4),
            )

        way = _Way(0.0, *spot())
        unusual_at = self.dice.uniform(8.0, seconds - 38.0) if seconds > 48.0 and self.dice.random() < 0.5 else None
        while way.at < seconds:
            if unusual_at is not None and way.at > unusual_at:
                unusual_at = None
                if self.dice.random() < 0.5:
                    way.stay(self.dice.choice((7.0, 22.0)))
                else:
                    self._leave(way, to_far=False).stay(self.dice.choice((4.0, 20.0)))
            way.go(*spot(), speed=0.8).stay(self.dice.uniform(2.0, 6.0))
        self._cast(way)

    def work_alone(self, at: float) -> float:
        return self._at_work(at, 1, self.dice.uniform(18.0, 22.0))

    def work_in_pair(self, at: float) -> float:
        return self._at_work(at, 2, self.dice.uniform(10.0, 14.0))

    def _at_work(self, at: float, count: int, seconds: float) -> float:
        pair = self._zone("pair")
        middle = (pair.x[0] + pair.x[1]) / 2
        z = pair.z[0] + 1.0
        ends = []
        for n in range(count):
            x = middle + (n - (count - 1) / 2) * 1.1
            way = _Way(at, x, self.place.deep[1] + _FAR_BEYOND_M)
            way.go(x, z, 1.2).stay(seconds / 2, "crouch").stay(seconds / 2)
            ends.append(self._cast(self._leave(way, to_far=True)))
        return max(ends)
