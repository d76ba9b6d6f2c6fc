"""Indices reach yellow or worse in the scenario that their page names, from exchange files to gold.

Run here are the scenarios that cost little: those that last no time of their own, for two hours in a small mine, and
the long ones of CHEAP. They share two lakes, since a lake costs more than a mine, and in each mine only what its
scenario is to drive is computed. The days and months that the others take are proved by `python -m minefusion.pictures
--check`, which runs every scenario at its own length; the level that each index reached there is kept in its picture,
and tests/pipelines/hazard/test_pages.py holds every one of those to the same demand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from minefusion.pictures import jobs_for
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.catalogue import INDICES
from minefusion.pipelines.hazard.rows import YELLOW, Index
from minefusion.pipelines.jobs.build import run_job
from minefusion.pipelines.jobs.hazard import run_gold
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.simulate import layout, simulate_mine
from minefusion.pipelines.simulate.plant import PLANT, simulate_plant
from minefusion.pipelines.simulate.scenario import Scenario, load_scenario
from minefusion.schemas.settings import load_settings
from minefusion.schemas.window import Window
from minefusion.serving.reader import Reader

SEED = 5
# Nine o'clock at the mine: the morning shift is at work.
START = datetime(2026, 3, 1, 1, tzinfo=UTC)
SHIFT_H, PLANT_H, ROADWAYS, PEOPLE = 2.0, 2.5, 33, 20
# Long scenarios that run here, and in how many hours each shows what it drives.
CHEAP = {
    "air_leak": 3.0,
    "conveyor_slip": 5.0,
    "hot_face": 5.0,
    "overdue_danger": 30.0,
    "pressure_front": 12.0,
    "recirculation": 3.0,
    "toxic_gas": 12.0,
}


def is_short(scenario: str) -> bool:
    """Whether it lasts no time of its own."""
    if ":" in scenario:
        return True
    asked = load_scenario(scenario)
    return (asked.hours, asked.roadways) == (Scenario.hours, Scenario.roadways)


DRIVEN = [
    index for index in INDICES if not index.without_scenario and (is_short(index.scenario) or index.scenario in CHEAP)
]


def hours_of(scenario: str) -> float:
    return PLANT_H if ":" in scenario else CHEAP.get(scenario, SHIFT_H)


@dataclass
class Lake:
    """Scenarios in one lake: the mine of each, and the worst level of each of its indices."""

    base: Path
    mines: dict[str, str] = field(default_factory=dict)

    def land(self, scenario: str) -> None:
        """The exchange files of the scenario, of a mine of its own."""
        plant, _, name = scenario.rpartition(":")
        mine = PLANT if plant else f"62000000{len(self.mines) + 1:04d}"
        self.mines[scenario] = mine
        there = {"out": self.base / mine, "truth": self.base / f"{mine}.truth", "seed": SEED, "start": START}
        if plant:
            simulate_plant(name, hours=PLANT_H, **there)
            return
        size = {"roadways": ROADWAYS, "people": PEOPLE} if is_short(name) else {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(layout, "MINE_CODE", mine)
            simulate_mine(name, hours=hours_of(name), **size, **there)

    def build(self) -> None:
        settings = load_settings(lake=self.base / "lake")
        engine = LightEngine(settings)
        for mine in self.mines.values():
            ingest(settings, self.base / mine, engine=engine)
        run_job(engine, "conform")
        for scenario, mine in self.mines.items():
            window = Window(START, START + timedelta(hours=hours_of(scenario)))
            for job in jobs_for(scenario):
                run_gold(engine, job, window=window, mines=[mine])

    def worst(self) -> dict[tuple[str, str], int | None]:
        rows = Reader(self.base / "lake").sql(
            "select mine_code, index_id, max(level) as worst from gold.hazard_index group by mine_code, index_id"
        )
        return {(row["mine_code"], row["index_id"]): row["worst"] for row in rows}


@pytest.fixture(scope="module")
def reached(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Index], int | None]:
    """The worst level of an index in its scenario's mine."""

    @cache
    def lake(short: bool) -> tuple[Lake, dict[tuple[str, str], int | None]]:
        made = Lake(tmp_path_factory.mktemp("driven"))
        for scenario in dict.fromkeys(index.scenario for index in DRIVEN):
            if is_short(scenario) == short:
                made.land(scenario)
        made.build()
        return made, made.worst()

    def worst(index: Index) -> int | None:
        made, levels = lake(is_short(index.scenario))
        return levels.get((made.mines[index.scenario], index.id))

    return worst


@pytest.mark.parametrize("index", sorted(DRIVEN, key=lambda each: is_short(each.scenario)), ids=lambda each: each.id)
def test_a_scenario_takes_the_index_to_yellow_or_worse(index: Index, reached: Callable[[Index], int | None]):
    level = reached(index)
    assert level is not None, "no value at all"
    assert level >= YELLOW
