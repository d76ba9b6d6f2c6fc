"""The true condition of the main fan, the drainage pumps and the belt conveyors.

A bearing that fails shakes ever harder, by a constant share a day, and knocks (kurtosis) long before it is loud; it
warms up at the end. A belt slips when its friction falls: the drum runs faster than the belt and heats up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from minefusion.pipelines.simulate.channels import Channel, Device, instants, samples
from minefusion.pipelines.simulate.layout import Layout
from minefusion.pipelines.simulate.scenario import Event

Floats = NDArray[np.float64]

STEP_S = 10
FAN_VOLTAGE_V, POWER_FACTOR, FAN_EFFICIENCY, MOTOR_EFFICIENCY = 6000.0, 0.86, 0.74, 0.94
FAN_HZ = 50.0
STALLED = 0.86  # share of its pressure that a fan in surge still gives
SOUND_MM_S, FAILING_MM_S = 1.5, 7.5
WARM_UP_S = 1200.0  # drum, bearing, winding
AMBIENT_C = 18.0
BELT_M_S, IDLE_A, FULL_A, COAL_T_H = 3.15, 42.0, 118.0, 900.0
USUAL_SLIP = 0.010
PHASES = "ABC"
DAY_S = 86_400


@dataclass(frozen=True)
class Machines:
    """Machines of a run; arrays hold a value each STEP_S. `conveyors`: by quantity, steps × belts."""

    channels: tuple[Channel, ...]
    fan_flow_m3_s: Floats
    fan_pressure_pa: Floats
    conveyors: dict[str, Floats]


@dataclass(frozen=True)
class Load:
    """What the rest of the mine asks of its machines; each with a value per STEP_S.

    `fan_flow_m3_s`: null where no air was simulated; `coal`: share of the face's full output; `pumps_on`: steps ×
    pumps, `sump_m`: level in the sump.
    """

    coal: Floats
    pumps_on: NDArray[np.bool_]
    sump_m: Floats
    fan_flow_m3_s: Floats | None = None


def simulate_machines(
    layout: Layout, events: Sequence[Event], load: Load, *, seconds: float, period_s: int, rng: np.random.Generator
) -> Machines:
    """Run the machines; every point has a value each `period_s`, a whole number of STEP_S."""
    at_s = instants(seconds, STEP_S)
    flow, pressure = _fan(layout, events, load.fan_flow_m3_s, at_s, rng)
    conveyors = _conveyors(events, len(layout.index("belt")), load.coal, at_s, rng)
    sampled = slice(None, None, period_s // STEP_S)
    channels = [
        *_fan_channels(layout, events, flow, pressure, at_s, sampled, period_s),
        *_pump_channels(layout, events, load, at_s, sampled, period_s),
    ]
    return Machines(tuple(channels), flow, pressure, conveyors)


def _fan(
    layout: Layout, events: Sequence[Event], flow: Floats | None, at_s: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Quantity [m³/s] and pressure [Pa] of the main fan: where its curve meets the mine's resistance.

    `resistance_drift` makes the mine harder to ventilate, which moves the point along the curve; in a surge the
    quantity falls and swings, and the pressure stays below the curve.
    """
    a, b, c = (float(getattr(layout.fans, name)[layout.main_fan]) for name in "abc")
    usual = float(layout.design_flow[layout.main_fan])
    resistance = (a + b * usual + c * usual**2) / usual**2
    wander = 1 + 0.01 * lfilter([1.0], [1.0, -0.995], rng.standard_normal(len(at_s)) * np.sqrt(1 - 0.995**2))
    factor = wander
    for event in events:
        if "resistance_drift" in event.effects:
            during = np.clip((at_s - event.onset_s) / max((event.end_s - event.onset_s) / 2, 1.0), 0, 1)
            factor = factor * (1 + (event.effects["resistance_drift"]["times"] - 1) * during)
    square = c - resistance * factor
    meets = (-b - np.sqrt(b**2 - 4 * square * a)) / (2 * square)
    quantity = meets if flow is None else flow
    pressure = a + b * quantity + c * quantity**2
    if flow is not None:  # a fan that stands gives no pressure
        pressure = np.where(quantity < 0.5 * usual, resistance * quantity**2, pressure)
    for event in events:
        if "fan_surge" in event.effects:
            inside = (at_s >= event.onset_s) & (at_s < event.end_s)
            if flow is None:
                swing = 1 + 0.04 * np.sin(2 * np.pi * (at_s - event.onset_s) / 190.0)
                quantity = np.where(inside, event.effects["fan_surge"]["flow_share"] * usual * swing, quantity)
                pressure = np.where(inside, a + b * quantity + c * quantity**2, pressure)
            pressure = np.where(inside, STALLED * pressure * (1 + 0.03 * rng.standard_normal(len(at_s))), pressure)
    return quantity, pressure


def _slip(events: Sequence[Event], belt: int, at_s: Floats, rng: np.random.Generator) -> Floats:
    slip = USUAL_SLIP * np.exp(0.2 * lfilter([1.0], [1.0, -0.9], rng.standard_normal(len(at_s)) * np.sqrt(1 - 0.81)))
    for event in events:
        if "belt_slip" in event.effects and event.place in ("belt", "mine") and event.unit == belt:
            inside = (at_s >= event.onset_s) & (at_s < event.end_s)
            slip = slip + np.where(inside, event.effects["belt_slip"]["share"], 0.0)
    return slip


def wear(event: Event, at_s: Floats) -> tuple[Floats, Floats, Floats]:
    """Vibration [mm/s] over the sound one, kurtosis over three, and warmth [K] of a bearing that fails at the event's
    end; a new one is sound."""
    share = np.clip((at_s - event.onset_s) / max(event.end_s - event.onset_s, 1.0), 0, 1)
    inside = (at_s >= event.onset_s) & (at_s < event.end_s)
    most = event.effects["bearing_fault"]["mm_s"] / SOUND_MM_S
    shaking = SOUND_MM_S * (most**share - 1)
    knocking = 5.5 * np.exp(-0.5 * ((share - 0.35) / 0.16) ** 2) + 1.0 * share
    warmth = event.effects["bearing_fault"]["warmer_k"] * share**3
    return inside * shaking, inside * knocking, inside * warmth


def _worn(events: Sequence[Event], machine: str, at_s: Floats) -> tuple[Floats, Floats, Floats]:
    vibration, kurtosis, warmth = (np.zeros(len(at_s)) for _ in range(3))
    for event in events:
        if "bearing_fault" in event.effects and event.place == machine:
            more = wear(event, at_s)
            vibration, kurtosis, warmth = vibration + more[0], kurtosis + more[1], warmth + more[2]
    return vibration, kurtosis, warmth


def _unbalance(events: Sequence[Event], machine: str, at_s: Floats) -> list[Floats]:
    """Share of the mean current in each phase."""
    lost = np.zeros(len(at_s))
    for event in events:
        if "phase_unbalance" in event.effects and event.place == machine:
            inside = (at_s >= event.onset_s) & (at_s < event.end_s)
            lost = np.where(inside, event.effects["phase_unbalance"]["share"], lost)
    return [1 - lost, 1 + 0.55 * lost, 1 + 0.45 * lost]


def _settled(target: Floats, at_first: float) -> Floats:
    """First-order approach with WARM_UP_S."""
    keep = np.exp(-STEP_S / WARM_UP_S)
    return lfilter([1 - keep], [1.0, -keep], target, zi=[keep * at_first])[0]


class _Board:
    """Points of one machine's monitoring system."""

    def __init__(
        self, kind: str, machine: str, where: tuple[str, str, tuple[float, float, float]], sampled: slice, period_s: int
    ) -> None:
        self.kind, self.machine, self.where, self.sampled, self.period_s = kind, machine, where, sampled, period_s
        self.count = 0

    def point(
        self, code: str, name: str, quantity: str, unit: str, true: Floats, decimals: int, noise: float, *,
        part: str = "", is_state: bool = False, low: float = -np.inf, alarm: float | None = None,
    ) -> Channel:  # fmt: skip
        self.count += 1
        words, area_id, spot = self.where
        about = {"point_type_code": code, "point_type_name": name, "device_code": self.machine, "unit": unit,
                 "alarm_upper": "" if alarm is None else f"{alarm:g}"}  # fmt: skip
        device = Device(f"{self.machine}P{self.count:02d}", f"{words}{part}{name}", area_id, spot, about)
        return Channel(device, self.kind, "point_value", quantity, unit, true[self.sampled], self.period_s, decimals,
                       noise, low=low, is_state=is_state)  # fmt: skip


def _fan_channels(
    layout: Layout,
    events: Sequence[Event],
    flow: Floats,
    pressure: Floats,
    at_s: Floats,
    sampled: slice,
    period_s: int,
) -> Iterator[Channel]:
    area = layout.edges[layout.main_fan].area_id
    running = flow > 0.3 * float(layout.design_flow[layout.main_fan])
    board = _Board("TFJK_SS", "FJ01", ("1号主要通风机", area, layout.at(layout.main_fan, 0.0)), sampled, period_s)
    power_kw = np.where(running, flow * pressure / FAN_EFFICIENCY / MOTOR_EFFICIENCY / 1000, 0.0)
    current = power_kw * 1000 / (np.sqrt(3) * FAN_VOLTAGE_V * POWER_FACTOR)
    load = power_kw / max(float(np.median(power_kw)), 1.0)
    shaking, knocking, warmth = _worn(events, "main_fan", at_s)
    yield board.point("1010", "主要通风机", "main_fan", "", running.astype(float), 0, 0.0, is_state=True)
    yield board.point("0019", "风量", "air_quantity", "m3/min", 60 * flow, 0, 12.0, low=0.0)
    yield board.point("0006", "负压", "negative_pressure", "kPa", pressure / 1000, 3, 0.004)
    yield board.point("0015", "电压", "voltage", "V", np.full(len(at_s), FAN_VOLTAGE_V), 0, 15.0)
    for phase, share in zip(PHASES, _unbalance(events, "main_fan", at_s), strict=True):
        yield board.point("0017", "电流", "current", "A", current * share, 1, 0.15, part=f"{phase}相", low=0.0)
    yield board.point("9303", "有功功率", "active_power", "kW", power_kw, 1, 0.6)
    yield board.point("0016", "频率", "frequency", "Hz", np.where(running, FAN_HZ, 0.0), 1, 0.02)
    for end, own in (("前轴承", 1.0), ("后轴承", 0.4)):
        sound = np.where(running, SOUND_MM_S * (1 + 0.1 * (end == "后轴承")), 0.05)
        warm = _settled(AMBIENT_C + np.where(running, 24.0 * load, 0.0) + own * warmth, AMBIENT_C + 24.0)
        yield board.point("9301", "振动速度", "vibration_velocity", "mm/s", sound + own * shaking, 2, 0.06, part=end,
                          low=0.0, alarm=7.1)  # fmt: skip
        yield board.point("9313", "振动峭度", "vibration_kurtosis", "", 3 + own * knocking, 2, 0.12, part=end, low=0.0)
        yield board.point("0026", "轴承温度", "bearing_temperature", "℃", warm, 1, 0.2, part=end, alarm=75.0)
    winding = _settled(AMBIENT_C + np.where(running, 45.0 * load, 0.0), AMBIENT_C + 45.0)
    yield board.point("0028", "电机温度", "motor_temperature", "℃", winding, 1, 0.3, part="定子绕组")


def _pump_channels(
    layout: Layout, events: Sequence[Event], load: Load, at_s: Floats, sampled: slice, period_s: int
) -> Iterator[Channel]:
    edge = layout.index("chamber")[-1]
    spot, area = layout.at(edge, 5.0), layout.edges[edge].area_id
    for number in range(min(2, load.pumps_on.shape[1])):
        running = load.pumps_on[:, number]
        on = running.astype(float)
        shaking, knocking, warmth = _worn(events if number == 0 else (), "pump", at_s)
        board = _Board("PSJK_SS", f"SB{number + 1:02d}", (f"{number + 1}号主排水泵", area, spot), sampled, period_s)
        yield board.point("1004", "设备开停", "equipment_on", "", on, 0, 0.0, is_state=True)
        yield board.point("0053", "流量", "flow", "m3/h", 190.0 * on, 0, 1.0, low=0.0)
        yield board.point("0048", "压强", "pressure", "kPa", 4300.0 * on, 0, 12.0, low=0.0)
        of_phases = _unbalance(events if number == 0 else (), "pump", at_s)
        for phase, share in zip(PHASES, of_phases, strict=True):
            yield board.point("0017", "电流", "current", "A", 61.0 * on * share, 1, 0.2, part=f"{phase}相", low=0.0)
        warm = _settled(AMBIENT_C + on * (26.0 + warmth), AMBIENT_C)
        yield board.point("0026", "轴承温度", "bearing_temperature", "℃", warm, 1, 0.2, part="驱动端轴承", alarm=75.0)
        yield board.point("9301", "振动速度", "vibration_velocity", "mm/s", on * (1.3 + shaking), 2, 0.05,
                          part="驱动端轴承", low=0.0, alarm=7.1)  # fmt: skip
        yield board.point("9313", "振动峭度", "vibration_kurtosis", "", on * (3 + knocking), 2, 0.12,
                          part="驱动端轴承", low=0.0)  # fmt: skip
        if number == 0:
            yield board.point("0007", "水池水位", "water_level", "m", load.sump_m, 2, 0.01, part="水仓", low=0.0)


def _conveyors(
    events: Sequence[Event], belts: int, coal: Floats, at_s: Floats, rng: np.random.Generator
) -> dict[str, Floats]:
    """Belt and drum speed [m/s], slip, current [A], drum temperature [℃], vibration [mm/s] and kurtosis: steps × belts.

    They come as points of the monitoring system, for which `points` has the sensors.
    """
    running = (coal > 0.02).astype(float)[:, None]
    slip = np.column_stack([_slip(events, belt, at_s, rng) for belt in range(belts)])
    excess = np.maximum(slip - USUAL_SLIP, 0.0)
    drum = np.repeat(BELT_M_S * running, belts, axis=1)
    asked = AMBIENT_C + running * (9.0 + 7.0 * coal[:, None] + 520.0 * excess)
    worn = [_worn([e for e in events if e.unit == belt], "belt", at_s) for belt in range(belts)]
    return {
        "belt_speed": drum * (1 - slip),
        "drum_speed": drum,
        "slip": slip,
        "current": running * (IDLE_A + (FULL_A - IDLE_A) * coal[:, None] * (1 - 2.0 * excess)),
        "drum_temperature": np.column_stack([_settled(asked[:, belt], AMBIENT_C + 12.0) for belt in range(belts)]),
        "vibration": running * (SOUND_MM_S + np.column_stack([each[0] for each in worn])),
        "kurtosis": 3 + running * np.column_stack([each[1] for each in worn]),
    }


def coal_of(cutting: NDArray[np.bool_], seconds: float) -> Floats:
    """Coal on the trunk belts as a share of the full output, from steps × machines that cut: it takes minutes to come
    and to run off."""
    keep = np.exp(-STEP_S / 240.0)
    share = lfilter([1 - keep], [1.0, -keep], cutting.mean(axis=1) if cutting.size else np.zeros(len(cutting)))
    return np.asarray(share)[: samples(seconds, STEP_S)]
