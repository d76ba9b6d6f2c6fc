"""Gas carried through the roadways: first-order upwind cells, mixed at the nodes, nothing lost on the way.

What is carried is a number per volume of air (% of methane, ppm of CO, K of warmth), so one scheme serves all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.ventilation import Network

Floats = NDArray[np.float64]

MOST_CFL = 0.9
# Slow roads get cells of this length; fast ones longer cells, so that one step crosses less than a cell.
SHORTEST_CELL_M = 20.0


class Cells:
    """The roadways cut into cells, and the state of the air in them.

    Attributes:
        state: cells × species.
        edge: edge of each cell; the cells of an edge follow each other from its first node to its second.
    """

    def __init__(
        self, network: Network, length_m: Floats, section_m2: Floats, *, cell_m: Floats | float, species: int
    ) -> None:
        self.network = network
        count = np.maximum(1, np.round(length_m / cell_m)).astype(int)
        self.first = np.concatenate(([0], np.cumsum(count)[:-1]))
        self.last = self.first + count - 1
        self.edge = np.repeat(np.arange(len(count)), count)
        self.cell_m = (length_m / count)[self.edge]
        self.volume_m3 = section_m2[self.edge] * self.cell_m
        self.state = np.zeros((len(self.edge), species))
        self.node_state = np.zeros((network.nodes, species))
        self._ducts: Sequence[tuple[int, int, float]] = ()
        self._flow = np.zeros(len(count))

    def cell_at(self, edge: int, chainage_m: float) -> int:
        """Cell that holds a place."""
        inside = int(chainage_m / self.cell_m[self.first[edge]])
        return int(min(self.first[edge] + inside, self.last[edge]))

    def cells_between(self, edge: int, begin: float, end: float) -> NDArray[np.intp]:
        """Cells between two shares of an edge's length."""
        first, count = self.first[edge], self.last[edge] - self.first[edge] + 1
        low = min(int(begin * count), count - 1)
        return np.arange(first + low, first + max(low + 1, int(np.ceil(end * count))))

    def set_flow(self, flow: Floats, ducts: Sequence[tuple[int, int, float]] = ()) -> None:
        """Flow per edge [m³/s, positive from first to second node] and ducts: (from node, to node, m³/s)."""
        self._flow, self._ducts = flow, ducts
        forward = flow >= 0
        cells, nodes = len(self.edge), self.network.nodes
        upstream = np.where(forward[self.edge], np.arange(cells) - 1, np.arange(cells) + 1)
        upstream[self.first[forward]] = cells + self.network.start[forward]
        upstream[self.last[~forward]] = cells + self.network.end[~forward]
        self._upstream = upstream
        self._renewal = (np.abs(flow)[self.edge] / self.volume_m3)[:, None]
        self._outlet = np.where(forward, self.last, self.first)
        arrives = np.where(forward, self.network.end, self.network.start)
        weight = np.zeros((nodes, len(flow)))
        weight[arrives, np.arange(len(flow))] = np.abs(flow)
        arriving = weight.sum(axis=1)
        for _, outlet, quantity in ducts:
            arriving[outlet] += quantity
        arriving = np.maximum(arriving, 1e-12)
        self._mix = weight / arriving[:, None]
        self._mix[0] = 0.0  # fresh air comes from the open
        self._by_duct = [(inlet, outlet, quantity / arriving[outlet]) for inlet, outlet, quantity in ducts]

    def step(self, seconds: float, source: Floats) -> Floats:
        """Carry the air on by `seconds` with `source` (units × m³/s per cell); returns what left into the open."""
        pieces = max(1, int(np.ceil(seconds * float(self._renewal.max()) / MOST_CFL)))
        dt = seconds / pieces
        gain = source * (dt / self.volume_m3)[:, None]
        renewal = self._renewal * dt
        to_open = np.flatnonzero(np.where(self._flow >= 0, self.network.end, self.network.start) == 0)
        lost = np.zeros(self.state.shape[1])
        for _ in range(pieces):
            leaving = self.state[self._outlet]
            self.node_state = self._mix @ leaving
            for inlet, outlet, share in self._by_duct:
                self.node_state[outlet] += share * self.node_state[inlet]
            lost += (np.abs(self._flow[to_open])[:, None] * leaving[to_open]).sum(axis=0) * dt
            arriving = np.concatenate((self.state, self.node_state))[self._upstream]
            self.state = self.state + renewal * (arriving - self.state) + gain
        return lost

    def held(self) -> Floats:
        """What the air in all roadways holds, per species (units × m³)."""
        return self.volume_m3 @ self.state
