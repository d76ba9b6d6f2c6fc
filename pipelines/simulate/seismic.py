"""The true microseismic stream of the faces: background, blasts, big events with what comes before and after them.

Magnitudes follow Gutenberg and Richter, times a Poisson process that the shifts and the cutting modulate. Half to two
thirds of the big events announce themselves over days: b falls, more events come, and some then fall quiet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.layout import Layout
from minefusion.pipelines.simulate.scenario import Event

Floats = NDArray[np.float64]

PER_DAY = 30.0  # events of magnitude M_C or more per face and day
M_C, BIN, B = 0.0, 0.1, 1.0
M_MOST = 2.4  # the largest of the background
SHIFT_SHARE = 0.3  # fewer in the maintenance shift, more in the others
QUIET_SHARE = 0.5  # of the announced events that fall quiet first
QUIET_H = (6.0, 24.0)
PRE_B, PRE_RATE = (0.55, 0.7), (1.6, 3.0)
PRE_STRESS = 0.35  # rise of the energy's logarithm over what the moment gives
OMORI_K, OMORI_C_S, OMORI_P, AFTER_S = 40.0, 600.0, 1.1, 3 * 86_400
ENERGY_A, ENERGY_B, ENERGY_SCATTER = 1.8, 1.9, 0.3
BLASTS_PER_DAY, BLAST_TOLD, BLAST_M = 2.0, 0.9, (0.2, 0.9)
ERROR_M, ERROR_Z_M = 15.0, 30.0
AHEAD_M, ROOF_M = (30.0, 80.0), (0.0, 40.0)


@dataclass(frozen=True)
class Shock:
    """One true event. `magnitude` is binned; `announces`: id of the event that it belongs to."""

    at_s: float
    face: int
    magnitude: float
    energy_j: float
    moment_nm: float
    spot: tuple[float, float, float]
    is_blast: bool = False
    announces: str = ""


def simulate_seismic(
    layout: Layout, events: Sequence[Event], *, seconds: float, local_second: float, rng: np.random.Generator
) -> tuple[Shock, ...]:
    """All events of a run in order of time."""
    shocks: list[Shock] = []
    for face in range(len(layout.faces)):
        big = [e for e in events if "rockburst" in e.effects and e.unit == face]
        quiet = [e for e in events if "quiet" in e.effects and e.unit == face]
        shocks += _background(layout, face, big, quiet, seconds, local_second, rng)
        for event in big:
            shocks += _main(layout, face, event, seconds, rng)
    for heading in range(len(layout.headings)):
        shocks += _blasts(layout, heading, seconds, local_second, rng)
    return tuple(sorted(shocks, key=lambda shock: shock.at_s))


def magnitudes(count: int, b: Floats | float, rng: np.random.Generator) -> Floats:
    """Gutenberg–Richter magnitudes from M_C on, in bins of BIN: a bin holds what is nearest to its middle."""
    true = M_C - BIN / 2 + rng.exponential(1.0, count) / (np.asarray(b) * np.log(10))
    return np.round(np.round(true / BIN) * BIN, 1) + 0.0


def energy_of(magnitude: Floats | float) -> Floats:
    """Usual energy [J] of a mining tremor of that magnitude: lg E = 1.8 + 1.9·M."""
    return np.asarray(10 ** (ENERGY_A + ENERGY_B * np.asarray(magnitude)))


def _background(
    layout: Layout, face: int, big: Sequence[Event], quiet: Sequence[Event], seconds: float, local_second: float,
    rng: np.random.Generator,
) -> Iterator[Shock]:  # fmt: skip
    """Thinned Poisson times; before an announced event b falls and the rate rises."""
    most = PER_DAY * (1 + SHIFT_SHARE) * max(PRE_RATE)
    count = int(rng.poisson(most * seconds / 86_400))
    at = np.sort(rng.uniform(0, seconds, count))
    hour = ((at + local_second) / 3600) % 24
    rate = PER_DAY * np.where(hour < 8, 1 - 2 * SHIFT_SHARE / 3, 1 + SHIFT_SHARE / 3)
    b, stressed = np.full(count, B), np.zeros(count)
    told = np.full(count, "", dtype=object)
    for event in big:
        if event.precursor_s <= 0:
            continue
        share = np.clip((at - event.onset_s + event.precursor_s) / event.precursor_s, 0, 1)
        before = (share > 0) & (at < event.onset_s)
        b = np.where(before, B - (B - float(rng.uniform(*PRE_B))) * np.minimum(1.0, 1.5 * share), b)
        rate = np.where(before, rate * (1 + (float(rng.uniform(*PRE_RATE)) - 1) * share), rate)
        stressed = np.where(before, PRE_STRESS * share, stressed)
        told[before] = event.event_id
        if rng.random() < QUIET_SHARE:
            silence = 3600 * float(rng.uniform(*QUIET_H))
            rate = np.where(before & (at > event.onset_s - silence), 0.15 * rate, rate)
    for event in quiet:
        rate = np.where((at >= event.onset_s) & (at < event.end_s), rate * event.effects["quiet"]["share"], rate)
    kept = rng.random(count) < rate / most
    size = np.minimum(magnitudes(count, b, rng), M_MOST)
    for number in np.flatnonzero(kept):
        yield _shock(
            layout, face, float(at[number]), float(size[number]), float(stressed[number]), rng, str(told[number])
        )


def _main(layout: Layout, face: int, event: Event, seconds: float, rng: np.random.Generator) -> Iterator[Shock]:
    """The big event and those after it, whose rate falls as Omori says."""
    size = (event.effects["rockburst"]["lg_energy"] - ENERGY_A) / ENERGY_B
    yield _shock(
        layout, face, event.onset_s, round(size, 1), 0.0, rng, event.event_id, exact_lg_j=ENERGY_A + ENERGY_B * size
    )
    last = min(AFTER_S, seconds - event.onset_s)
    power = 1 - OMORI_P
    most = (OMORI_C_S**power - (last + OMORI_C_S) ** power) / -power if last > 0 else 0.0
    whole = (OMORI_C_S**power - (AFTER_S + OMORI_C_S) ** power) / -power
    count = int(rng.poisson(OMORI_K * most / whole)) if last > 0 else 0
    drawn = rng.random(count) * most
    after = (OMORI_C_S**power + power * drawn) ** (1 / power) - OMORI_C_S
    for since, m in zip(np.sort(after), np.minimum(magnitudes(count, B, rng), size - 1.0), strict=True):
        yield _shock(layout, face, event.onset_s + float(since), max(round(float(m), 1), M_C), 0.0, rng, event.event_id)


def _shock(
    layout: Layout, face: int, at_s: float, magnitude: float, stressed: float, rng: np.random.Generator, told: str,
    exact_lg_j: float | None = None,
) -> Shock:  # fmt: skip
    lg_energy = ENERGY_A + ENERGY_B * magnitude + stressed + float(rng.normal(0, ENERGY_SCATTER))
    x, y, z = _source(layout, face, rng)
    lg_j = lg_energy if exact_lg_j is None else exact_lg_j
    return Shock(at_s, face, magnitude + 0.0, 10**lg_j, 10 ** (1.5 * magnitude + 9.1), (x, y, z), announces=told)


def _source(layout: Layout, face: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Somewhere ahead of the face, in the roof."""
    at = layout.faces[face]
    along = float(rng.uniform(0, 1)) * layout.edges[at.face].length_m
    x, y, z = layout.at(at.face, along)
    ahead_x, ahead_y, _ = layout.at(at.intake[-1], 0.0)
    near_x, near_y, _ = layout.at(at.face, 0.0)
    length = max(float(np.hypot(ahead_x - near_x, ahead_y - near_y)), 1.0)
    step = float(rng.uniform(*AHEAD_M)) / length
    return x + step * (ahead_x - near_x), y + step * (ahead_y - near_y), z + float(rng.uniform(*ROOF_M))


def _blasts(
    layout: Layout, heading: int, seconds: float, local_second: float, rng: np.random.Generator
) -> Iterator[Shock]:
    """Shots of a heading at the same hours of each day."""
    hours = np.sort(rng.uniform(9, 23, round(BLASTS_PER_DAY)))
    edge = layout.headings[heading].face
    for day in range(int((seconds + local_second) // 86_400) + 1):
        for hour in hours:
            at = day * 86_400 + 3600 * float(hour) + float(rng.normal(0, 600)) - local_second
            if 0 <= at < seconds:
                size = round(float(rng.uniform(*BLAST_M)), 1)
                lg_energy = ENERGY_A + ENERGY_B * size + float(rng.normal(0, ENERGY_SCATTER))
                spot = layout.at(edge, 2.0)
                yield Shock(at, heading, size, 10**lg_energy, 10 ** (1.5 * size + 8.6), spot, is_blast=True)
