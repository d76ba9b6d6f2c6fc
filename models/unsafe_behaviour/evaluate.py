"""How well a detector finds what is labelled: precision and recall by class, recomputed from pictures and labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.models.unsafe_behaviour.dataset import Dataset
from minefusion.models.unsafe_behaviour.detections import Detections, Detector, Picture, overlaps
from minefusion.models.unsafe_behaviour.detector import DetectorConfig
from minefusion.schemas.errors import InputError
from minefusion.schemas.video_classes import video_classes

Progress = Callable[[float, str], None]

# What is judged keeps all that it is the least bit sure of, with the border that ultralytics judges with.
JUDGED = DetectorConfig(least_confidence=0.001, margin=0.5)
# Overlaps at which a box counts as found: COCO's ten.
OVERLAPS = np.linspace(0.5, 0.95, 10)
# Confidence is swept in so many steps to find where precision and recall are read.
_STEPS = 1000
# Sizes of a box [px of its picture, square root of its area], as COCO cuts them; darkness of a picture [mean of 255].
SIZES = {"small": (0.0, 32.0), "medium": (32.0, 96.0), "large": (96.0, np.inf)}
DARK_UNDER = 60.0
_AT_ONCE = 16


@dataclass(frozen=True)
class Judged:
    """The detections of one picture beside its labels, of the classes that both know.

    Attributes:
        truth: index into the classes, shape (t,); truth_px: square root of each box's area [px].
        label, confidence, found_px: the same of the detections, shape (n,).
        hits: whether each detection found a box at each of OVERLAPS, shape (n, 10).
        owner: at the lowest overlap the truth that each detection found, -1 where none, shape (n,).
        brightness: mean of the picture, 0 to 255.
    """

    truth: NDArray[np.int64]
    truth_px: NDArray[np.float64]
    label: NDArray[np.int64]
    confidence: NDArray[np.float64]
    found_px: NDArray[np.float64]
    hits: NDArray[np.bool_]
    owner: NDArray[np.int64]
    brightness: float


def evaluate(
    detector: Detector,
    data: Dataset,
    split: str = "test",
    *,
    plots: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """map50, map50_95, by class ap50, ap50_95, precision, recall and n; violations_map50; slices by size and darkness.

    The detector should keep everything it is the least bit sure of. Precision and recall are those at the confidence
    where their harmonic mean over the classes is best. A class of the data that the detector does not know is named
    and not counted.

    Raises:
        InputError: no class is known to both, or the split is empty.
    """
    ours = [label for label in video_classes() if label in data.ours]
    classes = [label for label in ours if label in detector.classes]
    if not classes:
        known = ", ".join(detector.classes)
        raise InputError(
            f"expected classes in {data.file} that the model knows ({known}), got {', '.join(data.names)}; "
            "give a mapping by --classes"
        )
    judged = judged_pictures(detector, data, split, classes, progress)
    scores = _scores(judged, len(classes))
    rows: list[dict[str, Any]] = [
        {"name": name} | {key: round(float(values[index]), 4) for key, values in scores.items() if key != "n"}
        | {"n": int(scores["n"][index])}
        for index, name in enumerate(classes)
    ]  # fmt: skip
    there = [row for row in rows if row["n"]]
    violations = [row["ap50"] for row in there if video_classes()[row["name"]].is_violation]
    result: dict[str, Any] = {
        "model": detector.version,
        "data": str(data.file),
        "split": split,
        "pictures": len(judged),
        "map50": _mean(row["ap50"] for row in there),
        "map50_95": _mean(row["ap50_95"] for row in there),
        "classes": rows,
        "violations_map50": _mean(violations),
        "unknown_to_model": [label for label in ours if label not in classes],
        "slices": _slices(judged, len(classes)),
        "confusion": {"classes": classes, "counts": confusion(judged, len(classes)).tolist()},
    }
    if plots:
        result["plots"] = [str(path) for path in _plotted(judged, classes, result, plots)]
    return result


def judged_pictures(
    detector: Detector, data: Dataset, split: str, classes: Sequence[str], progress: Progress | None = None
) -> list[Judged]:
    """Every picture of the split through the detector."""
    pictures = data.split(split)
    judged: list[Judged] = []
    for first in range(0, len(pictures), _AT_ONCE):
        paths = pictures[first : first + _AT_ONCE]
        loaded = [load_picture(path) for path in paths]
        for path, picture, found in zip(paths, loaded, detector.detect(loaded), strict=True):
            labels, boxes = data.our_labels(path)
            judged.append(_judged(picture, labels, boxes, found, classes))
        if progress:
            progress(min(1.0, (first + _AT_ONCE) / len(pictures)), split)
    return judged


def load_picture(path: Path) -> Picture:
    """A picture file as red, green, blue."""
    import cv2

    read = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if read is None:
        raise InputError(f"expected a picture in {path}, got a file that cannot be read; remove or mend it")
    return np.ascontiguousarray(read[..., ::-1], dtype=np.uint8)


def _judged(
    picture: Picture, labels: Sequence[str], boxes: NDArray[np.float64], found: Detections, classes: Sequence[str]
) -> Judged:
    height, width = picture.shape[:2]
    size = np.array([width, height, width, height], dtype=np.float64)
    keep = [index for index, label in enumerate(labels) if label in classes]
    truth = np.array([classes.index(labels[index]) for index in keep], dtype=np.int64)
    half = boxes[keep][:, 2:] / 2
    truth_boxes = np.concatenate([boxes[keep][:, :2] - half, boxes[keep][:, :2] + half], axis=1) * size
    found = found.of(*classes)
    label = np.array([classes.index(found.name(index)) for index in range(len(found))], dtype=np.int64)
    found_boxes = found.boxes * size
    hits, owner = _matched(truth, truth_boxes, label, found_boxes)
    return Judged(
        truth, _lengths(truth_boxes), label, found.confidence, _lengths(found_boxes), hits, owner, float(picture.mean())
    )


def _lengths(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.maximum(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), 0.0))


def _matched(
    truth: NDArray[np.int64], truth_boxes: NDArray[np.float64], label: NDArray[np.int64],
    found_boxes: NDArray[np.float64],
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:  # fmt: skip
    """Which detections find a box: each goes for the one it overlaps most, and the surest of those has it."""
    hits = np.zeros((len(label), len(OVERLAPS)), dtype=bool)
    owner = np.full(len(label), -1, dtype=np.int64)
    if not len(truth) or not len(label):
        return hits, owner
    shared = overlaps(truth_boxes, found_boxes) * (truth[:, None] == label[None, :])
    wanted, how_much = shared.argmax(axis=0), shared.max(axis=0)
    for column, least in enumerate(OVERLAPS):
        candidates = np.flatnonzero(how_much >= least)  # the surest first
        _, first = np.unique(wanted[candidates], return_index=True)
        hits[candidates[first], column] = True
    owner[hits[:, 0]] = wanted[hits[:, 0]]
    return hits, owner


def _scores(judged: Sequence[Judged], count: int) -> dict[str, NDArray[np.float64]]:
    """By class: ap50, ap50_95, precision, recall, n."""
    truth, label, confidence, hits = _joined(judged)
    n = np.bincount(truth, minlength=count).astype(np.float64)
    ap = np.zeros((count, len(OVERLAPS)))
    steps = np.linspace(0, 1, _STEPS)
    precision, recall = np.ones((count, _STEPS)), np.zeros((count, _STEPS))
    order = np.argsort(-confidence, kind="stable")
    label, confidence, hits = label[order], confidence[order], hits[order]
    for index in range(count):
        mine = label == index
        if not n[index] or not mine.any():
            precision[index] = 0.0
            continue
        found = hits[mine].cumsum(axis=0)
        tried = np.arange(1, mine.sum() + 1)[:, None]
        all_recall, all_precision = found / n[index], found / tried
        ap[index] = [_area(all_recall[:, c], all_precision[:, c]) for c in range(len(OVERLAPS))]
        # Read against confidence, which falls along the list.
        recall[index] = np.interp(-steps, -confidence[mine], all_recall[:, 0], left=0)
        precision[index] = np.interp(-steps, -confidence[mine], all_precision[:, 0], left=1)
    there = n > 0
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-16)
    best = int(_smoothed(f1[there].mean(axis=0)).argmax()) if there.any() else 0
    return {
        "ap50": ap[:, 0],
        "ap50_95": ap.mean(axis=1),
        "precision": precision[:, best],
        "recall": recall[:, best],
        "n": n,
    }


def _joined(judged: Sequence[Judged]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    return (
        np.concatenate([each.truth for each in judged]),
        np.concatenate([each.label for each in judged]),
        np.concatenate([each.confidence for each in judged]),
        np.concatenate([each.hits for each in judged]),
    )


def _area(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    """Area under precision over recall, the envelope read at 101 points as COCO does."""
    recall = np.concatenate([[0.0], recall, [1.0]])
    precision = np.concatenate([[1.0], precision, [0.0]])
    envelope = np.flip(np.maximum.accumulate(np.flip(precision)))
    at = np.linspace(0, 1, 101)
    return float(np.trapezoid(np.interp(at, recall, envelope), at))


def _smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A moving mean over a twentieth of the sweep, so that one step does not decide."""
    width = _STEPS // 20 + 1 - (_STEPS // 20) % 2
    padded = np.concatenate([np.full(width // 2, values[0]), values, np.full(width // 2, values[-1])])
    return np.convolve(padded, np.ones(width) / width, mode="valid")


def _slices(judged: Sequence[Judged], count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, (low, high) in SIZES.items():
        part = [_of_size(each, low, high) for each in judged]
        found.append(_slice(f"size_{name}", part, count))
    for name, keep in (("dark", lambda b: b < DARK_UNDER), ("bright", lambda b: b >= DARK_UNDER)):
        part = [each for each in judged if keep(each.brightness)]
        found.append(_slice(name, part, count))
    return found


def _slice(name: str, part: Sequence[Judged], count: int) -> dict[str, Any]:
    if not part or not sum(len(each.truth) for each in part):
        return {"slice": name, "pictures": len(part), "n": 0, "map50": None}
    scores = _scores(part, count)
    there = scores["n"] > 0
    return {
        "slice": name,
        "pictures": len(part),
        "n": int(scores["n"].sum()),
        "map50": round(float(scores["ap50"][there].mean()), 4),
    }


def _of_size(each: Judged, low: float, high: float) -> Judged:
    """Boxes of this size alone. A detection that found a box of another size, or is of another size and found none,
    counts neither way."""

    def fits(px: NDArray[np.float64]) -> NDArray[np.bool_]:
        return (px >= low) & (px < high)

    truth_fits = fits(each.truth_px)
    owned = each.owner >= 0
    keep = np.where(owned, truth_fits[each.owner] if len(truth_fits) else False, fits(each.found_px))
    return Judged(
        each.truth[truth_fits], each.truth_px[truth_fits], each.label[keep], each.confidence[keep],
        each.found_px[keep], each.hits[keep], each.owner[keep], each.brightness,
    )  # fmt: skip


def confusion(judged: Sequence[Judged], count: int, least_confidence: float = 0.25) -> NDArray[np.int64]:
    """Rows: what was labelled, the last one nothing; columns: what was found at that confidence, the last one nothing.
    Only boxes of the same class are paired, so a wrong class shows as one missed and one made up."""
    counts = np.zeros((count + 1, count + 1), dtype=np.int64)
    for each in judged:
        sure = each.confidence >= least_confidence
        found = set(each.owner[sure & (each.owner >= 0)].tolist())
        for index, label in enumerate(each.truth.tolist()):
            counts[label, label if index in found else count] += 1
        for label in each.label[sure & (each.owner < 0)].tolist():
            counts[count, label] += 1
    return counts


def _plotted(judged: Sequence[Judged], classes: Sequence[str], result: Mapping[str, Any], folder: Path) -> list[Path]:
    """Precision over recall by class, and the confusion matrix, as PNG files."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    truth, label, confidence, hits = _joined(judged)
    figure, axes = plt.subplots(figsize=(7, 6))
    for index, name in enumerate(classes):
        n = int((truth == index).sum())
        order = np.argsort(-confidence[label == index], kind="stable")
        found = hits[label == index][order, 0].cumsum()
        if n and len(found):
            axes.plot(
                found / n, found / np.arange(1, len(found) + 1), label=f"{name} {result['classes'][index]['ap50']:.2f}"
            )
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=f"mAP50 {result['map50']:.3f}")
    axes.legend(fontsize=8)
    paths = [folder / "precision_recall.png", folder / "confusion.png"]
    figure.savefig(paths[0], dpi=110, bbox_inches="tight")
    plt.close(figure)
    counts = np.array(result["confusion"]["counts"])
    figure, axes = plt.subplots(figsize=(7, 6))
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
    names = [*classes, "nothing"]
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set(xlabel="found", ylabel="labelled")
    for (row, column), value in np.ndenumerate(counts):
        if value:
            axes.text(column, row, str(value), ha="center", va="center", fontsize=7)
    figure.savefig(paths[1], dpi=110, bbox_inches="tight")
    plt.close(figure)
    return paths


def _mean(values: Any) -> float | None:
    values = list(values)
    return round(float(np.mean(values)), 4) if values else None
