"""What video comes to as rows: detections, tracks, camera minutes, and events."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from minefusion.models.unsafe_behaviour.detections import Detections
from minefusion.models.unsafe_behaviour.rules import Event
from minefusion.models.unsafe_behaviour.scene import Person
from minefusion.pipelines.video.camera_health import FAULTS, Fault
from minefusion.schemas.site_cameras import View

Row = dict[str, Any]

# `clip_id` of what a stream showed.
LIVE = "live"
# Boxes that are less sure are not kept in silver.detection.
LEAST_KEPT = 0.25


@dataclass(frozen=True)
class Looked:
    """One judged picture."""

    at: float
    found: Detections
    people: tuple[Person, ...]


def detection_rows(view: View, clip_id: str, version: str, looks: Iterable[Looked]) -> Iterator[Row]:
    """silver.detection."""
    for look in looks:
        at = instant(look.at)
        tracks = {person.box: person.track for person in look.people}
        for number in range(len(look.found)):
            sure, box = float(look.found.confidence[number]), tuple(look.found.boxes[number].tolist())
            label = look.found.name(number)
            track = tracks.get(box) if label == "person" else None
            if sure < LEAST_KEPT and track is None:
                continue
            left, top, right, bottom = (round(value, 5) for value in box)
            yield {
                **_where(view, clip_id, version), "observed_at": at, "number": number, "label": label,
                "detector_confidence": round(sure, 4), "box_left": left, "box_top": top, "box_right": right,
                "box_bottom": bottom, "track": track, "day": f"{at:%Y-%m-%d}",
            }  # fmt: skip


def track_rows(view: View, clip_id: str, version: str, looks: Iterable[Looked]) -> list[Row]:
    """silver.track."""
    seen: dict[int, list[tuple[float, Person]]] = {}
    for look in looks:
        for person in look.people:
            seen.setdefault(person.track, []).append((look.at, person))
    rows = []
    for track, steps in sorted(seen.items()):
        first, last = steps[0][0], steps[-1][0]
        labels = sorted({label for _, person in steps for label in person.wearing})
        wearing = {
            label: round(sum(label in person.wearing for _, person in steps) / len(steps), 3) for label in labels
        }
        path, due = [], first
        for at, person in steps:
            if at >= due:
                path.append([round(at - first, 1), *(round(value, 4) for value in person.feet)])
                due = at + 1.0
        rows.append(
            {
                **_where(view, clip_id, version),
                "track": track,
                "began_at": instant(first),
                "ended_at": instant(last),
                "pictures": len(steps),
                "detector_confidence": round(sum(person.confidence for _, person in steps) / len(steps), 4),
                "wearing": json.dumps(wearing),
                "path": json.dumps(path),
                "day": f"{instant(first):%Y-%m-%d}",
            }
        )
    return rows


def minute_rows(
    view: View, clip_id: str, version: str, looks: Sequence[Looked], faults: Sequence[Fault], at: float,
    dropped: Mapping[int, int] | None = None, delay_s: Mapping[int, float] | None = None,
) -> list[Row]:  # fmt: skip
    """silver.camera_minute; one row at least, so that a clip without a picture is known to have been tried."""
    of_minute: dict[int, list[Looked]] = {int(at // 60): []}
    ends = {(fault.code, fault.began_at): fault.ended_at for fault in faults}  # its end comes after its beginning
    spans = [(code, began, ended) for (code, began), ended in ends.items()]
    for look in looks:
        of_minute.setdefault(int(look.at // 60), []).append(look)
    rows = []
    for minute, mine in sorted(of_minute.items()):
        start = instant(60.0 * minute)
        wrong = {
            code
            for code, began, ended in spans
            if began < 60 * (minute + 1) and (ended is None or ended >= 60 * minute)
        }
        told = [{"code": code, "zh": FAULTS[code][2], "en": FAULTS[code][3]} for code in FAULTS if code in wrong]
        rows.append(
            {
                **_where(view, clip_id, version),
                "minute": start,
                "pictures": len(mine),
                "dropped": (dropped or {}).get(minute, 0),
                "people_max": max((len(look.people) for look in mine), default=None),
                "delay_s": (delay_s or {}).get(minute),
                "faults": json.dumps(told, ensure_ascii=False),
                "day": f"{start:%Y-%m-%d}",
            }
        )
    return rows


def event_row(
    view: View, event: Event, clip_id: str, version: str, evidence: Mapping[str, tuple[str, str]],
    reported_at: float | None = None,
) -> Row:  # fmt: skip
    """gold.unsafe_behaviour."""
    identity = event_id(view, event, clip_id)
    snapshot, video = evidence.get(identity, (None, None))
    boxes = [
        {"class": "person"}
        | {key: round(value, 5) for key, value in zip("xywh", (x1, y1, x2 - x1, y2 - y1), strict=True)}
        for x1, y1, x2, y2 in event.boxes
    ]
    began = instant(event.began_at)
    return {
        **_where(view, clip_id, version),
        "event_id": identity,
        "edge_id": view.edge_id,
        "behaviour": event.behaviour.code,
        "event_type": event.behaviour.event_type,
        "level": event.behaviour.level,
        "began_at": began,
        "raised_at": instant(event.raised_at),
        "ended_at": None if event.ended_at is None else instant(event.ended_at),
        "delay_s": round((reported_at or event.raised_at) - event.began_at, 3),
        "subject": event.subject,
        "zone_id": event.zone_id,
        "event_confidence": event.confidence,
        "people": event.people,
        "boxes": json.dumps(boxes),
        "assumed_running": ",".join(event.assumed_running),
        "snapshot_uri": snapshot,
        "clip_uri": video,
        "sentence_zh": event.sentence_zh,
        "sentence_en": event.sentence_en,
        "revision": 0,
        "computed_at": datetime.now(UTC),
        "day": f"{began:%Y-%m-%d}",
    }


def event_id(view: View, event: Event, clip_id: str) -> str:
    """The same event of the same clip has the same identity, whichever run saw it."""
    told = f"{view.mine_code}/{view.camera_code}/{event.behaviour.code}/{event.subject}/{event.began_at:.3f}/{clip_id}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _where(view: View, clip_id: str, version: str) -> Row:
    return {
        "mine_code": view.mine_code,
        "camera_code": view.camera_code,
        "clip_id": clip_id,
        "area_id": view.area_id or "unplaced",
        "model_version": version,
    }


def instant(at: float) -> datetime:
    return datetime.fromtimestamp(round(at, 6), UTC)
