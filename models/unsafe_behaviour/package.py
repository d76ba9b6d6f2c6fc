"""The detector as other systems call it: encoded pictures in, boxes as JSON out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.models.unsafe_behaviour.detections import Detections
from minefusion.models.unsafe_behaviour.detector import open_detector
from minefusion.schemas.errors import InputError

FILE = "detector.onnx"
INPUTS = ("picture",)
OUTPUTS = ("detections",)
TYPES = {"picture": "binary", "detections": "string"}


def load(folder: Path) -> Callable[[Mapping[str, NDArray[Any]]], dict[str, NDArray[Any]]]:
    """The detector in the folder, on a column of JPEG or PNG bytes; boxes are shares of the picture."""
    import cv2

    detector = open_detector(folder / FILE)

    def call(columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        pictures = []
        for data in columns["picture"]:
            read = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
            if read is None:
                raise InputError("expected a JPEG or PNG picture in each row, got other bytes; encode it")
            pictures.append(np.ascontiguousarray(read[..., ::-1], dtype=np.uint8))
        return {"detections": np.array([_as_json(each) for each in detector.detect(pictures)], dtype=object)}

    return call


def _as_json(found: Detections) -> str:
    return json.dumps(
        [
            {"class": found.name(n), "confidence": round(float(sure), 4), "box": found.boxes[n].round(5).tolist()}
            for n, sure in enumerate(found.confidence)
        ]
    )
