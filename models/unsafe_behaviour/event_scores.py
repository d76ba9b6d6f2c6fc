"""Alarms beside what truly happened, event by event: what was found, missed, made up, and how late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

# An alarm so near to an event of its rule belongs to it [s].
NEAR_S = 2.0
# 95 % of a normal distribution lie so many deviations around its middle.
_Z95 = 1.96


@dataclass(frozen=True)
class TrueEvent:
    """What happened in a clip, in seconds from its beginning. One that is not demanded may be told or not."""

    clip: str
    behaviour: str
    begins_s: float
    ends_s: float
    is_demanded: bool = True


@dataclass(frozen=True)
class Alarm:
    """What was raised in a clip, and when [s from its beginning]."""

    clip: str
    behaviour: str
    raised_s: float


def score(alarms: Sequence[Alarm], truth: Sequence[TrueEvent], watched_s: float) -> dict[str, Any]:
    """events, found, missed_share, false, false_share, false_per_hour, delay_s, repeats, by_behaviour.

    An alarm is false when no event of its rule, demanded or not, lies within NEAR_S of it. A demanded event is found
    when an alarm of its rule lies within NEAR_S of it; each alarm finds one event, and each event is found once: more
    alarms for it are repeats. Shares come with the interval of Wilson (1927), 95 %.

    Args:
        watched_s: length of all clips together [s].
    """
    codes = sorted({each.behaviour for each in alarms} | {each.behaviour for each in truth})
    parts = {code: _score_one(code, alarms, truth) for code in codes}
    total = _sum(parts.values())
    return _told(total, watched_s) | {"by_behaviour": {code: _told(part, watched_s) for code, part in parts.items()}}


@dataclass(frozen=True)
class _Counts:
    events: int
    found: int
    alarms: int
    false: int
    repeats: int
    delays: tuple[float, ...]


def _score_one(code: str, alarms: Sequence[Alarm], truth: Sequence[TrueEvent]) -> _Counts:
    mine = sorted((each for each in alarms if each.behaviour == code), key=lambda each: (each.clip, each.raised_s))
    events = [each for each in truth if each.behaviour == code]
    demanded = sorted((each for each in events if each.is_demanded), key=lambda each: (each.clip, each.begins_s))
    false = [alarm for alarm in mine if not any(_is_near(alarm, event) for event in events)]
    free = [alarm for alarm in mine if alarm not in false]
    delays = []
    for event in demanded:
        alarm = next((alarm for alarm in free if _is_near(alarm, event)), None)
        if alarm is not None:
            free.remove(alarm)
            delays.append(max(0.0, alarm.raised_s - event.begins_s))
    optional = [event for event in events if not event.is_demanded]
    repeats = [alarm for alarm in free if not any(_is_near(alarm, event) for event in optional)]
    return _Counts(len(demanded), len(delays), len(mine), len(false), len(repeats), tuple(delays))


def _is_near(alarm: Alarm, event: TrueEvent) -> bool:
    return alarm.clip == event.clip and event.begins_s - NEAR_S <= alarm.raised_s <= event.ends_s + NEAR_S


def _sum(parts: Iterable[_Counts]) -> _Counts:
    parts = list(parts)
    return _Counts(
        events=sum(part.events for part in parts),
        found=sum(part.found for part in parts),
        alarms=sum(part.alarms for part in parts),
        false=sum(part.false for part in parts),
        repeats=sum(part.repeats for part in parts),
        delays=tuple(delay for part in parts for delay in part.delays),
    )


def _told(counts: _Counts, watched_s: float) -> dict[str, Any]:
    missed = counts.events - counts.found
    delay = {name: _percentile(counts.delays, share) for name, share in (("p50", 50), ("p95", 95))}
    return {
        "events": counts.events,
        "found": counts.found,
        "missed_share": _share(missed, counts.events),
        "missed_share_ci95": wilson(missed, counts.events),
        "alarms": counts.alarms,
        "false": counts.false,
        "false_share": _share(counts.false, counts.alarms),
        "false_share_ci95": wilson(counts.false, counts.alarms),
        "false_per_hour": round(counts.false / watched_s * 3600, 3) if watched_s else None,
        "repeats": counts.repeats,
        "delay_s": delay,
    }


def _share(count: int, of: int) -> float | None:
    return round(count / of, 4) if of else None


def _percentile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.percentile(values, share)), 3) if values else None


def wilson(count: int, of: int) -> list[float] | None:
    """The 95 % interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22); None of nothing."""
    if not of:
        return None
    share, z2 = count / of, _Z95**2
    middle, half = share + z2 / (2 * of), _Z95 * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return [round(max(0.0, (middle - half) / (1 + z2 / of)), 4), round(min(1.0, (middle + half) / (1 + z2 / of)), 4)]
