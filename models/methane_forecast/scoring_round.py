"""One scoring round: the newest instant of many air paths at once, for a machine that serves thousands of points.

The numbers are those of `predict` on each path, but the network is asked once for all, and only a warning is explained:
looking for the cause of a forecast that warns of nothing costs more than the forecast.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.explain import UNCLEAR, drivers
from minefusion.models.methane_forecast.features import ACTIVE, HOLD, contexts, last_good
from minefusion.models.methane_forecast.forecast import Forecast, Readings
from minefusion.models.methane_forecast.general import GeneralNetwork, WindowForecast
from minefusion.models.methane_forecast.windows import CHANNELS, LENGTH, newest_windows


def newest(general: GeneralNetwork, paths: Sequence[Readings]) -> list[Forecast]:
    """Forecast every point of every path at the last instant of its readings; one forecast per path."""
    counts = [len(path.names) for path in paths]
    inputs = np.empty((sum(counts), CHANNELS, LENGTH), np.float32)
    base, is_active, limits = np.empty(len(inputs)), np.empty(len(inputs), bool), np.empty(len(inputs))
    at = 0
    for path, count in zip(paths, counts, strict=True):
        here = slice(at, at + count)
        inputs[here], base[here] = newest_windows(path)
        is_active[here], limits[here] = _is_active(path), path.limits_pct
        at += count
    said = general.issue(inputs, is_active, limits)
    found, at = [], 0
    for path, count in zip(paths, counts, strict=True):
        found.append(_of_path(path, said, base[at : at + count], slice(at, at + count)))
        at += count
    return found


def _of_path(path: Readings, said: WindowForecast, base: NDArray[np.float64], here: slice) -> Forecast:
    known = np.isfinite(base)
    is_warning = known & said.is_warning[here]
    driver, driver_min = np.full(len(base), UNCLEAR, dtype="<U10"), np.full(len(base), np.nan)
    for point in np.flatnonzero(is_warning):
        names, minutes = drivers(path, int(point))
        driver[point], driver_min[point] = names[-1], minutes[-1]
    return Forecast(
        issued_s=path.times_s[-1:],
        names=path.names,
        base_pct=base[None],
        quantiles_pct=np.where(known[:, None, None], said.quantiles_pct[here], np.nan)[None],
        interval_pct=np.where(known[:, None, None], said.interval_pct[here], np.nan)[None],
        onset=np.where(known[:, None], said.onset[here], np.nan)[None],
        is_warning=is_warning[None],
        is_out_of_range=said.is_out_of_range[here][None],
        driver=driver[None],
        driver_min=driver_min[None],
    )


def _is_active(path: Readings) -> NDArray[np.bool_]:
    """Whether each point is in the active regime at the last row."""
    if path.producing.size and np.isfinite(path.producing[-ACTIVE - 1 :]).all():
        return np.full(len(path.names), (path.producing[-ACTIVE - 1 :] > 0.5).any())
    producing = path.producing if path.producing.size else np.full(len(path), np.nan)
    held = last_good(path.ch4_pct, HOLD)
    return np.array([contexts(producing, own)[1][-1] for own in held.T])
