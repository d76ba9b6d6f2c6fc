"""What a site file may say of rock, water, slopes, tailings ponds and machines, which no exchange file carries.

Every part is optional; an index that needs one that is missing says so. Lengths in m, pressures in MPa, levels are
elevations in m.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from minefusion.schemas.site import Site

DamKind = Literal["upstream", "downstream", "centreline"]
VibrationGroup = Literal[
    "group1_rigid", "group1_flexible", "group2_rigid", "group2_flexible", "class1", "class2", "class3", "class4",
]  # fmt: skip


# ── rock ──
@dataclass(frozen=True)
class SupportFace:
    """Supports of a face: pressure at which a leg should be set, and at which its yield valve opens."""

    area_id: str
    rated_set_mpa: float
    yield_mpa: float


@dataclass(frozen=True)
class SeismicZone:
    """Facts of an area, or with a null area of the mine, for its microseismic events; null: the usual value.

    `b_reference` is the b-value of quiet times; an event is large from `large_magnitude` on, and its chance is told
    for `ahead_days`.
    """

    area_id: str | None = None
    area_m2: float | None = None
    shear_modulus_pa: float | None = None
    b_reference: float | None = None
    large_magnitude: float | None = None
    ahead_days: float | None = None


@dataclass(frozen=True)
class CuttingsNorm:
    """Cuttings of a hole in unstressed coal [kg/m] and the mining height of an area."""

    area_id: str
    normal_kg_m: float
    height_m: float


@dataclass(frozen=True)
class RockFactor:
    """A factor of the composite index of rockburst danger, scored 0 to `most`; a null score is not known."""

    area_id: str
    kind: Literal["geological", "mining"]
    name: str
    score: float | None
    most: float = 3.0


# ── water ──
@dataclass(frozen=True)
class AquiferCell:
    """A cell of the grid over a confined aquifer under the workings: head, floor of the workings, aquiclude between.

    `thickness_m` 0 or less: a fault or collapse column joins aquifer and workings. `failure_depth_m`: depth of the
    floor that mining breaks, taken off the thickness where stated. `well`: point whose level replaces the head.
    `tensile_mpa` and `road_width_m` are for the safe head under a roadway.
    """

    cell_id: str
    area_id: str
    head_m: float
    floor_m: float
    thickness_m: float
    is_disturbed: bool = False
    failure_depth_m: float | None = None
    tensile_mpa: float | None = None
    road_width_m: float | None = None
    density_t_m3: float = 2.5
    well: str | None = None


@dataclass(frozen=True)
class WaterWell:
    """An observation well, the aquifer it stands in, and the share of a change of air pressure that it shows."""

    point_code: str
    aquifer: str
    barometric_efficiency: float = 0.0


@dataclass(frozen=True)
class Sump:
    """A sump with its surface and the point of its level."""

    sump_id: str
    area_id: str
    surface_m2: float
    level_point: str | None = None


@dataclass(frozen=True)
class Pump:
    """A drainage pump at a sump; `point_code` tells whether it runs."""

    point_code: str
    sump_id: str
    capacity_m3_h: float
    is_standby: bool = False


@dataclass(frozen=True)
class SourceWater:
    """A sample of water whose source is known; ions and dissolved solids in mg/L, temperature in ℃."""

    sample_id: str
    source: str
    na_k: float
    ca: float
    mg: float
    cl: float
    so4: float
    hco3: float
    tds: float
    water_temperature: float


# ── slopes and tailings ponds ──
@dataclass(frozen=True)
class SlopePoint:
    """What is known of a displacement point: velocity of its constant stage, noise of one measurement."""

    point_code: str
    constant_mm_d: float | None = None
    noise_mm: float | None = None


@dataclass(frozen=True)
class TailingsDam:
    """A tailings dam with the design's levels; grade 1 to 5, beach slope in %.

    `bank_red_mm`: displacement of the pond's banks at which its design puts red.
    """

    dam_id: str
    area_id: str
    kind: DamKind
    grade: int
    height_m: float
    crest_m: float
    beach_slope_pct: float
    operating_level_m: float | None = None
    flood_control_level_m: float | None = None
    design_flood_level_m: float | None = None
    bank_red_mm: float | None = None


@dataclass(frozen=True)
class ControlDepth:
    """Design depth of the phreatic line at a piezometer; without one the least depth for the dam's height holds."""

    point_code: str
    depth_m: float


# ── machines ──
@dataclass(frozen=True)
class Machine:
    """What its vibration, temperature and current are judged by; null: not known.

    Attributes:
        vibration_group: group and support of ISO 20816-3, or class of ISO 10816-1.
        balls, ball_mm, pitch_mm, contact_deg: of its rolling bearing, for the frequencies of its faults.
    """

    equipment_id: str
    vibration_group: VibrationGroup | None = None
    bearing: Literal["sliding", "rolling"] | None = None
    rated_current_a: float | None = None
    idle_current_a: float | None = None
    rated_speed_r_min: float | None = None
    balls: int | None = None
    ball_mm: float | None = None
    pitch_mm: float | None = None
    contact_deg: float = 0.0


Complain = Callable[[Any, str], None]
# Section of the site file → what names one of it.
NAMED_BY = {
    "aquifer_cells": "cell_id", "water_wells": "point_code", "sumps": "sump_id", "pumps": "point_code",
    "source_waters": "sample_id", "slope_points": "point_code", "tailings_dams": "dam_id",
    "control_depths": "point_code", "machines": "equipment_id", "support_faces": "area_id", "cuttings_norms": "area_id",
}  # fmt: skip
_ABOVE_0 = {
    SupportFace: ("rated_set_mpa", "yield_mpa"),
    SeismicZone: ("area_m2", "shear_modulus_pa", "b_reference", "ahead_days"),
    CuttingsNorm: ("normal_kg_m", "height_m"),
    RockFactor: ("most",),
    AquiferCell: ("tensile_mpa", "road_width_m", "density_t_m3"),
    Sump: ("surface_m2",),
    Pump: ("capacity_m3_h",),
    SlopePoint: ("constant_mm_d", "noise_mm"),
    TailingsDam: ("height_m", "beach_slope_pct", "bank_red_mm"),
    ControlDepth: ("depth_m",),
    Machine: ("rated_current_a", "idle_current_a", "rated_speed_r_min", "balls", "ball_mm", "pitch_mm"),
}
SECTIONS = (*NAMED_BY, "seismic_zones", "rock_factors")


def in_areas(site: Site) -> Iterator[Any]:
    """Everything of these sections that names an area."""
    for section in SECTIONS:
        for thing in getattr(site, section):
            if any(field.name == "area_id" for field in fields(thing)) and thing.area_id is not None:
                yield thing


def check_hazards(site: Site, complain: Complain) -> None:
    """What must hold inside these sections."""
    for section in SECTIONS:
        for thing in getattr(site, section):
            for name in _ABOVE_0.get(type(thing), ()):
                value = getattr(thing, name)
                if value is not None and value <= 0:
                    complain(thing, f"expected {name} above 0 in {section}, got {value}; mend it or leave it out")
    sumps = {sump.sump_id for sump in site.sumps}
    for pump in site.pumps:
        if pump.sump_id not in sumps:
            complain(pump, f"expected sump_id to name a declared sump, got '{pump.sump_id}'; declare or mend it")
    for dam in site.tailings_dams:
        if not 1 <= dam.grade <= 5:
            complain(dam, f"expected a grade of 1 to 5 in dam {dam.dam_id}, got {dam.grade}; mend it")
    for factor in site.rock_factors:
        if factor.score is not None and not 0 <= factor.score <= factor.most:
            problem = f"expected a score of 0 to {factor.most} for {factor.name}, got {factor.score}; mend it"
            complain(factor, f"{problem} or write null")
