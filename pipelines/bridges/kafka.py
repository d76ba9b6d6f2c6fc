"""Kafka: a consumer of a group, whose place is noted only after its messages are on disk."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import Message as KafkaMessage

from minefusion.pipelines.bridges.bridge import LostError, Source
from minefusion.pipelines.bridges.config import BridgeConfig
from minefusion.pipelines.bridges.mqtt import taken
from minefusion.pipelines.bridges.spool import Delivery

logger = logging.getLogger(__name__)

# Bytes that the client may hold ahead of us.
AHEAD_KIB = 16 * 1024
CONNECT_S = 10.0


class KafkaSource(Source):
    """Topics of one cluster."""

    def __init__(self, config: BridgeConfig) -> None:
        self.config = config
        self._consumer: Consumer | None = None
        self._given: list[KafkaMessage] = []

    def _settings(self) -> dict[str, Any]:
        options = self.config.options
        settings: dict[str, Any] = {
            "bootstrap.servers": options.get("servers", "localhost:9092"),
            "group.id": options.get("group") or f"minefusion-{self.config.name}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "queued.max.messages.kbytes": AHEAD_KIB,
        }
        tls = options.get("tls")
        if tls is not None:
            names = {"ca": "ssl.ca.location", "cert": "ssl.certificate.location", "key": "ssl.key.location"}
            settings |= {names[name]: str(path) for name, path in tls.items()}
        if options.get("username"):
            settings |= {
                "sasl.mechanism": options.get("mechanism", "SCRAM-SHA-256"),
                "sasl.username": options["username"],
                "sasl.password": self.config.password or "",
            }
        inner = "ssl" if tls is not None else "plaintext"
        return settings | {"security.protocol": f"sasl_{inner}" if options.get("username") else inner}

    def open(self) -> None:
        consumer = Consumer(self._settings(), logger=logger)
        try:
            consumer.list_topics(timeout=CONNECT_S)
        except KafkaException as error:
            consumer.close()
            where = self.config.options.get("servers", "localhost:9092")
            raise LostError(f"expected Kafka at {where}, got: {error.args[0].str()}") from None
        consumer.subscribe([topic.topic for topic in self.config.topics])
        self._consumer, self._given = consumer, []

    def poll(self, wait_s: float, most: int) -> Sequence[Delivery]:
        assert self._consumer is not None
        came = self._consumer.consume(most, wait_s)
        for message in came:
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise LostError(f"Kafka was lost: {error.str()}")
        self._given = [message for message in came if message.error() is None]
        return [Delivery(self._read(message)) for message in self._given]

    def _read(self, message: KafkaMessage) -> Any:
        topic = next((each for each in self.config.topics if each.topic == message.topic()), None)
        return taken(message.value() or b"", topic, (message.key() or b"").decode("utf-8", "replace"))

    def acknowledge(self) -> None:
        assert self._consumer is not None
        try:
            self._consumer.commit(asynchronous=False)
        except KafkaException as error:
            raise LostError(f"Kafka did not note our place: {error.args[0].str()}") from None

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None
