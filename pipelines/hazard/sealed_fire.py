"""Whether a sealed fire has gone out (F-11): five signs that must hold for a month."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.fire_ratios import slope_per_day
from minefusion.pipelines.hazard.gas_analyses import SHARE
from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import (
    DAY_H,
    HOUR_US,
    Floats,
    Series,
    Span,
    by_hour,
    family_values,
    hour_grid,
    newest,
    no_point,
    per_hour,
    placed,
    site_rows,
)
from minefusion.pipelines.hazard.levels import judged, steps
from minefusion.pipelines.hazard.rows import Index, index_rows, number

# The five signs: scope of its limit, or none where the sign is that there is nothing.
SIGNS = ("temperature", "oxygen", "hydrocarbons", "carbon_monoxide", "water")
# A sample or reading tells of a sealed area for so long [h].
TOLD_FOR_H = 7 * DAY_H
# Carbon monoxide is steady or falls where it rises by no more than so much a day [ppm].
STEADY_PPM_DAY = 0.1
_AREA = ["mine_code", "area_id"]

F_11 = Index(
    id="F-11",
    name_zh="火区熄灭判据",
    name_en="extinction of a sealed fire",
    unit="d",
    minutes=60,
    source="Coal Mine Safety Regulation: conditions for opening a sealed fire area; recalled, not read again",
    confidence="inferred",
    doc=(
        "Days on end that all five signs have held in a sealed fire area: air under 30 ℃ or as before the fire, oxygen "
        "under 5 %, no ethylene or acetylene, carbon monoxide under 10 ppm and not rising, outflowing water under 25 ℃ "
        "or as before. Under 30 days the fire may live: yellow. For the areas that the site file names."
    ),
    formula=(
        r"d = \max\{n : T \wedge O_2 \wedge C_2H_x \wedge CO \wedge T_w "
        r"\text{ hold on each of the last } n \text{ days}\}"
    ),
    reads=("temperature, water temperature [℃]", "O2 [%]", "CO, C2H4, C2H2 [ppm]"),
    scenario="sealed_heating",
    edges=(
        "a sign that nothing has told of for seven days does not hold",
        "the temperatures from before the fire are the site file's",
        "the worst of an area's sensors and samples counts",
    ),
)


def f11(history: History) -> nw.LazyFrame:
    """Days that the five signs have held in each sealed fire area, by hour."""
    fields = {"area_id": pa.string(), "normal_air_c": pa.float64(), "normal_water_c": pa.float64()}
    fires = history.frame(
        site_rows(history.sites, "sealed_fires", list(fields)), pa.schema({"mine_code": pa.string(), **fields})
    )
    told = _against_limits(history, fires)
    names = ("days", *SIGNS)
    signs = per_hour(history, told, _AREA, days_of_signs, names, "amount").select(*_AREA, "hour", *names)
    rows = fires.join(hour_grid(history), how="cross").join(signs, on=[*_AREA, "hour"], how="left")
    rows = rows.with_columns(nw.col("area_id").alias("entity"), no_point().alias("point_id"))
    days = nw.col("days")
    rows = judged(history, placed(history, rows), F_11.id, ("", days))
    held = {name: nw.when(nw.col(name) > 0).then(nw.lit("true")).otherwise(nw.lit("false")) for name in SIGNS}
    return index_rows(
        rows,
        F_11,
        value=days,
        level=nw.col("level"),
        reason=nw.lit("NO_DATA"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs=held,
        finding_zh=nw.concat_str(nw.lit("五项熄灭指标已连续满足 "), number(days, 1), nw.lit(" 天")),
        finding_en=nw.concat_str(nw.lit("all five signs have held for "), number(days, 1), nw.lit(" days")),
    )


def _against_limits(history: History, fires: nw.LazyFrame) -> nw.LazyFrame:
    """What each sign rests on, by area and hour, as a share of its limit; `carbon_monoxide_ppm` as it is."""
    warm = by_hour(family_values(history, ("temperature", "water_temperature"), "water"))
    sign = nw.when(nw.col("quantity") == "temperature").then(nw.lit("temperature")).otherwise(nw.lit("water"))
    warm = warm.select(*_AREA, "hour", sign.alias("quantity"), nw.col("value_max").alias("amount"))
    hours = history.gas_series.with_columns((nw.col("at_us") // HOUR_US).cast(nw.Int64).alias("hour"))
    co = nw.col("co") / SHARE["co"]
    ethylene = nw.max_horizontal("c2h4", "c2h2") / SHARE["c2h4"]
    amounts = {"oxygen": nw.col("o2"), "carbon_monoxide": co, "carbon_monoxide_ppm": co, "hydrocarbons": ethylene}
    gas = [
        hours.with_columns(amount.alias("amount"))
        .filter(~nw.col("amount").is_null())
        .group_by(*_AREA, "hour")
        .agg(nw.col("amount").max())
        .select(*_AREA, "hour", nw.lit(name).alias("quantity"), "amount")
        for name, amount in amounts.items()
    ]
    rows = nw.concat([warm, *gas], how="vertical").join(fires, on=_AREA, how="inner")
    rows = steps(history, rows, F_11.id, nw.col("quantity"))
    of_air = nw.when(nw.col("quantity") == "temperature").then(nw.col("normal_air_c"))
    before = nw.when(nw.col("quantity") == "water").then(nw.col("normal_water_c")).otherwise(of_air)
    # As before the fire is good enough, where that was warmer.
    limit = nw.max_horizontal(nw.col("yellow"), before + 1e-9)
    share = (
        nw.when(nw.col("quantity") == "carbon_monoxide_ppm").then(nw.col("amount")).otherwise(nw.col("amount") / limit)
    )
    return rows.select(*_AREA, "quantity", "hour", share.alias("amount"))


def days_of_signs(series: Series, span: Span) -> dict[str, Floats]:
    """Days on end that all signs have held, and which of them hold now (1 or 0).

    Args:
        series: hourly amounts as shares of their limits, the sign holds under 1; carbon_monoxide_ppm in ppm.
    """
    silent = np.full(span.hours, np.nan)
    holds = {}
    for name in SIGNS:
        last = newest(series.get(name, silent), TOLD_FOR_H)
        holds[name] = np.isfinite(last) & (last < 1)
    co = series.get("carbon_monoxide_ppm", silent)
    rising = np.array([slope_per_day(co, place, TOLD_FOR_H) > STEADY_PPM_DAY for place in range(span.hours)])
    holds["carbon_monoxide"] &= ~rising
    all_hold = np.logical_and.reduce(list(holds.values()))
    place = np.arange(span.hours)
    broken = np.maximum.accumulate(np.where(all_hold, -1, place))
    judged_hours = list(span.judged)
    days = (place - broken)[judged_hours] / DAY_H
    return {"days": days, **{name: each[judged_hours].astype(float) for name, each in holds.items()}}
