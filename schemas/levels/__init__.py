"""The steps of the hazard levels as rows: the values at which a level begins, with source and confidence.

A step that is no law is advisory, and a mine may set its own in its site file. A new step is a new cell in a CSV here.
"""

from __future__ import annotations

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
    """

    index_id: str
    scope: str
    comparison: str
    blue: float | None
    yellow: float | None
    orange: float | None
    red: float | None
    unit: str | None
    source: str
    confidence: str
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
        unit=row["unit"],
        source=row["source"] or "",
        confidence=row["confidence"] or "",
        note=row["note"],
    )
    if steps.comparison not in COMPARISONS or steps.confidence not in CONFIDENCES or not steps.source:
        raise InputError(
            f"schemas/levels: expected a comparison of {', '.join(COMPARISONS)}, a confidence of "
            f"{', '.join(CONFIDENCES)} and a source for {steps.index_id} '{steps.scope}', got "
            f"'{steps.comparison}', '{steps.confidence}', '{steps.source}'; mend the row"
        )
    return steps
