"""Times and numbers of exchange files as text, for whole columns at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from minefusion.schemas.exchange.grammar import MINE_UTC_OFFSET_H


class Clock:
    """Turns seconds from the start of the run into the mine's local time."""

    def __init__(self, start: datetime) -> None:
        """`start`: a UTC instant."""
        self.local = start.replace(tzinfo=None) + timedelta(hours=MINE_UTC_OFFSET_H)

    def __call__(self, seconds: Any) -> pl.Series:
        """`yyyy-MM-dd HH:mm:ss` for each second; null where it is NaN."""
        given = np.asarray(seconds, dtype=float)
        known = ~np.isnan(given)
        if not known.any():
            return pl.Series([None] * len(given), dtype=pl.String)
        whole = np.floor(np.where(known, given, 0.0)).astype(np.int64)
        low = int(whole.min())
        table = pl.Series(np.arange(low, int(whole.max()) + 1) * 1_000_000).cast(pl.Duration("us")) + self.local
        text = table.dt.strftime("%Y-%m-%d %H:%M:%S").gather(whole - low)
        return text if known.all() else pl.select(pl.when(pl.Series(known)).then(text)).to_series()

    def one(self, second: float) -> str:
        return (self.local + timedelta(seconds=int(second))).strftime("%Y-%m-%d %H:%M:%S")


def fixed(values: NDArray[np.float64], decimals: NDArray[np.int64] | int) -> pl.Series:
    """Numbers with their own count of decimals (0 to 3); null where NaN."""
    places = np.broadcast_to(np.asarray(decimals), values.shape)
    known = ~np.isnan(values)
    scaled = np.round(np.where(known, values, 0.0) * 1000).astype(np.int64)
    key, where = np.unique(scaled * 4 + places, return_inverse=True)
    texts = pl.Series([f"{int(k >> 2) / 1000:.{int(k & 3)}f}" for k in key], dtype=pl.String).gather(where)
    return texts if known.all() else pl.select(pl.when(pl.Series(known)).then(texts)).to_series()


def chosen(texts: Sequence[str | None], number: NDArray[np.intp]) -> pl.Series:
    """The text of each number."""
    return pl.Series(texts, dtype=pl.String).gather(number)
