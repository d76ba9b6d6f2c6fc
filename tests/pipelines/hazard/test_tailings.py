"""Tailings ponds by hand: phreatic line (S-06), beach and freeboard (S-07), pool and banks (S-08), colours (S-09)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pytest
from ground_and_water import record, site, value
from hypothesis import given
from hypothesis import strategies as st
from literal_mine import Row, answers, area, at, collect, make_history, of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.hazard.levels import listed_level
from minefusion.pipelines.hazard.tailings import (
    MONTH_H,
    beach_from_pool_m,
    escalated,
    is_clogged,
    least_depth_m,
    pool_level,
    s06,
    s07,
    s08,
    s09,
)
from minefusion.schemas.site import ControlDepth, SiteLevel, TailingsDam

PONDS = [area("F1"), area("POND", "surface"), area("OTHER", "surface")]
DAM = TailingsDam("D1", "POND", "upstream", 3, 65.0, 100.0, 2.0, 98.0, 98.5, 99.0, 50.0)


def rows_of(light: LightEngine, index: Any, rows: Sequence[Row] = (), **parts: Any) -> list[Row]:
    feeds = {"tailings": rows} | parts.pop("feeds", {})
    parts = {"site": site(tailings_dams=(DAM,))} | parts
    return collect(index(make_history(light, feeds=feeds, areas=PONDS, **parts)))


def told(row: Row) -> dict[str, Any]:
    return json.loads(row["inputs"])


@pytest.mark.parametrize(
    ("index_id", "scope", "values"),
    [
        ("S-06", "", [(1.1, 0), (1.09, 3), (1.0, 3), (0.99, 4)]),
        ("S-06", "early", [(1.3, 0), (1.29, 1), (1.2, 1), (1.19, 2), (0.5, 2)]),
        ("S-08", "bank", [(0.79, 0), (0.8, 3), (0.99, 3), (1.0, 4)]),
    ],
)
def test_levels_below_at_and_above_each_step(index_id: str, scope: str, values: list[tuple[float, int]]):
    for amount, level in values:
        assert answers(x=listed_level(of(amount), index_id, scope))["x"] == level, amount
    assert answers(x=listed_level(of(None), index_id, scope))["x"] is None


@pytest.mark.parametrize(
    ("scope", "least"),
    [
        *((f"freeboard_{grade}", least) for grade, least in enumerate((1.5, 1.0, 0.7, 0.5, 0.4), start=1)),
        *((f"beach_upstream_{grade}", least) for grade, least in enumerate((150, 100, 70, 50, 40), start=1)),
        *((f"beach_downstream_{grade}", least) for grade, least in enumerate((100, 70, 50, 35, 25), start=1)),
    ],
)
def test_least_freeboard_and_beach_of_each_grade(scope: str, least: float):
    below, exactly = answers(
        below=listed_level(of(0.99 * least), "S-07", scope), at=listed_level(of(float(least)), "S-07", scope)
    ).values()
    assert (below, exactly) == (4, 0)


# ── S-06 ──


@pytest.mark.parametrize(
    ("height_m", "depth_m"),
    [(10, 2), (30, 2), (45, 3), (60, 4), (80, 5), (100, 6), (125, 7), (150, 8), (175, 9), (200, 10), (300, 10)],
)
def test_least_depth_by_height_of_the_dam(height_m: float, depth_m: float):
    assert least_depth_m(height_m) == pytest.approx(depth_m)


def tube(metres: Mapping[int, float] | float, point_id: str = "T1", area_id: str = "POND", **more: Any) -> list[Row]:
    """Depths in the hours given, or the same one for two days."""
    depths = metres if isinstance(metres, Mapping) else dict.fromkeys(range(-48, 1), metres)
    return [value(point_id, "phreatic_line", hour, depth, area_id, **more) for hour, depth in depths.items()]


CONTROL = site(tailings_dams=(DAM,), control_depths=(ControlDepth("T1", 4.0),))


@pytest.mark.parametrize(
    ("depth", "level", "legal"),
    [(5.3, 0, False), (5.1, 1, False), (4.7, 2, False), (4.3, 3, False), (4.0, 3, False), (3.98, 4, True)],
)
def test_depth_over_the_control_depth(light: LightEngine, depth: float, level: int, legal: bool):
    (row,) = rows_of(light, s06, tube(depth), site=CONTROL)
    assert (row["value"], row["level"], row["legal_exceeded"]) == (pytest.approx(depth / 4), level, legal)
    assert row["limit_confidence"] == ("confirmed" if level in (0, 3, 4) else "advisory")


def test_without_a_control_depth_the_dams_height_asks_for_one(light: LightEngine):
    """65 m: 4 + 2·5/40 = 4.25 m; of two dams around one pond the higher, 100 m: 6 m."""
    (row,) = rows_of(light, s06, tube(4.25))
    assert (row["value"], told(row)["control_depth_m"], told(row)["design_states_it"]) == (1.0, 4.25, False)
    both = site(tailings_dams=(DAM, TailingsDam("D2", "POND", "upstream", 2, 100.0, 120.0, 2.0)))
    (row,) = rows_of(light, s06, tube(5.9), site=both)
    assert (told(row)["control_depth_m"], row["level"]) == (6.0, 4)


def test_a_tube_without_any_control_depth_is_not_judged(light: LightEngine):
    (row,) = rows_of(light, s06, tube(3.0, area_id="F1"))
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_CONTROL_LINE")


def test_an_old_or_bad_depth_says_nothing(light: LightEngine):
    (row,) = rows_of(light, s06, tube(dict.fromkeys(range(-48, -5), 3.0)), site=CONTROL)
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DATA")
    assert rows_of(light, s06, tube(dict.fromkeys(range(-48, -4), 3.0)), site=CONTROL)[0]["level"] == 4
    bad = tube({0: 3.0}, quality="BAD")
    assert rows_of(light, s06, tube(dict.fromkeys(range(-48, 0), 5.5)) + bad, site=CONTROL)[0]["level"] == 0


def test_a_tube_that_stands_still_while_the_pool_moves_is_clogged():
    """Range under 0.02 m beside 0.5 m of the pool, over half a month and more."""
    still, moves = np.full(MONTH_H, 5.0), np.linspace(90.0, 90.5, MONTH_H)
    assert is_clogged(still, moves)
    assert not is_clogged(still + np.linspace(0, 0.021, MONTH_H), moves)
    assert not is_clogged(still, np.linspace(90.0, 90.49, MONTH_H))
    assert not is_clogged(np.where(np.arange(MONTH_H) < 361, math.nan, 5.0), moves)


def pool(metres: Mapping[int, float] | float, area_id: str = "POND", point_id: str = "K1", **more: Any) -> list[Row]:
    levels = metres if isinstance(metres, Mapping) else dict.fromkeys(range(-12, 1), metres)
    return [value(point_id, "reservoir_level", hour, each, area_id, **more) for hour, each in levels.items()]


def test_a_clogged_tube_is_told_and_another_ponds_pool_clogs_none(light: LightEngine):
    month = range(-720, 1)
    stuck, rising = tube(dict.fromkeys(month, 5.5)), {hour: 95 + (hour + 720) / 720 for hour in month}
    (row,) = rows_of(light, s06, stuck + pool(rising), site=CONTROL)
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "CLOGGED_TUBE")
    (row,) = rows_of(light, s06, stuck + pool(rising, area_id="OTHER"), site=CONTROL)
    assert (row["value"], row["level"]) == (1.375, 0)


@pytest.mark.parametrize(("by_hand", "reason"), [(5.21, None), (5.19, "DRIFTED"), (5.81, "DRIFTED")])
def test_a_measurement_by_hand_tells_a_drifted_tube(light: LightEngine, by_hand: float, reason: str | None):
    """The tube said 5.5 m at that hour: 0.3 m off and more is drift."""
    check = record("phreatic_check", "phreatic_line", -20, by_hand, "H1", sample_id="T1")
    (row,) = rows_of(light, s06, tube(5.5), site=CONTROL, feeds={"records": [check]})
    assert (row["null_reason"], row["level"]) == (reason, 0 if reason is None else None)


# ── S-07, S-08 ──


def beach(metres: float, point_id: str = "B1", hour: int = 0, **more: Any) -> list[Row]:
    return [value(point_id, "dry_beach_length", hour, metres, "POND", **more)]


def test_beach_by_hand():
    """(100 - 98.6)/2 % = 70 m; a pool over the crest leaves none."""
    assert answers(x=beach_from_pool_m(of(100.0), of(98.6), of(2.0)))["x"] == pytest.approx(70.0)
    assert answers(x=beach_from_pool_m(of(100.0), of(100.5), of(2.0)))["x"] == 0.0


@pytest.mark.parametrize(
    ("level_m", "beach_level", "freeboard_level"), [(98.5, 0, 0), (98.61, 4, 0), (99.29, 4, 0), (99.31, 4, 4)]
)
def test_beach_and_freeboard_of_a_pool(light: LightEngine, level_m: float, beach_level: int, freeboard_level: int):
    """Grade 3, upstream: 70 m of beach (98.6 m) and 0.7 m of freeboard (99.3 m)."""
    first, second = rows_of(light, s07, pool(level_m))
    assert (first["entity"], first["value"], first["level"]) == (
        "D1/beach", pytest.approx(50 * (100 - level_m)), beach_level,
    )  # fmt: skip
    assert (second["entity"], second["value"], second["level"]) == (
        "D1/freeboard", pytest.approx(100 - level_m), freeboard_level,
    )  # fmt: skip
    assert (told(first)["least_m"], told(second)["least_m"], told(first)["beach_measured"]) == (70.0, 0.7, False)


def test_the_shortest_measured_beach_counts(light: LightEngine):
    rows = pool(98.0) + beach(80.0) + beach(69.0, "B2") + beach(10.0, "B3", quality="BAD")
    first, _ = rows_of(light, s07, rows)
    assert (first["value"], first["level"], told(first)["beach_measured"]) == (69.0, 4, True)
    old, _ = rows_of(light, s07, pool(98.0) + beach(69.0, hour=-7))
    assert (old["value"], old["level"]) == (100.0, 0)


def test_the_sites_flood_storage_is_orange(light: LightEngine):
    own = SiteLevel("S-07", "flood routing", "freeboard_3", orange=1.1, red=0.7)
    _, freeboard = rows_of(light, s07, pool(99.0), site=site(tailings_dams=(DAM,), levels=(own,)))
    assert (freeboard["level"], freeboard["limit_confidence"]) == (3, "mine")


def test_a_downstream_dam_may_have_a_shorter_beach(light: LightEngine):
    dam = TailingsDam("D1", "POND", "centreline", 3, 65.0, 100.0, 2.0)
    first, _ = rows_of(light, s07, pool(98.9), site=site(tailings_dams=(dam,)))
    assert (first["value"], told(first)["least_m"], first["level"]) == (pytest.approx(55.0), 50.0, 0)


@pytest.mark.parametrize("index", [s07, s08])
def test_an_old_pool_level_says_nothing(light: LightEngine, index: Any):
    rows = rows_of(light, index, pool(dict.fromkeys(range(-40, -5), 99.5)))
    assert {(row["value"], row["level"], row["null_reason"]) for row in rows if row["entity"] != "D1/bank"} == {
        (None, None, "NO_POND_LEVEL")
    }


@pytest.mark.parametrize(
    ("level_m", "level"),
    [(97.99, 0), (98.0, 2), (98.49, 2), (98.5, 3), (98.99, 3), (99.0, 4), (None, None)],
)
def test_pool_against_the_designs_levels(level_m: float | None, level: int | None):
    assert answers(x=pool_level(of(level_m), of(98.0), of(98.5), of(99.0)))["x"] == level
    assert answers(x=pool_level(of(level_m), of(None), of(None), of(99.0)))["x"] == (
        None if level is None else 4 * (level == 4)
    )


def test_the_highest_pool_point_counts(light: LightEngine):
    rows = pool(98.2) + pool(98.7, point_id="K2") + pool({0: 99.5}, point_id="K3", quality="BAD")
    row = next(row for row in rows_of(light, s08, rows) if row["entity"] == "D1/pool")
    assert (row["value"], row["level"], row["limit_confidence"]) == (98.7, 3, "mine")
    assert row["sentence_zh"] == "POND区 D1/pool：库水位 98.70 m，设计洪水位 99.00 m；橙色。"


def test_a_design_without_levels_has_no_steps(light: LightEngine):
    (row,) = rows_of(light, s08, pool(98.2), site=site(tailings_dams=(TailingsDam("D1", "POND", "upstream", 3, 65.0,
                                                                                  100.0, 2.0),)))  # fmt: skip
    assert (row["entity"], row["value"], row["level"], row["null_reason"]) == ("D1/pool", 98.2, None, "NO_LIMIT")


def moved(mm: float, quantity: str = "surface_disp_x", point_id: str = "M1") -> list[Row]:
    return [value(point_id, quantity, hour, mm, "POND") for hour in range(-40, 1)]


@pytest.mark.parametrize(("mm", "level"), [(39.0, 0), (40.0, 3), (49.9, 3), (50.0, 4), (-45.0, 3), (-60.0, 4)])
@pytest.mark.parametrize("quantity", ["surface_disp_x", "radar_disp"])
def test_displacement_of_a_bank_either_way(light: LightEngine, quantity: str, mm: float, level: int):
    row = next(row for row in rows_of(light, s08, moved(mm, quantity)) if row["entity"] == "D1/bank")
    assert (row["value"], row["level"], row["unit"]) == (abs(mm), level, "mm")


def test_the_farthest_point_of_the_bank_counts(light: LightEngine):
    rows = moved(10.0) + moved(-48.0, "radar_disp", "M2")
    row = next(row for row in rows_of(light, s08, rows) if row["entity"] == "D1/bank")
    assert (row["value"], row["level"]) == (48.0, 3)
    row = next(row for row in rows_of(light, s08) if row["entity"] == "D1/bank")
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_DISPLACEMENT")


# ── S-09 ──


@pytest.mark.parametrize(
    ("counts", "level"),
    [
        ((0, 0, 0, 0), 0), ((3, 0, 0, 0), 1), ((4, 0, 0, 0), 2), ((11, 0, 0, 0), 2), ((12, 0, 0, 0), 3),
        ((23, 0, 0, 0), 3), ((24, 0, 0, 0), 4), ((0, 2, 0, 0), 2), ((0, 3, 0, 0), 3), ((4, 2, 0, 0), 3),
        ((0, 0, 1, 0), 3), ((0, 0, 2, 0), 4), ((0, 3, 1, 0), 4), ((0, 0, 0, 1), 4),
    ],
)  # fmt: skip
def test_four_blue_are_a_yellow_three_yellow_an_orange_two_orange_a_red(counts: tuple[int, ...], level: int):
    found = answers(x=escalated([nw.lit(each) for each in counts], [nw.lit(4), nw.lit(3), nw.lit(2)]))
    assert found["x"] == level


@given(st.tuples(*[st.integers(0, 9)] * 4), st.integers(0, 3))
def test_one_more_point_never_lowers_the_colour(counts: tuple[int, ...], place: int):
    more = tuple(count + (number == place) for number, count in enumerate(counts))
    before, after = (
        answers(x=escalated([nw.lit(n) for n in each], [nw.lit(4), nw.lit(3), nw.lit(2)]))["x"]
        for each in (counts, more)
    )
    assert after >= before
    assert before >= max((level for level, count in enumerate(counts, 1) if count), default=0)


def colour(light: LightEngine, rows: list[Row], **more: Any) -> Row:
    (row,) = rows_of(light, s09, rows, **({"site": CONTROL} | more))
    return row


def test_a_calm_pond(light: LightEngine):
    row = colour(light, pool(97.0) + tube(5.5))
    assert (row["entity"], row["value"], row["level"]) == ("POND", 0.0, 0)
    assert (told(row)["items"], told(row)["points"]) == (3, 4)  # the tube; beach and freeboard; the pool


def test_the_worst_item_colours_the_pond(light: LightEngine):
    """The pool stands at yellow, the tube at blue; nothing adds up to more."""
    row = colour(light, pool(98.2) + tube(5.1))
    assert (row["value"], row["level"]) == (2.0, 2)
    assert (told(row)["blue_items"], told(row)["yellow_items"]) == (1, 1)
    assert row["limit_confidence"] == "inferred"


def test_points_of_one_item_add_up(light: LightEngine):
    """Four tubes at blue make the phreatic line yellow, two at orange make it red."""
    four = [row for number in range(1, 5) for row in tube(5.1, f"T{number}")]
    own = site(tailings_dams=(DAM,), control_depths=tuple(ControlDepth(f"T{n}", 4.0) for n in range(1, 5)))
    assert colour(light, four, site=own)["level"] == 2
    assert colour(light, four[: 3 * 49], site=own)["level"] == 1
    assert colour(light, tube(4.2) + tube(4.2, "T2"), site=own)["level"] == 4


def test_other_ponds_and_unknown_items_count_for_nothing(light: LightEngine):
    row = colour(light, pool(97.0) + pool(99.9, area_id="OTHER", point_id="K9"))
    assert (row["level"], told(row)["items"]) == (0, 2)
    row = colour(light, [])
    assert (row["value"], row["level"], row["null_reason"]) == (None, None, "NO_TAILINGS_ITEM")


def test_the_hours_are_judged_one_by_one(light: LightEngine):
    """98.2 m is over the operating level; at 98.7 m the beach is 65 m, too short."""
    rows = pool({-1: 97.0, 0: 97.0, 1: 98.2, 2: 98.7})
    found = rows_of(light, s09, rows, hours=(0, 3))
    assert [(row["window_start"], row["level"]) for row in found] == [(at(0), 0), (at(60), 2), (at(120), 4)]
