"""What a site file may say of air, gas, fire and heat, which no exchange file carries.

Every part is optional; an index that needs one that is missing says so. Air in m³/s, lengths in m, pressures in Pa
unless a name says otherwise, instants as "2026-03-01T08:00+08:00".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from minefusion.schemas.site import Site

Inert = Literal["n2", "co2"]
RoadRole = Literal["intake", "use"]
Workload = Literal["I", "II", "III", "IV"]
# Share of working time in the heat, in per cent.
ExposureTime = Literal[100, 75, 50, 25]

ALWAYS_US = 2**62


# ── gas ──
@dataclass(frozen=True)
class RoofEmission:
    """Methane that comes out of the roof of a roadway, and the roadway's width."""

    edge_id: str
    emission_m3_s: float
    width_m: float


@dataclass(frozen=True)
class OutburstPlace:
    """Facts of a face or heading for its outburst indices; null: not measured.

    `firmness` is f of the coal, `diffusion_mmhg` its ΔP, `desorbable_m3_t` the gas that it can give off.
    """

    area_id: str
    is_wet: bool = False
    is_anthracite: bool = False
    depth_m: float | None = None
    firmness: float | None = None
    seam_pressure_mpa: float | None = None
    gas_content_m3_t: float | None = None
    diffusion_mmhg: float | None = None
    desorbable_m3_t: float | None = None


@dataclass(frozen=True)
class GoafVoid:
    """Void that a working area's goaf shares with its air, and the methane in it."""

    area_id: str
    void_m3: float
    ch4_pct: float


# ── fire ──
@dataclass(frozen=True)
class InertInjection:
    """Inert gas is put into an area from one instant on; `to_at` null: it goes on."""

    area_id: str
    gas: Inert
    from_at: str
    to_at: str | None = None

    def span_us(self) -> tuple[int, int]:
        """Begin and end in microseconds since 1970."""
        end = ALWAYS_US if self.to_at is None else _us(self.to_at)
        return _us(self.from_at), end


@dataclass(frozen=True)
class DieselBackground:
    """Carbon monoxide that the diesel machines of an area leave in its air [ppm]."""

    area_id: str
    co_ppm: float


@dataclass(frozen=True)
class SealedFire:
    """A sealed fire area, with the temperatures of air and outflowing water from before the fire."""

    area_id: str
    normal_air_c: float | None = None
    normal_water_c: float | None = None


# ── ventilation ──
@dataclass(frozen=True)
class MainFan:
    """A main fan: the roadway in which its air and pressure are measured, and what it is held against.

    `return_edge` is where the mine's return air is measured before outside air leaks in; `reference_ns2_m8` the mine's
    resistance when all is well.
    """

    fan_id: str
    area_id: str
    edge_id: str
    return_edge: str | None = None
    surge_m3_s: float | None = None
    reference_ns2_m8: float | None = None
    has_hoisting: bool = False


@dataclass(frozen=True)
class FanCurvePoint:
    """One point of a fan's curve at its present blade angle."""

    fan_id: str
    quantity_m3_s: float
    pressure_pa: float


@dataclass(frozen=True)
class AirRoad:
    """A roadway of the air balance: fresh air comes in there, or it is put to use."""

    edge_id: str
    role: RoadRole


@dataclass(frozen=True)
class LocalFan:
    """A local fan: the roadways in which its inlet, the fresh air that passes it and the heading's return are measured.

    `rated_m3_s` is what the fan takes; `lowest_m_s` the velocity that must be left in the roadway beside it.
    """

    fan_id: str
    area_id: str
    inlet_edge: str
    intake_edge: str
    return_edge: str
    rated_m3_s: float
    lowest_m_s: float = 0.25


@dataclass(frozen=True)
class AirLoop:
    """A closed way through the mine and a main fan, with the pressure that warm air adds."""

    loop_id: str
    fan_id: str
    natural_pa: float = 0.0


@dataclass(frozen=True)
class LoopRoad:
    """A roadway of a loop, with its resistance; `is_along` false: the loop runs through it against its direction."""

    loop_id: str
    edge_id: str
    resistance_ns2_m8: float
    is_along: bool = True


# ── heat ──
@dataclass(frozen=True)
class HeatWork:
    """How heavy the work in an area is (I light to IV very heavy) and the share of the time that it is done [%]."""

    area_id: str
    workload: Workload
    exposure_pct: ExposureTime = 100


Complain = Callable[[Any, str], None]
# Section → the field that names each of its things once.
NAMED_BY = {
    "roof_emissions": "edge_id", "outburst_places": "area_id", "goaf_voids": "area_id", "diesel_backgrounds": "area_id",
    "sealed_fires": "area_id", "main_fans": "fan_id", "air_roads": "edge_id", "local_fans": "fan_id",
    "air_loops": "loop_id", "heat_works": "area_id",
}  # fmt: skip
SECTIONS = (*NAMED_BY, "inert_injections", "fan_curve", "loop_roads")
_EDGES = ("edge_id", "return_edge", "inlet_edge", "intake_edge")
_ABOVE_0 = {
    RoofEmission: ("emission_m3_s", "width_m"),
    OutburstPlace: ("depth_m", "firmness", "desorbable_m3_t"),
    GoafVoid: ("void_m3",),
    MainFan: ("surge_m3_s", "reference_ns2_m8"),
    FanCurvePoint: ("quantity_m3_s", "pressure_pa"),
    LocalFan: ("rated_m3_s",),
    LoopRoad: ("resistance_ns2_m8",),
}


def references(site: Site) -> Iterator[tuple[Any, str, str]]:
    """Every (thing, its field, what the field must name) of these sections."""
    for section in SECTIONS:
        for thing in getattr(site, section):
            for field in fields(thing):
                if getattr(thing, field.name) is None:
                    continue
                if field.name == "area_id":
                    yield thing, field.name, "area"
                elif field.name in _EDGES:
                    yield thing, field.name, "edge"


def check_air(site: Site, complain: Complain) -> None:
    """What must hold inside these sections."""
    for section in SECTIONS:
        for thing in getattr(site, section):
            for name in _ABOVE_0.get(type(thing), ()):
                value = getattr(thing, name)
                if value is not None and value <= 0:
                    complain(thing, f"expected {name} above 0 in {section}, got {value}; mend it or leave it out")
    fans = {fan.fan_id for fan in site.main_fans}
    of_fans: tuple[FanCurvePoint | AirLoop, ...] = (*site.fan_curve, *site.air_loops)
    for of_fan in of_fans:
        if of_fan.fan_id not in fans:
            complain(of_fan, f"expected fan_id to name a main fan, got '{of_fan.fan_id}'; declare or mend it")
    loops = {loop.loop_id for loop in site.air_loops}
    for road in site.loop_roads:
        if road.loop_id not in loops:
            complain(road, f"expected loop_id to name a declared loop, got '{road.loop_id}'; declare or mend it")
    for injection in site.inert_injections:
        for name in ("from_at", "to_at"):
            told = getattr(injection, name)
            if told is not None and not _is_instant(told):
                wanted = 'an instant with its offset such as "2026-03-01T08:00+08:00"'
                complain(injection, f"expected {name} as {wanted}, got '{told}'; mend it")


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000
