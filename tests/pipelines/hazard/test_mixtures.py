"""Flammability limits (G-03), the explosion triangle (G-04) and the Bureau of Mines' method (G-06), by hand."""

from __future__ import annotations

import json

import narwhals as nw
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats, just, lists, tuples
from literal_mine import Make, answers, area, at, collect, of, point, series

from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.mixtures import (
    EXPLOSIVE,
    FUEL_LEAN,
    IMPOSSIBLE,
    NO_COMBUSTIBLE,
    NOT_EXPLOSIVE,
    OF_LIMITS,
    OF_TRIANGLE,
    SEVERITY,
    TRIANGLE,
    WHEN_DILUTED,
    effective_combustible_pct,
    effective_inert_pct,
    excess_nitrogen_pct,
    explosion_class,
    g03,
    g04,
    g06,
    inert_at_nose_pct,
    is_explosive_by_bureau,
    lower_limit_falls_to,
    lower_limit_pct,
    most_oxygen_pct,
    nose_pct,
    oxygen_at_nose_pct,
    severity,
    share_of_lower_limit,
    upper_limit_pct,
    with_triangle,
    worst_class,
)

# ── G-03 ──


def test_limits_of_the_catalogue_vector():
    gases = [of(amount) for amount in (2.0, 1.0, 1.0, 0.0, 0.0, 0.0)]
    found = answers(lower=lower_limit_pct(gases), upper=upper_limit_pct(gases), share=share_of_lower_limit(gases))
    assert found["lower"] == pytest.approx(5.479, abs=0.001)
    assert found["upper"] == pytest.approx(23.56, abs=0.01)
    assert found["share"] == pytest.approx(4 / 5.479, abs=0.001)


def test_inert_gas_at_the_nose_agrees_with_the_noses_oxygen():
    """N⁺ = (100 − nose − nose_O2/0.2093)/nose, for all three gases of the triangle."""
    for gas, oxygen in zip(OF_TRIANGLE, (12.2, 6.1, 5.1), strict=True):
        assert gas.inert == pytest.approx((100 - gas.nose - oxygen / 0.2093) / gas.nose, rel=0.003)


@settings(max_examples=20)
@given(lists(tuples(*[floats(0.01, 20.0) | just(0.0)] * 6).filter(any), min_size=20, max_size=20))
def test_a_mixtures_limit_lies_between_those_of_its_gases(mixtures: list[tuple[float, ...]]):
    found = lower_limit_pct([np.array(amounts) for amounts in zip(*mixtures, strict=True)])
    for limit, amounts in zip(found, mixtures, strict=True):
        limits = [gas.lower for gas, amount in zip(OF_LIMITS, amounts, strict=True) if amount > 0]
        assert min(limits) - 1e-9 <= limit <= max(limits) + 1e-9


def test_warm_gas_burns_from_less():
    """100 ℃ are 80 K over 20: 80 × 0.072 % = 5.76 % lower; cold gas and no thermometer change nothing."""
    assert answers(x=lower_limit_falls_to(of(100.0)))["x"] == pytest.approx(0.9424)
    assert answers(x=lower_limit_falls_to(of(5.0)))["x"] == answers(x=lower_limit_falls_to(of(None)))["x"] == 1.0


@pytest.mark.parametrize(
    ("share", "level"),
    [(0.0, 0), (19.9, 0), (20.0, 1), (20.1, 1), (39.9, 1), (40.0, 2), (59.9, 2), (60.0, 3), (99.9, 3), (100.0, 4),
     (None, None)],
)  # fmt: skip
def test_levels_of_the_share_of_the_lower_limit(share: float | None, level: int | None):
    assert answers(x=listed_level(of(share), "G-03"))["x"] == level


# ── G-04 ──


def classified(ch4: float, o2: float | None, co: float = 0.0, h2: float = 0.0) -> str | None:
    return found_with(ch4, co, h2, found=explosion_class(TRIANGLE, of(o2)))["found"]


def found_with(ch4: float, co: float, h2: float, **expressions: nw.Expr) -> dict:
    """What formulas give for one mixture's triangle."""
    gases = nw.from_dict({"ch4": [ch4], "co": [co], "h2": [h2]}, backend="polars").lazy()
    frame = with_triangle(gases, [nw.col(name) for name in ("ch4", "co", "h2")])
    return frame.select(**expressions).collect().to_arrow().to_pylist()[0]


def test_triangle_of_the_catalogue_vector():
    gases = [of(8.0), of(0.5), of(0.3)]
    found = answers(
        lower=lower_limit_pct(gases, OF_TRIANGLE), upper=upper_limit_pct(gases, OF_TRIANGLE), nose=nose_pct(gases),
        inert=inert_at_nose_pct(gases), oxygen=oxygen_at_nose_pct(gases),
    )  # fmt: skip
    assert found == {
        "lower": pytest.approx(5.131, abs=0.001), "upper": pytest.approx(15.115, abs=0.001),
        "nose": pytest.approx(6.019, abs=0.001), "inert": pytest.approx(38.03, abs=0.01),
        "oxygen": pytest.approx(11.71, abs=0.01),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ch4", "co", "h2", "o2", "found"),
    [
        (8.0, 0.5, 0.3, 16.0, EXPLOSIVE), (9.5, 0.0, 0.0, 18.9, EXPLOSIVE), (2.0, 0.0, 0.0, 20.5, FUEL_LEAN),
        (40.0, 0.0, 0.0, 5.0, WHEN_DILUTED), (8.0, 0.0, 0.0, 12.0, WHEN_DILUTED), (3.0, 0.0, 0.0, 4.0, NOT_EXPLOSIVE),
        (4.0, 2.0, 1.0, 9.0, NOT_EXPLOSIVE), (4.0, 2.0, 1.0, 15.0, EXPLOSIVE),
        (0.05, 0.0, 0.0, 20.9, NO_COMBUSTIBLE), (0.0, 0.0, 0.0, 20.9, NO_COMBUSTIBLE),
        (5.0, 0.0, 0.0, 19.8835, EXPLOSIVE),  # the corner B
        (14.0, 0.0, 0.0, 17.9998, EXPLOSIVE),  # the corner C
        (9.5, 0.0, 0.0, 19.24, EXPLOSIVE),  # 0.3 % over the air line: error of the analysis
        (9.5, 0.0, 0.0, 19.25, IMPOSSIBLE), (0.0, 0.0, 0.0, 21.24, IMPOSSIBLE), (2.0, 0.0, 0.0, None, None),
    ],
)  # fmt: skip
def test_classes(ch4: float, co: float, h2: float, o2: float | None, found: str | None):
    assert classified(ch4, o2, co, h2) == found


def test_the_worst_class_within_the_oxygens_error():
    """CH4 7 with 12.7 % of oxygen needs air first; with 0.5 % more it stands in the triangle."""
    assert classified(7.0, 12.7) == WHEN_DILUTED
    for o2, error, worst in (
        (12.7, 0.1, WHEN_DILUTED),
        (12.7, 0.5, EXPLOSIVE),
        (20.5, 0.5, IMPOSSIBLE),
        (None, 0.5, None),
    ):
        assert found_with(7.0, 0.0, 0.0, found=worst_class(TRIANGLE, of(o2), of(error)))["found"] == worst


def test_more_oxygen_is_never_better():
    """That is why the worst class is looked for at the upper end of the oxygen's error alone."""
    draw = np.random.default_rng(1).uniform
    ch4, co, h2 = draw(0.06, 60, 5000), draw(0, 10, 5000), draw(0, 5, 5000)
    room = np.maximum(0.2093 * (100 - ch4 - co - h2), 0.0)
    low = room * draw(0, 1, 5000)
    columns = {"ch4": ch4, "co": co, "h2": h2, "low": low, "high": low + (room - low) * draw(0, 1, 5000)}
    frame = nw.from_dict({name: list(values) for name, values in columns.items()}, backend="polars").lazy()
    frame = with_triangle(frame, [nw.col(name) for name in ("ch4", "co", "h2")])
    found = frame.select(*(severity(explosion_class(TRIANGLE, nw.col(name))).alias(name) for name in ("low", "high")))
    found = found.collect()
    assert len(found) == 5000
    assert found.filter(nw.col("low") > nw.col("high")).is_empty()
    assert set(found["high"]) == {0.0, 1.0, 3.0, 4.0}


def test_severities_of_the_classes():
    found = {name: answers(x=severity(nw.lit(name)))["x"] for name in (*SEVERITY, IMPOSSIBLE)}
    assert found == {**SEVERITY, IMPOSSIBLE: None}


@pytest.mark.parametrize(("value", "level"), [(0.0, 0), (1.0, 0), (2.9, 0), (3.0, 3), (3.9, 3), (4.0, 4), (None, None)])
def test_levels_of_the_classes(value: float | None, level: int | None):
    assert answers(x=listed_level(of(value), "G-04"))["x"] == level


@pytest.mark.parametrize(("share", "level"), [(59.9, 0), (60.0, 2), (99.0, 2)])
def test_a_lean_mixture_near_its_limit_is_yellow(share: float, level: int):
    assert answers(x=listed_level(of(share), "G-04", "fuel_lean"))["x"] == level


# ── G-06 ──


def test_the_bureaus_quantities_of_the_catalogue_vector():
    ch4, co, h2, co2, o2, n2 = (of(amount) for amount in (3.0, 3.0, 1.0, 12.0, 8.0, 73.0))
    found = answers(
        excess=excess_nitrogen_pct(n2, o2), inert=effective_inert_pct(n2, o2, co2),
        combustible=effective_combustible_pct(ch4, co, h2), most=most_oxygen_pct(ch4, co, h2),
    )  # fmt: skip
    assert found == {
        "excess": pytest.approx(42.79, abs=0.01), "inert": pytest.approx(60.79, abs=0.01),
        "combustible": pytest.approx(5.45), "most": pytest.approx(8.0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ch4", "o2", "co2", "n2", "explosive"),
    [
        (9.5, 18.9, 0.0, 71.6, True),  # in plain air, between the limits
        (4.9, 19.9, 0.0, 75.2, False),  # under the lower limit
        (14.5, 17.9, 0.0, 67.6, False),  # over the upper limit
        (6.0, 12.0, 2.0, 80.0, False),  # oxygen at its ceiling of 12 %
        (0.0, 20.9, 0.1, 79.0, False),
        (9.5, None, 0.0, 71.6, None),
    ],
)
def test_explosive_by_the_bureaus_method(ch4: float, o2: float | None, co2: float, n2: float, explosive: bool | None):
    gases, inert = [of(ch4), of(0.0), of(0.0)], effective_inert_pct(of(n2), of(o2), of(co2))
    found = found_with(ch4, 0.0, 0.0, found=is_explosive_by_bureau(gases, of(o2), inert, TRIANGLE))
    assert found["found"] is explosive


# ── on frames ──

SENSORS = [
    point("G", "ch4", gas_class="LW_FACE_T1"), point("C", "co"), point("O", "o2"), point("D", "co2"),
]  # fmt: skip


def minute_of(make: Make, index, values: dict[str, float | None], points=SENSORS, **parts) -> list[dict]:
    readings = [row for name, value in values.items() if value is not None for row in series(name, [value] * 4)]
    return collect(index(make(points=points, readings=readings, minutes=(0, 1), **parts)))


def test_an_areas_share_of_the_lower_limit(make: Make):
    """CH4 1.2 % and CO 250 ppm: 1.2/5 + 0.025/12.5 = 24.2 % of the limit, blue; the higher of two methane points."""
    points = [*SENSORS, point("G2", "ch4", gas_class="LW_FACE_T1")]
    (row,) = minute_of(make, g03, {"G": 1.2, "G2": 0.3, "C": 250.0}, points)
    assert (row["entity"], row["value"], row["level"], row["unit"]) == ("F1", 24.2, 1, "%")
    assert row["sentence_zh"] == "F1区：可燃气体达到爆炸下限的 24.2 %；蓝色（参考限值）。"
    assert row["limit_confidence"] == "advisory"


def test_no_combustible_gas_has_no_limits(make: Make):
    (row,) = minute_of(make, g03, {"G": 0.0})
    assert (row["value"], row["level"]) == (0.0, 0)
    assert json.loads(row["inputs"])["lower_limit_pct"] is None


def test_an_area_in_the_triangle(make: Make):
    (row,) = minute_of(make, g04, {"G": 8.0, "C": 0.0, "O": 16.0})
    assert (row["value"], row["level"], row["unit"]) == (4.0, 4, "class")
    assert row["sentence_en"] == "Area F1: combustible gas 8.00 %, oxygen 16.0 %: explosive; red."
    (row,) = minute_of(make, g04, {"G": 3.5, "O": 20.1})
    assert (row["value"], row["level"]) == (1.0, 2)  # 70 % of the lower limit, too lean
    (row,) = minute_of(make, g04, {"G": 2.0, "O": 20.5})
    assert (row["value"], row["level"]) == (1.0, 0)


def test_oxygen_that_no_air_could_bring_is_no_analysis(make: Make):
    (row,) = minute_of(make, g04, {"G": 1.0, "O": 21.5})
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "IMPOSSIBLE_ANALYSIS")


def test_what_is_silent_is_named(make: Make):
    assert minute_of(make, g04, {"G": 1.0})[0]["null_reason"] == "NO_OXYGEN"
    assert minute_of(make, g04, {"O": 20.0})[0]["null_reason"] == "NO_METHANE"
    assert minute_of(make, g06, {"G": 1.0, "O": 20.0})[0]["null_reason"] == "NO_CARBON_DIOXIDE"


@pytest.mark.parametrize(("index", "points"), [(g03, SENSORS[1:]), (g04, SENSORS[:2]), (g06, SENSORS[:3])])
def test_an_area_that_lacks_the_sensor_is_not_judged(make: Make, index, points):
    assert minute_of(make, index, {}, points) == []


def sample(**amounts: float) -> list[dict]:
    """One chromatograph sample, in %."""
    return [
        {
            "record_id": "S1", "kind": "gas_sample", "quantity": gas, "measured_at": at(0.5), "value": amount,
            "unit": "%", "area_id": "GOAF", "place": "tube 3",
        }
        for gas, amount in amounts.items()
    ]  # fmt: skip


def test_a_sample_is_judged_by_itself(make: Make):
    """The Bureau's vector: not explosive by either; ethylene counts as methane and is marked."""
    records = sample(ch4=3.0, co=3.0, h2=1.0, co2=12.0, o2=8.0, n2=73.0)
    goaf = [area("F1"), area("GOAF", "goaf")]
    (row,) = minute_of(make, g06, {}, [], areas=goaf, feeds={"records": records})
    assert (row["entity"], row["area_id"], row["value"], row["level"]) == ("GC tube 3", "GOAF", 5.45, 0)
    records = sample(ch4=3.0, c2h4=0.5, o2=19.0, co2=0.5)
    (row,) = minute_of(make, g04, {}, [], areas=goaf, feeds={"records": records})
    assert json.loads(row["inputs"])["marks"] == "APPROXIMATE"


def test_the_worse_of_both_methods_counts(make: Make):
    """CH4 40 % with 5 % of oxygen: nothing to the Bureau's method, explosive with air by the triangle."""
    (row,) = minute_of(make, g06, {"G": 40.0, "O": 5.0, "D": 1.0})
    inputs = json.loads(row["inputs"])
    assert (row["level"], inputs["explosive"], inputs["class_by_triangle"]) == (3, 0, WHEN_DILUTED)
    assert inputs["marks"] == "WORSE_BY_G-04"
    (row,) = minute_of(make, g06, {"G": 9.0, "O": 18.5, "D": 0.1})
    assert (row["level"], json.loads(row["inputs"])["explosive"]) == (4, 1)
