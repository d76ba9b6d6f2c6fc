"""The seismic hazard of the next shift, forecast and compared with what came, from two files of the public series."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from minefusion.models.seismic_hazard.evaluate import evaluate
from minefusion.pipelines.replay.table import open_table
from minefusion.schemas.errors import InputError


def evaluate_seismic_hazard(train: Path, test: Path, *, reduced: bool = False) -> dict[str, Any]:
    """Scores on the shifts of one file that follow on those of another; see `models.seismic_hazard.evaluate`."""
    return evaluate(shift_columns(train), shift_columns(test), reduced=reduced)


def shift_columns(path: Path) -> dict[str, np.ndarray]:
    """A file's columns, one row per shift.

    Raises:
        InputError: it is no table, or has an empty cell.
    """
    table = open_table(path)
    empty = next((name for name in table.columns if table[name].null_count()), None)
    if empty is not None:
        raise InputError(
            f"expected a value in every row of {path}, got an empty cell in '{empty}'; fill it or cut there"
        )
    return {name: table[name].to_numpy() for name in table.columns}
