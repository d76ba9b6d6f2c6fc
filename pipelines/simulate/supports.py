"""The true state of roof and supports: leg pressures over the cycles of a face, roof separation, stress, bolts.

In a cycle a support is set, takes load towards the cycle's end, and is lowered to move on. Every ten to twenty-five
metres of advance the main roof breaks: the supports of a zone then carry more at the end of their cycles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.channels import Channel, Device, instants
from minefusion.pipelines.simulate.layout import Face, Layout
from minefusion.pipelines.simulate.scenario import Event, grown

Floats = NDArray[np.float64]

STEP_S = 60
SUPPORTS = 8  # of a face, evenly along it
SET_MPA, RATED_SET_MPA, END_MPA, YIELD_MPA, LOWERED_MPA = 21.0, 24.0, 27.0, 42.0, 1.8
CYCLE_MIN, LOWERED_S, TAKES_LOAD_S = (45.0, 70.0), 120.0, 900.0
CREEP_MPA_H = 0.4
ADVANCE_M = 0.7  # of a cycle
WEIGHTING_EVERY_M, WEIGHTING_SPREAD_M, WEIGHTING_CYCLES = 15.0, 3.0, 3
USUAL_WEIGHTING = (1.08, 1.2)  # end-of-cycle load of an ordinary weighting over the usual one
LEAKING_SHARE = 0.08
LEAK_MPA_H = 4.0
STRESS_MPA, BOLT_KN, SEPARATION_MM = 6.5, 82.0, 9.0
DAY_S = 86_400


@dataclass(frozen=True)
class Roof:
    """Supports and roof of a run.

    Attributes:
        pressure_mpa: steps of STEP_S × faces × SUPPORTS.
        weightings: (face, begin_s, end_s, K_d).
    """

    channels: tuple[Channel, ...]
    pressure_mpa: Floats
    leaking: NDArray[np.bool_]
    weightings: tuple[tuple[int, float, float, float], ...]


def simulate_roof(
    layout: Layout,
    events: Sequence[Event],
    *,
    seconds: float,
    period_s: int,
    rng: np.random.Generator,
) -> Roof:
    """Run the roof; leg pressures come each `period_s`, stress and separation at most every five minutes."""
    at_s = instants(seconds, STEP_S)
    pressure = np.empty((len(at_s), len(layout.faces), SUPPORTS))
    leaking = rng.random((len(layout.faces), SUPPORTS)) < LEAKING_SHARE
    weightings: list[tuple[int, float, float, float]] = []
    for face in range(len(layout.faces)):
        strong = [e for e in events if "weighting" in e.effects and e.unit == face]
        cycles, loads, told = _cycles(strong, seconds, rng)
        weightings += [(face, *each) for each in told]
        for support in range(SUPPORTS):
            pressure[:, face, support] = _legs(at_s, cycles, loads, bool(leaking[face, support]), rng)
    channels = tuple(_channels(layout, events, pressure, at_s, period_s))
    return Roof(channels, pressure, leaking, tuple(weightings))


def _cycles(
    strong: Sequence[Event], seconds: float, rng: np.random.Generator
) -> tuple[Floats, Floats, list[tuple[float, float, float]]]:
    """Starts of a face's cycles, the load of each over the usual one, and its weightings."""
    starts, at = [], -float(rng.uniform(0, 60)) * 60
    while at < seconds:
        starts.append(at)
        at += 60 * float(rng.uniform(*CYCLE_MIN))
    begin = np.array([*starts, at])
    load = np.ones(len(starts))
    told = []
    position = float(rng.uniform(0, WEIGHTING_EVERY_M)) / ADVANCE_M
    while position < len(starts):
        cycle = int(position)
        k_d = float(rng.uniform(*USUAL_WEIGHTING))
        load[cycle : cycle + WEIGHTING_CYCLES] = k_d
        last = min(cycle + WEIGHTING_CYCLES, len(starts))
        told.append((float(begin[cycle]), float(begin[last]), k_d))
        position += max(8.0, float(rng.normal(WEIGHTING_EVERY_M, WEIGHTING_SPREAD_M))) / ADVANCE_M
    for event in strong:
        k_d = event.effects["weighting"]["k_d"]
        held = (begin[:-1] < event.end_s) & (begin[1:] > event.onset_s)
        load[held] = k_d
        told.append((event.onset_s, event.end_s, k_d))
    return begin, load, told


def _legs(at_s: Floats, begin: Floats, load: Floats, is_leaking: bool, rng: np.random.Generator) -> Floats:
    """Pressure of one support's legs [MPa]."""
    cycles = len(load)
    own = begin + rng.uniform(0, 300)  # a support moves after the shearer has passed
    setting = np.clip(rng.normal(SET_MPA, 0.7, cycles), 15.0, 30.0)
    ending = np.maximum(END_MPA * load * rng.normal(1.0, 0.02, cycles), setting + 1.0)
    cycle = np.clip(np.searchsorted(own, at_s, side="right") - 1, 0, cycles - 1)
    since = np.maximum(at_s - own[cycle], 0.0)
    left = own[cycle + 1] - at_s
    grown_to = 1 - np.exp(-since / TAKES_LOAD_S)
    pressure = setting[cycle] + (ending - setting)[cycle] * grown_to + CREEP_MPA_H * since / 3600
    if is_leaking:
        pressure = np.maximum(pressure - LEAK_MPA_H * since / 3600, 0.6 * setting[cycle])
    lowered = (left <= LOWERED_S) & (left > 0)
    return np.where(lowered, LOWERED_MPA, np.minimum(pressure, YIELD_MPA))


def _channels(
    layout: Layout, events: Sequence[Event], pressure: Floats, at_s: Floats, period_s: int
) -> Iterator[Channel]:
    mine = layout.site.mine_code
    sampled = slice(None, None, period_s // STEP_S)
    slow_s = max(period_s, 300)
    slow = slice(None, None, slow_s // STEP_S)
    for number, face in enumerate(layout.faces):
        mine_face = f"{face.number}综采工作面"
        for support in range(SUPPORTS):
            place = 12 + 14 * support
            legs = Device(
                f"{mine}11MN1101{number + 1:02d}{support + 1:04d}",
                f"{mine_face}{place}号支架",
                face.area_id,
                _spot(layout, face.face, (support + 0.5) / SUPPORTS),
                {"area_name": mine_face, "point_no": str(place), "substation_no": str(number + 1)},
            )
            yield Channel(legs, "ZJSS", "value", "support_resistance", "MPa", pressure[sampled, number, support],
                          period_s, 2, 0.1, 0.0, 60.0)  # fmt: skip
        yield from _in_gates(layout, number, face, events, at_s[slow], slow_s)


def _in_gates(
    layout: Layout, number: int, face: Face, events: Sequence[Event], at_s: Floats, period_s: int
) -> Iterator[Channel]:
    """Stress, bolts, separation and convergence of a face's two gates."""
    mine, day = layout.site.mine_code, at_s / DAY_S
    here = [event for event in events if event.unit == number]

    def grows(effect: str, setting: str) -> Floats:
        """What an event adds at so much a day while it lasts; what has grown stays."""
        added = np.zeros(len(at_s))
        for event in here:
            if effect in event.effects:
                lasted = np.clip(at_s - event.onset_s, 0, event.end_s - event.onset_s) / DAY_S
                added += event.effects[effect][setting] * lasted
        return added

    heavy = sum((grown(e, at_s) for e in here if "weighting" in e.effects), np.zeros(len(at_s)))
    for each, (edge, along) in enumerate(((face.gate[0], 0.1), (face.gate[0], 0.4), (face.intake[-1], 0.8))):
        tag, words = f"{number + 1:02d}{each + 1:04d}", ("回风顺槽", "回风顺槽", "运输顺槽")[each]
        road = f"{face.number}{words}"
        area, spot = layout.edges[edge].area_id, _spot(layout, edge, along)
        far = (1.0, 0.6, 0.8)[each]
        about = {"area_name": f"{face.number}综采工作面", "roadway": road}
        cell = Device(f"{mine}ZKYL{tag}", f"{road}{each + 1}号钻孔应力计", area, spot, about | {"install_depth": "9.0"})
        stress = STRESS_MPA + 0.05 * day + far * grows("stress_rise", "mpa_d") + 0.8 * far * heavy
        yield Channel(cell, "ZKSS", "value", "borehole_stress", "MPa", stress, period_s, 2, 0.03, 0.0)
        bolt = Device(f"{mine}13MN1301{tag}", f"{road}{each + 1}号锚杆", area, spot, about | {"initial_load": "60"})
        load = BOLT_KN + 0.1 * day + 30 * far * heavy + far * grows("bolt_load", "kn_d")
        yield Channel(bolt, "MGSS", "value", "bolt_load", "kN", load, period_s, 1, 0.4, 0.0)
        meter = Device(f"{mine}14MN1401{tag}", f"{road}{each + 1}号顶板离层仪", area, spot,
                       about | {"shallow_param": "2.4", "deep_param": "7.0"})  # fmt: skip
        deep = SEPARATION_MM + 0.15 * day + far * grows("roof_separation", "mm_d")
        yield Channel(meter, "LCSS", "value_2", "roof_separation", "mm", deep, period_s, 1, 0.15, 0.0)
        yield Channel(meter, "LCSS", "value_1", "roof_separation_shallow", "mm", 0.4 * deep, period_s, 1, 0.15, 0.0)
        stake = Device(f"{mine}14MN9405{tag}", f"{road}{each + 1}号表面位移测站", area, spot, about)
        closed = 12 + 0.4 * day + 1.6 * far * grows("roof_separation", "mm_d")
        daily = closed[:: max(1, DAY_S // period_s)]
        yield Channel(stake, "WYSS", "value", "roadway_convergence", "mm", daily, DAY_S, 1, 0.8)


def _spot(layout: Layout, edge: int, along: float) -> tuple[float, float, float]:
    x, y, z = layout.at(edge, along * layout.edges[edge].length_m)
    return round(x, 2), round(y, 2), round(z, 2)
