"""Vehicles of the open pit: each drives its round between the face, the crusher and the yard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from minefusion.pipelines.simulate.channels import samples
from minefusion.pipelines.simulate.texts import Clock, chosen, fixed

Floats = NDArray[np.float64]

VEHICLES = 6
# Corners of the haul road: longitude, latitude [deg], altitude [m].
ROUND = (
    (105.4350, 36.7472, 1238.0),
    (105.4374, 36.7488, 1262.0),
    (105.4402, 36.7470, 1274.0),
    (105.4370, 36.7455, 1250.0),
)
ROUND_S = (900.0, 1500.0)
NOISE_DEG, NOISE_M = 1.5e-5, 2.0
NORMAL, AT_WORK = "1", "1"
PURPOSES = ("矿石运输", "矿石运输", "矿石运输", "洒水", "指挥", "油料")


@dataclass(frozen=True)
class Vehicle:
    terminal: str
    number: str
    purpose: str


def vehicles() -> tuple[Vehicle, ...]:
    return tuple(
        Vehicle(f"CZ{number + 1:06d}", f"矿{number + 1:03d}", PURPOSES[number % len(PURPOSES)])
        for number in range(VEHICLES)
    )


def driven(seconds: float, period_s: int, rng: np.random.Generator) -> Floats:
    """True places: samples × vehicles × (longitude, latitude, altitude)."""
    at_s = np.arange(samples(seconds, period_s)) * float(period_s)
    corners = np.array([*ROUND, ROUND[0]])
    share = (at_s[:, None] / rng.uniform(*ROUND_S, VEHICLES) + rng.uniform(0, 1, VEHICLES)) % 1.0
    whole = np.arange(len(corners)) / (len(corners) - 1)
    return np.stack([np.interp(share, whole, corners[:, axis]) for axis in range(3)], axis=-1)


def positions(true: Floats, period_s: int, clock: Clock, rng: np.random.Generator) -> pl.DataFrame:
    """SSSJ: where every vehicle is."""
    count, number = true.shape[0], np.tile(np.arange(VEHICLES), true.shape[0])
    second = np.repeat(np.arange(count) * period_s, VEHICLES)
    seen = (true + rng.standard_normal(true.shape) * (NOISE_DEG, NOISE_DEG, NOISE_M)).reshape(-1, 3)
    fleet = vehicles()
    return pl.DataFrame(
        {
            "sent_s": second,
            "terminal_code": chosen([vehicle.terminal for vehicle in fleet], number),
            "vehicle_no": chosen([vehicle.number for vehicle in fleet], number),
            "longitude": [f"{value:.6f}" for value in seen[:, 0]],
            "latitude": [f"{value:.6f}" for value in seen[:, 1]],
            "altitude": fixed(seen[:, 2], 1),
            "data_time": clock(second),
            "area": chosen(["露天采场"], np.zeros_like(number)),
            "terminal_state": chosen([NORMAL], np.zeros_like(number)),
            "person_state": chosen([AT_WORK], np.zeros_like(number)),
        }
    )


def terminals(second: int) -> pl.DataFrame:
    """CZZD: the terminals of the fleet."""
    return pl.DataFrame(
        [
            {"sent_s": second, "terminal_code": each.terminal, "vehicle_no": each.number, "own_flag": "是",
             "purpose": each.purpose, "description": each.purpose}
            for each in vehicles()
        ]
    )  # fmt: skip
