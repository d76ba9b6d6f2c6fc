"""What the alarm engine holds: alarms with their findings, holds on sources, dispositions, and one desk per mine; and,
on the same board, emergencies and hand-overs.

All are frozen. Instants named `…_at` of a finding are the data's own; every other instant is the service's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from minefusion.serving.alarms.classes import AlarmClass, classes
from minefusion.serving.emergency.records import Emergency
from minefusion.serving.handover.records import Handover

HoldKind = Literal["shelved", "suppressed_by_design", "out_of_service"]
State = Literal[
    "active_unacked", "active_acked", "cleared_unacked", "latched", "shelved", "suppressed_by_design",
    "out_of_service", "normal",
]  # fmt: skip
DispositionState = Literal["draft", "handling", "submitted", "closed"]
Verdict = Literal["confirmed", "rejected"]

# Who did it, where nobody did: the clock or what gold says.
SYSTEM = "system"


@dataclass(frozen=True)
class Candidate:
    """What gold (or video analysis) says of one episode now; `cleared_at` is null while it lasts.

    `tag` names its source: the same kind at the same place, whatever the start.
    """

    candidate_id: str
    tag: str
    kind: str
    mine_code: str
    area_id: str
    entity: str
    point_id: str | None
    level: int
    raised_at: datetime
    cleared_at: datetime | None = None
    value: float | None = None
    unit: str | None = None
    quantity: str | None = None
    legal_exceeded: bool = False
    people_in_area: int | None = None
    sentence_zh: str = ""
    sentence_en: str = ""


@dataclass(frozen=True)
class Finding:
    """A candidate inside an alarm, as last told. `is_retracted`: gold no longer holds it."""

    candidate_id: str
    kind: str
    level: int
    raised_at: datetime
    cleared_at: datetime | None
    value: float | None
    unit: str | None
    legal_exceeded: bool
    people_in_area: int | None
    sentence_zh: str
    sentence_en: str
    is_retracted: bool = False

    @property
    def is_open(self) -> bool:
        return self.cleared_at is None and not self.is_retracted


@dataclass(frozen=True)
class Note:
    """A remark by a person."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Alarm:
    """One breach, from its first finding to its last; what a dispatcher acknowledges.

    Attributes:
        alarm_id: that of its first finding.
        tag: what a hold is put on: the class at a place, else the finding's own source.
        shown_at: when the engine learned of it; times to act count from here, not from the data's time.
        waiting_since: since when it waits to be acknowledged, in sight; null: it does not wait.
        rung: how many rungs of its ladder were told.
        returns: when its condition came again, the newest ten.
        is_reset: a latched alarm was reset since its condition went.
        is_late: over before the engine first heard of it, so that nobody could have acted.
        updated_at: when what gold says of it was last written down anew.
    """

    alarm_id: str
    tag: str
    class_name: str
    mine_code: str
    area_id: str
    entity: str
    point_id: str | None
    findings: tuple[Finding, ...]
    incident_id: str
    shown_at: datetime
    waiting_since: datetime | None
    acked_at: datetime | None = None
    acked_by: str | None = None
    rung: int = 0
    returns: tuple[datetime, ...] = ()
    is_chattering: bool = False
    is_reset: bool = False
    is_late: bool = False
    updated_at: datetime | None = None
    disposition_id: str | None = None
    assigned_to: str | None = None
    verdict: Verdict | None = None
    verdict_why: str | None = None
    notes: tuple[Note, ...] = ()

    @property
    def alarm_class(self) -> AlarmClass:
        return classes()[self.class_name]

    @property
    def lead(self) -> Finding:
        """The finding that speaks for it: open before over, then the worst, then the first."""
        return max(self.findings, key=lambda each: (each.is_open, not each.is_retracted, each.level))

    @property
    def level(self) -> int:
        """The worst level that any of its findings reached; retracted ones count only where there is no other."""
        stands = [each.level for each in self.findings if not each.is_retracted]
        return max(stands or [each.level for each in self.findings])

    @property
    def is_active(self) -> bool:
        return self.verdict != "rejected" and any(each.is_open for each in self.findings)

    @property
    def raised_at(self) -> datetime:
        return min(each.raised_at for each in self.findings)

    @property
    def cleared_at(self) -> datetime | None:
        """When its last finding ended; null while one lasts, and where all were retracted."""
        if self.is_active:
            return None
        return max((each.cleared_at for each in self.findings if each.cleared_at), default=None)

    @property
    def last_moved_at(self) -> datetime:
        """When anything was last heard of it."""
        return max(
            each for each in (self.shown_at, self.acked_at, self.updated_at, self.cleared_at) if each is not None
        )

    @property
    def is_latched(self) -> bool:
        return self.alarm_class.is_latching and not self.is_active and not self.is_reset


@dataclass(frozen=True)
class Hold:
    """A source whose alarms are kept out of sight, why, by whom and until when; null: until somebody lifts it."""

    tag: str
    mine_code: str
    kind: HoldKind
    reason: str
    by: str
    since: datetime
    until: datetime | None
    lifted_at: datetime | None = None
    lifted_by: str | None = None


@dataclass(frozen=True)
class Told:
    """Somebody was told; `has_answered` is null where that is not known."""

    who: str
    role: str
    channel: str
    told_at: datetime
    has_answered: bool | None
    by: str
    at: datetime


@dataclass(frozen=True)
class Judged:
    """A cause as judged, with what speaks for it."""

    cause: str
    evidence: tuple[str, ...]
    note: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Action:
    """Something to be done, by whom, and what came of it."""

    number: int
    text: str
    assigned_to: str
    by: str
    at: datetime
    done_at: datetime | None = None
    done_by: str | None = None
    result: str | None = None


@dataclass(frozen=True)
class Withdrawal:
    """How many of those who had to leave are out."""

    out: int
    of: int
    by: str
    at: datetime


@dataclass(frozen=True)
class Restoration:
    """Power or air given back: when, and what the gas inspector measured before."""

    restored_at: datetime
    inspector: str
    ch4_pct: float | None
    by: str
    at: datetime


@dataclass(frozen=True)
class Attachment:
    """A file that belongs to a disposition; its bytes lie beside the journal under their hash."""

    sha256: str
    name: str
    media_type: str
    size: int
    by: str
    at: datetime


@dataclass(frozen=True)
class Check:
    """A second person's answer to a submitted disposition."""

    is_agreed: bool
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Disposition:
    """What was done about the regulator-class alarms of one incident. `overdue` names the clocks that ran out."""

    disposition_id: str
    mine_code: str
    area_id: str
    incident_id: str
    alarm_ids: tuple[str, ...]
    opened_at: datetime
    state: DispositionState = "draft"
    told: tuple[Told, ...] = ()
    judged: tuple[Judged, ...] = ()
    actions: tuple[Action, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    restorations: tuple[Restoration, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    checks: tuple[Check, ...] = ()
    first_act_at: datetime | None = None
    submitted_at: datetime | None = None
    submitted_by: str | None = None
    closed_at: datetime | None = None
    overdue: tuple[str, ...] = ()

    @property
    def handlers(self) -> frozenset[str]:
        """Everybody who recorded something in it: none of them may check it."""
        parts = (self.told, self.judged, self.actions, self.withdrawals, self.restorations, self.attachments)
        wrote = {each.by for part in parts for each in part}
        done = {each.done_by for each in self.actions if each.done_by}
        return frozenset(wrote | done | ({self.submitted_by} if self.submitted_by else set()))


@dataclass(frozen=True)
class Desk:
    """The alarm load of one mine: when alarms came into sight in the last ten minutes, and since when it is a flood."""

    mine_code: str
    shown: tuple[datetime, ...] = ()
    flood_since: datetime | None = None


Record = Alarm | Hold | Disposition | Desk | Emergency | Handover
# Record → the dictionary of the board in which it stands, and the field that is its own id there.
_SHELVES: Mapping[type[Record], tuple[str, str]] = {
    Alarm: ("alarms", "alarm_id"),
    Hold: ("holds", "tag"),
    Disposition: ("dispositions", "disposition_id"),
    Desk: ("desks", "mine_code"),
    Emergency: ("emergencies", "emergency_id"),
    Handover: ("handovers", "handover_id"),
}


def identity(record: Record) -> str:
    """The record's own id among those of its type."""
    key: str = getattr(record, _SHELVES[type(record)][1])
    return key


@dataclass(frozen=True)
class Board:
    """Everything that stands; its dictionaries are never changed in place.

    `found_in`: candidate → the alarm that it is a finding of.
    """

    alarms: dict[str, Alarm] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    dispositions: dict[str, Disposition] = field(default_factory=dict)
    desks: dict[str, Desk] = field(default_factory=dict)
    found_in: dict[str, str] = field(default_factory=dict)
    emergencies: dict[str, Emergency] = field(default_factory=dict)
    handovers: dict[str, Handover] = field(default_factory=dict)

    def having(self, *records: Record) -> Board:
        """The board with the records in place of those with their ids."""
        put: dict[str, dict[str, Any]] = {}
        for record in records:
            shelf, _ = _SHELVES[type(record)]
            put.setdefault(shelf, dict(getattr(self, shelf)))[identity(record)] = record
        found = {
            each.candidate_id: record.alarm_id
            for record in records
            if isinstance(record, Alarm)
            for each in record.findings
        }
        return replace(self, **put, found_in=self.found_in | found) if put else self

    def record(self, kind: type[Record], key: str) -> Record | None:
        """The record of that type and id; null where there is none."""
        shelf: Mapping[str, Record] = getattr(self, _SHELVES[kind][0])
        return shelf.get(key)

    def hold_on(self, tag: str) -> Hold | None:
        """The hold in force on a source; null where none is."""
        hold = self.holds.get(tag)
        return hold if hold and hold.lifted_at is None else None

    def state_of(self, alarm: Alarm) -> State:
        """Where an alarm stands, as ISA-18.2 names it."""
        if alarm.verdict == "rejected":
            return "normal"
        hold = self.hold_on(alarm.tag)
        if hold and (alarm.is_active or alarm.acked_at is None or alarm.is_latched):
            return hold.kind
        if alarm.is_active:
            return "active_unacked" if alarm.acked_at is None else "active_acked"
        if alarm.acked_at is None:
            return "cleared_unacked"
        return "latched" if alarm.is_latched else "normal"

    def is_open(self, alarm: Alarm) -> bool:
        """Whether it still asks for something: its own state, or its disposition that is not closed."""
        disposition = self.dispositions.get(alarm.disposition_id or "")
        return self.state_of(alarm) != "normal" or (disposition is not None and disposition.state != "closed")

    def without_finished(self, before: datetime) -> Board:
        """The board without what ended before: it is in the database, no longer in mind.

        What is still open stays, and so does all that belongs to an open disposition.
        """
        alarms = {
            key: alarm
            for key, alarm in self.alarms.items()
            if self.is_open(alarm) or alarm.last_moved_at >= before or any(each.is_open for each in alarm.findings)
        }
        needed = {alarm.disposition_id for alarm in alarms.values()}
        dispositions = {
            key: each
            for key, each in self.dispositions.items()
            if key in needed or each.closed_at is None or each.closed_at >= before
        }
        found = {candidate: alarm for candidate, alarm in self.found_in.items() if alarm in alarms}
        emergencies = {
            key: each for key, each in self.emergencies.items() if each.ended_at is None or each.ended_at >= before
        }
        handovers = {key: each for key, each in self.handovers.items() if each.made_at >= before}
        return replace(
            self, alarms=alarms, dispositions=dispositions, found_in=found, emergencies=emergencies, handovers=handovers
        )
