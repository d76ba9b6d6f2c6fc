"""The feeds beside safety monitoring and positioning: what is true of each, and what its devices make of that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
import polars as pl
from numpy.typing import NDArray

from minefusion.pipelines.simulate import device_files
from minefusion.pipelines.simulate.channels import Channel, Shown, show
from minefusion.pipelines.simulate.faults import Fault
from minefusion.pipelines.simulate.field_work import Record, field_records, field_work
from minefusion.pipelines.simulate.layout import Layout
from minefusion.pipelines.simulate.machines import STEP_S as MACHINE_STEP_S
from minefusion.pipelines.simulate.machines import Load, Machines, simulate_machines
from minefusion.pipelines.simulate.scenario import FEEDS, Event, Feed, Scenario
from minefusion.pipelines.simulate.seismic import BLAST_TOLD, ERROR_M, ERROR_Z_M, Shock, simulate_seismic
from minefusion.pipelines.simulate.slope import AREA_EN as SLOPE_EN
from minefusion.pipelines.simulate.slope import AREA_ZH as SLOPE_ZH
from minefusion.pipelines.simulate.slope import Slope, simulate_slope
from minefusion.pipelines.simulate.streams import stream
from minefusion.pipelines.simulate.supports import Roof, simulate_roof
from minefusion.pipelines.simulate.tailings import AREA_EN as POND_EN
from minefusion.pipelines.simulate.tailings import AREA_ZH as POND_ZH
from minefusion.pipelines.simulate.tailings import Pond, simulate_pond
from minefusion.pipelines.simulate.texts import Clock
from minefusion.pipelines.simulate.vehicles import driven, positions, terminals
from minefusion.pipelines.simulate.water import STEP_S as WATER_STEP_S
from minefusion.pipelines.simulate.water import SUMP_AREA_M2, Water, simulate_water
from minefusion.pipelines.simulate.weather import Rain
from minefusion.schemas.site import Area

Floats = NDArray[np.float64]

# Sets of the monitoring system's sensors that look at machines.
WATCH_MACHINES = ("conveyors", "barometers")
# Areas on the surface that a feed is about: name in both languages.
SURFACE = {"tailings": (POND_ZH, POND_EN), "slope": (SLOPE_ZH, SLOPE_EN)}


@dataclass(frozen=True)
class Truths:
    """Layer A of the feeds that the mine has; null where it has none of that kind."""

    water: Water | None = None
    pond: Pond | None = None
    slope: Slope | None = None
    roof: Roof | None = None
    shocks: tuple[Shock, ...] | None = None
    machines: Machines | None = None
    driven: Floats | None = None
    written: tuple[Record, ...] = ()

    def machine_values(self) -> dict[str, Floats]:
        """Steps × machines by quantity, for the monitoring system's points that watch one."""
        if self.machines is None:
            return {}
        return self.machines.conveyors | {"fan_pressure": self.machines.fan_pressure_pa[:, None]}

    def channels(self) -> Iterator[Channel]:
        for part in (self.water, self.pond, self.slope, self.roof, self.machines):
            if part is not None:
                yield from part.channels


@dataclass(frozen=True)
class Devices:
    """Truth of a run's device feeds, and what the devices send of it."""

    truths: Truths
    shown: tuple[Shown, ...]
    faults: tuple[Fault, ...]
    feeds: Mapping[str, Feed] = field(default_factory=dict)


def surface_areas(feeds: Mapping[str, Feed], mine_code: str, taken: int) -> tuple[Area, ...]:
    """Areas on the surface that the feeds are about, numbered after the `taken` ones below."""
    named = [SURFACE[name] for name in SURFACE if name in feeds]
    return tuple(
        Area(f"{mine_code}{number:04d}", zh, en, "surface") for number, (zh, en) in enumerate(named, start=taken + 1)
    )


def simulate_feeds(
    layout: Layout,
    scenario: Scenario,
    events: Sequence[Event],
    *,
    seconds: float,
    local_second: float,
    coal: Floats,
    fan_flow: Floats | None,
    goafs: Mapping[int, Floats],
    seed: int,
) -> Devices:
    """Truth and devices of every feed that the scenario has.

    Args:
        coal: coal on the trunk belts per step of the machines, as a share of the full output.
        fan_flow: air through the main fan per step of the machines; null where no air was simulated.
        goafs: air of the goafs by number of the face, for the laboratory.
    """
    feeds = scenario.feeds
    needs_machines = "equipment" in feeds or any(name in WATCH_MACHINES for name in scenario.sensors)
    truths = _truths(layout, feeds, needs_machines, events, seconds, local_second, coal, fan_flow, seed)
    sent = [channel for channel in truths.channels() if any(channel.kind in _FEED_OF.get(name, ()) for name in feeds)]
    if "records" in feeds:
        blasts = truths.shocks or simulate_seismic(layout, events, seconds=seconds, local_second=local_second,
                                                   rng=stream(seed, "seismic"))  # fmt: skip
        slope_mm = truths.slope.moved_mm if truths.slope else None
        written = field_work(layout, events, blasts, goafs, slope_mm, seconds=seconds, local_second=local_second,
                             rng=stream(seed, "field work"))  # fmt: skip
        truths = replace(truths, written=written)
    shown, faults = show(sent, scenario.instruments, seed)
    return Devices(truths, tuple(shown), tuple(faults), feeds)


def _truths(
    layout: Layout, feeds: Mapping[str, Feed], needs_machines: bool, events: Sequence[Event], seconds: float,
    local_second: float, coal: Floats, fan_flow: Floats | None, seed: int,
) -> Truths:  # fmt: skip
    rain = Rain(events, seconds, stream(seed, "weather", "rain"))
    water = pond = slope = roof = machines = None
    shocks = None
    if "hydrology" in feeds or needs_machines:
        water = simulate_water(layout, events, rain, seconds=seconds, local_second=local_second,
                               period_s=_period(feeds, "hydrology"), rng=stream(seed, "water"))  # fmt: skip
    if "tailings" in feeds:
        pond = simulate_pond(layout, events, rain, seconds=seconds, period_s=feeds["tailings"].period_s,
                             rng=stream(seed, "tailings"))  # fmt: skip
    if "slope" in feeds:
        slope = simulate_slope(layout, events, seconds=seconds, rng=stream(seed, "slope"))
    if "ground_pressure" in feeds:
        roof = simulate_roof(layout, events, seconds=seconds, period_s=feeds["ground_pressure"].period_s,
                             rng=stream(seed, "supports"))  # fmt: skip
    if "seismic" in feeds:
        shocks = simulate_seismic(layout, events, seconds=seconds, local_second=local_second,
                                  rng=stream(seed, "seismic"))  # fmt: skip
    if needs_machines:
        assert water is not None, "the pumps follow the water"
        every = WATER_STEP_S // MACHINE_STEP_S
        load = Load(coal, np.repeat(water.pumps_on, every, axis=0)[: len(coal)],
                    np.repeat(water.sump_m3 / SUMP_AREA_M2, every)[: len(coal)], fan_flow)  # fmt: skip
        machines = simulate_machines(layout, events, load, seconds=seconds, period_s=_period(feeds, "equipment"),
                                     rng=stream(seed, "machines"))  # fmt: skip
    fleet = driven(seconds, feeds["vehicles"].period_s, stream(seed, "vehicles")) if "vehicles" in feeds else None
    return Truths(water, pond, slope, roof, shocks, machines, fleet)


def _period(feeds: Mapping[str, Feed], name: str) -> int:
    return feeds[name].period_s if name in feeds else FEEDS[name][0]


_FEED_OF = {
    "hydrology": ("JSLCDSS", "DBSCDSS", "CGKCDSS", "YSLCDSS", "PSLCDSS", "SBCDSS", "SFSCDSS"),
    "tailings": ("KSWSS", "GTXSS", "JYLSS", "QRXSS", "BWYSS"),
    "slope": ("gnssrealtime",),
    "ground_pressure": ("ZJSS", "ZKSS", "MGSS", "LCSS", "WYSS"),
    "equipment": ("TFJK_SS", "PSJK_SS"),
}


def records(
    devices: Devices, layout: Layout, clock: Clock, seconds: float, seed: int
) -> Iterator[tuple[str, pl.DataFrame, Mapping[str, str]]]:
    """(kind, records, further header fields) of every kind that the device feeds send."""
    by_kind: dict[str, list[Shown]] = {}
    for each in devices.shown:
        by_kind.setdefault(each.channel.kind, []).append(each)
    for name, kinds in _FEED_OF.items():
        if name not in devices.feeds:
            continue
        for kind in kinds:
            shown = by_kind[kind]
            file_s = max(devices.feeds[name].file_s, shown[0].channel.period_s)
            if kind in device_files.DEFINED_BY:
                defined = device_files.DEFINED_BY[kind]
                of_kind = {each.channel.device.code: each.channel.device for each in shown}
                table = device_files.definitions(defined, of_kind.values(), clock, seconds)
                yield defined, table, device_files.header_of(defined, clock)
            yield kind, device_files.values(kind, shown, clock, file_s, seconds), device_files.header_of(kind, clock)
    truths = devices.truths
    if "equipment" in devices.feeds:
        machines = list(chain.from_iterable(by_kind[kind] for kind in _FEED_OF["equipment"]))
        yield "JBSJ", device_files.machines(machines, clock, seconds), device_files.header_of("JBSJ", clock)
    if truths.shocks is not None:
        rng = stream(seed, "devices", "geophones")
        errors = rng.normal(0, 1, (len(truths.shocks), 3)) * (ERROR_M, ERROR_M, ERROR_Z_M)
        told = rng.random(len(truths.shocks)) < BLAST_TOLD
        file_s = devices.feeds["seismic"].file_s
        yield "WZSJ", device_files.shocks(truths.shocks, _places(layout), clock, file_s, seconds, errors, told), {}
    if truths.written:
        yield "RGJL", field_records(truths.written, clock, devices.feeds["records"].file_s, seconds), {}
    if truths.driven is not None:
        yield "CZZD", terminals(0), {"system_code": "12", "system_name": "露天矿车辆定位系统"}
        period_s = devices.feeds["vehicles"].period_s
        yield "SSSJ", positions(truths.driven, period_s, clock, stream(seed, "devices", "vehicles")), {}


def _places(layout: Layout) -> list[tuple[str, str]]:
    """What an event and a blast of that number's face and heading are said to lie in."""
    names = {area.area_id: area.name_zh for area in layout.site.areas}
    faces = [names[face.area_id] for face in layout.faces]
    headings = [names[heading.area_id] for heading in layout.headings]
    longest = max(len(faces), len(headings))
    return [(faces[n % len(faces)], headings[n % len(headings)] if headings else faces[n % len(faces)])
            for n in range(longest)]  # fmt: skip
