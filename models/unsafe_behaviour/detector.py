"""Detectors on ONNX Runtime: YOLO as ultralytics exports it, and YOLOX; on the CPU, by CUDA or by TensorRT."""

from __future__ import annotations

import ast
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from minefusion.models.unsafe_behaviour.detections import Detections, Detector, Picture, overlaps
from minefusion.schemas.errors import InputError, MissingError
from minefusion.schemas.video_classes import our_label

Device = Literal["cpu", "cuda", "tensorrt"]
DEVICES: tuple[Device, ...] = ("cpu", "cuda", "tensorrt")
_PROVIDERS = {
    "cpu": ["CPUExecutionProvider"],
    "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"],
    "tensorrt": ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"],
}
# Weights that come with the project: name → file in this folder.
SHIPPED = {
    "yolox_nano": "shipped/yolox_nano/yolox_nano.onnx",
    "ppe": "agpl/shipped/unsafe_behaviour/model/detector.onnx",
    "tunnel": "agpl/shipped/unsafe_behaviour_tunnel/model/detector.onnx",
}
# The grey of the border around a picture that is not as wide as the network's input.
BORDER = 114
# Networks halve a picture five times.
STRIDE = 32
# Boxes of one class that are compared with one another, and boxes of a picture that are told.
MOST_OF_A_CLASS, MOST_BOXES = 1000, 300
# COCO's first class; the others are nothing that a mine asks for.
COCO_CLASSES = 80


@dataclass(frozen=True)
class DetectorConfig:
    """How a detector runs.

    Attributes:
        image_px: longer side of a picture as the network sees it; null: as in training.
        least_confidence: what is less sure is left out.
        overlap: of two boxes of a class that overlap more, the surer one stays.
        threads: of the CPU; null: all cores.
        most_at_once: pictures in one run of the network.
        margin: border around a picture beyond what the network's stride asks for, in strides.
    """

    device: Device = "cpu"
    image_px: int | None = None
    least_confidence: float = 0.1
    overlap: float = 0.7
    threads: int | None = None
    most_at_once: int = 16
    margin: float = 0.0


def open_detector(model: str | Path, config: DetectorConfig | None = None) -> Detector:
    """The detector of a weight file, or of the name of one that comes with the project.

    Raises:
        InputError: there is no such model, or the file is none.
        MissingError: the device is not there.
    """
    config = config or DetectorConfig()
    path = weights_of(model)
    session = open_session(path, config)
    told = session.get_modelmeta().custom_metadata_map
    if "names" in told:
        return OnnxYolo(path, session, config, told)
    shape = session.get_outputs()[0].shape
    if len(shape) == 3 and shape[2] == 5 + COCO_CLASSES:
        return OnnxYolox(path, session, config)
    raise InputError(f"expected a YOLO or YOLOX export, got {path} with an output of {shape}; export the weights anew")


def is_there(name: str) -> bool:
    """Whether the weights of that name came with the project; those under AGPL-3.0 may have been taken out."""
    return (Path(__file__).parent / SHIPPED[name]).is_file()


def weights_of(model: str | Path) -> Path:
    """The file of a model."""
    path = Path(__file__).parent / SHIPPED[model] if isinstance(model, str) and model in SHIPPED else Path(model)
    if not path.is_file():
        there = ", ".join(name for name in SHIPPED if is_there(name))
        raise InputError(f"expected a model, got '{model}'; give an .onnx file or one of {there}")
    return path


def open_session(path: Path, config: DetectorConfig) -> Any:
    """ONNX Runtime on the device of the config.

    Raises:
        InputError: the file is no network.
        MissingError: the device is not there.
    """
    import onnxruntime as ort

    wanted = _PROVIDERS[config.device]
    if wanted[0] not in ort.get_available_providers():
        raise MissingError(
            f"expected ONNX Runtime with {wanted[0]} for the device '{config.device}', got "
            f"{', '.join(ort.get_available_providers())}; install onnxruntime-gpu or use the device 'cpu'"
        )
    options = ort.SessionOptions()
    options.log_severity_level = 3
    # Threads that wait by spinning take the cores from decoding, and from whatever else the machine does.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if config.threads:
        options.intra_op_num_threads = config.threads
    try:
        return ort.InferenceSession(str(path), options, providers=wanted)
    except Exception as error:
        raise InputError(f"expected an ONNX model in {path}, got: {' '.join(str(error).split())[:200]}") from None


class _Onnx:
    """What both networks do alike: pictures of one shape go through together."""

    classes: tuple[str, ...]
    image_px: int

    def __init__(self, path: Path, session: Any, config: DetectorConfig) -> None:
        self.path = path
        self.config = config
        self._session = session
        self._input = session.get_inputs()[0].name
        fixed = session.get_inputs()[0].shape[0]
        self._most_at_once = fixed if isinstance(fixed, int) else config.most_at_once

    @cached_property
    def version(self) -> str:
        """Name of the weights and the first digits of their digest."""
        return f"{self.path.stem}-{hashlib.sha256(self.path.read_bytes()).hexdigest()[:12]}"

    def detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        found: list[Detections | None] = [None] * len(pictures)
        by_shape: dict[tuple[int, int], list[int]] = {}
        for index, picture in enumerate(pictures):
            by_shape.setdefault(self._input_shape(*picture.shape[:2]), []).append(index)
        for shape, indices in by_shape.items():
            for first in range(0, len(indices), self._most_at_once):
                part = indices[first : first + self._most_at_once]
                batch = np.stack([self._fitted(pictures[index], shape) for index in part])
                for index, raw in zip(part, self._session.run(None, {self._input: batch})[0], strict=True):
                    found[index] = self._read(raw, shape, pictures[index])
        return [each for each in found if each is not None]

    def _input_shape(self, height: int, width: int) -> tuple[int, int]:
        raise NotImplementedError

    def _fitted(self, picture: Picture, shape: tuple[int, int]) -> NDArray[np.float32]:
        raise NotImplementedError

    def _read(self, raw: NDArray[np.float32], shape: tuple[int, int], picture: Picture) -> Detections:
        raise NotImplementedError

    def _kept(self, boxes: NDArray[Any], confidence: NDArray[Any], label: NDArray[Any]) -> Detections:
        """Detections in order, boxes clipped to the picture, without those of classes that are none of ours."""
        ours = np.array([name is not None for name in self._ours], dtype=bool)
        keep = ours[label] if len(label) else np.zeros(0, dtype=bool)
        boxes, confidence, label = np.clip(boxes[keep], 0.0, 1.0), confidence[keep], label[keep]
        order = np.argsort(-confidence, kind="stable")
        number = {name: index for index, name in enumerate(self.classes)}
        labels = np.array([number[str(self._ours[each])] for each in label[order]], dtype=np.int64)
        return Detections(boxes[order].astype(np.float64), confidence[order].astype(np.float64), labels, self.classes)

    _ours: tuple[str | None, ...] = ()

    def _learn_classes(self, names: Sequence[str]) -> None:
        self._ours = tuple(our_label(name) for name in names)
        self.classes = tuple(dict.fromkeys(name for name in self._ours if name))


class OnnxYolo(_Onnx):
    """YOLO as ultralytics exports it, with or without its end-to-end head; the file says which classes and sizes."""

    def __init__(self, path: Path, session: Any, config: DetectorConfig, told: dict[str, str]) -> None:
        super().__init__(path, session, config)
        names = ast.literal_eval(told["names"])
        self._learn_classes([names[number] for number in sorted(names)])
        shape = session.get_inputs()[0].shape
        self._fixed = (shape[2], shape[3]) if isinstance(shape[2], int) and isinstance(shape[3], int) else None
        self.image_px = config.image_px or max(ast.literal_eval(told["imgsz"]))
        self._is_end_to_end = told.get("end2end") == "True"

    def _input_shape(self, height: int, width: int) -> tuple[int, int]:
        if self._fixed:
            return self._fixed
        scale = self.image_px / max(height, width)
        rows, columns = (math.ceil(side * scale / STRIDE + self.config.margin) for side in (height, width))
        return rows * STRIDE, columns * STRIDE

    def _fitted(self, picture: Picture, shape: tuple[int, int]) -> NDArray[np.float32]:
        canvas = letterboxed(picture, shape, self.image_px)
        return (canvas.transpose(2, 0, 1) / np.float32(255)).astype(np.float32, copy=False)

    def _read(self, raw: NDArray[np.float32], shape: tuple[int, int], picture: Picture) -> Detections:
        if self._is_end_to_end:
            raw = raw[raw[:, 4] >= self.config.least_confidence]
            boxes, confidence, label = raw[:, :4], raw[:, 4], raw[:, 5].astype(np.int64)
        else:
            # A place may look like two classes, a helmet and a bare head: both are told, and rules compare them.
            place, label = np.nonzero(self.config.least_confidence <= raw[4:].T)
            confidence = raw[4:].T[place, label]
            x, y, w, h = raw[:4].T[place].T
            boxes = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1)
            keep = suppressed(boxes, confidence, label, self.config.overlap)
            boxes, confidence, label = boxes[keep], confidence[keep], label[keep]
        return self._kept(_unboxed(boxes, shape, picture, self.image_px), confidence, label)


class OnnxYolox(_Onnx):
    """YOLOX trained on COCO (Apache-2.0): people, and nothing of what they wear."""

    def __init__(self, path: Path, session: Any, config: DetectorConfig) -> None:
        super().__init__(path, session, config)
        self._learn_classes(["person", *["-"] * (COCO_CLASSES - 1)])
        shape = session.get_inputs()[0].shape
        self.image_px = shape[2]
        self._grid, self._stride = _cells(self.image_px)

    def _input_shape(self, height: int, width: int) -> tuple[int, int]:  # noqa: ARG002
        return self.image_px, self.image_px

    def _fitted(self, picture: Picture, shape: tuple[int, int]) -> NDArray[np.float32]:
        # Blue, green, red from 0 to 255, the border to the right and below.
        canvas = letterboxed(picture, shape, self.image_px, centred=False)
        return np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1), dtype=np.float32)

    def _read(self, raw: NDArray[np.float32], shape: tuple[int, int], picture: Picture) -> Detections:
        scores = raw[:, 5:] * raw[:, 4:5]
        label, confidence = scores.argmax(axis=1), scores.max(axis=1)
        sure = confidence >= self.config.least_confidence
        centre = (raw[sure, :2] + self._grid[sure]) * self._stride[sure]
        size = np.exp(raw[sure, 2:4]) * self._stride[sure]
        boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
        label, confidence = label[sure], confidence[sure]
        keep = suppressed(boxes, confidence, label, self.config.overlap)
        boxes = _unboxed(boxes[keep], shape, picture, self.image_px, centred=False)
        return self._kept(boxes, confidence[keep], label[keep])


def _cells(image_px: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Column and row of each cell of YOLOX's three grids, and its width in pixels."""
    cells, strides = [], []
    for stride in (8, 16, 32):
        count = image_px // stride
        x, y = np.meshgrid(np.arange(count), np.arange(count))
        cells.append(np.stack([x, y], axis=2).reshape(-1, 2))
        strides.append(np.full((count * count, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _scale(shape: tuple[int, int], picture: Picture, image_px: int) -> float:
    height, width = picture.shape[:2]
    return min(shape[0] / height, shape[1] / width, image_px / max(height, width))


def letterboxed(picture: Picture, shape: tuple[int, int], image_px: int, *, centred: bool = True) -> Picture:
    """The picture in a canvas of this height and width, its longer side at most `image_px`, its proportions kept."""
    import cv2

    height, width = picture.shape[:2]
    scale = _scale(shape, picture, image_px)
    new = (max(1, round(width * scale)), max(1, round(height * scale)))
    if new != (width, height):
        picture = cv2.resize(picture, new, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    top, left = _corner(shape, (new[1], new[0])) if centred else (0, 0)
    if new == (shape[1], shape[0]):
        return picture
    canvas = np.full((*shape, 3), BORDER, dtype=np.uint8)
    canvas[top : top + new[1], left : left + new[0]] = picture
    return canvas


def _corner(shape: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    # Halves are rounded as ultralytics rounds them, or boxes would lie a pixel aside.
    return round((shape[0] - size[0]) / 2 - 0.1), round((shape[1] - size[1]) / 2 - 0.1)


def _unboxed(
    boxes: NDArray[Any], shape: tuple[int, int], picture: Picture, image_px: int, *, centred: bool = True
) -> NDArray[np.float64]:
    """From pixels of the canvas to shares of the picture."""
    height, width = picture.shape[:2]
    scale = _scale(shape, picture, image_px)
    new = (max(1, round(height * scale)), max(1, round(width * scale)))
    top, left = _corner(shape, new) if centred else (0, 0)
    moved = np.asarray(boxes, dtype=np.float64).reshape(-1, 4) - (left, top, left, top)
    return moved / (width * scale, height * scale, width * scale, height * scale)


def suppressed(boxes: NDArray[Any], confidence: NDArray[Any], label: NDArray[Any], overlap: float) -> NDArray[np.int64]:
    """Indices of the boxes that stay, the surest first: of two of one class that overlap by more, the surer."""
    kept: list[int] = []
    for each in np.unique(label):
        mine = np.flatnonzero(label == each)
        mine = mine[np.argsort(-confidence[mine], kind="stable")][:MOST_OF_A_CLASS]
        shared = overlaps(*[np.asarray(boxes[mine], dtype=np.float64)] * 2) > overlap
        gone = np.zeros(len(mine), dtype=bool)
        for index in range(len(mine)):
            if not gone[index]:
                kept.append(int(mine[index]))
                gone |= shared[index]
    found = np.array(kept, dtype=np.int64)
    return found[np.argsort(-confidence[found], kind="stable")][:MOST_BOXES]
