"""The true state of the tailings pond: pool, beach, water in the dam, movement of the dam, rain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from minefusion.pipelines.simulate.channels import Channel, Device, instants
from minefusion.pipelines.simulate.layout import Layout
from minefusion.pipelines.simulate.scenario import Event, grown
from minefusion.pipelines.simulate.weather import Rain

Floats = NDArray[np.float64]

AREA_ZH, AREA_EN = "尾矿库", "Tailings pond"
STEP_S = 300
HOUR_S = 3600  # displacement and phreatic line come once an hour
CREST_M, POOL_M, BEACH_SLOPE = 1304.0, 1301.2, 0.016
DAM_HEIGHT_M = 52.0
RUN_OFF_M_PER_MM = 0.006  # pool rise per millimetre of rain, before the decant takes it off again
DECANT_D = 4.0
# Piezometers in the outer slope: usual depth to water [m] and days by which the dam's water follows the pool.
PIEZOMETERS = ((9.2, 6.0), (8.8, 9.0), (8.1, 14.0))
CONTROL_DEPTH_M = 6.0
FOLLOWS_POOL = 0.9  # metres by which the phreatic line rises per metre of pool
MARKERS, CREEP_MM_D = 4, 0.05


@dataclass(frozen=True)
class Pond:
    """The pond of a run; arrays hold a value each STEP_S. `depth_m`: steps × PIEZOMETERS."""

    channels: tuple[Channel, ...]
    pool_m: Floats
    beach_m: Floats
    depth_m: Floats


def simulate_pond(
    layout: Layout,
    events: Sequence[Event],
    rain: Rain,
    *,
    seconds: float,
    period_s: int,
    rng: np.random.Generator,
) -> Pond:
    """Run the pond; levels, beach and rain have a value each `period_s`, a whole number of STEP_S."""
    at_s = instants(seconds, STEP_S)
    keep = np.exp(-STEP_S / (DECANT_D * 86_400))
    fallen = rain.per_step(at_s, STEP_S)
    pool = POOL_M + RUN_OFF_M_PER_MM * lfilter([1.0], [1.0, -keep], fallen)
    for event in events:
        if "pool_rise" in event.effects:
            pool += event.effects["pool_rise"]["m"] * grown(event, at_s)
    beach = np.maximum(CREST_M - pool, 0.0) / BEACH_SLOPE
    depth = np.empty((len(at_s), len(PIEZOMETERS)))
    for each, (usual, follows_d) in enumerate(PIEZOMETERS):
        passed = 1 - np.exp(-STEP_S / (follows_d * 86_400))
        soaked = lfilter([passed], [1.0, passed - 1], FOLLOWS_POOL * (pool - POOL_M))
        depth[:, each] = usual - soaked
    for event in events:
        if "phreatic_rise" in event.effects:
            depth -= event.effects["phreatic_rise"]["m"] * grown(event, at_s)[:, None]
    moved = _movement(events, at_s, rng)
    channels = tuple(_channels(layout, pool, beach, depth, moved, rain, at_s, period_s))
    return Pond(channels, pool, beach, depth)


def _movement(events: Sequence[Event], at_s: Floats, rng: np.random.Generator) -> Floats:
    """Downstream movement of each marker [mm]."""
    pace = CREEP_MM_D * rng.uniform(0.6, 1.4, MARKERS)
    moved = np.outer(at_s / 86_400, pace)
    for event in events:
        if "dam_creep" in event.effects:
            during = np.clip(at_s - event.onset_s, 0, event.end_s - event.onset_s) / 86_400
            moved += np.outer(during * event.effects["dam_creep"]["mm_d"], np.linspace(1.0, 0.6, MARKERS))
    return moved


def _channels(
    layout: Layout,
    pool: Floats,
    beach: Floats,
    depth: Floats,
    moved: Floats,
    rain: Rain,
    at_s: Floats,
    period_s: int,
) -> Iterator[Channel]:
    mine = layout.site.mine_code
    area_id = next(area.area_id for area in layout.site.areas if area.name_zh == AREA_ZH)
    sampled, hourly = slice(None, None, period_s // STEP_S), slice(None, None, HOUR_S // STEP_S)
    pond = (105.412, 36.731, CREST_M)

    def device(code: str, words: str, number: int, **about: str) -> Device:
        spot = (round(pond[0] + 0.0004 * number, 6), round(pond[1] + 0.0003 * number, 6), pond[2])
        return Device(f"{mine}{code}{number:04d}", f"{AREA_ZH}{words}", area_id, spot, about)

    level = device("KSW", "库水位计", 1, install_height="1.5")
    yield Channel(level, "KSWSS", "value", "reservoir_level", "m", pool[sampled], period_s, 3, 0.005)
    for number in (1, 2):
        seen = device("GTX", f"{number}号干滩断面", number)
        length = beach[sampled] * (1.0, 1.04)[number - 1]
        yield Channel(seen, "GTXSS", "beach_length", "dry_beach_length", "m", length, period_s, 1, 0.3, 0.0)
    gauge = device("JYL", "雨量站", 1)
    fallen = rain.per_step(at_s[sampled], period_s)
    yield Channel(gauge, "JYLSS", "value", "rainfall", "mm", fallen, period_s, 2, 0.0, 0.0)
    for number, (usual, _) in enumerate(PIEZOMETERS, start=1):
        tube = device("QRX", f"{number}号浸润线测压管", number, hole_depth=f"{usual + 8:.1f}",
                      infiltration_depth=f"{usual:.2f}")  # fmt: skip
        yield Channel(tube, "QRXSS", "value", "phreatic_line", "m", depth[hourly, number - 1], HOUR_S, 2, 0.01, 0.0)
    for number in range(1, MARKERS + 1):
        marker = device("BWY", f"{number}号表面位移点", number)
        along = moved[hourly, number - 1]
        for column, share, axis, noise in (("dx", 0.8, "x", 1.2), ("dy", 0.4, "y", 1.2), ("dz", -0.45, "z", 2.0)):
            yield Channel(marker, "BWYSS", column, f"surface_disp_{axis}", "mm", share * along, HOUR_S, 1, noise)
