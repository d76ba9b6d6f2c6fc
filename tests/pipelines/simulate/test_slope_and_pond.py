"""Slope and tailings pond: Voight's law recovered from the movement, the pond's geometry, the dam's delay."""

import numpy as np
import pytest

from minefusion.pipelines.simulate import slope, tailings
from minefusion.pipelines.simulate.feeds import surface_areas
from minefusion.pipelines.simulate.layout import generate_layout
from minefusion.pipelines.simulate.scenario import Event, Feed
from minefusion.pipelines.simulate.slope import simulate_slope
from minefusion.pipelines.simulate.streams import stream
from minefusion.pipelines.simulate.tailings import BEACH_SLOPE, CREST_M, PIEZOMETERS, simulate_pond
from minefusion.pipelines.simulate.weather import Rain

DAY_S = 86_400.0


@pytest.fixture(scope="module")
def layout():
    from dataclasses import replace

    bare = generate_layout(22, 20, stream(4, "layout"))
    feeds = {"slope": Feed(3600, 3600), "tailings": Feed(600, 600)}
    more = surface_areas(feeds, bare.site.mine_code, len(bare.site.areas))
    return replace(bare, site=replace(bare.site, areas=(*bare.site.areas, *more)))


def test_inverse_velocity_of_a_failing_slope_points_at_its_failure(layout):
    event = Event("EV01", 4 * DAY_S, 20 * DAY_S, "slope", 1, {"slope_failure": {"fastest_mm_d": 300.0}})
    moved = simulate_slope(layout, (event,), seconds=22 * DAY_S, rng=stream(4, "slope")).moved_mm
    station = int(moved[-1].argmax())
    speed = np.diff(moved[:, station]) * 24
    hour = np.arange(len(speed)) + 0.5
    fit = slice(12 * 24, 19 * 24)
    gradient, at_0 = np.polyfit(hour[fit], 1 / speed[fit], 1)
    assert -at_0 / gradient / 24 == pytest.approx(20.0, abs=0.4)
    assert speed[:90].max() < 1.0
    assert speed.max() == pytest.approx(300, rel=0.1)


def test_a_jolt_slows_down_and_only_its_neighbours_see_it(layout):
    event = Event("EV01", 4 * DAY_S, 7 * DAY_S, "slope", 0, {"slope_jolt": {"mm": 10.0}})
    calm = simulate_slope(layout, (), seconds=22 * DAY_S, rng=stream(4, "slope")).moved_mm
    moved = simulate_slope(layout, (event,), seconds=22 * DAY_S, rng=stream(4, "slope")).moved_mm - calm
    speed = np.diff(moved[:, 1])
    assert speed.argmax() <= 4 * 24 + 1
    assert (np.diff(speed[4 * 24 + 1 :]) <= 1e-9).all()
    assert moved[-1, 1] == pytest.approx(10.0, rel=0.01)
    assert moved[-1, slope.STATIONS - 1] < 0.01


def test_the_beach_is_what_the_pool_leaves_and_the_dam_follows_late(layout):
    rain = Rain((), 30 * DAY_S, stream(4, "rain"))
    event = Event("EV01", 10 * DAY_S, 30 * DAY_S, "dam", 0, {"pool_rise": {"m": 1.6}})
    calm = simulate_pond(layout, (), rain, seconds=30 * DAY_S, period_s=600, rng=stream(4, "tailings"))
    high = simulate_pond(layout, (event,), rain, seconds=30 * DAY_S, period_s=600, rng=stream(4, "tailings"))
    assert high.beach_m == pytest.approx((CREST_M - high.pool_m) / BEACH_SLOPE)
    assert (high.pool_m - calm.pool_m).max() == pytest.approx(1.6)
    rise = calm.depth_m - high.depth_m
    assert rise.min() > -1e-9
    reached = [int((rise[:, n] >= 0.3).argmax()) for n in range(len(PIEZOMETERS))]
    assert reached == sorted(reached), "the slower tube comes later"
    assert reached[0] > 10 * 288


def test_the_pond_and_the_slope_have_areas_of_their_own(layout):
    names = {area.name_zh for area in layout.site.areas if area.kind == "surface"}
    assert names == {tailings.AREA_ZH, slope.AREA_ZH}
