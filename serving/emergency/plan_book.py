"""Structured plans: read from YAML, and ranked for what happens where and how badly, with the reasons said.

Those that come with the project are start values of our own. A mine lays its own beside its site file, as
`<mine>.plans.yaml`; they go before ours wherever they fit as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from minefusion.schemas.catalog import site_path
from minefusion.schemas.declared import read_yaml, refuse
from minefusion.schemas.site import AreaKind
from minefusion.serving.alarms.classes import CHANNELS
from minefusion.serving.emergency.kinds import kinds
from minefusion.serving.text import Text

FORMAT = 1
MILDEST, WORST = 1, 4
_SHIPPED = Path(__file__).parent / "plans"


@dataclass(frozen=True)
class Step:
    """What somebody is to do, and within how many minutes of the declaration; null: no clock."""

    step_id: str
    who_zh: str
    who_en: str
    zh: str
    en: str
    within_min: float | None = None


@dataclass(frozen=True)
class PlannedMessage:
    """Whom to tell what, by which channel. `{place}`, `{what}`, `{people}` and `{time}` are filled in."""

    channel: str
    to_zh: str
    to_en: str
    zh: str
    en: str


@dataclass(frozen=True)
class Plan:
    """What to do in emergencies of these kinds, at these kinds of places, of such severity.

    Attributes:
        kinds: empty: any kind, where no other plan is written for it.
        places: kinds of areas; empty: anywhere.
        source, confidence: where it comes from, and how far it may be relied on.
    """

    plan_id: str
    zh: str
    en: str
    steps: tuple[Step, ...]
    kinds: tuple[str, ...] = ()
    places: tuple[AreaKind, ...] = ()
    severity_from: int = MILDEST
    severity_to: int = WORST
    messages: tuple[PlannedMessage, ...] = ()
    source: str = ""
    confidence: str = "convention"


@dataclass(frozen=True)
class PlanBook:
    """A file of plans."""

    plans: tuple[Plan, ...]
    format: int = FORMAT


@dataclass(frozen=True)
class Matched:
    """A plan that may be gone by, and why it stands where it stands."""

    plan: Plan
    is_own: bool
    reasons: tuple[Text, ...]


def plans_of(lake: Path, mine_code: str) -> tuple[tuple[Plan, ...], frozenset[str]]:
    """All plans that hold for a mine, and which of them are its own. One of its own replaces ours of the same id.

    Raises:
        InputError: the mine's file is none: its line, what was expected and what came.
    """
    path = site_path(lake, mine_code).with_name(f"{mine_code}.plans.yaml")
    own = read_plans(path) if path.is_file() else ()
    names = frozenset(each.plan_id for each in own)
    return (*own, *(each for each in shipped() if each.plan_id not in names)), names


@cache
def shipped() -> tuple[Plan, ...]:
    """The plans that come with the project."""
    return tuple(plan for path in sorted(_SHIPPED.glob("*.yaml")) for plan in read_plans(path))


def read_plans(path: Path) -> tuple[Plan, ...]:
    """The plans of a file, checked.

    Raises:
        InputError: file, line, what was expected, what came and what to do.
    """
    book, lines = read_yaml(path, PlanBook, "plans")
    if book.format != FORMAT:
        refuse(path, 1, f"expected format {FORMAT}, got {book.format}; use a file of this version")
    seen: set[str] = set()
    for plan in book.plans:
        at = lines[id(plan)]
        unknown = [each for each in plan.kinds if each not in kinds()]
        if unknown:
            refuse(path, at, f"expected kinds as {', '.join(kinds())}, got '{unknown[0]}'; mend it")
        if not MILDEST <= plan.severity_from <= plan.severity_to <= WORST:
            told = f"{plan.severity_from} to {plan.severity_to}"
            refuse(path, at, f"expected a severity from {MILDEST} up to {WORST}, got {told} in {plan.plan_id}; mend it")
        if not plan.steps:
            refuse(path, at, f"expected steps in {plan.plan_id}, got none; write them")
        if plan.plan_id in seen:
            refuse(path, at, f"expected every plan_id once, got '{plan.plan_id}' again; rename one")
        seen.add(plan.plan_id)
        names: set[str] = set()
        for step in plan.steps:
            if step.step_id in names:
                refuse(path, lines[id(step)], f"expected every step_id once, got '{step.step_id}' again; rename one")
            names.add(step.step_id)
        for message in plan.messages:
            if message.channel not in CHANNELS:
                known = ", ".join(CHANNELS)
                refuse(
                    path, lines[id(message)], f"expected a channel, one of {known}, got '{message.channel}'; mend it"
                )
    return book.plans


def matched(
    plans: Sequence[Plan], own: frozenset[str], kind: str, place_kind: str | None, severity: int
) -> list[Matched]:
    """The plans for such an emergency, the best first: by kind, then place, then severity, a mine's own before ours.

    Args:
        own: ids of the mine's own plans.
        place_kind: kind of the area; null where it is not known.
    """
    fitting = [each for each in plans if kind in each.kinds or not each.kinds]
    ranked = sorted(
        fitting,
        key=lambda plan: (
            not plan.kinds,
            _place(plan, place_kind)[0],
            _severity(plan, severity)[0],
            plan.plan_id not in own,
            plan.plan_id,
        ),
    )
    return [
        Matched(
            plan,
            plan.plan_id in own,
            (_kind(plan, kind), _place(plan, place_kind)[1], _severity(plan, severity)[1])
            + ((Text("本矿自己的预案", "the mine's own plan"),) if plan.plan_id in own else ()),
        )
        for plan in ranked
    ]


def _kind(plan: Plan, kind: str) -> Text:
    if plan.kinds:
        return Text("针对：", "written for: ") + kinds()[kind]
    return Text("通用预案，不针对此类险情", "a general plan, not written for this kind")


def _place(plan: Plan, place_kind: str | None) -> tuple[int, Text]:
    if place_kind is not None and place_kind in plan.places:
        return 0, Text("地点类型相符", "written for such a place")
    if not plan.places:
        return 1, Text("适用任何地点", "for any place")
    if place_kind is None:
        return 2, Text("地点类型不明，须自行判断", "the kind of place is not known: judge yourself")
    return 3, Text("原为其他地点编写", "written for other places")


def _severity(plan: Plan, severity: int) -> tuple[int, Text]:
    """A plan for lesser ones is further off than one for graver ones: better too much is done than too little."""
    if severity < plan.severity_from:
        return plan.severity_from - severity, Text("原为更严重情形编写", "written for graver ones")
    if severity > plan.severity_to:
        text = Text("原为较轻情形编写，可能不足", "written for lesser ones: may not be enough")
        return WORST + severity - plan.severity_to, text
    return 0, Text("严重程度相符", "written for this severity")
