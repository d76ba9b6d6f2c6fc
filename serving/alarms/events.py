"""What can happen to the board: gold says something, the clock moves on, or a person does something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from minefusion.serving.alarms.records import Candidate, HoldKind, Verdict
from minefusion.serving.emergency.events import EmergencyEvent
from minefusion.serving.handover.events import HandoverEvent


@dataclass(frozen=True)
class Found:
    """What gold holds now. `since`: every candidate raised from then on is among them; null: more may be there."""

    candidates: tuple[Candidate, ...]
    since: datetime | None = None


@dataclass(frozen=True)
class Tick:
    """The clock moved on."""


@dataclass(frozen=True)
class Acknowledge:
    """Seen and taken on. Regulator-class alarms go one at a time and with a note."""

    alarm_ids: tuple[str, ...]
    by: str
    note: str = ""


@dataclass(frozen=True)
class Assign:
    """Who is to see to it: a role on shift or a person."""

    alarm_id: str
    to: str
    by: str


@dataclass(frozen=True)
class Remark:
    """A note on an alarm."""

    alarm_id: str
    text: str
    by: str


@dataclass(frozen=True)
class Reset:
    """A latched alarm whose condition has gone is let go."""

    alarm_id: str
    by: str
    note: str = ""


@dataclass(frozen=True)
class PutOnHold:
    """The alarm's source goes out of sight: shelved until an instant, or suppressed or out of service until lifted."""

    alarm_id: str
    kind: HoldKind
    reason: str
    by: str
    until: datetime | None = None


@dataclass(frozen=True)
class Lift:
    """The hold on a source ends."""

    tag: str
    by: str


@dataclass(frozen=True)
class Decide:
    """A person's word on an advisory; a rejection says why, as one of REJECTIONS."""

    alarm_id: str
    verdict: Verdict
    by: str
    why: str | None = None


@dataclass(frozen=True)
class Tell:
    """Somebody was told of it."""

    disposition_id: str
    who: str
    role: str
    channel: str
    told_at: datetime
    by: str
    has_answered: bool | None = None


@dataclass(frozen=True)
class JudgeCause:
    """The cause, as judged by a person; `other` needs a note."""

    disposition_id: str
    cause: str
    by: str
    evidence: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class PlanAction:
    """Something that somebody is to do."""

    disposition_id: str
    text: str
    assigned_to: str
    by: str


@dataclass(frozen=True)
class ReportDone:
    """What came of an action."""

    disposition_id: str
    number: int
    result: str
    by: str


@dataclass(frozen=True)
class CountOut:
    """How many of those who had to leave are out."""

    disposition_id: str
    out: int
    of: int
    by: str


@dataclass(frozen=True)
class Restore:
    """Power or air was given back after a gas inspector had measured; null where no gas had to be measured."""

    disposition_id: str
    restored_at: datetime
    inspector: str
    by: str
    ch4_pct: float | None = None


@dataclass(frozen=True)
class Attach:
    """A file belongs to the disposition."""

    disposition_id: str
    sha256: str
    name: str
    media_type: str
    size: int
    by: str


@dataclass(frozen=True)
class Submit:
    """Handled; a second person is to check it."""

    disposition_id: str
    by: str


@dataclass(frozen=True)
class GiveCheck:
    """The second person's answer: closed, or back with a reason."""

    disposition_id: str
    is_agreed: bool
    by: str
    reason: str = ""


Event = (
    Found | Tick | Acknowledge | Assign | Remark | Reset | PutOnHold | Lift | Decide
    | Tell | JudgeCause | PlanAction | ReportDone | CountOut | Restore | Attach | Submit | GiveCheck
    | EmergencyEvent | HandoverEvent
)  # fmt: skip
