"""bronze.video_clip → silver.detection, silver.track, silver.camera_minute, gold.unsafe_behaviour, each clip once.

A clip is due while silver.camera_minute has no row of it; those rows come last, so a run that is killed anywhere does
the clip again and finds the same rows there already. What a clip comes to depends on the clip, the model, the rules and
what silver knows of machines and people at that time; `--from --to` looks at the clips of a span anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path

import narwhals as nw

from minefusion.models.unsafe_behaviour.camera_watch import CameraWatch
from minefusion.models.unsafe_behaviour.detections import Detections, Detector
from minefusion.models.unsafe_behaviour.rules import Event
from minefusion.pipelines.engines.engine import Engine, Written
from minefusion.pipelines.jobs.due import MINUTE
from minefusion.pipelines.jobs.hazard import run_gold
from minefusion.pipelines.jobs.keeping import kept_from
from minefusion.pipelines.jobs.lock import exclusive, lock_of
from minefusion.pipelines.jobs.master_data import sites_of
from minefusion.pipelines.jobs.new_files import collected
from minefusion.pipelines.jobs.racing import until_unbeaten
from minefusion.pipelines.jobs.spans import joined
from minefusion.pipelines.jobs.tally import Built, Progress, Tally
from minefusion.pipelines.jobs.video.detectors import detector_of
from minefusion.pipelines.jobs.video.evidence_files import annotated, evidence_name
from minefusion.pipelines.jobs.video.plant_state import PlantState, plant_state
from minefusion.pipelines.jobs.video.video_rows import (
    Looked,
    Row,
    detection_rows,
    event_id,
    event_row,
    instant,
    minute_rows,
    track_rows,
)
from minefusion.pipelines.video.camera_health import CameraHealth, Fault
from minefusion.pipelines.video.evidence import (
    AFTER_S,
    BEFORE_S,
    write_clip,
    write_key_frame,
)
from minefusion.pipelines.video.frames import Frame, clip_frames
from minefusion.schemas import gold, silver
from minefusion.schemas.bronze import VIDEO_CLIP
from minefusion.schemas.settings import Settings
from minefusion.schemas.site_cameras import View, views_of_site
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

logger = logging.getLogger(__name__)

# Pictures of a clip that go through the detector together.
_AT_ONCE = 8
# A picture's health is judged so often [s].
_HEALTH_EVERY_S = 1.0


@dataclass
class Judged:
    """What one clip came to."""

    looks: list[Looked] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def run_unsafe_behaviour(
    engine: Engine,
    *,
    window: Window | None = None,
    mines: Sequence[str] | None = None,
    cameras: Sequence[str] | None = None,
    detector: Detector | None = None,
    progress: Progress | None = None,
) -> list[Built]:
    """Judge the clips that are due, or those that begin in the window.

    A clip whose camera or time is not known, or that is gone from its folder, is left and told in the log.

    Args:
        cameras: these alone, so that several runs may share the cameras of a mine.
        detector: in place of the one that the settings name.
    """
    settings, tally = engine.settings, Tally()
    for table in (silver.DETECTION, silver.TRACK, silver.CAMERA_MINUTE, gold.UNSAFE_BEHAVIOUR):
        tally.tables[table.name] = Built(table.name)
    due = due_clips(engine, window, mines, cameras)
    views = views_of(engine, sorted({clip["mine_code"] for clip in due}))
    moved: dict[str, list[Window]] = {}
    for number, clip in enumerate(due):
        if progress:
            progress(number / len(due), clip["name"])
        detector = detector or detector_of(settings)
        with exclusive(settings.lake, f"video-{clip['camera_code']}"):
            # Another run may have done it while this one waited.
            if window is None and not due_clips(
                engine, None, [clip["mine_code"]], [clip["camera_code"]], clip["clip_id"]
            ):
                continue
            before = sum(built.changed for built in tally.tables.values())
            _take(engine, clip, views.get((clip["mine_code"], clip["camera_code"])), detector, tally)
            if sum(built.changed for built in tally.tables.values()) > before:
                moved.setdefault(clip["mine_code"], []).append(_span(clip).aligned(MINUTE))
    return [*tally.tables.values(), *_fused_anew(engine, moved)]


def _fused_anew(engine: Engine, moved: Mapping[str, Sequence[Window]]) -> list[Built]:
    """Bring gold.area_minute of the minutes that clips tell of up to date, where the mine has other data there."""
    total = Built(gold.AREA_MINUTE.name)
    for mine, windows in sorted(moved.items()):
        for span in joined(windows):
            for built in run_gold(engine, "area_minute", window=span, mines=[mine]):
                total.changed += built.changed
                total.rows += built.rows
                total.seconds += built.seconds
    return [total] if moved else []


def due_clips(
    engine: Engine,
    window: Window | None,
    mines: Sequence[str] | None,
    cameras: Sequence[str] | None,
    clip_id: str | None = None,
) -> list[Row]:
    """Accepted clips that are not judged yet, or all that begin in the window, in order of camera and time."""
    light = engine.in_process
    clips = light.read(VIDEO_CLIP, mines=mines).filter(
        nw.col("verdict") == "accepted",
        ~nw.col("mine_code").is_null(),
        ~nw.col("camera_code").is_null(),
        ~nw.col("began_at").is_null(),
    )
    if cameras is not None:
        clips = clips.filter(nw.col("camera_code").is_in(list(cameras)))
    if clip_id is not None:
        clips = clips.filter(nw.col("clip_id") == clip_id)
    rows = collected(light, clips).sort("camera_code", "began_at", "clip_id").to_dicts()
    since = kept_from(engine, [silver.CAMERA_MINUTE], {row["mine_code"] for row in rows})
    rows = [row for row in rows if row["mine_code"] not in since or row["began_at"] >= since[row["mine_code"]]]
    if window is not None:
        rows = [row for row in rows if window.start <= row["began_at"] < window.end]
    elif rows:
        days = Window(min(row["began_at"] for row in rows), max(row["began_at"] for row in rows) + timedelta(days=1))
        done = light.read(silver.CAMERA_MINUTE, days=days.days(), mines=mines).select("clip_id").unique()
        known = set(collected(light, done)["clip_id"])
        rows = [row for row in rows if row["clip_id"] not in known]
    there = []
    for row in rows:
        if clip_path(row).is_file():
            there.append(row)
        else:
            logger.warning("%s is due, but is not at %s any more; put it back", row["name"], clip_path(row).parent)
    return there


def clip_path(clip: Row) -> Path:
    """Where a registered clip lies."""
    return Path(clip["landing"]) / clip["folder"] / clip["name"]


def views_of(engine: Engine, mines: Sequence[str]) -> dict[tuple[str, str], View]:
    """What site files say of cameras; where they lie also by what a registry sent."""
    found: dict[tuple[str, str], View] = {}
    for row in collected(engine.in_process, engine.in_process.read(silver.CAMERA, mines=mines)).iter_rows(named=True):
        code = row["camera_code"]
        found[row["mine_code"], code] = View(
            code, row["mine_code"], row["name"] or "", row["name"] or "", row["area_id"], row["edge_id"]
        )
    for mine, site in sites_of(engine.settings, list(mines)).items():
        found |= {(mine, code): view for code, view in (views_of_site(site) if site else {}).items()}
    return found


def detected(frames: Iterable[Frame], detector: Detector) -> Iterator[tuple[Frame, Detections]]:
    """Pictures with what is in them, some at a time through the detector."""
    pictures = iter(frames)
    while batch := list(islice(pictures, _AT_ONCE)):
        yield from zip(batch, detector.detect([frame.picture for frame in batch]), strict=True)


def judged_clip(
    frames: Iterable[Frame], view: View, detector: Detector, pictures_per_s: float, plant: PlantState
) -> Judged:
    """The pictures of one clip through detector, tracker and rules, in order; events are as they were in the end."""
    watch = CameraWatch(view, pictures_per_s)
    health, next_health = CameraHealth(view.camera_code, (view.name_zh, view.name_en)), float("-inf")
    judged = Judged()
    events: dict[tuple[str, str, float], Event] = {}
    for frame, found in detected(frames, detector):
        machines = plant.running(view.machines, frame.at)
        look = watch.look(found, frame.at, frame.aspect, machines, plant.carried(view.area_id, frame.at))
        judged.looks.append(Looked(frame.at, found, look.people))
        events |= {(event.behaviour.code, event.subject, event.raised_at): event for event in look.events}
        if frame.at >= next_health:
            judged.faults += health.look(frame.picture, frame.at)
            next_health = frame.at + _HEALTH_EVERY_S - 0.01
    events |= {(event.behaviour.code, event.subject, event.raised_at): event for event in watch.close()}
    judged.events = list(events.values())
    return judged


def _take(engine: Engine, clip: Row, view: View | None, detector: Detector, tally: Tally) -> None:
    settings = engine.settings
    view = view or View(clip["camera_code"], clip["mine_code"], area_id=clip["area_id"])
    areas = [view.area_id] if view.area_id else []
    plant = plant_state(engine, view.mine_code, _span(clip), view.machines, areas)
    judged = judged_clip(_frames(clip, view, settings), view, detector, settings.video.pictures_per_s, plant)
    events = {event_id(view, event, clip["clip_id"]): event for event in judged.events}
    evidence = _evidence(settings, clip, view, events, judged.looks) if events else {}
    _write(engine, clip, view, detector, judged, evidence, tally)


def _span(clip: Row) -> Window:
    return Window(clip["began_at"], clip["began_at"] + timedelta(seconds=(clip["duration_s"] or 0.0) + 1.0))


def _frames(clip: Row, view: View, settings: Settings) -> Iterator[Frame]:
    ahead_s = view.stream.clock_ahead_s if view.stream else 0.0
    return clip_frames(clip_path(clip), clip["began_at"].timestamp(), settings.video.pictures_per_s, ahead_s)


# ── evidence ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _evidence(
    settings: Settings, clip: Row, view: View, events: Mapping[str, Event], looks: Sequence[Looked]
) -> dict[str, tuple[str, str]]:
    """Key frame and short clip of each event, from a second pass over the clip; returns where they lie in the lake."""
    by_time = {look.at: look for look in looks}
    wanted: dict[str, list[Frame]] = {identity: [] for identity in events}
    places: dict[str, tuple[str, str]] = {}
    for frame in _frames(clip, view, settings):
        look = by_time.get(frame.at)
        if look is None:
            continue
        for identity, event in events.items():
            if not event.began_at - BEFORE_S <= frame.at <= event.raised_at + AFTER_S:
                continue
            shown = annotated(frame.picture, look, event, settings)
            if frame.at == event.raised_at:
                write_key_frame(settings.lake / evidence_name(event, identity, "jpg"), shown)
            wanted[identity].append(replace(frame, picture=shown))
    for identity, event in events.items():
        snapshot, video = (evidence_name(event, identity, kind) for kind in ("jpg", "mp4"))
        write_clip(settings.lake / video, wanted[identity], settings.video.pictures_per_s)
        places[identity] = (snapshot, video)
    return places


def _write(
    engine: Engine, clip: Row, view: View, detector: Detector, judged: Judged,
    evidence: Mapping[str, tuple[str, str]], tally: Tally,
) -> None:  # fmt: skip
    clip_id, version = clip["clip_id"], detector.version
    looks = judged.looks
    at = looks[0].at if looks else clip["began_at"].timestamp()
    days = Window(instant(at), instant(looks[-1].at if looks else at) + timedelta(seconds=1)).days()
    rows_of: list[tuple[Table, list[Row]]] = [
        (silver.DETECTION, list(detection_rows(view, clip_id, version, looks))),
        (silver.TRACK, track_rows(view, clip_id, version, looks)),
        (gold.UNSAFE_BEHAVIOUR, [event_row(view, event, clip_id, version, evidence) for event in judged.events]),
        (silver.CAMERA_MINUTE, minute_rows(view, clip_id, version, looks, judged.faults, at)),
    ]
    for table, rows in rows_of:
        began = time.perf_counter()
        written = until_unbeaten(engine.in_process, partial(_replace, engine, table, days, view, clip_id, rows))
        tally.add(table, written, time.perf_counter() - began)


def _replace(
    engine: Engine, table: Table, days: Sequence[str], view: View, clip_id: str, rows: Sequence[Row]
) -> Written:
    """Make the table's rows of this clip equal to these."""
    light = engine.in_process
    with exclusive(engine.settings.lake, lock_of(table)):
        part = light.part(table, days=days, mines=[view.mine_code]).filter(nw.col("clip_id") == clip_id)
        return light.replace(part, light.frame(rows, table.arrow_schema()))
