"""Provincial files in silver: the mine and the points by their national codes, states as bits, people and alarms."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from small_mine import MINE, at, rows_of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.exchange.write import write_file
from minefusion.pipelines.jobs.conform import conform
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas import silver
from minefusion.schemas.bronze import EXCHANGE_FILE
from minefusion.schemas.exchange.mine_codes import national_mine, provincial_mine
from minefusion.schemas.settings import load_settings

SENT_AS = "62000000001"  # county 620000, serial 00001
SAFETY = {"province": "620000", "city": "620000", "county": "620000", "mine_code": SENT_AS, "substation_code": "001"}
PEOPLE = {"mine_code": SENT_AS, "group_name": "x", "company_name": "x", "short_mine_name": "示范"}


@pytest.fixture
def engine(tmp_path: Path) -> LightEngine:
    return LightEngine(load_settings(lake=tmp_path / "lake", provincial=("prov",)))


@pytest.fixture
def feed(landing: Path) -> Path:
    (landing / "prov").mkdir()
    return landing / "prov"


def put(feed: Path, kind: str, minute: float, *rows: dict[str, Any], dialect: str = "") -> None:
    write_file(feed, kind, SENT_AS, "", at(minute), list(rows), dialect=dialect)


def take(engine: LightEngine, feed: Path) -> None:
    # A provincial file is complete when it has stood still.
    newest = max(file.stat().st_mtime for file in feed.iterdir())
    ingest(engine.settings, feed.parent, engine=engine, now=lambda: datetime.fromtimestamp(newest + 60, UTC))
    conform(engine)


def told(engine: LightEngine, table: Any, *columns: str) -> list[tuple[Any, ...]]:
    return list(rows_of(engine, table, *columns).iter_rows())


@pytest.mark.parametrize(
    ("sent", "county", "aliases", "national"),
    [
        ("52022100001", "520221", {}, "520221000001"),
        ("0012", "520203", {"520203/0012": "520203000012"}, "520203000012"),
        ("52022100001", "520221", {"52022100001": "520221000077"}, "520221000077"),
        ("520221000001", "520221", {}, "520221000001"),
        ("0012", "520203", {}, "0012"),
    ],
)
def test_a_mine_has_one_code(sent: str, county: str, aliases: dict[str, str], national: str):
    assert national_mine(sent, county, aliases) == national


def test_the_code_that_is_sent_leads_back():
    assert provincial_mine(MINE) == SENT_AS
    assert national_mine(SENT_AS, "620000", {}) == MINE
    assert provincial_mine("620000123456") == "620000123456"  # its serial does not fit into five digits


@pytest.mark.parametrize(
    ("state", "substation", "value", "flags", "quality", "reasons"),
    [
        ("0", 0, 0.4, 0, "GOOD", ""),
        ("3", 0, 1.6, 3, "GOOD", ""),
        ("正常", 0, 0.4, 0, "GOOD", ""),
        ("报警", 0, 1.2, 1, "GOOD", ""),
        ("标校", 0, 1.2, 4, "BAD", "CALIBRATION"),
        ("断线", 0, "", 32, "BAD", "NOT_POLLED,NO_VALUE"),
        ("正常", 1, 0.4, 16, "BAD", "SUBSTATION_FAULT"),
        ("不知道", 0, 0.4, -1, "SUSPECT", "STATUS_UNKNOWN"),
        ("", 0, 0.4, None, "GOOD", ""),
    ],
)
def test_states_become_status_bits(
    engine: LightEngine, feed: Path, state: str, substation: int, value: Any, flags: int, quality: str, reasons: str
):
    put(feed, "AQSS", 0, SAFETY | {"sensor_code": "001A01", "sensor_type": "1", "substation_state": substation,
                                   "sensor_state": state, "value": value, "data_time": at(0)})  # fmt: skip
    take(engine, feed)
    columns = ("mine_code", "point_id", "quantity", "status_flags", "quality", "quality_reasons")
    assert told(engine, silver.READING, *columns) == [
        (MINE, f"{MINE}01MN0001001A01", "ch4", flags, quality, reasons),
    ]
    assert told(engine, EXCHANGE_FILE, "mine_code") == [(MINE,)]


def test_switches_sums_and_automation(engine: LightEngine, feed: Path):
    about = SAFETY | {"substation_state": 0, "sensor_state": "0", "data_time": at(0)}
    put(feed, "AQSS", 0, about | {"sensor_code": "001D01", "sensor_type": "1001", "value": 1},
        about | {"sensor_code": "001D02", "sensor_type": "1002", "value": 2})  # fmt: skip
    put(feed, "AQLJ", 0, SAFETY | {"sensor_code": "001L01", "sensor_type": "3001", "value": 512, "data_time": at(0)})
    told_by_automation = {"province": "1", "city": "2", "mine_name": "矿", "mine_code": SENT_AS, "sensor_code": "7"}
    put(feed, "zdh_dev", 0, told_by_automation | {"sensor_type": "水池水位", "unit": "cm", "data_time": at(0)})
    put(feed, "zdh_rtdata", 0, told_by_automation | {"value": 250, "sensor_state": 0, "data_time": at(0)})
    take(engine, feed)
    assert sorted(told(engine, silver.READING, "point_id", "quantity", "value", "quality_reasons"), key=str) == [
        (f"{MINE}01KG1001001D01", "aux_fan", 1.0, ""),
        (f"{MINE}01KG1002001D02", "air_door", None, "SENSOR_FAULT,NO_VALUE"),  # 2: it does not know its state
        (f"{MINE}01LJ3001001L01", "output", 512.0, ""),
        ("zdh/7", "water_level", 2.5, ""),
    ]


def test_statistics_end_at_their_time(engine: LightEngine, feed: Path):
    put(feed, "AQFZ", 5, SAFETY | {"sensor_code": "001A01", "sensor_type": "0001", "avg_value": 0.3, "max_value": 0.5,
                                   "min_value": 0.1, "data_time": at(5)})  # fmt: skip
    take(engine, feed)
    columns = ("point_id", "window_start", "reported_max", "reported_min", "reported_mean")
    assert told(engine, silver.READING_5MIN, *columns) == [(f"{MINE}01MN0001001A01", at(0), 0.5, 0.1, 0.3)]


def test_people_and_alarms_without_their_identity_numbers(engine: LightEngine, feed: Path):
    person = {"card_code": "7", "name": "测试甲", "id_number": "620000199001011234", "department": "综采队"}
    put(feed, "RYRY", 0, {"mine_code": SENT_AS, **person, "mobile": "13800000000"})
    put(feed, "RYQY", 0, {"station_code": "S1", "area_type": "重点区域", "area_code": "A1", "approved_count": 25,
                          "area_name": "综采面"}, dialect="prov")  # fmt: skip
    place = {"area_code": "A1", "enter_mine_time": at(-60), "file_time": at(1)}
    put(feed, "RYSS", 1, PEOPLE | person | place | {"in_out_flag": "1"},
        PEOPLE | place | {"card_code": "8", "in_out_flag": "井下"}, dialect="prov")  # fmt: skip
    put(feed, "RYSC", 2, PEOPLE | person | {"file_time": at(2), "begin_time": at(1), "area_code": "A1"})
    put(feed, "AQBJ", 2, SAFETY | {"sensor_code": "001A01", "sensor_type": "1", "data_kind": "模拟量",
                                   "alarm_kind": "超限", "data_time": at(2)})  # fmt: skip
    take(engine, feed)
    assert told(engine, silver.PERSON, "card_code", "name", "department") == [
        ("7", "测试甲", "综采队"),
        ("8", None, None),
    ]
    assert told(engine, silver.POSITION, "card_code", "in_out_flag", "area_id") == [("7", 1, "A1"), ("8", None, "A1")]
    assert (MINE, MINE, 1) in told(engine, silver.HEADCOUNT, "mine_code", "area_id", "people_count")
    columns = ("kind", "entity_id", "abnormal_type", "began_at", "area_id")
    assert told(engine, silver.REPORTED_ABNORMALITY, *columns) == [
        ("AQBJ", f"{MINE}01MN0001001A01", "超限", at(2), "unplaced"),
        ("RYSC", "7", "", at(1), "A1"),
    ]
    everything = str([rows_of(engine, table).to_dicts() for table in (silver.PERSON, silver.POSITION)])
    assert "620000199001011234" not in everything
    assert "13800000000" not in everything
