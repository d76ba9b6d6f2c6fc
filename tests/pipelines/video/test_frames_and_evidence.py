"""Frames have the time of their capture; evidence shows what happened and nobody's face."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from minefusion.pipelines.video.evidence import with_blurred_heads, with_boxes, write_clip, write_key_frame
from minefusion.pipelines.video.frames import Frame, clip_frames
from minefusion.schemas.errors import InputError

WIDTH, HEIGHT = 64, 48


def clip(path: Path, stamps: list[int], per_s: int = 25) -> Path:
    """A clip whose pictures stand at these multiples of 1/per_s seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=per_s)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), number * 2, np.uint8), format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, per_s)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_five_of_twenty_five_pictures_a_second(tmp_path: Path):
    path = clip(tmp_path / "a.mp4", list(range(50)))
    frames = list(clip_frames(path, 1000.0, 5.0))
    assert [round(frame.at - 1000.0, 2) for frame in frames] == [round(0.2 * n, 2) for n in range(10)]
    assert [frame.number for frame in frames] == list(range(0, 50, 5))
    assert frames[0].aspect == pytest.approx(WIDTH / HEIGHT)
    assert len(list(clip_frames(path, 0.0, 60.0))) == 50, "it has no more"


def test_a_rate_that_is_no_divisor_keeps_its_pace(tmp_path: Path):
    frames = list(clip_frames(clip(tmp_path / "a.mp4", list(range(100)), per_s=12), 0.0, 5.0))
    assert len(frames) == pytest.approx(100 / 12 * 5, abs=1)


def test_a_varying_rate_runs_by_its_own_stamps(tmp_path: Path):
    stamps = [*range(25), *range(25, 100, 5)]  # 25 a second, then 5
    at = [frame.at for frame in clip_frames(clip(tmp_path / "a.mp4", stamps), 0.0, 5.0)]
    assert at[-1] == pytest.approx(3.8, abs=0.05)
    assert max(b - a for a, b in itertools.pairwise(at)) < 0.45


def test_a_recorders_clock_that_is_ahead_is_put_right(tmp_path: Path):
    first = next(clip_frames(clip(tmp_path / "a.mp4", [0, 1, 2]), 1000.0, 5.0, clock_ahead_s=12.5))
    assert first.at == 987.5


def test_what_is_no_video_is_told(tmp_path: Path):
    (tmp_path / "a.mp4").write_bytes(b"no film")
    with pytest.raises(InputError, match=r"expected a video clip in .*a\.mp4"):
        list(clip_frames(tmp_path / "a.mp4", 0.0, 5.0))


def test_a_clip_that_breaks_off_gives_what_it_has(tmp_path: Path):
    whole = clip(tmp_path / "a.mkv", list(range(100))).read_bytes()
    (tmp_path / "b.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    frames = list(clip_frames(tmp_path / "b.mkv", 0.0, 25.0))
    assert 20 < len(frames) < 100


# ── evidence ────────────────────────────────────────────────────────────────────────────────────────────────────────


def detailed() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (180, 320, 3), dtype=np.uint8)


def shades(picture: np.ndarray) -> int:
    return len(np.unique(picture.reshape(-1, 3), axis=0))


def test_heads_are_unrecognisable_and_the_rest_stays():
    picture = detailed()
    body = (0.4, 0.2, 0.6, 0.9)
    out = with_blurred_heads(picture, [body])
    head = out[38:70, 130:190]
    assert shades(head) <= 9
    assert (out[100:160] == picture[100:160]).all()
    assert (picture == detailed()).all(), "the picture itself is untouched"


def test_of_a_lying_body_all_is_blurred_and_a_head_without_a_body_too():
    picture = detailed()
    lying = with_blurred_heads(picture, [(0.2, 0.7, 0.6, 0.85)])
    assert shades(lying[128:152, 66:190]) <= 9
    alone = with_blurred_heads(picture, [], [(0.5, 0.1, 0.56, 0.2)])
    assert shades(alone[19:35, 161:178]) <= 9


def test_a_head_at_the_edge_and_a_box_of_nothing_do_no_harm():
    picture = detailed()
    assert with_blurred_heads(picture, [(0.95, -0.0, 1.0, 0.5), (0.5, 0.5, 0.5, 0.5)]).shape == picture.shape


def test_boxes_are_red_around_whom_it_is_about():
    out = with_boxes(np.zeros((100, 100, 3), np.uint8), [(0.1, 0.1, 0.5, 0.5)], [(0.6, 0.6, 0.9, 0.9)])
    assert out[10, 30].tolist() == [235, 60, 50]
    assert len(set(out[60, 70].tolist())) == 1


def test_evidence_files_can_be_read_again(tmp_path: Path):
    picture = np.full((91, 121, 3), (200, 40, 40), np.uint8)  # odd sides
    write_key_frame(tmp_path / "deep" / "e.jpg", picture)
    assert (tmp_path / "deep" / "e.jpg").read_bytes()[:2] == b"\xff\xd8"
    frames = [Frame(100.0 + 0.2 * n, picture, n) for n in range(10)]
    write_clip(tmp_path / "e.mp4", frames, 5.0)
    with av.open(str(tmp_path / "e.mp4")) as film:
        read = list(film.decode(video=0))
    assert [round(float(frame.time), 2) for frame in read] == [round(0.2 * n, 2) for n in range(10)]
    assert not list(tmp_path.rglob("*.part"))
