"""The clip registry: video files of the landing folder → bronze.video_clip, each probed and with a verdict.

A clip is registered, not copied: it stays where it lies. What is broken or not a video is said to be so, with the
reason; what varies (frame rate, codec) is a warning. PyAV opens the files; nothing else here knows of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.exchange.header import from_mine_local
from minefusion.pipelines.jobs.landing import Landing, file_id_of
from minefusion.pipelines.jobs.master_data import sites_of
from minefusion.pipelines.jobs.new_files import collected
from minefusion.schemas import silver
from minefusion.schemas.bronze import VIDEO_CLIP
from minefusion.schemas.exchange.grammar import report

Row = dict[str, Any]

VERDICTS = ("accepted", "rejected", "duplicate", "waiting")
# A clip that cannot be read may still be written: it is looked at again until it has stood still for so long.
WAIT_S = 60.0
# The registry as it is when the time of a clip that was copied again is told as well.
RESTAMPED = replace(VIDEO_CLIP, volatile=("ingested_at", "run_id"))
# Codecs that a mine's cameras are to send (PC-41).
USUAL_CODECS = ("h264", "hevc")
# The time between two pictures varies when it strays so far from the usual one; containers round to milliseconds.
STRAYS_SHARE, STRAYS_S = 0.10, 0.002
# A clip that ends so much before the end that its container declares was cut off.
CUT_OFF_SHARE, CUT_OFF_S = 0.02, 1.0

_MINE = re.compile(r"(?<!\d)\d{12}(?!\d)")
_CAMERA = re.compile(r"(?<!\d)\d{20}(?!\d)")
_STAMP = re.compile(r"(?<!\d)(\d{4})[-_]?(\d{2})[-_]?(\d{2})[-_ T]?(\d{2})[-_:]?(\d{2})[-_:]?(\d{2})(?:\d{3})?(?!\d)")


@dataclass(frozen=True)
class Probe:
    """What a clip is. `problem` is the report code of why it cannot be used, '' where it can."""

    problem: str = ""
    warnings: tuple[str, ...] = ()
    container: str | None = None
    codec: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    frames: int | None = None
    fps: float | None = None
    is_variable_rate: bool | None = None
    duration_s: float | None = None
    created_at: datetime | None = None


def register_clips(
    engine: Engine,
    files: Sequence[Landing],
    place: str,
    now: datetime,
    batch: int,
    probe: Callable[[Path], Probe] | None = None,
) -> dict[str, int]:
    """Bring bronze.video_clip up to date with clips of the landing folder `place`; clips by verdict, of this run.

    A clip is known again by name, size and time, so it is probed once. Same clips, same rows.
    """
    probe, engine = probe or probed, engine.in_process
    part = engine.part(RESTAMPED)
    there = collected(engine, part.rows)
    by_id = {row["clip_id"]: row for row in there.iter_rows(named=True)}
    known = set(there.filter(pl.col("landing") == place).select("folder", "name", "size", "received_at").iter_rows())
    contents = set(there.filter(pl.col("verdict") == "accepted")["sha256"])
    cameras = _cameras(engine)
    counts = dict.fromkeys(VERDICTS, 0)
    rows: list[Row] = []
    for file in sorted(files, key=lambda each: (each.folder, each.name)):
        if file.identity in known:
            continue
        clip_id = file_id_of(file.folder, file.name, _sha256(file.path))
        if clip_id in by_id:  # copied again: only its time is new
            rows.append(by_id[clip_id] | {"landing": place, "received_at": file.modified})
            continue
        found = probe(file.path)
        if found.problem and (now - file.modified).total_seconds() < WAIT_S:
            counts["waiting"] += 1
            continue
        row = _row(file, found, place, cameras) | {"ingested_at": now, "batch": batch, "run_id": f"clips-{batch}"}
        if row["verdict"] == "accepted" and row["sha256"] in contents:
            row |= {"verdict": "duplicate", "reason": "DUPLICATE"} | _in_words("DUPLICATE")
        elif row["verdict"] == "accepted":
            contents.add(row["sha256"])
        counts[row["verdict"]] += 1
        rows.append(row)
    if rows:
        ids = [row["clip_id"] for row in rows]
        same = part.filter(nw.col("clip_id").is_in(ids))
        engine.replace(
            same, engine.frame(list({row["clip_id"]: row for row in rows}.values()), VIDEO_CLIP.arrow_schema())
        )
    return counts


def _row(file: Landing, found: Probe, place: str, cameras: Mapping[str, Row]) -> Row:
    sha256 = _sha256(file.path)
    told = f"{file.folder}/{file.name}"
    camera = camera_in_name(told)
    registered = cameras.get(camera or "", {})
    mine = next(iter(_MINE.findall(told)), None) or registered.get("mine_code")
    began_at = began_in_name(file.name) or found.created_at
    warnings = list(found.warnings)
    warnings += [] if camera in cameras else ["CAMERA_UNKNOWN"]
    warnings += [] if began_at else ["CLIP_WITHOUT_TIME"]
    return {
        "clip_id": file_id_of(file.folder, file.name, sha256),
        "mine_code": mine,
        "camera_code": camera,
        "area_id": registered.get("area_id"),
        "verdict": "rejected" if found.problem else "accepted",
        "reason": found.problem,
        **_in_words(found.problem),
        "warnings": json.dumps([{"code": code, "count": 1} for code in sorted(warnings)]),
        "began_at": began_at,
        "duration_s": found.duration_s,
        "frames": found.frames,
        "fps": found.fps,
        "is_variable_rate": found.is_variable_rate,
        "codec": found.codec,
        "container": found.container,
        "width_px": found.width_px,
        "height_px": found.height_px,
        "name": file.name,
        "folder": file.folder,
        "landing": place,
        "size": file.size,
        "sha256": sha256,
        "received_at": file.modified,
    }


def _cameras(engine: Engine) -> dict[str, Row]:
    """Mine and area of every camera that a registry or a site file names."""
    rows = engine.to_arrow(engine.read(silver.CAMERA).select("camera_code", "mine_code", "area_id")).to_pylist()
    found = {row["camera_code"]: row for row in rows}
    mines = [path.name.removesuffix(".site.yaml") for path in (engine.settings.lake / "sites").glob("*.site.yaml")]
    for mine, site in sites_of(engine.settings, sorted(mines)).items():
        areas = {edge.edge_id: edge.area_id for edge in site.edges} if site else {}
        for camera in site.cameras if site else ():
            found[camera.camera_code] = {"mine_code": mine, "area_id": areas.get(camera.edge_id)}
    return found


def _in_words(reason: str) -> Row:
    if not reason:
        return {"reason_zh": "", "reason_en": ""}
    told = report(reason)
    return {"reason_zh": told.text_zh, "reason_en": told.text_en}


def camera_in_name(name: str) -> str | None:
    """The camera's code in a clip's name."""
    return next(iter(_CAMERA.findall(name)), None)


def began_in_name(name: str) -> datetime | None:
    """The moment in a clip's name, mine local time; the digits of a camera's or a mine's code are none."""
    for parts in _STAMP.findall(_CAMERA.sub(" ", name)):
        found = from_mine_local("".join(parts))
        if found is not None:
            return found
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ── what a clip is ──────────────────────────────────────────────────────────────────────────────────────────────────


def probed(path: Path) -> Probe:
    """Open a clip, read where every picture stands in time, and decode its first one."""
    import av
    from av.error import FFmpegError

    try:
        container = av.open(str(path))
    except (FFmpegError, OSError):
        return Probe("CLIP_TRUNCATED" if _is_begun_movie(path) else "CLIP_NOT_VIDEO")
    with container:
        created = _instant(container.metadata.get("creation_time"))
        about: dict[str, Any] = {"container": container.format.name, "created_at": created}
        if not container.streams.video:
            return Probe("CLIP_NOT_VIDEO", **about)
        stream = container.streams.video[0]
        if stream.codec_context is None:
            return Probe("CLIP_CODEC", **about)
        about |= {"codec": stream.codec_context.name, "width_px": stream.width, "height_px": stream.height}
        # What the container declares, read before the pictures: some containers learn their end only then.
        declared = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None
        if declared is None and container.duration:
            declared = container.duration / 1_000_000
        listed = stream.frames
        decoded, times, broken = _pictures(container, stream)
    if not decoded:
        return Probe("CLIP_NO_FRAMES" if not times or listed == 0 else "CLIP_CODEC", **about)
    gaps = np.diff(np.sort(times))
    usual = float(np.median(gaps)) if len(gaps) else 0.0
    lasts = float(max(times) - min(times) + usual)
    strays = float(np.abs(gaps - usual).max()) if len(gaps) else 0.0
    varies = strays > max(STRAYS_SHARE * usual, STRAYS_S)
    about |= {
        "frames": len(times), "fps": round(len(gaps) / (max(times) - min(times)), 3) if len(gaps) and lasts else None,
        "is_variable_rate": varies, "duration_s": round(lasts, 3),
    }  # fmt: skip
    short = declared is not None and declared - lasts > max(CUT_OFF_SHARE * declared, CUT_OFF_S)
    if broken or short or (listed and len(times) < listed):
        return Probe("CLIP_TRUNCATED", **about)
    warnings = ["CLIP_VARIABLE_RATE"] if varies else []
    warnings += [] if about["codec"] in USUAL_CODECS else ["CLIP_CODEC_UNUSUAL"]
    return Probe("", tuple(warnings), **about)


def _pictures(container: Any, stream: Any) -> tuple[bool, list[float], bool]:
    """Whether a picture could be decoded, the time of each [s], and whether reading broke off."""
    from av.error import FFmpegError

    times: list[float] = []
    decoded = broken = False
    try:
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            at = packet.pts if packet.pts is not None else packet.dts
            if at is not None:
                times.append(float(at * packet.time_base))
            if not decoded:
                try:
                    decoded = bool(packet.decode())
                except FFmpegError:
                    continue
        if not decoded and times:
            decoded = bool(stream.decode(None))
    except FFmpegError:
        broken = True
    return decoded, times, broken


def _is_begun_movie(path: Path) -> bool:
    """The file begins as an MP4, Matroska or AVI file does: what follows was not written."""
    with path.open("rb") as file:
        start = file.read(16)
    return start[4:8] == b"ftyp" or start.startswith(b"\x1a\x45\xdf\xa3") or start[:4] == b"RIFF"


def _instant(told: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(told or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
