"""What gold found beside what is true of a simulated run: found, missed, or found where there was nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from minefusion.pipelines.conform import abnormalities
from minefusion.schemas.errors import InputError

Row = Mapping[str, Any]

# An alarm may come so much before or after what it is about: clocks differ, and an index looks back over minutes.
SLACK = timedelta(minutes=5)
# From this level on an index raises an alarm; what stays below is found among its windows.
ALARMS_FROM = 3
# Kinds of gold.alarm that repeat what the mine's own systems report begin so: they are no findings of ours.
REPORTED = abnormalities.KINDS
_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Truth:
    """One thing that a perfect observer finds.

    `entity` is empty where only the area counts; `end` is null where it lasts beyond the run; `level` is what it
    reaches at least; `is_sure` is false where the error of an instrument may hide it.
    """

    finding_id: str
    event_id: str
    index_id: str
    area_id: str
    entity: str
    begin: datetime
    end: datetime | None
    level: int
    is_sure: bool


@dataclass(frozen=True)
class Answer:
    """A true finding with the first of gold's rows that is about it; null: gold has none."""

    truth: Truth
    found: Row | None

    @property
    def delay_s(self) -> float | None:
        """From the true onset to the alarm; negative where the alarm came first."""
        return (self.found["raised_at"] - self.truth.begin).total_seconds() if self.found else None

    @property
    def is_missed(self) -> bool:
        return self.found is None and self.truth.is_sure


@dataclass(frozen=True)
class Comparison:
    """The answer to every true finding, and the alarms that nothing true explains."""

    answers: tuple[Answer, ...]
    false: tuple[Row, ...]

    @property
    def missed(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if answer.is_missed)

    @property
    def ok(self) -> bool:
        return not self.missed and not self.false


def read_truth(folder: Path) -> list[Truth]:
    """The findings that a simulation wrote beside its files.

    Raises:
        InputError: the folder holds no truth.
    """
    path = folder / "findings.csv"
    if not path.is_file():
        raise InputError(f"expected findings.csv in {folder}, found none; simulate first, or name the truth's folder")
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Truth(
                finding_id=row["finding_id"],
                event_id=row["event_id"],
                index_id=row["index_id"],
                area_id=row["area_id"],
                entity=row["entity"],
                begin=datetime.fromisoformat(row["begin"]),
                end=datetime.fromisoformat(row["end"]) if row["end"] else None,
                level=int(row["level"]),
                is_sure=row["is_sure"] == "1",
            )
            for row in csv.DictReader(file)
        ]


def compare(truths: Sequence[Truth], alarms: Iterable[Row], windows: Iterable[Row], mine_code: str) -> Comparison:
    """Set what gold found beside the truth.

    Args:
        alarms: rows of gold.alarm: `kind`, `area_id`, `entity`, `level`, `raised_at`, `cleared_at`.
        windows: windows of gold.hazard_index at level 1 or more, in the same columns: what raised no alarm is found
            here.
    """
    ours = _in_order(alarm for alarm in alarms if not alarm["kind"].startswith(REPORTED))
    noticed = _in_order(windows)
    answers = []
    for truth in truths:
        among = ours if truth.level >= ALARMS_FROM else noticed
        about = (row for row in among if row["level"] >= truth.level and _is_about(row, truth, mine_code))
        answers.append(Answer(truth, next(about, None)))
    false = [alarm for alarm in ours if not any(_is_about(alarm, truth, mine_code) for truth in truths)]
    return Comparison(tuple(answers), tuple(false))


def _in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["raised_at"], row["kind"], row["entity"]))


def _is_about(row: Row, truth: Truth, mine_code: str) -> bool:
    """The same index at the same place, at a time that is not more than SLACK apart."""
    at_the_place = row["entity"] == truth.entity if truth.entity else truth.area_id in (row["area_id"], mine_code)
    return bool(
        row["kind"] == truth.index_id
        and at_the_place
        and row["raised_at"] <= (truth.end or _FOREVER - SLACK) + SLACK
        and (row["cleared_at"] or _FOREVER) >= truth.begin - SLACK
    )
