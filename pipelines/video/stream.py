"""A live stream that always gives its newest picture, counts those it drops, and comes back by itself.

Each stream has a thread of its own that decodes; who takes pictures never waits for it, and a stream that is cut stops
no other. A picture is stamped by its place in the stream beside the least delayed one so far, so that a burst after a
jam does not pretend to be new.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from minefusion.pipelines.video.frames import Frame, as_rgb
from minefusion.schemas.site_cameras import CameraStream

logger = logging.getLogger(__name__)

# After a cut the next try waits so long, then twice as long, up to the last.
FIRST_WAIT_S, LAST_WAIT_S = 0.5, 15.0
# A stream that says nothing for so long is cut: opening and reading alike.
SILENT_S = 5.0
# Stamps that stray further from the wall clock begin anew: the sender's clock was set, or the stream began again.
STRAYS_S = 5.0
# The least delayed picture is forgotten so slowly [s per s], since no two clocks run alike.
_DRIFT = 1e-3
# Clocks of streams are round numbers: a picture may come so early [s].
_EARLY_S = 0.002
_PASSWORD = re.compile(r"//[^@/]*@")

Opened = Callable[[str], AbstractContextManager[Iterator[tuple[float | None, Any]]]]


class LiveStream:
    """The newest picture of one stream.

    Attributes:
        decoded, dropped, cuts: pictures so far, those that a newer one replaced before anybody took them, and times
            that the stream was lost.
    """

    def __init__(
        self, told: CameraStream, *, opened: Opened | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.told = told
        self.decoded = self.dropped = self.cuts = 0
        self._open = opened or open_stream
        self._clock = clock
        self._newest: Frame | None = None
        self._seen_at: float | None = None
        self._began_at = clock()
        self._offset: float | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"stream {told.camera_code}", daemon=True)

    def start(self) -> LiveStream:
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread, at the latest when its stream has been silent for SILENT_S."""
        self._stopped.set()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def take(self) -> Frame | None:
        """The newest picture, once; None where none is new."""
        with self._lock:
            frame, self._newest = self._newest, None
            return frame

    @property
    def is_waiting(self) -> bool:
        """Whether a picture is there to be taken."""
        return self._newest is not None

    def silent_s(self) -> float:
        """For how long no picture has come."""
        return self._clock() - (self._seen_at if self._seen_at is not None else self._began_at)

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stopped.is_set():
            before = self.decoded
            try:
                with self._open(self.told.address) as pictures:
                    self._read(pictures)
                why = "it ended"
            except Exception as error:  # whatever a foreign camera sends must not end the thread
                why = f"{type(error).__name__}: {error}"
            if self._stopped.is_set():
                return
            self.cuts += 1
            self._offset = None
            if self.decoded > before:
                wait_s = FIRST_WAIT_S
            logger.warning("%s: stream lost (%s); next try in %.1f s", self.told.camera_code, shown(why), wait_s)
            self._stopped.wait(wait_s)
            wait_s = min(2 * wait_s, LAST_WAIT_S)

    def _read(self, pictures: Iterator[tuple[float | None, Any]]) -> None:
        period_s = 1.0 / self.told.pictures_per_s
        due: float | None = None
        for number, (stamp, frame) in enumerate(pictures, self.decoded):
            if self._stopped.is_set():
                return
            now = self._clock()
            at = self._captured_at(stamp, now)
            self._seen_at = now
            # Pictures beyond the wanted rate are not even turned into colours.
            if due is None or at >= due - _EARLY_S:
                due = at + period_s if due is None or at - due > 1.0 else due + period_s
                self._offer(Frame(at, as_rgb(frame), number))
            self.decoded = number + 1

    def _offer(self, frame: Frame) -> None:
        with self._lock:
            self.dropped += self._newest is not None
            self._newest = frame

    def _captured_at(self, stamp: float | None, now: float) -> float:
        if stamp is None:
            return now
        offset = now - stamp
        if self._offset is None or abs(offset - self._offset) > STRAYS_S:
            self._offset = offset
        self._offset = min(offset, self._offset + _DRIFT / self.told.pictures_per_s)
        return stamp + self._offset


@contextmanager
def open_stream(address: str) -> Iterator[Iterator[tuple[float | None, Any]]]:
    """The frames of an RTSP stream or a file as (stamp [s] or None, frame)."""
    import av

    options = {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay"} if "://" in address else {}
    with av.open(address, options=options, timeout=(SILENT_S, SILENT_S)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "SLICE"  # frame threads would hold pictures back
        yield ((frame.time, frame) for frame in container.decode(stream))


def shown(address: str) -> str:
    """An address without its password."""
    return _PASSWORD.sub("//…@", address)
