"""The specification's facts are kept as rows in CSV files beside the code; this reads them."""

from __future__ import annotations

import csv
from importlib.resources import files


def rows(name: str) -> list[dict[str, str | None]]:
    """Rows of `schemas/<name>.csv`; an empty cell is null."""
    text = files("minefusion.schemas").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return [{column: cell or None for column, cell in row.items()} for row in csv.DictReader(text.splitlines())]


def number(cell: str | None) -> float | None:
    """A cell's number; null where it is empty."""
    return None if cell is None else float(cell)
