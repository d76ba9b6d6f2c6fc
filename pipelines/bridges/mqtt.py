"""MQTT 5: at least once, acknowledged by hand, in a session that the broker keeps while we are away."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from minefusion.pipelines.bridges.bridge import LostError, Source
from minefusion.pipelines.bridges.config import BridgeConfig, Topic
from minefusion.pipelines.bridges.message import Message, RefusedError, read_value
from minefusion.pipelines.bridges.spool import Delivery

# Messages that the broker may send before the first is acknowledged: all that memory ever holds.
UNACKNOWLEDGED = 2_000
# The broker keeps the session, and what comes for it, for so long.
SESSION_S = 7 * 24 * 3600
CONNECT_S = 10.0
KEEPALIVE_S = 20


class MqttSource(Source):
    """Subscriptions at one broker."""

    def __init__(self, config: BridgeConfig) -> None:
        self.config = config
        self._client: mqtt.Client | None = None
        self._came: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self._given: list[mqtt.MQTTMessage] = []
        self._is_lost = ""

    def open(self) -> None:
        options = self.config.options
        client_id = options.get("client_id") or f"minefusion-{self.config.name}"
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5, manual_ack=True
        )
        if options.get("username"):
            client.username_pw_set(options["username"], self.config.password)
        if options.get("tls") is not None:
            tls = options["tls"]
            client.tls_set(tls.get("ca"), tls.get("cert"), tls.get("key"))
        self._came, self._given, self._is_lost = queue.Queue(), [], ""
        connected: queue.Queue[str] = queue.Queue()
        client.on_message = lambda _client, _data, message: self._came.put(message)
        client.on_connect = lambda _client, _data, _flags, reason, _more: connected.put(
            str(reason) if reason.is_failure else ""
        )
        client.on_disconnect = lambda _client, _data, _flags, reason, _more: self._lose(str(reason))
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = SESSION_S
        kept.ReceiveMaximum = UNACKNOWLEDGED
        where = f"{options.get('host', 'localhost')}:{options.get('port', 1883)}"
        try:
            client.connect(
                options.get("host", "localhost"),
                int(options.get("port", 1883)),
                keepalive=KEEPALIVE_S,
                clean_start=False,
                properties=kept,
            )
            client.loop_start()
            self._client = client
            refused = connected.get(timeout=CONNECT_S)
        except (OSError, ValueError, queue.Empty) as error:
            self.close()
            raise LostError(f"expected an MQTT broker at {where}, got: {error or 'no answer'}") from None
        if refused:
            self.close()
            raise LostError(f"expected the MQTT broker at {where} to let us in, it said: {refused}")
        client.subscribe([(topic.topic, SubscribeOptions(qos=1)) for topic in self.config.topics])

    def _lose(self, reason: str) -> None:
        self._is_lost = reason or "connection closed"

    def poll(self, wait_s: float, most: int) -> Sequence[Delivery]:
        if self._is_lost:
            raise LostError(f"the MQTT broker was lost: {self._is_lost}")
        until = time.monotonic() + wait_s
        while len(self._given) < most:
            try:
                left = 0.0 if self._given else max(0.0, until - time.monotonic())
                self._given.append(self._came.get(timeout=left) if left else self._came.get_nowait())
            except queue.Empty:
                break
        return [Delivery(self._read(message)) for message in self._given]

    def _read(self, message: mqtt.MQTTMessage) -> bytes | Message:
        """A value as the message that it makes; what is to be a message, or is refused, as it came."""
        topic = next((each for each in self.config.topics if mqtt.topic_matches_sub(each.topic, message.topic)), None)
        return taken(message.payload, topic, message.topic.rpartition("/")[2])

    def acknowledge(self) -> None:
        assert self._client is not None
        for message in self._given:
            self._client.ack(message.mid, message.qos)
        self._given = []

    def close(self) -> None:
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None


def taken(payload: bytes, topic: Topic | None, point_code: str) -> bytes | Message:
    """A payload in the form that its topic has."""
    if topic is None or topic.form == "messages":
        return payload
    try:
        return read_value(payload, topic.mine, point_code, datetime.now(UTC))
    except RefusedError:
        return payload
