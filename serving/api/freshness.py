"""How new the data of each mine are: the newest instant of what tells it, without a day of readings read each time."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

from minefusion.schemas import gold, silver
from minefusion.schemas.table import Table
from minefusion.serving.lookback import back_from
from minefusion.serving.reader import Reader

CLOCKS: tuple[Table, ...] = (silver.READING, silver.HEADCOUNT, gold.AREA_MINUTE)
# Rows of a mine that is in order are no older; the others are looked for in a day, and seldom.
RECENT, LONG_AGO = timedelta(minutes=15), timedelta(days=1)
KEPT_S = 60.0

Newest = dict[str, datetime]


class Freshness:
    """Newest instants by table and mine; from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked: dict[str, tuple[float, datetime, Newest]] = {}

    def newest(self, reader: Reader, now: datetime) -> dict[str, Newest]:
        """Of each table that tells it, mine → its newest instant up to `now`, no older than a day."""
        return {table.name: self._of(reader, table, now) for table in CLOCKS}

    def _of(self, reader: Reader, table: Table, now: datetime) -> Newest:
        recent = _newest(reader, table, now, RECENT)
        with self._lock:
            kept = self._looked.get(table.name)
        # Also where the clock was put back: what it told then may lie ahead of now.
        if kept is None or time.monotonic() - kept[0] > KEPT_S or now < kept[1]:
            kept = time.monotonic(), now, _newest(reader, table, now, LONG_AGO)
            with self._lock:
                self._looked[table.name] = kept
        return kept[2] | recent


def _newest(reader: Reader, table: Table, now: datetime, span: timedelta) -> Newest:
    rows = reader.sql(
        f"SELECT mine_code, max({table.time}) AS last FROM {table.name} "
        f"WHERE {table.time} > $begin AND {table.time} <= $at AND day >= $first GROUP BY mine_code",
        **back_from(now, span),
    )
    return {row["mine_code"]: row["last"] for row in rows}
