"""`minefusion replay`: a measured table as the exchange files that its mine would have sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from minefusion.cli.call import emit, words
from minefusion.cli.progress import Progress
from minefusion.schemas.window import parse_instant


def command(
    table: Annotated[Path, typer.Argument(metavar="FILE", help="实测表，.parquet 或 .csv · Measured table")],
    mapping: Annotated[Path, typer.Option(help="对照文件：列与测点 · YAML: which column is which sensor")],
    start: Annotated[
        str | None,
        typer.Option(
            metavar="ISO", help="相对时间的零点，或首行的时刻 · Instant of elapsed time 0, or of the first clock time"
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="交换文件写到这里 · Folder for the exchange files")] = Path("landing"),
) -> None:
    """把实测表写成交换文件和场地文件 · Write a measured table as exchange files, with its site file."""
    from minefusion.pipelines.replay.files import replay
    from minefusion.pipelines.replay.mapping import load_mapping

    declared = load_mapping(mapping)
    begin = parse_instant(start, "--start") if start else None
    with Progress("replay") as progress:
        done = replay(table, declared, out, start=begin, progress=progress)
    records = sum(done.records.values())
    emit(
        {
            "files": done.files,
            "records": records,
            "points": done.points,
            "kinds": done.records,
            "period_s": done.period_s,
        },
        words(
            f"写出 {done.files} 个文件、{records} 条记录、{done.points} 个测点：{out}",
            f"wrote {done.files} files, {records} records, {done.points} points: {out}",
        ),
    )
