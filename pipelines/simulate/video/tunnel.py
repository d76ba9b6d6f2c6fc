"""Invented roadways with a camera: their shape, lamps, belt, zones and lines in metres, and the camera's view of them.

Metres: x to the right, y up from the floor, z along the roadway away from the camera. A name decides all of a layout,
so that train and test differ in shape, camera and place of everything: numbers under 100 are for training, the others
for tests.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from minefusion.schemas.errors import InputError
from minefusion.schemas.site_cameras import CameraFloor, CameraLine, CameraZone, LineKind, View, ZoneKind

Kind = Literal["belt", "haulage", "heading", "chamber"]
KINDS: tuple[Kind, ...] = ("belt", "haulage", "heading", "chamber")
# Layouts to train on, to choose by, and others that neither ever sees.
LAYOUTS: dict[str, tuple[str, ...]] = {
    split: tuple(f"{kind}-{number}" for number in numbers for kind in KINDS)
    for split, numbers in (("train", range(1, 9)), ("val", range(11, 14)), ("test", range(101, 105)))
}

WIDTH_PX, HEIGHT_PX = 640, 360
ASPECT = WIDTH_PX / HEIGHT_PX
MINE = "620000000001"

# Names of zones and lines: id → kind, Chinese, English.
_ZONES: dict[str, tuple[ZoneKind, str, str]] = {
    "belt": ("belt", "皮带", "the belt"),
    "track": ("haulage", "轨道", "the track"),
    "barred": ("forbidden", "警戒区", "the barred zone"),
    "crew": ("gathering", "限员区", "the capped zone"),
    "desk": ("post", "岗位", "the post"),
    "pair": ("pair_work", "双人作业区", "the pair-work zone"),
    "passage": ("one_way", "单向通道", "the one-way passage"),
}


@dataclass(frozen=True)
class FloorZone:
    """A rectangle of the floor, or at height y of a belt's top [m]."""

    zone_id: str
    x: tuple[float, float]
    z: tuple[float, float]
    y: float = 0.0
    way_z: float | None = None
    cap: int | None = None
    after_s: float | None = None
    machine_id: str | None = None

    def holds(self, x: float, z: float, margin: float = 0.0) -> bool:
        """Whether a place lies in it, by at least `margin` [m]."""
        return self.x[0] + margin <= x <= self.x[1] - margin and self.z[0] + margin <= z <= self.z[1] - margin


@dataclass(frozen=True)
class FloorLine:
    """A line over the floor at `z` from wall to wall, or along a belt at `x` [m]; `way` is that in which it is barred:
    +1 away from the camera or to the right, -1 the other, 0 both."""

    line_id: str
    kind: LineKind
    z: float | None = None
    x: float | None = None
    y: float = 0.0
    z_span: tuple[float, float] = (0.0, 0.0)
    way: int = 0
    machine_id: str | None = None


@dataclass(frozen=True)
class Belt:
    """A belt conveyor along the roadway: middle, half width, height [m], and speed away from the camera [m/s]."""

    x: float
    half_width: float
    y: float
    speed: float
    machine_id: str


@dataclass(frozen=True)
class Tunnel:
    """One layout.

    Attributes:
        half_width, wall, crown: the arch: half its width, where it springs, and its highest point [m].
        eye: the camera's place [m]; pitch down, yaw to the right [rad]; focal length in heights of the picture.
        lamps: x, y, z and strength of each.
        walk: x between which people walk [m].
        deep: how far in people act [m].
        dusk: light that is everywhere, 0 to 1; haze: share of light that dust takes per metre.
    """

    name: str
    kind: Kind
    half_width: float
    wall: float
    crown: float
    eye: tuple[float, float, float]
    pitch: float
    yaw: float
    focal: float
    lamps: tuple[tuple[float, float, float, float], ...]
    walk: tuple[float, float]
    deep: tuple[float, float]
    zones: tuple[FloorZone, ...]
    lines: tuple[FloorLine, ...]
    belt: Belt | None
    props: tuple[tuple[float, float], ...]
    dusk: float
    haze: float
    noise: float
    is_grey: bool

    @property
    def camera_code(self) -> str:
        """A code in the form of GB/T 28181, the layout's own."""
        kind, number = self.name.split("-")
        return f"62000000411320{KINDS.index(kind) + 1}{int(number):05d}"

    def project(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pixels (n, 2) and depth [m] (n,) of places (n, 3); a place behind the camera has a depth under 0.1."""
        turned = (np.asarray(points, dtype=np.float64) - self.eye) @ self._turn.T
        depth = turned[:, 2]
        safe = np.maximum(depth, 0.1)[:, None]
        pixels = turned[:, :2] / safe * self.focal * HEIGHT_PX * (1, -1) + (WIDTH_PX / 2, HEIGHT_PX / 2)
        return pixels, depth

    @property
    def rays(self) -> NDArray[np.float64]:
        """Direction of the middle of each pixel in the roadway's own axes; shape (height, width, 3)."""
        x, y = np.meshgrid(np.arange(WIDTH_PX) + 0.5 - WIDTH_PX / 2, HEIGHT_PX / 2 - np.arange(HEIGHT_PX) - 0.5)
        ahead = np.stack([x, y, np.full_like(x, self.focal * HEIGHT_PX)], axis=2)
        return ahead / np.linalg.norm(ahead, axis=2, keepdims=True) @ self._turn

    @property
    def _turn(self) -> NDArray[np.float64]:
        """Rows: the camera's right, up and ahead."""
        (sp, cp), (sy, cy) = ((math.sin(a), math.cos(a)) for a in (self.pitch, self.yaw))
        return np.array([[cy, 0.0, -sy], [sy * sp, cp, cy * sp], [sy * cp, -sp, cy * cp]])

    def light(self, x: float, y: float, z: float) -> float:
        """How bright it is at a place: lamps fall off with distance."""
        lit = sum(s / (1.0 + (x - lx) ** 2 + (y - ly) ** 2 + (z - lz) ** 2) for lx, ly, lz, s in self.lamps)
        return min(1.0, self.dusk + lit)

    def view(self) -> View:
        """The camera as the platform knows it: zones and lines in the picture, and floor points."""
        code = self.camera_code
        floor = [(x, z) for z in (self.deep[0], self.deep[1]) for x in self.walk]
        pixels, _ = self.project(np.array([(x, 0.0, z) for x, z in floor]))
        points = tuple(
            (round(float(px / WIDTH_PX), 5), round(float(py / HEIGHT_PX), 5), x, z)
            for (px, py), (x, z) in zip(pixels, floor, strict=True)
        )
        zones = tuple(zone for each in self.zones if (zone := self._zone_in_picture(each)))
        return View(
            camera_code=code,
            mine_code=MINE,
            name_zh=f"{self.name}摄像机",
            name_en=f"camera {self.name}",
            area_id=f"{MINE}0001",
            zones=zones,
            lines=tuple(self._line_in_picture(each) for each in self.lines),
            floor=CameraFloor(code, points),
        )

    def _zone_in_picture(self, zone: FloorZone) -> CameraZone:
        kind, zh, en = _ZONES[zone.zone_id]
        (x0, x1), (z0, z1) = zone.x, zone.z
        # Sides in steps, so that a zone that runs out of the picture is cut at its edge and not bent.
        steps = np.linspace(0.0, 1.0, 12)
        outline = [(x0, z0 + (z1 - z0) * s) for s in steps] + [(x1, z1 - (z1 - z0) * s) for s in steps]
        pixels, _ = self.project(np.array([(x, zone.y, z) for x, z in outline]))
        corners = tuple(dict.fromkeys(self._share(pixel) for pixel in pixels))
        way = None
        if zone.way_z is not None:
            middle, z = (x0 + x1) / 2, (z0 + z1) / 2
            (a, b), _ = self.project(np.array([(middle, zone.y, z), (middle, zone.y, z + zone.way_z)]))
            way = (round(float(b[0] - a[0]) / WIDTH_PX, 5), round(float(b[1] - a[1]) / HEIGHT_PX, 5))
        return CameraZone(
            self.camera_code, zone.zone_id, kind, zh, en, corners, way, zone.cap, zone.after_s, zone.machine_id
        )

    def _line_in_picture(self, line: FloorLine) -> CameraLine:
        if line.z is not None:
            ends = [(-self.half_width + 0.2, line.y, line.z), (self.half_width - 0.2, line.y, line.z)]
        else:
            assert line.x is not None
            ends = [(line.x, line.y, line.z_span[1]), (line.x, line.y, line.z_span[0])]
        pixels, _ = self.project(np.array(ends))
        start, end = (self._share(pixel) for pixel in pixels)
        # From the left wall to the right one the left hand points away from the camera; from far to near, to the right.
        ways: dict[int, Literal["both", "to_left", "to_right"]] = {0: "both", 1: "to_left", -1: "to_right"}
        zh, en = ("皮带中线", "the belt's middle line") if line.kind == "belt" else ("警戒线", "the warning line")
        return CameraLine(
            self.camera_code,
            line.line_id,
            line.kind,
            zh,
            en,
            start,
            end,
            ways[line.way],
            0.012,
            line.machine_id,
        )

    @staticmethod
    def _share(pixel: NDArray[np.float64]) -> tuple[float, float]:
        x, y = pixel[0] / WIDTH_PX, pixel[1] / HEIGHT_PX
        return round(float(min(max(x, 0.0), 1.0)), 5), round(float(min(max(y, 0.0), 1.0)), 5)


def tunnel(name: str) -> Tunnel:
    """The layout of that name.

    Raises:
        InputError: there is none.
    """
    kind, _, number = name.partition("-")
    if kind not in KINDS or not number.isdigit() or not 1 <= int(number) <= 99_999:
        raise InputError(
            f"expected a layout such as belt-1: one of {', '.join(KINDS)} and a number from 1 (under 100 to train, "
            f"from 101 to test), got '{name}'; mend --layout"
        )
    dice = random.Random(f"layout {name}")

    def between(low: float, high: float) -> float:
        return round(dice.uniform(low, high), 3)

    half_width, wall = between(2.1, 2.9), between(1.5, 2.1)
    crown = wall + between(1.0, 1.6)
    side = dice.choice((-1, 1))
    eye = (round(-side * between(0.2, 0.9), 3), round(min(crown - 0.35, between(2.5, 3.1)), 3), 0.0)
    far = between(11.0, 13.0)
    lamps = tuple(
        (round(dice.choice((-1, 1)) * between(0.0, 0.9), 3), round(crown - 0.2, 3), round(z + between(-0.6, 0.6), 3),
         between(1.2, 3.4))
        for z in np.arange(2.5, 22.0, between(3.0, 5.0))
    )  # fmt: skip
    belt, zones, lines = None, [], []
    walk = (-half_width + 0.45, half_width - 0.45)
    if kind == "belt":
        belt = Belt(round(side * (half_width - 1.25), 3), between(0.42, 0.55), between(0.6, 0.8),
                    round(dice.choice((-1, 1)) * between(1.4, 2.0), 3), "belt")  # fmt: skip
        span = (round(between(2.5, 3.2), 3), 16.0)
        zones.append(
            FloorZone("belt", (belt.x - belt.half_width, belt.x + belt.half_width), span, belt.y,
                      way_z=math.copysign(1.0, belt.speed), machine_id="belt")
        )  # fmt: skip
        lines.append(FloorLine("over", "belt", x=belt.x, y=belt.y, z_span=span, machine_id="belt"))
        inner = belt.x - side * (belt.half_width + 0.45)
        walk = (walk[0], round(inner, 3)) if side > 0 else (round(inner, 3), walk[1])
    elif kind == "haulage":
        middle = round(side * between(0.5, 0.9), 3)
        zones.append(FloorZone("track", (middle - 0.75, middle + 0.75), (3.0, 16.0), machine_id="winch"))
        inner = middle - side * 1.2
        walk = (walk[0], round(inner, 3)) if side > 0 else (round(inner, 3), walk[1])
        zones.append(FloorZone("passage", walk, (3.5, 14.0), way_z=float(dice.choice((-1, 1)))))
    elif kind == "heading":
        barred = between(8.0, 9.5)
        zones.append(FloorZone("barred", (-half_width, half_width), (barred, barred + 5.0)))
        zones.append(
            FloorZone(
                "crew", (-half_width + 0.3, half_width - 0.3), (3.6, barred - 0.8), cap=dice.choice((2, 3)), after_s=6.0
            )
        )
        lines.append(FloorLine("bar", "forbidden", z=barred - 0.3, way=1))
    else:
        z = between(5.0, 6.5)
        desk = (0.3, half_width - 0.3) if side > 0 else (-half_width + 0.3, -0.3)
        zones.append(FloorZone("desk", desk, (z, z + 2.4), after_s=15.0))
        zones.append(FloorZone("pair", (-half_width + 0.3, half_width - 0.3), (z + 3.0, z + 6.0), after_s=15.0))
    props = tuple(
        (round(dice.choice((-1, 1)) * (half_width - 0.12), 3), between(3.5, 14.0)) for _ in range(dice.randint(0, 3))
    )
    focal = between(1.15, 1.5)
    pitch = math.atan2(eye[1] - 0.9, between(6.0, 7.5))
    return Tunnel(
        name=name, kind=kind, half_width=half_width, wall=wall, crown=crown, eye=eye, pitch=round(pitch, 4),
        yaw=between(-0.08, 0.08), focal=focal, lamps=lamps, walk=walk, deep=(4.2, far), zones=tuple(zones),
        lines=tuple(lines), belt=belt, props=props, dusk=between(0.10, 0.3), haze=between(0.004, 0.03),
        noise=between(2.0, 6.0), is_grey=dice.random() < 0.15,
    )  # fmt: skip
