"""Time to the explosion triangle (G-05), by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from literal_mine import Row, answers, area, at, collect, make_history, of, point

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.explosion_trend import distance_pct, g05, hours_to_entry, is_inside
from minefusion.pipelines.hazard.levels import listed_level


def gas(ch4: float, co: float = 0.0, h2: float = 0.0) -> list[np.ndarray]:
    return [np.array([amount]) for amount in (ch4, co, h2)]


@pytest.mark.parametrize(
    ("amounts", "o2", "inside"),
    [
        ((8.0, 0.5, 0.3), 16.0, True), ((9.5,), 18.9, True), ((2.0,), 20.5, False), ((40.0,), 5.0, False),
        ((8.0,), 12.0, False), ((4.0, 2.0, 1.0), 9.0, False), ((4.0, 2.0, 1.0), 15.0, True), ((0.0,), 20.9, False),
    ],
)  # fmt: skip
def test_inside_as_the_catalogues_vectors_say(amounts: tuple[float, ...], o2: float, inside: bool):
    """The same answers as the classes of G-04 give."""
    assert is_inside(gas(*amounts), np.array([o2]))[0] == inside


def test_signed_distances():
    """Methane in air: from 3 % to the corner B at 5 % are 2 % along the air line (slope −0.2093) and a little; inside
    the nearest edge counts."""
    assert distance_pct(gas(3.0), np.array([20.3021]))[0] == pytest.approx(np.hypot(2.0, 0.4186), abs=1e-6)
    assert distance_pct(gas(5.0), np.array([19.8835]))[0] == pytest.approx(0.0, abs=1e-9)
    inside = distance_pct(gas(8.0), np.array([16.0]))[0]
    assert -3.0 < inside < 0  # 3.26 below the air line, so 3.19 from it; nearer to the lower edge
    assert np.isnan(distance_pct(gas(0.0), np.array([20.9]))[0])


def test_methane_that_rises_in_air_enters_at_its_lower_limit():
    """4 % that grow by 0.1 % an hour in plain air: 5 % in 10 hours."""
    at_h = np.arange(-6.0, 0.01, 0.5)
    ch4 = 4.0 + 0.1 * at_h
    nothing = np.zeros_like(at_h)
    o2 = 0.2093 * (100 - ch4)
    assert hours_to_entry(at_h, [ch4, nothing, nothing], o2) == pytest.approx(10.0, abs=0.01)
    assert hours_to_entry(at_h, [ch4[::-1], nothing, nothing], o2[::-1]) == 48.0  # it falls
    assert hours_to_entry(at_h, [ch4 + 2.0, nothing, nothing], 0.2093 * (98 - ch4)) == 0.0


@pytest.mark.parametrize(("hours", "level"), [(24.0, 0), (23.9, 2), (8.0, 2), (7.9, 3), (0.0, 3), (None, None)])
def test_levels_of_the_time(hours: float | None, level: int | None):
    assert answers(x=listed_level(of(hours), "G-05"))["x"] == level


@pytest.mark.parametrize(("distance", "level"), [(0.1, 0), (0.0, 4), (-1.0, 4)])
def test_inside_is_red(distance: float, level: int):
    assert answers(x=listed_level(of(distance), "G-05", "distance"))["x"] == level


POINTS = [point("G", "ch4", "GOAF"), point("O", "o2", "GOAF")]
Run = Callable[..., list[Row]]


@pytest.fixture
def run(light: LightEngine) -> Run:
    def rows(ch4: Sequence[float], start_h: float, *, every_min: float = 5, **parts) -> list[Row]:
        five = []
        for n, value in enumerate(ch4):
            when = {"window_start": at(60 * start_h + every_min * n), "area_id": "GOAF"}
            five.append({"point_id": "G", "quantity": "ch4", "value_mean": value, **when})
            five.append({"point_id": "O", "quantity": "o2", "value_mean": 0.2093 * (100 - value), **when})
        mine = {"points": POINTS, "areas": [area("GOAF", "goaf")], "five": five} | parts
        return collect(g05(make_history(light, **mine)))

    return rows


def test_a_goaf_on_its_way(run: Run):
    """It grows by 0.1 % an hour and shows 4.0 % in the last five minutes of the hour: 10 h and 5 min from these."""
    (row,) = run(4.0 + np.arange(-83, 1) / 120, -6)
    assert (row["entity"], row["value"], row["level"]) == ("GOAF", pytest.approx(1 / 0.1 - 1 / 12, abs=0.2), 2)
    inputs = json.loads(row["inputs"])
    assert inputs["combustible_pct_per_h"] == pytest.approx(0.1, abs=1e-3)
    assert row["sentence_zh"].startswith("GOAF区：按目前趋势约 ")


def test_a_goaf_inside_is_red_with_or_without_a_history(run: Run):
    (row,) = run([9.0], 0)
    assert (row["value"], row["level"], row["sentence_en"]) == (
        0.0, 4, "Area GOAF: inside the explosion triangle; red.",
    )  # fmt: skip
    assert json.loads(row["inputs"])["distance_pct"] == 0.0  # methane in plain air lies on the upper edge


def test_a_goaf_at_rest_does_not_enter(run: Run):
    (row,) = run([3.0] * 84, -6)
    assert (row["value"], row["level"]) == (48.0, 0)


def test_too_short_a_history_and_silence_are_named(run: Run):
    (row,) = run([3.0] * 12, 0)
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_HISTORY")
    rows = run([3.0] * 84, -7)
    assert [(row["value"], row["null_reason"]) for row in rows] == [(None, "NO_DATA")]
    assert run([], 0) == []
