"""Candidates as literal rows, and a board driven by events: what the tests of the alarm engine share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from minefusion.serving.alarms.changes import Change
from minefusion.serving.alarms.engine import step
from minefusion.serving.alarms.events import Event, Found, Tick
from minefusion.serving.alarms.records import Alarm, Board, Candidate, Disposition

MINE, OTHER_MINE = "620000000001", "620000000002"
FACE, HEADING = f"{MINE}01", f"{MINE}02"
CORNER = "MN0001T0"
START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def candidate(kind: str = "G-01", entity: str = CORNER, minute: float = 0, **more: Any) -> Candidate:
    """A finding at the face that began so many minutes after START; `ends`: minute in which it ended."""
    ends = more.pop("ends", None)
    mine, area = more.pop("mine_code", MINE), more.pop("area_id", FACE)
    tag = f"{kind}:{mine}:{entity}"
    row = {
        "candidate_id": f"{tag}:{minute:g}", "tag": tag, "kind": kind, "mine_code": mine, "area_id": area,
        "entity": entity, "point_id": None if entity == area else entity, "level": 3, "raised_at": after(minute),
        "cleared_at": None if ends is None else after(ends), "value": 1.2, "unit": "%", "quantity": "ch4",
        "people_in_area": 5, "sentence_zh": f"{entity} 报警", "sentence_en": f"{entity} alarms",
    }  # fmt: skip
    return Candidate(**row | more)


def cleared(found: Candidate, minute: float) -> Candidate:
    return replace(found, cleared_at=after(minute))


@dataclass
class Driven:
    """A board, a clock and all changes so far. An event is done at its minute after START."""

    board: Board = field(default_factory=Board)
    changes: list[Change] = field(default_factory=list)
    now: datetime = START

    def do(self, event: Event, minute: float | None = None) -> list[str]:
        """Do it and say what changed, as `alarm.raised`."""
        self.now = self.now if minute is None else after(minute)
        outcome = step(self.board, event, self.now)
        self.board = outcome.board
        self.changes += outcome.changes
        return [each.what for each in outcome.changes]

    def found(self, *candidates: Candidate, at: float | None = None, since: datetime | None = None) -> list[str]:
        return self.do(Found(candidates, since), at)

    def tick(self, minute: float) -> list[str]:
        return self.do(Tick(), minute)

    @property
    def alarm(self) -> Alarm:
        """The one alarm there is."""
        (alarm,) = self.board.alarms.values()
        return alarm

    @property
    def disposition(self) -> Disposition:
        """The one disposition there is."""
        (disposition,) = self.board.dispositions.values()
        return disposition

    @property
    def state(self) -> str:
        return self.board.state_of(self.alarm)
