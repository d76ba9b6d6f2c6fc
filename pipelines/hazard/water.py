"""Water: inrush coefficient (W-01) and safe head (W-02), change of inflow (W-03), observation wells (W-04) and rain
(W-05)."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.gas_trend import pressure_by_hour
from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import (
    DAY_H,
    HOUR_US,
    Floats,
    Series,
    Span,
    answer_schema,
    answers_of,
    by_hour,
    family_values,
    hour_grid,
    newest,
    no_point,
    per_hour,
    placed,
    series_of,
    site_rows,
    trailing_count,
    trailing_mean,
)
from minefusion.pipelines.hazard.levels import judged, known_or_raised
from minefusion.pipelines.hazard.rainfall import antecedent_index, fallen, known_share, rain_by_hour
from minefusion.pipelines.hazard.rows import NORMAL, RED, Index, index_rows, number, quoted
from minefusion.schemas.site_hazards import Pump, Sump

# Pressure of a metre of water [MPa], and of air in metres of water [m/kPa].
MPA_PER_M, M_PER_KPA = 0.0098, 1 / 9.80665
MONTH_H = 30 * DAY_H

# ── W-01, W-02 ──────────────────────────────────────────────────────────────────────────────────────────────────────
W_01 = Index(
    id="W-01",
    name_zh="突水系数",
    name_en="water-inrush coefficient",
    unit="MPa/m",
    minutes=60,
    source="Detailed rules on prevention of water in coal mines 2018, appendix, recalled",
    confidence="inferred",
    doc=(
        "Water pressure on the aquiclude under the workings per metre of its thickness, in the worst cell of an area's "
        "grid. Red from 0.06 MPa/m where the floor is disturbed, from 0.10 where it is sound; orange from 0.8, yellow "
        "from 0.6 of it. A well in the cell that reads higher than the declared head counts instead of it."
    ),
    formula=r"T=\frac{P}{M},\quad P=0.0098\,(H_{head}-H_{floor}+M)",
    reads=(
        "aquifer head, floor and aquiclude thickness by cell (site file) [m]",
        "water level of the cell's well [m]",
    ),
    edges=(
        "no aquiclude left (fault, collapse column): red, no infinity",
        "depth of the floor that mining breaks is taken off the thickness only where the site states it",
        "a silent well leaves the declared head",
        "head under the top of the aquifer: no pressure, 0",
    ),
    scenario="water_inrush",
)
W_02 = Index(
    id="W-02",
    name_zh="安全水头",
    name_en="safe head",
    unit="ratio",
    minutes=60,
    source="Detailed rules on prevention of water in coal mines 2018, appendix, recalled",
    confidence="inferred",
    doc=(
        "Water pressure under a roadway's floor as a share of what its aquiclude bears, in the worst cell of an area. "
        "Red from 1."
    ),
    formula=r"\frac{P}{P_{safe}},\quad P_{safe}=2K_p\frac{t^2}{L^2}+\gamma t",
    reads=(
        "as W-01",
        "tensile strength of the aquiclude [MPa], width of the roadway [m], density of the rock [t/m3] (site file)",
    ),
    edges=("no aquiclude left: red, no infinity", "a cell without strength or width is not judged"),
    scenario="water_inrush",
)


def head_pressure_mpa(head_m: nw.Expr, floor_m: nw.Expr, thickness_m: nw.Expr) -> nw.Expr:
    """Water pressure on the top of the aquifer under the floor, P = 0.0098·(H_head − H_floor + M); never under 0."""
    pressure = MPA_PER_M * (head_m - floor_m + thickness_m)
    return nw.when(pressure < 0).then(nw.lit(0.0)).otherwise(pressure)


def inrush_coefficient(pressure_mpa: nw.Expr, thickness_m: nw.Expr, failure_depth_m: nw.Expr) -> nw.Expr:
    """T = P/M [MPa/m], or P/(M − h_p) where the depth that mining breaks is stated; null where nothing is left."""
    left = thickness_m - failure_depth_m.fill_null(0.0)
    return nw.when(left > 0).then(pressure_mpa / left)


def safe_head_mpa(tensile_mpa: nw.Expr, thickness_m: nw.Expr, width_m: nw.Expr, density_t_m3: nw.Expr) -> nw.Expr:
    """P_safe = 2·K_p·t²/L² + γ·t, γ the weight of the rock [MPa/m]; null where no aquiclude is left."""
    bears = 2 * tensile_mpa * thickness_m * thickness_m / (width_m * width_m)
    return nw.when(thickness_m > 0).then(bears + MPA_PER_M * density_t_m3 * thickness_m)


_CELL = pa.schema(
    [(name, pa.string()) for name in ("mine_code", "area_id", "cell_id", "well")]
    + [(name, pa.float64()) for name in ("head_m", "floor_m", "thickness_m", "failure_depth_m", "tensile_mpa")]
    + [("road_width_m", pa.float64()), ("density_t_m3", pa.float64()), ("is_disturbed", pa.bool_())]
)


def _cells(history: History) -> nw.LazyFrame:
    """Cells by hour with the head that counts, its pressure, and W-01's and W-02's values."""
    cells = history.frame(site_rows(history.sites, "aquifer_cells", _CELL.names[1:]), _CELL)
    levels = by_hour(family_values(history, ("water_level",), "water"), "point_id")
    # Wells as they stood at most a day ago.
    found = per_hour(
        history, levels.select("mine_code", "point_id", "quantity", "hour", "value"), ["mine_code", "point_id"],
        lambda series, span: {"level_m": newest(series["water_level"], DAY_H)[span.start - span.first :]}, ("level_m",),
    )  # fmt: skip
    found = found.select("mine_code", nw.col("point_id").alias("well"), "hour", "level_m")
    rows = cells.join(hour_grid(history), how="cross").join(found, on=["mine_code", "well", "hour"], how="left")
    head = nw.max_horizontal("head_m", "level_m")
    thickness = nw.col("thickness_m")
    pressure = head_pressure_mpa(head, nw.col("floor_m"), thickness)
    rows = rows.with_columns(head.alias("_head"), pressure.alias("_pressure"))
    safe = safe_head_mpa(nw.col("tensile_mpa"), thickness, nw.col("road_width_m"), nw.col("density_t_m3"))
    left = thickness - nw.col("failure_depth_m").fill_null(0.0)
    return rows.with_columns(
        inrush_coefficient(nw.col("_pressure"), thickness, nw.col("failure_depth_m")).alias("coefficient"),
        (nw.col("_pressure") / safe).alias("safe_share"),
        (left <= 0).alias("_open"),
        (~nw.col("tensile_mpa").is_null() & ~nw.col("road_width_m").is_null()).alias("_has_strength"),
        nw.when(nw.col("is_disturbed")).then(nw.lit("disturbed")).otherwise(nw.lit("sound")).alias("floor"),
    )


def w01(history: History) -> nw.LazyFrame:
    """Inrush coefficient by area and hour."""
    cells = _cells(history)
    value, floor = nw.col("coefficient"), nw.col("floor")
    cells = judged(
        history, cells, "W-01", *((name, nw.when(floor == name).then(value)) for name in ("disturbed", "sound"))
    )
    return _worst_cells(history, W_01, cells, "coefficient", "突水系数 ", "inrush coefficient ", " MPa/m", 3)


def w02(history: History) -> nw.LazyFrame:
    """Share of the safe head by area and hour."""
    cells = judged(history, _cells(history), "W-02", ("", nw.col("safe_share")))
    cells = cells.with_columns((nw.col("_open") & nw.col("_has_strength")).alias("_open"))
    return _worst_cells(history, W_02, cells, "safe_share", "水压为安全水头的 ", "head over safe head ", "", 2)


def _worst_cells(
    history: History, index: Index, cells: nw.LazyFrame, name: str, zh: str, en: str, unit: str, decimals: int
) -> nw.LazyFrame:
    """An area's row: its worst cell, an open one before all others."""
    key = ["mine_code", "area_id", "hour"]
    is_open, value = nw.col("_open"), nw.col(name)
    level = nw.when(is_open).then(nw.lit(RED)).otherwise(nw.col("level")).cast(nw.Int32)
    cells = history.cached(cells.with_columns(level.alias("level")))
    ranked = nw.when(is_open).then(nw.lit(1e9)).otherwise(nw.col("level").fill_null(-1) * 1000 + value.fill_null(0.0))
    cells = cells.with_columns((-ranked).alias("_rank"), nw.lit(1).alias("_one"))
    cells = cells.with_columns(nw.col("_one").cum_sum().over(*key, order_by=["_rank", "cell_id"]).alias("_n"))
    counted = cells.group_by(*key).agg(
        nw.len().cast(nw.Int64).alias("cells"), is_open.cast(nw.Int64).sum().alias("open_cells")
    )
    rows = cells.filter(nw.col("_n") == 1).join(counted, on=key, how="left").with_columns(
        nw.col("area_id").alias("entity"), no_point().alias("point_id")
    )  # fmt: skip
    shown = nw.concat_str(number(value, decimals), nw.lit(unit))
    lacking = "NO_AQUIFER_GRID" if index is W_01 else "NO_ROAD_STRENGTH"
    return index_rows(
        placed(history, rows),
        index,
        value=value,
        level=nw.col("level"),
        reason=nw.when(is_open).then(nw.lit("NO_AQUICLUDE")).otherwise(nw.lit(lacking)),
        inputs={
            "cell": quoted(nw.col("cell_id")),
            "head_m": number(nw.col("_head"), 2),
            "pressure_mpa": number(nw.col("_pressure"), 3),
            "thickness_m": number(nw.col("thickness_m"), 2),
            "floor": quoted(nw.col("floor")),
            "cells": number(nw.col("cells"), 0),
            "cells_without_aquiclude": number(nw.col("open_cells"), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.when(is_open)
        .then(nw.concat_str(nw.lit("单元 "), nw.col("cell_id"), nw.lit(" 无有效隔水层")))
        .otherwise(nw.concat_str(nw.lit(zh), shown, nw.lit("（单元 "), nw.col("cell_id"), nw.lit("）"))),
        finding_en=nw.when(is_open)
        .then(nw.concat_str(nw.lit("no aquiclude left in cell "), nw.col("cell_id")))
        .otherwise(nw.concat_str(nw.lit(en), shown, nw.lit(" (cell "), nw.col("cell_id"), nw.lit(")"))),
    )


# ── W-03 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Hours of history that a median needs, and hours that a rise must last.
LEAST_HISTORY_H, LASTING_H = DAY_H, 3
# Less than this usually comes to a place that is dry: what comes then is measured against it [m3/h].
DRY_M3_H = 1.0
# Allowance of the cumulative sum, in deviations.
ALLOWANCE = 0.5
INFLOW = (
    "inflow", "change", "lasting", "step", "rate", "median", "cusum", "inflow_day", "inflow_peak", "coverage",
)  # fmt: skip
W_03 = Index(
    id="W-03",
    name_zh="涌水量变化",
    name_en="change of inflow",
    unit="ratio",
    minutes=60,
    source="own start values; drainage margin: Coal Mine Safety Regulation, recalled",
    confidence="advisory",
    doc=(
        "Inflow of the hour over its median of 30 days, less one. Yellow over 0.3 for three hours, orange over 0.6 or "
        "where it doubles within an hour. A sump's row also weighs its pumps: capacity over inflow under 1.2 (a day's "
        "inflow not cleared in 20 hours) is orange, under 1 red."
    ),
    formula=r"r=\frac{Q_{1h}}{\mathrm{med}_{30d}Q}-1,\quad Q=A\,\frac{dh}{dt}+Q_{pump},\quad k=\frac{Q_{cap}}{Q}",
    reads=(
        "inflow [m3/h]",
        "pumped water [m3/h]",
        "running of the pumps",
        "level of the sump [m]",
        "pumps and sumps (site file)",
    ),
    edges=(
        "pumps switch on and off: a sump is judged by its mass balance where its level is measured",
        "without a sump level, or by pumped water alone, by the mean of 24 hours, and no doubling",
        "a pump that has been silent for 3 h: null; one that has told nothing in a month counts as standing",
        "a place that is usually dry: against 1 m3/h, so that water in it is seen",
        "less than 24 hours of history: null",
    ),
    scenario="water_inrush",
)


def inflow_change(hourly: Floats, span: Span) -> dict[str, Floats]:
    """INFLOW of a series of hourly inflow [m³/h] over the judged hours."""
    found = {name: np.full(span.end - span.start, np.nan) for name in INFLOW}
    change = np.full(len(hourly), np.nan)
    start = span.start - span.first
    for place in range(max(start - LASTING_H, 0), len(hourly)):
        before = hourly[max(place - MONTH_H, 0) : place]
        before = before[np.isfinite(before)]
        if len(before) < LEAST_HISTORY_H:
            continue
        median = float(np.median(before))
        change[place] = (hourly[place] - median) / max(median, DRY_M3_H)
        if place < start:
            continue
        n = place - start
        spread = 1.4826 * float(np.median(np.abs(before - median)))
        found["median"][n] = median
        found["cusum"][n] = cusum((before - median) / spread) if spread > 0 else np.nan
        found["lasting"][n] = change[max(place - LASTING_H + 1, 0) : place + 1].min() if place >= LASTING_H else np.nan
    before = np.concatenate([[np.nan], hourly[:-1]])
    step = hourly / np.maximum(before, DRY_M3_H)
    day = np.array([hourly[max(p - DAY_H + 1, 0) : p + 1] for p in span.judged])
    peak = np.where(np.isfinite(day).any(axis=1), np.nanmax(np.nan_to_num(day, nan=-1.0), axis=1), np.nan)
    return found | {
        "inflow": hourly[start:], "change": change[start:], "step": step[start:], "rate": (hourly - before)[start:],
        "inflow_day": trailing_mean(hourly, DAY_H)[start:], "inflow_peak": peak,
        "coverage": np.isfinite(hourly[start:]).astype(float),
    }  # fmt: skip


def cusum(residuals: Floats) -> float:
    """One-sided cumulative sum S = max(0, S + residual − 0.5) after the last residual, in deviations."""
    total = 0.0
    for residual in residuals:
        total = max(0.0, total + residual - ALLOWANCE)
    return total


def sump_inflow_m3_h(level_m: Floats, pumped_m3_h: Floats, surface_m2: float) -> Floats:
    """Inflow by mass balance Q = A·dh/dt + pumped, hour by hour; NaN where level or pumps are silent."""
    rise = level_m - np.concatenate([[np.nan], level_m[:-1]])
    return surface_m2 * rise + pumped_m3_h


def w03(history: History) -> nw.LazyFrame:
    """Inflow by meter and by sump, by hour."""
    flows = by_hour(family_values(history, ("water_inflow", "water_drained"), "water"), "point_id")
    meters = history.cached(_metered(history, flows))
    sumps = history.cached(_sumps(history, flows))
    rows = nw.concat([meters, sumps], how="vertical")
    rows = judged(
        history,
        rows,
        "W-03",
        ("lasting", nw.col("lasting")),
        ("", nw.col("change")),
        ("doubling", nw.col("step")),
        ("margin", nw.col("margin")),
    )
    change, inflow, margin = nw.col("change"), nw.col("inflow"), nw.col("margin")
    level = known_or_raised(nw.col("level"), change)
    percent = number(100 * change, 0)
    return index_rows(
        placed(history, rows, "水仓", "sump"),
        W_03,
        value=change,
        level=level,
        coverage=nw.col("coverage"),
        reason=nw.when(~inflow.is_null()).then(nw.lit("NO_HISTORY")),
        inputs={
            "inflow_m3_h": number(inflow, 2),
            "median_m3_h": number(nw.col("median"), 2),
            "rate_m3_h2": number(nw.col("rate"), 2),
            "cusum": number(nw.col("cusum"), 1),
            "capacity_over_inflow": number(margin, 2),
            "working_m3_h": number(nw.col("working"), 0),
            "with_standby_m3_h": number(nw.col("with_standby"), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(
            nw.lit("涌水量 "), number(inflow, 1), nw.lit(" m³/h，较 30 d 中位数变化 "), percent, nw.lit(" %"),
            nw.concat_str(nw.lit("，排水能力为涌水量的 "), number(margin), nw.lit(" 倍")).fill_null(""),
        ),
        finding_en=nw.concat_str(
            nw.lit("inflow "), number(inflow, 1), nw.lit(" m³/h, "), percent, nw.lit(" % from the median of 30 d"),
            nw.concat_str(nw.lit(", pumps for "), number(margin), nw.lit(" times that")).fill_null(""),
        ),
    )  # fmt: skip


_MARGINS = ("margin", "working", "with_standby")
# The state of a pump holds for so many hours.
PUMP_HELD_H = 3
_PUMP = "pump "


def _metered(history: History, flows: nw.LazyFrame) -> nw.LazyFrame:
    """Meters of inflow by the hour; meters of pumped water, which comes in bursts, by the mean of 24 hours."""

    def judge(series: Series, span: Span) -> dict[str, Floats]:
        inflow = series.get("water_inflow")
        if inflow is not None:
            return inflow_change(inflow, span)
        return inflow_change(_steady(series["water_drained"]), span) | {"step": np.full(span.end - span.start, np.nan)}

    keys = ["mine_code", "area_id", "point_id"]
    rows = per_hour(history, flows.select(*keys, "quantity", "hour", "value"), keys, judge, INFLOW)
    none = [nw.lit(None, dtype=nw.Float64).alias(name) for name in _MARGINS]
    return _ordered(rows.with_columns(nw.col("point_id").alias("entity"), *none))


def _ordered(rows: nw.LazyFrame) -> nw.LazyFrame:
    names = ["mine_code", "area_id", "point_id", "entity", "hour", "window_start", *INFLOW, *_MARGINS]
    return rows.select(*names)


def _sumps(history: History, flows: nw.LazyFrame) -> nw.LazyFrame:
    """Sumps by mass balance, with what their pumps can do against what comes in."""
    facts = _sump_facts(history)
    schema = pa.schema(
        [(name, pa.string()) for name in ("mine_code", "area_id", "sump_id", "point_id", "quantity")]
        + [("factor", pa.float64())]
    )
    members = [
        {"mine_code": mine, "area_id": sump.area_id, "sump_id": sump.sump_id, "point_id": point_id}
        | {"quantity": role, "factor": factor}
        for (mine, _), (sump, pumps, _) in facts.items()
        for point_id, role, factor in [
            (sump.level_point, "level", 1.0),
            *((pump.point_code, _PUMP + pump.point_code, pump.capacity_m3_h) for pump in pumps),
        ]
    ]  # fmt: skip
    key = ["mine_code", "area_id", "sump_id"]
    of_members = history.frame(members, schema)
    switches = family_values(history, ("equipment_on", "water_level", "liquid_level"), "water", "equipment")
    values = switches.with_columns((nw.col("observed_us") // HOUR_US).cast(nw.Int64).alias("hour"))
    values = values.group_by("mine_code", "point_id", "hour").agg(nw.col("value").mean().alias("_mean"))
    rows = of_members.join(values, on=["mine_code", "point_id"], how="inner")
    rows = rows.with_columns((nw.col("_mean") * nw.col("factor")).alias("value"))
    metered = flows.filter(nw.col("quantity") == "water_inflow").group_by("mine_code", "hour").agg(
        nw.col("value").sum().alias("value")
    )  # fmt: skip
    # What meters tell of the mine counts for a sump whose pumps are known; of a silent one at least the others'.
    of_mine = rows.select(*key).unique().join(metered, on="mine_code", how="inner")
    names = [*key, "quantity", "hour", "value"]
    series = nw.concat(
        [rows.select(*names), of_mine.with_columns(nw.lit("metered").alias("quantity")).select(*names)], how="vertical"
    )
    span = Span.of(history.window)

    def of_sump(group: pa.Table) -> pa.Table:
        sump, pumps, share = facts[group["mine_code"][0].as_py(), group["sump_id"][0].as_py()]
        found = _judge_sump(series_of(group, span), span, sump, pumps, share)
        return answers_of(group, key, span, found, (*INFLOW, *_MARGINS))

    found = history.grouped(series, key, of_sump, answer_schema(key, (*INFLOW, *_MARGINS)))
    found = found.join(hour_grid(history), on="hour", how="inner")
    return _ordered(found.with_columns(nw.col("sump_id").alias("entity"), no_point().alias("point_id")))


def _sump_facts(history: History) -> dict[tuple[str, str], tuple[Sump, list[Pump], float]]:
    """Mine and sump → the sump, its pumps, and its share of all the mine's pumps."""
    facts = {}
    for mine, site in history.sites.items():
        if site is None:
            continue
        for sump in site.sumps:
            pumps = [pump for pump in site.pumps if pump.sump_id == sump.sump_id]
            every = sum(pump.capacity_m3_h for pump in site.pumps)
            share = sum(pump.capacity_m3_h for pump in pumps) / every if every else 1.0
            facts[mine, sump.sump_id] = (sump, pumps, share)
    return facts


def _judge_sump(series: Series, span: Span, sump: Sump, pumps: Sequence[Pump], share: float) -> dict[str, Floats]:
    """INFLOW of a sump, and its pumps' capacity over it.

    Args:
        series: hourly `level` [m], water lifted by each pump [m³/h] and `metered`, the mine's metered inflow [m³/h], as
            far as known.
        share: of the mine's inflow that comes to this sump.
    """
    hours, silent = span.end - span.start, np.full(span.hours, np.nan)
    level, metered = (series.get(name, silent) for name in ("level", "metered"))
    # A pump that fell silent may lift or stand: what comes in is not known then.
    lifted = [newest(values, PUMP_HELD_H) for name, values in series.items() if name.startswith(_PUMP)]
    pumped = np.sum(lifted, axis=0) if lifted else silent
    if np.isfinite(level).any():
        found = inflow_change(sump_inflow_m3_h(level, pumped, sump.surface_m2), span)
    else:
        found = inflow_change(_steady(pumped), span) | {"step": np.full(hours, np.nan)}
    # Pumps that run without a pause tell no more than their capacity: a meter may tell of more that comes in.
    coming = inflow_change(share * metered, span)
    day, peak = (np.fmax(found[name], coming[name]) for name in ("inflow_day", "inflow_peak"))
    working = sum(pump.capacity_m3_h for pump in pumps if not pump.is_standby)
    every = sum(pump.capacity_m3_h for pump in pumps)
    margin = drainage_margin(day, peak, working, every)
    return found | {"margin": margin, "working": np.full(hours, working), "with_standby": np.full(hours, every)}


def drainage_margin(normal_m3_h: Floats, peak_m3_h: Floats, working_m3_h: float, every_m3_h: float) -> Floats:
    """The smaller of working pumps over normal inflow and all pumps over the highest; 1.2 clears 24 hours in 20."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.fmin(
            np.where(normal_m3_h > 0, working_m3_h / normal_m3_h, np.nan),
            np.where(peak_m3_h > 0, every_m3_h / peak_m3_h, np.nan),
        )


def _steady(pumped: Floats) -> Floats:
    """What comes in bursts, as the mean of 24 hours."""
    return np.where(trailing_count(pumped, DAY_H) >= 0.75 * DAY_H, trailing_mean(pumped, DAY_H), np.nan)


# ── W-04 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Wells of one aquifer that fall together do so within so many hours.
TOGETHER_H = 6
WELL = ("level_m", "fall_1h", "fall_6h", "fall_24h")
W_04 = Index(
    id="W-04",
    name_zh="观测孔水位降幅",
    name_en="observation-well level",
    unit="m",
    minutes=60,
    source="own start values",
    confidence="advisory",
    doc=(
        "Fall of a well's level over 24 hours, freed of what air pressure does to it. Orange where at least two wells "
        "of one aquifer fall within six hours: the aquifer loses water to the mine."
    ),
    formula=r"\Delta H_{24}=H_{corr}(t-24h)-H_{corr}(t),\quad H_{corr}=H+BE\,\frac{\Delta P}{\rho g}",
    reads=(
        "water level of observation wells [m]",
        "air pressure [kPa]",
        "aquifer and barometric efficiency (site file)",
    ),
    edges=(
        "no barometer: the level as it is",
        "where the site file names no well each stands alone; where it names some, the others do not count",
        "a rising level is a negative fall",
        "a level older than 3 h: null",
    ),
    scenario="water_inrush",
)


def corrected_level_m(level_m: Floats, pressure_kpa: Floats, efficiency: float) -> Floats:
    """H_corr = H + BE·ΔP/(ρg), ΔP from the mean pressure; an hour without pressure stays as it is."""
    known = np.isfinite(pressure_kpa)
    usual = float(pressure_kpa[known].mean()) if known.any() else 0.0
    return level_m + efficiency * M_PER_KPA * np.where(known, pressure_kpa - usual, 0.0)


def _judge_well(level_m: Floats, pressure_kpa: Floats, efficiency: float, span: Span) -> dict[str, Floats]:
    """WELL of a well: its level as measured, and its falls freed of the air pressure."""
    start = span.start - span.first
    level = newest(corrected_level_m(level_m, pressure_kpa, efficiency), 3)
    falls = {
        f"fall_{hours}h": (np.concatenate([np.full(hours, np.nan), level[:-hours]]) - level)[start:]
        for hours in (1, TOGETHER_H, DAY_H)
    }
    return {"level_m": newest(level_m, 3)[start:]} | falls


def w04(history: History) -> nw.LazyFrame:
    """Fall of each well by hour."""
    wells = {
        (row["mine_code"], row["point_code"]): row
        for row in site_rows(history.sites, "water_wells", ("point_code", "aquifer", "barometric_efficiency"))
    }
    mines_with_wells = {mine for mine, _ in wells}
    levels = by_hour(family_values(history, ("water_level",), "water"), "point_id")
    keys = ["mine_code", "area_id", "point_id"]
    levels = levels.select(*keys, "quantity", "hour", "value")
    pressure = pressure_by_hour(history).with_columns(nw.lit("pressure").alias("quantity"))
    of_wells = levels.select(*keys).unique().join(
        pressure.select("mine_code", "quantity", "hour", "value"), on="mine_code", how="inner"
    )  # fmt: skip
    series = nw.concat([levels, of_wells.select(*keys, "quantity", "hour", "value")], how="vertical")
    span = Span.of(history.window)

    def of_well(group: pa.Table) -> pa.Table:
        mine, point = group["mine_code"][0].as_py(), group["point_id"][0].as_py()
        if mine in mines_with_wells and (mine, point) not in wells:
            return answer_schema(keys, WELL).empty_table()
        known = series_of(group, span)
        efficiency = wells[mine, point]["barometric_efficiency"] if (mine, point) in wells else 0.0
        air_kpa = known.get("pressure", np.full(span.hours, np.nan)) / 1000
        return answers_of(group, keys, span, _judge_well(known["water_level"], air_kpa, efficiency, span), WELL)

    found = history.grouped(series, keys, of_well, answer_schema(keys, WELL))
    schema = pa.schema([(name, pa.string()) for name in ("mine_code", "point_id", "aquifer")])
    aquifers = [
        {"mine_code": mine, "point_id": point, "aquifer": row["aquifer"]} for (mine, point), row in wells.items()
    ]
    rows = found.join(hour_grid(history), on="hour", how="inner")
    rows = rows.join(history.frame(aquifers, schema), on=["mine_code", "point_id"], how="left")
    # The second deepest fall in an aquifer is what two wells share; a well without an aquifer shares nothing.
    together = ["mine_code", "aquifer", "hour"]
    fall_6h = nw.col("fall_6h")
    ranked = rows.filter(~nw.col("aquifer").is_null(), ~fall_6h.is_null())
    ranked = ranked.with_columns((-fall_6h).alias("_rank"), nw.lit(1).alias("_one"))
    ranked = ranked.with_columns(nw.col("_one").cum_sum().over(*together, order_by=["_rank", "point_id"]).alias("_n"))
    second = ranked.filter(nw.col("_n") == 2).select(*together, fall_6h.alias("_second"))
    rows = rows.join(second, on=together, how="left").with_columns(
        nw.when(~nw.col("_second").is_null() & ~fall_6h.is_null())
        .then(nw.min_horizontal("fall_6h", "_second"))
        .alias("shared_fall"),
        nw.col("point_id").alias("entity"),
    )
    rows = history.cached(rows)
    fall, shared = nw.col("fall_24h"), nw.col("shared_fall")
    rows = judged(history, rows, "W-04", ("", fall), ("together", shared))
    level = nw.col("level_m")
    return index_rows(
        placed(history, rows),
        W_04,
        value=fall,
        level=known_or_raised(nw.col("level"), fall),
        reason=nw.when(~level.is_null()).then(nw.lit("NO_HISTORY")),
        inputs={
            "level_m": number(level, 3),
            "fall_1h_m": number(nw.col("fall_1h"), 3),
            "fall_6h_m": number(fall_6h, 3),
            "shared_by_two_wells_m": number(shared, 3),
            "aquifer": quoted(nw.col("aquifer")),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(
            nw.lit("水位 "), number(level), nw.lit(" m，24 h 下降 "), nw.coalesce(number(fall), nw.lit("?")),
            nw.lit(" m"),
        ),
        finding_en=nw.concat_str(
            nw.lit("level "), number(level), nw.lit(" m, fallen by "), nw.coalesce(number(fall), nw.lit("?")),
            nw.lit(" m in 24 h"),
        ),
    )  # fmt: skip


# ── W-05 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Inflow answers rain within so many days; a model of it needs so many.
LONGEST_LAG_D, LEAST_DAYS = 10, 14
RAIN = ("rain_day", "antecedent", "lag_d", "correlation", "residual_z", "coverage")
W_05 = Index(
    id="W-05",
    name_zh="降雨与涌水响应",
    name_en="rain and inflow",
    unit="mm",
    minutes=60,
    source="rainstorm class of the weather service, recalled; own start values of the residual",
    confidence="inferred",
    doc=(
        "Rain of the last 24 hours over the mine: from 50 mm (rainstorm) a caution where the workings are shallow or "
        "floods can come in. Beside it the antecedent index, after how many days the inflow follows the rain, and how "
        "far today's inflow stands from what the rain explains."
    ),
    formula=r"API_t=0.85\,API_{t-1}+P_t,\quad z=\frac{Q_d-(a+b\,API_{d-\tau})}{1.4826\,\mathrm{MAD}}",
    reads=("rainfall [mm]", "inflow [m3/h]", "whether rain is a hazard underground (site file)"),
    edges=(
        "a reading is the rain since the one before it",
        "several gauges: their mean",
        "a mine that says that rain is no hazard: told, never judged",
        "less than 14 days of inflow: no residual",
    ),
    scenario="water_inrush",
)


def rain_response(rain_mm: Floats, inflow_m3_h: Floats) -> tuple[float, float, float]:
    """Lag [d] and correlation of inflow behind rain, and how far the last day's inflow is off what rain explains.

    Args:
        rain_mm, inflow_m3_h: by day, the last one today; NaN where not known.
    Returns:
        Lag, correlation, and residual of today in robust deviations of those before; NaN with too few days.
    """
    known = np.isfinite(inflow_m3_h)
    if known.sum() < LEAST_DAYS or not known[-1]:
        return np.nan, np.nan, np.nan
    index = antecedent_index(rain_mm)
    best = (np.nan, np.nan)
    for lag in range(LONGEST_LAG_D + 1):
        x, y = index[: len(index) - lag], inflow_m3_h[lag:]
        both = np.isfinite(y)
        if both.sum() < LEAST_DAYS or np.ptp(x[both]) == 0 or np.ptp(y[both]) == 0:
            continue
        correlation = float(np.corrcoef(x[both], y[both])[0, 1])
        if np.isnan(best[1]) or correlation > best[1] + 1e-12:
            best = (float(lag), correlation)
    lag = 0 if np.isnan(best[0]) else int(best[0])
    x, y = index[: len(index) - lag], inflow_m3_h[lag:]
    before = np.isfinite(y)
    before[-1] = False
    slope, base = np.polyfit(x[before], y[before], 1) if np.ptp(x[before]) > 0 else (0.0, float(y[before].mean()))
    residuals = y - (base + slope * x)
    spread = 1.4826 * float(np.median(np.abs(residuals[before] - np.median(residuals[before]))))
    z = float(residuals[-1] - np.median(residuals[before])) / spread if spread > 0 else np.nan
    return best[0], best[1], z


def _judge_rain(series: Series, span: Span) -> dict[str, Floats]:
    silent = np.full(span.hours, np.nan)
    rain, inflow = (series.get(name, silent) for name in ("rainfall", "water_inflow"))
    found = {name: np.full(span.end - span.start, np.nan) for name in RAIN}
    found["rain_day"] = fallen(rain, DAY_H)[span.start - span.first :]
    found["coverage"] = known_share(rain, DAY_H)[span.start - span.first :]
    daily_rain, daily_inflow = fallen(rain, DAY_H), trailing_mean(inflow, DAY_H)
    for n, place in enumerate(span.judged):
        days = np.arange(place % DAY_H, place + 1, DAY_H)[-30:]
        found["antecedent"][n] = antecedent_index(daily_rain[days])[-1]
        lag, correlation, z = rain_response(daily_rain[days], daily_inflow[days])
        found["lag_d"][n], found["correlation"][n], found["residual_z"][n] = lag, correlation, z
    return found


def w05(history: History) -> nw.LazyFrame:
    """Rain and inflow of the mine by hour."""
    gauges = rain_by_hour(history, "water", "slope", "tailings")
    rain = gauges.group_by("mine_code", "quantity", "hour").agg(nw.col("value").mean().alias("value"))
    flows = by_hour(family_values(history, ("water_inflow",), "water"), "point_id")
    inflow = flows.group_by("mine_code", "quantity", "hour").agg(nw.col("value").sum().alias("value"))
    inflow = inflow.join(rain.select("mine_code").unique(), on="mine_code", how="inner")
    names = ["mine_code", "quantity", "hour", "value"]
    series = nw.concat([rain.select(*names), inflow.select(*names)], how="vertical")
    prone = [{"mine_code": mine, "prone": site is None or site.rain_prone} for mine, site in history.sites.items()]
    schema = pa.schema([("mine_code", pa.string()), ("prone", pa.bool_())])
    found = per_hour(history, series, ["mine_code"], _judge_rain, RAIN)
    rows = found.join(history.frame(prone, schema), on="mine_code", how="left").with_columns(
        nw.col("mine_code").alias("area_id"), nw.col("mine_code").alias("entity"), no_point().alias("point_id")
    )
    rows = history.cached(rows)
    day, z = nw.col("rain_day"), nw.col("residual_z")
    is_prone = nw.col("prone").fill_null(True)
    rows = judged(history, rows, "W-05", ("", nw.when(is_prone).then(day)), ("residual", nw.when(is_prone).then(z)))
    rows = rows.with_columns(nw.when(~day.is_null()).then(nw.col("level").fill_null(NORMAL)).alias("level"))
    return index_rows(
        placed(history, rows),
        W_05,
        value=day,
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        inputs={
            "antecedent_mm": number(nw.col("antecedent"), 1),
            "lag_d": number(nw.col("lag_d"), 0),
            "correlation": number(nw.col("correlation"), 2),
            "inflow_off_model": number(z, 2),
            "rain_prone": nw.when(is_prone).then(nw.lit("true")).otherwise(nw.lit("false")),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("24 h 降雨 "), number(day, 1), nw.lit(" mm")),
        finding_en=nw.concat_str(number(day, 1), nw.lit(" mm of rain in 24 h")),
    )
