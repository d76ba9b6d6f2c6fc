"""How far back a mine's rows are still there.

Maintenance removes rows whose time of keeping is over, and marks in the same commit the first day of each mine that
stayed. The marks lie where jobs count what they have used up, as Delta application transactions, so they outlive every
checkpoint. By them a job knows what it can no longer work out: nothing is computed anew from rows that are partly gone,
and nothing older is taken in again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from minefusion.pipelines.engines.engine import Consumed, Engine
from minefusion.schemas import silver
from minefusion.schemas.bronze import EXCHANGE_RECORD
from minefusion.schemas.errors import InputError
from minefusion.schemas.governance import cards
from minefusion.schemas.table import Table

# What the rest of the lake is worked out from and is kept for a shorter time than the rest.
SOURCES = (EXCHANGE_RECORD, silver.READING, silver.POSITION)
# Rows of the first day that stayed look back on some that did not.
LOOKED_BACK = timedelta(days=1)


def mark(mine: str, first: date) -> Consumed:
    """Rows of the mine before this day were removed."""
    return Consumed(_app(mine), first.toordinal())


def kept_from(engine: Engine, tables: Iterable[Table], mines: Iterable[str]) -> dict[str, datetime]:
    """The first instant from which all of these tables still hold a mine; only mines that something was removed of."""
    apps = {_app(mine): mine for mine in mines}
    found: dict[str, int] = {}
    for table in tables if apps else ():
        for app, day in engine.consumed_by(table, apps).items():
            if day:
                found[apps[app]] = max(day, found.get(apps[app], 0))
    return {mine: start_of(date.fromordinal(day)) for mine, day in found.items()}


def shortest_keep() -> timedelta:
    """Nothing that is younger was ever removed."""
    return timedelta(days=min(card.keep_days for card in cards().values() if card.keep_days is not None))


def refuse_removed(engine: Engine, tables: Sequence[Table], mines: Iterable[str], start: datetime) -> None:
    """See that a span to work out anew begins where everything it rests on is still there.

    Raises:
        InputError: it does not, of one of these mines.
    """
    for mine, since in sorted(kept_from(engine, tables, mines).items()):
        first = since + LOOKED_BACK
        if start < first:
            raise InputError(
                f"expected --from at or after {first.isoformat()} for mine {mine}, got {start.isoformat()}; what it "
                "would be worked out from was removed when its time of keeping was over, and the tables stay as they "
                "are; give a later --from"
            )


def start_of(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _app(mine: str) -> str:
    return f"kept_from/{mine}"
