"""The data model of the specification as rows: domains, element codes, owners, security levels, interfaces.

Business domain → data domain → object → attribute → data element, coded `03.01.004.012.01` (PC-81, PC-82): a table is
an object of a data domain (`tables.csv`), a column's name gives attribute and element, the same in every table
(`elements.csv`). Security levels (PC-88) and the duty at each step of processing (PC-89), the device model (PC-86), the
interfaces (PC-90) and the topics of the specification with the names that are proven (PC-80) stand in files of their
own. What was not found in a source is a convention of this project and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from minefusion.schemas.errors import InputError
from minefusion.schemas.facts import rows

_T = TypeVar("_T")
TABLES_FILE, ELEMENTS_FILE = "schemas/governance/tables.csv", "schemas/governance/elements.csv"


@dataclass(frozen=True)
class Domain:
    """A business domain (PC-82) and the files that feed it."""

    code: str
    zh: str
    en: str
    fed_by: str


@dataclass(frozen=True)
class DataDomain:
    """A data domain of a business domain. `code` is that of the data domain alone."""

    domain: str
    code: str
    zh: str
    en: str


@dataclass(frozen=True)
class Card:
    """What governance says of one table.

    Attributes:
        object: three digits, the table's number in its data domain.
        level: L1 to L4 (PC-88).
        owner, owner_zh: the office that answers for the data.
        keep_days: rows are kept so many days at least; null: as long as the lake.
        keep_source, keep_confidence: where that comes from, and how sure it is.
    """

    table: str
    domain: str
    data_domain: str
    object: str
    level: str
    owner_zh: str
    owner: str
    keep_days: int | None
    keep_source: str | None
    keep_confidence: str | None
    note: str | None

    @property
    def code(self) -> str:
        """Code of the object: `03.01.004`."""
        return f"{self.domain}.{self.data_domain}.{self.object}"


@dataclass(frozen=True)
class SecurityLevel:
    """What a security level covers and how such data are handled (PC-88)."""

    level: str
    class_zh: str
    class_en: str
    examples_zh: str
    examples_en: str
    handling_zh: str
    handling_en: str
    source: str
    confidence: str


@dataclass(frozen=True)
class Step:
    """The duty at a step of processing, and what keeps it (PC-89)."""

    step: str
    zh: str
    en: str
    duty_zh: str
    duty_en: str
    kept_by: str
    source: str
    confidence: str


@dataclass(frozen=True)
class Interface:
    """A service interface (PC-90). `tables`: those that it reads or writes, apart by a blank."""

    method: str
    path: str
    returns_zh: str
    returns_en: str
    tables: str | None
    level: str
    source: str
    confidence: str


@dataclass(frozen=True)
class Topic:
    """A topic of the specification, or a part of it by its slug; a part's title only where it is proven (PC-80)."""

    topic: str
    slug: str
    zh: str
    en: str
    part_zh: str | None
    part_en: str | None
    what_is_known: str
    source: str
    confidence: str


@dataclass(frozen=True)
class DevicePart:
    """A part of the device model (PC-86). `held_in`: the columns that hold it, apart by a blank."""

    part: str
    zh: str
    en: str
    content_zh: str
    content_en: str
    held_in: str | None
    source: str
    confidence: str


@dataclass(frozen=True)
class Masking:
    """A column that names a person, and how it is shown."""

    table: str
    column: str
    masking_zh: str
    masking_en: str


@cache
def domains() -> Mapping[str, Domain]:
    return MappingProxyType({each.code: each for each in _read("domains", Domain)})


@cache
def data_domains() -> Mapping[str, DataDomain]:
    """By `03.01`."""
    return MappingProxyType({f"{each.domain}.{each.code}": each for each in _read("data_domains", DataDomain)})


@cache
def cards() -> Mapping[str, Card]:
    """What governance says of each table, by its name."""
    return MappingProxyType(
        {row["table"] or "": Card(**row | {"keep_days": _whole(row["keep_days"])}) for row in _rows("tables")}
    )


@cache
def security_levels() -> Mapping[str, SecurityLevel]:
    return MappingProxyType({each.level: each for each in _read("levels", SecurityLevel)})


@cache
def steps() -> tuple[Step, ...]:
    return _read("steps", Step)


@cache
def interfaces() -> tuple[Interface, ...]:
    return _read("interfaces", Interface)


@cache
def topics() -> tuple[Topic, ...]:
    return _read("topics", Topic)


@cache
def device_model() -> tuple[DevicePart, ...]:
    return _read("device_model", DevicePart)


@cache
def maskings() -> Mapping[tuple[str, str], Masking]:
    """Columns that name persons, by table and column."""
    return MappingProxyType({(each.table, each.column): each for each in _read("personal_columns", Masking)})


def element_code(table: str, column: str) -> str:
    """Code of a data element, such as `03.01.004.012.01`.

    Raises:
        InputError: a table or column without a row, and what to add.
    """
    if table not in cards():
        raise InputError(f"expected a row of {table} in {TABLES_FILE}, got none; add it there")
    if column not in _elements():
        raise InputError(
            f"expected a row of column {column} in {ELEMENTS_FILE}, got none; add '{next_element(column)}'"
        )
    return f"{cards()[table].code}.{_elements()[column]}"


def next_element(column: str, after: int = 0) -> str:
    """The row to add to elements.csv for a new column: the next free attribute."""
    last = max(int(code.partition(".")[0]) for code in _elements().values())
    return f"{column},{last + 1 + after:03d},01"


def has_element(column: str) -> bool:
    return column in _elements()


@cache
def _elements() -> Mapping[str, str]:
    """Column → attribute and element: `012.01`."""
    return MappingProxyType({row["column"] or "": f"{row['attribute']}.{row['element']}" for row in _rows("elements")})


def _read(name: str, kind: type[_T]) -> tuple[_T, ...]:
    return tuple(kind(**row) for row in _rows(name))


def _rows(name: str) -> list[dict[str, Any]]:
    return rows(f"governance/{name}")


def _whole(cell: str | None) -> int | None:
    return None if cell is None else int(cell)
