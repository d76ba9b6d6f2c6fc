"""Temperatures (E-03), currents (E-04) and belts (E-05) of machines, five minutes by five minutes, on literal rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ground_and_water import site, value
from hypothesis import given
from hypothesis import strategies as st
from literal_mine import Row, answers, at, collect, make_inputs, of, point, series

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.motors import e03, e04, e05, slip_pct, warmer_than_twin_k
from minefusion.schemas.site import Machine, Site, SiteLevel


def rows_of(
    light: LightEngine, index: Any, rows: Sequence[Row], *, minutes: tuple[float, float] = (0, 5),
    machine: Machine | None = None, own: Site | None = None, points: Sequence[Row] = (), readings: Sequence[Row] = (),
) -> list[Row]:  # fmt: skip
    inputs = make_inputs(
        light, points=points, readings=readings, minutes=minutes, feeds={"equipment": rows},
        site=own or (site(machines=(machine,)) if machine else None),
    )  # fmt: skip
    return collect(index(inputs))


def told(row: Row) -> dict[str, Any]:
    return json.loads(row["inputs"])


def sent(quantity: str, by_minute: Mapping[float, float], point_id: str = "P1", **more: Any) -> list[Row]:
    return [
        value(point_id, quantity, minute / 60, amount, **({"equipment_id": "SB1", "part": point_id} | more))
        for minute, amount in by_minute.items()
    ]


def steady(
    quantity: str, amount: float, point_id: str = "P1", first: int = -60, every: int = 5, **more: Any
) -> list[Row]:
    return sent(quantity, dict.fromkeys(range(first, 5, every), amount), point_id, **more)


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [
        ("E-03", "sliding", [(55.0, 0), (55.1, 2), (65.0, 2), (65.1, 4)]),
        ("E-03", "rolling", [(65.0, 0), (65.1, 2), (75.0, 2), (75.1, 4)]),
        ("E-03", "difference", [(15.0, 0), (15.1, 2)]),
        ("E-03", "rate", [(1.0, 0), (1.01, 3), (-5.0, 0)]),
        ("E-04", "", [(5.0, 0), (5.01, 2), (10.0, 2), (10.01, 3), (100.0, 3)]),
        ("E-04", "load", [(0.99, 0), (1.0, 1), (1.1, 2), (1.24, 2), (1.25, 3)]),
        ("E-04", "heat", [(0.99, 0), (1.0, 1), (1.1, 2), (1.24, 2), (1.25, 3)]),
        ("E-05", "", [(5.0, 0), (5.01, 2), (8.0, 2), (8.01, 3), (100.0, 3)]),
        ("E-05", "smoke", [(0.0, 0), (1.0, 3)]),
    ],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for amount, level in values:
        assert answers(x=listed_level(of(amount), index_id, scope))["x"] == level, amount
    assert answers(x=listed_level(of(None), index_id, scope))["x"] is None


# ── E-03 ──

BEARING = "bearing_temperature"


@pytest.mark.parametrize(
    ("bearing", "degrees", "level"),
    [("sliding", 54.0, 0), ("sliding", 60.0, 2), ("sliding", 66.0, 4), ("rolling", 64.0, 0), ("rolling", 66.0, 2),
     ("rolling", 76.0, 4), (None, 60.0, 2), (None, 66.0, 4)],
)  # fmt: skip
def test_temperature_and_its_level(light: LightEngine, bearing: Any, degrees: float, level: int):
    (row,) = rows_of(light, e03, steady(BEARING, degrees), machine=Machine("SB1", bearing=bearing))
    assert (row["point_id"], row["value"], row["level"]) == ("P1", degrees, level)
    assert (told(row)["kind"], told(row)["rate_k_min"]) == (bearing or "sliding", 0.0)


def test_difference_to_twin_and_air_by_hand():
    """50 ℃ in air of 30 beside a twin of 33: 17 K; without a twin none; without the air the twin alone."""
    for air, twin, expected in ((30.0, 33.0, 17.0), (34.0, 33.0, 16.0), (None, 33.0, 17.0), (30.0, None, None)):
        assert answers(x=warmer_than_twin_k(of(50.0), of(air), of(twin)))["x"] == expected


@pytest.mark.parametrize(
    ("twin", "air", "levels"),
    [(33.0, 30.0, [2, 0]), (35.0, 30.0, [0, 0]), (33.0, 36.0, [0, 0]), (33.0, None, [2, 0])],
)
def test_a_bearing_hotter_than_its_twin(light: LightEngine, twin: float, air: float | None, levels: list[int]):
    rows = steady(BEARING, 50.0) + steady(BEARING, twin, "P2")
    more: dict[str, Any] = {}
    if air is not None:
        more = {"points": [point("T", "temperature")], "readings": series("T", [air] * 10)}
    found = rows_of(light, e03, rows, **more)
    assert [row["level"] for row in found] == levels
    assert told(found[0])["coolest_twin_c"] == twin
    assert told(found[1])["coolest_twin_c"] == 50.0


@pytest.mark.parametrize(("k_min", "level"), [(0.5, 0), (1.0, 0), (1.1, 3), (-2.0, 0)])
@pytest.mark.parametrize("every", [5, 10])
def test_a_bearing_that_warms_fast(light: LightEngine, every: int, k_min: float, level: int):
    warming = sent(BEARING, {minute: 40 + k_min * minute for minute in range(-30, 5, every)})
    (row,) = rows_of(light, e03, warming)
    assert (told(row)["rate_k_min"], row["level"]) == (pytest.approx(k_min, abs=1e-3), level)


def test_a_rate_is_taken_over_the_time_between_two_measurements(light: LightEngine):
    """Every quarter of an hour 12 K more: 0.8 K a minute, though only ten minutes are looked back."""
    (row,) = rows_of(light, e03, sent(BEARING, {-30: 20.0, -15: 32.0, 0: 44.0}))
    assert (told(row)["rate_k_min"], row["level"]) == (0.8, 0)


def test_a_value_holds_for_a_quarter_of_an_hour(light: LightEngine):
    rows = sent(BEARING, {-30: 60.0, -12: 66.0})
    found = rows_of(light, e03, rows, minutes=(-10, 5))
    assert [(row["window_start"], row["value"], row["level"], row["null_reason"]) for row in found] == [
        (at(-10), 66.0, 4, None), (at(-5), 66.0, 4, None), (at(0), None, None, "NO_DATA"),
    ]  # fmt: skip


def test_a_bad_temperature_is_none(light: LightEngine):
    bad = sent(BEARING, {0: 300.0}, quality="BAD", quality_reasons="RANGE")
    assert rows_of(light, e03, sent(BEARING, {-5: 40.0}) + bad)[0]["value"] == 40.0


def test_a_winding_has_the_limit_that_its_site_sets(light: LightEngine):
    rows = steady("motor_temperature", 120.0)
    assert rows_of(light, e03, rows)[0]["level"] == 0
    own = site(levels=(SiteLevel("E-03", "insulation F", "winding", yellow=110.0, red=130.0),))
    (row,) = rows_of(light, e03, rows, own=own)
    assert (row["level"], row["limit_confidence"]) == (2, "mine")


# ── E-04 ──


def phases(a: float, b: float, c: float, **more: Any) -> list[Row]:
    return [
        row for name, amps in zip("ABC", (a, b, c), strict=True) for row in steady("current", amps, f"I{name}", **more)
    ]


RATED = Machine("SB1", rated_current_a=100.0, idle_current_a=30.0)


@pytest.mark.parametrize(
    ("amps", "unbalance", "level"),
    [
        ((60, 60, 60), 0.0, 0),
        ((57, 60, 63), 5.0, 0),
        ((56.9, 60, 63.1), 5.1667, 2),
        ((54, 60, 66), 10.0, 2),
        ((53.9, 60, 66.1), 10.1667, 3),
        ((0, 60, 60), 100.0, 3),
    ],
)
def test_unbalance_of_the_phases(light: LightEngine, amps: Any, unbalance: float, level: int):
    (row,) = rows_of(light, e04, phases(*amps), machine=RATED)
    assert (row["entity"], row["value"], row["level"]) == ("SB1", pytest.approx(unbalance, abs=1e-3), level)
    assert told(row)["load"] == pytest.approx(sum(amps) / 300, abs=1e-3)


@pytest.mark.parametrize(("amps", "level"), [(99.0, 0), (100.0, 1), (111.0, 2), (126.0, 3)])
def test_load_and_heat(light: LightEngine, amps: float, level: int):
    """111 A is 1.11 of the rated current, yellow; its square 1.232 too. 126 A: 1.26, orange."""
    (row,) = rows_of(light, e04, phases(amps, amps, amps), machine=RATED)
    assert (row["level"], told(row)["load"]) == (level, amps / 100)
    assert told(row)["heat"] == pytest.approx((amps / 100) ** 2, abs=1e-3)
    assert told(row)["lowest_over_idle"] == pytest.approx(amps / 30, abs=0.01)


def test_heat_outlasts_the_load(light: LightEngine):
    """An hour at 1.3 of the rated current, then half of it: the load is normal, the motor is not."""
    rows = [
        row for name in "ABC"
        for row in sent("current", {minute: 130.0 if minute < 0 else 50.0 for minute in range(-60, 5, 5)}, f"I{name}")
    ]  # fmt: skip
    (row,) = rows_of(light, e04, rows, machine=RATED)
    assert told(row)["load"] == 0.5
    assert told(row)["heat"] == pytest.approx((11 * 1.69 + 0.25) / 12, abs=1e-3)
    assert row["level"] == 3


def test_a_motor_that_stands_or_starts(light: LightEngine):
    (row,) = rows_of(light, e04, phases(0.4, 0.0, 0.2), machine=RATED)
    assert (row["value"], row["level"], row["null_reason"]) == (None, 0, "NOT_RUNNING")
    starts = [
        row for name, amps in zip("ABC", (40, 60, 80), strict=True)
        for row in sent("current", {minute: 0.0 if minute < 0 else amps for minute in range(-20, 20, 5)}, f"I{name}")
    ]  # fmt: skip
    found = rows_of(light, e04, starts, machine=RATED, minutes=(-5, 20))
    assert [row["null_reason"] for row in found] == ["NOT_RUNNING", "STARTING", "STARTING", None, None]
    assert [row["level"] for row in found] == [0, 0, 0, 3, 3]


def test_two_phases_have_no_unbalance_but_a_load(light: LightEngine):
    two = steady("current", 60.0, "IA") + steady("current", 120.0, "IB")
    (row,) = rows_of(light, e04, two, machine=RATED)
    assert (row["value"], row["level"], row["null_reason"], told(row)["load"]) == (None, 0, "NO_PHASES", 0.9)


def test_without_a_rated_current_the_unbalance_alone(light: LightEngine):
    (row,) = rows_of(light, e04, phases(200, 220, 240))
    assert (row["level"], told(row)["load"], told(row)["heat"]) == (2, None, None)
    (row,) = rows_of(light, e04, phases(0.5, 0.6, 0.7))
    assert row["null_reason"] == "NOT_RUNNING"


def test_a_silent_motor_is_not_known(light: LightEngine):
    rows = [row for row in phases(60, 60, 60) if row["observed_at"] < at(-20)]
    (row,) = rows_of(light, e04, rows, machine=RATED)
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DATA")


# ── E-05 ──


def test_slip_by_hand():
    """1 - 2.85/3 = 5 %; downhill none; a drum under 0.3 m/s stands."""
    for belt, drum, expected in ((2.85, 3.0, 5.0), (3.3, 3.0, 0.0), (0.0, 3.0, 100.0), (0.2, 0.29, None)):
        found = answers(x=slip_pct(of(belt), of(drum)))["x"]
        assert found == (None if expected is None else pytest.approx(expected))


@given(st.floats(0.3, 6), st.floats(0, 1), st.floats(1, 2))
def test_slip_depends_on_the_ratio_alone(drum: float, share: float, times: float):
    one, other = answers(
        one=slip_pct(of(share * drum), of(drum)), other=slip_pct(of(times * share * drum), of(times * drum))
    ).values()
    assert other == pytest.approx(one, abs=1e-9)
    assert 0 <= one <= 100


def belt(speeds: Mapping[int, tuple[float, float]] | tuple[float, float], **more: Any) -> list[Row]:
    """Belt and drum [m/s] by minute, or the same for an hour."""
    by_minute = speeds if isinstance(speeds, Mapping) else dict.fromkeys(range(-60, 5, 5), speeds)
    return [
        row for number, name in enumerate(("belt_speed", "drum_speed"))
        for row in sent(name, {minute: each[number] for minute, each in by_minute.items()}, f"V{number}", **more)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("speeds", "slip", "level"),
    [
        ((3.0, 3.0), 0.0, 0),
        ((2.86, 3.0), 4.6667, 0),
        ((2.82, 3.0), 6.0, 2),
        ((2.7, 3.0), 10.0, 3),
        ((0.0, 3.0), 100.0, 3),
        ((3.2, 3.0), 0.0, 0),
    ],
)
def test_slip_and_its_level(light: LightEngine, speeds: tuple[float, float], slip: float, level: int):
    (row,) = rows_of(light, e05, belt(speeds))
    assert (row["entity"], row["value"], row["level"]) == ("SB1", pytest.approx(slip, abs=1e-3), level)


def test_a_conveyor_of_safety_monitoring_is_the_machine_of_its_road(light: LightEngine):
    points = [point("B", "belt_speed"), point("D", "drum_speed")]
    readings = series("B", [2.7] * 60, start=-25) + series("D", [3.0] * 60, start=-25)
    (row,) = rows_of(light, e05, [], points=points, readings=readings)
    assert (row["entity"], row["level"]) == ("F1", 3)


def test_a_belt_that_stands_and_one_that_starts(light: LightEngine):
    """The drum turns from 0:00 on; it is judged from 0:10 on."""
    (row,) = rows_of(light, e05, belt((0.0, 0.0)))
    assert (row["value"], row["level"], row["null_reason"]) == (None, 0, "NOT_RUNNING")
    found = rows_of(
        light, e05, belt({minute: (0.0, 0.0) if minute < 0 else (2.0, 3.0) for minute in range(-30, 20, 5)}),
        minutes=(-5, 20),
    )  # fmt: skip
    assert [row["null_reason"] for row in found] == ["NOT_RUNNING", "STARTING", None, None, None]
    assert [row["level"] for row in found] == [0, 0, 3, 3, 3]


def test_smoke_is_orange_whether_the_belt_runs_or_not(light: LightEngine):
    switches = [point("S1", "smoke", value_kind="KG"), point("S2", "smoke", value_kind="KG")]
    readings = series("S1", [0] * 10) + series("S2", [0, 0, 1, 0])
    for speeds in ((3.0, 3.0), (0.0, 0.0)):
        (row,) = rows_of(light, e05, belt(speeds), points=switches, readings=readings)
        assert (row["level"], told(row)["smoke"]) == (3, True)
        assert "smoke" in row["sentence_en"]


def test_the_share_of_an_hour_that_it_ran_empty(light: LightEngine):
    """36 A is 1.2 of the idle current: empty; half of the hour it draws 60 A."""
    load = sent("current", {minute: 36.0 if minute < -25 else 60.0 for minute in range(-55, 5, 5)}, "I")
    (row,) = rows_of(light, e05, belt((3.0, 3.0)) + load, machine=RATED)
    assert (told(row)["empty_share"], row["level"]) == (0.5, 0)


def test_one_silent_speed_is_not_known(light: LightEngine):
    rows = [row for row in belt((2.7, 3.0)) if row["point_id"] == "V1" or row["observed_at"] < at(-20)]
    (row,) = rows_of(light, e05, rows)
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DATA")
