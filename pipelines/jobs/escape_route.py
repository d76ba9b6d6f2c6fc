"""Silver and the fire indices → gold.escape_route: everybody's way out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import narwhals as nw

from minefusion.pipelines.conform.readings import is_usable
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.jobs.due import Work
from minefusion.pipelines.jobs.gold_inputs import Computed, Master, make_inputs
from minefusion.pipelines.jobs.person_key import person_key
from minefusion.pipelines.routes.answers import escape_routes
from minefusion.pipelines.routes.facts import FIRE_INDEX, ROADWAY
from minefusion.schemas import gold, silver

# A roadway that was closed longer ago than this has to be told again.
CLOSED_SINCE = timedelta(days=400)


def escapes(engine: Engine, work: Work, master: Master) -> Iterator[Computed]:
    """One row per person and minute that is told of."""
    window, mines = work.window, work.mines
    inputs = make_inputs(engine, window, mines, master)
    indices = engine.read(gold.HAZARD_INDEX, window=window, mines=mines).filter(nw.col("index_id") == FIRE_INDEX)
    records = engine.read(silver.FIELD_RECORD, window=window.widened(before=CLOSED_SINCE), mines=mines)
    records = records.filter(nw.col("kind") == ROADWAY).with_columns(
        is_usable(nw.col("quality"), nw.col("quality_reasons")).alias("usable")
    )
    records = engine.cached(engine.with_epoch(records, "measured_at", "observed_us"))
    rows = escape_routes(inputs, indices, records, person_key(engine.settings))
    yield rows, engine.part(gold.ESCAPE_ROUTE, window=window, mines=mines)
