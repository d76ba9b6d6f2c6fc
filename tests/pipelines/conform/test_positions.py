"""Where people are, and how many in each area."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from minefusion.pipelines.conform.definitions import ALWAYS, FOREVER
from minefusion.pipelines.conform.positions import headcount, to_positions
from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas.bronze import EXCHANGE_RECORD
from minefusion.schemas.exchange.grammar import record_columns
from minefusion.schemas.settings import load_settings
from minefusion.schemas.silver import AREA, POSITION, STATION

MINE = "620000000001"
T0 = datetime(2026, 3, 1, 4, tzinfo=UTC)
FACE, ROAD = f"{MINE}0001", f"{MINE}0002"
HOLDS = [pa.field("holds_from", pa.timestamp("us", tz="UTC")), pa.field("holds_to", pa.timestamp("us", tz="UTC"))]
ALL_TIME = {"holds_from": ALWAYS, "holds_to": FOREVER}


@pytest.fixture
def engine(tmp_path: Path) -> LightEngine:
    return LightEngine(load_settings(lake=tmp_path))


def record(position: int = 1, **told: Any) -> dict[str, Any]:
    """One RYSS record in bronze."""
    columns = record_columns()["RYSS", ""]
    assert told.keys() <= set(columns)
    raw = ";".join(str(told.get(name, "")) for name in columns)
    about = {"file_id": "f", "position": position, "mine_code": MINE, "kind": "RYSS", "dialect": "", "batch": 1}
    return about | {"observed_at": T0, "sent_at": T0, "raw": raw, "fixed": None, "marks": "", "day": "2026-03-01"}


def placed(engine: LightEngine, *records: dict[str, Any]) -> list[dict[str, Any]]:
    station = {"mine_code": MINE, "station_code": "S1", "edge_id": "E1", "chainage_m": 90.0, "edge_length_m": 100.0}
    stations = engine.frame([station | {"area_id": FACE} | ALL_TIME], pa.schema([*STATION.arrow_schema(), *HOLDS]))
    rows = engine.to_arrow(to_positions(engine.frame(records, EXCHANGE_RECORD.arrow_schema()), stations)).to_pylist()
    return sorted(rows, key=lambda row: row["position"])


BELOW = {"card_code": "C1", "in_out_flag": 1, "area_code": FACE, "station_code": "S1"}


@pytest.mark.parametrize(
    ("told", "chainage_m", "area", "reasons"),
    [
        ({"station_distance": 5}, 95.0, FACE, ""),
        ({"station_distance": -95}, 0.0, FACE, ""),  # a little past the end
        ({"station_distance": 40}, 100.0, FACE, "BEYOND_EDGE"),
        ({}, 90.0, FACE, ""),
        ({"area_code": ""}, 90.0, FACE, ""),  # the station's area
        ({"area_code": ROAD}, 90.0, ROAD, "AREA_STATION_MISMATCH"),  # the file's word counts
        ({"station_code": "S9"}, None, FACE, "STATION_UNKNOWN"),
        ({"station_code": "S9", "area_code": ""}, None, "unplaced", "STATION_UNKNOWN"),
        ({"in_out_flag": 2, "station_code": ""}, None, FACE, ""),  # has left: no station is no fault
    ],
)
def test_a_fix_is_placed_by_its_station(
    engine: LightEngine, told: dict[str, Any], chainage_m: float | None, area: str, reasons: str
):
    row = placed(engine, record(**BELOW | told))[0]
    assert (row["chainage_m"], row["area_id"], row["quality_reasons"]) == (chainage_m, area, reasons)
    assert row["quality"] == ("SUSPECT" if reasons else "GOOD")
    assert row["edge_id"] == (None if chainage_m is None else "E1")


def test_times_are_utc_and_flags_are_read(engine: LightEngine):
    told = {"enter_mine_time": "2026-03-01 08:15:00", "is_leader": 1}
    row = placed(engine, record(**BELOW | told))[0]
    assert row["entered_mine_at"] == datetime(2026, 3, 1, 0, 15, tzinfo=UTC)
    assert (row["is_leader"], row["is_calling"]) == (True, False)


def test_people_are_counted_by_area_and_an_empty_area_has_a_zero(engine: LightEngine):
    fix = dict.fromkeys(POSITION.names) | {
        "mine_code": MINE,
        "observed_at": T0,
        "is_leader": False,
        "day": "2026-03-01",
    }
    people = [
        fix | {"card_code": "C1", "area_id": FACE, "in_out_flag": 1, "is_leader": True},
        fix | {"card_code": "C2", "area_id": FACE, "in_out_flag": 1},
        fix | {"card_code": "C3", "area_id": "unknown", "in_out_flag": 1},
        fix | {"card_code": "C4", "area_id": FACE, "in_out_flag": 2},  # has left
    ]
    later = T0 + timedelta(minutes=5)  # a snapshot that lists nobody
    snapshots = [{"mine_code": MINE, "observed_at": at} for at in (T0, later)]
    areas = [
        {"mine_code": MINE, "area_id": FACE} | ALL_TIME,
        {"mine_code": MINE, "area_id": ROAD, "holds_from": later, "holds_to": FOREVER},  # not there yet at T0
    ]
    rows = headcount(
        engine.frame(people, POSITION.arrow_schema()),
        engine.frame(snapshots, pa.schema([("mine_code", pa.string()), ("observed_at", pa.timestamp("us", tz="UTC"))])),
        engine.frame(areas, pa.schema([*AREA.arrow_schema(), *HOLDS])),
    )
    found = {
        (row["area_id"], row["observed_at"]): (row["people_count"], row["leaders_count"])
        for row in engine.to_arrow(rows).to_pylist()
    }
    assert found == {
        (FACE, T0): (2, 1),
        ("unknown", T0): (1, 0),
        (MINE, T0): (3, 1),
        (FACE, later): (0, 0),
        (ROAD, later): (0, 0),
        (MINE, later): (0, 0),
    }
