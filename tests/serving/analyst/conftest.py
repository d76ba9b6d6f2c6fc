"""A service over the random mine, for all tests of the analysts' part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import random_mine
from two_mines import Site, running


@pytest.fixture(scope="session")
def random_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_mine.write(tmp_path_factory.mktemp("random_mine"))


@pytest.fixture(scope="session")
def desk(random_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Tests only look at it. Its clock has gone through the span, so that alarms came as they happened."""
    database = tmp_path_factory.mktemp("desk") / "room.db"
    with running(random_lake, database, now=random_mine.BEGIN) as started:
        while started.clock.now < random_mine.END:
            started.beat(minutes=30)
        started.service.index_names = {"G-01": ("甲烷超限", "methane exceedance")}
        yield started
