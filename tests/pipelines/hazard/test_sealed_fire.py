"""Extinction of a sealed fire (F-11), by hand."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from literal_mine import MINE_CODE, Row, answers, area, at, collect, make_history, of, point

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.hours import Span
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.sealed_fire import SIGNS, days_of_signs, f11
from minefusion.schemas.site import Site
from minefusion.schemas.site_air import SealedFire

SPAN = Span(0, 744, 745)
GOOD = {name: np.full(745, 0.9) for name in SIGNS} | {"carbon_monoxide_ppm": np.full(745, 9.0)}


def test_a_month_of_all_signs():
    """744 hours of history and the judged one: 31 days and an hour."""
    found = days_of_signs(GOOD, SPAN)
    assert found["days"] == pytest.approx([745 / 24])
    assert all(found[name] == [1.0] for name in SIGNS)


@pytest.mark.parametrize("sign", SIGNS)
def test_each_sign_ends_the_count(sign: str):
    """At its limit for one hour, 10 days before the end."""
    series = {name: values.copy() for name, values in GOOD.items()}
    series[sign][744 - 240] = 1.0
    assert days_of_signs(series, SPAN)["days"] == pytest.approx([10.0])
    series[sign][744] = 1.0
    found = days_of_signs(series, SPAN)
    assert (found["days"], found[sign]) == ([0.0], [0.0])


def test_carbon_monoxide_that_rises_is_no_sign():
    rising = GOOD | {"carbon_monoxide_ppm": np.linspace(0.0, 9.0, 745)}  # 0.29 ppm a day
    found = days_of_signs(rising, SPAN)
    assert (found["days"], found["carbon_monoxide"]) == ([0.0], [0.0])


def test_a_sign_that_nothing_has_told_of_for_a_week_does_not_hold():
    water = np.full(745, np.nan)
    water[744 - 167] = 0.5
    assert days_of_signs(GOOD | {"water": water}, SPAN)["water"] == [1.0]
    water = np.roll(water, -1)
    assert days_of_signs(GOOD | {"water": water}, SPAN)["water"] == [0.0]


@pytest.mark.parametrize(("days", "level"), [(0.0, 2), (29.9, 2), (30.0, 0), (31.0, 0), (None, None)])
def test_under_a_month_is_yellow(days: float | None, level: int | None):
    assert answers(x=listed_level(of(days), "F-11"))["x"] == level


POINTS = [
    point(name, name, "GOAF")
    for name in ("temperature", "water_temperature", "o2", "co", "ch4", "co2", "c2h4")
]  # fmt: skip
CALM = {"temperature": 25.0, "water_temperature": 20.0, "o2": 3.0, "co": 8.0, "ch4": 20.0, "co2": 6.0, "c2h4": 0.0}


def readings(values: dict[str, float]) -> list[Row]:
    """Every sixth hour of 31 days and the hour of the window."""
    return [
        {"point_id": name, "quantity": name, "value_mean": value, "area_id": "GOAF", "window_start": at(60 * hour)}
        for hour in range(-744, 1, 6)
        for name, value in values.items()
    ]


Run = Callable[..., Row]


@pytest.fixture
def run(light: LightEngine) -> Run:
    def row(values: dict[str, float], **fire: float) -> Row:
        site = Site(
            mine_code=MINE_CODE, name_zh="试验矿", name_en="Test", severe_hazard=True, areas=(), nodes=(), edges=(),
            sealed_fires=(SealedFire("GOAF", **fire),),
        )  # fmt: skip
        goaf = [area("GOAF", "goaf")]
        history = make_history(light, five=readings(values), points=POINTS, areas=goaf, site=site)
        (found,) = collect(f11(history))
        return found

    return row


def test_a_fire_that_has_gone_out(run: Run):
    row = run(CALM)
    assert (row["entity"], row["value"], row["level"], row["unit"]) == (
        "GOAF",
        pytest.approx(745 / 24, abs=1e-4),
        0,
        "d",
    )
    assert json.loads(row["inputs"]) == dict.fromkeys(SIGNS, True)


@pytest.mark.parametrize(
    ("values", "sign"),
    [
        ({"temperature": 30.0}, "temperature"), ({"o2": 5.0}, "oxygen"), ({"co": 10.0}, "carbon_monoxide"),
        ({"c2h4": 1.0}, "hydrocarbons"), ({"water_temperature": 25.0}, "water"),
    ],
)  # fmt: skip
def test_a_sign_at_its_limit_keeps_the_fire_alive(run: Run, values: dict[str, float], sign: str):
    row = run(CALM | values)
    assert (row["value"], row["level"]) == (0.0, 2)
    assert json.loads(row["inputs"]) == dict.fromkeys(SIGNS, True) | {sign: False}
    assert row["sentence_zh"] == "GOAF区：五项熄灭指标已连续满足 0.0 天；黄色（参考限值）。"


def test_as_before_the_fire_is_good_enough(run: Run):
    warm = CALM | {"temperature": 32.0, "water_temperature": 27.0}
    assert run(warm, normal_air_c=32.0, normal_water_c=27.0)["level"] == 0
    assert run(warm, normal_air_c=31.0, normal_water_c=27.0)["level"] == 2


def test_a_mine_without_a_sealed_fire(light: LightEngine):
    assert collect(f11(make_history(light))) == []
