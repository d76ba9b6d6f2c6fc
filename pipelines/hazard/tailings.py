"""Tailings ponds: phreatic line (S-06), dry beach and freeboard (S-07), pool level and banks (S-08), and the four
colours of the whole facility (S-09)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import (
    DAY_H,
    HOUR_US,
    Floats,
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
)
from minefusion.pipelines.hazard.levels import judged, steps
from minefusion.pipelines.hazard.rows import (
    BLUE,
    NORMAL,
    ORANGE,
    RED,
    YELLOW,
    Index,
    index_rows,
    number,
    quoted,
    rising_level,
)
from minefusion.pipelines.hazard.slope import s01, s05
from minefusion.schemas.levels import NAMES

_AREA, _POINT = ["mine_code", "area_id"], ["mine_code", "area_id", "point_id"]
MONTH_H = 30 * DAY_H
# A level older than this says nothing of the pond.
FRESH_H = 6
_DAM_TEXTS = ("mine_code", "area_id", "dam_id", "kind")
_DAM_NUMBERS = (
    "grade", "height_m", "crest_m", "beach_slope_pct", "operating_level_m", "flood_control_level_m",
    "design_flood_level_m", "bank_red_mm",
)  # fmt: skip
_DAM = pa.schema([(name, pa.string()) for name in _DAM_TEXTS] + [(name, pa.float64()) for name in _DAM_NUMBERS])


def _dams(history: History) -> nw.LazyFrame:
    rows = site_rows(history.sites, "tailings_dams", (*_DAM_TEXTS[1:], *_DAM_NUMBERS))
    return history.frame([{**row, "grade": float(row["grade"])} for row in rows], _DAM)


def _of_ponds(history: History, quantity: str) -> nw.LazyFrame:
    """Hourly values of one quantity of the ponds' points."""
    hours = by_hour(family_values(history, (quantity,), "tailings"), "point_id")
    return hours.select(*_POINT, "quantity", "hour", "value")


# ── S-06 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Least depth of the phreatic line [m] by height of the dam [m], after GB 50863, recalled; between them straight lines.
LEAST_DEPTH_M = ((30.0, 2.0), (60.0, 4.0), (100.0, 6.0), (150.0, 8.0), (200.0, 10.0))
# A tube is clogged that moves less than this [m] in a month in which the pool moves more than that.
TUBE_STILL_M, POOL_MOVES_M = 0.02, 0.5
# A tube has drifted that differs so much [m] from a depth measured by hand in the month.
DRIFT_M = 0.3
TUBE = ("depth_m", "clogged", "drifted", "change_m")
S_06 = Index(
    id="S-06",
    name_zh="浸润线",
    name_en="phreatic line",
    unit="ratio",
    minutes=60,
    source="list of major hidden dangers of tailings ponds 2022; monitoring standard, note 8.3.4",
    confidence="confirmed",
    doc=(
        "Depth of the phreatic line at a piezometer over its control depth. Under 1 red: by the list of major hidden "
        "dangers the line is too high. Under 1.1 orange; 1.2 yellow and 1.3 blue are our own early steps. The control "
        "depth is the design's, else the least one for the dam's height."
    ),
    formula=r"k=\frac{d}{d_c}",
    reads=(
        "depth of the phreatic line [m]",
        "control depth or height of the dam (site file) [m]",
        "pool level [m]",
        "depth by hand (field record) [m]",
    ),
    edges=(
        "a tube that stands still for 30 days while the pool moves is clogged: null",
        "0.3 m and more off the last measurement by hand: drifted, null",
        "heights between those of the table: straight lines; from 200 m on 10 m",
        "older than 6 h: null",
    ),
    scenario="dam_high_water",
)


def least_depth_m(height_m: float) -> float:
    """Least depth of the phreatic line under the outer slope of a dam of this height [m]."""
    heights, depths = zip(*LEAST_DEPTH_M, strict=True)
    return float(np.interp(height_m, heights, depths))


def _judge_tube(series: Mapping[str, Floats], span: Span) -> Mapping[str, Floats]:
    silent = np.full(span.hours, np.nan)
    depth, pool, manual = (series.get(name, silent) for name in ("phreatic_line", "reservoir_level", "by_hand"))
    start = span.start - span.first
    found = {name: np.full(span.end - span.start, np.nan) for name in TUBE}
    found["depth_m"] = newest(depth, FRESH_H)[start:]
    at_hand = newest(manual, MONTH_H)
    for n, place in enumerate(span.judged):
        month = slice(max(place + 1 - MONTH_H, 0), place + 1)
        found["clogged"][n] = float(is_clogged(depth[month], pool[month]))
        when = np.flatnonzero(np.isfinite(manual[month]))
        beside = depth[month][when[-1]] if len(when) else np.nan
        found["drifted"][n] = float(abs(beside - at_hand[place]) >= DRIFT_M) if np.isfinite(beside) else 0.0
        found["change_m"][n] = depth[place] - depth[place - DAY_H]
    return found


def is_clogged(depth_m: Floats, pool_m: Floats) -> bool:
    """Whether a tube has not answered the pool for a month: half the hours of both must be known."""
    depth, pool = (each[np.isfinite(each)] for each in (depth_m, pool_m))
    if min(len(depth), len(pool)) < MONTH_H // 2:
        return False
    return bool(np.ptp(depth) < TUBE_STILL_M and np.ptp(pool) >= POOL_MOVES_M)


def s06(history: History) -> nw.LazyFrame:
    """Phreatic line by piezometer and hour."""
    tubes = _of_ponds(history, "phreatic_line")
    points = tubes.select(*_POINT).unique()
    highest_pool = nw.col("value").max().alias("value")
    pool = _of_ponds(history, "reservoir_level").group_by(*_AREA, "quantity", "hour").agg(highest_pool)
    by_hand = history.feeds.records.filter(nw.col("kind") == "phreatic_check", ~nw.col("value").is_null()).select(
        "mine_code", nw.col("sample_id").alias("point_id"),
        (nw.col("observed_us") // HOUR_US).cast(nw.Int64).alias("hour"), "value",
    )  # fmt: skip
    by_hand = by_hand.group_by("mine_code", "point_id", "hour").agg(nw.col("value").mean().alias("value"))
    by_hand = by_hand.with_columns(nw.lit("by_hand").alias("quantity"))
    names = [*_POINT, "quantity", "hour", "value"]
    parts = [
        tubes,
        points.join(pool, on=_AREA, how="inner").select(*names),
        points.join(by_hand, on=["mine_code", "point_id"], how="inner").select(*names),
    ]
    found = per_hour(history, nw.concat(parts, how="vertical"), _POINT, _judge_tube, TUBE)
    rows = found.join(history.frame(*_control_depths(history)), on=["mine_code", "point_id"], how="left")
    least = pa.schema([("mine_code", pa.string()), ("area_id", pa.string()), ("least_m", pa.float64())])
    # Of several dams around a pond the highest asks the most.
    highest: dict[tuple[str, str], float] = {}
    for dam in site_rows(history.sites, "tailings_dams", ("area_id", "height_m")):
        pond = dam["mine_code"], dam["area_id"]
        highest[pond] = max(highest.get(pond, 0.0), dam["height_m"])
    told = [
        {"mine_code": mine, "area_id": area, "least_m": least_depth_m(height)}
        for (mine, area), height in highest.items()
    ]
    rows = rows.join(history.frame(told, least), on=_AREA, how="left")
    control = nw.coalesce("control_m", "least_m")
    rows = rows.with_columns(control.alias("_control"), nw.col("point_id").alias("entity"))
    clogged, drifted = nw.col("clogged") == 1, nw.col("drifted") == 1
    depth = nw.col("depth_m")
    ratio = nw.when(~(clogged | drifted)).then(depth / nw.col("_control"))
    rows = history.cached(rows.with_columns(ratio.alias("_ratio")))
    share = nw.col("_ratio")
    rows = judged(history, rows, "S-06", ("", share), ("early", share))
    reason = nw.when(drifted).then(nw.lit("DRIFTED")).otherwise(
        nw.when(nw.col("_control").is_null()).then(nw.lit("NO_CONTROL_LINE"))
    )  # fmt: skip
    reason = nw.when(clogged).then(nw.lit("CLOGGED_TUBE")).otherwise(reason)
    return index_rows(
        placed(history, rows),
        S_06,
        value=share,
        level=nw.col("level"),
        reason=nw.when(~depth.is_null()).then(reason),
        legal=share < 1.0,
        inputs={
            "depth_m": number(depth, 2),
            "control_depth_m": number(nw.col("_control"), 2),
            "design_states_it": nw.when(nw.col("control_m").is_null()).then(nw.lit("false")).otherwise(nw.lit("true")),
            "change_24h_m": number(nw.col("change_m"), 3),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(
            nw.lit("浸润线埋深 "), number(depth), nw.lit(" m，为控制埋深 "), number(nw.col("_control")),
            nw.lit(" m 的 "), number(share), nw.lit(" 倍"),
        ),
        finding_en=nw.concat_str(
            nw.lit("phreatic line "), number(depth), nw.lit(" m deep, "), number(share),
            nw.lit(" of the control depth "), number(nw.col("_control")), nw.lit(" m"),
        ),
    )  # fmt: skip


def _control_depths(history: History) -> tuple[list[dict], pa.Schema]:
    schema = pa.schema([("mine_code", pa.string()), ("point_id", pa.string()), ("control_m", pa.float64())])
    told = site_rows(history.sites, "control_depths", ("point_code", "depth_m"))
    rows = [
        {"mine_code": each["mine_code"], "point_id": each["point_code"], "control_m": each["depth_m"]} for each in told
    ]
    return rows, schema


# ── S-07, S-08 ──────────────────────────────────────────────────────────────────────────────────────────────────────
S_07 = Index(
    id="S-07",
    name_zh="干滩长度与安全超高",
    name_en="dry beach and freeboard",
    unit="m",
    minutes=60,
    source="GB 50863 and GB 39496, recalled",
    confidence="inferred",
    doc=(
        "The shortest measured dry beach of a dam, or crest less pool level over the beach's slope where none is "
        "measured; and its freeboard, crest less pool level. Each red under the least value of the dam's kind and "
        "grade; orange comes from the flood-routing storage of the design, in the site file."
    ),
    formula=r"L=\frac{H_{crest}-H_{pool}}{i},\quad h=H_{crest}-H_{pool}",
    reads=("dry-beach length [m]", "pool level [m]", "crest, beach slope, kind and grade of the dam (site file)"),
    edges=(
        "several beach points: the shortest",
        "no beach measured: from pool level and slope",
        "pool level older than 6 h: null",
    ),
    scenario="dam_high_water",
)
S_08 = Index(
    id="S-08",
    name_zh="库水位与库岸滑坡",
    name_en="pool level and banks",
    unit="m",
    minutes=60,
    source="design levels in the site file; monitoring standard of tailings ponds, notes 8.3.6 and 8.3.8",
    confidence="confirmed",
    doc=(
        "Pool level against the design: from the operating level on yellow, the pre-flood control level orange, the "
        "design flood level red. And displacement of the pond's points over the red value that the design gives for "
        "its banks: 0.8 of it orange, all of it red."
    ),
    formula=r"H\ge H_{op},\,H_{ctl},\,H_{des};\quad \frac{|d|}{d_{red}}\ge 0.8,\,1",
    reads=("pool level [m]", "surface displacement [mm]", "design levels and bank displacement (site file)"),
    edges=(
        "levels that the site file leaves out are no steps",
        "several level points: the highest",
        "older than 6 h: null",
    ),
    scenario="dam_high_water",
)


def beach_from_pool_m(crest_m: nw.Expr, pool_m: nw.Expr, slope_pct: nw.Expr) -> nw.Expr:
    """Dry-beach length L = (crest − pool)/slope [m]; never under 0."""
    length = 100 * (crest_m - pool_m) / slope_pct
    return nw.when(length < 0).then(nw.lit(0.0)).otherwise(length)


def _pond_by_hour(history: History) -> nw.LazyFrame:
    """Each dam by hour with pool_m (highest), beach_m (shortest measured) and displaced_mm (largest) of its area."""
    keys = ["mine_code", "area_id"]
    parts = []
    for quantity, worst in (("reservoir_level", "max"), ("dry_beach_length", "min")):
        values = _of_ponds(history, quantity).group_by(*keys, "quantity", "hour")
        parts.append(values.agg(getattr(nw.col("value"), worst)().alias("value")))
    span = Span.of(history.window)

    def of_area(group: pa.Table) -> pa.Table:
        series, silent = series_of(group, span), np.full(span.hours, np.nan)
        start = span.start - span.first
        found = {
            "pool_m": newest(series.get("reservoir_level", silent), FRESH_H)[start:],
            "beach_m": newest(series.get("dry_beach_length", silent), FRESH_H)[start:],
        }
        return answers_of(group, keys, span, found, ("pool_m", "beach_m"))

    names = [*keys, "quantity", "hour", "value"]
    series = nw.concat([part.select(*names) for part in parts], how="vertical")
    found = history.grouped(series, keys, of_area, answer_schema(keys, ("pool_m", "beach_m")))
    # A radar counts what comes towards it down: a bank that moves is as bad either way.
    moved = history.motion.group_by(*keys, "hour").agg(nw.col("displacement_mm").abs().max().alias("displaced_mm"))
    rows = _dams(history).join(hour_grid(history), how="cross")
    rows = rows.join(found, on=[*keys, "hour"], how="left").join(moved, on=[*keys, "hour"], how="left")
    return rows.with_columns(no_point().alias("point_id"))


def s07(history: History) -> nw.LazyFrame:
    """Beach and freeboard by dam and hour."""
    rows = _pond_by_hour(history)
    pool, beach, crest = nw.col("pool_m"), nw.col("beach_m"), nw.col("crest_m")
    from_pool = beach_from_pool_m(crest, pool, nw.col("beach_slope_pct"))
    upstream = nw.col("kind") == "upstream"
    grade = nw.col("grade").cast(nw.Int64).cast(nw.String)
    beach_scope = nw.when(upstream).then(nw.lit("beach_upstream_")).otherwise(nw.lit("beach_downstream_"))
    sides = {
        "beach": (nw.coalesce(beach, from_pool), nw.concat_str(beach_scope, grade), "干滩长度 ", "dry beach "),
        "freeboard": (crest - pool, nw.concat_str(nw.lit("freeboard_"), grade), "安全超高 ", "freeboard "),
    }
    parts = []
    for side, (value, scope, zh, en) in sides.items():
        part = rows.with_columns(
            nw.concat_str(nw.col("dam_id"), nw.lit(f"/{side}")).alias("entity"), value.alias("_value"),
            nw.lit(zh).alias("_word_zh"), nw.lit(en).alias("_word_en"),
        )  # fmt: skip
        part = steps(history, part, "S-07", scope).with_columns(nw.col("red").alias("_least"))
        part = part.drop("blue", "yellow", "orange", "red", "limit_source", "limit_confidence")
        parts.append(judged(history, part, "S-07", (scope, nw.col("_value"))))
    both, value = nw.concat(parts, how="vertical"), nw.col("_value")
    return index_rows(
        placed(history, both),
        S_07,
        value=value,
        level=nw.col("level"),
        reason=nw.lit("NO_POND_LEVEL"),
        inputs={
            "pool_m": number(pool, 2),
            "crest_m": number(crest, 2),
            "beach_measured": nw.when(beach.is_null()).then(nw.lit("false")).otherwise(nw.lit("true")),
            "least_m": number(nw.col("_least"), 2),
            "kind": quoted(nw.col("kind")),
            "grade": number(nw.col("grade"), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(
            nw.col("_word_zh"), number(value), nw.lit(" m，下限 "), number(nw.col("_least")), nw.lit(" m")
        ),
        finding_en=nw.concat_str(
            nw.col("_word_en"), number(value), nw.lit(" m, at least "), number(nw.col("_least")), nw.lit(" m wanted")
        ),
    )


def pool_level(pool_m: nw.Expr, operating_m: nw.Expr, control_m: nw.Expr, design_m: nw.Expr) -> nw.Expr:
    """Level of a pool level against the design's levels; those that are null are no steps."""
    return rising_level(pool_m, yellow=operating_m, orange=control_m, red=design_m)


def s08(history: History) -> nw.LazyFrame:
    """Pool level and banks by dam and hour."""
    rows = _pond_by_hour(history)
    return nw.concat([_pool_rows(history, rows), _bank_rows(history, rows)], how="vertical")


def _pool_rows(history: History, rows: nw.LazyFrame) -> nw.LazyFrame:
    design = [nw.col(name) for name in ("operating_level_m", "flood_control_level_m", "design_flood_level_m")]
    pool = nw.col("pool_m")
    rows = rows.with_columns(nw.concat_str(nw.col("dam_id"), nw.lit("/pool")).alias("entity"))
    none = design[0].is_null() & design[1].is_null() & design[2].is_null()
    shown_zh = nw.concat_str(nw.lit("，设计洪水位 "), number(design[2]), nw.lit(" m")).fill_null("")
    shown_en = nw.concat_str(nw.lit(", design flood level "), number(design[2]), nw.lit(" m")).fill_null("")
    return index_rows(
        placed(history, rows),
        S_08,
        value=pool,
        level=nw.when(~none).then(pool_level(pool, *design)),
        reason=nw.when(pool.is_null()).then(nw.lit("NO_POND_LEVEL")).otherwise(nw.lit("NO_LIMIT")),
        inputs={
            "operating_m": number(design[0], 2),
            "flood_control_m": number(design[1], 2),
            "design_flood_m": number(design[2], 2),
        },
        limit_confidence=nw.lit("mine"),
        finding_zh=nw.concat_str(nw.lit("库水位 "), number(pool), nw.lit(" m"), shown_zh),
        finding_en=nw.concat_str(nw.lit("pool level "), number(pool), nw.lit(" m"), shown_en),
    )


def _bank_rows(history: History, rows: nw.LazyFrame) -> nw.LazyFrame:
    """Banks of the dams whose design gives them a red displacement."""
    moved, red = nw.col("displaced_mm"), nw.col("bank_red_mm")
    rows = rows.filter(~red.is_null()).with_columns(
        nw.concat_str(nw.col("dam_id"), nw.lit("/bank")).alias("entity"), (moved / red).alias("_share")
    )
    rows = judged(history, rows, "S-08", ("bank", nw.col("_share")))
    return index_rows(
        placed(history, rows),
        S_08,
        value=moved,
        level=nw.col("level"),
        reason=nw.lit("NO_DISPLACEMENT"),
        unit=nw.lit("mm"),
        inputs={"red_mm": number(red, 1), "share": number(nw.col("_share"), 3)},
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(
            nw.lit("库岸位移 "), number(moved, 1), nw.lit(" mm，红色值 "), number(red, 1), nw.lit(" mm")
        ),
        finding_en=nw.concat_str(
            nw.lit("bank displaced by "), number(moved, 1), nw.lit(" mm, red from "), number(red, 1), nw.lit(" mm")
        ),
    )


# ── S-09 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
S_09 = Index(
    id="S-09",
    name_zh="尾矿库四级预警",
    name_en="four colours of the tailings pond",
    unit="count",
    minutes=60,
    source="GB 39496-2020 5.5.4; from items to the facility the sentence was read in part",
    confidence="confirmed",
    doc=(
        "The items of a pond (displacement, rain, phreatic line, beach, pool) taken together: 4 blue points of an item "
        "make it yellow, 3 yellow orange, 2 orange red, else it takes its worst point; items make the facility by the "
        "same counting. The value counts the items that stand at blue or more."
    ),
    formula=r"4\times\mathrm{blue}\to\mathrm{yellow},\quad 3\times\mathrm{yellow}\to\mathrm{orange},\quad"
    r" 2\times\mathrm{orange}\to\mathrm{red}",
    reads=("levels of S-01, S-05, S-06, S-07 and S-08 in the pond's area",),
    edges=(
        "a point raised by counting counts on: 4 blue are one more yellow",
        "a point without a level counts for nothing",
        "no item with a level: null",
        "from yellow on the counting from items to the facility is inferred",
    ),
    scenario="dam_high_water",
)


def escalated(counts: Sequence[nw.Expr], raising: Sequence[nw.Expr]) -> nw.Expr:
    """Level of an item with so many points at blue, yellow, orange and red, or of a facility with so many items.

    What is raised counts on: four blue points are one more yellow one.

    Args:
        counts: how many stand at each of the four levels.
        raising: how many blue, yellow and orange ones make one of the next level.
    """
    level, raised = nw.lit(NORMAL), nw.lit(0)
    for word, count, most in zip((BLUE, YELLOW, ORANGE, RED), counts, (*raising, nw.lit(1)), strict=True):
        standing = count + raised
        level = nw.when(standing > 0).then(nw.lit(word)).otherwise(level)
        raised = standing // most
    return level


def s09(history: History) -> nw.LazyFrame:
    """The facility's colour by pond and hour."""
    dams = _dams(history)
    ponds = dams.select(*_AREA).unique()
    # Each is computed by itself: together their plan is more than Spark likes to plan at once.
    found = [index(history).select(*_AREA, "index_id", "window_start", "level") for index in (s01, s05, s06, s07, s08)]
    items = nw.concat([history.cached(each) for each in found], how="vertical")
    items = items.filter(~nw.col("level").is_null()).join(ponds, on=_AREA, how="inner")
    key = [*_AREA, "window_start"]
    level = nw.col("level")
    colours = ((BLUE, "blue"), (YELLOW, "yellow"), (ORANGE, "orange"), (RED, "red"))
    counts = [(level == number_).cast(nw.Int64).sum().alias(name) for number_, name in colours]
    of_item = items.group_by(*key, "index_id").agg(*counts, nw.len().cast(nw.Int64).alias("points"))
    item_level = _escalation(history, of_item)
    of_item = item_level.rename({"escalated": "level"})
    of_pond = of_item.group_by(*key).agg(
        *counts, nw.len().cast(nw.Int64).alias("items"), nw.col("points").sum().alias("points")
    )
    of_pond = _escalation(history, of_pond)
    rows = ponds.join(hour_grid(history), how="cross").join(of_pond, on=key, how="left").with_columns(
        nw.col("area_id").alias("entity"), no_point().alias("point_id")
    )  # fmt: skip
    coloured = nw.col("blue") + nw.col("yellow") + nw.col("orange") + nw.col("red")
    return index_rows(
        placed(history, rows),
        S_09,
        value=coloured.cast(nw.Float64),
        level=nw.col("escalated"),
        reason=nw.lit("NO_TAILINGS_ITEM"),
        inputs={
            "items": number(nw.col("items"), 0),
            "points": number(nw.col("points"), 0),
            **{f"{name}_items": number(nw.col(name), 0) for _, name in colours},
        },
        limit_confidence=nw.when(nw.col("escalated") >= YELLOW).then(nw.lit("inferred")),
        finding_zh=nw.concat_str(
            number(nw.col("items"), 0), nw.lit(" 个监测项中 "), number(coloured, 0), nw.lit(" 项预警")
        ),
        finding_en=nw.concat_str(
            number(coloured, 0), nw.lit(" of "), number(nw.col("items"), 0), nw.lit(" items give warning")
        ),
    )


_COUNTS = (("blue_to_yellow", "yellow"), ("yellow_to_orange", "orange"), ("orange_to_red", "red"))


def _escalation(history: History, rows: nw.LazyFrame) -> nw.LazyFrame:
    """The rows with `escalated` from their counts blue, yellow, orange and red, by the steps of S-09."""
    rows = rows.with_columns(*(nw.col(name).alias(f"_{name}") for name in NAMES)).drop(*NAMES)
    for scope, step in _COUNTS:
        rows = steps(history, rows, "S-09", scope).with_columns(nw.col(step).cast(nw.Int64).alias(f"_per_{step}"))
        rows = rows.drop(*NAMES, "limit_source", "limit_confidence")
    counts, raising = [nw.col(f"_{name}") for name in NAMES], [nw.col(f"_per_{step}") for _, step in _COUNTS]
    rows = rows.with_columns(
        escalated(counts, raising).alias("escalated"),
        *(count.alias(name) for name, count in zip(NAMES, counts, strict=True)),
    )
    return rows.drop(*(f"_{name}" for name in NAMES), *(f"_per_{step}" for _, step in _COUNTS))
