"""What gold, forecasts and video analysis say, as candidates for alarms.

They are told as they were known at an instant, so that a past shift can be played through as if it were now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
SOURCES: tuple[Table, ...] = (
    gold.ALARM, gold.METHANE_FORECAST, gold.UNSAFE_BEHAVIOUR, silver.VIDEO_EVENT,
)  # fmt: skip
# Warnings of one point are one advisory while they follow each other within so long.
FORECAST, WARNING_GAP = "FORECAST", timedelta(minutes=10)
# Video events: 2 false alarm, 3 closed were dealt with where they come from.
_DEALT_WITH = (2, 3)
# Level of a forecast, and of an event whose sender gives none.
_YELLOW = 2

_ALARMS = """
SELECT a.alarm_id, a.kind, a.mine_code, a.area_id, a.entity, a.point_id, a.level, a.raised_at, a.cleared_at,
  a.peak_value, a.peak_at, a.unit, a.legal_exceeded, a.people_in_area, a.sentence_zh, a.sentence_en, p.quantity
FROM gold.alarm a
LEFT JOIN silver.point p ON p.mine_code = a.mine_code AND p.point_id = a.point_id
WHERE a.raised_at >= $since OR a.cleared_at IS NULL OR a.cleared_at >= $since
"""
_WARNINGS = """
SELECT mine_code, point_id, area_id, issued_at, sentence_zh, sentence_en FROM (
  SELECT *, row_number() OVER (PARTITION BY mine_code, point_id, issued_at
    ORDER BY reach_chance DESC NULLS LAST, horizon_min) AS place
  FROM gold.methane_forecast WHERE issued_at >= $since AND is_warning
) WHERE place = 1 ORDER BY mine_code, point_id, issued_at
"""
_LAST_ISSUES = """
SELECT mine_code, point_id, max(issued_at) AS last FROM gold.methane_forecast WHERE issued_at >= $since
GROUP BY mine_code, point_id
"""
_EVENTS = """
SELECT event_id, event_type, mine_code, camera_code, area_id, level, began_at, ended_at, reported_at, analysis_case,
  state, event_confidence
FROM silver.video_event
WHERE began_at >= $since AND quality <> 'BAD'
"""
_BEHAVIOURS = """
SELECT event_id, mine_code, camera_code, area_id, behaviour, level, raised_at, ended_at, clip_id, event_confidence,
  people, sentence_zh, sentence_en
FROM gold.unsafe_behaviour WHERE began_at >= $since AND raised_at >= $since
"""
# What stands for a clip where a stream was watched.
LIVE = "live"


@dataclass(frozen=True)
class Known:
    """All that the lake says from `since` on, whenever it happened."""

    since: datetime
    candidates: tuple[tuple[Candidate, datetime | None], ...]

    def and_more(self, candidates: Iterable[Candidate]) -> Known:
        """The same with candidates that do not come from the lake."""
        return replace(self, candidates=(*self.candidates, *((each, None) for each in candidates)))

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
    advisories = ((each, None) for part in (_warnings, _behaviours, _events) for each in part(reader, since))
    return Known(since, (*alarms, *advisories))


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


def _warnings(reader: Reader, since: datetime) -> Iterator[Candidate]:
    """Spans in which the forecast of a point warns, minute after minute; one that began before `since` is left out."""
    last = {(row["mine_code"], row["point_id"]): row["last"] for row in reader.sql(_LAST_ISSUES, since=since)}
    spans: dict[tuple[str, str], list[list[Row]]] = {}
    for row in reader.sql(_WARNINGS, since=since - WARNING_GAP):
        of_point = spans.setdefault((row["mine_code"], row["point_id"]), [])
        if of_point and row["issued_at"] - of_point[-1][-1]["issued_at"] <= WARNING_GAP:
            of_point[-1].append(row)
        else:
            of_point.append([row])
    for (mine, point), of_point in spans.items():
        for span in of_point:
            began, ended = span[0]["issued_at"], span[-1]["issued_at"]
            if began < since:
                continue
            tag = f"{FORECAST}:{mine}:{point}"
            yield Candidate(
                candidate_id=f"{tag}:{began:%Y%m%dT%H%M%S}",
                tag=tag,
                kind=FORECAST,
                mine_code=mine,
                area_id=span[0]["area_id"] or "unplaced",
                entity=point,
                point_id=point,
                level=_YELLOW,
                raised_at=began,
                cleared_at=ended + WARNING_GAP if last[mine, point] - ended > WARNING_GAP else None,
                sentence_zh=span[0]["sentence_zh"] or "",
                sentence_en=span[0]["sentence_en"] or "",
            )


def _events(reader: Reader, since: datetime) -> Iterator[Candidate]:
    """Video events that others report."""
    for row in reader.sql(_EVENTS, since=since):
        found = video_candidate(**row)
        if found is not None:
            yield found


def video_candidate(
    *,
    event_id: str,
    event_type: str,
    mine_code: str,
    camera_code: str,
    area_id: str | None,
    level: int | None,
    began_at: datetime,
    ended_at: datetime | None,
    reported_at: datetime | None,
    analysis_case: str | None,
    state: int | None,
    event_confidence: float | None,
) -> Candidate | None:
    """A reported event as a candidate; one without an end was a moment. Null where it was dealt with at its sender's.

    Args:
        level: as reported, 1 red … 4 blue.
    """
    if state in _DEALT_WITH:
        return None
    tag = f"{event_type}:{mine_code}:{camera_code}"
    case = f" {analysis_case}" if analysis_case else ""
    sure = None if event_confidence is None else f"{event_confidence:.0%}"
    return Candidate(
        candidate_id=f"{tag}:{event_id}",
        tag=tag,
        kind=event_type,
        mine_code=mine_code,
        area_id=area_id or "unplaced",
        entity=camera_code,
        point_id=None,
        level=_YELLOW if level is None else 5 - level,
        raised_at=began_at,
        cleared_at=ended_at or reported_at or began_at,
        sentence_zh=f"摄像机 {camera_code}：{event_type}{case}" + (f"，置信度 {sure}" if sure else ""),
        sentence_en=f"camera {camera_code}: {event_type}{case}" + (f", confidence {sure}" if sure else ""),
    )


def _behaviours(reader: Reader, since: datetime) -> Iterator[Candidate]:
    """What our own rules see on video. Of a clip, what has no end was seen to its last picture; a stream goes on."""
    for row in reader.sql(_BEHAVIOURS, since=since):
        tag = f"UB-{row['behaviour']}:{row['mine_code']}:{row['camera_code']}"
        seen_until = row["ended_at"] or (None if row["clip_id"] == LIVE else row["raised_at"])
        yield Candidate(
            candidate_id=f"{tag}:{row['event_id']}",
            tag=tag,
            kind=f"UB-{row['behaviour']}",
            mine_code=row["mine_code"],
            area_id=row["area_id"] or "unplaced",
            entity=row["camera_code"],
            point_id=None,
            level=row["level"],
            raised_at=row["raised_at"],
            # An event may be over before the picture that made it certain.
            cleared_at=None if seen_until is None else max(seen_until, row["raised_at"]),
            value=row["event_confidence"],
            people_in_area=row["people"],
            sentence_zh=row["sentence_zh"] or "",
            sentence_en=row["sentence_en"] or "",
        )
