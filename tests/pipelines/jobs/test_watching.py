"""Live cameras in one process: what is told each second, what is kept, and that one camera does not hold up another."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from painted_clips import PaintDetector, painted
from small_mine import MINE, rows_of

from minefusion.pipelines.engines.light import LightEngine
from minefusion.pipelines.jobs.video.live_record import LiveRecord
from minefusion.pipelines.jobs.video.plant_state import PlantState
from minefusion.pipelines.jobs.video.watching import Second, Watching
from minefusion.pipelines.video.frames import Frame
from minefusion.schemas import gold, silver
from minefusion.schemas.site_cameras import CameraStream, CameraZone, View

START = datetime(2026, 3, 1, 4, tzinfo=UTC).timestamp()
CODES = ("62000000411320000001", "62000000411320000002")
PER_S = 5


@dataclass
class Clock:
    """Time that goes on by so much each time it is asked."""

    now: float = START
    step: float = 0.01

    def __call__(self) -> float:
        self.now += self.step
        return self.now


class FilmedStream:
    """Stands in for a LiveStream: its picture at any time is what `film` shows, None while it is cut."""

    def __init__(self, clock: Clock, film: Callable[[float], np.ndarray | None]) -> None:
        self.clock, self.film = clock, film
        self.decoded = self.dropped = self.cuts = 0
        self._next, self._seen = START, START

    def start(self) -> FilmedStream:
        return self

    def stop(self) -> None: ...

    def join(self, timeout_s: float) -> None: ...

    def silent_s(self) -> float:
        return self.clock.now - self._seen

    def take(self) -> Frame | None:
        if self.clock.now < self._next:
            return None
        late = int((self.clock.now - self._next) * PER_S)
        self.dropped += late
        at = self._next + late / PER_S
        self._next = at + 1 / PER_S
        picture = self.film(at - START)
        if picture is None:
            return None
        self.decoded, self._seen = self.decoded + 1, self.clock.now
        return Frame(at, picture, self.decoded)


def view(code: str) -> View:
    zone = CameraZone(code, "Z1", "forbidden", "警戒区", "barred", ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)))
    stream = CameraStream(code, "rtsp://example/1", PER_S)
    return View(code, MINE, "东巷", "east road", f"{MINE}0001", stream=stream, zones=(zone,))


def walker(t: float) -> np.ndarray:
    """In the barred half between 4 and 9 s."""
    noise = np.random.default_rng(round(t * 100)).integers(0, 6, (180, 320, 1), dtype=np.uint8)
    return painted(0.6 if 4 <= t < 9 else 0.2) + noise


def watched(
    films: dict[str, Callable[[float], np.ndarray | None]], seconds: float, record: LiveRecord | None = None
) -> list[Second]:
    clock = Clock()
    streams = {code: FilmedStream(clock, film) for code, film in films.items()}
    watching = Watching(
        {code: view(code) for code in films}, PaintDetector(), record=record, clock=clock,
        streams=lambda each: streams[each.camera_code],  # type: ignore[arg-type, return-value]
    )  # fmt: skip
    return list(watching.seconds(lambda: clock.now >= START + seconds))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minefusion.pipelines.jobs.video.watching._PAUSE_S", 0.0)


def test_each_second_is_told_and_an_event_is_raised_once():
    told = watched(dict.fromkeys(CODES, walker), 14)
    busy = told[2:12]
    assert all(second.streams == 2 for second in busy)
    assert sum(second.pictures for second in busy) == pytest.approx(2 * PER_S * len(busy), abs=4)
    assert all((second.delay_s_p95 or 0) < 0.5 for second in busy)
    raised = [event for second in told for event in second.raised]
    assert sorted((event.camera_code, event.behaviour.code) for event in raised) == [
        (code, "zone_intrusion") for code in CODES
    ]
    assert all(event.raised_at - START < 6.0 for event in raised)
    ended = [event for second in told for event in second.ended]
    assert [event.ended_at - START for event in ended if event.ended_at] == [pytest.approx(8.8, abs=0.21)] * 2


def test_a_cut_camera_is_told_and_the_other_runs_on():
    def cut(t: float) -> np.ndarray | None:
        return None if 5 < t < 20 else walker(t)

    told = watched({CODES[0]: walker, CODES[1]: cut}, 26)
    faults = [(fault.camera_code, fault.code, fault.ended_at is None) for second in told for fault in second.faults]
    assert faults == [(CODES[1], "lost", True), (CODES[1], "lost", False)]
    during = told[10:18]
    assert [second.streams for second in during] == [1] * len(during)
    assert sum(second.pictures for second in during) == pytest.approx(PER_S * len(during), abs=3)


def test_a_slow_machine_drops_pictures_and_is_not_late():
    """Twenty cameras on a machine that does two pictures in the time: the delay stays, the rate falls."""

    class Slow(PaintDetector):
        def detect(self, pictures):  # type: ignore[no-untyped-def]
            clock.now += 0.5
            return super().detect(pictures)

    clock = Clock()
    stream = FilmedStream(clock, walker)
    watching = Watching({CODES[0]: view(CODES[0])}, Slow(), clock=clock, streams=lambda _: stream)  # type: ignore[arg-type, return-value]
    told = list(watching.seconds(lambda: clock.now >= START + 20))
    delays = [second.delay_s_p95 for second in told if second.delay_s_p95 is not None]
    assert max(delays) < 1.0
    assert max(delays[-3:]) < 1.3 * max(delays[:3]), "it does not creep up"
    assert sum(second.dropped for second in told) > 20


def test_what_was_seen_is_kept_with_evidence_and_end(light: LightEngine):
    record = LiveRecord(light, "paint-1")
    watched({CODES[0]: walker}, 75, record)
    (event,) = rows_of(light, gold.UNSAFE_BEHAVIOUR).to_dicts()
    assert (event["clip_id"], event["behaviour"], event["area_id"]) == ("live", "zone_intrusion", f"{MINE}0001")
    assert event["ended_at"].timestamp() - START == pytest.approx(8.8, abs=0.21)
    assert event["revision"] >= 1, "written when it was raised, and again when it ended"
    assert 0.4 < event["delay_s"] < 2.0
    for name in ("snapshot_uri", "clip_uri"):
        assert (light.settings.lake / event[name]).stat().st_size > 1000
    minutes = rows_of(light, silver.CAMERA_MINUTE).to_dicts()
    assert [(row["pictures"], row["people_max"], json.loads(row["faults"])) for row in minutes] == [
        (pytest.approx(300, abs=12), 1, []), (pytest.approx(75, abs=12), 1, []),
    ]  # fmt: skip
    assert all(row["delay_s"] < 0.5 for row in minutes)


def test_what_the_mine_knows_of_machines_is_asked_for():
    asked = []

    def plant() -> PlantState:
        asked.append(1)
        return PlantState({"B1": ([START - 10.0], [0.0])}, {})

    belt = replace(view(CODES[0]).zones[0], kind="belt", machine_id="B1")
    clock = Clock()
    seen = replace(view(CODES[0]), zones=(belt,))
    stream = FilmedStream(clock, walker)
    watching = Watching({CODES[0]: seen}, PaintDetector(), plant=plant, clock=clock, streams=lambda _: stream)  # type: ignore[arg-type, return-value]
    told = list(watching.seconds(lambda: clock.now >= START + 12))
    assert not [event for second in told for event in second.raised], "the belt stands"
    assert 1 <= len(asked) <= 3


def test_the_command_names_what_it_needs(tmp_path: Path):
    from minefusion.cli.app import run

    path = tmp_path / "cameras.yaml"
    path.write_text(f'mine_code: "{MINE}"\ncameras: [{{camera_code: "{CODES[0]}"}}]\n', encoding="utf-8")
    assert run(["watch", "--cameras", str(path)]) == 2
