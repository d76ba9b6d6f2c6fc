"""gold.sensor_health beside the faults that were put into simulated instruments: recall and precision per check.

A fault counts where it shows: a sensor that stands still for half an hour of the judged hours, a level that is off by
SHOWS_FROM times what is told of a sensor (`Accuracy.departure`) at the end, a spike that a sample holds, test gas, a
hole of more than one per cent of an hour. One that does not show (half the sensitivity lost in air without gas, a loss
that has only begun) is counted apart, and never as found.
A finding is a run of hours in which a check says watch or fault at a point; it is right where such a fault is there, or
ended in the hour before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from minefusion.pipelines.jobs.evaluate.simulated import BuiltRun, TrueFault, built
from minefusion.pipelines.jobs.new_files import collected
from minefusion.schemas import gold, silver
from minefusion.schemas.accuracy import accuracy_of
from minefusion.schemas.settings import Settings

HOUR = timedelta(hours=1)
HALF_HOUR = timedelta(minutes=30)
# Code of a simulated fault → the check that should find it.
CHECK_OF = {
    "stuck": "stuck",
    "offset_jump": "offset",
    "drift": "drift",
    "swapped": "swapped",
    "spike": "spikes",
    "calibration_unflagged": "calibration",
}
CHECKS = ("completeness", *dict.fromkeys(CHECK_OF.values()))
LEVELS = ("offset", "drift", "swapped")
MISSING = 0.01
SHOWS_FROM = 1.5
# A spike stands out by so many times the greatest error of the quantity.
SPIKE_FROM = 2.0
ALARMING = ("fault", "watch")

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Score:
    """One check over all runs.

    Attributes:
        faults: that show; `unseen`: that do not.
        found: of the faults.
        findings: what the check said; `right` of them.
    """

    check: str
    faults: int
    unseen: int
    found: int
    findings: int
    right: int

    @property
    def recall(self) -> float | None:
        return round(self.found / self.faults, 4) if self.faults else None

    @property
    def precision(self) -> float | None:
        return round(self.right / self.findings, 4) if self.findings else None

    def __add__(self, other: Score) -> Score:
        return Score(
            self.check,
            self.faults + other.faults,
            self.unseen + other.unseen,
            self.found + other.found,
            self.findings + other.findings,
            self.right + other.right,
        )


def evaluate_sensor_health(
    settings: Settings,
    *,
    scenario: str,
    seeds: Sequence[int],
    hours: float,
    roadways: int = 40,
    people: int = 10,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run every seed through the jobs and score it."""
    total = {check: Score(check, 0, 0, 0, 0, 0) for check in CHECKS}
    for number, seed in enumerate(seeds):
        jobs = ("conform", "sensor_health")
        with built(settings, scenario, hours=hours, seed=seed, jobs=jobs, roadways=roadways, people=people) as run:
            for score in scored(run):
                total[score.check] += score
        if progress:
            progress((number + 1) / len(seeds), f"seed {seed}")
    checks = [asdict(score) | {"recall": score.recall, "precision": score.precision} for score in total.values()]
    return {"name": "sensor_health", "scenario": scenario, "hours": hours, "seeds": list(seeds), "checks": checks}


def scored(run: BuiltRun) -> list[Score]:
    """One run, check by check."""
    engine = run.engine
    health = collected(engine, engine.read(gold.SENSOR_HEALTH)).sort("point_id", "hour")
    points = collected(engine, engine.read(silver.POINT)).select("point_id", "quantity", "sensor_type")
    state = pl.read_parquet(run.truth / "state.parquet").join(points, on="point_id")
    if health.is_empty():
        return [Score(check, 0, 0, 0, 0, 0) for check in CHECKS]
    judged_to: datetime = health["hour"].max() + HOUR  # type: ignore[operator,assignment]
    known = set(health["point_id"])
    faults = [fault for fault in run.faults() if fault.entity in known and fault.begin < judged_to]
    scores = [_completeness(health, state)]
    for check in CHECKS[1:]:
        mine = [fault for fault in faults if CHECK_OF.get(fault.code) == check]
        findings = list(_findings(health, check))
        found = dict.fromkeys(range(len(mine)), False)
        right = 0
        for point, begin, end in findings:
            hits = [n for n, fault in enumerate(mine) if fault.entity == point and _meets(fault, begin, end, check)]
            right += bool(hits)
            found |= dict.fromkeys(hits, True)
        shows = [_shows(fault, check, state, judged_to) for fault in mine]
        hits_of_shown = sum(found[n] for n, seen in enumerate(shows) if seen)
        scores.append(Score(check, sum(shows), len(mine) - sum(shows), hits_of_shown, len(findings), right))
    return scores


def _findings(health: pl.DataFrame, check: str) -> Iterable[tuple[str, datetime, datetime]]:
    """Runs of hours in which the check found something: point, begin, end."""
    rows = health.filter(pl.col(f"{check}_verdict").is_in(ALARMING)).select("point_id", "hour")
    open_run: tuple[str, datetime, datetime] | None = None
    for point, hour in rows.iter_rows():
        if open_run is not None and open_run[0] == point and open_run[2] == hour:
            open_run = (point, open_run[1], hour + HOUR)
            continue
        if open_run is not None:
            yield open_run
        open_run = (point, hour, hour + HOUR)
    if open_run is not None:
        yield open_run


def _meets(fault: TrueFault, begin: datetime, end: datetime, check: str) -> bool:
    lasts = HOUR if check in LEVELS else timedelta(0)
    return fault.begin < end and (fault.end is None or fault.end + lasts >= begin)


def _shows(fault: TrueFault, check: str, state: pl.DataFrame, judged_to: datetime) -> bool:
    """Whether anybody could see it in the hours that are judged."""
    end = min(fault.end or judged_to, judged_to)
    if check == "stuck":
        return end - fault.begin >= HALF_HOUR
    if check == "calibration":
        return fault.end is not None and fault.end <= judged_to
    rows = state.filter(
        pl.col("point_id") == fault.entity, pl.col("observed_at") >= max(fault.begin, end - HALF_HOUR),
        pl.col("observed_at") < end,
    ).drop_nulls(["true_value", "value"])  # fmt: skip
    if rows.is_empty():
        return False
    if check == "spikes":
        usual = accuracy_of(rows["quantity"][0], None)
        off = (rows["value"] - rows["true_value"]).abs().max()
        return usual is not None and float(off) >= SPIKE_FROM * usual.error_abs  # type: ignore[arg-type]
    accuracy = accuracy_of(rows["quantity"][0], rows["sensor_type"][0])
    if accuracy is None or end - fault.begin < HALF_HOUR:
        return False
    true, shown = float(rows["true_value"].median()), float(rows["value"].median())  # type: ignore[arg-type]
    return abs(shown - true) >= SHOWS_FROM * accuracy.departure(true)


def _completeness(health: pl.DataFrame, state: pl.DataFrame) -> Score:
    """By point and hour: more than one per cent of what should have come is missing."""
    sent = state.with_columns(pl.col("observed_at").dt.truncate("1h").alias("hour"))
    sent = sent.group_by("point_id", "hour").agg(pl.col("value").is_null().mean().alias("missing"))
    rows = health.join(sent, on=["point_id", "hour"], how="inner")
    said = pl.col("completeness_verdict").is_in(ALARMING)
    true = pl.col("missing") > MISSING
    counts = rows.select(
        faults=true.sum(), found=(true & said).sum(), findings=said.sum(), right=(true & said).sum()
    ).row(0, named=True)
    return Score("completeness", unseen=0, **counts)
