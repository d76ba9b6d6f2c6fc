"""From samples to what is drawn: fewer points with every extreme kept, and lines that stop where the data does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def kept_extremes(at_s: Floats, value: Floats, bucket_s: float) -> NDArray[np.intp]:
    """Indices to draw: of each bucket of time its first, lowest, highest and last sample, in order.

    `at_s` ascends. No mean is taken, so a peak of one sample is drawn at its own height and instant; the points left
    out lie between those drawn in the same pixel.
    """
    if len(at_s) == 0:
        return np.zeros(0, dtype=np.intp)
    bucket = np.floor(at_s / bucket_s).astype(np.int64)
    begins = np.flatnonzero(np.diff(bucket, prepend=bucket[0] - 1))
    ends = np.append(begins[1:], len(bucket)) - 1
    by_value = np.lexsort((value, bucket))
    return np.unique(np.concatenate([begins, by_value[begins], by_value[ends], ends]))


def stretches(at_s: Floats, longest_s: float) -> Iterator[slice]:
    """Spans of samples that follow each other by no more than `longest_s`: a line is drawn inside one, never across."""
    if len(at_s) == 0:
        return
    breaks = [0, *(np.flatnonzero(np.diff(at_s) > longest_s) + 1), len(at_s)]
    yield from (slice(int(a), int(b)) for a, b in pairwise(breaks))


def gaps(at_s: Floats, length_s: float, longest_s: float) -> list[tuple[float, float]]:
    """Spans of [0, length_s] in which no sample came for more than `longest_s`."""
    edges = np.concatenate([[0.0], at_s, [length_s]])
    wide = np.flatnonzero(np.diff(edges) > longest_s)
    return [(float(edges[i]), float(edges[i + 1])) for i in wide]


def spans(at_s: Floats, holds: NDArray[np.bool_], longest_s: float, period_s: float) -> list[tuple[float, float]]:
    """Spans in which `holds` is true of every sample; each sample covers its own period."""
    marked = at_s[holds]
    position = np.flatnonzero(holds)
    if len(marked) == 0:
        return []
    new = np.flatnonzero((np.diff(position) > 1) | (np.diff(marked) > longest_s)) + 1
    firsts, lasts = np.concatenate([[0], new]), np.append(new, len(marked)) - 1
    return [(float(marked[a]), float(marked[b]) + period_s) for a, b in zip(firsts, lasts, strict=True)]


def steps(at_s: Floats, value: Floats, length_s: float, longest_s: float) -> list[tuple[float, float, float]]:
    """(start, end, value) of a state: each sample holds until the next, but no longer than `longest_s`."""
    if len(at_s) == 0:
        return []
    until = np.minimum(np.append(at_s[1:], length_s), at_s + longest_s)
    held: list[tuple[float, float, float]] = []
    for start, end, state in zip(at_s.tolist(), until.tolist(), value.tolist(), strict=True):
        if held and held[-1][1] == start and held[-1][2] == state:
            held[-1] = (held[-1][0], end, state)
        else:
            held.append((start, end, state))
    return held
