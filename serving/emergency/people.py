"""Who is where in an emergency: last fixes, ways out against self-rescuer minutes, answers, and who is out.

A card that fell silent is no card that came out. Whoever vanished at a shaft has likely gone up, and is asked for at
the pit mouth before being counted out; whoever vanished elsewhere is looked for where the card was last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from minefusion.schemas.persons import person_hash
from minefusion.serving.emergency.records import Emergency
from minefusion.serving.lookback import back_from
from minefusion.serving.reader import Reader, Row

# A shift and what it may run over: cards that were last heard of before belong to an earlier one.
LOOK_BACK = timedelta(hours=12)
# A fix that is older is no fix of now. Positions come once a minute at the least.
FRESH = timedelta(minutes=3)
# Ways out are told every ten minutes at the least.
WAY_FRESH = timedelta(minutes=15)
# Who is nearer an exit by so many minutes than when it was declared has moved.
MOVED_MIN = 0.5
WAYS_UP = ("shaft", "surface", "pit_bottom")

State = Literal["underground", "unseen", "gone_up", "out"]
_OUT = 2
# In this order people are shown: who needs somebody most stands first.
_URGENCY = (
    "calling",
    "no_way",
    "too_far",
    "trapped",
    "injured",
    "unseen",
    "unplaced",
    "no_answer",
    "inside",
    "gone_up",
    "out",
)

_FIXES = """
SELECT p.card_code, p.observed_at, p.in_out_flag, p.area_id, p.edge_id, p.chainage_m, p.station_code,
  p.entered_mine_at, p.is_calling
FROM silver.position p JOIN (
  SELECT card_code, max(observed_at) AS newest FROM silver.position
  WHERE mine_code = $mine AND day >= $first AND observed_at > $begin AND observed_at <= $at GROUP BY card_code
) n ON p.card_code = n.card_code AND p.observed_at = n.newest
WHERE p.mine_code = $mine AND p.day >= $first AND p.observed_at > $begin ORDER BY p.card_code
"""
_WAYS = """
SELECT person_hash, minute, answer, air, goal_id, length_m, walk_min, self_rescuer_min, self_rescuer_left_min,
  roadways, sentence_zh, sentence_en
FROM (
  SELECT *, row_number() OVER (PARTITION BY person_hash ORDER BY minute DESC) AS newest FROM gold.escape_route
  WHERE mine_code = $mine AND day >= $first AND minute > $begin AND minute <= $at
) WHERE newest = 1
"""
_KINDS = "SELECT area_id, kind FROM silver.area WHERE mine_code = $mine"
_NAMES = "SELECT card_code, name, work_type, duty, department FROM silver.person WHERE mine_code = $mine"


@dataclass(frozen=True)
class Fix:
    """Where a card was last. `state`: what that says of the person."""

    card: str
    person_hash: str
    state: State
    row: Row


def fixes(reader: Reader, key: bytes, mine: str, at: datetime) -> list[Fix]:
    """The last fix of every card that was heard of in the last twelve hours, as known at `at`."""
    kinds = {row["area_id"]: row["kind"] for row in reader.sql(_KINDS, mine=mine)}
    rows = reader.sql(_FIXES, mine=mine, **back_from(at, LOOK_BACK))
    return [
        Fix(row["card_code"], person_hash(key, mine, row["card_code"]), _state(row, kinds, at), row) for row in rows
    ]


def roster(found: list[Fix]) -> tuple[str, ...]:
    """Everybody who may be underground: all but those who were seen to come out."""
    return tuple(each.person_hash for each in found if each.state != "out")


def people_of(reader: Reader, key: bytes, emergency: Emergency, rescuer_min: float, at: datetime) -> list[Row]:
    """Everybody of the roster and whoever else is underground, who needs somebody most first.

    `name` stands as it is; who asks may have to see it masked. `urgency` says in one word why somebody stands where
    they stand; `worn_share` is the share of a self-rescuer that the way takes.

    Args:
        rescuer_min: minutes that a self-rescuer lasts.
    """
    found = fixes(reader, key, emergency.mine_code, at)
    names = {row["card_code"]: row for row in reader.sql(_NAMES, mine=emergency.mine_code)}
    ways = _ways(reader, emergency.mine_code, at, WAY_FRESH)
    first = _ways(reader, emergency.mine_code, emergency.declared_at, WAY_FRESH)
    on_roster = frozenset(emergency.roster)
    rows = [
        _person(emergency, each, names.get(each.card, {}), ways.get(each.person_hash), first.get(each.person_hash),
                rescuer_min, at, each.person_hash in on_roster)
        for each in found
        if each.state != "out" or each.person_hash in on_roster
    ]  # fmt: skip
    # On the roster, and not heard of for so long by now that no fix is left: still to be found.
    silent = on_roster - {each.person_hash for each in found}
    nothing: Row = dict.fromkeys(("observed_at", "area_id", "edge_id", "chainage_m", "station_code", "is_calling"))
    rows += [
        _person(emergency, Fix("", each, "unseen", nothing), {}, None, first.get(each), rescuer_min, at, True)
        for each in sorted(silent)
    ]
    return sorted(rows, key=lambda row: (_URGENCY.index(row["urgency"]), -(row["worn_share"] or 0), row["person_hash"]))


def counts(rows: list[Row]) -> dict[str, int]:
    """How many of whom: of the roster, those out, inside, unseen, at a way up, without an answer, without a way."""
    ours = [row for row in rows if row["is_on_roster"]]
    inside = [row for row in ours if row["state"] != "out"]
    return {
        "roster": len(ours),
        "out": len(ours) - len(inside),
        "inside": len(inside),
        "unseen": sum(row["state"] == "unseen" for row in inside),
        "gone_up": sum(row["state"] == "gone_up" for row in inside),
        "no_answer": sum(row["answer"] is None for row in inside),
        "calling": sum(bool(row["is_calling"]) for row in inside),
        "no_way": sum(row["urgency"] == "no_way" for row in inside),
        "too_far": sum(row["urgency"] == "too_far" for row in inside),
        "moved": sum(bool(row["has_moved"]) for row in inside),
        "came_later": sum(not row["is_on_roster"] for row in rows),
    }


def _state(row: Row, kinds: Mapping[str, str], at: datetime) -> State:
    if row["in_out_flag"] == _OUT:
        return "out"
    if at - row["observed_at"] <= FRESH:
        return "underground"
    return "gone_up" if kinds.get(row["area_id"]) in WAYS_UP else "unseen"


def _person(
    emergency: Emergency, fix: Fix, who: Mapping[str, Any], way: Row | None, first: Row | None, rescuer_min: float,
    at: datetime, is_on_roster: bool,
) -> Row:  # fmt: skip
    state: State = "out" if fix.person_hash in emergency.counted_out else fix.state
    answer = emergency.answer_of(fix.person_hash)
    worn = way["self_rescuer_min"] if way else None
    walked = way and first and way["walk_min"] is not None and first["walk_min"] is not None
    nearer = first["walk_min"] - way["walk_min"] if walked and first and way else None
    row = {
        "person_hash": fix.person_hash,
        "name": who.get("name"),
        "work_type": who.get("work_type"),
        "duty": who.get("duty"),
        "department": who.get("department"),
        "state": state,
        "is_counted_out": fix.person_hash in emergency.counted_out,
        "is_on_roster": is_on_roster,
        "last_seen_at": fix.row["observed_at"],
        "age_s": None if fix.row["observed_at"] is None else (at - fix.row["observed_at"]).total_seconds(),
        "area_id": fix.row["area_id"],
        "edge_id": fix.row["edge_id"],
        "chainage_m": fix.row["chainage_m"],
        "is_calling": fix.row["is_calling"],
        "answer": None if answer is None else answer.says,
        "answered_at": None if answer is None else answer.at,
        "calls": emergency.calls_to(fix.person_hash),
        "way": way,
        "rescuer_min": rescuer_min,
        "worn_share": None if worn is None else worn / rescuer_min,
        "nearer_min": nearer,
        "has_moved": None if nearer is None else nearer >= MOVED_MIN,
    }
    return row | {"urgency": _urgency(row)}


def _urgency(row: Row) -> str:
    """The first that holds, of _URGENCY."""
    way, state, answer = row["way"], row["state"], row["answer"]
    if state == "out":
        return "out"
    if row["is_calling"]:
        return "calling"
    holds = {
        "no_way": way is not None and way["answer"] == "none",
        "too_far": row["worn_share"] is not None and row["worn_share"] > 1,
        "trapped": answer == "trapped",
        "injured": answer == "injured",
        "gone_up": state == "gone_up",
        "unseen": state == "unseen",
        "unplaced": way is not None and way["answer"] == "unplaced",
        "no_answer": answer is None,
    }
    return next((name for name, it in holds.items() if it), "inside")


def _ways(reader: Reader, mine: str, at: datetime, back: timedelta) -> dict[str, Row]:
    """The newest way out of everybody, as told by then."""
    return {row["person_hash"]: row for row in reader.sql(_WAYS, mine=mine, **back_from(at, back))}
