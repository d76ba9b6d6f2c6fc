"""This call of the command: its global options, its settings, and the one way results leave it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from minefusion.schemas.errors import InputError
from minefusion.schemas.json_text import as_json, plain
from minefusion.schemas.settings import Settings, load_settings

OUTPUTS = ("text", "json", "csv")


@dataclass
class Call:
    """The global options as given; None means not given."""

    lake: str | None = None
    output: str = "text"
    engine: str | None = None
    lang: str | None = None
    debug: bool = False
    quiet: bool = False
    has_emitted: bool = False


call = Call()


@cache
def settings() -> Settings:
    """The settings of this call: file and environment under the options that were given."""
    return load_settings(lake=call.lake, engine=call.engine, lang=call.lang)


def words(zh: str, en: str) -> str:
    """The sentence in the language of this call."""
    return zh if settings().lang == "zh" else en


def emit(result: Mapping[str, Any] | Sequence[Mapping[str, Any]], text: str, names: Sequence[str] = ()) -> None:
    """Print `text` or, by --output, `result` as the one JSON document or as CSV, whose header `names` are."""
    call.has_emitted = True
    if call.output == "json":
        print(as_json(result))
    elif call.output == "csv":
        print(_as_csv(result, names), end="")
    elif text:
        print(text)


def _as_csv(rows: Mapping[str, Any] | Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    import csv
    import io

    if isinstance(rows, Mapping):
        raise InputError("expected rows for --output csv, got one document; use --output json")
    sheet = io.StringIO()
    names = names or (list(rows[0]) if rows else ())
    if names:
        writer = csv.DictWriter(sheet, fieldnames=names, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _cell(value) for key, value in row.items()})
    return sheet.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping | list | tuple):
        return as_json(value)
    return value if value is None or isinstance(value, str | int | float) else plain(value)


def warn(line: str) -> None:
    """One line to the person, on stderr."""
    print(line, file=sys.stderr)
