"""Methane: G-01, G-02 and G-07, by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from literal_mine import MINE_CODE, Make, answers, area, at, by_minute, collect, of, point, series

from minefusion.pipelines.hazard.gas import (
    absolute_emission_m3_min,
    emission_level,
    g01,
    g02,
    g07,
    gas_level,
    relative_emission_m3_t,
    relative_rise,
    rise_level,
    time_to_limit_min,
    ventilation_emission_m3_min,
)

FACE = point("G", "ch4", gas_class="LW_FACE_T1")  # alarm 1.0, cut 1.5
SATURATED = (4.0, "SUSPECT", "SATURATED")
CALIBRATION = (2.0, "BAD", "CALIBRATION")


def levels(
    make: Make, values: list[Any], *, points: list[dict] | None = None, minutes=(0, 10), **more: Any
) -> list[Any]:
    readings = series("G", values, **more)
    return by_minute(g01(make(points=points or [FACE], readings=readings, minutes=minutes)), "G", "level")


# ── G-01 ──


@pytest.mark.parametrize(
    ("ch4", "level"),
    [
        (0.79, 0), (0.80, 1), (0.81, 1), (0.89, 1), (0.90, 2), (0.91, 2), (0.99, 2), (1.00, 3), (1.01, 3),
        (1.49, 3), (1.50, 4), (1.51, 4), (4.0, 4),
    ],
)  # fmt: skip
def test_levels_at_a_face_begin_at_their_limits(make: Make, ch4: float, level: int):
    """Face: alarm 1.0, cut 1.5, so blue 0.8, yellow 0.9, orange 1.0, red 1.5."""
    rows = collect(g01(make(points=[FACE], readings=series("G", [ch4] * 4), minutes=(0, 2))))
    assert rows[-1]["level"] == level
    assert rows[-1]["legal_exceeded"] == (ch4 >= 1.0)
    assert rows[-1]["value"] == ch4


@pytest.mark.parametrize(
    ("gas_class", "ch4", "level"),
    [
        ("LW_RETURN_T2", 0.99, 2), ("LW_RETURN_T2", 1.00, 4),  # alarm and cut both 1.0
        ("LW_INTAKE_T3", 0.39, 0), ("LW_INTAKE_T3", 0.40, 1), ("LW_INTAKE_T3", 0.45, 2), ("LW_INTAKE_T3", 0.50, 4),
        ("TOTAL_RETURN", 0.59, 0), ("TOTAL_RETURN", 0.60, 1), ("TOTAL_RETURN", 0.675, 2), ("TOTAL_RETURN", 0.74, 2),
        ("TOTAL_RETURN", 0.75, 4),  # nothing is cut there: the alarm limit is red
        (None, 1.00, 4),  # no class: 1.0 and 1.0
    ],
)  # fmt: skip
def test_levels_follow_the_place(make: Make, gas_class: str | None, ch4: float, level: int):
    assert levels(make, [ch4] * 4, points=[point("G", "ch4", gas_class=gas_class)], minutes=(0, 2))[-1] == level


def test_the_formula_itself():
    assert answers(
        no_cut=gas_level(of(0.75), of(0.75), of(None)),
        unknown=gas_level(of(None), of(1.0), of(1.5)),
        over=gas_level(of(9.0), of(1.0), of(1.5)),
    ) == {"no_cut": 4, "unknown": None, "over": 4}


def test_one_sample_alone_gives_no_level_but_is_shown(make: Make):
    rows = collect(g01(make(points=[FACE], readings=series("G", [0.3, 0.3, 1.6, 0.3, 0.3, 0.3]), minutes=(0, 3))))
    assert [row["value"] for row in rows] == [0.3, 1.6, 0.3]
    assert [row["level"] for row in rows] == [0, 0, 0]
    assert rows[1]["sentence_en"] == "Area F1, point G: methane 1.60 %, a single sample; normal."


def test_two_of_the_last_three_are_enough(make: Make):
    assert levels(make, [0.3, 0.3, 1.2, 0.3, 1.2, 0.3], minutes=(0, 3)) == [0, 0, 3]


def test_the_level_is_that_which_two_samples_reach(make: Make):
    assert levels(make, [1.1, 1.6], minutes=(0, 1)) == [3]  # red needs a second sample at 1.5
    assert levels(make, [1.6, 1.6], minutes=(0, 1)) == [4]


def test_the_law_and_a_stricter_mine_are_kept_apart(make: Make):
    """The mine alarms at 0.8; the law's limit is 1.0."""
    strict = point("G", "ch4", gas_class="LW_FACE_T1", mine_alarm=0.8)
    row = collect(g01(make(points=[strict], readings=series("G", [0.85] * 2), minutes=(0, 1))))[0]
    assert (row["level"], row["legal_exceeded"], row["limit_confidence"]) == (3, False, "mine")
    row = collect(g01(make(points=[strict], readings=series("G", [1.0] * 2), minutes=(0, 1))))[0]
    assert (row["level"], row["legal_exceeded"]) == (3, True)


def test_steps_ahead_of_the_limit_are_labelled_advisory(make: Make):
    blue, orange = collect(g01(make(points=[FACE], readings=series("G", [0.85, 0.85, 1.2, 1.2]), minutes=(0, 2))))
    assert (blue["limit_confidence"], orange["limit_confidence"]) == ("advisory", "confirmed")
    assert blue["sentence_zh"] == "G测点：甲烷 0.85 %，接近报警值 1.00 %；蓝色（参考限值）。"
    assert orange["sentence_zh"] == "G测点：甲烷 1.20 %，达到报警值 1.00 %；橙色。"


def test_a_flagged_calibration_is_no_gas(make: Make):
    rows = collect(
        g01(make(points=[FACE], readings=series("G", [0.3, 0.3, *[CALIBRATION] * 6, 0.3, 0.3]), minutes=(0, 5)))
    )
    assert [row["level"] for row in rows] == [0, 0, None, None, 0]  # the 0.3 at 0:30 holds until 2:00
    assert [row["value"] for row in rows] == [0.3, 0.3, None, None, 0.3]
    assert not any(row["legal_exceeded"] for row in rows)


def test_saturated_for_two_hours_stays_red_until_a_good_lower_value(make: Make):
    climb = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 3.9]
    rows = collect(
        g01(
            make(
                points=[FACE], readings=series("G", [*climb, *[SATURATED] * 240, 0.6, 0.6, 0.6, 0.6]), minutes=(0, 126)
            )
        )
    )
    held = rows[4:124]
    assert {row["level"] for row in held} == {4}
    assert {row["value"] for row in held} == {4.0}
    assert {json.loads(row["inputs"])["marks"] for row in held} == {"SATURATED"}
    assert all(row["legal_exceeded"] for row in held)
    assert (
        held[-1]["sentence_en"]
        == "Area F1, point G: methane ≥ 4.00 % (over range), at or over the power-cut limit 1.50 %; red."
    )
    assert rows[125]["level"] == 0


def test_a_point_that_falls_silent_above_the_limit_keeps_its_level(make: Make):
    rows = collect(g01(make(points=[FACE], readings=series("G", [1.2] * 4), minutes=(0, 120))))
    silent = rows[4:]
    assert {row["level"] for row in silent} == {3}
    assert {(row["value"], row["null_reason"], row["coverage"]) for row in silent} == {(None, "NO_DATA", 0.0)}
    assert all(row["legal_exceeded"] for row in silent)
    assert json.loads(silent[0]["inputs"])["marks"] == "NO_DATA"
    assert silent[0]["sentence_zh"] == "G测点：无数据，此前甲烷 1.20 %，达到报警值 1.00 %；橙色。"


def test_bad_readings_do_not_end_the_silence(make: Make):
    bad = [(0.1, "BAD", "SENSOR_FAULT")] * 10
    assert levels(make, [1.6] * 4 + bad, minutes=(0, 7)) == [4] * 7
    assert levels(make, [*[1.6] * 4, *bad, 0.2, 0.2], minutes=(0, 8))[-1] == 0


def test_the_first_sample_after_silence_above_the_limit_is_not_doubted(make: Make):
    assert levels(make, [1.2] * 4 + [None] * 200 + [1.2], minutes=(101, 103))[-1] == 3


def test_silence_below_the_limit_is_null_with_a_reason(make: Make):
    rows = collect(g01(make(points=[FACE], readings=series("G", [0.95] * 4), minutes=(0, 6))))
    # Held for three periods of 30 s after the last sample at 1:30, that is until 3:00.
    assert [row["level"] for row in rows] == [2, 2, 2, None, None, None]
    assert rows[-1]["null_reason"] == "NO_DATA"


def test_a_point_without_any_reading_has_its_rows(make: Make):
    rows = collect(g01(make(points=[FACE], readings=[], minutes=(0, 3))))
    assert [(row["value"], row["level"], row["null_reason"]) for row in rows] == [(None, None, "NO_DATA")] * 3


def test_poor_coverage_hides_no_gas(make: Make):
    """One sample at 0:45 of a 15-s series covers a quarter of the minute."""
    rare = {**FACE, "period_s": 15.0}
    low, high = ([None, None, None, value] for value in (0.3, 1.2))
    row = collect(g01(make(points=[rare], readings=series("G", low, every_s=15), minutes=(0, 1))))[0]
    assert (row["value"], row["level"], row["null_reason"], row["coverage"]) == (None, None, "LOW_COVERAGE", 0.25)
    before = series("G", [1.2], start=-5)
    row = collect(g01(make(points=[rare], readings=before + series("G", high, every_s=15), minutes=(0, 1))))[0]
    assert (row["value"], row["level"]) == (1.2, 3)


# ── G-02 ──


def rises(
    make: Make, values: list[Any], *, minutes=(0, 10), points: list[dict] | None = None, **more: Any
) -> list[dict]:
    return list(collect(g02(make(points=points or [FACE], readings=series("G", values, **more), minutes=minutes))))


def test_slope_and_time_to_the_limit_by_hand(make: Make):
    """0.30 %, 0.02 % more every 30 s: 0.04 %/min. At 4:30 it is 0.48 %: (1.00 - 0.48) ÷ 0.04 = 13 min, yellow."""
    row = rises(make, [0.30 + 0.02 * n for n in range(10)], minutes=(0, 5))[4]
    assert row["value"] == pytest.approx(0.04)
    assert json.loads(row["inputs"])["minutes_to_alarm"] == 13.0
    assert row["level"] == 2
    assert row["sentence_en"] == (
        "Area F1, point G: methane changes by 0.040 %/min, about 13.0 min to the alarm limit 1.00 %; "
        "yellow (advisory limit)."
    )
    assert row["limit_confidence"] == "advisory"


def test_one_outlier_does_not_move_the_slope(make: Make):
    values = [0.31, 0.32, 0.33, 0.34, 0.35, 2.00, 0.37, 0.38, 0.39, 0.40]  # 0.02 %/min with a spike
    assert rises(make, values, minutes=(0, 5))[4]["value"] == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("slope", "minutes", "level"),
    [
        (0.049, 60.0, 0), (0.05, 60.0, 2), (0.051, 60.0, 2), (0.099, 60.0, 2), (0.10, 60.0, 3), (0.5, None, 3),
        (0.01, 15.0, 0), (0.01, 14.9, 2), (0.01, 6.0, 2), (0.01, 5.9, 3), (-0.2, None, 0), (None, None, None),
    ],
)  # fmt: skip
def test_levels_of_a_rise(slope: float | None, minutes: float | None, level: int | None):
    assert answers(x=rise_level(of(slope), of(minutes)))["x"] == level


def test_time_to_limit_and_relative_rise():
    found = answers(
        ahead=time_to_limit_min(of(0.6), of(0.02), of(1.0)),  # 0.4 ÷ 0.02
        falling=time_to_limit_min(of(0.6), of(-0.02), of(1.0)),
        reached=time_to_limit_min(of(1.0), of(0.02), of(1.0)),
        rise=relative_rise(of(0.6), of(0.4)),  # 0.2 ÷ 0.4
        clean=relative_rise(of(0.02), of(0.0)),  # 0.02 ÷ 0.05
    )
    assert found == {
        "ahead": 20.0,
        "falling": None,
        "reached": None,
        "rise": pytest.approx(0.5),
        "clean": pytest.approx(0.4),
    }


def test_six_samples_are_needed(make: Make):
    """60-s data: five samples in five minutes, so ten are looked at; at 7:00 eight samples cover 0.75 of these."""
    slow = [{**FACE, "period_s": 60.0}]
    rows = rises(make, [0.31 + 0.01 * n for n in range(10)], every_s=60, points=slow)
    assert rows[4]["null_reason"] == "TOO_FEW_SAMPLES"
    assert [row["value"] for row in rows[7:]] == [0.01, 0.01, 0.01]
    assert json.loads(rows[7]["inputs"])["window_min"] == 10


def test_coarse_steps_are_looked_at_over_ten_minutes(make: Make):
    """0.3, then 0.4 from 7:30 on: over five minutes a rise, over ten the median of the pairs is none."""
    rows = rises(make, [0.3] * 15 + [0.4] * 5, minutes=(0, 10))
    assert json.loads(rows[9]["inputs"])["window_min"] == 10
    assert rows[9]["value"] == 0.0


def test_not_judged_for_half_an_hour_after_the_instrument_came_back(make: Make):
    values = [0.4] * 20 + [CALIBRATION] * 4 + [0.4 + 0.01 * (n % 2) for n in range(70)]  # calibrated until 11:30
    rows = rises(make, values, minutes=(0, 45))
    assert rows[9]["null_reason"] is None
    assert {row["null_reason"] for row in rows[13:41]} == {"RESTARTED"}
    # 41:30 is half an hour after; the minute that ends at 43:00 is judged.
    assert rows[42]["null_reason"] is None
    assert rows[20]["sentence_zh"] == "G测点：甲烷上升速率与到限时间无法判定，传感器恢复工作不足 30 分钟。"


def test_no_data_no_slope(make: Make):
    assert {row["null_reason"] for row in rises(make, [])} == {"NO_DATA"}


# ── G-07 ──

FACE_EDGES = [
    {"edge_id": "in", "area_id": "IN", "air_class": "BELT_ROAD", "length_m": 1200.0, "section_m2": 12.0},
    {"edge_id": "face", "area_id": "F1", "air_class": "COAL_FACE", "length_m": 200.0, "section_m2": 10.0},
    {"edge_id": "out", "area_id": "OUT", "air_class": "BELT_ROAD", "length_m": 800.0, "section_m2": 10.0},
]
PATH = {
    "area_id": "F1", "intake_edge": "in", "return_edge": "out", "drained_ch4_m3_min": 0.0,
    "output_t_per_day": 6000.0, "air_factor": 1.4,
}  # fmt: skip
AREAS = [area("F1"), area("IN", "intake_airway"), area("OUT", "return_airway")]
STATIONS = [
    point("R", "ch4", "OUT", gas_class="LW_RETURN_T2", edge_id="out"),
    point("I", "ch4", "IN", gas_class="LW_INTAKE_T3", edge_id="in"),
    point("V", "air_velocity", "OUT", edge_id="out", air_class="BELT_ROAD"),
]


def emission(
    make: Make,
    *,
    back: list[Any],
    into: list[Any],
    velocity: list[Any],
    minutes=(0, 2),
    path=PATH,
    points=STATIONS,
    areas=AREAS,
):
    readings = series("R", back, start=-40) + series("I", into, start=-40) + series("V", velocity, start=-40)
    known = {row["point_id"] for row in points}
    readings = [row for row in readings if row["point_id"] in known]
    parts = {"areas": areas, "edges": FACE_EDGES, "air_paths": [path], "minutes": minutes}
    return collect(g07(make(points=points, readings=readings, **parts)))


STEADY = 84  # 42 minutes


def test_catalogue_vector():
    """Q 43 m³/s, 0.47 % difference, 6000 t/d: 60·43·0.47/100 = 12.126 m³/min; 1440·12.126/6000 = 2.910 m³/t."""
    found = answers(
        q=absolute_emission_m3_min(of(43.0), of(0.57), of(0.10), of(0.0)),
        rel=relative_emission_m3_t(absolute_emission_m3_min(of(43.0), of(0.57), of(0.10), of(0.0)), of(6000.0)),
        drained=absolute_emission_m3_min(of(43.0), of(0.57), of(0.10), of(2.0)),
        backwards=absolute_emission_m3_min(of(43.0), of(0.1), of(0.2), of(2.0)),
        carried=ventilation_emission_m3_min(of(43.0), of(0.1), of(0.2)),
        idle=relative_emission_m3_t(of(12.0), of(0.0)),
    )
    assert found["q"] == pytest.approx(12.126, abs=1e-9)
    assert found["rel"] == pytest.approx(2.91024, abs=1e-9)
    assert found["drained"] == pytest.approx(14.126)
    assert (found["backwards"], found["idle"]) == (2.0, None)
    assert found["carried"] == pytest.approx(-2.58)


@pytest.mark.parametrize(
    ("amount", "limit", "level"),
    [(3.99, 5.0, 0), (4.0, 5.0, 1), (5.0, 5.0, 1), (5.01, 5.0, 2), (3.01, 3.0, 2), (99.0, None, 0), (None, 5.0, None)],
)
def test_levels_of_emission(amount: float | None, limit: float | None, level: int | None):
    assert answers(x=emission_level(of(amount), of(limit), 0.8))["x"] == level


def test_a_face_by_hand(make: Make):
    """2.0 m/s × 10 m² = 20 m³/s; 60·20·(0.6 - 0.1)/100 = 6.0 m³/min, over the 5 of a face: yellow."""
    rows = emission(make, back=[0.6] * STEADY, into=[0.1] * STEADY, velocity=[2.0] * STEADY)
    face, mine = rows[-1], rows[0]
    assert (face["entity"], face["value"], face["level"], face["unit"], face["point_id"]) == (
        "F1",
        6.0,
        2,
        "m3/min",
        None,
    )
    inputs = json.loads(face["inputs"])
    assert (inputs["q_m3_s"], inputs["return_pct"], inputs["intake_pct"]) == (20.0, 0.6, 0.1)
    assert inputs["relative_m3_t"] == 1.44  # 1440·6/6000
    assert (
        face["sentence_en"]
        == "Area F1: gas emission 6.00 m³/min, over the high-gas class value 5 m³/min; yellow (advisory limit)."
    )
    assert (mine["entity"], mine["area_id"], mine["value"], mine["level"]) == (MINE_CODE, MINE_CODE, 6.0, 0)


def test_the_intake_is_taken_as_long_ago_as_the_air_needs(make: Make):
    """Half the intake 600 m, the face 200 m, half the return 400 m: 1200 m at 2 m/s are 10 min."""
    step = [0.1] * 60 + [0.3] * 24  # the intake rises at -10:00
    rows = [
        row
        for row in emission(make, back=[0.6] * STEADY, into=step, velocity=[2.0] * STEADY, minutes=(-2, 2))
        if row["entity"] == "F1"
    ]
    assert json.loads(rows[0]["inputs"])["lag_min"] == 10
    # 60·20·0.5/100 = 6.0 while the old air arrives, then 60·20·0.3/100 = 3.6.
    assert [row["value"] for row in rows] == [6.0, 6.0, 3.6, 3.6]


def test_more_gas_in_the_intake_counts_as_none_and_is_noted(make: Make):
    face = emission(make, back=[0.1] * STEADY, into=[0.4] * STEADY, velocity=[2.0] * STEADY)[-1]
    assert face["value"] == 0.0
    assert json.loads(face["inputs"])["note"] == "INTAKE_ABOVE_RETURN"


@pytest.mark.parametrize(
    ("missing", "reason"),
    [({"velocity": []}, "NO_AIR_QUANTITY"), ({"back": []}, "NO_RETURN_GAS"), ({"into": []}, "NO_INTAKE_GAS")],
)
def test_what_is_missing_is_named(make: Make, missing: dict, reason: str):
    parts = {"back": [0.6] * STEADY, "into": [0.1] * STEADY, "velocity": [2.0] * STEADY} | missing
    rows = emission(make, **parts)
    assert {(row["value"], row["level"], row["null_reason"]) for row in rows if row["entity"] == "F1"} == {
        (None, None, reason)
    }
    assert {row["value"] for row in rows if row["entity"] == MINE_CODE} == {None}


def test_an_intake_without_a_sensor_counts_as_clean(make: Make):
    """The safe side: all the gas is the face's own. 60·20·0.6/100 = 7.2."""
    points = [STATIONS[0], STATIONS[2]]
    face = emission(make, back=[0.6] * STEADY, into=[], velocity=[2.0] * STEADY, points=points)[-1]
    assert face["value"] == 7.2
    assert json.loads(face["inputs"])["intake_measured"] is False


def test_a_heading_has_a_class_of_its_own(make: Make):
    """4.0 m³/min is blue at a face and over the 3 of a heading."""
    areas = [area("F1", "heading"), *AREAS[1:]]
    parts = {"back": [0.5] * STEADY, "into": [0.1] * STEADY, "velocity": [1.0] * STEADY}  # 60·10·0.4/100 = 2.4
    assert emission(make, **parts, areas=areas)[-1]["level"] == 1  # 0.8·3 = 2.4
    assert emission(make, **parts)[-1]["level"] == 0
    assert emission(make, **parts | {"velocity": [1.3] * STEADY}, areas=areas)[-1]["level"] == 2  # 3.12


def test_the_window_begins_where_it_is_asked_for(make: Make):
    rows = emission(make, back=[0.6] * STEADY, into=[0.1] * STEADY, velocity=[2.0] * STEADY, minutes=(-5, 0))
    assert [row["window_start"] for row in rows if row["entity"] == "F1"] == [at(minute) for minute in range(-5, 0)]
