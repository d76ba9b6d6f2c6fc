"""How far a table has come, in ingest batches, and which files are new to it.

Every batch has a number, and a table carries the last number that it has used up as a Delta application transaction:
one for all mines together, and one for each mine that was worked on alone. So a mine that fails stops no other, and a
run over all mines takes up each where it is. Where two jobs fill one table, each keeps its own count there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import narwhals as nw
import polars as pl

from minefusion.pipelines.engines.engine import Consumed, Engine
from minefusion.schemas.bronze import EXCHANGE_FILE, EXCHANGE_RECORD, QUARANTINE
from minefusion.schemas.table import Table

# The application whose versions are the numbers of ingest batches.
INGEST = "ingest"
# Verdicts of files whose records are in bronze.
LOADED = ("accepted", "partial", "stale")


@dataclass(frozen=True)
class Stage:
    """A table as one job fills it; `app` is the application under which the job's count is kept there."""

    table: Table
    app: str = INGEST


@dataclass(frozen=True)
class NewFiles:
    """Ledger rows of the loaded files that a table has not used up, and what it has when it has used them up."""

    ledger: pl.DataFrame
    completes: tuple[Consumed, ...]

    @property
    def mines(self) -> list[str]:
        return sorted(self.ledger["mine_code"].unique())


def app_of(mine: str, app: str = INGEST) -> str:
    """The application of one mine worked on alone."""
    return f"{app}/{mine}"


def complete_batches(engine: Engine) -> int:
    """The last batch whose records are all in bronze. An ingest that runs, or was killed, is in the middle of one."""
    newest = engine.consumed(EXCHANGE_FILE, INGEST)
    if engine.consumed(EXCHANGE_RECORD, INGEST) == newest and engine.consumed(QUARANTINE, INGEST) == newest:
        return newest
    return newest if not tables_behind(engine, batch_rows(engine, newest), newest) else newest - 1


def batch_rows(engine: Engine, number: int) -> pl.DataFrame:
    """The ledger's rows of one batch."""
    return collected(engine.in_process, engine.in_process.read(EXCHANGE_FILE, batches=(number - 1, number)))


def tables_behind(engine: Engine, batch: pl.DataFrame, number: int) -> list[Table]:
    """Tables that still lack the batch's rows."""
    return [
        table
        for table, column in ((EXCHANGE_RECORD, "records_stored"), (QUARANTINE, "records_quarantined"))
        if int(batch[column].sum() or 0) > 0 and engine.consumed(table, INGEST) < number
    ]


def come_to(engine: Engine, stage: Stage, mine: str) -> int:
    """The last batch of which the table holds what is the mine's."""
    return max(engine.consumed_by(stage.table, [stage.app, app_of(mine, stage.app)]).values())


def new_files(
    engine: Engine, stage: Stage, mines: Sequence[str] | None, source: Callable[[str], int] | None = None
) -> NewFiles:
    """What is new to a table.

    Args:
        mines: these alone, else all.
        source: mine → the last batch that is there to be used; where left out, what is complete in bronze.
    """
    table, app = stage.table, stage.app
    done = engine.consumed_by(table, [app, *(app_of(mine, app) for mine in mines or ())])
    oldest = done[app] if mines is None else min(max(done[app], done[app_of(mine, app)]) for mine in mines)
    if oldest == engine.consumed(EXCHANGE_FILE, INGEST):
        return NewFiles(pl.DataFrame(pl.from_arrow(EXCHANGE_FILE.arrow_schema().empty_table())), ())
    upto = complete_batches(engine)
    rows = engine.in_process.read(EXCHANGE_FILE, batches=(oldest, upto), mines=mines)
    wanted = nw.col("verdict").is_in(list(LOADED)) & ~nw.col("mine_code").is_null()
    ledger = collected(engine.in_process, rows.filter(wanted))
    there = sorted(ledger["mine_code"].unique())
    done |= engine.consumed_by(table, [app_of(mine, app) for mine in there])
    ready = {mine: min(source(mine), upto) if source else upto for mine in mines or there}
    span = pl.DataFrame(
        {
            "mine_code": there,
            "_after": [max(done[app], done[app_of(mine, app)]) for mine in there],
            "_upto": [ready[mine] for mine in there],
        },
        schema={"mine_code": pl.String, "_after": pl.Int64, "_upto": pl.Int64},
    )
    ledger = ledger.join(span, on="mine_code")
    if mines is None:
        held_back = ledger.filter(pl.col("batch") > pl.col("_upto"))["batch"].to_list()
        completes = [Consumed(app, min(held_back) - 1 if held_back else upto)]
    else:
        completes = [Consumed(app_of(mine, app), ready[mine]) for mine in mines]
    ledger = ledger.filter(pl.col("batch") > pl.col("_after"), pl.col("batch") <= pl.col("_upto"))
    return NewFiles(ledger.drop("_after", "_upto"), tuple(completes))


def collected(engine: Engine, rows: nw.LazyFrame) -> pl.DataFrame:
    """The rows here, in Polars."""
    return pl.DataFrame(pl.from_arrow(engine.to_arrow(rows)))
