"""Whether the journal is whole, and whether it tells the very state that the service shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from minefusion.schemas.errors import InputError
from minefusion.serving.alarms.changes import Rows, apply_to
from minefusion.serving.control_room import bodies, lines_of
from minefusion.serving.journal.chain import Broken, Line, first_break
from minefusion.serving.journal.database import Database
from minefusion.serving.journal.head import Head

# How a shift report carries the head of the journal.
_ANCHOR = re.compile(r'data-journal="(\d+):([0-9a-f]{64})"')
_AT_ONCE = 2000


@dataclass(frozen=True)
class Verified:
    """What was found. `first_bad` is the number of the first line that is not in order; null where all are."""

    ok: bool
    entries: int
    first_bad: int | None
    why: str | None
    head: Head
    anchors: int


def verify(database: Database, anchors: Iterable[Head] = ()) -> Verified:
    """Follow the chain from its first line, replay it, and compare with the tables that the service reads.

    Args:
        anchors: heads named in shift reports.
    """
    due = tuple(anchors)
    replayed: Rows = {}
    entries = 0

    def followed() -> Iterator[Line]:
        nonlocal entries
        seen = 0
        while lines := lines_of(connection, seen, _AT_ONCE):
            for line in lines:
                entries += 1
                yield line
                apply_to(replayed, line.change)  # only once the chain has taken it
            seen = lines[-1].seq

    with database.reading() as connection:
        head, broken = first_break(followed(), due)
        if broken is None and (other := _unlike(replayed, bodies(connection))):
            broken = Broken(head.seq + 1, f"the journal tells another state than the tables hold of {other}")
    return Verified(
        broken is None,
        entries,
        broken.seq if broken else None,
        broken.why if broken else None,
        head,
        len(due),
    )


def anchors_in(report: Path) -> list[Head]:
    """The heads that a shift report names.

    Raises:
        InputError: it names none.
    """
    found = _ANCHOR.findall(report.read_text(encoding="utf-8"))
    if not found:
        raise InputError(f"expected a shift report with the journal's head in {report}, found none in it")
    return [Head(int(seq), digest) for seq, digest in found]


def _unlike(replayed: Rows, kept: Rows) -> str | None:
    """The first record in which the two differ."""
    return next(
        (
            f"{name} {key}"
            for name, key in sorted(replayed.keys() | kept.keys())
            if replayed.get((name, key)) != kept.get((name, key))
        ),
        None,
    )
