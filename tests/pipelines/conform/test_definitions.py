"""Which definition holds when, whatever the order in which they came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from minefusion.pipelines.conform.definitions import (
    ALWAYS,
    FOREVER,
    POINT,
    Definition,
    contradicting,
    differing,
    in_force,
    settled,
    spans,
    told,
)
from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas.settings import load_settings
from minefusion.schemas.window import Window

T0 = datetime(2026, 3, 1, tzinfo=UTC)
MINE = "620000000001"


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def definition(hour: float, facts: str, code: str = "P1", file_id: str = "f", position: int = 1) -> Definition:
    return Definition(MINE, POINT, code, at(hour), file_id, position, facts)


def test_only_what_is_new_is_kept():
    told_twice = [definition(1, "A"), definition(2, "A"), definition(3, "B"), definition(4, "B"), definition(5, "A")]
    assert [(each.valid_from, each.facts) for each in settled(told_twice)] == [(at(1), "A"), (at(3), "B"), (at(5), "A")]


def test_of_two_at_one_instant_the_later_file_counts_and_then_the_later_place():
    assert settled([definition(1, "A", file_id="x"), definition(1, "B", file_id="w")])[0].facts == "A"
    assert settled([definition(1, "A", position=1), definition(1, "B", position=2)])[0].facts == "B"


all_definitions = st.lists(
    st.builds(
        definition, st.integers(0, 9), st.sampled_from("AB"), st.sampled_from(["P1", "P2"]), st.sampled_from("fgh")
    ),
    max_size=12,
    unique_by=lambda each: (each.key, each.valid_from, each.file_id),
)


@given(all_definitions, st.randoms(use_true_random=False))
def test_arriving_one_by_one_in_any_order_comes_to_the_same(every: list[Definition], chance):
    """With what `contradicting` says must be found again, found again."""
    arriving = list(every)
    chance.shuffle(arriving)
    held: list[Definition] = []
    for number, new in enumerate(arriving):
        late = contradicting(held, [new])
        again = [
            each
            for each in arriving[:number]
            for one in late
            if each.key == one.key and each.valid_from >= one.valid_from
        ]
        held = settled([*held, new, *again])
    whole = settled(every)
    assert [(each.key, each.valid_from, each.facts) for each in held] == [
        (each.key, each.valid_from, each.facts) for each in whole
    ]


def test_the_first_version_holds_for_what_came_before_it():
    held = spans([(at(1), {"v": 1}), (at(2), {"v": 2})])
    assert [(span.start, span.end) for span in held] == [(ALWAYS, at(2)), (at(2), FOREVER)]
    assert [(span.start, span.end) for span in spans([(at(1), {})], back=False)] == [(at(1), FOREVER)]


def test_differing_times_are_found():
    before = spans([(at(1), {"v": 1, "w": 0}), (at(5), {"v": 2, "w": 0})])
    after = spans([(at(1), {"v": 1, "w": 9}), (at(3), {"v": 3, "w": 0}), (at(5), {"v": 2, "w": 0})])
    assert list(differing(before, after, ["v"])) == [Window(at(3), at(5))]
    assert list(differing(before, before, ["v", "w"])) == []


def test_codes_and_times_are_needed_and_empty_facts_are_left_out():
    row = {
        "mine_code": MINE,
        "sent_at": at(1),
        "file_id": "f",
        "position": 3,
        "source_kind": "CDDY",
        "point_id": "P1",
        "unit": None,
    }
    assert told(POINT, "point_id", [row, row | {"point_id": None}, row | {"sent_at": None}]) == [
        Definition(MINE, POINT, "P1", at(1), "f", 3, '{"point_id": "P1"}')
    ]


def test_each_row_meets_the_facts_of_its_time(tmp_path: Path):
    engine = LightEngine(load_settings(lake=tmp_path))
    instant = pa.timestamp("us", tz="UTC")
    rows = engine.frame(
        [{"id": code, "at": at(hour)} for code, hour in (("P1", 1), ("P1", 2), ("P1", 9), ("P2", 1))],
        pa.schema([("id", pa.string()), ("at", instant)]),
    )
    facts = engine.frame(
        [
            {"id": "P1", "v": 1, "holds_from": ALWAYS, "holds_to": at(2)},
            {"id": "P1", "v": 2, "holds_from": at(2), "holds_to": FOREVER},
        ],
        pa.schema([("id", pa.string()), ("v", pa.int64()), ("holds_from", instant), ("holds_to", instant)]),
    )
    found = engine.to_arrow(in_force(rows, facts, ["id"], "at")).sort_by([("id", "ascending"), ("at", "ascending")])
    assert found["v"].to_pylist() == [1, 2, 2, None]
