"""Health of machines and the regular operation of intelligent faces (E-06)."""

from __future__ import annotations

import narwhals as nw

from minefusion.pipelines.hazard.equipment import (
    MACHINE,
    SLOT_US,
    by_slot,
    hourly,
    machine_facts,
    settled,
    slow_values,
    stands,
    unbalance_pct,
)
from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import DAY_H, HOUR_US, UNPLACED, hour_grid, no_point, placed
from minefusion.pipelines.hazard.levels import judged, steps
from minefusion.pipelines.hazard.rows import Index, index_rows, number
from minefusion.pipelines.hazard.vibration import PER_HOUR, SLOW_R_MIN

# No machine with any value at its alarm step is healthier than this.
CAP = 37.0
MONTH_D = 30
# What is weighed: column → quantity and the index whose steps judge it.
WEIGHED = {
    "vibration": "vibration_velocity", "temperature": "bearing_temperature", "kurtosis": "vibration_kurtosis",
    "unbalance": "current",
}  # fmt: skip
E_06 = Index(
    id="E-06",
    name_zh="设备健康指数",
    name_en="health of machines",
    unit="ratio",
    minutes=60,
    source="own definition and steps; regular operation: national target of intelligent mines for 2026",
    confidence="advisory",
    doc=(
        "100 for a machine with all of vibration, bearing temperature, kurtosis and unbalance under their yellow "
        "steps, less the farther they go towards their last step, all known ones weighing alike; at most 37 as soon as "
        "one reaches it, so that a mean cannot hide it. Under 80 yellow, 60 orange, 40 red. A face's row is the share "
        "of its output of the month that was produced in intelligent mode; the target is 80 %."
    ),
    formula=r"HI=100\exp\left(-\sum_i w_i\max\left(0,\frac{x_i-x_{warn}}{x_{alarm}-x_{warn}}\right)\right),\quad"
    r" A=\frac{MTBF}{MTBF+MTTR}",
    reads=(
        "vibration velocity [mm/s]",
        "bearing temperature [℃]",
        "kurtosis of vibration",
        "current by phase [A]",
        "repairs (field record) [h]",
        "output and intelligent output (field record) [t]",
    ),
    edges=(
        "what is not measured weighs nothing; nothing measured in the hour: null",
        "any value at its last step: at most 37",
        "standstill, start-up and coast-down are left out",
        "velocity of vibration under 600 r/min is not weighed",
        "no repair in 30 days: availability 1",
    ),
    scenario="bearing_fault",
)


def strain(value: nw.Expr, warn: nw.Expr, alarm: nw.Expr) -> nw.Expr:
    """max(0, (x − warn)/(alarm − warn)): 0 up to the warning, 1 at the alarm; null where anything is not known."""
    share = (value - warn) / (alarm - warn)
    return nw.when(share < 0).then(nw.lit(0.0)).otherwise(share)


def health_index(strains: list[nw.Expr]) -> nw.Expr:
    """HI of the strains that are known, all of equal weight; at most CAP where one is 1 or more; null where none is."""
    known = sum(((~each.is_null()).cast(nw.Float64) for each in strains), nw.lit(0.0))
    total = sum((each.fill_null(0.0) for each in strains), nw.lit(0.0))
    mean = nw.when(known > 0).then(total / known)
    health = 100 * (-mean).exp()
    worst = nw.max_horizontal(*strains)
    return nw.when((worst >= 1).fill_null(False)).then(nw.min_horizontal(health, nw.lit(CAP))).otherwise(health)


def availability(repair_h: nw.Expr, span_h: float) -> nw.Expr:
    """A = MTBF/(MTBF + MTTR) over a span, which is the share of it without repair; 1 where none is told."""
    share = 1 - nw.coalesce(repair_h, nw.lit(0.0)) / span_h
    return nw.when(share < 0).then(nw.lit(0.0)).otherwise(share)


def e06(history: History) -> nw.LazyFrame:
    """Health by machine, regular operation by face, by hour."""
    machines, faces = history.cached(_machines(history)), history.cached(_faces(history))
    return nw.concat([_health_rows(history, machines), _face_rows(history, faces)], how="vertical")


def _machines(history: History) -> nw.LazyFrame:
    """Machines by hour of the window with what is weighed; null where not measured."""
    slots = history.cached(by_slot(slow_values(history, tuple(WEIGHED.values()))))
    steady = settled(slots)
    quantity = nw.col("quantity")
    measured = slots.filter(quantity.is_in(list(WEIGHED.values()))).select(*MACHINE).unique()
    hours = hourly(steady.filter(quantity != "current"))
    named = {name: its for name, its in WEIGHED.items() if its != "current"}
    wide = hours.group_by(*MACHINE, "hour").agg(
        *(nw.when(quantity == its).then(nw.col("value")).max().alias(name) for name, its in named.items())
    )
    phases = steady.filter(quantity == "current").group_by(*MACHINE, "slot").agg(
        nw.col("value").mean().alias("_mean"), nw.col("value").max().alias("_high"),
        nw.col("value").min().alias("_low"), nw.len().cast(nw.Int64).alias("_phases"),
    )  # fmt: skip
    # Phases are weighed while the motor draws its load: what flows idle says little of balance.
    phases = phases.filter(nw.col("_phases") >= 3, nw.col("_mean") > 1.0).with_columns(
        unbalance_pct(nw.col("_high"), nw.col("_low"), nw.col("_mean")).alias("_u"),
        (nw.col("slot") // (HOUR_US // SLOT_US)).cast(nw.Int64).alias("hour"),
    )
    phases = phases.group_by(*MACHINE, "hour").agg(nw.col("_u").median().alias("unbalance"))
    rows = measured.join(hour_grid(history), how="cross").join(wide, on=[*MACHINE, "hour"], how="left")
    rows = rows.join(phases, on=[*MACHINE, "hour"], how="left").join(
        stands(slots, PER_HOUR), left_on=["mine_code", "machine", "hour"], right_on=["mine_code", "machine", "period"],
        how="left",
    )  # fmt: skip
    return rows.join(_repairs(history), on=["mine_code", "machine", "hour"], how="left")


def _repairs(history: History) -> nw.LazyFrame:
    """Repairs of the 30 days before the end of each hour, by machine: repairs and repair_h."""
    records = history.feeds.records.filter(
        nw.col("kind") == "machine_repair", nw.col("quantity") == "repair_time", ~nw.col("value").is_null()
    ).select("mine_code", nw.col("sample_id").alias("machine"), "observed_us", "value")
    return _of_month(history, records, ["mine_code", "machine"]).agg(
        nw.len().cast(nw.Int64).alias("repairs"), nw.col("value").sum().alias("repair_h")
    )


def _of_month(history: History, records: nw.LazyFrame, keys: list[str]):
    """The records of the 30 days before the end of each hour, grouped by keys and hour."""
    end = (nw.col("hour") + 1) * HOUR_US
    recent = records.join(hour_grid(history).select("hour"), how="cross")
    recent = recent.filter(nw.col("observed_us") < end, nw.col("observed_us") >= end - MONTH_D * DAY_H * HOUR_US)
    return recent.group_by(*keys, "hour")


def _health_rows(history: History, rows: nw.LazyFrame) -> nw.LazyFrame:
    facts = machine_facts(history).select("mine_code", "machine", "vibration_group", "bearing", "rated_speed_r_min")
    rows = rows.join(facts, on=["mine_code", "machine"], how="left")
    slow = (nw.col("rated_speed_r_min") < SLOW_R_MIN).fill_null(False)
    rows = rows.with_columns(nw.when(~slow).then(nw.col("vibration")).alias("vibration"))
    judged_by: dict[str, tuple[str, nw.Expr | str]] = {
        "vibration": ("E-01", nw.col("vibration_group")),
        "temperature": ("E-03", nw.coalesce("bearing", nw.lit("sliding"))),
        "kurtosis": ("E-02", ""),
        "unbalance": ("E-04", ""),
    }
    for name, (index_id, scope) in judged_by.items():
        rows = steps(history, rows, index_id, scope).with_columns(
            strain(nw.col(name), nw.col("yellow"), nw.coalesce("red", "orange")).alias(f"_{name}")
        )
        rows = rows.drop("blue", "yellow", "orange", "red", "limit_source", "limit_confidence")
    rows = rows.with_columns(
        health_index([nw.col(f"_{name}") for name in judged_by]).alias("_health"),
        nw.col("machine").alias("entity"), no_point().alias("point_id"),
    )  # fmt: skip
    up = availability(nw.col("repair_h"), MONTH_D * DAY_H)
    health = nw.col("_health")
    rows = judged(history, rows, "E-06", ("", health))
    return index_rows(
        placed(history, rows, "设备", "machine"),
        E_06,
        value=health,
        level=nw.col("level"),
        reason=nw.when(nw.col("_stands").fill_null(False)).then(nw.lit("NOT_RUNNING")),
        inputs={
            **{name: number(nw.col(name), 2) for name in judged_by},
            "availability": number(up, 4),
            "repairs_30d": number(nw.col("repairs").fill_null(0), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("健康指数 "), number(health, 0)),
        finding_en=nw.concat_str(nw.lit("health "), number(health, 0)),
    )


def _faces(history: History) -> nw.LazyFrame:
    """Output of the month of each face that tells its intelligent output."""
    records = history.feeds.records.filter(
        nw.col("kind") == "production", nw.col("quantity").is_in(["output", "output_intelligent"]), nw.col("usable"),
        ~nw.col("value").is_null(),
    ).with_columns(nw.col("area_id").fill_null(UNPLACED))  # fmt: skip
    told = records.select("mine_code", "area_id", "quantity", "observed_us", "value")
    sums = _of_month(history, told, ["mine_code", "area_id"]).agg(
        *(
            nw.when(nw.col("quantity") == name).then(nw.col("value")).sum().alias(name)
            for name in ("output", "output_intelligent")
        )
    )
    faces = told.filter(nw.col("quantity") == "output_intelligent").select("mine_code", "area_id").unique()
    return faces.join(hour_grid(history), how="cross").join(sums, on=["mine_code", "area_id", "hour"], how="left")


def _face_rows(history: History, rows: nw.LazyFrame) -> nw.LazyFrame:
    share = nw.when(nw.col("output") > 0).then(100 * nw.col("output_intelligent") / nw.col("output"))
    rows = rows.with_columns(share.alias("_share"), nw.col("area_id").alias("entity"), no_point().alias("point_id"))
    value = nw.col("_share")
    rows = judged(history, rows, "E-06", ("regular_operation", value))
    return index_rows(
        placed(history, rows),
        E_06,
        value=value,
        level=nw.col("level"),
        unit=nw.lit("%"),
        inputs={
            "output_t": number(nw.col("output"), 0),
            "intelligent_t": number(nw.col("output_intelligent"), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("近 30 d 常态化运行率 "), number(value, 1), nw.lit(" %")),
        finding_en=nw.concat_str(number(value, 1), nw.lit(" % of 30 days' output in intelligent mode")),
    )
