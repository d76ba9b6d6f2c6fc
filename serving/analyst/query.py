"""An analyst's own SQL: read only, over the user's mines, within a limit of time, memory and rows.

The engine runs in a process of its own, which may write no file, has so much memory, and is ended when its time is
over: a question can harm nothing but itself. Tables that hold persons are not there, nor columns that name one.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from minefusion.schemas.catalog import TABLES
from minefusion.schemas.errors import InputError
from minefusion.schemas.governance import maskings
from minefusion.schemas.json_text import as_json
from minefusion.schemas.table import Column, Table

MOST_ROWS = 100_000
MOST_S = 30.0
MOST_BYTES = 256 * 2**20
MOST_MEMORY = 4 * 2**30
LONGEST = 20_000
# What says where persons are or were, or may hold their names in a text.
RESTRICTED = frozenset(
    {
        "silver.person", "silver.position", "silver.vehicle_position", "gold.escape_route", "bronze.exchange_record",
        "bronze.quarantine",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """`is_cut`: there are more rows than the limit."""

    frame: pl.DataFrame
    is_cut: bool


def tables() -> list[Table]:
    """Tables that may be asked: every row belongs to a mine or to none."""
    return [
        each
        for each in TABLES.values()
        if each.name not in RESTRICTED and ("mine_code" in each.names or each.layer == "reference")
    ]


def visible(table: Table) -> tuple[Column, ...]:
    """Its columns without those that name persons."""
    personal = {column for name, column in maskings() if name == table.name}
    return tuple(each for each in table.columns if each.name not in personal)


def ask(
    lake: Path, root: str, query: str, mines: Iterable[str], *, most_rows: int = MOST_ROWS, most_s: float = MOST_S
) -> Answer:
    """Run one reading statement.

    Args:
        root: the setting `tables`; empty where tables lie in the lake.
        mines: those whose rows are seen; none: all.

    Raises:
        InputError: it is no reading statement, names what may not be asked, or goes over a limit.
    """
    told = {
        "lake": str(lake), "root": root, "query": query, "mines": sorted(mines), "most_rows": most_rows,
        "most_bytes": MOST_BYTES, "most_memory": MOST_MEMORY, "most_s": most_s,
    }  # fmt: skip
    command = [sys.executable, "-m", "minefusion.serving.analyst.query_process"]
    try:
        done = subprocess.run(
            command, input=json.dumps(told).encode(), capture_output=True, timeout=most_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            f"expected an answer within {most_s:g} s, got none; fix mine_code and day, or ask for less"
        ) from None
    head, _, body = done.stdout.partition(b"\n")
    if done.returncode != 0 or not head:
        raise InputError(
            f"expected a question that {MOST_MEMORY // 2**30} GiB and {most_s:g} s are enough for, got one that they "
            "are not; ask for less"
        )
    answer = json.loads(head)
    if "error" in answer:
        raise InputError(answer["error"])
    return Answer(_flat(pl.read_ipc_stream(io.BytesIO(body))), answer["is_cut"])


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Values that a table cell can hold: lists and structures as JSON, bytes in hexadecimal, instants in UTC."""
    told = []
    for name, kind in frame.schema.items():
        column = frame[name]
        if kind.is_nested():
            column = pl.Series(
                name, [None if each is None else as_json(each) for each in column.to_list()], dtype=pl.String
            )
        elif kind == pl.Binary:
            column = column.bin.encode("hex")
        elif isinstance(kind, pl.Datetime) and kind.time_zone is None:
            column = column.dt.replace_time_zone("UTC")
        elif kind in (pl.Decimal, pl.Duration, pl.Time):
            column = column.cast(pl.Float64 if kind == pl.Decimal else pl.String)
        told.append(column)
    return pl.DataFrame(told)
