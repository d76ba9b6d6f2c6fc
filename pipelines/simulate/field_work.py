"""What people measure by hand and write down: drill holes, shots, face advance, water samples, laboratory analyses.

Each record is true but for the error of its measurement, which is drawn with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from minefusion.pipelines.simulate.air import CH4, CO, CO2, DEFICIT, FRESH_O2_PCT, NAMED, STEP_S
from minefusion.pipelines.simulate.layout import Heading, Layout
from minefusion.pipelines.simulate.scenario import Event
from minefusion.pipelines.simulate.seismic import Shock
from minefusion.pipelines.simulate.slope import AREA_ZH as SLOPE_ZH
from minefusion.pipelines.simulate.slope import STEP_S as SLOPE_STEP_S
from minefusion.pipelines.simulate.supports import ADVANCE_M
from minefusion.pipelines.simulate.texts import Clock
from minefusion.schemas.site import SourceWater

Floats = NDArray[np.float64]

DAY_S = 86_400
# Drill cuttings of a gate ahead of the face: normal mass [kg/m], holes a day, depths [m].
NORMAL_KG_M, HEIGHT_M, HOLE_DEPTHS_M = 2.3, 3.2, tuple(range(2, 11))
# Outburst indices of a heading that is in no danger, and their critical values.
OUTBURST_USUAL = {
    "desorption_k1": 0.22, "desorption_dh2": 85.0, "cuttings_volume": 2.3, "hole_gas_flow": 1.9, "cuttings_mass": 2.6,
}  # fmt: skip
OUTBURST_UNITS = {
    "desorption_k1": "mL/(g·min0.5)", "desorption_dh2": "Pa", "cuttings_volume": "L/m", "hole_gas_flow": "L/min",
    "cuttings_mass": "kg/m",
}  # fmt: skip
OUTBURST_DEPTHS_M = (2.0, 4.0, 6.0, 8.0)
EXPLOSIVE_KG, BROKEN_T = (18.0, 26.0), (38.0, 52.0)
ADVANCE_M_D, OUTPUT_T_D = 5.6, 6000.0
SAMPLE_EVERY_S = 8 * 3600
WATERS = ("奥灰水", "顶板砂岩水", "老空水")
# Usual contents of each source: Na+K, Ca, Mg, Cl, SO4, HCO3, TDS [mg/L], temperature [℃].
CONTENTS = (
    (62.0, 96.0, 38.0, 48.0, 210.0, 265.0, 720.0, 18.5),
    (310.0, 14.0, 6.0, 95.0, 120.0, 560.0, 1105.0, 15.5),
    (120.0, 280.0, 110.0, 60.0, 1150.0, 140.0, 1860.0, 13.5),
)
IONS = ("na_k", "ca", "mg", "cl", "so4", "hco3", "tds", "water_temperature")
SPREAD = 0.07
KNOWN_SAMPLES = 14  # of each source, in the site file
# A radar satellite passes so often and sees so much of a movement down the slope; what moves farther between two passes
# it loses. Deviation of a rate [mm/a].
PASS_S, SEEN_SHARE, LOST_MM, RATE_NOISE_MM_A = 12 * DAY_S, 0.6, 14.0, 2.0
YEAR_S = 365.25 * DAY_S


@dataclass(frozen=True)
class Record:
    """One value that somebody wrote down, `at_s` from the start of the run."""

    record_id: str
    kind: str
    quantity: str
    at_s: float
    value: float
    unit: str
    area_id: str
    location: str
    sample_id: str = ""
    depth_m: float | None = None


def field_work(
    layout: Layout,
    events: Sequence[Event],
    shocks: Sequence[Shock],
    goafs: Mapping[int, Floats],
    slope_mm: Floats | None,
    *,
    seconds: float,
    local_second: float,
    rng: np.random.Generator,
) -> tuple[Record, ...]:
    """Every record of a run in order of time.

    Args:
        shocks: whose blasts are written down. `goafs`: air of the goaf by number of its face, as in `goaf.goaf_air`.
        slope_mm: movement of the open-pit slope, steps × stations; null where the mine has none.
    """
    records: list[Record] = []
    for at_s in _every_day(10, seconds, local_second):
        records += _of_the_day(layout, events, at_s, rng)
    shots = [(shock.at_s, shock.face) for shock in shocks if shock.is_blast]
    shots += [(event.onset_s, event.unit) for event in events if "blast" in event.effects]
    for number, (at_s, heading) in enumerate(sorted(shots), start=1):
        records += _shot(layout, number, at_s, heading, rng)
    for face, air in goafs.items():
        records += _analyses(layout, face, air, seconds, rng)
    for number, event in enumerate((each for each in events if "hidden_danger" in each.effects), start=1):
        records += _hidden_danger(layout, number, event)
    if slope_mm is not None:
        records += _satellite_passes(layout, slope_mm, rng)
    return tuple(sorted(records, key=lambda each: (each.at_s, each.kind, each.record_id, each.quantity)))


def _every_day(hour: float, seconds: float, local_second: float) -> Iterator[float]:
    at_s = (hour * 3600 - local_second) % DAY_S
    while at_s < seconds:
        yield at_s
        at_s += DAY_S


def _of_the_day(layout: Layout, events: Sequence[Event], at_s: float, rng: np.random.Generator) -> Iterator[Record]:
    """Holes of the faces' gates and of the headings, advance and output, and a water sample of each face."""
    names = {area.area_id: area.name_zh for area in layout.site.areas}
    day = int(at_s // DAY_S)
    for number, face in enumerate(layout.faces):
        about = (face.return_area, names[face.return_area])
        stressed = _share(events, "stressed_coal", number, "ratio", at_s, 1.0)
        for depth in HOLE_DEPTHS_M:
            there = 1 + (stressed - 1) * np.exp(-0.5 * ((depth - 6.0) / 2.0) ** 2)
            mass = NORMAL_KG_M * (1 + 0.01 * depth) * there * float(rng.normal(1, 0.05))
            hole = f"ZX{number + 1:02d}{day:04d}"
            yield Record(
                hole, "drill_cuttings", "cuttings_mass", at_s, round(mass, 2), "kg/m", *about, hole, float(depth)
            )
        stands = _share(events, "quiet", number, "advances", at_s, 1.0)
        advance = ADVANCE_M_D * float(rng.normal(1, 0.08)) * stands
        at_face = (face.area_id, names[face.area_id])
        yield Record(f"JC{number + 1:02d}{day:04d}", "face_advance", "advance", at_s + 60,
                     round(max(advance, 0.0) / ADVANCE_M, 0) * ADVANCE_M, "m", *at_face)  # fmt: skip
        output = OUTPUT_T_D * float(rng.normal(1, 0.06)) * stands
        for quantity, share in (("output", 1.0), ("output_intelligent", 0.84)):
            told = round(share * output, 0)
            yield Record(f"CL{number + 1:02d}{day:04d}", "production", quantity, at_s + 120, told, "t", *at_face)
        source = int(_share(events, "inrush", number, "water", at_s, 1.0))
        values = water_of(source, rng)
        for quantity, value in values.items():
            unit = "℃" if quantity == "water_temperature" else "mg/L"
            yield Record(f"SY{number + 1:02d}{day:04d}", "water_chemistry", quantity, at_s + 180, value, unit, *about,
                         f"SY{number + 1:02d}{day:04d}")  # fmt: skip
    for number, heading in enumerate(layout.headings):
        yield from _outburst_holes(events, number, heading, names[heading.area_id], day, at_s, rng)


def _share(events: Sequence[Event], effect: str, unit: int, setting: str, at_s: float, usual: float) -> float:
    """What an event sets at that place and time; an inrush's water is limestone's from its precursor on."""
    for event in events:
        if effect in event.effects and event.unit == unit and event.onset_s - event.precursor_s <= at_s < event.end_s:
            if effect == "inrush":
                return 0.0
            return event.effects[effect].get(setting, 0.0)
    return usual


def water_of(source: int, rng: np.random.Generator) -> dict[str, float]:
    """Contents of a sample of that source."""
    return {
        name: round(usual * float(rng.normal(1, SPREAD if name != "water_temperature" else 0.02)), 1)
        for name, usual in zip(IONS, CONTENTS[source], strict=True)
    }


def known_waters(rng: np.random.Generator) -> tuple[SourceWater, ...]:
    """Samples whose source the mine knows, for its site file."""
    return tuple(
        SourceWater(f"BY{source + 1}{number:03d}", WATERS[source], **water_of(source, rng))
        for source in range(len(WATERS))
        for number in range(1, KNOWN_SAMPLES + 1)
    )


def _outburst_holes(
    events: Sequence[Event], number: int, heading: Heading, name: str, day: int, at_s: float, rng: np.random.Generator
) -> Iterator[Record]:
    signs = _share(events, "outburst_signs", number, "times", at_s, 1.0)
    hole = f"YC{number + 1:02d}{day:04d}"
    for depth in OUTBURST_DEPTHS_M:
        for quantity, usual in OUTBURST_USUAL.items():
            value = usual * signs * (0.85 + 0.05 * depth) * float(rng.normal(1, 0.06))
            digits = 0 if quantity == "desorption_dh2" else 2
            yield Record(hole, "drill_cuttings", quantity, at_s + 240, round(value, digits),
                         OUTBURST_UNITS[quantity], heading.area_id, name, hole, depth)  # fmt: skip


def _shot(layout: Layout, number: int, shot_s: float, heading: int, rng: np.random.Generator) -> Iterator[Record]:
    """A blast of a heading, told a few seconds off."""
    names = {area.area_id: area.name_zh for area in layout.site.areas}
    area_id = layout.headings[heading].area_id
    at_s = max(shot_s + float(rng.normal(0, 5)), 0.0)
    for quantity, span, unit in (("explosive_mass", EXPLOSIVE_KG, "kg"), ("broken_coal", BROKEN_T, "t")):
        value = round(float(rng.uniform(*span)), 1)
        yield Record(f"FP{number:05d}", "blast", quantity, at_s, value, unit, area_id, names[area_id])


def _hidden_danger(layout: Layout, number: int, event: Event) -> Iterator[Record]:
    """A major danger that somebody finds and nobody mends; and a slight one beside it that is mended in time."""
    area_id = layout.faces[event.unit].area_id
    names = {area.area_id: area.name_zh for area in layout.site.areas}
    due_days = event.effects["hidden_danger"]["due_days"]
    told = {
        f"YH{number:03d}": {"is_major": 1.0, "due_days": due_days},
        f"YH{number:03d}S": {"is_major": 0.0, "due_days": due_days, "closed_after_days": due_days / 2},
    }
    for record_id, quantities in told.items():
        for quantity, value in quantities.items():
            unit = "d" if quantity.endswith("days") else ""
            yield Record(
                record_id, "hidden_danger", quantity, event.onset_s, round(value, 3), unit, area_id, names[area_id]
            )


def _satellite_passes(layout: Layout, slope_mm: Floats, rng: np.random.Generator) -> Iterator[Record]:
    """Rate of each station's surroundings since the pass before, towards the satellite."""
    area_id = next(area.area_id for area in layout.site.areas if area.name_zh == SLOPE_ZH)
    step = PASS_S // SLOPE_STEP_S
    for passed in range(step, len(slope_mm), step):
        moved = SEEN_SHARE * (slope_mm[passed] - slope_mm[passed - step])
        for station, millimetres in enumerate(moved.tolist(), start=1):
            rate = millimetres * YEAR_S / PASS_S + float(rng.normal(0, RATE_NOISE_MM_A))
            if abs(millimetres) < LOST_MM:
                spot = f"PS{station:02d}"
                yield Record(f"{spot}{passed:06d}", "insar", "insar_rate", float(passed * SLOPE_STEP_S), round(rate, 1),
                             "mm/a", area_id, f"{SLOPE_ZH}{spot}", spot)  # fmt: skip


def _analyses(layout: Layout, face: int, air: Floats, seconds: float, rng: np.random.Generator) -> Iterator[Record]:
    """Chromatograph samples of a goaf's tube, three a day: % of the large gases, ppm of the small ones."""
    goaf = layout.faces[face].goaf
    assert goaf is not None, "only a face with a goaf has its air"
    area_id = layout.edges[goaf].area_id
    names = {area.area_id: area.name_zh for area in layout.site.areas}
    tube = f"SG{face + 1:02d}"
    for number, at_s in enumerate(np.arange(3600.0, seconds, SAMPLE_EVERY_S), start=1):
        now = air[min(int(at_s // STEP_S), len(air) - 1)]
        oxygen = FRESH_O2_PCT * (1 - now[CH4] / 100) - now[DEFICIT]
        amounts = {"ch4": now[CH4], "o2": oxygen, "co2": now[CO2]}
        small = {
            "co": now[CO],
            **{gas: now[NAMED[gas]] for gas in ("c2h4", "c2h6", "c2h2")},
            "h2": now[NAMED["h2"]] * 1e4,
        }
        amounts["n2"] = 100 - sum(amounts.values()) - sum(small.values()) / 1e4
        told = [(gas, _measured(amount, 0.004, 2, rng), "%") for gas, amount in amounts.items()]
        told += [(gas, _measured(amount, 0.02, 1, rng), "ppm") for gas, amount in small.items()]
        for gas, value, unit in told:
            sample = f"{tube}{number:05d}"
            yield Record(sample, "gas_sample", gas, float(at_s), value, unit, area_id, names[area_id], tube)


def _measured(true: float, share: float, digits: int, rng: np.random.Generator) -> float:
    return round(max(float(true) * float(rng.normal(1, share)), 0.0), digits)


def field_records(records: Sequence[Record], clock: Clock, file_s: int, seconds: float) -> pl.DataFrame:
    """RGJL: records in the file after they were written down."""
    rows = [
        {
            "sent_s": int(-(-each.at_s // file_s) * file_s),
            "record_id": each.record_id if each.depth_m is None else f"{each.record_id}-{each.depth_m:g}",
            "record_kind": each.kind,
            "quantity": each.quantity,
            "measured_time": clock.one(each.at_s),
            "value": f"{each.value:g}",
            "unit": each.unit or None,
            "sample_id": each.sample_id or None,
            "depth": None if each.depth_m is None else f"{each.depth_m:g}",
            "location": each.location,
            "area_code": each.area_id,
        }
        for each in records
    ]
    texts = ("record_id", "record_kind", "quantity", "measured_time", "value", "unit", "sample_id", "depth", "location",
             "area_code")  # fmt: skip
    frame = pl.DataFrame(rows, schema={"sent_s": pl.Int64} | dict.fromkeys(texts, pl.String))
    return frame.filter(pl.col("sent_s") <= int(seconds)).sort("sent_s", maintain_order=True)
