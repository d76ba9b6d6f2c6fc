"""Evidence of an event: its key frame and a short clip, with boxes, and with every head made unrecognisable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.video.frames import Frame

Box = tuple[float, float, float, float]
Picture = NDArray[np.uint8]

# The upper part of a person's box that holds the head; of a body that is wider than high the head may be anywhere.
HEAD_SHARE = 0.3
# A clip shows so long before the beginning and after the picture that made it certain [s].
BEFORE_S, AFTER_S = 5.0, 5.0
_RED, _WHITE = (235, 60, 50), (230, 230, 230)


def with_blurred_heads(picture: Picture, bodies: Iterable[Box], heads: Iterable[Box] = ()) -> Picture:
    """The picture with each head as a few large squares.

    Args:
        bodies: boxes of people; heads: boxes of heads that were seen as such, also without a body. Shares.
    """
    out = picture.copy()
    height, width = picture.shape[:2]
    for left, top, right, bottom in bodies:
        stands = (bottom - top) * height >= (right - left) * width
        _coarse(out, (left, top, right, top + (bottom - top) * HEAD_SHARE if stands else bottom))
    for box in heads:
        _coarse(out, box)
    return out


def _coarse(picture: Picture, box: Box) -> None:
    height, width = picture.shape[:2]
    # A little more than the box: detectors cut close.
    more = 0.15 * (box[2] - box[0])
    left, right = (int(np.clip(x * width, 0, width)) for x in (box[0] - more, box[2] + more))
    top, bottom = (int(np.clip(y * height, 0, height)) for y in (box[1] - more, box[3]))
    if right <= left or bottom <= top:
        return
    part = picture[top:bottom, left:right]
    squares = cv2.resize(part, (3, 3), interpolation=cv2.INTER_AREA)
    picture[top:bottom, left:right] = cv2.resize(squares, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)


def with_boxes(picture: Picture, boxes: Iterable[Box], others: Iterable[Box] = ()) -> Picture:
    """The picture with red boxes around whom it is about and white ones around others."""
    out = picture.copy()
    height, width = picture.shape[:2]
    thick = max(1, round(height / 240))
    for colour, some in ((_WHITE, others), (_RED, boxes)):
        for left, top, right, bottom in some:
            corners = (round(left * width), round(top * height)), (round(right * width), round(bottom * height))
            cv2.rectangle(out, *corners, colour, thick)
    return out


def write_key_frame(path: Path, picture: Picture) -> None:
    """As JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert written
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(data.tobytes())
    unfinished.replace(path)


def write_clip(path: Path, frames: Sequence[Frame], pictures_per_s: float) -> None:
    """The frames as H.264, at their rate."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    height, width = (side - side % 2 for side in frames[0].picture.shape[:2])
    with av.open(str(unfinished), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(pictures_per_s).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, 1000)
        last = -1
        for frame in frames:
            made = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame.picture[:height, :width]), format="rgb24")
            last = max(last + 1, round((frame.at - frames[0].at) * 1000))
            made.pts, made.time_base = last, Fraction(1, 1000)
            container.mux(stream.encode(made))
        container.mux(stream.encode())
    unfinished.replace(path)
