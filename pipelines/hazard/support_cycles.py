"""Cycles of a face's supports: set, loaded by the roof, lowered, advanced; and what a face's cycles say together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
# A leg under this share of its rated setting pressure is lowered.
LOWERED = 0.3
# A cycle is shorter than a stop of the face and longer than a leg's adjustment; a longer silence of the sensor ends it.
LONGEST_US, SHORTEST_US, GAP_US = 8 * HOUR_US, 300 * SECOND_US, 900 * SECOND_US
# Setting takes so long: the highest pressure in it is the setting pressure.
SETTING_US = 120 * SECOND_US
# A leg that ends under this share of where it was set leaks.
LEAKING = 0.9
# A lowered leg that still shows so much pressure [MPa] has a sensor that drifted.
DRIFT_MPA = 3.0
# Pressure from this share of the yield pressure on counts as yielding, from this share of the rated one as well set.
YIELDING, WELL_SET = 0.95, 0.8


@dataclass(frozen=True)
class Cycles:
    """Cycles of one leg, oldest first.

    Attributes:
        set_mpa, end_mpa: pressure after setting and before lowering.
        weighted_mpa: mean over the cycle's time.
        yield_share: share of the time at YIELDING of the yield pressure or more.
        leaks: the pressure fell over the cycle.
        drifted: the lowered leg before the cycle never showed less than DRIFT_MPA, so the sensor has drifted.
    """

    start_us: Ints
    end_us: Ints
    set_mpa: Floats
    end_mpa: Floats
    weighted_mpa: Floats
    yield_share: Floats
    leaks: NDArray[np.bool_]
    drifted: NDArray[np.bool_]


def cycles_of_leg(at_us: Ints, mpa: Floats, rated_set_mpa: float, yield_mpa: float) -> Cycles:
    """The complete cycles in a leg's samples: from a rise over the lowered state to the next lowering.

    One that a silence of the sensor cuts, that is shorter than five minutes or as long as a stop of the face is left
    out.
    """
    found: list[tuple[int, int, float, float, float, float, bool, bool]] = []
    loaded = mpa >= LOWERED * rated_set_mpa
    changes = np.flatnonzero(np.diff(loaded.astype(np.int8)) != 0) + 1
    bounds = np.concatenate([[0], changes, [len(mpa)]])
    lowest = math.nan
    for first, last in pairwise(bounds):
        if last > first and not loaded[first]:
            lowest = float(mpa[first:last].min())
        # A cycle without its setting or its lowering in the data is not complete.
        if not loaded[first : first + 1].any() or first == 0 or last == len(mpa):
            continue
        us, p = at_us[first:last], mpa[first:last]
        length = int(at_us[last] - us[0])
        if not SHORTEST_US <= length < LONGEST_US or np.diff(np.append(us, at_us[last])).max() > GAP_US:
            continue
        # While it is lowered a leg may be caught half-way: the higher of the last two samples is the end.
        end = float(p[-2:].max())
        set_to = float(p[us < us[0] + SETTING_US].max())
        held = np.diff(np.append(us, at_us[last])).astype(float)
        mean = float((p * held).sum() / held.sum())
        yields = float(held[p >= YIELDING * yield_mpa].sum() / held.sum())
        found.append(
            (int(us[0]), int(at_us[last]), set_to, end, mean, yields, end < LEAKING * set_to, lowest > DRIFT_MPA)
        )
    columns = list(zip(*found, strict=True)) or [()] * 8
    types = (np.int64, np.int64, float, float, float, float, bool, bool)
    arrays: list[Any] = [np.array(column, dtype=kind) for column, kind in zip(columns, types, strict=True)]
    return Cycles(*arrays)


def smoothed_over_supports(end_mpa: Floats) -> Floats:
    """Mean of each support and its two neighbours, in the order of the face; NaN ones left out."""
    padded = np.pad(end_mpa, 1, constant_values=np.nan)
    three = np.stack([padded[:-2], padded[1:-1], padded[2:]])
    count = np.isfinite(three).sum(axis=0)
    return np.divide(np.nansum(three, axis=0), count, out=np.full(len(end_mpa), np.nan), where=count > 0)


def is_weighting(zone_mpa: float, end_mpa: Floats) -> bool:
    """Whether the roof weights: P_end of the zone over mean and one deviation of the last cycles."""
    return zone_mpa > float(end_mpa.mean()) + float(end_mpa.std(ddof=1))


def dynamic_load_factor(weighting_mpa: float, normal_mpa: float) -> float:
    """K_d = P of the weighting/P between weightings."""
    return weighting_mpa / normal_mpa if normal_mpa > 0 else math.nan
