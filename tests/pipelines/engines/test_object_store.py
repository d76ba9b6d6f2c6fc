"""A lake whose tables lie in an S3-compatible store: a real server, on this machine, by its own protocol."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from minefusion.pipelines.engines import open_engine
from minefusion.pipelines.engines.engine import BeatenError
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.balance import balance
from minefusion.pipelines.jobs.build import build
from minefusion.pipelines.jobs.compare import differences
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.pipelines.simulate import simulate_mine
from minefusion.schemas import silver
from minefusion.schemas.errors import MissingError
from minefusion.schemas.settings import Settings, load_settings
from minefusion.serving.reader import Reader

TABLES = "s3://lake/mines/of-the-north"
SECONDS_TO_START = 60


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The server's address. Its bucket is there, and the environment says how to reach it, as it does for a job."""
    pytest.importorskip("moto", reason="the object-store tests need moto: run make setup-tests")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _put_bucket(f"{address}/lake", server)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {
                "AWS_ENDPOINT_URL": address,
                "AWS_ALLOW_HTTP": "true",
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "anyone",  # the server asks for a name and checks none
                "AWS_SECRET_ACCESS_KEY": "anyone",
            }.items():
                patch.setenv(name, value)
            yield address
    finally:
        server.terminate()
        server.wait()


def _put_bucket(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(address, method="PUT"), timeout=5)
            return
        except (urllib.error.URLError, ConnectionError):
            assert server.poll() is None, "the object store ended by itself"
            assert time.monotonic() < deadline, "the object store does not answer"
            time.sleep(0.05)


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("object-store")
    simulate_mine("gas_event", hours=0.1, seed=5, out=base / "in", truth=base / "truth", roadways=20, people=6)
    return base / "in"


def taken_in(settings: Settings, landing: Path) -> int:
    """The rows that taking in and building change."""
    engine = open_engine(settings)
    return ingest(settings, landing, engine=engine).changed + sum(table.changed for table in build(engine))


@pytest.fixture(scope="module")
def lakes(store: str, landing: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:  # noqa: ARG001
    """The same landing folder in a folder and in the store."""
    base = tmp_path_factory.mktemp("lakes")
    folder = load_settings(lake=base / "folder", home=base, engine="light")
    far = load_settings(lake=base / "beside", home=base, engine="light", tables=TABLES)
    assert taken_in(folder, landing) > 0
    assert taken_in(far, landing) > 0
    return folder, far


def test_a_store_holds_the_same_rows_as_a_folder(lakes: tuple[Settings, Settings]):
    folder, far = lakes
    assert differences(folder, far) == {}
    assert balance(far).ok
    assert not list(far.lake.glob("*/*/_delta_log"))  # nothing of the tables is left beside


def test_a_second_run_changes_nothing(lakes: tuple[Settings, Settings], landing: Path):
    assert taken_in(lakes[1], landing) == 0


def test_the_reader_asks_a_store_as_it_asks_a_folder(lakes: tuple[Settings, Settings]):
    folder, far = lakes
    query = "SELECT area_id, count(*) AS n, max(level) AS worst FROM gold.area_minute GROUP BY area_id ORDER BY area_id"
    found = list(Reader(far.lake, far.tables).sql(query))
    assert found
    assert found == list(Reader(folder.lake).sql(query))


def test_of_two_writers_on_one_version_the_second_is_refused(lakes: tuple[Settings, Settings]):
    """The store itself refuses it: an object that is there is not put again."""
    slow, fast = (LightEngine(replace(lakes[1], tables=f"{TABLES}/race")) for _ in range(2))
    row = dict.fromkeys(silver.READING.names) | {"mine_code": "620000000001", "day": "2026-03-01"}
    rows = fast.frame([row], silver.READING.arrow_schema())
    fast.append(silver.READING, rows)
    stale = slow._opened(silver.READING)
    fast.append(silver.READING, rows)
    with pytest.raises(BeatenError, match=r"silver\.reading: another writer was faster"):
        slow.commit(stale, silver.READING, slow.to_arrow(rows), [])
    assert len(fast.to_arrow(fast.read(silver.READING))) == 2


def test_small_files_are_joined_in_a_store(lakes: tuple[Settings, Settings]):
    engine = LightEngine(replace(lakes[1], tables=f"{TABLES}/small"))
    row = dict.fromkeys(silver.READING.names) | {"mine_code": "620000000001", "day": "2026-03-01"}
    for number in range(3):
        made = row | {"point_id": str(number)}
        engine.append(silver.READING, engine.frame([made], silver.READING.arrow_schema()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("minefusion.pipelines.engines.engine.COMPACT_FROM", 2)
        engine.compact(silver.READING, newest_day=True)
    assert engine._files_by_day(silver.READING) == {"2026-03-01": 1}
    assert len(engine.to_arrow(engine.read(silver.READING))) == 3
    engine.trim(silver.READING)


def test_a_store_that_refuses_is_named_with_the_way_out(lakes: tuple[Settings, Settings]):
    engine = LightEngine(replace(lakes[1], tables="s3://no-such-bucket"))
    with pytest.raises(MissingError, match=r"s3://no-such-bucket.*AWS_ENDPOINT_URL"):
        engine.append(silver.READING, engine.empty(silver.READING))


def test_spark_without_its_s3_jars_says_which(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    from pyspark.sql import SparkSession

    from minefusion.pipelines.engines.spark import session

    monkeypatch.setattr(SparkSession, "getActiveSession", staticmethod(lambda: None))
    (settings.lake / "io.delta_delta-spark.jar").touch()
    with pytest.raises(MissingError, match="expected the hadoop-aws jar"):
        session(replace(settings, tables=TABLES, spark=replace(settings.spark, jars=settings.lake)))
