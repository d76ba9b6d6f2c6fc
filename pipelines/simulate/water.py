"""The true state of the mine's water: rain, river, observation holes, inflow, sump and pumps.

A water inrush shows before it comes in some cases only: the inflow of its face grows by a few per cent an hour and
the heads of the limestone under it fall.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from minefusion.pipelines.simulate.channels import Channel, Device, instants
from minefusion.pipelines.simulate.layout import SURFACE_Z, Layout
from minefusion.pipelines.simulate.scenario import Event
from minefusion.pipelines.simulate.weather import Rain

Floats = NDArray[np.float64]

STEP_S = 60
MINE_INFLOW_M3_H, FACE_INFLOW_M3_H = 95.0, 22.0
UNREST, UNREST_S = 0.03, 6 * 3600.0
RAIN_SHARE, RAIN_LAG_D = 2.2, 2.0  # m³/h of inflow per mm/d of rain that has seeped down
INRUSH_RISE_S, INRUSH_FADES_D = 1800.0, 5.0
PUMPS, PUMP_M3_H = 4, 190.0
SUMP_M3, SUMP_AREA_M2 = 1400.0, 420.0
# Filling of the sump at which one pump more starts, and at which all stop.
START_AT, STOP_AT = (0.45, 0.6, 0.75, 0.9), 0.12
LIMESTONE, SANDSTONE = "奥陶系灰岩", "顶板砂岩"
# Observation holes: stratum, head [m above sea level], depth [m].
HOLES = ((LIMESTONE, 868.0, 640.0), (LIMESTONE, 871.0, 655.0), (LIMESTONE, 865.0, 630.0), (SANDSTONE, 1012.0, 320.0))
HEAD_FALLS_S = 10 * 3600.0


@dataclass(frozen=True)
class Water:
    """True water of a run; arrays hold a value each STEP_S: steps, steps × faces, × HOLES or × pumps."""

    channels: tuple[Channel, ...]
    inflow_m3_h: Floats
    face_inflow_m3_h: Floats
    head_m: Floats
    sump_m3: Floats
    pumps_on: NDArray[np.bool_]


def simulate_water(
    layout: Layout,
    events: Sequence[Event],
    rain: Rain,
    *,
    seconds: float,
    local_second: float,
    period_s: int,
    rng: np.random.Generator,
) -> Water:
    """Run the water of a mine; every device has a value each `period_s`, a whole number of minutes."""
    at_s = instants(seconds, STEP_S)
    count = len(at_s)
    faces = len(layout.faces)
    face = FACE_INFLOW_M3_H * rng.uniform(0.8, 1.2, faces) * np.exp(_unrest(rng, count, faces))
    rest = MINE_INFLOW_M3_H * rng.uniform(0.9, 1.1) * np.exp(_unrest(rng, count, 1)[:, 0])
    rest = rest + RAIN_SHARE * rain.response(at_s, RAIN_LAG_D)
    head = np.array([hole[1] for hole in HOLES]) + np.cumsum(
        rng.standard_normal((count, len(HOLES))) * 0.004 * np.sqrt(STEP_S / 3600), axis=0
    )
    for event in events:
        if "inrush" in event.effects:
            _inrush(event, at_s, face, head)
        if "pumping_test" in event.effects:  # a single hole falls and comes back
            head[:, event.unit % len(HOLES)] -= event.effects["pumping_test"]["fall_m"] * _pulse(event, at_s)
    inflow = face.sum(axis=1) + rest
    on, sump = _pumped(inflow)
    water = Water((), inflow, face, head, sump, on)
    channels = tuple(_channels(layout, water, rain, at_s, local_second, period_s, rng))
    return replace(water, channels=channels)


def _unrest(rng: np.random.Generator, count: int, series: int) -> Floats:
    keep = np.exp(-STEP_S / UNREST_S)
    noise = rng.standard_normal((count, series)) * UNREST * np.sqrt(1 - keep**2)
    return lfilter([1.0], [1.0, -keep], noise, axis=0)


def _inrush(event: Event, at_s: Floats, face: Floats, head: Floats) -> None:
    """Growth before, where it shows; then a step that fades over days, while the limestone loses head."""
    settings = event.effects["inrush"]
    unit = min(event.unit, face.shape[1] - 1)
    if event.precursor_s > 0:
        before = np.clip((at_s - event.onset_s + event.precursor_s) / 3600, 0, event.precursor_s / 3600)
        growth = (1 + settings["growth_per_h"]) ** before
        face[:, unit] *= np.where(at_s < event.onset_s, growth, growth.max())
    since = at_s - event.onset_s
    after = np.maximum(since, 0.0)
    step = (1 - np.exp(-after / INRUSH_RISE_S)) * np.exp(-after / (INRUSH_FADES_D * 86_400))
    face[:, unit] *= 1 + (settings["times"] - 1) * step
    lead = min(event.precursor_s, 6 * 3600.0)
    falling = np.clip((since + lead) / HEAD_FALLS_S, 0, None)
    for hole, (stratum, _, _) in enumerate(HOLES):
        if stratum == LIMESTONE:
            head[:, hole] -= settings["fall_m"] * (1 - np.exp(-falling)) * (1.0, 0.7, 0.5)[hole % 3]


def _pulse(event: Event, at_s: Floats) -> Floats:
    """Down over the event, and back at the same pace."""
    length = max(event.end_s - event.onset_s, 1.0)
    return np.clip(np.minimum((at_s - event.onset_s) / length, 2 - (at_s - event.onset_s) / length), 0, 1)


def _pumped(inflow: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Pumps by the sump's filling, with hysteresis, and what is in the sump: it loses nothing of the inflow."""
    on = np.zeros((len(inflow), PUMPS), dtype=bool)
    sump = np.zeros(len(inflow))
    held, running = 0.3 * SUMP_M3, 0
    for step, quantity in enumerate(inflow.tolist()):
        share = held / SUMP_M3
        running = 0 if share <= STOP_AT else max(running, sum(share >= start for start in START_AT))
        on[step, :running], sump[step] = True, held
        held = min(max(held + (quantity - running * PUMP_M3_H) * STEP_S / 3600, 0.0), SUMP_M3)
    return on, sump


def _channels(
    layout: Layout,
    water: Water,
    rain: Rain,
    at_s: Floats,
    local_second: float,
    period_s: int,
    rng: np.random.Generator,
) -> Iterator[Channel]:
    """Devices with what is true of them."""
    mine, edges = layout.site.mine_code, layout.edges
    sampled = slice(None, None, period_s // STEP_S)
    sent = at_s[sampled]
    count = len(sent)
    near = layout.site.nodes[0]
    up = (near.x + 260.0, near.y + 180.0, SURFACE_Z)

    def below(edge: int, along: float) -> tuple[float, float, float]:
        x, y, z = layout.at(edge, along * edges[edge].length_m)
        return round(x, 2), round(y, 2), round(z, 2)

    gauge = Device(f"{mine}JSL000001", "工业广场雨量站", mine, up, {"device_type": "3"})
    yield Channel(gauge, "JSLCDSS", "value", "rainfall", "mm", rain.per_step(sent, period_s), period_s, 2, 0.0, 0.0)
    river = Device(f"{mine}DBS000001", "南河1号监测点", mine, (up[0] + 900, up[1] + 300, SURFACE_Z - 22), {})
    fed = rain.response(sent, 0.6)
    yield Channel(river, "DBSCDSS", "water_level", "water_level", "m", 1207.0 + 0.02 * fed, period_s, 2, 0.004)
    yield Channel(river, "DBSCDSS", "flow", "flow", "m3/h", 1800 + 160 * fed, period_s, 1, 15.0, 0.0)
    for number, (stratum, _, depth) in enumerate(HOLES):
        hole = Device(
            f"{mine}MN0502{number + 1:06d}",
            f"G{number + 1}长观孔",
            mine,
            (up[0] + 350 * number, up[1] - 240 * (number % 2), SURFACE_Z),
            {"stratum": stratum, "hole_depth": f"{depth:.1f}"},
        )
        shown = water.head_m[sampled, number]
        yield Channel(hole, "CGKCDSS", "water_level", "water_level", "m", shown, period_s, 3, 0.004)
        warmth = np.full(count, 14.0 + number)
        yield Channel(hole, "CGKCDSS", "water_temperature", "water_temperature", "℃", warmth, period_s, 1, 0.05)
    sump_edge = layout.index("chamber")[-1]
    whole = Device(
        f"{mine}YSL000001", "全矿井涌水量测站", edges[sump_edge].area_id, below(sump_edge, 0.3), {"coverage": "全矿井"}
    )
    yield Channel(whole, "YSLCDSS", "value", "water_inflow", "m3/h", water.inflow_m3_h[sampled], period_s, 1, 1.2, 0.0)
    for number, each in enumerate(layout.faces):
        station = Device(
            f"{mine}YSL{number + 2:06d}",
            f"{each.number}回风顺槽涌水测站",
            each.return_area,
            below(each.gate[-1], 0.5),
            {"coverage": f"{each.number}工作面"},
        )
        shown = water.face_inflow_m3_h[sampled, number]
        yield Channel(station, "YSLCDSS", "value", "water_inflow", "m3/h", shown, period_s, 1, 0.3, 0.0)
    day = ((at_s + local_second) // 86_400).astype(int)
    for number in range(PUMPS):
        room = {"pump_room": "中央水泵房", "pump_name": f"{number + 1}号水泵", "pump_nominal_flow": f"{PUMP_M3_H:.0f}"}
        pump = Device(
            f"{mine}PSL{number + 1:06d}", f"中央水泵房{number + 1}号水泵", edges[sump_edge].area_id,
            below(sump_edge, 0.3 + 0.1 * number), room,
        )  # fmt: skip
        moved = np.where(water.pumps_on[:, number], PUMP_M3_H, 0.0)
        lifted = np.cumsum(moved) * STEP_S / 3600
        first = np.searchsorted(day, day)
        day_total = lifted - np.where(first > 0, lifted[np.maximum(first - 1, 0)], 0.0)
        running = water.pumps_on[sampled, number].astype(float)
        yield Channel(pump, "PSLCDSS", "flow", "water_drained", "m3/h", moved[sampled], period_s, 1, 0.0, 0.0)
        yield Channel(
            pump, "PSLCDSS", "total", "water_drained_day_total", "m3", day_total[sampled], period_s, 1, 0.0, 0.0
        )
        yield Channel(pump, "SBCDSS", "state", "equipment_on", "", running, period_s, 0, 0.0, is_state=True)
    relief = Device(
        f"{mine}SFS000001", f"{layout.faces[0].number}底板疏放水孔", layout.faces[0].intake_area,
        below(layout.faces[0].intake[-1], 0.4), {"target_stratum": LIMESTONE},
    )  # fmt: skip
    yielded = 9.0 * np.exp(_unrest(rng, count, 1)[:, 0])
    yield Channel(relief, "SFSCDSS", "value", "hole_water_yield", "m3/h", yielded, period_s, 1, 0.1, 0.0)
