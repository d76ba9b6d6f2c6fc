"""Train the seismic hazard model on a file of shifts, judge it on the newest of them, and leave it to the registry."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from minefusion.models import skill
from minefusion.models.seismic_hazard import package
from minefusion.models.seismic_hazard.config import Config
from minefusion.models.seismic_hazard.evaluate import evaluate, what_followed
from minefusion.models.seismic_hazard.features import FULL, REDUCED
from minefusion.models.seismic_hazard.predict import Model, predict
from minefusion.models.seismic_hazard.shifts import Shifts, from_public_series
from minefusion.models.seismic_hazard.train import train
from minefusion.models.training_run import CARD, DataUsed, TrainingRun, code_version, fingerprint
from minefusion.pipelines.jobs.evaluate.seismic_hazard import shift_columns
from minefusion.schemas.errors import InputError

# The newest share of the shifts is held out to judge by.
HELD_OUT = 0.3
# Sanity of the data: a series that is mostly silent, or on which nearly every shift is struck, is a mistake in it.
LEAST_ACTIVE, MOST_STRUCK = 0.05, 0.5


def train_seismic(
    series: Path, folder: Path, *, reduced: bool = False, source: str | None = None, licence: str = ""
) -> TrainingRun:
    """Train on a whole file of shifts; its scores are those of a walk over its newest 30 %.

    Args:
        folder: where the training is left, ready for the registry.
        source: what the data is called in its fingerprint; the file's name where left out.
        licence: of the data, for the card.

    Raises:
        InputError: the data does not make sense as a mine's shifts, or is too short.
    """
    columns = shift_columns(series)
    shifts = from_public_series(columns)
    check_shifts(shifts, str(series))
    first = round((1 - HELD_OUT) * len(shifts))
    older = {name: values[:first] for name, values in columns.items()}
    newer = {name: values[first:] for name, values in columns.items()}
    found = evaluate(older, newer, reduced=reduced)
    model = train(shifts, REDUCED if reduced else FULL, data=source or series.name)
    name = "seismic_hazard_reduced" if reduced else "seismic_hazard"
    run = TrainingRun(
        model=name,
        folder=folder,
        parameters={"config": asdict(Config()), "features": ",".join(model.names), "held_out": HELD_OUT},
        metrics={key: found[key] for key in ("auc", "ap", "brier", "n", "positives")}
        | {f"{key}_low": found[f"{key}_ci95"][0] for key in ("auc", "ap")}
        | {f"{key}_high": found[f"{key}_ci95"][1] for key in ("auc", "ap")}
        | {f"alarms_per_100_at_{recall}": n for recall, n in found["alarms_per_100_at_recall"].items()},
        losses=_losses(found),
        doing_without=_losses(found["baselines"]["constant_rate"]),
        simplest="constant rate",
        data=DataUsed(source or series.name, "0", str(len(shifts) - 1), len(shifts), fingerprint(columns)),
        code=code_version("seismic_hazard"),
    )
    package.write(model, run.files)
    (folder / CARD).write_text(_card(run, found, licence), encoding="utf-8")
    run.write()
    return run


def champion_losses(model: Model, series: Path) -> dict[str, float]:
    """Losses of a champion, as it is, on the rows that a training on this file holds out."""
    columns = shift_columns(series)
    shifts = from_public_series(columns)
    first = round((1 - HELD_OUT) * len(shifts))
    truth = what_followed(shifts, columns)[first:]
    known = np.isfinite(truth)
    return {"brier": skill.brier(truth[known] > 0, predict(model, shifts)[first:][known])}


def check_shifts(shifts: Shifts, where: str) -> None:
    """Refuse what cannot be a mine's shifts."""
    active, struck = float(np.mean(shifts.bumps > 0)), float(np.mean(shifts.strong > 0))
    if active < LEAST_ACTIVE:
        raise InputError(f"expected bumps in {LEAST_ACTIVE:.0%} of the shifts of {where}, got {active:.1%}; mend it")
    if struck > MOST_STRUCK:
        raise InputError(
            f"expected bumps of 10 kJ in at most {MOST_STRUCK:.0%} of the shifts of {where}, got {struck:.0%}; "
            "are the energies in J?"
        )
    wrong = np.flatnonzero((shifts.energy_j > 0) != (shifts.bumps > 0))
    if len(wrong) > len(shifts) // 100:
        raise InputError(f"expected energy where there are bumps in {where}, got none or too much in row {wrong[0]}")


def _losses(found: dict[str, Any]) -> dict[str, float]:
    return {"brier": found["brier"]}


def _card(run: TrainingRun, found: dict[str, Any], licence: str) -> str:
    low, high = found["auc_ci95"]
    return f"""# {run.model}

Probability that the next eight-hour shift brings a bump of at least 10⁴ J.

- data: {run.data.source}, {run.data.rows} shifts in time order, sha256 {run.data.sha256[:16]}
- licence of the data: {licence or "the owner's"}
- split: expanding window, the newest {HELD_OUT:.0%} ({found["n"]} shifts, {found["positives"]} positive) held out
- held out: AUC {found["auc"]:.3f} (95 % {low:.2f} to {high:.2f}), AP {found["ap"]:.3f}, Brier {found["brier"]:.4f};
  constant rate: Brier {found["baselines"]["constant_rate"]["brier"]:.4f}
- features: {run.parameters["features"]}
- made by: minefusion train seismic_hazard{" --reduced" if run.model.endswith("reduced") else ""} --series FILE;
  no random numbers in training (the bootstrap of the intervals has a fixed seed)
- code: {run.code}
- it advises; it never takes the place of the mine's own rock-burst procedure
"""
