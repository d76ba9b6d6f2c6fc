"""How long a state of several switches lasts together."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pytest
from literal_mine import MINE_CODE, Make, collect, point, series

from minefusion.pipelines.hazard.states import lasting_states

POINTS = [point(name, "air_door", value_kind="KG") for name in ("A", "B")]


def lasting(
    make: Make, a: list[Any], b: list[Any], *, minutes=(0, 4), start: float = 0.0, every_s: float = 30.0
) -> list[tuple[float, float]]:
    inputs = make(
        points=POINTS,
        readings=series("A", a, start=start, every_s=every_s) + series("B", b, start=start, every_s=every_s),
        minutes=minutes,
    )
    members = inputs.points.select(
        "mine_code", nw.lit("pair").alias("kind"), "point_id", "period_s", nw.lit("D").alias("entity")
    )
    samples = inputs.readings.select(
        "mine_code",
        nw.lit("pair").alias("kind"),
        "point_id",
        "observed_us",
        (nw.col("value") == 1).cast(nw.Int64).alias("holds"),
    )
    rows = collect(lasting_states(inputs, members, samples))
    assert {(row["mine_code"], row["entity"]) for row in rows} <= {(MINE_CODE, "D")}
    return [(row["lasted_s"], row["coverage"]) for row in rows]


def test_both_must_hold_at_once(make: Make):
    """A open from 0:00 to 1:00, B from 1:00 to 2:00: never together."""
    assert lasting(make, [1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0]) == [(0.0, 1.0)] * 4


def test_the_run_goes_on_over_minutes(make: Make):
    """Together from 0:30 to 2:30: 30 s at the first minute's end, 90 s at the second's, 120 s where it ends."""
    assert lasting(make, [0, 1, 1, 1, 1, 0, 0, 0], [1] * 8) == [(30.0, 1.0), (90.0, 1.0), (120.0, 1.0), (0.0, 1.0)]


def test_a_state_holds_for_three_periods(make: Make):
    """The last word comes at 0:30 and holds until 2:00; then nothing is known and the run is over."""
    assert lasting(make, [1, 1], [1, 1]) == [(60.0, 1.0), (120.0, 1.0), (0.0, 0.0), (0.0, 0.0)]


def test_one_silent_member_makes_the_whole_unknown(make: Make):
    assert lasting(make, [1] * 8, []) == [(0.0, 0.0)] * 4


def test_a_run_begins_before_the_window(make: Make):
    assert lasting(make, [1] * 20, [1] * 20, start=-5, minutes=(0, 2))[0] == (360.0, 1.0)


def test_a_run_is_told_as_half_an_hour_at_most(make: Make):
    assert lasting(make, [1] * 140, [1] * 140, start=-60, minutes=(0, 2)) == [(1800.0, 1.0)] * 2


@pytest.mark.parametrize("lookback_min", [45, 120])
def test_how_far_back_the_data_reach_does_not_matter(make: Make, lookback_min: float):
    inputs = make(points=POINTS, readings=series("A", [1] * 400, start=-180), minutes=(0, 2), lookback_min=lookback_min)
    members = inputs.points.filter(nw.col("point_id") == "A").select(
        "mine_code", nw.lit("pair").alias("kind"), "point_id", "period_s", nw.lit("D").alias("entity")
    )
    samples = inputs.readings.select(
        "mine_code",
        nw.lit("pair").alias("kind"),
        "point_id",
        "observed_us",
        nw.col("value").cast(nw.Int64).alias("holds"),
    )
    assert [row["lasted_s"] for row in collect(lasting_states(inputs, members, samples))] == [1800.0] * 2
