"""The true state of the mine's air: ventilation, emission and transport in steps of ten seconds.

Instruments only look at it: which points there are changes nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from minefusion.pipelines.simulate.burning import ROCK_C, fire_gases, heat_release_kw, heating_c, heating_gases
from minefusion.pipelines.simulate.layout import DOOR_OPEN, Face, Layout
from minefusion.pipelines.simulate.scenario import Emission, Event, active
from minefusion.pipelines.simulate.transport import SHORTEST_CELL_M, Cells
from minefusion.pipelines.simulate.ventilation import Fans, solve

Floats = NDArray[np.float64]

STEP_S = 10
SOLVE_EVERY = 6  # steps between solutions where nothing changed
WARM_UP_STEPS = 540  # the air of the farthest face needs about an hour to reach the fan
# What the air carries: methane [%], CO [ppm], oxygen missing [%], warmth [K]; and where the mine looks for more than
# that: CO2, H2 [%], ethylene, ethane, acetylene, NO2, SO2, H2S, NH3 [ppm], moisture [% of relative humidity].
CH4, CO, DEFICIT, WARMTH, CO2, H2, C2H4, C2H6, C2H2, NO2, SO2, H2S, NH3, MOISTURE = range(14)
FEW_SPECIES, ALL_SPECIES = 4, 14
NAMED = {
    "co": CO, "deficit": DEFICIT, "warmth": WARMTH, "co2": CO2, "h2": H2, "c2h4": C2H4, "c2h6": C2H6, "c2h2": C2H2,
    "no2": NO2, "so2": SO2, "h2s": H2S, "nh3": NH3, "moisture": MOISTURE,
}  # fmt: skip
FRESH_O2_PCT, FRESH_CO2_PCT = 20.93, 0.04
FRESH_CO_PPM = 0.4

# Emission of pure methane [m³/min]; a face's share from wall, cut coal and goaf, a heading's from wall and cut coal.
FACE_WALL, FACE_CUT, FACE_GOAF = 1.15, 1.35, 0.9
HEADING_WALL, HEADING_CUT = 0.45, 0.55
RETURN_LEAK = 0.04
CUT_DELAY_S = 900.0  # cut coal gives off its gas over about this time
UNREST, UNREST_S = 0.11, 600.0
GOAF_GAS_M3 = 3.0e4  # gas volume of a goaf that breathes with the barometer
PRESSURE_PA = 101_325.0 - 9_000.0
BLOCKED_FAN = 0.03  # of its air still seeps along a duct whose fan stands
TRIP_DECAY_S = 110.0
NATURAL_DRAUGHT = 0.02  # share of the fan's pressure that remains when it stands
HEAT_LOSS_M = 250.0
USUAL_CHANGES = Emission()
_INTO_THE_AIR = ("methane", "heating", "blackdamp", "self_heating", "belt_fire", "toxic", "blast", "hot")
# Temperature of the air by role of the roadway [℃].
TEMPERATURE_C = {
    "man_shaft": 8.0, "coal_shaft": 8.0, "pit_bottom": 10.0, "main_intake": 11.0, "belt": 12.5, "district_intake": 12.0,
    "intake_gate": 14.0, "face": 17.0, "corner": 17.6, "return_gate": 17.0, "heading_face": 14.4, "heading_road": 14.2,
    "chamber": 14.0,
}  # fmt: skip
RETURN_TEMPERATURE_C = 15.5
# Relative humidity by role of the roadway [%].
HUMIDITY_PCT = {"main_intake": 68.0, "belt": 72.0, "district_intake": 72.0, "intake_gate": 78.0, "chamber": 66.0,
                "face": 86.0, "heading_face": 84.0}  # fmt: skip
RETURN_HUMIDITY_PCT = 92.0
CO2_PER_DEFICIT = 0.6  # carbon dioxide that coal and people give for the oxygen they take


@dataclass(frozen=True)
class AirTruth:
    """True state per step of STEP_S, the first at the start of the run.

    Attributes:
        seen: steps × places × species, at the places asked for.
        flow: steps × edges [m³/s].
        narrowed: steps × edges, share of the section that is left.
        pressure_pa: steps, the barometer at the pit bottom.
        fan, doors_a, doors_b, cutting_face, cutting_heading, main_fan: steps × units, true = running or open.
        door_passes: (unit, onset_s, end_s) of doors opened one at a time.
    """

    seen: NDArray[np.float32]
    flow: NDArray[np.float32]
    narrowed: NDArray[np.float32]
    pressure_pa: Floats
    fan: NDArray[np.bool_]
    doors_a: NDArray[np.bool_]
    doors_b: NDArray[np.bool_]
    cutting_face: NDArray[np.bool_]
    cutting_heading: NDArray[np.bool_]
    main_fan: NDArray[np.bool_]
    door_passes: tuple[tuple[int, float, float], ...]
    temperature_c: Floats

    @property
    def steps(self) -> int:
        return len(self.flow)


def simulate_air(
    layout: Layout,
    events: Sequence[Event],
    places: Sequence[tuple[int, float]],
    *,
    seconds: float,
    local_second: float,
    streams: dict[str, np.random.Generator],
    species: int = FEW_SPECIES,
    changes: Emission = USUAL_CHANGES,
    progress: Callable[[float], None] | None = None,
) -> AirTruth:
    """Run the air for `seconds`, looking at `places` (edge, chainage); `local_second` is the time of day at first."""
    steps = int(seconds // STEP_S) + 1
    total = steps + WARM_UP_STEPS
    emission = _Emission(layout, events, total, local_second, streams, changes)
    doors, passes = _doors(layout, events, steps, streams["doors"])
    wander = _unrest(streams["fans"], total, len(layout.headings), 0.02, 900.0)

    length = np.array([edge.length_m for edge in layout.edges])
    section = np.array([edge.section_m2 for edge in layout.edges])
    speed = np.abs(layout.design_flow) / section
    cells = Cells(
        layout.network,
        length,
        section,
        cell_m=np.maximum(SHORTEST_CELL_M, speed * STEP_S / 0.85),
        species=species,
    )
    sources = _Sources(layout, cells)
    look = np.array([cells.cell_at(edge, chainage) for edge, chainage in places], dtype=np.intp)

    flow = layout.design_flow.copy()
    fans_on = np.ones((steps, len(layout.headings)), dtype=bool)
    main_on = np.ones((steps, 1), dtype=bool)
    narrowed = np.ones((steps, len(length)), dtype=np.float32)
    seen = np.zeros((steps, len(look), species), dtype=np.float32)
    flows = np.zeros((steps, len(length)), dtype=np.float32)
    draught, before = 1.0, None
    for number in range(total):
        step = number - WARM_UP_STEPS
        at_s = max(step, 0) * STEP_S
        happening = [event for event in events if step >= 0 and event.onset_s <= at_s < event.end_s]
        tripped = bool(active(happening, "main_fan_trip", at_s))
        share = np.ones(len(layout.headings))
        for event, _ in active(happening, "fan_stop", at_s):
            share[event.unit] = BLOCKED_FAN
        for event, settings in active(happening, "duct_leak", at_s):
            share[event.unit] = settings["share"]
        target = NATURAL_DRAUGHT if tripped else 1.0
        draught += (target - draught) * (1 - np.exp(-STEP_S / TRIP_DECAY_S))
        settled = abs(draught - target) < 1e-3
        open_doors = doors[max(step, 0)] if step >= 0 else np.zeros_like(doors[0])
        state = (open_doors.tobytes(), share.tobytes(), tuple(e.event_id for e in happening))
        if number % SOLVE_EVERY == 0 or state != before or not settled:
            before = state
            resistance = _resistance(layout, open_doors, happening, at_s)
            ducts = [
                (h.fan_at, h.duct_ends_at, h.fan_m3_s * share[each] * (1 + wander[number, each]))
                for each, h in enumerate(layout.headings)
            ]
            flow = _solve(layout, resistance, layout.fans.scaled(draught), ducts, flow)
            cells.set_flow(flow, ducts)
        if step >= 0:
            seen[step] = cells.state[look]
            flows[step] = flow
            fans_on[step] = share > 2 * BLOCKED_FAN
            main_on[step] = not tripped
            for event, settings in active(happening, "narrowing", at_s):
                edge = layout.faces[event.unit].gate[-1]
                narrowed[step, edge] = min(1.0, abs(flow[edge]) / (section[edge] * settings["reach_m_s"]))
        cells.step(STEP_S, sources.at(emission, number, flow, happening, at_s))
        cells.state[:, WARMTH] *= np.exp(-STEP_S * np.abs(flow / section)[cells.edge] / HEAT_LOSS_M)
        if progress and number % 360 == 0:
            progress(number / total)
    return AirTruth(
        seen=seen,
        flow=flows,
        narrowed=narrowed,
        pressure_pa=emission.pressure_pa[WARM_UP_STEPS:],
        fan=fans_on,
        doors_a=doors[:, :, 0],
        doors_b=doors[:, :, 1],
        cutting_face=emission.cutting_face[WARM_UP_STEPS:],
        cutting_heading=emission.cutting_heading[WARM_UP_STEPS:],
        main_fan=main_on,
        door_passes=passes,
        temperature_c=np.array([TEMPERATURE_C.get(role, RETURN_TEMPERATURE_C) for role in layout.roles]),
    )


def _solve(
    layout: Layout, resistance: Floats, fans: Fans, ducts: list[tuple[int, int, float]], guess: Floats
) -> Floats:
    injection = np.zeros(layout.network.nodes)
    for inlet, outlet, quantity in ducts:
        injection[inlet] -= quantity
        injection[outlet] += quantity
    return solve(layout.network, resistance, fans, injection=injection, guess=guess, tolerance=1e-5).flow


def _resistance(layout: Layout, doors: NDArray[np.bool_], happening: Sequence[Event], at_s: float) -> Floats:
    """Resistance of each edge with its doors as they stand and what lies in the way."""
    resistance = layout.resistance.copy()
    for unit, face in enumerate(layout.faces):
        each = layout.door_resistance[face.doors]
        resistance[face.doors] -= doors[unit].sum() * (each - DOOR_OPEN)
    for event, settings in active(happening, "blockage", at_s):
        resistance[layout.faces[event.unit].gate[-1]] *= settings["resistance_times"]
    usual = float(layout.design_flow[layout.main_fan])
    whole = float(layout.fans.pressure(layout.design_flow)[layout.main_fan]) / usual**2
    for event, settings in active(happening, "resistance_drift", at_s):
        share = min(1.0, (at_s - event.onset_s) / max((event.end_s - event.onset_s) / 2, 1.0))
        resistance[layout.main_fan] += (settings["times"] - 1) * share * whole
    for event, settings in active(happening, "fan_surge", at_s):  # the point moves up the curve, and swings
        flow = settings["flow_share"] * usual * (1 + 0.04 * np.sin(2 * np.pi * (at_s - event.onset_s) / 190.0))
        a, b, c = (float(getattr(layout.fans, name)[layout.main_fan]) for name in "abc")
        resistance[layout.main_fan] += max((a + b * flow + c * flow**2) / flow**2 - whole, 0.0)
    for event, settings in active(happening, "choked_return", at_s):
        resistance[layout.headings[event.unit].away] *= settings["resistance_times"]
    return resistance


def _doors(
    layout: Layout, events: Sequence[Event], steps: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], tuple[tuple[int, float, float], ...]]:
    """steps × pairs × 2: open or not. People pass one door at a time; an event holds both open."""
    doors = np.zeros((steps, len(layout.faces), 2), dtype=bool)
    passes = []
    for unit in range(len(layout.faces)):
        at = 0.0
        while True:
            at += float(rng.exponential(2400.0)) + 120.0
            first = int(at // STEP_S)
            if first + 8 >= steps:
                break
            each = int(rng.integers(1, 4))
            order = (0, 1) if rng.random() < 0.5 else (1, 0)
            doors[first : first + each, unit, order[0]] = True
            doors[first + each + 1 : first + 2 * each + 1, unit, order[1]] = True
            passes.append((unit, float(first * STEP_S), float((first + 2 * each + 1) * STEP_S)))
    for event in events:
        if "doors_open" in event.effects:
            doors[int(event.onset_s // STEP_S) : int(event.end_s // STEP_S), event.unit] = True
    return doors, tuple(passes)


def _unrest(rng: np.random.Generator, steps: int, series: int, deviation: float, memory_s: float) -> Floats:
    """Ornstein–Uhlenbeck series: steps × series."""
    keep = np.exp(-STEP_S / memory_s)
    noise = rng.standard_normal((steps, series)) * np.sqrt(1 - keep**2)
    return deviation * lfilter([1.0], [1.0, -keep], noise, axis=0)


def _cutting(rng: np.random.Generator, steps: int, series: int, cut_min: float, stop_min: float) -> NDArray[np.bool_]:
    """Machines that cut and stand in turn."""
    running = np.zeros((steps, series), dtype=bool)
    for each in range(series):
        at = -float(rng.uniform(0, cut_min + stop_min)) * 60
        while at < steps * STEP_S:
            cut, stop = (60 * minutes * float(rng.uniform(0.8, 1.2)) for minutes in (cut_min, stop_min))
            running[max(0, int(at // STEP_S)) : max(0, int((at + cut) // STEP_S)), each] = True
            at += cut + stop
    return running


def cutting_of(layout: Layout, steps: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """When the faces cut, steps × faces, of a run without air: the same as with it, from the same stream."""
    return _cutting(rng, steps + WARM_UP_STEPS, len(layout.faces), 50, 40)[WARM_UP_STEPS:]


class _Emission:
    """What faces and headings give off over the whole run, warm-up included."""

    def __init__(
        self,
        layout: Layout,
        events: Sequence[Event],
        steps: int,
        local_second: float,
        streams: dict[str, np.random.Generator],
        changes: Emission,
    ) -> None:
        rng = streams["emission"]
        faces, headings = len(layout.faces), len(layout.headings)
        self.cutting_face = _cutting(rng, steps, faces, 50, 40)
        self.cutting_heading = _cutting(rng, steps, headings, 45, 50)
        keep = np.exp(-STEP_S / CUT_DELAY_S)

        def fresh_coal(cutting: NDArray[np.bool_]) -> Floats:
            return lfilter([1 - keep], [1.0, -keep], cutting.astype(float), axis=0)

        def unrest(series: int) -> Floats:
            drift = np.cumsum(rng.standard_normal((steps, series)), axis=0) * 0.03 * np.sqrt(STEP_S / 3600)
            return np.exp(np.clip(_unrest(rng, steps, series, UNREST, UNREST_S) + drift, -0.3, 0.3))

        gassy_face, gassy_heading = rng.uniform(0.9, 1.1, faces), rng.uniform(0.9, 1.1, headings)
        per_s = 1 / 60
        slow = np.exp(_unrest(streams["geology"], steps, faces + headings, changes.slow, 3600 * changes.slow_h))
        self.face = (
            gassy_face * unrest(faces) * slow[:, :faces]
            * (FACE_WALL + changes.cut * FACE_CUT * fresh_coal(self.cutting_face)) * per_s
        )  # fmt: skip
        self.heading = (
            gassy_heading * unrest(headings) * slow[:, faces:]
            * (HEADING_WALL + changes.cut * HEADING_CUT * fresh_coal(self.cutting_heading)) * per_s
        )  # fmt: skip
        trend = _pressure_trend(steps, local_second, streams["weather"])
        breath = -(GOAF_GAS_M3 / PRESSURE_PA) * trend
        for event in events:
            if "pressure_front" in event.effects:
                settings = event.effects["pressure_front"]
                at_s = STEP_S * (np.arange(steps) - WARM_UP_STEPS)
                front = np.where((at_s >= event.onset_s) & (at_s < event.end_s), -settings["pa_per_h"] / 3600, 0.0)
                trend = trend + front
                breath = breath - settings["goaf_gas_m3"] / PRESSURE_PA * front
        self.pressure_pa = PRESSURE_PA + np.cumsum(trend) * STEP_S
        self.goaf = np.maximum(gassy_face * unrest(faces) * slow[:, :faces] * FACE_GOAF * per_s + breath[:, None], 0.0)
        self.diesel = np.exp(_unrest(rng, steps, faces + headings, 0.25, 1200.0))


def _pressure_trend(steps: int, local_second: float, rng: np.random.Generator) -> Floats:
    """Change of the barometer [Pa/s]: the day's wave and the weather's slow drift."""
    t = local_second + STEP_S * np.arange(steps)
    day = 120.0 * 2 * np.pi / 86400 * np.cos(2 * np.pi * t / 86400 + float(rng.uniform(0, 2 * np.pi)))
    keep = np.exp(-STEP_S / (6 * 3600))
    weather = lfilter([1.0], [1.0, -keep], rng.standard_normal(steps) * np.sqrt(1 - keep**2)) * 15.0 / 3600
    return day + weather


class _Sources:
    """Where emission enters the cells, as source terms (units × m³/s per cell)."""

    def __init__(self, layout: Layout, cells: Cells) -> None:
        self.layout = layout
        self.cells = cells
        self.faces = [cells.cells_between(face.face, 0.2, 1.0) for face in layout.faces]
        self.corners = [cells.cells_between(face.corner, 0.0, 1.0) for face in layout.faces]
        self.headings = [cells.cells_between(heading.face, 0.0, 1.0) for heading in layout.headings]
        self.constant = np.zeros_like(cells.state)
        for edge, role in enumerate(layout.roles):
            if role in ("return_gate", "district_return"):
                leak = cells.cells_between(edge, 0.0, 1.0)
                self.constant[leak, CH4] += 100 * RETURN_LEAK / 60 / len(leak)

    def at(self, emission: _Emission, number: int, flow: Floats, happening: Sequence[Event], at_s: float) -> Floats:
        source = self.constant.copy()
        # Where the air dies down a source of "so many ppm" would pile up without end, so it follows the flow.
        for unit, face in enumerate(self.layout.faces):
            source[self.faces[unit], CH4] += 100 * emission.face[number, unit] / len(self.faces[unit])
            source[self.corners[unit], CH4] += 100 * emission.goaf[number, unit] / len(self.corners[unit])
            air = abs(flow[face.face])
            source[self.faces[unit], CO] += 0.9 * air * emission.diesel[number, unit] / len(self.faces[unit])
            source[self.faces[unit], DEFICIT] += 0.12 * air / len(self.faces[unit])
        for unit, heading in enumerate(self.layout.headings):
            cells = self.headings[unit]
            source[cells, CH4] += 100 * emission.heading[number, unit] / len(cells)
            air = abs(flow[heading.face])
            source[cells, CO] += 0.6 * air * emission.diesel[number, len(self.layout.faces) + unit] / len(cells)
            source[cells, DEFICIT] += 0.08 * air / len(cells)
        if source.shape[1] > CO2:
            source[:, CO2] += CO2_PER_DEFICIT * source[:, DEFICIT]
        for event in happening:
            self._add_event(source, event, emission, number, flow, at_s)
        return source

    def _add_event(
        self, source: Floats, event: Event, emission: _Emission, number: int, flow: Floats, at_s: float
    ) -> None:
        """What an event brings the outgoing air up to, given the air that flows now; of a fire or heating, what it
        gives off whatever air there is."""
        for effect in (each for each in _INTO_THE_AIR if each in event.effects):
            self._pour_effect(effect, event.effects[effect], source, event, emission, number, flow, at_s)

    def _pour_effect(
        self,
        effect: str,
        settings: Mapping[str, float],
        source: Floats,
        event: Event,
        emission: _Emission,
        number: int,
        flow: Floats,
        at_s: float,
    ) -> None:
        since_s = at_s - event.onset_s
        grown = min(1.0, since_s / (60 * settings["ramp_min"])) if "ramp_min" in settings else 1.0
        air, usual, into = self._place(event, emission, number, flow)
        if effect == "methane":
            self._pour(source, into, CH4, grown * max(settings["reach_pct"] * air - 100 * usual, 0.0))
        elif effect == "heating":
            self._pour(source, into[-1:], CO, grown * settings["co_ppm"] * air)
            self._pour(source, into[-1:], WARMTH, grown * settings["warmer_k"] * air)
            self._pour(source, into[-1:], DEFICIT, grown * 0.2 * air)
        elif effect == "blackdamp":
            self._pour(source, into[-1:], DEFICIT, grown * (FRESH_O2_PCT - settings["reach_o2_pct"]) * air)
        elif effect == "self_heating":
            hot_c = float(heating_c(since_s / max(event.end_s - event.onset_s, 1.0), settings["hottest_c"]))
            self._pour_all(source, into[-1:], heating_gases(hot_c))
            self._pour(source, into[-1:], WARMTH, min(0.12 * (hot_c - ROCK_C), 12.0) * air)
        elif effect == "belt_fire":
            heat_kw = float(heat_release_kw(since_s, settings["growth_kw_s2"], settings["most_kw"]))
            self._pour_all(source, into, fire_gases(heat_kw))
        elif effect == "toxic":
            for name, level in settings.items():
                gas = name.rpartition("_")[0]
                if gas in NAMED:
                    self._pour(source, into, NAMED[gas], grown * level * air)
        elif effect == "blast":
            fades = float(np.exp(-since_s / (60 * settings["fades_min"])))
            self._pour(source, into, CH4, 100 * usual * (settings["times"] - 1) * fades)
            self._pour(source, into, CO, settings["co_ppm"] * air * fades)
            self._pour_all(source, into, {"no2": settings["no2_ppm"] * air * fades})
        elif effect == "hot":
            self._pour(source, into, WARMTH, grown * settings["warmer_k"] * air)
            self._pour_all(source, into, {"moisture": grown * settings["wetter_pct"] * air})

    def _place(
        self, event: Event, emission: _Emission, number: int, flow: Floats
    ) -> tuple[float, float, list[tuple[NDArray[np.intp], float]]]:
        """Air at the place of an event, the methane it usually gets, and the cells into which its gases go."""
        if event.place == "heading":
            unit = self.layout.headings[event.unit]
            return abs(flow[unit.face]), emission.heading[number, event.unit], [(self.headings[event.unit], 1.0)]
        if event.place in ("belt", "chamber"):
            edge = self.layout.index(event.place)[event.unit]
            return abs(flow[edge]), 0.0, [(self.cells.cells_between(edge, 0.08, 0.12), 1.0)]
        face: Face = self.layout.faces[event.unit]
        usual = emission.face[number, event.unit] + emission.goaf[number, event.unit]
        into = [(self.faces[event.unit][-2:], 0.5), (self.corners[event.unit], 0.5)]
        return abs(flow[face.face]), usual, into

    def _pour_all(
        self, source: Floats, into: list[tuple[NDArray[np.intp], float]], amounts: Mapping[str, Floats | float]
    ) -> None:
        """Every gas that this run carries."""
        for name, amount in amounts.items():
            if NAMED[name] < source.shape[1]:
                self._pour(source, into, NAMED[name], float(amount))

    @staticmethod
    def _pour(source: Floats, into: list[tuple[NDArray[np.intp], float]], species: int, amount: float) -> None:
        whole = sum(share for _, share in into)
        for cells, share in into:
            source[cells, species] += amount * share / whole / len(cells)
