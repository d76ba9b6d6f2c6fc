"""Messages as a gateway sends them, and how a server is started to send them through."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from minefusion.schemas.fusion_message import signature

MINE, NAME = "620000000001", "示范煤矿"
POINT = f"{MINE}01MN0001001A01"
T0 = datetime(2026, 3, 1, 4, tzinfo=UTC)
STARTS_IN_S = 40.0


def message(seq: int = 0, value: float | None = 0.3, *, secret: bytes | None = None, **other: Any) -> bytes:
    """A sensing message: the value of POINT `seq` seconds after T0."""
    at = (T0 + timedelta(seconds=seq)).isoformat()
    body = [{"point_code": POINT, "type_code": "0001", "value": value, "unit": "%", "status": 0, "ts": at}]
    told: dict[str, Any] = {
        "schema": "mine-fusion/1", "msg_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seq}")), "mine_code": MINE,
        "system_code": "01", "source_id": "gateway-1", "data_kind": "sensing", "produced_at": at, "sent_at": at,
        "seq": seq, "security_level": "L2", "body": body,
    } | other  # fmt: skip
    if secret is not None:
        told["signature"] = signature(told["body"], secret)
    return json.dumps({name: value for name, value in told.items() if value is not ...}, ensure_ascii=False).encode()


def definition(alarm: float = 1.0) -> bytes:
    """A text message: what POINT is."""
    columns = ["point_code", "sensor_type_code", "value_kind", "unit", "range_high", "range_low", "alarm_high"]
    columns += ["cutoff_high", "restore_high", "location", "data_time"]
    row = [POINT, "0001", "MN", "%", 4, 0, alarm, 1.5, 1.0, "1101综采工作面上隅角T0", "2026-03-01 12:00:00"]
    body = {"file_code": "CDDY", "operation": "snapshot", "columns": columns, "rows": [row]}
    return message(0, data_kind="text", body=body, msg_id=str(uuid.uuid5(uuid.NAMESPACE_OID, "definition")))


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
        return True
    return False


@contextlib.contextmanager
def server(command: list[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server process, once it answers."""
    with log.open("ab") as told:
        run = subprocess.Popen(command, stdout=told, stderr=told, start_new_session=True)
    try:
        until = time.monotonic() + STARTS_IN_S
        while not answers(port):
            if run.poll() is not None or time.monotonic() > until:
                pytest.fail(f"{command[0]} did not start: {log.read_text(errors='replace')[-400:]}")
            time.sleep(0.05)
        yield run
    finally:
        run.kill()
        run.wait()
