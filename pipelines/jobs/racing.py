"""What a job does when another writer was faster."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from minefusion.pipelines.engines.engine import BeatenError, Engine

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
_TRIES = 10


def until_unbeaten(engine: Engine, job: Callable[[], _T]) -> _T:
    """Run the job; where another writer changed a table first, begin anew from what the tables hold now.

    The lock keeps writers of one machine apart. This is for those on other machines, and for an orphan of a scheduler.
    """
    for attempt in range(_TRIES):
        try:
            return job()
        except BeatenError as error:
            logger.info("%s; beginning anew", error)
            engine.release()
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("unreachable")
