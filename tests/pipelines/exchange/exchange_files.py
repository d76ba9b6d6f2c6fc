"""Files to read in tests, and what the reader made of them in a form that is easy to compare."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from minefusion.pipelines.exchange.count import count_records
from minefusion.pipelines.exchange.large import read_large
from minefusion.pipelines.exchange.read import Landed, Read, read_files

MINE = "620000000001"
AT = "2025-06-01 08:00:00"
HEADER = f"{MINE};示范煤矿;{AT}"
# The receiver's clock: a minute behind the header time of the files.
NOW = datetime(2025, 6, 1, 0, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """One file as the reader saw it."""

    file: dict[str, Any]
    records: list[dict[str, Any]]

    @property
    def verdict(self) -> str:
        return self.file["verdict"]

    @property
    def reason(self) -> str:
        return self.file["reason"]

    @property
    def codes(self) -> dict[str, int]:
        """Every code reported with the file, and how often."""
        return {warning["code"]: warning["count"] for warning in json.loads(self.file["warnings"])}

    @property
    def dialects(self) -> list[str]:
        return json.loads(self.file["dialects"])

    @property
    def stored(self) -> list[str]:
        """Canonical texts of the stored records, in the file's order."""
        return [row["fixed"] or row["raw"] for row in self.records if not row["quarantined"]]

    @property
    def quarantined(self) -> list[tuple[str, str]]:
        """Code and text of the records in quarantine."""
        return [(row["code"], row["raw"]) for row in self.records if row["quarantined"]]

    @property
    def marks(self) -> list[str]:
        return [row["marks"] for row in self.records]


def landed(name: str, content: str | bytes, idle_s: float = 0.0, provincial: bool = False) -> Landed:
    return Landed(name, content.encode() if isinstance(content, str) else content, NOW, idle_s, provincial)


def seen(read: Read) -> list[Seen]:
    """Each file with its records, in the file's order."""
    records = sorted(read.records.to_pylist(), key=lambda row: (row["file_index"], row["position"]))
    return [
        Seen(file, [row for row in records if row["file_index"] == index])
        for index, file in enumerate(read.files.to_pylist())
    ]


def look(kind: str, content: str | bytes, *, idle_s: float = 0.0, mine: str = MINE) -> Seen:
    """Read one file with a plain name."""
    return named(f"{mine}_{kind}_20250601080000.txt", content, idle_s=idle_s)


def named(name: str, content: str | bytes, *, idle_s: float = 0.0, provincial: bool = False) -> Seen:
    """Read one file: at once, and in small pieces as a large one would be. Both must say the same."""
    file = landed(name, content, idle_s, provincial)
    whole = once(name, content, idle_s=idle_s, provincial=provincial)
    assert in_pieces(file, piece_bytes=257) == whole
    assert count_records(name, file.content, provincial) == whole.file["records_sent"]
    return whole


def once(name: str, content: str | bytes, *, idle_s: float = 0.0, provincial: bool = False) -> Seen:
    """Read one file at once."""
    return seen(read_files([landed(name, content, idle_s, provincial)]))[0]


def in_pieces(file: Landed, piece_bytes: int) -> Seen:
    """The file as the large-file path sees it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(file.content)
        read = read_large(
            path,
            name=file.name,
            received_at=file.received_at,
            idle_s=file.idle_s,
            provincial=file.provincial,
            piece_bytes=piece_bytes,
        )
        tables = list(read.records())
    records = pa.concat_tables(tables) if tables else read_files([]).records
    return seen(Read(read.files, records))[0]


def text(*records: str, header: str = HEADER) -> str:
    """A main-form file of these records."""
    return "~".join([header, *records, "||"])
