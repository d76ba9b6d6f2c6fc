"""One clip through detector, tracker and rules, to rows and evidence: the same here and in a worker of Spark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path

import pyarrow as pa

from minefusion.models.unsafe_behaviour.camera_watch import CameraWatch
from minefusion.models.unsafe_behaviour.detections import Detections, Detector
from minefusion.models.unsafe_behaviour.detector import DetectorConfig, open_detector
from minefusion.models.unsafe_behaviour.pose import LiesByPose, open_pose
from minefusion.models.unsafe_behaviour.rules import Event
from minefusion.pipelines.jobs.video.evidence_files import annotated, evidence_name
from minefusion.pipelines.jobs.video.plant_state import PlantState
from minefusion.pipelines.jobs.video.video_rows import (
    Looked,
    Row,
    detection_rows,
    event_id,
    event_row,
    minute_rows,
    track_rows,
)
from minefusion.pipelines.video.camera_health import CameraHealth, Fault
from minefusion.pipelines.video.evidence import AFTER_S, BEFORE_S, write_clip, write_key_frame
from minefusion.pipelines.video.frames import Frame, clip_frames
from minefusion.schemas import gold, silver
from minefusion.schemas.settings import VideoSettings
from minefusion.schemas.site_cameras import View
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

# What a clip comes to, in the order of writing: the last table says that it was judged.
TABLES: tuple[Table, ...] = (silver.DETECTION, silver.TRACK, gold.UNSAFE_BEHAVIOUR, silver.CAMERA_MINUTE)
# What a worker sends back of a clip: the rows of each table as Arrow's own stream.
FAR_SCHEMA = pa.schema([("clip_id", pa.string()), *((table.name, pa.binary()) for table in TABLES)])
# Pictures of a clip that go through the detector together.
_AT_ONCE = 8
# A picture's health is judged so often [s].
_HEALTH_EVERY_S = 1.0


@dataclass(frozen=True)
class Request:
    """A clip to judge.

    Attributes:
        clip: its row of bronze.video_clip.
        plant: machines and people at that time.
        lake: folder in which evidence is kept.
    """

    clip: Row
    view: View
    plant: PlantState
    lake: Path
    video: VideoSettings

    @property
    def path(self) -> Path:
        return clip_path(self.clip)

    def frames(self) -> Iterator[Frame]:
        ahead_s = self.view.stream.clock_ahead_s if self.view.stream else 0.0
        return clip_frames(self.path, self.clip["began_at"].timestamp(), self.video.pictures_per_s, ahead_s)


@dataclass
class Judged:
    """What one clip came to."""

    looks: list[Looked] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def clip_path(clip: Row) -> Path:
    """Where a registered clip lies."""
    return Path(clip["landing"]) / clip["folder"] / clip["name"]


def clip_span(clip: Row) -> Window:
    """The time that a clip tells of."""
    return Window(clip["began_at"], clip["began_at"] + timedelta(seconds=(clip["duration_s"] or 0.0) + 1.0))


def detected(frames: Iterable[Frame], detector: Detector) -> Iterator[tuple[Frame, Detections]]:
    """Pictures with what is in them, some at a time through the detector."""
    pictures = iter(frames)
    while batch := list(islice(pictures, _AT_ONCE)):
        yield from zip(batch, detector.detect([frame.picture for frame in batch]), strict=True)


def judged_clip(
    frames: Iterable[Frame],
    view: View,
    detector: Detector,
    pictures_per_s: float,
    plant: PlantState,
    pose: LiesByPose | None = None,
) -> Judged:
    """The pictures of one clip through detector, tracker and rules, in order; events are as they were in the end."""
    watch = CameraWatch(view, pictures_per_s, pose=pose)
    health, next_health = CameraHealth(view.camera_code, (view.name_zh, view.name_en)), float("-inf")
    judged = Judged()
    events: dict[tuple[str, str, float], Event] = {}
    for frame, found in detected(frames, detector):
        machines = plant.running(view.machines, frame.at)
        carried = plant.carried(view.area_id, frame.at)
        look = watch.look(found, frame.at, frame.aspect, machines, carried, frame.picture)
        judged.looks.append(Looked(frame.at, found, look.people))
        events |= {(event.behaviour.code, event.subject, event.raised_at): event for event in look.events}
        if frame.at >= next_health:
            judged.faults += health.look(frame.picture, frame.at)
            next_health = frame.at + _HEALTH_EVERY_S - 0.01
    events |= {(event.behaviour.code, event.subject, event.raised_at): event for event in watch.close()}
    judged.events = list(events.values())
    return judged


def clip_rows(request: Request, detector: Detector) -> dict[str, list[Row]]:
    """The rows of each of TABLES by its name, with the evidence of its events written."""
    view, clip_id, version = request.view, request.clip["clip_id"], detector.version
    pose = pose_of(request.video)
    judged = judged_clip(request.frames(), view, detector, request.video.pictures_per_s, request.plant, pose)
    events = {event_id(view, event, clip_id): event for event in judged.events}
    evidence = _evidence(request, events, judged.looks) if events else {}
    looks = judged.looks
    at = looks[0].at if looks else request.clip["began_at"].timestamp()
    return {
        silver.DETECTION.name: list(detection_rows(view, clip_id, version, looks)),
        silver.TRACK.name: track_rows(view, clip_id, version, looks),
        gold.UNSAFE_BEHAVIOUR.name: [event_row(view, event, clip_id, version, evidence) for event in judged.events],
        silver.CAMERA_MINUTE.name: minute_rows(view, clip_id, version, looks, judged.faults, at),
    }


def _evidence(request: Request, events: Mapping[str, Event], looks: Sequence[Looked]) -> dict[str, tuple[str, str]]:
    """Key frame and short clip of each event, from a second pass over the clip; returns where they lie in the lake."""
    by_time = {look.at: look for look in looks}
    wanted: dict[str, list[Frame]] = {identity: [] for identity in events}
    places: dict[str, tuple[str, str]] = {}
    for frame in request.frames():
        look = by_time.get(frame.at)
        if look is None:
            continue
        for identity, event in events.items():
            if not event.began_at - BEFORE_S <= frame.at <= event.raised_at + AFTER_S:
                continue
            shown = annotated(frame.picture, look, event, request.video)
            if frame.at == event.raised_at:
                write_key_frame(request.lake / evidence_name(event, identity, "jpg"), shown)
            wanted[identity].append(replace(frame, picture=shown))
    for identity, event in events.items():
        snapshot, video = (evidence_name(event, identity, kind) for kind in ("jpg", "mp4"))
        write_clip(request.lake / video, wanted[identity], request.video.pictures_per_s)
        places[identity] = (snapshot, video)
    return places


# ── in a worker ─────────────────────────────────────────────────────────────────────────────────────────────────────


def judged_far(requests: Mapping[str, Request], model: Path, config: DetectorConfig, group: pa.Table) -> pa.Table:
    """Judge the clips that the group names, to FAR_SCHEMA. The worker must see the clips, the model and the lake."""
    detector = _opened(model, config)
    found = []
    for clip_id in group["clip_id"].to_pylist():
        rows = clip_rows(requests[clip_id], detector)
        found.append({"clip_id": clip_id} | {table.name: _packed(table, rows[table.name]) for table in TABLES})
    return pa.Table.from_pylist(found, schema=FAR_SCHEMA)


def unpacked(row: Row) -> dict[str, list[Row]]:
    """What a worker sent back of a clip."""
    return {table.name: pa.ipc.open_stream(row[table.name]).read_all().to_pylist() for table in TABLES}


def _packed(table: Table, rows: Sequence[Row]) -> bytes:
    made = pa.Table.from_pylist(list(rows), schema=table.arrow_schema())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, made.schema) as stream:
        stream.write_table(made)
    return sink.getvalue().to_pybytes()


@lru_cache(maxsize=1)
def pose_of(video: VideoSettings) -> LiesByPose | None:
    """The pose network of the settings, opened once; None where they name none."""
    return open_pose(video.pose, DetectorConfig(device=video.device)) if video.pose else None


@lru_cache(maxsize=1)
def _opened(model: Path, config: DetectorConfig) -> Detector:
    return open_detector(model, config)
