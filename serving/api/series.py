"""Curves: values of points over a span, thinned so that no extreme is lost and what was left out is said.

Of each stretch of time the first, lowest, highest and last value stay, at their own instants; never a mean.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
from fastapi import APIRouter, Query, Request, Response
from numpy.typing import NDArray
from pydantic import AwareDatetime

from minefusion.schemas import silver
from minefusion.schemas.catalog import TABLES
from minefusion.serving.accounts.users import User
from minefusion.serving.api.answers import Json, known_already, tag_of
from minefusion.serving.api.problems import ProblemError, not_there
from minefusion.serving.api.service import API, Caller, Service, Serving, mines_asked
from minefusion.serving.lookback import day_of
from minefusion.serving.report.curve import Floats, gaps, kept_extremes

router = APIRouter(prefix=API, tags=["series"])

MOST_POINTS = 20
MOST_VALUES = 20_000
USUAL_SPAN = timedelta(hours=24)
LONGEST_SPAN = timedelta(days=366)
# A line stops where no value came for so many periods.
GAP_PERIODS = 3
MOST_GAPS = 500
# Each stretch of time may keep its first, lowest, highest and last value.
_PER_BUCKET = 4
_STEPS = {"1h": "hour", "1d": "day"}

Begin = Annotated[AwareDatetime | None, Query(alias="from", description="起（含）· From, included.")]
End = Annotated[AwareDatetime | None, Query(alias="to", description="止（不含）· To, not included; without it now.")]


@router.get("/series", summary="曲线 · Curves of points, extremes kept")
def series(
    request: Request,
    service: Serving,
    user: Caller,
    mine: Annotated[str, Query(description="煤矿编码 · Mine.")],
    points: Annotated[str, Query(description="测点，逗号分隔 · Points, comma-joined.", max_length=4000)],
    begin: Begin = None,
    end: End = None,
    most: Annotated[int, Query(ge=4, le=MOST_VALUES, description="每条曲线最多点数 · Most values of a curve.")] = 2000,
) -> Response:
    """For each point `at_ms` (milliseconds since 1970), `value` (null: none came), `quality` where it is not GOOD, how
    many values are `hidden`, and the spans `gaps` in which none came."""
    names = [each for each in dict.fromkeys(points.split(",")) if each]
    if not 1 <= len(names) <= MOST_POINTS:
        raise ProblemError(
            422, f"测点须 1 至 {MOST_POINTS} 个", f"expected 1 to {MOST_POINTS} points, got {len(names)}"
        )
    known = _points(service, user, mine, names)
    begin, end = _span(service, begin, end)
    feeds = sorted({str(each["feed"] or silver.READING.name) for each in known})
    tag = tag_of("series", mine, names, begin, end, most, [service.reader.version(TABLES[each]) for each in feeds])
    if (same := known_already(request, tag)) is not None:
        return same

    def told() -> dict[str, Any]:
        curves = {
            each["point_id"]: each for feed in feeds for each in _curves(service, mine, feed, known, begin, end, most)
        }
        return {"mine_code": mine, "from": begin, "to": end, "series": [curves[name] for name in names]}

    return service.answers.answer(tag, told)


@router.get("/points/{point_id}/values", summary="测点的值 · Values of one point")
def values(
    request: Request,
    service: Serving,
    user: Caller,
    point_id: str,
    mine: Annotated[str, Query(description="煤矿编码 · Mine.")],
    begin: Begin = None,
    end: End = None,
    agg: Annotated[Literal["raw", "5min", "1h", "1d"], Query(description="原始或统计 · Raw, or extremes.")] = "raw",
    most: Annotated[int, Query(ge=4, le=MOST_VALUES)] = 2000,
) -> Response:
    """The curve of one point (`raw`), or its extremes by 5 minutes, hour or day of usable values."""
    if agg == "raw":
        return series(request, service, user, mine, point_id, begin, end, most)
    (point,) = _points(service, user, mine, [point_id])
    begin, end = _span(service, begin, end)
    wanted: dict[str, Any] = {"mine": mine, "point": point_id, "begin": begin, "end": end}
    if agg == "5min":
        table = silver.READING_5MIN
        query = (
            f"SELECT window_start, window_end, value_min, value_max, value_mean, readings FROM {table.name} "
            "WHERE mine_code = $mine AND point_id = $point AND window_start >= $begin AND window_start < $end "
            "ORDER BY window_start"
        )
    else:
        table = TABLES[point["feed"] or silver.READING.name]
        query = (
            f"SELECT date_trunc('{_STEPS[agg]}', observed_at) AS window_start, min(value) AS value_min, "
            f"max(value) AS value_max, count(value) AS readings FROM {table.name} WHERE mine_code = $mine "
            "AND point_id = $point AND observed_at >= $begin AND observed_at < $end AND quality <> 'BAD' "
            "GROUP BY 1 ORDER BY 1"
        )
    rows = list(service.reader.sql(query, **wanted))
    return Json({"point_id": point_id, "unit": point["unit"], "from": begin, "to": end, "rows": rows[:MOST_VALUES]})


def _points(service: Service, user: User, mine: str, names: list[str]) -> list[dict[str, Any]]:
    mines_asked(user, mine)
    wanted = ", ".join(f"$p{place}" for place in range(len(names)))
    query = (
        "SELECT point_id, quantity, unit, location, area_id, value_kind, feed, period_s, alarm, cut, restore, "
        "low_alarm, limit_rule, limit_confidence, range_low, range_high, on_desc, off_desc FROM silver.point "
        f"WHERE mine_code = $mine AND point_id IN ({wanted})"
    )
    given = {f"p{place}": name for place, name in enumerate(names)}
    rows = {row["point_id"]: row for row in service.reader.sql(query, mine=mine, **given)}
    for name in names:
        if name not in rows:
            raise not_there(f"测点 {name}", "point")
    return [rows[name] for name in names]


def _span(service: Service, begin: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    end = end or service.room.clock().replace(microsecond=0)
    try:
        begin = begin or end - USUAL_SPAN
    except OverflowError:
        begin = end
    if not timedelta(0) < end - begin <= LONGEST_SPAN:
        raise ProblemError(
            422,
            f"时段须大于 0、不超过 {LONGEST_SPAN.days} 天",
            f"expected from before to, {LONGEST_SPAN.days} days at most, got {begin.isoformat()} to {end.isoformat()}",
        )
    return begin, end


def _curves(
    service: Service, mine: str, feed: str, points: list[dict[str, Any]], begin: datetime, end: datetime, most: int
) -> list[dict[str, Any]]:
    """The curves of those points whose values stand in that table."""
    points = [each for each in points if (each["feed"] or silver.READING.name) == feed]
    quantities = {each["quantity"] for each in points}
    first, last = (pl.lit(day_of(each)) for each in (begin, end))
    found = (
        service.reader.scan(TABLES[feed])
        .filter(pl.col("day").is_between(first, last), pl.col("observed_at") >= begin, pl.col("observed_at") < end)
        .filter(pl.col("point_id").is_in([each["point_id"] for each in points]), pl.col("mine_code") == mine)
        .filter(pl.col("quantity").is_in(quantities))
        .select("point_id", "quantity", "observed_at", "value", "quality", "quality_reasons")
        .collect()
    )
    of_point = found.partition_by("point_id", "quantity", as_dict=True)
    return [
        _curve(point, of_point.get((point["point_id"], point["quantity"]), found.clear()), begin, end, most)
        for point in points
    ]


def _curve(point: dict[str, Any], rows: pl.DataFrame, begin: datetime, end: datetime, most: int) -> dict[str, Any]:
    """One point's curve from its rows, in any order."""
    rows = rows.sort("observed_at")
    at_us = rows["observed_at"].dt.epoch("us").to_numpy()
    value = rows["value"].to_numpy()
    is_bad = (rows["quality"] == "BAD").to_numpy()
    span_s = (end - begin).total_seconds()
    at_s = (at_us - int(begin.timestamp() * 1_000_000)) / 1e6
    kept = thinned(at_s, value, is_bad, span_s, most)
    marks = rows[kept].with_row_index("at").filter(pl.col("quality") != "GOOD")
    longest_s = GAP_PERIODS * float(point["period_s"] or 0)
    holes = gaps(at_s[~np.isnan(value)], span_s, longest_s) if longest_s else []
    return {
        **point,
        "at_ms": (at_us[kept] // 1000).tolist(),
        "value": [None if np.isnan(each) else each for each in value[kept].tolist()],
        "quality": [list(each) for each in marks.select("at", "quality", "quality_reasons").iter_rows()],
        "count": len(at_us),
        "hidden": len(at_us) - len(kept),
        "gaps": [
            [begin + timedelta(seconds=start), begin + timedelta(seconds=stop)] for start, stop in holes[:MOST_GAPS]
        ],
    }


def thinned(at_s: Floats, value: Floats, is_bad: NDArray[np.bool_], span_s: float, most: int) -> NDArray[np.intp]:
    """Places of the values that stay, `most` or fewer; all where there are no more.

    Usable values and bad ones are thinned apart, so that an instrument's nonsense never takes an extreme's place. Where
    no value came the line breaks; such places go first.
    """
    everything = np.arange(len(at_s), dtype=np.intp)
    if len(at_s) <= most:
        return everything
    has_value = ~np.isnan(value)
    parts = [each for each in (everything[has_value & ~is_bad], everything[has_value & is_bad]) if len(each)]
    if not parts:
        return everything[:0]
    # The edges of the span may cut a bucket in two.
    buckets = max(1, most // (_PER_BUCKET * len(parts)) - 1)
    return np.sort(np.concatenate([part[kept_extremes(at_s[part], value[part], span_s / buckets)] for part in parts]))
