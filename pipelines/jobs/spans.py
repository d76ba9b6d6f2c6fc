"""Spans of time as sets: joined, cut out of each other, aligned."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from minefusion.schemas.window import Window

_NOTHING = timedelta(0)


def joined(windows: Iterable[Window], gap: timedelta = _NOTHING) -> list[Window]:
    """The windows in order of time; those no farther apart than `gap` are one."""
    found: list[Window] = []
    for window in sorted((each for each in windows if each.start < each.end), key=lambda each: each.start):
        if found and window.start - found[-1].end <= gap:
            found[-1] = Window(found[-1].start, max(found[-1].end, window.end))
        else:
            found.append(window)
    return found


def within(windows: Iterable[Window], bounds: Iterable[Window]) -> list[Window]:
    """What of the windows lies in `bounds`."""
    bounds = list(bounds)
    return joined(
        Window(max(window.start, bound.start), min(window.end, bound.end))
        for window in windows
        for bound in bounds
        if window.start < bound.end and bound.start < window.end
    )


def without(windows: Iterable[Window], taken: Iterable[Window]) -> list[Window]:
    """What of the windows lies outside `taken`."""
    left = joined(windows)
    for hole in taken:
        parts = []
        for window in left:
            if window.start < min(window.end, hole.start):
                parts.append(Window(window.start, min(window.end, hole.start)))
            if max(window.start, hole.end) < window.end:
                parts.append(Window(max(window.start, hole.end), window.end))
        left = parts
    return left


def aligned(windows: Iterable[Window], step: timedelta) -> list[Window]:
    """The windows as whole steps."""
    return joined(window.aligned(step) for window in windows)
