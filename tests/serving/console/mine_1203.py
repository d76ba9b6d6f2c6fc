"""A small mine as rows: both doors of a pair stood open, methane rises at longwall face 1203, power was cut.

The same story as that of the console's design, so that pictures of the page can be held beside it.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas import gold, reference, silver
from minefusion.schemas.catalog import site_path
from minefusion.schemas.settings import load_settings
from minefusion.schemas.site import Area, DoorPair, Edge, Node, Shift, Site, dump_site
from minefusion.schemas.site_escape import Exit, RefugeChamber
from minefusion.schemas.table import Table

MINE = "620000000012"
NOW = datetime(2026, 3, 2, 6, 30, 12, tzinfo=UTC)  # 14:30:12 at the mine
BEGIN = NOW.replace(hour=4, minute=0, second=0)
STEP_S = 30
DOORS_OPEN, DOORS_SHUT = NOW - timedelta(minutes=12, seconds=22), NOW - timedelta(minutes=8, seconds=20)
# Nine of the 23 at the face have left by then.
LEFT_AT = NOW - timedelta(minutes=3)
CAMERA, CAMERA_2 = "62000000001213100007", "62000000001213100008"
EVENT = "e1203"
Row = dict[str, Any]


def area(number: int) -> str:
    return f"{MINE}{number:04d}"


FACE, RETURN, INTAKE, HEADING, HEADING_2, BELT, MAIN_RETURN, ROAD = map(area, range(1, 9))
PIT, SUBSTATION, FACE_2, SHAFT, UPCAST, GOAF, REFUGE = map(area, range(9, 16))

AREAS = (
    Area(FACE, "1203综采工作面", "Longwall face 1203", "longwall_face", 25),
    Area(RETURN, "1203回风巷", "1203 return airway", "return_airway", 20),
    Area(INTAKE, "1203运输巷", "1203 haulage road", "intake_airway", 20),
    Area(HEADING, "1404回风巷掘进", "1404 return heading", "heading", 18),
    Area(HEADING_2, "1205运输巷掘进", "1205 haulage heading", "heading", 18),
    Area(BELT, "带式输送机大巷", "Main belt road", "belt_road"),
    Area(MAIN_RETURN, "总回风大巷", "Main return", "total_return"),
    Area(ROAD, "辅助运输大巷", "Main transport road", "main_intake"),
    Area(PIT, "井底车场", "Pit bottom", "pit_bottom"),
    Area(SUBSTATION, "中央变电所", "Central substation", "chamber", 10),
    Area(FACE_2, "1402综采工作面", "Longwall face 1402", "longwall_face", 25),
    Area(SHAFT, "副立井", "Service shaft", "shaft"),
    Area(UPCAST, "回风立井", "Upcast shaft", "shaft"),
    Area(GOAF, "1201采空区", "Goaf of 1201", "goaf", 0),
)
PLACES = {
    "A0": (0, 0), "A6": (150, 0), "A5": (320, 0), "A1": (620, 0), "A2": (1000, 0), "I0": (1300, 0), "H0": (1600, 0),
    "A4": (2000, 0), "B0": (0, 60), "B1": (2000, 60), "R0": (0, 120), "R4": (900, 120), "R3": (2000, 120),
    "X1": (1300, 260), "F2": (1300, 600), "F1": (900, 600), "X2": (900, 260), "H1": (1000, -360), "H2": (1600, 430),
    "L1": (320, -420), "L2": (620, -420), "C1": (150, -150), "S1": (-110, 0), "S2": (-110, 200), "G1": (700, 600),
}  # fmt: skip
_ROADS = (
    ("E01", "A0", "A6", PIT, "OTHER_ROAD", None), ("E02", "A6", "A5", ROAD, "MAIN_AIRWAY", None),
    ("E03", "A5", "A1", ROAD, "MAIN_AIRWAY", None), ("E04", "A1", "A2", ROAD, "MAIN_AIRWAY", None),
    ("E05", "A2", "I0", ROAD, "MAIN_AIRWAY", None), ("E06", "I0", "H0", ROAD, "MAIN_AIRWAY", None),
    ("E07", "H0", "A4", ROAD, "MAIN_AIRWAY", None), ("E08", "B1", "B0", BELT, "BELT_ROAD", None),
    ("E09", "R3", "R4", MAIN_RETURN, "MAIN_AIRWAY", "TOTAL_RETURN"),
    ("E10", "R4", "R0", MAIN_RETURN, "MAIN_AIRWAY", "TOTAL_RETURN"),
    ("E11", "I0", "X1", INTAKE, "BELT_ROAD", "LW_INTAKE_T3"), ("E12", "X1", "F2", INTAKE, "BELT_ROAD", "LW_INTAKE_T3"),
    ("E13", "F2", "F1", FACE, "COAL_FACE", "LW_FACE_T1"), ("E14", "F1", "X2", RETURN, "BELT_ROAD", "LW_RETURN_T2"),
    ("E15", "X2", "R4", RETURN, "BELT_ROAD", "LW_RETURN_T2"), ("E16", "X1", "X2", INTAKE, "OTHER_ROAD", None),
    ("E17", "A2", "H1", HEADING, "COAL_FACE", "HD_RETURN_T2"),
    ("E18", "H0", "H2", HEADING_2, "COAL_FACE", "HD_RETURN_T2"),
    ("E19", "A5", "L1", FACE_2, "COAL_FACE", "LW_INTAKE_T3"), ("E20", "L1", "L2", FACE_2, "COAL_FACE", "LW_FACE_T1"),
    ("E21", "L2", "A1", FACE_2, "COAL_FACE", "LW_RETURN_T2"), ("E22", "A6", "C1", SUBSTATION, "OTHER_ROAD", None),
    ("E23", "S1", "A0", SHAFT, "SHAFT_MAN", None), ("E24", "R0", "S2", UPCAST, "SHAFT_NO_HOIST", None),
    ("E25", "F1", "G1", GOAF, "OTHER_ROAD", None),
)  # fmt: skip


def edges() -> Iterator[Edge]:
    for edge_id, start, end, area_id, air, gas in _ROADS:
        length = math.dist(PLACES[start], PLACES[end])
        yield Edge(edge_id, start, end, area_id, air, gas, round(length, 1), 14.0, True, area_id in (BELT, INTAKE))  # type: ignore[arg-type]


SITE = Site(
    mine_code=MINE, name_zh="示范一矿", name_en="Demo Mine 1", severe_hazard=True, underground_cap=400,
    shifts=(Shift("早班", "Day shift", "08:00", 8.0), Shift("中班", "Late shift", "16:00", 8.0),
            Shift("夜班", "Night shift", "00:00", 8.0, "maintenance")),
    areas=AREAS, nodes=tuple(Node(name, float(x), float(y), 800.0) for name, (x, y) in PLACES.items()),
    edges=tuple(edges()), door_pairs=(DoorPair("FM-07", INTAKE, ("KG07", "KG08")),),
    exits=(Exit("A0", "副立井井底", "Service-shaft bottom"),),
    refuge_chambers=(RefugeChamber("BN1", "永久避难硐室", "Refuge chamber", "E04", 200.0, 100),),
)  # fmt: skip


def _point(code: str, quantity: str, area_id: str, edge: str, chainage: float, location: str = "", **more: Any) -> Row:
    units = {"ch4": "%", "co": "ppm", "air_velocity": "m/s", "temperature": "℃", "o2": "%"}
    is_switch = quantity not in units
    return {
        "point_id": code, "quantity": quantity, "unit": units.get(quantity), "area_id": area_id, "edge_id": edge,
        "chainage_m": chainage, "location": location, "period_s": float(STEP_S), "feed": silver.READING.name,
        "value_kind": "KG" if is_switch else "MN", "range_high": 4.0 if quantity == "ch4" else None,
        "limit_confidence": "confirmed",
    } | more  # fmt: skip


def _gas(
    code: str, area_id: str, edge: str, chainage: float, location: str, alarm: float, cut: float | None, gas_class: str
) -> Row:
    return _point(
        code, "ch4", area_id, edge, chainage, location, alarm=alarm, cut=cut, restore=cut, gas_class=gas_class
    )


POINTS = (
    _gas("MN00T0", FACE, "E13", 392, "1203综采工作面回风隅角T0甲烷", 1.0, 1.5, "LW_CORNER_T0"),
    _gas("MN00T1", FACE, "E13", 150, "1203综采工作面T1甲烷", 1.0, 1.5, "LW_FACE_T1"),
    _gas("MN00T2", RETURN, "E15", 70, "1203回风巷T2甲烷", 1.0, 1.0, "LW_RETURN_T2"),
    _gas("MN00T3", INTAKE, "E12", 60, "1203运输巷T3甲烷", 0.5, 0.5, "LW_INTAKE_T3"),
    _point("MN00V1", "air_velocity", FACE, "E13", 260, "1203综采工作面风速", low_alarm=0.25),
    _gas("MN05T2", HEADING_2, "E18", 180, "1205运输巷掘进T2甲烷", 1.0, 1.0, "HD_RETURN_T2"),
    _gas("MN04T1", HEADING, "E17", 300, "1404回风巷掘进T1甲烷", 1.0, 1.5, "HD_FACE_T1"),
    _gas("MN42T1", FACE_2, "E20", 150, "1402综采工作面T1甲烷", 1.0, 1.5, "LW_FACE_T1"),
    _gas("MN07R1", MAIN_RETURN, "E09", 300, "总回风大巷甲烷", 0.75, None, "TOTAL_RETURN"),
    _point("MN06C1", "co", BELT, "E08", 1500, "带式输送机大巷一氧化碳", alarm=24.0),
    _point("MN08V1", "air_velocity", ROAD, "E03", 100, "辅助运输大巷风速"),
    _point("MN10W1", "temperature", SUBSTATION, "E22", 100, "中央变电所温度", alarm=30.0),
    _point("KG07", "air_door", INTAKE, "E16", 180, "FM-07风门", on_desc="打开", off_desc="关闭"),
    _point("KG08", "air_door", INTAKE, "E16", 230, "FM-08风门", on_desc="打开", off_desc="关闭"),
    _point("KG01", "equipment_on", FACE, "E13", 200, "1203采煤机", on_desc="开", off_desc="停"),
    _point("KG02", "power_cutoff", FACE, "E13", 20, "1203断电器", on_desc="复电", off_desc="断电"),
    _point("KG03", "feed_detector", INTAKE, "E11", 200, "F-12馈电", on_desc="有电", off_desc="无电"),
    _point("KG11", "aux_fan", HEADING, "E05", 20, "1404局部通风机", on_desc="开", off_desc="停"),
    _point("KG12", "aux_fan", HEADING_2, "E06", 280, "1205局部通风机", on_desc="开", off_desc="停"),
    _point("KG20", "main_fan", UPCAST, "E24", 100, "主要通风机", on_desc="开", off_desc="停"),
)  # fmt: skip
QUANTITY = {each["point_id"]: each for each in POINTS}


def value(code: str, at: datetime) -> float:
    """What a point measures; a ripple that repeats, and the event."""
    minute = (NOW - at).total_seconds() / 60
    ripple = math.sin(at.timestamp() / 97) * 0.6 + math.sin(at.timestamp() / 31) * 0.4
    rise = max(0.0, min(1.0, (10.4 - minute) / 10.4))
    are_open = DOORS_OPEN <= at < DOORS_SHUT
    return {
        "MN00T0": 0.55 + 0.03 * ripple + 1.03 * rise, "MN00T1": 0.27 + 0.02 * ripple + 0.67 * rise,
        "MN00T2": 0.40 + 0.02 * ripple + 0.66 * rise, "MN00T3": 0.12 + 0.01 * ripple,
        "MN00V1": 1.9 + 0.05 * ripple - (0.75 if are_open else 0.45 if at >= DOORS_SHUT else 0),
        "MN05T2": 0.62 + 0.02 * ripple + 0.3 * rise, "MN04T1": 0.38 + 0.02 * ripple, "MN42T1": 0.41,
        "MN07R1": 0.42 + 0.01 * ripple, "MN06C1": 2 + ripple, "MN08V1": 4.1 + 0.1 * ripple,
        "MN10W1": 28.4 + 0.2 * ripple,
        "KG07": float(are_open), "KG08": float(are_open), "KG01": float(minute > 1.4 and not 36 < minute < 49),
        "KG02": float(minute > 1.35), "KG03": 1.0, "KG11": 1.0, "KG12": 1.0, "KG20": 1.0,
    }[code]  # fmt: skip


def _readings() -> list[Row]:
    rows = []
    for step in range(int((NOW - BEGIN).total_seconds() // STEP_S) + 1):
        at = BEGIN + timedelta(seconds=STEP_S * step)
        minute = (NOW - at).total_seconds() / 60
        for code, point in QUANTITY.items():
            if code == "MN00T1" and 30 < minute < 35:
                continue  # five minutes without a value
            quality, reasons = ("SUSPECT", "STUCK") if code == "MN42T1" and minute < 30 else ("GOOD", "")
            if code == "MN00T2" and 42.5 < minute < 46.5:
                quality, reasons = "SUSPECT", "CALIBRATION"
            told = 1.2 if reasons == "CALIBRATION" else round(value(code, at), 2)
            rows.append({
                "point_id": code, "quantity": point["quantity"], "unit": point["unit"], "area_id": point["area_id"],
                "observed_at": at, "value": told, "quality": quality, "quality_reasons": reasons,
            })  # fmt: skip
    return rows


PEOPLE = {FACE: 14, RETURN: 2, INTAKE: 9, HEADING: 19, HEADING_2: 16, BELT: 8, MAIN_RETURN: 2, ROAD: 27, PIT: 31,
          SUBSTATION: 2, FACE_2: 24}  # fmt: skip
_TRADES = ("采煤机司机", "支架工", "瓦检员", "电工", "跟班队长", "运输工")
_NAMES = ["张志强", "李明", "王海", "赵刚", "孙立", "周平", "吴军", "郑伟", "钱江", "冯涛"]


def _why(area_id: str, level: int) -> tuple[str, str]:
    if area_id == FACE:
        return (
            "红色 G-01：1203综采工作面回风隅角T0甲烷：甲烷 1.58 %，达到断电值 1.50 %；红色。",
            "red G-01: Longwall face 1203, T0: methane 1.58 %, at or over the power-cut limit 1.50 %; red.",
        )
    if area_id == HEADING:
        return (
            "橙色 P-01：1404回风巷掘进：超员 19 人，核定 18 人；橙色。",
            "orange P-01: 1404 return heading: 19 people, cap 18.",
        )
    return ("各项指标正常。", "All indices normal.") if not level else ("黄色：接近限值。", "yellow: near the limit.")


def _minutes() -> list[Row]:
    rows = []
    caps = {each.area_id: each.cap for each in AREAS}
    for number in range(int((NOW - BEGIN).total_seconds() // 60)):
        at = BEGIN + timedelta(minutes=number)
        for each in AREAS:
            here = [code for code, point in QUANTITY.items() if point["area_id"] == each.area_id]
            of = {QUANTITY[code]["quantity"]: value(code, at) for code in here}
            ch4 = max((value(code, at) for code in here if QUANTITY[code]["quantity"] == "ch4"), default=None)
            level = {FACE: 4 if (ch4 or 0) >= 1.0 else 0, HEADING: 3, HEADING_2: 2 if (ch4 or 0) >= 0.9 else 0}.get(
                each.area_id, 0
            )
            is_goaf = each.kind == "goaf"
            zh, en = _why(each.area_id, level)
            rows.append({
                "area_id": each.area_id, "minute": at, "level": None if is_goaf else level, "why_zh": zh, "why_en": en,
                "people_count": PEOPLE.get(each.area_id, 0) + (9 if each.area_id == FACE and at < LEFT_AT else 0),
                "people_cap": caps[each.area_id], "ch4_pct_max": None if ch4 is None else round(ch4, 2),
                "ch4_pct_trend_per_h": 4.8 if each.area_id == FACE and level else 0.0, "co_ppm_max": of.get("co"),
                "air_velocity_m_s": of.get("air_velocity"), "temperature_c": of.get("temperature"),
                "readings_expected": max(1, len(here)), "readings_good": 0 if is_goaf else max(1, len(here)),
            })  # fmt: skip
    return rows


def _alarm(kind: str, entity: str, area_id: str, minutes: float, level: int, zh: str, en: str, **more: Any) -> Row:
    raised = NOW - timedelta(minutes=minutes)
    return {
        "alarm_id": f"{kind}:{MINE}:{entity}:{raised:%Y%m%dT%H%M%S}", "kind": kind, "area_id": area_id,
        "entity": entity, "point_id": entity if entity in QUANTITY else None, "level": level, "raised_at": raised,
        "unit": "%", "legal_exceeded": level == 4, "people_in_area": 23, "marks": "", "sentence_zh": zh,
        "sentence_en": en,
    } | more  # fmt: skip


ALARMS = (
    _alarm(
        "V-01", FACE, FACE, 9.7, 3,
        "1203综采工作面：风量 1034 m³/min，需风量 1100 m³/min，供需比 0.94；橙色",
        "Longwall face 1203: air 1034 of 1100 m³/min, ratio 0.94; orange",
    ),
    _alarm(
        "G-01", "MN00T0", FACE, 1.37, 4,
        "1203综采工作面回风隅角T0甲烷：甲烷最高 1.58 %",
        "Longwall face 1203, T0: methane up to 1.58 %", peak_value=1.58,
    ),
    _alarm(
        "G-01", "MN00T2", RETURN, 0.87, 4,
        "1203回风巷T2甲烷：甲烷最高 1.06 %",
        "1203 return airway, T2: methane up to 1.06 %", peak_value=1.06,
    ),
    _alarm(
        "YCBJ-003", "KG03", INTAKE, 0.8, 4,
        "1203运输巷 F-12馈电：断电后负荷侧仍有电压",
        "1203 haulage road, feed F-12: still live after cut-off", unit=None,
    ),
    _alarm(
        "P-01", HEADING, HEADING, 19.1, 3,
        "1404回风巷掘进：19 人，核定 18 人",
        "1404 return heading: 19 people, cap 18", unit="person", legal_exceeded=False,
    ),
    _alarm(
        "G-02", "MN05T2", HEADING_2, 2.4, 2,
        "1205运输巷掘进T2甲烷：甲烷变化 0.06 %/min",
        "1205 haulage heading, T2: methane changes 0.06 %/min", legal_exceeded=False,
    ),
    _alarm(
        "YCBJ-004", "MN42T1", FACE_2, 32, 1,
        "1402综采工作面T1甲烷：30 min 无变化，邻点在变",
        "Longwall face 1402, T1: flat for 30 min while peers move", legal_exceeded=False,
    ),
)  # fmt: skip
METHANE, FEED, CROWD = ALARMS[1]["alarm_id"], ALARMS[3]["alarm_id"], ALARMS[4]["alarm_id"]


def _forecasts() -> Iterator[Row]:
    for back in range(15):
        issued = NOW.replace(second=0) - timedelta(minutes=back)
        for point, area_id in (("MN00T0", FACE), ("MN05T2", HEADING_2)):
            for horizon, middle, half in ((3, 1.56, 0.10), (5, 1.46, 0.16), (10, 1.22, 0.28), (15, 1.05, 0.38)):
                yield {
                    "point_id": point, "area_id": area_id, "issued_at": issued, "horizon_min": horizon,
                    "target_at": issued + timedelta(minutes=horizon), "q10_pct": middle - half, "q50_pct": middle,
                    "q90_pct": middle + half, "low_pct": middle - half, "high_pct": middle + half, "limit_pct": 1.0,
                    "reach_chance": 0.38, "is_warning": point == "MN05T2" and back < 2,
                    "sentence_zh": f"预测 1205 运输巷 T2 {horizon} min 后 0.98 %",
                    "sentence_en": f"Forecast 1205 T2: 0.98 % in {horizon} min",
                }  # fmt: skip


def tables() -> Iterator[tuple[Table, list[Row]]]:
    areas = [
        {"area_id": each.area_id, "name_zh": each.name_zh, "name_en": each.name_en, "kind": each.kind, "cap": each.cap}
        for each in AREAS
    ]
    yield silver.AREA, areas
    nodes, roads = SITE.to_frames()
    yield reference.ROADWAY_NODE, nodes
    yield reference.ROADWAY_EDGE, roads
    yield silver.POINT, list(POINTS)
    yield silver.READING, _readings()
    yield gold.AREA_MINUTE, _minutes()
    minutes = [BEGIN + timedelta(minutes=each) for each in range(151)]
    yield (
        silver.HEADCOUNT,
        [{"area_id": MINE, "observed_at": at, "people_count": 212, "leaders_count": 2} for at in minutes],
    )
    lengths = {each["edge_id"]: each for each in roads}
    of_area = {name: [each for each in lengths.values() if each["area_id"] == name] for name in PEOPLE}

    def road(area_id: str, number: int) -> Row:
        return of_area[area_id][number % len(of_area[area_id])]

    people = [(area_id, number) for area_id, count in PEOPLE.items() for number in range(count)]
    yield silver.PERSON, [
        {"card_code": f"C{place}", "name": _NAMES[place % len(_NAMES)], "work_type": _TRADES[place % len(_TRADES)]}
        for place in range(len(people))
    ]  # fmt: skip
    yield silver.POSITION, [
        {
            "card_code": f"C{place}", "observed_at": at, "in_out_flag": 1, "area_id": area_id, "quality": "GOOD",
            "edge_id": road(area_id, number)["edge_id"],
            "chainage_m": road(area_id, number)["length_m"] * ((number * 0.37 + 0.05) % 0.95),
        }
        for place, (area_id, number) in enumerate(people)
        for at in minutes[-60::2]
    ]  # fmt: skip
    yield gold.ALARM, list(ALARMS)
    yield gold.METHANE_FORECAST, list(_forecasts())
    yield gold.ALARM_CAUSE, [
        {"alarm_id": METHANE, "rank": rank, "area_id": FACE, "point_id": "MN00T0", "raised_at": ALARMS[1]["raised_at"],
         "cause": cause, "score": score, "sentence_zh": f"可能原因：{zh}", "sentence_en": f"Likely cause: {en}"}
        for rank, (cause, score, zh, en) in enumerate((
            ("doors_and_fans", 0.86, "风门 FM-07/08 同时开启 242 s，风流短路", "doors FM-07/08 both open 242 s"),
            ("production", 0.09, "割煤涌出", "cutting"),
        ), 1)
    ]  # fmt: skip
    yield gold.ESCAPE_ROUTE, [
        {"person_hash": f"h{number}", "minute": NOW.replace(second=0) - timedelta(minutes=1), "area_id": FACE,
         "edge_id": "E13", "answer": "refuge", "goal_id": "BN1", "length_m": 1180.0, "walk_min": 20.0,
         "roadways": json.dumps(["E13", "E12", "E11", "E05", "E04"])}
        for number in range(3)
    ]  # fmt: skip
    yield silver.CAMERA, [
        {"camera_code": code, "name": name, "area_id": area_id, "edge_id": edge, "chainage_m": at, "is_online": True}
        for code, name, area_id, edge, at in (
            (CAMERA, "C-07 运输巷机头", INTAKE, "E12", 300.0),
            (CAMERA_2, "C-15 掘进头", HEADING, "E17", 320.0),
        )
    ]  # fmt: skip
    yield gold.UNSAFE_BEHAVIOUR, [
        {"event_id": EVENT, "camera_code": CAMERA, "area_id": INTAKE, "behaviour": "no_helmet", "event_type": "V101",
         "level": 2, "began_at": NOW - timedelta(seconds=14), "raised_at": NOW - timedelta(seconds=12),
         "event_confidence": 0.91, "snapshot_uri": f"evidence/2026-03-02/{EVENT}.jpg",
         "clip_uri": f"evidence/2026-03-02/{EVENT}.mp4", "sentence_zh": "3 人，正撤离",
         "sentence_en": "3 people, moving out"}
    ]  # fmt: skip
    yield silver.VIDEO_EVENT, [
        {"event_id": "v1", "camera_code": CAMERA_2, "event_type": "V201", "began_at": NOW - timedelta(minutes=4),
         "ended_at": NOW - timedelta(minutes=3), "level": 3, "quality": "GOOD", "area_id": HEADING,
         "event_confidence": 0.91}
    ]  # fmt: skip


def picture() -> np.ndarray:
    """A grey roadway with three people, 320 × 192."""
    shown = np.full((192, 320, 3), 48, np.uint8)
    shown[90:, :, :] = 66
    for x, tall in ((150, 40), (190, 56), (240, 84)):
        shown[150 - tall : 150, x : x + tall // 3] = 142
        shown[150 - tall : 156 - tall, x : x + tall // 3] = 210
    return shown


def clip() -> bytes:
    """One second of it as H.264."""
    held = io.BytesIO()
    with av.open(held, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 320, 192, "yuv420p", Fraction(1, 5)
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(picture(), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return held.getvalue()


def snapshot() -> bytes:
    held = io.BytesIO()
    with av.open(held, "w", format="image2pipe") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(), format="rgb24").reformat(format="yuvj420p")))
        container.mux(stream.encode())
    return held.getvalue()


def write(lake: Path) -> Path:
    """The mine's lake, with its site file and the evidence of its camera."""
    engine = LightEngine(load_settings(lake=lake))
    for table, given in tables():
        whole = [dict.fromkeys(table.names) | {"mine_code": MINE} | row for row in given]
        for row in whole:
            if "day" in row and table.time:
                row["day"] = row[table.time].date().isoformat()
        engine.append(table, engine.frame(whole, table.arrow_schema()))
    path = site_path(lake, MINE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump_site(SITE), encoding="utf-8")
    folder = lake / "evidence" / "2026-03-02"
    folder.mkdir(parents=True)
    (folder / f"{EVENT}.jpg").write_bytes(snapshot())
    (folder / f"{EVENT}.mp4").write_bytes(clip())
    return lake
