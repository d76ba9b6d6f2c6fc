"""Evacuation progress (P-07): how many of those in bad air are out of it, how far the rest has to walk, who walks in.

An area is to be left while its air is such that roadways are avoided on the way out (schemas/escape_limits.csv), or
while a detector there tells of smoke. Cards are only counted here; none leaves this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from minefusion.pipelines.hazard.hours import UNPLACED, Floats
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.minutes import first_minute, minute_grid, minute_no
from minefusion.pipelines.hazard.rows import Index, index_rows, number
from minefusion.pipelines.hazard.snapshots import located
from minefusion.pipelines.routes.conditions import conditions_of
from minefusion.pipelines.routes.escape import OPEN, Conditions, People, escape_ways
from minefusion.pipelines.routes.facts import BAD_AIR, LEFT, PERSON, SMOKE, people_facts, road_fact, road_facts
from minefusion.pipelines.routes.roadways import Goal, Roadways, Tree, roadways_of, tree_of
from minefusion.schemas.site import Site
from minefusion.schemas.site_escape import SELF_RESCUER_MIN

# Those count who were there when it began, or so long ago where it began earlier.
SINCE_MIN = 30
# What a fact says of a minute in which a place was measured.
MEASURED = "measured"
# Nearer by so much, on foot, than so many minutes before is towards it: farther than a fix errs.
TOWARDS_M, TOWARDS_MIN = 50.0, 2
P_07 = Index(
    id="P-07",
    name_zh="撤离进度",
    name_en="evacuation progress",
    unit="ratio",
    minutes=1,
    source="Own definition and start values; walking 1.0 m/s on the level, half of it in smoke",
    confidence="advisory",
    doc=(
        "Of the people who were in an area when its air went bad (or half an hour ago, where that is later), the share "
        "that is out of it; 1 where nobody has to leave. For the mine as a whole every minute, for an area while it is "
        "to be left and for half an hour after. Yellow while anybody is inside, worse the longer it takes, when "
        "somebody needs most of what a self-rescuer lasts, when somebody has no way out, and when people walk towards "
        "the area."
    ),
    formula=r"P(t) = 1 - \frac{N(t)}{N(0)}, \quad t_w = \max_i \sum_e \frac{L_e}{v_0\, e^{-3.5|s_e|}}",
    reads=("methane, CO, CO2, O2, toxic gas [%, ppm]", "temperature [℃]", "smoke [-]", "positions", "roadways [m]"),
    scenario="gas_event",
    edges=(
        "No fresh snapshot of the positioning system: null, never 1.",
        "Nobody inside when it began: 1.",
        "Everybody may be back when what was bad is measured again and good: a sensor that fell silent proves nothing.",
        "A roadway that was reported closed more than two hours ago is known to gold.escape_route, not here.",
    ),
)
_SCHEMA = pa.schema(
    {"mine_code": pa.string(), "area_id": pa.string(), "minute_no": pa.int64()}
    | dict.fromkeys(("at_first", "inside", "without_way", "towards"), pa.int32())
    | dict.fromkeys(("minutes_since", "walk_min", "worn_min", "rescuer_min"), pa.float64())
)


def p07(inputs: Inputs) -> nw.LazyFrame:
    """Evacuation progress by minute: of the mine, and of each area that is to be left."""
    before = SINCE_MIN + TOWARDS_MIN
    roads = inputs.cached(road_facts(inputs, None, inputs.feeds.records, before=before))
    facts = nw.concat(
        [roads, people_facts(inputs, before=before), _measured(inputs, roads, before=before)], how="vertical"
    )
    function = partial(progress_of_mine, sites=dict(inputs.sites), first=first_minute(inputs.window))
    found = inputs.grouped(facts, ["mine_code"], function, _SCHEMA)
    rows = located(inputs, _places(inputs, inputs.cached(found)), ~nw.col("at_first").is_null())
    at_first, inside = nw.col("at_first"), nw.col("inside")
    out = nw.when(at_first > 0).then(1.0 - inside / at_first).otherwise(nw.lit(1.0))
    rows = rows.with_columns(nw.when(~at_first.is_null()).then(out).alias("_value"))
    late = nw.when(nw.col("minutes_since") >= LATE_MIN).then(nw.col("_value"))
    share = nw.col("worn_min") / nw.col("rescuer_min")
    rows = judged(
        inputs,
        rows,
        P_07.id,
        ("", nw.col("_value")),
        ("late", late),
        ("worn_share", nw.when(inside > 0).then(share)),
        ("without_way", nw.col("without_way").cast(nw.Float64)),
        ("towards", nw.col("towards").cast(nw.Float64)),
    )
    value, towards, cut_off = nw.col("_value"), nw.col("towards"), nw.col("without_way")
    return index_rows(
        rows,
        P_07,
        value=value,
        level=nw.col("level"),
        reason=nw.lit("NO_SNAPSHOT"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "at_first": number(at_first, 0),
            "inside": number(inside, 0),
            "minutes": number(nw.col("minutes_since"), 0),
            "walk_min": number(nw.col("walk_min"), 1),
            "worn_min": number(nw.col("worn_min"), 1),
            "without_way": number(cut_off, 0),
            "towards": number(towards, 0),
        },
        finding_zh=nw.when(at_first + inside + towards == 0)
        .then(nw.lit("无须撤离的人员"))
        .otherwise(
            nw.concat_str(
                nw.lit("应撤 "), number(at_first, 0), nw.lit(" 人，尚有 "), number(inside, 0), nw.lit(" 人"),
                _if(inside > 0, "，最慢者还需 ", number(nw.col("walk_min"), 1), " 分钟"),
                _if(cut_off > 0, "，无路线 ", number(cut_off, 0), " 人"),
                _if(towards > 0, "，走向险区 ", number(towards, 0), " 人"),
            )
        ),
        finding_en=nw.when(at_first + inside + towards == 0)
        .then(nw.lit("nobody has to leave"))
        .otherwise(
            nw.concat_str(
                number(inside, 0), nw.lit(" of "), number(at_first, 0), nw.lit(" people still inside"),
                _if(inside > 0, ", the slowest needs ", number(nw.col("walk_min"), 1), " min more"),
                _if(cut_off > 0, ", without a way: ", number(cut_off, 0), ""),
                _if(towards > 0, ", walking towards it: ", number(towards, 0), ""),
            )
        ),
    )  # fmt: skip


# From so many minutes on an evacuation that is not over is late.
LATE_MIN = 10


def _if(holds: nw.Expr, before: str, text: nw.Expr, after: str) -> nw.Expr:
    told = nw.concat_str(nw.lit(before), text, nw.lit(after))
    return nw.when(holds.fill_null(False)).then(told).otherwise(nw.lit("")).fill_null("")


def _places(inputs: Inputs, found: nw.LazyFrame) -> nw.LazyFrame:
    """The rows of areas as they were found, and of the mine for every minute; with the words for each place."""
    areas = inputs.areas.select(
        "mine_code", "area_id", nw.col("name_zh").alias("place_zh"), nw.col("name_en").alias("place_en")
    )
    grid = minute_grid(inputs)
    of_areas = found.filter(nw.col("area_id") != nw.col("mine_code")).join(
        areas, on=["mine_code", "area_id"], how="left"
    )
    of_areas = of_areas.join(grid, on="minute_no", how="inner")
    mines = inputs.mines.select(
        "mine_code",
        nw.col("mine_code").alias("area_id"),
        nw.concat_str(nw.col("name_zh"), nw.lit("全矿")).alias("place_zh"),
        nw.concat_str(nw.lit("Mine "), nw.col("mine_code"), nw.lit(" as a whole")).alias("place_en"),
    ).join(grid, how="cross")
    whole = found.filter(nw.col("area_id") == nw.col("mine_code")).drop("area_id")
    whole = mines.join(whole, on=["mine_code", "minute_no"], how="left")
    rows = nw.concat([of_areas.select(*_COLUMNS), whole.select(*_COLUMNS)], how="vertical")
    return rows.with_columns(
        nw.col("area_id").alias("entity"),
        nw.lit(None, dtype=nw.String).alias("point_id"),
        nw.coalesce("place_zh", "area_id").alias("place_zh"),
        nw.coalesce("place_en", "area_id").alias("place_en"),
    )


_COLUMNS = (*_SCHEMA.names, "window_start", "place_zh", "place_en")


def _measured(inputs: Inputs, roads: nw.LazyFrame, *, before: int) -> nw.LazyFrame:
    """A fact for each minute in which what was bad somewhere was measured there."""
    was_bad = roads.filter(nw.col("fact").is_in([BAD_AIR, SMOKE])).select("mine_code", "area_id", "quantity").unique()
    places = inputs.points.select("mine_code", "point_id", "edge_id", "area_id")
    samples = inputs.readings.filter(nw.col("usable"), ~nw.col("value").is_null()).select(
        "mine_code", "point_id", "quantity", minute_no(nw.col("observed_us")).alias("minute_no")
    )
    samples = samples.filter(nw.col("minute_no") >= first_minute(inputs.window) - before).unique()
    rows = samples.join(places, on=["mine_code", "point_id"], how="inner")
    rows = rows.join(was_bad, on=["mine_code", "area_id", "quantity"], how="semi")
    return road_fact(rows.with_columns(nw.lit(None, dtype=nw.Float64).alias("value")), MEASURED, nw.lit(OPEN))


# ── one mine ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Snapshot:
    """Where everybody is in one minute: cards in order, and for each the area, the roadway (-1: on none) and how far
    along it [m]; then the two nodes that the piece of roadway ends at, with the way to each [m]."""

    cards: list[str]
    areas: NDArray[np.object_]
    edges: NDArray[np.int64]
    chainages_m: Floats
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    to_first_m: Floats
    to_second_m: Floats

    @cached_property
    def place_of(self) -> dict[str, int]:
        return {card: place for place, card in enumerate(self.cards)}

    def in_area(self, area: str) -> set[str]:
        return {self.cards[place] for place in np.flatnonzero(self.areas == area)}


def snapshots_of(people: pl.DataFrame, roads: Roadways | None) -> dict[int, Snapshot]:
    """Minute → who is where, from the facts about people; of two fixes of a card in one minute the last counts."""
    if people.is_empty():
        return {}
    edge_number = roads.edge_number if roads else {}
    below = ~(pl.col("quantity") == LEFT).fill_null(False) & pl.col("card_code").is_not_null()
    on = pl.col("edge_id").replace_strict(edge_number, default=-1, return_dtype=pl.Int64).fill_null(-1)
    rows = people.filter(below).unique(["minute_no", "card_code"], keep="last", maintain_order=True)
    rows = rows.with_columns(edge=on)
    edges, chainages_m = rows["edge"].to_numpy(), rows["chainage_m"].cast(pl.Float64).to_numpy()
    known = (edges >= 0) & np.isfinite(chainages_m)
    first, second = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    to_first_m, to_second_m = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    if roads is not None and known.any():
        pieces = roads.pieces_at(edges[known], chainages_m[known])
        first[known], second[known] = roads.first[pieces], roads.second[pieces]
        to_first_m[known] = chainages_m[known] - roads.from_m[pieces]
        to_second_m[known] = roads.to_m[pieces] - chainages_m[known]
    columns = (edges, chainages_m, first, second, to_first_m, to_second_m)
    areas, cards, minutes = rows["area_id"].to_numpy(), rows["card_code"].to_list(), rows["minute_no"].to_numpy()
    found = {}
    for minute in people["minute_no"].unique().to_list():
        begin, end = np.searchsorted(minutes, [minute, minute + 1])
        part = slice(int(begin), int(end))
        parts: list[Any] = [each[part] for each in columns]
        found[minute] = Snapshot(cards[part], areas[part], *parts)
    return found


def progress_of_mine(facts: pa.Table, sites: Mapping[str, Site | None], first: int) -> pa.Table:
    """Rows of one mine from its facts, in any order; for minutes from `first` on whose snapshot holds."""
    mine_code = facts["mine_code"][0].as_py()
    site = sites.get(mine_code)
    roads = roadways_of(site) if site and site.edges else None
    rescuer_min = (site.self_rescuer_min if site else None) or SELF_RESCUER_MIN
    no_mans = [*(area.area_id for area in site.areas if area.kind == "goaf"), UNPLACED] if site else [UNPLACED]
    table = pl.DataFrame(pl.from_arrow(facts)).sort("minute_no", "fact", "card_code", "edge_id", "area_id", "quantity")
    people = snapshots_of(table.filter(pl.col("fact") == PERSON), roads)
    air = table.filter(~pl.col("fact").is_in([PERSON, MEASURED]))
    unfit = air.filter(pl.col("fact").is_in([BAD_AIR, SMOKE]), ~pl.col("area_id").is_in(no_mans))
    unfit = unfit.select("area_id", "minute_no").drop_nulls().unique().sort("area_id", "minute_no")
    bad = {area: minutes["minute_no"].to_list() for (area,), minutes in unfit.group_by("area_id", maintain_order=True)}
    zones_of: dict[int, list[str]] = {}
    for area, minutes in bad.items():
        for minute in minutes:
            zones_of.setdefault(minute, []).append(area)
    good_again = _good_again(air, table.filter(pl.col("fact") == MEASURED))
    # The air matters only where somebody has to leave.
    told = air.filter(pl.col("minute_no").is_in(list(zones_of))).partition_by("minute_no", as_dict=True)
    to_area = cache(partial(_to_area, roads)) if roads is not None else None
    rows: list[dict[str, Any]] = []
    for minute in sorted(each for each in people if each >= first):
        zones = zones_of.get(minute, [])
        conditions = conditions_of(roads, told[minute,].iter_rows(named=True))[0] if zones and roads else None
        of_zones = []
        for area in zones:
            begun = min(each for each in bad[area] if minute - SINCE_MIN <= each <= minute)
            row = _of_zone(area, minute, begun, people, roads, conditions, rescuer_min)
            tree = to_area(area) if to_area else None
            row["towards"] = _towards(area, people[minute], people.get(minute - TOWARDS_MIN), tree)
            of_zones.append({"mine_code": mine_code, **row})
        after = [_nobody(area, minute, rescuer_min) for area in good_again.get(minute, ()) if area in bad]
        of_after = [{"mine_code": mine_code, **row} for row in after]
        rows += [*of_zones, *of_after, _of_all(mine_code, minute, of_zones, rescuer_min)]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _good_again(air: pl.DataFrame, measured: pl.DataFrame) -> dict[int, list[str]]:
    """Minute → areas that were to be left within SINCE_MIN before it and are not any more: all that was bad there has
    been measured since."""
    where = ["area_id", "edge_id", "quantity"]
    unfit = air.filter(pl.col("fact").is_in([BAD_AIR, SMOKE])).select("minute_no", *where)
    seen = dict[tuple[Any, ...], list[int]]()
    for *place, minute in measured.select(*where, "minute_no").iter_rows():
        seen.setdefault(tuple(place), []).append(minute)
    bad: dict[str, dict[tuple[Any, ...], list[int]]] = {}
    for *place, minute in unfit.select(*where, "minute_no").iter_rows():
        bad.setdefault(place[0], {}).setdefault(tuple(place), []).append(minute)
    found: dict[int, list[str]] = {}
    for area, places in bad.items():
        minutes = {minute for times in places.values() for minute in times}
        for minute in sorted({each + n for each in minutes for n in range(1, SINCE_MIN + 1)} - minutes):
            recent = {
                place: [each for each in times if minute - SINCE_MIN <= each < minute]
                for place, times in places.items()
            }
            if all(
                any(max(times) < each <= minute for each in seen.get(place, ()))
                for place, times in recent.items()
                if times
            ):
                found.setdefault(minute, []).append(area)
    return found


def _nobody(area: str, minute: int, rescuer_min: float) -> dict[str, Any]:
    """An area that nobody has to leave any more."""
    counts = dict.fromkeys(("at_first", "inside", "without_way", "towards"), 0)
    times = {"minutes_since": 0.0, "walk_min": None, "worn_min": None, "rescuer_min": rescuer_min}
    return {"area_id": area, "minute_no": minute, **counts, **times}


def _of_zone(
    area: str,
    minute: int,
    begun: int,
    people: Mapping[int, Snapshot],
    roads: Roadways | None,
    conditions: Conditions | None,
    rescuer_min: float,
) -> dict[str, Any]:
    """One area that is to be left, in one minute; since `begun` it is."""
    then = next((people[each] for each in range(begun, minute + 1) if each in people), None)
    here = people[minute]
    inside = here.in_area(area)
    walk_min, worn_min, without_way = None, None, 0
    if roads is not None and conditions is not None and inside:
        places = [place for card in sorted(inside) if here.edges[place := here.place_of[card]] >= 0]
        crowd = People(here.edges[places], np.nan_to_num(here.chainages_m[places]))
        ways = escape_ways(roads, conditions, crowd, rescuer_min)
        without_way = sum(way.kind == "none" for way in ways)
        walk_min = max((round(way.walk_s / 60, 4) for way in ways if way.walk_s is not None), default=None)
        worn_min = max((round(way.worn_s / 60, 4) for way in ways if way.worn_s is not None), default=None)
    return {
        "area_id": area,
        "minute_no": minute,
        "at_first": len((then.in_area(area) if then else set()) | inside),
        "inside": len(inside),
        "without_way": without_way,
        "minutes_since": float(minute - begun),
        "walk_min": walk_min,
        "worn_min": worn_min,
        "rescuer_min": rescuer_min,
    }


def _towards(area: str, now: Snapshot, before: Snapshot | None, tree: Tree | None) -> int:
    """People who came into the area, or nearer to it, within TOWARDS_MIN."""
    if before is None:
        return 0
    both = [(place, was) for card, place in now.place_of.items() if (was := before.place_of.get(card)) is not None]
    if not both:
        return 0
    places, were = np.array(both, dtype=np.int64).T
    outside = before.areas[were] != area
    came = outside & (now.areas[places] == area)
    if tree is None:
        return int(came.sum())
    # A way that is not known is no nearer and no farther.
    with np.errstate(invalid="ignore"):
        nearer = _distance_m(tree, before)[were] - _distance_m(tree, now)[places] >= TOWARDS_M
    return int((came | (outside & nearer)).sum())


def _to_area(roads: Roadways, area: str) -> Tree | None:
    """The shortest ways to the ends of an area's roadways, in metres instead of time."""
    edges = roads.edges_of.get(area, [])
    nodes = sorted(
        {int(node) for edge in edges for p in roads.pieces_of[edge] for node in (roads.first[p], roads.second[p])}
    )
    goals = [Goal(str(node), "", "", False, node) for node in nodes]
    walkable = np.where(roads.walkable[roads.edge], roads.length_m, np.inf)
    return tree_of(roads, walkable, goals) if goals else None


def _distance_m(tree: Tree, people: Snapshot) -> Floats:
    """Way of each person to the area; nan where the fix is on no roadway."""
    way_m = np.asarray(tree.time)
    return np.minimum(way_m[people.first] + people.to_first_m, way_m[people.second] + people.to_second_m)


def _of_all(mine_code: str, minute: int, zones: list[dict[str, Any]], rescuer_min: float) -> dict[str, Any]:
    """The mine as a whole."""

    def longest(name: str) -> float | None:
        return max((zone[name] for zone in zones if zone[name] is not None), default=None)

    return {
        "mine_code": mine_code,
        "area_id": mine_code,
        "minute_no": minute,
        **{name: sum(zone[name] for zone in zones) for name in ("at_first", "inside", "without_way", "towards")},
        "minutes_since": max((zone["minutes_since"] for zone in zones), default=0.0),
        "walk_min": longest("walk_min"),
        "worn_min": longest("worn_min"),
        "rescuer_min": rescuer_min,
    }
