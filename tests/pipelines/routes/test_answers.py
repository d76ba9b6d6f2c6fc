"""Everybody's answer from literal rows: readings, detectors, fire indices, records of closed roadways, positions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from literal_mine import MINE_CODE, area, at, make_feeds, make_inputs, point, series

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.routes.answers import escape_routes
from minefusion.schemas.gold import HAZARD_INDEX
from minefusion.schemas.site import Area, Edge, Exit, Node, RefugeChamber, Site

if TYPE_CHECKING:
    from minefusion.pipelines.engines.engine import Engine

Row = dict[str, Any]
KEY = b"a key of the tests, of no use"

# X ── in 300 m ── A ── face 200 m ── B ── out 600 m ── X, with a heading of 100 m off A and its fresh air over X.
_AREAS = [("IN", "进风巷", "Intake", "intake_airway"), ("F1", "工作面", "Face", "longwall_face"),
          ("OUT", "回风巷", "Return", "return_airway"), ("H", "掘进面", "Heading", "heading"),
          ("S", "副井", "Man shaft", "shaft")]  # fmt: skip
_EDGES = [("in", "X", "A", "IN", 300.0), ("face", "A", "B", "F1", 200.0), ("out", "B", "X", "OUT", 600.0),
          ("road", "A", "C", "H", 100.0)]  # fmt: skip


def site(**more: Any) -> Site:
    return Site(
        mine_code=MINE_CODE,
        name_zh="试验矿",
        name_en="Test mine",
        severe_hazard=True,
        areas=tuple(Area(*each) for each in _AREAS),
        nodes=tuple(Node(name, 0.0, 0.0, 0.0) for name in "XABC"),
        edges=tuple(Edge(name, a, b, of, "COAL_FACE", None, length, 10.0) for name, a, b, of, length in _EDGES),
        exits=(Exit("X", "副井井底", "bottom of the man shaft"),),
        **more,
    )


POINTS = [
    point("G-in", "ch4", "IN", edge_id="in", gas_class="LW_INTAKE_T3"),
    point("G-out", "ch4", "OUT", edge_id="out", gas_class="LW_RETURN_T2"),
    point("S-in", "smoke", "IN", edge_id="in", value_kind="KG", unit=None),
    point("V-in", "air_velocity", "IN", edge_id="in"),
]


def person(card: str, edge: str | None, chainage: float | None, minute: float = 0.0, area_id: str | None = None) -> Row:
    of = area_id or next((of for name, _, _, of, _ in _EDGES if name == edge), "unplaced")
    return {"card_code": card, "observed_at": at(minute), "in_out_flag": 1, "area_id": of, "edge_id": edge,
            "chainage_m": chainage}  # fmt: skip


def told(
    engine: Engine,
    people: Sequence[Row],
    readings: Sequence[Row] = (),
    *,
    indices: Sequence[Row] = (),
    records: Sequence[Row] = (),
    minutes: tuple[float, float] = (0, 1),
    of: Site | None = None,
    snapshots: Sequence[float] = (),
) -> list[Row]:
    """Rows in the order of minute and place."""
    when = sorted({*snapshots, *((row["observed_at"] - at(0)).total_seconds() / 60 for row in people)})
    inputs = make_inputs(
        engine,
        points=POINTS,
        readings=readings,
        areas=[area(name, kind) for name, _, _, kind in _AREAS],
        positions=people,
        headcount=[
            {"area_id": MINE_CODE, "observed_at": at(each), "people_count": 1, "leaders_count": 0} for each in when
        ],
        minutes=minutes,
        site=of or site(),
    )
    full = [
        {"mine_code": MINE_CODE, "kind": "roadway", "record_id": f"R{n}", "quantity": "roadway_blocked", **row}
        for n, row in enumerate(records)
    ]
    levels = [{"mine_code": MINE_CODE, "window_start": at(0), **row} for row in indices]
    frame = engine.frame(levels, HAZARD_INDEX.arrow_schema())
    rows = escape_routes(inputs, frame, make_feeds(engine, {"records": full}).records, KEY)
    found = engine.to_arrow(rows).to_pylist()
    return sorted(found, key=lambda row: (row["minute"], row["edge_id"] or "", row["area_id"], row["person_hash"]))


def test_in_quiet_times_everybody_is_told_the_shortest_way_every_ten_minutes(light: LightEngine):
    rows = told(light, [person("7", "road", 50.0, minute) for minute in range(12)], minutes=(0, 12))
    assert [row["minute"] for row in rows] == [at(0), at(10)]
    row = rows[0]
    assert (row["answer"], row["air"], row["goal_id"], row["walk_min"], row["length_m"]) == (
        "exit", "good", "X", 5.83, 350.0,
    )  # fmt: skip
    assert json.loads(row["roadways"]) == ["road", "in"]
    assert row["sentence_zh"] == "自掘进面经掘进面、进风巷至副井井底，350 m，5.8 分钟；沿途空气良好；为最短路线。"
    assert row["sentence_en"] == (
        "From Heading through Heading, Intake to bottom of the man shaft, 350 m, 5.8 min; good air all the way; "
        "the shortest way."
    )


def test_gold_holds_no_card(light: LightEngine):
    row = told(light, [person("1234567890", "road", 50.0)])[0]
    assert "1234567890" not in json.dumps(row, default=str)
    assert len(row["person_hash"]) == 32


def test_a_gassed_roadway_is_gone_round_and_that_is_the_reason(light: LightEngine):
    gas = series("G-in", [1.6] * 8, start=-3)
    row = told(light, [person("7", "road", 50.0)], gas)[0]
    assert json.loads(row["roadways"]) == ["road", "face", "out"]
    assert json.loads(row["because"]) == [{"roadway": "in", "zh": "甲烷 1.6 %", "en": "methane 1.6 %"}]
    assert "原因：进风巷 in（甲烷 1.6 %）" in row["sentence_zh"]


@pytest.mark.parametrize(("percent", "roadways"), [(1.49, ["road", "in"]), (1.5, ["road", "face", "out"])])
def test_at_and_below_the_value_from_which_a_roadway_is_avoided(light: LightEngine, percent: float, roadways: list):
    row = told(light, [person("7", "road", 50.0)], series("G-in", [percent] * 8, start=-3))[0]
    assert json.loads(row["roadways"]) == roadways


def test_one_sample_alone_closes_nothing_and_silence_opens_nothing(light: LightEngine):
    lone = series("G-in", [0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 6.0], start=-3)
    assert json.loads(told(light, [person("7", "road", 50.0)], lone)[0]["roadways"]) == ["road", "in"]
    silent = series("G-in", [6.0] * 8, start=-30)
    assert json.loads(told(light, [person("7", "road", 50.0)], silent)[0]["roadways"]) == ["road", "face", "out"]


def test_smoke_bars_the_air_way_and_minutes_with_it_are_all_told(light: LightEngine):
    # Smoke in the intake, which goes with the air over the face into the return: from everywhere it has to be passed.
    smoke = [*series("S-in", [0, 1, 1, 1], every_s=60.0), *series("V-in", [2.0] * 8, start=-1)]
    rows = told(light, [person("7", "road", 50.0, minute) for minute in range(4)], smoke, minutes=(0, 4))
    assert [row["minute"] for row in rows] == [at(minute) for minute in (0, 1, 2, 3)]
    assert [row["air"] for row in rows] == ["good", "least_bad", "least_bad", "least_bad"]
    # The air goes from X to A, into the heading too as far as is declared: 50 m and 300 m at half the speed.
    assert (rows[1]["walk_min"], rows[1]["self_rescuer_min"], rows[1]["self_rescuer_left_min"]) == (11.67, 11.67, 18.33)
    assert "须佩戴自救器 11.7 分钟，尚余 18.3 分钟" in rows[1]["sentence_zh"]
    # Air that goes the other way keeps the heading clear.
    out = [*series("S-in", [0, 1, 1, 1], every_s=60.0), *series("V-in", [-2.0] * 8, start=-1)]
    row = told(light, [person("7", "road", 50.0, minute) for minute in range(4)], out, minutes=(0, 4))[-1]
    assert (row["air"], json.loads(row["roadways"])) == ("good", ["road", "face", "out"])


def test_a_fire_index_counts_as_smoke(light: LightEngine):
    fire = {"index_id": "F-10", "point_id": "G-in", "area_id": "IN", "entity": "G-in", "level": 3, "value": 12.0}
    row = told(light, [person("7", "road", 50.0)], indices=[fire])[0]
    assert row["air"] == "least_bad"
    assert json.loads(row["because"])[-1]["zh"] == "火灾指标报警"


def test_a_record_closes_a_roadway_until_another_opens_it(light: LightEngine):
    closed = {"area_id": "IN", "edge_id": "in", "measured_at": at(-3000), "value": 1.0}
    opened = closed | {"measured_at": at(2.5), "value": 0.0}
    people = [person("7", "road", 50.0, minute) for minute in range(5)]
    rows = told(light, people, records=[closed, opened], minutes=(0, 5))
    # Once it is open again the mine is quiet, and told of every ten minutes.
    assert [(row["minute"], json.loads(row["roadways"])) for row in rows] == [
        (at(0), ["road", "face", "out"]),
        (at(1), ["road", "face", "out"]),
    ]
    assert json.loads(rows[0]["because"])[0]["zh"] == "堵塞或封闭"


def test_who_is_cut_off_hears_of_the_nearest_refuge_and_of_what_blocks(light: LightEngine):
    gas = series("G-in", [6.0] * 8, start=-3) + series("G-out", [6.0] * 8, start=-3)
    refuge = site(refuge_chambers=(RefugeChamber("R1", "1号避难硐室", "chamber 1", "in", 100.0, 20),))
    row = told(light, [person("7", "road", 50.0)], gas, of=refuge)[0]
    assert (row["answer"], row["goal_id"], row["walk_min"]) == ("none", "R1", None)
    assert row["sentence_zh"] == "掘进面：无可行路线；最近避难处 1号避难硐室（250 m），受阻于进风巷 in（甲烷 6 %）。"
    assert row["sentence_en"] == (
        "Heading: no route; nearest refuge chamber 1 (250 m), blocked by Intake in (methane 6 %)."
    )
    face = site(refuge_chambers=(RefugeChamber("R1", "1号避难硐室", "chamber 1", "face", 100.0, 20),))
    row = told(light, [person("7", "road", 50.0)], gas, of=face)[0]
    assert (row["answer"], row["goal_id"], row["walk_min"]) == ("refuge", "R1", 2.5)
    assert row["sentence_zh"].startswith("无法撤至出口，就近避险；自掘进面经掘进面、工作面至1号避难硐室")


def test_a_vague_place_is_told_for_the_worst_that_it_can_be(light: LightEngine):
    rows = told(light, [person("7", "out", None), person("8", None, None, area_id="OUT")])
    assert [row["walk_min"] for row in rows] == [8.33, 8.33]  # the end at B: 500 m over the face and the intake
    assert "仅知所在区域" in rows[0]["sentence_zh"]
    assert "巷道内位置不明" in rows[1]["sentence_zh"]


def test_an_unknown_place_is_said(light: LightEngine):
    row = told(light, [person("7", None, None)])[0]
    assert (row["answer"], row["walk_min"], row["roadways"]) == ("unplaced", None, "[]")
    assert row["sentence_zh"].startswith("位置不明")


def test_who_is_no_longer_seen_is_told_of_for_an_hour(light: LightEngine):
    seen = [person("7", "road", 50.0, minute) for minute in (-25, -24)] + [person("8", "in", 50.0, m) for m in (-25, 0)]
    rows = told(light, seen, snapshots=[-24, -1])
    assert [(row["answer"], row["edge_id"]) for row in rows] == [("unplaced", None), ("exit", "in")]
    # A single snapshot that lacks a card moves nobody; one that says that the person has left does.
    lacking = [person("7", "road", 50.0, -1), person("8", "in", 50.0, 0)]
    assert [row["answer"] for row in told(light, lacking)] == ["exit", "exit"]
    assert len(told(light, [*lacking, person("7", None, None, 0) | {"in_out_flag": 2}])) == 1
    assert rows[0]["sentence_en"].startswith("Place not known: last seen in Heading, no fix for 22 min")
    # Who was last seen in the shaft has gone up.
    assert len(told(light, [person("7", None, None, -2, area_id="S"), person("8", "in", 50.0, 0)])) == 1


def test_a_mine_without_a_graph_says_so_for_everybody(light: LightEngine):
    bare = Site(mine_code=MINE_CODE, name_zh="矿", name_en="Mine", severe_hazard=True, areas=(), nodes=(), edges=())
    assert [row["answer"] for row in told(light, [person("7", "road", 50.0)], of=bare)] == ["unplaced"]


def test_cutting_the_time_changes_nothing(light: LightEngine):
    gas = series("G-in", [0.2] * 10 + [1.8] * 20 + [0.2] * 10)
    people = [
        person(card, "road", 50.0, minute) for card in "78" for minute in range(-5, 20) if (card, minute) < ("8", 7)
    ]
    whole = told(light, people, gas, minutes=(0, 20))
    parts = [row for first in range(0, 20, 5) for row in told(light, people, gas, minutes=(first, first + 5))]
    assert whole == sorted(
        parts, key=lambda row: (row["minute"], row["edge_id"] or "", row["area_id"], row["person_hash"])
    )


@pytest.mark.usefixtures("spark")
def test_both_engines_tell_the_same(light: LightEngine, tmp_path: Path):
    from minefusion.pipelines.engines.spark import SparkEngine
    from minefusion.schemas.settings import load_settings

    other = SparkEngine(load_settings(lake=tmp_path / "lake", spark_master="local[2]", spark_driver_memory="1g"))
    gas = series("G-in", [0.2] * 4 + [1.8] * 8) + series("S-in", [0, 0, 1, 1, 1], every_s=60.0)
    people = [person("7", "road", 50.0, minute) for minute in range(5)] + [person("8", None, None, 3)]
    closed = [{"area_id": "F1", "edge_id": "face", "measured_at": at(2), "value": 1.0}]
    assert told(light, people, gas, records=closed, minutes=(0, 5)) == told(
        other, people, gas, records=closed, minutes=(0, 5)
    )
