"""What a site file may say of cameras: their streams, and zones, lines and floor in their pictures.

Places in a picture are shares of its width and height, from the top left, so that they hold at any resolution. A small
file of its own may say the same of a few cameras, for `minefusion watch`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minefusion.schemas.declared import read_yaml, refuse
from minefusion.schemas.errors import InputError

if TYPE_CHECKING:
    from minefusion.schemas.site import Site

ZoneKind = Literal["forbidden", "belt", "haulage", "gathering", "post", "one_way", "pair_work"]
LineKind = Literal["forbidden", "belt"]
Place = tuple[float, float]

# Kinds of zone and what they mean, Chinese and English.
ZONE_KINDS: dict[str, tuple[str, str]] = {
    "forbidden": ("警戒区", "forbidden zone"),
    "belt": ("皮带区", "belt zone"),
    "haulage": ("运输区", "haulage zone"),
    "gathering": ("限员区", "zone with a head-count cap"),
    "post": ("岗位区", "post"),
    "one_way": ("单向通道", "one-way passage"),
    "pair_work": ("双人作业区", "zone where nobody works alone"),
}

# Device types of GB/T 28181, digits 11 to 13 of a camera's code.
CAMERA_TYPES = ("111", "118", "131", "132")
_CODE = re.compile(r"\d{20}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
# Four points of the floor fix a homography.
LEAST_FLOOR_POINTS = 4


@dataclass(frozen=True)
class CameraStream:
    """Where a camera's live pictures come from, and how often one is looked at.

    Attributes:
        address: rtsp://… or a file; a password in it is never shown.
        clock_ahead_s: how far the camera's own clock is ahead [s].
    """

    camera_code: str
    address: str
    pictures_per_s: float = 5.0
    clock_ahead_s: float = 0.0


@dataclass(frozen=True)
class CameraZone:
    """A polygon on the floor of the picture.

    Attributes:
        way: its direction in the picture, of a belt or of a one-way passage.
        cap: people that may be in it, of a gathering zone.
        after_s: its own time in place of the rule's [s].
        machine_id: the machine that matters: an equipment id or a point code; without one it always counts as running.
        between: hours in which it holds, mine local, `["22:00", "06:00"]`; null: always.
    """

    camera_code: str
    zone_id: str
    kind: ZoneKind
    name_zh: str
    name_en: str
    corners: tuple[Place, ...]
    way: Place | None = None
    cap: int | None = None
    after_s: float | None = None
    machine_id: str | None = None
    between: tuple[str, str] | None = None


@dataclass(frozen=True)
class CameraLine:
    """A line on the floor of the picture. Left and right are those of a walker from `start` to `end`.

    `dead_band`: how far beyond the line counts as over it, in shares of the picture's height.
    """

    camera_code: str
    line_id: str
    kind: LineKind
    name_zh: str
    name_en: str
    start: Place
    end: Place
    forbidden_way: Literal["both", "to_left", "to_right"] = "both"
    dead_band: float = 0.02
    machine_id: str | None = None


@dataclass(frozen=True)
class CameraFloor:
    """Points of the floor: [x, y] in the picture and [X, Y] in metres, four or more, so that metres can be measured."""

    camera_code: str
    points: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class WatchedCamera:
    """A camera in a file of its own; the site file has more to say of it.

    `behaviours`: rules that hold at it, comma-joined, `all` among them; null: all. `clip`: name of a clip that it took,
    where that does not hold the camera's code.
    """

    camera_code: str
    name_zh: str = ""
    name_en: str = ""
    area_id: str | None = None
    behaviours: str | None = None
    clip: str | None = None


@dataclass(frozen=True, kw_only=True)
class CameraFile:
    """Cameras to watch, without a whole site file."""

    mine_code: str
    utc_offset_h: float = 8.0
    cameras: tuple[WatchedCamera, ...]
    camera_streams: tuple[CameraStream, ...] = ()
    camera_zones: tuple[CameraZone, ...] = ()
    camera_lines: tuple[CameraLine, ...] = ()
    camera_floors: tuple[CameraFloor, ...] = ()


@dataclass(frozen=True)
class View:
    """All that is known of one camera."""

    camera_code: str
    mine_code: str
    name_zh: str = ""
    name_en: str = ""
    area_id: str | None = None
    edge_id: str | None = None
    utc_offset_h: float = 8.0
    stream: CameraStream | None = None
    zones: tuple[CameraZone, ...] = ()
    lines: tuple[CameraLine, ...] = ()
    floor: CameraFloor | None = None
    behaviours: tuple[str, ...] | None = None
    clip: str | None = None

    @property
    def machines(self) -> set[str]:
        """Machines that its zones and lines ask about."""
        asked = [zone.machine_id for zone in self.zones] + [line.machine_id for line in self.lines]
        return {machine_id for machine_id in asked if machine_id}


def load_views(path: Path) -> dict[str, View]:
    """The cameras of a site file (`*.site.yaml`) or of a camera file, by code.

    Raises:
        InputError: file, line, what was expected, what came and what to do.
    """
    if path.name.endswith(".site.yaml"):
        from minefusion.schemas.site import load_site

        return views_of_site(load_site(path))
    read, lines = read_yaml(path, CameraFile, "cameras")

    def complain(thing: Any, problem: str) -> None:
        refuse(path, lines[id(thing)], problem)

    check_cameras(read, complain)
    return _views(read, read.mine_code, read.utc_offset_h, read.cameras, {})


def views_of_site(site: Site) -> dict[str, View]:
    """The cameras of a mine, by code."""
    areas = {edge.edge_id: edge.area_id for edge in site.edges}
    placed = {camera.camera_code: (areas.get(camera.edge_id), camera.edge_id) for camera in site.cameras}
    return _views(site, site.mine_code, site.utc_offset_h, site.cameras, placed)


def with_streams(views: Mapping[str, View]) -> dict[str, View]:
    """The cameras that have a stream.

    Raises:
        InputError: none has.
    """
    found = {code: view for code, view in views.items() if view.stream}
    if not found:
        raise InputError("expected camera_streams with the address of each camera to watch, got none; add them")
    return found


def is_code_of_the_standard(code: str) -> bool:
    """A camera's code in the form of GB/T 28181; the platform's own form, mine code and serial, has 20 digits too."""
    return bool(_CODE.fullmatch(code)) and code[10:13] in CAMERA_TYPES


def _views(
    told: Site | CameraFile, mine: str, utc_offset_h: float, cameras: Iterable[Any], placed: Mapping[str, Any]
) -> dict[str, View]:
    def of(things: Sequence[Any], code: str) -> tuple[Any, ...]:
        return tuple(thing for thing in things if thing.camera_code == code)

    views = {}
    for camera in cameras:
        code = camera.camera_code
        area_id, edge_id = placed.get(code, (getattr(camera, "area_id", None), None))
        views[code] = View(
            code, mine, camera.name_zh, camera.name_en, area_id, edge_id, utc_offset_h,
            next(iter(of(told.camera_streams, code)), None),
            of(told.camera_zones, code),
            of(told.camera_lines, code),
            next(iter(of(told.camera_floors, code)), None),
            _codes(camera.behaviours),
            getattr(camera, "clip", None),
        )  # fmt: skip
    return views


def _codes(told: str | None) -> tuple[str, ...] | None:
    return None if told is None else tuple(code.strip() for code in told.split(",") if code.strip())


def check_cameras(told: Site | CameraFile, complain: Callable[[Any, str], None]) -> None:
    """What must hold inside these sections."""
    known = {camera.camera_code for camera in told.cameras}
    for camera in told.cameras:
        _check_behaviours(camera, complain)
    if isinstance(told, CameraFile):
        for section in (told.cameras, told.camera_streams, told.camera_floors):
            _check_once(section, complain)
        for camera in told.cameras:
            if not _CODE.fullmatch(camera.camera_code):
                complain(camera, f"expected a camera_code of 20 digits, got '{camera.camera_code}'; mend it")
    of_a_camera: tuple[CameraStream | CameraZone | CameraLine | CameraFloor, ...] = (
        *told.camera_streams, *told.camera_zones, *told.camera_lines, *told.camera_floors,
    )  # fmt: skip
    for thing in of_a_camera:
        if thing.camera_code not in known:
            complain(thing, f"expected camera_code to name a declared camera, got '{thing.camera_code}'; mend it")
    for stream in told.camera_streams:
        if not 0 < stream.pictures_per_s <= 60:
            complain(stream, f"expected pictures_per_s above 0 and up to 60, got {stream.pictures_per_s}; mend it")
    for zone in told.camera_zones:
        _check_zone(zone, complain)
    for line in told.camera_lines:
        if line.start == line.end:
            complain(line, f"expected two different ends of line {line.line_id}, got one place twice; mend one")
        _check_places(line, (line.start, line.end), f"line {line.line_id}", complain)
    for floor in told.camera_floors:
        if len(floor.points) < LEAST_FLOOR_POINTS:
            few = f"expected {LEAST_FLOOR_POINTS} points or more of the floor of {floor.camera_code}"
            complain(floor, f"{few}, got {len(floor.points)}; add some")


def _check_behaviours(camera: Any, complain: Callable[[Any, str], None]) -> None:
    from minefusion.schemas.behaviours import ALL, all_behaviours  # which knows the kinds of zones from here

    rules = {ALL} | {each.code for each in all_behaviours()}
    for code in _codes(camera.behaviours) or ():
        if code not in rules:
            complain(camera, f"expected behaviours among {', '.join(sorted(rules))}, got '{code}'; mend or remove it")


def _check_once(things: Sequence[Any], complain: Callable[[Any, str], None]) -> None:
    seen: set[str] = set()
    for thing in things:
        if thing.camera_code in seen:
            complain(thing, f"expected every camera_code once, got '{thing.camera_code}' again; rename or remove one")
        seen.add(thing.camera_code)


def _check_zone(zone: CameraZone, complain: Callable[[Any, str], None]) -> None:
    if len(zone.corners) < 3:
        complain(zone, f"expected 3 corners or more of zone {zone.zone_id}, got {len(zone.corners)}; add some")
    _check_places(zone, zone.corners, f"zone {zone.zone_id}", complain)
    if zone.kind == "gathering" and zone.cap is None:
        complain(zone, f"expected a cap in gathering zone {zone.zone_id}, got none; add it")
    if zone.kind == "one_way" and zone.way is None:
        complain(zone, f"expected the way of one-way passage {zone.zone_id} as [x, y], got none; add it")
    for clock in zone.between or ():
        if not _CLOCK.fullmatch(clock):
            complain(zone, f"expected hours as \"HH:MM\" in zone {zone.zone_id}, got '{clock}'; mend it")


def _check_places(thing: Any, places: Iterable[Place], name: str, complain: Callable[[Any, str], None]) -> None:
    for x, y in places:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            complain(thing, f"expected places of {name} as shares 0 to 1 of the picture, got [{x}, {y}]; mend it")
