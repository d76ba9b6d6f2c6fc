"""What the tests of the command share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from minefusion.cli import call


@pytest.fixture(autouse=True)
def fresh_call() -> Iterator[None]:
    """Each test is a command line of its own, and leaves our logger as it was."""
    logger = logging.getLogger("minefusion")
    before = (logger.handlers, logger.propagate, logger.level)
    vars(call.call).update(vars(call.Call()))
    call.settings.cache_clear()
    yield
    vars(call.call).update(vars(call.Call()))
    call.settings.cache_clear()
    logger.handlers, logger.propagate = before[:2]
    logger.setLevel(before[2])
