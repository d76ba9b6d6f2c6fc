"""Gas, fire, ventilation, toxic gas and heat say the same on Spark as in one process, fast indices and slow ones."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pytest
from literal_mine import MINE_CODE, T0, Row, area, at, make_history, make_inputs, point, series

from minefusion.pipelines.hazard.catalogue import CATALOGUE, TRENDS
from minefusion.schemas.site import Site
from minefusion.schemas.site_air import (
    AirLoop,
    AirRoad,
    DieselBackground,
    FanCurvePoint,
    GoafVoid,
    HeatWork,
    InertInjection,
    LocalFan,
    LoopRoad,
    MainFan,
    OutburstPlace,
    RoofEmission,
    SealedFire,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from minefusion.pipelines.engines.engine import Engine
    from minefusion.pipelines.engines.light import LightEngine
    from minefusion.schemas.settings import Settings

SUBJECTS = ("G-", "F-", "V-", "T-", "H-")
# Those have their own test on Spark.
ELSEWHERE = ("G-01", "G-02", "G-07", "F-09", "F-10", "V-01", "V-02", "V-08", "T-01", "T-04")

SITE = Site(
    mine_code=MINE_CODE, name_zh="试验矿", name_en="Test", severe_hazard=True, areas=(), nodes=(), edges=(),
    roof_emissions=(RoofEmission("out", 0.004, 4.0),),
    outburst_places=(OutburstPlace("F1", depth_m=600.0, firmness=0.5, seam_pressure_mpa=0.9, desorbable_m3_t=5.0),),
    goaf_voids=(GoafVoid("F1", 100_000.0, 20.0),),
    inert_injections=(InertInjection("GOAF", "n2", "2026-03-01T16:30+08:00"),),
    diesel_backgrounds=(DieselBackground("F1", 2.0),),
    sealed_fires=(SealedFire("GOAF"),),
    main_fans=(MainFan("M1", "OUT", "drift", return_edge="out", surge_m3_s=20.0, reference_ns2_m8=1.7),),
    fan_curve=(FanCurvePoint("M1", 10.0, 2500.0), FanCurvePoint("M1", 60.0, 1500.0)),
    air_roads=(AirRoad("in", "intake"), AirRoad("face", "use")),
    local_fans=(LocalFan("L1", "F1", "in", "face", "out", 6.0),),
    air_loops=(AirLoop("L1", "M1"),),
    loop_roads=(LoopRoad("L1", "in", 0.5), LoopRoad("L1", "out", 0.5)),
    heat_works=(HeatWork("F1", "IV"),),
)  # fmt: skip
EDGES = [
    {"edge_id": name, "area_id": place, "from_node": f"n{n}", "to_node": f"n{n + 1}", "length_m": 300.0,
     "section_m2": 10.0, "air_class": "MAIN_AIRWAY"}
    for n, (name, place) in enumerate((("in", "IN"), ("face", "F1"), ("out", "OUT"), ("drift", "OUT")))
]  # fmt: skip
AREAS = [
    area("IN", "intake_airway"), area("F1"), area("OUT", "return_airway"), area("GOAF", "goaf"), area("TOP", "surface"),
]  # fmt: skip
PATHS = [{"area_id": "F1", "intake_edge": "in", "return_edge": "out", "output_t_per_day": 6000.0, "air_factor": 1.4}]
# Point → quantity, area, roadway, middle and swing of its values.
SENSORS = {
    "G-out": ("ch4", "OUT", "out", 0.8, 0.3), "G-in": ("ch4", "IN", "in", 0.1, 0.05),
    "G-face": ("ch4", "F1", "face", 0.4, 0.2), "G-goaf": ("ch4", "GOAF", None, 6.0, 3.0),
    "O-out": ("o2", "OUT", "out", 20.1, 0.4), "O-goaf": ("o2", "GOAF", None, 14.0, 4.0),
    "C-out": ("co", "OUT", "out", 25.0, 12.0), "C-goaf": ("co", "GOAF", None, 90.0, 60.0),
    "D-out": ("co2", "OUT", "out", 0.4, 0.2), "D-goaf": ("co2", "GOAF", None, 3.0, 1.0),
    "H-out": ("h2", "OUT", "out", 0.001, 0.001), "E-out": ("c2h4", "OUT", "out", 0.8, 0.7),
    "N-out": ("no2", "OUT", "out", 1.0, 0.9), "S-out": ("h2s", "OUT", "out", 3.0, 3.0),
    "T-face": ("temperature", "F1", "face", 28.0, 4.0), "W-face": ("humidity", "F1", "face", 85.0, 10.0),
    "V-in": ("air_velocity", "IN", "in", 3.0, 0.3), "V-face": ("air_velocity", "F1", "face", 2.8, 0.5),
    "V-out": ("air_velocity", "OUT", "out", 3.1, 0.3), "V-drift": ("air_velocity", "OUT", "drift", 3.4, 0.3),
    "P-drift": ("negative_pressure", "OUT", "drift", -2.1, 0.2), "B-top": ("pressure", "TOP", None, 100.0, 0.4),
}  # fmt: skip
POINTS = [
    point(name, quantity, place, edge_id=edge, gas_class="LW_RETURN_T2", period_s=60.0)
    for name, (quantity, place, edge, _, _) in SENSORS.items()
] + [point("fan", "main_fan", "OUT", value_kind="KG", period_s=60.0)]


def wave(name: str, n: float) -> float:
    """A value that swings through its levels, another way for each point."""
    _, _, _, middle, swing = SENSORS[name]
    return round(middle + swing * math.sin(n / (5 + len(name)) + len(name) * ord(name[0])), 4)


def records() -> list[Row]:
    sample = {"ch4": 12.0, "co": 0.05, "o2": 12.0, "co2": 4.0, "c2h4": 0.0003, "c2h2": 0.0}
    rows = [
        {"record_id": f"s{n}", "kind": "gas_sample", "quantity": gas, "measured_at": at(minute), "value": amount,
         "unit": "%", "area_id": "GOAF", "place": "tube"}
        for n, minute in enumerate((-600, 3.5))
        for gas, amount in sample.items()
    ]  # fmt: skip
    rows += [
        {"record_id": "h1", "kind": "drill_cuttings", "quantity": name, "measured_at": at(-100), "value": value,
         "area_id": "F1"}
        for name, value in (("desorption_k1", 0.41), ("cuttings_volume", 4.0), ("hole_gas_flow", 4.5))
    ]  # fmt: skip
    shot = {"kind": "blast", "quantity": "broken_coal", "value": 60.0, "area_id": "F1"}
    return [*rows, shot | {"record_id": "b1", "measured_at": at(10)}, shot | {"record_id": "b2", "measured_at": at(30)}]


def fast(engine: Engine) -> nw.LazyFrame:
    readings = [
        row for name in SENSORS for row in series(name, [wave(name, n) for n in range(45)], start=-35, every_s=60.0)
    ]
    readings += series("fan", [1.0] * 40 + [0.0] * 5, start=-35, every_s=60.0)
    inputs = make_inputs(
        engine, points=POINTS, readings=readings, minutes=(0, 10), areas=AREAS, edges=EDGES, air_paths=PATHS,
        feeds={"records": records()}, site=SITE,
    )  # fmt: skip
    wanted = [function for declared, function in CATALOGUE if _is_here(declared.id)]
    return nw.concat([function(inputs) for function in wanted], how="vertical")


def slow(engine: Engine) -> nw.LazyFrame:
    """Two hours, with every half hour of the 30 before them and each five minutes of their own."""
    minutes = [*range(-1800, 0, 30), *range(0, 120, 5)]
    five = [
        {"point_id": name, "quantity": quantity, "area_id": place, "window_start": at(minute),
         "value_mean": wave(name, minute / 30), "value_max": wave(name, minute / 30) + 0.1, "value_min": 0.0}
        for name, (quantity, place, _, _, _) in SENSORS.items()
        for minute in minutes
    ]  # fmt: skip
    emission = [
        {"index_id": "G-07", "area_id": "F1", "entity": "F1", "window_start": T0 + timedelta(hours=hour),
         "value": 8.0 + 4 * math.sin(hour)}
        for hour in range(-30, 2)
    ]  # fmt: skip
    history = make_history(
        engine, hours=(0, 2), five=five, points=POINTS, areas=AREAS, edges=EDGES, air_paths=PATHS, indices=emission,
        feeds={"records": records()}, site=SITE,
    )  # fmt: skip
    wanted = [function for declared, function in TRENDS if _is_here(declared.id)]
    return nw.concat([function(history) for function in wanted], how="vertical")


def _is_here(index_id: str) -> bool:
    return index_id.startswith(SUBJECTS) and index_id not in ELSEWHERE


def rows_on(engine: Engine, frame: nw.LazyFrame) -> dict[tuple, Row]:
    rows = engine.to_arrow(frame).to_pylist()
    found = {tuple(row[key] for key in ("index_id", "area_id", "entity", "window_start")): row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("cadence", [fast, slow])
def test_both_engines_say_the_same(cadence: Any, spark: SparkSession, light: LightEngine, settings: Settings):
    from minefusion.pipelines.engines.spark import SparkEngine

    engine = SparkEngine(settings)
    assert spark is engine.spark
    wanted, found = rows_on(light, cadence(light)), rows_on(engine, cadence(engine))
    assert found.keys() == wanted.keys()
    different = {key: (found[key], wanted[key]) for key in wanted if found[key] != wanted[key]}
    assert not different, next(iter(different.items()))
    levels = {key[0]: {row["level"] for row in wanted.values() if row["index_id"] == key[0]} for key in wanted}
    assert not [index_id for index_id, seen in levels.items() if seen == {None}]
    engine.release()
