"""A real Airflow, from landing folder to gold: two mines, of which one sends a site file with a mistake.

Its api-server and scheduler run as they do under `make up`; runs are triggered and read through its REST API. The
hazard jobs use the light engine, so that the test fits into a minute and a half.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from minefusion.pipelines.replay.files import replay
from minefusion.pipelines.replay.mapping import Covariate, MappedPoint, Mapping, Time
from minefusion.schemas.schedule import SPARK_POOL, SPARK_SLOTS
from minefusion.schemas.settings import Settings, load_settings
from minefusion.serving.reader import Reader

pytest.importorskip("airflow", reason="Airflow is not installed: run make setup")

GOOD, BROKEN = "140000000001", "140000000002"
START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTES = 20
PATIENCE_S = 240.0
# From what the chain ends with to what starts it: a consumer must listen before its producer speaks.
OVER = {"success", "failed"}
CHAIN = ("area_minute_and_alarms", "hazard_indices", "ingest_safety_monitoring")


@dataclass
class Airflow:
    """A running Airflow and the settings of its jobs."""

    settings: Settings
    api: Any
    states: dict[str, str] = field(default_factory=dict)

    def until(self, what: str, find: Callable[[], Any]) -> Any:
        """Wait until `find` gives something."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if found := find():
                return found
            time.sleep(0.5)
        raise AssertionError(f"waited {PATIENCE_S:.0f} s for {what}")

    def runs(self, dag: str) -> list[dict[str, Any]]:
        return self.api.ask("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        return self.api.ask("GET", f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]

    def log(self, task: dict[str, Any]) -> str:
        path = f"/api/v2/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/{task['task_id']}"
        told = self.api.ask("GET", f"{path}/logs/{task['try_number']}?map_index={task['map_index']}")["content"]
        return "\n".join(str(line["event"] if isinstance(line, dict) else line) for line in told)


def land(folder: Path, mine: str) -> None:
    """A mine's feed: twenty minutes in which methane climbs over its limit and falls again."""
    rows = ["t,corner,air,works"]
    for step in range(2 * MINUTES):
        methane = 1.4 if 10 <= step < 24 else 0.4
        rows.append(f"{30 * step},{methane + 0.01 * (step % 3):.2f},{2.1 + 0.05 * (step % 4):.2f},{step % 2}")
    table = folder.parent / f"{mine}.csv"
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    points = (
        MappedPoint("corner", "T0", "0001", "%", "LW_CORNER_T0"),
        MappedPoint("air", "V1", "0002", "m/s", "LW_RETURN_T2"),
    )
    replay(table, Mapping(mine, Time("t", "s", 30.0), points, (Covariate("works", "shearer"),)), folder, start=START)


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory, launcher: ModuleType) -> Iterator[Airflow]:
    up = launcher
    base = tmp_path_factory.mktemp("chain")
    settings = load_settings(
        home=base / "home",
        lake=base / "lake",
        airflow_home=base / "airflow",
        airflow_landing=base / "landing",
        airflow_port=up.free_port(),
    )
    land(settings.airflow.landing, GOOD)
    land(settings.airflow.landing, BROKEN)
    site = settings.airflow.landing / f"{BROKEN}.site.yaml"
    site.write_text(site.read_text(encoding="utf-8").replace("severe_hazard: true", "severe_hazard: perhaps"))
    settings.airflow.home.mkdir()
    password = up.write_password(settings.airflow.home)
    surroundings = {
        **os.environ,
        **up.environment(settings, paused=True),
        "MINEFUSION_HOME": str(settings.home),
        "MINEFUSION_LAKE": str(settings.lake),
        "MINEFUSION_AIRFLOW_HOME": str(settings.airflow.home),
        "MINEFUSION_AIRFLOW_LANDING": str(settings.airflow.landing),
        "MINEFUSION_AIRFLOW_HAZARD_ENGINE": "light",
    }
    log = (settings.airflow.home / "airflow.log").open("ab")

    def command(*arguments: str) -> list[str]:
        return [f"{sys.prefix}/bin/airflow", *arguments]

    def begin(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command(*arguments), env=surroundings, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )

    def once(*arguments: str) -> None:
        subprocess.run(command(*arguments), env=surroundings, stdout=log, stderr=subprocess.STDOUT, check=True)

    once("db", "migrate")
    parts = [begin("api-server")]
    try:
        once("dags", "reserialize")  # while the server starts
        api = up.Api(f"http://127.0.0.1:{settings.airflow.port}", parts[0])
        api.wait(PATIENCE_S)
        api.log_in(password)
        api.set_pool(SPARK_POOL, SPARK_SLOTS)
        parts.append(begin("scheduler", "--skip-serve-logs"))
        yield Airflow(settings, api)
    finally:
        for part in parts:
            part.terminate()
        for part in parts:
            try:
                part.wait(20)
            except subprocess.TimeoutExpired:
                part.kill()
            for pid in up.in_session(part.pid):
                os.kill(pid, signal.SIGKILL)
        log.close()


@pytest.fixture(scope="module")
def finished(airflow: Airflow) -> Airflow:
    """The chain, gone through once."""
    for dag in CHAIN:
        airflow.api.ask("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})
    ingest = CHAIN[-1]
    airflow.until("the ingest's end", lambda: [run for run in airflow.runs(ingest) if run["state"] in OVER])
    # Only now, since a paused DAG's run stands still: no second minute disturbs what the first one set off.
    airflow.api.ask("PATCH", f"/api/v2/dags/{ingest}", {"is_paused": True})

    def all_ended() -> dict[str, str]:
        states = {dag: [run["state"] for run in airflow.runs(dag)] for dag in CHAIN}
        # The next minute's ingest may have begun before its DAG was paused, and then stands still.
        states[ingest] = states[ingest][:1]
        over = all(found and set(found) <= OVER for found in states.values())
        return {dag: found[0] for dag, found in states.items()} if over else {}

    airflow.states = airflow.until("the chain's end", all_ended)
    return airflow


def test_the_chain_runs_from_landing_folder_to_gold(finished: Airflow):
    """The good mine's feed becomes readings, an alarm and a row for each minute; hazard and alarm runs are green."""
    assert finished.states["hazard_indices"] == "success"
    assert finished.states["area_minute_and_alarms"] == "success"
    ask = Reader(finished.settings.lake).sql
    values = "select count(*) as n from silver.reading where mine_code = $mine"
    assert next(iter(ask(values, mine=GOOD)))["n"] == 3 * 2 * MINUTES
    alarms = list(ask("select kind, raised_at, cleared_at, level from gold.alarm where mine_code = $mine", mine=GOOD))
    opened = START + timedelta(seconds=30 * 11)  # the second of three samples at or over 1.0 %
    closed = START + timedelta(seconds=30 * 25)  # under it for a minute: the second such sample
    assert [(alarm["raised_at"], alarm["cleared_at"]) for alarm in alarms if alarm["kind"] == "G-01"] == [
        (opened, closed)
    ]
    minutes = (
        "select count(distinct minute) as n from gold.area_minute where mine_code = $mine and ch4_pct_max is not null"
    )
    assert next(iter(ask(minutes, mine=GOOD)))["n"] >= MINUTES


def test_a_broken_mine_stops_no_other_and_turns_the_run_red(finished: Airflow):
    assert finished.states["ingest_safety_monitoring"] == "failed"
    run = finished.runs("ingest_safety_monitoring")[0]["dag_run_id"]
    states = {
        (task["task_id"], task["rendered_map_index"]): task["state"]
        for task in finished.tasks("ingest_safety_monitoring", run)
    }
    assert states["one_mine.ingest", GOOD] == "success"
    assert states["one_mine.conform", GOOD] == "success"
    assert states["one_mine.ingest", BROKEN] == "failed"
    assert states["publish", None] == "success"
    assert states["every_mine_is_through", None] == "upstream_failed"
    count = "select count(*) as n from silver.reading where mine_code = $mine"
    assert next(iter(Reader(finished.settings.lake).sql(count, mine=BROKEN)))["n"] == 0


def test_the_failed_tasks_log_says_which_file_and_what_to_do(finished: Airflow):
    run = finished.runs("ingest_safety_monitoring")[0]["dag_run_id"]
    failed = next(
        task
        for task in finished.tasks("ingest_safety_monitoring", run)
        if task["task_id"] == "one_mine.ingest" and task["state"] == "failed"
    )
    told = finished.log(failed)
    assert f"{BROKEN}.site.yaml line" in told
    assert "expected site.severe_hazard as true or false, got 'perhaps'; mend it" in told
    assert f"try it by hand: minefusion ingest {finished.settings.airflow.landing}" in told
    assert "then clear this task" in told
