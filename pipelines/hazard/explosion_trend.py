"""When a mixture will be explosive (G-05): the way of a place's gas towards its explosion triangle."""

from __future__ import annotations

from collections.abc import Callable

import narwhals as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import (
    DAY_H,
    HOUR_US,
    Floats,
    Span,
    answer_schema,
    answers_of,
    hour_grid,
    no_point,
)
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.mixtures import (
    LEAST_COMBUSTIBLE_PCT,
    OF_TRIANGLE,
    ON_EDGE,
    equivalent_methane_pct,
    lower_limit_pct,
    nose_pct,
    oxygen_at_nose_pct,
    oxygen_beside_pct,
    side_of_line,
    total_pct,
    upper_limit_pct,
)
from minefusion.pipelines.hazard.rows import Index, index_rows, number
from minefusion.pipelines.rounding import rounded

# The way is drawn through the last day, of which so many hours and sets are needed; and looked along for two days.
TREND_H, LEAST_TREND_H, LEAST_SETS = DAY_H, 6.0, 6
AHEAD_H = 48.0
_STEP_H = 0.25
_PLACE = ["mine_code", "area_id", "entity"]
_NAMES = ("hours", "distance", "from_nose", "o2_from_nose", "total", "o2", "combustible_per_h", "o2_per_h")

G_05 = Index(
    id="G-05",
    name_zh="爆炸性趋势",
    name_en="time to the explosion triangle",
    unit="h",
    minutes=60,
    source="trend of Ellicott 1981, recalled, with plain distances; own steps",
    confidence="advisory",
    doc=(
        "Hours until the gas of a return, a goaf or a sampled spot enters its explosion triangle, if each gas goes on "
        "as over the last 6 to 24 hours; 48 where it does not enter within two days. Yellow under 24 h, orange under "
        "8 h, red inside the triangle. The distance to the triangle, negative inside, is told beside it."
    ),
    formula=(
        r"x' = P_T - N, \quad y' = O_2 - O_N, \quad d = \pm\min_{X \in \triangle BCE} |P - X|, \quad "
        r"t_{enter} = \min\{t > 0 : P(t) \in \triangle BCE(t)\}"
    ),
    reads=("CH4, H2, O2 [%]", "CO, C2H4, C2H6, C2H2 [ppm]"),
    scenario="sealed_heating",
    edges=(
        "the corners of the triangle move with the mixture: they are drawn anew at each step",
        "fewer than six sets or six hours of them: no value, NO_HISTORY, unless the gas is inside now",
        "more oxygen than air could bring is taken as on the air line",
    ),
)


def triangle(amounts: list[Floats]) -> tuple[Floats, Floats]:
    """Corners B, E, C of mixtures: combustible gas and oxygen [%], each of shape (3, n)."""
    lower, upper = lower_limit_pct(amounts, OF_TRIANGLE), upper_limit_pct(amounts, OF_TRIANGLE)
    x = np.array([lower, nose_pct(amounts), upper])
    return x, np.array([oxygen_beside_pct(lower), oxygen_at_nose_pct(amounts), oxygen_beside_pct(upper)])


def is_inside(amounts: list[Floats], o2: Floats) -> NDArray[np.bool_]:
    """Whether mixtures lie in or on their triangles; never without combustible gas."""
    total = total_pct(amounts)
    some = total > LEAST_COMBUSTIBLE_PCT
    safe = [np.where(some, amount, 1.0) for amount in amounts]
    x, y = triangle(safe)
    seen = np.minimum(o2, oxygen_beside_pct(total))
    sides = [side_of_line(x[a], y[a], x[b], y[b], total, seen) >= -ON_EDGE for a, b in ((0, 1), (1, 2), (2, 0))]
    return some & sides[0] & sides[1] & sides[2]


def distance_pct(amounts: list[Floats], o2: Floats) -> Floats:
    """Signed distance [%] of mixtures from their triangles, negative inside; NaN without combustible gas."""
    total = total_pct(amounts)
    some = total > LEAST_COMBUSTIBLE_PCT
    x, y = triangle([np.where(some, amount, 1.0) for amount in amounts])
    seen = np.minimum(o2, oxygen_beside_pct(total))
    least = np.full(len(total), np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        dx, dy = x[b] - x[a], y[b] - y[a]
        along = np.clip(((total - x[a]) * dx + (seen - y[a]) * dy) / (dx**2 + dy**2), 0, 1)
        least = np.minimum(least, np.hypot(total - x[a] - along * dx, seen - y[a] - along * dy))
    return np.where(some, np.where(is_inside(amounts, o2), -least, least), np.nan)


def hours_to_entry(at_h: Floats, amounts: list[Floats], o2: Floats) -> float:
    """Hours until the straight lines through the last sets enter the triangle, AHEAD_H where they do not within it.

    Args:
        at_h: of the sets, in hours before (negative) the moment that is looked ahead from.
        amounts: CH4, CO and H2 [%] of the sets, one array a gas.
    """
    lines = [np.polyfit(at_h, values, 1) for values in (*amounts, o2)]

    def inside(hours: Floats) -> NDArray[np.bool_]:
        *gases, oxygen = (np.maximum(np.polyval(line, hours), 0.0) for line in lines)
        return is_inside(gases, oxygen)

    ahead = np.arange(0.0, AHEAD_H + _STEP_H / 2, _STEP_H)
    entered = np.flatnonzero(inside(ahead))
    if not len(entered):
        return AHEAD_H
    if entered[0] == 0:
        return 0.0
    low, high = ahead[entered[0] - 1], ahead[entered[0]]
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if inside(np.array([middle]))[0] else (middle, high)
    return float(high)


def g05(history: History) -> nw.LazyFrame:
    """Time to the triangle of each place with oxygen and methane, by hour."""
    c2 = [nw.col(name).fill_null(0.0) for name in ("c2h6", "c2h4", "c2h2")]
    sets = history.gas_series.filter(~nw.col("ch4").is_null(), ~nw.col("o2").is_null())
    sets = sets.with_columns(
        equivalent_methane_pct(nw.col("ch4"), *c2).alias("methane"),
        nw.col("co").fill_null(0.0),
        nw.col("h2").fill_null(0.0),
    )
    span = Span.of(history.window)
    schema = answer_schema(_PLACE, _NAMES)
    gases = sets.select(*_PLACE, "at_us", "methane", "co", "h2", "o2")
    found = history.grouped(gases, _PLACE, trend_of_place(span), schema)
    places = history.cached(sets.select(*_PLACE, "place_zh", "place_en", "is_sample").unique())
    rows = places.join(hour_grid(history), how="cross").join(found, on=[*_PLACE, "hour"], how="left")
    # Between samples nothing is said of a sampled spot.
    rows = rows.filter(~nw.col("is_sample") | ~nw.col("total").is_null())
    hours = rounded(nw.col("hours"))
    rows = rows.with_columns(hours.alias("_hours"), no_point().alias("point_id"))
    hours, distance = nw.col("_hours"), nw.col("distance")
    rows = judged(history, rows, G_05.id, ("", hours), ("distance", distance))
    inside = (distance <= 0).fill_null(False)
    soon = (hours < AHEAD_H).fill_null(False)
    told = [
        nw.when(inside).then(nw.lit(words[0])).otherwise(
            nw.when(soon).then(nw.concat_str(nw.lit(words[1]), number(hours, 1), nw.lit(words[2])))
            .otherwise(nw.lit(words[3]))
        )
        for words in (
            ("已进入爆炸三角形", "按目前趋势约 ", " h 后进入爆炸三角形", "两天内不会进入爆炸三角形"),
            ("inside the explosion triangle", "enters the explosion triangle in about ", " h",
             "does not enter the explosion triangle within two days"),
        )
    ]  # fmt: skip
    return index_rows(
        rows,
        G_05,
        value=nw.when(inside).then(nw.lit(0.0)).otherwise(hours),
        level=nw.when(inside | ~hours.is_null()).then(nw.col("level")),
        reason=nw.when(nw.col("total").is_null()).then(nw.lit("NO_DATA")).otherwise(nw.lit("NO_HISTORY")),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "combustible_pct": number(nw.col("total"), 3),
            "o2_pct": number(nw.col("o2"), 2),
            "distance_pct": number(distance, 2),
            "combustible_from_nose_pct": number(nw.col("from_nose"), 2),
            "o2_from_nose_pct": number(nw.col("o2_from_nose"), 2),
            "combustible_pct_per_h": number(nw.col("combustible_per_h"), 3),
            "o2_pct_per_h": number(nw.col("o2_per_h"), 3),
        },
        finding_zh=told[0],
        finding_en=told[1],
    )


def trend_of_place(span: Span) -> Callable[[pa.Table], pa.Table]:
    """What gives the trend of one place for each hour, from its sets: at_us, methane, co, h2 and o2 [%]."""

    def trend(sets: pa.Table) -> pa.Table:
        sets = sets.sort_by("at_us")
        at_h = sets["at_us"].to_numpy() / HOUR_US
        gases = [sets[name].to_numpy(zero_copy_only=False) for name in ("methane", "co", "h2")]
        o2 = sets["o2"].to_numpy(zero_copy_only=False)
        found = {name: np.full(span.end - span.start, np.nan) for name in _NAMES}
        for row, hour in enumerate(range(span.start, span.end)):
            end = hour + 1
            stop = int(np.searchsorted(at_h, end))
            if stop == 0 or at_h[stop - 1] < hour:
                continue  # nothing was said in this hour
            last = [amount[stop - 1 : stop] for amount in gases]
            newest_o2 = o2[stop - 1 : stop]
            total = float(total_pct(last)[0])
            found["total"][row], found["o2"][row] = total, newest_o2[0]
            found["distance"][row] = distance_pct(last, newest_o2)[0]
            if total > LEAST_COMBUSTIBLE_PCT:
                found["from_nose"][row] = total - nose_pct(last)[0]
                found["o2_from_nose"][row] = newest_o2[0] - oxygen_at_nose_pct(last)[0]
            start = int(np.searchsorted(at_h, end - TREND_H))
            if stop - start < LEAST_SETS or at_h[stop - 1] - at_h[start] < LEAST_TREND_H - 0.1:
                continue
            before = at_h[start:stop] - end
            amounts = [amount[start:stop] for amount in gases]
            found["hours"][row] = hours_to_entry(before, amounts, o2[start:stop])
            found["combustible_per_h"][row] = np.polyfit(before, total_pct(amounts), 1)[0]
            found["o2_per_h"][row] = np.polyfit(before, o2[start:stop], 1)[0]
        return answers_of(sets, _PLACE, span, found, _NAMES)

    return trend
