"""Formulas of the fire ratios (F-01 to F-07), by published and hand-worked examples."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import floats
from literal_mine import answers, of

from minefusion.pipelines.hazard.fire_ratios import (
    carbon_to_hydrogen,
    grahams_ratio,
    jones_trickett_ratio,
    littons_ratio,
    middle_of_three,
    morriss_ratio,
    own_normal,
    oxides_of_carbon_ratio,
    oxygen_deficiency_pct,
    relative_error,
    residual_gas_pct,
    slope_per_day,
    willetts_ratio,
    youngs_ratio,
)
from minefusion.pipelines.hazard.gas_analyses import nitrogen_by_difference_pct
from minefusion.pipelines.hazard.hours import Span
from minefusion.pipelines.hazard.levels import listed_level


def test_oxygen_deficiency_and_grahams_ratio_of_the_catalogue_vector():
    deficiency = oxygen_deficiency_pct(of(20.10), of(79.30))
    found = answers(deficiency=deficiency, ico=grahams_ratio(of(0.0025), deficiency))
    assert found == {"deficiency": pytest.approx(0.899, abs=0.001), "ico": pytest.approx(0.278, abs=0.001)}


def test_grahams_ratio_of_the_book():
    """Thakur (2019): O2 15.2, N2 70.4, CO 100 ppm with the factor 0.265."""
    deficiency = oxygen_deficiency_pct(of(15.2), of(70.4), 0.265, 1.0)
    found = answers(deficiency=deficiency, ico=grahams_ratio(of(0.01), deficiency))
    assert found == {"deficiency": pytest.approx(3.456, abs=0.001), "ico": pytest.approx(0.289, abs=0.001)}


def test_the_intakes_own_air_corrects_the_deficiency():
    """Intake of 20.7 % oxygen and 79.2 % nitrogen: its own air has no deficiency."""
    assert answers(x=oxygen_deficiency_pct(of(20.7), of(79.2), of(20.7), of(79.2)))["x"] == pytest.approx(0.0)


def test_jones_trickett_ratio_of_the_catalogue_vector():
    deficiency = oxygen_deficiency_pct(of(20.10), of(79.30))
    found = answers(x=jones_trickett_ratio(of(0.45), of(0.0025), of(0.0008), deficiency))["x"]
    assert found == pytest.approx(0.502, abs=0.001)


def test_littons_ratio_of_the_catalogue_vectors():
    for co, o2, ch4, residual, ratio in ((500.0, 3.0, 20.0, 65.68, 0.181), (4000.0, 2.0, 20.0, 70.45, 1.594)):
        found = answers(rest=residual_gas_pct(of(o2), of(ch4)), ratio=littons_ratio(of(co), of(o2), of(ch4)))
        assert found == {"rest": pytest.approx(residual, abs=0.01), "ratio": pytest.approx(ratio, abs=0.001)}


@pytest.mark.parametrize(("o2", "ch4"), [(0.1, 20.0), (20.9, 0.3)])
def test_no_litton_ratio_without_oxygen_or_without_other_gas(o2: float, ch4: float):
    assert answers(x=littons_ratio(of(100.0), of(o2), of(ch4)))["x"] is None


def test_the_other_ratios_by_hand():
    """ΔCO2 0.3 over ΔO2 1.2: 25; ΔCO 0.006 over ΔCO2 0.3: 0.02; 100·0.006/(0.3 + 4 + 0.7) = 0.12; 4/0.306 = 13.07."""
    found = answers(
        young=youngs_ratio(of(0.3), of(1.2)), cor=oxides_of_carbon_ratio(of(0.006), of(0.3)),
        willett=willetts_ratio(of(0.006), of(0.3), of(4.0), of(0.7)),
        morris=morriss_ratio(of(4.0), of(0.006), of(0.3)),
        none=willetts_ratio(of(0.006), of(0.0), of(-0.1), of(0.0)),
    )  # fmt: skip
    assert found == {
        "young": pytest.approx(25.0), "cor": pytest.approx(0.02), "willett": pytest.approx(0.12),
        "morris": pytest.approx(13.0719, abs=1e-4), "none": None,
    }  # fmt: skip


def test_carbon_to_hydrogen_by_hand():
    """6·(0.3 + 0.006)/(2·(1.2 − 0.3) + 0.01 − 0.006) = 1.836/1.804; more CO2 than oxygen used has no ratio."""
    gases = [of(amount) for amount in (0.3, 0.006, 0.0, 0.0, 0.01, 1.2)]
    assert answers(x=carbon_to_hydrogen(*gases))["x"] == pytest.approx(1.0177, abs=1e-4)
    assert answers(x=carbon_to_hydrogen(of(1.5), *gases[1:]))["x"] is None


@settings(max_examples=30, deadline=None)
@given(floats(0.05, 0.95), floats(15.0, 19.0), floats(0.3, 2.0), floats(0.001, 0.05))
def test_fresh_air_does_not_change_the_ratios(fresh: float, o2: float, co2: float, co: float):
    """A part of a sample, filled up with plain air: Graham's, Young's, Jones–Trickett's and the oxides' stay."""
    n2 = 100 - o2 - co2 - co

    def ratios(share: float) -> list[float]:
        oxygen, nitrogen = of(share * o2 + (1 - share) * 20.93), of(share * n2 + (1 - share) * 79.04)
        deficiency = oxygen_deficiency_pct(oxygen, nitrogen)
        d_co, d_co2 = of(share * co), of(share * co2)
        found = answers(
            a=grahams_ratio(d_co, deficiency), b=youngs_ratio(d_co2, deficiency),
            c=jones_trickett_ratio(d_co2, d_co, of(0.0), deficiency), d=oxides_of_carbon_ratio(d_co, d_co2),
        )  # fmt: skip
        return list(found.values())

    assert ratios(1 - fresh) == pytest.approx(ratios(1.0), rel=1e-6)


def test_nitrogen_by_difference_needs_what_is_much_of_it():
    gases = [of(amount) for amount in (20.0, 0.5, 0.3, 0.002, None, None)]
    assert answers(x=nitrogen_by_difference_pct(*gases))["x"] == pytest.approx(79.198)
    assert answers(x=nitrogen_by_difference_pct(of(20.0), of(None), *gases[2:]))["x"] is None


def test_the_error_of_a_ratio():
    """CO 20 ± 2 ppm and ΔO2 0.75 ± 0.15 %: √(0.1² + 0.2²) = 0.2236; a chromatograph's is smaller."""
    found = answers(
        sensors=relative_error(of(20.0), of(0.75), nw.lit(False)),
        sample=relative_error(of(20.0), of(0.75), nw.lit(True)),
    )
    assert found["sensors"] == pytest.approx(0.2236, abs=1e-4)
    assert found["sample"] == pytest.approx(0.0833, abs=1e-4)


@pytest.mark.parametrize(
    ("three", "middle"), [((5.0, 1.0, 3.0), 3.0), ((5.0, 1.0, None), 1.0), ((5.0, None, None), 5.0)]
)
def test_one_outlier_raises_nothing(three: tuple, middle: float):
    assert answers(x=middle_of_three(*(of(value) for value in three)))["x"] == middle


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [
        ("F-02", "", [(0.39, 0), (0.4, 1), (0.41, 1), (0.5, 2), (0.99, 2), (1.0, 3), (1.99, 3), (2.0, 4), (3.5, 4)]),
        ("F-03", "", [(24.9, 0), (25.0, 1), (25.1, 1), (49.9, 1), (50.0, 2), (80.0, 2)]),
        ("F-04", "", [(0.4, 0), (0.41, 1), (0.5, 1), (0.51, 2), (1.6, 2)]),
        ("F-05", "", [(0.019, 0), (0.02, 2), (0.021, 2), (0.129, 2), (0.13, 3), (0.3, 3)]),
        ("F-05", "fall", [(0.29, 0), (0.3, 3), (0.5, 3)]),
        ("F-06", "", [(3.0, 0), (3.1, 2), (5.0, 2), (5.1, 3), (20.0, 3), (20.1, 4)]),
        ("F-07", "", [(0.9, 0), (1.0, 0), (1.01, 2)]),
        ("F-08", "", [(0.0, 0), (1.0, 1), (2.0, 2), (3.0, 3), (4.0, 3), (5.0, 4)]),
    ],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for value, level in values:
        assert answers(x=listed_level(of(value), index_id, scope))["x"] == level, value
    assert answers(x=listed_level(of(None), index_id, scope))["x"] is None


SPAN = Span(0, 744, 745)


def test_a_places_own_normal_needs_a_month():
    """0.3 and 0.4 by turns: median 0.35, three deviations of 0.05 · 1.4826 above it; a fortnight tells nothing."""
    month = np.where(np.arange(745) % 2 == 0, 0.3, 0.4)
    assert own_normal({"ratio": month}, SPAN)["normal"] == pytest.approx([0.35 + 3 * 1.4826 * 0.05])
    fortnight = np.where(np.arange(745) < 400, np.nan, month)
    assert np.isnan(own_normal({"ratio": fortnight}, SPAN)["normal"]).all()


def test_the_slope_of_a_day():
    values = np.full(745, np.nan)
    values[721:745] = np.arange(24) * 0.5  # 0.5 an hour
    assert slope_per_day(values, 744) == pytest.approx(12.0)
    assert np.isnan(slope_per_day(np.where(np.arange(745) > 739, values, np.nan), 744))  # five values
