"""People underground: three shifts a day that ride and walk to their posts, work there, and come back.

Everybody's day is a chain of straight legs in time, each on one roadway, so that nobody can jump; positions at any
instant are read off it. This is the truth; what the positioning system makes of it is in `positioning`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.air import STEP_S
from minefusion.pipelines.simulate.layout import Layout
from minefusion.pipelines.simulate.posts import ROAD_END_M, TRUNK_BEAT_M, Post, posts_of
from minefusion.pipelines.simulate.scenario import Event
from minefusion.pipelines.simulate.streams import stream
from minefusion.schemas.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

WALK_M_S, WALK_SPREAD = 1.1, 0.15
# People ride in the shaft's cage, on vehicles in the intake roads and on the chairlift of a face's intake gate [m/s].
RIDE_M_S = {"man_shaft": 5.0, "main_intake": 4.0, "district_intake": 3.5, "intake_gate": 2.0}
DOOR_DETOUR = 4.0  # a pair of air doors costs as much as four times its way: the law keeps traffic away from them
# The cage takes a shift down, and the one before up, in this time around the change of shift [s]; a larger shift than
# so many people takes longer.
ENTER_FROM, ENTER_UNTIL, LEAVE_FROM, LEAVE_UNTIL = -1500.0, 1500.0, -1200.0, 1800.0
CAGE_HOLDS = 200
GROUP_APART_S = 30.0  # a group walks in single file, so far apart
GROUP_SPOT_M = 14.0  # and then stands together on this length of roadway
CALL_AFTER_S = 300.0  # a person who lies still calls for help after this time
OVERTIME_STAY_S = 4800.0  # and one who stays too long leaves at last, this long after the hours of the scenario

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟强磊军洋勇杰涛明超刚平辉鹏华飞斌波宇浩凯健俊帆建国建军志强志伟文斌海波永强立新德胜"
_EDUCATION = ("初中", "高中", "中专", "大专", "本科")


@dataclass(frozen=True)
class Person:
    """The holder of a card."""

    card: str
    name: str
    trade: str
    duty: str
    department: str
    born: str
    education: str
    is_leader: bool
    is_special_worker: bool


@dataclass(frozen=True)
class Stay:
    """Work between two places of a roadway until an instant; a beat of no length is standing still."""

    edge: int
    low_m: float
    high_m: float
    until_s: float


@dataclass(frozen=True)
class Spell:
    """One person's time underground."""

    person: int
    entered_s: float
    left_s: float
    legs: Floats  # legs × (begin_s, end_s, edge, from_m, to_m)


@dataclass(frozen=True)
class Call:
    """A distress call by card, from an instant to another."""

    person: int
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Track:
    """Where everybody is every STEP_S: one row per spell and step, in this order, from entering to leaving.

    `step` counts from the start of the run and is negative for what was before it.
    """

    spell: Ints
    person: Ints
    step: Ints
    edge: Ints
    chainage_m: Floats


@dataclass(frozen=True)
class Crew:
    """Everybody who is underground at some time of the run."""

    people: tuple[Person, ...]
    spells: tuple[Spell, ...]
    calls: tuple[Call, ...]
    involved: dict[str, tuple[int, ...]] = field(default_factory=dict)  # event → persons it is about

    def track(self) -> Track:
        """Positions on the grid of STEP_S."""
        parts = [_on_grid(number, spell) for number, spell in enumerate(self.spells)]
        if not parts:
            none = np.zeros(0, dtype=np.intp)
            return Track(none, none, none, none, np.zeros(0))
        spell, step, edge, chainage = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        person = np.array([s.person for s in self.spells], dtype=np.intp)[spell]
        return Track(spell, person, step, edge, chainage)


def _on_grid(number: int, spell: Spell) -> tuple[Ints, Ints, Ints, Floats]:
    legs = spell.legs
    steps = np.arange(math.ceil(spell.entered_s / STEP_S), math.ceil(spell.left_s / STEP_S))
    at = steps * STEP_S
    leg = np.clip(np.searchsorted(legs[:, 0], at, side="right") - 1, 0, len(legs) - 1)
    begin, end, edge, low, high = legs[leg].T
    share = np.clip((at - begin) / np.maximum(end - begin, 1e-9), 0.0, 1.0)
    return np.full(len(steps), number), steps, edge.astype(np.intp), low + share * (high - low)


class Ways:
    """The quickest ways through the roadways that people may use."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.graph = nx.Graph()
        for edge, (start, end) in enumerate(layout.ends):
            if not layout.edges[edge].is_walkable:
                continue
            seconds = layout.edges[edge].length_m / self.speed(edge, WALK_M_S)
            if layout.roles[edge] == "doors":
                seconds *= DOOR_DETOUR
            if not self.graph.has_edge(start, end) or seconds < self.graph[start][end]["seconds"]:
                self.graph.add_edge(start, end, seconds=seconds, edge=edge)
        self._from = lru_cache(maxsize=None)(self._dijkstra)

    def speed(self, edge: int, walking_m_s: float) -> float:
        """Speed of a person on a roadway [m/s]; on foot slower where it climbs (Tobler)."""
        role = self.layout.roles[edge]
        if role in RIDE_M_S:
            return RIDE_M_S[role]
        start, end = (self.layout.site.nodes[node] for node in self.layout.ends[edge])
        flat = max(math.dist((start.x, start.y), (end.x, end.y)), 1.0)
        return max(walking_m_s * math.exp(-3.5 * abs(start.z - end.z) / flat), 0.3)

    def _dijkstra(self, node: int) -> tuple[dict[int, float], dict[int, list[int]]]:
        return nx.single_source_dijkstra(self.graph, node, weight="seconds")

    def way(self, start: tuple[int, float], end: tuple[int, float]) -> list[tuple[int, float, float]]:
        """Legs (edge, from, to) from one place (edge, chainage) to another."""
        if start[0] == end[0]:
            return [(start[0], start[1], end[1])] if start[1] != end[1] else []
        best: tuple[float, int, int] | None = None
        for out_side, out in enumerate(self.layout.ends[start[0]]):
            if out not in self.graph:  # the blind end of a goaf
                continue
            seconds, _ = self._from(out)
            for in_side, into in enumerate(self.layout.ends[end[0]]):
                if into not in seconds:
                    continue
                whole = seconds[into] + (self._to_end(start, out_side) + self._to_end(end, in_side)) / WALK_M_S
                if best is None or whole < best[0]:
                    best = (whole, out_side, in_side)
        assert best is not None, "every road that people use joins the shaft"
        _, out_side, in_side = best
        out, into = self.layout.ends[start[0]][out_side], self.layout.ends[end[0]][in_side]
        legs = [(start[0], start[1], self._end_m(start[0], out_side))]
        path = self._from(out)[1][into]
        for here, there in pairwise(path):
            edge = self.graph[here][there]["edge"]
            forward = self.layout.ends[edge][0] == here
            length = self.layout.edges[edge].length_m
            legs.append((edge, 0.0, length) if forward else (edge, length, 0.0))
        legs.append((end[0], self._end_m(end[0], in_side), end[1]))
        return [leg for leg in legs if leg[1] != leg[2]]

    def _end_m(self, edge: int, side: int) -> float:
        return self.layout.edges[edge].length_m if side else 0.0

    def _to_end(self, place: tuple[int, float], side: int) -> float:
        return abs(self._end_m(place[0], side) - place[1])

    def seconds(self, start: tuple[int, float], end: tuple[int, float], walking_m_s: float) -> float:
        return sum(abs(b - a) / self.speed(edge, walking_m_s) for edge, a, b in self.way(start, end))

    @property
    def top(self) -> tuple[int, float]:
        """The pit mouth."""
        return self.layout.index("man_shaft")[0], 0.0


class _Legs:
    """The legs of one spell while it is made."""

    def __init__(self, ways: Ways, entered_s: float, walking_m_s: float, rng: np.random.Generator) -> None:
        self.ways, self.walking_m_s, self.rng = ways, walking_m_s, rng
        self.at: tuple[int, float] = ways.top
        self.now = entered_s
        self.rows: list[Floats] = []

    def go(self, place: tuple[int, float]) -> None:
        legs = self.ways.way(self.at, place)
        if legs:
            edge, low, high = np.array(legs).T
            speed = np.array([self.ways.speed(int(each), self.walking_m_s) for each in edge])
            end = self.now + np.cumsum(np.abs(high - low) / speed)
            begin = np.concatenate(([self.now], end[:-1]))
            self.rows.append(np.column_stack((begin, end, edge, low, high)))
            self.now = float(end[-1])
        self.at = place

    def work(self, stay: Stay) -> None:
        """Walk to and fro in the beat until the stay ends."""
        length = stay.high_m - stay.low_m
        if self.at[0] != stay.edge or not stay.low_m <= self.at[1] <= stay.high_m:
            self.go((stay.edge, stay.low_m + 0.1 * length))
        left = stay.until_s - self.now
        if left <= 0:
            return
        if length == 0:
            self.rows.append(np.array([[self.now, stay.until_s, stay.edge, stay.low_m, stay.low_m]]))
            self.now = stay.until_s
            return
        count = int(left / 40.0) + 2
        # Each leg leads to the other end of the beat, so that ten minutes always show a movement.
        near = self.rng.uniform(0.0, 0.2, count) * length
        first_low = self.at[1] - stay.low_m > length / 2
        to_low = (np.arange(count) % 2 == 0) == first_low
        target = np.where(to_low, stay.low_m + near, stay.high_m - near)
        start = np.concatenate(([self.at[1]], target[:-1]))
        pace = np.abs(target - start) / (0.8 * self.walking_m_s)
        end = self.now + np.cumsum(np.maximum(pace, self.rng.uniform(40.0, 150.0, count)))
        begin = np.concatenate(([self.now], end[:-1]))
        rows = np.column_stack((begin, end, np.full(count, stay.edge), start, target))[begin < stay.until_s]
        last = rows[-1]
        last[4] = last[3] + (last[4] - last[3]) * min(1.0, (stay.until_s - last[0]) / (last[1] - last[0]))
        last[1] = stay.until_s
        self.rows.append(rows)
        self.now, self.at = stay.until_s, (stay.edge, float(last[4]))

    def spell(self, person: int, entered_s: float) -> Spell:
        return Spell(person, entered_s, self.now, np.concatenate(self.rows))


def _spell(
    ways: Ways, person: int, entered_s: float, stays: Sequence[Stay], walking_m_s: float, rng: np.random.Generator
) -> Spell:
    legs = _Legs(ways, entered_s, walking_m_s, rng)
    for stay in stays:
        legs.work(stay)
    legs.go(ways.top)
    return legs.spell(person, entered_s)


@dataclass(frozen=True)
class _Plan:
    """What one person means to do in one shift, before any event."""

    person: int
    post: Post
    entered_s: float
    until_s: float
    walking_m_s: float
    stream_name: str


def populate(
    layout: Layout, events: Sequence[Event], people: int, *, seconds: float, local_second: float, seed: int
) -> Crew:
    """Everybody underground in `seconds` from a start at `local_second` of the day, with what the events do to them.

    Raises:
        InputError: more people than posts, or too few for an event.
    """
    posts = posts_of(layout, people)
    ways = Ways(layout)
    register = _Register(layout.site.mine_code, seed)
    plans: list[_Plan] = []
    for shift, opening in enumerate(layout.site.shifts):
        first = register.add_shift(posts, shift)
        hour, minute = opening.start.split(":")
        begins = int(hour) * 3600 + int(minute) * 60 - local_second
        for day in range(-1, int(seconds // 86400) + 2):
            plans += _shift_plans(
                ways, posts, first, begins + 86400 * day, opening.hours * 3600, seconds, seed, f"{shift}/{day}"
            )
    drawn = stream(seed, "people", "events")
    detours, involved, calls = _detours(layout, ways, events, plans, drawn)
    spells = [
        _spell(
            ways,
            plan.person,
            plan.entered_s,
            [*detours.get(number, ()), Stay(plan.post.edge, plan.post.low_m, plan.post.high_m, plan.until_s)],
            plan.walking_m_s,
            stream(seed, "people", plan.stream_name),
        )
        for number, plan in enumerate(plans)
    ]
    for event in events:
        guests = _guests(layout, ways, event, spells, register, drawn)
        if guests:
            involved[event.event_id] = tuple(guest.person for guest in guests)
            spells += guests
    return Crew(tuple(register.people), tuple(spells), tuple(calls), involved)


def _shift_plans(
    ways: Ways,
    posts: Sequence[Post],
    first: int,
    begins_s: float,
    lasts_s: float,
    seconds: float,
    seed: int,
    name: str,
) -> Iterator[_Plan]:
    """One shift on one day, if any of it falls into the run."""
    ends_s, longer = begins_s + lasts_s, max(1.0, len(posts) / CAGE_HOLDS)
    if ends_s + longer * LEAVE_UNTIL < 0 or begins_s + longer * ENTER_FROM > seconds:
        return
    rng = stream(seed, "people", "shift", name)
    count = len(posts)
    share = (np.arange(count) + 0.5) / count
    enter = begins_s + longer * (ENTER_FROM + (ENTER_UNTIL - ENTER_FROM) * share) + rng.uniform(-0.2, 0.2, count)
    leave = ends_s + longer * (LEAVE_FROM + (LEAVE_UNTIL - LEAVE_FROM) * share)
    speed = np.clip(rng.normal(WALK_M_S, WALK_SPREAD, count), 0.8, 1.5)
    for number, post in enumerate(posts):
        pair = number
        if post.kind == "chamber":  # two who may not be alone come and go at one pace
            pair = number - (number > 0 and posts[number - 1].edge == post.edge)
        walking = float(speed[pair])
        home = ways.seconds((post.edge, (post.low_m + post.high_m) / 2), ways.top, walking)
        spread = float(enter[number] - enter[pair])
        until = float(leave[pair]) - home + spread
        if until + home < 0 or enter[number] > seconds:
            continue
        yield _Plan(first + number, post, float(enter[number]), until, walking, f"{name}/{number}")


# --- what events do to people ---


def _detours(
    layout: Layout, ways: Ways, events: Sequence[Event], plans: Sequence[_Plan], rng: np.random.Generator
) -> tuple[dict[int, list[Stay]], dict[str, tuple[int, ...]], list[Call]]:
    """Stays that come before the rest of somebody's shift, by number of the plan."""
    detours: dict[int, list[Stay]] = {}
    involved: dict[str, tuple[int, ...]] = {}
    calls: list[Call] = []
    for event in events:
        chosen: int | None = None
        if "lone_worker" in event.effects:
            chosen = _who(plans, event, detours, layout.index("chamber")[event.unit : event.unit + 1], rng)
            away = layout.index("pit_bottom")[0]
            detours[chosen] = _away(ways, plans[chosen], event, away, 20.0, 60.0)
        elif "intrusion" in event.effects:
            face = [face for face in layout.faces if face.goaf is not None][event.unit]
            chosen = _who(plans, event, detours, [face.face, *face.intake], rng)
            assert face.goaf is not None
            detours[chosen] = _away(ways, plans[chosen], event, face.goaf, 15.0, 60.0)
        elif "immobile" in event.effects or "distress_call" in event.effects:
            face = layout.faces[event.unit]
            chosen = _who(plans, event, detours, [*face.gate, *face.intake], rng)
            post = plans[chosen].post
            spot = float(rng.uniform(post.low_m, post.high_m))
            if "immobile" in event.effects:
                detours[chosen] = [
                    Stay(post.edge, post.low_m, post.high_m, event.onset_s),
                    Stay(post.edge, spot, spot, event.end_s),
                ]
            if "distress_call" in event.effects:
                begin = min(event.onset_s + CALL_AFTER_S, event.end_s - STEP_S)
                calls.append(Call(plans[chosen].person, begin, event.end_s))
        if chosen is not None:
            involved[event.event_id] = (plans[chosen].person,)
    return detours, involved, calls


def _who(
    plans: Sequence[_Plan],
    event: Event,
    taken: dict[int, list[Stay]],
    edges: Sequence[int],
    rng: np.random.Generator,
) -> int:
    """Somebody who works on one of these roadways from well before the event until after it."""
    near = [n for n, plan in enumerate(plans) if plan.post.edge in edges and n not in taken]
    whole = [n for n in near if plans[n].entered_s + 3000 < event.onset_s and plans[n].until_s > event.end_s + 600]
    some = [n for n in near if plans[n].entered_s + 3000 < event.onset_s and plans[n].until_s > event.onset_s + 1500]
    if not (whole or some):
        kinds = ", ".join(event.effects)
        raise InputError(f"expected somebody at work for {kinds} at that time; give the mine more --people or --hours")
    return int(rng.choice(whole or some))


def _away(ways: Ways, plan: _Plan, event: Event, edge: int, low_m: float, high_m: float) -> list[Stay]:
    """Leave the post to be at `edge` from the onset to the end."""
    middle = (plan.post.edge, (plan.post.low_m + plan.post.high_m) / 2)
    travel = ways.seconds(middle, (edge, low_m), plan.walking_m_s)
    post = plan.post
    return [
        Stay(post.edge, post.low_m, post.high_m, event.onset_s - travel),
        Stay(edge, low_m, high_m, min(event.end_s, plan.until_s - travel)),
    ]


def _guests(
    layout: Layout, ways: Ways, event: Event, spells: Sequence[Spell], register: _Register, rng: np.random.Generator
) -> list[Spell]:
    """People beside the shift's own: visitors who crowd or gather, and those who stay too long."""
    if "overtime" in event.effects:
        hours = event.effects["overtime"]["hours"]
        entered = event.onset_s - hours * 3600
        edge = layout.index("main_intake")[0]
        low = float(rng.uniform(ROAD_END_M, layout.edges[edge].length_m - 60.0))
        person = register.add("轨道工", "运输队", rng)
        until = min(event.end_s, event.onset_s + OVERTIME_STAY_S)
        return [_spell(ways, person, entered, [Stay(edge, low, low + TRUNK_BEAT_M, until)], WALK_M_S, rng)]
    face = layout.faces[event.unit] if event.place in ("face", "gate") else None
    if "crowd" in event.effects and face is not None:
        area = next(area for area in layout.site.areas if area.area_id == face.area_id)
        present = _fewest(layout, spells, face.area_id, event)
        count = (area.cap or 0) + round(event.effects["crowd"]["over_cap"]) - present
        edge = face.face
    elif "gathering" in event.effects and face is not None:
        count, edge = round(event.effects["gathering"]["persons"]), face.gate[0]
    else:
        return []
    length = layout.edges[edge].length_m
    low = float(rng.uniform(0.35, 0.5)) * length
    travel = ways.seconds(ways.top, (edge, low), WALK_M_S)
    guests = []
    for number in range(count):
        person = register.add("参观检查", "外来人员", rng)
        entered = event.onset_s - travel - (count - number) * GROUP_APART_S
        until = event.end_s + number * GROUP_APART_S
        guests.append(_spell(ways, person, entered, [Stay(edge, low, low + GROUP_SPOT_M, until)], WALK_M_S, rng))
    return guests


def _fewest(layout: Layout, spells: Sequence[Spell], area_id: str, event: Event) -> int:
    """Fewest people in an area at any time of the event."""
    track = Crew((), tuple(spells), ()).track()
    here = np.array([edge.area_id == area_id for edge in layout.edges])[track.edge]
    first, last = int(event.onset_s // STEP_S), int(event.end_s // STEP_S)
    inside = here & (track.step >= first) & (track.step < last)
    return int(np.bincount(track.step[inside] - first, minlength=max(last - first, 1)).min())


class _Register:
    """Hands out cards."""

    def __init__(self, mine_code: str, seed: int) -> None:
        self.mine_code = mine_code
        self.people: list[Person] = []
        self.rng = stream(seed, "people", "names")

    def add_shift(self, posts: Sequence[Post], shift: int) -> int:
        """Cards of one shift; returns the number of the first."""
        first = len(self.people)
        for number, post in enumerate(posts):
            duty = "矿领导" if post.kind == "leader" else "班长" if number % 12 == 5 else "工人"
            self.add(post.trade, f"{post.department}{'一二三四'[shift % 4]}班", self.rng, duty=duty)
        return first

    def add(self, trade: str, department: str, rng: np.random.Generator, *, duty: str = "工人") -> int:
        number = len(self.people) + 1
        name = _SURNAMES[int(rng.integers(len(_SURNAMES)))] + "".join(
            _GIVEN[int(each)] for each in rng.integers(len(_GIVEN), size=int(rng.integers(1, 3)))
        )
        born = f"{1968 + int(rng.integers(35))}-{1 + int(rng.integers(12)):02d}-{2 + int(rng.integers(27)):02d}"
        self.people.append(
            Person(
                card=f"{self.mine_code}{number:05d}",
                name=name,
                trade=trade,
                duty=duty,
                department=department,
                born=born,
                education=_EDUCATION[int(rng.integers(len(_EDUCATION)))],
                is_leader=duty == "矿领导",
                is_special_worker=trade in ("瓦斯检查员", "电工", "采煤机司机", "掘进机司机"),
            )
        )
        return len(self.people) - 1
