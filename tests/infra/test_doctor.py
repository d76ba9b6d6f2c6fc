"""Each part is broken in turn, and the doctor names exactly that part."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from minefusion import doctor, jvm
from minefusion.schemas.settings import PROJECT, AirflowSettings, Settings, SparkSettings

SLOW = {"spark", "airflow"}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A set-up in which every quick part is in order: stand-in jars, ports that are free."""
    jars = tmp_path / "jars"
    jars.mkdir()
    (jars / "delta.jar").write_bytes(b"delta")
    monkeypatch.setattr(jvm, "DELTA_JARS", {"delta.jar": jvm._sha256(jars / "delta.jar")})
    java = fake_java(tmp_path / "java", "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(java))
    dags = tmp_path / "dags"
    dags.mkdir()
    with listening() as one, listening() as two:
        ports = (one.getsockname()[1], two.getsockname()[1])
    airflow = AirflowSettings(home=tmp_path / "airflow", dags=dags, port=ports[0])
    spark = SparkSettings(jars=jars)
    return replace(
        settings, airflow=airflow, spark=spark, serve_port=ports[1], mlflow_uri=f"sqlite:///{tmp_path}/home/mlflow.db"
    )


def fake_java(home: Path, version: str) -> Path:
    command = home / "bin" / "java"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    command.chmod(0o755)
    return home


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held


def faults(settings: Settings, monkeypatch: pytest.MonkeyPatch, *more: str) -> dict[str, doctor.Check]:
    """The parts that are not in order, of the quick ones and `more`."""
    parts = {name: look for name, look in doctor.PARTS.items() if name not in SLOW or name in more}
    monkeypatch.setattr(doctor, "PARTS", parts)
    checks = list(doctor.examine(settings))
    assert [check.name for check in checks] == list(parts)
    broken = {check.name: check for check in checks if not check.ok}
    assert all(all(check.detail) and all(check.mend) for check in broken.values())
    return broken


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name in packages else version(name))


def test_all_in_order_and_nothing_left_behind(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    assert faults(settings, monkeypatch) == {}
    assert list(settings.lake.iterdir()) == []
    assert not (settings.lake.parent / "home").exists()


def test_no_java(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", "")
    broken = faults(settings, monkeypatch, "spark")
    assert set(broken) == {"java", "spark"}
    assert "java" in broken["spark"].detail[1]
    assert "openjdk-17-jre-headless" in broken["java"].mend[0]


def test_java_home_that_leads_nowhere(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    broken = faults(settings, monkeypatch)
    assert set(broken) == {"java"}
    assert "JAVA_HOME=/nowhere" in broken["java"].detail[1]


@pytest.mark.parametrize("version", ["1.8.0_412", "11.0.2"])
def test_java_too_old(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str):
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "old", version)))
    broken = faults(settings, monkeypatch)
    assert set(broken) == {"java"}
    assert "needs 17+" in broken["java"].detail[1]


def test_no_jar(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    elsewhere = replace(settings, spark=SparkSettings(jars=tmp_path / "none"))
    broken = faults(elsewhere, monkeypatch, "spark")
    assert set(broken) == {"jar", "spark"}
    assert "jar" in broken["spark"].detail[1]


def test_damaged_jar(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    (settings.spark.jars / "delta.jar").write_bytes(b"del")
    assert set(faults(settings, monkeypatch)) == {"jar"}


@pytest.mark.parametrize("below", [".", "deeper/lake"])
def test_lake_that_cannot_be_written(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, below: str):
    """Root passes over modes, so a file stands where the lake, or a folder above it, should be."""
    (tmp_path / "file").touch()
    lake = tmp_path / "file" / below
    broken = faults(replace(settings, lake=lake), monkeypatch)
    assert set(broken) == {"lake"}
    assert str(lake) in broken["lake"].detail[1]
    assert "--lake" in broken["lake"].mend[1]


def test_taken_port_names_its_holder(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    with listening() as held:
        port = held.getsockname()[1]
        broken = faults(replace(settings, serve_port=port), monkeypatch)
    assert set(broken) == {"ports"}
    assert f"port {port} is taken (pid {os.getpid()}: " in broken["ports"].detail[1]
    assert "serve_port" in broken["ports"].mend[1]


def test_a_port_held_by_our_own_airflow_is_in_order(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    hold = (
        "import socket, sys; held = socket.socket(); held.bind(('127.0.0.1', 0)); held.listen();"
        "print(held.getsockname()[1], flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "AIRFLOW_HOME": str(settings.airflow.home)}
    ours = subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert ours.stdout is not None
        port = int(ours.stdout.readline())
        held = replace(settings, airflow=replace(settings.airflow, port=port))
        assert faults(held, monkeypatch) == {}
        assert f"{port} ours, pid {ours.pid}" in doctor.ports(held)[1]
    finally:
        ours.communicate("")


def test_an_airflow_of_ours_that_lost_a_part_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """Nothing restarts a dead scheduler, and the console goes on answering."""
    answer = json.dumps({"scheduler": {"status": "unhealthy"}, "triggerer": {"status": None}, "metadatabase": {}})
    serve = (
        "import http.server, sys\n"
        "class Health(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.end_headers(); self.wfile.write(sys.argv[1].encode())\n"
        "server = http.server.HTTPServer(('127.0.0.1', 0), Health); print(server.server_port, flush=True)\n"
        "server.handle_request()\n"
    )
    environment = {**os.environ, "AIRFLOW_HOME": str(settings.airflow.home)}
    ours = subprocess.Popen(
        [sys.executable, "-c", serve, answer],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
    )  # fmt: skip
    try:
        assert ours.stdout is not None
        port = int(ours.stdout.readline())
        broken = faults(replace(settings, airflow=replace(settings.airflow, port=port)), monkeypatch)
    finally:
        ours.kill()
        ours.communicate()
    assert set(broken) == {"ports"}
    assert broken["ports"].detail[1] == f"Airflow on port {port} runs without: scheduler"
    assert "make up" in broken["ports"].mend[1]


def test_our_own_dags_parse(settings: Settings):
    """They import what lies beside them, which a parse of single files would not find."""
    if doctor._version("apache-airflow") is None:
        pytest.skip("Airflow is not installed: run make setup")
    ours = replace(settings, airflow=replace(settings.airflow, dags=PROJECT / "dags"))
    dags = [file for file in ours.airflow.dags.glob("*.py") if "\n@dag(" in file.read_text(encoding="utf-8")]
    assert doctor.airflow(ours)[1].endswith(f", {len(dags)} DAGs parse")


def test_missing_airflow(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    without(monkeypatch, "apache-airflow")
    assert set(faults(settings, monkeypatch, "airflow")) == {"airflow"}


def test_a_dag_that_does_not_parse_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    if doctor._version("apache-airflow") is None:
        pytest.skip("Airflow is not installed: run make setup")
    (settings.airflow.dags / "broken.py").write_text("from airflow.sdk import dag, no_such_thing\n")
    broken = faults(settings, monkeypatch, "airflow")
    assert set(broken) == {"airflow"}
    assert "broken.py" in broken["airflow"].detail[1]
    assert "no_such_thing" in broken["airflow"].detail[1]


def test_missing_mlflow(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    without(monkeypatch, "mlflow")
    assert set(faults(settings, monkeypatch)) == {"mlflow"}


@pytest.mark.parametrize("uri", ["sqlite:////proc/none/mlflow.db", "http://127.0.0.1:9", "/proc/none"])
def test_mlflow_store_that_cannot_be_used(settings: Settings, monkeypatch: pytest.MonkeyPatch, uri: str):
    broken = faults(replace(settings, mlflow_uri=uri), monkeypatch)
    assert set(broken) == {"mlflow"}
    assert uri in broken["mlflow"].detail[1]


def test_mlflow_store_that_is_no_database(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "mlflow.db").write_bytes(b"no database at all" * 100)
    broken = faults(replace(settings, mlflow_uri=f"sqlite:///{tmp_path}/mlflow.db"), monkeypatch)
    assert set(broken) == {"mlflow"}


def test_low_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    assert set(faults(replace(settings, disk_min_gb=1_000_000), monkeypatch)) == {"disk"}


def test_storage_clock_that_is_off(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    stamp = doctor._stamp_of_fresh_file
    monkeypatch.setattr(doctor, "_stamp_of_fresh_file", lambda folder: stamp(folder) - 90)
    broken = faults(settings, monkeypatch)
    assert set(broken) == {"clock"}
    assert "-90 s" in broken["clock"].detail[1]


def test_clock_that_starts_in_1970(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    class Stopped(doctor.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(1970, 1, 1, tzinfo=tz)

    monkeypatch.setattr(doctor, "datetime", Stopped)
    broken = faults(settings, monkeypatch)
    assert set(broken) == {"clock"}
    assert "1970-01-01" in broken["clock"].detail[0]


def test_package_in_another_version(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: "0.0.1" if name == "polars" else version(name))
    broken = faults(settings, monkeypatch)
    assert set(broken) == {"packages"}
    assert "polars 0.0.1" in broken["packages"].detail[1]


def test_python_too_old(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "OLDEST_PYTHON", (3, 99))
    assert set(faults(settings, monkeypatch)) == {"python"}


def test_a_part_that_fails_in_an_unforeseen_way_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    def fall(_settings: Settings) -> doctor.Words:
        raise RuntimeError("driver mismatch")

    monkeypatch.setattr(doctor, "PARTS", {"gpu": fall, "disk": doctor.disk})
    first, second = doctor.examine(settings)
    assert (first.name, first.ok, second.ok) == ("gpu", False, True)
    assert "driver mismatch" in first.detail[1]


@pytest.mark.usefixtures("spark")
def test_spark_writes_and_reads(lake: Path):
    from minefusion.schemas.settings import load_settings

    assert "wrote and read" in doctor.spark(load_settings(lake=lake))[1]
    assert list(lake.iterdir()) == []


def test_the_command_says_it_as_one_document_and_exit_code_1(settings: Settings):
    command = [sys.executable, "-m", "minefusion", "doctor", "--quick", "--output", "json", "--lang", "zh"]
    environment = {
        **os.environ,
        "MINEFUSION_SPARK_JARS": "/nowhere",
        "MINEFUSION_AIRFLOW_DAGS": str(settings.airflow.dags),
    }
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert told["ok"] is False
    assert all(set(check) == {"name", "ok", "detail", "mend"} for check in told["checks"])
    assert "jar" in [check["name"] for check in told["checks"] if not check["ok"]]
    assert "spark" not in [check["name"] for check in told["checks"]]
    assert "不正常" in done.stderr
