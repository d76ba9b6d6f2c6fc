"""Rendered clips with their truth: `minefusion simulate video`, and labelled pictures to train on."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count as count_from
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.video.acting import Director, Script, posed
from minefusion.pipelines.simulate.video.figures import PARTS, draw
from minefusion.pipelines.simulate.video.stage import Stage, finished
from minefusion.pipelines.simulate.video.truth import Seen, TrueEvent, events, seen
from minefusion.pipelines.simulate.video.tunnel import HEIGHT_PX, MINE, WIDTH_PX, Kind, Tunnel, tunnel
from minefusion.schemas.site import Area, AreaKind, Camera, Edge, Node, Site, dump_site

Progress = Callable[[float, str], None]

CLIP_S = 60.0
FPS = 10
# Classes of the labelled pictures.
CLASSES = ("person", "helmet", "bare_head", "vest", "no_vest")
EVENT_COLUMNS = ("clip", "behaviour", "begins_s", "ends_s", "subject", "is_demanded")
# In pictures to train on so many go without a helmet, and so many without a vest.
CARELESS = 0.45
# The mine's clock, by which clips are named.
_LOCAL = timedelta(hours=8)


@dataclass(frozen=True)
class Filmed:
    """What was made."""

    clips: int
    frames: int
    events: int


@dataclass(frozen=True)
class Shot:
    """One rendered picture and what is in it."""

    at: float
    picture: NDArray[np.uint8]
    seen: tuple[Seen, ...]


def shots(place: Tunnel, script: Script, seed: int, times: Sequence[float]) -> Iterator[Shot]:
    """The pictures of a script at these times [s]."""
    stage = Stage(place, seed)
    dice = np.random.default_rng(random.Random(f"film {place.name} {seed}").randrange(2**32))
    for at in times:
        belt = place.belt
        canvas = stage.picture(belt.speed * script.ran_s(belt.machine_id, at) if belt else 0.0)
        owners = np.zeros((HEIGHT_PX, WIDTH_PX), dtype=np.int32)
        there = [(actor, pose) for actor in script.actors if (pose := actor.pose(at)) is not None]
        drawn = {}
        beyond = float("inf")
        for actor, pose in sorted(there, key=lambda each: -each[1].z):
            stage.cover(canvas, owners, nearer_than=beyond, down_to=pose.z)
            beyond = pose.z
            draw(canvas, owners, actor.number, actor.looks, pose, place)
            drawn[actor.number] = int((owners // PARTS == actor.number).sum())
        stage.cover(canvas, owners, nearer_than=beyond, down_to=0.0)
        people = tuple(seen(owners, actor, pose, drawn[actor.number]) for actor, pose in there)
        yield Shot(at, finished(canvas, place, dice), people)


def simulate_video(
    layouts: Sequence[str],
    *,
    minutes: int,
    seed: int,
    out: Path,
    truth: Path,
    start: datetime,
    fps: int = FPS,
    quiet_share: float = 0.4,
    progress: Progress | None = None,
) -> Filmed:
    """Render clips of one minute each, `minutes` of every layout, and what is true of them.

    In `out`: clips named as a recorder names them, the mine's site file with cameras, zones and lines, and
    machines.csv with when which machine ran. In `truth`: events.csv, and people.csv with every box. Same arguments,
    same bytes.

    Args:
        start: when the first clip begins.
        quiet_share: share of the clips in which nothing unsafe happens.
    """
    out.mkdir(parents=True, exist_ok=True)
    truth.mkdir(parents=True, exist_ok=True)
    places = [tunnel(name) for name in layouts]
    happened: list[dict[str, Any]] = []
    machines: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    frames = 0
    for number, place in enumerate(places):
        for minute in range(minutes):
            if progress:
                progress((number * minutes + minute) / (len(places) * minutes), f"{place.name} {minute + 1}")
            dice = random.Random(f"clip {place.name} {seed} {minute}")
            script = Director(place, dice).clip(CLIP_S, quiet=dice.random() < quiet_share)
            stamp = (start + _LOCAL + timedelta(minutes=minute)).strftime("%Y%m%d%H%M%S")
            clip = f"{MINE}_{place.camera_code}_{stamp}.mp4"
            times, made = film_script(out / clip, place, script, seed * 1000 + minute, fps)
            frames += len(times)
            found = events(place, script, times, made)
            happened += [event_row(clip, each) for each in found]
            boxes += [_box_row(clip, n, each) for n, picture in enumerate(made) for each in picture if each.body]
            machines += _machine_rows(clip, place, script)
    (out / f"{MINE}.site.yaml").write_text(dump_site(_site(places)), encoding="utf-8")
    _write(truth / "events.csv", EVENT_COLUMNS, happened)
    _write(truth / "people.csv", ("clip", "frame", "person", "posture", "boxes"), boxes)
    _write(out / "machines.csv", ("clip", "machine_id", "at_s", "is_running"), machines)
    demanded = sum(1 for row in happened if row["is_demanded"] == "yes")
    return Filmed(len(places) * minutes, frames, demanded)


def render_pictures(layouts: Sequence[str], *, count: int, seed: int, out: Path, split: str = "train",
                    progress: Progress | None = None) -> int:  # fmt: skip
    """Labelled pictures in YOLO's form from many moments of many scripts, `count` of them; returns how many boxes.

    Each holds two scenes, one over the other: nearly a square, so that a square network spends nothing on borders.
    `out` gets images/<split>, labels/<split> and a data.yaml that names every split that is there.
    """
    import cv2

    for folder in ("images", "labels"):
        (out / folder / split).mkdir(parents=True, exist_ok=True)
    dice = random.Random(f"pictures {split} {seed}")
    moments = _moments(layouts, dice, seed)
    boxes = 0
    for number in range(count):
        pair = [next(moments), next(moments)]
        stem = f"scene_{seed}_{number:05d}"
        quality = [cv2.IMWRITE_JPEG_QUALITY, dice.randint(60, 92)]
        both = np.concatenate([shot.picture for shot in pair])[..., ::-1]
        cv2.imwrite(str(out / "images" / split / f"{stem}.jpg"), both, quality)
        lines = [
            _yolo_line(label, box, down=n)
            for n, shot in enumerate(pair)
            for person in shot.seen
            for label, box in person.labelled()
        ]
        (out / "labels" / split / f"{stem}.txt").write_text("".join(lines), encoding="utf-8")
        boxes += len(lines)
        if progress:
            progress((number + 1) / count, stem)
    there = [each for each in ("train", "val", "test") if (out / "images" / each).is_dir()]
    told = [f"{each}: images/{each}\n" for each in there] + ["names:\n"]
    told += [f"  {number}: {label}\n" for number, label in enumerate(CLASSES)]
    (out / "data.yaml").write_text("".join(told), encoding="utf-8")
    return boxes


def _moments(layouts: Sequence[str], dice: random.Random, seed: int) -> Iterator[Shot]:
    """Moments of ever new scripts, those without people few, and as many of people in any posture anywhere."""
    for number in count_from(0):
        place = tunnel(layouts[number % len(layouts)])
        script = Director(place, dice, careless=CARELESS).clip(CLIP_S, quiet=False)
        times = sorted(dice.uniform(2.0, CLIP_S - 2.0) for _ in range(4))
        for shot in shots(place, script, seed * 1000 + number, times):
            if any(person.body for person in shot.seen) or dice.random() < 0.15:
                yield shot
        for _ in range(4):
            yield next(shots(place, posed(place, dice, CARELESS), dice.randrange(10**6), [0.5]))


def film_script(
    path: Path, place: Tunnel, script: Script, seed: int, fps: int
) -> tuple[list[float], list[tuple[Seen, ...]]]:
    """Film a whole script; times of the pictures [s] and who is seen in each."""
    times = [n / fps for n in range(round(script.seconds * fps))]
    return times, _filmed(path, shots(place, script, seed, times), fps)


def _filmed(path: Path, pictures: Iterator[Shot], fps: int) -> list[tuple[Seen, ...]]:
    import av

    people = []
    with av.open(str(path), "w", options={"movflags": "+faststart", "fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "23", "preset": "veryfast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for number, shot in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(shot.picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(stream.encode(frame))
            people.append(shot.seen)
        container.mux(stream.encode())
    return people


def _site(places: Sequence[Tunnel]) -> Site:
    views = [place.view() for place in places]
    edges = tuple(
        Edge(f"E{n + 1}", f"N{n + 1}", f"N{n + 2}", f"{MINE}{n + 1:04d}", "BELT_ROAD", None, 100.0, 12.0)
        for n in range(len(places))
    )
    kinds: dict[Kind, AreaKind] = {
        "belt": "belt_road",
        "haulage": "main_intake",
        "heading": "heading",
        "chamber": "chamber",
    }
    return Site(
        mine_code=MINE,
        name_zh="示范煤矿",
        name_en="Example mine",
        severe_hazard=False,
        areas=tuple(
            Area(f"{MINE}{n + 1:04d}", place.name, place.name, kinds[place.kind]) for n, place in enumerate(places)
        ),
        nodes=tuple(Node(f"N{n + 1}", 100.0 * n, 0.0, 0.0) for n in range(len(places) + 1)),
        edges=edges,
        cameras=tuple(
            Camera(view.camera_code, view.name_zh, view.name_en, f"E{n + 1}", 50.0) for n, view in enumerate(views)
        ),
        camera_zones=tuple(zone for view in views for zone in view.zones),
        camera_lines=tuple(line for view in views for line in view.lines),
        camera_floors=tuple(view.floor for view in views if view.floor),
    )


def event_row(clip: str, event: TrueEvent) -> dict[str, Any]:
    return {
        "clip": clip,
        "behaviour": event.behaviour,
        "begins_s": f"{event.begins_s:.2f}",
        "ends_s": f"{event.ends_s:.2f}",
        "subject": event.subject,
        "is_demanded": "yes" if event.is_demanded else "no",
    }


def _box_row(clip: str, frame: int, person: Seen) -> dict[str, Any]:
    boxes = json.dumps(dict(person.labelled()))
    return {"clip": clip, "frame": frame, "person": person.actor.number, "posture": person.pose.posture, "boxes": boxes}


def _machine_rows(clip: str, place: Tunnel, script: Script) -> Iterator[dict[str, Any]]:
    for machine in sorted({zone.machine_id for zone in place.zones if zone.machine_id}):
        changes = {0.0: script.runs(machine, 0.0)}
        for start, end in script.stopped.get(machine, ()):
            changes |= {max(0.0, start): False, end: True}
        for at in sorted(changes):
            running = script.runs(machine, at)
            yield {"clip": clip, "machine_id": machine, "at_s": f"{at:.2f}", "is_running": "yes" if running else "no"}


def _yolo_line(label: str, box: tuple[int, int, int, int], *, down: int) -> str:
    """A box in a picture of two scenes, the upper (0) or the lower one (1)."""
    left, top, right, bottom = box
    y, height = (top + bottom) / 2 + down * HEIGHT_PX, 2 * HEIGHT_PX
    numbers = ((left + right) / 2 / WIDTH_PX, y / height, (right - left) / WIDTH_PX, (bottom - top) / height)
    return f"{CLASSES.index(label)} " + " ".join(f"{number:.6f}" for number in numbers) + "\n"


def _write(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
