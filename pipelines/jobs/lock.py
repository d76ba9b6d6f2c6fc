"""One writer at a time: an exclusive lock on a file of the lake, freed by the kernel even after kill -9."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minefusion.schemas.errors import MissingError
from minefusion.schemas.table import Table


@contextmanager
def exclusive(lake: Path, name: str, wait_s: float = 900.0) -> Iterator[None]:
    """Hold the lake's lock `name`; wait for another holder up to `wait_s`.

    An orphan of a killed scheduler may still run beside its second try: without the lock both would write.

    Raises:
        MissingError: another run held it all that time.
    """
    folder = lake / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.lock"
    with path.open("a+") as handle:
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    holder = path.read_text().strip() or "another run"
                    raise MissingError(
                        f"expected the lock {name} within {wait_s:.0f} s, but process {holder} holds it; "
                        "wait for that run or end it, then run again"
                    ) from None
                time.sleep(0.2)
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def lock_of(table: Table) -> str:
    """The lock under which the table is written: bronze by the ingest, silver by conform, gold by a job of its own."""
    return {"bronze": "ingest", "silver": "conform", "reference": "conform"}.get(table.layer, table.name)
