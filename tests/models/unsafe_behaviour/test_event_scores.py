"""Alarms beside true events: found once, false, repeated, late; worked by hand."""

from __future__ import annotations

import pytest

from minefusion.models.unsafe_behaviour.event_scores import Alarm, TrueEvent, score, wilson


def test_found_missed_false_and_repeated():
    truth = [
        TrueEvent("a", "no_helmet", 10.0, 15.0),
        TrueEvent("a", "no_helmet", 30.0, 31.0),
        TrueEvent("b", "no_helmet", 5.0, 6.0, is_demanded=False),
        TrueEvent("a", "lying", 50.0, 60.0),
    ]
    alarms = [
        Alarm("a", "no_helmet", 11.5),  # finds the first, 1.5 s late
        Alarm("a", "no_helmet", 14.0),  # the first once more
        Alarm("a", "no_helmet", 40.0),  # near nothing
        Alarm("b", "no_helmet", 5.5),  # may be told: neither found nor false
        Alarm("b", "lying", 55.0),  # the right rule and time, on the wrong clip
        Alarm("a", "lying", 48.5),  # within two seconds before it began
    ]
    told = score(alarms, truth, watched_s=1800.0)
    assert (told["events"], told["found"], told["false"], told["repeats"], told["alarms"]) == (3, 2, 2, 1, 6)
    assert told["missed_share"] == pytest.approx(1 / 3, abs=1e-4)
    assert told["false_share"] == pytest.approx(2 / 6, abs=1e-4)
    assert told["false_per_hour"] == 4.0
    assert told["delay_s"] == {"p50": 0.75, "p95": pytest.approx(1.425)}
    helmet = told["by_behaviour"]["no_helmet"]
    assert (helmet["events"], helmet["found"], helmet["false"]) == (2, 1, 1)


def test_one_alarm_finds_one_event():
    truth = [TrueEvent("a", "lying", 10.0, 12.0), TrueEvent("a", "lying", 11.0, 13.0)]
    assert score([Alarm("a", "lying", 11.5)], truth, 60.0)["found"] == 1
    assert score([Alarm("a", "lying", 11.5), Alarm("a", "lying", 11.6)], truth, 60.0)["found"] == 2


def test_of_nothing_nothing_is_told():
    told = score([], [], 0.0)
    assert (told["events"], told["missed_share"], told["false_share"], told["false_per_hour"]) == (0, None, None, None)
    assert told["delay_s"] == {"p50": None, "p95": None}


def test_interval_of_a_share():  # Wilson's own form; 8 of 100 as in Brown, Cai, DasGupta (2001), Statistical Science 16
    assert wilson(8, 100) == pytest.approx([0.041, 0.150], abs=0.001)
    assert wilson(0, 20) == [0.0, pytest.approx(0.161, abs=0.001)]
    assert wilson(0, 0) is None
