"""Pre-training of the forecast's network on simulated shifts, in pieces that can be stopped and taken up again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.forecast import Readings
from minefusion.models.methane_forecast.network import Network, fit
from minefusion.models.methane_forecast.weights import write_weights
from minefusion.models.methane_forecast.windows import LENGTH, truths, windows
from minefusion.pipelines.jobs.forecast.simulated_series import simulated_series

logger = logging.getLogger(__name__)
Progress = Callable[[float, str], None]

# Coarse sensors show tenths, fine ones hundredths; mines have more and less gas than the simulated ones.
STEPS_PCT = (0.1, 0.01)
STRONGER = (0.7, 4.0)
# Windows per simulated point; a point in fresh air says little, and as much less is taken of it.
PER_POINT, FRESH_PCT = 160, 0.05
EPOCHS, RATE = 8, 2e-3


def pretrain(
    out: Path,
    scratch: Path,
    *,
    seeds: int = 12,
    epochs: float = EPOCHS,
    device: str = "cpu",
    progress: Progress | None = None,
) -> list[float]:
    """Simulate, train, and write the weights; the windows of a seed are kept in `scratch` and not simulated again.

    Returns:
        Mean loss of each epoch.
    """
    say = progress or (lambda _share, _text: None)
    parts = []
    for seed in range(1, seeds + 1):
        say(0.6 * seed / seeds, f"shifts of seed {seed}")
        parts.append(windows_of(seed, scratch))
    inputs, truth = (np.concatenate(each) for each in zip(*parts, strict=True))
    logger.info("training on %d windows of %d simulated seeds", len(inputs), seeds)
    network = Network()
    say(0.7, f"training on {len(inputs):,} windows")
    losses = fit(network, inputs, truth, epochs=epochs, rate=RATE, seed=1, device=device)
    write_weights(network, out)
    return losses


def windows_of(seed: int, scratch: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Windows and truths of one seed's shifts; simulated once and kept in `scratch`."""
    scratch.mkdir(parents=True, exist_ok=True)
    kept = scratch / f"windows-{seed}.npz"
    if not kept.exists():
        random = np.random.default_rng(seed)
        found = [
            _some(readings, point, random)
            for _, readings in simulated_series(1, first_seed=seed)
            for point in range(len(readings.names))
        ]
        inputs, truth = (np.concatenate(each) for each in zip(*found, strict=True))
        partial = kept.with_suffix(".partial.npz")
        np.savez(partial, inputs=inputs.astype(np.float32), truth=truth)
        partial.replace(kept)
    with np.load(kept) as stored:
        return stored["inputs"], stored["truth"]


def _some(
    readings: Readings, point: int, random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Windows of one point at random rows, its gas made stronger or weaker and shown in tenths or hundredths."""
    step = STEPS_PCT[random.integers(len(STEPS_PCT))]
    stronger = float(np.exp(random.uniform(*np.log(STRONGER))))
    shown = np.round(readings.ch4_pct * stronger / step) * step
    seen = Readings(
        readings.times_s, shown, readings.names, readings.limits_pct, readings.air_m_s, readings.pressure_hpa,
        readings.producing,
    )  # fmt: skip
    own = shown[:, point]
    count = PER_POINT if np.nanmean(readings.ch4_pct[:, point]) > FRESH_PCT else PER_POINT // 8
    possible = np.flatnonzero(np.isfinite(own[LENGTH:])) + LENGTH
    rows = np.sort(random.choice(possible, min(count, len(possible)), replace=False))
    return windows(seen, point, rows), truths(own, rows)
