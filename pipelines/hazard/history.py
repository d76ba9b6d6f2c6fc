"""What the slow indices read: a month of five-minute statistics, of the slow feeds and of the fast indices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import narwhals as nw

from minefusion.pipelines.hazard.inputs import Feeds, Frame, Grouped, Sites
from minefusion.schemas.window import Window

# So far back the slow indices look: medians over 30 days, and the day that is judged.
HISTORY = timedelta(days=31)


@dataclass(frozen=True)
class History:
    """Frames of one run of the slow indices, all on one engine; each from HISTORY before the window to its end.

    Attributes:
        five: silver.reading_5min with the columns of silver.point that the fast indices have too
            (`inputs.POINT_COLUMNS`) and `start_us` (int64, microseconds since the epoch, of window_start).
        feeds: the feeds that are no safety monitoring.
        indices: gold.hazard_index, the fast ones.
        headcount: silver.headcount with `observed_us`.
        points, areas, edges, air_paths, mines, sites, grouped, frame, cached: as in `Inputs`.
        window: rows are wanted for windows that start in it; whole hours that have passed.
    """

    five: nw.LazyFrame
    feeds: Feeds
    indices: nw.LazyFrame
    headcount: nw.LazyFrame
    points: nw.LazyFrame
    areas: nw.LazyFrame
    edges: nw.LazyFrame
    air_paths: nw.LazyFrame
    mines: nw.LazyFrame
    sites: Sites
    window: Window
    grouped: Grouped
    frame: Frame
    cached: Callable[[nw.LazyFrame], nw.LazyFrame]
