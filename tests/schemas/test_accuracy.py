"""Instruments: what each row says, and which row holds for a sensor."""

from __future__ import annotations

import pytest

from minefusion.schemas.accuracy import accuracy_of, all_accuracies
from minefusion.schemas.sensors import all_sensor_types


def test_rows_are_of_known_quantities_in_their_unit():
    units = {kind.quantity: kind.unit for kind in all_sensor_types()}
    for row in all_accuracies():
        assert row.unit == units[row.quantity], row.quantity


@pytest.mark.parametrize("row", all_accuracies(), ids=lambda row: f"{row.quantity} {row.sensor_type}")
def test_rows_say_where_they_come_from_and_how_far_they_reach(row):
    assert row.source
    assert row.confidence in ("confirmed", "inferred", "convention", "advisory")
    assert (row.zero is not None) == (row.scale == "ratio")
    assert row.seen_abs > 0
    assert row.error_abs > 0


def test_a_type_of_its_own_goes_before_its_quantity():
    laser, catalytic = accuracy_of("ch4", "0043"), accuracy_of("ch4", "0001")
    assert laser is not None
    assert catalytic is not None
    assert laser.error_abs < catalytic.error_abs
    assert catalytic.sensor_type == ""
    assert accuracy_of("belt_speed", "9307") is None


def test_the_greater_of_amount_and_share_counts():
    methane = accuracy_of("ch4", None)
    assert methane is not None
    assert methane.error(0.5) == pytest.approx(0.10)
    assert methane.error(2.0) == pytest.approx(0.20)
    assert methane.departure(0.2) == pytest.approx(0.04)
    assert methane.departure(1.0) == pytest.approx(0.15)
