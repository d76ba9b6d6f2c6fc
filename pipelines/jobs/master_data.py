"""Points, stations and areas of the mines at hand: what is told of each, from when, and what a change of it touches.

These tables are small (a mine has hundreds to thousands of points), so they are worked out in process on either engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from minefusion.pipelines.conform.defining import (
    BAN,
    CAMERA,
    CAMERA_STATE,
    EQUIPMENT,
    EQUIPMENT_TEST,
    SAFETY_MARK,
    VEHICLE,
)
from minefusion.pipelines.conform.definitions import (
    ALWAYS,
    AREA,
    FOREVER,
    POINT,
    STATION,
    Definition,
    Span,
    contradicting,
    differing,
    settled,
    spans,
)
from minefusion.pipelines.conform.master import (
    area_row,
    equipment_row,
    newest,
    point_row,
    station_row,
    unplaced_row,
)
from minefusion.pipelines.conform.place import UNPLACED, Gazetteer
from minefusion.pipelines.conform.readings import POINT_FACTS
from minefusion.pipelines.conform.vehicles import vehicle_row
from minefusion.pipelines.conform.video import camera_row, with_states
from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.hazard.inputs import POINT_COLUMNS
from minefusion.schemas import sensors, silver
from minefusion.schemas.catalog import site_path
from minefusion.schemas.settings import Settings
from minefusion.schemas.site import Site, load_site
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

Row = dict[str, Any]
Spans = dict[str, list[Span]]
# Definitions of these mines and things that were sent after these instants, out of bronze.
Recall = Callable[[Mapping[tuple[str, str], datetime]], Iterable[Definition]]

# What a value is judged by and what gold says of it. The period is the feed's, and no definition's.
_POINT_SAYS = tuple(sorted({*POINT_FACTS, *POINT_COLUMNS} - {"valid_min", "valid_max", "is_analog", "period_s"}))
_STATION_SAYS = ("area_id", "edge_id", "chainage_m", "edge_length_m")
_CAMERA_SAYS = ("area_id", "edge_id")
_AREA_SAYS = tuple(name for name in silver.AREA.names if name not in ("sent_at", "file_id"))

_HOLDS = [pa.field(name, pa.timestamp("us", tz="UTC")) for name in ("holds_from", "holds_to")]
_OF_TYPE = [pa.field("valid_min", pa.float64()), pa.field("valid_max", pa.float64()), pa.field("is_analog", pa.bool_())]


@dataclass
class MasterData:
    """What is known of one mine's points, stations and areas, each by code and time."""

    mine_code: str
    definitions: list[Definition] = field(default_factory=list)
    points: Spans = field(default_factory=dict)
    stations: Spans = field(default_factory=dict)
    areas: Spans = field(default_factory=dict)
    cameras: Spans = field(default_factory=dict)

    def changes(
        self,
        before: MasterData,
        unknown_stations: Callable[[], set[str]],
        unknown_cameras: Callable[[], set[str]],
    ) -> list[Window]:
        """The times for which `before` said something else of what was there already.

        A point that is new here was never seen before, and a station that is new matters where positions named it:
        `unknown_stations` tells which did; so do cameras where events named them.
        """
        found: list[Window] = []
        for code, was in before.points.items():
            found += differing(was, self.points.get(code, []), _POINT_SAYS)
        new = self.stations.keys() - before.stations.keys()
        for code in before.stations.keys() | (new & unknown_stations() if new else new):
            found += differing(before.stations.get(code, []), self.stations.get(code, []), _STATION_SAYS)
        new = self.cameras.keys() - before.cameras.keys()
        for code in before.cameras.keys() | (new & unknown_cameras() if new else new):
            found += differing(before.cameras.get(code, []), self.cameras.get(code, []), _CAMERA_SAYS)
        for code in before.areas.keys() | self.areas.keys():
            found += differing(before.areas.get(code, []), self.areas.get(code, []), _AREA_SAYS)
        return found

    @property
    def is_new(self) -> bool:
        """Nothing of the mine was ever conformed."""
        return not (self.points or self.stations or self.areas)


def sites_of(settings: Settings, mines: Iterable[str]) -> dict[str, Site | None]:
    """The registered site file of each mine; None where a mine has none."""
    return {mine: _site(site_path(settings.lake, mine)) for mine in mines}


def _site(path: Path) -> Site | None:
    if not path.is_file():
        return None
    stat = path.stat()
    return _loaded(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _loaded(path: Path, _changed_ns: int, _size: int) -> Site:
    return load_site(path)


def stored(engine: Engine, mines: Sequence[str]) -> dict[str, MasterData]:
    """What silver holds of these mines."""
    engine = engine.in_process
    tables = {
        table: _rows(engine, table, mines) for table in (silver.DEFINITION, silver.POINT, silver.STATION, silver.AREA)
    }
    sites = sites_of(engine.settings, mines)
    found = {}
    for mine in mines:
        of = {table: [row for row in rows if row["mine_code"] == mine] for table, rows in tables.items()}
        definitions = [
            Definition(**{name: row[name] for name in Definition.__dataclass_fields__}) for row in of[silver.DEFINITION]
        ]
        data = MasterData(mine, settled(definitions))
        gazetteer = gazetteer_of(sites[mine], data.definitions)
        period = next((row["period_s"] for row in of[silver.POINT]), None)
        told = _by_code(data.definitions)
        # The row of the version in force is at hand; only what it replaced is worked out again.
        for row in of[silver.POINT]:
            older = [
                (each.valid_from, point_row(_located(each, told), gazetteer, period))
                for each in told.get((POINT, row["point_id"]), [])[:-1]
            ]
            data.points[row["point_id"]] = spans([*older, (row["sent_at"], row)])
        for row in of[silver.STATION]:
            older = [
                (each.valid_from, station_row(each.as_told(), gazetteer))
                for each in told.get((STATION, row["station_code"]), [])[:-1]
            ]
            data.stations[row["station_code"]] = spans([*older, (row["sent_at"], row)])
        data.cameras = _camera_spans(mine, sites[mine], told, gazetteer)
        for row in of[silver.AREA]:
            data.areas[row["area_id"]] = _area_spans(
                mine, row["area_id"], sites[mine], told.get((AREA, row["area_id"]), []), row
            )
        found[mine] = data
    return found


def brought_up_to(
    before: MasterData,
    site: Site | None,
    new: Sequence[Definition],
    seen: Sequence[Row],
    period_s: float | None,
    recall: Recall,
) -> MasterData:
    """The master data with new definitions and newly seen points.

    Args:
        seen: points that values came for: mine_code, point_id, sent_at and the words that their files have for them.
        period_s: time between the mine's value files; None where the new files do not tell.
        recall: finds what was told again after a definition that came late.
    """
    late: dict[tuple[str, str], datetime] = {}
    for each in contradicting(before.definitions, new):
        place = (each.mine_code, each.thing)
        late[place] = min(each.valid_from, late.get(place, FOREVER))
    again = recall(late) if late else ()
    after = MasterData(before.mine_code, settled([*before.definitions, *new, *again]))
    gazetteer = gazetteer_of(site, after.definitions)
    told = _by_code(after.definitions)
    period_s = period_s or next((of_code[-1].row["period_s"] for of_code in before.points.values()), None)

    undefined = [
        _words(code_spans[-1].row) for code_spans in before.points.values() if not code_spans[-1].row["is_defined"]
    ]
    known = {code for thing, code in told if thing == POINT}
    strangers = newest(undefined, (row | {"is_defined": False, "file_id": None} for row in seen), ("point_id",))
    for (code,), row in strangers.items():
        if code not in known:
            after.points[code] = spans([(row["sent_at"], point_row(row, gazetteer, period_s))])
    for (thing, code), versions in told.items():
        if thing == POINT:
            after.points[code] = spans(
                [(each.valid_from, point_row(_located(each, told), gazetteer, period_s)) for each in versions]
            )
        elif thing == STATION:
            after.stations[code] = spans(
                [(each.valid_from, station_row(each.as_told(), gazetteer)) for each in versions]
            )
    after.cameras = _camera_spans(before.mine_code, site, told, gazetteer)
    of_site = {area.area_id for area in site.areas} if site else set()
    for code in sorted(of_site | {UNPLACED} | {code for thing, code in told if thing == AREA}):
        after.areas[code] = _area_spans(before.mine_code, code, site, told.get((AREA, code), []))
    return after


def gazetteer_of(site: Site | None, definitions: Iterable[Definition]) -> Gazetteer:
    """Places of the mine: the site file's, and the areas that the positioning system names."""
    names = {each.code: each.as_told().get("area_name") or each.code for each in definitions if each.thing == AREA}
    return Gazetteer(site, sorted(names.items()))


def equipment_rows(data: MasterData, site: Site | None) -> list[Row]:
    """silver.equipment of one mine, from what its files say of devices, safety marks, tests and banned models."""
    gazetteer = gazetteer_of(site, data.definitions)
    told = {key: versions[-1].as_told() for key, versions in _by_code(data.definitions).items()}
    return [
        equipment_row(
            device,
            told.get((SAFETY_MARK, device.get("factory_code") or "")),
            told.get((EQUIPMENT_TEST, device.get("factory_code") or "")),
            told.get((BAN, f"{device.get('name') or ''}/{device.get('model') or ''}")),
            gazetteer,
        )
        for (thing, _), device in sorted(told.items())
        if thing == EQUIPMENT
    ]


def camera_rows(data: MasterData, site: Site | None, kept: Iterable[Row], seen: Iterable[Row]) -> list[Row]:
    """silver.camera of one mine: the registered ones with their state, and those that only their events name.

    Args:
        kept: rows that are there already.
        seen: mine_code, camera_code, sent_at of cameras that something was sent of.
    """
    gazetteer = gazetteer_of(site, data.definitions)
    told = _by_code(data.definitions)
    states = {code: versions[-1].as_told() for (thing, code), versions in told.items() if thing == CAMERA_STATE}
    strangers = [row for row in kept if not row["is_defined"]]
    strangers += [row | {"is_defined": False, "file_id": None} for row in (*seen, *states.values())]
    met: dict[str, Row] = {}
    for row in strangers:
        first = min(row["sent_at"], met.get(row["camera_code"], row)["sent_at"])
        met[row["camera_code"]] = {
            "mine_code": data.mine_code, "camera_code": row["camera_code"], "sent_at": first, "is_defined": False,
            "file_id": None,
        }  # fmt: skip
    unknown = [camera_row(row, gazetteer) for code, row in sorted(met.items()) if code not in data.cameras]
    return with_states([*latest(data.cameras), *unknown], states)


def _camera_spans(
    mine: str, site: Site | None, told: Mapping[tuple[str, str], Sequence[Definition]], gazetteer: Gazetteer
) -> Spans:
    """Cameras that the site file or a registry names; a site's camera was always there."""
    found: Spans = {}
    for camera in site.cameras if site else ():
        row = {
            "mine_code": mine,
            "camera_code": camera.camera_code,
            "is_defined": True,
            "sent_at": None,
            "file_id": None,
        }
        found[camera.camera_code] = spans([(ALWAYS, camera_row(row, gazetteer))])
    for (thing, code), versions in told.items():
        if thing == CAMERA:
            found[code] = spans([(each.valid_from, camera_row(each.as_told(), gazetteer)) for each in versions])
    return found


def vehicle_rows(data: MasterData) -> list[Row]:
    """silver.vehicle of one mine."""
    told = _by_code(data.definitions)
    return [vehicle_row(versions[-1].as_told()) for (thing, _), versions in sorted(told.items()) if thing == VEHICLE]


def _located(definition: Definition, told: Mapping[tuple[str, str], Sequence[Definition]]) -> Row:
    """A point's definition; a machine's point that names no place is where the machine is."""
    row = definition.as_told()
    if row.get("location") or not (device := told.get((EQUIPMENT, row.get("device_code") or ""))):
        return row
    return row | {"location": device[-1].as_told().get("location")}


def _words(row: Row) -> Row:
    """What is told of a point that no definition names."""
    return {
        name: row.get(name)
        for name in (
            "mine_code",
            "point_id",
            "sensor_type",
            "location",
            "sent_unit",
            "told_by",
            "sent_at",
            "is_defined",
            "file_id",
        )
    }


def _area_spans(
    mine: str, code: str, site: Site | None, told: Sequence[Definition], newest_row: Row | None = None
) -> list[Span]:
    """An area that the site file declares was always there; another one since it was first told."""
    if code == UNPLACED:
        return [Span(ALWAYS, FOREVER, unplaced_row(mine))]
    area = next((area for area in site.areas if area.area_id == code), None) if site else None
    severe = site.severe_hazard if site else True
    versions = [(each.valid_from, area_row(mine, code, area, each.as_told(), severe_hazard=severe)) for each in told]
    if area or not told:
        versions.insert(0, (ALWAYS, area_row(mine, code, area, None, severe_hazard=severe)))
    if newest_row is not None:
        versions[-1] = (versions[-1][0], newest_row)
    return spans(versions, back=False)


def _by_code(definitions: Iterable[Definition]) -> dict[tuple[str, str], list[Definition]]:
    found: dict[tuple[str, str], list[Definition]] = {}
    for each in definitions:
        found.setdefault((each.thing, each.code), []).append(each)
    return found


def _rows(engine: Engine, table: Table, mines: Sequence[str]) -> list[Row]:
    return engine.to_arrow(engine.read(table, mines=mines)).to_pylist()


# ── as frames ───────────────────────────────────────────────────────────────────────────────────────────────────────


def point_facts(data: Iterable[MasterData]) -> pa.Table:
    """silver.point by time (holds_from, holds_to) with what the sensor type adds: plausible range, whether analog."""
    rows = []
    for mine in data:
        for span in _all(mine.points):
            kind = sensors.sensor_type(span.row["sensor_type"])
            value_kind = span.row["value_kind"]
            rows.append(
                _held(span)
                | {
                    "valid_min": kind.valid_min if kind else None,
                    "valid_max": kind.valid_max if kind else None,
                    "is_analog": value_kind == "MN" if value_kind else bool(kind and kind.kind == "analog"),
                }
            )
    return pa.Table.from_pylist(rows, schema=pa.schema([*silver.POINT.arrow_schema(), *_HOLDS, *_OF_TYPE]))


def station_facts(data: Iterable[MasterData]) -> pa.Table:
    """silver.station by time."""
    rows = [_held(span) for mine in data for span in _all(mine.stations)]
    return pa.Table.from_pylist(rows, schema=pa.schema([*silver.STATION.arrow_schema(), *_HOLDS]))


def area_facts(data: Iterable[MasterData]) -> pa.Table:
    """silver.area by time; before an area was told there is none."""
    rows = [_held(span) for mine in data for span in _all(mine.areas)]
    return pa.Table.from_pylist(rows, schema=pa.schema([*silver.AREA.arrow_schema(), *_HOLDS]))


def camera_facts(data: Iterable[MasterData]) -> pa.Table:
    """silver.camera by time: code and place."""
    names = ("mine_code", "camera_code", "area_id", "edge_id")
    rows = [_held(span) for mine in data for span in _all(mine.cameras)]
    schema = pa.schema([silver.CAMERA.arrow_schema().field(name) for name in names] + _HOLDS)
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)


def _all(of_code: Spans) -> Iterable[Span]:
    return (span for code in sorted(of_code) for span in of_code[code])


def _held(span: Span) -> Row:
    return span.row | {"holds_from": span.start, "holds_to": span.end}


def latest(of_code: Spans) -> list[Row]:
    """What holds now."""
    return [of_code[code][-1].row for code in sorted(of_code)]
