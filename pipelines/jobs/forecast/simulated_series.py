"""Simulated shifts as readings: many points, many starts and stops of production, air that fails, gas that flows in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

import numpy as np

from minefusion.models.methane_forecast.forecast import PERIOD_S, Floats, Readings
from minefusion.pipelines.simulate.air import STEP_S
from minefusion.pipelines.simulate.run import Run, run_mine
from minefusion.pipelines.simulate.scenario import load_scenario

# Scenarios and their hours. Ordinary days are the most like measured series; the others have what those seldom show.
SCENARIOS = {
    "ordinary_days": 30.0, "normal": 16.0, "gas_event": 8.0, "doors_open": 8.0, "fan_stop": 8.0, "main_fan_trip": 8.0,
    "pressure_front": 16.0, "high_emission": 12.0, "rapid_rise": 8.0, "low_air": 8.0,
}  # fmt: skip
START = datetime(2026, 3, 1, tzinfo=UTC)
ROADWAYS = 40
# A switch that is on has this state or more.
_ON = 0.5
_HPA_IN_KPA = 10.0


def simulated_series(seeds: int, first_seed: int = 1) -> Iterator[tuple[str, Readings]]:
    """Readings of every air path of every scenario, by seed, with the scenario's name; instrument faults included."""
    for seed, (name, hours) in product(range(first_seed, first_seed + seeds), SCENARIOS.items()):
        run = run_mine(load_scenario(name), seconds=3600 * hours, seed=seed, start=START, roadways=ROADWAYS, people=0)
        for readings in air_paths(run):
            yield name, readings


def air_paths(run: Run) -> Iterator[Readings]:
    """The methane points of each working area with its intake and return, and what is measured beside them."""
    every = PERIOD_S // STEP_S
    points = run.instruments.points
    gas_values, states = run.observed.value[::every], run.monitored.value[::every]
    clear = run.observed.status[::every] == 0
    clock_s = PERIOD_S * np.arange(len(gas_values), dtype=np.float64)

    def columns(numbers: list[int], values: Floats) -> Floats:
        return np.column_stack([np.where(clear[:, each], values[:, each], np.nan) for each in numbers])

    barometer = next((number for number, point in enumerate(points) if point.kind.quantity == "pressure"), None)
    pressure_hpa = np.empty(0) if barometer is None else _HPA_IN_KPA * columns([barometer], gas_values)[:, 0]
    ids = {number: edge.edge_id for number, edge in enumerate(run.layout.site.edges)}
    for path in run.layout.site.air_paths:
        edges = (path.intake_edge, path.return_edge)
        here = [
            number
            for number, point in enumerate(points)
            if point.area_id == path.area_id or ids.get(point.edge) in edges
        ]
        of = {
            quantity: [number for number in here if points[number].kind.quantity == quantity]
            for quantity in ("ch4", "air_velocity", "equipment_on")
        }
        gas = of["ch4"]
        if not gas:
            continue
        cutting = of["equipment_on"][:1]
        yield Readings(
            times_s=clock_s,
            ch4_pct=columns(gas, gas_values),
            names=tuple(points[number].code for number in gas),
            limits_pct=np.array([points[number].alarm_high or 1.0 for number in gas]),
            air_m_s=columns(of["air_velocity"], gas_values) if of["air_velocity"] else np.empty((0, 0)),
            pressure_hpa=pressure_hpa,
            producing=(states[:, cutting[0]] >= _ON).astype(np.float64) if cutting else np.empty(0),
        )
