"""Rendered roadways: same arguments, same bytes; boxes lie on what is painted; events are read off the places."""

from __future__ import annotations

import csv
import hashlib
import math
import random
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from minefusion.pipelines.simulate.video import LAYOUTS, render_pictures, simulate_video
from minefusion.pipelines.simulate.video.acting import Actor, Director, Mark, Script
from minefusion.pipelines.simulate.video.figures import PARTS, Pose, draw, looks
from minefusion.pipelines.simulate.video.film import shots
from minefusion.pipelines.simulate.video.stage import Stage
from minefusion.pipelines.simulate.video.truth import TrueEvent, events, seen
from minefusion.pipelines.simulate.video.tunnel import HEIGHT_PX, WIDTH_PX, Tunnel, tunnel
from minefusion.schemas.errors import InputError
from minefusion.schemas.site_cameras import is_code_of_the_standard, load_views

START = datetime(2026, 3, 1, tzinfo=UTC)


def digest(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


# ── layouts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_layouts_of_train_val_and_test_share_nothing():
    names = [set(each) for each in LAYOUTS.values()]
    assert not names[0] & names[1] | names[0] & names[2] | names[1] & names[2]
    assert len(LAYOUTS["test"]) >= 10
    places = [tunnel(name) for each in LAYOUTS.values() for name in each]
    assert len({place.camera_code for place in places}) == len(places)
    assert all(is_code_of_the_standard(place.camera_code) for place in places)
    assert len({(place.half_width, place.eye, place.focal) for place in places}) == len(places)
    assert tunnel("belt-101") == tunnel("belt-101")


@pytest.mark.parametrize("name", ["belt", "belt-0", "shaft-1", "belt-x"])
def test_a_layout_that_is_none_is_told(name: str):
    with pytest.raises(InputError, match=f"expected a layout such as belt-1: .* got '{name}'"):
        tunnel(name)


@pytest.mark.parametrize("name", LAYOUTS["test"])
def test_zones_in_the_picture_are_those_on_the_floor(name: str):
    place = tunnel(name)
    view = place.view()
    from minefusion.models.unsafe_behaviour.scene import Floor, is_inside

    assert view.floor is not None
    floor = Floor(view.floor)
    for zone, drawn in zip(place.zones, view.zones, strict=True):
        for x, z in ((sum(zone.x) / 2, sum(zone.z) / 2), (zone.x[0] + 0.2, zone.z[0] + 1.0)):
            (pixel,), _ = place.project(np.array([(x, zone.y, z)]))
            share = (float(pixel[0] / WIDTH_PX), float(pixel[1] / HEIGHT_PX))
            if 0 <= share[0] <= 1 and 0 <= share[1] <= 1:
                assert is_inside(drawn.corners, share)
            if zone.y == 0:
                assert floor.metres(share) == pytest.approx((x, z), abs=0.15)
        (outside,), _ = place.project(np.array([(sum(zone.x) / 2, zone.y, zone.z[1] + 1.5)]))
        assert not is_inside(drawn.corners, (float(outside[0] / WIDTH_PX), float(outside[1] / HEIGHT_PX)))


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def standing(place: Tunnel, z: float, number: int = 1, *, helmet: bool = True, vest: bool = True) -> tuple[Actor, Pose]:
    x = sum(place.walk) / 2
    who = looks(random.Random(1), helmet=helmet, vest=vest)
    marks = (Mark(0.0, x, 0.0, z, "stand"), Mark(9.0, x, 0.0, z, "stand"))
    return Actor(number, who, marks), Pose(x, 0.0, z, math.pi, "stand", 0.0)


def test_the_box_of_a_person_is_where_they_stand():
    place = tunnel("heading-1")
    canvas, owners = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8), np.zeros((HEIGHT_PX, WIDTH_PX), np.int32)
    actor, pose = standing(place, 6.0)
    draw(canvas, owners, 1, actor.looks, pose, place)
    found = seen(owners, actor, pose, int((owners // PARTS == 1).sum()))
    assert found.body is not None
    (feet, crown), _ = place.project(np.array([(pose.x, 0.0, 6.0), (pose.x, actor.looks.height, 6.0)]))
    assert found.body[3] == pytest.approx(feet[1], abs=8)
    assert found.body[1] == pytest.approx(crown[1], abs=8)
    assert {label for label, _ in found.labelled()} == {"person", "helmet", "vest"}
    beside = (canvas.sum(axis=2) > 0) & (owners == 0)
    assert beside.sum() < 0.2 * (owners > 0).sum(), "but for soft edges nothing is painted beside the person"


def test_who_is_hidden_has_the_box_of_what_is_seen_or_none():
    place = tunnel("heading-1")
    canvas, owners = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8), np.zeros((HEIGHT_PX, WIDTH_PX), np.int32)
    behind, pose_behind = standing(place, 8.0, number=1)
    before, pose_before = standing(place, 5.0, number=2)
    draw(canvas, owners, 1, behind.looks, pose_behind, place)
    alone = int((owners // PARTS == 1).sum())
    draw(canvas, owners, 2, before.looks, pose_before, place)
    hidden = seen(owners, behind, pose_behind, alone)
    assert hidden.shown < 0.6
    assert not hidden.is_judgeable
    assert seen(owners, before, pose_before, int((owners // PARTS == 2).sum())).is_judgeable


def test_the_belt_moves_and_the_rock_does_not():
    stage = Stage(tunnel("belt-1"), 1)
    first, later = stage.picture(0.0).astype(int), stage.picture(0.4).astype(int)
    moved = np.abs(first - later).sum(axis=2) > 0
    assert 0.01 < moved.mean() < 0.5
    assert stage._belt is not None
    assert not (moved & ~stage._belt).any()


# ── truth ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def happened(place: Tunnel, script: Script) -> list[TrueEvent]:
    """What is true of the script; the roadway around the people is left out, which is most of the work."""
    times = [n * 0.4 for n in range(round(script.seconds / 0.4))]
    with pytest.MonkeyPatch.context() as patch:
        blank = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
        patch.setattr(Stage, "picture", lambda _stage, _moved: blank.copy())
        patch.setattr("minefusion.pipelines.simulate.video.film.finished", lambda picture, *_: picture)
        return events(place, script, times, [shot.seen for shot in shots(place, script, 1, times)])


def demanded(found: list[TrueEvent]) -> set[str]:
    return {event.behaviour for event in found if event.is_demanded}


PLAYS = {
    "pass_bare_headed": ("heading-2", "no_helmet"),
    "pass_without_vest": ("heading-2", "no_vest"),
    "fall": ("heading-2", "lying"),
    "run_through": ("belt-3", "running"),
    "reach_onto_belt": ("belt-3", "person_on_belt"),
    "ride_belt": ("belt-3", "belt_riding"),
    "cross_belt": ("belt-3", "belt_crossing"),
    "walk_on_track": ("haulage-2", "walking_while_haulage_runs"),
    "against_the_passage": ("haulage-2", "wrong_direction"),
    "beyond_the_bar": ("heading-2", "zone_intrusion"),
    "gather": ("heading-2", "gathering"),
    "work_alone": ("chamber-2", "alone"),
}
HARMLESS = {
    "pass_by": "belt-3", "pass_together": "haulage-2", "kneel": "heading-2", "linger": "chamber-2",
    "mend_stopped_belt": "belt-3", "stand_beside_belt": "belt-3", "cross_stopped_track": "haulage-2",
    "along_the_passage": "haulage-2", "up_to_the_bar": "heading-2", "meet_within_cap": "heading-2",
    "work_in_pair": "chamber-2",
}  # fmt: skip


def played(name: str, layout: str, seed: int = 3) -> tuple[Tunnel, Script]:
    place = tunnel(layout)
    director = Director(place, random.Random(seed))
    director.script = Script(0.0)
    end = getattr(director, name)(1.0)
    director.script.seconds = end + 3.0
    return place, director.script


@pytest.mark.parametrize("play", PLAYS)
def test_each_unsafe_play_is_true(play: str):
    layout, behaviour = PLAYS[play]
    assert behaviour in demanded(happened(*played(play, layout)))


@pytest.mark.parametrize("play", HARMLESS)
def test_what_only_looks_unsafe_is_no_event(play: str):
    # An empty post is true of a chamber whose watchman the play does without.
    assert demanded(happened(*played(play, HARMLESS[play]))) <= {"post_empty"}


# ── films ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_film_is_the_same_again_and_carries_its_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("minefusion.pipelines.simulate.video.film.CLIP_S", 20.0)
    made = [
        simulate_video(["belt-3"], minutes=1, seed=4, out=tmp_path / n, truth=tmp_path / f"{n}t", start=START, fps=5,
                       quiet_share=0.0)
        for n in ("a", "b")
    ]  # fmt: skip
    assert made[0] == made[1]
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert digest(tmp_path / "at") == digest(tmp_path / "bt")
    place = tunnel("belt-3")
    clip = tmp_path / "a" / f"620000000001_{place.camera_code}_20260301080000.mp4"
    with av.open(str(clip)) as film:
        assert sum(1 for _ in film.decode(video=0)) == made[0].frames == 100
    views = load_views(tmp_path / "a" / "620000000001.site.yaml")
    assert views[place.camera_code].zones == place.view().zones
    rows = list(csv.DictReader((tmp_path / "at" / "events.csv").open(encoding="utf-8")))
    assert sum(row["is_demanded"] == "yes" for row in rows) == made[0].events
    assert {row["clip"] for row in rows} <= {clip.name}
    people = list(csv.DictReader((tmp_path / "at" / "people.csv").open(encoding="utf-8")))
    assert {row["clip"] for row in people} == {clip.name}


def test_pictures_to_train_on_hold_every_class(tmp_path: Path):
    boxes = render_pictures(LAYOUTS["train"], count=10, seed=1, out=tmp_path)
    labels = [
        line.split() for path in (tmp_path / "labels" / "train").iterdir() for line in path.read_text().splitlines()
    ]
    assert len(labels) == boxes
    assert {label[0] for label in labels} == {"0", "1", "2", "3", "4"}
    for _, x, y, w, h in labels:
        assert float(x) - float(w) / 2 >= 0
        assert float(y) + float(h) / 2 <= 1.0001
    assert "names:" in (tmp_path / "data.yaml").read_text()
