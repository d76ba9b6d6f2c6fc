"""What the samples of one sensor tell of its health, without its neighbours: pulses, runs, spikes, noise and steps.

Times are microseconds since the epoch, in order; values are in the sensor's unit, NaN where none came.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MINUTE_US = 60_000_000
# Scales the median of absolute deviations to a standard deviation.
MAD_TO_SIGMA = 1.4826

# Test gas: a flat top of so many minutes, reached and left within so many.
SHORTEST_TOP_MIN, LONGEST_TOP_MIN, EDGE_MIN = 1.0, 10.0, 1.0
# A top is flat where it varies by no more than this share of its height.
FLAT_SHARE = 0.15
# Air without gas before or after the test gas: at most this share of what the place shows otherwise.
ZERO_SHARE = 0.35
# The level of a place is the median of so many minutes around.
LEVEL_MIN = 12.0

# A spike is so many samples at most, and so many times the sensor's noise.
SPIKE_SAMPLES, SPIKE_SIGMAS = 2, 10.0
# A step lies between two medians of so many minutes and is done within so many.
STEP_LEVEL_MIN, STEP_EDGE_MIN = 10.0, 1.0
STEP_SIGMAS = 8.0


@dataclass(frozen=True)
class Stretch:
    """[begin, end) of places in a series, and what was seen there, in the sensor's unit."""

    begin: int
    end: int
    height: float


def noise(values: Floats) -> float:
    """Standard deviation of what changes from one sample to the next; 0 where there are too few."""
    values = values[~np.isnan(values)]
    if len(values) < 8:
        return 0.0
    second = np.diff(values, 2)
    return float(MAD_TO_SIGMA * np.median(np.abs(second)) / 6**0.5)


def roughness(values: Floats) -> float:
    """The same from the mean of squares, which sees a sensor that is only now and then unquiet."""
    values = values[~np.isnan(values)]
    if len(values) < 8:
        return 0.0
    second = np.abs(np.diff(values, 2))
    kept = second[second <= np.quantile(second, 0.95)]
    return float(np.sqrt(np.mean(kept**2) / 6))


def last_digit(values: Floats) -> float:
    """The smallest step between two values that were seen; 0 where all are the same."""
    seen = np.unique(np.round(values[~np.isnan(values)], 6))
    return float(np.diff(seen).min()) if len(seen) > 1 else 0.0


def standing(times: Ints, values: Floats, longest_gap_us: int) -> list[Stretch]:
    """Stretches of more than one sample without a change, `height` their value; a longer gap ends one."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < 2:
        return []
    changes = np.flatnonzero((np.diff(values[known]) != 0) | (np.diff(times[known]) > longest_gap_us)) + 1
    bounds = np.concatenate([[0], changes, [len(known)]])
    return [
        Stretch(int(known[first]), int(known[last - 1]) + 1, float(values[known[first]]))
        for first, last in pairwise(bounds)
        if last - first > 1
    ]


def pulses(times: Ints, values: Floats, least: float) -> Iterator[Stretch]:
    """Square pulses of at least `least`: the mark of test gas. `begin` takes in the air without gas before it.

    The value jumps up within a minute, stands flat for one to ten and falls as fast; before and after it the place has
    one level.
    """
    known = np.flatnonzero(~np.isnan(values))
    at, seen = times[known], values[known]
    if len(seen) < 8:
        return
    usual = rolling_median(seen, _samples(at, LEVEL_MIN))
    for first, last in _runs(seen - usual >= least / 2):
        height = float(seen[first:last].max() - usual[first])
        on_top = np.flatnonzero(seen[first:last] >= usual[first] + (1 - FLAT_SHARE) * height)
        begin, end = first + int(on_top[0]), first + int(on_top[-1])
        if height < least or len(on_top) < end - begin + 1 or first == 0 or last == len(seen):
            continue
        top = at[end] - at[begin]
        edges = at[begin] - at[first - 1], at[last] - at[end]
        if max(edges) > EDGE_MIN * MINUTE_US or not SHORTEST_TOP_MIN <= top / MINUTE_US <= LONGEST_TOP_MIN:
            continue
        while first > 0 and at[begin] - at[first - 1] <= 5 * MINUTE_US and seen[first - 1] <= ZERO_SHARE * usual[begin]:
            first -= 1
        yield Stretch(int(known[first]), int(known[last - 1]) + 1, height)


def rolling_median(values: Floats, half: int) -> Floats:
    """Median of each value and `half` on both sides."""
    padded = np.pad(values, half, mode="reflect" if len(values) > half else "edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1), axis=1)


def _samples(at: Ints, minutes: float) -> int:
    """Samples in so many minutes."""
    return max(1, round(minutes * MINUTE_US / float(np.median(np.diff(at)))))


def spikes(values: Floats, least: float) -> list[int]:
    """Places of one or two samples that stand out from the three on both sides by SPIKE_SIGMAS and by `least`."""
    known = np.flatnonzero(~np.isnan(values))
    seen = values[known]
    if len(seen) < 8:
        return []
    reach = SPIKE_SAMPLES + 1
    padded = np.pad(seen, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    usual = np.median(windows, axis=1)
    stands_out = np.abs(seen - usual) > max(least, SPIKE_SIGMAS * noise(seen))
    found = []
    for first, last in _runs(stands_out):
        if last - first <= SPIKE_SAMPLES and first >= reach and last <= len(seen) - reach:
            found += [int(place) for place in known[first:last]]
    return found


def steps(times: Ints, values: Floats, least: float) -> Iterator[Stretch]:
    """Places where the level jumps from one sample to the next and stays; `height` is signed.

    A ramp of minutes is none: the air brings gas so, an instrument does not.
    """
    known = np.flatnonzero(~np.isnan(values))
    at, seen = times[known], values[known]
    if len(seen) < 12:
        return
    threshold = max(least, STEP_SIGMAS * noise(seen))
    edge = np.searchsorted(at, at + STEP_EDGE_MIN * MINUTE_US, side="right") - 1
    jump = np.abs(seen[edge] - seen) >= 0.6 * threshold
    free = 0
    for place in np.flatnonzero(jump):
        if place < free:
            continue
        before = slice(int(np.searchsorted(at, at[place] - STEP_LEVEL_MIN * MINUTE_US)), int(place) + 1)
        after = slice(int(edge[place]), int(np.searchsorted(at, at[place] + STEP_LEVEL_MIN * MINUTE_US, side="right")))
        if min(before.stop - before.start, after.stop - after.start) < 5:
            continue
        if at[after.stop - 1] - at[place] < 0.8 * STEP_LEVEL_MIN * MINUTE_US:
            continue
        height = float(np.median(seen[after]) - np.median(seen[before]))
        here = float(seen[edge[place]] - seen[place])
        if abs(height) >= threshold and here * height > 0 and abs(here) >= 0.6 * abs(height):
            begin = int(place) + 1 + int(np.argmax(np.abs(np.diff(seen[place : edge[place] + 1]))))
            yield Stretch(int(known[begin]), int(known[after.stop - 1]) + 1, height)
            free = int(edge[place]) + 1


def _runs(holds: Bools) -> Iterator[tuple[int, int]]:
    """[begin, end) of every stretch of true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], holds, [False])).astype(np.int8)))
    for begin, end in edges.reshape(-1, 2):
        yield int(begin), int(end)
