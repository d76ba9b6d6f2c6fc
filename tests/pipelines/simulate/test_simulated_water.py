"""Water: nothing is lost in the sump, rain comes late, an inrush shows at its face and in its aquifer only."""

import numpy as np
import pytest

from minefusion.pipelines.simulate.layout import generate_layout
from minefusion.pipelines.simulate.scenario import Event
from minefusion.pipelines.simulate.streams import stream
from minefusion.pipelines.simulate.water import HOLES, LIMESTONE, PUMP_M3_H, STEP_S, SUMP_M3, simulate_water
from minefusion.pipelines.simulate.weather import Rain

DAYS = 6
SECONDS = DAYS * 86_400.0


@pytest.fixture(scope="module")
def layout():
    return generate_layout(22, 20, stream(4, "layout"))


def run(layout, *events):
    rain = Rain(events, SECONDS, stream(4, "rain"))
    return simulate_water(
        layout, events, rain, seconds=SECONDS, local_second=28_800, period_s=600, rng=stream(4, "water")
    )


def inrush(precursor_s=0.0):
    effects = {"inrush": {"times": 8.0, "fall_m": 9.0, "growth_per_h": 0.03}}
    return Event("EV01", 3 * 86_400.0, SECONDS, "face", 0, effects, precursor_s=precursor_s)


def shown(water, quantity):
    return [channel for channel in water.channels if channel.quantity == quantity]


def test_the_sump_holds_what_came_in_less_what_was_pumped(layout):
    water = run(layout)
    moved = water.inflow_m3_h - PUMP_M3_H * water.pumps_on.sum(axis=1)
    expected = water.sump_m3[0] + np.concatenate(([0.0], np.cumsum(moved[:-1]))) * STEP_S / 3600
    assert np.abs(expected - water.sump_m3).max() < 1e-6
    assert water.sump_m3.min() > 0
    assert water.sump_m3.max() < SUMP_M3
    assert (np.diff(water.pumps_on.sum(axis=1)) != 0).any(), "pumps start and stop"


def test_the_day_total_starts_again_at_midnight_of_the_mine(layout):
    total = shown(run(layout), "water_drained_day_total")[0].true
    falls = np.flatnonzero(np.diff(total) < 0) + 1
    assert len(falls) == DAYS
    local_hour = (falls * 600 + 28_800) / 3600 % 24
    assert (np.minimum(local_hour, 24 - local_hour) < 0.2).all()


def test_an_inrush_multiplies_the_inflow_of_its_face_and_drops_the_limestone_heads(layout):
    calm, wet = run(layout), run(layout, inrush())
    before, after = slice(0, 3 * 1440), slice(3 * 1440 + 120, 3 * 1440 + 240)
    assert np.array_equal(calm.face_inflow_m3_h[before], wet.face_inflow_m3_h[before])
    assert (wet.face_inflow_m3_h[after] / calm.face_inflow_m3_h[after]).mean() == pytest.approx(8.0, abs=0.4)
    fallen = calm.head_m[-1] - wet.head_m[-1]
    for (stratum, _, _), metres in zip(HOLES, fallen, strict=True):
        assert metres > 4 if stratum == LIMESTONE else abs(metres) < 1e-9


def test_what_announces_itself_grows_before(layout):
    calm, wet = run(layout), run(layout, inrush(precursor_s=24 * 3600.0))
    ratio = wet.face_inflow_m3_h[:, 0] / calm.face_inflow_m3_h[:, 0]
    assert ratio[2 * 1440 - 10] == 1.0
    assert ratio[3 * 1440 - 60] == pytest.approx(1.03**23, rel=0.01)


def test_a_pumping_test_moves_one_hole_and_comes_back(layout):
    event = Event("EV01", 86_400.0, 2 * 86_400.0, "water", 3, {"pumping_test": {"fall_m": 2.0}})
    moved = run(layout).head_m - run(layout, event).head_m
    assert moved[:, 3].max() == pytest.approx(2.0, abs=0.01)
    assert np.abs(moved[:, :3]).max() < 1e-9
    assert np.abs(moved[-1]).max() < 1e-9


def test_rain_falls_as_asked_and_reaches_the_mine_days_later():
    storm = Event("EV01", 86_400.0, 1.5 * 86_400.0, "mine", 0, {"rainstorm": {"mm": 90.0}})
    dry, wet = Rain((), SECONDS, stream(4, "rain")), Rain((storm,), SECONDS, stream(4, "rain"))
    day = np.array([86_400.0])
    more = wet.between(day, 1.5 * day) - dry.between(day, 1.5 * day)
    assert more == pytest.approx(90.0, abs=1e-6)
    hours = np.arange(0, SECONDS, 3600.0)
    response = wet.response(hours, 2.0) - dry.response(hours, 2.0)
    assert response[:24].max() == pytest.approx(0, abs=1e-9)
    assert 86_400 * 1.5 < hours[response.argmax()] < 86_400 * 3.5
