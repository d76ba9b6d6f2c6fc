"""Read a folder of exchange files, without a lake, and check it clause by clause."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa

from minefusion.pipelines.conformance import CHECKS, Conformance, conformance, feed_of
from minefusion.pipelines.exchange.envelope import open_text
from minefusion.pipelines.exchange.header import from_mine_local
from minefusion.pipelines.exchange.packs import FILE_SCHEMA, RECORD_SCHEMA, OnDisk, packs_of, read_alone, read_pack
from minefusion.pipelines.jobs.landing import LARGE_BYTES, listing
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import Settings

Progress = Callable[[float, str], None]

# A file in a folder that is checked does not grow any more.
_STANDS_STILL = float("inf")
_DATETIME = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
# The head of a file of unknown kind is looked for in so many bytes.
_HEAD_BYTES = 4096


def check_folder(settings: Settings, folder: Path, *, progress: Progress | None = None) -> Conformance:
    """Answer every clause for the exchange files below `folder`.

    Raises:
        InputError: no folder, or no exchange file in it.
    """
    if not folder.is_dir():
        raise InputError(f"expected a folder of exchange files, got {folder}; give the folder that holds them")
    now = datetime.now(UTC)
    landed = sorted(listing(folder), key=lambda each: (each.stamp, each.name, each.folder))
    on_disk = [each.on_disk(now, settings.provincial, idle_s=_STANDS_STILL) for each in landed]
    if not on_disk:
        raise InputError(f"expected exchange files in {folder}, got none; give the folder that holds them")
    files, records = _read(on_disk, progress)
    paths = [f"{each.folder}/{each.name}".lstrip("/") for each in landed]
    files = files.with_columns(pl.Series("path", paths).gather(files["file_index"]))
    nameless = files.filter(pl.col("verdict") == "unknown")["file_index"]
    heads = {index: at for index in nameless if (at := _time_at_head(on_disk[index].path)) is not None}
    return conformance(feed_of(files, records, heads), CHECKS)


def _read(on_disk: list[OnDisk], progress: Progress | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The reader's tables of all files; a large file is read by itself."""
    files, records = [_frame(FILE_SCHEMA.empty_table())], [_frame(RECORD_SCHEMA.empty_table())]
    small = [index for index, file in enumerate(on_disk) if not _is_large(file)]
    packs = packs_of([on_disk[index] for index in small])
    for number, pack in enumerate(packs):
        read = read_pack(on_disk, [small[index] for index in pack], keep_refused=True)
        files.append(_frame(read.files))
        records.append(_frame(read.records))
        if progress:
            progress(number / len(packs), f"{len(small)} files")
    for index in sorted(set(range(len(on_disk))) - set(small)):
        told, pieces = read_alone(on_disk[index])
        place = pl.lit(index, dtype=pl.Int32).alias("file_index")
        files.append(_frame(told).with_columns(place))
        records += [_frame(piece).with_columns(place) for piece in pieces()]
    return pl.concat(files).with_columns(_refused()), pl.concat(records)


def _refused() -> list[pl.Expr]:
    """A file that could not be opened is refused as no text."""
    failed = pl.col("unreadable").is_not_null()
    return [
        pl.when(failed).then(pl.lit("rejected")).otherwise("verdict").alias("verdict"),
        pl.when(failed).then(pl.lit("NOT_TEXT")).otherwise("reason").alias("reason"),
    ]


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))


def _is_large(file: OnDisk) -> bool:
    return file.size > LARGE_BYTES


def _time_at_head(path: Path) -> datetime | None:
    """The time in the first segment of a file whose name tells nothing; null where there is none."""
    with path.open("rb") as content:
        header = open_text(content.read(_HEAD_BYTES)).header or ()
    times = (from_mine_local(text) for text in header if _DATETIME.fullmatch(text.strip()))
    return next((at for at in times if at is not None), None)
