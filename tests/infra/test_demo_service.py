"""The service that a demo leaves behind: it answers, the next one takes its place, and nothing else is ended."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from minefusion.cli import demo_service
from minefusion.pipelines.engines.light import LightEngine
from minefusion.schemas import silver
from minefusion.schemas.errors import InputError
from minefusion.schemas.settings import load_settings

AS_OF = datetime(2026, 3, 1, 2, 36, tzinfo=UTC)


def test_the_next_one_takes_its_place(tmp_path: Path):
    lake = tmp_path / "1" / "lake-light"
    engine = LightEngine(load_settings(lake=lake))
    row = dict.fromkeys(silver.AREA.names) | {"mine_code": "620000000001", "area_id": "62000000000101", "name_zh": "面"}
    engine.append(silver.AREA, engine.frame([row], silver.AREA.arrow_schema()))
    try:
        first = demo_service.start(tmp_path, lake, AS_OF, 0)
        told = httpx.get(f"{first['url']}/health").json()
        assert told["ok"] is True
        assert told["now"].startswith("2026-03-01T02:36")
        second = demo_service.start(tmp_path, lake, AS_OF, int(first["url"].rpartition(":")[2]))
        assert (second["url"], second["pid"] != first["pid"]) == (first["url"], True)
        login = {"login": second["login"], "password": second["one_time_password"]}
        assert httpx.post(f"{second['url']}/api/v1/login", json=login).json()["user"]["must_change"] is True
        with pytest.raises(InputError, match="expected the service to start"):
            demo_service.start(tmp_path / "1", lake, AS_OF, int(first["url"].rpartition(":")[2]))
        assert httpx.get(f"{second['url']}/health").status_code == 200
    finally:
        assert demo_service.stop(tmp_path) is True
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{second['url']}/health")
    assert demo_service.stop(tmp_path) is False


def test_another_process_of_that_number_is_left_alone(tmp_path: Path):
    (tmp_path / demo_service.PID).write_text(str(os.getpid()))
    assert demo_service.stop(tmp_path) is False
