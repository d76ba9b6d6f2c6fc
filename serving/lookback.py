"""Questions about the newest rows as they were known at an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any


def back_from(at: datetime, span: timedelta) -> dict[str, Any]:
    """Values for `$begin`, `$at` and `$first` (the first day to open) of a query that looks back from `at`."""
    try:
        begin = at - span
    except OverflowError:
        begin = at
    return {"begin": begin, "at": at, "first": begin.astimezone(UTC).date().isoformat()}
