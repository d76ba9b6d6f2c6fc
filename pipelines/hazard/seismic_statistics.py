"""What a list of microseismic events says: b-value, chance of a large one, strain release, energy index.

All functions are plain arrays in, numbers out. Energies in J, moments in N·m, times in microseconds since 1970.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Magnitudes are rounded to this bin.
BIN = 0.1
# Maximum curvature finds the fullest bin; completeness lies a little above it (Woessner and Wiemer 2005).
CURVATURE_CORRECTION = 0.2
LN10 = math.log(10.0)
# Exponents of the accelerating release that the fit tries.
EXPONENTS = np.arange(0.1, 1.01, 0.1)
# A fit of an acceleration needs so many events.
LEAST_ACCELERATING = 20


def magnitude_of_energy(energy_j: Floats) -> Floats:
    """m = (lg E − 1.8)/1.9, as used for mining tremors; recalled, not read again."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (np.log10(energy_j) - 1.8) / 1.9


def completeness(magnitudes: Floats, bin_width: float = BIN) -> float:
    """Magnitude from which on the list is complete: the fullest bin (maximum curvature) and 0.2; NaN without events."""
    if not len(magnitudes):
        return math.nan
    bins, counts = np.unique(np.round(magnitudes / bin_width).astype(np.int64), return_counts=True)
    # Of equally full bins the higher: a completeness too low makes b too small.
    fullest = bins[len(counts) - 1 - int(np.argmax(counts[::-1]))]
    return round(float(fullest) * bin_width + CURVATURE_CORRECTION, 6)


def aki_utsu_b(magnitudes: Floats, complete_from: float, bin_width: float = BIN) -> float:
    """b = lg e / (m̄ − (m_c − Δm/2)) of magnitudes at or over m_c (Aki 1965, Utsu 1965)."""
    excess = float(np.mean(magnitudes)) - (complete_from - bin_width / 2)
    return math.log10(math.e) / excess if excess > 0 else math.nan


def tinti_mulargia_b(magnitudes: Floats, complete_from: float, bin_width: float = BIN) -> float:
    """b = ln(1 + Δm/(m̄ − m_c)) / (Δm·ln 10), exact for binned magnitudes (Tinti and Mulargia 1987)."""
    excess = float(np.mean(magnitudes)) - complete_from
    return math.log(1 + bin_width / excess) / (bin_width * LN10) if excess > 0 else math.nan


def shi_bolt_sigma(b: float, magnitudes: Floats) -> float:
    """Standard error of b: 2.30·b²·√(Σ(m − m̄)²/(n(n − 1))) (Shi and Bolt 1982)."""
    n = len(magnitudes)
    if n < 2:
        return math.nan
    return 2.30 * b**2 * math.sqrt(float(np.sum((magnitudes - magnitudes.mean()) ** 2)) / (n * (n - 1)))


def complete_part(magnitudes: Floats, complete_from: float, bin_width: float = BIN) -> NDArray[np.bool_]:
    """Which events are at or over completeness; half a bin of slack for rounding."""
    return magnitudes >= complete_from - bin_width / 2 + 1e-9


def large_event_probability(
    rate_per_day: float, days: float, b: float, magnitude: float, complete_from: float
) -> float:
    """P(M ≥ m in T) = 1 − exp(−λ·T·10^(−b(m − m_c))), λ the rate of events at or over m_c."""
    return 1 - math.exp(-rate_per_day * days * 10 ** (-b * (magnitude - complete_from)))


def apparent_stress_pa(shear_modulus_pa: float, energy_j: Floats, moment_nm: Floats) -> Floats:
    """σ_a = μ·E/M0 [Pa] (van Aswegen and Butler 1993)."""
    return shear_modulus_pa * energy_j / moment_nm


def apparent_volume_m3(shear_modulus_pa: float, energy_j: Floats, moment_nm: Floats) -> Floats:
    """V_a = M0²/(2·μ·E) [m³] (Mendecki 1997)."""
    return moment_nm**2 / (2 * shear_modulus_pa * energy_j)


def energy_moment_fit(energy_j: Floats, moment_nm: Floats) -> tuple[float, float]:
    """c and d of lg Ē = c + d·lg M0, least squares over the site's own events; NaN where moments do not differ."""
    x, y = np.log10(moment_nm), np.log10(energy_j)
    spread = float(np.sum((x - x.mean()) ** 2)) if len(x) else 0.0
    if spread < 1e-9:
        return math.nan, math.nan
    slope = float(np.sum((x - x.mean()) * (y - y.mean()))) / spread
    return float(y.mean() - slope * x.mean()), slope


def energy_index(energy_j: Floats, moment_nm: Floats, c: float, d: float) -> Floats:
    """EI = E/Ē(M0): over 1 an event radiates more than usual for its moment, so the rock stands under more stress."""
    return energy_j / 10 ** (c + d * np.log10(moment_nm))


def benioff_strain(energy_j: Floats) -> float:
    """Σ√E [J^½]."""
    return float(np.sum(np.sqrt(energy_j)))


def stress_equivalent(energy_j: Floats, area_m2: float, days: float) -> float:
    """Total stress equivalent Σ√E/(S·T) [J^½/(m²·d)]."""
    return benioff_strain(energy_j) / (area_m2 * days)


def accelerating_release(days: Floats, energy_j: Floats) -> tuple[float, float, float]:
    """Fit of cumulative √E to A + B·(t_c − t)^m: days from the last event to t_c, the exponent m, and R².

    An exponent well under 1 is acceleration. NaN with fewer than LEAST_ACCELERATING events. The fit is linear in A and
    B, so t_c and m are tried on a grid, as far ahead as the events reach back.
    """
    if len(days) < LEAST_ACCELERATING or days[-1] <= days[0]:
        return math.nan, math.nan, math.nan
    released = np.cumsum(np.sqrt(energy_j))
    length = days[-1] - days[0]
    total = float(np.sum((released - released.mean()) ** 2))
    best = (math.nan, math.nan, -math.inf)
    for ahead in length * np.geomspace(0.01, 1.0, 15):
        left = days[-1] + ahead - days
        for exponent in EXPONENTS:
            x = left**exponent
            dx = x - x.mean()
            slope = float(np.sum(dx * released) / np.sum(dx**2))
            fit = released.mean() + slope * dx
            r2 = 1 - float(np.sum((released - fit) ** 2)) / total if total > 0 else 0.0
            if r2 > best[2] + 1e-12:
                best = (float(ahead), float(exponent), r2)
    return best
