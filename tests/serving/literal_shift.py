"""One invented shift as literal rows, written into a lake by the light engine: what the report's tests read.

Two alarms at a face (one of them over range in the end), one over-crowding, one alarm that the mine reports; a gap, a
calibration, an area without data, a door and a fan that change state. Names hold what must stay inert in a page.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas import gold, silver
from minefusion.schemas.catalog import site_path
from minefusion.schemas.settings import load_settings
from minefusion.schemas.site import Area, Edge, Node, Shift, Site, dump_site
from minefusion.schemas.table import Table
from minefusion.serving.reader import Reader

MINE = "620000000001"
START = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)  # 08:00 at the mine
END = START + timedelta(hours=8)
FACE, HEADING, BELT, GOAF = (f"{MINE}{number:02d}" for number in (1, 2, 3, 4))
CORNER, RETURN, HEADING_GAS, BELT_CO = "MN0001T0", "MN0001T2", "MN0001H1", "MN0004B1"
DOOR, FAN, STEADY_FAN, VELOCITY = "KG1002D1", "KG1001F1", "KG1001F2", "MN0002V1"
HOSTILE = '<script>alert("气")</script><img src=x onerror=alert(1)>'
# The worst sample of the return corner stands alone between two ordinary ones.
SPIKE_AT, SPIKE = START + timedelta(hours=3, minutes=12, seconds=10), 1.87

Row = dict[str, Any]

SITE = Site(
    mine_code=MINE,
    name_zh="示范一矿",
    name_en="Example mine 1",
    severe_hazard=True,
    underground_cap=60,
    shifts=(Shift("早班", "Morning shift", "08:00", 8.0), Shift("中班", "Afternoon shift", "16:00", 8.0)),
    areas=(
        Area(FACE, "1203 综采工作面", "Longwall face 1203", "longwall_face", cap=25),
        Area(HEADING, "1404 回风巷掘进", "Heading 1404", "heading", cap=18),
        Area(BELT, f"带式输送机大巷{HOSTILE}", "Belt road", "belt_road"),
        Area(GOAF, "1201 采空区", "Goaf 1201", "goaf"),
    ),
    nodes=(Node("N1", 0, 0, 0), Node("N2", 100, 0, 0)),
    edges=(Edge("E1", "N1", "N2", FACE, "COAL_FACE", "LW_CORNER_T0", 100.0, 12.0),),
)


def point(point_id: str, quantity: str, unit: str | None, area_id: str, location: str, **more: Any) -> Row:
    limits = (
        {"limit_rule": "CH4-001", "limit_source": "AQ 1029", "limit_confidence": "confirmed"}
        if quantity == "ch4"
        else {}
    )
    return {
        "point_id": point_id, "quantity": quantity, "unit": unit, "area_id": area_id, "location": location,
        "period_s": 10.0, **limits, **more,
    }  # fmt: skip


POINTS = (
    point(CORNER, "ch4", "%", FACE, "1203 回风隅角 T0", alarm=1.0, cut=1.5, restore=1.0, range_high=4.0),
    point(RETURN, "ch4", "%", FACE, "1203 回风巷 T2", alarm=1.0, cut=1.0, restore=1.0, range_high=4.0),
    point(HEADING_GAS, "ch4", "%", HEADING, f"1404 迎头 {HOSTILE}", alarm=1.0, cut=1.5, restore=1.0, range_high=4.0),
    point(
        BELT_CO, "co", "ppm", BELT, "带式输送机 2# 滚筒", alarm=24.0, limit_confidence="inferred", limit_source="CO-001"
    ),
    point(DOOR, "air_door", None, FACE, "FM-07", on_desc="打开", off_desc="关闭"),
    point(FAN, "aux_fan", None, HEADING, "1404 局部通风机", on_desc="开", off_desc="停"),
    point(STEADY_FAN, "aux_fan", None, HEADING, "1404 备用局部通风机", on_desc="开", off_desc="停"),
    point(VELOCITY, "air_velocity", "m/s", FACE, "1203 回风巷", alarm=4.0, low_alarm=0.25),
)

ALARMS = (
    {
        "alarm_id": "a1", "kind": "G-01", "area_id": FACE, "point_id": CORNER, "level": 4, "minutes": (190, 214),
        "peak_value": SPIKE, "unit": "%", "legal_exceeded": True, "people_in_area": 23,
        "sentence_zh": "1203 综采工作面 回风隅角：甲烷 1.87 %，≥ 断电值 1.50 %",
        "sentence_en": "Longwall face 1203, return corner: methane 1.87 %, at or over the cut-off 1.50 %",
    },
    {
        "alarm_id": "a2", "kind": "G-01", "area_id": HEADING, "point_id": HEADING_GAS, "level": 4,
        "minutes": (440, None), "peak_value": 4.0, "unit": "%", "legal_exceeded": True, "people_in_area": 0,
        "marks": "SATURATED",
        "sentence_zh": "1404 迎头：甲烷 ≥ 4.00 %，传感器超量程",
        "sentence_en": "Heading 1404: methane ≥ 4.00 %, over range",
    },
    {
        "alarm_id": "a3", "kind": "F-10", "area_id": BELT, "point_id": BELT_CO, "level": 3, "minutes": (62, 71),
        "peak_value": 12.0, "unit": "ppm", "legal_exceeded": False, "people_in_area": 5,
        "sentence_zh": "2# 滚筒：一氧化碳 12 ppm", "sentence_en": "Drum 2: carbon monoxide 12 ppm",
    },
    {
        "alarm_id": "a4", "kind": "P-01", "area_id": FACE, "point_id": None, "level": 3, "minutes": (300, 322),
        "peak_value": 29.0, "unit": "person", "legal_exceeded": False, "people_in_area": 29,
        "sentence_zh": "1203 综采工作面：29 人，核定 25 人", "sentence_en": "Longwall face 1203: 29 people, cap 25",
    },
    {
        "alarm_id": "a5", "kind": "YCBJ-001", "area_id": FACE, "point_id": CORNER, "level": 3, "minutes": (191, 213),
        "peak_value": 1.8, "unit": "%", "legal_exceeded": False, "people_in_area": None,
        "sentence_zh": f"矿方上报 {HOSTILE}", "sentence_en": f"Reported by the mine {HOSTILE}",
    },
)  # fmt: skip

# Area → spans of (first minute, level, why); a span lasts until the next. None: insufficient data.
LEVELS: dict[str, list[tuple[int, int | None, str]]] = {
    FACE: [
        (0, 0, ""), (150, 1, "甲烷 0.82 %"), (176, 2, "甲烷 0.93 %"), (190, 4, "回风隅角甲烷超限"), (214, 1, "回落"),
        (228, 0, ""), (300, 3, "超员 29 / 25"), (322, 0, ""),
    ],
    HEADING: [(0, 0, ""), (96, None, ""), (120, 0, ""), (430, 3, "甲烷 1.1 %"), (440, 4, "迎头甲烷超限")],
    BELT: [(0, 0, ""), (62, 3, "一氧化碳 12 ppm"), (71, 0, "")],
    GOAF: [(0, None, "")],
}  # fmt: skip

INDEX_NAMES = {"G-01": ("甲烷超限", "methane exceedance"), "P-01": ("超员", "overcrowding")}
_NONE = {"rejected": 0, "duplicate": 0, "aside": 0, "waiting": 0}
BALANCE = (
    {"kind": "CDSS", "files": 960, "sent": 69120, "stored": 69100, "quarantined": 20, **_NONE, "ok": True},
    {"kind": "RYSS", "files": 480, "sent": 91230, "stored": 91229, "quarantined": 0, **_NONE, "ok": False},
)


def readings() -> Iterator[Row]:
    for index in range(8 * 360):
        at = START + timedelta(seconds=10 * index)
        minute = index / 6
        wobble = 0.03 * math.sin(index / 7) + 0.02 * math.sin(index / 31)
        corner = 0.52 + wobble + 1.1 * math.exp(-(((minute - 200) / 12) ** 2))
        if not 96 <= minute < 131:
            yield reading(RETURN, at, 0.36 + 0.7 * wobble)
        calibrating = 40 <= minute < 52
        value = SPIKE if at == SPIKE_AT else min(corner, 1.7)
        yield reading(CORNER, at, 2.1 if calibrating else value, *(("BAD", "CALIBRATION") if calibrating else ()))
        saturated = minute >= 455
        climb = 0.3 + wobble + max(0.0, minute - 425) * 0.07
        yield reading(HEADING_GAS, at, 4.0 if saturated else climb, *(("SUSPECT", "SATURATED") if saturated else ()))
        yield reading(BELT_CO, at, round(4 + 8 * math.exp(-(((minute - 66) / 6) ** 2))))
        yield reading(DOOR, at, float(182 <= minute < 186.2 or 60 <= minute < 61))
        yield reading(FAN, at, float(not 420 <= minute < 470))
        yield reading(STEADY_FAN, at, 0.0)
        yield reading(VELOCITY, at, 1.9 + wobble)


def reading(point_id: str, at: datetime, value: float, quality: str = "GOOD", reasons: str = "") -> Row:
    return {
        "point_id": point_id,
        "observed_at": at,
        "value": round(value, 2),
        "quality": quality,
        "quality_reasons": reasons,
    }


def people(area_id: str, minute: int) -> int | None:
    if area_id == FACE:
        return 29 if 300 <= minute < 322 else 22 if 30 <= minute < 450 else 6
    return {HEADING: 14 if 40 <= minute < 425 else 0, BELT: 5}.get(area_id)


def area_minutes() -> Iterator[Row]:
    caps = {area.area_id: area.cap for area in SITE.areas}
    for area_id, spans in LEVELS.items():
        for minute in range(480):
            _, level, why = next(span for span in reversed(spans) if span[0] <= minute)
            yield {
                "area_id": area_id, "minute": START + timedelta(minutes=minute), "level": level, "why_zh": why,
                "why_en": f"level {level}", "people_count": people(area_id, minute), "people_cap": caps[area_id],
            }  # fmt: skip


def alarm_rows() -> Iterator[Row]:
    for alarm in ALARMS:
        raised, cleared = alarm["minutes"]
        at = {
            "raised_at": START + timedelta(minutes=raised),
            "cleared_at": cleared and START + timedelta(minutes=cleared),
        }
        yield {**alarm, **at, "entity": alarm["point_id"] or alarm["area_id"]}


def index_rows() -> Iterator[Row]:
    at = START + timedelta(minutes=200)
    for kind, area_id, entity, level, source, mark in (
        ("G-01", FACE, CORNER, 4, "CH4-001", "confirmed"),
        ("P-01", FACE, FACE, 3, "site", "mine"),
        ("F-10", BELT, BELT_CO, 3, "own default", "advisory"),
    ):
        limits = {"limit_source": source, "limit_confidence": mark}
        index = {"index_id": kind, "area_id": area_id, "entity": entity, "window_start": at}
        yield {**index, "value": 1.0, "level": level, **limits}


def quality_rows() -> Iterator[Row]:
    finding = {
        "code": "OUTSIDE_REPORTED",
        "count": 3,
        "zh": "重算极值超出上报值",
        "en": "recomputed extreme outside the reported",
    }
    for hour in range(8):
        for entity, area_id, came in ((CORNER, FACE, 360), (RETURN, FACE, 360 if hour != 1 else 150)):
            yield {
                "dataset": "silver.reading",
                "entity": entity,
                "area_id": area_id,
                "hour": START + timedelta(hours=hour),
                "expected": 360,
                "received": came,
                "completeness": came / 360,
                "accuracy": 0.99,
                "timeliness": 1.0,
                "findings": json.dumps([finding] if hour == 2 and entity == CORNER else []),
            }


def headcounts() -> Iterator[Row]:
    for minute in range(480):
        total = sum(people(area, minute) or 0 for area in LEVELS)
        yield {
            "area_id": MINE,
            "observed_at": START + timedelta(minutes=minute),
            "people_count": total,
            "leaders_count": 1,
        }


def area_rows() -> Iterator[Row]:
    for area in SITE.areas:
        cap = {
            "cap": area.cap,
            "cap_source": "site" if area.cap else None,
            "cap_confidence": "mine" if area.cap else None,
        }
        yield {"area_id": area.area_id, "name_zh": area.name_zh, "name_en": area.name_en, "kind": area.kind, **cap}


def write(lake: Path, tables: dict[Table, Any]) -> Reader:
    """Write rows of `MINE`, with the day of their time, and open the lake for reading."""
    engine = LightEngine(load_settings(lake=lake))
    for table, rows in tables.items():
        full = []
        for row in rows:
            day = {"day": f"{row[table.time]:%Y-%m-%d}"} if table.time else {}
            full.append({**dict.fromkeys(table.names), "mine_code": MINE, **row, **day})
        named = [{name: row[name] for name in table.names} for row in full]
        engine.append(table, engine.frame(named, table.arrow_schema()))
    path = site_path(lake, MINE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump_site(SITE), encoding="utf-8")
    return Reader(lake)


SHIFT: dict[Table, Any] = {
    silver.POINT: POINTS,
    silver.AREA: tuple(area_rows()),
    silver.READING: tuple(readings()),
    silver.HEADCOUNT: tuple(headcounts()),
    gold.AREA_MINUTE: tuple(area_minutes()),
    gold.ALARM: tuple(alarm_rows()),
    gold.HAZARD_INDEX: tuple(index_rows()),
    gold.DATA_QUALITY: tuple(quality_rows()),
}
