"""Gold from gold: what all indices come to together (X-*), and the risk tier of each area and hour."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import narwhals as nw
import polars as pl

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.hazard.catalogue import COMPOSITE_IDS, INDICES
from minefusion.pipelines.hazard.composed import Composed
from minefusion.pipelines.hazard.composite import (
    X_01,
    Background,
    Danger,
    background,
    composites,
    hour_findings,
    risk_tiers,
)
from minefusion.pipelines.jobs.due import Steps, Work
from minefusion.pipelines.jobs.gold_inputs import Computed, Master, places_of, sites_in
from minefusion.pipelines.jobs.new_files import collected
from minefusion.pipelines.jobs.trends import TREND_STEPS
from minefusion.schemas import gold, silver
from minefusion.schemas.window import Window

# The application under which the composite indices count what they have used up, beside the others at their table.
COMPOSITE = "composite"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The longest month; weights rest on the month before.
MONTH = timedelta(days=31)
# A hidden danger that was told longer ago is forgotten.
DANGERS_SINCE = timedelta(days=400)
# A change moves the weights of the month after it.
COMPOSITE_STEPS = Steps(
    HOUR, HOUR, only_passed=True, after=2 * MONTH, bridged=TREND_STEPS.bridged, piece=TREND_STEPS.piece
)
HIDDEN_DANGER = "hidden_danger"

_MINUTES_OF = {index.id: index.minutes for index in INDICES if index.id not in COMPOSITE_IDS}


def composite(engine: Engine, work: Work, master: Master) -> Iterator[Computed]:
    """First X-01, which the weights of the months to come rest on; then the others."""
    window, mines = work.window, work.mines
    composed = _composed(engine, work, master)
    findings = engine.cached(hour_findings(composed, _MINUTES_OF))
    is_first = nw.col("index_id") == X_01.id
    plain = {mine: background(composed.sites[mine], (), ()) for mine in mines}
    part = engine.part(gold.HAZARD_INDEX, window=window, mines=mines)
    yield composites(composed, findings, plain).filter(is_first), part.filter(is_first)
    grounds = _backgrounds(engine, work, composed)
    part = engine.part(gold.HAZARD_INDEX, window=window, mines=mines)
    others = nw.col("index_id").is_in([each for each in COMPOSITE_IDS if each != X_01.id])
    yield composites(composed, findings, grounds).filter(others), part.filter(others)


def risk_tier(engine: Engine, work: Work, master: Master) -> Iterator[Computed]:
    """One row per area and hour."""
    composed = _composed(engine, work, master)
    rows = risk_tiers(composed, hour_findings(composed, _MINUTES_OF), _backgrounds(engine, work, composed))
    yield rows, engine.part(gold.RISK_TIER, window=work.window, mines=work.mines)


def _composed(engine: Engine, work: Work, master: Master) -> Composed:
    window, mines = work.window, work.mines
    # An index over a day tells of the day after it, and its window begins a day before that; sudden rises are against
    # the hour before.
    indices = engine.read(gold.HAZARD_INDEX, window=window.widened(before=2 * DAY + HOUR), mines=mines)
    headcount = engine.read(silver.HEADCOUNT, window=window, mines=mines)
    sites = sites_in(engine, mines)
    return Composed(
        indices=indices.filter(~nw.col("index_id").is_in(list(COMPOSITE_IDS))),
        headcount=engine.with_epoch(headcount, "observed_at", "observed_us"),
        **places_of(engine, window, mines, master),
        sites=sites,
        window=window,
        grouped=engine.grouped,
        frame=engine.frame,
        cached=engine.cached,
    )


def _backgrounds(engine: Engine, work: Work, composed: Composed) -> dict[str, Background]:
    """What holds for each mine: its comparison, the entropy of the month before, its graded risks and dangers."""
    window = work.window
    since = (window.start.replace(day=1) - DAY).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = engine.read(gold.HAZARD_INDEX, window=Window(since, window.end), mines=work.mines)
    rows = rows.filter(nw.col("index_id") == X_01.id).select("mine_code", "area_id", "window_start", "inputs")
    days = _highest_of_days(collected(engine, rows))
    records = engine.read(silver.FIELD_RECORD, window=window.widened(before=DANGERS_SINCE), mines=work.mines)
    dangers = _dangers(collected(engine, records.filter(nw.col("kind") == HIDDEN_DANGER)))
    return {mine: background(composed.sites[mine], days.get(mine, ()), dangers.get(mine, ())) for mine in work.mines}


def _highest_of_days(rows: pl.DataFrame) -> dict[str, list[tuple[str, Mapping[str, float]]]]:
    """Mine → (month that follows, group → highest share) of each area and day."""
    highest: dict[tuple[str, str, datetime], dict[str, float]] = {}
    for mine, area, start, inputs in rows.iter_rows():
        shares = json.loads(inputs)["by"]
        shares.pop("completeness", None)
        of_day = highest.setdefault((mine, area, start.replace(hour=0)), {})
        for group, share in shares.items():
            of_day[group] = max(of_day.get(group, 0.0), share)
    found: dict[str, list[tuple[str, Mapping[str, float]]]] = {}
    for (mine, _, day), shares in sorted(highest.items(), key=lambda item: item[0]):
        month = (day.replace(day=1) + MONTH).replace(day=1)
        found.setdefault(mine, []).append((f"{month:%Y-%m}", shares))
    return found


def _dangers(rows: pl.DataFrame) -> dict[str, Sequence[Danger]]:
    """Mine → its hidden dangers, from the quantities is_major, due_days and closed_after_days of their records."""
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows.sort("mine_code", "record_id", "quantity").iter_rows(named=True):
        facts = told.setdefault((row["mine_code"], row["record_id"]), {"area_id": row["area_id"]})
        facts[row["quantity"]] = row["value"]
        facts["opened_at"] = min(row["measured_at"], facts.get("opened_at", row["measured_at"]))
    found: dict[str, list[Danger]] = {}
    for (mine, _), facts in told.items():
        opened, closed = facts["opened_at"], facts.get("closed_after_days")
        danger = Danger(
            facts["area_id"],
            opened,
            opened + DAY * (facts.get("due_days") or 0.0),
            None if closed is None else opened + DAY * closed,
            bool(facts.get("is_major")),
        )
        found.setdefault(mine, []).append(danger)
    return dict(found)
