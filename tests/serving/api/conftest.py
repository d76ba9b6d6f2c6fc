"""A lake of two mines for all tests of the API, and a service over it with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from two_mines import Site, running, write


@pytest.fixture(scope="session")
def two_mines_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("two_mines"))


@pytest.fixture
def site(two_mines_lake: Path, tmp_path: Path) -> Iterator[Site]:
    """A service that a test may change as it likes."""
    with running(two_mines_lake, f"sqlite:///{tmp_path}/room.db") as started:
        yield started


@pytest.fixture(scope="module")
def shown(two_mines_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service that the tests of a file only look at."""
    with running(two_mines_lake, f"sqlite:///{tmp_path_factory.mktemp('room')}/room.db") as started:
        yield started
