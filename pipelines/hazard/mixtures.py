"""Explosive mixtures: flammability limits (G-03), the explosion triangle (G-04), the Bureau of Mines' method (G-06).

The formulas take expressions or NumPy arrays alike: the trend towards the triangle (G-05) follows the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.hazard.gas_analyses import sum_known, with_sensors
from minefusion.pipelines.hazard.inputs import Inputs
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.rows import ORANGE, Index, index_rows, named, number, quoted
from minefusion.pipelines.rounding import rounded

Amount = TypeVar("Amount", nw.Expr, NDArray[np.float64])

# ── the limits of each gas ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Combustible:
    """Limits of one gas in air at about 20 ℃ and 1 atm, upward flame, in % (Coward & Jones 1952, Bulletin 503).

    Attributes:
        lower, upper: flammability limits.
        nose: share of the gas at the nose of its triangle.
        inert: N⁺, m³ of inert gas per m³ of gas that takes the mixture to the nose.
    """

    lower: float
    upper: float
    nose: float | None = None
    inert: float | None = None


CH4 = Combustible(5.0, 14.0, nose=5.9, inert=6.07)
CO = Combustible(12.5, 74.2, nose=13.8, inert=4.13)
H2 = Combustible(4.0, 74.2, nose=4.3, inert=16.59)
C2H6 = Combustible(3.0, 12.5)
C2H4 = Combustible(2.7, 36.0)
# Acetylene burns up to 80 to 100 %; the wider range is the safe one.
C2H2 = Combustible(2.5, 100.0)
# Gases in the order in which the functions below take them.
OF_LIMITS = (CH4, CO, H2, C2H6, C2H4, C2H2)
OF_TRIANGLE = (CH4, CO, H2)
NAMES = ("ch4", "co", "h2", "c2h6", "c2h4", "c2h2")

OXYGEN_IN_AIR = 0.2093
# Less combustible gas than this [%] makes no triangle.
LEAST_COMBUSTIBLE_PCT = 0.05
# More oxygen above what air could bring [%] is no analysis.
OXYGEN_TOLERANCE_PCT = 0.3
# What an oxygen sensor may err [%]; a chromatograph errs less.
OXYGEN_ERROR_PCT, SAMPLE_OXYGEN_ERROR_PCT = 0.5, 0.1
# The lower limit falls by this share of itself per kelvin (Burgess–Wheeler).
LOWER_PER_K = 0.00072
LIMITS_HOLD_AT_C = 20.0
# A corner or an edge of the triangle belongs to it, in spite of rounding.
ON_EDGE = 1e-9


def _weighted(amounts: Sequence[Amount], weights: Sequence[float]) -> Amount:
    total = amounts[0] * weights[0]
    for amount, weight in zip(amounts[1:], weights[1:], strict=True):
        total = total + amount * weight
    return total


def total_pct(amounts: Sequence[Amount]) -> Amount:
    """P_T, all combustible gas [%]."""
    return _weighted(amounts, [1.0] * len(amounts))


def share_of_lower_limit(amounts: Sequence[Amount], gases: Sequence[Combustible] = OF_LIMITS) -> Amount:
    """P_T/LEL_mix = Σ yᵢ/LELᵢ: how far the mixture is on its way to the lower limit; 1 at the limit (Le Chatelier)."""
    return _weighted(amounts, [1 / gas.lower for gas in gases])


def lower_limit_pct(amounts: Sequence[Amount], gases: Sequence[Combustible] = OF_LIMITS) -> Amount:
    """LEL_mix = P_T/Σ(yᵢ/LELᵢ) [%]; not a number without combustible gas."""
    return total_pct(amounts) / share_of_lower_limit(amounts, gases)


def upper_limit_pct(amounts: Sequence[Amount], gases: Sequence[Combustible] = OF_LIMITS) -> Amount:
    """UEL_mix = P_T/Σ(yᵢ/UELᵢ) [%]. Poor where most of it is hydrogen."""
    return total_pct(amounts) / _weighted(amounts, [1 / gas.upper for gas in gases])


def lower_limit_falls_to(temperature_c: nw.Expr) -> nw.Expr:
    """Share of its value at 20 ℃ that a lower limit has in warmer gas (Burgess–Wheeler); 1 where it is not known."""
    warmer = nw.max_horizontal(temperature_c - LIMITS_HOLD_AT_C, nw.lit(0.0))
    return (1 - LOWER_PER_K * warmer).fill_null(1.0)


# ── the triangle ────────────────────────────────────────────────────────────────────────────────────────────────────


def nose_pct(amounts: Sequence[Amount]) -> Amount:
    """N, combustible gas at the nose [%]: P_T/Σ(yᵢ/noseᵢ)."""
    return total_pct(amounts) / _weighted(amounts, [1 / (gas.nose or 1.0) for gas in OF_TRIANGLE])


def inert_at_nose_pct(amounts: Sequence[Amount]) -> Amount:
    """N_ex = (N/P_T)·Σ N⁺ᵢ·yᵢ, extra inert gas at the nose [%]."""
    return nose_pct(amounts) / total_pct(amounts) * _weighted(amounts, [gas.inert or 0.0 for gas in OF_TRIANGLE])


def oxygen_at_nose_pct(amounts: Sequence[Amount]) -> Amount:
    """O_N = 0.2093·(100 − N_ex − N), oxygen at the nose [%]."""
    return (100 - inert_at_nose_pct(amounts) - nose_pct(amounts)) * OXYGEN_IN_AIR


def oxygen_beside_pct(combustible_pct: Amount) -> Amount:
    """Oxygen [%] of air with so much combustible gas in it and nothing else: the upper edge of the triangle."""
    return (100 - combustible_pct) * OXYGEN_IN_AIR


def side_of_line(ax: Amount, ay: Amount, bx: Amount, by: Amount, px: Amount, py: Amount) -> Amount:
    """Above 0 where P lies to the left of the line from A to B, under 0 to the right, 0 on it."""
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


NO_COMBUSTIBLE = "no_combustible"
IMPOSSIBLE = "impossible"
NOT_EXPLOSIVE = "not_explosive"
FUEL_LEAN = "fuel_lean"
WHEN_DILUTED = "explosive_when_diluted_with_air"
EXPLOSIVE = "explosive"
# How bad each class is; the index's value.
SEVERITY = {NO_COMBUSTIBLE: 0.0, NOT_EXPLOSIVE: 0.0, FUEL_LEAN: 1.0, WHEN_DILUTED: 3.0, EXPLOSIVE: 4.0}
_ZH = {
    NO_COMBUSTIBLE: "无可燃气体", NOT_EXPLOSIVE: "无爆炸性", FUEL_LEAN: "可燃气体不足，增加后可爆",
    WHEN_DILUTED: "与空气混合后可爆", EXPLOSIVE: "具有爆炸性",
}  # fmt: skip
_EN = {
    NO_COMBUSTIBLE: "no combustible gas", NOT_EXPLOSIVE: "not explosive",
    FUEL_LEAN: "too lean, explosive with more combustible gas", WHEN_DILUTED: "explosive when diluted with air",
    EXPLOSIVE: "explosive",
}  # fmt: skip


def equivalent_methane_pct(ch4: nw.Expr, c2h6: nw.Expr, c2h4: nw.Expr, c2h2: nw.Expr) -> nw.Expr:
    """Methane [%] that is as near to its lower limit as the methane and the C2 gases are together.

    The classic triangle knows methane, carbon monoxide and hydrogen alone.
    """
    return _weighted((ch4, c2h6, c2h4, c2h2), [CH4.lower / gas.lower for gas in (CH4, C2H6, C2H4, C2H2)])


@dataclass(frozen=True)
class Triangle:
    """A mixture and the triangle of its gases, as expressions [%]; the limits are null without combustible gas."""

    total: nw.Expr
    lower: nw.Expr
    upper: nw.Expr
    nose: nw.Expr
    o2_nose: nw.Expr


def with_triangle(frame: nw.LazyFrame, amounts: Sequence[nw.Expr]) -> nw.LazyFrame:
    """Adds the columns of TRIANGLE for a mixture of so much CH4, CO and H2 [%], of which none is null or all are."""
    total = total_pct(amounts)
    some = [nw.when(total > LEAST_COMBUSTIBLE_PCT).then(amount) for amount in amounts]
    return frame.with_columns(
        total.alias("_total"),
        lower_limit_pct(some, OF_TRIANGLE).alias("_lower"),
        upper_limit_pct(some, OF_TRIANGLE).alias("_upper"),
        nose_pct(some).alias("_nose"),
        oxygen_at_nose_pct(some).alias("_o2_nose"),
    )


TRIANGLE = Triangle(*(nw.col(name) for name in ("_total", "_lower", "_upper", "_nose", "_o2_nose")))


def explosion_class(mixture: Triangle, o2: nw.Expr) -> nw.Expr:
    """Class of a mixture by the triangle of Coward and Jones (1952), as Cheng and Yang (2011) restate the method.

    Args:
        o2: oxygen [%].
    Returns:
        `impossible` (more oxygen than air could bring), `no_combustible`, `explosive` (in or on the triangle),
        `explosive_when_diluted_with_air`, `fuel_lean` (explosive with more combustible gas) or `not_explosive`; null
        without oxygen or amounts.
    """
    total, lower, upper = mixture.total, mixture.lower, mixture.upper
    most = oxygen_beside_pct(total)
    # What an analysis shows above that line is error: it is taken as on the line.
    seen = nw.min_horizontal(o2, most)
    b, c, e = (lower, oxygen_beside_pct(lower)), (upper, oxygen_beside_pct(upper)), (mixture.nose, mixture.o2_nose)
    p = (total, seen)
    # B → E → C runs round the triangle with its inside on the left hand.
    sides = [side_of_line(*b, *e, *p), side_of_line(*e, *c, *p), side_of_line(*c, *b, *p)]
    inside = (sides[0] >= -ON_EDGE) & (sides[1] >= -ON_EDGE) & (sides[2] >= -ON_EDGE)
    lean = sides[0] < -ON_EDGE
    # Air moves P straight towards (0, 20.93): flatter than the line through the nose, it crosses the triangle.
    air = 100 * OXYGEN_IN_AIR
    crosses = (air - seen) * mixture.nose < (air - mixture.o2_nose) * total
    found = nw.when(lean & (seen >= mixture.o2_nose)).then(nw.lit(FUEL_LEAN)).otherwise(nw.lit(NOT_EXPLOSIVE))
    found = nw.when(~lean & crosses).then(nw.lit(WHEN_DILUTED)).otherwise(found)
    found = nw.when(inside).then(nw.lit(EXPLOSIVE)).otherwise(found)
    found = nw.when(total > LEAST_COMBUSTIBLE_PCT).then(found).otherwise(nw.lit(NO_COMBUSTIBLE))
    found = nw.when(o2 > most + OXYGEN_TOLERANCE_PCT).then(nw.lit(IMPOSSIBLE)).otherwise(found)
    return nw.when(~o2.is_null() & ~total.is_null()).then(found)


def worst_class(mixture: Triangle, o2: nw.Expr, error_pct: nw.Expr) -> nw.Expr:
    """The worst class that the oxygen may stand for, known to ± `error_pct` [%].

    More oxygen is never better: at one amount of combustible gas the triangle reaches from its lower edges up to the
    air line, and dilution crosses it the sooner. An analysis that is impossible as it is stays so.
    """
    most = oxygen_beside_pct(mixture.total)
    at_most = nw.when(~o2.is_null()).then(nw.min_horizontal(o2 + error_pct, most))
    possible = nw.when(o2 > most + OXYGEN_TOLERANCE_PCT).then(o2).otherwise(at_most)
    return explosion_class(mixture, possible)


def severity(classes: nw.Expr) -> nw.Expr:
    """SEVERITY of a class; null where it is null or impossible."""
    worth = nw.lit(None, dtype=nw.Float64)
    for name, amount in SEVERITY.items():
        worth = nw.when(classes == name).then(nw.lit(amount)).otherwise(worth)
    return worth


# ── the Bureau of Mines' method ─────────────────────────────────────────────────────────────────────────────────────
# Nitrogen per oxygen in air.
NITROGEN_PER_OXYGEN = 79.04 / 20.93


def excess_nitrogen_pct(n2: nw.Expr, o2: nw.Expr) -> nw.Expr:
    """Nitrogen that no oxygen of the air goes with: N2 − (79.04/20.93)·O2 [%]."""
    return n2 - NITROGEN_PER_OXYGEN * o2


def effective_inert_pct(n2: nw.Expr, o2: nw.Expr, co2: nw.Expr) -> nw.Expr:
    """EI = excess N2 + 1.5·CO2 [%] (Zabetakis, Stahl & Watson 1959, IC 7901)."""
    return excess_nitrogen_pct(n2, o2) + 1.5 * co2


def effective_combustible_pct(ch4: nw.Expr, co: nw.Expr, h2: nw.Expr) -> nw.Expr:
    """EC = CH4 + 1.25·H2 + 0.4·CO [%] (IC 7901)."""
    return ch4 + 1.25 * h2 + 0.4 * co


def most_oxygen_pct(ch4: nw.Expr, co: nw.Expr, h2: nw.Expr) -> nw.Expr:
    """O2max = 5 + 7·R [%], R = CH4/(CH4 + CO + H2): at most so much oxygen lets nothing explode (IC 7901).

    R is taken of the plain sum, not of EC as one worked example has it: that ceiling is the lower, the safer one.
    """
    total = total_pct((ch4, co, h2))
    return 5 + 7 * ch4 / nw.when(total > 0).then(total)


def is_explosive_by_bureau(amounts: Sequence[nw.Expr], o2: nw.Expr, inert: nw.Expr, mixture: Triangle) -> nw.Expr:
    """Whether the mixture is to be treated as explosive: over O2max and between the limit curves of EC over EI.

    The curves are drawn straight, from the mixture's limits in air to the nose of its triangle, all in terms of EC.

    Args:
        amounts: CH4, CO and H2 [%].
        inert: EI [%].
        mixture: their triangle.
    """
    combustible = effective_combustible_pct(*amounts)
    per_pct = combustible / nw.when(mixture.total > 0).then(mixture.total)
    lower, upper, nose = (limit * per_pct for limit in (mixture.lower, mixture.upper, mixture.nose))
    at_nose = 100 - mixture.o2_nose / OXYGEN_IN_AIR - mixture.nose
    # Inert gas below none is error of the analysis.
    way = nw.max_horizontal(inert, nw.lit(0.0)) / at_nose
    between = (combustible >= lower + (nose - lower) * way) & (combustible <= upper + (nose - upper) * way)
    explosive = (o2 > most_oxygen_pct(*amounts)) & between & (way <= 1)
    return nw.when(~o2.is_null() & ~inert.is_null() & ~mixture.total.is_null()).then(explosive.fill_null(False))


# ── the indices ─────────────────────────────────────────────────────────────────────────────────────────────────────

G_03 = Index(
    id="G-03",
    name_zh="混合气体爆炸下限占比",
    name_en="mixture against its lower flammability limit",
    unit="%",
    minutes=1,
    source="Le Chatelier; limits of USBM Bulletin 503; own steps after the custom of fixed gas detectors",
    confidence="advisory",
    doc=(
        "All combustible gas of an area (methane, carbon monoxide, hydrogen, ethane, ethylene, acetylene) on its way "
        "to the lower flammability limit of the mixture, in per cent of that limit: the highest value of each gas in "
        "the minute, or one chromatograph sample. In warm gas the limit lies lower (Burgess–Wheeler)."
    ),
    formula=(
        r"x = 100\,\frac{P_T}{LEL_{mix}} = 100\sum_i \frac{y_i}{LEL_i}, \quad P_T = \sum_i y_i, \quad "
        r"LEL_{mix} = \frac{P_T}{\sum_i y_i / LEL_i}"
    ),
    reads=("CH4, H2 [%]", "CO, C2H4, C2H6, C2H2 [ppm]", "temperature [℃]"),
    scenario="goaf_explosive",
    edges=(
        "no combustible gas: 0 % and no limits",
        "a gas that has no sensor counts as none; without methane there is no value",
        "over about half hydrogen the upper limit is poor: marked H2_RICH",
        "warm gas: the lower limit falls by 0.072 % of itself per kelvin over 20 ℃",
    ),
)
G_04 = Index(
    id="G-04",
    name_zh="爆炸三角形",
    name_en="explosion triangle",
    unit="class",
    minutes=1,
    source="Coward & Jones 1952, method as restated by Cheng & Yang 2011",
    confidence="confirmed",
    doc=(
        "Where methane, carbon monoxide, hydrogen and oxygen of an area or a sample lie against the explosion triangle "
        "of their mixture: 4 explosive (red), 3 explosive once air comes to it (orange), 1 too lean: explosive with "
        "more gas (yellow from 60 % of the lower limit), 0 not explosive. The worst class that the oxygen may stand "
        "for counts: ± 0.5 % by sensor, ± 0.1 % by chromatograph."
    ),
    formula=(
        r"N_{ex} = \frac{N}{P_T}\sum_i N_i^{+} y_i, \quad O_N = 0.2093\,(100 - N_{ex} - N), \quad "
        r"B = (L,\ 0.2093(100-L)),\ C = (U,\ 0.2093(100-U)),\ E = (N,\ O_N)"
    ),
    reads=("CH4, H2, O2 [%]", "CO, C2H4, C2H6, C2H2 [ppm]"),
    scenario="goaf_explosive",
    edges=(
        "more oxygen than air could bring by over 0.3 %: no value, IMPOSSIBLE_ANALYSIS",
        "0.05 % of combustible gas or less: no_combustible",
        "C2 gases count as methane that is as near to its lower limit: marked APPROXIMATE",
        "on an edge of the triangle is inside it",
    ),
)
G_06 = Index(
    id="G-06",
    name_zh="爆炸性（有效可燃气体与过量氮）",
    name_en="explosibility by effective combustible and inert gas",
    unit="%",
    minutes=1,
    source="Zabetakis, Stahl & Watson 1959 (USBM IC 7901), as Thakur 2019 gives it",
    confidence="confirmed",
    doc=(
        "Effective combustible gas of an area or a sample. It is explosive (red) where there is more oxygen than "
        "O2max and the mixture lies between the limit curves. Where this method and the triangle (G-04) disagree, the "
        "level is the worse of the two."
    ),
    formula=(
        r"EC = CH_4 + 1.25\,H_2 + 0.4\,CO, \quad EI = N_2 - \tfrac{79.04}{20.93} O_2 + 1.5\,CO_2, \quad "
        r"O_{2,max} = 5 + 7\,\frac{CH_4}{CH_4 + CO + H_2}"
    ),
    reads=("CH4, H2, O2, CO2, N2 [%]", "CO [ppm]"),
    scenario="goaf_explosive",
    edges=(
        "nitrogen that is not measured is taken by difference",
        "R of the plain sum of the gases: the lower, safer ceiling",
        "the limit curves are drawn straight from the mixture's limits to the nose of its triangle",
        "worse of G-04 and G-06",
    ),
)


def _amounts() -> list[nw.Expr]:
    """CH4, CO, H2 of an analysis for the triangle, C2 gases counted as methane; null where methane is not known."""
    c2 = [nw.col(name).fill_null(0.0) for name in ("c2h6", "c2h4", "c2h2")]
    known = ~nw.col("ch4").is_null()
    methane = equivalent_methane_pct(nw.col("ch4"), *c2)
    return [methane, *(nw.when(known).then(nw.col(name).fill_null(0.0)) for name in ("co", "h2"))]


def _approximate() -> nw.Expr:
    return nw.when(sum_known("c2h6", "c2h4", "c2h2") > 0).then(nw.lit("APPROXIMATE"))


def _told(frame: nw.LazyFrame) -> nw.LazyFrame:
    return frame.with_columns(nw.lit(None, dtype=nw.String).alias("point_id"))


def g03(inputs: Inputs) -> nw.LazyFrame:
    """How far the gas of each area and sample is on its way to the lower limit, by minute."""
    known = ~nw.col("ch4").is_null()
    amounts = [nw.when(known).then(nw.col(name).fill_null(0.0)) for name in NAMES]
    total = total_pct(amounts)
    some = [nw.when(total > 0).then(amount) for amount in amounts]
    falls_to = lower_limit_falls_to(nw.col("temperature_c"))
    rows = inputs.analyses.with_columns(
        rounded(100 * share_of_lower_limit(amounts) / falls_to).alias("_share"),
        (lower_limit_pct(some) * falls_to).alias("_lower"),
        upper_limit_pct(some).alias("_upper"),
        total.alias("_total"),
        nw.when(nw.col("h2") > 0.5 * total).then(nw.lit("H2_RICH")).alias("_mark"),
    )
    share = nw.col("_share")
    rows = judged(inputs, _told(rows), G_03.id, ("", share))
    return index_rows(
        rows,
        G_03,
        value=share,
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        reason=nw.lit("NO_METHANE"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "combustible_pct": number(nw.col("_total"), 3),
            "lower_limit_pct": number(nw.col("_lower"), 3),
            "upper_limit_pct": number(nw.col("_upper"), 2),
            **{f"{name}_pct": number(nw.col(name), 4) for name in NAMES},
            "temperature_c": number(nw.col("temperature_c"), 1),
            "marks": quoted(nw.col("_mark")),
        },
        finding_zh=nw.concat_str(nw.lit("可燃气体达到爆炸下限的 "), number(share, 1), nw.lit(" %")),
        finding_en=nw.concat_str(nw.lit("combustible gas at "), number(share, 1), nw.lit(" % of the lower limit")),
        stands_from=ORANGE,
    )


def _judged_by_triangle(inputs: Inputs, rows: nw.LazyFrame) -> nw.LazyFrame:
    """Adds `_class`, `_worst`, `_severity` and G-04's level and limits."""
    amounts, o2 = _amounts(), nw.col("o2")
    error = nw.when(nw.col("is_sample")).then(nw.lit(SAMPLE_OXYGEN_ERROR_PCT)).otherwise(nw.lit(OXYGEN_ERROR_PCT))
    rows = rows.with_columns(*(amount.alias(f"_{name}") for amount, name in zip(amounts, NAMES, strict=False)))
    plain = [nw.col(f"_{name}") for name in NAMES[:3]]
    rows = with_triangle(rows, plain).with_columns(
        explosion_class(TRIANGLE, o2).alias("_class"),
        worst_class(TRIANGLE, o2, error).alias("_worst"),
        (100 * share_of_lower_limit(plain, OF_TRIANGLE)).alias("_share"),
    )
    is_lean = nw.col("_worst") == FUEL_LEAN
    rows = rows.with_columns(severity(nw.col("_worst")).alias("_severity"))
    near = nw.when(is_lean.fill_null(False)).then(rounded(nw.col("_share")))
    return judged(inputs, rows, G_04.id, ("", nw.col("_severity")), (FUEL_LEAN, near))


def _missing_of_analysis(*needed: str) -> nw.Expr:
    """Why an analysis says nothing; it is read only where a result is null."""
    code = nw.lit("NO_METHANE")
    for name, missing in (("co2", "NO_CARBON_DIOXIDE"), ("o2", "NO_OXYGEN")):
        if name in needed:
            code = nw.when(nw.col(name).is_null()).then(nw.lit(missing)).otherwise(code)
    return (
        nw.when((nw.col("_class") == IMPOSSIBLE).fill_null(False)).then(nw.lit("IMPOSSIBLE_ANALYSIS")).otherwise(code)
    )


def g04(inputs: Inputs) -> nw.LazyFrame:
    """Class of the gas of each area with an oxygen sensor and of each sample, by minute."""
    rows = with_sensors(inputs, inputs.analyses, "o2")
    rows = _judged_by_triangle(inputs, _told(rows))
    worst = nw.col("_worst")
    amounts = nw.concat_str(number(nw.col("_total")), nw.lit(" %"))
    oxygen = nw.concat_str(number(nw.col("o2"), 1), nw.lit(" %"))
    return index_rows(
        rows,
        G_04,
        value=nw.col("_severity"),
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        reason=_missing_of_analysis("o2"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "class": quoted(nw.col("_class")),
            "worst_class": quoted(worst),
            "combustible_pct": number(nw.col("_total"), 3),
            "o2_pct": number(nw.col("o2"), 2),
            "ch4_pct": number(nw.col("ch4"), 3),
            "co_pct": number(nw.col("co"), 4),
            "h2_pct": number(nw.col("h2"), 3),
            "lower_pct": number(nw.col("_lower"), 3),
            "upper_pct": number(nw.col("_upper"), 3),
            "nose_pct": number(nw.col("_nose"), 3),
            "nose_o2_pct": number(nw.col("_o2_nose"), 2),
            "lower_limit_share_pct": number(nw.col("_share"), 1),
            "marks": quoted(_approximate()),
        },
        finding_zh=nw.concat_str(
            nw.lit("可燃气体 "), amounts, nw.lit("，氧气 "), oxygen, nw.lit("："), named(worst, _ZH)
        ),
        finding_en=nw.concat_str(
            nw.lit("combustible gas "), amounts, nw.lit(", oxygen "), oxygen, nw.lit(": "), named(worst, _EN)
        ),
        stands_from=ORANGE,
    )


def g06(inputs: Inputs) -> nw.LazyFrame:
    """Explosibility of each area with oxygen and carbon-dioxide sensors and of each sample, by minute."""
    rows = with_sensors(inputs, inputs.analyses, "o2", "co2")
    rows = _judged_by_triangle(inputs, _told(rows)).rename(
        {name: f"{name}_04" for name in ("level", "limit_source", "limit_confidence")}
    )
    ch4, co, h2 = amounts = [nw.col(f"_{name}") for name in NAMES[:3]]
    o2, co2, n2 = nw.col("o2"), nw.col("co2"), nw.col("n2")
    possible = (nw.col("_class") != IMPOSSIBLE).fill_null(False)
    rows = rows.with_columns(effective_inert_pct(n2, o2, co2).alias("_ei"))
    explosive = is_explosive_by_bureau(amounts, o2, nw.col("_ei"), TRIANGLE)
    rows = rows.with_columns(
        nw.when(possible & ~co2.is_null()).then(rounded(effective_combustible_pct(ch4, co, h2))).alias("_ec"),
        excess_nitrogen_pct(n2, o2).alias("_excess"),
        most_oxygen_pct(ch4, co, h2).alias("_o2_max"),
        nw.when(possible).then(explosive.cast(nw.Float64)).alias("_explosive"),
    )
    rows = judged(inputs, rows, G_06.id, (EXPLOSIVE, nw.col("_explosive"))).rename({"level": "_own"})
    own, coward = nw.col("_own"), nw.col("level_04")
    worse = (coward > own).fill_null(False)
    return index_rows(
        rows,
        G_06,
        value=nw.col("_ec"),
        level=nw.when(worse).then(coward).otherwise(own),
        coverage=nw.col("coverage"),
        reason=_missing_of_analysis("o2", "co2"),
        limit_source=nw.when(worse).then(nw.col("limit_source_04")).otherwise(nw.col("limit_source")),
        limit_confidence=nw.when(worse).then(nw.col("limit_confidence_04")).otherwise(nw.col("limit_confidence")),
        inputs={
            "effective_inert_pct": number(nw.col("_ei"), 2),
            "excess_n2_pct": number(nw.col("_excess"), 2),
            "o2_pct": number(o2, 2),
            "o2_max_pct": number(nw.col("_o2_max"), 2),
            "n2_measured": nw.when(nw.col("n2_measured")).then(nw.lit("true")).otherwise(nw.lit("false")),
            "explosive": number(nw.col("_explosive"), 0),
            "class_by_triangle": quoted(nw.col("_worst")),
            "marks": quoted(nw.when(worse).then(nw.lit("WORSE_BY_G-04"))),
        },
        finding_zh=_by_bureau("有效可燃气体 ", "，氧气 ", "，无爆炸性", "，具有爆炸性", "，爆炸三角形："),
        finding_en=_by_bureau(
            "effective combustible gas ", ", oxygen ", ", not explosive", ", explosive", ", by the triangle: "
        ),
        stands_from=ORANGE,
    )


def _by_bureau(gas: str, oxygen: str, safe: str, explosive: str, triangle: str) -> nw.Expr:
    names = _ZH if oxygen.startswith("，") else _EN
    verdict = nw.when(nw.col("_explosive") > 0).then(nw.lit(explosive)).otherwise(nw.lit(safe))
    amounts = (nw.lit(gas), number(nw.col("_ec")), nw.lit(" %"), nw.lit(oxygen), number(nw.col("o2"), 1), nw.lit(" %"))
    return nw.concat_str(*amounts, verdict, nw.lit(triangle), named(nw.col("_worst"), names))
