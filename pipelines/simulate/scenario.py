"""What happens in a simulated mine: scenarios as YAML, and their events given a place and a time by the seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from minefusion.pipelines.simulate.layout import Layout
from minefusion.schemas.errors import InputError

SHIPPED = Path(__file__).parent / "scenarios"
# An event leaves room before and after it, however short the run.
LONGEST_SHARE = 0.6

# What can happen, with its settings: numbers, or [low, high] from which the seed draws.
EFFECTS: dict[str, tuple[str, ...]] = {
    "doors_open": (),
    "methane": ("reach_pct", "ramp_min"),
    "fan_stop": (),
    "duct_leak": ("share",),
    "main_fan_trip": (),
    "blockage": ("resistance_times",),
    "narrowing": ("reach_m_s",),
    "heating": ("co_ppm", "warmer_k", "ramp_min"),
    "blackdamp": ("reach_o2_pct", "ramp_min"),
    "crowd": ("over_cap",),
    "overtime": ("hours",),
    "intrusion": (),
    "gathering": ("persons",),
    "lone_worker": (),
    "immobile": (),
    "distress_call": (),
    "feed_fault": (),
}
PLACES = ("face", "heading", "chamber", "gate", "goaf", "mine")


@dataclass(frozen=True)
class Instrumental:
    """How imperfect the instruments are.

    Attributes:
        noise, lag, drift: times the sensor type's own; 0 for perfect ones.
        calibrations, stuck, dropouts: times per sensor and day. `dropout_min`: usual length of a dropout [min].
        calibrations_unflagged: share of the calibrations whose flag is not set.
        substation_outages, late_batches: times per substation and day.
        duplicates: share of the records that are sent twice.
        clock_skew_s: a substation's clock is off by at most so many whole seconds.
        cards_lost: share of the fixes that a snapshot lacks.
    """

    noise: float = 1.0
    lag: float = 1.0
    drift: float = 1.0
    calibrations: float = 0.07
    calibrations_unflagged: float = 0.0
    stuck: float = 0.01
    dropouts: float = 0.1
    dropout_min: float = 2.0
    substation_outages: float = 0.02
    duplicates: float = 0.001
    late_batches: float = 0.3
    clock_skew_s: int = 2
    cards_lost: float = 0.005


@dataclass(frozen=True)
class Wish:
    """An event as the scenario asks for it: when (share of the run), how long, where, what, and what it is true of."""

    at: tuple[float, float]
    minutes: tuple[float, float]
    place: str
    effects: Mapping[str, Mapping[str, tuple[float, float]]]
    truth: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One scenario file. `drives`: the indices that it takes to level 2 or more."""

    name: str
    about_zh: str
    about_en: str
    drives: tuple[str, ...] = ()
    events: tuple[Wish, ...] = ()
    instruments: Instrumental = field(default_factory=Instrumental)


@dataclass(frozen=True)
class Event:
    """An event with its place and time: seconds from the start of the run, unit = number of the face, heading …"""

    event_id: str
    onset_s: float
    end_s: float
    place: str
    unit: int
    effects: Mapping[str, Mapping[str, float]]
    truth: tuple[str, ...]


def scenario_names() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load_scenario(scenario: str | Path) -> Scenario:
    """A shipped scenario by its name, or one's own by its path.

    Raises:
        InputError: no such scenario, or a key or value in it that is none.
    """
    path = Path(scenario) if str(scenario).endswith((".yaml", ".yml")) else SHIPPED / f"{scenario}.yaml"
    if not path.is_file():
        wanted = ", ".join(scenario_names())
        raise InputError(f"expected a scenario file or one of {wanted}, got '{scenario}'; choose one of them")
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"{path}: expected YAML, got {str(error).splitlines()[0]}; mend that line") from None
    _expect_keys(path, given, Scenario, "scenario")
    events = tuple(_wish(path, wish) for wish in given.get("events") or ())
    instruments = given.get("instruments") or {}
    _expect_keys(path, instruments, Instrumental, "instruments")
    return Scenario(
        name=str(given["name"]),
        about_zh=given.get("about_zh", ""),
        about_en=given.get("about_en", ""),
        drives=tuple(given.get("drives") or ()),
        events=events,
        instruments=Instrumental(**instruments),
    )


def _expect_keys(path: Path, given: Any, kind: type, what: str) -> None:
    known = [item.name for item in fields(kind)]
    if not isinstance(given, dict) or set(given) - set(known):
        unknown = sorted(set(given) - set(known)) if isinstance(given, dict) else given
        raise InputError(f"{path}: expected {what} with {', '.join(known)}, got {unknown}; mend or remove it")


def _wish(path: Path, given: Any) -> Wish:
    _expect_keys(path, given, Wish, "an event")
    place = given.get("place")
    if place not in PLACES:
        raise InputError(f"{path}: expected place as one of {', '.join(PLACES)}, got {place!r}; mend it")
    effects: dict[str, dict[str, tuple[float, float]]] = {}
    for name, settings in (given.get("effects") or {}).items():
        if name not in EFFECTS or set(settings or {}) != set(EFFECTS[name]):
            wanted = "; ".join(f"{effect}: {', '.join(keys) or '{}'}" for effect, keys in EFFECTS.items())
            raise InputError(
                f"{path}: expected effects with their settings ({wanted}), got {name}: {settings}; mend it"
            )
        effects[name] = {key: _span(path, key, value) for key, value in (settings or {}).items()}
    at, minutes = _span(path, "at", given.get("at")), _span(path, "minutes", given.get("minutes"))
    return Wish(at, minutes, place, effects, tuple(given.get("truth") or ()))


def _span(path: Path, key: str, value: Any) -> tuple[float, float]:
    both = value if isinstance(value, list) else [value, value]
    if len(both) != 2 or not all(isinstance(number, int | float) for number in both):
        raise InputError(f"{path}: expected {key} as a number or [low, high], got {value!r}; mend it")
    return float(both[0]), float(both[1])


def place_events(scenario: Scenario, layout: Layout, seconds: float, rng: np.random.Generator) -> tuple[Event, ...]:
    """The scenario's events at a place and time drawn from the seed; two events share a place only where they must."""
    units = {
        "face": len(layout.faces),
        "gate": len(layout.faces),
        "goaf": sum(face.goaf is not None for face in layout.faces),
        "heading": len(layout.headings),
        "chamber": len(layout.index("chamber")),
        "mine": 1,
    }
    taken: dict[str, set[int]] = {}
    placed = []
    for number, wish in enumerate(scenario.events, start=1):
        free = [unit for unit in range(units[wish.place]) if unit not in taken.get(wish.place, set())]
        choice = free or list(range(units[wish.place]))
        if not choice:
            raise InputError(
                f"expected a mine with a {wish.place} for scenario {scenario.name}; give it more --roadways"
            )
        unit = int(rng.choice(choice))
        taken.setdefault(wish.place, set()).add(unit)
        onset = np.floor(seconds * rng.uniform(*wish.at) / 60) * 60
        length = min(60 * rng.uniform(*wish.minutes), LONGEST_SHARE * seconds)
        effects = {
            name: {key: float(rng.uniform(*span)) for key, span in settings.items()}
            for name, settings in wish.effects.items()
        }
        end = min(np.floor((onset + length) / 10) * 10, seconds)
        placed.append(Event(f"EV{number:02d}", float(onset), float(end), wish.place, unit, effects, wish.truth))
    return tuple(placed)


def active(events: Sequence[Event], effect: str, at_s: float) -> list[tuple[Event, Mapping[str, float]]]:
    """Events whose `effect` holds at an instant."""
    return [(e, e.effects[effect]) for e in events if effect in e.effects and e.onset_s <= at_s < e.end_s]
