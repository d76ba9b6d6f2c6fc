"""The journal: what was written stays, what was tampered with is found, and it tells the state that is shown."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from minefusion.schemas.errors import InputError, MissingError, NotInOrderError
from minefusion.serving.alarms import events
from minefusion.serving.alarms.changes import Change
from minefusion.serving.alarms.records import Candidate
from minefusion.serving.alarms.work import RefusedError
from minefusion.serving.control_room import ControlRoom
from minefusion.serving.journal.chain import Line, chained, first_break
from minefusion.serving.journal.database import Database, open_database
from minefusion.serving.journal.head import Head, journal_head
from minefusion.serving.journal.tables import ACCOUNT, METADATA
from minefusion.serving.journal.verify import anchors_in, verify

MINE, START = "620000000001", datetime(2026, 3, 1, tzinfo=UTC)
GAS = Candidate("G-01:1", "G-01", "G-01", MINE, "face", "MN1", "MN1", 4, START, quantity="ch4")
HEAT = Candidate("H-03:1", "H-03", "H-03", MINE, "face", "TP1", "TP1", 3, START)
POSTGRES = Path("/usr/lib/postgresql")


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/state/room.db")
    yield opened
    opened.close()


@pytest.fixture
def room(database: Database) -> ControlRoom:
    return ControlRoom(database, Clock())


def some_work(room: ControlRoom) -> None:
    room.handle(events.Found((GAS, HEAT)))
    room.handle(events.Acknowledge((GAS.candidate_id,), "ann", "已知"))
    room.handle(events.PutOnHold(HEAT.candidate_id, "shelved", "标校", "ann", START + timedelta(minutes=15)))
    room.note("user.login", "ann", "", "ann", {"from": "10.0.0.1"})


# ── the chain ───────────────────────────────────────────────────────────────────────────────────────────────────────


def lines(count: int) -> list[Line]:
    changes = [Change("user.login", f"u{number}", "", "ann", note={"n": number, "名": "值"}) for number in range(count)]
    return list(chained(changes, START, Head()))


def test_a_chain_holds():
    chain = lines(5)
    assert first_break(chain) == (Head(5, chain[-1].hash), None)
    assert first_break([]) == (Head(), None)


@given(st.data())
def test_a_changed_byte_is_found_wherever_it_stands(data: st.DataObject):
    chain = lines(4)
    place = data.draw(st.integers(0, 3))
    name = data.draw(st.sampled_from(["at", "what", "subject", "mine_code", "by", "facts", "previous", "hash"]))
    was = getattr(chain[place], name)
    at = data.draw(st.integers(0, max(0, len(was) - 1)))
    changed = was[:at] + ("#" if was[at : at + 1] != "#" else "+") + was[at + 1 :]
    chain[place] = replace(chain[place], **{name: changed})
    _, broken = first_break(chain)
    assert broken is not None
    assert broken.seq in (place + 1, place + 2)


@given(st.integers(0, 4), st.integers(0, 4))
def test_a_line_left_out_or_moved_is_found(one: int, other: int):
    chain = lines(5)
    without = chain[:one] + chain[one + 1 :]
    if one < 4:
        assert first_break(without)[1] is not None
    chain[one], chain[other] = chain[other], chain[one]
    assert (first_break(chain)[1] is None) == (one == other)


def test_a_tail_made_anew_and_an_end_cut_off_are_found_by_a_head_that_was_written_down_elsewhere():
    chain = lines(5)
    anchor = Head(4, chain[3].hash)
    assert first_break(chain, [anchor, Head()])[1] is None
    other = [Change("user.login", "somebody else", "", "ann")] * 3
    anew = chain[:2] + list(chained(other, START, Head(2, chain[1].hash)))
    assert first_break(anew)[1] is None
    assert "not the one that a report names" in first_break(anew, [anchor])[1].why
    assert "a report names line 4, the journal ends at 2" in first_break(chain[:2], [anchor])[1].why


# ── the database ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_journal_tells_the_state_that_is_shown(room: ControlRoom):
    some_work(room)
    found = verify(room.database)
    assert (found.ok, found.entries, found.first_bad) == (True, room.head.seq, None)
    assert found.head == room.head


@pytest.mark.parametrize("statement", ["UPDATE journal SET by = 'eve'", "DELETE FROM journal WHERE seq = 2"])
def test_the_database_itself_refuses_to_change_a_line(room: ControlRoom, statement: str):
    some_work(room)
    with pytest.raises(DBAPIError, match="append-only"), room.database.writing() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statements", "first_bad"),
    [
        (["UPDATE journal SET by = 'eve' WHERE seq = 3"], 3),
        (["UPDATE journal SET facts = replace(facts, '已知', '未知') WHERE what = 'alarm.acknowledged'"], 7),
        (["DELETE FROM journal WHERE seq = 4"], 4),
        (['UPDATE alarm SET body = replace(body, \'"acked_by": "ann"\', \'"acked_by": "eve"\')'], None),
        (["DELETE FROM disposition"], None),
    ],
)
def test_who_gets_past_that_is_found(room: ControlRoom, statements: list[str], first_bad: int | None):
    some_work(room)
    with room.database.writing() as connection:
        for trigger in ("journal_no_update", "journal_no_delete"):
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        for statement in statements:
            assert connection.execute(text(statement)).rowcount
    found = verify(room.database)
    assert not found.ok
    assert found.first_bad == (first_bad or room.head.seq + 1)


def test_a_restart_goes_on_where_it_stopped_and_takes_nothing_twice(room: ControlRoom):
    some_work(room)
    again = ControlRoom(room.database, room.clock)
    assert again.board == room.board
    assert again.handle(events.Found((GAS, HEAT), START)) == []
    room.clock.now = START + timedelta(hours=1)
    assert next(each.what for each in again.handle(events.Tick())) == "hold.lifted"


def test_two_services_on_one_database_take_in_each_others_lines(room: ControlRoom):
    other = ControlRoom(room.database, room.clock)
    room.handle(events.Found((GAS,)))
    assert other.handle(events.Found((GAS,))) == []
    other.handle(events.Acknowledge((GAS.candidate_id,), "ben", "已知"))
    with pytest.raises(RefusedError, match="ben acknowledged"):
        room.handle(events.Acknowledge((GAS.candidate_id,), "ann", "已知"))
    assert other.board == room.board
    assert verify(room.database).ok


def test_what_is_refused_or_fails_leaves_nothing(room: ControlRoom):
    room.handle(events.Found((GAS,)))
    head, board = room.head, room.board
    with pytest.raises(RefusedError):
        room.handle(events.Acknowledge((GAS.candidate_id,), "ann"))

    def fails(_: object) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        room.note("user.created", "ben", "", "ann", {}, also=fails)
    assert (room.head, room.board) == (head, board)
    assert verify(room.database).entries == head.seq


def test_an_older_database_put_under_a_running_service_is_refused(room: ControlRoom, tmp_path: Path):
    room.handle(events.Found((GAS,)))
    room.database = open_database(f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(NotInOrderError, match="put back to an older state"):
        room.handle(events.Found((HEAT,)))


def test_lines_are_handed_on_from_memory_and_from_the_database(room: ControlRoom):
    some_work(room)
    again = ControlRoom(room.database, room.clock)
    assert again.lines_after(2) == room.lines_after(2)
    assert [each.seq for each in again.lines_after(2, most=3)] == [3, 4, 5]
    assert again.lines_after(room.head.seq) == []


KILLED = """
import os, sys
from datetime import UTC, datetime
from minefusion.serving.alarms import events
from minefusion.serving.alarms.records import Candidate
from minefusion.serving.control_room import ControlRoom
from minefusion.serving.journal.database import open_database
room = ControlRoom(open_database(sys.argv[1]), lambda: datetime(2026, 3, 1, tzinfo=UTC))
for number in range(50):
    one = Candidate(f"H-03:{number}", f"H-03:{number}", "H-03", "m", "a", f"T{number}", None, 3, room.clock())
    if number == 7:  # dies inside the transaction, after its rows were written
        room.note("user.login", "x", "", "x", {}, also=lambda _: os.kill(os.getpid(), 9))
    room.handle(events.Found((one,)))
"""


def test_killed_inside_a_transaction_all_or_nothing_is_there(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/room.db"
    done = subprocess.run([sys.executable, "-c", KILLED, url], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    database = open_database(url)
    assert verify(database).ok
    assert len(ControlRoom(database, lambda: START).board.alarms) == 7
    database.close()


def test_migrations_make_the_tables_that_the_code_names(database: Database):
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_head_is_read_without_making_a_database(tmp_path: Path, room: ControlRoom, database: Database):
    assert journal_head(f"sqlite:///{tmp_path}/none.db") is None
    assert not (tmp_path / "none.db").exists()
    some_work(room)
    assert journal_head(str(database.engine.url)) == room.head


def test_a_report_without_a_head_is_told(tmp_path: Path):
    page = tmp_path / "shift.html"
    page.write_text("<html></html>")
    with pytest.raises(InputError, match=r"the journal's head in .*shift\.html, found none"):
        anchors_in(page)


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("nonsense", InputError, "expected sqlite:///file or postgresql"),
        ("postgresql+nodriver://u:secret@h/d", InputError, r"got postgresql\+nodriver://u:\*\*\*@h/d"),
        ("postgresql://u:secret@127.0.0.1:1/d", MissingError, r"u:\*\*\*@127.0.0.1:1/d, got: "),
    ],
)
def test_a_database_that_is_none_is_told_without_its_password(url: str, error: type[Exception], said: str):
    with pytest.raises(error, match=said) as told:
        open_database(url)
    assert "secret" not in str(told.value)


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of the machine's own, for this file."""
    programs = next(iter(sorted(POSTGRES.glob("*/bin"), reverse=True)), None)
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here")
    folder = tmp_path_factory.mktemp("postgres")
    asked_as: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "nobody")
        for parent in folder.parents:
            if parent.name.startswith(("pytest-", "popen-")):
                parent.chmod(0o755)
        asked_as = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")
    make = [*asked_as, str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "room", "--no-sync", "--locale=C"]
    made = subprocess.run([*make, "-E", "UTF8"], capture_output=True, text=True, cwd=folder, check=False)
    assert made.returncode == 0, made.stderr
    options = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-k", str(folder)]
    serve = [*asked_as, str(programs / "postgres"), "-D", data, *options]
    with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True, cwd=folder) as server:
        assert server.stderr is not None
        assert any("ready to accept connections" in line for line in server.stderr)
        yield f"postgresql://room@127.0.0.1:{port}/postgres"
        server.send_signal(signal.SIGINT)  # do not wait for those who are connected


def test_the_same_on_postgresql(postgres: str):
    database = open_database(postgres)
    room, other = ControlRoom(database, Clock()), ControlRoom(database, Clock())
    some_work(room)
    assert other.handle(events.Found((GAS, HEAT))) == []
    assert ControlRoom(database, Clock()).board == room.board
    assert verify(database).ok
    assert journal_head(postgres) == room.head
    for statement in ("UPDATE journal SET by = 'eve'", "DELETE FROM journal", "TRUNCATE journal"):
        with pytest.raises(DBAPIError, match="append-only"), database.writing() as connection:
            connection.execute(text(statement))
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert connection.execute(select(ACCOUNT)).all() == []
    database.close()
