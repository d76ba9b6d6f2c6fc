"""`minefusion simulate mine`: an invented mine's exchange files, and the truth beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from minefusion.cli.call import emit, words
from minefusion.cli.progress import Progress
from minefusion.schemas.window import parse_instant

command = typer.Typer(no_args_is_help=True)


@command.callback()
def _kinds() -> None:
    """What to simulate."""


@command.command()
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


@command.command()
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
