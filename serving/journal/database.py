"""The database of what people change: SQLite in a file, or PostgreSQL by the setting `database`.

Alembic makes it and brings it up to date when it is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, make_url, select, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from minefusion.schemas.errors import InputError, MissingError
from minefusion.serving.journal.head import Head
from minefusion.serving.journal.tables import JOURNAL

# Any number, the same for every writer: PostgreSQL lets one of them in at a time.
_WRITERS = 20_201_181
_BUSY_S = 10


class Database:
    """One database; any number of readers, one writer at a time over all processes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that no other writer overlaps: all of it is kept, or nothing."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            if self.engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS})
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str) -> Database:
    """The database at `url`, made where there is none, with all migrations done.

    Raises:
        InputError: the address is none.
        MissingError: its driver is missing, or nothing answers there.
    """
    database = Database(_engine(url))
    try:
        with database.writing() as connection:
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except OperationalError as error:
        raise MissingError(f"expected a database at {_shown(url)}, got: {_first_line(error)}") from None
    return database


def head_of(connection: Connection) -> Head:
    newest = connection.execute(select(JOURNAL.c.seq, JOURNAL.c.hash).order_by(JOURNAL.c.seq.desc()).limit(1)).first()
    return Head(*newest) if newest else Head()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(parsed, connect_args={"timeout": _BUSY_S})
            event.listen(engine, "connect", _on_connect)
            event.listen(engine, "begin", _on_begin)
            return engine
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg2")
        return create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError):
        raise InputError(f"expected sqlite:///file or postgresql://… as database, got {_shown(url)}") from None
    except ModuleNotFoundError as error:
        raise MissingError(
            f"expected the driver of {_shown(url)}, {error.name} is not installed: pip install 'minefusion[servers]'"
        ) from None


def _on_connect(connection: Any, _: Any) -> None:
    """SQLite: transactions are begun by us, many read while one writes, and what is committed is on the disk."""
    connection.isolation_level = None
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}")


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _shown(url: str) -> str:
    """The address without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "an address that is none"


def _first_line(error: OperationalError) -> str:
    return str(error.orig).splitlines()[0]
