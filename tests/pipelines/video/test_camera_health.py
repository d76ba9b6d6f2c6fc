"""A camera's picture goes bad in every way there is, and is told so; people, belts and dust are not bad pictures."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from minefusion.pipelines.simulate.video.stage import Stage, finished
from minefusion.pipelines.simulate.video.tunnel import tunnel
from minefusion.pipelines.video.camera_health import LASTING_S, CameraHealth, Fault

Picture = NDArray[np.uint8]
PLACE = tunnel("belt-2")
STAGE = Stage(PLACE, 1)
GOOD_S, BAD_S = 10, 20


def good(at: int) -> Picture:
    """The roadway with its belt running, dust and noise."""
    return finished(STAGE.picture(1.5 * at), PLACE, np.random.default_rng(at))


def covered(picture: Picture) -> Picture:
    """A cloth over most of the lens."""
    out = picture.copy()
    out[:, :520] = (70, 65, 60)
    return out


def other_view(picture: Picture) -> Picture:
    """Pushed aside by a tenth of the picture."""
    return np.ascontiguousarray(np.roll(picture, 64, axis=1))


BAD: dict[str, Callable[[Picture], Picture]] = {
    "dark": lambda picture: (picture * 0.03).astype(np.uint8),
    "overexposed": lambda picture: np.full_like(picture, 253),
    "blurred": lambda picture: cv2.GaussianBlur(picture, (0, 0), 12.0).astype(np.uint8),
    "blocked": covered,
    "moved": other_view,
}


def told(pictures: list[Picture]) -> list[Fault]:
    health = CameraHealth("62000000411320000001", ("东巷", "east road"))
    return [fault for at, picture in enumerate(pictures) for fault in health.look(picture, float(at))]


@pytest.mark.parametrize("code", BAD)
def test_a_bad_picture_is_told_once_with_its_end(code: str):
    pictures = [good(at) for at in range(GOOD_S)]
    pictures += [BAD[code](good(GOOD_S + at)) for at in range(BAD_S)]
    pictures += [good(50 + at) for at in range(6)]
    faults = told(pictures)
    assert [(fault.code, fault.ended_at is None) for fault in faults] == [(code, True), (code, False)]
    assert faults[0].began_at == GOOD_S
    assert faults[0].told_at - faults[0].began_at <= LASTING_S[code]
    assert faults[0].sentence_zh.startswith("东巷：")
    assert "for" in faults[0].sentence_en


def test_a_frozen_picture():
    pictures = [good(at) for at in range(GOOD_S)] + [good(GOOD_S)] * BAD_S
    assert [fault.code for fault in told(pictures)] == ["frozen"]


def test_a_stream_without_pictures_is_told_within_30_s():
    health = CameraHealth("62000000411320000001")
    faults = [fault for at in range(31) for fault in health.silent(float(at), 100.0 + at)]
    assert [fault.code for fault in faults] == ["lost"]
    assert faults[0].told_at - faults[0].began_at <= 30.0
    assert health.faults == ("lost",)
    assert [fault.ended_at is not None for at in range(5) for fault in health.look(good(at), 140.0 + at)] == [True]


def test_people_a_running_belt_and_dust_are_no_fault():
    pictures = []
    for at in range(60):
        picture = good(at)
        picture[100:350, 40 + at * 4 : 140 + at * 4] = (60, 50, 45)  # somebody close by walks past
        pictures.append(picture)
    assert told(pictures) == []


def test_a_second_of_darkness_is_no_fault():
    pictures = [good(at) for at in range(GOOD_S)] + [BAD["dark"](good(99))] * 2 + [good(at) for at in range(20, 30)]
    assert told(pictures) == []
