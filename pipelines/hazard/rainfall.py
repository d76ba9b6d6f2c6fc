"""Rain by gauge and hour, and what is known of rain that brings down slopes and floods mines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np

from minefusion.pipelines.hazard.hours import HOUR_US, UNPLACED, Floats

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.history import History

DAY_H = 24
# What is left after a day of what has soaked in.
RECESSION = 0.85
# Durations of the intensity-duration line that are looked at: an hour to three days.
DURATIONS_H = (1, 2, 3, 6, 12, 24, 48, 72)
# A sum needs so much of its hours; how far a gauge's readings lie apart is told from so many of them.
LEAST_KNOWN, GAPS = 0.75, 5


def rain_by_hour(history: History, *families: str) -> nw.LazyFrame:
    """Rain of each gauge and hour [mm]: mine_code, area_id, point_id, quantity ('rainfall'), hour, value.

    Each reading is the rain since the one before it. An hour without a reading has no row.
    """
    names = ["mine_code", "area_id", "point_id", "quantity", "observed_us", "value"]
    known = (nw.col("quantity") == "rainfall") & ~nw.col("value").is_null()
    parts = [getattr(history.feeds, family).filter(known, nw.col("usable")).select(*names) for family in families]
    five = history.five.with_columns(
        nw.col("start_us").alias("observed_us"), (nw.col("value_mean") * nw.col("readings")).alias("value")
    )
    parts.append(five.filter(known).select(*names))
    rows = nw.concat(parts, how="vertical").with_columns(
        nw.col("area_id").fill_null(UNPLACED), (nw.col("observed_us") // HOUR_US).cast(nw.Int64).alias("hour")
    )
    gauge = ["mine_code", "area_id", "point_id", "quantity", "hour"]
    return rows.group_by(*gauge).agg(nw.col("value").sum().alias("value"))


def fallen(rain: Floats, hours: int) -> Floats:
    """Rain of the last `hours` at each place [mm]; NaN where less than three quarters of the hours are known.

    What a gauge tells every few hours, or once a day, counts as evenly fallen over the hours since it told before.
    """
    sums, known = _sums_and_known(rain, hours)
    return np.where(known >= LEAST_KNOWN * hours, sums, np.nan)


def known_share(rain: Floats, hours: int) -> Floats:
    """Share of the last `hours` whose rain is known, at each place."""
    return _sums_and_known(rain, hours)[1] / hours


def _sums_and_known(rain: Floats, hours: int) -> tuple[Floats, Floats]:
    """Rain of the last `hours` and how many of them are known; what is told later than a place is not known there."""
    told = np.where(np.isfinite(rain), np.arange(len(rain)), -1)
    end = np.maximum.accumulate(told) + 1
    spread = _spread(rain)
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(spread))])
    count = np.concatenate([[0.0], np.cumsum(np.isfinite(spread))])
    begin = np.maximum(np.arange(len(rain)) + 1 - hours, 0)
    end = np.maximum(end, begin)
    return total[end] - total[begin], count[end] - count[begin]


def _spread(rain: Floats) -> Floats:
    """The rain by hour of a gauge that tells it less often: each reading over the hours since the one before it.

    After a gap that is longer than the gauge's usual one, the reading is of the usual time alone.
    """
    at = np.flatnonzero(np.isfinite(rain))
    if len(at) < 2:
        return rain
    gaps = np.diff(at, prepend=at[0] - 1)
    if gaps.max() == 1:
        return rain
    recent = np.concatenate([np.full(GAPS - 1, np.nan), gaps[1:].astype(float)])
    usual = np.nanmedian(np.lib.stride_tricks.sliding_window_view(recent, GAPS), axis=1)
    spread = rain.copy()
    for place, hours in zip(at[1:], np.minimum(gaps[1:], usual).astype(int), strict=True):
        if hours > 1:
            spread[place - hours + 1 : place + 1] = rain[place] / hours
    return spread


def antecedent_index(daily_mm: Floats) -> Floats:
    """Antecedent precipitation index API_t = 0.85·API_(t−1) + P_t [mm], day by day; an unknown day counts as dry."""
    index, found = 0.0, np.empty(len(daily_mm))
    for day, rain in enumerate(np.nan_to_num(daily_mm)):
        index = RECESSION * index + rain
        found[day] = index
    return found


def caine_intensity_mm_h(duration_h: float) -> float:
    """Lower bound of rain that has brought down slopes, I = 14.82·D^(−0.39) [mm/h] (Caine 1980), recalled."""
    return 14.82 * duration_h**-0.39


def caine_ratio(rain: Floats) -> Floats:
    """The highest mean intensity over any duration ending at each place, as a share of Caine's bound."""
    shares = [fallen(rain, hours) / hours / caine_intensity_mm_h(hours) for hours in DURATIONS_H]
    return np.fmax.reduce(shares)
