"""What a perfect observer finds in a run: from the true air, the true places of the people, and the scenario's word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate import slope, tailings
from minefusion.pipelines.simulate.air import FRESH_CO_PPM, STEP_S
from minefusion.pipelines.simulate.instruments import Floats
from minefusion.pipelines.simulate.layout import Layout
from minefusion.pipelines.simulate.monitoring import Bools, lasting, latched, spans
from minefusion.pipelines.simulate.points import Point
from minefusion.pipelines.simulate.run import Run
from minefusion.pipelines.simulate.scenario import Event

BACK_INSIDE_S = 60  # a stay beyond a limit ends when the value is back inside for so long
SURE_S = 120
# Share of the limit by which a value must be beyond it to be sure: the error that its instrument is allowed.
SURE_SHARE = {"ch4": 0.06, "air_velocity": 0.10, "co": 0.15, "o2": 0.01}
# Where the indices of rate, fire and toxic gas become serious.
RISE, LEFT_MIN, RISE_OVER_S = 0.10, 6.0, 300
CO_CAP_PPM, CO_NEAR_SHARE, CO_FIRE_PPM = 24.0, 0.8, 10.0
O2_YELLOW_PCT, O2_ORANGE_PCT = 20.0, 19.5
WARM_C = 22.5  # warmer air asks for more of it than a face is given
WINDOW_S = 600
NEAR_S = 240
OVERTIME_H = 12.0
LARGE_GATHERING = 10
# People come together before the event they are part of; gas draws off after it [s].
GATHER_S, DRAW_OFF_S = 900, 1800
YELLOW, ORANGE, RED = 2, 3, 4
# Indices that find air in which nobody should stay.
BAD_AIR = ("G-01", "F-10", "T-01", "T-04")


@dataclass(frozen=True)
class Finding:
    """One thing to be found; times are seconds of the run, the end is None where it lasts to the run's end.

    Attributes:
        entity: point, area or door pair; empty where neither fits.
        level: that it reaches at least.
        is_sure: beyond the limit by more than the instrument's error, and long enough to be seen; else it may be found.
    """

    event_id: str
    index_id: str
    area_id: str
    entity: str
    begin_s: float
    end_s: float | None
    level: int
    is_sure: bool
    peak: float | None = None
    limit: float | None = None
    unit: str = ""


def findings(run: Run) -> list[Finding]:
    """Every finding of a perfect observer, in order of time."""
    found = [
        *_at_points(run),
        *_in_working_areas(run),
        *_crowded(run),
        *_overtime(run),
        *_where_nobody_may_be(run),
        *_declared(run),
    ]
    found += _to_be_left(run, found)
    return sorted(found, key=lambda finding: (finding.begin_s, finding.index_id, finding.entity))


def _to_be_left(run: Run, found: Sequence[Finding]) -> list[Finding]:
    """Wherever air is bad, people may be found that have to leave (P-07), and others that walk there."""
    mine = run.layout.site.mine_code
    return [
        Finding(bad.event_id, "P-07", mine, "", bad.begin_s, bad.end_s, YELLOW, is_sure=False)
        for bad in found
        if bad.index_id in BAD_AIR
    ]


def event_area(layout: Layout, event: Event) -> str:
    """The area that an event is about."""
    if event.place in ("face", "gate", "goaf"):
        faces = [face for face in layout.faces if event.place != "goaf" or face.goaf is not None]
        face = faces[event.unit]
        if event.place == "goaf":
            assert face.goaf is not None, "chosen among faces with one"
            return layout.edges[face.goaf].area_id
        return face.area_id if event.place == "face" else face.return_area
    if event.place == "heading":
        return layout.headings[event.unit].area_id
    if event.place in ("chamber", "belt"):
        return layout.edges[layout.index(event.place)[event.unit]].area_id
    if event.place == "main_fan":
        return layout.edges[layout.main_fan].area_id
    if event.place == "pump":
        return layout.edges[layout.index("chamber")[-1]].area_id
    if event.place in SURFACE_PLACES:
        return next(area.area_id for area in layout.site.areas if area.name_zh == SURFACE_PLACES[event.place])
    return layout.site.mine_code


@dataclass(frozen=True)
class _Judged:
    """What one index sees at one point or area.

    Attributes:
        near: an instrument within its error may show a value beyond the limit.
        beyond: the true value is.
        must: every instrument within its error shows it.
    """

    index_id: str
    near: Bools
    beyond: Bools
    must: Bools
    shown: Floats
    limit: float
    unit: str
    level: int = ORANGE
    is_upper: bool = True


def _judged(point: Point, true: Floats) -> Iterator[_Judged]:
    """The indices that look at a point, with the limits that it has."""
    quantity, unit = point.kind.quantity, point.kind.unit
    error = SURE_SHARE.get(quantity, 0.0)
    if quantity == "ch4" and point.alarm_high is not None:
        limit = point.alarm_high
        yield _above("G-01", true, limit, error, unit)
        rise = _rise_per_min(true)
        left_min = np.where(rise > 0, (limit - true) / np.maximum(rise, 1e-9), np.inf)
        may = (rise >= 0.5 * RISE) | ((left_min < 2 * LEFT_MIN) & (rise > 0.01) & (true < limit))
        yield _Judged("G-02", may, may, (rise >= 1.5 * RISE) & (true < limit), rise, RISE, "%/min")
    if quantity == "co":
        yield _above("T-01", true, CO_NEAR_SHARE * CO_CAP_PPM, error, unit)
        yield _above("F-10", true - FRESH_CO_PPM, CO_FIRE_PPM, 2 * error, unit)
    if quantity == "o2":
        yield _below("T-04", true, O2_YELLOW_PCT, error, unit, YELLOW)
        yield _below("T-04", true, O2_ORANGE_PCT, error, unit)
    if quantity == "air_velocity" and point.alarm_high is not None:
        yield _above("V-02", true, point.alarm_high, error, unit)
    if quantity == "air_velocity" and point.alarm_low is not None:
        yield _below("V-02", true, point.alarm_low, error, unit)


def _above(index_id: str, true: Floats, limit: float, error: float, unit: str) -> _Judged:
    return _Judged(index_id, true >= limit * (1 - error), true >= limit, true >= limit * (1 + error), true, limit, unit)


def _below(index_id: str, true: Floats, limit: float, error: float, unit: str, level: int = ORANGE) -> _Judged:
    near, must = true < limit * (1 + error), true < limit * (1 - error)
    return _Judged(index_id, near, true < limit, must, true, limit, unit, level, is_upper=False)


def _rise_per_min(true: Floats) -> Floats:
    """Slope over the five minutes that end with each step [per minute]."""
    steps = RISE_OVER_S // STEP_S
    before = np.concatenate((np.full(min(steps, len(true)), true[0]), true[:-steps]))
    return (true - before[: len(true)]) / (RISE_OVER_S / 60)


def _at_points(run: Run) -> Iterator[Finding]:
    """At every point where people may be; the limits do not hold in a goaf."""
    goafs = {area.area_id for area in run.layout.site.areas if area.kind == "goaf"}
    for number, point in enumerate(run.instruments.points):
        if point.area_id in goafs:
            continue
        for judged in _judged(point, run.observed.true[:, number]):
            yield from _found(run, judged, point.area_id, point.code, SURE_S)


def _in_working_areas(run: Run) -> Iterator[Finding]:
    """Air for a face or heading (V-01): its gas wants 100·q·K, so K times its methane [%] is need over supply; warm air
    wants a higher velocity, and a fifth less air than designed may be too little."""
    design = np.abs(run.layout.design_flow)
    for path in run.layout.site.air_paths:
        edge = next(n for n, road in enumerate(run.layout.edges) if road.edge_id == path.return_edge)
        at = [n for n, point in enumerate(run.instruments.points) if point.edge == edge]
        gas = [run.observed.true[:, n] for n in at if run.instruments.points[n].kind.quantity == "ch4"]
        speed = [run.observed.true[:, n] for n in at if run.instruments.points[n].kind.quantity == "air_velocity"]
        if not gas or not speed:
            continue
        warm = [run.observed.true[:, n] for n, point in enumerate(run.instruments.points)
                if point.area_id == path.area_id and point.kind.quantity == "temperature"]  # fmt: skip
        need = path.air_factor * np.max(gas, axis=0)
        supply = speed[0] * run.layout.edges[edge].section_m2 / design[edge]
        may = (need >= 0.7) | (supply < 0.8) | (np.max(warm, axis=0) >= WARM_C)
        must = (need >= 1.3) & (supply < 1.3)
        may = _while_mean(may)
        judged = _Judged("V-01", may, may, must, 1 / np.maximum(need, 1e-3), 1.0, "1", is_upper=False)
        yield from _found(run, judged, path.area_id, path.area_id, 2 * WINDOW_S)


def _while_mean(holds: Bools) -> Bools:
    """Wherever a ten-minute window that holds it may reach."""
    reach = WINDOW_S // STEP_S
    return np.convolve(holds, np.ones(2 * reach + 1), mode="same") > 0


def _found(run: Run, judged: _Judged, area_id: str, entity: str, sure_s: int) -> Iterator[Finding]:
    """Stays beyond the limit; and where a value stays so near to it that it may have been shown beyond, that too."""
    beyond = _stay(judged.beyond)
    for holds in (beyond, _stay(judged.near)):
        for begin, end in spans(holds):
            stay = slice(begin, end)
            last = (end or run.steps) - begin
            if holds is not beyond and beyond[stay].sum() > last - NEAR_S / STEP_S:
                continue
            peak = judged.shown[stay].max() if judged.is_upper else judged.shown[stay].min()
            longest = max(((b or last) - a for a, b in spans(judged.must[stay])), default=0)
            yield Finding(
                _cause(run, begin), judged.index_id, area_id, entity, begin * STEP_S,
                None if end is None else end * STEP_S, judged.level, holds is beyond and longest * STEP_S >= sure_s,
                float(peak), judged.limit, judged.unit,
            )  # fmt: skip


def _stay(beyond: Bools) -> Bools:
    """Beyond a limit, until one minute without interruption inside."""
    return latched(beyond, lasting(~beyond, BACK_INSIDE_S // STEP_S))


def _cause(run: Run, begin: int) -> str:
    """The event that something began with: a little before it (people gather) or until its gas has drawn off."""
    for event in run.events:
        if event.onset_s - GATHER_S <= begin * STEP_S and begin * STEP_S <= event.end_s + DRAW_OFF_S:
            return event.event_id
    return ""


def _heads(run: Run, area_id: str) -> NDArray[np.intp]:
    """People in an area at each step."""
    track = run.track
    here = np.array([edge.area_id == area_id for edge in run.layout.edges])[track.edge]
    return np.bincount(track.step[here & (track.step >= 0) & (track.step < run.steps)], minlength=run.steps)


def _people_in(
    run: Run, index_id: str, area_id: str, holds: Bools, heads: NDArray[np.intp], limit: float
) -> Iterator[Finding]:
    level = RED if index_id == "P-03" else ORANGE
    for begin, end in spans(_stay(holds)):
        yield Finding(
            _cause(run, begin), index_id, area_id, area_id, begin * STEP_S, None if end is None else end * STEP_S,
            level, int(holds[begin:end].sum()) * STEP_S >= 2 * SURE_S, float(heads[begin:end].max()), limit, "person",
        )  # fmt: skip


def _crowded(run: Run) -> Iterator[Finding]:
    """Areas with more people than their cap."""
    for area in run.layout.site.areas:
        if area.cap and not area.is_restricted:
            heads = _heads(run, area.area_id)
            yield from _people_in(run, "P-01", area.area_id, heads > area.cap, heads, float(area.cap))


def _where_nobody_may_be(run: Run) -> Iterator[Finding]:
    """People in restricted areas, and where methane has reached the value at which the power is cut."""
    over_cut: dict[str, Bools] = {}
    for number, point in enumerate(run.instruments.points):
        if point.cut is not None:
            before = over_cut.get(point.area_id, np.zeros(run.steps, dtype=bool))
            over_cut[point.area_id] = before | (run.observed.true[:, number] >= point.cut)
    for area in run.layout.site.areas:
        barred = np.full(run.steps, area.is_restricted) | over_cut.get(area.area_id, np.zeros(run.steps, dtype=bool))
        if barred.any():
            heads = _heads(run, area.area_id)
            yield from _people_in(run, "P-03", area.area_id, barred & (heads > 0), heads, 0.0)


def _overtime(run: Run) -> Iterator[Finding]:
    """Those who stay underground for twelve hours."""
    last = run.steps * STEP_S
    for spell in run.crew.spells:
        begin = spell.entered_s + OVERTIME_H * 3600
        if begin < min(spell.left_s, last):
            event = next((e for e, people in run.crew.involved.items() if spell.person in people), "")
            end = spell.left_s if spell.left_s < last else None
            hours = (min(spell.left_s, last) - spell.entered_s) / 3600
            yield Finding(
                event, "P-02", run.layout.site.mine_code, "", max(begin, 0.0), end, ORANGE, True, hours, OVERTIME_H, "h"
            )


SURFACE_PLACES = {"dam": tailings.AREA_ZH, "slope": slope.AREA_ZH}
# Found in the true values themselves.
_MEASURED = ("G-01", "T-01", "T-04", "V-02", "P-01", "P-02", "P-03")
# Level 3 at least; the others of the scenarios' own word reach level 2.
_SERIOUS = ("V-01", "V-08")


def _declared(run: Run) -> Iterator[Finding]:
    """What the scenario says of its own events."""
    for event in run.events:
        for index_id in event.truth:
            if index_id in _MEASURED:
                continue
            area_id, entity = event_area(run.layout, event), ""
            if index_id == "V-08" and "doors_open" in event.effects:
                doors = run.layout.faces[event.unit].doors
                area_id, entity = run.layout.edges[doors].area_id, run.instruments.door_pairs[event.unit].pair_id
            end = event.end_s if event.end_s < (run.steps - 1) * STEP_S else None
            serious = (
                index_id in _SERIOUS
                or (index_id == "P-05" and "immobile" in event.effects)
                or (index_id == "P-04" and len(run.crew.involved.get(event.event_id, ())) >= LARGE_GATHERING)
            )
            yield Finding(
                event.event_id, index_id, area_id, entity, event.onset_s, end, ORANGE if serious else YELLOW, True
            )
        for index_id in event.may:  # wherever the air, the people or the machine carry it
            end = event.end_s + DRAW_OFF_S if event.end_s + DRAW_OFF_S < (run.steps - 1) * STEP_S else None
            began = event.onset_s - event.precursor_s
            yield Finding(event.event_id, index_id, run.layout.site.mine_code, "", began, end, YELLOW, False)
