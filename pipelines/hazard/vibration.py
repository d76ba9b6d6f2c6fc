"""Vibration of machines: severity (E-01) and bearing features (E-02)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import narwhals as nw
import numpy as np

from minefusion.pipelines.hazard.equipment import (
    MACHINE,
    SLOT_MIN,
    by_slot,
    hourly,
    machine_facts,
    settled,
    slow_values,
    stands,
)
from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import DAY_H, Floats, Series, Span, hour_grid, no_point, per_hour, placed
from minefusion.pipelines.hazard.levels import judged, steps
from minefusion.pipelines.hazard.rows import Index, index_rows, number, quoted

MONTH_H = 30 * DAY_H
# Hours of steady running before the last day that a baseline needs.
LEAST_BASELINE_H = 24
# Slower machines are judged by displacement [r/min].
SLOW_R_MIN = 600.0
PER_HOUR = 60 // SLOT_MIN
# A number, or a column of them.
Amount = Any

E_01 = Index(
    id="E-01",
    name_zh="振动烈度",
    name_en="vibration severity",
    unit="mm/s",
    minutes=60,
    source="zones of ISO 20816-3, recalled, and of ISO 10816-1",
    confidence="inferred",
    doc=(
        "Velocity of vibration (10 to 1000 Hz, rms) of a machine's worst bearing and direction while it runs steadily. "
        "Zone B blue, zone C yellow and in its upper half orange, zone D red; the zones are those of the machine's "
        "group and support. Yellow also where it has changed by more than a quarter of the B/C boundary from its month."
    ),
    formula=r"v=\max_{k}v_{rms,k},\quad \frac{|v-v_{base}|}{v_{B/C}}>0.25",
    reads=("vibration velocity [mm/s]", "running of the machine", "group and support, speed (site file)"),
    edges=(
        "standstill, start-up (10 min) and coast-down are left out; an hour without steady running has no value",
        "under 600 r/min displacement criteria hold instead: no level",
        "no group in the site file: no level",
        "fewer than 24 hours of running before the last day: no baseline",
    ),
    scenario="bearing_fault",
)


def _judge_vibration(series: Series, span: Span) -> dict[str, Floats]:
    values, start = series["vibration_velocity"], span.start - span.first
    base = np.full(span.end - span.start, np.nan)
    for n, place in enumerate(span.judged):
        month = values[max(place - MONTH_H, 0) : place - DAY_H + 1]
        month = month[np.isfinite(month)]
        base[n] = np.median(month) if len(month) >= LEAST_BASELINE_H else np.nan
    return {"value_mm_s": values[start:], "base_mm_s": base}


def _machines(
    history: History, quantity: str, judge: Callable[[Series, Span], dict[str, Floats]], names: Sequence[str]
) -> nw.LazyFrame:
    """Machines that send the quantity, by hour of the window: what `judge` says of it, their facts, `_stands`.

    A machine that never ran steadily has its rows too: it stands, which is not the same as sending nothing.
    """
    slots = history.cached(by_slot(slow_values(history, (quantity,))))
    machines = slots.filter(nw.col("quantity") == quantity).select(*MACHINE).unique()
    found = per_hour(history, hourly(settled(slots)), MACHINE, judge, names).select(*MACHINE, "hour", *names)
    rows = machines.join(hour_grid(history), how="cross").join(found, on=[*MACHINE, "hour"], how="left")
    rows = rows.join(machine_facts(history), on=["mine_code", "machine"], how="left")
    return rows.join(
        stands(slots, PER_HOUR), left_on=["mine_code", "machine", "hour"], right_on=["mine_code", "machine", "period"],
        how="left",
    ).with_columns(nw.col("machine").alias("entity"), no_point().alias("point_id"))  # fmt: skip


def e01(history: History) -> nw.LazyFrame:
    """Severity by machine and hour."""
    rows = history.cached(_machines(history, "vibration_velocity", _judge_vibration, ("value_mm_s", "base_mm_s")))
    value, base, group = nw.col("value_mm_s"), nw.col("base_mm_s"), nw.col("vibration_group")
    slow = (nw.col("rated_speed_r_min") < SLOW_R_MIN).fill_null(False)
    rows = steps(history, rows, "E-01", group).with_columns(nw.col("yellow").alias("_b_c"))
    rows = rows.drop("blue", "yellow", "orange", "red", "limit_source", "limit_confidence")
    change = nw.when(nw.col("_b_c") > 0).then((value - base).abs() / nw.col("_b_c"))
    rows = rows.with_columns(change.alias("_change"))
    judgeable = nw.when(~slow).then(value)
    rows = judged(history, rows, "E-01", (group, judgeable), ("change", nw.when(~slow).then(nw.col("_change"))))
    stopped = nw.col("_stands").fill_null(False)
    reason = nw.when(slow).then(nw.lit("SLOW_MACHINE")).otherwise(
        nw.when(group.is_null()).then(nw.lit("NO_MACHINE_CLASS"))
    )  # fmt: skip
    return index_rows(
        placed(history, rows, "设备", "machine"),
        E_01,
        value=value,
        level=nw.col("level"),
        reason=nw.when(~value.is_null()).then(reason).otherwise(nw.when(stopped).then(nw.lit("NOT_RUNNING"))),
        inputs={
            "group": quoted(group),
            "baseline_mm_s": number(base, 3),
            "change_over_b_c": number(nw.col("_change"), 3),
            "b_c_mm_s": number(nw.col("_b_c"), 2),
        },
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(
            nw.lit("振动烈度 "), number(value), nw.lit(" mm/s"),
            nw.concat_str(nw.lit("，基线 "), number(base)).fill_null(""),
        ),
        finding_en=nw.concat_str(
            nw.lit("vibration "), number(value), nw.lit(" mm/s"),
            nw.concat_str(nw.lit(", usually "), number(base)).fill_null(""),
        ),
    )  # fmt: skip


# ── E-02 ────────────────────────────────────────────────────────────────────────────────────────────────────────────
E_02 = Index(
    id="E-02",
    name_zh="轴承特征",
    name_en="bearing features",
    unit="ratio",
    minutes=60,
    source="own start values",
    confidence="advisory",
    doc=(
        "Kurtosis of the vibration of a machine's worst bearing while it runs steadily: 3 is sound, over 4 yellow, "
        "over 6 orange: something knocks. Beside it the frequencies at which faults of its rolling bearing would show, "
        "where the site file gives its geometry."
    ),
    formula=r"K=\frac{\overline{(a-\bar a)^4}}{\sigma_a^4},\quad"
    r" f_{o,i}=\frac n2 f_r\left(1\mp\frac dD\cos\varphi\right)",
    reads=("kurtosis of vibration", "geometry of the bearing and speed (site file)"),
    edges=(
        "standstill, start-up and coast-down are left out",
        "no geometry: no frequencies, the kurtosis is judged all the same",
        "crest factor and envelope are not judged: no feed carries them",
    ),
    scenario="bearing_fault",
)


def bearing_frequencies_hz(balls: Amount, ratio: Amount, cosine: Amount, speed_hz: Amount) -> dict[str, Amount]:
    """Frequencies of faults [Hz]: outer race (BPFO), inner race (BPFI), ball (BSF), cage (FTF); of numbers or columns.

    Args:
        ratio: ball over pitch diameter.
        cosine: of the contact angle.
    """
    share = ratio * cosine
    return {
        "bpfo_hz": balls / 2 * speed_hz * (1 - share),
        "bpfi_hz": balls / 2 * speed_hz * (1 + share),
        "bsf_hz": speed_hz / (2 * ratio) * (1 - share * share),
        "ftf_hz": speed_hz / 2 * (1 - share),
    }


def e02(history: History) -> nw.LazyFrame:
    """Kurtosis by machine and hour."""
    rows = _machines(
        history, "vibration_kurtosis",
        lambda series, span: {"kurtosis": series["vibration_kurtosis"][span.start - span.first :]}, ("kurtosis",),
    )  # fmt: skip
    kurtosis = nw.col("kurtosis")
    rows = judged(history, rows, "E-02", ("", kurtosis))
    ratio, speed_hz = nw.col("ball_mm") / nw.col("pitch_mm"), nw.col("rated_speed_r_min") / 60
    frequencies = bearing_frequencies_hz(nw.col("balls"), ratio, nw.col("contact_cos"), speed_hz)
    return index_rows(
        placed(history, rows, "设备", "machine"),
        E_02,
        value=kurtosis,
        level=nw.col("level"),
        reason=nw.when(nw.col("_stands").fill_null(False)).then(nw.lit("NOT_RUNNING")),
        inputs={name: number(value, 2) for name, value in frequencies.items()},
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        finding_zh=nw.concat_str(nw.lit("振动峭度 "), number(kurtosis)),
        finding_en=nw.concat_str(nw.lit("kurtosis of vibration "), number(kurtosis)),
    )
