"""Training, and the walk that says what a model would have said at each shift when it was the newest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from minefusion.models.seismic_hazard import logistic
from minefusion.models.seismic_hazard.config import Config
from minefusion.models.seismic_hazard.features import FULL, features
from minefusion.models.seismic_hazard.predict import Model, calibrated
from minefusion.models.seismic_hazard.shifts import Floats, Shifts
from minefusion.schemas.errors import InputError

# Fewer positives than this and nothing can be learned.
LEAST_POSITIVES = 5
# How strongly the calibration's constant is held, beside its factor: a base rate moves more easily than a ranking.
_CONSTANT_HELD = 0.3


@dataclass(frozen=True)
class Walk:
    """Forecasts of shifts from `start` on, each by a model that was fitted on what was known then; shape (n − start,).

    Attributes:
        start: the first row that has one.
        logits: before calibration.
        chance: after it.
    """

    start: int
    logits: Floats
    chance: Floats


def train(shifts: Shifts, names: tuple[str, ...] = FULL, config: Config | None = None, **about: Any) -> Model:
    """The model of all these shifts: weights by the newest fit, calibrated on what the walk said before it knew.

    Raises:
        InputError: too few shifts, or too few that a strong bump followed.
    """
    config = config or Config()
    known = walk(shifts, names, config)
    rows, truth = features(shifts, names), shifts.strong_next
    mean, scale, weights = _fitted(rows, truth, config)
    calibration = _calibration(known.logits, truth[known.start :], config)
    return Model(names, mean, scale, weights, calibration, {"config": asdict(config), "shifts": len(shifts)} | about)


def walk(shifts: Shifts, names: tuple[str, ...] = FULL, config: Config | None = None) -> Walk:
    """Forecast after forecast through the series, refitted on the way; no forecast uses a shift after its own.

    The last label that a fit at shift t knows is that of shift t − 1: what the shift t itself brought.

    Raises:
        InputError: as `train`.
    """
    config = config or Config()
    count = len(shifts)
    truth = shifts.strong_next
    positives = int(np.nansum(truth[: config.warm_up]))
    if count <= config.warm_up or positives < LEAST_POSITIVES:
        raise InputError(
            f"expected over {config.warm_up} shifts, the first of them with at least {LEAST_POSITIVES} before a strong "
            f"bump, got {count} shifts with {positives}; give a longer series"
        )
    rows = features(shifts, names)
    start = config.warm_up
    logits, chance = np.full(count - start, np.nan), np.full(count - start, np.nan)
    for first in range(start, count, config.refit_every):
        past, ahead = slice(0, first), slice(first, first + config.refit_every)
        here = slice(first - start, first - start + config.refit_every)
        mean, scale, weights = _fitted(rows[past], truth[past], config)
        logits[here] = weights[0] + (rows[ahead] - mean) / scale @ weights[1:]
        calibration = _calibration(logits[: first - start], truth[start:first], config)
        chance[here] = logistic.sigmoid(calibrated(calibration, logits[here]))
    return Walk(start, logits, chance)


def _fitted(rows: Floats, truth: Floats, config: Config) -> tuple[Floats, Floats, Floats]:
    """Means and scales of the features, and the weights."""
    use = np.isfinite(truth) & np.isfinite(rows).all(axis=1)
    weight = 0.5 ** ((len(rows) - np.arange(len(rows))) / config.memory)
    rows, truth, weight = rows[use], truth[use], weight[use]
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(rows)), (rows - mean) / scale])
    ridge = np.full(design.shape[1], config.ridge)
    ridge[0] = 1e-6  # the constant is free
    return mean, scale, logistic.fit(design, truth, weight, ridge, np.zeros(design.shape[1]))


def _calibration(logits: Floats, truth: Floats, config: Config) -> Floats:
    """Constant and factor by which forecasts made before were too high or too bold; (0, 1) where none were made."""
    use = np.isfinite(logits) & np.isfinite(truth)
    weight = 0.5 ** ((len(logits) - np.arange(len(logits))) / config.calibration_memory)
    design = np.column_stack([np.ones(use.sum()), logits[use]])
    ridge = config.calibration_ridge * np.array([_CONSTANT_HELD, 1.0])
    return logistic.fit(design, truth[use], weight[use], ridge, np.array([0.0, 1.0]))
