"""Instruments: perfect ones show the truth, imperfect ones are off by what they should be, and faults are told."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from minefusion.pipelines.simulate.air import STEP_S, simulate_air
from minefusion.pipelines.simulate.instruments import (
    CALIBRATION,
    SENSOR_FAULT,
    SUBSTATION_FAULT,
    observe,
)
from minefusion.pipelines.simulate.layout import generate_layout
from minefusion.pipelines.simulate.monitoring import lasting, latched, spans
from minefusion.pipelines.simulate.points import Instruments, install_instruments
from minefusion.pipelines.simulate.run import AIR_STREAMS, run_mine
from minefusion.pipelines.simulate.scenario import Instrumental, load_scenario
from minefusion.pipelines.simulate.streams import stream

PERFECT = Instrumental(
    noise=0, lag=0, drift=0, calibrations=0, stuck=0, dropouts=0, substation_outages=0, duplicates=0, late_batches=0,
    clock_skew_s=0, cards_lost=0,
)  # fmt: skip
SECONDS = 4 * 3600


@pytest.fixture(scope="module")
def mine():
    layout = generate_layout(22, 40, stream(9, "layout"))
    instruments = install_instruments(layout, stream(9, "points"))
    places = [(point.edge, point.chainage_m) for point in instruments.points]
    air = simulate_air(
        layout, (), places, seconds=SECONDS, local_second=0, streams={name: stream(9, name) for name in AIR_STREAMS}
    )
    return layout, instruments, air


def analog(instruments: Instruments) -> list[int]:
    return [n for n, point in enumerate(instruments.points) if point.kind.value_kind == "MN"]


def test_perfect_instruments_show_the_truth_to_their_last_digit(mine):
    layout, instruments, air = mine
    seen = observe(layout, instruments, air, PERFECT, 9)
    for number in analog(instruments):
        step = instruments.points[number].kind.step
        assert np.abs(seen.value[:, number] - seen.true[:, number]).max() <= step / 2 + 1e-9
    assert not seen.status.any()
    assert seen.faults == ()


def test_the_response_reaches_nine_tenths_of_a_jump_in_its_time(mine):
    layout, instruments, air = mine
    number = next(n for n in analog(instruments) if instruments.points[n].kind.quantity == "temperature")
    jump = replace(air, seen=air.seen.copy())
    jump.seen[:, number, 3] = np.where(np.arange(air.steps) >= 100, 10.0, 0.0)
    seen = observe(layout, instruments, jump, replace(PERFECT, lag=1.0), 9)
    risen = seen.value[:, number] - seen.value[99, number]
    t90_steps = int(instruments.points[number].kind.response_s // STEP_S)
    assert risen[99 + t90_steps] == pytest.approx(9.0, abs=0.15)
    assert risen[-1] == pytest.approx(10.0, abs=0.1)


def test_noise_is_as_large_as_the_sensor_type_says(mine):
    layout, instruments, air = mine
    noisy = observe(layout, instruments, air, replace(PERFECT, noise=1.0), 9)
    for code, decimals in (("0001", 2), ("0012", 2), ("0003", 1)):
        numbers = [n for n in analog(instruments) if instruments.points[n].kind.code == code]
        kind = instruments.points[numbers[0]].kind
        clear = [n for n in numbers if noisy.true[:, n].min() > 4 * kind.noise]
        error = noisy.value[:, clear] - noisy.true[:, clear]
        expected = np.hypot(kind.noise, 10.0**-decimals / np.sqrt(12))  # and the last digit's own
        assert error.std() == pytest.approx(expected, rel=0.05), code
        assert abs(error.mean()) < 0.05 * expected


def test_values_have_the_last_digit_of_their_type_and_stay_in_the_range(mine):
    layout, instruments, air = mine
    seen = observe(layout, instruments, air, Instrumental(), 9)
    for number in analog(instruments):
        kind, value = instruments.points[number].kind, seen.value[:, number]
        value = value[~np.isnan(value)]
        assert np.abs(value / kind.step - np.round(value / kind.step)).max() < 1e-6
        assert kind.low <= value.min()
        assert value.max() <= kind.high


def test_catalytic_sensors_lose_gain_with_the_days_since_calibration(mine):
    layout, instruments, air = mine
    bright = replace(air, seen=air.seen.copy())
    bright.seen[:, :, 0] = 3.0
    seen = observe(layout, instruments, bright, replace(PERFECT, drift=1.0), 9)
    ratio = {}
    for code in ("0001", "0043"):
        numbers = [n for n in analog(instruments) if instruments.points[n].kind.code == code]
        ratio[code] = (seen.value[:, numbers] / np.minimum(seen.true[:, numbers], 4)).mean()
    assert 0.975 < ratio["0001"] < 0.998  # one percent a week, a week old on average
    assert ratio["0043"] == pytest.approx(1.0, abs=0.004)


def test_a_calibration_shows_zero_then_test_gas_and_carries_its_flag(mine):
    layout, instruments, air = mine
    for unflagged, flag in ((0.0, CALIBRATION), (1.0, 0)):
        settings = replace(PERFECT, calibrations=6.0, calibrations_unflagged=unflagged)
        seen = observe(layout, instruments, air, settings, 9)
        name = "calibration" if flag else "calibration_unflagged"
        assert {fault.code for fault in seen.faults} == {name}
        number_of = {point.code: n for n, point in enumerate(instruments.points)}
        for fault in seen.faults:
            number = number_of[fault.entity]
            inside = slice(fault.begin, fault.end)
            value, kind = seen.value[inside, number], instruments.points[number].kind
            assert value[5] == 0.0
            low, high = {"ch4": (1.0, 2.0), "co": (40.0, 60.0)}[kind.quantity]
            assert low - kind.step <= value[20:30].min()
            assert value[20:30].max() <= high + kind.step
            assert (seen.status[inside, number] == flag).all()
        told = {(fault.entity, step) for fault in seen.faults for step in range(fault.begin, fault.end)}
        marked = {(instruments.points[n].code, int(s)) for s, n in zip(*np.nonzero(seen.status), strict=True)}
        assert marked == (told if flag else set())


def test_dropouts_outages_and_stuck_sensors_are_as_the_faults_say(mine):
    layout, instruments, air = mine
    settings = replace(PERFECT, noise=1.0, dropouts=12.0, stuck=12.0, substation_outages=4.0)
    seen = observe(layout, instruments, air, settings, 9)
    number_of = {point.code: n for n, point in enumerate(instruments.points)}
    stations = [station.code for station in instruments.substations]
    count: dict[str, int] = {}
    for fault in seen.faults:
        count[fault.code] = count.get(fault.code, 0) + 1
        span = slice(fault.begin, fault.end)
        if fault.code == "substation_outage":
            numbers = np.flatnonzero(seen.substation == stations.index(fault.entity))
            assert (seen.status[span, numbers] == SUBSTATION_FAULT).all()
            assert np.isnan(seen.value[span, numbers]).all()
        elif fault.code == "dropout":
            number = number_of[fault.entity]
            assert (seen.status[span, number] & (SENSOR_FAULT | SUBSTATION_FAULT) > 0).all()
            assert np.isnan(seen.value[span, number]).all()
        else:
            value = seen.value[span, number_of[fault.entity]]
            assert len(np.unique(value[~np.isnan(value)])) <= 1
    share = SECONDS / 86400
    sensors = len(analog(instruments))
    assert count["dropout"] == pytest.approx(12 * share * sensors, rel=0.25)
    assert count["stuck"] == pytest.approx(12 * share * sensors, rel=0.25)
    assert count["substation_outage"] > 0


def test_one_sensor_more_changes_nothing_at_the_others(mine):
    layout, instruments, air = mine
    fewer = replace(instruments, points=instruments.points[:-30])
    part = replace(air, seen=air.seen[:, :-30])
    whole = observe(layout, instruments, air, Instrumental(), 9)
    less = observe(layout, fewer, part, Instrumental(), 9)
    kept = whole.value[:, :-30]
    assert np.array_equal(kept, less.value, equal_nan=True)


def test_the_air_does_not_know_who_looks_or_walks():
    runs = [
        run_mine(
            load_scenario(name), seconds=1800, seed=9, start=datetime(2026, 3, 1, tzinfo=UTC), roadways=22, people=n
        )
        for name, n in (("normal", 20), ("bad_instruments", 50))
    ]
    assert np.array_equal(runs[0].observed.true, runs[1].observed.true, equal_nan=True)


def test_a_state_is_set_cleared_and_kept_in_between():
    on = np.array([0, 1, 0, 0, 0, 1, 1, 0], dtype=bool)
    off = np.array([1, 0, 0, 1, 1, 0, 1, 0], dtype=bool)
    assert latched(on, off).tolist() == [False, True, True, False, False, True, True, True]
    assert lasting(np.array([1, 1, 0, 1, 1, 1], dtype=bool), 2).tolist() == [False, True, False, False, True, True]
    assert list(spans(np.array([1, 0, 1, 1], dtype=bool))) == [(0, 1), (2, None)]
