"""Training: a forecaster grows along a series, forecasting each stretch before it learns it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.features import Features, features
from minefusion.models.methane_forecast.forecast import Forecast, Readings
from minefusion.models.methane_forecast.onset import TINY_PCT
from minefusion.models.methane_forecast.point import Issued, PointModel, fit_point, issue
from minefusion.models.methane_forecast.warning import NEVER, threshold_for
from minefusion.schemas.errors import InputError

Progress = Callable[[float, str], None]


class General(Protocol):
    """Forecasts points that it was not trained on."""

    @property
    def threshold(self) -> float:
        """Onset probability within 30 min at which a point is warned of."""

    def forecast(self, readings: Readings, origins: NDArray[np.int64], points: Sequence[int]) -> Forecast:
        """Forecast some points of the readings at some rows; the columns are those points in this order."""


@dataclass(frozen=True)
class Forecaster:
    """A trained model of a mine's methane points; `predict` calls it.

    Attributes:
        points: each point's own model.
        general: what forecasts a point that has none of its own; None where there is nothing for it.
        thresholds: onset probability within 30 min at which a point is warned of.
    """

    config: ForecastConfig
    points: dict[str, PointModel] = field(default_factory=dict)
    general: General | None = None
    thresholds: dict[str, float] = field(default_factory=dict)

    def threshold(self, name: str) -> float:
        """Onset probability within 30 min at which this point is warned of."""
        if name in self.points or self.general is None:
            return self.thresholds.get(name, NEVER)
        return self.general.threshold


@dataclass(frozen=True)
class Stretch:
    """Consecutive rows start … stop, forecast by models fitted before them; one of `issued` per point."""

    start: int
    stop: int
    issued: tuple[Issued, ...]


def grow(
    readings: Readings,
    rows: tuple[Features, ...],
    first: int,
    config: ForecastConfig,
    *,
    models: dict[str, PointModel] | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Stretch, dict[str, PointModel]]]:
    """Forecast the rows from `first` on, stretch by stretch; the experts are fitted anew before each.

    Args:
        rows: features of each point, of the whole readings.
        models: what to begin with, fitted just before `first`; fitted here where left out.

    Yields:
        The stretch, and the models with it in their past (experts not yet fitted to it).
    """
    models = dict(models or {})
    for start in range(first, len(readings), config.refit_steps):
        stop = min(start + config.refit_steps, len(readings))
        if progress:
            progress(start / len(readings), f"row {start:,} of {len(readings):,}")
        issued = []
        for point, name in enumerate(readings.names):
            if name not in models or start > first:
                models[name] = _fitted(readings, rows, point, start, config, models.get(name))
            own = readings.ch4_pct[:, point]
            found, models[name] = issue(models[name], rows[point], own, readings.times_s, start, stop, config)
            issued.append(found)
        yield Stretch(start, stop, tuple(issued)), dict(models)


def first_fit(readings: Readings, config: ForecastConfig) -> int:
    """Row before which the first fit learns.

    Raises:
        InputError: the series is too short to train on.
    """
    least = config.fewest_rows + config.refit_steps
    if len(readings) < least:
        raise InputError(
            f"expected a series of {least} half minutes or more to train on, got {len(readings)}; "
            "use the shipped model, which needs none"
        )
    return max(config.fewest_rows, round(config.first_share * len(readings)))


def train(
    readings: Readings, config: ForecastConfig | None = None, *, progress: Progress | None = None
) -> tuple[Forecaster, tuple[Stretch, ...]]:
    """Train on a whole series.

    Returns:
        The forecaster, and the forecasts that it made on the way, each before its stretch was learned.

    Raises:
        InputError: the series is too short.
    """
    config = config or ForecastConfig()
    rows = tuple(features(readings, point) for point in range(len(readings.names)))
    stretches: list[Stretch] = []
    models: dict[str, PointModel] = {}
    for stretch, grown in grow(readings, rows, first_fit(readings, config), config, progress=progress):
        stretches.append(stretch)
        models = grown
    for point, name in enumerate(readings.names):
        models[name] = _fitted(readings, rows, point, len(readings), config, models[name])
    thresholds = {name: _threshold(readings, point, stretches, config) for point, name in enumerate(readings.names)}
    return Forecaster(config, models, thresholds=thresholds), tuple(stretches)


def _threshold(readings: Readings, point: int, stretches: Sequence[Stretch], config: ForecastConfig) -> float:
    """Set on the forecasts that were made before their stretch was learned."""
    chance = np.concatenate([each.issued[point].onset[:, -1] for each in stretches])
    own = readings.ch4_pct[stretches[0].start : stretches[-1].stop, point]
    return threshold_for(chance, own >= readings.limits_pct[point] - TINY_PCT, config.false_warnings_per_day)


def _fitted(
    readings: Readings,
    rows: tuple[Features, ...],
    point: int,
    until: int,
    config: ForecastConfig,
    before: PointModel | None,
) -> PointModel:
    return fit_point(
        readings.names[point],
        float(readings.limits_pct[point]),
        rows[point],
        readings.ch4_pct[:, point],
        readings.times_s,
        until,
        config,
        past=before.past if before else None,
        grid=before.grid if before else None,
    )
