"""A mine's shifts as the model sees them: what the seismic network and the geophones told of each, in time order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from minefusion.models.seismic_hazard.config import STRONG_J, WEAKEST_J
from minefusion.schemas.errors import InputError

Floats = NDArray[np.float64]

SHIFT_US = 8 * 3600 * 1_000_000
# Ranges of energy whose bumps the public series counts one by one, from 10⁴ J up.
_STRONG_COUNTS = ("nbumps4", "nbumps5", "nbumps6", "nbumps7", "nbumps89")


@dataclass(frozen=True)
class Shifts:
    """Eight-hour shifts, one after another without a gap; what is not known of one is NaN. Every array: shape (n,).

    Attributes:
        bumps: bumps of at least WEAKEST_J.
        energy_j: their energies' sum [J].
        strong: how many of the ranges of energy from STRONG_J up had a bump; 0: none.
        producing: 1 in a shift that wins coal, 0 in one that prepares; NaN without a geophone system.
        pulses: pulses that the most active geophone of the longwall recorded.
    """

    bumps: Floats
    energy_j: Floats
    strong: Floats
    producing: Floats
    pulses: Floats

    def __len__(self) -> int:
        return len(self.bumps)

    def until(self, stop: int) -> Shifts:
        """The first `stop` shifts."""
        return Shifts(*(getattr(self, each.name)[:stop] for each in fields(self)))

    def then(self, later: Shifts) -> Shifts:
        """These shifts and those that follow on them."""
        return Shifts(*(np.concatenate([getattr(self, each.name), getattr(later, each.name)]) for each in fields(self)))

    @property
    def strong_next(self) -> Floats:
        """1 where the next shift brings a bump of at least STRONG_J, 0 where not; NaN for the last shift."""
        known = np.where(np.isfinite(self.strong), self.strong > 0, np.nan)
        return np.append(known[1:], np.nan)


def from_public_series(columns: Mapping[str, NDArray]) -> Shifts:
    """Shifts of the columns of the public series `seismic-bumps` (UCI 266).

    Raises:
        InputError: a column is missing, is not of numbers, or `class` contradicts the row after it.
    """
    wanted = ("shift", "gpuls", "nbumps", "energy", *_STRONG_COUNTS)
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise InputError(
            f"expected the columns {', '.join(wanted)}, got none named {missing[0]}; name it so in the file"
        )
    try:
        numbers = {name: np.asarray(columns[name], dtype=np.float64) for name in wanted if name != "shift"}
    except ValueError as error:
        raise InputError(f"expected numbers in {', '.join(wanted[1:])}, got: {error}; mend the file") from None
    kind = np.asarray(columns["shift"]).astype(str)
    unknown = sorted(set(kind) - {"W", "N"})
    if unknown:
        raise InputError(f"expected shift as W (coal is won) or N (preparation), got '{unknown[0]}'; mend the file")
    strong = np.stack([numbers[name] > 0 for name in _STRONG_COUNTS]).sum(axis=0).astype(np.float64)
    shifts = Shifts(numbers["nbumps"], numbers["energy"], strong, (kind == "W").astype(np.float64), numbers["gpuls"])
    if "class" in columns and len(shifts) > 1:
        told = np.asarray(columns["class"], dtype=np.float64)[:-1]
        wrong = np.flatnonzero(told != shifts.strong_next[:-1])
        if len(wrong):
            raise InputError(
                f"expected rows in time order, class telling of the row after it, got row {wrong[0]} that does not; "
                "use the complete series, unshuffled and with its repeated rows"
            )
    return shifts


def from_events(at_us: NDArray[np.int64], energy_j: Floats, *, start_us: int, end_us: int) -> Shifts:
    """Shifts of the seismic events of one mine, without a geophone system.

    Args:
        at_us: instants of the events [µs since 1970], in any order.
        energy_j: their energies [J]; those without one, and those below WEAKEST_J, are no bumps here.
        start_us, end_us: start of the first shift and end of the last, a whole number of shifts apart.
    """
    count, rest = divmod(end_us - start_us, SHIFT_US)
    if rest or count < 0:
        raise InputError(
            f"expected whole shifts of 8 h, got {(end_us - start_us) / 3.6e9:.2f} h; give their first start"
        )
    kept = np.nan_to_num(energy_j) >= WEAKEST_J
    kept &= (at_us >= start_us) & (at_us < end_us)
    place, energy = (at_us[kept] - start_us) // SHIFT_US, energy_j[kept]
    unknown = np.full(count, np.nan)

    def summed(weights: NDArray) -> Floats:
        return np.bincount(place, weights=weights, minlength=count).astype(np.float64)

    return Shifts(summed(np.ones(len(place))), summed(energy), summed(energy >= STRONG_J), unknown, unknown)
