"""A mine with tremors, supports, wells, a slope, a tailings pond and machines, as literal rows of its slow feeds."""

from __future__ import annotations

import math
from typing import Any

from literal_mine import MINE_CODE, Row, at

from minefusion.schemas.site import (
    AquiferCell,
    ControlDepth,
    CuttingsNorm,
    Machine,
    Pump,
    RockFactor,
    SeismicZone,
    Site,
    SourceWater,
    Sump,
    SupportFace,
    TailingsDam,
    WaterWell,
)


def site(**sections: Any) -> Site:
    """A site file of the test mine with nothing but these sections."""
    return Site(
        mine_code=MINE_CODE, name_zh="试验矿", name_en="Test mine", severe_hazard=True, areas=(), nodes=(), edges=(),
        **sections,
    )  # fmt: skip


def value(point_id: str, quantity: str, hour: float, amount: float, area_id: str = "F1", **more: Any) -> Row:
    """One value of a feed, so many hours after T0."""
    when = {"observed_at": at(60 * hour), "value": float(amount)}
    return {"point_id": point_id, "quantity": quantity, "area_id": area_id} | when | more


def record(kind: str, quantity: str, hour: float, amount: float, record_id: str, **more: Any) -> Row:
    """One measurement by hand."""
    when = {"measured_at": at(60 * hour), "value": float(amount)}
    return {"record_id": record_id, "kind": kind, "quantity": quantity, "area_id": "F1"} | when | more


def tremor(number: int, hour: float, energy_j: float, **more: Any) -> Row:
    when = {"observed_at": at(60 * hour), "energy_j": energy_j, "event_kind": "microseismic", "area_id": "F1"}
    return {"event_id": f"E{number}"} | when | more


def a_month() -> dict[str, list[Row]]:
    """Rows of every feed that change from hour to hour without chance, so that both engines see the same."""
    seismic = [
        tremor(n, -480 + 1.2 * n, 10 ** (2 + (n * 7 % 31) / 10), moment_nm=10 ** (9.5 + (n * 5 % 23) / 10))
        for n in range(400)
    ]
    pressure = [value("Z1", "borehole_stress", hour, 10 + 0.05 * hour) for hour in range(-30, 2)]
    pressure += [value("L1", "roof_separation", hour, 40 + 0.3 * hour) for hour in range(-30, 2)]
    for leg in range(4):
        for minute in range(-60 * 60, 120, 3):
            phase = (minute + 7 * leg) % 60
            loaded = 25 + 12 * (1 - math.exp(-phase / 15)) if phase < 54 else 1.0
            pressure.append(value(f"S{leg}", "support_resistance", minute / 60, round(loaded, 2)))
    water, slope, tailings = [], [], []
    for hour in range(-24 * 16, 2):
        wave = math.sin(hour / 5)
        water += [
            value("Q1", "water_inflow", hour, 100 + 3 * wave + (80 if hour >= -3 else 0)),
            value("P1", "equipment_on", hour, hour % 2),
            value("W1", "water_level", hour, 868 - (0.1 * (hour + 8) if hour > -8 else 0)),
            value("W2", "water_level", hour, 870 - (0.1 * (hour + 8) if hour > -8 else 0)),
            value("R1", "rainfall", hour, 3 if hour > -20 else (1 if hour % 37 == 0 else 0)),
        ]
        for axis, share in (("x", 0.7), ("y", 0.4), ("z", -0.5)):
            moved = 480 * math.log(400 / (40 - hour)) / 24 * share
            slope.append(value("G1", f"surface_disp_{axis}", hour, round(moved + 0.2 * math.sin(7.3 * hour), 2)))
        tailings += [
            value("T1", "phreatic_line", hour, 4.3 + 0.01 * wave, "POND"),
            value("K1", "reservoir_level", hour, 98.2 + 0.001 * hour, "POND"),
            value("B1", "dry_beach_length", hour, 65, "POND"),
            value("R2", "rainfall", hour, 2.5 if hour > -24 else 0, "POND"),
            value("M1", "surface_disp_x", hour, 20 + 0.01 * hour + 0.2 * math.sin(5.1 * hour), "POND"),
        ]
    equipment = []
    for minute in range(-60 * 50, 120, 10):
        machine = {"equipment_id": "SB1"}
        hour = minute / 60
        equipment += [
            value("P0", "equipment_on", hour, 0 if -2000 < minute < -1900 else 1, **machine),
            value("P1", "vibration_velocity", hour, 2 if minute < 0 else 6, part="DE", **machine),
            value("P2", "vibration_kurtosis", hour, 4.5, part="DE", **machine),
            value("P3", "bearing_temperature", hour, 50 + max(0, minute) / 10, part="DE", **machine),
            value("P4", "bearing_temperature", hour, 50, part="NDE", **machine),
            *(value(f"I{n}", "current", hour, 60 + 4 * n, part=phase, **machine) for n, phase in enumerate("ABC")),
        ]
    ions = {"na_k": 30.0, "ca": 80.0, "mg": 20.0, "cl": 25.0, "so4": 60.0, "hco3": 260.0, "tds": 480.0}
    records = [
        record("drill_cuttings", "cuttings_mass", -2, 4.2, "C1", depth_m=5.0),
        record("face_advance", "advance", -1, 4.0, "A1"),
        record("seismic_network", "uptime", -1, 90.0, "U1"),
        record("blast", "explosive_mass", -481, 20.0, "B1"),
        record("insar", "insar_rate", -100, -14.0, "I1", area_id="POND", place="坝顶"),
        record("machine_repair", "repair_time", -40, 7.2, "M1", sample_id="SB1"),
        record("production", "output", -5, 8000.0, "O1"),
        record("production", "output_intelligent", -5, 6000.0, "O1"),
        record("phreatic_check", "phreatic_line", -200, 4.3, "H1", sample_id="T1"),
        *(record("water_chemistry", name, -60, amount, "S1", place="下巷") for name, amount in ions.items()),
        *(record("water_chemistry", name, -30, 3 * amount, "S2", place="下巷") for name, amount in ions.items()),
    ]
    return {
        "seismic": seismic, "pressure": pressure, "water": water, "slope": slope, "tailings": tailings,
        "equipment": equipment, "records": records,
    }  # fmt: skip


WHOLE_SITE = site(
    seismic_zones=(SeismicZone("F1", area_m2=40_000.0),),
    support_faces=(SupportFace("F1", 25.0, 40.0),),
    cuttings_norms=(CuttingsNorm("F1", 2.0, 3.0),),
    rock_factors=(RockFactor("F1", "geological", "埋深", 2.0), RockFactor("F1", "mining", "煤柱", None)),
    aquifer_cells=(
        AquiferCell("c1", "F1", 860.0, 700.0, 25.0, well="W1", tensile_mpa=1.4, road_width_m=5.0),
        AquiferCell("c2", "F1", 860.0, 700.0, 60.0, is_disturbed=True),
    ),
    water_wells=(WaterWell("W1", "O2", 0.4), WaterWell("W2", "O2")),
    sumps=(Sump("SC1", "F1", 400.0),),
    pumps=(Pump("P1", "SC1", 190.0), Pump("P2", "SC1", 190.0, is_standby=True)),
    source_waters=tuple(
        SourceWater(f"{name}{n}", name, 30 * times, 80 * times, 20 * times, 25 * times, 60 * times, 260 * times,
                    (480 + n) * times, 12.0 + times)
        for name, times in (("灰岩水", 1.0), ("老空水", 3.0)) for n in range(3)
    ),
    tailings_dams=(TailingsDam("D1", "POND", "upstream", 3, 65.0, 100.0, 2.0, 98.0, 98.5, 99.0, 50.0),),
    control_depths=(ControlDepth("T1", 4.0),),
    machines=(Machine("SB1", "group1_rigid", "rolling", 70.0, 18.0, 1480.0, 16, 32.0, 190.0),),
)  # fmt: skip
