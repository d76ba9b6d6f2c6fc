"""Which minutes of gold are due: those that new or reworked silver may change, and those that it is the first to fill.

Gold has rows for the minutes between a mine's first and last data; a silence longer than BRIDGED ends one stretch and
begins another. Which minutes have rows follows from the data alone, not from the order in which they came or from how
the work was cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import narwhals as nw
import polars as pl

from minefusion.pipelines.conform import (
    abnormalities,
    families,
    field_records,
    positions,
    readings,
    seismic,
    station_states,
    statistics,
    vehicles,
)
from minefusion.pipelines.engines.engine import Consumed, Engine
from minefusion.pipelines.jobs.keeping import LOOKED_BACK, kept_from
from minefusion.pipelines.jobs.new_files import LOADED, NewFiles, Stage, collected, come_to, new_files
from minefusion.pipelines.jobs.spans import joined, within, without
from minefusion.schemas import silver
from minefusion.schemas.bronze import EXCHANGE_FILE
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

MINUTE = timedelta(minutes=1)
# Rows before a window that its indices look at; a silence that is longer separates what lies on its two sides.
LOOKBACK = BRIDGED = timedelta(hours=2)
# A change in the data moves results up to this long after it: an hour in silver's judgement, the rest by looking back.
AFTER = timedelta(hours=3)
# Late files of a span are looked for so far ahead, as in silver.
LATE = timedelta(days=7)
# A file's records are at most so far ahead of its own time, clipped by the ledger.
AHEAD = timedelta(minutes=10)
# Pieces of a window, so that a year's back-fill fits in memory.
PIECE = timedelta(hours=24)
# How far silver has come.
SILVER = Stage(silver.READING)
# Kinds of file whose times say that the mine had data then.
DATA_KINDS = (
    *readings.KINDS, *statistics.KINDS, *positions.KINDS, *station_states.KINDS, *families.KINDS, *seismic.KINDS,
    *field_records.KINDS, *vehicles.KINDS,
)  # fmt: skip


@dataclass(frozen=True)
class Steps:
    """How a table's rows lie in time.

    Attributes:
        begin, end: windows to compute begin and end at whole multiples of these.
        only_passed: a window at the end of the data has no rows before data from after it came.
        after: a change in the data moves rows up to this long after it.
        bridged: a silence that is longer has no rows.
        piece: a window is worked on in pieces of at most this length.
    """

    begin: timedelta
    end: timedelta = MINUTE
    only_passed: bool = False
    after: timedelta = AFTER
    bridged: timedelta = BRIDGED
    piece: timedelta = PIECE

    def around(self, window: Window) -> Window:
        last = window.aligned(self.end).end
        if self.only_passed and last > window.end:
            last -= self.end
        first = window.aligned(self.begin).start
        return Window(first, max(first, last))


@dataclass(frozen=True)
class Work:
    """A span to compute, for mines that share it. `ends_stretch`: no piece of this run goes on where it ends."""

    window: Window
    mines: tuple[str, ...]
    steps: Steps
    ends_stretch: bool = True


@dataclass(frozen=True)
class Stretches:
    """When one mine had data: each file's minutes, and the stretches that they make."""

    files: list[Window]
    whole: list[Window]


def due_work(
    engine: Engine,
    stage: Stage,
    needs: Sequence[Stage],
    mines: Sequence[str] | None,
    steps: Steps,
    *,
    with_reports: bool,
) -> tuple[list[Work], tuple[Consumed, ...]]:
    """What new silver makes due, and what the table has used up when that is done.

    Args:
        stage: the table, as this job fills it.
        needs: tables that it is computed from; a batch that one of them has not used up is left for later.
        with_reports: the table also tells of the mine's own reports, which may come long after they began.
    """
    new = new_files(engine, stage, mines, lambda mine: min(come_to(engine, each, mine) for each in needs))
    spans: dict[str, list[Window]] = {}
    stretches: dict[str, Stretches] = {}
    reworked = _reworked(engine, stage, new)
    for mine in new.mines:
        ledger = new.ledger.filter(pl.col("mine_code") == mine)
        fresh = _minutes(ledger.filter(pl.col("kind").is_in(DATA_KINDS)))
        changed = [*fresh, *reworked.get(mine, ())]
        if with_reports:
            changed += _reported(engine, mine, ledger)
        if not changed:
            continue
        around = joined(changed, LATE)
        stretches[mine] = all_data = data_of(engine, mine, around, steps)
        known = set(ledger["file_id"])
        before = data_of(engine, mine, around, steps, leaving_out=known)
        first_filled = without(all_data.whole, before.whole)
        after = [Window(each.start, each.end + steps.after) for each in (*changed, *first_filled)]
        spans[mine] = joined(steps.around(each) for each in within(joined(after), all_data.whole))
    return _shared_out(engine, spans, stretches, steps), new.completes


def work_over(engine: Engine, window: Window, mines: Sequence[str] | None, steps: Steps) -> list[Work]:
    """A span that a person asked for, where the mines had data."""
    if mines is None:
        known = engine.in_process.read(silver.AREA).select("mine_code").unique()
        mines = sorted(collected(engine.in_process, known)["mine_code"])
    window = steps.around(window)
    stretches = {mine: data_of(engine, mine, [window], steps) for mine in mines}
    spans = {mine: joined(steps.around(each) for each in within([window], stretches[mine].whole)) for mine in mines}
    return _shared_out(engine, spans, stretches, steps)


def still_there(engine: Engine, work: Sequence[Work], tables: Sequence[Table]) -> list[Work]:
    """What of the spans still has in these tables what it is computed from; the rest of gold stays as it was found."""
    since = kept_from(engine, tables, {mine for each in work for mine in each.mines})
    if not since:
        return list(work)
    found = []
    for each in work:
        begins: dict[datetime, list[str]] = {}
        for mine in each.mines:
            first = since[mine] + LOOKED_BACK if mine in since else each.window.start
            begins.setdefault(max(first, each.window.start), []).append(mine)
        found += [
            replace(each, window=Window(start, each.window.end), mines=tuple(mines))
            for start, mines in sorted(begins.items())
            if start < each.window.end
        ]
    return found


def data_of(
    engine: Engine, mine: str, around: Iterable[Window], steps: Steps, *, leaving_out: set[str] | None = None
) -> Stretches:
    """When the mine had data, in and about these windows, as far as silver has come."""
    files: list[Window] = []
    upto = come_to(engine, SILVER, mine)
    for window in around:
        near = window.widened(steps.bridged + AHEAD, steps.after + LATE)
        rows = engine.in_process.read(EXCHANGE_FILE, window=near, mines=[mine]).filter(
            nw.col("kind").is_in(list(DATA_KINDS)),
            nw.col("verdict").is_in(list(LOADED)),
            nw.col("batch") <= upto,
        )
        ledger = collected(engine.in_process, rows.select("file_id", "observed_from", "observed_to"))
        if leaving_out:
            ledger = ledger.filter(~pl.col("file_id").is_in(list(leaving_out)))
        files += _minutes(ledger)
    files = joined(files)
    return Stretches(files, joined(files, steps.bridged))


def _minutes(ledger: pl.DataFrame) -> list[Window]:
    """The minutes that files tell of."""
    spans = ledger.select(
        pl.col("observed_from").dt.truncate("1m").alias("start"),
        (pl.col("observed_to").dt.truncate("1m") + MINUTE).alias("end"),
    ).drop_nulls()
    return joined(Window(start, end) for start, end in spans.unique().iter_rows())


def _reworked(engine: Engine, stage: Stage, new: NewFiles) -> dict[str, list[Window]]:
    """Spans of each mine that silver worked out anew since the table was computed last."""
    found: dict[str, list[Window]] = {}
    for mine in new.mines:
        batches = (come_to(engine, stage, mine), come_to(engine, SILVER, mine))
        rows = collected(engine.in_process, engine.in_process.read(silver.REWORKED, batches=batches, mines=[mine]))
        found[mine] = [Window(start, end) for start, end in rows.select("span_start", "span_end").iter_rows()]
    return found


def _reported(engine: Engine, mine: str, ledger: pl.DataFrame) -> list[Window]:
    """When the abnormalities in these files began and ended."""
    files = ledger.filter(pl.col("kind").is_in(abnormalities.KINDS))
    if files.is_empty():
        return []
    first, last = files["header_time"].min(), files["header_time"].max()
    near = Window(first, last).widened(LATE, AHEAD)  # type: ignore[arg-type]
    rows = collected(engine.in_process, engine.in_process.read(silver.REPORTED_ABNORMALITY, window=near, mines=[mine]))
    rows = rows.filter(pl.col("file_id").is_in(files["file_id"].implode()))
    return [
        Window(began, max(began, ended or last)).widened(after=MINUTE).aligned(MINUTE)
        for began, ended in rows.select("began_at", "ended_at").iter_rows()
    ]


def _shared_out(
    engine: Engine, spans: Mapping[str, Sequence[Window]], stretches: Mapping[str, Stretches], steps: Steps
) -> list[Work]:
    """Pieces to compute one after the other; mines that share a piece are computed together."""
    if not spans:
        return []
    cuts = _changes_of_definitions(engine, sorted(spans), steps.begin)
    pieces: dict[tuple[datetime, datetime, bool], list[str]] = {}
    for mine, windows in spans.items():
        for window in windows:
            for piece in _pieces(window, stretches[mine].files, cuts.get(mine, ()), steps):
                pieces.setdefault((piece.start, piece.end, piece.end == window.end), []).append(mine)
    return [Work(Window(start, end), tuple(of), steps, ends) for (start, end, ends), of in sorted(pieces.items())]


def _pieces(window: Window, files: Sequence[Window], cuts: Iterable[datetime], steps: Steps) -> Iterator[Window]:
    """The window cut where definitions change, and after each piece; not in a silence, which is told as a whole."""
    edges = [window.start, *sorted(cut for cut in cuts if window.start < cut < window.end), window.end]
    for start, end in pairwise(edges):
        while end - start > steps.piece:
            cut = start + steps.piece
            last = max((min(each.end, cut) for each in files if start < each.start < cut), default=cut)
            cut = max(Window(last, last).aligned(steps.begin).end, start + steps.begin)
            yield Window(start, cut)
            start = cut
        yield Window(start, end)


def _changes_of_definitions(engine: Engine, mines: Sequence[str], step: timedelta) -> dict[str, list[datetime]]:
    """The first whole step of each mine that new definitions hold for."""
    rows = engine.in_process.read(silver.DEFINITION, mines=mines).select("mine_code", "valid_from").unique()
    found: dict[str, list[datetime]] = {}
    for mine, valid_from in collected(engine.in_process, rows).iter_rows():
        found.setdefault(mine, []).append(Window(valid_from, valid_from).aligned(step).end)
    return found
