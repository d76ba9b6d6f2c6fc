"""What a job did, table by table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from minefusion.pipelines.engines.engine import Written
from minefusion.schemas.table import Table

# Share done (0 to 1), and what is being worked on.
Progress = Callable[[float, str], None]


@dataclass
class Built:
    """What a job did to one table."""

    name: str
    changed: int = 0
    rows: int = 0
    seconds: float = 0.0


@dataclass
class Tally:
    """Counts what was done to each table, in order."""

    tables: dict[str, Built] = field(default_factory=dict)

    def add(self, table: Table, written: Written, seconds: float) -> None:
        built = self.tables.setdefault(table.name, Built(table.name))
        built.changed += written.changed
        built.rows += written.rows
        built.seconds += seconds
