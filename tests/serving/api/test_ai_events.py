"""Events of video analysis over HTTP: once each, advisories at once, and the same in the lake once it took them in."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from two_mines import MINE, NOW, OTHER, Site, running

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.conform import conform
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas import silver
from minefusion.schemas.exchange.grammar import kinds
from minefusion.schemas.fusion_message import signature
from minefusion.schemas.settings import load_settings
from minefusion.serving.reader import Reader

CAMERA = f"{MINE}51320001"
EVENT = {
    "event_id": f"{MINE}20260301095500001", "camera_code": CAMERA, "event_type": "V201",
    "begin_time": (NOW - timedelta(minutes=5)).isoformat(), "end_time": (NOW - timedelta(minutes=4)).isoformat(),
    "report_time": (NOW - timedelta(minutes=4)).isoformat(), "confidence": 0.91, "object_count": 1, "level": 2,
    "boxes": [{"class": "person", "x": 0.1, "y": 0.2, "w": 0.1, "h": 0.4}], "model_version": "vendor-3",
}  # fmt: skip


@pytest.fixture
def landing(site: Site, tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    site.service.landing = folder
    return folder


def post(site: Site, *events: dict[str, Any], who: str = "engineer", status: int = 200) -> Any:
    return site.post(who, "/ai-events", {"events": list(events)}, status)


def advisories(site: Site) -> list[dict[str, Any]]:
    return [row for row in site.get("viewer", "/alarms", is_advisory=True)["rows"] if row["entity"] == CAMERA]


def test_an_event_is_kept_once_and_is_an_advisory_at_once(site: Site, landing: Path):
    assert post(site, EVENT) == {"kept": {EVENT["event_id"]: "new"}, "landed": True}
    assert post(site, EVENT)["kept"] == {EVENT["event_id"]: "known"}
    assert len(list(landing.iterdir())) == 1
    site.beat()
    (alarm,) = advisories(site)
    assert (alarm["kind"], alarm["level"], alarm["class_name"]) == ("V201", 3, "behaviour")
    assert "91%" in alarm["sentence_zh"]
    site.beat(1)
    assert len(advisories(site)) == 1, "nothing is taken twice"
    told = post(site, EVENT | {"remark": "已核"})
    assert told["kept"] == {EVENT["event_id"]: "changed"}
    assert len(list(landing.iterdir())) == 2


def test_what_a_sender_dealt_with_is_no_advisory(site: Site):
    post(site, EVENT | {"state": 2})
    site.beat()
    assert advisories(site) == []


def test_the_lake_takes_it_in_and_the_advisory_stays_the_same(site: Site, landing: Path, tmp_path: Path):
    post(site, EVENT)
    site.beat()
    (before,) = advisories(site)
    engine = LightEngine(load_settings(lake=tmp_path / "lake"))
    ingest(engine.settings, landing, engine=engine)
    conform(engine)
    columns = "event_id, event_type, mine_code, camera_code, began_at, level, event_confidence, boxes"
    (row,) = Reader(tmp_path / "lake").sql(f"SELECT {columns} FROM silver.video_event")
    assert (row["event_id"], row["event_type"], row["camera_code"]) == (EVENT["event_id"], "V201", CAMERA)
    assert (row["began_at"], row["level"], row["event_confidence"]) == (NOW - timedelta(minutes=5), 2, 0.91)
    assert json.loads(row["boxes"])[0]["class"] == "person"
    database = Path(shutil.copy(tmp_path / "room.db", tmp_path / "other.db"))
    with running(tmp_path / "lake", database) as other:
        other.beat(1)
        (after,) = advisories(other)
        assert after["alarm_id"] == before["alarm_id"]
        assert [each["candidate_id"] for each in after["findings"]] == [
            each["candidate_id"] for each in before["findings"]
        ]


def test_messages_are_signed_where_a_key_is_set(site: Site, landing: Path):
    site.service.message_secret = "a shared key"
    post(site, EVENT)
    (path,) = landing.iterdir()
    message = json.loads(path.read_text(encoding="utf-8"))
    assert message["signature"] == signature(message["body"], b"a shared key")
    assert kinds()["message"].envelope == "message"
    assert (message["data_kind"], message["security_level"], message["seq"]) == ("av", "L3", 1)


def test_without_a_landing_folder_the_event_is_kept_all_the_same(site: Site):
    site.service.landing = Path("/nowhere/at/all")
    assert post(site, EVENT) == {"kept": {EVENT["event_id"]: "new"}, "landed": False}
    site.beat()
    assert len(advisories(site)) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"event_type": "X1"}, 422),
        ({"camera_code": "../../etc/passwd"}, 422),
        ({"event_id": "a/../../b c"}, 422),
        ({"confidence": 2}, 422),
        ({"boxes": [{"class": "person", "x": 2, "y": 0, "w": 0, "h": 0}]}, 422),
        ({"begin_time": "2026-03-01T02:00:00"}, 422),
        ({"begin_time": (NOW + timedelta(hours=1)).isoformat(), "end_time": None}, 422),
        ({"end_time": (NOW - timedelta(hours=1)).isoformat()}, 422),
        ({"mine_code": OTHER}, 403),
        ({"surprise": 1}, 422),
    ],
)
def test_what_is_not_an_event_of_ours_is_refused_whole(site: Site, landing: Path, change: dict[str, Any], status: int):
    post(site, EVENT, EVENT | {"event_id": f"{MINE}2"} | change, status=status)
    assert list(landing.iterdir()) == []
    assert post(site, EVENT)["kept"] == {EVENT["event_id"]: "new"}, "all of them or none"


def test_only_those_who_may_send(site: Site):
    for who in ("viewer", "dispatcher", "analyst"):
        post(site, EVENT, who=who, status=403)


def test_the_camera_tells_the_area_where_the_event_does_not(two_mines_lake: Path, tmp_path: Path):
    from two_mines import append, area

    lake = tmp_path / "lake"
    shutil.copytree(two_mines_lake, lake)
    engine = LightEngine(load_settings(lake=lake))
    append(engine, silver.CAMERA, MINE, [{"camera_code": CAMERA, "area_id": area(MINE, 2)}])
    with running(lake, tmp_path / "room.db") as site:
        post(site, EVENT)
        site.beat()
        assert advisories(site)[0]["area_id"] == area(MINE, 2)
