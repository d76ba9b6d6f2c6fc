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
_FAR = 2**40
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

    A warning is raised when the probability reaches the threshold below the limit. It speaks for PROMISE or until the
    limit is reached, whichever comes first; a probability that is still over the threshold then raises the next one. It
    is false if the limit is not reached within PROMISE.

    Args:
        probability: chance within 30 min; NaN where not asked.
        is_reached: whether the reading is at the limit.
    """
    begins = events(is_reached)
    # Row at which the limit is reached next, after each row.
    rows = np.arange(len(is_reached))
    due = np.r_[np.minimum.accumulate(np.where(is_reached, rows, _FAR)[::-1])[::-1], _FAR][1:]
    raised: list[int] = []
    silent_until = 0
    for row in np.flatnonzero(np.nan_to_num(probability, nan=-1.0) >= threshold).tolist():
        if row >= silent_until:
            raised.append(row)
            silent_until = min(row + PROMISE, int(due[row]) + 1)
    at = np.array(raised, dtype=np.int64)
    is_false = due[at] - at > PROMISE
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
