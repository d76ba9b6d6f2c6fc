"""An emergency and a hand-over over HTTP: who is where, what the air does, what was done, what the journal keeps."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from two_mines import KEY, MINE, NOW, OTHER, START, Site, area, gas, running, write

from minefusion.schemas import gold, silver
from minefusion.schemas.persons import person_hash
from minefusion.schemas.table import Table
from minefusion.serving.journal.verify import verify

FACE, HEADING = area(MINE, 1), area(MINE, 2)
SHAFT = area(MINE, 3)
BODY = {"mine_code": MINE, "area_id": FACE, "kind": "fire", "severity": 4, "words": "回风隅角冒烟"}


def card(number: int) -> str:
    return person_hash(KEY, MINE, f"{MINE}C{number}")


def position(number: int, minutes_ago: float, area_id: str = FACE, flag: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "card_code": f"{MINE}C{number}", "observed_at": NOW - timedelta(minutes=minutes_ago), "in_out_flag": flag,
        "area_id": area_id, "quality": "GOOD",
    } | more  # fmt: skip


def way(number: int, minutes_ago: int, **more: Any) -> dict[str, Any]:
    return {
        "person_hash": card(number), "minute": NOW - timedelta(minutes=minutes_ago), "area_id": FACE,
        "answer": "exit", "air": "least_bad", "goal_id": "N4", "length_m": 900.0, "walk_min": 20.0,
        "self_rescuer_min": 12.0, "self_rescuer_left_min": 18.0, "roadways": '["E1", "E2"]', "sentence_zh": "经回风巷",
        "sentence_en": "through the return",
    } | more  # fmt: skip


# Persons 0, 1, 2 stand at the face one minute ago. 3 fell silent there, 4 was last seen at the shaft, 5 came out.
EXTRA: tuple[tuple[Table, dict[str, Any]], ...] = (
    (silver.AREA, {"area_id": SHAFT, "name_zh": "副井", "name_en": "shaft", "kind": "shaft"}),
    (silver.POSITION, position(3, 40)),
    (silver.POSITION, position(4, 30, SHAFT)),
    (silver.POSITION, position(5, 60)),
    (silver.POSITION, position(5, 50, SHAFT, flag=2)),
    (gold.ESCAPE_ROUTE, way(0, 1)),
    (gold.ESCAPE_ROUTE, way(1, 1, self_rescuer_min=33.0, self_rescuer_left_min=-3.0)),
    (gold.ESCAPE_ROUTE, way(2, 1, answer="none", walk_min=None, self_rescuer_min=None, self_rescuer_left_min=None)),
    (gold.ALARM_CAUSE, {"alarm_id": "a", "rank": 1, "area_id": FACE, "raised_at": START, "cause": "production",
                        "score": 0.8, "sentence_zh": "割煤", "sentence_en": "cutting"}),
    (gold.HAZARD_INDEX, {"index_id": "P-07", "area_id": MINE, "entity": MINE, "window_start": NOW, "window_end": NOW,
                         "value": 0.4, "level": 2, "sentence_zh": "撤离", "sentence_en": "leaving"}),
    (gold.SENSOR_HEALTH, {"point_id": gas(MINE), "area_id": FACE, "quantity": "ch4", "hour": START, "verdict": "fault",
                          "leading_check": "stuck", "sentence_zh": "卡死", "sentence_en": "stuck"}),
    (gold.MODEL_HEALTH, {"model": "methane_forecast", "entity": gas(MINE), "horizon_min": 15, "hour": START,
                         "is_degraded": True, "faults": "DRIFT", "sentence_zh": "漂移", "sentence_en": "drift"}),
)  # fmt: skip
SITE = """format: 1
mine_code: "620000000001"
name_zh: 一矿
name_en: one
severe_hazard: true
self_rescuer_min: 30.0
areas: [{area_id: "62000000000103", name_zh: 副井, name_en: shaft, kind: shaft},
        {area_id: "62000000000101", name_zh: 工作面, name_en: face, kind: longwall_face}]
nodes: [{node_id: N1, x: 0.0, y: 0.0, z: 0.0}, {node_id: N4, x: 100.0, y: 0.0, z: 0.0}]
edges: [{edge_id: E1, from_node: N1, to_node: N4, area_id: "62000000000101", air_class: COAL_FACE, gas_class: null,
         length_m: 100.0, section_m2: 12.0}]
exits: [{node_id: N4, name_zh: 副井井底, name_en: shaft bottom}]
refuge_chambers: [{chamber_id: BN1, name_zh: 1号硐室, name_en: Refuge 1, edge_id: E1, chainage_m: 50.0, places: 80}]
"""


@pytest.fixture(scope="module")
def struck(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    lake = write(tmp_path_factory.mktemp("struck"), EXTRA)
    (lake / "sites").mkdir()
    (lake / "sites" / f"{MINE}.site.yaml").write_text(SITE, encoding="utf-8")
    database = lake.parent / "struck.db"
    with running(lake, database):
        pass
    return lake, database


@pytest.fixture
def mine(struck: tuple[Path, Path], tmp_path: Path) -> Iterator[Site]:
    with running(struck[0], Path(shutil.copy(struck[1], tmp_path / "room.db"))) as started:
        yield started


def declared(mine: Site, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = mine.post("dispatcher", "/emergencies", BODY | more, 201)
    return told


def people(mine: Site, emergency: dict[str, Any], who: str = "dispatcher") -> Any:
    return mine.get(who, f"/emergencies/{emergency['emergency_id']}/people")


def test_who_is_where_and_who_needs_somebody_most(mine: Site):
    told = people(mine, declared(mine))
    rows = {row["person_hash"]: row for row in told["rows"]}
    assert [row["person_hash"] for row in told["rows"]] == [card(2), card(1), card(3), card(0), card(4)]
    assert [row["urgency"] for row in told["rows"]] == ["no_way", "too_far", "unseen", "no_answer", "gone_up"]
    assert told["counts"] == {
        "roster": 5, "out": 0, "inside": 5, "unseen": 1, "gone_up": 1, "no_answer": 5, "calling": 0, "no_way": 1,
        "too_far": 1, "moved": 0, "came_later": 0,
    }  # fmt: skip
    assert rows[card(1)]["worn_share"] == pytest.approx(1.1)
    assert rows[card(0)]["way"]["goal_id"] == "N4"
    assert rows[card(3)]["age_s"] == 40 * 60
    assert rows[card(3)]["way"] is None, "no way is told for whom nobody sees"
    assert card(5) not in rows, "who came out before is on no roster"


def test_answers_and_counting_out_are_followed_until_all_are_out(mine: Site):
    emergency = declared(mine)
    at = f"/emergencies/{emergency['emergency_id']}"
    mine.post("dispatcher", f"{at}/answers", {"person_hash": card(1), "says": "no_answer", "channel": "phone"})
    mine.post("dispatcher", f"{at}/answers", {"person_hash": card(0), "says": "safe", "channel": "phone"})
    told = people(mine, emergency)
    rows = {row["person_hash"]: row for row in told["rows"]}
    assert (rows[card(0)]["answer"], rows[card(0)]["urgency"]) == ("safe", "inside")
    assert (rows[card(1)]["answer"], rows[card(1)]["calls"]) == (None, 1)
    assert told["counts"]["no_answer"] == 4
    assert "5 people are not out" in mine.post("dispatcher", f"{at}/end", {}, 409)["detail"]
    for number in range(5):
        mine.post("dispatcher", f"{at}/out", {"person_hash": card(number)})
    told = people(mine, emergency)
    assert (told["counts"]["out"], told["counts"]["inside"]) == (5, 0)
    assert {row["urgency"] for row in told["rows"]} == {"out"}
    assert mine.post("dispatcher", f"{at}/end", {})["is_open"] is False
    mine.clock.now += timedelta(days=2)
    assert people(mine, emergency)["counts"]["out"] == 5, "an emergency that is over is told as it was at its end"
    assert verify(mine.service.room.database).ok


def test_somebody_who_fell_silent_for_good_is_still_looked_for(mine: Site):
    emergency = declared(mine)
    mine.clock.now += timedelta(hours=13)
    told = people(mine, emergency)
    assert told["counts"]["inside"] == 5
    assert {row["urgency"] for row in told["rows"]} == {"unseen"}
    assert told["rows"][0]["last_seen_at"] is None


def test_movement_is_measured_against_the_declaration(mine: Site, tmp_path: Path):
    from two_mines import append

    from minefusion.pipelines.engines.light import LightEngine
    from minefusion.schemas.settings import load_settings

    lake = tmp_path / "lake"
    shutil.copytree(mine.service.reader.lake, lake)
    engine = LightEngine(load_settings(lake=lake))
    append(engine, gold.ESCAPE_ROUTE, MINE, [way(0, -2, walk_min=17.0)])
    append(engine, silver.POSITION, MINE, [position(0, -3)])
    with running(lake, Path(shutil.copy(tmp_path / "room.db", tmp_path / "other.db"))) as other:
        emergency = declared(other)
        other.clock.now += timedelta(minutes=3)
        told = people(other, emergency)
        row = next(each for each in told["rows"] if each["person_hash"] == card(0))
        assert (row["nearer_min"], row["has_moved"]) == (3.0, True)
        assert told["counts"]["moved"] == 1


def test_plans_are_ranked_chosen_ticked_and_their_messages_sent(mine: Site):
    emergency = declared(mine)
    ranked = mine.get("dispatcher", "/emergencies/plans", mine=MINE, kind="fire", area_id=FACE, severity=4)["rows"]
    assert [each["plan_id"] for each in ranked] == ["fire", "belt_fire", "any_underground"]
    assert {"zh": "针对：火灾", "en": "written for: fire"} in ranked[0]["reasons"]
    at = f"/emergencies/{emergency['emergency_id']}"
    told = mine.post("dispatcher", f"{at}/plan", {"plan_id": "fire"})
    assert told["plan"]["en"] == "fire underground"
    assert not any(each["is_overdue"] for each in told["steps"])
    assert "综采工作面火灾" in told["messages"][0]["zh"]
    mine.post("dispatcher", f"{at}/plan", {"plan_id": "none"}, 404)
    mine.clock.now += timedelta(minutes=4)
    told = mine.post("dispatcher", f"{at}/steps/withdraw_lee/done", {"note": "已通知二队"})
    steps = {each["step_id"]: each for each in told["steps"]}
    assert steps["withdraw_lee"]["done"]["by"] == "dispatcher"
    mine.clock.now += timedelta(minutes=2)
    steps = {each["step_id"]: each for each in mine.get("engineer", at)["steps"]}
    assert (steps["withdraw_lee"]["is_overdue"], steps["cut_power"]["is_overdue"], steps["report"]["is_overdue"]) == (
        False, True, False,
    )  # fmt: skip
    mine.post("dispatcher", f"{at}/steps/dance/done", {}, 404)
    mine.post("dispatcher", f"{at}/messages/1/understood", {"who": "二队队长"}, 409)
    mine.post("dispatcher", f"{at}/messages/1/sent")
    told = mine.post("dispatcher", f"{at}/messages/1/understood", {"who": "二队队长"})
    assert told["messages"][0]["acknowledged_by"] == "二队队长"
    own = mine.post("dispatcher", f"{at}/messages", {"channel": "radio", "to": "二队", "text": "走回风巷"})
    assert own["messages"][-1]["zh"] == "走回风巷"
    lines = mine.get("admin", "/journal", mine=MINE, subject=emergency["emergency_id"])["rows"]
    assert {each["what"] for each in lines} == {
        "emergency.declared", "emergency.plan_chosen", "emergency.step_done", "emergency.sent", "emergency.understood",
        "emergency.prepared",
    }  # fmt: skip


def test_gas_air_forecast_cause_and_refuges_stand_there(mine: Site):
    told = mine.get("dispatcher", f"/emergencies/{declared(mine)['emergency_id']}/conditions")
    assert [row["area_id"] for row in told["areas"]] == [FACE, HEADING], "the struck area first"
    assert (told["areas"][0]["ch4_pct_max"], told["areas"][0]["is_stale"]) == (1.19, False)
    assert [(row["horizon_min"], row["limit_pct"]) for row in told["forecasts"]] == [(10, 1.0), (15, 1.0)]
    assert told["causes"][0]["cause"] == "production"
    assert told["evacuation"][0]["value"] == 0.4
    assert told["alarms"][0]["level"] == 4
    assert told["refuge_chambers"][0]["places"] == 80
    mine.clock.now += timedelta(minutes=20)
    again = mine.get(
        "dispatcher", f"/emergencies/{mine.get('admin', '/emergencies')['rows'][0]['emergency_id']}/conditions"
    )
    assert again["areas"][0]["is_stale"] is True
    assert again["forecasts"] == [], "an old forecast is none"


def test_signs_are_shown_and_nothing_is_declared_by_itself(mine: Site):
    signs = mine.get("dispatcher", "/emergencies/signs", mine=MINE)["rows"]
    assert [(each["emergency"], each["area_id"], each["level"]) for each in signs] == [("gas_over_limit", FACE, 4)]
    assert mine.get("dispatcher", "/emergencies")["rows"] == []


def test_looks_are_written_down_and_names_masked(mine: Site, monkeypatch: pytest.MonkeyPatch):
    from minefusion.serving.accounts.roles import RIGHT, access

    emergency = declared(mine)
    assert {row["name"] for row in people(mine, emergency, "admin")["rows"] if row["name"]} == {"张强", "李志明", "王"}
    looks = mine.get("admin", "/journal", mine=MINE, what="look.emergency")["rows"]
    assert looks[0]["by"] == "admin"
    names = access() | {(RIGHT, "names"): frozenset({"admin"})}
    monkeypatch.setattr("minefusion.serving.accounts.roles.access", lambda: names)
    assert {row["name"] for row in people(mine, emergency)["rows"] if row["name"]} == {"张*", "李*明", "*"}
    # The journal names nobody.
    lines = json.dumps(mine.get("admin", "/journal", mine=MINE, limit=1000), ensure_ascii=False)
    assert "李志明" not in lines
    assert f"{MINE}C1" not in lines


def test_what_is_not_there_or_another_mines_is_refused(mine: Site):
    mine.post("dispatcher", "/emergencies", BODY | {"mine_code": OTHER}, 403)
    assert "expected an area of mine" in mine.post("dispatcher", "/emergencies", BODY | {"area_id": "x"}, 422)["detail"]
    mine.post("dispatcher", "/emergencies", BODY | {"kind": "flood"}, 409)
    emergency = declared(mine)
    declared_at = f"/emergencies/{emergency['emergency_id']}"
    mine.post(
        "dispatcher", f"{declared_at}/answers", {"person_hash": "0" * 32, "says": "safe", "channel": "phone"}, 404
    )
    other = mine.post("dispatcher@all", "/emergencies", BODY | {"mine_code": OTHER, "area_id": area(OTHER, 1)}, 201)
    assert mine.call("dispatcher", "GET", f"/api/v1/emergencies/{other['emergency_id']}").status_code == 404
    judged = mine.post("dispatcher", f"{declared_at}/judged",
                       {"area_id": HEADING, "kind": "toxic_gas", "severity": 3, "why": "烟来自掘进"})  # fmt: skip
    assert (judged["kind"], judged["area_id"], judged["because"]) == ("toxic_gas", HEADING, ["烟来自掘进"])


def test_a_site_file_at_fault_does_not_hide_the_air(mine: Site):
    emergency = declared(mine)
    path = mine.service.reader.lake / "sites" / f"{MINE}.site.yaml"
    path.write_text(SITE.replace("N4, x", "N5, x"), encoding="utf-8")
    try:
        told = mine.get("dispatcher", f"/emergencies/{emergency['emergency_id']}/conditions")
        assert "N4" in told["site_fault"]
        assert told["areas"]
        assert people(mine, emergency)["counts"]["roster"] == 5
    finally:
        path.write_text(SITE, encoding="utf-8")


# ── hand-over ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_shift_is_handed_over(mine: Site):
    declared(mine)
    sheet = mine.post("dispatcher", "/handovers", {"mine_code": MINE}, 201)
    told = sheet["sheet"]
    assert {each["class_en"] for each in told["alarms"]} >= {"methane over its limit"}
    assert all(each["state"] != "normal" for each in told["alarms"] if not each["disposition_id"])
    assert told["dispositions"][0]["missing_en"]
    assert [each["kind"] for each in told["emergencies"]] == ["fire"]
    assert [(each["point_id"], each["verdict"]) for each in told["sensors"]] == [(gas(MINE), "fault")]
    assert [each["faults"] for each in told["models"]] == ["DRIFT"]
    assert told["underground"]["people_count"] == 3
    assert told["journal"]["hash"] != "0" * 64
    at, signed = f"/handovers/{sheet['handover_id']}", {"sheet_sha256": sheet["sheet_sha256"], "remarks": "注意"}
    mine.post("checker", f"{at}/incoming", signed, 409)
    mine.post("dispatcher", f"{at}/outgoing", signed)
    assert "another person" in mine.post("dispatcher", f"{at}/incoming", signed, 409)["detail"]
    done = mine.post("checker", f"{at}/incoming", signed)
    assert (done["outgoing"]["by"], done["incoming"]["by"], done["is_open"]) == ("dispatcher", "checker", False)
    assert [each["handover_id"] for each in mine.get("engineer", "/handovers")["rows"]] == [sheet["handover_id"]]
    assert verify(mine.service.room.database).ok


def test_what_a_sheet_may_not_be(mine: Site):
    mine.post("dispatcher", "/handovers", {"mine_code": OTHER}, 403)
    begin = (NOW - timedelta(hours=25)).isoformat()
    mine.post("dispatcher", "/handovers", {"mine_code": MINE, "begin": begin}, 422)


def test_the_stream_tells_of_emergencies_only_to_those_who_may_see_them(mine: Site):
    from minefusion.serving.api.journal import is_for

    declared(mine)
    line = next(each for each in mine.service.room.lines_after(0) if each.what == "emergency.declared")
    for role in ("viewer", "analyst", "dispatcher", "engineer", "admin"):
        user = mine.service.users.get(mine.logins[role])
        assert user is not None
        assert is_for(line, user, frozenset({MINE})) == (role in ("dispatcher", "engineer", "admin"))
    assert not is_for(line, user, frozenset({OTHER}))
