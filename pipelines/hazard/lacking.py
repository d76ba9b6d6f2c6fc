"""What a mine must have for an index to say anything of it, and the row that says what is missing.

A mine that lacks an input altogether is told of once an hour, in the index's first window of that hour: a null with its
reason. What no mine at hand can have is not even planned, which is most of the cost of a small cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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
    """Something that an index needs of a mine.

    Attributes:
        reason: a code of rows.REASONS: why it says nothing of a mine without it.
        any_of: one of these is enough.
    """

    reason: str
    any_of: frozenset[str]


def _need(reason: str, *any_of: str) -> tuple[Need, ...]:
    return (Need(reason, frozenset(any_of)),)


_GASES = ("ch4", "co", "co2", "o2", "n2", "h2", "c2h4", "c2h6", "c2h2", f"{RECORD}gas_sample")
_WEIGHED = ("vibration_velocity", "vibration_kurtosis", "bearing_temperature", "current")
_MOVES = (*AXES, *LINES)
_FLOWS = ("air_velocity", "air_quantity")
_PRESSURES = ("air_pressure", "negative_pressure")
_AIR_PATH = _need("NO_AIR_PATH", f"{SECTION}air_paths")
_FAN = _need("NO_MAIN_FAN", f"{SECTION}main_fans")
# What an index needs, all of it; of a mine that lacks several, the first is told.
NEEDS: dict[str, tuple[Need, ...]] = {
    "G-01": _need("NO_METHANE", "ch4"),
    "G-02": _need("NO_METHANE", "ch4"),
    "G-03": _need("NO_METHANE", "ch4", f"{RECORD}gas_sample"),
    "G-04": _need("NO_OXYGEN", "o2", f"{RECORD}gas_sample"),
    "G-05": _need("NO_OXYGEN", "o2", f"{RECORD}gas_sample"),
    "G-06": _need("NO_CARBON_DIOXIDE", "co2", f"{RECORD}gas_sample"),
    "G-07": (*_AIR_PATH, *_need("NO_METHANE", "ch4")),
    "G-08": _need("NO_METHANE", "ch4"),
    "G-09": _need("NO_DRILL_CUTTINGS", f"{RECORD}drill_cuttings", f"{SECTION}outburst_places"),
    "G-10": _need("NO_BLAST", f"{RECORD}blast"),
    "G-11": _need("NO_BAROMETER", "pressure"),
    "G-12": (*_need("NO_ROOF_EMISSION", f"{SECTION}roof_emissions"), *_need("NO_AIR_QUANTITY", *_FLOWS)),
    "F-01": _need("NO_OXYGEN", *_GASES),
    "F-02": _need("NO_CARBON_MONOXIDE", *_GASES),
    "F-03": _need("NO_CARBON_DIOXIDE", *_GASES),
    "F-04": _need("NO_CARBON_MONOXIDE", *_GASES),
    "F-05": _need("NO_CARBON_MONOXIDE", *_GASES),
    "F-06": _need("NO_CARBON_MONOXIDE", *_GASES),
    "F-07": _need("NO_SEALED_AREA", *_GASES),
    "F-08": _need("NO_CARBON_MONOXIDE", *_GASES),
    "F-09": (*_AIR_PATH, *_need("NO_CARBON_MONOXIDE", "co")),
    "F-10": _need("NO_FIRE_POINT", "co", "temperature"),
    "F-11": _need("NO_SEALED_FIRE", f"{SECTION}sealed_fires"),
    "V-01": (*_AIR_PATH, *_need("NO_AIR_QUANTITY", *_FLOWS)),
    "V-02": _need("NO_AIR_VELOCITY", "air_velocity"),
    "V-03": (*_FAN, *_need("NO_FAN_PRESSURE", *_PRESSURES)),
    "V-04": (*_FAN, *_need("NO_FAN_PRESSURE", *_PRESSURES, *_FLOWS, "main_fan")),
    "V-05": (
        *_need("NO_AIR_BALANCE", f"{SECTION}air_roads", f"{SECTION}main_fans"),
        *_need("NO_AIR_QUANTITY", *_FLOWS),
    ),
    "V-06": (*_need("NO_LOCAL_FAN", f"{SECTION}local_fans"), *_need("NO_AIR_QUANTITY", "ch4", *_FLOWS)),
    "V-07": _need("NO_MEASURED_NODE", *_FLOWS),
    "V-08": _need("NO_DOOR_OR_FAN", "air_door", "air_velocity", "duct_state", "aux_fan"),
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
    "W-03": _need("NO_INFLOW", "water_inflow", "water_drained", "water_level", "liquid_level"),
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
    name.removeprefix(SECTION)
    for name in sorted(set().union(*(need.any_of for needs in NEEDS.values() for need in needs)))
    if name.startswith(SECTION)
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
    def air_paths(self) -> nw.LazyFrame: ...
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


def things_at_hand(given: Given) -> dict[str, frozenset[str]]:
    """Mine → everything named in NEEDS that it has, by now or before."""
    feeds = {name: getattr(given.feeds, name) for name in FEED_TABLES}
    records, shocks = feeds.pop("records"), feeds.pop("seismic")
    quantities: list[nw.LazyFrame] = [given.points, *feeds.values()]
    five: nw.LazyFrame | None = getattr(given, "five", None)
    if five is not None:
        quantities.append(five)
    stations = given.mines.filter(nw.col("has_stations").fill_null(True))
    named = [
        *((frame, nw.col("quantity")) for frame in quantities),
        (records, nw.concat_str(nw.lit(RECORD), nw.col("kind"))),
        (shocks, nw.lit(SHOCKS)),
        (given.headcount, nw.lit(PEOPLE)),
        (stations, nw.lit(PEOPLE)),
        (given.air_paths, nw.lit(f"{SECTION}air_paths")),
    ]
    parts = [frame.with_columns(name.alias("_name")).select("mine_code", "_name").unique() for frame, name in named]
    listed = nw.concat([given.mines.with_columns(nw.lit("").alias("_name")).select("mine_code", "_name"), *parts],
                       how="vertical")  # fmt: skip
    found: dict[str, set[str]] = {}
    for mine, name in listed.unique().collect().iter_rows():
        found.setdefault(mine, set()).add(name)
    for mine, names in found.items():
        site = given.sites.get(mine)
        names |= {f"{SECTION}{name}" for name in _SECTIONS if site and getattr(site, name)}
    return {mine: frozenset(names) for mine, names in found.items()}


@dataclass(frozen=True)
class Speaking:
    """Which index can say something of which mine.

    Attributes:
        called: the indices that can, of one mine at least.
        reasons: (mine, index id) → the first of its needs that the mine lacks; null where it lacks none.
    """

    called: list[Computing[Any]]
    reasons: dict[tuple[str, str], str | None]


def speaking(given: Given, catalogue: Sequence[Computing[Any]]) -> Speaking:
    """Who of these indices can say something of whom."""
    reasons = {
        (mine, declared.id): next((need.reason for need in NEEDS[declared.id] if need.any_of.isdisjoint(names)), None)
        for mine, names in things_at_hand(given).items()
        for declared, _ in catalogue
    }
    able = {index_id for (_, index_id), reason in reasons.items() if reason is None}
    return Speaking([each for each in catalogue if each[0].id in able], reasons)


def no_rows(given: Given) -> nw.LazyFrame:
    """What indices give that are all silent."""
    return given.frame([], HAZARD_INDEX.arrow_schema()).select(*COLUMNS)


def with_lacking(
    given: Given, indices: Sequence[Index], reasons: Mapping[tuple[str, str], str | None], rows: nw.LazyFrame
) -> nw.LazyFrame:
    """The rows of gold.hazard_index, and one more for each index, mine and hour in whose first window it has none.

    Args:
        reasons: as in `Speaking`. What an index says of a mine that lacks one of its needs is left out.
        rows: of these indices, computed and kept: they are read twice.
    """
    pair = ["mine_code", "index_id"]
    of_these = {index.id for index in indices}
    lacking = {both: reason for both, reason in reasons.items() if reason and both[1] in of_these}
    rows = rows.join(given.frame([dict(zip(pair, both, strict=True)) for both in lacking], _PAIR), on=pair, how="anti")
    rows = rows.select(*COLUMNS)
    told = [
        {"mine_code": mine, "index_id": index_id, "null_reason": reason or NEEDS[index_id][0].reason}
        for (mine, index_id), reason in reasons.items()
        if index_id in of_these
    ]
    said = given.frame(_of_every_mine(given, indices, {each["null_reason"] for each in told}), _BLANK)
    blank = given.frame(told, _PAIR.append(pa.field("null_reason", pa.string())))
    blank = blank.join(said, on=["index_id", "null_reason"], how="inner")
    names = given.mines.select("mine_code", nw.col("name_zh").alias("_place"))
    mine = nw.col("mine_code")
    blank = blank.join(names, on="mine_code", how="left").with_columns(
        nw.concat_str(nw.coalesce("_place", "mine_code"), nw.lit("："), nw.col("_zh")).alias("sentence_zh"),
        nw.concat_str(mine, nw.lit(": "), nw.col("_en")).alias("sentence_en"),
        mine.alias("area_id"),
        mine.alias("entity"),
    )
    key = [*pair, "window_start"]
    blank = blank.join(rows.select(*key).unique(), on=key, how="anti")
    return nw.concat([rows, blank.select(*COLUMNS)], how="vertical")


_PAIR = pa.schema([("mine_code", pa.string()), ("index_id", pa.string())])
_BLANK = pa.schema(
    [each for each in HAZARD_INDEX.arrow_schema() if each.name in COLUMNS and each.name not in
     ("mine_code", "area_id", "entity", "sentence_zh", "sentence_en")]
    + [("_zh", pa.string()), ("_en", pa.string())]
)  # fmt: skip


def _of_every_mine(given: Given, indices: Sequence[Index], reasons: Collection[str]) -> list[dict[str, Any]]:
    """What the row of each index, reason and hour says, whatever the mine."""
    minute, window = timedelta(minutes=1), given.window
    first = window.start + (-int(window.start.timestamp()) // 60 % HOUR_MIN) * minute
    heads = [first + n * HOUR_MIN * minute for n in range(-((first - window.end) // (HOUR_MIN * minute)))]
    return [
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
            "_zh": f"{unknown_words(index, 'zh')}{REASONS[reason][0]}。",
            "_en": f"{unknown_words(index, 'en')}{REASONS[reason][1]}.",
        }
        for index in indices
        for reason in sorted({need.reason for need in NEEDS[index.id]} & set(reasons))
        for head in heads
    ]
