"""Video payloads of MT/T 1201.6 and fusion messages (PC-85), from landed JSON to silver."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_mine import MINE, at, point_code, rows_of, same_but_for_arrival

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.balance import balance
from minefusion.pipelines.jobs.conform import conform
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas import silver
from minefusion.schemas.bronze import EXCHANGE_FILE, EXCHANGE_RECORD, QUARANTINE
from minefusion.schemas.fusion_message import signature
from minefusion.schemas.settings import load_settings

CAM = "62000000411320000001"
PICTURE = base64.b64encode(b"\x89PNG").decode()
DIGEST = f"sha256:{hashlib.sha256(bytes([0x89]) + b'PNG').hexdigest()}"
FACE = "6200000000010001"


def local(minute: float) -> str:
    return (at(minute + 8 * 60)).strftime("%Y-%m-%d %H:%M:%S")


def payload(folder: Path, kind: str, minute: float, *entries: Any) -> Path:
    path = folder / f"{MINE}_{kind}_{local(minute).translate(str.maketrans('', '', '-: '))}.json"
    path.write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    return path


def message(folder: Path, minute: float, data_kind: str, body: Any, *, number: int = 1, **more: Any) -> Path:
    told: dict[str, Any] = {
        "schema": "mine-fusion/1", "msg_id": str(uuid.UUID(int=number)), "mine_code": MINE, "system_code": "01",
        "source_id": "gateway-7", "data_kind": data_kind, "produced_at": at(minute).isoformat(),
        "sent_at": at(minute).isoformat(), "seq": number, "security_level": "L2", "body": body,
    }  # fmt: skip
    name = f"{MINE}_message_{local(minute).translate(str.maketrans('', '', '-: '))}_{number}.json"
    (folder / name).write_text(json.dumps(told | more, ensure_ascii=False), encoding="utf-8")
    return folder / name


def sensing(value: float, minute: float = 0, **more: Any) -> list[dict[str, Any]]:
    return [{"point_code": point_code(1), "type_code": "0001", "value": value, "unit": "%", "status": 0,
             "ts": at(minute).isoformat(), "quality": "GOOD"} | more]  # fmt: skip


def take(engine: LightEngine, landing: Path) -> None:
    ingest(engine.settings, landing, engine=engine)
    conform(engine)
    assert balance(engine.settings).ok


def verdicts(engine: LightEngine) -> list[tuple[str, str]]:
    return sorted(rows_of(engine, EXCHANGE_FILE, "verdict", "reason").iter_rows())


def events(engine: LightEngine, *columns: str) -> list[tuple[Any, ...]]:
    return list(rows_of(engine, silver.VIDEO_EVENT).sort("began_at", "event_id").select(columns).iter_rows())


# ── payloads ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_camera_with_its_state_and_its_events(light: LightEngine, landing: Path):
    payload(landing, "camera", 0, {"cameraCode": CAM, "positionDesc": "副井口", "dataTime": local(0),
                                   "psStationCode": "S1", "basicImageBase64": PICTURE})  # fmt: skip
    payload(landing, "cameraStatus", 1, {"cameraCode": CAM, "cameraStatus": "1", "dataTime": local(1)})
    payload(landing, "videoAnomaly", 2,
            {"cameraCode": CAM, "analysisType": "03", "analysisCase": "0001", "dataTime": local(2),
             "imagesBase64": [f"data:image/png;base64,{PICTURE}", "broken!"]},
            {"cameraCode": CAM, "analysisType": "03", "analysisCase": "0007", "dataTime": local(2)})  # fmt: skip
    payload(landing, "countingRecog", 3, {"cameraCode": CAM, "analysisType": "05", "analysisCase": "0012",
                                          "dataTime": local(3)})  # fmt: skip
    payload(landing, "undergroundCount", 4, {"cameraCode": CAM, "analysisCase": "0143", "dataTime": local(4)})
    payload(landing, "importPersonCount", 5, {"positionName": "副井罐笼", "positionCode": "62000000000101",
                                              "cameraCode": CAM, "direction": "01", "personCount": 9})  # fmt: skip
    take(light, landing)
    camera = rows_of(light, silver.CAMERA).to_dicts()[0]
    assert (camera["camera_code"], camera["location"], camera["station_code"]) == (CAM, "副井口", "S1")
    assert (camera["is_defined"], camera["is_online"], camera["online_told_at"]) == (True, True, at(1))
    assert events(light, "event_type", "object_count", "direction", "began_at", "snapshot_uri", "quality") == [
        ("V901", None, None, at(2), DIGEST, "GOOD"),
        ("V902", None, None, at(2), None, "GOOD"),
        ("V501", 12, "out", at(3), None, "GOOD"),
        ("V501", 143, None, at(4), None, "GOOD"),
        ("V501", 9, "in", at(5), None, "GOOD"),  # it has no time of its own: the file's
    ]
    # Pictures stay outside: bronze keeps their digest.
    assert PICTURE not in str(rows_of(light, EXCHANGE_RECORD).to_dicts())


def test_what_is_odd_is_marked_or_set_aside_with_its_reason(light: LightEngine, landing: Path):
    about = {"cameraCode": CAM, "analysisType": "03", "dataTime": local(0)}
    payload(landing, "videoAnomaly", 0,
            about | {"analysisCase": "0099"}, about | {"analysisCase": "0001", "mineCode": "999999999999"},
            about | {"analysisCase": "0002"}, about | {"analysisCase": "0003"}, about | {"analysisCase": "0004"},
            about | {"analysisCase": "0005"}, about | {"analysisCase": "0006"})  # fmt: skip
    payload(landing, "cameraStatus", 1, {"cameraCode": CAM, "cameraStatus": "7", "dataTime": local(1)})
    take(light, landing)
    assert verdicts(light) == [("partial", "FIELD_TYPE"), ("rejected", "TOO_MANY_BAD_RECORDS")]
    assert rows_of(light, QUARANTINE, "reason_en").item() == "mineCode is not the mine of the file's name"
    assert {row[0] for row in events(light, "quality_reasons")} == {"CAMERA_UNKNOWN", "CAMERA_UNKNOWN,CODE_UNKNOWN"}
    camera = rows_of(light, silver.CAMERA).to_dicts()[0]
    assert (camera["camera_code"], camera["is_defined"], camera["is_online"]) == (CAM, False, None)


def test_a_registry_that_comes_late_places_the_events(engines: Callable[[str], LightEngine], tmp_path: Path):
    early, late = engines("early"), engines("late")
    for engine, order in ((early, ("registry", "events")), (late, ("events", "registry"))):
        folder = tmp_path / f"of-{engine.settings.lake.name}"
        folder.mkdir()
        for part in order:
            if part == "registry":
                payload(folder, "camera", 0, {"cameraCode": CAM, "positionDesc": "副井口", "dataTime": local(0)})
            else:
                payload(folder, "undergroundCount", 4, {"cameraCode": CAM, "analysisCase": "3", "dataTime": local(4)})
            take(engine, folder)
    assert events(late, "quality") == [("GOOD",)]
    assert same_but_for_arrival(early.settings.lake, late.settings.lake) == {}


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sensing_becomes_readings(light: LightEngine, landing: Path):
    message(landing, 0, "sensing", sensing(0.42) + sensing(0.5, 1, quality="BAD"))
    take(light, landing)
    assert list(rows_of(light, silver.READING, "value", "unit", "quality", "quality_reasons").iter_rows()) == [
        (0.42, "%", "GOOD", ""),
        (0.5, "%", "BAD", "SENSOR_FAULT"),
    ]


def test_text_becomes_its_kind_of_file(light: LightEngine, landing: Path):
    columns = ["record_id", "record_kind", "quantity", "measured_time", "value", "unit", "location"]
    rows = [["1", "blast", "charge", local(-5), 12.5, "kg", "1301"]]
    body = {"file_code": "RGJL", "operation": "upsert", "columns": columns, "rows": rows}
    message(landing, 0, "text", body)
    definition = {"file_code": "CDDY", "operation": "snapshot", "columns": ["point_code", "sensor_type_code", "unit"],
                  "rows": [[point_code(1), "0001", "%"]]}  # fmt: skip
    message(landing, 1, "text", definition, number=2)
    take(light, landing)
    assert list(
        rows_of(light, silver.FIELD_RECORD, "kind", "quantity", "value", "unit", "measured_at").iter_rows()
    ) == [("blast", "charge", 12.5, "kg", at(-5))]
    assert rows_of(light, silver.POINT, "point_id", "is_defined").row(0) == (point_code(1), True)


def test_media_become_events_and_cameras(light: LightEngine, landing: Path):
    event = {"event_id": "E1", "event_type": "V101", "begin_time": at(0.5).isoformat(), "confidence": 0.91,
             "object_count": 2, "level": 2, "area_code": FACE, "state": 0,
             "report_time": at(1).isoformat(), "boxes": [{"class": "person", "x": 0.1, "y": 0.2}]}  # fmt: skip
    message(landing, 0, "av", {"device_code": CAM, "media": "event", "begin": at(0.5).isoformat(), "event": event})
    message(landing, 1, "av", {"device_code": "62000000411320000002", "media": "stream", "begin": at(1).isoformat(),
                               "uri": "rtsp://x"}, number=2)  # fmt: skip
    take(light, landing)
    columns = ("event_id", "event_type", "began_at", "reported_at", "event_confidence", "object_count", "area_id")
    assert events(light, *columns) == [("E1", "V101", at(0.5), at(1), 0.91, 2, FACE)]
    assert json.loads(events(light, "boxes")[0][0])[0]["class"] == "person"
    assert rows_of(light, silver.CAMERA, "camera_code").height == 2


def test_a_message_counts_once_whatever_its_bytes(light: LightEngine, landing: Path):
    message(landing, 0, "sensing", sensing(0.42))
    take(light, landing)
    again = message(landing, 0, "sensing", sensing(0.42))
    again.write_text(json.dumps(json.loads(again.read_text()) | {"sent_at": at(3).isoformat()}))
    again.rename(again.with_name(again.name.replace("_1.json", "_9.json")))
    take(light, landing)
    assert verdicts(light) == [("accepted", ""), ("duplicate", "DUPLICATE")]
    assert rows_of(light, EXCHANGE_RECORD).height == 1


@pytest.mark.parametrize(
    ("data_kind", "body", "more", "reason"),
    [
        ("sensing", sensing(1), {"schema": "mine-fusion/2"}, "MESSAGE_UNREADABLE"),
        ("sensing", sensing(1), {"msg_id": "7"}, "MESSAGE_UNREADABLE"),
        ("sensing", sensing(1), {"seq": -1}, "MESSAGE_UNREADABLE"),
        ("sensing", sensing(1), {"produced_at": "2026-03-01 04:00:00"}, "MESSAGE_UNREADABLE"),
        ("sensing", [], {}, "MESSAGE_UNREADABLE"),
        ("sensing", sensing(1), {"mine_code": "999999999999"}, "MINE_MISMATCH"),
        ("sensing", sensing(1), {"security_level": "L4"}, "SECURITY_LEVEL"),
        ("smell", sensing(1), {}, "MESSAGE_KIND"),
        ("text", {"file_code": "XXXX", "operation": "upsert", "columns": ["a"], "rows": [["1"]]}, {}, "MESSAGE_KIND"),
        (
            "text",
            {"file_code": "RGJL", "operation": "delete", "columns": ["unit"], "rows": [["m"]]},
            {},
            "MESSAGE_KIND",
        ),
        ("sensing", sensing(1), {"produced_at": "2036-03-01T04:00:00+00:00"}, "FUTURE_TIME"),
    ],
)
def test_a_message_out_of_order_is_refused_with_its_reason(
    light: LightEngine, landing: Path, data_kind: str, body: Any, more: dict[str, Any], reason: str
):
    message(landing, 0, data_kind, body, **more)
    take(light, landing)
    assert verdicts(light) == [("rejected", reason)]
    assert rows_of(light, EXCHANGE_RECORD).is_empty()


def test_a_configured_key_asks_for_signatures(tmp_path: Path, landing: Path):
    engine = LightEngine(load_settings(lake=tmp_path / "lake", message_secret="a shared key"))
    right = sensing(0.42)
    message(landing, 0, "sensing", right, signature=signature(right, b"a shared key"))
    message(landing, 1, "sensing", sensing(9.9), number=2, signature=signature(right, b"a shared key"))
    message(landing, 2, "sensing", sensing(9.8), number=3)
    take(engine, landing)
    assert verdicts(engine) == [("accepted", ""), ("rejected", "SIGNATURE_WRONG"), ("rejected", "SIGNATURE_WRONG")]
    assert rows_of(engine, silver.READING, "value").to_series().to_list() == [0.42]
    assert "a shared key" not in repr(engine.settings)


def test_an_event_told_again_with_another_time_is_one_event(light: LightEngine, landing: Path):
    for number, (sent, begun) in enumerate(((0, -60), (5, -20), (3, -90))):
        event = {"device_code": CAM, "media": "event", "begin": at(begun).isoformat()}
        event["event"] = {"event_id": "E1", "event_type": "V203"}
        message(landing, sent, "av", event, number=number + 1)
        take(light, landing)
    assert events(light, "event_id", "began_at") == [("E1", at(-20))]
    assert pl.DataFrame(rows_of(light, silver.VIDEO_EVENT)).height == 1
