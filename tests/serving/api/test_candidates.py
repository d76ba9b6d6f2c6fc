"""What the lake says of alarms, as it was known at an instant; and how often somebody may ask."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from two_mines import MINE, NOW, START, Row, area, gas, running, write

from minefusion.schemas import gold
from minefusion.schemas.table import Table
from minefusion.serving.alarms.candidates import LOOKBACK, look
from minefusion.serving.alarms.records import Candidate
from minefusion.serving.api.rates import Rate
from minefusion.serving.reader import Reader


@pytest.fixture(scope="module")
def reader(two_mines_lake: Path) -> Reader:
    return Reader(two_mines_lake)


def known_at(reader: Reader, minute: float, looked: datetime = NOW) -> dict[str, Candidate]:
    found = look(reader, looked).at(START + timedelta(minutes=minute))
    return {each.kind: each for each in found.candidates if each.mine_code == MINE}


def test_a_past_minute_knows_nothing_of_what_came_later(reader: Reader):
    assert list(known_at(reader, 20)) == []
    assert {kind: each.cleared_at for kind, each in known_at(reader, 60).items()} == {"F-10": None}
    later = known_at(reader, 119)
    assert later["F-10"].cleared_at == START + timedelta(minutes=118)
    assert later["G-01"].cleared_at is None
    assert later["FORECAST"].cleared_at == START + timedelta(minutes=117)
    assert known_at(reader, 110)["FORECAST"].cleared_at is None


def test_an_alarm_carries_what_its_point_measures_and_its_source(reader: Reader):
    alarm = known_at(reader, 119)["G-01"]
    assert (alarm.quantity, alarm.tag) == ("ch4", f"G-01:{MINE}:{gas(MINE)}")
    assert alarm.candidate_id == f"{alarm.tag}:{alarm.raised_at:%Y%m%dT%H%M%S}"


def test_what_is_open_is_taken_whatever_its_age_and_what_is_over_is_forgotten(reader: Reader):
    years_later = NOW + timedelta(days=2 * 365)
    found = look(reader, years_later).at(years_later)
    assert {each.kind for each in found.candidates} == {"G-01", "P-03"}
    assert found.since == years_later - LOOKBACK


def test_all_kinds_of_sources_are_looked_at(reader: Reader):
    shown = {each.kind for each in look(reader, NOW).at(NOW).candidates}
    assert shown == {"G-01", "P-03", "F-10", "FORECAST", "V101"}


def test_a_warning_speaks_by_its_likeliest_horizon_and_the_nearest_of_those(reader: Reader):
    """So that the same rows give the same sentence, however often they are read."""
    said = {known_at(reader, 119)["FORECAST"].sentence_zh for _ in range(5)}
    assert said == {"预计 10 分钟"}


def test_a_bucket_empties_fills_and_never_overflows():
    now = [0.0]
    rate = Rate(per_s=0.5, burst=2, clock=lambda: now[0])
    assert [rate.wait_s("ann") for _ in range(3)] == [0, 0, 2]
    assert rate.wait_s("ben") == 0
    now[0] = 2.0
    assert [rate.wait_s("ann"), rate.wait_s("ann")] == [0, 2]
    rate.give_back("ann")
    assert rate.wait_s("ann") == 0
    now[0] = 1000.0
    assert [rate.wait_s("ann") for _ in range(3)] == [0, 0, 2]


# ── unsafe behaviours ───────────────────────────────────────────────────────────────────────────────────────────────


def behaviour(event_id: str, began: int, ended: int | None, **more: Any) -> tuple[Table, Row]:
    at = START + timedelta(minutes=began)
    return gold.UNSAFE_BEHAVIOUR, {
        "event_id": event_id, "camera_code": "CAM1", "area_id": area(MINE, 1), "behaviour": "no_helmet",
        "event_type": "V101", "level": 3, "began_at": at, "raised_at": at + timedelta(seconds=2), "people": 2,
        "ended_at": None if ended is None else START + timedelta(minutes=ended), "clip_id": "c1",
        "event_confidence": 0.7, "sentence_zh": "未戴安全帽", "sentence_en": "no helmet",
    } | more  # fmt: skip


def test_our_own_behaviours_are_advisories(tmp_path: Path):
    extra = (
        behaviour("b1", 60, 61),
        behaviour("b2", 80, None),
        behaviour("b3", 110, None, clip_id="live", behaviour="lying"),
        behaviour("b4", 90, 90, behaviour="running"),
    )
    lake = write(tmp_path / "lake", extra)
    found = {each.candidate_id.rpartition(":")[2]: each for each in look(Reader(lake), NOW).at(NOW).candidates}
    assert (found["b1"].kind, found["b1"].level, found["b1"].people_in_area) == ("UB-no_helmet", 3, 2)
    assert found["b1"].cleared_at == START + timedelta(minutes=61)
    assert found["b2"].cleared_at == found["b2"].raised_at, "of a clip, what has no end was seen to its last picture"
    assert found["b3"].cleared_at is None, "on a stream it goes on"
    assert found["b4"].cleared_at == found["b4"].raised_at, "it may be over before it is certain"
    assert found["b1"].tag == found["b2"].tag != found["b3"].tag
    with running(lake, tmp_path / "room.db") as site:
        rows = site.get("viewer", "/alarms", is_advisory=True, class_name="behaviour")["rows"]
        assert {each["kind"] for each in rows} == {"UB-no_helmet", "UB-lying", "UB-running", "V101"}
        assert all(not each["is_regulator"] and each["disposition_id"] is None for each in rows)
