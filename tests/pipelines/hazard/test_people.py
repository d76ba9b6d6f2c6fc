"""People underground, by hand: at, below and above each level, and what must not raise one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import narwhals as nw
import pytest
from literal_mine import MINE_CODE, area, at, make_inputs, point, series

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.people import p01, p02, p03, p04, p05

Row = dict[str, Any]
Where = Callable[[float], list[Row]]

FACE = area("F1", cap=20, cap_source="RYQY", cap_confidence="mine")
ROAD = area("R1", kind="intake_airway")
CHAMBER = area("C1", kind="chamber", needs_two_people=True)
GOAF = area("W1", kind="goaf", is_restricted=True)
YARD = area("Y1", kind="pit_bottom", is_muster=True)
SHAFT = area("S1", kind="shaft")
AREAS = [FACE, ROAD, CHAMBER, GOAF, YARD, SHAFT]
# A road of 300 m that meets the face road at node N2.
EDGES = [
    {"edge_id": f"E-{name}", "area_id": name, "from_node": start, "to_node": end, "length_m": 300.0}
    for name, start, end in (
        ("F1", "N2", "N3"),
        ("R1", "N1", "N2"),
        ("C1", "N8", "N9"),
        ("W1", "N6", "N7"),
        ("Y1", "N4", "N5"),
        ("S1", "N0", "N4"),
    )
]


def person(
    card: str, area_id: str, chainage_m: float | None = 100.0, *, flag: int = 1, hours: float = 3.0, **more: Any
) -> Row:
    """One line of a snapshot."""
    row = {
        "card_code": card,
        "area_id": area_id,
        "in_out_flag": flag,
        "edge_id": f"E-{area_id}",
        "chainage_m": chainage_m,
    }
    return row | {"station_distance_m": 1.0, "_hours": hours, **more}


def watched(
    light: LightEngine, where: Where, *, minutes: tuple[float, float], before: float = 30, every: float = 1, **more: Any
) -> Inputs:
    """Inputs in which `where(minute)` lists the people of each snapshot, `before` minutes ahead of the window."""
    positions, headcount = [], []
    minute = minutes[0] - before
    while minute < minutes[1]:
        listed = where(minute)
        for row in listed:
            entered = at(minute) - timedelta(hours=row["_hours"]) if row["_hours"] is not None else None
            fix = {name: value for name, value in row.items() if name != "_hours"}
            positions.append(fix | {"observed_at": at(minute), "entered_mine_at": entered})
        below = [row for row in listed if row["in_out_flag"] == 1]
        for area_id in [*(place["area_id"] for place in more.get("areas", AREAS)), MINE_CODE]:
            here = [row for row in below if area_id in (row["area_id"], MINE_CODE)]
            leaders = sum(bool(row.get("is_leader")) for row in here)
            headcount.append(
                {"area_id": area_id, "observed_at": at(minute), "people_count": len(here), "leaders_count": leaders}
            )
        minute += every
    parts: Row = {
        "points": [],
        "readings": [],
        "areas": AREAS,
        "edges": EDGES,
        "positions": positions,
        "headcount": headcount,
        "minutes": minutes,
    }
    return make_inputs(light, **parts | more)


def judged(rows: nw.LazyFrame, entity: str) -> list[Row]:
    """Rows of one area (or the mine) in the order of time."""
    found = [row for row in rows.collect().to_arrow().to_pylist() if row["entity"] == entity]
    return sorted(found, key=lambda row: row["window_start"])


def many(count: int, area_id: str, spacing_m: float = 30.0, *, first: float = 10.0, **more: Any) -> list[Row]:
    return [person(f"{area_id}-{n}", area_id, first + spacing_m * n, **more) for n in range(count)]


# ── P-01 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("people", "level", "legal"),
    [
        (0, 0, False),
        (17, 0, False),
        (18, 1, False),
        (19, 1, False),
        (20, 2, False),
        (21, 3, True),
        (24, 3, True),
        (25, 4, True),
    ],
)
def test_overcrowding_at_below_and_above_each_level(light: LightEngine, people: int, level: int, legal: bool):
    # Cap 20: blue from 0.9 × 20 = 18, yellow at 20, orange over 20, red over 1.2 × 20 = 24.
    row = judged(p01(watched(light, lambda _: many(people, "F1", 5.0), minutes=(0, 1))), "F1")[0]
    assert (row["value"], row["level"], row["legal_exceeded"]) == (people, level, legal)


def test_overcrowding_in_words(light: LightEngine):
    row = judged(p01(watched(light, lambda _: many(23, "F1"), minutes=(0, 1))), "F1")[0]
    assert row["sentence_zh"] == "F1区：23 人，核定 20 人；橙色。"
    assert row["sentence_en"] == "Area F1: 23 people, cap 20; orange."
    assert json.loads(row["inputs"]) == {
        "people": 23,
        "leaders": 0,
        "counted": 23,
        "cap": 20,
        "over": 3,
        "rule": "RYQY",
    }


def test_visiting_leaders_do_not_count_under_a_national_cap_at_a_face(light: LightEngine):
    def where(_: float) -> list[Row]:
        return [*many(20, "F1"), person("boss", "F1", is_leader=True)]

    national = [area("F1", cap=20, cap_source="PER-013", cap_confidence="inferred")]
    assert judged(p01(watched(light, where, minutes=(0, 1), areas=national)), "F1")[0]["level"] == 2
    assert (
        judged(p01(watched(light, where, minutes=(0, 1))), "F1")[0]["level"] == 3
    )  # the mine's own number counts everybody
    over = judged(p01(watched(light, lambda _: many(21, "F1"), minutes=(0, 1), areas=national)), "F1")[0]
    assert over["limit_confidence"] == "inferred"
    assert "参考限值" in over["sentence_zh"]


def test_the_whole_mine_has_a_cap_too(light: LightEngine):
    mine = [{"name_zh": "试验矿", "underground_cap": 10}]
    row = judged(p01(watched(light, lambda _: many(6, "F1") + many(5, "R1"), minutes=(0, 1), mines=mine)), MINE_CODE)[0]
    assert (row["value"], row["level"], row["area_id"], row["point_id"]) == (11, 3, MINE_CODE, None)


def test_no_row_without_a_cap_or_where_nobody_may_be(light: LightEngine):
    inputs = watched(light, lambda _: [person("1", "W1")], minutes=(0, 1), areas=[ROAD, area("W1", kind="goaf", cap=0)])
    assert judged(p01(inputs), "R1") == judged(p01(inputs), "W1") == []


def test_without_a_fresh_snapshot_nothing_is_known(light: LightEngine):
    inputs = watched(light, lambda _: many(23, "F1"), minutes=(0, 1))
    late = make_inputs(
        light,
        points=[],
        readings=[],
        areas=AREAS,
        minutes=(0, 6),
        headcount=[{"area_id": "F1", "observed_at": at(0), "people_count": 23}],
    )
    assert judged(p01(inputs), "F1")[0]["level"] == 3
    rows = judged(p01(late), "F1")
    # One snapshot at 0:00 holds for three minutes.
    assert [row["level"] for row in rows] == [3, 3, 3, None, None, None]
    assert rows[3]["null_reason"] == "NO_SNAPSHOT"
    assert rows[3]["sentence_zh"] == "F1区：超员无法判定，无有效的人员快照。"


# ── P-02 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("hours", "level"), [(9.99, 0), (10.0, 2), (11.99, 2), (12.0, 3), (13.99, 3), (14.0, 4), (20.0, 4)]
)
def test_overtime_without_hours_of_the_mine(light: LightEngine, hours: float, level: int):
    inputs = watched(light, lambda _: [person("1", "F1", hours=1.0), person("2", "R1", hours=hours)], minutes=(0, 1))
    row = judged(p02(inputs), MINE_CODE)[0]
    assert (row["value"], row["level"], row["legal_exceeded"]) == (hours, level, False)


@pytest.mark.parametrize(("hours", "level"), [(7.99, 0), (8.0, 2), (9.99, 2), (10.0, 4), (12.5, 4)])
def test_the_hours_of_the_mine_stand_for_the_usual_ones(light: LightEngine, hours: float, level: int):
    mine = [{"name_zh": "试验矿", "approved_hours": 10.0, "shift_hours": 6.0}]
    row = judged(
        p02(watched(light, lambda _: [person("1", "F1", hours=hours)], minutes=(0, 1), mines=mine)), MINE_CODE
    )[0]
    assert row["level"] == level
    assert (row["limit_confidence"] == "mine") == (level == 4)


def test_overtime_says_where_and_how_many(light: LightEngine):
    inputs = watched(
        light,
        lambda _: [person("1", "F1", hours=14.5), person("2", "R1", hours=12.2), person("3", "R1", hours=None)],
        minutes=(0, 1),
    )
    row = judged(p02(inputs), MINE_CODE)[0]
    told = json.loads(row["inputs"])
    assert (told["people_over_alarm"], told["people_over_12_h"], told["entry_not_known"]) == (1, 2, 1)
    assert row["sentence_zh"] == "试验矿全矿：入井时间最长 14.5 h（位于F1区），报警 14.0 h；红色（参考限值）。"


def test_who_has_left_is_not_too_long_underground(light: LightEngine):
    inputs = watched(
        light, lambda _: [person("1", "F1", hours=15, flag=2), person("2", "F1", hours=15, flag=0)], minutes=(0, 1)
    )
    assert judged(p02(inputs), MINE_CODE)[0]["level"] == 0
    assert judged(p02(watched(light, lambda _: [], minutes=(0, 1))), MINE_CODE)[0]["value"] == 0


# ── P-03 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_entry_needs_two_fixes(light: LightEngine):
    def where(minute: float) -> list[Row]:
        return [person("1", "W1" if minute in (1, 3, 4, 5) else "R1")]

    rows = judged(p03(watched(light, where, minutes=(0, 8))), "W1")
    assert [row["level"] for row in rows] == [0, 0, 0, 0, 4, 4, 0, 0]
    assert rows[4]["value"] == 1
    assert rows[4]["sentence_en"] == "Area W1: people where nobody may be: 1, restricted area; red (advisory limit)."


def test_a_restricted_area_that_is_no_goaf_is_orange(light: LightEngine):
    barred = area("X1", kind="chamber", is_restricted=True)
    rows = judged(
        p03(
            watched(light, lambda _: [person("1", "X1", edge_id=None, chainage_m=None)], minutes=(0, 1), areas=[barred])
        ),
        "X1",
    )
    assert rows[0]["level"] == 3


def test_people_where_gas_has_reached_the_cut(light: LightEngine):
    gas = point("G1", "ch4", gas_class="LW_FACE_T1")  # cut 1.5
    readings = series("G1", [0.5] * 4 + [1.49] * 4 + [1.5] * 4, start=0)
    inputs = watched(light, lambda _: many(3, "F1"), minutes=(0, 6), points=[gas], readings=readings)
    rows = judged(p03(inputs), "F1")
    assert [row["level"] for row in rows] == [0, 0, 0, 0, 4, 4]
    assert "瓦斯达到断电值" in rows[4]["sentence_zh"]
    assert judged(p03(inputs), "R1") == []  # nothing is restricted there and no gas is measured


# ── P-04 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def gathering(count: int, spacing_m: float = 3.0, area_id: str = "R1", since: float = 0) -> Where:
    return lambda minute: (
        many(count, area_id, spacing_m, first=100.0) if minute >= since else many(count, area_id, 40.0, first=5.0)[:3]
    )


@pytest.mark.parametrize(("people", "level"), [(4, 0), (5, 2), (9, 2), (10, 3)])
def test_gathering_by_size(light: LightEngine, people: int, level: int):
    row = judged(p04(watched(light, gathering(people), minutes=(5, 6))), "R1")[0]
    assert (row["level"], row["value"]) == (level, people if level else 0)


def test_gathering_lasts_five_minutes(light: LightEngine):
    rows = judged(p04(watched(light, gathering(6), minutes=(0, 8))), "R1")
    assert [row["level"] for row in rows] == [0] * 5 + [2] * 3


@pytest.mark.parametrize(("spacing_m", "level"), [(7.5, 2), (7.6, 0)])
def test_gathering_by_distance(light: LightEngine, spacing_m: float, level: int):
    # Of five in a row the middle one has all others within 15 m only while they stand 7.5 m apart.
    assert judged(p04(watched(light, gathering(5, spacing_m), minutes=(6, 7))), "R1")[0]["level"] == level


def test_gathering_round_a_junction(light: LightEngine):
    # R1 ends where F1 begins: three stand 2, 4 and 6 m before the junction, three as far behind it.
    def where(_: float) -> list[Row]:
        return [person(f"a{n}", "R1", 300 - 2.0 * n) for n in (1, 2, 3)] + [
            person(f"b{n}", "F1", 2.0 * n) for n in (1, 2, 3)
        ]

    inputs = watched(light, where, minutes=(6, 7))
    assert {judged(p04(inputs), name)[0]["value"] for name in ("R1", "F1")} == {6}


def test_people_who_walk_together_and_people_at_a_muster_point_are_no_gathering(light: LightEngine):
    def walking(minute: float) -> list[Row]:
        return [person(str(n), "R1", 10 + 3 * n + 7.0 * (minute + 30)) for n in range(8)]

    assert judged(p04(watched(light, walking, minutes=(0, 8))), "R1")[-1]["level"] == 0
    assert judged(p04(watched(light, gathering(20, area_id="Y1"), minutes=(6, 7))), "Y1")[0]["level"] == 0


def test_one_missing_fix_does_not_scatter_a_gathering(light: LightEngine):
    def where(minute: float) -> list[Row]:
        people = many(5, "R1", 3.0, first=100.0)
        return people[1:] if minute in (3, 6) else people

    assert [row["level"] for row in judged(p04(watched(light, where, minutes=(6, 9))), "R1")] == [2, 2, 2]


def test_gathering_in_gas_is_red(light: LightEngine):
    gas = point("G1", "ch4", "R1", gas_class="LW_INTAKE_T3")  # alarm 0.5
    inputs = watched(
        light, gathering(5), minutes=(6, 8), points=[gas], readings=series("G1", [0.4, 0.4, 0.5, 0.5], start=6)
    )
    rows = judged(p04(inputs), "R1")
    assert [row["level"] for row in rows] == [2, 4]
    assert "瓦斯达到报警值" in rows[1]["sentence_zh"]


# ── P-05 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def moving(card: str, area_id: str) -> Callable[[float], Row]:
    """To and fro between 100 m and 112 m."""
    return lambda minute: person(card, area_id, 100.0 if minute % 2 else 112.0)


def test_alone_where_two_must_work(light: LightEngine):
    first, second = moving("1", "C1"), moving("2", "C1")

    def where(minute: float) -> list[Row]:
        return [first(minute)] + ([second(minute)] if minute < 0 else [person("2", "R1", 200 + 9.0 * (minute % 2))])

    rows = judged(p05(watched(light, where, minutes=(14, 18))), "C1")
    # Alone since 0:00; for longer than 15 minutes from 16:00 on.
    assert [row["level"] for row in rows] == [0, 0, 2, 2]
    assert rows[2]["sentence_zh"] == "C1区：单人作业 1 人；黄色（参考限值）。"
    assert json.loads(rows[2]["inputs"]) == {"alone": 1, "still": 0, "lost": 0}


@pytest.mark.parametrize(("apart_m", "level"), [(50.0, 0), (50.1, 2)])
def test_company_is_within_fifty_metres(light: LightEngine, apart_m: float, level: int):
    inputs = watched(
        light,
        lambda m: [person("1", "C1", 20.0 + 9 * (m % 2)), person("2", "C1", 20.0 + 9 * (m % 2) + apart_m)],
        minutes=(0, 1),
    )
    assert judged(p05(inputs), "C1")[0]["level"] == level


def test_one_person_elsewhere_may_be_alone(light: LightEngine):
    step = moving("1", "R1")
    assert judged(p05(watched(light, lambda m: [step(m)], minutes=(0, 1))), "R1")[0]["level"] == 0


@pytest.mark.parametrize(
    ("far_m", "level"),
    [(2.9, 3), (3.1, 0)],  # from side to side every minute: 1.45 and 1.55 m off the middle
)
def test_standing_still(light: LightEngine, far_m: float, level: int):
    rows = judged(p05(watched(light, lambda m: [person("1", "R1", 100.0 + far_m * (m % 2))], minutes=(0, 1))), "R1")
    assert rows[0]["level"] == level


def test_still_for_ten_minutes_and_an_outlier_is_no_movement(light: LightEngine):
    step = moving("1", "R1")

    def where(minute: float) -> list[Row]:
        return [step(minute)] if minute < 0 else [person("1", "R1", 104.0 if minute == 4 else 100.0)]

    rows = judged(p05(watched(light, where, minutes=(8, 14))), "R1")
    assert [row["level"] for row in rows] == [0, 0, 3, 3, 3, 3]
    assert rows[2]["sentence_en"] == "Area R1: 1 not moving; orange (advisory limit)."


def test_nobody_is_still_at_a_muster_point_or_without_distances(light: LightEngine):
    assert judged(p05(watched(light, lambda _: [person("1", "Y1")], minutes=(0, 1))), "Y1")[0]["level"] == 0
    zone = watched(light, lambda _: [person("1", "R1", station_distance_m=None)], minutes=(0, 1))
    assert judged(p05(zone), "R1")[0]["level"] == 0


def test_a_lost_card_is_looked_for_where_it_was_last_seen(light: LightEngine):
    step, other = moving("1", "R1"), moving("2", "F1")

    def where(minute: float) -> list[Row]:
        return [other(minute)] + ([step(minute)] if minute <= 0 else [])

    rows = judged(p05(watched(light, where, minutes=(4, 63), before=10)), "R1")
    # Last seen at 0:00: lost for more than five minutes from 6:00, forgotten after 60:00.
    assert [row["level"] for row in rows[:3]] == [0, 0, 3]
    assert [row["level"] for row in rows[-4:]] == [3, 3, 0, 0]  # minutes 59 to 62
    assert rows[2]["sentence_zh"] == "R1区：失联 1 人；橙色（参考限值）。"


def test_who_was_seen_to_leave_is_not_lost(light: LightEngine):
    other = moving("2", "F1")

    def left(minute: float) -> list[Row]:
        return [other(minute)] + ([person("1", "R1", flag=1 if minute < 0 else 2)] if minute <= 0 else [])

    assert judged(p05(watched(light, left, minutes=(8, 9))), "R1")[0]["level"] == 0

    def in_the_cage(minute: float) -> list[Row]:
        return [other(minute)] + ([person("1", "S1", 10 * (minute % 2))] if minute <= 0 else [])

    assert judged(p05(watched(light, in_the_cage, minutes=(8, 9))), "S1")[0]["level"] == 0


def test_after_an_outage_nobody_is_lost_still_or_alone(light: LightEngine):
    """Snapshots stop for twenty minutes; what happened meanwhile is not known."""
    inputs = watched(light, lambda m: [person("1", "C1")] if m < 0 or m == 20 else [], minutes=(20, 22), before=50)
    dark = inputs.positions.filter((nw.col("observed_at") < at(0)) | (nw.col("observed_at") >= at(20)))
    counts = inputs.headcount.filter((nw.col("observed_at") < at(0)) | (nw.col("observed_at") >= at(20)))
    rows = judged(p05(replace(inputs, positions=dark, headcount=counts)), "C1")
    assert [row["level"] for row in rows] == [0, 0]


def test_snapshots_every_five_minutes_are_judged_too(light: LightEngine):
    rows = judged(p05(watched(light, lambda _: [person("1", "R1")], minutes=(0, 5), every=5)), "R1")
    assert [row["level"] for row in rows] == [3] * 5


@pytest.mark.parametrize("index", [p01, p02, p03, p04, p05])
def test_no_card_and_no_name_in_gold(light: LightEngine, index: Callable[[Inputs], nw.LazyFrame]):
    inputs = watched(light, lambda _: many(9, "F1", 2.0, hours=15.0), minutes=(8, 10))
    assert "F1-3" not in str(index(inputs).collect().to_arrow().to_pylist())


@pytest.mark.parametrize("index", [p01, p02, p03, p04, p05])
def test_the_future_does_not_matter(light: LightEngine, index: Callable[[Inputs], nw.LazyFrame]):
    """Two worlds that agree up to minute 5 agree in what they say up to it."""

    def world(number: int) -> Where:
        def where(minute: float) -> list[Row]:
            if minute < 5 or number == 0:
                return [*many(6, "R1", 3.0), person("x", "W1"), person("y", "C1")]
            return [person("x", "F1", hours=15.0)] if minute < 8 else []

        return where

    def said(number: int) -> list[Row]:
        rows = index(watched(light, world(number), minutes=(0, 12))).collect().to_arrow().to_pylist()
        kept = [row for row in rows if row["window_start"] < at(5)]
        return sorted(kept, key=lambda row: (row["entity"], row["window_start"]))

    assert said(0) == said(1)


def test_cut_windows_say_the_same(light: LightEngine):
    def where(minute: float) -> list[Row]:
        people = [
            *gathering(6, since=-3)(minute),
            person("x", "W1" if minute % 5 < 3 else "R1"),
            person("y", "C1", 50.0),
        ]
        return people if minute % 11 else people[1:]

    def said(start: float, end: float) -> list[Row]:
        inputs = watched(light, where, minutes=(start, end), before=120 + start % 1)
        rows = [row for index in (p01, p02, p03, p04, p05) for row in index(inputs).collect().to_arrow().to_pylist()]
        return sorted(rows, key=lambda row: (row["index_id"], row["window_start"], row["entity"]))

    def order(rows: list[Row]) -> list[Row]:
        return sorted(rows, key=lambda row: (row["index_id"], row["window_start"], row["entity"]))

    assert order(said(0, 7) + said(7, 20)) == said(0, 20)
