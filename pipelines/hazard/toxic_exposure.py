"""What a shift breathes: time-weighted mean, short-time peak and ceiling of toxic gases at each station (T-02)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pyarrow as pa

from minefusion.pipelines.hazard.history import History
from minefusion.pipelines.hazard.hours import HOUR_US, Floats, Span, answer_schema, answers_of, hour_grid, placed
from minefusion.pipelines.hazard.levels import judged, steps
from minefusion.pipelines.hazard.rows import YELLOW, Index, index_rows, number, quoted
from minefusion.pipelines.rounding import rounded
from minefusion.schemas.site import Shift, Site

FIVE_MIN = 5
WORKDAY_H = 8.0
# Volume of a mole at 25 ℃ and 1 atm [L], and grams a mole.
MOLE_L = 24.45
MOLAR_G = {"co": 28.01, "no2": 46.01, "so2": 64.06, "nh3": 17.03, "h2s": 34.08, "co2": 44.01}
# A site file that names no shifts: three of eight hours from midnight on.
_USUAL = tuple(Shift(name, name, f"{hour:02}:00", 8.0) for name, hour in (("night", 0), ("day", 8), ("late", 16)))
_POINT = ["mine_code", "point_id", "quantity"]
_NAMES = ("twa", "stel", "peak", "factor", "covered")
_MEASURES = ("twa", "stel", "ceiling")
_ZH = {"co": "一氧化碳", "no2": "二氧化氮", "so2": "二氧化硫", "nh3": "氨气", "h2s": "硫化氢", "co2": "二氧化碳"}

T_02 = Index(
    id="T-02",
    name_zh="时间加权与短时间接触",
    name_en="time-weighted and short-time exposure",
    unit="1",
    minutes=60,
    source="GBZ 2.1-2019, recalled; steps ahead of the limits own",
    confidence="inferred",
    doc=(
        "What a station's air comes to against the exposure limits, as a share of the limit that is nearest: the dose "
        "of the shift so far over eight hours, the highest quarter of an hour and the highest value of the hour. Red "
        "at a limit, orange from 0.8, yellow from 0.5 of it. It is the station's air: who stood in it, the positions "
        "tell."
    ),
    formula=(
        r"TWA = \frac{\sum C_i\,\Delta t_i}{8\,h}, \quad STEL = \max_{15\,min} \bar C, \quad "
        r"RF = \frac{8}{h} \cdot \frac{24 - h}{16}"
    ),
    reads=("CO, NO2, SO2, NH3, H2S [ppm]", "CO2 [%]"),
    scenario="toxic_gas",
    edges=(
        "shifts of other than 8 h: the limit is multiplied by RF (Brief & Scala)",
        "under 75 % of the shift so far measured the dose is a lower bound: marked LOWER_BOUND, a level from yellow on "
        "stands",
        "a quarter of an hour with a silent part does not count",
        "nobody works in a goaf: its points have no exposure",
        "limits in mg/m³ become ppm at 25 ℃: × 24.45/M",
    ),
)


def ppm_of(mg_m3: nw.Expr, molar_g: float) -> nw.Expr:
    """ppm = mg/m³ × 24.45/M at 25 ℃."""
    return mg_m3 * MOLE_L / molar_g


def reduction_factor(shift_hours: float) -> float:
    """RF = (8/h)·((24 − h)/16): a limit's share for shifts of other than eight hours; 1 at eight (Brief & Scala)."""
    return (WORKDAY_H / shift_hours) * ((24 - shift_hours) / 16)


@dataclass(frozen=True)
class ShiftHours:
    """Shifts of one mine in minutes of its local day: start and length, and the mine's offset from UTC."""

    shifts: tuple[tuple[int, float], ...]
    offset_min: int

    @classmethod
    def of(cls, site: Site | None) -> ShiftHours:
        listed = (site.shifts if site else ()) or _USUAL
        starts = []
        for shift in listed:
            hour, _, minute = shift.start.partition(":")
            starts.append((60 * int(hour) + int(minute), shift.hours * 60))
        return cls(tuple(starts), int(60 * (site.utc_offset_h if site else 8.0)))

    def at(self, hour: int) -> tuple[int, float] | None:
        """Minutes since 1970 at which the shift of an hour's start began, and its length [min]; None in a gap."""
        minute = hour * 60
        for start, length in self.shifts:
            gone = (minute + self.offset_min - start) % 1440
            if gone < length:
                return minute - gone, length
        return None


def t02(history: History) -> nw.LazyFrame:
    """Exposure at each station of a limited gas, by hour."""
    gases = list(MOLAR_G)
    kinds = history.areas.select("mine_code", "area_id", nw.col("kind").alias("_kind"))
    points = history.points.filter(nw.col("quantity").is_in(gases)).select(*_POINT, "area_id", "unit")
    points = points.join(kinds, on=["mine_code", "area_id"], how="left")
    # Nobody works in a goaf.
    points = points.filter((nw.col("_kind") != "goaf").fill_null(True)).drop("_kind")
    five = history.five.filter(nw.col("quantity").is_in(gases), ~nw.col("value_mean").is_null())
    span = Span.of(history.window)
    shifts = {mine: ShiftHours.of(site) for mine, site in history.sites.items()}
    # A shift and the quarter of an hour before it: no more is looked at.
    oldest = (span.start - 25) * HOUR_US
    told = five.filter(nw.col("start_us") >= oldest).select(*_POINT, "start_us", "value_mean", "value_max")
    found = history.grouped(told, _POINT, exposure_of_point(span, shifts), answer_schema(_POINT, _NAMES))
    rows = points.join(hour_grid(history), how="cross").join(found, on=[*_POINT, "hour"], how="left")
    for measure in _MEASURES:
        scope = nw.concat_str(nw.col("quantity"), nw.lit(f"_{measure}"))
        rows = steps(history, rows, T_02.id, scope).rename({"red": f"_{measure}"})
        rows = rows.drop("blue", "yellow", "orange", "limit_source", "limit_confidence")
    rows = rows.with_columns(*(_in_units_of_the_point(measure) for measure in _MEASURES))
    shares = {
        "twa": nw.col("twa") / (nw.col("_twa") * nw.col("factor")),
        "stel": nw.col("stel") / nw.col("_stel"),
        "ceiling": nw.col("peak") / nw.col("_ceiling"),
    }
    rows = rows.with_columns(*(share.alias(f"{name}_share") for name, share in shares.items()))
    worst = rounded(nw.max_horizontal(*(f"{name}_share" for name in shares)))
    rows = rows.with_columns(worst.alias("_worst"), nw.col("point_id").alias("entity"))
    rows = judged(history, placed(history, rows), T_02.id, ("", nw.col("_worst")))
    low = nw.when(nw.col("covered") < 0.75).then(nw.lit("LOWER_BOUND"))
    names_zh = nw.col("quantity").replace_strict(
        list(_ZH), list(_ZH.values()), default=nw.lit(""), return_dtype=nw.String
    )
    share = number(100 * nw.col("_worst"), 0)
    return index_rows(
        rows,
        T_02,
        value=nw.col("_worst"),
        level=nw.col("level"),
        coverage=nw.col("covered"),
        reason=nw.lit("NO_DATA"),
        limit_source=nw.col("limit_source"),
        limit_confidence=nw.col("limit_confidence"),
        inputs={
            "gas": quoted(nw.col("quantity")),
            **{name: number(nw.col(name), 3) for name in ("twa", "stel", "peak")},
            **{f"{name}_limit": number(nw.col(f"_{name}"), 3) for name in _MEASURES},
            "shift_factor": number(nw.col("factor"), 3),
            "marks": quoted(low),
        },
        finding_zh=nw.concat_str(names_zh, nw.lit("接触水平为限值的 "), share, nw.lit(" %")),
        finding_en=nw.concat_str(
            nw.lit("exposure to "),
            nw.col("quantity").str.to_uppercase(),
            nw.lit(" at "),
            share,
            nw.lit(" % of its limit"),
        ),
        stands_from=YELLOW,
    )


def _in_units_of_the_point(measure: str) -> nw.Expr:
    """A limit in mg/m³ as ppm, or as % for a point that measures %."""
    limit = nw.lit(None, dtype=nw.Float64)
    for gas, molar_g in MOLAR_G.items():
        limit = nw.when(nw.col("quantity") == gas).then(ppm_of(nw.col(f"_{measure}"), molar_g)).otherwise(limit)
    return nw.when(nw.col("unit") == "%").then(limit * 1e-4).otherwise(limit).alias(f"_{measure}")


def exposure_of_point(span: Span, shifts: dict[str, ShiftHours]) -> Callable[[pa.Table], pa.Table]:
    """What gives one station's exposure for each hour of the window, from its five-minute means and highest values."""
    first = (span.start - 25) * 60 // FIVE_MIN
    bins = (span.end * 60) // FIVE_MIN - first

    def exposure(five: pa.Table) -> pa.Table:
        place = five["start_us"].to_numpy() // (FIVE_MIN * 60_000_000) - first
        inside = (place >= 0) & (place < bins)
        mean, peak = np.full(bins, np.nan), np.full(bins, np.nan)
        mean[place[inside]] = five["value_mean"].to_numpy(zero_copy_only=False)[inside]
        peak[place[inside]] = five["value_max"].to_numpy(zero_copy_only=False).astype(float)[inside]
        of_mine = shifts[five["mine_code"][0].as_py()]
        found = {name: np.full(span.end - span.start, np.nan) for name in _NAMES}
        for row, hour in enumerate(range(span.start, span.end)):
            end = (hour + 1) * 60 // FIVE_MIN - first
            found["stel"][row] = _highest_quarter(mean[end - 14 : end])
            found["peak"][row] = _highest(peak[end - 12 : end])
            shift = of_mine.at(hour)
            if shift is None:
                continue
            began, length = shift
            begin = began // FIVE_MIN - first
            until = min(end, begin + int(length // FIVE_MIN))
            dose = mean[max(begin, 0) : until]
            there = np.isfinite(dose)
            if there.any():
                found["twa"][row] = dose[there].sum() * FIVE_MIN / (WORKDAY_H * 60)
            found["covered"][row] = there.mean() if len(there) else 0.0
            found["factor"][row] = reduction_factor(length / 60)
        return answers_of(five, _POINT, span, found, _NAMES)

    return exposure


def _highest_quarter(means: Floats) -> float:
    """Highest mean of three five minutes on end, all of them known; NaN where there is none."""
    quarters = np.convolve(means, np.ones(3) / 3, mode="valid")
    return _highest(quarters)


def _highest(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else np.nan
