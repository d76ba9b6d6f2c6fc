"""What a detector found in a picture: our own form, whatever made it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Red, green, blue; shape (height, width, 3)."""


@dataclass(frozen=True)
class Detections:
    """Boxes in one picture, the surest first.

    Attributes:
        boxes: left, top, right, bottom as shares of the picture; shape (n, 4).
        confidence: 0 to 1; shape (n,).
        label: index into `classes`; shape (n,).
        classes: our class names.
    """

    boxes: NDArray[np.float64]
    confidence: NDArray[np.float64]
    label: NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.boxes)

    def of(self, *labels: str) -> Detections:
        """Those of these classes."""
        wanted = [index for index, name in enumerate(self.classes) if name in labels]
        return self.where(np.isin(self.label, wanted))

    def where(self, keep: NDArray[np.bool_]) -> Detections:
        return Detections(self.boxes[keep], self.confidence[keep], self.label[keep], self.classes)

    def name(self, index: int) -> str:
        return self.classes[int(self.label[index])]


class Detector(Protocol):
    """One way to find things in pictures.

    Attributes:
        classes: our class names that it tells apart.
    """

    classes: tuple[str, ...]

    @property
    def version(self) -> str:
        """Which weights: name and digest."""
        ...

    def detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        """What is in each of these pictures, which may be of several cameras and sizes."""
        ...


def overlaps(ours: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of every box with every other; shape (n, m)."""
    top_left = np.maximum(ours[:, None, :2], others[None, :, :2])
    bottom_right = np.minimum(ours[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.clip(bottom_right - top_left, 0.0, None), axis=2)
    union = _areas(ours)[:, None] + _areas(others)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
