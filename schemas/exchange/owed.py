"""What a feed owes as a whole: the kinds that a system sends together, and the codes that must be defined.

`owed.csv`: per family the kinds of which one must come. `references.csv`: a code in a record, and the kinds that define
it; `is_complete` where every file of the kind lists all that is defined.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from minefusion.schemas.exchange.grammar import dictionary

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Owed:
    """A family owes one of these kinds."""

    family: str
    kinds: tuple[str, ...]
    because_zh: str
    because_en: str
    source: str
    confidence: str


@dataclass(frozen=True)
class Reference:
    """`column` of records of `kind` holds a code that one of the kinds `defined_in` defines in `defined_as`."""

    kind: str
    column: str
    defined_in: tuple[str, ...]
    defined_as: str
    is_complete: bool


@cache
def owed() -> tuple[Owed, ...]:
    return tuple(Owed(**(row | {"kinds": tuple(row["kinds"].split())})) for row in _rows("owed.csv"))  # type: ignore[arg-type]


@cache
def references() -> tuple[Reference, ...]:
    """Every reference; those of key equipment once per prefix."""
    prefixes = [term.means for term in dictionary("system_code").values() if term.means]
    return tuple(
        Reference(
            kind=row["kind"].replace("*", prefix),
            column=row["column"],
            defined_in=tuple(kind.replace("*", prefix) for kind in row["defined_in"].split()),
            defined_as=row["defined_as"],
            is_complete=row["is_complete"] == "1",
        )
        for row in _rows("references.csv")
        for prefix in (prefixes if row["kind"].startswith("*") else [""])
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (_HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
