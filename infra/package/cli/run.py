"""`minefusion run`: one job, the line that a DAG's task runs."""

from __future__ import annotations

from typing import Annotated

import typer

from minefusion.cli.build import JOBS, From, Mines, To, emit_built
from minefusion.cli.call import settings
from minefusion.cli.progress import Progress
from minefusion.schemas.schedule import UNCHANGED
from minefusion.schemas.window import parse_window


def command(
    job: Annotated[str, typer.Argument(metavar="JOB", help=JOBS)],
    start: From = None,
    end: To = None,
    mine: Mines = None,
    skip_unchanged: Annotated[
        bool,
        typer.Option("--skip-unchanged", help=f"无改动时退出码 {UNCHANGED} · Exit {UNCHANGED} when nothing changed"),
    ] = False,
) -> None:
    """运行一个作业；不给时段则只算新数据 · Run one job; without a span, for what is new."""
    from minefusion.pipelines.engines import open_engine
    from minefusion.pipelines.jobs.build import run_job

    window = parse_window(start, end)
    with Progress(job) as progress:
        built = run_job(open_engine(settings()), job, window=window, mines=mine, progress=progress)
    if emit_built(built) == 0 and skip_unchanged:
        raise typer.Exit(UNCHANGED)
