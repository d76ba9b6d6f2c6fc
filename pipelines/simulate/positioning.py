"""What the positioning system makes of the people: base stations, noisy fixes once a minute, and its own alarms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.air import STEP_S
from minefusion.pipelines.simulate.layout import Layout
from minefusion.pipelines.simulate.people import Crew, Track
from minefusion.pipelines.simulate.points import surveyed
from minefusion.pipelines.simulate.scenario import Instrumental

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

SNAPSHOT_S = 60
STATION_EVERY_M = 250.0
RANGE_NOISE_M = 0.3
OBSTRUCTED_SHARE, OBSTRUCTED_M = 0.02, 3.0  # fixes without line of sight come out longer
TRACE_STATIONS = 8  # a snapshot carries the last so many stations of each card
SNAPSHOTS_AFTER_LEAVING = 2
ALARM_HOURS = 14.0  # the system's own overtime alarm where the mine sets none
UNDERGROUND, LEFT = 1, 2


@dataclass(frozen=True)
class BaseStation:
    """A base station; its code begins with its area's."""

    code: str
    name: str
    note: str
    edge: int
    chainage_m: float
    area_id: str
    coordinates: tuple[float, float, float]


@dataclass(frozen=True)
class Fixes:
    """One row per card and snapshot, in the order (step, person); times in seconds from the start of the run.

    Attributes:
        chainage_m, edge: the true place.
        distance_m: signed distance from the station as measured.
        trace: index into `traces`.
        left_s: NaN while underground.
    """

    step: Ints
    person: Ints
    spell: Ints
    flag: Ints
    edge: Ints
    chainage_m: Floats
    station: Ints
    distance_m: Floats
    entered_mine_s: Floats
    left_s: Floats
    entered_area_s: Floats
    entered_station_s: Floats
    is_calling: NDArray[np.bool_]
    trace: Ints
    traces: list[list[tuple[int, int]]]  # (station, second) per entry


@dataclass(frozen=True)
class PersonAlarm:
    """One alarm of the positioning system: who or where, from when until when (None: still open at the end)."""

    kind: str  # RYCS, RYCY, RYXZ or RYQJ
    begin_s: float
    end_s: float | None
    person: int | None = None
    area_id: str | None = None


def install_stations(layout: Layout, rng: np.random.Generator) -> tuple[BaseStation, ...]:
    """Stations every 250 m or so on the roadways that people use, one before each goaf, in the order of the edges."""
    stations = []
    names = {area.area_id: area.name_zh for area in layout.site.areas}
    number: dict[str, int] = {}
    for edge, road in enumerate(layout.edges):
        if not road.is_walkable and layout.roles[edge] != "goaf":
            continue
        count = max(1, round(road.length_m / STATION_EVERY_M))
        for each in range(count):
            number[road.area_id] = number.get(road.area_id, 0) + 1
            along = round((each + 0.5) * road.length_m / count, 2)
            name = f"{names[road.area_id]}{number[road.area_id]}号基站"
            code = f"{road.area_id}{10 * number[road.area_id]:06d}"
            note = f"距巷口{along:.0f}m"
            spot = surveyed(layout, rng, edge, along)
            stations.append(BaseStation(code, name, note, edge, along, road.area_id, spot))
    return tuple(stations)


def nearest_station(stations: Sequence[BaseStation], edge: Ints, chainage_m: Floats) -> Ints:
    """Index of the nearest station on the same roadway."""
    far = 1e6  # longer than any roadway, so edge × far + chainage sorts by roadway first
    at = np.array([station.edge for station in stations]) * far + np.array([s.chainage_m for s in stations])
    same = np.array([a.edge == b.edge for a, b in pairwise(stations)])
    later_edge = np.array([station.edge for station in stations[1:]]) * far
    borders = np.where(same, (at[:-1] + at[1:]) / 2, later_edge)
    return np.searchsorted(borders, edge * far + chainage_m, side="right")


def locate(
    layout: Layout,
    crew: Crew,
    track: Track,
    stations: Sequence[BaseStation],
    settings: Instrumental,
    steps: int,
    rng: np.random.Generator,
) -> Fixes:
    """Snapshots of the run: everybody underground, and those who left for the two snapshots after that."""
    every = SNAPSHOT_S // STEP_S
    station = nearest_station(stations, track.edge, track.chainage_m)
    area = np.unique([edge.area_id for edge in layout.edges], return_inverse=True)[1][track.edge]
    new_spell = np.concatenate(([True], np.diff(track.spell) != 0))[: len(track.spell)]
    new_station = new_spell | np.concatenate(([False], np.diff(station) != 0))[: len(station)]
    new_area = new_spell | np.concatenate(([False], np.diff(area) != 0))[: len(area)]
    second = (track.step * STEP_S).astype(np.float64)
    entered_station, entered_area = _since(new_station, second), _since(new_area, second)
    visit = np.cumsum(new_station) - 1

    shown = (track.step >= 0) & (track.step < steps) & (track.step % every == 0)
    rows = np.flatnonzero(shown)
    rows = rows[~_lost(track.person[rows], settings.cards_lost, rng)]
    flag = np.full(len(rows), UNDERGROUND)
    step = track.step[rows]
    left = np.full(len(rows), np.nan)
    gone_rows, gone_steps, gone_at = _leavers(crew, track, steps, every)
    rows = np.concatenate((rows, gone_rows))
    flag = np.concatenate((flag, np.full(len(gone_rows), LEFT)))
    step = np.concatenate((step, gone_steps))
    left = np.concatenate((left, gone_at))

    order = np.lexsort((track.person[rows], step))
    rows, flag, step, left = rows[order], flag[order], step[order], left[order]
    at = np.array([s.chainage_m for s in stations])[station[rows]]
    noise = rng.normal(0, RANGE_NOISE_M, len(rows))
    noise += rng.exponential(OBSTRUCTED_M, len(rows)) * (rng.random(len(rows)) < OBSTRUCTED_SHARE)
    length = np.array([edge.length_m for edge in layout.edges])[track.edge[rows]]
    measured = np.clip(track.chainage_m[rows] + noise, 0.0, length)
    entered_mine = np.array([spell.entered_s for spell in crew.spells])[track.spell[rows]]
    return Fixes(
        step=step,
        person=track.person[rows],
        spell=track.spell[rows],
        flag=flag,
        edge=track.edge[rows],
        chainage_m=track.chainage_m[rows],
        station=station[rows],
        distance_m=np.round(measured - at, 2),
        entered_mine_s=entered_mine,
        left_s=left,
        entered_area_s=entered_area[rows],
        entered_station_s=entered_station[rows],
        is_calling=_calling(crew, track.person[rows], step, flag),
        trace=visit[rows],
        traces=_traces(track, station, new_station),
    )


def _since(new: NDArray[np.bool_], second: Floats) -> Floats:
    """The time of the latest row marked as new, for each row."""
    if not len(new):
        return second
    return second[np.maximum.accumulate(np.where(new, np.arange(len(new)), 0))]


def _lost(person: Ints, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Fixes that a snapshot lacks; never two in a row, which would be a lost card."""
    lost = rng.random(len(person)) < share
    lost[1:] &= ~lost[:-1] | (np.diff(person) != 0)
    return lost


def _leavers(crew: Crew, track: Track, steps: int, every: int) -> tuple[Ints, Ints, Floats]:
    """The last row of each spell that ends in the run, with the snapshots that still carry it."""
    rows, shown, at = [], [], []
    last = np.flatnonzero(np.concatenate((np.diff(track.spell) != 0, [True]))[: len(track.spell)])
    for row in last:
        left = crew.spells[track.spell[row]].left_s
        first = -(-int(np.ceil(left / STEP_S)) // every) * every
        for step in range(first, first + SNAPSHOTS_AFTER_LEAVING * every, every):
            if 0 <= step < steps:
                rows.append(row)
                shown.append(step)
                at.append(left)
    return np.array(rows, dtype=np.intp), np.array(shown, dtype=np.intp), np.array(at)


def _calling(crew: Crew, person: Ints, step: Ints, flag: Ints) -> NDArray[np.bool_]:
    calling = np.zeros(len(person), dtype=bool)
    for call in crew.calls:
        during = (step * STEP_S >= call.begin_s) & (step * STEP_S < call.end_s)
        calling |= (person == call.person) & during & (flag == UNDERGROUND)
    return calling


def _traces(track: Track, station: Ints, new: NDArray[np.bool_]) -> list[list[tuple[int, int]]]:
    """The last stations of a card at each of its entries into one, oldest first."""
    traces: list[list[tuple[int, int]]] = []
    before: list[tuple[int, int]] = []
    spell = -1
    for row in np.flatnonzero(new):
        if track.spell[row] != spell:
            before, spell = [], track.spell[row]
        before = [*before[1 - TRACE_STATIONS :], (int(station[row]), int(track.step[row]) * STEP_S)]
        traces.append(before)
    return traces


# --- the system's own alarms, from what it sees ---


def alarms(layout: Layout, crew: Crew, stations: Sequence[BaseStation], fixes: Fixes) -> list[PersonAlarm]:
    """Overtime, over capacity, restricted area and distress calls, as the system finds them in its snapshots."""
    found = [*_overtime(crew, fixes), *_over_capacity(layout, stations, fixes)]
    restricted = {area.area_id for area in layout.site.areas if area.is_restricted}
    inside = np.array([station.area_id in restricted for station in stations])[fixes.station]
    for kind, holds in (("RYXZ", inside), ("RYQJ", fixes.is_calling)):
        for person in np.unique(fixes.person[holds & (fixes.flag == UNDERGROUND)]):
            steps = fixes.step[holds & (fixes.person == person) & (fixes.flag == UNDERGROUND)]
            last = int(fixes.step.max())
            found += [PersonAlarm(kind, a, b, person=int(person)) for a, b in _runs(steps, last)]
    return sorted(found, key=lambda alarm: (alarm.begin_s, alarm.kind, alarm.person or 0, alarm.area_id or ""))


def _overtime(crew: Crew, fixes: Fixes) -> Iterator[PersonAlarm]:
    last = float(fixes.step.max(initial=0)) * STEP_S
    for spell in crew.spells:
        begin = np.ceil(spell.entered_s) + ALARM_HOURS * 3600
        if begin < min(spell.left_s, last) and spell.left_s > 0:
            end = np.ceil(spell.left_s / SNAPSHOT_S) * SNAPSHOT_S
            yield PersonAlarm("RYCS", float(begin), float(end) if end <= last else None, person=spell.person)


def _over_capacity(layout: Layout, stations: Sequence[BaseStation], fixes: Fixes) -> Iterator[PersonAlarm]:
    caps = {area.area_id: area.cap for area in layout.site.areas if area.cap}
    area_of = np.array([station.area_id for station in stations])[fixes.station]
    below = fixes.flag == UNDERGROUND
    last = int(fixes.step.max(initial=0))
    for area_id, cap in caps.items():
        steps, count = np.unique(fixes.step[below & (area_of == area_id)], return_counts=True)
        for begin, end in _runs(steps[count > cap], last):
            yield PersonAlarm("RYCY", begin, end, area_id=area_id)


def _runs(steps: Iterable[int], last: int) -> Iterator[tuple[float, float | None]]:
    """Spans of snapshots that follow each other (one may be missing), in seconds; the end is the first one without."""
    every = SNAPSHOT_S // STEP_S
    begin = before = None
    for step in steps:
        if before is None or begin is None:
            begin = step
        elif step - before > 2 * every:
            yield float(begin * STEP_S), float((before + every) * STEP_S)
            begin = step
        before = step
    if begin is not None and before is not None:
        end = (before + every) * STEP_S
        yield float(begin * STEP_S), float(end) if before + every <= last else None
