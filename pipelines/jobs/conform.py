"""Bronze → silver: units, quality, place and one row per key, for what is new in bronze or for a span of time.

The order of a pass makes it safe to kill: readings and positions come first, then the definitions by which they were
judged, then the mark that says how far silver has come. What is cut off before the mark is found again by the next
run, which knows the old definitions still and comes to the same changes.
"""

from __future__ import annotations

import json
import logging
import statistics as stats
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from minefusion.pipelines.conform import (
    abnormalities,
    families,
    field_records,
    positions,
    readings,
    seismic,
    station_states,
    statistics,
    vehicles,
    video,
)
from minefusion.pipelines.conform.codes import point_id
from minefusion.pipelines.conform.defining import (
    BAN,
    DEFINING,
    DEFINING_KINDS,
    EQUIPMENT,
    EQUIPMENT_TEST,
    SAFETY_MARK,
    VEHICLE,
    Defining,
    coded,
    kinds_of,
)
from minefusion.pipelines.conform.definitions import Definition, told
from minefusion.pipelines.conform.master import newest, person_row, substation_row
from minefusion.pipelines.conform.place import Gazetteer
from minefusion.pipelines.conform.records import Layout, columns, layouts_of
from minefusion.pipelines.engines.engine import Consumed, Engine
from minefusion.pipelines.jobs.keeping import refuse_removed
from minefusion.pipelines.jobs.lock import exclusive
from minefusion.pipelines.jobs.master_data import (
    MasterData,
    area_facts,
    brought_up_to,
    camera_facts,
    camera_rows,
    equipment_rows,
    gazetteer_of,
    latest,
    point_facts,
    sites_of,
    station_facts,
    stored,
    vehicle_rows,
)
from minefusion.pipelines.jobs.new_files import LOADED, Stage, collected, complete_batches, new_files
from minefusion.pipelines.jobs.racing import until_unbeaten
from minefusion.pipelines.jobs.spans import aligned, within
from minefusion.pipelines.jobs.tally import Built, Progress, Tally
from minefusion.pipelines.times import UTC_MICROSECONDS, floor_minutes, runs
from minefusion.schemas import levels, limits, reference, sensors, silver, terms
from minefusion.schemas.bronze import EXCHANGE_FILE, EXCHANGE_RECORD
from minefusion.schemas.catalog import TABLES
from minefusion.schemas.site import Site
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

logger = logging.getLogger(__name__)

Row = dict[str, Any]
Settle = Callable[[nw.LazyFrame], nw.LazyFrame]

# Records that one pass holds in memory.
CHUNK_RECORDS = 1_000_000
# A span that is worked out anew is cut into pieces of this length.
PIECE = timedelta(hours=24)
SLOT = timedelta(minutes=readings.SLOT_MINUTES)
# A definition that comes late moves the history for so long back, and the files of a span are looked for so far ahead.
LATE = timedelta(days=7)
# A file tells of times at most so long after its own.
AHEAD = timedelta(days=1)
# Nominal periods that senders use; a measured one within a fifth of these is these.
PERIODS_S = (1.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 180.0, 300.0)
VALUE_KINDS = ("CDSS", "NCDSS", "SSSJ", "AQSS")
SUBSTATION_KINDS, PERSON_KINDS = ("FZDY", "AQFC"), ("RYXX", "RYRY")
EQUIPMENT_KINDS = tuple(kind for thing in (EQUIPMENT, SAFETY_MARK, EQUIPMENT_TEST, BAN) for kind in kinds_of(thing))

# Everything that silver is made of.
KINDS = (
    *DEFINING_KINDS, *SUBSTATION_KINDS, *PERSON_KINDS, *readings.KINDS, *statistics.KINDS, *positions.KINDS,
    *station_states.KINDS, *abnormalities.KINDS, *families.KINDS, *seismic.KINDS, *field_records.KINDS,
    *vehicles.KINDS, *video.KINDS,
)  # fmt: skip

# What a span of silver is worked out from, and what is worked out.
_MADE_ANEW = (EXCHANGE_RECORD, *(table for table in TABLES.values() if table.layer == "silver" and table.partition))


@dataclass(frozen=True)
class Step:
    """Files to work on in one pass, the span it is about, and what silver has used up when it is done."""

    ledger: pl.DataFrame
    span: Window | None
    completes: tuple[Consumed, ...]


@dataclass(frozen=True)
class Chunk:
    """Files that one pass works on: their ledger rows and records.

    Attributes:
        records: bronze records of the kinds that silver is made of, with the moment their file was received.
        span: the time that the pass is about; None: all that the files tell of.
    """

    ledger: pl.DataFrame
    records: nw.LazyFrame
    span: Window | None = None

    def of(self, kinds: Sequence[str]) -> nw.LazyFrame:
        """Records of these kinds of file."""
        return self.records.filter(nw.col("kind").is_in(list(kinds)))

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of file that are there; what is absent costs nothing."""
        return frozenset(self.ledger["kind"].drop_nulls())

    def has(self, kinds: Iterable[str]) -> bool:
        return not self.kinds.isdisjoint(kinds)

    @property
    def mines(self) -> list[str]:
        return sorted(self.ledger["mine_code"].unique())

    def layouts(self, layouts: Iterable[Layout]) -> list[Layout]:
        """Those that the files were read by; each one is a branch of its own in an engine's plan."""
        read = self.ledger.select("kind", "dialects").unique()
        there = {(kind, dialect) for kind, keys in read.iter_rows() for dialect in ("", *json.loads(keys or "[]"))}
        return [layout for layout in layouts if layout in there]


@dataclass(frozen=True)
class Facts:
    """Master data of the mines at hand by time, as frames on the engine, and how their places are found."""

    points: nw.LazyFrame
    stations: nw.LazyFrame
    areas: nw.LazyFrame
    cameras: nw.LazyFrame
    gazetteers: Mapping[str, Gazetteer]


def conform(
    engine: Engine,
    *,
    window: Window | None = None,
    mines: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> list[Built]:
    """Bring silver up to date with bronze, or work `window` out anew from bronze.

    Args:
        mines: these alone; a mine that fails then stops no other.
    """
    with exclusive(engine.settings.lake, "conform"):
        built = until_unbeaten(engine, lambda: _conform(engine, window, mines, progress))
        for each in built:
            if each.changed and TABLES[each.name].partition:
                engine.compact(TABLES[each.name])
        return built


def _conform(
    engine: Engine, window: Window | None, mines: Sequence[str] | None, progress: Progress | None
) -> list[Built]:
    tally = Tally()
    if engine.exists(EXCHANGE_FILE):
        _write_reference(engine.in_process, mines, tally)
    steps = list(_anew(engine, window, mines) if window else _new(engine, mines))
    for index, step in enumerate(steps):
        if not step.ledger.is_empty():
            _conform_files(engine, step, tally)
        if step.completes:
            engine.mark(silver.READING, *step.completes)
        engine.release()
        if progress:
            progress((index + 1) / len(steps), f"silver, {int(step.ledger['records_stored'].sum() or 0)} records")
    return list(tally.tables.values())


def _new(engine: Engine, mines: Sequence[str] | None) -> Iterator[Step]:
    """Whole batches that silver has not used up, together at most CHUNK_RECORDS records (one batch may be larger)."""
    new = new_files(engine, Stage(silver.READING), mines)
    batches = new.ledger.group_by("batch").agg(pl.col("records_stored").sum()).sort("batch")
    taken: list[int] = []
    held = 0
    for batch, records in batches.iter_rows():
        if taken and held + records > CHUNK_RECORDS:
            upto = tuple(Consumed(each.app, min(each.version, taken[-1])) for each in new.completes)
            yield Step(new.ledger.filter(pl.col("batch").is_in(taken)), None, upto)
            taken, held = [], 0
        taken.append(batch)
        held += records
    yield Step(new.ledger.filter(pl.col("batch").is_in(taken)), None, new.completes)


def _anew(engine: Engine, window: Window, mines: Sequence[str] | None) -> Iterator[Step]:
    """The files of a span of time, piece by piece. They complete nothing: what is new stays new.

    Raises:
        InputError: the span begins where records or rows of it were removed.
    """
    upto = complete_batches(engine)
    for piece in _pieces(window.aligned(SLOT)):
        ledger = _files_about(engine, piece, mines, upto)
        refuse_removed(engine, _MADE_ANEW, ledger["mine_code"].unique(), piece.start)
        yield Step(ledger, piece, ())


def _pieces(window: Window) -> Iterator[Window]:
    start = window.start
    while start < window.end:
        yield Window(start, min(start + PIECE, window.end))
        start += PIECE


def _files_about(engine: Engine, window: Window, mines: Sequence[str] | None, upto: int) -> pl.DataFrame:
    """Loaded files that tell of a span of time."""
    rows = engine.in_process.read(EXCHANGE_FILE, window=window.widened(AHEAD, LATE), mines=mines)
    # A report or a statistic is about a time before the one that its file carries.
    looks_back = nw.col("kind").is_in([*abnormalities.KINDS, *statistics.KINDS])
    inside = (nw.col("observed_from") < window.end) & (nw.col("observed_to") >= window.start)
    loaded = nw.col("verdict").is_in(list(LOADED)) & (nw.col("batch") <= upto) & ~nw.col("mine_code").is_null()
    return collected(engine.in_process, rows.filter(loaded, looks_back | inside))


def _chunk(engine: Engine, ledger: pl.DataFrame, span: Window | None) -> Chunk:
    return Chunk(ledger, engine.cached(records_of(engine, ledger, KINDS)), span)


def records_of(engine: Engine, ledger: pl.DataFrame, kinds: Sequence[str]) -> nw.LazyFrame:
    """Bronze records of these kinds of file with the moment their file was received."""
    files = ledger.filter(pl.col("kind").is_in(kinds)).select("file_id", "received_at", "day", "batch")
    batches = (int(files["batch"].min() or 0) - 1, int(files["batch"].max() or 0))  # type: ignore[arg-type]
    rows = engine.read(EXCHANGE_RECORD, days=sorted(files["day"].unique()), batches=batches)
    received = engine.from_arrow(_arrow(files.select("file_id", "received_at")))
    return rows.filter(nw.col("kind").is_in(list(kinds))).join(received, on="file_id", how="inner")


def _texts(engine: Engine, chunk: Chunk, kinds: Sequence[str], wanted: Mapping[str, Sequence[str]]) -> list[Row]:
    """Small kinds as rows of text with their file's identity and time."""
    kinds = [kind for kind in kinds if chunk.has((kind,))]
    if not kinds:
        return []
    kept = ("mine_code", "sent_at", "file_id", "position")
    rows = columns(chunk.of(kinds), chunk.layouts(layouts_of(kinds)), wanted, kept)
    return engine.to_arrow(coded(rows, kinds)).to_pylist()


# ── one chunk ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _conform_files(engine: Engine, step: Step, tally: Tally) -> None:
    engine.expects(int(step.ledger["records_stored"].sum() or 0))
    chunk = _chunk(engine, step.ledger, step.span)
    before = stored(engine, chunk.mines)
    sites = sites_of(engine.settings, chunk.mines)
    after = _brought_up_to(engine, chunk, before, sites)
    gazetteers = {mine: gazetteer_of(sites[mine], after[mine].definitions) for mine in chunk.mines}
    points, stations, areas, cameras = (
        engine.cached(engine.from_arrow(as_facts(after.values())))
        for as_facts in (point_facts, station_facts, area_facts, camera_facts)
    )
    facts = Facts(points, stations, areas, cameras, gazetteers)
    _write_over_time(engine, chunk, facts, tally)
    spans = {
        mine: _spans_to_rework(engine, before[mine], after[mine]) for mine in chunk.mines if not before[mine].is_new
    }
    if chunk.span is not None and any(spans.values()):
        # The rest of the history still follows the old definitions, so they stay until a run without a span is through.
        return
    upto = int(chunk.ledger["batch"].max())  # type: ignore[arg-type]
    for mine, windows in spans.items():
        for piece in (piece for window in windows for piece in _pieces(window)):
            ledger = _files_about(engine, piece, [mine], complete_batches(engine))
            if not ledger.is_empty():
                _write_over_time(engine, _chunk(engine, ledger, piece), facts, tally)
    _write_reworked(engine.in_process, spans, upto)
    _write_master(engine.in_process, before, after, tally)
    _write_named(engine, chunk, after, sites, gazetteers, tally)


def _write_over_time(engine: Engine, chunk: Chunk, facts: Facts, tally: Tally) -> None:
    """Everything in silver that has a time."""
    _write_people(engine, chunk, facts, tally)
    _write_states(engine, chunk, tally)
    _write_abnormalities(engine, chunk, facts, tally)
    _write_families(engine, chunk, facts, tally)
    _write_events(engine, chunk, facts, tally)
    _write_field_records(engine, chunk, facts, tally)
    _write_vehicles(engine, chunk, facts, tally)
    _write_video(engine, chunk, facts, tally)
    _write_readings(engine, chunk, facts, tally)


def _brought_up_to(
    engine: Engine, chunk: Chunk, before: Mapping[str, MasterData], sites: Mapping[str, Site | None]
) -> dict[str, MasterData]:
    """Master data of the chunk's mines with what the chunk tells of it."""
    new = [each for defining in DEFINING for each in _told(engine, chunk, defining)]
    seen = _seen_points(engine, chunk)
    periods = _periods(engine, chunk)
    upto = complete_batches(engine)

    def recall(after: Mapping[tuple[str, str], datetime]) -> Iterator[Definition]:
        for (mine, thing), since in after.items():
            newest_day = max(engine.days(EXCHANGE_FILE))
            days = [day for day in engine.days(EXCHANGE_FILE) if f"{since:%Y-%m-%d}" <= day <= newest_day]
            rows = engine.in_process.read(EXCHANGE_FILE, days=days, mines=[mine]).filter(
                nw.col("kind").is_in(list(kinds_of(thing))),
                nw.col("verdict").is_in(list(LOADED)),
                nw.col("header_time") >= since,
                nw.col("batch") <= upto,
            )
            ledger = collected(engine.in_process, rows)
            again = Chunk(ledger, records_of(engine, ledger, kinds_of(thing)))
            for defining in DEFINING:
                if defining.thing == thing:
                    yield from _told(engine, again, defining)

    return {
        mine: brought_up_to(
            before[mine],
            sites[mine],
            [each for each in new if each.mine_code == mine],
            [row for row in seen if row["mine_code"] == mine],
            periods.get(mine),
            recall,
        )
        for mine in chunk.mines
    }


def _told(engine: Engine, chunk: Chunk, defining: Defining) -> list[Definition]:
    rows = _texts(engine, chunk, defining.kinds, defining.wanted)
    if defining.told_by:
        rows = [row | {"told_by": row["source_kind"]} for row in rows]
    return told(defining.thing, defining.code, rows)


def _seen_points(engine: Engine, chunk: Chunk) -> list[Row]:
    """Points that values came for: nobody's gas is left out for want of a definition."""
    kinds = (*readings.KINDS, *statistics.KINDS, "YCBJ", "AQBJ", *families.KINDS)
    present = [kind for kind in kinds if chunk.has((kind,))]
    if not present:
        return []
    wanted = {
        "point_code": ("point_code", "device_code", "equip_no", "sensor_code"),
        "sensor_type_name": ("sensor_type_name", "point_type_name"),
        "sensor_type": ("sensor_type_code", "point_type_code"),
        "location": ("location",),
        "sent_unit": ("unit", "point_unit"),
        "type_text": ("sensor_type",),
    }
    of_reports = [each for each in abnormalities.LAYOUTS if each[0] in ("YCBJ", "AQBJ")]
    of_families = [(kind, "") for kind in families.KINDS]
    layouts = chunk.layouts((*readings.LAYOUTS, *statistics.LAYOUTS, *of_reports, *of_families))
    rows = columns(chunk.of(present), layouts, wanted, ("mine_code", "sent_at"))
    in_family = nw.when(nw.col("source_kind").is_in(list(families.KINDS))).then(nw.col("source_kind"))
    rows = rows.with_columns(point_id(present).alias("point_id"), in_family.alias("told_by"))
    described = {name: nw.col(name).max() for name in (*wanted, "told_by") if name not in ("point_code", "type_text")}
    found = rows.filter(~nw.col("point_id").is_null()).group_by("mine_code", "point_id")
    return engine.to_arrow(found.agg(*described.values(), nw.col("sent_at").min())).to_pylist()


def _periods(engine: Engine, chunk: Chunk) -> dict[str, float]:
    """Time between value files of each mine, on its newest day with three of them; senders differ from 1 s to 5 min."""
    found: dict[str, float] = {}
    wanted = set(chunk.ledger.filter(pl.col("kind").is_in(VALUE_KINDS))["mine_code"])
    oldest = chunk.ledger["day"].min()
    for day in reversed(engine.days(EXCHANGE_FILE)):
        if not wanted - found.keys() or day < str(oldest):
            break
        rows = engine.in_process.read(EXCHANGE_FILE, days=[day], mines=sorted(wanted - found.keys())).filter(
            nw.col("kind").is_in(list(VALUE_KINDS)), nw.col("verdict").is_in(list(LOADED))
        )
        times = collected(engine.in_process, rows.select("mine_code", "header_time").unique()).sort("header_time")
        for (mine,), of_mine in times.group_by("mine_code"):
            instants = of_mine["header_time"].to_list()
            gaps = [(after - before).total_seconds() for before, after in pairwise(instants)]
            if len(gaps) >= 2:
                median = stats.median(gaps)
                nominal = (period for period in PERIODS_S if abs(median - period) <= 0.2 * period)
                found[str(mine)] = next(nominal, float(round(median)))
    return found


def _spans_to_rework(engine: Engine, before: MasterData, after: MasterData) -> list[Window]:
    """Spans of silver that were judged by definitions that are other ones now."""
    days = engine.days(EXCHANGE_RECORD)
    end = datetime.fromisoformat(f"{days[-1]}T00:00:00+00:00") + timedelta(days=1)
    lately = Window(end - LATE - timedelta(days=1), end)

    def unknown_stations() -> set[str]:
        rows = engine.in_process.read(silver.POSITION, window=lately, mines=[after.mine_code])
        rows = rows.filter(nw.col("quality_reasons").str.contains("STATION_UNKNOWN", literal=True))
        return set(collected(engine.in_process, rows.select("station_code").unique())["station_code"].drop_nulls())

    def unknown_cameras() -> set[str]:
        rows = engine.in_process.read(silver.VIDEO_EVENT, window=lately, mines=[after.mine_code])
        rows = rows.filter(nw.col("quality_reasons").str.contains(video.CAMERA_UNKNOWN, literal=True))
        return set(collected(engine.in_process, rows.select("camera_code").unique())["camera_code"].drop_nulls())

    return aligned(within(after.changes(before, unknown_stations, unknown_cameras), [lately]), SLOT)


# ── small tables ────────────────────────────────────────────────────────────────────────────────────────────────────


def _replace_small(
    engine: Engine, table: Table, rows: Iterable[Row], mines: Sequence[str] | None, tally: Tally
) -> None:
    """Make a small table's rows of these mines equal to `rows`."""
    started = time.monotonic()
    part = engine.part(table, mines=mines)
    written = engine.replace(part, engine.frame(_named(rows, table), table.arrow_schema()))
    tally.add(table, written, time.monotonic() - started)


def _named(rows: Iterable[Row], table: Table) -> list[Row]:
    return [{name: row.get(name) for name in table.names} for row in rows]


def _write_reference(engine: Engine, mines: Sequence[str] | None, tally: Tally) -> None:
    """What the specification and the site files say, as tables; once a process, and again when a site file changed."""
    if mines is None:
        paths = sorted((engine.settings.lake / "sites").glob("*.site.yaml"))
        mines = [path.name.removesuffix(".site.yaml") for path in paths]
    sites = sites_of(engine.settings, mines)
    if all(_written.get((engine.settings.lake, mine)) is site for mine, site in sites.items()) and engine.exists(
        reference.TERM
    ):
        return
    _replace_small(engine, reference.LIMIT, map(limits.as_row, limits.all_limits()), None, tally)
    _replace_small(engine, reference.SENSOR_TYPE, map(sensors.as_row, sensors.all_sensor_types()), None, tally)
    _replace_small(engine, reference.INDEX_LEVEL, map(levels.as_row, levels.all_steps()), None, tally)
    nodes: list[Row] = []
    edges: list[Row] = []
    for site in sites.values():
        more_nodes, more_edges = site.to_frames() if site else ([], [])
        nodes += more_nodes
        edges += more_edges
    _replace_small(engine, reference.ROADWAY_NODE, nodes, mines, tally)
    _replace_small(engine, reference.ROADWAY_EDGE, edges, mines, tally)
    _replace_small(engine, reference.TERM, map(terms.as_row, terms.all_terms()), None, tally)
    _written.update({(engine.settings.lake, mine): site for mine, site in sites.items()})


# Site files whose reference rows this process has written.
_written: dict[tuple[Path, str], Site | None] = {}


def _write_reworked(engine: Engine, spans: Mapping[str, Sequence[Window]], upto: int) -> None:
    """Tell gold which spans changed. Rows of a run that was cut off stay: a span too many does no harm."""
    rows = [
        {"mine_code": mine, "batch": upto, "span_start": window.start, "span_end": window.end}
        | {"day": window.start.date().isoformat()}
        for mine, windows in spans.items()
        for window in windows
    ]
    if rows:
        table = silver.REWORKED
        part = engine.part(table, batches=(upto - 1, upto), mines=sorted(spans))
        there = {(row["mine_code"], row["span_start"]): row for row in engine.to_arrow(part.rows).to_pylist()}
        every = there | {(row["mine_code"], row["span_start"]): row for row in rows}
        engine.replace(part, engine.frame(list(every.values()), table.arrow_schema()))


def _write_master(
    engine: Engine, before: Mapping[str, MasterData], after: Mapping[str, MasterData], tally: Tally
) -> None:
    """Points, stations and areas as they are now, and the definitions behind them."""
    mines = sorted(after)
    for table, rows_of in (
        (silver.POINT, lambda data: latest(data.points)),
        (silver.STATION, lambda data: latest(data.stations)),
        (silver.AREA, lambda data: latest(data.areas)),
        (silver.DEFINITION, lambda data: [vars(each) for each in data.definitions]),
    ):
        was, rows = (_named((row for mine in mines for row in rows_of(data[mine])), table) for data in (before, after))
        if rows != was:
            _replace_small(engine, table, rows, mines, tally)


def _write_named(
    engine: Engine,
    chunk: Chunk,
    after: Mapping[str, MasterData],
    sites: Mapping[str, Site | None],
    gazetteers: Mapping[str, Gazetteer],
    tally: Tally,
) -> None:
    """Substations, people, machines and vehicles: what was told last, whenever it was."""
    wanted = {name: (name,) for name in ("substation_code", "location", "x", "y", "z")}
    substations = [row | {"is_defined": True} for row in _texts(engine, chunk, SUBSTATION_KINDS, wanted)]
    if substations:
        before = [row | {"is_defined": True} for row in _rows(engine.in_process, silver.SUBSTATION, chunk.mines)]
        rows = newest(before, substations, ("mine_code", "substation_code")).values()
        placed = [substation_row(row, gazetteers[row["mine_code"]]) for row in rows]
        _replace_small(engine.in_process, silver.SUBSTATION, placed, chunk.mines, tally)

    names = ("card_code", "name", "work_type", "duty", "department", "is_leader", "is_special_worker")
    people = [
        row | {"is_defined": True} for row in _texts(engine, chunk, PERSON_KINDS, {name: (name,) for name in names})
    ]
    if chunk.has(EQUIPMENT_KINDS):
        devices = [row for mine in chunk.mines for row in equipment_rows(after[mine], sites[mine])]
        _replace_small(engine.in_process, silver.EQUIPMENT, devices, chunk.mines, tally)
    if chunk.has(video.KINDS):
        _write_cameras(engine, chunk, after, sites, tally)
    if chunk.has(kinds_of(VEHICLE)):
        terminals = [row for mine in chunk.mines for row in vehicle_rows(after[mine])]
        _replace_small(engine.in_process, silver.VEHICLE, terminals, chunk.mines, tally)
    met: list[Row] = []
    if chunk.has(positions.KINDS):
        cards = columns(
            chunk.of(positions.KINDS),
            chunk.layouts(positions.LAYOUTS),
            {"card_code": ("card_code",), "name": ("name",)},
            ("mine_code", "sent_at"),
        )
        found = cards.group_by("mine_code", "card_code").agg(nw.col("name").max(), nw.col("sent_at").min())
        met = [row | {"is_defined": False, "file_id": None} for row in engine.to_arrow(found).to_pylist()]
    if people or met:
        before = _rows(engine.in_process, silver.PERSON, chunk.mines)
        strangers = ("mine_code", "card_code", "name", "sent_at", "is_defined", "file_id")
        before = [row if row["is_defined"] else {name: row[name] for name in strangers} for row in before]
        rows = newest(before, [*met, *people], ("mine_code", "card_code")).values()
        _replace_small(engine.in_process, silver.PERSON, map(person_row, rows), chunk.mines, tally)


def _write_cameras(
    engine: Engine, chunk: Chunk, after: Mapping[str, MasterData], sites: Mapping[str, Site | None], tally: Tally
) -> None:
    """Cameras that are registered, and those that only their events name."""
    seen: list[Row] = []
    if chunk.has(video.EVENT_KINDS):
        layouts = [layout for layout in video.LAYOUTS if chunk.has(layout[:1])]
        wanted = {"camera_code": ("cameraCode", "device_code")}
        rows = columns(chunk.of(video.EVENT_KINDS), layouts, wanted, ("mine_code", "sent_at"))
        seen = engine.to_arrow(rows.group_by("mine_code", "camera_code").agg(nw.col("sent_at").min())).to_pylist()
    there = _rows(engine.in_process, silver.CAMERA, chunk.mines)
    cameras = []
    for mine in chunk.mines:
        kept, met = ([row for row in each if row["mine_code"] == mine] for each in (there, seen))
        cameras += camera_rows(after[mine], sites[mine], kept, met)
    _replace_small(engine.in_process, silver.CAMERA, cameras, chunk.mines, tally)


def _rows(engine: Engine, table: Table, mines: Sequence[str]) -> list[Row]:
    return engine.to_arrow(engine.read(table, mines=mines)).to_pylist()


# ── what has a time ─────────────────────────────────────────────────────────────────────────────────────────────────


def _spans(chunk: Chunk, instants: Iterable[datetime], step: timedelta) -> list[Window]:
    return [chunk.span] if chunk.span is not None else runs(instants, step)


def _inside(rows: nw.LazyFrame, column: str, window: Window) -> nw.LazyFrame:
    return rows.filter(nw.col(column) >= window.start, nw.col(column) < window.end)


def _instants(engine: Engine, frame: nw.LazyFrame, column: str, minutes: int) -> list[datetime]:
    """Starts of the clock-aligned windows that the frame's instants lie in."""
    slots = frame.select(floor_minutes(nw.col(column), minutes).cast(UTC_MICROSECONDS).alias("slot")).unique()
    return [slot for slot in engine.to_arrow(slots)["slot"].to_pylist() if slot is not None]


def _kept(engine: Engine, existing: nw.LazyFrame, column: str, chunk: Chunk, span: Window) -> nw.LazyFrame:
    """Rows that are there and stay: those that the chunk's files do not tell anew.

    So a pass that was cut off and is done again, or a span that is worked out anew, takes its own files from bronze.
    """
    again = engine.from_arrow(_arrow(chunk.ledger.select(pl.col("file_id"), pl.lit(True).alias("_again"))))
    rows = existing.join(again, on="file_id", how="left")
    outside = (nw.col(column) < span.start) | (nw.col(column) >= span.end)
    return rows.filter(nw.col("_again").is_null() | outside).drop("_again")


def _replace_spans(
    engine: Engine, table: Table, chunk: Chunk, new: nw.LazyFrame, spans: Sequence[Window], settle: Settle, tally: Tally
) -> None:
    """Settle new rows with those already there, span by span."""
    assert table.time is not None
    for span in spans:
        started = time.monotonic()
        part = engine.part(table, window=span, mines=chunk.mines)
        kept = _kept(engine, part.rows, table.time, chunk, span)
        rows = nw.concat([kept, _inside(new, table.time, span).select(*table.names)], how="vertical")
        tally.add(table, engine.replace(part, settle(rows)), time.monotonic() - started)


def _write_people(engine: Engine, chunk: Chunk, facts: Facts, tally: Tally) -> None:
    if not chunk.has(positions.KINDS):
        return
    fixes = engine.cached(
        positions.to_positions(chunk.of(positions.KINDS), facts.stations, chunk.layouts(positions.LAYOUTS))
    )
    snapshots = chunk.ledger.filter(pl.col("kind").is_in(positions.KINDS))
    snapshots = snapshots.select("mine_code", pl.col("header_time").alias("observed_at"))
    spans = _spans(chunk, snapshots["observed_at"].unique().to_list(), timedelta(microseconds=1))
    _replace_spans(engine, silver.POSITION, chunk, fixes, spans, positions.latest_positions, tally)

    taken = engine.from_arrow(_arrow(snapshots))
    for span in spans:
        started = time.monotonic()
        part = engine.part(silver.HEADCOUNT, window=span, mines=chunk.mines)
        there = part.rows.select("mine_code", "observed_at")
        inside = nw.concat(
            [_inside(taken, "observed_at", span).select("mine_code", "observed_at"), there], how="vertical"
        )
        people = engine.read(silver.POSITION, window=span, mines=chunk.mines)
        rows = positions.headcount(people, inside, facts.areas)
        tally.add(silver.HEADCOUNT, engine.replace(part, rows), time.monotonic() - started)


def _write_states(engine: Engine, chunk: Chunk, tally: Tally) -> None:
    if chunk.has(station_states.KINDS):
        states = engine.cached(
            station_states.to_states(chunk.of(station_states.KINDS), chunk.layouts(station_states.LAYOUTS))
        )
        spans = _spans(chunk, _instants(engine, states, "observed_at", readings.SLOT_MINUTES), SLOT)
        _replace_spans(engine, silver.STATION_STATE, chunk, states, spans, station_states.latest_states, tally)


def _write_abnormalities(engine: Engine, chunk: Chunk, facts: Facts, tally: Tally) -> None:
    if chunk.has(abnormalities.KINDS):
        records = chunk.of(abnormalities.KINDS)
        reported = engine.cached(
            abnormalities.to_abnormalities(records, facts.points, chunk.layouts(abnormalities.LAYOUTS))
        )
        spans = _spans(chunk, _instants(engine, reported, "began_at", readings.SLOT_MINUTES), SLOT)
        settle = abnormalities.latest_abnormalities
        _replace_spans(engine, silver.REPORTED_ABNORMALITY, chunk, reported, spans, settle, tally)


def _write_families(engine: Engine, chunk: Chunk, facts: Facts, tally: Tally) -> None:
    """Values of the feed families, each in its own table."""
    for name, kinds in families.KINDS_OF.items():
        present = [kind for kind in kinds if chunk.has((kind,))]
        if not present:
            continue
        table = TABLES[name]
        rows = engine.cached(families.to_readings(chunk.of(present), facts.points, table, present))
        spans = _spans(chunk, _instants(engine, rows, "observed_at", readings.SLOT_MINUTES), SLOT)
        settle = partial(families.latest_readings, table)
        _replace_spans(engine, table, chunk, rows, spans, settle, tally)


def _write_events(engine: Engine, chunk: Chunk, facts: Facts, tally: Tally) -> None:
    if chunk.has(seismic.KINDS):
        events = engine.cached(seismic.to_events(chunk.of(seismic.KINDS), chunk.layouts(seismic.LAYOUTS)))
        events = engine.cached(seismic.placed(events, _places(engine, events, facts)))
        _replace_events(engine, silver.SEISMIC_EVENT, chunk, events, seismic.latest_events, tally)


def _write_field_records(engine: Engine, chunk: Chunk, facts: Facts, tally: Tally) -> None:
    if chunk.has(field_records.KINDS):
        rows = engine.cached(field_records.to_records(chunk.of(field_records.KINDS)))
        sent = engine.to_arrow(rows.select("quantity", "sent_unit").unique()).to_pylist()
        factors = [
            dict(zip(_FACTOR.names, (*row.values(), *field_records.conversion(**row)), strict=True)) for row in sent
        ]
        rows = field_records.converted(rows, _places(engine, rows, facts), engine.frame(factors, _FACTOR))
        rows = engine.cached(rows)
        _replace_events(engine, silver.FIELD_RECORD, chunk, rows, field_records.latest_records, tally)


def _write_vehicles(engine: Engine, chunk: Chunk, facts: Facts, tally: Tally) -> None:
    layouts = chunk.layouts(vehicles.LAYOUTS)
    if chunk.has(vehicles.KINDS):
        rows = engine.cached(vehicles.to_positions(chunk.of(vehicles.KINDS), layouts))
        rows = engine.cached(vehicles.placed(rows, _places(engine, rows, facts)))
        spans = _spans(chunk, _instants(engine, rows, "observed_at", readings.SLOT_MINUTES), SLOT)
        _replace_spans(engine, silver.VEHICLE_POSITION, chunk, rows, spans, vehicles.latest_positions, tally)


def _write_video(engine: Engine, chunk: Chunk, facts: Facts, tally: Tally) -> None:
    if chunk.has(video.EVENT_KINDS):
        layouts = [layout for layout in video.LAYOUTS if chunk.has(layout[:1])]
        events = engine.cached(video.to_events(chunk.of(video.EVENT_KINDS), facts.cameras, layouts))
        _replace_events(engine, silver.VIDEO_EVENT, chunk, events, video.latest_events, tally)


def _replace_events(
    engine: Engine, table: Table, chunk: Chunk, events: nw.LazyFrame, settle: Settle, tally: Tally
) -> None:
    """Settle events with those already there. An event has a number of its own, and it may be told again with another
    time: the one sent last counts, wherever in time the others lie."""
    assert table.time is not None
    instants = _instants(engine, events, table.time, readings.SLOT_MINUTES)
    if not instants:
        return
    key = list(table.key)
    near = Window(min(instants), max(instants) + SLOT).widened(LATE, LATE)
    told = engine.cached(events.select(*key).unique())
    there = engine.read(table, window=near, mines=chunk.mines).join(told, on=key, how="semi")
    there = _kept(engine, there, table.time, chunk, near)
    others = _instants(engine, there, table.time, readings.SLOT_MINUTES)
    if others:
        events = engine.cached(settle(nw.concat([events, there], how="vertical")))
        moved = sorted({*instants, *others})
        spans = _spans(chunk, moved, SLOT) if chunk.span is not None else [Window(moved[0], moved[-1] + SLOT)]
    else:
        spans = _spans(chunk, instants, SLOT)
    _replace_spans(engine, table, chunk, events, spans, settle, tally)


def _places(engine: Engine, rows: nw.LazyFrame, facts: Facts) -> nw.LazyFrame:
    """Where each `place_key` of the rows is."""
    found = []
    for row in engine.to_arrow(rows.select("mine_code", "place_key").unique()).to_pylist():
        place = facts.gazetteers[row["mine_code"]].place_of_key(row["place_key"])
        found.append(row | {"area_id": place.area_id, "edge_id": place.edge_id})
    return engine.frame(found, _PLACE)


_PLACE = pa.schema(dict.fromkeys(("mine_code", "place_key", "area_id", "edge_id"), pa.string()))
_FACTOR = pa.schema(dict.fromkeys(("quantity", "sent_unit", "unit"), pa.string()) | {"factor": pa.float64()})


def _write_readings(engine: Engine, chunk: Chunk, facts: Facts, tally: Tally) -> None:
    """Readings and their five-minute statistics."""
    samples = reported = None
    instants: list[datetime] = []
    if chunk.has(readings.KINDS):
        samples = engine.cached(
            readings.to_samples(chunk.of(readings.KINDS), facts.points, chunk.layouts(readings.LAYOUTS))
        )
        instants += _instants(engine, samples, "observed_at", readings.SLOT_MINUTES)
    if chunk.has(statistics.KINDS):
        reported = engine.cached(statistics.to_reported(chunk.of(statistics.KINDS), chunk.layouts(statistics.LAYOUTS)))
        instants += _instants(engine, reported, "window_start", readings.SLOT_MINUTES)
    if samples is None and reported is None:
        return
    for span in _spans(chunk, instants, SLOT):
        _write_reading_span(engine, chunk, span, samples, reported, facts, tally)


def _write_reading_span(
    engine: Engine,
    chunk: Chunk,
    span: Window,
    samples: nw.LazyFrame | None,
    reported: nw.LazyFrame | None,
    facts: Facts,
    tally: Tally,
) -> None:
    started = time.monotonic()
    # What is judged by a half hour is the half hour itself and the next.
    judged = span.widened(after=SLOT)
    part = engine.part(silver.READING, window=judged, mines=chunk.mines)
    earlier = engine.read(silver.READING, window=Window(span.start - SLOT, span.start), mines=chunk.mines)
    there = nw.concat([earlier, part.rows], how="vertical")
    taken = [_kept(engine, there, "observed_at", chunk, span).select(*readings.SAMPLE)]
    if samples is not None:
        taken.append(_inside(samples, "observed_at", span))
    rows = readings.assess(nw.concat(taken, how="vertical"), facts.points)
    rows = engine.cached(_inside(rows, "observed_at", judged))
    readings_seconds = time.monotonic() - started

    started = time.monotonic()
    part_5min = engine.part(silver.READING_5MIN, window=judged, mines=chunk.mines)
    kept = _kept(engine, part_5min.rows.filter(~nw.col("sent_at").is_null()), "window_start", chunk, span)
    told_before = [kept.with_columns(nw.lit(0, dtype=nw.Int32).alias("position")).select(*statistics.REPORTED)]
    if reported is not None:
        told_before.append(_inside(reported, "window_start", span))
    five = statistics.five_minutes(rows, nw.concat(told_before, how="vertical"), facts.points)
    tally.add(silver.READING_5MIN, engine.replace(part_5min, five), time.monotonic() - started)

    started = time.monotonic()
    tally.add(silver.READING, engine.replace(part, rows), readings_seconds + time.monotonic() - started)


def _arrow(rows: pl.DataFrame) -> pa.Table:
    return rows.to_arrow(compat_level=pl.CompatLevel.oldest())
