"""What the model looks at: how many bumps, how much strain, how the works go, each as it fades with time.

Row t uses shifts up to t only. What carries over from one longwall to the next is not the level of a rating but its
course: rates over a day, a week and three weeks (quiet periods and a change of regime show in their differences), the
roots of energies as they decay, and the rhythm of day and week. Shifts follow each other without a gap, so the shift
after this one fell on the same hours of the same weekday 20, 41, 62 … rows ago, whichever row the series begins with.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from minefusion.models.seismic_hazard.config import SHIFTS_A_DAY, WEEK
from minefusion.models.seismic_hazard.shifts import Floats, Shifts

DAY, THREE_DAYS, A_WEEK, THREE_WEEKS = SHIFTS_A_DAY, 3 * SHIFTS_A_DAY, WEEK, 3 * WEEK
# Weeks that tell what the next shift's place in the week usually brings, and days for its place in the day.
RHYTHM_WEEKS, RHYTHM_DAYS = 8, 28
# Longer quiet says no more [shifts].
QUIET_MOST = 200
# A rate of zero is as one bump in twenty shifts, so that its logarithm is finite.
_RATE_FLOOR = 0.05

FULL = (
    "rate_day", "rate_week", "rate_three_weeks", "strain_three_days", "strain_three_weeks",
    "works_next", "pulses_next", "pulses_next_of_day", "producing", "pulses",
)  # fmt: skip
REDUCED = (
    "rate_day", "rate_week", "rate_three_weeks", "strain_three_days", "strain_three_weeks",
    "bumps_next", "active_next", "quiet_strong", "quiet",
)  # fmt: skip

FEATURES = {
    "rate_day": ("日内微震频次", "bumps per shift, fading by half each day, logarithm"),
    "rate_week": ("周微震频次", "bumps per shift, fading by half each week, logarithm"),
    "rate_three_weeks": ("三周微震频次", "bumps per shift, fading by half in three weeks, logarithm"),
    "strain_three_days": ("三日应变释放", "roots of energies, fading by half in three days, logarithm"),
    "strain_three_weeks": ("三周应变释放", "roots of energies, fading by half in three weeks, logarithm"),
    "works_next": ("下一班同周位生产率", "how often coal was won in the next shift's place in the week, eight weeks"),
    "pulses_next": ("下一班同周位地音脉冲", "pulses in the next shift's place in the week beside those of three weeks"),
    "pulses_next_of_day": (
        "下一班同班次地音脉冲",
        "pulses in the next shift's place in the day beside those of 3 weeks",
    ),
    "bumps_next": ("下一班同周位微震", "bumps in the next shift's place in the week beside those of three weeks"),
    "active_next": ("下一班同周位有震率", "how often the next shift's place in the week had a bump, eight weeks"),
    "producing": ("本班生产", "coal is won in this shift"),
    "pulses": ("本班地音脉冲", "geophone pulses of this shift, logarithm"),
    "quiet_strong": ("距上次强震", "shifts since the last bump over 10⁴ J, logarithm"),
    "quiet": ("距上次微震", "shifts since the last bump, logarithm"),
}


def features(shifts: Shifts, names: tuple[str, ...]) -> Floats:
    """The named features of each shift; shape (n, names). NaN where nothing is known yet."""
    root_bumps, pulses = np.sqrt(shifts.bumps), np.log10(1 + shifts.pulses)
    active = np.where(np.isfinite(shifts.bumps), shifts.bumps > 0, np.nan)
    strain = np.sqrt(shifts.energy_j)
    made = {
        "rate_day": lambda: np.log(_RATE_FLOOR + faded_mean(shifts.bumps, DAY)),
        "rate_week": lambda: np.log(_RATE_FLOOR + faded_mean(shifts.bumps, A_WEEK)),
        "rate_three_weeks": lambda: np.log(_RATE_FLOOR + faded_mean(shifts.bumps, THREE_WEEKS)),
        "strain_three_days": lambda: np.log1p(faded_mean(strain, THREE_DAYS)),
        "strain_three_weeks": lambda: np.log1p(faded_mean(strain, THREE_WEEKS)),
        "works_next": lambda: next_by_rhythm(shifts.producing, WEEK, RHYTHM_WEEKS),
        "pulses_next": lambda: next_by_rhythm(pulses, WEEK, RHYTHM_WEEKS) - faded_mean(pulses, THREE_WEEKS),
        "pulses_next_of_day": lambda: next_by_rhythm(pulses, DAY, RHYTHM_DAYS) - faded_mean(pulses, THREE_WEEKS),
        "bumps_next": lambda: next_by_rhythm(root_bumps, WEEK, RHYTHM_WEEKS) - faded_mean(root_bumps, THREE_WEEKS),
        "active_next": lambda: next_by_rhythm(active, WEEK, RHYTHM_WEEKS),
        "producing": lambda: shifts.producing,
        "pulses": lambda: pulses,
        "quiet_strong": lambda: np.log1p(shifts_since(shifts.strong > 0)),
        "quiet": lambda: np.log1p(shifts_since(shifts.bumps > 0)),
    }
    return np.column_stack([made[name]() for name in names]) if len(shifts) else np.empty((0, len(names)))


def faded_mean(values: Floats, half_life: float) -> Floats:
    """Mean of the values so far, in which one counts half after `half_life` shifts; NaN counts nothing."""
    known = np.isfinite(values)
    keep = 0.5 ** (1 / half_life)
    total, weight = (lfilter([1.0], [1.0, -keep], each) for each in (np.where(known, values, 0.0), known * 1.0))
    return np.divide(total, weight, out=np.full(len(values), np.nan), where=weight > 0)


def next_by_rhythm(values: Floats, cycle: int, times: int) -> Floats:
    """Mean of the next shift's place in the cycle over its last `times`; where none is known, the faded mean.

    Args:
        cycle: shifts after which the works repeat themselves: a day's or a week's.
    """
    count = len(values)
    before = np.full((times, count), np.nan)
    for time in range(times):
        back = (time + 1) * cycle - 1
        before[time, back:] = values[: max(0, count - back)]
    known = np.isfinite(before)
    found = known.sum(axis=0)
    mean = np.where(known, before, 0.0).sum(axis=0) / np.maximum(found, 1)
    return np.where(found > 0, mean, faded_mean(values, THREE_WEEKS))


def shifts_since(happened: np.ndarray) -> Floats:
    """Shifts since it happened last; 0 where it does in this one, QUIET_MOST at most and before the first time."""
    place = np.arange(len(happened))
    last = np.maximum.accumulate(np.where(happened, place, -QUIET_MOST))
    return np.minimum(place - last, QUIET_MOST).astype(np.float64)
