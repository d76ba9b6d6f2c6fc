"""Uneven gas (G-08) and the barometer (G-11), by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from literal_mine import MINE_CODE, T0, Row, answers, area, at, collect, make_history, of, point

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.gas_trend import barometer, breathing_m3_s, g08, g11, hourly_volatility, unevenness
from minefusion.pipelines.hazard.hours import Span
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.schemas.site import Site
from minefusion.schemas.site_air import GoafVoid

SPAN = Span(0, 744, 745)


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [
        ("G-08", "unevenness", [(1.5, 0), (1.51, 1), (2.0, 1), (2.01, 2), (9.0, 2)]),
        ("G-08", "volatility", [(2.0, 0), (2.1, 1), (3.0, 1), (3.1, 2), (5.0, 2), (5.1, 3)]),
        ("G-11", "", [(59.9, 0), (60.0, 1), (99.9, 1), (100.0, 2), (199.9, 2), (200.0, 3)]),
    ],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for value, level in values:
        assert answers(x=listed_level(of(value), index_id, scope))["x"] == level, value
    assert answers(x=listed_level(of(None), index_id, scope))["x"] is None


# ── G-08 ──


def test_unevenness_by_hand():
    """23 hours of 10 m³/min and one of 22: 22/10.5 = 2.095; σ of it 2.398/10.5."""
    emission = np.full(745, 10.0)
    emission[730] = 22.0
    found = unevenness({"emission": emission}, SPAN)
    assert found["uneven"] == pytest.approx([22 / 10.5])
    assert found["variation"] == pytest.approx([2.3979 / 10.5], abs=1e-4)
    short = np.where(np.arange(745) > 727, emission, np.nan)  # 17 hours
    assert np.isnan(unevenness({"emission": short}, SPAN)["uneven"]).all()


def test_volatility_is_about_the_hours_own_trend():
    """A steady rise swings by nothing; ±0.1 by turns about a rise has a MAD of 0.1."""
    rise = np.linspace(0.4, 0.8, 12)
    swing = np.where(np.arange(12) % 2 == 0, 0.1, -0.1)
    silent = np.where(np.arange(12) < 4, np.nan, rise)
    found = hourly_volatility(np.array([rise, rise + swing, silent]))
    assert found[0] == pytest.approx(0.0, abs=1e-9)
    assert found[1] == pytest.approx(0.148, abs=0.01)
    assert np.isnan(found[2])


def emission(hours: dict[int, float]) -> list[Row]:
    return [
        {"index_id": "G-07", "area_id": "F1", "entity": "F1", "value": value,
         "window_start": T0 + timedelta(hours=hour, minutes=minute)}
        for hour, value in hours.items()
        for minute in (0, 30)
    ]  # fmt: skip


def gas(values: Sequence[float], start_h: float = 0.0, area_id: str = "OUT") -> list[Row]:
    return [
        {"point_id": "G", "quantity": "ch4", "value_mean": value, "value_max": value, "area_id": area_id,
         "window_start": at(60 * start_h + 5 * n)}
        for n, value in enumerate(values)
    ]  # fmt: skip


PATHS = [{"area_id": "F1", "intake_edge": "in", "return_edge": "out", "air_factor": 1.4}]
AREAS = [area("F1"), area("OUT", "return_airway"), area("TOP", "surface")]
POINTS = [point("G", "ch4", "OUT", gas_class="LW_RETURN_T2", edge_id="out"), point("B", "pressure", "TOP")]
Run = Callable[..., list[Row]]


@pytest.fixture
def run(light: LightEngine) -> Run:
    def rows(index, **parts: Any) -> list[Row]:
        mine = {"points": POINTS, "areas": AREAS, "air_paths": PATHS} | parts
        return collect(index(make_history(light, **mine)))

    return rows


def test_the_unevenness_of_an_area(run: Run):
    rows = run(g08, indices=emission({hour: 22.0 if hour == -3 else 10.0 for hour in range(-23, 1)}))
    row = next(row for row in rows if row["entity"] == "F1")
    assert (row["value"], row["level"], row["point_id"]) == (pytest.approx(2.095238), 2, None)
    assert row["sentence_zh"] == "F1区：瓦斯涌出不均衡系数 2.10；黄色（参考限值）。"


def test_the_volatility_of_a_point(run: Run):
    """A week of swings of ±0.01 %, then an hour of ±0.06: six times the usual, orange."""
    turns = np.where(np.arange(12) % 2 == 0, 1.0, -1.0)
    week = [row for hour in range(-168, 0) for row in gas(0.5 + 0.01 * turns, hour)]
    rows = run(g08, five=week + gas(0.5 + 0.06 * turns))
    row = next(row for row in rows if row["entity"] == "G")
    assert (row["value"], row["level"]) == (pytest.approx(6.0, abs=0.01), 3)
    assert row["sentence_en"].startswith("Area OUT, point G: methane swings 6.00 times as much as usual; orange")
    short = [row for row in week if row["window_start"] >= at(-60 * 71)]
    rows = run(g08, five=short + gas(0.5 + 0.06 * turns))
    assert next(row for row in rows if row["entity"] == "G")["null_reason"] == "NO_HISTORY"


def test_a_still_sensor_has_a_least_usual(run: Run):
    """A week without any swing: 0.02 % of swing is held against 0.005 %, not against nothing."""
    turns = np.where(np.arange(12) % 2 == 0, 1.0, -1.0)
    week = [row for hour in range(-168, 0) for row in gas([0.5] * 12, hour)]
    rows = run(g08, five=week + gas(0.5 + 0.01 * turns))
    row = next(row for row in rows if row["entity"] == "G")
    assert 2.0 < row["value"] < 4.0


# ── G-11 ──


def test_a_goaf_breathes_by_the_gas_law():
    """100 000 m³ of 20 % at 100 000 Pa and a fall of 360 Pa/h: 100 000·0.2/100 000·0.1 = 0.02 m³/s."""
    found = answers(x=breathing_m3_s(of(100_000.0), of(20.0), of(100_000.0), of(360.0)))["x"]
    assert found == pytest.approx(0.02)


def test_gas_that_follows_the_barometer_by_three_hours():
    rng = np.random.default_rng(4)
    pressure = 100_000 + np.cumsum(rng.normal(0, 50, 745))
    fall = np.concatenate([[np.nan], -np.diff(pressure)])
    gas_out = 10 + 0.01 * np.roll(fall, 3)
    found = barometer({"pressure": pressure, "emission": gas_out}, SPAN)
    assert (found["lag"], found["follows"]) == ([3.0], pytest.approx([1.0]))
    assert found["fall"] == pytest.approx([pressure[743] - pressure[744]])
    assert found["fall_3"] == pytest.approx([pressure[741] - pressure[744]])
    assert np.isnan(barometer({"pressure": pressure}, SPAN)["lag"]).all()


def weather(kpa: dict[int, float]) -> list[Row]:
    return [
        {"point_id": "B", "quantity": "pressure", "value_mean": value, "area_id": "TOP",
         "window_start": at(60 * hour + 5 * n)}
        for hour, value in kpa.items()
        for n in range(12)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fall_kpa", "ch4", "value", "level"),
    [
        (0.12, 0.5, 120.0, 2),
        (0.25, 0.6, 250.0, 3),
        (0.25, 0.49, 250.0, 0),
        (-0.3, 0.9, -300.0, 0),
        (0.06, 0.9, 60.0, 1),
    ],
)
def test_a_falling_barometer_matters_where_there_is_gas(
    run: Run, fall_kpa: float, ch4: float, value: float, level: int
):
    """The return's alarm limit is 1.0 %: half of it is 0.5."""
    rows = run(g11, five=weather({-1: 100.0, 0: 100.0 - fall_kpa}) + gas([ch4] * 12))
    (row,) = rows
    assert (row["entity"], row["value"], row["level"]) == ("F1", pytest.approx(value, abs=1e-3), level)


def test_what_the_goaf_breathes_is_told(run: Run):
    site = Site(
        mine_code=MINE_CODE, name_zh="试验矿", name_en="Test", severe_hazard=True, areas=(), nodes=(), edges=(),
        goaf_voids=(GoafVoid("F1", 100_000.0, 20.0),),
    )  # fmt: skip
    (row,) = run(g11, five=weather({-1: 100.0, 0: 99.64}) + gas([0.6] * 12), site=site)
    assert json.loads(row["inputs"])["goaf_breathes_m3_s"] == pytest.approx(0.0201, abs=1e-4)


def test_what_is_missing_is_named(run: Run):
    (row,) = run(g11, five=weather({-1: 100.0, 0: 99.7}))
    assert (row["level"], row["null_reason"]) == (None, "NO_RETURN_GAS")
    assert run(g11, five=gas([0.6] * 12)) == [], "no barometer"
    assert run(g08, points=[], air_paths=[]) == []
