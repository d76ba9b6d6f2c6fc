"""The air behind a face: flooded with nitrogen and poor in oxygen, until air or gas leaks in or coal heats up.

No roadway leads through a goaf, so its air is not carried by the network; sample tubes and sensors look at it here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from minefusion.pipelines.simulate.air import ALL_SPECIES, CH4, CO, CO2, DEFICIT, FRESH_O2_PCT, NAMED, STEP_S, WARMTH
from minefusion.pipelines.simulate.burning import ROCK_C, heating_c, heating_gases
from minefusion.pipelines.simulate.scenario import Event

Floats = NDArray[np.float64]

CH4_PCT, O2_PCT, CO2_PCT, CO_PPM = 0.7, 6.0, 4.0, 6.0
TEMPERATURE_C = 24.0
LEAK_M3_S = 0.45  # what flows through the waste behind the supports; it carries the gases of a heating
SEALED_S = 2 * 86_400.0
UNREST, UNREST_S = 0.03, 3 * 3600.0


def goaf_air(events: Sequence[Event], steps: int, rng: np.random.Generator) -> Floats:
    """True air of the goaf to which `events` happen: steps × ALL_SPECIES, as `air.simulate_air` has it."""
    at_s = STEP_S * np.arange(steps, dtype=float)
    keep = np.exp(-STEP_S / UNREST_S)
    wander = np.exp(
        UNREST * lfilter([1.0], [1.0, -keep], rng.standard_normal((steps, 3)) * np.sqrt(1 - keep**2), axis=0)
    )
    air = np.zeros((steps, ALL_SPECIES))
    methane, oxygen = CH4_PCT * wander[:, 0], O2_PCT * wander[:, 1]
    air[:, CO], air[:, WARMTH] = CO_PPM * wander[:, 2], 0.0
    air[:, CO2] = CO2_PCT * wander[:, 2]
    for event in events:
        since = at_s - event.onset_s
        if "goaf_mix" in event.effects:  # air leaks in and thins what is there
            settings = event.effects["goaf_mix"]
            there = np.clip(since / (60 * settings["ramp_min"]), 0, 1)
            back = np.clip((event.end_s - at_s) / (60 * settings["ramp_min"]), 0, 1)
            share = np.minimum(there, back)
            methane = methane + share * (settings["ch4_pct"] - methane)
            oxygen = oxygen + share * (settings["o2_pct"] - oxygen)
        if "sealed_fire" in event.effects:  # gas gathers behind the stoppings, the fire goes on with what air is left
            settings = event.effects["sealed_fire"]
            share = np.where(at_s < event.end_s, 1 - np.exp(-np.maximum(since, 0.0) / SEALED_S), 0.0)
            methane = methane + share * (settings["ch4_pct"] - methane)
            oxygen = oxygen + share * (settings["o2_pct"] - oxygen)
            air[:, CO] += share * settings["co_ppm"]
            air[:, WARMTH] += share * settings["warmer_k"]
        if "self_heating" in event.effects:
            passed = np.where(at_s < event.end_s, since / max(event.end_s - event.onset_s, 1.0), 0.0)
            hot_c = heating_c(passed, event.effects["self_heating"]["hottest_c"])
            hot = hot_c > ROCK_C
            air[:, WARMTH] += np.where(hot, hot_c - ROCK_C, 0.0)
            for name, amount in heating_gases(hot_c).items():
                if name == "deficit":
                    oxygen = oxygen - np.where(hot, np.minimum(amount / LEAK_M3_S, 0.7 * oxygen), 0.0)
                else:
                    air[:, NAMED[name]] += np.where(hot, amount / LEAK_M3_S, 0.0)
    air[:, CH4] = methane
    air[:, DEFICIT] = FRESH_O2_PCT * (1 - methane / 100) - oxygen
    return air
