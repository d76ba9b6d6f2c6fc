"""Readings by series and hour, on a grid without holes: what the slow indices look back over.

A function over one series sees it as a plain vector, one place an hour, NaN where the hour is silent. It answers for
each hour of the window and never looks past that hour's end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import narwhals as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from minefusion.pipelines.hazard.minutes import minute_grid
from minefusion.pipelines.rounding import DECIMALS, NUDGE
from minefusion.schemas.window import Window

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.history import History
    from minefusion.pipelines.hazard.inputs import Sites

Floats = NDArray[np.float64]
# So far back the slow indices look: medians over 30 days, and the day that is judged.
HISTORY = timedelta(days=31)
HOUR_US = 3_600_000_000
DAY_H = 24
HISTORY_H = int(HISTORY.total_seconds()) // 3600
UNPLACED = "unplaced"


@dataclass(frozen=True)
class Span:
    """The hours of one run, counted since 1970: from `first` on data are known, `start` … `end` - 1 are judged."""

    first: int
    start: int
    end: int

    @classmethod
    def of(cls, window: Window) -> Span:
        start, end = (int(instant.timestamp()) // 3600 for instant in (window.start, window.end))
        return cls(start - HISTORY_H, start, end)

    @property
    def hours(self) -> int:
        """Length of the vectors."""
        return self.end - self.first

    @property
    def judged(self) -> range:
        """Places in the vectors of the hours that are judged; what such an hour knows is vector[: place + 1]."""
        return range(self.start - self.first, self.hours)

    def ends_us(self) -> NDArray[np.int64]:
        """End of each judged hour, in microseconds since 1970."""
        return (np.arange(self.start, self.end, dtype=np.int64) + 1) * HOUR_US


Series = Mapping[str, Floats]


def hour_grid(history: History) -> nw.LazyFrame:
    """Every hour of the window: window_start and hour, which counts hours since 1970."""
    grid = minute_grid(history, step=60)
    return grid.select("window_start", (nw.col("minute_no") // 60).cast(nw.Int64).alias("hour"))


def family_values(history: History, quantities: Sequence[str], *families: str) -> nw.LazyFrame:
    """Usable values of these quantities: of the feeds named, and of the five-minute statistics.

    Columns: mine_code, point_id, quantity, area_id ('unplaced' where not known), observed_us, value.
    """
    names = ["mine_code", "point_id", "quantity", "area_id", "observed_us", "value"]
    known = nw.col("quantity").is_in(list(quantities)) & ~nw.col("value").is_null()
    parts = [getattr(history.feeds, family).filter(known, nw.col("usable")).select(*names) for family in families]
    five = history.five.with_columns(nw.col("start_us").alias("observed_us"), nw.col("value_mean").alias("value"))
    parts.append(five.filter(known).select(*names))
    return nw.concat(parts, how="vertical").with_columns(nw.col("area_id").fill_null(UNPLACED))


def by_hour(values: nw.LazyFrame, *keys: str) -> nw.LazyFrame:
    """Hourly value (median), value_min, value_max, samples of each series.

    Args:
        keys: what makes a series, beside mine_code, area_id and quantity.
    """
    hours = values.with_columns((nw.col("observed_us") // HOUR_US).cast(nw.Int64).alias("hour"))
    return hours.group_by("mine_code", "area_id", *keys, "quantity", "hour").agg(
        nw.col("value").median().alias("value"),
        nw.col("value").min().alias("value_min"),
        nw.col("value").max().alias("value_max"),
        nw.len().cast(nw.Int64).alias("samples"),
    )


def per_hour(
    history: History,
    rows: nw.LazyFrame,
    keys: Sequence[str],
    judge: Callable[[Series, Span], Mapping[str, Floats]],
    names: Sequence[str],
    value: str = "value",
) -> nw.LazyFrame:
    """What `judge` says of each group for each hour of the window, with window_start.

    Args:
        rows: keys, quantity, hour and `value`; one row a quantity and hour.
        judge: gets the group's vectors by quantity, and gives vectors over the judged hours; NaN becomes null.
        names: the columns that it gives.
    """
    span = Span.of(history.window)

    def of_group(group: pa.Table) -> pa.Table:
        return answers_of(group, keys, span, judge(series_of(group, span, value), span), names)

    found = history.grouped(rows.select(*keys, "quantity", "hour", value), keys, of_group, answer_schema(keys, names))
    return found.join(hour_grid(history), on="hour", how="inner")


def series_of(group: pa.Table, span: Span, value: str = "value") -> dict[str, Floats]:
    """The vectors of one group by quantity, from its rows of quantity, hour and `value`."""
    place = group["hour"].to_numpy().astype(np.int64) - span.first
    amounts = group[value].to_numpy(zero_copy_only=False).astype(float)
    quantities = np.array(group["quantity"].to_pylist())
    inside = (place >= 0) & (place < span.hours)
    series = {}
    for name in sorted(set(quantities)):
        which = inside & (quantities == name)
        series[name] = np.full(span.hours, np.nan)
        series[name][place[which]] = amounts[which]
    return series


def answer_schema(keys: Sequence[str], names: Sequence[str]) -> pa.Schema:
    """Of what a grouped function gives per hour: the keys, hour, and the named numbers."""
    return pa.schema([(key, pa.string()) for key in keys] + [("hour", pa.int64())] + [(n, pa.float64()) for n in names])


def answers_of(
    group: pa.Table, keys: Sequence[str], span: Span, found: Mapping[str, Floats], names: Sequence[str]
) -> pa.Table:
    """A table of `answer_schema`; numbers rounded as everywhere, NaN and infinity as null."""
    hours = np.arange(span.start, span.end, dtype=np.int64)
    columns: dict[str, pa.Array] = {key: pa.array([group[key][0].as_py()] * len(hours), pa.string()) for key in keys}
    columns["hour"] = pa.array(hours)
    for name in names:
        columns[name] = known(found[name])
    return pa.table(columns, schema=answer_schema(keys, names))


def known(values: Floats) -> pa.Array:
    """NaN and infinity as null, the rest rounded as everywhere."""
    values = np.asarray(values, dtype=float)
    finite = np.isfinite(values)
    return pa.array(np.round(np.where(finite, values, 0.0) + NUDGE, DECIMALS), mask=~finite)


class HasPlaces(Protocol):
    """What both cadences' inputs have."""

    @property
    def points(self) -> nw.LazyFrame: ...
    @property
    def areas(self) -> nw.LazyFrame: ...
    @property
    def mines(self) -> nw.LazyFrame: ...


def placed(inputs: HasPlaces, rows: nw.LazyFrame, zh: str = "", en: str = "") -> nw.LazyFrame:
    """The rows with place_zh and place_en.

    A point is named by its own text, an area by its name, a mine by its name; a thing that is none of them is named
    after its area, with the words given and its entity.

    Args:
        rows: mine_code, area_id, entity and point_id (null for what is no point).
        zh, en: words before the entity, such as "支架" and "support".
    """
    points = inputs.points.select("mine_code", "point_id", nw.col("location").alias("_location")).unique()
    areas = inputs.areas.select("mine_code", "area_id", nw.col("name_zh").alias("_zh"), nw.col("name_en").alias("_en"))
    mines = inputs.mines.select("mine_code", nw.col("name_zh").alias("_mine"))
    rows = rows.join(points, on=["mine_code", "point_id"], how="left")
    rows = rows.join(areas, on=["mine_code", "area_id"], how="left").join(mines, on="mine_code", how="left")
    is_mine = nw.col("area_id") == nw.col("mine_code")
    area_zh = nw.when(is_mine).then(nw.coalesce("_mine", "area_id")).otherwise(nw.coalesce("_zh", "area_id"))
    area_en = nw.coalesce("_en", "area_id")
    is_area = nw.col("entity") == nw.col("area_id")
    named = nw.when(nw.col("_location") != "").then(nw.col("_location"))
    words_zh = nw.when(nw.col("point_id").is_null()).then(nw.lit(zh)).otherwise(nw.lit(""))
    thing_zh = nw.concat_str(area_zh, words_zh, nw.lit(" "), nw.col("entity"))
    thing_en = nw.concat_str(area_en, nw.lit(f", {en} " if en else ", "), nw.col("entity"))
    point_en = nw.concat_str(area_en, nw.lit(", point "), nw.col("point_id"))
    return rows.with_columns(
        nw.coalesce(named, nw.when(is_area).then(area_zh).otherwise(thing_zh)).alias("place_zh"),
        nw.coalesce(point_en, nw.when(is_area).then(area_en).otherwise(thing_en)).alias("place_en"),
    ).drop("_location", "_zh", "_en", "_mine")


def no_point() -> nw.Expr:
    """The point_id of what is no point."""
    return nw.lit(None, dtype=nw.String)


def site_rows(sites: Sites, section: str, names: Sequence[str]) -> list[dict]:
    """A section of the site files as rows with mine_code."""
    return [
        {"mine_code": mine, **{name: getattr(each, name) for name in names}}
        for mine, site in sites.items()
        if site
        for each in getattr(site, section)
    ]


# ── over one series ─────────────────────────────────────────────────────────────────────────────────────────────────


def trailing_mean(values: Floats, hours: int) -> Floats:
    """Mean of the last `hours` places at each place, silent ones left out; NaN where all are."""
    there = np.isfinite(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(there, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(there)])
    place = np.arange(len(values)) + 1
    before = np.maximum(place - hours, 0)
    n = count[place] - count[before]
    return np.divide(total[place] - total[before], n, out=np.full(len(values), np.nan), where=n > 0)


def trailing_count(values: Floats, hours: int) -> NDArray[np.int64]:
    """How many of the last `hours` places are not silent, at each place."""
    count = np.concatenate([[0], np.cumsum(np.isfinite(values))])
    place = np.arange(len(values)) + 1
    return count[place] - count[np.maximum(place - hours, 0)]


def newest(values: Floats, hours: int) -> Floats:
    """The newest value not older than so many hours, at each place; NaN where there is none."""
    place = np.where(np.isfinite(values), np.arange(len(values)), -1)
    last = np.maximum.accumulate(place)
    fresh = (last >= 0) & (np.arange(len(values)) - last < hours)
    return np.where(fresh, values[np.maximum(last, 0)], np.nan)
