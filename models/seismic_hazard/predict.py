"""The one call: shifts in, the chance of a strong bump in the next shift out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minefusion.models.seismic_hazard.features import FULL, REDUCED, features
from minefusion.models.seismic_hazard.logistic import sigmoid
from minefusion.models.seismic_hazard.shifts import Floats, Shifts
from minefusion.schemas.errors import InputError

FORMAT = 1


@dataclass(frozen=True)
class Model:
    """What training found; plain numbers.

    Attributes:
        names: the features, FULL or REDUCED.
        mean, scale: of the features in training.
        weights: constant first, then one per scaled feature.
        calibration: constant and factor of the logit.
        about: data, time range, settings and scores of the training, for the card.
    """

    names: tuple[str, ...]
    mean: Floats
    scale: Floats
    weights: Floats
    calibration: Floats
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def needs_geophones(self) -> bool:
        return self.names != REDUCED

    def to_json(self) -> str:
        kept = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(self).items()}
        return json.dumps({"format": FORMAT, "model": "seismic_hazard"} | kept, ensure_ascii=False, indent=1)

    @staticmethod
    def from_json(text: str) -> Model:
        """
        Raises:
            InputError: the text is no such model.
        """
        try:
            read = json.loads(text)
            told = (read["model"], read["format"], tuple(read["names"]))
            if told[:2] != ("seismic_hazard", FORMAT) or told[2] not in (FULL, REDUCED):
                raise ValueError(f"model {told[0]}, format {told[1]}, features {', '.join(told[2])}")
            arrays = {
                name: np.array(read[name], dtype=np.float64) for name in ("mean", "scale", "weights", "calibration")
            }
            return Model(names=told[2], **arrays, about=read["about"])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"expected a seismic_hazard model of format {FORMAT}, got: {error}; train it anew"
            ) from None


def predict(model: Model, shifts: Shifts) -> Floats:
    """The chance of a bump of at least 10⁴ J in the shift after each of these; shape (n,).

    The forecast of a shift uses it and those before it, best at least four weeks of them. NaN where a feature is not
    known: before the first bump network's shift, or where a model that needs geophones gets shifts without them.
    """
    return sigmoid(calibrated(model.calibration, raw_logit(model, shifts)))


def raw_logit(model: Model, shifts: Shifts) -> Floats:
    """The logit before calibration; shape (n,)."""
    return model.weights[0] + (features(shifts, model.names) - model.mean) / model.scale @ model.weights[1:]


def calibrated(calibration: Floats, score: Floats) -> Floats:
    return calibration[0] + calibration[1] * score


def reasons(model: Model, shifts: Shifts, most: int = 3) -> list[tuple[str, float]]:
    """Which features moved the last shift's logit away from the usual, the strongest first, with by how much."""
    last = (features(shifts, model.names)[-1] - model.mean) / model.scale * model.weights[1:] * model.calibration[1]
    order = np.argsort(-np.abs(last), kind="stable")[:most]
    return [(model.names[each], float(last[each])) for each in order]
