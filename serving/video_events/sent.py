"""An event of video analysis as it was sent (PC-42): kept once by its number, changed where it is told anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select, update

from minefusion.serving.alarms.candidates import video_candidate
from minefusion.serving.alarms.changes import plain
from minefusion.serving.alarms.records import Candidate
from minefusion.serving.journal.tables import AI_EVENT
from minefusion.serving.reader import Reader

Kept = Literal["new", "changed", "known"]
# By this the lake knows an event already, whatever became of it there: the lake has the last word.
_IN_LAKE = "SELECT event_id FROM silver.video_event WHERE began_at >= $since"
_CAMERAS = "SELECT camera_code, area_id FROM silver.camera WHERE mine_code = $mine"


@dataclass(frozen=True)
class SentEvent:
    """One event. `level` as sent: 1 red … 4 blue; `state`: 0 new, 1 confirmed, 2 false alarm, 3 closed."""

    mine_code: str
    event_id: str
    camera_code: str
    event_type: str
    begin_time: datetime
    end_time: datetime | None = None
    report_time: datetime | None = None
    confidence: float | None = None
    object_count: int | None = None
    boxes: tuple[dict[str, Any], ...] = ()
    level: int | None = None
    area_code: str | None = None
    snapshot_uri: str | None = None
    clip_uri: str | None = None
    model_version: str | None = None
    state: int = 0
    remark: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The event as JSON holds it, without what was not sent."""
        return {name: value for name, value in plain(vars(self)).items() if value not in (None, [])}


def keep(connection: Connection, event: SentEvent, by: str, at: datetime) -> tuple[Kept, int]:
    """Keep the event; whether it was new, told something new or was known, and its number among those of the mine."""
    body = json.dumps(event.body, ensure_ascii=False, sort_keys=True)
    of_event = (AI_EVENT.c.mine_code == event.mine_code) & (AI_EVENT.c.event_id == event.event_id)
    before = connection.execute(select(AI_EVENT.c.body, AI_EVENT.c.seq).where(of_event)).first()
    if before is not None and before.body == body:
        return "known", before.seq
    newest = select(func.max(AI_EVENT.c.seq)).where(AI_EVENT.c.mine_code == event.mine_code)
    seq = (connection.execute(newest).scalar() or 0) + 1
    row = {"seq": seq, "began_at": event.begin_time, "received_at": at, "by": by, "body": body}
    if before is None:
        connection.execute(insert(AI_EVENT), row | {"mine_code": event.mine_code, "event_id": event.event_id})
        return "new", seq
    connection.execute(update(AI_EVENT).where(of_event).values(row))
    return "changed", seq


def version_of(connection: Connection) -> tuple[int, int]:
    """Another one whenever an event was kept or changed."""
    row = connection.execute(select(func.count(), func.sum(AI_EVENT.c.seq))).one()
    return int(row[0]), int(row[1] or 0)


def candidates(connection: Connection, reader: Reader, since: datetime) -> Iterator[Candidate]:
    """Candidates of the events that began since then and that the lake does not know yet."""
    rows = connection.execute(select(AI_EVENT.c.body).where(AI_EVENT.c.began_at >= since)).scalars().all()
    if not rows:
        return
    in_lake = {row["event_id"] for row in reader.sql(_IN_LAKE, since=since)}
    areas: dict[str, dict[str, str]] = {}
    for body in map(json.loads, rows):
        if body["event_id"] in in_lake:
            continue
        mine = body["mine_code"]
        if mine not in areas:
            areas[mine] = {row["camera_code"]: row["area_id"] for row in reader.sql(_CAMERAS, mine=mine)}
        found = video_candidate(
            event_id=body["event_id"],
            event_type=body["event_type"],
            mine_code=mine,
            camera_code=body["camera_code"],
            area_id=body.get("area_code") or areas[mine].get(body["camera_code"]),
            level=body.get("level"),
            began_at=_instant(body, "begin_time"),
            ended_at=_instant(body, "end_time"),
            reported_at=_instant(body, "report_time"),
            analysis_case=None,
            state=body.get("state"),
            event_confidence=body.get("confidence"),
        )
        if found is not None:
            yield found


def _instant(body: dict[str, Any], name: str) -> Any:
    return datetime.fromisoformat(body[name]) if name in body else None
