"""Spans of time as sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from minefusion.pipelines.jobs.spans import joined, within, without
from minefusion.schemas.window import Window

T0 = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def span(start: int, end: int) -> Window:
    return Window(T0 + start * MINUTE, T0 + end * MINUTE)


def minutes(windows: list[Window]) -> set[int]:
    return {n for window in windows for n in range((window.start - T0) // MINUTE, (window.end - T0) // MINUTE)}


some_spans = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda pair: span(pair[0], pair[0] + pair[1])), max_size=8
)


def test_spans_that_are_near_are_one():
    assert joined([span(5, 6), span(0, 2), span(2, 3)]) == [span(0, 3), span(5, 6)]
    assert joined([span(0, 3), span(5, 6)], gap=2 * MINUTE) == [span(0, 6)]
    assert joined([span(4, 4)]) == []


@given(some_spans, some_spans)
def test_they_are_sets_of_minutes(one: list[Window], other: list[Window]):
    assert minutes(joined(one)) == minutes(one)
    assert minutes(within(one, other)) == minutes(one) & minutes(other)
    assert minutes(without(one, other)) == minutes(one) - minutes(other)


@given(some_spans)
def test_joined_spans_are_in_order_and_apart(one: list[Window]):
    found = joined(one)
    assert all(before.end < after.start for before, after in pairwise(found))
