"""Random streams by name: each part of the simulation draws from its own, so a change in one disturbs no other."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def stream(seed: int, *name: str) -> np.random.Generator:
    """The generator of that name: a child of the master seed, as `SeedSequence.spawn` makes them, but found by name."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(crc32(part.encode()) for part in name)))
