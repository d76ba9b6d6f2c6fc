"""Supports of a longwall face (R-07): how the roof loads them, how well they are set, how often they yield."""

from __future__ import annotations

import math

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
    family_values,
    hour_grid,
    no_point,
    placed,
    site_rows,
)
from minefusion.pipelines.hazard.levels import judged
from minefusion.pipelines.hazard.rows import Index, index_rows, number
from minefusion.pipelines.hazard.support_cycles import (
    WELL_SET,
    cycles_of_leg,
    dynamic_load_factor,
    is_weighting,
    smoothed_over_supports,
)

_AREA = ["mine_code", "area_id"]
_LEG = [*_AREA, "point_id"]
# Cycles of a support that the mean rests on, and how many a zone of three supports must have.
LAST_CYCLES, LEAST_CYCLES = 50, 30
# Fifty cycles are found in so many days; what the legs did before says nothing of today's roof.
BEFORE_D = 7
STOPPED_H = 8
_CYCLE = pa.schema(
    [(name, pa.string()) for name in _LEG]
    + [("start_us", pa.int64()), ("end_us", pa.int64())]
    + [(name, pa.float64()) for name in ("set_mpa", "end_mpa", "weighted_mpa", "yield_share", "rated_set_mpa")]
    + [("leaks", pa.bool_()), ("drifted", pa.bool_())]
)
FACE = (
    "load_factor", "zone_mpa", "normal_mpa", "weighting_supports", "set_compliance", "yield_pct", "cycles", "leaking",
    "drifted", "stopped", "weighted_mpa",
)  # fmt: skip

R_07 = Index(
    id="R-07",
    name_zh="支架阻力与来压",
    name_en="support resistance and weighting",
    unit="ratio",
    minutes=60,
    source="own start values; the criterion of weighting recalled",
    confidence="advisory",
    doc=(
        "Dynamic-load factor of the face: the most loaded three supports at the end of their newest cycle, against "
        "the mean of the last 30 to 50 cycles. Over 1.4 yellow, over 1.6 orange. Beside it, over the last 24 hours: "
        "time at 95 % of the yield pressure (over 10 % yellow, 25 % orange) and cycles set to at least 80 % of the "
        "rated setting pressure (under 80 % yellow). The roof weights where the zone lies over mean and deviation."
    ),
    formula=r"K_d=\frac{P_{end}^{zone}}{\bar P_{end}},\quad P_{end}^{zone}>\bar P_{end}+\sigma_P,\quad"
    r" P_{tw}=\frac{1}{T}\int P\,dt",
    reads=("support resistance [MPa]", "rated setting and yield pressure of the supports (site file) [MPa]"),
    edges=(
        "a leaking leg (ends under 90 % of its setting) and a drifted sensor (lowered, yet over 3 MPa) are left out",
        "a face without a cycle for 8 h is stopped: null",
        "a cycle cut by a silent sensor, or of 8 h and more, is left out",
        "a zone with fewer than 30 cycles: no factor",
    ),
    scenario="roof_weighting",
)


def r07(history: History) -> nw.LazyFrame:
    """Load of the supports by face and hour."""
    values = family_values(history, ("support_resistance",), "pressure")
    schema = pa.schema([(name, pa.string()) for name in _AREA] + [("rated", pa.float64()), ("yields_at", pa.float64())])
    faces = [
        {
            "mine_code": row["mine_code"],
            "area_id": row["area_id"],
            "rated": row["rated_set_mpa"],
            "yields_at": row["yield_mpa"],
        }
        for row in site_rows(history.sites, "support_faces", ("area_id", "rated_set_mpa", "yield_mpa"))
    ]
    measured = values.select(*_AREA).unique()
    span = Span.of(history.window)
    first_us = (span.start - BEFORE_D * DAY_H) * HOUR_US
    rated = values.filter(nw.col("observed_us") >= first_us).join(history.frame(faces, schema), on=_AREA, how="inner")
    cycles = history.grouped(rated, _LEG, _cycles, _CYCLE)

    def of_face(group: pa.Table) -> pa.Table:
        return answers_of(group, _AREA, span, _face(group, span), FACE)

    found = history.grouped(cycles, _AREA, of_face, answer_schema(_AREA, FACE))
    is_rated = history.frame(faces, schema).select(*_AREA, nw.lit(True).alias("_rated"))
    rows = measured.join(hour_grid(history), how="cross").join(found, on=[*_AREA, "hour"], how="left")
    rows = rows.join(is_rated, on=_AREA, how="left").with_columns(
        nw.col("area_id").alias("entity"), no_point().alias("point_id")
    )
    rows = judged(
        history,
        rows,
        "R-07",
        ("", nw.col("load_factor")),
        ("yield_share", nw.col("yield_pct")),
        ("set_compliance", nw.col("set_compliance")),
    )
    stopped = (nw.col("stopped") == 1).fill_null(False)
    reason = (
        nw.when(nw.col("_rated").is_null())
        .then(nw.lit("NO_SUPPORT_RATING"))
        .otherwise(nw.when(stopped).then(nw.lit("FACE_STOPPED")).otherwise(nw.lit("TOO_FEW_SAMPLES")))
    )
    factor, weighting = nw.col("load_factor"), nw.col("weighting_supports") > 0
    rest_zh = nw.concat_str(
        nw.lit("，安全阀压力时间占 "), number(nw.col("yield_pct"), 1), nw.lit(" %，初撑力合格 "),
        number(nw.col("set_compliance"), 0), nw.lit(" %"),
    )  # fmt: skip
    rest_en = nw.concat_str(
        nw.lit(", "), number(nw.col("yield_pct"), 1), nw.lit(" % of the time at yield, "),
        number(nw.col("set_compliance"), 0), nw.lit(" % well set"),
    )  # fmt: skip
    come_zh = nw.when(weighting.fill_null(False)).then(nw.lit("顶板来压，")).otherwise(nw.lit(""))
    come_en = nw.when(weighting.fill_null(False)).then(nw.lit("roof weighting, ")).otherwise(nw.lit(""))
    shown = nw.coalesce(number(factor), nw.lit("?"))
    return index_rows(
        placed(history, rows),
        R_07,
        value=factor,
        level=nw.col("level"),
        reason=reason,
        inputs={
            "zone_mpa": number(nw.col("zone_mpa"), 2),
            "normal_mpa": number(nw.col("normal_mpa"), 2),
            "weighting_supports": number(nw.col("weighting_supports"), 0),
            "time_weighted_mpa": number(nw.col("weighted_mpa"), 2),
            "set_compliance_pct": number(nw.col("set_compliance"), 1),
            "yield_pct": number(nw.col("yield_pct"), 1),
            "cycles_24h": number(nw.col("cycles"), 0),
            "leaking_legs": number(nw.col("leaking"), 0),
            "drifted_sensors": number(nw.col("drifted"), 0),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(come_zh, nw.lit("动载系数 "), shown, rest_zh),
        finding_en=nw.concat_str(come_en, nw.lit("dynamic-load factor "), shown, rest_en),
    )


def _cycles(group: pa.Table) -> pa.Table:
    """The cycles of one leg, as rows of _CYCLE."""
    group = group.sort_by("observed_us")
    mpa = group["value"].to_numpy(zero_copy_only=False).astype(float)
    rated, yields_at = group["rated"][0].as_py(), group["yields_at"][0].as_py()
    cycles = cycles_of_leg(group["observed_us"].to_numpy().astype(np.int64), mpa, rated, yields_at)
    n = len(cycles.start_us)
    columns: dict[str, object] = {key: pa.array([group[key][0].as_py()] * n, pa.string()) for key in _LEG}
    columns |= {name: getattr(cycles, name) for name in ("start_us", "end_us", "set_mpa", "end_mpa")}
    columns |= {name: getattr(cycles, name) for name in ("weighted_mpa", "yield_share", "leaks", "drifted")}
    columns["rated_set_mpa"] = np.full(n, rated)
    return pa.table({name: columns[name] for name in _CYCLE.names}, schema=_CYCLE)


def _face(group: pa.Table, span: Span) -> dict[str, Floats]:
    """FACE of one face over the judged hours."""
    order = np.argsort(group["end_us"].to_numpy(), kind="stable")
    leg = np.array(group["point_id"].to_pylist())[order]
    numbers = {
        name: group[name].to_numpy(zero_copy_only=False)[order].astype(float)
        for name in ("end_us", "set_mpa", "end_mpa", "weighted_mpa", "yield_share", "rated_set_mpa", "start_us")
    }
    flags = {name: group[name].to_numpy(zero_copy_only=False)[order].astype(bool) for name in ("leaks", "drifted")}
    legs = sorted(set(leg))
    found = {name: np.full(span.end - span.start, np.nan) for name in FACE}
    for place, end in enumerate(span.ends_us()):
        known = (numbers["end_us"] <= end) & (numbers["end_us"] > end - BEFORE_D * DAY_H * HOUR_US)
        today = known & (numbers["end_us"] > end - DAY_H * HOUR_US)
        good = ~flags["leaks"] & ~flags["drifted"]
        said = {
            "cycles": float(today.sum()),
            "leaking": float(len(set(leg[today & flags["leaks"]]))),
            "drifted": float(len(set(leg[today & flags["drifted"]]))),
            "stopped": float(not (known & (numbers["end_us"] > end - STOPPED_H * HOUR_US)).any()),
        }
        if not said["stopped"]:
            said |= _day(numbers, today & good) | _zone(legs, leg, numbers, known & good)
        for name, amount in said.items():
            found[name][place] = amount
    return found


def _day(numbers: dict[str, Floats], cycles: np.ndarray) -> dict[str, float]:
    """How the legs were set and how long they yielded, over these cycles."""
    if not cycles.any():
        return {}
    length = (numbers["end_us"] - numbers["start_us"])[cycles]
    well_set = numbers["set_mpa"][cycles] >= WELL_SET * numbers["rated_set_mpa"][cycles]
    return {
        "set_compliance": 100 * float(well_set.mean()),
        "yield_pct": 100 * float((numbers["yield_share"][cycles] * length).sum() / length.sum()),
        "weighted_mpa": float((numbers["weighted_mpa"][cycles] * length).sum() / length.sum()),
    }


def _zone(legs: list[str], leg: np.ndarray, numbers: dict[str, Floats], cycles: np.ndarray) -> dict[str, float]:
    """The most loaded zone of three supports against the mean of its last cycles."""
    newest, history = np.full(len(legs), np.nan), []
    for number_, name in enumerate(legs):
        its = numbers["end_mpa"][cycles & (leg == name)][-LAST_CYCLES:]
        if len(its):
            newest[number_] = its[-1]
        history.append(its[:-1])
    zones = smoothed_over_supports(newest)
    best: dict[str, float] = {}
    weighting = 0
    for number_, zone in enumerate(zones):
        before = np.concatenate(history[max(number_ - 1, 0) : number_ + 2])
        if len(before) < LEAST_CYCLES or math.isnan(zone):
            continue
        weighting += is_weighting(float(zone), before)
        factor = dynamic_load_factor(float(zone), float(before.mean()))
        if factor > best.get("load_factor", 0.0):
            best = {"load_factor": factor, "zone_mpa": float(zone), "normal_mpa": float(before.mean())}
    return best | ({"weighting_supports": float(weighting)} if best else {})
