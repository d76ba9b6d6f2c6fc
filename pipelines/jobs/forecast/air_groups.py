"""The points of a mine that share one air path, as the arrays that a forecast reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from minefusion.models.methane_forecast.forecast import PERIOD_S, Floats, Readings, on_clock
from minefusion.pipelines.conform.place import UNPLACED
from minefusion.pipelines.hazard.sensor_checks import Ints
from minefusion.pipelines.hazard.sensor_series import Sensor
from minefusion.schemas.site import AirPath, Site

GAS, VELOCITY, MACHINE, BAROMETER = "ch4", "air_velocity", "equipment_on", "pressure"
QUANTITIES = (GAS, VELOCITY, MACHINE, BAROMETER)
SECOND_US = 1_000_000
# A sensor that was silent so long has started anew.
RESTART_AFTER_S = 30 * 60
# A machine's state and the barometer are told seldom, and hold until told anew.
HOLD_S = 2 * 3600.0
_HPA_IN_KPA = 10.0


@dataclass(frozen=True)
class AirGroup:
    """Sensors along one air path: of a working area with its intake and return, else of one area.

    Attributes:
        gas: methane points, in the order of the air where the site file tells it.
        air, machines: air velocities and machine states there.
        barometer: the mine's; None where there is none.
    """

    gas: tuple[Sensor, ...]
    air: tuple[Sensor, ...]
    machines: tuple[Sensor, ...]
    barometer: Sensor | None


def air_groups(sensors: Sequence[Sensor], site: Site | None) -> Iterator[AirGroup]:
    """Every methane point in one group; a point whose place is not known is a group of its own."""
    paths = site.air_paths if site else ()
    members: dict[str, list[Sensor]] = {}
    for sensor in sensors:
        if sensor.quantity in (GAS, VELOCITY, MACHINE):
            members.setdefault(_group_of(sensor, paths), []).append(sensor)
    barometer = next((sensor for sensor in sensors if sensor.quantity == BAROMETER), None)
    for _, some in sorted(members.items()):
        gas = [sensor for sensor in some if sensor.quantity == GAS]
        if gas:
            yield AirGroup(
                tuple(sorted(gas, key=lambda sensor: _along_the_air(sensor, paths))),
                tuple(sensor for sensor in some if sensor.quantity == VELOCITY),
                tuple(sensor for sensor in some if sensor.quantity == MACHINE),
                barometer,
            )


def readings_of(group: AirGroup, limits_pct: Sequence[float], first_us: int, last_us: int, since_us: int) -> Readings:
    """The group's samples on an even clock.

    Args:
        limits_pct: alarm limit of each methane point.
        first_us, last_us: first and last instant of the clock, whole periods since 1970.
        since_us: restarts and calibrations are looked for before this instant only, so that what is said of an instant
            does not hang on what comes after it.
    """
    clock = np.arange(first_us, last_us + 1, PERIOD_S * SECOND_US) / SECOND_US
    return Readings(
        times_s=clock,
        ch4_pct=np.column_stack([_on(sensor, clock) for sensor in group.gas]),
        names=tuple(name_of(sensor) for sensor in group.gas),
        limits_pct=np.array(limits_pct, dtype=np.float64),
        air_m_s=np.column_stack([_on(sensor, clock) for sensor in group.air]) if group.air else np.empty((0, 0)),
        pressure_hpa=_HPA_IN_KPA * _on(group.barometer, clock, HOLD_S) if group.barometer else np.empty(0),
        producing=_any_runs(group.machines, clock),
        restarted_s=np.array([restarted_s(sensor, since_us) for sensor in group.gas]),
    )


def name_of(sensor: Sensor) -> str:
    """The point as models name it, alike in no two mines."""
    return f"{sensor.mine_code}/{sensor.point_id}"


def restarted_s(sensor: Sensor, before_us: int) -> float:
    """When the sensor last came back from silence or test gas before that instant [s since 1970]; NaN: not known."""
    seen = slice(0, int(np.searchsorted(sensor.times, before_us)))
    times, good = sensor.times[seen], _good(sensor)[seen]
    times = times[good]
    gaps = np.flatnonzero(np.diff(times) > RESTART_AFTER_S * SECOND_US)
    back = times[gaps[-1] + 1] if len(gaps) else None
    tested = sensor.times[seen][sensor.calibrating[seen]]
    if len(tested) and (back is None or tested[-1] > back):
        back = tested[-1]
    return np.nan if back is None else float(back) / SECOND_US


def _group_of(sensor: Sensor, paths: Sequence[AirPath]) -> str:
    for path in paths:
        if sensor.area_id == path.area_id:
            return path.area_id
        if sensor.place is not None and sensor.place.edge_id in (path.intake_edge, path.return_edge):
            return path.area_id
    return sensor.area_id if sensor.area_id and sensor.area_id != UNPLACED else f"{UNPLACED}/{sensor.point_id}"


def _along_the_air(sensor: Sensor, paths: Sequence[AirPath]) -> tuple[int, float, str]:
    if sensor.place is None:
        return 1, 0.0, sensor.point_id
    on = {path.intake_edge: 0 for path in paths} | {path.return_edge: 2 for path in paths}
    return on.get(sensor.place.edge_id, 1), sensor.place.chainage_m, sensor.point_id


def _good(sensor: Sensor) -> np.ndarray:
    return np.isfinite(sensor.values) & ~sensor.calibrating


def _on(sensor: Sensor, clock: Floats, hold_s: float = 0.0) -> Floats:
    return on_clock(_seconds(sensor.times), sensor.values, clock, good=_good(sensor), hold_s=hold_s)


def _any_runs(machines: Sequence[Sensor], clock: Floats) -> Floats:
    """1 where one of the machines runs, 0 where all that are known stand; NaN where none is known."""
    if not machines:
        return np.empty(0)
    states = np.column_stack([_on(machine, clock, HOLD_S) for machine in machines])
    known = np.isfinite(states)
    return np.where(known.any(axis=1), (np.where(known, states, 0.0) > 0).any(axis=1), np.nan)


def _seconds(us: Ints) -> Floats:
    return us / SECOND_US
