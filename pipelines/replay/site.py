"""The site file of a replayed table: one short roadway per place, so that every point resolves to its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import cast, get_args

from minefusion.pipelines.replay import families
from minefusion.pipelines.replay.mapping import Mapping
from minefusion.schemas.limits import all_limits
from minefusion.schemas.site import AirClass, Area, AreaKind, Edge, Node, Site, SitePoint

# Roadways of a mapping are of no length that matters; points hang in their middle.
LENGTH_M = 100.0
SECTION_M2 = 12.0
# A state of the works comes as a switch of this sensor type: equipment, stopped or running.
SWITCH = "1004"

# Beginning of a location code → what area it lies in. Places of one working are one area, so that gas, air and machines
# meet there; the names are the field's own.
_WORKINGS: tuple[tuple[tuple[str, ...], AreaKind, str, str, AirClass], ...] = (
    (
        ("LW_", "SHEARER", "COAL_FACE", "GAS_TAILGATE"),
        "longwall_face",
        "回放采煤工作面",
        "Replayed longwall",
        "COAL_FACE",
    ),
    (("HD_", "ROCK_HEADING"), "heading", "回放掘进工作面", "Replayed heading", "COAL_FACE"),
    (("DISTRICT_RETURN",), "district_return", "回放采区回风巷", "Replayed district return", "BELT_ROAD"),
    (("TOTAL_RETURN",), "total_return", "回放总回风巷", "Replayed total return", "MAIN_AIRWAY"),
    (("BELT_", "BUNKER_"), "belt_road", "回放运输巷", "Replayed conveyor road", "BELT_ROAD"),
    (("SHAFT_", "RETURN_SHAFT"), "shaft", "回放井筒", "Replayed shaft", "SHAFT_NO_HOIST"),
    (("ELEC_CHAMBER", "BATTERY_CHAMBER"), "chamber", "回放硐室", "Replayed chamber", "OTHER_ROAD"),
    (("SURFACE_",), "surface", "回放地面", "Replayed surface", "OTHER_ROAD"),
    (("",), "main_intake", "回放巷道", "Replayed roadway", "OTHER_ROAD"),
)


def point_codes(mapping: Mapping) -> dict[str, str]:
    """Column → point code: mine, system 01, value kind, sensor type, substation 001 and channel; a family's own code
    where another feed carries it."""
    analog = {
        point.column: f"{mapping.mine_code}01MN{point.sensor_type}001A{number:02d}"
        if point.file is None
        else families.point_id(point, mapping.mine_code, number)
        for number, point in enumerate(mapping.points, start=1)
    }
    switches = {
        covariate.column: f"{mapping.mine_code}01KG{SWITCH}001D{number:02d}"
        for number, covariate in enumerate(mapping.covariates, start=1)
    }
    return analog | switches


def site_of(mapping: Mapping) -> Site:
    """Every place of the mapping as a roadway with its location class, and every point at the middle of its own.

    A covariate is a state of the works where the first point hangs.
    """
    gas_classes = {limit.location_code for limit in all_limits() if limit.quantity == "ch4"}
    places = list(dict.fromkeys(point.place for point in mapping.points))
    areas = _areas(mapping.mine_code, places)
    edges: dict[str, Edge] = {}
    for number, place in enumerate(places, start=1):
        air_class = _working(place)[3]
        edges[place] = Edge(
            edge_id=f"E{number}",
            from_node=f"N{number}",
            to_node=f"N{number + 1}",
            area_id=areas[place].area_id,
            air_class=cast(AirClass, place) if place in get_args(AirClass) else air_class,
            gas_class=place if place in gas_classes else None,
            length_m=LENGTH_M,
            section_m2=SECTION_M2,
        )
    codes = point_codes(mapping)
    hung = [(point.column, point.place) for point in mapping.points]
    hung += [(covariate.column, mapping.points[0].place) for covariate in mapping.covariates]
    return Site(
        mine_code=mapping.mine_code,
        name_zh="回放煤矿",
        name_en="Replayed mine",
        severe_hazard=True,
        areas=tuple({area.area_id: area for area in areas.values()}.values()),
        nodes=tuple(
            Node(f"N{number + 1}", 1000.0 + LENGTH_M * number, 1000.0, 0.0) for number in range(len(places) + 1)
        ),
        edges=tuple(edges.values()),
        points=tuple(
            SitePoint(codes[column], edges[place].edge_id, LENGTH_M / 2, edges[place].gas_class)
            for column, place in hung
        ),
    )


def _areas(mine_code: str, places: Sequence[str]) -> dict[str, Area]:
    """Place → its area: the one it names itself, else that of its working."""
    own = [place for place in places if place.startswith(mine_code)]
    free = (area_id for number in count(1) if (area_id := f"{mine_code}{number:04d}") not in own)
    areas = {place: Area(place, place, place, _working(place)[0]) for place in own}
    workings: dict[str, Area] = {}
    for place in places:
        if place not in areas:
            kind, name_zh, name_en, _ = _working(place)
            if name_zh not in workings:
                workings[name_zh] = Area(next(free), name_zh, name_en, kind)
            areas[place] = workings[name_zh]
    return areas


def _working(place: str) -> tuple[AreaKind, str, str, AirClass]:
    return next(working[1:] for working in _WORKINGS if place.startswith(working[0]))
