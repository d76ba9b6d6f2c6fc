"""Lines of the journal and the hashes that chain them: pure functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from minefusion.serving.alarms.changes import Change, plain
from minefusion.serving.journal.head import Head


@dataclass(frozen=True)
class Line:
    """One line as stored. `at` and `facts` are the very text that is hashed."""

    seq: int
    at: str
    what: str
    subject: str
    mine_code: str
    by: str
    facts: str
    previous: str
    hash: str

    @property
    def change(self) -> Change:
        facts = json.loads(self.facts)
        return Change(
            self.what,
            self.subject,
            self.mine_code,
            self.by,
            facts.get("put", {}),
            facts.get("added", {}),
            facts.get("note", {}),
        )

    def hash_due(self) -> str:
        """The hash that the line must have."""
        told = [self.seq, self.at, self.what, self.subject, self.mine_code, self.by, self.facts, self.previous]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def chained(changes: Iterable[Change], at: datetime, head: Head) -> Iterator[Line]:
    """The changes as lines that follow on the head."""
    for each in changes:
        told = {"put": each.put, "added": each.added, "note": each.note}
        facts = json.dumps(
            plain({name: part for name, part in told.items() if part}), ensure_ascii=False, sort_keys=True
        )
        line = Line(
            head.seq + 1, at.isoformat(), each.what, each.subject, each.mine_code, each.by, facts, head.hash, ""
        )
        line = replace(line, hash=line.hash_due())
        yield line
        head = Head(line.seq, line.hash)


@dataclass(frozen=True)
class Broken:
    """Where a chain breaks, and how."""

    seq: int
    why: str


def first_break(lines: Iterable[Line], anchors: Iterable[Head] = ()) -> tuple[Head, Broken | None]:
    """The head of a chain and its first break; null where it holds.

    Args:
        lines: all lines in order.
        anchors: heads that were written down elsewhere, such as in shift reports: the chain must pass through each.
    """
    head = Head()
    due = {anchor.seq: anchor.hash for anchor in anchors if anchor.seq}
    for line in lines:
        if line.seq != head.seq + 1:
            return head, Broken(head.seq + 1, f"expected line {head.seq + 1}, found {line.seq}: lines are missing")
        if line.previous != head.hash:
            return head, Broken(
                line.seq, f"line {line.seq} does not follow on line {head.seq}: one of them was replaced"
            )
        if line.hash != line.hash_due():
            return head, Broken(line.seq, f"line {line.seq} is not what was written: its hash does not fit")
        if due.pop(line.seq, line.hash) != line.hash:
            return head, Broken(
                line.seq, f"line {line.seq} is not the one that a report names: the chain was made anew"
            )
        head = Head(line.seq, line.hash)
    if due:
        return head, Broken(head.seq + 1, f"a report names line {max(due)}, the journal ends at {head.seq}: it was cut")
    return head, None
