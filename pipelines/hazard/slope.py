"""Slopes: how they move (S-01), when they would fail (S-02, S-03), the tangent angle (S-04), rain (S-05) and satellite
radar (S-10)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.hours import (
    DAY_H,
    HOUR_US,
    UNPLACED,
    Floats,
    Series,
    Span,
    answer_schema,
    answers_of,
    by_hour,
    family_values,
    hour_grid,
    no_point,
    per_hour,
    placed,
    series_of,
    site_rows,
    trailing_count,
)
from minefusion.pipelines.hazard.levels import judged, known_or_raised, steps
from minefusion.pipelines.hazard.rainfall import caine_ratio, fallen, known_share, rain_by_hour
from minefusion.pipelines.hazard.rows import MIN_COVERAGE, NORMAL, ORANGE, Index, index_rows, number
from minefusion.pipelines.hazard.slope_motion import (
    FREE_DIRECTION,
    OUT_OF_NOISE,
    UNKNOWN_CYCLE_MM,
    daily_speeds,
    knows_daily_cycle,
    noise_mm,
    rain_steps,
    rebased,
    speed,
    speed_error_mm_d,
    tangent_angle_deg,
    time_of_failure,
    without_daily_cycle,
)

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.history import History

AXES = ("surface_disp_x", "surface_disp_y", "surface_disp_z")
# One-dimensional displacements.
LINES = ("radar_disp", "crack_width", "deep_disp")
# Rain [mm] of the day before that may move a slope by a step.
WET_MM = 10.0
MONTH_H = 30 * DAY_H
# A constant stage is told from so many days.
LEAST_CONSTANT_D = 7
_POINT = ["mine_code", "area_id", "point_id"]
MOTION = (
    "displacement_mm", "velocity", "error", "window_h", "clear", "acceleration", "sustained", "east", "north", "up",
    "failure_h", "failure_low", "failure_high", "failure_r2", "slo_h", "points", "block_h", "constant", "angle",
    "step_mm", "noise", "coverage",
)  # fmt: skip


def motion(history: History) -> nw.LazyFrame:
    """How each displacement point moves, by hour of the window: the columns MOTION, window_start and entity."""
    hours = by_hour(family_values(history, (*AXES, *LINES), "slope", "tailings"), "point_id")
    names = [*_POINT, "quantity", "hour", "value"]
    values = hours.select(*names)
    points = values.select(*_POINT).unique()
    rain = rain_by_hour(history, "water", "slope", "tailings")
    rain = rain.group_by("mine_code", "quantity", "hour").agg(nw.col("value").mean().alias("value"))
    told = history.feeds.records.filter(nw.col("kind") == "monument_change").select(
        "mine_code", nw.col("sample_id").alias("point_id"),
        (nw.col("observed_us") // HOUR_US).cast(nw.Int64).alias("hour"), nw.lit("changed").alias("quantity"),
        nw.lit(1.0).alias("value"),
    )  # fmt: skip
    parts = [
        values,
        points.join(rain, on="mine_code", how="inner").select(*names),
        points.join(told.unique(), on=["mine_code", "point_id"], how="inner").select(*names),
    ]
    facts = {
        (row["mine_code"], row["point_code"]): row
        for row in site_rows(history.sites, "slope_points", ("point_code", "constant_mm_d", "noise_mm"))
    }
    span = Span.of(history.window)

    def of_point(group: pa.Table) -> pa.Table:
        own = facts.get((group["mine_code"][0].as_py(), group["point_id"][0].as_py()), {})
        found = _motion(series_of(group, span), span, own.get("constant_mm_d"), own.get("noise_mm"))
        return answers_of(group, _POINT, span, found, MOTION)

    found = history.grouped(nw.concat(parts, how="vertical"), _POINT, of_point, answer_schema(_POINT, MOTION))
    return found.join(hour_grid(history), on="hour", how="inner").with_columns(nw.col("point_id").alias("entity"))


def _motion(series: Series, span: Span, constant_mm_d: float | None, noise: float | None) -> dict[str, Floats]:
    """MOTION of one point over the judged hours, each from the 30 days before its end."""
    silent = np.full(span.hours, np.nan)
    axes = [series[name] for name in AXES if name in series] or [series[name] for name in LINES if name in series]
    if not any(name in series for name in AXES):
        axes = axes[:1]
    changes = np.flatnonzero(np.isfinite(series.get("changed", silent)))
    axes = [rebased(values, changes) for values in axes]
    wet = np.nan_to_num(fallen(series.get("rainfall", silent), DAY_H)) >= WET_MM
    hour_of_day = (span.first + np.arange(span.hours)) % DAY_H
    coverage = np.min([trailing_count(values, DAY_H) / DAY_H for values in axes], axis=0)
    found = {name: np.full(span.end - span.start, np.nan) for name in MOTION}
    for n, place in enumerate(span.judged):
        past = slice(max(place + 1 - MONTH_H, 0), place + 1)
        said = {"coverage": float(coverage[place])}
        if coverage[place] >= MIN_COVERAGE:
            said |= _at_hour([v[past] for v in axes], wet[past], hour_of_day[past], constant_mm_d, noise)
        for name, amount in said.items():
            found[name][n] = amount
    return found


def _at_hour(
    axes: list[Floats], wet: np.ndarray, hour_of_day: np.ndarray, constant_mm_d: float | None, noise: float | None
) -> dict[str, float]:
    cleaned, stepped, deviations = [], 0.0, []
    for values in axes:
        own = noise or noise_mm(values)
        jumps = rain_steps(values, wet, own) if math.isfinite(own) else np.zeros(len(values))
        cleaned.append(without_daily_cycle(values - np.cumsum(jumps), hour_of_day))
        stepped += float(np.abs(jumps[-7 * DAY_H :]).sum())
        deviations.append(own)
    along, direction = _along(cleaned)
    # The noise along a direction is the root of the squares by the share of each axis.
    deviation = math.sqrt(sum((d * share) ** 2 for d, share in zip(deviations, direction, strict=True)))
    deviation *= FREE_DIRECTION[len(axes) - 1]
    # What returns every day makes a speed in a part of a day, so until it is known only more than that counts.
    now = speed(along, deviation, 0.0 if all(map(knows_daily_cycle, axes)) else UNKNOWN_CYCLE_MM)
    days = daily_speeds(along, 3)
    error = speed_error_mm_d(deviation, DAY_H, DAY_H)
    newest = [values[np.isfinite(values)][-1] for values in axes]
    said = {
        "displacement_mm": math.hypot(*newest) if len(newest) > 1 else float(newest[0]), "velocity": now.mm_d,
        "error": now.error_mm_d, "window_h": now.window_h, "clear": float(now.is_clear), "step_mm": stepped,
        "noise": deviation,
    }  # fmt: skip
    if len(days) == 3 and np.isfinite(days).all():
        said["acceleration"] = float(days[2] - days[0]) / 2
        grows = np.diff(days) > OUT_OF_NOISE * math.sqrt(2) * error
        said["sustained"] = float(grows.all() and days[0] > -OUT_OF_NOISE * error)
    if now.is_clear and len(axes) == 3:
        said |= dict(zip(("east", "north", "up"), np.sign(now.mm_d) * np.array(direction), strict=True))
    if now.is_clear and now.mm_d > 0:
        failure = time_of_failure(along, deviation)
        said |= {
            "failure_h": failure.hours, "failure_low": failure.low, "failure_high": failure.high,
            "failure_r2": failure.r2, "slo_h": failure.slo_hours, "points": failure.points, "block_h": failure.block_h,
        }  # fmt: skip
    constant = constant_mm_d or _constant_stage(along, deviation)
    if constant is not None and math.isfinite(now.mm_d):
        said |= {"constant": constant, "angle": tangent_angle_deg(now.mm_d, constant)}
    return said


def _along(axes: list[Floats]) -> tuple[Floats, list[float]]:
    """The displacement along the direction of the last two weeks' movement, and that direction.

    On one axis that is its sign: a radar counts what comes towards it down.
    """
    moved = np.array([_net(values) for values in axes])
    length = float(np.sqrt((moved**2).sum()))
    direction = moved / length if length > 0 else np.eye(len(axes))[0]
    along: Floats = direction @ np.array(axes)
    return along, direction.tolist()


def _net(values: Floats) -> float:
    """What moved between the first and the last day of the last two weeks."""
    recent = values[-14 * DAY_H :]
    recent = recent[np.isfinite(recent)]
    ends = max(1, min(DAY_H, len(recent) // 2))
    return float(np.median(recent[-ends:]) - np.median(recent[:ends])) if len(recent) > 1 else 0.0


def _constant_stage(along: Floats, deviation: float) -> float | None:
    """Median speed of the days before the last three; null where they are few or it does not stand out of the noise."""
    days = daily_speeds(along, 30)[:-3]
    days = days[np.isfinite(days)]
    if len(days) < LEAST_CONSTANT_D:
        return None
    median = float(np.median(days))
    # Error of a median of so many days.
    error = 1.25 * speed_error_mm_d(deviation, DAY_H, DAY_H) / math.sqrt(len(days))
    return median if median >= OUT_OF_NOISE * error and median > 0 else None


def _point_rows(history: History) -> nw.LazyFrame:
    return placed(history, history.motion)


# ── S-01 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
S_01 = Index(
    id="S-01",
    name_zh="位移速率",
    name_en="slope velocity",
    unit="mm/d",
    minutes=60,
    source="own start values for open-pit rock slopes: no velocity holds everywhere (Dick et al. 2015)",
    confidence="advisory",
    doc=(
        "Speed of a displacement point along the direction it moves, over the shortest time in which it stands out of "
        "the noise: 1 mm/d blue, 5 yellow, 20 orange, 50 red; red also from 5 mm/d where it has grown clearly for "
        "three days. Beside it the displacement, the acceleration, and how far the area's points move one way."
    ),
    formula=r"v=\mathrm{median}\,\frac{D_j-D_i}{t_j-t_i},\quad T\ge 3\,\frac{\sigma_d\sqrt{12}}{v\sqrt n}",
    reads=("surface displacement east, north, up [mm]", "radar, crack and deep displacement [mm]", "rainfall [mm]"),
    edges=(
        "what returns every day (warmth, satellites) is taken off, once five days are known; till then only a speed "
        "over that of a cycle of 4 mm counts, and a slope is not said to rest before half of three days is known",
        "a lone jump soon after rain is a step of the rain: taken off the speed and told",
        "a monument changed (field record): what follows goes on from before",
        "a speed within the noise is normal, and marked so; one that the next longer window does not show is noise, "
        "unless it is twice over it",
        "less than 75 % of the last day: null",
    ),
    scenario="slope_failure",
)


def s01(history: History) -> nw.LazyFrame:
    """Speed of each point by hour."""
    rows = _point_rows(history)
    velocity, clear = nw.col("velocity"), nw.col("clear") == 1
    moving = rows.filter(clear.fill_null(False), ~nw.col("east").is_null())
    heading = moving.group_by("mine_code", "area_id", "hour").agg(
        *(nw.col(axis).mean().alias(f"_{axis}") for axis in ("east", "north", "up")),
        nw.len().cast(nw.Int64).alias("moving_points"),
    )
    rows = rows.join(heading, on=["mine_code", "area_id", "hour"], how="left")
    squares = nw.col("_east") * nw.col("_east") + nw.col("_north") * nw.col("_north") + nw.col("_up") * nw.col("_up")
    rows = rows.with_columns(nw.when(nw.col("moving_points") > 1).then(squares.sqrt()).alias("_coherence"))
    judged_speed = nw.when(clear.fill_null(False)).then(velocity.abs())
    sustained = nw.when((nw.col("sustained") == 1).fill_null(False)).then(judged_speed)
    rows = judged(history, rows, "S-01", ("", judged_speed), ("accelerating", sustained))
    rows = rows.with_columns(nw.when(~velocity.is_null()).then(nw.col("level").fill_null(NORMAL)).alias("level"))
    within_zh = nw.when(clear.fill_null(False)).then(nw.lit("")).otherwise(nw.lit("（在噪声之内）"))
    within_en = nw.when(clear.fill_null(False)).then(nw.lit("")).otherwise(nw.lit(" (within the noise)"))
    return index_rows(
        rows,
        S_01,
        value=velocity,
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        reason=_why_no_speed(),
        inputs={
            "displacement_mm": number(nw.col("displacement_mm"), 2),
            "error_mm_d": number(nw.col("error"), 3),
            "window_h": number(nw.col("window_h"), 0),
            "acceleration_mm_d2": number(nw.col("acceleration"), 3),
            "grows_for_three_days": _true_false("sustained"),
            "coherence_of_area": number(nw.col("_coherence"), 2),
            "noise_mm": number(nw.col("noise"), 2),
            "rain_steps_mm": number(nw.col("step_mm"), 2),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(
            nw.lit("位移速率 "), number(velocity), nw.lit(" mm/d"), within_zh, nw.lit("，累计 "),
            number(nw.col("displacement_mm"), 1), nw.lit(" mm"),
        ),
        finding_en=nw.concat_str(
            nw.lit("moves at "), number(velocity), nw.lit(" mm/d"), within_en, nw.lit(", "),
            number(nw.col("displacement_mm"), 1), nw.lit(" mm in all"),
        ),
    )  # fmt: skip


def _why_no_speed() -> nw.Expr:
    """Reason of a point without a speed: silent for too much of the day, or known for too short a time."""
    silent = nw.col("coverage") < MIN_COVERAGE
    return nw.when(silent).then(nw.lit("LOW_COVERAGE")).otherwise(nw.lit("NO_HISTORY"))


def _true_false(name: str) -> nw.Expr:
    """JSON text of a 0 or 1."""
    return nw.when((nw.col(name) == 1).fill_null(False)).then(nw.lit("true")).otherwise(nw.lit("false"))


# ── S-02, S-03 ──────────────────────────────────────────────────────────────────────────────────────────────────────
# Two methods that differ by more are a weak finding.
DISAGREEMENT = 0.5
S_02 = Index(
    id="S-02",
    name_zh="速度倒数法破坏时间",
    name_en="time to failure by inverse velocity",
    unit="h",
    minutes=60,
    source="Fukuzono 1985; onset by Carlà et al. 2017; own start values",
    confidence="advisory",
    doc=(
        "Hours until the line of inverse velocity over time meets zero, while the slope accelerates (short over long "
        "moving average) and moves at the blue velocity of S-01 or more. Under 7 days yellow, 48 h orange, 12 h red. "
        "With the 5 to 95 % of resampled fits, and what the SLO method says: where they differ by more than half the "
        "finding is weak. Only the last, linear phase gives a reliable time."
    ),
    formula=r"\frac1v=A(t_f-t),\quad t_f=-\frac{\mathrm{intercept}}{\mathrm{slope}}",
    reads=("as S-01",),
    edges=(
        "speed within the noise or backwards, no acceleration, fewer than 5 speeds, R² under 0.8: no time, level 0",
        "the fit begins anew where the averages cross; in it each 1/v counts by how well it is known",
        "the same numbers are drawn in every resampling, so a run repeats itself",
    ),
    scenario="slope_failure",
)
S_03 = Index(
    id="S-03",
    name_zh="SLO梯度法破坏时间",
    name_en="time to failure by SLO",
    unit="h",
    minutes=60,
    source="Mufundirwa et al. 2010; own start values",
    confidence="advisory",
    doc=(
        "Hours to failure by the slope of t·v over v, on the speeds of S-02: a cross-check, under 7 days yellow, under "
        "48 h orange. It never alarms red alone."
    ),
    formula=r"t_f=\frac{\mathrm{d}(t\,v)}{\mathrm{d}v}",
    reads=("as S-01",),
    edges=("no time where S-02 has none", "more than half off S-02: told as a weak finding"),
    scenario="slope_failure",
)


def disagreement(hours: nw.Expr, slo_hours: nw.Expr) -> nw.Expr:
    """How far the two times lie apart, as a share of the longer one; null where either is not known."""
    longer = nw.max_horizontal(hours, slo_hours)
    both = ~hours.is_null() & ~slo_hours.is_null() & (longer > 0)
    return nw.when(both).then((hours - slo_hours).abs() / longer)


def s02(history: History) -> nw.LazyFrame:
    """Time to failure by point and hour."""
    return _failure_rows(history, S_02, "failure_h")


def s03(history: History) -> nw.LazyFrame:
    """The same by the SLO method."""
    return _failure_rows(history, S_03, "slo_h")


def _failure_rows(history: History, index: Index, name: str) -> nw.LazyFrame:
    rows = steps(history, _point_rows(history), "S-01")
    fast = (nw.col("velocity") >= nw.col("blue")).fill_null(False)
    rows = rows.with_columns(nw.when(fast).then(nw.col(name)).alias("_hours"))
    rows = rows.drop("blue", "yellow", "orange", "red", "limit_source", "limit_confidence")
    hours, velocity = nw.col("_hours"), nw.col("velocity")
    rows = judged(history, rows, index.id, ("", hours))
    # A slope that is measured and does not accelerate is known to be normal; it just has no time of failure.
    level = nw.when(~velocity.is_null()).then(nw.col("level").fill_null(NORMAL))
    apart = disagreement(nw.col("failure_h"), nw.col("slo_h"))
    weak = (apart > DISAGREEMENT).fill_null(False)
    band_zh = nw.concat_str(
        nw.lit("（5～95 %："), number(nw.col("failure_low"), 1), nw.lit("～"), number(nw.col("failure_high"), 1),
        nw.lit(" h）"),
    ).fill_null("")  # fmt: skip
    band_en = nw.concat_str(
        nw.lit(" (5 to 95 %: "), number(nw.col("failure_low"), 1), nw.lit(" to "), number(nw.col("failure_high"), 1),
        nw.lit(" h)"),
    ).fill_null("")  # fmt: skip
    if index is S_03:
        band_zh, band_en = nw.lit(""), nw.lit("")
    weak_zh = nw.when(weak).then(nw.lit("，两种方法相差过半，可信度低")).otherwise(nw.lit(""))
    weak_en = nw.when(weak).then(nw.lit(", the two methods differ by more than half: weak")).otherwise(nw.lit(""))
    some_zh = nw.concat_str(nw.lit("预计 "), number(hours, 1), nw.lit(" h 后破坏"), band_zh, weak_zh)
    some_en = nw.concat_str(nw.lit("would fail in "), number(hours, 1), nw.lit(" h"), band_en, weak_en)
    none = hours.is_null()
    return index_rows(
        rows,
        index,
        value=hours,
        level=level,
        coverage=nw.col("coverage"),
        reason=nw.when(~velocity.is_null()).then(nw.lit("NOT_ACCELERATING")).otherwise(_why_no_speed()),
        inputs={
            "velocity_mm_d": number(velocity, 3),
            "r2": number(nw.col("failure_r2"), 3),
            "speeds": number(nw.col("points"), 0),
            "hours_of_a_speed": number(nw.col("block_h"), 0),
            "low_h": number(nw.col("failure_low"), 1),
            "high_h": number(nw.col("failure_high"), 1),
            "by_inverse_velocity_h": number(nw.col("failure_h"), 1),
            "by_slo_h": number(nw.col("slo_h"), 1),
            "disagreement": number(apart, 2),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.when(none).then(nw.lit("位移未加速，无破坏时间")).otherwise(some_zh),
        finding_en=nw.when(none).then(nw.lit("no acceleration, no time of failure")).otherwise(some_en),
    )


# ── S-04 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
S_04 = Index(
    id="S-04",
    name_zh="改进切线角",
    name_en="improved tangent angle",
    unit="deg",
    minutes=60,
    source="Xu Qiang et al. 2009, recalled",
    confidence="inferred",
    doc=(
        "Angle of the displacement-time curve after displacement is divided by the velocity of the constant stage: "
        "45° is steady, from there yellow, from 80° orange, from 85° red."
    ),
    formula=r"\theta=\arctan\frac{\mathrm{d}T}{\mathrm{d}t},\quad T=\frac{D}{v_c}",
    reads=("as S-01", "velocity of the constant stage (site file) [mm/d]"),
    edges=(
        "no velocity in the site file: the median of the month's days but the last three, where clear of the noise",
        "no constant stage: null",
        "over the constant velocity by less than three errors: steady, level 0",
    ),
    scenario="slope_failure",
)


def s04(history: History) -> nw.LazyFrame:
    """Tangent angle by point and hour."""
    rows = _point_rows(history)
    angle, velocity = nw.col("angle"), nw.col("velocity")
    faster = velocity - nw.col("constant") > OUT_OF_NOISE * nw.col("error")
    faster = (faster & (nw.col("clear") == 1)).fill_null(False)
    rows = judged(history, rows, "S-04", ("", nw.when(faster).then(angle)))
    rows = rows.with_columns(nw.when(~angle.is_null()).then(nw.col("level").fill_null(NORMAL)).alias("level"))
    return index_rows(
        rows,
        S_04,
        value=angle,
        level=nw.col("level"),
        coverage=nw.col("coverage"),
        reason=nw.when(~velocity.is_null()).then(nw.lit("NO_CONSTANT_STAGE")).otherwise(_why_no_speed()),
        inputs={
            "velocity_mm_d": number(velocity, 3),
            "constant_mm_d": number(nw.col("constant"), 3),
            "error_mm_d": number(nw.col("error"), 3),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("改进切线角 "), number(angle, 1), nw.lit("°")),
        finding_en=nw.concat_str(nw.lit("tangent angle "), number(angle, 1), nw.lit("°")),
    )


# ── S-05 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
S_05 = Index(
    id="S-05",
    name_zh="降雨",
    name_en="rainfall on slopes",
    unit="mm",
    minutes=60,
    source="24-hour classes of the weather service, recalled; intensity and duration: Caine 1980, recalled",
    confidence="inferred",
    doc=(
        "Rain of the last 24 hours at a gauge of a slope or tailings pond: 25 mm blue, 50 yellow, 100 orange, 250 red; "
        "yellow also where the intensity over any duration reaches the bound over which slopes have come down. For "
        "tailings dams the rainstorm, 50 mm, is the yellow threshold of the monitoring standard."
    ),
    formula=r"P_{24}=\sum_{24h}P_i,\quad \max_D\frac{\bar I_D}{14.82\,D^{-0.39}}",
    reads=("rainfall [mm]",),
    edges=(
        "a reading is the rain since the one before it",
        "a gauge that tells once a day, or every few hours: evenly over the hours since it told before",
        "less than 75 % of the 24 hours known: null",
    ),
    scenario="dam_high_water",
)


def _judge_rain(series: Series, span: Span) -> dict[str, Floats]:
    rain, start = series["rainfall"], span.start - span.first
    with np.errstate(invalid="ignore"):
        ratio = caine_ratio(rain)
    return {
        "rain_day": fallen(rain, DAY_H)[start:], "ratio": ratio[start:],
        "coverage": known_share(rain, DAY_H)[start:],
    }  # fmt: skip


def s05(history: History) -> nw.LazyFrame:
    """Rain by gauge and hour."""
    of_ponds = history.feeds.tailings.filter(nw.col("quantity") == "rainfall").select("mine_code", "point_id").unique()
    gauges = rain_by_hour(history, "slope", "tailings")
    rows = history.cached(per_hour(history, gauges, [*_POINT], _judge_rain, ("rain_day", "ratio", "coverage")))
    rows = rows.join(of_ponds.with_columns(nw.lit(True).alias("_pond")), on=["mine_code", "point_id"], how="left")
    day, ratio, pond = nw.col("rain_day"), nw.col("ratio"), nw.col("_pond").fill_null(False)
    rows = rows.with_columns(nw.col("point_id").alias("entity"))
    rows = judged(
        history, rows, "S-05",
        ("tailings", nw.when(pond).then(day)), ("", day), ("intensity_duration", ratio),
    )  # fmt: skip
    return index_rows(
        placed(history, rows),
        S_05,
        value=day,
        level=known_or_raised(nw.col("level"), day),
        coverage=nw.col("coverage"),
        inputs={
            "share_of_intensity_bound": number(ratio, 3),
            "at_tailings_pond": nw.when(pond).then(nw.lit("true")).otherwise(nw.lit("false")),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("24 h 降雨 "), number(day, 1), nw.lit(" mm")),
        finding_en=nw.concat_str(number(day, 1), nw.lit(" mm of rain in 24 h")),
    )


# ── S-10 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
# A satellite passes every few days; a rate of it holds for so long.
SATELLITE_D = 31
S_10 = Index(
    id="S-10",
    name_zh="InSAR形变速率",
    name_en="satellite radar rate",
    unit="mm/a",
    minutes=60,
    source="Journal of Mine Automation 2025, multidimensional monitoring of tailings ponds; its level own choice",
    confidence="advisory",
    doc=(
        "Rate of movement by satellite radar in the worst place of an area: over 10 mm a year it counts as moving "
        "(yellow). Orange where a point on the ground in the same area stands at orange or more at the same time: a "
        "sudden change escalates, no average of both is taken."
    ),
    formula=r"|\dot d_{LOS}|>10\ \mathrm{mm/a}",
    reads=("InSAR rate (field record) [mm/a]", "level of S-01 in the area"),
    edges=("the newest rate of a place counts for 31 days", "no point on the ground: the rate alone"),
    scenario="slope_failure",
)


def s10(history: History) -> nw.LazyFrame:
    """Satellite rate by area and hour."""
    records = history.feeds.records.filter(
        nw.col("kind") == "insar", nw.col("quantity") == "insar_rate", nw.col("usable"), ~nw.col("value").is_null()
    ).with_columns(nw.col("area_id").fill_null(UNPLACED))
    grid = hour_grid(history)
    end = (nw.col("hour") + 1) * HOUR_US
    seen = records.select(
        "mine_code", "area_id", "place", "sample_id", "observed_us", nw.col("value").abs().alias("rate")
    )
    seen = seen.join(grid.select("hour"), how="cross")
    seen = seen.filter(nw.col("observed_us") < end, nw.col("observed_us") >= end - SATELLITE_D * DAY_H * HOUR_US)
    spot = ["mine_code", "area_id", "place", "sample_id", "hour"]
    seen = seen.with_columns(
        nw.coalesce("place", nw.lit("")).alias("place"), nw.coalesce("sample_id", nw.lit("")).alias("sample_id")
    )
    newest = seen.group_by(*spot).agg(nw.col("observed_us").max().alias("_last"))
    seen = seen.join(newest, on=spot, how="inner").filter(nw.col("observed_us") == nw.col("_last"))
    worst = seen.group_by("mine_code", "area_id", "hour").agg(
        nw.col("rate").max().alias("rate"), nw.len().cast(nw.Int64).alias("places")
    )
    ground = s01(history).group_by("mine_code", "area_id", "window_start").agg(nw.col("level").max().alias("ground"))
    areas = records.select("mine_code", "area_id").unique().join(grid, how="cross")
    rows = areas.join(worst, on=["mine_code", "area_id", "hour"], how="left")
    rows = rows.join(ground, on=["mine_code", "area_id", "window_start"], how="left").with_columns(
        nw.col("area_id").alias("entity"), no_point().alias("point_id")
    )
    rate, ground_level = nw.col("rate"), nw.col("ground")
    sudden = nw.when((ground_level >= ORANGE).fill_null(False)).then(rate)
    rows = judged(history, rows, "S-10", ("", rate), ("sudden_on_the_ground", sudden))
    return index_rows(
        placed(history, rows),
        S_10,
        value=rate,
        level=nw.col("level"),
        reason=nw.lit("NO_INSAR"),
        inputs={"places": number(nw.col("places"), 0), "level_on_the_ground": number(ground_level, 0)},
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("InSAR 形变速率 "), number(rate, 1), nw.lit(" mm/a")),
        finding_en=nw.concat_str(nw.lit("satellite radar: "), number(rate, 1), nw.lit(" mm/a")),
    )
