"""Neighbours in one air: who is off, by how much, since when, and who is believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from minefusion.pipelines.hazard.air_ways import Way
from minefusion.pipelines.hazard.sensor_consensus import Departure, Pair, block_medians, departures
from minefusion.schemas.accuracy import accuracy_of

WINDOWS = 12 * 8  # eight hours of five minutes


def air(level: float = 0.4) -> np.ndarray:
    """Methane that comes and goes with the cutting [%]."""
    return level + 0.1 * np.sin(np.arange(WINDOWS) / 9.0)


def pairs(count: int, *, metres: float = 100.0, same: bool = True) -> list[Pair]:
    """Sensors one behind the other along one roadway."""
    way = Way((("RET", metres),), not same, False)
    return [Pair(a, b, way, a > b, same) for a in range(count) for b in range(count) if a != b]


def judged(
    columns: Sequence[np.ndarray], links: list[Pair], quantity: str = "ch4", velocity: float = 5.0
) -> dict[int, Departure]:
    accuracy = accuracy_of(quantity, None)
    assert accuracy is not None
    return departures(np.column_stack(columns), [accuracy] * len(columns), links, {"RET": velocity})[0]


def test_sensors_that_agree_but_for_their_place_are_in_order():
    assert judged([air(), 1.2 * air(), 0.9 * air()], pairs(3)) == {}


def test_one_that_loses_a_third_of_its_gain_has_drifted():
    lost = air() * np.concatenate([np.ones(36), np.linspace(1, 0.65, 48), np.full(12, 0.65)])
    found = judged([air(), lost, air()], pairs(3))
    assert set(found) == {1}
    assert not found[1].is_jump
    now = float(np.median(air()[-12:]))
    assert found[1].expected == pytest.approx(now, abs=0.03)
    assert found[1].shift == pytest.approx(-0.35 * now, abs=0.04)
    assert set(found[1].witnesses) == {0, 2}


def test_one_that_jumped_did_so_at_once_and_then():
    off = air() + np.where(np.arange(WINDOWS) >= 60, 0.2, 0.0)
    found = judged([air(), off, air()], pairs(3))
    assert set(found) == {1}
    assert found[1].is_jump
    assert 54 <= found[1].since <= 66
    assert found[1].shift == pytest.approx(0.2, abs=0.03)


def test_a_gas_event_that_all_see_is_no_fault():
    event = air() + np.where(np.arange(WINDOWS) >= 80, 1.0, 0.0)
    assert judged([event, event, event], pairs(3)) == {}


def test_the_air_takes_its_time_between_neighbours():
    """Ten windows down the road at 0.33 m/s: without the lag the two would seem to disagree."""
    wave = 0.4 + 0.25 * np.sin(np.arange(WINDOWS + 10) / 6.0)
    up, down = wave[10:], wave[:WINDOWS]
    links = pairs(2, metres=1000.0)
    assert judged([up, down], links, velocity=1000 / 3000) == {}
    accuracy = accuracy_of("ch4", None)
    assert accuracy is not None


def test_of_two_the_one_that_moved_is_doubted():
    off = air() + np.where(np.arange(WINDOWS) >= 60, 0.3, 0.0)
    assert set(judged([air(), off], pairs(2))) == {1}
    assert set(judged([off, air()], pairs(2))) == {0}


def test_in_other_air_a_sensor_that_shows_danger_is_believed():
    """Gas may join between the two, so more of it at the one behind is no fault of the sensor; less of it is."""
    still, late = np.full(WINDOWS, 0.4), np.arange(WINDOWS) >= 60
    assert judged([still, still + 0.3 * late], pairs(2, same=False)) == {}
    assert set(judged([still, still - 0.25 * late], pairs(2, same=False))) == {1}


def test_in_other_air_a_neighbour_that_moves_with_it_excuses_a_sensor():
    still, late = np.full(WINDOWS, 0.4), np.arange(WINDOWS) >= 60
    assert judged([still - 0.1 * late, still - 0.25 * late], pairs(2, same=False)) == {}


def test_nobody_is_judged_without_a_neighbour_or_from_too_little():
    accuracy = accuracy_of("ch4", None)
    assert accuracy is not None
    assert departures(np.column_stack([air()]), [accuracy], [], {}) == ({}, set())
    short = np.column_stack([air()[:9], air()[:9]])
    assert departures(short, [accuracy] * 2, pairs(2), {}) == ({}, set())


def test_block_medians_count_from_the_end_and_need_most_of_a_block():
    series = np.array([9.0, 1.0, 2.0, 3.0, np.nan, np.nan, 6.0])
    blocks = block_medians(series)
    assert np.isnan(blocks[0])
    assert blocks[1] == 2.0
    assert np.isnan(blocks[2])
