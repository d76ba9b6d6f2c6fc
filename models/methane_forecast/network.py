"""The network: two hours of raw samples of one point in, quantiles of methane ahead and of its peaks out.

It is trained across points, on differences from the last value in units of the point's own unrest, so it forecasts a
point that it has never seen. Scaling is part of the network, and of its ONNX form.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from minefusion.models.methane_forecast.windows import (
    CHANNELS,
    FAN,
    LEAST_UNIT_PCT,
    LENGTH,
    TARGETS,
    UNREST_STEPS,
    unit_of,
)
from minefusion.schemas.errors import MinefusionError

_MIDDLE = FAN.index(0.50)
_WIDTH = 160
# Samples are averaged over spans that grow with age: 1 step each for 6 min, then 2, 4, 8 and 16.
_SPANS = (*(1,) * 12, *(2,) * 6, *(4,) * 6, *(8,) * 8, *(16,) * 8)
_GROWTH = (1.0, 1.6, 2.4, 3.0, 1.0, 1.6, 2.4)


class Network(nn.Module):
    """Windows (n, CHANNELS, LENGTH) in physical units to quantiles [%] (n, TARGETS, FAN), rising along FAN."""

    spans: Tensor
    growth: Tensor

    def __init__(self, width: int = _WIDTH, dropout: float = 0.1) -> None:
        super().__init__()
        inputs = CHANNELS * len(_SPANS) + 5
        self.register_buffer("spans", torch.from_numpy(_averages()))
        self.register_buffer("growth", torch.tensor(_GROWTH).view(1, -1, 1))
        self.body = nn.Sequential(
            nn.Linear(inputs, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(width, width), nn.LayerNorm(width), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(width, width), nn.GELU(),
            nn.Linear(width, len(TARGETS) * len(FAN)),
        )  # fmt: skip

    def forward(self, windows: Tensor) -> Tensor:
        own, base = windows[:, 0], windows[:, 0, -1:]
        unit = (own[:, UNREST_STEPS:] - own[:, :-UNREST_STEPS]).abs().mean(dim=1, keepdim=True) + LEAST_UNIT_PCT
        near = windows[:, 1:3]
        air = windows[:, 3]
        scaled = torch.cat(
            [
                ((own - base) / unit).unsqueeze(1),
                (near - near[:, :, -1:]) / unit.unsqueeze(2),
                (10 * (air / (air.mean(dim=1, keepdim=True) + 0.05) - 1)).unsqueeze(1),
                (windows[:, 4] - windows[:, 4, -1:]).unsqueeze(1),
                windows[:, 5].unsqueeze(1),
            ],
            dim=1,
        ).clamp(-12, 12)
        still = (own == base).float().mean(dim=1, keepdim=True)
        about = torch.cat([unit.log(), base, (near[:, :, -1] - base) / unit / 4, still], dim=1).clamp(-6, 6)
        found = self.body(torch.cat([(scaled @ self.spans).flatten(1), about], dim=1)).view(-1, len(TARGETS), len(FAN))
        middle = found[:, :, _MIDDLE : _MIDDLE + 1]
        gaps = nn.functional.softplus(found)
        below = -gaps[:, :, :_MIDDLE].flip(2).cumsum(2).flip(2)
        above = gaps[:, :, _MIDDLE + 1 :].cumsum(2)
        moved = torch.cat([middle + below, middle, middle + above], dim=2) * self.growth
        return base.unsqueeze(2) + unit.unsqueeze(2) * moved


def fan_loss(fan: Tensor, truth: Tensor, unit: Tensor) -> Tensor:
    """Mean pinball loss in units of the points' unrest; what is not known (NaN) does not count."""
    levels = torch.tensor(FAN, device=fan.device)
    known = torch.isfinite(truth)
    error = (torch.where(known, truth, 0.0).unsqueeze(2) - fan) / unit.view(-1, 1, 1)
    loss = torch.maximum(levels * error, (levels - 1) * error).mean(dim=2)
    return torch.where(known, loss, 0.0).sum() / known.sum().clamp(min=1)


class PausedError(MinefusionError):
    """The training stopped where its time was up; what is done is kept, and the same call goes on from there."""

    def __init__(self, done: int, steps: int) -> None:
        super().__init__(f"{done} of {steps} steps are done; run the same command again to go on")
        self.done, self.steps = done, steps


def fit(
    network: Network,
    inputs: NDArray[np.float32],
    truth: NDArray[np.float32],
    *,
    epochs: float,
    rate: float,
    seed: int,
    batch: int = 512,
    device: str = "cpu",
    keep: Path | None = None,
    budget_s: float | None = None,
) -> list[float]:
    """Train in place, with AMP on a GPU; returns the mean loss of each epoch.

    The same seed gives the same weights, in one go or in pieces: batches and dropout follow from the seed and the step.

    Args:
        keep: file of the checkpoint, taken up where it is there and removed at the end.
        budget_s: stop after so many seconds.

    Raises:
        PausedError: the time is up; the checkpoint is written.
    """
    torch.manual_seed(seed)
    network.to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-2)
    count = max(1, round(epochs * len(inputs) / batch))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=count, pct_start=0.2)
    scaler = torch.amp.GradScaler(device, enabled=device == "cuda")
    parts = {"network": network, "optimizer": optimizer, "schedule": schedule, "scaler": scaler}
    losses = _taken_up(keep, parts, device)
    unit = unit_of(inputs)
    per_epoch = max(1, len(inputs) // batch)
    order = np.empty(0, np.int64)
    began = time.monotonic()
    for step in range(len(losses), count):
        epoch, place = divmod(step, per_epoch)
        if place == 0 or not len(order):
            order = np.random.default_rng((seed, epoch)).permutation(len(inputs))
        rows = order[place * batch : (place + 1) * batch]
        torch.manual_seed(seed * 1_000_003 + step)
        x, y, u = (torch.from_numpy(each[rows]).to(device) for each in (inputs, truth, unit))
        with torch.autocast(device, enabled=device == "cuda"):
            fan = network(x)
        loss = fan_loss(fan.float(), y, u)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        schedule.step()
        losses.append(loss.item())
        if budget_s is not None and time.monotonic() - began >= budget_s and step + 1 < count:
            if keep is not None:
                _kept(keep, parts, losses)
            raise PausedError(step + 1, count)
    if keep is not None:
        keep.unlink(missing_ok=True)
    network.to("cpu").eval()
    return [float(np.mean(part)) for part in np.array_split(losses, max(1, round(epochs)))]


def _kept(keep: Path, parts: Mapping[str, Any], losses: list[float]) -> None:
    keep.parent.mkdir(parents=True, exist_ok=True)
    partial = keep.with_suffix(".partial")
    torch.save({name: part.state_dict() for name, part in parts.items()} | {"losses": losses}, partial)
    partial.replace(keep)


def _taken_up(keep: Path | None, parts: Mapping[str, Any], device: str) -> list[float]:
    """Losses of the steps that a checkpoint has done; its states go into the parts."""
    if keep is None or not keep.is_file():
        return []
    state = torch.load(keep, map_location=device, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return list(state["losses"])


def say(network: Network, inputs: NDArray[np.float32], batch: int = 4096) -> NDArray[np.float32]:
    """Quantiles [%] of windows; shape (n, TARGETS, FAN)."""
    with torch.inference_mode():
        parts = [network(torch.from_numpy(inputs[at : at + batch])).numpy() for at in range(0, len(inputs), batch)]
    return np.concatenate(parts) if parts else np.empty((0, len(TARGETS), len(FAN)), np.float32)


def _averages() -> NDArray[np.float32]:
    """Matrix from LENGTH samples to their spans, youngest first."""
    found = np.zeros((LENGTH, len(_SPANS)), np.float32)
    end = LENGTH
    for column, span in enumerate(_SPANS):
        found[end - span : end, column] = 1 / span
        end -= span
    assert end >= 0
    return found
