"""A small mine written as literal rows, as the indices see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.conform.readings import is_usable
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.inputs import AIR_PATH, DOOR_PAIR, FEED_TABLES, MINE, POINT_COLUMNS, Feeds, Inputs
from minefusion.schemas.gold import HAZARD_INDEX
from minefusion.schemas.limits import effective_limit
from minefusion.schemas.reference import ROADWAY_EDGE
from minefusion.schemas.silver import AREA, HEADCOUNT, POINT, POSITION, READING, READING_5MIN
from minefusion.schemas.site import Site
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

Row = dict[str, Any]

MINE_CODE = "140000000001"
TEST_MINE: Row = {"name_zh": "试验矿", "severe_hazard": True, "underground_cap": 100, "utc_offset_h": 8.0}
# The first minute of the window of every test; readings may begin before it.
T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
UNITS = {
    "ch4": "%",
    "o2": "%",
    "co2": "%",
    "co": "ppm",
    "temperature": "℃",
    "air_velocity": "m/s",
    "air_quantity": "m3/min",
}


def at(minute: float) -> datetime:
    """T0 and so many minutes."""
    return T0 + timedelta(minutes=minute)


def area(area_id: str, kind: str = "longwall_face", **more: Any) -> Row:
    return {
        "mine_code": MINE_CODE,
        "area_id": area_id,
        "name_zh": f"{area_id}区",
        "name_en": f"Area {area_id}",
        "kind": kind,
        **more,
    }


def point(point_id: str, quantity: str, area_id: str = "F1", *, gas_class: str | None = None, **more: Any) -> Row:
    """A point with the limits of its methane class; others get what they are given."""
    row: Row = {
        "mine_code": MINE_CODE,
        "point_id": point_id,
        "quantity": quantity,
        "unit": UNITS.get(quantity, "ppm"),
        "location": f"{point_id}测点",
        "area_id": area_id,
        "period_s": 30.0,
        "value_kind": "MN",
        "is_defined": True,
    }
    if quantity == "ch4":
        limit = effective_limit(gas_class, more.get("mine_alarm"), more.get("mine_cut"))
        row |= {
            "gas_class": gas_class,
            "alarm": limit.alarm,
            "cut": limit.cut,
            "restore": limit.restore,
            "limit_rule": limit.rule,
            "limit_source": limit.source,
            "limit_confidence": limit.confidence,
            "range_high": 4.0,
        }
    return row | more


def series(point_id: str, values: Iterable[Any], *, start: float = 0.0, every_s: float = 30.0) -> list[Row]:
    """Readings from minute `start` on, one value every `every_s` seconds.

    A value may be a number, None for no record at all, or (number, quality, reasons).
    """
    rows = []
    for number, value in enumerate(values):
        if value is None:
            continue
        amount, quality, reasons = value if isinstance(value, tuple) else (value, "GOOD", "")
        rows.append(
            {
                "point_id": point_id,
                "observed_at": at(start) + timedelta(seconds=number * every_s),
                "value": None if amount is None else float(amount),
                "quality": quality,
                "quality_reasons": reasons,
            }
        )
    return rows


Make = Callable[..., Inputs]


def make_inputs(
    engine: Engine,
    *,
    points: Sequence[Row],
    readings: Sequence[Row],
    minutes: tuple[float, float] = (0, 10),
    areas: Sequence[Row] = (),
    edges: Sequence[Row] = (),
    air_paths: Sequence[Row] = (),
    door_pairs: Sequence[Row] = (),
    mines: Sequence[Row] = (),
    positions: Sequence[Row] = (),
    headcount: Sequence[Row] = (),
    lookback_min: float | None = None,
    feeds: Mapping[str, Sequence[Row]] = MappingProxyType({}),
    site: Site | None = None,
) -> Inputs:
    """Inputs of one run over [T0 + minutes[0], T0 + minutes[1]); rows after it are cut off, as the job does.

    Columns that a row leaves out are null; mine_code is the test mine's. `lookback_min` cuts off what is older;
    `feeds`: name of a frame of `Feeds` → its rows.
    """
    window = Window(at(minutes[0]), at(minutes[1]))
    known = {row["point_id"]: row for row in points}

    def in_span(rows: Sequence[Row]) -> list[Row]:
        first = window.start - timedelta(minutes=lookback_min) if lookback_min is not None else None
        when = ((row, row.get("observed_at") or row["measured_at"]) for row in rows)
        return [row for row, instant in when if instant < window.end and (first is None or instant >= first)]

    frame, plain = partial(rows_in, engine), partial(rows_as, engine)
    seen = [
        {**{name: known[row["point_id"]].get(name) for name in ("quantity", "unit", "area_id")}, **row}
        for row in in_span(readings)
    ]
    of_points = engine.cached(frame(POINT, points))
    rows = frame(READING, seen).join(
        of_points.select("mine_code", "point_id", *POINT_COLUMNS), on=["mine_code", "point_id"], how="left"
    )
    rows = rows.with_columns(is_usable(nw.col("quality"), nw.col("quality_reasons")).alias("usable"))
    seen_people = frame(POSITION, in_span(positions))
    return Inputs(
        readings=engine.cached(engine.with_epoch(rows, "observed_at", "observed_us")),
        points=of_points,
        positions=engine.cached(
            engine.with_epoch(
                engine.with_epoch(seen_people, "observed_at", "observed_us"), "entered_mine_at", "entered_mine_us"
            )
        ),
        headcount=engine.cached(engine.with_epoch(frame(HEADCOUNT, in_span(headcount)), "observed_at", "observed_us")),
        areas=engine.cached(frame(AREA, areas or [area("F1")])),
        edges=frame(ROADWAY_EDGE, edges),
        air_paths=plain(AIR_PATH, air_paths),
        door_pairs=plain(DOOR_PAIR, door_pairs),
        mines=plain(MINE, mines or [TEST_MINE]),
        feeds=make_feeds(engine, {name: in_span(rows) for name, rows in feeds.items()}),
        sites={MINE_CODE: site},
        window=window,
        grouped=engine.grouped,
        frame=engine.frame,
        cached=engine.cached,
    )


def make_feeds(engine: Engine, feeds: Mapping[str, Sequence[Row]]) -> Feeds:
    """Frames of the feeds from their rows; a value of GOOD or no quality is usable."""
    made: dict[str, nw.LazyFrame] = {}
    for name, table in FEED_TABLES.items():
        good = [{"quality": "GOOD", "quality_reasons": "", **row} for row in feeds.get(name, ())]
        rows = rows_in(engine, table, good)
        rows = rows.with_columns(is_usable(nw.col("quality"), nw.col("quality_reasons")).alias("usable"))
        made[name] = engine.cached(engine.with_epoch(rows, table.time, "observed_us"))
    return Feeds(**made)


def make_history(
    engine: Engine,
    *,
    hours: tuple[float, float] = (0, 1),
    five: Sequence[Row] = (),
    points: Sequence[Row] = (),
    feeds: Mapping[str, Sequence[Row]] = MappingProxyType({}),
    indices: Sequence[Row] = (),
    headcount: Sequence[Row] = (),
    areas: Sequence[Row] = (),
    edges: Sequence[Row] = (),
    air_paths: Sequence[Row] = (),
    mines: Sequence[Row] = (),
    site: Site | None = None,
) -> History:
    """History of one run over [T0 + hours[0], T0 + hours[1]).

    Columns that a row leaves out are null; mine_code is the test mine's. `five`: rows of silver.reading_5min.
    """
    frame, plain = partial(rows_in, engine), partial(rows_as, engine)
    of_points = engine.cached(frame(POINT, points))
    rows = frame(READING_5MIN, five).join(
        of_points.select("mine_code", "point_id", *POINT_COLUMNS), on=["mine_code", "point_id"], how="left"
    )
    return History(
        five=engine.cached(engine.with_epoch(rows, "window_start", "start_us")),
        feeds=make_feeds(engine, feeds),
        indices=engine.cached(frame(HAZARD_INDEX, indices)),
        headcount=engine.cached(engine.with_epoch(frame(HEADCOUNT, headcount), "observed_at", "observed_us")),
        points=of_points,
        areas=engine.cached(frame(AREA, areas or [area("F1")])),
        edges=frame(ROADWAY_EDGE, edges),
        air_paths=plain(AIR_PATH, air_paths),
        mines=plain(MINE, mines or [TEST_MINE]),
        sites={MINE_CODE: site},
        window=Window(at(60 * hours[0]), at(60 * hours[1])),
        grouped=engine.grouped,
        frame=engine.frame,
        cached=engine.cached,
    )


def rows_in(engine: Engine, table: Table, rows: Sequence[Row]) -> nw.LazyFrame:
    return engine.from_arrow(
        pa.Table.from_pylist([{"mine_code": MINE_CODE, **row} for row in rows], schema=table.arrow_schema())
    )


def rows_as(engine: Engine, schema: pa.Schema, rows: Sequence[Row]) -> nw.LazyFrame:
    return engine.frame([{"mine_code": MINE_CODE, **row} for row in rows], schema)


def collect(frame: nw.LazyFrame) -> list[Row]:
    """Rows in the order of thing and time."""
    rows = frame.collect().to_arrow().to_pylist()
    return sorted(rows, key=lambda row: (row.get("entity") or row["point_id"], row["window_start"]))


def by_minute(frame: nw.LazyFrame, entity: str, name: str) -> list[Any]:
    """One column of an index, by minute, for one point, pair or area."""
    return [row[name] for row in collect(frame) if row["entity"] == entity]


def answers(**expressions: nw.Expr) -> dict[str, Any]:
    """What formulas give for literal numbers."""
    one = nw.from_dict({"_": [0]}, backend="polars").lazy()
    return one.select(**expressions).collect().to_arrow().to_pylist()[0]


def of(value: float | None) -> nw.Expr:
    """A number, or null, to put into a formula."""
    return nw.lit(value, dtype=nw.Float64)
