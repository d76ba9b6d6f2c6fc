"""An emergency as the control room holds it; people stand in it by the hash of their card, never by card or name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# What a person is found to be, once somebody spoke with them; `no_answer` is a call that nobody took.
Says = Literal["safe", "injured", "trapped", "no_answer"]


@dataclass(frozen=True)
class StepDone:
    """A step of a plan that somebody reported done."""

    plan_id: str
    step_id: str
    note: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Message:
    """What somebody is to be told, by which channel. It is prepared here; a person sends it and says so.

    Attributes:
        plan_id: the plan that prepared it; null: a person did.
        acknowledged_by: who said that it was understood.
        is_withdrawn: prepared by a plan that no longer holds, and not sent.
    """

    number: int
    channel: str
    to_zh: str
    to_en: str
    zh: str
    en: str
    by: str
    at: datetime
    plan_id: str | None = None
    sent_at: datetime | None = None
    sent_by: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    is_withdrawn: bool = False


@dataclass(frozen=True)
class Answer:
    """Somebody was called: what they said, and how they were reached."""

    person_hash: str
    says: Says
    channel: str
    note: str
    by: str
    at: datetime


@dataclass(frozen=True)
class BroughtOut:
    """Somebody was counted out by a person at the pit mouth, whatever the positioning system says."""

    person_hash: str
    note: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Emergency:
    """One emergency from its declaration to its end.

    Attributes:
        kind: one of the kinds of kinds.csv.
        severity: 1 blue … 4 red, as judged by who declared it.
        words: what is known of it, as told.
        roster: everybody who was underground when it was declared, or whose card was last seen there.
        plan_id: the plan that was chosen; null: none yet.
        because: why kind, place or severity were judged anew, the newest last.
        inside_at_end: how many of the roster were not out when it was ended.
    """

    emergency_id: str
    mine_code: str
    area_id: str
    kind: str
    severity: int
    words: str
    is_drill: bool
    declared_at: datetime
    declared_by: str
    roster: tuple[str, ...] = ()
    plan_id: str | None = None
    because: tuple[str, ...] = ()
    steps: tuple[StepDone, ...] = ()
    messages: tuple[Message, ...] = ()
    answers: tuple[Answer, ...] = ()
    brought_out: tuple[BroughtOut, ...] = ()
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_because: str | None = None
    inside_at_end: int | None = None

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    def answer_of(self, person_hash: str) -> Answer | None:
        """The newest that somebody said of themselves; null where nobody answered yet."""
        said = [each for each in self.answers if each.person_hash == person_hash and each.says != "no_answer"]
        return said[-1] if said else None

    def calls_to(self, person_hash: str) -> int:
        """How often they were called without an answer since they last answered."""
        tries = 0
        for each in self.answers:
            if each.person_hash == person_hash:
                tries = tries + 1 if each.says == "no_answer" else 0
        return tries

    @property
    def counted_out(self) -> frozenset[str]:
        return frozenset(each.person_hash for each in self.brought_out)
