"""A run that is killed for good at one moment: `python cut_off_run.py ENGINE LAKE LANDING MOMENT DELAY_S`.

Takes the landing folder in and conforms it; at the moment named it sends SIGKILL to its whole process group, the JVM
and its Python workers with it. It runs in a session of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.jobs.conform import conform
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas.settings import load_settings

PARSING, BETWEEN, MERGING = "parsing", "between", "merging"


def die() -> None:
    os.killpg(0, signal.SIGKILL)


def watched(method: Callable[..., Any], watch: Callable[..., None]) -> Callable[..., Any]:
    """The method, with something beside it that may end the process while it runs."""

    def run(self: Engine, *given: Any, **named: Any) -> Any:
        threading.Thread(target=watch, args=(self, *given), daemon=True).start()
        return method(self, *given, **named)

    return run


def arm(engine: Engine, moment: str, delay_s: float) -> None:
    kind: Any = type(engine)
    if moment == PARSING:
        kind.read_exchange = watched(kind.read_exchange, lambda *_: (time.sleep(delay_s), die()))
    elif moment == BETWEEN:
        # The ledger is committed, the records are not.
        kind.append = lambda *_: (time.sleep(delay_s), die())
    elif moment == MERGING:
        kind._merge = watched(kind._merge, die_when_data_is_written)


def die_when_data_is_written(engine: Engine, _delta: Any, table: Any, *_given: Any) -> None:
    """New files lie in the table's folder and no commit names them yet."""
    folder = Path(engine.uri(table))
    before = set(folder.rglob("*.parquet"))
    while set(folder.rglob("*.parquet")) == before:
        time.sleep(0.0005)
    die()


def main(name: str, lake: str, landing: str, moment: str, delay_s: str) -> None:
    settings = load_settings(lake=Path(lake), spark_master="local[2]", spark_driver_memory="1g")
    engine = open_engine(settings, name)
    arm(engine, moment, float(delay_s))
    ingest(settings, Path(landing), engine=engine)
    conform(engine)


if __name__ == "__main__":
    main(*sys.argv[1:])
