"""Evacuation progress (P-07): how many of those in bad air are out of it, how far the rest has to walk, who walks in.

An area is to be left while its air is such that roadways are avoided on the way out (schemas/escape_limits.csv), or
while a detector there tells of smoke. Cards are only counted here; none leaves this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa

from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.minutes import first_minute, minute_grid
from minefusion.pipelines.hazard.rows import Index, index_rows, number
from minefusion.pipelines.routes.conditions import conditions_of
from minefusion.pipelines.routes.escape import People, escape_ways
from minefusion.pipelines.routes.facts import BAD_AIR, LEFT, PERSON, SMOKE, people_facts, road_facts
from minefusion.pipelines.routes.roadways import Goal, Roadways, Tree, roadways_of, tree_of
from minefusion.schemas.site import Site
from minefusion.schemas.site_escape import SELF_RESCUER_MIN

# Those count who were there when it began, or so long ago where it began earlier.
SINCE_MIN = 30
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
        "to be left. Yellow while anybody is inside, worse the longer it takes, when somebody needs most of what a "
        "self-rescuer lasts, when somebody has no way out, and when people walk towards the area."
    ),
    formula=r"P(t) = 1 - \frac{N(t)}{N(0)}, \quad t_w = \max_i \sum_e \frac{L_e}{v_0\, e^{-3.5|s_e|}}",
    reads=("methane, CO, CO2, O2, toxic gas [%, ppm]", "temperature [℃]", "smoke [-]", "positions", "roadways [m]"),
    scenario="gas_event",
    edges=(
        "No fresh snapshot of the positioning system: null, never 1.",
        "Nobody inside when it began: 1.",
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
    facts = nw.concat(
        [
            road_facts(inputs, None, inputs.feeds.records, before=before),
            people_facts(inputs, before=before),
        ],
        how="vertical",
    )
    function = partial(progress_of_mine, sites=dict(inputs.sites), first=first_minute(inputs.window))
    found = inputs.grouped(facts, ["mine_code"], function, _SCHEMA)
    rows = _places(inputs, inputs.cached(found))
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


# ── one mine ────────────────────────────────────────────────────────────────────────────────────────────────────────


def progress_of_mine(facts: pa.Table, sites: Mapping[str, Site | None], first: int) -> pa.Table:
    """Rows of one mine from its facts, in any order; for minutes from `first` on whose snapshot holds."""
    mine_code = facts["mine_code"][0].as_py()
    site = sites.get(mine_code)
    roads = roadways_of(site) if site and site.edges else None
    rescuer_min = (site.self_rescuer_min if site else None) or SELF_RESCUER_MIN
    no_mans = {area.area_id for area in site.areas if area.kind == "goaf"} if site else set()
    table = pl.DataFrame(pl.from_arrow(facts)).sort("minute_no", "fact", "card_code", "edge_id", "area_id", "quantity")
    bad: dict[str, list[int]] = {}  # area → minutes in which it was to be left
    people: dict[int, dict[str, dict[str, Any]]] = {}  # minute → card → fix
    rows: list[dict[str, Any]] = []
    for (minute,), now in table.group_by("minute_no", maintain_order=True):
        listed = now.filter(pl.col("fact") == PERSON)
        if not listed.is_empty():
            people[minute] = {
                row["card_code"]: row
                for row in listed.iter_rows(named=True)
                if row["card_code"] is not None and row["quantity"] != LEFT
            }
        air = now.filter(pl.col("fact") != PERSON)
        unfit = air.filter(pl.col("fact").is_in([BAD_AIR, SMOKE]))["area_id"].drop_nulls().unique().to_list()
        for area in unfit:
            if area not in no_mans and area != "unplaced":
                bad.setdefault(area, []).append(minute)
        if minute < first or minute not in people:
            continue
        zones = sorted(area for area, minutes in bad.items() if minutes[-1] == minute)
        of_zones = [_of_zone(mine_code, area, minute, bad[area], people, roads, air, rescuer_min) for area in zones]
        rows += [*of_zones, _of_all(mine_code, minute, of_zones, rescuer_min)]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _of_zone(
    mine_code: str,
    area: str,
    minute: int,
    bad: list[int],
    people: Mapping[int, Mapping[str, dict[str, Any]]],
    roads: Roadways | None,
    air: pl.DataFrame,
    rescuer_min: float,
) -> dict[str, Any]:
    """One area that is to be left, in one minute."""
    begun = min(each for each in bad if each >= minute - SINCE_MIN)
    then = next((people[each] for each in range(begun, minute + 1) if each in people), {})
    there = {card for card, fix in then.items() if fix["area_id"] == area}
    here = people[minute]
    inside = [card for card, fix in here.items() if fix["area_id"] == area]
    walk_min, worn_min, without_way = None, None, 0
    if roads is not None and inside:
        fixes = [fix for card in sorted(inside) if (fix := here[card])["edge_id"] in roads.edge_number]
        crowd = People(
            np.array([roads.edge_number[fix["edge_id"]] for fix in fixes], dtype=np.int64),
            np.array([fix["chainage_m"] or 0.0 for fix in fixes], dtype=float),
        )
        conditions, _ = conditions_of(roads, air.iter_rows(named=True))
        ways = escape_ways(roads, conditions, crowd, rescuer_min)
        without_way = sum(way.kind == "none" for way in ways)
        walk_min = max((round(way.walk_s / 60, 4) for way in ways if way.walk_s is not None), default=None)
        worn_min = max((round(way.worn_s / 60, 4) for way in ways if way.worn_s is not None), default=None)
    return {
        "mine_code": mine_code,
        "area_id": area,
        "minute_no": minute,
        "at_first": len(there | set(inside)),
        "inside": len(inside),
        "without_way": without_way,
        "towards": _towards(area, here, people.get(minute - TOWARDS_MIN, {}), roads),
        "minutes_since": float(minute - begun),
        "walk_min": walk_min,
        "worn_min": worn_min,
        "rescuer_min": rescuer_min,
    }


def _towards(
    area: str, now: Mapping[str, dict[str, Any]], before: Mapping[str, dict[str, Any]], roads: Roadways | None
) -> int:
    """People who came into the area, or nearer to it, within TOWARDS_MIN."""
    tree = _to_area(roads, area) if roads is not None else None
    count = 0
    for card, fix in now.items():
        was = before.get(card)
        if was is None or was["area_id"] == area:
            continue
        if fix["area_id"] == area:
            count += 1
        elif roads is not None and tree is not None:
            count += _distance_m(roads, tree, was) - _distance_m(roads, tree, fix) >= TOWARDS_M
    return count


def _to_area(roads: Roadways, area: str) -> Tree | None:
    """The shortest ways to the ends of an area's roadways, in metres instead of time."""
    edges = roads.edges_of.get(area, [])
    nodes = sorted(
        {int(node) for edge in edges for p in roads.pieces_of[edge] for node in (roads.first[p], roads.second[p])}
    )
    goals = [Goal(str(node), "", "", False, node) for node in nodes]
    walkable = np.where(roads.walkable[roads.edge], roads.length_m, np.inf)
    return tree_of(roads, walkable, goals) if goals else None


def _distance_m(roads: Roadways, tree: Tree, fix: Mapping[str, Any]) -> float:
    """Way from a fix to the area; nan, which is nearer than nothing, where the fix is on no roadway."""
    edge = roads.edge_number.get(fix["edge_id"] or "")
    if edge is None or fix["chainage_m"] is None:
        return float("nan")
    piece = roads.piece_at(edge, fix["chainage_m"])
    first, second = int(roads.first[piece]), int(roads.second[piece])
    return min(
        tree.time[first] + fix["chainage_m"] - float(roads.from_m[piece]),
        tree.time[second] + float(roads.to_m[piece]) - fix["chainage_m"],
    )


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
