"""Rain by gauge and hour, and what is known of rain that brings down slopes and floods mines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np

from minefusion.pipelines.hazard.hours import HOUR_US, UNPLACED, Floats, trailing_count

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.history import History

DAY_H = 24
# What is left after a day of what has soaked in.
RECESSION = 0.85
# Durations of the intensity-duration line that are looked at: an hour to three days.
DURATIONS_H = (1, 2, 3, 6, 12, 24, 48, 72)


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
    """Rain of the last `hours` at each place [mm]; NaN where less than three quarters of the hours are known."""
    total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(rain))])
    place = np.arange(len(rain)) + 1
    sums = total[place] - total[np.maximum(place - hours, 0)]
    return np.where(trailing_count(rain, hours) >= 0.75 * hours, sums, np.nan)


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
