"""`minefusion build`: silver and gold in graph order, for what is new or for a span of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.cli.table import as_text
from minefusion.schemas.window import parse_window

if TYPE_CHECKING:
    from minefusion.pipelines.jobs.tally import Built

From = Annotated[str | None, typer.Option("--from", metavar="ISO", help="重算起点，含 · Recompute from, included")]
To = Annotated[str | None, typer.Option("--to", metavar="ISO", help="重算止点，不含 · Recompute to, not included")]
# Written out, since the help is shown without loading the jobs.
JOBS = (
    "conform, hazard_index, hazard_trend, alarm, trend_alarm, composite, risk_tier, area_minute, data_quality, "
    "sensor_health, alarm_cause, escape_route"
)
Mines = Annotated[list[str] | None, typer.Option(help="煤矿编码，可重复 · Mine code, may be repeated; else every mine")]


def command(
    select: Annotated[
        str | None,
        typer.Option(
            metavar="SEL",
            help="作业或表，a,b 为两个，a+ 含其后 · Jobs or tables: a,b for two, a+ and all behind it. "
            f"{JOBS}; silver, gold, gold.alarm …",
        ),
    ] = None,
    start: From = None,
    end: To = None,
    mine: Mines = None,
) -> None:
    """按依赖顺序更新 silver 与 gold；不给时段则只算新数据 · Bring tables up to date; without a span, what is new."""
    from minefusion.pipelines.engines import open_engine
    from minefusion.pipelines.jobs.build import build

    window = parse_window(start, end)
    with Progress("build") as progress:
        built = build(open_engine(settings()), selection=select, window=window, mines=mine, progress=progress)
    emit_built(built)


def emit_built(built: Sequence[Built]) -> int:
    """Print what was done to each table; returns how many rows changed."""
    tables = [asdict(table) | {"seconds": round(table.seconds, 3)} for table in built]
    changed = sum(table.changed for table in built)
    names = words("表 改动 行数 秒", "table changed rows seconds").split()
    columns = [[row[key] for row in tables] for key in ("name", "changed", "rows", "seconds")]
    emit(
        {"tables": tables, "changed": changed}, as_text(names, columns) if tables else words("没有数据", "no data yet")
    )
    return changed
