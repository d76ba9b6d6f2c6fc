"""How a slope moves: speed and acceleration out of noisy displacements, and when it would fail.

Displacements are hourly, in mm, time in hours; speeds are in mm/d. All functions are plain arrays in, numbers out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.hazard.rows import MIN_COVERAGE
from minefusion.pipelines.hazard.trend import theil_sen_slopes

Floats = NDArray[np.float64]

DAY_H = 24
# Lengths of time over which a speed may be taken, the shortest that stands out of the noise first.
WINDOWS_H = (6, 12, 24, 72, 168, 336)
# Blocks of which the speeds of an acceleration are made.
BLOCKS_H = (3, 6, 12, 24)
MOST_BLOCKS = 40
# A speed so many times over the noise needs no longer window that says the same.
WITHOUT_DOUBT = 2.0
# A speed along one axis stands out of the noise from three standard errors on. The direction of a movement on two or
# three axes is itself told by the movement: as rare a chance wants 3.4 and 3.8 of them there (chi distribution).
OUT_OF_NOISE = 3.0
FREE_DIRECTION = (1.0, 3.44 / 3.0, 3.76 / 3.0)
# A noise told from n second differences may be this over the root of n larger than it looks.
NOISE_SHORT = 3.3
# No receiver tells steps so small [mm]: they are left over from sums.
NO_STEP_MM = 1e-6
# A median of slopes is taken over so many means of a window.
PARTS = 24
# Moving averages whose crossing marks the onset of acceleration (Carlà et al. 2017), in blocks.
SHORT, LONG = 3, 7
LEAST_POINTS, LEAST_R2 = 5, 0.8
RESAMPLED = 200
# Days from which the daily cycle can be told, and how far it may reach to either side of its mean where it is not [mm].
LEAST_CYCLE_D, CYCLE_D = 5, 14
UNKNOWN_CYCLE_MM = 4.0
# Hours over which a speed that does not stand out says that the slope rests, while the daily cycle is not known.
LEAST_REST_H = 72
# A lone jump over so many deviations of two samples, soon after rain, is a step of the rain.
STEP_DEVIATIONS = 6.0


# ── cleaning ────────────────────────────────────────────────────────────────────────────────────────────────────────


def noise_mm(values: Floats) -> float:
    """Standard deviation of one hourly displacement, from its second differences; NaN with fewer than 12 of them.

    What few of them tell is raised by two of its own errors: a slope must not move because its noise looked small. Nor
    must it because its receiver rounds: half of the smallest change that was ever seen is noise.
    """
    second = values[2:] - 2 * values[1:-1] + values[:-2]
    second = second[np.isfinite(second)]
    if len(second) < 12:
        return math.nan
    told = 1.4826 * float(np.median(np.abs(second - np.median(second)))) / math.sqrt(6)
    steps = np.abs(np.diff(values[np.isfinite(values)]))
    steps = steps[steps > NO_STEP_MM]
    rounding = float(steps.min()) / 2 if len(steps) else 0.0
    return max(told * (1 + NOISE_SHORT / math.sqrt(len(second))), rounding)


def knows_daily_cycle(values: Floats) -> bool:
    """Whether the displacements go back far enough to tell what returns every day: 5 days."""
    return bool(np.isfinite(values).sum() >= LEAST_CYCLE_D * DAY_H)


def without_daily_cycle(values: Floats, hour_of_day: NDArray[np.int64]) -> Floats:
    """The displacements without what returns every day (warmth, satellites), told from the last 14 days.

    The cycle is the median, by hour of the day, of what is left when the mean of the day around is taken off. Left as
    it is where the cycle is not known.
    """
    if not knows_daily_cycle(values):
        return values
    half = DAY_H // 2
    padded = np.pad(values, half, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    # Both ends are of one hour of the day: each counts by half.
    weight = np.ones(2 * half + 1)
    weight[[0, -1]] = 0.5
    there = np.isfinite(around)
    count = there @ weight
    mean = np.divide(np.where(there, around, 0.0) @ weight, count, out=np.full(len(values), np.nan), where=count > 0)
    # A day around that is cut off at either end is no whole cycle.
    left = np.where(count >= 2 * half - 1, values - mean, np.nan)
    left[: -CYCLE_D * DAY_H] = np.nan
    cycle = np.zeros(DAY_H)
    for hour in range(DAY_H):
        at = left[hour_of_day == hour]
        at = at[np.isfinite(at)]
        if len(at) >= LEAST_CYCLE_D - 1:
            cycle[hour] = np.median(at)
    return values - (cycle - cycle.mean())[hour_of_day]


def rebased(values: Floats, changes: NDArray[np.int64]) -> Floats:
    """The displacements as if the monument had not been changed at these places: the jump there is taken off."""
    values = values.copy()
    for place in changes:
        before, after = values[max(place - 6, 0) : place], values[place : place + 3]
        before, after = before[np.isfinite(before)], after[np.isfinite(after)]
        if len(before) and len(after):
            values[place:] -= np.median(after) - np.median(before)
    return values


def rain_steps(values: Floats, rained: NDArray[np.bool_], deviation_mm: float) -> Floats:
    """Jumps [mm] of rain at each place: a lone one over six deviations, calm before and after it, soon after rain.

    A slope that fails jumps hour after hour, so its jumps never are alone.
    """
    jump = np.diff(values, prepend=np.nan)
    limit = deviation_mm * math.sqrt(2)
    calm = np.abs(jump) < STEP_DEVIATIONS / 2 * limit
    alone = np.zeros(len(values), dtype=bool)
    alone[1:-1] = calm[:-2] & calm[2:]
    return np.where((np.abs(jump) > STEP_DEVIATIONS * limit) & alone & rained, jump, 0.0)


# ── speed ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Speed:
    """A speed [mm/d], its standard error, the hours it was taken over, and whether it stands out of the noise."""

    mm_d: float
    error_mm_d: float
    window_h: float
    is_clear: bool


def speed_error_mm_d(noise: float, window_h: float, samples: int) -> float:
    """Standard error of a slope over evenly spaced samples, σ_d·√12/(T·√n)."""
    return noise * math.sqrt(12) / (window_h / DAY_H * math.sqrt(samples)) if samples else math.nan


def cycle_speed_mm_d(amplitude_mm: float, window_h: float) -> float:
    """Fastest least-squares speed that a daily sine of this amplitude makes over a window; small over whole days."""
    t = window_h / DAY_H
    return amplitude_mm * 6 / (math.pi**2 * t**3) * abs(math.sin(math.pi * t) - math.pi * t * math.cos(math.pi * t))


def speed(values: Floats, noise: float, cycle_mm: float = 0.0) -> Speed:
    """Speed at the end of the displacements over the shortest window in which it stands out of noise and daily cycle.

    A window must be at least three times as long as noise allows, and the next longer one, where half known, must say
    the same: what has moved in a window shows in the longer one still clearer, a chance of the noise does not. A speed
    WITHOUT_DOUBT needs no second window: a slope that breaks away within hours shows in the shortest one first. Over
    the longest window that is half known where none is clear; NaN where nothing is known, or too little to say that
    the slope rests.

    Args:
        cycle_mm: amplitude of a daily cycle that may still be in the displacements.
    """
    found = [seen for hours in WINDOWS_H if (seen := _over(values, noise, hours, cycle_mm)) is not None]
    for number, (each, is_sure) in enumerate(found):
        longer = found[min(number + 1, len(found) - 1)][0]
        if is_sure or (each.is_clear and longer.is_clear and longer.mm_d * each.mm_d > 0):
            return each
    if not found or (cycle_mm > 0 and found[-1][0].window_h < LEAST_REST_H):
        return Speed(math.nan, math.nan, math.nan, False)
    return replace(found[-1][0], is_clear=False)


def _over(values: Floats, noise: float, hours: int, cycle_mm: float) -> tuple[Speed, bool] | None:
    """Theil–Sen speed over the last `hours`, by the means of its parts, and whether it is without doubt.

    None where less than half of the window is known.
    """
    window = values[-hours:]
    known = int(np.isfinite(window).sum())
    if len(window) < hours or known < max(3, hours // 2):
        return None
    parts = min(PARTS, hours)
    folded = window.reshape(parts, -1)
    there = np.isfinite(folded)
    count = there.sum(axis=1)
    means = np.divide(np.where(there, folded, 0.0).sum(axis=1), count, out=np.full(parts, np.nan), where=count > 0)
    at = np.where(count > 0, (np.arange(parts) + 0.5) * hours / parts / DAY_H, np.nan)
    slope = float(theil_sen_slopes(at[None, :], means[None, :])[0])
    # A record that has just begun fills the end of a window alone, and tells a speed as badly as a shorter one.
    span_h = float(np.ptp(np.flatnonzero(np.isfinite(window))) + 1)
    error = speed_error_mm_d(noise, span_h, known)
    least = OUT_OF_NOISE * error + cycle_speed_mm_d(cycle_mm, span_h)
    is_sure = abs(slope) > WITHOUT_DOUBT * least and known >= MIN_COVERAGE * hours
    return Speed(slope, error, float(hours), abs(slope) > least), is_sure


def daily_speeds(values: Floats, days: int) -> Floats:
    """Least-squares speeds [mm/d] of the last so many days, the newest last."""
    return block_speeds(values, DAY_H, days)


def block_speeds(values: Floats, hours: int, blocks: int) -> Floats:
    """Least-squares speeds [mm/d] of blocks of `hours` before the end; NaN where less than half of one is known."""
    blocks = min(blocks, len(values) // hours)
    if not blocks:
        return np.empty(0)
    folded = values[-blocks * hours :].reshape(blocks, hours)
    there = np.isfinite(folded)
    n = there.sum(axis=1)
    at = np.broadcast_to(np.arange(hours) / DAY_H, folded.shape)
    total = np.maximum(n, 1)
    mean_at = np.where(there, at, 0.0).sum(axis=1) / total
    mean = np.where(there, folded, 0.0).sum(axis=1) / total
    off = np.where(there, at - mean_at[:, None], 0.0)
    moved = np.where(there, folded - mean[:, None], 0.0)
    square = (off**2).sum(axis=1)
    enough = (n >= max(2, hours / 2)) & (square > 0)
    return np.divide((off * moved).sum(axis=1), square, out=np.full(blocks, np.nan), where=enough)


# ── time of failure ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Failure:
    """When the slope would fail by two methods, in hours from now; NaN where it cannot be told.

    Attributes:
        hours, low, high: by inverse velocity (S-02), with the 5 and 95 % of resampled fits.
        r2: of the fit of 1/v.
        slo_hours: by the gradient of t·v over v (S-03).
        points, block_h: speeds that the fit rests on, and the hours of each.
    """

    hours: float
    low: float
    high: float
    r2: float
    slo_hours: float
    points: int
    block_h: float


NONE = Failure(*(math.nan,) * 5, 0, math.nan)


def inverse_velocity(at: Floats, velocity: Floats) -> tuple[float, float, float]:
    """t_f = −intercept/slope of 1/v on t (Fukuzono 1985, α = 2); the slope, and R² of the line.

    t_f is in the time of `at`; NaN where 1/v does not fall.
    """
    gradient, mean_at, mean_inverse = _line(at, velocity)
    slope, inverse, weight = float(gradient), 1 / velocity, velocity**4
    total = float((weight * (inverse - mean_inverse) ** 2).sum())
    left = float((weight * (inverse - mean_inverse - slope * (at - mean_at)) ** 2).sum())
    r2 = 1 - left / total if total > 0 else 0.0
    return (float(mean_at - mean_inverse / slope) if slope < 0 else math.nan), slope, r2


def _line(at: Floats, velocity: Floats) -> tuple[Floats, Floats, Floats]:
    """Slope of 1/v on t and the point it goes through, along the last axis.

    Each 1/v counts by how well it is known: all speeds have one error, so 1/v has the error over v², and the slow
    beginning of an acceleration would drown its end.
    """
    weight, inverse = velocity**4, 1 / velocity
    total = weight.sum(axis=-1)
    mean_at, mean_inverse = (weight * at).sum(axis=-1) / total, (weight * inverse).sum(axis=-1) / total
    apart = at - np.expand_dims(mean_at, -1)
    square = (weight * apart**2).sum(axis=-1)
    moved = (weight * apart * (inverse - np.expand_dims(mean_inverse, -1))).sum(axis=-1)
    return np.divide(moved, square, out=np.zeros_like(square), where=square > 0), mean_at, mean_inverse


def slope_gradient(at: Floats, velocity: Floats) -> float:
    """t_f as the slope of t·v over v (SLO method, Mufundirwa et al. 2010); NaN where speeds do not differ."""
    spread = velocity - velocity.mean()
    square = float((spread**2).sum())
    # From the mean time on, so that large times lose no digits.
    return float(at.mean() + (spread * (at - at.mean()) * velocity).sum() / square) if square > 0 else math.nan


def accelerating_part(velocity: Floats) -> int:
    """How many of the newest speeds belong to the present acceleration: back to where the short mean crossed the long.

    0 while the short moving average is not above the long one.
    """
    count = 0
    for end in range(len(velocity), LONG - 1, -1):
        short, long = np.nanmean(velocity[end - SHORT : end]), np.nanmean(velocity[end - LONG : end])
        if not short > long:
            break
        count += 1
    return count


def time_of_failure(values: Floats, noise: float) -> Failure:
    """When a slope with these displacements would fail; without hours where it does not accelerate clearly.

    The speeds are the short moving averages over the present acceleration, in the shortest blocks that give a line.
    """
    tried = NONE
    for hours in BLOCKS_H:
        velocity = block_speeds(values, hours, MOST_BLOCKS)
        if len(velocity) < LONG or not np.isfinite(velocity[-LONG:]).all():
            continue
        count = accelerating_part(np.nan_to_num(velocity))
        smooth = np.convolve(velocity, np.full(SHORT, 1 / SHORT), mode="valid")
        at: Floats = (np.arange(len(smooth), dtype=np.float64) - len(smooth) + 0.5 - SHORT // 2) * hours
        part = slice(max(len(smooth) - count, 0), None)
        error = speed_error_mm_d(noise, hours, hours) / math.sqrt(SHORT)
        clear = smooth[part] >= OUT_OF_NOISE * error
        if clear.sum() < LEAST_POINTS or not clear[-1]:
            continue
        found = _failure(at[part][clear], smooth[part][clear], float(hours))
        if math.isfinite(found.hours):
            return found
        tried = found
    return tried


def _failure(at: Floats, velocity: Floats, block_h: float) -> Failure:
    hours, slope, r2 = inverse_velocity(at, velocity)
    if not slope < 0 or r2 < LEAST_R2:
        return Failure(math.nan, math.nan, math.nan, r2, math.nan, len(at), block_h)
    # The same draws every time: a result must not depend on when it was computed. Drawn are runs of SHORT speeds, which
    # their moving average ties together: one by one they would make the band too narrow.
    runs = -(-len(at) // SHORT)
    first = np.random.default_rng(0).integers(0, len(at) - SHORT + 1, (RESAMPLED, runs, 1))
    draws = (first + np.arange(SHORT)).reshape(RESAMPLED, -1)[:, : len(at)]
    gradient, mean_at, mean_inverse = _line(at[draws], velocity[draws])
    falls = gradient < 0
    times = mean_at[falls] - mean_inverse[falls] / gradient[falls]
    low, high = np.percentile(times, [5, 95]) if len(times) >= RESAMPLED / 2 else (math.nan, math.nan)
    slo = slope_gradient(at, velocity)
    return Failure(max(hours, 0.0), max(float(low), 0.0), max(float(high), 0.0), r2, max(slo, 0.0), len(at), block_h)


# ── tangent angle ───────────────────────────────────────────────────────────────────────────────────────────────────


def tangent_angle_deg(velocity_mm_d: float, constant_mm_d: float) -> float:
    """Improved tangent angle θ = arctan(dT/dt), T = D/v_c in days, so θ = arctan(v/v_c) (Xu Qiang et al. 2009)."""
    return math.degrees(math.atan(velocity_mm_d / constant_mm_d))
