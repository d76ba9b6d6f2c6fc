"""What a forecast names as its driver, beside simulated shifts with one true cause each.

A point is judged where its methane first stands out, once a shift. A barometer falls for a while before it shows: there
it is half an hour later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.explain import UNCLEAR, drivers
from minefusion.models.methane_forecast.forecast import Floats, Readings, steps
from minefusion.pipelines.jobs.evaluate.alarm_cause import SHIFTS, STANDS_OUT_PCT, STRICTER, USUAL_H
from minefusion.pipelines.jobs.forecast.simulated_series import START, air_paths
from minefusion.pipelines.simulate.run import Run, run_mine
from minefusion.pipelines.simulate.scenario import load_scenario

Progress = Callable[[float, str], None]
# What is right to say in each shift. Where gas flows in, the point at the source moves first and the others follow.
RIGHT = {
    "doors": ("air",),
    "fan_stop": ("air",),
    "main_fan": ("air",),
    "inflow": ("own", "neighbour"),
    "front": ("pressure",),
    "production": ("production",),
}
ROADWAYS = 40
_AFTER_S = 30 * 60


@dataclass(frozen=True)
class _Judged:
    """A point of a path, and the row at which its driver is asked for."""

    readings: Readings
    point: int
    row: int


def evaluate_forecast_driver(
    *, seeds: Sequence[int], shifts: Sequence[str] = tuple(RIGHT), progress: Progress | None = None
) -> dict[str, Any]:
    """Per shift how often the true cause was named, nothing was named, or another cause."""
    found: list[dict[str, Any]] = []
    for number, shift in enumerate(shifts):
        said: Counter[str] = Counter()
        for seed in seeds:
            if progress:
                progress(number / len(shifts), f"{shift}, seed {seed}")
            said += Counter(str(drivers(each.readings, each.point)[0][each.row]) for each in judged(shift, seed))
        right = sum(said[name] for name in RIGHT[shift])
        found.append(
            {
                "shift": shift,
                "causes": list(RIGHT[shift]),
                "warnings": said.total(),
                "right": right,
                "unclear": said[UNCLEAR],
                "wrong": said.total() - right - said[UNCLEAR],
                "share": round(right / said.total(), 4) if said else None,
                "said": dict(said.most_common()),
            }
        )
    total, right = (sum(row[key] for row in found) for key in ("warnings", "right"))
    share = round(right / total, 4) if total else None
    about = {"name": "forecast_driver", "seeds": list(seeds), "warnings": total, "right": right}
    return about | {"wrong": sum(row["wrong"] for row in found), "share": share, "shifts": found}


def judged(name: str, seed: int) -> Iterator[_Judged]:
    """Every point of one simulated shift whose methane stands out."""
    shift = SHIFTS[name]
    run = run_mine(
        load_scenario(shift.scenario), seconds=3600 * shift.hours, seed=seed, start=START, roadways=ROADWAYS, people=0
    )
    later = steps(30) if name == "front" else 0
    for readings in air_paths(run):
        for point in range(len(readings.names)):
            rows = np.flatnonzero(_stands_out(run, readings.times_s, readings.ch4_pct[:, point]))
            if len(rows):
                yield _Judged(readings, point, min(int(rows[0]) + later, len(readings) - 1))


def _stands_out(run: Run, times_s: Floats, own: Floats) -> NDArray[np.bool_]:
    """Within an event: over all that was before it. Without one: over the point's own usual range."""
    if not run.events:
        limit = max(np.nanquantile(own, STRICTER), np.nanmedian(own) + STANDS_OUT_PCT)
        return (own >= limit) & (times_s >= 3600 * USUAL_H)
    ends = [each.end_s if np.isfinite(each.end_s) else times_s[-1] for each in run.events]
    spans = [(each.onset_s, end + _AFTER_S) for each, end in zip(run.events, ends, strict=True)]
    within = np.any([(times_s >= begin) & (times_s <= end) for begin, end in spans], axis=0)
    before = own[times_s < min(begin for begin, _ in spans)]
    return within & (own >= np.nanmax(before) + STANDS_OUT_PCT)
