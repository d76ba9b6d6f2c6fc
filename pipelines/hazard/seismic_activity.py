"""What the microseismic events of an area add up to, hour by hour: the numbers behind R-01 to R-05.

Blasts are left out. The mine as a whole counts the events of all its areas.
"""

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
    Span,
    answer_schema,
    answers_of,
    hour_grid,
    no_point,
    site_rows,
)
from minefusion.pipelines.hazard.rows import MIN_COVERAGE
from minefusion.pipelines.hazard.seismic_statistics import (
    accelerating_release,
    apparent_stress_pa,
    apparent_volume_m3,
    benioff_strain,
    complete_part,
    completeness,
    energy_index,
    energy_moment_fit,
    large_event_probability,
    magnitude_of_energy,
    shi_bolt_sigma,
    stress_equivalent,
    tinti_mulargia_b,
)

if TYPE_CHECKING:
    from minefusion.pipelines.hazard.history import History

DAY_US = DAY_H * HOUR_US
MONTH_D, WEEK_D = 30, 7
# A deviation needs so many earlier days, and the network up for most of each.
LEAST_DAYS = 7
# So long must be quiet, and so many events a day before it, for quiet to be abnormal.
QUIET_D, LEAST_DAILY = 3, 3.0
# An event so near in time to a recorded blast of its area is the blast.
BLAST_US = 60_000_000
# Events that a b-value rests on, and the time that they must span for a drop to count.
B_EVENTS, LEAST_B_EVENTS, LEAST_B_HOURS = 200, 50, 24.0
# An event of so much energy is large, and the chance of one is told for so long ahead, where the site says nothing.
LARGE_J, AHEAD_DAYS = 1e6, 1.0
# Events with a moment that the fit of the energy index needs.
LEAST_MOMENTS = 30
SHEAR_MODULUS_PA = 2e10

_AREA = ["mine_code", "area_id"]
_EVENT, _UPTIME, _ADVANCE = "event", "uptime", "advance"
ACTIVITY = (
    "coverage", "events", "energy_j", "lg_energy", "strongest_j", "energy_deviation", "event_deviation", "energy_z",
    "per_metre", "quiet_ratio", "advance_m", "b", "b_sigma", "b_events", "complete_from", "b_reference", "b_drop_sigma",
    "b_hours", "energy_rises", "large_chance", "large_chance_low", "large_chance_high", "large_magnitude",
    "ahead_days", "strain_ratio", "strain", "stress_equivalent", "days_to_failure", "exponent", "release_r2",
    "energy_index", "energy_index_before", "energy_index_ratio", "volume_growth", "stress_pa", "volume_m3", "moments",
)  # fmt: skip


def tremors(history: History) -> nw.LazyFrame:
    """Microseismic events without blasts: of each area, and once more of the mine as a whole.

    A blast is told by the system, or stands within a minute of a blast record of the same area.
    """
    events = history.feeds.seismic.filter(
        nw.coalesce(nw.col("event_kind"), nw.lit("microseismic")) == "microseismic",
        ~nw.col("is_blast").fill_null(False),
        nw.col("usable"),
    ).with_columns(nw.col("area_id").fill_null(UNPLACED))
    shots = history.feeds.records.filter(nw.col("kind") == "blast").select(
        "mine_code", nw.col("area_id").fill_null(UNPLACED), nw.col("observed_us").alias("_shot_us")
    )
    near = events.join(shots.unique(), on=_AREA, how="inner")
    near = near.filter((nw.col("observed_us") - nw.col("_shot_us")).abs() <= BLAST_US)
    events = events.join(near.select("mine_code", "event_id").unique(), on=["mine_code", "event_id"], how="anti")
    events = events.select(*_AREA, "observed_us", "energy_j", "magnitude", "moment_nm")
    whole = events.with_columns(nw.col("mine_code").alias("area_id"))
    return nw.concat([events, whole], how="vertical")


def activity(history: History) -> nw.LazyFrame:
    """What the events of each area say, by hour of the window: the columns ACTIVITY."""
    events = history.cached(tremors(history))
    empty = [nw.lit(None, dtype=nw.Float64).alias(name) for name in ("energy_j", "magnitude", "moment_nm")]
    areas = events.select(*_AREA).unique()
    told = history.feeds.records.filter(nw.col("usable"), ~nw.col("value").is_null())
    uptime = told.filter(nw.col("kind") == "seismic_network", nw.col("quantity") == "uptime")
    uptime = areas.join(uptime.select("mine_code", "observed_us", "value"), on="mine_code", how="inner")
    advance = told.filter(nw.col("kind") == "face_advance", nw.col("quantity") == "advance")
    advance = advance.select("mine_code", nw.col("area_id").fill_null(UNPLACED), "observed_us", "value")
    of_mine = advance.with_columns(nw.col("mine_code").alias("area_id"))
    advance = nw.concat([advance, of_mine], how="vertical").join(areas, on=_AREA, how="inner")
    columns = [*_AREA, "what", "observed_us", "energy_j", "magnitude", "moment_nm", "value"]
    parts = [
        events.with_columns(nw.lit(_EVENT).alias("what"), nw.lit(None, dtype=nw.Float64).alias("value")),
        uptime.with_columns(nw.lit(_UPTIME).alias("what"), *empty),
        advance.with_columns(nw.lit(_ADVANCE).alias("what"), *empty),
    ]
    zones = [
        {**row, "area_id": row["area_id"] or row["mine_code"]}
        for row in site_rows(history.sites, "seismic_zones", list(_ZONE.names[1:]))
    ]
    rows = nw.concat([part.select(*columns) for part in parts], how="vertical")
    rows = rows.join(history.frame(zones, _ZONE), on=_AREA, how="left")
    span = Span.of(history.window)

    def of_group(group: pa.Table) -> pa.Table:
        return answers_of(group, _AREA, span, _activity_of_area(group, span), ACTIVITY)

    found = history.grouped(rows, _AREA, of_group, answer_schema(_AREA, ACTIVITY))
    return found.join(hour_grid(history), on="hour", how="inner").with_columns(
        nw.col("area_id").alias("entity"), no_point().alias("point_id")
    )


_ZONE = pa.schema(
    [("mine_code", pa.string()), ("area_id", pa.string())]
    + [(n, pa.float64()) for n in ("area_m2", "shear_modulus_pa", "b_reference", "large_magnitude", "ahead_days")]
)


def _activity_of_area(group: pa.Table, span: Span) -> dict[str, Floats]:
    """ACTIVITY of one area over the judged hours."""
    group = group.sort_by("observed_us")
    what = np.array(group["what"].to_pylist())
    at = group["observed_us"].to_numpy().astype(np.int64)
    event, uptime, advance = (what == name for name in (_EVENT, _UPTIME, _ADVANCE))
    value = group["value"].to_numpy(zero_copy_only=False).astype(float)
    energy = group["energy_j"].to_numpy(zero_copy_only=False).astype(float)[event]
    moment = group["moment_nm"].to_numpy(zero_copy_only=False).astype(float)[event]
    sent = group["magnitude"].to_numpy(zero_copy_only=False).astype(float)[event]
    magnitude = np.where(np.isfinite(sent), sent, magnitude_of_energy(energy))
    zone = {name: group[name][0].as_py() for name in _ZONE.names[2:]}
    found = {name: np.full(span.end - span.start, np.nan) for name in ACTIVITY}
    events_us = at[event]
    uptimes, advances = (at[uptime], value[uptime] / 100), (at[advance], value[advance])
    for place, end in enumerate(span.ends_us()):
        said: dict[str, float] = {}
        seen = slice(int(np.searchsorted(events_us, end - MONTH_D * DAY_US)), int(np.searchsorted(events_us, end)))
        us = events_us[seen]
        said |= _energy_and_frequency(us, energy[seen], uptimes, advances, int(end))
        said |= _frequency_magnitude(us, energy[seen], magnitude[seen], zone, int(end))
        said |= _strain_release(us, energy[seen], zone, int(end))
        said |= _energy_index(us, energy[seen], moment[seen], zone, int(end))
        for name, amount in said.items():
            found[name][place] = amount
    return found


def _energy_and_frequency(
    us: np.ndarray, energy: Floats, uptimes: tuple, advances: tuple, end: int
) -> dict[str, float]:
    days = np.arange(MONTH_D)
    edges = end - np.append(days, MONTH_D) * DAY_US
    place = np.searchsorted(us, edges)
    counted = np.nan_to_num(energy)
    total = np.concatenate([[0.0], np.cumsum(counted)])
    up = np.array([_uptime(uptimes, int(edge)) for edge in edges[:-1]])
    enough = up >= MIN_COVERAGE
    # A day on which the network was down for a part is scaled up, one on which it mostly was is not counted.
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.where(enough, (place[:-1] - place[1:]) / up, np.nan)
        joules = np.where(enough, (total[place[:-1]] - total[place[1:]]) / up, np.nan)
    # Days before the first event that is known say nothing.
    first = us[0] if len(us) else end
    n[1:], joules[1:] = (np.where(edges[1:-1] > first, each[1:], np.nan) for each in (n, joules))
    advance = np.array([_advance(advances, int(edge)) for edge in edges[:-1]])
    today = slice(int(place[1]), int(place[0]))
    if not enough[0]:
        # What was seen of a day that was mostly missed; its coverage says how little that is.
        n[0], joules[0] = place[0] - place[1], total[place[0]] - total[place[1]]
    said = {
        "coverage": up[0], "events": n[0], "energy_j": joules[0],
        "strongest_j": float(counted[today].max(initial=0.0)), "advance_m": advance[0],
        "lg_energy": math.log10(joules[0]) if joules[0] > 0 else math.nan,
    }  # fmt: skip
    per_metre = np.isfinite(advance) & (advance >= 0.5)
    by_advance = per_metre[0] and int(per_metre[1:].sum()) >= LEAST_DAYS
    said["per_metre"] = float(by_advance)
    for name, amount in (("energy_deviation", joules), ("event_deviation", n)):
        if by_advance:
            amount = np.divide(amount, advance, out=np.full(MONTH_D, np.nan), where=per_metre)
        said[name] = deviation(amount[0], amount[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        said["energy_z"] = robust_z(said["lg_energy"], np.log10(joules[1:]))
    said["quiet_ratio"] = _quiet_ratio(n)
    return said


def deviation(today: float, before: Floats) -> float:
    """D = (today − mean of the days before)/mean; NaN with fewer than LEAST_DAYS days or where they hold nothing."""
    known = before[np.isfinite(before)]
    if len(known) < LEAST_DAYS or known.mean() <= 0:
        return math.nan
    return float((today - known.mean()) / known.mean())


def robust_z(today: float, before: Floats) -> float:
    """(today − median)/(1.4826·MAD) of the days before; NaN where they are too few or all alike."""
    known = before[np.isfinite(before)]
    if len(known) < LEAST_DAYS:
        return math.nan
    spread = 1.4826 * float(np.median(np.abs(known - np.median(known))))
    return float((today - np.median(known)) / spread) if spread > 0 else math.nan


def _quiet_ratio(n: Floats) -> float:
    """The busiest of the last QUIET_D days as a share of the median day before them."""
    before = n[QUIET_D:]
    before = before[np.isfinite(before)]
    if len(before) < LEAST_DAYS or np.median(before) < LEAST_DAILY or not np.isfinite(n[:QUIET_D]).all():
        return math.nan
    return float(n[:QUIET_D].max() / np.median(before))


def _uptime(uptimes: tuple, end: int) -> float:
    """Share of the day that ends at `end` that the network was up: as last told for it, else all of it."""
    at, share = uptimes
    newest = int(np.searchsorted(at, end, side="right")) - 1
    return float(share[newest]) if newest >= 0 and end - at[newest] < 2 * DAY_US else 1.0


def _advance(advances: tuple, end: int) -> float:
    """Metres that the face advanced in the day that ends at `end`; NaN where none was told in the three days before."""
    at, metres = advances
    newest = int(np.searchsorted(at, end, side="right"))
    if not newest or end - at[newest - 1] >= QUIET_D * DAY_US:
        return math.nan
    return float(metres[int(np.searchsorted(at, end - DAY_US, side="right")) : newest].sum())


def _frequency_magnitude(us: np.ndarray, energy: Floats, magnitude: Floats, zone: dict, end: int) -> dict[str, float]:
    known = np.isfinite(magnitude)
    us, energy, binned = us[known], energy[known], np.round(magnitude[known], 1)
    complete_from = completeness(binned)
    complete = complete_part(binned, complete_from) if len(binned) else known[:0]
    us_c, m = us[complete], binned[complete]
    last = m[-B_EVENTS:]
    said = {"complete_from": complete_from, "b_events": float(len(last))}
    if len(last) < LEAST_B_EVENTS:
        return said
    b = tinti_mulargia_b(last, complete_from)
    sigma = shi_bolt_sigma(b, last)
    since = us_c[-len(last)]
    hours = (us_c[-1] - since) / HOUR_US
    before = m[: -len(last)]
    reference, of_reference = zone["b_reference"], 0.0
    if reference is None and len(before) >= LEAST_B_EVENTS:
        reference = tinti_mulargia_b(before, complete_from)
        of_reference = shi_bolt_sigma(reference, before)
    reference = math.nan if reference is None else reference
    spread = math.hypot(sigma, of_reference)
    joules = np.nan_to_num(energy)
    today = float(joules[us >= end - DAY_US].sum())
    week = float(joules[(us >= end - (WEEK_D + 1) * DAY_US) & (us < end - DAY_US)].sum()) / WEEK_D
    large = zone["large_magnitude"]
    large = float(magnitude_of_energy(np.array([LARGE_J]))[0]) if large is None else large
    ahead = zone["ahead_days"] or AHEAD_DAYS
    rate = len(last) / max((end - since) / DAY_US, 1e-9)
    chances = [large_event_probability(rate, ahead, each, large, complete_from) for each in (b, b + sigma, b - sigma)]
    return said | {
        "b": b, "b_sigma": sigma, "b_hours": hours, "b_reference": reference,
        "b_drop_sigma": (b - reference) / spread if spread > 0 else math.nan,
        "energy_rises": float(today > week), "large_chance": chances[0], "large_chance_low": chances[1],
        "large_chance_high": chances[2], "large_magnitude": large, "ahead_days": ahead,
    }  # fmt: skip


def _strain_release(us: np.ndarray, energy: Floats, zone: dict, end: int) -> dict[str, float]:
    known = np.isfinite(energy) & (energy > 0)
    us, energy = us[known], energy[known]
    today = us >= end - DAY_US
    strain = benioff_strain(energy[today])
    said = {"strain": strain}
    if zone["area_m2"]:
        said["stress_equivalent"] = stress_equivalent(energy[today], zone["area_m2"], 1.0)
    days_before = (end - us[0]) / DAY_US - 1 if len(us) else 0.0
    before = benioff_strain(energy[~today])
    if days_before >= LEAST_DAYS and before > 0:
        said["strain_ratio"] = strain / (before / days_before)
    week = us >= end - WEEK_D * DAY_US
    ahead, exponent, r2 = accelerating_release(us[week] / DAY_US, energy[week])
    if math.isfinite(ahead):
        gone = (end - us[-1]) / DAY_US
        said |= {"days_to_failure": max(ahead - gone, 0.0), "exponent": exponent, "release_r2": r2}
    return said


def _energy_index(us: np.ndarray, energy: Floats, moment: Floats, zone: dict, end: int) -> dict[str, float]:
    known = np.isfinite(energy) & (energy > 0) & np.isfinite(moment) & (moment > 0)
    us, energy, moment = us[known], energy[known], moment[known]
    said = {"moments": float(len(us))}
    if len(us) < LEAST_MOMENTS:
        return said
    c, d = energy_moment_fit(energy, moment)
    shear = zone["shear_modulus_pa"] or SHEAR_MODULUS_PA
    today, days = us >= end - DAY_US, (us >= end - 4 * DAY_US) & (us < end - DAY_US)
    lg = np.log10(energy_index(energy, moment, c, d))
    volume = apparent_volume_m3(shear, energy, moment)
    said["volume_m3"] = float(volume.sum())
    if today.any():
        said["energy_index"] = 10 ** float(lg[today].mean())
        said["stress_pa"] = float(np.median(apparent_stress_pa(shear, energy[today], moment[today])))
    if today.any() and days.any():
        said["energy_index_before"] = 10 ** float(lg[days].mean())
        said["energy_index_ratio"] = said["energy_index"] / said["energy_index_before"]
    week = (us >= end - (WEEK_D + 1) * DAY_US) & (us < end - DAY_US)
    if volume[week].sum() > 0:
        said["volume_growth"] = float(volume[today].sum() / (volume[week].sum() / WEEK_D))
    return said
