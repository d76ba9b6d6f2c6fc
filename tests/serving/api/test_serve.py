"""The service as a process: it starts, says where, streams what changes, is killed, goes on, and its journal holds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from two_mines import MINE, NOW

from minefusion.cli import app, call

PASSWORD = "quite another 1"


@dataclass
class Running:
    process: subprocess.Popen[str]
    url: str
    one_time: str | None

    def client(self, password: str) -> httpx.Client:
        client = httpx.Client(base_url=f"{self.url}/api/v1", timeout=10)
        told = client.post("/login", json={"login": "admin", "password": password}).json()
        client.headers["Authorization"] = f"Bearer {told['token']}"
        return client


Cli = Callable[..., tuple[int, Any]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """One command line in this process; gives its exit code and its document."""

    def one(*words: str | Path) -> tuple[int, Any]:
        vars(call.call).update(vars(call.Call()))
        call.settings.cache_clear()
        code = app.run([*map(str, words), "--output", "json", "--quiet"])
        return code, json.loads(capsys.readouterr().out)

    return one


@contextmanager
def serving(lake: Path, *words: str) -> Iterator[Running]:
    line = [sys.executable, "-m", "minefusion", "serve", "--lake", str(lake), "--port", "0", *words]
    line += ["--output", "json", "--quiet"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            told = json.loads(process.stdout.readline())
            yield Running(process, told["url"], told["one_time_password"])
        finally:
            process.kill()


def events(client: httpx.Client, count: int, after: int | None = None) -> list[dict[str, Any]]:
    """The first events of the stream: `event`, `id` and `data` of each."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    found: list[dict[str, Any]] = []
    with client.stream("GET", "/stream", headers=headers) as answer:
        assert answer.status_code == 200
        one: dict[str, Any] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name in ("event", "id", "data"):
                one[name] = json.loads(value) if name == "data" else value
            elif not line and one:
                found.append(one)
                one = {}
                if len(found) == count:
                    break
    return found


def test_started_killed_and_started_again(two_mines_lake: Path, tmp_path: Path, cli: Cli):
    as_of = ("--as-of", NOW.isoformat())
    with serving(two_mines_lake, *as_of) as running:
        assert httpx.get(f"{running.url}/health").json()["ok"] is True
        assert running.one_time is not None
        first = running.client(running.one_time)
        assert first.get("/mines").status_code == 403
        first.post("/me/password", json={"old": running.one_time, "new": PASSWORD})
        client = running.client(PASSWORD)
        client.post("/users", json={"login": "ann", "name": "张强", "role": "dispatcher", "mines": [MINE]})
        hello, *changes = events(client, 4, after=0)
        assert hello["event"] == "hello"
        assert hello["data"]["tables"]["gold.alarm"] >= 0
        assert changes[0]["data"]["what"] == "alarm.raised"
        assert [int(each["id"]) for each in changes] == sorted(int(each["id"]) for each in changes)
        resumed = events(client, 2, after=int(changes[0]["id"]))
        assert resumed[1] == changes[1], "who comes back gets what follows on what he has"
        before = client.get("/alarms").json()
        code, told = cli("serve", "--lake", two_mines_lake, "--port", running.url.rpartition(":")[2])
        assert code == 2
        assert "got: Address already in use" in told["error"]
        running.process.kill()

    code, found = cli("journal", "verify")
    assert (code, found["ok"], found["first_bad"]) == (0, True, None)
    entries = found["entries"]

    with serving(two_mines_lake, *as_of) as running:
        assert running.one_time is None, "an administrator is there already"
        client = running.client(PASSWORD)
        assert [each["alarm_id"] for each in client.get("/alarms").json()["rows"]] == [
            each["alarm_id"] for each in before["rows"]
        ]
        raised = client.get("/journal", params={"what": "alarm.raised", "limit": 1000}).json()["rows"]
        assert len(raised) == len(before["rows"]), "nothing is taken twice"
        running.process.terminate()
        assert running.process.wait(10) == 0

    # The head stands in a shift report, and is held against the journal.
    report = tmp_path / "shift.html"
    end = (NOW + timedelta(hours=6)).isoformat()
    code, _ = cli("report", "shift", "--lake", two_mines_lake, "--mine", MINE, "--to", end, "--out", report)
    assert code == 0
    code, found = cli("journal", "verify", "--against", report)
    assert (code, found["anchors"]) == (0, 1)
    assert found["entries"] > entries
    told_more = report.read_text(encoding="utf-8").replace(f'data-journal="{found["entries"]}:', 'data-journal="9999:')
    report.write_text(told_more, encoding="utf-8")
    code, found = cli("journal", "verify", "--against", report)
    assert (code, found["ok"]) == (1, False)
    assert "the journal ends at" in found["why"]


def test_what_is_not_there_is_told(cli: Cli):
    code, told = cli("journal", "verify")
    assert code == 2
    assert "no service has run here yet" in told["error"]
    code, told = cli("serve", "--as-of", "yesterday")
    assert code == 2
    assert "--as-of" in told["error"]
