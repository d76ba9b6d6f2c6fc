"""Numbers of what people file: by mine and day of the mines' clock, so that they can be told over the phone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

MINE_CLOCK = timezone(timedelta(hours=8))


def numbered(letter: str, mine_code: str, now: datetime, known: Iterable[str]) -> str:
    """The next number of that day: `D-620000000001-260301-02`."""
    prefix = f"{letter}-{mine_code}-{now.astimezone(MINE_CLOCK):%y%m%d}-"
    return f"{prefix}{sum(each.startswith(prefix) for each in known) + 1:02d}"
