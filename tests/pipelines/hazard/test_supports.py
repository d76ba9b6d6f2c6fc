"""Support cycles and roof weighting (R-07) on legs drawn by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from ground_and_water import site, value
from literal_mine import Row, answers, collect, make_history, of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.support_cycles import (
    cycles_of_leg,
    dynamic_load_factor,
    is_weighting,
    smoothed_over_supports,
)
from minefusion.pipelines.hazard.supports import r07
from minefusion.schemas.site import SupportFace

MINUTE_US = 60_000_000


def leg(*mpa: float) -> tuple[np.ndarray, np.ndarray]:
    """A sample a minute."""
    return np.arange(len(mpa), dtype=np.int64) * MINUTE_US, np.array(mpa, dtype=float)


def test_a_cycle_by_hand():
    """Set to 22, 30 before it is lowered, two of ten minutes at 95 % of the yield pressure 31."""
    cycles = cycles_of_leg(*leg(1, 22, 22, 24, 25, 26, 27, 28, 28, 30, 30, 1, 1), 25.0, 31.0)
    assert (cycles.set_mpa.tolist(), cycles.end_mpa.tolist()) == ([22.0], [30.0])
    assert cycles.weighted_mpa[0] == pytest.approx((22 + 22 + 24 + 25 + 26 + 27 + 28 + 28 + 30 + 30) / 10)
    assert cycles.yield_share[0] == pytest.approx(0.2)
    assert (cycles.leaks.tolist(), cycles.drifted.tolist()) == ([False], [False])


def test_a_leg_that_is_caught_half_lowered_ends_before():
    assert cycles_of_leg(*leg(1, 22, 23, 24, 25, 26, 27, 30, 12, 1), 25.0, 40.0).end_mpa.tolist() == [30.0]


def test_a_leaking_leg_and_a_drifted_sensor_are_marked():
    leaking = cycles_of_leg(*leg(1, 24, 23, 22, 21, 20, 19, 1), 25.0, 40.0)
    assert leaking.leaks.tolist() == [True]
    drifted = cycles_of_leg(*leg(5, 24, 24, 24, 25, 26, 27, 5), 25.0, 40.0)
    assert drifted.drifted.tolist() == [True]


@pytest.mark.parametrize(
    "mpa",
    [
        (1, 22, 23, 1),  # shorter than five minutes
        (22, 22, 23, 24, 25, 26, 27, 1),  # begins before the data
        (1, 22, 22, 23, 24, 25, 26, 27),  # is not over
    ],
)
def test_what_is_no_whole_cycle(mpa: tuple[float, ...]):
    assert len(cycles_of_leg(*leg(*mpa), 25.0, 40.0).start_us) == 0


def test_a_silent_sensor_and_a_stop_of_the_face_cut_cycles():
    at, mpa = leg(1, 22, 22, 23, 24, 25, 26, 27, 1)
    silent = at + np.where(at >= 4 * MINUTE_US, 20 * MINUTE_US, 0)
    assert len(cycles_of_leg(silent, mpa, 25.0, 40.0).start_us) == 0
    stopped = np.full(9 * 60, 25.0)
    stopped[[0, -1]] = 1.0
    assert len(cycles_of_leg(*leg(*stopped), 25.0, 40.0).start_us) == 0


def test_neighbours_smooth_the_face():
    """Ends 30, 36, 33: means of two, three and two; a leg without a cycle leaves the others."""
    assert smoothed_over_supports(np.array([30.0, 36.0, 33.0])).tolist() == [33.0, 33.0, 34.5]
    assert smoothed_over_supports(np.array([30.0, np.nan, 33.0])).tolist() == [30.0, 31.5, 33.0]


def test_weighting_and_load_factor_by_hand():
    """Mean 30, deviation 2: over 32 the roof weights; 45 over 30 is 1.5."""
    before = np.array([28.0, 30.0, 32.0])
    assert not is_weighting(32.0, before)
    assert is_weighting(32.1, before)
    assert dynamic_load_factor(45.0, 30.0) == 1.5


@pytest.mark.parametrize(
    ("scope", "amount", "level"),
    [
        ("", 1.4, 0), ("", 1.41, 2), ("", 1.6, 2), ("", 1.61, 3), ("yield_share", 10.0, 0), ("yield_share", 10.1, 2),
        ("yield_share", 25.1, 3), ("set_compliance", 80.0, 0), ("set_compliance", 79.9, 2), ("", None, None),
    ],
)  # fmt: skip
def test_levels_of_the_supports(scope: str, amount: float | None, level: int | None):
    assert answers(x=listed_level(of(amount), "R-07", scope))["x"] == level


RATED = site(support_faces=(SupportFace("F1", 25.0, 40.0),))


def face(last_mpa: float, set_mpa: float = 24.0, until_h: float = 1.0) -> list[Row]:
    """Three legs with a cycle an hour for two days; the last one ends at another pressure."""
    rows = []
    for number in range(3):
        for hour in range(-48, 1):
            if hour >= until_h:
                break
            end = last_mpa if hour == 0 else 30.0
            for minute in range(0, 58, 4):
                rows.append(value(f"S{number}", "support_resistance", hour + minute / 60, 1.0 if minute in (0, 56) else
                                  set_mpa + (end - set_mpa) * min(minute / 40, 1)))  # fmt: skip
    return rows


def row_of(light: LightEngine, rows: list[Row], **more: Any) -> Row:
    (row,) = collect(r07(make_history(light, feeds={"pressure": rows}, **({"site": RATED} | more))))
    return row


def test_a_calm_face_and_one_that_weights(light: LightEngine):
    """All cycles end at 30: factor 1. The last at 45: 1.5, over mean and deviation in all three zones."""
    calm = row_of(light, face(30.0))
    assert (calm["value"], calm["level"]) == (1.0, 0)
    weighting = row_of(light, face(45.0))
    assert (weighting["value"], weighting["level"]) == (1.5, 2)
    assert json.loads(weighting["inputs"])["weighting_supports"] == 3
    assert weighting["sentence_zh"].startswith("F1区：顶板来压，动载系数 1.50，")


def test_legs_set_too_low(light: LightEngine):
    """15 MPa is under 80 % of 25."""
    row = row_of(light, face(30.0, set_mpa=15.0))
    assert (json.loads(row["inputs"])["set_compliance_pct"], row["level"]) == (0, 2)


def test_a_stopped_face_and_an_unrated_one(light: LightEngine):
    assert row_of(light, face(30.0, until_h=-9))["null_reason"] == "FACE_STOPPED"
    assert row_of(light, face(30.0), site=None)["null_reason"] == "NO_SUPPORT_RATING"


def test_too_few_cycles_have_no_factor(light: LightEngine):
    few = [row for row in face(30.0) if row["observed_at"].day == 1 and row["point_id"] == "S0"]
    row = row_of(light, few)
    assert (row["value"], json.loads(row["inputs"])["cycles_24h"] > 0) == (None, True)
