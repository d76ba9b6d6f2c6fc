"""What a view is: its name, what may be asked of it, the columns of its answer, and the function that works it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from minefusion.schemas import silver
from minefusion.schemas.persons import masked_name, person_hash
from minefusion.schemas.table import Column, Table
from minefusion.serving.alarms.records import Alarm
from minefusion.serving.analyst.mine_clock import MineClock
from minefusion.serving.lookback import day_of
from minefusion.serving.reader import Reader
from minefusion.serving.text import Text

POLARS: Mapping[str, Any] = {
    "string": pl.String, "double": pl.Float64, "int": pl.Int32, "long": pl.Int64, "boolean": pl.Boolean,
    "timestamp": pl.Datetime("us", "UTC"),
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A question to a view, checked: one mine and [begin, end), which goes no farther than now.

    Attributes:
        only: column → the one value that it may have.
        step: length of a cell of time; null where the view takes none.
        pick, pick_index, at: what a page shows beside the rows: an area or point, an index, an instant. The rows do
            not depend on them.
    """

    mine: str
    begin: datetime
    end: datetime
    only: Mapping[str, Any] = field(default_factory=dict)
    level_min: int = 0
    is_legal_only: bool = False
    step: timedelta | None = None
    pick: str | None = None
    pick_index: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Source:
    """Where a view's rows come from, for one mine.

    Attributes:
        index_names: index id → its name in Chinese and English.
        alarms: the alarms that were shown, stood or were dealt with from one instant to another.
        approved_hours: the mine's own limit of hours underground; null where it declares none.
        card: of the person asked about; null where nobody is.
    """

    reader: Reader
    mine: str
    clock: MineClock
    person_key: bytes = b""
    sees_names: bool = False
    index_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    alarms: Callable[[datetime, datetime], Sequence[Alarm]] = lambda _begin, _end: ()
    approved_hours: float | None = None
    card: str | None = None

    def lazy(
        self, table: Table, begin: datetime | None = None, end: datetime | None = None, *wheres: pl.Expr
    ) -> pl.LazyFrame:
        """The mine's rows with the table's time in [begin, end), so far as the table has one."""
        rows = self.reader.scan(table).filter(pl.col("mine_code") == self.mine)
        if table.time and begin is not None and end is not None:
            first, last = (pl.lit(day_of(each)) for each in (begin, end))
            rows = rows.filter(pl.col("day").is_between(first, last), pl.col(table.time) >= begin)
            rows = rows.filter(pl.col(table.time) < end)
        return rows.filter(*wheres) if wheres else rows

    def frame(
        self, table: Table, begin: datetime | None = None, end: datetime | None = None, *wheres: pl.Expr
    ) -> pl.DataFrame:
        """The same, read; for tables that have few rows a minute."""
        return self.lazy(table, begin, end, *wheres).collect()

    def points(self) -> pl.DataFrame:
        return self.frame(silver.POINT).sort("point_id")

    def areas(self) -> pl.DataFrame:
        """Areas with their names; the mine itself is the area that bears its code."""
        return self.frame(silver.AREA).select("area_id", "name_zh", "name_en", "cap").sort("area_id")

    def hash_of(self, card: str) -> str:
        return person_hash(self.person_key, self.mine, card)

    def shown_name(self, name: str | None) -> str | None:
        """The name, masked unless the role may see it."""
        return name if self.sees_names or name is None else masked_name(name)


@dataclass(frozen=True)
class View:
    """One view.

    Attributes:
        path: group and name, as they stand in its address.
        about: what its rows are, and how a figure comes about.
        rows: works it out; rows in their order, columns as declared or more.
        narrows: which of the view's own columns a question may fix.
        usual, longest: span of a question that names none, and the longest that it may.
        is_of_persons: each look is written down (PC-88).
        takes: further things that a question may name: level_min, is_legal_only, step. `person`: it has to name one
            by the hash of the card, and why; each such look is a line of the journal.
    """

    path: str
    text: Text
    about: Text
    columns: tuple[Column, ...]
    rows: Callable[[Source, Asked], pl.DataFrame]
    narrows: tuple[str, ...] = ()
    usual: timedelta = timedelta(days=1)
    longest: timedelta = timedelta(days=92)
    is_of_persons: bool = False
    takes: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        return self.path.split("/")[0]

    def answer(self, source: Source, asked: Asked) -> pl.DataFrame:
        """The rows, narrowed to what the question fixes, with just the declared columns and types."""
        rows = self.rows(source, asked)
        fixed = {name: it for name, it in asked.only.items() if name in self.narrows and name in rows.columns}
        rows = rows.filter(*(pl.col(name) == it for name, it in fixed.items())) if fixed else rows
        return rows.select(pl.col(each.name).cast(POLARS[each.type]) for each in self.columns)


def seconds(begin: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Seconds from one instant to another, never under none."""
    return pl.max_horizontal((end - begin).dt.total_microseconds() / 1e6, pl.lit(0.0))


def with_area(rows: pl.DataFrame, areas: pl.DataFrame) -> pl.DataFrame:
    """Beside each area's code its names."""
    names = areas.select("area_id", area_zh="name_zh", area_en="name_en")
    return rows.join(names, on="area_id", how="left", maintain_order="left")


AREA = Column("area_id", "string", "Area.", "区域编码")
AREA_NAMES = (
    Column("area_zh", "string", "Its name in Chinese.", "区域"),
    Column("area_en", "string", "Its name in English.", "区域英文名"),
)
POINT = Column("point_id", "string", "Point.", "测点编码")
LOCATION = Column("location", "string", "Where it is, as the mine says.", "安装位置")
SENTENCES = (
    Column("sentence_zh", "string", "What it means, in Chinese.", "说明"),
    Column("sentence_en", "string", "What it means, in English.", "说明（英文）"),
)
