"""Where a sensor stands against its neighbours in the same air: what it shows over what they lead one to expect.

Neighbours are compared as the air travels: five-minute means of the one up the air are taken as much earlier as the air
needs from there. Sensors are judged one at a time, the worst first; who is found wrong is no witness any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.hazard.air_ways import Way
from minefusion.pipelines.hazard.sensor_checks import MAD_TO_SIGMA
from minefusion.schemas.accuracy import Accuracy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WINDOW_MIN = 5
# Windows are judged in blocks of so many, by their median.
BLOCK = 3
BLOCKS_PER_HOUR = 60 // (WINDOW_MIN * BLOCK)
# Fewer blocks than this say nothing of what was before.
LEAST_BLOCKS = 8
# The level that counts as right is that of this first share of what is looked at.
BEFORE_SHARE = 1 / 3
# So many neighbours are asked, the nearest in the air first.
WITNESSES = 5
# Neighbours differ by this share of a departure that is told for reasons of the air: in the same air, in another.
SAME_AIR, OTHER_AIR = 0.15, 0.25
SIGMAS = 5.0
# A neighbour in other air that moves by this share of a departure makes it one of the air.
MOVED_SHARE = 0.4
# A loss of sensitivity takes this long at least [h].
AGES_H = 1.5
# There it is doubted only where it moved by this share of the departure itself.
MOVED_ITSELF = 0.6
# What began in this first share of all that is known may be the end of an older fault.
EARLY = 0.25
# What comes in within so many blocks is a jump, else a drift.
JUMP_BLOCKS = 2


@dataclass(frozen=True)
class Pair:
    """`sensor` and its neighbour `witness`, columns of one matrix, and the way of the air between them.

    Attributes:
        is_downstream: the air comes from the witness to the sensor; else it goes from the sensor to the witness.
        is_same_air: nothing joins on the way that would change what the two measure.
    """

    sensor: int
    witness: int
    way: Way
    is_downstream: bool
    is_same_air: bool


@dataclass(frozen=True)
class Departure:
    """A sensor that shows other than its neighbours lead one to expect.

    Attributes:
        shift: by how much, in the sensor's unit.
        ratio: |shift| as a multiple of what is to be expected.
        since: window in which half of it was there.
        is_jump: it came at once.
        witnesses: the neighbours that say so; `is_same_air`: in the very air of the sensor.
        expected: what they lead one to expect now.
        moved: by how much the sensor itself changed: of those that disagree, the one that moved is doubted first.
    """

    shift: float
    ratio: float
    since: int
    is_jump: bool
    witnesses: tuple[int, ...]
    is_same_air: bool
    expected: float
    moved: float

    @property
    def doubt(self) -> float:
        """Its ratio, less where it did not move itself."""
        return self.ratio * (0.2 + 0.8 * min(1.0, max(0.0, self.moved / self.shift))) if self.shift else 0.0


def to_scale(values: Floats, accuracy: Accuracy) -> Floats:
    """On a scale on which neighbours keep their distance: logarithmic where they keep their ratio."""
    if accuracy.scale == "ratio":
        assert accuracy.zero is not None
        return np.log(np.maximum(values, 0.0) + accuracy.zero)
    return values


def from_scale(value: float, accuracy: Accuracy) -> float:
    if accuracy.scale == "ratio":
        assert accuracy.zero is not None
        return float(np.exp(value)) - accuracy.zero
    return value


def departures(
    means: Floats, accuracies: Sequence[Accuracy], pairs: Sequence[Pair], velocity: Mapping[str, float]
) -> tuple[dict[int, Departure], set[int]]:
    """Sensors that depart from their neighbours at the end of the matrix, and all those that could be judged.

    Args:
        means: windows × sensors, in their unit; the last hour is the one that is judged.
        accuracies: of each sensor.
        velocity: of the air by roadway [m/s].
    """
    scaled = np.column_stack([to_scale(means[:, n], each) for n, each in enumerate(accuracies)])
    scaled = scaled.reshape(len(means), len(accuracies))
    residuals = [_residual(scaled, pair, velocity) for pair in pairs]
    by_sensor: dict[int, list[int]] = {}
    for number, pair in enumerate(pairs):
        by_sensor.setdefault(pair.sensor, []).append(number)
    wrong: dict[int, Departure] = {}
    judged: set[int] = set()
    found: dict[int, Departure | None] = {}
    due = set(by_sensor)
    while True:
        for sensor in due:
            asked = [n for n in by_sensor[sensor] if pairs[n].witness not in wrong]
            result = _judge(sensor, [pairs[n] for n in asked], [residuals[n] for n in asked], scaled, accuracies)
            if result is not None:
                judged.add(sensor)
            found[sensor] = result
        candidates = {s: d for s, d in found.items() if d is not None and d.ratio >= 1 and s not in wrong}
        if not candidates:
            return wrong, judged
        worst = max(candidates, key=lambda s: (candidates[s].doubt, -s))
        wrong[worst] = candidates[worst]
        due = {pair.sensor for pair in pairs if pair.witness == worst and pair.sensor not in wrong}


def _residual(scaled: Floats, pair: Pair, velocity: Mapping[str, float]) -> Floats:
    """What the sensor shows over its witness, each window of the sensor beside the same air at the witness."""
    lag = pair.way.minutes(velocity) / WINDOW_MIN * (1 if pair.is_downstream else -1)
    return scaled[:, pair.sensor] - _shifted(scaled[:, pair.witness], lag)


def _shifted(series: Floats, windows: float) -> Floats:
    """The series as it was `windows` earlier, between two windows in proportion; NaN beyond its ends."""
    whole = int(np.floor(windows))
    share = windows - whole
    padded = np.full(len(series) + 2 * (abs(whole) + 1), np.nan)
    begin = abs(whole) + 1
    padded[begin : begin + len(series)] = series
    late = padded[begin - whole : begin - whole + len(series)]
    later = padded[begin - whole - 1 : begin - whole - 1 + len(series)]
    if share < 0.05:
        return late
    return (1 - share) * late + share * later


def _judge(
    sensor: int, pairs: Sequence[Pair], residuals: Sequence[Floats], scaled: Floats, accuracies: Sequence[Accuracy]
) -> Departure | None:
    """How the sensor stands at the end; a ratio under 1 is as it should be; None where nobody can tell."""
    accuracy = accuracies[sensor]
    order = sorted(range(len(pairs)), key=lambda n: (not pairs[n].is_same_air, pairs[n].way.length_m, pairs[n].witness))
    kept: list[int] = []
    blocks: list[Floats] = []
    for number in order:
        if kept and pairs[kept[0]].is_same_air and not pairs[number].is_same_air:
            break  # others speak only where nobody breathes the same air
        block = block_medians(residuals[number])
        if np.isfinite(block[-BLOCKS_PER_HOUR:]).sum() >= 2 and np.isfinite(block).sum() >= LEAST_BLOCKS:
            kept.append(number)
            blocks.append(block)
        if len(kept) == WITNESSES:
            break
    if not kept:
        return None
    is_same_air = pairs[kept[0]].is_same_air
    stands = _nanmedian(np.stack([block - _before(block) for block in blocks]))
    now = float(np.nanmedian(stands[-BLOCKS_PER_HOUR:]))
    level = float(np.nanmedian(scaled[-BLOCKS_PER_HOUR * BLOCK :, sensor]))
    shown, expected = from_scale(level, accuracy), from_scale(level - now, accuracy)
    shift = shown - expected
    least = accuracy.departure(expected)
    unrest = abs(shown - from_scale(level - _unrest(stands), accuracy))
    sigma = max(unrest, (SAME_AIR if is_same_air else OTHER_AIR) * least)
    ratio = abs(shift) / max(least, SIGMAS * sigma)
    before, after = _levels(scaled[:, sensor])
    moved = from_scale(after, accuracy) - from_scale(before, accuracy) if np.isfinite(after - before) else 0.0
    moved_itself = moved * np.sign(shift) >= MOVED_ITSELF * abs(shift)
    since, is_jump = _onset(stands, now)
    if not is_same_air:
        # It must have moved itself, and alone. One that shows danger is believed, but where the air would have carried
        # that to a neighbour (rock takes the heat on the way), or where it ages: sensors lose what they show by and by.
        is_carried = accuracy.quantity != "temperature" and not all(pairs[number].is_downstream for number in kept)
        is_danger = shift * accuracy.danger > 0 and not is_carried
        ages = shift < 0 and not is_jump and len(stands) - since >= AGES_H * BLOCKS_PER_HOUR
        if not moved_itself or (is_danger and not ages) or _others_moved(now, pairs, scaled):
            ratio = min(ratio, 0.5)
    elif not moved_itself and not _agree(blocks, now):
        ratio = min(ratio, 0.5)
    if since < EARLY * len(stands) and _is_usual(stands, now):
        ratio = min(ratio, 0.5)
    names = tuple(pairs[number].witness for number in kept)
    return Departure(shift, ratio, since * BLOCK, is_jump, names, is_same_air, expected, moved)


def aged_alone(series: Floats, accuracy: Accuracy) -> Departure | None:
    """A slow loss that a sensor shows against its own past, for want of neighbours; None where there is none.

    Args:
        series: its five-minute means, the last hour at the end.
    """
    scaled = to_scale(series, accuracy)
    before, after = _levels(scaled)
    if not np.isfinite(after - before):
        return None
    expected, shown = from_scale(before, accuracy), from_scale(after, accuracy)
    stands = block_medians(scaled) - before
    since, is_jump = _onset(stands, after - before)
    ratio = (expected - shown) / accuracy.departure(expected)
    if ratio < 1 or is_jump or len(stands) - since < AGES_H * BLOCKS_PER_HOUR:
        return None
    return Departure(shown - expected, ratio, since * BLOCK, False, (), False, expected, shown - expected)


def rise_of(series: Floats) -> float:
    """From a series' earlier level to that of its last hour, in its unit; 0 where too little is known."""
    before, after = _levels(series)
    return after - before if np.isfinite(after - before) else 0.0


def _agree(blocks: Sequence[Floats], now: float) -> bool:
    """At least two witnesses, each of which says about the same of the sensor."""
    said = [float(np.nanmedian((block - _before(block))[-BLOCKS_PER_HOUR:])) for block in blocks]
    return len(said) >= 2 and all(abs(each - now) <= 0.4 * abs(now) for each in said)


def _is_usual(stands: Floats, now: float) -> bool:
    """Whether the sensor stood so most of the time: then it was the beginning that was out of the ordinary."""
    known = stands[np.isfinite(stands)]
    return bool(np.mean(np.abs(known - now) <= 0.3 * abs(now)) >= 0.6)


def _unrest(stands: Floats) -> float:
    """How restless the sensor and its neighbours are with each other, from one hour to the next."""
    hourly = stands[BLOCKS_PER_HOUR:] - stands[:-BLOCKS_PER_HOUR]
    hourly = hourly[np.isfinite(hourly)]
    if len(hourly) < BLOCKS_PER_HOUR:
        return 0.0
    return MAD_TO_SIGMA * float(np.median(np.abs(hourly - np.median(hourly)))) / 2**0.5


def _others_moved(now: float, pairs: Sequence[Pair], scaled: Floats) -> bool:
    """Whether a neighbour moved the same way: then it may be the air, where something joins on the way."""
    for pair in pairs:
        before, after = _levels(scaled[:, pair.witness])
        if (after - before) * np.sign(now) >= MOVED_SHARE * abs(now):
            return True
    return False


def _levels(series: Floats) -> tuple[float, float]:
    """The level that counts as right and that of the last hour; NaN where too little is known."""
    block = block_medians(series)
    if np.isfinite(block[-BLOCKS_PER_HOUR:]).sum() == 0 or np.isfinite(block).sum() < LEAST_BLOCKS:
        return float("nan"), float("nan")
    return _before(block), float(np.nanmedian(block[-BLOCKS_PER_HOUR:]))


def block_medians(series: Floats) -> Floats:
    """Median of every BLOCK windows, counted from the end; NaN where fewer than half are known."""
    short = -len(series) % BLOCK
    padded = np.concatenate([np.full(short, np.nan), series]).reshape(-1, BLOCK)
    known = np.isfinite(padded).sum(axis=1) * 2 > BLOCK
    result = np.full(len(padded), np.nan)
    if known.any():
        result[known] = np.nanmedian(padded[known], axis=1)
    return result


def _before(blocks: Floats) -> float:
    """The level that counts as right."""
    known = blocks[np.isfinite(blocks)]
    return float(np.median(known[: max(BLOCKS_PER_HOUR, int(len(known) * BEFORE_SHARE))]))


def _nanmedian(rows: Floats) -> Floats:
    known = np.isfinite(rows).any(axis=0)
    result = np.full(rows.shape[1], np.nan)
    if known.any():
        result[known] = np.nanmedian(rows[:, known], axis=0)
    return result


def _onset(stands: Floats, now: float) -> tuple[int, bool]:
    """Block in which half of `now` was reached for good, and whether it came at once."""
    if now == 0:
        return len(stands) - 1, False
    share = stands / now
    known = np.flatnonzero(np.isfinite(share))
    smooth = share[known]
    if len(smooth) > 2:
        smooth = np.concatenate(
            [smooth[:1], np.median(np.lib.stride_tricks.sliding_window_view(smooth, 3), 1), smooth[-1:]]
        )
    low = np.flatnonzero(smooth < 0.25)
    last_low = int(low[-1]) if len(low) else -1
    high = np.flatnonzero(smooth[last_low + 1 :] >= 0.75)
    first_high = last_low + 1 + int(high[0]) if len(high) else len(smooth) - 1
    half = np.flatnonzero(smooth[last_low + 1 :] >= 0.5)
    at = last_low + 1 + int(half[0]) if len(half) else len(smooth) - 1
    # Counted in blocks that are known: what came in while nothing was known came at once.
    return int(known[at]), first_high - max(last_low, 0) <= JUMP_BLOCKS
