"""The way of the air: from a face down its return, past a junction, and not against the flow."""

from __future__ import annotations

import pytest

from minefusion.pipelines.hazard.air_ways import AirWays, Place
from minefusion.schemas.site import Area, Edge, Node, Site

MINE = "140000000001"


def site() -> Site:
    """intake → face → return → main return, which a second return joins."""
    areas = (
        Area(f"{MINE}01", "进风", "Intake", "intake_airway"),
        Area(f"{MINE}02", "工作面", "Face", "longwall_face"),
        Area(f"{MINE}03", "回风", "Return", "return_airway"),
        Area(f"{MINE}04", "总回风", "Main return", "total_return"),
    )
    ways = (
        ("IN", "A", "B", 1, 300.0), ("FACE", "B", "C", 2, 200.0), ("RET", "C", "D", 3, 600.0),
        ("OTHER", "E", "D", 3, 400.0), ("MAIN", "D", "F", 4, 500.0),
    )  # fmt: skip
    edges = tuple(
        Edge(name, begin, end, f"{MINE}{area:02d}", "OTHER_ROAD", None, length, 10.0)
        for name, begin, end, area, length in ways
    )
    nodes = tuple(Node(name, 0.0, 0.0, 0.0) for name in "ABCDEF")
    return Site(mine_code=MINE, name_zh="矿", name_en="Mine", severe_hazard=True, areas=areas, nodes=nodes, edges=edges)


@pytest.fixture(scope="module")
def ways() -> AirWays:
    return AirWays(site())


def test_length_and_time_follow_the_roadways(ways: AirWays):
    way = ways.way(Place("FACE", 150.0), Place("RET", 100.0))
    assert way is not None
    assert way.length_m == pytest.approx(50 + 100)
    # 50 m at 2 m/s and 100 m at 1 m/s: 125 s.
    assert way.minutes({"FACE": 2.0, "RET": 1.0}) == pytest.approx(125 / 60)


def test_along_one_roadway_nothing_joins(ways: AirWays):
    way = ways.way(Place("RET", 100.0), Place("RET", 400.0))
    assert way is not None
    assert way.length_m == pytest.approx(300)
    assert way.is_same_air


def test_gas_joins_in_a_working_area_and_air_at_a_junction(ways: AirWays):
    past_face, past_junction = (
        ways.way(Place("IN", 0.0), Place("RET", 1.0)),
        ways.way(Place("RET", 0.0), Place("MAIN", 1.0)),
    )
    assert past_face is not None
    assert past_junction is not None
    assert (past_face.meets_source, past_face.mixes) == (True, False)
    assert (past_junction.meets_source, past_junction.mixes) == (False, True)


def test_there_is_no_way_against_the_air_nor_to_another_branch(ways: AirWays):
    assert ways.way(Place("RET", 10.0), Place("IN", 10.0)) is None
    assert ways.way(Place("RET", 10.0), Place("RET", 5.0)) is None
    assert ways.way(Place("RET", 10.0), Place("OTHER", 5.0)) is None
    assert ways.way(Place("nowhere", 1.0), Place("RET", 5.0)) is None


def test_still_air_is_followed_no_slower_than_the_slowest(ways: AirWays):
    way = ways.way(Place("RET", 0.0), Place("RET", 150.0))
    assert way is not None
    assert way.minutes({"RET": 0.0}) == pytest.approx(150 / 0.25 / 60)
