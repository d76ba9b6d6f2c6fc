"""The service's own heartbeat: what is new in the lake goes to the engine, and the engine's clock goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from minefusion.schemas.catalog import TABLES
from minefusion.serving.alarms import candidates
from minefusion.serving.alarms.candidates import SOURCES, Known
from minefusion.serving.alarms.events import Tick
from minefusion.serving.api.news import News
from minefusion.serving.api.service import Service
from minefusion.serving.reader import Reader
from minefusion.serving.video_events import sent as sent_events

logger = logging.getLogger(__name__)

# A lake in a folder is looked at each second; one in an object store, where each look costs a request a table, less.
PERIOD_S, PERIOD_FAR_S = 1.0, 5.0
# Gold is read again after so long even where nothing moved, as what is looked at moves with the clock.
LOOK_AGAIN = timedelta(hours=1)


class Watch:
    """Follows the lake and the clock, beat by beat; `run` in a thread of its own.

    `look` reads what the lake says of alarms; `known` is what it said last, null: look with the next beat.
    """

    def __init__(
        self, service: Service, news: News, look: Callable[[Reader, datetime], Known] = candidates.look
    ) -> None:
        self.service, self.news, self.look = service, news, look
        self.stopped = threading.Event()
        self.known: Known | None = None
        self._looked_at: datetime | None = None
        self._sent: tuple[int, int] | None = None
        self._forgot_at = service.room.clock()
        service.room.listen(news.tell)

    def run(self, period_s: float) -> None:
        while not self.stopped.is_set():
            self.beat()
            self.stopped.wait(period_s)

    def beat(self) -> None:
        """One look and one tick. What goes wrong is logged and told by /health, and tried again with the next beat."""
        service = self.service
        try:
            moved = self._moved()
            now = service.room.clock()
            with service.room.database.reading() as connection:
                sent = sent_events.version_of(connection)
                is_due = self.known is None or self._looked_at is None or now - self._looked_at >= LOOK_AGAIN
                if is_due or sent != self._sent or any(table.name in moved for table in SOURCES):
                    known = self.look(service.reader, now)
                    self.known = known.and_more(sent_events.candidates(connection, service.reader, known.since))
                    self._looked_at, self._sent = now, sent
            assert self.known is not None
            service.room.catch_up()
            service.room.handle(self.known.at(now))
            service.room.handle(Tick())
            if now - self._forgot_at >= LOOK_AGAIN:
                service.room.forget_finished()
                self._forgot_at = now
            if moved:
                service.versions = service.versions | moved
                self.news.tell()
            service.fault = None
        except Exception as error:
            if service.fault is None:
                logger.exception("the watch over the lake failed; it is tried again")
            service.fault = f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"

    def _moved(self) -> dict[str, int]:
        """Tables that have another version than last seen."""
        found = {name: self.service.reader.version(table) for name, table in TABLES.items()}
        return {
            name: number for name, number in found.items() if number >= 0 and self.service.versions.get(name) != number
        }
