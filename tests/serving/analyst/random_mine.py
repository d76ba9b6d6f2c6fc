"""A mine of rows drawn at random, over a midnight of its own clock: what every view is held against plain SQL on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from two_mines import KEY, MINE, OTHER, append

from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas import bronze, gold, silver
from minefusion.schemas.catalog import site_path
from minefusion.schemas.persons import person_hash
from minefusion.schemas.settings import load_settings
from minefusion.schemas.site import Area, Edge, Node, Shift, Site, dump_site
from minefusion.schemas.table import Table

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)  # 20:00 at the mine
HOURS = 8
END = BEGIN + timedelta(hours=HOURS)
OFFSET = timedelta(hours=8)
AREAS = tuple(f"{MINE}{number:02d}" for number in (1, 2, 3))
ANALOGUE, SWITCHES = ("A1", "A2", "A3"), ("S1", "S2")
HOSTILE = "=1+1<script>"
SITE = Site(
    mine_code=MINE,
    name_zh="示范一矿",
    name_en="Example mine 1",
    severe_hazard=True,
    underground_cap=60,
    approved_hours=9.0,
    shifts=(Shift("夜班", "Night shift", "00:00", 8.0), Shift("中班", "Afternoon shift", "16:00", 8.0)),
    areas=tuple(Area(each, f"区域 {each[-1]}", f"Area {each[-1]}", "heading", cap=9) for each in AREAS),
    nodes=(Node("N1", 0, 0, 0), Node("N2", 100, 0, 0)),
    edges=(Edge("E1", "N1", "N2", AREAS[0], "COAL_FACE", "LW_CORNER_T0", 100.0, 12.0),),
)

Row = dict[str, Any]
# What a view has to be told beside mine and span.
NEEDED = {"people/trajectory": {"person_hash": person_hash(KEY, MINE, "C1"), "why": "复查"}}


def write(lake: Path) -> Path:
    """The mine into a lake, and a little of another, of which no view may say a word."""
    engine = LightEngine(load_settings(lake=lake))
    for table, rows in tables(random.Random(7)):
        append(engine, table, MINE, rows)
        append(engine, table, OTHER, [row for row in rows[:3] if table is not gold.ALARM])
    path = site_path(lake, MINE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump_site(SITE), encoding="utf-8")
    return lake


def tables(chance: random.Random) -> Iterator[tuple[Table, list[Row]]]:
    yield (
        silver.AREA,
        [{"area_id": each, "name_zh": f"区域 {each[-1]}", "name_en": f"Area {each[-1]}", "cap": 9} for each in AREAS],
    )
    yield silver.POINT, points()
    yield silver.READING, list(readings(chance))
    yield gold.HAZARD_INDEX, list(indices(chance))
    yield gold.ALARM, [alarm(chance, number) for number in range(40)]
    yield (
        gold.ALARM_CAUSE,
        [
            {
                "alarm_id": f"a{number}",
                "rank": rank,
                "raised_at": BEGIN,
                "cause": "production",
                "score": chance.random(),
                "sentence_zh": "割煤",
                "sentence_en": "production",
            }
            for number in range(0, 40, 3)
            for rank in (1, 2)
        ],
    )
    yield silver.REPORTED_ABNORMALITY, [reported(chance, number) for number in range(60)]
    yield silver.HEADCOUNT, list(headcounts(chance))
    yield silver.PERSON, [{"card_code": f"C{each}", "name": f"张强{each}", "work_type": "瓦检员"} for each in range(4)]
    yield silver.POSITION, list(positions(chance))
    yield silver.CAMERA, [{"camera_code": f"K{each}", "name": f"摄像机 {each}"} for each in range(2)]
    yield silver.VIDEO_EVENT, [event(chance, number) for number in range(30)]
    yield (
        gold.UNSAFE_BEHAVIOUR,
        [
            {
                "event_id": f"u{each}",
                "camera_code": "K0",
                "event_type": "V101",
                "behaviour": "no_helmet",
                "level": 1 + each % 4,
                "began_at": at(chance),
                "raised_at": BEGIN,
                "area_id": AREAS[0],
                "people": 2,
                "event_confidence": 0.9,
            }
            for each in range(8)
        ],
    )
    yield gold.DATA_QUALITY, list(quality(chance))
    yield (
        gold.SENSOR_HEALTH,
        [
            {
                "point_id": point,
                "hour": hour,
                "verdict": chance.choice(["ok", "watch", "fault", "unknown"]),
                "leading_check": chance.choice([None, "stuck"]),
                "sentence_zh": "卡死",
                "sentence_en": "stuck",
            }
            for point in ANALOGUE
            for hour in hours()
        ],
    )
    yield bronze.EXCHANGE_FILE, [file(chance, number) for number in range(25)]
    yield gold.MODEL_HEALTH, list(health(chance))


def hours() -> list[datetime]:
    return [BEGIN + timedelta(hours=number) for number in range(HOURS)]


def at(chance: random.Random, before: float = 0.0) -> datetime:
    """An instant of the span, or so many hours before it."""
    return BEGIN + timedelta(seconds=chance.randrange(int(-3600 * before), 3600 * HOURS))


def points() -> list[Row]:
    analogue = [
        {
            "point_id": name,
            "quantity": "ch4" if name != "A3" else "co",
            "unit": "%",
            "area_id": AREAS[place % 2],
            "location": f"{HOSTILE} {name}",
            "period_s": 60.0,
            "value_kind": "MN",
            "alarm": 1.0,
            "cut": 1.5,
            "feed": "silver.reading",
        }
        for place, name in enumerate(ANALOGUE)
    ]
    switches = [
        {
            "point_id": name,
            "quantity": "aux_fan",
            "area_id": AREAS[2],
            "location": name,
            "period_s": 60.0,
            "value_kind": "KG",
            "feed": "silver.reading",
            "on_desc": None if name == "S1" else "开着",
        }
        for name in SWITCHES
    ]
    return [*analogue, *switches]


def readings(chance: random.Random) -> Iterator[Row]:
    for name in (*ANALOGUE, *SWITCHES):
        state = 1.0
        for minute in range(60 * HOURS):
            if chance.random() < 0.02:
                state = 1.0 - state
            if chance.random() < 0.1 or (name == "S2" and 100 <= minute < 130):
                continue
            bad = chance.random()
            quality, reasons = (
                ("BAD", "CALIBRATION")
                if bad < 0.05
                else ("SUSPECT", chance.choice(["SATURATED", "STUCK"]))
                if bad < 0.12
                else ("GOOD", "")
            )
            value = round(chance.uniform(0, 2), 3) if name in ANALOGUE else state
            yield {
                "point_id": name,
                "observed_at": BEGIN + timedelta(minutes=minute, seconds=chance.randrange(20)),
                "value": None if chance.random() < 0.02 else value,
                "quality": quality,
                "quality_reasons": reasons,
            }


def indices(chance: random.Random) -> Iterator[Row]:
    for index, length, entity in (
        ("G-01", 1, "A1"),
        ("G-01", 1, "A2"),
        ("V-01", 10, None),
        ("X-01", 60, None),
        ("W-01", 60, None),
    ):
        for area in AREAS[:2]:
            for number in range(60 * HOURS // length):
                start = BEGIN + timedelta(minutes=number * length)
                level = (
                    None if index == "W-01" or chance.random() < 0.3 else chance.choice([0, 0, 0, 0, 0, 0, 1, 2, 3, 4])
                )
                yield {
                    "index_id": index,
                    "area_id": area,
                    "entity": entity or area,
                    "point_id": entity,
                    "window_start": start,
                    "window_end": start + timedelta(minutes=length),
                    "value": None if level is None else chance.random(),
                    "unit": "%",
                    "level": level,
                    "legal_exceeded": level == 4,
                    "coverage": 1.0,
                    "inputs": '{"n": 3}',
                    "sentence_zh": f"{index} {HOSTILE}",
                    "sentence_en": index,
                    "revision": 0,
                    "null_reason": "NO_DATA" if level is None else None,
                }


def alarm(chance: random.Random, number: int) -> Row:
    raised, lasts = at(chance, 5), chance.choice([None, 30, 600, 9000])
    point = chance.choice(ANALOGUE)
    return {
        "alarm_id": f"a{number}",
        "kind": chance.choice(["G-01", "G-01", "YCBJ-001", "F-10"]),
        "area_id": AREAS[0],
        "entity": point,
        "point_id": point,
        "level": chance.choice([1, 3, 4]),
        "raised_at": raised,
        "cleared_at": None if lasts is None else raised + timedelta(seconds=lasts),
        "peak_value": chance.uniform(1, 2),
        "peak_at": raised,
        "integral": chance.random(),
        "unit": "%",
        "legal_exceeded": chance.random() < 0.5,
        "people_in_area": 3,
        "sentence_zh": "超限",
        "sentence_en": "over",
    }


def reported(chance: random.Random, number: int) -> Row:
    began, lasts = at(chance, 6), chance.choice([None, 0, 30, 600, 9000])
    point = chance.choice((*ANALOGUE, *SWITCHES))
    return {
        "kind": chance.choice(["YCBJ", "YCBJ", "YCBJ", "RYCS"]),
        "entity_id": point,
        "point_id": point,
        "area_id": AREAS[1],
        "abnormal_type": chance.choice(["001", "002", "003", "004", "005", "007", "009"]),
        "began_at": began,
        "ended_at": None if lasts is None else began + timedelta(seconds=lasts),
        "max_value": 1.2,
        "unit": "%",
        "cause": HOSTILE if number % 5 == 0 else None,
    }


def headcounts(chance: random.Random) -> Iterator[Row]:
    for area in (MINE, *AREAS[:2]):
        for minute in range(60 * HOURS):
            if chance.random() < 0.95:
                seen = BEGIN + timedelta(minutes=minute, seconds=chance.randrange(15))
                yield {
                    "area_id": area,
                    "observed_at": seen,
                    "people_count": chance.randrange(12),
                    "leaders_count": chance.randrange(2),
                }


def positions(chance: random.Random) -> Iterator[Row]:
    for card in range(5):
        entered = None if card == 4 else BEGIN - timedelta(hours=2 * card)
        for minute in range(0, 60 * HOURS, 7):
            flag = 2 if card == 1 and minute > 300 else 1
            yield {
                "card_code": f"C{card}",
                "observed_at": BEGIN + timedelta(minutes=minute),
                "in_out_flag": flag,
                "area_id": chance.choice(AREAS),
                "entered_mine_at": entered,
                "quality": "GOOD",
            }


def event(chance: random.Random, number: int) -> Row:
    began = at(chance)
    return {
        "event_id": f"e{number}",
        "camera_code": f"K{number % 3}",
        "event_type": chance.choice(["V101", "V201"]),
        "began_at": began,
        "ended_at": began + timedelta(seconds=40) if number % 2 else None,
        "level": 1 + number % 4,
        "event_confidence": chance.random(),
        "state": chance.choice([0, 1, 2, 3]),
        "area_id": chance.choice(AREAS),
        "object_count": number % 5,
        "quality": "GOOD",
        "remark": "看过" if number % 7 == 0 else None,
    }


def quality(chance: random.Random) -> Iterator[Row]:
    for dataset, entities in (("silver.reading", ANALOGUE), ("silver.headcount", AREAS)):
        for entity in entities:
            for hour in hours():
                expected, received = chance.choice([0, 60]), chance.randrange(0, 70)
                yield {
                    "dataset": dataset,
                    "entity": entity,
                    "area_id": AREAS[0],
                    "hour": hour,
                    "expected": expected,
                    "received": received,
                    "completeness": min(received, 60) / 60 if expected else None,
                    "accuracy": chance.choice([None, 0.5, 1.0]),
                    "timeliness": chance.choice([None, 0.9]),
                }


def file(chance: random.Random, number: int) -> Row:
    parts = {
        f"records_{name}": chance.randrange(5)
        for name in ("stored", "quarantined", "rejected", "duplicate", "aside", "waiting")
    }
    sent = sum(parts.values()) + (1 if number == 3 else 0)
    return {
        "file_id": f"f{number}",
        "kind": chance.choice(["CDSS", "RYSS", None]),
        "name_kind": "CDDY",
        "header_time": at(chance),
        "records_sent": sent,
        **parts,
    }


def health(chance: random.Random) -> Iterator[Row]:
    for entity in ("A1", "A2"):
        for horizon in (10, 30):
            for hour in hours():
                persistence = chance.choice([0.0, 0.1, 0.2])
                yield {
                    "model": "methane_forecast",
                    "entity": entity,
                    "horizon_min": horizon,
                    "hour": hour,
                    "model_version": "1",
                    "forecasts": chance.randrange(3),
                    "mae_pct": chance.choice([None, 0.05, 0.3]),
                    "persistence_mae_pct": persistence,
                    "pinball_pct": 0.02,
                    "persistence_pinball_pct": 0.03,
                    "interval_held": chance.random(),
                    "out_of_range_share": 0.0,
                    "missing_share": chance.random(),
                    "is_degraded": chance.random() < 0.5,
                    "faults": "",
                }
