"""What a mine must have for an index to say anything of it, and the row that says what is missing.

A mine that lacks an input altogether is told of once an hour, in the index's first window of that hour: a null with its
reason. What no mine at hand can have is not even planned, which is most of the cost of a small cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.inputs import FEED_TABLES, Feeds, Frame, Sites
from minefusion.pipelines.hazard.rows import COLUMNS, REASONS, Index, unknown_words
from minefusion.pipelines.hazard.slope import AXES, LINES
from minefusion.schemas.gold import HAZARD_INDEX
from minefusion.schemas.window import Window

HOUR_MIN = 60
# What a mine has: quantities by their names, a kind of field record, a section of the site file, and these two.
RECORD, SECTION = "record:", "site:"
PEOPLE, SHOCKS = "people", "microseismic events"


@dataclass(frozen=True)
class Need:
    """What an index needs.

    Attributes:
        reason: a code of rows.REASONS: why it says nothing of a mine.
        any_of: without any of these the index has no row at all; with one it may have.
    """

    reason: str
    any_of: frozenset[str]


def _need(reason: str, *any_of: str) -> Need:
    return Need(reason, frozenset(any_of))


_GASES = ("ch4", "co", "co2", "o2", "n2", "h2", "c2h4", "c2h6", "c2h2", f"{RECORD}gas_sample")
_WEIGHED = ("vibration_velocity", "vibration_kurtosis", "bearing_temperature", "current")
_MOVES = (*AXES, *LINES)
NEEDS: dict[str, Need] = {
    "G-01": _need("NO_METHANE", "ch4"),
    "G-02": _need("NO_METHANE", "ch4"),
    "G-03": _need("NO_METHANE", "ch4", f"{RECORD}gas_sample"),
    "G-04": _need("NO_OXYGEN", "o2", f"{RECORD}gas_sample"),
    "G-05": _need("NO_OXYGEN", "o2", f"{RECORD}gas_sample"),
    "G-06": _need("NO_CARBON_DIOXIDE", "co2", f"{RECORD}gas_sample"),
    "G-07": _need("NO_AIR_PATH", f"{SECTION}air_paths"),
    "G-08": _need("NO_METHANE", "ch4", f"{SECTION}air_paths"),
    "G-09": _need("NO_DRILL_CUTTINGS", f"{RECORD}drill_cuttings", f"{SECTION}outburst_places"),
    "G-10": _need("NO_BLAST", f"{RECORD}blast"),
    "G-11": _need("NO_BAROMETER", "pressure"),
    "G-12": _need("NO_ROOF_EMISSION", f"{SECTION}roof_emissions"),
    "F-01": _need("NO_OXYGEN", *_GASES),
    "F-02": _need("NO_CARBON_MONOXIDE", *_GASES),
    "F-03": _need("NO_CARBON_DIOXIDE", *_GASES),
    "F-04": _need("NO_CARBON_MONOXIDE", *_GASES),
    "F-05": _need("NO_CARBON_MONOXIDE", *_GASES),
    "F-06": _need("NO_CARBON_MONOXIDE", *_GASES),
    "F-07": _need("NO_SEALED_AREA", *_GASES),
    "F-08": _need("NO_CARBON_MONOXIDE", *_GASES),
    "F-09": _need("NO_AIR_PATH", f"{SECTION}air_paths"),
    "F-10": _need("NO_FIRE_POINT", "co", "temperature"),
    "F-11": _need("NO_SEALED_FIRE", f"{SECTION}sealed_fires"),
    "V-01": _need("NO_AIR_PATH", f"{SECTION}air_paths"),
    "V-02": _need("NO_AIR_VELOCITY", "air_velocity"),
    "V-03": _need("NO_MAIN_FAN", f"{SECTION}main_fans"),
    "V-04": _need("NO_MAIN_FAN", f"{SECTION}main_fans"),
    "V-05": _need("NO_AIR_BALANCE", f"{SECTION}air_roads", f"{SECTION}main_fans"),
    "V-06": _need("NO_LOCAL_FAN", f"{SECTION}local_fans"),
    "V-07": _need("NO_MEASURED_NODE", "air_velocity", "air_quantity", f"{SECTION}loop_roads"),
    "V-08": _need("NO_DOOR_OR_FAN", "air_velocity", "duct_state", "aux_fan", f"{SECTION}door_pairs"),
    "T-01": _need("NO_TOXIC_GAS", "co", "no2", "so2", "h2s", "nh3", "co2", "o2"),
    "T-02": _need("NO_TOXIC_GAS", "co", "no2", "so2", "h2s", "nh3", "co2"),
    "T-03": _need("NO_TOXIC_GAS", "co", "no2", "so2", "h2s", "nh3"),
    "T-04": _need("NO_OXYGEN", "o2"),
    "H-01": _need("NO_HUMIDITY", "humidity"),
    "H-02": _need("NO_CLIMATE_POINTS", "humidity"),
    "H-03": _need("NO_RULED_TEMPERATURE", "temperature"),
    "R-01": _need("NO_SEISMIC_EVENTS", SHOCKS),
    "R-02": _need("NO_SEISMIC_EVENTS", SHOCKS),
    "R-03": _need("NO_SEISMIC_EVENTS", SHOCKS),
    "R-04": _need("NO_SEISMIC_EVENTS", SHOCKS),
    "R-05": _need("NO_SEISMIC_EVENTS", SHOCKS),
    "R-06": _need("NO_ROCK_STRESS", "borehole_stress", "rock_stress", f"{RECORD}drill_cuttings"),
    "R-07": _need("NO_SUPPORT_PRESSURE", "support_resistance"),
    "R-08": _need("NO_ROOF_POINT", "roof_separation", "roof_separation_shallow", "roadway_convergence"),
    "R-09": _need("NO_ROCK_FACTORS", f"{SECTION}rock_factors"),
    "W-01": _need("NO_AQUIFER_GRID", f"{SECTION}aquifer_cells"),
    "W-02": _need("NO_AQUIFER_GRID", f"{SECTION}aquifer_cells"),
    "W-03": _need("NO_INFLOW", "water_inflow", "water_drained", f"{SECTION}sumps"),
    "W-04": _need("NO_WELL", "water_level"),
    "W-05": _need("NO_RAIN_GAUGE", "rainfall"),
    "W-06": _need("NO_WATER_SAMPLE", f"{RECORD}water_chemistry"),
    "S-01": _need("NO_DISPLACEMENT", *_MOVES),
    "S-02": _need("NO_DISPLACEMENT", *_MOVES),
    "S-03": _need("NO_DISPLACEMENT", *_MOVES),
    "S-04": _need("NO_DISPLACEMENT", *_MOVES),
    "S-05": _need("NO_RAIN_GAUGE", "rainfall"),
    "S-06": _need("NO_PIEZOMETER", "phreatic_line"),
    "S-07": _need("NO_DAM", f"{SECTION}tailings_dams"),
    "S-08": _need("NO_DAM", f"{SECTION}tailings_dams"),
    "S-09": _need("NO_DAM", f"{SECTION}tailings_dams"),
    "S-10": _need("NO_INSAR", f"{RECORD}insar"),
    "E-01": _need("NO_VIBRATION", "vibration_velocity"),
    "E-02": _need("NO_VIBRATION", "vibration_kurtosis"),
    "E-03": _need("NO_BEARING_TEMPERATURE", "bearing_temperature", "motor_temperature"),
    "E-04": _need("NO_CURRENT", "current"),
    "E-05": _need("NO_BELT_SPEED", "belt_speed"),
    "E-06": _need("NO_MACHINE", *_WEIGHED, f"{RECORD}production"),
    "P-01": _need("NO_POSITIONING", PEOPLE),
    "P-02": _need("NO_POSITIONING", PEOPLE),
    "P-03": _need("NO_POSITIONING", PEOPLE),
    "P-04": _need("NO_POSITIONING", PEOPLE),
    "P-05": _need("NO_POSITIONING", PEOPLE),
    "P-06": _need("NO_PROCESS_UNIT", f"{SECTION}process_units"),
    "P-07": _need("NO_POSITIONING", PEOPLE),
}
_SECTIONS = tuple(
    sorted({name.removeprefix(SECTION) for need in NEEDS.values() for name in need.any_of if name.startswith(SECTION)})
)


class Given(Protocol):
    """What the inputs of both cadences have."""

    @property
    def points(self) -> nw.LazyFrame: ...
    @property
    def headcount(self) -> nw.LazyFrame: ...
    @property
    def mines(self) -> nw.LazyFrame: ...
    @property
    def feeds(self) -> Feeds: ...
    @property
    def sites(self) -> Sites: ...
    @property
    def window(self) -> Window: ...
    @property
    def frame(self) -> Frame: ...


Kind = TypeVar("Kind", bound=Given)
Computing = tuple[Index, Callable[[Kind], nw.LazyFrame]]


def things_at_hand(given: Given) -> frozenset[str]:
    """Everything named in NEEDS that at least one of the mines has, by now or before."""
    quantities: list[nw.LazyFrame] = [given.points, *(getattr(given.feeds, name) for name in FEED_TABLES)]
    five: nw.LazyFrame | None = getattr(given, "five", None)
    if five is not None:
        quantities.append(five)
    named = [
        (frame, nw.col("quantity"))
        for frame in quantities
        if frame is not given.feeds.seismic and frame is not given.feeds.records
    ]
    named += [
        (given.feeds.records, nw.concat_str(nw.lit(RECORD), nw.col("kind"))),
        (given.feeds.seismic, nw.lit(SHOCKS)),
        (given.headcount, nw.lit(PEOPLE)),
        (given.mines.filter(nw.col("has_stations").fill_null(True)), nw.lit(PEOPLE)),
    ]
    parts = [frame.with_columns(name.alias("_name")).select("_name").unique() for frame, name in named]
    found = set(nw.concat(parts, how="vertical").unique().collect()["_name"].to_list())
    sections = {
        f"{SECTION}{name}" for name in _SECTIONS for site in given.sites.values() if site and getattr(site, name)
    }
    return frozenset(found | sections)


def speaking(given: Kind, catalogue: Sequence[Computing[Kind]]) -> list[Computing[Kind]]:
    """The indices that may say something of at least one of the mines."""
    at_hand = things_at_hand(given)
    return [each for each in catalogue if not NEEDS[each[0].id].any_of.isdisjoint(at_hand)]


def no_rows(given: Given) -> nw.LazyFrame:
    """What indices give that are all silent."""
    return given.frame([], HAZARD_INDEX.arrow_schema()).select(*COLUMNS)


def with_lacking(given: Given, indices: Sequence[Index], rows: nw.LazyFrame) -> nw.LazyFrame:
    """The rows of gold.hazard_index, and one more for each index, mine and hour in whose first window it has none.

    Args:
        rows: of these indices, computed and kept: they are read twice.
    """
    mines = given.mines.select("mine_code", nw.col("name_zh").alias("place_zh"), nw.col("mine_code").alias("place_en"))
    blank = mines.join(given.frame(_of_every_mine(given, indices), _BLANK), how="cross")
    told = [
        nw.concat_str(nw.col(f"place_{language}"), nw.lit(colon), nw.col(f"_{language}")).alias(f"sentence_{language}")
        for language, colon in (("zh", "："), ("en", ": "))
    ]
    mine = nw.col("mine_code")
    blank = blank.with_columns(*told, mine.alias("area_id"), mine.alias("entity"))
    key = ["mine_code", "index_id", "window_start"]
    blank = blank.join(rows.select(*key).unique(), on=key, how="anti")
    return nw.concat([rows.select(*COLUMNS), blank.select(*COLUMNS)], how="vertical")


_BLANK = pa.schema(
    [each for each in HAZARD_INDEX.arrow_schema() if each.name in COLUMNS and each.name not in
     ("mine_code", "area_id", "entity", "sentence_zh", "sentence_en")]
    + [("_zh", pa.string()), ("_en", pa.string())]
)  # fmt: skip


def _of_every_mine(given: Given, indices: Sequence[Index]) -> list[dict[str, Any]]:
    """What the row of each index and hour says, whatever the mine."""
    minute, window = timedelta(minutes=1), given.window
    first = window.start + (-int(window.start.timestamp()) // 60 % HOUR_MIN) * minute
    heads = [first + n * HOUR_MIN * minute for n in range(-((first - window.end) // (HOUR_MIN * minute)))]
    rows = []
    for index in indices:
        reason = NEEDS[index.id].reason
        why_zh, why_en = REASONS[reason]
        rows += [
            {
                "index_id": index.id,
                "point_id": None,
                "window_start": head,
                "window_end": head + index.minutes * minute,
                "value": None,
                "unit": index.unit,
                "level": None,
                "legal_exceeded": False,
                "coverage": 0.0,
                "null_reason": reason,
                "inputs": "{}",
                "limit_source": index.source,
                "limit_confidence": index.confidence,
                "_zh": f"{unknown_words(index, 'zh')}{why_zh}。",
                "_en": f"{unknown_words(index, 'en')}{why_en}.",
            }
            for head in heads
        ]
    return rows
