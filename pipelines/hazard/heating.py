"""Coal that heats: oxygen used and the ratios to it (F-01 to F-06), the sealed area (F-07), indicator gases (F-08)."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.fire_ratios import (
    LEAST_CO2_PCT,
    LEAST_DEFICIENCY_PCT,
    LEAST_OXYGEN_PCT,
    MOST_JONES_TRICKETT,
    PLACE,
    Ratio,
    carbon_to_hydrogen,
    grahams_ratio,
    hourly,
    in_window,
    jones_trickett_ratio,
    lacks,
    littons_ratio,
    morriss_ratio,
    needs_deficiency,
    oxides_of_carbon_ratio,
    ratio_rows,
    relative_error,
    residual_gas_pct,
    sets,
    slope_per_day,
    trended,
    willetts_ratio,
    youngs_ratio,
)
from minefusion.pipelines.hazard.gas_analyses import SHARE
from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import DAY_H, Floats, Series, Span, per_hour, site_rows
from minefusion.pipelines.hazard.levels import judged, level_against, steps
from minefusion.pipelines.hazard.rows import NORMAL, Index, index_rows, named, number
from minefusion.schemas.levels import NAMES

_GASES = ("CO [ppm]", "O2, N2, CO2, CH4 [%]")
_EDGES = (
    "under 0.3 % of oxygen used: no value, DEFICIENCY_TOO_SMALL",
    "nitrogen that is not measured is what the other gases leave of 100 %",
    "inert gas is injected: no value, INERT_GAS",
    "intake air is taken off where its road has sensors",
    "highest middle value of three sets on end: one outlier raises nothing",
)
D_CO, D_O2, D_CO2 = nw.col("d_co"), nw.col("d_o2"), nw.col("d_co2")
_BLASTED = {"AFTER_BLAST": nw.col("after_blast")}

# ── F-01 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
F_01 = Index(
    id="F-01",
    name_zh="氧耗",
    name_en="oxygen deficiency",
    unit="%",
    minutes=60,
    source="Thakur 2019, Advanced Mine Ventilation; air of 20.93 % oxygen and 79.04 % nitrogen",
    confidence="confirmed",
    doc=(
        "Oxygen that was used on the way through an area, from oxygen and nitrogen there and in its intake. The base "
        "of the fire ratios and no hazard of its own: it has no levels. Below 0.3 % the ratios are not formed."
    ),
    formula=r"\Delta O_2 = \frac{O_{2,i}}{N_{2,i}}\,N_2 - O_2",
    reads=("O2, N2, CO2, CH4 [%]", "CO [ppm]"),
    edges=(
        "nitrogen that is not measured is what the other gases leave of 100 %: the short cut 20.93 - O2 is never taken",
        "inert gas is injected: no value, INERT_GAS",
        "without oxygen sensors in the intake: plain air",
    ),
    scenario="spontaneous_heating",
    without_steps="Oxygen that was used is no hazard by itself: the ratios that rest on it have their steps.",
    without_scenario="It has no levels.",
)


def f01(history: History) -> nw.LazyFrame:
    """Oxygen deficiency by place and hour."""
    checks = {name: holds for name, holds in needs_deficiency().items() if name != "DEFICIENCY_TOO_SMALL"}
    rows = in_window(history, hourly(sets(history), Ratio(D_O2, checks, {})))
    rows = rows.with_columns(
        nw.when(~lacks("value")).then(nw.lit(NORMAL)).alias("level"),
        nw.lit(None, dtype=nw.String).alias("limit_source"),
        nw.lit(None, dtype=nw.String).alias("limit_confidence"),
    )
    small = nw.when(nw.col("value") < LEAST_DEFICIENCY_PCT).then(nw.lit("true")).otherwise(nw.lit("false"))
    return ratio_rows(
        F_01, rows, name_zh="氧耗", name_en="oxygen deficiency", decimals=3, unit=" %",
        more={"deficiency_too_small": small},
    )  # fmt: skip


# ── F-02 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
F_02 = Index(
    id="F-02",
    name_zh="格雷哈姆系数",
    name_en="Graham's ratio",
    unit="%",
    minutes=60,
    source="Graham 1920; ladders in Thakur 2019 and in examination notes",
    confidence="confirmed",
    doc=(
        "Carbon monoxide made per oxygen used; it rises as coal heats, whatever the air. Blue from 0.4, or from what "
        "is usual at this place where a month of data tells it; yellow from 0.5, orange from 1: coal heats, red from 2."
        " A steady rise at a steady oxygen deficiency tells more than the level."
    ),
    formula=r"ICO = 100\,\frac{\Delta CO}{\Delta O_2}",
    reads=_GASES,
    scenario="spontaneous_heating",
    edges=(
        *_EDGES,
        "half an hour after a blast: no value, AFTER_BLAST",
        "the site file's diesel background is taken off",
        "a place's own normal is its median over 30 days and three deviations",
        "the interval of one sigma is told",
    ),
)


def f02(history: History) -> nw.LazyFrame:
    """Graham's ratio by place and hour."""
    error = relative_error(D_CO / SHARE["co"], D_O2, nw.col("is_sample"))
    checks = needs_deficiency() | {"NO_CARBON_MONOXIDE": lacks("co")} | _BLASTED
    hours = history.cached(hourly(sets(history), Ratio(grahams_ratio(D_CO, D_O2), checks, {"error": error})))
    rows = in_window(history, hours).join(trended(history, hours), on=[*PLACE, "hour"], how="left")
    rows = steps(history, rows, F_02.id)
    ladder = {name: nw.col(name) for name in NAMES}
    ladder["blue"] = nw.coalesce("normal", "blue")
    ladder["yellow"] = nw.max_horizontal("normal", "yellow")
    value, error = nw.col("value"), nw.col("error")
    level = level_against(value, ">=", ladder)
    rows = rows.with_columns(level.alias("level")).drop(*NAMES)
    return ratio_rows(
        F_02, rows, name_zh="格雷哈姆系数", name_en="Graham's ratio",
        more={
            "low": number(nw.max_horizontal(value * (1 - error), nw.lit(0.0)), 3),
            "high": number(value * (1 + error), 3),
            "normal": number(nw.col("normal"), 3),
            "per_day": number(nw.col("per_day"), 3),
        },
    )  # fmt: skip


# ── F-03, F-04, F-05 ────────────────────────────────────────────────────────────────────────────────────────────────
F_03 = Index(
    id="F-03",
    name_zh="杨氏系数",
    name_en="Young's ratio",
    unit="%",
    minutes=60,
    source="ladder in examination notes on fire indices",
    confidence="confirmed",
    doc=(
        "Carbon dioxide made per oxygen used. Blue from 25: superficial heating, yellow over 50: strong heating. It "
        "supports other indices and goes no higher: seam gas, acid water and absorption distort it."
    ),
    formula=r"YR = 100\,\frac{\Delta CO_2}{\Delta O_2}",
    reads=_GASES[1:],
    scenario="spontaneous_heating",
    edges=(*_EDGES, "supporting only: never above yellow"),
)
F_04 = Index(
    id="F-04",
    name_zh="琼斯-特里克特比",
    name_en="Jones-Trickett ratio",
    unit="1",
    minutes=60,
    source="Jones & Trickett 1954, ladder in Thakur 2019",
    confidence="confirmed",
    doc=(
        "What burns, and whether the analysis can be right: up to 0.4 normal, to 0.5 methane (blue), to 1.0 coal, oil "
        "or belt, to 1.6 timber (yellow); over 1.6 no fuel burns so and the sets are rejected. Least reliable of the "
        "ratios for a beginning heating: never above yellow."
    ),
    formula=r"JTR = \frac{\Delta CO_2 + 0.75\,\Delta CO - 0.25\,H_2}{\Delta O_2}",
    reads=("CO [ppm]", "O2, N2, CO2, CH4, H2 [%]"),
    scenario="spontaneous_heating",
    edges=(*_EDGES, "over 1.6: no value, IMPOSSIBLE_ANALYSIS", "hydrogen that is not measured counts as none"),
)
F_05 = Index(
    id="F-05",
    name_zh="一氧化碳与二氧化碳比",
    name_en="oxides-of-carbon ratio",
    unit="1",
    minutes=60,
    source="Thakur 2019; ladder in examination notes; NIOSH heating tests",
    confidence="confirmed",
    doc=(
        "Carbon monoxide made per carbon dioxide made; leaks of fresh air do not change it. Yellow from 0.02: "
        "superficial heating, orange over 0.13: blazing. As a heating runs away the ratio falls again: orange too "
        "where it has fallen by 0.3 of the last day's highest while carbon monoxide rises."
    ),
    formula=r"COR = \frac{\Delta CO}{\Delta CO_2}",
    reads=("CO [ppm]", "CO2 [%]"),
    scenario="spontaneous_heating",
    edges=(
        "less than 0.05 % of carbon dioxide made: no value, CO2_TOO_SMALL",
        "carbon dioxide is injected: no value, INERT_GAS; nitrogen does not matter",
        "half an hour after a blast: no value, AFTER_BLAST",
        "seam carbon dioxide lowers it",
    ),
)


def f03(history: History) -> nw.LazyFrame:
    """Young's ratio by place and hour."""
    checks = needs_deficiency() | {"NO_CARBON_DIOXIDE": lacks("co2")}
    rows = in_window(history, hourly(sets(history), Ratio(youngs_ratio(D_CO2, D_O2), checks, {})))
    rows = judged(history, rows, F_03.id, ("", nw.col("value")))
    return ratio_rows(F_03, rows, name_zh="杨氏系数", name_en="Young's ratio", decimals=1)


def f04(history: History) -> nw.LazyFrame:
    """Jones–Trickett ratio by place and hour."""
    ratio = jones_trickett_ratio(D_CO2, D_CO, nw.col("h2"), nw.when(D_O2 >= LEAST_DEFICIENCY_PCT).then(D_O2))
    checks = needs_deficiency() | {
        "NO_CARBON_MONOXIDE": lacks("co"),
        "IMPOSSIBLE_ANALYSIS": ratio > MOST_JONES_TRICKETT,
    }
    rows = in_window(history, hourly(sets(history), Ratio(ratio, checks, {})))
    rows = judged(history, rows, F_04.id, ("", nw.col("value")))
    return ratio_rows(F_04, rows, name_zh="琼斯-特里克特比", name_en="Jones-Trickett ratio")


def f05(history: History) -> nw.LazyFrame:
    """Oxides-of-carbon ratio by place and hour."""
    checks = {
        "CO2_TOO_SMALL": D_CO2 < LEAST_CO2_PCT,
        "NO_CARBON_MONOXIDE": lacks("co"),
        "NO_CARBON_DIOXIDE": lacks("co2"),
        "INERT_GAS": nw.col("inert") == "co2",
        **_BLASTED,
    }
    ratio = Ratio(oxides_of_carbon_ratio(D_CO, D_CO2), checks, {})
    hours = history.cached(hourly(sets(history), ratio))
    series = nw.concat(
        [
            hours.filter(~lacks(name)).select(
                *PLACE, "hour", nw.lit(name).alias("quantity"), nw.col(name).alias("amount")
            )
            for name in ("value", "d_co")
        ],
        how="vertical",
    )
    fallen = per_hour(history, series, PLACE, fallen_while_co_rises, ("fallen",), "amount")
    rows = in_window(history, hours).join(fallen.select(*PLACE, "hour", "fallen"), on=[*PLACE, "hour"], how="left")
    known = nw.when(~lacks("value")).then(nw.col("fallen"))
    rows = judged(history, rows, F_05.id, ("", nw.col("value")), ("fall", known))
    return ratio_rows(
        F_05, rows, name_zh="一氧化碳与二氧化碳比", name_en="CO to CO2", decimals=3,
        more={"fallen_from_highest": number(nw.col("fallen"), 2)},
    )  # fmt: skip


# The ratio is looked at for a fall once it has stood at that of coal near 150 ℃.
_HOT_COAL = 0.15


def fallen_while_co_rises(series: Series, span: Span) -> dict[str, Floats]:
    """Share by which the ratio lies below its highest of the last day, where that was of hot coal and CO still rises.

    0 where CO does not rise or the coal never was so hot; NaN without a ratio.
    """
    ratio, co = series.get("value"), series.get("d_co")
    fallen = np.full(len(span.judged), np.nan)
    for row, place in enumerate(span.judged):
        if ratio is None or not np.isfinite(ratio[place]):
            continue
        highest = np.nanmax(ratio[max(place + 1 - DAY_H, 0) : place + 1])
        rises = co is not None and slope_per_day(co, place) > 0
        fallen[row] = 1 - ratio[place] / highest if highest >= _HOT_COAL and rises else 0.0
    return {"fallen": fallen}


# ── F-06 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
F_06 = Index(
    id="F-06",
    name_zh="碳氢比与威利特、莫里斯系数",
    name_en="carbon to hydrogen, Willett's and Morris's ratios",
    unit="1",
    minutes=60,
    source="steps of the C/H ratio in use; recalled, not read again",
    confidence="inferred",
    doc=(
        "Carbon to hydrogen of what burns: over 3 superficial heating (yellow), over 5 a fire (orange), over 20 "
        "blazing (red). Beside it Willett's ratio, for sealed areas, which rises with heating, and Morris's, of "
        "which only the way that it changes tells; both with their change per day."
    ),
    formula=(
        r"\frac{C}{H} = \frac{6\,(CO_2 + CO + CH_4 + 2\,C_2H_4)}{2\,(\Delta O_2 - CO_2 + C_2H_4 + CH_4) + H_2 - CO}"
        r", \quad W = \frac{100\,\Delta CO}{CO_2 + N_{2,ex} + P_T}, \quad M = \frac{N_{2,ex}}{CO + CO_2}"
    ),
    reads=("CO, C2H4 [ppm]", "O2, N2, CO2, CH4, H2 [%]"),
    scenario="spontaneous_heating",
    edges=(*_EDGES, "a denominator that is not above 0: no value, NOT_DEFINED"),
)


def f06(history: History) -> nw.LazyFrame:
    """C/H, Willett's and Morris's ratios by place and hour."""
    co2, co, ch4, h2, excess = (nw.col(name) for name in ("co2", "co", "ch4", "h2", "excess_n2"))
    c2h4 = nw.col("c2h4").fill_null(0.0)
    ratio = carbon_to_hydrogen(co2, co, ch4, c2h4, h2, D_O2)
    checks = {"NOT_DEFINED": ratio.is_null()} | needs_deficiency() | {
        "NO_CARBON_MONOXIDE": lacks("co"), "NO_CARBON_DIOXIDE": lacks("co2"), "NO_METHANE": lacks("ch4"),
    }  # fmt: skip
    more = {
        "willett": willetts_ratio(D_CO, co2, excess, ch4 + co + h2 + c2h4),
        "morris": morriss_ratio(excess, co, co2),
    }
    hours = history.cached(hourly(sets(history), Ratio(ratio, checks, more)))
    rows = in_window(history, hours)
    for name in more:
        change = trended(history, hours, name).select(*PLACE, "hour", nw.col("per_day").alias(f"{name}_per_day"))
        rows = rows.join(change, on=[*PLACE, "hour"], how="left")
    rows = judged(history, rows, F_06.id, ("", nw.col("value")))
    shown = [*more, *(f"{name}_per_day" for name in more)]
    return ratio_rows(
        F_06, rows, name_zh="碳氢比", name_en="carbon to hydrogen",
        more={name: number(nw.col(name), 4) for name in shown},
    )  # fmt: skip


# ── F-07 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# A sealed area is at rest once the ratio has been low for so long.
AT_REST_DAYS = 30
F_07 = Index(
    id="F-07",
    name_zh="利顿比",
    name_en="Litton's ratio",
    unit="1",
    minutes=60,
    source="Litton 1986 in Thakur 2019, eq. 24.4 to 24.9",
    confidence="confirmed",
    doc=(
        "For sealed areas and goafs: over 1 the coal behind the seals is still warmer than the rock (yellow). At 1 or "
        "under for 30 days on end it has come to rest; how long it has been so is told."
    ),
    formula=r"R_L = \tfrac{1}{3}\,CO_{ppm}\,R_g^{-3/2}\,O_2^{-1/2}, \quad R_g = 100 - 4.774\,O_2 - CH_4",
    reads=("CO [ppm]", "O2, CH4 [%]"),
    scenario="sealed_heating",
    edges=(
        "0.1 % of oxygen or less: no value, OXYGEN_TOO_LOW",
        "no gas but air and methane: no value, NOT_DEFINED",
        "injected inert gas does not matter",
    ),
)


def f07(history: History) -> nw.LazyFrame:
    """Litton's ratio of each goaf and sealed area, by hour."""
    fires = history.frame(
        [{**row, "_sealed": True} for row in site_rows(history.sites, "sealed_fires", ("area_id",))],
        pa.schema([("mine_code", pa.string()), ("area_id", pa.string()), ("_sealed", pa.bool_())]),
    )
    sealed = sets(history).join(fires, on=["mine_code", "area_id"], how="left")
    sealed = history.cached(
        sealed.filter((nw.col("area_kind") == "goaf").fill_null(False) | nw.col("_sealed").fill_null(False))
    )
    o2, ch4 = nw.col("o2"), nw.col("ch4")
    checks = {
        "NOT_DEFINED": residual_gas_pct(o2, ch4) <= 0,
        "OXYGEN_TOO_LOW": o2 <= LEAST_OXYGEN_PCT,
        "NO_METHANE": lacks("ch4"),
        "NO_CARBON_MONOXIDE": lacks("co"),
        "NO_OXYGEN": lacks("o2"),
    }
    ratio = littons_ratio(nw.col("co") / SHARE["co"], o2, ch4)
    hours = history.cached(hourly(sealed, Ratio(ratio, checks, {"residual": residual_gas_pct(o2, ch4)})))
    known = hours.filter(~lacks("value")).with_columns(nw.lit("ratio").alias("quantity"))
    known = steps(history, known, F_07.id).with_columns((nw.col("value") / nw.col("yellow")).alias("amount"))
    rest = per_hour(history, known, PLACE, days_at_rest, ("days",), "amount").select(*PLACE, "hour", "days")
    rows = in_window(history, hours).join(rest, on=[*PLACE, "hour"], how="left")
    rows = judged(history, rows, F_07.id, ("", nw.col("value")))
    at_rest = nw.when(nw.col("days") >= AT_REST_DAYS).then(nw.lit("true")).otherwise(nw.lit("false"))
    value = number(nw.col("value"), 3)
    return index_rows(
        rows,
        F_07,
        value=nw.col("value"),
        level=nw.col("level"),
        coverage=nw.col("covered"),
        reason=nw.col("why"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "co_pct": number(nw.col("co"), 4), "o2_pct": number(o2, 2), "ch4_pct": number(ch4, 2),
            "residual_pct": number(nw.col("residual"), 2), "days_at_rest": number(nw.col("days"), 1),
            "at_rest": at_rest, "samples": number(nw.col("samples"), 0),
        },
        finding_zh=nw.concat_str(nw.lit("利顿比 "), value),
        finding_en=nw.concat_str(nw.lit("Litton's ratio "), value),
    )  # fmt: skip


def days_at_rest(series: Series, span: Span) -> dict[str, Floats]:
    """Days since the ratio, in parts of its step, was last over 1; since its first value where it never was."""
    (values,) = series.values()
    days = np.full(len(span.judged), np.nan)
    for row, place in enumerate(span.judged):
        there = np.flatnonzero(np.isfinite(values[: place + 1]))
        if len(there):
            over = there[values[there] > 1]
            since = over[-1] if len(over) else there[0]
            days[row] = (place - since) / DAY_H
    return {"days": days}


# ── F-08 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
F_08 = Index(
    id="F-08",
    name_zh="指标气体阶段",
    name_en="stage by indicator gases",
    unit="stage",
    minutes=60,
    source="ladder of indicator gases in use in Chinese mines; recalled: each seam needs its own heating test",
    confidence="inferred",
    doc=(
        "How far a heating has gone by the gases that coal gives off: 1 carbon monoxide rises steadily above its "
        "background (about 30 to 60 ℃, blue), 2 its growth has doubled (60 to 80 ℃, yellow), 3 ethylene (100 to 130 ℃, "
        "orange), 4 ethylene to ethane turns over or hydrogen rises (130 to 180 ℃, orange), 5 acetylene (from 180 ℃, "
        "open flame likely, red)."
    ),
    formula=r"s = \max\{k : \text{indicator}_k \text{ seen}\},\ k = 1 \dots 5",
    reads=("CO, C2H4, C2H6, C2H2 [ppm]", "H2, O2, N2 [%]"),
    scenario="spontaneous_heating",
    edges=(
        "ethylene and hydrogen count only with carbon monoxide above its background and 0.3 % of oxygen used: diesel, "
        "solvents and blasting make them too",
        "acetylene always counts",
        "detection limits are rows of the levels table",
        "sets within half an hour after a blast are left out",
    ),
)
_STAGES_ZH = {
    0.0: "无异常", 1.0: "一氧化碳稳定上升", 2.0: "一氧化碳增速加倍", 3.0: "出现乙烯", 4.0: "乙烯乙烷比回落或氢气上升",
    5.0: "出现乙炔",
}  # fmt: skip
_STAGES_EN = {
    0.0: "nothing unusual", 1.0: "CO rises steadily", 2.0: "the growth of CO has doubled", 3.0: "ethylene",
    4.0: "ethylene to ethane turns over or hydrogen rises", 5.0: "acetylene",
}  # fmt: skip
# Above its background CO stands by three deviations, and by no less than so much [ppm]; hydrogen alike.
_LEAST_ABOVE_PPM = 2.0
_LEAST_H2_ABOVE_PPM = 10.0
# Growth has a break where the last day's is so many times that of the two days before.
_BREAK_TIMES = 2.0
# Ethylene to ethane has turned over where it lies by so much below its highest of the last week.
_TURNED_SHARE = 0.1
_WEEK_H = 7 * DAY_H
_BACKGROUND_H = 14 * DAY_H


def f08(history: History) -> nw.LazyFrame:
    """Stage of heating of each place, by hour."""
    rows = sets(history).filter(~nw.col("after_blast"))
    amounts = {
        "co": D_CO / SHARE["co"], "h2": nw.col("h2") / 1e-4, "c2h4": nw.col("c2h4") / SHARE["c2h4"],
        "c2h6": nw.col("c2h6") / SHARE["c2h6"], "c2h2": nw.col("c2h2") / SHARE["c2h2"], "d_o2": D_O2,
    }  # fmt: skip
    hours = hourly(rows, Ratio(amounts["co"], {"NO_CARBON_MONOXIDE": lacks("co")}, {
        f"{name}_of": amount for name, amount in amounts.items()
    }))  # fmt: skip
    hours = history.cached(hours)
    parts = []
    for name in amounts:
        part = hours.select(*PLACE, "hour", nw.lit(name).alias("quantity"), nw.col(f"{name}_of").alias("amount"))
        if name in ("c2h4", "c2h2"):  # in parts of the detection limit
            limit = "orange" if name == "c2h4" else "red"
            part = steps(history, part, F_08.id, name)
            part = part.with_columns((nw.col("amount") / nw.col(limit)).alias("amount"))
        parts.append(part.select(*PLACE, "hour", "quantity", "amount").filter(~lacks("amount")))
    stages = per_hour(history, nw.concat(parts, how="vertical"), PLACE, stage, ("stage",), "amount")
    rows = in_window(history, hours).join(stages.select(*PLACE, "hour", "stage"), on=[*PLACE, "hour"], how="left")
    found = nw.when(~lacks("value") | (nw.col("stage") > 0)).then(nw.col("stage"))
    rows = rows.with_columns(found.alias("_stage"))
    rows = judged(history, rows, F_08.id, ("", nw.col("_stage")))
    shown = nw.col("_stage")
    return index_rows(
        rows,
        F_08,
        value=shown,
        level=nw.col("level"),
        coverage=nw.col("covered"),
        reason=nw.coalesce(nw.col("why"), nw.when(~lacks("value")).then(nw.lit("NO_HISTORY"))),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={f"{name}_ppm": number(nw.col(f"{name}_of"), 2) for name in amounts if name != "d_o2"}
        | {"d_o2_pct": number(D_O2, 3), "samples": number(nw.col("samples"), 0)},
        finding_zh=nw.concat_str(nw.lit("指标气体："), named(shown, _STAGES_ZH)),
        finding_en=nw.concat_str(nw.lit("indicator gases: "), named(shown, _STAGES_EN)),
    )


def stage(series: Series, span: Span) -> dict[str, Floats]:
    """Stage 0 to 5 of each judged hour, from hourly CO above the intake, H2, C2H4, C2H6, C2H2 and the oxygen used.

    C2H4 and C2H2 in parts of their detection limits, the rest in ppm (oxygen in %). NaN where the history is too short
    to know CO's background and nothing else tells.
    """
    nothing = np.full(span.hours, np.nan)
    co, h2, c2h4, c2h6, c2h2, d_o2 = (
        series.get(name, nothing) for name in ("co", "h2", "c2h4", "c2h6", "c2h2", "d_o2")
    )
    found = np.full(len(span.judged), np.nan)
    for row, place in enumerate(span.judged):
        if c2h2[place] >= 1:
            found[row] = 5.0
            continue
        above = _above_background(co, place, _LEAST_ABOVE_PPM)
        if np.isnan(above):
            continue
        reached = _growth(co, place) if above else 0.0
        if above and d_o2[place] >= LEAST_DEFICIENCY_PCT:
            if c2h4[place] >= 1:
                reached = 4.0 if _turned_over(c2h4, c2h6, place) else 3.0
            if _above_background(h2, place, _LEAST_H2_ABOVE_PPM) == 1:
                reached = 4.0
        found[row] = reached
    return {"stage": found}


def _above_background(values: Floats, place: int, least: float) -> float:
    """1 where a value stands above what the two weeks before the last day held, 0 where not, NaN where not known."""
    before = values[max(place + 1 - DAY_H - _BACKGROUND_H, 0) : max(place + 1 - DAY_H, 0)]
    before = before[np.isfinite(before)]
    if len(before) < 3 or not np.isfinite(values[place]):
        return np.nan
    middle = np.median(before)
    scatter = 3 * 1.4826 * np.median(np.abs(before - middle))
    return float(values[place] >= middle + max(scatter, least))


def _growth(co: Floats, place: int) -> float:
    """2 where the last day's growth of CO is twice that of the two days before, 1 where CO grows, else 0.

    Of samples, which come once a day or so, the last week is taken.
    """
    now = slope_per_day(co, place)
    before = slope_per_day(co[: max(place + 1 - DAY_H, 0)], place - DAY_H, 2 * DAY_H)
    if np.isnan(now):
        now = slope_per_day(co, place, _WEEK_H)
    if not now > 0:
        return 0.0
    return 2.0 if before > 0 and now >= _BREAK_TIMES * before else 1.0


def _turned_over(c2h4: Floats, c2h6: Floats, place: int) -> bool:
    week = slice(max(place + 1 - _WEEK_H, 0), place + 1)
    both = (c2h4[week] >= 1) & (c2h6[week] > 0)
    ratio = c2h4[week][both] / c2h6[week][both]
    return len(ratio) >= 3 and bool(both[-1]) and ratio[-1] <= (1 - _TURNED_SHARE) * ratio.max()
