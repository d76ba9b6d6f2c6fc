"""Small runs that several files look at, each made once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import pytest

from minefusion.pipelines.simulate.run import Run, run_mine
from minefusion.pipelines.simulate.scenario import load_scenario

# Nine o'clock at the mine: the morning shift is at work.
NINE = datetime(2026, 3, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def a_run() -> Callable[[str], Run]:
    """Two and a half hours of a scenario in a mine of 33 roadways with shifts of 60; as it is itself where it is longer
    than a shift."""

    @cache
    def of(scenario: str) -> Run:
        asked = load_scenario(scenario)
        if asked.hours > 8 and asked.events and "safety" in asked.feeds:
            size = {"seconds": asked.hours * 3600, "roadways": asked.roadways, "people": asked.people}
        else:
            size = {"seconds": 9000.0, "roadways": 33, "people": 60}
        return run_mine(asked, seed=5, start=NINE, **size)

    return of
