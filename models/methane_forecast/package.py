"""The model as other systems call it: columns in, columns out, in long form, so that any number of points fits.

A row in is one sample: of methane (`ch4`, with the point's name and alarm limit), of an air velocity (`air_velocity`,
with the sensor's name), of the barometer (`pressure`, hPa) or of the works (`producing`, 0 or 1). Samples may come at
any spacing. A row out is the forecast of one point and horizon, issued at the newest sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.forecast import (
    HORIZONS_MIN,
    LEVELS,
    WITHIN_MIN,
    Floats,
    Forecast,
    Readings,
    clock,
    on_clock,
)
from minefusion.models.methane_forecast.predict import load as load_forecaster
from minefusion.models.methane_forecast.predict import predict
from minefusion.schemas.errors import InputError

GAS, AIR, PRESSURE, PRODUCING = "ch4", "air_velocity", "pressure", "producing"
# Machine states and the barometer are told seldom, and hold until told anew.
_HOLD_S = 2 * 3600.0
# No forecast looks farther back, and an even clock over a wrong time would fill the memory.
LONGEST_S = 31 * 86_400.0

INPUTS = ("time_s", "channel", "name", "value", "limit_pct")
OUTPUTS = (
    "issued_s", "name", "horizon_min", "base_pct", *(f"q{100 * level:02.0f}_pct" for level in LEVELS),
    "low_pct", "high_pct", "reach_chance", "is_warning", "is_out_of_range", "driver",
)  # fmt: skip
TYPES = {
    "channel": "string", "name": "string", "driver": "string", "horizon_min": "long",
    "is_warning": "boolean", "is_out_of_range": "boolean",
}  # fmt: skip


def load(folder: Path) -> Callable[[Mapping[str, NDArray]], dict[str, NDArray]]:
    """`predict` of the forecaster in the folder, on the columns of INPUTS."""
    forecaster = load_forecaster(folder)
    return lambda columns: columns_of(predict(forecaster, readings_of(columns)))


def readings_of(columns: Mapping[str, NDArray]) -> Readings:
    """Samples in long form as readings on an even clock.

    Raises:
        InputError: there is no sample of methane, or the times are none or too far apart.
    """
    time_s, channel, name, value, limit_pct = (np.asarray(columns[each]) for each in INPUTS)
    time_s, value, limit_pct = (each.astype(np.float64) for each in (time_s, value, limit_pct))
    if not len(time_s) or not np.isfinite(time_s).all() or np.ptp(time_s) > LONGEST_S:
        days = LONGEST_S / 86_400
        raise InputError(f"expected samples with a time, within {days:.0f} days; give {INPUTS[0]} of each, in seconds")
    channel, name = channel.astype(str), name.astype(str)
    gas, air = (sorted(set(name[channel == each])) for each in (GAS, AIR))
    if not gas:
        raise InputError(
            f"expected rows of channel {GAS}, got {', '.join(sorted(set(channel))) or 'none'}; give samples"
        )
    even = clock(float(time_s.min()), float(time_s.max()))

    def on(rows: NDArray[np.bool_], hold_s: float = 0.0) -> Floats:
        order = np.argsort(time_s[rows], kind="stable")
        return on_clock(time_s[rows][order], value[rows][order], even, hold_s=hold_s)

    def of(kind: str) -> NDArray[np.bool_]:
        return channel == kind

    return Readings(
        times_s=even,
        ch4_pct=np.column_stack([on(of(GAS) & (name == each)) for each in gas]),
        names=tuple(gas),
        limits_pct=np.array([limit_pct[of(GAS) & (name == each)][-1] for each in gas]),
        air_m_s=np.column_stack([on(of(AIR) & (name == each)) for each in air]) if air else np.empty((0, 0)),
        pressure_hpa=on(of(PRESSURE), _HOLD_S) if of(PRESSURE).any() else np.empty(0),
        producing=on(of(PRODUCING), _HOLD_S) if of(PRODUCING).any() else np.empty(0),
    )


def columns_of(forecast: Forecast) -> dict[str, NDArray]:
    """One row per instant, point and horizon, in that order."""
    shape = (*forecast.base_pct.shape, len(HORIZONS_MIN))
    reach = np.full(shape, np.nan)
    for place, minutes in enumerate(WITHIN_MIN):
        reach[..., HORIZONS_MIN.index(minutes)] = forecast.onset[..., place]
    whole = {
        "issued_s": forecast.issued_s[:, None, None],
        "name": np.array(forecast.names)[None, :, None],
        "horizon_min": np.array(HORIZONS_MIN)[None, None, :],
        "base_pct": forecast.base_pct[..., None],
        "low_pct": forecast.interval_pct[..., 0],
        "high_pct": forecast.interval_pct[..., 1],
        "reach_chance": reach,
        "is_warning": forecast.is_warning[..., None],
        "is_out_of_range": forecast.is_out_of_range[..., None],
        "driver": forecast.driver[..., None],
    }
    whole |= {f"q{100 * level:02.0f}_pct": forecast.quantiles_pct[..., place] for place, level in enumerate(LEVELS)}
    return {name: np.broadcast_to(whole[name], shape).reshape(-1) for name in OUTPUTS}
