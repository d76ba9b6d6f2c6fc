"""Bridges with a real broker or server behind them: everything arrives once, over kills, losses and restarts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
import polars as pl
import pytest
import yaml
from gateway import MINE, NAME, POINT, free_port, message
from opcua_server import NODE
from paho.mqtt.enums import CallbackAPIVersion

from minefusion import jvm
from minefusion.pipelines.bridges import bridge as bridges
from minefusion.pipelines.bridges.bridge import LostError, Source, run_bridge, source_of, spool_of
from minefusion.pipelines.bridges.config import BridgeConfig, load_bridge
from minefusion.pipelines.bridges.spool import Balance, Delivery, Spool
from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.balance import balance
from minefusion.pipelines.jobs.ingest import ingest
from minefusion.schemas import bronze
from minefusion.schemas.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PATIENCE_S = 30.0
# Spark takes seconds to plan its first batch, and more where others use the machine.
SPARK_PATIENCE_S = 120.0


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Path]:
    """A bridge's file."""
    (tmp_path / "landing").mkdir()

    def write(**section: Any) -> Path:
        told = {"name": "gateway", "mines": {MINE: NAME}, "landing": "landing", "spool": "spool"} | section
        path = tmp_path / "gateway.yaml"
        path.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
        return path

    return write


class Running:
    """A bridge that works in a thread until it is stopped."""

    def __init__(self, config: BridgeConfig, on_spark: Settings | None = None) -> None:
        self._on_spark = on_spark
        self._stopped = threading.Event()
        self.balances: list[Balance] = []
        self._config = config
        self._thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        spool = spool_of(self._config)
        source = source_of(self._config, self._on_spark)
        arguments: dict[str, Any] = {"is_stopped": self._stopped.is_set, "longest_wait_s": 1.0}
        for now in run_bridge(source, spool, self._config.folder, **arguments):
            self.balances.append(now)
        spool.close()

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(PATIENCE_S)

    def wait_for(self, written: int) -> Balance:
        until = time.monotonic() + (PATIENCE_S if self._on_spark is None else SPARK_PATIENCE_S)
        while not self.balances or self.balances[-1].written < written:
            assert time.monotonic() < until, self.balances[-1:]
            time.sleep(0.05)
        return self.balances[-1]


def all_in_bronze(settings: Settings, landing: Path, expected: set[str], now: Balance) -> None:
    """The values that were sent, once each; the books agree from the message to the record."""
    engine = LightEngine(settings)
    done = ingest(settings, landing, engine=engine)
    rows = pl.DataFrame(pl.from_arrow(engine.to_arrow(engine.read(bronze.EXCHANGE_RECORD))))
    assert sorted(raw.split(";")[3] for raw in rows["raw"]) == sorted(expected)
    assert now.ok
    assert now.records == done.records["sent"] == done.records["stored"] + done.records["quarantined"]
    assert balance(settings, landing).ok


# ── MQTT ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def publish(port: int, topic: str, *payloads: bytes) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for payload in payloads:
        client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


def value(number: int) -> float:
    return round(0.1 + number / 1000, 3)


def plain_value(number: int) -> bytes:
    return json.dumps({"value": value(number), "ts": "2026-03-01T12:10:00+08:00"}).encode()


def values(count: int) -> set[str]:
    return {str(value(number)) for number in range(count)}


def test_mqtt_survives_its_broker_and_itself(
    configured: Callable[..., Path],
    mosquitto: Callable[[int], AbstractContextManager[Any]],
    settings: Settings,
    tmp_path: Path,
):
    """The broker is killed and comes back; the bridge is away while messages come, and gets them afterwards."""
    port = free_port()
    topics = ["mine/+/messages", {"topic": "mine/values/#", "form": "values", "mine": MINE}]
    config = load_bridge(configured(mqtt={"host": "127.0.0.1", "port": port, "topics": topics}), "mqtt", tmp_path)
    messages = [message(number, value(number)) for number in range(60)]
    with Running(config) as bridge:  # before there is a broker
        with mosquitto(port):
            deadline = time.monotonic() + PATIENCE_S
            while not bridge.balances and time.monotonic() < deadline:
                publish(port, f"mine/{MINE}/messages", *messages[:20])
                time.sleep(0.2)
            bridge.wait_for(20)
            time.sleep(1.5)  # the broker notes its sessions each second
        with mosquitto(port):
            publish(port, f"mine/{MINE}/messages", *messages[10:40], b"no message")
            bridge.wait_for(40)
    with mosquitto(port):
        publish(port, f"mine/{MINE}/messages", *messages[40:59])
        publish(
            port, f"mine/values/{POINT}", json.dumps({"value": value(59), "ts": "2026-03-01T12:10:00+08:00"}).encode()
        )
        with Running(config) as bridge:
            now = bridge.wait_for(60)
    now = bridge.balances[-1]
    assert now.refused == 1
    assert now.duplicate >= 10
    all_in_bronze(settings, config.landing, values(60), now)


def test_the_command_killed_again_and_again_loses_nothing(
    configured: Callable[..., Path],
    mosquitto: Callable[[int], AbstractContextManager[Any]],
    settings: Settings,
    tmp_path: Path,
):
    port = free_port()
    path = configured(mqtt={"host": "127.0.0.1", "port": port, "topics": ["m"]})
    command = [sys.executable, "-m", "minefusion", "--output", "json", "bridge", "mqtt", "--config", str(path)]
    with mosquitto(port):
        for start in range(0, 90, 30):
            run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert run.stdout is not None
            if start == 0:
                time.sleep(0.5)
                while not (tmp_path / "spool" / "gateway.db").exists():
                    time.sleep(0.05)
                time.sleep(1.0)  # it has subscribed, and from now on the broker keeps its messages
            publish(port, "m", *(message(number, value(number)) for number in range(start, start + 30)))
            run.stdout.readline()
            os.kill(run.pid, signal.SIGKILL)
            run.wait()
            run.stdout.close()
        done = subprocess.run([*command, "--idle", "2"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    spool = spool_of(load_bridge(path, "mqtt", tmp_path))
    all_in_bronze(settings, tmp_path / "landing", values(90), spool.balance())
    assert json.loads(done.stdout.splitlines()[-1])["written"] == 90


# ── Kafka ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_kafka_goes_on_where_it_had_noted_its_place(
    configured: Callable[..., Path], kafka: str, settings: Settings, tmp_path: Path
):
    from confluent_kafka import Producer

    section = {"servers": kafka, "topics": ["messages", {"topic": "values", "form": "values", "mine": MINE}]}
    config = load_bridge(configured(kafka=section), "kafka", tmp_path)
    producer = Producer({"bootstrap.servers": kafka})

    def send(first: int, last: int) -> None:
        for number in range(first, last):
            producer.produce("messages", message(number, value(number)))
        assert producer.flush(PATIENCE_S) == 0

    producer.produce("values", plain_value(50), key=POINT)
    send(0, 30)
    with Running(config) as bridge:
        bridge.wait_for(31)
        send(20, 40)
        bridge.wait_for(41)
    send(40, 50)
    producer.produce("messages", b"no message")
    assert producer.flush(PATIENCE_S) == 0
    with Running(config) as bridge:
        bridge.wait_for(51)
    now = bridge.balances[-1]
    assert (now.duplicate, now.refused) == (10, 1)
    all_in_bronze(settings, config.landing, values(51), now)


def test_sparks_own_connector_carries_over_the_same(
    configured: Callable[..., Path], kafka: str, spark: SparkSession, settings: Settings, tmp_path: Path
):
    """Stopped and started again it goes on by Spark's checkpoint; what comes twice is known."""
    from confluent_kafka import Producer

    if jvm.wrong_jars(settings.spark.jars, jvm.CONNECTOR_JARS):
        pytest.skip("Spark's Kafka connector is not there: run make setup-tests")
    assert spark
    section = {
        "servers": kafka,
        "topics": ["spark-messages", {"topic": "spark-values", "form": "values", "mine": MINE}],
    }
    config = load_bridge(configured(kafka=section), "kafka", tmp_path)
    producer = Producer({"bootstrap.servers": kafka})

    def send(first: int, last: int) -> None:
        for number in range(first, last):
            producer.produce("spark-messages", message(number, value(number)))
        assert producer.flush(PATIENCE_S) == 0

    producer.produce("spark-values", plain_value(50), key=POINT)
    send(0, 30)
    with Running(config, settings) as bridge:
        bridge.wait_for(31)
        send(20, 40)
        bridge.wait_for(41)
    send(40, 50)
    producer.produce("spark-messages", b"no message")
    assert producer.flush(PATIENCE_S) == 0
    with Running(config, settings) as bridge:
        bridge.wait_for(51)
    now = bridge.balances[-1]
    assert (now.duplicate, now.refused) == (10, 1)
    all_in_bronze(settings, config.landing, values(51), now)


# ── OPC UA ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_opc_ua_reads_what_it_missed_from_the_history(
    configured: Callable[..., Path],
    opcua_server: Callable[[int, str], AbstractContextManager[Any]],
    settings: Settings,
    tmp_path: Path,
):
    """The bridge comes when values were there already, and is away for some of them."""
    port = free_port()
    node = {"node": NODE, "mine": MINE, "point_code": POINT, "sensor_type_name": "激光甲烷", "unit": "%"}
    section = {"endpoint": f"opc.tcp://127.0.0.1:{port}/", "period_ms": 50, "nodes": [node]}
    config = load_bridge(configured(opcua=section), "opcua", tmp_path)
    sent = [str(value(number)) for number in range(40)]
    with opcua_server(port, ",".join(sent)):
        time.sleep(0.5)
        with Running(config) as bridge:
            bridge.wait_for(10)
        time.sleep(1.0)
        with Running(config) as bridge:
            bridge.wait_for(41)
    all_in_bronze(settings, config.landing, {"0.0", *sent}, bridge.balances[-1])


# ── what all share ──────────────────────────────────────────────────────────────────────────────────────────────────


class Faulty(Source):
    """Is lost at two of five calls, to poll and to acknowledge; what was not acknowledged comes again."""

    def __init__(self, payloads: list[bytes]) -> None:
        self.waits, self.calls, self.most = payloads, 0, 0
        self._given = 0

    def _call(self) -> None:
        self.calls += 1
        if self.calls % 5 in (1, 3):
            raise LostError("the source was lost")

    def open(self) -> None:
        self._given = 0

    def poll(self, wait_s: float, most: int) -> list[Delivery]:  # noqa: ARG002
        self._call()
        self._given = min(3, most)
        return [Delivery(payload) for payload in self.waits[: self._given]]

    def acknowledge(self) -> None:
        self._call()
        del self.waits[: self._given]

    def close(self) -> None:
        self._given = 0


def test_a_source_that_is_lost_again_and_again_is_carried_over_whole(spool: Spool, folder: Path):
    source = Faulty([message(number) for number in range(9)])
    turns = iter(range(200))
    balances = list(
        run_bridge(source, spool, folder, is_stopped=lambda: not source.waits or next(turns) > 150, longest_wait_s=0.01)
    )
    assert (balances[-1].written, balances[-1].ok) == (9, True)
    assert balances[-1].duplicate > 0


def test_a_folder_that_cannot_be_written_to_leaves_the_messages_with_us_and_then_with_the_sender(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bridges, "LAST_WORDS_S", 0.2)

    class Steady(Faulty):
        def _call(self) -> None:
            pass

    folder.write_text("a file where the folder should be")
    spool.most_waiting = 6
    source = Steady([message(number) for number in range(20)])
    turns = iter(range(8))
    balances: Iterator[Balance] = run_bridge(source, spool, folder, is_stopped=lambda: next(turns, None) is None)
    last = list(balances)[-1]
    assert (last.written, last.waiting, len(source.waits)) == (0, 6, 14)
    folder.unlink()
    monkeypatch.undo()
    assert list(run_bridge(source, spool, folder, is_stopped=lambda: True))[-1].written == 6
