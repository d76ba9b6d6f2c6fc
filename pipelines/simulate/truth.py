"""What is true of a simulated run, written beside its exchange files so that every finding can be checked.

Files in the truth folder; instants are ISO 8601 UTC, an end that lies beyond the run is empty:

- `scenario.json`: the arguments, the mine, and `drives`: the indices that the scenario takes to level 2 or more.
- `events.csv`: what was made to happen, and what happens by itself and only looks like a hazard: doors that people
  pass, blasts, calibrations, faults of sensors. event_id, effects (joined by +), place, area_id, begin, end, type,
  severity (1 slight … 4 grave, 0 none), precursor_begin (empty: it comes without warning), cause, is_look_alike.
- `findings.csv`: what a perfect observer finds. finding_id, event_id (empty: found in the true values alone), index_id,
  area_id, entity (point, area or door pair; empty where neither fits), begin, end, peak, limit, unit, level (that it
  reaches at least), is_sure. Most come from the true air (G-01, G-02, T-01, T-04, F-10 and V-02 at each point, V-01 at
  each face and heading) and from the true places of the people (P-01, P-02, and P-03, also where methane has reached
  the power-cut value): one row per stay beyond a limit, ended by one minute back inside. The rest is the scenario's own
  word. `is_sure` 1 must be found; 0 may be: it is barely beyond the limit, or for less than two minutes, or follows
  from an event. What an index finds that no row here covers, within a few minutes, is a false finding.
- `faults.csv`: what instruments did wrong. code (one of `faults.CODES`), entity (point, device or substation), begin,
  end, size and other (as in `faults.Fault`).
- `places.csv`: true place of every point, substation and station. what, code, area_id, edge_id, chainage_m.
- `state.parquet`: point_id, observed_at (true time, without the clock error), true_value, value (as sent, null where
  none), status; every 30 s.
- `devices.parquet`: the same of the other feeds' devices at each of their samples: entity, quantity, observed_at,
  true_value, value.
- `shocks.csv`: true microseismic events. at, area_id, magnitude, energy_j, moment_nm, is_blast, event_id (of the event
  that it announces, is or follows).
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
from minefusion.pipelines.simulate.faults import Fault
from minefusion.pipelines.simulate.instruments import Floats
from minefusion.pipelines.simulate.run import Run
from minefusion.pipelines.simulate.true_findings import event_area, findings

SAMPLED_S = 30
FINDING = (
    "finding_id", "event_id", "index_id", "area_id", "entity", "begin", "end", "peak", "limit", "unit", "level",
    "is_sure",
)  # fmt: skip
EVENT = (
    "event_id", "effects", "place", "area_id", "begin", "end", "type", "severity", "precursor_begin", "cause",
    "is_look_alike",
)  # fmt: skip
SHOCK = ("at", "area_id", "magnitude", "energy_j", "moment_nm", "is_blast", "event_id")


def write_truth(
    run: Run, again: tuple[NDArray[np.intp], NDArray[np.intp]], arguments: Mapping[str, Any], folder: Path
) -> None:
    """Write all files of the run; `again`: (step, number of the point) of the records that were sent twice."""
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
    _table(folder / "events.csv", EVENT, (*_events(run), *_by_themselves(run)))
    found = [
        (
            f"T{number:03d}", f.event_id, f.index_id, f.area_id, f.entity, *_span(run, f.begin_s, f.end_s),
            None if f.peak is None else round(f.peak, 4), f.limit, f.unit, f.level, int(f.is_sure),
        )
        for number, f in enumerate(findings(run), start=1)
    ]  # fmt: skip
    _table(folder / "findings.csv", FINDING, found)
    _table(folder / "faults.csv", ("code", "entity", "begin", "end", "size", "other"), _faults(run, again))
    _table(folder / "places.csv", ("what", "code", "area_id", "edge_id", "chainage_m"), _places(run))
    _state(run).write_parquet(folder / "state.parquet", statistics=False)
    _fixes(run).write_parquet(folder / "fixes.parquet", statistics=False)
    if run.devices.shown:
        _devices(run).write_parquet(folder / "devices.parquet", statistics=False)
    if run.devices.truths.shocks is not None:
        _table(folder / "shocks.csv", SHOCK, _shocks(run))


def _events(run: Run) -> Iterator[tuple[Any, ...]]:
    for e in run.events:
        before = run.instant(e.onset_s - e.precursor_s).isoformat() if e.precursor_s else ""
        yield (
            e.event_id, "+".join(e.effects), e.place, event_area(run.layout, e), *_span(run, e.onset_s, e.end_s),
            e.kind, e.severity, before, e.cause, int(e.is_look_alike),
        )  # fmt: skip


def _by_themselves(run: Run) -> Iterator[tuple[Any, ...]]:
    """Harmless things that look like a hazard to one index or another."""
    edges, areas = run.layout.edges, {point.code: point.area_id for point in run.instruments.points}
    seen: list[tuple[float, float, str, str, str, str]] = []
    for unit, begin, end in run.door_passes:
        seen.append((begin, end, "door_open", "face", edges[run.layout.faces[unit].doors].area_id, "passage"))
    for shock in run.devices.truths.shocks or ():
        if shock.is_blast:
            heading = run.layout.headings[shock.face]
            seen.append((shock.at_s, shock.at_s + 60, "blast", "heading", heading.area_id, "heading"))
    for fault in run.observed.faults:
        if fault.entity in areas:
            name = "calibration" if fault.code.startswith("calibration") else "sensor_fault"
            span = fault.begin * STEP_S, fault.end * STEP_S
            seen.append((*span, name, "mine", areas[fault.entity], fault.code))
    for number, (begin, end, name, place, area_id, cause) in enumerate(sorted(seen), start=1):
        yield f"LA{number:04d}", name, place, area_id, *_span(run, begin, end), name, 0, "", cause, 1


def _faults(run: Run, again: tuple[NDArray[np.intp], NDArray[np.intp]]) -> Iterator[tuple[Any, ...]]:
    points = run.instruments.points
    twice = [
        Fault("duplicate", points[number].code, step, step + SAMPLED_S // STEP_S)
        for step, number in zip(again[0].tolist(), again[1].tolist(), strict=True)
    ]
    found = [*run.observed.faults, *run.devices.faults, *twice]
    for f in sorted(found, key=lambda each: (each.begin, each.entity, each.code)):
        yield f.code, f.entity, *_span(run, f.begin * STEP_S, _open(f, run.steps)), f.size, f.other


def _devices(run: Run) -> pl.DataFrame:
    parts = []
    for each in run.devices.shown:
        channel, count = each.channel, len(each.value)
        parts.append(
            pl.DataFrame(
                {
                    "entity": pl.repeat(channel.device.code, count, eager=True),
                    "quantity": pl.repeat(channel.quantity, count, eager=True),
                    "observed_at": _instants(run, each.at_s // STEP_S),
                    "true_value": pl.Series(channel.true, nan_to_null=True),
                    "value": pl.Series(each.value, nan_to_null=True),
                }
            )
        )
    return pl.concat(parts)


def _shocks(run: Run) -> Iterator[tuple[Any, ...]]:
    layout = run.layout
    for shock in run.devices.truths.shocks or ():
        of = layout.headings[shock.face].area_id if shock.is_blast else layout.faces[shock.face].area_id
        at = run.instant(shock.at_s).isoformat(timespec="milliseconds")
        yield (at, of, shock.magnitude, f"{shock.energy_j:.6g}", f"{shock.moment_nm:.6g}", int(shock.is_blast),
               shock.announces)  # fmt: skip


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
