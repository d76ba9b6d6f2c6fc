"""Messages are read with distrust: each fault has its code, and nothing of a message with a fault is taken."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from gateway import MINE, POINT, T0, definition, message
from hypothesis import given
from hypothesis import strategies as st

from minefusion.pipelines.bridges.message import RefusedError, Rules, point_value, read_message, read_value

RULES = Rules({MINE: "示范煤矿"}, most_bytes=4_000, most_rows=3)
ROW = {"point_code": POINT, "type_code": "0001", "value": 0.32, "unit": "%", "status": 0, "ts": T0.isoformat()}


def code_of(payload: bytes, rules: Rules = RULES) -> str:
    with pytest.raises(RefusedError) as refused:
        read_message(payload, rules)
    return refused.value.code


def test_a_sensing_message_becomes_records_of_a_value_file():
    read = read_message(message(5, 0.32), RULES)
    assert (read.kind, read.mine_code, read.source_id, read.seq) == ("CDSS", MINE, "gateway-1", 5)
    (row,) = read.rows
    assert (row["point_code"], row["value"], row["unit"], row["status"]) == (POINT, "0.32", "%", "0")
    assert row["data_time"] == "2026-03-01 12:00:05"  # mine local time
    assert "甲烷" in str(row["sensor_type_name"])


def test_a_text_message_becomes_records_of_its_kind():
    read = read_message(definition(), RULES)
    assert (read.kind, read.rows[0]["point_code"], read.rows[0]["alarm_high"]) == ("CDDY", POINT, "1.0")


def test_a_value_that_its_sender_calls_bad_is_one_of_a_faulty_sensor():
    bad, told = ROW | {"quality": "BAD"}, ROW | {"quality": "BAD", "status": 4}
    read = read_message(message(body=[bad, told]), RULES)
    assert [row["status"] for row in read.rows] == ["128", "4"]


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"schema": "mine-fusion/9"}, "SCHEMA_UNKNOWN"),
        ({"mine_code": "620000000002"}, "MINE_UNKNOWN"),
        ({"security_level": "L4"}, "LEVEL"),
        ({"msg_id": "7"}, "FIELD"),
        ({"msg_id": ...}, "FIELD"),
        ({"seq": -1}, "FIELD"),
        ({"seq": True}, "FIELD"),
        ({"sent_at": "2026-03-01 12:00:00"}, "FIELD"),
        ({"source_id": "x" * 201}, "FIELD"),
        ({"data_kind": "av"}, "DATA_KIND"),
        ({"body": []}, "BODY"),
        ({"body": [ROW] * 4}, "BODY"),
        ({"body": [ROW | {"value": [1]}]}, "BODY"),
        ({"body": [ROW | {"status": 256}]}, "BODY"),
        ({"body": [ROW | {"ts": "yesterday"}]}, "FIELD"),
        ({"body": [ROW | {"point_code": ""}]}, "FIELD"),
        ({"data_kind": "text", "body": {"file_code": "NONE"}}, "KIND_UNKNOWN"),
        ({"data_kind": "text", "body": {"file_code": "CDDY", "operation": "delete"}}, "OPERATION"),
        (
            {
                "data_kind": "text",
                "body": {"file_code": "CDDY", "operation": "upsert", "columns": ["no"], "rows": [[1]]},
            },
            "COLUMNS",
        ),
        (
            {
                "data_kind": "text",
                "body": {"file_code": "CDDY", "operation": "upsert", "columns": ["point_code"], "rows": [[1, 2]]},
            },
            "BODY",
        ),
        ({"padding": "x" * 4_000}, "TOO_LARGE"),
    ],
)
def test_what_does_not_keep_to_the_rules_is_refused_with_its_code(other: dict[str, Any], code: str):
    assert code_of(message(**other)) == code


@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.text(), lambda x: st.lists(x)).map(json.dumps).map(str.encode)
)
def test_no_bytes_break_the_reader(payload: bytes):
    with pytest.raises(RefusedError):
        read_message(payload, RULES)


def test_a_bridge_with_a_key_takes_only_what_is_signed_with_it():
    keyed = Rules({MINE: "示范煤矿"}, secret=b"key")
    assert read_message(message(secret=b"key"), keyed).seq == 0
    assert code_of(message(), keyed) == "SIGNATURE"
    assert code_of(message(secret=b"other"), keyed) == "SIGNATURE"
    told = json.loads(message(secret=b"key"))
    told["body"][0]["value"] = 0.1
    assert code_of(json.dumps(told).encode(), keyed) == "SIGNATURE"


def test_the_same_value_of_the_same_instant_is_the_same_message():
    one, again = (point_value(MINE, POINT, 0.3, T0) for _ in range(2))
    assert one.msg_id == again.msg_id
    assert point_value(MINE, POINT, 0.4, T0).msg_id != one.msg_id


def test_a_plain_value_has_the_moment_that_it_tells_or_else_came_at():
    now = datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert read_value(b"0.3", MINE, POINT, now).rows[0]["data_time"] == "2026-03-01 13:00:00"
    told = json.dumps({"value": 0.3, "ts": T0.isoformat(), "is_bad": True}).encode()
    assert read_value(told, MINE, POINT, now).rows[0] | {"sensor_type_name": None} == {
        "point_code": POINT, "value": "0.3", "status": "128", "data_time": "2026-03-01 12:00:00",
        "sensor_type_name": None,
    }  # fmt: skip
    with pytest.raises(RefusedError):
        read_value(b'"high"', MINE, POINT, now)
