"""What each scenario makes happen shows in the true state, and an ordinary shift shows nothing."""

import re

import numpy as np
import pytest

from minefusion.pipelines.simulate.scenario import load_scenario, scenario_names
from minefusion.pipelines.simulate.true_findings import BAD_AIR, findings
from minefusion.schemas.errors import InputError

# What must be found, per scenario: indices of the sure findings.
SHOWS = {
    "air_leak": {"V-08"},
    "bad_instruments": set(),
    "bearing_fault": set(),
    "clean": set(),
    "conveyor_slip": {"F-10", "T-01"},
    "dam_high_water": set(),
    "demo": {"G-01", "V-08", "F-10", "T-01", "P-01", "P-04"},
    "doors_open": {"V-08"},
    "fan_stop": {"V-08", "V-02", "G-01"},
    "fan_surge": set(),
    "feed_fault": {"G-01"},
    "gas_event": {"V-08", "G-01"},
    "gathering": {"P-04"},
    "goaf_explosive": set(),
    "heating": {"F-09", "F-10", "T-01"},
    "high_emission": {"G-07"},
    "high_velocity": {"V-02"},
    "hot_face": set(),
    "immobile": {"P-05"},
    "lone_worker": {"P-05"},
    "low_air": {"V-01", "V-02"},
    "main_fan_trip": {"V-02"},
    "normal": set(),
    "ordinary_days": set(),
    "outburst": {"G-01"},
    "over_crowding": {"P-01", "P-04"},
    "overdue_danger": {"X-07", "X-08"},
    "overtime": {"P-02"},
    "oxygen_low": {"T-04"},
    "pressure_front": set(),
    "rapid_rise": {"G-02"},
    "recirculation": {"V-01", "V-02", "V-08"},
    "restricted_entry": {"P-03"},
    "rockburst": set(),
    "roof_weighting": set(),
    "saturated": {"V-08", "V-02", "G-01"},
    "sealed_heating": set(),
    "sensor_faults": set(),
    "shift": {"G-01", "V-08", "P-01", "P-04"},
    "slope_failure": set(),
    "spontaneous_heating": {"F-09", "T-01"},
    "toxic_gas": {"T-01"},
    "water_inrush": set(),
}
# Found in what devices send, of which the truth states the values and no findings.
OF_DEVICES = {f"{letter}-{number:02d}" for letter in "RWSE" for number in range(1, 11)} | {
    "F-02", "F-03", "F-04", "F-05", "F-06", "F-07", "F-08", "F-11", "G-05", "G-08", "G-09", "G-10", "G-11",
}  # fmt: skip
# Made of other findings, or of where people are while they last.
COMPOSED = {f"X-{number:02d}" for number in range(1, 11)} | {"P-07"}
# What may be found with them: gas that comes fast asks for air and sends people away.
FOLLOWS = {
    "G-01": {"G-02", "V-01", "P-03"},
    "V-02": {"G-01", "G-02", "V-01", "P-03"},
    "V-08": {"V-01"},
    "G-07": {"V-01", "G-02"},
}
BESIDE = {"rapid_rise": {"V-01"}, "heating": {"V-01"}, "fan_stop": {"T-04"}, "saturated": {"T-04"}}


def test_every_shipped_scenario_is_looked_at():
    assert set(scenario_names()) == set(SHOWS)


@pytest.mark.parametrize("scenario", sorted(SHOWS))
def test_a_scenario_shows_in_the_truth_what_it_is_about_and_nothing_else(a_run, scenario):
    run = a_run(scenario)
    found = findings(run)
    sure = {finding.index_id for finding in found if finding.is_sure}
    shown = {finding.index_id for finding in found}
    assert not ("P-07" in shown and not shown & set(BAD_AIR)), "people leave bad air only"
    shown.discard("P-07")
    followed = set().union(*(FOLLOWS.get(index_id, set()) for index_id in SHOWS[scenario]), BESIDE.get(scenario, set()))
    may = {index_id for event in run.events for index_id in (*event.may, *event.truth)}
    assert SHOWS[scenario] <= sure
    assert sure <= SHOWS[scenario] | followed | may
    assert shown <= SHOWS[scenario] | followed | may
    assert set(run.scenario.drives) <= sure | may | OF_DEVICES | COMPOSED
    events = {event.event_id for event in run.events}
    assert {finding.event_id for finding in found} <= events, "nothing happens by itself"


def test_doors_held_open_take_the_air_from_their_face(a_run):
    run = a_run("doors_open")
    event, face = run.events[0], run.layout.faces[run.events[0].unit]
    number = next(n for n, p in enumerate(run.instruments.points) if p.edge == face.gate[-1] and p.kind.code == "0002")
    velocity = run.observed.true[:, number]
    first, last = int(event.onset_s // 10), int(event.end_s // 10)
    assert velocity[first + 3 : last].max() < 0.7 * velocity[: first - 1].min()
    assert velocity[last + 3 :].min() > 0.9 * velocity[: first - 1].min()


def test_gas_past_the_end_of_the_range_is_sent_as_its_end_and_marked(a_run):
    run = a_run("saturated")
    over = [
        n for n, p in enumerate(run.instruments.points)
        if p.kind.code == "0001" and np.nanmax(run.observed.true[:, n]) > 4.5
    ]  # fmt: skip
    assert over
    for number in over:
        value, status = run.monitored.value[:, number], run.monitored.status[:, number]
        assert np.nanmax(value) == 4.0
        assert ((status & 8 > 0) == (value >= 4.0)).all()
    laser = [n for n, p in enumerate(run.instruments.points) if p.kind.code == "0043"]
    assert np.nanmax(run.monitored.value[:, laser]) > 6.0


def test_power_is_cut_with_the_gas_and_stays_on_only_where_the_feed_is_faulty(a_run):
    for scenario, live in (("feed_fault", True), ("fan_stop", False)):
        run = a_run(scenario)
        group = len(run.layout.faces) + run.events[0].unit
        points = run.instruments.points
        cutoff, feed = (
            next(n for n, p in enumerate(points) if p.follows == (what, group)) for what in ("power", "feed")
        )
        cut = run.monitored.value[:, cutoff] == 0
        assert cut.any()
        assert not cut[0]
        assert not cut[-1], "restored when the gas has gone"
        during = cut & (np.arange(len(cut)) * 10 < run.events[0].end_s)
        assert (run.monitored.value[during, feed] == float(live)).all()
        told = {(a.type_code, points[a.point].follows == ("feed", group)) for a in run.monitored.abnormalities}
        assert (("003", True) in told) == live
        assert ("002", False) in told


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: a\nevents:\n- {at: 0.5, minutes: 5, place: moon, effects: {}}\n", "place"),
        ("name: a\nevents:\n- {at: 0.5, minutes: 5, place: face, effects: {flood: {}}}\n", "flood"),
        ("name: a\nevents:\n- {at: soon, minutes: 5, place: face, effects: {}}\n", "soon"),
        ("name: a\ninstruments: {colour: 3}\n", "colour"),
        ("name: [\n", "YAML"),
    ],
)
def test_a_scenario_with_a_mistake_is_refused_by_its_name(tmp_path, text, complaint):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"{re.escape(str(path))}.*{complaint}"):
        load_scenario(path)


def test_a_scenario_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"one of air_leak, .*shift, .*, got 'holiday'"):
        load_scenario("holiday")
