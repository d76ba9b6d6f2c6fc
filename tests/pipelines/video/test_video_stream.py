"""A live stream: the newest picture counts, what is dropped is counted, a cut stream comes back; with RTSP for real."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from minefusion.pipelines.video import stream as stream_module
from minefusion.pipelines.video.camera_health import CameraHealth
from minefusion.pipelines.video.stream import LiveStream, shown
from minefusion.schemas.site_cameras import CameraStream

CAMERA = "62000000411320000001"
WAIT_S = 20.0
WIDTH, HEIGHT = 64, 48


def told(address: str = "rtsp://example/1", rate: float = 5.0) -> CameraStream:
    return CameraStream(CAMERA, address, rate)


def picture(number: int) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), number % 200, dtype=np.uint8), format="rgb24")


def until(holds: Callable[[], bool], what: str, wait_s: float = WAIT_S) -> None:
    deadline = time.monotonic() + wait_s
    while not holds():
        assert time.monotonic() < deadline, f"waited {wait_s} s for {what}"
        time.sleep(0.01)


class Script:
    """A camera that sends what the test tells it to."""

    def __init__(self) -> None:
        self.opened = 0
        self.now = 1000.0
        self.go = threading.Semaphore(0)
        self.sent: list[tuple[float | None, Any]] = []
        self.is_cut = False

    @contextmanager
    def open(self, _address: str) -> Iterator[Iterator[tuple[float | None, Any]]]:
        self.opened += 1
        yield self._pictures()

    def _pictures(self) -> Iterator[tuple[float | None, Any]]:
        while True:
            self.go.acquire()
            if self.is_cut:
                self.is_cut = False
                raise OSError("connection reset")
            yield self.sent.pop(0)

    def send(self, stamp: float, number: int) -> None:
        """A picture that arrives when it was taken."""
        self.now = 1000.0 + stamp
        self.sent.append((stamp, picture(number)))
        self.go.release()

    def cut(self) -> None:
        self.is_cut = True
        self.go.release()


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Script, LiveStream]]:
    monkeypatch.setattr(stream_module, "FIRST_WAIT_S", 0.01)
    script = Script()
    live = LiveStream(told(), opened=script.open, clock=lambda: script.now).start()
    yield script, live
    live.stop()
    script.cut()
    live.join(WAIT_S)


def test_the_newest_picture_is_taken_once_and_dropped_ones_are_counted(camera: tuple[Script, LiveStream]):
    script, live = camera
    for number in range(4):
        script.send(number * 0.2, number)
        until(lambda n=number: live.decoded == n + 1, "a picture")
    frame = live.take()
    assert frame is not None
    assert (frame.number, int(frame.picture[0, 0, 0])) == (3, 3)
    assert (live.dropped, live.take()) == (3, None)


def test_more_pictures_than_wanted_are_not_even_turned_into_colours(camera: tuple[Script, LiveStream]):
    script, live = camera
    taken = []
    for number in range(26):  # 25 a second where 5 are wanted
        script.send(number / 25, number)
        until(lambda n=number: live.decoded == n + 1, "a picture")
        taken += [frame.number for frame in [live.take()] if frame]
    assert taken == [0, 5, 10, 15, 20, 25]
    assert live.dropped == 0


def test_a_burst_after_a_jam_is_stamped_when_it_was_captured(camera: tuple[Script, LiveStream]):
    script, live = camera
    script.send(0.0, 0)
    until(lambda: live.decoded == 1, "a picture")
    assert live.take().at == pytest.approx(1000.0)  # type: ignore[union-attr]
    script.now = 1003.0  # nothing came for three seconds, then all at once
    for number in range(1, 11):
        script.sent.append((number * 0.2, picture(number)))
    script.go.release(10)
    until(lambda: live.decoded == 11, "the burst")
    newest = live.take()
    assert newest is not None
    assert newest.at == pytest.approx(1002.0, abs=0.05), "two seconds into the stream, not now"


def test_a_cut_stream_is_opened_again(camera: tuple[Script, LiveStream], caplog: pytest.LogCaptureFixture):
    script, live = camera
    script.send(0.0, 1)
    until(lambda: live.decoded == 1, "a picture")
    with caplog.at_level(logging.WARNING):
        script.cut()
        until(lambda: script.opened == 2, "the second try")
    assert live.cuts == 1
    assert "stream lost (OSError: connection reset)" in caplog.text
    script.send(0.0, 2)
    until(lambda: live.decoded == 2, "a picture of the new connection")


def test_passwords_are_never_shown():
    assert shown("rtsp://admin:secret@10.0.0.1:554/ch1") == "rtsp://…@10.0.0.1:554/ch1"


# ── over the network ────────────────────────────────────────────────────────────────────────────────────────────────


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RtspServer:
    """An RTSP server of its own process that plays a film over and over."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.start()

    def start(self) -> None:
        serve = f"serve({str(self.folder)!r}, '127.0.0.1', {self.port})"
        code = f"import asyncio; from aio_rtsp_toolkit.server import serve; asyncio.run({serve})"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    @property
    def address(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/film.mp4"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[RtspServer]]:
    with av.open(str(tmp_path / "film.mp4"), "w") as film:
        video = film.add_stream("libx264", rate=10, options={"preset": "ultrafast", "tune": "zerolatency", "g": "5"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(600):
            frame = picture(number * 3)
            frame.pts, frame.time_base = number, Fraction(1, 10)
            film.mux(video.encode(frame))
        film.mux(video.encode())
    made = [RtspServer(tmp_path, free_port()) for _ in range(2)]
    yield made
    for server in made:
        server.kill()


def test_of_two_rtsp_streams_one_is_cut_alarms_and_returns_while_the_other_runs_on(
    servers: list[RtspServer], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(stream_module, "LAST_WAIT_S", 0.5)
    whole, cut = (LiveStream(told(server.address)).start() for server in servers)
    until(lambda: whole.decoded > 5 and cut.decoded > 5, "both streams")
    servers[1].kill()
    health, began, before, cuts = CameraHealth(CAMERA), time.monotonic(), whole.decoded, whole.cuts
    faults = []
    while not faults:
        faults = health.silent(cut.silent_s(), time.time())
        assert time.monotonic() - began < 30.0, "a lost stream is told within 30 s"
        time.sleep(0.05)
    lasted = time.monotonic() - began
    assert [fault.code for fault in faults] == ["lost"]
    assert cut.cuts >= 1
    # The other one kept its ten pictures a second.
    assert whole.decoded - before >= 0.7 * 10 * lasted
    assert whole.cuts == cuts
    seen = cut.decoded
    servers[1].start()
    until(lambda: cut.decoded > seen + 3, "the stream to return")
    frame = cut.take()
    assert frame is not None
    assert abs(time.time() - frame.at) < 2.0
    for each in (whole, cut):
        each.stop()
