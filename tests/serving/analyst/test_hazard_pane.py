"""The heat map's rows: an area is as bad as its own indices, at the time they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from minefusion.serving.analyst.hazard_pane import _area_cells
from minefusion.serving.analyst.hazards import cells
from minefusion.serving.analyst.mine_clock import MineClock
from minefusion.serving.analyst.shown import Shown, with_pick
from minefusion.serving.analyst.view import Asked, Source
from minefusion.serving.reader import Reader

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def windows(*rows: tuple[str, timedelta, timedelta, int | None]) -> pl.DataFrame:
    """(index, begin, length, level) as rows of the table."""
    named = [
        {
            "area_id": "a", "index_id": index, "entity": "a", "window_start": START + begin, "unit": "%",
            "window_end": START + begin + length, "level": level, "value": 1.0, "legal_exceeded": False,
            "sentence_zh": "", "sentence_en": "", "null_reason": None,
        }
        for index, begin, length, level in rows
    ]  # fmt: skip
    instants = dict.fromkeys(("window_start", "window_end"), pl.Datetime("us", "UTC"))
    return pl.DataFrame(named, schema_overrides={"level": pl.Int32, **instants})


def tones(rows: pl.DataFrame) -> list[tuple[int, int, str]]:
    """Cells of the area's row: from minute, to minute, tone."""
    found = cells(rows, START, START + HOUR, 10 * MINUTE, timedelta(0))
    source = Source(Reader(Path("nowhere")), "m", MineClock())
    shown = Shown(source, Asked("m", START, START + HOUR, step=10 * MINUTE), found, "/analyse/hazards/cells?mine=m")
    drawn = _area_cells(shown, "a", found)
    return [((each.start - START) // MINUTE, (each.end - START) // MINUTE, each.tone) for each in drawn]


def test_a_composite_of_the_hour_does_not_paint_the_minutes_before_a_breach():
    gas = [("G-01", number * 10 * MINUTE, 10 * MINUTE, 4 if number == 5 else 0) for number in range(6)]
    assert tones(windows(*gas, ("X-06", timedelta(0), HOUR, 4))) == [(0, 50, "none"), (50, 60, "s4")]


def test_where_there_is_nothing_else_a_composite_counts():
    assert tones(windows(("X-06", timedelta(0), HOUR, 2)))[0] == (0, 10, "s2")


@pytest.mark.parametrize(("unknown", "tone"), [(1, "none"), (5, "unknown")])
def test_without_a_finding_an_area_is_as_known_as_its_indices(unknown: int, tone: str):
    rows = [("G-01", number * MINUTE, MINUTE, None if number < unknown else 0) for number in range(10)]
    assert tones(windows(*rows)) == [(0, 10, tone)]


def test_one_finding_shows_however_little_is_known():
    rows = [("G-01", number * MINUTE, MINUTE, 3 if number == 9 else None) for number in range(10)]
    assert tones(windows(*rows)) == [(0, 10, "s3")]


def test_a_pick_is_put_into_an_address_and_taken_out_of_it():
    link = with_pick("/analyse/x?mine=m", pick="甲 & 乙", at="2026-03-01T00:00:00+00:00")
    assert link == "/analyse/x?mine=m&pick=%E7%94%B2+%26+%E4%B9%99&at=2026-03-01T00%3A00%3A00%2B00%3A00"
    assert with_pick(link, pick=None, at=None) == "/analyse/x?mine=m"
