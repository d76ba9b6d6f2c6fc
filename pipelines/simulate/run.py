"""One run of a simulated mine: the true state, and what instruments and base stations make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from minefusion.pipelines.simulate.air import ALL_SPECIES, FEW_SPECIES, STEP_S, AirTruth, cutting_of, simulate_air
from minefusion.pipelines.simulate.feeds import Devices, simulate_feeds, surface_areas
from minefusion.pipelines.simulate.goaf import Floats, goaf_air
from minefusion.pipelines.simulate.instruments import Observed, nothing_observed, observe
from minefusion.pipelines.simulate.layout import Layout, generate_layout
from minefusion.pipelines.simulate.machines import coal_of
from minefusion.pipelines.simulate.monitoring import Monitored, monitor, nothing_monitored
from minefusion.pipelines.simulate.people import Crew, Track, populate
from minefusion.pipelines.simulate.points import NEED_ALL_GASES, Instruments, install_instruments, without_points
from minefusion.pipelines.simulate.positioning import BaseStation, Fixes, install_stations, locate
from minefusion.pipelines.simulate.scenario import Event, Scenario, place_events
from minefusion.pipelines.simulate.site_facts import with_facts
from minefusion.pipelines.simulate.streams import stream
from minefusion.schemas.exchange.grammar import MINE_UTC_OFFSET_H

AIR_STREAMS = ("emission", "geology", "weather", "doors", "fans")


@dataclass(frozen=True)
class Run:
    """Everything that is known of a run. `start` is a UTC instant; times of the parts count from it in seconds."""

    scenario: Scenario
    seed: int
    start: datetime
    seconds: float
    layout: Layout
    instruments: Instruments
    stations: Sequence[BaseStation]
    events: Sequence[Event]
    observed: Observed
    monitored: Monitored
    crew: Crew
    track: Track
    fixes: Fixes
    devices: Devices
    door_passes: tuple[tuple[int, float, float], ...] = ()

    @property
    def steps(self) -> int:
        return len(self.observed.true)

    def instant(self, second: float) -> datetime:
        return self.start + timedelta(seconds=float(second))


def run_mine(
    scenario: Scenario,
    *,
    seconds: float,
    seed: int,
    start: datetime,
    roadways: int,
    people: int,
    progress: Callable[[float], None] | None = None,
) -> Run:
    """Simulate a mine; each part draws from its own random streams.

    Raises:
        InputError: sizes that do not go together.
    """
    start = start.astimezone(UTC).replace(microsecond=0)
    local = start + timedelta(hours=MINE_UTC_OFFSET_H)
    local_second = float(local.hour * 3600 + local.minute * 60 + local.second)
    feeds = scenario.feeds
    layout = generate_layout(roadways, people, stream(seed, "layout"))
    areas = layout.site.areas
    layout = replace(
        layout, site=replace(layout.site, areas=(*areas, *surface_areas(feeds, layout.site.mine_code, len(areas))))
    )
    instruments = install_instruments(
        layout,
        stream(seed, "points"),
        scenario.instruments.unsurveyed,
        sensors=scenario.sensors,
        more=stream(seed, "points", "more"),
    )
    layout = replace(layout, site=replace(layout.site, door_pairs=instruments.door_pairs))
    stations = install_stations(layout, stream(seed, "stations"))
    events = place_events(scenario, layout, seconds, stream(seed, "events"))
    crew = populate(
        layout, events, people if "positioning" in feeds else 0, seconds=seconds, local_second=local_second, seed=seed
    )
    steps, air = int(seconds // STEP_S) + 1, None
    needs_goafs = "records" in feeds or "fire_gases" in scenario.sensors
    goafs = _goafs(layout, events, steps, seed) if needs_goafs else {}
    if "safety" in feeds:
        species = ALL_SPECIES if any(name in NEED_ALL_GASES for name in scenario.sensors) else FEW_SPECIES
        air = simulate_air(
            layout,
            events,
            [(point.edge, point.chainage_m) for point in instruments.points],
            seconds=seconds,
            local_second=local_second,
            streams={name: stream(seed, "air", name) for name in AIR_STREAMS},
            species=species,
            changes=scenario.emission,
            progress=progress,
        )
        _look_into_goafs(layout, instruments, goafs, air)
    cutting = air.cutting_face if air else cutting_of(layout, steps, stream(seed, "air", "emission"))
    devices = simulate_feeds(
        layout,
        scenario,
        events,
        seconds=seconds,
        local_second=local_second,
        coal=coal_of(cutting, seconds),
        fan_flow=air.flow[:, layout.main_fan].astype(float) if air else None,
        goafs=goafs,
        seed=seed,
    )
    if air:
        observed = observe(layout, instruments, air, scenario.instruments, seed, devices.truths.machine_values())
        monitored = monitor(layout, instruments, events, air, observed)
    else:
        instruments = without_points(instruments)
        observed, monitored = nothing_observed(steps), nothing_monitored(steps)
    layout = replace(layout, site=with_facts(layout, scenario, devices, stream(seed, "water", "known")))
    track = crew.track()
    fixes = locate(layout, crew, track, stations, scenario.instruments, steps, stream(seed, "positioning"))
    return Run(
        scenario, seed, start, seconds, layout, instruments, stations, events, observed, monitored, crew, track, fixes,
        devices, air.door_passes if air else (),
    )  # fmt: skip


def _goafs(layout: Layout, events: Sequence[Event], steps: int, seed: int) -> dict[int, Floats]:
    """Air of the goaf behind each face that has one, by number of the face: steps × all species."""
    behind = [(number, face) for number, face in enumerate(layout.faces) if face.goaf is not None]
    found = {}
    for place, (number, face) in enumerate(behind):
        here = [e for e in events if (e.place, e.unit) in (("face", number), ("goaf", place))]
        found[number] = goaf_air(here, steps, stream(seed, "air", "goaf", face.number))
    return found


def _look_into_goafs(layout: Layout, instruments: Instruments, goafs: Mapping[int, Floats], air: AirTruth) -> None:
    """The network carries no air through a goaf: what its sensors see is put in here."""
    for number, inside in goafs.items():
        looking = [n for n, point in enumerate(instruments.points) if point.edge == layout.faces[number].goaf]
        air.seen[:, looking] = inside[:, None, : air.seen.shape[2]]
