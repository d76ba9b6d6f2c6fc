"""One bridge at work: from its source into the spool, from the spool into the landing folder, until it is stopped."""

from __future__ import annotations

import logging
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from minefusion.pipelines.bridges.config import BridgeConfig
from minefusion.pipelines.bridges.spool import Balance, Delivery, Spool
from minefusion.schemas.errors import InputError, MissingError
from minefusion.schemas.settings import Settings

logger = logging.getLogger(__name__)

# Deliveries that are kept with one write to the disk.
GROUP = 500
WAIT_S = 0.1
# Tries to reach a source that is lost lie twice as far apart each time, up to the longest, and not all bridges alike.
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
# What waits when the bridge is stopped has so long to reach the landing folder; else it waits in the spool.
LAST_WORDS_S = 3.0


class LostError(ConnectionError):
    """The source cannot be reached, or was lost."""


class Source(ABC):
    """Where deliveries come from. One that was not acknowledged comes again."""

    @abstractmethod
    def open(self) -> None:
        """Connect. Raises LostError."""

    @abstractmethod
    def poll(self, wait_s: float, most: int) -> Sequence[Delivery]:
        """Deliveries that came, none after `wait_s` without; in the order that `acknowledge` counts them. LostError."""

    @abstractmethod
    def acknowledge(self) -> None:
        """All that `poll` gave are on disk. Raises LostError."""

    @abstractmethod
    def close(self) -> None:
        """Disconnect; what was not acknowledged stays with the sender."""


def source_of(config: BridgeConfig, on_spark: Settings | None = None) -> Source:
    """The source that a configuration speaks of; its client is loaded only now.

    Args:
        on_spark: read Kafka by Spark's own connector, in a session of these settings, and not by a client of ours.

    Raises:
        MissingError: the client is not installed.
    """
    try:
        if config.protocol == "mqtt":
            from minefusion.pipelines.bridges.mqtt import MqttSource

            return MqttSource(config)
        if config.protocol == "kafka" and on_spark is not None:
            from minefusion.pipelines.bridges.kafka_on_spark import KafkaOnSpark

            return KafkaOnSpark(config, on_spark)
        if config.protocol == "kafka":
            from minefusion.pipelines.bridges.kafka import KafkaSource

            return KafkaSource(config)
        from minefusion.pipelines.bridges.opcua import OpcUaSource

        return OpcUaSource(config)
    except ModuleNotFoundError as error:
        raise MissingError(
            f"expected the package {error.name} for {config.protocol}, found none; pip install minefusion[bridges]"
        ) from None


def spool_of(config: BridgeConfig) -> Spool:
    return Spool(config.spool / f"{config.name}.db", config.rules, most_waiting=config.most_waiting)


def run_bridge(
    source: Source,
    spool: Spool,
    folder: Path,
    *,
    is_stopped: Callable[[], bool],
    idle_s: float | None = None,
    longest_wait_s: float = LONGEST_WAIT_S,
) -> Iterator[Balance]:
    """Carry over what comes; yields the balance whenever files were written, and at the end.

    A source that is lost is tried again and again. A landing folder that cannot be written to leaves the messages in
    the spool; a spool that is full leaves them with the sender.

    Args:
        idle_s: end after so long without a message; null: only when stopped.

    Raises:
        InputError: the landing folder is none.
    """
    if not folder.parent.is_dir():
        raise InputError(f"expected a landing folder, got {folder.parent}; make it, then start the bridge again")
    shortest_wait_s = min(SHORTEST_WAIT_S, longest_wait_s)
    wait_s, came_at, is_open = shortest_wait_s, time.monotonic(), False
    try:
        while not is_stopped() and (idle_s is None or time.monotonic() < came_at + idle_s):
            try:
                if not is_open:
                    source.open()
                    is_open, wait_s = True, shortest_wait_s
                if _carried(source, spool):
                    came_at = time.monotonic()
            except LostError as error:
                logger.warning("%s; trying again in %.1f s", error, wait_s)
                source.close()
                is_open = False
                _sleep(wait_s * random.uniform(0.5, 1.0), is_stopped)
                wait_s = min(2 * wait_s, longest_wait_s)
            if _written(spool, folder):
                yield spool.balance()
    finally:
        source.close()
    yield from _rest(spool, folder)


def _carried(source: Source, spool: Spool) -> bool:
    """Take one group over; whether any came."""
    if spool.is_full:
        time.sleep(WAIT_S)
        return False
    deliveries = source.poll(WAIT_S, GROUP)
    if deliveries:
        spool.take(deliveries)
        source.acknowledge()
    return bool(deliveries)


def _written(spool: Spool, folder: Path) -> bool:
    """Whether files were written; a folder that cannot be written to is told of, and leaves everything as it is."""
    try:
        return bool(spool.write(folder))
    except OSError as error:
        logger.warning("%s cannot be written to, messages wait in the spool: %s", folder, error)
        return False


def _rest(spool: Spool, folder: Path) -> Iterator[Balance]:
    """What still waits is written before the end, where it can be; names are a second apart."""
    until = time.monotonic() + LAST_WORDS_S
    while spool.balance().waiting and time.monotonic() < until:
        _written(spool, folder)
        time.sleep(WAIT_S)
    yield spool.balance()


def _sleep(seconds: float, is_stopped: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not is_stopped():
        time.sleep(min(WAIT_S, seconds))
