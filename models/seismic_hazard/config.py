"""What is chosen for the seismic hazard model. Every value was chosen inside the first 70 % of the public series."""

from __future__ import annotations

from dataclasses import dataclass

# A bump that counts, by its energy [J], and the weakest that a mine's system counts as a bump at all.
STRONG_J = 1e4
WEAKEST_J = 1e2
SHIFTS_A_DAY = 3
WEEK = 7 * SHIFTS_A_DAY


@dataclass(frozen=True)
class Config:
    """
    Attributes:
        ridge: strength by which weights are held small; low, as some 140 positives say little about ten weights.
        memory: shifts after which a shift counts half in a fit, so that a new longwall is learned.
        calibration_memory: the same for the calibration, which answers faster to a change of the base rate.
        calibration_ridge: how strongly the calibration is held to "as it is".
        warm_up: shifts before the first forecast of a walk.
        refit_every: shifts between refits of a walk.
    """

    ridge: float = 10.0
    memory: float = 400.0
    calibration_memory: float = 150.0
    calibration_ridge: float = 20.0
    warm_up: int = 250
    refit_every: int = SHIFTS_A_DAY
