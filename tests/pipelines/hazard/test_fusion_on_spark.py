"""Alarms, the fused table, people and data quality say the same on Spark as in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import pytest
from literal_mine import MINE_CODE, T0, area, at, make_inputs, point, series

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.area_minute import area_minute
from minefusion.pipelines.hazard.data_quality import data_quality
from minefusion.pipelines.hazard.episodes import alarms
from minefusion.pipelines.hazard.people import p01, p02, p03, p04, p05
from minefusion.schemas.bronze import EXCHANGE_FILE
from minefusion.schemas.gold import HAZARD_INDEX
from minefusion.schemas.settings import Settings
from minefusion.schemas.silver import READING_5MIN, REPORTED_ABNORMALITY

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Row = dict[str, Any]

POINTS = [
    point("G1", "ch4", gas_class="LW_FACE_T1"),
    point("G2", "ch4", "R1", gas_class="TOTAL_RETURN"),
    point("C", "co"),
    point("V", "air_velocity", "R1"),
    point("M", "equipment_on", value_kind="KG"),
]
AREAS = [
    area("F1", cap=6, cap_source="RYQY", cap_confidence="mine"),
    area("R1", kind="goaf", is_restricted=True),
    area("unplaced", kind=None),
]
EDGES = [
    {"edge_id": f"E-{name}", "area_id": name, "from_node": "N1", "to_node": f"N-{name}", "length_m": 300.0}
    for name in ("F1", "R1")
]
SATURATED = (4.0, "SUSPECT", "SATURATED")
READINGS = [
    *series("G1", [0.5] * 40 + [1.2, 1.3, 1.6, 0.9, 0.9, 0.9], start=-20),
    *series("G2", [0.2] * 40 + [0.8, SATURATED, SATURATED], start=-20),
    *series("C", [3, 5, (9, "BAD", "CALIBRATION")] * 10),
    *series("V", [1.5] * 12),
    *series("M", [1, 0] * 6),
]


def people(minute: float) -> list[Row]:
    cards = [(f"c{n}", "F1", 100.0 + 2 * n) for n in range(7)] + [("x", "R1", 50.0 + 9 * (minute % 2))]
    return [
        {"card_code": card, "area_id": place, "edge_id": f"E-{place}", "chainage_m": along}
        for card, place, along in cards
    ]


def snapshots() -> tuple[list[Row], list[Row]]:
    positions, headcount = [], []
    for minute in range(-20, 8):
        told = {
            "observed_at": at(minute),
            "sent_at": at(minute),
            "in_out_flag": 1,
            "station_distance_m": 1.0,
            "entered_mine_at": at(minute - 760),
        }
        positions += [row | told | {"quality": "GOOD", "quality_reasons": ""} for row in people(minute)]
        counts = {"F1": 7, "R1": 1, "unplaced": 0, MINE_CODE: 8}
        headcount += [
            {"area_id": name, "observed_at": at(minute), "people_count": n, "leaders_count": 0}
            for name, n in counts.items()
        ]
    return positions, headcount


def hazard() -> list[Row]:
    def row(minute: int, level: int | None, index_id: str, minutes: int = 1) -> Row:
        where = {
            "mine_code": MINE_CODE,
            "index_id": index_id,
            "area_id": "F1",
            "entity": "G1",
            "point_id": "G1",
            "unit": "%",
        }
        when = {"window_start": at(minute), "window_end": at(minute + minutes), "value": 1.0 * minute, "level": level}
        return (
            where
            | when
            | {"legal_exceeded": level == 4, "sentence_zh": f"值 {minute}。", "sentence_en": f"value {minute}."}
        )

    rows = [row(minute, level, "T-01") for minute, level in enumerate([0, 3, 4, None, 2, 1, 3, 3])]
    return [*rows, row(-10, 2, "V-01", 10), *(row(minute, 0, "G-01") for minute in range(8))]


TOLD = [
    {
        "mine_code": MINE_CODE,
        "kind": "YCBJ",
        "entity_id": "G1",
        "abnormal_type": "001",
        "began_at": at(1),
        "ended_at": at(4),
        "area_id": "F1",
    }
    | {"point_id": "G1", "max_value": 1.6, "unit": "%"},
    {
        "mine_code": MINE_CODE,
        "kind": "RYQJ",
        "entity_id": "c1",
        "abnormal_type": "",
        "began_at": at(2),
        "area_id": "F1",
    },
    {
        "mine_code": MINE_CODE,
        "kind": "RYQJ",
        "entity_id": "c2",
        "abnormal_type": "",
        "began_at": at(2),
        "area_id": "F1",
    },
]
FILES = [
    {
        "file_id": f"{kind}{n}",
        "kind": kind,
        "verdict": verdict,
        "header_time": at(n),
        "observed_to": at(n),
        "records_sent": 9,
        "records_stored": stored,
    }
    for kind, n, verdict, stored in (
        ("CDSS", 0, "accepted", 9),
        ("CDSS", 1, "partial", 8),
        ("RYSS", 2, "accepted", 9),
        (None, 3, "unknown", 0),
    )
]


def everything(engine: Engine) -> dict[str, list[Row]]:
    positions, headcount = snapshots()
    inputs = make_inputs(
        engine,
        points=POINTS,
        readings=READINGS,
        areas=AREAS,
        edges=EDGES,
        positions=positions,
        headcount=headcount,
        minutes=(0, 8),
        mines=[{"name_zh": "试验矿", "underground_cap": 7}],
    )
    hazard_rows = engine.frame(hazard(), HAZARD_INDEX.arrow_schema())
    told = engine.frame(TOLD, REPORTED_ABNORMALITY.arrow_schema())
    five = engine.frame(
        [{"mine_code": MINE_CODE, "point_id": "G1", "window_start": T0, "finding": "OUTSIDE_REPORTED"}],
        READING_5MIN.arrow_schema(),
    )
    sent = inputs.readings.with_columns(nw.col("observed_at").alias("sent_at"))
    files = engine.frame([{"mine_code": MINE_CODE, **row} for row in FILES], EXCHANGE_FILE.arrow_schema())
    frames = {
        "alarms": alarms(inputs, hazard_rows, told),
        "area_minute": area_minute(inputs, hazard_rows, told),
        "data_quality": data_quality(sent, five, inputs.points, inputs.positions, files),
        "people": nw.concat([index(inputs) for index in (p01, p02, p03, p04, p05)], how="vertical"),
    }
    found = {}
    for name, frame in frames.items():
        rows = engine.to_arrow(frame).to_pylist()
        found[name] = sorted(
            rows,
            key=lambda row: [
                str(row.get(key))
                for key in ("alarm_id", "index_id", "area_id", "entity", "minute", "hour", "window_start")
            ],
        )
    engine.release()
    return found


def test_both_engines_say_the_same(spark: SparkSession, light: LightEngine, settings: Settings):
    from minefusion.pipelines.engines.spark import SparkEngine

    expected, found = everything(light), everything(SparkEngine(settings))
    assert spark is SparkEngine(settings).spark
    for name, rows in expected.items():
        assert rows, name
        assert [set(row) for row in found[name]] == [set(row) for row in rows], name
        for got, wanted in zip(found[name], rows, strict=True):
            assert got == {
                key: pytest.approx(value) if isinstance(value, float) else value for key, value in wanted.items()
            }, name
