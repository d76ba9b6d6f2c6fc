"""P-07: who has to leave, who is out, how far the rest has to walk, and who walks the wrong way."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pytest
from literal_mine import MINE_CODE, area, at, make_inputs, point, series

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.chemical_crew import p06
from minefusion.pipelines.hazard.evacuation import p07
from minefusion.schemas.site import Area, Edge, Exit, Node, Site
from minefusion.schemas.site_plant import ProcessUnit

if TYPE_CHECKING:
    from minefusion.pipelines.engines.engine import Engine

Row = dict[str, Any]
# X ── in 300 m ── A ── face 200 m ── B ── out 600 m ── X
EDGES = [("in", "X", "A", "IN", 300.0), ("face", "A", "B", "F1", 200.0), ("out", "B", "X", "OUT", 600.0)]
SITE = Site(
    mine_code=MINE_CODE,
    name_zh="试验矿",
    name_en="Test mine",
    severe_hazard=True,
    areas=(
        Area("IN", "进风巷", "Intake", "intake_airway"),
        Area("F1", "工作面", "Face", "longwall_face"),
        Area("OUT", "回风巷", "Return", "return_airway"),
    ),
    nodes=tuple(Node(name, 0.0, 0.0, 0.0) for name in "XAB"),
    edges=tuple(Edge(name, a, b, of, "COAL_FACE", None, length, 10.0) for name, a, b, of, length in EDGES),
    exits=(Exit("X", "井底", "Shaft"),),
    self_rescuer_min=10.0,
)
GAS = point("G", "ch4", "F1", edge_id="face", gas_class="LW_CORNER_T0")
AREAS = [area("IN", "intake_airway"), area("F1"), area("OUT", "return_airway")]


def rows_of(
    light: LightEngine,
    where: dict[str, dict[float, tuple[str, float]]],
    gas: float = 1.8,
    *,
    minutes: tuple[float, float] = (0, 1),
    since: float = -3,
    **more: Any,
) -> dict[tuple[str, float], Row]:
    """(area or mine, minute) → row; `where`: card → minute → (roadway, chainage)."""
    of = {name: area_id for name, _, _, area_id, _ in EDGES}
    positions = [
        {"card_code": card, "observed_at": at(minute), "in_out_flag": 1, "area_id": of[edge], "edge_id": edge,
         "chainage_m": chainage}
        for card, places in where.items()
        for minute, (edge, chainage) in places.items()
    ]  # fmt: skip
    when = sorted({minute for places in where.values() for minute in places})
    parts: Row = {
        "points": [GAS],
        "readings": series("G", [gas] * int((minutes[1] - since) * 2), start=since),
        "areas": AREAS,
        "positions": positions,
        "headcount": [
            {"area_id": MINE_CODE, "observed_at": at(each), "people_count": 1, "leaders_count": 0} for each in when
        ],
        "minutes": minutes,
        "site": SITE,
    }
    found = p07(make_inputs(light, **parts | more)).collect().to_arrow().to_pylist()
    return {(row["entity"], (row["window_start"] - at(0)).total_seconds() / 60): row for row in found}


def staying(
    *cards: str, at_m: float = 50.0, minutes: range = range(-3, 1)
) -> dict[str, dict[float, tuple[str, float]]]:
    return {card: {float(minute): ("face", at_m) for minute in minutes} for card in cards}


def test_nobody_has_to_leave_while_the_air_is_good(light: LightEngine):
    found = rows_of(light, staying("1", "2"), 0.4)
    assert list(found) == [(MINE_CODE, 0.0)]
    row = found[MINE_CODE, 0.0]
    assert (row["value"], row["level"], row["sentence_zh"]) == (1.0, 0, "试验矿全矿：无须撤离的人员；正常。")


@pytest.mark.parametrize(("gas", "told"), [(1.49, False), (1.5, True)])
def test_from_the_value_at_which_people_are_withdrawn(light: LightEngine, gas: float, told: bool):
    assert (("F1", 0.0) in rows_of(light, staying("1"), gas)) == told


def test_the_share_that_is_out_and_the_way_of_the_rest(light: LightEngine):
    where = staying("1", "2", "3", "4") | {"4": {-3.0: ("face", 50.0), -2.0: ("in", 290.0), 0.0: ("in", 200.0)}}
    row = rows_of(light, where)["F1", 0.0]
    # Three of four are inside; from 50 m on the face 50 m and 300 m of good intake: 350 s.
    assert (row["value"], row["level"], row["limit_confidence"]) == (0.25, 2, "advisory")
    assert json.loads(row["inputs"]) == {
        "at_first": 4, "inside": 3, "minutes": 3, "walk_min": 5.8, "worn_min": 0.8, "without_way": 0, "towards": 0,
    }  # fmt: skip
    assert row["sentence_zh"] == "F1区：应撤 4 人，尚有 3 人，最慢者还需 5.8 分钟；黄色（参考限值）。"
    assert "3 of 4 people still inside, the slowest needs 5.8 min more" in row["sentence_en"]


def test_all_out_is_normal(light: LightEngine):
    where = {"1": {-3.0: ("face", 10.0), -1.0: ("in", 290.0), 0.0: ("in", 230.0)}}
    found = rows_of(light, where)
    assert (found["F1", 0.0]["value"], found["F1", 0.0]["level"]) == (1.0, 0)


@pytest.mark.parametrize(
    ("since", "out_of_20", "level"), [(-9, 0, 2), (-10, 0, 4), (-10, 10, 3), (-10, 18, 2), (-10, 17, 3)]
)
def test_an_evacuation_that_takes_long(light: LightEngine, since: float, out_of_20: int, level: int):
    # Late from the tenth minute: red under half out, orange under 0.9.
    cards = [str(number) for number in range(20)]
    where = staying(*cards, at_m=10.0, minutes=range(-12, 1))
    for card in cards[:out_of_20]:
        where[card] |= {float(minute): ("in", 290.0) for minute in range(-5, 1)}
    assert rows_of(light, where, since=since)["F1", 0.0]["level"] == level


@pytest.mark.parametrize(("chainage", "level"), [(50.0, 2), (89.0, 2), (90.0, 3), (100.0, 3)])
def test_bad_air_that_needs_most_of_the_self_rescuer(light: LightEngine, chainage: float, level: int):
    # 0.75 of two minutes are 90 s: 90 m on the face to its nearer end.
    short = replace(SITE, self_rescuer_min=2.0)
    assert rows_of(light, staying("1", at_m=chainage), site=short)["F1", 0.0]["level"] == level


def test_somebody_without_a_way_out_is_red(light: LightEngine):
    closed = [
        {"kind": "roadway", "record_id": name, "quantity": "roadway_blocked", "measured_at": at(-5), "value": 1.0,
         "area_id": area_id, "edge_id": name}
        for name, area_id in (("in", "IN"), ("out", "OUT"))
    ]  # fmt: skip
    row = rows_of(light, staying("1"), feeds={"records": closed})["F1", 0.0]
    assert (row["level"], json.loads(row["inputs"])["without_way"]) == (4, 1)


@pytest.mark.parametrize(("to", "towards"), [(200.0, 0), (249.0, 0), (250.0, 1), (300.0, 1)])
def test_who_walks_towards_it(light: LightEngine, to: float, towards: int):
    # 50 m nearer within two minutes; the area begins at chainage 300 of the intake.
    where = {"1": {-2.0: ("in", 200.0), 0.0: ("in", to)}}
    row = rows_of(light, where)["F1", 0.0]
    assert (json.loads(row["inputs"])["towards"], row["level"]) == (towards, 3 if towards else 0)


def gas_that_ends(*, measured_from: float | None) -> list[Row]:
    """1.8 % until minute 0; from `measured_from` on 0.4 %."""
    later = [] if measured_from is None else series("G", [0.4] * 100, start=measured_from)
    return series("G", [1.8] * 6, start=-3) + later


def test_an_area_whose_air_is_good_again_is_told_of_for_half_an_hour(light: LightEngine):
    found = rows_of(
        light, staying("1", minutes=range(-3, 50)), minutes=(0, 50), readings=gas_that_ends(measured_from=0)
    )
    told = {minute: row for (place, minute), row in found.items() if place == "F1"}
    first = min(minute for minute, row in told.items() if row["level"] == 0)
    assert first <= 2
    assert [told[minute]["level"] for minute in sorted(told) if minute < first] == [2] * int(first)
    assert sorted(told) == [float(minute) for minute in range(int(first) + 30)]
    assert (told[first]["value"], told[first]["sentence_en"]) == (1.0, "Area F1: nobody has to leave; normal.")
    assert ("F1", 49.0) not in found
    assert found[MINE_CODE, 49.0]["level"] == 0


def test_a_sensor_that_fell_silent_does_not_make_the_air_good_again(light: LightEngine):
    people = staying("1", minutes=range(-3, 60))
    found = rows_of(light, people, minutes=(20, 60), readings=gas_that_ends(measured_from=None))
    assert {row["level"] for (place, _), row in found.items() if place == "F1"} == {4}


def test_without_a_snapshot_nothing_is_known(light: LightEngine):
    row = rows_of(light, {})[MINE_CODE, 0.0]
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_SNAPSHOT")


def test_cutting_the_time_changes_nothing(light: LightEngine):
    where = staying("1", "2", minutes=range(-5, 50)) | {
        "3": {float(minute): ("in", 100.0 + 4.0 * minute) for minute in range(-5, 50)}
    }
    whole = rows_of(light, where, minutes=(0, 50), since=-20)
    parts: dict[tuple[str, float], Row] = {}
    for first in range(0, 50, 10):
        parts |= rows_of(light, where, minutes=(first, first + 10), since=-20)
    assert parts == whole


@pytest.mark.usefixtures("spark")
def test_the_same_rows_on_spark_with_the_crew_of_a_plant(light: LightEngine, tmp_path: Path):
    """P-07 and P-06 in one go: a plan on Spark is slow to start."""
    from minefusion.pipelines.engines.spark import SparkEngine
    from minefusion.schemas.settings import load_settings

    unit = ProcessUnit("F1", "neutraliser")
    told = [
        {"kind": "plant_operator", "record_id": name, "quantity": name, "measured_at": at(0), "value": value,
         "area_id": "F1"}
        for name, value in (("disposal_under_way", 1.0), ("persons", 7.0))
    ]  # fmt: skip

    def rows_on(engine: Engine) -> list[Row]:
        inputs = make_inputs(
            engine,
            points=[GAS],
            readings=series("G", [1.8] * 12, start=-3),
            areas=AREAS,
            positions=[
                {"card_code": card, "observed_at": at(minute), "in_out_flag": 1, "area_id": "F1", "edge_id": "face",
                 "chainage_m": 50.0}
                for card in "12" for minute in range(-3, 3)
            ],
            headcount=[
                {"area_id": place, "observed_at": at(minute), "people_count": 2, "leaders_count": 0}
                for minute in range(-3, 3) for place in (MINE_CODE, "F1")
            ],
            feeds={"records": told},
            minutes=(0, 3),
            site=replace(SITE, process_units=(unit,)),
        )  # fmt: skip
        rows = engine.to_arrow(nw.concat([p06(inputs), p07(inputs)], how="vertical")).to_pylist()
        return sorted(rows, key=lambda row: (row["index_id"], row["entity"], row["window_start"]))

    spark = SparkEngine(load_settings(lake=tmp_path / "lake", spark_master="local[2]", spark_driver_memory="1g"))
    found = rows_on(spark)
    assert found == rows_on(light)
    assert {row["level"] for row in found if row["index_id"] == "P-06"} == {4}
