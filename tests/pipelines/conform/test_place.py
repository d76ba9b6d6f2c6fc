"""A place is found from coordinates, then from words; what neither can place is unplaced."""

from __future__ import annotations

import pytest

from minefusion.pipelines.conform.place import NOWHERE, Gazetteer, gas_class_of
from minefusion.schemas.site import Area, Edge, Node, Site, SitePoint

MINE = "620000000001"
FACE, RETURN, HEADING = f"{MINE}0001", f"{MINE}0002", f"{MINE}0003"


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    """A face 200 m long along x, its return along y from the face's end, and a heading 50 m above the face."""
    nodes = (("A", 0, 0, -500), ("B", 200, 0, -500), ("C", 200, 300, -500), ("D", 0, 0, -450), ("E", 200, 0, -450))
    site = Site(
        mine_code=MINE,
        name_zh="示例矿",
        name_en="Sample mine",
        severe_hazard=True,
        areas=(
            Area(FACE, "1101综采工作面", "Face 1101", "longwall_face"),
            Area(RETURN, "1101回风巷", "Return 1101", "return_airway"),
            Area(HEADING, "1203掘进工作面", "Heading 1203", "heading"),
        ),
        nodes=tuple(Node(name, float(x), float(y), float(z)) for name, x, y, z in nodes),
        edges=(
            Edge("E1", "A", "B", FACE, "COAL_FACE", "LW_FACE_T1", 200.0, 12.0),
            Edge("E2", "B", "C", RETURN, "OTHER_ROAD", "LW_RETURN_T2", 300.0, 12.0),
            Edge("E3", "D", "E", HEADING, "COAL_FACE", None, 200.0, 12.0),
        ),
        points=(SitePoint("FIXED", "E2", 120.0),),
    )
    return Gazetteer(site)


@pytest.mark.parametrize(
    ("where", "text", "expected"),
    [
        ((50, 3, -500), "", (FACE, "E1", 50.0)),
        (
            (50, 3, None),
            "1203掘进工作面",
            (HEADING, "E3", 50.0),
        ),  # without a height two lie above each other: words decide
        ((50, 3, -452), "", (HEADING, "E3", 50.0)),
        ((203, 150, -500), "", (RETURN, "E2", 150.0)),
        ((199, 1, -500), "1101工作面回风巷", (RETURN, "E2", 1.0)),  # beside a node the words decide
        ((0, 0, 0), "1101综采工作面上隅角", (FACE, "E1", None)),  # 0, 0 is what senders write without a survey
        ((5000, 5000, -500), "1101综采工作面", (FACE, "E1", None)),  # far off every roadway: a wrong coordinate
        ((None, None, None), "1203掘进面迎头T1", (HEADING, "E3", None)),
        ((None, None, None), "9999工作面", ("unplaced", None, None)),  # another face's number
        ((None, None, None), "地面", ("unplaced", None, None)),
    ],
)
def test_coordinates_first_then_words(gazetteer: Gazetteer, where: tuple, text: str, expected: tuple):
    place = gazetteer.place("P", *where, text)
    assert (place.area_id, place.edge_id, place.chainage_m) == expected


def test_the_site_files_own_word_goes_first(gazetteer: Gazetteer):
    place = gazetteer.place("FIXED", 50, 3, -500, "1101综采工作面")
    assert (place.area_id, place.edge_id, place.chainage_m, place.method) == (RETURN, "E2", 120.0, "site")


def test_without_a_site_file_the_areas_that_were_told_give_words():
    told = Gazetteer(None, [(FACE, "1101综采工作面")])
    assert told.place("P", 1.0, 2.0, 3.0, "1101综采工作面上隅角").area_id == FACE
    assert Gazetteer(None).place("P", 1.0, 2.0, 3.0, "1101综采工作面") == NOWHERE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1101综采工作面上隅角T0", "LW_CORNER_T0"),
        ("1101回风隅角", "LW_CORNER_T0"),
        ("1101采煤工作面T1", "LW_FACE_T1"),
        ("1101工作面T1", "LW_FACE_T1"),
        ("1101综采回风T2", "LW_RETURN_T2"),
        ("1101工作面回风巷T2", "LW_RETURN_T2"),
        ("1203掘进工作面T1", "HD_FACE_T1"),  # 掘 decides before 工作面
        ("1203掘进回风T2", "HD_RETURN_T2"),
        ("矿井总回风巷", "TOTAL_RETURN"),
        ("二采区回风巷", "DISTRICT_RETURN"),
        ("井底煤仓", "BUNKER_TOP"),
        ("皮带走廊", "BELT_GALLERY"),
        ("中央变电所硐室", "ELEC_CHAMBER_INTAKE"),
        ("电机车", "LOCOMOTIVE"),
        ("副井口", None),
    ],
)
def test_the_limits_place_by_words(text: str, expected: str | None):
    assert gas_class_of(text, None) == expected
    assert gas_class_of(text, "TOTAL_RETURN") == "TOTAL_RETURN"  # the roadway's own goes first
