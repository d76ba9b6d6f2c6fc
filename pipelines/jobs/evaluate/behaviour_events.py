"""Clips through detector, tracker and rules, and their events beside those that are true."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from minefusion.models.training_run import code_version
from minefusion.models.unsafe_behaviour.detections import Detector
from minefusion.models.unsafe_behaviour.event_scores import Alarm, TrueEvent, score
from minefusion.models.unsafe_behaviour.pose import LiesByPose
from minefusion.pipelines.jobs.clips import began_in_name, camera_in_name
from minefusion.pipelines.jobs.landing import CLIPS
from minefusion.pipelines.jobs.tally import Progress
from minefusion.pipelines.jobs.video.judging import judged_clip
from minefusion.pipelines.jobs.video.plant_state import NOTHING_KNOWN, PlantState
from minefusion.pipelines.video.frames import clip_frames
from minefusion.schemas.behaviours import all_behaviours
from minefusion.schemas.errors import InputError
from minefusion.schemas.site_cameras import View, load_views

logger = logging.getLogger(__name__)

CAMERA_FILES = ("*.site.yaml", "cameras.yaml")
# A machine's state in machines.csv holds until the next line: it is told again so often [s].
_TOLD_EVERY_S = 60.0


def evaluate_behaviour_events(
    clips: Path,
    events: Path,
    detector: Detector,
    *,
    pictures_per_s: float,
    cameras: Path | None = None,
    pose: LiesByPose | None = None,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score every clip of a folder; see `event_scores.score`, with `clips`, `hours` and `model`.

    The state of machines comes from the folder's `machines.csv` files where it has some; a machine that is not told
    counts as running.

    Args:
        events: CSV of clip, behaviour, begins_s, ends_s, and where wanted subject, is_demanded (yes or no).
        cameras: site file or camera file with zones and lines; those of the folder where left out.
        pose: says whether a body lies, by its joints.
        keep: folder that keeps what each clip came to, so that a run that is cut off can go on.

    Raises:
        InputError: no clips, no such event file, or a behaviour that is none.
    """
    paths = sorted(path for path in clips.rglob("*") if path.suffix.lower() in CLIPS)
    if not paths:
        raise InputError(f"expected video clips in {clips}, got none; give their folder")
    truth = true_events(events, {path.name for path in paths})
    views, machines = _views(clips, cameras), _machines(clips)
    alarms: list[Alarm] = []
    watched_s, pictures = 0.0, 0
    for number, path in enumerate(paths):
        if progress:
            progress(number / len(paths), path.name)
        view = _view(path, views)
        kept = keep / f"{_digest(path, view, detector, pictures_per_s, pose)}.json" if keep else None
        if kept and kept.is_file():
            found = json.loads(kept.read_text(encoding="utf-8"))
        else:
            found = _judge(path, view, machines, detector, pictures_per_s, pose)
            if kept:
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        watched_s, pictures = watched_s + found["seconds"], pictures + found["pictures"]
        alarms += [Alarm(path.name, each["behaviour"], each["raised_s"]) for each in found["alarms"]]
    told = {"model": detector.version, "clips": len(paths), "hours": round(watched_s / 3600, 3), "pictures": pictures}
    return told | score(alarms, truth, watched_s)


def true_events(file: Path, clips: Iterable[str]) -> list[TrueEvent]:
    """The events of a CSV file."""
    known, rules = set(clips), {each.code for each in all_behaviours()}
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"expected a CSV file of events, got {file}: {error}; give clip, behaviour, …") from None
    found = []
    for line, row in enumerate(rows, 2):
        where = f"{file} line {line}"
        if row.get("clip") not in known:
            raise InputError(
                f"expected 'clip' in {where} to name a clip of the folder, got '{row.get('clip')}'; mend it"
            )
        if row.get("behaviour") not in rules:
            got = f"got '{row.get('behaviour')}'; there are: {', '.join(sorted(rules))}"
            raise InputError(f"expected 'behaviour' in {where} to be declared, {got}")
        try:
            begins_s, ends_s = float(row["begins_s"]), float(row["ends_s"])
        except (KeyError, TypeError, ValueError):
            raise InputError(f"expected begins_s and ends_s in {where} as seconds, got neither; mend them") from None
        found.append(TrueEvent(row["clip"], row["behaviour"], begins_s, ends_s, row.get("is_demanded", "yes") != "no"))
    return found


def _view(path: Path, views: Mapping[str, View]) -> View:
    code = camera_in_name(path.name) or ""
    return views.get(path.name) or views.get(code) or View(code or path.stem, "")


def _judge(
    path: Path, view: View, machines: Mapping[str, PlantState], detector: Detector, pictures_per_s: float,
    pose: LiesByPose | None,
) -> dict[str, Any]:  # fmt: skip
    began = began_in_name(path.name)
    began_at = began.timestamp() if began else 0.0
    plant = machines.get(path.name, NOTHING_KNOWN)
    frames = clip_frames(path, began_at, pictures_per_s)
    judged = judged_clip(frames, view, detector, pictures_per_s, _from(plant, began_at), pose)
    times = [look.at for look in judged.looks]
    return {
        "seconds": times[-1] - times[0] + 1.0 / pictures_per_s if times else 0.0,
        "pictures": len(times),
        "alarms": [
            {"behaviour": event.behaviour.code, "raised_s": event.raised_at - began_at, "subject": event.subject,
             "sentence": event.sentence_en}
            for event in judged.events
        ],
    }  # fmt: skip


def _views(clips: Path, cameras: Path | None) -> dict[str, View]:
    found: dict[str, View] = {}
    for path in [cameras] if cameras else sorted(path for each in CAMERA_FILES for path in clips.rglob(each)):
        found |= load_views(path)
    return found | {view.clip: view for view in found.values() if view.clip}


def _machines(clips: Path) -> dict[str, PlantState]:
    """State of each machine in each clip, in seconds from its beginning."""
    told: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for file in sorted(clips.rglob("machines.csv")):
        with file.open(encoding="utf-8-sig", newline="") as opened:
            for row in csv.DictReader(opened):
                running = 1.0 if row["is_running"] == "yes" else 0.0
                of_clip = told.setdefault(row["clip"], {})
                of_clip.setdefault(row["machine_id"], []).append((float(row["at_s"]), running))
    return {clip: PlantState({name: _held(rows) for name, rows in of.items()}, {}) for clip, of in told.items()}


def _held(rows: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Each state told again and again until the next one."""
    times, values = [], []
    ordered = sorted(rows)
    ends = [at for at, _ in ordered[1:]] + [ordered[-1][0] + timedelta(hours=1).total_seconds()]
    for (at, value), end in zip(ordered, ends, strict=True):
        while at < end:
            times.append(at)
            values.append(value)
            at += _TOLD_EVERY_S
    return times, values


def _from(plant: PlantState, began_at: float) -> PlantState:
    moved = {name: ([began_at + at for at in times], values) for name, (times, values) in plant.machines.items()}
    return PlantState(moved, {})


def _digest(path: Path, view: View, detector: Detector, pictures_per_s: float, pose: LiesByPose | None) -> str:
    how = f"{detector.version}/{code_version('unsafe_behaviour')}/{pictures_per_s}/{pose is not None}"
    told = f"{path.name}/{path.stat().st_size}/{how}/{view!r}/{all_behaviours()!r}"
    return hashlib.sha256(told.encode()).hexdigest()[:24]
