"""Methane alarms ahead of silver are the alarm job's own, row by row, at every moment."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from small_mine import definitions, point_code, values

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.hazard import run_gold
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.jobs.stream import gas_watch
from minefusion.pipelines.jobs.stream.gas_watch import GasWatch
from minefusion.schemas import gold

POINTS = [point_code(number) for number in (1, 2, 3)]
A, B, C = POINTS
# Minutes that were fed before, a value each half of one.
FED = 12
TO_ALARMS = "conform,hazard_index,alarm"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only grows is written at once, too."""
    monkeypatch.setattr(gas_watch, "SECONDS_BETWEEN_UPDATES", 0.0)


def methane_alarms(engine: LightEngine) -> pl.DataFrame:
    rows = pl.DataFrame(pl.from_arrow(engine.to_arrow(engine.read(gold.ALARM))))
    return rows.filter(pl.col("kind") == "G-01").drop("revision", "computed_at").sort("alarm_id")


class Twins:
    """A lake that the gas watch keeps, and one that the jobs do, fed alike."""

    def __init__(self, engines: Callable[[str], LightEngine], landing: Path) -> None:
        self.watched, self.batch, self.landing = engines("watched"), engines("batch"), landing
        self.watch = GasWatch(self.watched)

    def take(self, engine: LightEngine) -> None:
        ingest(engine.settings, self.landing, engine=engine)

    def begin(self) -> None:
        self.take(self.watched)
        build(self.watched, selection=TO_ALARMS)
        self.watch.begin()

    def look(self) -> None:
        self.take(self.watched)
        self.watch.look()

    def settle(self) -> None:
        build(self.watched, selection="conform,hazard_index")
        run_gold(self.watched, self.watch.alarm_job())

    def are_equal(self) -> bool:
        self.take(self.batch)
        build(self.batch, selection=TO_ALARMS)
        one, other = methane_alarms(self.watched), methane_alarms(self.batch)
        assert one["alarm_id"].to_list() == other["alarm_id"].to_list()
        for column in one.columns:
            assert (column, one[column].to_list()) == (column, other[column].to_list())
        return True


@pytest.fixture
def twins(engines: Callable[[str], LightEngine], landing: Path) -> Twins:
    definitions(landing, 0, *({"point_code": point} for point in POINTS))
    # Enough of them that the feed's period is known and stays what it is.
    for half in range(2 * FED):
        values(landing, half / 2, dict.fromkeys(POINTS, 0.3))
    made = Twins(engines, landing)
    made.begin()
    return made


def test_the_second_sample_at_the_limit_raises_and_a_minute_below_clears(twins: Twins, landing: Path):
    seen = []
    for number, value in enumerate([0.9, 1.0, 1.2, 1.7, 0.9, 0.8, 0.7]):
        values(landing, FED + number / 2, {A: value, B: 0.3})
        twins.look()
        rows = methane_alarms(twins.watched)
        seen.append([(row["level"], row["peak_value"], row["cleared_at"] is None) for row in rows.to_dicts()])
    assert seen == [[], [], [(3, 1.2, True)], [(4, 1.7, True)], [(4, 1.7, True)], [(4, 1.7, False)], [(4, 1.7, False)]]
    assert twins.are_equal()


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_comes_in_order_the_alarms_are_those_of_the_jobs(twins: Twins, landing: Path, seed: int):
    """Values around the limit, silence, status bits (calibration, over range, fault) and whole hours without a word."""
    chance = random.Random(seed)
    minute = float(FED)
    for step in range(36):
        of_point = {
            point: chance.choice([None, 0.2, 0.2, 0.97, 1.0, 1.2, 1.6, 4.0])
            for point in POINTS
            if chance.random() < 0.9
        }
        values(landing, minute, of_point, status=chance.choice([0] * 8 + [4, 8, 16, 128]))
        minute += chance.choice([0.5] * 20 + [1, 4, 31, 64])
        if step % 4 == 3:
            twins.look()
        if step % 24 == 11:
            assert twins.are_equal()
            twins.settle()
            assert twins.are_equal()
        if step == 26:
            twins.watch = GasWatch(twins.watched)
            twins.watch.begin()
    twins.look()
    assert twins.are_equal()


def test_a_point_that_stands_still_beside_one_that_moves_is_judged_as_silver_judges_it(twins: Twins, landing: Path):
    """Its low samples do not count, so that one at the limit before them and one after are neighbours."""
    for half in range(2 * FED, 90):
        values(landing, half / 2, {A: 0.5, B: 0.2 + 0.05 * (half % 5)})
    twins.look()
    for number, value in enumerate((0.5, 1.1, 0.5, 0.5, 1.1, 1.1)):
        values(landing, 46 + number / 2, {A: value, B: 0.3})
        twins.look()
    assert twins.are_equal()


def test_what_came_late_is_left_to_the_job_and_then_known(twins: Twins, landing: Path):
    values(landing, FED + 0.5, {A: 1.1})
    values(landing, FED + 1.5, {A: 1.1})
    twins.look()
    values(landing, FED + 1, {A: 0.2}, sent=FED + 2)  # it lies between the two that raised the alarm
    values(landing, FED, {A: 1.3}, sent=FED + 2.5)
    twins.look()
    assert twins.watch.is_outdated()
    twins.settle()
    assert twins.are_equal()
    twins.watch.begin()
    assert not twins.watch.is_outdated()
    values(landing, FED + 3, {A: 1.2})
    twins.look()
    assert twins.are_equal()


def test_the_job_takes_nothing_back_that_silver_does_not_know_yet(twins: Twins, landing: Path):
    for half in (0, 1):
        values(landing, FED + half / 2, {A: 1.1})
    twins.look()
    build(twins.watched, selection="conform,hazard_index")
    for half, value in ((2, 1.8), (3, 0.2), (4, 0.2), (5, 0.2)):
        values(landing, FED + half / 2, {A: value})
        twins.look()
    before = methane_alarms(twins.watched)
    assert [(row["peak_value"], row["cleared_at"] is None) for row in before.to_dicts()] == [(1.8, False)]
    run_gold(twins.watched, twins.watch.alarm_job())
    assert methane_alarms(twins.watched).to_dicts() == before.to_dicts()


def test_a_new_limit_makes_the_watch_begin_anew(twins: Twins, landing: Path):
    definitions(landing, FED, {"point_code": A, "alarm_high": 0.8, "restore_high": 0.8})
    twins.look()
    twins.settle()
    assert twins.watch.is_outdated()
    twins.watch.begin()
    for half in (1, 2):
        values(landing, FED + half / 2, {A: 0.9})
    twins.look()
    assert len(methane_alarms(twins.watched)) == 1
    assert twins.are_equal()
