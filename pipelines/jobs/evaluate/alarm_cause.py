"""gold.alarm_cause beside simulated shifts with one true cause each: how often it is named first.

The shifts: test gas without its flag, air doors left open, a heading's fan that stops, a main fan that trips, gas that
flows in where the air is as usual, a pressure front, coal that is cut, sensors whose zero jumps. What the last two
bring stays under the limits of the law, so there an alarm is raised where a point exceeds its own usual range
(`STRICTER`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.hazard.likely_cause import GAS, UNCLEAR, likely_causes
from minefusion.pipelines.jobs.alarm_cause import cause_inputs
from minefusion.pipelines.jobs.evaluate.simulated import START, BuiltRun, built
from minefusion.pipelines.jobs.master_data import stored
from minefusion.pipelines.jobs.new_files import collected
from minefusion.schemas import gold, silver
from minefusion.schemas.settings import Settings
from minefusion.schemas.window import Window

OURS = Path(__file__).parent / "causes"
# A stricter limit: this quantile of the point's own values, where it stands out from the median by so much [%].
STRICTER, STANDS_OUT_PCT = 0.97, 0.06
# The first hours show what is usual.
USUAL_H = 3
# An alarm is about an event from its begin to so long after its end.
AFTER = timedelta(minutes=30)

Progress = Callable[[float, str], None]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Shift:
    """A simulated shift with one true cause.

    Attributes:
        causes: names that are right.
        by_fault: code of the simulated fault that an alarm must lie in, where a fault and no event is the cause.
        is_stricter: alarms are raised at each point's own usual range.
    """

    scenario: str
    causes: tuple[str, ...]
    hours: float
    by_fault: str = ""
    is_stricter: bool = False


SHIFTS: dict[str, Shift] = {
    "calibration": Shift(str(OURS / "calibration.yaml"), ("calibration",), 6, by_fault="calibration_unflagged"),
    "doors": Shift("gas_event", ("doors_and_fans",), 3),
    "fan_stop": Shift("fan_stop", ("doors_and_fans",), 3),
    "main_fan": Shift("main_fan_trip", ("doors_and_fans",), 3),
    "inflow": Shift(str(OURS / "inflow.yaml"), ("local_source", "upstream_source"), 4),
    "front": Shift(str(OURS / "front.yaml"), ("barometer",), 8),
    "production": Shift("normal", ("production",), 8, is_stricter=True),
    "zero_jump": Shift(str(OURS / "zero_jump.yaml"), ("sensor_fault",), 8, by_fault="offset_jump", is_stricter=True),
}


def evaluate_alarm_cause(
    settings: Settings, *, seeds: Sequence[int], shifts: Sequence[str] = tuple(SHIFTS), progress: Progress | None = None
) -> dict[str, Any]:
    """Run every shift with every seed through the jobs and count what stands first."""
    found: list[dict[str, Any]] = []
    done, whole = 0, len(shifts) * len(seeds)
    for name in shifts:
        first: Counter[str] = Counter()
        for seed in seeds:
            first += first_causes(settings, SHIFTS[name], seed)
            done += 1
            if progress:
                progress(done / whole, f"{name}, seed {seed}")
        alarms, right = first.total(), sum(first[cause] for cause in SHIFTS[name].causes)
        found.append(
            {
                "shift": name,
                "causes": list(SHIFTS[name].causes),
                "alarms": alarms,
                "right": right,
                "unclear": first[UNCLEAR],
                "wrong": alarms - right - first[UNCLEAR],
                "share": round(right / alarms, 4) if alarms else None,
                "first": dict(first.most_common()),
            }
        )
    alarms, right = sum(row["alarms"] for row in found), sum(row["right"] for row in found)
    share = round(right / alarms, 4) if alarms else None
    return {
        "name": "alarm_cause",
        "seeds": list(seeds),
        "alarms": alarms,
        "right": right,
        "share": share,
        "shifts": found,
    }


def first_causes(settings: Settings, shift: Shift, seed: int) -> Counter[str]:
    """What is named first, for the alarms of one run that its true cause explains."""
    raised_by_us = ("conform", "sensor_health")
    jobs = raised_by_us if shift.is_stricter else ("conform", "hazard_index", "alarm", "sensor_health", "alarm_cause")
    with built(settings, shift.scenario, hours=shift.hours, seed=seed, jobs=jobs, roadways=40, people=10) as run:
        engine = run.engine
        rows = _stricter(engine, shift) if shift.is_stricter else collected(engine, engine.read(gold.ALARM_CAUSE))
        first = rows.filter(pl.col("rank") == 1)
        return Counter(
            row["cause"]
            for row in first.iter_rows(named=True)
            if _is_explained(run, shift, row["point_id"], row["raised_at"])
        )


def _is_explained(run: BuiltRun, shift: Shift, point: str, at: datetime) -> bool:
    """The alarm lies in what was made to happen."""
    if shift.by_fault:
        faults = [fault for fault in run.faults() if fault.code == shift.by_fault and fault.entity == point]
        return any(fault.begin <= at <= fault.begin + AFTER for fault in faults)
    events = pl.read_csv(run.truth / "events.csv", infer_schema=False).filter(pl.col("event_id").str.starts_with("EV"))
    if events.is_empty():
        return True
    spans = [(datetime.fromisoformat(row["begin"]), row["end"]) for row in events.iter_rows(named=True)]
    return any(begin <= at and (not end or at <= datetime.fromisoformat(end) + AFTER) for begin, end in spans)


def _stricter(engine: Engine, shift: Shift) -> pl.DataFrame:
    """Causes of alarms that are raised where methane first exceeds the point's own usual range for three samples."""
    rows = collected(engine, engine.read(silver.READING).filter(nw.col("quantity") == GAS, nw.col("quality") == "GOOD"))
    value = pl.col("value")
    if shift.by_fault:  # a fault may last for hours: the first ones say what is usual
        early = rows.filter(pl.col("observed_at") < START + timedelta(hours=USUAL_H))
        limits = early.group_by("point_id").agg((value.max() + STANDS_OUT_PCT).alias("limit"))
    else:
        limits = rows.group_by("point_id").agg(value.quantile(STRICTER).alias("limit"), value.median().alias("middle"))
        limits = limits.filter(pl.col("limit") - pl.col("middle") >= STANDS_OUT_PCT)
    rows = rows.join(limits, on="point_id")
    over = pl.col("value") >= pl.col("limit")
    rows = rows.sort("point_id", "observed_at").with_columns(
        (over & over.shift(1) & over.shift(2)).over("point_id").alias("over")
    )
    rows = rows.filter(pl.col("over"), pl.col("observed_at") >= START + timedelta(hours=USUAL_H))
    raised = rows.group_by("mine_code", "point_id", maintain_order=True).agg(
        pl.col("observed_at").first().alias("raised_at"), pl.col("area_id").first()
    )
    raised = raised.with_columns(
        pl.col("point_id").alias("alarm_id"), pl.col("raised_at").dt.epoch("us").alias("raised_us")
    )
    mines = tuple(raised["mine_code"].unique())
    window = Window(START, START + timedelta(hours=shift.hours))
    inputs = cause_inputs(engine, window, mines, stored(engine, mines))
    return collected(engine, likely_causes(replace(inputs, alarms=engine.from_arrow(raised.to_arrow()))))
