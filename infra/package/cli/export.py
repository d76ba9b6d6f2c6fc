"""`minefusion export`: silver and gold as exchange files for the regulator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.schemas.window import Window, parse_instant


def command(
    mine: Annotated[str, typer.Option(metavar="CODE", help="煤矿编码 · Mine code")],
    start: Annotated[str, typer.Option("--from", metavar="ISO", help="开始时刻（含） · From this instant on")],
    end: Annotated[str, typer.Option("--to", metavar="ISO", help="结束时刻（不含） · Before this instant")],
    out: Annotated[Path, typer.Option(help="交换文件写到这里 · Folder for the exchange files")],
    kinds: Annotated[
        str,
        typer.Option(
            metavar="KIND,…",
            help="文件类型：CDSS、TJSJ、YCBJ；省级 AQMC、AQKC、AQFC、AQSS、AQLJ、AQFZ · "
            "Kinds of file, national or provincial",
        ),
    ] = "CDSS,TJSJ,YCBJ",
) -> None:
    """把 silver 和 gold 写成上报文件 · Write silver and gold as files for the regulator."""
    from minefusion.pipelines.engines import open_engine
    from minefusion.pipelines.jobs.export import export

    window = Window(parse_instant(start, "--from"), parse_instant(end, "--to"))
    wanted = [kind.strip() for kind in kinds.split(",") if kind.strip()]
    with Progress("export") as progress:
        done = export(open_engine(settings()), mine, window, out, wanted, progress)
    records = sum(done.records.values())
    emit(
        {
            "files": done.files,
            "records": records,
            "kinds": dict(done.records),
            "left_out": dict(done.left_out),
            "seconds": round(done.seconds, 3),
        },
        words(
            f"写出 {done.files} 个文件、{records} 条记录：{out}", f"wrote {done.files} files, {records} records: {out}"
        ),
    )
