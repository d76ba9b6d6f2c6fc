"""Devices of the feeds beside the safety monitoring, and what they show of the truth.

A model (water, slope, supports …) says what is true; this module alone says what an instrument makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from minefusion.pipelines.simulate.faults import Fault, dropouts, offset_jumps, spikes, stays
from minefusion.pipelines.simulate.scenario import Instrumental
from minefusion.pipelines.simulate.streams import stream
from minefusion.pipelines.simulate.texts import fixed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Device:
    """A measuring device and where it stands; `about` are further columns of its definition record."""

    code: str
    location: str
    area_id: str
    spot: tuple[float, float, float]
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Channel:
    """One quantity of one device.

    Attributes:
        kind: file kind that carries it.
        column: column of that kind's records in which it stands.
        true: value at 0, period_s, 2·period_s … from the start of the run; NaN where the device measures nothing.
        decimals: of the value as sent; `noise` is one standard deviation of the reading.
        low, high: ends of the range. `is_state`: an on or off, which has neither noise nor analog faults.
    """

    device: Device
    kind: str
    column: str
    quantity: str
    unit: str
    true: Floats
    period_s: int
    decimals: int
    noise: float
    low: float = -np.inf
    high: float = np.inf
    is_state: bool = False


@dataclass(frozen=True)
class Shown:
    """A channel with the values that its device sends, NaN where it sends none."""

    channel: Channel
    value: Floats

    @property
    def at_s(self) -> NDArray[np.int64]:
        return np.arange(len(self.value)) * self.channel.period_s

    def texts(self) -> pl.Series:
        return fixed(self.value, self.channel.decimals)


def samples(seconds: float, period_s: int) -> int:
    """Samples of a run, the first at its start."""
    return int(seconds // period_s) + 1


def instants(seconds: float, period_s: int) -> Floats:
    """Seconds from the start of the run of its samples."""
    return np.arange(samples(seconds, period_s), dtype=np.float64) * period_s


def show(channels: Sequence[Channel], settings: Instrumental, seed: int) -> tuple[list[Shown], list[Fault]]:
    """What the devices send; each channel draws from its own stream."""
    shown, faults = [], []
    for channel in channels:
        rng = stream(seed, "devices", channel.device.code, channel.quantity)
        value, found = _watch(channel, settings, rng)
        shown.append(Shown(channel, value))
        faults += found
    return shown, faults


def _watch(channel: Channel, settings: Instrumental, rng: np.random.Generator) -> tuple[Floats, list[Fault]]:
    value, entity = channel.true.copy(), channel.device.code
    if channel.is_state:
        return value, []
    value += settings.noise * channel.noise * rng.standard_normal(len(value))
    faults: list[Fault] = []
    period_s, size = channel.period_s, 20 * max(channel.noise, 10.0**-channel.decimals)
    for begin, end, change in offset_jumps(settings.offset_jumps, len(value), period_s, size, rng):
        value[begin:end] += change
        faults.append(Fault.of("offset_jump", entity, begin, end, period_s, change))
    value = np.clip(np.round(value, channel.decimals) + 0.0, channel.low, channel.high)
    for begin, end, change in spikes(settings.spikes, len(value), period_s, 2 * size, rng):
        value[begin:end] = np.clip(np.round(value[begin:end] + change, channel.decimals), channel.low, channel.high)
        faults.append(Fault.of("spike", entity, begin, end, period_s, change))
    for begin, end in stays(settings.stuck, len(value), period_s, rng):
        value[begin:end] = value[begin]
        faults.append(Fault.of("stuck", entity, begin, end, period_s))
    for begin, end in dropouts(settings.dropouts, settings.dropout_min, len(value), period_s, rng):
        value[begin:end] = np.nan
        faults.append(Fault.of("dropout", entity, begin, end, period_s))
    return value, faults
