"""`minefusion bench video`: a clip end to end beside `yolo predict`, the detector by itself, and how many streams fit.

Ours decodes, detects, follows and judges every picture of the clip; `yolo predict` decodes and detects. Both run warm,
one after the other, on the same network at the same size.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np

from minefusion.models.unsafe_behaviour.detections import Detector, Picture
from minefusion.models.unsafe_behaviour.detector import DetectorConfig, Device, open_detector
from minefusion.pipelines.jobs.bench.ingest import Progress, Result, hardware
from minefusion.pipelines.jobs.bench.meter import Meter
from minefusion.pipelines.jobs.video.judging import judged_clip
from minefusion.pipelines.jobs.video.plant_state import NOTHING_KNOWN
from minefusion.pipelines.jobs.video.watching import Watching
from minefusion.pipelines.simulate.video import simulate_video
from minefusion.pipelines.video.frames import Frame, clip_frames
from minefusion.pipelines.video.stream import LiveStream
from minefusion.schemas.errors import InputError, MissingError
from minefusion.schemas.site_cameras import CameraStream, View

# A clip is rendered where none is given: so long at scale 1 [s], its layout.
RENDERED_MIN, LAYOUT = 1, "belt-101"
STREAM_FPS = 5.0
# Streams hold when their delay does [s], the limit of the field's acceptance.
DELAY_S = 2.0
# Streams run so long for each count [s].
HELD_S = 12.0
SIZES = (320, 640)


def bench_video(
    *,
    model: Path | str,
    clip: Path | None = None,
    weights: Path | None = None,
    image_px: int = 640,
    scale: float = 1.0,
    device: Device = "cpu",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Pictures a second end to end and of the detector alone, and streams of five pictures a second.

    Args:
        model: ONNX file or a detector's name; where `weights` are given, they are exported and used instead.
        clip: a video; one is rendered where left out.
        weights: an ultralytics checkpoint, `.pt`: then `yolo predict` is measured beside, with it and with its ONNX.
        scale: share of the clip's pictures, and of the seconds that streams run.
    """
    say = progress or (lambda _share, _what: None)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        clip = clip or _rendered(scratch)
        if not clip.is_file():
            raise InputError(f"expected a video clip, got {clip}, which is no file; give --clip")
        if weights is not None:
            from minefusion.models.unsafe_behaviour.agpl.train import export

            say(0.05, "export")
            model = export(weights, scratch / f"{weights.stem}.onnx", image_px, scratch)
        detector = open_detector(model, DetectorConfig(device=device, image_px=image_px))
        pictures = [frame.picture for frame in clip_frames(clip, 0.0, 1000.0)]
        pictures = pictures[: max(8, round(len(pictures) * scale))]
        say(0.15, "ours, end to end")
        ours = _end_to_end(clip, detector)
        beside = {"pt": weights, "onnx": Path(model)} if weights is not None else {}
        plain: dict[str, _Run] = {}
        for name, network in beside.items():
            say(0.3, f"yolo predict, {name}")
            plain[name] = _plain(network, clip, image_px, scratch)
        results = [_row("video/end_to_end", ours, plain.get("pt"), "yolo_predict/pt")]
        if plain:
            results.append(_row("video/end_to_end_beside_onnx", ours, plain["onnx"], "yolo_predict/onnx"))
        results += [_row(f"yolo_predict/{name}", run) for name, run in plain.items()]
        for px in SIZES:
            say(0.6, f"detector at {px} px")
            sized = open_detector(model, DetectorConfig(device=device, image_px=px))
            results.append(_row(f"detector/{device}/{px}", _detector_alone(sized, pictures[:64])))
        say(0.8, "streams")
        count, row = streams_held(detector, pictures, HELD_S * min(1.0, scale))
        results.append(row)
        about = {
            "clip": clip.name, "pictures": ours[0], "picture_px": list(pictures[0].shape[1::-1]), "image_px": image_px,
            "model": detector.version, "streams_held": count,
        }  # fmt: skip
        return {"name": "video", "hardware": hardware(), "data": about, "results": results}


def _rendered(scratch: Path) -> Path:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    simulate_video([LAYOUT], minutes=RENDERED_MIN, seed=1, out=scratch, truth=scratch, start=start, quiet_share=0.0)
    return next(scratch.glob("*.mp4"))


# (pictures, seconds, CPU seconds, most memory [MiB])
_Run = tuple[int, float, float, float]


def _end_to_end(clip: Path, detector: Detector) -> _Run:
    view = View("62000000411320000001", "620000000001")
    rate = 30.0
    judged_clip(list(clip_frames(clip, 0.0, rate))[:8], view, detector, rate, NOTHING_KNOWN)  # warm
    with Meter(os.getpid()) as used:
        began = time.perf_counter()
        judged = judged_clip(clip_frames(clip, 0.0, 1000.0), view, detector, rate, NOTHING_KNOWN)
        seconds = time.perf_counter() - began
    return len(judged.looks), seconds, used.cpu_s, used.peak_mib


def _plain(model: Path, clip: Path, image_px: int, scratch: Path) -> _Run:
    module = "minefusion.models.unsafe_behaviour.agpl.plain"
    command = [sys.executable, "-m", module, str(model), str(clip), str(image_px), str(scratch)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise MissingError(f"expected ultralytics to run beside, got: {told}; install the extra vision-train")
    read = json.loads(done.stdout.splitlines()[-1])
    return int(read["pictures"]), float(read["seconds"]), 0.0, 0.0


def _detector_alone(detector: Detector, pictures: Sequence[Picture]) -> _Run:
    """One picture at a time, as a single camera has it."""
    detector.detect(pictures[:4])
    with Meter(os.getpid()) as used:
        began = time.perf_counter()
        for picture in pictures:
            detector.detect([picture])
        seconds = time.perf_counter() - began
    return len(pictures), seconds, used.cpu_s, used.peak_mib


def streams_held(detector: Detector, pictures: Sequence[Picture], seconds: float) -> tuple[int, Result]:
    """How many streams of five pictures a second are judged with a delay under DELAY_S and nothing dropped.

    The pictures come decoded: decoding is measured with the clip.
    """
    with Meter(os.getpid()) as used:
        low, high, best = 0, 1, 0.0
        while (delay := _delay(detector, pictures, high, seconds)) is not None:
            low, best, high = high, delay, high * 2
        while high - low > max(1, low // 10):
            middle = (low + high) // 2
            delay = _delay(detector, pictures, middle, seconds)
            low, best, high = (middle, delay, high) if delay is not None else (low, best, middle)
    return low, {
        "case": "streams/5fps",
        "seconds": round(best, 3),
        "rate": low,
        "unit": "streams",
        "cpu_s": round(used.cpu_s, 2),
        "peak_mib": round(used.peak_mib),
        "ratio": None,
        "ratio_to": None,
    }


def _delay(detector: Detector, pictures: Sequence[Picture], count: int, seconds: float) -> float | None:
    """95th percentile of the delay with so many streams; None where it is too long or pictures were dropped."""
    codes = [f"620000004113200{number:05d}" for number in range(count)]
    began = time.time()
    streams = {code: _Replayed(pictures, began + n / (STREAM_FPS * count)) for n, code in enumerate(codes)}
    views = {code: View(code, "620000000001", stream=CameraStream(code, "memory", STREAM_FPS)) for code in codes}
    # A replayed stream has all of a live one that watching asks for, and no network behind it.
    made = cast("Callable[[View], LiveStream]", lambda view: streams[view.camera_code])
    watching = Watching(views, detector, streams=made)
    told = list(watching.seconds(lambda: time.time() >= began + seconds))
    delays = [second.delay_s_p95 for second in told[1:] if second.delay_s_p95 is not None]
    dropped = sum(second.dropped for second in told[1:])
    worst = float(np.max(delays)) if delays else float("inf")
    return worst if worst <= DELAY_S and dropped == 0 else None


class _Replayed:
    """A stream whose pictures lie in memory and come at their time."""

    def __init__(self, pictures: Sequence[Picture], began: float) -> None:
        self.pictures, self.due = pictures, began
        self.decoded = self.dropped = self.cuts = 0

    def start(self) -> _Replayed:
        return self

    def stop(self) -> None:
        """Nothing runs."""

    def join(self, timeout_s: float) -> None:
        """Nothing runs."""

    def silent_s(self) -> float:
        return 0.0

    def take(self) -> Frame | None:
        now = time.time()
        if now < self.due:
            return None
        late = int((now - self.due) * STREAM_FPS)
        self.dropped += late
        at = self.due + late / STREAM_FPS
        self.due = at + 1 / STREAM_FPS
        self.decoded += 1
        return Frame(at, self.pictures[self.decoded % len(self.pictures)], self.decoded)


def _row(case: str, run: _Run, other: _Run | None = None, ratio_to: str | None = None) -> Result:
    pictures, seconds, cpu_s, peak_mib = run
    ratio = (other[1] / other[0]) / (seconds / pictures) if other else None
    return {
        "case": case,
        "seconds": round(seconds, 3),
        "rate": round(pictures / seconds, 1),
        "unit": "pictures/s",
        "cpu_s": round(cpu_s, 2),
        "peak_mib": round(peak_mib),
        "ratio": round(ratio, 3) if ratio else None,
        "ratio_to": ratio_to if ratio else None,
    }
