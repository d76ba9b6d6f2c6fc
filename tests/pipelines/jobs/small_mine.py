"""Files of a small mine, written by hand, and how tests look at a lake."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.exchange.write import file_name, write_file
from minefusion.pipelines.jobs.compare import differences
from minefusion.schemas.catalog import TABLES
from minefusion.schemas.gold import DATA_QUALITY
from minefusion.schemas.silver import REWORKED
from minefusion.schemas.table import Table

MINE = "620000000001"
T0 = datetime(2026, 3, 1, 4, tzinfo=UTC)
# What may differ when the same files come in other order or batches: how they were taken in, not what they say.
BY_ARRIVAL = ("batch", "revision", "landing", "verdict", "reason", "reason_zh", "reason_en", "mend_zh", "mend_en")


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def point_code(number: int, sensor_type: str = "0001", kind: str = "MN") -> str:
    return f"{MINE}01{kind}{sensor_type}{number:03d}A01"


def values(
    folder: Path,
    minute: float,
    of_point: dict[str, Any],
    *,
    sent: float | None = None,
    mine: str = MINE,
    status: int = 0,
) -> Path:
    """A CDSS file: value by point code at T0 + `minute`, sent then or at another minute."""
    sent_at = at(minute if sent is None else sent)
    rows = [
        {"point_code": code, "value": value, "status": status, "data_time": at(minute), "unit": "%"}
        for code, value in of_point.items()
    ]
    write_file(folder, "CDSS", mine, "示范煤矿", sent_at, rows)
    return folder / file_name("CDSS", mine, sent_at)


def definitions(folder: Path, minute: float, *rows: dict[str, Any], mine: str = MINE) -> Path:
    """A CDDY file sent at T0 + `minute`; each row names at least the point."""
    about = {"sensor_type_code": "0001", "value_kind": "MN", "unit": "%", "location": "1101综采工作面上隅角T0"}
    about |= {"range_low": 0, "range_high": 4, "alarm_high": 1.0, "cutoff_high": 1.5, "restore_high": 1.0}
    write_file(folder, "CDDY", mine, "示范煤矿", at(minute), [about | row for row in rows])
    return folder / file_name("CDDY", mine, at(minute))


def rows_of(engine: LightEngine, table: Table, *columns: str) -> pl.DataFrame:
    """The table's rows in order of its key."""
    rows = pl.DataFrame(pl.from_arrow(engine.to_arrow(engine.read(table)))).sort(table.key)
    return rows.select(columns) if columns else rows


def copied(files: Iterable[Path], folder: Path) -> None:
    """As they are, their times included."""
    for file in files:
        shutil.copy2(file, folder)


def same_but_for_arrival(one: Path, other: Path) -> dict[str, list[str]]:
    """What differs between two lakes that got the same files in different order.

    Data quality is about how they came, too: a file that came late is counted there.
    """
    tables = [table for table in TABLES.values() if table not in (REWORKED, DATA_QUALITY)]
    return differences(one, other, tables=tables, ignoring=BY_ARRIVAL)


def exchange_files(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix == ".txt")
