"""An invented mine: shafts, trunk roads, districts with a longwall face and headings, and the air that each gets.

Along the trunk lie three roads on three levels: the belt road, the main intake and, above both, the main return.
Districts leave them to the left and to the right in turn. Every roadway is a straight edge that runs with its air.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.ventilation import Fans, Network, friction_resistance, solve
from minefusion.schemas.errors import InputError
from minefusion.schemas.site import AirPath, Area, Edge, Node, Shift, Site

Floats = NDArray[np.float64]

FEWEST, MOST = 20, 200
MINE_CODE = "620000000001"
SURFACE_Z = 1229.0
RETURN_LEVEL_M = 30.0  # the main return runs this far above the main intake, the belt road as far below
DISTRICT_SPACING_M = 320.0
DOOR_OPEN = 0.05
# Friction factor [kg/m³]: mean and standard deviation of measured roadways.
FRICTION = {
    "drift": (0.00879, 0.00239),
    "belt": (0.01399, 0.00184),
    "shaft": (0.01126, 0.00330),
    "face": (0.03, 0.004),
}
SPARE_PA = 300.0  # what even the most remote district still loses in its regulator

_NAMES = ("青峰", "石河", "云岭", "沙坪", "长泉", "东梁", "白杨", "龙湾", "红岩", "柳沟", "金川", "北原")
_NAMES_EN = (
    "Qingfeng",
    "Shihe",
    "Yunling",
    "Shaping",
    "Changquan",
    "Dongliang",
    "Baiyang",
    "Longwan",
    "Hongyan",
    "Liugou",
    "Jinchuan",
    "Beiyuan",
)


@dataclass(frozen=True)
class Face:
    """A longwall face, its gates and its doors, as edge indices."""

    number: str
    area_id: str
    intake: tuple[int, ...]
    face: int
    corner: int
    gate: tuple[int, ...]
    doors: int
    intake_area: str
    return_area: str
    goaf: int | None


@dataclass(frozen=True)
class Heading:
    """A heading ventilated by its own fan through a duct, as edge and node indices."""

    number: str
    area_id: str
    face: int
    road: int
    supply: int
    fan_at: int
    duct_ends_at: int
    fan_m3_s: float
    link: int
    away: int


@dataclass(frozen=True)
class Layout:
    """A mine's site and what its air is made of; arrays follow the order of `site.edges`."""

    site: Site
    roles: tuple[str, ...]
    network: Network
    resistance: Floats
    door_resistance: dict[int, float]  # of each of the two doors, by edge
    fans: Fans
    main_fan: int
    faces: tuple[Face, ...]
    headings: tuple[Heading, ...]
    design_flow: Floats

    @property
    def edges(self) -> tuple[Edge, ...]:
        return self.site.edges

    def index(self, role: str) -> list[int]:
        return [number for number, name in enumerate(self.roles) if name == role]

    def at(self, edge: int, chainage_m: float) -> tuple[float, float, float]:
        """Coordinates of a place on an edge."""
        nodes = self.site.nodes
        a, b = nodes[self.ends[edge][0]], nodes[self.ends[edge][1]]
        share = chainage_m / self.edges[edge].length_m
        return a.x + share * (b.x - a.x), a.y + share * (b.y - a.y), a.z + share * (b.z - a.z)

    @cached_property
    def ends(self) -> list[tuple[int, int]]:
        """Each edge's nodes as indices into `site.nodes`."""
        number = {node.node_id: index for index, node in enumerate(self.site.nodes)}
        return [(number[edge.from_node], number[edge.to_node]) for edge in self.edges]


@dataclass
class _Draft:
    """The mine while it is being laid out."""

    rng: np.random.Generator
    x0: float
    y0: float
    azimuth: float
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    areas: dict[str, Area] = field(default_factory=dict)
    resistance: list[float] = field(default_factory=list)
    wanted: dict[int, float] = field(default_factory=dict)  # flow that a regulator in the edge is to give
    doors: dict[int, float] = field(default_factory=dict)
    ducts: list[tuple[int, int, float]] = field(default_factory=list)

    def node(self, u: float, v: float, z: float) -> int:
        """A node `u` metres along the trunk and `v` to its left, at height `z` over the trunk's level."""
        cos, sin = math.cos(self.azimuth), math.sin(self.azimuth)
        x, y = self.x0 + u * cos - v * sin, self.y0 + u * sin + v * cos
        self.nodes.append(Node(f"N{len(self.nodes) + 1:03d}", round(x, 2), round(y, 2), round(z, 2)))
        return len(self.nodes) - 1

    def area(self, name_zh: str, name_en: str, kind: str, cap: int | None = None, **marks: bool) -> str:
        """The area of that name, made where there is none yet."""
        if name_zh not in self.areas:
            area_id = f"{MINE_CODE}{len(self.areas) + 1:04d}"
            self.areas[name_zh] = Area(area_id, name_zh, name_en, kind, cap, **marks)  # type: ignore[arg-type]
        return self.areas[name_zh].area_id

    def edge(
        self,
        role: str,
        start: int,
        end: int,
        area_id: str,
        air_class: str,
        section_m2: float,
        *,
        gas_class: str | None = None,
        friction: str = "drift",
        walkable: bool = True,
        conveyor: bool = False,
    ) -> int:
        a, b = self.nodes[start], self.nodes[end]
        length = round(math.dist((a.x, a.y, a.z), (b.x, b.y, b.z)), 2)
        edge_id = f"E{len(self.edges) + 1:03d}"
        self.edges.append(
            Edge(
                edge_id,
                a.node_id,
                b.node_id,
                area_id,
                air_class,  # type: ignore[arg-type]
                gas_class,
                length,
                round(section_m2, 1),
                walkable,
                conveyor,
            )
        )
        self.roles.append(role)
        mean, deviation = FRICTION[friction]
        spread = math.sqrt(math.log1p((deviation / mean) ** 2))
        k = float(self.rng.lognormal(math.log(mean) - spread**2 / 2, spread))
        self.resistance.append(friction_resistance(k, length, section_m2))
        return len(self.edges) - 1

    def road(
        self,
        role: str,
        start: int,
        end: int,
        area_id: str,
        air_class: str,
        section_m2: float,
        *,
        pieces: int,
        gas_class: str | None = None,
        friction: str = "drift",
        conveyor: bool = False,
    ) -> tuple[int, ...]:
        """A road in `pieces` edges of equal length."""
        a, b = self.nodes[start], self.nodes[end]
        made, here = [], start
        for piece in range(1, pieces + 1):
            there = end
            if piece < pieces:
                share = piece / pieces
                xyz = [round(getattr(a, axis) + share * (getattr(b, axis) - getattr(a, axis)), 2) for axis in "xyz"]
                self.nodes.append(Node(f"N{len(self.nodes) + 1:03d}", *xyz))
                there = len(self.nodes) - 1
            made.append(
                self.edge(
                    role,
                    here,
                    there,
                    area_id,
                    air_class,
                    section_m2,
                    gas_class=gas_class,
                    friction=friction,
                    conveyor=conveyor,
                )
            )
            here = there
        return tuple(made)


# Roadways of a mine with no district, and of a district with a face and nothing else.
_FIXED, _PER_DISTRICT = 7, 10


def _plan(roadways: int) -> tuple[int, Counter[tuple[str, int]]]:
    """Number of districts, and what the other roadways are spent on: (what, district) → how many."""
    if not FEWEST <= roadways <= MOST:
        raise InputError(f"expected --roadways from {FEWEST} to {MOST}, got {roadways}; choose one in between")
    districts = max(1, round((roadways - _FIXED) / 20))
    left = roadways - _FIXED - _PER_DISTRICT * districts
    bought: Counter[tuple[str, int]] = Counter()
    for cost, what, district in _wishes(districts):
        if cost <= left:
            bought[what, district] += 1
            left -= cost
        if left == 0:
            break
    return districts, bought


def _wishes(districts: int) -> Iterator[tuple[int, str, int]]:
    """(roadways it takes, what, district), most wanted first; pieces of road fill up to the number asked for."""
    every = range(districts)
    yield from ((4, "heading", district) for district in every)
    yield 2, "pump_room", 0
    yield from ((1, "goaf", district) for district in every)
    yield from ((4, "heading", district) for district in every)
    for what in cycle(("intake_gate", "return_gate", "belt", "return")):
        yield from ((1, what, district) for district in every)


def generate_layout(roadways: int, people: int, rng: np.random.Generator) -> Layout:
    """A mine of exactly `roadways` edges for shifts of `people`, with its air balanced by regulators."""
    districts, bought = _plan(roadways)
    depth = float(rng.uniform(320, 460))
    draft = _Draft(
        rng,
        x0=36_372_000 + float(rng.integers(0, 2000)),
        y0=4_245_000 + float(rng.integers(0, 2000)),
        azimuth=float(rng.uniform(0, 2 * math.pi)),
    )
    name = int(rng.integers(len(_NAMES)))
    level = SURFACE_Z - depth
    headings = sum(count for (what, _), count in bought.items() if what == "heading")
    face_flow = [float(rng.uniform(20, 23)) for _ in range(districts)]
    belt_flow = float(rng.uniform(20, 24))
    total = sum(face_flow) + 16.5 * headings + 16 + belt_flow
    trunk_section = max(16.0, total / 5)

    main_intake = draft.area("主要进风大巷", "Main intake", "main_intake")
    belt = draft.area("主运输带式大巷", "Main belt road", "belt_road")
    total_return = draft.area("总回风巷", "Main return", "total_return")
    pit_bottom = draft.area("井底车场", "Pit bottom", "pit_bottom", is_muster=True)
    man_shaft = draft.area("副立井", "Man shaft", "shaft", is_muster=True)
    coal_shaft = draft.area("主立井", "Coal shaft", "shaft")
    upcast = draft.area("回风立井", "Upcast shaft", "shaft")

    surface_man, bottom = draft.node(-80, 0, SURFACE_Z), draft.node(-80, 0, level)
    surface_coal, coal_bottom = draft.node(-200, -60, SURFACE_Z), draft.node(-200, -60, level - 20)
    surface_fan, fan_bottom = draft.node(-250, 60, SURFACE_Z), draft.node(-250, 60, level + RETURN_LEVEL_M)
    draft.edge("man_shaft", surface_man, bottom, man_shaft, "SHAFT_MAN", max(28.0, total / 5.5), friction="shaft")
    coal = draft.edge(
        "coal_shaft", surface_coal, coal_bottom, coal_shaft, "SHAFT_MATERIAL", 24.0, friction="shaft", walkable=False
    )
    draft.wanted[coal] = belt_flow - 6.0
    main_fan = draft.edge(
        "upcast",
        fan_bottom,
        surface_fan,
        upcast,
        "SHAFT_NO_HOIST",
        max(20.0, total / 8),
        friction="shaft",
        walkable=False,
    )
    draft.edge("pit_bottom", bottom, coal_bottom, pit_bottom, "OTHER_ROAD", 14.0)
    _chamber(
        draft, "中央变电所硐室", "Central substation", bottom, draft.node(-110, 85, level + 5), fan_bottom, total_return
    )
    if bought["pump_room", 0]:
        room = draft.node(-165, 12, level + 2)
        _chamber(draft, "中央水泵房硐室", "Central pump room", bottom, room, fan_bottom, total_return)

    faces: list[Face] = []
    driven: list[Heading] = []
    before = {"intake": bottom, "belt": coal_bottom, "return": fan_bottom}
    for number in range(districts):
        u = 320 + DISTRICT_SPACING_M * number
        here = {
            "intake": draft.node(u, 0, level),
            "belt": draft.node(u, -60, level - RETURN_LEVEL_M),
            "return": draft.node(u - 100, 30, level + RETURN_LEVEL_M),
        }
        draft.edge("main_intake", before["intake"], here["intake"], main_intake, "MAIN_AIRWAY", trunk_section)
        draft.road(
            "belt",
            before["belt"],
            here["belt"],
            belt,
            "BELT_ROAD",
            15.0,
            pieces=1 + bought["belt", number],
            friction="belt",
            conveyor=True,
        )
        draft.road(
            "main_return",
            here["return"],
            before["return"],
            total_return,
            "MAIN_AIRWAY",
            trunk_section,
            pieces=1 + bought["return", number],
            gas_class="TOTAL_RETURN",
        )
        face, more = _district(draft, number, u, level, here, bought, face_flow[number])
        faces.append(face)
        driven += more
        before = here
    end = draft.edge(
        "belt_return", before["belt"], before["return"], total_return, "OTHER_ROAD", 12.0, gas_class="TOTAL_RETURN"
    )
    draft.wanted[end] = belt_flow

    site = _site(draft, _NAMES[name], _NAMES_EN[name], people, faces, driven)
    return _balanced(draft, site, main_fan, tuple(faces), tuple(driven))


def _chamber(draft: _Draft, zh: str, en: str, start: int, room: int, out: int, return_area: str) -> None:
    area = draft.area(zh, en, "chamber", 10, needs_two_people=True)
    draft.edge("chamber", start, room, area, "OTHER_ROAD", 12.0, gas_class="ELEC_CHAMBER_INTAKE")
    back = draft.edge("chamber_return", room, out, return_area, "OTHER_ROAD", 10.0, gas_class="TOTAL_RETURN")
    draft.wanted[back] = float(draft.rng.uniform(7, 9))


def _district(
    draft: _Draft,
    number: int,
    u: float,
    level: float,
    trunk: dict[str, int],
    bought: Counter[tuple[str, int]],
    flow: float,
) -> tuple[Face, list[Heading]]:
    """A district with its face and headings, to the left of the trunk or, every second one, to the right."""
    rng, side = draft.rng, 1 - 2 * (number % 2)
    code = 11 + number
    name, name_en = f"{code}采区", f"District {code}"
    top = level + RETURN_LEVEL_M
    dip = float(rng.uniform(-40, 40))
    far = float(rng.uniform(800, 1050))
    intake = draft.area(f"{name}进风巷", f"{name_en} intake", "intake_airway")
    back = draft.area(f"{name}回风巷", f"{name_en} return", "district_return")
    joint, out = draft.node(u, side * 120, level), draft.node(u - 100, side * 120, top)
    supply = draft.edge("district_intake", trunk["intake"], joint, intake, "BELT_ROAD", 19.0)
    draft.edge("district_return", out, trunk["return"], back, "BELT_ROAD", 19.0, gas_class="DISTRICT_RETURN")
    doors = draft.edge("doors", joint, out, intake, "OTHER_ROAD", 12.0)
    draft.doors[doors] = float(rng.uniform(30, 60))

    face = f"{code}01"
    gate_in = draft.area(f"{face}运输顺槽", f"Gate road {face} intake", "intake_airway", 20)
    gate_out = draft.area(f"{face}回风顺槽", f"Gate road {face} return", "return_airway", 20)
    at_face = draft.area(f"{face}综采工作面", f"Longwall face {face}", "longwall_face", 25)
    width = float(rng.uniform(170, 200))
    low = draft.node(u - 10, side * far, level + dip)
    high = draft.node(u - 10 - width, side * far, level + dip + 8)
    tail = draft.node(u - 30 - width, side * far, level + dip + 9)
    pieces_in, pieces_out = 1 + bought["intake_gate", number], 1 + bought["return_gate", number]
    intakes = draft.road(
        "intake_gate",
        joint,
        low,
        gate_in,
        "BELT_ROAD",
        15.0,
        pieces=pieces_in,
        gas_class="LW_INTAKE_T3",
        friction="belt",
        conveyor=True,
    )
    cut = draft.edge(
        "face", low, high, at_face, "COAL_FACE", float(rng.uniform(10, 11)), gas_class="LW_FACE_T1", friction="face"
    )
    corner = draft.edge("corner", high, tail, at_face, "COAL_FACE", 11.0, gas_class="LW_CORNER_T0", friction="face")
    gates = draft.road(
        "return_gate", tail, out, gate_out, "BELT_ROAD", 14.0, pieces=pieces_out, gas_class="LW_RETURN_T2"
    )
    draft.wanted[gates[-1]] = flow
    goaf = None
    if bought["goaf", number]:
        waste = draft.area(f"{face}采空区", f"Goaf of {face}", "goaf", 0, is_restricted=True)
        end = draft.node(u - 10, side * (far + 90), level + dip + 2)
        goaf = draft.edge("goaf", low, end, waste, "OTHER_ROAD", 10.0, walkable=False)
    made = Face(face, at_face, intakes, cut, corner, gates, doors, gate_in, gate_out, goaf)
    return made, [
        _heading(draft, f"{code}{2 + each:02d}", each, u, side, level, joint, trunk["return"], supply, intake, back)
        for each in range(bought["heading", number])
    ]


def _heading(
    draft: _Draft,
    number: str,
    each: int,
    u: float,
    side: int,
    level: float,
    joint: int,
    out: int,
    supply: int,
    intake: str,
    back: str,
) -> Heading:
    rng = draft.rng
    area = draft.area(f"{number}掘进工作面", f"Heading {number}", "heading", 18)
    length = float(rng.uniform(320, 460))
    across, beside = ((60, 170), (130, 140))[each]
    mouth = draft.node(u + across, side * beside, level)
    last = draft.node(u + across, side * (beside + length - 30), level + 4)
    end = draft.node(u + across, side * (beside + length), level + 4)
    section = float(rng.uniform(10.5, 11.5))
    face = draft.edge("heading_face", end, last, area, "COAL_FACE", section, gas_class="HD_FACE_T1")
    road = draft.edge("heading_road", last, mouth, area, "COAL_FACE", section, gas_class="HD_RETURN_T2", conveyor=True)
    link = draft.edge("heading_link", joint, mouth, intake, "OTHER_ROAD", 12.0)
    away = draft.edge("heading_return", mouth, out, back, "OTHER_ROAD", 12.0, gas_class="DISTRICT_RETURN")
    fan = float(rng.uniform(9.0, 10.5))
    draft.wanted[away] = fan + float(rng.uniform(5.5, 7.5))
    draft.ducts.append((joint, end, fan))
    return Heading(number, area, face, road, supply, joint, end, fan, link, away)


def _site(draft: _Draft, name: str, name_en: str, people: int, faces: list[Face], headings: list[Heading]) -> Site:
    edges = draft.edges
    at_faces = [
        AirPath(face.area_id, edges[face.intake[0]].edge_id, edges[face.gate[-1]].edge_id, 0.0, 6000.0, 1.4)
        for face in faces
    ]
    at_headings = [
        AirPath(heading.area_id, edges[heading.supply].edge_id, edges[heading.road].edge_id, 0.0, 0.0, 1.6)
        for heading in headings
    ]
    return Site(
        mine_code=MINE_CODE,
        name_zh=f"{name}煤矿",
        name_en=f"{name_en} mine",
        severe_hazard=True,
        underground_cap=max(100, 2 * people),
        shifts=(
            Shift("早班", "morning", "08:00", 8.0, "production"),
            Shift("中班", "afternoon", "16:00", 8.0, "production"),
            Shift("夜班", "night", "00:00", 8.0, "maintenance"),
        ),
        areas=tuple(draft.areas.values()),
        nodes=tuple(draft.nodes),
        edges=tuple(edges),
        air_paths=tuple(at_faces + at_headings),
    )


def _balanced(
    draft: _Draft, site: Site, main_fan: int, faces: tuple[Face, ...], headings: tuple[Heading, ...]
) -> Layout:
    """Regulators and a main fan that give every district the air it was designed for.

    With the regulated edges replaced by the flows that they are to carry, the network tells the pressure that is left
    over each of them; the fan gets what the most remote one lacks.
    """
    surface = {number for number, node in enumerate(site.nodes) if node.z == SURFACE_Z}
    order = [node for node in range(len(site.nodes)) if node not in surface]
    number_of = dict.fromkeys(surface, 0) | {node: number for number, node in enumerate(order, start=1)}
    index = {node.node_id: number for number, node in enumerate(site.nodes)}
    start = np.array([number_of[index[edge.from_node]] for edge in site.edges])
    end = np.array([number_of[index[edge.to_node]] for edge in site.edges])
    network = Network(start, end, len(order) + 1)
    resistance = np.array(draft.resistance)
    doors = draft.doors
    for edge, each in doors.items():
        resistance[edge] += 2 * each

    wanted = np.array(list(draft.wanted))
    flows = np.array(list(draft.wanted.values()))
    free = np.setdiff1d(np.arange(len(start)), wanted)
    ducts = np.zeros(network.nodes)
    for fan_at, outlet, flow in draft.ducts:
        ducts[number_of[fan_at]] -= flow
        ducts[number_of[outlet]] += flow
    injection = ducts.copy()
    np.add.at(injection, start[wanted], -flows)
    np.add.at(injection, end[wanted], flows)
    rest = Network(start[free], end[free], network.nodes)
    at_fan = (free == main_fan).astype(float)
    pressure_pa = 800.0
    for _ in range(12):
        solution = solve(
            rest, resistance[free], Fans(pressure_pa * at_fan, 0 * at_fan, 0 * at_fan), injection=injection
        )
        spare = solution.pressure[start[wanted]] - solution.pressure[end[wanted]] - resistance[wanted] * flows**2
        below = spare[np.array(draft.roles)[wanted] != "coal_shaft"]
        pressure_pa += SPARE_PA - float(below.min())
    resistance[wanted] += np.maximum(spare, 0.0) / flows**2

    through = float(solution.flow[free == main_fan][0])
    one = np.zeros(len(start))
    one[main_fan] = 1.0
    curve = (1.4 * pressure_pa, 2.0, -(0.4 * pressure_pa + 2.0 * through) / through**2)
    fans = Fans(curve[0] * one, curve[1] * one, curve[2] * one)
    renumbered = tuple(replace(h, fan_at=number_of[h.fan_at], duct_ends_at=number_of[h.duct_ends_at]) for h in headings)
    design = solve(network, resistance, fans, injection=ducts).flow
    return Layout(site, tuple(draft.roles), network, resistance, doors, fans, main_fan, faces, renumbered, design)
