"""Measured tables and their mapping as the readings that a forecast is trained on and compared with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from minefusion.models.methane_forecast.forecast import PERIOD_S, Floats, Readings, on_clock
from minefusion.pipelines.replay.mapping import MappedPoint, Mapping, load_mapping
from minefusion.pipelines.replay.table import INSTANT, period_s, read_table
from minefusion.schemas.errors import InputError
from minefusion.schemas.limits import limits_for
from minefusion.schemas.sensors import SensorType, sensor_type

# A time elapsed has no date; any zero does.
_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
_KPA_IN_HPA = 10.0


def measured_series(files: Sequence[Path], mapping: Path) -> tuple[Readings, int]:
    """The readings of files that follow on each other, and the row at which the second begins.

    A time elapsed that begins anew in the second file goes on where the first ended.

    Raises:
        InputError: a file does not fit the mapping, the mapping names no methane point, or the files overlap.
    """
    declared = load_mapping(mapping)
    gas = [point for point in declared.points if _type(point).quantity == "ch4"]
    if not gas:
        raise InputError(f"expected a methane point in {mapping}, got none; add the column of one")
    start = _ZERO if declared.time.unit else None
    tables = [read_table(path, declared, start) for path in files]
    for number in range(1, len(tables)):
        tables[number] = _after(tables[number - 1], tables[number], files[number], declared)
    split_at = tables[1][INSTANT][0].timestamp() if len(tables) > 1 else np.inf
    table = pl.concat(tables)
    times_s = table[INSTANT].dt.epoch("us").to_numpy() / 1e6
    clock_s = np.arange(times_s[0], times_s[-1] + PERIOD_S / 2, PERIOD_S)
    hold_s = 2 * period_s(declared, table)

    def column(name: str, factor: float = 1.0, held_s: float = 0.0) -> Floats:
        return on_clock(times_s, factor * table[name].to_numpy().astype(np.float64), clock_s, hold_s=held_s)

    air = [point for point in declared.points if _type(point).quantity == "air_velocity"]
    barometer = next((point for point in declared.points if _type(point).quantity == "pressure"), None)
    state = next(iter(declared.covariates), None)
    readings = Readings(
        times_s=clock_s,
        ch4_pct=np.column_stack([column(point.column, _factor(point)) for point in gas]),
        names=tuple(point.name for point in gas),
        limits_pct=np.array([_alarm_limit(point, mapping) for point in gas]),
        air_m_s=np.column_stack([column(point.column, _factor(point)) for point in air]) if air else np.empty((0, 0)),
        pressure_hpa=column(barometer.column, _KPA_IN_HPA * _factor(barometer), hold_s) if barometer else np.empty(0),
        producing=column(state.column, held_s=hold_s) if state else np.empty(0),
    )
    return readings, int(np.searchsorted(clock_s, split_at))


def _after(earlier: pl.DataFrame, later: pl.DataFrame, path: Path, mapping: Mapping) -> pl.DataFrame:
    end, begin = earlier[INSTANT][-1], later[INSTANT][0]
    if begin > end:
        return later
    if mapping.time.unit is None:
        raise InputError(
            f"expected {path} to begin after {end.isoformat()}, where the training file ends, it begins at "
            f"{begin.isoformat()}; give files that follow on each other"
        )
    step = timedelta(seconds=period_s(mapping, earlier))
    return later.with_columns(pl.col(INSTANT) + (end + step - begin))


def _type(point: MappedPoint) -> SensorType:
    kind = sensor_type(point.sensor_type)
    assert kind is not None, "the mapping was checked"
    return kind


def _factor(point: MappedPoint) -> float:
    return _type(point).factor_from(point.unit) or 1.0


def _alarm_limit(point: MappedPoint, mapping: Path) -> float:
    if point.limits is not None and point.limits.alarm is not None:
        return point.limits.alarm * _factor(point)
    law = next(iter(limits_for(point.place, "ch4")), None)
    if law is None or law.alarm is None:
        raise InputError(f"expected an alarm limit for {point.name} in {mapping}, got none; add limits: {{alarm: …}}")
    return law.alarm
