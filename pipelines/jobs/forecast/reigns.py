"""Which version of a model is asked at which instants of a span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.jobs.forecast.champions import Champions
from minefusion.pipelines.jobs.forecast.model_files import ModelFiles
from minefusion.pipelines.jobs.new_files import collected
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Reign:
    """A span [µs since 1970] in which one version is asked: from `start_us`, before `end_us`."""

    version: str
    files: ModelFiles
    start_us: int
    end_us: int


def reigns_of(
    engine: Engine, table: Table, window: Window, mines: Sequence[str], champions: Champions, step: timedelta
) -> dict[str, tuple[Reign, ...]]:
    """The reigns of each mine over the window, without a gap.

    An instant that was forecast before keeps its version, so that late data and a backfill change what the data
    changes and nothing else. Any other instant asks the champion of then.

    Args:
        table: holds the forecasts; its time is that of issue, at whole steps.
    """
    assert table.time is not None
    rows = engine.in_process.read(table, window=window, mines=mines)
    told = collected(engine.in_process, rows.select("mine_code", table.time, "model_version").unique())
    before = {(mine, at): version for mine, at, version in told.iter_rows()}
    instants = [window.start + place * step for place in range(-((window.start - window.end) // step))]
    found: dict[str, tuple[Reign, ...]] = {}
    for mine in mines:
        asked = [(before.get((mine, at)) or champions.at(at), at) for at in instants]
        reigns = []
        for version, some in groupby(asked, key=lambda each: each[0]):
            of = [at for _, at in some]
            files = champions.files(version)
            reigns.append(Reign(version, files, microseconds(of[0]), microseconds(of[-1] + step)))
        found[mine] = tuple(reigns)
    return found


def microseconds(instant: datetime) -> int:
    """Since 1970."""
    return (instant - EPOCH) // MICROSECOND
