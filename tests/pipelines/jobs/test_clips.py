"""The clip registry: real clips made here, whole and broken, through `ingest`."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import polars as pl
import pytest
from small_mine import MINE, rows_of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.balance import balance
from minefusion.pipelines.jobs.clips import probed
from minefusion.pipelines.jobs.ingest import Ingested, ingest
from minefusion.schemas.bronze import EXCHANGE_FILE, VIDEO_CLIP

CAMERA = "62000000411320000001"
NAME = f"{MINE}_{CAMERA}_20260301120000.mp4"
SITE = f"""
mine_code: "{MINE}"
name_zh: 示范煤矿
name_en: Example mine
severe_hazard: false
areas: [{{area_id: "{MINE}0001", name_zh: 皮带巷, name_en: Belt road, kind: belt_road}}]
nodes: [{{node_id: N1, x: 0, y: 0, z: 0}}, {{node_id: N2, x: 100, y: 0, z: 0}}]
edges:
  - {{edge_id: E1, from_node: N1, to_node: N2, area_id: "{MINE}0001",
      length_m: 100, section_m2: 12, air_class: BELT_ROAD,
     gas_class: null}}
cameras: [{{camera_code: "{CAMERA}", name_zh: 皮带巷, name_en: Belt road, edge_id: E1, chainage_m: 50}}]
"""


def clip(path: Path, *, frames: int = 50, fps: int = 25, codec: str = "mpeg4", slow_from: int | None = None,
         gray: int = 90, **options: str) -> Path:  # fmt: skip
    """A clip of `frames` pictures; from `slow_from` on each stands three times as long."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
        at = 0
        for number in range(frames):
            picture = np.full((48, 64, 3), gray, dtype=np.uint8)
            picture[:, number % 64] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, fps)
            at += 3 if slow_from is not None and number >= slow_from else 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def later(landing: Path) -> datetime:
    """When every file has stood still for long."""
    newest = max(file.stat().st_mtime for file in landing.rglob("*"))
    return datetime.fromtimestamp(newest + 3600, UTC)


def take(engine: LightEngine, landing: Path, now: datetime | None = None) -> Ingested:
    return ingest(engine.settings, landing, engine=engine, now=lambda: now or later(landing))


def rows(engine: LightEngine, *columns: str) -> list[tuple[object, ...]]:
    return list(rows_of(engine, VIDEO_CLIP).sort("folder", "name").select(columns).iter_rows())


def test_a_clip_has_its_camera_place_and_time(light: LightEngine, landing: Path):
    (landing / f"{MINE}.site.yaml").write_text(SITE, encoding="utf-8")
    clip(landing / NAME)
    done = take(light, landing)
    assert done.clips == {"accepted": 1, "rejected": 0, "duplicate": 0, "waiting": 0}
    assert (done.files["unknown"], done.changed) == (0, 1)
    row = rows_of(light, VIDEO_CLIP).to_dicts()[0]
    assert (row["mine_code"], row["camera_code"], row["area_id"]) == (MINE, CAMERA, f"{MINE}0001")
    # Twelve at the mine is four in UTC.
    assert row["began_at"] == datetime(2026, 3, 1, 4, tzinfo=UTC)
    assert (row["frames"], row["fps"], row["duration_s"], row["is_variable_rate"]) == (50, 25.0, 2.0, False)
    assert (row["codec"], row["width_px"], row["height_px"]) == ("mpeg4", 64, 48)
    assert json.loads(row["warnings"]) == [{"code": "CLIP_CODEC_UNUSUAL", "count": 1}]
    assert len(row["sha256"]) == 64
    assert rows_of(light, EXCHANGE_FILE).is_empty()
    assert balance(light.settings).ok


def test_a_second_run_changes_nothing_and_a_copy_is_told(light: LightEngine, landing: Path):
    clip(landing / NAME)
    take(light, landing)
    again = take(light, landing)
    assert (again.changed, sum(again.clips.values())) == (0, 0)
    (landing / "copies").mkdir()
    shutil.copy2(landing / NAME, landing / "copies" / "other.mp4")
    os.utime(landing / NAME)  # copied over itself: the same clip, another time
    assert take(light, landing).clips["duplicate"] == 1
    assert rows(light, "name", "verdict", "reason") == [(NAME, "accepted", ""), ("other.mp4", "duplicate", "DUPLICATE")]
    assert sum(take(light, landing).clips.values()) == 0


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_clip_cut_off_is_rejected_in_every_container(tmp_path: Path, suffix: str):
    whole = clip(tmp_path / f"whole{suffix}", frames=100)
    assert probed(whole).problem == ""
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    assert probed(cut).problem == "CLIP_TRUNCATED"


def test_what_is_no_clip_is_rejected_with_its_reason(light: LightEngine, landing: Path):
    (landing / "a_text.mp4").write_text("no video at all")
    (landing / "b_empty.mp4").write_bytes(b"")
    with av.open(str(landing / "c_sound.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), dtype=np.int16), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    clip(landing / "d_none.avi", frames=0)
    take(light, landing)
    assert rows(light, "name", "verdict", "reason") == [
        ("a_text.mp4", "rejected", "CLIP_NOT_VIDEO"),
        ("b_empty.mp4", "rejected", "CLIP_NOT_VIDEO"),
        ("c_sound.mkv", "rejected", "CLIP_NOT_VIDEO"),
        ("d_none.avi", "rejected", "CLIP_NO_FRAMES"),
    ]
    assert all(words for pair in rows(light, "reason_zh", "reason_en") for words in pair)


def test_a_clip_still_being_written_is_looked_at_again(light: LightEngine, landing: Path):
    whole = clip(landing.parent / "whole.mp4").read_bytes()
    path = landing / NAME
    path.write_bytes(whole[:500])
    soon = datetime.fromtimestamp(path.stat().st_mtime + 5, UTC)
    assert take(light, landing, soon).clips["waiting"] == 1
    assert rows(light, "name") == []
    path.write_bytes(whole)
    assert take(light, landing, soon).clips["accepted"] == 1


def test_a_frame_rate_that_varies_is_a_warning(tmp_path: Path):
    found = probed(clip(tmp_path / "slows.mp4", slow_from=30))
    assert (found.problem, found.is_variable_rate) == ("", True)
    assert "CLIP_VARIABLE_RATE" in found.warnings
    # Matroska writes whole milliseconds: 30 pictures a second stand 33 or 34 ms apart, and that is steady.
    assert probed(clip(tmp_path / "steady.mkv", fps=30)).is_variable_rate is False


def test_links_are_passed_over_and_told(light: LightEngine, landing: Path, tmp_path: Path):
    target = tmp_path / f"{MINE}_CDSS_20260301120000.txt"
    target.write_text(f"{MINE};示范煤矿;2026-03-01 12:00:00~||", encoding="utf-8")
    (landing / target.name).symlink_to(target)
    (landing / "folder").symlink_to(tmp_path, target_is_directory=True)
    done = take(light, landing, datetime(2026, 3, 2, tzinfo=UTC))
    assert (done.links, sum(done.files.values())) == (2, 0)
    assert isinstance(rows_of(light, EXCHANGE_FILE), pl.DataFrame)
