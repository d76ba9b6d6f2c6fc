"""The jobs of models, by the names under which `minefusion run` and the DAGs start them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.jobs.forecast import monitor, score_methane, score_seismic
from minefusion.pipelines.jobs.forecast.champions import champions_of
from minefusion.pipelines.jobs.hazard import Job, run_gold
from minefusion.pipelines.jobs.tally import Built, Progress
from minefusion.schemas.settings import Settings
from minefusion.schemas.window import Window

Making = Callable[[Settings, datetime | None], Job]

MODEL_JOBS: dict[str, Making] = {
    "score_methane": lambda settings, now: score_methane.job(champions_of(settings, score_methane.MODEL, now)),
    "score_seismic": lambda settings, now: score_seismic.job(champions_of(settings, score_seismic.MODEL, now)),
    "monitor_models": lambda _settings, _now: monitor.job(),
}


def run_model_job(
    engine: Engine,
    job: str,
    *,
    window: Window | None = None,
    mines: Sequence[str] | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> list[Built]:
    """Bring the job's table up to date with what it reads, or compute `window` of it anew.

    Args:
        job: one of MODEL_JOBS.

    Raises:
        InputError: there is no champion, and none is shipped.
        MissingError: the model registry is not there.
    """
    made = MODEL_JOBS[job](engine.settings, now)
    return run_gold(engine, made, window=window, mines=mines, progress=progress, now=now)
