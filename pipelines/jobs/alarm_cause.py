"""gold.alarm → gold.alarm_cause: what likely caused each methane alarm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import narwhals as nw

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.hazard.likely_cause import AFTER, BEFORE, CauseInputs, likely_causes
from minefusion.pipelines.jobs.due import Steps, Work
from minefusion.pipelines.jobs.gold_inputs import GAS, Computed, Master, points_at
from minefusion.pipelines.jobs.master_data import sites_of
from minefusion.schemas import gold, silver
from minefusion.schemas.window import Window

CAUSE_STEPS = Steps(timedelta(minutes=10))
# What comes after an alarm tells of its cause, and so does the judgement of its hour, which comes when that has passed.
LOOKED_BACK_AT = timedelta(hours=3)
# Checks of gold.sensor_health that make a sensor a cause; test gas is seen in the samples themselves.
DOUBTS = ("stuck", "offset", "drift", "swapped", "noise")


def cause_inputs(engine: Engine, window: Window, mines: tuple[str, ...], master: Master) -> CauseInputs:
    """What is read for the alarms that were raised in the window."""
    alarms = engine.read(gold.ALARM, window=window, mines=mines).filter(
        nw.col("kind") == GAS, ~nw.col("point_id").is_null()
    )
    health = engine.read(gold.SENSOR_HEALTH, window=window.widened(timedelta(hours=3), timedelta(hours=1)), mines=mines)
    doubted = nw.any_horizontal(*(nw.col(f"{check}_verdict") == "fault" for check in DOUBTS), ignore_nulls=True)
    readings = engine.read(silver.READING, window=window.widened(BEFORE, AFTER), mines=mines)
    return CauseInputs(
        alarms=engine.cached(engine.with_epoch(alarms, "raised_at", "raised_us")),
        readings=engine.with_epoch(readings, "observed_at", "observed_us"),
        points=points_at(engine, window.start, mines, master),
        health=engine.with_epoch(health.filter(doubted), "hour", "hour_us"),
        sites=sites_of(engine.settings, mines),
        window=window,
        grouped=engine.grouped,
    )


def causes(engine: Engine, work: Work, master: Master) -> Iterator[Computed]:
    """The causes of the alarms that the span may tell of."""
    window, mines = work.window.widened(before=LOOKED_BACK_AT), work.mines
    rows = likely_causes(cause_inputs(engine, window, mines, master))
    yield rows, engine.part(gold.ALARM_CAUSE, window=window, mines=mines)
