"""A simulated chemical plant: what its sensors, laboratory, cameras and people say, and what is true of it.

A hydrogen-peroxide plant with a neutraliser and a compound-fertiliser tower, six areas in all. Everything it says goes
out as records of kind RGJL, a file a minute; what is true of each event is written beside, as for a mine.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from minefusion.pipelines.exchange.manifest import add_to_manifest
from minefusion.pipelines.exchange.write import file_name, render
from minefusion.pipelines.rules.facts import CAMERA, LABORATORY, OPERATOR, SENSOR
from minefusion.pipelines.simulate.mine import START, Made, Progress, claim, put
from minefusion.pipelines.simulate.streams import stream
from minefusion.schemas.errors import InputError
from minefusion.schemas.rules import rules_of
from minefusion.schemas.site import Area, Site, dump_site
from minefusion.schemas.site_plant import ProcessUnit, RulePack, RuleValue

PLANT = "650000000001"
KIND = "RGJL"
# Area → Chinese name, English name, what it is in the words of the rule pack.
AREAS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "01": ("氢化装置", "Hydrogenation", ("hydrogenation_tower", "hydrogenation_tail_gas", "hydrogenation_system")),
    "02": ("氧化装置", "Oxidation", ("oxidation_tower", "oxidation_tower_outlet", "oxidation_section")),
    "03": ("萃取装置", "Extraction", ("extraction_tower", "raffinate")),
    "04": ("双氧水罐区", "Peroxide tanks", ("peroxide_storage_tank",)),
    "05": ("中和装置", "Neutralisation", ("neutraliser",)),
    "06": ("复合肥塔", "Fertiliser tower", ("nitro_npk_tower", "liquid_seal_tank")),
}
# (area, variable) → usual value, spread of a sample, unit. One a minute.
SENSORS: dict[tuple[str, str], tuple[float, float, str]] = {
    ("01", "oxygen_pct"): (0.8, 0.05, "%"),
    ("02", "temperature_c"): (52.0, 0.2, "℃"),
    ("02", "acidity_mg_l"): (4.0, 0.1, "mg/L"),
    ("03", "temperature_c"): (48.0, 0.2, "℃"),
    ("04", "temperature_c"): (28.0, 0.05, "℃"),
    ("05", "solution_ph"): (4.5, 0.05, "pH"),
    ("06", "temperature_c"): (172.0, 0.5, "℃"),
}
# The plant's own values: rule → value, where they come from.
OWN_VALUES = {"HP-040": 0.5, "HP-011": 92.0}
_SOURCE = "示范厂操作规程"
# States that hold all the time are told again every so many minutes, and people counted every so many.
RETOLD_MIN, HEADS_MIN = 60, 1
SCENARIOS = ("normal", "abnormal")
# Scenario → the indices that it takes to level 2 or more.
DRIVES: dict[str, tuple[str, ...]] = {"normal": (), "abnormal": ("P-06",)}


@dataclass(frozen=True)
class Fact:
    """Something that is said, `minute` from the start of the run (a fraction for what a person does)."""

    minute: float
    area: str
    source: str
    variable: str
    value: float
    unit: str
    sample: str = ""


@dataclass(frozen=True)
class Truth:
    """A rule that is broken from a minute to another, and the level that this reaches."""

    event_id: str
    rule_id: str
    area: str
    begin: float
    end: float


def plant_site() -> Site:
    """The plant's site file."""
    return Site(
        mine_code=PLANT,
        name_zh="示范化工厂",
        name_en="Demonstration plant",
        severe_hazard=True,
        areas=tuple(Area(PLANT + code, zh, en, "process_unit") for code, (zh, en, _) in AREAS.items()),
        nodes=(),
        edges=(),
        rule_packs=(RulePack("chemical"),),
        process_units=tuple(ProcessUnit(PLANT + code, unit) for code, (_, _, units) in AREAS.items() for unit in units),
        rule_values=tuple(RuleValue(rule, value, _SOURCE) for rule, value in OWN_VALUES.items()),
    )


def simulate_plant(
    scenario: str = "abnormal",
    *,
    hours: float,
    seed: int,
    out: Path,
    truth: Path,
    start: datetime = START,
    progress: Progress | None = None,
) -> Made:
    """Write the records of a simulated plant to `out` and the truth about them to `truth`; same arguments, same bytes.

    Raises:
        InputError: no such scenario, too short a time for its events, or files of something else in `out`.
    """
    began = time.monotonic()
    if scenario not in SCENARIOS:
        raise InputError(f"expected a scenario of {', '.join(SCENARIOS)}, got '{scenario}'; choose one of them")
    minutes = int(hours * 60)
    start = start.astimezone(UTC).replace(second=0, microsecond=0)
    claim(out, {"plant": scenario, "seed": seed, "hours": float(hours), "start": start.isoformat()})
    facts, truths = _quiet(minutes, seed), list[Truth]()
    if scenario == "abnormal":
        facts, truths = _abnormal(minutes, stream(seed, "plant", "events"), facts)
    site = plant_site()
    put(out / f"{PLANT}.site.yaml", dump_site(site).encode())
    made, manifest = Made(), {}
    by_minute: dict[int, list[Fact]] = {}
    for fact in facts:
        by_minute.setdefault(int(fact.minute), []).append(fact)
    for minute in range(minutes):
        # A file tells of the minute before it.
        at = start + timedelta(minutes=minute + 1)
        rows = [
            _record(number, fact, start) for number, fact in enumerate(sorted(by_minute.get(minute, ()), key=_order))
        ]
        name = file_name(KIND, PLANT, at)
        put(out / name, render(KIND, PLANT, site.name_zh, at, rows))
        manifest[name] = len(rows)
        made.files[KIND] += 1
        made.records[KIND] += len(rows)
        if progress:
            progress((minute + 1) / minutes, KIND)
    add_to_manifest(out, manifest)
    _write_truth(truth, truths, start)
    made.seconds = time.monotonic() - began
    return made


def _order(fact: Fact) -> tuple[float, str, str, str]:
    return fact.minute, fact.area, fact.variable, fact.source


def _record(number: int, fact: Fact, start: datetime) -> dict[str, str]:
    at = start + timedelta(seconds=round(60 * fact.minute))
    return {
        "record_id": f"P{at:%Y%m%d%H%M%S}{number:03d}",
        "record_kind": fact.source,
        "quantity": fact.variable,
        "measured_time": (at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S"),
        "value": f"{fact.value:g}",
        "unit": fact.unit,
        "sample_id": fact.sample,
        "location": AREAS[fact.area][0],
        "area_code": PLANT + fact.area,
    }


def _quiet(minutes: int, seed: int) -> list[Fact]:
    """A plant in which nothing happens."""
    facts = []
    for (area, variable), (usual, spread, unit) in SENSORS.items():
        noise = stream(seed, "plant", area, variable).normal(0.0, spread, minutes)
        facts += [
            Fact(minute, area, SENSOR, variable, round(usual + float(noise[minute]), 3), unit)
            for minute in range(minutes)
        ]
    for minute in range(0, minutes, RETOLD_MIN):
        facts += [Fact(minute, area, OPERATOR, "disposal_under_way", 0.0, "") for area in AREAS]
        facts.append(Fact(minute + 0.5, "03", LABORATORY, "peroxide_g_l", 0.18, "g/L", f"S{minute:05d}"))
    facts += [Fact(m, area, CAMERA, "severe_turbidity", 0.1, "") for m in range(0, minutes, 10) for area in ("03",)]
    heads = stream(seed, "plant", "persons")
    facts += [
        Fact(minute, area, OPERATOR, "persons", float(heads.integers(0, 3)), "人")
        for minute in range(0, minutes, HEADS_MIN)
        for area in AREAS
    ]
    return facts


def _abnormal(minutes: int, rng: np.random.Generator, quiet: Sequence[Fact]) -> tuple[list[Fact], list[Truth]]:
    """Seven events, one after the other in areas of their own, at times drawn from the seed."""
    if minutes < 120:
        raise InputError(
            f"expected two hours or more for the scenario abnormal, got {minutes / 60:g}; ask for --hours 2"
        )
    begins = {name: int(rng.integers(20, minutes - 80)) for name in _EVENTS}
    # The laboratory's hourly sample does not fall into its event.
    begins["raffinate"] += 1 + begins["raffinate"] % 15 - begins["raffinate"] % 60
    facts, truths = list(quiet), []
    for number, (name, event) in enumerate(_EVENTS.items(), start=1):
        replaced, told, found = event(f"EV{number:02d}", begins[name], rng)
        # What an event measures takes the place of what would have been measured.
        kept = {(fact.area, fact.variable, fact.minute) for fact in replaced}
        facts = [fact for fact in facts if (fact.area, fact.variable, fact.minute) not in kept]
        facts += [*replaced, *told]
        truths += found
    return facts, truths


Happening = tuple[list[Fact], list[Fact], list[Truth]]


def _held(area: str, variable: str, begin: int, values: Sequence[float]) -> list[Fact]:
    """Values of a sensor, minute by minute."""
    unit = SENSORS[area, variable][2]
    return [Fact(begin + number, area, SENSOR, variable, round(value, 3), unit) for number, value in enumerate(values)]


def _hot_tower(event: str, begin: int, rng: np.random.Generator) -> Happening:
    """The oxidation tower warms up past its limit and is cooled again."""
    top, up, stays = float(rng.uniform(60.5, 63.0)), int(rng.integers(6, 12)), int(rng.integers(6, 14))
    rise = np.linspace(52.0, top, up + 1)[:-1]
    values = [*rise.tolist(), *[top] * stays, *np.linspace(top, 52.0, 6)[1:].tolist()]
    over = [begin + n for n, value in enumerate(values) if round(value, 3) >= 60.0]
    return _held("02", "temperature_c", begin, values), [], [Truth(event, "HP-006", "02", over[0], over[-1] + 1)]


def _oxygen(event: str, begin: int, rng: np.random.Generator) -> Happening:
    """Oxygen gets into the tail gas of the hydrogenation."""
    stays = int(rng.integers(5, 15))
    values = [float(rng.uniform(2.2, 2.8))] * stays
    return _held("01", "oxygen_pct", begin, values), [], [Truth(event, "HP-017", "01", begin, begin + stays)]


def _acidity(event: str, begin: int, rng: np.random.Generator) -> Happening:
    """Acid is missing: first outside the window, then hardly any."""
    first, second = int(rng.integers(4, 8)), int(rng.integers(4, 8))
    values = [1.5] * first + [float(rng.uniform(0.5, 0.9))] * second
    end = begin + first + second
    return (
        _held("02", "acidity_mg_l", begin, values),
        [],
        [Truth(event, "HP-029", "02", begin, end), Truth(event, "HP-030", "02", begin + first, end)],
    )


def _raffinate(event: str, begin: int, rng: np.random.Generator) -> Happening:
    """The laboratory finds too much hydrogen peroxide, and finds it again; then it is in order."""
    again, mended = int(rng.integers(8, 15)), int(rng.integers(25, 40))
    said = [
        Fact(begin + minute, "03", LABORATORY, "peroxide_g_l", value, "g/L", f"{event}-{number}")
        for number, (minute, value) in enumerate(((0.25, 0.34), (again + 0.25, 0.33), (mended + 0.25, 0.15)))
    ]
    truths = [
        Truth(event, "HP-012", "03", begin, begin + mended + 1),
        Truth(event, "HP-013", "03", begin + again, begin + mended + 1),
    ]
    return [], said, truths


def _leak(event: str, begin: int, rng: np.random.Generator) -> Happening:
    """The neutraliser leaks, and too many come to stop it."""
    crowd, stays = int(rng.integers(7, 10)), int(rng.integers(12, 20))
    crowded = [Fact(begin + 3 + n, "05", OPERATOR, "persons", float(crowd), "人") for n in range(stays - 3)]
    states = [
        ("leak_detected", 0, stays),
        ("leak_job", 2, stays),
        ("disposal_under_way", 2, stays),
        ("dcs_watcher_present", 2, stays),
        ("protection_fits_risk", 2, stays),
    ]
    said = []
    for name, first, last in states:
        said += [
            Fact(begin + first + 0.1, "05", OPERATOR, name, 1.0, ""),
            Fact(begin + last + 0.1, "05", OPERATOR, name, 0.0, ""),
        ]
    end = begin + stays + 1
    found = [("AN-010", 0), ("AN-011", 2), ("GEN-022", 3), ("GEN-023", 3), ("P-06", 2)]
    return crowded, said, [Truth(event, rule, "05", begin + first, end) for rule, first in found]


def _long_stop(event: str, begin: int, rng: np.random.Generator) -> Happening:
    """Prilling stands still and the liquid-seal tank is emptied too late."""
    stays = int(rng.integers(23, 32))
    told = {
        ("prilling_stopped", 0): 1.0,
        ("filled", 0): 1.0,
        ("filled", stays): 0.0,
        ("prilling_stopped", stays + 5): 0.0,
    }
    said = [Fact(begin + minute, "06", OPERATOR, name, value, "") for (name, minute), value in told.items()]
    return [], said, [Truth(event, "AN-015", "06", begin + 20, begin + stays)]


def _warming_tank(event: str, begin: int, rng: np.random.Generator) -> Happening:
    """A tank of hydrogen peroxide begins to decompose: its temperature rises faster than the plant allows."""
    rate, lasts = float(rng.uniform(0.9, 1.4)), int(rng.integers(14, 20))
    values = [28.0 + rate * n for n in range(lasts)]
    # The slope over five minutes has to be over the limit for two.
    return _held("04", "temperature_c", begin, values), [], [Truth(event, "HP-040", "04", begin + 3, begin + lasts + 4)]


_EVENTS: Mapping[str, Callable[[str, int, np.random.Generator], Happening]] = {
    "hot_tower": _hot_tower,
    "oxygen": _oxygen,
    "acidity": _acidity,
    "raffinate": _raffinate,
    "leak": _leak,
    "long_stop": _long_stop,
    "warming_tank": _warming_tank,
}


def _write_truth(folder: Path, truths: Sequence[Truth], start: datetime) -> None:
    """findings.csv, as a mine's simulation writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    levels = {rule.rule_id: rule.level for rule in rules_of("chemical")} | {"P-06": 4}
    columns = (
        "finding_id",
        "event_id",
        "index_id",
        "area_id",
        "entity",
        "begin",
        "end",
        "peak",
        "limit",
        "unit",
        "level",
        "is_sure",
    )
    with (folder / "findings.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for number, each in enumerate(sorted(truths, key=lambda one: (one.begin, one.rule_id)), start=1):
            begin, end = (start + timedelta(minutes=minute) for minute in (each.begin, each.end))
            area = PLANT + each.area
            found = (f"T{number:03d}", each.event_id, each.rule_id, area, area, begin.isoformat(), end.isoformat())
            writer.writerow((*found, "", "", "", levels[each.rule_id], 1))
