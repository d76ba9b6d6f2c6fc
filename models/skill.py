"""How good a warning is: scores of probabilities beside what came, with intervals for rows that hang together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]


def auc(truth: Truth, score: Floats) -> float:
    """Area under the ROC curve: how often a positive row outranks a negative one, a tie counting half; NaN where
    one of the two is missing."""
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return float("nan")
    _, group, size = np.unique(score, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(size) - (size - 1) / 2
    above = mean_rank[group][truth].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def average_precision(truth: Truth, score: Floats) -> float:
    """Precision averaged over the positives, from the highest score down; rows of one score are taken together.

    NaN where nothing is positive.
    """
    if not truth.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    found = hits[last]
    return float((np.diff(found, prepend=0) / found[-1] * (found / (last + 1))).sum())


def brier(truth: Truth, probability: Floats) -> float:
    """Mean squared distance of the probability from what came (0 or 1)."""
    return float(np.mean((probability - truth) ** 2))


def alarms_per_100(truth: Truth, score: Floats, recall: float) -> float:
    """Rows per 100 that must be called to catch this share of the positives, called from the highest score down.

    NaN where nothing is positive.
    """
    positives = np.sort(score[truth])[::-1]
    if not len(positives):
        return float("nan")
    # Not a hair more than was asked for: 0.7 of 10 is 7.
    threshold = positives[max(0, int(np.ceil(recall * len(positives) - 1e-9)) - 1)]
    return float(100 * np.mean(score >= threshold))


def interval_by_blocks(
    rows: int,
    score: Callable[[NDArray[np.intp]], float],
    *,
    block: int,
    seed: int,
    draws: int = 1000,
    share: float = 0.95,
) -> tuple[float, float]:
    """Bootstrap interval of a score over rows that hang together in time.

    Args:
        rows: how many rows there are, in time order.
        score: the score of the rows with these places; NaN is left out.
        block: rows that are drawn together; the end goes on at the beginning, so that each row counts alike.
        share: what the interval is to hold.
    """
    random = np.random.default_rng(seed)
    count = -(-rows // block)
    found = []
    for _ in range(draws):
        starts = random.integers(0, rows, count)
        places = (starts[:, None] + np.arange(block)).ravel()[:rows] % rows
        found.append(score(places))
    kept = np.array(found)[np.isfinite(found)]
    if not len(kept):
        return float("nan"), float("nan")
    low, high = np.quantile(kept, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)
