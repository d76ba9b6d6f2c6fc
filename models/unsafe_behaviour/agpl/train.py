"""Training a detector with ultralytics, in pieces that each end after a set time and go on from their checkpoint.

It needs neither MLflow nor a network: a run leaves its curves in `results.csv` and its settings in `recipe.json`, to be
logged afterwards. Links ultralytics, so this file is AGPL-3.0 (see README.md beside it).
"""

from __future__ import annotations

import csv
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from minefusion.models.unsafe_behaviour.dataset import fingerprint, load_dataset
from minefusion.schemas.errors import InputError, MissingError

logger = logging.getLogger(__name__)

# A piece ends when its next epoch might not fit: epochs vary by so much.
EPOCH_VARIES = 1.3


@dataclass(frozen=True)
class Recipe:
    """How a detector is trained. Written beside the checkpoint, so that every piece goes on alike.

    Attributes:
        image_px: longer side of the pictures as the network sees them.
        mosaic: share of pictures that are made of four; little for a data set that holds such pictures already.
        dark: how far brightness may vary, 0 to 1: mines are dark.
        scale: how far size may vary, 0 to 1.
        multi_scale: image_px itself varies by half; for a GPU.
        freeze: first layers that stay as they are.
    """

    epochs: int = 50
    image_px: int = 320
    batch: int = 16
    seed: int = 0
    mosaic: float = 0.0
    dark: float = 0.6
    scale: float = 0.5
    multi_scale: bool = False
    freeze: int = 0
    device: str = "cpu"
    workers: int = 0


@dataclass(frozen=True)
class Trained:
    """Where a training stands.

    Attributes:
        is_done: all epochs are through; else call again with the same folder.
        best: weights of the best epoch on the validation split.
        metrics: of that epoch, as ultralytics measures them.
    """

    is_done: bool
    epochs_done: int
    epochs: int
    best: Path
    metrics: dict[str, float]
    data_fingerprint: str


class _PieceOver(Exception):
    """The time of this piece is used up; the checkpoint is written."""


def train(data: Path, weights: Path, out: Path, recipe: Recipe, budget_s: float | None = None) -> Trained:
    """Train, or go on with the training in `out`.

    Args:
        data: data.yaml in YOLO's form.
        weights: checkpoint to begin with, `.pt`.
        out: folder of this training: checkpoint, curves, best weights.
        budget_s: stop before this many seconds are over, after a whole epoch; null: go through.

    Raises:
        InputError: the data or the weights are not there, or `out` holds a training with another recipe or data.
        MissingError: ultralytics is not installed, or the device is not there.
    """
    data_set = load_dataset(data)
    data_set.split("train")
    data_set.split("val")
    data_fingerprint = fingerprint(data_set)
    about = {"recipe": asdict(recipe), "data": data_fingerprint, "weights": weights.name}
    last, results = out / "weights" / "last.pt", out / "results.csv"
    _begin_or_go_on(out, about)
    done = _epochs(results)
    if len(done) < recipe.epochs:
        if not last.is_file() and not weights.is_file():
            raise InputError(f"expected a checkpoint to begin with, got {weights}, which is no file; give --weights")
        _run(last if last.is_file() else weights, data, out, recipe, budget_s, resumes=last.is_file())
        done = _epochs(results)
    best = out / "weights" / "best.pt"
    return Trained(
        is_done=len(done) >= recipe.epochs,
        epochs_done=len(done),
        epochs=recipe.epochs,
        best=best,
        metrics=max(done, key=_fitness) if done else {},
        data_fingerprint=data_fingerprint,
    )


def _begin_or_go_on(out: Path, about: dict[str, Any]) -> None:
    kept = out / "recipe.json"
    if kept.is_file():
        before = json.loads(kept.read_text(encoding="utf-8"))
        # Another machine may train on: where it runs is not what it learns.
        for each in (before, about):
            each["recipe"] = {k: v for k, v in each["recipe"].items() if k not in ("device", "workers")}
        if before != about:
            differs = [key for key in about if before.get(key) != about[key]]
            raise InputError(
                f"expected to go on with the training in {out}, but its {' and '.join(differs)} differ from what was "
                "given; give the same, or another --out"
            )
        return
    out.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(about, indent=1), encoding="utf-8")


def _run(start: Path, data: Path, out: Path, recipe: Recipe, budget_s: float | None, *, resumes: bool) -> None:
    yolo = load_ultralytics(out)
    model = yolo(str(start))
    began = time.monotonic()
    last_epoch_at, longest = began, 0.0

    def at_checkpoint(trainer: Any) -> None:
        nonlocal last_epoch_at, longest
        now = time.monotonic()
        longest = max(longest, now - last_epoch_at)
        last_epoch_at = now
        is_last = trainer.epoch + 1 >= trainer.epochs
        if budget_s is not None and not is_last and now - began + EPOCH_VARIES * longest > budget_s:
            raise _PieceOver

    model.add_callback("on_model_save", at_checkpoint)
    if recipe.device == "cpu":
        import torch

        torch.set_num_threads(os.cpu_count() or 1)
    # The checkpoint remembers the folder and the device of the machine that wrote it; this one may be another.
    here = {"resume": True, "data": str(data), "save_dir": str(out), "device": recipe.device, "workers": recipe.workers}
    given = here if resumes else _arguments(data, out, recipe)
    try:
        with redirect_stdout(sys.stderr):
            model.train(**given)
    except _PieceOver:
        logger.info("piece over after %.0f s; call again to go on", time.monotonic() - began)


def _arguments(data: Path, out: Path, recipe: Recipe) -> dict[str, Any]:
    return {
        "data": str(data), "epochs": recipe.epochs, "imgsz": recipe.image_px, "batch": recipe.batch,
        "seed": recipe.seed, "device": recipe.device, "workers": recipe.workers, "amp": recipe.device != "cpu",
        "project": str(out.parent), "name": out.name, "exist_ok": True, "plots": False, "deterministic": True,
        "mosaic": recipe.mosaic, "close_mosaic": min(10, recipe.epochs // 5), "hsv_v": recipe.dark,
        "scale": recipe.scale, "multi_scale": 0.5 if recipe.multi_scale else 0.0,
        "freeze": recipe.freeze or None, "patience": 0, "save_period": -1,
    }  # fmt: skip


def load_ultralytics(home: Path) -> Any:
    """The YOLO class, with its settings kept in `home`, nothing sent anywhere, and its words on stderr.

    Raises:
        MissingError: it is not installed.
    """
    os.environ.setdefault("YOLO_CONFIG_DIR", str(home / ".ultralytics"))
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    with redirect_stdout(sys.stderr):
        try:
            from ultralytics import YOLO, settings
        except ImportError:
            raise MissingError(
                "expected ultralytics (AGPL-3.0) for training, got none; install the extra vision-train"
            ) from None
        settings.update({"sync": False, "mlflow": False, "tensorboard": False, "wandb": False, "clearml": False})
    return YOLO


def _epochs(results: Path) -> list[dict[str, float]]:
    """What `results.csv` says of each epoch that is through."""
    if not results.is_file():
        return []
    with results.open(encoding="utf-8", newline="") as file:
        rows = [{key.strip(): float(cell) for key, cell in row.items() if key} for row in csv.DictReader(file)]
    by_epoch = {int(row["epoch"]): row for row in rows}
    return [by_epoch[epoch] for epoch in sorted(by_epoch)]


def _fitness(epoch: dict[str, float]) -> float:
    return epoch.get("metrics/mAP50-95(B)", 0.0)


def export(best: Path, target: Path, image_px: int, scratch: Path) -> Path:
    """The checkpoint as an ONNX file for pictures of any number and size, `image_px` being what it is best at.

    It holds the network alone: boxes that overlap are suppressed by who runs it.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as folder:  # ultralytics writes beside the checkpoint
        copy = Path(folder) / best.name
        shutil.copyfile(best, copy)
        model = load_ultralytics(scratch)(str(copy))
        with redirect_stdout(sys.stderr):
            made = model.export(format="onnx", imgsz=image_px, dynamic=True, simplify=False, opset=17)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(str(made), target)
    return target


def with_device(recipe: Recipe, device: str) -> Recipe:
    """The recipe on another device: `cuda` is the first GPU.

    Raises:
        MissingError: there is no GPU.
    """
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise MissingError("expected a CUDA GPU for --device cuda, got none; use --device cpu")
    return replace(recipe, device="0" if device == "cuda" else device, workers=8 if device == "cuda" else 0)
