"""Alarms over HTTP, from what gold says to the closed disposition; the stream of changes; the load figures."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from two_mines import MINE, NOW, OTHER, START, Site

from minefusion.serving.alarms.kpi import flood_episodes
from minefusion.serving.journal.verify import verify


def rows(site: Site, role: str = "dispatcher", **params: Any) -> list[dict[str, Any]]:
    return site.get(role, "/alarms", **params)["rows"]


def test_what_gold_says_stands_as_alarms(shown: Site):
    found = {each["kind"]: each for each in rows(shown)}
    assert {kind: each["state"] for kind, each in found.items()} == {
        "G-01": "active_unacked", "P-03": "active_unacked", "F-10": "cleared_unacked", "V101": "cleared_unacked",
        "FORECAST": "cleared_unacked",
    }  # fmt: skip
    gas = found["G-01"]
    assert (gas["priority"], gas["priority_zh"], gas["class_zh"], gas["value"], gas["unit"]) == (
        1, "紧急", "甲烷超限", 1.8, "%",
    )  # fmt: skip
    assert gas["is_regulator"]
    assert gas["disposition_id"] == f"D-{MINE}-260301-01"
    assert [each["kind"] for each in rows(shown, is_advisory=True)] == ["V101", "FORECAST"]
    # Warnings of minutes 90 to 104 and 107 are one advisory; ten minutes without one end it.
    forecast = found["FORECAST"]
    began, ended = START + timedelta(minutes=90), START + timedelta(minutes=117)
    assert (forecast["raised_at"], forecast["cleared_at"]) == (began.isoformat(), ended.isoformat())
    assert forecast["sentence_zh"].startswith("预计")


def test_the_list_is_what_sql_says(shown: Site):
    """Fifty questions drawn at random."""
    chance = random.Random(7)
    choices: dict[str, list[Any]] = {
        "mine": [MINE, OTHER], "state": ["active_unacked", "cleared_unacked", "normal"], "level": [1, 3, 4],
        "priority": [1, 2, 3], "is_open": [True, False], "is_advisory": [True, False],
        "class_name": ["methane", "hazard", "behaviour"], "area_id": [f"{MINE}01", f"{OTHER}02"],
    }  # fmt: skip
    answered = 0
    for _ in range(50):
        params = {name: chance.choice(each) for name, each in choices.items() if chance.random() < 0.25}
        where = [f"{'mine_code' if name == 'mine' else name} = :{name}" for name in params]
        given: dict[str, Any] = dict(params)
        if chance.random() < 0.5:
            begin = START + timedelta(minutes=chance.randrange(120))
            params["from"], given["begin"] = begin.isoformat(), begin.replace(tzinfo=None).isoformat(" ")
            where.append("raised_at >= :begin")
        query = f"SELECT alarm_id FROM alarm WHERE {' AND '.join(where or ['true'])} ORDER BY raised_at DESC, alarm_id"
        with shown.service.room.database.reading() as connection:
            expected = [each for (each,) in connection.execute(text(query), given)]
        found: list[str] = []
        cursor = None
        while True:
            page = shown.get("dispatcher@all", "/alarms", **params, limit=2, cursor=cursor)
            found += [each["alarm_id"] for each in page["rows"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert found == expected
        answered += bool(expected)
    assert answered > 10


def test_the_whole_loop_over_http(site: Site):
    alarm_id = site.gas_alarm
    (number,) = {each["disposition_id"] for each in rows(site) if each["alarm_id"] == alarm_id}
    at = f"/dispositions/{number}"
    refused = site.post("dispatcher", "/alarms/acknowledge", {"alarm_ids": [alarm_id]}, 409)
    assert refused["detail_zh"] == "监管类报警确认须写备注"
    site.post("dispatcher", "/alarms/acknowledge", {"alarm_ids": [alarm_id], "note": "已知，正联系变电所"})
    again = site.post("checker", "/alarms/acknowledge", {"alarm_ids": [alarm_id], "note": "已知"}, 409)
    assert again["detail_en"].startswith("dispatcher acknowledged at 2026-03-01T02:00:00+00:00")
    shelf = {"until": (NOW + timedelta(minutes=15)).isoformat(), "reason": "标校"}
    assert "属监管类" in site.post("dispatcher", f"/alarms/{alarm_id}/shelve", shelf, 409)["detail_zh"]
    site.post("dispatcher", f"/alarms/{alarm_id}/assign", {"to": "瓦检员 李*"})

    told = {"who": "孙强", "role": "带班矿领导", "channel": "phone", "told_at": NOW.isoformat(), "has_answered": True}
    site.post("dispatcher", f"{at}/told", told)
    site.post("dispatcher", f"{at}/cause", {"cause": "doors_and_fans", "evidence": ["FM-07 打开 03:12"]})
    site.post("dispatcher", f"{at}/actions", {"text": "人工切断上级电源并挂牌", "assigned_to": "变电所"})
    site.post("dispatcher", f"{at}/actions/1/done", {"result": "已断电"})
    site.post("dispatcher", f"{at}/withdrawal", {"out": 2, "of": 3})
    picture = b"\x89PNG of the switch"
    file = {"file": ("现场.png", picture, "image/png")}
    attached = site.call("dispatcher", "POST", f"/api/v1{at}/attachments", files=file).json()
    digest = hashlib.sha256(picture).hexdigest()
    assert attached["attachments"][0]["sha256"] == digest
    got = site.call("analyst", "GET", f"/api/v1{at}/attachments/{digest}")
    assert (got.content, got.headers["content-disposition"][:10]) == (picture, "attachment")

    still = site.post("dispatcher", f"{at}/submit", status=409)["detail_zh"]
    assert still == "不能提交复核：报警条件仍在；撤人未完成；未记录恢复"
    site.post("dispatcher", f"{at}/withdrawal", {"out": 3, "of": 3})
    ends_in_gold(site, minute=125)
    site.post("dispatcher", f"{at}/restoration", {"restored_at": NOW.isoformat(), "inspector": "李明", "ch4_pct": 0.4})
    submitted = site.post("dispatcher", f"{at}/submit")
    assert (submitted["state"], submitted["missing"]) == ("submitted", [])
    assert "复核人不能是处置人" in site.post("dispatcher", f"{at}/check", {"is_agreed": True}, 409)["detail_zh"]
    closed = site.post("checker", f"{at}/check", {"is_agreed": True})
    assert closed["state"] == "closed"
    assert closed["clocks"]["close"]["is_done"]
    assert rows(site, is_open=True, class_name="methane") == []
    story = [each["what"] for each in site.get("analyst", f"/alarms/{alarm_id}/journal")["rows"]]
    assert story[0] == "alarm.raised"
    assert story[-1] == "disposition.closed"
    assert verify(site.service.room.database).ok


def ends_in_gold(site: Site, minute: int) -> None:
    """Gold says, in that minute, that the methane alarm of MINE is over. The lake of all tests stays as it is."""
    watch = site.app.state.watch
    site.clock.now = START + timedelta(minutes=minute)
    ended = [
        (replace(one, cleared_at=site.clock.now) if (one.kind, one.mine_code) == ("G-01", MINE) else one, peak)
        for one, peak in watch.known.candidates
    ]
    watch.known = replace(watch.known, candidates=tuple(ended))
    site.beat()


@pytest.mark.parametrize(
    ("file", "status"),
    [
        (("x.html", b"<script>", "text/html"), 415),
        (("x.png", b"", "image/png"), 413),
        (("x.png", b"0" * ((8 << 20) + 1), "image/png"), 413),
    ],
)
def test_files_that_are_not_taken(site: Site, file: tuple[str, bytes, str], status: int):
    (number,) = site.service.room.board.dispositions.keys() & {f"D-{MINE}-260301-01"}
    path = f"/api/v1/dispositions/{number}/attachments"
    assert site.call("dispatcher", "POST", path, files={"file": file}).status_code == status


def test_shelving_lifting_and_verdicts(site: Site):
    found = {each["kind"]: each for each in rows(site)}
    person, video = found["P-03"], found["V101"]
    until = (NOW + timedelta(minutes=15)).isoformat()
    site.post("dispatcher", f"/alarms/{person['alarm_id']}/shelve", {"until": until, "reason": "演练"})
    assert [each["kind"] for each in site.get("viewer", "/holds")["rows"]] == ["shelved"]
    assert rows(site, state="shelved")[0]["alarm_id"] == person["alarm_id"]
    site.post("dispatcher", "/holds/lift", {"tag": person["tag"]})
    assert site.get("viewer", "/holds")["rows"] == []
    site.post("dispatcher", "/holds/lift", {"tag": person["tag"]}, 404)
    site.post("engineer", f"/alarms/{person['alarm_id']}/out-of-service", {"reason": "分站检修"})
    site.beat(10)
    assert rows(site, state="out_of_service")[0]["alarm_id"] == person["alarm_id"]
    site.post("dispatcher", f"/alarms/{video['alarm_id']}/verdict", {"verdict": "rejected", "why": "known_work"})
    assert [each["kind"] for each in rows(site, is_advisory=True, is_open=True)] == ["FORECAST"]
    site.post("dispatcher", f"/alarms/{found['F-10']['alarm_id']}/note", {"text": "已派人查看"})


def test_what_nobody_takes_on_climbs_while_the_service_runs(site: Site):
    site.beat(1)
    alarm = site.get("viewer", f"/alarms/{site.gas_alarm}")
    assert alarm["rung"] == 1
    site.beat(1)
    assert site.get("viewer", f"/alarms/{site.gas_alarm}")["rung"] == 1
    site.beat(2)
    assert site.get("viewer", f"/alarms/{site.gas_alarm}")["rung"] == 2


def test_a_list_of_alarms_is_known_again_until_the_journal_grows(site: Site):
    first = site.call("viewer", "GET", "/api/v1/alarms")
    tag = {"If-None-Match": first.headers["ETag"]}
    assert site.call("viewer", "GET", "/api/v1/alarms", headers=tag).status_code == 304
    site.beat(5)
    assert site.call("viewer", "GET", "/api/v1/alarms", headers=tag).status_code == 200


def test_the_journal_is_paged_and_logins_are_the_administrators(site: Site):
    whole = site.get("admin@all", "/journal", limit=1000)["rows"]
    assert [each["seq"] for each in whole] == list(range(len(whole), 0, -1))
    pages: list[dict[str, Any]] = []
    before = None
    while True:
        page = site.get("admin@all", "/journal", limit=7, before=before)
        pages += page["rows"]
        before = page["next"]
        if before is None:
            break
    assert pages == whole
    assert not [each for each in site.get("dispatcher@all", "/journal")["rows"] if each["what"].startswith("user.")]
    assert {each["mine_code"] for each in site.get("dispatcher", "/journal")["rows"]} == {MINE}


# ── what the service says of itself ─────────────────────────────────────────────────────────────────────────────────


def test_status_mines_catalogue_and_options(shown: Site):
    status = shown.get("viewer", "/status")
    assert status["newest"][MINE]["silver.headcount"] == (START + timedelta(minutes=110)).isoformat()
    assert status["tables"]["gold.alarm"] >= 0
    assert [each["mine_code"] for each in shown.get("dispatcher@all", "/mines")["rows"]] == [MINE, OTHER]
    catalogue = {each["name"]: each for each in shown.get("viewer", "/catalog")["rows"]}
    assert catalogue["silver.position"]["level"] == "L3"
    assert catalogue["gold.alarm"]["path"] == "/api/v1/episodes"
    options = shown.get("viewer", "/options")
    assert options["clocks"] == {"acknowledge": 60, "act": 180, "close": 28800}
    methane = next(each for each in options["classes"] if each["name"] == "methane")
    assert methane["ladders"]["1"][0] == [60, "值班领导", "duty leader"]
    assert methane["causes"]["doors_and_fans"] == {"zh": "风门或风机扰动", "en": "door or fan disturbance"}


def test_a_lake_that_cannot_be_followed_is_told_and_tried_again(site: Site, monkeypatch: pytest.MonkeyPatch):
    def fails(_: object) -> int:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(site.service.reader, "version", fails)
        site.app.state.watch.beat()
    answer = site.call(None, "GET", "/health")
    assert (answer.status_code, answer.json()["ok"]) == (503, False)
    assert site.service.fault == "OSError: the disk is gone"
    site.beat()
    assert site.call(None, "GET", "/health").status_code == 200


def test_a_fault_is_a_problem_without_a_trace(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(site.service.reader, "sql", lambda *_, **__: 1 / 0)
    answer = site.call("viewer", "GET", "/api/v1/areas")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "ZeroDivision" not in answer.text


# ── the load ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_load_of_a_shift(site: Site):
    gas = site.gas_alarm
    site.clock.now = NOW + timedelta(seconds=42)
    site.post("dispatcher", "/alarms/acknowledge", {"alarm_ids": [gas], "note": "已知"})
    found = site.get(
        "viewer",
        "/alarms/kpi",
        **{"from": (NOW - timedelta(hours=1)).isoformat(), "to": (NOW + timedelta(hours=1)).isoformat()},
    )
    assert found["alarms"] == 3
    assert found["per_hour"] == 1.5
    assert found["most_in_10_min"] == 3
    assert found["standing"] == 2
    assert found["acknowledge_s"]["methane"] == {"count": 1, "p50": 42.0, "p95": 42.0}
    assert found["priority_mix"]["1"] == {"alarms": 1, "share": pytest.approx(1 / 3)}
    assert found["advisories"] == {"alarms": 2, "per_hour": 1.0, "confirmed": 0, "rejected": 0}
    assert [each["alarms"] for each in found["top_ten"]] == [1, 1, 1]
    assert json.dumps(found["targets"])


def at(*minutes: float) -> list[datetime]:
    return [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=each) for each in minutes]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([], []),
        (range(0, 90, 10), []),
        ([n * 0.5 for n in range(9)], []),
        # The tenth comes in 4.5; the sixth, of 2.5, is the one whose leaving leaves four.
        ([n * 0.5 for n in range(10)], [(4.5, 12.5, 10)]),
        ([*(n * 0.5 for n in range(10)), *(40 + n * 0.5 for n in range(11))], [(4.5, 12.5, 10), (44.5, 53, 11)]),
        ([50 + n for n in range(10)], [(59, 60, 10)]),
    ],
)  # fmt: skip
def test_floods(shown: list[float], expected: list[tuple[float, float, int]]):
    begin, end = at(0, 60)
    assert flood_episodes(at(*shown), begin, end) == [(*at(start, stop), count) for start, stop, count in expected]
