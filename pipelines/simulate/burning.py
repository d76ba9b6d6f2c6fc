"""What burning and heating coal, belts and wood take from the air and give to it.

Two stages: slow oxidation, whose gases tell its temperature, and open fire, whose heat release grows with the square
of time. Amounts are shares of the air's volume per second: %·m³/s, ppm·m³/s, K·m³/s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Slow heating: temperature grows as a·exp((T − T_rock)/θ) lets it, without losses.
ROCK_C, THETA_K = 30.0, 18.0
CO_MAKE_L_MIN = 0.7  # of a heating at 30 ℃; doubles every 10 K
DOUBLES_K = 10.0
RUNS_AWAY_FOR = 0.7  # of a heating's time
STARVED_C = 105.0  # from here on it takes what oxygen reaches it, and no more
# Temperature [℃] → carbon monoxide made per oxygen used [%] (Graham), and per carbon dioxide made (ratio).
ICO_C, ICO_PCT = (30.0, 60.0, 90.0, 130.0, 160.0, 220.0), (0.2, 0.5, 1.0, 2.0, 3.0, 5.0)
CO_CO2_C, CO_CO2 = (30.0, 80.0, 120.0, 150.0, 200.0, 220.0), (0.02, 0.08, 0.2, 0.2, 0.07, 0.055)
HYDROGEN_FROM_C, ETHYLENE_FROM_C, ETHANE_FROM_C, ACETYLENE_FROM_C = 100.0, 110.0, 90.0, 200.0
FLAMING_C = 220.0

# Open fire.
OXYGEN_MJ_KG, OXYGEN_KG_M3 = 13.1, 1.33
CO_PPM_M3_S_PER_KW = 3.0
CONVECTED = 0.7
AIR_KJ_M3_K = 1.2 * 1.005
CO2_PER_OXYGEN = 0.75
SMOKE_AT_CO_PPM = 6.0  # where a smoke detector answers to flames


def heating_c(share: Floats | float, hottest_c: float) -> Floats:
    """Temperature of a heating that runs away from ROCK_C to `hottest_c`, which it keeps then; `share` of its time that
    has passed."""
    whole = 1 - np.exp(-(hottest_c - ROCK_C) / THETA_K)
    return np.asarray(ROCK_C - THETA_K * np.log(1 - np.clip(np.asarray(share) / RUNS_AWAY_FOR, 0, 1) * whole))


def co_make_l_min(temperature_c: Floats | float) -> Floats:
    """Carbon monoxide that a heating makes [L/min]."""
    t = np.asarray(temperature_c, dtype=float)
    free = CO_MAKE_L_MIN * 2 ** ((np.minimum(t, STARVED_C) - ROCK_C) / DOUBLES_K)
    return np.asarray(free * np.where(t > STARVED_C, ico_pct(t) / ico_pct(STARVED_C), 1.0))


def ico_pct(temperature_c: Floats | float) -> Floats:
    """Graham's ratio of a heating of that temperature [%]."""
    return np.asarray(np.interp(temperature_c, ICO_C, ICO_PCT))


def heating_gases(temperature_c: Floats | float) -> dict[str, Floats]:
    """What a heating adds to the air, by quantity: co, c2h4, c2h6, c2h2 in ppm·m³/s, co2, h2 and the oxygen used
    (deficit) in %·m³/s."""
    t = np.asarray(temperature_c, dtype=float)
    co = co_make_l_min(t) / 60_000  # m³/s

    def beyond(from_c: float, per_co: float) -> Floats:
        """Of a gas that appears at a temperature and grows to a share of the carbon monoxide over 40 K more."""
        return co * per_co * np.clip((t - from_c) / 40.0, 0, 1) * 1e6

    return {
        "co": co * 1e6,
        "deficit": 100 * co / (ico_pct(t) / 100),
        "co2": 100 * co / np.interp(t, CO_CO2_C, CO_CO2),
        "h2": beyond(HYDROGEN_FROM_C, 0.12) / 1e4,
        "c2h4": beyond(ETHYLENE_FROM_C, 0.03),
        "c2h6": beyond(ETHANE_FROM_C, 0.02),
        "c2h2": beyond(ACETYLENE_FROM_C, 0.01),
    }


def heat_release_kw(seconds: Floats | float, growth_kw_s2: float, most_kw: float) -> Floats:
    """Heat release of an open fire `seconds` after it caught."""
    return np.asarray(np.minimum(growth_kw_s2 * np.maximum(seconds, 0.0) ** 2, most_kw))


def fire_gases(heat_kw: Floats | float) -> dict[str, Floats]:
    """What an open fire adds to the air, as in `heating_gases`, and its warmth in K·m³/s."""
    heat = np.asarray(heat_kw, dtype=float)
    oxygen = 100 * heat / 1000 / OXYGEN_MJ_KG / OXYGEN_KG_M3
    return {
        "co": CO_PPM_M3_S_PER_KW * heat,
        "deficit": oxygen,
        "co2": CO2_PER_OXYGEN * oxygen,
        "h2": 2e-5 * heat,
        "c2h4": 0.02 * heat,
        "c2h2": 0.004 * heat,
        "warmth": CONVECTED * heat / AIR_KJ_M3_K,
    }
