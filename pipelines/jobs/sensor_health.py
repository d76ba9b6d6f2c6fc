"""Silver → gold.sensor_health: whether each sensor could be believed, for hours that have passed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import narwhals as nw

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.hazard.sensor_health import (
    CALIBRATIONS_BACK,
    MEANS_BACK,
    RAW_BACK,
    HealthInputs,
    sensor_health,
)
from minefusion.pipelines.jobs.due import Steps, Work
from minefusion.pipelines.jobs.gold_inputs import Computed, Master, points_at
from minefusion.pipelines.jobs.master_data import sites_of
from minefusion.schemas import gold, silver
from minefusion.schemas.window import Window

HOUR = timedelta(hours=1)
# A sensor is judged by two days of its neighbours, so a change moves what is said for as long.
HEALTH_STEPS = Steps(HOUR, HOUR, only_passed=True, after=MEANS_BACK + HOUR)
# The mine's report that a sensor is being calibrated: kind of file and type of the abnormality.
REPORT, CALIBRATION = "YCBJ", "007"


def health_inputs(engine: Engine, window: Window, mines: tuple[str, ...], master: Master) -> HealthInputs:
    """What the checks read for the whole hours of the window."""
    readings = engine.read(silver.READING, window=window.widened(before=RAW_BACK), mines=mines)
    means = engine.read(silver.READING_5MIN, window=window.widened(before=MEANS_BACK), mines=mines)
    told = engine.read(silver.REPORTED_ABNORMALITY, window=window.widened(before=CALIBRATIONS_BACK), mines=mines)
    told = told.filter(nw.col("kind") == REPORT, nw.col("abnormal_type") == CALIBRATION, ~nw.col("point_id").is_null())
    return HealthInputs(
        readings=engine.with_epoch(readings, "observed_at", "observed_us"),
        means=engine.with_epoch(means, "window_start", "start_us"),
        points=points_at(engine, window.start, mines, master),
        calibrations=engine.with_epoch(told, "began_at", "began_us"),
        sites=sites_of(engine.settings, mines),
        window=window,
        grouped=engine.grouped,
    )


def health(engine: Engine, work: Work, master: Master) -> Iterator[Computed]:
    """One row per analog point and hour."""
    window, mines = work.window, work.mines
    rows = sensor_health(health_inputs(engine, window, mines, master))
    yield rows, engine.part(gold.SENSOR_HEALTH, window=window, mines=mines)
