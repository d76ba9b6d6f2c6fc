"""One run of a simulated mine: the true state, and what instruments and base stations make of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from minefusion.pipelines.simulate.air import simulate_air
from minefusion.pipelines.simulate.instruments import Observed, observe
from minefusion.pipelines.simulate.layout import Layout, generate_layout
from minefusion.pipelines.simulate.monitoring import Monitored, monitor
from minefusion.pipelines.simulate.people import Crew, Track, populate
from minefusion.pipelines.simulate.points import Instruments, install_instruments
from minefusion.pipelines.simulate.positioning import BaseStation, Fixes, install_stations, locate
from minefusion.pipelines.simulate.scenario import Event, Scenario, place_events
from minefusion.pipelines.simulate.streams import stream
from minefusion.schemas.exchange.grammar import MINE_UTC_OFFSET_H

AIR_STREAMS = ("emission", "weather", "doors", "fans")


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
    layout = generate_layout(roadways, people, stream(seed, "layout"))
    instruments = install_instruments(layout, stream(seed, "points"))
    layout = replace(layout, site=replace(layout.site, door_pairs=instruments.door_pairs))
    stations = install_stations(layout, stream(seed, "stations"))
    events = place_events(scenario, layout, seconds, stream(seed, "events"))
    crew = populate(layout, events, people, seconds=seconds, local_second=local_second, seed=seed)
    air = simulate_air(
        layout,
        events,
        [(point.edge, point.chainage_m) for point in instruments.points],
        seconds=seconds,
        local_second=local_second,
        streams={name: stream(seed, "air", name) for name in AIR_STREAMS},
        progress=progress,
    )
    observed = observe(layout, instruments, air, scenario.instruments, seed)
    monitored = monitor(layout, instruments, events, air, observed)
    track = crew.track()
    fixes = locate(layout, crew, track, stations, scenario.instruments, air.steps, stream(seed, "positioning"))
    return Run(
        scenario, seed, start, seconds, layout, instruments, stations, events, observed, monitored, crew, track, fixes
    )
