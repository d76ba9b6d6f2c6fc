"""The network for any point: pre-trained on simulated shifts, tuned on a measured series, set on its newest part.

What it leaves is a forecaster without a point of its own, small enough to be shipped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.config import ForecastConfig
from minefusion.models.methane_forecast.export import as_onnx, greatest_difference
from minefusion.models.methane_forecast.features import HOLD, contexts, last_good
from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, LEVELS, WITHIN_MIN, Floats, Readings
from minefusion.models.methane_forecast.general import (
    Calibration,
    GeneralNetwork,
    chance_of,
    off_middle,
    ranged,
    rounded,
    sensor_step,
)
from minefusion.models.methane_forecast.network import fit
from minefusion.models.methane_forecast.onset import TINY_PCT
from minefusion.models.methane_forecast.pool import HELD
from minefusion.models.methane_forecast.predict import save
from minefusion.models.methane_forecast.scores import pinball
from minefusion.models.methane_forecast.train import Forecaster
from minefusion.models.methane_forecast.warning import NEVER, record, threshold_for
from minefusion.models.methane_forecast.weights import read_weights
from minefusion.models.methane_forecast.windows import FAN, LENGTH, truths, windows
from minefusion.models.skill import auc, average_precision
from minefusion.models.training_run import CARD, DataUsed, TrainingRun, code_version, fingerprint
from minefusion.pipelines.jobs.forecast.measured_series import measured_series
from minefusion.pipelines.jobs.forecast.pretrain import windows_of
from minefusion.schemas.errors import InputError

logger = logging.getLogger(__name__)
Progress = Callable[[float, str], None]

MODEL = "methane_forecast"
# The newest share of the series sets intervals and thresholds, and is not learned.
HELD_OUT = 0.3
EPOCHS, RATE = 8, 1e-3
# A range is what all but so few windows keep to.
_BEYOND = 0.001
_OF_FORECAST = [FAN.index(level) for level in LEVELS]


def train_network(
    series: Path,
    mapping: Path,
    folder: Path,
    *,
    scratch: Path,
    seeds: int,
    source: str | None = None,
    licence: str = "",
    device: str = "cpu",
    progress: Progress | None = None,
) -> TrainingRun:
    """Tune the pre-trained network on the older part of a series, mixed with simulated windows lest it forget them.

    Args:
        scratch: where windows of simulated seeds are kept between calls.
        seeds: simulated seeds to mix in.

    Raises:
        InputError: the series is too short.
    """
    say = progress or (lambda _share, _text: None)
    readings, _ = measured_series([series], mapping)
    split = round((1 - HELD_OUT) * len(readings))
    if split < 4 * LENGTH:
        raise InputError(
            f"expected {round(4 * LENGTH / (1 - HELD_OUT))} half minutes or more in {series}, got {len(readings)}"
        )
    own = [_measured(readings.until(split), point) for point in range(len(readings.names))]
    mixed = []
    for seed in range(1, seeds + 1):
        say(0.5 * seed / seeds, f"shifts of seed {seed}")
        mixed.append(windows_of(seed, scratch))
    inputs, truth = (np.concatenate(each) for each in zip(*own, *_some(mixed, len(own[0][0]) * len(own)), strict=True))
    network = read_weights()
    say(0.6, f"tuning on {len(inputs):,} windows")
    losses = fit(network, inputs, truth, epochs=EPOCHS, rate=RATE, seed=1, device=device)
    logger.info("loss of the tuning by epoch: %s", ", ".join(f"{loss:.4f}" for loss in losses))
    say(0.9, "setting intervals and thresholds")
    model = as_onnx(network)
    general = _calibrated(GeneralNetwork(model, _open(inputs)), readings, split)
    scores = _scores(general, readings, split)
    run = TrainingRun(
        model=MODEL,
        folder=folder,
        parameters={"seeds": seeds, "epochs": EPOCHS, "rate": RATE, "held_out": HELD_OUT, "windows": len(inputs)},
        metrics=scores["metrics"] | {"onnx_greatest_difference": greatest_difference(network, model, inputs[:2000])},
        losses=scores["losses"],
        doing_without=scores["persistence"],
        simplest="persistence",
        data=DataUsed(
            source or series.name,
            "0",
            str(len(readings) - 1),
            len(readings),
            fingerprint({name: np.asarray(values) for name, values in vars(readings).items()}),
        ),
        code=code_version(MODEL),
    )
    save(Forecaster(ForecastConfig(), general=general), run.files)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).write_text(_card(run, general, len(model), licence), encoding="utf-8")
    run.write()
    return run


def _measured(readings: Readings, point: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Every second window of a point whose last value is good; neighbouring rows are nearly the same row."""
    own = readings.ch4_pct[:, point]
    rows = np.flatnonzero(np.isfinite(own))[::2]
    return windows(readings, point, rows), truths(own, rows)


def _some(
    parts: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]], count: int
) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """At most so many of the simulated windows, evenly from all."""
    whole = sum(len(inputs) for inputs, _ in parts)
    every = max(1, whole // max(count, 1))
    return [(inputs[::every], truth[::every]) for inputs, truth in parts]


def _open(inputs: NDArray[np.float32]) -> Calibration:
    """Before anything is set: the nominal interval, no warnings, and the range of the inputs."""
    seen = ranged(inputs)
    low, high = np.quantile(seen, [_BEYOND, 1 - _BEYOND], axis=0)
    return Calibration(np.full((2, len(HORIZONS_MIN)), HELD / 2), NEVER, low, high)


def _calibrated(general: GeneralNetwork, readings: Readings, split: int) -> GeneralNetwork:
    rows = np.arange(split, len(readings))
    off, active, chances, reached = [], [], [], []
    for point in range(len(readings.names)):
        own = readings.ch4_pct[:, point]
        inputs = windows(readings, point, rows)
        fan = general.fan(inputs)
        off.append(off_middle(fan[:, : len(HORIZONS_MIN)], truths(own, rows)[:, : len(HORIZONS_MIN)].astype(float)))
        producing = readings.producing if readings.producing.size else np.full(len(readings), np.nan)
        active.append(contexts(producing, last_good(own, HOLD))[1][rows])
        limit = np.full(len(rows), readings.limits_pct[point])
        is_reached = own[rows] >= limit - TINY_PCT
        chances.append(np.where(is_reached, np.nan, chance_of(fan[:, len(HORIZONS_MIN) :], limit)[:, -1]))
        reached.append(is_reached)
    every_off, every_active = np.concatenate(off), np.concatenate(active)
    half = np.full((2, len(HORIZONS_MIN)), HELD / 2)
    for regime in (False, True):
        if (every_active == regime).sum() > LENGTH:
            half[int(regime)] = np.nanquantile(every_off[every_active == regime], HELD, axis=0)
    eventful = [place for place, each in enumerate(reached) if each.any()]
    thresholds = [
        threshold_for(chances[place], reached[place], ForecastConfig().false_warnings_per_day) for place in eventful
    ]
    calibration = Calibration(half, max(thresholds, default=NEVER), general.calibration.low, general.calibration.high)
    return GeneralNetwork(general.model, calibration)


def _scores(general: GeneralNetwork, readings: Readings, split: int) -> dict[str, Any]:
    """On the part that was not learned; intervals and thresholds were set on it, so of those nothing is said."""
    rows = np.arange(split, len(readings))
    ours: dict[str, list[Floats]] = {f"{minutes} min": [] for minutes in HORIZONS_MIN}
    theirs: dict[str, list[Floats]] = {f"{minutes} min": [] for minutes in HORIZONS_MIN}
    metrics: dict[str, float] = {}
    for point, name in enumerate(readings.names):
        own = readings.ch4_pct[:, point]
        inputs, truth = windows(readings, point, rows), truths(own, rows).astype(float)
        fan, base = general.fan(inputs), inputs[:, 0, -1].astype(float)
        quantiles = rounded(fan[:, : len(HORIZONS_MIN), _OF_FORECAST], base, sensor_step(inputs[:, 0]))
        past = truths(own[:split], np.arange(split)).astype(float)
        for horizon, minutes in enumerate(HORIZONS_MIN):
            known = np.isfinite(truth[:, horizon]) & np.isfinite(own[rows])
            moves = past[:, horizon] - own[:split]
            usual = np.nanquantile(moves, LEVELS)
            loss = pinball(truth[known, horizon], quantiles[known, horizon]).mean(axis=1)
            other = pinball(truth[known, horizon], base[known, None] + usual).mean(axis=1)
            ours[f"{minutes} min"].append(loss)
            theirs[f"{minutes} min"].append(other)
            metrics[f"pinball {name} {minutes} min"] = float(loss.mean())
            metrics[f"pinball_to_persistence {name} {minutes} min"] = float(loss.mean() / other.mean())
        limit = readings.limits_pct[point]
        is_reached = own[rows] >= limit - TINY_PCT
        if not is_reached.any():
            continue
        chance = chance_of(fan[:, len(HORIZONS_MIN) :], np.full(len(rows), limit))
        for window, minutes in enumerate(WITHIN_MIN):
            peak = truth[:, len(HORIZONS_MIN) + window]
            asked = np.isfinite(peak) & ~is_reached
            came = peak[asked] >= limit - TINY_PCT
            metrics[f"onset_auc {name} {minutes} min"] = auc(came, chance[asked, window])
            metrics[f"onset_ap {name} {minutes} min"] = average_precision(came, chance[asked, window])
        warned = record(np.where(is_reached, np.nan, chance[:, -1]), is_reached, general.calibration.threshold)
        metrics |= {f"warning_{key} {name}": value for key, value in asdict(warned).items()}
    return {
        "metrics": metrics,
        "losses": {name: float(np.concatenate(parts).mean()) for name, parts in ours.items()},
        "persistence": {name: float(np.concatenate(parts).mean()) for name, parts in theirs.items()},
    }


def _card(run: TrainingRun, general: GeneralNetwork, size: int, licence: str) -> str:
    told, data = run.parameters, run.data
    idle, active = (", ".join(f"{each:.3f}" for each in half) for half in general.calibration.half_width)
    lines = [
        f"  - {name}: {loss:.4f} %, persistence {run.doing_without[name]:.4f} %" for name, loss in run.losses.items()
    ]
    return "\n".join(
        (
            f"# {run.model}: the network for any point",
            "",
            "In: two hours of a methane point, its neighbours, the air, the barometer and the works. Out: quantiles",
            "of methane at 3, 10, 30 and 60 min, and of its peak within 3, 10 and 30 min, at points it never saw.",
            "",
            f"- data: {told['seeds']} seeds of shifts of minefusion's own simulator, then {data.source},",
            f"  {data.rows} half minutes, sha256 {data.sha256[:16]}; {told['windows']:,} windows in the tuning",
            f"- licence of the measured series: {licence or 'the owner’s'}",
            f"- split: in time; the newest {HELD_OUT:.0%} was not learned. Mean pinball loss there:",
            *lines,
            "- set on that newest part, so nothing is claimed of them there: the warning threshold "
            f"({general.calibration.threshold:.2f})",
            f"  and the interval's half widths in probability (idle {idle}; active {active})",
            f"- made by: minefusion train methane_network --series FILE --mapping M.yaml --seeds {told['seeds']} "
            "--out DIR",
            "- seed: 1",
            f"- ONNX, {size / 1e6:.2f} MB; greatest difference to PyTorch "
            f"{run.metrics['onnx_greatest_difference']:.1e} %",
            f"- code: {run.code}",
            "- it advises; it never takes the place of the alarm limits and the certified interlock",
            "",
        )
    )
