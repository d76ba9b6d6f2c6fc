"""What gold and video analysis say, as candidates for alarms.

They are told as they were known at an instant, so that a past shift can be played through as if it were now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from minefusion.schemas import gold, silver
from minefusion.schemas.table import Table
from minefusion.serving.alarms.events import Found
from minefusion.serving.alarms.records import Candidate
from minefusion.serving.reader import Reader, Row

# How far back gold is looked at; what is still open is taken whatever its age.
LOOKBACK = timedelta(days=7)
# Tables whose new versions may hold new candidates.
SOURCES: tuple[Table, ...] = (gold.ALARM, silver.VIDEO_EVENT)
# Video events: 2 false alarm, 3 closed were dealt with where they come from.
_DEALT_WITH = (2, 3)
# An event whose sender gives no level is a yellow one.
_YELLOW = 2

_ALARMS = """
SELECT a.alarm_id, a.kind, a.mine_code, a.area_id, a.entity, a.point_id, a.level, a.raised_at, a.cleared_at,
  a.peak_value, a.peak_at, a.unit, a.legal_exceeded, a.people_in_area, a.sentence_zh, a.sentence_en, p.quantity
FROM gold.alarm a
LEFT JOIN silver.point p ON p.mine_code = a.mine_code AND p.point_id = a.point_id
WHERE a.raised_at >= $since OR a.cleared_at IS NULL OR a.cleared_at >= $since
"""
_EVENTS = """
SELECT event_id, event_type, mine_code, camera_code, area_id, level, began_at, ended_at, reported_at, analysis_case,
  state, event_confidence
FROM silver.video_event
WHERE began_at >= $since AND quality <> 'BAD'
"""


@dataclass(frozen=True)
class Known:
    """All that the lake says from `since` on, whenever it happened."""

    since: datetime
    candidates: tuple[tuple[Candidate, datetime | None], ...]

    def at(self, now: datetime) -> Found:
        """What of it was known at `now`: nothing that began later, no end and no peak that came later."""
        return Found(
            tuple(_as_known(each, peak_at, now) for each, peak_at in self.candidates if each.raised_at <= now),
            self.since,
        )


def look(reader: Reader, now: datetime) -> Known:
    """Read the candidates of the last days, and all that are open."""
    since = now - LOOKBACK
    alarms = ((_alarm(row), row["peak_at"]) for row in reader.sql(_ALARMS, since=since))
    return Known(since, (*alarms, *((event, None) for event in _events(reader, since))))


def _as_known(candidate: Candidate, peak_at: datetime | None, now: datetime) -> Candidate:
    if candidate.cleared_at is not None and candidate.cleared_at > now:
        candidate = replace(candidate, cleared_at=None)
    if peak_at is not None and peak_at > now:
        candidate = replace(candidate, value=None)
    return candidate


def _alarm(row: Row) -> Candidate:
    tag = row["alarm_id"].rpartition(":")[0]
    return Candidate(
        row["alarm_id"], tag, row["kind"], row["mine_code"], row["area_id"], row["entity"], row["point_id"],
        row["level"], row["raised_at"], row["cleared_at"], row["peak_value"], row["unit"], row["quantity"],
        bool(row["legal_exceeded"]), row["people_in_area"], row["sentence_zh"] or "", row["sentence_en"] or "",
    )  # fmt: skip


def _events(reader: Reader, since: datetime) -> Iterator[Candidate]:
    """Video events; one without an end was a moment."""
    for row in reader.sql(_EVENTS, since=since):
        if row["state"] in _DEALT_WITH:
            continue
        tag = f"{row['event_type']}:{row['mine_code']}:{row['camera_code']}"
        case = f" {row['analysis_case']}" if row["analysis_case"] else ""
        sure = "" if row["event_confidence"] is None else f"{row['event_confidence']:.0%}"
        yield Candidate(
            candidate_id=f"{tag}:{row['event_id']}",
            tag=tag,
            kind=row["event_type"],
            mine_code=row["mine_code"],
            area_id=row["area_id"] or "unplaced",
            entity=row["camera_code"],
            point_id=None,
            level=_YELLOW if row["level"] is None else 5 - row["level"],
            raised_at=row["began_at"],
            cleared_at=row["ended_at"] or row["reported_at"] or row["began_at"],
            sentence_zh=f"摄像机 {row['camera_code']}：{row['event_type']}{case}"
            + (f"，置信度 {sure}" if sure else ""),
            sentence_en=f"camera {row['camera_code']}: {row['event_type']}{case}"
            + (f", confidence {sure}" if sure else ""),
        )
