"""What is true of a simulated run, written beside its exchange files so that every finding can be checked.

Files in the truth folder; instants are ISO 8601 UTC, an end that lies beyond the run is empty:

- `scenario.json`: the arguments, the mine, and `drives`: the indices that the scenario takes to level 2 or more.
- `events.csv`: what was made to happen. event_id, effects (joined by +), place, area_id, begin, end.
- `findings.csv`: what a perfect observer finds. finding_id, event_id (empty: found in the true values alone), index_id,
  area_id, entity (point, area or door pair; empty where neither fits), begin, end, peak, limit, unit, level (that it
  reaches at least), is_sure. Most come from the true air (G-01, G-02, T-01, T-04, F-10 and V-02 at each point, V-01 at
  each face and heading) and from the true places of the people (P-01, P-02, and P-03, also where methane has reached
  the power-cut value): one row per stay beyond a limit, ended by one minute back inside. The rest is the scenario's own
  word. `is_sure` 1 must be found; 0 may be: it is barely beyond the limit, or for less than two minutes. What an index
  finds that no row here covers, within a few minutes, is a false finding.
- `faults.csv`: what instruments did wrong. code (calibration, calibration_unflagged, stuck, dropout,
  substation_outage, late_batch), entity (point or substation), begin, end.
- `places.csv`: true place of every point, substation and station. what, code, area_id, edge_id, chainage_m.
- `state.parquet`: point_id, observed_at (true time, without the clock error), true_value, value (as sent, null where
  none), status; every 30 s.
- `fixes.parquet`: card_code, observed_at, in_out_flag, area_id, edge_id, chainage_m: true place of every fix sent.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from minefusion.pipelines.simulate.air import STEP_S
from minefusion.pipelines.simulate.instruments import Fault, Floats
from minefusion.pipelines.simulate.run import Run
from minefusion.pipelines.simulate.true_findings import event_area, findings

SAMPLED_S = 30
FINDING = (
    "finding_id", "event_id", "index_id", "area_id", "entity", "begin", "end", "peak", "limit", "unit", "level",
    "is_sure",
)  # fmt: skip


def write_truth(run: Run, arguments: Mapping[str, Any], folder: Path) -> None:
    """Write all files of the run."""
    folder.mkdir(parents=True, exist_ok=True)
    site = run.layout.site
    about = {
        "about_zh": run.scenario.about_zh,
        "about_en": run.scenario.about_en,
        "drives": list(run.scenario.drives),
        **arguments,
        "mine_code": site.mine_code,
        "mine_name_zh": site.name_zh,
        "mine_name_en": site.name_en,
        "points": len(run.instruments.points),
        "cards": len(run.crew.people),
    }
    (folder / "scenario.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    events = [
        (e.event_id, "+".join(e.effects), e.place, event_area(run.layout, e), *_span(run, e.onset_s, e.end_s))
        for e in run.events
    ]
    _table(folder / "events.csv", ("event_id", "effects", "place", "area_id", "begin", "end"), events)
    found = [
        (
            f"T{number:03d}", f.event_id, f.index_id, f.area_id, f.entity, *_span(run, f.begin_s, f.end_s),
            None if f.peak is None else round(f.peak, 4), f.limit, f.unit, f.level, int(f.is_sure),
        )
        for number, f in enumerate(findings(run), start=1)
    ]  # fmt: skip
    _table(folder / "findings.csv", FINDING, found)
    faults = [(f.code, f.entity, *_span(run, f.begin * STEP_S, _open(f, run.steps))) for f in run.observed.faults]
    _table(folder / "faults.csv", ("code", "entity", "begin", "end"), faults)
    _table(folder / "places.csv", ("what", "code", "area_id", "edge_id", "chainage_m"), _places(run))
    _state(run).write_parquet(folder / "state.parquet", statistics=False)
    _fixes(run).write_parquet(folder / "fixes.parquet", statistics=False)


def _open(fault: Fault, steps: int) -> float | None:
    return fault.end * STEP_S if fault.end < steps else None


def _span(run: Run, begin_s: float, end_s: float | None) -> tuple[str, str]:
    return run.instant(begin_s).isoformat(), "" if end_s is None else run.instant(end_s).isoformat()


def _table(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def _places(run: Run) -> Iterator[tuple[str, str, str, str, float]]:
    edges = run.layout.edges
    placed: tuple[tuple[str, Sequence[Any]], ...] = (
        ("point", run.instruments.points),
        ("substation", run.instruments.substations),
        ("station", run.stations),
    )
    for what, things in placed:
        for thing in things:
            edge = edges[thing.edge]
            yield what, thing.code, edge.area_id, edge.edge_id, thing.chainage_m


def _instants(run: Run, step: NDArray[np.intp]) -> pl.Series:
    second = pl.Series(step.astype(np.int64) * STEP_S * 1_000_000).cast(pl.Duration("us"))
    return (second + run.start.replace(tzinfo=None)).dt.replace_time_zone("UTC")


def _state(run: Run) -> pl.DataFrame:
    steps = np.arange(0, run.steps, SAMPLED_S // STEP_S)
    codes = pl.Series([point.code for point in run.instruments.points])
    step, number = np.repeat(steps, len(codes)), np.tile(np.arange(len(codes)), len(steps))

    def plain(values: Floats) -> pl.Series:
        return pl.Series(values[steps].ravel().astype(np.float32), nan_to_null=True)

    return pl.DataFrame(
        {
            "point_id": codes.gather(number),
            "observed_at": _instants(run, step),
            "true_value": plain(run.observed.true),
            "value": plain(run.monitored.value),
            "status": run.monitored.status[steps].ravel(),
        }
    )


def _fixes(run: Run) -> pl.DataFrame:
    fixes, edges = run.fixes, run.layout.edges
    return pl.DataFrame(
        {
            "card_code": pl.Series([p.card for p in run.crew.people], dtype=pl.String).gather(fixes.person),
            "observed_at": _instants(run, fixes.step),
            "in_out_flag": fixes.flag.astype(np.int8),
            "area_id": pl.Series([edge.area_id for edge in edges]).gather(fixes.edge),
            "edge_id": pl.Series([edge.edge_id for edge in edges]).gather(fixes.edge),
            "chainage_m": fixes.chainage_m,
        }
    )
