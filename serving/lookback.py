"""Questions about the newest rows as they were known at an instant, and the days of the lake that they open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any


def day_of(at: datetime) -> str:
    """The UTC day by which the tables are cut: `day` of a row of that instant."""
    return at.astimezone(UTC).date().isoformat()


def back_from(at: datetime, span: timedelta) -> dict[str, Any]:
    """Values for `$begin`, `$at` and `$first` (the first day to open) of a query that looks back from `at`."""
    try:
        begin = at - span
    except OverflowError:
        begin = at
    return {"begin": begin, "at": at, "first": day_of(begin)}
