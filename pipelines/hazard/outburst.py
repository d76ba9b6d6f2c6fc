"""Outburst of coal and gas: drill cuttings and seam indices (G-09), what a blast sets free (G-10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from minefusion.pipelines.hazard.gas_analyses import BLAST
from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import (
    DAY_H,
    HOUR_US,
    Floats,
    Series,
    Span,
    hour_grid,
    no_point,
    per_hour,
    placed,
    site_rows,
)
from minefusion.pipelines.hazard.levels import judged, steps
from minefusion.pipelines.hazard.rows import Index, index_rows, number, quoted
from minefusion.pipelines.rounding import rounded

_AREA = ["mine_code", "area_id"]

# ── G-09 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Field records of this kind are holes of outburst prediction; quantity of the record → what it is.
CUTTINGS = "drill_cuttings"
MEASURED = {
    "cuttings_mass": "s_mass",  # kg/m
    "cuttings_volume": "s_volume",  # L/m
    "desorption_k1": "k1",  # mL/(g·min^0.5)
    "desorption_dh2": "dh2",  # Pa
    "hole_gas_flow": "q",  # L/min
}
# A prediction holds for a day: then the face has moved on.
HOLDS_H = DAY_H
# What a hole without gas and stress brings: cuttings [L/m] and gas flow [L/min] of the combined index R.
USUAL_CUTTINGS_L_M, USUAL_FLOW_L_MIN = 1.8, 4.0
_INDICES = ("k1", "dh2", "s_mass", "s_volume", "q", "r", "d", "k", "pressure", "content")
G_09 = Index(
    id="G-09",
    name_zh="钻屑突出指标",
    name_en="outburst indices of drill cuttings and seam",
    unit="1",
    minutes=60,
    source="Detailed rules on prevention of coal and gas outburst 2019, AQ/T 1065-2008; steps ahead of them own",
    confidence="inferred",
    doc=(
        "The worst of the outburst indices of a face, as a share of its critical value: K1, Δh2, cuttings S, gas flow "
        "q and R of the holes of the last 24 hours; D, K, seam pressure and gas content of the site file. Red from 1, "
        "orange from 0.8, yellow from 0.6. Critical values measured at the mine go before the listed ones."
    ),
    formula=(
        r"R = (S_{max} - 1.8)(q_{max} - 4), \quad D = \left(\frac{0.0075\,H}{f} - 3\right)(p - 0.74), \quad "
        r"K = \frac{\Delta P}{f}, \quad Q(t) + W = K_1 \sqrt{t}"
    ),
    reads=(
        "drill cuttings [kg/m or L/m]", "K1 [mL/(g·min^0.5)]", "Δh2 [Pa]", "gas flow of the hole [L/min]",
        "depth [m], firmness, seam pressure [MPa], gas content [m³/t] of the site file",
    ),
    scenario="outburst",
    edges=(
        "both brackets of R under 0: their product counts as negative",
        "both brackets of D under 0: threatened area whatever D is, marked THREATENED, D does not count",
        "wet coal and anthracite have critical values of their own",
    ),
)  # fmt: skip


def combined_index(cuttings_l_m: nw.Expr, flow_l_min: nw.Expr) -> nw.Expr:
    """R = (S_max − 1.8)·(q_max − 4); the product of two negative brackets means nothing and is negated."""
    of_cuttings, of_flow = cuttings_l_m - USUAL_CUTTINGS_L_M, flow_l_min - USUAL_FLOW_L_MIN
    product = of_cuttings * of_flow
    return nw.when((of_cuttings < 0) & (of_flow < 0)).then(-product).otherwise(product)


def comprehensive_index(depth_m: nw.Expr, firmness: nw.Expr, pressure_mpa: nw.Expr) -> nw.Expr:
    """D = (0.0075·H/f − 3)·(p − 0.74); null where both brackets are negative, see `is_threatened`."""
    of_depth, of_pressure = _brackets(depth_m, firmness, pressure_mpa)
    return nw.when(~((of_depth < 0) & (of_pressure < 0))).then(of_depth * of_pressure)


def is_threatened(depth_m: nw.Expr, firmness: nw.Expr, pressure_mpa: nw.Expr) -> nw.Expr:
    """Both brackets of D are negative: threatened, whatever their product."""
    of_depth, of_pressure = _brackets(depth_m, firmness, pressure_mpa)
    return ((of_depth < 0) & (of_pressure < 0)).fill_null(False)


def _brackets(depth_m: nw.Expr, firmness: nw.Expr, pressure_mpa: nw.Expr) -> tuple[nw.Expr, nw.Expr]:
    return 0.0075 * depth_m / firmness - 3, pressure_mpa - 0.74


def g09(history: History) -> nw.LazyFrame:
    """Outburst indices of each face with holes or facts of its seam, by hour."""
    facts = history.cached(_outburst_places(history))
    holes = history.cached(_holes(history))
    names = tuple(MEASURED.values())
    newest_holes = per_hour(history, holes, _AREA, _held_a_day, names, "amount").select(*_AREA, "hour", *names)
    places = nw.concat([facts.select(*_AREA), holes.select(*_AREA)], how="vertical").unique()
    rows = places.join(hour_grid(history), how="cross").join(facts, on=_AREA, how="left")
    rows = rows.join(newest_holes, on=[*_AREA, "hour"], how="left")
    depth, firmness, pressure = nw.col("depth_m"), nw.col("firmness"), nw.col("seam_pressure_mpa")
    rows = rows.with_columns(
        combined_index(nw.col("s_volume"), nw.col("q")).alias("r"),
        comprehensive_index(depth, firmness, pressure).alias("d"),
        (nw.col("diffusion_mmhg") / firmness).alias("k"),
        pressure.alias("pressure"),
        nw.col("gas_content_m3_t").alias("content"),
        is_threatened(depth, firmness, pressure).alias("_threatened"),
        nw.col("area_id").alias("entity"),
        no_point().alias("point_id"),
    )
    wet = nw.when(nw.col("is_wet").fill_null(False)).then(nw.lit("wet")).otherwise(nw.lit("dry"))
    hard = nw.when(nw.col("is_anthracite").fill_null(False)).then(nw.lit("k_anthracite")).otherwise(nw.lit("k"))
    for name in _INDICES:
        scope = nw.concat_str(nw.lit(f"{name}_"), wet) if name in ("k1", "dh2") else nw.lit(name)
        rows = steps(history, rows, G_09.id, hard if name == "k" else scope)
        share = nw.col(name) / nw.col("red")
        rows = rows.with_columns(rounded(share).alias(f"_{name}"), nw.col("red").alias(f"_{name}_critical"))
        rows = rows.drop("blue", "yellow", "orange", "red", "limit_source", "limit_confidence")
    worst = nw.max_horizontal(*(f"_{name}" for name in _INDICES))
    rows = rows.with_columns(worst.alias("_worst"))
    which = nw.lit(None, dtype=nw.String)
    for name in reversed(_INDICES):
        which = nw.when((nw.col(f"_{name}") == nw.col("_worst")).fill_null(False)).then(nw.lit(name)).otherwise(which)
    rows = rows.with_columns(which.alias("_which"))
    value = nw.col("_worst")
    rows = judged(history, placed(history, rows), G_09.id, ("", value))
    shown = nw.concat_str(nw.col("_which"), nw.lit(" "), number(100 * value, 0), nw.lit(" %"))
    return index_rows(
        rows,
        G_09,
        value=value,
        level=nw.col("level"),
        reason=nw.lit("NO_DRILL_CUTTINGS"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            **{name: number(nw.col(name), 3) for name in _INDICES},
            "worst": quoted(nw.col("_which")),
            "marks": quoted(nw.when(nw.col("_threatened")).then(nw.lit("THREATENED"))),
        },
        finding_zh=nw.concat_str(nw.lit("突出指标达到临界值的 "), shown),
        finding_en=nw.concat_str(nw.lit("outburst index against its critical value: "), shown),
    )


_FACTS = {
    "area_id": pa.string(), "is_wet": pa.bool_(), "is_anthracite": pa.bool_(),
    **dict.fromkeys(
        ("depth_m", "firmness", "seam_pressure_mpa", "gas_content_m3_t", "diffusion_mmhg", "desorbable_m3_t"),
        pa.float64(),
    ),
}  # fmt: skip


def _outburst_places(history: History) -> nw.LazyFrame:
    rows = site_rows(history.sites, "outburst_places", list(_FACTS))
    return history.frame(rows, pa.schema({"mine_code": pa.string(), **_FACTS}))


def _holes(history: History) -> nw.LazyFrame:
    """Highest value of each quantity of the holes, by area and hour."""
    records = history.feeds.records.filter(
        nw.col("kind") == CUTTINGS,
        nw.col("usable"),
        nw.col("quantity").is_in(list(MEASURED)),
        ~nw.col("value").is_null(),
    )
    name = nw.col("quantity").replace_strict(
        list(MEASURED), list(MEASURED.values()), default=nw.lit(""), return_dtype=nw.String
    )
    hours = records.with_columns(
        nw.col("area_id").fill_null("unplaced"),
        name.alias("_name"),
        (nw.col("observed_us") // HOUR_US).cast(nw.Int64).alias("hour"),
    )
    return hours.group_by(*_AREA, nw.col("_name").alias("quantity"), "hour").agg(nw.col("value").max().alias("amount"))


def _held_a_day(series: Series, span: Span) -> dict[str, Floats]:
    """Highest of the last 24 hours of each quantity, at each judged hour."""
    found = {}
    for name in MEASURED.values():
        values = series.get(name, np.full(span.hours, np.nan))
        found[name] = np.array([_highest(values[max(p + 1 - HOLDS_H, 0) : p + 1]) for p in span.judged])
    return found


def _highest(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else np.nan


# ── G-10 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Of a shot's record: coal broken [t].
BROKEN = "broken_coal"
FIVE_MIN = 5
SEEN_MIN = 30
# Shots within so long are one.
MERGED_MIN = 45
# So many shots of a place make what is usual there.
LEAST_SHOTS = 5
G_10 = Index(
    id="G-10",
    name_zh="爆破后瓦斯涌出特征",
    name_en="gas set free by a blast",
    unit="m3/t",
    minutes=60,
    source="V30 of German practice, recalled; deviation from the place's own shots",
    confidence="advisory",
    doc=(
        "V30, the methane that comes in the 30 minutes after a shot beyond what came before it, per tonne of coal "
        "broken. Yellow over the median of the place's earlier shots by more than three deviations; orange from 0.4, "
        "red from 0.6 of the gas that the coal can give off. Beside it the peak, the time to it and to its half."
    ),
    formula=r"V_{30} = \frac{1}{W_b} \sum_{0}^{30\,min} Q\,\frac{C - C_0}{100}\,\Delta t",
    reads=("CH4 in the return [%]", "air in the return [m³/s]", "blast: time and coal broken [t]"),
    scenario="outburst",
    edges=(
        "shots within 45 minutes of one another are one, counted from the first to half an hour after the last",
        "without the coal broken: the peak is told and no value, NO_BROKEN_COAL",
        "five earlier shots make what is usual; before, the share of the desorbable gas alone is judged",
        "from five-minute means: the shot's own five minutes counts by its share",
    ),
)


def g10(history: History) -> nw.LazyFrame:
    """V30 of each shot, in the hour that its half hour ends."""
    shots = history.feeds.records.filter(nw.col("kind") == BLAST, ~nw.col("area_id").is_null())
    broken = nw.when(nw.col("quantity") == BROKEN).then(nw.col("value"))
    shots = (
        shots.with_columns(broken.alias("_broken"))
        .group_by(*_AREA, "record_id", "observed_us")
        .agg(nw.col("_broken").max().alias("broken"))
    )
    shots = history.cached(shots)
    span = Span.of(history.window)
    rows = nw.concat(
        [
            shots.select(
                *_AREA, nw.lit("shot").alias("what"), "record_id", "observed_us", nw.col("broken").alias("amount")
            ),
            _return_air(history),
        ],
        how="vertical",
    )
    found = history.grouped(rows, _AREA, shots_of_place(span), _SHOTS)
    found = found.join(hour_grid(history), on="hour", how="inner").join(_outburst_places(history), on=_AREA, how="left")
    v30 = nw.col("v30")
    off = (v30 - nw.col("usual")) / nw.when(nw.col("scatter") > 0).then(nw.col("scatter"))
    found = found.with_columns(
        rounded(off).alias("_off"),
        rounded(v30 / nw.col("desorbable_m3_t")).alias("_share"),
        no_point().alias("point_id"),
    )
    found = judged(history, placed(history, found, "爆破", "blast"), G_10.id, ("baseline", nw.col("_off")),
                   ("content", nw.col("_share")))  # fmt: skip
    # A shot that nothing can be held against is told with its value, as nothing unusual is known of it.
    level = nw.when(~v30.is_null()).then(nw.col("level").fill_null(0))
    why = nw.when(nw.col("broken").is_null()).then(nw.lit("NO_BROKEN_COAL")).otherwise(nw.lit("NO_RETURN_GAS"))
    return index_rows(
        found,
        G_10,
        value=v30,
        level=level,
        coverage=nw.col("covered"),
        reason=why,
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "broken_t": number(nw.col("broken"), 1),
            "before_pct": number(nw.col("before"), 3),
            "peak_pct": number(nw.col("peak"), 3),
            "peak_ratio": number(nw.col("peak") / nw.when(nw.col("before") > 0).then(nw.col("before")), 2),
            "minutes_to_peak": number(nw.col("to_peak"), 0),
            "minutes_to_half": number(nw.col("to_half"), 0),
            "usual_m3_t": number(nw.col("usual"), 3),
            "deviations": number(nw.col("_off"), 1),
            "share_of_desorbable": number(nw.col("_share"), 3),
            "shots": number(nw.col("shots"), 0),
        },
        finding_zh=nw.concat_str(nw.lit("爆破后 30 min 吨煤涌出瓦斯 "), number(v30, 2), nw.lit(" m³/t")),
        finding_en=nw.concat_str(nw.lit("methane of 30 min after the blast "), number(v30, 2), nw.lit(" m³/t")),
    )


_SHOT_NUMBERS = (
    "v30", "broken", "before", "peak", "to_peak", "to_half", "usual", "scatter", "shots", "covered",
)  # fmt: skip
_SHOTS = pa.schema(
    {"mine_code": pa.string(), "area_id": pa.string(), "entity": pa.string(), "hour": pa.int64()}
    | dict.fromkeys(_SHOT_NUMBERS, pa.float64())
)


def _return_air(history: History) -> nw.LazyFrame:
    """Five-minute methane (mean, highest) and air of each working area's return."""
    paths = history.air_paths.select(*_AREA, nw.col("return_edge").alias("edge_id"))
    sections = history.edges.select("mine_code", "edge_id", nw.col("section_m2").alias("_section"))
    wanted = ["ch4", "air_velocity", "air_quantity"]
    five = history.five.filter(nw.col("quantity").is_in(wanted), ~nw.col("value_mean").is_null()).drop("area_id")
    rows = paths.join(five, on=["mine_code", "edge_id"], how="inner").join(
        sections, on=["mine_code", "edge_id"], how="left"
    )
    mean, quantity = nw.col("value_mean"), nw.col("quantity")
    by_velocity = nw.when(quantity == "air_velocity").then(mean.abs() * nw.col("_section"))
    air = nw.when(quantity == "air_quantity").then(mean / 60).otherwise(by_velocity)
    parts = []
    for what, amount in (
        ("ch4", nw.when(quantity == "ch4").then(mean)),
        ("peak", nw.when(quantity == "ch4").then(nw.coalesce("value_max", "value_mean"))),
        ("air", air),
    ):
        part = rows.with_columns(amount.alias("amount")).filter(~nw.col("amount").is_null())
        part = part.group_by(*_AREA, nw.col("start_us").alias("observed_us")).agg(nw.col("amount").mean())
        empty = nw.lit(None, dtype=nw.String).alias("record_id")
        parts.append(part.select(*_AREA, nw.lit(what).alias("what"), empty, "observed_us", "amount"))
    return nw.concat(parts, how="vertical")


def shots_of_place(span: Span) -> Callable[[pa.Table], pa.Table]:
    """What gives the shots of one place whose half hour ends in the window, with what was usual before each.

    It takes rows of `what` (shot, ch4, peak or air), record_id, observed_us and amount (coal broken of a shot).
    """

    def shots(told: pa.Table) -> pa.Table:
        what = np.array(told["what"].to_pylist())
        at = told["observed_us"].to_numpy() / 60e6  # minutes since 1970
        amount = told["amount"].to_numpy(zero_copy_only=False).astype(float)
        fired = np.flatnonzero(what == "shot")
        fired = fired[np.argsort(at[fired], kind="stable")]
        series = {name: dict(zip(at[what == name].round().astype(int), amount[what == name], strict=True))
                  for name in ("ch4", "peak", "air")}  # fmt: skip
        rows: list[dict[str, Any]] = []
        earlier: list[float] = []
        names = told["record_id"].to_pylist()
        for group in _merged(fired, at):
            broken = amount[group]
            coal = float(np.nansum(broken)) if np.isfinite(broken).any() else np.nan
            row = set_free(series, at[group[0]], at[group[-1]] + SEEN_MIN, coal)
            ends = at[group[-1]] + SEEN_MIN
            hour = int(np.ceil(ends / 60)) - 1  # a half hour that ends on the hour belongs to the hour that ends
            usual = np.median(earlier) if len(earlier) >= LEAST_SHOTS else np.nan
            scatter = 1.4826 * np.median(np.abs(np.array(earlier) - usual)) if len(earlier) >= LEAST_SHOTS else np.nan
            if span.start <= hour < span.end:
                extra = {"usual": usual, "scatter": scatter, "shots": float(len(group)), "broken": coal}
                numbers = {name: _or_null((row | extra)[name]) for name in _SHOT_NUMBERS}
                keys = {"mine_code": told["mine_code"][0].as_py(), "area_id": told["area_id"][0].as_py()}
                rows.append({**keys, "entity": str(names[group[0]]), "hour": hour, **numbers})
            if np.isfinite(row["v30"]):
                earlier.append(row["v30"])
        return pa.Table.from_pylist(rows, schema=_SHOTS)

    return shots


def _merged(fired: NDArray[np.int64], at: Floats) -> list[NDArray[np.int64]]:
    """Shots in groups, each within MERGED_MIN of the one before."""
    if not len(fired):
        return []
    breaks = np.flatnonzero(np.diff(at[fired]) > MERGED_MIN) + 1
    return np.split(fired, breaks)


def set_free(series: dict[str, dict[int, float]], begin: float, end: float, coal_t: float) -> dict[str, float]:
    """V30 [m³/t] of one shot and the shape of its peak, from five-minute methane and air of the return.

    Args:
        series: ch4 (mean, %), peak (highest, %) and air (m³/s) by the minute that the five begin at.
        begin, end: of what counts, in minutes since 1970.
        coal_t: coal broken; NaN where not known.
    """
    first = int(begin // FIVE_MIN) * FIVE_MIN
    before = [series["ch4"][m] for m in range(first - SEEN_MIN, first, FIVE_MIN) if m in series["ch4"]]
    bins = range(first, int(np.ceil(end / FIVE_MIN)) * FIVE_MIN, FIVE_MIN)
    there = [m for m in bins if m in series["ch4"] and m in series["air"]]
    covered = len(there) / len(bins)
    if not before or not there:
        return dict.fromkeys(("v30", "before", "peak", "to_peak", "to_half"), np.nan) | {"covered": covered}
    base = float(np.median(before))
    gas = 0.0
    for m in there:
        minutes = min(m + FIVE_MIN, end) - max(m, begin)
        gas += series["air"][m] * (series["ch4"][m] - base) / 100 * 60 * minutes
    peaks = {m: series["peak"].get(m, series["ch4"][m]) for m in there}
    top = max(peaks, key=lambda m: peaks[m])
    half = base + (peaks[top] - base) / 2
    later = [m for m in sorted(series["ch4"]) if m > top and series["ch4"][m] <= half]
    return {
        "v30": max(gas, 0.0) / coal_t if coal_t > 0 else np.nan,
        "before": base,
        "peak": peaks[top],
        "to_peak": max(top - begin, 0.0),
        "to_half": float(later[0] - top) if later else np.nan,
        "covered": covered,
    }


def _or_null(value: float) -> float | None:
    return None if not np.isfinite(value) else float(np.round(value + 1e-9, 6))
