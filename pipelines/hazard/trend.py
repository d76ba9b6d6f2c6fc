"""The slope of a point's methane, minute by minute: what expressions cannot say, as one function over Arrow tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from minefusion.pipelines.hazard.minutes import HELD_PERIODS, MINUTE_US
from minefusion.pipelines.hazard.rows import MIN_COVERAGE
from minefusion.pipelines.rounding import DECIMALS, NUDGE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Slope over five minutes; ten where samples are few or come in steps of 0.1 %.
SHORT_MIN, LONG_MIN, HISTORY_MIN = 5, 10, 30
LEAST_SAMPLES = 6
PAIRS_AT_ONCE = 10_000_000
COARSE_STEP_PCT = 0.1
# Reasons of readings that tell that the instrument was out of service.
OUT_OF_SERVICE = ("CALIBRATION", "SUBSTATION_FAULT", "NOT_POLLED", "SUSPENDED", "SENSOR_FAULT")

TREND = pa.schema(
    {"mine_code": pa.string(), "point_id": pa.string(), "minute_no": pa.int64()}
    | dict.fromkeys(("slope", "span_min", "mean_5", "mean_30", "trend_coverage"), pa.float64())
    | {"trend_samples": pa.int64(), "restarted": pa.bool_()}
)


def theil_sen_slopes(at: Floats, values: Floats) -> Floats:
    """Median of the slopes between all pairs of samples, row by row (Sen 1968).

    Args:
        at, values: shape (n, k), unused places NaN; no two samples of a row at one instant.
    Returns:
        Shape (n,), in units of `values` per unit of `at`; NaN where a row has fewer than two samples.
    """
    if at.shape[1] < 2:
        return np.full(len(at), np.nan)
    first, second = np.triu_indices(at.shape[1], 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = (values[:, second] - values[:, first]) / (at[:, second] - at[:, first])
    slopes.sort(axis=1)  # NaN last
    pairs = np.isfinite(slopes).sum(axis=1)
    row, last = np.arange(len(slopes)), np.maximum(pairs - 1, 0)
    return (slopes[row, last // 2] + slopes[row, np.minimum(pairs // 2, last)]) / 2


def trend_of_point(first: int, last: int) -> Callable[[pa.Table], pa.Table]:
    """What gives the trend of one point in the minutes first … last - 1.

    It takes the point's readings, mine_code, point_id, observed_us, value, usable, out (the instrument was out of
    service) and period_s, and gives rows of TREND. Each minute looks at what came before its end.
    """

    def trend(readings: pa.Table) -> pa.Table:
        readings = readings.sort_by("observed_us")
        at = readings["observed_us"].to_numpy()
        out = readings["out"].to_numpy(zero_copy_only=False)
        good = readings["usable"].to_numpy(zero_copy_only=False) & ~np.isnan(readings["value"].to_numpy())
        us, values = at[good], readings["value"].to_numpy()[good]
        hold = int(HELD_PERIODS * 1_000_000 * readings["period_s"][0].as_py())
        minute = np.arange(first, last, dtype=np.int64)
        ends = (minute + 1) * MINUTE_US
        slope, span, samples = _slopes(us, values, ends)
        covered, weighted = _running(us, values, hold, ends)
        shares, means = {}, {}
        for minutes in (SHORT_MIN, LONG_MIN, HISTORY_MIN):
            covered_before, weighted_before = _running(us, values, hold, ends - minutes * MINUTE_US)
            time = covered - covered_before
            shares[minutes] = time / (minutes * MINUTE_US)
            means[minutes] = np.divide(weighted - weighted_before, time, out=np.full(len(ends), np.nan), where=time > 0)
        stopped = np.concatenate([[np.iinfo(np.int64).min // 2], at[out]])
        last_stop = stopped[np.searchsorted(stopped, ends) - 1]
        enough = shares[HISTORY_MIN] >= MIN_COVERAGE
        return pa.table(
            {
                "mine_code": pa.array([readings["mine_code"][0].as_py()] * len(minute), pa.string()),
                "point_id": pa.array([readings["point_id"][0].as_py()] * len(minute), pa.string()),
                "minute_no": minute,
                "slope": _known(slope),
                "span_min": span.astype(float),
                "mean_5": _known(means[SHORT_MIN]),
                "mean_30": _known(np.where(enough, means[HISTORY_MIN], np.nan)),
                "trend_coverage": np.where(span == SHORT_MIN, shares[SHORT_MIN], shares[LONG_MIN]),
                "trend_samples": samples,
                "restarted": ends - last_stop <= HISTORY_MIN * MINUTE_US,
            },
            schema=TREND,
        )

    return trend


def _known(values: Floats) -> pa.Array:
    """Rounded, and null where NaN."""
    return pa.array(np.round(values + NUDGE, DECIMALS), from_pandas=True)


def _slopes(us: Ints, values: Floats, ends: Ints) -> tuple[Floats, Ints, Ints]:
    """Slope [%/min], minutes and samples that it rests on, for windows that end at `ends`."""
    stop = np.searchsorted(us, ends)
    short = np.searchsorted(us, ends - SHORT_MIN * MINUTE_US)
    long = np.searchsorted(us, ends - LONG_MIN * MINUTE_US)
    steps = values / COARSE_STEP_PCT
    fine = np.concatenate([[0], np.cumsum(np.abs(steps - np.round(steps)) > 1e-6)])
    coarse = fine[stop] == fine[long]
    use_long = coarse | (stop - short < LEAST_SAMPLES)
    start = np.where(use_long, long, short)
    samples = stop - start
    slope = np.full(len(ends), np.nan)
    enough = np.flatnonzero(samples >= LEAST_SAMPLES)
    most = int(samples.max(initial=0))
    # As many windows at once as fit in memory, however often the sensor reports.
    for part in np.array_split(enough, -(-len(enough) * most**2 // PAIRS_AT_ONCE) or 1):
        place = start[part, None] + np.arange(most)
        inside = place < stop[part, None]
        place = np.where(inside, place, 0)
        # Minutes from the window's end keep the numbers small.
        at = np.where(inside, (us[place] - ends[part, None]) / MINUTE_US, np.nan)
        slope[part] = theil_sen_slopes(at, np.where(inside, values[place], np.nan))
    return slope, np.where(use_long, LONG_MIN, SHORT_MIN), samples


def _running(us: Ints, values: Floats, hold: int, until: Ints) -> tuple[Ints, Floats]:
    """Time that samples held for, and value × time, up to the instants `until`."""
    if not len(us):
        return np.zeros(len(until), dtype=np.int64), np.zeros(len(until))
    holds = np.minimum(np.append(np.diff(us), hold), hold)
    time = np.concatenate([[0], np.cumsum(holds)])
    weight = np.concatenate([[0.0], np.cumsum(holds * values)])
    number_before = np.searchsorted(us, until)
    newest = np.maximum(number_before - 1, 0)
    part = np.where(number_before > 0, np.minimum(until - us[newest], holds[newest]), 0)
    return time[newest] + part, weight[newest] + part * values[newest]
