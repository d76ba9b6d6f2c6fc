"""Invented mines: as many roadways as asked for, all their air accounted for, a site file that reads back the same."""

import networkx as nx
import numpy as np
import pytest

from minefusion.pipelines.simulate.layout import generate_layout
from minefusion.pipelines.simulate.points import install_instruments
from minefusion.schemas.errors import InputError
from minefusion.schemas.site import dump_site, load_site


@pytest.mark.parametrize("roadways", [20, 21, 33, 60, 100, 200])
def test_a_mine_has_the_roadways_asked_for_and_the_air_it_needs(roadways):
    layout = generate_layout(roadways, 100, np.random.default_rng(roadways))
    assert len(layout.edges) == roadways
    flow = np.abs(layout.design_flow)
    for face in layout.faces:
        assert 18 < flow[face.face] < 25
    for heading in layout.headings:
        assert flow[heading.face] == pytest.approx(heading.fan_m3_s, rel=0.01)
    graph = nx.Graph((edge.from_node, edge.to_node) for edge in layout.edges)
    under_the_shafts = [part for part in nx.connected_components(graph) if len(part) > 2]
    assert len(under_the_shafts) == 1


@pytest.mark.parametrize("roadways", [19, 201])
def test_a_mine_too_small_or_too_large_is_refused(roadways):
    with pytest.raises(InputError, match=f"--roadways from 20 to 200, got {roadways}"):
        generate_layout(roadways, 100, np.random.default_rng(1))


def test_the_site_file_reads_back_the_same(tmp_path):
    layout = generate_layout(60, 200, np.random.default_rng(1))
    path = tmp_path / "mine.site.yaml"
    path.write_text(dump_site(layout.site), encoding="utf-8")
    assert load_site(path) == layout.site


def test_point_codes_are_unique_and_relations_name_points_there_are():
    layout = generate_layout(60, 200, np.random.default_rng(1))
    instruments = install_instruments(layout, np.random.default_rng(2))
    codes = [point.code for point in instruments.points]
    assert len(set(codes)) == len(codes) > 250
    assert {related.split("-")[1] for related in instruments.relations.values()} <= set(codes)
    bare = [point for point in instruments.points if not point.has_coordinates]
    assert 0.05 < len(bare) / len(codes) < 0.2
