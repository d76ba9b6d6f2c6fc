"""A span of time, start included, end not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from minefusion.schemas.errors import InputError


@dataclass(frozen=True)
class Window:
    """Half-open span [start, end) of UTC instants."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None or self.end < self.start:
            raise InputError(f"expected a window --from before --to, got {self.start} to {self.end}; swap or mend them")

    def widened(self, before: timedelta = timedelta(0), after: timedelta = timedelta(0)) -> Window:
        return Window(self.start - before, self.end + after)

    def aligned(self, step: timedelta) -> Window:
        """The smallest window around this one whose ends are whole multiples of `step` since the epoch."""
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        first = epoch + (self.start - epoch) // step * step
        last = epoch + -((epoch - self.end) // step) * step
        return Window(first, last)

    def days(self) -> list[str]:
        """UTC days the window touches, the partitions to read."""
        day, days = self.start.astimezone(UTC).date(), []
        last = max(self.start, self.end - timedelta(microseconds=1)).astimezone(UTC).date()
        while day <= last:
            days.append(day.isoformat())
            day += timedelta(days=1)
        return days


def parse_instant(text: str, option: str) -> datetime:
    """ISO 8601 with offset; without one it is UTC. Raises InputError naming the option."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"expected {option} as ISO 8601 such as 2026-03-01T00:00:00+00:00, got '{text}'") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def parse_window(start: str | None, end: str | None) -> Window | None:
    """The window that `--from` and `--to` name; None where neither is given. One without the other is refused."""
    if start is None and end is None:
        return None
    if start is None or end is None:
        given, lacking = ("--to", "--from") if start is None else ("--from", "--to")
        raise InputError(f"expected --from and --to together, got {given} alone; add {lacking}")
    return Window(parse_instant(start, "--from"), parse_instant(end, "--to"))
