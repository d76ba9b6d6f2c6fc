"""Landing folder → bronze: every record stored, quarantined with a reason, or accounted for with its file. Once.

The ledger is written first and is the plan: a batch's rows name its files with their verdicts. Records and quarantine
follow under the same batch number. A run that finds them behind the ledger finishes that batch from the same files
before it takes a new one, so a kill at any moment loses nothing and doubles nothing.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import get_ident
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.engines.engine import Consumed, Engine
from minefusion.pipelines.engines.light import POLARS
from minefusion.pipelines.exchange.documents import MESSAGE_ID
from minefusion.pipelines.exchange.packs import OnDisk, read_alone
from minefusion.pipelines.jobs import clips
from minefusion.pipelines.jobs.keeping import SOURCES, kept_from, shortest_keep
from minefusion.pipelines.jobs.landing import (
    Landing,
    batches,
    contents_of,
    everything,
    file_id_of,
    is_provincial,
    listing,
)
from minefusion.pipelines.jobs.lock import exclusive
from minefusion.pipelines.jobs.new_files import INGEST, LOADED, batch_rows, collected, tables_behind
from minefusion.pipelines.jobs.racing import until_unbeaten
from minefusion.pipelines.jobs.tally import Progress
from minefusion.pipelines.times import UTC_MICROSECONDS
from minefusion.schemas.bronze import EXCHANGE_FILE, EXCHANGE_RECORD, QUARANTINE
from minefusion.schemas.catalog import site_path
from minefusion.schemas.errors import InputError
from minefusion.schemas.exchange.grammar import kinds, report
from minefusion.schemas.settings import Settings
from minefusion.schemas.site import load_site
from minefusion.schemas.table import Table

__all__ = ["Ingested", "Landing", "file_id_of", "ingest", "is_provincial", "listing", "register_sites"]

logger = logging.getLogger(__name__)

Row = dict[str, Any]

# The kind of file that a fusion message's name says.
MESSAGE = "message"
VERDICTS = ("accepted", "partial", "rejected", "duplicate", "stale", "waiting", "unknown")
COUNTS = ("sent", "stored", "quarantined", "rejected", "duplicate", "aside", "waiting")
FAMILIES = {"safety_monitoring": ("aqjk",), "positioning": ("jxry",)}
# The family that takes a mine's files of a kind that nobody knows, so that they get a verdict too.
OF_NO_KIND = "safety_monitoring"
UTC_TIME = pl.Datetime("us", "UTC")
# A record time outside this span around the header's is kept, but it does not say what span the file is about.
FARTHEST_BACK, FARTHEST_AHEAD = timedelta(days=7), timedelta(seconds=300)
# The ledger as it is when the time of a file that was copied again is told as well.
RESTAMPED = replace(EXCHANGE_FILE, volatile=("ingested_at", "run_id"))


@dataclass
class Ingested:
    """What one ingest did: files by verdict and records by fate, in this run; `changed` ledger rows.

    `clips` are video clips by verdict, in a registry of their own; `links` were passed over: a link is no file.
    """

    files: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VERDICTS, 0))
    records: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    clips: dict[str, int] = field(default_factory=lambda: dict.fromkeys(clips.VERDICTS, 0))
    links: int = 0
    changed: int = 0
    seconds: float = 0.0

    def add(self, judged: pl.DataFrame, changed: int) -> None:
        for verdict, count in judged.group_by("verdict").len().iter_rows():
            self.files[verdict] += count
        for name in COUNTS:
            self.records[name] += int(judged[f"records_{name}"].sum() or 0)
        self.changed += changed


@dataclass(frozen=True)
class Taken:
    """Files as the reader found them, in the ledger's columns, and their records: on the engine, or piece by piece."""

    files: pl.DataFrame
    records: nw.LazyFrame | Callable[[], Iterator[pa.Table]]


class UnreadableError(InputError):
    """Files could not be opened; `done` tells of the others."""

    def __init__(self, text: str, done: Ingested) -> None:
        super().__init__(text)
        self.done = done


class WrongSitesError(InputError):
    """Site files of these mines are wrong: the first one's mistake, by its line."""

    def __init__(self, first: InputError, mines: Sequence[str]) -> None:
        super().__init__(f"{first}" + (f" (and {len(mines) - 1} more site files)" if len(mines) > 1 else ""))
        self.mines = tuple(mines)


def ingest(
    settings: Settings,
    landing: Path,
    *,
    family: str | None = None,
    mines: Sequence[str] | None = None,
    files: Sequence[Landing] | None = None,
    engine: Engine | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Progress | None = None,
) -> Ingested:
    """Bring bronze up to date with the landing folder.

    Args:
        family: `safety_monitoring` or `positioning`; else every file.
        mines: only files whose name carries one of these mine codes; else every file.
        files: only these of the folder, where the caller has looked through it, registers its site files and joins
            the tables' small files by itself.

    Raises:
        InputError: the folder or the family is none.
        WrongSitesError: site files are wrong; what names none of their mines is in bronze.
        UnreadableError: a file cannot be opened; what could be read is in bronze.
    """
    if not landing.is_dir():
        raise InputError(f"expected a landing folder, got {landing}; give the folder that holds the exchange files")
    if family is not None and family not in FAMILIES:
        raise InputError(f"expected --family {' or '.join(FAMILIES)}, got '{family}'")
    started = time.monotonic()
    done = Ingested()
    unreadable: dict[Path, str] = {}
    run = _Run(engine or open_engine(settings), landing, now, done, unreadable)
    wrong: WrongSitesError | None = None
    with exclusive(settings.lake, "ingest"):
        if files is None:
            try:
                register_sites(settings, landing, mines)
            except WrongSitesError as error:
                # Without its places a mine's gas would be filed under the wrong limits, so it waits; no other does.
                wrong, run.left_out = error, error.mines
        until_unbeaten(run.engine, lambda: run.take_new(files, family, mines, progress))
        if done.changed and files is None:
            for table in (EXCHANGE_FILE, EXCHANGE_RECORD, QUARANTINE):
                run.engine.compact(table)
    done.seconds = time.monotonic() - started
    if wrong is not None:
        raise wrong
    if unreadable:
        path, why = next(iter(unreadable.items()))
        more = f" (and {len(unreadable) - 1} more)" if len(unreadable) > 1 else ""
        text = f"expected to read {path}{more}, got: {why}; mend its permissions or disk, then ingest again"
        raise UnreadableError(text, done)
    return done


def register_sites(settings: Settings, landing: Path, mines: Sequence[str] | None = None) -> list[str]:
    """Copy each valid `*.site.yaml` of the landing folder into the lake; returns the mines.

    Args:
        mines: only site files that are named after these, so that another mine's wrong file stops none of them.

    Raises:
        WrongSitesError: some are not valid; the others are registered.
    """
    codes = []
    wrong: dict[str, InputError] = {}
    for path in sorted(landing.glob("*.site.yaml")):
        if mines is not None and path.name.removesuffix(".site.yaml") not in mines:
            continue
        text = path.read_bytes()
        named = site_path(settings.lake, path.name.removesuffix(".site.yaml"))
        if named.exists() and named.read_bytes() == text:
            codes.append(path.name.removesuffix(".site.yaml"))
            continue
        try:
            site = load_site(path)
        except InputError as error:
            wrong[path.name.removesuffix(".site.yaml")] = error
            continue
        target = site_path(settings.lake, site.mine_code)
        codes.append(site.mine_code)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.{get_ident()}.tmp")
        part.write_bytes(text)
        part.rename(target)
        logger.info("site file of mine %s registered", site.mine_code)
    if wrong:
        raise WrongSitesError(next(iter(wrong.values())), sorted(wrong))
    return codes


@dataclass
class _Run:
    """One ingest: where from, by which engine and clock, and what it did so far; files of `left_out` mines wait."""

    engine: Engine
    landing: Path
    now: Callable[[], datetime]
    done: Ingested
    unreadable: dict[Path, str]
    left_out: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The landing folder as the ledger names it."""
        return str(self.landing.resolve())

    def take_new(
        self,
        listed: Sequence[Landing] | None,
        family: str | None,
        mines: Sequence[str] | None,
        progress: Progress | None,
    ) -> None:
        """Finish what was cut off, then take every file that has no verdict yet, batch by batch."""
        finish(self.engine)
        there = everything(self.landing) if listed is None else contents_of(listed)
        files = [file for file in self._not_in_ledger(there.files) if _wanted(file, family, mines)]
        files = [file for file in files if file.mine not in self.left_out]
        total = sum(file.size for file in files) or 1
        read_bytes = 0
        for batch in batches(files, self.engine.settings):
            self._take(batch)
            self.engine.release()
            read_bytes += sum(file.size for file in batch)
            if progress:
                progress(read_bytes / total, f"{read_bytes / 1e6:.1f} MB, {self.done.records['sent']} records")
        if family is None:
            self._register(there.clips, mines)
        self.done.links = len(there.links)
        if there.links:
            logger.warning(
                "%d links passed over, such as %s; give the files themselves", len(there.links), there.links[0]
            )

    def _register(self, files: Sequence[Landing], mines: Sequence[str] | None) -> None:
        """Video clips into their registry."""
        wanted = [
            file for file in files if mines is None or any(mine in f"{file.folder}/{file.name}" for mine in mines)
        ]
        if wanted:
            batch = self.engine.consumed(EXCHANGE_FILE, INGEST)
            counts = clips.register_clips(self.engine, wanted, self.place, self.now(), batch)
            self.done.clips = counts
            self.done.changed += sum(counts[verdict] for verdict in ("accepted", "rejected", "duplicate"))

    def _not_in_ledger(self, files: list[Landing]) -> list[Landing]:
        """The files that have no final verdict yet, by name, size and time.

        Only the days that the names speak of are looked up. A file whose header says another day than its name lies
        elsewhere in the ledger; it is looked for there when it has been in the folder since before the last ingest.
        """
        if not files or not self.engine.exists(EXCHANGE_FILE):
            return files
        near = {day for each in {file.day for file in files} for day in _around(each)}
        new = _without(files, self._known(sorted(near)))
        last = batch_rows(self.engine, self.engine.consumed(EXCHANGE_FILE, INGEST))["ingested_at"].max()
        if last is not None and any(file.modified < last for file in new):  # type: ignore[operator]
            new = _without(new, self._known(sorted(set(self.engine.days(EXCHANGE_FILE)) - near)))
        return new

    def _known(self, days: Sequence[str]) -> set[tuple[Any, ...]]:
        engine = self.engine.in_process
        rows = engine.read(EXCHANGE_FILE, days=days).filter(
            nw.col("landing") == self.place, nw.col("verdict") != "waiting"
        )
        return set(collected(engine, rows.select("folder", "name", "size", "received_at")).iter_rows())

    def _take(self, batch: Sequence[Landing]) -> None:
        """One batch: verdicts into the ledger, then the records."""
        engine, now = self.engine, self.now()
        number = engine.consumed(EXCHANGE_FILE, INGEST) + 1
        on_disk = [_on_disk(file, engine.settings, now) for file in batch]
        taken, unreadable = _read(engine, batch, on_disk)
        self.unreadable |= {path: why for path, why in unreadable.items() if path.exists()}
        files = taken.files.with_columns(
            pl.lit(self.place).alias("landing"), pl.lit(now, dtype=UTC_TIME).alias("ingested_at")
        )
        days = sorted({*files["day"], *(file.day for file in batch)})
        part = engine.in_process.part(EXCHANGE_FILE, days=days)
        known = collected(engine.in_process, part.rows)
        judged = _judge(engine, files, known, number, _kept_from(engine, files, now))
        new = judged.filter(~pl.col("is_known"))
        waited = known.filter(pl.col("verdict") == "waiting").join(new, on=["landing", "folder", "name"], how="semi")
        loaded = new.filter(pl.col("verdict") != "waiting")
        written = engine.in_process.replace(
            part.filter(nw.col("file_id").is_in(waited["file_id"].to_list())),
            engine.in_process.from_arrow(_arrow(new, EXCHANGE_FILE)),
            consumed=Consumed(INGEST, number) if len(loaded) else None,
        )
        self.done.add(judged, written.changed)
        self._restamp(judged, days)
        _write_records(engine, taken, loaded, number)

    def _restamp(self, judged: pl.DataFrame, days: Sequence[str]) -> None:
        """A file that was copied again is known by its content; its new time is noted, so that it is not read again."""
        engine = self.engine.in_process
        copied = judged.filter(pl.col("is_known")).select("file_id", "received_at", "size")
        if copied.is_empty():
            return
        part = engine.part(RESTAMPED, days=days).filter(
            nw.col("file_id").is_in(copied["file_id"].to_list()), nw.col("landing") == self.place
        )
        rows = collected(engine, part.rows).drop("received_at").join(copied, on="file_id", how="left")
        engine.replace(part, engine.from_arrow(_arrow(rows, EXCHANGE_FILE)))


def _on_disk(file: Landing, settings: Settings, now: datetime, idle_s: float | None = None) -> OnDisk:
    return file.on_disk(now, settings.provincial, idle_s, settings.mine_aliases, settings.message_secret)


def _wanted(file: Landing, family: str | None, mines: Sequence[str] | None) -> bool:
    if mines is not None and file.mine not in mines:
        return False
    if family is None:
        return True
    known = kinds().get(file.kind or "")
    return known.folder in FAMILIES[family] if known else family == OF_NO_KIND


def _without(files: Iterable[Landing], known: set[tuple[Any, ...]]) -> list[Landing]:
    return [file for file in files if file.identity not in known]


def _around(day: str) -> Iterable[str]:
    """The day, the one before and the one after."""
    middle = date.fromisoformat(day).toordinal()
    return (date.fromordinal(number).isoformat() for number in range(max(1, middle - 1), middle + 2))


def _read(engine: Engine, batch: Sequence[Landing], on_disk: Sequence[OnDisk]) -> tuple[Taken, dict[Path, str]]:
    """Read a batch; also tells which files could not be opened, and why."""
    told: pa.Table
    records: nw.LazyFrame | Callable[[], Iterator[pa.Table]]
    if len(batch) == 1 and batch[0].is_large:
        told, records = read_alone(on_disk[0])
    else:
        read = engine.read_exchange(on_disk)
        told, records = read.files, read.records
    files = pl.DataFrame(pl.from_arrow(told)).sort("file_index")
    failed = files.filter(pl.col("unreadable").is_not_null()).select("file_index", "unreadable")
    files = files.filter(pl.col("unreadable").is_null()).drop("unreadable")
    landed = [batch[index] for index in files["file_index"]]
    ids = [file_id_of(file.folder, file.name, sha256) for file, sha256 in zip(landed, files["sha256"], strict=True)]
    day = pl.coalesce(
        pl.col("header_time").dt.strftime("%Y-%m-%d"), pl.Series([file.day for file in landed], dtype=pl.String)
    )
    files = files.with_columns(
        day.alias("day"),
        pl.Series("file_id", ids, dtype=pl.String),
        pl.Series("folder", [file.folder for file in landed], dtype=pl.String),
        pl.Series("received_at", [file.modified for file in landed], dtype=UTC_TIME),
        pl.lit(0, dtype=pl.Int64).alias("records_duplicate"),
    )
    return Taken(files, records), {batch[index].path: why for index, why in failed.iter_rows()}


# ── verdicts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _judge(
    engine: Engine, files: pl.DataFrame, known: pl.DataFrame, number: int, kept: Mapping[str, datetime]
) -> pl.DataFrame:
    """Ledger rows with what only the lake can tell: duplicate, stale, too old, or already known under this very name.

    A file is a duplicate when its content, or the message that it is, was loaded before, stale when a later one of its
    mine and kind was, too old when its mine is kept from a later day on: see `keeping`. The same content has the same
    header, so it lies on the same day of the ledger, and `known`, the ledger's rows of the batch's days, is all that
    has to be looked through.
    """
    final = known.filter(pl.col("verdict") != "waiting")
    known_ids = set(final["file_id"])
    known_content = set(final.filter(pl.col("verdict").is_in(LOADED))["sha256"])
    messages = final.filter(pl.col("name_kind") == MESSAGE, pl.col("verdict").is_in(LOADED))
    known_messages = set(map(_message_id, messages.iter_rows(named=True))) - {None}
    newest = _newest(engine, files)
    rows = []
    for row in files.iter_rows(named=True):
        row["is_known"] = row["file_id"] in known_ids
        message = _message_id(row)
        header_time, place = row["header_time"], (row["mine_code"], row["kind"])
        is_told = row["sha256"] in known_content or message in known_messages
        if row["is_known"] or (row["verdict"] in LOADED and is_told):
            row |= {f"records_{name}": 0 for name in COUNTS if name != "sent"}
            row |= {"verdict": "duplicate", "reason": "DUPLICATE", "records_duplicate": row["records_sent"]}
        elif row["verdict"] in LOADED and header_time and header_time < kept.get(row["mine_code"], header_time):
            row |= {f"records_{name}": 0 for name in COUNTS if name != "sent"}
            row |= {"verdict": "rejected", "reason": "TOO_OLD", "records_rejected": row["records_sent"]}
        elif row["verdict"] in LOADED:
            known_content.add(row["sha256"])
            known_messages |= {message} - {None}
            if header_time is not None and place in newest and header_time < newest[place]:
                row |= {"verdict": "stale", "reason": row["reason"] or "STALE"}
            elif header_time is not None:
                newest[place] = header_time
        if row["verdict"] != "waiting":
            known_ids.add(row["file_id"])
        row["batch"], row["run_id"] = (0, INGEST) if row["verdict"] == "waiting" else (number, f"{INGEST}-{number}")
        rows.append(row | _in_words(str(row["reason"])))
    back, ahead = pl.col("header_time") - FARTHEST_BACK, pl.col("header_time") + FARTHEST_AHEAD
    judged = pl.DataFrame(rows, schema=_JUDGED, orient="row")
    return judged.with_columns(
        pl.col("observed_from").clip(back, ahead).fill_null(pl.col("header_time")),
        pl.col("observed_to").clip(back, ahead).fill_null(pl.col("header_time")),
    )


def _kept_from(engine: Engine, files: pl.DataFrame, now: datetime) -> dict[str, datetime]:
    """From when on the lake still has what it had of the mines of old files; nothing where no file is old."""
    old = files.filter(pl.col("header_time") < now - shortest_keep() + timedelta(days=1))
    mines = old["mine_code"].drop_nulls().unique()
    return kept_from(engine.in_process, SOURCES, mines) if len(mines) else {}


def _message_id(row: Row) -> str | None:
    """The identity of a file that is a fusion message; the same message may come in other bytes."""
    if row["name_kind"] != MESSAGE or not row["header"]:
        return None
    return str(json.loads(row["header"])[MESSAGE_ID]).lower()


_JUDGED = {column.name: POLARS[column.type] for column in EXCHANGE_FILE.columns} | {
    "file_index": pl.Int32,
    "is_known": pl.Boolean,
}


def _newest(engine: Engine, files: pl.DataFrame) -> dict[tuple[str, str], datetime]:
    """Newest header time loaded of each mine and kind in the batch, as far as it is later than the batch's oldest.

    Goes back from the newest day until each is found; in order of time that is one day, whatever the history.
    """
    loaded = files.filter(pl.col("verdict").is_in(LOADED), pl.col("header_time").is_not_null())
    wanted = set(loaded.select("mine_code", "kind").iter_rows())
    found: dict[tuple[str, str], datetime] = {}
    engine = engine.in_process
    for day in reversed(engine.days(EXCHANGE_FILE)):
        if loaded.is_empty() or not wanted - found.keys() or day < loaded["day"].min():  # type: ignore[operator]
            break
        rows = engine.read(EXCHANGE_FILE, days=[day]).filter(nw.col("verdict").is_in(["accepted", "partial"]))
        newest = rows.group_by("mine_code", "kind").agg(nw.col("header_time").max())
        for mine, kind, header_time in collected(engine, newest).iter_rows():
            if (mine, kind) in wanted and header_time is not None:
                found.setdefault((mine, kind), header_time)
    return found


def _in_words(reason: str) -> dict[str, str]:
    """The reason and the way out in both languages; an accepted file needs none."""
    if not reason:
        return dict.fromkeys(("reason_zh", "reason_en", "mend_zh", "mend_en"), "")
    told = report(reason)
    return {"reason_zh": told.text_zh, "reason_en": told.text_en, "mend_zh": told.mend_zh, "mend_en": told.mend_en}


# ── records ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _write_records(engine: Engine, taken: Taken, files: pl.DataFrame, number: int) -> None:
    """Store and quarantine the records of the files that were loaded, under the batch's number."""
    loaded = files.filter(pl.col("verdict").is_in(LOADED))
    about = loaded.select("file_index", "file_id", "day", pl.col("header_time").alias("sent_at"))
    consumed = Consumed(INGEST, number)
    for table, column, quarantined in (
        (QUARANTINE, "records_quarantined", True),
        (EXCHANGE_RECORD, "records_stored", False),
    ):
        if not int(loaded[column].sum() or 0):
            continue
        if isinstance(taken.records, nw.LazyFrame):
            files_there = engine.from_arrow(_plain(about))
            engine.append(table, _in_columns(taken.records, files_there, quarantined, number), consumed)
        else:
            light = engine.in_process
            pieces = (light.from_arrow(piece) for piece in taken.records())
            told = (_in_columns(piece, light.from_arrow(_plain(about)), quarantined, number) for piece in pieces)
            rows = (light.to_arrow(piece.select(*table.names)).cast(table.arrow_schema()) for piece in told)
            light.append_stream(table, rows, consumed)


def _in_columns(records: nw.LazyFrame, files: nw.LazyFrame, quarantined: bool, number: int) -> nw.LazyFrame:
    """Records of these files with what bronze says of each beside what was read."""
    rows = records.filter(nw.col("quarantined") == quarantined).join(files, on="file_index", how="inner")
    return rows.with_columns(nw.lit(number, dtype=nw.Int64).alias("batch"), nw.col("sent_at").cast(UTC_MICROSECONDS))


def finish(engine: Engine) -> None:
    """Write the records of the newest batch where a run died between the ledger and them.

    A file that was changed or removed meanwhile can no longer be read as it was judged: what of it is not in bronze
    yet is rejected with that reason.
    """
    number = engine.consumed(EXCHANGE_FILE, INGEST)
    if number == 0:
        return
    ledger = batch_rows(engine, number)
    behind = tables_behind(engine, ledger, number)
    if not behind:
        return
    logger.info("batch %d was cut off before %s; finishing it", number, " and ".join(table.name for table in behind))
    loaded = ledger.filter(pl.col("verdict").is_in(LOADED))
    files = [
        Landing(
            Path(row["landing"]) / row["folder"] / row["name"],
            row["folder"],
            row["name"],
            row["size"],
            row["received_at"],
        )
        for row in loaded.iter_rows(named=True)
    ]
    # Read as the verdicts were found: by the clock of then, and complete.
    on_disk = [
        _on_disk(file, engine.settings, clock, float("inf"))
        for file, clock in zip(files, loaded["ingested_at"], strict=True)
    ]
    taken, _ = _read(engine, files, on_disk)
    found = loaded.join(taken.files.select("file_id", "file_index"), on="file_id", how="inner")
    lost = loaded.join(found, on="file_id", how="anti")
    if len(lost):
        _reject_lost(engine.in_process, lost, {table.name for table in behind})
    _write_records(engine, taken, found, number)


def _reject_lost(engine: Engine, lost: pl.DataFrame, behind: set[str]) -> None:
    """Files that cannot be read again: their records that are not in bronze yet count as rejected."""
    stored_lost, quarantined_lost = EXCHANGE_RECORD.name in behind, QUARANTINE.name in behind
    rows = []
    for row in lost.iter_rows(named=True):
        gone = (row["records_stored"] if stored_lost else 0) + (row["records_quarantined"] if quarantined_lost else 0)
        if not gone:
            continue
        row |= {"records_stored": 0} if stored_lost else {}
        row |= {"records_quarantined": 0} if quarantined_lost else {}
        row |= {
            "verdict": "partial" if row["records_stored"] else "rejected",
            "reason": "FILE_CHANGED",
            "records_rejected": gone,
        }
        rows.append(row | _in_words("FILE_CHANGED"))
    if rows:
        part = engine.part(EXCHANGE_FILE, days=sorted({row["day"] for row in rows}))
        part = part.filter(nw.col("file_id").is_in([row["file_id"] for row in rows]))
        engine.replace(
            part, engine.from_arrow(_arrow(pl.DataFrame(rows, schema=lost.schema, orient="row"), EXCHANGE_FILE))
        )


def _arrow(rows: pl.DataFrame, table: Table) -> pa.Table:
    return _plain(rows.select(table.names)).cast(table.arrow_schema())


def _plain(rows: pl.DataFrame) -> pa.Table:
    return rows.to_arrow(compat_level=pl.CompatLevel.oldest())
