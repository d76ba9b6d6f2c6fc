"""Sources of water (W-06) by samples whose distances can be told by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from ground_and_water import record, site
from hypothesis import given
from hypothesis import strategies as st
from literal_mine import Row, answers, collect, make_history, of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.water_chemistry import FEATURES, Sources, features, w06
from minefusion.schemas.site import SourceWater

# Two waters; samples of one are alike, so the spread is that of the analyses alone: a tenth of an amount, a degree.
LIMESTONE = {"na_k": 30.0, "ca": 80.0, "mg": 20.0, "cl": 25.0, "so4": 60.0, "hco3": 260.0, "tds": 480.0,
             "water_temperature": 13.0}  # fmt: skip
OLD_WORKINGS = {"na_k": 60.0, "ca": 240.0, "mg": 90.0, "cl": 40.0, "so4": 900.0, "hco3": 90.0, "tds": 1600.0,
                "water_temperature": 16.0}  # fmt: skip
WATERS = tuple(
    SourceWater(f"{name}{n}", name, **ions)
    for name, ions in (("limestone", LIMESTONE), ("old workings", OLD_WORKINGS))
    for n in range(3)
)
KNOWN = site(source_waters=WATERS)


@pytest.mark.parametrize(
    ("scope", "amount", "level"),
    [("", 4.99, 0), ("", 5.0, 2), ("", 50.0, 2), ("changed", 0.0, 0), ("changed", 1.0, 3), ("", None, None)],
)
def test_levels_below_at_and_above_each_step(scope: str, amount: float | None, level: int | None):
    assert answers(x=listed_level(of(amount), "W-06", scope))["x"] == level


def test_features_by_hand():
    """Logarithms of one more than the ions, tens of degrees; what is not measured is not known, not nothing."""
    found = features({"na_k": math.e - 1, "cl": 0.0, "water_temperature": 13.0, "ca": None})
    assert found[FEATURES.index("na_k")] == pytest.approx(1.0)
    assert found[FEATURES.index("cl")] == 0.0
    assert found[FEATURES.index("water_temperature")] == pytest.approx(1.3)
    assert np.isnan(found[[FEATURES.index(name) for name in ("ca", "mg", "so4", "hco3", "tds")]]).all()


def test_distance_and_probability_by_hand():
    """Chloride twice as high: ln(51/26)/0.1 = 6.74 from limestone. Distances 1 and 2: e^-0.5 of e^-0.5 + e^-2."""
    sources = Sources(WATERS)
    assert sources.names == ["limestone", "old workings"]
    found = sources.distances(features(LIMESTONE | {"cl": 50.0}))
    assert found[0] == pytest.approx(math.log(51 / 26) / 0.1)
    assert sources.probabilities(np.array([1.0, 2.0])) == pytest.approx([0.8176, 0.1824], abs=5e-5)


@given(st.sampled_from(sorted(LIMESTONE)), st.floats(0.5, 2.0))
def test_an_ion_that_is_left_out_never_adds_distance(name: str, times: float):
    sample = LIMESTONE | {"ca": 100.0, name: LIMESTONE[name] * times}
    sources = Sources(WATERS)
    assert sources.distances(features({**sample, name: None}))[0] <= sources.distances(features(sample))[0] + 1e-9


def sampled(number: int, hour: float, ions: dict[str, float], place: str = "", **more: Any) -> list[Row]:
    return [
        record("water_chemistry", name, hour, amount, f"S{number}", place=place, **more)
        for name, amount in ions.items()
    ]


def rows_of(light: LightEngine, records: list[Row], **more: Any) -> list[Row]:
    return collect(w06(make_history(light, feeds={"records": records}, **({"site": KNOWN} | more))))


def test_water_like_a_known_one_and_like_none(light: LightEngine):
    (row,) = rows_of(light, sampled(1, -5, LIMESTONE))
    told = json.loads(row["inputs"])
    assert (row["value"], row["level"], told["source"], told["probability"]) == (0.0, 0, "limestone", 1.0)
    assert told["source_before"] is None
    (row,) = rows_of(light, sampled(1, -5, LIMESTONE | {"cl": 40.0}))  # ln(41/26)/0.1 = 4.56
    assert (row["value"], row["level"]) == (pytest.approx(4.5547, abs=1e-3), 0)
    (row,) = rows_of(light, sampled(1, -5, LIMESTONE | {"cl": 50.0}))
    assert (row["value"], row["level"]) == (pytest.approx(6.7373, abs=1e-3), 2)


def test_another_source_than_before_is_orange_and_told_in_both_languages(light: LightEngine):
    (row,) = rows_of(light, sampled(1, -50, LIMESTONE) + sampled(2, -5, OLD_WORKINGS))
    assert (row["value"], row["level"]) == (0.0, 3)
    assert row["sentence_en"] == (
        "Area F1: water most likely from old workings (100 %), before it was limestone; orange (advisory limit)."
    )
    assert "水源最可能为 old workings（100 %），此前为 limestone" in row["sentence_zh"]
    (row,) = rows_of(light, sampled(2, -50, OLD_WORKINGS) + sampled(3, -5, OLD_WORKINGS))
    assert row["level"] == 0


def test_each_place_has_its_own_samples(light: LightEngine):
    rows = rows_of(light, sampled(1, -50, LIMESTONE, "roof") + sampled(2, -5, OLD_WORKINGS, "floor"))
    assert {row["entity"]: row["level"] for row in rows} == {"floor": 0, "roof": 0}


def test_a_sample_tells_for_seven_days(light: LightEngine):
    (row,) = rows_of(light, sampled(1, 1.1 - 7 * 24, LIMESTONE))
    assert row["level"] == 0
    (row,) = rows_of(light, sampled(1, 0.9 - 7 * 24, LIMESTONE))
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_WATER_SAMPLE")


def test_a_sample_of_four_features_or_of_bad_quality_is_not_judged(light: LightEngine):
    few = {name: LIMESTONE[name] for name in ("na_k", "ca", "mg", "cl")}
    assert rows_of(light, sampled(1, -5, few))[0]["null_reason"] == "NO_WATER_SAMPLE"
    assert rows_of(light, sampled(1, -5, few | {"so4": 60.0}))[0]["level"] == 0
    assert not rows_of(light, sampled(1, -5, LIMESTONE, quality="BAD"))


def test_a_mine_that_knows_no_sources_says_so(light: LightEngine):
    (row,) = rows_of(light, sampled(1, -5, LIMESTONE), site=None)
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_WATER_SOURCES")
