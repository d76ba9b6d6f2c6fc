"""Slots of five minutes of a machine: what is held, when it runs, what of it counts."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pytest
from hypothesis import given
from hypothesis import strategies as st
from literal_mine import answers, of

from minefusion.pipelines.hazard.equipment import (
    MACHINE,
    SLOT_US,
    by_slot,
    held,
    hourly,
    running_slots,
    settled,
    stands,
    unbalance_pct,
)

BASE = 288  # a slot that begins an hour


def values(quantity: str, by_slots: dict[float, float], point_id: str = "P") -> list[dict[str, Any]]:
    """Values at so many slots after BASE."""
    return [
        {"mine_code": "m", "area_id": "F1", "machine": "SB1", "point_id": point_id, "part": "", "quantity": quantity,
         "observed_us": round((BASE + slot) * SLOT_US), "value": float(amount)}
        for slot, amount in by_slots.items()
    ]  # fmt: skip


def frame(*parts: list[dict[str, Any]]) -> nw.LazyFrame:
    rows = [row for part in parts for row in part]
    return nw.from_dict({name: [row[name] for row in rows] for name in rows[0]}, backend="polars").lazy()


def table(found: nw.LazyFrame, *names: str) -> list[tuple]:
    return sorted(tuple(row[name] for name in names) for row in found.collect().to_arrow().to_pylist())


def test_a_slot_is_the_mean_of_its_values_however_many():
    slots = by_slot(frame(values("current", {0: 10, 0.2: 20, 0.9: 60, 1: 5})))
    assert table(slots, "slot", "value", "value_min") == [(BASE, 30.0, 10.0), (BASE + 1, 5.0, 5.0)]


def test_a_value_holds_for_three_slots_and_yields_to_the_next():
    slots = held(by_slot(frame(values("current", {0: 10, 2: 20}))))
    assert table(slots, "slot", "value", "age") == [
        (BASE, 10.0, 0), (BASE + 1, 10.0, 1), (BASE + 2, 20.0, 0), (BASE + 3, 20.0, 1), (BASE + 4, 20.0, 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("states", "runs"),
    [
        ({0: 1, 1: 1, 2: 1}, [1, 1, 1]),
        ({0: 0, 1: 1, 2: 1, 3: 1}, [0, 0, 0, 1]),  # ten minutes after its start
        ({0: 1, 1: 1, 2: 0}, [1, 1, 0]),
        ({0: 1, 0.5: 0, 1: 1}, [0, 0]),  # it stood for a part of the slot
        ({0: 0, 9: 1}, [0, 1]),  # what is not known before a slot is no standstill
    ],
)
def test_when_a_machine_runs_steadily(states: dict[float, float], runs: list[int]):
    found = running_slots(by_slot(frame(values("equipment_on", states))))
    assert [each[1] for each in table(found, "slot", "runs")] == runs


def test_only_what_is_measured_while_it_runs_is_settled():
    slots = by_slot(
        frame(values("equipment_on", {0: 0, 1: 1, 2: 1, 3: 1}), values("current", dict.fromkeys(range(4), 7)))
    )
    assert table(settled(slots), "slot", "quantity") == [(BASE + 3, "current")]
    alone = by_slot(frame(values("current", {0: 7})))
    assert table(settled(alone), "slot") == [(BASE,)]


def test_a_machine_stands_in_an_hour_in_which_it_never_ran_steadily():
    slots = by_slot(frame(values("equipment_on", {0: 0, 6: 0, 12: 0, 13: 1, 14: 1, 15: 1})))
    assert table(stands(slots, 12), "period") == [(BASE // 12,)]


def test_an_hour_is_the_highest_point_by_its_median():
    slots = by_slot(frame(values("vibration_velocity", {0: 1, 1: 2, 2: 90}), values("vibration_velocity", {0: 3}, "Q")))
    assert table(hourly(slots), "hour", "value", "points", *MACHINE) == [(BASE // 12, 3.0, 2, "m", "F1", "SB1")]


def test_unbalance_by_hand():
    """55, 60 and 68 A: mean 61, one 7 off: 11.48 %. A lost phase, 0, 60 and 60: 100 %. No current: none."""
    assert answers(x=unbalance_pct(of(68.0), of(55.0), of(61.0)))["x"] == pytest.approx(700 / 61)
    assert answers(x=unbalance_pct(of(60.0), of(0.0), of(40.0)))["x"] == pytest.approx(100.0)
    assert answers(x=unbalance_pct(of(0.0), of(0.0), of(0.0)))["x"] is None


@given(st.lists(st.floats(1, 500), min_size=3, max_size=3), st.floats(0.1, 10))
def test_unbalance_does_not_depend_on_the_load(phases: list[float], times: float):
    one, other = (
        answers(x=unbalance_pct(of(k * max(phases)), of(k * min(phases)), of(k * sum(phases) / 3)))["x"]
        for k in (1.0, times)
    )
    assert other == pytest.approx(one)
    assert 0 <= one <= 200
