"""A real Airflow, from landing folder to gold: two mines, of which one sends a site file with a mistake.

Its api-server and scheduler run as they do under `make up`; runs are triggered and read through its REST API. Then more
comes, and the scheduler is killed in the middle. The hazard jobs use the light engine, so that all of it fits into two
minutes.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.build import run_job
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.ingest import ingest
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
# What these DAGs run, in order.
JOBS = ("conform", "hazard_index", "alarm", "area_minute")
# A dead scheduler is found out in seconds here, where an operator's takes a minute.
SOON_FOUND_DEAD = {
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "8",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3",
}


@dataclass
class Airflow:
    """A running Airflow, the settings of its jobs, and the notices that it gave."""

    settings: Settings
    api: Any
    begin_scheduler: Callable[[], subprocess.Popen[bytes]]
    kill_all_of: Callable[[subprocess.Popen[bytes]], None]
    notices: list[dict[str, Any]]
    states: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scheduler = self.begin_scheduler()

    def pause(self, dag: str, is_paused: bool) -> None:
        self.api.ask("PATCH", f"/api/v2/dags/{dag}", {"is_paused": is_paused})

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


def land(folder: Path, mine: str, start: datetime = START) -> None:
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
    replay(table, Mapping(mine, Time("t", "s", 30.0), points, (Covariate("works", "shearer"),)), folder, start=start)


@pytest.fixture(scope="module")
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Where notices go, and what came."""
    heard: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", heard
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def airflow(
    tmp_path_factory: pytest.TempPathFactory, launcher: ModuleType, webhook: tuple[str, list[dict[str, Any]]]
) -> Iterator[Airflow]:
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
        "MINEFUSION_NOTICE_WEBHOOK": webhook[0],
        **SOON_FOUND_DEAD,
    }
    log = (settings.airflow.home / "airflow.log").open("ab")

    def command(*arguments: str) -> list[str]:
        return [f"{sys.prefix}/bin/airflow", *arguments]

    def begin(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command(*arguments), env=surroundings, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )

    def begin_scheduler() -> subprocess.Popen[bytes]:
        parts.append(begin("scheduler", "--skip-serve-logs"))
        return parts[-1]

    def kill_all_of(part: subprocess.Popen[bytes]) -> None:
        for pid in up.in_session(part.pid):
            os.kill(pid, signal.SIGKILL)
        part.wait()

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
        yield Airflow(settings, api, begin_scheduler, kill_all_of, webhook[1])
    finally:
        for part in parts:
            part.terminate()
        for part in parts:
            with contextlib.suppress(subprocess.TimeoutExpired):
                part.wait(20)
            kill_all_of(part)
        log.close()


@pytest.fixture(scope="module")
def finished(airflow: Airflow) -> Airflow:
    """The chain, gone through once."""
    for dag in CHAIN:
        airflow.pause(dag, False)
    producer = CHAIN[-1]
    airflow.until("the ingest's end", lambda: [run for run in airflow.runs(producer) if run["state"] in OVER])
    # Only now, since a paused DAG's run stands still: no second minute disturbs what the first one set off.
    airflow.pause(producer, True)

    def all_ended() -> dict[str, str]:
        states = {dag: [run["state"] for run in airflow.runs(dag)] for dag in CHAIN}
        # The next minute's ingest may have begun before its DAG was paused, and then stands still.
        states[producer] = states[producer][:1]
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


def test_whom_the_settings_name_is_told_of_it(finished: Airflow):
    told = finished.until("a notice", lambda: finished.notices)[0]
    assert (told["where"], told["mine"]) == ("ingest_safety_monitoring / one_mine.ingest", BROKEN)
    assert "expected site.severe_hazard as true or false" in told["why"]
    assert told["command"].startswith(f"minefusion ingest {finished.settings.airflow.landing} --family")
    assert told["text"].startswith("失败：")


def test_a_scheduler_killed_in_the_middle_and_started_again_ends_in_the_same_tables(finished: Airflow, tmp_path: Path):
    """It dies with its workers while a job runs. The job itself goes on, and its second try runs beside it."""
    producer, consumer = CHAIN[-1], CHAIN[-2]
    known = {run["dag_run_id"] for dag in CHAIN for run in finished.runs(dag)}
    land(finished.settings.airflow.landing, GOOD, START + timedelta(minutes=MINUTES))

    def new_runs(dag: str) -> list[dict[str, Any]]:
        return [run for run in finished.runs(dag) if run["dag_run_id"] not in known]

    def is_in_the_middle() -> bool:
        tasks = (task for run in new_runs(consumer) for task in finished.tasks(consumer, run["dag_run_id"]))
        return any(task["task_id"] == "hazard_index" and task["state"] == "running" for task in tasks)

    finished.pause(producer, False)
    finished.until("the second hazard job", is_in_the_middle)
    finished.kill_all_of(finished.scheduler)
    finished.pause(producer, True)
    killed_at = datetime.now(UTC)
    finished.scheduler = finished.begin_scheduler()

    def all_ended() -> bool:
        runs = [run for dag in CHAIN[:-1] for run in new_runs(dag)]
        begun = (run["start_date"] for run in new_runs(CHAIN[0]))
        is_after = any(datetime.fromisoformat(instant) > killed_at for instant in begun if instant)
        return is_after and all(run["state"] in OVER for run in runs)

    finished.until("the chain's end", all_ended)
    assert {run["state"] for dag in CHAIN[:-1] for run in new_runs(dag)} == {"success"}
    tries = [task["try_number"] for run in new_runs(consumer) for task in finished.tasks(consumer, run["dag_run_id"])]
    assert max(tries) > 1

    other = load_settings(lake=tmp_path / "undisturbed")
    ingest(other, finished.settings.airflow.landing, family="safety_monitoring", mines=[GOOD])
    for job in JOBS:
        run_job(LightEngine(other), job, mines=[GOOD])
    assert differences(other.lake, finished.settings.lake, ignoring=["batch", "revision"]) == {}
    alarms = next(iter(Reader(other.lake).sql("select count(*) as n from gold.alarm where kind = 'G-01'")))
    assert alarms["n"] == 2
