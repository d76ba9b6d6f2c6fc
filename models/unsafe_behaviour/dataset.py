"""Labelled pictures: data sets in YOLO's form read with our class names, checked, joined, converted from others."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import yaml
from numpy.typing import NDArray

from minefusion.models.unsafe_behaviour.mine_look import underground
from minefusion.schemas.errors import InputError
from minefusion.schemas.video_classes import mapped, video_classes

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Labels:
    """The boxes of one picture.

    Attributes:
        label: index into the data set's `names`, shape (n,).
        boxes: centre x, centre y, width, height as shares of the picture, shape (n, 4).
    """

    label: NDArray[np.int64]
    boxes: NDArray[np.float64]


@dataclass(frozen=True)
class Dataset:
    """A data set in YOLO's form.

    Attributes:
        file: its data.yaml.
        names: its own class names, by number.
        ours: our class of each, None where it is none of ours.
        pictures: paths of the pictures of each split.
    """

    file: Path
    names: tuple[str, ...]
    ours: tuple[str | None, ...]
    pictures: Mapping[str, tuple[Path, ...]]

    def split(self, name: str) -> tuple[Path, ...]:
        """
        Raises:
            InputError: the data set has no pictures there.
        """
        found = self.pictures.get(name, ())
        if not found:
            there = ", ".join(split for split, pictures in self.pictures.items() if pictures) or "none"
            raise InputError(f"expected pictures in split '{name}' of {self.file}, got none; splits there: {there}")
        return found

    def labels(self, picture: Path) -> Labels:
        """The picture's boxes. Without a label file there are none.

        Raises:
            InputError: a line that is no box, with file and line.
        """
        return read_labels(label_file(picture), len(self.names))

    def our_labels(self, picture: Path) -> tuple[list[str], NDArray[np.float64]]:
        """The boxes of our classes, each with its class; boxes as in `Labels`."""
        found = self.labels(picture)
        ours = [self.ours[int(label)] for label in found.label]
        keep = [index for index, label in enumerate(ours) if label is not None]
        return [str(ours[index]) for index in keep], found.boxes[keep]


def load_dataset(file: Path, mapping: Mapping[str, str | None] | None = None) -> Dataset:
    """Read a data.yaml.

    Args:
        mapping: our class of each of its names; by the usual aliases where left out.

    Raises:
        InputError: the file is no such thing, or names a folder that is not there.
    """
    if not file.is_file():
        raise InputError(f"expected a data.yaml, got {file}, which is no file; give the data set's own data.yaml")
    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
        names = read["names"]
        names = [names[number] for number in sorted(names)] if isinstance(names, dict) else list(names)
    except (yaml.YAMLError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise InputError(f"expected 'names' and the splits in {file}, got: {error!r}; write a YOLO data.yaml") from None
    root = Path(str(read.get("path") or ""))
    root = root if root.is_absolute() else file.parent / root
    pictures = {split: tuple(_pictures(root, read[split], file)) for split in SPLITS if read.get(split)}
    names = tuple(str(name) for name in names)
    return Dataset(file, names, mapped(names, mapping), pictures)


def _pictures(root: Path, told: str | Sequence[str], file: Path) -> Iterator[Path]:
    for place in [told] if isinstance(told, str) else told:
        path = root / place
        if not path.exists() and place.startswith("../"):  # exports of some tools count from a folder further down
            path = root / place.removeprefix("../")
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix.lower() in PICTURES)
        elif path.is_file():  # a list of pictures, one a line
            yield from (root / line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
        else:
            raise InputError(f"expected the folder of pictures that {file} names, got {path}, which is not there")


def label_file(picture: Path) -> Path:
    """Where YOLO's form keeps the boxes of a picture: the same path with `labels` for the last `images`."""
    parts = list(picture.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def read_labels(file: Path, classes: int) -> Labels:
    """Boxes of a label file; outlines of polygons count by the box around them."""
    labels: list[int] = []
    boxes: list[list[float]] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines() if file.is_file() else (), 1):
        cells = line.split()
        if not cells:
            continue
        try:
            label, values = int(float(cells[0])), [float(cell) for cell in cells[1:]]
        except ValueError:
            label, values = -1, []
        if len(values) > 4 and len(values) % 2 == 0:
            xs, ys = values[0::2], values[1::2]
            values = [(min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2, max(xs) - min(xs), max(ys) - min(ys)]
        if not 0 <= label < classes or len(values) != 4:
            raise InputError(f"expected 'class x y w h' with a class under {classes} in {file} line {number}; mend it")
        labels.append(label)
        boxes.append(values)
    return Labels(np.array(labels, dtype=np.int64), np.array(boxes, dtype=np.float64).reshape(-1, 4))


# ── checks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class DatasetFinding:
    """What is wrong, or worth knowing, before training: a code, how often, and examples."""

    code: str
    zh: str
    en: str
    count: int
    examples: tuple[str, ...]


_FINDINGS = {
    "ACROSS_SPLITS": ("同一图片出现在多个划分中", "the same picture lies in several splits"),
    "TWICE": ("同一划分中的重复图片", "the same picture twice in one split"),
    "NO_LABELS": ("无标注的图片", "pictures without a box"),
    "BOX_OUTSIDE": ("标注框超出图片", "boxes beyond the picture's edge"),
    "FEW_BOXES": ("训练集中该类标注过少", "a class with few boxes in the training split"),
}
# A class with fewer training boxes than this teaches little.
FEW_BOXES = 100


def check_dataset(data: Dataset) -> list[DatasetFinding]:
    """Pictures in several splits, twice in one, without boxes; boxes beyond the edge; classes with few boxes."""
    found: dict[str, list[str]] = {code: [] for code in _FINDINGS}
    splits_of: dict[str, list[tuple[str, Path]]] = {}
    boxes: Counter[str] = Counter()
    for split, pictures in data.pictures.items():
        for picture in pictures:
            splits_of.setdefault(_digest(picture), []).append((split, picture))
            labels = data.labels(picture)
            if not len(labels.label):
                found["NO_LABELS"].append(picture.name)
            low, high = labels.boxes[:, :2] - labels.boxes[:, 2:] / 2, labels.boxes[:, :2] + labels.boxes[:, 2:] / 2
            if (low < -0.01).any() or (high > 1.01).any():
                found["BOX_OUTSIDE"].append(picture.name)
            if split == "train":
                boxes.update(data.names[int(label)] for label in labels.label)
    for same in splits_of.values():
        if len({split for split, _ in same}) > 1:
            found["ACROSS_SPLITS"].append(" = ".join(f"{split}/{path.name}" for split, path in same))
        elif len(same) > 1:
            found["TWICE"].append(" = ".join(path.name for _, path in same))
    if data.pictures.get("train"):
        wanted = [name for name, ours in zip(data.names, data.ours, strict=True) if ours is not None]
        found["FEW_BOXES"] = [f"{name}: {boxes[name]}" for name in wanted if boxes[name] < FEW_BOXES]
    return [DatasetFinding(code, *_FINDINGS[code], len(each), tuple(each[:5])) for code, each in found.items() if each]


def fingerprint(data: Dataset) -> str:
    """Digest of every picture and label of the data set: the same data, the same fingerprint, wherever it lies."""
    whole = hashlib.sha256()
    for split, pictures in sorted(data.pictures.items()):
        for digest in sorted(_digest(picture) + _digest(label_file(picture)) for picture in pictures):
            whole.update(f"{split} {digest}\n".encode())
    return whole.hexdigest()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "-"


# ── joining and converting ──────────────────────────────────────────────────────────────────────────────────────────


def join(
    parts: Sequence[Dataset],
    out: Path,
    classes: Sequence[str] | None = None,
    *,
    underground_share: float = 0.0,
    seed: int = 0,
) -> Dataset:
    """One data set of our classes from several; pictures are linked, labels written anew.

    Args:
        classes: our classes to keep, in this order; where left out, those that any part has, in the table's order.
        underground_share: so many of the training pictures are there once more as if taken underground.
        seed: of the dice that choose them.
    """
    if classes is None:
        there = {label for part in parts for label in part.ours if label}
        classes = [label for label in video_classes() if label in there]
    number = {label: index for index, label in enumerate(classes)}
    dice = np.random.default_rng(seed)
    for index, part in enumerate(parts):
        for split, pictures in part.pictures.items():
            for picture in pictures:
                labels, boxes = part.our_labels(picture)
                lines = [_line(number[label], box) for label, box in zip(labels, boxes, strict=True) if label in number]
                name = f"{index}_{picture.name}"
                _put(out, split, name, picture, lines)
                if split == "train" and dice.random() < underground_share:
                    _put_underground(out, Path(name), picture, lines, dice)
    return _data_yaml(out, classes)


def _put_underground(out: Path, name: Path, picture: Path, lines: Sequence[str], dice: np.random.Generator) -> None:
    import cv2

    read = cv2.imread(str(picture), cv2.IMREAD_COLOR)
    if read is None:
        raise InputError(f"expected a picture in {picture}, got a file that cannot be read; remove or mend it")
    target = out / "images" / "train" / f"{name.stem}_underground.jpg"
    cv2.imwrite(str(target), underground(read.astype(np.uint8), dice))
    label_file(target).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def from_coco(annotations: Path, pictures: Path, out: Path, split: str = "train") -> Dataset:
    """A data set in COCO's form (one JSON) as YOLO's."""
    read = json.loads(annotations.read_text(encoding="utf-8"))
    names = {each["id"]: each["name"] for each in read["categories"]}
    number = {category: index for index, category in enumerate(sorted(names))}
    lines: dict[int, list[str]] = {each["id"]: [] for each in read["images"]}
    size = {each["id"]: (each["width"], each["height"]) for each in read["images"]}
    for each in read["annotations"]:
        if each.get("iscrowd"):
            continue
        (x, y, w, h), (width, height) = each["bbox"], size[each["image_id"]]
        box = ((x + w / 2) / width, (y + h / 2) / height, w / width, h / height)
        lines[each["image_id"]].append(_line(number[each["category_id"]], box))
    for each in read["images"]:
        _put(out, split, Path(each["file_name"]).name, pictures / each["file_name"], lines[each["id"]])
    return _data_yaml(out, [names[category] for category in sorted(names)])


def from_voc(annotations: Path, pictures: Path, out: Path, split: str = "train") -> Dataset:
    """A data set in Pascal VOC's form (one XML a picture) as YOLO's."""
    files = sorted(annotations.glob("*.xml"))
    trees = {file: ElementTree.parse(file).getroot() for file in files}
    names = sorted({str(name.text) for root in trees.values() for name in root.iterfind("object/name")})
    for file, root in trees.items():
        width, height = (float(root.findtext(f"size/{side}") or 0) for side in ("width", "height"))
        if width <= 0 or height <= 0:
            raise InputError(f"expected the picture's size in {file}, got {width:.0f} x {height:.0f}; add it")
        lines = []
        for thing in root.iterfind("object"):
            x1, y1, x2, y2 = (float(thing.findtext(f"bndbox/{end}") or 0) for end in ("xmin", "ymin", "xmax", "ymax"))
            box = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
            lines.append(_line(names.index(str(thing.findtext("name"))), box))
        picture = str(root.findtext("filename"))
        _put(out, split, picture, pictures / picture, lines)
    return _data_yaml(out, names)


def _line(label: int, box: Iterable[float]) -> str:
    return " ".join([str(label), *(f"{value:.6f}" for value in box)])


def _put(out: Path, split: str, name: str, picture: Path, lines: Sequence[str]) -> None:
    for folder in ("images", "labels"):
        (out / folder / split).mkdir(parents=True, exist_ok=True)
    target = out / "images" / split / name
    if not target.exists():
        try:
            os.link(picture, target)
        except OSError:  # another file system
            shutil.copyfile(picture, target)
    label_file(target).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _data_yaml(out: Path, names: Sequence[str]) -> Dataset:
    told: dict[str, Any] = {
        split: f"images/{split}" for split in SPLITS if any((out / "images" / split).glob("*"))
    }  # fmt: skip
    told["names"] = dict(enumerate(names))
    file = out / "data.yaml"
    file.write_text(yaml.safe_dump(told, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return load_dataset(file)
