"""The indices of rock, water, slopes, ponds and machines say the same on Spark as in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import pytest
from ground_and_water import WHOLE_SITE, a_month
from literal_mine import Row, area, at, make_history, make_inputs, point

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.catalogue import CATALOGUE, TRENDS
from minefusion.schemas.gold import HAZARD_INDEX
from minefusion.schemas.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LETTERS = ("R", "W", "S", "E")
AREAS = [area("F1"), area("POND", "surface")]


def everything(engine: Engine) -> dict[tuple, Row]:
    feeds = a_month()
    history = make_history(engine, hours=(0, 2), feeds=feeds, site=WHOLE_SITE, areas=AREAS)
    belt = [
        {"point_id": name, "observed_at": at(minute), "value": speed, "quality": "GOOD", "quality_reasons": ""}
        for minute in range(-60, 10)
        for name, speed in (("V1", 2.8), ("V2", 3.0))
    ]
    inputs = make_inputs(
        engine, points=[point("V1", "belt_speed"), point("V2", "drum_speed")], readings=belt, minutes=(0, 10),
        lookback_min=120, feeds={"equipment": feeds["equipment"]}, site=WHOLE_SITE, areas=AREAS,
    )  # fmt: skip
    found: dict[tuple, Row] = {}
    for catalogue, given in ((CATALOGUE, inputs), (TRENDS, history)):
        functions = [function for declared, function in catalogue if declared.id[0] in LETTERS]
        for first in range(0, len(functions), 4):
            frames = [function(given) for function in functions[first : first + 4]]
            for row in engine.to_arrow(nw.concat(frames, how="vertical")).to_pylist():
                found[tuple(row[name] for name in HAZARD_INDEX.key)] = row
    engine.release()
    return found


def test_both_engines_say_the_same(spark: SparkSession, light: LightEngine, settings: Settings):
    from minefusion.pipelines.engines.spark import SparkEngine

    engine = SparkEngine(settings)
    assert spark is engine.spark
    wanted, found = everything(light), everything(engine)
    assert {key[1] for key in wanted} >= {f"{letter}-01" for letter in LETTERS}
    assert all(row["level"] is not None for row in wanted.values() if row["index_id"] in ("R-01", "W-03", "S-09"))
    assert found.keys() == wanted.keys()
    for key, row in wanted.items():
        about = {name: pytest.approx(each, abs=2e-6) if isinstance(each, float) else each for name, each in row.items()}
        assert found[key] == about, key
