"""The answer of everybody underground, minute by minute: rows of gold.escape_route.

Minutes are every tenth one, and every one in which a roadway is bad or barred. A card becomes a keyed hash here and
goes no farther: who holds the key and the list of cards can tell who it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa

from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.minutes import first_minute
from minefusion.pipelines.routes.conditions import WILL_SMOKE, Cause, conditions_of
from minefusion.pipelines.routes.escape import (
    UNPLACED,
    Conditions,
    People,
    Way,
    escape_ways,
    quiet_way,
)
from minefusion.pipelines.routes.facts import FLOW, LEFT, PERSON, people_facts, road_facts
from minefusion.pipelines.routes.roadways import Roadways, roadways_of
from minefusion.pipelines.routes.smoke import smoke_arrival
from minefusion.pipelines.routes.words import Told, sentences
from minefusion.schemas.gold import ESCAPE_ROUTE
from minefusion.schemas.persons import person_hash
from minefusion.schemas.site import Site
from minefusion.schemas.site_escape import SELF_RESCUER_MIN

# In quiet minutes everybody is told every so often.
EVERY = 10
# A card that a snapshot or two lack is where it was; after that it is told of as lost for an hour.
CARRIED_MIN, UNSEEN_MIN = 3, 60
# Who vanishes there has gone up.
_WAYS_UP = ("shaft", "surface", "pit_bottom")
_SCHEMA = pa.schema(
    [field for field in ESCAPE_ROUTE.arrow_schema() if field.name not in ("computed_at", "revision", "day")]
)
_ORDER = {"exit": 0, "refuge": 1, "none": 2, "unplaced": 3}


def escape_routes(inputs: Inputs, indices: nw.LazyFrame, records: nw.LazyFrame, person_key: bytes) -> nw.LazyFrame:
    """Rows of gold.escape_route, without what the job adds.

    Args:
        indices, records: as in `road_facts`.
        person_key: what cards are hashed with.
    """
    facts = nw.concat([road_facts(inputs, indices, records), people_facts(inputs, before=UNSEEN_MIN)], how="vertical")
    told = partial(answers_of_mine, sites=dict(inputs.sites), person_key=person_key, first=first_minute(inputs.window))
    return inputs.grouped(facts, ["mine_code"], told, _SCHEMA)


# ── one mine ────────────────────────────────────────────────────────────────────────────────────────────────────────


def answers_of_mine(facts: pa.Table, sites: Mapping[str, Site | None], person_key: bytes, first: int) -> pa.Table:
    """The rows of one mine from its facts of all minutes, in any order; answers from minute `first` on."""
    mine_code = facts["mine_code"][0].as_py()
    mine = _Mine(mine_code, sites.get(mine_code), person_key)
    rows: list[dict[str, Any]] = []
    seen: dict[str, dict[str, Any]] = {}  # where each card was last, by minute
    table = pl.DataFrame(pl.from_arrow(facts)).sort("minute_no", "fact", "card_code", "edge_id", "area_id", "quantity")
    for (minute,), of_minute in table.group_by("minute_no", maintain_order=True):
        everybody = of_minute.filter(pl.col("fact") == PERSON)
        for row in everybody.filter(pl.col("card_code").is_not_null()).iter_rows(named=True):
            if row["quantity"] == LEFT:
                seen.pop(row["card_code"], None)
            else:
                seen[row["card_code"]] = row
        about_air = of_minute.filter(pl.col("fact") != PERSON)
        is_quiet = about_air.filter(pl.col("fact") != FLOW).is_empty()
        if minute < first or everybody.is_empty() or (is_quiet and minute % EVERY):
            continue
        since = {card: minute - row["minute_no"] for card, row in sorted(seen.items())}
        since = {card: minutes for card, minutes in since.items() if not minutes or not mine.leads_up(seen[card])}
        here = [seen[card] for card, minutes in since.items() if minutes < CARRIED_MIN]
        lost = {
            card: (minutes, seen[card]["area_id"])
            for card, minutes in since.items()
            if CARRIED_MIN <= minutes <= UNSEEN_MIN
        }
        rows += mine.answers(minute, here, about_air, lost)
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


@dataclass(frozen=True)
class _Candidate:
    """A place at which one person may be; several where the fix is vague."""

    person: int
    edge: int
    chainage_m: float


class _Mine:
    """One mine's graph and names."""

    def __init__(self, mine_code: str, site: Site | None, person_key: bytes) -> None:
        self.mine_code, self.site, self.person_key = mine_code, site, person_key
        self.minutes = (site.self_rescuer_min if site else None) or SELF_RESCUER_MIN
        self.areas = {area.area_id: area for area in site.areas} if site else {}
        self.hashes: dict[str, str] = {}

    @cached_property
    def roads(self) -> Roadways | None:
        return roadways_of(self.site) if self.site and self.site.edges else None

    def leads_up(self, seen: Mapping[str, Any]) -> bool:
        """Whether a card that vanished where it was last seen has gone up."""
        return seen["area_id"] in self.areas and self.areas[seen["area_id"]].kind in _WAYS_UP

    def hash_of(self, card: str) -> str:
        if card not in self.hashes:
            self.hashes[card] = person_hash(self.person_key, self.mine_code, card)
        return self.hashes[card]

    def answers(
        self, minute: int, listed: Sequence[Mapping[str, Any]], air: pl.DataFrame, lost: Mapping[str, tuple[int, str]]
    ) -> Iterator[dict[str, Any]]:
        """A row for everybody who is underground, or was a short while ago.

        Args:
            lost: card → minutes since it was seen, and where.
        """
        conditions, causes = conditions_of(self.roads, air.iter_rows(named=True)) if self.roads else (None, {})
        ways, doubts = self._ways(listed, conditions)
        smokes: Mapping[str, Cause] = {}
        if self.roads is not None and conditions is not None:
            arrival = smoke_arrival(self.roads, conditions.smoky, conditions.velocity_m_s)
            reached = {self.roads.edge_ids[edge] for edge in set(self.roads.edge[np.isfinite(arrival)].tolist())}
            smokes = dict.fromkeys(reached, WILL_SMOKE)
        why = {**smokes, **causes}
        for number, row in enumerate(listed):
            told = self._told(ways[number], row, why, doubts.get(number))
            yield self._row(minute, row["card_code"], row["edge_id"], row["area_id"], told)
        for card, (since, area) in lost.items():
            told = Told(UNPLACED, self._place(area), (), {}, self.minutes, unseen_min=since)
            yield self._row(minute, card, None, area, told)

    def _ways(
        self, listed: Sequence[Mapping[str, Any]], conditions: Conditions | None
    ) -> tuple[list[Way], dict[int, str]]:
        """A way for each person; where the fix is vague, that of the worst place at which they may be."""
        if self.roads is None or conditions is None:
            return [UNPLACED] * len(listed), {}
        places: list[_Candidate] = []
        doubts: dict[int, str] = {}
        for number, row in enumerate(listed):
            edge, chainage = self.roads.edge_number.get(row["edge_id"] or ""), row["chainage_m"]
            if edge is not None and chainage is not None:
                places.append(_Candidate(number, edge, chainage))
                continue
            some = [edge] if edge is not None else self.roads.edges_of.get(row["area_id"] or "", [])
            doubts[number] = "chainage" if edge is not None else "roadway"
            places += [_Candidate(number, each, end) for each in some for end in (0.0, self.roads.edge_length_m[each])]
        crowd = People(
            np.array([place.edge for place in places], dtype=np.int64), np.array([p.chainage_m for p in places], float)
        )
        found: list[Way] = [UNPLACED] * len(listed)
        seen: set[int] = set()
        for place, way in zip(places, escape_ways(self.roads, conditions, crowd, self.minutes), strict=True):
            if place.person not in seen or _badness(way) > _badness(found[place.person]):
                found[place.person] = way
                seen.add(place.person)
        return found, doubts

    def _told(self, way: Way, row: Mapping[str, Any], why: Mapping[str, Cause], doubt: str | None) -> Told:
        areas: list[str] = []
        causes: dict[str, Cause] = {}
        if self.roads is not None and way.pieces:
            on_way = [self.roads.areas[edge] for edge in self.roads.edge[list(way.pieces)].tolist()]
            areas = [area for area, before in zip(on_way, [None, *on_way], strict=False) if area != before]
            in_quiet_times = way.pieces if way.kind == "none" else quiet_way(self.roads, way)
            is_the_same = way.air == "good" and way.pieces == in_quiet_times
            for edge in () if is_the_same else dict.fromkeys(self.roads.edge[list(in_quiet_times)].tolist()):
                name = self.roads.edge_ids[edge]
                if name in why and (edge in way.blocked_by or not way.blocked_by):
                    causes[name] = why[name]
        return Told(way, self._place(row["area_id"]), areas, causes, self.minutes, None if way is UNPLACED else doubt)

    def _place(self, area_id: str) -> tuple[str, str]:
        area = self.areas.get(area_id)
        return (area.name_zh, area.name_en) if area else (area_id, area_id)

    def _row(self, minute: int, card: str, edge_id: str | None, area_id: str, told: Told) -> dict[str, Any]:
        way = told.way
        edges: list[str] = []
        if self.roads is not None and way.kind in ("exit", "refuge"):
            edges = list(
                dict.fromkeys(self.roads.edge_ids[edge] for edge in self.roads.edge[list(way.pieces)].tolist())
            )
        has_way = way.walk_s is not None and way.worn_s is not None
        zh, en = sentences(told, self.site)
        return {
            "mine_code": self.mine_code,
            "person_hash": self.hash_of(card),
            "minute": datetime.fromtimestamp(minute * 60, UTC),
            "area_id": area_id,
            "edge_id": edge_id,
            "answer": way.kind,
            "air": way.air,
            "goal_id": way.goal.goal_id if way.goal else None,
            "length_m": None if way.length_m is None else round(way.length_m, 1),
            "walk_min": round(way.walk_s / 60, 2) if has_way and way.walk_s is not None else None,
            "self_rescuer_min": round(way.worn_s / 60, 2) if has_way and way.worn_s is not None else None,
            "self_rescuer_left_min": (
                round(self.minutes - way.worn_s / 60, 2) if has_way and way.worn_s is not None else None
            ),
            "roadways": json.dumps(edges, ensure_ascii=False),
            "because": json.dumps(
                [{"roadway": edge, "zh": cause.zh, "en": cause.en} for edge, cause in told.causes.items()],
                ensure_ascii=False,
            ),
            "sentence_zh": zh,
            "sentence_en": en,
        }


def _badness(way: Way) -> tuple[int, float, float]:
    return _ORDER[way.kind], way.worn_s or 0.0, way.walk_s or way.length_m or 0.0
