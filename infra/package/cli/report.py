"""`minefusion report shift`: one mine's shift as one HTML page, Chinese and English."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minefusion.cli.call import emit, settings, words
from minefusion.cli.progress import Progress
from minefusion.schemas.window import parse_instant

if TYPE_CHECKING:
    from minefusion.pipelines.jobs.balance import Balance
    from minefusion.schemas.settings import Settings

command = typer.Typer(no_args_is_help=True)


@command.callback()
def _kinds() -> None:
    """What to report."""


@command.command()
def shift(
    mine: Annotated[str, typer.Option(metavar="CODE", help="煤矿编码 · Mine code")],
    end: Annotated[str, typer.Option("--to", metavar="ISO", help="班次结束时刻 · When the shift ends")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="写到这个 HTML 文件 · HTML file to write")],
) -> None:
    """写一个班次的报告 · Write the report of one shift."""
    from minefusion.pipelines.jobs.balance import balance

    until = parse_instant(end, "--to")
    with Progress("report") as progress:
        records = balance(settings(), progress=lambda share, text: progress(0.8 * share, text))
        alarms = write_report(settings(), mine, until, records, out)
    emit(
        {"file": str(out), "alarms": alarms, "balance_ok": records.ok},
        words(
            f"写出 {out}：{alarms} 条报警；记录平衡{'成立' if records.ok else '不成立'}",
            f"wrote {out}: {alarms} alarms; the record balance {'holds' if records.ok else 'does not hold'}",
        ),
    )


def write_report(settings: Settings, mine: str, end: datetime, records: Balance, out: Path) -> int:
    """Write the page; returns the number of alarms in it.

    Raises:
        InputError: gold holds nothing of the mine in that shift; then no file is written.
    """
    from minefusion.pipelines.hazard.catalogue import INDICES
    from minefusion.serving.journal.head import journal_head
    from minefusion.serving.reader import Reader
    from minefusion.serving.report import shift_report

    report = shift_report(
        Reader(settings.lake, settings.tables),
        mine,
        end,
        balance=[asdict(kind) for kind in records.kinds],
        index_names={index.id: (index.name_zh, index.name_en) for index in INDICES},
        made_at=datetime.now(UTC),
        journal=journal_head(settings.database),
        lang=settings.lang,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(report.html, encoding="utf-8")
    return report.alarms
