"""`minefusion stream`: the jobs kept running, one line a cycle."""

from __future__ import annotations

import signal
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from minefusion.cli.call import as_json, call, settings, words


def command(
    landing: Annotated[Path, typer.Argument(metavar="DIR", help="交换文件所在目录 · Folder of the exchange files")],
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="目录中的文件全部处理完后结束 · End when all that lies there is done")
    ] = False,
    settle_every: Annotated[
        float,
        typer.Option(min=0.0, help="融合表更新最短间隔（秒）· Seconds between rounds of the fused tables"),
    ] = 10.0,
) -> None:
    """持续读入目录中的新文件并更新所有数据表 · Keep every table up to date with a folder, until told to stop."""
    from minefusion.pipelines.engines import open_engine
    from minefusion.pipelines.jobs.stream.cycle import stream

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    engine = open_engine(settings())
    cycles = stream(
        settings(), landing, engine, is_stopped=stopped.is_set, until_idle=until_idle, settle_every_s=settle_every
    )
    for cycle in cycles:
        call.has_emitted = True
        if call.output == "json":
            print(as_json(asdict(cycle)), flush=True)
        else:
            print(
                words(
                    f"文件 {cycle.files}，记录 {cycle.records}，改动 {cycle.changed} 行，{cycle.seconds:.2f} 秒，"
                    f"滞后 {cycle.lag_s:.2f} 秒，融合表落后 {cycle.behind_s:.1f} 秒",
                    f"files {cycle.files}, records {cycle.records}, {cycle.changed} rows changed, "
                    f"{cycle.seconds:.2f} s, lag {cycle.lag_s:.2f} s, fused tables behind {cycle.behind_s:.1f} s",
                ),
                flush=True,
            )
