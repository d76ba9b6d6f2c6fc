"""How a table is declared: once, as data. Spark, Polars and Arrow schemas, checks, assets and docs follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

    from minefusion.schemas.governance import Card

ColumnType = Literal["string", "double", "int", "long", "boolean", "timestamp"]

_SPARK = {
    "string": "STRING",
    "double": "DOUBLE",
    "int": "INT",
    "long": "BIGINT",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
}


@dataclass(frozen=True)
class Column:
    """One column. `valid` is the closed range a value must lie in; null always means "not known", never zero."""

    name: str
    type: ColumnType
    doc: str
    zh: str
    unit: str | None = None
    valid: tuple[float, float] | None = None


@dataclass(frozen=True)
class Table:
    """One Delta table.

    `key` is unique in the table. `time` is the instant by which windows are cut; the table is partitioned by the UTC
    day of that instant, in the column `day` (a table without `time` is small and not partitioned). `volatile` columns
    tell when and by which run a row was written: two rows that differ only there are the same row.
    """

    name: str
    doc: str
    zh: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    time: str | None = None
    volatile: tuple[str, ...] = ("received_at", "ingested_at", "written_at", "loaded_at", "computed_at", "run_id")

    @property
    def layer(self) -> str:
        return self.name.split(".")[0]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def partition(self) -> tuple[str, ...]:
        return ("day",) if "day" in self.names else ()

    @property
    def content(self) -> tuple[str, ...]:
        """The columns that say what a row states: all but the volatile ones and the revision."""
        return tuple(n for n in self.names if n not in self.volatile and n != "revision")

    @property
    def domain(self) -> str:
        """Data domain, `03.01`; '' where schemas/governance/tables.csv lacks the table."""
        card = self._card
        return f"{card.domain}.{card.data_domain}" if card else ""

    @property
    def level(self) -> str:
        """Security level L1 to L4; '' where not given."""
        return self._card.level if self._card else ""

    @property
    def owner(self) -> str:
        """The office that answers for the data; '' where not given."""
        return self._card.owner if self._card else ""

    @property
    def _card(self) -> Card | None:
        from minefusion.schemas.governance import cards

        return cards().get(self.name)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def arrow_schema(self) -> pa.Schema:
        import pyarrow as pa

        arrow = {
            "string": pa.string(),
            "double": pa.float64(),
            "int": pa.int32(),
            "long": pa.int64(),
            "boolean": pa.bool_(),
            "timestamp": pa.timestamp("us", tz="UTC"),
        }
        return pa.schema([pa.field(column.name, arrow[column.type]) for column in self.columns])

    def spark_ddl(self) -> str:
        return ", ".join(f"`{column.name}` {_SPARK[column.type]}" for column in self.columns)


def day_column() -> Column:
    """The partition: UTC day of the table's `time`."""
    return Column("day", "string", "UTC day, the partition.", "日期（UTC，分区）")
