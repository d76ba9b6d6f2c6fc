"""A change of one record, as the journal keeps it: what happened, to what, by whom, and what is different now.

A change says which fields got which value, and what was added to a list, so that a line of the journal is short and
reads by itself. Applied in order, changes give the records again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter

from minefusion.serving.alarms.records import Alarm, Board, Desk, Disposition, Hold, Record, identity
from minefusion.serving.emergency.records import Emergency
from minefusion.serving.handover.records import Handover

R = TypeVar("R", bound=Record)
# What the records are called in the journal.
TYPES: dict[str, type[Record]] = {
    "alarm": Alarm, "hold": Hold, "disposition": Disposition, "desk": Desk,
    "emergency": Emergency, "handover": Handover,
}  # fmt: skip
_NAMES = {kind: name for name, kind in TYPES.items()}


@dataclass(frozen=True)
class Change:
    """One line of the journal before it has a number.

    Attributes:
        what: what happened: `alarm.raised`; its first part names the type of record, or what else it is about.
        subject: id of the record.
        by: login of the person, or `system`.
        put: field → new value, as JSON holds it.
        added: list field → what was added to its end.
        note: what is worth knowing and is in no record.
    """

    what: str
    subject: str
    mine_code: str
    by: str
    put: Mapping[str, Any] = field(default_factory=dict)
    added: Mapping[str, list[Any]] = field(default_factory=dict)
    note: Mapping[str, Any] = field(default_factory=dict)


def change(what: str, old: Record | None, new: Record, by: str, **note: Any) -> Change:
    """The change from `old` (null: there was none) to `new`, which happened as `<type>.<what>`."""
    after = plain(new)
    before = plain(old) if old is not None else {}
    put: dict[str, Any] = {}
    added: dict[str, list[Any]] = {}
    for name, value in after.items():
        was = before.get(name)
        if old is not None and value == was:
            continue
        if isinstance(value, list) and isinstance(was, list) and value[: len(was)] == was:
            added[name] = value[len(was) :]
        else:
            put[name] = value
    what = f"{_NAMES[type(new)]}.{what}"
    return Change(what, identity(new), new.mine_code, by, put, added, plain(note))


# Records as JSON holds them, by what their type is called and their id.
Rows = dict[tuple[str, str], dict[str, Any]]


def apply_to(rows: Rows, done: Change) -> None:
    """Bring the rows up to the change; one that is about no record leaves them as they are."""
    name = done.what.partition(".")[0]
    if name not in TYPES:
        return
    row = {**rows.get((name, done.subject), {}), **done.put}
    for part, more in done.added.items():
        row[part] = [*row[part], *more]
    rows[name, done.subject] = row


def applied(board: Board, changes: Iterable[Change]) -> Board:
    """The board after the changes."""
    rows: Rows = {}
    for done in changes:
        name = done.what.partition(".")[0]
        if name in TYPES and (name, done.subject) not in rows:
            old = board.record(TYPES[name], done.subject)
            rows[name, done.subject] = plain(old) if old is not None else {}
        apply_to(rows, done)
    return board.having(*(read(TYPES[name], row) for (name, _), row in rows.items()))


def plain(value: Any) -> Any:
    """A record as JSON holds it: instants in ISO 8601 with offset, tuples as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def read(kind: type[R], row: Mapping[str, Any]) -> R:
    """A record from what `plain` made of it."""
    record: R = _READERS[kind].validate_python(row)
    return record


_READERS: dict[Any, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in TYPES.values()}
