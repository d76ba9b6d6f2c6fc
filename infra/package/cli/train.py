"""`minefusion train`: a model is trained, judged on the newest data, logged, and promoted where it is better."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.schemas.errors import NotInOrderError

command = typer.Typer(no_args_is_help=True)

Folder = Annotated[
    Path | None,
    typer.Option("--to", metavar="DIR", help="只写训练结果到此目录，不登记 · Leave the training here, log nothing"),
]


@command.callback()
def _names() -> None:
    """What to train."""


@command.command("seismic_hazard")
def seismic_hazard(
    series: Annotated[Path, typer.Option(metavar="FILE", help="按时间排列的班 · Shifts in time order, .parquet, .csv")],
    reduced: Annotated[
        bool, typer.Option("--reduced", help="只用微震事件，不用地音 · Seismic events alone, no geophones")
    ] = False,
    source: Annotated[str | None, typer.Option(help="数据名称 · What the data is called")] = None,
    licence: Annotated[str, typer.Option(help="数据许可 · Licence of the data, for the card")] = "",
    folder: Folder = None,
) -> None:
    """下一班强微震概率 · The chance of a strong bump in the next shift."""
    from minefusion.models.seismic_hazard import package
    from minefusion.pipelines.jobs.forecast.train_seismic import champion_losses, train_seismic

    with Progress("train seismic_hazard"), tempfile.TemporaryDirectory() as scratch:
        run = train_seismic(series, folder or Path(scratch), reduced=reduced, source=source, licence=licence)
        if folder is not None:
            emit({"model": run.model, "folder": folder, "metrics": dict(run.metrics)}, str(folder))
            return
        answer(run, lambda champion: champion_losses(package.read(champion), series))


@command.command("log")
def log(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="训练结果目录 · Folder that a training left")],
) -> None:
    """登记在别处完成的训练，作为挑战者 · Log a training that was done elsewhere; it becomes the challenger."""
    from minefusion.models.training_run import read_run
    from minefusion.pipelines.jobs.forecast.registering import log_only

    version = log_only(settings(), read_run(folder))
    told = {"run_id": version.run_id, "model": version.model, "version": version.number, "alias": version.aliases[0]}
    emit(told | {"metrics": dict(version.metrics)}, version.label)


def answer(run: Any, champion_losses: Any) -> None:
    """Register the run and print what became of it; exit code 1 where it was refused."""
    from minefusion.pipelines.jobs.forecast.registering import register

    found = register(settings(), run, champion_losses)
    label = f"{found['model']} {found['version']}"
    why = words(found.pop("why_zh"), found["why"])
    verdict = words("晋升为 champion", "promoted to champion") if found["promoted"] else words("未晋升", "not promoted")
    emit(found, f"{label}: {verdict}\n{why}")
    if not found["promoted"]:
        raise NotInOrderError(f"{label}: {why}")
