"""From probabilities to warnings: which threshold, how many are false, how early the others come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.forecast import PERIOD_S, WITHIN_MIN, Floats, steps

# A warning says: within so long.
PROMISE = steps(WITHIN_MIN[-1])
# Below the limit for so long, and the next time it is reached is a new event.
APART = steps(10)
# Where no threshold keeps the promise, nobody is warned.
NEVER = 1.01
_CANDIDATES = np.unique(np.r_[np.linspace(0.02, 0.98, 49), NEVER])


@dataclass(frozen=True)
class WarningRecord:
    """What a threshold would have done on some rows.

    Attributes:
        recall: share of the events that a warning came before; NaN where there was none.
        lead_min: median minutes from warning to event; NaN where none was foreseen.
    """

    threshold: float
    warnings: int
    false_warnings: int
    false_per_day: float
    events: int
    recall: float
    lead_min: float


def record(probability: Floats, is_reached: NDArray[np.bool_], threshold: float) -> WarningRecord:
    """Replay one threshold over consecutive rows.

    A warning is raised when the probability reaches the threshold below the limit, and stays until the limit is
    reached or PROMISE has passed since the probability was last over it; it is false if the limit is not reached within
    PROMISE after it was raised.

    Args:
        probability: chance within 30 min; NaN where not asked.
        is_reached: whether the reading is at the limit.
    """
    begins = events(is_reached)
    over = np.flatnonzero(np.nan_to_num(probability, nan=-1.0) >= threshold)
    raised: list[int] = []
    last = -PROMISE - 1
    reached_at = np.flatnonzero(is_reached)
    for row in over.tolist():
        after = reached_at[np.searchsorted(reached_at, last, side="right") :][:1]
        if row - last > PROMISE or (len(after) and after[0] < row):
            raised.append(row)
        last = row
    at = np.array(raised, dtype=np.int64)
    place = np.searchsorted(reached_at, at, side="right")
    due = (
        np.where(place < len(reached_at), reached_at[np.minimum(place, max(0, len(reached_at) - 1))], 2**40)
        if len(reached_at)
        else np.full(len(at), 2**40)
    )
    is_false = due - at > PROMISE
    leads = []
    for begin in begins.tolist():
        before = at[(at < begin) & (at >= begin - PROMISE)]
        if len(before):
            leads.append((begin - before[0]) * PERIOD_S / 60)
    days = len(probability) * PERIOD_S / 86_400
    return WarningRecord(
        threshold=float(threshold),
        warnings=len(at),
        false_warnings=int(is_false.sum()),
        false_per_day=float(is_false.sum() / days) if days else 0.0,
        events=len(begins),
        recall=len(leads) / len(begins) if len(begins) else float("nan"),
        lead_min=float(np.median(leads)) if leads else float("nan"),
    )


def events(is_reached: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows at which the limit is reached after it was not for APART steps."""
    at = np.flatnonzero(is_reached)
    if not len(at):
        return at
    return at[np.r_[at[0] >= 1, np.diff(at) > APART]]


def curve(probability: Floats, is_reached: NDArray[np.bool_]) -> list[WarningRecord]:
    """Lead time and recall against false warnings, over many thresholds."""
    return [record(probability, is_reached, threshold) for threshold in _CANDIDATES]


def threshold_for(probability: Floats, is_reached: NDArray[np.bool_], false_per_day: float) -> float:
    """The lowest threshold that keeps to so many false warnings a day, on rows forecast before they were learned."""
    kept = [each.threshold for each in curve(probability, is_reached) if each.false_per_day <= false_per_day]
    return min(kept, default=NEVER)
