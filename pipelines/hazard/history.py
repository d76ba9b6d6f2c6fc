"""What the slow indices read: a month of five-minute statistics, of the slow feeds and of the fast indices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import narwhals as nw

from minefusion.pipelines.hazard.gas_analyses import gas_series
from minefusion.pipelines.hazard.hours import HISTORY as HISTORY
from minefusion.pipelines.hazard.inputs import Feeds, Frame, Grouped, Sites
from minefusion.pipelines.hazard.seismic_activity import activity
from minefusion.pipelines.hazard.slope import motion
from minefusion.schemas.window import Window


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

    @cached_property
    def gas_series(self) -> nw.LazyFrame:
        """Gas analyses of every place: five-minute means and samples (`gas_analyses.gas_series`)."""
        return self.cached(gas_series(self))

    @cached_property
    def seismicity(self) -> nw.LazyFrame:
        """What the microseismic events of each area say, by hour of the window (`seismic_activity.activity`)."""
        return self.cached(activity(self))

    @cached_property
    def motion(self) -> nw.LazyFrame:
        """How each displacement point moves, by hour of the window (`slope.motion`)."""
        return self.cached(motion(self))
