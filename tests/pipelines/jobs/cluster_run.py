"""A driver on a Spark cluster, in a process of its own: `python cluster_run.py LAKE LANDING JOBS INDICES KEPT`.

Takes the landing folder in and builds these jobs with these indices alone. It says KEPT_NOW on stdout when it has kept
so many frames on the workers, and goes on.
"""

from __future__ import annotations

import sys
from pathlib import Path

import narwhals as nw

from minefusion.pipelines.engines.spark import SparkEngine
from minefusion.pipelines.jobs import hazard
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas.settings import load_settings

KEPT_NOW = "kept"


class Counting(SparkEngine):
    """The engine, which tells how much of it lies on the workers."""

    kept = 0
    tells_at = 0

    def cached(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        rows = super().cached(frame)
        self.kept += 1
        if self.kept == self.tells_at:
            print(KEPT_NOW, flush=True)
        return rows


def main(lake: str, landing: str, jobs: str, indices: str, kept: str) -> None:
    hazard.CATALOGUE = [each for each in hazard.CATALOGUE if each[0].id in indices.split(",")]
    engine = Counting(load_settings(lake=Path(lake)))
    engine.tells_at = int(kept)
    ingest(engine.settings, Path(landing), engine=engine)
    build(engine, selection=jobs)


if __name__ == "__main__":
    main(*sys.argv[1:])
