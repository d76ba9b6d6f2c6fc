"""Is every record that was sent accounted for? Counted outside the ingest, so that the answer can be no.

*Sent* comes from the writer's manifest where the landing folder has one, else from the separators in the files' bytes;
only of a file that has left the landing folder is the ledger's own count taken, and that is said. *Stored* and
*quarantined* are the rows that the tables hold now, not what the ledger says was written; only of a file whose records
were removed when their time of keeping was over is the ledger asked, and that is said, too. The rest is the fate that
the ledger gives to a whole file.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.exchange.count import count_records
from minefusion.pipelines.exchange.manifest import read_manifest
from minefusion.pipelines.jobs.keeping import kept_from
from minefusion.pipelines.jobs.landing import Landing, file_id_of, is_provincial, listing
from minefusion.schemas.bronze import EXCHANGE_FILE, EXCHANGE_RECORD, QUARANTINE
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import Settings
from minefusion.schemas.table import Table

Progress = Callable[[float, str], None]

NO_KIND = "unknown"
# Fates of records that the ledger tells with their file.
WITH_FILE = ("rejected", "duplicate", "aside", "waiting")
FATES = ("stored", "quarantined", *WITH_FILE)
# Fates of records that are rows somewhere, until maintenance removes them.
REMOVABLE = {"stored": EXCHANGE_RECORD, "quarantined": QUARANTINE}
UTC_TIME = pl.Datetime("us", "UTC")
# So many files that are not in order are named; their number is told in full.
NAMED = 20


@dataclass(frozen=True)
class KindBalance:
    """One kind of file. `ok`: each of its files is accounted for by itself, not only their sum."""

    kind: str
    files: int
    sent: int
    stored: int
    quarantined: int
    rejected: int
    duplicate: int
    aside: int
    waiting: int
    ok: bool


@dataclass(frozen=True)
class Fault:
    """One file that is not in order. `is_new`: it lies in the landing folder and no ingest has seen it."""

    name: str
    kind: str
    sent: int
    accounted: int
    is_new: bool


@dataclass
class Balance:
    """The answer.

    Attributes:
        faults: files that are not in order, the first NAMED of `faulty`.
        from_ledger: files that left the landing folder: what was sent is what the ledger says.
        removed: files whose records are past their time of keeping: what was stored is what the ledger says.
    """

    kinds: list[KindBalance] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    faulty: int = 0
    from_ledger: int = 0
    removed: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return all(kind.ok for kind in self.kinds)


def balance(settings: Settings, landing: Path | None = None, *, progress: Progress | None = None) -> Balance:
    """Balance every landing folder that the ledger names, and `landing`.

    Raises:
        InputError: `landing` is no folder.
    """
    if landing is not None and not landing.is_dir():
        raise InputError(f"expected a landing folder, got {landing}; give the folder that holds the exchange files")
    started = time.monotonic()
    engine = open_engine(settings, "light")  # counting rows needs no JVM
    ledger = _ledger(engine)
    folders = set(ledger["landing"].drop_nulls()) | ({str(landing.resolve())} if landing else set())
    landed = [file for folder in sorted(folders) if Path(folder).is_dir() for file in _landed(Path(folder))]
    files = _matched(ledger, landed, settings.provincial, progress).join(
        _rows(engine, EXCHANGE_RECORD, "stored").join(
            _rows(engine, QUARANTINE, "quarantined"), on="file_id", how="full", coalesce=True
        ),
        on="file_id",
        how="full",
        coalesce=True,
    )
    done = _summed(files)
    done.seconds = time.monotonic() - started
    return done


def _ledger(engine: Engine) -> pl.DataFrame:
    columns = ("file_id", "landing", "folder", "name", "size", "received_at", "verdict", "records_sent")
    rows = engine.read(EXCHANGE_FILE).select(
        *columns,
        "mine_code",
        "header_time",
        nw.coalesce(nw.col("kind"), nw.col("name_kind"), nw.lit(NO_KIND)).alias("kind"),
        *(nw.col(f"records_{fate}").alias(fate) for fate in WITH_FILE),
        *(nw.col(f"records_{name}").alias(f"removed_{name}") for name in REMOVABLE),
    )
    ledger = pl.DataFrame(pl.from_arrow(engine.to_arrow(rows)))
    mines = ledger["mine_code"].drop_nulls().unique()
    for name, table in REMOVABLE.items():
        since = kept_from(engine, [table], mines)
        kept = pl.col("mine_code").replace_strict(since, default=None, return_dtype=UTC_TIME)
        was_removed = (pl.col("header_time") < kept).fill_null(False)
        ledger = ledger.with_columns(pl.when(was_removed).then(f"removed_{name}").alias(f"removed_{name}"))
    return ledger


def _rows(engine: Engine, table: Table, name: str) -> pl.DataFrame:
    """How many rows the table really holds of each file."""
    counted = engine.read(table).group_by("file_id").agg(nw.len().cast(nw.Int64).alias(name))
    return pl.DataFrame(pl.from_arrow(engine.to_arrow(counted)))


def _landed(landing: Path) -> Iterable[dict[str, Any]]:
    """Every file of a landing folder, and what its writer says that it holds."""
    manifests: dict[Path, dict[tuple[str, int], int]] = {}
    for file in listing(landing):
        folder = file.path.parent
        if folder not in manifests:
            manifests[folder] = read_manifest(folder)
        yield {"file": file, "landing": str(landing), "told": manifests[folder].get((file.name, file.size))}


def _matched(
    ledger: pl.DataFrame, landed: list[dict[str, Any]], provincial: Sequence[str], progress: Progress | None
) -> pl.DataFrame:
    """Ledger rows and landed files, each with what was sent by a count that is not the ingest's.

    A file is the ledger's row of the same name, size and time; else, copied again, that of the same content; else,
    while it grew, the row that waits for it.
    """
    exact: dict[tuple[Any, ...], str] = {}
    waiting: dict[tuple[Any, ...], str] = {}
    sizes: set[tuple[Any, ...]] = set()
    for row in ledger.iter_rows(named=True):
        place = (row["landing"], row["folder"], row["name"])
        exact[*place, row["size"], row["received_at"]] = row["file_id"]
        sizes.add((*place, row["size"]))
        if row["verdict"] == "waiting":
            waiting[place] = row["file_id"]
    known = set(ledger["file_id"])
    sent: dict[str, int] = {}
    strange: list[dict[str, Any]] = []
    for index, entry in enumerate(landed):
        file: Landing = entry["file"]
        place = (entry["landing"], file.folder, file.name)
        content: bytes | None = None
        file_id = exact.get((*place, file.size, file.modified))
        if file_id is None and (*place, file.size) in sizes:
            content = file.path.read_bytes()
            copied = file_id_of(file.folder, file.name, hashlib.sha256(content).hexdigest())
            file_id = copied if copied in known else None
        if file_id is None:
            file_id = waiting.get(place)
        count = entry["told"]
        if count is None:
            content = content if content is not None else file.path.read_bytes()
            count = count_records(file.name, content, provincial=is_provincial(file.folder, provincial))
        if file_id is None:
            strange.append({"name": file.name, "kind": file.kind or NO_KIND, "sent": count, "is_new": True})
        else:
            sent[file_id] = count
        if progress and index % 500 == 0:
            progress(index / len(landed), f"{index} / {len(landed)} files")
    counted = pl.DataFrame(list(sent.items()), schema={"file_id": pl.String, "sent": pl.Int64}, orient="row")
    judged = ledger.join(counted, on="file_id", how="left").with_columns(
        pl.col("sent").is_null().alias("from_ledger"),
        pl.coalesce("sent", "records_sent").alias("sent"),
        pl.lit(False).alias("is_new"),
    )
    new = pl.DataFrame(strange, schema={"name": pl.String, "kind": pl.String, "sent": pl.Int64, "is_new": pl.Boolean})
    return pl.concat([judged, new], how="diagonal")


def _summed(files: pl.DataFrame) -> Balance:
    """Each file by itself, then by kind. A row of a file that no ledger row names is stored, and was never sent."""
    was_removed = pl.any_horizontal(pl.col(name).is_null() & (pl.col(f"removed_{name}") > 0) for name in REMOVABLE)
    files = files.with_columns(was_removed=was_removed.fill_null(False)).with_columns(
        pl.col("kind").fill_null(NO_KIND),
        pl.col("name").fill_null(pl.col("file_id")),
        *(pl.coalesce(name, f"removed_{name}").alias(name) for name in REMOVABLE),
    )
    files = files.with_columns(
        *(pl.col(name).fill_null(0) for name in ("sent", *FATES)),
        *(pl.col(name).fill_null(False) for name in ("is_new", "from_ledger")),
    ).with_columns(accounted=pl.sum_horizontal(FATES))
    files = files.with_columns(ok=(pl.col("sent") == pl.col("accounted")) & ~pl.col("is_new"))
    by_kind = (
        files.group_by("kind")
        .agg(pl.len().alias("files"), *(pl.col(name).sum() for name in ("sent", *FATES)), pl.col("ok").all())
        .sort("kind")
    )
    faulty = files.filter(~pl.col("ok")).sort("name")
    return Balance(
        kinds=[KindBalance(**row) for row in by_kind.iter_rows(named=True)],
        faults=[
            Fault(**row)
            for row in faulty.select("name", "kind", "sent", "accounted", "is_new").head(NAMED).iter_rows(named=True)
        ],
        faulty=len(faulty),
        from_ledger=int(files["from_ledger"].sum()),
        removed=int(files["was_removed"].sum()),
    )
