"""The one way to ask the lake: SQL over the tables, read only, without a JVM and without an engine.

DataFusion inside delta-rs answers; loading it takes hundredths of a second where Polars and Arrow take tenths. Only
the tables that a query names are opened. A table that is declared and was never written holds no rows.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError

from minefusion.schemas.catalog import TABLES, table_uri
from minefusion.schemas.errors import InputError
from minefusion.schemas.table import Table

if TYPE_CHECKING:
    import polars as pl

LAYERS = ("bronze", "silver", "gold", "reference")
READING = ("select", "with", "values", "describe", "explain")
WRITING = {"insert", "update", "delete", "merge", "into", "copy", "create", "drop", "alter", "truncate"}

_TOKEN = re.compile(
    r"""(?P<skipped>--[^\n]*|/\*.*?\*/|'(?:[^']|'')*')
      | (?P<parameter>\$[A-Za-z_]\w*)
      | (?P<name>(?:"[^"]*"|[A-Za-z_]\w*)(?:\s*\.\s*(?:"[^"]*"|[A-Za-z_]\w*))*)
      | (?P<other>\S)""",
    re.VERBOSE | re.DOTALL,
)
_ARROW = {
    "string": "Utf8",
    "double": "Float64",
    "int": "Int32",
    "long": "Int64",
    "boolean": "Boolean",
    "timestamp": 'Timestamp(Microsecond, Some("UTC"))',
}


# Names in our tables are lower case, so a person may write them in any.
SESSION = {"datafusion.sql_parser.enable_ident_normalization": "true"}

Row = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """The answer to a query: column names and, per column, its values. Instants carry their offset."""

    names: tuple[str, ...]
    columns: tuple[list[Any], ...]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def __iter__(self) -> Iterator[Row]:
        return (dict(zip(self.names, row, strict=True)) for row in zip(*self.columns, strict=True))


class Reader:
    """Reads the tables of one lake; from several threads, if need be."""

    def __init__(self, lake: Path, tables: str = "", *, keeps_open: bool = False) -> None:
        """A reader of that lake.

        Args:
            tables: the setting of that name, where the tables do not lie in the lake's folder.
            keeps_open: for a process that stays: a table is opened once, and then only what is new of it is read.
        """
        self.lake = lake
        self.root = tables or str(lake)
        self._keeps_open = keeps_open
        self._open: dict[str, DeltaTable] = {}
        self._opening = threading.Lock()

    def has(self, table: Table) -> bool:
        """Whether the table was ever written."""
        uri = table_uri(self.root, table)
        return DeltaTable.is_deltatable(uri) if "://" in uri else os.path.isdir(f"{uri}/_delta_log")

    def version(self, table: Table) -> int:
        """Number of the table's newest version; -1 where it was never written."""
        return self.opened(table).version() if self.has(table) else -1

    def sql(self, query: str, **parameters: str | float | datetime | None) -> Rows:
        """Run one reading statement over tables named `layer.table`, such as `gold.area_minute`.

        Args:
            parameters: values for `$name` in the query.

        Raises:
            InputError: the statement writes, or names what is not there; or the lake is none.
        """
        return _rows(self.arrow(query, **parameters))

    def arrow(self, query: str, **parameters: str | float | datetime | None) -> Any:
        """The same, as the table in Arrow's memory that any Arrow library takes."""
        query, tables = checked(query, parameters)
        if tables and not any(self.has(table) for table in TABLES.values()):
            raise InputError(f"expected a lake in {self.root}, found no table; name another by --lake, or ingest first")
        try:
            session = QueryBuilder(SESSION)
            for layer in sorted({table.layer for table in tables}):
                session.execute(f"CREATE SCHEMA {layer}")
            for table in tables:
                if self.has(table):
                    session.register(table.name, self.opened(table))
                else:
                    session.execute(without_rows(table))
            return session.execute(query).read_all()
        except DeltaError as error:
            raise InputError(in_one_line(str(error), tables)) from None

    def scan(self, table: Table) -> pl.LazyFrame:
        """The table for Polars, which picks few points out of many rows in a fraction of SQL's time."""
        import polars as pl  # takes longer to load than most questions to answer

        if not self.has(table):
            return pl.from_arrow(table.arrow_schema().empty_table()).lazy()  # type: ignore[union-attr]
        return pl.scan_delta(self.opened(table))

    def opened(self, table: Table) -> DeltaTable:
        """The table at its newest version."""
        if not self._keeps_open:
            return DeltaTable(table_uri(self.root, table))
        with self._opening:
            opened = self._open.get(table.name)
            if opened is None:
                opened = self._open[table.name] = DeltaTable(table_uri(self.root, table))
            else:
                opened.update_incremental()
            return opened


def checked(query: str, parameters: dict[str, Any]) -> tuple[str, list[Table]]:
    """The query with its parameters filled in, and the tables it names; refuses a statement that is not for reading."""
    tokens = list(_TOKEN.finditer(query))
    words = [token["name"].lower() for token in tokens if token["name"]]
    first = next((token["name"] or token["other"] or "" for token in tokens if not token["skipped"]), "")
    if first.lower() not in (*READING, "("):
        raise InputError(f"expected a query that begins with {', '.join(READING[:2])} …, got '{first}'; it only reads")
    writing = sorted(WRITING & set(words))
    if writing:
        raise InputError(f"expected a query that only reads, got '{writing[0]}'; a column of that name goes in quotes")
    filled = _TOKEN.sub(
        lambda token: _literal(token["parameter"][1:], parameters) if token["parameter"] else token[0], query
    )
    return filled, [TABLES[name] for name in _tables_named(words)]


def _tables_named(words: Sequence[str]) -> list[str]:
    """Each `layer.table` among the names; a longer name is a column of it."""
    found: dict[str, None] = {}
    for word in words:
        layer, *rest = (part.strip().strip('"') for part in word.split("."))
        if layer not in LAYERS or not rest:
            continue
        name = f"{layer}.{rest[0]}"
        if name not in TABLES:
            there = ", ".join(sorted(table for table in TABLES if table.startswith(f"{layer}.")))
            raise InputError(f"expected a table of {layer}, got '{name}'; there are: {there}")
        found[name] = None
    return list(found)


def _literal(name: str, parameters: dict[str, Any]) -> str:
    if name not in parameters:
        raise InputError(f"expected a value for ${name}, got none; there are: {', '.join(parameters) or 'none'}")
    value = parameters[name]
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return f"arrow_cast('{value.astimezone(UTC).isoformat()}', '{_ARROW['timestamp']}')"
    return repr(value) if isinstance(value, int | float) else "'" + value.replace("'", "''") + "'"


def without_rows(table: Table) -> str:
    """The statement that makes a table without rows, for one that was never written."""
    columns = ", ".join(f"arrow_cast(NULL, '{_ARROW[column.type]}') AS \"{column.name}\"" for column in table.columns)
    return f"CREATE VIEW {table.name} AS SELECT {columns} WHERE false"


def in_one_line(told: str, tables: Sequence[Table]) -> str:
    """The engine's complaint as ours: what was expected and which names there are."""
    if match := re.search(r"table 'datafusion\.(?:public\.)?([^']+)' not found", told):
        alike = [name for name in TABLES if name.endswith(f".{match[1].lower()}")]
        there = f"did you mean {alike[0]}?" if alike else f"there are: {', '.join(sorted(TABLES))}"
        return f"expected a table as layer.table, got '{match[1]}'; {there}"
    if match := re.search(r"No field named (\S+?)\.?(?:\s|$)", told):
        there = "; ".join(f"{table.name} has: {', '.join(table.names)}" for table in tables)
        return f"expected a known column, got '{match[1]}'" + (f"; {there}" if there else "")
    reason = re.sub(r"^(Error during planning|SQL error|Schema error|External error): ", "", " ".join(told.split()))
    reason = re.sub(r'^ParserError\("(.*)"\)$', r"\1", reason)
    return f"expected SQL that DataFusion understands, got: {reason}; mend the query"


def _rows(answer: Any) -> Rows:
    names = tuple(field.name for field in answer.schema)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InputError(f"expected every column to have its own name, got '{twice}' twice; name one with AS")
    spans = [field.name for field in answer.schema if "Interval" in str(field.type)]
    if spans:
        raise InputError(f"expected plain values, got an interval in '{spans[0]}'; write CAST(… AS VARCHAR)")
    return Rows(names, tuple([_plain(value) for value in column.to_pylist()] for column in answer.columns))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return float(value) if isinstance(value, Decimal) else value
