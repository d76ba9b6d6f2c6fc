"""Head counts that still hold: the newest snapshot of the positioning system, while it is fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from minefusion.pipelines.hazard.minutes import HELD_PERIODS, MINUTE_US, first_minute, minute_grid, minute_no

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.inputs import Inputs

# Senders write one a minute, some only every five minutes; nothing in the files says which.
SHORTEST_PERIOD_US = 60_000_000
LONGEST_PERIOD_US = 300_000_000
# Minutes before one that may hold the snapshot that still counts in it.
LOOKBACK_MINUTES = HELD_PERIODS * LONGEST_PERIOD_US // MINUTE_US


def with_validity(headcount: nw.LazyFrame) -> nw.LazyFrame:
    """Add `held_until_us`, the last microsecond at which each count still holds.

    The period is taken from the time since the snapshot before, between one and five minutes; so a row's validity
    depends on nothing later, and on nothing much earlier.

    Args:
        headcount: silver.headcount with `observed_us`.
    """
    before = nw.col("observed_us").shift(1).over("mine_code", "area_id", order_by="observed_us")
    gap = nw.col("observed_us") - before
    # After an outage the gap says nothing of the period.
    tells = (gap > SHORTEST_PERIOD_US) & (gap <= HELD_PERIODS * LONGEST_PERIOD_US)
    period = nw.when(tells).then(gap).otherwise(nw.lit(SHORTEST_PERIOD_US))
    period = nw.min_horizontal(period, nw.lit(LONGEST_PERIOD_US))
    return headcount.with_columns((nw.col("observed_us") + HELD_PERIODS * period).cast(nw.Int64).alias("held_until_us"))


def held_counts(cells: nw.LazyFrame, headcount: nw.LazyFrame) -> nw.LazyFrame:
    """Add people_count, leaders_count and snapshot_us: the newest snapshot up to each minute's end, while it holds.

    Args:
        cells: mine_code, area_id and minute_no, every minute of a span, from at least LOOKBACK_MINUTES before the first
            that is wanted.
        headcount: silver.headcount with `observed_us`.
    """
    key = ["mine_code", "area_id", "minute_no"]
    counted = ("people_count", "leaders_count", "snapshot_us", "_held_until_us")
    counts = with_validity(headcount).select(
        *key[:2],
        minute_no(nw.col("observed_us")).alias("minute_no"),
        "people_count",
        "leaders_count",
        nw.col("observed_us").alias("snapshot_us"),
        nw.col("held_until_us").alias("_held_until_us"),
    )
    newest = counts.group_by(*key).agg(nw.col("snapshot_us").max())
    counts = counts.join(newest, on=[*key, "snapshot_us"], how="inner")
    rows = cells.join(counts, on=key, how="left").with_columns(
        *(nw.col(name).fill_null(strategy="forward").over(*key[:2], order_by="minute_no") for name in counted)
    )
    holds = (nw.col("_held_until_us") >= (nw.col("minute_no") + 1) * MINUTE_US).fill_null(False)
    return rows.with_columns(*(nw.when(holds).then(nw.col(name)).alias(name) for name in counted[:3])).drop(
        "_held_until_us"
    )


def newest_snapshots(inputs: Inputs, *, before: int = 0) -> nw.LazyFrame:
    """The snapshot that holds at the end of each minute of the window, by mine; null where none does.

    A mine without base stations has rows only while a snapshot holds.

    Args:
        before: so many minutes ahead of the window are wanted too.
    """
    grid = minute_grid(inputs, before=LOOKBACK_MINUTES + before)
    mines = inputs.mines.select("mine_code", nw.col("mine_code").alias("area_id")).join(grid, how="cross")
    rows = held_counts(mines, inputs.headcount).filter(nw.col("minute_no") >= first_minute(inputs.window) - before)
    rows = located(inputs, rows, ~nw.col("snapshot_us").is_null())
    return rows.select("mine_code", "window_start", "minute_no", "snapshot_us")


def located(inputs: Inputs, rows: nw.LazyFrame, is_known: nw.Expr) -> nw.LazyFrame:
    """The rows of mines that have a positioning system; of others those alone in which people are known."""
    equipped = inputs.mines.select("mine_code", nw.col("has_stations").fill_null(True).alias("_equipped"))
    rows = rows.join(equipped, on="mine_code", how="left")
    return rows.filter(nw.col("_equipped") | is_known).drop("_equipped")


def people_at(rows: nw.LazyFrame, instant_us: str, headcount: nw.LazyFrame) -> nw.LazyFrame:
    """Add `people_in_area`: how many were in each row's area at its instant; null where no fresh snapshot tells.

    Args:
        rows: few rows with mine_code, area_id, the unique alarm_id and the column named by `instant_us`.
        headcount: silver.headcount with `observed_us`.
    """
    counts = with_validity(headcount).select(
        "mine_code", "area_id", "people_count", nw.col("observed_us").alias("_at"), "held_until_us"
    )
    instants = rows.select("alarm_id", "mine_code", "area_id", nw.col(instant_us).alias("_instant"))
    known = instants.join(counts, on=["mine_code", "area_id"], how="inner")
    known = known.filter(nw.col("_at") <= nw.col("_instant"), nw.col("_instant") <= nw.col("held_until_us"))
    newest = known.group_by("alarm_id").agg(nw.col("_at").max())
    found = known.join(newest, on=["alarm_id", "_at"], how="inner")
    return rows.join(
        found.select("alarm_id", nw.col("people_count").alias("people_in_area")), on="alarm_id", how="left"
    )
