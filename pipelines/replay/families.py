"""Columns of a measured table that other feeds than safety monitoring carry: pond levels, rain, pressures, machines.

Which field of which file kind holds a sensor type is said by the exchange format's measures; a point's record is filled
by the fields that its layout has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import polars as pl

from minefusion.pipelines.replay.mapping import MappedPoint, measure_of
from minefusion.pipelines.replay.table import INSTANT
from minefusion.schemas.exchange.grammar import equipment_prefixes, kinds

# Fields that say that a device works; the first is a sum of bits.
_WORKS = {"status": "0", "point_status": "0", "device_state": "1"}
_PLACES = ("location", "point_location", "equip_location")


def is_equipment(kind: str) -> bool:
    return kind.split("_")[0] in equipment_prefixes()


def device_code(point: MappedPoint, mine_code: str, number: int) -> str:
    """Code of a family's device as its files carry it; key equipment has short local codes."""
    assert point.file is not None
    return f"P{number:02d}" if is_equipment(point.file) else f"{mine_code}{point.file[:4]}{number:04d}"


def point_id(point: MappedPoint, mine_code: str, number: int) -> str:
    """The same as silver has it."""
    assert point.file is not None
    code = device_code(point, mine_code, number)
    return f"{point.file[:4]}/{code}" if is_equipment(point.file) else code


def definitions(
    points: Sequence[tuple[int, MappedPoint]], mine_code: str, time: datetime
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Definition records of the points (number, point), by the kind that defines them."""
    rows: dict[str, list[dict[str, object]]] = {}
    for number, point in points:
        kind = measure_of(point).defined_by
        if not kind:
            continue
        columns = kinds()[kind].layout().columns
        row = _named(point, mine_code, number, columns) | {
            name: value
            for name, value in (
                ("sensor_type_code", point.sensor_type),
                ("unit", point.unit),
                ("device_name", point.name),
                ("install_date", f"{time:%Y-%m-%d}"),
                ("data_define_time", time),
                *((name, f"{point.place} {point.name}") for name in _PLACES),
                *_WORKS.items(),
            )
            if name in columns
        }
        rows.setdefault(kind, []).append(row)
    for kind, defined in rows.items():
        yield kind, pl.from_dicts(defined, infer_schema_length=None)


def values(
    points: Sequence[tuple[int, MappedPoint]], mine_code: str, table: pl.DataFrame
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Value records of all rows, with `observed_at` beside them, by kind of file. A value that the table lacks is left
    out: these files have no empty values."""
    frames: dict[str, list[pl.DataFrame]] = {}
    for number, point in points:
        measure = measure_of(point)
        columns = kinds()[measure.kind].layout().columns
        constants = _named(point, mine_code, number, columns)
        constants |= {name: value for name, value in _WORKS.items() if name in columns}
        constants |= {"point_unit": point.unit} if "point_unit" in columns else {}
        times = {
            name: pl.col(INSTANT) for name in ("data_time", "monitor_time", "begin_time", "end_time") if name in columns
        }
        known = table.filter(pl.col(point.column).is_not_null())
        frames.setdefault(measure.kind, []).append(
            known.select(
                INSTANT,
                *(pl.lit(value).alias(name) for name, value in constants.items()),
                *(at.alias(name) for name, at in times.items()),
                pl.col(point.column).cast(pl.Float64).cast(pl.String).alias(measure.column),
            )
        )
    for kind, parts in frames.items():
        yield kind, pl.concat(parts, how="diagonal").sort(INSTANT, maintain_order=True)


def _named(point: MappedPoint, mine_code: str, number: int, columns: Sequence[str]) -> dict[str, str]:
    """The fields that name the point, and the machine that it belongs to."""
    code = device_code(point, mine_code, number)
    if "point_code" in columns:
        machine: Mapping[str, str] = {"device_code": point.device or "M01"} if "device_code" in columns else {}
        typed = {"point_type_code": point.sensor_type, "point_type_name": point.name}
        return {"point_code": code, **machine, **{name: text for name, text in typed.items() if name in columns}}
    return {name: code for name in ("device_code", "equip_no") if name in columns}
