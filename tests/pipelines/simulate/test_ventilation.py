"""The network solver against the printed reference case, Hardy Cross and the laws of the network."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from minefusion.pipelines.simulate.ventilation import Fans, Network, solve

# Reference case: 8 nodes, 11 branches. 0 open air, 1 shaft bottom, 2 end of main intake, 3 and 4 ends of the face,
# 5 start of main return, 6 upcast bottom, 7 heading face.
BRANCHES = {
    "shaft": (0, 1, 0.0020),
    "main_intake": (1, 2, 0.0394),
    "panel_intake": (2, 3, 0.0551),
    "face": (3, 4, 0.0583),
    "panel_return": (4, 5, 0.0661),
    "main_return": (5, 6, 0.0481),
    "upcast": (6, 0, 0.0020),
    "door": (2, 5, 40.0),
    "chamber": (1, 6, 3.0),
    "heading_in": (2, 7, 0.8),
    "heading_out": (7, 5, 0.8),
}
NAMES = list(BRANCHES)
REFERENCE = Network(
    np.array([BRANCHES[name][0] for name in NAMES]), np.array([BRANCHES[name][1] for name in NAMES]), nodes=8
)
RESISTANCE = np.array([BRANCHES[name][2] for name in NAMES])


def fan_at(network: Network, branch: int, a: float, b: float, c: float) -> Fans:
    one = np.zeros(len(network.start))
    one[branch] = 1.0
    return Fans(a * one, b * one, c * one)


FAN = fan_at(REFERENCE, NAMES.index("upcast"), 1400.0, 2.0, -0.16)


def test_reference_case_gives_the_printed_flows():
    solution = solve(REFERENCE, RESISTANCE, FAN)
    flows = dict(zip(NAMES, solution.flow, strict=True))
    printed = {"shaft": 74.44, "main_intake": 59.83, "face": 42.68, "chamber": 14.61, "heading_in": 14.29, "door": 2.86}
    for name, flow in printed.items():
        assert flows[name] == pytest.approx(flow, abs=0.005), name
    assert solution.iterations <= 12


def hardy_cross(network: Network, resistance: np.ndarray, fans: Fans) -> np.ndarray:
    """Mesh by mesh: add −Σ(±h)/Σ(2R|Q| − fan') to every branch of the mesh until nothing moves."""
    graph = nx.MultiGraph()
    for branch, (a, b) in enumerate(zip(network.start, network.end, strict=True)):
        graph.add_edge(int(a), int(b), key=branch)
    tree = nx.minimum_spanning_tree(graph)
    in_tree = {key for _, _, key in tree.edges(keys=True)}
    flow = np.zeros(len(resistance))
    meshes = []
    for chord in set(range(len(resistance))) - in_tree:
        path = nx.shortest_path(tree, int(network.end[chord]), int(network.start[chord]))
        mesh = {chord: 1.0}
        for a, b in pairwise(path):
            branch = next(iter(tree[a][b]))
            mesh[branch] = 1.0 if network.start[branch] == a else -1.0
        meshes.append((np.array(list(mesh)), np.array(list(mesh.values()))))
        flow[meshes[-1][0]] += 5.0 * meshes[-1][1]
    for _ in range(20_000):
        moved = 0.0
        for branches, sign in meshes:
            q, r = flow[branches], resistance[branches]
            part = Fans(fans.a[branches], fans.b[branches], fans.c[branches])
            slope = (2 * r * np.abs(q) - part.slope(q)).sum()
            step = -(sign * (r * q * np.abs(q) - part.pressure(q))).sum() / max(slope, 1e-6)
            flow[branches] += sign * step
            moved = max(moved, abs(step))
        if moved < 1e-9:
            break
    return flow


def test_newton_and_hardy_cross_agree_on_the_reference_case():
    newton = solve(REFERENCE, RESISTANCE, FAN).flow
    assert np.abs(newton - hardy_cross(REFERENCE, RESISTANCE, FAN)).max() < 1e-4


def test_flow_scales_with_resistance_as_the_square_root():
    square_fan = fan_at(REFERENCE, NAMES.index("upcast"), 1400.0, 0.0, 0.0)
    once = solve(REFERENCE, RESISTANCE, square_fan).flow
    twice = solve(REFERENCE, 2 * RESISTANCE, square_fan).flow
    assert twice == pytest.approx(once / np.sqrt(2), rel=1e-6)


def any_network(seed: int) -> tuple[Network, np.ndarray, Fans, np.ndarray]:
    """A network at random with a fan and a duct: network, resistance, fans, injection."""
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(5, 40))
    extra = int(rng.integers(3, 30))
    start = [int(rng.integers(0, n)) for n in range(1, nodes)] + [nodes - 1]
    end = [*range(1, nodes), 0]
    for _ in range(extra):
        a, b = rng.choice(nodes, 2, replace=False)
        start.append(int(a))
        end.append(int(b))
    network = Network(np.array(start), np.array(end), nodes)
    resistance = rng.lognormal(-2, 2, len(start))
    injection = np.zeros(nodes)
    giver, taker = rng.choice(np.arange(1, nodes), 2, replace=False)
    injection[giver], injection[taker] = 6.0, -6.0
    fans = fan_at(network, nodes - 1, 1500.0, 1.0, -0.1)
    return network, resistance, fans, injection


def test_a_thousand_networks_balance_at_nodes_and_around_meshes():
    for seed in range(1000):
        network, resistance, fans, injection = any_network(seed)
        solution = solve(network, resistance, fans, injection=injection, tolerance=1e-7)
        assert np.abs(network.incidence @ solution.flow + injection[1:]).max() < 1e-6
        lost = resistance * solution.flow * np.abs(solution.flow) - fans.pressure(solution.flow)
        between = solution.pressure[network.start] - solution.pressure[network.end]
        assert np.abs(lost - between).max() < 1e-3


@pytest.mark.parametrize("seed", range(4))
def test_newton_and_hardy_cross_agree_on_any_network(seed):
    network, _, fans, _ = any_network(seed)
    resistance = np.random.default_rng(seed).uniform(0.01, 0.6, len(network.start))  # alike, so that meshes settle
    assert np.abs(solve(network, resistance, fans).flow - hardy_cross(network, resistance, fans)).max() < 1e-4
