"""Days, shifts and months on a mine's own clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from pathlib import Path

from minefusion.schemas.catalog import site_path
from minefusion.schemas.site import Shift, Site, load_site
from minefusion.serving.report.facts import DEFAULT_UTC_OFFSET_H
from minefusion.serving.text import Text, same


@dataclass(frozen=True)
class Span:
    """A day, shift or month: [begin, end)."""

    begin: datetime
    end: datetime
    name: Text


@dataclass(frozen=True)
class MineClock:
    """`shifts`: as the site file declares them; none: the day is one."""

    utc_offset_h: float = DEFAULT_UTC_OFFSET_H
    shifts: tuple[Shift, ...] = ()

    @property
    def zone(self) -> timezone:
        return timezone(timedelta(hours=self.utc_offset_h))

    @property
    def offset(self) -> timedelta:
        return timedelta(hours=self.utc_offset_h)

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone)

    def days(self, begin: datetime, end: datetime) -> Iterator[Span]:
        """Days that touch [begin, end), whole."""
        day = self.local(begin).date()
        while (start := datetime.combine(day, time(), self.zone)) < end:
            yield Span(start, start + timedelta(days=1), same(f"{day:%Y-%m-%d}"))
            day += timedelta(days=1)

    def months(self, begin: datetime, end: datetime) -> Iterator[Span]:
        """Months that touch [begin, end), whole."""
        first = self.local(begin).date().replace(day=1)
        while (start := datetime.combine(first, time(), self.zone)) < end:
            following = (first + timedelta(days=32)).replace(day=1)
            yield Span(start, datetime.combine(following, time(), self.zone), same(f"{first:%Y-%m}"))
            first = following

    def shifts_in(self, begin: datetime, end: datetime) -> Iterator[Span]:
        """Shifts that touch [begin, end), whole, in order; without declared shifts the days."""
        if not self.shifts:
            yield from self.days(begin, end)
            return
        found = []
        for day in self.days(begin - timedelta(days=1), end):
            for shift in self.shifts:
                start = day.begin + timedelta(hours=int(shift.start[:2]), minutes=int(shift.start[3:]))
                stop = start + timedelta(hours=shift.hours)
                if start < end and stop > begin:
                    name = same(f"{day.begin:%m-%d} ") + Text(shift.name_zh, shift.name_en)
                    found.append(Span(start, stop, name))
        yield from sorted(found, key=lambda each: (each.begin, each.end))


def site_of(lake: Path, mine: str) -> Site | None:
    """What the mine's site file says; null where there is none.

    Raises:
        InputError: it cannot be read.
    """
    path = site_path(lake, mine)
    return load_site(path) if path.is_file() else None


def clock_of(site: Site | None) -> MineClock:
    """Without a site file the clock of the specification."""
    return MineClock(site.utc_offset_h, site.shifts) if site else MineClock()
