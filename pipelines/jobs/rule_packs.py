"""Records of a plant → gold.hazard_index: the rules of the packs that its site file names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import narwhals as nw

from minefusion.pipelines.conform.readings import is_usable
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.jobs.gold_inputs import Computed
from minefusion.pipelines.rules.facts import SOURCES
from minefusion.pipelines.rules.findings import rule_findings, site_rules
from minefusion.schemas import gold, silver
from minefusion.schemas.rules import packs, rules_of
from minefusion.schemas.window import Window

# A state that was told longer ago than this has to be told again.
STATES_SINCE = timedelta(hours=24)


def rule_rows(engine: Engine, inputs: Inputs, window: Window, mines: Sequence[str]) -> Iterator[Computed]:
    """Rows of the rules of those mines that have a pack; nothing where none has."""
    applied = site_rules({mine: inputs.sites.get(mine) for mine in mines})
    if not applied:
        return
    records = engine.read(silver.FIELD_RECORD, window=inputs.window.widened(before=STATES_SINCE), mines=sorted(applied))
    records = records.filter(nw.col("kind").is_in(list(SOURCES))).with_columns(
        is_usable(nw.col("quality"), nw.col("quality_reasons")).alias("usable")
    )
    records = engine.cached(engine.with_epoch(records, "measured_at", "observed_us"))
    ids = [rule.rule_id for pack in packs() for rule in rules_of(pack)]
    part = engine.part(gold.HAZARD_INDEX, window=window, mines=sorted(applied))
    yield rule_findings(inputs, records, applied), part.filter(nw.col("index_id").is_in(ids))
