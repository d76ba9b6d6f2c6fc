"""What the value fields of the feed families measure: quantity, unit and the table that holds them, as data.

One row of `measures.csv` per value field. `*` stands for each prefix of key equipment, as in `kinds.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from minefusion.schemas.exchange.grammar import PACKAGE, dictionary, equipment_prefixes
from minefusion.schemas.facts import cells
from minefusion.schemas.sensors import SensorType, sensor_type


@dataclass(frozen=True)
class Measure:
    """One value field of a file kind.

    Attributes:
        column: the field's name in the layout.
        types: the sensor types that it may be of, the usual one first; none: the point's definition says it.
        unit: in which it is sent; null where the point's definition says it, and for a bare number.
        table: name of the silver table that holds the values.
        defined_by: file kind that defines the points; '' where none does.
    """

    kind: str
    column: str
    types: tuple[SensorType, ...]
    unit: str | None
    table: str
    defined_by: str
    confidence: str

    @property
    def is_of_point(self) -> bool:
        """The point's definition says which quantity it is; there is no such choice where the field has one type."""
        return len(self.types) != 1

    @property
    def factor(self) -> float | None:
        """Sent value × factor = value in the usual type's unit."""
        return self.types[0].factor_from(self.unit) if self.types else None


@cache
def measures() -> tuple[Measure, ...]:
    """Every measure, as listed; those of key equipment once per prefix."""
    return tuple(
        Measure(
            kind=row["kind"].replace("*", prefix),
            column=row["column"],
            types=tuple(filter(None, map(sensor_type, row["sensor_type"].split()))),
            unit=row["unit"] or None,
            table=row["table"],
            defined_by=row["defined_by"].replace("*", prefix),
            confidence=row["confidence"],
        )
        for row in cells("measures", PACKAGE)
        for prefix in (equipment_prefixes() if row["kind"].startswith("*") else ("",))
    )


@cache
def equipment_kinds() -> dict[str, str]:
    """Prefix → kind of equipment, in the words of silver.equipment_state."""
    systems = dictionary("system_code").values()
    return {term.means: term.en.replace(" ", "_") for term in systems if term.means}


@cache
def usual_measures() -> dict[str, Measure]:
    """The first measure of the points that a definition kind, or a kind of values without one, tells of."""
    found: dict[str, Measure] = {}
    for measure in measures():
        found.setdefault(measure.kind, measure)
        if measure.defined_by:
            found.setdefault(measure.defined_by, measure)
    return found
