"""A simulated run taken through the jobs into a lake of its own, with its truth beside it."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.jobs.build import run_job
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.simulate import simulate_mine
from minefusion.schemas.settings import Settings

START = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TrueFault:
    """A row of the truth's faults; `end` is null where the fault lasts beyond the run."""

    code: str
    entity: str
    begin: datetime
    end: datetime | None


@dataclass(frozen=True)
class BuiltRun:
    """A lake with one simulated run, and the folder of its truth."""

    engine: Engine
    truth: Path

    def faults(self) -> list[TrueFault]:
        """What instruments did wrong."""
        with (self.truth / "faults.csv").open(encoding="utf-8", newline="") as file:
            return [
                TrueFault(
                    row["code"],
                    row["entity"],
                    datetime.fromisoformat(row["begin"]),
                    datetime.fromisoformat(row["end"]) if row["end"] else None,
                )
                for row in csv.DictReader(file)
            ]


@contextmanager
def built(
    settings: Settings, scenario: str, *, hours: float, seed: int, jobs: Sequence[str], roadways: int, people: int
) -> Iterator[BuiltRun]:
    """Simulate, take in and build; lake and files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="minefusion-evaluate-") as folder:
        base = Path(folder)
        simulate_mine(
            scenario,
            hours=hours,
            seed=seed,
            out=base / "landing",
            truth=base / "truth",
            start=START,
            roadways=roadways,
            people=people,
        )
        there = replace(settings, lake=base / "lake", tables="")
        engine = open_engine(there)
        ingest(there, base / "landing", engine=engine)
        for job in jobs:
            run_job(engine, job)
        yield BuiltRun(engine, base / "truth")
