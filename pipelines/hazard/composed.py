"""What the composite indices read: an hour of all other indices, and who is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import narwhals as nw

from minefusion.pipelines.hazard.inputs import Frame, Grouped, Sites
from minefusion.schemas.window import Window


@dataclass(frozen=True)
class Composed:
    """Frames of one run of the composite indices, all on one engine.

    Attributes:
        indices: gold.hazard_index of the other indices, all windows that touch the window or end in the day before it
            (an index of a day still tells of the hours after it).
        headcount: silver.headcount of the window and the hour before it, with `observed_us`.
        areas, mines, sites, grouped, frame, cached: as in `Inputs`.
        window: rows are wanted for the whole hours in it.
    """

    indices: nw.LazyFrame
    headcount: nw.LazyFrame
    areas: nw.LazyFrame
    mines: nw.LazyFrame
    sites: Sites
    window: Window
    grouped: Grouped
    frame: Frame
    cached: Callable[[nw.LazyFrame], nw.LazyFrame]
