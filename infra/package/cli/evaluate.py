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


@command.command("sensor_health")
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


@command.command("alarm_cause")
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


@command.command("seismic_hazard")
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
