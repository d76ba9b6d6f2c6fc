"""`minefusion bench forecast`: one scoring round of thousands of methane points, and what training costs.

A round goes from the samples of each sensor to output rows: clock, windows, scaling, network, intervals, onset, rows.
Boosted trees beside it get the finished windows and give quantiles alone. The network alone stands beside PyTorch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minefusion.models.methane_forecast.forecast import HORIZONS_MIN, LEVELS, PERIOD_S, Floats, Readings, on_clock
from minefusion.models.methane_forecast.general import GeneralNetwork
from minefusion.models.methane_forecast.package import columns_of
from minefusion.models.methane_forecast.predict import load
from minefusion.models.methane_forecast.scoring_round import newest
from minefusion.models.methane_forecast.windows import TARGETS, newest_windows
from minefusion.models.registry import shipped
from minefusion.pipelines.jobs.bench.ingest import Progress, Result, hardware
from minefusion.pipelines.jobs.bench.meter import Meter, timed_row
from minefusion.schemas.errors import InputError

POINTS, PER_PATH = 5_000, 5
# Samples of three hours: the window, and what is held before it.
SAMPLES = 360
REPEATS = 5
TRAINED_WINDOWS, MILLION = 20_000, 1_000_000
# LightGBM's usual size, one model per horizon and level.
LEAVES, ROUNDS, LEARNED = 31, 120, 2_000
_Run = tuple[float, float, float]


@dataclass(frozen=True)
class Sensors:
    """What the sensors of one air path sent: instants [s] and values of each."""

    gas: tuple[tuple[Floats, Floats], ...]
    air: tuple[Floats, Floats]
    producing: tuple[Floats, Floats]


def bench_forecast(*, scale: float = 1.0, device: str = "cpu", progress: Progress | None = None) -> dict[str, Any]:
    """Seconds for one round over POINTS × scale points at four horizons, and for learning from a million windows.

    Args:
        device: `cuda` measures the training on a GPU as well.

    Raises:
        InputError: `cuda` was asked for and is not there.
    """
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("expected a CUDA device for --device cuda, found none; leave --device out")
    say = progress or (lambda _share, _what: None)
    general = load(shipped()["methane_forecast"] / "model").general
    assert isinstance(general, GeneralNetwork), "the shipped model forecasts any point"
    paths = [invented(seed) for seed in range(max(1, round(POINTS * scale / PER_PATH)))]
    points = len(paths) * PER_PATH
    clock_s = PERIOD_S * np.arange(SAMPLES, dtype=np.float64)
    windows = np.concatenate([newest_windows(readings_of(path, clock_s))[0] for path in paths])
    say(0.1, f"{points:,} points")
    whole = _measured(lambda: score(general, paths, clock_s))
    alone = _measured(lambda: general.fan(windows))
    say(0.3, "plain PyTorch and LightGBM")
    torch_s = _measured(_plain_torch(windows))
    trees_s = _measured(_plain_lightgbm(windows))
    results = [
        _row("forecast/round", whole, points, trees_s[0], "plain_lightgbm"),
        _row("forecast/network", alone, points, torch_s[0], "plain_torch"),
        _row("plain_torch", torch_s, points, None, None),
        _row("plain_lightgbm", trees_s, points, None, None),
    ]
    say(0.7, "training")
    count = max(1_000, round(TRAINED_WINDOWS * scale))
    on_cpu = _trained(windows, count, "cpu")
    results.append(_per_million("train/cpu", on_cpu, count, None, None))
    if device == "cuda":
        results.append(_per_million("train/cuda_amp", _trained(windows, count, "cuda"), count, on_cpu, "train/cpu"))
    say(1.0, "done")
    about = {"points": points, "horizons": len(HORIZONS_MIN), "samples": points * SAMPLES, "scale": scale}
    return {"name": "forecast", "hardware": hardware(), "data": about, "results": results}


def score(general: GeneralNetwork, paths: Sequence[Sensors], clock_s: Floats) -> list[dict[str, NDArray]]:
    """From samples to output rows; one set of columns per path."""
    readings = [readings_of(path, clock_s) for path in paths]
    return [columns_of(forecast) for forecast in newest(general, readings)]


def readings_of(path: Sensors, clock_s: Floats) -> Readings:
    """The samples on their clock."""
    return Readings(
        clock_s,
        np.column_stack([on_clock(times, values, clock_s) for times, values in path.gas]),
        _NAMES,
        _LIMITS,
        air_m_s=on_clock(*path.air, clock_s)[:, None],
        producing=on_clock(*path.producing, clock_s, hold_s=1800.0),
    )


def invented(seed: int) -> Sensors:
    """An air path whose gas wanders, in steps of a hundredth, sampled at no even spacing."""
    random = np.random.default_rng(seed)
    times = PERIOD_S * np.arange(SAMPLES) - random.uniform(0, 0.9 * PERIOD_S, SAMPLES)
    gas: list[tuple[Floats, Floats]] = []
    for _ in range(PER_PATH):
        wander = np.cumsum(random.normal(0, 0.01, SAMPLES))
        values = np.round(np.abs(random.uniform(0.2, 0.7) + wander), 2).astype(np.float64)
        gas.append((times, values))
    return Sensors(
        tuple(gas),
        (times, np.round(2 + random.normal(0, 0.1, SAMPLES), 1)),
        (times, (random.random(SAMPLES) < 0.5).astype(np.float64)),
    )


_NAMES = tuple(f"point {number}" for number in range(PER_PATH))
_LIMITS = np.ones(PER_PATH)


def _plain_torch(windows: NDArray[np.float32]) -> Callable[[], Any]:
    from minefusion.models.methane_forecast.network import say as quantiles
    from minefusion.models.methane_forecast.weights import read_weights

    network = read_weights()
    return lambda: quantiles(network, windows)


def _plain_lightgbm(windows: NDArray[np.float32]) -> Callable[[], Any]:
    """Quantile models on every second sample of the windows, on a target that hangs on them."""
    import lightgbm

    x = windows[:, :, ::2].reshape(len(windows), -1)
    y = windows[:, 0, -1] - windows[:, 0, -60] + np.random.default_rng(1).normal(0, 0.02, len(x))
    asked = {"objective": "quantile", "num_leaves": LEAVES, "verbose": -1, "num_threads": 1}
    data = lightgbm.Dataset(x[:LEARNED], y[:LEARNED], params={"verbose": -1})
    models = [lightgbm.train(asked | {"alpha": level}, data, ROUNDS) for level in LEVELS]
    return lambda: [model.predict(x, num_threads=os.cpu_count()) for _ in HORIZONS_MIN for model in models]


def _trained(windows: NDArray[np.float32], count: int, device: str) -> _Run:
    """One epoch over so many windows, from fresh weights."""
    from minefusion.models.methane_forecast.network import Network, fit

    inputs = windows[np.arange(count) % len(windows)]
    truth = np.repeat(inputs[:, 0, -1:], len(TARGETS), axis=1)
    return _measured(lambda: fit(Network(), inputs, truth, epochs=1, rate=1e-3, seed=1, device=device), repeats=1)


def _measured(work: Callable[[], Any], repeats: int = REPEATS) -> _Run:
    """Median seconds, CPU seconds of one go, and the most memory that the process held; warmed up where repeated."""
    if repeats > 1:
        work()
    seconds = []
    with Meter(os.getpid()) as used:
        for _ in range(repeats):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
    return sorted(seconds)[len(seconds) // 2], used.cpu_s / repeats, used.peak_mib


def _row(case: str, run: _Run, count: int, other_s: float | None, ratio_to: str | None) -> Result:
    return timed_row(case, run, count, "points/s", other_s, ratio_to)


def _per_million(case: str, run: _Run, count: int, other: _Run | None, ratio_to: str | None) -> Result:
    """As for a million windows, learned once each."""
    times = MILLION / count
    scaled = (run[0] * times, run[1] * times, run[2])
    return _row(case, scaled, MILLION, other[0] * times if other else None, ratio_to) | {"unit": "windows/s"}
