"""Master data: points, substations, stations, areas and people, each one row per key.

These tables are small (a mine has hundreds to thousands of points), so they are worked out in process from the rows
that are already there and the definitions that are new; the same code serves both engines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from minefusion.pipelines.conform.place import UNPLACED, Gazetteer, gas_class_of
from minefusion.schemas.exchange.grammar import MINE_UTC_OFFSET_H, dictionary, kinds
from minefusion.schemas.exchange.measures import equipment_kinds, usual_measures
from minefusion.schemas.limits import effective_limit, headcount_cap, limits_for
from minefusion.schemas.sensors import sensor_type, sensor_type_by_name
from minefusion.schemas.silver import READING
from minefusion.schemas.site import Area
from minefusion.schemas.units import unit_factor

Row = dict[str, Any]

# <mine 10-20><system 2><kind 2 letters><type 4><inner 1-8> (PC-7)
_POINT_CODE = re.compile(r"^[0-9A-Z]{10,20}[0-9]{2}(?P<kind>MN|KG|LJ|DT)(?P<type>[0-9]{4})[0-9A-Z]{1,8}$")
_DEFAULT_PERIOD_S = 30.0
# Where the sender's word for 1 says "closed" or "stopped", its 0 and 1 are the standard's turned round (PC-9).
_OFF_WORDS = ("关", "停", "无", "断", "close", "stop", "off")
_ON_WORDS = ("开", "运行", "有", "合", "open", "run", "on")


def newest(existing: Iterable[Row], new: Iterable[Row], key: Sequence[str]) -> dict[tuple, Row]:
    """One row per key: the one sent last; of two sent together the later file and position.

    A thing that no definition names is what all the files together say of it, whichever came first.
    """
    chosen: dict[tuple, Row] = {}
    for row in [*existing, *new]:
        identity = tuple(row[name] for name in key)
        held = chosen.get(identity)
        if held is not None and not held["is_defined"] and not row["is_defined"]:
            chosen[identity] = _together(held, row)
        elif held is None or _sent(row) >= _sent(held):
            chosen[identity] = row
    return chosen


def _sent(row: Row) -> tuple:
    return (row["is_defined"], row["sent_at"], row["file_id"] or "", row.get("position") or 0)


def _together(one: Row, other: Row) -> Row:
    """Of two rows about a thing that is not defined: the first time it was seen, and the largest of each word."""
    words = {
        name: max(one.get(name) or "", other.get(name) or "") or None
        for name in (one.keys() | other.keys()) - {"is_defined", "sent_at"}
    }
    return words | {"is_defined": False, "sent_at": min(one["sent_at"], other["sent_at"])}


def _float(text: Any) -> float | None:
    """A number; null where the text is none (a coordinate may hold words)."""
    if text is None or isinstance(text, float):
        return text
    try:
        return float(text)
    except ValueError:
        return None


def point_row(defined: Row, gazetteer: Gazetteer, period_s: float | None) -> Row:
    """silver.point of one definition (or of a point whose values alone were seen)."""
    code = defined["point_id"]
    coded = _POINT_CODE.match(code)
    measure = usual_measures().get(defined.get("told_by") or "")
    usual = measure.types[0] if measure and measure.types else None
    type_code = defined.get("sensor_type") or (coded["type"] if coded else None)
    kind = sensor_type(type_code) or sensor_type_by_name(defined.get("sensor_type_name")) or usual
    sent_unit = defined.get("sent_unit") or None
    unit = kind.unit if kind else sent_unit
    factor = 1.0 if kind is None or not sent_unit or not kind.unit else unit_factor(sent_unit, kind.unit)
    location = defined.get("location") or ""
    if (area_name := defined.get("area_name") or "") not in location:
        location = f"{area_name} {location}".strip()
    if measure:
        period_s = kinds()[measure.kind].period_s or period_s
    x, y, z = (_float(defined.get(axis)) for axis in "xyz")
    place = gazetteer.place(code, x, y, z, location)
    edge = gazetteer.edge(place.edge_id)
    fixed = gazetteer.fixed_gas_class(code)
    quantity = kind.quantity if kind else "unknown"
    gas_class = None
    if quantity == "ch4":
        gas_class = fixed or gas_class_of(location, edge.gas_class if edge else None)
    # Senders fill a limit that is not set with 0.
    mine = {
        name: _float(defined.get(name)) or None for name in ("mine_alarm", "mine_cut", "mine_restore", "mine_low_alarm")
    }
    on_desc, off_desc = defined.get("on_desc") or "", defined.get("off_desc") or ""
    row: Row = {
        "mine_code": defined["mine_code"],
        "point_id": code,
        "sensor_type": kind.code if kind else type_code,
        "quantity": quantity,
        "unit": unit,
        "sent_unit": sent_unit,
        "unit_factor": factor,
        "value_kind": defined.get("value_kind") or (coded["kind"] if coded else None),
        "location": location,
        "x": x,
        "y": y,
        "z": z,
        "area_id": place.area_id,
        "edge_id": place.edge_id,
        "chainage_m": place.chainage_m,
        "place_method": place.method,
        "gas_class": gas_class,
        "air_class": edge.air_class if edge else None,
        "section_m2": edge.section_m2 if edge else None,
        **_range(_float(defined.get("range_low")), _float(defined.get("range_high"))),
        **mine,
        "is_inverted": _is_inverted(on_desc, off_desc),
        "on_desc": on_desc or None,
        "off_desc": off_desc or None,
        "relations": defined.get("relations"),
        "period_s": period_s or _DEFAULT_PERIOD_S,
        "feed": measure.table if measure else READING.name,
        "told_by": measure and defined["told_by"],
        "is_defined": defined["is_defined"],
        "sent_at": defined["sent_at"],
        "file_id": defined["file_id"],
    }
    return row | _limits(row)


def _range(low: float | None, high: float | None) -> Row:
    """The instrument's range; one without width, such as 0 to 0, is none."""
    is_one = high is not None and high > (low or 0.0)
    return {"range_low": low if is_one else None, "range_high": high if is_one else None}


def _is_inverted(on_desc: str, off_desc: str) -> bool:
    on_says_off = any(word in on_desc.lower() for word in _OFF_WORDS) and not any(
        w in on_desc.lower() for w in _ON_WORDS
    )
    off_says_on = any(word in off_desc.lower() for word in _ON_WORDS) and not any(
        w in off_desc.lower() for w in _OFF_WORDS
    )
    return on_says_off and off_says_on


def _limits(row: Row) -> Row:
    """Limits that hold for the point: the stricter of the law's and the mine's own (PC-60)."""
    if row["quantity"] == "ch4":
        limit = effective_limit(row["gas_class"], row["mine_alarm"], row["mine_cut"], row["mine_restore"])
        return {
            "alarm": limit.alarm,
            "cut": limit.cut,
            "restore": limit.restore,
            "low_alarm": row["mine_low_alarm"],
            "limit_rule": limit.rule,
            "limit_source": limit.source,
            "limit_confidence": limit.confidence,
            "limit_note": limit.note,
        }
    law = next(iter(limits_for("ANY_UG", row["quantity"])), None)
    alarm = min((v for v in (law.alarm if law else None, row["mine_alarm"]) if v is not None), default=None)
    from_law = law is not None and alarm == law.alarm
    return {
        "alarm": alarm,
        "cut": row["mine_cut"],
        "restore": row["mine_restore"],
        "low_alarm": row["mine_low_alarm"],
        "limit_rule": law.rule_id if law and from_law else ("mine" if alarm is not None else None),
        "limit_source": law.source if law and from_law else ("CDDY" if alarm is not None else None),
        "limit_confidence": law.confidence if law and from_law else ("mine" if alarm is not None else None),
        "limit_note": "LIMIT_LOOSER_THAN_LAW"
        if law and law.alarm is not None and (row["mine_alarm"] or 0) > law.alarm
        else None,
    }


def area_row(mine_code: str, area_id: str, area: Area | None, told: Row | None, *, severe_hazard: bool) -> Row:
    """silver.area of one area: the site file's view and the positioning system's (RYQY) joined.

    The head-count cap that holds is the strictest of site, RYQY and national rule (PC-63).
    """
    told = told or {}
    caps: list[tuple[int, str, str]] = []
    if (approved := _float(told.get("approved_count"))) is not None:
        caps.append((int(approved), "RYQY", "mine"))
    if area and area.cap is not None:
        caps.append((area.cap, "site", "mine"))
    national = headcount_cap(area.kind, severe_hazard) if area else None
    if national is not None and national.alarm is not None:
        caps.append((int(national.alarm), national.rule_id, national.confidence))
    is_restricted = bool(area and area.is_restricted) or told.get("area_type") == "限制区域"
    # A cap of 0 is how senders write "none", but for an area that nobody may enter.
    caps = [cap for cap in caps if cap[0] > 0 or is_restricted]
    cap = min(caps, default=(None, None, None))
    name = told.get("area_name") or area_id
    return {
        "mine_code": mine_code,
        "area_id": area_id,
        "name_zh": area.name_zh if area else name,
        "name_en": area.name_en if area else name,
        "kind": area.kind if area else None,
        "area_type": told.get("area_type"),
        "cap": cap[0],
        "cap_source": cap[1],
        "cap_confidence": cap[2],
        "is_restricted": is_restricted,
        "is_muster": bool(area and area.is_muster),
        "needs_two_people": bool(area and area.needs_two_people),
        "sent_at": told.get("sent_at"),
        "file_id": told.get("file_id"),
    }


def unplaced_row(mine_code: str) -> Row:
    """The area of what has no place."""
    return {
        "mine_code": mine_code,
        "area_id": UNPLACED,
        "name_zh": "位置未定",
        "name_en": "Place not resolved",
        **dict.fromkeys(("kind", "area_type", "cap", "cap_source", "cap_confidence", "sent_at", "file_id")),
        **dict.fromkeys(("is_restricted", "is_muster", "needs_two_people"), False),
    }


def station_row(told: Row, gazetteer: Gazetteer) -> Row:
    """silver.station of one base station; the station's code carries its area where nothing else places it."""
    x, y, z = (_float(told.get(axis)) for axis in "xyz")
    place = gazetteer.place(
        told["station_code"], x, y, z, f"{told.get('name') or ''} {told.get('location_note') or ''}"
    )
    edge = gazetteer.edge(place.edge_id)
    coded = told["station_code"][:16]
    by_code = place.area_id == UNPLACED and (coded in gazetteer.areas or len(told["station_code"]) == 22)
    return {
        "mine_code": told["mine_code"],
        "station_code": told["station_code"],
        "name": told.get("name"),
        "x": x,
        "y": y,
        "z": z,
        "area_id": coded if by_code else place.area_id,
        "edge_id": place.edge_id,
        "chainage_m": place.chainage_m,
        "edge_length_m": edge.length_m if edge else None,
        "place_method": "code" if by_code else place.method,
        "sent_at": told["sent_at"],
        "file_id": told["file_id"],
    }


def substation_row(told: Row, gazetteer: Gazetteer) -> Row:
    x, y, z = (_float(told.get(axis)) for axis in "xyz")
    place = gazetteer.place(told["substation_code"], x, y, z, told.get("location"))
    return {
        "mine_code": told["mine_code"],
        "substation_code": told["substation_code"],
        "location": told.get("location"),
        "x": x,
        "y": y,
        "z": z,
        "area_id": place.area_id,
        "edge_id": place.edge_id,
        "chainage_m": place.chainage_m,
        "sent_at": told["sent_at"],
        "file_id": told["file_id"],
    }


def equipment_row(told: Row, mark: Row | None, test: Row | None, ban: Row | None, gazetteer: Gazetteer) -> Row:
    """silver.equipment of one device: its own file (JBSJ) and what safety mark, last test and ban list say of it."""
    mark, test, ban = mark or {}, test or {}, ban or {}
    place = gazetteer.place(told["equipment_id"], None, None, None, told.get("location"))
    return {
        "mine_code": told["mine_code"],
        "equipment_id": told["equipment_id"],
        "name": told.get("name"),
        "model": told.get("model"),
        "category": told.get("category"),
        "equipment_kind": _equipment_kind(told),
        "location": told.get("location"),
        "area_id": place.area_id,
        "edge_id": place.edge_id,
        "place_method": place.method,
        "manufacturer": told.get("manufacturer"),
        "factory_code": told.get("factory_code"),
        "safety_mark_code": told.get("safety_mark_code") or mark.get("mark_code"),
        "rated_voltage_v": _rated(told.get("rated_voltage"), "V"),
        "rated_current_a": _rated(told.get("rated_current"), "A"),
        "rated_power_kw": _rated(told.get("rated_power"), "kW"),
        "mark_state": _int(mark.get("state")),
        "mark_valid_until": _day_after(mark.get("valid_to")),
        "test_result": _int(test.get("result")),
        "test_valid_until": _day_after(test.get("valid_to")),
        "banned_from": _banned_from(ban),
        "ban_reason": ban.get("reason"),
        "sent_at": told["sent_at"],
        "file_id": told["file_id"],
    }


def _equipment_kind(told: Row) -> str:
    """By the system that the device belongs to, as its code, prefix or name."""
    system = told.get("system") or ""
    for term in dictionary("system_code").values():
        if term.means and (system in (term.code, term.means) or (system and term.zh in system)):
            return equipment_kinds()[term.means]
    return "other"


def _rated(text: str | None, unit: str) -> float | None:
    """A rated value with or without its unit: 660, 660V, 0.66kV; null where it is no such number."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*([A-Za-z]*)\s*", text or "")
    value = _float(found[1]) if found else None
    factor = unit_factor(found[2], unit) if found and found[2] else 1.0
    return None if value is None or factor is None else round(value * factor, 6)


def _int(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _local_midnight(text: str | None) -> datetime | None:
    """Start of a day in mine local time; null where the text is no date."""
    try:
        return datetime.fromisoformat(text or "").replace(tzinfo=UTC) - timedelta(hours=MINE_UTC_OFFSET_H)
    except ValueError:
        return None


def _day_after(text: str | None) -> datetime | None:
    day = _local_midnight(text)
    return day and day + timedelta(days=1)


def _banned_from(ban: Row) -> datetime | None:
    """From the ban's day on where it holds at once, else from the day after its deadline (PC-56)."""
    if not ban:
        return None
    if ban.get("is_at_once") == "1":
        return _local_midnight(ban.get("in_force")) or ban["sent_at"]
    return _day_after(ban.get("deadline"))


def person_row(told: Row) -> Row:
    return {
        "mine_code": told["mine_code"],
        "card_code": told["card_code"],
        "name": told.get("name"),
        "work_type": told.get("work_type"),
        "duty": told.get("duty"),
        "department": told.get("department"),
        "is_leader": _flag(told.get("is_leader")),
        "is_special_worker": _flag(told.get("is_special_worker")),
        "is_defined": told.get("is_defined", True),
        "sent_at": told["sent_at"],
        "file_id": told["file_id"],
    }


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) or value is None else value == "1"
