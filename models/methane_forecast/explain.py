"""Which input drove a forecast, in words; "unclear" where none stands out.

Rules over the inputs, not over the model: each possible driver has a strength, 1 where a mine engineer would name it.
The strongest is named if it reaches 1 and no other comes near; two at once are unclear. It says what was seen to move,
which is a reason to look there and not a proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.features import (
    ACTIVE,
    HOLD,
    LOOKBACK,
    lagged,
    last_good,
    recent_max,
    recent_mean,
    recent_min,
)
from minefusion.models.methane_forecast.forecast import MEDIAN, PERIOD_S, WITHIN_MIN, Floats, Forecast, Readings, steps

UNCLEAR = "unclear"
DRIVERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "production": ("采煤开始", "production started"),
        "air": ("风量下降", "the airflow fell"),
        "neighbour": ("相邻测点先上升", "a neighbouring point rose"),
        "pressure": ("气压下降", "the barometer fell"),
        "own": ("该点自身变化，未见外因", "the point moves by itself, no outer cause seen"),
        UNCLEAR: ("原因不明确", "no clear cause"),
    }
)
# What makes a strength of 1: share of time cut in the last 20 min over that of the 3 h before; share of the air that is
# lost against the 3 h before; fall of the barometer [hPa/h]; rise over what is usual for the point.
_CUT, _AIR_LOST, _PRESSURE_FALLS, _USUAL = 0.35, 0.08, 1.2, 3.0
# Less air than this is within what an anemometer wavers by, however slow the air [m/s].
_LEAST_LOST_M_S = 0.08
# The barometer is looked at over so many hours: a front that has just come shows in the shortest.
_FALL_OVER_H = (0.5, 1.0, 3.0)
# A neighbour rose first if it began so long before [min].
_LEADS_MIN = 2.0
# A rise of less than this is nothing, however quiet the point was [%].
_LEAST_RISE_PCT = 0.05
# Gas from cut coal rises by less than so many usual moves within five minutes; of a quiet point this is usual [%].
_SUDDEN, _LEAST_USUAL_PCT = 4.5, 0.01
# The second strongest must stay under this share of the strongest.
_CLEARLY = 0.8
_SHORT, _PLUME, _HOUR, _LONG = steps(10), steps(20), steps(60), steps(180)


def drivers(readings: Readings, point: int) -> tuple[NDArray[np.str_], Floats]:
    """The driver of each instant and the minutes since it began (NaN where it has no begin)."""
    count = len(readings)
    nothing = np.zeros(count), np.full(count, np.nan)
    roots = {
        "production": _production(readings) if readings.producing.size else nothing,
        "air": _air(readings) if readings.air_m_s.size else nothing,
        "pressure": _pressure(readings) if readings.pressure_hpa.size else nothing,
    }
    strength = np.stack([np.nan_to_num(each) for each, _ in roots.values()], axis=1)
    begins = np.stack([begin for _, begin in roots.values()], axis=1)
    best, order = strength.argmax(axis=1), np.sort(strength, axis=1)
    is_root = (order[:, -1] >= 1) & (order[:, -2] <= _CLEARLY * order[:, -1])
    # Gas that rises with no such cause: did it come from another point, or does this one move first?
    no_root = order[:, -1] < _CLEARLY
    own_strength, own_min = _rise(last_good(readings.ch4_pct[:, point], HOLD))
    near_strength, near_min = _neighbour(readings, point) if len(readings.names) > 1 else nothing
    rises = no_root & (np.nan_to_num(own_strength) >= 1)
    is_near = no_root & (np.nan_to_num(near_strength) >= 1) & ~(near_min < np.nan_to_num(own_min) + _LEADS_MIN)
    names = np.array([*roots, "neighbour", "own", UNCLEAR])
    near, own, unclear = len(roots), len(roots) + 1, len(roots) + 2
    chosen = np.where(is_root, best, np.where(is_near, near, np.where(rises, own, unclear)))
    root_min = begins[np.arange(count), best]
    minutes = np.where(is_root, root_min, np.where(is_near, near_min, np.where(rises, own_min, np.nan)))
    return names[chosen], minutes


def sentence(forecast: Forecast, row: int, point: int, lang: str) -> str:
    """One forecast in words, in Chinese (`zh`) or English (`en`)."""
    zh = lang == "zh"
    name, base = forecast.names[point], forecast.base_pct[row, point]
    if not np.isfinite(base):
        return f"{name}：十分钟内没有有效值，不预测" if zh else f"{name}: no good value for ten minutes, no forecast"
    high, chance = forecast.quantiles_pct[row, point, -1, MEDIAN], forecast.onset[row, point, -1]
    parts = [
        f"{name} 现为 {base:.2f} %，一小时后约 {high:.2f} %"
        if zh
        else f"{name} is {base:.2f} %, about {high:.2f} % in an hour"
    ]
    if np.isfinite(chance):
        within = WITHIN_MIN[-1]
        parts.append(
            f"{within} 分钟内达到报警限值的概率 {chance:.0%}"
            if zh
            else f"{chance:.0%} chance of reaching the alarm limit within {within} min"
        )
    words = DRIVERS[str(forecast.driver[row, point])][0 if zh else 1]
    since = forecast.driver_min[row, point]
    if np.isfinite(since):
        words += f"（{since:.0f} 分钟前）" if zh else f" {since:.0f} min ago"
    parts.append(words)
    if forecast.is_out_of_range[row, point]:
        parts.append("输入超出训练范围" if zh else "inputs outside the training range")
    return ("，" if zh else "; ").join(parts)


def _production(readings: Readings) -> tuple[Floats, Floats]:
    """Coal that was cut gives off its gas for a while after, and slowly: a sudden rise has another cause."""
    works = last_good(readings.producing, ACTIVE)
    gained = recent_mean(works, 2 * _SHORT) - recent_mean(lagged(works, 2 * _SHORT), _LONG)
    jumps = np.stack([_jump(last_good(own, HOLD)) for own in readings.ch4_pct.T], axis=1)
    is_sudden = recent_max(np.max(np.nan_to_num(jumps), axis=1), _PLUME) >= _SUDDEN
    return np.where(is_sudden, 0.0, gained / _CUT), _minutes_since(recent_max(works, _SHORT) > 0.5)


def _jump(own: Floats) -> Floats:
    """Rise within five minutes against what is usual for the point."""
    smooth = recent_mean(own, steps(2))
    moved = smooth - lagged(smooth, steps(5))
    usual = recent_mean(np.abs(lagged(moved, steps(10))), LOOKBACK)
    with np.errstate(invalid="ignore"):
        return moved / np.maximum(usual, _LEAST_USUAL_PCT)


def _air(readings: Readings) -> tuple[Floats, Floats]:
    """Gas that gathered while the air was away comes past when it is back."""
    lost = []
    for air in readings.air_m_s.T:
        held = last_good(air, HOLD)
        usual = recent_mean(lagged(held, 2 * _SHORT), _LONG)
        with np.errstate(invalid="ignore", divide="ignore"):
            fallen = usual - recent_mean(held, steps(3))
            lost.append(np.minimum(fallen / usual / _AIR_LOST, fallen / _LEAST_LOST_M_S))
    worst = recent_max(np.max(np.nan_to_num(np.stack(lost, axis=1)), axis=1), _PLUME)
    return worst, _minutes_since(worst > 0.5)


def _neighbour(readings: Readings, point: int) -> tuple[Floats, Floats]:
    found = [
        _rise(last_good(readings.ch4_pct[:, other], HOLD)) for other in range(len(readings.names)) if other != point
    ]
    strength = np.stack([np.nan_to_num(each) for each, _ in found], axis=1)
    begin = np.stack([since for _, since in found], axis=1)
    best = strength.argmax(axis=1)
    rows = np.arange(len(best))
    return strength[rows, best], begin[rows, best]


def _pressure(readings: Readings) -> tuple[Floats, Floats]:
    mean = recent_mean(last_good(readings.pressure_hpa, ACTIVE), steps(5))
    falls = [(lagged(mean, steps(60 * hours)) - mean) / hours for hours in _FALL_OVER_H]
    return np.max(np.nan_to_num(np.stack(falls, axis=1)), axis=1) / _PRESSURE_FALLS, np.full(len(mean), np.nan)


def _rise(values: Floats) -> tuple[Floats, Floats]:
    """How far a point has risen within an hour against what is usual for it, and the minutes since that began: since it
    last was within the lowest quarter of the rise."""
    smooth = recent_mean(values, steps(2))
    low = recent_min(smooth, _HOUR)
    rise = smooth - low
    usual = recent_mean(np.abs(smooth - lagged(smooth, _SHORT)), LOOKBACK)
    begin = np.full(len(values), np.nan)
    with np.errstate(invalid="ignore"):
        for minute in range(1, _HOUR // steps(1)):
            was_low = np.isnan(begin) & (lagged(smooth, steps(minute)) <= low + rise / 4)
            begin[was_low] = minute
        return rise / np.maximum(_USUAL * usual, _LEAST_RISE_PCT), begin


def _minutes_since(holds: NDArray[np.bool_]) -> Floats:
    """Minutes for which a condition has held without a break; NaN where it does not hold."""
    rows = np.arange(len(holds))
    last_not = np.maximum.accumulate(np.where(holds, -1, rows))
    return np.where(holds, (rows - last_not) * PERIOD_S / 60, np.nan)
