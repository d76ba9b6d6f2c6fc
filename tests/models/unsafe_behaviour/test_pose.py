"""Whether a body lies, by its joints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_tracking import ASPECT, body, seen

from minefusion.models.unsafe_behaviour.camera_watch import CameraWatch
from minefusion.models.unsafe_behaviour.pose import JOINTS, lies, open_pose
from minefusion.schemas.errors import InputError
from minefusion.schemas.site_cameras import View


def joints(trunk: tuple[float, float], *, sure: float = 0.9, body: float = 0.8) -> np.ndarray:
    """A network's output of one body whose shoulders lie so far from its hips, to the right and down."""
    raw = np.zeros((5 + 3 * JOINTS, 2), dtype=np.float32)
    raw[4] = 0.1, body
    points = np.full((JOINTS, 3), 0.0, dtype=np.float32)
    points[[11, 12]] = 100.0, 100.0, sure
    points[[5, 6]] = 100.0 + trunk[0], 100.0 + trunk[1], sure
    raw[5:, 1] = points.ravel()
    return raw


@pytest.mark.parametrize(
    ("trunk", "answer"),
    [((0, -50), 0.0), ((20, -50), 0.0), ((50, 0), 1.0), ((-50, -5), 1.0), ((50, -26), 0.7), ((5, 50), 1.0)],
    ids=["upright", "leans", "lies", "lies to the left", "half", "head down"],
)
def test_the_trunk_says_whether_a_body_lies(trunk: tuple[float, float], answer: float):
    assert lies(joints(trunk)) == pytest.approx(answer, abs=0.05)


def test_what_is_not_seen_well_says_nothing():
    assert lies(joints((50, 0), sure=0.2)) is None
    assert lies(joints((50, 0), body=0.2)) is None


def test_only_who_may_lie_is_looked_at_and_the_joints_decide():
    asked = []

    def pose(_picture: np.ndarray, box: tuple[float, float, float, float]) -> float | None:
        asked.append(box)
        return 0.0

    watch = CameraWatch(View("c", "m"), 5.0, pose=pose)
    picture = np.zeros((90, 160, 3), dtype=np.uint8)
    lying = ("person", 0.9, (0.5, 0.7, 0.8, 0.85))
    for n in range(4):
        look = watch.look(seen(body(0.2), lying), n * 0.2, ASPECT, picture=picture)
    assert {round(person.box[0], 1): person.lying for person in look.people} == {0.2: 0.0, 0.5: 0.0}
    assert {box[0] for box in asked} == {0.5}


def test_the_shipped_network_says_nothing_of_noise():
    judge = open_pose("yolov8n_pose")
    noise = np.random.default_rng(1).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    assert judge(noise, (0.1, 0.1, 0.5, 0.9)) is None


def test_a_model_that_is_none_is_told():
    with pytest.raises(InputError, match=r"expected a pose model, got 'no\.onnx'"):
        open_pose("no.onnx")
    with pytest.raises(InputError, match="expected a pose network of 17 joints"):
        open_pose(Path(__file__).parents[3] / "models/unsafe_behaviour/shipped/yolox_nano/yolox_nano.onnx")
