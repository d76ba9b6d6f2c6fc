"""Reading exchange files from disk, many at a time: what both engines run, in process or in Spark's workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from minefusion.pipelines.exchange.large import read_large
from minefusion.pipelines.exchange.read import FILE, Landed, Read, read_files

# A worker reads so much at once: enough to be fast, little enough to share out.
PACK_BYTES = 8 << 20
PACK_FILES = 4096


@dataclass(frozen=True)
class OnDisk:
    """A file in a landing folder, not read yet; the rest is as in `Landed`."""

    path: Path
    name: str
    size: int
    received_at: datetime
    idle_s: float
    provincial: bool
    folder: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    secret: str = field(default="", repr=False)


def packs_of(files: Sequence[OnDisk]) -> list[list[int]]:
    """The files' places in the list, shared out in packs."""
    packs: list[list[int]] = []
    held = PACK_BYTES
    for index, file in enumerate(files):
        if held + file.size > PACK_BYTES or len(packs[-1]) >= PACK_FILES:
            packs.append([])
            held = 0
        packs[-1].append(index)
        held += file.size
    return packs


def read_pack(files: Sequence[OnDisk], indexes: Iterable[int], *, keep_refused: bool = False) -> Read:
    """Read some of the files, as `read_files` does. `file_index` of both tables is the place in `files`.

    The file table has one column more: `unreadable`, why a file could not be opened; then the rest of its row is null.
    """
    landed: list[Landed] = []
    places: list[int] = []
    refused: dict[int, str] = {}
    for index in indexes:
        file = files[index]
        try:
            content = file.path.read_bytes()
        except OSError as error:
            refused[index] = error.strerror or type(error).__name__
            continue
        places.append(index)
        about = (file.received_at, file.idle_s, file.provincial, file.folder, file.aliases, file.secret)
        landed.append(Landed(file.name, content, *about))
    read = read_files(landed, keep_refused=keep_refused)
    place = pa.array(places, pa.int32())
    told = read.files.append_column("file_index", place).append_column("unreadable", pa.nulls(len(places), pa.string()))
    missing = pa.Table.from_pylist([{"file_index": at, "unreadable": why} for at, why in refused.items()], FILE_SCHEMA)
    at = read.records.schema.get_field_index("file_index")
    records = read.records.set_column(at, "file_index", pc.take(place, read.records["file_index"]))
    return Read(pa.concat_tables([_as(told, FILE_SCHEMA), missing]), _as(records, RECORD_SCHEMA))


def read_alone(file: OnDisk) -> tuple[pa.Table, Callable[[], Iterator[pa.Table]]]:
    """Read one large file in pieces: its row as in `read_pack`, and its records, some at a time, as often as asked."""
    try:
        read = read_large(
            file.path,
            name=file.name,
            received_at=file.received_at,
            idle_s=file.idle_s,
            provincial=file.provincial,
            folder=file.folder,
            aliases=file.aliases,
            secret=file.secret,
        )
    except OSError as error:
        refused = {"file_index": 0, "unreadable": error.strerror or type(error).__name__}
        return pa.Table.from_pylist([refused], FILE_SCHEMA), lambda: iter(())
    told = read.files.append_column("file_index", pa.array([0], pa.int32()))
    told = told.append_column("unreadable", pa.nulls(1, pa.string()))
    return _as(told, FILE_SCHEMA), lambda: (_as(piece, RECORD_SCHEMA) for piece in read.records())


def read_in_worker(
    files: Sequence[OnDisk], packs: Sequence[Sequence[int]], numbers: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """The packs with these numbers, files and records in one stream: each row is one of the two, the other is null."""
    for batch in numbers:
        for number in batch.column(0).to_pylist():
            read = read_pack(files, packs[number])
            for name, table in (("file", read.files), ("record", read.records)):
                for rows in table.to_batches(max_chunksize=65_536):
                    told = pa.StructArray.from_arrays(rows.columns, fields=list(rows.schema))
                    columns = [
                        told if field.name == name else pa.nulls(len(rows), field.type) for field in STREAM_SCHEMA
                    ]
                    yield pa.RecordBatch.from_arrays(columns, schema=STREAM_SCHEMA)


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return table.select(schema.names).cast(schema)


def _plain(schema: pa.Schema) -> pa.Schema:
    """With text as Arrow's usual type, which Spark takes too."""
    return pa.schema([pa.field(f.name, pa.string() if pa.types.is_large_string(f.type) else f.type) for f in schema])


def _schema_of(columns: dict[str, pl.DataType]) -> pa.Schema:
    return _plain(pl.DataFrame(schema=columns).to_arrow(compat_level=pl.CompatLevel.oldest()).schema)


FILE_SCHEMA = _schema_of({**FILE, "file_index": pl.Int32(), "unreadable": pl.String()})
RECORD_SCHEMA = _plain(read_files([]).records.schema)
STREAM_SCHEMA = pa.schema([("file", pa.struct(list(FILE_SCHEMA))), ("record", pa.struct(list(RECORD_SCHEMA)))])
