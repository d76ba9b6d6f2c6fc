"""The sample gate: what is good, what is doubtful, what is bad; and gas is never hidden."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from minefusion.pipelines.conform.definitions import ALWAYS, FOREVER
from minefusion.pipelines.conform.readings import POINT_FACTS, SAMPLE, assess, is_usable
from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas.settings import load_settings
from minefusion.schemas.silver import READING

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
MINE = "620000000001"
INSTANT = pa.timestamp("us", tz="UTC")
SAMPLES = pa.schema([READING.arrow_schema().field(name) for name in SAMPLE])
NUMBERS = ("range_high", "range_low", "alarm", "unit_factor", "valid_min", "valid_max")
POINTS = pa.schema(
    [("mine_code", pa.string()), ("point_id", pa.string()), ("holds_from", INSTANT), ("holds_to", INSTANT)]
    + [
        (name, pa.float64() if name in NUMBERS else pa.bool_() if name.startswith("is_") else pa.string())
        for name in POINT_FACTS
    ]
)
GAS = {
    "sensor_type": "0001", "quantity": "ch4", "unit": "%", "area_id": "F1", "range_high": 4.0, "range_low": 0.0,
    "alarm": 1.0, "unit_factor": 1.0, "is_inverted": False, "valid_min": 0.0, "valid_max": 100.0, "is_analog": True,
}  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> LightEngine:
    return LightEngine(load_settings(lake=tmp_path))


def sample(point: str, seconds: float, value: float | None, status: int | None = 0, **more: Any) -> dict[str, Any]:
    observed = T0 + timedelta(seconds=seconds)
    told = {"mine_code": MINE, "point_id": point, "observed_at": observed, "value": value, "status_flags": status}
    return told | {"received_at": T0, "sent_at": observed, "file_id": "f", "position": 1} | more


def judged(
    engine: LightEngine, samples: Sequence[dict[str, Any]], **points: dict[str, Any]
) -> dict[tuple[str, float], tuple[Any, ...]]:
    """(point, second) → value, quality, reasons."""
    always = {"mine_code": MINE, "holds_from": ALWAYS, "holds_to": FOREVER}
    facts = [always | {"point_id": name} | GAS | more for name, more in (points or {"G": {}}).items()]
    rows = engine.to_arrow(assess(engine.frame(samples, SAMPLES), engine.frame(facts, POINTS))).to_pylist()
    return {
        (row["point_id"], (row["observed_at"] - T0).total_seconds()): (
            row["value"],
            row["quality"],
            row["quality_reasons"],
        )
        for row in rows
    }


@pytest.mark.parametrize(
    ("value", "status", "expected"),
    [
        (0.5, 0, (0.5, "GOOD", "")),
        (0.5, None, (0.5, "GOOD", "")),  # senders of some kinds have no status
        (0.5, 1, (0.5, "GOOD", "")),  # in alarm
        (0.5, 2, (0.5, "GOOD", "")),  # power is cut
        (2.5, 4, (2.5, "BAD", "CALIBRATION")),
        (5.0, 4, (5.0, "BAD", "CALIBRATION")),  # test gas over range is test gas
        (4.0, 0, (4.0, "SUSPECT", "SATURATED")),
        (0.0, 8, (4.0, "SUSPECT", "SATURATED")),
        (None, 8, (4.0, "SUSPECT", "SATURATED")),
        (6.5, 8, (6.5, "SUSPECT", "SATURATED")),
        (None, 8 + 128, (4.0, "SUSPECT", "SATURATED")),  # a fault does not take away that it was over range
        (0.5, 16, (0.5, "BAD", "SUBSTATION_FAULT")),
        (0.5, 32, (0.5, "BAD", "NOT_POLLED")),
        (0.5, 64, (0.5, "BAD", "SUSPENDED")),
        (None, 128, (None, "BAD", "SENSOR_FAULT,NO_VALUE")),
        (None, 0, (None, "BAD", "NO_VALUE")),
        (-0.5, 0, (-0.5, "BAD", "OUT_OF_RANGE")),
        (0.5, -1, (0.5, "SUSPECT", "STATUS_UNKNOWN")),
    ],
)
def test_status_bits_and_range(engine: LightEngine, value: float | None, status: int | None, expected: tuple[Any, ...]):
    assert judged(engine, [sample("G", 0, value, status)])["G", 0.0] == expected


def test_a_unit_that_does_not_fit_is_bad(engine: LightEngine):
    assert judged(engine, [sample("G", 0, None)], G={"unit_factor": None})["G", 0.0][2] == "NO_VALUE,UNIT_UNKNOWN"


@pytest.mark.parametrize(
    ("seconds", "rise", "reason"), [(1, 2.0, ""), (1, 2.1, "STEP"), (30, 3.0, ""), (0.5, 2.1, "STEP")]
)
def test_methane_moves_at_most_two_percent_a_second(engine: LightEngine, seconds: float, rise: float, reason: str):
    found = judged(engine, [sample("G", 10, 0.1), sample("G", 10 + seconds, 0.1 + rise)], G={"range_high": 40.0})
    assert found["G", 10 + seconds][2] == reason


def still_and_moving(value: float, minutes: int, peer_moves: float) -> list[dict[str, Any]]:
    """G stands at a value while its neighbour N moves up and down."""
    every = range(0, minutes * 60, 30)
    moving = [sample("N", second, 0.1 + peer_moves * (second // 30 % 2)) for second in every]
    return [*(sample("G", second, value) for second in every), *moving]


def test_a_point_that_stands_still_while_its_neighbour_moves_is_stuck_after_half_an_hour(engine: LightEngine):
    found = judged(engine, still_and_moving(0.25, 60, peer_moves=0.4), G={}, N={})
    first = min(second for (point, second), (_, _, reasons) in found.items() if point == "G" and reasons == "STUCK")
    assert first == 30 * 60
    assert all(found["G", float(second)][2] == "STUCK" for second in range(30 * 60, 60 * 60, 30))


def test_it_is_good_again_with_the_first_value_that_moved(engine: LightEngine):
    samples = [*still_and_moving(0.25, 60, peer_moves=0.4), sample("G", 3600, 0.26), sample("G", 3630, 0.25)]
    found = judged(engine, samples, G={}, N={})
    assert (found["G", 3600.0][2], found["G", 3630.0][2]) == ("", "")


@pytest.mark.parametrize(
    ("value", "peer_moves", "facts"),
    [
        (0.25, 0.04, {}),  # the neighbour moved by less than this sensor's steps may hide
        (0.5, 0.4, {}),  # it reports in tenths: four of its steps
        (0.85, 0.9, {}),  # near its alarm limit it is shown, not set aside
        (0.25, 0.4, {"area_id": "F2"}),  # no neighbour on its air path
        (0.25, 0.4, {"area_id": "unplaced"}),
        (0.25, 0.4, {"is_analog": False}),
    ],
)
def test_a_healthy_point_may_stand_still(engine: LightEngine, value: float, peer_moves: float, facts: dict[str, Any]):
    found = judged(engine, still_and_moving(value, 60, peer_moves), G=facts, N={})
    assert {reasons for (point, _), (_, _, reasons) in found.items() if point == "G"} == {""}


def test_nothing_that_comes_later_changes_what_was_said(engine: LightEngine):
    """A sample is judged by what came before it."""
    samples = [*still_and_moving(0.25, 60, peer_moves=0.4), sample("G", 3600, 0.9), sample("N", 3600, 0.0)]
    whole = judged(engine, samples, G={}, N={})
    for minutes in (10, 29, 31, 47):
        part = [each for each in samples if each["observed_at"] < T0 + timedelta(minutes=minutes)]
        assert judged(engine, part, G={}, N={}).items() <= whole.items()


def test_a_saturated_point_is_usable_and_no_other_doubt_is(engine: LightEngine):
    import narwhals as nw

    rows = engine.frame(
        [
            {"q": q, "r": r}
            for q, r in (
                ("GOOD", ""),
                ("SUSPECT", "SATURATED"),
                ("SUSPECT", "STUCK"),
                ("BAD", "CALIBRATION"),
                ("SUSPECT", "SATURATED,STATUS_UNKNOWN"),
            )
        ],
        pa.schema([("q", pa.string()), ("r", pa.string())]),
    )
    usable = engine.to_arrow(rows.select(is_usable(nw.col("q"), nw.col("r")).alias("u")))["u"].to_pylist()
    assert usable == [True, True, False, False, True]
