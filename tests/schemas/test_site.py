"""The site file: what is written is read back, and every fault is told by its line and cause."""

from pathlib import Path

import pytest

from minefusion.schemas.errors import InputError
from minefusion.schemas.reference import ROADWAY_EDGE, ROADWAY_NODE
from minefusion.schemas.site import (
    AirPath,
    Area,
    Camera,
    DoorPair,
    Edge,
    Node,
    Shift,
    Site,
    SitePoint,
    SiteStation,
    dump_site,
    load_site,
)

MINE = "620000000001"
FACE = MINE + "0004"
SITE = Site(
    mine_code=MINE,
    name_zh="示范煤矿",
    name_en="Demo mine: #1",
    severe_hazard=True,
    underground_cap=400,
    shifts=(Shift("早班", "morning", "08:00", 8.0),),
    areas=(Area(FACE, "1301综采工作面", "Longwall face 1301", "longwall_face", cap=25),),
    nodes=(Node("N1", 36372560.6, 4245615.6, -310.0), Node("N2", 36372960.6, 4245615.6, -310.0)),
    edges=(Edge("E1", "N1", "N2", FACE, "COAL_FACE", "LW_FACE_T1", 400.0, 12.0),),
    door_pairs=(DoorPair("D1", FACE, ("P1", "P2")),),
    air_paths=(AirPath(FACE, "E1", "E1", 0.0, 6000.0, 1.4),),
    points=(SitePoint("P3", "E1", 380.0, "LW_CORNER_T0"),),
    stations=(SiteStation("S1", "E1", 0.0),),
    cameras=(Camera("C1", "机头", "Drive head", "E1", 400.0),),
)
TEXT = dump_site(SITE)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / f"{MINE}.site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


def test_what_is_written_is_read_back(tmp_path):
    assert load_site(written(tmp_path, TEXT)) == SITE


def test_defaults_may_be_left_out(tmp_path):
    short = (
        f'mine_code: "{MINE}"\nname_zh: 矿\nname_en: mine\nsevere_hazard: false\n'
        f'areas: [{{area_id: "{FACE}", name_zh: 面, name_en: face, kind: longwall_face}}]\nnodes: []\nedges: []\n'
    )
    site = load_site(written(tmp_path, short))
    assert (site.format, site.utc_offset_h, site.approved_hours, site.door_pairs) == (1, 8.0, None, ())
    assert site.areas == (Area(FACE, "面", "face", "longwall_face"),)


def test_rows_of_the_reference_tables():
    nodes, edges = SITE.to_frames()
    assert nodes[1] == {"mine_code": MINE, "node_id": "N2", "x": 36372960.6, "y": 4245615.6, "z": -310.0}
    assert set(nodes[0]) == set(ROADWAY_NODE.names)
    assert set(edges[0]) == set(ROADWAY_EDGE.names)


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        (f'to_node: "N2", area_id: "{FACE}"', f'to_node: "N2", area_id: "{MINE}0009"', "declared area, got '6200"),
        ('from_node: "N1"', 'from_node: "N7"', "expected from_node to name a declared node, got 'N7'"),
        ('intake_edge: "E1"', 'intake_edge: "E5"', "expected intake_edge to name a declared edge, got 'E5'"),
        ('node_id: "N2", x: 36372960.6', 'node_id: "N1", x: 36372960.6', "expected every node_id once, got 'N1' again"),
        ("chainage_m: 380.0", "chainage_m: 401.0", "expected chainage_m of 0 to 400.0 m"),
        ("length_m: 400.0", "length_m: 0", "expected length_m above 0"),
        ("length_m: 400.0", "lenght_m: 400.0", "got key 'lenght_m'"),
        ("length_m: 400.0", "length_m: long", "expected site.edges.length_m as a number, got 'long'"),
        ("length_m: 400.0", "length_m: .inf", "expected site.edges.length_m as a number"),
        ("cap: 25", "cap: 25.5", "expected site.areas.cap as a whole number, got '25.5'"),
        ("is_walkable: true", 'is_walkable: "yes"', "expected site.edges.is_walkable as true or false"),
        ('name_en: "Longwall face 1301"', "name_en: 1301", "expected site.areas.name_en as text in quotes, got '1301'"),
        ('kind: "longwall_face"', 'kind: "longwal_face"', "got 'longwal_face'"),
        ('air_class: "COAL_FACE"', 'air_class: "COALFACE"', "got 'COALFACE'"),
        ('["P1", "P2"]', '["P1"]', "expected 2 entries in site.door_pairs.points, got 1"),
        ('start: "08:00"', 'start: "25:00"', "expected a shift's start"),
        (
            '{camera_code: "C1", name_zh: "机头", ',
            '{name_zh: "机头", ',
            "expected 'camera_code' in site.cameras, got none",
        ),
        ("severe_hazard: true", "severe_hazard: true\nsevere_hazard: false", "expected 'severe_hazard' once"),
        ("format: 1", "format: 2", "expected format 1, got 2"),
        (f'- {{area_id: "{FACE}"', '- {area_id: "9900000000010004"', f"begin with {MINE}"),
    ],
)
def test_a_fault_is_told_by_line_and_cause(tmp_path, old, new, cause):
    text = TEXT.replace(old, new, 1)
    assert text != TEXT
    path = written(tmp_path, text)
    with pytest.raises(InputError) as told:
        load_site(path)
    message = str(told.value)
    assert f"{path} line {line_of(text, new.splitlines()[-1])}: " in message
    assert cause in message
    assert "\n" not in message


def test_a_file_that_is_no_yaml_or_no_text(tmp_path):
    with pytest.raises(InputError, match="line 2: expected YAML"):
        load_site(written(tmp_path, "format: 1\nareas: [}\n"))
    with pytest.raises(InputError, match="line 1: expected a site file, got an empty one"):
        load_site(written(tmp_path, ""))
    with pytest.raises(InputError, match=r"line 1: expected site as"):
        load_site(written(tmp_path, "just words\n"))
    path = tmp_path / "gbk.site.yaml"
    path.write_bytes("format: 1\nname_zh: 煤矿\n".encode("gb18030"))
    with pytest.raises(InputError, match="line 2: expected UTF-8"):
        load_site(path)
