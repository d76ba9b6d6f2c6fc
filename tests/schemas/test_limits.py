"""Limits: the numbers, their comparisons, and the stricter of law and mine."""

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minefusion.schemas.errors import InputError
from minefusion.schemas.limits import (
    LOOSER_THAN_LAW,
    UNMATCHED,
    all_limits,
    as_row,
    effective_limit,
    gas_law,
    headcount_cap,
    limit,
    limits_for,
    velocity_range,
)
from minefusion.schemas.reference import LIMIT
from minefusion.schemas.units import canonical_unit

GAS_CLASSES = sorted({row.location_code for row in all_limits() if row.quantity == "ch4"})


def values(gas_class, *mine):
    found = effective_limit(gas_class, *mine)
    return found.alarm, found.cut, found.restore


@pytest.mark.parametrize(
    ("gas_class", "alarm", "cut", "restore"),
    [
        ("LW_CORNER_T0", 1.0, 1.5, 1.0),  # one list prints restore 1.5: the safer 1.0 is taken
        ("LW_FACE_T1", 1.0, 1.5, 1.0),
        ("LW_RETURN_T2", 1.0, 1.0, 1.0),
        ("LW_INTAKE_T3", 0.5, 0.5, 0.5),
        ("HD_FACE_T1", 1.0, 1.5, 1.0),
        ("HD_RETURN_T2", 1.0, 1.0, 1.0),
        ("HD_SERIES_FAN_T3", 0.5, 0.5, 0.5),  # of its two rows the one that cuts first
        ("DISTRICT_RETURN", 1.0, 1.0, 1.0),
        ("TOTAL_RETURN", 0.75, None, 0.75),  # nothing is cut; the episode ends under the alarm value
        ("ELEC_CHAMBER_INTAKE", 0.5, 0.5, 0.5),
        ("BUNKER_TOP", 1.5, 1.5, 1.5),
        ("RETURN_SHAFT_BELT", 0.5, 0.7, 0.5),  # power comes back under 0.7, an episode ends under 0.5
    ],
)
def test_methane_limits_of_the_law(gas_class, alarm, cut, restore):
    assert values(gas_class) == (alarm, cut, restore)
    assert effective_limit(gas_class).rule == gas_law(gas_class).rule_id


@pytest.mark.parametrize("gas_class", [None, "", "LW_FACE_T9", "COAL_FACE"])
def test_a_place_that_matches_nothing_is_judged_at_the_stricter_setting_and_told(gas_class):
    found = effective_limit(gas_class, 1.2, 1.5, 1.0)
    assert (found.alarm, found.cut, found.restore) == (1.0, 1.0, 1.0)
    assert (found.rule, found.confidence, found.note) == ("CH4-900", "convention", UNMATCHED)


@pytest.mark.parametrize(
    ("mine", "expected", "rule", "note"),
    [
        ((None, None, None), (1.0, 1.5, 1.0), "CH4-002", None),
        ((1.0, 1.5, 0.99), (1.0, 1.5, 0.99), "CH4-002", None),  # as working mines set it
        ((0.8, 1.0, 0.8), (0.8, 1.0, 0.8), "mine", None),
        ((1.2, 1.5, 1.0), (1.0, 1.5, 1.0), "CH4-002", LOOSER_THAN_LAW),
        ((1.0, 2.0, 1.0), (1.0, 1.5, 1.0), "CH4-002", LOOSER_THAN_LAW),
        ((1.0, 1.5, 1.4), (1.0, 1.5, 1.0), "CH4-002", LOOSER_THAN_LAW),
        ((0.8, 2.0, 1.0), (0.8, 1.5, 0.8), "mine", LOOSER_THAN_LAW),
        ((0.0, 0.0, 0.0), (1.0, 1.5, 1.0), "CH4-002", None),  # zeros are empty fields
        ((-1.0, None, None), (1.0, 1.5, 1.0), "CH4-002", None),
        ((float("nan"), None, None), (1.0, 1.5, 1.0), "CH4-002", None),
        ((100.0, 100.0, 100.0), (1.0, 1.5, 1.0), "CH4-002", LOOSER_THAN_LAW),
    ],
)
def test_the_stricter_of_law_and_mine_holds(mine, expected, rule, note):
    found = effective_limit("LW_FACE_T1", *mine)
    assert (found.alarm, found.cut, found.restore) == pytest.approx(expected)
    assert (found.rule, found.note) == (rule, note)
    assert (found.source, found.confidence) == (
        ("CDDY", "mine") if rule == "mine" else (limit(rule).source, limit(rule).confidence)
    )


def test_a_mine_may_cut_where_the_law_does_not():
    assert values("TOTAL_RETURN", 0.75, 1.0, 0.75) == (0.75, 1.0, 0.75)


SETTING = st.none() | st.floats(-1, 120, allow_nan=False)


@given(st.sampled_from([*GAS_CLASSES, None, "nowhere"]), SETTING, SETTING, SETTING)
def test_no_setting_of_a_mine_ever_loosens_the_law(gas_class, alarm, cut, restore):
    found, law = effective_limit(gas_class, alarm, cut, restore), gas_law(gas_class)
    assert 0 < found.alarm <= law.alarm
    assert law.power_off is None or (found.cut is not None and found.cut <= law.power_off)
    assert 0 < found.restore <= found.alarm
    # Applied to what already holds, the rule changes nothing.
    assert values(gas_class, found.alarm, found.cut, found.restore) == (found.alarm, found.cut, found.restore)


@pytest.mark.parametrize(
    ("rule", "below", "at", "above"),
    [
        ("CH4-002", (0.99, False), (1.0, True), (1.01, True)),
        ("CO-001", (23.0, False), (24.0, True), (25.0, True)),
        ("CO2-001", (0.49, False), (0.5, True), (0.51, True)),
        ("H2S-001", (6.5, False), (6.6, True), (6.7, True)),  # stricter of "over" and "at" the cap
        ("NO2-001", (2.4, False), (2.5, True), (2.6, True)),
        ("TMP-001", (25.9, False), (26.0, False), (26.1, True)),
        ("TMP-002", (29.9, False), (30.0, True), (30.1, True)),
        ("TMP-004", (33.9, False), (34.0, True), (34.1, True)),
        ("TMP-005", (1.9, True), (2.0, False), (2.1, False)),
        ("O2-001", (19.99, True), (20.0, False), (20.01, False)),
        ("VEL-08L", (0.24, True), (0.25, False), (0.26, False)),
        ("VEL-08H", (3.9, False), (4.0, False), (4.1, True)),
        ("PER-011", (24, False), (25, False), (26, True)),
        ("PER-021", (13.9, False), (14.0, True), (14.1, True)),
        ("PER-001", (0, False), (100, False), (100_000, False)),  # the number is the mine's own
    ],
)
def test_just_below_at_and_just_above(rule, below, at, above):
    for value, reached in (below, at, above):
        assert limit(rule).is_reached(value) is reached, value


@pytest.mark.parametrize(
    ("air_class", "low", "high"),
    [
        ("COAL_FACE", 0.25, 4.0),
        ("ROCK_HEADING", 0.15, 4.0),
        ("BELT_ROAD", 0.25, 6.0),
        ("MAIN_AIRWAY", None, 8.0),
        ("TROLLEY_ROAD", 1.0, 8.0),
        ("AIR_BRIDGE", None, 10.0),
        ("SHAFT_MAN", None, 8.0),
        ("SHAFT_MATERIAL", None, 12.0),
        ("SHAFT_NO_HOIST", None, 15.0),
        ("OTHER_ROAD", 0.15, None),
        ("nowhere", None, None),
        (None, None, None),
    ],
)
def test_air_velocity_by_roadway_class(air_class, low, high):
    assert tuple(row.alarm if row else None for row in velocity_range(air_class)) == (low, high)


@pytest.mark.parametrize(
    ("kind", "severe", "more", "cap"),
    [
        ("longwall_face", True, {}, 25),
        ("longwall_face", True, {"shift": "maintenance"}, 40),
        ("longwall_face", False, {}, 20),
        ("longwall_face", False, {"shift": "maintenance"}, 30),
        ("longwall_face", True, {"blasting": True}, 25),
        ("heading", True, {}, 18),
        ("heading", False, {}, 16),
        ("heading", True, {"blasting": True}, 15),
        ("heading", False, {"blasting": True}, 12),
    ],
)
def test_national_head_count_caps(kind, severe, more, cap):
    found = headcount_cap(kind, severe, **more)
    assert (found.alarm, found.confidence) == (cap, "inferred")
    assert found.is_advisory


@pytest.mark.parametrize("kind", ["shaft", "goaf", "belt_road", None])
def test_elsewhere_the_rule_names_no_cap(kind):
    assert headcount_cap(kind, True) is None


def test_the_strictest_comes_first_and_an_unknown_place_has_none():
    assert [row.alarm for row in limits_for("FACE", "temperature")] == [26.0, 30.0]
    assert [row.rule_id for row in limits_for("HD_SERIES_FAN_T3", "ch4")] == ["CH4-022", "CH4-023"]
    assert [row.rule_id for row in limits_for("ANY_UG", "co")] == ["CO-001"]
    assert limits_for("ANY_UG", "ch4") == ()
    assert limits_for("nowhere", "co") == ()


def test_an_unknown_rule_is_an_error_that_says_where_to_look():
    with pytest.raises(InputError, match=r"'CH4-999'; docs/limits\.md"):
        limit("CH4-999")


def test_every_row_is_whole():
    rows = all_limits()
    assert len({row.rule_id for row in rows}) == len(rows) == 91
    assert Counter(row.confidence for row in rows) == {"confirmed": 52, "inferred": 37, "convention": 2}
    for row in rows:
        assert row.comparison in {">=", ">", "<"}, row.rule_id
        assert canonical_unit(row.unit) == row.unit, row.rule_id
        assert all((row.source, row.scope_zh, row.scope_en, row.location_zh, row.location_en)), row.rule_id
        if row.power_off is not None:
            assert row.alarm <= row.power_off, row.rule_id
        if row.rule_id.startswith("VEL-"):  # the last letter says which side is dangerous
            assert row.direction == {"H": "high", "L": "low"}[row.rule_id[-1]]


def test_what_is_uncertain_or_no_law_is_advisory():
    assert not limit("CH4-002").is_advisory
    assert limit("CH4-030").is_advisory  # recalled, not read again
    assert limit("PER-021").is_advisory  # practice, no law
    assert limit("DST-11").is_advisory  # superseded
    assert all(row.is_advisory for row in all_limits() if row.confidence != "confirmed")


def test_rows_fit_the_table():
    made = pa.Table.from_pylist([as_row(row) for row in all_limits()], schema=LIMIT.arrow_schema())
    assert made.num_rows == len(all_limits())
    assert set(as_row(all_limits()[0])) == set(LIMIT.names)
