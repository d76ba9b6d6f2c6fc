"""The points of a mine with their samples as arrays, for what expressions cannot say.

`series_frame` lays points, samples and whatever else belongs to points into one long frame, so that one grouped
function sees a whole mine; `sensors_of` and `other_rows` take them apart again inside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from minefusion.pipelines.hazard.air_ways import Place
from minefusion.pipelines.hazard.sensor_checks import Bools, Floats, Ints
from minefusion.schemas.accuracy import Accuracy, accuracy_of

POINT_KEY = ("mine_code", "point_id")
POINT, READING = "point", "reading"
_TEXTS = ("quantity", "sensor_type", "unit", "area_id", "edge_id", "location")
_NUMBERS = ("chainage_m", "period_s")
# Reasons of readings that tell that the instrument was out of service.
_OUT = "SENSOR_FAULT|SUBSTATION_FAULT|NOT_POLLED|SUSPENDED|UNIT_UNKNOWN"
_CALIBRATING = "CALIBRATION"
NOTHING: tuple[Ints, Floats] = (np.empty(0, dtype=np.int64), np.empty(0))


@dataclass(frozen=True)
class Sensor:
    """One point with its samples: microseconds since the epoch in order, NaN where none came or it was out of service.

    `place` is null where it is not resolved.
    """

    mine_code: str
    point_id: str
    quantity: str | None
    sensor_type: str | None
    unit: str | None
    area_id: str | None
    location: str
    place: Place | None
    period_s: float
    times: Ints
    values: Floats
    calibrating: Bools

    @cached_property
    def accuracy(self) -> Accuracy | None:
        return accuracy_of(self.quantity, self.sensor_type)

    @property
    def name_zh(self) -> str:
        return self.location or self.point_id

    def span(self, begin_us: int, end_us: int) -> slice:
        """Places of the samples in [begin_us, end_us)."""
        first, last = np.searchsorted(self.times, [begin_us, end_us])
        return slice(int(first), int(last))

    def known(self, begin_us: int, end_us: int) -> Floats:
        """The values in [begin_us, end_us) that are known; test gas that was flagged is none."""
        inside = self.span(begin_us, end_us)
        values = self.values[inside]
        return values[np.isfinite(values) & ~self.calibrating[inside]]


def series_frame(points: nw.LazyFrame, readings: nw.LazyFrame, others: Mapping[str, nw.LazyFrame]) -> nw.LazyFrame:
    """One long frame of these points.

    Args:
        points: silver.point.
        readings: silver.reading with `observed_us`.
        others: name → mine_code, point_id, us, and value where there is one.
    """
    known = points.select(*POINT_KEY)
    facts = {name: nw.col(name).cast(nw.String) for name in _TEXTS}
    facts |= {name: nw.col(name).cast(nw.Float64) for name in _NUMBERS}
    parts = [_part(points, POINT, facts)]
    samples = {"us": nw.col("observed_us"), "value": nw.col("value"), "mark": nw.col("quality_reasons")}
    parts.append(_part(readings.join(known, on=list(POINT_KEY), how="semi"), READING, samples))
    for name, frame in others.items():
        there = frame.collect_schema().names()
        given: dict[str, nw.Expr] = {column: nw.col(column) for column in ("us", "value") if column in there}
        parts.append(_part(frame.join(known, on=list(POINT_KEY), how="semi"), name, given))
    return nw.concat(parts, how="vertical")


def _part(frame: nw.LazyFrame, what: str, given: Mapping[str, nw.Expr]) -> nw.LazyFrame:
    types = dict.fromkeys((*_TEXTS, "mark"), nw.String) | dict.fromkeys((*_NUMBERS, "value"), nw.Float64)
    columns = {name: nw.lit(None, dtype=kind) for name, kind in (types | {"us": nw.Int64}).items()} | dict(given)
    return frame.select(*POINT_KEY, nw.lit(what).alias("what"), *(each.alias(name) for name, each in columns.items()))


def sensors_of(rows: pa.Table) -> list[Sensor]:
    """The points of a long frame of one mine, with their samples, in the order of their codes."""
    samples = _sorted(rows, READING)
    marks = samples["mark"].fill_null("")
    calibrating = pc.match_substring(marks, _CALIBRATING).to_numpy(zero_copy_only=False)
    values = samples["value"].to_numpy().astype(np.float64)
    values[pc.match_substring_regex(marks, _OUT).to_numpy(zero_copy_only=False)] = np.nan
    times, places = samples["us"].to_numpy(), _places(samples)
    found = []
    for fact in _sorted(rows, POINT).to_pylist():
        at = places.get(fact["point_id"], slice(0, 0))
        has_place = fact["edge_id"] is not None and fact["chainage_m"] is not None
        found.append(
            Sensor(
                mine_code=fact["mine_code"],
                point_id=fact["point_id"],
                quantity=fact["quantity"],
                sensor_type=fact["sensor_type"],
                unit=fact["unit"],
                area_id=fact["area_id"],
                location=fact["location"] or "",
                place=Place(fact["edge_id"], fact["chainage_m"]) if has_place else None,
                period_s=fact["period_s"] or 30.0,
                times=times[at],
                values=values[at],
                calibrating=calibrating[at],
            )
        )
    return found


def other_rows(rows: pa.Table, what: str) -> dict[str, tuple[Ints, Floats]]:
    """Times and values of one of the others, by point."""
    some = _sorted(rows, what)
    at, value = some["us"].to_numpy(), some["value"].to_numpy().astype(np.float64)
    return {point: (at[place], value[place]) for point, place in _places(some).items()}


def _sorted(rows: pa.Table, what: str) -> pa.Table:
    return rows.filter(pc.equal(rows["what"], what)).sort_by([("point_id", "ascending"), ("us", "ascending")])


def _places(rows: pa.Table) -> dict[str, slice]:
    """Where each point's rows lie in rows that are sorted by point."""
    if rows.num_rows == 0:
        return {}
    codes = pc.dictionary_encode(rows["point_id"].combine_chunks())
    index, names = codes.indices.to_numpy(), codes.dictionary.to_pylist()
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(index)) + 1, [len(index)]])
    return {names[index[first]]: slice(int(first), int(last)) for first, last in pairwise(bounds)}
