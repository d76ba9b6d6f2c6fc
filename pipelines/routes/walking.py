"""How fast people walk out: by slope, and in smoke. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# On the level [m/s], and in smoke as a share of it: start values of our own, on the slow side of the 1.1 m/s that
# people underground walk and of the 0.5 to 0.7 m/s that is printed for smoke and inclines.
LEVEL_M_S = 1.0
SMOKE_SHARE = 0.5
# Tobler's hiking function, taken the same up and down: the way out does not become shorter by being the way down.
SLOPE_DECAY = 3.5
# A roadway that rises by more than this share of its length is a shaft: nobody walks there.
STEEPEST_SHARE = 0.9


def slope(length_m: Floats, rise_m: Floats) -> Floats:
    """Rise over horizontal distance, without sign; a roadway that is shorter than its rise counts as a shaft's."""
    share = np.clip(np.abs(rise_m) / length_m, 0.0, STEEPEST_SHARE)
    tangent: Floats = share / np.sqrt(1.0 - share**2)
    return tangent


def walking_speed_m_s(slopes: Floats) -> Floats:
    """v = v₀ · exp(−3.5 · |s|) in clear air [m/s]; s is rise over horizontal distance.

    Source: W. Tobler, Three presentations on geographical analysis and modeling, 1993, its slope term.
    """
    speed: Floats = LEVEL_M_S * np.exp(-SLOPE_DECAY * np.abs(slopes))
    return speed


def is_on_foot(length_m: Floats, rise_m: Floats) -> NDArray[np.bool_]:
    """Whether a roadway can be walked at all, by its slope."""
    on_foot: NDArray[np.bool_] = np.abs(rise_m) < STEEPEST_SHARE * length_m
    return on_foot
