"""What people do in an emergency."""

from __future__ import annotations

from dataclasses import dataclass

from minefusion.serving.emergency.records import Says


@dataclass(frozen=True)
class Declare:
    """There is an emergency. `roster`: hashes of those who are underground, or were when last heard of."""

    mine_code: str
    area_id: str
    kind: str
    severity: int
    words: str
    roster: tuple[str, ...]
    by: str
    is_drill: bool = False


@dataclass(frozen=True)
class Reassess:
    """It is of another kind, at another place or graver than was thought."""

    emergency_id: str
    area_id: str
    kind: str
    severity: int
    why: str
    by: str


@dataclass(frozen=True)
class Draft:
    """A message that a plan prepares, in both languages."""

    channel: str
    to_zh: str
    to_en: str
    zh: str
    en: str


@dataclass(frozen=True)
class ChoosePlan:
    """Go by this plan from now on; its messages go into the outbox."""

    emergency_id: str
    plan_id: str
    drafts: tuple[Draft, ...]
    by: str


@dataclass(frozen=True)
class ReportStep:
    """A step of the chosen plan was done."""

    emergency_id: str
    step_id: str
    by: str
    note: str = ""


@dataclass(frozen=True)
class Prepare:
    """A message of one's own."""

    emergency_id: str
    channel: str
    to: str
    text: str
    by: str


@dataclass(frozen=True)
class ReportSent:
    """A message was sent by a person."""

    emergency_id: str
    number: int
    by: str


@dataclass(frozen=True)
class ReportUnderstood:
    """Who got a message said that it was understood."""

    emergency_id: str
    number: int
    who: str
    by: str


@dataclass(frozen=True)
class Hear:
    """Somebody was called, and answered or did not."""

    emergency_id: str
    person_hash: str
    says: Says
    channel: str
    by: str
    note: str = ""


@dataclass(frozen=True)
class CountOutPerson:
    """Somebody was seen out of the mine by a person."""

    emergency_id: str
    person_hash: str
    by: str
    note: str = ""


@dataclass(frozen=True)
class End:
    """It is over. `inside`: how many of the roster are not out by then."""

    emergency_id: str
    inside: int
    by: str
    why: str = ""


EmergencyEvent = (
    Declare | Reassess | ChoosePlan | ReportStep | Prepare | ReportSent | ReportUnderstood | Hear | CountOutPerson | End
)
