"""People: nobody jumps, heads balance, and what befalls somebody befalls them at the place and time it should."""

import numpy as np
import pytest

from minefusion.pipelines.simulate.layout import generate_layout
from minefusion.pipelines.simulate.people import RIDE_M_S, Crew, populate
from minefusion.pipelines.simulate.positioning import LEFT, UNDERGROUND, install_stations, locate
from minefusion.pipelines.simulate.posts import posts_of
from minefusion.pipelines.simulate.scenario import Instrumental
from minefusion.pipelines.simulate.streams import stream
from minefusion.schemas.errors import InputError

DAY = 26 * 3600


@pytest.fixture(scope="module")
def mine():
    return generate_layout(33, 60, stream(5, "layout"))


@pytest.fixture(scope="module")
def crew(mine) -> Crew:
    """A little more than a day, from 07:00: every change of shift is in it."""
    return populate(mine, (), 60, seconds=DAY, local_second=7 * 3600, seed=5)


def spots(layout, edge, chainage_m):
    """Coordinates of places on roadways."""
    nodes = np.array([[node.x, node.y, node.z] for node in layout.site.nodes])
    ends = np.array(layout.ends)[edge]
    share = (chainage_m / np.array([e.length_m for e in layout.edges])[edge])[:, None]
    return nodes[ends[:, 0]] + share * (nodes[ends[:, 1]] - nodes[ends[:, 0]])


def test_nobody_moves_faster_than_the_cage(mine, crew):
    track = crew.track()
    moved = np.linalg.norm(np.diff(spots(mine, track.edge, track.chainage_m), axis=0), axis=1)
    same = np.diff(track.spell) == 0
    assert moved[same].max() <= 10 * max(RIDE_M_S.values()) + 0.1


def test_every_leg_begins_where_the_one_before_ended(mine, crew):
    for spell in crew.spells[:60]:
        begin, end, edge, low, high = spell.legs.T
        assert begin[1:] == pytest.approx(end[:-1])
        edge = edge.astype(int)
        gaps = np.linalg.norm(spots(mine, edge[1:], low[1:]) - spots(mine, edge[:-1], high[:-1]), axis=1)
        assert gaps.max() < 1e-6
        assert (edge[0], low[0], edge[-1], high[-1]) == (
            mine.index("man_shaft")[0],
            0.0,
            mine.index("man_shaft")[0],
            0.0,
        )


def test_those_below_are_those_who_went_down_and_have_not_come_up(crew):
    track = crew.track()
    entered = np.array([spell.entered_s for spell in crew.spells])
    left = np.array([spell.left_s for spell in crew.spells])
    for second in (0, 4000, 8 * 3600, 9 * 3600 + 70, 20 * 3600):
        below = int(((entered <= second) & (second < left)).sum())
        assert int((track.step == second // 10).sum()) == below
        assert 0 < below <= 120
    assert all(spell.left_s - spell.entered_s < 10 * 3600 for spell in crew.spells)


def test_no_card_is_below_twice_at_a_time(crew):
    track = crew.track()
    pairs = np.stack((track.person, track.step))
    assert len(np.unique(pairs, axis=1).T) == len(track.step)


def test_normal_work_never_looks_like_an_immobile_person(mine, crew):
    track = crew.track()
    for spell in range(0, 40, 3):
        rows = track.spell == spell
        place = spots(mine, track.edge[rows], track.chainage_m[rows])
        for first in range(0, len(place) - 60, 30):
            assert np.ptp(place[first : first + 60], axis=0).max() > 2.0


def test_snapshots_list_all_but_the_lost_fixes_and_leavers_twice(mine, crew):
    stations = install_stations(mine, stream(5, "stations"))
    track, steps = crew.track(), DAY // 10 + 1
    fixes = locate(mine, crew, track, stations, Instrumental(cards_lost=0.02), steps, stream(5, "positioning"))
    due = (track.step >= 0) & (track.step < steps) & (track.step % 6 == 0)
    below = fixes.flag == UNDERGROUND
    assert below.sum() / due.sum() == pytest.approx(0.98, abs=0.005)
    leaving = [spell for spell in crew.spells if 0 <= spell.left_s < DAY - 180]
    late = fixes.flag == LEFT
    assert late.sum() >= 2 * len(leaving)
    assert (fixes.left_s[late] <= fixes.step[late] * 10).all()
    assert np.isnan(fixes.left_s[below]).all()
    at = np.array([station.chainage_m for station in stations])[fixes.station]
    assert (np.array([station.edge for station in stations])[fixes.station] == fixes.edge).all()
    error = np.abs(at + fixes.distance_m - fixes.chainage_m)[below]
    assert np.median(error) == pytest.approx(0.2, abs=0.05)  # 0.67 standard deviations of 0.3 m
    assert np.quantile(error, 0.99) < 8.0
    assert (fixes.entered_station_s >= fixes.entered_area_s).all()
    assert (fixes.entered_area_s >= fixes.entered_mine_s).all()


def test_the_mine_says_how_many_people_it_has_room_for(mine):
    most = len(posts_of(mine, 100))
    assert most == 100
    with pytest.raises(InputError, match=r"at most .* --people .* got 5000"):
        posts_of(mine, 5000)


def test_a_crew_too_small_for_the_event_is_refused(a_run):
    event = a_run("immobile").events[0]
    with pytest.raises(InputError, match="give the mine more --people"):
        populate(a_run("immobile").layout, (event,), 3, seconds=9000, local_second=9 * 3600, seed=5)


def test_an_immobile_person_lies_still_and_calls(a_run):
    run = a_run("immobile")
    event, call = run.events[0], run.crew.calls[0]
    (person,) = run.crew.involved[event.event_id]
    rows = (
        (run.track.person == person)
        & (run.track.step * 10 >= event.onset_s + 120)
        & (run.track.step * 10 < event.end_s)
    )
    assert np.ptp(run.track.chainage_m[rows]) == 0.0
    assert call.person == person
    assert event.onset_s < call.begin_s < call.end_s == event.end_s
    calling = run.fixes.person[run.fixes.is_calling]
    assert set(calling) == {person}


def test_a_lone_worker_has_nobody_near(a_run):
    run = a_run("lone_worker")
    event = run.events[0]
    chamber = run.layout.index("chamber")[event.unit]
    inside = (run.track.edge == chamber) & (run.track.step >= 0)
    count = np.bincount(run.track.step[inside], minlength=run.steps)
    first, last = int(event.onset_s // 10), int(event.end_s // 10)
    assert (count[first + 12 : last] == 1).all()
    assert count[first - 30] == 2


def test_those_who_gather_stand_within_fifteen_metres(a_run):
    run = a_run("gathering")
    event = run.events[0]
    group = np.isin(run.track.person, run.crew.involved[event.event_id])
    middle = int((event.onset_s + event.end_s) / 20)
    here = group & (run.track.step == middle)
    assert here.sum() == 9
    assert len(set(run.track.edge[here])) == 1
    assert np.ptp(run.track.chainage_m[here]) < 15.0


def test_somebody_walks_into_the_goaf_and_out_again(a_run):
    run = a_run("restricted_entry")
    event = run.events[0]
    goaf = np.array([edge.area_id for edge in run.layout.edges])[run.track.edge] == next(
        area.area_id for area in run.layout.site.areas if area.is_restricted
    )
    steps = run.track.step[goaf]
    assert abs(steps.min() * 10 - event.onset_s) < 120
    assert abs(steps.max() * 10 - event.end_s) < 120
