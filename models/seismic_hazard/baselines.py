"""What the model must beat: a plain logistic regression on the columns as they are, and doing without one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from minefusion.models.seismic_hazard import logistic
from minefusion.models.seismic_hazard.features import THREE_WEEKS, faded_mean
from minefusion.models.seismic_hazard.shifts import Floats

# Columns that are no description of a shift.
_LEFT_OUT = ("shift_index", "class")


def as_they_are(columns: Mapping[str, NDArray]) -> Floats:
    """The public series' columns of each shift as numbers: ratings a, b, c, d as 0 to 3, the shift as 1 where W."""
    found = []
    for name, values in columns.items():
        if name in _LEFT_OUT:
            continue
        text = np.asarray(values)
        if text.dtype.kind in "OUS":
            text = text.astype(str)
            number = text == "W" if name == "shift" else np.searchsorted(["a", "b", "c", "d"], text)
        else:
            number = text
        found.append(np.asarray(number, dtype=np.float64))
    return np.column_stack(found)


def logistic_regression(rows: Floats, truth: Floats, first: int, every: int) -> Floats:
    """Its chance for the rows from `first` on, refitted every so many; all rows count alike, weights hardly held."""
    count = len(rows)
    found = np.empty(count - first)
    for start in range(first, count, every):
        mean, spread = rows[:start].mean(axis=0), rows[:start].std(axis=0)
        scaled = (rows - mean) / np.where(spread > 0, spread, 1.0)
        design = np.column_stack([np.ones(count), scaled])
        ridge = np.r_[1e-6, np.ones(rows.shape[1])]
        weights = logistic.fit(design[:start], truth[:start], np.ones(start), ridge, np.zeros(len(ridge)))
        ahead = slice(start, start + every)
        found[start - first : start - first + every] = logistic.sigmoid(design[ahead] @ weights)
    return found


def constant_rate(truth: Floats, first: int) -> Floats:
    """The share of shifts before `first` that a strong bump followed."""
    return np.full(len(truth) - first, np.nanmean(truth[:first]))


def recent_rate(strong: Floats, first: int) -> Floats:
    """The share of shifts with a strong bump, fading by half in three weeks: what memory alone gives."""
    return faded_mean((strong > 0).astype(np.float64), THREE_WEEKS)[first:]
