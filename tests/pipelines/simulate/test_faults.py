"""Every kind of fault is told where it is and nowhere else: with the faults taken out, the sent values are the same."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from minefusion.pipelines.simulate.air import STEP_S
from minefusion.pipelines.simulate.channels import Channel, Device, show
from minefusion.pipelines.simulate.faults import CODES
from minefusion.pipelines.simulate.instruments import SPIKE_S
from minefusion.pipelines.simulate.run import run_mine
from minefusion.pipelines.simulate.scenario import Instrumental, load_scenario

START = datetime(2026, 3, 1, tzinfo=UTC)
SOUND = Instrumental(
    calibrations=0, stuck=0, dropouts=0, substation_outages=0, duplicates=0, late_batches=0, clock_skew_s=0
)


def observed(**settings):
    scenario = replace(load_scenario("normal"), instruments=replace(SOUND, **settings))
    return run_mine(scenario, seconds=6 * 3600, seed=8, start=START, roadways=22, people=0)


@pytest.fixture(scope="module")
def sound():
    return observed()


def differs(run, sound):
    """Steps × points at which a value differs from the sound run's."""
    value, before = run.observed.value, sound.observed.value
    return ~((value == before) | (np.isnan(value) & np.isnan(before)))


def told(run, code):
    """Steps × points that the truth says."""
    number_of = {point.code: n for n, point in enumerate(run.instruments.points)}
    inside = np.zeros(run.observed.value.shape, dtype=bool)
    for fault in run.observed.faults:
        assert fault.code == code
        inside[fault.begin : fault.end, number_of[fault.entity]] = True
    return inside


@pytest.mark.parametrize(
    ("setting", "code"),
    [("stuck", "stuck"), ("dropouts", "dropout"), ("drifts", "drift"), ("offset_jumps", "offset_jump"),
     ("spikes", "spike"), ("swapped", "swapped")],
)  # fmt: skip
def test_a_fault_is_where_the_truth_says_and_nowhere_else(sound, setting, code):
    run = observed(**{setting: 0.5 if setting == "swapped" else 3.0})
    changed, inside = differs(run, sound), told(run, code)
    assert inside.any()
    assert not (changed & ~inside).any()
    least = {"stuck": 0.3, "swapped": 0.3, "drift": 0.2}.get(code, 0.8)  # clean air looks alike with some
    assert changed[inside].mean() > least


def test_a_drift_grows_to_the_share_that_is_told(sound):
    run = observed(drifts=3.0)
    number_of = {point.code: n for n, point in enumerate(run.instruments.points)}
    looked = 0
    for fault in run.observed.faults:
        number = number_of[fault.entity]
        before = sound.observed.value[fault.end - 30 : fault.end, number]
        alone = sum(other.entity == fault.entity for other in run.observed.faults) == 1
        if before.mean() > 0.2 and fault.end - fault.begin > 720 and alone:
            kept = run.observed.value[fault.end - 30 : fault.end, number].mean() / before.mean()
            assert kept == pytest.approx(1 - fault.size, abs=0.06)
            looked += 1
    assert looked > 3


def test_spikes_and_jumps_are_as_large_as_told(sound):
    for setting, code in (("spikes", "spike"), ("offset_jumps", "offset_jump")):
        run = observed(**{setting: 1.0})
        number_of = {point.code: n for n, point in enumerate(run.instruments.points)}
        for fault in run.observed.faults:
            number = number_of[fault.entity]
            step = run.instruments.points[number].kind.step
            span = slice(fault.begin, fault.end)
            moved = run.observed.value[span, number] - sound.observed.value[span, number]
            alone = sum(other.entity == fault.entity for other in run.observed.faults) == 1
            if alone and run.observed.value[span, number].min() > 0:
                assert abs(moved.mean() - fault.size) <= step * 1.01
        if code == "spike":
            assert {fault.end - fault.begin for fault in run.observed.faults} <= {1, 2, SPIKE_S // STEP_S}


def test_a_calibration_mends_a_drift_and_a_jump():
    run = observed(drifts=6.0, offset_jumps=6.0, calibrations=6.0)
    mended = {(f.entity, f.end) for f in run.observed.faults if f.code in ("drift", "offset_jump")}
    set_right = {(f.entity, f.begin + 18) for f in run.observed.faults if f.code.startswith("calibration")}
    assert mended & set_right


def test_a_wrong_clock_is_told_with_its_seconds(sound):
    run = observed(clocks_wrong=0.4)
    told_s = {fault.entity: fault.size for fault in run.observed.faults}
    assert told_s
    assert all(100 <= abs(seconds) <= 300 for seconds in told_s.values())
    for number, point in enumerate(run.instruments.points):
        assert run.observed.skew_s[number] == told_s.get(point.substation, 0)
    assert not differs(run, sound).any(), "a clock changes no value"


def test_devices_of_the_other_feeds_go_wrong_as_told():
    still = np.sin(np.arange(2000) / 40.0) * 5 + 20
    device = Device("D1", "somewhere", "A1", (0.0, 0.0, 0.0))
    channel = Channel(device, "KSWSS", "value", "reservoir_level", "m", still, 300, 3, 0.01)
    for setting, code in (
        ("stuck", "stuck"),
        ("dropouts", "dropout"),
        ("offset_jumps", "offset_jump"),
        ("spikes", "spike"),
    ):
        (shown,), faults = show([channel], replace(SOUND, **{setting: 2.0}), 5)
        (plain,), nothing = show([channel], SOUND, 5)
        assert nothing == []
        assert {fault.code for fault in faults} == {code}
        inside = np.zeros(len(still), dtype=bool)
        for fault in faults:
            inside[fault.begin * STEP_S // 300 : fault.end * STEP_S // 300] = True
        same = (shown.value == plain.value) | (np.isnan(shown.value) & np.isnan(plain.value))
        assert same[~inside].all()
        assert not same[inside].all()


def test_perfect_devices_show_the_truth_to_their_last_digit():
    device = Device("D1", "somewhere", "A1", (0.0, 0.0, 0.0))
    channel = Channel(device, "KSWSS", "value", "reservoir_level", "m", np.linspace(0, 1, 50), 300, 2, 0.5)
    (shown,), faults = show([channel], replace(SOUND, noise=0), 5)
    assert np.abs(shown.value - channel.true).max() <= 0.005 + 1e-9
    assert faults == []


def test_every_code_is_known():
    poor = load_scenario("bad_instruments")
    run = run_mine(poor, seconds=6 * 3600, seed=8, start=START, roadways=22, people=0)
    assert {fault.code for fault in run.observed.faults} <= set(CODES)
