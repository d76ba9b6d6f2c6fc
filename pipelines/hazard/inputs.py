"""What every hazard index reads, and the frame it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.air_paths import edge_minutes, path_minutes
from minefusion.pipelines.hazard.crowd import crowd
from minefusion.pipelines.hazard.gas_analyses import analyses
from minefusion.pipelines.hazard.minutes import by_minute
from minefusion.schemas import silver
from minefusion.schemas.site import Site
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

Grouped = Callable[[nw.LazyFrame, Sequence[str], Callable[[pa.Table], pa.Table], pa.Schema], nw.LazyFrame]
Frame = Callable[[Sequence[dict[str, Any]], pa.Schema], nw.LazyFrame]
Sites = Mapping[str, Site | None]

# Columns of silver.point that each reading carries.
POINT_COLUMNS = (
    "alarm", "cut", "restore", "low_alarm", "gas_class", "air_class", "section_m2", "range_high", "edge_id",
    "limit_source", "limit_confidence", "limit_rule", "value_kind", "location", "period_s",
)  # fmt: skip
_TEXT, _NUMBER = pa.string(), pa.float64()
AIR_PATH = pa.schema(
    {"mine_code": _TEXT, "area_id": _TEXT, "intake_edge": _TEXT, "return_edge": _TEXT}
    | dict.fromkeys(("drained_ch4_m3_min", "output_t_per_day", "air_factor"), _NUMBER)
)
DOOR_PAIR = pa.schema(dict.fromkeys(("mine_code", "pair_id", "area_id", "point_a", "point_b"), _TEXT))
MINE = pa.schema(
    {"mine_code": _TEXT, "name_zh": _TEXT, "severe_hazard": pa.bool_(), "underground_cap": pa.int32()}
    | {"has_stations": pa.bool_()}
    | {"approved_hours": _NUMBER, "shift_hours": _NUMBER, "utc_offset_h": _NUMBER}
)


# Frame of `Feeds` → its table.
FEED_TABLES: dict[str, Table] = {
    "water": silver.WATER_READING,
    "tailings": silver.TAILINGS_READING,
    "slope": silver.SLOPE_READING,
    "pressure": silver.SUPPORT_PRESSURE,
    "equipment": silver.EQUIPMENT_STATE,
    "seismic": silver.SEISMIC_EVENT,
    "records": silver.FIELD_RECORD,
}


@dataclass(frozen=True)
class Feeds:
    """The feeds that are no safety monitoring: silver's rows of one span, each with `observed_us` and `usable`.

    `usable` (bool): it passed the sample gate. In `records`, which people enter, `observed_us` is of `measured_at`.

    Attributes:
        water: silver.water_reading.
        tailings: silver.tailings_reading.
        slope: silver.slope_reading.
        pressure: silver.support_pressure.
        equipment: silver.equipment_state.
        seismic: silver.seismic_event.
        records: silver.field_record.
    """

    water: nw.LazyFrame
    tailings: nw.LazyFrame
    slope: nw.LazyFrame
    pressure: nw.LazyFrame
    equipment: nw.LazyFrame
    seismic: nw.LazyFrame
    records: nw.LazyFrame


@dataclass(frozen=True)
class Inputs:
    """Frames of one hazard run, all on one engine.

    Attributes:
        readings: silver.reading from `lookback` before the window to its end, with the columns of silver.point that
            the indices need (alarm, cut, restore, low_alarm, gas_class, air_class, section_m2, range_high, edge_id,
            limit_source, limit_confidence, limit_rule, value_kind, location, period_s), and:
            `observed_us` (int64, microseconds since the epoch) and
            `usable` (bool): passed the sample gate, or SATURATED (then `value` is at least the range's end).
        points: silver.point.
        positions: silver.position of the same span, with `observed_us` and `entered_mine_us`.
        headcount: silver.headcount of the same span, with `observed_us`.
        areas: silver.area.
        edges: reference.roadway_edge (area, air_class, section_m2, length_m of each roadway).
        air_paths: mine_code, area_id, intake_edge, return_edge, drained_ch4_m3_min, output_t_per_day, air_factor.
        door_pairs: mine_code, pair_id, area_id, point_a, point_b.
        mines: mine_code, name_zh, severe_hazard (bool), underground_cap (int), approved_hours (double; the mine's own),
            shift_hours (double; of its longest shift), utc_offset_h, has_stations (bool; of the positioning system;
            null: not known).
        feeds: the other feeds of the same span.
        sites: mine → its site file, null where there is none.
        window: rows are wanted for windows that start in it; minute-aligned.
        grouped: `grouped(frame, keys, function, schema)` runs an Arrow-in, Arrow-out function per group.
        frame: `frame(rows, schema)` makes a small frame on the same engine.
        cached: `cached(frame)` gives the same rows, computed once.
    """

    readings: nw.LazyFrame
    points: nw.LazyFrame
    positions: nw.LazyFrame
    headcount: nw.LazyFrame
    areas: nw.LazyFrame
    edges: nw.LazyFrame
    air_paths: nw.LazyFrame
    door_pairs: nw.LazyFrame
    mines: nw.LazyFrame
    feeds: Feeds
    sites: Sites
    window: Window
    grouped: Grouped
    frame: Frame
    cached: Callable[[nw.LazyFrame], nw.LazyFrame]

    @cached_property
    def minutes(self) -> nw.LazyFrame:
        """The analog readings by point and minute (`minutes.by_minute`), which most indices read."""
        return self.cached(by_minute(self))

    @cached_property
    def edge_air(self) -> nw.LazyFrame:
        """Air and gas by roadway and minute (`air_paths.edge_minutes`)."""
        return self.cached(edge_minutes(self))

    @cached_property
    def paths(self) -> nw.LazyFrame:
        """Air and gas of the air paths by minute of the window (`air_paths.path_minutes`)."""
        return self.cached(path_minutes(self))

    @cached_property
    def analyses(self) -> nw.LazyFrame:
        """The gases of each area together, and the gas samples, by minute of the window (`gas_analyses.analyses`)."""
        return self.cached(analyses(self))

    @cached_property
    def crowd(self) -> nw.LazyFrame:
        """People who gather, stand still, are alone or lost, by area and snapshot (`crowd.crowd`)."""
        return self.cached(crowd(self))
