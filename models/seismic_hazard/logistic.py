"""Logistic regression with weighted rows and weights held small, by Newton's method."""

from __future__ import annotations

import numpy as np

from minefusion.models.seismic_hazard.shifts import Floats

_STEPS = 25
_TOLERANCE = 1e-9


def fit(design: Floats, truth: Floats, row_weight: Floats, ridge: Floats, towards: Floats) -> Floats:
    """Weights that make the truth likeliest, less ½ Σ ridge·(weight − towards)².

    Args:
        design: shape (n, k).
        truth: 0 or 1; shape (n,).
        row_weight: how much a row counts; shape (n,).
        ridge, towards: per weight, what it is held to and how strongly; shape (k,). With every ridge over 0 the
            answer is unique, also where the rows can be told apart wholly.
    """
    weights = towards.astype(np.float64)
    for _ in range(_STEPS):
        chance = sigmoid(design @ weights)
        slope = design.T @ (row_weight * (truth - chance)) - ridge * (weights - towards)
        bend = (design * (row_weight * chance * (1 - chance))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        weights = weights + step
        if np.abs(step).max() < _TOLERANCE:
            break
    return weights


def sigmoid(score: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(score, -40, 40)))


def logit(chance: Floats) -> Floats:
    kept = np.clip(chance, 1e-4, 1 - 1e-4)
    return np.log(kept / (1 - kept))
