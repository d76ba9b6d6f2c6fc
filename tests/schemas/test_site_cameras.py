"""Cameras in a site file or in a file of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from minefusion.schemas.errors import InputError
from minefusion.schemas.site import dump_site, load_site
from minefusion.schemas.site_cameras import is_code_of_the_standard, load_views, with_streams

CAMERA = "62000000411320000001"
CAMERAS = f"""
cameras: [{{camera_code: "{CAMERA}", name_zh: 皮带巷, name_en: Belt road}}]
camera_streams: [{{camera_code: "{CAMERA}", address: "rtsp://10.0.0.1/1", pictures_per_s: 5}}]
camera_zones:
  - {{camera_code: "{CAMERA}", zone_id: Z1, kind: belt, name_zh: 皮带, name_en: belt, way: [0, -1], machine_id: B1,
     corners: [[0.5, 0.2], [1, 0.2], [1, 1], [0.5, 1]], between: ["22:00", "06:00"]}}
camera_lines: [{{camera_code: "{CAMERA}", line_id: L1, kind: forbidden, name_zh: 线, name_en: line, start: [0, 0.5],
                end: [1, 0.5], machine_id: B2}}]
camera_floors:
  - {{camera_code: "{CAMERA}", points: [[0, 0, 0, 9], [1, 0, 9, 9], [1, 1, 9, 0], [0, 1, 0, 0]]}}
"""
ALONE = 'mine_code: "620000000001"' + CAMERAS
SITE = """
mine_code: "620000000001"
name_zh: 示范煤矿
name_en: Example mine
severe_hazard: false
areas: [{area_id: "6200000000010001", name_zh: 皮带巷, name_en: Belt road, kind: belt_road}]
nodes: [{node_id: N1, x: 0, y: 0, z: 0}, {node_id: N2, x: 100, y: 0, z: 0}]
edges:
  - {edge_id: E1, from_node: N1, to_node: N2, area_id: "6200000000010001", length_m: 100, section_m2: 12,
     air_class: BELT_ROAD, gas_class: null}
""" + CAMERAS.replace("name_en: Belt road}}", "name_en: Belt road, edge_id: E1, chainage_m: 50}}").replace(
    "name_en: Belt road}]\ncamera_s", "name_en: Belt road, edge_id: E1, chainage_m: 50}]\ncamera_s"
)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_cameras_alone(tmp_path: Path):
    view = load_views(written(tmp_path / "cameras.yaml", ALONE))[CAMERA]
    assert view.stream is not None
    assert (view.stream.address, view.area_id, view.machines) == ("rtsp://10.0.0.1/1", None, {"B1", "B2"})
    assert view.zones[0].corners[0] == (0.5, 0.2)
    assert view.zones[0].between == ("22:00", "06:00")


def test_a_site_file_says_the_same_and_where_it_is(tmp_path: Path):
    path = written(tmp_path / "620000000001.site.yaml", SITE)
    view = load_views(path)[CAMERA]
    assert (view.area_id, view.edge_id) == ("6200000000010001", "E1")
    alone = load_views(written(tmp_path / "cameras.yaml", ALONE))[CAMERA]
    assert (view.zones, view.lines, view.floor, view.stream) == (alone.zones, alone.lines, alone.floor, alone.stream)
    again = written(tmp_path / "again.site.yaml", dump_site(load_site(path)))
    assert load_views(again) == load_views(path)


def test_both_forms_of_codes():
    assert is_code_of_the_standard(CAMERA)
    assert not is_code_of_the_standard("62000000000100000001")  # mine code and serial


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (CAMERA, "123", "expected a camera_code of 20 digits"),
        ("[0.5, 0.2], [1, 0.2], ", "", "expected 3 corners or more of zone Z1, got 2"),
        ("[1, 0.2]", "[1.2, 0.2]", "expected places of zone Z1 as shares"),
        ('"22:00"', '"22"', 'expected hours as "HH:MM"'),
        ("kind: belt", "kind: gathering", "expected a cap in gathering zone Z1"),
        ("end: [1, 0.5]", "end: [0, 0.5]", "expected two different ends of line L1"),
        ("[0, 0, 0, 9], ", "", "expected 4 points or more"),
        ("pictures_per_s: 5", "pictures_per_s: 0", "expected pictures_per_s above 0"),
        (f'cameras: [{{camera_code: "{CAMERA}"', 'cameras: [{camera_code: "62000000411320000009"', "a declared camera"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, old: str, new: str, told: str):
    with pytest.raises(InputError, match=told):
        load_views(written(tmp_path / "cameras.yaml", ALONE.replace(old, new)))


def test_without_a_stream_there_is_nothing_to_watch(tmp_path: Path):
    text = "\n".join(line for line in ALONE.splitlines() if "camera_streams" not in line)
    with pytest.raises(InputError, match="expected camera_streams"):
        with_streams(load_views(written(tmp_path / "cameras.yaml", text)))
