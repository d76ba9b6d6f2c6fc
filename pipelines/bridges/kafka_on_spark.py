"""Kafka by Spark's own connector: a stream of small batches, whose checkpoint notes our place.

Each batch waits until all of it is on disk; only then does Spark note it as done. What was under way when the bridge
stopped comes again, and the spool knows it by its `msg_id`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minefusion.pipelines.bridges.bridge import LostError, Source
from minefusion.pipelines.bridges.config import BridgeConfig
from minefusion.pipelines.bridges.mqtt import taken
from minefusion.pipelines.bridges.spool import Delivery
from minefusion.schemas.errors import MissingError
from minefusion.schemas.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row
    from pyspark.sql.streaming import StreamingQuery

# Messages of one small batch: all that memory ever holds.
AT_ONCE = 20_000
# How long a cluster that does not answer is waited for.
ANSWERS_MS = 10_000
STOPS_S = 5
CONNECTOR = "spark-sql-kafka"
STOPPED = "the bridge stopped before this batch was on disk"


class KafkaOnSpark(Source):
    """Topics of one cluster, read by Spark.

    Raises:
        MissingError: Java or the connector's jars are not there.
    """

    def __init__(self, config: BridgeConfig, settings: Settings) -> None:
        if not any(CONNECTOR in jar.name for jar in Path(settings.spark.jars).glob("*.jar")):
            raise MissingError(
                f"expected Spark's Kafka connector in {settings.spark.jars}, found none; "
                "run .venv/bin/python infra/outside.py --for-kafka-on-spark or use --engine light"
            )
        from minefusion.pipelines.engines.spark import session

        self.config = config
        self._spark = session(settings)
        self._query: StreamingQuery | None = None
        self._batches: queue.Queue[list[Row]] = queue.Queue()
        self._rest: list[Row] = []
        self._is_taken, self._is_closed = threading.Event(), threading.Event()

    def open(self) -> None:
        from pyspark.errors import PySparkException

        self._batches, self._rest = queue.Queue(), []
        # A batch of an earlier try keeps the events of that try.
        self._is_taken, self._is_closed = threading.Event(), threading.Event()
        batches, is_taken, is_closed = self._batches, self._is_taken, self._is_closed

        def hand_over(batch: DataFrame, _number: int) -> None:
            """Give the batch to `poll` and wait until it is acknowledged; an error leaves Spark's place as it was."""
            try:
                rows = batch.collect()
            except Exception:
                if is_closed.is_set():  # Spark breaks off what it is at, and says so at length
                    raise RuntimeError(STOPPED) from None
                raise
            if not rows:
                return
            is_taken.clear()
            batches.put(rows)
            while not is_taken.wait(0.1):
                if is_closed.is_set():
                    raise RuntimeError(STOPPED)

        came = self._spark.readStream.format("kafka").options(**self._options()).load()
        stream = came.select("topic", "key", "value").writeStream.foreachBatch(hand_over)
        stream = stream.option("checkpointLocation", str(self.config.spool / f"{self.config.name}.kafka"))
        try:
            self._query = stream.start()
        except PySparkException as error:
            raise self._lost(error) from None

    def _options(self) -> dict[str, str]:
        options = self.config.options
        told = {
            "kafka.bootstrap.servers": options.get("servers", "localhost:9092"),
            "subscribe": ",".join(topic.topic for topic in self.config.topics),
            "startingOffsets": "earliest",
            "maxOffsetsPerTrigger": str(AT_ONCE),
            "kafka.request.timeout.ms": str(ANSWERS_MS),
            "kafka.default.api.timeout.ms": str(ANSWERS_MS),
        }
        tls = options.get("tls")
        if tls is not None:
            told |= _pem("truststore", certificates=tls.get("ca")) if tls.get("ca") else {}
            told |= _pem("keystore", certificate_chain=tls.get("cert"), key=tls.get("key")) if tls.get("key") else {}
        if options.get("username"):
            login = f'username="{_quoted(options["username"])}" password="{_quoted(self.config.password or "")}"'
            told |= {
                "kafka.sasl.mechanism": options.get("mechanism", "SCRAM-SHA-256"),
                "kafka.sasl.jaas.config": f"{_login_module(options.get('mechanism', ''))} required {login};",
            }
        inner = "SSL" if tls is not None else "PLAINTEXT"
        return told | {"kafka.security.protocol": f"SASL_{inner}" if options.get("username") else inner}

    def _lost(self, error: Any) -> LostError:
        where = self.config.options.get("servers", "localhost:9092")
        return LostError(f"expected Kafka at {where}, got: {str(error).strip().splitlines()[0][:200]}")

    def poll(self, wait_s: float, most: int) -> Sequence[Delivery]:
        assert self._query is not None
        if not self._rest:
            try:
                self._rest = self._batches.get(timeout=wait_s)
            except queue.Empty:
                if not self._query.isActive:
                    raise self._lost(self._query.exception() or "its stream ended") from None
                return []
        given, self._rest = self._rest[:most], self._rest[most:]
        return [Delivery(self._read(row)) for row in given]

    def _read(self, row: Row) -> Any:
        topic = next((each for each in self.config.topics if each.topic == row["topic"]), None)
        return taken(bytes(row["value"] or b""), topic, bytes(row["key"] or b"").decode("utf-8", "replace"))

    def acknowledge(self) -> None:
        if not self._rest:
            self._is_taken.set()

    def close(self) -> None:
        self._is_closed.set()
        if self._query is not None:
            self._query.stop()
            self._query.awaitTermination(STOPS_S)
            self._query = None


def _pem(store: str, **files: str | None) -> dict[str, str]:
    """The connector takes certificates and keys as their text."""
    told = {f"kafka.ssl.{store}.type": "PEM"}
    for name, path in files.items():
        told[f"kafka.ssl.{store}.{name.replace('_', '.')}"] = Path(str(path)).read_text(encoding="ascii")
    return told


def _login_module(mechanism: str) -> str:
    kind = "plain.PlainLoginModule" if mechanism == "PLAIN" else "scram.ScramLoginModule"
    return f"org.apache.kafka.common.security.{kind}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
