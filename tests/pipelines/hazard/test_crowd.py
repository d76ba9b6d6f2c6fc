"""Where a positioning system gives no place on the roadway, the area is all there is to go by."""

from __future__ import annotations

import pyarrow as pa

from minefusion.pipelines.hazard.crowd import count_people

MINUTE_US = 60_000_000


def listed(minutes: int, cards: list[str]) -> pa.Table:
    """Cards in one area that needs two people, minute by minute, none on a roadway."""
    rows = [
        {
            "mine_code": "620000000001",
            "observed_us": minute * MINUTE_US,
            "held_until_us": (minute + 3) * MINUTE_US,
            "card_code": card,
            "in_out_flag": 1,
            "area_id": "6200000000010001",
            "edge_id": None,
            "chainage_m": None,
            "is_precise": False,
            "from_node": None,
            "to_node": None,
            "length_m": None,
            "kind": "chamber",
            "is_muster": False,
            "needs_two_people": True,
        }
        for minute in range(minutes)
        for card in cards
    ]
    texts = ("mine_code", "card_code", "area_id", "edge_id", "from_node", "to_node", "kind")
    types = dict.fromkeys(texts, pa.string()) | {"chainage_m": pa.float64(), "length_m": pa.float64()}
    types |= dict.fromkeys(("observed_us", "held_until_us"), pa.int64()) | {"in_out_flag": pa.int32()}
    types |= dict.fromkeys(("is_precise", "is_muster", "needs_two_people"), pa.bool_())
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, types[name]) for name in rows[0]]))


def test_everybody_in_the_area_is_company_where_no_station_is_known():
    together = count_people(listed(60, ["A", "B"]))
    assert sum(together["alone"].to_pylist()) == 0


def test_one_person_is_alone_also_without_a_place_on_the_roadway():
    by_herself = count_people(listed(60, ["A"]))
    assert max(by_herself["alone"].to_pylist()) == 1
