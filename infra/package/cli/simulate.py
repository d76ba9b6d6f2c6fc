"""`minefusion simulate`: an invented mine or plant, or rendered clips, and the truth beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from minefusion.cli.call import emit, words
from minefusion.cli.progress import Progress
from minefusion.schemas.errors import InputError
from minefusion.schemas.window import parse_instant

command = typer.Typer(no_args_is_help=True)


@command.callback()
def _kinds() -> None:
    """What to simulate."""


@command.command(epilog="simulate mine --scenario gas_event --hours 8 --seed 1 --out landing --truth truth")
def mine(
    scenario: Annotated[str, typer.Option(help="场景名 · Name of the scenario")] = "normal",
    hours: Annotated[
        float | None, typer.Option(min=0.01, help="时长，小时；缺省由场景定 · Length in hours; else the scenario's own")
    ] = None,
    seed: Annotated[int, typer.Option(help="随机种子 · Same seed, same bytes")] = 1,
    out: Annotated[Path, typer.Option(help="交换文件写到这里 · Folder for the exchange files")] = Path("landing"),
    truth: Annotated[Path, typer.Option(help="真值写到这里 · Folder for the truth")] = Path("truth"),
    start: Annotated[str | None, typer.Option(help="起点，ISO 8601 · First instant, ISO 8601")] = None,
    roadways: Annotated[int | None, typer.Option(min=1, help="巷道数 · Number of roadways")] = None,
    people: Annotated[int | None, typer.Option(min=0, help="人数 · Number of people")] = None,
) -> None:
    """模拟一座煤矿的一段时间 · Simulate one mine for some hours."""
    from minefusion.pipelines.simulate import load_scenario, simulate_mine

    chosen = {
        "hours": hours,
        "roadways": roadways,
        "people": people,
        "start": parse_instant(start, "--start") if start else None,
    }
    given: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    length = load_scenario(scenario).hours if hours is None else hours
    with Progress(f"simulate {scenario}", total=length * 60, unit="min") as progress:
        made = simulate_mine(scenario, seed=seed, out=out, truth=truth, progress=progress, **given)
    files, records = sum(made.files.values()), sum(made.records.values())
    emit(
        {"files": files, "records": dict(made.records), "seconds": round(made.seconds, 3)},
        words(
            f"写出 {files} 个文件、{records} 条记录，用时 {made.seconds:.1f} 秒：{out}；真值：{truth}",
            f"wrote {files} files, {records} records in {made.seconds:.1f} s: {out}; truth: {truth}",
        ),
    )


@command.command(epilog="simulate plant --hours 4 --seed 1 --out landing --truth truth")
def plant(
    scenario: Annotated[str, typer.Option(help="normal 或 abnormal · normal or abnormal")] = "abnormal",
    hours: Annotated[float, typer.Option(min=0.1, help="时长，小时 · Length in hours")] = 4.0,
    seed: Annotated[int, typer.Option(help="随机种子 · Same seed, same bytes")] = 1,
    out: Annotated[Path, typer.Option(help="交换文件写到这里 · Folder for the exchange files")] = Path("landing"),
    truth: Annotated[Path, typer.Option(help="真值写到这里 · Folder for the truth")] = Path("truth"),
    start: Annotated[str | None, typer.Option(help="起点，ISO 8601 · First instant, ISO 8601")] = None,
) -> None:
    """模拟一座化工厂，按规则包检查 · Simulate a chemical plant, which a rule pack is checked against."""
    from minefusion.pipelines.simulate.plant import simulate_plant

    given = {"start": parse_instant(start, "--start")} if start else {}
    with Progress(f"simulate plant {scenario}", total=hours * 60, unit="min") as progress:
        made = simulate_plant(scenario, hours=hours, seed=seed, out=out, truth=truth, progress=progress, **given)
    files, records = sum(made.files.values()), sum(made.records.values())
    emit(
        {"files": files, "records": dict(made.records), "seconds": round(made.seconds, 3)},
        words(
            f"写出 {files} 个文件、{records} 条记录，用时 {made.seconds:.1f} 秒：{out}；真值：{truth}",
            f"wrote {files} files, {records} records in {made.seconds:.1f} s: {out}; truth: {truth}",
        ),
    )


@command.command(epilog="simulate video --layout belt-101 --minutes 2 --seed 1 --out landing --truth truth")
def video(
    layout: Annotated[
        list[str],
        typer.Option(help="布局，可重复：belt-101 … · Layout, may be repeated; numbers from 101 are for tests"),
    ],
    minutes: Annotated[int, typer.Option(min=1, help="每个布局的分钟数 · Minutes of each layout")] = 1,
    seed: Annotated[int, typer.Option(help="随机种子 · Same seed, same bytes")] = 1,
    out: Annotated[Path, typer.Option(help="录像写到这里 · Folder for the clips")] = Path("landing"),
    truth: Annotated[Path, typer.Option(help="真值写到这里 · Folder for the truth")] = Path("truth"),
    start: Annotated[str, typer.Option(help="起点，ISO 8601 · First instant, ISO 8601")] = "2026-03-01T00:00Z",
    fps: Annotated[int, typer.Option(min=1, max=30, help="帧率 · Pictures a second")] = 10,
    quiet_share: Annotated[
        float,
        typer.Option(
            "--quiet-share", min=0.0, max=1.0, help="无事录像的比例 · Share of clips in which nothing happens"
        ),
    ] = 0.4,
) -> None:
    """渲染巷道录像及其真值 · Render clips of a roadway: people, belt, dust, dark; and what is true of them."""
    from minefusion.pipelines.simulate.video import simulate_video

    with Progress("simulate video", total=minutes * len(layout), unit="min") as progress:
        made = simulate_video(
            layout, minutes=minutes, seed=seed, out=out, truth=truth, start=parse_instant(start, "--start"), fps=fps,
            quiet_share=quiet_share, progress=progress,
        )  # fmt: skip
    emit(
        {"clips": made.clips, "frames": made.frames, "events": made.events},
        words(
            f"写出 {made.clips} 段录像、{made.frames} 帧、{made.events} 个事件：{out}；真值：{truth}",
            f"wrote {made.clips} clips, {made.frames} frames, {made.events} events: {out}; truth: {truth}",
        ),
    )


@command.command(epilog="simulate pictures --count 400 --split val --out pictures")
def pictures(
    count: Annotated[int, typer.Option(min=1, help="图片数 · Number of pictures")] = 400,
    split: Annotated[
        str, typer.Option(help="train、val 或 test：布局各不相同 · train, val or test: other layouts")
    ] = "train",
    seed: Annotated[int, typer.Option(help="随机种子 · Same seed, same bytes")] = 1,
    out: Annotated[Path, typer.Option(help="数据集写到这里 · Folder of the data set")] = Path("pictures"),
) -> None:
    """渲染带标注的训练图片（YOLO 格式） · Render labelled pictures to train on, in YOLO's form."""
    from minefusion.pipelines.simulate.video import LAYOUTS, render_pictures

    if split not in LAYOUTS:
        raise InputError(f"expected --split as one of {', '.join(LAYOUTS)}, got '{split}'; choose one of them")
    with Progress("simulate pictures", total=count, unit="") as progress:
        boxes = render_pictures(LAYOUTS[split], count=count, seed=seed, out=out, split=split, progress=progress)
    emit(
        {"pictures": count, "boxes": boxes},
        words(f"写出 {count} 张图片、{boxes} 个标注框：{out}", f"wrote {count} pictures with {boxes} boxes: {out}"),
    )
