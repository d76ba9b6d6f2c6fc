"""Whether a body lies, by its joints: a second, better look where its outline leaves it open."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.models.unsafe_behaviour.detections import Picture
from minefusion.models.unsafe_behaviour.detector import DetectorConfig, letterboxed, open_session
from minefusion.schemas.errors import InputError

Box = tuple[float, float, float, float]
# Says of a picture and a body's box how surely it lies, 0 to 1; None where its joints do not tell.
LiesByPose = Callable[[Picture, Box], float | None]

SHIPPED = {"yolov8n_pose": "agpl/shipped/yolov8n_pose/yolov8n_pose.onnx"}
# Joints of COCO: shoulders and hips.
SHOULDERS, HIPS = (5, 6), (11, 12)
JOINTS = 17
# A joint counts when it is so sure; a body, when it is.
SURE_JOINT, SURE_BODY = 0.4, 0.25
# A trunk that leans by so much is still upright, and by so much surely lies [degrees from upright].
LEANS_DEG, LIES_DEG = 45.0, 70.0
# The body is looked at with so much around it [share of its longer side].
AROUND = 0.2


def open_pose(model: str | Path, config: DetectorConfig | None = None) -> LiesByPose:
    """The judge of a pose network in ONNX, as ultralytics exports it.

    Raises:
        InputError: there is no such model, or it finds no seventeen joints.
    """
    path = Path(__file__).parent / SHIPPED[model] if isinstance(model, str) and model in SHIPPED else Path(model)
    if not path.is_file():
        raise InputError(f"expected a pose model, got '{model}'; give an .onnx file or one of {', '.join(SHIPPED)}")
    session = open_session(path, config or DetectorConfig())
    told = session.get_modelmeta().custom_metadata_map
    if ast.literal_eval(told.get("kpt_shape", "[0]"))[0] != JOINTS:
        raise InputError(f"expected a pose network of {JOINTS} joints in {path}, got another; export it anew")
    image_px = max(ast.literal_eval(told["imgsz"]))
    name = session.get_inputs()[0].name

    def judge(picture: Picture, box: Box) -> float | None:
        crop = _around(picture, box)
        canvas = letterboxed(crop, (image_px, image_px), image_px)
        batch = (canvas.transpose(2, 0, 1)[None] / np.float32(255)).astype(np.float32, copy=False)
        return lies(session.run(None, {name: batch})[0][0])

    return judge


def lies(raw: NDArray[Any]) -> float | None:
    """How surely the surest body of a network's output lies; `raw` has shape (5 + 3 × joints, places)."""
    place = int(raw[4].argmax())
    if raw[4, place] < SURE_BODY:
        return None
    joints = raw[5:, place].reshape(JOINTS, 3)
    shoulders = [joints[j, :2] for j in SHOULDERS if joints[j, 2] >= SURE_JOINT]
    hips = [joints[j, :2] for j in HIPS if joints[j, 2] >= SURE_JOINT]
    if not shoulders or not hips:
        return None
    across, up = np.mean(shoulders, axis=0) - np.mean(hips, axis=0)
    lean = math.degrees(math.atan2(abs(float(across)), -float(up)))
    return float(np.clip((lean - LEANS_DEG) / (LIES_DEG - LEANS_DEG), 0.0, 1.0))


def _around(picture: Picture, box: Box) -> Picture:
    """The part of the picture around the body."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    more = AROUND * max(right - left, bottom - top)
    rows = slice(max(0, int(top - more)), min(height, int(bottom + more) + 1))
    columns = slice(max(0, int(left - more)), min(width, int(right + more) + 1))
    return picture[rows, columns]
