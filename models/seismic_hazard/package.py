"""The model as other systems call it: columns in, columns out, one row per shift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minefusion.models.seismic_hazard.predict import Model, predict
from minefusion.models.seismic_hazard.shifts import Floats, Shifts

FILE = "model.json"
INPUTS = ("bumps", "energy_j", "strong", "producing", "pulses")
OUTPUTS = ("chance",)


def write(model: Model, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(model.to_json(), encoding="utf-8")


def read(folder: Path) -> Model:
    return Model.from_json((folder / FILE).read_text(encoding="utf-8"))


def load(folder: Path) -> Callable[[Mapping[str, NDArray]], dict[str, Floats]]:
    """`predict` of the model in the folder, on the columns of INPUTS."""
    model = read(folder)

    def call(columns: Mapping[str, NDArray]) -> dict[str, Floats]:
        shifts = Shifts(*(np.asarray(columns[name], dtype=np.float64) for name in INPUTS))
        return {OUTPUTS[0]: predict(model, shifts)}

    return call
