"""What live cameras show, into the lake: events with their evidence as they come, camera minutes when they are over.

Boxes and tracks of live pictures are not kept; a recorder's clips, judged by the scheduled job, have them.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import cv2
import narwhals as nw
import numpy as np

from minefusion.models.unsafe_behaviour.rules import Event
from minefusion.pipelines.engines.engine import Engine, Written
from minefusion.pipelines.jobs.lock import exclusive, lock_of
from minefusion.pipelines.jobs.racing import until_unbeaten
from minefusion.pipelines.jobs.video.evidence_files import evidence_name, with_heads_as_set
from minefusion.pipelines.jobs.video.video_rows import LIVE, Looked, Row, event_id, event_row, minute_rows
from minefusion.pipelines.video.camera_health import Fault
from minefusion.pipelines.video.evidence import AFTER_S, BEFORE_S, Picture, with_boxes, write_clip, write_key_frame
from minefusion.pipelines.video.frames import Frame
from minefusion.schemas import gold, silver
from minefusion.schemas.site_cameras import View
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

logger = logging.getLogger(__name__)

# Events are written so often [s]; another writer of the table is waited for no longer than that.
KEEP_EVERY_S = 5.0
# Pictures kept for evidence are at most so wide [px].
EVIDENCE_PX = 1280


@dataclass(frozen=True)
class _Kept:
    """A recent picture, heads as the settings want them, encoded."""

    at: float
    data: bytes
    boxes: tuple[tuple[int, tuple[float, float, float, float]], ...]


@dataclass
class _Minute:
    looks: list[Looked] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    dropped: int = 0


@dataclass
class _Pending:
    """An event that is not written whole yet."""

    view: View
    event: Event
    delay_s: float
    has_clip: bool = False
    is_written: bool = False


class LiveRecord:
    """Keeps what a `Watching` sees."""

    def __init__(self, engine: Engine, version: str) -> None:
        self.engine, self.version = engine, version
        self._recent: dict[str, deque[_Kept]] = {}
        self._minutes: dict[tuple[str, int], _Minute] = {}
        self._faults: dict[str, list[Fault]] = {}
        self._views: dict[str, View] = {}
        self._pending: dict[str, _Pending] = {}
        self._evidence: dict[str, tuple[str, str]] = {}
        self._due = float("-inf")

    def looked(
        self, view: View, frame: Frame, looked: Looked, events: Iterable[Event], faults: Sequence[Fault], delay_s: float
    ) -> None:
        """One judged picture."""
        self._views[view.camera_code] = view
        self._keep_picture(view, frame, looked)
        minute = self._minutes.setdefault((view.camera_code, int(frame.at // 60)), _Minute())
        minute.looks.append(looked)
        minute.delays.append(delay_s)
        self.faults(view, faults)
        for event in events:
            if event.ended_at is not None:
                self.ended(view, [event])
            else:
                delay = frame.at + delay_s - event.began_at
                self._pending[event_id(view, event, LIVE)] = _Pending(view, event, delay)

    def dropped(self, view: View, at: float, count: int) -> None:
        if count:
            self._minutes.setdefault((view.camera_code, int(at // 60)), _Minute()).dropped += count

    def faults(self, view: View, faults: Sequence[Fault]) -> None:
        self._views[view.camera_code] = view
        self._faults.setdefault(view.camera_code, []).extend(faults)

    def ended(self, view: View, events: Iterable[Event]) -> None:
        for event in events:
            identity = event_id(view, event, LIVE)
            before = self._pending.get(identity)
            if before:
                before.event, before.is_written = event, False

    def keep(self, now: float, *, everything: bool = False) -> None:
        """Write what is due."""
        if now < self._due and not everything:
            return
        self._due = now + KEEP_EVERY_S
        for identity, pending in self._pending.items():
            if not pending.has_clip and (everything or now >= pending.event.raised_at + AFTER_S):
                self._write_evidence(identity, pending)
        self._write_events()
        self._write_minutes(now, everything)

    # ── evidence ────────────────────────────────────────────────────────────────────────────────────────────────
    def _keep_picture(self, view: View, frame: Frame, looked: Looked) -> None:
        picture = with_heads_as_set(frame.picture, looked, self.engine.settings.video)
        width = picture.shape[1]
        if width > EVIDENCE_PX:
            scale = EVIDENCE_PX / width
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
        _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
        recent = self._recent.setdefault(view.camera_code, deque())
        recent.append(_Kept(frame.at, data.tobytes(), tuple((person.track, person.box) for person in looked.people)))
        while recent[0].at < frame.at - 2 * (BEFORE_S + AFTER_S) - KEEP_EVERY_S:
            recent.popleft()

    def _write_evidence(self, identity: str, pending: _Pending) -> None:
        event, pending.has_clip, pending.is_written = pending.event, True, False
        kept = [
            each
            for each in self._recent.get(event.camera_code, ())
            if event.began_at - BEFORE_S <= each.at <= event.raised_at + AFTER_S
        ]
        if not kept:
            return
        lake, shown = self.engine.settings.lake, [(each.at, _decoded(each, event)) for each in kept]
        snapshot, clip = evidence_name(event, identity, "jpg"), evidence_name(event, identity, "mp4")
        write_key_frame(lake / snapshot, min(shown, key=lambda each: abs(each[0] - event.raised_at))[1])
        rate = pending.view.stream.pictures_per_s if pending.view.stream else 5.0
        write_clip(lake / clip, [Frame(at, picture, n) for n, (at, picture) in enumerate(shown)], rate)
        self._evidence[identity] = (snapshot, clip)

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────
    def _write_events(self) -> None:
        due = {identity: each for identity, each in self._pending.items() if not each.is_written}
        if not due:
            return
        rows = [
            event_row(each.view, each.event, LIVE, self.version, self._evidence, each.event.began_at + each.delay_s)
            for each in due.values()
        ]
        self._replace(gold.UNSAFE_BEHAVIOUR, rows, nw.col("event_id").is_in(list(due)))
        for identity, each in due.items():
            each.is_written = True
            if each.has_clip and each.event.ended_at is not None:
                del self._pending[identity]
                self._evidence.pop(identity, None)

    def _write_minutes(self, now: float, everything: bool) -> None:
        over = [key for key in self._minutes if everything or key[1] < int((now - KEEP_EVERY_S) // 60)]
        silent = {code for code, faults in self._faults.items() if faults}
        rows: list[Row] = []
        for code, minute in sorted(over):
            done = self._minutes.pop((code, minute))
            delay = round(float(np.percentile(done.delays, 95)), 3) if done.delays else None
            rows += minute_rows(
                self._views[code], LIVE, self.version, done.looks, self._faults.get(code, ()), 60.0 * minute,
                {minute: done.dropped}, {minute: delay} if delay is not None else {},
            )  # fmt: skip
        for code in silent:
            # What is over and told is not told again.
            over_by = {(fault.code, fault.began_at) for fault in self._faults[code] if fault.ended_at is not None}
            self._faults[code] = [fault for fault in self._faults[code] if (fault.code, fault.began_at) not in over_by]
        if rows:
            keys = sorted({row["minute"] for row in rows})
            codes = sorted({row["camera_code"] for row in rows})
            wanted = (nw.col("clip_id") == LIVE) & nw.col("camera_code").is_in(codes) & nw.col("minute").is_in(keys)
            self._replace(silver.CAMERA_MINUTE, rows, wanted)

    def _replace(self, table: Table, rows: Sequence[Row], wanted: nw.Expr) -> None:
        light = self.engine.in_process
        times: list[datetime] = [row[table.time or ""] for row in rows]
        days = Window(min(times), max(times) + timedelta(seconds=1)).days()
        until_unbeaten(light, partial(_written, light, table, days, wanted, rows))


def _written(light: Engine, table: Table, days: Sequence[str], wanted: nw.Expr, rows: Sequence[Row]) -> Written:
    with exclusive(light.settings.lake, lock_of(table)):
        part = light.part(table, days=days).filter(wanted)
        return light.replace(part, light.frame(rows, table.arrow_schema()))


def _decoded(kept: _Kept, event: Event) -> Picture:
    read = cv2.imdecode(np.frombuffer(kept.data, dtype=np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    picture = np.ascontiguousarray(read[..., ::-1], dtype=np.uint8)
    about = [box for track, box in kept.boxes if str(track) == event.subject]
    return with_boxes(picture, about, [box for _, box in kept.boxes if box not in about])
