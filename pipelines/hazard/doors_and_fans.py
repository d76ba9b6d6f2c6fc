"""Doors, direction of air and fans (V-08): states that must not last."""

from __future__ import annotations

import narwhals as nw

from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged, listed_level, steps
from minefusion.pipelines.hazard.minutes import QUANTITIES, placed_points, window_minutes
from minefusion.pipelines.hazard.rows import NORMAL, ORANGE, RED, Index, index_rows, number, quoted
from minefusion.pipelines.hazard.states import lasting_states
from minefusion.schemas.levels import NAMES, listed_step

# Slower than this a point cannot tell which way the air goes.
STILL_AIR_M_S = 0.1
# Methane [%] that forbids to start a stopped fan again; recalled.
NO_RESTART_PCT = listed_step("V-08", "red", "restart")
# Switches that tell whether a heading gets air; 0 means no.
AIR_GIVERS = ("duct_state", "aux_fan")
V_08 = Index(
    id="V-08",
    name_zh="风门与风流状态",
    name_en="doors, direction of air and fans",
    unit="s",
    minutes=1,
    source="catalogue of hazard indices; steps recalled, not read again",
    confidence="inferred",
    doc=(
        "Seconds that a wrong state has lasted, at most 30 min. Both doors of a pair open: orange over 10 s, red "
        "over 60 s. Air that runs backwards at a point (negative velocity): red over 60 s. A heading whose duct, "
        "or where it has no duct sensor each of its fans, gives no air: orange at once, red where methane in the "
        "heading reaches 1.5 %: the fan may not simply be started; over 3 % a written degassing plan is needed."
    ),
    formula=r"t_{state} = t - \max\{t_0 : \text{state did not hold at } t_0\}",
    reads=(
        "door switches",
        "air velocity [m/s]",
        "fans and ducts",
        "CH4 in the heading [%]",
    ),
    scenario="doors_open",
    edges=(
        "a state holds for three nominal periods at most",
        "slower than 0.1 m/s the way of the air is not known",
        "a spare fan that stands beside a duct with air is no fault",
    ),
)


def doors_level(open_s: nw.Expr) -> nw.Expr:
    return listed_level(open_s, "V-08", "doors")


def reversal_level(reversed_s: nw.Expr) -> nw.Expr:
    return listed_level(reversed_s, "V-08", "reversal")


def stopped_fan_level(
    stopped_s: nw.Expr, ch4_pct: nw.Expr, no_restart_pct: nw.Expr | float = NO_RESTART_PCT
) -> nw.Expr:
    """Orange as soon as a heading has no air, red with gas in it that forbids to start again."""
    gassy = (ch4_pct >= no_restart_pct).fill_null(False)
    stopped = nw.when(gassy).then(nw.lit(RED)).otherwise(nw.lit(ORANGE))
    return nw.when(~stopped_s.is_null()).then(nw.when(stopped_s > 0).then(stopped).otherwise(nw.lit(NORMAL)))


def v08(inputs: Inputs) -> nw.LazyFrame:
    """Doors, direction and fans, by minute: entity is a pair of doors, a velocity point or a heading's area."""
    readings = inputs.readings.filter(nw.col("usable"), ~nw.col("value").is_null())
    quantity, value = nw.col("quantity"), nw.col("value")
    is_watched = {
        "doors": (~quantity.is_in(list(QUANTITIES)), value == 1),
        "reversal": (quantity == "air_velocity", value < -STILL_AIR_M_S),
        "fan": (quantity.is_in(list(AIR_GIVERS)), value == 0),
    }
    members = {"doors": _doors(inputs), "reversal": _velocity_points(inputs), "fan": _air_givers(inputs)}
    watched = nw.concat([_of_kind(kind, rows, "entity", "period_s") for kind, rows in members.items()], how="vertical")
    samples = [
        _of_kind(kind, readings.filter(which).with_columns(holds.cast(nw.Int64).alias("holds")), "observed_us", "holds")
        for kind, (which, holds) in is_watched.items()
    ]
    lasting = inputs.cached(lasting_states(inputs, watched, nw.concat(samples, how="vertical")))
    # What is not known at all in a minute has lasted for no one knows how long.
    lasting = lasting.with_columns(nw.when(nw.col("coverage") > 0).then(nw.col("lasted_s")).alias("lasted_s"))
    results = (
        _door_rows(inputs, lasting.filter(nw.col("kind") == "doors")),
        _reversal_rows(inputs, lasting.filter(nw.col("kind") == "reversal")),
        _fan_rows(inputs, lasting.filter(nw.col("kind") == "fan")),
    )
    return nw.concat(results, how="vertical")


def _of_kind(kind: str, rows: nw.LazyFrame, *more: str) -> nw.LazyFrame:
    return rows.select("mine_code", nw.lit(kind).alias("kind"), "point_id", *more)


# ── who belongs to what ──


def _doors(inputs: Inputs) -> nw.LazyFrame:
    """Both doors of each pair; a door that no point is has no period, and its pair is not known."""
    sides = [
        inputs.door_pairs.select("mine_code", nw.col("pair_id").alias("entity"), nw.col(side).alias("point_id"))
        for side in ("point_a", "point_b")
    ]
    periods = inputs.points.select("mine_code", "point_id", "period_s")
    return nw.concat(sides, how="vertical").join(periods, on=["mine_code", "point_id"], how="left")


def _velocity_points(inputs: Inputs) -> nw.LazyFrame:
    return inputs.points.filter(nw.col("quantity") == "air_velocity").with_columns(nw.col("point_id").alias("entity"))


def _air_givers(inputs: Inputs) -> nw.LazyFrame:
    """Duct sensors of each heading, or its fans where it has none: a standing spare fan is no fault."""
    headings = inputs.areas.filter(nw.col("kind") == "heading").select("mine_code", "area_id")
    points = inputs.points.filter(nw.col("quantity").is_in(list(AIR_GIVERS)))
    points = points.join(headings, on=["mine_code", "area_id"], how="inner")
    ducts = points.filter(nw.col("quantity") == "duct_state")
    with_duct = ducts.select("mine_code", "area_id", nw.lit(True).alias("_has_duct")).unique()
    points = points.join(with_duct, on=["mine_code", "area_id"], how="left")
    points = points.filter((nw.col("quantity") == "duct_state") | nw.col("_has_duct").is_null())
    return points.with_columns(nw.col("area_id").alias("entity"))


# ── what is said about it ──


def _door_rows(inputs: Inputs, lasting: nw.LazyFrame) -> nw.LazyFrame:
    pairs = inputs.door_pairs.select("mine_code", nw.col("pair_id").alias("entity"), "area_id", "point_a", "point_b")
    names = inputs.areas.select("mine_code", "area_id", "name_zh", "name_en")
    rows = lasting.join(pairs, on=["mine_code", "entity"], how="left")
    rows = rows.join(names, on=["mine_code", "area_id"], how="left").with_columns(
        nw.lit(None, dtype=nw.String).alias("point_id"),
        nw.concat_str(nw.coalesce("name_zh", "area_id"), nw.lit("风门 "), nw.col("entity")).alias("place_zh"),
        nw.concat_str(nw.coalesce("name_en", "area_id"), nw.lit(", doors "), nw.col("entity")).alias("place_en"),
    )
    lasted = nw.col("lasted_s")
    return index_rows(
        judged(inputs, rows, V_08.id, ("doors", lasted)),
        V_08,
        value=lasted,
        level=nw.col("level"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        coverage=nw.col("coverage"),
        inputs={
            "doors": quoted(nw.concat_str(nw.col("point_a"), nw.lit(","), nw.col("point_b"))),
            "both_open_s": number(lasted, 0),
        },
        finding_zh=_lasting("两道风门同时打开 ", "两道风门未同时打开"),
        finding_en=_lasting("both doors open for ", "not both doors open"),
        stands_from=ORANGE,
    )


def _reversal_rows(inputs: Inputs, lasting: nw.LazyFrame) -> nw.LazyFrame:
    facts = placed_points(inputs, ["air_velocity"]).select(
        "mine_code", "point_id", nw.col("point_id").alias("entity"), "area_id", "place_zh", "place_en"
    )
    lasted = nw.col("lasted_s")
    rows = lasting.join(facts, on=["mine_code", "entity"], how="left")
    return index_rows(
        judged(inputs, rows, V_08.id, ("reversal", lasted)),
        V_08,
        value=lasted,
        level=nw.col("level"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        coverage=nw.col("coverage"),
        inputs={"reversed_s": number(lasted, 0)},
        finding_zh=_lasting("风流反向 ", "风流方向正常"),
        finding_en=_lasting("air reversed for ", "air flows the right way"),
        stands_from=ORANGE,
    )


def _fan_rows(inputs: Inputs, lasting: nw.LazyFrame) -> nw.LazyFrame:
    names = inputs.areas.select("mine_code", "area_id", "name_zh", "name_en")
    area_minute = ["mine_code", "area_id", "minute_no"]
    gas = window_minutes(inputs, "ch4").group_by(*area_minute).agg(nw.col("high").max().alias("_ch4"))
    rows = lasting.with_columns(nw.col("entity").alias("area_id")).join(gas, on=area_minute, how="left")
    rows = rows.join(names, on=["mine_code", "area_id"], how="left").with_columns(
        nw.lit(None, dtype=nw.String).alias("point_id"),
        nw.coalesce("name_zh", "area_id").alias("place_zh"),
        nw.coalesce("name_en", "area_id").alias("place_en"),
        nw.when(nw.col("_ch4").is_finite()).then(nw.col("_ch4")).alias("_ch4"),
    )
    lasted, ch4 = nw.col("lasted_s"), nw.col("_ch4")
    rows = steps(inputs, rows, V_08.id, "degassing_plan").with_columns(nw.col("red").alias("_plan"))
    rows = steps(inputs, rows.drop(*NAMES, "limit_source", "limit_confidence"), V_08.id, "restart")
    return index_rows(
        rows,
        V_08,
        value=lasted,
        level=stopped_fan_level(lasted, ch4, nw.col("red")),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        coverage=nw.col("coverage"),
        inputs={"stopped_s": number(lasted, 0), "ch4_pct": number(ch4, 3)},
        finding_zh=nw.concat_str(
            _lasting("局部通风停风 ", "局部通风正常"),
            _gas_at_stop("，甲烷 ", " %，不得直接启动", " %，须编制排放瓦斯措施"),
        ),
        finding_en=nw.concat_str(
            _lasting("no air from the fan for ", "the fan gives air"),
            _gas_at_stop(", methane ", " %: do not restart", " %: a degassing plan is needed"),
        ),
        stands_from=ORANGE,
    )


def _lasting(before: str, otherwise: str) -> nw.Expr:
    """The words before and the seconds that the state has lasted; `otherwise` where it does not hold."""
    lasted = nw.col("lasted_s")
    told = nw.concat_str(nw.lit(before), number(lasted, 0), nw.lit(" s"))
    return nw.when((lasted > 0).fill_null(False)).then(told).otherwise(nw.lit(otherwise))


def _gas_at_stop(before: str, no_restart: str, plan: str) -> nw.Expr:
    """What the gas at a fan that stands asks for; nothing while it runs."""
    stopped, ch4 = nw.col("lasted_s") > 0, nw.col("_ch4")
    asked = nw.when((ch4 > nw.col("_plan")).fill_null(False)).then(nw.lit(plan)).otherwise(nw.lit(no_restart))
    told = nw.concat_str(nw.lit(before), number(ch4), asked)
    return nw.when((stopped & (ch4 >= nw.col("red"))).fill_null(False)).then(told).otherwise(nw.lit(""))
