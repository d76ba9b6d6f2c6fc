"""The methane forecast, trained on one file of a measured series and compared with what came in the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from minefusion.models.methane_forecast.evaluate import evaluate
from minefusion.models.methane_forecast.predict import load
from minefusion.pipelines.jobs.evaluate.methane_plots import draw
from minefusion.pipelines.jobs.forecast.measured_series import measured_series

Progress = Callable[[float, str], None]


def evaluate_methane_forecast(
    train: Path,
    test: Path,
    mapping: Path,
    *,
    plots: Path,
    model: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Scores per point and horizon, beside all baselines, and pictures of them.

    Args:
        model: folder of a trained forecaster; trained on `train` where left out.
        plots: folder for the pictures, which is made.
    """
    readings, split = measured_series([train, test], mapping)
    done = evaluate(readings, split, forecaster=load(model) if model else None, progress=progress)
    return done.found | {"plots": [str(path) for path in draw(done, plots)]}
