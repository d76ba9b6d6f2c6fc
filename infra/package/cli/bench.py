"""`minefusion bench`: speed as a ratio to the plain tool on the same work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from minefusion.cli.call import call, emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.schemas.errors import InputError

command = typer.Typer(no_args_is_help=True)


@command.callback()
def _names() -> None:
    """What to measure."""


@command.command(epilog="bench ingest --scale 0.1")
def ingest(
    scale: Annotated[float, typer.Option(min=0.001, help="1 为一千万条记录 · 1 is ten million records")] = 1.0,
    scratch: Annotated[Path | None, typer.Option(help="临时数据放在这里 · Folder for the scratch data")] = None,
    part: Annotated[
        list[str] | None, typer.Option(help="只测 records、cycles 或 files · Only records, cycles or files")
    ] = None,
) -> None:
    """读入速度，与纯 Spark、纯 Polars 相比 · Speed of the ingest beside plain Spark and plain Polars."""
    from minefusion.pipelines.jobs.bench.ingest import OURS, PARTS, bench_ingest

    engines = OURS if call.engine in (None, "auto") else (call.engine,)
    with Progress("bench ingest") as progress:
        found = bench_ingest(scale=scale, engines=engines, parts=part or PARTS, keep_in=scratch, progress=progress)
    emit(found, _table(found))


@command.command(epilog="bench sql")
def sql() -> None:
    """冷启动查询的响应时间，与裸 delta-rs 脚本相比 · How soon a cold query answers, beside a bare delta-rs script."""
    from minefusion.pipelines.jobs.bench.sql import bench_sql

    with Progress("bench sql") as progress:
        found = bench_sql(settings(), progress=progress)
    lines = [f"{row['case']:16} p95 {row['seconds']:.3f} s" + _beside(row) for row in found["results"]]
    emit(found, "\n".join(lines))


@command.command(epilog="bench stream --engine light --scale 0.5")
def stream(
    scale: Annotated[float, typer.Option(min=0.001, help="1 为五千测点每秒一次 · 1 is 5,000 points at 1 Hz")] = 1.0,
    scratch: Annotated[Path | None, typer.Option(help="临时数据放在这里 · Folder for the scratch data")] = None,
) -> None:
    """超限值到报警行的时间，与最简循环相比 · From gas over its limit to its row of gold.alarm, beside a plain loop."""
    from minefusion.pipelines.jobs.bench.ingest import OURS
    from minefusion.pipelines.jobs.bench.stream import bench_stream

    engines = OURS if call.engine in (None, "auto") else (call.engine,)
    with Progress("bench stream") as progress:
        found = bench_stream(scale=scale, engines=engines, keep_in=scratch, progress=progress)
    emit(found, _table({**found, "data": {"records": found["data"]["points"], "files": 1}}))


@command.command(epilog="bench routes")
def routes(
    scale: Annotated[float, typer.Option(min=0.05, help="1 为三百人两千巷道 · 1 is 300 people, 2,000 roadways")] = 1.0,
) -> None:
    """全矿避灾路线的计算时间，与逐人 networkx 相比 · Ways out for a whole mine, beside networkx person by person."""
    from minefusion.pipelines.jobs.bench.routes import bench_routes

    with Progress("bench routes") as progress:
        found = bench_routes(scale=scale, progress=progress)
    lines = [
        f"{row['case']:26} {1000 * row['seconds']:9.1f} ms {row['rate']:10,} {row['unit']}" + _beside(row)
        for row in found["results"]
    ]
    emit(found, "\n".join(lines))


@command.command(epilog="bench forecast --scale 0.1")
def forecast(
    scale: Annotated[float, typer.Option(min=0.01, help="1 为五千测点 · 1 is 5,000 points")] = 1.0,
    device: Annotated[str, typer.Option(help="cpu 或 cuda：另测 GPU 训练 · cuda also trains on a GPU")] = "cpu",
) -> None:
    """一轮瓦斯预测的时间，与 PyTorch、LightGBM 相比；训练成本 · One round of forecasts; what training costs."""
    from minefusion.pipelines.jobs.bench.forecast import bench_forecast

    if device not in ("cpu", "cuda"):
        raise InputError(f"expected --device cpu or cuda, got '{device}'; choose one of them")
    with Progress("bench forecast") as progress:
        found = bench_forecast(scale=scale, device=device, progress=progress)
    lines = [
        f"{row['case']:26} {row['seconds']:9.3f} s {row['rate']:11,} {row['unit']} {row['peak_mib']:7,} MiB"
        + _beside(row)
        for row in found["results"]
    ]
    emit(found, "\n".join(lines))


@command.command(epilog="bench hazard --scale 0.01")
def hazard(
    scale: Annotated[float, typer.Option(min=0.003, help="1 为千测点三十天 · 1 is 1,000 points over 30 days")] = 1.0,
    scratch: Annotated[Path | None, typer.Option(help="临时数据放在这里 · Folder for the scratch data")] = None,
) -> None:
    """全部指标的计算时间，与同一引擎的分组汇总相比 · Every index, beside a plain group-by on the same engine."""
    from minefusion.pipelines.jobs.bench.hazard import bench_hazard
    from minefusion.pipelines.jobs.bench.ingest import OURS

    engines = OURS if call.engine in (None, "auto") else (call.engine,)
    with Progress("bench hazard") as progress:
        found = bench_hazard(scale=scale, engines=engines, keep_in=scratch, progress=progress)
    lines = [
        f"{row['case']:26} {row['seconds']:9.2f} s {row['rate']:11,} {row['unit']} {row['peak_mib']:7,} MiB"
        + _beside(row, 3)
        for row in found["results"]
    ]
    emit(found, "\n".join(lines))


@command.command(epilog="bench serve --scale 0.1")
def serve(
    scale: Annotated[float, typer.Option(min=0.003, help="1 为三千测点九十天 · 1 is 3,000 points over 90 days")] = 1.0,
    seconds: Annotated[float, typer.Option(min=2, help="读取和推送各持续多少秒 · Seconds of load")] = 20.0,
    scratch: Annotated[Path | None, typer.Option(help="临时数据放在这里 · Folder for the scratch data")] = None,
) -> None:
    """服务的响应：曲线、每秒五十次读取、二百个推送客户端 · The service: curves, 50 reads a second, 200 listeners."""
    from minefusion.bench_serve import bench_serve

    with Progress("bench serve") as progress:
        found = bench_serve(scale=scale, load_s=seconds, keep_in=scratch, progress=progress)
    lines = [
        f"{row['case']:46} {row['seconds']:9.3f} s {row['rate']:10,} {row['unit']}" + _beside(row)
        for row in found["results"]
    ]
    emit(found, "\n".join(lines))


@command.command(epilog="bench video --scale 0.2")
def video(
    model: Annotated[
        str | None, typer.Option(help="检测模型，缺省为设置中的 · The detector; else that of the settings")
    ] = None,
    clip: Annotated[
        Path | None, typer.Option(metavar="FILE", help="录像，缺省渲染一段 · A clip; else one is rendered")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="PT", help="ultralytics 权重：导出后测量，并与 yolo predict 相比 · Checkpoint to compare by"
        ),
    ] = None,
    image_px: Annotated[int, typer.Option("--image-px", min=64, help="输入边长 · Longer side, pixels")] = 640,
    scale: Annotated[float, typer.Option(min=0.05, max=1.0, help="1 为全部 · 1 is all of it")] = 1.0,
) -> None:
    """视频速度，与 yolo predict 相比；一台机器可带多少路 · Video end to end beside yolo predict; streams that fit."""
    from minefusion.pipelines.jobs.bench.video import bench_video
    from minefusion.pipelines.jobs.video.detectors import model_file

    with Progress("bench video") as progress:
        found = bench_video(
            model=model_file(settings(), model or settings().video.detector) if weights is None else "", clip=clip,
            weights=weights, image_px=image_px, scale=scale, device=settings().video.device, progress=progress,
        )  # fmt: skip
    lines = [
        f"{row['case']:30} {row['rate']:9} {row['unit']:10} {row['seconds']:8.3f} s" + _beside(row)
        for row in found["results"]
    ]
    emit(found, "\n".join(lines))


def _beside(row: dict[str, Any], decimals: int = 2) -> str:
    """How many times as fast as what stands beside it; nothing where nothing does."""
    return f"  {row['ratio']:.{decimals}f} × {row['ratio_to']}" if row["ratio"] else ""


def _table(found: dict[str, Any]) -> str:
    """The results as lines; a ratio over 1 means that ours is faster."""
    data, machine = found["data"], found["hardware"]
    head = words(
        f"{data['records']:,} 条记录，{data['files']:,} 个文件；{machine['cores']} 核，负载 {machine['load']}",
        f"{data['records']:,} records in {data['files']:,} files; {machine['cores']} cores, load {machine['load']}",
    )
    lines = [head, f"{'case':26} {'s':>9} {'records/s':>11} {'CPU s':>8} {'peak MiB':>9}  ratio"]
    for row in found["results"]:
        lines.append(
            f"{row['case']:26} {row['seconds']:9.3f} {row['rate']:11,} {row['cpu_s']:8.2f} {row['peak_mib']:9,}"
            f"{_beside(row)}"
        )
    return "\n".join(lines)
