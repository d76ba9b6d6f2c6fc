"""OPC UA: the variables of one server as points. What was missed while it was lost is read from its history."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncua import ua
from asyncua.sync import Client

from minefusion.pipelines.bridges.bridge import LostError, Source
from minefusion.pipelines.bridges.config import BridgeConfig
from minefusion.pipelines.bridges.message import point_value
from minefusion.pipelines.bridges.spool import Delivery

logger = logging.getLogger(__name__)

# Values that wait in memory; what the server sends beyond is read from its history.
MOST_IN_MEMORY = 50_000
# Values that the server keeps for us between two publications, per variable.
AT_THE_SERVER = 100
SECONDS_BETWEEN_SIGNS_OF_LIFE = 1.0
# After a start nothing is known of what came before; so far back the history is read, and what is known is known.
HISTORY = timedelta(hours=1)
CONNECT_S = 5.0


class OpcUaSource(Source):
    """Data changes of the configured variables; each value is a message of one row."""

    def __init__(self, config: BridgeConfig) -> None:
        self.config = config
        self._nodes = {ua.NodeId.from_string(node.node).to_string(): node for node in config.nodes}
        self._newest: dict[str, datetime] = {}
        self._client: Client | None = None
        self._came: queue.Queue[tuple[str, ua.DataValue]] = queue.Queue(MOST_IN_MEMORY)
        self._given: list[Delivery] = []
        self._overflowed = False
        self._alive_at = 0.0

    def open(self) -> None:
        options = self.config.options
        endpoint = options.get("endpoint", "opc.tcp://localhost:4840")
        client = Client(endpoint, timeout=CONNECT_S)
        self._overflowed = False
        try:
            if options.get("username"):
                client.set_user(options["username"])
                client.set_password(self.config.password or "")
            if options.get("security"):
                client.set_security_string(options["security"])
            client.connect()
            self._client = client
            variables = {name: client.get_node(name) for name in self._nodes}
            subscription = client.create_subscription(int(options.get("period_ms", 500)), self)
            subscription.subscribe_data_change(list(variables.values()), queuesize=AT_THE_SERVER)
            if options.get("history", True):
                for name, variable in variables.items():
                    self._read_history(name, variable)
        except Exception as error:  # the client raises many kinds
            self._client = client
            self.close()
            raise LostError(f"expected an OPC UA server at {endpoint}, got: {_told(error)}") from None
        self._alive_at = time.monotonic()

    def _read_history(self, name: str, variable: Any) -> None:
        since = self._newest.get(name, datetime.now(UTC) - HISTORY)
        try:
            values = variable.read_raw_history(since, datetime.now(UTC))
        except ua.UaStatusCodeError as error:
            logger.info("%s keeps no history (%s)", name, _told(error))
            return
        for value in values:
            self._put(name, value)

    def datachange_notification(self, node: Any, _value: Any, data: Any) -> None:
        """Called by the client for each value that the server sends."""
        self._put(node.nodeid.to_string(), data.monitored_item.Value)

    def _put(self, name: str, value: ua.DataValue) -> None:
        try:
            self._came.put_nowait((name, value))
        except queue.Full:
            self._overflowed = True

    def poll(self, wait_s: float, most: int) -> Sequence[Delivery]:
        self._ask_for_life()
        until = time.monotonic() + wait_s
        while len(self._given) < most:
            left = 0.0 if self._given else until - time.monotonic()
            try:
                name, value = self._came.get(timeout=left) if left > 0 else self._came.get_nowait()
            except queue.Empty:
                break
            delivery = self._delivery(name, value)
            if delivery is not None:
                self._given.append(delivery)
        return self._given

    def _ask_for_life(self) -> None:
        if self._overflowed and self._came.empty():
            raise LostError("more values came than could be kept; reading the server's history")
        if time.monotonic() < self._alive_at + SECONDS_BETWEEN_SIGNS_OF_LIFE:
            return
        assert self._client is not None
        try:
            self._client.get_node(ua.ObjectIds.Server_ServerStatus_CurrentTime).read_value()
        except Exception as error:
            raise LostError(f"the OPC UA server was lost: {_told(error)}") from None
        self._alive_at = time.monotonic()

    def _delivery(self, name: str, value: ua.DataValue) -> Delivery | None:
        """A value that is no number or has no time says nothing of a point."""
        at = value.SourceTimestamp or value.ServerTimestamp
        told = value.Value.Value if value.Value is not None else None
        is_bad = value.StatusCode is not None and not value.StatusCode.is_good()
        if at is None or not (isinstance(told, bool | int | float) or is_bad):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        self._newest[name] = max(at, self._newest.get(name, at))
        node = self._nodes[name]
        number = None if told is None else float(told)
        return Delivery(point_value(node.mine, node.point_code, number, at, about=node.about, is_bad=is_bad))

    def acknowledge(self) -> None:
        self._given = []

    def close(self) -> None:
        if self._client is not None:
            try:
                self._client.disconnect()
            except Exception as error:
                logger.debug("the OPC UA server did not hear the goodbye: %s", _told(error))
            self._client = None


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__
