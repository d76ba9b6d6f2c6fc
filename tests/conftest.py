"""What every test may ask for: a lake of its own, settings for it, and the suite's one Spark session."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from minefusion import jvm
from minefusion.schemas.settings import PROJECT, Settings, load_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SPARK = "spark"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two processes share the suite: a file stays whole, and all that needs Spark goes, first, to one of them."""

    def group(item: pytest.Item) -> str:
        given = getattr(getattr(item, "callspec", None), "params", {}).values()
        asked = {*getattr(item, "fixturenames", ()), *(each for each in given if isinstance(each, str))}
        return SPARK if SPARK in asked else item.nodeid.partition("::")[0]

    items.sort(key=lambda item: group(item) != SPARK)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Torn apart, files would make their dear fixtures in both processes, and Spark would run twice."""
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("expected pytest-xdist to group tests by file, it does not; install the locked pytest")


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test, and no command it starts, meets the lake or the choices of the person who runs the tests."""
    monkeypatch.setenv("MINEFUSION_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("MINEFUSION_HOME", str(tmp_path / "home"))
    for name in ("MINEFUSION_ENGINE", "MINEFUSION_LANG", "MINEFUSION_TABLES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session", autouse=True)
def one_person_key() -> Iterator[None]:
    """Lakes of different tests are compared: the same person has the same hash in all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINEFUSION_PERSON_KEY", "only-for-tests-0123456789")
        yield


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """An empty lake."""
    folder = tmp_path / "lake"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def settings(lake: Path) -> Settings:
    """Settings of a small machine over the test's own lake."""
    return load_settings(lake=lake, spark_master="local[2]", spark_driver_memory="1g")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The suite's one Spark session; a second start would cost seconds and memory in every file."""
    settings = load_settings(lake=tmp_path_factory.mktemp("spark"), spark_master="local[2]", spark_driver_memory="1g")
    if jvm.java_command() is None or jvm.wrong_jars(settings.spark.jars):
        pytest.skip("Spark needs Java and Delta's jars: run make setup")
    from minefusion.pipelines.engines.spark import session

    running = session(settings)
    yield running
    running.stop()
    # At its exit py4j tells of connections that end, when pytest has closed the stream that it would tell it on.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
def launcher() -> ModuleType:
    """What `make up` runs, as a module."""
    spec = importlib.util.spec_from_file_location("infra_airflow_up", PROJECT / "infra" / "airflow" / "up.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
