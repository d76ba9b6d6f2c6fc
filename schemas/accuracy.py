"""What an instrument may err and how often it is calibrated: a sensor is faulty where it errs by more.

No row is law by standing here; each says where it was taken from and how far that is to be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from minefusion.schemas.facts import number, rows


@dataclass(frozen=True)
class Accuracy:
    """Accuracy of the sensors of one quantity; of one sensor type where `sensor_type` is not ''.

    Attributes:
        scale: sensors in one air agree in their `ratio` (a share is lost on the way, as a catalyst that ages loses it)
            or in their `difference` (the zero wanders).
        zero: values far under it say nothing about a ratio; null for `difference`.
        error_abs, error_share: greatest error in `unit`, and as a share of the value; the greater of them counts.
        seen_abs, seen_share: departure from the neighbours that is told, in the same way.
        pulse: least height of a test-gas pulse [unit]; null where none is used.
        calibrated_every_d: longest time between calibrations [d]; null where no rule is known.
    """

    quantity: str
    sensor_type: str
    unit: str
    scale: Literal["ratio", "difference"]
    zero: float | None
    error_abs: float
    error_share: float
    seen_abs: float
    seen_share: float
    pulse: float | None
    calibrated_every_d: float | None
    source: str
    confidence: str
    note: str | None

    @property
    def danger(self) -> int:
        """Side on which the danger lies: 1 above, -1 below, 0 neither."""
        return {"o2": -1, "air_velocity": 0}.get(self.quantity, 1)

    def error(self, value: float) -> float:
        """Greatest error at a value, in `unit`."""
        return max(self.error_abs, self.error_share * abs(value))

    def departure(self, value: float) -> float:
        """Departure from what neighbours lead one to expect that is told, in `unit`."""
        return max(self.seen_abs, self.seen_share * abs(value))


@cache
def all_accuracies() -> tuple[Accuracy, ...]:
    """Every row, as listed."""
    return tuple(_read(row) for row in rows("accuracy"))


def accuracy_of(quantity: str | None, sensor_type: str | None) -> Accuracy | None:
    """That of the sensor's own type, else of its quantity; None where neither has a row."""
    of_quantity = [row for row in all_accuracies() if row.quantity == quantity]
    own = [row for row in of_quantity if row.sensor_type == sensor_type]
    return next(iter([*own, *(row for row in of_quantity if not row.sensor_type)]), None)


def _read(row: dict[str, str | None]) -> Accuracy:
    scale: Literal["ratio", "difference"] = "ratio" if row["scale"] == "ratio" else "difference"
    assert row["scale"] == scale
    amounts = {name: number(row[name]) for name in ("error_abs", "error_share", "seen_abs", "seen_share")}
    known = {name: amount for name, amount in amounts.items() if amount is not None}
    assert known.keys() == amounts.keys()
    return Accuracy(
        quantity=row["quantity"] or "",
        sensor_type=row["sensor_type"] or "",
        unit=row["unit"] or "",
        scale=scale,
        zero=number(row["zero"]),
        **known,
        pulse=number(row["pulse"]),
        calibrated_every_d=number(row["calibrated_every_d"]),
        source=row["source"] or "",
        confidence=row["confidence"] or "",
        note=row["note"],
    )
