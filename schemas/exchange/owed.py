"""What a feed owes as a whole: the kinds that a system sends together, and the codes that must be defined.

`owed.csv`: per family the kinds of which one must come. `references.csv`: a code in a record, and the kinds that define
it; `is_complete` where every file of the kind lists all that is defined.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from minefusion.schemas.exchange.grammar import PACKAGE, equipment_prefixes
from minefusion.schemas.facts import cells


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
    return tuple(Owed(**(row | {"kinds": tuple(row["kinds"].split())})) for row in cells("owed", PACKAGE))  # type: ignore[arg-type]


@cache
def references() -> tuple[Reference, ...]:
    """Every reference; those of key equipment once per prefix."""
    return tuple(
        Reference(
            kind=row["kind"].replace("*", prefix),
            column=row["column"],
            defined_in=tuple(kind.replace("*", prefix) for kind in row["defined_in"].split()),
            defined_as=row["defined_as"],
            is_complete=row["is_complete"] == "1",
        )
        for row in cells("references", PACKAGE)
        for prefix in (equipment_prefixes() if row["kind"].startswith("*") else ("",))
    )
