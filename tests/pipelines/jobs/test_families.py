"""Every feed family in silver: the written file's values with quantity, unit, quality, place and their machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_mine import MINE, at, rows_of, same_but_for_arrival

from minefusion.pipelines.conform.abnormalities import cleared
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.exchange.write import write_file
from minefusion.pipelines.jobs.conform import conform
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas import silver
from minefusion.schemas.exchange.grammar import kinds
from minefusion.schemas.exchange.measures import measures
from minefusion.schemas.site import load_site
from minefusion.schemas.table import Table

Row = dict[str, Any]


def put(folder: Path, kind: str, minute: float, *rows: Row) -> None:
    """A file of `kind` sent at T0 + `minute`."""
    write_file(folder, kind, MINE, "示范煤矿", at(minute), list(rows))


def take(engine: LightEngine, landing: Path, **more: Any) -> int:
    ingest(engine.settings, landing, engine=engine)
    return sum(built.changed for built in conform(engine, **more))


def told(engine: LightEngine, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return list(rows_of(engine, table, *columns).iter_rows())


def code(letters: str, serial: int = 1) -> str:
    return f"{MINE}{letters}{serial:06d}"


# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# Kind, what it sends, and what silver has: quantity, value, unit. The values are those that a mine's programs send.
VALUES = [
    ("JSLCDSS", {"value": 2.4, "begin_time": at(-60), "end_time": at(0)}, [("rainfall", 2.4, "mm")]),
    ("DBSCDSS", {"water_level": 3.2, "flow": 15.6}, [("flow", 15.6, "m3/h"), ("water_level", 3.2, "m")]),
    (
        "CGKCDSS",
        {"water_level": 12.63, "water_temperature": 11.2},
        [("water_level", 12.63, "m"), ("water_temperature", 11.2, "℃")],
    ),
    ("YSLCDSS", {"value": 86.4}, [("water_inflow", 86.4, "m3/h")]),
    (
        "PSLCDSS",
        {"flow": 320.5, "total": 800},
        [("water_drained", 320.5, "m3/h"), ("water_drained_day_total", 800, "m3")],
    ),
    ("SBCDSS", {"pump_name": "1#水泵", "state": "1"}, [("equipment_on", 1, None)]),
    ("SFSCDSS", {"value": 1.58}, [("hole_water_yield", 1.58, "m3/h")]),
    (
        "DBCXCDSS",
        {"x": 1.171, "y": 1.971, "z": -1.5},
        [("subsidence", -1.5, "mm"), ("surface_disp_x", 1.171, "mm"), ("surface_disp_y", 1.971, "mm")],
    ),
    ("ZJSS", {"sensor_type_code": "1101", "value": 31.5}, [("support_resistance", 31.5, "MPa")]),
    ("ZKSS", {"sensor_type_code": "1201", "value": 7.85}, [("borehole_stress", 7.85, "MPa")]),
    ("ZKSS", {"sensor_type_code": "1202", "value": 9.1}, [("rock_stress", 9.1, "MPa")]),
    ("MGSS", {"sensor_type_code": "1302", "value": 118.4}, [("cable_load", 118.4, "kN")]),
    (
        "LCSS",
        {"sensor_type_code": "1401", "value_1": 3, "value_2": 8.5},
        [("roof_separation", 8.5, "mm"), ("roof_separation_shallow", 3, "mm")],
    ),
    ("WYSS", {"sensor_type_code": "1402", "value": 6.4}, [("roadway_convergence", 6.4, "mm")]),
    ("GTXSS", {"beach_length": 112.4, "constant_57_2": 57.2}, [("dry_beach_length", 112.4, "m")]),
    ("KSWSS", {"value": 462.35}, [("reservoir_level", 462.35, "m")]),
    ("JYLSS", {"value": 0.4}, [("rainfall", 0.4, "mm")]),
    ("QRXSS", {"value": 8.62, "status": 3}, [("phreatic_line", 8.62, "m")]),
    (
        "BWYSS",
        {"dx": 1.2, "dy": -0.8, "dz": -2.6},
        [("surface_disp_x", 1.2, "mm"), ("surface_disp_y", -0.8, "mm"), ("surface_disp_z", -2.6, "mm")],
    ),
]


@pytest.fixture(scope="module")
def every_family(tmp_path_factory: pytest.TempPathFactory) -> LightEngine:
    """A lake with one file of each value kind, no definitions."""
    from minefusion.schemas.settings import load_settings

    base = tmp_path_factory.mktemp("families")
    landing = base / "landing"
    landing.mkdir()
    for number, (kind, sent, _) in enumerate(VALUES):
        fields = kinds()[kind].layout().columns
        name = next(each for each in ("point_code", "device_code") if each in fields)
        put(landing, kind, number / 60, {name: code("MN", number), "data_time": at(0)} | sent)
    engine = LightEngine(load_settings(lake=base / "lake"))
    take(engine, landing)
    return engine


@pytest.mark.parametrize("number", range(len(VALUES)), ids=[f"{kind}-{n}" for n, (kind, *_) in enumerate(VALUES)])
def test_values_land_in_their_table_with_quantity_and_unit(every_family: LightEngine, number: int):
    kind, _, expected = VALUES[number]
    table = next(each.table for each in measures() if each.kind == kind)
    rows = rows_of(every_family, {t.name: t for t in vars(silver).values() if isinstance(t, Table)}[table])
    rows = rows.filter(pl.col("point_id") == code("MN", number))
    assert sorted(rows.select("quantity", "value", "unit").iter_rows()) == expected
    assert set(rows.select("quality", "quality_reasons", "observed_at", "area_id").iter_rows()) == {
        ("GOOD", "", at(0), "unplaced")
    }


def test_points_of_the_families_say_where_their_values_are(every_family: LightEngine):
    point = {row["point_id"]: row for row in rows_of(every_family, silver.POINT).to_dicts()}
    rain, stress = point[code("MN", 0)], point[code("MN", 10)]
    assert (rain["quantity"], rain["unit"], rain["feed"]) == ("rainfall", "mm", "silver.water_reading")
    assert (rain["is_defined"], rain["period_s"], rain["told_by"]) == (False, 300, "JSLCDSS")
    assert (stress["quantity"], stress["feed"]) == ("rock_stress", "silver.support_pressure")


def test_every_kind_of_values_is_tried():
    assert {each.kind for each in measures()} - {kind for kind, *_ in VALUES} == {
        "gnssrealtime", *(f"{each}_SS" for each in ("TFJK", "PSJK", "LIJK", "XJJK", "KYJK", "JCJK")),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "sent", "quality", "reasons"),
    [
        ("ZKSS", {"value": 7.85, "status": 1}, "GOOD", ""),  # the sender's alarm is no doubt about the value
        ("ZKSS", {"value": 7.85, "status": 4}, "BAD", "CALIBRATION"),
        ("ZKSS", {"value": 7.85, "status": 8}, "SUSPECT", "OVER_RANGE"),
        ("ZKSS", {"value": 7.85, "status": 144}, "BAD", "SUBSTATION_FAULT,SENSOR_FAULT"),
        ("ZKSS", {"value": 7.85, "status": "??"}, "SUSPECT", "STATUS_UNKNOWN"),
        ("ZKSS", {"value": 201, "status": 0}, "BAD", "OUT_OF_RANGE"),
        ("ZKSS", {"value": 200, "status": 0}, "GOOD", ""),
        ("ZKSS", {"value": "", "status": 0}, "BAD", "NO_VALUE"),
        ("ZKSS", {"value": 7.85, "status": 32}, "BAD", "NOT_POLLED"),
        ("JSLCDSS", {"value": 2.4, "status": 32}, "SUSPECT", "NOT_POLLED"),  # one writer does so while it alarms
        ("JSLCDSS", {"value": "", "status": 32}, "BAD", "NOT_POLLED,NO_VALUE"),
    ],
)
def test_the_gate_is_that_of_the_readings(
    light: LightEngine, landing: Path, kind: str, sent: Row, quality: str, reasons: str
):
    put(landing, kind, 0, {"point_code": code("MN"), "sensor_type_code": "1201", "data_time": at(0)} | sent
        if kind == "ZKSS" else {"point_code": code("MN"), "data_time": at(0)} | sent)  # fmt: skip
    take(light, landing)
    table = silver.SUPPORT_PRESSURE if kind == "ZKSS" else silver.WATER_READING
    assert told(light, table, "quality", "quality_reasons") == [(quality, reasons)]


def test_of_a_value_sent_twice_the_one_sent_last_counts(light: LightEngine, landing: Path):
    for sent, value in ((2, 5.0), (1, 4.0)):
        put(landing, "YSLCDSS", sent, {"point_code": code("YSL"), "value": value, "data_time": at(0)})
        take(light, landing)
    assert told(light, silver.WATER_READING, "value") == [(5.0,)]
    assert take(light, landing) == 0


def test_a_sent_unit_is_converted(light: LightEngine, landing: Path):
    put(
        landing,
        "YSLCDDY",
        0,
        {"point_code": code("YSL"), "sensor_type_code": "0503", "unit": "m³/h", "location": "井底"},
    )
    put(landing, "TFJK_JC", 0, {"point_code": "P1", "point_type_code": "0006", "device_code": "FAN1", "unit": "Pa"})
    put(landing, "TFJK_SS", 1, {"point_code": "P1", "point_type_code": "0006", "device_code": "FAN1",
                                "point_value": 2450, "point_status": "good", "data_time": at(1)})  # fmt: skip
    take(light, landing)
    assert told(light, silver.EQUIPMENT_STATE, "quantity", "value", "unit") == [("negative_pressure", 2.45, "kPa")]


# ── definitions and places ──────────────────────────────────────────────────────────────────────────────────────────

SITE = """
mine_code: "620000000001"
name_zh: 示范煤矿
name_en: Example mine
utc_offset_h: 8
severe_hazard: false
nodes:
  - {node_id: N1, x: 0, y: 0, z: 0}
  - {node_id: N2, x: 1000, y: 0, z: 0}
edges:
  - {edge_id: E1, from_node: N1, to_node: N2, area_id: "6200000000010001", length_m: 1000, section_m2: 12,
     air_class: COAL_FACE, gas_class: null}
areas:
  - {area_id: "6200000000010001", name_zh: 1301综采工作面, name_en: Face 1301, kind: longwall_face}
"""


def test_points_are_placed_by_coordinates_and_by_the_name_of_their_area(light: LightEngine, landing: Path):
    site = landing / f"{MINE}.site.yaml"
    site.write_text(SITE, encoding="utf-8")
    load_site(site)
    put(landing, "ZKYL", 0, {"point_code": code("ZKYL"), "sensor_type_code": "1201", "x": 400, "y": 5, "z": 0,
                             "initial_stress": "5&6", "location": "距切眼80米"})  # fmt: skip
    put(landing, "ZJZL", 0, {"point_code": code("ZJ"), "sensor_type_code": "1101", "area_name": "1301综采工作面",
                             "location": "12#支架"})  # fmt: skip
    put(landing, "ZKSS", 1, {"point_code": code("ZKYL"), "value": 7, "data_time": at(1)})
    put(landing, "ZJSS", 1, {"point_code": code("ZJ"), "value": 30, "data_time": at(1)})
    put(landing, "WZSJ", 1, {"event_id": "E1", "event_time": at(1), "x": 500, "y": 120, "z": 10, "energy": 2e4})
    cuttings = {"record_id": "R1", "record_kind": "drill_cuttings", "quantity": "cuttings", "value": 3, "unit": "kg"}
    put(landing, "RGJL", 1, cuttings | {"measured_time": at(0), "area_code": "6200000000010001"})
    take(light, landing)
    place = [("6200000000010001", "E1")]
    assert told(light, silver.SUPPORT_PRESSURE, "area_id", "edge_id") == place * 2
    assert told(light, silver.SEISMIC_EVENT, "area_id", "edge_id") == place  # in the rock, 120 m beside it
    assert told(light, silver.FIELD_RECORD, "area_id") == [("6200000000010001",)]
    assert told(light, silver.POINT, "location", "place_method") == [
        ("1301综采工作面 12#支架", "text"),
        ("距切眼80米", "coordinates"),
    ]


def test_a_definition_that_comes_late_places_what_is_there(engines: Callable[[str], LightEngine], tmp_path: Path):
    """Values first, their definition after them: the same lake as the other way round."""
    early, late = engines("early"), engines("late")
    defined, values = tmp_path / "defined", tmp_path / "values"
    for folder in (defined, values):
        folder.mkdir()
    put(defined, "MGYL", 0, {"point_code": code("MG"), "sensor_type_code": "1301", "area_name": "1301综采工作面"})
    for minute in (1, 40):
        put(values, "MGSS", minute, {"point_code": code("MG"), "value": 100 + minute, "data_time": at(minute)})
    for engine, order in ((early, (defined, values)), (late, (values, defined))):
        place = engine.settings.lake.parent / f"landing-{engine.settings.lake.name}"
        place.mkdir()
        (place / f"{MINE}.site.yaml").write_text(SITE, encoding="utf-8")
        for folder in order:
            for file in sorted(folder.iterdir()):
                (place / file.name).write_bytes(file.read_bytes())
            take(engine, place)
    assert told(late, silver.SUPPORT_PRESSURE, "quantity", "area_id") == [("bolt_load", "6200000000010001")] * 2
    assert same_but_for_arrival(early.settings.lake, late.settings.lake) == {}


# ── machines and vehicles ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_machine_with_its_points_safety_mark_test_and_ban(light: LightEngine, landing: Path):
    put(landing, "JBSJ", 0, {"device_code": "FAN1", "device_name": "主通风机", "spec_model": "FBCDZ-8",
                             "belonging_system": "主要通风机监控系统", "install_location": "1301综采工作面",
                             "factory_code": "F77", "rated_power": "250kW", "rated_voltage": "0.66kV"})  # fmt: skip
    put(landing, "ABSJ", 0, {"factory_code": "F77", "product_name": "主通风机", "cert_no": "MAA1",
                             "valid_to": "2026-02-28", "cert_status": "1"})  # fmt: skip
    put(landing, "JCJY", 0, {"factory_code": "F77", "test_no": "T1", "test_result": "1", "valid_to": "2027-01-31"})
    put(landing, "JZTT", 0, {"product_name": "主通风机", "spec_model": "FBCDZ-8", "immediate_prohibition": "0",
                             "prohibition_deadline": "2026-01-01", "non_compliance_reason": "能耗高"})  # fmt: skip
    put(landing, "TFJK_JC", 0, {"point_code": "AI1", "point_type_code": "0026", "point_type_name": "前轴承温度",
                                "device_code": "FAN1", "unit": "℃", "range_upper": 150, "range_lower": 0})  # fmt: skip
    put(landing, "TFJK_SS", 1,
        {"point_code": "AI1", "point_type_code": "0026", "point_type_name": "前轴承温度", "device_code": "FAN1",
         "point_value": 61.5, "point_unit": "℃", "point_status": "good", "data_time": at(1)},
        {"point_code": "AI2", "point_type_code": "0017", "point_type_name": "A相电流", "device_code": "FAN1",
         "point_value": -9999, "point_unit": "A", "point_status": "fault", "data_time": at(1)})  # fmt: skip
    (landing / f"{MINE}.site.yaml").write_text(SITE, encoding="utf-8")
    take(light, landing)
    machine = rows_of(light, silver.EQUIPMENT).to_dicts()[0]
    assert (machine["equipment_id"], machine["equipment_kind"], machine["area_id"]) == (
        "FAN1", "main_fan", "6200000000010001",
    )  # fmt: skip
    assert (machine["rated_power_kw"], machine["rated_voltage_v"], machine["safety_mark_code"]) == (250, 660, "MAA1")
    # The mark ends with its day in mine local time.
    assert (machine["mark_state"], machine["mark_valid_until"].isoformat()) == (1, "2026-02-28T16:00:00+00:00")
    assert (machine["test_result"], machine["ban_reason"]) == (1, "能耗高")
    assert machine["banned_from"].isoformat() == "2026-01-01T16:00:00+00:00"
    bearing, phase = rows_of(light, silver.EQUIPMENT_STATE).to_dicts()
    assert (bearing["point_id"], bearing["quantity"], bearing["value"]) == ("TFJK/AI1", "bearing_temperature", 61.5)
    assert (bearing["equipment_id"], bearing["equipment_kind"], bearing["part"]) == ("FAN1", "main_fan", "bearing")
    assert bearing["area_id"] == "6200000000010001"  # its definition names no place: where the machine is
    assert (phase["part"], phase["value"], phase["quality_reasons"]) == ("phase_a", None, "SENSOR_FAULT,NO_VALUE")


def test_vehicles_and_people_on_foot(light: LightEngine, landing: Path):
    put(landing, "CZZD", 0, {"terminal_code": "T9", "vehicle_no": "矿12", "own_flag": "是", "purpose": "运输"})
    put(landing, "SSSJ", 1,
        {"terminal_code": "T9", "vehicle_no": "矿12", "longitude": 103.1, "latitude": 36.2, "data_time": at(1),
         "terminal_state": "2", "person_state": "1"},
        {"card_code": "K5", "longitude": 103.2, "latitude": 36.3, "data_time": at(1), "person_state": "2"})  # fmt: skip
    put(
        landing,
        "SSWJ",
        2,
        {"terminal_code": "T9", "vehicle_no": "矿12", "longitude": 103.3, "latitude": "", "state": 4},
    )
    take(light, landing)
    assert told(light, silver.VEHICLE, "terminal_code", "vehicle_code", "is_own") == [("T9", "矿12", True)]
    columns = ("carrier_code", "observed_at", "terminal_state", "is_online", "quality_reasons")
    assert told(light, silver.VEHICLE_POSITION, *columns) == [
        ("K5", at(1), None, False, ""),
        ("矿12", at(1), 2, True, ""),
        ("矿12", at(2), 4, None, "NO_POSITION"),
    ]


# ── events and reports ──────────────────────────────────────────────────────────────────────────────────────────────


def test_seismic_and_acoustic_events(light: LightEngine, landing: Path):
    put(landing, "WZSJ", 0,
        {"event_id": "A", "event_time": at(0), "energy": 2.5e4, "magnitude": 1.3, "moment": 1e10, "is_blast": "1",
         "station_count": 7},
        {"event_id": "B", "event_time": at(0), "energy": -1})  # fmt: skip
    acoustic = {"point_code": f"{MINE}17", "data_time": at(0)}
    put(landing, "DYSS", 0, acoustic | {"location": "甲"}, acoustic | {"location": "乙"})
    take(light, landing)
    columns = ("event_kind", "energy_j", "magnitude", "moment_nm", "is_blast", "station_count", "quality")
    rows = told(light, silver.SEISMIC_EVENT, *columns)
    assert sorted(rows, key=str) == [
        ("acoustic", None, None, None, None, None, "GOOD"),
        ("acoustic", None, None, None, None, None, "GOOD"),
        ("microseismic", -1.0, None, None, None, None, "BAD"),
        ("microseismic", 2.5e4, 1.3, 1e10, True, 7, "GOOD"),
    ]


def test_manual_measurements(light: LightEngine, landing: Path):
    about = {"record_kind": "gas_sample", "measured_time": at(-30), "sample_id": "S1", "location": "采空区"}
    put(landing, "RGJL", 0,
        about | {"record_id": "1", "quantity": "co", "value": 0.0024, "unit": "%"},
        about | {"record_id": "1", "quantity": "k1", "value": 0.4, "unit": "mL/g"},
        about | {"record_id": "2", "quantity": "smell", "words": "火灾气味"})  # fmt: skip
    take(light, landing)
    columns = ("record_id", "quantity", "measured_at", "value", "unit", "words", "quality")
    assert told(light, silver.FIELD_RECORD, *columns) == [
        ("1", "co", at(-30), 24.0, "ppm", None, "GOOD"),  # of a quantity that a sensor type has: in its unit
        ("1", "k1", at(-30), 0.4, "mL/g", None, "GOOD"),
        ("2", "smell", at(-30), None, None, "火灾气味", "GOOD"),
    ]


def test_what_the_families_report(light: LightEngine, landing: Path):
    about = {"abnormal_type": "1", "begin_time": at(0), "data_time": at(10)}
    put(landing, "ZKYC", 10, about | {"point_code": code("ZK"), "max_value": 14.2, "end_time": at(5)})
    put(landing, "CGKCDYC", 10, about | {"point_code": code("MN"), "description": "超过蓝色阈值", "level_or_state": "4",
                                         "cause": "传感器故障", "handler": "张三", "handle_time": at(8)})  # fmt: skip
    put(landing, "TFJK_YC", 10, {"point_code": "P1", "device_code": "FAN1", "alarm_status": "1",
                                 "alarm_start_time": at(0), "recovery_time": at(7), "peak_value": 90,
                                 "alarm_level": 2, "data_time": at(10)})  # fmt: skip
    put(landing, "gnssalarm", 10, {"equip_no": "G1", "alarm_time": at(0), "alarm_level": "黄色",
                                   "alarm_value.horizontal_displacement": 31})  # fmt: skip
    put(landing, "clearalarm", 20, {"equip_no": "G1", "alarm_time": at(0), "handle_time": at(20)})
    take(light, landing)
    rows = rows_of(light, silver.REPORTED_ABNORMALITY)
    columns = ("kind", "entity_id", "began_at", "ended_at", "max_value", "sent_level")
    assert list(rows.select(columns).sort("kind").iter_rows()) == [
        ("CGKCDYC", code("MN"), at(0), None, None, "4"),
        ("TFJK_YC", "TFJK/P1", at(0), at(7), 90.0, "2"),
        ("ZKYC", code("ZK"), at(0), at(5), 14.2, None),
        ("clearalarm", "G1", at(0), at(20), None, None),
        ("gnssalarm", "G1", at(0), None, 31.0, "黄色"),
    ]
    assert "张三" not in str(rows.to_dicts())  # names of people are no fact of an abnormality
    open_ones = rows_of_frame(light, cleared(light.read(silver.REPORTED_ABNORMALITY)))
    assert [row["ended_at"] for row in open_ones if row["kind"] == "gnssalarm"] == [at(20)]
    assert "clearalarm" not in {row["kind"] for row in open_ones}


def rows_of_frame(engine: LightEngine, frame: Any) -> list[Row]:
    return engine.to_arrow(frame).to_pylist()


def test_slope_displacements_come_as_json(light: LightEngine, landing: Path):
    put(landing, "gnssbaseinfo", 0, {"equip_no": "G1", "equip_name": "1号", "equip_location": "北帮"})
    put(landing, "gnssrealtime", 1, {"equip_no": "G1", "monitor_time": at(1), "x_disp": 1.5, "z_disp": -3,
                                     "x_speed": 0.2})  # fmt: skip
    take(light, landing)
    rows = told(light, silver.SLOPE_READING, "quantity", "value", "unit", "quality")
    assert [row for row in rows if row[1] is not None] == [
        ("surface_disp_x", 1.5, "mm", "GOOD"),
        ("surface_disp_z", -3.0, "mm", "GOOD"),
        ("surface_speed_x", 0.2, "mm/d", "GOOD"),
    ]
    assert {row[3] for row in rows if row[1] is None} == {"BAD"}
    point = rows_of(light, silver.POINT).to_dicts()[0]
    assert (point["location"], point["feed"], point["is_defined"]) == ("北帮", "silver.slope_reading", True)
