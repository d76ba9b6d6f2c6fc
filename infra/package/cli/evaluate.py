"""`minefusion evaluate`: what gold says beside what is true of simulated mines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.cli.table import as_text
from minefusion.schemas.errors import InputError

command = typer.Typer(no_args_is_help=True)

Seeds = Annotated[str, typer.Option(help="随机种子，如 101-108 或 3,5 · Seeds: 101-108, or 3,5")]


@command.callback()
def _names() -> None:
    """What to evaluate."""


@command.command("sensor_health", epilog="evaluate sensor_health --seeds 101-108")
def sensor_health(
    seeds: Seeds = "101-108",
    hours: Annotated[float, typer.Option(min=0.5, help="每次模拟的小时数 · Hours of each run")] = 16.0,
    scenario: Annotated[str, typer.Option(help="场景 · Scenario")] = "sensor_faults",
) -> None:
    """传感器健康判定与模拟故障真值相比 · Sensor health beside the faults of simulated instruments."""
    from minefusion.pipelines.jobs.evaluate.sensor_health import evaluate_sensor_health

    with Progress("evaluate sensor_health") as progress:
        found = evaluate_sensor_health(
            settings(), scenario=scenario, seeds=numbers(seeds), hours=hours, progress=progress
        )
    keys = ("check", "faults", "unseen", "found", "recall", "findings", "right", "precision")
    titles = words("检查 故障 不可见 找到 召回率 发现 正确 精确率", " ".join(keys))
    emit(found, _table(found["checks"], keys, titles))


@command.command("alarm_cause", epilog="evaluate alarm_cause --seeds 101-104")
def alarm_cause(
    seeds: Seeds = "101-104",
    shift: Annotated[
        list[str] | None, typer.Option(help="班次，可重复，默认全部 · Kind of shift, may be repeated; else all")
    ] = None,
) -> None:
    """瓦斯报警原因与单一真因的模拟班相比 · Likely causes beside simulated shifts with one true cause each."""
    from minefusion.pipelines.jobs.evaluate.alarm_cause import SHIFTS, evaluate_alarm_cause

    unknown = [name for name in shift or () if name not in SHIFTS]
    if unknown:
        raise InputError(f"expected --shift as one of {', '.join(SHIFTS)}, got '{unknown[0]}'; choose one of them")
    with Progress("evaluate alarm_cause") as progress:
        found = evaluate_alarm_cause(settings(), seeds=numbers(seeds), shifts=tuple(shift or SHIFTS), progress=progress)
    keys = ("shift", "alarms", "right", "unclear", "wrong", "share")
    table = _table(found["shifts"], keys, words("班次 报警 首位正确 不明确 错误 比例", " ".join(keys)))
    emit(found, "\n".join((table, words(f"合计 {found['share']}", f"in all {found['share']}"))))


@command.command(
    "methane_forecast", epilog="evaluate methane_forecast --train past.parquet --test later.parquet --mapping map.yaml"
)
def methane_forecast(
    train: Annotated[Path, typer.Option(metavar="FILE", help="此前的实测表 · Readings to learn from: .parquet, .csv")],
    test: Annotated[Path, typer.Option(metavar="FILE", help="其后的实测表 · Readings that follow on them")],
    mapping: Annotated[Path, typer.Option(metavar="YAML", help="对照文件 · Which column is which sensor")],
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME@ALIAS", help="登记的模型；不给则现训练 · A registered model; else one is trained"),
    ] = None,
    plots: Annotated[Path | None, typer.Option(metavar="DIR", help="图写到这里 · Folder for the plots")] = None,
) -> None:
    """瓦斯预测与其后的实测相比，各基线同表 · The methane forecast beside what came, and all baselines beside it."""
    from minefusion.pipelines.jobs.evaluate.methane_forecast import evaluate_methane_forecast
    from minefusion.pipelines.jobs.forecast.champions import folder_of

    folder = folder_of(settings(), model, "methane_forecast") if model else None
    pictures = plots or settings().home / "plots" / "methane_forecast"
    with Progress("evaluate methane_forecast") as progress:
        found = evaluate_methane_forecast(train, test, mapping, plots=pictures, model=folder, progress=progress)
    rows = [
        {
            "series": row["series"], "min": row["horizon_min"], "mae": f"{row['mae']:.4f}",
            "pinball": f"{row['pinball']:.4f}", "held": f"{row['coverage_80']:.1%}",
            "active": f"{row['coverage_80_active']:.1%}",
        }
        | {name: f"{each['mae']:.4f}/{each['pinball']:.4f}" for name, each in row["baselines"].items()}
        for row in found["forecast"]
    ]  # fmt: skip
    onsets = [
        {"series": row["series"], "within": row["within_min"], "n": row["n"], "positives": row["positives"]}
        | {"auc": f"{row['auc']:.3f}", "ap": f"{row['ap']:.3f}"}
        for row in found["onset"]
    ]
    titles = words(
        "测点 分钟 MAE 分位损失 80%区间 生产时 持续法 LightGBM 滚动LightGBM 神经网络",
        "series min MAE pinball held_80 active persistence LightGBM rolling_LightGBM neural",
    )
    said = words(f"训练 {found['rows_train']} 行，测试 {found['rows_test']} 行", f"{found['rows_test']} rows of test")
    limit = words("测点 分钟内 n 达限 AUC AP", "series within n positives AUC AP")
    tables = [_table(rows, tuple(rows[0]), titles), _table(onsets, tuple(onsets[0]), limit)]
    emit(found, "\n".join((said, *tables, *found["plots"])))


@command.command(
    "seismic_hazard", epilog="evaluate seismic_hazard --train first_shifts.parquet --test later_shifts.parquet"
)
def seismic_hazard(
    train: Annotated[Path, typer.Option(metavar="FILE", help="此前的班 · Shifts to learn from, .parquet or .csv")],
    test: Annotated[Path, typer.Option(metavar="FILE", help="其后的班 · The shifts that follow on them")],
    reduced: Annotated[
        bool, typer.Option("--reduced", help="只用微震事件，不用地音 · Seismic events alone, no geophones")
    ] = False,
) -> None:
    """下一班强微震概率：时间有序，扩展窗口 · A strong bump in the next shift: in time order, expanding window."""
    from minefusion.pipelines.jobs.evaluate.seismic_hazard import evaluate_seismic_hazard

    found = evaluate_seismic_hazard(train, test, reduced=reduced)
    rows = [{"name": found["model"]} | found, *({"name": name} | each for name, each in found["baselines"].items())]
    for row in rows:
        row |= {"auc95": "{:.2f}-{:.2f}".format(*row["auc_ci95"])}
        row |= {f"at_{recall}": alarms for recall, alarms in row["alarms_per_100_at_recall"].items()}
        row |= {key: round(row[key], 3) for key in ("auc", "ap", "brier", "at_0.5", "at_0.7")}
    keys = ("name", "auc", "auc95", "ap", "brier", "at_0.5", "at_0.7")
    titles = words("模型 AUC 95% AP Brier 每百班报警@0.5 @0.7", "model AUC 95% AP Brier alarms/100@0.5 @0.7")
    said = words(f"{found['n']} 班，{found['positives']} 次", f"{found['n']} shifts, {found['positives']} strong")
    emit(found, "\n".join((said, _table(rows, keys, titles))))


@command.command("unsafe_behaviour", epilog="evaluate unsafe_behaviour --data data.yaml --classes classes.yaml")
def unsafe_behaviour(
    data: Annotated[Path, typer.Option(metavar="YAML", help="YOLO 数据集 · A data set in YOLO's form")],
    model: Annotated[
        str, typer.Option(help="champion、随附模型名或 .onnx · champion, a shipped model, or an .onnx file")
    ] = "champion",
    classes: Annotated[
        Path | None, typer.Option(metavar="YAML", help="类别对照文件 · {their class: our class or null}")
    ] = None,
    split: Annotated[str, typer.Option(help="划分 · train, val or test")] = "test",
    image_px: Annotated[int | None, typer.Option("--image-px", min=64, help="输入边长 · Longer side, pixels")] = None,
    plots: Annotated[Path | None, typer.Option(metavar="DIR", help="图写到这里 · Folder for the plots")] = None,
) -> None:
    """检测模型与标注相比：各类精确率、召回率、mAP · A detector beside labelled pictures: precision, recall, mAP."""
    from dataclasses import replace

    from minefusion.models.unsafe_behaviour.dataset import load_dataset
    from minefusion.models.unsafe_behaviour.evaluate import evaluate
    from minefusion.pipelines.jobs.video.detectors import detector_of
    from minefusion.pipelines.jobs.video.train_detector import JUDGED
    from minefusion.schemas.video_classes import load_mapping

    config = replace(JUDGED, device=settings().video.device, image_px=image_px)
    labelled = load_dataset(data, load_mapping(classes) if classes else None)
    with Progress("evaluate unsafe_behaviour") as progress:
        detector = detector_of(settings(), model, config)
        found = evaluate(detector, labelled, split, plots=plots, progress=progress)
    keys = ("name", "n", "ap50", "ap50_95", "precision", "recall")
    table = _table(found["classes"], keys, words("类别 标注 AP50 AP50-95 精确率 召回率", " ".join(keys)))
    said = words(
        f"mAP50 {found['map50']}，mAP50-95 {found['map50_95']}，违规类 mAP50 {found['violations_map50']}",
        f"mAP50 {found['map50']}, mAP50-95 {found['map50_95']}, violations mAP50 {found['violations_map50']}",
    )
    emit(found, "\n".join((table, said)))


@command.command("behaviour_events", epilog="evaluate behaviour_events --clips clips --events events.csv")
def behaviour_events(
    clips: Annotated[Path, typer.Option(metavar="DIR", help="录像目录 · Folder of the clips")],
    events: Annotated[
        Path, typer.Option(metavar="CSV", help="真实事件：clip,behaviour,begins_s,ends_s · What truly happened")
    ],
    model: Annotated[
        str | None, typer.Option(help="champion、随附模型名或 .onnx · champion, a shipped model, or an .onnx file")
    ] = None,
    cameras: Annotated[
        Path | None,
        typer.Option(metavar="YAML", help="摄像机文件，缺省在录像目录中 · Camera file; else the folder's own"),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="保存中间结果，可续跑 · Keeps what each clip came to, to go on")
    ] = None,
) -> None:
    """不安全行为逐事件评估：漏报、误报、延迟 · Unsafe behaviours event by event: missed, false, how late."""
    from minefusion.pipelines.jobs.evaluate.behaviour_events import evaluate_behaviour_events
    from minefusion.pipelines.jobs.video.detectors import detector_of
    from minefusion.pipelines.jobs.video.judging import pose_of

    rate = settings().video.pictures_per_s
    with Progress("evaluate behaviour_events") as progress:
        detector = detector_of(settings(), model)
        found = evaluate_behaviour_events(
            clips, events, detector, pictures_per_s=rate, cameras=cameras, pose=pose_of(settings().video), keep=keep,
            progress=progress,
        )  # fmt: skip
    rows = [{"name": name} | part for name, part in found["by_behaviour"].items()] + [{"name": "*"} | found]
    for row in rows:
        row |= {"p50": row["delay_s"]["p50"], "p95": row["delay_s"]["p95"]}
    keys = ("name", "events", "found", "missed_share", "alarms", "false", "false_share", "repeats", "p50", "p95")
    titles = words("行为 事件 找到 漏报率 报警 误报 误报率 重复 延迟p50 延迟p95", " ".join(keys))
    said = words(
        f"{found['clips']} 段录像，{found['hours']} 小时，每小时误报 {found['false_per_hour']}",
        f"{found['clips']} clips, {found['hours']} h, {found['false_per_hour']} false an hour",
    )
    emit(found, "\n".join((_table(rows, keys, titles), said)))


def numbers(text: str) -> list[int]:
    """The numbers of `3,5` or `101-108`.

    Raises:
        InputError: neither.
    """
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            raise InputError(f"expected seeds as 101-108 or 3,5, got '{text}'; mend --seeds")
        found += range(int(first), int(last or first) + 1)
    return found


def _table(rows: Sequence[dict[str, Any]], keys: Sequence[str], titles: str) -> str:
    return as_text(titles.split(), [[row[key] for row in rows] for key in keys])
