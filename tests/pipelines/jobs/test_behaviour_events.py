"""Clips and a file of true events in, scores out; a run that was cut off goes on from what it kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from painted_clips import PaintDetector, paint_clip
from test_clips import CAMERA

from minefusion.pipelines.jobs.evaluate.behaviour_events import evaluate_behaviour_events, true_events
from minefusion.schemas.errors import InputError

CLIP = f"620000000001_{CAMERA}_20260301120000.mp4"
CAMERAS = f"""
mine_code: "620000000001"
cameras:
  - {{camera_code: "{CAMERA}"}}
  - {{camera_code: "62000000411320000009", clip: "by name.mp4", behaviours: "no_vest"}}
camera_zones:
  - {{camera_code: "{CAMERA}", zone_id: Z1, kind: belt, name_zh: 皮带, name_en: belt, machine_id: B1,
     corners: [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}}
"""


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Somebody on the belt from 2 s to 5 s."""
    folder = tmp_path / "clips"
    folder.mkdir()
    paint_clip(folder / CLIP, 8, lambda t: 0.7 if 2 <= t < 5 else 0.2)
    (folder / "cameras.yaml").write_text(CAMERAS, encoding="utf-8")
    return folder


def told(folder: Path, *rows: str) -> Path:
    path = folder.parent / "events.csv"
    path.write_text("\n".join(("clip,behaviour,begins_s,ends_s,is_demanded", *rows)) + "\n", encoding="utf-8")
    return path


def scored(clips: Path, events: Path, **given: Any) -> dict[str, Any]:
    return evaluate_behaviour_events(clips, events, PaintDetector(), pictures_per_s=5.0, **given)


def test_an_event_that_is_found_and_one_that_is_missed(clips: Path):
    events = told(clips, f"{CLIP},person_on_belt,2.0,5.0,yes", f"{CLIP},lying,2.0,5.0,yes", f"{CLIP},running,2,3,no")
    found = scored(clips, events)
    assert (found["clips"], found["events"], found["found"], found["false"]) == (1, 2, 1, 0)
    # Three pictures until somebody new counts, then the rule's own time.
    assert found["by_behaviour"]["person_on_belt"]["delay_s"]["p50"] == pytest.approx(1.0, abs=0.21)
    assert found["hours"] == pytest.approx(8 / 3600, abs=0.001)


def test_a_belt_that_stands_by_the_folders_machines(clips: Path):
    (clips / "machines.csv").write_text(f"clip,machine_id,at_s,is_running\n{CLIP},B1,0.0,no\n", encoding="utf-8")
    assert scored(clips, told(clips))["alarms"] == 0
    (clips / "machines.csv").write_text(
        f"clip,machine_id,at_s,is_running\n{CLIP},B1,0.0,no\n{CLIP},B1,3.0,yes\n", encoding="utf-8"
    )
    assert scored(clips, told(clips))["alarms"] == 1


def test_a_camera_has_the_rules_that_its_file_gives_it_also_by_the_clips_name(clips: Path):
    paint_clip(clips / "by name.mp4", 4, lambda _: 0.7, head="bare_head")
    assert scored(clips, told(clips))["by_behaviour"].keys() == {"person_on_belt"}


def test_what_a_clip_came_to_is_kept(clips: Path, tmp_path: Path):
    class Once(PaintDetector):
        calls = 0

        def detect(self, pictures):  # type: ignore[no-untyped-def]
            Once.calls += 1
            return super().detect(pictures)

    events = told(clips, f"{CLIP},person_on_belt,2.0,5.0,yes")
    runs = [
        evaluate_behaviour_events(clips, events, Once(), pictures_per_s=5.0, keep=tmp_path / "kept") for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert Once.calls == 5, "forty pictures, eight at a time, once"
    # Another zone is another question.
    (clips / "cameras.yaml").write_text(CAMERAS.replace("[0.5, 0]", "[0.9, 0]").replace("[0.5, 1]", "[0.9, 1]"))
    assert scored(clips, events, keep=tmp_path / "kept")["found"] == 0


@pytest.mark.parametrize(
    ("row", "told_as"),
    [
        ("other.mp4,lying,1,2,yes", "expected 'clip' in .* line 2 to name a clip of the folder, got 'other.mp4'"),
        (f"{CLIP},dancing,1,2,yes", "expected 'behaviour' in .* line 2 to be declared, got 'dancing'"),
        (f"{CLIP},lying,soon,2,yes", "expected begins_s and ends_s in .* line 2 as seconds"),
    ],
)
def test_a_mistake_in_the_events_is_told(clips: Path, row: str, told_as: str):
    with pytest.raises(InputError, match=told_as):
        true_events(told(clips, row), [CLIP])


def test_a_folder_without_clips_is_told(tmp_path: Path):
    with pytest.raises(InputError, match="expected video clips in"):
        scored(tmp_path, tmp_path / "events.csv")
