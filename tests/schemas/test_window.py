"""Windows: half-open, aligned outwards, cut into days."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.schemas.errors import InputError
from minefusion.schemas.window import Window, parse_instant


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T{text}+00:00")


def test_aligned_goes_outwards_only():
    minute = timedelta(minutes=1)
    assert Window(at("08:00:30"), at("08:05:10")).aligned(minute) == Window(at("08:00:00"), at("08:06:00"))
    assert Window(at("08:00:00"), at("08:05:00")).aligned(minute) == Window(at("08:00:00"), at("08:05:00"))


def test_days_are_those_that_the_window_touches():
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert Window(at("00:00:00"), midnight).days() == ["2026-03-01"]
    assert Window(at("23:59:59"), midnight + timedelta(microseconds=1)).days() == ["2026-03-01", "2026-03-02"]
    assert Window(midnight, midnight).days() == ["2026-03-02"]


def test_days_are_utc_whatever_the_offset():
    shanghai = timezone(timedelta(hours=8))
    start = datetime(2026, 3, 2, 7, 59, tzinfo=shanghai)
    assert Window(start, start + timedelta(minutes=2)).days() == ["2026-03-01", "2026-03-02"]


def test_widened():
    hour = timedelta(hours=1)
    assert Window(at("08:00:00"), at("09:00:00")).widened(before=hour) == Window(at("07:00:00"), at("09:00:00"))
    assert Window(at("08:00:00"), at("09:00:00")).widened(after=hour) == Window(at("08:00:00"), at("10:00:00"))


@pytest.mark.parametrize(
    ("start", "end"),
    [(at("09:00:00"), at("08:00:00")), (at("08:00:00").replace(tzinfo=None), at("09:00:00").replace(tzinfo=None))],
)
def test_a_window_that_runs_backwards_or_has_no_offset_is_refused(start, end):
    with pytest.raises(InputError, match="expected a window --from before --to"):
        Window(start, end)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T08:00:00+00:00", at("08:00:00")),
        ("2026-03-01T16:00:00+08:00", at("08:00:00")),
        ("2026-03-01T08:00:00", at("08:00:00")),
        ("2026-03-01", at("00:00:00")),
        ("2026-03-01T08:00:00Z", at("08:00:00")),
    ],
)
def test_instants(text, instant):
    assert parse_instant(text, "--from") == instant


def test_an_instant_that_is_none_names_its_option():
    with pytest.raises(InputError, match=r"expected --to as ISO 8601 such as .*, got 'yesterday'"):
        parse_instant("yesterday", "--to")


INSTANT = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
STEP = st.sampled_from([timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=1), timedelta(days=1)])


@given(INSTANT, st.timedeltas(timedelta(0), timedelta(days=3)), STEP)
def test_an_aligned_window_covers_it_by_less_than_a_step_and_stays(start, length, step):
    window = Window(start, start + length)
    aligned = window.aligned(step)
    assert window.start - step < aligned.start <= window.start
    assert window.end <= aligned.end < window.end + step
    assert aligned.aligned(step) == aligned
    assert set(window.days()) <= set(aligned.days()) | {window.start.date().isoformat()}
