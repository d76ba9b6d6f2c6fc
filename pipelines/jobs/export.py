"""Silver and gold → exchange files for the regulator: values, five-minute statistics, alarms with cause and measure."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import narwhals as nw
import polars as pl

from minefusion.pipelines.engines.engine import Engine
from minefusion.pipelines.exchange.manifest import add_to_manifest
from minefusion.pipelines.exchange.write import file_name, write_file
from minefusion.pipelines.export.records import KINDS, Silver
from minefusion.pipelines.jobs.keeping import SOURCES, refuse_removed
from minefusion.pipelines.jobs.master_data import sites_of
from minefusion.pipelines.jobs.new_files import collected
from minefusion.pipelines.jobs.tally import Progress
from minefusion.schemas import gold, silver
from minefusion.schemas.errors import InputError
from minefusion.schemas.exchange.grammar import kinds
from minefusion.schemas.exchange.mine_codes import provincial_mine
from minefusion.schemas.table import Table
from minefusion.schemas.window import Window

# What one step holds in memory.
PIECE = timedelta(hours=1)
FIVE_MINUTES = timedelta(minutes=5)
# An abnormality that ends in the span began at most so long before it.
LONGEST = timedelta(days=7)
DEFAULT_KINDS = ("CDSS", "TJSJ", "YCBJ")
# Kinds that tell of the mine as it is and not of a span.
_MASTER = tuple(kind for kind in KINDS if kinds()[kind].nature == "master")


@dataclass
class Exported:
    """What an export wrote: files, records by kind, and readings whose point has no code that the kind can hold."""

    files: int = 0
    records: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def export(
    engine: Engine,
    mine: str,
    window: Window,
    out: Path,
    wanted: Sequence[str] = DEFAULT_KINDS,
    progress: Progress | None = None,
) -> Exported:
    """Write one mine's span as exchange files of these kinds. Same tables, same bytes.

    Raises:
        InputError: a kind that cannot be exported, a mine that the lake does not know, or a span whose data were
            removed.
    """
    unknown = [kind for kind in wanted if kind not in KINDS]
    if unknown:
        raise InputError(f"expected --kinds out of {', '.join(KINDS)}, got '{unknown[0]}'")
    points = _rows(engine, silver.POINT, mine).filter(pl.col("feed") == silver.READING.name)
    if points.is_empty():
        raise InputError(f"expected a mine with data in the lake, got '{mine}'; ingest and build first")
    refuse_removed(engine, SOURCES, [mine], window.start)
    started, done = time.monotonic(), Exported()
    site = sites_of(engine.settings, [mine])[mine]
    out.mkdir(parents=True, exist_ok=True)
    pieces = _pieces(window)
    for number, piece in enumerate(pieces):
        given = _of_piece(engine, mine, points, piece)
        manifest: dict[str, int] = {}
        for kind in wanted:
            if kind in _MASTER and number:
                continue
            records = KINDS[kind](given)
            for (at,), rows in records.group_by("file_at", maintain_order=True):
                sender = mine
                rows = rows.drop("file_at")
                if kinds()[kind].envelope == "lines":
                    sender = provincial_mine(mine)
                    rows = rows.with_columns(**_addressed(mine))
                write_file(out, kind, sender, site.name_zh if site else mine, at, rows)
                manifest[file_name(kind, sender, at)] = len(rows)
                done.files += 1
                done.records[kind] += len(rows)
            if kind in ("AQSS", "AQLJ"):
                done.left_out[kind] += _without_code(given)
        add_to_manifest(out, manifest)
        if progress:
            progress((number + 1) / len(pieces), f"{done.files} files")
    done.left_out = +done.left_out
    done.seconds = time.monotonic() - started
    return done


def _addressed(mine: str) -> dict[str, pl.Expr]:
    """What each provincial record begins with: province and city, as parts of the county's code, county and mine."""
    county = mine[:6]
    told = {
        "province": f"{county[:2]}0000",
        "city": f"{county[:4]}00",
        "county": county,
        "mine_code": provincial_mine(mine),
    }
    return {name: pl.lit(value) for name, value in told.items()}


def _pieces(window: Window) -> list[Window]:
    """The span hour by hour, cut at whole hours so that no window of five minutes is cut."""
    found = []
    start = window.start
    while start < window.end:
        end = min(Window(start, start).aligned(PIECE).start + PIECE, window.end)
        found.append(Window(start, end))
        start = end
    return found


def _of_piece(engine: Engine, mine: str, points: pl.DataFrame, piece: Window) -> Silver:
    began_or_ended = pl.coalesce("ended_at", "began_at").is_between(piece.start, piece.end, closed="left")
    raised_or_cleared = pl.coalesce("cleared_at", "raised_at").is_between(piece.start, piece.end, closed="left")
    before = piece.widened(before=LONGEST)
    five = _rows(engine, silver.READING_5MIN, mine, piece.widened(before=FIVE_MINUTES))
    # A window belongs to the piece in which it ends; the one that ends at the span's end to the span.
    ends_inside = (pl.col("window_end") > piece.start) & (pl.col("window_end") <= piece.end)
    alarms = _rows(engine, gold.ALARM, mine, before).filter(pl.col("kind") == "G-01", raised_or_cleared)
    return Silver(
        points=points,
        readings=_rows(engine, silver.READING, mine, piece.widened(before=FIVE_MINUTES)),
        five=five.filter(ends_inside),
        reported=_rows(engine, silver.REPORTED_ABNORMALITY, mine, before).filter(began_or_ended),
        alarms=alarms,
        substations=_rows(engine, silver.SUBSTATION, mine),
        begin=pl.lit(piece.start, dtype=pl.Datetime("us", "UTC")),
        end=pl.lit(piece.end, dtype=pl.Datetime("us", "UTC")),
    )


def _without_code(given: Silver) -> int:
    """Readings of points whose code is no national one, which a provincial file cannot name."""
    named = KINDS["AQSS"](given).height + KINDS["AQLJ"](given).height
    inside = (pl.col("observed_at") >= given.begin) & (pl.col("observed_at") < given.end)
    return given.readings.filter(inside).height - named


def _rows(engine: Engine, table: Table, mine: str, window: Window | None = None) -> pl.DataFrame:
    rows = engine.read(table, window=window, mines=[mine]).filter(nw.col("mine_code") == mine)
    return collected(engine, rows)
