"""Ground pressure: drill cuttings and borehole stress (R-06), roof separation and convergence (R-08), composite
rockburst index (R-09)."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import (
    DAY_H,
    HOUR_US,
    UNPLACED,
    Floats,
    Series,
    Span,
    by_hour,
    family_values,
    hour_grid,
    newest,
    no_point,
    per_hour,
    placed,
    site_rows,
)
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.rows import Index, index_rows, number, quoted
from minefusion.pipelines.hazard.trend import theil_sen_slopes

_AREA = ["mine_code", "area_id"]
# Values of so many hours of the last 24 are needed for a rate.
LEAST_HOURS = 12


def daily_rate(values: Floats, span: Span) -> Floats:
    """Theil–Sen slope [per day] over the 24 hours that end with each judged hour; NaN with fewer than 12 of them."""
    places = np.array(span.judged)
    if not len(places):
        return np.zeros(0)
    windows = values[places[:, None] - np.arange(DAY_H - 1, -1, -1)]
    at = np.broadcast_to(np.arange(DAY_H) / DAY_H, windows.shape)
    slopes = theil_sen_slopes(np.where(np.isfinite(windows), at, np.nan), windows)
    return np.where(np.isfinite(windows).sum(axis=1) >= LEAST_HOURS, slopes, np.nan)


def _value_and_rate(series: Series, span: Span) -> dict[str, Floats]:
    (values,) = series.values()
    return {
        "value": newest(values, 3)[span.start - span.first :],
        "rate": daily_rate(values, span),
        "hours": np.array([np.isfinite(values[p - DAY_H + 1 : p + 1]).sum() for p in span.judged], dtype=float),
    }


def point_rates(history: History, quantities: tuple[str, ...]) -> nw.LazyFrame:
    """Newest value (at most 3 h old) and daily rate of each ground-pressure point, by hour of the window."""
    hours = by_hour(family_values(history, quantities, "pressure"), "point_id")
    rows = hours.with_columns(nw.col("quantity").alias("_quantity"))
    rows = rows.select(
        "mine_code", "area_id", "point_id", nw.col("_quantity").alias("measured"), "quantity", "hour", "value"
    )
    keys = ["mine_code", "area_id", "point_id", "measured"]
    found = per_hour(history, rows, keys, _value_and_rate, ("value", "rate", "hours"))
    # A roof-separation point has a deep and a shallow base point; each is a row of its own.
    is_shallow = nw.col("measured") == "roof_separation_shallow"
    shallow = nw.concat_str(nw.col("point_id"), nw.lit("/shallow"))
    return found.with_columns(nw.when(is_shallow).then(shallow).otherwise(nw.col("point_id")).alias("entity"))


# ── R-06 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Depths in mining heights at which another ratio of cuttings is dangerous.
SHALLOW_TO, DEEP_FROM = 1.5, 3.0
# A hole tells of the day after it.
HOLE_HOURS = DAY_H
R_06 = Index(
    id="R-06",
    name_zh="钻屑率指数与钻孔应力",
    name_en="drill-cuttings ratio and borehole stress",
    unit="ratio",
    minutes=60,
    source="Detailed rules on rockburst prevention 2018, recalled; stress: the site's own values",
    confidence="inferred",
    doc=(
        "An area's row: the worst cuttings of the holes of the last 24 hours against those of unstressed coal. "
        "Dangerous (red) from 1.5 at depths under 1.5 mining heights, 2 up to 3 heights, 4 beyond. A point's row: "
        "borehole or rock stress in MPa against the site's own yellow and red, and its rise over 24 hours."
    ),
    formula=r"r=\frac{S}{S_0},\qquad \dot\sigma=\mathrm{median}\,\frac{\sigma_j-\sigma_i}{t_j-t_i}",
    reads=(
        "cuttings per metre of hole (field record) [kg/m]",
        "depth in the hole [m]",
        "normal cuttings and mining height (site file)",
        "borehole and rock stress [MPa]",
    ),
    edges=(
        "for the middle depths 2 to 3 is printed: the lower, safer 2 is taken",
        "no normal cuttings in the site file: null",
        "stress without site values is judged by its rise alone",
        "fewer than 12 of 24 hours: no rise",
    ),
    scenario="rockburst",
)


def cuttings_class(depth_m: nw.Expr, height_m: nw.Expr) -> nw.Expr:
    """Which limit holds at a depth: shallow, middle (both ends included) or deep."""
    heights = depth_m / height_m
    deep = nw.when(heights > DEEP_FROM).then(nw.lit("cuttings_deep")).otherwise(nw.lit("cuttings_middle"))
    return nw.when(heights < SHALLOW_TO).then(nw.lit("cuttings_shallow")).otherwise(deep)


def r06(history: History) -> nw.LazyFrame:
    """Cuttings by area, stress by point, by hour."""
    holes, stress = _holes(history), history.cached(point_rates(history, ("borehole_stress", "rock_stress")))
    return nw.concat([_cuttings_rows(history, holes), _stress_rows(history, stress)], how="vertical")


def _holes(history: History) -> nw.LazyFrame:
    """Measured metres of hole with their ratio to normal and the class of their depth."""
    norms = pa.schema(
        [("mine_code", pa.string()), ("area_id", pa.string()), ("normal", pa.float64()), ("height", pa.float64())]
    )
    told = [
        {
            "mine_code": row["mine_code"],
            "area_id": row["area_id"],
            "normal": row["normal_kg_m"],
            "height": row["height_m"],
        }
        for row in site_rows(history.sites, "cuttings_norms", ("area_id", "normal_kg_m", "height_m"))
    ]
    records = history.feeds.records.filter(
        nw.col("kind") == "drill_cuttings", nw.col("quantity") == "cuttings_mass", nw.col("usable"),
        ~nw.col("value").is_null(),
    ).select(*_AREA, "observed_us", "value", "depth_m", "sample_id")  # fmt: skip
    records = records.with_columns(nw.col("area_id").fill_null(UNPLACED))
    records = records.join(history.frame(told, norms), on=_AREA, how="left")
    return records.with_columns(
        (nw.col("value") / nw.col("normal")).alias("ratio"),
        # Without a depth the strictest class holds.
        nw.when(~nw.col("height").is_null())
        .then(cuttings_class(nw.col("depth_m").fill_null(0.0), nw.col("height")))
        .alias("depth_class"),
    )


def _cuttings_rows(history: History, holes: nw.LazyFrame) -> nw.LazyFrame:
    grid = hour_grid(history)
    areas = holes.select(*_AREA).unique().join(grid, how="cross")
    end = (nw.col("hour") + 1) * HOUR_US
    recent = holes.join(grid.select("hour"), how="cross")
    recent = recent.filter(nw.col("observed_us") < end, nw.col("observed_us") >= end - HOLE_HOURS * HOUR_US)
    # The worst of each class of depth: each has its own limit.
    worst = recent.group_by(*_AREA, "hour").agg(
        *(
            nw.when(nw.col("depth_class") == name).then(nw.col("ratio")).max().alias(name)
            for name in ("cuttings_shallow", "cuttings_middle", "cuttings_deep")
        ),
        nw.col("ratio").max().alias("ratio"),
        nw.len().cast(nw.Int64).alias("metres"),
    )
    rows = areas.join(worst, on=[*_AREA, "hour"], how="left").with_columns(
        nw.col("area_id").alias("entity"), no_point().alias("point_id")
    )
    rows = judged(
        history, rows, "R-06",
        *((name, nw.col(name)) for name in ("cuttings_shallow", "cuttings_middle", "cuttings_deep")),
    )  # fmt: skip
    ratio, metres = nw.col("ratio"), nw.col("metres")
    return index_rows(
        placed(history, rows),
        R_06,
        value=ratio,
        level=nw.col("level"),
        reason=nw.when(metres > 0).then(nw.lit("NO_CUTTINGS_NORM")).otherwise(nw.lit("NO_DRILL_CUTTINGS")),
        inputs={
            "metres_measured": number(metres, 0),
            "shallow": number(nw.col("cuttings_shallow"), 3),
            "middle": number(nw.col("cuttings_middle"), 3),
            "deep": number(nw.col("cuttings_deep"), 3),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("钻屑量为正常值的 "), number(ratio), nw.lit(" 倍")),
        finding_en=nw.concat_str(nw.lit("drill cuttings are "), number(ratio), nw.lit(" times normal")),
    )


def _stress_rows(history: History, stress: nw.LazyFrame) -> nw.LazyFrame:
    value, rate = nw.col("value"), nw.col("rate")
    rows = judged(history, stress, "R-06", ("stress", value), ("stress_rate", rate))
    rows = rows.with_columns(nw.when(~value.is_null()).then(nw.col("level")).alias("level"), value.alias("_stress"))
    stress_mpa = nw.col("_stress")
    rise_zh = nw.concat_str(nw.lit("，24 h 变化 "), number(rate), nw.lit(" MPa")).fill_null("")
    rise_en = nw.concat_str(nw.lit(", "), number(rate), nw.lit(" MPa in 24 h")).fill_null("")
    return index_rows(
        placed(history, rows),
        R_06,
        value=stress_mpa,
        level=nw.col("level"),
        reason=nw.when(~stress_mpa.is_null()).then(nw.lit("TOO_FEW_SAMPLES")),
        unit=nw.lit("MPa"),
        inputs={
            "measured": quoted(nw.col("measured")),
            "rate_mpa_d": number(rate, 3),
            "hours_of_24": number(nw.col("hours"), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("应力 "), number(stress_mpa), nw.lit(" MPa"), rise_zh),
        finding_en=nw.concat_str(nw.lit("stress "), number(stress_mpa), nw.lit(" MPa"), rise_en),
    )


# ── R-08 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
ROOF = ("roof_separation", "roof_separation_shallow", "roadway_convergence")
R_08 = Index(
    id="R-08",
    name_zh="顶板离层与巷道变形",
    name_en="roof separation and convergence",
    unit="mm/d",
    minutes=60,
    source="own start values of the rate; the cumulative limit is the site's own",
    confidence="advisory",
    doc=(
        "Rate of separation (shallow and deep base point) or convergence over the last 24 hours: yellow from 5, orange "
        "from 10 mm/d. Red comes from the cumulative value that the site file sets."
    ),
    formula=r"v=\underset{i<j}{\mathrm{median}}\,\frac{u_j-u_i}{t_j-t_i}",
    reads=("roof separation, shallow and deep [mm]", "roadway convergence [mm]"),
    edges=(
        "fewer than 12 of 24 hours: no rate",
        "no cumulative limit in the site file: no red",
        "one bad reading does not move a median of slopes",
    ),
    scenario="roof_weighting",
)


def r08(history: History) -> nw.LazyFrame:
    """Separation and convergence by point and hour."""
    found = history.cached(point_rates(history, ROOF)).with_columns(nw.col("value").alias("_mm"))
    millimetres, rate = nw.col("_mm"), nw.col("rate")
    rows = judged(history, found, "R-08", ("", rate), ("cumulative", millimetres))
    rows = rows.with_columns(nw.when(~millimetres.is_null()).then(nw.col("level")).alias("level"))
    return index_rows(
        placed(history, rows),
        R_08,
        value=rate,
        level=nw.col("level"),
        reason=nw.when(~millimetres.is_null()).then(nw.lit("TOO_FEW_SAMPLES")),
        inputs={
            "measured": quoted(nw.col("measured")),
            "cumulative_mm": number(millimetres, 2),
            "hours_of_24": number(nw.col("hours"), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(
            nw.lit("累计 "), number(millimetres, 1), nw.lit(" mm"),
            nw.concat_str(nw.lit("，速率 "), number(rate, 1), nw.lit(" mm/d")).fill_null(""),
        ),
        finding_en=nw.concat_str(
            number(millimetres, 1), nw.lit(" mm in all"),
            nw.concat_str(nw.lit(", "), number(rate, 1), nw.lit(" mm/d")).fill_null(""),
        ),
    )  # fmt: skip


# ── R-09 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
R_09 = Index(
    id="R-09",
    name_zh="冲击危险性综合指数",
    name_en="composite rockburst index",
    unit="ratio",
    minutes=60,
    source="composite index method of Dou and He; GB/T 25217, recalled",
    confidence="inferred",
    doc=(
        "Scores of the geological and of the mining factors of an area, each group as a share of the most it could "
        "be, the larger of both counting. Over 0.25 weak (blue), over 0.5 medium (yellow), over 0.75 strong (red)."
    ),
    formula=r"W_t=\max\left(\frac{\sum W_{g,i}}{\sum W_{g,\max}},\frac{\sum W_{m,i}}{\sum W_{m,\max}}\right)",
    reads=("scores of geological and mining factors (site file)",),
    edges=(
        "a factor without a score is left out of both sums and told as incomplete",
        "whether medium is yellow or orange is the site's policy: its site file may say so",
    ),
    scenario="rockburst",
)


def composite_index(scores: list[tuple[str, float | None, float]]) -> tuple[float | None, float | None, float]:
    """Index of the geological and of the mining factors, null where none is scored; and the share that is scored.

    Args:
        scores: kind (geological or mining), score or null, and the most that it could be.
    """
    indices: list[float | None] = []
    for kind in ("geological", "mining"):
        scored = [(score, most) for its, score, most in scores if its == kind and score is not None]
        indices.append(sum(score for score, _ in scored) / sum(most for _, most in scored) if scored else None)
    share = sum(score is not None for _, score, _ in scores) / len(scores) if scores else 0.0
    return indices[0], indices[1], share


def r09(history: History) -> nw.LazyFrame:
    """Composite rockburst index by area and hour."""
    schema = pa.schema(
        [("mine_code", pa.string()), ("area_id", pa.string())]
        + [(name, pa.float64()) for name in ("geological", "mining", "completeness", "index")]
    )
    factors: dict[tuple[str, str], list[tuple[str, float | None, float]]] = {}
    for row in site_rows(history.sites, "rock_factors", ("area_id", "kind", "score", "most")):
        factors.setdefault((row["mine_code"], row["area_id"]), []).append((row["kind"], row["score"], row["most"]))
    told = []
    for (mine, area), scores in factors.items():
        geological, mining, share = composite_index(scores)
        known = [part for part in (geological, mining) if part is not None]
        told.append(
            {
                "mine_code": mine, "area_id": area, "geological": geological, "mining": mining, "completeness": share,
                "index": max(known, default=None),
            }
        )  # fmt: skip
    areas = history.frame(told, schema)
    rows = areas.join(hour_grid(history), how="cross").with_columns(
        nw.col("area_id").alias("entity"), no_point().alias("point_id")
    )
    index = nw.col("index")
    rows = judged(history, rows, "R-09", ("", index))
    scored = number(100 * nw.col("completeness"), 0)
    return index_rows(
        placed(history, rows),
        R_09,
        value=index,
        level=nw.col("level"),
        reason=nw.lit("NO_ROCK_FACTORS"),
        inputs={
            "geological": number(nw.col("geological"), 3),
            "mining": number(nw.col("mining"), 3),
            "completeness": number(nw.col("completeness"), 3),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("综合指数 "), number(index), nw.lit("（已评因素 "), scored, nw.lit(" %）")),
        finding_en=nw.concat_str(
            nw.lit("composite index "), number(index), nw.lit(" ("), scored, nw.lit(" % of the factors scored)")
        ),
    )
