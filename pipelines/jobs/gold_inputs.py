"""Everything that the hazard indices and the fused table read, as frames over one window."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from minefusion.pipelines.conform.definitions import in_force
from minefusion.pipelines.conform.readings import is_usable
from minefusion.pipelines.engines.engine import Engine, Part
from minefusion.pipelines.hazard.catalogue import COMPOSITE_IDS, TREND_IDS
from minefusion.pipelines.hazard.episodes import BEHIND
from minefusion.pipelines.hazard.history import HISTORY, History
from minefusion.pipelines.hazard.inputs import (
    AIR_PATH,
    DOOR_PAIR,
    FEED_TABLES,
    MINE,
    POINT_COLUMNS,
    Feeds,
    Inputs,
    Sites,
)
from minefusion.pipelines.hazard.lacking import Computing, Kind, no_rows, speaking, with_lacking
from minefusion.pipelines.hazard.rows import ORANGE
from minefusion.pipelines.jobs.due import LOOKBACK
from minefusion.pipelines.jobs.master_data import MasterData, area_facts, point_facts, sites_of
from minefusion.pipelines.jobs.new_files import collected
from minefusion.schemas import gold, reference, silver
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

MINUTE = timedelta(minutes=1)
# What an open alarm or a kept level rests on is followed back no farther than this.
LONGEST_EPISODE = timedelta(days=7)
GAS = "G-01"

Master = Mapping[str, MasterData]
# The rows that should be there, and the part of the table that they stand for.
Computed = tuple[nw.LazyFrame, Part]


@dataclass(frozen=True)
class Earlier:
    """Rows from before the usual look back, of the few points and areas that need them."""

    readings: nw.LazyFrame | None = None
    headcount: nw.LazyFrame | None = None


def make_inputs(
    engine: Engine,
    window: Window,
    mines: Sequence[str],
    master: Master,
    *,
    earlier: Earlier | None = None,
) -> Inputs:
    """The frames from LOOKBACK before the window to its end; points and areas are those of the window's start."""
    span = window.widened(before=LOOKBACK)
    data = [master[mine] for mine in mines]
    sites = sites_of(engine.settings, mines)
    facts = engine.cached(engine.from_arrow(point_facts(data)))
    looked_at = engine.rows_read
    readings = engine.read(silver.READING, window=span, mines=mines)
    engine.expects(engine.rows_read - looked_at)
    if earlier and earlier.readings is not None:
        readings = nw.concat([earlier.readings, readings], how="vertical")
    held = facts.select("mine_code", "point_id", *POINT_COLUMNS, "holds_from", "holds_to")
    readings = in_force(readings, held, ["mine_code", "point_id"], "observed_at")
    readings = readings.with_columns(is_usable(nw.col("quality"), nw.col("quality_reasons")).alias("usable"))
    headcount = engine.read(silver.HEADCOUNT, window=span, mines=mines)
    if earlier and earlier.headcount is not None:
        headcount = nw.concat([earlier.headcount, headcount], how="vertical")
    positions = engine.with_epoch(engine.read(silver.POSITION, window=span, mines=mines), "observed_at", "observed_us")
    return Inputs(
        readings=engine.cached(engine.with_epoch(readings, "observed_at", "observed_us")),
        points=engine.cached(_points_at(facts, window.start)),
        positions=engine.cached(engine.with_epoch(positions, "entered_mine_at", "entered_mine_us")),
        headcount=engine.cached(engine.with_epoch(headcount, "observed_at", "observed_us")),
        areas=engine.cached(_at(engine.from_arrow(area_facts(data)), window.start, silver.AREA)),
        edges=engine.read(reference.ROADWAY_EDGE, mines=mines),
        feeds=_feeds(engine, span, mines),
        **_of_sites(engine, sites, stations=_with_stations(data, window.start)),
        sites=sites,
        window=window,
        grouped=engine.grouped,
        frame=engine.frame,
        cached=engine.cached,
    )


def make_history(engine: Engine, window: Window, mines: Sequence[str], master: Master) -> History:
    """The frames from HISTORY before the window to its end; points and areas are those of the window's start."""
    span = window.widened(before=HISTORY)
    data = [master[mine] for mine in mines]
    sites = sites_of(engine.settings, mines)
    facts = engine.from_arrow(point_facts(data))
    held = facts.select("mine_code", "point_id", *POINT_COLUMNS, "holds_from", "holds_to")
    five = in_force(
        engine.read(silver.READING_5MIN, window=span, mines=mines), held, ["mine_code", "point_id"], "window_start"
    )
    headcount = engine.read(silver.HEADCOUNT, window=span, mines=mines)
    fast = engine.read(gold.HAZARD_INDEX, window=span, mines=mines).filter(is_fast("index_id"))
    return History(
        five=engine.cached(engine.with_epoch(five, "window_start", "start_us")),
        feeds=_feeds(engine, span, mines),
        indices=fast,
        headcount=engine.with_epoch(headcount, "observed_at", "observed_us"),
        points=engine.cached(_points_at(facts, window.start)),
        areas=engine.cached(_at(engine.from_arrow(area_facts(data)), window.start, silver.AREA)),
        edges=engine.read(reference.ROADWAY_EDGE, mines=mines),
        **_of_sites(engine, sites, only=("mines", "air_paths")),
        sites=sites,
        window=window,
        grouped=engine.grouped,
        frame=engine.frame,
        cached=engine.cached,
    )


def _feeds(engine: Engine, span: Window, mines: Sequence[str]) -> Feeds:
    """The feeds that are no safety monitoring; one that no mine sends costs nothing."""

    def of(table: Table) -> nw.LazyFrame:
        assert table.time is not None
        rows = engine.read(table, window=span, mines=mines)
        usable = is_usable(nw.col("quality"), nw.col("quality_reasons"))
        return engine.cached(engine.with_epoch(rows.with_columns(usable.alias("usable")), table.time, "observed_us"))

    return Feeds(**{name: of(table) for name, table in FEED_TABLES.items()})


def is_fast(column: str) -> nw.Expr:
    """Whether the index, or the kind of alarm, in `column` is one of minutes: neither slow nor composed of others."""
    return ~nw.col(column).is_in([*TREND_IDS, *COMPOSITE_IDS])


def is_trend(column: str) -> nw.Expr:
    """Whether it is one of the slow ones."""
    return nw.col(column).is_in(list(TREND_IDS))


def computed_by_index(
    engine: Engine,
    catalogue: Sequence[Computing[Kind]],
    given: Kind,
    window: Window,
    mines: Sequence[str],
    only: Collection[str] | None = None,
) -> Iterator[Computed]:
    """Rows of gold.hazard_index and the part they stand for, of as many indices at once as the engine plans well.

    Those that can say nothing of any of the mines go with the last ones, without being planned. `only`: ids of those
    that are asked for.
    """
    if only is not None:
        catalogue = [each for each in catalogue if each[0].id in only]
    who = speaking(given, catalogue)
    called = who.called
    ids = {declared.id for declared, _ in called}
    silent = [declared for declared, _ in catalogue if declared.id not in ids]
    for first in range(0, max(len(called), 1), engine.indices_at_once):
        some = called[first : first + engine.indices_at_once]
        is_last = first + engine.indices_at_once >= len(called)
        told = [declared for declared, _ in some] + (silent if is_last else [])
        computed = engine.together([function(given) for _, function in some] or [no_rows(given)])
        part = engine.part(gold.HAZARD_INDEX, window=window, mines=mines)
        part = part.filter(nw.col("index_id").is_in([declared.id for declared in told]))
        yield with_lacking(given, told, who.reasons, engine.cached(computed)), part


def points_at(engine: Engine, instant: datetime, mines: Sequence[str], master: Master) -> nw.LazyFrame:
    """silver.point as it was."""
    return _points_at(engine.from_arrow(point_facts([master[mine] for mine in mines])), instant)


def _points_at(facts: nw.LazyFrame, instant: datetime) -> nw.LazyFrame:
    """The points whose values are in silver.reading; those of the other feeds are not expected there."""
    return _at(facts, instant, silver.POINT).filter(nw.col("feed") == silver.READING.name)


def _at(facts: nw.LazyFrame, instant: datetime, table: Table) -> nw.LazyFrame:
    at = nw.lit(instant, dtype=nw.Datetime("us", "UTC"))
    return facts.filter(nw.col("holds_from") <= at, nw.col("holds_to") > at).select(*table.names)


def _with_stations(data: Sequence[MasterData], instant: datetime) -> dict[str, bool]:
    """Mine → whether it had base stations of a positioning system at that instant."""
    return {
        each.mine_code: any(span.start <= instant < span.end for spans in each.stations.values() for span in spans)
        for each in data
    }


def sites_in(engine: Engine, mines: Sequence[str]) -> Sites:
    """Mine → its site file, null where there is none."""
    return sites_of(engine.settings, mines)


def places_of(engine: Engine, window: Window, mines: Sequence[str], master: Master) -> dict[str, nw.LazyFrame]:
    """Areas as they were at the window's start, and the mines."""
    areas = _at(engine.from_arrow(area_facts([master[mine] for mine in mines])), window.start, silver.AREA)
    return {"areas": areas, **_of_sites(engine, sites_in(engine, mines), only=("mines",))}


def _of_sites(
    engine: Engine,
    sites: Sites,
    only: Sequence[str] = ("mines", "air_paths", "door_pairs"),
    *,
    stations: Mapping[str, bool] = MappingProxyType({}),
) -> dict[str, nw.LazyFrame]:
    """What the site files say of mines, air paths and door pairs. `stations`: mine → whether it has any."""
    air_paths: list[dict[str, Any]] = []
    door_pairs: list[dict[str, Any]] = []
    facts: list[dict[str, Any]] = []
    for mine, site in sites.items():
        facts.append(
            {
                "mine_code": mine,
                "name_zh": site.name_zh if site else mine,
                "has_stations": stations.get(mine),
                "severe_hazard": site.severe_hazard if site else True,
                "underground_cap": site.underground_cap if site else None,
                "approved_hours": site.approved_hours if site else None,
                "shift_hours": max((shift.hours for shift in site.shifts), default=None) if site else None,
                "utc_offset_h": float(site.utc_offset_h) if site else 8.0,
            }
        )
        for path in site.air_paths if site else ():
            air_paths.append({"mine_code": mine, **{name: getattr(path, name) for name in AIR_PATH.names[1:]}})
        for pair in site.door_pairs if site else ():
            point_a, point_b = pair.points
            door_pairs.append(
                {
                    "mine_code": mine,
                    "pair_id": pair.pair_id,
                    "area_id": pair.area_id,
                    "point_a": point_a,
                    "point_b": point_b,
                }
            )
    frames = (("mines", facts, MINE), ("air_paths", air_paths, AIR_PATH), ("door_pairs", door_pairs, DOOR_PAIR))
    return {name: engine.frame(rows, schema) for name, rows, schema in frames if name in only}


# ── what reaches farther back ───────────────────────────────────────────────────────────────────────────────────────


def silent_above_limit(engine: Engine, window: Window, mines: Sequence[str]) -> Earlier | None:
    """The last readings of points that fell silent above their limit before the usual look back and keep their level.

    Which these are, the minute before the window says.
    """
    before = engine.read(gold.HAZARD_INDEX, window=Window(window.start - MINUTE, window.start), mines=mines)
    kept = before.filter(
        nw.col("index_id") == GAS, nw.col("null_reason") == "NO_DATA", (nw.col("level") >= ORANGE).fill_null(False)
    )
    points = set(collected(engine, kept.select("point_id").unique())["point_id"])
    start = window.start - LOOKBACK
    found: list[pl.DataFrame] = []
    for day in reversed(Window(start - LONGEST_EPISODE, start).days()):
        if not points:
            break
        rows = engine.read(silver.READING, days=[day], mines=mines).filter(
            nw.col("point_id").is_in(sorted(points)),
            nw.col("observed_at") < nw.lit(start, dtype=nw.Datetime("us", "UTC")),
            is_usable(nw.col("quality"), nw.col("quality_reasons")),
        )
        last = collected(engine, rows).with_columns(
            pl.col("observed_at").max().over("mine_code", "point_id").alias("_last")
        )
        last = last.filter(pl.col("observed_at") > pl.col("_last") - LOOKBACK).drop("_last")
        found.append(last)
        points -= set(last["point_id"])
    if not found:
        return None
    return Earlier(readings=engine.from_arrow(_arrow(pl.concat(found), silver.READING)))


def open_alarms(engine: Engine, window: Window, mines: Sequence[str]) -> pl.DataFrame:
    """Alarms that are open when the window begins."""
    recent = Window(window.start - LONGEST_EPISODE, window.start)
    rows = engine.read(gold.ALARM, window=recent, mines=mines)
    rows = rows.filter(
        nw.col("cleared_at").is_null() | (nw.col("cleared_at") >= nw.lit(window.start, dtype=nw.Datetime("us", "UTC")))
    )
    return collected(engine, rows.select("mine_code", "kind", "entity", "point_id", "area_id", "raised_at"))


def behind_alarms(
    engine: Engine, window: Window, mines: Sequence[str], opened: pl.DataFrame
) -> tuple[Earlier | None, nw.LazyFrame | None]:
    """What open alarms rest on from before the usual look back: readings and head counts; and their hazard rows."""
    start = window.start - LOOKBACK
    older = opened.filter(pl.col("raised_at") < start + BEHIND)
    if older.is_empty():
        return None, None
    first = older["raised_at"].min()
    span = Window(first - BEHIND, start)  # type: ignore[operator, arg-type]
    gas = older.filter(pl.col("kind") == GAS)["point_id"].unique().to_list()
    readings = engine.read(silver.READING, window=span, mines=mines).filter(nw.col("point_id").is_in(gas))
    areas = older["area_id"].unique().to_list()
    headcount = engine.read(silver.HEADCOUNT, window=span, mines=mines).filter(nw.col("area_id").is_in(areas))
    entities = older["entity"].unique().to_list()
    hazard = engine.read(gold.HAZARD_INDEX, window=span, mines=mines).filter(nw.col("entity").is_in(entities))
    return Earlier(readings, headcount), hazard


def _arrow(rows: pl.DataFrame, table: Table) -> pa.Table:
    return rows.select(table.names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(table.arrow_schema())
