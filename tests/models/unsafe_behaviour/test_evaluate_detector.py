"""Average precision, recomputed: worked by hand, and the same as ultralytics says of the same file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_dataset import picture

from minefusion.models.unsafe_behaviour.dataset import Dataset, join, label_file, load_dataset
from minefusion.models.unsafe_behaviour.detections import Detections, Picture
from minefusion.models.unsafe_behaviour.detector import DetectorConfig, OnnxYolo, open_detector
from minefusion.models.unsafe_behaviour.evaluate import evaluate
from minefusion.schemas.errors import InputError

REAL = Path(__file__).resolve().parents[4] / "shared" / "vision"
Box = tuple[float, float, float, float]


class Told:
    """A detector that says of each picture, known by its shade, what the test tells it to."""

    version = "told-1"
    classes = ("person", "bare_head")

    def __init__(self, by_shade: dict[int, list[tuple[str, float, Box]]]) -> None:
        self.by_shade = by_shade

    def detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        return [self._one(self.by_shade.get(round(float(each.mean()) / 10) * 10, [])) for each in pictures]

    def _one(self, rows: list[tuple[str, float, Box]]) -> Detections:
        rows = sorted(rows, key=lambda row: -row[1])
        return Detections(
            np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
            np.array([row[1] for row in rows], dtype=np.float64),
            np.array([self.classes.index(row[0]) for row in rows], dtype=np.int64), self.classes,
        )  # fmt: skip


def labelled(root: Path, by_shade: dict[int, str]) -> Dataset:
    for shade, text in by_shade.items():
        labels = label_file(picture(root / "images" / "test" / f"{shade}.png", shade))
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text(text, encoding="utf-8")
    (root / "data.yaml").write_text("test: images/test\nnames: [Person, NO-Hardhat, tie]\n", encoding="utf-8")
    return load_dataset(root / "data.yaml")


FULL: Box = (0.0, 0.0, 1.0, 1.0)
LEFT: Box = (0.0, 0.0, 0.5, 1.0)


def test_precision_and_recall_of_one_class_by_hand(tmp_path: Path):
    # Two people; found the first surely, then a place where nobody is, then the second one.
    data = labelled(tmp_path, {100: "0 0.5 0.5 1 1\n", 200: "0 0.25 0.5 0.5 1\n", 150: ""})
    detector = Told({
        100: [("person", 0.9, FULL)], 150: [("person", 0.8, LEFT)], 200: [("person", 0.7, LEFT)],
    })  # fmt: skip
    found = evaluate(detector, data)
    (person,) = [row for row in found["classes"] if row["name"] == "person"]
    # Recall rises to 1/2 at precision 1 and to 1 at 2/3; between them the line is read at 101 points.
    assert person["ap50"] == pytest.approx(0.5 + 0.5 * (1 + 2 / 3) / 2 - 0.0, abs=0.09)
    assert person["ap50"] == person["ap50_95"], "the boxes fit exactly"
    assert (person["recall"], person["n"]) == (1.0, 2)
    assert person["precision"] == pytest.approx(2 / 3, abs=0.01)
    assert found["map50"] == person["ap50"]
    assert found["violations_map50"] is None, "nobody is bare-headed"
    assert found["unknown_to_model"] == []


def test_perfect_and_blind(tmp_path: Path):
    data = labelled(tmp_path, {100: "0 0.5 0.5 1 1\n1 0.25 0.5 0.5 1\n"})
    perfect = evaluate(Told({100: [("person", 0.9, FULL), ("bare_head", 0.8, LEFT)]}), data)
    assert (perfect["map50"], perfect["map50_95"], perfect["violations_map50"]) == (
        pytest.approx(0.995, abs=0.006),
    ) * 3
    blind = evaluate(Told({}), data)
    assert (blind["map50"], blind["violations_map50"]) == (0.0, 0.0)


def test_a_box_is_found_once_and_by_the_surest(tmp_path: Path):
    data = labelled(tmp_path, {100: "0 0.5 0.5 1 1\n"})
    twice = evaluate(Told({100: [("person", 0.9, FULL), ("person", 0.4, FULL)]}), data)
    assert twice["confusion"]["counts"] == [[1, 0, 0], [0, 0, 0], [1, 0, 0]]


def test_a_loose_box_counts_at_low_overlap_only(tmp_path: Path):
    data = labelled(tmp_path, {100: "0 0.5 0.5 1 1\n"})
    loose = evaluate(Told({100: [("person", 0.9, (0.0, 0.0, 0.72, 1.0))]}), data)  # overlap 0.72: five of ten steps
    assert loose["map50_95"] == pytest.approx(0.5 * loose["map50"], abs=0.001)


def test_slices_by_darkness_and_size(tmp_path: Path):
    data = labelled(tmp_path, {30: "0 0.5 0.5 1 1\n", 200: "0 0.5 0.5 1 1\n1 0.1 0.1 0.1 0.1\n"})
    found = evaluate(Told({200: [("person", 0.9, FULL)]}), data)
    by_name = {each["slice"]: each for each in found["slices"]}
    assert (by_name["dark"]["map50"], by_name["dark"]["pictures"]) == (0.0, 1)
    assert by_name["bright"]["n"] == 2
    assert by_name["size_small"]["n"] == 1, "80 x 40 pixels: a tenth of it is small"
    assert by_name["size_small"]["map50"] == 0.0
    # One of two: precision 1 up to a recall of a half, then a line down to nothing.
    assert by_name["size_medium"]["map50"] == pytest.approx(0.75, abs=0.01)


def test_plots_are_drawn(tmp_path: Path):
    data = labelled(tmp_path, {100: "0 0.5 0.5 1 1\n"})
    found = evaluate(Told({100: [("person", 0.9, FULL)]}), data, plots=tmp_path / "plots")
    assert [Path(path).name for path in found["plots"]] == ["precision_recall.png", "confusion.png"]
    assert all(Path(path).stat().st_size > 5000 for path in found["plots"])


def test_a_data_set_of_other_things_is_told(tmp_path: Path):
    data = labelled(tmp_path, {100: ""})
    (tmp_path / "data.yaml").write_text("test: images/test\nnames: [tie]\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"that the model knows \(person, bare_head\), got tie; give a mapping"):
        evaluate(Told({}), load_dataset(data.file))


def test_agrees_with_yolo_val_on_the_served_file(tmp_path: Path):
    """On the public pictures with the weights that are shipped; ultralytics judges in a process of its own."""
    data = REAL / "ppe-css" / "data.yaml"
    if not data.is_file():
        pytest.skip("the public pictures of ../shared/vision are not there")
    pytest.importorskip("ultralytics", reason="needs the extra vision-train")
    served = open_detector("ppe", DetectorConfig(least_confidence=0.001, margin=0.5))
    assert isinstance(served, OnnxYolo)
    theirs = load_dataset(data)
    ours = join([replace(theirs, pictures={"test": theirs.split("test")})], tmp_path / "ours", served.classes)
    found = evaluate(served, ours, "test")
    (tmp_path / "ours" / "val.yaml").write_text(
        f"train: images/test\nval: images/test\nnames: {dict(enumerate(ours.names))}\n", encoding="utf-8"
    )
    code = f"""
import json
from pathlib import Path
from minefusion.models.unsafe_behaviour.agpl.train import load_ultralytics
model = load_ultralytics(Path({str(tmp_path)!r}))({str(served.path)!r}, task="detect")
told = model.val(data={str(tmp_path / "ours" / "val.yaml")!r}, imgsz={served.image_px}, batch=1, plots=False,
                 project={str(tmp_path)!r}, verbose=False)
print(json.dumps([float(told.box.map50), float(told.box.map)]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    map50, map50_95 = json.loads(done.stdout.splitlines()[-1])
    assert found["map50"] == pytest.approx(map50, abs=0.01)
    assert found["map50_95"] == pytest.approx(map50_95, abs=0.01)
