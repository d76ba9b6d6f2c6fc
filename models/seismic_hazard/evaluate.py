"""How good the forecasts are, by one protocol: expanding window, in time order, everything beside simple answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.models import skill
from minefusion.models.seismic_hazard import baselines
from minefusion.models.seismic_hazard.config import WEEK, Config
from minefusion.models.seismic_hazard.features import FULL, REDUCED
from minefusion.models.seismic_hazard.shifts import Floats, Shifts, from_public_series
from minefusion.models.seismic_hazard.train import walk
from minefusion.schemas.errors import InputError

RECALLS = (0.5, 0.7)
_SEED = 20260301


def evaluate(
    train: Mapping[str, NDArray], test: Mapping[str, NDArray], *, reduced: bool = False, config: Config | None = None
) -> dict[str, Any]:
    """Scores on the shifts of `test`, which follow on those of `train`; both hold the public series' columns.

    The model is refitted as the shifts pass, on what is past by then. Intervals hold 95 % of bootstraps that draw
    whole weeks. The last shift is left out unless `class` says what followed it.

    Returns:
        n, positives, auc, ap, brier with their `…_ci95`, alarms_per_100_at_recall, and the same of each baseline, with
        `auc_behind_ci95`: by how much it lies behind the model.
    """
    config = config or Config()
    lacking = sorted(set(train) - set(test))
    if lacking:
        raise InputError(f"expected the test part to have the training part's columns, got none named {lacking[0]}")
    columns = {name: np.concatenate([train[name], test[name]]) for name in train}
    shifts = from_public_series(columns)
    first = len(from_public_series(train))
    truth = what_followed(shifts, columns)
    known = np.isfinite(truth[first:])
    positive = truth[first:][known] > 0
    if positive.all() or not positive.any():
        raise InputError(
            f"expected shifts with and without a strong bump after them in the test part, got {int(positive.sum())} of "
            f"{len(positive)} with one; give a longer part"
        )
    walked = walk(shifts, REDUCED if reduced else FULL, config)
    if first < walked.start:
        raise InputError(f"expected at least {walked.start} shifts in the training part, got {first}; give more")
    chance = walked.chance[first - walked.start :]
    others = {
        "logistic_regression": baselines.logistic_regression(
            baselines.as_they_are(columns), truth, first, config.refit_every
        ),
        "constant_rate": baselines.constant_rate(truth, first),
        "recent_rate": baselines.recent_rate(shifts.strong, first),
    }
    found = _scores(positive, chance[known])
    found["baselines"] = {name: _scores(positive, other[known], ahead=chance[known]) for name, other in others.items()}
    name = "seismic_hazard_reduced" if reduced else "seismic_hazard"
    return {"model": name, "rows_train": first, "n": len(positive), "positives": int(positive.sum())} | found


def what_followed(shifts: Shifts, columns: Mapping[str, NDArray]) -> Floats:
    """1 where a strong bump followed on a shift, 0 where not; of the last shift `class` alone can tell, else NaN."""
    truth = shifts.strong_next
    if "class" in columns and len(truth):
        truth[-1] = float(columns["class"][-1])
    return truth


def _scores(positive: NDArray[np.bool_], chance: Floats, ahead: Floats | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, score in (("auc", skill.auc), ("ap", skill.average_precision), ("brier", skill.brier)):
        found[name] = score(positive, chance)
        found[f"{name}_ci95"] = _interval(len(positive), lambda at, score=score: score(positive[at], chance[at]))
    found["alarms_per_100_at_recall"] = {
        str(recall): skill.alarms_per_100(positive, chance, recall) for recall in RECALLS
    }
    if ahead is not None:
        found["auc_behind_ci95"] = _interval(
            len(positive), lambda at: skill.auc(positive[at], ahead[at]) - skill.auc(positive[at], chance[at])
        )
    return found


def _interval(rows: int, score: Any) -> list[float]:
    return list(skill.interval_by_blocks(rows, score, block=WEEK, seed=_SEED))
