"""Every behaviour with a scene and a near miss, from rendered pixels through detector, tracker and rules.

The layouts are of those that training never saw. Zones that ask for long times ask for three seconds here.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from minefusion.models.unsafe_behaviour.detections import Detector
from minefusion.models.unsafe_behaviour.detector import open_detector
from minefusion.pipelines.jobs.video.judging import judged_clip
from minefusion.pipelines.jobs.video.plant_state import PlantState
from minefusion.pipelines.simulate.video.acting import Actor, Mark, Script
from minefusion.pipelines.simulate.video.figures import Posture, looks
from minefusion.pipelines.simulate.video.film import shots
from minefusion.pipelines.simulate.video.tunnel import FloorZone, Tunnel, tunnel
from minefusion.pipelines.video.frames import Frame
from minefusion.schemas.behaviours import all_behaviours

PER_S, WAIT_S = 5, 3.0
START = 1772323200.0  # 08:00 by the mine's clock


@pytest.fixture(scope="module")
def detector() -> Detector:
    return open_detector("tunnel")


class Scene:
    """A short script in one layout, written move by move."""

    def __init__(self, layout: str) -> None:
        self.place = tunnel(layout)
        self.script = Script(0.0)

    def walks(self, *places: tuple[float, float, float], posture: Posture = "walk", y: float = 0.0, helmet: bool = True,
              vest: bool = True, facing: float | None = None) -> Scene:  # fmt: skip
        """Somebody who is at x, z at each time [s]."""
        number = len(self.script.actors) + 1
        marks = tuple(Mark(at, x, y, z, posture, facing) for at, x, z in places)
        who = looks(random.Random(f"{self.place.name} {number}"), helmet=helmet, vest=vest)
        self.script.actors.append(Actor(number, who, marks))
        self.script.seconds = max(self.script.seconds, places[-1][0])
        return self

    def stands(self, x: float, z: float, seconds: float = 5.0, **more: object) -> Scene:
        return self.walks((0.0, x, z), (seconds, x + 0.02, z), posture="stand", **more)  # type: ignore[arg-type]

    def stopped(self, machine: str) -> Scene:
        self.script.stopped[machine] = [(-10.0, 1000.0)]
        return self

    def raised(self, detector: Detector) -> set[str]:
        """Rules that the scene's pictures raise."""
        view = self.place.view()
        zones = tuple(replace(zone, after_s=None if zone.after_s is None else WAIT_S) for zone in view.zones)
        machines = {
            name: ([START - 10.0 + n * 60 for n in range(3)], [float(self.script.runs(name, 0.0))] * 3)
            for name in view.machines
        }
        judged = judged_clip(self._frames(), replace(view, zones=zones), detector, PER_S, PlantState(machines, {}))
        return {event.behaviour.code for event in judged.events}

    def _frames(self) -> Iterator[Frame]:
        times = [n / PER_S for n in range(round(self.script.seconds * PER_S))]
        for number, shot in enumerate(shots(self.place, self.script, 5, times)):
            yield Frame(START + shot.at, shot.picture, number)


HEADING, BELT, HAULAGE, CHAMBER = "heading-102", "belt-102", "haulage-103", "chamber-101"
Z = 6.0


def middle(place: Tunnel) -> float:
    return sum(place.walk) / 2


def zone(place: Tunnel, name: str) -> FloorZone:
    return next(each for each in place.zones if each.zone_id == name)


def heading() -> tuple[Scene, float]:
    scene = Scene(HEADING)
    return scene, middle(scene.place)


def belt() -> tuple[Scene, float, float]:
    """The scene, the belt's middle, and the walker's side of it."""
    scene = Scene(BELT)
    conveyor = scene.place.belt
    assert conveyor is not None
    return scene, conveyor.x, conveyor.x - math.copysign(conveyor.half_width + 0.5, conveyor.x)


def scene_of(code: str, *, unsafe: bool) -> Scene:
    """A scene of the behaviour, or one that only looks like it."""
    scene, x = heading()
    if code == "no_helmet":
        return scene.walks((0, x, 7.5), (5, x, 4.8), helmet=not unsafe)
    if code == "no_vest":
        return scene.walks((0, x, 7.5), (5, x, 4.8), vest=not unsafe)
    if code == "lying":
        if unsafe:
            return scene.walks((0, x, Z), (6, x, Z), posture="lie", facing=math.pi / 2)
        return scene.walks((0, x, Z), (6, x, Z), posture="crouch")
    if code in ("zone_intrusion", "line_crossing"):
        barred = zone(scene.place, "barred").z[0]
        goal = barred + 1.2 if unsafe else barred - 1.2
        return scene.walks((0, x, barred - 3.0), (3, x, goal), (5, x, goal))
    if code == "gathering":
        crew = zone(scene.place, "crew")
        count = (crew.cap or 2) + unsafe
        low, high = scene.place.walk
        for n in range(count):
            scene.stands(low + 0.3 + (high - low - 0.6) * (n + 0.5) / count, sum(crew.z) / 2 + 0.3 * (n % 2), 6.0)
        return scene
    if code == "running":
        return scene.walks((0, x, 11.0), (2.2 if unsafe else 5.0, x, 3.8), posture="run" if unsafe else "walk")
    if code in ("person_on_belt", "belt_riding", "belt_crossing"):
        return belt_scene(code, unsafe=unsafe)
    if code in ("walking_while_haulage_runs", "wrong_direction"):
        return haulage_scene(code, unsafe=unsafe)
    return chamber_scene(code, unsafe=unsafe)


def belt_scene(code: str, *, unsafe: bool) -> Scene:
    scene, on, beside = belt()
    conveyor = scene.place.belt
    assert conveyor is not None
    if code == "person_on_belt":
        return (
            scene.walks((0, on, Z), (4, on, Z), posture="crouch", y=conveyor.y) if unsafe else scene.stands(beside, Z)
        )
    if code == "belt_riding":
        low, high = 4.5, 4.5 + abs(conveyor.speed) * 3.5
        start, end = (low, high) if conveyor.speed > 0 else (high, low)
        scene.walks((0, on, start), (3.5, on, end), posture="sit", y=conveyor.y)
        return scene if unsafe else scene.stopped("belt")
    far = conveyor.x + math.copysign(conveyor.half_width + 0.35, conveyor.x)
    scene.script.actors.append(
        Actor(1, looks(random.Random(1), helmet=True, vest=True), (
            Mark(0.0, beside, 0.0, Z, "stand"), Mark(1.5, beside, 0.0, Z, "walk"), Mark(2.5, on, conveyor.y, Z, "walk"),
            Mark(3.7, far, 0.3, Z, "stand"), Mark(5.0, far, 0.3, Z, "stand"),
        ))
    )  # fmt: skip
    scene.script.seconds = 5.0
    return scene if unsafe else scene.stopped("belt")


def haulage_scene(code: str, *, unsafe: bool) -> Scene:
    scene = Scene(HAULAGE)
    if code == "walking_while_haulage_runs":
        track = sum(zone(scene.place, "track").x) / 2
        scene.walks((0, track, 7.0), (4, track, 5.0))
        return scene if unsafe else scene.stopped("winch")
    x, away = middle(scene.place), (zone(scene.place, "passage").way_z or 1.0) > 0
    return scene.walks((0, x, 9.0), (4, x, 4.5)) if away == unsafe else scene.walks((0, x, 4.5), (4, x, 9.0))


def chamber_scene(code: str, *, unsafe: bool) -> Scene:
    scene = Scene(CHAMBER)
    desk, pair = zone(scene.place, "desk"), zone(scene.place, "pair")
    at_desk, z = sum(desk.x) / 2, sum(desk.z) / 2
    if code == "post_empty":
        elsewhere = sum(pair.x) / 2, pair.z[0] + 1.0
        return scene.stands(*(elsewhere if unsafe else (at_desk, z)), 5.5)
    if code == "motionless":
        if unsafe:
            return scene.stands(at_desk, z, 6.0)
        return scene.walks((0, at_desk - 0.5, z), (2, at_desk + 0.5, z), (4, at_desk - 0.5, z), (6, at_desk + 0.5, z))
    x, z = sum(pair.x) / 2, pair.z[0] + 1.0
    return scene.stands(x, z, 6.0) if unsafe else scene.stands(x - 0.6, z, 6.0).stands(x + 0.6, z, 6.0)


# What needs the positioning system beside the picture is tested on tracks.
CODES = [each.code for each in all_behaviours() if each.code != "count_differs"]


@pytest.mark.parametrize("code", CODES)
def test_the_behaviour_is_raised(detector: Detector, code: str):
    assert code in scene_of(code, unsafe=True).raised(detector)


@pytest.mark.parametrize("code", CODES)
def test_what_only_looks_like_it_is_not(detector: Detector, code: str):
    assert code not in scene_of(code, unsafe=False).raised(detector)
