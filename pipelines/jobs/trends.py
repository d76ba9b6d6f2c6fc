"""Silver → gold for what takes hours to show: the slow indices and the alarms that they raise."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

import narwhals as nw
import polars as pl

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.hazard.catalogue import TRENDS
from minefusion.pipelines.hazard.episodes import BEHIND, index_alarms
from minefusion.pipelines.hazard.history import HISTORY
from minefusion.pipelines.hazard.snapshots import people_at
from minefusion.pipelines.jobs.due import Steps, Work
from minefusion.pipelines.jobs.gold_inputs import Computed, Master, computed_by_index, is_trend, make_history
from minefusion.pipelines.jobs.new_files import collected
from minefusion.pipelines.times import UTC_MICROSECONDS
from minefusion.schemas import gold, silver
from minefusion.schemas.window import Window

# The application under which the slow jobs count what they have used up, beside the fast ones at the same tables.
TREND = "trend"
HOUR = timedelta(hours=1)
# Slow feeds send once a day; rows go on through a silence of that length. A change moves a month of medians.
TREND_STEPS = Steps(HOUR, HOUR, only_passed=True, after=HISTORY, bridged=timedelta(hours=36), piece=timedelta(days=7))
# A slope may stay serious for so long under one alarm.
LONGEST_STAY = timedelta(days=400)


def trends(engine: Engine, work: Work, master: Master, only: Collection[str] | None = None) -> Iterator[Computed]:
    """The slow indices' rows, or those of the indices `only`."""
    history = make_history(engine, work.window, work.mines, master)
    yield from computed_by_index(engine, TRENDS, history, work.window, work.mines, only)


def trend_alarms(engine: Engine, work: Work, _master: Master) -> Iterator[Computed]:
    """One alarm per stay of a slow index at level 3 or more that is open at some moment of the span."""
    window, mines = work.window, work.mines
    start, end = (nw.lit(instant, dtype=UTC_MICROSECONDS) for instant in (window.start, window.end))
    still_open = nw.col("cleared_at").is_null() | (nw.col("cleared_at") >= start)
    part = engine.part(gold.ALARM, window=Window(window.start - LONGEST_STAY, window.end), mines=mines)
    part = part.filter(is_trend("kind"), still_open)
    # A stay that began before the history is followed back to where it began, for the few places that have one.
    opened = collected(engine, part.rows.select("entity", "raised_at"))
    since = window.start - HISTORY
    older = opened.filter(pl.col("raised_at") < since)
    rows = _slow_rows(engine, Window(since, window.end), mines)
    if not older.is_empty():
        first: datetime = older["raised_at"].min()  # type: ignore[assignment]
        kept = _slow_rows(engine, Window(first, since), mines)
        rows = nw.concat([kept.filter(nw.col("entity").is_in(older["entity"].unique().to_list())), rows])
        since = first
    found = index_alarms(engine.grouped, window, rows).filter(still_open, nw.col("raised_at") < end)
    headcount = engine.read(silver.HEADCOUNT, window=Window(since - BEHIND, window.end), mines=mines)
    found = people_at(found, "raised_us", engine.with_epoch(headcount, "observed_at", "observed_us"))
    yield found.select(*(name for name in gold.ALARM.names if name not in ("computed_at", "revision", "day"))), part


def _slow_rows(engine: Engine, window: Window, mines: Sequence[str]) -> nw.LazyFrame:
    return engine.read(gold.HAZARD_INDEX, window=window, mines=mines).filter(is_trend("index_id"))
