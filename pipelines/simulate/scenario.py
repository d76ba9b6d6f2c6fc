"""What happens in a simulated mine: scenarios as YAML, and their events given a place and a time by the seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

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
    "pressure_front": ("pa_per_h", "goaf_gas_m3"),
    "choked_return": ("resistance_times",),
    "self_heating": ("hottest_c",),
    "belt_fire": ("growth_kw_s2", "most_kw"),
    "toxic": ("no2_ppm", "so2_ppm", "h2s_ppm", "nh3_ppm", "co2_pct", "co_ppm", "ramp_min"),
    "blast": ("times", "co_ppm", "no2_ppm", "fades_min"),
    "hot": ("warmer_k", "wetter_pct", "ramp_min"),
    "goaf_mix": ("ch4_pct", "o2_pct", "ramp_min"),
    "sealed_fire": ("ch4_pct", "o2_pct", "co_ppm", "warmer_k"),
    "stressed_coal": ("ratio",),
    "outburst_signs": ("times",),
    "inrush": ("times", "fall_m", "growth_per_h"),
    "pumping_test": ("fall_m",),
    "rainstorm": ("mm",),
    "pool_rise": ("m",),
    "phreatic_rise": ("m",),
    "dam_creep": ("mm_d",),
    "slope_failure": ("fastest_mm_d",),
    "slope_jolt": ("mm",),
    "weighting": ("k_d",),
    "stress_rise": ("mpa_d",),
    "bolt_load": ("kn_d",),
    "roof_separation": ("mm_d",),
    "rockburst": ("lg_energy",),
    "quiet": ("share",),
    "resistance_drift": ("times",),
    "fan_surge": ("flow_share",),
    "belt_slip": ("share",),
    "bearing_fault": ("mm_s", "warmer_k"),
    "phase_unbalance": ("share",),
    "hidden_danger": ("due_days",),
}
# What an event is called in the truth, by the first of these effects that it has.
TYPES = {
    "rockburst": "rockburst", "inrush": "inrush", "slope_failure": "slope_failure", "belt_fire": "fire",
    "self_heating": "heating", "sealed_fire": "fire", "heating": "heating",
    "pool_rise": "dam_level", "phreatic_rise": "dam_level", "dam_creep": "dam_level",
    "weighting": "roof_weighting", "roof_separation": "roof_weighting",
    "stress_rise": "rockburst", "stressed_coal": "rockburst",
    "outburst_signs": "outburst",
    "methane": "gas_exceed", "goaf_mix": "gas_exceed", "doors_open": "door_open",
    "fan_stop": "fan_fault", "duct_leak": "fan_fault", "main_fan_trip": "fan_fault", "fan_surge": "fan_fault",
    "choked_return": "fan_fault", "resistance_drift": "fan_fault", "blockage": "fan_fault", "narrowing": "fan_fault",
    "belt_slip": "belt_slip", "bearing_fault": "bearing_fault", "phase_unbalance": "bearing_fault",
    "crowd": "overcrowd", "gathering": "gathering", "intrusion": "intrusion", "overtime": "overtime",
    "hidden_danger": "hidden_danger",
    "blast": "blast", "pressure_front": "pressure_front", "rainstorm": "rain",
}  # fmt: skip
PLACES = (
    "face", "heading", "chamber", "gate", "goaf", "mine", "belt", "water", "dam", "slope", "main_fan", "pump",
)  # fmt: skip
# Slopes and observation holes have so many places at which something may happen.
SLOPE_PLACES, WATER_PLACES = 4, 4
# Feeds that a mine may send, each with its usual seconds from sample to sample and from file to file.
FEEDS: dict[str, tuple[int, int]] = {
    "safety": (30, 30),
    "positioning": (60, 60),
    "hydrology": (300, 300),
    "ground_pressure": (60, 60),
    "seismic": (60, 60),
    "tailings": (300, 300),
    "slope": (3600, 3600),
    "equipment": (30, 30),
    "vehicles": (60, 60),
    "records": (3600, 3600),
}
USUAL_FEEDS = ("safety", "positioning")  # their files come as the standard has it: no other seconds


@dataclass(frozen=True)
class Instrumental:
    """How imperfect the instruments are.

    Attributes:
        noise, lag, drift: times the sensor type's own; 0 for perfect ones.
        calibrations, stuck, dropouts, drifts, offset_jumps, spikes: times per sensor and day. `dropout_min`: usual
            length of a dropout [min]; a drift is the slow loss of a poisoned sensor's gain.
        calibrations_unflagged: share of the calibrations whose flag is not set.
        substation_outages, late_batches: times per substation and day.
        duplicates: share of the records that are sent twice.
        clock_skew_s: a substation's clock is off by at most so many whole seconds; `clocks_wrong`: share of them that
            are off by minutes.
        swapped: share of the substations at which two sensors of one kind have changed places.
        cards_lost: share of the fixes that a snapshot lacks.
        unsurveyed: share of the points whose definition has no coordinates.
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
    unsurveyed: float = 0.15
    drifts: float = 0.0
    offset_jumps: float = 0.0
    spikes: float = 0.0
    clocks_wrong: float = 0.0
    swapped: float = 0.0


@dataclass(frozen=True)
class Emission:
    """How the gas of faces and headings changes.

    Attributes:
        slow: deviation of its logarithm by geology and the face's position, which changes over `slow_h` hours.
        cut: share that cut coal gives, times the usual one.
    """

    slow: float = 0.0
    slow_h: float = 12.0
    cut: float = 1.0


@dataclass(frozen=True)
class Wish:
    """An event as the scenario asks for it: when (share of the run), how long, where, what, and what it is true of.

    Attributes:
        truth: indices that must find it. `may`: indices that may find it, too.
        times: so often, each time drawn anew.
        precursor: share of such events that announce themselves, and for how many hours; null where none does.
        look_alike: it only looks like a hazard.
        severity: 1 slight … 4 grave; 0 for what is none.
        cause: what brought it about, in a word.
    """

    at: tuple[float, float]
    minutes: tuple[float, float]
    place: str
    effects: Mapping[str, Mapping[str, tuple[float, float]]]
    truth: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    times: int = 1
    precursor: tuple[float, tuple[float, float]] | None = None
    look_alike: bool = False
    severity: int = 2
    cause: str = ""


@dataclass(frozen=True)
class Feed:
    """How often a feed has a sample, and how often it sends a file [s]."""

    period_s: int
    file_s: int


@dataclass(frozen=True)
class Scenario:
    """One scenario file.

    Attributes:
        drives: the indices that it takes to level 2 or more.
        feeds: what the mine sends. `sensors`: sets of sensors beside the usual ones, of `points.SENSORS`.
        hours, roadways, people: of the run that shows it, where the caller asks for no others.
    """

    name: str
    about_zh: str
    about_en: str
    drives: tuple[str, ...] = ()
    events: tuple[Wish, ...] = ()
    instruments: Instrumental = field(default_factory=Instrumental)
    feeds: Mapping[str, Feed] = field(default_factory=lambda: {name: Feed(*FEEDS[name]) for name in USUAL_FEEDS})
    sensors: tuple[str, ...] = ()
    emission: Emission = field(default_factory=Emission)
    hours: float = 8.0
    roadways: int = 60
    people: int = 200


@dataclass(frozen=True)
class Event:
    """An event with its place and time: seconds from the start of the run, unit = number of the face, heading …

    `precursor_s`: it announces itself so long before its onset; 0 where it comes without warning.
    """

    event_id: str
    onset_s: float
    end_s: float
    place: str
    unit: int
    effects: Mapping[str, Mapping[str, float]]
    truth: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    precursor_s: float = 0.0
    is_look_alike: bool = False
    severity: int = 2
    cause: str = ""

    @property
    def kind(self) -> str:
        """What the truth calls it; the name of its first effect where it has no name of its own."""
        return next((name for effect, name in TYPES.items() if effect in self.effects), next(iter(self.effects), ""))


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
    emission = given.get("emission") or {}
    _expect_keys(path, emission, Emission, "emission")
    return Scenario(
        name=str(given["name"]),
        about_zh=given.get("about_zh", ""),
        about_en=given.get("about_en", ""),
        drives=tuple(given.get("drives") or ()),
        events=events,
        instruments=Instrumental(**instruments),
        feeds=_feeds(path, given.get("feeds") or list(USUAL_FEEDS)),
        emission=Emission(**emission),
        sensors=tuple(given.get("sensors") or ()),
        **{name: given[name] for name in ("hours", "roadways", "people") if name in given},
    )


def _feeds(path: Path, given: Any) -> dict[str, Feed]:
    """The mine's feeds: names, or name: seconds per sample, or name: [seconds per sample, seconds per file]."""
    asked = dict.fromkeys(given) if isinstance(given, list) else given
    feeds = {}
    for name, value in asked.items():
        both: list[Any] = value if isinstance(value, list) and len(value) == 2 else [value, value]
        period_s, file_s = FEEDS[name] if value is None and name in FEEDS else both
        whole = all(isinstance(each, int) and each > 0 for each in (period_s, file_s))
        fixed = name in USUAL_FEEDS and (period_s, file_s) != FEEDS[name]
        if name not in FEEDS or not whole or file_s % period_s or fixed:
            raise InputError(
                f"{path}: expected feeds ({', '.join(FEEDS)}) with whole seconds per sample, or [per sample, per file] "
                f"that divide (safety and positioning by their names alone), got {name}: {value}; mend it"
            )
        feeds[name] = Feed(period_s, file_s)
    return feeds


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
    before = given.get("precursor")
    if before is not None and (not isinstance(before, dict) or set(before) != {"share", "hours"}):
        raise InputError(f"{path}: expected precursor with share and hours, got {before}; mend it")
    return Wish(
        at,
        minutes,
        place,
        effects,
        truth=tuple(given.get("truth") or ()),
        may=tuple(given.get("may") or ()),
        times=int(given.get("times", 1)),
        precursor=None if before is None else (float(before["share"]), _span(path, "hours", before["hours"])),
        look_alike=bool(given.get("look_alike", False)),
        severity=int(given.get("severity", 2)),
        cause=str(given.get("cause", "")),
    )


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
        "belt": len(layout.index("belt")),
        "slope": SLOPE_PLACES,
        "water": WATER_PLACES,
    }
    taken: dict[str, set[int]] = {}
    placed = []
    for number, wish in enumerate((each for each in scenario.events for _ in range(each.times)), start=1):
        places = units.get(wish.place, 1)
        free = [unit for unit in range(places) if unit not in taken.get(wish.place, set())]
        choice = free or list(range(places))
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
        event = Event(f"EV{number:02d}", float(onset), float(end), wish.place, unit, effects, wish.truth, wish.may,
                      is_look_alike=wish.look_alike, severity=wish.severity, cause=wish.cause)  # fmt: skip
        placed.append(_announced(event, wish, rng))
    return tuple(placed)


def _announced(event: Event, wish: Wish, rng: np.random.Generator) -> Event:
    """The event with what comes before it, where it does."""
    if wish.precursor is None:
        return event
    share, hours = wish.precursor
    announces, lasts_s = rng.random() < share, 3600 * float(rng.uniform(*hours))
    return replace(event, precursor_s=min(lasts_s, event.onset_s) if announces else 0.0)


def grown(event: Event, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of its full size that an event has: it grows over its first half and recedes as fast after its end."""
    half = max((event.end_s - event.onset_s) / 2, 1.0)
    return np.clip(np.minimum((at_s - event.onset_s) / half, 1 - (at_s - event.end_s) / half), 0, 1)


def active(events: Sequence[Event], effect: str, at_s: float) -> list[tuple[Event, Mapping[str, float]]]:
    """Events whose `effect` holds at an instant."""
    return [(e, e.effects[effect]) for e in events if effect in e.effects and e.onset_s <= at_s < e.end_s]
