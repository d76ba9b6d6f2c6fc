"""What is known of one camera at one instant: the input of the rules, and where its people were just before.

Places are shares of the picture, from the top left. Lengths in the picture are in shares of its height, so that a metre
to the right and a metre up are as long; metres come from the camera's floor points where it has them, else from the
people's own height.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from minefusion.schemas.site_cameras import CameraFloor, CameraLine, CameraZone, Place

# A person's length: the scale of a picture whose floor is not known [m].
BODY_M = 1.7
# Nobody walks faster: a track that jumps so is not one person's [m/s].
FASTEST_M_S = 9.0
# A speed is measured over so long, from so many pictures.
SPEED_OVER_S, SPEED_FROM_S, SPEED_FROM_PICTURES = 1.0, 0.35, 3


@dataclass(frozen=True)
class Person:
    """One tracked person in one picture.

    Attributes:
        track: number of a confirmed track.
        box: left, top, right, bottom [shares of the picture].
        confidence: of the detector, 0 to 1.
        wearing: what it sees on them, label → confidence; a label that is missing was not seen.
        lying: how surely the body lies, 0 to 1; None where that is not judged.
    """

    track: int
    box: tuple[float, float, float, float]
    confidence: float
    wearing: Mapping[str, float] = field(default_factory=dict)
    lying: float | None = None

    @property
    def feet(self) -> Place:
        left, _, right, bottom = self.box
        return (left + right) / 2, bottom

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]


@dataclass(frozen=True)
class Scene:
    """One picture of a camera.

    Attributes:
        at: instant of capture [s since 1970, UTC].
        people: those with a confirmed track.
        machines: which machines run; one that is missing or None is not known.
        carried: people in the camera's area by the positioning system; None where not known.
        aspect: width ÷ height of the picture.
    """

    at: float
    people: tuple[Person, ...] = ()
    machines: Mapping[str, bool | None] = field(default_factory=dict)
    carried: int | None = None
    aspect: float = 16 / 9


def is_inside(corners: tuple[Place, ...], place: Place) -> bool:
    """Whether the place lies in the polygon: a ray to the right meets its border an odd number of times."""
    x, y = place
    inside = False
    for (x1, y1), (x2, y2) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside


def holds_at(zone: CameraZone, at: float, utc_offset_h: float) -> bool:
    """Whether the zone's hours hold at this instant; hours may run over midnight."""
    if zone.between is None:
        return True
    begin, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in zone.between)
    minute = (at / 60 + utc_offset_h * 60) % (24 * 60)
    return begin <= minute < end if begin <= end else minute >= begin or minute < end


def may_run(machine_id: str | None, machines: Mapping[str, bool | None]) -> bool:
    """A machine runs unless it is known to stand still."""
    return machine_id is None or machines.get(machine_id) is not False


class Floor:
    """From places in the picture to metres on the floor."""

    def __init__(self, floor: CameraFloor) -> None:
        rows = []
        for x, y, east, north in floor.points:
            rows.append([x, y, 1, 0, 0, 0, -east * x, -east * y, -east])
            rows.append([0, 0, 0, x, y, 1, -north * x, -north * y, -north])
        # The direct linear transform: the null direction of the points' equations (Hartley & Zisserman 2004, 4.1).
        self._matrix: NDArray[np.float64] = np.linalg.svd(np.asarray(rows, dtype=np.float64))[2][-1].reshape(3, 3)

    def metres(self, place: Place) -> tuple[float, float]:
        east, north, scale = self._matrix @ (place[0], place[1], 1.0)
        return float(east / scale), float(north / scale)


@dataclass(frozen=True)
class Step:
    """Where feet were: in the picture [shares of its height], on the floor where that is known [m], and the length of
    the body in the picture [shares of its height]."""

    at: float
    x: float
    y: float
    length: float
    metres: tuple[float, float] | None

    def away_from(self, other: Step) -> float:
        """How far it is from there to here [m]."""
        if self.metres and other.metres:
            return float(np.hypot(self.metres[0] - other.metres[0], self.metres[1] - other.metres[1]))
        scale = BODY_M / max((self.length + other.length) / 2, 1e-3)
        return float(np.hypot(self.x - other.x, self.y - other.y) * scale)


class Trail:
    """Where one person's feet were over the last seconds.

    Attributes:
        subject: number of the person: that of their first track, kept when the tracker gives them another one.
        first_at, last_at: when they were seen first and last.
    """

    def __init__(self, subject: int, at: float) -> None:
        self.subject = subject
        self.first_at = self.last_at = at
        self.person: Person | None = None
        self._steps: deque[Step] = deque()
        self._sides: dict[str, tuple[int, Place]] = {}
        self._crossed: dict[str, int] = {}

    @property
    def here(self) -> Step:
        return self._steps[-1]

    def add(self, person: Person, scene: Scene, floor: Floor | None, lines: tuple[CameraLine, ...]) -> None:
        """Go on to the person's place in this picture."""
        step = step_of(person, scene, floor)
        if self._steps and step.away_from(self.here) > FASTEST_M_S * max(step.at - self.here.at, 1e-3):
            self._steps.clear()
            self._sides.clear()
        self._steps.append(step)
        while self._steps[0].at < scene.at - SPEED_OVER_S - 1e-6:
            self._steps.popleft()
        self.person, self.last_at = person, scene.at
        self._crossed = {}
        for line in lines:
            self._pass(line, person.feet, scene.aspect)

    def velocity(self) -> tuple[float, float, float] | None:
        """Speed [m/s], and the motion in the picture to the right and down [shares of its height per second]; None
        where too little was seen yet."""
        if len(self._steps) < SPEED_FROM_PICTURES or self.here.at - self._steps[0].at < SPEED_FROM_S:
            return None
        t = np.array([step.at for step in self._steps])
        t -= t.mean()

        def slope(values: list[float]) -> float:
            return float(t @ np.array(values) / (t @ t))

        right, down = slope([step.x for step in self._steps]), slope([step.y for step in self._steps])
        on_floor = [step.metres for step in self._steps if step.metres]
        if len(on_floor) == len(self._steps):
            speed = np.hypot(slope([east for east, _ in on_floor]), slope([north for _, north in on_floor]))
        else:
            speed = np.hypot(right, down) * BODY_M / max(float(np.median([s.length for s in self._steps])), 1e-3)
        return float(speed), right, down

    def has_crossed(self, line: CameraLine) -> bool:
        """Whether this picture is the one in which the line was passed in its forbidden way."""
        way = self._crossed.get(line.line_id)
        wanted = {"both": (1, -1), "to_left": (1,), "to_right": (-1,)}[line.forbidden_way]
        return way in wanted

    def _pass(self, line: CameraLine, feet: Place, aspect: float) -> None:
        off = _left_of(line, feet, aspect)
        if abs(off) < line.dead_band:
            return
        side = 1 if off > 0 else -1
        before = self._sides.get(line.line_id)
        if before and before[0] != side and _meet(line, before[1], feet):
            self._crossed[line.line_id] = side
        self._sides[line.line_id] = side, feet


def step_of(person: Person, scene: Scene, floor: Floor | None) -> Step:
    """The person's place now. A fall changes a body's height in the picture, but hardly its length."""
    left, top, right, bottom = person.box
    x, y = person.feet
    length = max(bottom - top, (right - left) * scene.aspect)
    return Step(scene.at, x * scene.aspect, y, length, floor.metres(person.feet) if floor else None)


def _left_of(line: CameraLine, place: Place, aspect: float) -> float:
    """Distance from the line, positive to the left of a walker from its start to its end [shares of the height]."""
    along = np.array([(line.end[0] - line.start[0]) * aspect, line.end[1] - line.start[1]])
    to = np.array([(place[0] - line.start[0]) * aspect, place[1] - line.start[1]])
    # The picture's y runs down, which turns the usual sign round.
    return float((along[1] * to[0] - along[0] * to[1]) / np.hypot(*along))


def _meet(line: CameraLine, before: Place, now: Place) -> bool:
    """Whether the way from one place to the other goes through the line between its ends."""

    def turn(a: Place, b: Place, c: Place) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    return turn(before, now, line.start) * turn(before, now, line.end) <= 0
