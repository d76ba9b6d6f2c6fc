"""The alarm load and how it is handled, after ISA-18.2 and EEMUA 191: pure functions over alarms.

The targets are the usual ones of those guides for one operator; they are a measure to look at, not law. What came into
sight counts: each first showing and each return. Advisories of models are counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from minefusion.serving.alarms.classes import classes, priority_of
from minefusion.serving.alarms.raising import FLOOD_FROM, FLOOD_SPAN, FLOOD_UNTIL
from minefusion.serving.alarms.records import SYSTEM, Alarm

STALE = timedelta(hours=24)
TOP = 10
# EEMUA 191: an operator can manage so many; ISA-18.2 18.2-2016 tells the same in its table of metrics.
TARGETS: dict[str, Any] = {
    "per_hour": 6.0,
    "per_10_min": 1.0,
    "most_in_10_min": 10,
    "share_of_10_min_over_10": 0.01,
    "share_of_time_in_flood": 0.01,
    "top_ten_share": 0.05,
    "chattering": 0,
    "stale": 5,
    "priority_mix": {"1": 0.05, "2": 0.15, "3_and_4": 0.80},
    "advisories_per_hour": 6.0,
}


def kpis(alarms: Sequence[Alarm], begin: datetime, end: datetime) -> dict[str, Any]:
    """Load and handling in [begin, end).

    Args:
        alarms: all that were shown, stood or were dealt with in that span.
    """
    ordinary = [each for each in alarms if not each.alarm_class.is_advisory and not each.is_late]
    shown = _shown(ordinary, begin, end)
    hours = (end - begin) / timedelta(hours=1)
    floods = flood_episodes([at for at, _ in shown], begin, end)
    in_flood = sum((stop - start for start, stop, _ in floods), timedelta(0))
    bins = _per_ten_minutes([at for at, _ in shown], begin, end)
    sources = Counter(alarm.tag for _, alarm in shown)
    mix = Counter(priority_of(alarm.level) for _, alarm in shown)
    standing = [each for each in ordinary if each.is_active and each.shown_at < end]
    stale = [each for each in standing if end - each.raised_at >= STALE]
    advisories = _shown([each for each in alarms if each.alarm_class.is_advisory and not each.is_late], begin, end)
    judged = Counter(alarm.verdict for _, alarm in advisories)
    return {
        "from": begin,
        "to": end,
        "alarms": len(shown),
        "per_hour": len(shown) / hours,
        "per_10_min": len(shown) / (6 * hours),
        "most_in_10_min": int(bins.max(initial=0)),
        "share_of_10_min_over_10": float((bins > 10).mean()) if len(bins) else 0.0,
        "floods": [{"from": start, "to": stop, "alarms": count} for start, stop, count in floods],
        "share_of_time_in_flood": in_flood / (end - begin),
        "standing": len(standing),
        "stale": [_named(each) for each in sorted(stale, key=lambda each: each.raised_at)],
        "chattering": sorted({each.tag for each in ordinary if each.is_chattering}),
        "top_ten": [
            {"tag": tag, "alarms": count, "share": count / len(shown)} for tag, count in sources.most_common(TOP)
        ],
        "top_ten_share": sum(count for _, count in sources.most_common(TOP)) / len(shown) if shown else 0.0,
        "priority_mix": {
            str(priority): {"alarms": mix[priority], "share": mix[priority] / len(shown) if shown else 0.0}
            for priority in (1, 2, 3, 4)
        },
        "acknowledge_s": _times_to_acknowledge(ordinary, begin, end),
        "unacknowledged": sum(each.waiting_since is not None for each in ordinary),
        "late": sum(each.is_late and begin <= each.shown_at < end for each in alarms),
        "advisories": {
            "alarms": len(advisories), "per_hour": len(advisories) / hours, "confirmed": judged["confirmed"],
            "rejected": judged["rejected"],
        },
        "targets": TARGETS,
    }  # fmt: skip


def flood_episodes(shown: Iterable[datetime], begin: datetime, end: datetime) -> list[tuple[datetime, datetime, int]]:
    """Floods: from the tenth alarm within ten minutes until fewer than five are; with the alarms of each."""
    times = sorted(shown)
    episodes: list[tuple[datetime, datetime, int]] = []
    since: datetime | None = None
    count = 0
    recent: list[datetime] = []
    for at in [*times, end]:
        # Between two alarms the ten minutes empty one by one.
        if since is not None:
            leaves = sorted(each + FLOOD_SPAN for each in recent)
            calm = leaves[len(recent) - FLOOD_UNTIL] if len(recent) >= FLOOD_UNTIL else since
            if calm <= at:
                episodes.append((since, calm, count))
                since = None
        recent = [each for each in recent if at - each < FLOOD_SPAN]
        if at == end:
            break
        recent.append(at)
        count += 1
        if since is None and len(recent) >= FLOOD_FROM:
            since, count = at, len(recent)
    if since is not None:
        episodes.append((since, end, count))
    return [each for each in episodes if each[1] > begin]


def _shown(alarms: Iterable[Alarm], begin: datetime, end: datetime) -> list[tuple[datetime, Alarm]]:
    """Each coming into sight in the span, with its alarm, in order."""
    found = [(at, each) for each in alarms for at in (each.shown_at, *each.returns) if begin <= at < end]
    return sorted(found, key=lambda one: (one[0], one[1].alarm_id))


def _per_ten_minutes(shown: Sequence[datetime], begin: datetime, end: datetime) -> np.ndarray:
    seconds = np.array([(at - begin).total_seconds() for at in shown])
    edges = np.arange(0, (end - begin).total_seconds() + 600, 600)
    return np.histogram(seconds, edges)[0]


def _times_to_acknowledge(alarms: Iterable[Alarm], begin: datetime, end: datetime) -> dict[str, Any]:
    """Median and 95th percentile [s] by class, of what a person acknowledged in the span."""
    took: dict[str, list[float]] = {}
    for each in alarms:
        if each.acked_at is not None and each.acked_by != SYSTEM and begin <= each.acked_at < end:
            last_shown = max(at for at in (each.shown_at, *each.returns) if at <= each.acked_at or at == each.shown_at)
            took.setdefault(each.class_name, []).append((each.acked_at - last_shown).total_seconds())
    everything = [each for times in took.values() for each in times]
    return {
        name: {"count": len(times), "p50": float(np.percentile(times, 50)), "p95": float(np.percentile(times, 95))}
        for name, times in {"all": everything, **{name: took[name] for name in classes() if name in took}}.items()
        if times
    }


def _named(alarm: Alarm) -> dict[str, Any]:
    lead = alarm.lead
    return {
        "alarm_id": alarm.alarm_id, "raised_at": alarm.raised_at, "sentence_zh": lead.sentence_zh,
        "sentence_en": lead.sentence_en,
    }  # fmt: skip
