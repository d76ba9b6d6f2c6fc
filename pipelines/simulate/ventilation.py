"""Air through the roadway network: quasi-steady flows by nodal Newton.

Branch law: pressure lost = R·Q|Q| − fan(Q), with R in N·s²/m⁸, Q in m³/s, pressures in Pa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Below this flow a branch is linearised as if it carried this much, so that its slope is never zero.
SLOWEST_M3_S = 1e-3
AIR_DENSITY_KG_M3 = 1.2


@dataclass(frozen=True)
class Network:
    """Branches between nodes 0 … n−1; node 0 is the open air, the reference of all pressures."""

    start: NDArray[np.intp]
    end: NDArray[np.intp]
    nodes: int

    @property
    def incidence(self) -> Floats:
        """Node × branch without the reference node: −1 where a branch leaves, +1 where it arrives."""
        matrix = np.zeros((self.nodes, len(self.start)))
        branches = np.arange(len(self.start))
        matrix[self.start, branches] -= 1
        matrix[self.end, branches] += 1
        return matrix[1:]


@dataclass(frozen=True)
class Fans:
    """Pressure a + b·Q + c·Q² [Pa] added in each branch; zero where no fan stands."""

    a: Floats
    b: Floats
    c: Floats

    def pressure(self, flow: Floats) -> Floats:
        return self.a + self.b * flow + self.c * flow**2

    def slope(self, flow: Floats) -> Floats:
        return self.b + 2 * self.c * flow

    def scaled(self, share: float) -> Fans:
        """The same fans at `share` of their pressure; a tripped fan runs down so."""
        return Fans(self.a * share, self.b * share, self.c * share)


@dataclass(frozen=True)
class Solution:
    """Flow per branch [m³/s], pressure per node [Pa, the open air is 0], and Newton's steps."""

    flow: Floats
    pressure: Floats
    iterations: int


def friction_resistance(friction_kg_m3: float, length_m: float, section_m2: float) -> float:
    """Atkinson resistance k·L·P/A³ of an arched roadway (perimeter 4.1·√A)."""
    return friction_kg_m3 * length_m * 4.1 * section_m2**0.5 / section_m2**3


def solve(
    network: Network,
    resistance: Floats,
    fans: Fans,
    *,
    injection: Floats | None = None,
    guess: Floats | None = None,
    tolerance: float = 1e-8,
    most: int = 200,
) -> Solution:
    """Flows that balance at every node and around every mesh.

    Args:
        injection: air put into each node from outside the network [m³/s], negative where taken out; the outlet and
            the inlet of a duct with its own fan are such.
        guess: flows to start from; the last solution where little changed.

    Raises:
        ArithmeticError: no balance found in `most` steps.
    """
    incidence = network.incidence
    outside = np.zeros(network.nodes - 1) if injection is None else injection[1:]
    flow = np.full(len(resistance), 10.0) if guess is None else guess.copy()
    damping, last_change = 1.0, np.inf
    pressure: Floats = np.zeros(network.nodes - 1)
    for iteration in range(1, most + 1):
        size = np.maximum(np.abs(flow), SLOWEST_M3_S)
        lost = resistance * flow * size - fans.pressure(flow)
        weight = 1.0 / np.maximum(2 * resistance * size - fans.slope(flow), 1e-6)
        left = (incidence * weight) @ incidence.T
        pressure = np.asarray(np.linalg.solve(left, incidence @ (flow - weight * lost) + outside), dtype=np.float64)
        change = -weight * (lost + pressure @ incidence)
        largest = float(np.abs(change).max())
        if largest < tolerance:
            return Solution(flow + change, np.concatenate(([0.0], pressure)), iteration)
        damping = 0.5 if largest > last_change else 1.0
        flow += damping * change
        last_change = largest
    raise ArithmeticError(f"expected air flows to balance in {most} steps, still moving by {last_change:.3g} m3/s")
