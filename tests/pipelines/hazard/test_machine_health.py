"""Health of machines, their availability, and the regular operation of faces (E-06), by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from ground_and_water import record, site, value
from hypothesis import given
from hypothesis import strategies as st
from literal_mine import Row, answers, collect, make_history, of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.machine_health import availability, e06, health_index, strain
from minefusion.schemas.site import Machine

PUMP = Machine("SB1", "group1_rigid", "rolling", rated_speed_r_min=1480.0)


def rows_of(
    light: LightEngine, equipment: list[Row], records: list[Row] | None = None, machine: Machine | None = PUMP
) -> list[Row]:
    own = None if machine is None else site(machines=(machine,))
    return collect(e06(make_history(light, feeds={"equipment": equipment, "records": records or []}, site=own)))


def told(row: Row) -> dict[str, Any]:
    return json.loads(row["inputs"])


def hour(quantity: str, amount: float, point_id: str, **more: Any) -> list[Row]:
    return [
        value(point_id, quantity, minute / 60, amount, **({"equipment_id": "SB1", "part": "DE"} | more))
        for minute in range(0, 60, 10)
    ]


@pytest.mark.parametrize(
    ("scope", "values"),
    [
        ("", [(100.0, 0), (80.0, 0), (79.9, 2), (60.0, 2), (59.9, 3), (40.0, 3), (39.9, 4)]),
        ("regular_operation", [(80.0, 0), (79.9, 1), (0.0, 1)]),
    ],
)
def test_levels_below_at_and_above_each_step(scope: str, values: list[tuple[float, int]]):
    for amount, level in values:
        assert answers(x=listed_level(of(amount), "E-06", scope))["x"] == level, amount
    assert answers(x=listed_level(of(None), "E-06", scope))["x"] is None


def health(*strains: float | None) -> float | None:
    return answers(x=health_index([of(each) for each in strains]))["x"]


def test_strain_by_hand():
    """Between 4.5 and 7.1: 5.8 is half of the way, 4 none of it, 9.7 twice."""
    found = answers(**{f"x{n}": strain(of(x), of(4.5), of(7.1)) for n, x in enumerate((5.8, 4.0, 9.7))})
    assert list(found.values()) == pytest.approx([0.5, 0.0, 2.0])
    assert answers(x=strain(of(5.8), of(None), of(7.1)))["x"] is None


def test_health_by_hand():
    """Strains 0.5 and 0.3 of equal weight: 100·e^-0.4 = 67.03; what is not known weighs nothing."""
    assert health(0.5, 0.3) == pytest.approx(67.032, abs=1e-3)
    assert health(0.5, 0.3, None) == health(0.5, 0.3)
    assert health(0.0, 0.0, 0.0) == 100.0
    assert health(None, None) is None


def test_one_alarm_is_not_hidden_by_a_mean():
    """A strain of 1 among three of none would give 78; it is 37 at most, red."""
    assert 100 * math.exp(-0.25) > 77
    assert health(1.0, 0.0, 0.0, 0.0) == 37.0
    assert health(4.0, 4.0) == pytest.approx(100 * math.exp(-4))


@given(st.lists(st.floats(0, 3), min_size=1, max_size=4), st.integers(0, 3), st.floats(0, 2))
def test_more_strain_is_never_healthier(strains: list[float], place: int, more: float):
    worse = [each + (more if n == place % len(strains) else 0) for n, each in enumerate(strains)]
    before, after = health(*strains), health(*worse)
    assert before is not None
    assert after is not None
    assert after <= before + 1e-9


@pytest.mark.parametrize(("repair_h", "share"), [(7.2, 0.99), (None, 1.0), (0.0, 1.0), (900.0, 0.0)])
def test_availability_by_hand(repair_h: float | None, share: float):
    """One repair of 7.2 h in 720: MTBF 712.8, MTTR 7.2."""
    assert answers(x=availability(of(repair_h), 720.0))["x"] == pytest.approx(share)


def test_a_sound_machine(light: LightEngine):
    (row,) = rows_of(light, hour("vibration_velocity", 2.0, "P1") + hour("bearing_temperature", 50.0, "P2"))
    assert (row["entity"], row["value"], row["level"]) == ("SB1", 100.0, 0)
    assert told(row) == {
        "vibration": 2.0, "temperature": 50.0, "kurtosis": None, "unbalance": None, "availability": 1.0,
        "repairs_30d": 0,
    }  # fmt: skip


def test_a_worn_machine_by_hand(light: LightEngine):
    """Vibration 5.8 of 4.5 to 7.1, temperature 70 of 65 to 75 and kurtosis 5 of 4 to 6: 0.5 each; phases 55, 60 and 65:
    8.33 of 5 to 10, 0.667. Mean 0.5417: 58.2, orange."""
    rows = hour("vibration_velocity", 5.8, "P1") + hour("bearing_temperature", 70.0, "P2")
    rows += hour("vibration_kurtosis", 5.0, "P3")
    for name, amps in zip("ABC", (55.0, 60.0, 65.0), strict=True):
        rows += hour("current", amps, f"I{name}", part=name)
    (row,) = rows_of(light, rows)
    assert row["value"] == pytest.approx(100 * math.exp(-(1.5 + 8.3333 / 5 - 1) / 4), abs=1e-2)
    assert (row["level"], told(row)["unbalance"]) == (3, 8.33)


@pytest.mark.parametrize(("mm_s", "expected", "level"), [(4.4, 100.0, 0), (7.0, 61.831, 2), (7.2, 37.0, 4)])
def test_one_value_at_its_last_step_is_red(light: LightEngine, mm_s: float, expected: float, level: int):
    """7.0 is 0.962 of the way to 7.1, half of it beside a sound bearing: 100·e^-0.481. 7.2 is past the last step."""
    rows = hour("vibration_velocity", mm_s, "P1") + hour("bearing_temperature", 50.0, "P2")
    (row,) = rows_of(light, rows)
    assert (row["value"], row["level"]) == (pytest.approx(expected, abs=1e-3), level)


def test_vibration_is_weighed_where_it_can_be_judged_alone(light: LightEngine):
    """Of no group there are no zones; under 600 r/min other criteria hold. The bearing is weighed all the same."""
    rows = hour("vibration_velocity", 9.0, "P1") + hour("bearing_temperature", 50.0, "P2")
    assert rows_of(light, rows)[0]["level"] == 4
    for machine in (
        None,
        Machine("SB1", bearing="rolling"),
        Machine("SB1", "class1", "rolling", rated_speed_r_min=300.0),
    ):
        assert rows_of(light, rows, machine=machine)[0]["value"] == 100.0


def test_a_machine_that_stands_or_is_silent(light: LightEngine):
    rows = hour("bearing_temperature", 90.0, "P2")
    (row,) = rows_of(light, rows + hour("equipment_on", 0.0, "ON"))
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NOT_RUNNING")
    (row,) = rows_of(light, [value("P2", "bearing_temperature", -3, 90.0, equipment_id="SB1")])
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DATA")
    assert not rows_of(light, [each | {"quality": "BAD"} for each in rows])


def test_repairs_of_the_last_30_days_count(light: LightEngine):
    repairs = [
        record("machine_repair", "repair_time", hours, 36.0, f"M{n}", sample_id="SB1")
        for n, hours in enumerate((-10, -700, -720))
    ]
    other = record("machine_repair", "repair_time", -10, 99.0, "M9", sample_id="SB2")
    (row,) = rows_of(light, hour("bearing_temperature", 50.0, "P2"), [*repairs, other])
    assert (told(row)["repairs_30d"], told(row)["availability"]) == (2, 0.9)


# ── regular operation ──


def output(hours: float, tonnes: float, intelligent: float | None, number: int = 1) -> list[Row]:
    told = [record("production", "output", hours, tonnes, f"O{number}")]
    if intelligent is not None:
        told.append(record("production", "output_intelligent", hours, intelligent, f"O{number}"))
    return told


@pytest.mark.parametrize(("intelligent", "level"), [(8000.0, 0), (7990.0, 1), (0.0, 1)])
def test_share_of_output_in_intelligent_mode(light: LightEngine, intelligent: float, level: int):
    (row,) = rows_of(light, [], output(-10, 10_000.0, intelligent))
    assert (row["entity"], row["unit"], row["level"]) == ("F1", "%", level)
    assert row["value"] == pytest.approx(intelligent / 100)
    assert row["limit_confidence"] == "confirmed"


def test_a_month_of_output_and_one_of_none(light: LightEngine):
    (row,) = rows_of(
        light, [], output(-10, 1000.0, 500.0) + output(-400, 3000.0, 3000.0, 2) + output(-725, 9e6, 0.0, 3)
    )
    assert row["value"] == 87.5
    (row,) = rows_of(light, [], output(-725, 1000.0, 500.0))
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DATA")
    (row,) = rows_of(light, [], output(-10, 0.0, 0.0))
    assert (row["value"], row["null_reason"]) == (None, "NO_DATA")


def test_a_face_that_tells_no_intelligent_output_has_no_share(light: LightEngine):
    assert not rows_of(light, [], output(-10, 1000.0, None))
