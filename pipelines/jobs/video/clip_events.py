"""bronze.video_clip → silver.detection, silver.track, silver.camera_minute, gold.unsafe_behaviour, each clip once.

A clip is due while silver.camera_minute has no row of it; those rows come last, so a run that is killed anywhere does
the clip again and finds the same rows there already. What a clip comes to depends on the clip, the model, the rules and
what silver knows of machines and people at that time; `--from --to` looks at the clips of a span anew. On Spark the
clips are judged by its workers, many at a time, and written here one after the other.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from itertools import islice

import narwhals as nw
import pyarrow as pa

from minefusion.models.unsafe_behaviour.detections import Detector
from minefusion.models.unsafe_behaviour.detector import weights_of
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
from minefusion.pipelines.jobs.video.detectors import detector_config, detector_of, model_file
from minefusion.pipelines.jobs.video.judging import (
    FAR_SCHEMA,
    TABLES,
    Request,
    clip_path,
    clip_rows,
    clip_span,
    judged_far,
    unpacked,
)
from minefusion.pipelines.jobs.video.plant_state import plant_state
from minefusion.pipelines.jobs.video.video_rows import Row
from minefusion.schemas import gold, silver
from minefusion.schemas.bronze import VIDEO_CLIP
from minefusion.schemas.site_cameras import View, views_of_site
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

logger = logging.getLogger(__name__)

# Clips that Spark's workers have at a time; a run that is cut off does at most so many again.
FAR_AT_ONCE = 64


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
        detector: in place of the one that the settings name; on the light engine.
    """
    tally = Tally()
    for table in TABLES:
        tally.tables[table.name] = Built(table.name)
    due = iter(clips := due_clips(engine, window, mines, cameras))
    views = views_of(engine, sorted({clip["mine_code"] for clip in clips}))
    moved: dict[str, list[Window]] = {}
    is_far, count = engine is not engine.in_process, 0
    while some := list(islice(due, FAR_AT_ONCE if is_far else 1)):
        if progress:
            progress(count / len(clips), some[0]["name"])
        count += len(some)
        if not is_far:
            detector = detector or detector_of(engine.settings)
        with ExitStack() as held:
            for camera in sorted({clip["camera_code"] for clip in some}):
                held.enter_context(exclusive(engine.settings.lake, f"video-{camera}"))
            if window is None:  # another run may have done some while this one waited
                still = {clip["clip_id"] for clip in due_clips(engine, None, mines, cameras)}
                some = [clip for clip in some if clip["clip_id"] in still]
            for request, rows in _judged(engine, [_request(engine, clip, views) for clip in some], detector):
                before = sum(built.changed for built in tally.tables.values())
                _write(engine, request, rows, tally)
                if sum(built.changed for built in tally.tables.values()) > before:
                    mine = request.clip["mine_code"]
                    moved.setdefault(mine, []).append(clip_span(request.clip).aligned(MINUTE))
    return [*tally.tables.values(), *_fused_anew(engine, moved)]


def due_clips(
    engine: Engine, window: Window | None, mines: Sequence[str] | None, cameras: Sequence[str] | None
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


def views_of(engine: Engine, mines: Sequence[str]) -> dict[tuple[str, str], View]:
    """What site files say of cameras; of those that they do not name, what a registry sent."""
    found: dict[tuple[str, str], View] = {}
    light = engine.in_process
    for row in collected(light, light.read(silver.CAMERA, mines=mines)).iter_rows(named=True):
        code, name = row["camera_code"], row["name"] or ""
        found[row["mine_code"], code] = View(code, row["mine_code"], name, name, row["area_id"], row["edge_id"])
    for mine, site in sites_of(engine.settings, list(mines)).items():
        found |= {(mine, code): view for code, view in (views_of_site(site) if site else {}).items()}
    return found


def _request(engine: Engine, clip: Row, views: Mapping[tuple[str, str], View]) -> Request:
    mine, code = clip["mine_code"], clip["camera_code"]
    view = views.get((mine, code)) or View(code, mine, area_id=clip["area_id"])
    areas = [view.area_id] if view.area_id else []
    plant = plant_state(engine, mine, clip_span(clip), view.machines, areas)
    return Request(clip, view, plant, engine.settings.lake, engine.settings.video)


def _judged(
    engine: Engine, requests: Sequence[Request], detector: Detector | None
) -> Iterator[tuple[Request, dict[str, list[Row]]]]:
    if detector is not None:
        for request in requests:
            yield request, clip_rows(request, detector)
        return
    by_id = {request.clip["clip_id"]: request for request in requests}
    model = weights_of(model_file(engine.settings, engine.settings.video.detector))
    clips = engine.from_arrow(pa.table({"clip_id": pa.array(list(by_id), pa.string())}))
    judge = partial(judged_far, by_id, model, detector_config(engine.settings))
    for row in engine.to_arrow(engine.grouped(clips, ["clip_id"], judge, FAR_SCHEMA)).to_pylist():
        yield by_id[row["clip_id"]], unpacked(row)


def _write(engine: Engine, request: Request, rows_of: Mapping[str, Sequence[Row]], tally: Tally) -> None:
    times = [row[table.time or ""] for table in TABLES for row in rows_of[table.name]]
    days = Window(min(times), max(times) + timedelta(seconds=1)).days()
    for table in TABLES:
        began, rows = time.perf_counter(), rows_of[table.name]
        written = until_unbeaten(engine.in_process, partial(_replace, engine, table, days, request, rows))
        tally.add(table, written, time.perf_counter() - began)


def _replace(engine: Engine, table: Table, days: Sequence[str], request: Request, rows: Sequence[Row]) -> Written:
    """Make the table's rows of this clip equal to these."""
    light, clip = engine.in_process, request.clip
    with exclusive(engine.settings.lake, lock_of(table)):
        part = light.part(table, days=days, mines=[clip["mine_code"]]).filter(nw.col("clip_id") == clip["clip_id"])
        return light.replace(part, light.frame(rows, table.arrow_schema()))


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
