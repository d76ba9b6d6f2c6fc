"""silver.seismic_event → gold.seismic_hazard: the chance that a mine's coming shift brings a strong bump.

A forecast is a function of the model's files and of the events of the 120 days before its shift.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.models.seismic_hazard import package
from minefusion.models.seismic_hazard.features import FEATURES, THREE_WEEKS, faded_mean
from minefusion.models.seismic_hazard.predict import Model, predict, reasons
from minefusion.models.seismic_hazard.shifts import SHIFT_US, from_events
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.jobs.due import SILVER, Steps, Work
from minefusion.pipelines.jobs.forecast.champions import Champions
from minefusion.pipelines.jobs.forecast.reigns import EPOCH, MICROSECOND, Reign, reigns_of
from minefusion.pipelines.jobs.gold_inputs import Computed, Master
from minefusion.pipelines.jobs.hazard import Job
from minefusion.schemas import gold, silver

MODEL = "seismic_hazard_reduced"
SHIFT = SHIFT_US * MICROSECOND
HISTORY = timedelta(days=120)
# Events come when the rock moves, not by the clock: only a longer silence of all feeds ends a stretch.
STEPS = Steps(SHIFT, SHIFT, after=HISTORY, bridged=timedelta(days=7), piece=timedelta(days=30))
# Fewer shifts since the first event that is known, and nothing can be said.
LEAST_SHIFTS = THREE_WEEKS
NO_HISTORY = "NO_HISTORY"
ROWS = pa.schema(
    [each for each in gold.SEISMIC_HAZARD.arrow_schema() if each.name not in ("computed_at", "revision", "day")]
)


def job(champions: Champions) -> Job:
    """Bring gold.seismic_hazard up to date with silver."""
    return Job(gold.SEISMIC_HAZARD, (SILVER,), STEPS, partial(forecasts, champions=champions))


def forecasts(engine: Engine, work: Work, master: Master, *, champions: Champions) -> Iterator[Computed]:  # noqa: ARG001
    """The rows of one span, and the part that they stand for."""
    window, mines = work.window, work.mines
    part = engine.part(gold.SEISMIC_HAZARD, window=window, mines=mines)
    reigns = reigns_of(engine, gold.SEISMIC_HAZARD, window, mines, champions, SHIFT)
    events = engine.read(silver.SEISMIC_EVENT, window=window.widened(before=HISTORY), mines=mines)
    blast = nw.col("is_blast").fill_null(False)
    events = events.filter(~nw.col("energy_j").is_null(), nw.col("quality") != "BAD", ~blast)
    events = engine.with_epoch(events, "observed_at", "us").select("mine_code", "us", "energy_j")
    yield engine.grouped(events, ["mine_code"], partial(forecasts_of_mine, reigns=reigns), ROWS), part


def forecasts_of_mine(events: pa.Table, reigns: Mapping[str, Sequence[Reign]]) -> pa.Table:
    """One row per shift of the mine: Arrow in, Arrow out."""
    mine = events["mine_code"][0].as_py()
    us, energy = events["us"].to_numpy(), events["energy_j"].to_numpy()
    rows = []
    for reign in reigns[mine]:
        model = reign.files.loaded(package.read)
        for start_us in range(reign.start_us, reign.end_us, SHIFT_US):
            row = _of_shift(model, us, energy, start_us)
            if row is not None:
                rows.append(row | {"mine_code": mine, "model": MODEL, "model_version": reign.version})
    return pa.Table.from_pylist(rows, schema=ROWS)


def _of_shift(model: Model, us: np.ndarray, energy: np.ndarray, start_us: int) -> dict[str, Any] | None:
    """What the events before a shift say of it; None where there was none in all the history."""
    begin = start_us - HISTORY // MICROSECOND
    before = us[(us >= begin) & (us < start_us)]
    if not len(before):
        return None
    shifts = from_events(us, energy, start_us=begin, end_us=start_us)
    known = -(-(start_us - int(before.min())) // SHIFT_US)
    row: dict[str, Any] = {
        "shift_start": EPOCH + start_us * MICROSECOND,
        "shift_end": EPOCH + (start_us + SHIFT_US) * MICROSECOND,
        "shifts_known": known,
    }
    if known < LEAST_SHIFTS:
        zh, en = (
            f"微震资料不足 {LEAST_SHIFTS} 班，不预测",
            f"events of under {LEAST_SHIFTS} shifts are known: no forecast",
        )
        return row | {"null_reason": NO_HISTORY, "sentence_zh": zh, "sentence_en": en}
    chance, usual = float(predict(model, shifts)[-1]), float(faded_mean(shifts.strong, THREE_WEEKS)[-1])
    moved = reasons(model, shifts)
    named = [FEATURES[name] for name, _ in moved]
    return row | {
        "chance": round(chance, 6),
        "usual_chance": round(usual, 6),
        "drivers": json.dumps([{"feature": name, "moved": round(by, 3)} for name, by in moved]),
        "sentence_zh": (
            f"本班发生 10 kJ 以上微震的概率 {chance:.1%}（近期平均 {usual:.1%}）；"
            f"主要依据：{named[0][0]}、{named[1][0]}"
        ),
        "sentence_en": (
            f"chance of a bump over 10 kJ in this shift {chance:.1%} (lately {usual:.1%}); "
            f"most of it from: {named[0][1]}; {named[1][1]}"
        ),
    }
