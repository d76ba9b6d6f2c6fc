"""Methane alarms from readings that silver has not taken yet: the row of gold.alarm stands a moment after its file.

The rows are those that the alarm job would write, made by the same functions: `to_samples`, `assess`, `alarms`. What is
spared is the history. A sample is judged by little that came before it (`conform.readings`), and an alarm rests on the
samples since it was raised and two before; so that little is kept in memory, and a look costs what is new.

Memory is only a short cut. It is filled from silver at the start, and anew where silver said something that it cannot
know: other definitions, or a sample that came late. A late sample is left to the alarm job, which has the last word on
every row. So has it on every other alarm: indices are about whole minutes and wait for them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import narwhals as nw
import polars as pl

from minefusion.pipelines.conform.definitions import in_force
from minefusion.pipelines.conform.quality import CALIBRATION, OVER_RANGE, bits, has_bit
from minefusion.pipelines.conform.readings import (
    BLOCK_MINUTES,
    BLOCK_SAMPLES,
    KINDS,
    LAYOUTS,
    SAMPLE,
    assess,
    is_usable,
    to_samples,
)
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.episodes import BEHIND, GAS, N, alarms
from minefusion.pipelines.hazard.inputs import AIR_PATH, DOOR_PAIR, FEED_TABLES, MINE, POINT_COLUMNS, Feeds, Inputs
from minefusion.pipelines.hazard.minutes import CONFIRMS_FOR_US
from minefusion.pipelines.jobs.conform import CHUNK_RECORDS, Chunk, records_of
from minefusion.pipelines.jobs.due import DATA_KINDS, LOOKBACK, SILVER, Work, data_of
from minefusion.pipelines.jobs.gold_inputs import Computed, Master
from minefusion.pipelines.jobs.hazard import JOBS, Job, stamped
from minefusion.pipelines.jobs.lock import exclusive
from minefusion.pipelines.jobs.master_data import area_facts, point_facts, stored
from minefusion.pipelines.jobs.new_files import LOADED, collected, come_to, complete_batches
from minefusion.pipelines.jobs.racing import until_unbeaten
from minefusion.schemas import gold, reference, silver
from minefusion.schemas.bronze import EXCHANGE_FILE
from minefusion.schemas.window import Window

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
BLOCK = timedelta(minutes=BLOCK_MINUTES)
CONFIRMS_FOR = timedelta(microseconds=CONFIRMS_FOR_US)
# What changes with each sample of an open alarm, its integral, is written at most so often; a raise, a worse level or a
# clear at once.
SECONDS_BETWEEN_UPDATES = 10.0
_POINT = ["mine_code", "point_id"]
_MICROSECOND = timedelta(microseconds=1)
_NEVER = pl.DataFrame(schema={"mine_code": pl.String, "point_id": pl.String, "at": pl.Datetime("us", "UTC")})
# Tables by which samples are judged; where one moved, what was kept is made anew.
_JUDGED_BY = (silver.POINT, silver.AREA, silver.DEFINITION)


class GasWatch:
    """What is kept between looks.

    Attributes:
        batch: the last ingest batch that was looked at.
    """

    def __init__(self, engine: LightEngine) -> None:
        self.engine = engine
        self.batch = 0
        self._forget()

    def _forget(self) -> None:
        self._silver_at: dict[str, int] = {}  # mine → the batch that silver had come to at the start
        self._versions: list[int] = []
        self._master: Master = {}
        self._facts = pl.DataFrame()  # silver.point of gas by time
        self._areas = pl.DataFrame()  # silver.area by time
        self._lowest_alarm = pl.DataFrame()  # of each point, whenever it held
        self._ends: dict[str, datetime] = {}  # mine → end of the newest minute that any file told of
        self._newest = _NEVER  # of each point, the newest sample
        self._over = _NEVER  # of each point that is followed, its newest sample at the alarm limit
        self._late = _NEVER  # points of which a sample came late
        self._context = (
            collected(self.engine, self.engine.empty(silver.READING))
            .with_columns(pl.lit(0, dtype=pl.Int32).alias("position"))
            .select(SAMPLE)
        )
        self._kept: pl.DataFrame | None = None  # usable readings of the points that are followed
        self._rows: pl.DataFrame | None = None  # their alarms, as they should be
        self._written: pl.DataFrame | None = None
        self._updated_at = 0.0

    # ── beginning ───────────────────────────────────────────────────────────────────────────────────────────────────

    def is_outdated(self) -> bool:
        """Whether silver came to say something that what is kept does not know."""
        return not self._late.is_empty() or self._versions != self._tables_judged_by()

    def _tables_judged_by(self) -> list[int]:
        return [self.engine.part(table, days=None).version for table in _JUDGED_BY]

    def begin(self) -> None:
        """Fill what is kept from silver; batches that silver has not taken are looked at next."""
        self._forget()
        self._versions = self._tables_judged_by()
        points = self.engine.read(silver.POINT).select("mine_code").unique()
        mines = sorted(collected(self.engine, points)["mine_code"])
        self._silver_at = {mine: come_to(self.engine, SILVER, mine) for mine in mines}
        self.batch = min(self._silver_at.values(), default=0)
        if not mines:
            return
        self._master = stored(self.engine, mines)
        facts = pl.DataFrame(pl.from_arrow(point_facts(self._master.values())))
        gas = facts.filter(pl.col("quantity") == "ch4", pl.col("alarm").is_not_null())
        self._facts = facts.join(gas.select(_POINT).unique(), on=_POINT, how="semi")
        self._areas = pl.DataFrame(pl.from_arrow(area_facts(self._master.values())))
        self._lowest_alarm = gas.group_by(_POINT).agg(pl.col("alarm").min())
        for mine in mines:
            self._begin_with(mine)
        self._alarms_now()
        self._written = self._rows

    def _begin_with(self, mine: str) -> None:
        newest = self._newest_of(mine)
        points = self._lowest_alarm.filter(pl.col("mine_code") == mine)
        if newest is None or points.is_empty():
            return
        stretches = data_of(self.engine, mine, [Window(newest, newest)], JOBS["alarm"].steps).whole
        self._ends[mine] = max((each.end for each in stretches), default=newest)
        opened = self.engine.read(gold.ALARM, window=Window(newest - timedelta(days=7), newest + MINUTE), mines=[mine])
        # Open then: what was seen since may have closed it already.
        then = nw.lit(newest, dtype=nw.Datetime("us", "UTC"))
        opened = opened.filter(
            nw.col("kind") == GAS,
            nw.col("raised_at") <= then,
            nw.col("cleared_at").is_null() | (nw.col("cleared_at") > then),
        )
        raised = collected(self.engine, opened.select(*_POINT, "raised_at"))
        since = min([newest - CONFIRMS_FOR, *raised["raised_at"]]) - (BEHIND - CONFIRMS_FOR)
        lately = self.engine.read(silver.READING, window=Window(since, newest + _MICROSECOND), mines=[mine])
        rows = lately.to_native().join(points.lazy(), on=_POINT, how="inner")
        near = rows.filter(pl.col("observed_at") >= _oldest_block(newest)).select(SAMPLE)
        self._context = pl.concat([self._context, _thinned(near.collect(engine="streaming"))])
        told = rows.group_by(_POINT).agg(
            pl.col("observed_at").max().alias("at"),
            pl.col("observed_at").filter(pl.col("value") >= pl.col("alarm")).max().alias("over_at"),
        )
        told = told.collect(engine="streaming")
        self._newest = pl.concat([self._newest, told.select([*_POINT, "at"])])
        over = told.filter(pl.col("over_at") > newest - CONFIRMS_FOR).select(*_POINT, pl.col("over_at").alias("at"))
        held = raised.select(*_POINT, pl.lit(newest, dtype=pl.Datetime("us", "UTC")).alias("at"))
        self._over = _latest([self._over, over, held])
        followed = rows.join(self._over.lazy().select(_POINT), on=_POINT, how="semi")
        self._keep(followed.select(silver.READING.names).collect(engine="streaming"))

    def _newest_of(self, mine: str) -> datetime | None:
        """When the mine's newest reading was taken."""
        for day in reversed(self.engine.days(silver.READING)):
            rows = self.engine.read(silver.READING, days=[day], mines=[mine]).select(nw.col("observed_at").max())
            newest = collected(self.engine, rows)["observed_at"].max()
            if newest is not None:
                return newest  # type: ignore[return-value]
        return None

    # ── a look ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def look(self) -> int:
        """Raise, update and clear alarms from what came into bronze since the last look; returns the rows changed."""
        changed = 0
        for piece in self._pieces(complete_batches(self.engine)):
            self._take(self.batch, piece)
            self._alarms_now()
            self.batch = piece
            changed += self._write()
        return changed + self._write()

    def _pieces(self, upto: int) -> list[int]:
        """The batches up to which a back-log is worked off piece by piece."""
        if self.batch >= upto:
            return []
        rows = self.engine.read(EXCHANGE_FILE, batches=(self.batch, upto))
        counts = collected(self.engine, rows.group_by("batch").agg(nw.col("records_stored").sum())).sort("batch")
        ends, held, before = [], 0, self.batch
        for batch, records in counts.iter_rows():
            if held and held + records > CHUNK_RECORDS:
                ends.append(before)
                held = 0
            held, before = held + records, batch
        return [*ends, upto]

    def _take(self, after: int, upto: int) -> None:
        """Judge the samples of these batches and keep what alarms rest on."""
        if self._lowest_alarm.is_empty():
            return
        ledger = self._files(after, upto)
        samples = self._samples(ledger)
        if samples.is_empty():
            return
        samples = samples.join(self._newest, on=_POINT, how="left")
        is_late = (pl.col("observed_at") <= pl.col("at")).fill_null(False)
        late = samples.filter(is_late).group_by(_POINT).agg(pl.col("observed_at").max().alias("at"))
        self._late = _latest([self._late, late])
        new = samples.filter(~is_late).select(SAMPLE)
        self._newest = _latest([self._newest, _last_of(new)])
        flags = nw.from_native(new.lazy()).with_columns(bits().alias("_bits"))
        flags = flags.with_columns(has_bit(OVER_RANGE).alias("_over_range"))
        with_limit = flags.to_native().join(self._lowest_alarm.lazy(), on=_POINT, how="inner")
        is_over = (pl.col("value") >= pl.col("alarm")).fill_null(False) | pl.col("_over_range")
        self._over = _latest([self._over, _last_of(with_limit.filter(is_over).collect())])
        if not self._over.is_empty():
            self._keep(self._judged(new))
        context = pl.concat([self._context, new])
        self._context = _thinned(context.join(_block_needed(self._newest), on="mine_code"))

    def _files(self, after: int, upto: int) -> pl.DataFrame:
        """Ledger rows of the files in these batches that tell of a time and that silver did not have at the start."""
        rows = self.engine.read(EXCHANGE_FILE, batches=(after, upto)).filter(
            nw.col("kind").is_in(list(DATA_KINDS)), nw.col("verdict").is_in(list(LOADED))
        )
        silver_at = pl.DataFrame(
            {"mine_code": list(self._silver_at), "_silver_at": list(self._silver_at.values())},
            schema={"mine_code": pl.String, "_silver_at": pl.Int64},
        )
        ledger = collected(self.engine, rows).join(silver_at, on="mine_code")
        ledger = ledger.filter(pl.col("batch") > pl.col("_silver_at"))
        ends = ledger.group_by("mine_code").agg(pl.col("observed_to").max().dt.truncate("1m") + MINUTE)
        for mine, end in ends.drop_nulls().iter_rows():
            self._ends[mine] = max(end, self._ends.get(mine, end))
        return ledger

    def _samples(self, ledger: pl.DataFrame) -> pl.DataFrame:
        """Samples of gas points out of bronze."""
        ledger = ledger.filter(pl.col("kind").is_in(KINDS))
        if ledger.is_empty():
            return self._context.clear()
        chunk = Chunk(ledger, records_of(self.engine, ledger, KINDS))
        facts = nw.from_native(self._facts.lazy())
        samples = to_samples(chunk.records, facts, chunk.layouts(LAYOUTS)).to_native()
        gas = samples.join(self._lowest_alarm.lazy().select(_POINT), on=_POINT, how="semi")
        return gas.filter(pl.col("observed_at").is_not_null()).collect()

    def _judged(self, new: pl.DataFrame) -> pl.DataFrame:
        """New readings of the points that are followed; they are judged among their neighbours."""
        areas = self._facts.join(self._over, on=_POINT, how="semi").select("mine_code", "area_id").unique()
        facts = self._facts.join(areas, on=["mine_code", "area_id"], how="semi", nulls_equal=True)
        peers = facts.select(_POINT).unique()
        samples = pl.concat([self._context, new]).join(peers, on=_POINT, how="semi")
        rows = assess(nw.from_native(samples.lazy()), nw.from_native(self._facts.lazy())).to_native()
        fresh = new.select(*_POINT, "observed_at").join(self._over, on=_POINT, how="semi").unique()
        return rows.join(fresh.lazy(), on=[*_POINT, "observed_at"], how="semi").collect()

    def _keep(self, readings: pl.DataFrame) -> None:
        """Keep the usable ones, as the indices read them."""
        held = self._facts.select(*_POINT, *POINT_COLUMNS, "holds_from", "holds_to")
        rows = in_force(nw.from_native(readings.lazy()), nw.from_native(held.lazy()), _POINT, "observed_at")
        rows = rows.with_columns(is_usable(nw.col("quality"), nw.col("quality_reasons")).alias("usable"))
        rows = self.engine.with_epoch(rows.filter(nw.col("usable")), "observed_at", "observed_us")
        kept = rows.to_native().collect()
        self._kept = kept if self._kept is None else pl.concat([self._kept, kept], how="vertical")

    def _alarms_now(self) -> None:
        """The alarms that the kept readings make, and then only those readings that they go on from."""
        if self._kept is None or self._kept.is_empty():
            return
        found = []
        for mine, end in self._ends.items():
            kept = self._kept.filter(pl.col("mine_code") == mine)
            if not kept.is_empty():
                first: datetime = kept["observed_at"].min()  # type: ignore[assignment]
                found.append(self._alarms_of(mine, kept, Window(first, max(first, end)).aligned(MINUTE)))
        rows = pl.concat(found)
        open_ones = rows.filter(pl.col("cleared_at").is_null())
        if self._rows is not None:
            oldest = self._newest["at"].max() - LOOKBACK  # type: ignore[operator]
            lately = self._rows.filter(pl.col("cleared_at").is_null() | (pl.col("cleared_at") > oldest))
            rows = pl.concat([lately.join(rows, on="alarm_id", how="anti"), rows])
        self._rows = rows
        now_open = open_ones.select(*_POINT, pl.col("raised_at").dt.epoch("us").alias("_raised_us"))
        self._kept = _needed_on(self._kept.join(now_open, on=_POINT, how="left"))
        ends = self._newest.group_by("mine_code").agg(pl.col("at").max().alias("_end"))
        over = self._over.join(ends, on="mine_code").join(now_open, on=_POINT, how="left")
        is_near = pl.col("at") > pl.col("_end") - CONFIRMS_FOR
        self._over = over.filter(is_near | pl.col("_raised_us").is_not_null()).select(self._over.columns)
        self._kept = self._kept.join(self._over, on=_POINT, how="semi")

    def _alarms_of(self, mine: str, kept: pl.DataFrame, window: Window) -> pl.DataFrame:
        engine = self.engine
        headcount = engine.read(silver.HEADCOUNT, window=window.widened(before=LOOKBACK), mines=[mine])
        now = pl.lit(window.end, dtype=pl.Datetime("us", "UTC"))
        areas = self._areas.filter(pl.col("mine_code") == mine, pl.col("holds_from") <= now, pl.col("holds_to") > now)
        inputs = replace(
            _nothing_measured(engine, window),
            readings=nw.from_native(kept.lazy()),
            headcount=engine.with_epoch(headcount, "observed_at", "observed_us"),
            areas=nw.from_native(areas.lazy()),
        )
        rows = alarms(inputs, engine.empty(gold.HAZARD_INDEX), engine.empty(silver.REPORTED_ABNORMALITY))
        return collected(engine, rows)

    def _write(self) -> int:
        """Write what differs from what was written last; what only grows waits a little."""
        if self._rows is None:
            return 0
        rows, marks = self._rows, ["alarm_id", "level", "cleared_at"]
        if self._written is not None:
            rows = rows.join(self._written, on=rows.columns, how="anti", nulls_equal=True)
            is_urgent = not rows.join(self._written, on=marks, how="anti", nulls_equal=True).is_empty()
            if not is_urgent and time.monotonic() < self._updated_at + SECONDS_BETWEEN_UPDATES:
                return 0
        if rows.is_empty():
            return 0
        changed = until_unbeaten(self.engine, lambda: self._make_equal(rows))
        self._written, self._updated_at = self._rows, time.monotonic()
        return changed

    def _make_equal(self, rows: pl.DataFrame) -> int:
        engine, table = self.engine, gold.ALARM
        first: datetime = rows["raised_at"].min()  # type: ignore[assignment]
        last: datetime = rows["raised_at"].max()  # type: ignore[assignment]
        with exclusive(engine.settings.lake, table.name):
            part = engine.part(table, window=Window(first, last + _MICROSECOND))
            part = part.filter(nw.col("alarm_id").is_in(rows["alarm_id"].to_list()))
            written = engine.replace(part, stamped(nw.from_native(rows.lazy()), table, datetime.now(UTC)))
        return written.changed

    # ── beside the alarm job ────────────────────────────────────────────────────────────────────────────────────────

    def alarm_job(self) -> Job:
        """The alarm job, which knows as much as silver does, without taking back what was seen since."""
        return replace(JOBS["alarm"], compute=self._compute)

    def _compute(self, engine: Engine, work: Work, master: Master) -> Iterator[Computed]:
        ahead = self._ahead_of_silver(work)
        for rows, part in JOBS["alarm"].compute(engine, work, master):
            told = nw.from_native(ahead.lazy()).select(*rows.collect_schema().names())
            others = rows.join(told.select("alarm_id"), on="alarm_id", how="anti")
            yield nw.concat([others, told], how="vertical"), part

    def _ahead_of_silver(self, work: Work) -> pl.DataFrame:
        """Alarms of the span that rest on newer samples than silver has, of points of which none came late."""
        rows = collected(self.engine, self.engine.empty(gold.ALARM)) if self._rows is None else self._rows
        for mine in work.mines:
            since = pl.lit(self._newest_of(mine), dtype=pl.Datetime("us", "UTC"))
            points = self._newest.filter(pl.col("at") > since).join(self._late, on=_POINT, how="anti")
            goes_on = pl.col("cleared_at").is_null() | (pl.col("cleared_at") > since)
            of_mine = rows.filter(pl.col("mine_code") == mine, goes_on).join(points, on=_POINT, how="semi")
            rows = pl.concat([rows.filter(pl.col("mine_code") != mine), of_mine])
        is_of_span = pl.col("cleared_at").is_null() | (pl.col("cleared_at") >= work.window.start)
        is_asked = pl.col("mine_code").is_in(work.mines) & (pl.col("raised_at") < work.window.end)
        return rows.filter(is_asked, is_of_span)


def _nothing_measured(engine: LightEngine, window: Window) -> Inputs:
    """The inputs of a window that nothing is known of."""
    frames = {name: engine.frame([], schema) for name, schema in _OF_SITES.items()}
    return Inputs(
        readings=engine.empty(silver.READING),
        points=engine.empty(silver.POINT),
        positions=engine.empty(silver.POSITION),
        headcount=engine.empty(silver.HEADCOUNT),
        areas=engine.empty(silver.AREA),
        edges=engine.empty(reference.ROADWAY_EDGE),
        feeds=Feeds(**{name: engine.empty(table) for name, table in FEED_TABLES.items()}),
        **frames,
        sites={},
        window=window,
        grouped=engine.grouped,
        frame=engine.frame,
        cached=engine.cached,
    )


_OF_SITES = {"mines": MINE, "air_paths": AIR_PATH, "door_pairs": DOOR_PAIR}


# ── what is needed of the past ──────────────────────────────────────────────────────────────────────────────────────


def _oldest_block(newest: datetime) -> datetime:
    """Start of the quarter of an hour that is the oldest by which a sample of now is judged."""
    return Window(newest, newest).aligned(BLOCK).start - 3 * BLOCK


def _block_needed(newest: pl.DataFrame) -> pl.DataFrame:
    ends = newest.group_by("mine_code").agg(pl.col("at").max())
    return ends.select("mine_code", pl.col("at").map_elements(_oldest_block, pl.Datetime("us", "UTC")).alias("_oldest"))


def _thinned(samples: pl.DataFrame) -> pl.DataFrame:
    """Of each point and quarter of an hour the samples that a later one is judged by, as all of them would judge it.

    Those are the first ones, enough to count; the first that moved; the lowest and the highest, of those over range
    apart, since `assess` lifts these to the range's end; and the last.
    """
    if "_oldest" in samples.columns:
        samples = samples.filter(pl.col("observed_at") >= pl.col("_oldest")).drop("_oldest")
    samples = samples.sort(*_POINT, "observed_at").with_row_index("_row")
    flags = nw.from_native(samples.lazy()).with_columns(bits().alias("_bits"))
    flagged = flags.with_columns((has_bit(OVER_RANGE) & ~has_bit(CALIBRATION)).alias("_lifted")).to_native()
    row, value, lifted = pl.col("_row"), pl.col("value"), pl.col("_lifted")
    quarter = [*_POINT, pl.col("observed_at").dt.truncate(f"{BLOCK_MINUTES}m").alias("_block")]
    chosen = flagged.group_by(quarter).agg(
        row.filter(value.is_not_null()).head(BLOCK_SAMPLES).alias("counted"),
        pl.concat_list(row.first(), row.last()).alias("ends"),
        row.filter(value.ne_missing(value.first()) | (lifted != lifted.first())).head(1).alias("moved"),
        *(
            row.filter(which).sort_by(value.filter(which), nulls_last=True, descending=falls).head(1).alias(name)
            for name, which, falls in (
                ("lowest", ~lifted, False),
                ("highest", ~lifted, True),
                ("lifted_lowest", lifted, False),
                ("lifted_highest", lifted, True),
            )
        ),
    )
    lists = ("counted", "ends", "moved", "lowest", "highest", "lifted_lowest", "lifted_highest")
    rows = pl.concat([chosen.select(pl.col(name).explode().alias("_row")) for name in lists]).drop_nulls().unique()
    return samples.join(rows.collect(), on="_row", how="semi").select(SAMPLE)


def _needed_on(kept: pl.DataFrame) -> pl.DataFrame:
    """Readings of each point that its next alarm, or the one that is open, rests on: since the raise, and N - 1 before.

    `kept` carries `_raised_us`, null where none is open.
    """
    kept = kept.sort(*_POINT, "observed_us")
    at, raised = pl.col("observed_us"), pl.col("_raised_us")
    place = pl.int_range(pl.len()).over(_POINT)
    first = pl.when(raised.is_null()).then(pl.len()).otherwise((at < raised).sum()).over(_POINT)
    return kept.filter(place + (N - 1) >= first.cast(pl.Int64)).drop("_raised_us")


def _last_of(samples: pl.DataFrame) -> pl.DataFrame:
    return samples.group_by(_POINT).agg(pl.col("observed_at").max().alias("at"))


def _latest(parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).group_by(_POINT).agg(pl.col("at").max())
