"""What definition files say, and from when it holds.

A reading is judged by the definition that was in force at its time: a sensor that is moved this morning does not move
what it measured yesterday, and a limit that is changed does not rewrite the alarms of last week. So each definition
that says something new is kept with its upload time. What comes out depends only on which definitions there are, never
on the order in which they came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any

import narwhals as nw

from minefusion.schemas.window import Window

Row = dict[str, Any]

POINT, STATION, AREA = "point", "station", "area"

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Definition:
    """What one file says about one thing. `facts` is a JSON object with sorted keys, empty ones left out."""

    mine_code: str
    thing: str
    code: str
    valid_from: datetime
    file_id: str
    position: int
    facts: str

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.mine_code, self.thing, self.code)

    def as_told(self) -> Row:
        """The fields that the file told, with where they come from."""
        told = {"mine_code": self.mine_code, "sent_at": self.valid_from, "file_id": self.file_id, "is_defined": True}
        return json.loads(self.facts) | told


def told(thing: str, code_column: str, rows: Iterable[Row]) -> list[Definition]:
    """Definitions from rows of text that also hold mine_code, sent_at, file_id and position."""
    about = ("mine_code", "sent_at", "file_id", "position", "source_kind")
    found = []
    for row in rows:
        if row[code_column] is None or row["sent_at"] is None:
            continue
        facts = {name: value for name, value in row.items() if name not in about and value is not None}
        text = json.dumps(facts, ensure_ascii=False, sort_keys=True)
        source = (row["sent_at"], row["file_id"], row["position"])
        found.append(Definition(row["mine_code"], thing, row[code_column], *source, text))
    return found


def settled(definitions: Iterable[Definition]) -> list[Definition]:
    """Of each thing the definitions that said something new, in order of time.

    Of two at one instant the later file, or the later place in it, counts.
    """
    kept: list[Definition] = []
    for _, of_thing in groupby(sorted(set(definitions)), key=lambda each: each.key):
        facts = None
        for _, at_once in groupby(of_thing, key=lambda each: each.valid_from):
            *_, last = at_once
            if last.facts != facts:
                kept.append(last)
                facts = last.facts
    return kept


def contradicting(stored: Sequence[Definition], new: Sequence[Definition]) -> list[Definition]:
    """New definitions that interrupt what a stored one says.

    A stored definition stands for all those after it that said the same; where one of these falls behind an
    interruption, it has to be found again for the time from it on.
    """
    by_key: dict[tuple[str, str, str], list[Definition]] = {}
    for each in stored:
        by_key.setdefault(each.key, []).append(each)
    found = []
    for each in new:
        earlier = [other for other in by_key.get(each.key, ()) if other.valid_from <= each.valid_from]
        if earlier and max(earlier).facts != each.facts:
            found.append(each)
    return found


@dataclass(frozen=True)
class Span:
    """A row of facts and the time in which it holds: from `start` on, before `end`."""

    start: datetime
    end: datetime
    row: Row


def spans(versions: Sequence[tuple[datetime, Row]], *, back: bool = True) -> list[Span]:
    """Versions of one thing, in order of time, each until the next one.

    Args:
        back: the first one also holds for what was before it: a value that came before its definition is the value
            of that point all the same.
    """
    starts = [at for at, _ in versions]
    if back and starts:
        starts[0] = ALWAYS
    ends = [*starts[1:], FOREVER]
    return [Span(start, end, row) for start, end, (_, row) in zip(starts, ends, versions, strict=True)]


def differing(before: Sequence[Span], after: Sequence[Span], columns: Sequence[str]) -> Iterator[Window]:
    """The times for which the two say different things in these columns."""
    edges = sorted({edge for span in (*before, *after) for edge in (span.start, span.end)})
    for start, end in pairwise(edges):
        was, now = ([span.row for span in each if span.start <= start < span.end] for each in (before, after))
        if [[row.get(name) for name in columns] for row in was] != [[row.get(name) for name in columns] for row in now]:
            yield Window(start, end)


def in_force(rows: nw.LazyFrame, facts: nw.LazyFrame, on: Sequence[str], at: str) -> nw.LazyFrame:
    """Join each row with the facts that hold at its instant; a thing without facts keeps its row, with nulls.

    Args:
        facts: one row per thing and span, with `holds_from` and `holds_to`; the spans of a thing leave no time out.
        at: the column of `rows` with the instant.
    """
    joined = rows.join(facts, on=list(on), how="left")
    holds = (nw.col(at) >= nw.col("holds_from")) & (nw.col(at) < nw.col("holds_to"))
    return joined.filter(holds | nw.col("holds_from").is_null()).drop("holds_from", "holds_to")
