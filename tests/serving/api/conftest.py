"""A lake of two mines for all tests of the API, and a service over it with a database of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from two_mines import Site, running, write


@pytest.fixture(scope="session")
def two_mines_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("two_mines"))


@pytest.fixture(scope="session")
def started_once(two_mines_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which the users are made and the lake was looked at."""
    database = tmp_path_factory.mktemp("started") / "room.db"
    with running(two_mines_lake, database):
        pass
    return database


@pytest.fixture
def site(two_mines_lake: Path, started_once: Path, tmp_path: Path) -> Iterator[Site]:
    """A service that a test may change as it likes."""
    with running(two_mines_lake, Path(shutil.copy(started_once, tmp_path / "room.db"))) as started:
        yield started


@pytest.fixture(scope="module")
def shown(two_mines_lake: Path, started_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service that the tests of a file only look at."""
    copy = shutil.copy(started_once, tmp_path_factory.mktemp("room") / "room.db")
    with running(two_mines_lake, Path(copy)) as started:
        yield started
