"""What the rest of the mine knows while a camera looks: which machines run, and how many people positioning counts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import narwhals as nw

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.jobs.new_files import collected
from minefusion.schemas import silver
from minefusion.schemas.window import Window

# A state or a count that is older is not known any more.
HOLDS = timedelta(minutes=2)
# Quantities that say whether a machine runs: 0 stands, anything else runs.
ON_OFF = ("equipment_on", "main_fan", "aux_fan")
BAD = "BAD"

# Times [s since 1970] in order, and what held from each on.
Series = tuple[list[float], list[float]]


@dataclass(frozen=True)
class PlantState:
    """States and counts of a stretch of time, asked instant by instant."""

    machines: dict[str, Series]
    people: dict[str, Series]

    def running(self, asked: Iterable[str], at: float) -> dict[str, bool | None]:
        """Which of these machines run; None where that is not known."""
        found = {machine: _newest(self.machines.get(machine), at) for machine in asked}
        return {machine: None if value is None else value != 0 for machine, value in found.items()}

    def carried(self, area_id: str | None, at: float) -> int | None:
        """People in the area by positioning; None where that is not known."""
        value = _newest(self.people.get(area_id or ""), at)
        return None if value is None else int(value)


NOTHING_KNOWN = PlantState({}, {})


def plant_state(engine: Engine, mine: str, window: Window, machines: Iterable[str], areas: Iterable[str]) -> PlantState:
    """What silver holds of these machines (equipment ids or point codes) and areas, from a little before the window."""
    around = window.widened(before=HOLDS, after=timedelta(seconds=1))
    wanted, areas = sorted(machines), sorted(areas)
    light = engine.in_process
    states: dict[str, list[tuple[float, float]]] = {}
    if wanted:
        for table, name in ((silver.READING, "point_id"), (silver.EQUIPMENT_STATE, "point_id"),
                            (silver.EQUIPMENT_STATE, "equipment_id")):  # fmt: skip
            rows = light.read(table, window=around, mines=[mine]).filter(
                nw.col(name).is_in(wanted), nw.col("quantity").is_in(list(ON_OFF)), nw.col("quality") != BAD,
                ~nw.col("value").is_null(),
            )  # fmt: skip
            for code, at, value in collected(light, rows.select(name, "observed_at", "value")).iter_rows():
                states.setdefault(code, []).append((at.timestamp(), value))
    counts: dict[str, list[tuple[float, float]]] = {}
    if areas:
        rows = light.read(silver.HEADCOUNT, window=around, mines=[mine]).filter(nw.col("area_id").is_in(areas))
        for code, at, value in collected(light, rows.select("area_id", "observed_at", "people_count")).iter_rows():
            counts.setdefault(code, []).append((at.timestamp(), float(value)))
    return PlantState(_series(states), _series(counts))


def _series(of_code: dict[str, list[tuple[float, float]]]) -> dict[str, Series]:
    found = {}
    for code, rows in of_code.items():
        rows.sort()
        found[code] = ([at for at, _ in rows], [value for _, value in rows])
    return found


def _newest(series: Series | None, at: float) -> float | None:
    if series is None:
        return None
    times, values = series
    index = bisect_right(times, at) - 1
    return values[index] if index >= 0 and at - times[index] <= HOLDS.total_seconds() else None
