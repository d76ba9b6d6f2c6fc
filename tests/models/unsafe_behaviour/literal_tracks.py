"""People on a camera, written as literals: who is where, picture by picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from minefusion.models.unsafe_behaviour.rules import Event, Judge
from minefusion.models.unsafe_behaviour.scene import Person, Scene
from minefusion.schemas.behaviours import Behaviour, all_behaviours
from minefusion.schemas.site_cameras import CameraLine, CameraZone, View

CAMERA = "62000000411320000001"
MINE = "620000000001"
PICTURES_PER_S = 5
# 2026-03-01 00:00 UTC, 08:00 by the mine's clock.
START = 1772323200.0
RIGHT_HALF = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))

Where = Callable[[float], "Person | None"]


def zone(kind: str, **more: object) -> CameraZone:
    """The right half of the picture."""
    told = {"zone_id": "Z1", "name_zh": "一号区", "name_en": "zone one", "corners": RIGHT_HALF}
    return CameraZone(CAMERA, kind=kind, **(told | more))  # type: ignore[arg-type]


def line(kind: str = "forbidden", **more: object) -> CameraLine:
    """Upright through the middle of the picture, walked from top to bottom: its left is the picture's right."""
    told = {"line_id": "L1", "name_zh": "一号线", "name_en": "line one", "start": (0.5, 0.0), "end": (0.5, 1.0)}
    return CameraLine(CAMERA, kind=kind, **(told | more))  # type: ignore[arg-type]


def view(*things: CameraZone | CameraLine, **more: object) -> View:
    zones = tuple(each for each in things if isinstance(each, CameraZone))
    lines = tuple(each for each in things if isinstance(each, CameraLine))
    return View(CAMERA, MINE, "东巷", "east road", zones=zones, lines=lines, **more)  # type: ignore[arg-type]


def at(x: float, y: float = 0.9, *, track: int = 1, height: float = 0.5, sure: float = 0.9, lying: float | None = None,
       **wearing: float) -> Person:  # fmt: skip
    """A person whose feet are at x, y; a third as wide as high."""
    half = height / 3 / (16 / 9) / 2
    return Person(track, (x - half, y - height, x + half, y), sure, wearing, lying)


def pictures(seconds: float, *people: Where, machines: Mapping[str, bool | None] | None = None,
             carried: int | None = None, since: float = 0.0) -> Iterator[Scene]:  # fmt: skip
    """Scenes five times a second, each person where they are at that time [s from START]."""
    for number in range(round(since * PICTURES_PER_S), round((since + seconds) * PICTURES_PER_S) + 1):
        t = number / PICTURES_PER_S
        there = tuple(person for where in people if (person := where(t)) is not None)
        yield Scene(START + t, there, machines or {}, carried)


def judged(code: str | Behaviour, seen: View, scenes: Iterator[Scene] | Sequence[Scene]) -> list[Event]:
    """Events of one behaviour that these pictures raise, each as it was in the end."""
    behaviour = next(each for each in all_behaviours() if each.code == code) if isinstance(code, str) else code
    judge = Judge(seen, [behaviour])
    found: dict[tuple[str, float], Event] = {}
    for scene in scenes:
        for event in judge.look(scene):
            found[event.subject, event.raised_at] = event
    for event in judge.close():
        found[event.subject, event.raised_at] = event
    return list(found.values())
