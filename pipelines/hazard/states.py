"""How long a state of switches has lasted: both doors of a pair open, air reversed, a heading without its fan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from minefusion.pipelines.hazard.minutes import BEFORE, HELD_PERIODS, MINUTE, MINUTE_US, first_minute, minute_grid

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.inputs import Inputs

SECOND_US = 1_000_000
# Longer is told as so long: further back a run does not look.
LONGEST_RUN_S = 1800.0
_THING = ["mine_code", "kind", "entity"]
_RUNS = pa.schema(
    dict.fromkeys(_THING, pa.string()) | {"minute_no": pa.int64(), "lasted_s": pa.float64(), "coverage": pa.float64()}
)


def lasting_states(inputs: Inputs, members: nw.LazyFrame, samples: nw.LazyFrame) -> nw.LazyFrame:
    """How long all members of a thing have been in the watched state at once, by thing and minute of the window.

    A state holds from its sample to the member's next one, three nominal periods at most; where one member's is not
    known, that of the whole is not.

    Args:
        members: mine_code, kind, entity, point_id, period_s: which points make up which thing; entity is the thing's
            name within its kind.
        samples: mine_code, kind, point_id, observed_us, holds (int, 1 in the watched state): usable samples.
    Returns:
        mine_code, kind, entity, window_start, minute_no, lasted_s (longest so far within the minute, counted from
        where the state began, 0 where it did not hold) and coverage (share of the minute in which it is known).
    """
    first = first_minute(inputs.window)
    last = first + (inputs.window.end - inputs.window.start) // MINUTE
    recent = samples.filter(nw.col("observed_us") >= (first - BEFORE) * MINUTE_US)
    # A member without a sample stays: it makes the thing unknown.
    told = members.join(recent, on=["mine_code", "kind", "point_id"], how="left")
    told = told.select(*_THING, "point_id", "period_s", "observed_us", "holds")
    runs = inputs.grouped(told, _THING, runs_of_thing(first, last), _RUNS)
    return runs.join(minute_grid(inputs), on="minute_no", how="inner")


def runs_of_thing(first: int, last: int) -> Callable[[pa.Table], pa.Table]:
    """What gives the runs of one thing in the minutes first … last - 1, from its members' samples in any order."""
    begins, ends = (first - BEFORE) * MINUTE_US, last * MINUTE_US

    def runs(told: pa.Table) -> pa.Table:
        members = [_series(told, name) for name in sorted(set(told["point_id"].to_pylist()))]
        # The start of each minute is an instant to look at as well, so every minute has one.
        instants = np.unique(np.concatenate([np.arange(begins, ends, MINUTE_US), *(at for at, _, _ in members)]))
        known, holds = np.ones(len(instants), dtype=bool), np.ones(len(instants), dtype=bool)
        until = np.append(instants[1:], ends)
        for at, state, held_us in members:
            newest = np.searchsorted(at, instants, side="right") - 1
            spoke = newest >= 0
            stale = np.append(at, begins)[newest] + held_us  # what never spoke takes the last place, and is not known
            known &= spoke & (stale > instants)
            holds &= np.append(state, False)[newest]
            until = np.minimum(until, np.where(spoke, stale, until))
        holds &= known
        until = np.where(known, until, instants)
        goes_on = np.append(False, holds[:-1] & (until[:-1] >= instants[1:]))
        since = np.maximum.accumulate(np.where(holds & ~goes_on, instants, begins))
        lasted_us, covered_us = np.zeros(last - first), np.zeros(last - first)
        minute = instants // MINUTE_US - first
        inside = minute >= 0
        np.maximum.at(lasted_us, minute[inside], np.where(holds, until - since, 0)[inside])
        np.add.at(covered_us, minute[inside], (until - instants)[inside])
        return pa.table(
            {name: [told[name][0].as_py()] * (last - first) for name in _THING}
            | {
                "minute_no": np.arange(first, last),
                "lasted_s": np.minimum(lasted_us / SECOND_US, LONGEST_RUN_S),
                "coverage": covered_us / MINUTE_US,
            },
            schema=_RUNS,
        )

    return runs


def _series(told: pa.Table, point_id: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Instants and states of one member, oldest first, and how long a sample of it holds [µs]."""
    mine = told.filter(pc.equal(told["point_id"], point_id))
    period_s = mine["period_s"][0].as_py()
    mine = mine.filter(pc.is_valid(mine["observed_us"])).sort_by("observed_us")
    states = mine["holds"].to_numpy() == 1
    return mine["observed_us"].to_numpy().astype(np.int64), states, int(HELD_PERIODS * SECOND_US * (period_s or 0.0))
