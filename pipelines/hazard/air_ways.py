"""The way of the air along the roadway graph: from which place to which it flows, how far, and what it meets.

A roadway runs with its air, from its first node to its second, as a site file declares it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import networkx as nx

from minefusion.schemas.site import Site

# A place farther down the air than this tells little of one here: other air has come in and the gas has spread.
REACH_M = 2_500.0
# The air of a roadway whose velocity nobody measures, and the slowest that is still followed [m/s].
UNMEASURED_M_S, SLOWEST_M_S = 1.5, 0.25
# Areas in which gas comes out of the coal.
SOURCES = ("longwall_face", "heading", "goaf")


@dataclass(frozen=True)
class Place:
    """A point on a roadway."""

    edge_id: str
    chainage_m: float


@dataclass(frozen=True)
class Way:
    """How the air gets from one place to another.

    Attributes:
        metres: length by roadway, in the order of the flow.
        meets_source: part of it lies in a working area, where gas joins.
        mixes: other air joins on the way.
    """

    metres: tuple[tuple[str, float], ...]
    meets_source: bool
    mixes: bool

    @property
    def is_same_air(self) -> bool:
        """Nothing joins on the way."""
        return not (self.meets_source or self.mixes)

    @property
    def length_m(self) -> float:
        return sum(length for _, length in self.metres)

    def minutes(self, velocity_m_s: Mapping[str, float]) -> float:
        """What the air needs, given the velocity by roadway; UNMEASURED_M_S where none is known."""
        speeds = ((length, velocity_m_s.get(edge, UNMEASURED_M_S)) for edge, length in self.metres)
        return sum(length / max(speed, SLOWEST_M_S) for length, speed in speeds) / 60


@dataclass(frozen=True)
class AirWays:
    """The roadways of one mine as the air travels them."""

    site: Site
    _found: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)

    @cached_property
    def _edges(self) -> dict[str, tuple[str, str, float]]:
        return {edge.edge_id: (edge.from_node, edge.to_node, edge.length_m) for edge in self.site.edges}

    @cached_property
    def _sources(self) -> set[str]:
        kinds = {area.area_id: area.kind for area in self.site.areas}
        return {edge.edge_id for edge in self.site.edges if kinds[edge.area_id] in SOURCES}

    @cached_property
    def _graph(self) -> nx.DiGraph:
        """Roadways as nodes: from each to those that begin where it ends. Its weight is the length of the second."""
        starting: dict[str, list[str]] = {}
        for name, (begin, _, _) in self._edges.items():
            starting.setdefault(begin, []).append(name)
        graph = nx.DiGraph()
        graph.add_nodes_from(self._edges)
        for name, (_, end, _) in self._edges.items():
            graph.add_weighted_edges_from((name, after, self._edges[after][2]) for after in starting.get(end, ()))
        return graph

    @cached_property
    def _joined(self) -> set[str]:
        """Nodes at which air of several roadways meets."""
        ending: dict[str, int] = {}
        for _, end, _ in self._edges.values():
            ending[end] = ending.get(end, 0) + 1
        return {node for node, count in ending.items() if count > 1}

    def way(self, first: Place, last: Place) -> Way | None:
        """From one place down to another; None where the air does not flow so within REACH_M."""
        if first.edge_id not in self._edges or last.edge_id not in self._edges:
            return None
        if first.edge_id == last.edge_id:
            ahead = last.chainage_m - first.chainage_m
            return self._described(((first.edge_id, ahead),)) if ahead >= 0 else None
        path = self._below(first.edge_id).get(last.edge_id)
        if path is None:
            return None
        lengths = [self._edges[edge][2] for edge in path]
        lengths[0] -= first.chainage_m
        lengths[-1] = last.chainage_m
        return self._described(tuple(zip(path, (max(length, 0.0) for length in lengths), strict=True)))

    def below(self, place: Place, others: Iterable[Place]) -> list[Way | None]:
        """The way to each of the others."""
        return [self.way(place, other) for other in others]

    def _below(self, edge: str) -> dict[str, tuple[str, ...]]:
        if edge not in self._found:
            paths = nx.single_source_dijkstra_path(self._graph, edge, cutoff=REACH_M)
            self._found[edge] = {name: tuple(path) for name, path in paths.items()}
        return self._found[edge]

    def _described(self, metres: tuple[tuple[str, float], ...]) -> Way:
        mixes = any(self._edges[edge][1] in self._joined for edge, _ in metres[:-1])
        return Way(metres, any(edge in self._sources and length > 0 for edge, length in metres), mixes)
