"""Toxic gas and oxygen: the law's caps (T-01), mixtures (T-03) and oxygen (T-04)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import pyarrow as pa

from minefusion.pipelines.hazard.gas_analyses import described
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged, listed_level, steps
from minefusion.pipelines.hazard.minutes import minute_grid, placed_points, window_minutes
from minefusion.pipelines.hazard.rows import (
    NORMAL,
    ORANGE,
    RED,
    YELLOW,
    Index,
    index_rows,
    named,
    number,
    quoted,
    rising_level,
)
from minefusion.pipelines.rounding import rounded
from minefusion.schemas.levels import listed_step
from minefusion.schemas.limits import Limit, limits_for

# ── T-01 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
CAPPED = ("co", "no2", "so2", "h2s", "nh3", "co2")
# Steps ahead of the cap, as shares of it: our own choice, advisory.
OF_CAP = "share_of_cap"
HALF_OF_CAP, NEAR_CAP = (listed_step("T-01", level, OF_CAP) for level in ("yellow", "orange"))
T_01 = Index(
    id="T-01",
    name_zh="有害气体最高允许浓度",
    name_en="caps of toxic gases",
    unit="ppm",
    minutes=1,
    source="Coal Mine Safety Regulation: highest allowed concentrations",
    confidence="confirmed",
    doc=(
        "Per point and minute: CO, NO2, SO2, H2S and NH3 anywhere, CO2 by place, oxygen in the intake of a face. "
        "Red at the cap, orange from 0.8 and yellow from 0.5 of it (advisory); oxygen has no such steps. A level "
        "needs two of the last three good samples."
    ),
    formula=r"C \ge L, \quad O_2 < L_{O_2}",
    reads=(
        "CO, NO2, SO2, H2S, NH3 [ppm]",
        "CO2, O2 [%]",
    ),
    scenario="toxic_gas",
    edges=(
        "a level needs two of the last three good samples",
        "CO2 has its cap by place, oxygen in the intake of a face alone",
        "the mine's own cap counts where it is stricter",
    ),
)
_NAMES_ZH = {
    "co": "一氧化碳",
    "no2": "二氧化氮",
    "so2": "二氧化硫",
    "h2s": "硫化氢",
    "nh3": "氨气",
    "co2": "二氧化碳",
    "o2": "氧气",
}
_NAMES_EN = {"co": "CO", "no2": "NO2", "so2": "SO2", "h2s": "H2S", "nh3": "NH3", "co2": "CO2", "o2": "oxygen"}


def cap_level(
    value: nw.Expr, cap: nw.Expr, half: nw.Expr | float = HALF_OF_CAP, near: nw.Expr | float = NEAR_CAP
) -> nw.Expr:
    """Red at the cap, yellow and orange from the shares `half` and `near` of it; null where there is no cap."""
    level = rising_level(value, yellow=rounded(half * cap), orange=rounded(near * cap), red=cap)
    return nw.when(~cap.is_null()).then(level)


def _law() -> list[dict[str, Any]]:
    """The caps by gas and kind of place; '' is any place underground."""
    found: list[tuple[str, Limit]] = []
    for gas in (*CAPPED, "o2"):
        for place in ("ANY_UG", "FACE_INTAKE", "FACE_RETURN", "TOTAL_RETURN"):
            found += [("" if place == "ANY_UG" else place, row) for row in limits_for(place, gas)[:1]]
    return [
        {
            "quantity": row.quantity,
            "_place": place,
            "law_alarm": row.alarm,
            "law_rule": row.rule_id,
            "law_source": row.source,
            "law_confidence": row.confidence,
        }
        for place, row in found
    ]


_LAW = pa.schema(
    [("quantity", pa.string()), ("_place", pa.string()), ("law_alarm", pa.float64())]
    + [(name, pa.string()) for name in ("law_rule", "law_source", "law_confidence")]
)


def _capped_points(inputs: Inputs) -> nw.LazyFrame:
    """Points of capped gases, and of oxygen in face intakes, with the cap that holds: the stricter of law and mine."""
    points = with_face_intake(inputs, placed_points(inputs, (*CAPPED, "o2")))
    points = points.filter((nw.col("quantity") != "o2") | nw.col("is_face_intake"))
    kind = nw.col("area_kind")
    returns = (
        nw.when(kind.is_in(["return_airway", "district_return"])).then(nw.lit("FACE_RETURN")).otherwise(nw.lit(""))
    )
    by_kind = nw.when(kind == "total_return").then(nw.lit("TOTAL_RETURN")).otherwise(returns)
    place = nw.when(nw.col("is_face_intake")).then(nw.lit("FACE_INTAKE")).otherwise(by_kind)
    placed = nw.col("quantity").is_in(["co2", "o2"])
    points = points.with_columns(nw.when(placed).then(place).otherwise(nw.lit("")).alias("_place"))
    points = points.join(inputs.frame(_law(), _LAW), on=["quantity", "_place"], how="left")
    is_oxygen = nw.col("quantity") == "o2"
    own = nw.when(is_oxygen).then(nw.col("low_alarm")).otherwise(nw.col("alarm"))
    own = nw.when(own > 0).then(own)
    strictest = (
        nw.when(is_oxygen)
        .then(nw.max_horizontal(own, nw.col("law_alarm")))
        .otherwise(nw.min_horizontal(own, nw.col("law_alarm")))
    )
    points = points.with_columns(strictest.alias("_cap"))
    by_law = (nw.col("_cap") == nw.col("law_alarm")).fill_null(False)
    return points.select(
        "mine_code", "point_id", "unit", "place_zh", "place_en", "_cap", "law_alarm",
        nw.when(by_law).then(nw.col("law_rule")).otherwise(nw.lit("mine")).alias("_rule"),
        nw.when(by_law).then(nw.col("law_source")).otherwise(nw.lit("CDDY")).alias("_source"),
        nw.when(by_law).then(nw.col("law_confidence")).otherwise(nw.lit("mine")).alias("_confidence"),
    )  # fmt: skip


def with_face_intake(inputs: Inputs, points: nw.LazyFrame) -> nw.LazyFrame:
    """Add `is_face_intake`: the point hangs in the intake of a working area."""
    edges = inputs.air_paths.select(
        "mine_code", nw.col("intake_edge").alias("edge_id"), nw.lit(True).alias("is_face_intake")
    ).unique()
    return points.join(edges, on=["mine_code", "edge_id"], how="left").with_columns(
        nw.col("is_face_intake").fill_null(False)
    )


def t01(inputs: Inputs) -> nw.LazyFrame:
    """Concentration against its cap, by point and minute."""
    points = _capped_points(inputs)
    rows = window_minutes(inputs, *CAPPED, "o2").join(points, on=["mine_code", "point_id"], how="inner")
    is_oxygen = nw.col("quantity") == "o2"
    rows = rows.with_columns(
        nw.when(is_oxygen).then(nw.col("value_min")).otherwise(nw.col("value_max")).alias("_value"),
        nw.when(is_oxygen).then(nw.col("low")).otherwise(nw.col("high")).alias("_judged"),
        nw.col("point_id").alias("entity"),
    )
    value, judged, cap, law = nw.col("_value"), nw.col("_judged"), nw.col("_cap"), nw.col("law_alarm")
    short = nw.when(judged < cap).then(nw.lit(RED)).otherwise(nw.lit(NORMAL))
    oxygen = nw.when(~judged.is_null() & ~cap.is_null()).then(short)
    rows = steps(inputs, rows, T_01.id, OF_CAP)
    of_cap = cap_level(judged, cap, nw.col("yellow"), nw.col("orange"))
    rows = rows.with_columns(nw.when(is_oxygen).then(oxygen).otherwise(of_cap).alias("_level"))
    level = nw.col("_level")
    between = (level >= YELLOW) & (level <= ORANGE)
    return index_rows(
        rows,
        T_01,
        value=value,
        level=level,
        coverage=nw.col("coverage"),
        reason=nw.when(cap.is_null() & ~value.is_null()).then(nw.lit("NO_LIMIT")),
        legal=nw.when(is_oxygen).then(judged < law).otherwise(judged >= law),
        unit=nw.col("unit"),
        inputs={
            "gas": quoted(nw.col("quantity")),
            "mean": number(nw.col("mean"), 3),
            "samples": number(nw.col("samples"), 0),
            "cap": number(cap, 2),
            "law_cap": number(law, 2),
            "rule": quoted(nw.col("_rule")),
        },
        limit_source=nw.when(between).then(nw.col("limit_source")).otherwise(nw.col("_source")),
        limit_confidence=nw.when(between).then(nw.col("limit_confidence")).otherwise(nw.col("_confidence")),
        finding_zh=_finding(_NAMES_ZH, "，限值 "),
        finding_en=_finding(_NAMES_EN, ", cap "),
        stands_from=YELLOW,
    )


def _finding(names: dict[str, str], against: str) -> nw.Expr:
    name = named(nw.col("quantity"), {gas: f"{word} " for gas, word in names.items()})
    value, cap = number(nw.col("_value"), 2), number(nw.col("_cap"), 2)
    unit = nw.concat_str(nw.lit(" "), nw.col("unit"))
    return nw.concat_str(name, value, unit, nw.lit(against), cap, unit)


# ── T-04 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
T_04 = Index(
    id="T-04",
    name_zh="氧气",
    name_en="oxygen",
    unit="%",
    minutes=1,
    source="Coal Mine Safety Regulation for 20 % in face intakes; the lower steps are common practice, recalled",
    confidence="inferred",
    doc=(
        "Lowest oxygen of a point in a minute: under 20 % yellow, under 19.5 % orange, under 18 % red: leave. The"
        " law's limit holds in the intake of a face. A level needs two of the last three good samples. Galvanic "
        "cells read partial pressure and drift about 1 % a month; no barometer corrects them here."
    ),
    formula=r"O_2 < 20,\ 19.5,\ 18\ \%",
    reads=("O2 [%]",),
    scenario="oxygen_low",
    edges=(
        "a level needs two of the last three good samples",
        "cells read partial pressure and drift about 1 % a month: no barometer corrects them",
    ),
)


def oxygen_level(o2_pct: nw.Expr) -> nw.Expr:
    return listed_level(o2_pct, "T-04")


def t04(inputs: Inputs) -> nw.LazyFrame:
    """Oxygen by point and minute."""
    law = limits_for("FACE_INTAKE", "o2")[0]
    points = with_face_intake(inputs, placed_points(inputs, ["o2"])).select(
        "mine_code", "point_id", "is_face_intake", "place_zh", "place_en"
    )
    rows = window_minutes(inputs, "o2").join(points, on=["mine_code", "point_id"], how="left")
    rows = judged(inputs, rows.with_columns(nw.col("point_id").alias("entity")), T_04.id, ("", nw.col("low")))
    return index_rows(
        rows,
        T_04,
        value=nw.col("value_min"),
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        legal=nw.col("is_face_intake") & (nw.col("low") < law.alarm),
        inputs={
            "mean_pct": number(nw.col("mean"), 3),
            "samples": number(nw.col("samples"), 0),
            "face_intake": nw.when(nw.col("is_face_intake")).then(nw.lit("true")).otherwise(nw.lit("false")),
        },
        finding_zh=nw.concat_str(nw.lit("氧气 "), number(nw.col("value_min")), nw.lit(" %")),
        finding_en=nw.concat_str(nw.lit("oxygen "), number(nw.col("value_min")), nw.lit(" %")),
        stands_from=YELLOW,
    )


# ── T-03 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Gases that harm the same organ add up.
ORGANS = {"irritant": ("no2", "so2", "nh3", "h2s"), "asphyxiant": ("co", "h2s")}
AGENTS = ("co", "no2", "so2", "nh3", "h2s")
# One gas alone is T-01's.
LEAST_AGENTS = 2
T_03 = Index(
    id="T-03",
    name_zh="混合接触指数",
    name_en="additive mixture index",
    unit="1",
    minutes=1,
    source="ACGIH mixture rule, caps of the Coal Mine Safety Regulation; recalled, not read again",
    confidence="inferred",
    doc=(
        "Toxic gases of an area that harm the same organ, each as a share of its cap, added up; the worse of irritants "
        "(NO2, SO2, NH3, H2S) and asphyxiants (CO, H2S) counts: yellow from 0.5, orange from 0.7, red over 1. The sum "
        "over all gases is told beside it. For areas with sensors of at least two of the gases."
    ),
    formula=r"AI = \max_{organ} \sum_{i \in organ} \frac{C_i}{L_i}",
    reads=("CO, NO2, SO2, NH3, H2S [ppm]",),
    scenario="toxic_gas",
    edges=(
        "highest mean of an area's points in the minute, gas by gas",
        "a gas whose sensor is silent counts as none, and coverage tells",
    ),
)


def mixture_index(shares: Mapping[str, nw.Expr]) -> dict[str, nw.Expr]:
    """Sum of C/L by organ, and `total` over all agents.

    Args:
        shares: agent → C/L, null where it is not measured.
    """
    known = {agent: share.fill_null(0.0) for agent, share in shares.items()}

    def added(agents: Sequence[str]) -> nw.Expr:
        total = nw.lit(0.0)
        for agent in agents:
            total = total + known[agent]
        return total

    return {**{organ: added(agents) for organ, agents in ORGANS.items()}, "total": added(AGENTS)}


def t03(inputs: Inputs) -> nw.LazyFrame:
    """Mixture of toxic gases by area and minute."""
    area = ["mine_code", "area_id"]
    kinds = (
        inputs.points.filter(nw.col("quantity").is_in(list(AGENTS)))
        .group_by(*area)
        .agg(nw.col("quantity").n_unique().alias("_kinds"))
    )
    equipped = described(inputs, kinds.filter(nw.col("_kinds") >= LEAST_AGENTS))
    quantity, mean = nw.col("quantity"), nw.col("mean")
    minutes = (
        window_minutes(inputs, *AGENTS)
        .group_by(*area, "minute_no")
        .agg(
            *(nw.when(quantity == agent).then(mean).max().alias(agent) for agent in AGENTS),
            (~mean.is_null()).cast(nw.Int64).max().alias("_known"),
        )
    )
    speaking = window_minutes(inputs, *AGENTS).filter(nw.col("coverage") > 0)
    speaking = speaking.group_by(*area, "minute_no").agg(quantity.n_unique().alias("_speaking"))
    rows = equipped.join(minute_grid(inputs), how="cross").join(minutes, on=[*area, "minute_no"], how="left")
    rows = rows.join(speaking, on=[*area, "minute_no"], how="left").with_columns(
        nw.col("area_id").alias("entity"), nw.lit(None, dtype=nw.String).alias("point_id")
    )
    sums = mixture_index({agent: nw.col(agent) / limits_for("ANY_UG", agent)[0].alarm for agent in AGENTS})
    any_known = nw.col("_known") == 1
    rows = rows.with_columns(*(nw.when(any_known).then(rounded(each)).alias(f"_{name}") for name, each in sums.items()))
    rows = rows.with_columns(nw.max_horizontal(*(f"_{organ}" for organ in ORGANS)).alias("_worst"))
    worst = nw.col("_worst")
    rows = judged(inputs, rows, T_03.id, ("", worst), ("over", worst))
    irritants = nw.col("_irritant") >= nw.col("_asphyxiant")
    return index_rows(
        rows,
        T_03,
        value=worst,
        level=nw.col("level"),
        coverage=nw.col("_speaking").fill_null(0) / nw.col("_kinds"),
        reason=nw.lit("NO_DATA"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            **{f"{agent}_ppm": number(nw.col(agent), 2) for agent in AGENTS},
            **{name: number(nw.col(f"_{name}"), 3) for name in sums},
        },
        finding_zh=nw.concat_str(
            nw.when(irritants).then(nw.lit("刺激性气体")).otherwise(nw.lit("窒息性气体")), nw.lit("混合指数 "),
            number(worst),
        ),
        finding_en=nw.concat_str(
            nw.when(irritants).then(nw.lit("irritant")).otherwise(nw.lit("asphyxiant")), nw.lit(" gases add up to "),
            number(worst),
        ),
        stands_from=YELLOW,
    )  # fmt: skip
