"""The one call: readings and a forecaster in, forecasts out. Batch job, registry package and API make the same one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast import files
from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.distribution import Grid
from minefusion.models.methane_forecast.experts import ClassTrees, Forest, Neighbours, Persistence, QuantileTrees, Tuned
from minefusion.models.methane_forecast.explain import drivers
from minefusion.models.methane_forecast.features import LOOKBACK, Features, features
from minefusion.models.methane_forecast.forecast import Floats, Forecast, Readings, joined, side_by_side, steps
from minefusion.models.methane_forecast.general import Calibration, GeneralNetwork
from minefusion.models.methane_forecast.onset import OnsetModel
from minefusion.models.methane_forecast.point import Issued, PointModel, issue
from minefusion.models.methane_forecast.pool import Past
from minefusion.models.methane_forecast.train import Forecaster, Stretch
from minefusion.models.methane_forecast.trees import Trees
from minefusion.schemas.errors import InputError

# Readings before an origin that its forecast may look at: the features' own look back, and what the pool learns from.
MEMORY = steps(8 * 60)
HISTORY_STEPS = LOOKBACK + MEMORY
_KINDS = {
    each.__name__: each
    for each in (
        Forecaster, ForecastConfig, PointModel, Grid, OnsetModel, Past, Trees, Persistence, Forest, QuantileTrees,
        ClassTrees, Neighbours, Tuned, GeneralNetwork, Calibration,
    )
}  # fmt: skip


def predict(forecaster: Forecaster, readings: Readings, origins: NDArray[np.integer] | None = None) -> Forecast:
    """Forecast every point at some instants.

    Nothing is remembered between calls: the pool's state at an instant follows from the forecaster and the readings
    before it, so the same readings give the same forecast, by minute or in one go. Give HISTORY_STEPS before the first
    origin where there are so many.

    Args:
        origins: rows of `readings` at which to forecast, rising; the last one where left out.

    Raises:
        InputError: no readings, or an origin that is not among them.
    """
    asked = np.array([len(readings) - 1]) if origins is None else np.asarray(origins, dtype=np.int64)
    if not len(readings) or not len(asked) or asked.min() < 0 or asked.max() >= len(readings):
        raise InputError(f"expected origins among the {len(readings)} rows of readings, got {asked.tolist()[:5]}")
    readings = readings.until(int(asked.max()) + 1)
    return forecast_of(forecaster, readings, asked)


def forecast_of(forecaster: Forecaster, readings: Readings, asked: NDArray[np.int64]) -> Forecast:
    """As `predict`, of origins that are known to be among the readings."""
    known = [name for name in readings.names if name in forecaster.points]
    unknown = [name for name in readings.names if name not in forecaster.points]
    if unknown and forecaster.general is None:
        raise InputError(f"expected points {', '.join(forecaster.points)}, got {unknown[0]}; train a model with it")
    found: dict[str, Forecast] = {}
    for name in known:
        found[name] = _of_point(forecaster, readings, readings.names.index(name), asked)
    if unknown and forecaster.general is not None:
        at = [readings.names.index(name) for name in unknown]
        general = forecaster.general.forecast(readings, asked, at)
        found |= {name: _only(general, number) for number, name in enumerate(unknown)}
    return side_by_side([found[name] for name in readings.names])


def of_stretches(forecaster: Forecaster, readings: Readings, stretches: tuple[Stretch, ...]) -> Forecast:
    """Forecasts that were issued while the forecaster grew, with what drove them; warnings by its final thresholds."""
    points = []
    for point in range(len(readings.names)):
        told = drivers(readings, point)
        rows = features(readings, point)
        parts = [
            _forecast(forecaster, readings, point, each.issued[point], rows, told, np.arange(each.start, each.stop))
            for each in stretches
        ]
        points.append(joined(parts))
    return side_by_side(points)


def save(forecaster: Forecaster, folder: Path) -> None:
    """Write a forecaster into a folder, which is made."""
    files.write(forecaster, folder)


def load(folder: Path) -> Forecaster:
    """Read a forecaster.

    Raises:
        InputError: there is none.
    """
    found = files.read(folder, _KINDS)
    assert isinstance(found, Forecaster)
    return found


def _of_point(forecaster: Forecaster, readings: Readings, point: int, asked: NDArray[np.int64]) -> Forecast:
    model = forecaster.points[readings.names[point]]
    rows = features(readings, point).under(model.columns)
    # From where the pool goes on: after what the model has seen, and where features have their whole look back. Neither
    # hangs on the origins, so that one call for many minutes and many calls for one give the same.
    start = int(np.searchsorted(readings.times_s, model.until_s, side="right"))
    if len(readings) - start > MEMORY:
        start = max(start, min(LOOKBACK, int(asked.min())))
    start = min(start, int(asked.min()))
    earlier = model.past.before(readings.times_s[start])
    own = readings.ch4_pct[:, point]
    stop = len(readings)
    issued, _ = issue(replace(model, past=earlier), rows, own, readings.times_s, start, stop, forecaster.config)
    whole = _forecast(forecaster, readings, point, issued, rows, drivers(readings, point), np.arange(start, stop))
    return _rows(whole, asked - start)


def _forecast(
    forecaster: Forecaster,
    readings: Readings,
    point: int,
    issued: Issued,
    rows: Features,
    told: tuple[NDArray[np.str_], Floats],
    here: NDArray[np.int64],
) -> Forecast:
    name = readings.names[point]
    chance = np.nan_to_num(issued.onset[:, -1], nan=-1.0)
    return Forecast(
        issued_s=readings.times_s[here],
        names=(name,),
        base_pct=rows.base_pct[here, None],
        quantiles_pct=issued.quantiles_pct[:, None],
        interval_pct=issued.interval_pct[:, None],
        onset=issued.onset[:, None],
        is_warning=(chance >= forecaster.threshold(name))[:, None],
        is_out_of_range=issued.is_out_of_range[:, None],
        driver=told[0][here, None],
        driver_min=told[1][here, None],
    )


def _rows(forecast: Forecast, chosen: NDArray[np.int64]) -> Forecast:
    columns = {name: getattr(forecast, name)[chosen] for name in Forecast.__dataclass_fields__ if name != "names"}
    return Forecast(names=forecast.names, **columns)


def _only(forecast: Forecast, point: int) -> Forecast:
    columns = {
        name: getattr(forecast, name)[:, point : point + 1]
        for name in Forecast.__dataclass_fields__
        if name not in ("names", "issued_s")
    }
    return Forecast(issued_s=forecast.issued_s, names=(forecast.names[point],), **columns)
