"""Rows as text for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from minefusion.cli.call import as_json

WIDEST_COLUMN = 60


def as_text(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> str:
    """The rows under their names, in columns as wide as their content."""
    cells = [[_cell(value) for value in column] for column in columns]
    numeric = [all(value is None or isinstance(value, int | float) for value in column) for column in columns]
    widths = [max(map(_width, [name, *column])) for name, column in zip(names, cells, strict=True)]
    lines = ["  ".join(_filled(*cell) for cell in zip(names, widths, numeric, strict=True))]
    lines.append("  ".join("─" * width for width in widths))
    for row in zip(*cells, strict=True):
        lines.append("  ".join(_filled(*cell) for cell in zip(row, widths, numeric, strict=True)))
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "·"
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = value if isinstance(value, str) else as_json(value)
    text = " ".join(text.split())
    return text if len(text) <= WIDEST_COLUMN else text[: WIDEST_COLUMN - 1] + "…"


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return len(text) if text.isascii() else sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _filled(text: str, width: int, to_the_right: bool) -> str:
    blank = " " * (width - _width(text))
    return blank + text if to_the_right else text + blank
