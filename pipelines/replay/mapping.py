"""The mapping file of a measured table: which column is which sensor, where it hangs, and when a row was measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zoneinfo import available_timezones

from minefusion.schemas.declared import Lines, read_yaml, refuse
from minefusion.schemas.errors import InputError
from minefusion.schemas.exchange.measures import Measure, measures
from minefusion.schemas.limits import all_limits, limits_for
from minefusion.schemas.sensors import sensor_type

SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


@dataclass(frozen=True)
class Time:
    """When a row was measured: a time elapsed in `unit` since the start, or clock time of `timezone` (default UTC).

    `period_s` is the nominal time between rows [s]; without it the median step is.
    """

    column: str
    unit: Literal["ms", "s", "min", "h", "d"] | None = None
    period_s: float | None = None
    timezone: str | None = None

    @property
    def zone(self) -> str:
        return self.timezone or "UTC"


@dataclass(frozen=True)
class Limits:
    """The mine's own settings of one point, in the point's unit; null where not set."""

    alarm: float | None = None
    power_off: float | None = None
    restore: float | None = None


@dataclass(frozen=True)
class MappedPoint:
    """One column that is a sensor.

    Attributes:
        place: a location code of the limits table or an area id of the mine.
        file: kind of file that carries its values, such as KSWSS; null for safety monitoring.
        device: the machine that it belongs to, where it is one of key equipment.
    """

    column: str
    name: str
    sensor_type: str
    unit: str
    place: str
    limits: Limits | None = None
    file: str | None = None
    device: str | None = None


@dataclass(frozen=True)
class Covariate:
    """One column that is a state of the works, 0 or 1, such as whether the shearer runs."""

    column: str
    name: str
    kind: Literal["state"] = "state"


@dataclass(frozen=True)
class Mapping:
    """A mapping file, checked."""

    mine_code: str
    time: Time
    points: tuple[MappedPoint, ...]
    covariates: tuple[Covariate, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The table's columns that hold values."""
        return (*(point.column for point in self.points), *(covariate.column for covariate in self.covariates))


def measure_of(point: MappedPoint) -> Measure:
    """The field of its file kind that holds the point's values."""
    return next(each for each in measures() if each.kind == point.file and _holds(each, point))


def _holds(measure: Measure, point: MappedPoint) -> bool:
    """A field whose types are not listed holds what the point's definition names."""
    return not measure.types or any(kind.code == point.sensor_type for kind in measure.types)


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises:
        InputError: file, line, what was expected, what came and what to do.
    """
    if not path.is_file():
        raise InputError(f"expected a mapping file, found none at {path}; give its path by --mapping")
    mapping, lines = read_yaml(path, Mapping, "mapping")
    _check(path, mapping, lines)
    return mapping


def _check(path: Path, mapping: Mapping, lines: Lines) -> None:
    def complain(thing: Any, problem: str) -> None:
        refuse(path, lines[id(thing)], problem)

    time = mapping.time
    if not 10 <= len(mapping.mine_code) <= 20 or not mapping.mine_code.isalnum():
        complain(mapping, f"expected mine_code of 10 to 20 letters and digits, got '{mapping.mine_code}'; mend it")
    if time.unit and time.timezone:
        complain(time, f"expected unit or timezone in time, got both ({time.unit}, {time.timezone}); remove one")
    if time.timezone and time.timezone not in available_timezones():
        complain(time, f"expected a timezone such as Europe/Warsaw, got '{time.timezone}'; mend it")
    if time.period_s is not None and time.period_s < 1:
        complain(time, f"expected period_s of 1 or more, since files are stamped by the second, got {time.period_s:g}")
    if not mapping.points:
        complain(mapping, "expected at least one entry in points, got none; add one")
    columns: set[str] = {time.column}
    things: tuple[MappedPoint | Covariate, ...] = (*mapping.points, *mapping.covariates)
    for thing in things:
        if thing.column in columns:
            complain(thing, f"expected every column once, got '{thing.column}' again; remove one")
        columns.add(thing.column)
    locations = {limit.location_code for limit in all_limits()}
    for point in mapping.points:
        kind = sensor_type(point.sensor_type)
        if kind is None:
            complain(point, f"expected a code of the sensor-type table for {point.name}, got '{point.sensor_type}'")
        elif kind.factor_from(point.unit) is None:
            complain(
                point, f"expected {point.name} in {kind.unit}, the unit of {kind.name_en}, got '{point.unit}'; mend it"
            )
        elif point.place not in locations and not point.place.startswith(mapping.mine_code):
            complain(
                point,
                f"expected place of {point.name} as a location code of the limits table or an area id that begins with "
                f"{mapping.mine_code}, got '{point.place}'; docs/limits.md lists the codes",
            )
        elif point.file is not None and not any(each.kind == point.file and _holds(each, point) for each in measures()):
            carried = sorted({each.kind for each in measures() if _holds(each, point)})
            complain(
                point,
                f"expected file of {point.name} as a kind that carries {kind.name_en} ({', '.join(carried)}), "
                f"got '{point.file}'; mend it or leave it out",
            )
        elif kind.quantity == "ch4" and point.limits is None and not limits_for(point.place, "ch4"):
            complain(point, f"expected limits for {point.name}, since {point.place} has no methane limit; add them")
