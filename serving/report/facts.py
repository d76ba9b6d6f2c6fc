"""What a shift report says, read from the lake: rows of gold, and of silver the samples that curves are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.schemas import silver
from minefusion.schemas.catalog import site_path
from minefusion.schemas.errors import InputError
from minefusion.schemas.site import Shift, Site, load_site
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window
from minefusion.serving.reader import Reader
from minefusion.serving.report.markup import Text, same

Row = dict[str, Any]

GAS = ("ch4", "co", "o2", "co2", "h2s", "no2", "so2", "nh3", "no", "h2")
SWITCHES = ("main_fan", "aux_fan", "air_door", "duct_state", "power_cutoff", "feed_detector")
DEFAULT_HOURS = 8.0
DAY_HOURS = 24.0
# A mine whose site file is not known keeps the clock of the specification.
DEFAULT_UTC_OFFSET_H = 8.0
# An alarm may have been open for so long when the shift began; gold follows none back farther.
LONGEST_ALARM = timedelta(days=7)
# Orange: an alarm limit is reached.
SERIOUS = 3
# Besides the points that alarmed, so many of those that came closest to their limit are drawn.
HIGHEST = 4
# What a subsystem sent is told in spans of five minutes.
BIN_S = 300
# Tables of silver that hold what the subsystems send.
SENT = (
    silver.READING, silver.HEADCOUNT, silver.WATER_READING, silver.SUPPORT_PRESSURE, silver.SEISMIC_EVENT,
    silver.SLOPE_READING, silver.TAILINGS_READING, silver.EQUIPMENT_STATE, silver.VEHICLE_POSITION, silver.FIELD_RECORD,
)  # fmt: skip
# A page with more curves than this is not read; the rest is named, and listed among the alarms.
MOST_CURVES = 24
# The forecast that is drawn beside a curve was issued so long before [min].
DRAWN_AHEAD_MIN = 30


@dataclass(frozen=True)
class Area:
    """A place. `cap` is null where none holds."""

    area_id: str
    name: Text
    cap: int | None = None
    cap_source: str | None = None
    cap_confidence: str | None = None


@dataclass(frozen=True)
class Samples:
    """One point's samples in time order: seconds from the shift's start, value (NaN: none), and whether it counts.

    `usable` passed the sample gate; `reasons` are the quality's, '' where GOOD.
    """

    at_s: NDArray[np.float64]
    value: NDArray[np.float64]
    usable: NDArray[np.bool_]
    reasons: tuple[str, ...]

    def having(self, reason: str) -> NDArray[np.bool_]:
        return np.array([reason in told for told in self.reasons], dtype=bool)


@dataclass(frozen=True)
class Forecast:
    """What was forecast of one point DRAWN_AHEAD_MIN before: seconds from the shift's start, edges of the interval."""

    at_s: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """A measuring point with its row of silver.point, its samples, and its forecast where one was made."""

    row: Row
    samples: Samples
    forecast: Forecast | None = None

    @property
    def point_id(self) -> str:
        return str(self.row["point_id"])

    @property
    def place(self) -> str:
        return self.row["location"] or self.point_id

    @property
    def period_s(self) -> float:
        return float(self.row["period_s"])

    @property
    def longest_s(self) -> float:
        """Beyond three periods without a sample there is a gap."""
        return 3 * self.period_s


@dataclass(frozen=True)
class Facts:
    """Everything that one report says.

    Attributes:
        minutes: rows of gold.area_minute by area, in time order.
        alarms: rows of gold.alarm that touch the shift, worst first, with `limit_source` and `limit_confidence`.
        gas: points whose curves are drawn, by area; those that alarmed and those closest to their limit.
        left_out: gas points that alarmed and are not drawn, because there are too many.
        ranking: usable extremes per methane point, closest to its limit first.
        air: extremes per air-velocity point.
        switches: switches whose state changed; `steady` counts the others by quantity and state.
        underground: (seconds, persons) of the whole mine; the cap is `underground_cap`.
        indices: hazard indices with their worst level and, under `limits`, sources and confidence of the limits used.
        quality: rows of gold.data_quality.
        behaviours: unsafe behaviours on video, the worst first.
        watched: minutes in which cameras were watched, by area.
        sent: table of silver → numbers of the spans of BIN_S that hold something; `sent_rows`: how many rows in all.
    """

    mine_code: str
    mine: Text
    window: Window
    utc_offset_h: float
    shift: Shift | None
    areas: Mapping[str, Area]
    minutes: Mapping[str, list[Row]]
    alarms: list[Row]
    gas: Mapping[str, list[Point]]
    left_out: list[str]
    ranking: list[Row]
    air: list[Row]
    switches: list[Point]
    steady: Mapping[tuple[str, int], int]
    underground: list[tuple[float, int]]
    underground_cap: int | None
    indices: list[Row]
    quality: list[Row]
    behaviours: list[Row]
    watched: Mapping[str, int]
    sent: Mapping[str, tuple[int, ...]]
    sent_rows: Mapping[str, int]

    @property
    def seconds(self) -> float:
        return (self.window.end - self.window.start).total_seconds()

    @property
    def is_day(self) -> bool:
        """A whole day and not a shift."""
        return self.shift is None and self.seconds == DAY_HOURS * 3600

    def since_start_s(self, instant: datetime) -> float:
        return (instant - self.window.start).total_seconds()

    def local(self, instant: datetime) -> datetime:
        """On the mine's own clock."""
        return instant.astimezone(timezone(timedelta(hours=self.utc_offset_h)))

    def area(self, area_id: str) -> Area:
        return self.areas.get(area_id) or Area(area_id, same(area_id))


def gather(reader: Reader, mine_code: str, end: datetime, hours: float | None = None) -> Facts:
    """Read what the report of the shift that ends at `end` says; of so many hours before it, where they are given.

    Raises:
        InputError: gold holds nothing of this mine in that span; the line says what there is.
    """
    path = site_path(reader.lake, mine_code)
    site = load_site(path) if path.is_file() else None
    offset_h = site.utc_offset_h if site else DEFAULT_UTC_OFFSET_H
    shift = None if hours else _shift_that_ends(site, end.astimezone(timezone(timedelta(hours=offset_h))))
    window = Window(end - timedelta(hours=hours or (shift.hours if shift else DEFAULT_HOURS)), end)
    ask = _Ask(reader, mine_code, window)

    minutes: dict[str, list[Row]] = {}
    for row in ask.rows(f"SELECT * FROM gold.area_minute WHERE {ask.within('minute')} ORDER BY area_id, minute"):
        minutes.setdefault(row["area_id"], []).append(row)
    alarms = ask.alarms()
    if not minutes and not alarms:
        raise InputError(_nothing(reader, mine_code, window))

    mine = Text(site.name_zh, site.name_en) if site else same(mine_code)
    areas = ask.areas() | {mine_code: Area(mine_code, Text("全矿", "Whole mine"))}
    points = {row["point_id"]: row for row in ask.rows("SELECT * FROM silver.point WHERE mine_code = $mine")}
    extremes = ask.extremes()
    ranking = _closest_to_limit(points, extremes)
    gas, left_out = _gas_to_draw(points, alarms, ranking)
    changed, steady = _switches(points, extremes)
    sent = {table.name: ask.sent(table) for table in SENT}
    samples = ask.samples([*gas, *changed])
    forecasts = ask.forecasts(gas)
    drawn = {
        name: Point(points[name], samples[name], forecasts.get(name)) for name in [*gas, *changed] if name in samples
    }
    by_area: dict[str, list[Point]] = {}
    for name in gas:
        if name in drawn:
            by_area.setdefault(points[name]["area_id"], []).append(drawn[name])
    return Facts(
        mine_code=mine_code,
        mine=mine,
        window=window,
        utc_offset_h=offset_h,
        shift=shift,
        areas=areas,
        minutes=minutes,
        alarms=alarms,
        gas=by_area,
        left_out=left_out,
        ranking=ranking,
        air=[
            points[name] | row
            for name, row in extremes.items()
            if points.get(name, {}).get("quantity") == "air_velocity"
        ],
        switches=[drawn[name] for name in changed if name in drawn],
        steady=steady,
        underground=ask.underground(),
        underground_cap=site.underground_cap if site else None,
        indices=ask.indices(),
        quality=ask.rows(f"SELECT * FROM gold.data_quality WHERE {ask.within('hour')} ORDER BY dataset, entity, hour"),
        behaviours=ask.rows(
            f"SELECT * FROM gold.unsafe_behaviour WHERE {ask.within('raised_at')}"
            " ORDER BY level DESC, raised_at, event_id"
        ),
        watched=ask.watched(),
        sent={name: tuple(rows) for name, rows in sent.items()},
        sent_rows={name: sum(rows.values()) for name, rows in sent.items()},
    )


def around(reader: Reader, mine_code: str, window: Window, area_id: str, gas: Sequence[str]) -> Facts:
    """What is drawn of some gas points of one area over any span: their curves with the area's switches and head count.

    Everything else that a report says is left empty.
    """
    path = site_path(reader.lake, mine_code)
    site = load_site(path) if path.is_file() else None
    ask = _Ask(reader, mine_code, window)
    points = {row["point_id"]: row for row in ask.rows("SELECT * FROM silver.point WHERE mine_code = $mine")}
    here = {name: row for name, row in points.items() if row["area_id"] == area_id}
    changed, _ = _switches(here, ask.extremes())
    wanted = [name for name in gas if name in points]
    samples, forecasts = ask.samples([*wanted, *changed]), ask.forecasts(wanted)
    drawn = {
        name: Point(points[name], samples[name], forecasts.get(name)) for name in [*wanted, *changed] if name in samples
    }
    minutes = ask.rows(
        f"SELECT * FROM gold.area_minute WHERE {ask.within('minute')} AND area_id = $area ORDER BY minute", area=area_id
    )
    return Facts(
        mine_code=mine_code,
        mine=Text(site.name_zh, site.name_en) if site else same(mine_code),
        window=window,
        utc_offset_h=site.utc_offset_h if site else DEFAULT_UTC_OFFSET_H,
        shift=None,
        areas=ask.areas(),
        minutes={area_id: minutes},
        alarms=ask.alarms(),
        gas={area_id: [drawn[name] for name in wanted if name in drawn]},
        left_out=[],
        ranking=[],
        air=[],
        switches=[drawn[name] for name in changed if name in drawn],
        steady={},
        underground=[],
        underground_cap=None,
        indices=[],
        behaviours=[],
        watched={},
        quality=[],
        sent={},
        sent_rows={},
    )


def _shift_that_ends(site: Site | None, end: datetime) -> Shift | None:
    """The declared shift whose end, on the mine's clock, is `end`."""
    for shift in site.shifts if site else ():
        hour, minute = map(int, shift.start.split(":"))
        begins = end - timedelta(hours=shift.hours)
        if (begins.hour, begins.minute, begins.second) == (hour, minute, 0):
            return shift
    return None


def _nothing(reader: Reader, mine_code: str, window: Window) -> str:
    spans = reader.sql(
        "SELECT mine_code, min(minute) AS first, max(minute) AS last FROM gold.area_minute"
        " GROUP BY mine_code ORDER BY mine_code"
    )
    there = [f"{row['mine_code']} {row['first'].isoformat()} to {row['last'].isoformat()}" for row in spans]
    span = f"{window.start.isoformat()} to {window.end.isoformat()}"
    return (
        f"expected data of mine {mine_code} in gold from {span}, found none; "
        f"correct --mine or --to, or ingest and build first; gold holds: {'; '.join(there) or 'nothing'}"
    )


class _Ask:
    """The report's questions to the lake about one mine and window."""

    def __init__(self, reader: Reader, mine_code: str, window: Window) -> None:
        days = window.days()
        self.reader = reader
        self.window = window
        self.values: dict[str, Any] = {
            "mine": mine_code, "start": window.start, "end": window.end, "first_day": days[0], "last_day": days[-1],
        }  # fmt: skip

    def rows(self, query: str, **values: Any) -> list[Row]:
        return list(self.reader.sql(query, **(self.values | values)))

    def within(self, time: str) -> str:
        """The condition for the mine's rows of the window; the days let whole files be left unread."""
        return f"mine_code = $mine AND day BETWEEN $first_day AND $last_day AND {time} >= $start AND {time} < $end"

    def areas(self) -> dict[str, Area]:
        rows = self.rows("SELECT * FROM silver.area WHERE mine_code = $mine")
        return {
            row["area_id"]: Area(
                row["area_id"],
                Text(row["name_zh"] or row["area_id"], row["name_en"] or row["name_zh"] or row["area_id"]),
                row["cap"],
                row["cap_source"],
                row["cap_confidence"],
            )
            for row in rows
        }

    def alarms(self) -> list[Row]:
        """Alarms that touch the window, worst first, each with the limits that its index used when it was worst.

        Of one level the legal ones come first, and what the platform found before what the mine reported.
        """
        earliest = self.window.start - LONGEST_ALARM
        alarms = self.rows(
            "SELECT * FROM gold.alarm WHERE mine_code = $mine AND day BETWEEN $earliest_day AND $last_day"
            " AND raised_at < $end AND (cleared_at IS NULL OR cleared_at >= $start)"
            " ORDER BY level DESC NULLS LAST, legal_exceeded DESC NULLS LAST, kind LIKE 'YCBJ%' OR kind LIKE 'RY%',"
            " raised_at, alarm_id",
            earliest_day=earliest.date().isoformat(),
        )
        used = {
            (row["index_id"], row["entity"]): row
            for row in self.rows(
                "SELECT index_id, entity, limit_source, limit_confidence FROM (SELECT *, row_number() OVER"
                " (PARTITION BY index_id, entity ORDER BY level DESC NULLS LAST, window_start) AS place"
                f" FROM gold.hazard_index WHERE {self.within('window_start')} AND limit_confidence IS NOT NULL)"
                " WHERE place = 1"
            )
        }
        none = {"limit_source": None, "limit_confidence": None}
        return [row | {name: used.get((row["kind"], row["entity"]), none)[name] for name in none} for row in alarms]

    def watched(self) -> dict[str, int]:
        """Minutes of cameras by area."""
        rows = self.rows(
            "SELECT area_id, count(*) AS minutes FROM (SELECT DISTINCT area_id, camera_code, minute"
            f" FROM silver.camera_minute WHERE {self.within('minute')} AND pictures > 0) GROUP BY 1 ORDER BY 1"
        )
        return {row["area_id"]: row["minutes"] for row in rows}

    def sent(self, table: Table) -> dict[int, int]:
        """Rows by the number of their span of BIN_S."""
        at = f"CAST(floor((to_unixtime({table.time}) - to_unixtime($start)) / {BIN_S}.0) AS BIGINT)"
        rows = self.rows(
            f"SELECT {at} AS bin, count(*) AS count FROM {table.name} WHERE {self.within(str(table.time))}"
            " GROUP BY 1 ORDER BY 1"
        )
        return {row["bin"]: row["count"] for row in rows}

    def extremes(self) -> dict[str, Row]:
        """Usable extremes and counts per point with samples in the window."""
        usable = "(quality = 'GOOD' OR (quality = 'SUSPECT' AND strpos(quality_reasons, 'SATURATED') > 0))"
        rows = self.rows(
            f"SELECT point_id, count(*) AS samples, count(*) FILTER (WHERE {usable}) AS usable,"
            f" min(value) FILTER (WHERE {usable}) AS lowest, max(value) FILTER (WHERE {usable}) AS highest,"
            f" avg(value) FILTER (WHERE {usable}) AS mean"
            f" FROM silver.reading WHERE {self.within('observed_at')} GROUP BY point_id ORDER BY point_id"
        )
        return {row["point_id"]: row for row in rows}

    def samples(self, points: list[str]) -> dict[str, Samples]:
        if not points:
            return {}
        named = {f"p{index}": point for index, point in enumerate(points)}
        answer = self.reader.sql(
            "SELECT point_id, observed_at, value, quality, quality_reasons FROM silver.reading"
            f" WHERE {self.within('observed_at')} AND point_id IN ({', '.join(f'${name}' for name in named)})"
            " ORDER BY point_id, observed_at",
            **self.values,
            **named,
        )
        found: dict[str, list[Row]] = {}
        for row in answer:
            found.setdefault(row["point_id"], []).append(row)
        return {point: self._samples(rows) for point, rows in found.items()}

    def _samples(self, rows: list[Row]) -> Samples:
        reasons = tuple(row["quality_reasons"] or "" for row in rows)
        return Samples(
            at_s=np.array([(row["observed_at"] - self.window.start).total_seconds() for row in rows]),
            value=np.array([np.nan if row["value"] is None else row["value"] for row in rows], dtype=np.float64),
            usable=np.array(
                [
                    row["value"] is not None
                    and (row["quality"] == "GOOD" or (row["quality"] == "SUSPECT" and "SATURATED" in told))
                    for row, told in zip(rows, reasons, strict=True)
                ],
                dtype=bool,
            ),
            reasons=reasons,
        )

    def forecasts(self, points: list[str]) -> dict[str, Forecast]:
        """The interval forecast of these points, for the instants of the shift that it speaks of."""
        if not points:
            return {}
        named = {f"p{index}": point for index, point in enumerate(points)}
        answer = self.reader.sql(
            "SELECT point_id, target_at, low_pct, high_pct FROM gold.methane_forecast"
            f" WHERE {self.within('issued_at')} AND horizon_min = {DRAWN_AHEAD_MIN} AND low_pct IS NOT NULL"
            f" AND target_at < $end AND point_id IN ({', '.join(f'${name}' for name in named)})"
            " ORDER BY point_id, target_at",
            **self.values,
            **named,
        )
        found: dict[str, list[Row]] = {}
        for row in answer:
            found.setdefault(row["point_id"], []).append(row)
        return {
            point: Forecast(
                at_s=np.array([(row["target_at"] - self.window.start).total_seconds() for row in rows]),
                low=np.array([row["low_pct"] for row in rows], dtype=np.float64),
                high=np.array([row["high_pct"] for row in rows], dtype=np.float64),
            )
            for point, rows in found.items()
        }

    def underground(self) -> list[tuple[float, int]]:
        rows = self.rows(
            f"SELECT observed_at, people_count FROM silver.headcount WHERE {self.within('observed_at')}"
            " AND area_id = $mine ORDER BY observed_at"
        )
        return [((row["observed_at"] - self.window.start).total_seconds(), row["people_count"]) for row in rows]

    def indices(self) -> list[Row]:
        """Each index with its worst level, how many windows, and the limits that it used."""
        used: dict[str, list[Row]] = {}
        for row in self.rows(
            "SELECT DISTINCT index_id, limit_source, limit_confidence FROM gold.hazard_index"
            f" WHERE {self.within('window_start')} ORDER BY index_id, limit_source, limit_confidence"
        ):
            used.setdefault(row["index_id"], []).append(row)
        found = self.rows(
            "SELECT index_id, max(level) AS level, count(*) AS windows, count(*) FILTER (WHERE value IS NULL) AS empty,"
            " count(*) FILTER (WHERE legal_exceeded) AS legal"
            f" FROM gold.hazard_index WHERE {self.within('window_start')} GROUP BY index_id ORDER BY index_id"
        )
        return [row | {"limits": used[row["index_id"]]} for row in found]


def _closest_to_limit(points: Mapping[str, Row], extremes: Mapping[str, Row]) -> list[Row]:
    """Methane points with their usable extremes, the one nearest to or farthest over its alarm limit first."""
    rows = [
        points[name] | row
        for name, row in extremes.items()
        if name in points and points[name]["quantity"] == "ch4" and row["highest"] is not None
    ]
    return sorted(rows, key=lambda row: (-row["highest"] / (row["alarm"] or np.inf), -row["highest"], row["point_id"]))


def _gas_to_draw(points: Mapping[str, Row], alarms: list[Row], ranking: list[Row]) -> tuple[list[str], list[str]]:
    """Gas points that alarmed, worst first, then those closest to their limit; and those for which there is no room.

    A report about the sensor itself, such as a broken wire, is no gas alarm: it stays under the serious levels.
    """
    serious = [row["point_id"] for row in alarms if (row["level"] or 0) >= SERIOUS]
    alarmed = [name for name in dict.fromkeys(serious) if name in points and points[name]["quantity"] in GAS]
    highest = [row["point_id"] for row in ranking if row["point_id"] not in alarmed][:HIGHEST]
    return [*alarmed[:MOST_CURVES], *highest], alarmed[MOST_CURVES:]


def _switches(points: Mapping[str, Row], extremes: Mapping[str, Row]) -> tuple[list[str], dict[tuple[str, int], int]]:
    """Switches whose state changed in the shift; and how many of each quantity stood in one state throughout."""
    changed: list[str] = []
    steady: dict[tuple[str, int], int] = {}
    for name, row in extremes.items():
        quantity = points.get(name, {}).get("quantity")
        if quantity not in SWITCHES or row["lowest"] is None:
            continue
        if row["lowest"] != row["highest"]:
            changed.append(name)
        else:
            state = (quantity, int(row["lowest"]))
            steady[state] = steady.get(state, 0) + 1
    return sorted(changed, key=lambda name: (SWITCHES.index(points[name]["quantity"]), name)), steady
