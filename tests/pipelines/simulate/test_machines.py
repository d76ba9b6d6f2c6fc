"""Machines: what wears knocks, shakes and warms in that order; a slipping belt heats its drum; a fan has its curve."""

import numpy as np
import pytest

from minefusion.pipelines.simulate.layout import generate_layout
from minefusion.pipelines.simulate.machines import USUAL_SLIP, Load, coal_of, simulate_machines, wear
from minefusion.pipelines.simulate.scenario import Event
from minefusion.pipelines.simulate.streams import stream

SECONDS = 12 * 3600.0
STEPS = int(SECONDS // 10) + 1


@pytest.fixture(scope="module")
def layout():
    return generate_layout(24, 20, stream(4, "layout"))


def run(layout, *events, fan_flow=None):
    pumps = np.zeros((STEPS, 4), dtype=bool)
    pumps[: STEPS // 2, 0] = True
    load = Load(np.full(STEPS, 0.6), pumps, np.full(STEPS, 1.5), fan_flow)
    return simulate_machines(layout, events, load, seconds=SECONDS, period_s=60, rng=stream(4, "machines"))


def shown(machines, quantity, words=""):
    return next(c.true for c in machines.channels if c.quantity == quantity and words in c.device.location)


def test_a_failing_bearing_knocks_first_then_shakes_then_gets_hot():
    event = Event("EV01", 0.0, 86_400.0, "main_fan", 0, {"bearing_fault": {"mm_s": 12.0, "warmer_k": 40.0}})
    at_s = np.arange(0, 86_400.0, 600)
    shaking, knocking, warmth = wear(event, at_s)
    reached = [int((series >= level).argmax()) for series, level in ((knocking, 3.0), (shaking, 3.0), (warmth, 12.0))]
    assert reached == sorted(reached)
    assert len(set(reached)) == 3
    assert shaking[-1] + 1.5 == pytest.approx(12.0, rel=0.03)
    assert np.allclose(wear(event, np.array([86_400.0, 90_000.0])), 0), "a new bearing is sound"


def test_the_fan_stays_on_its_curve_and_a_harder_mine_gets_less_air(layout):
    event = Event("EV01", 4 * 3600.0, SECONDS, "mine", 0, {"resistance_drift": {"times": 1.5}})
    machines = run(layout, event)
    a, b, c = (float(getattr(layout.fans, name)[layout.main_fan]) for name in "abc")
    q = machines.fan_flow_m3_s
    assert machines.fan_pressure_pa == pytest.approx(a + b * q + c * q**2, rel=1e-9)
    assert q[: 4 * 360].mean() == pytest.approx(float(layout.design_flow[layout.main_fan]), rel=0.01)
    resistance = machines.fan_pressure_pa / q**2
    assert resistance[-360:].mean() / resistance[: 4 * 360].mean() == pytest.approx(1.5, rel=0.02)


def test_in_surge_the_pressure_lies_under_the_curve(layout):
    event = Event("EV01", 4 * 3600.0, 5 * 3600.0, "mine", 0, {"fan_surge": {"flow_share": 0.62}})
    machines = run(layout, event)
    inside = slice(4 * 360, 5 * 360)
    a, b, c = (float(getattr(layout.fans, name)[layout.main_fan]) for name in "abc")
    q = machines.fan_flow_m3_s
    under = machines.fan_pressure_pa / (a + b * q + c * q**2)
    assert under[inside].mean() == pytest.approx(0.86, abs=0.02)
    assert under[: 4 * 360].min() == pytest.approx(1.0)
    assert q[inside].mean() / q[: 4 * 360].mean() == pytest.approx(0.62, abs=0.02)


def test_a_slipping_belt_runs_slower_than_its_drum_and_heats_it(layout):
    event = Event("EV01", 4 * 3600.0, 6 * 3600.0, "belt", 0, {"belt_slip": {"share": 0.09}})
    belts = run(layout, event).conveyors
    slip = 1 - belts["belt_speed"][:, 0] / belts["drum_speed"][:, 0]
    inside = slice(4 * 360, 6 * 360)
    assert slip[: 4 * 360].mean() == pytest.approx(USUAL_SLIP, rel=0.1)
    assert slip[inside].mean() == pytest.approx(0.09 + USUAL_SLIP, rel=0.03)
    assert belts["drum_temperature"][6 * 360 - 1, 0] > belts["drum_temperature"][4 * 360 - 1, 0] + 30
    if belts["belt_speed"].shape[1] > 1:
        other = 1 - belts["belt_speed"][inside, 1] / belts["drum_speed"][inside, 1]
        assert other.max() < 0.03


def test_unequal_phases_are_unequal_by_what_was_asked(layout):
    event = Event("EV01", 0.0, SECONDS, "main_fan", 0, {"phase_unbalance": {"share": 0.14}})
    machines = run(layout, event)
    phases = np.array([shown(machines, "current", f"{phase}相") for phase in "ABC"])
    mean = phases.mean(axis=0)
    apart = (100 * np.abs(phases - mean).max(axis=0) / mean)[:-1]  # the event ends with the run
    assert apart == pytest.approx(np.full(len(apart), 14.0), abs=0.2)


def test_a_pump_that_stands_draws_nothing_and_cools(layout):
    machines = run(layout)
    current, warmth = shown(machines, "current", "1号主排水泵"), shown(machines, "bearing_temperature", "1号主排水泵")
    assert current[: len(current) // 2].min() > 50
    assert current[len(current) // 2 + 1 :].max() == 0
    assert warmth[-1] < warmth[len(warmth) // 2] - 15


def test_coal_follows_the_machines_that_cut():
    cutting = np.zeros((STEPS, 2), dtype=bool)
    cutting[360:720, 0] = True
    coal = coal_of(cutting, SECONDS)
    assert coal[:360].max() == 0
    assert coal[719] == pytest.approx(0.5, abs=0.01)
    assert coal[1000] < 0.01
