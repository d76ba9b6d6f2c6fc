"""A measured table as the exchange files that its mine would have sent: one snapshot a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from minefusion.pipelines.exchange.manifest import add_to_manifest
from minefusion.pipelines.exchange.write import file_name, write_file
from minefusion.pipelines.replay import families
from minefusion.pipelines.replay.mapping import MappedPoint, Mapping
from minefusion.pipelines.replay.site import SWITCH, point_codes, site_of
from minefusion.pipelines.replay.table import INSTANT, period_s, read_table
from minefusion.schemas.errors import InputError
from minefusion.schemas.limits import all_limits, limits_for
from minefusion.schemas.sensors import SensorType, sensor_type
from minefusion.schemas.site import dump_site

Progress = Callable[[float, str], None]

SYSTEM = "01"
EQUIPMENT_SYSTEM = {"system_code": "30", "system_name": "回放"}
Codes = dict[str, str]
# A receiver refuses files from further ahead than this (PC-12).
FUTURE_TOLERANCE = timedelta(seconds=300)


@dataclass
class Replayed:
    """What was written: files, records by kind, and the points."""

    files: int = 0
    records: dict[str, int] = field(default_factory=dict)
    points: int = 0
    period_s: float = 0.0


def replay(
    path: Path,
    mapping: Mapping,
    out: Path,
    *,
    start: datetime | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Replayed:
    """Write the table as CDDY and CDSS files, those of other feeds where the mapping names them, and a site file.

    Args:
        start: instant at which a time elapsed is 0; of a table with clock times, the instant of its first row.
        now: no row may lie behind it, since a receiver refuses files from the future.

    Raises:
        InputError: the table does not fit its mapping, or reaches into the future.
    """
    table = read_table(path, mapping, start)
    last = table[INSTANT][-1]
    if last > (now or datetime.now(UTC)) + FUTURE_TOLERANCE:
        raise InputError(
            f"expected rows up to now, since receivers refuse the future, got {last.isoformat()}; move --start back"
        )
    out.mkdir(parents=True, exist_ok=True)
    site = site_of(mapping)
    (out / f"{mapping.mine_code}.site.yaml").write_text(dump_site(site), encoding="utf-8")
    done = Replayed(points=len(mapping.columns), period_s=period_s(mapping, table))
    written: dict[str, int] = {}

    def write(kind: str, time: datetime, records: pl.DataFrame, **header: str) -> None:
        name = file_name(kind, mapping.mine_code, time)
        written[name] = write_file(out, kind, mapping.mine_code, site.name_zh, time, records, header=header or None)
        done.records[kind] = done.records.get(kind, 0) + written[name]

    first = table[INSTANT][0]
    others = [(number, point) for number, point in enumerate(mapping.points, start=1) if point.file is not None]
    for kind, defined in families.definitions(others, mapping.mine_code, first):
        write(kind, first, defined, **(EQUIPMENT_SYSTEM if families.is_equipment(kind) else {}))
    carried = families.values(others, mapping.mine_code, table)
    by_time = {kind: rows.partition_by(INSTANT, as_dict=True, include_key=False) for kind, rows in carried}
    monitored = _monitored(mapping)
    records = pl.DataFrame()
    width = len(monitored.columns)
    if width:
        about = {"system_name": "回放", "system_model": "replay", "manufacturer": "minefusion"}
        write("CDDY", first, _definitions(monitored, codes=point_codes(mapping), time=first), **about)
        records = _values(monitored, point_codes(mapping), table)
    for index, time in enumerate(table[INSTANT]):
        if width:
            write("CDSS", time, records.slice(index * width, width))
        for kind, rows in by_time.items():
            if (time,) in rows:
                write(kind, time, rows[time,], **(EQUIPMENT_SYSTEM if families.is_equipment(kind) else {}))
        if progress and index % 100 == 0:
            progress(index / len(table), f"{time:%Y-%m-%d %H:%M}")
    add_to_manifest(out, written)
    done.files = len(written)
    return done


def _monitored(mapping: Mapping) -> Mapping:
    """What safety monitoring carries of it."""
    return replace(mapping, points=tuple(point for point in mapping.points if point.file is None))


def _definitions(mapping: Mapping, codes: Codes, time: datetime) -> pl.DataFrame:
    """CDDY records: range of the sensor type in the point's own unit, and the mine's limits."""
    rows = []
    for point in mapping.points:
        kind = _type(point)
        factor = kind.factor_from(point.unit) or 1.0
        alarm, power_off, restore = _limits(point)
        rows.append(
            {
                "point_code": codes[point.column],
                "sensor_type_code": kind.code,
                "value_kind": "MN",
                "unit": point.unit,
                "range_high": _number(kind.valid_max, factor),
                "range_low": _number(kind.valid_min, factor),
                "alarm_high": alarm,
                "alarm_high_clear": restore,
                "cutoff_high": power_off,
                "restore_high": restore,
                "location": _location(point),
            }
        )
    for covariate in mapping.covariates:
        rows.append(
            {
                "point_code": codes[covariate.column],
                "sensor_type_code": SWITCH,
                "value_kind": "KG",
                "on_desc": "开",
                "off_desc": "停",
                "location": covariate.name,
            }
        )
    same = {"system_code": SYSTEM, "substation_code": f"{mapping.mine_code}00001", "data_time": time}
    return pl.from_dicts([row | same for row in rows], infer_schema_length=None)


def _values(mapping: Mapping, codes: Codes, table: pl.DataFrame) -> pl.DataFrame:
    """CDSS records of all rows, those of one row together. A value that the table lacks is empty."""
    about = [(codes[point.column], _type(point).name_zh, _location(point), point.unit) for point in mapping.points]
    switch = sensor_type(SWITCH)
    assert switch is not None
    about += [(codes[covariate.column], switch.name_zh, covariate.name, "") for covariate in mapping.covariates]
    states = {covariate.column for covariate in mapping.covariates}
    parts = [
        table.select(
            pl.lit(code).alias("point_code"),
            pl.lit(type_name).alias("sensor_type_name"),
            pl.lit(location).alias("location"),
            pl.col(column).cast(pl.Int64 if column in states else pl.Float64).cast(pl.String).alias("value"),
            pl.lit(unit).alias("unit"),
            pl.lit("0").alias("status"),
            pl.col(INSTANT).alias("data_time"),
        )
        for column, (code, type_name, location, unit) in zip(mapping.columns, about, strict=True)
    ]
    return pl.concat(parts).sort("data_time", maintain_order=True)


def _type(point: MappedPoint) -> SensorType:
    kind = sensor_type(point.sensor_type)
    assert kind is not None, "the mapping was checked"
    return kind


def _location(point: MappedPoint) -> str:
    place = next((limit.location_zh for limit in all_limits() if limit.location_code == point.place), point.place)
    return f"{place} {point.name}"


def _limits(point: MappedPoint) -> tuple[float | None, float | None, float | None]:
    """The point's own limits, else those of the law for a methane point's place."""
    if point.limits is not None:
        return point.limits.alarm, point.limits.power_off, point.limits.restore
    law = next(iter(limits_for(point.place, _type(point).quantity)), None)
    if law is None or law.direction != "high":
        return None, None, None
    return law.alarm, law.power_off, law.restore


def _number(value: float | None, factor: float) -> float | None:
    return None if value is None else value / factor
