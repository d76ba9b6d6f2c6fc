"""Frames of a clip, each with the time at which it was captured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.schemas.errors import InputError

# Two pictures a fraction of their distance early is not another picture: clocks of containers are round numbers.
_EARLY_S = 0.002


@dataclass(frozen=True)
class Frame:
    """One picture.

    Attributes:
        at: instant of capture [s since 1970, UTC].
        picture: red, green, blue; shape (height, width, 3).
        number: place among the decoded pictures of its clip or stream, from 0.
    """

    at: float
    picture: NDArray[np.uint8]
    number: int

    @property
    def aspect(self) -> float:
        return self.picture.shape[1] / self.picture.shape[0]


def clip_frames(path: Path, began_at: float, pictures_per_s: float, clock_ahead_s: float = 0.0) -> Iterator[Frame]:
    """Pictures of a clip, `pictures_per_s` of them a second or all where it has fewer; time runs by the clip's own
    stamps, so that a clip with a varying rate is neither fast nor slow.

    A clip that breaks off ends where it breaks off.

    Args:
        began_at: instant of its first picture by the recorder's clock [s since 1970].
        clock_ahead_s: how far that clock is ahead.

    Raises:
        InputError: it is no video.
    """
    import av
    from av.error import FFmpegError

    try:
        container = av.open(str(path))
    except (FFmpegError, OSError) as error:
        raise InputError(
            f"expected a video clip in {path}, got: {error}; see its verdict in bronze.video_clip"
        ) from None
    with container:
        if not container.streams.video:
            raise InputError(f"expected a video clip in {path}, got a file without pictures; remove it")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        first: float | None = None
        due = -1.0
        try:
            for number, frame in enumerate(container.decode(stream)):
                at = float(frame.time) if frame.time is not None else number / float(stream.average_rate or 25)
                first = at if first is None else first
                if at - first < due - _EARLY_S:
                    continue
                # The next one is due by the grid, not by this one: a late picture does not slow the clip down.
                due = max(due, 0.0) + 1.0 / pictures_per_s
                due = due if due > at - first else at - first + 1.0 / pictures_per_s
                yield Frame(began_at - clock_ahead_s + at - first, as_rgb(frame), number)
        except FFmpegError:
            return


def as_rgb(frame: Any) -> NDArray[np.uint8]:
    """A decoded frame as red, green, blue."""
    return frame.to_ndarray(format="rgb24")
