"""How a value moves: slopes, fluctuation, changes of direction. Arrow in and out, one series at a time.

These detectors are our own, since the guideline gives no numbers for "abnormal rise" or "large fluctuation"; how much
is too much, the plant says.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MINUTE_US = 60_000_000
# Slopes are over so long, and known where samples cover at least LEAST_SHARE of it.
SHORT_MIN, LONG_MIN, HOUR_MIN, LEAST_SHARE = 5, 10, 60, 0.8
# A change of direction counts from this share of the median of the hour.
TURN_SHARE = 0.05
TRENDS = ("rising", "falling", "not_falling", "fluctuating", "frequent")
SCHEMA = pa.schema(
    {"mine_code": pa.string(), "area_id": pa.string(), "variable": pa.string(), "observed_us": pa.int64()}
    | {"value": pa.float64(), "expires_us": pa.int64()}
)


def trends_of(series: pa.Table) -> pa.Table:
    """Facts `<variable>:<trend>` at each sample of one series: per minute, per cent, or changes an hour.

    rising: slope over five minutes. falling: the same where it only falls, else 0. not_falling: slope over ten minutes.
    fluctuating: (P95 - P5) ÷ |median| over ten minutes [%]. frequent: changes of direction within the hour.
    Where too little is known there is no fact.
    """
    series = series.sort_by("observed_us")
    times, values = series["observed_us"].to_numpy(), series["value"].to_numpy()
    found: dict[str, list[float]] = {name: [] for name in TRENDS}
    for place in range(len(times)):
        short, long, hour = (_window(times, place, minutes) for minutes in (SHORT_MIN, LONG_MIN, HOUR_MIN))
        slope = _slope(times, values, short, SHORT_MIN)
        found["rising"].append(slope)
        falls = len(values[short]) > 1 and bool((np.diff(values[short]) <= 0).all())
        found["falling"].append(slope if falls or np.isnan(slope) else 0.0)
        found["not_falling"].append(_slope(times, values, long, LONG_MIN))
        found["fluctuating"].append(_fluctuation(times, values, long))
        found["frequent"].append(_turns(values[hour]))
    parts = []
    for name, numbers in found.items():
        known = ~np.isnan(np.array(numbers, dtype=float))
        some = series.filter(pa.array(known))
        count = len(some)
        parts.append(
            pa.table(
                {
                    "mine_code": some["mine_code"],
                    "area_id": some["area_id"],
                    "variable": pa.array([f"{series['variable'][0].as_py()}:{name}"] * count, pa.string()),
                    "observed_us": some["observed_us"],
                    "value": pa.array(np.round(np.array(numbers)[known], 9), pa.float64()),
                    "expires_us": some["expires_us"],
                },
                schema=SCHEMA,
            )
        )
    return pa.concat_tables(parts)


def _window(times: Ints, place: int, minutes: int) -> slice:
    """Samples of the last so many minutes up to one sample."""
    return slice(int(np.searchsorted(times, times[place] - minutes * MINUTE_US)), place + 1)


def _covers(times: Ints, window: slice, minutes: int) -> bool:
    return bool(times[window][-1] - times[window][0] >= LEAST_SHARE * minutes * MINUTE_US)


def _slope(times: Ints, values: Floats, window: slice, minutes: int) -> float:
    """Least-squares slope per minute; nan where the samples do not cover the time."""
    if window.stop - window.start < 3 or not _covers(times, window, minutes):
        return float("nan")
    at = (times[window] - times[window][0]) / MINUTE_US
    return float(np.polyfit(at, values[window], 1)[0])


def _fluctuation(times: Ints, values: Floats, window: slice) -> float:
    middle = float(np.median(values[window]))
    if window.stop - window.start < 5 or middle == 0 or not _covers(times, window, LONG_MIN):
        return float("nan")
    low, high = np.percentile(values[window], [5, 95])
    return float(100 * (high - low) / abs(middle))


def _turns(values: Floats) -> float:
    """Changes of direction that are larger than TURN_SHARE of the median."""
    if len(values) < 3:
        return float("nan")
    least = TURN_SHARE * abs(float(np.median(values)))
    turns, direction, extreme = 0, 0, float(values[0])
    for value in values[1:]:
        step = float(value) - extreme
        if (direction >= 0 and step > 0) or (direction <= 0 and step < 0):
            if abs(step) > least and direction == 0:
                direction = 1 if step > 0 else -1
            if direction:
                extreme = float(value)
        elif abs(step) > least:
            turns, direction, extreme = turns + 1, -direction, float(value)
    return float(turns)
