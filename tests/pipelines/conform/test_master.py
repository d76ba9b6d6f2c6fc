"""Points, stations and areas: units, limits, caps, and what the sender's words mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from minefusion.pipelines.conform.master import area_row, newest, point_row, station_row
from minefusion.pipelines.conform.place import Gazetteer
from minefusion.schemas.site import Area

MINE = "620000000001"
T0 = datetime(2026, 3, 1, tzinfo=UTC)
NOWHERE = Gazetteer(None)


def point(**told: Any) -> dict[str, Any]:
    about = {"mine_code": MINE, "point_id": f"{MINE}01MN0001001A01", "sent_at": T0, "file_id": "f", "is_defined": True}
    return point_row(about | told, NOWHERE, None)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, ("ch4", "%", 1.0)),  # the type is in the code
        ({"sensor_type": "0004", "sent_unit": "ppm"}, ("co", "ppm", 1.0)),
        ({"sensor_type": "0004", "sent_unit": "%"}, ("co", "ppm", 10_000.0)),
        ({"sensor_type": "0001", "sent_unit": "ppm"}, ("ch4", "%", 0.0001)),
        ({"sensor_type": "0001", "sent_unit": "m/s"}, ("ch4", "%", None)),
        ({"point_id": "X", "sensor_type_name": "一氧化碳"}, ("co", "ppm", 1.0)),
        ({"point_id": "X"}, ("unknown", None, 1.0)),
    ],
)
def test_quantity_unit_and_factor(told: dict[str, Any], expected: tuple[Any, ...]):
    row = point(**told)
    assert (row["quantity"], row["unit"]) == expected[:2]
    assert row["unit_factor"] == (None if expected[2] is None else pytest.approx(expected[2]))


@pytest.mark.parametrize(
    ("told", "alarm", "cut", "rule", "note"),
    [
        ({"location": "1101综采工作面上隅角T0"}, 1.0, 1.5, "law", None),
        ({"location": "1101综采工作面上隅角T0", "mine_alarm": "0.8", "mine_cut": "1.2"}, 0.8, 1.2, "mine", None),
        ({"location": "1101综采工作面上隅角T0", "mine_alarm": "2.0"}, 1.0, 1.5, "law", "LIMIT_LOOSER_THAN_LAW"),
        (
            {"location": "1101综采工作面上隅角T0", "mine_alarm": "0", "mine_cut": "0"},
            1.0,
            1.5,
            "law",
            None,
        ),  # 0: not set
    ],
)
def test_the_stricter_limit_holds(told: dict[str, Any], alarm: float, cut: float, rule: str, note: str | None):
    row = point(**told)
    assert (row["alarm"], row["cut"], row["limit_note"]) == (alarm, cut, note)
    assert (row["limit_rule"] == "mine") == (rule == "mine")


def test_a_limit_of_zero_is_none_for_other_gases_too():
    assert point(sensor_type="0004", mine_alarm="0")["alarm"] == 24.0
    assert point(sensor_type="0004", mine_alarm="12")["alarm"] == 12.0


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [("0", "4", (0.0, 4.0)), ("0", "0", (None, None)), (None, "10", (None, 10.0)), ("", "x", (None, None))],
)
def test_a_range_without_width_is_none(low: str | None, high: str | None, expected: tuple[float | None, float | None]):
    row = point(range_low=low, range_high=high)
    assert (row["range_low"], row["range_high"]) == expected


@pytest.mark.parametrize(
    ("on", "off", "inverted"),
    [("开", "停", False), ("关", "开", True), ("停止", "运行", True), ("", "", False), ("有电", "无电", False)],
)
def test_a_senders_words_may_turn_a_switch_round(on: str, off: str, inverted: bool):
    assert point(on_desc=on, off_desc=off)["is_inverted"] is inverted


def area(kind: str = "longwall_face", **more: Any) -> Area:
    return Area(f"{MINE}0001", "1101综采工作面", "Face 1101", kind, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("declared", "told", "cap", "source"),
    [
        (area(), {}, 25, "PER"),  # the national rule for a mechanised face of a severe mine
        (area(), {"approved_count": "12"}, 12, "RYQY"),
        (area(cap=9), {"approved_count": "12"}, 9, "site"),
        (area(), {"approved_count": "0"}, 25, "PER"),  # 0 is how senders write none
        (area("chamber"), {}, None, None),
        (area("chamber"), {"approved_count": "0", "area_type": "限制区域"}, 0, "RYQY"),  # nobody may be there
        (None, {"approved_count": "5"}, 5, "RYQY"),
    ],
)
def test_the_strictest_cap_holds(declared: Area | None, told: dict[str, Any], cap: int | None, source: str | None):
    row = area_row(MINE, f"{MINE}0001", declared, told, severe_hazard=True)
    assert row["cap"] == cap
    assert row["cap_source"] is None if source is None else row["cap_source"].startswith(source)


def test_a_station_that_nothing_places_is_placed_by_its_code():
    told = {"mine_code": MINE, "station_code": f"{MINE}0007000001", "sent_at": T0, "file_id": "f"}
    row = station_row(told, NOWHERE)
    assert (row["area_id"], row["place_method"]) == (f"{MINE}0007", "code")


def test_what_is_not_defined_is_what_all_files_say_of_it():
    one = {"point_id": "P", "is_defined": False, "sent_at": T0, "file_id": None, "location": None, "unit": "%"}
    other = one | {"sent_at": T0.replace(hour=1), "location": "井底", "unit": None}
    for pair in ([one, other], [other, one]):
        (row,) = newest(pair[:1], pair[1:], ("point_id",)).values()
        assert (row["sent_at"], row["location"], row["unit"]) == (T0, "井底", "%")
    defined = one | {"is_defined": True, "location": "井口"}
    assert newest([other], [defined], ("point_id",))[("P",)] == defined
    assert newest([defined], [other], ("point_id",))[("P",)] == defined
