"""What gold found beside the truth: a finding, a miss, a false finding, and what is neither."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from minefusion.pipelines.jobs.findings import Comparison, Row, Truth, compare, read_truth
from minefusion.schemas.errors import InputError

MINE, FACE, RETURN, HEADING = "620000000001", "face", "return", "heading"
T0 = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


GAS = Truth("T001", "EV01", "G-01", RETURN, "MN01", at(5), at(40), level=3, is_sure=True)
CROWD = Truth("T002", "EV01", "P-04", FACE, "", at(10), at(20), level=3, is_sure=True)


def alarm(kind: str, area: str, entity: str, raised: float, cleared: float | None, level: int = 3) -> Row:
    return {
        "kind": kind, "area_id": area, "entity": entity, "raised_at": at(raised),
        "cleared_at": None if cleared is None else at(cleared), "level": level,
    }  # fmt: skip


RIGHT = alarm("G-01", RETURN, "MN01", 6.5, 41, level=4)


def found(*alarms: Row, truths: tuple[Truth, ...] = (GAS,), windows: tuple[Row, ...] = ()) -> Comparison:
    return compare(truths, alarms, windows, MINE)


def test_a_finding_has_its_delay():
    right = found(RIGHT)
    assert right.ok
    assert [answer.delay_s for answer in right.answers] == [90.0]


def test_a_missed_event_is_not_in_order():
    missed = found()
    assert not missed.ok
    assert [answer.truth.finding_id for answer in missed.missed] == ["T001"]


def test_what_an_instrument_may_hide_is_neither_missed_nor_false():
    unsure = replace(GAS, is_sure=False)
    assert found(truths=(unsure,)).ok
    assert found(RIGHT, truths=(unsure,)).ok


@pytest.mark.parametrize(
    "wrong",
    [
        alarm("G-01", RETURN, "MN02", 6, 41),  # another point
        alarm("G-01", RETURN, "MN01", 60, 70),  # long after
        alarm("G-01", RETURN, "MN01", -60, -6),  # long before
        alarm("G-02", RETURN, "MN01", 6, 41),  # another index
    ],
)
def test_an_alarm_about_something_else_is_false_and_finds_nothing(wrong: Row):
    both = found(wrong)
    assert len(both.false) == len(both.missed) == 1


def test_a_false_finding_beside_a_right_one_is_not_in_order():
    both = found(RIGHT, alarm("G-01", HEADING, "MN09", 6, 8))
    assert not both.missed
    assert [row["entity"] for row in both.false] == ["MN09"]
    assert not both.ok


def test_an_alarm_where_nothing_happened_is_false():
    assert len(found(alarm("V-01", FACE, FACE, 5, 9), truths=()).false) == 1


def test_nothing_true_and_nothing_found_is_in_order():
    assert found(truths=()) == Comparison((), ())


def test_two_alarms_about_one_finding_are_one_finding():
    twice = found(alarm("G-01", RETURN, "MN01", 20, 41), alarm("G-01", RETURN, "MN01", 6, 15))
    assert twice.ok
    assert twice.answers[0].delay_s == 60.0, "the first counts"


def test_a_finding_without_an_entity_is_found_by_its_area():
    assert found(alarm("P-04", FACE, "cluster-3", 11, 19), truths=(CROWD,)).ok
    assert not found(alarm("P-04", HEADING, "cluster-3", 11, 19), truths=(CROWD,)).ok


def test_a_finding_about_the_mine_is_found_in_any_area():
    overtime = replace(CROWD, index_id="P-02", area_id=MINE, end=None)
    assert found(alarm("P-02", HEADING, HEADING, 12, None), truths=(overtime,)).ok


def test_an_open_alarm_covers_what_comes():
    assert found(alarm("G-01", RETURN, "MN01", 6, None)).ok


def test_what_the_mine_reports_is_not_our_finding():
    only_reported = found(alarm("YCBJ-001", RETURN, "MN01", 6, 41), alarm("RYCY", HEADING, HEADING, 6, 41))
    assert only_reported.missed
    assert not only_reported.false


def test_what_raises_no_alarm_is_found_among_the_windows():
    warming = replace(GAS, index_id="F-10", level=2)
    yellow, blue = (alarm("F-10", RETURN, "MN01", 7, 8, level=level) for level in (2, 1))
    assert found(truths=(warming,), windows=(yellow,)).ok
    assert found(truths=(warming,), windows=(blue,)).missed, "it did not reach the level"
    assert found(truths=(GAS,), windows=(alarm("G-01", RETURN, "MN01", 7, 8, level=4),)).missed, "an alarm was due"
    assert found(truths=(), windows=(yellow,)).ok, "a notice is no alarm, and so no false one"


def test_truth_is_read_from_its_file(tmp_path: Path):
    (tmp_path / "findings.csv").write_text(
        "finding_id,event_id,index_id,area_id,entity,begin,end,peak,limit,unit,level,is_sure\n"
        "T001,EV01,G-01,return,MN01,2026-03-01T02:05:00+00:00,2026-03-01T02:40:00+00:00,2.1,1.0,%,3,1\n"
        "T002,EV01,P-04,face,,2026-03-01T02:10:00+00:00,,,,,3,0\n"
    )
    gas, crowd = read_truth(tmp_path)
    assert gas == GAS
    assert crowd == replace(CROWD, end=None, is_sure=False)


def test_no_truth_is_said(tmp_path: Path):
    with pytest.raises(InputError, match=r"expected findings\.csv in"):
        read_truth(tmp_path)
