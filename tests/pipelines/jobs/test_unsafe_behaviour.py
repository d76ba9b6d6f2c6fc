"""Clips to events: from landed files to rows and evidence, each clip once, whatever happens in between."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import onnx
import polars as pl
import pytest
from onnx import TensorProto, helper, numpy_helper
from painted_clips import HEIGHT, WIDTH, PaintDetector, paint_clip
from small_mine import MINE, definitions, point_code, rows_of, values
from test_clips import CAMERA, SITE, later

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import build, run_job
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.jobs.tally import Built
from minefusion.pipelines.jobs.video import clip_events
from minefusion.pipelines.jobs.video.clip_events import run_unsafe_behaviour
from minefusion.schemas import gold, silver
from minefusion.schemas.settings import load_settings
from minefusion.schemas.window import Window

OTHER = "62000000411320000002"
TABLES = (silver.DETECTION, silver.TRACK, silver.CAMERA_MINUTE, gold.UNSAFE_BEHAVIOUR)
# 12:00 by the mine's clock.
BEGAN = datetime(2026, 3, 1, 4, tzinfo=UTC)
ZONES = f"""
camera_zones:
  - {{camera_code: "{CAMERA}", zone_id: Z1, kind: forbidden, name_zh: 警戒区, name_en: barred zone,
     corners: [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}}
  - {{camera_code: "{CAMERA}", zone_id: Z2, kind: belt, name_zh: 皮带, name_en: belt, machine_id: B1,
     corners: [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}}
"""


def walks_in(t: float) -> float | None:
    """From the left over the middle after 2 s, to the right edge's side, out of the picture at 7 s."""
    return 0.1 + 0.18 * min(t, 4.0) if t < 7 else None


@pytest.fixture
def mine(light: LightEngine, landing: Path) -> LightEngine:
    """A lake whose landing folder holds one clip of somebody who goes bare-headed into the barred zone."""
    (landing / f"{MINE}.site.yaml").write_text(SITE + ZONES, encoding="utf-8")
    paint_clip(landing / f"{MINE}_{CAMERA}_20260301120000.mp4", 10, walks_in, head="bare_head")
    take(light, landing)
    return light


def take(engine: LightEngine, landing: Path) -> None:
    ingest(engine.settings, landing, engine=engine, now=lambda: later(landing))


def run(engine: LightEngine, **given: Any) -> dict[str, Built]:
    return {built.name: built for built in run_unsafe_behaviour(engine, detector=PaintDetector(), **given)}


def changed(engine: LightEngine, **given: Any) -> int:
    return sum(built.changed for built in run(engine, **given).values())


def events(engine: LightEngine) -> list[dict[str, Any]]:
    return rows_of(engine, gold.UNSAFE_BEHAVIOUR).sort("began_at", "behaviour").to_dicts()


def test_a_clip_becomes_detections_a_track_minutes_and_events(mine: LightEngine):
    run(mine)
    by_rule = {event["behaviour"]: event for event in events(mine)}
    assert by_rule.keys() == {"no_helmet", "zone_intrusion", "person_on_belt"}
    intrusion = by_rule["zone_intrusion"]
    assert (intrusion["mine_code"], intrusion["camera_code"], intrusion["area_id"]) == (MINE, CAMERA, f"{MINE}0001")
    assert (intrusion["event_type"], intrusion["level"], intrusion["zone_id"]) == ("V201", 3, "Z1")
    assert intrusion["began_at"] - BEGAN == pytest.approx(timedelta(seconds=2.0), abs=timedelta(seconds=0.41))
    assert 0.4 <= intrusion["delay_s"] <= 1.0
    assert intrusion["ended_at"] - BEGAN == pytest.approx(timedelta(seconds=6.8), abs=timedelta(seconds=0.21))
    assert intrusion["sentence_zh"].startswith("皮带巷：进入警戒区。人员在警戒区内")
    assert intrusion["model_version"] == "paint-1"
    (box,) = json.loads(intrusion["boxes"])
    assert box["class"] == "person"
    (track,) = rows_of(mine, silver.TRACK).to_dicts()
    assert (track["track"], track["pictures"]) == (0, pytest.approx(33, abs=2))
    assert json.loads(track["wearing"])["bare_head"] == 1.0
    (minute,) = rows_of(mine, silver.CAMERA_MINUTE).to_dicts()
    assert (minute["minute"], minute["pictures"], minute["people_max"]) == (BEGAN, 50, 1)
    found = rows_of(mine, silver.DETECTION)
    assert {"person", "bare_head", "vest"} <= set(found["label"])
    assert found.filter(pl.col("label") == "person")["track"].drop_nulls().unique().to_list() == [0]


def test_a_second_run_changes_nothing(mine: LightEngine):
    assert changed(mine) > 0
    assert changed(mine) == 0
    # Nor does looking at the same clips anew.
    assert changed(mine, window=Window(BEGAN, BEGAN + timedelta(hours=1))) == 0


def test_a_new_clip_and_no_other_is_looked_at(mine: LightEngine, landing: Path):
    run(mine)
    paint_clip(landing / f"{MINE}_{OTHER}_20260301120000.mp4", 4, lambda _: 0.3)
    take(mine, landing)
    done = run(mine)
    assert done["silver.camera_minute"].changed == 1
    assert [event["camera_code"] for event in events(mine)] == [CAMERA] * 3
    # One camera at a time, as the scheduled task does.
    paint_clip(landing / f"{MINE}_{OTHER}_20260301120100.mp4", 4, lambda _: 0.4)
    take(mine, landing)
    assert changed(mine, cameras=[CAMERA]) == 0
    assert changed(mine, cameras=[OTHER]) > 0


def test_killed_between_any_two_tables_and_run_again(engines: Any, mine: LightEngine, landing: Path):
    """Whichever table it had come to, the next run ends with the same rows."""
    run(mine)
    replace = clip_events._replace
    for after in range(len(TABLES)):
        engine = engines(f"cut off after {after}")
        take(engine, landing)
        written: list[Any] = []

        def cut_off(*given: Any, written: list[Any] = written, after: int = after) -> Any:
            if len(written) == after:
                raise KeyboardInterrupt
            written.append(given)
            return replace(*given)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clip_events, "_replace", cut_off)
            with pytest.raises(KeyboardInterrupt):
                run(engine)
        run(engine)
        for table in TABLES:
            kept = [name for name in table.names if name not in table.volatile]
            assert rows_of(engine, table, *kept).equals(rows_of(mine, table, *kept))


def test_a_belt_that_is_known_to_stand_raises_nothing(mine: LightEngine):
    told = {
        "mine_code": MINE, "point_id": "B1", "quantity": "equipment_on", "value": 0.0, "quality": "GOOD",
        "observed_at": BEGAN - timedelta(seconds=20), "day": "2026-03-01",
    }  # fmt: skip
    mine.append(silver.READING, mine.frame([told], silver.READING.arrow_schema()))
    run(mine)
    assert {event["behaviour"] for event in events(mine)} == {"no_helmet", "zone_intrusion"}


def test_an_unknown_belt_counts_as_running_and_the_sentence_says_so(mine: LightEngine):
    run(mine)
    (event,) = [event for event in events(mine) if event["behaviour"] == "person_on_belt"]
    assert event["assumed_running"] == "B1"
    assert "按运行计" in event["sentence_zh"]
    assert "taken to run" in event["sentence_en"]


def test_evidence_shows_the_event_and_no_face(mine: LightEngine):
    run(mine)
    (event,) = [event for event in events(mine) if event["behaviour"] == "no_helmet"]
    lake = mine.settings.lake
    picture = cv2.imread(str(lake / event["snapshot_uri"]))[..., ::-1]
    assert picture.shape == (HEIGHT, WIDTH, 3)
    (box,) = json.loads(event["boxes"])
    left, right = round(box["x"] * WIDTH), round((box["x"] + box["w"]) * WIDTH)
    top, bottom = round(box["y"] * HEIGHT), round((box["y"] + box["h"]) * HEIGHT)
    edge = picture[(top + bottom) // 2, left - 1 : left + 2].astype(int)
    assert (edge[:, 0] > edge[:, 1] + 80).any(), "a red box around whom it is about"
    head = picture[top + 3 : top + 25, left + 3 : right - 3]
    assert len(np.unique(head.reshape(-1, 3) // 48, axis=0)) < 16, "the head is a few squares"
    with av.open(str(lake / event["clip_uri"])) as clip:
        times = [float(frame.time) for frame in clip.decode(video=0)]
    raised = (event["raised_at"] - BEGAN).total_seconds()
    assert times[-1] - times[0] == pytest.approx(min(9.8, raised + 5), abs=0.3)


def test_a_clip_that_is_gone_waits_and_is_told(mine: LightEngine, landing: Path, caplog: pytest.LogCaptureFixture):
    clip = next(landing.glob("*.mp4"))
    clip.rename(clip.with_suffix(".away"))
    assert changed(mine) == 0
    assert "put it back" in caplog.text
    clip.with_suffix(".away").rename(clip)
    assert changed(mine) > 0


def a_person_in_the_zone(path: Path) -> Path:
    """A network that sees, whatever it looks at, one person on the right."""
    box = np.array([[[240.0, 120.0, 30.0, 100.0, 0.9]]], dtype=np.float32).transpose(0, 2, 1)
    nodes = [
        helper.make_node("ReduceSum", ["images", "axes"], ["sum"], keepdims=1),
        helper.make_node("Reshape", ["sum", "shape"], ["flat"]),
        helper.make_node("Mul", ["flat", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "box"], ["output0"]),
    ]
    constants = [
        numpy_helper.from_array(box, "box"),
        numpy_helper.from_array(np.array([1, 2, 3], dtype=np.int64), "axes"),
        numpy_helper.from_array(np.array([-1, 1, 1], dtype=np.int64), "shape"),
        numpy_helper.from_array(np.array(0, dtype=np.float32), "zero"),
    ]
    given = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, "height", "width"])
    told = helper.make_tensor_value_info("output0", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "one", [given], [told], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for key, value in {"names": "{0: 'person'}", "imgsz": "[320, 320]"}.items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)
    return path


@pytest.mark.usefixtures("spark")
def test_an_archive_is_judged_by_sparks_workers_to_the_same_rows(landing: Path, tmp_path: Path):
    from minefusion.pipelines.engines.spark import SparkEngine

    (landing / f"{MINE}.site.yaml").write_text(SITE + ZONES, encoding="utf-8")
    for minute in range(2):
        paint_clip(landing / f"{MINE}_{CAMERA}_2026030112{minute:02d}00.mp4", 4, lambda _, m=minute: 0.3 + 0.1 * m)
    model = a_person_in_the_zone(tmp_path / "m.onnx")
    engines = [
        engine(load_settings(lake=tmp_path / name, video_detector=str(model), spark_master="local[2]"))
        for name, engine in (("light", LightEngine), ("spark", SparkEngine))
    ]
    for engine in engines:
        take(engine.in_process, landing)
        assert sum(built.changed for built in run_job(engine, "unsafe_behaviour")) > 10
        assert sum(built.changed for built in run_job(engine, "unsafe_behaviour")) == 0
    for table in TABLES:
        kept = [name for name in table.names if name not in table.volatile]
        ours, theirs = (rows_of(engine.in_process, table, *kept) for engine in engines)
        assert not ours.is_empty()
        assert ours.equals(theirs)
    event = events(engines[1].in_process)[0]
    assert (tmp_path / "spark" / event["snapshot_uri"]).is_file()


def behaviours_by_minute(engine: LightEngine) -> dict[datetime, int | None]:
    rows = rows_of(engine, gold.AREA_MINUTE).filter(pl.col("area_id") == f"{MINE}0001")
    return {row["minute"]: row["behaviours"] for row in rows.to_dicts()}


@pytest.mark.usefixtures("some_indices")
def test_the_fused_table_counts_what_the_camera_saw(light: LightEngine, landing: Path):
    point = point_code(1)
    placed = f'points: [{{point_code: "{point}", edge_id: E1, chainage_m: 50}}]\n'
    (landing / f"{MINE}.site.yaml").write_text(SITE + ZONES + placed, encoding="utf-8")
    definitions(landing, -1, {"point_code": point})
    for minute in range(-2, 4):
        values(landing, minute, {point: 0.2})
    paint_clip(landing / f"{MINE}_{CAMERA}_20260301120000.mp4", 10, walks_in, head="bare_head")
    take(light, landing)
    build(light, selection="conform,hazard_index,area_minute")
    before = behaviours_by_minute(light)
    assert set(before.values()) == {None}
    assert run(light)["gold.area_minute"].changed == 1
    after = behaviours_by_minute(light)
    assert after == before | {BEGAN: 3}


def test_the_job_asks_for_no_detector_where_nothing_is_due(light: LightEngine):
    assert [built.changed for built in run_job(light, "unsafe_behaviour")] == [0, 0, 0, 0]
