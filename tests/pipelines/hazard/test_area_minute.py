"""The fused table: what each minute shows, what it may not say, and that it knows nothing of the future."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from literal_mine import MINE_CODE, area, at, make_inputs, point, series

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.area_minute import NULL_REASONS, area_minute
from minefusion.schemas.gold import AREA_MINUTE, HAZARD_INDEX, UNSAFE_BEHAVIOUR
from minefusion.schemas.silver import CAMERA_MINUTE, REPORTED_ABNORMALITY

Row = dict[str, Any]

GAS = point("G1", "ch4", gas_class="LW_FACE_T1")
FACE = area("F1", cap=25)


def index(
    minute: float,
    level: int | None,
    *,
    index_id: str = "G-01",
    area_id: str = "F1",
    entity: str = "G1",
    minutes: int = 1,
) -> Row:
    """One row of gold.hazard_index."""
    return {
        "mine_code": MINE_CODE,
        "index_id": index_id,
        "area_id": area_id,
        "entity": entity,
        "window_start": at(minute),
        "window_end": at(minute + minutes),
        "level": level,
        "sentence_zh": f"{entity}：指标；{level}。",
        "sentence_en": f"{entity}: index; {level}.",
    }


def counts(people: list[int | None], area_id: str = "F1") -> list[Row]:
    """A snapshot a minute."""
    return [
        {"area_id": area_id, "observed_at": at(minute), "people_count": count}
        for minute, count in enumerate(people)
        if count is not None
    ]


def fused(
    light: LightEngine,
    readings: list[Row],
    *,
    hazard: list[Row] = (),
    told: list[Row] = (),
    points: list[Row] = (GAS,),
    areas: list[Row] = (FACE,),
    seen: list[Row] = (),
    watched: list[Row] = (),
    **more: Any,
) -> list[Row]:
    inputs = make_inputs(light, points=points, readings=readings, areas=areas, **more)
    rows = area_minute(
        inputs,
        light.frame(hazard, HAZARD_INDEX.arrow_schema()),
        light.frame(told, REPORTED_ABNORMALITY.arrow_schema()),
        (light.frame(seen, UNSAFE_BEHAVIOUR.arrow_schema()), light.frame(watched, CAMERA_MINUTE.arrow_schema())),
    )
    return sorted(light.to_arrow(rows).to_pylist(), key=lambda row: (row["area_id"], row["minute"]))


NORMAL = [index(minute, 0) for minute in range(-30, 60)]


def test_one_row_per_area_and_minute_within_the_data(light: LightEngine):
    readings = series("G1", [0.2] * 6)  # until 2:30
    rows = fused(light, readings, areas=[FACE, area("F2")], minutes=(0, 10), hazard=NORMAL)
    assert [(row["area_id"], row["minute"]) for row in rows] == [
        (name, at(minute)) for name in ("F1", "F2") for minute in range(3)
    ]
    assert set(rows[0]) == set(AREA_MINUTE.names) - {"computed_at", "revision", "day"}


def test_figures_by_hand(light: LightEngine):
    points = [
        GAS,
        point("G2", "ch4", gas_class="LW_FACE_T1"),
        point("C", "co"),
        point("O", "o2"),
        point("V1", "air_velocity"),
        point("V2", "air_velocity"),
        point("T", "temperature"),
        point("M1", "equipment_on", value_kind="KG"),
        point("M2", "aux_fan", value_kind="KG"),
        point("D", "air_door", value_kind="KG"),
    ]
    values = {"G1": [0.2, 0.4], "G2": [0.6, 0.8], "C": [3, 5], "O": [20.5, 20.1], "V1": [1.0, 1.0], "V2": [2.0, 2.0]}
    values |= {"T": [25.0, 26.0], "M1": [1, 1], "M2": [1, 0], "D": [1, 1]}
    readings = [row for name, pair in values.items() for row in series(name, pair)]
    row = fused(light, readings, points=points, minutes=(0, 1), headcount=counts([7]), hazard=NORMAL)[0]
    assert (row["ch4_pct_min"], row["ch4_pct_mean"], row["ch4_pct_max"]) == (0.2, pytest.approx(0.5), 0.8)
    assert (row["co_ppm_max"], row["o2_pct_min"], row["air_velocity_m_s"], row["temperature_c"]) == (5, 20.1, 1.5, 26.0)
    assert row["machines_running"] == 1  # M2 stopped within the minute; a door is no machine
    assert (row["people_count"], row["people_cap"]) == (7, 25)
    assert (row["readings_expected"], row["readings_good"]) == (11, 11)  # ten points and the head count
    assert row["level"] == 0
    assert row["why_zh"] == "各项指标正常，有效输入 11/11。"
    assert json.loads(row["null_reasons"]) == {"ch4_pct_trend_per_h": "SHORT_HISTORY", "behaviours": "NO_CAMERA"}


def test_every_null_has_its_reason(light: LightEngine):
    row = fused(light, series("G1", [0.2, 0.2]), minutes=(0, 1), areas=[area("F1")], hazard=NORMAL)[0]
    reasons = json.loads(row["null_reasons"])
    assert reasons.keys() == {name for name, value in row.items() if value is None}
    assert set(reasons.values()) <= NULL_REASONS.keys()
    assert reasons["co_ppm_max"] == "NO_POINT"
    assert reasons["people_count"] == "NO_SNAPSHOT"


def test_a_value_older_than_three_periods_is_null(light: LightEngine):
    # The last sample comes at 0:30. At the end of minute 1, at 2:00, it is three periods old: it holds. Then no more.
    keep_on = point("O", "o2")
    readings = series("G1", [0.2, 0.7]) + series("O", [20.5] * 10)
    rows = fused(light, readings, points=[GAS, keep_on], minutes=(0, 5), hazard=NORMAL)
    assert [row["ch4_pct_max"] for row in rows] == [0.7, 0.7, None, None, None]
    assert json.loads(rows[2]["null_reasons"])["ch4_pct_max"] == "STALE"
    assert [row["readings_good"] for row in rows] == [2, 2, 1, 1, 1]


def test_a_switch_holds_for_three_periods_too(light: LightEngine):
    machine = point("M", "equipment_on", value_kind="KG")
    rows = fused(
        light, series("M", [1, 1]) + series("G1", [0.2] * 8), points=[machine, GAS], minutes=(0, 4), hazard=NORMAL
    )
    assert [row["machines_running"] for row in rows] == [1, 1, None, None]


def test_over_range_is_shown_as_the_end_of_the_range(light: LightEngine):
    row = fused(light, series("G1", [(4.0, "SUSPECT", "SATURATED")] * 2), minutes=(0, 1), hazard=[index(0, 4)])[0]
    assert (row["ch4_pct_max"], row["level"], row["readings_good"]) == (4.0, 4, 1)


def test_under_sixty_percent_of_the_inputs_is_never_normal(light: LightEngine):
    points = [GAS, *(point(f"C{n}", "co") for n in range(4))]

    def shown(fresh: int, level: int) -> Row:
        readings = series("G1", [0.2] * 2) + [row for n in range(fresh - 1) for row in series(f"C{n}", [1, 1])]
        return fused(light, readings, points=points, minutes=(0, 1), hazard=[index(0, level)])[0]

    assert [(shown(fresh, 0)["level"]) for fresh in (2, 3, 4, 5)] == [None, 0, 0, 0]  # 40, 60, 80, 100 %
    assert shown(2, 0)["why_zh"] == "数据不足：有效输入 2/5。"
    assert shown(2, 0)["why_en"] == "Insufficient data: fresh inputs 2/5."
    assert json.loads(shown(2, 0)["null_reasons"])["level"] == "INSUFFICIENT_DATA"
    # A level of 2 says how bad it is at least, not how bad; a danger stands.
    assert [shown(2, level)["level"] for level in (1, 2, 3, 4)] == [None, None, 3, 4]
    danger = shown(2, 3)
    assert danger["why_zh"] == "橙色 G-01：G1：指标；3。数据不足：有效输入 2/5。"
    assert shown(3, 2)["level"] == 2


def test_an_area_whose_methane_is_silent_is_never_normal(light: LightEngine):
    others = [point(f"C{n}", "co") for n in range(4)]
    readings = [row for n in range(4) for row in series(f"C{n}", [1, 1])]
    calm = [index(0, 0, index_id="F-10", entity="C0")]
    row = fused(light, readings, points=[GAS, *others], minutes=(0, 1), hazard=calm)[0]
    assert (row["readings_good"], row["readings_expected"], row["level"]) == (4, 5, None)
    assert "甲烷测点均无有效数据" in row["why_zh"]
    # The level that the methane kept when it fell silent over its limit is shown all the same.
    held = fused(light, readings, points=[GAS, *others], minutes=(0, 1), hazard=[*calm, index(0, 3)])[0]
    assert held["level"] == 3


def test_without_any_index_the_level_is_not_known(light: LightEngine):
    rows = fused(light, series("G1", [0.2, 0.2]), minutes=(0, 1), hazard=[index(0, None)])
    assert rows[0]["level"] is None
    assert rows[0]["why_zh"] == "数据不足：有效输入 1/1，无指标可判定。"


def test_the_worst_index_is_named(light: LightEngine):
    hazard = [
        index(0, 2, index_id="T-01", entity="T1"),
        index(0, 3, index_id="V-02"),
        index(0, 3, entity="G9"),
        index(0, 3),
        index(0, 4, area_id="F2"),
    ]
    row = fused(light, series("G1", [0.2, 0.2]), minutes=(0, 1), hazard=hazard)[0]
    assert (row["level"], row["why_en"]) == (3, "orange G-01: G1: index; 3.")


def test_an_index_of_ten_minutes_counts_from_its_end_until_the_next(light: LightEngine):
    hazard = [index(-10, 2, index_id="V-01", minutes=10), index(0, 3, index_id="V-01", minutes=10), *NORMAL]
    rows = fused(light, series("G1", [0.2] * 60, start=-5), minutes=(0, 20), hazard=hazard)
    # [-10, 0) is known at 0:00, so from the minute that ends then (-1) on; [0, 10) from minute 9 on.
    assert [row["level"] for row in rows] == [2] * 9 + [3] * 10 + [0]


def test_reports_are_counted_while_open(light: LightEngine):
    def told(began: float, ended: float | None) -> Row:
        place = {"mine_code": MINE_CODE, "kind": "YCBJ", "entity_id": "G1", "abnormal_type": "001", "area_id": "F1"}
        return place | {"began_at": at(began), "ended_at": None if ended is None else at(ended)}

    rows = fused(
        light,
        series("G1", [0.2] * 8),
        minutes=(0, 4),
        hazard=NORMAL,
        told=[told(-9, 2.5), told(1.5, None), told(3.2, 3.4)],
    )
    assert [row["reported_abnormalities"] for row in rows] == [1, 2, 1, 1]
    assert "矿方上报 2 项异常未解除。" in rows[1]["why_zh"]


def test_trend_by_hand(light: LightEngine):
    # 0.01 % a minute is 0.6 %/h. Two samples a minute of the same value; the trend needs 23 of 30 minutes.
    values = [round(0.2 + 0.01 * (n // 2), 4) for n in range(80)]
    rows = fused(light, series("G1", values, start=-30), minutes=(-30, 10), hazard=NORMAL)
    trends = [row["ch4_pct_trend_per_h"] for row in rows]
    assert trends[:22] == [None] * 22
    assert trends[22:] == [pytest.approx(0.6)] * 18


def test_snapshots_hold_three_of_their_periods(light: LightEngine):
    rows = fused(light, series("G1", [0.2] * 14), minutes=(0, 7), hazard=NORMAL, headcount=counts([4, 5]))
    assert [row["people_count"] for row in rows] == [
        4,
        5,
        5,
        5,
        None,
        None,
        None,
    ]  # the last one at 1:00 holds until 4:00


def test_an_area_without_points_has_its_people_only(light: LightEngine):
    rows = fused(
        light,
        series("G1", [0.2, 0.2]),
        minutes=(0, 1),
        areas=[FACE, area("F2")],
        headcount=counts([3], "F2") + counts([3]),
        hazard=[index(0, 0, index_id="P-01", area_id="F2", entity="F2"), *NORMAL],
    )
    assert (rows[1]["readings_expected"], rows[1]["level"]) == (1, 0)
    assert "本区域没有测点" in rows[1]["why_zh"]


def test_points_without_a_place_are_an_area_of_their_own(light: LightEngine):
    lost = point("G9", "ch4", "unplaced")
    rows = fused(
        light,
        series("G9", [0.2, 1.2]),
        points=[lost],
        areas=[FACE, area("unplaced", kind=None)],
        minutes=(0, 1),
        hazard=NORMAL,
    )
    assert [(row["area_id"], row["ch4_pct_max"]) for row in rows] == [("F1", None), ("unplaced", 1.2)]


VALUES = st.lists(
    st.sampled_from([0.2, 0.9, 1.2, None, (4.0, "SUSPECT", "SATURATED"), (0.1, "BAD", "NO_VALUE")]),
    min_size=40,
    max_size=40,
)
PEOPLE = st.lists(st.one_of(st.none(), st.integers(0, 30)), min_size=20, max_size=20)
LEVELS = st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=20, max_size=20)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.tuples(VALUES, VALUES),
    people=st.tuples(PEOPLE, PEOPLE),
    levels=st.tuples(LEVELS, LEVELS),
    now=st.integers(1, 19),
)
def test_nothing_later_changes_an_earlier_minute(
    light: LightEngine, values: tuple, people: tuple, levels: tuple, now: int
):
    """Two worlds that agree up to minute `now` and differ after it show the same rows up to it."""

    def world(number: int) -> list[Row]:
        gas = values[0][: 2 * now] + values[number][2 * now :]
        known = [index(minute, level) for minute, level in enumerate(levels[0][:now] + levels[number][now:])]
        long = [index(-10, 2, index_id="V-01", minutes=10), index(0, 3 + number, index_id="V-01", minutes=10)][
            : 2 if now < 10 else 1
        ]
        told = [
            {
                "mine_code": MINE_CODE,
                "kind": "YCBJ",
                "entity_id": "G1",
                "abnormal_type": "001",
                "area_id": "F1",
                "began_at": at(0.5),
            }
            | {"ended_at": at(now + number)}
        ]
        rows = fused(
            light,
            series("G1", [0.3]) + series("G1", gas),
            hazard=known + long,
            told=told,
            minutes=(0, 20),
            headcount=counts(people[0][:now] + people[number][now:]),
        )
        return [row for row in rows if row["minute"] < at(now)]

    before, after = world(0), world(1)
    both = min(len(before), len(after))  # data may end earlier in one of them
    assert before[:both] == after[:both]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=VALUES, people=PEOPLE, cut=st.integers(5, 19))
def test_rows_do_not_depend_on_how_time_is_cut(light: LightEngine, values: list, people: list, cut: int):
    readings = series("G1", [0.31, 0.37] * 40, start=-40) + series("G1", values) + series("G1", [0.2], start=20)
    facts: Row = {"hazard": NORMAL, "headcount": counts(people)}
    whole = fused(light, readings, minutes=(0, 20), **facts)
    pieces = fused(light, readings, minutes=(0, cut), lookback_min=120, **facts) + fused(
        light, readings, minutes=(cut, 20), lookback_min=120, **facts
    )
    # A piece knows no later data, so it may end before its window does; what it says is what the whole says.
    expected = {row["minute"]: row for row in whole}
    assert pieces
    assert all(row == expected[row["minute"]] for row in pieces)


def test_unsafe_behaviours_count_in_the_minutes_that_a_camera_was_watched(light: LightEngine):
    def behaviour(began: float, ended: float | None, area_id: str = "F1") -> Row:
        ended_at = None if ended is None else at(ended)
        return {"mine_code": MINE_CODE, "area_id": area_id, "began_at": at(began), "ended_at": ended_at}

    def watch(minute: int, code: str = "C1", pictures: int = 300) -> Row:
        told = {"mine_code": MINE_CODE, "area_id": "F1", "camera_code": code, "pictures": pictures}
        return told | {"minute": at(minute), "clip_id": f"{code}-{minute}"}

    rows = fused(
        light, series("G1", [0.2] * 12), areas=[FACE, area("F2")], minutes=(0, 6), hazard=NORMAL,
        seen=[behaviour(0.2, 0.4), behaviour(0.9, 2.1), behaviour(3.5, None), behaviour(0.5, 1.0, "F2")],
        watched=[watch(0), watch(0, "C2"), watch(1), watch(2), watch(4), watch(5, pictures=0)],
    )  # fmt: skip
    face, other = ([row["behaviours"] for row in rows if row["area_id"] == name] for name in ("F1", "F2"))
    assert face == [2, 1, 1, None, 1, None], "unknown in minute 3, unwatched; open in minute 4; a blind camera in 5"
    assert other == [None] * 6
    reasons = [json.loads(row["null_reasons"]).get("behaviours") for row in rows if row["area_id"] == "F1"]
    assert reasons == [None, None, None, "NO_CAMERA", None, "NO_CAMERA"]
