"""Clips of painted people, and a detector that reads the paint: pixels to events without a trained network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from minefusion.models.unsafe_behaviour.detections import Detections, Picture

WIDTH, HEIGHT, FPS = 320, 180, 5
# Each class has a colour of its own; gear is painted over the body.
COLOURS = {"person": (0, 200, 0), "helmet": (220, 220, 0), "bare_head": (220, 0, 0), "vest": (230, 120, 0)}

# Left edge of a body at a time [s, share of the width], None when nobody is there.
Where = Callable[[float], float | None]


class PaintDetector:
    """Finds each colour's box; one person a picture."""

    version = "paint-1"
    classes = tuple(COLOURS)

    def detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: Picture) -> Detections:
        pixels = picture.astype(np.int16)
        near = [np.abs(pixels - np.int16(colour)).sum(axis=2) < 120 for colour in COLOURS.values()]
        near[0] = np.logical_or.reduce(near)  # a body is all of its paint
        boxes, labels = [], []
        for label, painted in enumerate(near):
            rows, columns = np.flatnonzero(painted.any(axis=1)), np.flatnonzero(painted.any(axis=0))
            if painted.sum() > 60:
                boxes.append([columns[0] / WIDTH, rows[0] / HEIGHT, (columns[-1] + 1) / WIDTH, (rows[-1] + 1) / HEIGHT])
                labels.append(label)
        return Detections(
            np.array(boxes, dtype=np.float64).reshape(-1, 4), np.full(len(boxes), 0.9),
            np.array(labels, dtype=np.int64), self.classes,
        )  # fmt: skip


def painted(left: float | None, head: str = "helmet") -> Picture:
    """The roadway at one time: grey, with a body half as high as the picture."""
    picture = np.full((HEIGHT, WIDTH, 3), 70, dtype=np.uint8)
    picture[:, ::40] = 110  # something to see, so that the camera is well
    if left is not None:
        x, top, bottom = round(left * WIDTH), 70, 170
        picture[top:bottom, x : x + 34] = COLOURS["person"]
        picture[top + 28 : top + 56, x : x + 34] = COLOURS["vest"]
        picture[top : top + 20, x + 7 : x + 27] = COLOURS[head]
    return picture


def paint_clip(path: Path, seconds: float, where: Where, head: str = "helmet") -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(round(seconds * FPS)):
            frame = av.VideoFrame.from_ndarray(painted(where(number / FPS), head), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
