"""The specification's facts are kept as rows in CSV files beside the code; this reads them."""

from __future__ import annotations

import csv
import io
from importlib.resources import files


def rows(name: str, package: str = "minefusion.schemas") -> list[dict[str, str | None]]:
    """Rows of `<name>.csv` in the folder of `package`; an empty cell is null."""
    return [{column: cell or None for column, cell in row.items()} for row in cells(name, package)]


def cells(name: str, package: str = "minefusion.schemas") -> list[dict[str, str]]:
    """The same with each cell as it stands there; an empty one is ''."""
    text = files(package).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def number(cell: str | None) -> float | None:
    """A cell's number; null where it is empty."""
    return None if cell is None else float(cell)
