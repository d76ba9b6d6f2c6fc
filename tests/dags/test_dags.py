"""Every DAG as it is declared: it parses light, it has an owner and a page, and it cannot hang or pile up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from minefusion.schemas import gold, silver
from minefusion.schemas.catalog import asset_uri
from minefusion.schemas.schedule import SKIP_UNCHANGED, SPARK_POOL

pytest.importorskip("airflow", reason="Airflow is not installed: run make setup")

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
FILES = sorted(path.stem for path in DAGS.glob("*.py") if path.stem != "wiring")
WORKING = ["ingest", "conform", "hazard_index", "alarm", "area_minute", "measure", "build", "report", "the_rest"]

LOOK = """
import json, sys
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


def command(task):
    told = getattr(task, "partial_kwargs", {}) or {}
    read = lambda name: told.get(name, getattr(task, name, None))
    return {
        "id": task.task_id, "retries": read("retries"), "pool": read("pool"), "owner": read("owner"),
        "timeout_s": read("execution_timeout").total_seconds() if read("execution_timeout") else None,
        "outlets": [asset.uri for asset in read("outlets") or ()],
        "has_callback": bool(read("on_failure_callback")),
        "trigger_rule": getattr(read("trigger_rule"), "value", read("trigger_rule")),
        "doc": (read("doc_md") or read("python_callable").__doc__) if read("python_callable") else read("doc_md"),
        "downstream": sorted(task.downstream_task_ids),
    }
print("FOUND", json.dumps({
    "errors": bag.import_errors, "heavy": heavy,
    "speaks": {dag_id: [speaks(dag_id, news) for news in (None, [], ["changed"])]
               for dag_id in ("ingest_safety_monitoring", "ingest_positioning")},
    "seconds": {stat.file: stat.duration.total_seconds() for stat in bag.dagbag_stats},
    "dags": {dag.dag_id: {
        "file": dag.fileloc, "doc": dag.doc_md, "tags": sorted(dag.tags), "catchup": dag.catchup, "owner": dag.owner,
        "max_active_runs": dag.max_active_runs,
        "run_timeout_s": dag.dagrun_timeout.total_seconds() if dag.dagrun_timeout else None,
        "tasks": [command(task) for task in dag.tasks],
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
    assert tasks["every_mine_is_through"]["trigger_rule"] == "none_failed"
    assert tasks["every_mine_is_through"]["downstream"] == []
    for task in dag["tasks"]:
        assert task["has_callback"]
        name = task["id"].rpartition(".")[2]
        if name in WORKING:
            assert task["retries"] == 2
            assert task["doc"], f"{task['id']} has no word about what it does"


def test_spark_tasks_share_one_slot(bag: dict[str, Any]):
    pools = {task["id"]: task["pool"] for dag in bag["dags"].values() for task in dag["tasks"]}
    spark = {name for name, pool in pools.items() if pool == SPARK_POOL}
    assert spark == {"hazard_index", "alarm", "area_minute", "build", "report"}


def test_dags_meet_at_tables(bag: dict[str, Any]):
    outlets = {dag_id: {uri for task in dag["tasks"] for uri in task["outlets"]} for dag_id, dag in bag["dags"].items()}
    assert outlets == {
        "ingest_safety_monitoring": {asset_uri(silver.READING)},
        "ingest_positioning": {asset_uri(silver.POSITION)},
        "hazard_indices": {asset_uri(gold.HAZARD_INDEX)},
        "area_minute_and_alarms": {asset_uri(gold.ALARM), asset_uri(gold.AREA_MINUTE)},
        "data_quality": {asset_uri(gold.DATA_QUALITY)},
        "rebuild_day": set(),
        "shift_report": set(),
    }


def test_without_news_the_chain_stays_quiet(bag: dict[str, Any]):
    """Nothing new in any mine, or no mine at all: no event, so nothing behind it runs."""
    assert bag["speaks"] == {
        "ingest_safety_monitoring": [False, False, True],
        "ingest_positioning": [False, False, True],
    }


def test_a_second_try_does_not_skip():
    """The first may have written everything and died before it could say so."""
    from jinja2 import StrictUndefined, Template

    line = Template(f"minefusion run conform{SKIP_UNCHANGED}", undefined=StrictUndefined)
    assert line.render(ti=SimpleNamespace(try_number=1)) == "minefusion run conform --skip-unchanged"
    assert line.render(ti=SimpleNamespace(try_number=2)) == "minefusion run conform"
