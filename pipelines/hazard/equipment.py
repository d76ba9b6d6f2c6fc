"""Machines and what their points say, in slots of five minutes and in hours: what the equipment indices share.

A machine is a device of the equipment feed; points that come by safety monitoring name no device, they belong to the
machine of their area (a conveyor to its road).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.hours import HOUR_US, UNPLACED, site_rows
from minefusion.pipelines.hazard.inputs import Feeds, Frame, Sites

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.history import History
    from minefusion.pipelines.hazard.inputs import Inputs

SLOT_MIN = 5
SLOT_US = SLOT_MIN * 60_000_000
# A value holds for so many slots, its own among them, so that a feed of every ten minutes has no holes.
HELD = 3
# A machine that has just started is not judged for so many slots.
SETTLING = 2
MACHINE = ["mine_code", "area_id", "machine"]
# What tells that a machine runs.
STATES = ("equipment_on", "main_fan")
_TEXTS = ("vibration_group", "bearing")
_NUMBERS = ("rated_current_a", "idle_current_a", "rated_speed_r_min", "balls", "ball_mm", "pitch_mm")
FACTS = pa.schema(
    [(name, pa.string()) for name in ("mine_code", "machine", *_TEXTS)]
    + [(name, pa.float64()) for name in _NUMBERS]
    + [("contact_cos", pa.float64())]
)


class HasEquipment(Protocol):
    """What both cadences' inputs have."""

    @property
    def feeds(self) -> Feeds: ...
    @property
    def sites(self) -> Sites: ...
    @property
    def frame(self) -> Frame: ...


_VALUE = [*MACHINE, "point_id", "part", "quantity", "observed_us", "value"]


def _of_feed(given: HasEquipment, quantities: Sequence[str]) -> nw.LazyFrame:
    rows = given.feeds.equipment.filter(
        nw.col("quantity").is_in([*quantities, *STATES]), nw.col("usable"), ~nw.col("value").is_null()
    )
    area = nw.col("area_id").fill_null(UNPLACED)
    named = nw.when(nw.col("equipment_id") != "").then(nw.col("equipment_id"))
    return rows.with_columns(
        area.alias("area_id"), nw.coalesce(named, area).alias("machine"), nw.coalesce("part", nw.lit("")).alias("part")
    ).select(*_VALUE)


def _of_monitoring(rows: nw.LazyFrame, at: str, value: str, quantities: Sequence[str]) -> nw.LazyFrame:
    area = nw.col("area_id").fill_null(UNPLACED)
    rows = rows.filter(nw.col("quantity").is_in(list(quantities)), ~nw.col(value).is_null())
    return rows.with_columns(
        area.alias("area_id"), area.alias("machine"), nw.lit("").alias("part"), nw.col(at).alias("observed_us"),
        nw.col(value).alias("value"),
    ).select(*_VALUE)  # fmt: skip


def fast_values(inputs: Inputs, quantities: Sequence[str]) -> nw.LazyFrame:
    """Values of the machines' points in reach, and the machines' states: columns of _VALUE."""
    readings = inputs.readings.filter(nw.col("usable"))
    told = _of_monitoring(readings, "observed_us", "value", quantities)
    return nw.concat([_of_feed(inputs, quantities), told], how="vertical")


def slow_values(history: History, quantities: Sequence[str]) -> nw.LazyFrame:
    """The same over the history, what comes by safety monitoring as five-minute means."""
    told = _of_monitoring(history.five, "start_us", "value_mean", quantities)
    return nw.concat([_of_feed(history, quantities), told], how="vertical")


def by_slot(values: nw.LazyFrame) -> nw.LazyFrame:
    """Mean of each point and slot of five minutes; `slot` counts them since 1970."""
    slots = values.with_columns((nw.col("observed_us") // SLOT_US).cast(nw.Int64).alias("slot"))
    return slots.group_by(*MACHINE, "point_id", "part", "quantity", "slot").agg(
        nw.col("value").mean().alias("value"), nw.col("value").min().alias("value_min")
    )


def held(slots: nw.LazyFrame) -> nw.LazyFrame:
    """The slots with each value carried on to those after it that have none of their own, HELD slots in all.

    `age` counts the slots since the value was measured.
    """
    copies = [slots.with_columns((nw.col("slot") + age).alias("slot"), nw.lit(age).alias("age")) for age in range(HELD)]
    together = nw.concat(copies, how="vertical")
    newest = nw.col("age").min().over(*MACHINE, "point_id", "part", "quantity", "slot")
    return together.with_columns(newest.alias("_newest")).filter(nw.col("age") == nw.col("_newest")).drop("_newest")


def running_slots(slots: nw.LazyFrame) -> nw.LazyFrame:
    """Slots of each machine that tells its state, with `runs`: 1 where it ran all of it and the two before, else 0."""
    states = slots.filter(nw.col("quantity").is_in(list(STATES)))
    states = states.group_by("mine_code", "machine", "slot").agg(nw.col("value_min").min().alias("on"))
    machine = ["mine_code", "machine"]
    on = (nw.col("on") >= 1).cast(nw.Int64)
    runs = on
    for back in range(1, SETTLING + 1):
        before = on.shift(back).over(*machine, order_by="slot")
        follows = nw.col("slot").shift(back).over(*machine, order_by="slot") == nw.col("slot") - back
        # What is not known of the slots before counts as running: a slow feed is not a machine that stands.
        runs = runs * nw.when(follows.fill_null(False)).then(before).otherwise(nw.lit(1))
    return states.with_columns(runs.alias("runs")).select(*machine, "slot", "runs")


def settled(slots: nw.LazyFrame) -> nw.LazyFrame:
    """Values while their machine runs steadily: without standstill, start-up and coast-down, and without the states.

    A machine that tells no state is taken to run.
    """
    values = slots.filter(~nw.col("quantity").is_in(list(STATES)))
    runs = running_slots(slots)
    values = values.join(runs, on=["mine_code", "machine", "slot"], how="left")
    return values.filter(nw.col("runs").fill_null(1) == 1).drop("runs")


def stands(slots: nw.LazyFrame, per: int) -> nw.LazyFrame:
    """Machines by `period` (slots // per) that told a state and at no slot of it ran steadily: with `_stands` true."""
    periods = running_slots(slots).with_columns((nw.col("slot") // per).cast(nw.Int64).alias("period"))
    periods = periods.group_by("mine_code", "machine", "period").agg(nw.col("runs").max().alias("_runs"))
    return periods.filter(nw.col("_runs") == 0).select("mine_code", "machine", "period", nw.lit(True).alias("_stands"))


def hourly(slots: nw.LazyFrame) -> nw.LazyFrame:
    """Hourly median of each point's slots, then the highest point of each machine: value by machine, quantity, hour."""
    hours = slots.with_columns((nw.col("slot") // (HOUR_US // SLOT_US)).cast(nw.Int64).alias("hour"))
    hours = hours.group_by(*MACHINE, "point_id", "quantity", "hour").agg(nw.col("value").median().alias("value"))
    return hours.group_by(*MACHINE, "quantity", "hour").agg(
        nw.col("value").max().alias("value"), nw.len().cast(nw.Int64).alias("points")
    )


def machine_facts(given: HasEquipment) -> nw.LazyFrame:
    """What the site files say of the machines, by mine_code and machine."""
    rows = site_rows(given.sites, "machines", ("equipment_id", *_TEXTS, *_NUMBERS, "contact_deg"))
    told = [
        {"mine_code": row["mine_code"], "machine": row["equipment_id"]}
        | {name: row[name] for name in _TEXTS}
        | {name: None if row[name] is None else float(row[name]) for name in _NUMBERS}
        | {"contact_cos": math.cos(math.radians(row["contact_deg"]))}
        for row in rows
    ]
    return given.frame(told, FACTS)


def unbalance_pct(highest: nw.Expr, lowest: nw.Expr, mean: nw.Expr) -> nw.Expr:
    """100·max|I_k − Ī|/Ī of the phases; null where no current flows."""
    off = nw.max_horizontal(highest - mean, mean - lowest)
    return nw.when(mean > 0).then(100 * off / mean)
