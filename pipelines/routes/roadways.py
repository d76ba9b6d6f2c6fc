"""The roadway graph as arrays: what does not change from minute to minute.

Roadways are cut into pieces where refuge chambers stand, so that a chamber is a node like an exit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra

from minefusion.pipelines.routes.walking import LEVEL_M_S, SMOKE_SHARE, is_on_foot, slope, walking_speed_m_s
from minefusion.schemas.site import Site

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Times are whole tenths of a second, so that sums are exact and equal ways are equal on every machine.
TENTHS = 10.0
# Layers of the graph in which a self-rescuer is not yet on, is on, and is no longer needed.
LAYERS = 3
# One tenth of a second under the self-rescuer counts more than any walk in good air [tenths of a second].
WORN_WEIGHT = 2.0**21
# What the search writes for a node that no other follows.
NOWHERE = -9999


@dataclass(frozen=True)
class Goal:
    """Where a way out ends: an exit (a node) or a refuge chamber with so many places; no number, no bound."""

    goal_id: str
    name_zh: str
    name_en: str
    is_exit: bool
    node: int
    places: int | None = None


@dataclass(frozen=True)
class Roadways:
    """One mine's roadways.

    Attributes:
        edge_ids, areas: by roadway.
        walkable: by roadway; people may go there on foot.
        node_count: nodes, those that only cut a roadway among them.
        first, second: nodes of each piece, in the direction of growing chainage.
        edge: roadway of each piece.
        from_m, to_m: chainage at the piece's two nodes [m].
        speed_m_s: walking speed in clear air, by piece; in a shaft, which nobody walks, that of who is in its cage.
        goals: exits, then refuge chambers.
    """

    edge_ids: tuple[str, ...]
    areas: tuple[str, ...]
    walkable: Bools
    node_count: int
    first: Ints
    second: Ints
    edge: Ints
    from_m: Floats
    to_m: Floats
    speed_m_s: Floats
    goals: tuple[Goal, ...]

    @cached_property
    def length_m(self) -> Floats:
        """Length of each piece."""
        return self.to_m - self.from_m

    @cached_property
    def clear_time(self) -> Floats:
        """Time to pass each piece in clear air, in whole tenths of a second."""
        return in_tenths(self.length_m / self.speed_m_s)

    @cached_property
    def smoke_time(self) -> Floats:
        """The same in smoke."""
        return in_tenths(self.length_m / (self.speed_m_s * SMOKE_SHARE))

    @cached_property
    def edge_number(self) -> dict[str, int]:
        return {edge_id: number for number, edge_id in enumerate(self.edge_ids)}

    @cached_property
    def edges_of(self) -> dict[str, list[int]]:
        """Area → its roadways."""
        found: dict[str, list[int]] = {}
        for edge, area in enumerate(self.areas):
            found.setdefault(area, []).append(edge)
        return found

    @cached_property
    def pieces_of(self) -> dict[int, Ints]:
        """Pieces of each roadway, in the order of their chainage."""
        order = np.lexsort((self.from_m, self.edge))
        cuts = np.flatnonzero(np.diff(self.edge[order])) + 1
        return {int(self.edge[some[0]]): some for some in np.split(order, cuts) if len(some)}

    def piece_at(self, edge: int, chainage_m: float) -> int:
        """The piece of a roadway that a chainage lies on; one beyond its ends counts as at the end."""
        pieces = self.pieces_of[edge]
        return int(pieces[min(int(np.searchsorted(self.to_m[pieces], chainage_m)), len(pieces) - 1)])

    def pieces_at(self, edges: Ints, chainages_m: Floats) -> Ints:
        """The same for many at once."""
        found = np.empty(len(edges), dtype=np.int64)
        for edge in np.unique(edges):
            there, pieces = edges == edge, self.pieces_of[int(edge)]
            found[there] = pieces[np.minimum(np.searchsorted(self.to_m[pieces], chainages_m[there]), len(pieces) - 1)]
        return found

    def exits(self) -> tuple[Goal, ...]:
        return tuple(goal for goal in self.goals if goal.is_exit)

    def refuges(self) -> tuple[Goal, ...]:
        return tuple(goal for goal in self.goals if not goal.is_exit)

    @cached_property
    def plain(self) -> Pattern:
        """The graph of walking: both directions of every piece."""
        tail, head = np.concatenate((self.first, self.second)), np.concatenate((self.second, self.first))
        return Pattern.of(tail, head, self.node_count)

    @cached_property
    def layered(self) -> Pattern:
        """Three copies of the nodes, arcs turned round: searched from a goal in the last copy back to people.

        Arcs in this order: walking without, with and after the self-rescuer; taking it off; putting it on.
        """
        tail, head = np.concatenate((self.first, self.second)), np.concatenate((self.second, self.first))
        nodes, count = np.arange(self.node_count), self.node_count
        back_to_on, back_to_off = (nodes + 2 * count, nodes + count), (nodes + count, nodes)
        tails = [head + layer * count for layer in range(LAYERS)] + [back_to_on[0], back_to_off[0]]
        heads = [tail + layer * count for layer in range(LAYERS)] + [back_to_on[1], back_to_off[1]]
        return Pattern.of(np.concatenate(tails), np.concatenate(heads), LAYERS * count)

    @cached_property
    def piece_of(self) -> dict[tuple[int, int], int]:
        """Two neighbouring nodes → the piece between them."""
        ends = list(zip(self.first.tolist(), self.second.tolist(), strict=True))
        return {pair: piece for piece, (a, b) in enumerate(ends) for pair in ((a, b), (b, a))}

    def pieces_between(self, nodes: Sequence[int]) -> list[int]:
        """Pieces of a way that is given by its nodes."""
        return [self.piece_of[pair] for pair in pairwise(nodes)]

    @cached_property
    def neighbours(self) -> list[list[tuple[int, int]]]:
        """Node → (neighbour, piece) for the searches that follow one person."""
        found: list[list[tuple[int, int]]] = [[] for _ in range(self.node_count)]
        for piece, (one, other) in enumerate(zip(self.first.tolist(), self.second.tolist(), strict=True)):
            found[one].append((other, piece))
            found[other].append((one, piece))
        return found

    @cached_property
    def edge_length_m(self) -> list[float]:
        """Length of each roadway."""
        lengths = np.zeros(len(self.edge_ids))
        np.maximum.at(lengths, self.edge, self.to_m)
        return lengths.tolist()

    @cached_property
    def to_exits(self) -> Tree | None:
        """The quickest ways to an exit as if nothing had happened; null where there is no exit."""
        return self._in_quiet_times(self.exits())

    @cached_property
    def to_refuges(self) -> Tree | None:
        """The same to a refuge chamber."""
        return self._in_quiet_times(self.refuges())

    def _in_quiet_times(self, goals: Sequence[Goal]) -> Tree | None:
        return tree_of(self, np.where(self.walkable[self.edge], self.clear_time, np.inf), goals) if goals else None


@dataclass(frozen=True)
class Tree:
    """The quickest way from every node to a goal: time, and the next node on the way."""

    time: list[float]
    following: list[int]

    def way(self, node: int) -> list[int]:
        nodes = [node]
        while (node := self.following[node]) != NOWHERE:
            nodes.append(node)
        return nodes


def tree_of(roads: Roadways, times: Floats, goals: Sequence[Goal]) -> Tree:
    """Ways to the nearest goal; walking takes as long one way as the other, so that the search starts at the goals.

    Args:
        times: of each piece, inf where it may not be used.
    """
    return searched(roads.plain.weighted(np.tile(times, 2)), goals)


def searched(graph: csr_matrix, goals: Sequence[Goal], offset: int = 0) -> Tree:
    """Dijkstra's search from all goals at once; `offset` is added to their nodes."""
    sources = sorted({goal.node + offset for goal in goals})
    time, following, _ = dijkstra(graph, indices=sources, min_only=True, return_predecessors=True)
    return Tree(time.tolist(), following.tolist())


@dataclass(frozen=True)
class Pattern:
    """Which arcs a sparse matrix holds, so that only their weights have to be filled in."""

    order: Ints
    indices: NDArray[np.int32]
    indptr: NDArray[np.int32]

    @staticmethod
    def of(tail: Ints, head: Ints, count: int) -> Pattern:
        numbered = coo_matrix((np.arange(1.0, len(tail) + 1), (tail, head)), shape=(count, count)).tocsr()
        return Pattern(numbered.data.astype(np.int64) - 1, numbered.indices, numbered.indptr)

    def weighted(self, weights: Floats) -> csr_matrix:
        """The matrix; an arc of infinite weight is none."""
        size = len(self.indptr) - 1
        return csr_matrix((weights[self.order], self.indices, self.indptr), shape=(size, size))


def in_tenths(seconds: Floats) -> Floats:
    """Whole tenths of a second, rounded up: nobody is told a shorter time than it takes."""
    tenths: Floats = np.ceil(np.round(seconds * TENTHS, 6))
    return tenths


def roadways_of(site: Site) -> Roadways:
    """The graph of a mine's site file.

    Where the file names no exits, people leave by the lower ends of the shafts that they may use.
    """
    number = {node.node_id: place for place, node in enumerate(site.nodes)}
    height = np.array([node.z for node in site.nodes])
    ends = np.array([(number[edge.from_node], number[edge.to_node]) for edge in site.edges], dtype=np.int64)
    length = np.array([edge.length_m for edge in site.edges])
    rise = height[ends[:, 1]] - height[ends[:, 0]]
    goals = [Goal(each.node_id, each.name_zh, each.name_en, True, number[each.node_id]) for each in site.exits]
    if not goals:
        goals = list(_shaft_bottoms(site, number))
    chambers: dict[str, list[tuple[float, int]]] = {}
    nodes = len(site.nodes)
    for chamber in site.refuge_chambers:
        chambers.setdefault(chamber.edge_id, []).append((chamber.chainage_m, nodes))
        goals.append(Goal(chamber.chamber_id, chamber.name_zh, chamber.name_en, False, nodes, chamber.places))
        nodes += 1
    on_foot = is_on_foot(length, rise)
    pieces: list[tuple[int, int, int, float, float]] = []
    met: set[tuple[int, int]] = set()
    for place, edge in enumerate(site.edges):
        one, other = ends[place].tolist()
        cuts = sorted(chambers.get(edge.edge_id, ()))
        if not cuts and (min(one, other), max(one, other)) in met:
            # Two roadways between the same junctions are told apart by a node in the middle of the second.
            cuts, nodes = [(edge.length_m / 2, nodes)], nodes + 1
        met.add((min(one, other), max(one, other)))
        stations = [(0.0, one), *cuts, (edge.length_m, other)]
        pieces += [(a, b, place, low, high) for (low, a), (high, b) in pairwise(stations)]
    first, second, of_edge = (np.array([piece[column] for piece in pieces], dtype=np.int64) for column in range(3))
    from_m, to_m = (np.array([piece[column] for piece in pieces]) for column in (3, 4))
    return Roadways(
        edge_ids=tuple(edge.edge_id for edge in site.edges),
        areas=tuple(edge.area_id for edge in site.edges),
        walkable=np.array([edge.is_walkable for edge in site.edges]) & on_foot,
        node_count=nodes,
        first=first,
        second=second,
        edge=of_edge,
        from_m=from_m,
        to_m=to_m,
        speed_m_s=np.where(on_foot, walking_speed_m_s(slope(length, rise)), LEVEL_M_S)[of_edge],
        goals=tuple(goals),
    )


def _shaft_bottoms(site: Site, number: dict[str, int]) -> Iterable[Goal]:
    area = {each.area_id: each for each in site.areas}
    z = {node.node_id: node.z for node in site.nodes}
    seen: set[str] = set()
    for edge in site.edges:
        place = area[edge.area_id]
        if place.kind != "shaft" or not edge.is_walkable:
            continue
        bottom = min((edge.from_node, edge.to_node), key=lambda node: z[node])
        if bottom not in seen:
            seen.add(bottom)
            yield Goal(bottom, f"{place.name_zh}井底", f"bottom of {place.name_en}", True, number[bottom])
