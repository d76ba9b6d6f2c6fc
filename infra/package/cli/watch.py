"""`minefusion watch`: live cameras in one process, one line a second."""

from __future__ import annotations

import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from minefusion.cli.call import as_json, call, settings, warn, words


def command(
    cameras: Annotated[
        Path, typer.Option(metavar="YAML", help="站点文件或摄像机文件 · Site file or camera file, with camera_streams")
    ],
    model: Annotated[
        str | None, typer.Option(help="champion、随附模型名或 .onnx · champion, a shipped model, or an .onnx file")
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=1.0, help="到时结束 · End after so many seconds")] = None,
    only_look: Annotated[bool, typer.Option("--only-look", help="不写入数据湖 · Keep nothing in the lake")] = False,
) -> None:
    """实时监视多路摄像机，发现不安全行为 · Watch live cameras for unsafe behaviour, until told to stop."""
    from minefusion.pipelines.engines import open_engine
    from minefusion.pipelines.jobs.video.detectors import detector_of
    from minefusion.pipelines.jobs.video.judging import pose_of
    from minefusion.pipelines.jobs.video.live_record import LiveRecord
    from minefusion.pipelines.jobs.video.plant_state import PlantState, plant_state
    from minefusion.pipelines.jobs.video.watching import Watching, event_told, fault_told, machines_and_areas
    from minefusion.schemas.site_cameras import load_views, with_streams
    from minefusion.schemas.window import Window

    views = with_streams(load_views(cameras))
    detector = detector_of(settings(), model)
    engine = open_engine(settings()).in_process
    machines, areas = machines_and_areas(list(views.values()))
    mine = next(iter(views.values())).mine_code

    def plant() -> PlantState:
        now = datetime.now(UTC)
        return plant_state(engine, mine, Window(now, now + timedelta(seconds=1)), machines, areas)

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    ends_at = time.monotonic() + seconds if seconds else float("inf")
    record = None if only_look else LiveRecord(engine, detector.version)
    watching = Watching(views, detector, plant=plant, record=record, pose=pose_of(settings().video))
    for second in watching.seconds(lambda: stopped.is_set() or time.monotonic() >= ends_at):
        call.has_emitted = True
        told = {
            "streams": second.streams,
            "fps": second.pictures,
            "dropped": second.dropped,
            "delay_s_p95": second.delay_s_p95,
            "events": len(second.raised),
            "raised": [event_told(event) for event in second.raised],
            "ended": [event_told(event) for event in second.ended],
            "faults": [fault_told(fault) for fault in second.faults],
        }
        if call.output == "json":
            print(as_json(told), flush=True)
            continue
        delay = "-" if second.delay_s_p95 is None else f"{second.delay_s_p95:.2f}"
        print(
            words(
                f"{second.streams}/{len(views)} 路 {second.pictures} 帧/秒，丢弃 {second.dropped}，p95 延迟 {delay} s",
                f"{second.streams}/{len(views)} streams, {second.pictures} pictures/s, {second.dropped} dropped, "
                f"delay p95 {delay} s",
            ),
            flush=True,
        )
        for text in [(each.sentence_zh, each.sentence_en) for each in second.raised] + [
            (each.sentence_zh, each.sentence_en) for each in second.faults
        ]:
            warn(words(*text))
