"""What goes wrong with instruments and the network: when, for how long, how badly.

Rates are events per instrument and day. Each function gives spans of samples of an instrument that has one every
`period_s`; who asks applies them and tells the truth about them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

DAY_S = 86_400.0
TRUTH_STEP_S = 10  # faults are told in steps of so many seconds
STUCK_MIN = (40.0, 150.0)
LONGEST_DROPOUT_MIN = 360.0
DROPOUT_SPREAD = 0.8  # of the log-normal length
OFFSET_H = (2.0, 12.0)  # until somebody sees it and sets the sensor right


@dataclass(frozen=True)
class Fault:
    """Something wrong or out of the ordinary with a point, device or substation, from one step of 10 s to another.

    Attributes:
        code: one of CODES.
        size: what it adds to the value (offset_jump, spike), the share of the gain that is lost at the end (drift), or
            how far the clock is ahead [s] (clock_skew); null where nothing of that kind applies.
        other: the point whose value it shows (swapped).
    """

    code: str
    entity: str
    begin: int
    end: int
    size: float | None = None
    other: str = ""

    @classmethod
    def of(cls, code: str, entity: str, begin: int, end: int, period_s: int, size: float | None = None) -> Fault:
        """The fault of samples [begin, end) that come every `period_s`."""
        to_step = period_s / TRUTH_STEP_S
        return cls(code, entity, int(begin * to_step), int(end * to_step), size)


CODES = (
    "calibration", "calibration_unflagged", "stuck", "dropout", "drift", "offset_jump", "spike", "swapped",
    "substation_outage", "late_batch", "clock_skew", "duplicate",
)  # fmt: skip


def times(per_day: float, count: int, period_s: float, rng: np.random.Generator) -> list[int]:
    """Samples at which something happens that happens `per_day` times a day on average."""
    number = int(rng.poisson(per_day * count * period_s / DAY_S))
    return sorted(int(step) for step in rng.integers(0, count, number))


def stays(per_day: float, count: int, period_s: int, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Spans in which a value stays what it was."""
    for begin in times(per_day, count, period_s, rng):
        yield begin, min(count, begin + max(2, int(60 * rng.uniform(*STUCK_MIN) / period_s)))


def dropouts(
    per_day: float, usual_min: float, count: int, period_s: int, rng: np.random.Generator
) -> Iterator[tuple[int, int]]:
    """Spans without a value: log-normal lengths around `usual_min`."""
    for begin in times(per_day, count, period_s, rng):
        minutes = math.exp(rng.normal(math.log(usual_min), DROPOUT_SPREAD))
        yield begin, min(count, begin + max(1, int(60 * min(minutes, LONGEST_DROPOUT_MIN) / period_s)))


def offset_jumps(
    per_day: float, count: int, period_s: int, size: float, rng: np.random.Generator
) -> Iterator[tuple[int, int, float]]:
    """Spans in which the zero has jumped by 0.7 to 1.3 times `size`, either way."""
    for begin in times(per_day, count, period_s, rng):
        change = float(rng.choice((-1.0, 1.0)) * size * rng.uniform(0.7, 1.3))
        yield begin, min(count, begin + max(2, int(3600 * rng.uniform(*OFFSET_H) / period_s))), change


def spikes(
    per_day: float, count: int, period_s: int, size: float, rng: np.random.Generator
) -> Iterator[tuple[int, int, float]]:
    """Single samples that lie 0.7 to 1.3 times `size` off, either way."""
    for begin in times(per_day, count, period_s, rng):
        yield begin, begin + 1, float(rng.choice((-1.0, 1.0)) * size * rng.uniform(0.7, 1.3))
