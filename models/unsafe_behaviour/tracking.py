"""From detections to people with a number: ByteTrack of the `trackers` library, and what each person wears.

Nothing is ever keyed on an unconfirmed number: a box is a person when it has been followed over several pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minefusion.models.unsafe_behaviour.detections import Detections, overlaps
from minefusion.models.unsafe_behaviour.scene import Person

# Two boxes of people that overlap more are one person [IoU].
ONE_PERSON = 0.6
# Where gear belongs on a body that stands: shares of its box from the top that its centre may lie in.
ON_BODY = {"helmet": (-0.1, 0.4), "bare_head": (-0.1, 0.4), "vest": (0.1, 0.8), "no_vest": (0.1, 0.8)}
# A head's centre lies there; of two people the one whose head would be nearer has it.
HEAD_AT = 0.08
# A body that is so many times wider than high lies surely, or surely does not.
LIES_FROM, LIES_SURELY = 1.0, 1.6
# A body that is cut off by the edge of the picture has no outline to judge [share].
EDGE = 0.004


@dataclass(frozen=True)
class TrackingConfig:
    """How people are followed.

    Attributes:
        sure: a box so sure begins a track.
        fair: a box that continues one must be so sure.
        confirmed_after: pictures in a row after which a track counts.
        kept_s: a track that is not seen is kept so long.
    """

    sure: float = 0.4
    fair: float = 0.15
    confirmed_after: int = 3
    kept_s: float = 2.0


class Tracker:
    """The people of one camera, picture after picture."""

    def __init__(self, pictures_per_s: float, config: TrackingConfig | None = None) -> None:
        from trackers import ByteTrackTracker

        self.config = config or TrackingConfig()
        self._tracker = ByteTrackTracker(
            # The library counts its buffer in pictures of 30 a second.
            lost_track_buffer=round(30 * self.config.kept_s),
            frame_rate=pictures_per_s,
            track_activation_threshold=self.config.sure,
            high_conf_det_threshold=self.config.sure,
            minimum_consecutive_frames=self.config.confirmed_after,
            minimum_iou_threshold=0.1,
        )
        self._began_at: float | None = None

    def follow(self, found: Detections, at: float, aspect: float) -> tuple[Person, ...]:
        """The people of this picture whose tracks are confirmed, with what they wear.

        Args:
            at: instant of capture [s]; later than that of the picture before.
            aspect: width ÷ height of the picture.
        """
        import supervision as sv

        bodies = one_each(found.of("person"))
        bodies = bodies.where(bodies.confidence >= self.config.fair)
        self._began_at = at if self._began_at is None else self._began_at
        tracked = self._tracker.update(
            sv.Detections(
                xyxy=bodies.boxes.astype(np.float32) * np.float32(1000),
                confidence=bodies.confidence.astype(np.float32),
                class_id=np.arange(len(bodies)),
            ),
            timestamp=at - self._began_at,
        )
        numbers = np.full(len(bodies), -1, dtype=np.int64)
        if len(tracked):
            numbers[np.asarray(tracked.class_id)] = np.asarray(tracked.tracker_id)
        wearing = worn(bodies.boxes, found)
        return tuple(
            Person(
                track=int(number),
                box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
                confidence=float(sure),
                wearing=gear,
                lying=lying_by_outline(box, aspect),
            )
            for number, box, sure, gear in zip(numbers, bodies.boxes, bodies.confidence, wearing, strict=True)
            if number >= 0
        )


def one_each(bodies: Detections) -> Detections:
    """Without a second box of the same person: detectors without suppression give some twice."""
    if len(bodies) < 2:
        return bodies
    shared = overlaps(bodies.boxes, bodies.boxes) > ONE_PERSON
    # The surest come first; one goes where a surer one that stays covers it.
    keep = np.ones(len(bodies), dtype=bool)
    for index in range(1, len(bodies)):
        keep[index] = not (shared[index, :index] & keep[:index]).any()
    return bodies.where(keep)


def worn(bodies: NDArray[np.float64], found: Detections) -> Sequence[dict[str, float]]:
    """What each body wears, by where gear is seen: label → confidence. Each piece goes to one body."""
    gear: list[dict[str, float]] = [{} for _ in bodies]
    if not len(bodies):
        return gear
    pieces = found.of(*ON_BODY)
    for index, box in enumerate(pieces.boxes):
        label = pieces.name(index)
        top, bottom = ON_BODY[label]
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        height = np.maximum(bodies[:, 3] - bodies[:, 1], 1e-6)
        down = (y - bodies[:, 1]) / height
        fits = (x >= bodies[:, 0]) & (x <= bodies[:, 2]) & (down >= top) & (down <= bottom)
        if not fits.any():
            continue
        middle = (bodies[:, 0] + bodies[:, 2]) / 2
        wanted = HEAD_AT if label in ("helmet", "bare_head") else (top + bottom) / 2
        # How far the piece is from where this body would have it, in widths and heights of the body.
        off = np.abs(x - middle) / np.maximum(bodies[:, 2] - bodies[:, 0], 1e-6) + np.abs(down - wanted)
        owner = int(np.argmin(np.where(fits, off, np.inf)))
        gear[owner][label] = max(gear[owner].get(label, 0.0), float(pieces.confidence[index]))
    return gear


# An outline that is wider than this share of its height may be a body that lies: its joints are looked at.
OPEN_FROM = 0.7


def is_outline_open(box: tuple[float, float, float, float], aspect: float) -> bool:
    """Whether the outline alone does not say that the body stands."""
    return (box[2] - box[0]) * aspect > OPEN_FROM * (box[3] - box[1])


def lying_by_outline(box: NDArray[np.float64], aspect: float) -> float | None:
    """How surely the body lies, by how much wider than high it is; None where the picture's edge cuts it off."""
    left, top, right, bottom = (float(value) for value in box)
    if left < EDGE or right > 1 - EDGE or bottom > 1 - EDGE:
        return None
    ratio = (right - left) * aspect / max(bottom - top, 1e-6)
    return float(np.clip((ratio - LIES_FROM) / (LIES_SURELY - LIES_FROM), 0.0, 1.0))
