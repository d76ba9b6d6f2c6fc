"""Data sets: read with our class names, checked, joined, converted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from minefusion.models.unsafe_behaviour.dataset import (
    check_dataset,
    fingerprint,
    from_coco,
    from_voc,
    join,
    label_file,
    load_dataset,
)
from minefusion.schemas.errors import InputError


def picture(path: Path, shade: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((40, 80, 3), shade, dtype=np.uint8))
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two training pictures and one to test, with helmets, a person and a dog."""
    root = tmp_path / "theirs"
    for split, name, shade, text in (
        ("train", "a", 10, "0 0.5 0.5 0.2 0.4\n2 0.5 0.5 0.4 0.9\n"),
        ("train", "b", 20, ""),
        ("test", "c", 30, "1 0.2 0.2 0.1 0.1\n"),
    ):
        labels = label_file(picture(root / "images" / split / f"{name}.jpg", shade))
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text(text, encoding="utf-8")
    (root / "data.yaml").write_text(
        "train: images/train\ntest: images/test\nnames: {0: Hardhat, 1: dog, 2: Person}\n", encoding="utf-8"
    )
    return root / "data.yaml"


def test_boxes_come_with_our_classes(data: Path):
    read = load_dataset(data)
    assert (read.names, read.ours) == (("Hardhat", "dog", "Person"), ("helmet", None, "person"))
    labels, boxes = read.our_labels(read.pictures["train"][0])
    assert labels == ["helmet", "person"]
    assert boxes[0].tolist() == [0.5, 0.5, 0.2, 0.4]
    assert read.our_labels(read.pictures["test"][0])[0] == []
    other = load_dataset(data, {"Hardhat": "bare_head", "dog": "vest", "Person": None})
    assert other.ours == ("bare_head", "vest", None)


def test_polygons_count_by_the_box_around_them(data: Path):
    read = load_dataset(data)
    label_file(read.pictures["train"][0]).write_text("2 0.1 0.2 0.5 0.2 0.5 0.6\n", encoding="utf-8")
    assert read.labels(read.pictures["train"][0]).boxes.tolist() == [pytest.approx([0.3, 0.4, 0.4, 0.4])]


@pytest.mark.parametrize("line", ["7 0.5 0.5 0.1 0.1", "0 0.5 0.5", "hat 0.1 0.1 0.1 0.1"])
def test_a_line_that_is_no_box_is_told(data: Path, line: str):
    read = load_dataset(data)
    label_file(read.pictures["train"][0]).write_text(f"0 0.5 0.5 0.1 0.1\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"expected 'class x y w h' with a class under 3 in .*a\.txt line 2"):
        read.labels(read.pictures["train"][0])


def test_a_data_yaml_that_is_none_is_told(tmp_path: Path, data: Path):
    with pytest.raises(InputError, match="which is no file"):
        load_dataset(tmp_path / "none.yaml")
    data.write_text("train: images/train\n", encoding="utf-8")
    with pytest.raises(InputError, match="expected 'names' and the splits"):
        load_dataset(data)
    data.write_text("train: images/other\nnames: [Person]\n", encoding="utf-8")
    with pytest.raises(InputError, match="which is not there"):
        load_dataset(data)
    data.write_text("names: [Person]\n", encoding="utf-8")
    read = load_dataset(data)
    with pytest.raises(InputError, match=r"expected pictures in split 'test' .* splits there: none"):
        read.split("test")


def test_what_is_wrong_with_a_data_set(data: Path):
    root = data.parent
    shutil.copy(root / "images" / "train" / "a.jpg", root / "images" / "test" / "leak.jpg")
    shutil.copy(root / "images" / "train" / "a.jpg", root / "images" / "train" / "twice.jpg")
    shutil.copy(root / "images" / "test" / "c.jpg", root / "images" / "test" / "again.jpg")
    (root / "labels" / "train" / "twice.txt").write_text("0 0.95 0.5 0.4 0.4\n", encoding="utf-8")
    found = {finding.code: finding for finding in check_dataset(load_dataset(data))}
    assert found.keys() == {"ACROSS_SPLITS", "TWICE", "NO_LABELS", "BOX_OUTSIDE", "FEW_BOXES"}
    assert found["ACROSS_SPLITS"].count == 1
    assert "test/leak.jpg" in found["ACROSS_SPLITS"].examples[0]
    assert found["FEW_BOXES"].examples == ("Hardhat: 2", "Person: 1")


def test_the_fingerprint_is_of_the_content(data: Path, tmp_path: Path):
    before = fingerprint(load_dataset(data))
    moved = tmp_path / "elsewhere"
    shutil.copytree(data.parent, moved)
    assert fingerprint(load_dataset(moved / "data.yaml")) == before
    label_file(moved / "images" / "train" / "b.jpg").write_text("0 0.5 0.5 0.1 0.1\n", encoding="utf-8")
    assert fingerprint(load_dataset(moved / "data.yaml")) != before


def test_several_data_sets_become_one(data: Path, tmp_path: Path):
    first = load_dataset(data)
    second = load_dataset(data, {"Hardhat": None, "dog": "no_vest", "Person": "person"})
    joined = join([first, second], tmp_path / "one")
    assert joined.names == ("person", "helmet", "no_vest")
    assert {split: len(pictures) for split, pictures in joined.pictures.items()} == {"train": 4, "test": 2}
    labels = {path.name: joined.our_labels(path)[0] for path in joined.pictures["train"] + joined.pictures["test"]}
    assert labels["0_a.jpg"] == ["helmet", "person"]
    assert labels["1_a.jpg"] == ["person"]
    assert labels["1_c.jpg"] == ["no_vest"]
    few = join([first], tmp_path / "few", ["helmet"])
    assert few.names == ("helmet",)
    assert few.our_labels(few.pictures["train"][0])[0] == ["helmet"]


def test_coco_and_voc_give_the_same_boxes(tmp_path: Path):
    picture(tmp_path / "pictures" / "a.jpg", 5)
    coco = {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 80, "height": 40}],
        "categories": [{"id": 3, "name": "helmet"}, {"id": 9, "name": "person"}],
        "annotations": [
            {"image_id": 7, "category_id": 9, "bbox": [8, 4, 16, 20]},
            {"image_id": 7, "category_id": 3, "bbox": [0, 0, 80, 40], "iscrowd": 1},
        ],
    }
    (tmp_path / "coco.json").write_text(json.dumps(coco), encoding="utf-8")
    (tmp_path / "voc").mkdir()
    (tmp_path / "voc" / "a.xml").write_text(
        "<annotation><filename>a.jpg</filename><size><width>80</width><height>40</height></size>"
        "<object><name>person</name><bndbox><xmin>8</xmin><ymin>4</ymin><xmax>24</xmax><ymax>24</ymax></bndbox></object>"
        "</annotation>", encoding="utf-8",
    )  # fmt: skip
    made = [
        from_coco(tmp_path / "coco.json", tmp_path / "pictures", tmp_path / "from_coco"),
        from_voc(tmp_path / "voc", tmp_path / "pictures", tmp_path / "from_voc"),
    ]
    for each in made:
        labels, boxes = each.our_labels(each.pictures["train"][0])
        assert labels == ["person"]
        assert boxes.tolist() == [pytest.approx([0.2, 0.35, 0.2, 0.5])]
