"""The lake that the tests of serving read."""

from __future__ import annotations

import pytest
from literal_shift import SHIFT, write

from minefusion.serving.reader import Reader


@pytest.fixture(scope="session")
def shift_lake(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A lake that holds the literal shift."""
    return write(tmp_path_factory.mktemp("shift"), SHIFT)
