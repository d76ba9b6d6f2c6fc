"""`minefusion train`: a model is trained, judged on the newest data, logged, and promoted where it is better."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from minefusion.cli.build import From, Mines, To
from minefusion.cli.call import emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.schemas.errors import InputError, NotInOrderError
from minefusion.schemas.schedule import UNCHANGED
from minefusion.schemas.window import parse_window

command = typer.Typer(no_args_is_help=True)

Folder = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="只写训练结果到此目录，不登记 · Leave the training here, log nothing"),
]

SkipRefused = Annotated[
    bool,
    typer.Option("--skip-refused", help=f"未晋升时退出码 {UNCHANGED} · Exit {UNCHANGED} where it is not promoted"),
]


@command.callback()
def _names() -> None:
    """What to train."""


@command.command("seismic_hazard", epilog="train seismic_hazard --series shifts.parquet")
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


@command.command("methane_forecast", epilog="train methane_forecast --series gas.parquet --mapping map.yaml")
def methane_forecast(
    series: Annotated[
        Path | None, typer.Option(metavar="FILE", help="实测表；不给则用 silver · A measured table; else silver")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(metavar="YAML", help="实测表的对照文件 · Which column is which sensor")
    ] = None,
    mine: Mines = None,
    weeks: Annotated[int, typer.Option(min=1, help="用最近几周的读数 · Weeks of readings, the newest")] = 8,
    start: From = None,
    end: To = None,
    source: Annotated[str | None, typer.Option(help="数据名称 · What the data is called")] = None,
    licence: Annotated[str, typer.Option(help="数据许可 · Licence of the data, for the card")] = "",
    folder: Folder = None,
    skip_refused: SkipRefused = False,
) -> None:
    """瓦斯预测：用实测表或 silver 训练 · The methane forecast, on a measured table or on what silver holds."""
    from minefusion.pipelines.jobs.forecast.registering import champion_folder
    from minefusion.pipelines.jobs.forecast.train_methane import (
        NothingToLearnError,
        from_files,
        from_newest,
        train_methane,
    )

    if (series is None) != (mapping is None):
        raise InputError("expected --series with --mapping, got one of them; give both, or neither to train on silver")
    with Progress("train methane_forecast") as progress, tempfile.TemporaryDirectory() as scratch:
        try:
            if series is not None and mapping is not None:
                data = from_files(series, mapping, called=source)
            else:
                from minefusion.pipelines.engines import open_engine

                data = from_newest(open_engine(settings()), mine, weeks=weeks, window=parse_window(start, end))
            champion = None if folder is not None else champion_folder(settings(), "methane_forecast")
            target = folder or Path(scratch)
            run, losses_of = train_methane(data, target, champion=champion, licence=licence, progress=progress)
        except NothingToLearnError as error:
            if not skip_refused:
                raise
            emit({"promoted": False, "why": str(error)}, str(error))
            raise typer.Exit(UNCHANGED) from None
        if folder is not None:
            emit({"model": run.model, "folder": folder, "metrics": dict(run.metrics)}, str(folder))
            return
        answer(run, losses_of, skip_refused=skip_refused)


@command.command(
    "methane_network", epilog="train methane_network --series gas.parquet --mapping map.yaml --out runs/network"
)
def methane_network(
    series: Annotated[Path, typer.Option(metavar="FILE", help="实测表 · A measured table")],
    mapping: Annotated[Path, typer.Option(metavar="YAML", help="实测表的对照文件 · Which column is which sensor")],
    folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="训练结果目录 · Folder for the training")],
    seeds: Annotated[int, typer.Option(min=1, help="模拟班的种子数 · Seeds of simulated shifts")] = 8,
    pretrain: Annotated[
        Path | None,
        typer.Option(metavar="NPZ", help="只在模拟班上预训练，权重写到此文件 · Only pre-train; weights to this file"),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu 或 cuda · cpu or cuda")] = "cpu",
    source: Annotated[str | None, typer.Option(help="数据名称 · What the data is called")] = None,
    licence: Annotated[str, typer.Option(help="数据许可 · Licence of the data, for the card")] = "",
) -> None:
    """任意测点的瓦斯预测网络：模拟班预训练，实测微调 · The network for any point: simulated shifts, then a series."""
    from minefusion.pipelines.jobs.forecast.pretrain import pretrain as pretrain_on_shifts
    from minefusion.pipelines.jobs.forecast.train_network import train_network

    if device not in ("cpu", "cuda"):
        raise InputError(f"expected --device cpu or cuda, got '{device}'; choose one of them")
    scratch = settings().home / "simulated_windows"
    with Progress("train methane_network") as progress:
        if pretrain is not None:
            losses = pretrain_on_shifts(pretrain, scratch, seeds=seeds, device=device, progress=progress)
            emit({"model": "methane_network", "folder": pretrain, "losses": losses}, str(pretrain))
            return
        run = train_network(
            series, mapping, folder, scratch=scratch, seeds=seeds, source=source, licence=licence, device=device,
            progress=progress,
        )  # fmt: skip
    emit({"model": run.model, "folder": folder, "metrics": dict(run.metrics)}, str(folder))


@command.command(
    "unsafe_behaviour", epilog="train unsafe_behaviour --data data.yaml --weights start.pt --out runs/first"
)
def unsafe_behaviour(
    data: Annotated[
        list[Path], typer.Option(metavar="YAML", help="YOLO 数据集，可重复 · A data.yaml; several are joined")
    ],
    weights: Annotated[Path, typer.Option(metavar="PT", help="起始权重 · Checkpoint to begin with")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="本次训练的目录，断点在此 · Folder of this training and its checkpoints")
    ],
    device: Annotated[str, typer.Option(help="cpu 或 cuda · cpu or cuda")] = "cpu",
    classes: Annotated[
        Path | None, typer.Option(metavar="YAML", help="类别对照文件 · {their class: our class or null}")
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="只学这些类别，逗号分隔 · Our classes to learn, comma-joined")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 50,
    image_px: Annotated[int, typer.Option("--image-px", min=64, help="输入边长 · Longer side, pixels")] = 320,
    batch: Annotated[int, typer.Option(min=1)] = 16,
    seed: Annotated[int, typer.Option(help="随机种子 · Seed")] = 0,
    mosaic: Annotated[float, typer.Option(min=0.0, max=1.0, help="拼图增强 · Share made of four pictures")] = 0.0,
    freeze: Annotated[int, typer.Option(min=0, help="前几层不训练 · First layers that stay as they are")] = 0,
    dark: Annotated[float, typer.Option(min=0.0, max=1.0, help="亮度变化幅度 · How far brightness may vary")] = 0.6,
    zoom: Annotated[float, typer.Option(min=0.0, max=0.9, help="尺度变化幅度 · How far sizes may vary")] = 0.5,
    underground: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="另存为井下观感的比例 · Share kept once more as if underground")
    ] = 0.0,
    multi_scale: Annotated[
        bool, typer.Option("--multi-scale", help="多尺度，用于 GPU · Sizes vary; for a GPU")
    ] = False,
    minutes: Annotated[
        float | None, typer.Option(min=0.5, help="最多训练这些分钟，再次运行则继续 · Stop by then; run again to go on")
    ] = None,
    tunnel: Annotated[
        bool, typer.Option("--tunnel", help="登记为 unsafe_behaviour_tunnel · Register as unsafe_behaviour_tunnel")
    ] = False,
    source: Annotated[str | None, typer.Option(help="数据名称 · What the data is called")] = None,
    licence: Annotated[str, typer.Option(help="数据许可 · Licence of the data, for the card")] = "",
    only_leave: Annotated[
        bool, typer.Option("--only-leave", help="只写训练结果，不登记 · Leave the training there, log nothing")
    ] = False,
    skip_refused: SkipRefused = False,
) -> None:
    """视频检测模型（ultralytics，AGPL-3.0） · The detector of people and what they wear (ultralytics, AGPL-3.0)."""
    import sys

    from minefusion.models.unsafe_behaviour.agpl.train import Recipe, with_device
    from minefusion.models.unsafe_behaviour.dataset import load_dataset
    from minefusion.pipelines.jobs.video.train_detector import champion_losses, train_detector
    from minefusion.schemas.video_classes import load_mapping

    if device not in ("cpu", "cuda"):
        raise InputError(f"expected --device cpu or cuda, got '{device}'; choose one of them")
    recipe = Recipe(
        epochs=epochs, image_px=image_px, batch=batch, seed=seed, mosaic=mosaic, dark=dark, scale=zoom,
        multi_scale=multi_scale, freeze=freeze,
    )  # fmt: skip
    with Progress("train unsafe_behaviour") as progress:
        done = train_detector(
            data, weights, out, with_device(recipe, device), mapping=load_mapping(classes) if classes else None,
            classes=only.split(",") if only else None, underground_share=underground,
            budget_s=minutes * 60 if minutes else None,
            model="unsafe_behaviour_tunnel" if tunnel else "unsafe_behaviour", source=source,
            licence=licence, command=" ".join(["minefusion", *sys.argv[1:]]), progress=progress,
        )  # fmt: skip
        found = [{"code": each.code, "count": each.count, "examples": each.examples} for each in done.findings]
        if done.run is None:
            trained = done.trained
            emit(
                {"done": False, "epochs_done": trained.epochs_done, "epochs": trained.epochs, "findings": found},
                words(
                    f"已训练 {trained.epochs_done}/{trained.epochs} 轮；再运行同一命令则继续",
                    f"{trained.epochs_done} of {trained.epochs} epochs; run the same command to go on",
                ),
            )
            return
        if only_leave:
            told = {"done": True, "model": done.run.model, "folder": done.run.folder, "findings": found}
            emit(told | {"metrics": dict(done.run.metrics)}, str(done.run.folder))
            return
        judged_on = load_dataset(out / "data" / "data.yaml")
        answer(done.run, lambda champion: champion_losses(champion, judged_on), skip_refused=skip_refused)


@command.command("log", epilog="train log runs/first")
def log(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="训练结果目录 · Folder that a training left")],
) -> None:
    """登记在别处完成的训练，作为挑战者 · Log a training that was done elsewhere; it becomes the challenger."""
    from minefusion.models.training_run import read_run
    from minefusion.pipelines.jobs.forecast.registering import log_only

    version = log_only(settings(), read_run(folder))
    told = {"run_id": version.run_id, "model": version.model, "version": version.number, "alias": version.aliases[0]}
    emit(told | {"metrics": dict(version.metrics)}, version.label)


def answer(run: Any, champion_losses: Any, *, skip_refused: bool = False) -> None:
    """Register the run and print what became of it; exit code 1 where it was refused, or UNCHANGED on request."""
    from minefusion.pipelines.jobs.forecast.registering import register

    found = register(settings(), run, champion_losses)
    label = f"{found['model']} {found['version']}"
    why = words(found.pop("why_zh"), found["why"])
    verdict = words("晋升为 champion", "promoted to champion") if found["promoted"] else words("未晋升", "not promoted")
    emit(found, f"{label}: {verdict}\n{why}")
    if not found["promoted"] and skip_refused:
        raise typer.Exit(UNCHANGED)
    if not found["promoted"]:
        raise NotInOrderError(f"{label}: {why}")
