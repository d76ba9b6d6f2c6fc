"""What the mine's site file states of the feeds that it has: designs, ratings and references that no feed carries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from minefusion.pipelines.simulate import field_work, supports, tailings, water
from minefusion.pipelines.simulate.feeds import Devices
from minefusion.pipelines.simulate.layout import SURFACE_Z, Layout
from minefusion.pipelines.simulate.machines import FAN_VOLTAGE_V, POWER_FACTOR
from minefusion.pipelines.simulate.scenario import Scenario
from minefusion.pipelines.simulate.seismic import B
from minefusion.schemas.site import GradedRisk, Site, SiteLevel
from minefusion.schemas.site_air import (
    AirRoad,
    DieselBackground,
    FanCurvePoint,
    GoafVoid,
    HeatWork,
    LocalFan,
    MainFan,
    OutburstPlace,
    RoofEmission,
    SealedFire,
)
from minefusion.schemas.site_escape import Exit
from minefusion.schemas.site_hazards import (
    AquiferCell,
    ControlDepth,
    CuttingsNorm,
    Machine,
    Pump,
    RockFactor,
    SeismicZone,
    SlopePoint,
    Sump,
    SupportFace,
    TailingsDam,
    WaterWell,
)

# Scores of the composite index of rockburst danger: name, score, kind.
ROCK_FACTORS: tuple[tuple[str, float, Literal["geological", "mining"]], ...] = (
    ("同一水平冲击地压发生次数", 1.0, "geological"),
    ("开采深度", 2.0, "geological"),
    ("上覆坚硬厚层岩层距离", 2.0, "geological"),
    ("构造应力集中程度", 1.0, "geological"),
    ("顶板岩层厚度特征", 2.0, "geological"),
    ("煤的单轴抗压强度", 1.0, "geological"),
    ("煤的弹性能指数", 2.0, "geological"),
    ("保护层卸压程度", 2.0, "mining"),
    ("工作面距上保护层遗留煤柱", 1.0, "mining"),
    ("工作面与采空区关系", 2.0, "mining"),
    ("工作面长度", 1.0, "mining"),
    ("区段煤柱宽度", 2.0, "mining"),
    ("留底煤厚度", 1.0, "mining"),
)
CURVE_POINTS = 9
HEAD_OVER_FLOOR_M = 70.0
FAN_ID = "FJ01"
ROOF_GAS_M3_S = 0.002


def with_facts(layout: Layout, scenario: Scenario, devices: Devices, seed_waters: np.random.Generator) -> Site:
    """The site with the sections that its feeds and sensors ask for."""
    site, feeds = layout.site, scenario.feeds
    parts: dict[str, Any] = _escape(layout) | _usual_air(layout) | {"graded_risks": _graded_risks(layout)}
    if "ground_pressure" in feeds or "records" in feeds:
        parts |= _roof(layout)
    if "seismic" in feeds:
        parts["seismic_zones"] = (SeismicZone(b_reference=B, large_magnitude=2.0, ahead_days=1.0),)
        factors = [
            RockFactor(face.area_id, kind, name, score) for face in layout.faces for name, score, kind in ROCK_FACTORS
        ]
        parts["rock_factors"] = tuple(factors)
    if "hydrology" in feeds:
        parts |= _water(layout, scenario, seed_waters)
    if "slope" in feeds:
        codes = dict.fromkeys(s.channel.device.code for s in devices.shown if s.channel.kind == "gnssrealtime")
        parts["slope_points"] = tuple(SlopePoint(code, constant_mm_d=0.3, noise_mm=3.0) for code in codes)
    if "tailings" in feeds:
        parts |= _pond(site, devices)
    if "equipment" in feeds:
        parts["machines"] = _machines(layout)
    parts |= _air(layout, scenario)
    own = tuple(parts.pop("levels", ()))
    return replace(site, levels=(*site.levels, *own), **parts)


def _graded_risks(layout: Layout) -> tuple[GradedRisk, ...]:
    """What the mine graded by hand: gas of faces (LEC 126, yellow), roofs of headings (LEC 42, blue), electricity of
    chambers (matrix 6, blue)."""
    risks = [
        GradedRisk(
            f"FX-{number:02d}G", face.area_id, "瓦斯积聚", "gas gathers", likelihood=3.0, exposure=6.0, consequence=7.0
        )
        for number, face in enumerate(layout.faces, start=1)
    ]
    risks += [
        GradedRisk(
            f"FX-{number:02d}R", heading.area_id, "冒顶", "roof fall", likelihood=1.0, exposure=6.0, consequence=7.0
        )
        for number, heading in enumerate(layout.headings, start=1)
    ]
    risks += [
        GradedRisk(f"FX-{number:02d}E", layout.edges[chamber].area_id, "触电", "electric shock", likelihood=2.0,
                   consequence=3.0)
        for number, chamber in enumerate(layout.index("chamber"), start=1)
    ]  # fmt: skip
    return tuple(risks)


def _escape(layout: Layout) -> dict[str, Any]:
    """The man shaft is the way out; the upcast shaft has ladders."""
    bottom = layout.edges[layout.index("man_shaft")[0]].to_node
    fan = layout.edges[layout.main_fan].from_node
    return {"exits": (Exit(bottom, "副立井井底", "Man-shaft bottom"), Exit(fan, "回风立井井底", "Upcast-shaft bottom"))}


def _usual_air(layout: Layout) -> dict[str, Any]:
    """The main fan, and the gas that comes out of the roof of the headings' roads."""
    edge = layout.edges[layout.main_fan]
    through = float(layout.design_flow[layout.main_fan])
    usual = float(layout.fans.pressure(layout.design_flow)[layout.main_fan])
    fan = MainFan(FAN_ID, edge.area_id, edge.edge_id, surge_m3_s=round(0.62 * through, 1),
                  reference_ns2_m8=round(usual / through**2, 5))  # fmt: skip
    roofs = [RoofEmission(layout.edges[heading.road].edge_id, ROOF_GAS_M3_S, 4.2) for heading in layout.headings]
    return {"main_fans": (fan,), "roof_emissions": tuple(roofs)}


def _roof(layout: Layout) -> dict[str, Any]:
    measured = "矿井实测"
    gates = [area for face in layout.faces for area in dict.fromkeys((face.intake_area, face.return_area))]
    return {
        "support_faces": tuple(
            SupportFace(face.area_id, supports.RATED_SET_MPA, supports.YIELD_MPA) for face in layout.faces
        ),
        "cuttings_norms": tuple(
            CuttingsNorm(area_id, field_work.NORMAL_KG_M, field_work.HEIGHT_M) for area_id in gates
        ),
        "levels": (
            SiteLevel("R-06", measured, "stress", yellow=9.0, red=12.0),
            SiteLevel("R-08", measured, "cumulative", red=60.0),
        ),
    }


def _water(layout: Layout, scenario: Scenario, rng: np.random.Generator) -> dict[str, Any]:
    mine = layout.site.mine_code
    room = layout.edges[layout.index("chamber")[-1]].area_id
    wells = [f"{mine}MN0502{number + 1:06d}" for number in range(len(water.HOLES))]
    # The usual aquiclude, and where water breaks in: a fault that has thinned it, and a road that crosses the fault.
    aquicludes = [(58.0, False), (46.0, False)]
    if any("inrush" in wish.effects for wish in scenario.events):
        aquicludes += [(14.0, True), (2.2, True)]
    floor = min(min(node.z for node in layout.site.nodes) - 2.0, water.HOLES[0][1] - HEAD_OVER_FLOOR_M)
    cells = [
        AquiferCell(
            f"{face.number}-{part}", face.area_id, head_m=water.HOLES[0][1], floor_m=round(floor, 1),
            thickness_m=thickness, is_disturbed=is_disturbed, tensile_mpa=1.4, road_width_m=5.2, well=wells[number % 2],
        )
        for number, face in enumerate(layout.faces)
        for part, (thickness, is_disturbed) in enumerate(aquicludes, start=1)
    ]  # fmt: skip
    return {
        "water_wells": tuple(
            WaterWell(code, stratum, 0.4) for code, (stratum, _, _) in zip(wells, water.HOLES, strict=True)
        ),
        "sumps": (Sump("SC01", room, water.SUMP_AREA_M2),),
        "pumps": tuple(
            Pump(f"{mine}PSL{number + 1:06d}", "SC01", water.PUMP_M3_H, is_standby=number >= 2)
            for number in range(water.PUMPS)
        ),
        "aquifer_cells": tuple(cells),
        "source_waters": field_work.known_waters(rng),
    }


def _pond(site: Site, devices: Devices) -> dict[str, Any]:
    area_id = next(area.area_id for area in site.areas if area.name_zh == tailings.AREA_ZH)
    tubes = dict.fromkeys(s.channel.device.code for s in devices.shown if s.channel.kind == "QRXSS")
    dam = TailingsDam(
        "WK01", area_id, "upstream", 3, tailings.DAM_HEIGHT_M, tailings.CREST_M, 100 * tailings.BEACH_SLOPE,
        operating_level_m=tailings.CREST_M - 2.0, flood_control_level_m=tailings.CREST_M - 1.5,
        design_flood_level_m=tailings.CREST_M - 1.0, bank_red_mm=50.0,
    )  # fmt: skip
    return {
        "tailings_dams": (dam,),
        "control_depths": tuple(ControlDepth(code, tailings.CONTROL_DEPTH_M) for code in tubes),
    }


def _machines(layout: Layout) -> tuple[Machine, ...]:
    flow = float(layout.design_flow[layout.main_fan])
    pressure = float(layout.fans.pressure(layout.design_flow)[layout.main_fan])
    watt = flow * pressure / 0.74 / 0.94
    rated = round(1.25 * watt / (3**0.5 * FAN_VOLTAGE_V * POWER_FACTOR), 1)
    pumps = tuple(
        Machine(f"SB{number:02d}", "group1_rigid", "rolling", rated_current_a=70.0, idle_current_a=18.0,
                rated_speed_r_min=1480.0)
        for number in (1, 2)
    )  # fmt: skip
    fan = Machine(FAN_ID, "group1_rigid", "rolling", rated_current_a=rated, idle_current_a=round(0.2 * rated, 1),
                  rated_speed_r_min=740.0, balls=16, ball_mm=32.0, pitch_mm=190.0)  # fmt: skip
    return (fan, *pumps)


def _air(layout: Layout, scenario: Scenario) -> dict[str, Any]:
    edges, sensors, feeds = layout.edges, scenario.sensors, scenario.feeds
    parts: dict[str, Any] = {}
    if "barometers" in sensors or "equipment" in feeds:
        through = float(layout.design_flow[layout.main_fan])
        a, b, c = (float(getattr(layout.fans, name)[layout.main_fan]) for name in "abc")
        points = np.linspace(0.5, 1.2, CURVE_POINTS) * through
        parts["fan_curve"] = tuple(
            FanCurvePoint(FAN_ID, round(float(q), 2), round(float(a + b * q + c * q**2), 1)) for q in points
        )
    if "barometers" in sensors:
        parts["goaf_voids"] = tuple(GoafVoid(face.area_id, 1.2e5, 30.0) for face in layout.faces)
        roads = [AirRoad(edges[edge].edge_id, "intake") for edge in layout.index("district_intake")]
        roads += [AirRoad(edges[face.gate[-1]].edge_id, "use") for face in layout.faces]
        roads += [AirRoad(edges[heading.away].edge_id, "use") for heading in layout.headings]
        parts["air_roads"] = tuple(roads)
    if "local_fans" in sensors:
        parts["local_fans"] = tuple(
            LocalFan(f"JF{heading.number}", heading.area_id, edges[heading.link].edge_id, edges[heading.supply].edge_id,
                     edges[heading.road].edge_id, round(heading.fan_m3_s, 2))
            for heading in layout.headings
        )  # fmt: skip
    if "climate" in sensors:
        parts["heat_works"] = tuple(
            HeatWork(area_id, "III", 75)
            for area_id in (*(f.area_id for f in layout.faces), *(h.area_id for h in layout.headings))
        )
    if "fire_gases" in sensors:
        parts["diesel_backgrounds"] = tuple(DieselBackground(face.area_id, 0.5) for face in layout.faces)
    if any("sealed_fire" in wish.effects for wish in scenario.events):
        goafs = [edges[face.goaf].area_id for face in layout.faces if face.goaf is not None]
        parts["sealed_fires"] = tuple(SealedFire(area_id, normal_air_c=24.0, normal_water_c=16.0) for area_id in goafs)
    if "records" in feeds:
        depth = round(SURFACE_Z - min(node.z for node in layout.site.nodes))
        parts["outburst_places"] = tuple(
            OutburstPlace(heading.area_id, depth_m=float(depth), firmness=0.7, seam_pressure_mpa=0.35,
                          gas_content_m3_t=3.6, diffusion_mmhg=5.0, desorbable_m3_t=2.6)
            for heading in layout.headings
        )  # fmt: skip
    return parts
