"""Detectors on ONNX Runtime: what a network says comes out as boxes of the picture, whatever its size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from minefusion.models.unsafe_behaviour.detections import overlaps
from minefusion.models.unsafe_behaviour.detector import (
    BORDER,
    DetectorConfig,
    letterboxed,
    open_detector,
    suppressed,
)
from minefusion.schemas.errors import InputError, MissingError

NAMES = "{0: 'Hardhat', 1: 'dog', 2: 'Person'}"


def network(path: Path, says: np.ndarray, *, end_to_end: bool, names: str = NAMES) -> Path:
    """A network that says the same of every picture, as ultralytics would export it at 64 px."""
    said = numpy_helper.from_array(says.astype(np.float32), "said")
    # Adds nothing of the picture, so that there is an input; repeated for each picture of the batch.
    nodes = [
        helper.make_node("ReduceSum", ["images", "axes"], ["sum"], keepdims=1),
        helper.make_node("Reshape", ["sum", "shape"], ["flat"]),
        helper.make_node("Mul", ["flat", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "said"], ["output0"]),
    ]
    constants = [
        said,
        numpy_helper.from_array(np.array([1, 2, 3], dtype=np.int64), "axes"),
        numpy_helper.from_array(np.array([-1, 1, 1], dtype=np.int64), "shape"),
        numpy_helper.from_array(np.array(0, dtype=np.float32), "zero"),
    ]
    graph = helper.make_graph(
        nodes, "says",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, "height", "width"])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, None)], constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for key, value in {"names": names, "imgsz": "[64, 64]", "end2end": str(end_to_end), "task": "detect"}.items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)
    return path


def test_raw_output_is_suppressed_mapped_and_put_back_into_the_picture(tmp_path: Path):
    # Centre, size, and the three classes, for five places of the canvas; a picture of 128 x 64 fills 64 x 32 of it.
    says = np.array([
        [32.0, 16.0, 16.0, 16.0, 0.0, 0.0, 0.9],
        [33.0, 16.0, 16.0, 16.0, 0.0, 0.0, 0.7],  # the same person once more
        [32.0, 10.0, 6.0, 4.0, 0.8, 0.0, 0.0],
        [32.0, 16.0, 16.0, 16.0, 0.0, 0.95, 0.0],  # a dog is none of our classes
        [8.0, 16.0, 8.0, 8.0, 0.0, 0.0, 0.05],  # not sure enough
    ]).T[None]  # fmt: skip
    detector = open_detector(network(tmp_path / "m.onnx", says, end_to_end=False))
    assert detector.classes == ("helmet", "person")
    assert detector.version.startswith("m-")
    picture = np.zeros((64, 128, 3), dtype=np.uint8)
    first, second = detector.detect([picture, picture])
    assert [first.name(n) for n in range(len(first))] == ["person", "helmet"]
    assert first.confidence == pytest.approx([0.9, 0.8])
    assert first.boxes[0] == pytest.approx([24 / 64, 8 / 32, 40 / 64, 24 / 32])
    assert first.boxes.tolist() == second.boxes.tolist()


def test_an_end_to_end_head_needs_no_suppression(tmp_path: Path):
    says = np.array([[[8.0, 8.0, 24.0, 24.0, 0.9, 2.0], [0.0, 0.0, 64.0, 64.0, 0.02, 2.0]]])
    (found,) = open_detector(network(tmp_path / "m.onnx", says, end_to_end=True)).detect(
        [np.zeros((64, 64, 3), dtype=np.uint8)]
    )
    assert found.boxes.tolist() == [pytest.approx([0.125, 0.125, 0.375, 0.375])]


def test_two_classes_at_one_place_are_both_told(tmp_path: Path):
    says = np.array([[[32.0], [32.0], [8.0], [8.0], [0.6], [0.0], [0.4]]])
    (found,) = open_detector(network(tmp_path / "m.onnx", says, end_to_end=False)).detect(
        [np.zeros((64, 64, 3), dtype=np.uint8)]
    )
    assert [found.name(n) for n in range(len(found))] == ["helmet", "person"]


def test_pictures_of_several_sizes_come_back_in_their_order(tmp_path: Path):
    says = np.array([[[32.0], [16.0], [16.0], [16.0], [0.0], [0.0], [0.9]]])
    detector = open_detector(network(tmp_path / "m.onnx", says, end_to_end=False))
    wide, square = np.zeros((64, 128, 3), dtype=np.uint8), np.zeros((90, 90, 3), dtype=np.uint8)
    heights = [float(each.boxes[0, 3] - each.boxes[0, 1]) for each in detector.detect([wide, square, wide])]
    assert heights == pytest.approx([16 / 32, 16 / 64, 16 / 32])


def test_a_picture_keeps_its_proportions_in_the_canvas():
    picture = np.full((50, 100, 3), 200, dtype=np.uint8)
    canvas = letterboxed(picture, (64, 64), 64)
    assert canvas.shape == (64, 64, 3)
    assert (canvas[32] == 200).all()
    assert (canvas[:16] == BORDER).all()
    assert (canvas[48:] == BORDER).all()
    assert letterboxed(picture, (32, 64), 64).shape == (32, 64, 3)


def test_suppression_leaves_the_surest_of_each_class():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [50, 50, 60, 60]], dtype=float)
    kept = suppressed(boxes, np.array([0.5, 0.9, 0.8, 0.1]), np.array([0, 0, 1, 0]), 0.6)
    assert kept.tolist() == [1, 2, 3]


def test_overlap_of_boxes():
    one = np.array([[0.0, 0.0, 2.0, 2.0]])
    others = np.array([[1.0, 0.0, 3.0, 2.0], [2.0, 2.0, 3.0, 3.0], [0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    assert overlaps(one, others)[0] == pytest.approx([1 / 3, 0, 1, 0])


def test_the_licence_free_detector_comes_with_the_project():
    detector = open_detector("yolox_nano")
    assert detector.classes == ("person",)
    noise = np.random.default_rng(1).integers(0, 255, (120, 200, 3), dtype=np.uint8)
    found = detector.detect([noise, np.zeros((300, 100, 3), dtype=np.uint8)])
    assert [len(each) for each in found] == [0, 0]


@pytest.mark.parametrize("model", ["yolo99", "missing.onnx"])
def test_a_model_that_is_none_is_told(model: str):
    with pytest.raises(InputError, match=r"expected a model, got .*; give an \.onnx file or one of"):
        open_detector(model)


def test_a_file_that_is_no_network_is_told(tmp_path: Path):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"no network")
    with pytest.raises(InputError, match="expected an ONNX model"):
        open_detector(path)


def test_a_device_that_is_not_there_is_told():
    with pytest.raises(MissingError, match="install onnxruntime-gpu or use the device 'cpu'"):
        open_detector("yolox_nano", DetectorConfig(device="tensorrt"))


def test_what_runs_loads_nothing_of_the_agpl_folder():
    """Who takes the folder out still detects, judges, watches, evaluates and keeps a registry."""
    code = """
import importlib, sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("minefusion.models.unsafe_behaviour.agpl", "ultralytics")):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Gone())
for name in ("jobs.video.clip_events", "jobs.video.watching", "jobs.video.detectors", "jobs.video.live_record",
             "jobs.evaluate.behaviour_events", "jobs.forecast.champions", "jobs.bench.video"):
    importlib.import_module("minefusion.pipelines." + name)
from minefusion.cli import demo, evaluate, watch
from minefusion.models.unsafe_behaviour.detector import open_detector
from minefusion.models.registry import shipped
assert shipped()
print(open_detector("yolox_nano").classes)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "('person',)\n"), done.stderr[-2000:]
