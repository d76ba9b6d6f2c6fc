"""Where the people of a shift work: posts at chambers, faces, headings and gates, the rest along the trunk roads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from minefusion.pipelines.simulate.layout import Layout
from minefusion.schemas.errors import InputError

# Nobody works so near the end of a roadway that people in the next one count as company.
ROAD_END_M = 8.0
# Work in a beat of at least this length keeps five people from standing within 15 m of each other.
SHORTEST_BEAT_M = 13.0
TRUNK_BEAT_M = 40.0
GATE_BEAT_M, MOST_IN_GATE = 90.0, 5
HEADING_BEAT_M = 42.0

_FACE_TRADES = ("采煤机司机", "支架工", "刮板机司机", "瓦斯检查员", "支架工", "电工")
_HEADING_TRADES = ("掘进机司机", "支护工", "瓦斯检查员", "支护工", "带式输送机司机")


@dataclass(frozen=True)
class Post:
    """Where one person of a shift works: a beat on one roadway."""

    edge: int
    low_m: float
    high_m: float
    trade: str
    department: str
    kind: str


def posts_of(layout: Layout, people: int) -> list[Post]:
    """Posts for a shift of `people`, most needed first.

    Raises:
        InputError: the mine has no room for so many.
    """
    posts = [*_leading(layout), *_in_chambers(layout), *_in_turn(_at_work(layout))]
    beat = TRUNK_BEAT_M
    while len(posts) + len(on_trunk := list(_on_trunk(layout, beat))) < people and beat > SHORTEST_BEAT_M:
        beat = max(SHORTEST_BEAT_M, beat * 0.7)
    posts += on_trunk
    if people > len(posts):
        raise InputError(
            f"expected at most {len(posts)} --people for a mine of {len(layout.edges)} roadways, got {people}; "
            "give it more --roadways"
        )
    return posts[:people]


def _beats(layout: Layout, edge: int, beat_m: float) -> list[tuple[float, float]]:
    """Beats of at least `beat_m` side by side on a roadway."""
    room = layout.edges[edge].length_m - 2 * ROAD_END_M
    count = int(room // beat_m)
    return [(ROAD_END_M + n * room / count, ROAD_END_M + (n + 1) * room / count) for n in range(count)]


def _leading(layout: Layout) -> Iterator[Post]:
    edge = layout.index("pit_bottom")[0]
    for low, high in _beats(layout, edge, 40.0)[:1]:
        yield Post(edge, low, high, "管理", "调度室", "leader")


def _in_chambers(layout: Layout) -> Iterator[Post]:
    for number, edge in enumerate(layout.index("chamber")):
        trade, team = (("电工", "机电队"), ("水泵工", "机电队"))[number % 2]
        beats = _beats(layout, edge, SHORTEST_BEAT_M)
        middle = len(beats) // 2
        for low, high in beats[middle - 1 : middle + 1]:
            yield Post(edge, low, high, trade, team, "chamber")


def _at_work(layout: Layout) -> Iterator[list[Post]]:
    """Posts at each face, heading and gate."""
    for face in layout.faces:
        team = f"综采{face.number}队"
        beats = _beats(layout, face.face, SHORTEST_BEAT_M)
        yield [
            Post(face.face, low, high, _FACE_TRADES[n % len(_FACE_TRADES)], team, "face")
            for n, (low, high) in enumerate(beats)
        ]
        for gate, trade in ((face.intake, "带式输送机司机"), (face.gate, "巷修工")):
            beats_in = [(edge, *beat) for edge in gate for beat in _beats(layout, edge, GATE_BEAT_M)]
            spread = beats_in[:: max(1, math.ceil(len(beats_in) / MOST_IN_GATE))]
            yield [Post(edge, low, high, trade, team, "gate") for edge, low, high in spread]
    for heading in layout.headings:
        team = f"掘进{heading.number}队"
        at = [(heading.face, *_beats(layout, heading.face, SHORTEST_BEAT_M)[0])]
        at += [(heading.road, *beat) for beat in _beats(layout, heading.road, HEADING_BEAT_M)]
        yield [
            Post(edge, low, high, _HEADING_TRADES[n % len(_HEADING_TRADES)], team, "heading")
            for n, (edge, low, high) in enumerate(at)
        ]


def _in_turn(groups: Iterable[list[Post]]) -> Iterator[Post]:
    """The first of each group, then the second of each, …"""
    waiting = [list(group) for group in groups]
    while waiting:
        for group in waiting:
            if group:
                yield group.pop(0)
        waiting = [group for group in waiting if group]


def _on_trunk(layout: Layout, beat_m: float) -> Iterator[Post]:
    roles = {
        "main_intake": ("轨道工", "运输队"),
        "belt": ("带式输送机司机", "运输队"),
        "main_return": ("巷修工", "巷修队"),
        "district_intake": ("信号工", "运输队"),
        "district_return": ("测风员", "通风队"),
        "heading_link": ("通风工", "通风队"),
        "heading_return": ("通风工", "通风队"),
        "pit_bottom": ("把钩工", "运输队"),
        "belt_return": ("巷修工", "巷修队"),
    }
    groups = []
    for edge, role in enumerate(layout.roles):
        if role in roles:
            trade, team = roles[role]
            skip = 1 if role == "pit_bottom" else 0  # the leader's beat
            beats = _beats(layout, edge, beat_m)[skip:]
            groups.append([Post(edge, low, high, trade, team, "trunk") for low, high in beats])
    yield from _in_turn(groups)
