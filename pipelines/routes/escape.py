"""Who goes where, which way, and how long it takes: arrays and the graph in, one answer a person out.

In this order each person is given
1. a way to an exit through air that is good and stays good until it is passed, the quickest of them;
2. else the way to an exit with the least time under the self-rescuer, where every roadway that smoke will reach counts
   as bad from now on, and of those the quickest;
3. else the quickest way to an exit, staying ahead of the smoke as far as it goes;
4. to 6. the same to a refuge chamber that has places;
7. else the answer that there is no way, with the nearest refuge and what lies before it.

2 and 3 hold only where the self-rescuer lasts: from where bad air is first breathed to where it is left for good. One
search over the graph serves everybody; only people whom the smoke would catch on that way are searched for one by one.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.routes.roadways import (
    NOWHERE,
    TENTHS,
    WORN_WEIGHT,
    Goal,
    Roadways,
    Tree,
    searched,
    tree_of,
)
from minefusion.pipelines.routes.smoke import smoke_arrival

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# How a roadway may be used: freely; only where nothing else leads out; never.
OPEN, AVOIDED, FORBIDDEN = 0, 1, 2
Kind = Literal["exit", "refuge", "none", "unplaced"]
Air = Literal["good", "least_bad", "ahead_of_smoke"]


@dataclass(frozen=True)
class Conditions:
    """What the roadways are like at one moment, by roadway.

    Attributes:
        state: OPEN, AVOIDED or FORBIDDEN.
        smoky: smoke is there now. Such a roadway is at least avoided.
        velocity_m_s: of the air, positive from first to second node; NaN where not known.
    """

    state: Ints
    smoky: Bools
    velocity_m_s: Floats


@dataclass(frozen=True)
class People:
    """Where people are: number of the roadway, -1 where it is not known, and chainage [m]."""

    edge: Ints
    chainage_m: Floats

    def __len__(self) -> int:
        return len(self.edge)


@dataclass(frozen=True)
class Way:
    """What one person is told.

    Attributes:
        kind: where it leads; 'none': cut off; 'unplaced': not known where the person is.
        air: how good the air is; null without a way.
        goal: exit or chamber; for 'none' the nearest refuge (the nearest exit where the mine has no refuge), whatever
            lies before it; null where there is none at all.
        walk_s, worn_s: time on the way, and of it under the self-rescuer [s].
        length_m: of the way; for 'none' to that goal.
        pieces: of the way, in order, the one that the person stands on first.
        blocked_by: for 'none': forbidden roadways on the way to the goal; empty where the self-rescuer is too short.
    """

    kind: Kind
    air: Air | None = None
    goal: Goal | None = None
    walk_s: float | None = None
    worn_s: float | None = None
    length_m: float | None = None
    pieces: tuple[int, ...] = ()
    blocked_by: tuple[int, ...] = ()


UNPLACED = Way("unplaced")


def escape_ways(roads: Roadways, conditions: Conditions, people: People, self_rescuer_min: float) -> list[Way]:
    """One answer a person, in their order.

    A person leaves the roadway that they stand on whatever its state; no other forbidden roadway is used.
    """
    answers: list[Way] = [UNPLACED] * len(people)
    placed = np.flatnonzero(people.edge >= 0)
    if not len(placed):
        return answers
    moment = _Moment(roads, conditions, np.floor(self_rescuer_min * 60 * TENTHS))
    starts = {int(person): _Start.of(roads, people, int(person)) for person in placed}
    left = moment.answer(starts, roads.exits(), "exit", answers)
    chambers = list(roads.refuges())
    taken = dict.fromkeys((goal.goal_id for goal in chambers), 0)
    while left and chambers:
        # Whoever is there first has the place; the others are sent on.
        offered: list[Way] = [UNPLACED] * len(people)
        unreached = moment.answer({person: starts[person] for person in left}, chambers, "refuge", offered)
        again = []
        for person in sorted(set(left) - set(unreached), key=lambda each: (offered[each].walk_s or 0.0, each)):
            goal = offered[person].goal
            assert goal is not None
            if goal.places is None or taken[goal.goal_id] < goal.places:
                taken[goal.goal_id] += 1
                answers[person] = offered[person]
            else:
                again.append(person)
        chambers = [goal for goal in chambers if goal.places is None or taken[goal.goal_id] < goal.places]
        for person in unreached:
            answers[person] = moment.cut_off(starts[person])
        left = again
    for person in left:
        answers[person] = moment.cut_off(starts[person])
    return answers


def quiet_way(roads: Roadways, way: Way) -> tuple[int, ...]:
    """Pieces of the shortest way to an exit as if nothing had happened, from where `way` begins.

    It leaves the own piece by whichever end is nearer to an exit from there on.
    """
    tree, own = roads.to_exits, way.pieces[0]
    if tree is None:
        return ()
    node = min((int(roads.first[own]), int(roads.second[own])), key=tree.time.__getitem__)
    return (own, *roads.pieces_between(tree.way(node))) if tree.time[node] < math.inf else (own,)


@dataclass(frozen=True)
class _Start:
    """A person's place: piece, and (node, share of the piece to it) for both of its ends."""

    piece: int
    ends: tuple[tuple[int, float], tuple[int, float]]

    def time_to(self, share: float, times: Sequence[float] | Floats) -> float:
        """Time over a share of the piece, in whole tenths of a second."""
        return math.ceil(round(share * times[self.piece], 6))

    @staticmethod
    def of(roads: Roadways, people: People, person: int) -> _Start:
        edge, chainage = int(people.edge[person]), float(people.chainage_m[person])
        piece = roads.piece_at(edge, chainage)
        length = float(roads.length_m[piece])
        share = min(max((chainage - float(roads.from_m[piece])) / length, 0.0), 1.0) if length else 0.0
        return _Start(piece, ((int(roads.first[piece]), share), (int(roads.second[piece]), 1.0 - share)))


class _Moment:
    """The roadways as they are at one moment, by piece; times are whole tenths of a second.

    Attributes:
        is_bad: avoided or forbidden now. `turns_bad`: that, or smoke will reach it.
        good, lasting, passable: time to walk what is good now, what stays good, what is not forbidden; else inf.
        worst: time to walk what is not forbidden, slow wherever smoke is or will be.
    """

    def __init__(self, roads: Roadways, conditions: Conditions, rescuer: float) -> None:
        self.roads, self.rescuer = roads, rescuer
        self.smoke_at = smoke_arrival(roads, conditions.smoky, conditions.velocity_m_s)
        will_smoke = np.isfinite(self.smoke_at)
        state = np.maximum(conditions.state, np.where(conditions.smoky, AVOIDED, OPEN))[roads.edge]
        usable = roads.walkable[roads.edge]
        self.is_forbidden = state == FORBIDDEN
        self.is_bad = state != OPEN
        self.turns_bad = self.is_bad | will_smoke
        self.slowly = np.where(will_smoke, roads.smoke_time, roads.clear_time)
        self.good = np.where(usable & ~self.is_bad, roads.clear_time, np.inf)
        self.lasting = np.where(usable & ~self.turns_bad, roads.clear_time, np.inf)
        self.passable = np.where(usable & ~self.is_forbidden, roads.clear_time, np.inf)
        self.worst = np.where(usable & ~self.is_forbidden, self.slowly, np.inf)
        self.smokes = bool(will_smoke.any())

    def answer(self, starts: dict[int, _Start], goals: Sequence[Goal], kind: Kind, answers: list[Way]) -> list[int]:
        """Give a way to one of the goals to whoever has one; returns the others."""
        if not goals or not starts:
            return list(starts)
        search = _Search(self, goals, kind)
        left = []
        for person, start in starts.items():
            way = search.way_of(start)
            if way is None:
                left.append(person)
            else:
                answers[person] = way
        return left

    def cut_off(self, start: _Start) -> Way:
        """No way: the nearest refuge and what lies before it."""
        goals = self.roads.refuges() or self.roads.exits()
        if not goals:
            return Way("none")
        tree = self.roads.to_refuges if self.roads.refuges() else self.roads.to_exits
        assert tree is not None
        time, node, share = min(
            (tree.time[node] + start.time_to(share, self.roads.clear_time), node, share) for node, share in start.ends
        )
        if not np.isfinite(time):
            return Way("none")
        nodes = tree.way(node)
        pieces = [start.piece, *self.roads.pieces_between(nodes)]
        return Way(
            "none",
            goal=next(goal for goal in goals if goal.node == nodes[-1]),
            length_m=self.length(start, share, pieces),
            pieces=tuple(pieces),
            blocked_by=tuple(
                dict.fromkeys(int(self.roads.edge[piece]) for piece in pieces[1:] if self.is_forbidden[piece])
            ),
        )

    def length(self, start: _Start, share: float, pieces: Sequence[int]) -> float:
        """Of a way that begins with a share of its first piece [m]."""
        metres = self.roads.length_m
        return float(share * metres[start.piece] + metres[list(pieces[1:])].sum())


class _Search:
    """Ways to one set of goals; each of the searches that serve everybody is made when it is first needed."""

    def __init__(self, moment: _Moment, goals: Sequence[Goal], kind: Kind) -> None:
        self.moment, self.roads, self.goals, self.kind = moment, moment.roads, goals, kind
        self.goal_at = {goal.node: goal for goal in reversed(goals)}
        self.smoke_at = moment.smoke_at.tolist()
        self.clear_times = moment.roads.clear_time.tolist()
        self.smoke_times = moment.roads.smoke_time.tolist()
        self.good_times = moment.good.tolist()
        self.passable_times = moment.passable.tolist()
        self.is_bad = moment.is_bad.tolist()
        self.turns_bad = moment.turns_bad.tolist()

    @cached_property
    def good_tree(self) -> Tree:
        return tree_of(self.roads, self.moment.good, self.goals)

    @cached_property
    def passable_tree(self) -> Tree:
        return tree_of(self.roads, self.moment.passable, self.goals)

    @cached_property
    def least_bad_tree(self) -> Tree:
        """Over the three layers: time under the self-rescuer first, all time second, in one number."""
        walk, worn = np.tile(self.moment.lasting, 2), np.tile(self.moment.worst, 2) * (WORN_WEIGHT + 1)
        free = np.zeros(2 * self.roads.node_count)
        graph = self.roads.layered.weighted(np.concatenate((walk, worn, walk, free)))
        return searched(graph, self.goals, offset=2 * self.roads.node_count)

    @cached_property
    def leave_by(self) -> list[float]:
        """The latest time at which each node may be left so that smoke catches nobody on the way of `good_tree`."""
        tree, by = self.good_tree, [-math.inf] * self.roads.node_count
        reached = [node for node, time in enumerate(tree.time) if time < math.inf]
        for node in sorted(reached, key=tree.time.__getitem__):
            following = tree.following[node]
            if following == NOWHERE:
                by[node] = math.inf
            else:
                piece = self.roads.piece_of[node, following]
                by[node] = min(self.smoke_at[piece], by[following]) - self.clear_times[piece]
        return by

    @cached_property
    def leave_at_last(self) -> list[float]:
        """The latest time at which each node may be left so that there is any way on which smoke catches nobody."""
        last = [-math.inf] * self.roads.node_count
        waiting = []
        for node in self.goal_at:
            last[node] = math.inf
            waiting.append((-math.inf, node))
        while waiting:
            latest, node = heapq.heappop(waiting)
            if -latest < last[node]:
                continue
            for other, piece in self.roads.neighbours[node]:
                if self.good_times[piece] == math.inf:
                    continue
                by = min(self.smoke_at[piece], last[node]) - self.clear_times[piece]
                if by >= 0 and by > last[other]:
                    last[other] = by
                    heapq.heappush(waiting, (-by, other))
        return last

    def way_of(self, start: _Start) -> Way | None:
        """The first of the three kinds of way that there is."""
        return self._through_good_air(start) or self._least_bad(start) or self._ahead_of_smoke(start)

    def _through_good_air(self, start: _Start) -> Way | None:
        if self.is_bad[start.piece]:
            return None
        begun = [(start.time_to(share, self.clear_times), node, share) for node, share in start.ends]
        begun = [each for each in begun if each[0] <= self.smoke_at[start.piece]]
        if not begun:
            return None
        tree = self.good_tree
        total, time, node, share = min((time + tree.time[node], time, node, share) for time, node, share in begun)
        if not total < np.inf:
            return None
        if not self.moment.smokes or time <= self.leave_by[node]:
            return self._way("good", start, share, tree.way(node), total, 0.0)

        last = self.leave_at_last
        begun = [each for each in begun if each[0] <= last[each[1]]]
        if not begun:
            return None

        def leave(piece: int, now: float, to: int) -> float:
            then = now + self.good_times[piece]
            return then if then <= self.smoke_at[piece] and then <= last[to] else math.inf

        found = _follow(self.roads, begun, leave, tree.time, self.goal_at)
        return self._way("good", start, *found, 0.0) if found else None

    def _least_bad(self, start: _Start) -> Way | None:
        tree, count = self.least_bad_tree, self.roads.node_count
        slowly = self.moment.slowly
        if self.turns_bad[start.piece]:
            begun = [(start.time_to(share, slowly) * (WORN_WEIGHT + 1), count + node, share)
                     for node, share in start.ends]  # fmt: skip
        else:
            begun = [(start.time_to(share, slowly), node, share) for node, share in start.ends]
        cost, node, share = min((time + tree.time[node], node, share) for time, node, share in begun)
        if not cost < np.inf:
            return None
        worn, time = divmod(cost, WORN_WEIGHT)
        if worn > self.moment.rescuer:
            return None
        nodes = [node % count for node in tree.way(node)]
        nodes = [node for node, before in zip(nodes, [NOWHERE, *nodes], strict=False) if node != before]
        return self._way("least_bad", start, share, nodes, time, worn)

    def _ahead_of_smoke(self, start: _Start) -> Way | None:
        if not self.moment.smokes:
            return None
        tree = self.passable_tree
        begun = [(self._left(start.piece, 0.0, share), node, share) for node, share in start.ends]

        def leave(piece: int, now: float, _to: int) -> float:
            return self._left(piece, now) if self.passable_times[piece] < math.inf else math.inf

        found = _follow(self.roads, begun, leave, tree.time, self.goal_at)
        if found is None:
            return None
        share, nodes, total = found
        worn = self._worn(start, share, nodes)
        return self._way("ahead_of_smoke", start, share, nodes, total, worn) if worn <= self.moment.rescuer else None

    def _left(self, piece: int, now: float, share: float = 1.0) -> float:
        """When a share of a piece is passed by who begins it now: at half the speed from when smoke gets into it."""
        clear, until = self.clear_times[piece], self.smoke_at[piece]
        if share != 1.0:
            clear = math.ceil(round(share * clear, 6))
        if clear == 0 or until >= now + clear:
            return now + clear
        slow = self.smoke_times[piece] if share == 1.0 else math.ceil(round(share * self.smoke_times[piece], 6))
        if until <= now:
            return now + slow
        return math.ceil(round(until + (1.0 - (until - now) / clear) * slow, 6))

    def _worn(self, start: _Start, share: float, nodes: Sequence[int]) -> float:
        """Time from the first bad air to the last on a way that is walked ahead of the smoke."""
        now, on, off = 0.0, np.inf, 0.0
        for piece, part in [(start.piece, share), *((piece, 1.0) for piece in self.roads.pieces_between(nodes))]:
            then = self._left(piece, now, part)
            bad_from = now if self.is_bad[piece] else max(self.smoke_at[piece], now)
            if bad_from < then:
                on, off = min(on, bad_from), then
            now = then
        return max(off - on, 0.0)

    def _way(self, air: Air, start: _Start, share: float, nodes: Sequence[int], time: float, worn: float) -> Way:
        pieces = [start.piece, *self.roads.pieces_between(nodes)]
        return Way(
            self.kind,
            air,
            self.goal_at[nodes[-1]],
            walk_s=time / TENTHS,
            worn_s=worn / TENTHS,
            length_m=self.moment.length(start, share, pieces),
            pieces=tuple(pieces),
        )


def _follow(
    roads: Roadways,
    begun: Sequence[tuple[float, int, float]],
    leave: Callable[[int, float, int], float],
    least: Sequence[float],
    goal_at: Mapping[int, Goal],
) -> tuple[float, list[int], float] | None:
    """The quickest way of one person where times depend on when a piece is begun: (share of the first, nodes, time).

    Whoever begins a piece earlier leaves it no later, so that the first to be at a node is the best there (A*).

    Args:
        begun: when each end of the person's own piece is reached.
        leave: (piece, when it is begun, node to which) → when it is left, inf where it may not be used.
        least: by node, a time to the next goal that cannot be beaten.
    """
    reached: dict[int, float] = {}
    before: dict[int, int] = {}
    shares: dict[int, float] = {}
    waiting: list[tuple[float, float, int]] = []
    for time, node, share in begun:
        if time < reached.get(node, math.inf):
            reached[node], shares[node] = time, share
            waiting.append((time + least[node], time, node))
    heapq.heapify(waiting)
    while waiting:
        best, time, node = heapq.heappop(waiting)
        if not best < np.inf:
            return None
        if time > reached[node]:
            continue
        if node in goal_at:
            nodes = [node]
            while nodes[-1] in before:
                nodes.append(before[nodes[-1]])
            return shares[nodes[-1]], nodes[::-1], time
        for other, piece in roads.neighbours[node]:
            then = leave(piece, time, other)
            if then < reached.get(other, math.inf):
                reached[other], before[other] = then, node
                heapq.heappush(waiting, (then + least[other], then, other))
    return None
