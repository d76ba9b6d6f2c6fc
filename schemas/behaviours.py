"""Unsafe behaviours on video, declared as data: the rules of behaviours.yaml, read and checked.

A behaviour is a tree of conditions over one person, one zone or one camera. What the conditions find, and the words for
it, is `models/unsafe_behaviour/rules.py`; here stands only what may be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from minefusion.schemas.declared import read_yaml, refuse
from minefusion.schemas.site_cameras import LineKind, ZoneKind

Machine = Literal["running", "any"]
# What a detector may say of a person's head and body.
Wearing = Literal["helmet", "bare_head", "vest", "no_vest"]


@dataclass(frozen=True)
class InView:
    """Tall enough in the picture to be judged [share of its height], and not cut off by its edge [share]."""

    height_at_least: float
    clear_of_edge: float = 0.004


@dataclass(frozen=True)
class Wears:
    """The detector sees `label` on the person, at least so surely, and more surely than `rather_than`."""

    label: Wearing
    rather_than: Wearing
    at_least: float


@dataclass(frozen=True)
class InZone:
    """The feet stand in a zone of this kind, while its hours hold; with `running`, while its machine runs.

    A machine of which nothing is known counts as running.
    """

    kind: ZoneKind
    machine: Machine = "any"


@dataclass(frozen=True)
class Crosses:
    """The feet pass a line of this kind in its forbidden way, from beyond its dead band to beyond it."""

    kind: LineKind
    machine: Machine = "any"


@dataclass(frozen=True)
class Moves:
    """How fast the person goes [m/s]: in any way, or along or against the way of the zone of `kind` they stand in."""

    way: Literal["any", "along", "against"] = "any"
    kind: ZoneKind | None = None
    at_least_m_s: float | None = None
    at_most_m_s: float | None = None


@dataclass(frozen=True)
class Lies:
    """The body lies, by its pose or, without one, by its outline; at least so surely, 0 to 1."""

    at_least: float


@dataclass(frozen=True)
class Stays:
    """The person has been within so many metres of one place for so long."""

    within_m: float
    seconds: float


@dataclass(frozen=True)
class People:
    """How many people stand in the zone; `over_cap` compares with the zone's own cap."""

    at_least: int | None = None
    at_most: int | None = None
    over_cap: bool = False


@dataclass(frozen=True)
class CountDiffers:
    """People in the picture and by positioning differ by more than this share of the larger, rounded up, and by at
    least so many."""

    share: float
    at_least: int


@dataclass(frozen=True)
class Lasting:
    """`when` holds now, and did so in `share` of the pictures of the last `seconds`."""

    seconds: float
    share: float
    when: Condition


@dataclass(frozen=True)
class Confirmed:
    """`when` holds now, and did so in `pictures` of the last `of` pictures."""

    pictures: int
    of: int
    when: Condition


@dataclass(frozen=True)
class Condition:
    """One condition: exactly one of these is given."""

    all_of: tuple[Condition, ...] = ()
    any_of: tuple[Condition, ...] = ()
    lasting: Lasting | None = None
    confirmed: Confirmed | None = None
    in_view: InView | None = None
    wears: Wears | None = None
    in_zone: InZone | None = None
    crosses: Crosses | None = None
    moves: Moves | None = None
    lies: Lies | None = None
    stays: Stays | None = None
    people: People | None = None
    count_differs: CountDiffers | None = None

    @property
    def kind(self) -> str:
        """The name of the one that is given."""
        return next(name for name in _KINDS if getattr(self, name))

    @property
    def parts(self) -> tuple[Condition, ...]:
        """The conditions inside."""
        inner = getattr(self, self.kind)
        if isinstance(inner, tuple):
            return inner
        return (inner.when,) if isinstance(inner, Lasting | Confirmed) else ()


_KINDS = tuple(field.name for field in fields(Condition))
# Which conditions fit which subject.
_OF = {
    "person": {"in_view", "wears", "in_zone", "crosses", "moves", "lies", "stays"},
    "zone": {"people"},
    "camera": {"count_differs"},
}
_JOINS = {"all_of", "any_of", "lasting", "confirmed"}


@dataclass(frozen=True)
class Behaviour:
    """One unsafe behaviour.

    Attributes:
        event_type: code of the event list, V101 … V501.
        level: 1 blue … 4 red.
        of: about whom it is; with `zone`, each zone of the kind `zone`.
        ends_after_s: it is over when the condition has not held for so long.
        cool_down_s: after it is over the same subject raises it again no sooner.
        where_named: it holds only at cameras that name it, for it makes sense at few.
        source, confidence: where its numbers come from: confirmed, inferred or convention.
    """

    code: str
    event_type: str
    level: int
    zh: str
    en: str
    of: Literal["person", "zone", "camera"]
    when: Condition
    source: str
    confidence: Literal["confirmed", "inferred", "convention"]
    zone: ZoneKind | None = None
    ends_after_s: float = 2.0
    cool_down_s: float = 30.0
    where_named: bool = False


@dataclass(frozen=True)
class BehaviourFile:
    behaviours: tuple[Behaviour, ...]


def load_behaviours(path: Path) -> tuple[Behaviour, ...]:
    """The behaviours that a file declares.

    Raises:
        InputError: file, line, what was expected, what came and what to do.
    """
    read, lines = read_yaml(path, BehaviourFile, "behaviours")

    def complain(thing: Any, problem: str) -> None:
        refuse(path, lines[id(thing)], problem)

    seen: set[str] = set()
    for each in read.behaviours:
        if each.code in seen:
            complain(each, f"expected every behaviour once, got '{each.code}' again; rename or remove one")
        seen.add(each.code)
        _check(each, complain)
    return read.behaviours


# In a camera's list: every behaviour but those that hold only where they are named.
ALL = "all"


def at_camera(behaviours: Iterable[Behaviour], named: Collection[str] | None) -> tuple[Behaviour, ...]:
    """Those of the behaviours that hold at a camera, by the list that it has; null is ALL."""
    named = (ALL,) if named is None else named
    return tuple(each for each in behaviours if each.code in named or (ALL in named and not each.where_named))


@cache
def all_behaviours() -> tuple[Behaviour, ...]:
    """The behaviours of this project."""
    return load_behaviours(Path(str(files("minefusion.schemas").joinpath("behaviours.yaml"))))


def conditions(root: Condition) -> Iterator[Condition]:
    """A condition and all that it is made of."""
    yield root
    for part in root.parts:
        yield from conditions(part)


def _check(behaviour: Behaviour, complain: Callable[[Any, str], None]) -> None:
    code = behaviour.code
    if not 1 <= behaviour.level <= 4:
        complain(behaviour, f"expected level 1 to 4 in {code}, got {behaviour.level}; mend it")
    if (behaviour.of == "zone") != (behaviour.zone is not None):
        complain(behaviour, f"expected 'zone' in {code} if and only if it is 'of: zone'; add or remove it")
    _check_condition(behaviour, behaviour.when, complain)


def _check_condition(behaviour: Behaviour, condition: Condition, complain: Callable[[Any, str], None]) -> None:
    code = behaviour.code
    given = [name for name in _KINDS if getattr(condition, name)]
    if len(given) != 1:
        got = ", ".join(given) or "none"
        complain(condition, f"expected exactly one condition here in {code}, got {got}; join several by all_of")
    if given[0] not in _JOINS | _OF[behaviour.of]:
        allowed = ", ".join(sorted(_JOINS | _OF[behaviour.of]))
        complain(condition, f"expected one of {allowed} about a {behaviour.of} in {code}, got {given[0]}; mend it")
    if condition.lasting and not (condition.lasting.seconds > 0 and 0 < condition.lasting.share <= 1):
        complain(condition, f"expected seconds above 0 and a share in (0, 1] under lasting in {code}; mend them")
    if condition.confirmed and not 1 <= condition.confirmed.pictures <= condition.confirmed.of:
        complain(condition, f"expected 1 ≤ pictures ≤ of under confirmed in {code}; mend them")
    if condition.moves and condition.moves.way != "any" and condition.moves.kind is None:
        complain(condition, f"expected the 'kind' of zone whose way is meant under moves in {code}; add it")
    for part in condition.parts:
        _check_condition(behaviour, part, complain)
