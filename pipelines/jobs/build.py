"""The jobs and the order in which they run."""

from __future__ import annotations

from collections.abc import Sequence

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.jobs.conform import conform
from minefusion.pipelines.jobs.hazard import JOBS as GOLD_JOBS
from minefusion.pipelines.jobs.hazard import run_gold
from minefusion.pipelines.jobs.tally import Built, Progress
from minefusion.schemas.errors import InputError
from minefusion.schemas.window import Window

# Job → the jobs whose tables it reads.
GRAPH: dict[str, tuple[str, ...]] = {
    "conform": (),
    "hazard_index": ("conform",),
    "hazard_trend": ("hazard_index",),
    "alarm": ("hazard_index",),
    "trend_alarm": ("hazard_trend",),
    "composite": ("hazard_trend",),
    "risk_tier": ("composite",),
    "area_minute": ("hazard_index",),
    "data_quality": ("conform",),
    "sensor_health": ("conform",),
    "alarm_cause": ("alarm", "sensor_health"),
    "escape_route": ("hazard_index",),
}

# Jobs that ask a model, beside the graph: each needs the registry, and runs where it is asked for.
MODEL_JOBS = ("score_methane", "score_seismic", "monitor_models", "unsafe_behaviour", "camera_health")


def selected(selection: str | None) -> list[str]:
    """Jobs that `selection` names, in graph order. `a,b` names two, `a+` a job and all behind it; None is all.

    A layer or table name stands for its job: `silver`, `silver.reading`, `gold.alarm`, `gold`.
    """
    if selection is None:
        return list(GRAPH)
    wanted: set[str] = set()
    for part in (part.strip() for part in selection.split(",")):
        names = _jobs_named(part.rstrip("+"))
        wanted |= names
        if part.endswith("+"):
            for job, needs in GRAPH.items():  # in graph order, so one pass reaches all
                if wanted & set(needs):
                    wanted.add(job)
    return [job for job in GRAPH if job in wanted]


def _jobs_named(name: str) -> set[str]:
    if name in GRAPH:
        return {name}
    if name == "silver" or name.startswith("silver."):
        return {"conform"}
    if name == "gold":
        return set(GOLD_JOBS)
    if name.startswith("gold.") and name[5:] in GOLD_JOBS:
        return {name[5:]}
    raise InputError(f"expected a job or table to select, got '{name}'; there are: {', '.join(GRAPH)}, silver, gold")


def run_job(
    engine: Engine,
    job: str,
    *,
    window: Window | None = None,
    mines: Sequence[str] | None = None,
    cameras: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> list[Built]:
    """Run one job of GRAPH or MODEL_JOBS; `cameras` narrows the one that looks at video."""
    if job not in (*GRAPH, *MODEL_JOBS):
        raise InputError(f"expected a job, got '{job}'; there are: {', '.join((*GRAPH, *MODEL_JOBS))}")
    if job == "unsafe_behaviour":
        from minefusion.pipelines.jobs.video.clip_events import run_unsafe_behaviour

        return run_unsafe_behaviour(engine, window=window, mines=mines, cameras=cameras, progress=progress)
    if cameras:
        raise InputError(f"expected no --camera for {job}: only unsafe_behaviour looks at cameras; leave it out")
    if job == "camera_health":
        from minefusion.pipelines.jobs.video.camera_hours import run_camera_health

        return run_camera_health(engine, window=window, mines=mines)
    if job in MODEL_JOBS:
        from minefusion.pipelines.jobs.forecast.jobs import run_model_job

        return run_model_job(engine, job, window=window, mines=mines, progress=progress)
    if job == "conform":
        return conform(engine, window=window, mines=mines, progress=progress)
    return run_gold(engine, job, window=window, mines=mines, progress=progress)


def build(
    engine: Engine,
    *,
    selection: str | None = None,
    window: Window | None = None,
    mines: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> list[Built]:
    """Run the selected jobs in graph order."""
    built: list[Built] = []
    for job in selected(selection):
        built += run_job(engine, job, window=window, mines=mines, progress=progress)
    return built
