"""Sensor types: every code of the standards as read, with unit, range and how sure each is."""

from collections import Counter

import pyarrow as pa
import pytest

from minefusion.schemas.reference import SENSOR_TYPE
from minefusion.schemas.sensors import all_sensor_types, as_row, sensor_type, sensor_type_by_name
from minefusion.schemas.units import canonical_unit


@pytest.mark.parametrize(
    ("code", "name", "quantity", "unit", "kind", "low", "high"),
    [
        ("0001", "环境瓦斯（甲烷）", "ch4", "%", "analog", 0, 100),
        ("0002", "风速", "air_velocity", "m/s", "analog", -15, 20),
        ("0003", "环境温度", "temperature", "℃", "analog", -40, 100),
        ("0004", "一氧化碳", "co", "ppm", "analog", 0, 2000),
        ("0043", "激光甲烷", "ch4", "%", "analog", 0, 100),
        ("0055", "瓦斯日累计纯量", "gas_pure_day_total", "m3", "cumulative", 0, None),
        ("1002", "风门", "air_door", None, "digital", 0, 1),
        ("3001", "产量", "output", "t", "cumulative", 0, None),
        ("4002", "电源状态", "power_state", None, "digital", 0, 2),
        ("0503", "涌水量", "water_inflow", "m3/h", "analog", 0, 50_000),
        ("1302", "锚索应力", "cable_load", "kN", "analog", 0, 2000),
        ("9401", "微震事件能量", "ms_energy", "J", "analog", 0, 1e9),
    ],
)
def test_types(code, name, quantity, unit, kind, low, high):
    found = sensor_type(code)
    got = (found.name_zh, found.quantity, found.unit, found.kind, found.valid_min, found.valid_max)
    assert got == (name, quantity, unit, kind, low, high)


def test_all_are_there():
    kinds = all_sensor_types()
    parts = Counter("national" if kind.confidence == "confirmed" else "own" for kind in kinds)
    assert parts == {"national": 92, "own": 39}
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_each_says_how_sure_it_is():
    for kind in all_sensor_types():
        assert kind.source
        # Codes 9xxx are this project's own: no national code was found.
        assert (kind.confidence == "convention") == kind.code.startswith("9")
        assert (kind.unit is None) == (kind.unit_confidence is None), kind.code
        if kind.unit is not None:
            assert kind.unit_confidence in {"confirmed", "inferred", "convention"}
        if kind.valid_min is not None and kind.valid_max is not None:
            assert kind.valid_min < kind.valid_max


def test_one_quantity_has_one_unit_but_where_a_stream_and_its_total_share_the_name():
    units: dict[str, set[str | None]] = {}
    for kind in all_sensor_types():
        assert kind.unit is None or canonical_unit(kind.unit) == kind.unit
        if kind.kind != "cumulative":
            units.setdefault(kind.quantity, set()).add(kind.unit)
    assert {quantity: found for quantity, found in units.items() if len(found) > 1} == {}


@pytest.mark.parametrize(("code", "same_as"), [("3006", "4001"), ("3007", "4002"), (" 0001 ", "0001")])
def test_codes_that_only_some_senders_use(code, same_as):
    assert sensor_type(code).code == same_as


@pytest.mark.parametrize("code", ["0000", "7777", "", None, "ch4"])
def test_an_unknown_code_is_none(code):
    assert sensor_type(code) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("环境瓦斯（甲烷）", "0001"),
        ("环境瓦斯(甲烷)", "0001"),
        ("环境瓦斯", "0001"),
        ("甲烷", "0001"),
        ("甲烷传感器", "0001"),
        ("激光甲烷", "0043"),
        ("CO", "0004"),
        ("ＣＯ", "0004"),
        ("co传感器", "0004"),
        ("温度", "0003"),
        ("局扇", "1001"),
        ("主要通风机", "1010"),
        ("氧气", "0012"),
        ("钻孔应力", "0034"),  # also 1201 of the ground-pressure part: the first listed
    ],
)
def test_types_by_the_name_that_senders_write(name, code):
    assert sensor_type_by_name(name).code == code


@pytest.mark.parametrize("name", [None, "", "传感器", "未知量"])
def test_an_unknown_name_is_none(name):
    assert sensor_type_by_name(name) is None


def test_a_type_takes_its_own_unit_where_the_sender_names_none():
    assert sensor_type("0004").factor_from(None) == 1.0
    assert sensor_type("1001").factor_from("个") == 1.0
    assert sensor_type("0004").factor_from("%") == 10_000.0
    assert sensor_type("0002").factor_from("%") is None


def test_rows_fit_the_table():
    made = pa.Table.from_pylist([as_row(kind) for kind in all_sensor_types()], schema=SENSOR_TYPE.arrow_schema())
    assert made.num_rows == len(all_sensor_types())
    assert set(as_row(all_sensor_types()[0])) == set(SENSOR_TYPE.names)
