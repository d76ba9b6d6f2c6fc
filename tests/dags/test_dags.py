"""Every DAG as it is declared: it parses light, it has an owner and a page, and it cannot hang or pile up."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from minefusion.pipelines.jobs.build import GRAPH, MODEL_JOBS
from minefusion.pipelines.jobs.hazard import JOBS
from minefusion.schemas import bronze, gold, silver
from minefusion.schemas.catalog import asset_uri
from minefusion.schemas.schedule import HOUR_THAT_ENDED, OTHER_FEEDS, SETTLE_MIN, SKIP_UNCHANGED, SPARK_POOL, VIDEO

pytest.importorskip("airflow", reason="Airflow is not installed: run make setup")

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
FILES = sorted(path.stem for path in DAGS.glob("*.py") if path.stem != "wiring")

LOOK = """
import inspect, json, sys
from pathlib import Path
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk.exceptions import AirflowSkipException

bag = BundleDagBag(sys.argv[1], bundle_path=Path(sys.argv[1]))
heavy = sorted({"pyspark", "torch", "mlflow", "pandas", "polars", "deltalake", "numpy"} & set(sys.modules))
def speaks(dag_id, news):
    try:
        bag.dags[dag_id].get_task("publish").python_callable(news)
    except AirflowSkipException:
        return False
    return True


def listens(schedule):
    \"\"\"URIs of the assets that set a DAG off, and whether all of them are waited for.\"\"\"
    assets = getattr(schedule, "objects", [schedule] if hasattr(schedule, "uri") else [])
    return {"to": sorted(asset.uri for asset in assets), "for_all": getattr(schedule, "agg_func", any) is all}


def described(task):
    told = getattr(task, "partial_kwargs", {}) or {}
    read = lambda name: told.get(name, getattr(task, name, None))
    function = read("python_callable")
    is_command = "Bash" in getattr(task, "operator_class", type(task)).__name__
    return {
        "id": task.task_id, "retries": read("retries"), "pool": read("pool"), "owner": read("owner"),
        "line": function(*["MINE"] * len(inspect.signature(function).parameters)) if is_command else "",
        "timeout_s": read("execution_timeout").total_seconds() if read("execution_timeout") else None,
        "outlets": [asset.uri for asset in read("outlets") or ()],
        "has_callback": bool(read("on_failure_callback")),
        "trigger_rule": getattr(read("trigger_rule"), "value", read("trigger_rule")),
        "doc": (read("doc_md") or function.__doc__) if function else read("doc_md"),
        "upstream": sorted(task.upstream_task_ids), "downstream": sorted(task.downstream_task_ids),
    }
print("FOUND", json.dumps({
    "errors": bag.import_errors, "heavy": heavy,
    "speaks": {dag_id: [speaks(dag_id, news) for news in (None, [], ["changed"])]
               for dag_id in bag.dags if dag_id.startswith("ingest_")},
    "seconds": {stat.file: stat.duration.total_seconds() for stat in bag.dagbag_stats},
    "dags": {dag.dag_id: {
        "file": dag.fileloc, "doc": dag.doc_md, "tags": sorted(dag.tags), "catchup": dag.catchup, "owner": dag.owner,
        "max_active_runs": dag.max_active_runs, "is_paused": bool(dag.is_paused_upon_creation),
        "listens": listens(dag.schedule),
        "run_timeout_s": dag.dagrun_timeout.total_seconds() if dag.dagrun_timeout else None,
        "tasks": [described(task) for task in dag.tasks],
    } for dag in bag.dags.values()},
}))
"""


@cache
def parsed(home: str) -> dict[str, Any]:
    """The folder as a fresh Airflow process finds it; it needs no database."""
    environment = {**os.environ, "AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    environment |= {"MINEFUSION_AIRFLOW_INGEST_ENGINE": "light", "MINEFUSION_AIRFLOW_HAZARD_ENGINE": "spark"}
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(DAGS)], capture_output=True, text=True, check=False, env=environment
    )
    found = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert found, done.stderr[-2000:]
    return json.loads(found[0].removeprefix("FOUND "))


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return parsed(str(tmp_path_factory.mktemp("airflow")))


@pytest.fixture(params=FILES)
def dag(bag: dict[str, Any], request: pytest.FixtureRequest) -> dict[str, Any]:
    return bag["dags"][request.param]


def test_the_folder_parses_light(bag: dict[str, Any]):
    assert bag["errors"] == {}
    assert bag["heavy"] == []
    assert sorted(bag["dags"]) == FILES  # one DAG per file, named like it
    assert max(bag["seconds"].values()) < 2.0


def test_its_page_tells_an_operator_what_to_do(dag: dict[str, Any]):
    assert dag["owner"] in {"dispatch", "ventilation", "data"}
    assert "minefusion" in dag["tags"]
    assert len(dag["tags"]) > 1
    for word in ("**When**", "**Reads**", "**Writes**", "red**"):
        assert word in dag["doc"], f"{dag['file']}: its docstring lacks {word}"


def test_it_ends_and_never_overlaps(dag: dict[str, Any]):
    assert dag["max_active_runs"] == 1
    assert dag["catchup"] is False
    assert dag["run_timeout_s"] >= timedelta(hours=1).total_seconds()
    for task in dag["tasks"]:
        assert task["timeout_s"], f"{task['id']} has no timeout"
        assert task["timeout_s"] <= dag["run_timeout_s"]


def test_a_failing_mine_turns_the_run_red_and_says_what_to_do(dag: dict[str, Any]):
    tasks = {task["id"].rpartition(".")[2]: task for task in dag["tasks"]}
    if "mines" in tasks:
        assert tasks["every_mine_is_through"]["trigger_rule"] == "none_failed"
        assert tasks["every_mine_is_through"]["downstream"] == []
    for task in dag["tasks"]:
        assert task["has_callback"]
        if "minefusion" in task["line"]:
            assert task["retries"] == 2
            assert task["doc"], f"{task['id']} has no word about what it does"


def jobs_run(dag: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Job → the task that runs it."""
    found = {}
    for task in dag["tasks"]:
        for job in re.findall(r"minefusion run (\w+)", task["line"]):
            found[job] = task
    return found


def test_every_job_of_the_graph_has_a_dag(bag: dict[str, Any]):
    assert {job for dag in bag["dags"].values() for job in jobs_run(dag)} == {*GRAPH, *MODEL_JOBS, "maintain"}


@pytest.mark.parametrize("job", GRAPH)
def test_a_job_runs_after_those_whose_tables_it_reads(bag: dict[str, Any], job: str):
    """In its own DAG, or when another DAG says that the table moved, or by the clock."""
    for dag_id, dag in bag["dags"].items():
        own = jobs_run(dag)
        if job not in own:
            continue
        upstream, todo = set(), [own[job]]
        tasks = {task["id"]: task for task in dag["tasks"]}
        while todo:
            todo += (more := [tasks[name] for name in todo.pop()["upstream"] if name not in upstream])
            upstream |= {task["id"] for task in more}
        for need in GRAPH[job]:
            if need in own:
                assert own[need]["id"] in upstream, f"{dag_id}: {job} does not wait for {need}"
            elif dag["listens"]["to"]:
                moves = {silver.READING, silver.POSITION} if need == "conform" else {JOBS[need].table}
                assert {asset_uri(table) for table in moves} & set(dag["listens"]["to"]), (
                    f"{dag_id}: {job} after {need}"
                )


def test_what_sets_a_dag_off_is_told_by_another(bag: dict[str, Any]):
    told = {uri for dag in bag["dags"].values() for task in dag["tasks"] for uri in task["outlets"]}
    for dag_id, dag in bag["dags"].items():
        assert set(dag["listens"]["to"]) <= told, dag_id
    assert {dag_id for dag_id, dag in bag["dags"].items() if dag["listens"]["for_all"]} == {"alarm_causes"}


def test_a_night_covers_every_job_of_the_day(bag: dict[str, Any]):
    lines = [task["line"] for task in bag["dags"]["rebuild_day"]["tasks"] if "minefusion" in task["line"]]
    assert [line.partition(" --engine")[0] for line in lines] == ["minefusion build --mine MINE"]


def test_data_leaves_only_where_somebody_switched_it_on(bag: dict[str, Any]):
    assert {dag_id for dag_id, dag in bag["dags"].items() if dag["is_paused"]} == {"regulator_files"}


def test_spark_tasks_share_one_slot(bag: dict[str, Any]):
    lines = {task["line"]: task["pool"] for dag in bag["dags"].values() for task in dag["tasks"]}
    assert {pool for line, pool in lines.items() if "--engine spark" in line} == {SPARK_POOL}
    light = {line for line in lines if "--engine light" in line}
    assert any("run conform" in line for line in light)
    assert all(lines[line] != SPARK_POOL for line in light)


def test_dags_meet_at_tables(bag: dict[str, Any]):
    outlets = {dag_id: {uri for task in dag["tasks"] for uri in task["outlets"]} for dag_id, dag in bag["dags"].items()}
    assert outlets == {
        "ingest_safety_monitoring": {asset_uri(silver.READING)},
        "ingest_positioning": {asset_uri(silver.POSITION)},
        "ingest_other_feeds": {
            asset_uri(table) for table in (bronze.VIDEO_CLIP, silver.READING, silver.POSITION, *OTHER_FEEDS)
        },
        "hazard_indices": {asset_uri(gold.HAZARD_INDEX)},
        "area_minute_and_alarms": {asset_uri(gold.ALARM), asset_uri(gold.AREA_MINUTE)},
        "escape_routes": {asset_uri(gold.ESCAPE_ROUTE)},
        "risk_by_hour": {asset_uri(table) for table in (gold.HAZARD_INDEX, gold.ALARM, gold.RISK_TIER)},
        "sensor_health": {asset_uri(gold.SENSOR_HEALTH)},
        "alarm_causes": {asset_uri(gold.ALARM_CAUSE)},
        "data_quality": {asset_uri(gold.DATA_QUALITY)},
        "forecasts": {asset_uri(gold.METHANE_FORECAST)},
        "shift_forecasts": {asset_uri(gold.SEISMIC_HAZARD)},
        "watch_models": {asset_uri(gold.MODEL_HEALTH)},
        "train_models": set(),
        "train_detector": set(),
        "camera_health": {asset_uri(gold.CAMERA_HEALTH)},
        "unsafe_behaviour": {asset_uri(table) for table in VIDEO},
        "maintain_lake": set(),
        "rebuild_day": set(),
        "regulator_files": set(),
        "shift_report": set(),
    }


def test_without_news_the_chain_stays_quiet(bag: dict[str, Any]):
    """Nothing new in any mine, or no mine at all: no event, so nothing behind it runs."""
    assert set(bag["speaks"]) == {"ingest_safety_monitoring", "ingest_positioning", "ingest_other_feeds"}
    assert all(told == [False, False, True] for told in bag["speaks"].values())


def test_an_export_is_about_the_whole_hour_that_ended():
    from jinja2 import StrictUndefined, Template

    line = Template(f"export{HOUR_THAT_ENDED}", undefined=StrictUndefined)
    macros = SimpleNamespace(timedelta=timedelta)
    at = datetime(2026, 3, 1, 14, SETTLE_MIN, tzinfo=UTC)
    hour = "export --from 2026-03-01T13:00:00+00:00 --to 2026-03-01T14:00:00+00:00"
    for interval_end, run_after in ((at, at), (None, at + timedelta(minutes=44))):  # by the clock; by hand
        run = SimpleNamespace(data_interval_end=interval_end, run_after=run_after)
        assert line.render(dag_run=run, macros=macros) == hour


def test_a_second_try_does_not_skip():
    """The first may have written everything and died before it could say so."""
    from jinja2 import StrictUndefined, Template

    line = Template(f"minefusion run conform{SKIP_UNCHANGED}", undefined=StrictUndefined)
    assert line.render(ti=SimpleNamespace(try_number=1)) == "minefusion run conform --skip-unchanged"
    assert line.render(ti=SimpleNamespace(try_number=2)) == "minefusion run conform"


TELL = """
import sys
from datetime import timedelta
from types import SimpleNamespace as Some
sys.path.insert(0, sys.argv[1])
import wiring
from minefusion.schemas.schedule import SPAN

bash = Some(
    bash_command="minefusion run alarm --mine M" + SPAN, op_kwargs={"mine": "M"},
    env={"SPAN_FROM": "2026-03-01T00:00Z; true", "SPAN_TO": ""},
)
failed = Some(dag_id="area", task_id="alarm", run_id="run 1", log_url="http://log")
wiring.say_what_to_do({"ti": failed, "task": bash, "exception": ValueError("expected a lake")})
slow = Some(dag_id="rebuild_day", dagrun_timeout=timedelta(hours=24))
for reason in ("task_failure", "timed_out"):
    wiring.say_it_took_too_long({"dag": slow, "run_id": "run 2", "reason": reason})
"""


def told(tmp_path: Path, **settings: str) -> list[list[str]]:
    """What a failed task, and a run that took too long, gave to `minefusion notice`."""
    command = tmp_path / "minefusion"
    command.write_text(f'#!/bin/sh\n{{ printf "%s\\t" "$@"; echo; }} >> {tmp_path}/told\n')
    command.chmod(0o755)
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}", **settings}
    subprocess.run([sys.executable, "-c", TELL, str(DAGS)], check=True, capture_output=True, env=environment)
    path = tmp_path / "told"
    return [line.split("\t")[:-1] for line in path.read_text().splitlines()] if path.is_file() else []


def test_a_failure_is_told_with_the_line_that_runs_it_again(tmp_path: Path):
    assert told(tmp_path, MINEFUSION_NOTICE_WEBHOOK="http://127.0.0.1:9/") == [
        [
            "notice", "--mine", "M", "--run", "run 1", "--why", "expected a lake",
            "--command", "minefusion run alarm --mine M --from '2026-03-01T00:00Z; true'",
            "--log", "http://log", "--", "area / alarm",
        ],
        [
            "notice", "--run", "run 2", "--why", "expected the run to end within 1 day, 0:00:00, it did not",
            "--command", "airflow dags trigger rebuild_day", "--", "rebuild_day",
        ],
    ]  # fmt: skip


def test_nobody_is_told_where_the_settings_name_nobody(tmp_path: Path):
    assert told(tmp_path) == []
