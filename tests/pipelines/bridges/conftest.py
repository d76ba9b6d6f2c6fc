"""A spool, and real brokers."""

from __future__ import annotations

import contextlib
import getpass
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway import MINE, NAME, free_port, server

from minefusion import jvm
from minefusion.pipelines.bridges.message import Rules
from minefusion.pipelines.bridges.spool import Spool
from minefusion.schemas.settings import PROJECT


@pytest.fixture
def rules() -> Rules:
    return Rules({MINE: NAME})


@pytest.fixture
def spool(tmp_path: Path, rules: Rules) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool" / "gateway.db", rules)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the bridge's files go, in a landing folder."""
    (tmp_path / "landing").mkdir()
    return tmp_path / "landing" / "gateway"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Callable[[int], contextlib.AbstractContextManager[Any]]:
    """Starts a broker that keeps what it was given, on a port."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        pytest.skip("the MQTT tests need mosquitto: run make setup-tests where Debian packages may be installed")
    config = tmp_path / "mosquitto.conf"

    def start(port: int) -> contextlib.AbstractContextManager[Any]:
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\nautosave_interval 1\n"
            f"persistence_location {tmp_path}/\nmax_queued_messages 0\nuser {getpass.getuser()}\n"
        )
        return server([program, "-c", str(config)], port, tmp_path / "mosquitto.log")

    return start


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Kafka broker of one node; its address."""
    java = jvm.java_command()
    jars = sorted((PROJECT / ".jars" / "kafka").glob("*.jar"))
    if java is None or not jars:
        pytest.skip("the Kafka tests need Java and Kafka's jars: run make setup-tests")
    folder = tmp_path_factory.mktemp("kafka")
    port, control = free_port(), free_port()
    config = folder / "server.properties"
    config.write_text(
        "process.roles=broker,controller\nnode.id=1\n"
        f"controller.quorum.voters=1@127.0.0.1:{control}\n"
        f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}\n"
        f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}\ncontroller.listener.names=CONTROLLER\n"
        f"log.dirs={folder}/data\noffsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n"
        "group.initial.rebalance.delay.ms=0\ntransaction.state.log.replication.factor=1\n"
        "transaction.state.log.min.isr=1\nshare.coordinator.state.topic.replication.factor=1\n"
    )
    classes = ":".join(map(str, [*jars, *jvm.scala_library()]))
    run = [java, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classes]
    cluster = "MkU3OEVBNTcwNTJENDM2Qk"
    done = subprocess.run(
        [*run, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(config)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-400:]
    with server([*run, "kafka.Kafka", str(config)], port, folder / "kafka.log"):
        yield f"127.0.0.1:{port}"


@pytest.fixture
def opcua_server(tmp_path: Path) -> Callable[[int, str], contextlib.AbstractContextManager[Any]]:
    """Starts an OPC UA server in a process of its own; its variable goes through values, ten a second."""
    script = Path(__file__).with_name("opcua_server.py")

    def start(port: int, numbers: str) -> contextlib.AbstractContextManager[Any]:
        return server([sys.executable, str(script), str(port), numbers], port, tmp_path / "opcua.log")

    return start
