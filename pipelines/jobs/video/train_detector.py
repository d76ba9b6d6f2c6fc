"""Data sets → a detector: joined, checked, trained in pieces, exported, judged on the test split, ready to register."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from minefusion.models.training_run import CARD, PLOTS, DataUsed, TrainingRun, code_version
from minefusion.models.unsafe_behaviour.agpl.train import Recipe, Trained, export, train
from minefusion.models.unsafe_behaviour.dataset import (
    Dataset,
    DatasetFinding,
    check_dataset,
    fingerprint,
    join,
    load_dataset,
)
from minefusion.models.unsafe_behaviour.detector import open_detector
from minefusion.models.unsafe_behaviour.evaluate import JUDGED, evaluate
from minefusion.models.unsafe_behaviour.package import FILE
from minefusion.pipelines.jobs.tally import Progress
from minefusion.schemas.errors import InputError

logger = logging.getLogger(__name__)

MODEL = "unsafe_behaviour"
LICENCE = "AGPL-3.0: exported by ultralytics"


@dataclass(frozen=True)
class DetectorTraining:
    """Where a training stands; `run` is there when it is through."""

    trained: Trained
    findings: tuple[DatasetFinding, ...]
    run: TrainingRun | None


def train_detector(
    data: Sequence[Path],
    weights: Path,
    folder: Path,
    recipe: Recipe,
    *,
    mapping: Mapping[str, str | None] | None = None,
    classes: Sequence[str] | None = None,
    underground_share: float = 0.0,
    budget_s: float | None = None,
    model: str = MODEL,
    source: str | None = None,
    licence: str = "",
    command: str = "",
    progress: Progress | None = None,
) -> DetectorTraining:
    """Train, or go on with the training in `folder`.

    Args:
        data: a data.yaml each; several are joined to one data set of our classes.
        mapping: our class of each of their names; the usual aliases where left out.
        classes: our classes to learn; all that the data has where left out.
        underground_share: so many of the training pictures are there once more as if taken underground.
        model: its name in the registry.
        source: what the data is called on the card; the folders' names where left out.
        licence: of the data, for the card.
        command: the line that was typed, for the card.
    """
    parts = [load_dataset(path, mapping) for path in data]
    findings = tuple(finding for part in parts for finding in check_dataset(part))
    for finding in findings:
        logger.warning("%s: %d, such as %s", finding.en, finding.count, finding.examples[0])
    joined_file = folder / "data" / "data.yaml"
    if joined_file.is_file():
        joined = load_dataset(joined_file)
    else:
        joined = join(parts, folder / "data", classes, underground_share=underground_share, seed=recipe.seed)
    if not joined.names:
        raise InputError(f"expected classes of ours in {data[0]}, got {', '.join(parts[0].names)}; give --classes")
    trained = train(joined.file, weights, folder / "training", recipe, budget_s)
    if not trained.is_done:
        return DetectorTraining(trained, findings, None)
    told = source or ", ".join(path.resolve().parent.name for path in data)
    run = left_for_registry(
        folder,
        joined,
        trained,
        recipe,
        weights,
        model=model,
        source=told,
        licence=licence,
        command=command,
        progress=progress,
    )
    return DetectorTraining(trained, findings, run)


def folder_of_data(out: Path, data: Sequence[Path], mapping: Mapping[str, str | None] | None = None) -> Path:
    """A folder under `out` for just these pictures and labels: new ones begin a training anew, the same go on."""
    told = "".join(fingerprint(load_dataset(path, mapping)) for path in data)
    return out / hashlib.sha256(told.encode()).hexdigest()[:12]


def left_for_registry(
    folder: Path,
    data: Dataset,
    trained: Trained,
    recipe: Recipe,
    weights: Path,
    *,
    model: str,
    source: str,
    licence: str,
    command: str,
    progress: Progress | None = None,
) -> TrainingRun:
    """Export the best weights, judge what will be served, and write the training's folder."""
    target = folder / "run"
    served = export(trained.best, target / "model" / FILE, recipe.image_px, folder)
    split = "test" if data.pictures.get("test") else "val"
    detector = open_detector(served, JUDGED)
    found = evaluate(detector, data, split, plots=target / PLOTS, progress=progress)
    run = TrainingRun(
        model=model,
        folder=target,
        parameters=asdict(recipe) | {"weights": weights.name, "classes": ",".join(data.names), "judged_on": split},
        metrics={
            key: found[key] for key in ("map50", "map50_95", "violations_map50") if found[key] is not None
        } | {f"ap50/{row['name']}": row["ap50"] for row in found["classes"] if row["n"]},
        losses=losses(found),
        doing_without=dict.fromkeys(losses(found), 1.0),
        simplest="seeing nothing",
        data=DataUsed(source, "0", str(sum(map(len, data.pictures.values())) - 1),
                      sum(map(len, data.pictures.values())), trained.data_fingerprint),
        code=code_version(MODEL),
    )  # fmt: skip
    (target / CARD).write_text(_card(run, found, data, trained, licence, command), encoding="utf-8")
    run.write()
    return run


def losses(found: Mapping[str, Any]) -> dict[str, float]:
    """What promotion is decided by: the share of precision that is lacking, of all classes and of the violations."""
    return {name: round(1.0 - found[name], 4) for name in ("map50", "violations_map50") if found[name] is not None}


def champion_losses(model: Path, data: Dataset) -> dict[str, float]:
    """The same of the champion in a folder, on the split that the training was judged on."""
    split = "test" if data.pictures.get("test") else "val"
    return losses(evaluate(open_detector(model / FILE, JUDGED), data, split))


def _card(
    run: TrainingRun, found: Mapping[str, Any], data: Dataset, trained: Trained, licence: str, command: str
) -> str:
    pictures = ", ".join(f"{split} {len(paths)}" for split, paths in data.pictures.items())
    rows = "\n".join(
        f"| {row['name']} | {row['n']} | {row['ap50']:.3f} | {row['ap50_95']:.3f} | {row['precision']:.3f} | "
        f"{row['recall']:.3f} |"
        for row in found["classes"]
    )
    slices = ", ".join(
        f"{each['slice']} {each['map50']:.3f} ({each['n']} boxes)" for each in found["slices"] if each["n"]
    )
    violations = found["violations_map50"]
    return f"""# {run.model}

Finds people and what they wear in pictures: {", ".join(data.names)}.

- licence of the weights: {LICENCE}
- data: {run.data.source}; pictures: {pictures}; sha256 {run.data.sha256[:16]}
- licence of the data: {licence or "the owner's"}
- begun from: {run.parameters["weights"]}; {trained.epochs_done} of {trained.epochs} epochs at \
{run.parameters["image_px"]} px, the best of them; batch {run.parameters["batch"]}, seed {run.parameters["seed"]}
- judged on the split `{run.parameters["judged_on"]}`, on the ONNX file that is served: mAP50 {found["map50"]:.3f},
  mAP50-95 {found["map50_95"]:.3f}, bare head and no vest mAP50 {"-" if violations is None else f"{violations:.3f}"}
- by size and darkness, mAP50: {slices}
- made by: `{command}`
- code: {run.code}
- it advises; what it does not see is not safe for that

| class | boxes | AP50 | AP50-95 | precision | recall |
|---|---|---|---|---|---|
{rows}
"""
