"""`minefusion ingest`: exchange files into bronze, each with a verdict, every record accounted for."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.schemas.schedule import UNCHANGED


def command(
    landing: Annotated[Path, typer.Argument(metavar="DIR", help="交换文件所在目录 · Folder of the exchange files")],
    family: Annotated[
        str | None, typer.Option(help="safety_monitoring 或 positioning；不填为全部 · One family; else every file")
    ] = None,
    mine: Annotated[
        list[str] | None, typer.Option(help="煤矿编码，可重复 · Mine code, may be repeated; else every mine")
    ] = None,
    skip_unchanged: Annotated[
        bool,
        typer.Option("--skip-unchanged", help=f"无新数据时退出码 {UNCHANGED} · Exit {UNCHANGED} when nothing is new"),
    ] = False,
) -> None:
    """把目录中的新文件读入 bronze · Bring bronze up to date with a folder of exchange files."""
    from minefusion.pipelines.jobs.ingest import ingest

    with Progress("ingest") as progress:
        done = ingest(settings(), landing, family=family, mines=mine, progress=progress)
    result = asdict(done) | {"seconds": round(done.seconds, 3)}
    verdicts = ", ".join(f"{verdict} {count}" for verdict, count in done.files.items() if count)
    fates = ", ".join(f"{fate} {count}" for fate, count in done.records.items() if count)
    clips = ", ".join(f"{verdict} {count}" for verdict, count in done.clips.items() if count)
    more_zh = (f"；视频片段：{clips}" if clips else "") + (f"；跳过链接 {done.links} 个" if done.links else "")
    more_en = (f"; clips: {clips}" if clips else "") + (f"; {done.links} links passed over" if done.links else "")
    emit(
        result,
        words(
            f"文件：{verdicts or '无新文件'}；记录：{fates or '0'}{more_zh}；台账改动 {done.changed} 行；"
            f"{done.seconds:.1f} 秒",
            f"files: {verdicts or 'none new'}; records: {fates or '0'}{more_en}; {done.changed} ledger rows changed; "
            f"{done.seconds:.1f} s",
        ),
    )
    if skip_unchanged and done.changed == 0:
        raise typer.Exit(UNCHANGED)
