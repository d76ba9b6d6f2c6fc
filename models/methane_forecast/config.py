"""How a forecaster is trained and combined: every number that was chosen, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from minefusion.models.methane_forecast.forecast import steps


@dataclass(frozen=True)
class ForecastConfig:
    """Choices of a forecaster; docs/models/methane_forecast.md says on which data each was made.

    Attributes:
        experts: names in `experts.FITS`, in the order of their weights.
        refit_steps: experts are fitted anew after so many steps, on all that is past.
        first_share: share of the training series before the first fit; what follows is forecast before it is learned.
        fewest_rows: labelled rows below which a point has no experts of its own, only those that need no training.
        pool_steps: weights look at so many past rows of the same production context.
        pool_sharpness: how strongly a lower loss raises an expert's weight.
        pool_even: share of the weight that is always split evenly.
        band_steps: the 80 % interval is set on so many past rows of the same regime.
        false_warnings_per_day: the warning threshold allows so many per point and day on the training series.
    """

    experts: tuple[str, ...] = ("persistence", "forest", "quantile_trees", "class_trees")
    refit_steps: int = steps(8 * 60)
    first_share: float = 0.2
    fewest_rows: int = steps(16 * 60)
    pool_steps: int = steps(16 * 60)
    pool_sharpness: float = 20.0
    pool_even: float = 0.1
    band_steps: int = steps(8 * 60)
    false_warnings_per_day: float = 1.0
    seed: int = 1
    threads: int = 2
