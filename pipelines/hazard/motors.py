"""Motors and conveyors, five minutes by five minutes: temperatures (E-03), current (E-04) and belt slip (E-05)."""

from __future__ import annotations

import narwhals as nw

from minefusion.pipelines.hazard.equipment import (
    MACHINE,
    SLOT_MIN,
    SLOT_US,
    by_slot,
    fast_values,
    held,
    machine_facts,
    unbalance_pct,
)
from minefusion.pipelines.hazard.hours import no_point, placed
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.minutes import minute_grid
from minefusion.pipelines.hazard.rows import NORMAL, Index, index_rows, number, quoted

_THING = [*MACHINE, "point_id"]


def slot_grid(inputs: Inputs) -> nw.LazyFrame:
    """Every five minutes of the window: window_start and slot."""
    grid = minute_grid(inputs, step=SLOT_MIN)
    return grid.select("window_start", (nw.col("minute_no") // SLOT_MIN).cast(nw.Int64).alias("slot"))


# ── E-03 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
BEARING, WINDING = "bearing_temperature", "motor_temperature"
# A rate of warming is taken over so many slots.
RATE_SLOTS = 2
E_03 = Index(
    id="E-03",
    name_zh="轴承与绕组温度",
    name_en="bearing and winding temperature",
    unit="℃",
    minutes=SLOT_MIN,
    source="Coal Mine Safety Regulation, recalled; own start values of difference and rate",
    confidence="inferred",
    doc=(
        "Temperature of a bearing: over 65 ℃ (sliding) or 75 ℃ (rolling) red, from 10 K under it yellow; a bearing "
        "whose kind is not known counts as sliding. Of any bearing or winding: yellow over 15 K above both the air and "
        "its coolest twin on the same machine, orange where it warms by more than 1 K a minute."
    ),
    formula=r"T>T_{lim},\quad \min(T-T_{air},\,T-T_{twin})>15\ \mathrm{K},\quad \dot T>1\ \mathrm{K/min}",
    reads=(
        "bearing temperature [℃]",
        "motor temperature [℃]",
        "air temperature in the area [℃]",
        "kind of bearing (site file)",
    ),
    edges=(
        "no twin on the machine: no difference; no air temperature: the twin alone",
        "kind of bearing not known: the stricter, sliding",
        "windings have no limit of their own here: the site file may set one",
        "a value holds for 15 minutes, then the point is silent: null",
    ),
    scenario="bearing_fault",
)


def warmer_than_twin_k(temperature_c: nw.Expr, air_c: nw.Expr, twin_c: nw.Expr) -> nw.Expr:
    """The smaller of the differences to the air and to the twin bearing [K]; null without a twin."""
    over_air = temperature_c - air_c
    over_twin = temperature_c - twin_c
    return nw.when(~twin_c.is_null()).then(nw.min_horizontal(over_twin, over_air.fill_null(1e6)))


def e03(inputs: Inputs) -> nw.LazyFrame:
    """Temperature by point and five minutes."""
    slots = inputs.cached(held(by_slot(fast_values(inputs, (BEARING, WINDING)))))
    temperatures = slots.filter(nw.col("quantity").is_in([BEARING, WINDING]))
    points = temperatures.select(*_THING, "quantity").unique()
    # Ranks instead of repeated joins: the two coolest points of a machine tell everybody's twin.
    same = [*MACHINE, "quantity", "slot"]
    counted = nw.col("_one").cum_sum().over(*same, order_by=["value", "point_id"])
    ranked = temperatures.with_columns(nw.lit(1).alias("_one")).with_columns(counted.alias("_n"))
    coolest, second = (
        ranked.filter(nw.col("_n") == place).select(
            *same, nw.col("value").alias(f"_cool{place}"), nw.col("point_id").alias(f"_who{place}")
        )
        for place in (1, 2)
    )
    air = inputs.readings.filter(nw.col("usable"), nw.col("quantity") == "temperature", ~nw.col("value").is_null())
    air = air.with_columns((nw.col("observed_us") // SLOT_US).cast(nw.Int64).alias("slot"))
    air = air.group_by("mine_code", "area_id", "slot").agg(nw.col("value").median().alias("_air"))
    measured = nw.col("slot") - nw.col("age")
    now = temperatures.select(*_THING, "slot", nw.col("value").alias("_now"), measured.alias("_at"))
    ago = temperatures.select(
        *_THING, (nw.col("slot") + RATE_SLOTS).alias("slot"), nw.col("value").alias("_ago"), measured.alias("_at_ago")
    )
    rows = points.join(slot_grid(inputs), how="cross")
    for more in (now, ago):
        rows = rows.join(more, on=[*_THING, "slot"], how="left")
    rows = rows.join(coolest, on=same, how="left").join(second, on=same, how="left")
    rows = rows.join(air, on=["mine_code", "area_id", "slot"], how="left")
    rows = rows.join(machine_facts(inputs), on=["mine_code", "machine"], how="left")
    twin = nw.when(nw.col("_who1") == nw.col("point_id")).then(nw.col("_cool2")).otherwise(nw.col("_cool1"))
    temperature, apart = nw.col("_now"), nw.col("_at") - nw.col("_at_ago")
    rows = rows.with_columns(
        twin.alias("_twin"),
        # A value that is only held has warmed since when it was measured.
        nw.when(apart > 0).then((temperature - nw.col("_ago")) / (apart * SLOT_MIN)).alias("_rate"),
        nw.coalesce("bearing", nw.lit("sliding")).alias("_kind"),
        nw.col("point_id").alias("entity"),
    )
    rows = rows.with_columns(warmer_than_twin_k(temperature, nw.col("_air"), nw.col("_twin")).alias("_warmer"))
    is_bearing = nw.col("quantity") == BEARING
    scope = nw.when(is_bearing).then(nw.col("_kind")).otherwise(nw.lit("winding"))
    rows = judged(
        inputs, rows, "E-03",
        (scope, temperature), ("difference", nw.col("_warmer")), ("rate", nw.col("_rate")),
    )  # fmt: skip
    rows = rows.with_columns(nw.when(~temperature.is_null()).then(nw.col("level").fill_null(NORMAL)).alias("level"))
    rate = nw.col("_rate")
    return index_rows(
        placed(inputs, rows),
        E_03,
        value=temperature,
        level=nw.col("level"),
        inputs={
            "machine": quoted(nw.col("machine")),
            "kind": quoted(scope),
            "air_c": number(nw.col("_air"), 1),
            "coolest_twin_c": number(nw.col("_twin"), 1),
            "rate_k_min": number(rate, 3),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(
            nw.lit("温度 "), number(temperature, 1), nw.lit(" ℃"),
            nw.concat_str(nw.lit("，变化 "), number(rate), nw.lit(" K/min")).fill_null(""),
        ),
        finding_en=nw.concat_str(
            number(temperature, 1), nw.lit(" ℃"),
            nw.concat_str(nw.lit(", changes by "), number(rate), nw.lit(" K/min")).fill_null(""),
        ),
    )  # fmt: skip


# ── E-04 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Under this share of the rated current [A where none is known] a motor stands.
STANDS_SHARE, STANDS_A = 0.05, 1.0
# Heat of a motor is the mean square of its load over so many slots.
HEAT_SLOTS = 12
PHASES = 3
E_04 = Index(
    id="E-04",
    name_zh="电机电流",
    name_en="motor current",
    unit="%",
    minutes=SLOT_MIN,
    source="unbalance of phases, recalled; own start values of load and heat",
    confidence="inferred",
    doc=(
        "How far the most distant phase lies from the mean of the three: over 5 % yellow, over 10 % orange. Beside it "
        "the load over the rated current and the heat it leaves, the mean square of an hour's load: both blue from 1, "
        "yellow from 1.1, orange from 1.25; and how the lowest running current stands to the idle one."
    ),
    formula=r"u=100\,\frac{\max_k|I_k-\bar I|}{\bar I},\quad \lambda=\frac{\bar I}{I_n},\quad"
    r" \theta=\frac1T\int\left(\frac I{I_n}\right)^2dt",
    reads=("current by phase [A]", "rated and idle current (site file) [A]"),
    edges=(
        "a motor that stands (under 5 % of the rated current): no value, level 0",
        "start-up is left out for ten minutes",
        "fewer than three phases: no unbalance, the load alone",
        "no rated current in the site file: the unbalance alone",
    ),
    scenario="bearing_fault",
)


def e04(inputs: Inputs) -> nw.LazyFrame:
    """Unbalance and load by machine and five minutes."""
    slots = inputs.cached(held(by_slot(fast_values(inputs, ("current",)))))
    currents = slots.filter(nw.col("quantity") == "current")
    machines = currents.select(*MACHINE).unique()
    together = currents.group_by(*MACHINE, "slot").agg(
        nw.col("value").mean().alias("_mean"),
        nw.col("value").max().alias("_high"),
        nw.col("value").min().alias("_low"),
        nw.len().cast(nw.Int64).alias("_phases"),
    )
    together = together.join(machine_facts(inputs), on=["mine_code", "machine"], how="left")
    rated, mean = nw.col("rated_current_a"), nw.col("_mean")
    least = nw.coalesce(STANDS_SHARE * rated, nw.lit(STANDS_A))
    flows = mean >= least
    order = {"order_by": "slot"}
    started = flows.cast(nw.Int64).shift(1).over(*MACHINE, **order).fill_null(1) == 0
    load = mean / rated
    together = together.with_columns(
        flows.alias("_flows"), (flows & started).cast(nw.Int64).alias("_start"), load.alias("_load"),
        (load * load).alias("_square"), nw.when(flows).then(mean).alias("_running"),
    )  # fmt: skip
    just = (nw.col("_start") + nw.col("_start").shift(1).over(*MACHINE, **order).fill_null(0)) > 0
    heat = nw.col("_square").rolling_mean(HEAT_SLOTS, min_samples=HEAT_SLOTS // 2).over(*MACHINE, **order)
    lowest = nw.min_horizontal(*(nw.col("_running").shift(n).over(*MACHINE, **order) for n in range(HEAT_SLOTS)))
    together = together.with_columns(just.alias("_just"), heat.alias("_heat"), lowest.alias("_lowest"))
    rows = machines.join(slot_grid(inputs), how="cross").join(
        together.drop("area_id"), on=["mine_code", "machine", "slot"], how="left"
    )
    steady = nw.col("_flows") & ~nw.col("_just")
    unbalance = nw.when(steady & (nw.col("_phases") >= PHASES)).then(
        unbalance_pct(nw.col("_high"), nw.col("_low"), mean)
    )
    rows = rows.with_columns(
        unbalance.alias("_unbalance"), nw.when(steady).then(nw.col("_load")).alias("_steady_load"),
        nw.col("machine").alias("entity"), no_point().alias("point_id"),
    )  # fmt: skip
    value = nw.col("_unbalance")
    rows = judged(
        inputs, rows, "E-04",
        ("", value), ("load", nw.col("_steady_load")), ("heat", nw.col("_heat")),
    )  # fmt: skip
    known = ~nw.col("_mean").is_null()
    stands = known & ~nw.col("_flows").fill_null(False)
    rows = rows.with_columns(nw.when(known).then(nw.col("level").fill_null(NORMAL)).alias("level"))
    reason = nw.when(stands).then(nw.lit("NOT_RUNNING")).otherwise(
        nw.when(nw.col("_phases") < PHASES).then(nw.lit("NO_PHASES")).otherwise(nw.lit("STARTING"))
    )  # fmt: skip
    load_now = nw.col("_load")
    part_zh = nw.concat_str(nw.lit("电流不平衡 "), number(value, 1), nw.lit(" %")).fill_null("电流不平衡未知")
    part_en = nw.concat_str(nw.lit("unbalance "), number(value, 1), nw.lit(" %")).fill_null("unbalance not known")
    return index_rows(
        placed(inputs, rows, "设备", "machine"),
        E_04,
        value=value,
        level=nw.col("level"),
        reason=nw.when(known).then(reason),
        inputs={
            "mean_a": number(nw.col("_mean"), 2),
            "load": number(load_now, 3),
            "heat": number(nw.col("_heat"), 3),
            "phases": number(nw.col("_phases"), 0),
            "lowest_over_idle": number(nw.col("_lowest") / nw.col("idle_current_a"), 2),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(
            part_zh, nw.concat_str(nw.lit("，负荷 "), number(100 * load_now, 0), nw.lit(" %")).fill_null("")
        ),
        finding_en=nw.concat_str(
            part_en, nw.concat_str(nw.lit(", load "), number(100 * load_now, 0), nw.lit(" %")).fill_null("")
        ),
    )


# ── E-05 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# A drum slower than this [m/s] stands or starts.
TURNS_M_S = 0.3
# Up to so many times the idle current a running belt is empty; told over an hour.
EMPTY_TIMES, EMPTY_SLOTS = 1.2, 12
E_05 = Index(
    id="E-05",
    name_zh="带式输送机打滑",
    name_en="belt slip",
    unit="%",
    minutes=SLOT_MIN,
    source="own start values; the trip is that of the belt's own protection",
    confidence="advisory",
    doc=(
        "How much slower the belt runs than its drive drum: over 5 % yellow, over 8 % orange: it slips and heats. "
        "Smoke told by a switch in the belt's area is orange. Beside it the share of an hour that the belt ran empty. "
        "Carbon monoxide and drum temperature are judged by F-10 and E-03."
    ),
    formula=r"s=100\left(1-\frac{v_{belt}}{v_{drum}}\right)",
    reads=(
        "belt speed [m/s]",
        "drum speed [m/s]",
        "current of the drive and its idle current (site file) [A]",
        "smoke switch in the area",
    ),
    edges=(
        "a drum under 0.3 m/s stands: no value, level 0",
        "the first ten minutes after the start are left out",
        "the belt faster than its drum (downhill): slip 0",
        "several switches: any one counts",
    ),
    scenario="conveyor_slip",
)


def slip_pct(belt_m_s: nw.Expr, drum_m_s: nw.Expr) -> nw.Expr:
    """s = 100·(1 − v_belt/v_drum) [%], never under 0; null where the drum stands."""
    slip = 100 * (1 - belt_m_s / drum_m_s)
    return nw.when(drum_m_s >= TURNS_M_S).then(nw.when(slip < 0).then(nw.lit(0.0)).otherwise(slip))


def e05(inputs: Inputs) -> nw.LazyFrame:
    """Slip by conveyor and five minutes."""
    slots = inputs.cached(held(by_slot(fast_values(inputs, ("belt_speed", "drum_speed", "current")))))
    quantity, value = nw.col("quantity"), nw.col("value")
    speeds = slots.group_by(*MACHINE, "slot").agg(
        *(
            nw.when(quantity == name).then(value).mean().alias(f"_{name}")
            for name in ("belt_speed", "drum_speed", "current")
        ),
        nw.when(quantity == "drum_speed").then(nw.col("value_min")).min().alias("_slowest"),
    )
    belts = slots.filter(quantity == "belt_speed").select(*MACHINE).unique()
    belts = belts.join(slots.filter(quantity == "drum_speed").select(*MACHINE).unique(), on=MACHINE, how="inner")
    belts = inputs.cached(belts)
    order = {"order_by": "slot"}
    turns = nw.col("_slowest") >= TURNS_M_S
    stood = (~turns).cast(nw.Int64)
    recent = stood + stood.shift(1).over(*MACHINE, **order).fill_null(0)
    speeds = speeds.join(machine_facts(inputs), on=["mine_code", "machine"], how="left")
    empty = (nw.col("_current") <= EMPTY_TIMES * nw.col("idle_current_a")).cast(nw.Float64)
    speeds = speeds.with_columns(
        (recent > 0).alias("_starts"), nw.when(turns).then(empty).alias("_empty"), turns.alias("_turns")
    )
    hour = nw.col("_empty").rolling_mean(EMPTY_SLOTS, min_samples=1).over(*MACHINE, **order)
    speeds = speeds.with_columns(hour.alias("_empty_share"))
    smoke = inputs.readings.filter(nw.col("usable"), nw.col("quantity") == "smoke", ~nw.col("value").is_null())
    smoke = smoke.with_columns((nw.col("observed_us") // SLOT_US).cast(nw.Int64).alias("slot"))
    smoke = smoke.group_by("mine_code", "area_id", "slot").agg(nw.col("value").max().alias("_smoke"))
    rows = belts.join(slot_grid(inputs), how="cross").join(speeds, on=[*MACHINE, "slot"], how="left")
    rows = rows.join(smoke, on=["mine_code", "area_id", "slot"], how="left")
    slip = nw.when(~nw.col("_starts")).then(slip_pct(nw.col("_belt_speed"), nw.col("_drum_speed")))
    rows = rows.with_columns(slip.alias("_slip"), nw.col("machine").alias("entity"), no_point().alias("point_id"))
    slipping = nw.col("_slip")
    rows = judged(inputs, rows, "E-05", ("", slipping), ("smoke", nw.col("_smoke")))
    known = ~nw.col("_belt_speed").is_null() & ~nw.col("_drum_speed").is_null()
    rows = rows.with_columns(nw.when(known).then(nw.col("level").fill_null(NORMAL)).alias("level"))
    shown_zh = nw.concat_str(nw.lit("打滑 "), number(slipping, 1), nw.lit(" %")).fill_null("未稳定运行")
    shown_en = nw.concat_str(nw.lit("slip "), number(slipping, 1), nw.lit(" %")).fill_null("not running steadily")
    smokes = (nw.col("_smoke") >= 1).fill_null(False)
    return index_rows(
        placed(inputs, rows, "带式输送机", "conveyor"),
        E_05,
        value=slipping,
        level=nw.col("level"),
        reason=nw.when(known).then(nw.when(nw.col("_turns")).then(nw.lit("STARTING")).otherwise(nw.lit("NOT_RUNNING"))),
        inputs={
            "belt_m_s": number(nw.col("_belt_speed"), 3),
            "drum_m_s": number(nw.col("_drum_speed"), 3),
            "smoke": nw.when(smokes).then(nw.lit("true")).otherwise(nw.lit("false")),
            "empty_share": number(nw.col("_empty_share"), 2),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(shown_zh, nw.when(smokes).then(nw.lit("，烟雾报警")).otherwise(nw.lit(""))),
        finding_en=nw.concat_str(shown_en, nw.when(smokes).then(nw.lit(", smoke")).otherwise(nw.lit(""))),
    )
