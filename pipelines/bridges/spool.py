"""The spool: what a bridge was given, kept on disk until it lies in the landing folder. Nothing twice, nothing lost.

`take` keeps a group of deliveries in one transaction; only then may they be acknowledged. `write` first plans which
message goes into which file, then writes the files, then forgets the messages; a bridge that is killed between any two
steps writes the very same file again. A sender that never heard the acknowledgement sends again, and the message is
known by its id.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from minefusion.pipelines.bridges.message import Message, RefusedError, Rules, read_message
from minefusion.pipelines.exchange.manifest import add_to_manifest
from minefusion.pipelines.exchange.write import file_name, render

# Refused messages that are kept to be looked at, and bytes of each.
REFUSED_KEPT, REFUSED_BYTES = 10_000, 64 << 10
# Records of one file.
FILE_RECORDS = 50_000
_SECOND = timedelta(seconds=1)
_TABLES = """
create table if not exists waiting (
    number integer primary key, msg_id blob, mine text, kind text, rows text, records integer, file integer);
create index if not exists waiting_for on waiting (file, mine, kind);
create table if not exists seen (msg_id blob primary key, at real) without rowid;
create index if not exists seen_at on seen (at);
create table if not exists file (
    number integer primary key, mine text, kind text, stamp text, records integer, messages integer, written integer);
create index if not exists file_last on file (mine, kind, number);
create table if not exists refused (number integer primary key, at text, code text, why text, payload blob);
create table if not exists source (source_id text primary key, seq integer, gaps integer);
create table if not exists total (name text primary key, n integer);
"""


@dataclass(frozen=True)
class Delivery:
    """What a sender delivered: bytes that are to be a message, or a message that the bridge made of a value."""

    what: bytes | Message


@dataclass(frozen=True)
class Balance:
    """received = written + duplicate + refused + waiting [messages]; `gaps`: numbers that a source left out."""

    received: int
    written: int
    duplicate: int
    refused: int
    waiting: int
    records: int
    files: int
    gaps: int

    @property
    def ok(self) -> bool:
        return self.received == self.written + self.duplicate + self.refused + self.waiting


class Spool:
    """The spool of one bridge, in a file of its own.

    Args:
        rules: what a message must keep to.
        most_waiting: messages that may wait; with so many the bridge takes no more, and the sender has to wait.
        remembers: a message that comes again within this time is known.
    """

    def __init__(
        self, path: Path, rules: Rules, *, most_waiting: int = 100_000, remembers: timedelta = timedelta(hours=24)
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.rules = rules
        self.most_waiting = most_waiting
        self.remembers = remembers
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    @property
    def is_full(self) -> bool:
        return self._one("select count(*) from waiting") >= self.most_waiting

    def take(self, deliveries: Sequence[Delivery], now: datetime | None = None) -> None:
        """Keep what was delivered. When this returns it is on disk, and may be acknowledged."""
        now = now or datetime.now(UTC)
        with self._transaction():
            for delivery in deliveries:
                self._count("received")
                try:
                    given = delivery.what
                    message = given if isinstance(given, Message) else read_message(given, self.rules)
                except RefusedError as error:
                    self._refuse(error, delivery.what, now)
                    continue
                self._keep(message, now)

    def _keep(self, message: Message, now: datetime) -> None:
        known = self._db.execute(
            "insert or ignore into seen values (?, ?)", (message.msg_id.bytes, now.timestamp())
        ).rowcount
        if not known:
            self._count("duplicate")
            return
        rows = json.dumps(message.rows, ensure_ascii=False)
        self._db.execute(
            "insert into waiting (msg_id, mine, kind, rows, records) values (?, ?, ?, ?, ?)",
            (message.msg_id.bytes, message.mine_code, message.kind, rows, len(message.rows)),
        )
        if message.seq is not None:
            self._follow(message.source_id, message.seq)

    def _follow(self, source_id: str, seq: int) -> None:
        """Count what is missing between the numbers of a source; what comes late fills its gap."""
        last = self._db.execute("select seq from source where source_id = ?", (source_id,)).fetchone()
        if last is None:
            self._db.execute("insert into source values (?, ?, 0)", (source_id, seq))
        elif seq > last[0]:
            self._db.execute(
                "update source set seq = ?, gaps = gaps + ? where source_id = ?", (seq, seq - last[0] - 1, source_id)
            )
        else:
            self._db.execute("update source set gaps = max(0, gaps - 1) where source_id = ?", (source_id,))

    def _refuse(self, error: RefusedError, payload: bytes | Message, now: datetime) -> None:
        self._count("refused")
        kept = payload[:REFUSED_BYTES] if isinstance(payload, bytes) else b""
        self._db.execute(
            "insert into refused (at, code, why, payload) values (?, ?, ?, ?)",
            (now.isoformat(), error.code, str(error), kept),
        )
        self._db.execute("delete from refused where number <= (select max(number) from refused) - ?", (REFUSED_KEPT,))

    # ── into the landing folder ─────────────────────────────────────────────────────────────────────────────────────

    def write(self, landing: Path, now: datetime | None = None) -> list[Path]:
        """Write what waits into the landing folder; at most one file a second of each mine and kind.

        Files lie in a folder per hour, so that neither folder nor manifest grows without end.

        Raises:
            OSError: the folder cannot be written to; what waits goes on waiting.
        """
        now = now or datetime.now(UTC)
        self._plan(now)
        paths = []
        planned = self._db.execute("select number, mine, kind, stamp from file where written = 0 order by number")
        for number, mine, kind, stamp in planned.fetchall():
            paths.append(self._write_file(landing, number, mine, kind, datetime.fromisoformat(stamp)))
        self._db.execute("delete from seen where at < ?", ((now - self.remembers).timestamp(),))
        return paths

    def _plan(self, now: datetime) -> None:
        """Share what waits out among files; a name is a mine, a kind and a second."""
        stamp = now.replace(microsecond=0)
        with self._transaction():
            ready = self._db.execute("select distinct mine, kind from waiting where file is null").fetchall()
            for mine, kind in ready:
                last = self._db.execute(
                    "select stamp from file where mine = ? and kind = ? order by number desc limit 1", (mine, kind)
                ).fetchone()
                if last is not None and stamp < datetime.fromisoformat(last[0]) + _SECOND:
                    continue
                self._plan_file(mine, kind, stamp)

    def _plan_file(self, mine: str, kind: str, stamp: datetime) -> None:
        taken: list[int] = []
        records = 0
        waiting = self._db.execute(
            "select number, records from waiting where file is null and mine = ? and kind = ? order by number",
            (mine, kind),
        )
        for number, count in waiting:
            if taken and records + count > FILE_RECORDS:
                break
            taken.append(number)
            records += count
        file = self._db.execute(
            "insert into file (mine, kind, stamp, records, messages, written) values (?, ?, ?, ?, ?, 0)",
            (mine, kind, stamp.isoformat(), records, len(taken)),
        ).lastrowid
        self._db.execute(
            "update waiting set file = ? where file is null and mine = ? and kind = ? and number <= ?",
            (file, mine, kind, taken[-1]),
        )

    def _write_file(self, landing: Path, number: int, mine: str, kind: str, stamp: datetime) -> Path:
        rows = []
        for (told,) in self._db.execute("select rows from waiting where file = ? order by number", (number,)):
            rows += json.loads(told)
        folder = landing / f"{stamp:%Y%m%d%H}"
        folder.mkdir(parents=True, exist_ok=True)
        content = render(kind, mine, self.rules.mines[mine], stamp, rows)
        path = folder / file_name(kind, mine, stamp)
        if not path.exists():
            part = path.with_name(path.name + ".part")
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
            _sync(folder)
        add_to_manifest(folder, {path.name: len(rows)})
        with self._transaction():
            messages = self._db.execute("delete from waiting where file = ?", (number,)).rowcount
            self._db.execute("update file set written = 1 where number = ?", (number,))
            # The last one of a mine and kind stays: the next name must be another one.
            self._db.execute(
                "delete from file where written = 1 and mine = ? and kind = ? and number < ?", (mine, kind, number)
            )
            self._count("written", messages)
            self._count("records", len(rows))
            self._count("files")
        return path

    # ── what was done ───────────────────────────────────────────────────────────────────────────────────────────────

    def balance(self) -> Balance:
        """What became of all that was ever received."""
        total = dict(self._db.execute("select name, n from total").fetchall())
        named = ("received", "written", "duplicate", "refused", "records", "files")
        return Balance(
            **{name: total.get(name, 0) for name in named},
            waiting=self._one("select count(*) from waiting"),
            gaps=self._one("select coalesce(sum(gaps), 0) from source"),
        )

    def refusals(self, most: int = 100) -> list[tuple[str, str]]:
        """Code and reason of the newest messages that were not taken."""
        return self._db.execute("select code, why from refused order by number desc limit ?", (most,)).fetchall()

    def _count(self, name: str, n: int = 1) -> None:
        self._db.execute(
            "insert into total values (?, ?) on conflict (name) do update set n = n + excluded.n", (name, n)
        )

    def _one(self, query: str) -> int:
        return self._db.execute(query).fetchone()[0]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")


def _sync(folder: Path) -> None:
    """Make the new name last, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
