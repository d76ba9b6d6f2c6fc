"""Rain over the mine: dry and wet spells by chance, and the storms that a scenario asks for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.scenario import Event

Floats = NDArray[np.float64]

STEP_S = 600
BEFORE_D = 12  # days of rain before the run: the ground remembers them
# Two-state chain on steps of ten minutes: a dry spell lasts three days on average, a wet one three hours.
WET_AFTER_DRY, DRY_AFTER_WET = STEP_S / (3 * 86_400), STEP_S / (3 * 3600)
SHAPE, MEAN_MM = 0.7, 0.15  # gamma of the rain of ten wet minutes


class Rain:
    """Rain from BEFORE_D days before the run to its end."""

    def __init__(self, events: Sequence[Event], seconds: float, rng: np.random.Generator) -> None:
        steps = int(BEFORE_D * 86_400 // STEP_S + seconds // STEP_S) + 2
        turn, is_wet, wet = rng.random(steps), False, np.zeros(steps, dtype=bool)
        for step in range(steps):
            is_wet = turn[step] >= DRY_AFTER_WET if is_wet else turn[step] < WET_AFTER_DRY
            wet[step] = is_wet
        fallen = np.where(wet, rng.gamma(SHAPE, MEAN_MM / SHAPE, steps), 0.0)
        self._at_s = np.arange(steps + 1) * float(STEP_S) - BEFORE_D * 86_400
        for event in events:
            if "rainstorm" in event.effects:
                inside = (self._at_s[:-1] >= event.onset_s) & (self._at_s[:-1] < event.end_s)
                gusts = rng.gamma(2.0, 0.5, steps) * inside
                fallen += gusts * event.effects["rainstorm"]["mm"] / max(gusts.sum(), 1e-9)
        self._sum = np.concatenate(([0.0], np.cumsum(fallen)))

    def between(self, begin_s: Floats, end_s: Floats) -> Floats:
        """Millimetres that fell in each span."""
        return np.interp(end_s, self._at_s, self._sum) - np.interp(begin_s, self._at_s, self._sum)

    def per_step(self, at_s: Floats, step_s: float) -> Floats:
        """Millimetres of the step that ends with each instant."""
        return self.between(at_s - step_s, at_s)

    def response(self, at_s: Floats, lag_d: float) -> Floats:
        """What the ground passes on of the rain [mm/d]: a gamma unit hydrograph of shape two with that mean lag."""
        tau_s = lag_d * 86_400 / 2
        end = float(at_s[-1])
        grid = np.arange(-BEFORE_D * 86_400.0, end + STEP_S, STEP_S)
        fallen = self.per_step(grid, STEP_S)
        age = np.arange(0.0, min(10 * tau_s, BEFORE_D * 86_400 + end), STEP_S)
        unit = age / tau_s**2 * np.exp(-age / tau_s) * STEP_S
        return np.interp(at_s, grid, np.convolve(fallen, unit)[: len(grid)] * (86_400 / STEP_S))
