"""The steps of the hazard levels as rows: the values at which a level begins, with source and confidence.

A step that is no law is advisory, and a mine may set its own in its site file; one that is law it may only tighten. A
new step is a new cell in a CSV here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from minefusion.schemas.errors import InputError
from minefusion.schemas.facts import number, rows

if TYPE_CHECKING:
    from minefusion.schemas.site import Site, SiteLevel

SUBJECTS = (
    "gas", "fire", "ventilation", "toxic", "heat", "rock", "water", "slope", "equipment", "people", "composite",
)  # fmt: skip
COMPARISONS = (">=", ">", "<", "<=")
MAY = ("set", "tighten", "nothing")
CONFIDENCES = ("confirmed", "inferred", "convention", "advisory")
OF_THE_MINE = "mine"
NAMES = ("blue", "yellow", "orange", "red")


@dataclass(frozen=True)
class Steps:
    """Where the levels of one index begin, in `unit`; a step that is null does not exist.

    Attributes:
        scope: class of place or machine that the steps hold for; '' where one set holds for all.
        comparison: how a value stands to a step when its level begins.
        confidence: confirmed (read in a source), inferred (recalled, not read again), convention, advisory (own start
            values, to be replaced by the site's), or mine (the site file's own).
        mine_may: what a mine may do with them in its site file: set its own, only tighten them (they are law, or a
            standard that stands for it), or nothing (they are part of what the index is).
    """

    index_id: str
    scope: str
    comparison: str
    blue: float | None
    yellow: float | None
    orange: float | None
    red: float | None
    unit: str
    source: str
    confidence: str
    mine_may: str
    note: str | None


@cache
def all_steps() -> tuple[Steps, ...]:
    """Every set of steps, as listed."""
    return tuple(_read(row) for subject in SUBJECTS for row in rows(f"levels/{subject}"))


@cache
def steps_of(index_id: str) -> tuple[Steps, ...]:
    """The sets of steps of one index, one a scope. Raises InputError where there is none."""
    found = tuple(each for each in all_steps() if each.index_id == index_id)
    if not found:
        raise InputError(f"expected an index with rows in schemas/levels, got '{index_id}'; add its rows there")
    return found


def listed_step(index_id: str, level: str, scope: str = "") -> float:
    """One listed step: where `level` (blue, yellow, orange or red) begins. Raises InputError where there is none."""
    found = next((getattr(each, level) for each in steps_of(index_id) if each.scope == scope), None)
    if found is None:
        raise InputError(f"expected a {level} step of {index_id} '{scope}' in schemas/levels, got none; add it there")
    return float(found)


def steps_at(index_id: str, site: Site | None) -> tuple[Steps, ...]:
    """The same as one mine has them: what its site file sets comes before what is listed."""
    own = {each.scope: each for each in site.levels if each.index_id == index_id} if site else {}
    return tuple(_of_the_mine(each, own[each.scope]) if each.scope in own else each for each in steps_of(index_id))


def check_own(site: Site, complain: Callable[[SiteLevel, str], None]) -> None:
    """What must hold of a mine's own levels: they exist, follow each other, and none is laxer than the law."""
    for own in site.levels:
        of_index = {each.scope: each for each in all_steps() if each.index_id == own.index_id}
        name = f"{own.index_id} '{own.scope}'" if own.scope else own.index_id
        listed = of_index.get(own.scope)
        if listed is None:
            scopes = ", ".join(f"'{scope}'" for scope in of_index) or "none: no such index has levels"
            complain(own, f"expected levels of an index and scope that are listed ({scopes}), got {name}; mend it")
            continue
        if listed.mine_may == "nothing":
            complain(own, f"expected no own levels of {name}: its steps are what it is defined by; remove them")
        steps = [value for value in (getattr(own, each) for each in NAMES) if value is not None]
        rises = listed.comparison in (">=", ">")
        if not steps or steps != sorted(steps, reverse=not rises):
            order = "rise" if rises else "fall"
            complain(own, f"expected steps of {name} that {order} from blue to red, got {steps}; mend them")
        for each in NAMES if listed.mine_may == "tighten" else ():
            law, value = getattr(listed, each), getattr(own, each)
            if law is not None and (value is None or (value > law if rises else value < law)):
                most = "most" if rises else "least"
                complain(
                    own,
                    f"expected {each} of {name} at {law:g} {listed.unit} at {most} (law: {listed.source}), got "
                    f"{value}; a mine may tighten it and not relax it",
                )


def as_row(steps: Steps) -> dict[str, Any]:
    """A row of reference.index_level."""
    return asdict(steps)


def _of_the_mine(listed: Steps, own: SiteLevel) -> Steps:
    values = {name: getattr(own, name) for name in NAMES}
    return Steps(**(asdict(listed) | values | {"source": own.source, "confidence": OF_THE_MINE, "note": None}))


def _read(row: dict[str, str | None]) -> Steps:
    steps = Steps(
        index_id=row["index_id"] or "",
        scope=row["scope"] or "",
        comparison=row["comparison"] or "",
        **{name: number(row[name]) for name in NAMES},
        unit=row["unit"] or "",
        source=row["source"] or "",
        confidence=row["confidence"] or "",
        mine_may=row["mine_may"] or "",
        note=row["note"],
    )
    if (
        steps.comparison not in COMPARISONS
        or steps.confidence not in CONFIDENCES
        or steps.mine_may not in MAY
        or not (steps.source and steps.unit)
    ):
        raise InputError(
            f"schemas/levels: expected a comparison of {', '.join(COMPARISONS)}, a confidence of "
            f"{', '.join(CONFIDENCES)}, mine_may of {', '.join(MAY)}, a unit and a source for {steps.index_id} "
            f"'{steps.scope}', got '{steps.comparison}', '{steps.confidence}', '{steps.mine_may}', '{steps.unit}', "
            f"'{steps.source}'; mend the row"
        )
    return steps
