"""The site file: one YAML per mine for what no exchange file carries, with a loader that names line and cause."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from minefusion.schemas import site_air
from minefusion.schemas.declared import read_yaml, refuse
from minefusion.schemas.levels import check_own
from minefusion.schemas.site_cameras import CameraFloor, CameraLine, CameraStream, CameraZone, check_cameras
from minefusion.schemas.site_escape import Exit, RefugeChamber, check_escape
from minefusion.schemas.site_hazards import (
    NAMED_BY,
    AquiferCell,
    ControlDepth,
    CuttingsNorm,
    Machine,
    Pump,
    RockFactor,
    SeismicZone,
    SlopePoint,
    SourceWater,
    Sump,
    SupportFace,
    TailingsDam,
    WaterWell,
    check_hazards,
    in_areas,
)
from minefusion.schemas.site_plant import ProcessUnit, RulePack, RuleValue

FORMAT = 1

AreaKind = Literal[
    "longwall_face", "heading", "intake_airway", "return_airway", "district_return", "total_return", "belt_road",
    "main_intake", "shaft", "pit_bottom", "chamber", "goaf", "surface", "process_unit",
]  # fmt: skip
AirClass = Literal[
    "MAIN_AIRWAY", "BELT_ROAD", "COAL_FACE", "ROCK_HEADING", "OTHER_ROAD", "SHAFT_MAN", "SHAFT_MATERIAL",
    "SHAFT_NO_HOIST", "AIR_BRIDGE", "TROLLEY_ROAD",
]  # fmt: skip
ShiftKind = Literal["production", "maintenance"]


@dataclass(frozen=True)
class Shift:
    """One shift of the day. `start` is mine local time, HH:MM."""

    name_zh: str
    name_en: str
    start: str
    hours: float
    kind: ShiftKind = "production"


@dataclass(frozen=True)
class Area:
    """A place with a name and a head-count cap; null means the mine sets none."""

    area_id: str
    name_zh: str
    name_en: str
    kind: AreaKind
    cap: int | None = None
    is_restricted: bool = False
    is_muster: bool = False
    needs_two_people: bool = False


@dataclass(frozen=True)
class Node:
    """Where roadways meet or end, in metres of the mine grid."""

    node_id: str
    x: float
    y: float
    z: float


@dataclass(frozen=True)
class Edge:
    """A straight roadway. Air that flows from `from_node` to `to_node` counts as positive; chainage grows the same way.

    `air_class` and `gas_class` are location codes of the limits table; no `gas_class`: no methane limit of its own.
    """

    edge_id: str
    from_node: str
    to_node: str
    area_id: str
    air_class: AirClass
    gas_class: str | None
    length_m: float
    section_m2: float
    is_walkable: bool = True
    has_conveyor: bool = False


@dataclass(frozen=True)
class DoorPair:
    """Two air doors in series, never open together; `points` are the door switches."""

    pair_id: str
    area_id: str
    points: tuple[str, str]


@dataclass(frozen=True)
class AirPath:
    """Where air enters and leaves a working area. `air_factor` is the K of the required air quantity."""

    area_id: str
    intake_edge: str
    return_edge: str
    drained_ch4_m3_min: float = 0.0
    output_t_per_day: float = 0.0
    air_factor: float = 1.4


@dataclass(frozen=True)
class SitePoint:
    """Exact place of a measuring point whose own file cannot say it."""

    point_code: str
    edge_id: str
    chainage_m: float
    gas_class: str | None = None


@dataclass(frozen=True)
class SiteStation:
    """Exact place of a base station whose own file cannot say it."""

    station_code: str
    edge_id: str
    chainage_m: float


@dataclass(frozen=True)
class Camera:
    """A camera and where it is. `behaviours`: rules that hold at it, comma-joined, `all` among them; null: all."""

    camera_code: str
    name_zh: str
    name_en: str
    edge_id: str
    chainage_m: float
    behaviours: str | None = None


@dataclass(frozen=True)
class SiteLevel:
    """The mine's own steps of one hazard index and scope, in the index's unit; a step that is null does not exist.

    They take the place of those in schemas/levels. What is law there may be tightened and not relaxed; what an index
    is defined by may not be set. `source` says where they come from: a design, a measurement, the mine's rules.
    """

    index_id: str
    source: str
    scope: str = ""
    blue: float | None = None
    yellow: float | None = None
    orange: float | None = None
    red: float | None = None


@dataclass(frozen=True)
class GradedRisk:
    """A risk that the mine graded by hand in its dual-prevention system, by LEC or by the six-by-six matrix.

    Under LEC: `likelihood` 0.1 to 10, `exposure` 0.5 to 10, `consequence` 1 to 100; under the matrix (`exposure` null)
    both others 1 to 6.
    """

    risk_id: str
    area_id: str
    name_zh: str
    name_en: str
    likelihood: float
    consequence: float
    exposure: float | None = None


@dataclass(frozen=True)
class GroupComparison:
    """How much more one group of hazards weighs than another for this mine, 1/9 to 9; groups as in risk_groups.csv."""

    group: str
    than: str
    ratio: float


@dataclass(frozen=True, kw_only=True)
class Site:
    """One mine as its site file declares it. `approved_hours`: the mine's own limit of hours underground, or null.

    `rain_prone`: shallow workings or a way for floods to come in, so that heavy rain is a hazard underground.
    `self_rescuer_min`: minutes that a self-rescuer lasts; null: the usual ones.
    """

    format: int = FORMAT
    mine_code: str
    name_zh: str
    name_en: str
    utc_offset_h: float = 8.0
    severe_hazard: bool
    underground_cap: int | None = None
    approved_hours: float | None = None
    shifts: tuple[Shift, ...] = ()
    areas: tuple[Area, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    door_pairs: tuple[DoorPair, ...] = ()
    air_paths: tuple[AirPath, ...] = ()
    points: tuple[SitePoint, ...] = ()
    stations: tuple[SiteStation, ...] = ()
    cameras: tuple[Camera, ...] = ()
    camera_streams: tuple[CameraStream, ...] = ()
    camera_zones: tuple[CameraZone, ...] = ()
    camera_lines: tuple[CameraLine, ...] = ()
    camera_floors: tuple[CameraFloor, ...] = ()
    levels: tuple[SiteLevel, ...] = ()
    support_faces: tuple[SupportFace, ...] = ()
    seismic_zones: tuple[SeismicZone, ...] = ()
    cuttings_norms: tuple[CuttingsNorm, ...] = ()
    rock_factors: tuple[RockFactor, ...] = ()
    rain_prone: bool = True
    aquifer_cells: tuple[AquiferCell, ...] = ()
    water_wells: tuple[WaterWell, ...] = ()
    sumps: tuple[Sump, ...] = ()
    pumps: tuple[Pump, ...] = ()
    source_waters: tuple[SourceWater, ...] = ()
    slope_points: tuple[SlopePoint, ...] = ()
    tailings_dams: tuple[TailingsDam, ...] = ()
    control_depths: tuple[ControlDepth, ...] = ()
    machines: tuple[Machine, ...] = ()
    graded_risks: tuple[GradedRisk, ...] = ()
    group_comparisons: tuple[GroupComparison, ...] = ()
    exits: tuple[Exit, ...] = ()
    refuge_chambers: tuple[RefugeChamber, ...] = ()
    self_rescuer_min: float | None = None
    roof_emissions: tuple[site_air.RoofEmission, ...] = ()
    outburst_places: tuple[site_air.OutburstPlace, ...] = ()
    goaf_voids: tuple[site_air.GoafVoid, ...] = ()
    inert_injections: tuple[site_air.InertInjection, ...] = ()
    diesel_backgrounds: tuple[site_air.DieselBackground, ...] = ()
    sealed_fires: tuple[site_air.SealedFire, ...] = ()
    main_fans: tuple[site_air.MainFan, ...] = ()
    fan_curve: tuple[site_air.FanCurvePoint, ...] = ()
    air_roads: tuple[site_air.AirRoad, ...] = ()
    local_fans: tuple[site_air.LocalFan, ...] = ()
    air_loops: tuple[site_air.AirLoop, ...] = ()
    loop_roads: tuple[site_air.LoopRoad, ...] = ()
    heat_works: tuple[site_air.HeatWork, ...] = ()
    rule_packs: tuple[RulePack, ...] = ()
    process_units: tuple[ProcessUnit, ...] = ()
    rule_values: tuple[RuleValue, ...] = ()

    def to_frames(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows of reference.roadway_node and reference.roadway_edge."""
        return [self._row(node) for node in self.nodes], [self._row(edge) for edge in self.edges]

    def _row(self, thing: Node | Edge) -> dict[str, Any]:
        return {"mine_code": self.mine_code, **{field.name: getattr(thing, field.name) for field in fields(thing)}}


def load_site(path: Path) -> Site:
    """Read and check a site file.

    Raises:
        InputError: file, line, what was expected, what came and what to do.
    """
    site, lines = read_yaml(path, Site, "site")
    _check(site, lambda thing, problem: refuse(path, lines[id(thing)], problem))
    return site


def dump_site(site: Site) -> str:
    """The site file's text: one line per area, node, edge …; `load_site` gives the same site back."""
    lines = []
    for field in fields(Site):
        value = getattr(site, field.name)
        if not isinstance(value, tuple):
            lines.append(f"{field.name}: {_scalar(value)}")
        elif not value:
            lines.append(f"{field.name}: []")
        else:
            lines.append(f"{field.name}:")
            lines += [f"- {_flow(row)}" for row in value]
    return "\n".join(lines) + "\n"


# --- what must hold between the parts ---

Complain = Callable[[Any, str], None]


def _check(site: Site, complain: Complain) -> None:
    if site.format != FORMAT:
        complain(site, f"expected format {FORMAT}, got {site.format}; use a site file of this version")
    if not 10 <= len(site.mine_code) <= 20 or not site.mine_code.isalnum():
        complain(site, f"expected mine_code of 10 to 20 letters and digits, got '{site.mine_code}'; mend it")
    _check_unique(site, complain)
    for area in site.areas:
        if not area.area_id.startswith(site.mine_code):
            complain(area, f"expected area_id to begin with {site.mine_code}, got '{area.area_id}'; mend it")
        if area.cap is not None and area.cap < 0:
            complain(area, f"expected a cap of 0 or more in area {area.area_id}, got {area.cap}; mend it or write null")
    for shift in site.shifts:
        _check_shift(shift, complain)
    _check_references(site, complain)
    for edge in site.edges:
        for name in ("length_m", "section_m2"):
            if getattr(edge, name) <= 0:
                complain(edge, f"expected {name} above 0 in edge {edge.edge_id}, got {getattr(edge, name)}; mend it")
        if edge.from_node == edge.to_node:
            complain(edge, f"expected two different nodes in edge {edge.edge_id}, got {edge.from_node} twice; mend one")
    _check_chainages(site, complain)
    check_hazards(site, complain)
    site_air.check_air(site, complain)
    check_escape(site, complain)
    check_cameras(site, complain)
    check_own(site, complain)


def _check_unique(site: Site, complain: Complain) -> None:
    named: tuple[tuple[str, Iterable[Any]], ...] = (
        ("area_id", site.areas),
        ("node_id", site.nodes),
        ("edge_id", site.edges),
        ("pair_id", site.door_pairs),
        ("point_code", site.points),
        ("station_code", site.stations),
        ("camera_code", site.cameras),
        ("camera_code", site.camera_streams),
        ("camera_code", site.camera_floors),
        ("node_id", site.exits),
        ("chamber_id", site.refuge_chambers),
        ("pack", site.rule_packs),
        *((name, getattr(site, section)) for section, name in NAMED_BY.items()),
        *((name, getattr(site, section)) for section, name in site_air.NAMED_BY.items()),
    )
    for name, things in named:
        seen: Counter[str] = Counter()
        for thing in things:
            seen[getattr(thing, name)] += 1
            if seen[getattr(thing, name)] > 1:
                complain(thing, f"expected every {name} once, got '{getattr(thing, name)}' again; rename or remove one")


def _check_shift(shift: Shift, complain: Complain) -> None:
    hour, _, minute = shift.start.partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60):
        complain(shift, f"expected a shift's start as \"HH:MM\", got '{shift.start}'; mend it")
    if not 0 < shift.hours <= 24:
        complain(shift, f"expected a shift of 0 to 24 hours, got {shift.hours}; mend it")


def _check_references(site: Site, complain: Complain) -> None:
    known = {
        "area": {area.area_id for area in site.areas},
        "node": {node.node_id for node in site.nodes},
        "edge": {edge.edge_id for edge in site.edges},
    }
    for thing, name, kind in _references(site):
        value = getattr(thing, name)
        if value not in known[kind]:
            complain(thing, f"expected {name} to name a declared {kind}, got '{value}'; declare or mend it")


def _references(site: Site) -> Iterator[tuple[Any, str, str]]:
    """Every (thing, its field, what the field must name)."""
    for edge in site.edges:
        yield edge, "from_node", "node"
        yield edge, "to_node", "node"
    of_own_values = (each for each in site.rule_values if each.area_id is not None)
    for thing in (*site.edges, *site.door_pairs, *site.air_paths, *in_areas(site), *site.process_units, *of_own_values):
        yield thing, "area_id", "area"
    yield from site_air.references(site)
    for way_out in site.exits:
        yield way_out, "node_id", "node"
    for path in site.air_paths:
        yield path, "intake_edge", "edge"
        yield path, "return_edge", "edge"
    for placed in _placed(site):
        yield placed, "edge_id", "edge"


def _placed(site: Site) -> Iterator[SitePoint | SiteStation | Camera | RefugeChamber]:
    yield from site.points
    yield from site.stations
    yield from site.cameras
    yield from site.refuge_chambers


def _check_chainages(site: Site, complain: Complain) -> None:
    length = {edge.edge_id: edge.length_m for edge in site.edges}
    for placed in _placed(site):
        if not 0 <= placed.chainage_m <= length[placed.edge_id]:
            limit = f"0 to {length[placed.edge_id]} m, the length of {placed.edge_id}"
            complain(placed, f"expected chainage_m of {limit}, got {placed.chainage_m}; mend it")


# --- writing ---


def _scalar(value: Any) -> str:
    """JSON's form of a scalar is YAML's too."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_scalar(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _flow(row: Any) -> str:
    return "{" + ", ".join(f"{field.name}: {_scalar(getattr(row, field.name))}" for field in fields(row)) + "}"
