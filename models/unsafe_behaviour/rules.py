"""The declared behaviours held against tracks: what a picture shows, in words, and when that becomes an event.

`Judge` looks at the pictures of one camera in order. It knows each person by the number of their first track, counts
time and repetition, raises an event once, says when it is over, and forgets people who have left.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from minefusion.models.unsafe_behaviour.scene import (
    Floor,
    Person,
    Scene,
    Step,
    Trail,
    holds_at,
    is_inside,
    may_run,
    step_of,
)
from minefusion.schemas.behaviours import (
    Behaviour,
    Condition,
    Confirmed,
    CountDiffers,
    Crosses,
    InView,
    InZone,
    Lasting,
    Lies,
    Moves,
    People,
    Stays,
    Wears,
    all_behaviours,
    at_camera,
)
from minefusion.schemas.site_cameras import ZONE_KINDS, CameraZone, View

# Who was not seen for so long has left [s].
FORGET_S = 3.0
# A new track that begins so near to where one was lost is the same person [m].
SAME_WITHIN_M = 1.5
# A walker's way and a zone's way agree from this cosine on: 60 degrees.
AGREES = 0.5
# A time is over when it lacks no more than this: pictures do not come to the millisecond [s].
SLACK_S = 0.05

WEARING = {
    "helmet": ("安全帽", "a helmet"),
    "bare_head": ("头部裸露", "a bare head"),
    "vest": ("反光衣", "a vest"),
    "no_vest": ("无反光衣", "no vest"),
}


@dataclass(frozen=True)
class Event:
    """An unsafe behaviour on one camera.

    Attributes:
        subject: whom it is about: the number of a person, a zone's id, or 'camera'.
        began_at, raised_at: when the condition began to hold, and the picture in which it was certain [s, UTC].
        ended_at: when it held last; None while it goes on.
        boxes: people it is about, in that picture.
        people: how many there are in the picture.
        assumed_running: machines that were taken to run because nothing was known of them.
    """

    behaviour: Behaviour
    camera_code: str
    subject: str
    began_at: float
    raised_at: float
    confidence: float
    sentence_zh: str
    sentence_en: str
    zone_id: str | None = None
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    people: int = 0
    assumed_running: tuple[str, ...] = ()
    ended_at: float | None = None

    @property
    def delay_s(self) -> float:
        """From its beginning to the picture that made it certain [s]."""
        return self.raised_at - self.began_at


@dataclass(frozen=True)
class Finding:
    """What one condition finds in one picture; words only where it holds."""

    holds: bool
    confidence: float = 1.0
    zh: str = ""
    en: str = ""
    since: float | None = None
    zone: CameraZone | None = None
    zone_id: str | None = None
    assumed: tuple[str, ...] = ()


_NO = Finding(False, 0.0)


@dataclass(frozen=True)
class _Subject:
    """One person, zone or camera in one picture, and what was kept of it."""

    key: str
    scene: Scene
    memory: dict[str, _Memory]
    trail: Trail | None = None
    zone: CameraZone | None = None
    inside: tuple[Person, ...] = ()


@dataclass
class _Memory:
    """What a condition that looks back keeps of one subject."""

    seen: deque[tuple[float, bool, float]] = field(default_factory=deque)
    since: float | None = None
    anchor: Step | None = None


@dataclass
class _Going:
    """An event that goes on, and when its condition held last."""

    event: Event
    held_at: float


class Judge:
    """Holds the behaviours against one camera's pictures, in the order of their capture."""

    def __init__(self, view: View, behaviours: Iterable[Behaviour] | None = None) -> None:
        self.view = view
        self.behaviours = at_camera(all_behaviours() if behaviours is None else behaviours, view.behaviours)
        self._floor = Floor(view.floor) if view.floor else None
        self._trails: dict[int, Trail] = {}
        self._memories: dict[str, dict[str, _Memory]] = {}
        self._going: dict[tuple[str, str], _Going] = {}
        self._rests_until: dict[tuple[str, str], float] = {}

    def look(self, scene: Scene) -> list[Event]:
        """Events that this picture raises, and events that were over by it, with their end."""
        self._follow(scene)
        changed: list[Event] = []
        for behaviour in self.behaviours:
            for subject in self._subjects(behaviour, scene):
                found = self._find(behaviour.when, subject, behaviour.code)
                changed += self._judge(behaviour, subject, found)
        changed += self._forget(scene.at)
        return changed

    def close(self) -> list[Event]:
        """The events that still went on at the last picture, ended when they held last."""
        ended = [replace(going.event, ended_at=going.held_at) for going in self._going.values()]
        self._going.clear()
        return ended

    def subject_of(self, track: int) -> int | None:
        """The number of the person whom a track follows."""
        trail = self._trails.get(track)
        return trail.subject if trail else None

    # ── whom it is about ────────────────────────────────────────────────────────────────────────────────────────
    def _follow(self, scene: Scene) -> None:
        seen = {person.track for person in scene.people}
        for person in scene.people:
            if person.track not in self._trails:
                self._trails[person.track] = self._taken_up(person, scene, seen) or Trail(person.track, scene.at)
            self._trails[person.track].add(person, scene, self._floor, self.view.lines)

    def _taken_up(self, person: Person, scene: Scene, seen: set[int]) -> Trail | None:
        """The trail of a person who was lost near here: trackers give people new numbers behind a pillar."""
        here = step_of(person, scene, self._floor)
        lost = [
            (here.away_from(trail.here), track)
            for track, trail in self._trails.items()
            if track not in seen and trail.last_at < scene.at
        ]
        near = [each for each in lost if each[0] <= SAME_WITHIN_M]
        return self._trails.pop(min(near)[1]) if near else None

    def _subjects(self, behaviour: Behaviour, scene: Scene) -> Iterator[_Subject]:
        if behaviour.of == "person":
            for person in scene.people:
                trail = self._trails[person.track]
                yield self._subject(str(trail.subject), scene, trail=trail, inside=(person,))
        elif behaviour.of == "zone":
            for zone in self._zones(behaviour.zone or "", scene.at):
                inside = tuple(person for person in scene.people if is_inside(zone.corners, person.feet))
                yield self._subject(f"zone {zone.zone_id}", scene, zone=zone, inside=inside)
        else:
            yield self._subject("camera", scene, inside=scene.people)

    def _subject(self, key: str, scene: Scene, **more: object) -> _Subject:
        return _Subject(key, scene, self._memories.setdefault(key, {}), **more)  # type: ignore[arg-type]

    def _zones(self, kind: str, at: float) -> Iterator[CameraZone]:
        for zone in self.view.zones:
            if zone.kind == kind and holds_at(zone, at, self.view.utc_offset_h):
                yield zone

    # ── what the conditions find ────────────────────────────────────────────────────────────────────────────────
    def _find(self, condition: Condition, subject: _Subject, path: str) -> Finding:
        kind = condition.kind
        if kind in ("all_of", "any_of"):
            found = [self._find(part, subject, f"{path}/{n}") for n, part in enumerate(condition.parts)]
            return _all(found) if kind == "all_of" else _any(found)
        if condition.lasting:
            return self._lasting(condition.lasting, subject, f"{path}/lasting")
        if condition.confirmed:
            return self._confirmed(condition.confirmed, subject, f"{path}/confirmed")
        finder = getattr(self, f"_{kind}")
        return finder(getattr(condition, kind), subject, path)

    def _lasting(self, asked: Lasting, subject: _Subject, path: str) -> Finding:
        inner = self._find(asked.when, subject, path)
        memory = subject.memory.setdefault(path, _Memory())
        at = subject.scene.at
        zone = inner.zone or subject.zone
        seconds = zone.after_s if zone and zone.after_s is not None else asked.seconds
        memory.seen.append((at, inner.holds, inner.confidence))
        while memory.seen[0][0] < at - seconds - SLACK_S:
            memory.seen.popleft()
        if not any(holds for _, holds, _ in memory.seen):
            memory.since = None
        elif memory.since is None:
            memory.since = at
        held = [confidence for _, holds, confidence in memory.seen if holds]
        since = memory.since
        # It began so long ago, and there are not too many holes in it.
        if not inner.holds or since is None or since > at - seconds + SLACK_S:
            return _NO
        if len(held) < asked.share * len(memory.seen):
            return _NO
        lasted = at - since
        return replace(
            inner,
            confidence=sum(held) / len(held),
            since=since if inner.since is None else min(since, inner.since),
            zh=f"{inner.zh}，持续{lasted:.1f}秒",
            en=f"{inner.en}, for {lasted:.1f} s",
        )

    def _confirmed(self, asked: Confirmed, subject: _Subject, path: str) -> Finding:
        inner = self._find(asked.when, subject, path)
        memory = subject.memory.setdefault(path, _Memory())
        memory.seen.append((subject.scene.at, inner.holds, inner.confidence))
        while len(memory.seen) > asked.of:
            memory.seen.popleft()
        held = [(at, confidence) for at, holds, confidence in memory.seen if holds]
        if not inner.holds or len(held) < asked.pictures:
            return _NO
        return replace(
            inner,
            confidence=sum(confidence for _, confidence in held) / len(held),
            since=held[0][0] if inner.since is None else min(held[0][0], inner.since),
            zh=f"{inner.zh}，最近{len(memory.seen)}帧中{len(held)}帧",
            en=f"{inner.en}, in {len(held)} of the last {len(memory.seen)} pictures",
        )

    def _in_view(self, asked: InView, subject: _Subject, _path: str) -> Finding:
        (person,) = subject.inside
        left, top, right, bottom = person.box
        edge = asked.clear_of_edge
        clear = left >= edge and top >= edge and right <= 1 - edge and bottom <= 1 - edge
        return Finding(clear and person.height >= asked.height_at_least)

    def _wears(self, asked: Wears, subject: _Subject, _path: str) -> Finding:
        (person,) = subject.inside
        sure = person.wearing.get(asked.label, 0.0)
        if sure < asked.at_least or sure <= person.wearing.get(asked.rather_than, 0.0):
            return _NO
        zh, en = WEARING[asked.label]
        return Finding(True, sure, f"看到{zh}", f"{en} is seen")

    def _in_zone(self, asked: InZone, subject: _Subject, _path: str) -> Finding:
        (person,) = subject.inside
        for zone in self._zones(asked.kind, subject.scene.at):
            if not is_inside(zone.corners, person.feet):
                continue
            zh, en = zone.name_zh or ZONE_KINDS[zone.kind][0], zone.name_en or ZONE_KINDS[zone.kind][1]
            zh, en = f"人员在{zh}内", f"a person is in {en}"
            where = Finding(True, person.confidence, zh, en, zone=zone, zone_id=zone.zone_id)
            if asked.machine == "any":
                return where
            if may_run(zone.machine_id, subject.scene.machines):
                return _running(where, zone.machine_id, subject.scene.machines)
        return _NO

    def _crosses(self, asked: Crosses, subject: _Subject, _path: str) -> Finding:
        (person,) = subject.inside
        assert subject.trail is not None
        for line in self.view.lines:
            if line.kind != asked.kind or not subject.trail.has_crossed(line):
                continue
            where = Finding(
                True,
                person.confidence,
                f"人员越过{line.name_zh}",
                f"a person passed {line.name_en}",
                zone_id=line.line_id,
            )
            if asked.machine == "any":
                return where
            if may_run(line.machine_id, subject.scene.machines):
                return _running(where, line.machine_id, subject.scene.machines)
        return _NO

    def _moves(self, asked: Moves, subject: _Subject, _path: str) -> Finding:
        assert subject.trail is not None
        (person,) = subject.inside
        motion = subject.trail.velocity()
        if motion is None:
            return _NO
        speed, right, down = motion
        too_slow = asked.at_least_m_s is not None and speed < asked.at_least_m_s
        too_fast = asked.at_most_m_s is not None and speed > asked.at_most_m_s
        if too_slow or too_fast:
            return _NO
        if asked.way == "any":
            return Finding(True, person.confidence, f"速度{speed:.1f}米/秒", f"at {speed:.1f} m/s")
        for zone in self._zones(asked.kind or "", subject.scene.at):
            if zone.way is None or not is_inside(zone.corners, person.feet):
                continue
            along = _cosine((right, down), (zone.way[0] * subject.scene.aspect, zone.way[1]))
            if (along if asked.way == "along" else -along) >= AGREES:
                zh, en = ("顺", "along") if asked.way == "along" else ("逆", "against")
                said = Finding(
                    True, person.confidence, f"{zh}向移动，{speed:.1f}米/秒", f"moving {en} it at {speed:.1f} m/s"
                )
                return replace(said, zone=zone, zone_id=zone.zone_id)
        return _NO

    def _lies(self, asked: Lies, subject: _Subject, _path: str) -> Finding:
        (person,) = subject.inside
        if person.lying is None or person.lying < asked.at_least:
            return _NO
        return Finding(True, person.lying, "人员躺卧", "a person lies")

    def _stays(self, asked: Stays, subject: _Subject, path: str) -> Finding:
        assert subject.trail is not None
        (person,) = subject.inside
        memory = subject.memory.setdefault(path, _Memory())
        here = subject.trail.here
        if memory.anchor is None or here.away_from(memory.anchor) > asked.within_m:
            memory.anchor = here
        stayed = here.at - memory.anchor.at
        wanted = next(
            (
                zone.after_s
                for zone in self._zones("post", here.at)
                if zone.after_s and is_inside(zone.corners, person.feet)
            ),
            asked.seconds,
        )
        if stayed < wanted - SLACK_S:
            return _NO
        zh, en = f"{stayed:.0f}秒未移动", f"not moved for {stayed:.0f} s"
        return Finding(True, person.confidence, zh, en, since=memory.anchor.at)

    def _people(self, asked: People, subject: _Subject, _path: str) -> Finding:
        assert subject.zone is not None
        zone, count = subject.zone, len(subject.inside)
        least = (zone.cap or 0) + 1 if asked.over_cap else asked.at_least
        if (least is not None and count < least) or (asked.at_most is not None and count > asked.at_most):
            return _NO
        sure = min((person.confidence for person in subject.inside), default=1.0)
        zh, en = zone.name_zh or ZONE_KINDS[zone.kind][0], zone.name_en or ZONE_KINDS[zone.kind][1]
        cap_zh, cap_en = (f"，核定{zone.cap}人", f", cap {zone.cap}") if asked.over_cap else ("", "")
        zh, en = f"{zh}内{count}人{cap_zh}", f"{count} in {en}{cap_en}"
        return Finding(True, sure, zh, en, zone=zone, zone_id=zone.zone_id)

    def _count_differs(self, asked: CountDiffers, subject: _Subject, _path: str) -> Finding:
        seen, carried = len(subject.scene.people), subject.scene.carried
        if carried is None:
            return _NO
        allowed = max(math.ceil(asked.share * max(seen, carried)), asked.at_least - 1)
        if abs(seen - carried) <= allowed:
            return _NO
        sure = min((person.confidence for person in subject.scene.people), default=1.0)
        return Finding(True, sure, f"视频{seen}人，定位{carried}人", f"{seen} on video, {carried} by positioning")

    # ── what becomes of it ──────────────────────────────────────────────────────────────────────────────────────
    def _judge(self, behaviour: Behaviour, subject: _Subject, found: Finding) -> list[Event]:
        about, at = (behaviour.code, subject.key), subject.scene.at
        going = self._going.get(about)
        if found.holds:
            if going is not None:
                going.held_at = at
                return []
            if at < self._rests_until.get(about, -math.inf):
                return []
            event = self._event(behaviour, subject, found)
            self._going[about] = _Going(event, at)
            return [event]
        if going is not None and at - going.held_at >= behaviour.ends_after_s - SLACK_S:
            return [self._end(about)]
        return []

    def _event(self, behaviour: Behaviour, subject: _Subject, found: Finding) -> Event:
        at = subject.scene.at
        began_at = at if found.since is None else found.since
        local = datetime.fromtimestamp(began_at, UTC) + timedelta(hours=self.view.utc_offset_h)
        camera_zh, camera_en = (name or self.view.camera_code for name in (self.view.name_zh, self.view.name_en))
        assumed_zh, assumed_en = "", ""
        if found.assumed:
            assumed_zh, assumed_en = "（设备状态未知，按运行计）", " (state of the machine not known, taken to run)"
        return Event(
            behaviour=behaviour,
            camera_code=self.view.camera_code,
            subject=subject.key,
            began_at=began_at,
            raised_at=at,
            confidence=round(found.confidence, 4),
            sentence_zh=f"{camera_zh}：{behaviour.zh}。{found.zh}，{local:%H:%M:%S}起{assumed_zh}",
            sentence_en=f"{camera_en}: {behaviour.en}. {found.en}, since {local:%H:%M:%S}{assumed_en}",
            zone_id=found.zone_id,
            boxes=tuple(person.box for person in subject.inside),
            people=len(subject.scene.people),
            assumed_running=found.assumed,
        )

    def _end(self, about: tuple[str, str]) -> Event:
        going = self._going.pop(about)
        self._rests_until[about] = going.held_at + going.event.behaviour.cool_down_s
        return replace(going.event, ended_at=going.held_at)

    def _forget(self, at: float) -> list[Event]:
        """Who was not seen for long has left: their events are over, and nothing is kept of them."""
        gone = [track for track, trail in self._trails.items() if at - trail.last_at > FORGET_S]
        ended = []
        for track in gone:
            key = str(self._trails.pop(track).subject)
            ended += [self._end(about) for about in list(self._going) if about[1] == key]
            self._memories.pop(key, None)
            for about in [about for about in self._rests_until if about[1] == key]:
                del self._rests_until[about]
        return ended


def _all(found: list[Finding]) -> Finding:
    if not all(each.holds for each in found):
        return _NO
    return _joined(found, min(each.confidence for each in found))


def _any(found: list[Finding]) -> Finding:
    holding = [each for each in found if each.holds]
    return _joined(holding, max(each.confidence for each in holding)) if holding else _NO


def _joined(found: list[Finding], confidence: float) -> Finding:
    """Several findings as one: their words after one another, the place of the first that has one."""
    placed = next((each for each in found if each.zone_id), found[0])
    since = [each.since for each in found if each.since is not None]
    return Finding(
        True,
        confidence,
        "，".join(each.zh for each in found if each.zh),
        ", ".join(each.en for each in found if each.en),
        # All hold since the last of them began.
        max(since) if since else None,
        placed.zone,
        placed.zone_id,
        tuple(sorted({machine for each in found for machine in each.assumed})),
    )


def _running(where: Finding, machine_id: str | None, machines: Mapping[str, bool | None]) -> Finding:
    """The place, and that its machine runs or is taken to run."""
    known = machine_id is not None and machines.get(machine_id) is not None
    zh, en = ("设备运行中", "the machine runs") if known else ("设备按运行计", "the machine is taken to run")
    return replace(
        where, zh=f"{where.zh}，{zh}", en=f"{where.en}, {en}", assumed=() if known else (machine_id or "unnamed",)
    )


def _cosine(a: tuple[float, float], b: tuple[float, float]) -> float:
    lengths = math.hypot(*a) * math.hypot(*b)
    return (a[0] * b[0] + a[1] * b[1]) / lengths if lengths > 0 else 0.0
