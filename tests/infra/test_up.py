"""`make up`: the password, the settings, the ports, and that nothing is left running. Airflow itself is started by
tests/dags/test_chain.py."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from minefusion.notice import Failure
from minefusion.schemas.settings import NoticeSettings, Settings


@contextmanager
def listening() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def test_a_password_is_chosen_once_and_only_its_owner_reads_it(launcher: ModuleType, tmp_path: Path):
    password = launcher.write_password(tmp_path)
    path = launcher.password_file(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {"admin": password}
    assert len(password) >= 16
    assert launcher.write_password(tmp_path) is None
    assert launcher.read_password(tmp_path) == password


def test_airflow_is_reached_from_this_machine_only_and_keeps_its_things_at_home(
    launcher: ModuleType, settings: Settings, tmp_path: Path
):
    given = launcher.environment(
        replace(settings, airflow=replace(settings.airflow, home=tmp_path / "airflow", port=18_123))
    )
    assert given["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert given["AIRFLOW__API__PORT"] == "18123"
    assert given["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:18123/execution/"
    assert given["AIRFLOW_HOME"] == str(tmp_path / "airflow")
    assert given["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] == "False"
    assert given["PATH"].startswith(f"{sys.prefix}/bin:")


def test_two_airflows_do_not_share_a_log_port(launcher: ModuleType):
    with listening() as taken:
        assert launcher.free_port(taken) != taken
    assert launcher.free_port(taken) == taken


def test_a_taken_port_is_told_before_anything_starts(
    launcher: ModuleType, settings: Settings, capsys: pytest.CaptureFixture[str]
):
    with listening() as taken, pytest.raises(SystemExit) as left:
        launcher.refuse_where_impossible(replace(settings, airflow=replace(settings.airflow, port=taken)))
    assert left.value.code == 3
    err = capsys.readouterr().err
    assert f"expected port {taken} free" in err
    assert err.count("\n") == 1


def test_stop_ends_what_a_dead_parent_left_in_its_session(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch):
    """The parent ends at SIGINT at once; its child, deaf to it, must not stay."""
    hear = signal.getsignal(signal.SIGINT)
    deaf = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {deaf!r}]).wait()"
    running = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert running.stdout is not None
        running.stdout.readline()
        assert len(list(launcher.in_session(running.pid))) == 2
        monkeypatch.setattr(launcher, "STOP_S", 10)
        launcher.stop(running)
        deadline = time.monotonic() + 10
        while list(launcher.in_session(running.pid)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(launcher.in_session(running.pid)) == []
    finally:
        signal.signal(signal.SIGINT, hear)
        running.communicate()


def test_a_child_hears_interrupts_even_behind_a_shells_ampersand(launcher: ModuleType):
    code = "import signal; raise SystemExit(signal.getsignal(signal.SIGINT) is not signal.default_int_handler)"
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = subprocess.run([sys.executable, "-c", code], preexec_fn=launcher.hear_interrupts, check=False)
    finally:
        signal.signal(signal.SIGINT, ignored)
    assert done.returncode == 0


class Busy(http.server.BaseHTTPRequestHandler):
    """Answers 500 twice, as Airflow does when a write meets a task's open write on SQLite."""

    asked = 0

    def do_GET(self) -> None:
        Busy.asked += 1
        self.send_response(500 if Busy.asked <= 2 else 404 if self.path == "/none" else 200)
        self.end_headers()
        self.wfile.write(b'{"ok": true}')

    def log_message(self, *_: object) -> None: ...


def test_a_busy_api_is_asked_again_and_a_no_is_a_no(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launcher.time, "sleep", lambda _: None)
    server = http.server.HTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        api = launcher.Api(f"http://127.0.0.1:{server.server_port}")
        assert api.ask("GET", "/x") == {"ok": True}
        assert Busy.asked == 3
        with pytest.raises(urllib.error.HTTPError, match="404"):
            api.ask("GET", "/none")
        assert Busy.asked == 4
    finally:
        server.shutdown()


def test_an_airflow_that_ends_at_once_is_not_waited_for(launcher: ModuleType, capsys: pytest.CaptureFixture[str]):
    ended = subprocess.Popen([sys.executable, "-c", "raise SystemExit(9)"], env=os.environ)
    ended.wait()
    with pytest.raises(SystemExit):
        launcher.Api("http://127.0.0.1:9", ended).wait(60)
    assert "it ended with code 9" in capsys.readouterr().err


def test_a_dead_scheduler_is_told_to_whom_the_settings_name(
    launcher: ModuleType, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """No task of its own could tell of it."""
    told: list[Failure] = []
    looks = [set(), {"scheduler"}, {"scheduler"}]
    monkeypatch.setattr(launcher, "unhealthy", lambda _: looks.pop(0))
    monkeypatch.setattr(launcher, "tell", lambda _, failure: told.append(failure))

    class Running:
        def wait(self, seconds: float) -> int:
            if looks:
                raise subprocess.TimeoutExpired("airflow", seconds)
            return 1

    on = replace(settings, notice=NoticeSettings(webhook="http://127.0.0.1:9/"))
    with pytest.raises(SystemExit):
        launcher.watch(None, Running(), on)
    assert [failure.where for failure in told] == ["Airflow / scheduler", "Airflow"]
    assert all(failure.command == "make up" for failure in told)


def test_words_behind_it_are_airflows_own_command_line(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch):
    """With the settings of the Airflow that runs, or it would look into another database."""
    begun: list[tuple[str, list[str], dict[str, str]]] = []

    def begin(*given: Any) -> None:
        begun.append(given)
        raise SystemExit(0)

    monkeypatch.setattr(launcher.os, "execvpe", begin)
    with pytest.raises(SystemExit):
        launcher.main(["backfill", "create", "--dag-id", "rebuild_day"])
    ((path, words, given),) = begun
    assert path == f"{sys.prefix}/bin/airflow"
    assert words == ["airflow", "backfill", "create", "--dag-id", "rebuild_day"]
    assert given["AIRFLOW_HOME"] == str(launcher.load_settings().airflow.home)
