"""Records of the positioning kinds: persons, areas, stations, snapshots and the system's own alarms.

Each function gives one kind as a frame, as in `safety_files`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from minefusion.pipelines.simulate.air import STEP_S
from minefusion.pipelines.simulate.people import Crew
from minefusion.pipelines.simulate.positioning import (
    SNAPSHOT_S,
    UNDERGROUND,
    BaseStation,
    Fixes,
    PersonAlarm,
)
from minefusion.pipelines.simulate.safety_files import definition_times
from minefusion.pipelines.simulate.texts import Clock, chosen, fixed
from minefusion.schemas.site import Site

DEFINED_AT = (0, 10)
ORGANISATION = "三八制"
NORMAL, CALLING = "正常", "求救"
SYSTEM = {
    "system_model": "KJ251X",
    "system_name": "煤矿人员位置监测系统",
    "manufacturer": "示范厂家",
    "safety_mark_expiry": "2028-12-31",
}
AREA_TYPES = {"shaft": "井口区域", "pit_bottom": "井口区域", "longwall_face": "重点区域", "heading": "重点区域"}


@dataclass(frozen=True)
class PositioningSystem:
    """All that the positioning system knows of a run."""

    site: Site
    crew: Crew
    stations: Sequence[BaseStation]
    fixes: Fixes
    alarms: Sequence[PersonAlarm]
    clock: Clock
    seconds: float

    @property
    def snapshots(self) -> list[int]:
        return list(range(0, int(self.seconds) + 1, SNAPSHOT_S))


def _defined(rows: list[dict[str, str | None]], system: PositioningSystem) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame(schema={"sent_s": pl.Int64})
    times = definition_times(system.clock, system.seconds, DEFINED_AT)
    return pl.concat(
        [pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.lit(second).alias("sent_s")) for second in times]
    )


def ryxx(system: PositioningSystem) -> pl.DataFrame:
    """Persons and cards."""
    return _defined(
        [
            {
                "card_code": person.card,
                "name": person.name,
                "work_type": person.trade,
                "duty": person.duty,
                "department": person.department,
                "birth_date": person.born,
                "education": person.education,
                "is_leader": str(int(person.is_leader)),
                "is_special_worker": str(int(person.is_special_worker)),
            }
            for person in system.crew.people
        ],
        system,
    )


def ryqy(system: PositioningSystem) -> pl.DataFrame:
    """Areas and their approved head counts; an area without one leaves it empty."""
    return _defined(
        [
            {
                "area_type": "限制区域" if area.is_restricted else AREA_TYPES.get(area.kind, "其它区域"),
                "area_code": area.area_id,
                "approved_count": None if area.cap is None else str(area.cap),
                "area_name": area.name_zh,
            }
            for area in system.site.areas
        ],
        system,
    )


def ryjz(system: PositioningSystem) -> pl.DataFrame:
    """Base stations."""
    rows: list[dict[str, str | None]] = []
    for station in system.stations:
        x, y, z = (f"{value:.2f}" for value in station.coordinates)
        rows.append(
            {
                "station_code": station.code,
                "station_name": station.name,
                "x": x,
                "y": y,
                "z": z,
                "location_note": station.note,
            }
        )
    return _defined(rows, system)


def jzss(system: PositioningSystem) -> pl.DataFrame:
    """Base-station states once a minute: running, on mains."""
    second = np.repeat(system.snapshots, len(system.stations))
    number = np.tile(np.arange(len(system.stations)), len(system.snapshots))
    return pl.DataFrame(
        {
            "sent_s": second,
            "station_code": chosen([station.code for station in system.stations], number),
            "run_state": chosen(["0"], np.zeros_like(number)),
            "power_state": chosen(["1"], np.zeros_like(number)),
            "data_time": system.clock(second),
        }
    )


def ryss(system: PositioningSystem) -> pl.DataFrame:
    """Where everybody is, once a minute."""
    fixes, people, clock = system.fixes, system.crew.people, system.clock
    codes = [station.code for station in system.stations]
    times = sorted({second for trace in fixes.traces for _, second in trace})
    text = dict(zip(times, clock(np.array(times, dtype=float)), strict=True)) if times else {}
    traces = [",".join(f"{codes[station]}&{text[second]}" for station, second in trace) for trace in fixes.traces]
    leader, special = ["0" if not p.is_leader else "1" for p in people], [str(int(p.is_special_worker)) for p in people]
    return pl.DataFrame(
        {
            "sent_s": fixes.step * STEP_S,
            "card_code": chosen([person.card for person in people], fixes.person),
            "name": chosen([person.name for person in people], fixes.person),
            "in_out_flag": pl.Series(fixes.flag.astype(np.int32)).cast(pl.String),
            "enter_mine_time": clock(fixes.entered_mine_s),
            "leave_mine_time": clock(fixes.left_s),
            "area_code": chosen([station.area_id for station in system.stations], fixes.station),
            "enter_area_time": clock(fixes.entered_area_s),
            "station_code": chosen(codes, fixes.station),
            "enter_station_time": clock(fixes.entered_station_s),
            "labour_organisation": chosen([ORGANISATION], np.zeros_like(fixes.person)),
            "station_distance": fixed(fixes.distance_m, 2),
            "work_state": chosen([NORMAL, CALLING], fixes.is_calling.astype(np.intp)),
            "is_leader": chosen(leader, fixes.person),
            "is_special_worker": chosen(special, fixes.person),
            "trace": chosen(traces, fixes.trace),
        }
    )


def empty_snapshots(system: PositioningSystem) -> list[int]:
    """Seconds of the snapshots that list nobody: they are sent too."""
    seen = set((system.fixes.step * STEP_S).tolist())
    return [second for second in system.snapshots if second not in seen]


_ALARM_COLUMNS = {
    "RYCS": (
        "card_code", "name", "enter_mine_time", "begin_time", "end_time", "area_code", "enter_area_time",
        "station_code", "enter_station_time",
    ),
    "RYXZ": (
        "card_code", "name", "begin_time", "end_time", "enter_mine_time", "area_code", "enter_area_time",
        "station_code", "enter_station_time",
    ),
    "RYQJ": (
        "card_code", "name", "begin_time", "end_time", "enter_mine_time", "area_code", "enter_area_time",
        "station_code", "enter_station_time",
    ),
    "RYCY": (
        "alarm_type", "approved_count", "current_count", "area_code", "area_name", "begin_time", "end_time",
        "person_cards",
    ),
}  # fmt: skip


def alarm_records(system: PositioningSystem, kind: str) -> pl.DataFrame:
    """Alarms of one kind: when they open, every minute while they are open, and when they close."""
    rows = [row for alarm in system.alarms if alarm.kind == kind for row in _told(system, alarm)]
    columns = ("sent_s", *_ALARM_COLUMNS[kind])
    schema = {name: pl.Int64 if name == "sent_s" else pl.String for name in columns}
    return pl.DataFrame([{name: row[name] for name in columns} for row in rows], schema=schema).sort(
        "sent_s", maintain_order=True
    )


def _told(system: PositioningSystem, alarm: PersonAlarm) -> Iterator[dict[str, object]]:
    clock = system.clock
    last = alarm.end_s if alarm.end_s is not None else float(system.snapshots[-1])
    first = max(0, -(-int(alarm.begin_s) // SNAPSHOT_S) * SNAPSHOT_S)
    about = _about_area if alarm.area_id is not None else _about_person
    for second in range(first, int(last) + 1, SNAPSHOT_S):
        yield {
            "sent_s": second,
            "begin_time": clock.one(alarm.begin_s),
            "end_time": clock.one(alarm.end_s) if alarm.end_s is not None and second >= alarm.end_s else None,
            **about(system, alarm, second),
        }


def _about_person(system: PositioningSystem, alarm: PersonAlarm, second: int) -> dict[str, str]:
    """The card and where it was last seen."""
    fixes = system.fixes
    assert alarm.person is not None, "an alarm about no area is about a person"
    rows = np.flatnonzero((fixes.person == alarm.person) & (fixes.step * STEP_S <= second))
    row, person = rows[-1], system.crew.people[alarm.person]
    station = system.stations[fixes.station[row]]
    return {
        "card_code": person.card,
        "name": person.name,
        "enter_mine_time": system.clock.one(fixes.entered_mine_s[row]),
        "area_code": station.area_id,
        "enter_area_time": system.clock.one(fixes.entered_area_s[row]),
        "station_code": station.code,
        "enter_station_time": system.clock.one(fixes.entered_station_s[row]),
    }


def _about_area(system: PositioningSystem, alarm: PersonAlarm, second: int) -> dict[str, str]:
    """The area and who is in it."""
    fixes = system.fixes
    area = next(area for area in system.site.areas if area.area_id == alarm.area_id)
    inside = np.array([station.area_id == area.area_id for station in system.stations])[fixes.station]
    here = fixes.person[inside & (fixes.step * STEP_S == second) & (fixes.flag == UNDERGROUND)]
    return {
        "alarm_type": "区域超员",
        "approved_count": str(area.cap),
        "current_count": str(len(here)),
        "area_code": area.area_id,
        "area_name": area.name_zh,
        "person_cards": "&".join(system.crew.people[each].card for each in here),
    }
