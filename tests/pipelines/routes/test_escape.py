"""Ways out on a few roadways: by hand, and against every way that there is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literal_roads import conditions, every_way, people, site

from minefusion.pipelines.routes.escape import AVOIDED, FORBIDDEN, OPEN, Conditions, Way, escape_ways
from minefusion.pipelines.routes.roadways import TENTHS, Goal, Roadways, roadways_of
from minefusion.pipelines.routes.smoke import smoke_arrival

# A ring of four roadways with the exit at X, and a dead-end heading off it.
#        N1 ──E0 300── X
#        E1 200        E3 600
#        N2 ──E2 400── N3        N2 ──E4 100── N4 (heading)
RING = [("N1", "X", 300.0), ("N1", "N2", 200.0), ("N2", "N3", 400.0), ("N3", "X", 600.0), ("N2", "N4", 100.0)]


def ring(**more) -> Roadways:
    return roadways_of(site(RING, exits=["X"], **more))


def one(roads: Roadways, place: tuple[int, float], minutes: float = 30.0, **state) -> Way:
    return escape_ways(roads, conditions(roads, **state), people(place), minutes)[0]


def edges(roads: Roadways, way: Way) -> list[int]:
    return [int(roads.edge[piece]) for piece in way.pieces]


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_quickest_way_where_all_is_well():
    roads = ring()
    way = one(roads, (4, 60.0))  # 60 m to N2 at 1 m/s, 200 m to N1, 300 m to X
    assert (way.kind, way.air, way.walk_s, way.worn_s, way.length_m) == ("exit", "good", 560.0, 0.0, 560.0)
    assert edges(roads, way) == [4, 1, 0]


def test_a_blocked_roadway_is_gone_round():
    way = one(ring(), (4, 60.0), state={0: FORBIDDEN})
    assert (way.kind, way.air, way.walk_s) == ("exit", "good", 1060.0)


def test_bad_air_is_gone_round_however_long_the_way_is():
    assert one(ring(), (4, 60.0), state={0: AVOIDED}).walk_s == 1060.0


def test_where_every_way_has_bad_air_the_least_of_it_is_breathed():
    # 300 m of bad air by E0, 600 m by E3.
    way = one(ring(), (4, 60.0), state={0: AVOIDED, 3: AVOIDED})
    assert (way.air, way.walk_s, way.worn_s) == ("least_bad", 560.0, 300.0)


def test_who_stands_in_bad_air_leaves_it_the_shortest_way_and_walks_on_in_good_air():
    # Bad: E1 and E0. From E1 at 30 m: N1 is near, but the way on is bad; over N2 it is 170 m and then good.
    way = one(ring(), (1, 30.0), state={0: AVOIDED, 1: AVOIDED})
    assert (way.air, way.worn_s, way.walk_s) == ("least_bad", 170.0, 1170.0)


@pytest.mark.parametrize(("minutes", "kind"), [(5.0, "exit"), (4.99, "none")])
def test_the_self_rescuer_has_to_last(minutes: float, kind: str):
    way = one(ring(), (4, 60.0), minutes, state={0: AVOIDED, 3: AVOIDED})  # 300 s of bad air
    assert way.kind == kind
    if kind == "none":
        assert way.blocked_by == ()
        assert way.goal is not None
        assert way.goal.goal_id == "X"


def test_smoke_halves_the_speed():
    way = one(ring(), (0, 0.0), state={1: FORBIDDEN}, smoky=[0])
    assert (way.air, way.walk_s, way.worn_s) == ("least_bad", 600.0, 600.0)


def test_nobody_walks_a_way_that_smoke_reaches_first():
    # Fire in E2, air towards N3: E3 fills from there on. A way over E0 has good air for ever.
    assert edges(ring(), one(ring(), (4, 60.0), smoky=[2])) == [4, 1, 0]
    # Fire in the heading: the air takes smoke to N2 … where people of E1 have gone before it, or have not.
    roads = roadways_of(site([("F", "A", 100.0), ("A", "X", 300.0)], exits=["X"]))
    ahead = one(roads, (1, 100.0), smoky=[0], air=0.5)  # smoke passes 300 m in 600 s, and gets in at once
    assert (ahead.air, ahead.walk_s) == ("least_bad", 400.0)


def test_a_way_ahead_of_the_smoke_is_good_air():
    # Smoke leaves E0 now and has 400 m of E1 at 2 m/s before E2: 200 s. The person is on E2's start in 100 s.
    roads = roadways_of(site([("F", "A", 50.0), ("A", "B", 400.0), ("B", "X", 90.0), ("P", "B", 200.0)], exits=["X"]))
    state = conditions(roads, smoky=[0], air=2.0)
    assert smoke_arrival(roads, state.smoky, state.velocity_m_s).tolist() == [0.0, 0.0, 2000.0, np.inf]
    walk = one(roads, (3, 100.0), smoky=[0], air=2.0)
    assert (walk.air, walk.walk_s, walk.worn_s) == ("good", 190.0, 0.0)
    # From 110 m farther off the smoke is there first: 90 m at half the speed under the self-rescuer.
    late = one(roads, (3, 0.0), smoky=[0], air=2.0)
    assert (late.air, late.worn_s, late.walk_s) == ("least_bad", 180.0, 380.0)


def test_ahead_of_the_smoke_where_the_self_rescuer_would_not_last_in_it():
    # The smoke comes after 1,000 s; 900 m of the road are behind by then, and only 100 m are walked in it.
    roads = roadways_of(site([("F", "A", 10.0), ("A", "B", 2000.0), ("B", "X", 1000.0)], exits=["X"]))
    way = one(roads, (2, 0.0), 15.0, smoky=[0], air=2.0)
    assert (way.air, way.walk_s) == ("good", 1000.0)
    way = escape_ways(
        roadways_of(site([("F", "A", 10.0), ("A", "B", 1800.0), ("B", "X", 1000.0)], exits=["X"])),
        conditions(roads, smoky=[0], air=2.0),
        people((2, 0.0)),
        15.0,
    )[0]
    assert (way.air, way.walk_s, way.worn_s) == ("ahead_of_smoke", 1100.0, 200.0)


def test_slope_takes_speed_both_ways():
    # 300 m that rise by 30 m: s = 30 ÷ √(300² − 30²) = 0.1005; speed exp(−3.5 s) = 0.7034 m/s.
    roads = roadways_of(site([("N1", "X", 300.0)], exits=["X"], heights={"X": 30.0}))
    assert one(roads, (0, 0.0)).walk_s == pytest.approx(300 / math.exp(-3.5 * 30 / math.sqrt(300**2 - 30**2)), abs=0.1)
    down = roadways_of(site([("N1", "X", 300.0)], exits=["X"], heights={"X": -30.0}))
    assert one(down, (0, 0.0)).walk_s == one(roads, (0, 0.0)).walk_s


def test_who_cannot_leave_goes_to_the_chamber_while_it_has_places():
    roads = ring(chambers=[(1, 50.0, 1), (2, 390.0, None)])
    blocked = conditions(roads, {0: FORBIDDEN, 3: FORBIDDEN})
    first, second = escape_ways(roads, blocked, people((4, 60.0), (4, 20.0)), 30.0)
    # The nearer one is there first and has the only place; the other walks 60 m and 390 m to the next chamber.
    assert (second.kind, second.goal.goal_id, second.walk_s) == ("refuge", "C0", 170.0)
    assert (first.kind, first.goal.goal_id, first.walk_s) == ("refuge", "C1", 450.0)


def test_who_is_cut_off_is_told_by_what():
    roads = ring(chambers=[(3, 100.0, 10)])
    way = one(roads, (4, 60.0), state={1: FORBIDDEN, 2: FORBIDDEN})
    assert (way.kind, way.goal.goal_id, way.length_m, way.blocked_by) == ("none", "C0", 560.0, (2,))


def test_an_unknown_place_is_said():
    assert one(ring(), (-1, math.nan)).kind == "unplaced"


def test_without_exits_and_chambers_there_is_an_answer_still():
    assert one(roadways_of(site(RING)), (0, 10.0)) == Way("none")


def test_two_roadways_between_the_same_junctions_are_kept_apart():
    roads = roadways_of(site([("N1", "X", 300.0), ("N1", "X", 500.0)], exits=["X"]))
    assert one(roads, (0, 0.0)).walk_s == 300.0
    # Over N1 and the longer one: the own roadway is left at its nearer end.
    assert one(roads, (0, 250.0), state={0: FORBIDDEN}).walk_s == 50.0
    roads = roadways_of(site([("N1", "X", 300.0), ("N1", "X", 500.0), ("P", "N1", 10.0)], exits=["X"]))
    assert one(roads, (2, 0.0), state={0: FORBIDDEN}).walk_s == 510.0


# ── against every way that there is ─────────────────────────────────────────────────────────────────────────────────

NODES = ["A", "B", "C", "D", "E", "F"]


@st.composite
def mines(draw: st.DrawFn):
    """Up to nine roadways between six junctions, with states, smoke, air and people."""
    count = draw(st.integers(1, 9))
    pairs = [draw(st.lists(st.sampled_from(NODES), min_size=2, max_size=2, unique=True)) for _ in range(count)]
    lengths = [float(draw(st.integers(10, 400))) for _ in range(count)]
    chambers = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, 10)), max_size=2))
    roads = roadways_of(
        site(
            [(one, other, length) for (one, other), length in zip(pairs, lengths, strict=True)],
            exits=draw(st.lists(st.sampled_from([p[0] for p in pairs]), max_size=2, unique=True)),
            chambers=[(edge, lengths[edge] * tenth / 10, None) for edge, tenth in chambers],
        )
    )
    state = np.array([draw(st.sampled_from([OPEN, OPEN, AVOIDED, FORBIDDEN])) for _ in range(count)])
    smoky = np.array([draw(st.integers(0, 5)) == 0 for _ in range(count)])
    air = np.array([float(draw(st.sampled_from([-2.0, -0.5, 0.5, 1.0, 3.0, math.nan]))) for _ in range(count)])
    where = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, 10)), min_size=1, max_size=4))
    crowd = people(*((edge, lengths[edge] * tenth / 10) for edge, tenth in where))
    return roads, Conditions(state, smoky, air), crowd, float(draw(st.integers(1, 12)))


RANK = {"exit": 0, "refuge": 3, "none": 6, "unplaced": 7}
AIRS = {"good": 0, "least_bad": 1, "ahead_of_smoke": 2, None: 0}


def rank(way: Way) -> tuple[float, float, float]:
    """How good an answer is, smaller is better: kind, then minutes of bad air, then time."""
    if way.kind in ("none", "unplaced"):
        return RANK[way.kind], 0.0, 0.0
    return RANK[way.kind] + AIRS[way.air], way.worn_s if way.air == "least_bad" else 0.0, way.walk_s


def walks(roads: Roadways, edge: int, chainage: float, goals: Sequence[Goal]):
    """Every way of one person, as (share of the first piece, its piece, the others)."""
    piece = roads.piece_at(edge, chainage)
    length = roads.length_m[piece]
    share = (chainage - roads.from_m[piece]) / length if length else 0.0
    for node, part in ((int(roads.first[piece]), share), (int(roads.second[piece]), 1 - share)):
        for rest in every_way(roads, node, goals):
            yield part, piece, rest


def tenths(value: float) -> float:
    return math.ceil(round(value, 6))


def best_by_hand(roads: Roadways, now: Conditions, edge: int, chainage: float, minutes: float) -> tuple:
    """The rank of the best answer, by trying every way."""
    smoke = smoke_arrival(roads, now.smoky, now.velocity_m_s)
    state = np.maximum(now.state, now.smoky * AVOIDED)[roads.edge]
    clear, slow = roads.clear_time, roads.smoke_time
    rescuer = math.floor(minutes * 60 * TENTHS)
    found: list[tuple] = [(6, 0.0, 0.0)]
    for offset, goals in ((0, roads.exits()), (3, roads.refuges())):
        good, bad, ahead = [], [], []
        for share, first, rest in walks(roads, edge, chainage, goals) if goals else ():
            if any(state[piece] == FORBIDDEN for piece in rest):
                continue
            parts = [(first, share), *((piece, 1.0) for piece in rest)]
            now_t, fine = 0.0, True
            for piece, part in parts:
                now_t += tenths(part * clear[piece])
                fine &= state[piece] == OPEN and now_t <= smoke[piece]
            if fine:
                good.append((offset, 0.0, now_t / TENTHS))
            turns = [state[piece] != OPEN or smoke[piece] < np.inf for piece, _ in parts]
            times = [tenths(part * (slow if smoke[piece] < np.inf else clear)[piece]) for piece, part in parts]
            bad_at = [place for place, is_bad in enumerate(turns) if is_bad]
            worn = sum(times[bad_at[0] : bad_at[-1] + 1]) if bad_at else 0.0
            bad.append((worn, sum(times)))
            now_t, on, off = 0.0, None, 0.0
            for piece, part in parts:
                c, s = tenths(part * clear[piece]), tenths(part * slow[piece])
                if smoke[piece] >= now_t + c:
                    then = now_t + c
                else:
                    done = max(smoke[piece] - now_t, 0.0) / c if c else 0.0
                    then = tenths(max(smoke[piece], now_t) + (1 - done) * s)
                begins = now_t if state[piece] != OPEN else max(smoke[piece], now_t)
                if begins < then:
                    on, off = (begins if on is None else on), then
                now_t = then
            ahead.append((now_t, off - on if on is not None else 0.0))
        found += good
        if bad and min(bad)[0] <= rescuer:
            found.append((offset + 1, min(bad)[0] / TENTHS, min(bad)[1] / TENTHS))
        if ahead and np.isfinite(smoke).any():
            quickest = min(time for time, _ in ahead)
            if any(time == quickest and worn <= rescuer for time, worn in ahead):
                found.append((offset + 2, 0.0, quickest / TENTHS))
    return min(found)


@settings(max_examples=300, deadline=None)
@given(mines())
def test_no_way_is_better_than_the_one_that_is_given(mine):
    roads, now, crowd, minutes = mine
    for person, way in enumerate(escape_ways(roads, now, crowd, minutes)):
        best = best_by_hand(roads, now, int(crowd.edge[person]), float(crowd.chainage_m[person]), minutes)
        assert rank(way) == best or (way.air == "ahead_of_smoke" and rank(way)[::2] == best[::2])


@settings(max_examples=200, deadline=None)
@given(mines())
def test_everybody_gets_an_answer_that_uses_no_forbidden_roadway_and_does_what_it_says(mine):
    roads, now, crowd, minutes = mine
    ways = escape_ways(roads, now, crowd, minutes)
    assert len(ways) == len(crowd)
    for person, way in enumerate(ways):
        assert way.kind in ("exit", "refuge", "none")
        if way.kind == "none":
            continue
        assert not (now.state[roads.edge[list(way.pieces[1:])]] == FORBIDDEN).any()
        assert roads.piece_at(int(crowd.edge[person]), float(crowd.chainage_m[person])) == way.pieces[0]
        assert way.worn_s <= minutes * 60
        assert way.walk_s >= way.worn_s
        # The pieces hang together and end at the goal.
        ends = [{int(roads.first[piece]), int(roads.second[piece])} for piece in way.pieces]
        assert all(one & other for one, other in pairwise(ends))
        assert way.goal.node in ends[-1]


@settings(max_examples=200, deadline=None)
@given(mines(), st.data())
def test_blocking_a_roadway_makes_no_answer_better(mine, data):
    roads, now, crowd, minutes = mine
    edge = data.draw(st.integers(0, len(roads.edge_ids) - 1))
    state = now.state.copy()
    state[edge] = FORBIDDEN
    before = escape_ways(roads, now, crowd, minutes)
    after = escape_ways(roads, Conditions(state, now.smoky, now.velocity_m_s), crowd, minutes)
    # Whose quickest way ahead of the smoke is blocked may find a slower one on which the self-rescuer lasts.
    assert all(
        rank(now_best) <= rank(then) or then.air == "ahead_of_smoke"
        for now_best, then in zip(before, after, strict=True)
    )


@settings(max_examples=100, deadline=None)
@given(mines(), st.randoms(use_true_random=False))
def test_an_answer_does_not_depend_on_who_else_asks(mine, random):
    roads, now, crowd, minutes = mine
    order = list(range(len(crowd)))
    random.shuffle(order)
    together = escape_ways(roads, now, crowd, minutes)
    shuffled = escape_ways(
        roads, now, people(*((int(crowd.edge[n]), float(crowd.chainage_m[n])) for n in order)), minutes
    )
    assert [rank(together[n]) for n in order] == [rank(way) for way in shuffled]
