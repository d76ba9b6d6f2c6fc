"""The same job on a Spark standalone cluster, started by hand: a master and two workers, one killed in the middle."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cluster_run import KEPT_NOW
from small_mine import copied, exchange_files

from minefusion import jvm
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs import hazard
from minefusion.pipelines.jobs.balance import balance
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas.gold import HAZARD_INDEX
from minefusion.schemas.settings import load_settings
from minefusion.schemas.silver import POSITION, READING

SCRIPT = Path(__file__).with_name("cluster_run.py")
BIN = Path(sys.executable).parent
SECONDS = 120
# Spark spends seconds on each table and each index, however few the rows.
KINDS = ("CDDY", "CDSS", "RYQY", "RYSS", "RYXX")
JOBS, INDICES = "conform,hazard_index", ("G-01", "P-01")
# Frames on the workers when one of them goes: some half of what conform keeps.
KEPT = 12
# What a JVM that lives for a minute does without, and what Spark's defaults for large clusters cost a small one.
BRIEF = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
DEFAULTS = f"""
spark.executor.memory                    640m
spark.executor.extraJavaOptions          {BRIEF}
spark.driver.extraJavaOptions            {BRIEF}
spark.master.rest.enabled                false
spark.sql.adaptive.enabled               false
spark.sql.shuffle.partitions             2
spark.databricks.delta.snapshotPartitions 1
"""


@dataclass
class Cluster:
    """Spark's own daemons, each with what it starts in a process group of its own, as on a machine of its own."""

    folder: Path
    port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def master(self) -> str:
        return f"spark://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_CONF_DIR": str(self.folder),
            "SPARK_DAEMON_MEMORY": "128m",
            "SPARK_DAEMON_JAVA_OPTS": BRIEF,
            "MINEFUSION_SPARK_MASTER": self.master,
            "MINEFUSION_SPARK_DRIVER_MEMORY": "1g",
        }

    def start(self, name: str, role: str, *given: str) -> None:
        command = [BIN / "spark-class", f"org.apache.spark.deploy.{role}", "--host", "127.0.0.1", "--webui-port", "0"]
        log = (self.folder / f"{name}.log").open("wb")
        self.running[name] = subprocess.Popen(
            [*command, *given], env=self.environment, stdout=log, stderr=log, start_new_session=True
        )

    def start_worker(self, name: str) -> None:
        own = ("--cores", "1", "--memory", "1g", "--work-dir", str(self.folder / name))
        self.start(name, "worker.Worker", *own, self.master)

    def wait_for_the_master(self) -> None:
        deadline = time.monotonic() + SECONDS
        while socket.socket().connect_ex(("127.0.0.1", self.port)) != 0:
            assert self.running["master"].poll() is None, (self.folder / "master.log").read_text()
            assert time.monotonic() < deadline, "the master does not answer"
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        """As when its machine goes: the daemon, its executor and what that has in memory."""
        gone = self.running.pop(name)
        os.killpg(gone.pid, signal.SIGKILL)
        gone.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    if jvm.java_command() is None or jvm.wrong_jars(load_settings().spark.jars):
        pytest.skip("Spark needs Java and Delta's jars: run make setup")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        made = Cluster(tmp_path / "spark", free.getsockname()[1])
    made.folder.mkdir()
    (made.folder / "spark-defaults.conf").write_text(DEFAULTS)
    try:
        made.start("master", "master.Master", "--port", str(made.port))
        made.wait_for_the_master()
        for name in ("one", "other"):
            made.start_worker(name)
        yield made
    finally:
        for name in list(made.running):
            made.kill(name)


def test_a_worker_goes_and_the_tables_are_the_same(
    cluster: Cluster,
    shift: tuple[Path, Path],
    landing: Path,
    engines: Callable[[str], LightEngine],
    monkeypatch: pytest.MonkeyPatch,
):
    copied([file for file in exchange_files(shift[0]) if file.name.split("_")[1] in KINDS], landing)
    copied(shift[0].glob("*.site.yaml"), landing)
    far, light = engines("far"), engines("light")
    # The landing folder is named as a person in it would: the workers run elsewhere.
    command = [sys.executable, SCRIPT, far.settings.lake, landing.name, JOBS, ",".join(INDICES), str(KEPT)]
    driver = subprocess.Popen(
        command, env=cluster.environment, cwd=landing.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert driver.stdout is not None
        said = driver.stdout.readline().strip()
        if said == KEPT_NOW:
            cluster.kill("one")
        _, told = driver.communicate(timeout=SECONDS)
    finally:
        driver.kill()
    assert said == KEPT_NOW, told
    assert driver.returncode == 0, told
    assert "Lost executor" in told

    monkeypatch.setattr(hazard, "CATALOGUE", [each for each in hazard.CATALOGUE if each[0].id in INDICES])
    ingest(light.settings, landing, engine=light)
    build(light, selection=JOBS)
    assert differences(light.settings.lake, far.settings.lake) == {}
    for table in (READING, POSITION, HAZARD_INDEX):
        assert light.to_arrow(light.read(table)).num_rows > 100, table.name
    assert balance(far.settings).ok
    # Nothing is left to do in what the cluster made.
    assert ingest(far.settings, landing, engine=far).changed == 0
    assert sum(built.changed for built in build(far, selection=JOBS)) == 0
