"""Where smoke will be, and when: it travels with the air from the roadways that have it now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from minefusion.pipelines.routes.roadways import TENTHS, Roadways

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Air of a roadway that has no flow sensor [m/s]: a start value of our own, on the fast side.
UNMEASURED_M_S = 2.0
# Air that stands still carries smoke no slower than this: it layers and creeps.
LEAST_M_S = 0.2


def smoke_arrival(roads: Roadways, smoky: Bools, velocity_m_s: Floats) -> Floats:
    """When smoke gets into each piece, in whole tenths of a second from now, rounded down; inf where it never does.

    It fills a roadway that has it now as a whole, leaves it with the air and goes on into every roadway that takes air
    at that junction. It does not thin out and is not cleared: the safe side.

    Args:
        smoky: by roadway; smoke is there now.
        velocity_m_s: by roadway; positive from its first to its second node. NaN where not known: then the roadway's
            declared direction at UNMEASURED_M_S.
    """
    arrival = np.where(smoky[roads.edge], 0.0, np.inf)
    if not smoky.any():
        return arrival
    velocity = np.where(np.isnan(velocity_m_s), UNMEASURED_M_S, velocity_m_s)[roads.edge]
    along = velocity >= 0
    upwind = np.where(along, roads.first, roads.second)
    downwind = np.where(along, roads.second, roads.first)
    takes = roads.length_m / np.maximum(np.abs(velocity), LEAST_M_S) * TENTHS
    sources = np.unique(downwind[smoky[roads.edge]])
    # Each pair of nodes has one piece, so no weight is added up.
    air = csr_matrix((takes, (upwind, downwind)), shape=(roads.node_count, roads.node_count))
    at_node = dijkstra(air, directed=True, indices=sources, min_only=True)
    return np.minimum(arrival, np.floor(at_node[upwind]))
