"""`minefusion run`: one job, the line that a DAG's task runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from minefusion.cli.build import JOBS, From, Mines, To, emit_built
from minefusion.cli.call import emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.cli.table import as_text
from minefusion.schemas.errors import InputError
from minefusion.schemas.schedule import UNCHANGED
from minefusion.schemas.window import parse_window

if TYPE_CHECKING:
    from minefusion.pipelines.jobs.maintain import Maintenance

# It stands beside the graph: it makes no table.
MAINTAIN = "maintain"
# They stand beside the graph too: each asks a model.
MODEL_JOBS = "score_methane, score_seismic, monitor_models, unsafe_behaviour, camera_health"


def command(
    job: Annotated[str, typer.Argument(metavar="JOB", help=f"{JOBS}; {MODEL_JOBS}; {MAINTAIN}")],
    start: From = None,
    end: To = None,
    mine: Mines = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(help="摄像机编码，可重复，仅用于 unsafe_behaviour · Camera, may be repeated; of unsafe_behaviour"),
    ] = None,
    skip_unchanged: Annotated[
        bool,
        typer.Option("--skip-unchanged", help=f"无改动时退出码 {UNCHANGED} · Exit {UNCHANGED} when nothing changed"),
    ] = False,
) -> None:
    """运行一个作业；不给时段则只算新数据 · Run one job; without a span, for what is new.

    maintain 删除超过保存期限的行，合并小文件，写检查点，清理磁盘 ·
    maintain removes rows past their time of keeping, joins small files, writes checkpoints, frees disk;
    with --mine also those of a mine at rest.
    """
    window = parse_window(start, end)
    if job == MAINTAIN:
        if window is not None:
            raise InputError("expected no --from and --to for maintain: how long rows are kept says their table's card")
        changed = _maintain(mine)
    else:
        from minefusion.pipelines.engines import open_engine
        from minefusion.pipelines.jobs.build import run_job

        with Progress(job) as progress:
            built = run_job(open_engine(settings()), job, window=window, mines=mine, cameras=camera, progress=progress)
        changed = emit_built(built)
    if changed == 0 and skip_unchanged:
        raise typer.Exit(UNCHANGED)


def _maintain(mines: list[str] | None) -> int:
    """Maintain the lake, which needs no JVM; returns how many rows were removed."""
    from minefusion.pipelines.engines import open_engine
    from minefusion.pipelines.jobs.maintain import maintain

    with Progress(MAINTAIN) as progress:
        done = maintain(open_engine(settings(), "light"), mines=mines, progress=progress)
    tables = [asdict(table) | {"seconds": round(table.seconds, 3)} for table in done.tables]
    held = [{"mine_code": mine, "why": why} for mine, why in sorted(done.held.items())]
    emit({"tables": tables, "changed": done.changed, "held": held}, _as_text(done))
    return done.changed


def _as_text(done: Maintenance) -> str:
    from minefusion.pipelines.jobs.maintain import AT_REST, RESTING

    if not done.tables:
        return words("没有数据", "no data yet")
    names = words(
        "表 删除 行数 保留起点 合并文件 清理文件 秒", "table removed rows kept_from joined freed seconds"
    ).split()
    keys = ("name", "changed", "rows", "kept_from", "joined", "freed", "seconds")
    columns = [[getattr(table, key) for table in done.tables] for key in keys]
    columns[-1] = [round(seconds, 2) for seconds in columns[-1]]
    lines = [as_text(names, columns)]
    for mine, why in sorted(done.held.items()):
        if why == RESTING:
            lines.append(
                words(
                    f"煤矿 {mine} 已 {AT_REST.days} 天没有数据，什么都不删；要删则加 --mine {mine}",
                    f"mine {mine} has sent nothing for {AT_REST.days} days: nothing of it is removed; "
                    f"--mine {mine} removes it",
                )
            )
        else:
            lines.append(
                words(
                    f"煤矿 {mine} 有到期的记录还没有进入 silver，暂不删除；先运行 minefusion run conform --mine {mine}",
                    f"mine {mine} has records past their time that are not in silver yet, so they stay; "
                    f"run minefusion run conform --mine {mine}",
                )
            )
    return "\n".join(lines)
