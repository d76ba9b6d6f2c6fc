"""Live streams watched in one process: newest pictures of all cameras through one detector, each camera by its rules.

No camera waits for another: a picture that is not taken in time is replaced by a newer one and counted. A camera that
is silent is told within half a minute, and comes back by itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minefusion.models.unsafe_behaviour.camera_watch import CameraWatch
from minefusion.models.unsafe_behaviour.detections import Detector
from minefusion.models.unsafe_behaviour.pose import LiesByPose
from minefusion.models.unsafe_behaviour.rules import Event
from minefusion.pipelines.jobs.video.live_record import LiveRecord
from minefusion.pipelines.jobs.video.plant_state import NOTHING_KNOWN, PlantState
from minefusion.pipelines.jobs.video.video_rows import Looked
from minefusion.pipelines.video.camera_health import CameraHealth, Fault
from minefusion.pipelines.video.frames import Frame
from minefusion.pipelines.video.stream import LiveStream
from minefusion.schemas.site_cameras import View

logger = logging.getLogger(__name__)

# A look at all cameras that finds no new picture is made again after so long [s].
_PAUSE_S = 0.004
_HEALTH_EVERY_S = 1.0
# What the rest of the mine knows is asked for again after so long [s].
PLANT_EVERY_S = 10.0
# A stream that gave a picture so lately counts as running [s].
_RUNNING_S = 2.0
# The last wait for the threads of the streams [s].
_JOIN_S = 1.0


@dataclass(frozen=True)
class Second:
    """What happened in one second.

    Attributes:
        streams: how many gave pictures.
        pictures: judged in it; dropped: replaced by newer ones before they could be.
        delay_s_p95: 95th percentile from capture to judgement; None without pictures.
        raised, ended: events; faults: pictures that cannot be used, told or over.
    """

    streams: int
    pictures: int
    dropped: int
    delay_s_p95: float | None
    raised: tuple[Event, ...]
    ended: tuple[Event, ...]
    faults: tuple[Fault, ...]


@dataclass
class _Camera:
    view: View
    stream: LiveStream
    watch: CameraWatch
    health: CameraHealth
    health_due: float = float("-inf")
    dropped: int = 0


@dataclass
class _Tally:
    pictures: int = 0
    delays: list[float] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class Watching:
    """Watches cameras until told to stop.

    Args:
        views: cameras with their streams.
        plant: asked now and then for what is known of machines and people.
        record: takes what is seen into the lake; None: nothing is kept.
        pose: says whether a body lies, by its joints; None: by its outline alone.
        streams: made of each camera's stream; for tests.
    """

    def __init__(
        self,
        views: Mapping[str, View],
        detector: Detector,
        *,
        plant: Callable[[], PlantState] | None = None,
        record: LiveRecord | None = None,
        pose: LiesByPose | None = None,
        streams: Callable[[View], LiveStream] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        make = streams or _stream
        self.detector = detector
        self._cameras = [
            _Camera(
                view,
                make(view),
                CameraWatch(view, view.stream.pictures_per_s if view.stream else 5.0, pose=pose),
                CameraHealth(code, (view.name_zh, view.name_en)),
            )
            for code, view in views.items()
        ]
        self._ask, self._record, self._clock = plant, record, clock
        self._plant, self._plant_due = NOTHING_KNOWN, float("-inf")

    def seconds(self, is_stopped: Callable[[], bool]) -> Iterator[Second]:
        """One report a second, until stopped."""
        for camera in self._cameras:
            camera.stream.start()
        try:
            due, tally = self._clock() + 1.0, _Tally()
            while not is_stopped():
                if not self._look(tally):
                    time.sleep(_PAUSE_S)
                if self._clock() >= due:
                    yield self._second(tally)
                    due, tally = max(due + 1.0, self._clock()), _Tally()
            self._close(tally)
            yield self._second(tally)
        finally:
            for camera in self._cameras:
                camera.stream.stop()
            for camera in self._cameras:
                camera.stream.join(_JOIN_S)

    def _look(self, tally: _Tally) -> bool:
        """Judge what is new; whether there was anything."""
        new = [(camera, frame) for camera in self._cameras if (frame := camera.stream.take()) is not None]
        if not new:
            return False
        self._ask_plant()
        found = self.detector.detect([frame.picture for _, frame in new])
        for (camera, frame), seen in zip(new, found, strict=True):
            machines = self._plant.running(camera.view.machines, frame.at)
            carried = self._plant.carried(camera.view.area_id, frame.at)
            look = camera.watch.look(seen, frame.at, frame.aspect, machines, carried, frame.picture)
            faults = self._health(camera, frame)
            delay_s = self._clock() - frame.at
            tally.pictures += 1
            tally.delays.append(delay_s)
            tally.events += look.events
            tally.faults += faults
            if self._record:
                looked = Looked(frame.at, seen, look.people)
                self._record.looked(camera.view, frame, looked, look.events, faults, delay_s)
        return True

    def _health(self, camera: _Camera, frame: Frame) -> list[Fault]:
        if frame.at < camera.health_due:
            return []
        camera.health_due = frame.at + _HEALTH_EVERY_S
        return camera.health.look(frame.picture, frame.at)

    def _ask_plant(self) -> None:
        now = self._clock()
        if self._ask and now >= self._plant_due:
            self._plant, self._plant_due = self._ask(), now + PLANT_EVERY_S

    def _second(self, tally: _Tally) -> Second:
        now, dropped, running = self._clock(), 0, 0
        for camera in self._cameras:
            dropped += camera.stream.dropped - camera.dropped
            if self._record:
                self._record.dropped(camera.view, now, camera.stream.dropped - camera.dropped)
            camera.dropped = camera.stream.dropped
            silent_s = camera.stream.silent_s()
            running += silent_s <= _RUNNING_S
            faults = camera.health.silent(silent_s, now)
            tally.faults += faults
            if self._record and faults:
                self._record.faults(camera.view, faults)
        if self._record:
            self._record.keep(now)
        for fault in tally.faults:
            logger.warning("%s", fault.sentence_en if fault.ended_at is None else f"over: {fault.sentence_en}")
        delay = round(float(np.percentile(tally.delays, 95)), 3) if tally.delays else None
        return Second(
            running, tally.pictures, dropped, delay,
            tuple(event for event in tally.events if event.ended_at is None),
            tuple(event for event in tally.events if event.ended_at is not None),
            tuple(tally.faults),
        )  # fmt: skip

    def _close(self, tally: _Tally) -> None:
        for camera in self._cameras:
            ended = camera.watch.close()
            tally.events += ended
            if self._record:
                self._record.ended(camera.view, ended)
        if self._record:
            self._record.keep(self._clock(), everything=True)


def _stream(view: View) -> LiveStream:
    assert view.stream is not None
    return LiveStream(view.stream)


def event_told(event: Event) -> dict[str, Any]:
    """An event as JSON tells it."""
    return {
        "camera_code": event.camera_code,
        "behaviour": event.behaviour.code,
        "level": event.behaviour.level,
        "subject": event.subject,
        "began_at": event.began_at,
        "delay_s": round(event.delay_s, 3),
        "confidence": event.confidence,
        "sentence_zh": event.sentence_zh,
        "sentence_en": event.sentence_en,
    }


def fault_told(fault: Fault) -> dict[str, Any]:
    """A fault of a picture as JSON tells it."""
    return {
        "camera_code": fault.camera_code,
        "code": fault.code,
        "is_over": fault.ended_at is not None,
        "sentence_zh": fault.sentence_zh,
        "sentence_en": fault.sentence_en,
    }


def machines_and_areas(views: Sequence[View]) -> tuple[set[str], set[str]]:
    """What the rest of the mine is asked about."""
    return {machine for view in views for machine in view.machines}, {view.area_id for view in views if view.area_id}
