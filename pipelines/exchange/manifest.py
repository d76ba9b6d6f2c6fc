"""What a writer says it wrote: one line a file, in a hidden file of the folder.

It lets a receiver count what was sent without reading the files. It speaks of a file only as it was written: one whose
size has changed since is counted from its bytes.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

NAME = ".manifest.csv"


def add_to_manifest(folder: Path, records: Mapping[str, int]) -> None:
    """Note the records of files just written into `folder`, by name."""
    known = _read(folder)
    known |= {name: ((folder / name).stat().st_size, count) for name, count in records.items()}
    part = folder / (NAME + ".tmp")
    with part.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(["name", "size", "records"])
        writer.writerows((name, *told) for name, told in sorted(known.items()))
    part.rename(folder / NAME)


def read_manifest(folder: Path) -> dict[tuple[str, int], int]:
    """Records by name and size of file; empty where the folder has no manifest."""
    return {(name, size): records for name, (size, records) in _read(folder).items()}


def _read(folder: Path) -> dict[str, tuple[int, int]]:
    path = folder / NAME
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["name"]: (int(row["size"]), int(row["records"])) for row in csv.DictReader(lines)}
