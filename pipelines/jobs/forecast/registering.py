"""A finished training to the registry: logged, judged beside the champion and beside doing without, promoted or not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from minefusion.models.promotion import Verdict, judge
from minefusion.models.registry import Version
from minefusion.models.training_run import TrainingRun
from minefusion.pipelines.jobs.forecast.champions import REGISTRY_LOCK, register_shipped
from minefusion.pipelines.jobs.lock import exclusive
from minefusion.schemas.settings import Settings

logger = logging.getLogger(__name__)

SAME_DATA = (
    "champion 已用过同样的数据训练，没有它未见过的数据可供比较",
    "the champion was trained on the very same data; there is none to judge by that it has not seen",
)


def register(
    settings: Settings, run: TrainingRun, champion_losses: Callable[[Path], Mapping[str, float]]
) -> dict[str, Any]:
    """Log the run; make its model the champion where it is better everywhere, else leave it the challenger.

    Args:
        champion_losses: losses of the model in a folder, on the rows that the run held out.

    Returns:
        run_id, model, version, alias, metrics, baselines, promoted, why (and why_zh, why_en).
    """
    registry = register_shipped(settings, only=run.model)
    with exclusive(settings.home, REGISTRY_LOCK):
        champion = registry.champion(run.model)
        version = registry.log(run)
        theirs = None
        if champion is not None:
            theirs = champion_losses(registry.folder(champion, settings.home / "models"))
        verdict = judge(run.losses, theirs, run.doing_without, named=run.simplest)
        if champion is not None and champion.trained_on.sha256 == run.data.sha256:
            verdict = Verdict(False, *SAME_DATA)
        version = (registry.promote if verdict.is_promoted else registry.refuse)(version, verdict.why_en)
    logger.info("%s: %s", version.label, verdict.why_en)
    return _answer(version, champion, theirs, run) | {
        "promoted": verdict.is_promoted,
        "why": verdict.why_en,
        "why_zh": verdict.why_zh,
    }


def champion_folder(settings: Settings, model: str) -> Path | None:
    """The champion's files on this machine; None where there is no champion."""
    registry = register_shipped(settings, only=model)
    champion = registry.champion(model)
    return None if champion is None else registry.folder(champion, settings.home / "models")


def log_only(settings: Settings, run: TrainingRun) -> Version:
    """Log a run that was made elsewhere, where the data to judge the champion by need not be; it is the challenger."""
    registry = register_shipped(settings, only=run.model)
    with exclusive(settings.home, REGISTRY_LOCK):
        return registry.refuse(registry.log(run), "logged after a training elsewhere; not judged")


def _answer(
    version: Version, champion: Version | None, theirs: Mapping[str, float] | None, run: TrainingRun
) -> dict[str, Any]:
    baselines: dict[str, Any] = {run.simplest: dict(run.doing_without)}
    if champion is not None:
        baselines[f"champion {champion.number}"] = dict(theirs or {})
    return {
        "run_id": version.run_id,
        "model": version.model,
        "version": version.number,
        "alias": version.aliases[0] if version.aliases else None,
        "metrics": dict(version.metrics),
        "losses": dict(run.losses),
        "baselines": baselines,
    }
