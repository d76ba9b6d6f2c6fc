"""Keep the lake in shape: remove rows whose time of keeping is over, join small files, write checkpoints, free disk.

How long a table is kept says its card (schemas/governance/tables.csv); a table without such a time is never touched.
Whole UTC days go, so a row is never removed early. Three things stay in spite of their age:

- **Rows of a mine at rest**, one that has sent nothing lately: after an accident these are evidence, and a table of
  past years that somebody replays is no live feed. Naming the mine removes them.
- **What silver has not used up**: records of a mine whose conform fails.
- **Ledger rows of files that still lie in the landing folder**: without them the files would be taken in anew.

A removal is logged in bronze.removal before it is done, under the number that its commit then carries, so a kill at any
moment leaves neither an unlogged removal nor a removal that is logged twice. The same commit marks how far back the
table reaches: see `keeping`. Everything is done under the lock of the job that writes the table.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import narwhals as nw
import polars as pl

from minefusion.pipelines.engines.engine import Consumed, Engine
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.due import SILVER
from minefusion.pipelines.jobs.ingest import finish
from minefusion.pipelines.jobs.keeping import mark, start_of
from minefusion.pipelines.jobs.lock import exclusive, lock_of
from minefusion.pipelines.jobs.new_files import LOADED, collected, come_to
from minefusion.pipelines.jobs.racing import until_unbeaten
from minefusion.pipelines.jobs.tally import Built, Progress
from minefusion.pipelines.times import UTC_MICROSECONDS
from minefusion.schemas import gold
from minefusion.schemas.bronze import EXCHANGE_FILE, EXCHANGE_RECORD, QUARANTINE, REMOVAL, VIDEO_CLIP
from minefusion.schemas.catalog import TABLES
from minefusion.schemas.governance import cards
from minefusion.schemas.table import Table

logger = logging.getLogger(__name__)

# A mine that has sent nothing for so long is at rest.
AT_REST = timedelta(days=7)
# Why rows of a mine stay in spite of their age.
RESTING, NOT_CONFORMED = "at_rest", "not_conformed"
# A past day with so many small files gets them joined.
JOIN_FROM = 2
# Rows are still going on while this column is null.
GOES_ON = {gold.ALARM.name: "cleared_at"}
# One row per file that arrived; the row is what the file is known by.
REGISTRIES = (EXCHANGE_FILE, VIDEO_CLIP)
# The application under which a table counts its removals.
_REMOVAL = "removal"


@dataclass
class Maintained(Built):
    """What was done to one table.

    Attributes:
        changed: rows that were removed; `rows` is how many there are now.
        kept_from: first UTC day that stays; None where the table is kept as long as the lake.
        joined: small files that were joined into larger ones.
        freed: files that were removed from the disk, since no version needs them.
    """

    kept_from: str | None = None
    joined: int = 0
    freed: int = 0


@dataclass
class Maintenance:
    """What a maintenance did. `held`: mine → why rows of it stayed in spite of their age."""

    tables: list[Maintained] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        return sum(each.changed for each in self.tables)


def maintain(
    engine: Engine, *, mines: Sequence[str] | None = None, now: datetime | None = None, progress: Progress | None = None
) -> Maintenance:
    """Maintain every table. A second run changes nothing.

    Args:
        mines: remove rows of these alone, whether they are at rest or not.
        now: the moment from which ages are counted.
    """
    light, done = engine.in_process, Maintenance()
    keeper = _Keeper(light, now or datetime.now(UTC), None if mines is None else frozenset(mines), done.held)
    lake = light.settings.lake
    with exclusive(lake, "maintain"):
        with exclusive(lake, lock_of(EXCHANGE_FILE)):
            until_unbeaten(light, lambda: finish(light))
        # The log of removals last: the others write to it.
        tables = sorted(TABLES.values(), key=lambda table: table is REMOVAL)
        for index, table in enumerate(tables):
            if light.exists(table):
                with exclusive(lake, lock_of(table)):
                    done.tables.append(_maintained(light, table, keeper))
            if progress:
                progress((index + 1) / len(tables), table.name)
    return done


def _maintained(light: LightEngine, table: Table, keeper: _Keeper) -> Maintained:
    started = time.monotonic()
    removed = until_unbeaten(light, lambda: keeper.remove_old(table))
    joined = light.compact(table, newest_day=not table.partition, from_files=JOIN_FROM)
    freed = light.trim(table, orphans=True)
    light.checkpoint(table)
    first = keeper.first_day(table)
    return Maintained(
        table.name,
        changed=removed,
        rows=light.rows_in(table),
        kept_from=first.isoformat() if first else None,
        joined=joined,
        freed=freed,
        seconds=time.monotonic() - started,
    )


@dataclass(frozen=True)
class _Over:
    """Rows whose time is over: how many of each mine and day, and how they are removed under a number."""

    counted: pl.DataFrame  # mine_code, removed_day, rows
    remove: Callable[[int], None]


@dataclass(frozen=True)
class _Keeper:
    """Removes what is over, by one clock."""

    light: LightEngine
    now: datetime
    mines: frozenset[str] | None
    held: dict[str, str]

    def first_day(self, table: Table) -> date | None:
        """The first day that stays: its last moment is no older than the table is kept."""
        card = cards().get(table.name)
        return None if card is None or card.keep_days is None else (self.now - timedelta(days=card.keep_days)).date()

    def remove_old(self, table: Table) -> int:
        """Log the removal, then do it; returns how many rows went."""
        first = self.first_day(table)
        if first is None:
            return 0
        over = self._files_over(table, first) if table in REGISTRIES else self._rows_over(table, first)
        if over is None or over.counted.is_empty():
            return 0
        number = self.light.consumed(table, _REMOVAL) + 1
        self._log(table, number, over.counted, first)
        over.remove(number)
        rows = int(over.counted["rows"].sum())
        logger.info("%s: %d rows before %s removed, removal %d", table.name, rows, first, number)
        return rows

    def _rows_over(self, table: Table, first: date) -> _Over | None:
        """Rows of whole days before `first`."""
        light = self.light
        days = self._days_before(table, first)
        part = light.part(table, days=days)
        if part.is_empty:
            return None
        conditions = [f"day < '{first}'"]
        if ends := GOES_ON.get(table.name):
            part = part.filter(~nw.col(ends).is_null())
            conditions.append(f"{ends} IS NOT NULL")
        if table in (EXCHANGE_RECORD, QUARANTINE):
            last = self._last_batch_before(first, days)
            part = part.filter(nw.col("batch") <= last)
            conditions.append(f"batch <= {last}")
        newest = (nw.col("batch").max().alias("newest"),) if table is EXCHANGE_RECORD else ()
        rows = part.rows.group_by("mine_code", "day").agg(nw.len().cast(nw.Int64).alias("rows"), *newest)
        counted = collected(light, rows).rename({"day": "removed_day"})
        stay = self._staying(counted)
        counted = self._without(counted, stay)
        if self.mines is not None:
            conditions.append(f"mine_code IN ({_quoted(self.mines - stay)})")
        elif stay:
            conditions.append(f"(mine_code IS NULL OR mine_code NOT IN ({_quoted(stay)}))")

        def remove(number: int) -> None:
            marks = (mark(mine, first) for mine in sorted(counted["mine_code"].drop_nulls().unique()))
            light.remove(part, " AND ".join(conditions), [Consumed(_REMOVAL, number), *marks])

        return _Over(counted, remove)

    def _files_over(self, table: Table, first: date) -> _Over | None:
        """Rows of files that arrived and tell of times before `first`, and lie in no landing folder any more."""
        light, (key,) = self.light, table.key
        part = light.part(table, days=self._days_before(table, first) if table.partition else None)
        if part.is_empty:
            return None
        about = pl.col("day") if table.partition else pl.coalesce("began_at", "received_at").dt.strftime("%Y-%m-%d")
        rows = collected(light, part.rows).with_columns(removed_day=about)
        rows = rows.filter(pl.col("removed_day") < first.isoformat(), pl.col("ingested_at") < start_of(first))
        rows = rows.filter([_is_gone(*place) for place in rows.select("landing", "folder", "name").iter_rows()])
        counted = rows.group_by("mine_code", "removed_day").agg(pl.len().cast(pl.Int64).alias("rows"))
        counted = self._without(counted, self._staying(counted))
        gone = rows.join(counted, on=["mine_code", "removed_day"], how="semi", nulls_equal=True)[key].to_list()

        def remove(number: int) -> None:
            over = part.filter(nw.col(key).is_in(gone))
            light.replace(over, light.empty(table), consumed=Consumed(_REMOVAL, number))

        return _Over(counted, remove)

    def _days_before(self, table: Table, first: date) -> list[str]:
        return [day for day in self.light.days(table) if day < first.isoformat()]

    def _last_batch_before(self, first: date, days: Sequence[str]) -> int:
        """The last ingest batch with a file about these days that came before `first`.

        A record is as young as its arrival, where its own time is a wrong clock's or none.
        """
        rows = self.light.read(EXCHANGE_FILE, days=days)
        came_before = nw.col("ingested_at") < nw.lit(start_of(first), dtype=UTC_MICROSECONDS)
        return int(collected(self.light, rows.filter(came_before).select(nw.col("batch").max()))["batch"][0] or 0)

    def _staying(self, counted: pl.DataFrame) -> frozenset[str]:
        """Mines whose rows stay; `held` is told why.

        Args:
            counted: by mine; `newest` where silver must have used the rows up: their last batch.
        """
        there = set(counted["mine_code"].drop_nulls())
        if self.mines is None:
            self.held.update(dict.fromkeys(self._at_rest(there), RESTING))
        else:
            there &= self.mines
        if "newest" in counted.columns:
            for mine, newest in counted.group_by("mine_code").agg(pl.col("newest").max()).drop_nulls().iter_rows():
                if mine in there and mine not in self.held and newest > come_to(self.light, SILVER, mine):
                    self.held[mine] = NOT_CONFORMED
        return frozenset(there & self.held.keys())

    def _without(self, counted: pl.DataFrame, stay: frozenset[str]) -> pl.DataFrame:
        counted = counted.filter(~pl.col("mine_code").is_in(list(stay)).fill_null(False))
        return counted if self.mines is None else counted.filter(pl.col("mine_code").is_in(list(self.mines)))

    def _at_rest(self, mines: Collection[str]) -> set[str]:
        """Those of the mines that have sent no file of the last days. A clock that runs ahead is no sign of life."""
        lately = [f"{self.now + ago:%Y-%m-%d}" for ago in (-AT_REST, timedelta(days=1))]
        quiet = set(mines) - self.held.keys()
        for day in reversed(self.light.days(EXCHANGE_FILE)):
            if not quiet or day < lately[0]:
                break
            if day <= lately[1]:
                loaded = self.light.read(EXCHANGE_FILE, days=[day]).filter(nw.col("verdict").is_in(list(LOADED)))
                quiet -= set(collected(self.light, loaded.select("mine_code").unique())["mine_code"])
        return quiet

    def _log(self, table: Table, number: int, counted: pl.DataFrame, first: date) -> None:
        """Write down what is about to be removed; a plan that was cut off is replaced by its repetition."""
        card = cards()[table.name]
        days = counted.group_by("removed_day").agg(pl.col("rows").sum(), pl.col("mine_code").n_unique().alias("mines"))
        rows = [
            day
            | {"table_name": table.name, "removal": number, "kept_from": first.isoformat(), "removed_at": self.now}
            | {"keep_days": card.keep_days, "keep_source": card.keep_source}
            for day in days.sort("removed_day").iter_rows(named=True)
        ]
        planned = self.light.part(REMOVAL)
        planned = planned.filter(nw.col("table_name") == table.name, nw.col("removal") == number)
        self.light.replace(planned, self.light.frame(rows, REMOVAL.arrow_schema()))


def _is_gone(landing: str, folder: str, name: str) -> bool:
    """The file left its landing folder; where that is not there itself, a disk may be missing, and nobody knows."""
    return Path(landing).is_dir() and not (Path(landing) / folder / name).exists()


def _quoted(mines: Iterable[str]) -> str:
    return ", ".join("'" + mine.replace("'", "''") + "'" for mine in sorted(mines))
