"""Gas on its way: nothing lost, the pulse as the Gaussian says, mixing by flow."""

import numpy as np
import pytest

from minefusion.pipelines.simulate.layout import generate_layout
from minefusion.pipelines.simulate.transport import Cells
from minefusion.pipelines.simulate.ventilation import Network, solve


def test_methane_is_neither_lost_nor_made():
    layout = generate_layout(40, 100, np.random.default_rng(3))
    length = np.array([edge.length_m for edge in layout.edges])
    section = np.array([edge.section_m2 for edge in layout.edges])
    cells = Cells(layout.network, length, section, cell_m=20.0, species=1)
    ducts = [(h.fan_at, h.duct_ends_at, h.fan_m3_s) for h in layout.headings]
    cells.set_flow(layout.design_flow, ducts)
    source = np.zeros((len(cells.edge), 1))
    source[cells.cells_between(layout.faces[0].face, 0.0, 1.0)] = 0.002
    source[cells.cells_between(layout.headings[0].face, 0.0, 1.0)] = 0.01
    given = left = 0.0
    resistance = layout.resistance.copy()
    injection = np.zeros(layout.network.nodes)
    for fan_at, outlet, flow in ducts:
        injection[fan_at] -= flow
        injection[outlet] += flow
    for step in range(720):
        if step == 360:  # air changes its ways; what it carries stays
            resistance[layout.faces[0].doors] = 0.1
            cells.set_flow(solve(layout.network, resistance, layout.fans, injection=injection).flow, ducts)
        left += float(cells.step(10.0, source)[0])
        given += float(source.sum()) * 10.0
    assert left > 0.5 * given
    assert left + float(cells.held()[0]) == pytest.approx(given, rel=1e-3)


def test_a_pulse_spreads_as_the_gaussian_says():
    speed, section, cell_m, step_s = 2.85, 15.0, 20.0, 4.9
    cfl = speed * step_s / cell_m
    spread = speed * cell_m / 2 * (1 - cfl)
    network = Network(np.array([0]), np.array([0]), nodes=1)
    cells = Cells(network, np.array([3000.0]), np.array([section]), cell_m=cell_m, species=1)
    cells.set_flow(np.array([speed * section]))
    at, away = cells.cell_at(0, 310.0), cells.cell_at(0, 1510.0)
    volume = 100.0
    cells.state[at] = volume / cells.volume_m3[at]
    seen = []
    for _ in range(200):
        cells.step(step_s, np.zeros((len(cells.edge), 1)))
        seen.append(float(cells.state[away, 0]))
    t = step_s * np.arange(1, 201)
    x = 1200.0
    expected = volume / (2 * section * np.sqrt(np.pi * spread * t)) * np.exp(-((x - speed * t) ** 2) / (4 * spread * t))
    assert max(seen) == pytest.approx(expected.max(), rel=0.05)
    assert t[int(np.argmax(seen))] == pytest.approx(t[int(np.argmax(expected))], rel=0.02)


def test_air_that_meets_mixes_by_flow():
    # two roads from the open meet and leave by a third: 12 m³/min of methane in 42.68 m³/s is 0.469 %
    network = Network(np.array([0, 0, 1]), np.array([1, 1, 0]), nodes=2)
    cells = Cells(network, np.array([100.0, 100.0, 100.0]), np.array([10.0] * 3), cell_m=20.0, species=1)
    cells.set_flow(np.array([30.0, 12.68, 42.68]))
    source = np.zeros((len(cells.edge), 1))
    source[cells.cell_at(0, 50.0)] = 100 * 12 / 60
    for _ in range(60):
        cells.step(10.0, source)
    assert float(cells.state[cells.cell_at(2, 90.0), 0]) == pytest.approx(0.469, abs=0.001)
