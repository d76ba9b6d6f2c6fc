"""The true movement of an open-pit slope: creep, and accelerations of which most die away again.

An acceleration that ends in failure follows Voight's law with α = 2: the speed is 1/(A·(t_f − t)). One that does not
follows its mirror image: it jumps and slows down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.channels import Channel, Device, instants
from minefusion.pipelines.simulate.layout import SURFACE_Z, Layout
from minefusion.pipelines.simulate.scenario import Event

Floats = NDArray[np.float64]

AREA_ZH, AREA_EN = "露天边坡", "Open-pit slope"
STEP_S = 3600
STATIONS = 6
CREEP_MM_D = 0.25
NOISE_MM, HEIGHT_NOISE_MM = 1.5, 3.0  # of an hourly GNSS solution
DIRECTION = (0.72, 0.42, -0.55)  # of the movement: east, north, up
SPEED_OVER = 24  # hours over which the receiver takes its speeds
LAST_H = 3.0  # the law ends so many hours before failure: the mass moves at its last speed


@dataclass(frozen=True)
class Slope:
    """The slope of a run; `moved_mm`: steps of STEP_S × stations, along the slope."""

    channels: tuple[Channel, ...]
    moved_mm: Floats


def simulate_slope(layout: Layout, events: Sequence[Event], *, seconds: float, rng: np.random.Generator) -> Slope:
    """Run the slope; every receiver has a solution an hour."""
    at_s = instants(seconds, STEP_S)
    day = at_s / 86_400
    moved = np.outer(day, CREEP_MM_D * rng.uniform(0.5, 1.5, STATIONS))
    for event in events:
        near = _near(event.unit)
        if "slope_failure" in event.effects:
            moved += np.outer(_progressive(event, day), near)
        if "slope_jolt" in event.effects:
            since = np.clip((at_s - event.onset_s) / max(event.end_s - event.onset_s, 1.0), 0, None)
            moved += np.outer(event.effects["slope_jolt"]["mm"] * (1 - np.exp(-4 * since)), near)
    return Slope(tuple(_channels(layout, moved)), moved)


def _near(unit: int) -> Floats:
    """Share of a movement that each station sees: whole at its middle, less beside it."""
    return np.exp(-0.5 * ((np.arange(STATIONS) - (1 + unit % (STATIONS - 2))) / 0.9) ** 2)


def _progressive(event: Event, day: Floats) -> Floats:
    """Movement [mm] of a mass that fails at the event's end: the integral of 1/(A·(t_f − t)).

    `fastest_mm_d` is its speed LAST_H before failure; from there on it keeps that speed until the end.
    """
    onset, failure = event.onset_s / 86_400, event.end_s / 86_400
    last = LAST_H / 24
    rate = event.effects["slope_failure"]["fastest_mm_d"] * last  # 1/A [mm]
    t = np.clip(day, onset, failure)
    law = rate * np.log((failure - onset) / np.maximum(failure - t, last))
    return law + np.clip(t - (failure - last), 0, None) * rate / last


def _channels(layout: Layout, moved: Floats) -> Iterator[Channel]:
    area_id = next(area.area_id for area in layout.site.areas if area.name_zh == AREA_ZH)
    noise = (NOISE_MM, NOISE_MM, HEIGHT_NOISE_MM)
    per_day = 86_400 / STEP_S
    for number in range(STATIONS):
        spot = (round(105.436 + 0.0005 * number, 6), round(36.748 + 0.0002 * number, 6), SURFACE_Z + 12.0 * number)
        about = {"slope_no": "01", "open_pit_no": layout.site.mine_code, "equip_name": f"GNSS-{number + 1:02d}"}
        station = Device(f"GNSS{number + 1:04d}", f"{AREA_ZH}{number + 1}号监测点", area_id, spot, about)
        for axis, share, each in zip("xyz", DIRECTION, noise, strict=True):
            along = share * moved[:, number]
            speed = _trend(along, SPEED_OVER) * per_day
            told = (
                (f"{axis}_disp", f"surface_disp_{axis}", "mm", along, each, 2),
                (f"{axis}_speed", f"surface_speed_{axis}", "mm/d", speed, 0.2 * each, 2),
                (f"{axis}_acc_speed", f"surface_acceleration_{axis}", "mm/d2", _trend(speed, SPEED_OVER) * per_day,
                 0.1 * each, 3),
            )  # fmt: skip
            for column, quantity, unit, true, deviation, decimals in told:
                yield Channel(station, "gnssrealtime", column, quantity, unit, true, STEP_S, decimals, deviation)


def _trend(value: Floats, over: int) -> Floats:
    """Change per step over the last `over` steps, fewer at the start."""
    before = np.maximum(np.arange(len(value)) - over, 0)
    return (value - value[before]) / np.maximum(np.arange(len(value)) - before, 1)
