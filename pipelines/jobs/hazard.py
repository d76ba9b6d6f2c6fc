"""Silver → gold: hazard indices, alarms, the fused table and data quality, for what is new or for a span of time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import narwhals as nw
import polars as pl

from minefusion.pipelines.conform.abnormalities import cleared
from minefusion.pipelines.engines.engine import Consumed, Engine
from minefusion.pipelines.hazard.area_minute import area_minute
from minefusion.pipelines.hazard.catalogue import CATALOGUE
from minefusion.pipelines.hazard.data_quality import data_quality
from minefusion.pipelines.hazard.episodes import alarms
from minefusion.pipelines.hazard.minutes import BEFORE
from minefusion.pipelines.jobs.alarm_cause import CAUSE_STEPS, causes
from minefusion.pipelines.jobs.composites import COMPOSITE, COMPOSITE_STEPS, composite, risk_tier
from minefusion.pipelines.jobs.due import LOOKBACK, SILVER, Steps, Work, data_of, due_work, still_there, work_over
from minefusion.pipelines.jobs.escape_route import escapes
from minefusion.pipelines.jobs.gold_inputs import (
    LONGEST_EPISODE,
    Computed,
    Master,
    behind_alarms,
    computed_by_index,
    is_fast,
    make_inputs,
    open_alarms,
    points_at,
    silent_above_limit,
)
from minefusion.pipelines.jobs.keeping import SOURCES, refuse_removed
from minefusion.pipelines.jobs.lock import exclusive
from minefusion.pipelines.jobs.master_data import stored
from minefusion.pipelines.jobs.new_files import INGEST, Stage, collected
from minefusion.pipelines.jobs.racing import until_unbeaten
from minefusion.pipelines.jobs.rule_packs import rule_rows
from minefusion.pipelines.jobs.sensor_health import HEALTH_STEPS, health
from minefusion.pipelines.jobs.tally import Built, Progress, Tally
from minefusion.pipelines.jobs.trends import TREND, TREND_STEPS, trend_alarms, trends
from minefusion.pipelines.times import UTC_MICROSECONDS, utc_day
from minefusion.schemas import gold, silver
from minefusion.schemas.bronze import EXCHANGE_FILE
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
TEN_MINUTES = timedelta(minutes=10)
HOUR = timedelta(hours=1)
# An alarm that is open at a span's end is followed ahead in steps of this length, each twice the one before.
FIRST_STEP = timedelta(hours=1)


@dataclass(frozen=True)
class Job:
    """How one gold table, or its share of one, is computed: from which tables, in which steps of time.

    `compute` gives parts of the table one after the other, each read after the one before it was written.
    """

    table: Table
    needs: tuple[Stage, ...]
    steps: Steps
    compute: Callable[[Engine, Work, Master], Iterator[Computed]]
    app: str = INGEST
    with_reports: bool = False

    @property
    def stage(self) -> Stage:
        return Stage(self.table, self.app)


def run_gold(
    engine: Engine,
    job: str | Job,
    *,
    window: Window | None = None,
    mines: Sequence[str] | None = None,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> list[Built]:
    """Bring one gold table up to date with silver, or recompute `window` of it.

    Args:
        mines: these alone; a mine that fails then stops no other.
        now: the moment that rows carry as the one they were written at.

    Raises:
        InputError: the window begins where what it is computed from was removed.
    """
    stamp = now or datetime.now(UTC)
    asked = JOBS[job] if isinstance(job, str) else job
    with exclusive(engine.settings.lake, asked.table.name):
        built = until_unbeaten(engine, lambda: _run(engine, asked, window, mines, progress, stamp))
        if any(each.changed for each in built):
            engine.compact(asked.table)
        return built


def stamped(rows: nw.LazyFrame, table: Table, now: datetime) -> nw.LazyFrame:
    """The rows of a gold table with what every one of them has beside what was computed."""
    assert table.time is not None
    rows = rows.with_columns(
        nw.lit(now, dtype=UTC_MICROSECONDS).alias("computed_at"),
        nw.lit(0, dtype=nw.Int32).alias("revision"),
        utc_day(nw.col(table.time)).alias("day"),
    )
    return rows.select(*table.names)


def _run(
    engine: Engine,
    job: Job,
    window: Window | None,
    mines: Sequence[str] | None,
    progress: Progress | None,
    now: datetime,
) -> list[Built]:
    """Recompute the rows of each span that is due and write what differs."""
    tally = Tally()
    completes: tuple[Consumed, ...] = ()
    if window is not None:
        pieces = work_over(engine, window, mines, job.steps)
        for piece in pieces:
            refuse_removed(engine, (*SOURCES, job.table), piece.mines, piece.window.start)
    else:
        pieces, completes = due_work(engine, job.stage, job.needs, mines, job.steps, with_reports=job.with_reports)
        pieces = still_there(engine, pieces, (*SOURCES, job.table))
    master = stored(engine, sorted({mine for piece in pieces for mine in piece.mines})) if pieces else {}
    for index, piece in enumerate(pieces):
        started = time.monotonic()
        for rows, part in job.compute(engine, piece, master):
            written = engine.replace(part, stamped(rows, job.table, now))
            tally.add(job.table, written, time.monotonic() - started)
            started = time.monotonic()
        engine.release()
        if progress:
            span = f"{piece.window.start:%Y-%m-%d %H:%M} to {piece.window.end:%H:%M}"
            progress((index + 1) / len(pieces), f"{job.table.name} {span}")
    if completes:
        engine.mark(job.table, *completes)
    return list(tally.tables.values()) or [Built(job.table.name)]


def _hazard(engine: Engine, work: Work, master: Master, only: Collection[str] | None = None) -> Iterator[Computed]:
    """Indices over ten minutes are computed for whole windows of theirs; minutes to come are left to later.

    `only`: ids of the indices that are asked for, in place of all.
    """
    window, mines = work.window, work.mines
    earlier = silent_above_limit(engine, window, mines)
    inputs = make_inputs(engine, window.aligned(TEN_MINUTES), mines, master, earlier=earlier)
    before_the_end = nw.col("window_start") < nw.lit(window.end, dtype=UTC_MICROSECONDS)
    for rows, part in computed_by_index(engine, CATALOGUE, inputs, window, mines, only):
        yield rows.filter(before_the_end), part
    for rows, part in rule_rows(engine, inputs, window, mines):
        yield rows.filter(before_the_end), part


def _alarm(engine: Engine, work: Work, master: Master) -> Iterator[Computed]:
    """Episodes that are open at some moment of the span. One that is open at its end is followed to where it ends."""
    mines, window = work.mines, work.window
    part = engine.part(gold.ALARM, window=window.widened(before=LONGEST_EPISODE), mines=mines)
    part = part.filter(is_fast("kind"))
    opened = open_alarms(engine, window, mines)
    stretches = [data_of(engine, mine, [window], work.steps) for mine in mines]
    last = max((each.end for stretch in stretches for each in stretch.whole), default=window.end)
    step = FIRST_STEP
    while True:
        rows = engine.cached(_episodes(engine, window, mines, master, opened))
        open_ones = rows.filter(nw.col("cleared_at").is_null())
        goes_on = work.ends_stretch and window.end < min(last, work.window.end + LONGEST_EPISODE)
        if not goes_on or collected(engine, open_ones.select("alarm_id")).is_empty():
            break
        window = Window(window.start, min(window.end + step, last))
        step *= 2
    start, end = (nw.lit(instant, dtype=UTC_MICROSECONDS) for instant in (work.window.start, work.window.end))
    still_open = nw.col("cleared_at").is_null() | (nw.col("cleared_at") >= start)
    yield rows.filter(nw.col("raised_at") < end), part.filter(still_open)


def _episodes(
    engine: Engine, window: Window, mines: Sequence[str], master: Master, opened: pl.DataFrame
) -> nw.LazyFrame:
    earlier, older_hazard = behind_alarms(engine, window, mines, opened)
    inputs = make_inputs(engine, window, mines, master, earlier=earlier)
    span = window.widened(before=LOOKBACK)
    hazard = engine.read(gold.HAZARD_INDEX, window=span, mines=mines).filter(is_fast("index_id"))
    if older_hazard is not None:
        hazard = nw.concat([older_hazard, hazard], how="vertical")
    told = cleared(engine.read(silver.REPORTED_ABNORMALITY, window=window.widened(before=LONGEST_EPISODE), mines=mines))
    return alarms(inputs, hazard, told)


def _area_minute(engine: Engine, work: Work, master: Master) -> Iterator[Computed]:
    window, mines = work.window, work.mines
    inputs = make_inputs(engine, window, mines, master)
    hazard = engine.read(gold.HAZARD_INDEX, window=window.widened(before=BEFORE * MINUTE), mines=mines)
    hazard = hazard.filter(is_fast("index_id"))
    told = cleared(engine.read(silver.REPORTED_ABNORMALITY, window=window.widened(before=LONGEST_EPISODE), mines=mines))
    seen = engine.read(gold.UNSAFE_BEHAVIOUR, window=window.widened(before=LONGEST_EPISODE), mines=mines)
    watched = engine.read(silver.CAMERA_MINUTE, window=window, mines=mines)
    rows = area_minute(inputs, hazard, told, (seen, watched))
    yield rows, engine.part(gold.AREA_MINUTE, window=window, mines=mines)


def _data_quality(engine: Engine, work: Work, master: Master) -> Iterator[Computed]:
    window, mines = work.window, work.mines
    files = engine.read(EXCHANGE_FILE, days=window.days(), mines=mines)
    at = nw.coalesce(nw.col("header_time"), nw.col("stamp"))
    rows = data_quality(
        engine.read(silver.READING, window=window, mines=mines),
        engine.read(silver.READING_5MIN, window=window, mines=mines),
        points_at(engine, window.start, mines, master),
        engine.read(silver.POSITION, window=window, mines=mines),
        files.filter(
            at >= nw.lit(window.start, dtype=UTC_MICROSECONDS), at < nw.lit(window.end, dtype=UTC_MICROSECONDS)
        ),
    )
    yield rows, engine.part(gold.DATA_QUALITY, window=window, mines=mines)


HAZARD = Stage(gold.HAZARD_INDEX)
JOBS: dict[str, Job] = {
    "hazard_index": Job(gold.HAZARD_INDEX, (SILVER,), Steps(TEN_MINUTES), _hazard),
    "hazard_trend": Job(gold.HAZARD_INDEX, (SILVER, HAZARD), TREND_STEPS, trends, TREND),
    "alarm": Job(gold.ALARM, (SILVER, HAZARD), Steps(MINUTE), _alarm, with_reports=True),
    "trend_alarm": Job(gold.ALARM, (Stage(gold.HAZARD_INDEX, TREND),), TREND_STEPS, trend_alarms, TREND),
    "composite": Job(
        gold.HAZARD_INDEX, (HAZARD, Stage(gold.HAZARD_INDEX, TREND)), COMPOSITE_STEPS, composite, COMPOSITE
    ),
    "risk_tier": Job(gold.RISK_TIER, (Stage(gold.HAZARD_INDEX, COMPOSITE),), COMPOSITE_STEPS, risk_tier),
    "area_minute": Job(gold.AREA_MINUTE, (SILVER, HAZARD), Steps(MINUTE), _area_minute, with_reports=True),
    "data_quality": Job(gold.DATA_QUALITY, (SILVER,), Steps(HOUR, HOUR), _data_quality),
    "sensor_health": Job(gold.SENSOR_HEALTH, (SILVER,), HEALTH_STEPS, health),
    "alarm_cause": Job(gold.ALARM_CAUSE, (Stage(gold.ALARM), Stage(gold.SENSOR_HEALTH)), CAUSE_STEPS, causes),
    "escape_route": Job(gold.ESCAPE_ROUTE, (SILVER, HAZARD), Steps(MINUTE), escapes),
}


def index_job(job: str, only: Collection[str]) -> Job:
    """The job "hazard_index" or "hazard_trend" for the indices named `only`."""
    compute = {"hazard_index": _hazard, "hazard_trend": trends}[job]
    return replace(JOBS[job], compute=partial(compute, only=frozenset(only)))
