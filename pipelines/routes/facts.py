"""Which roadways are bad or barred and who is where, minute by minute, as rows of one long frame of facts.

So one function can look at a mine minute by minute. Bad are roadways by readings, smoke detectors and fire indices;
barred by what people record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.minutes import BEFORE, first_minute, minute_grid, minute_no
from minefusion.pipelines.hazard.rows import ORANGE
from minefusion.pipelines.hazard.snapshots import newest_snapshots
from minefusion.pipelines.routes.escape import AVOIDED, FORBIDDEN, OPEN
from minefusion.schemas.escape_limits import air_limits

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.inputs import Inputs

# What a fact is about.
BAD_AIR, SMOKE, FIRE, BLOCKED, FLOW, PERSON = "bad_air", "smoke", "fire", "blocked", "flow", "person"
# A record of this kind and quantity closes a roadway (1) or opens it again (0): a fall, a fire door, a flood.
ROADWAY, ROADWAY_BLOCKED = "roadway", "roadway_blocked"
# The index that tells a fire by carbon monoxide and temperature; from this level on there is smoke.
FIRE_INDEX, SMOKES_FROM = "F-10", ORANGE
UNDERGROUND = 1
# What a fact about a person says in `quantity` of one who has left the mine.
LEFT = "left"
FACTS = pa.schema(
    {"mine_code": pa.string(), "minute_no": pa.int64()}
    | dict.fromkeys(("fact", "edge_id", "area_id", "quantity"), pa.string())
    | {"value": pa.float64(), "state": pa.int32(), "card_code": pa.string(), "chainage_m": pa.float64()}
)


def road_facts(inputs: Inputs, indices: nw.LazyFrame | None, records: nw.LazyFrame, *, before: int = 0) -> nw.LazyFrame:
    """Facts of the minutes of the window, with the columns of FACTS; a roadway without one is open and not smoky.

    A fact without a roadway holds for its whole area.

    Args:
        indices: gold.hazard_index of the window; null where it is not to be looked at.
        records: silver.field_record up to the window's end, as far back as a roadway may have been closed, with
            `observed_us`.
        before: so many minutes ahead of the window are wanted too, at most BEFORE; not of the indices.
    """
    first = first_minute(inputs.window) - before
    parts = [_bad_air(inputs, first), _smoke(inputs, first), _blocked(inputs, records, before), _flow(inputs, first)]
    if indices is not None:
        parts.append(_fire(inputs, indices))
    return nw.concat(parts, how="vertical")


def road_fact(frame: nw.LazyFrame, fact: str, state: nw.Expr) -> nw.LazyFrame:
    """The rows, which say where, when, of which quantity and its value, as facts of one kind."""
    frame = frame.with_columns(
        nw.lit(fact).alias("fact"),
        state.cast(nw.Int32).alias("state"),
        nw.lit(None, dtype=nw.String).alias("card_code"),
        nw.lit(None, dtype=nw.Float64).alias("chainage_m"),
    )
    return frame.select(*FACTS.names)


def _bad_air(inputs: Inputs, first: int) -> nw.LazyFrame:
    """Values that two of the last three samples reach; one that stood at a step stays while its point is silent."""
    limits = air_limits()
    rows = _minutes_from(inputs, first, *limits)
    quantity, silent = nw.col("quantity"), nw.col("value_max").is_null()
    value, state = nw.lit(None, dtype=nw.Float64), nw.lit(OPEN)
    for name, limit in limits.items():
        if limit.comparison == "<":
            seen = nw.when(silent).then(nw.col("last_value")).otherwise(nw.col("low"))
            avoided, forbidden = seen < limit.avoided, seen < limit.forbidden
        else:
            seen = nw.when(silent).then(nw.col("last_high")).otherwise(nw.col("high"))
            avoided, forbidden = seen >= limit.avoided, seen >= limit.forbidden
        at_least = nw.when(avoided).then(nw.lit(AVOIDED)).otherwise(nw.lit(OPEN))
        reached = nw.when(forbidden).then(nw.lit(FORBIDDEN)).otherwise(at_least)
        value = nw.when(quantity == name).then(seen).otherwise(value)
        state = nw.when(quantity == name).then(reached).otherwise(state)
    rows = rows.with_columns(value.alias("value"), state.alias("_state")).filter(nw.col("_state") > OPEN)
    return road_fact(rows, BAD_AIR, nw.col("_state"))


def _smoke(inputs: Inputs, first: int) -> nw.LazyFrame:
    """A detector tells of smoke until it tells otherwise: one that falls silent may have burnt."""
    point = ["mine_code", "point_id"]
    detectors = inputs.points.filter(nw.col("quantity") == "smoke").select(*point, "edge_id", "area_id")
    samples = inputs.readings.filter(
        nw.col("quantity") == "smoke", nw.col("usable"), ~nw.col("value").is_null()
    ).with_columns(
        minute_no(nw.col("observed_us")).alias("minute_no"),
        nw.col("observed_us").shift(-1).over(*point, order_by="observed_us").alias("_next_us"),
    )
    is_last = (minute_no(nw.col("_next_us")) > nw.col("minute_no")).fill_null(True)
    samples = samples.with_columns(nw.when(is_last).then(nw.col("value")).alias("_last"))
    by_minute = samples.group_by(*point, "minute_no").agg(nw.col("value").max(), nw.col("_last").max())
    earliest = first_minute(inputs.window) - BEFORE
    older = by_minute.filter(nw.col("minute_no") < earliest).select(*point, "minute_no", "value", "_last")
    grid = minute_grid(inputs, before=BEFORE).select("minute_no")
    full = detectors.select(*point).join(grid, how="cross").join(by_minute, on=[*point, "minute_no"], how="left")
    full = nw.concat([full.select(*point, "minute_no", "value", "_last"), older], how="vertical")
    full = full.with_columns(nw.col("_last").fill_null(strategy="forward").over(*point, order_by="minute_no"))
    full = full.with_columns(nw.coalesce("value", "_last").alias("value")).filter(
        nw.col("minute_no") >= first, nw.col("value") >= 1
    )
    rows = full.join(detectors, on=point, how="inner").with_columns(nw.lit("smoke").alias("quantity"))
    return road_fact(rows, SMOKE, nw.lit(AVOIDED))


def _fire(inputs: Inputs, indices: nw.LazyFrame) -> nw.LazyFrame:
    places = inputs.points.select("mine_code", "point_id", "edge_id")
    rows = indices.filter(nw.col("index_id") == FIRE_INDEX, nw.col("level") >= SMOKES_FROM)
    rows = rows.select("mine_code", "point_id", "area_id", "window_start", "value")
    grid = minute_grid(inputs)
    rows = rows.join(grid, on="window_start", how="inner").join(places, on=["mine_code", "point_id"], how="left")
    return road_fact(rows.with_columns(nw.lit(FIRE_INDEX).alias("quantity")), FIRE, nw.lit(AVOIDED))


def _blocked(inputs: Inputs, records: nw.LazyFrame, before: int) -> nw.LazyFrame:
    """What the newest record says of each roadway, or of an area where the record names no roadway."""
    first = first_minute(inputs.window) - before
    told = records.filter(nw.col("quantity") == ROADWAY_BLOCKED, nw.col("usable"), ~nw.col("area_id").is_null())
    told = told.with_columns(
        nw.max_horizontal(minute_no(nw.col("observed_us")), nw.lit(first - 1)).cast(nw.Int64).alias("minute_no"),
        nw.coalesce("edge_id", "area_id").alias("_place"),
    )
    place = ["mine_code", "_place"]
    newest = told.group_by(*place, "minute_no").agg(nw.col("observed_us").max())
    told = told.join(newest, on=[*place, "minute_no", "observed_us"], how="inner")
    told = told.group_by(*place, "minute_no").agg(nw.col("value").max())
    names = records.filter(nw.col("quantity") == ROADWAY_BLOCKED).select(
        "mine_code", nw.coalesce("edge_id", "area_id").alias("_place"), "edge_id", "area_id"
    )
    names = names.unique().filter(~nw.col("_place").is_null())
    grid = minute_grid(inputs, before=before + 1).select("minute_no")
    full = told.select(*place).unique().join(grid, how="cross").join(told, on=[*place, "minute_no"], how="left")
    full = full.with_columns(nw.col("value").fill_null(strategy="forward").over(*place, order_by="minute_no"))
    rows = full.filter(nw.col("minute_no") >= first, nw.col("value") >= 1).join(names, on=place, how="inner")
    return road_fact(rows.with_columns(nw.lit(ROADWAY_BLOCKED).alias("quantity")), BLOCKED, nw.lit(FORBIDDEN))


def _minutes_from(inputs: Inputs, first: int, *quantities: str) -> nw.LazyFrame:
    return inputs.minutes.filter(nw.col("quantity").is_in(list(quantities)), nw.col("minute_no") >= first)


def _flow(inputs: Inputs, first: int) -> nw.LazyFrame:
    """Air velocity of the roadways that measure it, positive from their first node to their second."""
    rows = _minutes_from(inputs, first, "air_velocity").filter(~nw.col("edge_id").is_null(), ~nw.col("mean").is_null())
    rows = rows.group_by("mine_code", "minute_no", "edge_id").agg(nw.col("mean").mean().alias("value"))
    rows = rows.with_columns(nw.lit(None, dtype=nw.String).alias("area_id"), nw.lit("air_velocity").alias("quantity"))
    return road_fact(rows, FLOW, nw.lit(OPEN))


def people_facts(inputs: Inputs, *, before: int) -> nw.LazyFrame:
    """Everybody underground by the snapshot that holds at each minute, from so many minutes before the window on.

    A minute whose snapshot lists nobody is a row without a card: then nobody is there, which is not the same as that
    nothing is known.
    """
    snapshots = newest_snapshots(inputs, before=before).filter(~nw.col("snapshot_us").is_null())
    is_below = (nw.col("in_out_flag") == UNDERGROUND).fill_null(True)
    fixes = inputs.positions.select(
        "mine_code",
        nw.when(~is_below).then(nw.lit(LEFT)).alias("quantity"),
        nw.col("observed_us").alias("snapshot_us"),
        "card_code",
        "edge_id",
        nw.col("area_id").fill_null("unplaced").alias("area_id"),
        "chainage_m",
    )
    rows = snapshots.join(fixes, on=["mine_code", "snapshot_us"], how="left").with_columns(
        nw.lit(PERSON).alias("fact"),
        nw.lit(None, dtype=nw.Float64).alias("value"),
        nw.lit(OPEN).cast(nw.Int32).alias("state"),
    )
    return rows.select(*FACTS.names)
