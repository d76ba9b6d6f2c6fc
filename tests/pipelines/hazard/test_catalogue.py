"""All indices together: what holds for each of them, whatever the data."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pytest
from literal_mine import MINE_CODE, Make, Row, area, at, make_inputs, point, series

from minefusion.pipelines.hazard.catalogue import CATALOGUE, INDICES, compute, index
from minefusion.pipelines.hazard.rows import COLUMNS, LEVEL_EN, LEVEL_ZH, REASONS, Index
from minefusion.pipelines.simulate.plant import DRIVES as PLANT_DRIVES
from minefusion.pipelines.simulate.scenario import load_scenario
from minefusion.schemas.gold import HAZARD_INDEX
from minefusion.schemas.levels import all_steps

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from minefusion.pipelines.engines.engine import Engine
    from minefusion.pipelines.engines.light import LightEngine

KEY = list(HAZARD_INDEX.key)


def whole_mine() -> dict[str, Any]:
    """A face and a heading with every kind of point that an index reads."""
    points = [
        point("G-corner", "ch4", "F1", gas_class="LW_CORNER_T0", edge_id="face"),
        point("G-return", "ch4", "OUT", gas_class="LW_RETURN_T2", edge_id="out"),
        point("G-intake", "ch4", "IN", gas_class="LW_INTAKE_T3", edge_id="in"),
        point("G-heading", "ch4", "H", gas_class="HD_FACE_T1", edge_id="road"),
        point("G-total", "ch4", "H", gas_class="TOTAL_RETURN", period_s=60.0),
        point("C-return", "co", "OUT", edge_id="out"),
        point("C-intake", "co", "IN", edge_id="in"),
        point("D-return", "co2", "OUT", edge_id="out"),
        point("N-return", "no2", "OUT", edge_id="out"),
        point("O-intake", "o2", "IN", edge_id="in"),
        point("T-face", "temperature", "F1", edge_id="face"),
        point("T-goaf", "temperature", "GOAF"),
        point("V-return", "air_velocity", "OUT", edge_id="out", air_class="BELT_ROAD"),
        point("V-heading", "air_velocity", "H", edge_id="road", air_class="COAL_FACE"),
        point("door-a", "air_door", "IN", value_kind="KG"),
        point("door-b", "air_door", "IN", value_kind="KG"),
        point("duct", "duct_state", "H", value_kind="KG"),
    ]
    return {
        "points": points,
        "areas": [
            area("F1", cap=4), area("IN", "intake_airway"), area("OUT", "return_airway"), area("H", "heading", cap=3),
            area("GOAF", "goaf", is_restricted=True),
        ],
        "edges": [
            {"edge_id": "in", "area_id": "IN", "air_class": "BELT_ROAD", "length_m": 900.0, "section_m2": 12.0},
            {"edge_id": "face", "area_id": "F1", "air_class": "COAL_FACE", "length_m": 200.0, "section_m2": 10.0},
            {"edge_id": "out", "area_id": "OUT", "air_class": "BELT_ROAD", "length_m": 900.0, "section_m2": 10.0},
            {"edge_id": "road", "area_id": "H", "air_class": "COAL_FACE", "length_m": 400.0, "section_m2": 10.0},
        ],
        "air_paths": [
            {"area_id": "F1", "intake_edge": "in", "return_edge": "out", "output_t_per_day": 6000.0, "air_factor": 1.4},
            {"area_id": "H", "intake_edge": "in", "return_edge": "road", "output_t_per_day": 0.0, "air_factor": 1.6},
        ],
        "door_pairs": [{"pair_id": "D1", "area_id": "IN", "point_a": "door-a", "point_b": "door-b"}],
    }  # fmt: skip


# Where each quantity wanders: low, high, step. All limits lie inside.
WANDERS = {
    "ch4": (0.2, 2.2, 0.08), "co": (0.0, 30.0, 2.0), "co2": (0.1, 1.6, 0.1), "no2": (0.0, 3.0, 0.2),
    "o2": (17.5, 20.9, 0.2),
    "temperature": (15.0, 90.0, 1.5), "air_velocity": (-1.0, 6.5, 0.4),
}  # fmt: skip
BAD = ("CALIBRATION", "SENSOR_FAULT", "NO_VALUE", "STEP")


def wandering(points: list[Row], seed: int, minutes: int, before: int) -> list[Row]:
    """Readings that cross every limit, with silences up to 50 min, bad and saturated ones among them."""
    rng = random.Random(seed)
    readings = []
    for row in points:
        low, high, step = WANDERS.get(row["quantity"], (0, 1, 0))
        value, out, bad, values = rng.uniform(low, high), 0, 0, []
        every = row["period_s"]
        for _ in range(int((minutes + before) * 60 / every)):
            if row["quantity"] in WANDERS:
                value = min(max(value + rng.gauss(0, step), low), high)
            elif rng.random() < 0.1:
                value = round(1 - round(value))
            out, bad = max(out - 1, 0), max(bad - 1, 0)
            if not out and rng.random() < 0.01:
                out = int(rng.choice((3, 8, 50)) * 60 / every)
            if not bad and rng.random() < 0.01:
                bad = rng.randint(1, 6)
            shown = round(value, 2) if row["quantity"] in WANDERS else round(value)
            if out:
                values.append(None)
            elif bad:
                values.append((shown, "BAD", rng.choice(BAD)))
            elif row["quantity"] == "ch4" and value > 2.0:
                values.append((4.0, "SUSPECT", "SATURATED"))
            else:
                values.append(shown)
        readings += series(row["point_id"], values, start=-before, every_s=every)
    return readings


def people(minutes: int, before: int) -> dict[str, list[Row]]:
    """Five cards that come and go between the face, the heading and the goaf."""
    rng, positions, counts = random.Random(7), [], []
    for minute in range(-before, minutes):
        inside: dict[str, int] = {}
        for number in range(5):
            place = rng.choice(("F1", "F1", "H", "GOAF"))
            inside[place] = inside.get(place, 0) + 1
            positions.append(
                {
                    "card_code": f"card{number}", "observed_at": at(minute), "in_out_flag": 1, "area_id": place,
                    "edge_id": "face", "chainage_m": 100.0, "station_code": "S1", "station_distance_m": 0.0,
                    "entered_mine_at": at(-11 * 60 - number), "entered_area_at": at(minute), "is_calling": False,
                    "is_leader": False, "quality": "GOOD", "quality_reasons": "",
                }
            )  # fmt: skip
        counts += [
            {"area_id": name, "observed_at": at(minute), "people_count": n, "leaders_count": 0}
            for name, n in inside.items()
        ]
        counts.append({"area_id": MINE_CODE, "observed_at": at(minute), "people_count": 5, "leaders_count": 0})
    return {"positions": positions, "headcount": counts}


def keyed(rows: list[Row]) -> dict[tuple, Row]:
    return {tuple(row[name] for name in KEY): row for row in rows}


def rows_of(frame: Any) -> list[Row]:
    return frame.collect().to_arrow().to_pylist()


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    mine = whole_mine()
    return mine | people(180, 120) | {"readings": wandering(mine["points"], seed=3, minutes=180, before=120)}


@pytest.fixture(scope="module")
def whole(light: LightEngine, parts: dict[str, Any]) -> list[Row]:
    """Three hours in one run."""
    return rows_of(compute(make_inputs(light, **parts, minutes=(0, 180), lookback_min=120)))


# How many indices of each subject the specification's catalogue has, numbered from 01 on: 86.
SPECIFIED = {"G": 12, "F": 11, "V": 8, "T": 4, "H": 3, "R": 9, "W": 6, "S": 10, "E": 6, "P": 7, "X": 10}
CONFIDENCES = {"confirmed", "inferred", "convention", "advisory"}
DOCS = Path(__file__).parents[3] / "docs" / "indices"


def test_the_catalogue_is_that_of_the_specification():
    ids = [declared.id for declared in INDICES]
    assert len(ids) == 86
    assert sorted(ids) == sorted(
        f"{letter}-{number:02}" for letter, count in SPECIFIED.items() for number in range(1, count + 1)
    )
    assert index("G-02").name_zh == "甲烷上升速率与到限时间"


@pytest.mark.parametrize("declared", INDICES, ids=lambda declared: declared.id)
def test_an_index_is_declared_in_full(declared: Index):
    """Formula, inputs, unit, source with confidence, levels or why it has none, edges, scenario, page."""
    assert declared.formula
    assert declared.reads
    assert declared.edges
    assert declared.unit
    assert declared.source
    assert declared.doc
    assert declared.confidence in CONFIDENCES
    own = [each for each in all_steps() if each.index_id == declared.id]
    assert bool(own) != bool(declared.without_steps), "levels as rows, or a reason why there are none"
    for each in own:
        if not each.scope:
            assert each.unit == declared.unit, "steps without a scope are about the value itself"
    assert (DOCS / f"{declared.id}.md").is_file()


@pytest.mark.parametrize("declared", INDICES, ids=lambda declared: declared.id)
def test_a_scenario_of_the_simulator_drives_it(declared: Index):
    plant, _, name = declared.scenario.rpartition(":")
    if plant:
        assert declared.id in PLANT_DRIVES[name]
    else:
        assert (declared.id in load_scenario(name).drives) != bool(declared.without_scenario)


def test_every_index_has_rows_and_every_level(whole: list[Row]):
    assert {row["index_id"] for row in whole} == {declared.id for declared, _ in CATALOGUE}
    assert {row["level"] for row in whole if row["index_id"] == "G-01"} == {0, 1, 2, 3, 4, None}


def test_rows_hold_what_the_table_declares(whole: list[Row]):
    assert set(whole[0]) == set(COLUMNS)
    assert len(keyed(whole)) == len(whole)
    confidences = {"confirmed", "inferred", "convention", "advisory", "mine"}
    for row in whole:
        assert row["level"] is None or 0 <= row["level"] <= 4
        assert 0 <= row["coverage"] <= 1
        assert row["limit_confidence"] in confidences
        assert row["unit"]
        assert row["limit_source"]
        assert isinstance(json.loads(row["inputs"]), dict)
        assert (row["window_end"] - row["window_start"]) == timedelta(minutes=index(row["index_id"]).minutes)


def test_a_null_has_a_reason_and_a_value_has_none(whole: list[Row]):
    for row in whole:
        missing = row["value"] is None or row["level"] is None
        assert (row["null_reason"] is not None) == missing, row
        assert row["null_reason"] is None or row["null_reason"] in REASONS


def test_each_sentence_says_the_level_or_why_there_is_none(whole: list[Row]):
    for row in whole:
        if row["level"] is None:
            assert REASONS[row["null_reason"]][0] in row["sentence_zh"]
            assert REASONS[row["null_reason"]][1] in row["sentence_en"]
        else:
            assert LEVEL_ZH[row["level"]] in row["sentence_zh"]
            assert LEVEL_EN[row["level"]] in row["sentence_en"]
        uncertain = row["limit_confidence"] in ("inferred", "convention", "advisory")
        assert ("（参考限值）" in row["sentence_zh"]) == bool(row["level"] and uncertain)


def test_a_run_cut_into_pieces_gives_the_same_rows(light: LightEngine, parts: dict[str, Any], whole: list[Row]):
    pieces: list[Row] = []
    for start in range(0, 180, 30):
        pieces += rows_of(compute(make_inputs(light, **parts, minutes=(start, start + 30), lookback_min=120)))
    assert_same(keyed(pieces), keyed(whole))


def test_what_comes_later_changes_nothing(light: LightEngine, parts: dict[str, Any], whole: list[Row]):
    """Every reading from 1:00 on is another one; the hour before it stays as it is."""
    other = {"value": 3.9, "quality": "GOOD", "quality_reasons": ""}
    changed = [row | other if row["observed_at"] >= at(60) else row for row in parts["readings"]]
    rows = rows_of(compute(make_inputs(light, **parts | {"readings": changed}, minutes=(0, 180), lookback_min=120)))
    before = {key: row for key, row in keyed(rows).items() if row["window_end"] <= at(60)}
    assert_same(before, {key: row for key, row in keyed(whole).items() if row["window_end"] <= at(60)})


def test_the_order_of_the_readings_does_not_matter(light: LightEngine, parts: dict[str, Any]):
    shuffled = {
        name: random.Random(1).sample(parts[name], len(parts[name])) for name in ("readings", "positions", "headcount")
    }
    span = {"minutes": (0, 30), "lookback_min": 120}
    rows = rows_of(compute(make_inputs(light, **parts | shuffled, **span)))
    assert_same(keyed(rows), keyed(rows_of(compute(make_inputs(light, **parts, **span)))))


def test_no_data_at_all_gives_rows_and_no_level(light: LightEngine):
    rows = rows_of(compute(make_inputs(light, **whole_mine(), readings=[], minutes=(0, 10))))
    by_index = {declared.id: [row for row in rows if row["index_id"] == declared.id] for declared in INDICES}
    for name in ("G-01", "G-02", "G-07", "F-09", "F-10", "V-01", "V-02", "V-08", "T-01", "T-04"):
        assert by_index[name], name
        assert {(row["level"], row["legal_exceeded"]) for row in by_index[name]} == {(None, False)}, name


def test_a_mine_without_a_site_file(make: Make):
    """No areas, edges, paths or doors: what points alone can say is still said."""
    points = [{**row, "edge_id": None, "area_id": "unplaced"} for row in whole_mine()["points"]]
    rows = rows_of(
        compute(make(points=points, readings=series("G-corner", [1.2] * 20), areas=[area("unplaced", None)]))
    )
    assert {row["level"] for row in rows if row["index_id"] == "G-01" and row["entity"] == "G-corner"} == {3}


# The rest of gas, fire, air and heat has a test of its own on Spark.
ON_SPARK = ("G-01", "G-02", "G-07", "F-09", "F-10", "V-01", "V-02", "V-08", "T-01", "T-04")


def assert_same(found: dict[tuple, Row], wanted: dict[tuple, Row]) -> None:
    assert found.keys() == wanted.keys()
    different = {key: (found[key], wanted[key]) for key in wanted if found[key] != wanted[key]}
    assert not different, next(iter(different.items()))


def test_the_same_rows_on_spark(spark: SparkSession, light: LightEngine, parts: dict[str, Any]):
    """Ten minutes of the indices of air and gas; sums differ in their last bits, rows do not."""
    from minefusion.pipelines.engines.spark import SparkEngine

    assert spark
    engine = SparkEngine(light.settings)
    span = {"minutes": (0, 10), "lookback_min": 120}

    def rows_on(on: Engine) -> dict[tuple, Row]:
        inputs = make_inputs(on, **parts, **span)
        functions = [function for declared, function in CATALOGUE if declared.id in ON_SPARK]
        return keyed(on.to_arrow(nw.concat([function(inputs) for function in functions], how="vertical")).to_pylist())

    assert_same(rows_on(engine), rows_on(light))
    engine.release()
