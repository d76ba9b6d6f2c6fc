"""Which files define what, and under which names silver takes their fields.

A definition is kept with the time from which it holds (`definitions.py`), so a thing may be told by several kinds of
file; `kinds` of one entry share the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import narwhals as nw

from minefusion.pipelines.conform.codes import national_type, point_id, value_kind
from minefusion.pipelines.conform.definitions import AREA, POINT, STATION
from minefusion.schemas.exchange.grammar import equipment_prefixes
from minefusion.schemas.exchange.measures import measures

EQUIPMENT, SAFETY_MARK, EQUIPMENT_TEST, BAN = "equipment", "safety_mark", "equipment_test", "ban"
VEHICLE, CAMERA, CAMERA_STATE = "vehicle", "camera", "camera_state"

SAFETY_POINT_KINDS = ("CDDY", "NCDDY")
PROVINCIAL_POINT_KINDS = ("AQMC", "AQKC")
EQUIPMENT_POINT_KINDS = tuple(f"{prefix}_JC" for prefix in equipment_prefixes())
FAMILY_POINT_KINDS = tuple(
    dict.fromkeys(each.defined_by for each in measures() if each.defined_by not in ("", *EQUIPMENT_POINT_KINDS))
)

_PLACE = {axis: (axis,) for axis in "xyz"}


@dataclass(frozen=True)
class Defining:
    """Files that define one kind of thing.

    Attributes:
        code: the column that names the thing.
        wanted: silver's names → the layout columns that may hold them.
        told_by: the facts carry the file kind, where it says what the thing is.
    """

    thing: str
    kinds: tuple[str, ...]
    code: str
    wanted: Mapping[str, tuple[str, ...]]
    told_by: bool = False


DEFINING: tuple[Defining, ...] = (
    Defining(
        POINT,
        SAFETY_POINT_KINDS,
        "point_id",
        {
            "point_id": ("point_code",),
            "sensor_type": ("sensor_type_code",),
            "sensor_type_name": ("sensor_type_name",),
            "value_kind": ("value_kind",),
            "sent_unit": ("unit",),
            "range_high": ("range_high",),
            "range_low": ("range_low",),
            "mine_alarm": ("alarm_high",),
            "mine_cut": ("cutoff_high",),
            "mine_restore": ("restore_high", "alarm_high_clear"),
            "mine_low_alarm": ("alarm_low",),
            "on_desc": ("on_desc", "state_text_1"),
            "off_desc": ("off_desc", "state_text_0"),
            "location": ("location",),
            "relations": ("relations", "relation"),
            **_PLACE,
        },
    ),
    Defining(
        POINT,
        PROVINCIAL_POINT_KINDS,
        "point_id",
        {
            "point_code": ("sensor_code",),
            "type_text": ("sensor_type",),
            "sent_unit": ("unit",),
            "range_high": ("range_high",),
            "range_low": ("range_low",),
            "mine_alarm": ("alarm_high",),
            "mine_cut": ("cutoff_high",),
            "mine_restore": ("restore_high",),
            "location": ("location",),
        },
    ),
    Defining(
        POINT,
        ("zdh_dev",),
        "point_id",
        {
            "point_code": ("sensor_code",),
            "sensor_type_name": ("sensor_type",),
            "sent_unit": ("unit",),
            "range_high": ("range_high",),
            "range_low": ("range_low",),
            "location": ("sensor_name",),
        },
    ),
    Defining(
        POINT,
        FAMILY_POINT_KINDS,
        "point_id",
        {
            "point_id": ("point_code", "device_code", "equip_no"),
            "sensor_type": ("sensor_type_code",),
            "sent_unit": ("unit",),
            "area_name": ("area_name",),
            "location": ("location", "equip_location", "stake_code"),
            **_PLACE,
        },
        told_by=True,
    ),
    Defining(
        POINT,
        EQUIPMENT_POINT_KINDS,
        "point_id",
        {
            "point_code": ("point_code",),
            "device_code": ("device_code",),
            "sensor_type": ("point_type_code",),
            "sensor_type_name": ("point_type_name",),
            "sent_unit": ("unit",),
            "range_high": ("range_upper",),
            "range_low": ("range_lower",),
            "mine_alarm": ("alarm_upper",),
            "mine_low_alarm": ("alarm_lower",),
            "location": ("point_location",),
            "relations": ("sensor_relation",),
        },
        told_by=True,
    ),
    Defining(
        STATION,
        ("RYJZ",),
        "station_code",
        {"station_code": ("station_code",), "name": ("station_name",), "location_note": ("location_note",), **_PLACE},
    ),
    Defining(
        STATION,
        ("RYFZ",),
        "station_code",
        {"station_code": ("station_code",), "name": ("station_name",), "location_note": ("location_note",)},
    ),
    Defining(
        AREA,
        ("RYQY",),
        "area_code",
        {name: (name,) for name in ("area_type", "area_code", "approved_count", "area_name")},
    ),
    Defining(
        EQUIPMENT,
        ("JBSJ",),
        "equipment_id",
        {
            "equipment_id": ("device_code",),
            "name": ("device_name",),
            "model": ("spec_model",),
            "category": ("device_category",),
            "system": ("belonging_system",),
            "location": ("install_location",),
            "manufacturer": ("manufacturer",),
            "factory_code": ("factory_code",),
            "safety_mark_code": ("safety_cert_no",),
            "rated_voltage": ("rated_voltage",),
            "rated_current": ("rated_current",),
            "rated_power": ("rated_power",),
        },
    ),
    Defining(
        SAFETY_MARK,
        ("ABSJ",),
        "factory_code",
        {
            "factory_code": ("factory_code",),
            "mark_code": ("cert_no",),
            "valid_to": ("valid_to",),
            "state": ("cert_status",),
        },
    ),
    Defining(
        EQUIPMENT_TEST,
        ("JCJY",),
        "factory_code",
        {
            "factory_code": ("factory_code",),
            "result": ("test_result",),
            "valid_to": ("valid_to",),
        },
    ),
    Defining(
        BAN,
        ("JZTT",),
        "banned_model",
        {
            "product": ("product_name",),
            "model": ("spec_model",),
            "reason": ("non_compliance_reason",),
            "is_at_once": ("immediate_prohibition",),
            "deadline": ("prohibition_deadline",),
            "in_force": ("effective_date",),
        },
    ),
    Defining(
        CAMERA,
        ("camera",),
        "camera_code",
        {
            "camera_code": ("cameraCode",),
            "position_type": ("positionType",),
            "location": ("positionDesc",),
            "algorithms": ("analysisType",),
            "station_code": ("psStationCode",),
        },
    ),
    Defining(
        CAMERA_STATE,
        ("cameraStatus",),
        "camera_code",
        {"camera_code": ("cameraCode",), "online": ("cameraStatus",)},
    ),
    Defining(
        VEHICLE,
        ("CZZD",),
        "terminal_code",
        {name: (name,) for name in ("terminal_code", "vehicle_no", "own_flag", "purpose", "description")},
    ),
)

DEFINING_KINDS = tuple(dict.fromkeys(kind for each in DEFINING for kind in each.kinds))
POINT_KINDS = tuple(kind for each in DEFINING if each.thing == POINT for kind in each.kinds)


def kinds_of(thing: str) -> tuple[str, ...]:
    """The kinds of file that tell of a thing."""
    return tuple(kind for each in DEFINING if each.thing == thing for kind in each.kinds)


def coded(rows: nw.LazyFrame, kinds: Iterable[str]) -> nw.LazyFrame:
    """Things without a code of their own get silver's; a provincial point its type and value kind, too."""
    kinds = set(kinds)
    if kinds & set(kinds_of(BAN)):
        named = (nw.col(name).fill_null("") for name in ("product", "model"))
        return rows.with_columns(nw.concat_str(*named, separator="/").alias("banned_model"))
    if kinds & set(PROVINCIAL_POINT_KINDS):
        typed = national_type(nw.col("type_text"))
        rows = rows.with_columns(typed.alias("sensor_type"), value_kind(typed).alias("value_kind"))
    if kinds & {*PROVINCIAL_POINT_KINDS, *EQUIPMENT_POINT_KINDS, "zdh_dev"}:
        rows = rows.with_columns(point_id(kinds).alias("point_id"))
        return rows.drop("point_code", "type_text", strict=False)
    return rows
