"""The control room: the alarm engine over its database, so that what it says is kept before anybody hears it.

Every event is worked out, its lines are put into the journal and its records into their tables, in one transaction;
then the board moves and listeners are told. Kill it anywhere: what is in the journal happened, and nothing else did.
Several processes may write to one database; each first takes in what the others wrote.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select

from minefusion.schemas.errors import NotInOrderError
from minefusion.serving.alarms.changes import TYPES, Change, Rows, applied, apply_to, plain, read
from minefusion.serving.alarms.classes import priority_of
from minefusion.serving.alarms.engine import step
from minefusion.serving.alarms.events import Event, Found, Tick
from minefusion.serving.alarms.records import Alarm, Board, Desk, Disposition, Hold, Record, identity
from minefusion.serving.emergency.records import Emergency
from minefusion.serving.handover.records import Handover
from minefusion.serving.journal.chain import Line, chained
from minefusion.serving.journal.database import Database, head_of
from minefusion.serving.journal.head import Head
from minefusion.serving.journal.tables import ALARM, DESK, DISPOSITION, EMERGENCY, HANDOVER, HOLD, JOURNAL

Clock = Callable[[], datetime]

# What ended longer ago is in the database and no longer in mind. Gold is looked at for a shorter time back.
KEPT_IN_MIND = timedelta(days=30)
# Newest lines that listeners are served from without asking the database.
LINES_IN_MIND = 4096
_TABLES = {
    Alarm: ALARM, Hold: HOLD, Disposition: DISPOSITION, Desk: DESK, Emergency: EMERGENCY, Handover: HANDOVER,
}  # fmt: skip
# A database takes only so many values in one question.
SUBJECTS_AT_ONCE = 500


class ControlRoom:
    """The board of all mines, its journal and its clock."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._lines: deque[Line] = deque(maxlen=LINES_IN_MIND)
        with database.reading() as connection:
            self.head = head_of(connection)
            self.board = loaded(connection, clock() - KEPT_IN_MIND)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener`, from any thread, whenever the journal has grown."""
        self._listeners.append(listener)

    def handle(self, event: Event) -> list[Line]:
        """Let the event happen now; returns the lines that it made.

        Raises:
            RefusedError: the rules do not allow it; nothing is kept.
        """
        if isinstance(event, Found | Tick) and not step(self.board, event, self.clock()).changes:
            return []  # as nearly always: once a second, without a writer's lock

        def work(connection: Connection) -> tuple[Board, Sequence[Change]]:
            outcome = step(self.board, event, self.clock())
            _keep(connection, outcome.board, outcome.changes)
            return outcome.board, outcome.changes

        return self._write(work)

    def note(
        self,
        what: str,
        subject: str,
        mine_code: str,
        by: str,
        note: dict[str, Any],
        also: Callable[[Connection], None] = lambda _: None,
    ) -> list[Line]:
        """Write down what is no matter of the board: a login, a user, a look at a track.

        Args:
            also: what else is written in the same transaction.
        """

        def work(connection: Connection) -> tuple[Board, Sequence[Change]]:
            also(connection)
            return self.board, [Change(what, subject, mine_code, by, note=plain(note))]

        return self._write(work)

    def catch_up(self) -> None:
        """Take in what other processes wrote, and tell listeners of it."""
        with self.database.reading() as connection:
            if head_of(connection) == self.head:
                return
        with self._lock, self.database.writing() as connection:
            self._catch_up(connection)
        self._tell()

    def forget_finished(self) -> None:
        """Keep of what is over only what is young."""
        with self._lock:
            self.board = self.board.without_finished(self.clock() - KEPT_IN_MIND)

    def lines_after(self, seq: int, most: int = 1000) -> list[Line]:
        """Lines that follow on `seq`, in order, no more than `most`."""
        known = list(self._lines)
        if known and known[0].seq <= seq + 1:
            return [each for each in known if each.seq > seq][:most]
        if seq >= self.head.seq:
            return []
        with self.database.reading() as connection:
            return lines_of(connection, seq, most)

    def _write(self, work: Callable[[Connection], tuple[Board, Sequence[Change]]]) -> list[Line]:
        with self._lock:
            with self.database.writing() as connection:
                self._catch_up(connection)
                board, changes = work(connection)
                lines = list(chained(changes, self.clock(), self.head))
                if lines:
                    connection.execute(insert(JOURNAL), [vars(each) for each in lines])
            self.board = board
            self._take(lines)
        if lines:
            self._tell()
        return lines

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _catch_up(self, connection: Connection) -> None:
        """Take in what other processes wrote."""
        head = head_of(connection)
        if head.seq < self.head.seq:
            raise NotInOrderError(
                f"expected the journal to go on from line {self.head.seq}, found it at {head.seq}: "
                "the database was put back to an older state; stop the service, run `minefusion journal verify`"
            )
        while self.head.seq < head.seq:
            lines = lines_of(connection, self.head.seq, LINES_IN_MIND)
            self.board = applied(self.board, (line.change for line in lines))
            self._take(lines)

    def _take(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._lines.append(line)
            self.head = Head(line.seq, line.hash)


def lines_of(connection: Connection, after: int, most: int) -> list[Line]:
    """Lines of the journal that follow on number `after`, in order."""
    rows = connection.execute(select(JOURNAL).where(JOURNAL.c.seq > after).order_by(JOURNAL.c.seq).limit(most))
    return [Line(**row._mapping) for row in rows]


def bodies(connection: Connection) -> Rows:
    """All records as their tables hold them."""
    found: Rows = {}
    for name, kind in TYPES.items():
        (key,) = _TABLES[kind].primary_key.columns
        rows = connection.execute(select(key, _TABLES[kind].c.body))
        found |= {(name, each): json.loads(body) for each, body in rows}
    return found


def loaded(connection: Connection, since: datetime) -> Board:
    """The board as its tables hold it, without what was over before `since`."""
    records: list[Record] = []
    for kind, table in _TABLES.items():
        wanted = select(table.c.body)
        if kind is Alarm:
            wanted = wanted.where(or_(ALARM.c.is_open, ALARM.c.moved_at >= since, ALARM.c.cleared_at.is_(None)))
        if kind is Disposition:
            needed = {each.disposition_id for each in records if isinstance(each, Alarm)}
            is_young = or_(DISPOSITION.c.closed_at.is_(None), DISPOSITION.c.closed_at >= since)
            wanted = wanted.where(or_(is_young, DISPOSITION.c.disposition_id.in_(needed)))
        if kind is Emergency:
            wanted = wanted.where(or_(EMERGENCY.c.ended_at.is_(None), EMERGENCY.c.ended_at >= since))
        if kind is Handover:
            wanted = wanted.where(HANDOVER.c.made_at >= since)
        records += [read(kind, json.loads(body)) for (body,) in connection.execute(wanted)]
    return Board().having(*records)


def board_at(connection: Connection, mine_code: str, at: datetime) -> Board:
    """The board of one mine as it stood at a past instant, from the journal: nothing that was written down later."""
    open_then = select(DISPOSITION.c.disposition_id).where(
        or_(DISPOSITION.c.closed_at.is_(None), DISPOSITION.c.closed_at > at)
    )
    alarms = select(ALARM.c.alarm_id, ALARM.c.tag, ALARM.c.disposition_id).where(
        ALARM.c.mine_code == mine_code,
        ALARM.c.shown_at <= at,
        or_(ALARM.c.is_open, ALARM.c.moved_at > at, ALARM.c.disposition_id.in_(open_then)),
    )
    subjects = sorted({each for row in connection.execute(alarms) for each in row if each})
    rows: Rows = {}
    for first in range(0, len(subjects), SUBJECTS_AT_ONCE):
        about = JOURNAL.c.subject.in_(subjects[first : first + SUBJECTS_AT_ONCE])
        found = connection.execute(select(JOURNAL).where(about).order_by(JOURNAL.c.seq))
        for line in (Line(**each._mapping) for each in found):
            if datetime.fromisoformat(line.at) <= at:
                apply_to(rows, line.change)
    return Board().having(*(read(TYPES[name], row) for (name, _), row in rows.items()))


def _keep(connection: Connection, after: Board, changes: Sequence[Change]) -> None:
    """Bring the tables of records up to the board; also those of alarms whose state another record decides."""
    moved: dict[tuple[type[Record], str], Record] = {}
    for each in changes:
        record = after.record(TYPES[each.what.partition(".")[0]], each.subject)
        if record is not None:
            moved[type(record), identity(record)] = record
    tags = {each.tag for each in moved.values() if isinstance(each, Hold)}
    under = {each.disposition_id for each in moved.values() if isinstance(each, Disposition)}
    for alarm in after.alarms.values():
        if alarm.tag in tags or alarm.disposition_id in under:
            moved[Alarm, alarm.alarm_id] = alarm
    for kind, table in _TABLES.items():
        rows = [_row(record, after) for (its_kind, _), record in moved.items() if its_kind is kind]
        if rows:
            (key,) = table.primary_key.columns
            connection.execute(delete(table).where(key.in_([row[key.name] for row in rows])))
            connection.execute(insert(table), rows)


def _row(record: Record, board: Board) -> dict[str, Any]:
    """A record as the row of its table."""
    same: tuple[str, ...]
    row = {"body": json.dumps(plain(record), ensure_ascii=False), "mine_code": record.mine_code}
    match record:
        case Alarm():
            same = (
                "alarm_id", "area_id", "point_id", "tag", "class_name", "level", "raised_at", "cleared_at", "shown_at",
                "acked_at", "incident_id", "disposition_id",
            )  # fmt: skip
            return (
                row
                | {name: getattr(record, name) for name in same}
                | {
                    "is_advisory": record.alarm_class.is_advisory,
                    "priority": priority_of(record.level),
                    "state": board.state_of(record),
                    "is_open": board.is_open(record),
                    "moved_at": record.last_moved_at,
                }
            )
        case Hold():
            return row | {"tag": record.tag, "kind": record.kind, "is_lifted": record.lifted_at is not None}
        case Disposition():
            same = ("disposition_id", "area_id", "incident_id", "state", "opened_at", "closed_at")
            return row | {name: getattr(record, name) for name in same}
        case Desk():
            return row
        case Emergency():
            same = ("emergency_id", "declared_at", "ended_at")
            return row | {name: getattr(record, name) for name in same}
        case Handover():
            return row | {"handover_id": record.handover_id, "made_at": record.made_at}
